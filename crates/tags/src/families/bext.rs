//! Times in other WAV chunks: broadcast extension and sampler loops.
//!
//! Layouts: EBU Tech 3285 for `bext`, Microsoft's "New Multimedia Data Types and Data Techniques"
//! for `smpl`.

use audiostretchy_containers::riff::{decode_text, u32_at};
use lofty::tag::{ItemKey, Tag};

use crate::clock::{Clock, rescale};
use crate::fields;

/// Bytes of a broadcast extension before its coding history.
pub(crate) const BEXT_LEN: usize = 602;
const BEXT_TIME: std::ops::Range<usize> = 338..346;
const BEXT_UMID: std::ops::Range<usize> = 348..412;
const SMPL_LEN: usize = 36;
const LOOP_LEN: usize = 24;

/// Copies a broadcast extension's description and date to the common fields.
pub(crate) fn describe_bext(bext: &[u8], tag: &mut Tag) {
    let description = decode_text(&bext[..256]);
    if tag.get(ItemKey::Comment).is_none() && !description.is_empty() {
        fields::set(tag, ItemKey::Comment, description);
    }
    let date = decode_text(&bext[320..330]);
    let is_date = date.len() == 10 && date.starts_with(|first: char| first.is_ascii_digit());
    if tag.get(ItemKey::RecordingDate).is_none() && is_date {
        fields::set(
            tag,
            ItemKey::RecordingDate,
            date.replace([':', '_', '/'], "-"),
        );
    }
}

/// Updates a broadcast extension: keeps the time of day at which the audio starts, counted at the
/// output's sample rate; clears the unique material identifier, which belongs to the old file; and
/// adds a line to the coding history.
pub(crate) fn move_bext(bext: &mut Vec<u8>, clock: &Clock<'_>) {
    if clock.output_end().is_none() {
        return;
    }
    let time: [u8; 8] = bext[BEXT_TIME].try_into().unwrap_or_default();
    let rates = (clock.input_rate().into(), clock.output_rate().into());
    let time = rescale(u64::from_le_bytes(time), rates.0, rates.1);
    bext[BEXT_TIME].copy_from_slice(&time.to_le_bytes());
    bext[BEXT_UMID].fill(0);
    let history_end = bext[BEXT_LEN..].iter().rposition(|&byte| byte != 0);
    bext.truncate(BEXT_LEN + history_end.map_or(0, |last| last + 1));
    let line = format!("A=PCM,F={},T={}\r\n", rates.1, fields::ENCODER);
    bext.extend(line.as_bytes());
}

/// Moves the loops of a sampler chunk and updates its sample period.
pub(crate) fn move_loops(smpl: &mut [u8], clock: &mut Clock<'_>) {
    if smpl.len() < SMPL_LEN {
        return;
    }
    let count = u32_at(smpl, 28) as usize;
    if clock.output_end().is_some() {
        let period = 1_000_000_000 / clock.output_rate().max(1);
        smpl[8..12].copy_from_slice(&period.to_le_bytes());
    }
    for looped in smpl[SMPL_LEN..].chunks_exact_mut(LOOP_LEN).take(count) {
        for at in [8, 12] {
            let moved = clock.frames(u32_at(looped, at).into());
            let moved = u32::try_from(moved).unwrap_or(u32::MAX);
            looped[at..at + 4].copy_from_slice(&moved.to_le_bytes());
        }
    }
}

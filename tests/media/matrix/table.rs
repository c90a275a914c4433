//! The table of formats in `docs/formats.md`, made from the results of the test.
//!
//! `UPDATE_DOCS=1 cargo test --test media matrix::` writes it.

use std::fmt::Write as _;

use audiostretchy::{BitDepth, Format, OutputOptions};
use audiostretchy_media::encode::EncodeSpec;

use crate::encoders::support::{RATES, source};
use crate::matrix::sources::{self, Source};
use crate::pages::has_part;

/// Compares the page with the results: every source, and the number of frames that it had too many.
pub(super) fn check(read: &[(&'static Source, i64)]) {
    has_part("docs/formats.md", "formats", &render(read));
}

fn render(read: &[(&'static Source, i64)]) -> String {
    let mut table = String::from(
        "\n| format | reads | length read | writes | sample types written | kHz written | channels |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut rows: Vec<&str> = sources::ALL.iter().map(|source| source.row).collect();
    rows.dedup();
    for row in rows {
        let of_row = || sources::ALL.iter().filter(|source| source.row == row);
        let codecs: Vec<&str> = of_row().map(|source| source.codec).collect();
        let is_exact = |source: &Source| {
            let mut results = read
                .iter()
                .filter(|(other, _)| std::ptr::eq(*other, source));
            results.all(|&(_, more)| more == 0)
        };
        let length = match of_row().all(is_exact) {
            true => "exact",
            false => "with what the encoder added",
        };
        let formats: Vec<Format> = match row {
            "WAV, RF64" => vec![Format::Wav],
            "FLAC" => vec![Format::Flac],
            "AIFF, AIFC" => vec![Format::Aiff],
            "MP3" => vec![Format::Mp3],
            "Ogg" => vec![Format::Ogg, Format::Opus],
            "M4A, MP4" => vec![Format::M4a, Format::M4b],
            _ => Vec::new(),
        };
        let list = |what: fn(Format) -> String| match formats.is_empty() {
            true => "-".to_owned(),
            false => formats
                .iter()
                .map(|&format| what(format))
                .collect::<Vec<_>>()
                .join("; "),
        };
        writeln!(
            table,
            "| {row} | {} | {length} | {} | {} | {} | {} |",
            codecs.join(", "),
            list(|format| format!("`{}`", format.name())),
            list(depths),
            list(rates),
            list(channels),
        )
        .unwrap();
    }
    table.push('\n');
    table
}

/// Returns the sample types that a format stores without a warning.
fn depths(format: Format) -> String {
    if !format.is_lossless() {
        return "lossy".into();
    }
    let mut info = source(2, 48_000, true);
    info.bits_per_sample = Some(32);
    let holds = |depth: &BitDepth| {
        let options = OutputOptions {
            bit_depth: Some(*depth),
            ..OutputOptions::default()
        };
        let (_, warnings) = EncodeSpec::new(&info, format, &options).unwrap();
        warnings.is_empty()
    };
    let depths = BitDepth::ALL.into_iter().filter(holds);
    depths.map(BitDepth::name).collect::<Vec<_>>().join(", ")
}

/// Returns the tested rates that a format supports, and higher ones, in kHz.
fn rates(format: Format) -> String {
    let all = RATES.into_iter().chain([192_000, 384_000]);
    let holds = |&rate: &u32| {
        let options = OutputOptions::default();
        let (spec, _) = EncodeSpec::new(&source(2, rate, false), format, &options).unwrap();
        spec.sample_rate == rate
    };
    let rates: Vec<f64> = all
        .filter(holds)
        .map(|rate| f64::from(rate) / 1e3)
        .collect();
    match &rates[..] {
        [first, .., last] if rates.len() > 2 && format != Format::Opus => format!("{first}-{last}"),
        _ => rates
            .iter()
            .map(f64::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// Returns the most channels that a format supports, up to the engine's limit of 8.
fn channels(format: Format) -> String {
    let holds = |&channels: &usize| {
        let mut info = source(channels, 48_000, false);
        info.channel_mask = None;
        EncodeSpec::new(&info, format, &OutputOptions::default()).is_ok()
    };
    let most = (1..=8).rev().find(holds);
    most.map_or_else(String::new, |most| format!("1-{most}"))
}

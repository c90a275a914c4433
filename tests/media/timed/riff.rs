//! Hand-made chunks of WAV files.

use super::*;

fn chunk(id: &[u8], body: &[u8]) -> Vec<u8> {
    let mut chunk = [id, &(body.len() as u32).to_le_bytes(), body].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// Returns a WAV file with more chunks at its end.
pub(super) fn with_chunks(wav: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut file = [wav, &chunks.concat()].concat();
    let size = (file.len() as u32 - 8).to_le_bytes();
    file[4..8].copy_from_slice(&size);
    file
}

/// Returns the body of the first chunk with that name.
fn body<'a>(wav: &'a [u8], id: &[u8]) -> &'a [u8] {
    let mut rest = &wav[12..];
    while rest.len() > 8 {
        let size = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        if &rest[..4] == id {
            return &rest[8..8 + size];
        }
        rest = &rest[8 + size.next_multiple_of(2)..];
    }
    panic!("no chunk {id:?}");
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn loops_regions_and_the_time_of_day_are_moved() {
    let folder = Folder::new();
    let wav = folder.tone("tone.wav", 4);
    let (start, end) = (44_100u32, 132_300u32);
    let mut bext = b"A description".to_vec();
    bext.resize(602, 0);
    bext[320..330].copy_from_slice(b"2021-02-03");
    bext[338..346].copy_from_slice(&(44_100u64 * 3600).to_le_bytes());
    bext[348..352].copy_from_slice(b"umid");
    let mut smpl = vec![0; 36];
    smpl[28] = 1;
    let looped = [1, 0, start, end, 0, 0];
    smpl.extend(looped.map(u32::to_le_bytes).concat());
    let cue = [1, 7, start, u32::from_le_bytes(*b"data"), 0, 0, start];
    let label = chunk(
        b"labl",
        &[&7u32.to_le_bytes()[..], "Schön 漢\0".as_bytes()].concat(),
    );
    let region = [
        &[7, end - start].map(u32::to_le_bytes).concat()[..],
        b"rgn \0\0\0\0\0\0\0\0",
    ];
    let adtl = [b"adtl".to_vec(), label, chunk(b"ltxt", &region.concat())].concat();
    let chunks = [
        chunk(b"bext", &bext),
        chunk(b"smpl", &smpl),
        chunk(b"cue ", &cue.map(u32::to_le_bytes).concat()),
        chunk(b"LIST", &adtl),
    ];
    let input = folder.write("in.wav", &with_chunks(&wav, &chunks));
    let output = folder.path("out.wav");
    let done = convert_at(&input, &output, &at_half(), Some(48_000));
    assert_eq!(done.codes(), [""; 0]);

    let bytes = std::fs::read(&output).unwrap();
    let seconds = |frames: u32| f64::from(frames) / 48_000.0;
    let smpl = body(&bytes, b"smpl");
    assert_eq!(number(smpl, 8), 1_000_000_000 / 48_000);
    done.assert_moved(1.0, seconds(number(smpl, 44)), "start of the loop");
    done.assert_moved(3.0, seconds(number(smpl, 48)), "end of the loop");
    let cue = body(&bytes, b"cue ");
    assert_eq!((number(cue, 0), number(cue, 4)), (1, 7));
    assert_eq!(number(cue, 24), number(smpl, 44));
    // The INFO list that the program itself writes comes first.
    let at = bytes.windows(4).position(|id| id == b"ltxt").unwrap();
    assert_eq!(number(&bytes, at + 12), number(smpl, 48) - number(smpl, 44));
    assert_eq!(chapters(&output)[0].1, "Schön 漢");
    // The same time of day, at another sample rate.
    assert_eq!(
        probed_tag(&output, "time_reference"),
        (48_000 * 3600).to_string()
    );
    assert_eq!(probed_tag(&output, "umid"), "");
    assert!(probed_tag(&output, "coding_history").contains("F=48000"));
}

#[test]
fn broken_chunks_cost_no_audio() {
    let folder = Folder::new();
    let wav = folder.tone("tone.wav", 1);
    let label = chunk(b"labl", &[9, 9, 9]);
    for chunks in [
        [chunk(b"cue ", &[0xFF; 30]), chunk(b"smpl", &[0xFF; 40])],
        [
            chunk(b"cue ", &[]),
            chunk(b"LIST", &[b"adtl".to_vec(), label].concat()),
        ],
        [
            chunk(b"bext", &[0xFF; 602]),
            chunk(b"id3 ", b"ID3\x03\0\0\x7F\x7F\x7F\x7FTIT2"),
        ],
    ] {
        let input = folder.write("in.wav", &with_chunks(&wav, &chunks));
        let done = convert(&input, &folder.path("out.flac"), &at_half());
        assert_eq!(done.map["input_frames"], 44_100);
    }
}

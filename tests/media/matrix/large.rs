//! WAV files beyond 4 GiB.

use std::fs::File;

use audiostretchy::{Format, OutputOptions};
use audiostretchy_media::decode::Decoder;
use audiostretchy_media::encode::EncodeSpec;
use audiostretchy_media::samples::Samples;

use crate::encoders::support::{probe, source};

const CHANNELS: usize = 6;
const BLOCK: usize = 1 << 16;

/// Puts the number of a block into its first samples; all others are 0.
fn mark(block: &mut [f32], number: usize) {
    block[0] = number as f32 / 65_536.0;
}

/// Run it with `cargo test --test media -- --ignored beyond_4_gib`. It needs 5 GB of disk space
/// while it runs.
#[test]
#[ignore = "writes 5 GB"]
fn a_wav_beyond_4_gib_is_written_and_read_to_the_frame() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("large.wav");
    let bytes_each = BLOCK * CHANNELS * 4;
    let blocks = (1usize << 32) / bytes_each + 3;
    let info = source(CHANNELS, 96_000, true);
    let (spec, _) = EncodeSpec::new(&info, Format::Wav, &OutputOptions::default()).unwrap();
    let mut encoder = spec.start(File::create(&path).unwrap()).unwrap();
    let mut block = vec![0.0; BLOCK * CHANNELS];
    for number in 0..blocks {
        mark(&mut block, number);
        encoder.write(Samples::from(&block[..])).unwrap();
    }
    let frames = (blocks * BLOCK) as u64;
    assert_eq!(encoder.finish().unwrap().frames, frames);
    assert!(path.metadata().unwrap().len() > 1 << 32);
    let described = probe(&path, "codec_name,duration_ts");
    assert_eq!(described, format!("pcm_f32le,{frames}"));

    let mut decoder = Decoder::open(&path).unwrap();
    assert_eq!(decoder.info().frames, Some(frames));
    let mut at = 0;
    let mut decoded: Vec<f32> = Vec::new();
    while decoder.next_block(&mut decoded).unwrap() {
        for &sample in &decoded {
            let number = at / (BLOCK * CHANNELS);
            let expected = match at % (BLOCK * CHANNELS) {
                0 => number as f32 / 65_536.0,
                _ => 0.0,
            };
            assert_eq!(sample, expected, "sample {at}");
            at += 1;
        }
    }
    assert_eq!(decoder.frames(), frames);
}

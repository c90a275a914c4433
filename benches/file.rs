//! Measures whole files: a minute of speech is decoded, stretched to 1.5 times the speed, and
//! encoded.
//!
//! Run it with `cargo bench --bench file`.

use std::path::{Path, PathBuf};

use audiostretchy::batch::{IfExists, PlanRequest, RunOptions, Session, StopToken};
use audiostretchy::{Engine, Format, OutputOptions, StretchOptions, stretch_audio};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SECONDS: u32 = 60;

/// Writes a minute of the reference speech, repeated, to a WAV file and returns its path.
fn speech(folder: &Path) -> PathBuf {
    let reference =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference/speech-44k-mono.wav");
    let mut reader = hound::WavReader::open(reference).expect("the reference input is there");
    let spec = reader.spec();
    let samples: Vec<i16> = reader
        .samples()
        .map(|sample| sample.expect("good WAV"))
        .collect();
    let path = folder.join("speech.wav");
    let mut writer = hound::WavWriter::create(&path, spec).expect("the folder can be written to");
    let frames = (SECONDS * spec.sample_rate) as usize;
    for &sample in samples.iter().cycle().take(frames) {
        writer.write_sample(sample).expect("the disk has room");
    }
    writer.finalize().expect("the disk has room");
    path
}

fn whole_files(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let input = speech(folder.path());
    let mut group = criterion.benchmark_group("file");
    group.sample_size(10);
    group.throughput(Throughput::Elements(SECONDS.into()));
    for (name, normal_detection) in [("fast", false), ("normal", true)] {
        let stretch = StretchOptions {
            ratio: 1.0 / 1.5,
            normal_detection,
            ..StretchOptions::default()
        };
        for format in Format::ALL {
            let output = folder.path().join("output").with_extension(format.name());
            let encoding = OutputOptions {
                format: Some(format),
                ..OutputOptions::default()
            };
            group.bench_function(format!("{name}/wav to {}", format.name()), |bencher| {
                bencher.iter(|| {
                    stretch_audio(&input, &output, &stretch, &encoding).expect("the input is good")
                });
            });
        }
    }
    group.finish();
}

/// What a run costs more that collects what a page draws.
fn pictures(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let input = speech(folder.path());
    let mut group = criterion.benchmark_group("pictures");
    group.sample_size(20);
    for engine in Engine::ALL {
        let mut request = PlanRequest::new(vec![input.clone()], folder.path().join("output.wav"));
        request.if_exists = IfExists::Overwrite;
        request.settings.stretch = StretchOptions {
            engine,
            ..StretchOptions::from_speed(1.5)
        };
        for (name, pictures) in [("without", false), ("with", true)] {
            let options = RunOptions {
                jobs: 1,
                pictures,
                ..RunOptions::default()
            };
            group.bench_function(format!("{}/{name}", engine.name()), |bencher| {
                bencher.iter(|| {
                    let session = Session::start(&request).expect("the plan is good");
                    session.run(&options, &StopToken::new(), |_| {})
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, whole_files, pictures);
criterion_main!(benches);

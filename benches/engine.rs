//! Measures the speed of the engine: the whole, and the pitch search alone.
//!
//! Run `cargo bench --bench engine`, with a part of a name after `--` to run only some of them.

use std::hint::black_box;
use std::path::Path;

use audiostretchy::{Sample, StretchOptions, Stretcher};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

// The search is not public, so its files are compiled into this program as well.
#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the crate uses all of it"
)]
#[path = "../crates/engine/src/kernels/mod.rs"]
mod kernels;
#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the crate uses all of it"
)]
#[path = "../crates/engine/src/tdhs/period.rs"]
mod period;
#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the crate uses all of it"
)]
#[path = "../crates/engine/src/sample.rs"]
mod sample;

use kernels::Kernel;
use period::PeriodSearch;

const SAMPLE_RATE: u32 = 44_100;
/// Ten seconds.
const FRAMES: usize = 10 * SAMPLE_RATE as usize;

/// Returns the left channel of a reference input, repeated.
fn recorded(name: &str) -> Vec<i16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference");
    let mut reader = hound::WavReader::open(path.join(name)).unwrap();
    let channels = usize::from(reader.spec().channels);
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let left: Vec<i16> = samples.into_iter().step_by(channels).collect();
    left.into_iter().cycle().take(FRAMES).collect()
}

fn noise() -> Vec<i16> {
    let mut state = 1u32;
    let value = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16 / 2
    };
    std::iter::repeat_with(value).take(FRAMES).collect()
}

fn signals() -> [(&'static str, Vec<i16>); 3] {
    [
        ("speech", recorded("speech-44k-mono.wav")),
        ("chord", recorded("chord-44k-stereo.wav")),
        ("noise", noise()),
    ]
}

/// Returns stereo samples with both channels alike, but the right one slightly delayed.
fn stereo(mono: &[i16]) -> Vec<i16> {
    let delayed = mono.iter().cycle().skip(mono.len() - 30);
    mono.iter()
        .zip(delayed)
        .flat_map(|(&l, &r)| [l, r])
        .collect()
}

fn whole<T: Sample>(options: &StretchOptions, channels: usize, input: &[T], output: &mut Vec<T>) {
    let mut stretcher = Stretcher::new(options, SAMPLE_RATE, channels).unwrap();
    for block in input.chunks(4096 * channels) {
        output.clear();
        stretcher.process(black_box(block), output);
    }
    output.clear();
    stretcher.finish(output);
}

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(FRAMES as u64));
    for (name, mono) in signals() {
        for (detection, normal_detection) in [("fast", false), ("normal", true)] {
            let options = StretchOptions {
                ratio: 1.0 / 1.5,
                normal_detection,
                ..StretchOptions::default()
            };
            let stereo = stereo(&mono);
            let id = |format| BenchmarkId::new(format!("{name} {detection}"), format);
            let mut output = Vec::new();
            group.bench_function(id("mono"), |bencher| {
                bencher.iter(|| whole(&options, 1, &mono, &mut output));
            });
            group.bench_function(id("stereo"), |bencher| {
                bencher.iter(|| whole(&options, 2, &stereo, &mut output));
            });
            let floats: Vec<f32> = stereo.iter().map(|&v| f32::from(v) / 32768.0).collect();
            let mut output = Vec::new();
            group.bench_function(id("stereo f32"), |bencher| {
                bencher.iter(|| whole(&options, 2, &floats, &mut output));
            });
        }
    }
}

/// Searches for the period with a straightforward loop, compiled for the target of the build.
#[inline(never)]
fn plain_loop(y: &[i16], shortest: usize, longest: usize) -> usize {
    let magnitude =
        |part: &[i16]| -> u32 { part.iter().map(|&y| u32::from(y.unsigned_abs())).sum() };
    let total = magnitude(&y[..2 * longest]);
    if total == 0 {
        return longest;
    }
    let scale = (u32::MAX - 1) / total;
    let mut sum = magnitude(&y[..2 * shortest]);
    let mut best = (0, longest);
    for lag in shortest..=longest {
        let (head, tail) = y[..2 * lag].split_at(lag);
        let difference: u32 = (head.iter().zip(tail))
            .map(|(&a, &b)| u32::from(a.abs_diff(b)))
            .sum();
        let score = (sum * scale).checked_div(difference).unwrap_or(u32::MAX);
        best = best.max((score, lag));
        if let [a, b, ..] = y[2 * lag..] {
            sum += u32::from(a.unsigned_abs()) + u32::from(b.unsigned_abs());
        }
    }
    best.1
}

type Find = fn(&mut PeriodSearch, &[i16]) -> usize;

/// Returns the search for every instruction set that the machine supports.
fn kernels() -> Vec<(&'static str, Find)> {
    #[allow(unused_mut)]
    let mut kernels: Vec<(&'static str, Find)> = vec![("plain kernel", |search, audio| {
        kernels::Plain.run(period::Find { search, audio })
    })];
    #[cfg(target_arch = "x86_64")]
    {
        if kernels::Avx2::detect().is_some() {
            kernels.push(("AVX2", |search, audio| {
                let kernel = kernels::Avx2::detect().expect("detected before");
                kernel.run(period::Find { search, audio })
            }));
        }
        if kernels::Avx512::detect().is_some() {
            kernels.push(("AVX-512", |search, audio| {
                let kernel = kernels::Avx512::detect().expect("detected before");
                kernel.run(period::Find { search, audio })
            }));
        }
    }
    kernels
}

fn period_search(criterion: &mut Criterion) {
    // The default pitch range at the full rate: 132 to 801 frames.
    let (shortest, longest) = StretchOptions {
        normal_detection: true,
        ..StretchOptions::default()
    }
    .periods(SAMPLE_RATE);
    for (name, audio) in signals() {
        let mut group = criterion.benchmark_group(format!("period search/{name}"));
        let windows = || audio.windows(2 * longest).step_by(20_011);
        group.throughput(Throughput::Elements(windows().count() as u64));
        group.bench_function("plain loop", |bencher| {
            bencher.iter(|| {
                windows()
                    .map(|window| plain_loop(black_box(window), shortest, longest))
                    .sum::<usize>()
            });
        });
        let plain = |window| plain_loop(window, shortest, longest);
        let mut search = PeriodSearch::new(1, shortest, longest, false);
        for (kernel, find) in kernels() {
            assert!(windows().all(|window| find(&mut search, window) == plain(window)));
            group.bench_function(kernel, |bencher| {
                bencher.iter(|| {
                    windows()
                        .map(|window| find(&mut search, black_box(window)))
                        .sum::<usize>()
                });
            });
        }
    }
}

criterion_group!(benches, period_search, engine);
criterion_main!(benches);

//! Checks that a stretcher allocates no more memory after its first seconds, however long it runs.
#![allow(unsafe_code)] // Counting allocations needs an allocator of our own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use audiostretchy::{Engine, Sample, StretchOptions, Stretcher, Style};

thread_local! {
    /// The number of allocations on this thread. Other threads belong to the test harness.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that ends may still allocate after its counter has been destroyed.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator unchanged. Counting is a plain write to
// a thread-local without a destructor, which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SAMPLE_RATE: u32 = 44_100;

/// Returns some seconds of a stereo tone whose level rises and falls.
fn audio<T: Sample>(seconds: u32, sample: impl Fn(f32) -> T) -> Vec<T> {
    (0..2 * SAMPLE_RATE * seconds)
        .map(|i| {
            let time = (i / 2) as f32 / SAMPLE_RATE as f32;
            let loudness = if time.fract() < 0.7 { 0.8 } else { 0.001 };
            let pitch = 100.0 + 30.0 * (time * 3.0).sin();
            sample(loudness * ((time * pitch).fract() - 0.5))
        })
        .collect()
}

/// Returns the number of allocations made while blocks are stretched after the first two seconds.
fn allocations_once_warm<T: Sample>(
    options: &StretchOptions,
    time_map: bool,
    audio: &[T],
) -> usize {
    let make = if time_map {
        Stretcher::with_time_map
    } else {
        Stretcher::new
    };
    let mut stretcher = make(options, SAMPLE_RATE, 2).unwrap();
    // At the end comes all that an engine held back, stretched.
    let mut output = Vec::with_capacity(2 * 8 * SAMPLE_RATE as usize);
    let mut points = 0;
    let mut feed = |part: &[T]| {
        for block in part.chunks(2 * 1024) {
            output.clear();
            stretcher.process(block, &mut output);
            points += stretcher.drain_time_points().count();
        }
        output.clear();
        stretcher.finish(&mut output);
        points += stretcher.drain_time_points().count();
    };
    let (warm_up, rest) = audio.split_at(2 * 2 * SAMPLE_RATE as usize);
    feed(warm_up);
    let before = ALLOCATIONS.get();
    feed(rest);
    assert_eq!(points > 0, time_map);
    ALLOCATIONS.get() - before
}

#[test]
fn nothing_is_allocated_once_warm() {
    let seen = ALLOCATIONS.get();
    let integers = audio(6, |value| (value * 32767.0) as i16);
    let floats = audio(6, |value| value);
    assert!(ALLOCATIONS.get() > seen, "allocations are counted");
    let engines = [
        (Engine::Tdhs, Style::Auto),
        (Engine::Adaptive, Style::Auto),
        (Engine::Adaptive, Style::Music),
    ];
    for (engine, style) in engines {
        for (ratio, gap_ratio) in [(0.7, 0.0), (1.5, 0.5), (1.0, 0.6), (3.0, 0.0), (0.3, 1.0)] {
            for time_map in [false, true] {
                let options = StretchOptions {
                    engine,
                    style,
                    ratio,
                    gap_ratio,
                    ..StretchOptions::default()
                };
                let found = (
                    allocations_once_warm(&options, time_map, &integers),
                    allocations_once_warm(&options, time_map, &floats),
                );
                assert_eq!(
                    found,
                    (0, 0),
                    "{engine:?}, ratio {ratio}, gap ratio {gap_ratio}"
                );
            }
        }
    }
}

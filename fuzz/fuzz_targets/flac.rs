#![no_main]

libfuzzer_sys::fuzz_target!(init: audiostretchy_fuzz::let_others_panic(), |data: &[u8]| {
    audiostretchy_fuzz::targets::flac(data);
});

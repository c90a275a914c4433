//! Tests of the engine: its output against the reference, its streaming interface, and where its
//! unsafe code is.

mod adaptive;
mod exact_length;
mod pauses;
mod reference;
mod sound;
mod sources;
mod streaming;
mod unsafe_code;

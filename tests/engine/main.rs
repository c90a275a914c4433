//! The engine: its output against the reference, its memory of positions, and its unsafe code.

mod reference;
mod streaming;
mod unsafe_code;

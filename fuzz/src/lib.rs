//! Fuzzing audiostretchy. The targets are in a module of their own because the crate's tests run
//! them too, over the same corpora.

pub mod targets;

/// Makes a panic end the fuzzing only if it is one of ours, or is not caught: a decoder of others
/// may panic, which the library has to make that file's error.
pub fn let_others_panic() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let is_ours = (info.location()).is_none_or(|place| !place.file().contains("/registry/"));
        if is_ours {
            fatal(info);
        }
    }));
}

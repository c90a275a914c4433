//! Fuzzing of audiostretchy. The targets are in their own module because the tests also run them on
//! the same corpora.

pub mod targets;

/// Lets a panic end the fuzzing only if it is in our own code or is not caught. The decoders of
/// dependencies may panic; the library has to turn that into an error of the file.
pub fn let_others_panic() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let is_ours = (info.location()).is_none_or(|place| !place.file().contains("/registry/"));
        if is_ours {
            fatal(info);
        }
    }));
}

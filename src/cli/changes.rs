//! Whether a command line asks for anything: audio that is only decoded and encoded again at its
//! own speed is not what anybody wants.

use std::path::{Path, PathBuf};

use audiostretchy::batch::PlanRequest;
use audiostretchy::preset::{Entry, Resolved, Source, Value};
use audiostretchy::{Format, Warning};

use super::args::{ConvertArgs, FileArgs, SettingsArgs};
use super::text;

/// The settings that only tell how the audio is changed.
const MANNERS: [&str; 10] = [
    "exact_length",
    "upper_freq",
    "lower_freq",
    "buffer_ms",
    "threshold_gap_db",
    "double_range",
    "fast_detection",
    "normal_detection",
    "dither",
    "encoder_effort",
];

/// What is asked for makes no sense. Nothing has been written.
#[derive(Debug, thiserror::Error)]
pub(super) enum UselessError {
    #[error("nothing would change; give --speed, a preset with a speed, or --format")]
    Nothing,
    #[error(
        "{option} is for {} formats, and {} is {}; leave it out or choose another output",
        if *is_lossy { "lossy" } else { "lossless" },
        text::path(output),
        format.name()
    )]
    Unfit {
        option: &'static str,
        is_lossy: bool,
        output: PathBuf,
        format: Format,
    },
}

/// Checks that a run changes something, and that a single output can be as asked for.
pub(super) fn check(
    args: &ConvertArgs,
    resolved: &Resolved,
    request: &PlanRequest,
) -> Result<(), UselessError> {
    if let Some(format) = request.single_format() {
        check_fit(&args.settings, format, &request.output)?;
    }
    check_settings(&args.files, resolved, is_conversion(request))
}

/// Returns whether a single output has another format than its input, by their names.
pub(super) fn is_conversion(request: &PlanRequest) -> bool {
    match (request.single_format(), &request.inputs[..]) {
        (Some(format), [input]) => kept_format(input) != Some(format),
        _ => false,
    }
}

/// As [`check`], where the output may have another format than the input by its name alone.
pub(super) fn check_settings(
    args: &FileArgs,
    resolved: &Resolved,
    converts: bool,
) -> Result<(), UselessError> {
    match converts
        || args.no_tags
        || args.durations.is_some()
        || args.split.is_some()
        || resolved.entries.iter().any(is_change)
    {
        true => Ok(()),
        false => Err(UselessError::Nothing),
    }
}

/// Refuses options for formats of another kind than that of the one output.
pub(super) fn check_fit(
    args: &SettingsArgs,
    format: Format,
    output: &Path,
) -> Result<(), UselessError> {
    let is_depth = |depth: &String| depth != "keep";
    let (is_lossy, options) = match format.is_lossless() {
        true => (
            true,
            [
                ("--bitrate", args.bitrate.is_some()),
                ("--quality", args.quality.is_some()),
            ],
        ),
        false => (
            false,
            [
                ("--bit-depth", args.bit_depth.as_ref().is_some_and(is_depth)),
                ("--dither", args.dither),
            ],
        ),
    };
    match options.into_iter().find(|&(_, is_given)| is_given) {
        Some((option, _)) => Err(UselessError::Unfit {
            option,
            is_lossy,
            output: output.to_owned(),
            format,
        }),
        None => Ok(()),
    }
}

/// Warns if the command line gives the speed, a preset the ratio of pauses, and they come out slower
/// than the rest.
pub(super) fn slow_pauses(resolved: &Resolved) -> Option<Warning> {
    let is_from =
        |key, is: fn(&Source) -> bool| (resolved.entry(key)).is_some_and(|entry| is(&entry.source));
    let stretch = &resolved.settings.stretch;
    let is_slow = stretch.has_gap_ratio() && stretch.gap_ratio > stretch.ratio;
    let is_mixed = is_from("ratio", |source| {
        matches!(source, Source::CommandLine | Source::Project { .. })
    }) && is_from("gap_ratio", |source| {
        matches!(source, Source::Preset { .. })
    });
    (is_slow && is_mixed).then(|| {
        let message = format!(
            "pauses will be slower than the rest: the preset has gap_ratio {}; give --gap-ratio or \
             --gap-scale",
            stretch.gap_ratio
        );
        Warning::new("slow-pauses", message)
    })
}

/// Returns whether somebody has set it, and to something that changes audio by itself.
fn is_change(entry: &Entry) -> bool {
    let is_off = match &entry.value {
        None | Some(Value::Whole(0) | Value::Flag(false)) => true,
        Some(Value::Number(number)) => *number == 0.0,
        Some(Value::Text(name)) => name == "keep",
        Some(_) => false,
    };
    entry.source != Source::Default && !MANNERS.contains(&entry.key) && !is_off
}

fn kept_format(input: &Path) -> Option<Format> {
    Format::kept_from_extension(input.extension()?.to_str()?)
}

//! Options that a preset could hold as well, and the preset.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;

use crate::cli::values;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SettingsArgs {
    /// Output length / input length, 0.25 to 4 [default: 1]
    ///
    /// Below 1 speeds up: 0.5 is twice as fast. A ratio of 1 that is asked for only converts.
    #[arg(
        short,
        long,
        value_name = "R",
        help_heading = "Stretching",
        conflicts_with = "speed",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub ratio: Option<f64>,
    /// How many times as fast, 0.25 to 4: 1.5 for half as fast again
    ///
    /// The same as a ratio of 1/X.
    #[arg(
        long,
        value_name = "X",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub speed: Option<f64>,
    /// Length of each output: 5.6 (seconds), 1:30, 1h2m
    ///
    /// To the frame: each file gets the ratio that it needs, from 0.25 to 4.
    #[arg(
        long,
        value_name = "LENGTH",
        help_heading = "Stretching",
        conflicts_with_all = ["ratio", "speed"],
        allow_negative_numbers = true,
        value_parser = values::seconds
    )]
    pub duration: Option<f64>,
    /// Make outputs as long as the ratio says, to the frame
    ///
    /// Without it, `tdhs` ends up to a few periods of the lowest pitch earlier or later.
    #[arg(long, alias = "exact_length", help_heading = "Stretching")]
    pub exact_length: bool,
    /// Ratio for pauses: 0.3 makes one of 1 s last 0.3 s [default: 0]
    ///
    /// A pause is what stays at or below --threshold-gap-db for three blocks of --buffer-ms or
    /// more. Its ratio is that of its own length, whatever --ratio or --speed is for the rest; 0
    /// treats pauses as the rest.
    #[arg(
        short,
        long,
        alias = "gap_ratio",
        value_name = "R",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub gap_ratio: Option<f64>,
    /// Ratio for pauses as a multiple of the rest's, 0.1 to 1
    ///
    /// With 0.5, pauses go twice as fast as speech, whatever its speed; but they keep at least a
    /// quarter of their length.
    #[arg(
        long,
        alias = "gap_scale",
        value_name = "X",
        help_heading = "Stretching",
        conflicts_with = "gap_ratio",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub gap_scale: Option<f64>,
    /// Make no pause longer than this, 0.1 to 10 seconds
    ///
    /// The middle of longer ones is left out; their beginnings and ends stay. A soft word at the
    /// threshold is no pause. With --ratio 1, only pauses are shortened.
    #[arg(
        long,
        alias = "max_pause",
        value_name = "SECONDS",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::seconds
    )]
    pub max_pause: Option<f64>,
    /// How to stretch: tdhs or adaptive [default: tdhs]
    ///
    /// `tdhs` is made for speech, and fast. `adaptive` is made for anything: it works in the time
    /// domain or in the frequency domain, whichever suits the sound.
    #[arg(long, value_name = "NAME", help_heading = "Stretching", value_parser = PossibleValuesParser::new(values::engines()), hide_possible_values = true)]
    pub engine: Option<String>,
    /// Kind of sound, for adaptive: auto, speech, music [default: auto]
    ///
    /// `auto` decides from moment to moment; `speech` stays in the time domain, `music` in the
    /// frequency domain.
    #[arg(long, value_name = "NAME", help_heading = "Stretching", value_parser = PossibleValuesParser::new(values::styles()), hide_possible_values = true)]
    pub style: Option<String>,
    /// Upper end of the pitch search [default: 333]
    #[arg(
        short,
        long,
        alias = "upper_freq",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::whole_number
    )]
    pub upper_freq: Option<i64>,
    /// Lower end of the pitch search; higher is faster [default: 55]
    #[arg(
        short,
        long,
        alias = "lower_freq",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::whole_number
    )]
    pub lower_freq: Option<i64>,
    /// Block length of the search for pauses [default: 25]
    #[arg(
        short,
        long,
        alias = "buffer_ms",
        value_name = "MS",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub buffer_ms: Option<f64>,
    /// Level at or below which a block is a pause [default: -40]
    #[arg(
        short,
        long,
        alias = "threshold_gap_db",
        value_name = "DB",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub threshold_gap_db: Option<f64>,
    /// Use two stretchers in cascade even where one would do
    ///
    /// The output is the same; the option is there for those who know the Python package.
    #[arg(short, long, alias = "double_range", help_heading = "Stretching")]
    pub double_range: bool,
    /// Search at half the sample rate [default: from 32 kHz up]
    #[arg(
        short,
        long,
        alias = "fast_detection",
        help_heading = "Stretching",
        conflicts_with = "normal_detection"
    )]
    pub fast_detection: bool,
    /// Search at the full sample rate [default: below 32 kHz]
    #[arg(short, long, alias = "normal_detection", help_heading = "Stretching")]
    pub normal_detection: bool,
    /// Sample rate of the output; 0 keeps the input's [default: 0]
    #[arg(
        short,
        long,
        alias = "sample_rate",
        value_name = "HZ",
        help_heading = "Stretching",
        allow_negative_numbers = true,
        value_parser = values::sample_rate
    )]
    pub sample_rate: Option<i64>,
    /// Channels of the output: keep, mono or stereo [default: keep]
    ///
    /// `mono` is the mean of all but low-frequency effects. `stereo` mixes surround down without
    /// them (ITU-R BS.775).
    #[arg(long, value_name = "NAME", help_heading = "Stretching", value_parser = PossibleValuesParser::new(values::channels()), hide_possible_values = true)]
    pub channels: Option<String>,
    /// Start from a preset: a name or a TOML file
    ///
    /// `audiostretchy presets list` shows them. Options win over the preset.
    #[arg(short, long, value_name = "NAME|FILE", help_heading = "Stretching")]
    pub preset: Option<OsString>,
    /// A folder of presets that is looked into first
    #[arg(
        long,
        alias = "preset_dir",
        value_name = "DIR",
        help_heading = "Stretching"
    )]
    pub preset_dir: Option<PathBuf>,
    /// Format of the output, such as mp3 [default: keep]
    ///
    /// `keep` writes each file in its own format.
    #[arg(long, help_heading = "Output", value_parser = PossibleValuesParser::new(values::formats()))]
    pub format: Option<String>,
    /// Samples of lossless output: 16, 24 or 32f [default: keep]
    #[arg(long, alias = "bit_depth", help_heading = "Output", value_parser = PossibleValuesParser::new(values::bit_depths()))]
    pub bit_depth: Option<String>,
    /// Bit rate of lossy output [default: about the input's]
    #[arg(
        long,
        alias = "bitrate_kbps",
        value_name = "KBPS",
        help_heading = "Output",
        conflicts_with = "quality",
        allow_negative_numbers = true,
        value_parser = values::whole_number
    )]
    pub bitrate: Option<i64>,
    /// Quality of lossy output, 0 to 10 (best), at a variable bit rate
    #[arg(
        long,
        value_name = "Q",
        help_heading = "Output",
        allow_negative_numbers = true,
        value_parser = values::number
    )]
    pub quality: Option<f64>,
    /// Add a little noise where samples become 16 bits
    ///
    /// Quiet sounds do not distort then.
    #[arg(long, help_heading = "Output")]
    pub dither: bool,
    /// Time taken to encode MP3, FLAC and Opus: fast, default or best
    ///
    /// `fast` takes a fifth to a third less time, for a little more noise in MP3 and Opus and FLAC
    /// files about half a percent larger. `best` takes more, and FLAC files get a little smaller.
    #[arg(long, alias = "encoder_effort", value_name = "EFFORT", help_heading = "Output", value_parser = PossibleValuesParser::new(values::efforts()), hide_possible_values = true)]
    pub encoder_effort: Option<String>,
}

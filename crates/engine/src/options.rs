//! The engine's parameters: their names, defaults and ranges.

use std::fmt;
use std::ops::RangeInclusive;

/// Allowed values of [`StretchOptions::ratio`], and of a [`StretchOptions::gap_ratio`] that is
/// not 0.
pub const RATIO: RangeInclusive<f64> = 0.25..=4.0;
/// Allowed values of a [`StretchOptions::max_pause`] that is not 0, in seconds.
pub const MAX_PAUSE: RangeInclusive<f64> = 0.1..=10.0;
/// Allowed values of a [`StretchOptions::duration`] that is not 0, in seconds: up to a week.
pub const DURATION: RangeInclusive<f64> = 0.001..=604_800.0;
/// Allowed values of [`StretchOptions::buffer_ms`], in milliseconds.
pub const BUFFER_MS: RangeInclusive<f32> = 1.0..=100.0;
/// Allowed values of [`StretchOptions::threshold_gap_db`], in dB.
pub const THRESHOLD_GAP_DB: RangeInclusive<f32> = -70.0..=-10.0;
/// Supported sample rates, in Hz.
pub const SAMPLE_RATE: RangeInclusive<u32> = 8_000..=384_000;
/// The smallest [`StretchOptions::lower_freq`], in Hz.
pub const MIN_LOWER_FREQ: u32 = 20;
/// The smallest [`StretchOptions::upper_freq`], in Hz.
pub const MIN_UPPER_FREQ: u32 = 41;
/// Supported numbers of channels.
pub const CHANNELS: RangeInclusive<usize> = 1..=8;
/// Sample rate in Hz from which on fast detection is the default.
pub const FAST_DETECTION_RATE: u32 = 32_000;

/// How audio is stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Engine {
    /// Time-domain harmonic scaling, made for speech. On 16-bit audio, equal to the original engine
    /// to the last bit.
    #[default]
    Tdhs,
    /// Chooses between the time domain and the frequency domain, for any kind of sound. The output
    /// has exactly `ratio` times as many frames as the input, rounded.
    Adaptive,
}

impl Engine {
    /// All engines.
    pub const ALL: [Self; 2] = [Self::Tdhs, Self::Adaptive];

    /// Returns the name that options use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tdhs => "tdhs",
            Self::Adaptive => "adaptive",
        }
    }

    /// Returns a number that changes whenever the engine's output changes for the same input and
    /// options.
    pub fn version(self) -> u32 {
        match self {
            Self::Tdhs => 1,
            Self::Adaptive => 2,
        }
    }
}

/// What the adaptive engine takes the audio to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Style {
    /// Anything: the engine decides from moment to moment.
    #[default]
    Auto,
    /// Speech: always in the time domain.
    Speech,
    /// Polyphonic music: always in the frequency domain.
    Music,
}

impl Style {
    /// All styles.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Speech, Self::Music];

    /// Returns the name that options use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Speech => "speech",
            Self::Music => "music",
        }
    }
}

/// Options for stretching. Names and defaults are those of the AudioStretchy Python package.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct StretchOptions {
    /// The engine.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub engine: Engine,
    /// What the adaptive engine takes the audio to be.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub style: Style,
    /// Output length divided by input length, 0.25 to 4.0: above 1 slows down, below 1 speeds up.
    ///
    /// TDHS rounds it to `f32`, for the same results as the original engine.
    pub ratio: f64,
    /// The length of the output in seconds, or 0 for the one that `ratio` gives.
    ///
    /// It takes the place of `ratio`, once the length of the input is known: see
    /// [`for_input`](Self::for_input).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub duration: f64,
    /// Give the output exactly `ratio` times as many frames as the input has, rounded.
    ///
    /// TDHS leaves the end of its input unstretched, and ends anywhere within a period: up to twelve
    /// of the longest periods are left out, or put in, over the last 48 of them. The adaptive engine
    /// gives that length anyway.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub exact_length: bool,
    /// The ratio for silent gaps, 0.25 to 4.0, or 0 to use `ratio` for them too.
    pub gap_ratio: f64,
    /// The longest pause in the output in seconds, 0.1 to 10, or 0 for any length: the middle of
    /// longer ones is left out.
    ///
    /// A pause is a stretch at or below `threshold_gap_db` of which at least three blocks in a row
    /// are quieter than that by 3 dB.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub max_pause: f64,
    /// Upper end of the pitch search in Hz: above 40, below half the sample rate, at least twice
    /// `lower_freq`.
    pub upper_freq: u32,
    /// Lower end of the pitch search in Hz: 20 or more.
    pub lower_freq: u32,
    /// Block length of the gap detector in milliseconds, 1 to 100.
    pub buffer_ms: f32,
    /// Level in dB, -70 to -10, at or below which a block counts as silent.
    pub threshold_gap_db: f32,
    /// Use two stretchers in cascade even where one would do.
    pub double_range: bool,
    /// Search for the pitch at half the sample rate, for any sample rate.
    pub fast_detection: bool,
    /// Search for the pitch at the full sample rate, for any sample rate.
    pub normal_detection: bool,
}

impl Default for StretchOptions {
    fn default() -> Self {
        Self {
            engine: Engine::Tdhs,
            style: Style::Auto,
            ratio: 1.0,
            duration: 0.0,
            exact_length: false,
            gap_ratio: 0.0,
            max_pause: 0.0,
            upper_freq: 333,
            lower_freq: 55,
            buffer_ms: 25.0,
            threshold_gap_db: -40.0,
            double_range: false,
            fast_detection: false,
            normal_detection: false,
        }
    }
}

/// An invalid parameter, with its value and the allowed values.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionError {
    /// A value is out of range.
    OutOfRange {
        /// The parameter's name, in snake case.
        name: &'static str,
        /// The value given.
        value: String,
        /// The allowed values.
        allowed: String,
    },
    /// `fast_detection` and `normal_detection` are both on.
    BothDetections,
    /// A style is set, but the engine is not the adaptive one.
    StyleWithoutAdaptive(Style),
    /// The length of the output is set, and so is an option that shortens pauses, whose name is
    /// given.
    LengthAndPauses(&'static str),
    /// `duration` is set, and the length of the input is not known yet.
    DurationOfUnknown,
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange {
                name,
                value,
                allowed,
            } => write!(f, "{name} is {value}: it must be {allowed}"),
            Self::BothDetections => {
                f.write_str("fast_detection and normal_detection are both set: choose one of them")
            }
            Self::StyleWithoutAdaptive(style) => write!(
                f,
                "style is {}, but only the adaptive engine has styles: set engine to adaptive",
                style.name()
            ),
            Self::LengthAndPauses(name) => write!(
                f,
                "{name} lets pauses decide how long an output becomes: it cannot be set together \
                 with duration or exact_length"
            ),
            Self::DurationOfUnknown => f.write_str(
                "duration needs the length of the input: a stretcher takes the options that \
                 for_input returns",
            ),
        }
    }
}

impl std::error::Error for OptionError {}

impl OptionError {
    /// Creates the error for a parameter whose value is not allowed.
    pub fn out_of_range(
        name: &'static str,
        value: impl fmt::Display,
        allowed: impl Into<String>,
    ) -> Self {
        Self::OutOfRange {
            name,
            value: value.to_string(),
            allowed: allowed.into(),
        }
    }
}

#[cfg(feature = "serde")]
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn within<T: PartialOrd + fmt::Display>(
    name: &'static str,
    value: T,
    range: RangeInclusive<T>,
    note: &str,
) -> Result<(), OptionError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = range.into_inner();
    let allowed = format!("from {low} to {high}{note}");
    Err(OptionError::out_of_range(name, value, allowed))
}

impl StretchOptions {
    /// Returns the default options for a speed: 1.5 plays one and a half times as fast, a ratio of
    /// 1/1.5.
    ///
    /// ```
    /// use audiostretchy_engine::StretchOptions;
    ///
    /// let options = StretchOptions { gap_ratio: 0.5, ..StretchOptions::from_speed(1.25) };
    /// assert_eq!((options.ratio, options.speed()), (0.8, 1.25));
    /// ```
    pub fn from_speed(speed: f64) -> Self {
        Self {
            ratio: 1.0 / speed,
            ..Self::default()
        }
    }

    /// Returns how many times as fast the output plays: 1 / `ratio`.
    pub fn speed(&self) -> f64 {
        1.0 / self.ratio
    }

    /// Returns these options for an input of a length in frames, at a sample rate in Hz: with the
    /// `ratio` that makes it last `duration`, if that is set, and as they are otherwise.
    ///
    /// ```
    /// use audiostretchy_engine::StretchOptions;
    ///
    /// let options = StretchOptions { duration: 1.5, ..StretchOptions::default() };
    /// let options = options.for_input(44_100, 44_100)?;
    /// assert_eq!((options.ratio, options.exact_length), (1.5, true));
    /// # Ok::<(), audiostretchy_engine::OptionError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error that names the lengths that can be had if none of the ratios gives this one.
    pub fn for_input(&self, input_frames: u64, sample_rate: u32) -> Result<Self, OptionError> {
        if self.duration == 0.0 {
            return Ok(self.clone());
        }
        let rate = f64::from(sample_rate);
        let input = input_frames as f64;
        let wanted = (self.duration * rate).round();
        let (least, most) = ((RATIO.start() * input).ceil(), RATIO.end() * input);
        if input_frames == 0 || !(least..=most).contains(&wanted) {
            // Rounded so that they can be had.
            let from = (1000.0 * least / rate).ceil() / 1000.0;
            let to = (1000.0 * most / rate).floor() / 1000.0;
            let allowed = match input_frames {
                0 => "left out, for the input is empty".into(),
                _ => format!(
                    "from {from} to {to} s for an input of {:.3} s",
                    input / rate
                ),
            };
            let value = format!("{} s", self.duration);
            return Err(OptionError::out_of_range("duration", value, allowed));
        }
        Ok(Self {
            ratio: (wanted / input).clamp(*RATIO.start(), *RATIO.end()),
            duration: 0.0,
            exact_length: true,
            ..self.clone()
        })
    }

    /// Returns the length of the output in frames at `output_rate`, if it follows from that of the
    /// input, in frames at `input_rate` (rates in Hz): if `duration` or `exact_length` is set.
    pub fn exact_frames(
        &self,
        input_frames: u64,
        input_rate: u32,
        output_rate: u32,
    ) -> Option<u64> {
        let output_rate = f64::from(output_rate);
        if self.duration != 0.0 {
            return Some((self.duration * output_rate).round() as u64);
        }
        let frames = self.ratio * input_frames as f64;
        let frames = frames * output_rate / f64::from(input_rate);
        self.exact_length.then_some(frames.round() as u64)
    }

    /// Checks that a stretcher can begin without knowing the length of the input.
    pub(crate) fn check_ready(&self) -> Result<(), OptionError> {
        match self.duration == 0.0 {
            true => Ok(()),
            false => Err(OptionError::DurationOfUnknown),
        }
    }

    /// Checks everything that can be checked without knowing the audio.
    ///
    /// # Errors
    /// Returns an error that names the first parameter that is out of range, its value and the
    /// range.
    pub fn validate(&self) -> Result<(), OptionError> {
        within("ratio", self.ratio, RATIO, "")?;
        if self.gap_ratio != 0.0 {
            within("gap_ratio", self.gap_ratio, RATIO, ", or 0 for off")?;
        }
        if self.max_pause != 0.0 {
            within("max_pause", self.max_pause, MAX_PAUSE, " s, or 0 for off")?;
        }
        if self.duration != 0.0 {
            within("duration", self.duration, DURATION, " s, or 0 for off")?;
        }
        if self.duration != 0.0 || self.exact_length {
            let pauses = [("gap_ratio", self.gap_ratio), ("max_pause", self.max_pause)];
            if let Some((name, _)) = pauses.into_iter().find(|&(_, value)| value != 0.0) {
                return Err(OptionError::LengthAndPauses(name));
            }
        }
        if self.engine == Engine::Tdhs {
            self.validate_search()?;
        }
        within("buffer_ms", self.buffer_ms, BUFFER_MS, "")?;
        within(
            "threshold_gap_db",
            self.threshold_gap_db,
            THRESHOLD_GAP_DB,
            "",
        )?;
        if self.style != Style::Auto && self.engine != Engine::Adaptive {
            return Err(OptionError::StyleWithoutAdaptive(self.style));
        }
        Ok(())
    }

    /// Checks what only TDHS has: the range of its search.
    fn validate_search(&self) -> Result<(), OptionError> {
        if self.upper_freq < MIN_UPPER_FREQ {
            return Err(OptionError::out_of_range(
                "upper_freq",
                self.upper_freq,
                "above 40 Hz",
            ));
        }
        if self.lower_freq < MIN_LOWER_FREQ {
            return Err(OptionError::out_of_range(
                "lower_freq",
                self.lower_freq,
                "at least 20 Hz",
            ));
        }
        if u64::from(self.upper_freq) < 2 * u64::from(self.lower_freq) {
            return Err(OptionError::out_of_range(
                "upper_freq",
                self.upper_freq,
                format!("at least twice lower_freq, which is {} Hz", self.lower_freq),
            ));
        }
        if self.fast_detection && self.normal_detection {
            return Err(OptionError::BothDetections);
        }
        Ok(())
    }

    /// Checks the parameters together with the audio's sample rate in Hz and channel count.
    ///
    /// # Errors
    /// See [`validate`](Self::validate); also returns an error if the engine does not support that
    /// sample rate or channel count.
    pub fn validate_for(&self, sample_rate: u32, channels: usize) -> Result<(), OptionError> {
        self.validate()?;
        if !SAMPLE_RATE.contains(&sample_rate) {
            return Err(OptionError::out_of_range(
                "the input's sample rate",
                format!("{sample_rate} Hz"),
                "from 8000 to 384000 Hz",
            ));
        }
        if !CHANNELS.contains(&channels) {
            return Err(OptionError::out_of_range(
                "the input's channel count",
                channels,
                "from 1 to 8",
            ));
        }
        if self.engine == Engine::Tdhs && u64::from(self.upper_freq) * 2 >= u64::from(sample_rate) {
            return Err(OptionError::out_of_range(
                "upper_freq",
                self.upper_freq,
                format!(
                    "below {} Hz, half the input's sample rate",
                    sample_rate.div_ceil(2)
                ),
            ));
        }
        Ok(())
    }

    /// Returns these options with every option that has no effect set to its default, so that
    /// options that compare equal produce equal output.
    pub fn effective(&self) -> Self {
        let mut options = self.clone();
        if self.engine == Engine::Adaptive {
            let Self {
                upper_freq,
                lower_freq,
                fast_detection,
                normal_detection,
                ..
            } = Self::default();
            options.upper_freq = upper_freq;
            options.lower_freq = lower_freq;
            options.fast_detection = fast_detection;
            options.normal_detection = normal_detection;
        }
        if !self.has_gap_ratio() {
            options.gap_ratio = Self::default().gap_ratio;
        }
        if !self.finds_pauses() {
            let Self {
                buffer_ms,
                threshold_gap_db,
                ..
            } = Self::default();
            options.buffer_ms = buffer_ms;
            options.threshold_gap_db = threshold_gap_db;
        }
        if self.duration != 0.0 {
            options.ratio = Self::default().ratio;
        }
        options.double_range = options.uses_cascade();
        options
    }

    /// Returns whether gaps have a separate ratio.
    pub fn has_gap_ratio(&self) -> bool {
        self.gap_ratio != 0.0 && self.gap_ratio as f32 != self.ratio as f32
    }

    /// Returns whether pauses are told from the rest, for a ratio of their own or to be shortened.
    pub fn finds_pauses(&self) -> bool {
        self.has_gap_ratio() || self.max_pause != 0.0
    }

    /// Returns whether the pitch search runs at half rate for audio of this sample rate in Hz.
    pub fn uses_fast_detection(&self, sample_rate: u32) -> bool {
        self.fast_detection || (!self.normal_detection && sample_rate >= FAST_DETECTION_RATE)
    }

    /// Returns the shortest and longest period searched at this sample rate in Hz, in frames.
    pub fn periods(&self, sample_rate: u32) -> (usize, usize) {
        let shortest = (sample_rate / self.upper_freq) as usize;
        let longest = (sample_rate / self.lower_freq) as usize;
        if self.uses_fast_detection(sample_rate) {
            (shortest & !1, longest.next_multiple_of(2))
        } else {
            (shortest, longest)
        }
    }

    /// Returns whether TDHS uses two stretchers in cascade.
    pub fn uses_cascade(&self) -> bool {
        let is_single = |ratio: f64| (0.5..=2.0).contains(&(ratio as f32));
        self.engine == Engine::Tdhs
            && (self.double_range
                || !is_single(self.ratio)
                || (self.has_gap_ratio() && !is_single(self.gap_ratio)))
    }
}

//! The stretcher: one of the two engines, with an optional separate ratio for gaps.

use crate::adaptive::Adaptive;
use crate::exact_length::ExactLength;
use crate::gaps::GapDetector;
use crate::options::{Engine, OptionError, StretchOptions};
use crate::pauses::PauseCutter;
use crate::sample::EngineSample;
use crate::tdhs::Tdhs;
use crate::time_map::TimePoint;

/// A streaming stretcher: takes blocks of any size and returns blocks.
///
/// The output does not depend on how the input was split into blocks. Memory use is bounded, and
/// nothing is allocated per block once the buffers have grown to their working size.
///
/// ```
/// use audiostretchy_engine::{StretchOptions, Stretcher};
///
/// let options = StretchOptions { ratio: 0.5, ..StretchOptions::default() };
/// let mut stretcher = Stretcher::<i16>::new(&options, 44_100, 2)?;
/// let mut output = Vec::new();
/// for block in vec![0i16; 2 * 44_100].chunks(2 * 1000) {
///     stretcher.process(block, &mut output);
/// }
/// stretcher.finish(&mut output);
/// // Half as long, give or take a few periods of the lowest pitch.
/// assert!(output.len().abs_diff(2 * 22_050) < 2 * 4 * 802);
/// # Ok::<(), audiostretchy_engine::OptionError>(())
/// ```
pub struct Stretcher<T> {
    channels: usize,
    ratio: f64,
    gaps: Option<GapDetector<T>>,
    gap_ratio: f64,
    pauses: Option<PauseCutter<T>>,
    /// What is left of the input without the middle of long pauses.
    kept: Vec<T>,
    /// Gives the output the length that TDHS alone does not give it.
    exact: Option<ExactLength<T>>,
    /// New time points, if pauses are shortened or the length is exact.
    points: Vec<TimePoint>,
    engine: Chosen<T>,
}

/// The engine chosen by [`StretchOptions::engine`].
enum Chosen<T> {
    Tdhs(Box<Tdhs<T>>),
    Adaptive(Box<Adaptive>),
}

impl<T: Sample> Stretcher<T> {
    /// Creates a stretcher for audio of a sample rate in Hz and a number of channels.
    ///
    /// `options.sample_rate` is not used by the engine and is ignored.
    ///
    /// # Errors
    /// Returns an error that names the parameter that is out of range or does not fit the audio.
    pub fn new(
        options: &StretchOptions,
        sample_rate: u32,
        channels: usize,
    ) -> Result<Self, OptionError> {
        Self::build(options, sample_rate, channels, false)
    }

    /// Like [`new`](Self::new), but also records the time map, which
    /// [`drain_time_points`](Self::drain_time_points) returns.
    ///
    /// # Errors
    /// See [`new`](Self::new).
    pub fn with_time_map(
        options: &StretchOptions,
        sample_rate: u32,
        channels: usize,
    ) -> Result<Self, OptionError> {
        Self::build(options, sample_rate, channels, true)
    }

    fn build(
        options: &StretchOptions,
        sample_rate: u32,
        channels: usize,
        record: bool,
    ) -> Result<Self, OptionError> {
        options.validate_for(sample_rate, channels)?;
        options.check_ready()?;
        let engine = match options.engine {
            Engine::Tdhs => {
                let tdhs = Tdhs::new(options, sample_rate, channels, record);
                Chosen::Tdhs(Box::new(tdhs))
            }
            Engine::Adaptive => {
                let adaptive = Adaptive::new(options, sample_rate, channels, record);
                Chosen::Adaptive(Box::new(adaptive))
            }
        };
        Ok(Self {
            channels,
            ratio: options.ratio,
            gaps: options
                .has_gap_ratio()
                .then(|| GapDetector::new(channels, options, sample_rate)),
            gap_ratio: options.gap_ratio,
            pauses: PauseCutter::new(options, sample_rate, channels),
            kept: Vec::new(),
            exact: (options.exact_length && options.engine == Engine::Tdhs)
                .then(|| ExactLength::new(options, sample_rate, channels)),
            points: Vec::new(),
            engine,
        })
    }

    /// Consumes `input` and appends the output that is ready to `output`, both interleaved.
    ///
    /// # Panics
    /// Panics if `input` does not hold whole frames.
    pub fn process(&mut self, input: &[T], output: &mut Vec<T>) {
        assert!(
            input.len().is_multiple_of(self.channels),
            "blocks must hold whole frames of {} channels",
            self.channels
        );
        T::process(self, input, output);
    }

    /// Appends all remaining audio to `output`, and resets the stretcher for the next piece of
    /// audio.
    pub fn finish(&mut self, output: &mut Vec<T>) {
        T::finish(self, output);
    }

    /// Returns the number of input frames found to lie in gaps since the stretcher was created (0
    /// unless gaps have a separate ratio).
    pub fn gap_frames(&self) -> u64 {
        self.gaps.as_ref().map_or(0, GapDetector::gap_frames)
    }

    /// Returns the number of input frames left out of pauses since the stretcher was created.
    pub fn cut_frames(&self) -> u64 {
        self.pauses.as_ref().map_or(0, PauseCutter::cut_frames)
    }

    /// Returns the new points of the time map, in rising order: for every cut since the last call.
    ///
    /// Empty unless created by [`with_time_map`](Self::with_time_map).
    pub fn drain_time_points(&mut self) -> impl Iterator<Item = TimePoint> {
        let points = match self.pauses.is_some() || self.exact.is_some() {
            true => &mut self.points,
            false => self.engine.points(),
        };
        points.drain(..)
    }
}

/// A sample type: `i16`, or `f32` with full scale at 1.0. This trait is sealed.
pub trait Sample: sealed::Work {
    /// Returns the value with full scale at 1.0.
    fn to_f32(self) -> f32;
}

impl Sample for i16 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self.to_full_scale()
    }
}

impl Sample for f32 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self.to_full_scale()
    }
}

/// Returns the level in dB of the mean of the channels of interleaved samples; a full-scale sine
/// has 0 dB.
pub fn level_db<T: Sample>(samples: &[T], channels: usize) -> f64 {
    T::level_db(samples, channels)
}

mod sealed {
    use super::Stretcher;
    use crate::sample::EngineSample;

    /// The expensive operations. Implementing them for each concrete sample type compiles them in
    /// this crate, with its optimization level, instead of again in every crate that uses them.
    pub trait Work: EngineSample {
        fn process(stretcher: &mut Stretcher<Self>, input: &[Self], output: &mut Vec<Self>);
        fn finish(stretcher: &mut Stretcher<Self>, output: &mut Vec<Self>);
        fn level_db(samples: &[Self], channels: usize) -> f64;
    }

    macro_rules! work_on {
        ($sample:ty) => {
            impl Work for $sample {
                fn process(
                    stretcher: &mut Stretcher<Self>,
                    input: &[Self],
                    output: &mut Vec<Self>,
                ) {
                    stretcher.process_whole_frames(input, output);
                }

                fn finish(stretcher: &mut Stretcher<Self>, output: &mut Vec<Self>) {
                    stretcher.finish_piece(output);
                }

                fn level_db(samples: &[Self], channels: usize) -> f64 {
                    crate::gaps::level_db(samples, channels)
                }
            }
        };
    }
    work_on!(i16);
    work_on!(f32);
}

impl<T: EngineSample> Stretcher<T> {
    fn process_whole_frames(&mut self, input: &[T], output: &mut Vec<T>) {
        if let Some(exact) = &mut self.exact {
            exact.count(input.len() / self.channels);
            self.engine.process(input, self.ratio, exact.end());
            return exact.pass(self.engine.points(), output, &mut self.points);
        }
        let Some(pauses) = &mut self.pauses else {
            return self.process_kept(input, output);
        };
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        pauses.process(input, &mut kept);
        self.process_kept(&kept, output);
        self.kept = kept;
        self.map_points();
    }

    /// Turns new time points into those of the whole input.
    fn map_points(&mut self) {
        if let Some(pauses) = &mut self.pauses {
            for point in self.engine.points().drain(..) {
                pauses.map(point, &mut self.points);
            }
        }
    }

    /// Stretches what is left without the middle of pauses.
    fn process_kept(&mut self, input: &[T], output: &mut Vec<T>) {
        match &mut self.gaps {
            None => self.engine.process(input, self.ratio, output),
            Some(gaps) => gaps.process(input, |block, is_gap| {
                let ratio = if is_gap { self.gap_ratio } else { self.ratio };
                self.engine.process(block, ratio, output);
            }),
        }
    }

    fn finish_piece(&mut self, output: &mut Vec<T>) {
        if let Some(exact) = &mut self.exact {
            self.engine.finish(exact.end());
            return exact.finish(self.engine.points(), output, &mut self.points);
        }
        let Some(pauses) = &mut self.pauses else {
            return self.finish_kept(output);
        };
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        pauses.finish(&mut kept);
        self.process_kept(&kept, output);
        self.kept = kept;
        self.finish_kept(output);
        self.map_points();
        if let Some(pauses) = &mut self.pauses {
            pauses.reset();
        }
    }

    fn finish_kept(&mut self, output: &mut Vec<T>) {
        if let Some(gaps) = &mut self.gaps {
            gaps.finish(|block, is_gap| {
                let ratio = if is_gap { self.gap_ratio } else { self.ratio };
                self.engine.process(block, ratio, output);
            });
        }
        self.engine.finish(output);
    }
}

impl<T: EngineSample> Chosen<T> {
    fn process(&mut self, input: &[T], ratio: f64, output: &mut Vec<T>) {
        match self {
            Self::Tdhs(tdhs) => tdhs.process(input, ratio as f32, output),
            Self::Adaptive(adaptive) => adaptive.process(input, ratio, output),
        }
    }

    fn finish(&mut self, output: &mut Vec<T>) {
        match self {
            Self::Tdhs(tdhs) => tdhs.finish(output),
            Self::Adaptive(adaptive) => adaptive.finish(output),
        }
    }

    /// Returns the new points of the time map, if it is recorded; at the end of a piece of audio, the
    /// last is that end.
    fn points(&mut self) -> &mut Vec<TimePoint> {
        match self {
            Self::Tdhs(tdhs) => tdhs.points(),
            Self::Adaptive(adaptive) => adaptive.points(),
        }
    }
}

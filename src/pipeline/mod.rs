//! One file from end to end, block by block: decode, stretch, resample, encode.

mod ahead;
pub(crate) mod atomic_file;
pub(crate) mod estimate;
pub(crate) mod file;
pub(crate) mod file_state;
pub(crate) mod helpers;
pub(crate) mod keep;
pub(crate) mod lock;
pub(crate) mod parts;
pub(crate) mod paths;
pub(crate) mod picture;
mod positions;
mod sink;

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use audiostretchy_containers::input::{Input, InputError};
use audiostretchy_containers::warning::Warning;
use audiostretchy_engine::{Engine, OptionError, StretchOptions, Stretcher, TimePoint};
use audiostretchy_media::decode::{AudioInfo, Damage, DecodeError, DecodedSample, Decoder};
use audiostretchy_media::encode::{EncodeError, EncodeSpec, Encoded, Sink, Workers};
use audiostretchy_media::format::{Format, OutputOptions};
use audiostretchy_media::mix::Mix;
use audiostretchy_media::resample::ResampleError;
use audiostretchy_tags::sidecar::{LeftBehind, Sidecar};
use audiostretchy_tags::{Metadata, MovedPositions, rescale};

use ahead::Ahead;
use helpers::Helpers;
use keep::Keep;
use parts::{Part, Parts};
use picture::{Collector, Picture, PictureChapter};
use positions::Times;
use sink::OutputPath;

use crate::progress::Progress;

/// The most chapters that are named in a picture.
const MAX_PICTURE_CHAPTERS: usize = 100;

/// Why a file could not be stretched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The input cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A parameter does not fit the audio.
    #[error(transparent)]
    Options(#[from] OptionError),
    /// The output rate cannot be reached.
    #[error(transparent)]
    Resample(#[from] ResampleError),
    /// The output cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The input is lossless, and the format that its name stands for is not.
    #[error(
        "the file holds {codec}, which is lossless, and its format cannot be kept: {} would lose \
         quality; choose --format flac, or --format {} to have it so",
        named.name(),
        named.name()
    )]
    LosslessToLossy {
        /// The input's codec.
        codec: &'static str,
        /// The format that its name stands for.
        named: Format,
    },
    /// A chapter that was to become a file of its own has no audio.
    #[error(
        "chapter {0} begins behind the end of the audio, and cannot become a file; leave --split out"
    )]
    EmptyChapter(usize),
    /// The progress callback asked to stop.
    #[error("stopped before the end")]
    Cancelled,
}

impl From<InputError> for PipelineError {
    fn from(error: InputError) -> Self {
        Self::Decode(error.into())
    }
}

/// What became of a file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// What the input's header told.
    pub source: AudioInfo,
    /// Frames read from the input.
    pub input_frames: u64,
    /// How the output was encoded.
    pub spec: EncodeSpec,
    /// What was written, at `spec.sample_rate`, to all outputs together.
    pub encoded: Encoded,
    /// What was written to each output, where a file was split, and from which frame of the whole
    /// on.
    pub(crate) parts: Vec<(u64, Encoded)>,
    /// What was wrong with the input; told in `warnings` too.
    pub damage: Damage,
    /// Frames of the input found to lie in gaps.
    pub gap_frames: u64,
    /// Frames of the input left out of pauses.
    pub cut_frames: u64,
    /// Frames at the input's rate by which pauses became shorter, by being cut or by a ratio of their
    /// own; less than 0 if they became longer.
    pub pause_frames_saved: f64,
    /// Tags and chapters with their times moved, to be written into each output.
    pub(crate) metadata: Vec<Metadata>,
    /// Text files from beside the input.
    pub(crate) sidecars: Vec<Sidecar>,
    /// What became of each text file.
    pub(crate) sidecar_outcomes: Vec<SidecarOutcome>,
    /// Text files from beside the input that are not used.
    pub(crate) left_behind: Vec<LeftBehind>,
    /// Where the positions went that tags, chapters and text files tell.
    pub(crate) positions: MovedPositions,
    /// What a page draws of the file, if that was asked for.
    pub(crate) picture: Option<Picture>,
    /// A point for every cut, at the output's rate, if the time map was asked for.
    pub time_map: Option<Vec<TimePoint>>,
    /// Warnings: what did not go as requested.
    pub warnings: Vec<Warning>,
}

/// What became of a text file beside the input: where it was written, or why it was left behind.
#[derive(Debug, Clone)]
pub(crate) struct SidecarOutcome {
    pub(crate) input: PathBuf,
    pub(crate) result: Result<PathBuf, String>,
}

/// One input, opened, with everything decided about its output.
pub(crate) struct Pipeline {
    input: Input,
    decoder: Decoder,
    mix: Option<Mix>,
    stretch: StretchOptions,
    spec: EncodeSpec,
    metadata: Option<Metadata>,
    sidecars: Vec<Sidecar>,
    left_behind: Vec<LeftBehind>,
    /// Chapters that become files of their own; none where there is one output.
    parts: Vec<Part>,
    picture: bool,
    time_map: bool,
    helpers: Option<Arc<Helpers>>,
    warnings: Vec<Warning>,
}

impl Pipeline {
    /// Opens an input, which is read from its start, and decides how its output is encoded.
    ///
    /// # Errors
    /// Returns an error if the input cannot be read, a parameter does not fit it, or `format`
    /// cannot hold it.
    pub(crate) fn open(
        input: &Input,
        stretch: &StretchOptions,
        format: Format,
        output: &OutputOptions,
    ) -> Result<Self, PipelineError> {
        let decoder = Decoder::from_input(input)?;
        Self::of(input, decoder, stretch, format, output)
    }

    /// As [`of`](Self::of), with the output in the input's own format: the one that its name stands
    /// for, unless its content is Opus in a file named as Ogg.
    ///
    /// # Errors
    /// Returns the same errors as [`open`](Self::open), and where a lossless input would have to
    /// become lossy.
    pub(crate) fn of_to_keep(
        input: &Input,
        decoder: Decoder,
        stretch: &StretchOptions,
        named: Format,
        output: &OutputOptions,
    ) -> Result<Self, PipelineError> {
        let (format, warning) = kept_format(decoder.info(), named)?;
        let mut this = Self::of(input, decoder, stretch, format, output)?;
        this.warnings.extend(warning);
        Ok(this)
    }

    /// As [`open`](Self::open), with an input that is being decoded already, such as by
    /// [`Decoder::from_input_within`].
    ///
    /// # Errors
    /// Returns the same errors as [`open`](Self::open).
    pub(crate) fn of(
        input: &Input,
        decoder: Decoder,
        stretch: &StretchOptions,
        format: Format,
        output: &OutputOptions,
    ) -> Result<Self, PipelineError> {
        let source = decoder.info();
        let mix = Mix::new(source, output.channels);
        let heard = mix
            .as_ref()
            .map_or(Cow::Borrowed(source), |mix| Cow::Owned(mix.info(source)));
        stretch.validate_for(heard.sample_rate, heard.channels)?;
        output.validate()?;
        let (spec, warnings) = EncodeSpec::new(&heard, format, output)?;
        Ok(Self {
            input: input.reopen(),
            decoder,
            mix,
            stretch: stretch.clone(),
            spec,
            metadata: None,
            sidecars: Vec::new(),
            left_behind: Vec::new(),
            parts: Vec::new(),
            picture: false,
            time_map: false,
            helpers: None,
            warnings,
        })
    }

    /// Reads what is to be kept of the input beside its audio.
    ///
    /// What cannot be read is a warning.
    #[must_use]
    pub(crate) fn keeping(mut self, keep: Keep) -> Self {
        if keep.tags {
            let source = self.decoder.info();
            let (metadata, warnings) =
                Metadata::read(&self.input, source.container, source.sample_rate);
            self.metadata = Some(metadata);
            self.warnings.extend(warnings);
        }
        self.time_map = keep.time_map;
        self
    }

    /// Reads text files that lie beside the input and tell times.
    ///
    /// What cannot be understood is a warning.
    ///
    /// # Errors
    /// Returns an error if no more files can be opened at this moment.
    pub(crate) fn with_sidecars(mut self, paths: &[PathBuf]) -> Result<Self, PipelineError> {
        let (sidecars, left_behind) = Sidecar::read_all(paths).map_err(DecodeError::Io)?;
        self.sidecars = sidecars;
        let warnings = left_behind.iter().filter_map(LeftBehind::warning);
        self.warnings.extend(warnings);
        self.left_behind = left_behind;
        Ok(self)
    }

    /// Writes an output for each of some chapters, in their order; the first one begins where the
    /// audio does.
    #[must_use]
    pub(crate) fn split(mut self, parts: Vec<Part>) -> Self {
        self.parts = parts;
        self
    }

    /// Lets [`run`](Self::run) collect what a page draws of the file.
    #[must_use]
    pub(crate) fn with_picture(mut self, is_wanted: bool) -> Self {
        self.picture = is_wanted;
        self
    }

    /// Lets [`run`](Self::run) hand work to others.
    #[must_use]
    pub(crate) fn helped_by(mut self, helpers: Arc<Helpers>) -> Self {
        self.helpers = Some(helpers);
        self
    }

    /// What the input's header told.
    pub(crate) fn source(&self) -> &AudioInfo {
        self.decoder.info()
    }

    /// Returns the warnings that are known before [`run`](Self::run).
    pub(crate) fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Checks that the output can be as long as asked for, if the header tells the input's length.
    ///
    /// # Errors
    /// Returns an error that names the lengths that can be had.
    pub(crate) fn check_length(&self) -> Result<(), PipelineError> {
        let source = self.source();
        if let Some(frames) = source.frames {
            self.stretch.for_input(frames, source.sample_rate)?;
        }
        Ok(())
    }

    /// How the output will be encoded.
    pub(crate) fn spec(&self) -> &EncodeSpec {
        &self.spec
    }

    /// Lets [`run`](Self::run) take short parts from all over the file, for measurements.
    #[must_use]
    pub(crate) fn sampled(mut self) -> Self {
        self.decoder.start_sampling();
        self.stretch = at_about_its_ratio(&self.stretch, self.decoder.info());
        self
    }

    /// Returns whether the input's chapters are others than it is to be split at.
    pub(crate) fn has_other_parts(&self) -> bool {
        let chapters = self.metadata.as_ref().map(Metadata::chapters);
        !self.parts.is_empty()
            && chapters.is_some_and(|chapters| parts::of(chapters, self.source()) != self.parts)
    }

    /// Runs the whole file through, to a sink for each output; `progress` is called after every
    /// block.
    ///
    /// Everything happens on the calling thread; only a [`Session`](crate::batch::Session) lets
    /// workers with nothing else to do decode and encode.
    ///
    /// # Errors
    /// Returns an error if reading or writing fails, the input is changed meanwhile, or `progress`
    /// breaks.
    pub(crate) fn run(
        self,
        sinks: Vec<impl Sink>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, PipelineError> {
        let input = self.input.reopen();
        let result = self.run_to(sinks, progress);
        // Whatever else is wrong then.
        match input.is_changed() {
            true => Err(DecodeError::ChangedWhileRead.into()),
            false => result,
        }
    }

    fn run_to(
        self,
        sinks: Vec<impl Sink>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, PipelineError> {
        // The adaptive engine works on floats, which are limited, and counted, where they are encoded.
        if self.decoder.info().fits_16_bits() && self.stretch.engine == Engine::Tdhs {
            self.run_as::<i16, _>(sinks, progress)
        } else {
            self.run_as::<f32, _>(sinks, progress)
        }
    }

    /// Returns how an input of this one's length is stretched: all of it is decoded for that, for
    /// headers tell lengths that are about right at best.
    fn stretch_for_length(
        &self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<StretchOptions, PipelineError> {
        if self.stretch.duration == 0.0 {
            return Ok(self.stretch.clone());
        }
        let decoder = Decoder::from_input_within(&self.input, self.decoder.limits())?;
        let so_far = Progress {
            frames: 0,
            total: self.source().frames,
        };
        let frames = count_frames(decoder, || progress(so_far))?;
        Ok(self.stretch.for_input(frames, self.source().sample_rate)?)
    }

    fn run_as<T: DecodedSample, S: Sink>(
        self,
        sinks: Vec<S>,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, PipelineError> {
        let stretch = self.stretch_for_length(progress)?;
        let Self {
            input: _,
            decoder,
            mix,
            stretch: asked,
            spec,
            mut metadata,
            sidecars,
            left_behind,
            parts,
            picture,
            time_map,
            helpers,
            mut warnings,
        } = self;
        let source = decoder.info().clone();
        let workers = helpers.clone();
        let workers = workers.map(|helpers| helpers as Arc<dyn Workers>);
        let mut files = Parts::start(&spec, sinks, workers)?;
        let (input_rate, output_rate) = (source.sample_rate.into(), spec.sample_rate.into());
        let at_output_rate = |frames| rescale(frames, input_rate, output_rate);
        let starts = parts.iter().skip(1).map(|part| part.start).collect();
        let mut times = Times::wanted_by(metadata.as_mut(), &sidecars, starts, &source);
        times.whole = time_map.then(Vec::new);
        times.picture = picture.then(|| Collector::new(spec.channels));
        let mut chapters = Vec::new();
        if let (true, Some(metadata)) = (picture, &metadata) {
            chapters.extend_from_slice(metadata.chapters());
        }
        let make = match times.is_needed() {
            true => Stretcher::<T>::with_time_map,
            false => Stretcher::<T>::new,
        };
        let mut stretcher = make(&stretch, source.sample_rate, spec.channels)?;
        let mut output = OutputPath::new(source.sample_rate, &spec)?;
        let mut ahead = Ahead::<T>::new(decoder, mix, helpers);
        let (mut stretched, mut written) = (Vec::new(), 0);
        let mut first_frames = vec![0];
        loop {
            let batch = ahead.next()?;
            if let Some(picture) = &mut times.picture {
                picture.read(&batch.samples);
            }
            stretcher.process(&batch.samples, &mut stretched);
            if batch.is_last {
                stretcher.finish(&mut stretched);
            }
            times.advance(&mut stretcher);
            for start in times.next_starts().map(at_output_rate) {
                files.begin_at(start);
                first_frames.push(start);
            }
            // Of what comes after, nobody knows yet which file it belongs to.
            let ready = match parts.is_empty() || batch.is_last {
                true => stretched.len(),
                false => (times.known_frames() - written) as usize * spec.channels,
            };
            output.write(&stretched[..ready], &mut files)?;
            if let Some(picture) = &mut times.picture {
                picture.written(&stretched[..ready]);
            }
            stretched.drain(..ready);
            written += (ready / spec.channels) as u64;
            let so_far = Progress {
                frames: batch.frames,
                total: source.frames,
            };
            if progress(so_far).is_break() {
                return Err(PipelineError::Cancelled);
            }
            if batch.is_last {
                break;
            }
            ahead.recycle(batch);
        }
        let decoder = ahead.into_decoder();
        let exact = asked.exact_frames(decoder.frames(), source.sample_rate, spec.sample_rate);
        output.finish(exact, &mut files)?;
        let files = files.finish()?;
        if files.len() < parts.len() {
            return Err(PipelineError::EmptyChapter(files.len() + 1));
        }
        let encoded = Encoded {
            frames: files.iter().map(|file| file.frames).sum(),
            clipped_samples: files.iter().map(|file| file.clipped_samples).sum(),
        };

        let damage = decoder.damage();
        warnings.extend(damage.warnings(source.sample_rate));
        warnings.extend(encoded.clipping());
        let picture = times.picture.take();
        let mut picture = picture.map(|picture| picture.finish(source.sample_rate));
        let (positions, time_map) =
            times.finish(decoder.frames(), &source, encoded.frames, spec.sample_rate);
        if let Some(picture) = &mut picture {
            let seconds = |frames, rate: u32| frames as f64 / f64::from(rate);
            let chapters = chapters.into_iter().map(|chapter| PictureChapter {
                title: chapter.title,
                input_seconds: seconds(chapter.start, source.sample_rate),
                output_seconds: seconds(positions.output(chapter.start), spec.sample_rate),
            });
            picture.chapters = chapters.take(MAX_PICTURE_CHAPTERS).collect();
        }
        let mut metadata: Vec<Metadata> = match parts.is_empty() {
            true => metadata.into_iter().collect(),
            false => (metadata.iter())
                .flat_map(|whole| {
                    let titles = parts.iter().map(|part| &*part.title);
                    (1..)
                        .zip(titles)
                        .map(|(number, title)| whole.of_part(number, parts.len(), title))
                })
                .collect(),
        };
        let first_frames = first_frames.into_iter();
        let parts: Vec<(u64, Encoded)> = match parts.is_empty() {
            true => Vec::new(),
            false => first_frames.zip(files).collect(),
        };
        for (number, metadata) in metadata.iter_mut().enumerate() {
            let mut clock = parts::clock(&positions, parts.get(number));
            warnings.extend(metadata.visit(&mut clock, stretch.ratio));
        }
        Ok(Outcome {
            source,
            input_frames: decoder.frames(),
            spec,
            encoded,
            parts,
            damage,
            gap_frames: stretcher.gap_frames(),
            cut_frames: stretcher.cut_frames(),
            pause_frames_saved: stretcher.cut_frames() as f64
                + stretcher.gap_frames() as f64 * (1.0 - stretch.gap_ratio),
            metadata,
            sidecars,
            sidecar_outcomes: Vec::new(),
            left_behind,
            positions,
            picture,
            time_map,
            warnings,
        })
    }
}

/// Decodes all that is left to count its frames; `go_on` is asked after every block.
fn count_frames(
    mut decoder: Decoder,
    mut go_on: impl FnMut() -> ControlFlow<()>,
) -> Result<u64, PipelineError> {
    let mut block = Vec::<f32>::new();
    while decoder.next_block(&mut block)? {
        if go_on().is_break() {
            return Err(PipelineError::Cancelled);
        }
    }
    Ok(decoder.frames())
}

/// Returns options as they are for a whole file of the length that its header tells, made to fit
/// parts of it.
fn at_about_its_ratio(stretch: &StretchOptions, source: &AudioInfo) -> StretchOptions {
    let frames = source.frames.unwrap_or(0);
    let fitted = stretch.for_input(frames, source.sample_rate);
    StretchOptions {
        duration: 0.0,
        exact_length: false,
        ..fitted.unwrap_or_else(|_| stretch.clone())
    }
}

/// Returns the format in which a file is kept whose name stands for `named`: its content decides.
fn kept_format(
    source: &AudioInfo,
    named: Format,
) -> Result<(Format, Option<Warning>), PipelineError> {
    let codec = source.codec;
    if named.is_lossless() {
        return Ok((named, None));
    }
    if source.bits_per_sample.is_some() {
        return Err(PipelineError::LosslessToLossy { codec, named });
    }
    Ok(match (codec, named) {
        ("vorbis", Format::Ogg)
        | ("opus", Format::Opus)
        | ("mp3", Format::Mp3)
        | ("aac", Format::M4a | Format::M4b) => (named, None),
        // Files that end in .ogg may hold either.
        ("opus", Format::Ogg) => (Format::Opus, None),
        _ => (named, Some(codec_changed(codec, named))),
    })
}

/// Warns that the input's name stands for a format that is not its content's.
fn codec_changed(codec: &str, to: Format) -> Warning {
    let to = to.name();
    let message =
        format!("the input holds {codec}, which its name does not tell: converted to {to}");
    Warning::new("codec-changed", message)
}

//! Audio in memory: opened, stretched as often as wanted, saved.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use audiostretchy_containers::input::Input;
use audiostretchy_containers::limits::Limits;
use audiostretchy_containers::warning::Warning;
use audiostretchy_engine::options::{CHANNELS, SAMPLE_RATE};
use audiostretchy_engine::{
    Engine, OptionError, PositionMapper, Sample, StretchOptions, Stretcher, level_db,
};
use audiostretchy_media::decode::{AudioInfo, DecodeError, DecodedSample, Decoder};
use audiostretchy_media::encode::{EncodeSpec, Encoded};
use audiostretchy_media::format::{Format, OutputOptions};
use audiostretchy_media::mix::Mix;
use audiostretchy_media::resample::Resampler;
use audiostretchy_media::samples::Samples;
use audiostretchy_tags::{Clock, Metadata, MovedPositions, rescale};

use crate::batch::StopToken;
use crate::conversion::{format_of, guarded};
use crate::error::{End, Error};
use crate::pipeline::PipelineError;
use crate::pipeline::atomic_file::{PendingOutput, Replace};
use crate::pipeline::file::{self, FileError, copy};
use crate::pipeline::paths::is_same_file;

/// Frames worked on at a time.
const BLOCK_FRAMES: usize = 4096;

/// A piece of audio in memory, with its tags.
///
/// What is saved after one [`stretch`](Self::stretch) equals what
/// [`stretch_audio`](crate::stretch_audio) writes, byte for byte.
///
/// ```
/// use audiostretchy::{AudioStretch, Format, OutputOptions, StretchOptions};
///
/// let mut audio = AudioStretch::open("tests/data/recordings/stories/lighthouse.mp3")?;
/// let seconds = audio.seconds();
/// audio.stretch(&StretchOptions { ratio: 0.8, ..StretchOptions::default() })?;
/// audio.resample(16_000)?;
/// assert!((audio.seconds() / seconds - 0.8).abs() < 0.01);
///
/// let mut file = Vec::new();
/// let flac = OutputOptions { format: Some(Format::Flac), ..OutputOptions::default() };
/// audio.save_writer(&mut file, &flac)?;
/// assert_eq!(&file[..4], b"fLaC");
/// # Ok::<(), audiostretchy::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AudioStretch {
    /// Of the source, but with the rate, channels and length that the audio has now.
    info: AudioInfo,
    samples: Samples<'static>,
    metadata: Metadata,
    /// Where the positions are now that the tags tell.
    positions: MovedPositions,
    /// Output length divided by input length, of all stretches together.
    ratio: f64,
    /// The file it was read from.
    path: Option<PathBuf>,
    warnings: Vec<Warning>,
    stop: StopToken,
}

impl AudioStretch {
    /// Reads a whole file, of any format and with any extension or none: the content decides.
    ///
    /// # Errors
    /// Returns an error if it is not there, cannot be read, is not supported, or is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let input = Input::open(path).map_err(|error| Error::of_path(error, path))?;
        Self::open_input(&input)
    }

    /// Reads all of a reader from its very start, such as a file in memory.
    ///
    /// For a pipe, or to give a hint of the format, use [`open_input`](Self::open_input).
    ///
    /// # Errors
    /// Returns the same errors as [`open`](Self::open).
    pub fn open_reader(reader: impl Read + Seek + Send + 'static) -> Result<Self, Error> {
        let input = Input::from_reader(reader);
        let input = input.map_err(Error::from_reader)?;
        Self::open_input(&input)
    }

    /// Reads all of an input from its start.
    ///
    /// # Errors
    /// Returns the same errors as [`open`](Self::open).
    pub fn open_input(input: &Input) -> Result<Self, Error> {
        Self::open_input_within(input, &Limits::default())
    }

    /// As [`open_input`](Self::open_input), with limits on how long the audio may be, and until
    /// when it may be decoded.
    ///
    /// # Errors
    /// Returns the same errors as [`open`](Self::open), and where a limit is reached.
    pub fn open_input_within(input: &Input, limits: &Limits) -> Result<Self, Error> {
        Self::open_input_until(input, limits, StopToken::new())
    }

    /// As [`open_input_within`](Self::open_input_within), for a program whose user may break off: see
    /// [`set_stop`](Self::set_stop).
    ///
    /// # Errors
    /// Returns the same errors, and [`Error::Cancelled`] once `stop` was asked to.
    pub fn open_input_until(
        input: &Input,
        limits: &Limits,
        stop: StopToken,
    ) -> Result<Self, Error> {
        guarded(&End::of(input), &End::Writer, || {
            let decoder = Decoder::from_input_within(input, limits);
            let decoder = decoder.map_err(PipelineError::from)?;
            let info = decoder.info().clone();
            let mut this = match info.fits_16_bits() {
                true => Self::decode::<i16>(decoder, stop)?,
                false => Self::decode::<f32>(decoder, stop)?,
            };
            let (metadata, warnings) = Metadata::read(input, info.container, info.sample_rate);
            if input.is_changed() {
                return Err(PipelineError::from(DecodeError::ChangedWhileRead).into());
            }
            this.set_metadata(metadata);
            this.warnings.extend(warnings);
            this.path = input.path().map(Path::to_owned);
            Ok(this)
        })
    }

    fn decode<T: DecodedSample>(
        mut decoder: Decoder,
        stop: StopToken,
    ) -> Result<Self, PipelineError>
    where
        Samples<'static>: From<Vec<T>>,
    {
        let (mut samples, mut block) = (Vec::new(), Vec::new());
        while decoder.next_block::<T>(&mut block)? {
            samples.extend_from_slice(&block);
            go_on(&stop)?;
        }
        let warnings = decoder.damage().warnings(decoder.info().sample_rate);
        let mut this = Self::new(decoder.info().clone(), samples.into());
        this.warnings = warnings;
        this.stop = stop;
        Ok(this)
    }

    /// Audio made of interleaved samples, at a sample rate in Hz.
    ///
    /// It is saved as 16 bits or floating point, whichever the samples are.
    ///
    /// # Errors
    /// Returns an error if the sample rate is not from 8,000 to 384,000 Hz, there are not 1 to 8
    /// channels, or the samples are not whole frames.
    pub fn from_samples(
        samples: impl Into<Samples<'static>>,
        sample_rate: u32,
        channels: usize,
    ) -> Result<Self, Error> {
        let samples = samples.into();
        let (codec, bits) = match samples {
            Samples::Int16(_) => ("pcm_s16le", 16),
            _ => ("pcm_f32le", 32),
        };
        let info = AudioInfo {
            container: "memory",
            codec,
            sample_rate,
            channels,
            channel_mask: None,
            bits_per_sample: Some(bits),
            is_float: bits == 32,
            frames: None,
            bitrate_kbps: None,
        };
        let mut this = Self::new(info, Vec::<i16>::new().into());
        this.set_samples(samples, channels)?;
        this.set_sample_rate(sample_rate)?;
        this.positions.input_rate = sample_rate;
        this.positions.end.input = this.frames();
        Ok(this)
    }

    fn new(info: AudioInfo, samples: Samples<'static>) -> Self {
        let frames = (samples.len() / info.channels.max(1)) as u64;
        let mut positions = MovedPositions {
            input_rate: info.sample_rate,
            output_rate: info.sample_rate,
            ..MovedPositions::default()
        };
        positions.end.input = frames;
        positions.end.output = frames;
        Self {
            info: AudioInfo {
                frames: Some(frames),
                ..info
            },
            samples,
            metadata: Metadata::default(),
            positions,
            ratio: 1.0,
            path: None,
            warnings: Vec::new(),
            stop: StopToken::new(),
        }
    }

    fn set_metadata(&mut self, mut metadata: Metadata) {
        let mut clock = Clock::asking(self.info.sample_rate);
        metadata.visit(&mut clock, 1.0);
        // Sorted and unique.
        self.positions.points = PositionMapper::new(clock.into_positions()).finish();
        for point in &mut self.positions.points {
            point.output = point.input;
        }
        self.metadata = metadata;
    }

    /// Lets another thread break off: once `stop` is asked to, what is being done to the audio, and
    /// all that is begun then, returns [`Error::Cancelled`] and leaves the audio as it was.
    pub fn set_stop(&mut self, stop: StopToken) {
        self.stop = stop;
    }

    /// What the source's header told, with the sample rate, channels and length of the audio as it
    /// is now.
    pub fn info(&self) -> &AudioInfo {
        &self.info
    }

    /// Returns the samples, interleaved.
    pub fn samples(&self) -> Samples<'_> {
        self.samples.as_borrowed()
    }

    /// Returns the samples, interleaved, without a copy; the audio and its tags are given up.
    pub fn into_samples(self) -> Samples<'static> {
        self.samples
    }

    /// Sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.info.sample_rate
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.info.channels
    }

    /// Length in frames.
    pub fn frames(&self) -> u64 {
        (self.samples.len() / self.info.channels) as u64
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.info.sample_rate)
    }

    /// Returns warnings about the source: damage, and tags that could not be read.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Level over the whole length in dB, 0 being a sine at full scale; the channels are mixed
    /// first, as the gap detector does it. Negative infinity for silence.
    pub fn rms_level_db(&self) -> f64 {
        match &self.samples {
            Samples::Int16(samples) => level_db(samples, self.info.channels),
            samples => level_db(&samples.to_f32(), self.info.channels),
        }
    }

    /// Replaces the samples by others, interleaved; the sample rate and the tags stay.
    ///
    /// Chapters and the like stay where they are, or move to the end if that comes before.
    ///
    /// # Errors
    /// Returns an error if there are not 1 to 8 channels, or the samples are not whole frames.
    pub fn set_samples(
        &mut self,
        samples: impl Into<Samples<'static>>,
        channels: usize,
    ) -> Result<(), Error> {
        let samples = samples.into();
        if !CHANNELS.contains(&channels) {
            return Err(OptionError::out_of_range("channels", channels, "from 1 to 8").into());
        }
        if !samples.len().is_multiple_of(channels) {
            let allowed = format!("whole frames of {channels}");
            let name = "the number of samples";
            return Err(OptionError::out_of_range(name, samples.len(), allowed).into());
        }
        if channels != self.info.channels {
            self.info.channels = channels;
            self.info.channel_mask = None;
        }
        self.samples = samples;
        self.note_length();
        Ok(())
    }

    /// Says that the samples are of another rate in Hz: they are not converted, so that the audio
    /// becomes faster and higher, or slower and lower.
    ///
    /// # Errors
    /// Returns an error if the rate is not from 8,000 to 384,000 Hz.
    pub fn set_sample_rate(&mut self, sample_rate: u32) -> Result<(), Error> {
        check_rate(sample_rate)?;
        self.info.sample_rate = sample_rate;
        self.positions.output_rate = sample_rate;
        Ok(())
    }

    /// Stretches the audio, which may be done again and again.
    ///
    /// # Errors
    /// Returns an error if a parameter is out of range or does not fit the audio, which then stays
    /// as it is.
    pub fn stretch(&mut self, options: &StretchOptions) -> Result<(), Error> {
        let (rate, channels) = (self.info.sample_rate, self.info.channels);
        options.validate_for(rate, channels)?;
        let options = &options.for_input(self.frames(), rate)?;
        let outputs = self.positions.points.iter().map(|point| point.output);
        let mut mapper = PositionMapper::new(outputs.collect());
        let wanted = (!self.positions.points.is_empty()).then_some(&mut mapper);
        self.samples = match &self.samples {
            Samples::Int16(samples) if options.engine == Engine::Tdhs => {
                stretch(samples, options, rate, channels, wanted, &self.stop)?.into()
            }
            samples => {
                let samples = samples.to_f32();
                stretch(&samples, options, rate, channels, wanted, &self.stop)?.into()
            }
        };
        let moved = mapper.finish();
        for point in &mut self.positions.points {
            if let Ok(found) = moved.binary_search_by_key(&point.output, |moved| moved.input) {
                point.output = moved[found].output;
            }
        }
        self.ratio *= options.ratio;
        self.note_length();
        Ok(())
    }

    /// Converts the audio to another sample rate in Hz; pitch and speed stay. The samples are
    /// floating point afterwards, unless it has that rate already.
    ///
    /// # Errors
    /// Returns an error if the rate is not from 8,000 to 384,000 Hz.
    pub fn resample(&mut self, sample_rate: u32) -> Result<(), Error> {
        check_rate(sample_rate)?;
        let from = self.info.sample_rate;
        if from == sample_rate {
            return Ok(());
        }
        let mut resampler = Resampler::new(from, sample_rate, self.info.channels)
            .map_err(|error| self.failed(PipelineError::from(error).into(), &End::Writer))?;
        let mut output = Vec::new();
        for block in self.samples.chunks(BLOCK_FRAMES * self.info.channels) {
            resampler.process(&block.to_f32(), &mut output);
            if self.stop.is_stopped() {
                return Err(Error::Cancelled);
            }
        }
        resampler.finish(&mut output);
        self.samples = output.into();
        for point in &mut self.positions.points {
            point.output = rescale(point.output, from.into(), sample_rate.into());
        }
        self.info.sample_rate = sample_rate;
        self.positions.output_rate = sample_rate;
        self.note_length();
        Ok(())
    }

    /// Writes a file, in the format that `options` name or else its extension tells; it appears
    /// whole or not at all, and one of that name is replaced.
    ///
    /// Returns what was converted because the format cannot hold it.
    ///
    /// # Errors
    /// Returns an error if no format is known, it cannot hold the audio, or the file cannot be
    /// written or is the one that was opened.
    pub fn save(
        &self,
        path: impl AsRef<Path>,
        options: &OutputOptions,
    ) -> Result<Vec<Warning>, Error> {
        let path = path.as_ref();
        if (self.path.as_deref()).is_some_and(|input| is_same_file(input, path)) {
            let path = path.to_owned();
            return Err(Error::OutputIsInput { path });
        }
        self.save_in_place(path, options)
    }

    /// As [`save`](Self::save), to any file, also the one that was opened.
    ///
    /// # Errors
    /// Returns an error if no format is known, it cannot hold the audio, or the file cannot be
    /// written.
    pub fn save_in_place(
        &self,
        path: impl AsRef<Path>,
        options: &OutputOptions,
    ) -> Result<Vec<Warning>, Error> {
        let path = path.as_ref();
        let output = End::File(path.to_owned());
        let format = format_of(options, Some(path))?;
        let failed = |error| Error::of_output(error, output.clone());
        let source = self.path.as_deref().and_then(|path| path.metadata().ok());
        let pending = PendingOutput::create(path, source.as_ref()).map_err(failed)?;
        let warnings = self.write(pending.file(), format, options, &output)?;
        pending.finish(None).map_err(failed)?;
        pending.commit(Replace::Always).map_err(failed)?;
        Ok(warnings)
    }

    /// Writes a file to anything, such as memory or a pipe, in the format that `options` name.
    ///
    /// It is made in a temporary file first, for formats write lengths into their headers at the
    /// end, and nothing is written if it fails. Returns what was converted because the format
    /// cannot hold it.
    ///
    /// # Errors
    /// Returns an error if no format is named, it cannot hold the audio, or writing fails.
    pub fn save_writer(
        &self,
        mut writer: impl Write,
        options: &OutputOptions,
    ) -> Result<Vec<Warning>, Error> {
        let format = format_of(options, None)?;
        let failed = |error| Error::of_output(error, End::Writer);
        let mut file = tempfile::tempfile().map_err(failed)?;
        let warnings = self.write(&file, format, options, &End::Writer)?;
        copy(&mut file, &mut writer).map_err(failed)?;
        Ok(warnings)
    }

    fn write(
        &self,
        file: &File,
        format: Format,
        options: &OutputOptions,
        output: &End,
    ) -> Result<Vec<Warning>, Error> {
        options.validate()?;
        let mut audio = Cow::Borrowed(self);
        if let Some(mix) = Mix::new(&self.info, options.channels) {
            let audio = audio.to_mut();
            audio.samples = mix.apply_to(&self.samples);
            audio.info = mix.info(&self.info);
        }
        let spec = EncodeSpec::new(&audio.info, format, options);
        let (spec, mut warnings) = spec
            .map_err(PipelineError::from)
            .map_err(|error| self.failed(error.into(), output))?;
        if spec.sample_rate != self.info.sample_rate {
            audio.to_mut().resample(spec.sample_rate)?;
        }
        guarded(&self.origin(), output, || {
            let encoded = audio.encode(&spec, file)?;
            warnings.extend(encoded.clipping());
            let mut metadata = audio.metadata.clone();
            let mut positions = audio.positions.clone();
            positions.end.output = encoded.frames;
            for point in &mut positions.points {
                point.output = point.output.min(encoded.frames);
            }
            warnings.extend(metadata.visit(&mut Clock::moving(&positions), audio.ratio));
            warnings.extend(file::complete(file, Some(&metadata), &spec, &encoded)?);
            Ok(warnings)
        })
    }

    fn encode(&self, spec: &EncodeSpec, file: &File) -> Result<Encoded, PipelineError> {
        let mut encoder = spec.start(file)?;
        for block in self.samples.chunks(BLOCK_FRAMES * spec.channels) {
            encoder.write(block)?;
            go_on(&self.stop)?;
        }
        Ok(encoder.finish()?)
    }

    fn note_length(&mut self) {
        self.info.frames = Some(self.frames());
        self.positions.end.output = self.frames();
    }

    fn origin(&self) -> End {
        match &self.path {
            Some(path) => End::File(path.clone()),
            None => End::Reader,
        }
    }

    fn failed(&self, error: FileError, output: &End) -> Error {
        Error::new(error, &self.origin(), output)
    }
}

fn go_on(stop: &StopToken) -> Result<(), PipelineError> {
    match stop.is_stopped() {
        true => Err(PipelineError::Cancelled),
        false => Ok(()),
    }
}

fn check_rate(sample_rate: u32) -> Result<(), Error> {
    if SAMPLE_RATE.contains(&sample_rate) {
        return Ok(());
    }
    Err(OptionError::out_of_range("sample_rate", sample_rate, "from 8000 to 384000 Hz").into())
}

/// Stretches interleaved samples at a rate in Hz, until it is stopped; `mapper` is told where its
/// positions go.
fn stretch<T: Sample>(
    samples: &[T],
    options: &StretchOptions,
    rate: u32,
    channels: usize,
    mut mapper: Option<&mut PositionMapper>,
    stop: &StopToken,
) -> Result<Vec<T>, Error> {
    let mut stretcher = match mapper {
        Some(_) => Stretcher::with_time_map(options, rate, channels)?,
        None => Stretcher::new(options, rate, channels)?,
    };
    let mut output = Vec::new();
    let mut blocks = samples.chunks(BLOCK_FRAMES * channels);
    loop {
        let block = blocks.next();
        match block {
            Some(block) => stretcher.process(block, &mut output),
            None => stretcher.finish(&mut output),
        }
        if let Some(mapper) = &mut mapper {
            mapper.advance(stretcher.drain_time_points());
        }
        if block.is_none() {
            return Ok(output);
        }
        if stop.is_stopped() {
            return Err(Error::Cancelled);
        }
    }
}

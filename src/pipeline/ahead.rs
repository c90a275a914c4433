//! Decoding ahead of the stretcher, where workers have nothing else to do.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use audiostretchy_media::decode::{DecodeError, DecodedSample, Decoder};
use audiostretchy_media::mix::Mix;

use super::helpers::Helpers;

/// Frames that are decoded at a time, so that it pays to hand them to another thread.
const BATCH_FRAMES: u64 = 16_384;

/// A batch of decoded audio.
pub(super) struct Batch<T> {
    /// Interleaved.
    pub(super) samples: Vec<T>,
    /// Frames decoded up to its end.
    pub(super) frames: u64,
    /// Whether the input ends here.
    pub(super) is_last: bool,
}

/// A decoder and the batches that it fills.
struct Source<T> {
    decoder: Decoder,
    mix: Option<Mix>,
    batch: Batch<T>,
    block: Vec<T>,
}

/// What became of a batch: it was filled, or there was an error, or a panic.
type Filled<T> = Result<(Source<T>, Result<(), DecodeError>), Box<dyn Any + Send>>;

/// A decoder that works one batch ahead, if there is somebody to do that.
pub(super) struct Ahead<T> {
    /// Unless somebody else has it at present.
    source: Option<Source<T>>,
    coming: Option<Receiver<Filled<T>>>,
    helpers: Option<Arc<Helpers>>,
    /// The last batch's samples, to be filled again.
    spare: Vec<T>,
}

impl<T: DecodedSample> Source<T> {
    fn fill(&mut self) -> Result<(), DecodeError> {
        self.batch.samples.clear();
        let start = self.decoder.frames();
        while self.decoder.frames() - start < BATCH_FRAMES {
            if !self.decoder.next_block(&mut self.block)? {
                self.batch.is_last = true;
                break;
            }
            match &self.mix {
                Some(mix) => mix.apply(&self.block, &mut self.batch.samples),
                None => self.batch.samples.extend_from_slice(&self.block),
            }
        }
        self.batch.frames = self.decoder.frames();
        Ok(())
    }
}

impl<T: DecodedSample + 'static> Ahead<T> {
    pub(super) fn new(decoder: Decoder, mix: Option<Mix>, helpers: Option<Arc<Helpers>>) -> Self {
        let batch = Batch {
            samples: Vec::new(),
            frames: 0,
            is_last: false,
        };
        Self {
            source: Some(Source {
                decoder,
                mix,
                batch,
                block: Vec::new(),
            }),
            coming: None,
            helpers,
            spare: Vec::new(),
        }
    }

    /// Returns the next batch. After the last there is none.
    pub(super) fn next(&mut self) -> Result<Batch<T>, DecodeError> {
        let mut source = match self.coming.take() {
            Some(coming) => self.wait(&coming)?,
            None => {
                let mut source = self.source.take().expect("it is here or coming");
                source.fill()?;
                source
            }
        };
        let batch = Batch {
            samples: std::mem::replace(&mut source.batch.samples, std::mem::take(&mut self.spare)),
            ..source.batch
        };
        match &self.helpers {
            Some(helpers) if !batch.is_last && helpers.has_idle() => {
                let (sender, receiver) = channel();
                self.coming = Some(receiver);
                helpers.leave(Box::new(move || {
                    let filled = catch_unwind(AssertUnwindSafe(move || {
                        let result = source.fill();
                        (source, result)
                    }));
                    // Nobody waits for it if the file was given up.
                    let _ = sender.send(filled);
                }));
            }
            _ => self.source = Some(source),
        }
        Ok(batch)
    }

    /// Takes back a batch, to be filled again.
    pub(super) fn recycle(&mut self, batch: Batch<T>) {
        self.spare = batch.samples;
    }

    /// Waits for the batch that somebody fills, or fills it here if nobody has begun.
    fn wait(&self, coming: &Receiver<Filled<T>>) -> Result<Source<T>, DecodeError> {
        let helpers = self.helpers.as_ref().expect("somebody was asked");
        let filled = loop {
            if let Ok(filled) = coming.try_recv() {
                break filled;
            }
            if !helpers.run_soon() {
                break coming.recv().expect("it is being filled");
            }
        };
        match filled {
            Ok((source, result)) => result.map(|()| source),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Returns the decoder, after the last batch.
    pub(super) fn into_decoder(self) -> Decoder {
        self.source.expect("nothing comes after the last").decoder
    }
}

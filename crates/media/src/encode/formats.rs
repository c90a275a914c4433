//! Which format has which encoder: the only place that knows them all.

use super::encoder::{EncodeError, Encoder, Sink};
#[cfg(feature = "flac")]
use super::flac;
use super::limits::Limits;
#[cfg(feature = "aac")]
use super::m4a;
#[cfg(feature = "mp3")]
use super::mp3;
#[cfg(feature = "opus")]
use super::opus;
use super::spec::EncodeSpec;
#[cfg(feature = "vorbis")]
use super::vorbis;
use super::{aiff, wav};
use crate::format::Format;

/// What a format can hold.
///
/// # Errors
/// Where its encoder is not built in.
pub(super) fn limits_of(format: Format) -> Result<Limits, EncodeError> {
    Ok(match format {
        Format::Wav => wav::LIMITS,
        Format::Aiff => aiff::LIMITS,
        #[cfg(feature = "mp3")]
        Format::Mp3 => mp3::LIMITS,
        #[cfg(feature = "flac")]
        Format::Flac => flac::LIMITS,
        #[cfg(feature = "vorbis")]
        Format::Ogg => vorbis::LIMITS,
        #[cfg(feature = "opus")]
        Format::Opus => opus::LIMITS,
        #[cfg(feature = "aac")]
        Format::M4a | Format::M4b => m4a::LIMITS,
        #[allow(unreachable_patterns)] // Where all are built in.
        _ => return Err(EncodeError::NotBuiltIn { format }),
    })
}

impl EncodeSpec {
    /// Starts a file in `sink`, which the encoder buffers itself.
    ///
    /// # Errors
    /// Where the encoder refuses the specification or writing fails.
    pub fn start<'a>(&self, sink: impl Sink + 'a) -> Result<Box<dyn Encoder + 'a>, EncodeError> {
        self.validate()?;
        Ok(match self.format {
            Format::Wav => Box::new(wav::WavEncoder::new(self, sink)?),
            Format::Aiff => Box::new(aiff::AiffEncoder::new(self, sink)?),
            #[cfg(feature = "mp3")]
            Format::Mp3 => Box::new(mp3::Mp3Encoder::new(self, sink)?),
            #[cfg(feature = "flac")]
            Format::Flac => Box::new(flac::FlacEncoder::new(self, sink)?),
            #[cfg(feature = "vorbis")]
            Format::Ogg => Box::new(vorbis::VorbisEncoder::new(self, sink)?),
            #[cfg(feature = "opus")]
            Format::Opus => Box::new(opus::OpusEncoder::new(self, sink)?),
            #[cfg(feature = "aac")]
            Format::M4a | Format::M4b => Box::new(m4a::M4aEncoder::new(self, sink)?),
            #[allow(unreachable_patterns)] // Where all are built in.
            format => return Err(EncodeError::NotBuiltIn { format }),
        })
    }
}

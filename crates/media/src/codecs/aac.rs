//! An AAC decoder for Symphonia over `syom`, for what Symphonia's own AAC decoder cannot do:
//! HE-AAC (which it would play at half the rate, without the upper half of the spectrum), more
//! than two channels, and 960-sample frames.

use audiostretchy_containers::mpeg::AAC_SAMPLE_RATES;
use symphonia_core::audio::{
    AsGenericAudioBufferRef, Audio, AudioBuffer, AudioMut, AudioSpec, Channels,
    GenericAudioBufferRef, Position,
};
use symphonia_core::codecs::CodecInfo;
use symphonia_core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia_core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia_core::codecs::registry::{RegisterableAudioDecoder, SupportedAudioCodec};
use symphonia_core::errors::{Error, Result};
use symphonia_core::packet::PacketRef;
use symphonia_core::support_audio_codec;
use syom::{Channel, DecodeOptions, Decoder, Frame};

/// The most frames one packet holds: 1024, doubled by SBR.
const MAX_FRAMES: usize = 2048;

/// Core rates up to this one, in Hz, may carry SBR without a mention in the header.
const MAX_IMPLICIT_SBR_RATE: u32 = 24_000;

/// Makes a decoder: Symphonia's for plain AAC-LC, `syom` for the rest.
///
/// # Errors
/// Returns an error if neither knows the kind of AAC.
pub(crate) fn make_decoder(
    params: &AudioCodecParameters,
    options: &AudioDecoderOptions,
) -> Result<Box<dyn AudioDecoder>> {
    if is_plain(params) {
        symphonia::default::codecs::AacDecoder::try_registry_new(params, options)
    } else {
        Ok(Box::new(FullAacDecoder::try_new(params)?))
    }
}

fn is_plain(params: &AudioCodecParameters) -> bool {
    match params.extra_data.as_deref() {
        Some(config) => is_plain_config(config),
        None => {
            let channels = params.channels.as_ref().map_or(0, Channels::count);
            let rate = params.sample_rate.unwrap_or(0);
            rate > MAX_IMPLICIT_SBR_RATE && (1..=2).contains(&channels)
        }
    }
}

/// Returns whether an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) is AAC-LC of 1024 frames a
/// packet in one or two channels, without SBR said or suspected.
fn is_plain_config(config: &[u8]) -> bool {
    let [first, second, rest @ ..] = config else {
        return false;
    };
    let object_type = first >> 3;
    let rate_index = usize::from((first & 7) << 1 | second >> 7);
    let channels = (second >> 3) & 15;
    let flags = second & 7;
    // The extension that says "SBR" to those who know: sync word 0x2b7, object type 5, flag 1.
    let says_sbr = matches!(rest, [a, b, c, ..]
        if u16::from_be_bytes([*a, *b]) == 0x2b7 << 5 | 5 && c & 0x80 != 0);
    object_type == 2
        && AAC_SAMPLE_RATES
            .get(rate_index)
            .is_some_and(|&rate| rate > MAX_IMPLICIT_SBR_RATE)
        && (1..=2).contains(&channels)
        && flags == 0
        && !says_sbr
}

/// Returns the AudioSpecificConfig of an ADTS stream, whose headers Symphonia takes apart.
fn config_for(params: &AudioCodecParameters) -> Result<Box<[u8]>> {
    if let Some(config) = &params.extra_data {
        return Ok(config.clone());
    }
    let rate = params.sample_rate.unwrap_or(0);
    let rate_index = AAC_SAMPLE_RATES
        .iter()
        .position(|&known| known == rate)
        .ok_or(Error::Unsupported("aac: sample rate"))? as u8;
    // Configuration 0: the channels are given within the stream.
    let channels = match params.channels.as_ref().map_or(0, Channels::count) {
        8 => 7,
        count @ 0..=6 => count as u8,
        _ => return Err(Error::Unsupported("aac: number of channels")),
    };
    Ok(Box::new([
        2 << 3 | rate_index >> 1,
        rate_index << 7 | channels << 3,
    ]))
}

/// AAC-LC and HE-AAC, 1 to 8 channels in WAVE order.
struct FullAacDecoder {
    params: AudioCodecParameters,
    config: Box<[u8]>,
    decoder: Decoder,
    buffer: AudioBuffer<f32>,
}

impl FullAacDecoder {
    fn try_new(params: &AudioCodecParameters) -> Result<Self> {
        let config = config_for(params)?;
        let decoder = Decoder::from_asc(&config, DecodeOptions::unbounded())
            .map_err(|_| Error::Unsupported("aac: object type or configuration"))?;
        let mut params = params.clone();
        params.bits_per_sample = None;
        Ok(Self {
            params,
            config,
            decoder,
            buffer: AudioBuffer::new(AudioSpec::new(48_000, Channels::Discrete(1)), 0),
        })
    }
}

impl AudioDecoder for FullAacDecoder {
    fn reset(&mut self) {
        self.decoder.reset();
        // The same configuration was accepted when the decoder was made.
        let _ = self.decoder.set_asc(&self.config);
    }

    fn codec_info(&self) -> &CodecInfo {
        const CODEC: SupportedAudioCodec =
            support_audio_codec!(CODEC_ID_AAC, "aac", "Advanced Audio Coding");
        const { &CODEC.info }
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        let buffer = &mut self.buffer;
        buffer.clear();
        let result = self.decoder.decode_au(packet.data, |frame| {
            store(&frame, buffer);
            Ok(())
        });
        if result.is_err() {
            self.buffer.clear();
            // After an error it takes nothing more until it is reset.
            self.reset();
            return Err(Error::DecodeError("aac: damaged packet"));
        }
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}

/// Copies a decoded frame into the buffer, which takes on the frame's rate and channels.
fn store(frame: &Frame<'_>, buffer: &mut AudioBuffer<f32>) {
    let frames = frame.samples.min(MAX_FRAMES);
    let spec = AudioSpec::new(frame.sample_rate, channels(frame));
    if *buffer.spec() != spec || buffer.is_unused() {
        *buffer = AudioBuffer::new(spec, MAX_FRAMES);
    }
    buffer.render_silence(Some(frames));
    for (plane, source) in buffer.iter_planes_mut().zip(frame.planar) {
        for (sample, &value) in plane.iter_mut().zip(*source) {
            *sample = value;
        }
    }
}

/// Returns the speakers of a frame, if they are named and already in WAVE order; else numbered
/// channels.
fn channels(frame: &Frame<'_>) -> Channels {
    let positions: Vec<Position> = frame
        .meta
        .labels()
        .map(|label| match label {
            Channel::FrontLeft => Position::FRONT_LEFT,
            Channel::FrontRight => Position::FRONT_RIGHT,
            Channel::FrontCenter => Position::FRONT_CENTER,
            Channel::Lfe => Position::LFE1,
            Channel::BackLeft => Position::REAR_LEFT,
            Channel::BackRight => Position::REAR_RIGHT,
            Channel::BackCenter => Position::REAR_CENTER,
            Channel::SideLeft => Position::SIDE_LEFT,
            Channel::SideRight => Position::SIDE_RIGHT,
            _ => Position::empty(),
        })
        .collect();
    let ascending = positions
        .windows(2)
        .all(|pair| pair[0].bits() < pair[1].bits());
    let named = positions.first().is_some_and(|first| !first.is_empty());
    match frame.planar.len() {
        // Not named where parametric stereo made them out of one.
        2 => Channels::Positioned(Position::FRONT_LEFT | Position::FRONT_RIGHT),
        count if ascending && named && positions.len() == count => {
            Channels::Positioned(positions.into_iter().collect())
        }
        count => Channels::Discrete(count.min(syom::MAX_PLANES) as u16),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_stereo_lc_above_24_khz_is_left_to_symphonia() {
        assert!(is_plain_config(&[0x12, 0x10]), "LC, 44.1 kHz, stereo");
        assert!(
            is_plain_config(&[0x12, 0x10, 0x56, 0xe5, 0x00]),
            "LC that says: no SBR"
        );
        assert!(
            !is_plain_config(&[0x13, 0x90, 0x56, 0xe5, 0xa0]),
            "SBR by extension"
        );
        assert!(
            !is_plain_config(&[0x12, 0x10, 0x56, 0xe5, 0x80]),
            "SBR by extension, 44.1 kHz"
        );
        assert!(!is_plain_config(&[0x2b, 0x92, 0x08, 0x00]), "object type 5");
        assert!(!is_plain_config(&[0x13, 0x90]), "22.05 kHz: suspect");
        assert!(!is_plain_config(&[0x12, 0x30]), "5.1");
        assert!(!is_plain_config(&[0x12]), "cut short");
    }
}

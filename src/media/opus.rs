//! An Opus decoder for Symphonia, which has none of its own, over `opus-pure`.

use opus_pure::{ChannelLayout, MAX_PACKET_SAMPLES, OpusMSDecoder};
use symphonia_core::audio::{
    AsGenericAudioBufferRef, Audio, AudioBuffer, AudioMut, AudioSpec, Channels,
    GenericAudioBufferRef, Position,
};
use symphonia_core::codecs::CodecInfo;
use symphonia_core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia_core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia_core::codecs::registry::{RegisterableAudioDecoder, SupportedAudioCodec};
use symphonia_core::errors::{Error, Result};
use symphonia_core::packet::PacketRef;
use symphonia_core::support_audio_codec;

/// Opus always decodes to this rate here, whatever was encoded. In Hz.
const SAMPLE_RATE: u32 = 48_000;

/// For each output channel in WAVE order, the channel in Vorbis order (RFC 7845, 5.1.1.2) to take.
pub(crate) const VORBIS_TO_WAVE: [&[usize]; 8] = [
    &[0],
    &[0, 1],
    &[0, 2, 1],
    &[0, 1, 2, 3],
    &[0, 2, 1, 3, 4],
    &[0, 2, 1, 5, 3, 4],
    &[0, 2, 1, 6, 5, 3, 4],
    &[0, 2, 1, 7, 5, 6, 3, 4],
];

/// The identification header of an Opus stream (RFC 7845, section 5.1; Opus in ISOBMFF, 4.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpusHead {
    /// Number of channels, 1 to 8.
    pub channels: usize,
    /// Frames at 48 kHz to drop from the start.
    pub pre_skip: u16,
    /// Gain to apply, in 1/256 dB.
    output_gain: i16,
    mapping_family: u8,
    /// Streams, coupled streams, channel mapping; for family 0 it is implied.
    mapping: Option<Vec<u8>>,
}

impl OpusHead {
    /// Reads a header: little-endian from Ogg and Matroska, big-endian (version 0) from MP4.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let body = data.strip_prefix(b"OpusHead")?;
        if body.len() < 11 {
            return None;
        }
        let field = |at: usize| [body[at], body[at + 1]];
        let (pre_skip, output_gain) = match body[0] {
            0 => (u16::from_be_bytes(field(2)), i16::from_be_bytes(field(8))),
            _ => (u16::from_le_bytes(field(2)), i16::from_le_bytes(field(8))),
        };
        let channels = usize::from(body[1]);
        let mapping = match body[10] {
            0 => None,
            _ => Some(body.get(11..13 + channels)?.to_vec()),
        };
        (1..=8).contains(&channels).then_some(Self {
            channels,
            pre_skip,
            output_gain,
            mapping_family: body[10],
            mapping,
        })
    }

    /// The usual assignment of streams to channels, if this header asks for that one.
    fn is_usual_layout(&self) -> bool {
        let Ok(layout) = ChannelLayout::surround(self.channels, self.mapping_family) else {
            return false;
        };
        let usual = [layout.nb_streams as u8, layout.nb_coupled_streams as u8];
        self.mapping
            .as_ref()
            .is_none_or(|mapping| mapping[..2] == usual && mapping[2..] == layout.mapping[..])
    }
}

/// Decodes Opus packets at 48 kHz, channels in WAVE order, output gain applied.
///
/// Only the end trim that the demuxer found is applied; the pre-skip is left to the caller, since
/// each container has its own word for it.
pub(crate) struct OpusDecoder {
    params: AudioCodecParameters,
    decoder: OpusMSDecoder,
    /// Interleaved in Vorbis order.
    interleaved: Vec<f32>,
    buffer: AudioBuffer<f32>,
}

impl OpusDecoder {
    fn try_new(params: &AudioCodecParameters) -> Result<Self> {
        let head = params.extra_data.as_deref().and_then(OpusHead::parse);
        let head = head.ok_or(Error::DecodeError("opus: no valid identification header"))?;
        if !head.is_usual_layout() {
            return Err(Error::Unsupported("opus: unusual channel mapping"));
        }
        let mut decoder =
            OpusMSDecoder::new(SAMPLE_RATE as i32, head.channels, head.mapping_family)
                .map_err(|_| Error::Unsupported("opus: channel mapping family"))?;
        for stream in decoder.streams_mut() {
            stream.gain_q8 = head.output_gain.into();
        }
        let channels = vorbis_channels(head.channels);
        let mut params = params.clone();
        params
            .with_sample_rate(SAMPLE_RATE)
            .with_channels(channels.clone());
        // A field of some containers that means nothing for a lossy codec.
        params.bits_per_sample = None;
        Ok(Self {
            params,
            decoder,
            interleaved: vec![0.0; MAX_PACKET_SAMPLES * head.channels],
            buffer: AudioBuffer::new(AudioSpec::new(SAMPLE_RATE, channels), MAX_PACKET_SAMPLES),
        })
    }
}

impl AudioDecoder for OpusDecoder {
    fn reset(&mut self) {
        // It only fails for settings that were refused when the decoder was made.
        let _ = self.decoder.reset_state();
    }

    fn codec_info(&self) -> &CodecInfo {
        &Self::supported_codecs()[0].info
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.buffer.clear();
        // To opus-pure an empty packet means a lost one, for which it would make up audio.
        if packet.data.is_empty() {
            return Err(Error::DecodeError("opus: empty packet"));
        }
        let frames = self
            .decoder
            .decode(packet.data, MAX_PACKET_SAMPLES, &mut self.interleaved)
            .map_err(|_| Error::DecodeError("opus: damaged packet"))?
            .min(MAX_PACKET_SAMPLES);
        let channels = self.decoder.channels();
        self.buffer.render_silence(Some(frames));
        for (&from, plane) in VORBIS_TO_WAVE[channels - 1]
            .iter()
            .zip(self.buffer.iter_planes_mut())
        {
            let source = self.interleaved[from..].iter().step_by(channels);
            for (sample, &value) in plane.iter_mut().zip(source) {
                *sample = value;
            }
        }
        trim_to_packet(&mut self.buffer, packet);
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}

/// Cuts off the frames that a packet says are not to be heard, at most all there are.
pub(crate) fn trim_to_packet(buffer: &mut AudioBuffer<f32>, packet: &PacketRef<'_>) {
    let frames = buffer.frames();
    let trim = |by: u64| usize::try_from(by).unwrap_or(usize::MAX).min(frames);
    buffer.trim(trim(packet.trim_start.get()), trim(packet.trim_end.get()));
}

impl RegisterableAudioDecoder for OpusDecoder {
    fn try_registry_new(
        params: &AudioCodecParameters,
        _: &AudioDecoderOptions,
    ) -> Result<Box<dyn AudioDecoder>> {
        Ok(Box::new(Self::try_new(params)?))
    }

    fn supported_codecs() -> &'static [SupportedAudioCodec] {
        &[support_audio_codec!(CODEC_ID_OPUS, "opus", "Opus")]
    }
}

/// The speakers of the Vorbis channel orders (Vorbis I, section 4.3.9) for 1 to 8 channels.
pub(crate) fn vorbis_channels(count: usize) -> Channels {
    let front = Position::FRONT_LEFT | Position::FRONT_RIGHT;
    let three = front | Position::FRONT_CENTER;
    let rear = Position::REAR_LEFT | Position::REAR_RIGHT;
    let side = Position::SIDE_LEFT | Position::SIDE_RIGHT;
    let lfe = Position::LFE1;
    Channels::Positioned(match count {
        1 => Position::FRONT_CENTER,
        2 => front,
        3 => three,
        4 => front | rear,
        5 => three | rear,
        6 => three | lfe | rear,
        7 => three | lfe | Position::REAR_CENTER | side,
        _ => three | lfe | rear | side,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_little_endian_in_ogg_and_big_endian_in_mp4() {
        let ogg = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\xff\x00";
        let mp4 = b"OpusHead\x00\x02\x01\x38\x00\x00\xbb\x80\xff\x00\x00";
        for data in [&ogg[..], &mp4[..]] {
            let head = OpusHead::parse(data).unwrap();
            assert_eq!((head.channels, head.pre_skip), (2, 312));
            assert_eq!(head.output_gain, -256);
        }
    }

    #[test]
    fn a_short_or_foreign_header_is_refused() {
        assert_eq!(OpusHead::parse(b"OpusHead\x01\x02"), None);
        assert_eq!(OpusHead::parse(b"fLaC"), None);
        // Family 1 without its mapping table.
        let no_table = b"OpusHead\x01\x06\x38\x01\x80\xbb\x00\x00\x00\x00\x01";
        assert_eq!(OpusHead::parse(no_table), None);
    }
}

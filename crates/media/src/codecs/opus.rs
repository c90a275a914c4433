//! An Opus decoder for Symphonia, which has none of its own, over `opus-pure`.

use opus_pure::{MAX_PACKET_SAMPLES, OpusMSDecoder};
use symphonia_core::audio::{
    AsGenericAudioBufferRef, Audio, AudioBuffer, AudioMut, AudioSpec, GenericAudioBufferRef,
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

use super::opus_head::OpusHead;
use crate::channels::{vorbis_channels, vorbis_to_wave};

/// Opus always decodes to this rate here, whatever was encoded. In Hz.
const SAMPLE_RATE: u32 = 48_000;

/// Decodes Opus packets at 48 kHz, channels in WAVE order, output gain applied.
///
/// Only the end trim that the demuxer found is applied; the pre-skip is left to the caller, since
/// each container has its own word for it.
pub(crate) struct OpusDecoder {
    params: AudioCodecParameters,
    decoder: OpusMSDecoder,
    /// For each channel in WAVE order, the one in Vorbis order.
    order: Vec<usize>,
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
            order: vorbis_to_wave(head.channels),
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
        for (&from, plane) in self.order.iter().zip(self.buffer.iter_planes_mut()) {
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

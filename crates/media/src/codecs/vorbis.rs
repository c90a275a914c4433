//! A Vorbis decoder for Symphonia over `lewton`, for more than two channels.
//!
//! Symphonia 0.6 undoes the coupling of channels first step first, where it has to be last step
//! first (Vorbis I, section 4.3.5), and lets the partition classes of one channel run into those
//! of the next (section 8.6.2). Neither shows in mono or stereo; surround comes out garbled.

use lewton::audio::{PreviousWindowRight, read_audio_packet_generic};
use lewton::header::{IdentHeader, SetupHeader, read_header_ident, read_header_setup};
use symphonia_core::audio::{
    AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec, Channels, GenericAudioBufferRef,
};
use symphonia_core::codecs::CodecInfo;
use symphonia_core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia_core::codecs::audio::{
    AudioCodecParameters, AudioDecoder, AudioDecoderOptions, FinalizeResult,
};
use symphonia_core::codecs::registry::{RegisterableAudioDecoder, SupportedAudioCodec};
use symphonia_core::errors::{Error, Result};
use symphonia_core::packet::PacketRef;
use symphonia_core::support_audio_codec;

use super::opus::trim_to_packet;
use super::vorbis_setup;
use crate::channels::{vorbis_channels, vorbis_to_wave};

/// Size in bytes of the identification header, which the setup header follows in Symphonia's
/// decoder parameters.
const IDENTIFICATION_LEN: usize = 30;

/// The most frames a packet holds: half the longest block.
const MAX_FRAMES: usize = 4096;

/// Makes a decoder: Symphonia's for mono and stereo, `lewton` for more channels.
///
/// # Errors
/// Returns an error if the headers are damaged, ask for too much, or are of more than eight
/// channels.
pub(crate) fn make_decoder(
    params: &AudioCodecParameters,
    options: &AudioDecoderOptions,
) -> Result<Box<dyn AudioDecoder>> {
    let headers = params.extra_data.as_deref().unwrap_or_default();
    if !vorbis_setup::is_modest(headers.get(IDENTIFICATION_LEN..).unwrap_or_default()) {
        return Err(Error::LimitError(
            "vorbis: codebooks larger than any encoder writes",
        ));
    }
    if params.channels.as_ref().map_or(0, Channels::count) > 2 {
        Ok(Box::new(SurroundDecoder::try_new(params, options)?))
    } else {
        symphonia::default::codecs::VorbisDecoder::try_registry_new(params, options)
    }
}

/// Vorbis in up to eight channels, given out in WAVE order.
struct SurroundDecoder {
    params: AudioCodecParameters,
    options: AudioDecoderOptions,
    identification: IdentHeader,
    setup: SetupHeader,
    window: PreviousWindowRight,
    /// For each channel in WAVE order, the one in Vorbis order.
    order: Vec<usize>,
    buffer: AudioBuffer<f32>,
}

impl SurroundDecoder {
    fn try_new(params: &AudioCodecParameters, options: &AudioDecoderOptions) -> Result<Self> {
        let headers = params.extra_data.as_deref().unwrap_or_default();
        let (identification, setup) = headers
            .split_at_checked(IDENTIFICATION_LEN)
            .ok_or(Error::DecodeError("vorbis: headers missing"))?;
        let identification = read_header_ident(identification)
            .map_err(|_| Error::DecodeError("vorbis: damaged identification header"))?;
        let channels = identification.audio_channels;
        if !(1..=8).contains(&channels) {
            return Err(Error::Unsupported("vorbis: more than eight channels"));
        }
        let blocks = (identification.blocksize_0, identification.blocksize_1);
        let setup = read_header_setup(setup, channels, blocks)
            .map_err(|_| Error::DecodeError("vorbis: damaged setup header"))?;
        let spec = AudioSpec::new(
            identification.audio_sample_rate,
            vorbis_channels(channels.into()),
        );
        let mut params = params.clone();
        params.bits_per_sample = None;
        Ok(Self {
            params,
            options: *options,
            identification,
            setup,
            window: PreviousWindowRight::new(),
            order: vorbis_to_wave(channels.into()),
            buffer: AudioBuffer::new(spec, MAX_FRAMES),
        })
    }
}

impl AudioDecoder for SurroundDecoder {
    fn reset(&mut self) {
        self.window = PreviousWindowRight::new();
    }

    fn codec_info(&self) -> &CodecInfo {
        const CODEC: SupportedAudioCodec =
            support_audio_codec!(CODEC_ID_VORBIS, "vorbis", "Vorbis");
        const { &CODEC.info }
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.buffer.clear();
        let planes: Vec<Vec<f32>> = read_audio_packet_generic(
            &self.identification,
            &self.setup,
            packet.data,
            &mut self.window,
        )
        .map_err(|_| Error::DecodeError("vorbis: damaged packet"))?;
        let frames = planes.first().map_or(0, Vec::len).min(MAX_FRAMES);
        self.buffer.render_silence(Some(frames));
        for (&from, plane) in self.order.iter().zip(self.buffer.iter_planes_mut()) {
            for (sample, &value) in plane.iter_mut().zip(&planes[from]) {
                *sample = value;
            }
        }
        if self.options.gapless {
            trim_to_packet(&mut self.buffer, packet);
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

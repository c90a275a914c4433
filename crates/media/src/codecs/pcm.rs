//! A decoder of the usual PCM: 16 and 24-bit integers and 32-bit floats, little-endian.
//!
//! Symphonia's reads sample by sample, which takes longer than stretching does; here compilers find
//! vector code.

use symphonia_core::audio::sample::{Sample, i24};
use symphonia_core::audio::{
    AsGenericAudioBufferRef, Audio, AudioBuffer, AudioMut, AudioSpec, GenericAudioBufferRef,
};
use symphonia_core::codecs::CodecInfo;
use symphonia_core::codecs::audio::well_known::*;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, FinalizeResult};
use symphonia_core::errors::Result;
use symphonia_core::packet::PacketRef;

/// Takes the place of Symphonia's decoder if it is one of the usual PCM; gives back any other.
pub(crate) fn faster_decoder(symphonias: Box<dyn AudioDecoder>) -> Box<dyn AudioDecoder> {
    let params = symphonias.codec_params();
    // Samples that are narrower than they look are shifted: left to Symphonia.
    if params.bits_per_coded_sample.is_some() {
        return symphonias;
    }
    match params.codec {
        CODEC_ID_PCM_S16LE => Box::new(PcmDecoder::<i16, 2>::over(symphonias)),
        CODEC_ID_PCM_S24LE => Box::new(PcmDecoder::<i24, 3>::over(symphonias)),
        CODEC_ID_PCM_F32LE => Box::new(PcmDecoder::<f32, 4>::over(symphonias)),
        _ => symphonias,
    }
}

/// A sample as it is stored in `N` bytes.
trait Stored<const N: usize>: Sample + Send + Sync + 'static {
    fn from_bytes(bytes: [u8; N]) -> Self;
}

impl Stored<2> for i16 {
    fn from_bytes(bytes: [u8; 2]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl Stored<3> for i24 {
    fn from_bytes([low, middle, high]: [u8; 3]) -> Self {
        Self(i32::from_le_bytes([0, low, middle, high]) >> 8)
    }
}

impl Stored<4> for f32 {
    fn from_bytes(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

/// Takes over from Symphonia's decoder all but the decoding.
struct PcmDecoder<S: Sample, const N: usize> {
    symphonias: Box<dyn AudioDecoder>,
    buffer: AudioBuffer<S>,
}

impl<S: Stored<N>, const N: usize> PcmDecoder<S, N> {
    /// Over a decoder that was made for the same parameters.
    fn over(symphonias: Box<dyn AudioDecoder>) -> Self {
        let spec: AudioSpec = symphonias.last_decoded().spec().clone();
        Self {
            symphonias,
            buffer: AudioBuffer::new(spec, 0),
        }
    }
}

impl<S: Stored<N>, const N: usize> AudioDecoder for PcmDecoder<S, N>
where
    AudioBuffer<S>: AsGenericAudioBufferRef,
{
    fn reset(&mut self) {}

    fn codec_info(&self) -> &CodecInfo {
        self.symphonias.codec_info()
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        self.symphonias.codec_params()
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        let (samples, _) = packet.data.as_chunks::<N>();
        let channels = self.buffer.num_planes();
        let frames = samples.len() / channels;
        self.buffer.clear();
        self.buffer.grow_capacity(frames);
        self.buffer.render_uninit(Some(frames));
        let (pairs, _) = samples.as_chunks::<2>();
        match (channels, self.buffer.plane_pair_mut(0, 1)) {
            (2, Some((left, right))) => {
                for ((left, right), pair) in left.iter_mut().zip(right).zip(pairs) {
                    (*left, *right) = (S::from_bytes(pair[0]), S::from_bytes(pair[1]));
                }
            }
            _ => {
                for (channel, plane) in self.buffer.iter_planes_mut().enumerate() {
                    let frames = samples.chunks_exact(channels);
                    for (value, frame) in plane.iter_mut().zip(frames) {
                        *value = S::from_bytes(frame[channel]);
                    }
                }
            }
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

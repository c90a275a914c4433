//! Which decoder takes which codec, and what its parameters mean.

use std::sync::LazyLock;

use symphonia_core::audio::{Channels, Position};
use symphonia_core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known::*,
};
use symphonia_core::codecs::registry::CodecRegistry;
use symphonia_core::errors::Error as SymphoniaError;
use symphonia_core::formats::Track;
use symphonia_core::packet::Packet;

use super::error::DecodeError;
use crate::codecs::mp3::without_mixed_blocks;
use crate::codecs::opus::OpusDecoder;
use crate::codecs::{aac, pcm, vorbis};
use audiostretchy_containers::crc::crc16;
use audiostretchy_containers::limits;

static REGISTRY: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut registry = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut registry);
    registry.register_audio_decoder::<OpusDecoder>();
    registry
});

/// Makes the decoder for a track.
///
/// With `trim`, the decoder drops what the demuxer marked as encoder delay and padding.
pub(super) fn make_decoder(
    params: &AudioCodecParameters,
    trim: bool,
) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    let options = AudioDecoderOptions::default().verify(true).gapless(trim);
    match params.codec {
        CODEC_ID_AAC => aac::make_decoder(params, &options),
        CODEC_ID_VORBIS => vorbis::make_decoder(params, &options),
        _ => (REGISTRY.make_audio_decoder(params, &options)).map(pcm::faster_decoder),
    }
    .map_err(|_| DecodeError::UnsupportedCodec(format!("{} of this kind", name(params.codec))))
}

/// Returns the layer of MPEG audio that a packet is of, where it is another than the container
/// says: MP4 has one name for all of them.
pub(super) fn other_layer(codec: AudioCodecId, packet: &[u8]) -> Option<AudioCodecId> {
    const LAYERS: [AudioCodecId; 3] = [CODEC_ID_MP3, CODEC_ID_MP2, CODEC_ID_MP1];
    let [0xFF, second, ..] = packet else {
        return None;
    };
    let layer = usize::from(second >> 1 & 3).checked_sub(1)?;
    let found = LAYERS.get(layer).copied()?;
    (LAYERS.contains(&codec) && found != codec && second >> 5 == 7).then_some(found)
}

/// What people call a codec.
fn name(codec: AudioCodecId) -> &'static str {
    match codec {
        CODEC_ID_AAC => "AAC",
        CODEC_ID_ALAC => "Apple Lossless (ALAC)",
        CODEC_ID_FLAC => "FLAC",
        CODEC_ID_MP1 => "MP1",
        CODEC_ID_MP2 => "MP2",
        CODEC_ID_MP3 => "MP3",
        CODEC_ID_OPUS => "Opus",
        CODEC_ID_VORBIS => "Vorbis",
        _ => "audio",
    }
}

/// Decodes a packet; returns the number of frames.
///
/// FLAC frames end with a checksum, which Symphonia checks only in files of FLAC's own format: in
/// others, damage would be heard as noise. So would mixed blocks of MP3, which are silence.
pub(super) fn decode(
    decoder: &mut dyn AudioDecoder,
    packet: &Packet,
) -> Result<u64, SymphoniaError> {
    match decoder.codec_params().codec {
        CODEC_ID_FLAC if crc16(&packet.data) != 0 => {
            return Err(SymphoniaError::DecodeError("flac: checksum of a frame"));
        }
        CODEC_ID_MP3 => {
            if let Some(data) = without_mixed_blocks(&packet.data) {
                let mut packet = packet.clone();
                packet.data = data;
                return Ok(decoder.decode(&packet)?.frames() as u64);
            }
        }
        _ => {}
    }
    Ok(decoder.decode(packet)?.frames() as u64)
}

/// Returns whether a packet was decoded to silence because it cannot be decoded right.
pub(super) fn is_silenced(decoder: &dyn AudioDecoder, packet: &Packet) -> bool {
    let is_mp3 = decoder.codec_params().codec == CODEC_ID_MP3;
    is_mp3 && without_mixed_blocks(&packet.data).is_some()
}

/// Returns the parameters of a track, put right where Symphonia's demuxers leave them wrong.
///
/// `pcm` is the codec of PCM that Symphonia may take for another.
pub(super) fn audio_params(
    track: &Track,
    pcm: Option<AudioCodecId>,
) -> Result<AudioCodecParameters, DecodeError> {
    let params = track.codec_params.as_ref();
    let mut params = params
        .and_then(|params| params.audio())
        .ok_or(DecodeError::NoAudioTrack)?
        .clone();
    params.codec = pcm.unwrap_or(params.codec);
    if [CODEC_ID_PCM_ALAW, CODEC_ID_PCM_MULAW].contains(&params.codec) {
        // The decoded width; some demuxers give the coded one, and the decoder then refuses.
        params.bits_per_sample = Some(16);
        params.bits_per_coded_sample = None;
    }
    Ok(params)
}

/// Refuses what a decoder would make too large a buffer for.
pub(super) fn check(params: &AudioCodecParameters) -> Result<(), DecodeError> {
    // What is left open, such as rates above 65,535 Hz in MP4, is found in the first packet.
    let rate = params.sample_rate.unwrap_or(0).max(1);
    let channels = params.channels.as_ref().map_or(0, Channels::count).max(1);
    check_spec(rate, channels)?;
    let frames = params.max_frames_per_packet.unwrap_or(0);
    if frames.saturating_mul(channels as u64) > limits::MAX_PACKET_SAMPLES {
        return Err(DecodeError::PacketTooLarge { frames, channels });
    }
    Ok(())
}

/// Bits per sample of what was encoded; `None` for lossy codecs.
pub(super) fn bits_per_sample(
    params: &AudioCodecParameters,
    decoder: &dyn AudioDecoder,
) -> Option<u32> {
    match params.codec {
        CODEC_ID_MP1 | CODEC_ID_MP2 | CODEC_ID_MP3 | CODEC_ID_AAC | CODEC_ID_VORBIS
        | CODEC_ID_OPUS => None,
        CODEC_ID_ADPCM_MS | CODEC_ID_ADPCM_IMA_WAV | CODEC_ID_ADPCM_IMA_QT => Some(16),
        // In the sixth byte of its "magic cookie", which old files wrap in two atoms; the
        // containers say nothing, or zero.
        CODEC_ID_ALAC => {
            let cookie = params.extra_data.as_deref()?;
            let is_wrapped = cookie.get(4..8) == Some(b"frma");
            let depth = cookie.get(if is_wrapped { 24 + 5 } else { 5 })?;
            Some(u32::from(*depth)).filter(|bits| (1..=32).contains(bits))
        }
        CODEC_ID_PCM_F32LE | CODEC_ID_PCM_F32BE => Some(32),
        CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE => Some(64),
        _ => params
            .bits_per_sample
            .or(decoder.codec_params().bits_per_sample)
            .filter(|&bits| bits > 0),
    }
}

pub(super) fn is_float(codec: AudioCodecId) -> bool {
    [
        CODEC_ID_PCM_F32LE,
        CODEC_ID_PCM_F32BE,
        CODEC_ID_PCM_F64LE,
        CODEC_ID_PCM_F64BE,
    ]
    .contains(&codec)
}

/// Returns the WAVE channel mask of positioned channels: Symphonia's position bits are the same.
pub(super) fn channel_mask(channels: &Channels) -> Option<u32> {
    match channels {
        // Some demuxers call a single channel "front left".
        Channels::Positioned(positions) if positions.bits().count_ones() == 1 => {
            Some(Position::FRONT_CENTER.bits() as u32)
        }
        Channels::Positioned(positions) => u32::try_from(positions.bits()).ok(),
        _ => None,
    }
}

/// Refuses audio that no decoder is made for: buffers are as large as these say.
pub(super) fn check_spec(rate: u32, channels: usize) -> Result<(), DecodeError> {
    let is_possible = (1..=limits::MAX_SAMPLE_RATE).contains(&rate)
        && (1..=limits::MAX_CHANNELS).contains(&channels);
    match is_possible {
        true => Ok(()),
        false => Err(DecodeError::Impossible { channels, rate }),
    }
}

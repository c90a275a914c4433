//! The identification header of Opus streams.

use opus_pure::ChannelLayout;

/// The identification header of an Opus stream (RFC 7845, section 5.1; Opus in ISOBMFF, 4.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpusHead {
    /// Number of channels, 1 to 8.
    pub channels: usize,
    /// Frames at 48 kHz to drop from the start.
    pub pre_skip: u16,
    /// Gain to apply, in 1/256 dB.
    pub output_gain: i16,
    /// Which table of channel mappings is meant.
    pub mapping_family: u8,
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

    /// Returns the usual assignment of streams to channels, if this header asks for that one.
    pub(crate) fn is_usual_layout(&self) -> bool {
        let Ok(layout) = ChannelLayout::surround(self.channels, self.mapping_family) else {
            return false;
        };
        let usual = [layout.nb_streams as u8, layout.nb_coupled_streams as u8];
        self.mapping
            .as_ref()
            .is_none_or(|mapping| mapping[..2] == usual && mapping[2..] == layout.mapping[..])
    }
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

//! Formats that are known by name alone: what cannot be read should at least be called what it is.

/// First bytes, and what starts with them.
const NAMES: [(&[u8], &str); 24] = [
    (b"MAC ", "Monkey's Audio"),
    (b"wvpk", "WavPack"),
    (b"TTA1", "True Audio"),
    (b"TTA2", "True Audio"),
    (b"OFR ", "OptimFROG"),
    (b"MP+", "Musepack"),
    (b"MPCK", "Musepack"),
    (b"tBaK", "TAK"),
    (b"ajkg", "Shorten"),
    (b"LA04", "Lossless Audio"),
    (b"#!AMR", "AMR"),
    (b"#!SILK_V3", "SILK"),
    (b"DSD ", "DSD"),
    (b"FRM8", "DSD"),
    (b"DTSHDHDR", "DTS"),
    (b"\x7F\xFE\x80\x01", "DTS"),
    (b"\x0B\x77", "AC-3"),
    (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media"),
    (b".RMF", "RealMedia"),
    (b".ra\xFD", "RealAudio"),
    (b"MThd", "MIDI"),
    (b"FLV\x01", "Flash Video"),
    (b"\0\0\x01\xBA", "MPEG program stream"),
    (b"Creative Voice File", "Creative Voice"),
];

/// What a file is that starts with some bytes; `None` if it may be one that can be read.
pub(crate) fn name(start: &[u8]) -> Option<&'static str> {
    let known = NAMES.iter().find(|(magic, _)| start.starts_with(magic));
    known.map(|&(_, name)| name)
}

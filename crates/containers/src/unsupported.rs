//! What cannot be decoded and is recognised all the same, so that an error can name it: formats,
//! codecs within containers, and files that are no audio.

use crate::ogg_page::{self, PageHeader};

/// A file that is known by its first bytes and holds no audio that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Audio, or a container of it, that there is no decoder for.
    Format(&'static str),
    /// No audio at all.
    NotAudio(&'static str),
}

use Known::{Format, NotAudio};

/// Bytes of a file's start that are looked at.
pub const HEAD: usize = 8192;

/// Where in a file which bytes stand, and what it is then. Only what is long or odd enough not to
/// stand there by chance.
const MAGIC: &[(usize, &[u8], Known)] = &[
    (0, b"MAC ", Format("Monkey's Audio")),
    (0, b"MACF", Format("Monkey's Audio")),
    (0, b"wvpk", Format("WavPack")),
    (0, b"TTA1", Format("True Audio (TTA)")),
    (0, b"TTA2", Format("True Audio (TTA)")),
    (0, b"MPCK", Format("Musepack")),
    (0, b"MP+", Format("Musepack")),
    (0, b"OFR ", Format("OptimFROG")),
    (0, b"tBaK", Format("TAK")),
    (0, b"ajkg", Format("Shorten")),
    (0, b"TWIN97", Format("TwinVQ")),
    (0, b"TWIN00", Format("TwinVQ")),
    (0, b"LA04", Format("Lossless Audio (LA)")),
    (0, b"qoaf", Format("QOA")),
    (0, b"DSD ", Format("DSD (DSF)")),
    (0, b"FRM8", Format("DSD (DSDIFF)")),
    (0, b"#!AMR-WB", Format("AMR-WB")),
    (0, b"#!AMR", Format("AMR")),
    (0, b"#!iLBC", Format("iLBC")),
    (0, b"#!SILK", Format("SILK")),
    (1, b"#!SILK", Format("SILK")),
    (0, b"#!EVS", Format("EVS")),
    (0, b"\xC0\xDE\xC2", Format("Codec 2")),
    (0, &ASF, Format("Windows Media (ASF, WMA)")),
    (0, b".RMF", Format("RealMedia")),
    (0, b".ra\xFD", Format("RealAudio")),
    (0, b"\x7F\xFE\x80\x01", Format("DTS")),
    (0, b"\xFE\x7F\x01\x80", Format("DTS")),
    (0, b"\x1F\xFF\xE8\x00", Format("DTS")),
    (0, b"\xFF\x1F\x00\xE8", Format("DTS")),
    (0, b"\x64\x58\x20\x25", Format("DTS")),
    (0, b"DTSHDHDR", Format("DTS-HD")),
    (4, b"\xF8\x72\x6F\xBA", Format("Dolby TrueHD")),
    (4, b"\xF8\x72\x6F\xBB", Format("MLP")),
    (0, b"ADIF", Format("AAC (ADIF)")),
    (0, b"MThd", Format("MIDI, which holds notes and no sound")),
    (0, b"Extended Module: ", Format("a tracker module")),
    (0, b"IMPM", Format("a tracker module")),
    (44, b"SCRM", Format("a tracker module")),
    (1080, b"M.K.", Format("a tracker module")),
    (0, b"NIST_1A", Format("NIST SPHERE")),
    (
        0,
        b"Creative Voice File\x1A",
        Format("Creative Voice (VOC)"),
    ),
    (0, b"2BIT", Format("AVR")),
    (0, b"\x64\xA3\x01\x00", Format("IRCAM")),
    (0, b"\x64\xA3\x02\x00", Format("IRCAM")),
    (0, b"\x64\xA3\x03\x00", Format("IRCAM")),
    (0, b"\x64\xA3\x04\x00", Format("IRCAM")),
    (0, b".SoX", Format("sox's own format")),
    (0, b"XoS.", Format("sox's own format")),
    (0, b"STRM", Format("AST")),
    (0, b"nut/multimedia container", Format("NUT")),
    (0, b"FLV\x01", Format("Flash Video")),
    (0, b"FWS", Format("Flash")),
    (0, b"\x00\x00\x01\xBA", Format("MPEG program streams")),
    (0, b"%PDF-", NotAudio("a PDF document")),
    (0, b"PK\x03\x04", NotAudio("a ZIP archive; unpack it first")),
    (
        0,
        b"Rar!\x1A\x07",
        NotAudio("a RAR archive; unpack it first"),
    ),
    (
        0,
        b"7z\xBC\xAF\x27\x1C",
        NotAudio("a 7-Zip archive; unpack it first"),
    ),
    (
        0,
        b"\x1F\x8B\x08",
        NotAudio("a gzip archive; unpack it first"),
    ),
    (257, b"ustar", NotAudio("a tar archive; unpack it first")),
    (0, b"\x89PNG\r\n\x1A\n", NotAudio("a PNG picture")),
    (0, b"\xFF\xD8\xFF", NotAudio("a JPEG picture")),
    (0, b"GIF8", NotAudio("a GIF picture")),
    (0, b"\x7FELF", NotAudio("a program")),
    (0, b"SQLite format 3\0", NotAudio("a database")),
    (
        0,
        b"\x00\x05\x16\x07",
        NotAudio("a file of attributes that macOS puts beside others"),
    ),
    (
        0,
        b"version https://git-lfs.github.com/spec/",
        NotAudio("a Git LFS pointer; fetch the file itself with git lfs pull"),
    ),
];

const ASF: [u8; 16] = [
    0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C,
];

/// How text that has been given the name of an audio file starts, in lower case and behind spaces.
const TEXT: [(&str, &str); 8] = [
    ("<!doctype html", "a web page"),
    ("<html", "a web page"),
    ("<?xml", "an XML document"),
    ("#extm3u", "a playlist"),
    ("[playlist]", "a playlist"),
    ("webvtt", "subtitles"),
    ("{", "text, such as JSON"),
    ("[", "text, such as JSON"),
];

/// The first bytes of streams in Ogg.
const OGG: [(&[u8], &str); 9] = [
    (b"Speex   ", "Speex"),
    (b"CELT    ", "CELT"),
    (b"PCM     ", "PCM in Ogg"),
    (b"\x80theora", "Theora, which is video"),
    (b"OVP80", "VP8, which is video"),
    (b"BBCD", "Dirac, which is video"),
    (b"\x01video", "OGM video"),
    (b"\x80kate", "Kate, which is text"),
    (b"\x80midi", "MIDI, which holds notes and no sound"),
];

/// The first bytes of streams in Ogg that are decoded.
const OGG_DECODED: [&[u8]; 4] = [b"\x01vorbis", b"OpusHead", b"\x7FFLAC", b"fLaC"];

/// Codecs by the four letters that MP4, QuickTime, CAF and AIFF-C call them by.
const FOUR_LETTERS: [(&[u8; 4], &str); 36] = [
    (b"samr", "AMR"),
    (b"sawb", "AMR-WB"),
    (b"sawp", "AMR-WB+"),
    (b"ac-3", "AC-3"),
    (b"ec-3", "E-AC-3"),
    (b"ac-4", "AC-4"),
    (b"dtsc", "DTS"),
    (b"dtsh", "DTS-HD"),
    (b"dtsl", "DTS-HD"),
    (b"dtse", "DTS Express"),
    (b"dtsx", "DTS:X"),
    (b"mlpa", "Dolby TrueHD"),
    (b"mha1", "MPEG-H"),
    (b"mhm1", "MPEG-H"),
    (b"iamf", "IAMF"),
    (b"enca", "encrypted audio (DRM)"),
    (b"drms", "encrypted audio (DRM)"),
    (b"sqcp", "QCELP"),
    (b"Qclp", "QCELP"),
    (b"sevc", "EVRC"),
    (b"ssmv", "SMV"),
    (b"QDM2", "QDesign Music"),
    (b"QDMC", "QDesign Music"),
    (b"MAC3", "MACE"),
    (b"MAC6", "MACE"),
    (b"agsm", "GSM 6.10"),
    (b"ima4", "IMA ADPCM"),
    (b"ADP4", "DVI ADPCM"),
    (b"ilbc", "iLBC"),
    (b"spex", "Speex"),
    (b"WMA2", "Windows Media Audio"),
    (b"wma ", "Windows Media Audio"),
    (b"dvca", "DV audio"),
    (b"G722", "G.722"),
    (b"G726", "G.726"),
    (b"aach", "HE-AAC"),
];

/// Codecs by the number that WAV files call them by.
const WAVE_TAGS: [(u16, &str); 31] = [
    (0x0005, "IBM CVSD"),
    (0x0010, "OKI ADPCM"),
    (0x0014, "G.723 ADPCM"),
    (0x0017, "Dialogic ADPCM"),
    (0x0020, "Yamaha ADPCM"),
    (0x0022, "TrueSpeech"),
    (0x0031, "GSM 6.10"),
    (0x0040, "G.721 ADPCM"),
    (0x0042, "G.723.1"),
    (0x0045, "G.726 ADPCM"),
    (0x0050, "MP2 in WAV"),
    (0x0055, "MP3 in WAV"),
    (0x0064, "G.726 ADPCM"),
    (0x0065, "G.722 ADPCM"),
    (0x028F, "G.722 ADPCM"),
    (0x0083, "G.729"),
    (0x0092, "AC-3 in WAV"),
    (0x00FF, "AAC in WAV"),
    (0x0130, "ACELP"),
    (0x0160, "Windows Media Audio"),
    (0x0161, "Windows Media Audio"),
    (0x0162, "Windows Media Audio"),
    (0x0163, "Windows Media Audio"),
    (0x0270, "ATRAC3"),
    (0x1600, "AAC in WAV"),
    (0x2000, "AC-3 in WAV"),
    (0x2001, "DTS in WAV"),
    (0x5756, "WavPack in WAV"),
    (0x674F, "Vorbis in WAV"),
    (0xA109, "Speex in WAV"),
    (0xF1AC, "FLAC in WAV"),
];

/// Codecs by how their names in Matroska start.
const MATROSKA: [(&str, &str); 15] = [
    ("A_AC3", "AC-3"),
    ("A_EAC3", "E-AC-3"),
    ("A_AC4", "AC-4"),
    ("A_DTS", "DTS"),
    ("A_TRUEHD", "Dolby TrueHD"),
    ("A_MLP", "MLP"),
    ("A_WAVPACK4", "WavPack"),
    ("A_TTA1", "True Audio (TTA)"),
    ("A_MPC", "Musepack"),
    ("A_REAL", "RealAudio"),
    ("A_ATRAC", "ATRAC"),
    ("A_QUICKTIME", "a QuickTime codec"),
    ("A_MS/ACM", "a Windows codec"),
    ("A_AAC", "AAC of this kind"),
    ("A_PCM", "PCM of this kind"),
];

/// Codecs of `mp4a` entries by their object type (ISO/IEC 14496-1 and mp4ra.org).
const OBJECT_TYPES: [(u8, &str); 8] = [
    (0xA5, "AC-3"),
    (0xA6, "E-AC-3"),
    (0xA9, "DTS"),
    (0xAC, "DTS-HD"),
    (0xAD, "Opus in this form"),
    (0xDD, "Vorbis in MP4"),
    (0xE1, "QCELP"),
    (0xA0, "EVRC"),
];

/// Recognises a file by its first [`HEAD`] bytes, behind any tags.
pub fn recognise(head: &[u8]) -> Option<Known> {
    if head.starts_with(ogg_page::MAGIC) {
        return ogg(head).map(Format);
    }
    if head.starts_with(b"RIFF") || head.starts_with(b"RIFX") || head.starts_with(b"FORM") {
        return match head.get(8..12)? {
            b"AVI " => Some(Format("AVI")),
            b"RMID" => Some(Format("MIDI, which holds notes and no sound")),
            b"WEBP" => Some(NotAudio("a WebP picture")),
            b"8SVX" | b"16SV" => Some(Format("8SVX")),
            _ => None,
        };
    }
    if is_ac3(head) {
        return Some(Format("AC-3"));
    }
    if is_latm(head) {
        return Some(Format("AAC (LATM)"));
    }
    // Packets of 188 bytes, each of which starts with the same letter.
    if head.len() > 5 * 188 && head.iter().step_by(188).take(6).all(|&byte| byte == 0x47) {
        return Some(Format("MPEG transport streams"));
    }
    let starts_there = |(at, bytes, _): &&(usize, &[u8], Known)| {
        head.get(*at..).is_some_and(|rest| rest.starts_with(bytes))
    };
    MAGIC.iter().find(starts_there).map(|(_, _, known)| *known)
}

/// Returns whether frames of AC-3 or E-AC-3 (ATSC A/52, 5.3) start here, all of one version.
fn is_ac3(head: &[u8]) -> bool {
    let version = |frame: &[u8]| {
        frame
            .get(5)
            .map(|byte| byte >> 3)
            .filter(|&version| version <= 16)
    };
    let frames = head
        .windows(6)
        .filter(|bytes| bytes.starts_with(b"\x0B\x77"));
    head.starts_with(b"\x0B\x77")
        && version(head).is_some()
        && frames
            .filter(|frame| version(frame) == version(head))
            .count()
            > 1
}

/// Returns whether AAC in LATM starts here (ISO/IEC 14496-3, 1.7.2): eleven bits that are always
/// the same, then the length.
fn is_latm(head: &[u8]) -> bool {
    let next = |bytes: &[u8]| {
        let [a, b, c] = *bytes.first_chunk()?;
        let len = usize::from(b & 0x1F) << 8 | usize::from(c);
        (a == 0x56 && b >> 5 == 7).then_some(3 + len)
    };
    let follows = |at: usize| head.get(at..).and_then(next).map(|len| at + len);
    follows(0).and_then(follows).and_then(follows).is_some()
}

/// Returns the name of the first stream of an Ogg file that is known, if none can be decoded.
fn ogg(mut head: &[u8]) -> Option<&'static str> {
    let mut found = None;
    // The first page of each stream comes before all others.
    while let Some(page) = PageHeader::parse(head).filter(|page| page.is_first()) {
        let packet = &head[page.len()..];
        if OGG_DECODED.iter().any(|start| packet.starts_with(start)) {
            return None;
        }
        let known = OGG.iter().find(|(start, _)| packet.starts_with(start));
        found = found.or(known.map(|(_, name)| *name));
        head = packet.get(page.body_len()..).unwrap_or_default();
    }
    found
}

/// What text there is in the place of audio.
pub fn text(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let start = String::from_utf8_lossy(&head[..head.len().min(64)]).to_lowercase();
    let start = start.trim_start();
    let known = TEXT.iter().find(|(text, _)| start.starts_with(text));
    // Pages of UTF-8 end anywhere.
    let is_text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    if !head.is_empty() && head.iter().all(|&byte| byte == 0) {
        return Some("zeros, as far as can be seen: its content was lost");
    }
    let is_plain = head.len() > 16 && is_text(head) && !head.iter().any(|&byte| byte < 9);
    match known {
        Some((_, what)) if is_plain => Some(what),
        _ => is_plain.then_some("text"),
    }
}

/// Returns the name of the codec of an AIFF-C, CAF, AU or MPEG file that is known not to be
/// decoded.
pub fn codec(head: &[u8]) -> Option<&'static str> {
    let number = |bytes: &[u8]| Some(u32::from_be_bytes(*bytes.first_chunk()?) as usize);
    match head.get(..4)? {
        b"caff" => return four_letters(head.get(28..32)?),
        b".snd" if matches!(number(head.get(12..)?)?, 23..=26) => return Some("ADPCM in AU"),
        // FFmpeg writes such, although the standard rules it out.
        [0xFF, 0xFC | 0xFD, rate, mode] if rate >> 4 > 10 && mode >> 6 == 3 => {
            return Some("MP2 of more than 192 kbit/s in one channel");
        }
        _ => {}
    }
    let mut rest = head.get(12..).filter(|_| head.starts_with(b"FORM"))?;
    loop {
        let (name, body) = (rest.get(..4)?, rest.get(8..)?);
        if name == b"COMM" {
            return four_letters(body.get(18..22)?);
        }
        let size = number(rest.get(4..)?)?;
        rest = body.get(size.checked_next_multiple_of(2)?..)?;
    }
}

/// Returns the name of a codec by its number in WAV files.
pub fn wave_tag(tag: u16) -> Option<&'static str> {
    let known = WAVE_TAGS.iter().find(|(known, _)| *known == tag);
    known.map(|(_, name)| *name)
}

/// Returns the name of a codec by its four letters.
pub fn four_letters(letters: &[u8]) -> Option<&'static str> {
    let known = FOUR_LETTERS.iter().find(|(known, _)| *known == letters);
    known.map(|(_, name)| *name)
}

/// Returns the name of a codec by its object type in MP4.
pub fn object_type(number: u8) -> Option<&'static str> {
    let known = OBJECT_TYPES.iter().find(|(known, _)| *known == number);
    known.map(|(_, name)| *name)
}

/// Returns the name of a codec by its name in Matroska.
pub fn matroska(id: &str) -> Option<&'static str> {
    let known = MATROSKA.iter().find(|(start, _)| id.starts_with(start));
    known.map(|(_, name)| *name)
}

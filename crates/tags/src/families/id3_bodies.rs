//! Repairs common errors within single ID3v2 frames before they are parsed.

/// The language code for an unknown language.
const NO_LANGUAGE: &[u8; 3] = b"XXX";

/// Repairs a frame that other programs are known to write wrongly. Returns `false` if the repair
/// should be reported.
pub(crate) fn mend(id: &[u8; 4], body: &mut Vec<u8>) -> bool {
    match id {
        b"COMM" | b"USLT" | b"COM\0" | b"ULT\0" => {
            if let Some(language) = body.get_mut(1..4)
                && !language.iter().all(u8::is_ascii_alphabetic)
            {
                language.copy_from_slice(NO_LANGUAGE);
            }
            true
        }
        b"WXXX" | b"WXX\0" => {
            mend_own_link(body);
            true
        }
        [b'W', ..] => mend_link(body),
        _ => true,
    }
}

/// Repairs a link, which is Latin-1 up to a zero byte. Some programs start it with an encoding
/// byte, as in text frames.
fn mend_link(body: &mut Vec<u8>) -> bool {
    let has_encoding = body.len() > 1 && body[0] <= 3;
    if has_encoding {
        body.remove(0);
    }
    latin1_link(body);
    !has_encoding
}

/// Repairs a link with a description. The encoding byte applies to the description only and the
/// link is always Latin-1, which some programs get wrong.
fn mend_own_link(body: &mut Vec<u8>) {
    let description = match body.first() {
        Some(1 | 2) => {
            let (units, _) = body[1..].as_chunks::<2>();
            let end = units.iter().position(|unit| unit == &[0; 2]);
            end.map(|end| 1 + 2 * end + 2)
        }
        Some(_) => body
            .iter()
            .skip(1)
            .position(|&byte| byte == 0)
            .map(|end| 1 + end + 1),
        None => None,
    };
    if let Some(end) = description {
        let mut link = body.split_off(end);
        latin1_link(&mut link);
        body.extend(link);
    }
}

/// Converts a link from UTF-16 to Latin-1, and cuts it at its terminator.
fn latin1_link(link: &mut Vec<u8>) {
    let from_bytes: fn([u8; 2]) -> u16 = match link.as_slice() {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => {
            let end = link.iter().position(|&byte| byte == 0);
            link.truncate(end.unwrap_or(link.len()));
            return;
        }
    };
    let (units, _) = link[2..].as_chunks();
    let units = units.iter().map(|&unit| from_bytes(unit));
    let units = units.take_while(|&unit| unit != 0);
    let text: String = char::decode_utf16(units).filter_map(Result::ok).collect();
    *link = link_bytes(&text);
}

/// Returns a link as Latin-1. Other characters are escaped as in RFC 3987, section 3.1.
fn link_bytes(link: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(link.len());
    for c in link.chars() {
        match u8::try_from(c) {
            Ok(byte) => bytes.push(byte),
            Err(_) => {
                let mut utf8 = [0; 4];
                for byte in c.encode_utf8(&mut utf8).bytes() {
                    bytes.extend(format!("%{byte:02X}").into_bytes());
                }
            }
        }
    }
    bytes
}

/// Returns the body of a link frame with a description. It is in Latin-1 unless the description
/// needs UTF-16.
pub(crate) fn own_link(description: &str, link: &str) -> Vec<u8> {
    let latin1: Result<Vec<u8>, _> = description.chars().map(u8::try_from).collect();
    let mut body = match latin1 {
        Ok(text) => [&[0], &text[..], &[0]].concat(),
        Err(_) => {
            let units = ["\u{FEFF}", description, "\0"].concat();
            let units = units.encode_utf16().flat_map(u16::to_le_bytes);
            [1].into_iter().chain(units).collect()
        }
    };
    body.extend(link_bytes(link));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(id: &[u8; 4], body: &[u8]) -> (Vec<u8>, bool) {
        let mut body = body.to_vec();
        let is_right = mend(id, &mut body);
        (body, is_right)
    }

    #[test]
    fn links_are_latin1_up_to_a_zero() {
        for (body, expected, is_right) in [
            (&b"http://a"[..], &b"http://a"[..], true),
            (b"http://a\0and more", b"http://a", true),
            (b"\0http://a", b"http://a", false),
            (b"\x03http://a\0", b"http://a", false),
            (b"\x01\xFF\xFEh\0i\0", b"hi", false),
            (b"\xFE\xFF\0h\0\xE9\0\0", b"h\xE9", true),
        ] {
            assert_eq!(
                mended(b"WOAR", body),
                (expected.to_vec(), is_right),
                "{body:?}"
            );
        }
    }

    #[test]
    fn links_with_a_description_are_latin1_as_well() {
        let wide = [b"\x01", &b"\xFF\xFEd\0\0\0"[..], b"\xFF\xFEh\0i\0"].concat();
        let expected = b"\x01\xFF\xFEd\0\0\0hi";
        assert_eq!(mended(b"WXXX", &wide), (expected.to_vec(), true));
        assert_eq!(
            own_link("d\u{E9}", "x\u{E9}\u{442}"),
            b"\0d\xE9\0x\xE9%D1%82"
        );
        assert!(own_link("\u{442}", "hi").ends_with(b"\x42\x04\0\0hi"));
    }
}

//! Which characters bytes are: by what the XML declaration of a bundle says of them.
//!
//! All of these have ASCII where ASCII has it, so that a declaration is read before it is known what it declares. An encoding
//! is taken at its word, as readers of XML do it: `iso-8859-1` is not read as Windows-1252, and US-ASCII has no more than 128
//! characters. What of the bytes is no character is not decided here.

use std::borrow::Cow;

use super::attributes;
use super::error::Stop;
use super::fault::{Fault, word};
use super::text;

/// How the bytes of a bundle are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Also where nothing is declared.
    #[default]
    Utf8,
    /// Seven bits.
    Ascii,
    /// ISO-8859-1: each byte is the character of its number.
    Latin1,
    /// ISO-8859-1 with other characters from 80 to 9F, where five bytes have none.
    Windows1252,
}

/// What encodings are called, in lower case: their names first, then what IANA and the Encoding Standard have beside them, and
/// what is often written.
const LABELS: [(Encoding, &[&str]); 4] = [
    (Encoding::Utf8, &["utf-8", "utf8", "csutf8", "unicode-1-1-utf-8"]),
    (
        Encoding::Ascii,
        &[
            "us-ascii",
            "ascii",
            "us",
            "csascii",
            "iso646-us",
            "iso_646.irv:1991",
            "ansi_x3.4-1968",
            "ansi_x3.4-1986",
            "iso-ir-6",
            "cp367",
            "ibm367",
        ],
    ),
    (
        Encoding::Latin1,
        &[
            "iso-8859-1",
            "iso8859-1",
            "iso88591",
            "iso_8859-1",
            "iso_8859-1:1987",
            "latin1",
            "latin-1",
            "l1",
            "csisolatin1",
            "iso-ir-100",
            "cp819",
            "ibm819",
        ],
    ),
    (Encoding::Windows1252, &["windows-1252", "cp1252", "x-cp1252", "cswindows1252"]),
];

/// What Windows-1252 has from 80 to 9F; U+FFFD where it has nothing.
const WINDOWS: [char; 32] = [
    '€', '\u{FFFD}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{FFFD}', 'Ž', '\u{FFFD}', '\u{FFFD}',
    '‘', '’', '“', '”', '•', '–', '—', '\u{02DC}', '™', 'š', '›', 'œ', '\u{FFFD}', 'ž', 'Ÿ',
];

impl Encoding {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Ascii => "US-ASCII",
            Self::Latin1 => "ISO-8859-1",
            Self::Windows1252 => "Windows-1252",
        }
    }

    /// That of a label, in any case.
    pub(super) fn of_label(label: &str) -> Option<Self> {
        let label = label.to_ascii_lowercase();
        LABELS.into_iter().find(|(_, labels)| labels.contains(&label.as_str())).map(|(encoding, _)| encoding)
    }

    /// The character that a byte is; none where the encoding has none there, or XML does not allow it. A byte of UTF-8 is none
    /// unless it is one of ASCII.
    pub(super) fn character(self, byte: u8) -> Option<char> {
        let character = match self {
            _ if byte.is_ascii() => Some(char::from(byte)),
            Self::Utf8 | Self::Ascii => None,
            Self::Windows1252 if byte < 0xA0 => {
                WINDOWS.get(usize::from(byte - 0x80)).copied().filter(|c| *c != char::REPLACEMENT_CHARACTER)
            }
            Self::Latin1 | Self::Windows1252 => Some(char::from(byte)),
        };
        character.filter(|character| text::is_allowed(*character))
    }

    /// Whether the bytes are their own text where all of them are characters.
    pub(super) fn is_text(self, bytes: &[u8]) -> bool {
        matches!(self, Self::Utf8 | Self::Ascii) || bytes.is_ascii()
    }

    /// The text that bytes are, with `stand_in` for each run of them that is no character.
    pub(super) fn text(self, bytes: &[u8], stand_in: char) -> Cow<'_, str> {
        if let Some(text) = self.clean(bytes) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(bytes.len());
        match self {
            Self::Utf8 => {
                for chunk in bytes.utf8_chunks() {
                    out.extend(chunk.valid().chars().map(|c| if text::is_allowed(c) { c } else { stand_in }));
                    out.extend((!chunk.invalid().is_empty()).then_some(stand_in));
                }
            }
            _ => out.extend(bytes.iter().map(|byte| self.character(*byte).unwrap_or(stand_in))),
        }
        Cow::Owned(out)
    }

    /// The bytes as the text they are, if they are their own text, and all of it is allowed.
    pub(super) fn clean(self, bytes: &[u8]) -> Option<&str> {
        if self != Self::Utf8 && !bytes.is_ascii() {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        text::check_characters(text).is_ok().then_some(text)
    }
}

/// The encoding that the XML declaration of a text behind its byte order mark names, with the label; none where there is no
/// such declaration, or it cannot be read: that is told by whoever reads the markup.
///
/// # Errors
/// It is UTF-16, or the label is of no encoding that is read.
pub(super) fn declared(body: &[u8]) -> Result<Option<(Encoding, String)>, Stop> {
    if matches!(body, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'<', 0, ..] | [0, b'<', ..]) {
        return Err(Stop::new(Fault::UnknownEncoding("UTF-16".to_owned()), 0));
    }
    const BEGIN: &[u8] = b"<?xml";
    let Some(rest) = body.strip_prefix(BEGIN) else { return Ok(None) };
    let Some(end) = rest.windows(2).position(|pair| pair == b"?>") else { return Ok(None) };
    let Some(inside) = rest.get(..end).and_then(|inside| std::str::from_utf8(inside).ok()) else { return Ok(None) };
    let mut list = Vec::new();
    if attributes::read(inside, BEGIN.len(), "?xml", &mut list).is_err() {
        return Ok(None);
    }
    let Some(attribute) = list.iter().find(|attribute| attribute.name == "encoding") else { return Ok(None) };
    let label = attribute.value();
    match Encoding::of_label(&label) {
        Some(encoding) => Ok(Some((encoding, label.into_owned()))),
        None => Err(Stop::new(Fault::UnknownEncoding(word(&label)), attribute.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_the_character_that_its_encoding_has_there() {
        let windows = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
        let all: Vec<u8> = (0x80..0xA0).collect();
        let read: String = all.iter().filter_map(|byte| Encoding::Windows1252.character(*byte)).collect();
        assert_eq!(read, windows);
        let none: Vec<u8> = all.into_iter().filter(|byte| Encoding::Windows1252.character(*byte).is_none()).collect();
        assert_eq!(none, [0x81, 0x8D, 0x8F, 0x90, 0x9D]);
        for byte in 0..=u8::MAX {
            let (latin, ascii) = (Encoding::Latin1.character(byte), Encoding::Ascii.character(byte));
            let is_allowed = byte >= b' ' || b"\t\n\r".contains(&byte);
            assert_eq!(latin, is_allowed.then_some(char::from(byte)), "{byte:#x}");
            assert_eq!(ascii, latin.filter(char::is_ascii), "{byte:#x}");
            if byte >= 0xA0 {
                assert_eq!(Encoding::Windows1252.character(byte), latin, "{byte:#x}");
            }
        }
    }

    #[test]
    fn labels_are_known_in_any_case_and_no_two_have_one() {
        let mut seen = std::collections::HashSet::new();
        for (encoding, labels) in LABELS {
            assert_eq!(Encoding::of_label(encoding.as_str()), Some(encoding));
            for label in labels {
                assert!(seen.insert(*label), "{label}");
                assert_eq!(Encoding::of_label(&label.to_uppercase()), Some(encoding), "{label}");
            }
        }
        for label in ["", " utf-8", "utf-16", "iso-8859-15", "utf-8\0", "ＵＴＦ-8"] {
            assert_eq!(Encoding::of_label(label), None, "{label}");
        }
    }

    #[test]
    fn a_stand_in_stands_for_each_run_that_is_no_character() {
        for (encoding, bytes, expected) in [
            (Encoding::Utf8, &b"a\xE2\x82b\xFF\xFEc\x07\xEF\xBF\xBF\xC3\xBC"[..], "a?b??c??ü"),
            (Encoding::Ascii, b"a\xC3\xBC\x00b", "a???b"),
            (Encoding::Latin1, b"gr\xF6\xDFe\x1B", "größe?"),
            (Encoding::Windows1252, b"\x80 5\x81", "€ 5?"),
        ] {
            assert_eq!(encoding.text(bytes, '?'), expected);
        }
        assert!(matches!(Encoding::Latin1.text(b"plain", '?'), Cow::Borrowed("plain")));
    }

    #[test]
    fn a_declaration_names_an_encoding_or_is_left_to_whoever_reads_the_markup() {
        let found = |body: &str| declared(body.as_bytes()).map(|found| found.map(|(encoding, _)| encoding)).ok();
        for (body, expected) in [
            ("<jmb/>", None),
            ("<?xml version='1.0'?>", None),
            ("<?xml version='1.0' encoding='us-ascii'?>", Some(Encoding::Ascii)),
            ("<?xml version='1.0'\n encoding = \"Latin1\" ?>", Some(Encoding::Latin1)),
            ("<?xml encoding='cp1252'?>", Some(Encoding::Windows1252)),
            ("<?xml-x encoding='cp1252'?>", None),
            (" <?xml encoding='cp1252'?>", None),
            ("<?xml encoding='cp1252'", None),
            ("<?xml encoding='cp1252' encoding='utf-8'?>", None),
            ("<?xml encoding=cp1252?>", None),
        ] {
            assert_eq!(found(body), Some(expected), "{body}");
        }
        let far = format!("<?xml version='1.0'{}encoding='latin1'?>", " ".repeat(100_000));
        assert_eq!(found(&far), Some(Some(Encoding::Latin1)));
        for body in ["<?xml encoding='ebcdic-us'?>", "<?xml encoding=''?>", "<\0?\0", "\0<\0?"] {
            assert!(declared(body.as_bytes()).is_err(), "{body}");
        }
        assert!(declared(b"\xFE\xFF\0<").is_err() && declared(b"\xFF\xFE<\0").is_err());
    }
}

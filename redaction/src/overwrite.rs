//! What is written instead of an address: fixed text, its pseudonym, or what its pseudonym stands for.

use std::io::Write as _;

use memchr::memchr;

use crate::addresses::{Addresses, Found, What};
use crate::bytes::part;
use crate::pseudonyms::{Key, Pseudonyms, Way};
use crate::report::Report;

/// Instead of an IPv4 address.
pub const FIXED_V4: &str = "x.x.x.x";
/// Instead of an IPv6 address.
pub const FIXED_V6: &str = "x:x::x";
/// Instead of numbers with addresses among them.
pub const FIXED_NUMBERS: &str = "x";
const FIXED_DASHED6: &str = "x-x--x";

/// How addresses are overwritten.
#[derive(Debug, Clone, Default)]
pub enum Overwriting {
    /// By text that says that there was one.
    #[default]
    Fixed,
    /// By a pseudonym that whoever has the key can undo.
    Pseudonyms(Key),
}

/// What is written instead of addresses, and how.
pub(crate) struct Overwriter {
    /// None for fixed text.
    pseudonyms: Option<Pseudonyms>,
    with_macs: bool,
    /// Whether what has no pseudonym is left as it is: where pseudonyms are undone.
    is_undoing: bool,
}

impl Overwriter {
    pub(crate) fn new(overwriting: &Overwriting, with_macs: bool) -> Self {
        let pseudonyms = match overwriting {
            Overwriting::Fixed => None,
            Overwriting::Pseudonyms(key) => Some(Pseudonyms::new(key, Way::Do)),
        };
        Self { pseudonyms, with_macs, is_undoing: false }
    }

    /// One that writes addresses instead of their pseudonyms.
    pub(crate) fn undoing(key: &Key) -> Self {
        Self { pseudonyms: Some(Pseudonyms::new(key, Way::Undo)), with_macs: false, is_undoing: true }
    }

    /// Writes a text with its addresses overwritten.
    pub(crate) fn write(&mut self, text: &[u8], out: &mut Vec<u8>, report: &mut Report) {
        let mut written = 0;
        for found in Addresses::in_text(text, self.with_macs, self.is_undoing) {
            if found.stays() {
                continue;
            }
            out.extend_from_slice(part(text, written, found.start));
            let begun = out.len();
            if self.instead(&found, text, out) {
                report.addresses += 1;
                // Of an address that was wrapped the line end stays.
                let spelled = part(text, found.start, found.end);
                if memchr(b'\n', spelled).is_some() && memchr(b'\n', part(out, begun, out.len())).is_none() {
                    out.push(b'\n');
                }
            }
            written = found.end;
        }
        out.extend_from_slice(part(text, written, text.len()));
    }

    /// Writes what stands instead of an address; whether it is another.
    fn instead(&mut self, found: &Found, text: &[u8], out: &mut Vec<u8>) -> bool {
        if let Some(pseudonyms) = &mut self.pseudonyms
            && let Some(what) = pseudonym(pseudonyms, found.what)
        {
            spell(what, self.is_undoing, out);
            return true;
        }
        if self.is_undoing {
            out.extend_from_slice(part(text, found.start, found.end));
            return false;
        }
        match found.what {
            What::V4(_) | What::Reverse4(_) => out.extend_from_slice(FIXED_V4.as_bytes()),
            What::V6(_) => out.extend_from_slice(FIXED_V6.as_bytes()),
            What::Dashed6(_) => out.extend_from_slice(FIXED_DASHED6.as_bytes()),
            What::Joined(_, separator) => {
                out.extend_from_slice(&[b'x', separator, b'x', separator, b'x', separator, b'x']);
            }
            What::Reverse6(_) | What::Numbers => out.extend_from_slice(FIXED_NUMBERS.as_bytes()),
            What::Mac(separator) => {
                let spelled = part(text, found.start, found.end);
                out.extend(spelled.iter().map(|&byte| if byte == separator { byte } else { b'x' }));
            }
        }
        true
    }
}

fn pseudonym(pseudonyms: &mut Pseudonyms, what: What) -> Option<What> {
    match what {
        What::V4(address) => pseudonyms.v4(address).map(What::V4),
        What::Joined(address, separator) => pseudonyms.v4(address).map(|address| What::Joined(address, separator)),
        What::Dashed6(address) => pseudonyms.v6(address).map(What::Dashed6),
        What::Reverse4(address) => pseudonyms.v4(address).map(What::Reverse4),
        What::V6(address) => pseudonyms.v6(address).map(What::V6),
        What::Reverse6(address) => pseudonyms.v6(address).map(What::Reverse6),
        What::Numbers | What::Mac(_) => None,
    }
}

/// Spells an address; IPv6 as RFC 5952 wants it. A pseudonym in a name is spelled so that it is found again.
fn spell(what: What, is_undoing: bool, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = match what {
        What::V4(address) => write!(out, "{address}"),
        What::V6(address) => write!(out, "{address}"),
        What::Joined(address, separator) => {
            let [a, b, c, d] = address.octets();
            let separator = char::from(separator);
            // `0-1-2-3` is not taken for an address.
            let first = if a == 0 { "000".to_owned() } else { a.to_string() };
            write!(out, "{first}{separator}{b}{separator}{c}{separator}{d}")
        }
        What::Dashed6(address) if is_undoing => write!(out, "{}", address.to_string().replace(':', "-")),
        What::Dashed6(address) => {
            let groups = address.segments().map(|group| format!("{group:04x}"));
            write!(out, "{}", groups.join("-"))
        }
        What::Reverse4(address) => {
            let [a, b, c, d] = address.octets();
            write!(out, "{d}.{c}.{b}.{a}")
        }
        What::Reverse6(address) => {
            let bits = address.to_bits();
            for digit in 0..31 {
                let _ = write!(out, "{:x}.", bits >> (4 * digit) & 15);
            }
            write!(out, "{:x}", bits >> 124)
        }
        What::Numbers | What::Mac(_) => Ok(()),
    };
}

//! What a device says that a change comes to, as it is reported: secrets withheld, and no longer than it may be.

use linesman_redaction::Redaction;
use linesman_schemas::FilterLevel;
use linesman_schemas::outcome::Difference;
use sha2::{Digest as _, Sha256};

use super::load;

/// The longest text of a difference, in bytes.
const BYTES_MOST: usize = 16 * 1024;

/// What is reported of a device's comparison.
///
/// The hash is one of the whole without its secrets: devices put these differently each time that they are loaded, and who
/// has a hash of them can try out what they are.
pub(in crate::device) fn of(compared: &str) -> Difference {
    let (added, removed) = load::count(compared);
    let whole = Redaction::at(FilterLevel::All).text(compared.trim_start_matches('\n'));
    let sha256 = hex::encode(Sha256::digest(whole.as_bytes()));
    let kept = first(&whole);
    let (is_cut, text) = (kept.len() < whole.len(), kept.to_owned());
    Difference { text, added: count(added), removed: count(removed), sha256, is_cut }
}

/// The whole lines that fit; of a single one that does not, what fits of it.
fn first(text: &str) -> &str {
    if text.len() <= BYTES_MOST {
        return text;
    }
    let fits = text.get(..text.floor_char_boundary(BYTES_MOST)).unwrap_or_default();
    fits.rfind('\n').and_then(|end| fits.get(..=end)).unwrap_or(fits)
}

fn count(lines: usize) -> u64 {
    u64::try_from(lines).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "$9$aLUDk5QF3nCmPu1Ec";

    #[test]
    fn no_secret_is_reported_whichever_way_it_goes() {
        let compared = format!(
            "\n[edit groups linesman-a snmp]\n-   community hunter2-read;\n+   community hunter2-write;\n\
             [edit groups linesman-a system]\n+   radius-server 192.0.2.1 secret \"{SECRET}\"; ## SECRET-DATA\n\
             -   root-authentication encrypted-password \"$6$abcdefgh$0123456789\"; ## SECRET-DATA\n"
        );
        let told = of(&compared);
        assert_eq!((told.added, told.removed, told.is_cut), (2, 2, false));
        for secret in [SECRET, "hunter2", "$6$abcdefgh"] {
            assert!(!told.text.contains(secret), "{}", told.text);
        }
        assert!(told.text.contains("radius-server 192.0.2.1") && told.text.contains("[edit groups"), "{}", told.text);
        assert_eq!(told.sha256, of(&compared.replace("hunter2-read", "hunter3-read")).sha256);
        assert_ne!(told.sha256, of(&compared.replace("192.0.2.1", "192.0.2.2")).sha256);
    }

    #[test]
    fn a_long_one_is_cut_behind_a_line_and_its_hash_is_that_of_the_whole() {
        let compared: String = (0..2_000).map(|number| format!("+  interface ge-0/0/{number};\n")).collect();
        let told = of(&compared);
        assert!(told.is_cut && told.text.len() <= BYTES_MOST && told.text.ends_with(";\n"), "{}", told.text.len());
        assert_eq!((told.added, told.removed), (2_000, 0));
        assert_ne!(told.sha256, of(&told.text).sha256);
        let wide = "ü".repeat(BYTES_MOST);
        assert!(of(&wide).is_cut && of(&wide).text.len() <= BYTES_MOST);
        assert!(of("\n").is_none() && of("\n").text.is_empty());
    }
}

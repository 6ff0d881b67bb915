//! Documents of devices as they leave at each level: nothing leaves that may not, and they stay readable. The expected
//! texts lie beside the documents; `LINESMAN_BLESS=1` writes them.

#![cfg(test)]

mod support;

use std::path::PathBuf;

use linesman_redaction::{Addresses, Canaries, Key, Overwriting, Redaction};
use linesman_schemas::FilterLevel;
use support::{document, spool};

/// What is planted in all documents.
const SECRETS: &str = "s3cr3t\nMIIEpAIBAAKCAQEA\nEw.SrvxNbs4J8X\nsalt$hash";
const CONFIGURATION: &str = "host-name-of-acme\nCUSTOMERS-OF-ACME\nge-9/9/9\nacme-uplink";
const DOCUMENTS: [&str; 8] =
    ["rsi.txt", "curly.txt", "set.txt", "reply.xml", "reply.json", "syslog.txt", "event.xml", "escaped.xml"];

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(directory().join(name)).unwrap()
}

fn leaving(name: &str, level: FilterLevel) -> Vec<u8> {
    document(&Redaction::at(level), name, &read(name)).unwrap().0
}

fn leaked(list: &str, bytes: &[u8]) -> Vec<String> {
    let canaries = Canaries::read(list).unwrap();
    canaries.leaked("left", &mut &*bytes, &spool).unwrap().into_keys().collect()
}

#[test]
fn documents_leave_as_expected() {
    for name in DOCUMENTS {
        for (level, short) in [
            (FilterLevel::All, "all"),
            (FilterLevel::AddressesOverwritten, "addresses"),
            (FilterLevel::ExceptConfiguration, "except-configuration"),
            (FilterLevel::FeaturesOnly, "features"),
        ] {
            let left = leaving(name, level);
            let path = directory().join(format!("{name}.{short}"));
            if std::env::var_os("LINESMAN_BLESS").is_some() {
                std::fs::write(&path, &left).unwrap();
            }
            let expected = std::fs::read(&path).unwrap();
            assert_eq!(String::from_utf8(left).unwrap(), String::from_utf8(expected).unwrap(), "{}", path.display());
        }
    }
}

#[test]
fn no_secret_leaves_at_any_level() {
    for name in DOCUMENTS {
        assert!(name == "syslog.txt" || !leaked(SECRETS, &read(name)).is_empty(), "{name} has no secret");
        for (level, _) in FilterLevel::ALL {
            assert_eq!(leaked(SECRETS, &leaving(name, level)), [""; 0], "{name}");
        }
    }
}

#[test]
fn no_address_leaves_where_they_are_overwritten() {
    for name in DOCUMENTS {
        let text = read(name);
        let left = leaving(name, FilterLevel::AddressesOverwritten);
        let found = |text: &[u8]| Addresses::of(text, false).filter(|found| !found.stays()).count();
        assert!(found(&text) > 0 && found(&left) == 0, "{name}");
        let written: Vec<String> = Addresses::of(&text, false)
            .filter(|found| !found.stays())
            .map(|found| String::from_utf8(text[found.start..found.end].to_vec()).unwrap())
            .collect();
        assert_eq!(leaked(&written.join("\n"), &left), [""; 0], "{name}");
    }
}

#[test]
fn no_configuration_leaves_without_it() {
    for name in DOCUMENTS {
        assert!(!leaked(CONFIGURATION, &read(name)).is_empty(), "{name} has no configuration");
        for level in [FilterLevel::ExceptConfiguration, FilterLevel::FeaturesOnly, FilterLevel::DoNotSend] {
            assert_eq!(leaked(CONFIGURATION, &leaving(name, level)), [""; 0], "{name}");
        }
    }
}

#[test]
fn documents_come_back_from_their_pseudonyms() {
    let key = Key::of(&(0..32).collect::<Vec<u8>>()).unwrap();
    for name in DOCUMENTS {
        let redaction = Redaction::at(FilterLevel::AddressesOverwritten);
        let redaction = redaction.overwriting(Overwriting::Pseudonyms(key.clone()));
        let left = document(&redaction, name, &read(name)).unwrap().0;
        let mut back = Vec::new();
        linesman_redaction::unredact(&key, name, &mut &*left, &mut back, &spool).unwrap();
        let all = String::from_utf8(leaving(name, FilterLevel::All)).unwrap();
        // In the spelling of RFC 5952.
        assert_eq!(String::from_utf8(back).unwrap().to_lowercase(), all.to_lowercase(), "{name}");
    }
}

/// A reader that hands over a few bytes at a time.
struct Few<'a>(&'a [u8], usize);

impl std::io::Read for Few<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(room.len());
        room[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn the_pieces_that_a_document_comes_in_make_no_difference() {
    for name in DOCUMENTS {
        let bytes = read(name);
        // Longer than any window, without an end of the line that falls together with one's.
        let long = bytes.repeat(1 + 400_000 / bytes.len());
        for (level, _) in FilterLevel::ALL {
            let redaction = Redaction::at(level);
            let whole = document(&redaction, name, &long).unwrap();
            for piece in [1, 4099] {
                let mut out = Vec::new();
                let report = redaction.document(name, &mut Few(&long, piece), &mut out, &spool).unwrap();
                assert!(out == whole.0 && report == whole.1, "{name} in pieces of {piece}");
            }
        }
    }
}

#[test]
fn a_tag_that_is_very_long_hides_no_configuration() {
    let long = format!("comment=\"{}\"", "x".repeat(6000));
    let text = format!(
        "<jmb><attachment name=\"a_cfg.txt\" {long}>acme-uplink</attachment><configuration {long}>x</configuration></jmb>"
    );
    let left = text_without_configuration(&text);
    assert_eq!(
        left,
        "<jmb><attachment>[configuration withheld]</attachment><configuration>[configuration withheld]</configuration></jmb>"
    );
}

fn text_without_configuration(text: &str) -> String {
    support::text(&Redaction::at(FilterLevel::ExceptConfiguration), "event.xml", text)
}

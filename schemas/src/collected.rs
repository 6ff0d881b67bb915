//! What is collected from devices by claim check: its bytes lie in the object store, and the log has what is decided by.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::IncidentId;
use crate::bundle::{Bundle, Part};

/// How many files of a bundle are fetched.
pub const FILES_MOST: usize = 64;
/// The longest name or path of such a file, in characters.
pub const PATH_MOST: usize = 1_024;

/// A bundle that is larger than a message of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleKept {
    /// The device that had it, by the name it was given.
    pub device: String,
    /// The bundle as it is read, without those contents of attachments and logs that have no room.
    pub outline: String,
    /// Under what its bytes lie in the object store.
    pub stored: String,
    /// How many they are.
    pub size: u64,
    /// Their SHA-256, in lower-case hexadecimal.
    pub sha256: String,
    /// Where among them the contents of its attachments lie, then those of its logs: the first byte of each, and the one behind its
    /// last.
    pub parts: Vec<(u64, u64)>,
}

/// A bundle that was brought only names some of its attachments and logs: they lie on the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilesNamed {
    /// The device that had it, by the name it was given.
    pub device: String,
    /// The host-event-ID of the bundle.
    pub host_event_id: String,
    /// The SHA-256 of the bundle, in hexadecimal.
    pub sha256: String,
    /// The serial number in the bundle, of one that becomes a snapshot; empty for any other.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub serial_number: String,
    /// The files.
    pub files: Vec<NamedFile>,
}

/// An attachment or a log that lies on the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedFile {
    /// Its name.
    pub name: String,
    /// Where it lies there, as the bundle says it.
    pub path: String,
    /// Whether it is a log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_log: bool,
}

/// The file was fetched, or was not there to be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileTried {
    /// The incident of the bundle.
    pub incident: IncidentId,
    /// Which of its files, from 0.
    pub number: u32,
    /// What came of it.
    pub outcome: FileOutcome,
}

/// What came of fetching a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileOutcome {
    /// It is here.
    Fetched {
        /// Under what its bytes lie in the object store.
        stored: String,
        /// How many they are.
        size: u64,
        /// Their SHA-256, in lower-case hexadecimal.
        sha256: String,
    },
    /// It is not.
    Missed {
        /// Why, by name.
        reason: Missed,
        /// Why, in words.
        detail: String,
    },
}

/// Why a file is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    /// It was not tried yet.
    Untried,
    /// It does not lie in the directory of the device that is looked at, and is not fetched from elsewhere.
    Elsewhere,
    /// It is not there, or is no regular file.
    Absent,
    /// It is not ours to read.
    Denied,
    /// It has no bytes.
    Empty,
    /// It is larger than what is kept.
    TooLarge,
    /// It was read, and that failed.
    Failed,
}

impl Missed {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Untried, Self::Elsewhere, Self::Absent, Self::Denied, Self::Empty, Self::TooLarge, Self::Failed];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Untried => "untried",
            Self::Elsewhere => "elsewhere",
            Self::Absent => "absent",
            Self::Denied => "denied",
            Self::Empty => "empty",
            Self::TooLarge => "too-large",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The attachments and logs of a bundle that only name a file, as far as it is fetched: not those that could not be made.
pub fn named(bundle: &Bundle<'_>) -> Vec<NamedFile> {
    let named = |part: &Part<'_>, is_log: bool| {
        let is_made = part.error.is_none() && part.status.as_deref() != Some("failed");
        let path = part.path.as_ref().unwrap_or(&part.name).to_string();
        let is_named = part.content.is_empty() && is_made && path.chars().count() <= PATH_MOST;
        is_named.then(|| NamedFile { name: part.name.to_string(), path, is_log })
    };
    let attachments = bundle.attachments.iter().filter_map(|part| named(part, false));
    attachments.chain(bundle.logs.iter().filter_map(|part| named(part, true))).take(FILES_MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::decode;

    #[test]
    fn every_reason_has_its_word() {
        for reason in Missed::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }

    #[test]
    fn what_could_not_be_made_is_not_fetched_and_what_has_a_content_neither() {
        let text = concat!(
            r#"<jmb type="event" version="1.0"><manifest><host-event-ID>edge-01-JN12-20261121-101500-1</host-event-ID>"#,
            "<time-occurred>2026-11-21T10:15:00Z</time-occurred><event-type>FRU offline</event-type>",
            "<problem-synopsis>FPC 2 offline</problem-synopsis><priority>2 - High</priority><device>",
            "<host-name>edge-01</host-name><serial-number>JN12</serial-number><product>MX480</product>",
            r#"<os-version>23.4R1</os-version></device></manifest><attachments><attachment name="a">said</attachment>"#,
            r#"<attachment name="b" status="failed"/><attachment name="c" error="no room"/><attachment name="d"/>"#,
            r#"</attachments><logs><log name="e.tgz" path="/var/tmp/x.tgz" size="7"/></logs></jmb>"#,
        );
        let files = named(&decode(text.as_bytes()).unwrap());
        let file = |name: &str, path: &str, is_log| NamedFile { name: name.to_owned(), path: path.to_owned(), is_log };
        assert_eq!(files, [file("d", "d", false), file("e.tgz", "/var/tmp/x.tgz", true)]);
    }
}

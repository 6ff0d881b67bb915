//! What cases tell of the bytes that go upward with them.

use linesman_domain::uploads::{self, UploadRow};
use linesman_schemas::IncidentId;
use linesman_schemas::upload::UploadKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use crate::edge::words;
use crate::store::Lane;

/// The longest name of a file that is handed out, in characters.
const NAME_MOST: usize = 80;

/// Bytes that belong to a case.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Uploaded {
    /// What they are called here.
    name: String,
    /// What they are.
    #[schema(schema_with = words::upload_kind)]
    kind: UploadKind,
    /// How many they are.
    size: u64,
    /// Where they stand: here, on their way to the upstream, there, or given up.
    #[schema(schema_with = words::upload_state)]
    state: &'static str,
    /// How many have left, after filtering.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sent_size: Option<u64>,
}

impl Uploaded {
    /// Those of an incident's case, in the order they came.
    pub(super) fn all(lane: &Lane, incident: &IncidentId) -> Result<Vec<Self>, Error> {
        let rows = uploads::of_case(lane, incident).map(|found| found.map(|(_, row)| Self::new(row)));
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn new(row: UploadRow) -> Self {
        let sent_size = Some(row.sent_size).filter(|_| !row.sent_sha256.is_empty());
        Self { name: row.name, kind: row.kind, size: row.size, state: row.state.as_str(), sent_size }
    }
}

/// A name without what means anything to a file system, a terminal or a header.
pub(super) fn plain(name: &str) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() || "._-".contains(char) { char } else { '_' };
    let name: String = name.chars().take(NAME_MOST).map(plain).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_hostile_name_is_one_of_a_file_in_its_folder() {
        for (name, expected) in [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("a\r\nSet-Cookie: x=\"1\".txt", "a__Set-Cookie__x__1_.txt"),
            ("\u{1b}]0;x\u{7}ä.log", "__0_x__.log"),
            ("...", "file"),
            ("", "file"),
        ] {
            assert_eq!(plain(name), expected);
        }
        assert_eq!(plain(&"x".repeat(300)).len(), 80);
    }
}

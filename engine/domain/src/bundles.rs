//! Where bundles stand in IN: what is kept of their bytes.

use linesman_schemas::bundle::{Bundle, Part};
use serde::{Deserialize, Serialize};

use super::input::Input;

/// Where a bundle stands in IN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleRef {
    /// Its sequence.
    pub sequence: u64,
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Attachments, then logs.
    pub parts: Vec<PartRef>,
}

/// An attachment or a log within its bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRef {
    /// Its name.
    pub name: String,
    /// Whether it is a log.
    pub is_log: bool,
    /// Where its content begins.
    pub start: u64,
    /// Where it ends; the same as `start` when it only names a file.
    pub end: u64,
}

impl BundleRef {
    /// That of what came without a bundle, by the input of this sequence.
    pub(crate) fn none(sequence: u64) -> Self {
        Self { sequence, length: 0, sha256: [0; 32], parts: Vec::new() }
    }

    /// Whether there is a bundle.
    pub fn is_there(&self) -> bool {
        self.length > 0
    }
}

/// What is kept of the bundle that an input brought.
pub(crate) fn reference(bundle: &Bundle<'_>, input: &Input<'_>) -> BundleRef {
    let part = |part: &Part<'_>, is_log: bool| PartRef {
        name: part.name.to_string(),
        is_log,
        start: part.content.start as u64,
        end: part.content.end as u64,
    };
    let attachments = bundle.attachments.iter().map(|attachment| part(attachment, false));
    BundleRef {
        sequence: input.sequence,
        length: input.bytes.len() as u64,
        sha256: input.sha256,
        parts: attachments.chain(bundle.logs.iter().map(|log| part(log, true))).collect(),
    }
}

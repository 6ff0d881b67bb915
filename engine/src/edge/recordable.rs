//! What is on record of texts that may have secrets in them: more people read the record, and for ever.

use linesman_redaction::Redaction;
use linesman_schemas::FilterLevel;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a text without its secrets: who has a hash of these can try out what they are.
pub(super) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(Redaction::at(FilterLevel::All).text(text).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_be_tried_out_by_the_hash_and_what_is_none_counts() {
        let text = |secret: &str, name: &str| {
            format!("system {{ host-name {name}; }}\nsnmp {{\n    community {secret};\n}}\n")
        };
        assert_eq!(sha256(&text("hunter2", "pe-1")), sha256(&text("hunter3", "pe-1")));
        assert_ne!(sha256(&text("hunter2", "pe-1")), sha256(&text("hunter2", "pe-2")));
    }
}

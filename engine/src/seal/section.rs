//! The section `[seal]`: where the key lies.

use std::path::PathBuf;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};

/// What is told of the seal.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "seal",
    shape: Shape::Always,
    doc: "The seal: secrets that are kept or travel are readable only with its key.",
    keys: &[
        Key::new("key_file", Kind::Path, "The file with its key, exactly 32 raw bytes, readable by its owner only. Not set, `D/keys/seal`, which is made at the first start. Without it what was sealed needs to be given again.").like("/etc/linesman/seal.key"),
    ],
};

/// The file of the key, as a table of [`SECTION`] says; none where it says nothing.
pub fn key_file(entry: &Entry) -> Option<PathBuf> {
    entry.path("key_file")
}

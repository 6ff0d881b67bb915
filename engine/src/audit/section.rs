//! The section `[audit]`: what this engine does for the audit. How long records are kept is a setting that all engines
//! share: `settings.audit_retention_s`.

use std::time::Duration;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};

/// What is told of the audit.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "audit",
    shape: Shape::Always,
    doc: "The audit. How long records are kept is `settings.audit_retention_s`.",
    keys: &[
        Key::new("checkpoint_s", Kind::Seconds { least: 1, most: 86_400 }, "How often a signed checkpoint is kept of each log that has grown, in seconds.").or("3600"),
    ],
};

/// How often checkpoints are kept, as a table of [`SECTION`] says; none where it says nothing.
pub fn checkpoint_every(entry: &Entry) -> Option<Duration> {
    entry.number("checkpoint_s").map(Duration::from_secs)
}

//! What is told of metrics in the configuration.

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};

/// Its keys.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "metrics",
    shape: Shape::Always,
    doc: "What `GET /metrics` tells (`docs/metrics.md`).",
    keys: &[
        Key::new("names", Kind::Flag, "Whether the busiest 200 organizations and policies, and durable consumers of OUT, are named there; the rest is `other`, and all of them are where this is `false`.").or("true"),
    ],
};

/// Whether organizations, policies and consumers are named; none where a key that is needed has no value.
pub fn names(entry: &Entry) -> Option<bool> {
    entry.flag("names")
}

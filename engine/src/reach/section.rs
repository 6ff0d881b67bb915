//! The section `[collector]`: how devices are looked at.

use std::time::Duration;

use linesman_connectors::settings::{Entry, Key, Section, Shape};

use crate::config::{LONG_S, count, seconds};

/// What is told of it.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "collector",
    shape: Shape::Always,
    doc: "How devices are looked at that are reached (`docs/devices.md`).",
    keys: &[
        Key::new("incomplete_after_s", seconds(LONG_S), "After how long without a change a file that lacks its end is no bundle, in seconds.").or("3600"),
        Key::new("visits", count(1, 1_024), "How many devices are looked at at a time, of all organizations.").or("64"),
        Key::new("visits_of_one", count(1, 1_024), "How many of one organization are.").or("32"),
    ],
};

/// How devices are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// After how long a file that lacks its end is no bundle.
    pub incomplete_after: Duration,
    /// How many devices are looked at at a time.
    pub visits: usize,
    /// How many of one organization are.
    pub visits_of_one: usize,
}

/// The settings, as a table of [`SECTION`] says; none where it lacks one.
pub fn read(entry: &Entry) -> Option<Settings> {
    Some(Settings {
        incomplete_after: Duration::from_secs(entry.number("incomplete_after_s")?),
        visits: entry.number("visits")?,
        visits_of_one: entry.number("visits_of_one")?,
    })
}

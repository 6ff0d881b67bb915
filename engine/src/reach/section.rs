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
        Key::new("missed_after_s", seconds(LONG_S), "After how long an attachment or a log is tried again that a bundle names and its device does not have, in seconds; for a week.").or("7200"),
        Key::new("drift_every_s", seconds(LONG_S), "How often configuration groups are read back from their devices and held against what those were told, in seconds.").or("86400"),
        Key::new("visits", count(1, 1_024), "How many devices are looked at at a time, of all organizations.").or("64"),
        Key::new("visits_of_one", count(1, 1_024), "How many of one organization are: `visits` has room for several whose devices answer slowly. Who has one with many devices far away raises it.").or("8"),
        Key::new("gatherings", count(1, 1_024), "From how many devices data is gathered at a time, of all organizations.").or("16"),
        Key::new("gatherings_of_one", count(1, 1_024), "From how many of one organization it is.").or("8"),
        Key::new("snapshot_every_s", seconds(LONG_S), "How old the last snapshot of a device is when another is gathered, in seconds: of devices that name directives groups.").or("604800"),
    ],
};

/// How devices are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// After how long a file that lacks its end is no bundle.
    pub incomplete_after: Duration,
    /// After how long a file that was missed is tried again.
    pub missed_after: Duration,
    /// How often groups are read back from their devices.
    pub drift_every: Duration,
    /// How many devices are looked at at a time.
    pub visits: usize,
    /// How many of one organization are.
    pub visits_of_one: usize,
    /// From how many devices data is gathered at a time.
    pub gatherings: usize,
    /// From how many of one organization it is.
    pub gatherings_of_one: usize,
    /// How old the last snapshot of a device is when another is gathered.
    pub snapshot_every: Duration,
}

/// The settings, as a table of [`SECTION`] says; none where it lacks one.
pub fn read(entry: &Entry) -> Option<Settings> {
    Some(Settings {
        incomplete_after: Duration::from_secs(entry.number("incomplete_after_s")?),
        missed_after: Duration::from_secs(entry.number("missed_after_s")?),
        drift_every: Duration::from_secs(entry.number("drift_every_s")?),
        visits: entry.number("visits")?,
        visits_of_one: entry.number("visits_of_one")?,
        gatherings: entry.number("gatherings")?,
        gatherings_of_one: entry.number("gatherings_of_one")?,
        snapshot_every: Duration::from_secs(entry.number("snapshot_every_s")?),
    })
}

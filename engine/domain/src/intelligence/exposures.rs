//! Which messages concern a device that is new, or has changed, and did not concern it before.
//!
//! Messages are read once and held ready for many devices: those of the provider's, and those of organizations whose devices
//! have changed lately. Whoever takes in another has them forgotten.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt as _};
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::Relevance;

use super::impact::Impact;
use super::relevance::{Reason, Traits};
use super::{INTELLIGENCE, provided};
use crate::Error;
use crate::desk::Desk;

/// The messages of how many organizations are held ready.
const READY_MOST: usize = 256;

/// See the module.
pub(crate) struct Exposures {
    provided: Option<Ready>,
    own: HashMap<OrgName, Ready>,
}

/// Messages, held ready.
struct Ready {
    ids: Vec<String>,
    impact: Impact,
}

/// A message that concerns a device since it is as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exposure {
    /// Whether it is the organization's own; otherwise it is one of the provider's.
    pub(crate) is_own: bool,
    /// Its id.
    pub(crate) id: String,
    /// Why it does.
    pub(crate) reasons: Vec<Reason>,
}

impl Default for Exposures {
    fn default() -> Self {
        Self { provided: None, own: HashMap::new() }
    }
}

impl Exposures {
    /// Messages of an organization, or of the provider, are not any more as they were.
    pub(crate) fn forget(&mut self, whose: Option<&OrgName>) {
        match whose {
            Some(org) => drop(self.own.remove(org)),
            None => self.provided = None,
        }
    }

    /// The messages that concern a device of an organization as it is now, and not as it was; first the organization's own,
    /// and of the provider's those that it has none of the same id of.
    pub(crate) fn of(
        &mut self,
        desk: &Desk,
        org: &OrgName,
        before: Option<&Traits<'_>>,
        now: &Traits<'_>,
    ) -> Result<Vec<Exposure>, Error> {
        let mut found = self.own(desk, org)?.news(true, before, now);
        let known: BTreeSet<String> = found.iter().map(|exposure| exposure.id.clone()).collect();
        let of_provider = self.provided(desk)?.news(false, before, now);
        found.extend(of_provider.into_iter().filter(|exposure| !known.contains(&exposure.id)));
        Ok(found)
    }

    fn own(&mut self, desk: &Desk, org: &OrgName) -> Result<&mut Ready, Error> {
        if !self.own.contains_key(org) && self.own.len() >= READY_MOST {
            self.own.clear();
        }
        let rows = || INTELLIGENCE.rows(desk.state(), &[org.as_str()]);
        match self.own.entry(org.clone()) {
            std::collections::hash_map::Entry::Occupied(ready) => Ok(ready.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                let messages = rows().map(|row| row.map(|(_, row)| row.message));
                let messages = messages.map(|row| row.map(|row| (row.id, row.relevance.into())));
                Ok(place.insert(Ready::of(messages.collect::<Result<_, _>>()?)))
            }
        }
    }

    fn provided(&mut self, desk: &Desk) -> Result<&mut Ready, Error> {
        match &mut self.provided {
            Some(ready) => Ok(ready),
            place => {
                let messages = provided::all(desk.state()).map(|row| row.map(|row| row.message));
                let messages = messages.map(|row| row.map(|row| (row.id, row.relevance.into())));
                Ok(place.insert(Ready::of(messages.collect::<Result<_, _>>()?)))
            }
        }
    }
}

impl Ready {
    fn of(messages: Vec<(String, Relevance)>) -> Self {
        let impact = Impact::of(messages.iter().map(|(_, relevance)| relevance));
        Self { ids: messages.into_iter().map(|(id, _)| id).collect(), impact }
    }

    fn news(&mut self, is_own: bool, before: Option<&Traits<'_>>, now: &Traits<'_>) -> Vec<Exposure> {
        if self.ids.is_empty() {
            return Vec::new();
        }
        let known: BTreeSet<usize> =
            before.map(|before| self.impact.on(before)).unwrap_or_default().into_iter().collect();
        let places = self.impact.on(now).into_iter().filter(|place| !known.contains(place));
        let exposure = |place: usize| {
            let (id, reasons) = (self.ids.get(place)?.clone(), self.impact.reasons(place, now)?);
            Some(Exposure { is_own, id, reasons })
        };
        places.filter_map(exposure).collect()
    }
}

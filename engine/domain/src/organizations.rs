//! The organizations of a lane, all in memory: every input asks for one, and there are few.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use jiff::Timestamp;
use linesman_rules::{Organization, Pattern};
use linesman_schemas::{FilterLevel, OrgName};

use super::Error;
use super::rows::{self, OrgRow, Standing, key};
use super::state::State;

struct Known {
    name: OrgName,
    row: OrgRow,
    /// What scripts see of it.
    view: Rc<Organization>,
    /// Its device groups: name and host names.
    groups: Vec<(String, Vec<Pattern>)>,
    is_changed: bool,
}

/// The organizations of a lane.
#[derive(Default)]
pub(super) struct Organizations(BTreeMap<String, Known>);

fn view(name: &OrgName, row: &OrgRow) -> Rc<Organization> {
    Rc::new(Organization {
        name: name.clone(),
        display_name: row.display_name.clone(),
        is_proxy: row.is_proxy,
        filter_level: row.filter_level,
    })
}

fn known(name: OrgName, row: OrgRow, is_changed: bool) -> Known {
    let view = view(&name, &row);
    let patterns = |devices: &[String]| devices.iter().map(|device| Pattern::new(device)).collect();
    let groups = row.device_groups.iter().map(|group| (group.name.clone(), patterns(&group.devices))).collect();
    Known { name, row, view, groups, is_changed }
}

impl Organizations {
    /// Reads them all.
    pub(super) fn open(state: &State) -> Result<Self, Error> {
        let mut all = BTreeMap::new();
        for row in state.scan(b"o") {
            let (key, bytes) = row?;
            let Some(name) = key::read_org(&key) else { continue };
            let row: OrgRow = rows::decode(&key, &bytes)?;
            all.insert(name.as_str().to_owned(), known(name, row, false));
        }
        Ok(Self(all))
    }

    /// The organization a subject's token names, and whether it takes part.
    pub(super) fn find(&self, token: &str) -> Option<(OrgName, Standing)> {
        self.0.get(token).map(|known| (known.name.clone(), known.row.standing))
    }

    /// An organization's row.
    pub(super) fn row(&self, org: &OrgName) -> Option<&OrgRow> {
        self.0.get(org.as_str()).map(|known| &known.row)
    }

    /// What scripts see of an organization.
    pub(super) fn view(&self, org: &OrgName) -> Option<Rc<Organization>> {
        self.0.get(org.as_str()).map(|known| Rc::clone(&known.view))
    }

    /// What may leave of an organization's bundles; nothing of one that does not exist.
    pub(super) fn filter_level(&self, org: &OrgName) -> FilterLevel {
        self.row(org).map_or(FilterLevel::DoNotSend, |row| row.filter_level)
    }

    /// Creates or changes an organization.
    pub(super) fn set(&mut self, name: OrgName, row: OrgRow) {
        self.0.insert(name.as_str().to_owned(), known(name, row, true));
    }

    /// The device group a host belongs to: the first that names it; empty for none.
    pub(super) fn group_of(&self, org: &OrgName, host_name: &str) -> &str {
        let groups = self.0.get(org.as_str()).map_or(&[][..], |known| &known.groups);
        let group = groups.iter().find(|(_, hosts)| hosts.iter().any(|host| host.matches(host_name)));
        group.map_or("", |(name, _)| name)
    }

    /// The number of an organization's next incident, from 1.
    pub(super) fn next_incident(&mut self, org: &OrgName) -> u64 {
        let Some(known) = self.0.get_mut(org.as_str()) else { return 0 };
        known.is_changed = true;
        known.row.incidents += 1;
        known.row.incidents
    }

    /// The number of an organization's next reaction, from 1.
    pub(super) fn next_reaction(&mut self, org: &OrgName) -> u64 {
        let Some(known) = self.0.get_mut(org.as_str()) else { return 0 };
        known.is_changed = true;
        known.row.reactions += 1;
        known.row.reactions
    }

    /// The id of an organization's next event: `<org>-<number>-<nanoseconds in hexadecimal>`.
    ///
    /// The number alone is unique in a log; the time keeps ids apart from those of an earlier log.
    pub(super) fn next_event(&mut self, org: &OrgName, now: Timestamp) -> String {
        let mut id = String::with_capacity(org.as_str().len() + 28);
        let Some(known) = self.0.get_mut(org.as_str()) else { return id };
        known.is_changed = true;
        known.row.events += 1;
        // Writing to a string does not fail.
        let _ = write!(id, "{org}-{}-{:x}", known.row.events, now.as_nanosecond());
        id
    }

    /// Hands what changed to the state.
    pub(super) fn write(&mut self, state: &mut State) -> Result<(), Error> {
        for known in self.0.values_mut().filter(|known| known.is_changed) {
            state.write(key::org(&known.name), &known.row)?;
            known.is_changed = false;
        }
        Ok(())
    }
}

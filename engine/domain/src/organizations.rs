//! The organizations of a lane, all in memory: every input asks for one, and there are few.

mod row;

use std::collections::BTreeMap;
use std::rc::Rc;

use linesman_rules::Organization;
use linesman_schemas::command::{Handling, OrganizationSettings, SubmitCaseAs};
use linesman_schemas::{FilterLevel, OrgName};

use super::Error;
use super::cases::CASCADE;
use super::desk::{Counts, Desk};
use super::device_groups::DeviceGroups;
use super::snapshots::upward;
use super::state::State;
use super::{approvals, quotas, uploads};
pub use row::{ApprovalsRow, GroupRow, ORGANIZATIONS, OrgRow, QuotasRow, Standing, all, key};

struct Known {
    name: OrgName,
    row: OrgRow,
    /// What scripts see of it.
    view: Rc<Organization>,
    groups: DeviceGroups,
}

/// The organizations of a lane. Their counts are the desk's; [`Self::write`] puts both into the row.
#[derive(Default)]
pub(crate) struct Organizations {
    known: BTreeMap<String, Known>,
    /// Whose settings the batch in the making has changed.
    changed: Vec<OrgName>,
}

fn view(name: &OrgName, row: &OrgRow) -> Rc<Organization> {
    Rc::new(Organization {
        name: name.clone(),
        display_name: row.display_name.clone(),
        is_proxy: row.is_proxy,
        filter_level: row.filter_level,
    })
}

fn known(name: OrgName, row: OrgRow) -> Known {
    let view = view(&name, &row);
    let groups = DeviceGroups::new(&row.device_groups);
    Known { name, row, view, groups }
}

impl Organizations {
    /// Reads them all.
    pub(crate) fn open(state: &State) -> Result<(Self, Vec<(OrgName, Counts)>), Error> {
        let (mut all, mut counts) = (BTreeMap::new(), Vec::new());
        for row in self::all(state) {
            let (name, row) = row?;
            let OrgRow { incidents, events, reactions, .. } = row;
            counts.push((name.clone(), Counts { incidents, events, reactions }));
            all.insert(name.as_str().to_owned(), known(name, row));
        }
        Ok((Self { known: all, changed: Vec::new() }, counts))
    }

    /// Reads one alone.
    pub(crate) fn open_one(state: &State, org: &OrgName) -> Result<(Self, Option<Counts>), Error> {
        let Some(row) = state.read(&key(org))? else { return Ok((Self::default(), None)) };
        let OrgRow { incidents, events, reactions, .. } = row;
        let all = BTreeMap::from([(org.as_str().to_owned(), known(org.clone(), row))]);
        Ok((Self { known: all, changed: Vec::new() }, Some(Counts { incidents, events, reactions })))
    }

    /// The organization a subject's token names, and whether it takes part.
    pub(crate) fn find(&self, token: &str) -> Option<(OrgName, Standing)> {
        self.known.get(token).map(|known| (known.name.clone(), known.row.standing))
    }

    /// An organization's row; its counts are the desk's.
    pub(crate) fn row(&self, org: &OrgName) -> Option<&OrgRow> {
        self.known.get(org.as_str()).map(|known| &known.row)
    }

    /// All of them, in order of name.
    pub(crate) fn names(&self) -> Vec<OrgName> {
        self.known.values().map(|known| known.name.clone()).collect()
    }

    /// What scripts see of an organization.
    pub(crate) fn view(&self, org: &OrgName) -> Option<Rc<Organization>> {
        self.known.get(org.as_str()).map(|known| Rc::clone(&known.view))
    }

    /// What may leave of an organization's bundles; nothing of one that does not exist.
    pub(crate) fn filter_level(&self, org: &OrgName) -> FilterLevel {
        self.row(org).map_or(FilterLevel::DoNotSend, |row| row.filter_level)
    }

    /// Whether an organization takes part no more for now.
    pub(crate) fn is_suspended(&self, org: &OrgName) -> bool {
        self.row(org).is_some_and(|row| row.standing == Standing::Suspended)
    }

    /// What of an organization governs its pending reactions, and whether bytes of its cases leave; none of one that does not
    /// exist. That those of tests stay is so from engine level 7 on.
    /// Nor do snapshots of devices where none are asked for, from level 8 on.
    pub(crate) fn governs(&self, desk: &Desk, org: &OrgName) -> Option<(FilterLevel, Standing, bool, bool)> {
        let stays = |row: &OrgRow| desk.is_at(uploads::LEVEL) && row.submit_case_as == SubmitCaseAs::Test;
        self.row(org).map(|row| {
            let has_snapshots = desk.is_at(upward::LEVEL) && row.snapshot_interval_s > 0;
            (row.filter_level, row.standing, row.upload && !stays(row), has_snapshots)
        })
    }

    /// The device group that a device of a name belongs to: the first that names it; empty for none.
    pub(crate) fn group_of(&self, org: &OrgName, name: &str) -> &str {
        self.known.get(org.as_str()).map_or("", |known| known.groups.group_of(name))
    }

    /// Whether an organization has device groups.
    pub(crate) fn has_groups(&self, org: &OrgName) -> bool {
        self.row(org).is_some_and(|row| !row.device_groups.is_empty())
    }

    /// Creates an organization, or changes it and lifts its suspension.
    pub(crate) fn configure(
        &mut self,
        desk: &mut Desk,
        org: &OrgName,
        settings: &OrganizationSettings,
    ) -> Result<(), Error> {
        let loaded = settings.loaded.clone().or_else(|| self.row(org)?.loaded.clone());
        let row = OrgRow {
            display_name: settings.display_name.clone(),
            is_proxy: settings.is_proxy,
            filter_level: settings.filter_level,
            standing: Standing::Active,
            device_groups: settings.device_groups.iter().cloned().map(GroupRow::from).collect(),
            loaded,
            incidents: 0,
            events: 0,
            reactions: 0,
            alias: String::new(),
            handling: Handling::Forward,
            submit_case_as: SubmitCaseAs::Real,
            address: String::new(),
            upload: true,
            snapshot_interval_s: 0,
            approvals: ApprovalsRow::default(),
            quotas: QuotasRow::default(),
        };
        // Before, nobody asked what was said of these.
        let row = match desk.is_at(CASCADE) {
            true => OrgRow {
                alias: settings.alias.clone(),
                handling: settings.handling,
                submit_case_as: settings.submit_case_as,
                address: settings.address.clone(),
                ..row
            },
            false => row,
        };
        let row = match desk.is_at(uploads::LEVEL) {
            true => OrgRow { upload: settings.upload, snapshot_interval_s: settings.snapshot_interval_s, ..row },
            false => row,
        };
        let row = match desk.is_at(approvals::LEVEL) {
            true => OrgRow { approvals: settings.approvals.into(), ..row },
            false => row,
        };
        let row = match desk.is_at(quotas::LEVEL) {
            true => OrgRow { quotas: settings.quotas.into(), ..row },
            false => row,
        };
        self.set(desk, org, row)
    }

    /// Suspends an organization that there is; `is_unloaded`: the configuration names it no more.
    pub(crate) fn suspend(&mut self, desk: &mut Desk, org: &OrgName, is_unloaded: bool) -> Result<(), Error> {
        let Some(row) = self.row(org).cloned() else { return Ok(()) };
        let loaded = row.loaded.clone().filter(|_| !is_unloaded);
        self.set(desk, org, OrgRow { standing: Standing::Suspended, loaded, ..row })
    }

    fn set(&mut self, desk: &mut Desk, org: &OrgName, row: OrgRow) -> Result<(), Error> {
        desk.open_counts(org, Counts::default());
        // The digest has the counts of their own: how they stand here depends on where batches end.
        let row = OrgRow { incidents: 0, events: 0, reactions: 0, ..row };
        desk.cover(&key(org), &row)?;
        self.known.insert(org.as_str().to_owned(), known(org.clone(), row));
        self.changed.push(org.clone());
        Ok(())
    }

    /// Hands what changed to the state, counts included: once a batch, since nearly every input counts.
    pub(crate) fn write(&mut self, desk: &mut Desk) -> Result<(), Error> {
        let counted = desk.take_counted();
        for org in self.changed.drain(..).chain(counted) {
            let Some(known) = self.known.get_mut(org.as_str()) else { continue };
            let row = &mut known.row;
            let counts = desk.counts(&org);
            (row.incidents, row.events, row.reactions) = (counts.incidents, counts.events, counts.reactions);
            desk.write_covered(key(&org), row)?;
        }
        Ok(())
    }
}

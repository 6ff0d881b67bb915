//! What is done in slices, each an input of its own.

use std::ops::Bound;

use jiff::Timestamp;
use linesman_schemas::reaction::Action;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{OrgName, ReactionId};

use crate::activations::wanted::Scope;
use crate::activations::{doers, pushes};
use crate::cases::CaseState;
use crate::commands::services;
use crate::follow::Follow;
use crate::incidents::history::{self, By};
use crate::jobs::{SLICE_BYTES, SLICE_ROWS, Work};
use crate::snapshots::upward;
use crate::subject::Incident;
use crate::{Domain, Error, audit, cases, incidents, managers, reactions, uploads, upstream};

impl Domain {
    /// One slice of the job whose turn it is.
    pub(crate) fn carry_on(&mut self, is_alone: bool) -> Result<(), Error> {
        let Some((number, job)) = self.jobs.next() else {
            self.desk.tally.input("ctl", "idle");
            return Ok(());
        };
        self.desk.tally.input("ctl", "slice");
        doers::go_on(&mut self.desk, &job.work, number)?;
        let (cursor, done) = match &job.work {
            Work::ReviewPending(org) => self.review_pending(org, &job.cursor, SLICE_ROWS, SLICE_BYTES)?,
            Work::ReviewKept(org) => self.review_kept(org, &job.cursor)?,
            Work::AgeAudits { before_s } => {
                let before = Timestamp::from_second(*before_s).unwrap_or(Timestamp::MIN);
                audit::age(&mut self.desk, before, &job.cursor, SLICE_ROWS, SLICE_BYTES)?
            }
            Work::HandOver(org) => {
                let is_last = self.jobs.is_last(number, &job.work);
                let handed =
                    managers::hand_over(&mut self.desk, &mut self.managers, org.as_ref(), &job.cursor, is_last)?;
                self.managers.compose(&mut self.desk, &self.books)?;
                handed
            }
            Work::Render { place, again } => {
                self.render_slice((place, number), again.as_ref(), &job.cursor, is_alone)?
            }
            Work::Rollout { place, service, version, left } => {
                let wanted = (service, version.as_str());
                let slice =
                    services::roll_out(&mut self.desk, &self.services, place, wanted, *left, &job.cursor, SLICE_ROWS)?;
                if slice.0.is_none() {
                    self.render(place, Scope::default())?;
                }
                slice
            }
            Work::Match { organization, id } => self.match_slice(organization.as_ref(), id, &job.cursor)?,
            Work::Silence { since, until } => self.look_for_silence((*since, *until), &job.cursor)?,
            Work::Contracts => self.look_for_ends(&job.cursor)?,
            Work::Snapshots(org) => upward::slice(&mut self.desk, &self.organizations, org, &job.cursor, SLICE_ROWS)?,
        };
        self.jobs.advance(&mut self.desk, number, cursor, done)
    }

    /// What is kept of an organization's cases behind `after` goes to the upstream if it may, so many uploads at a time.
    fn review_kept(&mut self, org: &OrgName, after: &[u8]) -> Result<(Option<Vec<u8>>, u64), Error> {
        let found = uploads::look_at_all(&self.desk, org, after)?;
        for id in found.incidents {
            let Some(incident) = self.incident(&id)? else { continue };
            uploads::look_after(&mut self.desk, &incident)?;
            self.follow(org, &mut Some(incident), vec![Follow::Upload])?;
        }
        Ok((found.last, found.count))
    }

    /// What is kept of an organization's cases is looked at anew, if there is anything.
    pub(crate) fn look_at_kept(&mut self, org: &OrgName) -> Result<(), Error> {
        let prefix = uploads::within(org);
        if self.desk.is_at(uploads::ON_THEIR_OWN) && self.desk.first(Bound::Included(&prefix), &prefix)?.is_some() {
            self.jobs.begin(&mut self.desk, Work::ReviewKept(org.clone()))?;
        }
        Ok(())
    }

    /// An organization's settings changed: what is pending for it behind `after` follows them, so many rows and bytes at
    /// a time. The last row's key where there may be more, and how many there were.
    pub(super) fn review_pending(
        &mut self,
        org: &OrgName,
        after: &[u8],
        most: usize,
        bytes_most: usize,
    ) -> Result<(Option<Vec<u8>>, u64), Error> {
        let is_held = self.organizations.is_suspended(org);
        let found = reactions::slice(&self.desk, org, after, most, bytes_most)?;
        let (last, count) = (found.last, found.looked_at);
        for id in found.ids {
            let Some(row) = reactions::find(&self.desk, org, &id)? else { continue };
            let is_held = is_held || pushes::waits(&self.desk, org, &id)?;
            let mut next = reactions::PendingRow { is_held, ..row.clone() };
            let incident = reactions::incident_of(&row).map(|id| self.incident(&id)).transpose()?.flatten();
            let Some(mut incident) = incident else {
                let next = self.review_snapshot(org, &id, next)?;
                reactions::renew(&mut self.desk, &id, &row, next)?;
                continue;
            };
            let was_test = incident.case.as_ref().map(|case| case.is_test);
            let Some(action) = self.reviewed(&mut incident, &id, &mut next)? else {
                reactions::renew(&mut self.desk, &id, &row, Some(next))?;
                continue;
            };
            let next = match action {
                Some(action) => {
                    if incident.case.as_ref().map(|case| case.is_test) != was_test {
                        incidents::keep(&mut self.desk, &mut incident)?;
                    }
                    next.action = serde_json::to_string(&action)?;
                    if next.action != row.action && self.desk.is_at(uploads::ON_THEIR_OWN) {
                        // Other bytes leave now, of which there are none yet.
                        next.there = 0;
                    }
                    Some(next)
                }
                None if self.desk.is_at(history::LEVEL) => {
                    self.withhold(org, incident)?;
                    None
                }
                None => {
                    incidents::keep(&mut self.desk, &mut incident)?;
                    None
                }
            };
            reactions::renew(&mut self.desk, &id, &row, next)?;
        }
        Ok((last, count))
    }

    /// Nothing may leave any more by what was pending for an incident: that is kept, and told where its case is withheld by it.
    fn withhold(&mut self, org: &OrgName, mut incident: Incident) -> Result<(), Error> {
        let told = history::look(&mut incident, &By::Engine);
        let is_withheld =
            told.is_some() && incident.case.as_ref().is_some_and(|case| case.state == CaseState::Withheld);
        let withheld = is_withheld.then_some(Follow::Trigger(Trigger::CaseWithheld));
        let follows = told.map(Follow::Changed).into_iter().chain(withheld).chain([Follow::Keep]).collect();
        self.follow(org, &mut Some(incident), follows).map(drop)
    }

    /// What is pending without an incident is a snapshot of a device, or stays what it is.
    fn review_snapshot(
        &mut self,
        org: &OrgName,
        id: &ReactionId,
        next: reactions::PendingRow,
    ) -> Result<Option<reactions::PendingRow>, Error> {
        let told = upward::refilter(&mut self.desk, &self.organizations, org, id.as_str(), &next.action)?;
        let Some(action) = told else { return Ok(Some(next)) };
        let Some(action) = action else { return Ok(None) };
        let destination = upstream::of_case(&self.desk.installed).to_string();
        Ok(Some(reactions::PendingRow { destination, action: serde_json::to_string(&action)?, ..next }))
    }

    /// What may leave by a pending reaction of an incident, if anything may; none if it says nothing of its case.
    fn reviewed(
        &mut self,
        incident: &mut Incident,
        id: &ReactionId,
        next: &mut reactions::PendingRow,
    ) -> Result<Option<Option<Action>>, Error> {
        let (desk, organizations) = (&mut self.desk, &self.organizations);
        let told = match uploads::refilter(desk, organizations, incident, id.as_str())? {
            Some(action) => Some(action),
            None => cases::cascade::refilter(desk, organizations, incident, id.as_str()),
        };
        if told.is_some() {
            return Ok(told);
        }
        // A notification of an incident stands beside its case, and stays what it is.
        if !cases::is_opened_by(incident, id) {
            return Ok(None);
        }
        // It has not left yet: it goes to whoever is the upstream now.
        if upstream::is_one(&next.destination) {
            next.destination = upstream::of_case(&desk.installed).to_string();
        }
        Ok(Some(cases::refilter(desk, organizations, incident)))
    }
}

//! What comes of an organization, and messages of the provider's: bundles, intelligence, reports; what is judged of it.

use std::rc::Rc;

use linesman_rules::Subject;
use linesman_schemas::bundle::Bundle;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::outcome::Report;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{Mode, OrgName};

use crate::dead_letters::{self, Why};
use crate::follow::Follow;
use crate::incidents::Found;
use crate::input::{Heard, Input, Provided};
use crate::intelligence::matching;
use crate::intelligence::provided::Taken;
use crate::policies::Fired;
use crate::subject::IntelligenceMessage;
use crate::uploads::Whole;
use crate::{Domain, Error, incidents, intelligence, reached, scripts, snapshots, uploads};

impl Domain {
    /// A problem becomes an incident, which policies judge; information a snapshot of its device. `whole` is where the bytes are of
    /// one that is an outline.
    pub(super) fn decide_bundle(
        &mut self,
        org: &OrgName,
        bundle: &Bundle<'_>,
        input: &Input<'_>,
        whole: Option<&Whole<'_>>,
    ) -> Result<(), Error> {
        let (desk, devices) = (&mut self.desk, &mut self.devices);
        let is_bounded = desk.is_at(6) && desk.mode == Mode::Demo;
        if is_bounded && devices.is_beyond(desk, org, &bundle.manifest.device.serial_number, Mode::DEMO_DEVICES)? {
            let detail =
                format!("mode `{}` has at most {} devices, and this is another", desk.mode, Mode::DEMO_DEVICES);
            let why = Why { reason: Reason::DeviceLimit, detail: &detail, place: None };
            return dead_letters::set_aside(desk, Some(org), input, &why);
        }
        let device = &bundle.manifest.device;
        let before = match desk.is_at(crate::activations::UTMOST) {
            true => Some(devices.find(desk, org, &device.serial_number)?),
            false => None,
        };
        let (Some(kind), Some(problem)) = (bundle.incident_kind(), &bundle.manifest.problem) else {
            snapshots::take(desk, &self.organizations, devices, org, bundle, input)?;
            if let Some(whole) = whole {
                uploads::keep_newest(desk, org, bundle, input, whole)?;
            }
            let parts = snapshots::parts::take(desk, org, bundle, input)?;
            let Some(before) = before else { return Ok(()) };
            self.render_renamed(org, device, before.as_deref())?;
            return self.expose(org, device, before.as_deref(), parts);
        };
        let found = Found { kind, problem, bundle, input };
        let Some(mut incident) = self.detect(org, &found, whole.is_some())? else { return Ok(()) };
        let desk = &mut self.desk;
        if let (Some(incident), Some(whole)) = (&mut incident, whole) {
            uploads::keep_own(desk, incident, bundle, input, whole)?;
        }
        if let Some(incident) = &incident {
            incidents::history::damaged(&mut self.desk, incident, bundle)?;
        }
        let parts = snapshots::parts::take(&mut self.desk, org, bundle, input)?;
        if let Some(before) = &before {
            self.render_renamed(org, device, before.as_deref())?;
        }
        if let Some(incident) = incident {
            let mut follows = incidents::detected();
            if self.lacks_address(&incident)? {
                follows.insert(1, Follow::Trigger(Trigger::IncidentWithoutAddress));
            }
            self.follow(org, &mut Some(incident), follows)?;
        }
        before.map_or(Ok(()), |before| self.expose(org, device, before.as_deref(), parts))
    }

    pub(super) fn take_intelligence(&mut self, org: &OrgName, heard: &Heard, input: &Input<'_>) -> Result<(), Error> {
        let Heard { message, stray } = heard;
        if let Some(stray) = stray.as_ref().filter(|_| self.desk.is_at(intelligence::STRICT)) {
            let (detail, place) = intelligence::of_stray(stray);
            let why = Why { reason: Reason::IntelligenceUndecodable, detail: &detail, place };
            return dead_letters::set_aside(&mut self.desk, Some(org), input, &why);
        }
        if message.recalled && self.desk.is_at(intelligence::RECALLED_FROM) {
            // What was taken back concerns none of its devices any more.
            self.exposures.forget(Some(org));
            return intelligence::recall(&mut self.desk, org, &message.id);
        }
        match intelligence::take(&mut self.desk, org, message)? {
            Some((fired, message)) => self.received(org, fired, message),
            None => Ok(()),
        }
    }

    /// An organization has a message that it had not: policies judge it, and it is held against devices.
    pub(super) fn received(
        &mut self,
        org: &OrgName,
        fired: Fired,
        mut subject: IntelligenceMessage,
    ) -> Result<(), Error> {
        let (id, relevance) = (subject.message.id.clone(), subject.message.relevance.clone());
        if self.desk.is_at(matching::LEVEL) && self.policies.listen(fired.trigger) {
            subject.affected = Some(matching::affected(&self.desk, org, &relevance)?);
        }
        self.judge(org, fired, subject)?;
        self.match_message(Some(org), &id)
    }

    /// A message of the provider's has come.
    pub(super) fn take_provided(&mut self, input: &Input<'_>, provided: &Provided) -> Result<(), Error> {
        match intelligence::provided::take(&mut self.desk, provided)? {
            Taken::Known => Ok(()),
            Taken::Kept => self.match_message(None, &provided.named.id),
            Taken::Unreadable(detail) => {
                let why = Why { reason: Reason::CommandUndecodable, detail: &detail, place: None };
                dead_letters::set_aside_control(&mut self.desk, input, &why)
            }
        }
    }

    /// What a connector says of an attempt, or besides attempts.
    pub(super) fn take_report(&mut self, org: &OrgName, report: &Report, input: &Input<'_>) -> Result<(), Error> {
        let standing = match report {
            Report::Attempt(attempt) => return self.settle(Some(org), attempt),
            Report::CaseChanged(standing) => standing,
            Report::DeviceStands(standing) => {
                return match reached::stands(&mut self.desk, org, standing)? {
                    Some((fired, device)) => self.judge(org, fired, device),
                    None => Ok(()),
                };
            }
            Report::JmbSetAside(error) => return reached::set_aside(&mut self.desk, org, error),
            Report::JmbErrorEnded(ended) => return reached::ended(&mut self.desk, org, ended),
            Report::GatheringStands(report) => return reached::gathering_stands(&mut self.desk, org, report),
            Report::BundleKept(kept) => return self.take_kept(org, kept, input),
            Report::FilesNamed(named) => return self.take_named(org, named),
            Report::FileTried(tried) => return self.take_tried(org, tried),
            Report::ScriptsStand(standing) => {
                return scripts::stands(&mut self.desk, org, standing, self.books.row().version);
            }
            Report::GroupRead(read) => return self.take_drift(org, read),
        };
        let incident = if standing.incident.org == *org { self.incident(&standing.incident)? } else { None };
        match incident.filter(|incident| incident.case.is_some()) {
            Some(incident) => {
                self.desk.tally.input("result", "case");
                self.follow(org, &mut Some(incident), vec![Follow::CaseStands(standing.clone())]).map(drop)
            }
            None => {
                let detail = format!("there is no case for the incident `{}`", standing.incident);
                let why = Why { reason: Reason::UnknownCase, detail: &detail, place: None };
                dead_letters::set_aside(&mut self.desk, Some(org), input, &why)
            }
        }
    }

    /// Lets policies judge what is no incident.
    pub(super) fn judge(&mut self, org: &OrgName, fired: Fired, subject: impl Subject + 'static) -> Result<(), Error> {
        let subject: Rc<dyn Subject> = Rc::new(subject);
        let judged = self.policies.matching(org, fired, &*subject, || Rc::clone(&subject));
        self.follow(org, &mut None, judged).map(drop)
    }
}

//! Changes on their way to devices: in which order they are told, and what is kept of what devices say.

use std::collections::BTreeSet;

use linesman_schemas::approval::{ApprovalId, ApprovalKind};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Subscription, SubscriptionPath, Verb};
use linesman_schemas::outcome::{Attempt, Difference};
use linesman_schemas::reaction::Action;
use linesman_schemas::{OrgName, Place, PlacePath, Principal, ReactionId};
use serde_json::{Value, json};

use crate::activations::held::Stopped;
use crate::activations::parts::{self, PartRow};
use crate::activations::pushes::{self, LEVEL, Subject};
use crate::activations::{doers, origins, waves};
use crate::approvals::ApprovalRow;
use crate::commands::{self, Answer, Ground};
use crate::follow::Follow;
use crate::shelf::Shelf;
use crate::{Domain, Error, reactions};

impl Domain {
    /// What devices are to be told is, in waves where there are many of them: those of one job in one, and those of an input
    /// from so many on as the settings say. `left` are the waves that some have left meanwhile.
    pub(super) fn take_turns(
        &mut self,
        org: &OrgName,
        job: Option<u64>,
        changes: &[(ReactionId, String)],
        left: BTreeSet<u64>,
    ) -> Result<(), Error> {
        if !self.desk.is_at(LEVEL) {
            return Ok(());
        }
        let is_suspended = self.organizations.is_suspended(org);
        let is_many = changes.len() >= self.desk.settings.activations.canary_from as usize;
        match job {
            Some(number) => waves::join(&mut self.desk, (org, number), changes, (false, is_suspended))?,
            None if is_many => {
                let number = self.desk.sequence;
                waves::join(&mut self.desk, (org, number), changes, (true, is_suspended))?;
            }
            None => {}
        }
        left.into_iter().try_for_each(|number| waves::resume(&mut self.desk, (org, number), (false, is_suspended)))
    }

    /// The job of a wave has ended: no more changes come.
    pub(super) fn end_wave(&mut self, place: &Place, job: u64) -> Result<(), Error> {
        let Some(org) = place.organization().filter(|_| self.desk.is_at(LEVEL)) else { return Ok(()) };
        let is_suspended = self.organizations.is_suspended(org);
        waves::resume(&mut self.desk, (org, job), (true, is_suspended))
    }

    /// What a report on a change of a device is about; none where that decides nothing.
    pub(super) fn pushed(&self, org: &OrgName, report: &Attempt) -> Result<Option<Subject>, Error> {
        match self.desk.is_at(LEVEL) {
            true => pushes::subject(&self.desk, org, report),
            false => Ok(None),
        }
    }

    /// A report on a change of a device is taken in: what it says is kept, and others may be told.
    pub(super) fn hear_of_push(&mut self, org: &OrgName, about: &Subject, report: &Attempt) -> Result<(), Error> {
        pushes::take(&mut self.desk, about, report)?;
        let is_suspended = self.organizations.is_suspended(org);
        let stopped = waves::hear(&mut self.desk, org, report, is_suspended)?;
        match &report.difference {
            Some(difference) if report.is_unapproved => self.ask_to_push(org, about, report, difference)?,
            _ => {}
        }
        stopped.map_or(Ok(()), |stopped| self.hold(org, about, report, &stopped))
    }

    /// The rest of a wave is held.
    fn hold(&mut self, org: &OrgName, about: &Subject, report: &Attempt, stopped: &Stopped) -> Result<(), Error> {
        let (fired, subject) = stopped.tell(&mut self.desk, &self.devices, org, about)?;
        if let Ok(command) = format!("{}~{}", report.reaction, report.attempt).parse() {
            stopped.record(&mut self.desk, org, command, self.books.row().version)?;
        }
        self.judge(org, fired, subject)
    }
}

// What needs approval.
impl Domain {
    /// A device was left as it was, since what a change comes to there is not approved: it awaits that from here on.
    fn ask_to_push(
        &mut self,
        org: &OrgName,
        (line, id): &Subject,
        report: &Attempt,
        difference: &Difference,
    ) -> Result<(), Error> {
        let Some(row) = reactions::find(&self.desk, org, &report.reaction)? else { return Ok(()) };
        let Some(part) = self.desk.read(&parts::key(line, id))? else { return Ok(()) };
        let kind = ApprovalKind::ConfigureDevice;
        let needed = match self.needed(org, kind, None) {
            Ok(Some(needed)) => needed,
            // It needs none any more.
            Ok(None) | Err(_) => {
                return reactions::approve(&mut self.desk, org, &report.reaction, difference.sha256.clone());
            }
        };
        let Ok(id_of_command) = format!("{}~{}", report.reaction, report.attempt).parse() else { return Ok(()) };
        let path = SubscriptionPath { place: Place::Below(line.clone()), name: part.name.clone() };
        let verb = Verb::Subscription(Subscription::Redeploy(path));
        let command = Command { id: id_of_command, principal: Principal::Machine, node: String::new(), verb };
        let content = self.shown_push((line, id.as_str()), &part, (&report.reaction, difference))?;
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &command.principal)?;
        let askers = doers::of(&self.desk, line, id)?;
        let answer = self.ask_approval(org, (&command, askers), kind, needed, content)?;
        if answer.is_awaiting()
            && let Ok(approval) = answer.detail().parse::<ApprovalId>()
        {
            pushes::await_approval(&mut self.desk, &approval, &report.reaction)?;
            if !row.is_held {
                reactions::wait(&mut self.desk, org, &report.reaction)?;
            }
        }
        // Where too many are pending it is tried again, and asked for again; that stands on record once.
        if !answer.is_awaiting() && row.misses > 1 {
            return Ok(());
        }
        commands::conclude(&mut self.desk, Some(org), true, &command, answer, ground).map(drop)
    }

    /// What is approved of a change: which device becomes what. Where its service hides what is fixed the lines are not among it.
    fn shown_push(
        &self,
        (line, id): (&PlacePath, &str),
        part: &PartRow,
        (reaction, difference): (&ReactionId, &Difference),
    ) -> Result<Value, Error> {
        let shelf = Shelf::default();
        let hides = origins::is_of_hiding(self.desk.state(), &shelf, part)?;
        let mut difference = serde_json::to_value(difference)?;
        if hides && let Some(difference) = difference.as_object_mut() {
            difference.remove("text");
        }
        Ok(json!({
            "activation": id, "line": line, "device": part.device, "group": part.group, "reaction": reaction,
            "difference": difference,
        }))
    }

    /// What was approved of a device is done: the change is told again, and takes place as it was approved.
    pub(super) fn push_approved(&mut self, org: &OrgName, id: &ApprovalId, content: &str) -> Result<Answer, Error> {
        let gone =
            || Answer::refused(Verdict::Conflict, "the change that it is about is not to be made any more".to_owned());
        let Some((reaction, sha256)) = awaited(content) else { return Ok(gone()) };
        if pushes::asked(self.desk.state(), org, &reaction)?.as_ref() != Some(id) {
            return Ok(gone());
        }
        pushes::ask_no_more(&mut self.desk, org, &reaction)?;
        reactions::approve(&mut self.desk, org, &reaction, sha256)?;
        let is_suspended = self.organizations.is_suspended(org);
        reactions::begin(&mut self.desk, org, &reaction, is_suspended)?;
        Ok(Answer::done("the device is told", Value::Null, Value::Null))
    }

    /// Nobody wants that of a device: the change is given up.
    pub(super) fn push_rejected(&mut self, org: &OrgName, id: &ApprovalId, row: &ApprovalRow) -> Result<(), Error> {
        let Some((reaction, _)) = awaited(&row.content) else { return Ok(()) };
        if pushes::asked(self.desk.state(), org, &reaction)?.as_ref() != Some(id) {
            return Ok(());
        }
        pushes::ask_no_more(&mut self.desk, org, &reaction)?;
        let Some(pending) = reactions::find(&self.desk, org, &reaction)? else { return Ok(()) };
        let Action::Configure(configure) = serde_json::from_str(&pending.action)? else { return Ok(()) };
        let left = waves::leave(&mut self.desk, org, &reaction)?;
        reactions::withdraw(&mut self.desk, org, &reaction)?;
        let (device, group) = (configure.device.serial_number, configure.group);
        let answer = Err(format!("what it comes to on the device was not approved: `{id}` is {}", row.state.as_str()));
        self.follow(org, &mut None, vec![Follow::Configured { device, group, reaction, answer }])?;
        self.take_turns(org, None, &[], left.into_iter().collect())
    }
}

/// Which change an approval is about, and the hash of what it comes to.
fn awaited(content: &str) -> Option<(ReactionId, String)> {
    let content: Value = serde_json::from_str(content).ok()?;
    let text = |pointer: &str| content.pointer(pointer).and_then(Value::as_str);
    Some((text("/reaction")?.parse().ok()?, text("/difference/sha256")?.to_owned()))
}

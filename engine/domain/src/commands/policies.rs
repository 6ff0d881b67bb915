//! A policy that failed judges again what it failed on.
//!
//! Its present text runs, on its subject as it is now: whoever asks has mended the one or the other.

use linesman_rules::{Failure, SubjectKind};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::PolicyRun;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{ApprovalId, IncidentId, OrgName};
use serde_json::{Value, json};

use super::Answer;
use crate::activations::held::HeldSubject;
use crate::approvals::{self, Approval};
use crate::contracts::ContractSubject;
use crate::desk::Desk;
use crate::devices::Devices;
use crate::incidents::history;
use crate::intelligence::matching;
use crate::quotas::QuotaSubject;
use crate::reached::{ReachedSubject, SwitchSubject};
use crate::silence::DeviceSubject;
use crate::subject::{AuditRecord, Incident, IntelligenceMessage};
use crate::{Error, audit, contracts, incidents, intelligence, reached};

/// What became of a policy that was to judge again.
pub(crate) enum Again {
    /// It ran.
    Done,
    /// It failed once more.
    Failed(Failure),
    /// It is not there, or does not match.
    NoMatch,
}

/// What a policy failed on, as it is now.
pub(crate) enum Failed {
    /// An incident, or its case.
    Incident(Box<Incident>),
    /// An intelligence message.
    Message(Box<IntelligenceMessage>),
    /// A record of the audit.
    Record(Box<AuditRecord>),
    /// An approval.
    Approval(Box<Approval>),
    /// A device.
    Device(Box<DeviceSubject>),
    /// A device that is reached.
    Reached(Box<ReachedSubject>),
    /// A device that makes no snapshots of its own any more.
    Switched(Box<SwitchSubject>),
    /// A device by whose answer the rest of a change is held.
    Held(Box<HeldSubject>),
    /// A contract.
    Contract(Box<ContractSubject>),
    /// A quota.
    Quota(Box<QuotaSubject>),
}

/// What a policy failed on; none where there is no such thing any more.
pub(crate) fn subject(desk: &Desk, devices: &Devices, org: &OrgName, run: &PolicyRun) -> Result<Option<Failed>, Error> {
    let kind = SubjectKind::of(run.trigger);
    match kind {
        SubjectKind::Message => {
            let Some(mut message) = intelligence::find(desk, org, &run.about)? else { return Ok(None) };
            if desk.is_at(matching::LEVEL) {
                message.affected = Some(matching::affected(desk, org, &message.message.relevance)?);
            }
            return Ok(Some(Failed::Message(Box::new(message))));
        }
        SubjectKind::Record => {
            let record = run.about.parse().ok().map(|index| audit::find(desk, org, index)).transpose()?.flatten();
            return Ok(record.map(|record| Failed::Record(Box::new(AuditRecord::new(record)))));
        }
        SubjectKind::Approval => {
            // INVARIANT (tenants): one of the provider's is nothing of the organization's.
            let is_its = |id: &ApprovalId| id.org == *org && !id.is_providers;
            let id: Option<ApprovalId> = run.about.parse().ok().filter(is_its);
            let Some(id) = id else { return Ok(None) };
            let row = approvals::find(desk, &id)?;
            return Ok(row.map(|row| Failed::Approval(Box::new(Approval::new(&id, row)))));
        }
        SubjectKind::Device if matches!(run.trigger, Trigger::DeviceStateChanged | Trigger::ConfigurationDrifted) => {
            return Ok(reached::find(desk, org, &run.about)?.map(|device| Failed::Reached(Box::new(device))));
        }
        SubjectKind::Device if run.trigger == Trigger::CollectionSwitched => {
            return Ok(reached::find_switched(desk, org, &run.about)?.map(|device| Failed::Switched(Box::new(device))));
        }
        SubjectKind::Device if run.trigger == Trigger::ConfigurationHeld => {
            let device = HeldSubject::find(desk, devices, org, &run.about)?;
            return Ok(device.map(|device| Failed::Held(Box::new(device))));
        }
        SubjectKind::Device => {
            let row = devices.find(desk, org, &run.about)?;
            return Ok(row.map(|row| Failed::Device(Box::new(DeviceSubject::new(&run.about, row)))));
        }
        SubjectKind::Contract => {
            let contract = contracts::find(desk, devices, org, &run.about)?;
            return Ok(contract.map(|contract| Failed::Contract(Box::new(contract))));
        }
        // What runs out is the provider's, and policies are run again in organizations.
        SubjectKind::Expiry => return Ok(None),
        // The router looks at what is counted.
        SubjectKind::Quota => return Ok(None),
        SubjectKind::Incident | SubjectKind::Update => {}
    }
    let id: Option<IncidentId> = run.about.parse().ok().filter(|id: &IncidentId| id.org == *org);
    let Some(mut incident) = id.map(|id| incidents::find(desk, devices, &id)).transpose()?.flatten() else {
        return Ok(None);
    };
    incident.kind = kind;
    if run.trigger == Trigger::IncidentChanged {
        let Some(changed) = history::told_by(desk, &incident, &run.event)? else { return Ok(None) };
        incident.changed = Some(Box::new(changed));
    }
    let has_all = kind != SubjectKind::Update || incident.case.is_some();
    Ok(has_all.then(|| Failed::Incident(Box::new(incident))))
}

/// What is said of it; none where there was nothing to judge.
pub(crate) fn answer(org: &OrgName, run: &PolicyRun, judged: Option<Again>) -> Answer {
    let answer = match judged {
        None => {
            let detail = format!("`{org}` has nothing named `{}` for {}", run.about, run.trigger);
            Answer::refused(Verdict::NotFound, detail)
        }
        Some(Again::NoMatch) => {
            let detail = format!("no policy `{}` matches `{}` on {}", run.policy, run.about, run.trigger);
            Answer::refused(Verdict::Conflict, detail)
        }
        Some(Again::Failed(failure)) => Answer::refused(Verdict::Conflict, format!("it failed again: {failure}")).run(),
        Some(Again::Done) => Answer::done("run", Value::Null, json!(PolicyRun { letter: None, ..run.clone() })).run(),
    };
    answer.about(&run.about)
}

//! Approvals: what is done only once somebody has approved it. What is kept of each is exactly what is carried out then;
//! where that would come to something else by then, it is asked for anew.
//!
//! Which commands can need approval stands in `kind`; what each comes to beside its own words, `router/approvals.rs` finds
//! out. Here are the rows, which of them are pending, and what is said of them.

mod row;
mod subject;

use std::collections::BTreeMap;

use jiff::ToSpan;
use linesman_schemas::approval::{ApprovalData, ApprovalId, ApprovalKind, ApprovalRule, ApprovalRules, TIMEOUT_MOST_H};
use linesman_schemas::command::{Case, Command, Subscription, Verb};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{IncidentId, OrgName, Place};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Error;
use super::desk::Desk;
use super::organizations::Organizations;
use super::outgoing::Topic;
use super::policies::Fired;
use super::state::State;
use super::timers::{self, Timer};
pub(crate) use row::read_key;
pub use row::{APPROVALS, ApprovalRow, ApprovalState, DecisionRow, OutcomeRow, key, within};
pub(crate) use subject::Approval;

/// From which engine level on something can need approval.
pub const LEVEL: u32 = 10;

/// Where approvals come to stand, as they are counted: asked for, and then how that ended.
pub const STATES: [&str; 5] = [
    ASKED,
    ApprovalState::Approved.as_str(),
    ApprovalState::Rejected.as_str(),
    ApprovalState::Expired.as_str(),
    ApprovalState::Changed.as_str(),
];
const ASKED: &str = "asked";

/// How many approvals of an organization may be pending.
pub(crate) const PENDING_MOST: usize = 1_000;

/// Why it needs approval: so the settings have it.
const BY_SETTINGS: &str = "settings";
/// Why it needs approval: so its organization has it.
const BY_ORGANIZATION: &str = "organization";

/// As what a command can need approval, if it can.
pub(crate) fn kind(verb: &Verb) -> Option<ApprovalKind> {
    match verb {
        Verb::Case(Case::Forward(_)) => Some(ApprovalKind::ForwardCase),
        Verb::Subscription(Subscription::Activate(_)) => Some(ApprovalKind::ActivateService),
        // One that is made or changed can be activated by the same command.
        Verb::Subscription(Subscription::Set(settings)) => {
            let activates = settings.active == Some(true) || settings.schedule.is_some();
            activates.then_some(ApprovalKind::ActivateService)
        }
        _ => None,
    }
}

/// What something needs, and why: the strictest of what the settings, the organization and a policy say.
pub(crate) fn needed(
    desk: &Desk,
    organizations: &Organizations,
    org: &OrgName,
    kind: ApprovalKind,
    of_policy: Option<(ApprovalRule, &str)>,
) -> (ApprovalRule, Vec<String>) {
    let of_organization = organizations.row(org).map_or(ApprovalRules::default(), |row| row.approvals.into()).of(kind);
    let said = [
        (desk.settings.approvals.rules.of(kind), BY_SETTINGS.to_owned()),
        (of_organization, BY_ORGANIZATION.to_owned()),
    ];
    let of_policy = of_policy.map(|(rule, name)| (rule, format!("policy {name}")));
    let said: Vec<_> = said.into_iter().chain(of_policy).filter(|(rule, _)| *rule != ApprovalRule::None).collect();
    let strictest = said.iter().map(|(rule, _)| *rule).max().unwrap_or_default();
    (strictest, said.into_iter().map(|(_, why)| why).collect())
}

/// What is asked for, and is to be approved.
pub(crate) struct Wanted<'a> {
    pub(crate) command: &'a Command,
    pub(crate) kind: ApprovalKind,
    pub(crate) rule: ApprovalRule,
    pub(crate) reasons: Vec<String>,
    /// What it comes to beside its own words.
    pub(crate) content: Value,
    pub(crate) about: String,
    /// Who granted whoever asks their rights.
    pub(crate) chain: Vec<String>,
}

/// What was asked for.
pub(crate) struct Asked {
    /// The approval.
    pub(crate) id: ApprovalId,
    /// What policies are to judge, where it was not pending before.
    pub(crate) new: Option<(Fired, Approval)>,
}

/// By what is known again what is to be carried out.
pub(crate) fn hash(verb: &Value, content: &Value) -> [u8; 32] {
    Sha256::digest(json!({"command": verb, "content": content}).to_string()).into()
}

/// One that is pending.
#[derive(Debug, Clone)]
struct Pending {
    sha256: [u8; 32],
    /// What is asked for, in JSON.
    verb: String,
    is_two_person: bool,
}

/// How many an organization has had, and which are pending.
#[derive(Debug, Clone, Default)]
struct Known {
    last: u64,
    pending: BTreeMap<u64, Pending>,
}

/// The approvals of a lane.
#[derive(Debug, Default)]
pub(crate) struct Approvals {
    known: BTreeMap<OrgName, Known>,
    withheld: Withheld,
}

/// The cases of one input that a policy wanted approved, and could not even ask it for.
#[derive(Debug, Default)]
struct Withheld {
    sequence: u64,
    incidents: Vec<IncidentId>,
}

impl Approvals {
    /// Reads them.
    pub(crate) fn open(state: &State) -> Result<Self, Error> {
        let mut all = Self::default();
        for row in APPROVALS.rows(state, &[]) {
            let (own, row) = row?;
            let Some((org, number)) = row::read_own(&own) else { continue };
            all.note(&org, number, &row);
        }
        Ok(all)
    }

    fn note(&mut self, org: &OrgName, number: u64, row: &ApprovalRow) {
        let known = self.known.entry(org.clone()).or_default();
        known.last = known.last.max(number);
        if row.state == ApprovalState::Pending {
            let pending = Pending { sha256: row.sha256, verb: row.verb.clone(), is_two_person: row.is_two_person };
            known.pending.insert(number, pending);
        } else {
            known.pending.remove(&number);
        }
    }

    /// A policy wanted that forwarding a case is approved, and could not ask for it: on this input nobody else sends it.
    pub(crate) fn withhold(&mut self, sequence: u64, incident: &IncidentId) {
        if self.withheld.sequence != sequence {
            self.withheld = Withheld { sequence, incidents: Vec::new() };
        }
        self.withheld.incidents.push(incident.clone());
    }

    /// Whether that is so.
    pub(crate) fn withholds(&self, sequence: u64, incident: &IncidentId) -> bool {
        self.withheld.sequence == sequence && self.withheld.incidents.contains(incident)
    }

    /// Whether something is asked for and pending, whoever asked and whatever it came to.
    pub(crate) fn has_pending(&self, org: &OrgName, verb: &Verb) -> Result<bool, Error> {
        let Some(known) = self.known.get(org) else { return Ok(false) };
        let verb = serde_json::to_string(verb)?;
        Ok(known.pending.values().any(|pending| pending.verb == verb))
    }

    /// Asks for approval; the one that is pending for the very same is as good, if it is as strict. What is new, with what
    /// policies are to judge; none where there are too many.
    pub(crate) fn ask(&mut self, desk: &mut Desk, org: &OrgName, wanted: Wanted<'_>) -> Result<Option<Asked>, Error> {
        let Wanted { command, kind, rule, reasons, content, about, chain } = wanted;
        let verb = serde_json::to_value(&command.verb)?;
        let sha256 = hash(&verb, &content);
        let is_two_person = rule == ApprovalRule::TwoPerson;
        let known = self.known.entry(org.clone()).or_default();
        let same = known
            .pending
            .iter()
            .find(|(_, pending)| pending.sha256 == sha256 && (pending.is_two_person || !is_two_person));
        if let Some((number, _)) = same {
            return Ok(Some(Asked { id: ApprovalId { org: org.clone(), number: *number }, new: None }));
        }
        if known.pending.len() >= PENDING_MOST {
            return Ok(None);
        }
        let id = ApprovalId { org: org.clone(), number: known.last + 1 };
        let hours = i64::try_from(desk.settings.approvals.timeout_h.clamp(1, TIMEOUT_MOST_H)).unwrap_or(1);
        let place = command.verb.place(Some(org)).unwrap_or_else(|| Place::Organization(org.clone()));
        let row = ApprovalRow {
            kind,
            is_two_person,
            reasons,
            operation: command.verb.operation().to_owned(),
            about,
            place: place.to_string(),
            verb: serde_json::to_string(&command.verb)?,
            content: content.to_string(),
            sha256,
            principal: serde_json::to_string(&command.principal)?,
            actor: command.principal.to_string(),
            chain,
            node: command.node.clone(),
            command: command.id.as_str().to_owned(),
            asked: desk.now,
            due: desk.now.checked_add(hours.hours()).unwrap_or(jiff::Timestamp::MAX),
            on_timeout: desk.settings.approvals.on_timeout,
            state: ApprovalState::Pending,
            decision: None,
            outcome: None,
            instead: None,
        };
        timers::arm_at(desk, row.due, &Timer::Approval(key(org, id.number).as_bytes()))?;
        self.keep(desk, &id, &row)?;
        desk.tally.approval(kind.as_str(), ASKED);
        let fired = tell(desk, &id, &row)?;
        let subject = Approval::new(&id, row);
        Ok(Some(Asked { id, new: Some((fired, subject)) }))
    }

    /// Writes one.
    pub(crate) fn keep(&mut self, desk: &mut Desk, id: &ApprovalId, row: &ApprovalRow) -> Result<(), Error> {
        desk.write(key(&id.org, id.number), row)?;
        self.note(&id.org, id.number, row);
        Ok(())
    }

    /// Writes one that is decided.
    pub(crate) fn decide(&mut self, desk: &mut Desk, id: &ApprovalId, row: &ApprovalRow) -> Result<(), Error> {
        timers::disarm(desk, row.due, &Timer::Approval(key(&id.org, id.number).as_bytes()))?;
        desk.tally.approval(row.kind.as_str(), row.state.as_str());
        self.keep(desk, id, row)
    }
}

/// Says that something awaits approval.
fn tell(desk: &mut Desk, id: &ApprovalId, row: &ApprovalRow) -> Result<Fired, Error> {
    let trigger = Trigger::ApprovalRequired;
    desk.tally.trigger(trigger.as_str());
    let data = ApprovalData {
        id,
        kind: row.kind,
        operation: &row.operation,
        about: &row.about,
        place: &row.place,
        actor: &row.actor,
        reasons: &row.reasons,
        two_person: row.is_two_person,
        sha256: &hex::encode(row.sha256),
        asked: row.asked,
        due: row.due,
        on_timeout: row.on_timeout,
    };
    let about = id.to_string();
    let event = desk.say(&Topic::Trigger(id.org.clone(), trigger), &id.org, Some(&about), data)?;
    Ok(Fired { trigger, event, about, is_providers: false })
}

/// An approval that is kept.
pub(crate) fn find(desk: &Desk, id: &ApprovalId) -> Result<Option<ApprovalRow>, Error> {
    desk.read(&key(&id.org, id.number))
}

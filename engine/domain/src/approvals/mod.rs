//! Approvals: what is done only once somebody has approved it. What is kept of each is exactly what is carried out then;
//! where that would come to something else by then, it is asked for anew.
//!
//! One of an organization's doings is the organization's. Whether a message is sent is at the provider's discretion, so the
//! approval of it is the provider's.
//!
//! INVARIANT (tenants): of an approval of the provider's the organization that it is asked of learns nothing. It has a number
//! of its own, stands on the provider's record and is said to the provider alone.
//!
//! Which commands can need approval stands in `kind`; what each comes to beside its own words, `router/approvals.rs` finds
//! out. Here are the rows, which of them are pending, and what is said of them.

mod pending;
mod row;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use linesman_schemas::approval::{ApprovalData, ApprovalId, ApprovalKind, ApprovalRule, ApprovalRules, TIMEOUT_MOST_H};
use linesman_schemas::command::{Case, Command, ScriptVerb, Sending, Subscription, Verb};
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
use super::table::{self, Table};
use super::timers::{self, Timer};
use pending::Known;
#[cfg(test)]
pub(crate) use pending::OWN_MOST;
pub(crate) use row::read_key;
pub use row::{APPROVALS, ApprovalRow, ApprovalState, DecisionRow, OutcomeRow, id_of, key, within};
pub(crate) use subject::Approval;

/// From which engine level on something can need approval.
pub const LEVEL: u32 = 10;

/// From which engine level on whoever asks has an approval of their own, and everybody by whose doing something is asked for is
/// among those who asked.
pub(crate) const ASKERS: u32 = 11;

/// From which engine level on it is asked for that a message is sent; what needed that was refused before.
pub const SENDINGS: u32 = 12;

/// Where approvals come to stand, as they are counted: asked for, and then how that ended.
pub const STATES: [&str; 5] = [
    ASKED,
    ApprovalState::Approved.as_str(),
    ApprovalState::Rejected.as_str(),
    ApprovalState::Expired.as_str(),
    ApprovalState::Changed.as_str(),
];
const ASKED: &str = "asked";

/// How many approvals of an organization may be pending; from level [`ASKERS`] on of each kind, those of people and others
/// apart.
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
        Verb::Sending(Sending::Send(_)) => Some(ApprovalKind::SendIntelligence),
        // With the scripts each device of the group has the configuration group by which it runs them.
        Verb::Scripts(ScriptVerb::Install(_)) => Some(ApprovalKind::ConfigureDevice),
        _ => None,
    }
}

/// Whether approvals of a kind are the provider's.
pub(crate) const fn is_providers(kind: ApprovalKind) -> bool {
    match kind {
        ApprovalKind::SendIntelligence => true,
        ApprovalKind::ForwardCase | ApprovalKind::ActivateService | ApprovalKind::ConfigureDevice => false,
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
    let said =
        [(desk.settings.approvals.of(kind), BY_SETTINGS.to_owned()), (of_organization, BY_ORGANIZATION.to_owned())];
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
    /// The logins by whose doing it is asked for.
    pub(crate) askers: BTreeSet<String>,
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

/// The approvals of a lane.
#[derive(Debug, Default)]
pub(crate) struct Approvals {
    /// By organization, those of its own and those of the provider's (`true`).
    known: BTreeMap<(OrgName, bool), Known>,
    withheld: Withheld,
}

/// The cases of one input that a policy wanted approved, and could not even ask it for.
#[derive(Debug, Default)]
struct Withheld {
    sequence: u64,
    incidents: Vec<IncidentId>,
}

impl Approvals {
    /// Reads how many there are, and those that are pending: these have a timer each.
    pub(crate) fn open(state: &State) -> Result<Self, Error> {
        let mut all = Self::default();
        for org in table::heads(state, &APPROVALS.prefix(&[], &[]))? {
            let Ok(org) = org.parse::<OrgName>() else { continue };
            for is_providers in [false, true] {
                let known = Known::behind(row::last(state, &org, is_providers)?);
                all.known.insert((org.clone(), is_providers), known);
            }
        }
        for key in timers::of_approvals(state) {
            let Some(id) = read_key(&key?) else { continue };
            if let Some(row) = Table::read(state, &row::key(&id))? {
                all.note(&id, &row);
            }
        }
        Ok(all)
    }

    fn note(&mut self, id: &ApprovalId, row: &ApprovalRow) {
        self.known(&id.org, id.is_providers).note(id.number, row);
    }

    fn known(&mut self, org: &OrgName, is_providers: bool) -> &mut Known {
        self.known.entry((org.clone(), is_providers)).or_default()
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

    /// Whether something of an organization's doings is asked for and pending, whoever asked and whatever it came to.
    pub(crate) fn has_pending(&self, org: &OrgName, verb: &Verb) -> Result<bool, Error> {
        let Some(known) = self.known.get(&(org.clone(), false)) else { return Ok(false) };
        Ok(known.has(&serde_json::to_string(verb)?))
    }

    /// Asks for approval; the one that is pending for the very same is as good, if it is as strict, and from level 11 on if
    /// it was asked for by the same principal. What is new, with what policies are to judge; why not where there are too many.
    pub(crate) fn ask(
        &mut self,
        desk: &mut Desk,
        org: &OrgName,
        wanted: Wanted<'_>,
    ) -> Result<Result<Asked, String>, Error> {
        let Wanted { command, kind, rule, reasons, content, about, chain, mut askers } = wanted;
        let sha256 = hash(&serde_json::to_value(&command.verb)?, &content);
        let (verb, principal) = (serde_json::to_string(&command.verb)?, serde_json::to_string(&command.principal)?);
        let is_two_person = rule == ApprovalRule::TwoPerson;
        let is_own = desk.is_at(ASKERS);
        let is_providers = is_providers(kind);
        let mut same = Vec::new();
        for number in self.known(org, is_providers).same(&verb, &sha256) {
            let id = ApprovalId::new(org.clone(), is_providers, number);
            same.extend(find(desk, &id)?.map(|row| (id, row)));
        }
        let answers =
            |row: &ApprovalRow| (row.is_two_person || !is_two_person) && (!is_own || row.principal == principal);
        let found = same.iter().find(|(_, row)| answers(row)).map(|(id, _)| id.clone());
        let asker = command.principal.login();
        if !is_own {
            askers.clear();
        } else {
            askers.extend(asker.as_ref().map(ToString::to_string));
            // Whoever has asked for the very same is nobody else, whichever of them is decided.
            for (id, row) in &mut same {
                let before = row.askers.len();
                row.askers
                    .extend(askers.iter().filter(|login| !row.askers.contains(login)).cloned().collect::<Vec<_>>());
                if row.askers.len() != before {
                    self.keep(desk, id, row)?;
                }
                askers.extend(row.askers.iter().cloned());
            }
        }
        if let Some(id) = found {
            return Ok(Ok(Asked { id, new: None }));
        }
        let known = self.known(org, is_providers);
        let is_full = match is_own {
            true => known.refusal(org, kind, asker.as_ref()),
            false => (known.count() >= PENDING_MOST)
                .then(|| format!("`{org}` has {PENDING_MOST} approvals pending; decide some of them first")),
        };
        if let Some(detail) = is_full {
            return Ok(Err(detail));
        }
        let id = ApprovalId::new(org.clone(), is_providers, known.last() + 1);
        let hours = i64::try_from(desk.settings.approvals.timeout_h.clamp(1, TIMEOUT_MOST_H)).unwrap_or(1);
        // What is at the provider's discretion is asked for an organization all the same.
        let place = command.verb.place(Some(org)).filter(|_| !is_providers);
        let place = place.unwrap_or_else(|| Place::Organization(org.clone()));
        let row = ApprovalRow {
            kind,
            is_two_person,
            reasons,
            operation: command.verb.operation().to_owned(),
            about,
            place: place.to_string(),
            verb,
            content: content.to_string(),
            sha256,
            principal,
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
            askers: askers.into_iter().collect(),
        };
        timers::arm_at(desk, row.due, &Timer::Approval(key(&id).as_bytes()))?;
        self.keep(desk, &id, &row)?;
        desk.tally.approval(kind.as_str(), ASKED);
        let fired = tell(desk, &id, &row)?;
        let subject = Approval::new(&id, row);
        Ok(Ok(Asked { id, new: Some((fired, subject)) }))
    }

    /// Writes one.
    pub(crate) fn keep(&mut self, desk: &mut Desk, id: &ApprovalId, row: &ApprovalRow) -> Result<(), Error> {
        desk.write(key(id), row)?;
        self.note(id, row);
        Ok(())
    }

    /// Writes one that is decided.
    pub(crate) fn decide(&mut self, desk: &mut Desk, id: &ApprovalId, row: &ApprovalRow) -> Result<(), Error> {
        timers::disarm(desk, row.due, &Timer::Approval(key(id).as_bytes()))?;
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
    let told = if id.is_providers { OrgName::provider() } else { id.org.clone() };
    let event = desk.say(&Topic::Trigger(told.clone(), trigger), &told, Some(&about), data)?;
    Ok(Fired { trigger, event, about, is_providers: id.is_providers })
}

/// An approval that is kept.
pub(crate) fn find(desk: &Desk, id: &ApprovalId) -> Result<Option<ApprovalRow>, Error> {
    desk.read(&key(id))
}

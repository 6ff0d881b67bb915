//! The way of what needs approval: asked for, decided, carried out as it was asked for.
//!
//! ```text
//!  command, policy, routing --> needs approval? --> kept, `approval.required`
//!                                                      |-- approved --> comes to the same? --> carried out as whoever asked
//!                                                      |                        \-- no --> asked for anew
//!                                                      |-- rejected
//!                                                      \-- nobody in time --> as the settings had it
//! ```

use std::collections::BTreeSet;
use std::rc::Rc;

use linesman_rules::Policy;
use linesman_schemas::approval::{ApprovalId, ApprovalKind, ApprovalRule, OnTimeout};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{
    Approval as ApprovalVerb, ApprovalDecision, Case, CaseName, Command, Handling, MessageName, ScriptVerb, Sending,
    Subscription, Verb,
};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{CommandId, OrgName, Principal};
use serde_json::{Value, json};

use crate::activations::pushes;
use crate::approvals::{self, ApprovalRow, ApprovalState, Asked, DecisionRow, OutcomeRow, Wanted};
use crate::cases::cascade;
use crate::commands::{self, Answer, Ground};
use crate::dead_letters::policy_dead;
use crate::desk::Desk;
use crate::organizations::Standing;
use crate::policies::Fired;
use crate::rights::{self, Ruling};
use crate::subject::Incident;
use crate::{Domain, Error, intelligence, places, reactions, scripts, subscriptions};

/// Why a message is not sent that needs approval, below level [`approvals::SENDINGS`].
const UNSENT: &str = "messages that need approval are not sent: this engine does not ask for it yet";

/// A policy that asks, and what it says is needed.
pub(super) struct ByPolicy<'a> {
    pub(super) policy: &'a Policy,
    pub(super) fired: &'a Rc<Fired>,
    pub(super) rule: ApprovalRule,
}

// Asking.
impl Domain {
    /// What a command is answered that needs approval, which is asked for; none where it is to be carried out, or is refused
    /// there whatever anybody approves.
    pub(super) fn await_approval(
        &mut self,
        org: &OrgName,
        command: &Command,
        by: Option<&ByPolicy<'_>>,
    ) -> Result<Option<Answer>, Error> {
        if let Verb::Sending(Sending::Send(_)) = command.verb
            && !self.desk.is_at(approvals::SENDINGS)
        {
            return Ok(match self.needed(org, ApprovalKind::SendIntelligence, by) {
                Err(refused) => Some(*refused),
                Ok(None) => None,
                Ok(Some(_)) => Some(Answer::refused(Verdict::Conflict, UNSENT)),
            });
        }
        let Some(kind) = approvals::kind(&command.verb) else { return Ok(None) };
        match self.needed(org, kind, by) {
            Err(refused) => Ok(Some(*refused)),
            Ok(None) => Ok(None),
            Ok(Some(needed)) => {
                let Some(content) = self.comes_to(org, command)? else { return Ok(None) };
                if self.desk.is_at(approvals::ASKERS)
                    && let Verb::Subscription(verb) = &command.verb
                    && let Some(refused) = self.refused_subscription(command, verb)?
                {
                    return Ok(Some(refused));
                }
                let askers = self.desk.doers.clone();
                self.ask_approval(org, (command, askers), kind, needed, content).map(Some)
            }
        }
    }

    /// What something needs, and why; none where it needs nothing, and why it is not done at all where a policy says that it
    /// needs what there is not.
    pub(super) fn needed(
        &self,
        org: &OrgName,
        kind: ApprovalKind,
        by: Option<&ByPolicy<'_>>,
    ) -> Result<Option<(ApprovalRule, Vec<String>)>, Box<Answer>> {
        let desk = &self.desk;
        let is_there = desk.is_at(approvals::LEVEL) && desk.mode.has_proxies();
        let asks = by.is_some_and(|by| by.rule != ApprovalRule::None);
        if !is_there && !asks {
            return Ok(None);
        }
        if !is_there {
            let detail = match desk.is_at(approvals::LEVEL) {
                true => format!("`require_approval` needs mode `partner`; the mode is `{}`", desk.mode),
                false => format!("`require_approval` takes engine level {}", approvals::LEVEL),
            };
            return Err(Box::new(Answer::refused(Verdict::Conflict, detail)));
        }
        let of_policy = by.map(|by| (by.rule, by.policy.name().as_str()));
        let (rule, reasons) = approvals::needed(desk, &self.organizations, org, kind, of_policy);
        if rule == ApprovalRule::None {
            return Ok(None);
        }
        // INVARIANT (an end): policies that hear of approvals ask for none.
        if let Some(by) = by.filter(|by| is_of_approvals(desk, by.fired.trigger)) {
            let detail = format!("what needs approval is not asked for on `{}`", by.fired.trigger.as_str());
            return Err(Box::new(Answer::refused(Verdict::Conflict, detail)));
        }
        Ok(Some((rule, reasons)))
    }

    /// What a command comes to beside its own words: what is approved with it. None where it is refused as things stand,
    /// which carrying it out tells.
    fn comes_to(&self, org: &OrgName, command: &Command) -> Result<Option<Value>, Error> {
        match &command.verb {
            Verb::Case(Case::Forward(CaseName { incident })) if incident.org == *org => {
                let Some(incident) = self.incident(incident)? else { return Ok(None) };
                let known = (&self.managers, &self.organizations);
                if commands::incidents::refusal(&self.desk, known, &incident, command)?.is_some() {
                    return Ok(None);
                }
                Ok(cascade::forwards(&self.desk, &self.organizations, &incident).ok())
            }
            Verb::Subscription(verb) => self.activates(command, verb),
            Verb::Scripts(ScriptVerb::Install(installation)) => {
                scripts::comes_to(&self.desk, &self.organizations, org, installation)
            }
            Verb::Sending(Sending::Send(MessageName { id })) => {
                let is_active = self.organizations.row(org).is_some_and(|row| row.standing == Standing::Active);
                if is_active { intelligence::sent::comes_to(&self.desk, org, id) } else { Ok(None) }
            }
            _ => Ok(None),
        }
    }

    /// Which service becomes configuration, in which version.
    fn activates(&self, command: &Command, verb: &Subscription) -> Result<Option<Value>, Error> {
        let (state, place) = (self.desk.state(), verb.at());
        if !places::is_within(state, place)? {
            return Ok(None);
        }
        let (service, version) = match verb {
            Subscription::Activate(activation) => {
                let Some((made, row)) = subscriptions::seen(state, place, &activation.name)? else { return Ok(None) };
                let known = self.managers.known(&self.desk);
                let ruling = rights::may_activate(&known, &command.principal, (&made, place), self.desk.now)?;
                if ruling != Ruling::Allowed {
                    return Ok(None);
                }
                (row.service, row.version)
            }
            Subscription::Set(settings) => {
                if commands::subscriptions::refusal(&self.desk, &self.managers, command, settings)?.is_some() {
                    return Ok(None);
                }
                match self.desk.read(&subscriptions::key(place, &settings.name))? {
                    Some(row) => (row.service, row.version),
                    None => match self.services.find(&settings.service) {
                        Some(offer) => (settings.service.clone(), offer.version.clone()),
                        None => return Ok(None),
                    },
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(json!({"service": service, "version": version})))
    }

    /// Asks for approval, and lets policies hear of it.
    pub(super) fn ask_approval(
        &mut self,
        org: &OrgName,
        (command, askers): (&Command, BTreeSet<String>),
        kind: ApprovalKind,
        (rule, reasons): (ApprovalRule, Vec<String>),
        content: Value,
    ) -> Result<Answer, Error> {
        let effective = rights::effective(&self.managers.known(&self.desk), &command.principal, self.desk.now)?;
        let chain = effective.unwrap_or_default().chain.iter().map(ToString::to_string).collect();
        let about = commands::audit::subject(Some(org), &command.verb).unwrap_or_default();
        let wanted = Wanted { command, kind, rule, reasons, content, about: about.clone(), chain, askers };
        let Asked { id, new } = match self.approvals.ask(&mut self.desk, org, wanted)? {
            Ok(asked) => asked,
            Err(detail) => return Ok(Answer::refused(Verdict::Conflict, detail)),
        };
        if let Some((fired, subject)) = new {
            self.judge(org, fired, subject)?;
        }
        Ok(Answer::awaiting(&id).about(&about))
    }

    /// Whether a case that was reported is not forwarded now: a policy, or how its organization has it, wants that, and it
    /// needs approval; or it is not done at all. `incident` is in hand, and need not be written yet.
    pub(super) fn awaits_forwarding(
        &mut self,
        org: &OrgName,
        incident: &Incident,
        by: Option<&ByPolicy<'_>>,
    ) -> Result<bool, Error> {
        let kind = ApprovalKind::ForwardCase;
        let needed = match self.needed(org, kind, by) {
            Ok(None) => return Ok(false),
            Ok(Some(needed)) => Ok(needed),
            Err(refused) => Err(refused),
        };
        let Ok(content) = cascade::forwards(&self.desk, &self.organizations, incident) else { return Ok(false) };
        let (principal, text) = match by {
            Some(by) => {
                if !reactions::may_react(&mut self.desk, org, by.policy, by.fired)? {
                    self.approvals.withhold(self.desk.sequence, &incident.id);
                    return Ok(true);
                }
                let principal = Principal::Policy { name: by.policy.name().clone(), organization: Some(org.clone()) };
                (principal, format!("{}~{}", by.fired.event, self.desk.decided_reactions))
            }
            None => (Principal::Configuration, format!("{}~forward", incident.name)),
        };
        let Ok(id) = text.parse::<CommandId>() else { return Ok(true) };
        let verb = Verb::Case(Case::Forward(CaseName { incident: incident.id.clone() }));
        let command = Command { id, principal, node: String::new(), verb };
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &command.principal)?;
        let answer = match needed {
            Ok(needed) => {
                let askers = self.desk.doers.clone();
                self.ask_approval(org, (&command, askers), kind, needed, content)?
            }
            Err(refused) => *refused,
        };
        let refused = (!answer.is_awaiting()).then(|| answer.detail().to_owned());
        commands::conclude(&mut self.desk, Some(org), true, &command, answer, ground)?;
        if let (Some(detail), Some(by)) = (refused, by) {
            self.approvals.withhold(self.desk.sequence, &incident.id);
            policy_dead(&mut self.desk, org, by.policy, by.fired, format!("refused: {detail}"), None)?;
        }
        Ok(true)
    }

    /// Whether it is not to be said now who solves a case that nobody has said it of: it is to be forwarded, and that awaits
    /// approval.
    pub(super) fn awaits_routing(&mut self, org: &OrgName, incident: &Incident) -> Result<bool, Error> {
        let verb = Verb::Case(Case::Forward(CaseName { incident: incident.id.clone() }));
        if self.approvals.has_pending(org, &verb)? || self.approvals.withholds(self.desk.sequence, &incident.id) {
            return Ok(true);
        }
        let handling = self.organizations.row(org).map_or(Handling::Forward, |row| row.handling);
        match handling {
            Handling::Forward => self.awaits_forwarding(org, incident, None),
            Handling::Own => Ok(false),
        }
    }
}

// Deciding.
impl Domain {
    /// Somebody approves or rejects, or by its time-out the engine itself does.
    pub(super) fn decide_approval(
        &mut self,
        org: &OrgName,
        command: &Command,
        verb: &ApprovalVerb,
    ) -> Result<Answer, Error> {
        let id = verb.approval();
        let found = if id.org == *org { approvals::find(&self.desk, id)? } else { None };
        let Some(row) = found else { return Ok(nothing(id)) };
        let is_timeout = command.principal == Principal::Machine;
        let is_two_person = row.is_two_person || self.is_tightened(org, row.kind);
        if let Some(refused) = self.undecidable(id, (&row, is_two_person), &command.principal) {
            return Ok(refused.about(id));
        }
        let asker: Principal = serde_json::from_str(&row.principal)?;
        let asked = Command {
            id: id_of(id, "approval")?,
            principal: asker,
            node: row.node.clone(),
            verb: serde_json::from_str(&row.verb)?,
        };
        let decision = DecisionRow {
            by: command.principal.to_string(),
            at: self.desk.now,
            comment: verb.decision().comment.clone(),
        };
        let old = shown(&row);
        let state = match (is_timeout, verb) {
            (true, _) => ApprovalState::Expired,
            (false, ApprovalVerb::Approve(_)) => ApprovalState::Approved,
            (false, ApprovalVerb::Reject(_)) => ApprovalState::Rejected,
        };
        let mut decided = ApprovalRow { state, decision: Some(decision), ..row };
        if let ApprovalVerb::Reject(_) = verb {
            self.approvals.decide(&mut self.desk, id, &decided)?;
            if decided.kind == ApprovalKind::ConfigureDevice {
                self.push_rejected(org, id, &decided)?;
            }
            return Ok(Answer::done("rejected", old, shown(&decided)).about(id));
        }
        // INVARIANT (what was approved is what is carried out): where it would come to something else, it is asked for anew.
        if approvals::kind(&asked.verb).is_none() {
            // A change on its way to a device, which nobody asked for by itself: what it comes to the device holds against what
            // was approved.
            return self.decide_push(org, (id, decided), &asked, old);
        }
        let content = self.comes_to(org, &asked)?;
        let is_same = |content: &Value| {
            serde_json::to_value(&asked.verb).is_ok_and(|verb| approvals::hash(&verb, content) == decided.sha256)
        };
        if let Some(content) = content.filter(|content| !is_same(content)) {
            return self.ask_anew(org, (id, decided), (&asked, content), old);
        }
        let deciders = self.done_by(&decided.askers);
        let (verdict, detail) = self.carry_out_approved(org, &asked)?;
        self.desk.doers.extend(deciders);
        let said = match verdict {
            Verdict::Done => "approved".to_owned(),
            _ => format!("approved, and then refused: {detail}"),
        };
        decided.outcome = Some(OutcomeRow { verdict, detail });
        self.approvals.decide(&mut self.desk, id, &decided)?;
        Ok(Answer::done(&said, old, shown(&decided)).about(id))
    }

    /// What others have asked for is their doing, and not that of whoever decides it: these are for what follows of the decision.
    fn done_by(&mut self, askers: &[String]) -> BTreeSet<String> {
        let is_of_others = askers.iter().any(|asker| !self.desk.doers.contains(asker));
        let askers = askers.iter().cloned();
        if self.desk.is_at(pushes::LEVEL) && is_of_others {
            return std::mem::replace(&mut self.desk.doers, askers.collect());
        }
        self.desk.doers.extend(askers);
        BTreeSet::new()
    }

    /// What a change comes to on a device is approved.
    fn decide_push(
        &mut self,
        org: &OrgName,
        (id, mut decided): (&ApprovalId, ApprovalRow),
        asked: &Command,
        old: Value,
    ) -> Result<Answer, Error> {
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &asked.principal)?;
        let answer = self.push_approved(org, id, &decided.content)?;
        let (verdict, detail) = answer.told();
        commands::conclude(&mut self.desk, Some(org), true, asked, answer, ground)?;
        let said = match verdict {
            Verdict::Done => "approved".to_owned(),
            _ => format!("approved, and then refused: {detail}"),
        };
        decided.outcome = Some(OutcomeRow { verdict, detail });
        self.approvals.decide(&mut self.desk, id, &decided)?;
        Ok(Answer::done(&said, old, shown(&decided)).about(id))
    }

    /// Why an approval is not decided: it is, or its time is over; or who asked would.
    fn undecidable(
        &self,
        id: &ApprovalId,
        (row, is_two_person): (&ApprovalRow, bool),
        who: &Principal,
    ) -> Option<Answer> {
        if row.state != ApprovalState::Pending {
            let detail = format!("`{id}` is {} already", row.state.as_str());
            return Some(Answer::refused(Verdict::Conflict, detail));
        }
        let is_over = self.desk.now >= row.due;
        let login = match who {
            Principal::Machine if is_over => return None,
            Principal::Machine => {
                return Some(Answer::refused(Verdict::Conflict, format!("the time of `{id}` is not over")));
            }
            who => who.login(),
        };
        if is_over {
            return Some(Answer::refused(Verdict::Conflict, format!("the time of `{id}` is over")));
        }
        let Some(login) = login else {
            return Some(Answer::refused(Verdict::Forbidden, format!("`{who}` is nobody who approves")));
        };
        if !is_two_person {
            return None;
        }
        let detail = if row.asker().as_ref() == Some(&login) {
            format!("`{who}` asked for it: `{id}` takes two persons, so somebody else decides it")
        } else if row.askers.contains(&login.to_string()) {
            format!("`{who}` had it asked for: `{id}` takes two persons, so somebody else decides it")
        } else {
            return None;
        };
        Some(Answer::refused(Verdict::Forbidden, detail))
    }

    /// Whether something that is asked for would take two persons, were it asked for now.
    fn is_tightened(&self, org: &OrgName, kind: ApprovalKind) -> bool {
        let needed = || self.needed(org, kind, None).ok().flatten().map(|(rule, _)| rule);
        self.desk.is_at(approvals::ASKERS) && needed() == Some(ApprovalRule::TwoPerson)
    }

    /// It would come to something else by now: that is to be approved.
    fn ask_anew(
        &mut self,
        org: &OrgName,
        (id, decided): (&ApprovalId, ApprovalRow),
        (asked, content): (&Command, Value),
        old: Value,
    ) -> Result<Answer, Error> {
        let stood = if decided.is_two_person { ApprovalRule::TwoPerson } else { ApprovalRule::OnePerson };
        let (rule, mut reasons) = match self.needed(org, decided.kind, None) {
            Ok(Some(needed)) => needed,
            Ok(None) | Err(_) => (ApprovalRule::None, Vec::new()),
        };
        let known: Vec<String> = decided.reasons.iter().filter(|why| !reasons.contains(why)).cloned().collect();
        reasons.extend(known);
        let gone = ApprovalRow { state: ApprovalState::Changed, decision: None, ..decided };
        self.approvals.decide(&mut self.desk, id, &gone)?;
        let command = Command { id: id_of(id, "anew")?, ..asked.clone() };
        // Whoever has worded the message meanwhile had that asked for.
        let worded = match &asked.verb {
            Verb::Sending(verb) => self.desk.read(&intelligence::sent::key(org, verb.message()))?,
            _ => None,
        };
        let worded = worded.map(|row| row.associated_by).filter(|by| !commands::is_policy(by));
        let askers = gone.askers.iter().cloned().chain(worded).collect();
        let answer = self.ask_approval(org, (&command, askers), gone.kind, (rule.max(stood), reasons), content)?;
        let anew: Option<ApprovalId> = answer.detail().parse().ok();
        let gone = ApprovalRow { instead: anew.as_ref().map(|anew| anew.number), ..gone };
        self.approvals.keep(&mut self.desk, id, &gone)?;
        let detail = match &anew {
            Some(anew) => {
                format!("what `{id}` would do has changed since it was asked for: `{anew}` awaits approval now")
            }
            None => answer.detail().to_owned(),
        };
        Ok(Answer::refused(Verdict::Conflict, detail).changing(old, shown(&gone)).about(id))
    }

    /// Carries out what was approved, as whoever asked for it: by the rights they have now.
    fn carry_out_approved(&mut self, org: &OrgName, asked: &Command) -> Result<(Verdict, String), Error> {
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &asked.principal)?;
        let refused = match self.policy_gone(&asked.principal) {
            Some(gone) => Some(gone),
            None => commands::refusal(&self.desk, &self.managers, Some(org), asked)?,
        };
        let answer = match refused {
            Some(refused) => refused,
            None => self.carry_out(org, asked)?,
        };
        let became = answer.told();
        let is_known = !is_told_to_provider(asked);
        let told = commands::conclude(&mut self.desk, Some(org), is_known, asked, answer, ground)?;
        // INVARIANT (an end): what policies wish is heard by none, be it done at once or once it is approved.
        let is_heard = !self.desk.is_at(approvals::ASKERS) || !matches!(asked.principal, Principal::Policy { .. });
        if let Some(told) = told.filter(|_| is_heard) {
            self.hear(org, told)?;
        }
        Ok(became)
    }

    /// Why what a policy asked for is not done: there is no such policy any more.
    fn policy_gone(&self, asker: &Principal) -> Option<Answer> {
        let Principal::Policy { name, .. } = asker else { return None };
        let is_gone = self.desk.is_at(approvals::ASKERS) && !self.policies.has(name);
        is_gone
            .then(|| Answer::refused(Verdict::Conflict, format!("the policy `{name}`, which asked for it, is no more")))
    }

    /// What nobody has decided in time is decided as the settings had it when it was asked for.
    pub(super) fn lapse(&mut self, due: Vec<ApprovalId>) -> Result<(), Error> {
        for id in due {
            let org = id.org.clone();
            let Some(row) = approvals::find(&self.desk, &id)? else { continue };
            let decision = ApprovalDecision { approval: id.clone(), comment: String::new() };
            let verb = match row.on_timeout {
                OnTimeout::Reject => ApprovalVerb::Reject(decision),
                OnTimeout::Approve => ApprovalVerb::Approve(decision),
            };
            let (id, verb) = (id_of(&id, "timeout")?, Verb::Approval(verb));
            let command = Command { id, principal: Principal::Machine, node: String::new(), verb };
            let ground = Ground::of(&self.desk, &self.managers, &self.books, &command.principal)?;
            let answer = self.carry_out(&org, &command)?;
            self.settle_command(Some(&org), &command, answer, ground)?;
        }
        Ok(())
    }
}

/// Whether a trigger tells of approvals: that one is asked for, or from level [`approvals::ASKERS`] on that it is decided.
fn is_of_approvals(desk: &Desk, trigger: Trigger) -> bool {
    match trigger {
        Trigger::ApprovalRequired => true,
        Trigger::Audit(operation) if desk.is_at(approvals::ASKERS) => {
            matches!(operation.as_str(), "approve-approval" | "reject-approval")
        }
        _ => false,
    }
}

/// Whether what becomes of a command that is asked of an organization is told to the provider alone.
///
/// INVARIANT (tenants): so are what is done with the provider's messages, and what is decided of the provider's approvals. What
/// somebody of the organization's tries of those is on its own record, as of any that there are not.
pub(super) fn is_told_to_provider(command: &Command) -> bool {
    match &command.verb {
        Verb::Sending(_) => true,
        Verb::Approval(verb) => verb.approval().is_providers && is_of_provider(&command.principal),
        _ => false,
    }
}

/// Whether somebody is one of the provider's, or the engine itself.
const fn is_of_provider(who: &Principal) -> bool {
    match who {
        Principal::Provider { .. } | Principal::Configuration | Principal::Machine | Principal::Policy { .. } => true,
        Principal::Manager { .. } | Principal::EndCustomer { .. } => false,
    }
}

fn nothing(id: &ApprovalId) -> Answer {
    Answer::refused(Verdict::NotFound, format!("there is no approval `{id}`"))
}

/// The id of a command that is made of an approval.
fn id_of(id: &ApprovalId, what: &str) -> Result<CommandId, Error> {
    let text = format!("{what}:{id}");
    // Names and numbers are printable, and far shorter than an id may be.
    text.parse().map_err(|_| Error::Page(text))
}

/// What the audit shows of an approval.
fn shown(row: &ApprovalRow) -> Value {
    json!({
        "state": row.state.as_str(),
        "operation": row.operation,
        "about": row.about,
        "actor": row.actor,
        "sha256": hex::encode(row.sha256),
        "comment": row.decision.as_ref().map(|decision| decision.comment.as_str()).filter(|text| !text.is_empty()),
        "outcome": row.outcome.as_ref().map(|outcome| outcome.verdict.as_str()),
        "instead": row.instead,
    })
}

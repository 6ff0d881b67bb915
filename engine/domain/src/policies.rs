//! Triggers, and what policies make of them.
//!
//! Filters come first, natively, from the index over all policies; only matching ones enter Rhai.
//! Every policy sees the subject as it was when the trigger fired; their intents are applied in the
//! order of the policies' names. A policy that fails has none of its intents applied.

use std::rc::Rc;
use std::sync::Arc;

use linesman_rules::{Failure, Intent, Policy, Subject, SubjectKind};
use linesman_schemas::dead_letter::LineColumn;
use linesman_schemas::reaction::Reaction;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{CommandId, OrgName, PolicyName};
use serde_json::Value;

use super::outgoing::Topic;
use super::rows::Status;
use super::subject::Incident;
use super::{Domain, Error};

/// How many reactions policies may decide on one input: each may be a subject and so a message of
/// its own, and a batch of OUT holds at most 1,000.
const REACTIONS_MOST: usize = 400;

/// A trigger that has fired.
pub(super) struct Fired {
    pub(super) trigger: Trigger,
    /// Id of its event.
    pub(super) event: String,
    /// What it is about: an incident, or an intelligence message's id.
    pub(super) about: String,
}

/// What became of a policy that was to judge again.
pub(super) enum Again {
    /// It ran.
    Done,
    /// It failed once more.
    Failed(Failure),
    /// It is not there, or does not match.
    NoMatch,
}

/// Why something is done.
#[derive(Clone, Copy)]
pub(super) enum Cause<'a> {
    /// A policy wants it.
    Policy(&'a Policy, &'a Fired),
    /// Somebody asks for it.
    Command(&'a CommandId),
}

impl<'a> Cause<'a> {
    pub(super) fn policy(self) -> Option<&'a PolicyName> {
        match self {
            Self::Policy(policy, _) => Some(policy.name()),
            Self::Command(_) => None,
        }
    }

    /// Id of the trigger's event.
    pub(super) fn trigger(self) -> Option<&'a str> {
        match self {
            Self::Policy(_, fired) => Some(&fired.event),
            Self::Command(_) => None,
        }
    }

    pub(super) fn command(self) -> Option<&'a CommandId> {
        match self {
            Self::Policy(..) => None,
            Self::Command(id) => Some(id),
        }
    }
}

impl Domain {
    /// Fires a trigger on an incident: says it, and applies what policies make of it.
    pub(super) fn fire(&mut self, trigger: Trigger, incident: &mut Incident) -> Result<(), Error> {
        let org = incident.id.org.clone();
        let topic = Topic::Trigger(org.clone(), trigger);
        incident.kind = SubjectKind::of(trigger);
        self.tally.trigger(trigger.as_str());
        let event = match incident.case_data().filter(|_| incident.kind == SubjectKind::Update) {
            Some(data) => self.say(&topic, &org, Some(&incident.name), data)?,
            None => self.say(&topic, &org, Some(&incident.name), incident.data())?,
        };
        let matching = self.find_matching(&org, trigger, incident);
        if !matching.is_empty() {
            let subject: Rc<dyn Subject> = Rc::new(incident.clone());
            let fired = Fired { trigger, event, about: incident.name.clone() };
            for policy in &matching {
                self.run(&org, Some(incident), &subject, policy, &fired)?;
            }
        }
        self.matching = matching;
        Ok(())
    }

    /// Lets policies judge a subject that is no incident.
    pub(super) fn judge_message(
        &mut self,
        org: &OrgName,
        fired: &Fired,
        subject: &Rc<dyn Subject>,
    ) -> Result<(), Error> {
        let matching = self.find_matching(org, fired.trigger, &**subject);
        for policy in &matching {
            self.run(org, None, subject, policy, fired)?;
        }
        self.matching = matching;
        Ok(())
    }

    /// Lets the policy of that name alone judge a subject, if it matches it.
    pub(super) fn judge_again(
        &mut self,
        org: &OrgName,
        incident: Option<&mut Incident>,
        subject: &Rc<dyn Subject>,
        name: &PolicyName,
        fired: &Fired,
    ) -> Result<Again, Error> {
        let matching = self.find_matching(org, fired.trigger, &**subject);
        let again = match matching.iter().find(|policy| policy.name() == name) {
            Some(policy) => self.run(org, incident, subject, policy, fired)?.map_or(Again::Done, Again::Failed),
            None => Again::NoMatch,
        };
        self.matching = matching;
        Ok(again)
    }

    /// Lets a policy judge, and applies what it wants; where it fails, a dead letter says so and it is returned.
    fn run(
        &mut self,
        org: &OrgName,
        mut incident: Option<&mut Incident>,
        subject: &Rc<dyn Subject>,
        policy: &Policy,
        fired: &Fired,
    ) -> Result<Option<Failure>, Error> {
        match self.judge(policy, subject, org) {
            Ok(intents) => {
                for intent in intents {
                    self.apply_intent(org, incident.as_deref_mut(), policy, fired, intent)?;
                }
                Ok(None)
            }
            Err(failure) => {
                self.policy_failed(org, policy, fired, &failure)?;
                Ok(Some(failure))
            }
        }
    }

    /// The policies that match, in order of name, in the vector that is kept for it.
    fn find_matching(&mut self, org: &OrgName, trigger: Trigger, subject: &dyn Subject) -> Vec<Arc<Policy>> {
        let mut matching = std::mem::take(&mut self.matching);
        self.policies.matching(org, trigger, subject, &mut self.scratch, &mut matching);
        matching
    }

    fn judge(&self, policy: &Policy, subject: &Rc<dyn Subject>, org: &OrgName) -> Result<Vec<Intent>, Failure> {
        // An organization that fires a trigger exists; without one there is nothing to judge.
        let Some(view) = self.organizations.view(org) else { return Ok(Vec::new()) };
        self.judge.borrow_mut().react(policy, Rc::clone(subject), &view)
    }

    fn policy_failed(&mut self, org: &OrgName, policy: &Policy, fired: &Fired, failure: &Failure) -> Result<(), Error> {
        self.tally.policy_failure(failure.kind.as_str());
        let place = failure.line.map(|line| LineColumn { line, column: failure.column.unwrap_or(1) });
        let detail = format!("{}: {}", failure.kind.as_str(), failure.message);
        self.policy_dead(org, policy, fired, detail, place)
    }

    fn apply_intent(
        &mut self,
        org: &OrgName,
        incident: Option<&mut Incident>,
        policy: &Policy,
        fired: &Fired,
        intent: Intent,
    ) -> Result<(), Error> {
        let cause = Cause::Policy(policy, fired);
        match (intent, incident) {
            (Intent::SubmitCase(request), Some(incident)) => self.open_case(incident, cause, request).map(drop),
            (Intent::SetPriority(priority), Some(incident)) => {
                incident.row.priority = priority;
                Ok(())
            }
            (Intent::Assign(owner), Some(incident)) => {
                incident.row.status = if owner.is_empty() { Status::Unassigned } else { Status::Assigned };
                incident.row.owner = owner;
                Ok(())
            }
            (Intent::Notify(_) | Intent::Publish { .. }, _) if self.reactions >= REACTIONS_MOST => {
                let detail = format!("intents: policies decided more than {REACTIONS_MOST} reactions on one input");
                self.policy_dead(org, policy, fired, detail, None)
            }
            (Intent::Notify(notification), incident) => {
                self.reactions += 1;
                self.notify(org, incident.as_deref(), cause, notification)
            }
            (Intent::Publish { name, data }, incident) => {
                self.reactions += 1;
                let id = self.next_reaction(org);
                let about = incident.as_deref().map(|incident| &incident.id);
                let name: Arc<str> = name.into();
                let reaction = Reaction {
                    id: &id,
                    policy: cause.policy(),
                    trigger: cause.trigger(),
                    command: cause.command(),
                    incident: about,
                    action: &Value::Object(data),
                };
                self.tally.reaction("publish".into());
                let subject = incident.as_deref().map(|incident| incident.name.as_str());
                self.say(&Topic::Reaction(org.clone(), name), org, subject, reaction).map(drop)
            }
            // The rules refuse these where there is no incident.
            (Intent::SubmitCase(_) | Intent::SetPriority(_) | Intent::Assign(_), None) => Ok(()),
        }
    }
}

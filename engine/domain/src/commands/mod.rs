//! Commands: what the configuration and people ask for. Each is done once, audited, and its outcome kept.
//!
//! | room | what |
//! |---|---|
//! | here | once only; who may; outcome and audit |
//! | `organizations` | an organization itself |
//! | `incidents`, `cases` | incidents and their notes; their cases |
//! | `policies` | a policy judges again |
//! | `engine` | the engine itself, asked by the provider |

mod cases;
mod engine;
mod incidents;
mod organizations;
mod policies;

use linesman_schemas::OrgName;
use linesman_schemas::audit::{Audit, Verdict};
use linesman_schemas::command::{Case, Command, Input as InputVerb, Organization, Policy, Verb};
use linesman_schemas::dead_letter::Reason;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::input::Input;
use super::outgoing::Topic;
use super::rows::{CommandRow, Standing, key};
use super::timers::Timer;
use super::{Domain, Error, rights};

/// How long a command's outcome is kept, in hours of log time.
const OUTCOME_HOURS: i64 = 24;

/// What became of a command.
struct Answer {
    verdict: Verdict,
    detail: String,
    /// What it was about, where that is not the organization.
    about: Option<String>,
    /// What it changed, before and after; null for nothing.
    old: Value,
    new: Value,
}

impl Answer {
    fn done(detail: &str, old: Value, new: Value) -> Self {
        Self { verdict: Verdict::Done, detail: detail.to_owned(), about: None, old, new }
    }

    fn refused(verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { verdict, detail: detail.into(), about: None, old: Value::Null, new: Value::Null }
    }

    fn about(self, about: &impl ToString) -> Self {
        Self { about: Some(about.to_string()), ..self }
    }

    /// Asked of an organization what is asked of the provider, or the other way round.
    fn misplaced(verb: &Verb, org: Option<&OrgName>) -> Self {
        let whom = if org.is_some() { "an organization" } else { "the provider" };
        Self::refused(Verdict::Invalid, format!("`{}` is not asked of {whom}", verb.as_str()))
    }
}

/// By what a command is known again: SHA-256 of what it asks for, in JSON.
///
/// # Errors
/// It has no form in JSON.
pub fn asked(verb: &Verb) -> Result<[u8; 32], serde_json::Error> {
    Ok(Sha256::digest(serde_json::to_vec(verb)?).into())
}

impl Domain {
    /// Does a command once: said again under the same id it changes nothing.
    pub(super) fn apply_command(&mut self, command: &Command, input: &Input<'_>) -> Result<(), Error> {
        let org: Option<OrgName> = match input.org {
            "" if self.lane == 0 => None,
            "" => {
                self.tally.input("ctl", "dead");
                let detail = "commands of the provider are decided on lane 0";
                return self.provider_dead(input, Reason::CommandUndecodable, detail, None);
            }
            name => match name.parse() {
                Ok(org) => Some(org),
                Err(error) => {
                    let error: linesman_schemas::name::NameError = error;
                    return self.dead(None, input, Reason::UnknownOrganization, &error.to_string(), None);
                }
            },
        };
        let org = org.as_ref();
        let key = key::command(org, command.id.as_str());
        if self.state.read(&key)?.is_some() {
            self.tally.input("cmd", "repeated");
            return Ok(());
        }
        let answer = match command.verb.check() {
            Ok(()) => self.carry_out(org, command)?,
            Err(fault) => Answer::refused(Verdict::Invalid, fault.to_string()),
        };
        self.tally.input("cmd", if answer.verdict == Verdict::Done { "done" } else { "refused" });
        let outcome = CommandRow {
            verdict: answer.verdict,
            detail: answer.detail.clone(),
            asked: asked(&command.verb)?,
            decided: self.position.now,
        };
        self.state.write(key, &outcome)?;
        self.arm(OUTCOME_HOURS, &Timer::ForgetCommand(org, command.id.as_str()))?;
        self.audit(org, command, answer, input.sequence)
    }

    /// Does what is asked of the organization, or without one of the provider, if whoever asks may.
    fn carry_out(&mut self, org: Option<&OrgName>, command: &Command) -> Result<Answer, Error> {
        let Some(scope) = command.verb.scope(org) else { return Ok(Answer::misplaced(&command.verb, org)) };
        // Level 1 had one principal, who might do everything.
        if self.is_at(2) {
            let ruling = rights::may(&command.principal, command.verb.needs(), &scope);
            if !ruling.is_allowed {
                return Ok(Answer::refused(Verdict::Forbidden, ruling.reason));
            }
        }
        match org {
            Some(org) => self.carry_out_within(org, command),
            None => Ok(self.carry_out_for_provider(command)),
        }
    }

    fn carry_out_for_provider(&self, command: &Command) -> Answer {
        match &command.verb {
            Verb::Engine(verb) => self.ask_engine(verb),
            verb @ (Verb::Organization(_) | Verb::Incident(_) | Verb::Case(_) | Verb::Policy(_) | Verb::Input(_)) => {
                Answer::misplaced(verb, None)
            }
        }
    }

    fn carry_out_within(&mut self, org: &OrgName, command: &Command) -> Result<Answer, Error> {
        let standing = self.organizations.row(org).map(|row| row.standing);
        match (&command.verb, standing) {
            (Verb::Organization(verb @ Organization::Set(_)), None) => self.ask_organization(org, verb),
            (_, None) => Ok(Answer::refused(Verdict::NotFound, format!("there is no organization `{org}`"))),
            (Verb::Case(Case::Submit(_)) | Verb::Policy(Policy::Run(_)), Some(Standing::Suspended)) => {
                Ok(Answer::refused(Verdict::Conflict, format!("the organization `{org}` is suspended")))
            }
            (Verb::Organization(verb), Some(_)) => self.ask_organization(org, verb),
            (Verb::Incident(verb), Some(_)) => self.ask_incident(org, command, verb),
            (Verb::Case(verb), Some(_)) => self.ask_case(org, command, verb),
            (Verb::Policy(Policy::Run(run)), Some(_)) => self.run_policy(org, run),
            (Verb::Input(InputVerb::Replay(replay)), Some(_)) => {
                Ok(Answer::done("replayed", Value::Null, json!(replay)).about(&replay.event))
            }
            (verb @ Verb::Engine(_), Some(_)) => Ok(Answer::misplaced(verb, Some(org))),
        }
    }

    /// Says what became of a command: to its organization, or to the provider where there is none.
    fn audit(&mut self, org: Option<&OrgName>, command: &Command, answer: Answer, sequence: u64) -> Result<(), Error> {
        let known = org.filter(|org| self.organizations.row(org).is_some());
        if known.is_none() && !self.is_at(2) {
            return Ok(());
        }
        let audit = Audit {
            command: command.id.clone(),
            actor: command.principal.to_string(),
            principal: self.is_at(2).then(|| command.principal.clone()),
            node: command.node.clone(),
            verdict: answer.verdict,
            outcome: answer.detail,
            old: answer.old,
            new: answer.new,
        };
        let operation = command.verb.as_str();
        match known {
            Some(org) => self.say(&Topic::Audit(org.clone(), operation), org, answer.about.as_deref(), audit).map(drop),
            None => {
                let id = self.provider_event_id(sequence);
                let about = org.map(OrgName::as_str).or(answer.about.as_deref());
                self.outgoing.event(&Topic::ProviderAudit(operation), &id, about, self.position.now, audit)
            }
        }
    }
}

//! Commands: what the configuration and people ask for. Each is done once, audited, and its outcome kept.
//!
//! | room | what |
//! |---|---|
//! | here | organizations; once only; outcome and audit |
//! | `incidents` | incidents, their notes and their cases |
//! | `replay` | what was set aside, once more |

mod incidents;
mod replay;

use linesman_schemas::OrgName;
use linesman_schemas::audit::{Audit, Verdict};
use linesman_schemas::command::{Command, OrganizationSettings, Verb};
use linesman_schemas::dead_letter::Reason;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::input::Input;
use super::outgoing::Topic;
use super::rows::{CommandRow, OrgRow, Standing, key};
use super::timers::Timer;
use super::{Domain, Error};

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
        let org: OrgName = match input.org.parse() {
            Ok(org) => org,
            Err(error) => {
                let error: linesman_schemas::name::NameError = error;
                return self.dead(None, input, Reason::UnknownOrganization, &error.to_string(), None);
            }
        };
        let key = key::command(&org, command.id.as_str());
        if self.state.read(&key)?.is_some() {
            self.tally.input("cmd", "repeated");
            return Ok(());
        }
        let answer = match command.verb.check() {
            Ok(()) => self.carry_out(&org, command)?,
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
        self.arm(OUTCOME_HOURS, &Timer::ForgetCommand(&org, command.id.as_str()))?;
        self.audit(&org, command, answer)
    }

    fn carry_out(&mut self, org: &OrgName, command: &Command) -> Result<Answer, Error> {
        if let Verb::SetOrganization(settings) = &command.verb {
            return self.set_organization(org, settings);
        }
        let Some(row) = self.organizations.row(org) else {
            return Ok(Answer::refused(Verdict::NotFound, format!("there is no organization `{org}`")));
        };
        let is_suspended = row.standing == Standing::Suspended;
        match &command.verb {
            Verb::SetOrganization(settings) => self.set_organization(org, settings),
            Verb::SuspendOrganization => self.suspend_organization(org, false),
            Verb::UnloadOrganization => self.suspend_organization(org, true),
            Verb::SubmitCase(_) | Verb::RunPolicy(_) if is_suspended => {
                Ok(Answer::refused(Verdict::Conflict, format!("the organization `{org}` is suspended")))
            }
            Verb::RunPolicy(run) => self.run_policy(org, run),
            Verb::ReplayInput(replay) => Ok(Answer::done("replayed", Value::Null, json!(replay)).about(&replay.event)),
            Verb::AssignIncident(_)
            | Verb::PrioritiseIncident(_)
            | Verb::CloseIncident(_)
            | Verb::ReopenIncident(_)
            | Verb::AnnotateIncident(_)
            | Verb::SubmitCase(_)
            | Verb::SaveCase(_) => self.change_incident(org, command),
        }
    }

    fn set_organization(&mut self, org: &OrgName, settings: &OrganizationSettings) -> Result<Answer, Error> {
        let old = self.organizations.row(org).cloned();
        self.change_organization(org, set(settings, old.as_ref()))?;
        let detail = if old.is_some() { "changed" } else { "created" };
        Ok(Answer::done(detail, shown(old.as_ref()), shown(self.organizations.row(org))))
    }

    fn suspend_organization(&mut self, org: &OrgName, is_unloaded: bool) -> Result<Answer, Error> {
        let old = self.organizations.row(org).cloned();
        if let Some(row) = old.clone() {
            let loaded = row.loaded.clone().filter(|_| !is_unloaded);
            self.change_organization(org, OrgRow { standing: Standing::Suspended, loaded, ..row })?;
        }
        Ok(Answer::done("suspended", shown(old.as_ref()), shown(self.organizations.row(org))))
    }

    fn change_organization(&mut self, org: &OrgName, row: OrgRow) -> Result<(), Error> {
        let is_suspended = row.standing == Standing::Suspended;
        self.organizations.set(org.clone(), row);
        self.review_pending(org, is_suspended)
    }

    /// Says what became of a command, if there is an organization to say it to.
    fn audit(&mut self, org: &OrgName, command: &Command, answer: Answer) -> Result<(), Error> {
        if self.organizations.row(org).is_none() {
            return Ok(());
        }
        let audit = Audit {
            command: command.id.clone(),
            actor: command.actor.clone(),
            node: command.node.clone(),
            verdict: answer.verdict,
            outcome: answer.detail,
            old: answer.old,
            new: answer.new,
        };
        self.say(&Topic::Audit(org.clone(), command.verb.as_str()), org, answer.about.as_deref(), audit).map(drop)
    }
}

fn set(settings: &OrganizationSettings, old: Option<&OrgRow>) -> OrgRow {
    OrgRow {
        display_name: settings.display_name.clone(),
        is_proxy: settings.is_proxy,
        filter_level: settings.filter_level,
        standing: Standing::Active,
        device_groups: settings.device_groups.clone(),
        loaded: settings.loaded.clone().or_else(|| old?.loaded.clone()),
        incidents: old.map_or(0, |old| old.incidents),
        events: old.map_or(0, |old| old.events),
        reactions: old.map_or(0, |old| old.reactions),
    }
}

/// What the audit shows of an organization.
fn shown(row: Option<&OrgRow>) -> Value {
    let Some(row) = row else { return Value::Null };
    json!({
        "display_name": row.display_name,
        "proxy": row.is_proxy,
        "filter_level": row.filter_level,
        "is_suspended": row.standing == Standing::Suspended,
        "device_groups": row.device_groups,
    })
}

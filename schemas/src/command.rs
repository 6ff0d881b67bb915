//! What people and programs ask for: `in.<org>.cmd.<verb>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reaction::FollowUp;
use crate::trigger::Trigger;
use crate::{CommandId, FilterLevel, IncidentId, PolicyName, Priority};

/// The longest name of an owner, in characters.
pub const OWNER_MOST: usize = 200;
/// The longest note or annotation, in characters.
pub const NOTE_MOST: usize = 4096;
/// The longest text of a case, in characters.
pub const CASE_TEXT_MOST: usize = 32 * 1024;
/// How many may be told of a case, and how many device groups or hosts of one there may be.
pub const LIST_MOST: usize = 1000;

/// A command. Its outcome is kept for a day of log time under its id: said again, it is not done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// Chosen by the sender.
    pub id: CommandId,
    /// Who asks.
    pub actor: String,
    /// The node that served the request.
    pub node: String,
    /// What is asked for.
    pub verb: Verb,
}

/// What a command asks for, of the organization its subject names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Create the organization, or change it and lift its suspension.
    SetOrganization(OrganizationSettings),
    /// Suspend it: its inputs become dead letters and its pending reactions are held.
    SuspendOrganization,
    /// The configuration names it no more: suspend it, and load it anew should it be named again.
    UnloadOrganization,
    /// Give an incident to somebody, or to nobody.
    AssignIncident(Assignment),
    /// Change how urgent an incident is.
    PrioritiseIncident(Prioritisation),
    /// An incident is completed.
    CloseIncident(Note),
    /// A completed incident is not.
    ReopenIncident(Note),
    /// Add a note to an incident.
    AnnotateIncident(Note),
    /// Open a case for an incident at the upstream.
    SubmitCase(CaseWish),
    /// Keep what is to be said of an incident's case, without opening it.
    SaveCase(CaseWish),
    /// Let a policy that failed judge again what it failed on.
    RunPolicy(PolicyRun),
    /// An input that was set aside has entered the log again, as a new one.
    ReplayInput(Replay),
}

impl Verb {
    /// The token in the subject.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::SetOrganization(_) => "set-organization",
            Self::SuspendOrganization => "suspend-organization",
            Self::UnloadOrganization => "unload-organization",
            Self::AssignIncident(_) => "assign-incident",
            Self::PrioritiseIncident(_) => "prioritise-incident",
            Self::CloseIncident(_) => "close-incident",
            Self::ReopenIncident(_) => "reopen-incident",
            Self::AnnotateIncident(_) => "annotate-incident",
            Self::SubmitCase(_) => "submit-case",
            Self::SaveCase(_) => "save-case",
            Self::RunPolicy(_) => "run-policy",
            Self::ReplayInput(_) => "replay-input",
        }
    }

    /// Whether every text and list of it is within its bounds.
    ///
    /// # Errors
    /// The first that is not, by its JSON pointer within the verb's own value.
    pub fn check(&self) -> Result<(), Fault> {
        match self {
            Self::SetOrganization(settings) => settings.check(),
            Self::AssignIncident(assignment) => label("/owner", &assignment.owner, OWNER_MOST),
            Self::CloseIncident(note) | Self::ReopenIncident(note) => text("/note", &note.note, NOTE_MOST),
            Self::AnnotateIncident(note) if note.note.trim_ascii().is_empty() => Err(Fault::new("/note", "is empty")),
            Self::AnnotateIncident(note) => text("/note", &note.note, NOTE_MOST),
            Self::SubmitCase(wish) | Self::SaveCase(wish) => wish.case.check(),
            Self::SuspendOrganization
            | Self::UnloadOrganization
            | Self::PrioritiseIncident(_)
            | Self::RunPolicy(_)
            | Self::ReplayInput(_) => Ok(()),
        }
    }
}

/// What of a command is beyond its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` {message}", pointer.trim_start_matches('/'))]
pub struct Fault {
    /// The JSON pointer of what is wrong (RFC 6901), within the verb's own value.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

impl Fault {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// A text of one line.
fn label(pointer: &str, value: &str, most: usize) -> Result<(), Fault> {
    if value.chars().any(char::is_control) {
        return Err(Fault::new(pointer, "has control characters"));
    }
    text(pointer, value, most)
}

fn text(pointer: &str, value: &str, most: usize) -> Result<(), Fault> {
    if value.chars().count() > most {
        return Err(Fault::new(pointer, format!("has more than {most} characters")));
    }
    match value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        true => Err(Fault::new(pointer, "has control characters")),
        false => Ok(()),
    }
}

fn list<T>(pointer: &str, items: &[T]) -> Result<(), Fault> {
    match items.len() > LIST_MOST {
        true => Err(Fault::new(pointer, format!("has more than {LIST_MOST} entries"))),
        false => Ok(()),
    }
}

/// Whose an incident becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assignment {
    /// The incident.
    pub incident: IncidentId,
    /// Whose; empty for nobody's.
    #[serde(default)]
    pub owner: String,
    /// Whether its owner has begun to work on it.
    #[serde(default)]
    pub in_progress: bool,
}

/// How urgent an incident becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Prioritisation {
    /// The incident.
    pub incident: IncidentId,
    /// How urgent.
    pub priority: Priority,
}

/// What somebody says of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// The incident.
    pub incident: IncidentId,
    /// What is said; may be empty where an incident is closed or reopened.
    #[serde(default)]
    pub note: String,
}

/// A case somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseWish {
    /// The incident it is for.
    pub incident: IncidentId,
    /// What is said of it.
    #[serde(default)]
    pub case: CaseWords,
}

/// What is said of a case; what is not given is taken from its draft, then from the incident.
/// Source: DOMAIN, "Incidents and cases".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CaseWords {
    /// One line on the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
    /// What the customer adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Who else hears of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cc: Option<Vec<String>>,
    /// How to keep in touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
}

impl CaseWords {
    fn check(&self) -> Result<(), Fault> {
        label("/case/synopsis", self.synopsis.as_deref().unwrap_or_default(), CASE_TEXT_MOST)?;
        text("/case/comments", self.comments.as_deref().unwrap_or_default(), CASE_TEXT_MOST)?;
        let cc = self.cc.as_deref().unwrap_or_default();
        list("/case/cc", cc)?;
        cc.iter().enumerate().try_for_each(|(at, name)| label(&format!("/case/cc/{at}"), name, OWNER_MOST))
    }
}

/// Which policy is to judge again, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRun {
    /// The policy; its present text runs.
    pub policy: PolicyName,
    /// The trigger it failed on.
    pub trigger: Trigger,
    /// Id of the trigger's event.
    pub event: String,
    /// What the event was about: an incident, or an intelligence message's id.
    pub about: String,
}

/// Which dead letter's input has entered the log again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// Id of the dead letter's event.
    pub event: String,
    /// Where the input that was set aside stands in IN.
    pub sequence: u64,
}

/// What can be set on an organization. Source: DOMAIN, "Organizations, groups, people".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationSettings {
    /// The name people see.
    pub display_name: String,
    /// Whether it stands for an end customer of the partner.
    pub is_proxy: bool,
    /// What may leave of its bundles.
    pub filter_level: FilterLevel,
    /// Its device groups; a device belongs to the first whose pattern its host name matches.
    #[serde(default)]
    pub device_groups: Vec<DeviceGroup>,
    /// Hash of the configuration this was read from; none when it was set otherwise, which leaves what the
    /// configuration last said as it is.
    #[serde(default)]
    pub loaded: Option<String>,
}

impl OrganizationSettings {
    fn check(&self) -> Result<(), Fault> {
        label("/display_name", &self.display_name, OWNER_MOST)?;
        list("/device_groups", &self.device_groups)?;
        for (at, group) in self.device_groups.iter().enumerate() {
            label(&format!("/device_groups/{at}/name"), &group.name, OWNER_MOST)?;
            list(&format!("/device_groups/{at}/devices"), &group.devices)?;
            for (device, name) in group.devices.iter().enumerate() {
                label(&format!("/device_groups/{at}/devices/{device}"), name, OWNER_MOST)?;
            }
        }
        Ok(())
    }
}

/// A group of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceGroup {
    /// Its name.
    pub name: String,
    /// Host names, `*` standing for any text.
    pub devices: Vec<String>,
}

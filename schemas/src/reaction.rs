//! What is to be done: the reactions connectors carry out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{CommandId, IncidentId, OrgName, PolicyName, Priority, ReactionId};

/// The synopsis that leaves instead of the real one while the filter level holds it back.
pub const WITHHELD: &str = "withheld by filter level";

/// What a connector does. Each variant belongs to the connector that [`Action::connector`] names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Open a case at the support system.
    SubmitCase(Box<CaseRequest>),
    /// Ask the support system which cases changed since `cursor` (none: since ever).
    PollCases {
        /// What the last poll answered.
        cursor: Option<String>,
    },
    /// Write a line to the operator's log.
    Log(LogLine),
}

impl Action {
    /// The connector that carries it out, as in `out.<org>.reaction.<connector>`.
    pub const fn connector(&self) -> &'static str {
        match self {
            Self::SubmitCase(_) | Self::PollCases { .. } => "jss",
            Self::Log(_) => "log",
        }
    }
}

/// How the support system keeps in touch. Source: DOMAIN, "Incidents and cases".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum FollowUp {
    /// Full text by mail.
    #[default]
    #[serde(rename = "Email Full Text Update")]
    EmailFullText,
    /// A link by mail.
    #[serde(rename = "Email Secure Web Link")]
    EmailLink,
    /// A call.
    #[serde(rename = "Phone Call")]
    Phone,
}

impl FollowUp {
    /// All methods with their exact spelling.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::EmailFullText, "Email Full Text Update"),
        (Self::EmailLink, "Email Secure Web Link"),
        (Self::Phone, "Phone Call"),
    ];
}

/// What leaves for the support system when a case is opened, already filtered: a field that the
/// organization's filter level holds back is `None` here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRequest {
    /// The incident, which is also the customer tracking number.
    pub incident: IncidentId,
    /// How urgent.
    pub priority: Priority,
    /// One line on the problem, or [`WITHHELD`].
    pub synopsis: String,
    /// What else `Send all information` lets out.
    pub details: Option<CaseDetails>,
}

/// The part of a case that leaves at `Send all information` only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseDetails {
    /// The device's own id of the event.
    pub host_event_id: String,
    /// The device's host name.
    pub host_name: String,
    /// Its chassis serial number.
    pub serial_number: String,
    /// Its model.
    pub product: String,
    /// Its system family.
    pub platform: String,
    /// The version of its operating system.
    pub os_version: String,
    /// The event type.
    pub event_type: String,
    /// The problem at length.
    pub description: String,
    /// What the customer adds.
    pub comments: String,
    /// Who else hears of it.
    pub cc: Vec<String>,
    /// How to keep in touch.
    pub follow_up: FollowUp,
}

/// A line for the operator's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// What is said.
    pub message: String,
    /// What it is said with.
    pub fields: Map<String, Value>,
}

/// A reaction as it stands on `out.<org>.reaction.<connector>`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Reaction<'a> {
    /// Its id, and the idempotency key of its effect.
    pub id: &'a ReactionId,
    /// The policy that decided it; none where a command did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<&'a PolicyName>,
    /// Id of the trigger event it answers; none where a command did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<&'a str>,
    /// The command that asked for it; none where a policy decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<&'a CommandId>,
    /// The incident it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<&'a IncidentId>,
    /// What is to be done.
    pub action: &'a Value,
}

/// A pending reaction as a connector gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The reaction.
    pub id: ReactionId,
    /// Whose it is; none for the provider's own.
    pub org: Option<OrgName>,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// What is to be done.
    pub action: Action,
}

//! What people and programs ask for: `in.<org>.cmd.<verb>`, and of the provider `p.0.ctl`.
//!
//! Verbs come in families, a file each: what a verb is called in subjects, its bounds, the right it needs.

mod address;
mod approval;
mod audit;
pub(crate) mod bounds;
mod case;
pub(crate) mod device;
mod engine;
mod gathering;
mod group;
mod incident;
mod intelligence;
mod manager;
mod organization;
mod place;
mod policy;
mod received;
mod replay;
mod rule_book;
mod scripts;
mod service;
mod session;
mod subscription;
#[cfg(test)]
mod tests;
mod token;
mod value;
mod wire;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CommandId, OrgName, Place, Principal};

pub use address::{
    ADDRESS_LINES_MOST, ADDRESS_NAME_MOST, AddressChanges, AddressGroup, CHANGES_MOST, CONTRACT_WORD_MOST, Contract,
    ContractChanges, DeviceAddresses,
};
pub use approval::{Approval, ApprovalDecision};
pub use audit::{Audit, CheckpointKept, Refusal, Refusals};
pub use bounds::{
    ADDRESS_MOST, CASE_LINK_MOST, CASE_REFERENCE_MOST, CASE_TEXT_MOST, CASE_WORD_MOST, DETAIL_MOST, Fault, LIST_MOST,
    NOTE_MOST, OWNER_MOST,
};
pub use case::{
    Case, CaseName, CaseOverride, CaseRemark, CaseWish, CaseWords, GivenUp, RemarkOrigin, Reported, UploadKept,
};
pub use device::{
    AfterCollection, CredentialsKind, DeviceName, DeviceSettings, DeviceUse, DeviceVerb, HostKeyPin, JmbErrorWish,
    UseKind,
};
pub use engine::{Engine, LevelRaise, LogLevelChange, PinChange};
pub use gathering::{Directives, DirectivesGroup, DirectivesName, Gathering};
pub use group::{DeviceGroupName, Group, GroupRemoval, GroupSettings};
pub use incident::{Assignment, Incident, Note, Prioritisation};
pub use intelligence::{Message, MessageGiven, MessageName, Sending, WORDING_MOST, Wording};
pub use manager::{HASH_MOST, Manager, ManagerRemoval, ManagerSettings, PasswordChange, SPHERE_MOST};
pub use organization::{
    CaseFile, CasesExport, ConnectionTried, CredentialsChange, DeviceGroup, Handling, Organization,
    OrganizationSettings, SNAPSHOT_LEAST_S, SubmitCaseAs, USER_MOST, Undoing,
};
pub use place::{PlaceRemoval, PlaceSettings, PlaceVerb, Tie};
pub use policy::{Policy, PolicyRun};
pub use received::{IntelligenceStanding, Received};
pub use replay::{Input, LetterRef, Replay};
pub use rule_book::{PlaceClearing, RuleBook, SectionLoad};
pub use scripts::{
    BUNDLE_MOST, BundleVersion, EventProfile, Overwritten, ProfileName, ProfiledEvent, ScriptBundle, ScriptFile,
    ScriptVerb, ScriptsInstallation, ScriptsPlan, ScriptsRemoval,
};
pub use service::{Rollout, Service};
pub use session::{Counting, Lockout, LoginRefusals, Session, SessionName, SessionOpening, TokenUse, Touch, Unnamed};
pub use subscription::{Activation, Deactivation, Subscription, SubscriptionPath, SubscriptionSettings};
pub use token::{Token, TokenIssue, TokenRevocation};
pub use value::{Localization, PARAMETER_MOST, SUBSTITUTION_MOST, SUBSTITUTIONS_MOST, ValueSettings, Values};

/// A command. Its outcome is kept for a day of log time under its id: said again, it is not done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "wire::Said", into = "wire::Said")]
pub struct Command {
    /// Chosen by the sender.
    pub id: CommandId,
    /// Who asks.
    pub principal: Principal,
    /// The node that served the request.
    pub node: String,
    /// What is asked for.
    pub verb: Verb,
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "wire::Tagged", into = "wire::Tagged")]
pub enum Verb {
    /// Of an organization.
    Organization(Organization),
    /// Of an incident.
    Incident(Incident),
    /// Of an incident's case.
    Case(Case),
    /// Of a policy.
    Policy(Policy),
    /// Of an input that was set aside.
    Input(Input),
    /// Of the engine.
    Engine(Engine),
    /// Of the rule book.
    RuleBook(RuleBook),
    /// Of a place.
    Place(PlaceVerb),
    /// Of a manager.
    Manager(Manager),
    /// Of a user group.
    Group(Group),
    /// Of an API token.
    Token(Token),
    /// Of sessions.
    Session(Session),
    /// Of an audit.
    Audit(Audit),
    /// Of the values of parameters.
    Values(Values),
    /// Of a subscription.
    Subscription(Subscription),
    /// Of a service.
    Service(Service),
    /// Of the provider's intelligence messages.
    Message(Message),
    /// Of a message of the provider's, for an organization.
    Sending(Sending),
    /// Of an intelligence message that an organization has received.
    Received(Received),
    /// Of an approval.
    Approval(Approval),
    /// Of a device that is reached.
    Device(DeviceVerb),
    /// Of a group of commands that are run on devices.
    Directives(Directives),
    /// Of scripts on devices.
    Scripts(ScriptVerb),
}

impl Verb {
    /// The token in subjects, and the operation in the audit.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Organization(verb) => verb.as_str(),
            Self::Incident(verb) => verb.as_str(),
            Self::Case(verb) => verb.as_str(),
            Self::Policy(verb) => verb.as_str(),
            Self::Input(verb) => verb.as_str(),
            Self::Engine(verb) => verb.as_str(),
            Self::RuleBook(verb) => verb.as_str(),
            Self::Place(verb) => verb.as_str(),
            Self::Manager(verb) => verb.as_str(),
            Self::Group(verb) => verb.as_str(),
            Self::Token(verb) => verb.as_str(),
            Self::Session(verb) => verb.as_str(),
            Self::Audit(verb) => verb.as_str(),
            Self::Values(verb) => verb.as_str(),
            Self::Subscription(verb) => verb.as_str(),
            Self::Service(verb) => verb.as_str(),
            Self::Message(verb) => verb.as_str(),
            Self::Sending(verb) => verb.as_str(),
            Self::Received(verb) => verb.as_str(),
            Self::Approval(verb) => verb.as_str(),
            Self::Device(verb) => verb.as_str(),
            Self::Directives(verb) => verb.as_str(),
            Self::Scripts(verb) => verb.as_str(),
        }
    }

    /// By what name it is looked up who may ask for it: its token, but of a section of the rule book `load-<section>`.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::RuleBook(verb) => verb.operation(),
            verb => verb.as_str(),
        }
    }

    /// What it touches, asked of the organization, or without one of the provider; none where it is not asked of
    /// such.
    pub fn place(&self, org: Option<&OrgName>) -> Option<Place> {
        match (self, org) {
            (Self::Engine(_) | Self::RuleBook(_) | Self::Group(_) | Self::Message(_), None) => Some(Place::Provider),
            (Self::Manager(_) | Self::Token(_) | Self::Session(_) | Self::Audit(_), None) => Some(Place::Provider),
            (Self::Place(verb), Some(org)) => match verb.path() {
                Some(path) => (path.organization == *org).then(|| Place::Below(path.clone())),
                None => Some(Place::Organization(org.clone())),
            },
            // At whose discretion they are sent.
            (Self::Sending(_), Some(_)) => Some(Place::Provider),
            (Self::Values(verb), Some(org)) => verb.place(org),
            (Self::Subscription(verb), Some(org)) => verb.place(org),
            (Self::Service(verb), Some(org)) => verb.place(org),
            (
                Self::Organization(_)
                | Self::Incident(_)
                | Self::Case(_)
                | Self::Policy(_)
                | Self::Input(_)
                | Self::Manager(_)
                | Self::Token(_)
                | Self::Session(_)
                | Self::Audit(_)
                | Self::Received(_)
                | Self::Device(_)
                | Self::Directives(_)
                | Self::Scripts(_)
                | Self::Approval(_),
                Some(org),
            ) => Some(Place::Organization(org.clone())),
            (Self::Engine(_) | Self::RuleBook(_) | Self::Group(_) | Self::Message(_), Some(_))
            | (
                Self::Organization(_)
                | Self::Incident(_)
                | Self::Case(_)
                | Self::Policy(_)
                | Self::Input(_)
                | Self::Place(_)
                | Self::Values(_)
                | Self::Subscription(_)
                | Self::Service(_)
                | Self::Sending(_)
                | Self::Received(_)
                | Self::Device(_)
                | Self::Directives(_)
                | Self::Scripts(_)
                | Self::Approval(_),
                None,
            ) => None,
        }
    }

    /// The subject on which it enters the log, asked of the organization; without one as `Control::Command`.
    pub fn subject(&self, org: Option<&OrgName>) -> String {
        match org {
            // The stream would hash `in._provider.>` to some lane; the provider's lane is 0.
            None => "p.0.ctl".to_owned(),
            Some(org) => format!("in.{org}.cmd.{}", self.as_str()),
        }
    }

    /// Whether every text and list of it is within its bounds.
    ///
    /// # Errors
    /// The first that is not, by its JSON pointer within the verb's own value.
    pub fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Organization(verb) => verb.check(),
            Self::Incident(verb) => verb.check(),
            Self::Case(verb) => verb.check(),
            Self::RuleBook(verb) => verb.check(),
            Self::Place(verb) => verb.check(),
            Self::Manager(verb) => verb.check(),
            Self::Group(verb) => verb.check(),
            Self::Token(verb) => verb.check(),
            Self::Session(verb) => verb.check(),
            Self::Audit(verb) => verb.check(),
            Self::Values(verb) => verb.check(),
            Self::Subscription(verb) => verb.check(),
            Self::Service(verb) => verb.check(),
            Self::Sending(verb) => verb.check(),
            Self::Received(verb) => verb.check(),
            Self::Approval(verb) => verb.check(),
            Self::Device(verb) => verb.check(),
            Self::Directives(verb) => verb.check(),
            Self::Scripts(verb) => verb.check(),
            Self::Engine(verb) => verb.check(),
            Self::Message(verb) => verb.check(),
            Self::Policy(_) | Self::Input(_) => Ok(()),
        }
    }
}

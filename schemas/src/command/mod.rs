//! What people and programs ask for: `in.<org>.cmd.<verb>`, and of the provider `p.0.ctl`.
//!
//! Verbs come in families, a file each: what a verb is called in subjects, its bounds, the right it needs.

mod bounds;
mod case;
mod engine;
mod incident;
mod organization;
mod policy;
mod replay;
mod rule_book;
#[cfg(test)]
mod tests;
mod wire;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CommandId, OrgName, Principal, Right, Scope};

pub use bounds::{CASE_TEXT_MOST, Fault, LIST_MOST, NOTE_MOST, OWNER_MOST};
pub use case::{Case, CaseWish, CaseWords};
pub use engine::{Engine, LevelRaise};
pub use incident::{Assignment, Incident, Note, Prioritisation};
pub use organization::{DeviceGroup, Organization, OrganizationSettings};
pub use policy::{Policy, PolicyRun};
pub use replay::{Input, Replay};
pub use rule_book::{RuleBook, SectionLoad};

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
        }
    }

    /// The right it takes to ask for it.
    pub const fn needs(&self) -> Right {
        match self {
            Self::Organization(verb) => verb.needs(),
            Self::Incident(verb) => verb.needs(),
            Self::Case(verb) => verb.needs(),
            Self::Policy(verb) => verb.needs(),
            Self::Input(verb) => verb.needs(),
            Self::Engine(verb) => verb.needs(),
            Self::RuleBook(verb) => verb.needs(),
        }
    }

    /// What it touches, asked of the organization, or without one of the provider; none where it is not asked of
    /// such.
    pub fn scope(&self, org: Option<&OrgName>) -> Option<Scope> {
        match (self, org) {
            (Self::Engine(_) | Self::RuleBook(_), None) => Some(Scope::Provider),
            (Self::Engine(_) | Self::RuleBook(_), Some(_))
            | (Self::Organization(_) | Self::Incident(_) | Self::Case(_) | Self::Policy(_) | Self::Input(_), None) => {
                None
            }
            (
                Self::Organization(_) | Self::Incident(_) | Self::Case(_) | Self::Policy(_) | Self::Input(_),
                Some(org),
            ) => Some(Scope::Organization(org.clone())),
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
            Self::Policy(_) | Self::Input(_) | Self::Engine(_) => Ok(()),
        }
    }
}

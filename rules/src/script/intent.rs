//! What a script sees of its organization, and what it may want done.

use linesman_schemas::reaction::FollowUp;
use linesman_schemas::{FilterLevel, OrgName, Priority};
use serde_json::{Map, Value};

/// The organization whose subject a policy judges: `org` in scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its token: `org.name`.
    pub name: OrgName,
    /// Its name for people: `org.display_name`.
    pub display_name: String,
    /// Whether it stands for a partner's end customer: `org.is_proxy`.
    pub is_proxy: bool,
    /// How much of a bundle may leave: `org.filter_level`, in its exact spelling.
    pub filter_level: FilterLevel,
}

/// Something a script wants done. The engine decides whether and how.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// `submit_case(...)`: open a case for the incident.
    SubmitCase(SubmitCase),
    /// `log(...)`: a line for the operator.
    Log {
        /// What is said.
        message: String,
        /// What it is said with.
        fields: Map<String, Value>,
    },
    /// `set_priority(...)`: change the incident's priority.
    SetPriority(Priority),
    /// `assign(...)`: give the incident to somebody.
    Assign(String),
    /// `publish(...)`: hand data to subscribers.
    Publish {
        /// A token of a subject, and neither `jss` nor `log`.
        name: String,
        /// The data.
        data: Map<String, Value>,
    },
}

/// How a case is to be opened; what is not given is taken from the incident and the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmitCase {
    /// One line on the problem.
    pub synopsis: Option<String>,
    /// What the customer adds.
    pub comments: Option<String>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// Who else hears of it.
    pub cc: Vec<String>,
    /// How to keep in touch.
    pub follow_up: Option<FollowUp>,
}

//! What a script sees of its organization, and what it may want done.

use linesman_schemas::command::{CaseWords, Handling};
use linesman_schemas::notification::Notification;
use linesman_schemas::{ApprovalRule, FilterLevel, OrgName, Place, Priority, ServiceName};
use serde_json::{Map, Value};

use super::{Collecting, Forwarding};

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
    SubmitCase(CaseWords),
    /// `forward_case()`, `handle_case()`: who solves the case that an end customer has reported.
    RouteCase(Handling),
    /// `log(...)` and its like: somebody is notified.
    Notify(Notification),
    /// `set_priority(...)`: change the incident's priority.
    SetPriority(Priority),
    /// `assign(...)`: give the incident to somebody.
    Assign(String),
    /// `close_incident(...)`: complete the incident, with a note.
    CloseIncident(String),
    /// `publish(...)`: hand data to subscribers.
    Publish {
        /// A token of a subject, and no connector's name.
        name: String,
        /// The data.
        data: Map<String, Value>,
    },
    /// `service(...).activate(...)`: a service is to be active for a place.
    Activate(Activation),
    /// `service(...).deactivate(...)`: it is to be so no longer.
    Deactivate(Activation),
    /// `forward_intelligence(...)`: the message judged is sent to the organization.
    ForwardIntelligence(Forwarding),
    /// `collect(...)`: more data is gathered from the incident's device.
    Collect(Collecting),
    /// `require_approval(...)`: what can need approval, and the same run of the policy asks for behind it, needs so much.
    RequireApproval(ApprovalRule),
}

/// A service, where, and with which values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The service. Whether there is one of this name is not known here.
    pub service: ServiceName,
    /// Where: the organization judged, or a place below it. None: where the subject's device is; there is one.
    pub at: Option<Place>,
    /// What is given: `name=expression` by name, each name once. Every one can be read, and its expression is a value
    /// that names no parameter; there are at most [`crate::values::SUBSTITUTIONS_MOST`].
    pub substitutions: Vec<String>,
}

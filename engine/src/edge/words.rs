//! The closed sets of words in lists and their filters.

use linesman_domain::{cases, incidents, organizations};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{LIST_MOST, OWNER_MOST};
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::intelligence::Kind;
use linesman_schemas::reaction::FollowUp;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{FilterLevel, Priority};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};

use linesman_domain::outgoing::POLICY_REFUSED;

/// Who works on an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IncidentStatus)]
pub(super) enum Status {
    Unassigned,
    Assigned,
    #[serde(rename = "in progress")]
    InProgress,
    Completed,
}

impl From<incidents::Status> for Status {
    fn from(status: incidents::Status) -> Self {
        match status {
            incidents::Status::Unassigned => Self::Unassigned,
            incidents::Status::Assigned => Self::Assigned,
            incidents::Status::InProgress => Self::InProgress,
            incidents::Status::Completed => Self::Completed,
        }
    }
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CaseState {
    Draft,
    Waiting,
    Withheld,
    Submitted,
    Created,
    Updated,
    Closed,
    Failed,
}

impl From<cases::CaseState> for CaseState {
    fn from(state: cases::CaseState) -> Self {
        match state {
            cases::CaseState::Draft => Self::Draft,
            cases::CaseState::Waiting => Self::Waiting,
            cases::CaseState::Withheld => Self::Withheld,
            cases::CaseState::Submitted => Self::Submitted,
            cases::CaseState::Created => Self::Created,
            cases::CaseState::Updated => Self::Updated,
            cases::CaseState::Closed => Self::Closed,
            cases::CaseState::Failed => Self::Failed,
        }
    }
}

/// Whether an organization takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OrganizationStanding {
    Active,
    Suspended,
}

impl From<organizations::Standing> for OrganizationStanding {
    fn from(standing: organizations::Standing) -> Self {
        match standing {
            organizations::Standing::Active => Self::Active,
            organizations::Standing::Suspended => Self::Suspended,
        }
    }
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Flag {
    True,
    False,
}

impl Flag {
    pub(super) const fn of(is: bool) -> Self {
        if is { Self::True } else { Self::False }
    }
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.into_iter().map(str::to_owned))).into()
}

/// The schema of what became of a command.
pub(super) fn verdict() -> Schema {
    words(Verdict::ALL.map(Verdict::as_str))
}

/// The schema of a priority.
pub(super) fn priority() -> Schema {
    words(Priority::ALL.map(Priority::as_str))
}

/// The schema of a message's kind.
pub(super) fn kind() -> Schema {
    words([Kind::Alert, Kind::Informational, Kind::BugNotice, Kind::EndOfLife].map(Kind::as_str))
}

/// The schema of a filter level.
pub(super) fn filter_level() -> Schema {
    words(FilterLevel::ALL.map(|(_, text)| text))
}

/// The schema of a trigger's name.
pub(super) fn trigger() -> Schema {
    words(Trigger::all().map(Trigger::as_str))
}

/// The schema of a follow-up method.
pub(super) fn follow_up() -> Schema {
    words(FollowUp::ALL.map(|(_, text)| text))
}

/// The schema of why something was set aside.
pub(super) fn reason() -> Schema {
    words(Reason::ALL.map(Reason::as_str))
}

/// The schema of a list of texts of one line.
pub(super) fn lines() -> Schema {
    let line = ObjectBuilder::new().schema_type(Type::String).max_length(Some(OWNER_MOST));
    let line = line.pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]*$"));
    ArrayBuilder::new().items(line).max_items(Some(LIST_MOST)).into()
}

/// The schema of the name of a trigger that subscribers hear.
pub(super) fn told_trigger() -> Schema {
    words(Trigger::TOLD.map(Trigger::as_str).into_iter().chain([POLICY_REFUSED]))
}

/// The schema of a priority that may be none.
pub(super) fn priority_or_none() -> Schema {
    let words = Priority::ALL.map(|priority| Some(priority.as_str())).into_iter().chain([None]);
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(words)).into()
}

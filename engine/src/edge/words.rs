//! The closed sets of words in lists and their filters, and what several bodies have in common.

use linesman_domain::activations::parts;
use linesman_domain::intelligence::relevance::By;
use linesman_domain::uploads::UploadState;
use linesman_domain::{approvals, cases, incidents, organizations};
use linesman_rules::services::Level;
use linesman_schemas::approval::{ApprovalKind, ApprovalRule, OnTimeout};
use linesman_schemas::audit::Verdict;
use linesman_schemas::collected::Missed;
use linesman_schemas::command::{DeviceGroupName, Handling, LIST_MOST, OWNER_MOST, SPHERE_MOST, SubmitCaseAs};
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::device::DeviceState;
use linesman_schemas::intelligence::{self, Kind};
use linesman_schemas::quota::QUOTA_MOST;
use linesman_schemas::reaction::FollowUp;
use linesman_schemas::schedule::{ClockTime, Enabled, Repeat, ZoneName};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::upload::UploadKind;
use linesman_schemas::{FilterLevel, IncidentStep, Mode, OrgName, Priority, Privilege, QuotaKind, Right};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};

use linesman_domain::outgoing::POLICY_REFUSED;

/// A device group of an organization.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TiedGroupBody {
    /// Whose.
    #[schema(schema_with = self::name)]
    organization: OrgName,
    /// Its name.
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    name: String,
}

impl From<TiedGroupBody> for DeviceGroupName {
    fn from(TiedGroupBody { organization, name }: TiedGroupBody) -> Self {
        Self { organization, name }
    }
}

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
    Reported,
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
            cases::CaseState::Reported => Self::Reported,
        }
    }
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ApprovalState {
    Pending,
    Approved,
    Rejected,
    Expired,
    Changed,
}

impl From<approvals::ApprovalState> for ApprovalState {
    fn from(state: approvals::ApprovalState) -> Self {
        match state {
            approvals::ApprovalState::Pending => Self::Pending,
            approvals::ApprovalState::Approved => Self::Approved,
            approvals::ApprovalState::Rejected => Self::Rejected,
            approvals::ApprovalState::Expired => Self::Expired,
            approvals::ApprovalState::Changed => Self::Changed,
        }
    }
}

/// The schema of what can need approval.
pub(super) fn approval_kind() -> Schema {
    words(ApprovalKind::ALL.map(ApprovalKind::as_str))
}

/// The schema of how a device stands, which is null where it is not reached.
pub(super) fn device_state() -> Schema {
    let types = [Type::String, Type::Null].into_iter().collect::<SchemaType>();
    let words = DeviceState::ALL.map(|state| Some(state.as_str())).into_iter().chain([None]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(words.map(|word| serde_json::json!(word)))).into()
}

/// The schema of what becomes of what nobody has decided in time.
pub(super) fn on_timeout() -> Schema {
    words(OnTimeout::ALL.map(|(_, word)| word))
}

/// The schema of what needs approval, kind by kind.
pub(super) fn approval_rules() -> Schema {
    let object = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
    let rule = || words(ApprovalRule::ALL.map(|(_, word)| word));
    ApprovalKind::OF_ORGANIZATIONS
        .into_iter()
        .fold(object, |object, kind| object.property(kind.as_str(), rule()))
        .into()
}

/// The schema of quotas: one that is null, or is not there, is that of the settings; 0 is none.
pub(super) fn quotas() -> Schema {
    let object = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
    let number = || {
        let types = SchemaType::from_iter([Type::Integer, Type::Null]);
        ObjectBuilder::new().schema_type(types).minimum(Some(0)).maximum(Some(QUOTA_MOST as f64))
    };
    QuotaKind::ALL.into_iter().fold(object, |object, kind| object.property(kind.field(), number())).into()
}

/// The schema of who solves a case that was reported.
pub(super) fn handling() -> Schema {
    words(Handling::ALL.map(|(_, word)| word))
}

/// The schema of who solves a case, which may be nobody yet.
pub(super) fn handling_or_none() -> Schema {
    let words = Handling::ALL.map(|(_, word)| Some(word)).into_iter().chain([None]);
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(words)).into()
}

/// The schema of where something was said of a case.
pub(super) fn side() -> Schema {
    words(["here", "above", "below"])
}

/// The schema of whether cases are real.
pub(super) fn submit_case_as() -> Schema {
    words(SubmitCaseAs::ALL.map(|(_, word)| word))
}

/// The schema of what uploaded bytes are.
pub(super) fn upload_kind() -> Schema {
    words(UploadKind::ALL.map(|(_, word)| word))
}

/// The schema of where an upload stands.
pub(super) fn upload_state() -> Schema {
    words(UploadState::ALL.map(|(_, word)| word))
}

/// Where a file is that a bundle only names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NamedFileState {
    /// On the device, or nowhere: it is tried again.
    Missing,
    /// It is tried no more.
    GivenUp,
    /// Here.
    There,
    /// It was here, and went with its incident.
    Released,
}

/// The schema of why a file is missing, if it is.
pub(super) fn missed_or_none() -> Schema {
    let words = Missed::ALL.map(|reason| Some(reason.as_str())).into_iter().chain([None]);
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(words)).into()
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

/// How an activation stands at an access line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActivationState {
    Pending,
    Active,
    Failed,
    Inactive,
    Held,
}

impl From<parts::State> for ActivationState {
    fn from(state: parts::State) -> Self {
        match state {
            parts::State::Pending => Self::Pending,
            parts::State::Active => Self::Active,
            parts::State::Failed => Self::Failed,
            parts::State::Inactive => Self::Inactive,
        }
    }
}

/// When an activation counts, by the clocks of a time zone: once, or again and again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Schedule)]
#[expect(dead_code, reason = "describes a schedule")]
pub(super) struct ScheduleBody {
    /// When the first occurrence begins.
    #[schema(schema_with = clock_time)]
    start: ClockTime,
    /// How long an occurrence lasts, in seconds.
    #[schema(minimum = 1, maximum = 3_155_760_000_u64)]
    duration_s: u64,
    /// How often; once where nothing is said.
    #[serde(default)]
    #[schema(schema_with = repeat, required = false)]
    repeat: Repeat,
    /// Whose clocks, by a name of the IANA Time Zone Database; `UTC` where nothing is said.
    #[serde(default)]
    #[schema(schema_with = time_zone, required = false)]
    time_zone: ZoneName,
    /// Whether it counts while an occurrence lasts or while none does.
    #[serde(default)]
    #[schema(schema_with = enabled, required = false)]
    enabled: Enabled,
    /// From when on it is in effect.
    #[schema(schema_with = clock_time_or_none, required = false)]
    start_by: Option<ClockTime>,
    /// Until when it is in effect.
    #[schema(schema_with = clock_time_or_none, required = false)]
    end_by: Option<ClockTime>,
}

/// The schema of a level at which services are subscribed to.
pub(super) fn service_level() -> Schema {
    words(Level::ALL.map(Level::as_str))
}

const CLOCK_TIME: &str = "^(19[7-9]|2[0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$";

fn clock_time() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(CLOCK_TIME)).into()
}

fn clock_time_or_none() -> Schema {
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).pattern(Some(CLOCK_TIME)).into()
}

fn repeat() -> Schema {
    words(["once", "daily", "weekly", "monthly"])
}

fn enabled() -> Schema {
    words(["during", "outside"])
}

fn time_zone() -> Schema {
    let pattern = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z][A-Za-z0-9_+-]*)*$";
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).max_length(Some(64)).into()
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

/// The schema of a place, or of none.
pub(super) fn place_or_none() -> Schema {
    OneOfBuilder::new().item(place()).item(ObjectBuilder::new().schema_type(Type::Null)).into()
}

/// The schema of a priority.
pub(super) fn priority() -> Schema {
    words(Priority::ALL.map(Priority::as_str))
}

/// The schema of a message's kind.
pub(super) fn kind() -> Schema {
    words([Kind::Alert, Kind::Informational, Kind::BugNotice, Kind::EndOfLife].map(Kind::as_str))
}

/// The schema of where an organization stands with a message.
pub(super) fn intelligence_state() -> Schema {
    words(intelligence::State::ALL.map(intelligence::State::as_str))
}

/// The schema of by what a message concerns a device.
pub(super) fn reason_of_match() -> Schema {
    words([By::Everybody, By::SerialNumber, By::Part, By::Product, By::Platform, By::OsVersion].map(By::as_str))
}

/// The schema of a filter level.
pub(super) fn filter_level() -> Schema {
    words(FilterLevel::ALL.map(|(_, text)| text))
}

/// The schema of a mode.
pub(super) fn mode() -> Schema {
    words(Mode::ALL.map(Mode::as_str))
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

/// The pattern of names: of organizations, places, managers, groups.
pub(super) const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$";

/// The schema of a name.
pub(super) fn name() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(NAME)).into()
}

/// The schema of a list of names.
pub(super) fn names() -> Schema {
    ArrayBuilder::new().items(RefOr::T(name())).max_items(Some(LIST_MOST)).into()
}

/// Names, up to 1,000, each once.
pub(super) fn some_names() -> Schema {
    ArrayBuilder::new().items(RefOr::T(name())).min_items(Some(1)).max_items(Some(1_000)).unique_items(true).into()
}

/// The schema of a login.
pub(super) fn login() -> Schema {
    let pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}$";
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
}

/// The schema of a list of logins.
pub(super) fn logins() -> Schema {
    ArrayBuilder::new().items(RefOr::T(login())).max_items(Some(LIST_MOST)).into()
}

/// The words of all privileges and rights.
pub(super) fn privileges_and_rights() -> Vec<&'static str> {
    let rights = Right::ALL.map(Right::as_str);
    Privilege::ALL.map(Privilege::as_str).into_iter().chain(rights).chain(["incidents"]).collect()
}

/// The schema of a privilege or a right.
pub(super) fn privilege_or_right() -> Schema {
    words(privileges_and_rights())
}

/// The schema of a place.
pub(super) fn place() -> Schema {
    let pattern = "^(/|[A-Za-z0-9][A-Za-z0-9_-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){0,2})$";
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
}

/// The schema of a sphere.
pub(super) fn sphere() -> Schema {
    ArrayBuilder::new().items(RefOr::T(place())).max_items(Some(SPHERE_MOST)).into()
}

/// The schema of a set of privileges.
pub(super) fn privileges() -> Schema {
    ArrayBuilder::new().items(RefOr::T(words(Privilege::ALL.map(Privilege::as_str)))).into()
}

/// The schema of the rights of one of the provider's people.
pub(super) fn rights() -> Schema {
    let flag = || ObjectBuilder::new().schema_type(Type::Boolean);
    let rights =
        Right::ALL.into_iter().fold(ObjectBuilder::new(), |rights, right| rights.property(right.as_str(), flag()));
    let rights = rights.property("incidents", words(IncidentStep::ALL.map(IncidentStep::as_str)));
    rights.schema_type(Type::Object).additional_properties(Some(AdditionalProperties::FreeForm(false))).into()
}

/// Bits per second from a text such as `100M` or `9600`; 0 from an empty one.
pub(super) fn speed(text: &str) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    let (digits, times) = match text.strip_suffix(['k', 'M', 'G', 'T']) {
        Some(digits) if text.ends_with('k') => (digits, 1_000),
        Some(digits) if text.ends_with('M') => (digits, 1_000_000),
        Some(digits) if text.ends_with('G') => (digits, 1_000_000_000),
        Some(digits) => (digits, 1_000_000_000_000),
        None => (text, 1),
    };
    let number: u64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    number.checked_mul(times)
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

#[cfg(test)]
mod tests {
    use super::speed;

    #[test]
    fn speeds_have_a_unit_or_none() {
        for (text, expected) in
            [("", 0), ("9600", 9_600), ("64k", 64_000), ("100M", 100_000_000), ("1T", 1_000_000_000_000)]
        {
            assert_eq!(speed(text), Some(expected), "{text}");
        }
        for text in ["M", "+1", "-1", "1.5G", "100m", "100 M", "99999999999T"] {
            assert_eq!(speed(text), None, "{text}");
        }
    }
}

//! What a trigger is about, as policies see it: the one table of fields that `where`, the getters of
//! scripts and diagnostics share.

use std::sync::LazyLock;

use linesman_schemas::Operation;
use linesman_schemas::audit::Verdict;
use linesman_schemas::trigger::Trigger;

/// What kind of thing a trigger is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// `incident.*`: an incident.
    Incident,
    /// `case.*`: a change of an incident's case. Scripts call it `update`, `case` being reserved.
    Update,
    /// `intelligence.*`, `end-of-life.*`, `bug-notice.*`, `exposure.*`: an intelligence message.
    Message,
    /// `audit.*`: a record of the audit.
    Record,
    /// `licence.*`, `partner.certificate-*`: what of the installation runs out.
    Expiry,
    /// `approval.*`: what awaits approval.
    Approval,
    /// `device.*`: a device.
    Device,
    /// `contract.*`: a service contract.
    Contract,
    /// `quota.*`: a quota of an organization's.
    Quota,
}

impl SubjectKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Incident,
        Self::Update,
        Self::Message,
        Self::Record,
        Self::Expiry,
        Self::Approval,
        Self::Device,
        Self::Contract,
        Self::Quota,
    ];

    /// What `trigger` is about.
    pub const fn of(trigger: Trigger) -> Self {
        match trigger {
            Trigger::IncidentDetected
            | Trigger::IncidentWithoutAddress
            | Trigger::IncidentSubmitted
            | Trigger::IncidentChanged
            | Trigger::IncidentReported => Self::Incident,
            Trigger::CaseAssigned | Trigger::CaseUpdated | Trigger::CaseWithheld => Self::Update,
            Trigger::IntelligenceReceived
            | Trigger::IntelligenceMatched
            | Trigger::EndOfLifeMatched
            | Trigger::BugNoticeArrived
            | Trigger::BugNoticeMatched
            | Trigger::ExposureNew => Self::Message,
            Trigger::Audit(_) => Self::Record,
            Trigger::LicenceExpiring
            | Trigger::LicenceExpired
            | Trigger::CertificateExpiring
            | Trigger::CertificateExpired => Self::Expiry,
            Trigger::ApprovalRequired => Self::Approval,
            Trigger::DeviceSilent
            | Trigger::DeviceStateChanged
            | Trigger::CollectionSwitched
            | Trigger::ConfigurationDrifted
            | Trigger::ConfigurationHeld => Self::Device,
            Trigger::ContractExpiring => Self::Contract,
            Trigger::QuotaNearing | Trigger::QuotaExhausted => Self::Quota,
        }
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Update => "update",
            Self::Message => "message",
            Self::Record => "record",
            Self::Expiry => "expiry",
            Self::Approval => "approval",
            Self::Device => "device",
            Self::Contract => "contract",
            Self::Quota => "quota",
        }
    }

    /// The word for one of them in a sentence.
    pub(crate) const fn with_article(self) -> &'static str {
        match self {
            Self::Incident => "an incident",
            Self::Update => "an update",
            Self::Message => "a message",
            Self::Record => "a record",
            Self::Expiry => "an expiry",
            Self::Approval => "an approval",
            Self::Device => "a device",
            Self::Contract => "a contract",
            Self::Quota => "a quota",
        }
    }

    /// Whether there is an incident that a script may act on.
    pub const fn has_incident(self) -> bool {
        matches!(self, Self::Incident | Self::Update)
    }

    /// Whether it is a device, or stands for one: its own fields are called as those of an incident's device are.
    pub(crate) const fn is_of_device(self) -> bool {
        matches!(self, Self::Device | Self::Contract)
    }

    /// Whether it is an organization's; what is the provider's is judged by policies of everyone's alone.
    pub const fn has_organization(self) -> bool {
        !matches!(self, Self::Expiry)
    }
}

/// A field of a subject. Which subject has which, and under what name: [`Field::of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it; the values are described in DOMAIN, sections 3 to 5")]
pub enum Field {
    Id,
    HostEventId,
    Kind,
    EventType,
    EventTypeGroup,
    Synopsis,
    Description,
    Priority,
    Severity,
    Status,
    Owner,
    Occurred,
    Detected,
    Repeats,
    ServiceType,
    OffBox,
    CaseStatus,
    CaseId,
    CaseLink,
    PreviousStatus,
    Changed,
    DeviceHostName,
    DeviceSerialNumber,
    DeviceProduct,
    DevicePlatform,
    DeviceOsVersion,
    DeviceManagementAddress,
    DeviceGroup,
    Title,
    Text,
    Issued,
    Received,
    SerialNumbers,
    Products,
    Platforms,
    OsVersions,
    Links,
    Affected,
    AffectedCount,
    Index,
    Actor,
    Chain,
    Node,
    Time,
    Operation,
    Place,
    About,
    Outcome,
    Command,
    Before,
    After,
    Ends,
    HasEnded,
    Reasons,
    TwoPerson,
    Asked,
    Due,
    OnTimeout,
    Sha256,
    LastSeen,
    LastSnapshot,
    Name,
    State,
    PreviousState,
    Error,
    AgreementNumber,
    Sku,
    SkuType,
    Start,
    PartNumber,
    Used,
    Most,
    Day,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Any number of texts.
    Texts,
    /// Names with values. Filters do not look into it, but find its words.
    Map,
}

/// The fields of an update: those of its incident, and two of the case.
const UPDATE: [(&str, Field); 31] = [
    ("id", Field::Id),
    ("host_event_id", Field::HostEventId),
    ("kind", Field::Kind),
    ("event_type", Field::EventType),
    ("event_type_group", Field::EventTypeGroup),
    ("synopsis", Field::Synopsis),
    ("description", Field::Description),
    ("priority", Field::Priority),
    ("severity", Field::Severity),
    ("status", Field::Status),
    ("owner", Field::Owner),
    ("occurred", Field::Occurred),
    ("detected", Field::Detected),
    ("repeats", Field::Repeats),
    ("service_type", Field::ServiceType),
    ("off_box", Field::OffBox),
    ("case_status", Field::CaseStatus),
    ("case_id", Field::CaseId),
    ("device.host_name", Field::DeviceHostName),
    ("device.serial_number", Field::DeviceSerialNumber),
    ("device.product", Field::DeviceProduct),
    ("device.platform", Field::DevicePlatform),
    ("device.os_version", Field::DeviceOsVersion),
    ("device.management_address", Field::DeviceManagementAddress),
    ("device.group", Field::DeviceGroup),
    ("changed", Field::Changed),
    ("actor", Field::Actor),
    ("before", Field::Before),
    ("after", Field::After),
    ("case_link", Field::CaseLink),
    ("previous_status", Field::PreviousStatus),
];

const MESSAGE: [(&str, Field); 13] = [
    ("id", Field::Id),
    ("kind", Field::Kind),
    ("title", Field::Title),
    ("text", Field::Text),
    ("issued", Field::Issued),
    ("received", Field::Received),
    ("serial_numbers", Field::SerialNumbers),
    ("products", Field::Products),
    ("platforms", Field::Platforms),
    ("os_versions", Field::OsVersions),
    ("links", Field::Links),
    ("affected", Field::Affected),
    ("affected_count", Field::AffectedCount),
];

/// The fields of a record. `new` is a word that Rhai keeps for itself.
const RECORD: [(&str, Field); 12] = [
    ("index", Field::Index),
    ("time", Field::Time),
    ("operation", Field::Operation),
    ("outcome", Field::Outcome),
    ("actor", Field::Actor),
    ("chain", Field::Chain),
    ("node", Field::Node),
    ("place", Field::Place),
    ("about", Field::About),
    ("command", Field::Command),
    ("before", Field::Before),
    ("after", Field::After),
];

const EXPIRY: [(&str, Field); 4] =
    [("kind", Field::Kind), ("id", Field::Id), ("ends", Field::Ends), ("has_ended", Field::HasEnded)];

/// The fields of an approval. `default` is a word that Rhai keeps for itself.
const APPROVAL: [(&str, Field); 12] = [
    ("id", Field::Id),
    ("kind", Field::Kind),
    ("operation", Field::Operation),
    ("about", Field::About),
    ("place", Field::Place),
    ("actor", Field::Actor),
    ("reasons", Field::Reasons),
    ("two_person", Field::TwoPerson),
    ("sha256", Field::Sha256),
    ("asked", Field::Asked),
    ("due", Field::Due),
    ("on_timeout", Field::OnTimeout),
];

const DEVICE: [(&str, Field); 13] = [
    ("serial_number", Field::DeviceSerialNumber),
    ("host_name", Field::DeviceHostName),
    ("product", Field::DeviceProduct),
    ("platform", Field::DevicePlatform),
    ("os_version", Field::DeviceOsVersion),
    ("management_address", Field::DeviceManagementAddress),
    ("group", Field::DeviceGroup),
    ("last_seen", Field::LastSeen),
    ("last_snapshot", Field::LastSnapshot),
    ("name", Field::Name),
    ("state", Field::State),
    ("previous_state", Field::PreviousState),
    ("error", Field::Error),
];

const CONTRACT: [(&str, Field); 12] = [
    ("agreement_number", Field::AgreementNumber),
    ("status", Field::Status),
    ("sku", Field::Sku),
    ("sku_type", Field::SkuType),
    ("start", Field::Start),
    ("ends", Field::Ends),
    ("has_ended", Field::HasEnded),
    ("part_number", Field::PartNumber),
    ("serial_number", Field::DeviceSerialNumber),
    ("host_name", Field::DeviceHostName),
    ("product", Field::DeviceProduct),
    ("group", Field::DeviceGroup),
];

const QUOTA: [(&str, Field); 4] =
    [("kind", Field::Kind), ("used", Field::Used), ("most", Field::Most), ("day", Field::Day)];

/// What may be changed of an incident and its case, as `incident.changed` names it.
const CHANGES: [&str; 9] =
    ["priority", "status", "owner", "case", "handling", "case_id", "case_status", "case_link", "case_text"];

/// Every operation, as records name it.
static OPERATIONS: LazyLock<Vec<&str>> =
    LazyLock::new(|| Operation::ALL.iter().map(|operation| operation.as_str()).collect());
/// Every outcome, as records name it.
static OUTCOMES: LazyLock<Vec<&str>> = LazyLock::new(|| Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect());

impl Field {
    /// The fields of a kind of subject with their paths, as `where` and scripts spell them.
    pub fn of(kind: SubjectKind) -> &'static [(&'static str, Self)] {
        // The incident's fields come first in the update's.
        const INCIDENT: &[(&str, Field)] = UPDATE.split_at(UPDATE.len() - 2).0;
        match kind {
            SubjectKind::Incident => INCIDENT,
            SubjectKind::Update => &UPDATE,
            SubjectKind::Message => &MESSAGE,
            SubjectKind::Record => &RECORD,
            SubjectKind::Expiry => &EXPIRY,
            SubjectKind::Approval => &APPROVAL,
            SubjectKind::Device => &DEVICE,
            SubjectKind::Contract => &CONTRACT,
            SubjectKind::Quota => &QUOTA,
        }
    }

    /// What it holds.
    pub const fn shape(self) -> Shape {
        match self {
            Self::Severity | Self::Repeats | Self::Index | Self::AffectedCount | Self::Used | Self::Most => {
                Shape::Number
            }
            Self::OffBox | Self::HasEnded | Self::TwoPerson => Shape::Flag,
            Self::SerialNumbers
            | Self::Products
            | Self::Platforms
            | Self::OsVersions
            | Self::Links
            | Self::Affected
            | Self::Chain
            | Self::Changed
            | Self::Reasons => Shape::Texts,
            Self::Before | Self::After => Shape::Map,
            _ => Shape::Text,
        }
    }

    /// The only texts it holds for a subject of a kind, where there are so few that a misspelt one is
    /// known.
    pub(crate) fn texts(self, kind: SubjectKind) -> Option<&'static [&'static str]> {
        match (self, kind) {
            (Self::Kind, SubjectKind::Message) => Some(&["alert", "informational", "bug-notice", "end-of-life"]),
            (Self::Kind, SubjectKind::Expiry) => Some(&["licence", "upstream", "listener"]),
            (Self::Kind, SubjectKind::Approval) => {
                Some(&["send-intelligence", "forward-case", "activate-service", "configure-device"])
            }
            (Self::Kind, SubjectKind::Quota) => Some(&["messages", "bytes", "devices", "remembered-ids"]),
            (Self::Changed, _) => Some(&CHANGES),
            (Self::OnTimeout, _) => Some(&["reject", "approve"]),
            (Self::Operation, _) => Some(&OPERATIONS),
            (Self::Outcome, _) => Some(&OUTCOMES),
            (Self::Kind, _) => Some(&["event", "on-demand", "event-rma", "on-demand-rma", "health-check", "reported"]),
            _ => None,
        }
    }

    /// The smallest and the largest number it holds. Severities are those of syslog, RFC 5424, section 6.2.1.
    pub(crate) const fn numbers(self) -> Option<(i64, i64)> {
        match self {
            Self::Severity => Some((0, 7)),
            Self::Repeats | Self::Index | Self::AffectedCount | Self::Used | Self::Most => Some((0, i64::MAX)),
            _ => None,
        }
    }

    /// Whether it only ever holds a handful of values, so that filtering by it narrows little.
    pub(crate) const fn is_closed(self) -> bool {
        matches!(
            self,
            Self::Kind
                | Self::Priority
                | Self::Severity
                | Self::Status
                | Self::ServiceType
                | Self::OffBox
                | Self::CaseStatus
                | Self::PreviousStatus
                | Self::Operation
                | Self::Outcome
                | Self::HasEnded
                | Self::TwoPerson
                | Self::OnTimeout
        )
    }
}

/// What a field holds for one subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Nothing: only `not` matches it, and a script reads `()`.
    Absent,
    /// One text.
    Text(&'a str),
    /// A whole number.
    Number(i64),
    /// Any number of texts.
    Texts(&'a [String]),
    /// `true` or `false`.
    Flag(bool),
    /// Names with values.
    Map(&'a serde_json::Map<String, serde_json::Value>),
}

/// What a trigger is about. The engine implements it for its incidents, updates, messages and records.
pub trait Subject {
    /// Which kind of thing it is.
    fn kind(&self) -> SubjectKind;

    /// What `field` holds: of the field's [`Shape`], or [`Value::Absent`]. Asked only for fields of
    /// [`Field::of`] the subject's kind; to others the answer is [`Value::Absent`].
    fn value(&self, field: Field) -> Value<'_>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_has_all_of_an_update_but_what_is_the_cases() {
        let incident = Field::of(SubjectKind::Incident);
        let update = Field::of(SubjectKind::Update);
        assert_eq!(update.len(), incident.len() + 2);
        assert!(incident.iter().all(|field| update.contains(field)));
        assert!(!incident.iter().any(|(path, _)| ["case_link", "previous_status"].contains(path)));
    }

    #[test]
    fn kinds_of_messages_are_spelled_as_messages_spell_them() {
        use linesman_schemas::intelligence::Kind;
        let kinds = [Kind::Alert, Kind::Informational, Kind::BugNotice, Kind::EndOfLife].map(Kind::as_str);
        assert_eq!(Field::Kind.texts(SubjectKind::Message), Some(&kinds[..]));
    }

    #[test]
    fn what_runs_out_is_spelled_as_it_travels() {
        use linesman_schemas::trigger::Expiring;
        let kinds = Expiring::ALL.map(Expiring::as_str);
        assert_eq!(Field::Kind.texts(SubjectKind::Expiry), Some(&kinds[..]));
        for kind in Expiring::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn approvals_are_spelled_as_they_travel() {
        use linesman_schemas::approval::{ApprovalKind, OnTimeout};
        let kinds = ApprovalKind::ALL.map(ApprovalKind::as_str);
        assert_eq!(Field::Kind.texts(SubjectKind::Approval), Some(&kinds[..]));
        let ends = OnTimeout::ALL.map(|(_, word)| word);
        assert_eq!(Field::OnTimeout.texts(SubjectKind::Approval), Some(&ends[..]));
    }

    #[test]
    fn no_path_is_a_reserved_word_of_scripts() {
        let engine = rhai::Engine::new();
        for kind in SubjectKind::ALL {
            for (path, _) in Field::of(kind) {
                engine.compile(format!("let x = {}.{path};", kind.as_str())).unwrap();
                for part in path.split('.') {
                    engine.compile(format!("let x = #{{ {part}: 1 }};")).unwrap();
                }
            }
        }
    }
}

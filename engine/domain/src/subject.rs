//! What policies see: incidents, cases, messages and records of the audit as subjects of triggers.

use std::cell::OnceCell;
use std::rc::Rc;

use jiff::Timestamp;
use linesman_rules::{Field, Subject, SubjectKind, Value};
use linesman_schemas::IncidentId;
use linesman_schemas::audit::Record;
use linesman_schemas::intelligence::Intelligence;
use linesman_schemas::trigger::{CaseData, DeviceData, IncidentData, JoinedData};

use super::cases::wishes::Wish;
use super::cases::{CaseRow, ChainRow};
use super::devices::DeviceRow;
use super::incidents::IncidentRow;
use super::incidents::history::Look;

/// A time and its text, which is written only for those who ask.
#[derive(Debug, Clone)]
pub(crate) struct TimeText {
    at: Timestamp,
    text: OnceCell<String>,
}

impl TimeText {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self { at, text: OnceCell::new() }
    }

    pub(crate) const fn time(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn as_str(&self) -> &str {
        self.text.get_or_init(|| self.at.to_string())
    }
}

/// An incident with its device and its case.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(crate) id: IncidentId,
    /// The id as text.
    pub(crate) name: String,
    pub(crate) row: IncidentRow,
    pub(crate) device: Rc<DeviceRow>,
    pub(crate) case: Option<CaseRow>,
    /// What is known of the case in the cascade.
    pub(crate) chain: Option<ChainRow>,
    /// Whether another upstream than the present one has taken its case.
    pub(crate) is_elsewhere: bool,
    /// Where spare parts go, of the address group that its case names or of its device; none where nobody has said.
    pub(crate) ship_to: Option<String>,
    pub(crate) kind: SubjectKind,
    /// How it was when its changes were told last; none where none are told.
    pub(crate) look: Option<Box<Look>>,
    /// What the trigger tells that was changed; of `incident.changed` alone.
    pub(crate) changed: Option<Box<Changed>>,
    /// The cases that policies want for it, until all have had their say.
    pub(crate) wishes: Vec<Wish>,
    /// What became of wishes that were joined to that of its case, until it is told.
    pub(crate) joined: Vec<JoinedData>,
    occurred: TimeText,
    detected: TimeText,
}

/// What was changed of an incident, as policies see it.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) changed: Vec<String>,
    pub(crate) actor: String,
    pub(crate) before: serde_json::Map<String, serde_json::Value>,
    pub(crate) after: serde_json::Map<String, serde_json::Value>,
}

impl Incident {
    pub(crate) fn new(id: IncidentId, row: IncidentRow, device: Rc<DeviceRow>, case: Option<CaseRow>) -> Self {
        let (occurred, detected) = (TimeText::new(row.occurred), TimeText::new(row.detected));
        let name = id.to_string();
        Self {
            id,
            name,
            row,
            device,
            case,
            chain: None,
            is_elsewhere: false,
            ship_to: None,
            kind: SubjectKind::Incident,
            look: None,
            changed: None,
            wishes: Vec::new(),
            joined: Vec::new(),
            occurred,
            detected,
        }
    }

    /// Its data in triggers.
    pub(crate) fn data(&self) -> IncidentData<'_> {
        IncidentData {
            id: &self.id,
            host_event_id: &self.row.host_event_id,
            kind: &self.row.kind,
            device: DeviceData {
                host_name: &self.device.host_name,
                serial_number: &self.row.serial_number,
                product: &self.device.product,
                platform: &self.device.platform,
                os_version: &self.device.os_version,
            },
            event_type: &self.row.event_type,
            priority: self.row.priority,
            synopsis: &self.row.synopsis,
            occurred: self.row.occurred,
            detected: self.row.detected,
        }
    }

    /// Its case's data in triggers.
    pub(crate) fn case_data(&self) -> Option<CaseData<'_>> {
        let case = self.case.as_ref()?;
        Some(CaseData {
            incident: self.data(),
            case_id: &case.case_id,
            case_status: &case.status,
            case_link: some(&case.link),
        })
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A text, or nothing where it is empty.
pub(crate) fn text(text: &str) -> Value<'_> {
    if text.is_empty() { Value::Absent } else { Value::Text(text) }
}

impl Subject for Incident {
    fn kind(&self) -> SubjectKind {
        self.kind
    }

    fn value(&self, field: Field) -> Value<'_> {
        let (row, device) = (&self.row, &self.device);
        let changed = self.changed.as_deref();
        let of_case = |get: fn(&CaseRow) -> &str| self.case.as_ref().map_or(Value::Absent, |case| text(get(case)));
        match field {
            Field::Id => Value::Text(&self.name),
            Field::HostEventId => Value::Text(&row.host_event_id),
            Field::Kind => Value::Text(&row.kind),
            Field::EventType => text(&row.event_type),
            Field::EventTypeGroup => text(&row.event_type_group),
            Field::ServiceType => text(&row.service_type),
            Field::Synopsis => text(&row.synopsis),
            Field::Description => text(&row.description),
            Field::Priority => Value::Text(row.priority.as_str()),
            Field::Severity => row.severity.map_or(Value::Absent, |severity| Value::Number(severity.into())),
            Field::Status => Value::Text(row.status.as_str()),
            Field::Owner => text(&row.owner),
            Field::Occurred => Value::Text(self.occurred.as_str()),
            Field::Detected => Value::Text(self.detected.as_str()),
            Field::Repeats => Value::Number(row.repeats.try_into().unwrap_or(i64::MAX)),
            Field::OffBox => Value::Flag(row.is_off_box),
            Field::CaseStatus => {
                of_case(|case| if case.status.is_empty() { case.state.as_str() } else { &case.status })
            }
            Field::CaseId => of_case(|case| &case.case_id),
            Field::CaseLink => of_case(|case| &case.link),
            Field::PreviousStatus => of_case(|case| &case.previous_status),
            Field::Changed => changed.map_or(Value::Absent, |it| Value::Texts(&it.changed)),
            Field::Actor => changed.map_or(Value::Absent, |it| Value::Text(&it.actor)),
            Field::Before => changed.map_or(Value::Absent, |it| Value::Map(&it.before)),
            Field::After => changed.map_or(Value::Absent, |it| Value::Map(&it.after)),
            Field::DeviceHostName => text(&device.host_name),
            Field::DeviceSerialNumber => Value::Text(&row.serial_number),
            Field::DeviceProduct => text(&device.product),
            Field::DevicePlatform => text(&device.platform),
            Field::DeviceOsVersion => text(&device.os_version),
            Field::DeviceManagementAddress => text(&device.management_address),
            Field::DeviceGroup => text(&device.group),
            _ => Value::Absent,
        }
    }
}

/// Devices that a message concerns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Affected {
    /// The serial numbers of the first.
    pub(crate) devices: Vec<String>,
    /// How many there are.
    pub(crate) count: u64,
}

/// An intelligence message.
#[derive(Debug, Clone)]
pub(crate) struct IntelligenceMessage {
    pub(crate) message: Intelligence,
    /// The devices it concerns; none where nobody has looked.
    pub(crate) affected: Option<Affected>,
    issued: TimeText,
    received: TimeText,
}

impl IntelligenceMessage {
    pub(crate) fn new(message: Intelligence, received: Timestamp) -> Self {
        let issued = TimeText::new(message.issued);
        Self { message, affected: None, issued, received: TimeText::new(received) }
    }
}

impl Subject for IntelligenceMessage {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Message
    }

    fn value(&self, field: Field) -> Value<'_> {
        let message = &self.message;
        let relevance = &message.relevance;
        match field {
            Field::Id => Value::Text(&message.id),
            Field::Kind => Value::Text(message.kind.as_str()),
            Field::Title => Value::Text(&message.title),
            Field::Text => text(&message.text),
            Field::Issued => Value::Text(self.issued.as_str()),
            Field::Received => Value::Text(self.received.as_str()),
            Field::SerialNumbers => Value::Texts(&relevance.serial_numbers),
            Field::Products => Value::Texts(&relevance.products),
            Field::Platforms => Value::Texts(&relevance.platforms),
            Field::OsVersions => Value::Texts(&relevance.os_versions),
            Field::Links => Value::Texts(&message.links),
            Field::Affected => self.affected.as_ref().map_or(Value::Absent, |it| Value::Texts(&it.devices)),
            Field::AffectedCount => {
                let count = self.affected.as_ref().map(|it| it.count.try_into().unwrap_or(i64::MAX));
                count.map_or(Value::Absent, Value::Number)
            }
            _ => Value::Absent,
        }
    }
}

/// A record of an organization's audit.
#[derive(Debug, Clone)]
pub(crate) struct AuditRecord {
    record: Record,
    time: TimeText,
}

impl AuditRecord {
    pub(crate) fn new(record: Record) -> Self {
        Self { time: TimeText::new(record.time), record }
    }
}

/// What a command changed, on one side; nothing where that has no names.
fn side(value: &serde_json::Value) -> Value<'_> {
    value.as_object().map_or(Value::Absent, Value::Map)
}

impl Subject for AuditRecord {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Record
    }

    fn value(&self, field: Field) -> Value<'_> {
        let record = &self.record;
        match field {
            Field::Index => Value::Number(record.index.try_into().unwrap_or(i64::MAX)),
            Field::Time => Value::Text(self.time.as_str()),
            // None where several attempts that were refused are counted together.
            Field::Operation => text(&record.operation),
            Field::Outcome => Value::Text(record.outcome.as_str()),
            Field::Actor => text(&record.actor),
            Field::Chain => Value::Texts(&record.chain),
            Field::Node => text(&record.node),
            Field::Place => text(&record.place),
            Field::About => record.about.as_deref().map_or(Value::Absent, text),
            Field::Command => Value::Text(record.command.as_str()),
            Field::Before => side(&record.old),
            Field::After => side(&record.new),
            _ => Value::Absent,
        }
    }
}

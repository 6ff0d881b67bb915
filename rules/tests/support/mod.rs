//! Subjects and policies for the tests.

#![allow(dead_code, reason = "no test uses all of it")]

use std::collections::BTreeMap;
use std::rc::Rc;

use linesman_rules::{Diagnostic, Field, Organization, Policy, Subject, SubjectKind, Value};
use linesman_schemas::FilterLevel;
use linesman_schemas::control::PolicySource;

/// What a field of a [`Plain`] subject holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Held {
    Text(String),
    Number(i64),
    Flag(bool),
    Texts(Vec<String>),
    Map(serde_json::Map<String, serde_json::Value>),
}

impl From<&str> for Held {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[&str]> for Held {
    fn from(texts: &[&str]) -> Self {
        Self::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
    }
}

/// A subject made of given fields.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    pub(crate) kind: SubjectKind,
    pub(crate) fields: BTreeMap<Field, Held>,
}

impl Subject for Plain {
    fn kind(&self) -> SubjectKind {
        self.kind
    }

    fn value(&self, field: Field) -> Value<'_> {
        match self.fields.get(&field) {
            None => Value::Absent,
            Some(Held::Text(text)) => Value::Text(text),
            Some(Held::Number(number)) => Value::Number(*number),
            Some(Held::Flag(flag)) => Value::Flag(*flag),
            Some(Held::Texts(texts)) => Value::Texts(texts),
            Some(Held::Map(map)) => Value::Map(map),
        }
    }
}

impl Plain {
    pub(crate) fn new(kind: SubjectKind) -> Self {
        Self { kind, fields: BTreeMap::new() }
    }

    pub(crate) fn with(mut self, field: Field, held: impl Into<Held>) -> Self {
        self.fields.insert(field, held.into());
        self
    }

    pub(crate) fn number(mut self, field: Field, number: i64) -> Self {
        self.fields.insert(field, Held::Number(number));
        self
    }

    pub(crate) fn flag(mut self, field: Field, flag: bool) -> Self {
        self.fields.insert(field, Held::Flag(flag));
        self
    }

    pub(crate) fn shared(self) -> Rc<dyn Subject> {
        Rc::new(self)
    }
}

/// A critical incident on `edge-1`.
pub(crate) fn incident() -> Plain {
    Plain::new(SubjectKind::Incident)
        .with(Field::Id, "acme-1")
        .with(Field::Kind, "event")
        .with(Field::EventType, "CHASSISD_FRU_OFFLINE_NOTICE")
        .with(Field::Synopsis, "FPC 2 offline: hard error")
        .with(Field::Description, "The flexible PIC concentrator in slot 2 went offline")
        .with(Field::Priority, "Critical")
        .number(Field::Severity, 2)
        .number(Field::Repeats, 0)
        .flag(Field::OffBox, false)
        .with(Field::DeviceHostName, "edge-1")
        .with(Field::DeviceSerialNumber, "JN1234")
        .with(Field::DeviceProduct, "MX240")
        .with(Field::DevicePlatform, "junos")
}

/// The incident as a case update.
pub(crate) fn update() -> Plain {
    let mut update = incident()
        .with(Field::CaseId, "2026-1121-0001")
        .with(Field::CaseStatus, "updated")
        .with(Field::PreviousStatus, "created")
        .with(Field::CaseLink, "https://support.example/2026-1121-0001");
    update.kind = SubjectKind::Update;
    update
}

/// A bug notice.
pub(crate) fn message() -> Plain {
    Plain::new(SubjectKind::Message)
        .with(Field::Id, "TSB1")
        .with(Field::Kind, "bug-notice")
        .with(Field::Title, "Line card resets")
        .with(Field::Text, "A rare race")
        .with(Field::SerialNumbers, &["JN1", "JN2"][..])
        .with(Field::Products, &["MX240", "MX480"][..])
        .with(Field::Links, &[][..])
        .with(Field::Affected, &["JN2"][..])
        .number(Field::AffectedCount, 1)
}

/// Somebody has closed the incident.
pub(crate) fn record() -> Plain {
    let map = |value: serde_json::Value| Held::Map(value.as_object().unwrap().clone());
    let mut record = Plain::new(SubjectKind::Record)
        .number(Field::Index, 41)
        .with(Field::Time, "2026-11-20T10:15:00Z")
        .with(Field::Operation, "close-incident")
        .with(Field::Outcome, "done")
        .with(Field::Actor, "acme/ann")
        .with(Field::Chain, &["acme/root", "admin"][..])
        .with(Field::Node, "n1")
        .with(Field::Place, "acme")
        .with(Field::About, "acme-1")
        .with(Field::Command, "c-17");
    let before = map(serde_json::json!({"status": "in progress", "owner": "ann", "priority": "High", "repeats": 2}));
    let after =
        map(serde_json::json!({"status": "completed", "owner": "ann", "priority": "High", "tags": ["x", 1, null]}));
    record.fields.extend([(Field::Before, before), (Field::After, after)]);
    record
}

/// A case awaits being forwarded.
pub(crate) fn approval() -> Plain {
    let mut approval = Plain::new(SubjectKind::Approval)
        .with(Field::Id, "acme-a3")
        .with(Field::Kind, "forward-case")
        .with(Field::Operation, "forward-case")
        .with(Field::About, "acme-1")
        .with(Field::Place, "acme")
        .with(Field::Actor, "ann")
        .with(Field::Sha256, "ab")
        .with(Field::Asked, "2026-11-21T10:15:02Z")
        .with(Field::Due, "2026-11-24T10:15:02Z")
        .with(Field::OnTimeout, "reject")
        .with(Field::Reasons, &["settings"][..]);
    approval.fields.extend([(Field::TwoPerson, Held::Flag(true))]);
    approval
}

/// A device that has been silent for long.
pub(crate) fn device() -> Plain {
    Plain::new(SubjectKind::Device)
        .with(Field::DeviceHostName, "edge-01")
        .with(Field::DeviceSerialNumber, "SN1")
        .with(Field::DeviceProduct, "MX240")
        .with(Field::DevicePlatform, "junos")
        .with(Field::DeviceOsVersion, "21.4R3")
        .with(Field::DeviceManagementAddress, "192.0.2.1")
        .with(Field::DeviceGroup, "edge")
        .with(Field::LastSeen, "2026-11-07T10:15:02Z")
        .with(Field::LastSnapshot, "2026-11-01T10:15:02Z")
}

/// A contract that ends soon.
pub(crate) fn contract() -> Plain {
    let mut contract = Plain::new(SubjectKind::Contract)
        .with(Field::AgreementNumber, "A-17")
        .with(Field::Status, "Active")
        .with(Field::Sku, "SVC-COR-MX240")
        .with(Field::SkuType, "Core")
        .with(Field::Start, "2026-01-01")
        .with(Field::Ends, "2026-12-31")
        .with(Field::PartNumber, "750-1")
        .with(Field::DeviceSerialNumber, "SN1")
        .with(Field::DeviceHostName, "edge-01")
        .with(Field::DeviceProduct, "MX240")
        .with(Field::DeviceGroup, "edge");
    contract.fields.extend([(Field::HasEnded, Held::Flag(false))]);
    contract
}

/// A quota of which much is used.
pub(crate) fn quota() -> Plain {
    let mut quota = Plain::new(SubjectKind::Quota).with(Field::Kind, "messages").with(Field::Day, "2026-11-21");
    quota.fields.extend([(Field::Used, Held::Number(800)), (Field::Most, Held::Number(1_000))]);
    quota
}

/// A licence that ends soon.
pub(crate) fn expiry() -> Plain {
    let mut expiry = Plain::new(SubjectKind::Expiry)
        .with(Field::Kind, "licence")
        .with(Field::Id, "0190b7c2")
        .with(Field::Ends, "2026-12-31T00:00:00Z");
    expiry.fields.extend([(Field::HasEnded, Held::Flag(false))]);
    expiry
}

/// A subject of a kind.
pub(crate) fn subject_of(kind: SubjectKind) -> Plain {
    match kind {
        SubjectKind::Incident => incident(),
        SubjectKind::Update => update(),
        SubjectKind::Message => message(),
        SubjectKind::Record => record(),
        SubjectKind::Expiry => expiry(),
        SubjectKind::Approval => approval(),
        SubjectKind::Device => device(),
        SubjectKind::Contract => contract(),
        SubjectKind::Quota => quota(),
    }
}

pub(crate) fn organization() -> Organization {
    Organization {
        name: "acme".parse().unwrap(),
        display_name: "Acme Networks".to_owned(),
        is_proxy: false,
        filter_level: FilterLevel::All,
    }
}

fn source(name: &str, source: &str) -> PolicySource {
    let owner = name.split_once('/').map(|(owner, _)| owner.parse().unwrap());
    PolicySource { name: name.parse().unwrap(), owner, source: source.to_owned(), origin: None }
}

pub(crate) fn load(name: &str, text: &str) -> Result<Policy, Vec<Diagnostic>> {
    Policy::load(&source(name, text))
}

/// A policy, whatever the check says of it: so that what happens in a run is seen.
pub(crate) fn accepted(name: &str, text: &str) -> Policy {
    Policy::load_accepted(&source(name, text)).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

/// A policy on `trigger` with this `where` and nothing to do.
pub(crate) fn filter(trigger: &str, filter: &str) -> Policy {
    let source = format!("policy(#{{ on: \"{trigger}\", where: #{{ {filter} }} }});\nfn react(subject, org) {{}}");
    load("p", &source).unwrap_or_else(|faults| panic!("{filter}: {faults:?}"))
}

/// A policy on new incidents that does this.
pub(crate) fn script(body: &str) -> Policy {
    script_on("incident.detected", body)
}

pub(crate) fn script_on(trigger: &str, body: &str) -> Policy {
    accepted("p", &format!("policy(#{{ on: \"{trigger}\" }});\nfn react(subject, org) {{\n{body}\n}}"))
}

/// What the check says of this policy.
pub(crate) fn check(policy: &Policy) -> Vec<Diagnostic> {
    load(policy.name().as_str(), policy.source()).err().unwrap_or_default()
}

/// What `log(message, fields)` asks for.
pub(crate) fn logged(message: &str, fields: serde_json::Map<String, serde_json::Value>) -> linesman_rules::Intent {
    use linesman_schemas::notification::{Kind, Notification};

    let content = serde_json::json!({ "message": message, "fields": fields }).as_object().unwrap().clone();
    linesman_rules::Intent::Notify(Notification::new(Kind::of("log").unwrap(), content).unwrap())
}

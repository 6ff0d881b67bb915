//! Objects of the engine's that scripts are handed, as large as they may be.

use std::any::TypeId;
use std::rc::Rc;

use rhai::Dynamic;

use super::super::super::record::{OrganizationRecord, Record};
use super::super::super::{Device, Edition, Limits, Machine, Organization};
use crate::subject::{Field, Shape, Subject, SubjectKind, Value};

/// An incident all of whose fields are large.
struct Large {
    text: String,
    texts: Vec<String>,
    map: serde_json::Map<String, serde_json::Value>,
}

impl Subject for Large {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Incident
    }

    fn value(&self, field: Field) -> Value<'_> {
        match field.shape() {
            Shape::Text => Value::Text(&self.text),
            Shape::Number => Value::Number(7),
            Shape::Flag => Value::Flag(true),
            Shape::Texts => Value::Texts(&self.texts),
            Shape::Map => Value::Map(&self.map),
        }
    }
}

/// A record, the organization, and a service named, in this order.
pub(super) fn objects() -> [Dynamic; 3] {
    let map = (0..250).map(|number| (format!("k{number}"), serde_json::Value::from("v".repeat(200)))).collect();
    let subject = Large { text: "t".repeat(60_000), texts: vec!["item".to_owned(); 1_000], map };
    let org = Organization {
        name: "acme".parse().unwrap(),
        display_name: "d".repeat(4_000),
        is_proxy: false,
        filter_level: linesman_schemas::FilterLevel::ALL.into_iter().next().unwrap().0,
    };
    let machine = Machine::new(&Limits::default(), None, Edition::NEWEST);
    let service = machine.engine.eval::<Dynamic>("service(\"vpn\")").unwrap();
    [Dynamic::from(Record::whole(Rc::new(subject))), Dynamic::from(OrganizationRecord(Rc::new(org))), service]
}

/// Those of a type.
pub(super) fn own(of: TypeId) -> Vec<Dynamic> {
    objects().into_iter().filter(|object| object.type_id() == of).collect()
}

/// Devices to ask for.
pub(super) fn devices() -> Rc<[Device]> {
    let device = |number: usize| Device {
        serial_number: format!("S{number:030}"),
        host_name: "x".repeat(60),
        product: "mx".to_owned(),
        platform: "junos".to_owned(),
        os_version: "21.4R3-S5.4".to_owned(),
    };
    (0..1_000).map(device).collect()
}

/// Begins a run on an incident.
pub(super) fn begin(machine: &Machine, devices: Option<Rc<[Device]>>) {
    machine.run.begin(SubjectKind::Incident, &"acme".parse().unwrap(), devices);
}

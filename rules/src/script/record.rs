//! The objects a script sees: the subject, its `device`, and `org`. Each is a handle with properties;
//! texts and lists become values of the script only when they are read.

use std::rc::Rc;

use linesman_schemas::FilterLevel;
use rhai::{Array, Dynamic, Engine, ImmutableString};

use super::budget::{Fault, Run, refuse};
use super::{Edition, Organization, json};
use crate::diagnostic::{excerpt, suggest};
use crate::subject::{Field, Subject, SubjectKind, Value};

/// What the path of a device's field begins with.
pub(super) const DEVICE: &str = "device";

/// The properties of `org`.
pub const ORGANIZATION: [&str; 4] = ["name", "display_name", "is_proxy", "filter_level"];

/// A subject or its device.
#[derive(Clone)]
pub(super) struct Record {
    subject: Rc<dyn Subject>,
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Device,
}

/// The organization.
#[derive(Clone)]
pub(super) struct OrganizationRecord(pub(super) Rc<Organization>);

impl Record {
    pub(super) fn whole(subject: Rc<dyn Subject>) -> Self {
        Self { subject, part: Part::Whole }
    }

    /// Whether it is an intelligence message.
    pub(super) fn is_message(&self) -> bool {
        self.subject.kind() == SubjectKind::Message
    }

    fn name(&self) -> &'static str {
        match self.part {
            Part::Whole => self.subject.kind().as_str(),
            Part::Device => DEVICE,
        }
    }

    /// The value of a property by name.
    fn read(&self, property: &str, run: &Run) -> Result<Dynamic, Fault> {
        if property == DEVICE && self.part == Part::Whole && self.subject.kind().has_incident() {
            return Ok(Dynamic::from(Self { subject: Rc::clone(&self.subject), part: Part::Device }));
        }
        match self.properties().find(|(name, _)| *name == property) {
            Some((_, field)) => to_dynamic(property, self.subject.value(field), run),
            None => Err(self.unknown(property)),
        }
    }

    /// The properties by name, without `device` itself.
    fn properties(&self) -> impl Iterator<Item = (&'static str, Field)> + Clone + use<> {
        let part = self.part;
        Field::of(self.subject.kind()).iter().filter_map(move |(path, field)| {
            let inner = path.strip_prefix(DEVICE).and_then(|rest| rest.strip_prefix('.'));
            match part {
                Part::Whole => inner.is_none().then_some((*path, *field)),
                Part::Device => inner.map(|name| (name, *field)),
            }
        })
    }

    fn unknown(&self, property: &str) -> Fault {
        let has_device = self.part == Part::Whole && self.subject.kind().has_incident();
        let names = self.properties().map(|(name, _)| name).chain(has_device.then_some(DEVICE));
        refuse(format!("`{}` has no property `{}`: {}", self.name(), excerpt(property), suggest(property, names)))
    }
}

fn to_dynamic(property: &str, value: Value<'_>, run: &Run) -> Result<Dynamic, Fault> {
    match value {
        Value::Absent => Ok(Dynamic::UNIT),
        Value::Text(text) => {
            run.charge_bytes(text.len())?;
            Ok(text.into())
        }
        Value::Number(number) => Ok(number.into()),
        Value::Flag(flag) => Ok(flag.into()),
        Value::Texts(texts) => {
            let most = run.limits().array_items;
            if texts.len() > most {
                let length = texts.len();
                return Err(refuse(format!("`{property}` has {length} entries and a script's list may have {most}")));
            }
            run.charge(texts.len())?;
            run.charge_bytes(texts.iter().map(String::len).sum())?;
            Ok(texts.iter().map(|text| Dynamic::from(ImmutableString::from(text.as_str()))).collect::<Array>().into())
        }
        Value::Map(map) => {
            let map = json::map(map);
            run.charge_value(&map)?;
            Ok(map)
        }
    }
}

/// Teaches an engine the objects and their properties.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>, edition: Edition) {
    engine.register_type_with_name::<Record>("subject").register_type_with_name::<OrganizationRecord>("org");
    for property in property_names() {
        let run = Rc::clone(run);
        engine.register_get(property, move |record: &mut Record| record.read(property, &run));
    }
    // Reached for properties that have no getter, and for `record["name"]`.
    let reader = Rc::clone(run);
    engine.register_indexer_get(move |record: &mut Record, property: ImmutableString| record.read(&property, &reader));
    let writer = Rc::clone(run);
    engine.register_indexer_set(
        move |record: &mut Record, property: ImmutableString, value: Dynamic| -> Result<(), Fault> {
            let held = record.read(&property, &writer)?;
            take_back(record.name(), &property, &held, &value)
        },
    );
    register_organization(engine, run, edition);
}

/// The names of all properties of all subjects and devices, each once.
fn property_names() -> Vec<&'static str> {
    let paths = SubjectKind::ALL.into_iter().flat_map(Field::of).map(|(path, _)| *path);
    let mut names: Vec<&str> = paths.map(|path| path.rsplit('.').next().unwrap_or(path)).chain([DEVICE]).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn register_organization(engine: &mut Engine, run: &Rc<Run>, edition: Edition) {
    let r = Rc::clone(run);
    engine
        .register_get("name", |org: &mut OrganizationRecord| ImmutableString::from(org.0.name.as_str()))
        .register_get("display_name", move |org: &mut OrganizationRecord| -> Result<ImmutableString, Fault> {
            if edition >= Edition::Third {
                r.charge_bytes(org.0.display_name.len())?;
            }
            Ok(ImmutableString::from(&org.0.display_name))
        })
        .register_get("is_proxy", |org: &mut OrganizationRecord| org.0.is_proxy)
        .register_get("filter_level", |org: &mut OrganizationRecord| {
            let spelling = FilterLevel::ALL.into_iter().find(|(level, _)| *level == org.0.filter_level);
            spelling.map_or("", |(_, text)| text)
        });
    engine.register_indexer_get(|_: &mut OrganizationRecord, property: ImmutableString| -> Result<Dynamic, Fault> {
        let help = suggest(&property, ORGANIZATION.into_iter());
        Err(refuse(format!("`org` has no property `{}`: {help}", excerpt(&property))))
    });
    engine.register_indexer_set(
        |org: &mut OrganizationRecord, property: ImmutableString, value: Dynamic| -> Result<(), Fault> {
            let held = match &*property {
                "name" => Dynamic::from(ImmutableString::from(org.0.name.as_str())),
                "display_name" => Dynamic::from(ImmutableString::from(&org.0.display_name)),
                _ => Dynamic::UNIT,
            };
            take_back("org", &property, &held, &value)
        },
    );
}

/// Refuses to change a property. A method called on one hands its value back, changed or not; what is as
/// it was, is taken.
fn take_back(owner: &str, property: &str, held: &Dynamic, value: &Dynamic) -> Result<(), Fault> {
    if is_same(held, value) {
        return Ok(());
    }
    Err(refuse(format!("`{}` of `{owner}` cannot be changed by assignment", excerpt(property))))
}

fn is_same(held: &Dynamic, value: &Dynamic) -> bool {
    if let (Ok(held), Ok(value)) = (held.as_immutable_string_ref(), value.as_immutable_string_ref()) {
        return *held == *value;
    }
    if let (Ok(held), Ok(value)) = (held.as_array_ref(), value.as_array_ref()) {
        return held.len() == value.len() && held.iter().zip(value.iter()).all(|(held, value)| is_same(held, value));
    }
    if let (Ok(held), Ok(value)) = (held.as_map_ref(), value.as_map_ref()) {
        let is_there = |(key, held): (&_, &_)| value.get(key).is_some_and(|value| is_same(held, value));
        return held.len() == value.len() && held.iter().all(is_there);
    }
    if let (Ok(held), Ok(value)) = (held.as_int(), value.as_int()) {
        return held == value;
    }
    if let (Ok(held), Ok(value)) = (held.as_bool(), value.as_bool()) {
        return held == value;
    }
    if let (Ok(held), Ok(value)) = (held.as_float(), value.as_float()) {
        return held.to_bits() == value.to_bits();
    }
    if held.is_unit() && value.is_unit() {
        return true;
    }
    // The device has no setter of its own; what is handed back is the handle it was reached by.
    held.is::<Record>() && value.is::<Record>()
}

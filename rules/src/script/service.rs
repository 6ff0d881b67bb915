//! `service(...)`: services that a script has activated and deactivated for a place. Nothing is known here of which
//! services and places there are.
//!
//! What can be refused by the words alone is judged by functions of its own, which the check of a policy asks too.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::sync::Arc;

use linesman_schemas::{Place, ServiceName};
use rhai::{Dynamic, Engine, INT, ImmutableString, Map};

use super::actions::{Refusal, record};
use super::budget::{Fault, Run};
use super::{Activation, Intent, json};
use crate::diagnostic::excerpt;
use crate::subject::SubjectKind;
use crate::values::{self, SUBSTITUTIONS_MOST, Value};

/// How services are activated and deactivated: what stands in brackets may be left out.
pub const ACTIVATIONS: [&str; 2] =
    ["service(name)[.at(place)].activate([#{ ... }])", "service(name)[.at(place)].deactivate([#{ ... }])"];

/// The function that names a service.
pub(super) const SERVICE: &str = "service";
/// The method that names the place.
pub(super) const AT: &str = "at";
/// The methods that ask for something.
pub(super) const WISHES: [&str; 2] = ["activate", "deactivate"];
/// All methods of a service.
pub(super) const METHODS: [&str; 3] = [AT, "activate", "deactivate"];

/// Values given may stand so deep within each other.
const DEEPEST: usize = 16;

/// A service that a script has named, and the place if it has named one.
#[derive(Clone)]
struct Named {
    service: ServiceName,
    at: Option<Place>,
}

/// Makes an intent of what is asked for.
type Wish = fn(Activation) -> Intent;

/// Teaches an engine services.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    engine.register_type_with_name::<Named>(SERVICE);
    engine.register_fn(SERVICE, |name: ImmutableString| -> Result<Named, Fault> {
        Ok(Named { service: read_service(&name)?, at: None })
    });
    let r = Rc::clone(run);
    engine.register_fn(AT, move |named: &mut Named, place: ImmutableString| at(&r, named, &place));
    let [activate, deactivate] = WISHES;
    let wishes: [(&'static str, Wish); 2] = [(activate, Intent::Activate), (deactivate, Intent::Deactivate)];
    for (name, wish) in wishes {
        let r = Rc::clone(run);
        engine.register_fn(name, move |named: &mut Named| ask(&r, (name, wish), named, &Map::new()));
        let r = Rc::clone(run);
        engine.register_fn(name, move |named: &mut Named, given: Map| ask(&r, (name, wish), named, &given));
    }
}

fn at(run: &Run, named: &Named, place: &str) -> Result<Named, Fault> {
    let place = read_place(place)?;
    if !run.is_within(&place) {
        let message = format!("`{place}` lies in another organization");
        return Err(Refusal::new(message, "a policy acts in the organization it judges".to_owned()).into());
    }
    Ok(Named { at: Some(place), ..named.clone() })
}

fn ask(run: &Run, (name, wish): (&str, Wish), named: &Named, given: &Map) -> Result<(), Fault> {
    let kind = run.subject();
    if !kind.has_organization() {
        return Err(no_organization(name, kind).into());
    }
    if named.at.is_none() && !kind.has_incident() {
        return Err(no_place(name, kind).into());
    }
    if given.len() > SUBSTITUTIONS_MOST {
        let message = format!("`{name}` is given {} values and takes {SUBSTITUTIONS_MOST}", given.len());
        return Err(Refusal::new(message, None).into());
    }
    let mut substitutions = Vec::with_capacity(given.len());
    for (key, value) in given {
        read_parameter(name, key)?;
        let value = value_of(value, DEEPEST).map_err(|why| why.of(key, name))?;
        substitutions.push(read_substitution(name, key, &value)?);
    }
    let bytes = named.service.as_str().len() + substitutions.iter().map(String::len).sum::<usize>();
    let (service, at) = (named.service.clone(), named.at.clone());
    record(run, wish(Activation { service, at, substitutions }), bytes)
}

/// Reads the name of a service.
pub(super) fn read_service(name: &str) -> Result<ServiceName, Refusal> {
    name.parse().map_err(|_| {
        let help = "a name has lower-case letters, digits and `-`, beginning with a letter, at most 64".to_owned();
        Refusal::new(format!("`{}` is no name of a service", excerpt(name)), help)
    })
}

/// Reads a place at which a service may be active.
pub(super) fn read_place(text: &str) -> Result<Place, Refusal> {
    text.parse().ok().filter(|place| *place != Place::Provider).ok_or_else(|| {
        let help = "it is written as `acme`, `acme/berlin` or `acme/berlin/line-7`".to_owned();
        Refusal::new(format!("`{}` is no place in an organization", excerpt(text)), help)
    })
}

/// Refuses what needs a place where there is no device that has one.
pub(super) fn no_place(wish: &str, kind: SubjectKind) -> Refusal {
    let message = format!("`{wish}` needs a place, and this trigger is about {}", kind.with_article());
    Refusal::new(message, format!("name the place: `service(...).at(...).{wish}(...)`"))
}

/// Refuses what is done in an organization where the trigger is the provider's.
pub(super) fn no_organization(wish: &str, kind: SubjectKind) -> Refusal {
    let message = format!("`{wish}` acts in an organization, and this trigger is about {}", kind.with_article());
    Refusal::new(message, "that is the provider's: only notifications and `publish` are for it".to_owned())
}

/// Refuses what names no parameter.
pub(super) fn read_parameter(wish: &str, key: &str) -> Result<values::Name, Refusal> {
    values::Name::new(key).map_err(|mistake| Refusal::new(format!("`{wish}`: {}", mistake.message), mistake.help))
}

/// The substitution by which a parameter gets a value.
pub(super) fn read_substitution(wish: &str, key: &str, value: &Value) -> Result<String, Refusal> {
    values::substitution_text(key, value)
        .map_err(|mistake| Refusal::new(format!("`{}` of `{wish}`: {}", excerpt(key), mistake.message), mistake.help))
}

/// Why something is no value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoValue {
    /// It is nothing.
    Nothing,
    /// It is a range that holds nothing.
    Empty,
    /// It is infinite, or no number at all.
    NoNumber,
    /// It is of this sort.
    Sort(&'static str),
    /// Values stand too deep within each other.
    TooDeep,
}

impl NoValue {
    /// The refusal, for a parameter.
    pub(super) fn of(self, key: &str, wish: &str) -> Refusal {
        let what = format!("`{}` of `{wish}`", excerpt(key));
        let (message, help) = match self {
            Self::Nothing => (format!("{what} is nothing"), Some("leave it out, or give a value")),
            Self::Empty => (format!("{what} is a range that holds nothing"), Some("`1..=3` has both ends")),
            Self::NoNumber => (format!("{what} is no finite number"), None),
            Self::Sort(sort) => (format!("{what} is {sort}"), Some("give a text, number, flag, range, list or map")),
            Self::TooDeep => (format!("{what} has values more than {DEEPEST} deep within each other"), None),
        };
        Refusal::new(message, help.map(str::to_owned))
    }
}

/// A value of a script as a parameter may have it; so many levels may lie within it.
fn value_of(value: &Dynamic, depth: usize) -> Result<Value, NoValue> {
    let deeper = || depth.checked_sub(1).ok_or(NoValue::TooDeep);
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::given(&text));
    }
    if let Ok(items) = value.as_array_ref() {
        let depth = deeper()?;
        return items.iter().map(|item| value_of(item, depth)).collect::<Result<Vec<_>, _>>().map(Value::list);
    }
    if let Ok(map) = value.as_map_ref() {
        let depth = deeper()?;
        let mut entries = BTreeMap::new();
        for (key, value) in &*map {
            entries.insert(Arc::from(key.as_str()), value_of(value, depth)?);
        }
        return Ok(Value::Map(entries.into()));
    }
    if let Ok(number) = value.as_int() {
        return Ok(Value::Integer(number.into()));
    }
    if let Ok(number) = value.as_float() {
        return if number.is_finite() { Ok(Value::Float(number)) } else { Err(NoValue::NoNumber) };
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Boolean(flag));
    }
    if let Ok(c) = value.as_char() {
        return Ok(Value::given(c.encode_utf8(&mut [0; 4])));
    }
    if let Some(ends) = value.read_lock::<RangeInclusive<INT>>() {
        return range(*ends.start(), *ends.end());
    }
    if let Some(ends) = value.read_lock::<Range<INT>>() {
        return ends.end.checked_sub(1).map_or(Err(NoValue::Empty), |last| range(ends.start, last));
    }
    Err(if value.is_unit() { NoValue::Nothing } else { NoValue::Sort(json::describe(value)) })
}

/// The range of a script as a value, both ends included.
pub(super) fn range(first: INT, last: INT) -> Result<Value, NoValue> {
    if last < first {
        Err(NoValue::Empty)
    } else {
        Ok(Value::Range(values::Range::Integers(first.into(), last.into())))
    }
}

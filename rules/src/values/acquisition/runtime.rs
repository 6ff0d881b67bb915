//! What a place itself tells: parameters that nobody substitutes.

use std::sync::LazyLock;

use linesman_schemas::Place;

use crate::values::edition::Edition;
use crate::values::eval::{Fuel, evaluate};
use crate::values::expression::Expression;
use crate::values::kind::Type;
use crate::values::mistake::Mistake;
use crate::values::name::Name;
use crate::values::types::Types;
use crate::values::value::Value;

/// What each of [`RUNTIME_NAMES`] is, in their order.
const TYPES: [Type; 9] = [
    Type::String,
    Type::String,
    Type::Address,
    Type::Any,
    Type::Interface,
    Type::Network,
    Type::Number,
    Type::String,
    Type::String,
];

/// The names of the runtime parameters that every place may tell.
pub const RUNTIME_NAMES: [&str; 9] = [
    "device",
    "enterprise",
    "interface_address",
    "interface_addresses",
    "interface_name",
    "interface_networks",
    "interface_speed",
    "line",
    "site",
];

/// The runtime parameters of a place, by name. Those that the place does not tell are known, and have no value.
#[derive(Debug, Clone)]
pub struct Runtime {
    told: Vec<Told>,
}

/// A runtime parameter.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) name: Name,
    pub(super) types: Types,
    pub(super) value: Option<Value>,
}

/// What a place that tells nothing has.
static UNTOLD: LazyLock<Vec<Told>> = LazyLock::new(|| {
    let known = RUNTIME_NAMES.into_iter().zip(TYPES);
    let known = known.filter_map(|(name, kind)| {
        let name = Name::new(name).ok()?;
        Some(Told { name, types: Types::new([kind]), value: None })
    });
    known.collect()
});

impl Default for Runtime {
    fn default() -> Self {
        Self { told: UNTOLD.clone() }
    }
}

impl Runtime {
    /// What places tell of themselves on one way down: the names of enterprise, site and line.
    pub fn of<'p>(places: impl IntoIterator<Item = &'p Place>) -> Self {
        let mut runtime = Self::default();
        for place in places {
            let (site, line) = match place {
                Place::Provider | Place::Organization(_) => (None, None),
                Place::Below(path) => (Some(&path.site), path.line.as_ref()),
            };
            let names = [
                ("enterprise", place.organization().map(ToString::to_string)),
                ("site", site.map(ToString::to_string)),
                ("line", line.map(ToString::to_string)),
            ];
            for (name, value) in names {
                if let (Some(value), Some(told)) =
                    (value, runtime.told.iter_mut().find(|told| told.name.as_str() == name))
                {
                    told.value = Some(Value::text(&value));
                }
            }
        }
        runtime
    }

    /// Has the place tell a value. A text is read as what the parameter is: an address of `interface_address`, the
    /// networks of `interface_networks`.
    ///
    /// # Errors
    /// The name is none, or the value is not what the parameter takes.
    pub fn tell(&mut self, name: &str, value: Value) -> Result<(), Mistake> {
        if let Some(told) = self.told.iter_mut().find(|told| told.name.as_str() == name) {
            let value = match &value {
                Value::Text(text) if told.types.iter().any(|kind| matches!(kind, Type::Address | Type::Any)) => {
                    read(text).unwrap_or(value)
                }
                Value::Text(text) if told.types.iter().any(|kind| kind == Type::Network) => read(text).unwrap_or(value),
                Value::List(elements) if told.types.iter().any(|kind| kind == Type::Network) => {
                    Value::list(elements.iter().map(|element| match element {
                        Value::Text(text) => read(text).unwrap_or_else(|| element.clone()),
                        other => other.clone(),
                    }))
                }
                _ => value,
            };
            told.value = Some(told.types.admit_by(Edition::First, value)?);
            return Ok(());
        }
        let name = Name::new(name)?;
        self.told.push(Told { name, types: Types::default(), value: Some(value) });
        Ok(())
    }

    /// Has the place tell a value unless it has told one already, or the value is none of the parameter.
    pub fn tell_first(&mut self, name: &str, value: Value) {
        let is_told = self.told.iter().any(|told| told.name.as_str() == name && told.value.is_some());
        if !is_told {
            // What is no name of an interface, say, is as if the place told nothing.
            let _ = self.tell(name, value);
        }
    }

    /// The place tells nothing of this name, and does not know it.
    pub fn leave_out(&mut self, name: &str) {
        self.told.retain(|told| told.name.as_str() != name);
    }

    pub(super) fn told(&self) -> &[Told] {
        &self.told
    }

    /// What there is to do about a parameter without a value that another one needs.
    pub(super) fn help_for(name: &str) -> String {
        match RUNTIME_NAMES.contains(&name) {
            true => format!("the place tells `{name}`, and does not yet: it is said where the place is set"),
            false => format!("give `{name}`"),
        }
    }

    /// Whether the place tells a value of a name.
    pub(super) fn tells(&self, name: &str) -> bool {
        self.told.iter().any(|told| told.name.as_str() == name && told.value.is_some())
    }

    /// Whether a name is one of a runtime parameter.
    pub fn has(&self, name: &str) -> bool {
        self.told.iter().any(|told| told.name.as_str() == name)
    }
}

/// The value that a text writes, if it writes one.
fn read(text: &str) -> Option<Value> {
    let expression = Expression::parse(text).ok()?;
    evaluate(&expression, &mut |_| None, &mut Fuel::default()).ok()
}

//! What the values of parameters may be in a template: by their types and their constraints.

use std::collections::BTreeMap;

use crate::services::template::{Sort, base, form};
use crate::values::{
    Clause, Constraint, Definition, Expression, Fuel, ListMode, Parameter, RUNTIME_NAMES, Range, Single, Type, Value,
    evaluate,
};

/// The sorts of all parameters that a service's templates may read, by name.
pub(super) fn of_parameters<'d>(locals: &'d Definition, globals: &'d Definition) -> BTreeMap<&'d str, Sort> {
    let mut sorts: BTreeMap<&str, Sort> = RUNTIME_NAMES.into_iter().map(|name| (name, of_runtime(name))).collect();
    for parameter in globals.parameters().iter().chain(locals.parameters()) {
        let name = parameter.name.as_str();
        // What both somebody gives and the place tells may be either.
        let sort = if RUNTIME_NAMES.contains(&name) { Sort::any() } else { of_parameter(parameter) };
        sorts.insert(name, sort);
    }
    sorts
}

/// The parameters that nobody has to give, and that have no value of their own.
pub(super) fn without_value(definition: &Definition) -> impl Iterator<Item = &str> {
    let is_free = |parameter: &&Parameter| {
        let substitutes = parameter.substitution.as_ref().is_some_and(|said| matches!(said.clause, Clause::Value(_)));
        !parameter.is_required && parameter.default.is_none() && !substitutes
    };
    definition.parameters().iter().filter(is_free).map(|parameter| parameter.name.as_str())
}

fn of_runtime(name: &str) -> Sort {
    let base = match name {
        "interface_address" => base::ADDRESS,
        "interface_name" => base::INTERFACE,
        "interface_networks" => base::NETWORK,
        "interface_speed" => base::INTEGER | base::FLOAT,
        "device" | "enterprise" | "line" | "site" => base::TEXT,
        _ => return Sort::any(),
    };
    // Addresses and numbers may be told as lists; a text that is none of an address stays a text.
    Sort { forms: form::ALL, base: base | base::TEXT, negates: true, ..Sort::any() }
}

fn of_parameter(parameter: &Parameter) -> Sort {
    let types: Vec<Type> = match parameter.types.is_empty() {
        true => vec![Type::Any],
        false => parameter.types.iter().collect(),
    };
    let mut sort = Sort { forms: 0, ..Sort::single(0) };
    for kind in types {
        let of_kind = of_type(kind);
        sort = Sort {
            forms: sort.forms | of_kind.forms,
            base: sort.base | of_kind.base,
            negates: sort.negates || of_kind.negates,
            nests: sort.nests || of_kind.nests,
            ..sort
        };
    }
    // Lists that meet are put together whatever the values are that meet.
    if parameter.list != ListMode::Replace {
        sort.forms |= form::LIST;
    }
    if parameter.asked.single.is_some() {
        sort.forms &= form::SINGLE;
        sort.negates = false;
    }
    if parameter.asked.single == Some(Single::Value) {
        sort.base &= !base::RANGES;
    }
    if parameter.asked.is_integer {
        sort.base &= !base::FLOAT;
    }
    if !parameter.is_required && !is_fixed(parameter) {
        sort.forms |= form::UNDEFINED;
    }
    if let Some(within) = constraint(parameter) {
        let choices = flat(within.value());
        sort.bounds = hull(&choices);
        let texts =
            choices.iter().map(|choice| if let Value::Text(text) = choice { Some(text.to_string()) } else { None });
        sort.words = texts.collect::<Option<Vec<_>>>().filter(|_| sort.base & (base::TEXT | base::INTERFACE) != 0);
    }
    match fixed(parameter) {
        Some(Value::Integer(number)) => sort.bounds = Some((number, number)),
        Some(Value::Text(text)) => sort.words = Some(vec![text.to_string()]),
        Some(Value::Boolean(truth)) => sort.truth = Some(truth),
        _ => {}
    }
    sort
}

fn of_type(kind: Type) -> Sort {
    let single = match kind {
        Type::Network => base::NETWORK,
        Type::Address => base::ADDRESS,
        Type::AddressMask => base::ADDRESS,
        Type::Interface => base::INTERFACE,
        Type::Protocol => base::INTEGER | base::TEXT,
        Type::Number => base::INTEGER | base::FLOAT,
        Type::String => base::TEXT,
        Type::Boolean => base::BOOLEAN,
        Type::Any => return Sort { forms: form::ALL & !form::UNDEFINED, ..Sort::any() },
        _ => base::INTEGER,
    };
    let range = match kind {
        Type::Address => base::RANGE_OF_ADDRESSES,
        _ => base::RANGE_OF_NUMBERS,
    };
    let may = |takes: bool, bit: u8| if takes { bit } else { 0 };
    Sort {
        forms: form::SINGLE | may(kind.takes_list(), form::LIST) | may(kind.takes_not(), form::NEGATED),
        base: single | if kind.takes_range() { range } else { 0 },
        negates: kind.takes_not(),
        ..Sort::single(0)
    }
}

/// Whether a parameter has the same value everywhere, since its definition fixes it.
fn is_fixed(parameter: &Parameter) -> bool {
    let said = parameter.substitution.as_ref().filter(|said| said.is_fixed);
    said.is_some_and(|said| matches!(&said.clause, Clause::Value(expression) if expression.is_closed()))
}

/// The value that a parameter has everywhere, since its definition fixes it.
fn fixed(parameter: &Parameter) -> Option<Value> {
    let expression = parameter.substitution.as_ref().filter(|said| said.is_fixed)?.expression()?;
    let value = is_fixed(parameter).then(|| closed(expression)).flatten()?;
    parameter.admit(value)
}

/// The constraint of a parameter where it refers to nothing.
pub(super) fn constraint(parameter: &Parameter) -> Option<Constraint> {
    let expression = parameter.constraint.as_ref()?.expression()?;
    Constraint::of(closed(expression)?).ok()
}

/// The value of an expression that refers to nothing.
pub(super) fn closed(expression: &Expression) -> Option<Value> {
    expression.is_closed().then(|| evaluate(expression, &mut |_| None, &mut Fuel::default()).ok()).flatten()
}

/// What a constraint leaves to choose from.
pub(super) fn flat(value: &Value) -> Vec<Value> {
    match value {
        Value::List(elements) => elements.iter().flat_map(flat).collect(),
        single => vec![single.clone()],
    }
}

/// What all choices lie within, where all of them are numbers.
fn hull(choices: &[Value]) -> Option<(i128, i128)> {
    let ends = choices.iter().map(|choice| match choice {
        Value::Integer(number) => Some((*number, *number)),
        // Beyond the ends of i128 the cast gives the ends.
        Value::Float(number) => Some((number.floor() as i128, number.ceil() as i128)),
        Value::Range(Range::Integers(first, last)) => Some((*first, *last)),
        Value::Range(Range::Floats(first, last)) => Some((first.floor() as i128, last.ceil() as i128)),
        _ => None,
    });
    let ends: Vec<_> = ends.collect::<Option<_>>()?;
    ends.into_iter().reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

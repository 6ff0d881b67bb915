//! Values to try a service with: of each parameter some that its types and its constraint take, and what its templates
//! compare with.

use std::collections::BTreeSet;

use minijinja::Value as Literal;

use super::sorts;
use crate::values::{
    Clause, Definition, Expression, Layer, Parameter, Range, Runtime, Said, Source, Substitution, Type, Value,
};

/// The most values of one parameter that are tried.
const VALUES_MOST: usize = 12;

/// The most values besides of what a parameter is compared with.
const COMPARED_MOST: usize = 24;

/// A parameter, and what it is tried with.
pub(super) struct Sampled<'d> {
    parameter: &'d Parameter,
    values: Vec<Expression>,
}

/// What is given of each parameter: the number of a value, or nothing.
pub(super) type Given = Vec<Option<usize>>;

/// The values of all parameters.
pub(super) fn of_parameters<'d>(
    locals: &'d Definition,
    globals: &'d Definition,
    literals: &[Literal],
    compared: &[(String, Literal)],
) -> Vec<Sampled<'d>> {
    let visible = globals.parameters().iter().filter(|parameter| locals.get(parameter.name.as_str()).is_none());
    let substitutable = locals.parameters().iter().chain(visible);
    let substitutable = substitutable.filter(|parameter| !Runtime::default().has(parameter.name.as_str()));
    let sampled = substitutable.enumerate().map(|(index, parameter)| {
        let number = i128::try_from(index).unwrap_or_default();
        let own = compared.iter().filter(|(name, _)| name.as_str() == parameter.name.as_str());
        let own: Vec<Value> = own.flat_map(|(_, literal)| of_literal(literal)).collect();
        Sampled { parameter, values: of_parameter(parameter, number, literals, &own) }
    });
    sampled.collect()
}

/// What is to be given, one after the other: as little as there has to be, all, all with one otherwise, and from
/// `mixed` on everything otherwise.
pub(super) fn given(sampled: &[Sampled<'_>], mixed: usize, most_tried: usize) -> Vec<Given> {
    let first = |parameter: &Sampled<'_>| (!parameter.values.is_empty()).then_some(0);
    let all: Given = sampled.iter().map(first).collect();
    let least: Given = sampled.iter().map(|one| first(one).filter(|_| one.parameter.is_required)).collect();
    let mut tried = vec![least.clone(), all.clone()];
    let most = sampled.iter().map(|one| one.values.len()).max().unwrap_or_default();
    // Where not all can be tried, some of each parameter is.
    for choice in [None].into_iter().chain((0..most).map(Some)) {
        let has_it = |one: &Sampled<'_>| choice.is_none_or(|choice| choice < one.values.len());
        for (index, _) in sampled.iter().enumerate().filter(|(_, one)| has_it(one)) {
            for base in [&all, &least] {
                let mut given = base.clone();
                if let Some(at) = given.get_mut(index) {
                    *at = choice;
                }
                tried.push(given);
            }
        }
    }
    tried.truncate(most_tried.saturating_sub(mixed));
    for round in 1..=mixed {
        // Steps that share no divisor with one another meet in all combinations.
        let choice = |(index, one): (usize, &Sampled<'_>)| {
            let count = one.values.len() + 1;
            Some((round * (2 * index + 1) + round / count) % count).filter(|choice| *choice < one.values.len())
        };
        tried.push(sampled.iter().enumerate().map(choice).collect());
    }
    let mut seen = BTreeSet::new();
    tried.retain(|given| seen.insert(given.clone()));
    tried
}

/// What is given, as a source says it.
pub(super) fn layer(sampled: &[Sampled<'_>], given: &Given) -> Layer {
    let chosen = sampled.iter().zip(given).filter_map(|(one, choice)| {
        let expression = one.values.get((*choice)?)?.clone();
        let name = one.parameter.name.clone();
        let clause = Clause::Value(expression);
        Some(Said::from(Substitution { name, is_fixed: false, types: Default::default(), clause }))
    });
    Layer { source: Source::Activation, place: None, substitutions: chosen.collect() }
}

/// What is given, with an empty list of each parameter that may have one: its name, and what a source says then.
pub(super) fn with_empty<'d>(sampled: &'d [Sampled<'_>], given: &Given) -> impl Iterator<Item = (&'d str, Layer)> {
    let layer = layer(sampled, given);
    let takes = |parameter: &&Parameter| {
        let is_list = parameter.types.is_empty() || parameter.types.iter().any(Type::takes_list);
        // Of what is required an empty list is none.
        is_list && parameter.asked.single.is_none() && !parameter.is_required
    };
    sampled.iter().map(|one| one.parameter).filter(takes).filter_map(move |parameter| {
        let mut layer = layer.clone();
        layer.substitutions.retain(|said| said.substitution.name != parameter.name);
        let clause = Clause::Value(Expression::parse("[]").ok()?);
        let name = parameter.name.clone();
        layer.substitutions.push(Said::from(Substitution { name, is_fixed: false, types: Default::default(), clause }));
        Some((parameter.name.as_str(), layer))
    })
}

/// What a place tells.
pub(super) fn runtime() -> Runtime {
    let mut runtime = Runtime::default();
    for (name, text) in [
        ("device", "edge-1"),
        ("enterprise", "acme"),
        ("interface_address", "192.0.2.1"),
        ("interface_name", "ge-0/0/7.0"),
        ("line", "line-7"),
        ("site", "berlin"),
    ] {
        runtime.tell_first(name, Value::text(text));
    }
    let networks = ["192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32"].into_iter().map(Value::text);
    runtime.tell_first("interface_networks", Value::list(networks));
    runtime.tell_first("interface_speed", Value::Integer(1_000_000_000));
    runtime
}

/// Values of one parameter, single ones first; others than the first of parameters beside it. `own` is what it is
/// compared with, and what stands beside that.
fn of_parameter(parameter: &Parameter, number: i128, literals: &[Literal], own: &[Value]) -> Vec<Expression> {
    let constraint = sorts::constraint(parameter);
    let mut singles: Vec<Value> = Vec::new();
    for choice in constraint.iter().flat_map(|constraint| sorts::flat(constraint.value())) {
        singles.extend(of_choice(&choice, number));
    }
    let types: Vec<Type> = if parameter.types.is_empty() { vec![Type::Any] } else { parameter.types.iter().collect() };
    singles.extend(types.iter().flat_map(|kind| of_type(*kind, number)));
    singles.extend(literals.iter().flat_map(of_literal));
    let is_taken = |value: &Value| {
        let admitted = parameter.admit(value.clone())?;
        constraint.as_ref().is_none_or(|constraint| constraint.admits(&admitted)).then_some(admitted)
    };
    let mut values: Vec<Value> = Vec::new();
    let mut take_up_to = |most: usize, value: &Value| {
        if let Some(value) = is_taken(value)
            && !values.contains(&value)
            && values.len() < most
        {
            values.push(value);
        }
    };
    let mut take = |value: &Value| take_up_to(VALUES_MOST, value);
    singles.iter().take(6).for_each(&mut take);
    let first = singles.iter().find(|value| is_taken(value).is_some());
    let second = singles.iter().filter(|value| is_taken(value).is_some()).nth(1);
    if let Some(first) = first {
        let negated = Value::Not(second.unwrap_or(first).clone().into());
        let several = [first.clone(), second.unwrap_or(first).clone()];
        let range = match (first, second) {
            (Value::Integer(one), Some(Value::Integer(other))) => {
                Some(Range::Integers(*one.min(other), *one.max(other)))
            }
            _ => None,
        };
        range.iter().for_each(|range| take(&Value::Range(*range)));
        take(&Value::list(several));
        take(&Value::list([first.clone(), negated.clone()]));
        take(&negated);
    }
    own.iter().for_each(|value| take_up_to(VALUES_MOST + COMPARED_MOST, value));
    singles.iter().skip(6).for_each(|value| take_up_to(VALUES_MOST, value));
    values.iter().filter_map(|value| Expression::parse(&written(value)?).ok()).collect()
}

/// Single values that a choice of a constraint holds.
fn of_choice(choice: &Value, number: i128) -> Vec<Value> {
    match choice {
        Value::Range(Range::Integers(first, last)) => {
            let inner = first.saturating_add(number).saturating_add(1).min(*last);
            vec![Value::Integer(inner), Value::Integer(*last), Value::Integer(*first)]
        }
        Value::Range(Range::Floats(first, last)) => vec![Value::Float(*last), Value::Float(*first)],
        Value::Range(Range::Addresses(first, last)) => vec![Value::Address(*first), Value::Address(*last)],
        Value::Network(network) => {
            vec![choice.clone(), Value::Address(network.address()), Value::Address(network.last())]
        }
        single => vec![single.clone()],
    }
}

/// Typical values of a type.
fn of_type(kind: Type, number: i128) -> Vec<Value> {
    let text = |text: &str| Value::text(text);
    let read = |written: String| -> Vec<Value> {
        Expression::parse(&written).ok().and_then(|expression| sorts::closed(&expression)).into_iter().collect()
    };
    let n = number % 200 + 1;
    match kind {
        Type::Network => [format!("10.{n}.0.0/16"), format!("2001:db8:{n}::/48")].into_iter().flat_map(read).collect(),
        Type::Address => [format!("192.0.2.{n}"), format!("2001:db8::{n}"), format!("192.0.2.{n}..192.0.2.250")]
            .into_iter()
            .flat_map(read)
            .collect(),
        Type::AddressMask => read("255.255.255.0".to_owned()),
        Type::Interface => vec![text(&format!("ge-0/0/{n}.0")), text("ge-0/0/*")],
        Type::Protocol => vec![text("tcp"), text("icmp"), Value::Integer(17)],
        Type::String => vec![text(&format!("text-{n}")), text("")],
        Type::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        Type::Any => vec![text(&format!("text-{n}")), Value::Integer(n), Value::Boolean(true), Value::Boolean(false)],
        _ => vec![Value::Integer(n), Value::Integer(n * 1_000), Value::Integer(0)],
    }
}

/// What a literal of a template may be compared with: itself, and the numbers beside it.
fn of_literal(literal: &Literal) -> Vec<Value> {
    if let Some(text) = literal.as_str() {
        let written = Expression::parse(text).ok().and_then(|expression| sorts::closed(&expression));
        return [Some(Value::text(text)), written].into_iter().flatten().collect();
    }
    let number = if literal.is_integer() { i128::try_from(literal.clone()).ok() } else { None };
    let near = number.filter(|number| i64::try_from(*number).is_ok());
    let float = || f64::try_from(literal.clone()).ok().filter(|_| literal.is_number()).map(Value::Float);
    near.map_or_else(
        || float().into_iter().collect(),
        |number| [number, number + 1, number - 1].map(Value::Integer).to_vec(),
    )
}

/// A value as an expression writes it; none for what has no such spelling.
fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(text) => {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
            format!("\"{escaped}\"")
        }
        Value::List(elements) => {
            let elements: Option<Vec<String>> = elements.iter().map(written).collect();
            format!("[{}]", elements?.join(", "))
        }
        Value::Not(inner) => format!("not {}", written(inner)?),
        Value::Map(_) => return None,
        other => other.to_string(),
    })
}

//! Services: what is called on one, and with what.

use std::collections::BTreeMap;

use rhai::{Expr, FnCallExpr, Stmt};

use super::super::service::{self, AT, METHODS, NoValue, SERVICE, WISHES};
use super::calls::{refuse_as, report_refusal};
use super::held::Held;
use super::walk::Walk;
use crate::diagnostic::{Code, LineColumn, excerpt, suggest};
use crate::literal::{self, Entry, Literal, Spanned};
use crate::values::Value;

/// What a call gives, as far as it is a service; `owner` is what stands before the dot, or the first argument.
pub(super) fn given(name: &str, owner: Held) -> Held {
    match name {
        SERVICE => Held::Service,
        AT if owner.is_service() => Held::PlacedService,
        _ => Held::Other,
    }
}

/// Checks the call that names a service.
pub(super) fn check_name(call: &FnCallExpr, held: Option<Held>, walk: &mut Walk<'_>) {
    let Some(argument) = call.args.first() else { return };
    let text = text_of("name", SERVICE, argument, held, walk);
    text.into_iter().for_each(|(name, at)| report_refusal(service::read_service(&name), at, walk));
}

/// Checks what is called on a service, with these arguments behind it.
pub(super) fn check_method(
    name: &str,
    owner: Held,
    (arguments, held): (&[Expr], &[Held]),
    at: LineColumn,
    walk: &mut Walk<'_>,
) {
    let given = arguments.first().zip(held.first().copied());
    if name == AT {
        let text = given.and_then(|(argument, held)| text_of("place", AT, argument, Some(held), walk));
        text.into_iter().for_each(|(place, at)| report_refusal(service::read_place(&place), at, walk));
        return;
    }
    if !WISHES.contains(&name) {
        return;
    }
    if let Some(kind) = walk.kind.filter(|kind| !kind.has_organization()) {
        refuse_as(Code::Refused, service::no_organization(name, kind), at, walk);
    } else if owner == Held::Service
        && let Some(kind) = walk.kind.filter(|kind| !kind.has_incident())
    {
        refuse_as(Code::Refused, service::no_place(name, kind), at, walk);
    }
    let Some((argument, held)) = given else { return };
    let Spanned { at, value } = literal::read(argument);
    match value {
        _ if held.is_object() => wrong_type("values", name, ("a map", "an object"), at, walk),
        Literal::Map(entries) => entries.iter().for_each(|entry| check_value(name, entry, walk)),
        Literal::Other(literal::EXPRESSION) => {}
        other => wrong_type("values", name, ("a map", other.describe()), at, walk),
    }
}

/// Checks a property of a service, of which there is none.
pub(super) fn check_property(name: &str, at: LineColumn, walk: &mut Walk<'_>) {
    let message = format!("`{SERVICE}` has no property `{}`", excerpt(name));
    let help = match METHODS.contains(&name) {
        true => format!("it is called: `{name}(...)`"),
        false => suggest(name, METHODS.into_iter()),
    };
    walk.faults.add_with_help(Code::UnknownField, at, message, help);
}

/// Whether a statement has a service activated or deactivated whatever happens.
pub(super) fn is_wish(statement: &Stmt, walk: &Walk<'_>) -> bool {
    let Stmt::Expr(expr) = statement else { return false };
    let Expr::Dot(pair, ..) = &**expr else { return false };
    let is_service = matches!(&pair.lhs, Expr::FnCall(call, _) if is_ours(SERVICE, call, walk));
    let last = match &pair.rhs {
        Expr::Dot(inner, ..) if matches!(&inner.lhs, Expr::MethodCall(call, _) if is_ours(AT, call, walk)) => {
            &inner.rhs
        }
        only => only,
    };
    let Expr::MethodCall(call, _) = last else { return false };
    is_service && WISHES.iter().any(|wish| is_ours(wish, call, walk))
}

fn is_ours(name: &str, call: &FnCallExpr, walk: &Walk<'_>) -> bool {
    call.name == name && !walk.own.takes(name, call.args.len())
}

/// The text that is written out for an argument, and where; what can be no text is reported.
fn text_of(
    parameter: &str,
    function: &str,
    argument: &Expr,
    held: Option<Held>,
    walk: &mut Walk<'_>,
) -> Option<(String, LineColumn)> {
    let Spanned { at, value } = literal::read(argument);
    match value {
        _ if held.is_some_and(Held::is_object) => wrong_type(parameter, function, ("a text", "an object"), at, walk),
        Literal::Text(text) => return Some((text, at)),
        Literal::Other(literal::EXPRESSION) => {}
        other => wrong_type(parameter, function, ("a text", other.describe()), at, walk),
    }
    None
}

fn wrong_type(parameter: &str, function: &str, (wanted, given): (&str, &str), at: LineColumn, walk: &mut Walk<'_>) {
    let message = format!("`{parameter}` of `{function}` is {wanted}, not {given}");
    walk.faults.add(Code::WrongType, at, message);
}

/// Checks the value that is written out for a parameter.
fn check_value(wish: &str, entry: &Entry, walk: &mut Walk<'_>) {
    if let Err(refusal) = service::read_parameter(wish, &entry.key) {
        refuse_as(Code::UnknownKey, refusal, entry.at, walk);
        return;
    }
    let at = entry.value.at;
    match value_of(&entry.value.value) {
        Ok(Some(value)) => report_refusal(service::read_substitution(wish, &entry.key, &value), at, walk),
        Ok(None) => {}
        Err(why) => refuse_as(Code::WrongType, why.of(&entry.key, wish), at, walk),
    }
}

/// A literal as the value of a parameter; none where it is not known before the run.
fn value_of(literal: &Literal) -> Result<Option<Value>, NoValue> {
    match literal {
        Literal::Text(text) => Ok(Some(Value::given(text))),
        Literal::Number(number) => Ok(Some(Value::Integer((*number).into()))),
        Literal::Flag(flag) => Ok(Some(Value::Boolean(*flag))),
        Literal::Range { first, last } => service::range(*first, *last).map(Some),
        Literal::List(items) => {
            let values: Vec<_> = items.iter().map(|item| value_of(&item.value)).collect::<Result<_, _>>()?;
            Ok(values.into_iter().collect::<Option<Vec<_>>>().map(Value::list))
        }
        Literal::Map(entries) => {
            let value =
                |entry: &Entry| Ok(value_of(&entry.value.value)?.map(|value| (entry.key.as_str().into(), value)));
            let values: Vec<_> = entries.iter().map(value).collect::<Result<_, _>>()?;
            Ok(values.into_iter().collect::<Option<BTreeMap<_, _>>>().map(|map| Value::Map(map.into())))
        }
        Literal::Other(literal::NOTHING) => Err(NoValue::Nothing),
        Literal::Other(_) => Ok(None),
    }
}

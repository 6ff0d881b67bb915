//! `forward_intelligence(...)`: what it is told, as far as that is written out.

use rhai::FnCallExpr;

use super::super::{Parameter, forwarding};
use super::calls::{fits, refuse, refuse_as};
use super::held::Held;
use super::walk::Walk;
use crate::diagnostic::{Code, LineColumn};
use crate::literal::{self, Entry, Literal};
use crate::subject::SubjectKind;

/// Checks `forward_intelligence(message, ...)`.
pub(super) fn check(call: &FnCallExpr, at: LineColumn, arguments: &[Held], walk: &mut Walk<'_>) {
    const NAME: &str = forwarding::FORWARD;
    if let Some(kind) = walk.kind.filter(|kind| *kind != SubjectKind::Message) {
        refuse(forwarding::no_message(kind), at, walk);
        return;
    }
    if let (Some(argument), Some(held)) = (call.args.first(), arguments.first()) {
        let literal::Spanned { at, value } = literal::read(argument);
        let is_other = held.is_object() && *held != Held::Subject;
        if is_other || !matches!(value, Literal::Other(literal::EXPRESSION)) {
            let given = if is_other { "another object" } else { value.describe() };
            walk.faults.add(Code::WrongType, at, format!("`message` of `{NAME}` is the message, not {given}"));
        }
    }
    let Some(argument) = call.args.get(1) else { return };
    let literal::Spanned { at, value } = literal::read(argument);
    let Literal::Map(entries) = value else {
        let is_object = arguments.get(1).is_some_and(|held| held.is_object());
        if is_object || !fits(&value, Parameter::Map) {
            let given = if is_object { "an object" } else { value.describe() };
            walk.faults.add(Code::WrongType, at, format!("what `{NAME}` is told is a map, not {given}"));
        }
        return;
    };
    for Entry { key, at, value } in &entries {
        if !forwarding::KEYS.contains(&key.as_str()) {
            refuse_as(Code::UnknownKey, forwarding::unknown_key(key), *at, walk);
            continue;
        }
        let is_right = match (key.as_str(), &value.value) {
            (_, Literal::Other(what)) => *what == literal::EXPRESSION,
            ("only_affected", Literal::Flag(_)) | ("title" | "text", Literal::Text(_)) => true,
            _ => false,
        };
        if !is_right {
            let wanted = if key == "only_affected" { "a flag" } else { "a text" };
            let message = format!("`{key}` of `{NAME}` is {wanted}, not {}", value.value.describe());
            walk.faults.add(Code::WrongType, value.at, message);
        }
    }
}

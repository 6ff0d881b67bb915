//! Calls: whether the function exists, takes so many arguments, and would not refuse what is written out.

use std::collections::BTreeSet;

use rhai::{Expr, FnCallExpr};

use super::super::actions::{self, ACTIONS, Action, Parameter, Refusal};
use super::super::devices::{self, DEVICES};
use super::super::service::{METHODS, SERVICE};
use super::super::{collecting, forwarding, stdlib};
use super::functions::Functions;
use super::held::Held;
use super::services;
use super::walk::Walk;
use crate::diagnostic::{Code, LineColumn, excerpt, nearest, quoted, suggest};
use crate::literal::{self, Entry, Literal};

/// Checks `f(...)`.
pub(super) fn check_function(call: &FnCallExpr, at: LineColumn, arguments: &[Held], walk: &mut Walk<'_>) {
    let (name, count) = (call.name.as_str(), call.args.len());
    // `call(f, ...)` runs whatever `f` is.
    if walk.own.takes(name, count) || (name == "call" && count > 0) {
        return;
    }
    if !Functions::host().takes(name, count) {
        report(name, count, 0, at, walk);
        return;
    }
    let owner = arguments.first().copied();
    if name == "Fn" {
        check_pointer(call, walk);
    } else if name == SERVICE {
        services::check_name(call, owner, walk);
    } else if name == forwarding::FORWARD {
        super::forwarding::check(call, at, arguments, walk);
    } else if let (Some(owner), Some((_, behind)), Some((_, held))) =
        (owner.filter(|owner| owner.is_service()), call.args.split_first(), arguments.split_first())
    {
        services::check_method(name, owner, (behind, held), at, walk);
    } else if name == DEVICES {
        check_devices(owner.unwrap_or_default(), call.args.get(1), at, walk);
    } else if let Some(action) = ACTIONS.iter().find(|action| action.name == name) {
        check_action(action, call, at, arguments, walk);
    } else if stdlib::is_inexact(name) {
        walk.faults.add(Code::Refused, at, stdlib::inexact_text(name));
    }
}

/// Checks `x.f(...)`: a function of the host that takes `x` first, or an entry of a map.
pub(super) fn check_method(call: &FnCallExpr, at: LineColumn, owner: Held, arguments: &[Held], walk: &mut Walk<'_>) {
    let (name, count) = (call.name.as_str(), call.args.len());
    // A function of the script would need `this` to get at `x`, but may do without.
    let exists = name == "call" || walk.own.takes(name, count) || Functions::host().takes(name, count + 1);
    if !owner.is_object() && walk.survey.may_be_entry(name) {
        return;
    }
    if !exists && owner.is_service() && Functions::host().counts(name).is_none() {
        let help = suggest(name, METHODS.into_iter());
        let message = format!("unknown function `{}` of `{SERVICE}`", excerpt(name));
        walk.faults.add_with_help(Code::UnknownFunction, at, message, help);
    } else if !exists {
        report(name, count, 1, at, walk);
    } else if name == DEVICES && !walk.own.takes(name, count) {
        check_devices(owner, call.args.first(), at, walk);
    } else if owner.is_service() && !walk.own.takes(name, count) {
        services::check_method(name, owner, (&call.args, arguments), at, walk);
    } else if stdlib::is_inexact(name) && !walk.own.takes(name, count) {
        walk.faults.add(Code::Refused, at, stdlib::inexact_text(name));
    }
}

/// Reports a function that does not exist or takes other numbers of arguments; of those it takes, so
/// many stand before the dot.
fn report(name: &str, given: usize, before: usize, at: LineColumn, walk: &mut Walk<'_>) {
    let mut counts: BTreeSet<usize> = walk.own.counts(name).into_iter().flatten().copied().collect();
    counts.extend(Functions::host().counts(name).into_iter().flatten().filter_map(|count| count.checked_sub(before)));
    let name = excerpt(name);
    if counts.is_empty() {
        let known = || walk.own.names().filter(|name| !name.starts_with("anon")).chain(Functions::host().names());
        let message = format!("unknown function `{name}`");
        match nearest(&name, known()) {
            Some(known) => {
                let help = format!("did you mean `{known}`?");
                walk.faults.add_with_help(Code::UnknownFunction, at, message, help);
            }
            None => {
                let actions = ACTIONS.iter().map(|action| action.name).chain([forwarding::FORWARD]);
                let help =
                    format!("the actions are {}; `docs/policies.md` lists all functions there are", quoted(actions));
                walk.faults.add_with_help(Code::UnknownFunction, at, message, help);
            }
        }
        return;
    }
    let message = format!("`{name}` takes {}, not {given}", arguments_text(&counts));
    match ACTIONS.iter().find(|action| action.name == name && before == 0) {
        Some(action) => {
            let help = format!("it is called as `{}`", action.signature());
            walk.faults.add_with_help(Code::WrongArguments, at, message, help);
        }
        None => walk.faults.add(Code::WrongArguments, at, message),
    }
}

fn arguments_text(counts: &BTreeSet<usize>) -> String {
    let text = |count: &usize| if *count == 0 { "no".to_owned() } else { count.to_string() };
    let texts: Vec<String> = counts.iter().map(text).collect();
    let plural = if counts.iter().eq([&1]) { "argument" } else { "arguments" };
    match texts.split_last() {
        Some((last, [])) => format!("{last} {plural}"),
        Some((last, before)) => format!("{} or {last} {plural}", before.join(", ")),
        None => format!("other {plural}"),
    }
}

/// `Fn("name")` of a function that does not exist.
fn check_pointer(call: &FnCallExpr, walk: &mut Walk<'_>) {
    let Some(Expr::StringConstant(name, at)) = call.args.first() else { return };
    let is_word = rhai::is_valid_identifier(name.as_str());
    if is_word && walk.own.counts(name).is_none() && Functions::host().counts(name).is_none() {
        report(name, 0, 0, (*at).into(), walk);
    }
}

fn check_action(action: &Action, call: &FnCallExpr, at: LineColumn, arguments: &[Held], walk: &mut Walk<'_>) {
    if action.needs_incident
        && let Some(kind) = walk.kind.filter(|kind| !kind.has_incident())
    {
        refuse(actions::no_incident(action.name, kind), at, walk);
        return;
    }
    for ((argument, (name, parameter)), held) in call.args.iter().zip(&action.parameters).zip(arguments) {
        let literal::Spanned { at, value } = literal::read(argument);
        let is_object = held.is_object();
        if is_object || !fits(&value, *parameter) {
            let given = if is_object { "an object" } else { value.describe() };
            match parameter {
                Parameter::Text => {
                    let message = format!("`{name}` of `{}` is a text, not {given}", action.name);
                    walk.faults.add(Code::WrongType, at, message);
                }
                // The signature does not tell how a map is called.
                Parameter::Map => {
                    let message = format!("what `{}` is told stands in a map, and this is {given}", action.name);
                    let help = format!("it is called as `{}`", action.signature());
                    walk.faults.add_with_help(Code::WrongType, at, message, help);
                }
            }
            continue;
        }
        match (action.name, value) {
            ("set_priority", Literal::Text(word)) => report_refusal(actions::read_priority(&word), at, walk),
            ("require_approval", Literal::Text(word)) => report_refusal(actions::read_rule(&word), at, walk),
            ("close_incident", Literal::Text(note)) => report_refusal(actions::read_note(&note), at, walk),
            ("assign", Literal::Text(owner)) => report_refusal(actions::read_owner(&owner), at, walk),
            ("publish", Literal::Text(name)) => report_refusal(actions::check_publication(&name), at, walk),
            (collecting::COLLECT, Literal::Map(entries)) => super::collecting::check(&entries, at, walk),
            ("submit_case", Literal::Map(entries)) => entries.iter().for_each(|entry| check_case(entry, walk)),
            _ => {}
        }
    }
}

/// Checks which devices are asked for, and of whom.
fn check_devices(owner: Held, asked: Option<&Expr>, at: LineColumn, walk: &mut Walk<'_>) {
    if owner.is_object() && owner != Held::Organization {
        walk.faults.add(
            Code::WrongType,
            at,
            format!("`{DEVICES}` are asked for of the organization: `org.{DEVICES}(...)`"),
        );
        return;
    }
    let Some(literal::Spanned { at, value }) = asked.map(literal::read) else { return };
    let entries = match value {
        Literal::Map(entries) => entries,
        Literal::Other(literal::EXPRESSION) => return,
        other => {
            let message = format!("what `{DEVICES}` is given is a map, not {}", other.describe());
            walk.faults.add(Code::WrongType, at, message);
            return;
        }
    };
    for Entry { key, at, value } in entries {
        if !devices::KEYS.contains(&key.as_str()) {
            refuse_as(Code::UnknownKey, devices::unknown_key(&key), at, walk);
            continue;
        }
        match value.value {
            Literal::Text(text) => report_refusal(devices::read(&key, &text), value.at, walk),
            Literal::Other(literal::EXPRESSION) => {}
            other => refuse_as(Code::WrongType, devices::no_text(&key, other.describe()), value.at, walk),
        }
    }
}

/// Whether a value may be given; what is no literal may be anything.
pub(super) fn fits(value: &Literal, parameter: Parameter) -> bool {
    match value {
        Literal::Text(_) => parameter == Parameter::Text,
        Literal::Map(_) => parameter == Parameter::Map,
        Literal::Other(what) => *what == literal::EXPRESSION,
        Literal::Number(_) | Literal::Flag(_) | Literal::List(_) | Literal::Range { .. } => false,
    }
}

/// Checks an entry of what `submit_case` is told.
fn check_case(entry: &Entry, walk: &mut Walk<'_>) {
    let at = entry.value.at;
    if !actions::CASE_KEYS.contains(&entry.key.as_str()) {
        refuse_as(Code::UnknownKey, actions::unknown_case_key(&entry.key), entry.at, walk);
        return;
    }
    match (entry.key.as_str(), &entry.value.value) {
        (_, Literal::Other(what)) if *what == literal::EXPRESSION => {}
        ("cc", Literal::List(items)) => {
            let wrong = |item: &&literal::Spanned| !fits(&item.value, Parameter::Text);
            for item in items.iter().filter(wrong) {
                let message = format!("`cc` of `submit_case` is a list of texts, not of {}", plural(&item.value));
                walk.faults.add(Code::WrongType, item.at, message);
            }
        }
        ("cc", other) => {
            let message = format!("`cc` of `submit_case` is a list of texts, not {}", other.describe());
            walk.faults.add(Code::WrongType, at, message);
        }
        ("priority", Literal::Text(word)) => report_refusal(actions::read_priority(word), at, walk),
        ("follow_up", Literal::Text(text)) => report_refusal(actions::read_follow_up(text), at, walk),
        ("reference", Literal::Text(text)) => report_refusal(actions::read_reference(text), at, walk),
        (_, Literal::Text(_)) => {}
        (key, other) => {
            let message = format!("`{key}` of `submit_case` is a text, not {}", other.describe());
            walk.faults.add(Code::WrongType, at, message);
        }
    }
}

fn plural(value: &Literal) -> &'static str {
    match value {
        Literal::Number(_) => "numbers",
        Literal::Flag(_) => "flags",
        Literal::List(_) => "lists",
        Literal::Map(_) => "maps",
        _ => "other values",
    }
}

pub(super) fn report_refusal<T>(result: Result<T, Refusal>, at: LineColumn, walk: &mut Walk<'_>) {
    if let Err(refusal) = result {
        refuse_as(Code::UnknownValue, refusal, at, walk);
    }
}

pub(super) fn refuse(refusal: Refusal, at: LineColumn, walk: &mut Walk<'_>) {
    refuse_as(Code::Refused, refusal, at, walk);
}

pub(super) fn refuse_as(code: Code, refusal: Refusal, at: LineColumn, walk: &mut Walk<'_>) {
    match refusal.help {
        Some(help) => walk.faults.add_with_help(code, at, refusal.message, help),
        None => walk.faults.add(code, at, refusal.message),
    }
}

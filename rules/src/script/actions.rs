//! The functions by which a script asks for something to be done. Each only records an intent.

use std::rc::Rc;

use linesman_schemas::Priority;
use linesman_schemas::command::CaseWords;
use linesman_schemas::reaction::FollowUp;
use rhai::{Dynamic, Engine, ImmutableString, Map};

use super::budget::{Fault, Run, refuse};
use super::{Intent, json};
use crate::diagnostic::{excerpt, quoted, suggest};

/// What `submit_case` may be told.
const CASE_KEYS: [&str; 5] = ["synopsis", "comments", "priority", "cc", "follow_up"];

/// Names of built-in connectors, under which no policy publishes.
const BUILT_IN: [&str; 2] = ["jss", "log"];

/// What an action costs besides its bytes.
const COST: usize = 10;

/// Teaches an engine the actions.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn("submit_case", move || submit_case(&r, &Map::new()));
    let r = Rc::clone(run);
    engine.register_fn("submit_case", move |map: Map| submit_case(&r, &map));
    let r = Rc::clone(run);
    engine.register_fn("log", move |message: ImmutableString| log(&r, &message, &Map::new()));
    let r = Rc::clone(run);
    engine.register_fn("log", move |message: ImmutableString, fields: Map| log(&r, &message, &fields));
    let r = Rc::clone(run);
    engine.register_fn("set_priority", move |word: ImmutableString| set_priority(&r, &word));
    let r = Rc::clone(run);
    engine.register_fn("assign", move |owner: ImmutableString| assign(&r, &owner));
    let r = Rc::clone(run);
    engine.register_fn("publish", move |name: ImmutableString, data: Map| publish(&r, &name, &data));
}

fn submit_case(run: &Run, map: &Map) -> Result<(), Fault> {
    require_incident(run, "submit_case")?;
    let mut case = CaseWords::default();
    let mut bytes = 64;
    for (key, value) in map {
        let mut text = || text_of(key, value, &mut bytes);
        match key.as_str() {
            "synopsis" => case.synopsis = Some(text()?),
            "comments" => case.comments = Some(text()?),
            "priority" => case.priority = Some(read_priority(&text()?)?),
            "follow_up" => case.follow_up = Some(read_follow_up(&text()?)?),
            "cc" => case.cc = Some(texts_of(key, value, &mut bytes)?),
            unknown => {
                let help = suggest(unknown, CASE_KEYS.into_iter());
                return Err(refuse(format!("`submit_case` knows no key `{}`: {help}", excerpt(unknown))));
            }
        }
    }
    record(run, Intent::SubmitCase(case), bytes)
}

fn log(run: &Run, message: &str, fields: &Map) -> Result<(), Fault> {
    let mut bytes = message.len();
    let fields = json::object(fields, &mut bytes).map_err(|fault| refuse(format!("`log`: {fault}")))?;
    record(run, Intent::Log { message: message.to_owned(), fields }, bytes)
}

fn set_priority(run: &Run, word: &str) -> Result<(), Fault> {
    require_incident(run, "set_priority")?;
    record(run, Intent::SetPriority(read_priority(word)?), 8)
}

fn assign(run: &Run, owner: &str) -> Result<(), Fault> {
    require_incident(run, "assign")?;
    if owner.is_empty() {
        return Err(refuse("`assign` is given an empty text".to_owned()));
    }
    record(run, Intent::Assign(owner.to_owned()), owner.len())
}

fn publish(run: &Run, name: &str, data: &Map) -> Result<(), Fault> {
    if !is_token(name) {
        let token = "letters, digits, `_` and `-`, beginning with a letter or digit, at most 64";
        return Err(refuse(format!("`publish` under `{}`: a name has {token}", excerpt(name))));
    }
    if BUILT_IN.contains(&name) {
        return Err(refuse(format!("`publish` under `{name}`: the name belongs to a built-in connector")));
    }
    let mut bytes = name.len();
    let data = json::object(data, &mut bytes).map_err(|fault| refuse(format!("`publish`: {fault}")))?;
    record(run, Intent::Publish { name: name.to_owned(), data }, bytes)
}

fn record(run: &Run, intent: Intent, bytes: usize) -> Result<(), Fault> {
    run.charge(COST)?;
    run.intend(intent, bytes)
}

fn require_incident(run: &Run, action: &str) -> Result<(), Fault> {
    if run.subject().has_incident() {
        Ok(())
    } else {
        Err(refuse(format!("`{action}` needs an incident, and this trigger is about a message")))
    }
}

fn read_priority(word: &str) -> Result<Priority, Fault> {
    word.parse().map_err(|_| {
        let known = Priority::ALL.iter().map(|priority| priority.as_str());
        refuse(format!("`{}` is not a priority: {}", excerpt(word), suggest(word, known)))
    })
}

fn read_follow_up(text: &str) -> Result<FollowUp, Fault> {
    let found = FollowUp::ALL.into_iter().find(|(_, spelling)| *spelling == text);
    found.map(|(follow_up, _)| follow_up).ok_or_else(|| {
        let known = quoted(FollowUp::ALL.iter().map(|(_, spelling)| *spelling));
        refuse(format!("`{}` is no way to follow up: known are {known}", excerpt(text)))
    })
}

fn text_of(key: &str, value: &Dynamic, bytes: &mut usize) -> Result<String, Fault> {
    match value.as_immutable_string_ref() {
        Ok(text) => {
            *bytes += text.len();
            Ok(text.to_string())
        }
        Err(_) => Err(refuse(format!("`{key}` of `submit_case` is a text, not {}", json::describe(value)))),
    }
}

fn texts_of(key: &str, value: &Dynamic, bytes: &mut usize) -> Result<Vec<String>, Fault> {
    match value.as_array_ref() {
        Ok(items) => items.iter().map(|item| text_of(key, item, bytes)).collect(),
        Err(_) => Err(refuse(format!("`{key}` of `submit_case` is a list of texts, not {}", json::describe(value)))),
    }
}

/// A token of a subject: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
fn is_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 64
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

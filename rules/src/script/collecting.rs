//! `collect(...)`: more data is gathered from the incident's device. Whether there are commands for it is not known here.
//!
//! What can be refused by the words alone is judged by functions of its own, which the check of a policy asks too.

use std::rc::Rc;

use linesman_schemas::Priority;
use linesman_schemas::gathering::{GatheringKind, SYNOPSIS_MOST};
use rhai::{Engine, Map};

use super::actions::{Refusal, read_priority, record, require_incident};
use super::budget::{Fault, Run};
use super::{Intent, json};
use crate::diagnostic::{excerpt, suggest};

/// The function that gathers.
pub(super) const COLLECT: &str = "collect";

/// What it may be told.
pub(super) const KEYS: [&str; 3] = ["kind", "synopsis", "priority"];

/// Data that is to be gathered from the incident's device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collecting {
    /// What kind of bundle it becomes.
    pub kind: GatheringKind,
    /// The problem in one line; not of information.
    pub synopsis: Option<String>,
    /// How urgent; not of information.
    pub priority: Option<Priority>,
}

/// Teaches an engine the function.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn(COLLECT, move || collect(&r, &Map::new()));
    let r = Rc::clone(run);
    engine.register_fn(COLLECT, move |map: Map| collect(&r, &map));
}

fn collect(run: &Run, map: &Map) -> Result<(), Fault> {
    require_incident(run, COLLECT)?;
    let mut collecting = Collecting { kind: GatheringKind::Information, synopsis: None, priority: None };
    let mut bytes = 8;
    for (key, value) in map {
        if !KEYS.contains(&key.as_str()) {
            return Err(unknown_key(key).into());
        }
        let wrong = || Refusal::new(format!("`{key}` of `{COLLECT}` is a text, not {}", json::describe(value)), None);
        let text = value.as_immutable_string_ref().map_err(|_| wrong())?;
        bytes += text.len();
        match key.as_str() {
            "kind" => collecting.kind = read_kind(&text)?,
            "priority" => collecting.priority = Some(read_priority(&text)?),
            _ => {
                read_synopsis(&text)?;
                collecting.synopsis = Some(text.to_string());
            }
        }
    }
    let has_words = collecting.synopsis.is_some() || collecting.priority.is_some();
    if has_words && collecting.kind == GatheringKind::Information {
        return Err(of_a_problem().into());
    }
    record(run, Intent::Collect(collecting), bytes)
}

/// Refuses words for a problem where there is none.
pub(super) fn of_a_problem() -> Refusal {
    let message = format!("`{COLLECT}` of `information` takes no synopsis and no priority: it tells of no problem");
    Refusal::new(message, None)
}

/// Reads a kind of bundle.
pub(super) fn read_kind(word: &str) -> Result<GatheringKind, Refusal> {
    let found = GatheringKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| {
        let help = suggest(word, GatheringKind::ALL.map(GatheringKind::as_str).into_iter());
        Refusal::new(format!("`{COLLECT}` knows no kind `{}`", excerpt(word)), help)
    })
}

/// Refuses a synopsis that is longer than those of people, or more than a line.
pub(super) fn read_synopsis(text: &str) -> Result<(), Refusal> {
    match text.chars().count() > SYNOPSIS_MOST || text.chars().any(char::is_control) {
        true => {
            let message = format!("`synopsis` of `{COLLECT}` is a line of at most {SYNOPSIS_MOST} characters");
            Err(Refusal::new(message, None))
        }
        false => Ok(()),
    }
}

/// Refuses a key that it does not know.
pub(super) fn unknown_key(key: &str) -> Refusal {
    Refusal::new(format!("`{COLLECT}` knows no key `{}`", excerpt(key)), suggest(key, KEYS.into_iter()))
}

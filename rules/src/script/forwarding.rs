//! `forward_intelligence(...)`: a message of the provider's is sent to the organization judged. Nothing is known here of whose
//! the message is, and of what was sent.
//!
//! What can be refused by the words alone is judged by functions of its own, which the check of a policy asks too.

use std::rc::Rc;

use rhai::{Engine, Map};

use super::actions::{Refusal, record};
use super::budget::{Fault, Run};
use super::record::Record;
use super::{Intent, json};
use crate::diagnostic::{excerpt, suggest};
use crate::subject::SubjectKind;

/// How a message is forwarded: what stands in brackets may be left out.
pub const FORWARDING: &str = "forward_intelligence(message[, #{ ... }])";

/// The function that forwards.
pub(crate) const FORWARD: &str = "forward_intelligence";

/// What it may be told.
pub(super) const KEYS: [&str; 3] = ["only_affected", "title", "text"];

/// A message that is to be sent to the organization judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// Only where it concerns a device of the organization's.
    pub only_affected: bool,
    /// The title for this organization; none: the message's own.
    pub title: Option<String>,
    /// The text for this organization; none: the message's own.
    pub text: Option<String>,
}

/// Teaches an engine the function.
pub(super) fn register(engine: &mut Engine, run: &Rc<Run>) {
    let r = Rc::clone(run);
    engine.register_fn(FORWARD, move |message: Record| forward(&r, &message, &Map::new()));
    let r = Rc::clone(run);
    engine.register_fn(FORWARD, move |message: Record, map: Map| forward(&r, &message, &map));
}

fn forward(run: &Run, message: &Record, map: &Map) -> Result<(), Fault> {
    if !message.is_message() {
        return Err(no_message(run.subject()).into());
    }
    let mut forwarding = Forwarding::default();
    let mut bytes = 8;
    for (key, value) in map {
        let wrong =
            |what: &str| Refusal::new(format!("`{key}` of `{FORWARD}` is {what}, not {}", json::describe(value)), None);
        let mut text = || -> Result<Option<String>, Fault> {
            let text = value.as_immutable_string_ref().map_err(|_| wrong("a text"))?;
            bytes += text.len();
            Ok(Some(text.to_string()))
        };
        match key.as_str() {
            "only_affected" => forwarding.only_affected = value.as_bool().map_err(|_| wrong("a flag"))?,
            "title" => forwarding.title = text()?,
            "text" => forwarding.text = text()?,
            unknown => return Err(unknown_key(unknown).into()),
        }
    }
    record(run, Intent::ForwardIntelligence(forwarding), bytes)
}

/// Refuses to forward where the trigger is about something else.
pub(super) fn no_message(kind: SubjectKind) -> Refusal {
    let message = format!("`{FORWARD}` needs a message, and this trigger is about {}", kind.with_article());
    Refusal::new(message, None)
}

/// Refuses a key that it does not know.
pub(super) fn unknown_key(key: &str) -> Refusal {
    Refusal::new(format!("`{FORWARD}` knows no key `{}`", excerpt(key)), suggest(key, KEYS.into_iter()))
}

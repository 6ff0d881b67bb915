//! `collect(...)`: what it is told, as far as that is written out.

use super::super::{actions, collecting};
use super::calls::{refuse, refuse_as, report_refusal};
use super::walk::Walk;
use crate::diagnostic::{Code, LineColumn};
use crate::literal::{self, Entry, Literal};

/// Checks the map of `collect(#{ ... })`.
pub(super) fn check(entries: &[Entry], at: LineColumn, walk: &mut Walk<'_>) {
    const NAME: &str = collecting::COLLECT;
    let mut is_information = true;
    for Entry { key, at, value } in entries {
        if !collecting::KEYS.contains(&key.as_str()) {
            refuse_as(Code::UnknownKey, collecting::unknown_key(key), *at, walk);
            continue;
        }
        match (key.as_str(), &value.value) {
            ("kind", Literal::Text(word)) => {
                is_information = word == "information";
                report_refusal(collecting::read_kind(word), value.at, walk);
            }
            // What it comes to is not known.
            ("kind", Literal::Other(what)) if *what == literal::EXPRESSION => is_information = false,
            ("priority", Literal::Text(word)) => report_refusal(actions::read_priority(word), value.at, walk),
            (_, Literal::Text(text)) => report_refusal(collecting::read_synopsis(text), value.at, walk),
            (_, Literal::Other(what)) if *what == literal::EXPRESSION => {}
            (key, other) => {
                let message = format!("`{key}` of `{NAME}` is a text, not {}", other.describe());
                walk.faults.add(Code::WrongType, value.at, message);
            }
        }
    }
    if is_information && entries.iter().any(|entry| matches!(entry.key.as_str(), "synopsis" | "priority")) {
        refuse(collecting::of_a_problem(), at, walk);
    }
}

//! Bundles that must be refused, each for a fault of its own.

use super::super::model::{Kind, Variant};
use super::render::render;
use super::{Specimen, plan};

/// Eight broken bundles; their sequences begin at `first`.
pub(super) fn specimens(first: usize) -> Vec<Specimen> {
    let event = |offset: usize| render(&plan(Kind::Event, Variant::None, false, first + offset));
    let snapshot = |offset: usize| render(&plan(Kind::Information, Variant::None, false, first + offset));
    let cut = event(0);
    let cut = cut.get(..cut.len() * 3 / 5).unwrap_or_default().to_owned();
    [
        ("broken-transfer.xml", "truncated", cut),
        ("broken-tags.xml", "not-well-formed", event(1).replace("</problem-synopsis>", "</problem-summary>")),
        ("broken-header.xml", "no-manifest", without(&event(2), "manifest")),
        ("broken-serial.xml", "missing-field", without(&event(3), "serial-number")),
        ("broken-clock.xml", "malformed-field", event(4).replace("<time-occurred>2026-11-", "<time-occurred>Nov ")),
        ("broken-snapshot.xml", "wrong-section", with_logs(&snapshot(5))),
        ("broken-entities.xml", "dtd", event(6).replace("?>\n", &format!("?>\n{LAUGHS}"))),
        ("broken-console.xml", "control-character", event(7).replace("<problem-synopsis>", "<problem-synopsis>\u{7}")),
    ]
    .map(|(name, fault, text)| Specimen { name: name.to_owned(), bytes: text.into_bytes(), fault: Some(fault) })
    .into()
}

/// Entities that would grow to a billion, if anyone believed them.
const LAUGHS: &str = "<!DOCTYPE jmb [\n  <!ENTITY a \"ha\">\n  <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\n  \
                      <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">\n]>\n";

/// The text without the first element `name`.
fn without(text: &str, name: &str) -> String {
    let end = format!("</{name}>");
    match text.split_once(&format!("<{name}>")) {
        Some((before, rest)) => format!("{before}{}", rest.split_once(&end).map_or(rest, |(_, behind)| behind)),
        None => text.to_owned(),
    }
}

/// The text with a section that it may not have.
fn with_logs(text: &str) -> String {
    match text.rsplit_once("</") {
        Some((before, root)) => format!("{before}  <logs><log name=\"messages\"/></logs>\n</{root}"),
        None => text.to_owned(),
    }
}

//! What a demo came to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::attack::Reached;

/// Counts of what was published and heard.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) bundles: u64,
    incidents: u64,
    cases: u64,
    withheld: u64,
    intelligence: u64,
    reactions: BTreeMap<String, u64>,
    dead_letters: BTreeMap<String, u64>,
    /// The devices, with what a policy had activated on each.
    pub(super) devices: Vec<Reached>,
}

impl Summary {
    /// Counts an event by its subject.
    pub(super) fn take(&mut self, subject: &str) {
        let mut tokens = subject.splitn(4, '.').skip(2);
        match (tokens.next(), tokens.next()) {
            (Some("trigger"), Some("incident.detected")) => self.incidents += 1,
            (Some("trigger"), Some("case.assigned")) => self.cases += 1,
            (Some("trigger"), Some("case.withheld")) => self.withheld += 1,
            (Some("trigger"), Some("intelligence.received")) => self.intelligence += 1,
            (Some("reaction"), Some(connector)) => *self.reactions.entry(connector.to_owned()).or_default() += 1,
            (Some("dead"), Some(reason)) => *self.dead_letters.entry(reason.to_owned()).or_default() += 1,
            _ => {}
        }
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "bundles": self.bundles,
            "incidents": self.incidents,
            "cases": self.cases,
            "withheld": self.withheld,
            "intelligence": self.intelligence,
            "reactions": self.reactions,
            "dead_letters": self.dead_letters,
            "blackhole": self.devices.first().map(Reached::blackhole),
            "devices": self.devices,
        })
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let mut table = String::new();
        let mut row = |name: &str, count: u64| {
            // Writing to a string does not fail.
            let _ = writeln!(table, "  {name:<34} {count:>5}");
        };
        row("bundles published", self.bundles);
        row("incidents", self.incidents);
        row("cases with an id", self.cases);
        row("cases withheld", self.withheld);
        row("intelligence messages", self.intelligence);
        row("devices reached over SSH", self.devices.len() as u64);
        row("bundles collected from them", self.devices.iter().map(Reached::collected).sum());
        row("devices configured, and not any more", self.devices.len() as u64);
        for (connector, count) in &self.reactions {
            row(&format!("reactions: {connector}"), *count);
        }
        for (reason, count) in &self.dead_letters {
            row(&format!("dead letters: {reason}"), *count);
        }
        table
    }
}

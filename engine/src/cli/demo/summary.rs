//! What a demo came to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::attack::Blackhole;

/// Counts of what was published and heard.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) bundles: u64,
    incidents: u64,
    cases: u64,
    intelligence: u64,
    reactions: BTreeMap<String, u64>,
    dead_letters: BTreeMap<String, u64>,
    /// What a policy had activated.
    pub(super) blackhole: Option<Blackhole>,
}

impl Summary {
    /// Counts an event by its subject.
    pub(super) fn take(&mut self, subject: &str) {
        let mut tokens = subject.splitn(4, '.').skip(2);
        match (tokens.next(), tokens.next()) {
            (Some("trigger"), Some("incident.detected")) => self.incidents += 1,
            (Some("trigger"), Some("case.assigned")) => self.cases += 1,
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
            "intelligence": self.intelligence,
            "reactions": self.reactions,
            "dead_letters": self.dead_letters,
            "blackhole": self.blackhole,
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
        row("intelligence messages", self.intelligence);
        for (connector, count) in &self.reactions {
            row(&format!("reactions: {connector}"), *count);
        }
        for (reason, count) in &self.dead_letters {
            row(&format!("dead letters: {reason}"), *count);
        }
        table
    }
}

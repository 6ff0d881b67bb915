//! The recorded logs together have everything that may travel: what is published (`schemas/json`) and is in none fails here.
//!
//! Whoever adds a kind of input, a command, an outcome or a reason adds it to `tests/logs` too, and makes the logs anew.

use std::collections::BTreeSet;
use std::fs;

use linesman_domain::input::{Content, json_place};
use linesman_schemas::control::Control;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::event;
use linesman_tests::root;
use serde_json::Value;

use crate::log::{Log, levels};

/// The names of published schemas that begin so, without that.
fn published(prefix: &str) -> BTreeSet<String> {
    let files = fs::read_dir(root().join("schemas/json")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = files.map(|file| file.to_str().unwrap().to_owned());
    names.filter_map(|name| Some(name.strip_prefix(prefix)?.strip_suffix(".schema.json")?.to_owned())).collect()
}

/// The variants of an enum in a published schema.
fn variants(schema: &str, name: &str) -> BTreeSet<String> {
    let path = root().join(format!("schemas/json/{schema}.schema.json"));
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let choices = &schema["$defs"][name];
    let mut names = BTreeSet::new();
    for choice in choices["oneOf"].as_array().unwrap_or(&vec![choices.clone()]) {
        names.extend(choice["const"].as_str().map(str::to_owned));
        names.extend(choice["enum"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()));
        names.extend(choice["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    }
    assert!(!names.is_empty(), "{name} has no variants");
    names
}

/// What may be asked for, of organizations and of the provider.
fn verbs() -> BTreeSet<String> {
    let verbs = variants("control.command", "Verb").into_iter().map(|name| name.replace('_', "-")).collect();
    assert!(published("command.").is_subset(&verbs), "{verbs:?}");
    verbs
}

/// The variant's name of an enum's value.
fn name(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| Some(value.as_object().filter(|fields| fields.len() == 1)?.keys().next()?))
}

/// All contents, and which of them one is.
const CONTENTS: [&str; 15] = [
    "bundle",
    "intelligence",
    "command",
    "report",
    "attempt",
    "rule book",
    "tick",
    "undecodable",
    "level",
    "continue",
    "cursor",
    "expiry",
    "provided",
    "clock",
    "clock confirmed",
];

fn content(content: &Content<'_>) -> &'static str {
    match content {
        Content::Bundle(_) => CONTENTS[0],
        Content::ByLevel(read) => self::content(&read.before),
        Content::Intelligence(_) => CONTENTS[1],
        Content::Command(_) => CONTENTS[2],
        Content::Report(_) => CONTENTS[3],
        Content::Attempt(_) => CONTENTS[4],
        Content::RuleBook(_) => CONTENTS[5],
        Content::Tick => CONTENTS[6],
        Content::Broken => "broken",
        Content::Absent(_) => "absent",
        Content::Undecodable { .. } => CONTENTS[7],
        Content::Level(_) => CONTENTS[8],
        Content::Continue { .. } => CONTENTS[9],
        Content::Cursor(_) => CONTENTS[10],
        Content::Expiry(_) => CONTENTS[11],
        Content::Provided(_) => CONTENTS[12],
        Content::Clock(_) => CONTENTS[13],
        Content::ClockConfirmed(_) => CONTENTS[14],
        Content::Unread => unreachable!("all is read here"),
    }
}

/// What an input is, as the schemas' files and `CONTENTS` spell it.
#[derive(Default)]
struct Inputs {
    contents: BTreeSet<String>,
    controls: BTreeSet<String>,
    commands: BTreeSet<String>,
    results: BTreeSet<String>,
    outcomes: BTreeSet<String>,
}

impl Inputs {
    fn take(&mut self, subject: &str, payload: &[u8]) {
        let json: Value = serde_json::from_slice(payload).unwrap_or_default();
        let kebab = |value: &Value| name(value).map(|name| name.replace('_', "-"));
        match subject.split_once('.') {
            None => match serde_json::from_slice::<Control>(payload) {
                Ok(control) => {
                    self.controls.extend(kebab(&json));
                    self.commands.extend(kebab(&json["command"]["verb"]));
                    self.contents.insert(match control {
                        Control::RuleBook(_) => CONTENTS[5].to_owned(),
                        Control::Attempt(_) => CONTENTS[4].to_owned(),
                        Control::Tick => CONTENTS[6].to_owned(),
                        Control::Command(_) => CONTENTS[2].to_owned(),
                        Control::Level(_) => CONTENTS[8].to_owned(),
                        Control::Continue | Control::ContinueAlone => CONTENTS[9].to_owned(),
                        Control::Cursor(_) => CONTENTS[10].to_owned(),
                        Control::Expiry(_) => CONTENTS[11].to_owned(),
                        Control::Intelligence(_) => CONTENTS[12].to_owned(),
                        Control::Clock(_) => CONTENTS[13].to_owned(),
                        Control::ClockConfirmed(_) => CONTENTS[14].to_owned(),
                    });
                    self.outcome(&json["attempt"]["outcome"]);
                }
                Err(error) => assert!(json_place(&error).is_some()),
            },
            Some((_, kind)) => {
                let decoded = Content::decode(kind, payload);
                self.contents.insert(content(&decoded).to_owned());
                match decoded {
                    Content::Command(_) => self.commands.extend(kebab(&json["verb"])),
                    Content::Report(_) => {
                        self.results.extend(kebab(&json));
                        self.outcome(&json["attempt"]["outcome"]);
                    }
                    _ => {}
                }
            }
        }
    }

    fn outcome(&mut self, outcome: &Value) {
        self.outcomes.extend(name(outcome).map(|name| format!("Outcome {name}")));
        self.outcomes.extend(name(&outcome["done"]).map(|name| format!("Done {name}")));
        self.outcomes.extend(outcome["failed"]["class"].as_str().map(|name| format!("FailureClass {name}")));
    }
}

#[test]
fn the_recorded_logs_have_every_kind_of_input() {
    let mut found = Inputs::default();
    for log in Log::all() {
        for entry in log.lanes.values().flatten() {
            found.take(&entry.message.subject, &entry.message.payload);
        }
    }
    assert_eq!(found.contents, CONTENTS.map(str::to_owned).into());
    assert_eq!(found.controls, published("control."));
    assert_eq!(found.commands, verbs());
    assert_eq!(found.results, published("result."));
    let kinds = ["Outcome", "Done", "FailureClass"].into_iter();
    let outcomes = kinds.flat_map(|kind| {
        let names = variants("result.attempt", kind);
        names.into_iter().map(move |name| format!("{kind} {name}"))
    });
    assert_eq!(found.outcomes, outcomes.collect());
}

#[test]
fn the_recorded_logs_make_everything_happen() {
    let (mut subjects, mut verdicts) = (BTreeSet::new(), BTreeSet::new());
    for (log, level) in Log::all().iter().flat_map(|log| levels().map(move |level| (log, level))) {
        log.decide(level, None, |decision| {
            for message in &decision.messages {
                let behind = message.subject.split_once('.').unwrap().1;
                subjects.insert(behind.to_owned());
                for event in event::read(&message.payload).unwrap() {
                    verdicts.extend(event.data["verdict"].as_str().map(str::to_owned));
                }
            }
        });
    }
    let told = |prefix: &str| -> BTreeSet<String> {
        subjects.iter().filter_map(|subject| Some(subject.strip_prefix(prefix)?.to_owned())).collect()
    };
    // No log has overrides, and what leads to no lane is in none.
    let elsewhere = [Reason::InputSkipped, Reason::UnknownSubject];
    let reasons = Reason::ALL.into_iter().filter(|reason| !elsewhere.contains(reason));
    assert_eq!(told("dead."), reasons.map(|reason| reason.as_str().to_owned()).collect());
    assert_eq!(told("trigger."), published("trigger."));
    assert_eq!(verdicts, variants("audit.command", "Verdict"));
    let reactions = told("reaction.");
    let decided = |name: &String| name == "published" || reactions.contains(name);
    assert!(published("reaction.").iter().all(decided), "{reactions:?}");
    assert!(reactions.contains("heard"), "no policy has listened to the audit: {reactions:?}");
    assert!(reactions.contains("flood-1") && reactions.contains("ticket"), "{reactions:?}");
    // That something is used is said nowhere.
    let said = verbs().into_iter().filter(|verb| verb != "touch-sessions").collect();
    assert!(told("audit.").is_superset(&said), "{:?}", told("audit."));
}

#[test]
fn a_recorded_log_is_raised_through_all_levels() {
    let (log, mut found) = (Log::open("mended"), BTreeSet::new());
    log.decide(levels().next().unwrap(), Some(1), |decision| {
        found.insert(decision.position.level);
    });
    assert_eq!(found, levels().collect());
}

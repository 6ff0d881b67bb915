//! `docs/policies.md` says what is so: its policies pass the check, its tables list what the code has.

#![cfg(test)]

mod support;

use std::collections::BTreeSet;

use linesman_rules::{
    ACTIONS, ACTIVATIONS, Code, FORWARDING, Failure, FailureKind, Field, Intent, Judge, LIBRARY, Limits, ORGANIZATION,
    Shape, SubjectKind, function_names,
};
use linesman_schemas::Operation;
use linesman_schemas::audit::Verdict;
use linesman_schemas::reaction::FollowUp;
use linesman_schemas::trigger::Trigger;
use support::{Held, check, incident, load, organization, script, script_on, subject_of, update};

const DOCUMENT: &str = include_str!("../../docs/policies.md");

/// What stands between a marker and the next `<!-- end -->`.
fn section(name: &str) -> &'static str {
    let marker = format!("<!-- {name} -->");
    let (_, rest) = DOCUMENT.split_once(&marker).unwrap_or_else(|| panic!("no {marker}"));
    rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{marker} has no end")).0
}

/// The rows of a table, their cells without backticks.
fn rows(name: &str) -> Vec<Vec<String>> {
    let row = |line: &str| {
        let line = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
    };
    section(name).lines().filter_map(row).collect()
}

fn column(name: &str, number: usize) -> Vec<String> {
    rows(name).into_iter().map(|mut row| row.swap_remove(number)).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_policy_of_the_document_loads_and_runs() {
    let policies: Vec<&str> =
        DOCUMENT.split("```rhai\n").skip(1).map(|rest| rest.split_once("```").expect("an end").0).collect();
    assert_eq!(policies.len(), 8);
    let side = |priority: &str| Held::Map([("priority".to_owned(), priority.into())].into_iter().collect());
    let mut changed = incident().with(Field::EventType, "CHASSISD_FAN_FAILURE");
    changed.fields.extend([(Field::Before, side("Critical")), (Field::After, side("Low"))]);
    for source in policies {
        let policy = load("p", source).unwrap_or_else(|faults| panic!("{source}{faults:?}"));
        let subject = match policy.triggers().kind() {
            SubjectKind::Incident => changed.clone(),
            SubjectKind::Update => update().number(Field::Repeats, 12),
            kind => subject_of(kind),
        };
        let result: Result<_, Failure> =
            Judge::new(Limits::default()).react(&policy, subject.shared(), &organization());
        result.unwrap_or_else(|failure| panic!("{source}{failure}"));
    }
}

#[test]
fn triggers_fields_and_filters_are_those_there_are() {
    let known = |trigger: &Trigger| (trigger.as_str().to_owned(), SubjectKind::of(*trigger).as_str().to_owned());
    let known = Trigger::TOLD.iter().map(known).chain([("audit.<operation>".to_owned(), "record".to_owned())]);
    let told = rows("triggers").into_iter().map(|row| (row[0].clone(), row[2].clone()));
    assert_eq!(told.collect::<Vec<_>>(), known.collect::<Vec<_>>());
    let operations: Vec<String> = rows("operations").iter().flat_map(|row| quoted(&format!("`{}`", row[1]))).collect();
    assert_eq!(operations, Operation::ALL.map(|operation| operation.to_string()));
    assert_eq!(quoted(section("outcomes")), Verdict::ALL.map(Verdict::as_str));

    for kind in SubjectKind::ALL {
        let mut told = rows(&format!("fields: {}", kind.as_str()));
        if kind == SubjectKind::Update {
            told.splice(0..0, rows("fields: incident"));
        }
        let told: Vec<(String, String)> = told.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        let known = Field::of(kind).iter().map(|(path, field)| {
            let shape = match field.shape() {
                Shape::Text => "text",
                Shape::Number => "number",
                Shape::Flag => "flag",
                Shape::Texts => "texts",
                Shape::Map => "map",
            };
            ((*path).to_owned(), shape.to_owned())
        });
        assert_eq!(told, known.collect::<Vec<_>>());
    }
    assert_eq!(column("organization", 0), ORGANIZATION);

    let filter = |name: &str| {
        format!("policy(#{{ on: \"incident.detected\", where: #{{ {name}: \"x\" }} }});\nfn react(a, b) {{}}")
    };
    let classic = column("classic", 0);
    assert_eq!(classic.len(), 6);
    for name in classic {
        load("p", &filter(&name)).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
    }
}

#[test]
fn functions_and_actions_are_those_there_are() {
    let told: Vec<String> = column("functions", 1).iter().flat_map(|cell| quoted(&format!("`{cell}`"))).collect();
    let set = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(told.clone()).len(), told.len(), "each stands there once");
    assert_eq!(set(told), set(function_names().into_iter().map(str::to_owned).collect()));

    let known: Vec<(String, String)> = ACTIONS
        .iter()
        .map(|action| (action.signature(), if action.needs_incident { "no" } else { "yes" }.to_owned()))
        .chain(ACTIVATIONS.map(|written| (written.to_owned(), "with a place".to_owned())))
        .chain([(FORWARDING.to_owned(), "for messages".to_owned())])
        .collect();
    let told = rows("actions").into_iter().map(|row| (row[0].clone(), row[2].clone()));
    assert_eq!(told.collect::<Vec<_>>(), known);

    // The check names all keys when none is near.
    let faults = check(&script("submit_case(#{ nothing_like_it: 1 });"));
    assert_eq!(quoted(faults[0].help.as_deref().unwrap()), column("case", 0));
    let faults = check(&script("collect(#{ nothing_like_it: 1 });"));
    assert_eq!(quoted(faults[0].help.as_deref().unwrap()), column("collecting", 0));
    let script = script_on("intelligence.matched", "forward_intelligence(subject, #{ nothing_like_it: 1 });");
    assert_eq!(quoted(check(&script)[0].help.as_deref().unwrap()), column("forwarding", 0));
    assert_eq!(quoted(section("follow-up")), FollowUp::ALL.map(|(_, spelling)| spelling));
}

#[test]
fn what_services_are_given_is_as_the_document_says() {
    let rows = rows("given");
    assert!(rows.len() > 8);
    for row in rows {
        let policy = script(&format!("service(\"x\").activate(#{{ v: {} }});", row[0]));
        let intents = Judge::new(Limits::default()).react(&policy, incident().shared(), &organization()).unwrap();
        let [Intent::Activate(activation)] = intents.as_slice() else { panic!("{intents:?}") };
        assert_eq!(activation.substitutions, [format!("v={}", row[1])]);
    }
}

#[test]
fn limits_failures_and_codes_are_those_there_are() {
    let limits = Limits::default();
    let known = [
        ("operations", usize::try_from(limits.operations).unwrap()),
        ("calls", limits.call_levels),
        ("depth", limits.expression_depth),
        ("variables", limits.variables),
        ("functions", limits.functions),
        ("text", limits.string_bytes),
        ("list", limits.array_items),
        ("map", limits.map_entries),
        ("actions", limits.intents),
        ("data", limits.intent_bytes),
        ("file", limits.source_bytes),
    ];
    let told: Vec<(String, usize)> =
        rows("limits").into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect();
    assert_eq!(told, known.map(|(name, most)| (name.to_owned(), most)));

    let kinds = [
        FailureKind::Operations,
        FailureKind::Depth,
        FailureKind::Time,
        FailureKind::Size,
        FailureKind::Intents,
        FailureKind::Refused,
        FailureKind::Thrown,
        FailureKind::Script,
    ];
    assert_eq!(column("failures", 0), kinds.map(FailureKind::as_str));
    assert_eq!(column("codes", 0), Code::ALL.map(Code::as_str));
    assert!(DOCUMENT.contains("Twenty stock policies") && LIBRARY.len() == 20);
    let (_, blackhole) = LIBRARY.iter().find(|(file, _)| *file == "ddos-blackhole.rhai").unwrap();
    assert!(DOCUMENT.contains(blackhole), "the example on services is the stock policy");
}

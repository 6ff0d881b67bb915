//! What `where` means, case by case, and that the index finds what judging every policy would find.

#![cfg(test)]

mod support;

use std::sync::Arc;

use linesman_rules::{Book, Field, Policy, Scratch, SubjectKind};
use linesman_schemas::OrgName;
use linesman_schemas::trigger::Trigger;
use proptest::prelude::*;
use support::{Held, Plain, accepted, filter, incident, load, message, record, update};

fn org(name: &str) -> OrgName {
    name.parse().unwrap()
}

/// Whether a policy with this `where` judges the subject, asked of the policy and of a book.
fn applies(trigger: Trigger, text: &str, subject: &Plain) -> bool {
    let policy = Arc::new(filter(trigger.as_str(), text));
    let alone = policy.applies_to(&org("acme"), subject);
    let mut out = Vec::new();
    Book::build(vec![policy]).matching(&org("acme"), trigger, subject, &mut Scratch::default(), &mut out);
    assert_eq!(alone, !out.is_empty(), "{text}: the policy and the book disagree");
    alone
}

#[test]
fn filters_of_incidents() {
    for (text, expected) in [
        ("", true),
        ("priority: \"Critical\"", true),
        ("priority: \"1 - Critical\"", true),
        ("priority: \"High\"", false),
        ("priority: [\"High\", \"Critical\"]", true),
        ("priority: \"C*\"", true),
        ("event_type: \"CHASSISD_FRU_*\"", true),
        ("event_type: \"chassisd_fru_*\"", false),
        ("event_type: \"*OFFLINE*\"", true),
        ("event_type: \"CHASSISD_FRU_OFFLINE_NOTICE\"", true),
        ("event_type: \"CHASSISD_FRU\"", false),
        ("event_type: \"\"", true),
        ("event_type: [\"X\", \"\"]", true),
        ("event_type: #{ not: \"CHASSISD_*\" }", false),
        ("event_type: #{ not: [\"X\", \"Y*\"] }", true),
        ("severity: 2", true),
        ("severity: 0..2", false),
        ("severity: 0..=2", true),
        ("severity: -5..100", true),
        ("severity: [7, 0..3]", true),
        ("severity: #{ not: 0..3 }", false),
        ("repeats: 0", true),
        ("off_box: false", true),
        ("off_box: true", false),
        ("off_box: #{ not: true }", true),
        // An absent field matches nothing but `not`.
        ("owner: \"*\"", false),
        ("owner: \"\"", true),
        ("owner: #{ not: \"alice\" }", true),
        ("\"device.product\": \"MX*\"", true),
        ("\"device.product\": \"EX*\"", false),
        ("device: \"edge-*\"", true),
        ("device: \"core-*\"", false),
        ("device_group: \"backbone\"", false),
        ("serial_number: \"JN1234\"", true),
        ("serial_number: \"JN12\"", false),
        ("organization: \"acme\"", true),
        ("organization: \"ac*\"", true),
        ("organization: [\"globex\", \"initech\"]", false),
        ("organization: #{ not: \"acme\" }", false),
        ("has_words: \"fpc OFFLINE\"", true),
        ("has_words: \"offline fan\"", false),
        ("has_words: \"off\"", false),
        ("has_words: [\"fan\", \"hard error\"]", true),
        ("has_words: \"\"", true),
        ("lacks_words: \"fan\"", true),
        ("lacks_words: \"fpc\"", false),
        ("lacks_words: \"fpc fan\"", true),
        ("lacks_words: [\"fan\", \"fpc\"]", false),
        ("priority: \"Critical\", severity: 0..3, device: \"edge-*\", has_words: \"slot\"", true),
        ("priority: \"Critical\", severity: 0..3, device: \"edge-*\", has_words: \"fan\"", false),
        ("lacks_words: \"fan\", has_words: \"slot\"", true),
    ] {
        assert_eq!(applies(Trigger::IncidentDetected, text, &incident()), expected, "{text}");
    }
}

#[test]
fn filters_of_updates_and_messages() {
    for (text, expected) in [
        ("case_status: \"updated\"", true),
        ("previous_status: #{ not: \"created\" }", false),
        ("device: \"edge-1\"", true),
        ("has_words: \"support\"", true),
    ] {
        assert_eq!(applies(Trigger::CaseUpdated, text, &update()), expected, "{text}");
    }
    for (text, expected) in [
        ("kind: [\"bug-notice\", \"end-of-life\"]", true),
        ("products: \"MX4*\"", true),
        ("products: \"MX960\"", false),
        ("products: #{ not: \"MX480\" }", false),
        ("products: #{ not: \"MX960\" }", true),
        ("serial_number: \"JN2\"", true),
        ("serial_number: \"JN3\"", false),
        // Neither an empty list nor a missing one has an entry that matches.
        ("links: \"*\"", false),
        ("links: #{ not: \"*\" }", true),
        ("platforms: \"junos\"", false),
        ("has_words: \"mx240 resets\"", true),
    ] {
        assert_eq!(applies(Trigger::IntelligenceReceived, text, &message()), expected, "{text}");
    }
}

#[test]
fn filters_of_records() {
    let closed = Trigger::Audit("close-incident".parse().unwrap());
    for (text, expected) in [
        ("", true),
        ("operation: \"close-incident\"", true),
        ("operation: \"*-incident\"", true),
        ("operation: #{ not: \"login*\" }", true),
        ("outcome: \"done\"", true),
        ("outcome: [\"forbidden\", \"conflict\"]", false),
        ("actor: \"acme/*\"", true),
        ("actor: #{ not: \"acme/ann\" }", false),
        ("chain: \"admin\"", true),
        ("chain: \"bob\"", false),
        ("place: \"acme\"", true),
        ("about: \"acme-*\"", true),
        ("index: 40..50", true),
        ("command: \"c-18\"", false),
        ("organization: \"acme\"", true),
        // Words are found in what it was and is, at any depth; the names there are no text.
        ("has_words: \"in progress\"", true),
        ("has_words: \"completed x\"", true),
        ("has_words: \"tags\"", false),
        ("lacks_words: \"completed\"", false),
    ] {
        assert_eq!(applies(closed, text, &record()), expected, "{text}");
    }
}

#[test]
fn a_record_finds_policies_of_its_operation_and_of_all() {
    let source = |on: &str| format!("policy(#{{ on: {on} }});\nfn react(record, org) {{}}");
    let both = "[\"audit.close-incident\", \"audit.reopen-incident\", \"audit.close-incident\"]";
    let policies = [
        ("acme/all", source("\"audit.*\"")),
        ("all", source("\"audit.*\"")),
        ("all-and-one", source("[\"audit.login\", \"audit.*\"]")),
        ("both", source(both)),
        ("close", source("\"audit.close-incident\"")),
        ("globex/close", source("\"audit.close-incident\"")),
        ("incidents", source("[\"incident.submitted\", \"incident.detected\"]")),
    ];
    let policies: Vec<_> = policies.iter().map(|(name, source)| Arc::new(load(name, source).unwrap())).collect();
    let names: Vec<String> = policies.iter().map(|policy| policy.triggers().to_string()).collect();
    let both = "audit.close-incident, audit.reopen-incident";
    let close = "audit.close-incident";
    let incidents = "incident.detected, incident.submitted";
    assert_eq!(names, ["audit.*", "audit.*", "audit.*", both, close, close, incidents]);
    let book = Book::build(policies);
    let found = |org_name: &str, trigger: &str, subject: &Plain| {
        let mut out = Vec::new();
        let trigger = trigger.parse().unwrap();
        book.matching(&org(org_name), trigger, subject, &mut Scratch::default(), &mut out);
        out.iter().map(|policy| policy.name().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("acme", "audit.close-incident", &record()), ["acme/all", "all", "all-and-one", "both", "close"]);
    assert_eq!(found("globex", "audit.reopen-incident", &record()), ["all", "all-and-one", "both"]);
    assert_eq!(found("globex", "audit.close-incident", &record())[4], "globex/close");
    assert_eq!(found("initech", "audit.login", &record()), ["all", "all-and-one"]);
    assert_eq!(found("initech", "incident.submitted", &incident()), ["incidents"]);
    assert_eq!(found("initech", "case.updated", &update()), [""; 0]);
}

#[test]
fn a_policy_of_one_organization_judges_nothing_of_another() {
    let source =
        |header: &str| format!("policy(#{{ on: \"incident.detected\"{header} }});\nfn react(incident, org) {{}}");
    let limited = source(", organizations: [\"acme\", \"globex\"]");
    let policies =
        [("acme/own", source("")), ("everyone", source("")), ("globex/own", source("")), ("limited", limited)];
    let policies = policies.iter().map(|(name, source)| Arc::new(load(name, source).unwrap())).collect();
    let book = Book::build(policies);
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    for (name, expected) in [
        ("acme", &["acme/own", "everyone", "limited"][..]),
        ("globex", &["everyone", "globex/own", "limited"]),
        ("initech", &["everyone"]),
    ] {
        book.matching(&org(name), Trigger::IncidentDetected, &incident(), &mut scratch, &mut out);
        assert_eq!(out.iter().map(|policy| policy.name().as_str()).collect::<Vec<_>>(), expected);
        book.matching(&org(name), Trigger::IncidentSubmitted, &incident(), &mut scratch, &mut out);
        assert!(out.is_empty(), "another trigger");
    }
}

/// Short texts over few letters, so that they often meet.
fn text() -> impl Strategy<Value = String> {
    "[ab]{0,4}"
}

fn pattern() -> impl Strategy<Value = String> {
    "[ab*]{1,5}"
}

/// A quoted item, or a list of them, or the negation of either.
fn value(item: impl Strategy<Value = String> + Clone + 'static) -> BoxedStrategy<String> {
    let list = prop::collection::vec(item.clone(), 1..4).prop_map(|items| format!("[{}]", items.join(", ")));
    let plain = prop_oneof![3 => item.boxed(), 1 => list.boxed()];
    (plain, prop::bool::weighted(0.2))
        .prop_map(|(value, is_negated)| if is_negated { format!("#{{ not: {value} }}") } else { value })
        .boxed()
}

fn quoted(item: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> + Clone {
    item.prop_map(|text| format!("\"{text}\"")).boxed()
}

fn number() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        (-2..9_i64).prop_map(|n| n.to_string()),
        (-2..9_i64, 1..4_i64).prop_map(|(first, span)| format!("{first}..{}", first + span)),
        (-2..9_i64).prop_map(|first| format!("{first}..1000")),
    ]
    .boxed()
}

/// A condition on an incident with its key.
fn condition() -> impl Strategy<Value = (&'static str, String)> {
    let words = quoted("[ab]{1,2} [ab]{1,2}");
    prop_oneof![
        value(quoted(pattern())).prop_map(|value| ("event_type", value)),
        value(quoted(pattern())).prop_map(|value| ("device", value)),
        value(quoted(pattern())).prop_map(|value| ("\"device.product\"", value)),
        value(quoted(prop_oneof![Just("High".to_owned()), Just("Low".to_owned())]))
            .prop_map(|value| ("priority", value)),
        value(number()).prop_map(|value| ("severity", value)),
        value(Just("true".to_owned())).prop_map(|value| ("off_box", value)),
        value(quoted(prop_oneof![Just("acme".to_owned()), Just("g*".to_owned())]))
            .prop_map(|value| ("organization", value)),
        words.clone().prop_map(|value| ("has_words", value)),
        words.prop_map(|value| ("lacks_words", value)),
    ]
}

fn policy() -> impl Strategy<Value = (Option<bool>, String)> {
    let conditions = prop::collection::vec(condition(), 0..4);
    (prop::option::weighted(0.3, any::<bool>()), conditions).prop_map(|(owner, mut conditions)| {
        conditions.sort();
        conditions.dedup_by_key(|(key, _)| *key);
        let filter: Vec<String> = conditions.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
        (owner, filter.join(", "))
    })
}

fn subject() -> impl Strategy<Value = Plain> {
    let some = || prop::option::weighted(0.9, text());
    (some(), some(), some(), some(), prop::option::of(any::<bool>()), prop::option::of(-2..9_i64), any::<bool>())
        .prop_map(|(event_type, device, product, synopsis, flag, severity, is_high)| {
            let mut subject = Plain::new(SubjectKind::Incident);
            let texts = [
                (Field::EventType, event_type),
                (Field::DeviceHostName, device),
                (Field::DeviceProduct, product),
                (Field::Synopsis, synopsis.map(|text| text.replace("bb", "b a"))),
                (Field::Priority, Some(if is_high { "High".to_owned() } else { "Low".to_owned() })),
            ];
            for (field, text) in texts {
                subject.fields.extend(text.map(|text| (field, Held::Text(text))));
            }
            subject.fields.extend(flag.map(|flag| (Field::OffBox, Held::Flag(flag))));
            subject.fields.extend(severity.map(|severity| (Field::Severity, Held::Number(severity))));
            subject
        })
}

proptest! {
    #[test]
    fn the_index_finds_what_judging_every_policy_would_find(
        policies in prop::collection::vec(policy(), 0..30),
        subjects in prop::collection::vec(subject(), 1..10),
    ) {
        let policies: Vec<Arc<Policy>> = policies
            .iter()
            .enumerate()
            .map(|(i, (owner, filter))| {
                let source = format!("policy(#{{ on: \"incident.detected\", where: #{{ {filter} }} }});\nfn react(a, b) {{}}");
                let name = match owner {
                    None => format!("p{i:02}"),
                    Some(true) => format!("acme/p{i:02}"),
                    Some(false) => format!("globex/p{i:02}"),
                };
                Arc::new(accepted(&name, &source))
            })
            .collect();
        let book = Book::build(policies.clone());
        let mut expected_order = policies;
        expected_order.sort_by(|a, b| a.name().cmp(b.name()));
        let (mut scratch, mut out) = (Scratch::default(), Vec::new());
        for subject in &subjects {
            for name in ["acme", "globex", "initech"] {
                let org = org(name);
                book.matching(&org, Trigger::IncidentDetected, subject, &mut scratch, &mut out);
                let found: Vec<&str> = out.iter().map(|policy| policy.name().as_str()).collect();
                let expected: Vec<&str> = expected_order
                    .iter()
                    .filter(|policy| policy.applies_to(&org, subject))
                    .map(|policy| policy.name().as_str())
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}

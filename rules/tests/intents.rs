//! What scripts ask for is handed back exactly, and what they may not ask for is refused by name.

#![cfg(test)]

mod support;

use std::rc::Rc;

use linesman_rules::{Collecting, FailureKind, Field, Forwarding, Intent, Judge, LIBRARY, Limits, Policy, Subject};
use linesman_schemas::Priority;
use linesman_schemas::command::CaseWords;
use linesman_schemas::gathering::GatheringKind;
use linesman_schemas::reaction::FollowUp;
use serde_json::json;
use support::{check, incident, load, logged, message, organization, record, script, script_on, subject_of, update};

fn object(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn the_policy_of_the_documentation() {
    let source = r#"//! Opens a case when a field-replaceable unit goes offline.

policy(#{
    on: "incident.detected",
    where: #{ priority: ["Critical", "High"], event_type: "CHASSISD_FRU_*" },
});

fn react(incident, org) {
    submit_case(#{ synopsis: `${incident.device.host_name}: ${incident.synopsis}` });
    if incident.priority == "Critical" {
        log("unit offline", #{ incident: incident.id });
    }
}
"#;
    let policy = load("unit-offline", source).unwrap();
    assert!(policy.applies_to(&organization().name, &incident()));
    let intents = Judge::new(Limits::default()).react(&policy, incident().shared(), &organization()).unwrap();
    assert_eq!(
        intents,
        [
            Intent::SubmitCase(CaseWords {
                synopsis: Some("edge-1: FPC 2 offline: hard error".to_owned()),
                ..CaseWords::default()
            }),
            logged("unit offline", object(json!({ "incident": "acme-1" }))),
        ]
    );
}

/// Runs a policy; what runs without failing is not faulted by the check either.
fn react(policy: &Policy, subject: Rc<dyn Subject>) -> Result<Vec<Intent>, String> {
    let result = Judge::new(Limits::default()).react(policy, subject, &organization());
    if result.is_ok() {
        assert_eq!(check(policy), [], "{}", policy.source());
    }
    result.map_err(|failure| format!("{} {failure}", failure.kind.as_str()))
}

#[test]
fn every_action_with_all_it_can_be_told() {
    let policy = script(
        r#"submit_case(#{
            synopsis: "s", comments: "c", priority: "2 - High", cc: ["a@example.net", "b@example.net"],
            follow_up: "Phone Call", reference: "CHG-4711", address: "berlin",
        });
        submit_case();
        log("plain");
        set_priority("Low");
        assign("alice");
        publish("x-1", #{ n: 1, f: 2.5, t: "t", c: 'c', b: true, u: (), l: [1, [2]], m: #{ k: "v" }, s: subject.severity });"#,
    );
    let full = CaseWords {
        synopsis: Some("s".to_owned()),
        comments: Some("c".to_owned()),
        priority: Some(Priority::High),
        cc: Some(vec!["a@example.net".to_owned(), "b@example.net".to_owned()]),
        follow_up: Some(FollowUp::Phone),
        reference: Some("CHG-4711".to_owned()),
        address: Some("berlin".to_owned()),
        ..CaseWords::default()
    };
    let data = json!({
        "n": 1, "f": 2.5, "t": "t", "c": "c", "b": true, "u": null, "l": [1, [2]], "m": { "k": "v" }, "s": 2
    });
    assert_eq!(
        react(&policy, incident().shared()),
        Ok(vec![
            Intent::SubmitCase(full),
            Intent::SubmitCase(CaseWords::default()),
            logged("plain", serde_json::Map::new()),
            Intent::SetPriority(Priority::Low),
            Intent::Assign("alice".to_owned()),
            Intent::Publish { name: "x-1".to_owned(), data: object(data) },
        ])
    );
}

#[test]
fn what_cannot_be_asked_for_is_refused_by_name() {
    for (body, expected) in [
        (
            "submit_case(#{ sinopsis: \"x\" });",
            "refused 3:1: `submit_case` knows no key `sinopsis`: did you mean `synopsis`?",
        ),
        (
            "submit_case(#{ x: 1 });",
            "refused 3:1: `submit_case` knows no key `x`: known are `synopsis`, `comments`, `priority`, `cc`, `follow_up`, `reference`, `address`",
        ),
        ("submit_case(#{ reference: \"a\\nb\" });", "refused 3:1: `reference` of `submit_case` is a text of one line"),
        (
            "let long = \"\"; long.pad(129, \"x\"); submit_case(#{ reference: long });",
            "refused 3:36: `reference` of `submit_case` is a text of at most 128 characters",
        ),
        ("submit_case(#{ synopsis: 1 });", "refused 3:1: `synopsis` of `submit_case` is a text, not a number"),
        ("submit_case(#{ cc: \"x\" });", "refused 3:1: `cc` of `submit_case` is a list of texts, not a text"),
        (
            "submit_case(#{ follow_up: \"Fax\" });",
            "refused 3:1: `Fax` is no way to follow up: known are `Email Full Text Update`, `Email Secure Web Link`, `Phone Call`",
        ),
        ("set_priority(\"Hihg\");", "refused 3:1: `Hihg` is not a priority: did you mean `High`?"),
        ("assign(\"\");", "refused 3:1: `assign` is given an empty text"),
        (
            "publish(\"a.b\", #{});",
            "refused 3:1: `publish` under `a.b`: a name has letters, digits, `_` and `-`, beginning with a letter or digit, at most 64",
        ),
        ("publish(\"log\", #{});", "refused 3:1: `publish` under `log`: the name belongs to a built-in connector"),
        ("log(\"x\", #{ v: 0.0 / 0.0 });", "refused 3:1: `log`: `NaN` is no number in JSON"),
        ("log(\"x\", #{ v: Fn(\"log\") });", "refused 3:1: `log`: a function cannot be sent, only what it returns"),
        ("log(\"x\", #{ v: subject });", "refused 3:1: `log`: an object cannot be sent, name the properties wanted"),
        (
            "let v = []; for i in 0..30 { v = [v]; } log(\"x\", #{ v: v });",
            "refused 3:41: `log`: values may stand 16 deep within each other",
        ),
        ("subject.sinopsis;", "refused 3:8: `incident` has no property `sinopsis`: did you mean `synopsis`?"),
        ("subject.device.hostname;", "refused 3:15: `device` has no property `hostname`: did you mean `host_name`?"),
        ("subject.device.group.x;", "script 3:22: unknown property `x` - a getter is not registered for type `()`"),
        (
            "org.display;",
            "refused 3:4: `org` has no property `display`: known are `name`, `display_name`, `is_proxy`, `filter_level`",
        ),
        ("subject.priority = \"Low\";", "refused 3:8: `priority` of `incident` cannot be changed by assignment"),
        ("org.name = \"x\";", "refused 3:4: `name` of `org` cannot be changed by assignment"),
        ("log(1);", "script 3:1: function not found: log (i64)"),
        ("missing(1);", "script 3:1: function not found: missing (i64)"),
        ("missing;", "script 3:1: variable not found: missing"),
    ] {
        assert_eq!(react(&script(body), incident().shared()), Err(expected.to_owned()), "{body}");
    }
}

#[test]
fn messages_and_records_have_no_incident_to_act_on() {
    for action in ["submit_case()", "submit_case(#{})", "set_priority(\"Low\")", "assign(\"a\")"] {
        let name = action.split('(').next().unwrap();
        let policy = script_on("intelligence.received", &format!("{action};"));
        let expected = format!("refused 3:1: `{name}` needs an incident, and this trigger is about a message");
        assert_eq!(react(&policy, message().shared()), Err(expected));
    }
    for action in ["submit_case()", "set_priority(\"Low\")", "assign(\"a\")"] {
        let name = action.split('(').next().unwrap();
        let expected = format!("refused 3:1: `{name}` needs an incident, and this trigger is about a record");
        assert_eq!(react(&script_on("audit.*", &format!("{action};")), record().shared()), Err(expected));
    }
    let policy = script_on("intelligence.received", "log(subject.title, #{ p: subject.products, l: subject.links });");
    let fields = object(json!({ "p": ["MX240", "MX480"], "l": [] }));
    let expected = vec![logged("Line card resets", fields)];
    assert_eq!(react(&policy, message().shared()), Ok(expected));
    let policy = script_on("intelligence.received", "subject.device;");
    let expected = "refused 3:9: `message` has no property `device`: known are `id`, `kind`, `title`, `text`, `issued`, \
        `received`, `serial_numbers`, `products`, `platforms`, `os_versions`, `links`, `affected`, `affected_count`";
    assert_eq!(react(&policy, message().shared()), Err(expected.to_owned()));
}

#[test]
fn data_is_gathered_as_information_or_of_a_problem() {
    let collected = |body: &str| react(&script(body), incident().shared());
    let collecting = |kind, synopsis: Option<&str>, priority| {
        Ok(vec![Intent::Collect(Collecting { kind, synopsis: synopsis.map(str::to_owned), priority })])
    };
    assert_eq!(collected("collect();"), collecting(GatheringKind::Information, None, None));
    let body = "collect(#{ kind: \"rma\", synopsis: \"card\", priority: \"High\" });";
    assert_eq!(collected(body), collecting(GatheringKind::Rma, Some("card"), Some(Priority::High)));
    for (body, expected) in [
        ("collect(#{ kind: \"evnt\" });", "refused 3:1: `collect` knows no kind `evnt`: did you mean `event`?"),
        ("collect(#{ kind: 1 });", "refused 3:1: `kind` of `collect` is a text, not a number"),
        (
            "let words = #{ synopsis: \"x\" }; collect(words);",
            "refused 3:33: `collect` of `information` takes no synopsis and no priority: it tells of no problem",
        ),
        (
            "collect(#{ kind: \"event\", synopsis: \"a\\nb\" });",
            "refused 3:1: `synopsis` of `collect` is a line of at most 255 characters",
        ),
    ] {
        assert_eq!(collected(body), Err(expected.to_owned()), "{body}");
    }
}

#[test]
fn messages_are_forwarded_as_they_are_and_worded_anew() {
    let forwarded = |body: &str| react(&script_on("intelligence.matched", body), message().shared());
    let forwarding = |only_affected, title: Option<&str>, text: Option<&str>| {
        let (title, text) = (title.map(str::to_owned), text.map(str::to_owned));
        Ok(vec![Intent::ForwardIntelligence(Forwarding { only_affected, title, text })])
    };
    assert_eq!(forwarded("forward_intelligence(subject);"), forwarding(false, None, None));
    assert_eq!(forwarded("subject.forward_intelligence(#{ only_affected: true });"), forwarding(true, None, None));
    let worded = "let words = #{ text: \"b\" }; words.title = `For you: ${subject.title}`; forward_intelligence(subject, words);";
    assert_eq!(forwarded(worded), forwarding(false, Some("For you: Line card resets"), Some("b")));
    for (body, expected) in [
        (
            "forward_intelligence(subject, #{ only_afected: true });",
            "refused 3:1: `forward_intelligence` knows no key `only_afected`: did you mean `only_affected`?",
        ),
        (
            "forward_intelligence(subject, #{ only_affected: 1 });",
            "refused 3:1: `only_affected` of `forward_intelligence` is a flag, not a number",
        ),
        (
            "forward_intelligence(subject, #{ title: () });",
            "refused 3:1: `title` of `forward_intelligence` is a text, not nothing",
        ),
    ] {
        assert_eq!(forwarded(body), Err(expected.to_owned()));
    }
    let expected = "refused 3:1: `forward_intelligence` needs a message, and this trigger is about an incident";
    assert_eq!(react(&script("forward_intelligence(subject);"), incident().shared()), Err(expected.to_owned()));
}

#[test]
fn every_field_and_the_organization_can_be_read() {
    let subjects = [
        ("incident.detected", incident()),
        ("case.updated", update()),
        ("intelligence.received", message()),
        ("audit.close-incident", record()),
    ];
    for (trigger, subject) in subjects {
        let paths = Field::of(subject.kind).iter().map(|(path, _)| *path);
        let body: String = paths.map(|path| format!("log(`${{subject.{path}}}`, #{{ v: subject.{path} }});")).collect();
        let intents = react(&script_on(trigger, &body), subject.clone().shared()).unwrap();
        assert_eq!(intents.len(), Field::of(subject.kind).len());
    }
    let body = "log(`${org.name} ${org.display_name} ${org.is_proxy} ${org.filter_level} ${subject.owner == ()}`);";
    let message = "acme Acme Networks false Send all information true";
    let expected = vec![logged(message, serde_json::Map::new())];
    assert_eq!(react(&script(body), incident().shared()), Ok(expected));
}

#[test]
fn methods_that_change_nothing_can_be_called_on_a_property() {
    for body in [
        "log(`${subject.synopsis.split(\" \").len} ${subject[\"synopsis\"].contains(\"FPC\")}`);",
        "log(`${subject.device.host_name.split(\"-\")[0]} ${org.name.split(\"c\").len}`);",
    ] {
        assert_eq!(react(&script(body), incident().shared()).unwrap().len(), 1, "{body}");
    }
    let body = "let p = subject.products; p.sort(); log(`${subject.products.contains(\"MX240\")} \
        ${subject.products.filter(|x| x > \"MX3\").len} ${subject.links.len()}`);";
    let intents = react(&script_on("intelligence.received", body), message().shared()).unwrap();
    let expected = logged("true 1 0", serde_json::Map::new());
    assert_eq!(intents, [expected]);
    for (body, expected) in [
        ("subject.products.push(\"x\");", "refused 3:8: `products` of `message` cannot be changed by assignment"),
        ("subject.title.crop(1);", "refused 3:8: `title` of `message` cannot be changed by assignment"),
        ("org.name.crop(1);", "refused 3:4: `name` of `org` cannot be changed by assignment"),
    ] {
        let result = react(&script_on("intelligence.received", body), message().shared());
        assert_eq!(result, Err(expected.to_owned()), "{body}");
    }
}

#[test]
fn what_a_record_tells_of_before_and_after_is_read_as_maps() {
    let body = "log(`${subject.before.status} -> ${subject.after.status}`, #{ n: subject.before.repeats, t: subject.after.tags });
        if subject.after.tags[2] == () && subject.before.owner == subject.after.owner { publish(\"same\", subject.after); }
        log(`${subject.after.status.split(\"m\").len} ${subject.after.tags.len()} ${subject.before.nothing ?? \"none\"}`);";
    let after = json!({"status": "completed", "owner": "ann", "priority": "High", "tags": ["x", 1, null]});
    let expected = vec![
        logged("in progress -> completed", object(json!({ "n": 2, "t": ["x", 1, null] }))),
        Intent::Publish { name: "same".to_owned(), data: object(after) },
        logged("2 3 none", serde_json::Map::new()),
    ];
    assert_eq!(react(&script_on("audit.*", body), record().shared()), Ok(expected));

    for change in ["subject.after.status = \"x\"", "subject.after.tags.push(1)", "subject.after.clear()"] {
        let result = react(&script_on("audit.*", change), record().shared());
        let failure = result.unwrap_err();
        assert!(failure.ends_with("`after` of `record` cannot be changed by assignment"), "{change}: {failure}");
    }
    let mut nothing = record();
    nothing.fields.remove(&Field::Before);
    let intents = react(&script_on("audit.*", "log(`${subject.before == ()}`);"), nothing.shared());
    assert_eq!(intents, Ok(vec![logged("true", serde_json::Map::new())]));
}

#[test]
fn a_map_too_large_for_a_script_ends_its_run() {
    let entries = (0..2_000).map(|i| (format!("k{i}"), json!(i))).collect();
    let mut large = record();
    large.fields.insert(Field::After, support::Held::Map(entries));
    let policy = script_on("audit.*", "try { subject.after; } catch { } log(\"x\");");
    let failure = Judge::new(Limits::default()).react(&policy, large.clone().shared(), &organization()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Size, "{failure}");

    // What it costs to read one goes by its size.
    let entries = (0..250).map(|i| (format!("k{i}"), json!(i))).collect();
    large.fields.insert(Field::After, support::Held::Map(entries));
    let policy = script_on("audit.*", "for i in 0..1000 { subject.after; }");
    let failure = Judge::new(Limits::default()).react(&policy, large.shared(), &organization()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Operations, "{failure}");
}

#[test]
fn a_list_too_long_for_a_script_is_told() {
    let serials: Vec<String> = (0..2_000).map(|i| format!("JN{i}")).collect();
    let mut subject = message();
    subject.fields.insert(Field::SerialNumbers, support::Held::Texts(serials));
    let policy = script_on("intelligence.received", "subject.serial_numbers;");
    let failure = Judge::new(Limits::default()).react(&policy, subject.shared(), &organization()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(failure.message, "`serial_numbers` has 2000 entries and a script's list may have 1024");
}

#[test]
fn the_stock_policies_load_and_react() {
    let health_check = incident().with(Field::Kind, "health-check").with(Field::Priority, "High");
    let core_dump = incident().with(Field::Priority, "Low").with(Field::Synopsis, "rpd: core dumped");
    let attack = incident().with(Field::EventType, "DDOS_ATTACK_ENDED");
    let mut counts = Vec::new();
    for (file, source) in LIBRARY {
        let policy =
            load(file.strip_suffix(".rhai").unwrap(), source).unwrap_or_else(|faults| panic!("{file}: {faults:?}"));
        let subject = match (*file, policy.triggers().kind()) {
            ("health-check.rhai", _) => health_check.clone(),
            ("core-dump-priority.rhai", _) => core_dump.clone(),
            ("ddos-blackhole.rhai", _) => attack.clone(),
            ("refused-attempts.rhai", _) => record().with(Field::Outcome, "forbidden"),
            (_, kind) => subject_of(kind),
        };
        assert!(policy.applies_to(&organization().name, &subject), "{file}");
        counts.push((*file, react(&policy, subject.shared()).unwrap().len()));
    }
    assert_eq!(
        counts,
        [
            ("approvals.rhai", 1),
            ("bug-notices.rhai", 1),
            ("case-assigned.rhai", 1),
            ("case-updates.rhai", 1),
            ("collection-switched.rhai", 1),
            ("contracts-ending.rhai", 1),
            ("core-dump-priority.rhai", 2),
            ("ddos-blackhole.rhai", 1),
            ("device-state.rhai", 1),
            ("drift.rhai", 1),
            ("exposures.rhai", 1),
            ("hardware-failure.rhai", 2),
            ("health-check.rhai", 2),
            ("held.rhai", 1),
            ("matches.rhai", 1),
            ("notices.rhai", 1),
            ("quotas.rhai", 1),
            ("refused-attempts.rhai", 1),
            ("silent-devices.rhai", 1),
            ("without-address.rhai", 1),
        ]
    );
}

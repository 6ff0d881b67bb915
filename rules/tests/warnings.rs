//! What is likely meant otherwise is a warning, and nothing else is: not in what runs as it says, nor in the library and
//! the documents.

#![cfg(test)]

mod support;

use linesman_rules::{Diagnostic, LIBRARY, Policy};
use linesman_schemas::control::PolicySource;
use support::load;

fn source(text: &str) -> PolicySource {
    PolicySource { name: "p".parse().unwrap(), owner: None, source: text.to_owned(), origin: None }
}

/// The warnings of a policy, which is loaded all the same.
fn of(text: &str) -> Vec<Diagnostic> {
    load("p", text).unwrap_or_else(|faults| panic!("{text}\n{faults:?}"));
    Policy::warnings(&source(text))
}

/// The warnings of a body, which begins on line 3.
fn warnings(trigger: &str, body: &str) -> String {
    let text = format!("policy(#{{ on: {trigger} }});\nfn react(subject, org) {{\n{body}\n}}");
    let told = of(&text);
    told.iter().map(|warning| format!("{} {warning}", warning.code.as_str())).collect::<Vec<_>>().join("\n")
}

fn detected(body: &str) -> String {
    warnings("\"incident.detected\"", body)
}

#[test]
fn what_is_meant_as_it_stands_is_passed_over() {
    for body in [
        "if subject.priority == \"Critical\" || subject.severity <= 3 || subject.severity == 4.0 { log(\"x\"); }",
        "if subject.owner == () || subject.case_status == () || subject.case_status != \"closed\" { log(\"x\"); }",
        "if subject.priority != \"Low\" && subject.off_box == false && subject.kind in [\"event\", \"reported\"] { log(\"x\"); }",
        "let p = subject.priority; p = p.to_lower(); if p == \"critical\" { log(\"x\"); }",
        "if subject.priority.to_lower() == \"critical\" { log(\"x\"); }",
        "if org.filter_level == \"Do not send\" || org.is_proxy == true || org.name == \"x\" { log(\"x\"); }",
        "log(\"costs ${5} or ${HOME}\"); log(`${subject.id} of ${org.name} on ${subject.device.host_name}`);",
        "let word = if subject.repeats > -1 { \"again\" } else { \"first\" }; log(word);",
        "let owner = if subject.severity == 1 { \"night\" }; assign(owner ?? \"day\");",
        "let owner = if subject.severity == 1 { \"night\" }; if owner != () { assign(owner); }",
        "let owner = if subject.severity == 1 { \"night\" } else { () }; log(`${owner}`);",
        "let owner = if subject.severity == 1 { \"night\"; } else { return; }; log(owner);",
        "let n = switch subject.severity { 1 => \"a\", _ => throw \"no\" }; log(n);",
        "let n = 3; while n > 0 { n -= 1; } do { n += 1; } while n < 3;",
        "let l = [1]; while l.len > 0 { l.pop(); } while !l.is_empty() { l.shift(); } while l.pop() != () { } ",
        "let l = [1]; while l.len > 0 { pop(l); }",
        "let m = #{ n: 1 }; while m.n > 0 { m.n -= 1; }",
        "let x = subject.repeats; while x < 3 { if x == 2 { break; } x += 1; }",
        "let d = subject.device; let d = #{ any: 1 }; log(`${d.any}`);",
        "let subject = subject.synopsis.to_lower(); log(subject);",
        "[1].for_each(|subject| { subject });",
    ] {
        assert_eq!(detected(body), "", "{body}");
    }
    // What holds when one of several triggers fires is no mistake.
    let both = "[\"incident.detected\", \"incident.submitted\"]";
    let body =
        "if subject.repeats > 3 || subject.case_status == \"closed\" || subject.status == \"assigned\" { log(\"x\"); }";
    assert_eq!(warnings(both, body), "");
}

#[test]
fn the_library_and_the_documents_have_none() {
    for (file, text) in LIBRARY {
        assert_eq!(of(text), [], "{file}");
    }
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let files = std::fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().path());
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let mut count = 0;
    for file in files.chain([readme]).filter(|file| file.extension().is_some_and(|extension| extension == "md")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for rest in text.split("```rhai\n").skip(1) {
            assert_eq!(of(rest.split_once("```").expect("an end").0), [], "{}", file.display());
            count += 1;
        }
    }
    assert!(count > 8, "{count}");
}

#[test]
fn comparisons_that_are_never_so() {
    for (body, expected) in [
        (
            "subject.priority == \"critical\";",
            "`priority` is `Critical`, `High`, `Medium` or `Low`: this is never so\n  help: did you mean `Critical`?",
        ),
        (
            "\"1 - High\" != subject.priority;",
            "`priority` is `Critical`, `High`, `Medium` or `Low`: this is always so\n  help: did you mean `High`?",
        ),
        (
            "subject.severity < \"4\";",
            "`severity` is a number, and this is a text: this is never so\n  help: write the number without quotes: `4`",
        ),
        ("subject.severity > 7;", "`severity` is 0 to 7: this is never so"),
        (
            "subject.off_box == \"true\";",
            "`off_box` is a flag, and this is a text: this is never so\n  help: write the flag without quotes: `true`",
        ),
        ("subject.synopsis == 4;", "`synopsis` is a text, and this is a number: this is never so"),
        (
            "let p = subject.priority; p == \"Urgent\";",
            "`priority` is `Critical`, `High`, `Medium` or `Low`: this is never so\n  help: known are `Critical`, `High`, `Medium`, `Low`",
        ),
        (
            "subject.kind in [\"event\", \"evnt\"];",
            "`kind` is `event`, `on-demand`, `event-rma`, `on-demand-rma`, `health-check` or `reported`: this is never so\n  help: did you mean `event`?",
        ),
        (
            "subject.repeats > 3;",
            "`repeats` is 0 when `incident.detected` fires: this is never so\n  help: it fires only the first time: what has repeated by then is seen on `case.updated`",
        ),
        (
            "subject.case_status == \"closed\";",
            "`case_status` is absent when `incident.detected` fires: this is never so\n  help: there is no case yet: `incident.submitted`, `case.assigned` and `case.updated` have one",
        ),
        (
            "subject.status == \"completed\";",
            "`status` is `unassigned` when `incident.detected` fires: this is never so",
        ),
        ("org.is_proxy == \"no\";", "`is_proxy` is a flag, and this is a text: this is never so"),
    ] {
        let told = detected(body);
        let message =
            told.strip_prefix("never-matches 3:").and_then(|rest| rest.split_once(": ")).map(|(_, message)| message);
        assert_eq!(message, Some(expected), "{body}: {told}");
    }
    let told = detected("org.filter_level == \"all\";");
    assert!(
        told.contains("`filter_level` is `Do not send`, ") && told.contains(" this is never so\n  help: known are"),
        "{told}"
    );
    let told = warnings("\"intelligence.received\"", "subject.products == \"MX240\";");
    let expected = "never-matches 3:18: `products` is a list of texts, and this is a text: this is never so\n  help: ask whether it is among them: `\"MX240\" in ...products`";
    assert_eq!(told, expected);
    let helper = "grave(subject.priority); }\nfn grave(word) { word == \"high\"";
    assert!(detected(helper).starts_with("never-matches 4:23: `priority` is"), "{}", detected(helper));
}

#[test]
fn filters_that_nothing_meets() {
    for (trigger, filter, expected) in [
        (
            "incident.detected",
            "case_status: \"closed\"",
            "2:26: `case_status` is absent when `incident.detected` fires, so that this matches nothing\n  help: there is no case yet: `incident.submitted`, `case.assigned` and `case.updated` have one",
        ),
        (
            "incident.detected",
            "repeats: 3..10",
            "2:22: `repeats` is 0 when `incident.detected` fires, so that this matches nothing\n  help: it fires only the first time: what has repeated by then is seen on `case.updated`",
        ),
        (
            "incident.submitted",
            "status: [\"unasigned\"]",
            "2:22: `status` is `unassigned`, `assigned`, `in progress` or `completed`, so that this matches nothing\n  help: did you mean `unassigned`?",
        ),
        (
            "bug-notice.matched",
            "kind: \"alert\"",
            "2:19: `kind` is `bug-notice` when `bug-notice.matched` fires, so that this matches nothing",
        ),
        (
            "licence.expiring",
            "has_ended: true",
            "2:24: `has_ended` is `false` when `licence.expiring` fires, so that this matches nothing",
        ),
        (
            "device.silent",
            "state: \"unreachable\"",
            "2:20: `state` is absent when `device.silent` fires, so that this matches nothing",
        ),
        (
            "audit.close-incident",
            "operation: \"set-manager\"",
            "2:24: `operation` is `close-incident` when `audit.close-incident` fires, so that this matches nothing",
        ),
        ("incident.detected", "case_status: #{ not: \"closed\" }, repeats: 0, owner: \"\", status: \"un*\"", ""),
        ("case.updated", "case_status: \"closed\", repeats: 3..10, priority: \"High\"", ""),
        ("audit.*", "operation: \"set-manager\"", ""),
    ] {
        let text = format!("policy(#{{ on: \"{trigger}\",\n  where: #{{ {filter} }} }});\nfn react(subject, org) {{}}");
        let told: Vec<String> = of(&text).iter().map(ToString::to_string).collect();
        assert_eq!(told.join("\n"), expected, "{filter}");
    }
}

#[test]
fn texts_that_say_something_else() {
    for (body, expected) in [
        (
            "log(\"trouble on ${subject.id}\");",
            "text 3:5: `${subject.id}` stands for its value in backticks only, and here for itself\n  help: put the text in backticks instead of double quotes",
        ),
        (
            "log(`on ${subject.device}`);",
            "text 3:11: this prints the word `subject`: it is an object, and no text\n  help: name a field of it, such as `host_name`",
        ),
        (
            "log(\"of \" + org);",
            "text 3:13: this prints the word `org`: it is an object, and no text\n  help: name a field of it, such as `name` or `display_name`",
        ),
    ] {
        assert_eq!(detected(body), expected, "{body}");
    }
    for body in ["log(`${subject.device}`);", "log(\"\" + subject);", "log(`${org}`);", "log(`${service(\"x\")}`);"] {
        // What is said to be printed is printed.
        let policy = support::script(body);
        let mut judge = linesman_rules::Judge::new(linesman_rules::Limits::default());
        let intents = judge.react(&policy, support::incident().shared(), &support::organization()).unwrap();
        let told = detected(body);
        let word = told.split('`').nth(1).unwrap_or_else(|| panic!("{body}: {told}"));
        assert_eq!(intents, [support::logged(word, serde_json::Map::new())], "{body}");
    }
}

#[test]
fn values_that_are_missing() {
    for (body, expected) in [
        (
            "let who = if subject.severity == 1 { \"night\" };\nassign(who);",
            "no-value 3:11: `who` may be left without a value: there is no `else`\n  help: add it with the value, or with `()` where none is meant",
        ),
        (
            "let who = if subject.severity == 1 { \"night\" } else { let x = 1; };\nassign(who);",
            "no-value 3:55: `who` may be left without a value: this branch has none\n  help: let it end with the value, or with `()` where none is meant",
        ),
        (
            "let who = switch subject.severity { 1 => \"night\" };\nassign(who);",
            "no-value 3:11: `who` may be left without a value: there is no case `_`\n  help: add it with the value, or with `()` where none is meant",
        ),
        (
            "let id = submit_case();\nlog(`${id}`);",
            "no-value 3:10: `submit_case` has no result\n  help: an action is asked for here, and done once the decision stands in the log",
        ),
        (
            "if grave(subject) { log(\"x\"); }\n}\nfn grave(incident) {\n  if incident.severity == 1 { true }",
            "no-value 3:4: `grave` has not always a value, and a condition needs one\n  help: see line 6, where there is no `else`: let it give `true` or `false`",
        ),
        (
            "if !grave(subject) && true { log(\"x\"); }\n}\nfn grave(incident) {\n  let is = incident.severity == 1;",
            "no-value 3:5: `grave` has no result\n  help: let it end with the value, or with `return` and the value",
        ),
        (
            "while grave(subject) { break; }\n}\nfn grave(incident) {\n  if incident.severity == 1 { return true; }\n  log(\"x\");",
            "no-value 3:7: `grave` has not always a value, and a condition needs one\n  help: see line 7, where this branch has none: let it give `true` or `false`",
        ),
    ] {
        let body = body.replace("let is =", "let so =");
        assert_eq!(detected(&body), expected, "{body}");
    }
    let given = "if grave(subject) { log(\"x\"); }\n}\nfn grave(incident) {\n  if incident.severity == 1 { return true; }\n  false";
    assert_eq!(detected(given), "");
    let searched = "if grave(subject) { log(\"x\"); }\n}\nfn grave(incident) {\n  for n in 0..3 { if incident.severity == n { return true; } }\n  false";
    assert_eq!(detected(searched), "");
}

#[test]
fn names_that_hide_others() {
    for (body, expected) in [
        (
            "}\nfn log(text) { text",
            "hides 4:14: `log` hides the action of that name: a call of it comes here\n  help: choose another name",
        ),
        (
            "}\nfn max(a, b) { a",
            "hides 4:14: `max` hides the function of that name: a call of it comes here\n  help: choose another name",
        ),
        ("}\nfn log(a, b, c) { a", ""),
        (
            "let subject = 1; subject;",
            "hides 3:5: `subject` hides the parameter of that name\n  help: choose another name",
        ),
        ("for org in [1] { org; }", "hides 3:5: `org` hides the parameter of that name\n  help: choose another name"),
    ] {
        let told = detected(body);
        let place = |text: &str| text.split_once(": ").map(|(_, rest)| rest.to_owned());
        assert_eq!(place(&told), place(expected), "{body}: {told}");
    }
}

#[test]
fn loops_that_nothing_ends() {
    let expected = "limit 3:12: nothing in this loop changes its condition\n  help: let it change what the condition looks at, or leave it with `break`";
    for body in [
        "let n = 3; while n > 0 { log(`${n}`); }",
        "let n = 3; while subject.severity < n { let m = n - 1; log(`${m}`); }",
        "let n = 3; do { log(\"x\"); } while n > 0;",
    ] {
        assert_eq!(detected(body).replacen("3:1:", "3:12:", 1), expected, "{body}");
    }
}

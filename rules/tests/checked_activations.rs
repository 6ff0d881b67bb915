//! What is found of services in scripts before they run, and that nothing is found in those that run.

#![cfg(test)]

mod support;

use linesman_rules::{Judge, Limits};
use support::{check, incident, organization, script, script_on, subject_of};

/// The faults of a body, which begins on line 3.
fn faults(trigger: &str, body: &str) -> String {
    let faults = check(&script_on(trigger, body));
    let text = |fault: &linesman_rules::Diagnostic| format!("{} {fault}", fault.code.as_str());
    faults.iter().map(text).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_runs_is_not_faulted() {
    for body in [
        "let s = service(\"a\"); s.activate(); let t = s.at(\"acme\"); t.deactivate(#{}); activate(t, #{ a: 1 });",
        "let s = service(\"a\"); s = #{ name: 1, activate: 2 }; s.name; s.activate;",
        "let s = #{ activate: |x| x }; s.activate(1); s.at = |x, y| x; s.at(1, 2);",
        "let name = \"a\"; service(name).at(org.name).activate(#{ a: subject.synopsis, b: [name, 2.5, 'c'], c: () == 1 });",
        "type_of(service(\"a\")); print(service(\"a\")); log(`${service(\"a\")}`); service(\"a\").to_string();",
        "let f = Fn(\"service\"); f.call(\"a\").activate(); [service(\"a\")].map(|s| s.activate());",
        "help(service(\"a\")); either(service(\"a\")); either(#{ name: 1 });",
        "for i in 0..64 { service(\"a\").activate(#{ i: i }); }",
        "if false { service(\"a\").at(\"bolt\").activate(#{ a: subject.owner }); }",
        "\"a\".service().activate();",
        "service(\"a\").shout(1);\n}\nfn shout(n) { n",
    ] {
        let functions = "fn help(s) { s.activate(#{}); }\nfn either(thing) { thing }";
        let policy = script(&format!("{body}\n}}\n{functions}\nfn unused() {{"));
        let result = Judge::new(Limits::default()).react(&policy, incident().shared(), &organization());
        result.unwrap_or_else(|failure| panic!("{body}: {failure}"));
        assert_eq!(check(&policy), [], "{body}");
    }
}

#[test]
fn what_is_called_on_services() {
    for (body, expected) in [
        (
            "service(\"a\").activat();",
            "unknown-function 3:14: unknown function `activat` of `service`\n  help: did you mean `activate`?",
        ),
        (
            "service(\"a\").at(\"acme\").stop();",
            "unknown-function 3:25: unknown function `stop` of `service`\n  help: known are `at`, `activate`, `deactivate`",
        ),
        (
            "let s = service(\"a\"); s.deactivated();",
            "unknown-function 3:25: unknown function `deactivated` of `service`\n  help: did you mean `deactivate`?",
        ),
        ("servce(\"a\");", "unknown-function 3:1: unknown function `servce`\n  help: did you mean `service`?"),
        ("service();", "wrong-arguments 3:1: `service` takes 1 argument, not 0"),
        ("service(\"a\").at();", "wrong-arguments 3:14: `at` takes 1 argument, not 0"),
        ("service(\"a\").activate(#{}, 1);", "wrong-arguments 3:14: `activate` takes no or 1 arguments, not 2"),
        (
            "service(\"a\").activate;",
            "unknown-field 3:14: `service` has no property `activate`\n  help: it is called: `activate(...)`",
        ),
        (
            "service(\"a\").place;",
            "unknown-field 3:14: `service` has no property `place`\n  help: known are `at`, `activate`, `deactivate`",
        ),
        ("service(1);", "wrong-type 3:9: `name` of `service` is a text, not a number"),
        ("service(subject);", "wrong-type 3:9: `name` of `service` is a text, not an object"),
        (
            "service(\"DDoS\");",
            "unknown-value 3:9: `DDoS` is no name of a service\n  help: a name has lower-case letters, digits and `-`, beginning with a letter, at most 64",
        ),
        ("service(\"a\").at([\"acme\"]);", "wrong-type 3:17: `place` of `at` is a text, not a list"),
        ("service(\"a\").at(org);", "wrong-type 3:17: `place` of `at` is a text, not an object"),
        (
            "service(\"a\").at(\"/\");",
            "unknown-value 3:17: `/` is no place in an organization\n  help: it is written as `acme`, `acme/berlin` or `acme/berlin/line-7`",
        ),
        (
            "at(service(\"a\"), \"acme berlin\");",
            "unknown-value 3:18: `acme berlin` is no place in an organization\n  help: it is written as `acme`, `acme/berlin` or `acme/berlin/line-7`",
        ),
    ] {
        assert_eq!(faults("incident.detected", body), expected, "{body}");
    }
}

#[test]
fn what_is_given() {
    let many: String = (0..257).map(|i| format!("k{i}: 1,")).collect();
    for (body, expected) in [
        ("service(\"a\").activate(\"b\");", "wrong-type 3:23: `values` of `activate` is a map, not a text"),
        ("activate(service(\"a\"), 1);", "wrong-type 3:24: `values` of `activate` is a map, not a number"),
        ("service(\"a\").deactivate(subject);", "wrong-type 3:25: `values` of `deactivate` is a map, not an object"),
        ("service(\"a\").activate(service(\"b\"));", "wrong-type 3:23: `values` of `activate` is a map, not an object"),
        (
            "service(\"a\").activate(#{ \"!b\": 1, c: 2 });",
            "unknown-key 3:26: `activate`: `!b` is no name of a parameter\n  help: a name is a letter, then letters, digits and `_`",
        ),
        (
            "service(\"a\").activate(#{ \"b:port\": 1 });",
            "unknown-key 3:26: `activate`: `b:port` is no name of a parameter\n  help: a name is a letter, then letters, digits and `_`",
        ),
        (
            "service(\"a\").activate(#{ b: (), c: [1, [()]] });",
            "wrong-type 3:29: `b` of `activate` is nothing\n  help: leave it out, or give a value\nwrong-type 3:36: `c` of `activate` is nothing\n  help: leave it out, or give a value",
        ),
        (
            "service(\"a\").activate(#{ b: 4..=3 });",
            "wrong-type 3:29: `b` of `activate` is a range that holds nothing\n  help: `1..=3` has both ends",
        ),
        (
            "service(\"a\").activate(#{ b: #{ c: \"x\\ry\" } });",
            "unknown-value 3:29: `b` of `activate`: the text holds the control character `\\r`\n  help: write `\\n` or `\\t`, or leave it out",
        ),
        (&*format!("service(\"a\").activate(#{{ {many} }});"), "limit 3:1970: a map may have 256 entries"),
        (
            "for i in 0..65 { service(\"a\").at(\"acme\").activate(#{ i: i }); }",
            "limit 3:1: a script may ask for 64 actions, and this asks for more",
        ),
        (
            "for i in 0..33 { service(\"a\").activate(); service(\"a\").deactivate(); }",
            "limit 3:1: a script may ask for 64 actions, and this asks for more",
        ),
    ] {
        let source = format!("policy(#{{ on: \"incident.detected\" }});\nfn react(subject, org) {{\n{body}\n}}");
        let found = support::load("p", &source).expect_err(body);
        let text = found.iter().map(|fault| format!("{} {fault}", fault.code.as_str())).collect::<Vec<_>>().join("\n");
        assert_eq!(text, expected, "{body}");
    }
}

#[test]
fn a_place_is_asked_for_where_there_is_no_device() {
    for wish in ["activate", "deactivate"] {
        let expected = format!(
            "refused 3:14: `{wish}` needs a place, and this trigger is about a message\n  help: name the place: `service(...).at(...).{wish}(...)`"
        );
        let body = format!("service(\"a\").{wish}(#{{}});");
        assert_eq!(faults("intelligence.received", &body), expected);
        assert_eq!(faults("audit.*", &body), expected.replace("message", "record"));
        assert_eq!(faults("case.updated", &body), "");
        assert_eq!(faults("audit.*", &format!("service(\"a\").at(subject.place).{wish}(#{{}});")), "");
    }
    let helper = "act(service(\"a\")); }\nfn act(s) { s.activate();";
    assert!(faults("audit.*", helper).starts_with("refused 4:15: `activate` needs a place"));
    let either = "act(service(\"a\")); act(service(\"a\").at(\"acme\")); }\nfn act(s) { s.activate();";
    assert_eq!(faults("audit.*", either), "");
}

/// Numbers below those asked for, the same in every run.
fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    }
}

/// Statements one after the other, of which none is passed over: if they run, they are clean; and most of what is not
/// clean is known for certain.
#[test]
fn statements_are_faulted_as_they_run() {
    let statements = [
        "let s = service(\"a\");",
        "let t = s.at(\"acme/berlin\");",
        "let t = s;",
        "s = service(\"b\").at(\"acme\");",
        "s = #{ activate: |x| x, place: 1 };",
        "s.activate(#{ a: 1, b: [\"x\", 80..=443] });",
        "t.deactivate();",
        "t.activate(#{ a: t });",
        "t.activate(#{ a: subject.nothing ?? () });",
        "t.activate(s);",
        "s.activate(1);",
        "s.place;",
        "t.place;",
        "t.actvate();",
        "act(s);",
        "act(t);",
        "let f = Fn(\"act\"); f.call(t);",
        "let t = if true { s } else { org };",
        "at(t, \"acme\").activate();",
        "at(t, \"/\");",
        "activate(t);",
        "log(`${t}`, #{ t: `${s}` });",
        "let service = \"a\"; service(service).at(org.name).activate();",
    ];
    let functions = "fn act(s) { s.activate(); }";
    let mut next = random();
    let (mut clean, mut failed) = (0, 0);
    let mut judge = Judge::new(Limits::default());
    for round in 0..6_000 {
        let trigger = ["incident.detected", "audit.*"][round / 2 % 2];
        let start = if round % 2 == 0 { "let s = service(\"a\"); let t = s.at(\"acme\");\n" } else { "" };
        let body: String = (0..=next(5)).map(|_| format!("{}\n", statements[next(statements.len())])).collect();
        let body = format!("{start}{body}");
        let policy = script_on(trigger, &format!("{body}\n}}\n{functions}\nfn unused() {{"));
        let faults = check(&policy);
        match judge.react(&policy, subject_of(policy.triggers().kind()).shared(), &organization()) {
            Ok(_) => {
                let is_of_body = |fault: &&linesman_rules::Diagnostic| (fault.line as usize) < 3 + body.lines().count();
                assert_eq!(faults.iter().filter(is_of_body).collect::<Vec<_>>(), Vec::<&_>::new(), "{body}");
                clean += 1;
            }
            Err(_) => failed += 1,
        }
    }
    assert!(clean > 500 && failed > 1_000, "{clean} {failed}");
}

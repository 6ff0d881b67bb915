//! Scripts that want too much end early, with a named failure at its place, and leave nothing behind.

#![cfg(test)]

mod support;

use linesman_rules::{Failure, FailureKind, Field, Intent, Judge, Limits};
use support::{incident, load, logged, organization, script, update};

fn run(body: &str) -> (Result<Vec<Intent>, Failure>, u64) {
    let long = "x".repeat(64 * 1024);
    let subject = incident().with(Field::Description, long.as_str()).shared();
    let mut judge = Judge::new(Limits::default());
    let result = judge.react(&script(body), subject, &organization());
    (result, judge.operations())
}

/// The failure of a body, which begins on line 3, as `kind line:column`.
fn failure(body: &str) -> String {
    let (result, operations) = run(body);
    // The step that oversteps the limit is the last, whatever it was charged.
    assert!(operations <= Limits::default().operations + 5_000, "{body}: {operations}");
    match result {
        Ok(intents) => panic!("{body}: {intents:?}"),
        Err(failure) => match (failure.line, failure.column) {
            (Some(line), Some(column)) => format!("{} {line}:{column}", failure.kind.as_str()),
            _ => format!("{} nowhere", failure.kind.as_str()),
        },
    }
}

#[test]
fn endless_work_is_ended() {
    for (body, expected) in [
        ("loop {}", "operations 3:6"),
        ("let i = 0; while true { i += 1; }", "operations 3:25"),
        ("for i in 0..1000000000000 {}", "operations 3:27"),
        ("loop { try { loop {} } catch {} }", "operations 3:19"),
        ("let s = subject.description; loop { s + \"x\"; }", "operations 3:37"),
        ("let s = subject.description; loop { `${s}x`; }", "operations 3:40"),
        ("loop { subject.description; }", "operations 3:16"),
        ("let s = subject.description; loop { s.index_of(\"xxy\"); }", "operations 3:37"),
        ("let a = []; for i in 0..1000 { a.push(i); } loop { a.filter(|x| x > 5); }", "operations 3:32"),
        ("loop { try { throw 1; } catch(e) {} }", "operations 3:14"),
    ] {
        assert_eq!(failure(body), expected, "{body}");
    }
}

#[test]
fn deep_recursion_is_ended() {
    let source = "policy(#{ on: \"incident.detected\" });\nfn down(n) { down(n + 1) }\nfn react(incident, org) {\n    down(0);\n}";
    let policy = load("p", source).unwrap();
    let failure = Judge::new(Limits::default()).react(&policy, incident().shared(), &organization()).unwrap_err();
    assert_eq!(failure.to_string(), "4:5: functions call each other more than 16 deep");
    assert_eq!((failure.kind, failure.line, failure.column), (FailureKind::Depth, Some(4), Some(5)));
}

#[test]
fn growth_is_ended() {
    for body in [
        "let s = \"abcdefgh\"; loop { s += s; }",
        "let s = \"abcdefgh\"; loop { s = `${s}${s}`; }",
        "let a = [1]; loop { a += a; }",
        "let a = []; loop { a = [a, a]; }",
        "let m = #{}; for i in 0..1000 { m[`k${i}`] = i; }",
        "let m = #{}; let s = subject.description; for i in 0..1000 { m[`k${i}`] = `${s}${i}`; }",
        "let m = #{ a: #{} }; let s = subject.description; for i in 0..200 { m.a[`k${i}`] = `${s}${i}`; }",
        "let m = #{}; for i in 0..1000 { m = #{ m: m }; }",
        "let a = [0]; for i in 0..100 { a.push(0); } let b = a; for i in 0..100 { a[i] = b; }",
        "let s = subject.description; s.replace(\"\", s);",
        "let s = subject.description; s.replace('x', s);",
        "let s = \"a\"; s.pad(1000000000, 'x');",
        "let a = []; a.pad(1000000000, 0);",
        "let s = subject.description; s.to_chars();",
        "loop { try { let s = \"abc\"; loop { s += s; } } catch {} }",
        &(0..60).map(|i| format!("let v{i} = 1; ")).collect::<String>(),
    ] {
        assert!(failure(body).starts_with("size 3:"), "{body}: {}", failure(body));
    }
}

#[test]
fn too_many_intents_are_refused_and_none_is_kept() {
    assert_eq!(failure("for i in 0..1000000 { log(\"x\"); }"), "intents 3:23");
    assert_eq!(failure("let s = subject.description; for i in 0..10 { log(s); }"), "intents 3:47");
    assert_eq!(failure("try { loop { log(\"x\"); } } catch {}"), "intents 3:14");
    let (result, _) = run("log(\"kept?\"); throw \"no\";");
    assert_eq!(result.unwrap_err().kind, FailureKind::Thrown);
    let mut judge = Judge::new(Limits::default());
    judge.react(&script("log(\"a\"); throw 1;"), incident().shared(), &organization()).unwrap_err();
    let intents = judge.react(&script(""), incident().shared(), &organization()).unwrap();
    assert_eq!(intents, [], "of the run before");
}

#[test]
fn what_a_script_throws_is_told_within_bounds() {
    let (result, _) = run("throw \"no spare part\";");
    assert_eq!(result.unwrap_err().to_string(), "3:1: no spare part");
    let (result, _) = run("throw subject.description;");
    assert_eq!(result.unwrap_err().message.len(), 512);
    let (result, _) = run("try { 1 / 0 } catch(e) { throw e; }");
    assert_eq!(result.unwrap_err().to_string(), "3:26: a number is too large, or divided by nothing");
}

#[test]
fn what_policies_do_not_need_does_not_exist() {
    for (body, message) in [
        ("timestamp();", "3:1: function not found: timestamp ()"),
        ("sleep(1);", "3:1: function not found: sleep (i64)"),
        ("rand();", "3:1: function not found: rand ()"),
        ("blob(10);", "3:1: function not found: blob (i64)"),
        ("exit();", "3:1: function not found: exit ()"),
    ] {
        assert_eq!(run(body).0.unwrap_err().to_string(), message);
    }
    for body in ["eval(\"1\");", "import \"x\" as y;", "let f = Fn(\"x\"); f.curry(1);", "this.x = 1;"] {
        assert!(
            load("p", &format!("policy(#{{ on: \"incident.detected\" }});\nfn react(a, b) {{ {body} }}")).is_err(),
            "{body}"
        );
    }
    assert_eq!(run("print(\"x\"); debug(1); print(#{});").0, Ok(vec![]));
}

#[test]
fn sources_that_explode_do_not_load() {
    let nests =
        [("(", ")"), ("[", "]"), ("#{a:", "}"), ("{", "}"), ("!", ""), ("- ", ""), ("`${", "}`"), ("if true {", "}")];
    let chains = ["+1", "&&true", "??1", ".a", "[0]", ".f()", " in 1"];
    let nested = nests.iter().map(|(open, close)| format!("{}a{}", open.repeat(3_000), close.repeat(3_000)));
    let chained = chains.iter().map(|link| format!("a{}", link.repeat(3_000)));
    for body in nested.chain(chained) {
        let faults = load("p", &format!("policy(#{{ on: \"incident.detected\" }});\nfn react(a, b) {{\n{body}\n}}"))
            .unwrap_err();
        assert_eq!((faults.len(), faults[0].line), (1, 3), "{faults:?}");
        assert_eq!(faults[0].message, "expressions and blocks stand more than 32 deep");
    }
    let faults = load("p", &"//\n".repeat(20_000)).unwrap_err();
    assert_eq!(faults[0].to_string(), "1:1: the script has 60000 bytes and may have 32768");
}

#[test]
fn the_same_script_on_the_same_subject_does_the_same() {
    let body = "let n = 0; for c in subject.synopsis { n += 1; } log(`${n}`, #{ b: n, a: [1, 2.5, ()] }); publish(\"x\", #{ z: 1, y: 2 });";
    let policy = script(body);
    let mut first = Judge::new(Limits::default());
    let intents = first.react(&policy, update().shared(), &organization()).unwrap();
    for _ in 0..3 {
        let mut other = Judge::new(Limits::default());
        for judge in [&mut first, &mut other] {
            assert_eq!(judge.react(&policy, update().shared(), &organization()).unwrap(), intents);
        }
        assert_eq!(first.operations(), other.operations());
    }
}

#[test]
fn a_small_cache_changes_nothing_but_time() {
    let mut judge = Judge::new(Limits { cached_scripts: 2, cached_source_bytes: 300, ..Limits::default() });
    let policies: Vec<_> = (0..5).map(|i| script(&format!("log(\"{i}\");"))).collect();
    for _ in 0..3 {
        for (i, policy) in policies.iter().enumerate() {
            let intents = judge.react(policy, incident().shared(), &organization()).unwrap();
            assert_eq!(intents, [logged(&i.to_string(), serde_json::Map::new())]);
        }
    }
}

#[test]
fn what_differs_between_machines_is_refused() {
    for call in
        ["sin(0.5)", "(0.5).exp()", "ln(2.0)", "log(2.0, 3.0)", "log(10.0)", "hypot(1.0, 2.0)", "atan(1.0, 2.0)"]
    {
        assert_eq!(failure(&format!("let x = {call};")).split(' ').next(), Some("refused"), "{call}");
    }
    assert!(load("p", "policy(#{ on: \"incident.detected\" });\nfn react(a, b) { let x = 1.5 ** 0.3; }").is_err());
    assert!(run("let x = sqrt(2.0) + 1.5 % 0.4 + (2.7).floor();").0.is_ok(), "IEEE 754 says what these are");
}

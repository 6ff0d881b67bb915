//! What is found in scripts before they run, and that nothing is found in those that run.

#![cfg(test)]

mod support;

use linesman_rules::{Judge, Limits};
use support::{check, incident, load, organization, script, script_on, subject_of};

/// The faults of a body, which begins on line 3.
fn faults(trigger: &str, body: &str) -> String {
    let faults = check(&script_on(trigger, body));
    let text = |fault: &linesman_rules::Diagnostic| format!("{} {fault}", fault.code.as_str());
    faults.iter().map(text).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_runs_is_not_faulted() {
    for body in [
        "let f = |x| x + 1; f.call(1); call(f, 2); [1, 2].map(f); [1].filter(|x, i| i == 0);",
        "let m = #{ twice: |x| 2 * x }; m.twice(2);",
        "let m = #{}; m.later = |x| x; m.later(1);",
        "let m = #{}; m[`${subject.kind}`] = |x| x; m.event(1);",
        "let m = #{}; m.set(\"some\", |x| x); m.some(1);",
        "let m = #{ a: 1 }; m.unknown; m[\"unknown\"]; m?.z?.b; m.contains(\"a\"); \"a\" in m;",
        "let s = subject.synopsis; s.len; s.len(); s.contains(\"x\"); s.to_upper(); s.split(\" \"); s.trim(); s[0]; s += \"x\";",
        "subject.owner?.len; subject.owner ?? \"nobody\"; subject[\"synopsis\"]; subject[\"device\"][\"host_name\"];",
        "let d = subject.device; d.host_name; let d = #{ anything: 1 }; d.anything;",
        "let d = subject.device; d = #{ anything: 1 }; d.anything;",
        "let x = 1; { let x = 2; x; } x; for (item, i) in [1, 2] { item + i; }",
        "try { throw 1; } catch (e) { e; }",
        "let n = switch subject.priority { \"Critical\" => 1, \"High\" if subject.repeats > 3 => 2, 1..5 => 4, _ => 3 }; n;",
        "let n = 0; loop { n += 1; if n > 3 { break; } } while true { break; } do { n -= 1; } while n > 0;",
        "let x = if true { 1 } else { 2 }; const Y = x; Y; type_of(x); is_def_fn(\"react\", 2); is_def_var(\"x\");",
        "print(subject.id); debug(1); to_string(1); parse_int(\"5\"); min(1, 2); 5.max(6); abs(-1); range(0, 5); (1..5).contains(2);",
        "let l = [3, 1, 2]; l.sort(); l.push(4); l.sort(|a, b| b - a); l.reduce(|sum, x| (sum ?? 0) + x); l.len; l.index_of(3);",
        "Fn(\"abs\").call(-1); let g = Fn(\"min\"); g.call(1, 2);",
        "for i in 0..64 { log(\"x\"); }",
        "for i in 0..1000 { if i > 3 { return; } log(\"x\"); }",
        "loop { return; }",
        "try { loop { throw_if(subject.priority); } } catch {}",
        "let v = \"Low\"; set_priority(v); let c = #{}; submit_case(c); log(`${v}`); log(v + \"x\", #{ a: v });",
        "log(\"x\", #{ device: subject.device.host_name, org: org.name });",
        "help(subject); help(subject); let r = of(subject.device); r.x;",
        "either(subject); either(#{ any: 1 });",
        "let f = pointed; f.call(#{ any: 1 }); pointed(#{ any: 2 });",
        "counted!();\n}\nfn counted() { subject.id",
        "\"text\".shout(1);",
        "let x = subject; x.device.host_name;",
    ] {
        let functions = "fn help(incident) { incident.device.host_name }
            fn of(device) { #{ x: device.product } }
            fn either(thing) { thing }
            fn pointed(thing) { thing.any }
            fn shout(n) { n }
            fn throw_if(word) { if word == \"Critical\" { throw \"it is\"; } }";
        let body = format!("{body}\n}}\n{functions}\nfn unused() {{");
        let policy = script(&body);
        let result = Judge::new(Limits::default()).react(&policy, incident().shared(), &organization());
        result.unwrap_or_else(|failure| panic!("{body}: {failure}"));
        assert_eq!(check(&policy), [], "{body}");
    }
}

#[test]
fn functions() {
    for (body, expected) in [
        ("lgo(\"x\");", "unknown-function 3:1: unknown function `lgo`\n  help: did you mean `log`?"),
        ("frobnicate(1);", "unknown-function 3:1: unknown function `frobnicate`\n  help: ACTIONS"),
        (
            "let s = subject.synopsis; s.contians(\"x\");",
            "unknown-function 3:29: unknown function `contians`\n  help: did you mean `contains`?",
        ),
        ("[1].map(|x| twise(x));", "unknown-function 3:13: unknown function `twise`\n  help: ACTIONS"),
        ("subject.close();", "unknown-function 3:9: unknown function `close`\n  help: ACTIONS"),
        ("Fn(\"prnt\");", "unknown-function 3:4: unknown function `prnt`\n  help: did you mean `print`?"),
        ("timestamp();", "unknown-function 3:1: unknown function `timestamp`\n  help: ACTIONS"),
        (
            "log();",
            "wrong-arguments 3:1: `log` takes 1 or 2 arguments, not 0\n  help: it is called as `log(message[, #{ ... }])`",
        ),
        (
            "publish(\"x\");",
            "wrong-arguments 3:1: `publish` takes 2 arguments, not 1\n  help: it is called as `publish(name, #{ ... })`",
        ),
        ("\"x\".trim(1);", "wrong-arguments 3:5: `trim` takes no arguments, not 1"),
        ("react(1);", "wrong-arguments 3:1: `react` takes 2 arguments, not 1"),
        ("sin(1.0);", "refused 3:1: `sin` is refused: its result differs from machine to machine"),
        ("1.0.sin();", "refused 3:5: `sin` is refused: its result differs from machine to machine"),
    ] {
        let actions = "the actions are `submit_case`, `forward_case`, `handle_case`, `log`, `set_priority`, `assign`, \
            `close_incident`, `collect`, `require_approval`, `publish`, `forward_intelligence`; `docs/policies.md` lists \
            all functions there are";
        assert_eq!(faults("incident.detected", body), expected.replace("ACTIONS", actions), "{body}");
    }
}

#[test]
fn variables_and_fields() {
    for (body, expected) in [
        ("subjct.id;", "unknown-variable 3:1: unknown variable `subjct`\n  help: did you mean `subject`?"),
        (
            "let limit = 3; [1].filter(|x| x > limit);",
            "unknown-variable 3:35: unknown variable `limit`\n  help: a function and a `|...| ...` see their own parameters and variables only",
        ),
        (
            "if true { let a = 1; } a;",
            "unknown-variable 3:24: unknown variable `a`\n  help: a function and a `|...| ...` see their own parameters and variables only",
        ),
        (
            "x = 1;",
            "unknown-variable 3:1: unknown variable `x`\n  help: a function and a `|...| ...` see their own parameters and variables only",
        ),
        (
            "subject.priorty;",
            "unknown-field 3:9: `incident` has no property `priorty`\n  help: did you mean `priority`?",
        ),
        (
            "subject[\"priorty\"];",
            "unknown-field 3:9: `incident` has no property `priorty`\n  help: did you mean `priority`?",
        ),
        (
            "`${subject.device.hostname}`;",
            "unknown-field 3:19: `device` has no property `hostname`\n  help: did you mean `host_name`?",
        ),
        (
            "let d = subject.device; d.hostname;",
            "unknown-field 3:27: `device` has no property `hostname`\n  help: did you mean `host_name`?",
        ),
        (
            "subject.host_name;",
            "unknown-field 3:9: `incident` has no property `host_name`\n  help: it is a property of the device: `device.host_name`",
        ),
        (
            "subject.device.synopsis;",
            "unknown-field 3:16: `device` has no property `synopsis`\n  help: it is a property of the subject itself, not of its device",
        ),
        (
            "subject.case_link;",
            "unknown-field 3:9: `incident` has no property `case_link`\n  help: it is a property of `update`, and this trigger is about another subject",
        ),
        ("org.nam;", "unknown-field 3:5: `org` has no property `nam`\n  help: did you mean `name`?"),
        (
            "subject.priority = \"Low\";",
            "read-only 3:9: `priority` of `incident` cannot be changed by assignment\n  help: `set_priority(...)` changes it",
        ),
        (
            "subject.device.product += \"x\";",
            "read-only 3:16: `product` of `device` cannot be changed by assignment\n  help: policies read it only",
        ),
        (
            "subject.prio = 1;",
            "unknown-field 3:9: `incident` has no property `prio`\n  help: known are `id`, `host_event_id`, `kind`, `event_type`, `event_type_group`, `synopsis`, `description`, `priority`, `severity`, `status`, `owner`, `occurred`, `detected`, `repeats`, `service_type`, `off_box`, `case_status`, `case_id`, `changed`, `actor`, `before`, `after`, `device`",
        ),
    ] {
        assert_eq!(faults("incident.detected", body), expected, "{body}");
    }
    let helper = "grave(subject); }\nfn grave(incident) { incident.priorty == \"High\"";
    let expected = "unknown-field 4:31: `incident` has no property `priorty`\n  help: did you mean `priority`?";
    assert_eq!(faults("incident.detected", helper), expected);
    assert_eq!(faults("case.updated", "subject.case_link; subject.previous_status;"), "");
    let expected = "unknown-field 3:9: `message` has no property `device`\n  help: it is a property of `incident`, and this trigger is about another subject";
    assert_eq!(faults("intelligence.received", "subject.device;"), expected);
}

#[test]
fn actions() {
    for (body, expected) in [
        (
            "submit_case(#{ sinopsis: \"x\" });",
            "unknown-key 3:16: `submit_case` knows no key `sinopsis`\n  help: did you mean `synopsis`?",
        ),
        (
            "submit_case(#{ synopsis: 1, cc: \"x\", follow_up: \"Fax\" });",
            "wrong-type 3:26: `synopsis` of `submit_case` is a text, not a number\nwrong-type 3:33: `cc` of `submit_case` is a list of texts, not a text\nunknown-value 3:49: `Fax` is no way to follow up\n  help: known are `Email Full Text Update`, `Email Secure Web Link`, `Phone Call`",
        ),
        (
            "submit_case(#{ cc: [\"a\", 1] });",
            "wrong-type 3:26: `cc` of `submit_case` is a list of texts, not of numbers",
        ),
        ("set_priority(\"Hihg\");", "unknown-value 3:14: `Hihg` is not a priority\n  help: did you mean `High`?"),
        ("assign(\"\");", "unknown-value 3:8: `assign` is given an empty text"),
        (
            "publish(\"a.b\", #{});",
            "unknown-value 3:9: `publish` under `a.b`\n  help: a name has letters, digits, `_` and `-`, beginning with a letter or digit, at most 64",
        ),
        (
            "submit_case(\"fan\");",
            "wrong-type 3:13: what `submit_case` is told stands in a map, and this is a text\n  help: it is called as `submit_case([#{ ... }])`",
        ),
        ("log(1);", "wrong-type 3:5: `message` of `log` is a text, not a number"),
        (
            "log(\"x\", subject);",
            "wrong-type 3:10: what `log` is told stands in a map, and this is an object\n  help: it is called as `log(message[, #{ ... }])`",
        ),
        (
            "log(\"x\", [1]);",
            "wrong-type 3:10: what `log` is told stands in a map, and this is a list\n  help: it is called as `log(message[, #{ ... }])`",
        ),
    ] {
        assert_eq!(faults("incident.detected", body), expected, "{body}");
    }
    for action in ["submit_case()", "set_priority(\"Low\")", "assign(\"a\")"] {
        let name = action.split('(').next().unwrap();
        let expected = format!("refused 3:1: `{name}` needs an incident, and this trigger is about a message");
        assert_eq!(faults("intelligence.received", &format!("{action};")), expected);
        assert_eq!(faults("audit.*", &format!("{action};")), expected.replace("message", "record"));
    }
}

#[test]
fn what_is_gathered() {
    for (body, expected) in [
        ("collect();", ""),
        ("collect(#{ kind: \"event\", synopsis: `more of ${subject.id}`, priority: \"High\" });", ""),
        ("let kind = \"rma\"; collect(#{ kind: kind, synopsis: \"x\" });", ""),
        (
            "collect(#{ kind: \"evnt\", prority: \"Low\" });",
            "unknown-value 3:18: `collect` knows no kind `evnt`\n  help: did you mean `event`?\n\
             unknown-key 3:26: `collect` knows no key `prority`\n  help: did you mean `priority`?",
        ),
        (
            "collect(#{ synopsis: \"x\" });",
            "refused 3:9: `collect` of `information` takes no synopsis and no priority: it tells of no problem",
        ),
        (
            "collect(#{ kind: \"event\", priority: 1 });",
            "wrong-type 3:37: `priority` of `collect` is a text, not a number",
        ),
    ] {
        assert_eq!(faults("incident.detected", body), expected, "{body}");
    }
    let expected = "refused 3:1: `collect` needs an incident, and this trigger is about a device";
    assert_eq!(faults("device.silent", "collect();"), expected);
}

#[test]
fn what_is_sent_on() {
    for (body, expected) in [
        ("forward_intelligence(subject, #{ only_affected: true, title: `${subject.title}!`, text: \"x\" });", ""),
        ("let words = #{}; subject.forward_intelligence(words);", ""),
        (
            "forward_intelligence(org);",
            "wrong-type 3:22: `message` of `forward_intelligence` is the message, not another object",
        ),
        (
            "forward_intelligence(\"T1\", subject);",
            "wrong-type 3:22: `message` of `forward_intelligence` is the message, not a text\n\
             wrong-type 3:28: what `forward_intelligence` is told is a map, not an object",
        ),
        (
            "forward_intelligence(subject, #{ titel: subject.title, text: 1, only_affected: \"yes\" });",
            "unknown-key 3:34: `forward_intelligence` knows no key `titel`\n  help: did you mean `title`?\n\
             wrong-type 3:62: `text` of `forward_intelligence` is a text, not a number\n\
             wrong-type 3:80: `only_affected` of `forward_intelligence` is a flag, not a text",
        ),
    ] {
        assert_eq!(faults("intelligence.matched", body), expected, "{body}");
    }
    let expected = "refused 3:1: `forward_intelligence` needs a message, and this trigger is about an incident";
    assert_eq!(faults("incident.detected", "forward_intelligence(subject);"), expected);
}

#[test]
fn limits() {
    let many: String = (0..47).map(|i| format!("let v{i} = 1; ")).collect();
    let items = |count| format!("[{}]", vec!["1"; count].join(","));
    let entries =
        |count: usize| format!("#{{{}}}", (0..count).map(|i| format!("k{i}:1")).collect::<Vec<_>>().join(","));
    for (body, expected) in [
        ("loop {}", "limit 3:1: this loop never ends\n  help: leave it with `break`, `return` or `throw`"),
        (
            "while true { log(\"x\"); continue; }",
            "limit 3:1: this loop never ends\n  help: leave it with `break`, `return` or `throw`",
        ),
        ("for i in 0..1000000 {}", "limit 3:1: this loop has more rounds than the 50000 operations a script may take"),
        ("for i in 0..65 { log(\"x\"); }", "limit 3:1: a script may ask for 64 actions, and this asks for more"),
        (
            "for i in 0..8 { for j in 0..9 { log(\"x\"); } }",
            "limit 3:1: a script may ask for 64 actions, and this asks for more",
        ),
        (
            &*many,
            "limit 3:589: a function may hold 48 variables at a time, and this is one more\n  help: put what belongs together into a map or a function",
        ),
        (
            &*format!("[{}, {}];", items(600), items(600)),
            "limit 3:1: a list may have 1024 items with those of lists within, and this has 1202",
        ),
        (&*format!("{};", items(1025)), "limit 3:2050: a list may have 1024 items"),
        (
            &*format!("let m = #{{ a: {}, b: {} }};", entries(200), entries(100)),
            "limit 3:9: a map may have 256 entries with those of maps within, and this has 302",
        ),
    ] {
        let source = format!("policy(#{{ on: \"incident.detected\" }});\nfn react(subject, org) {{\n{body}\n}}");
        let found = load("p", &source).expect_err(body);
        let text = found.iter().map(|fault| format!("{} {fault}", fault.code.as_str())).collect::<Vec<_>>().join("\n");
        assert_eq!(text, expected, "{body}");
    }
    // At the limit all is well, in the check and in the run.
    let many: String = (0..46).map(|i| format!("let v{i} = 1; ")).collect();
    for body in [many, format!("[{}, {}];", items(500), items(522)), format!("let m = #{{ a: {} }};", entries(255))] {
        let policy = script(&body);
        Judge::new(Limits::default()).react(&policy, incident().shared(), &organization()).expect(&body);
        assert_eq!(check(&policy), [], "{body}");
    }
}

/// Numbers below those asked for, the same in every run.
fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    }
}

/// Statements one after the other, of which none is passed over: if they run, they are clean; and if a
/// function, variable or field is missing, that is found.
#[test]
fn statements_are_faulted_as_they_run() {
    let statements = [
        "let a = subject;",
        "let b = a;",
        "let c = subject.device;",
        "a = subject;",
        "b = org;",
        "c = #{ any: 1 };",
        "let a = c;",
        "let c = b.device;",
        "const D = org; D.name;",
        "a.priority;",
        "a.device.host_name;",
        "b.synopsis;",
        "b.name;",
        "c.product;",
        "c.any;",
        "c.host;",
        "a[\"priority\"];",
        "a[\"nothing\"];",
        "b?.device?.group;",
        "keep(a);",
        "keep(b);",
        "keep(c);",
        "one(a);",
        "one(org);",
        "let f = keep; f.call(c);",
        "let f = Fn(\"one\"); f.call(a);",
        "[a, c].map(|x| x);",
        "[1].map(|x| x + a);",
        "[c].for_each(|x| x.any);",
        "let m = #{ run: |x| x }; m.run(1);",
        "m.run(2);",
        "m.stop(2);",
        "m.later = |x| x;",
        "m.later(3);",
        "{ let a = 1; }",
        "{ a = 1; }",
        "for a in [1, 2] { a + 1; }",
        "for (x, a) in [subject] { x.id; }",
        "try { throw 1; } catch (c) { c; }",
        "let s = a.synopsis; s.len;",
        "s.contains(\"x\");",
        "s.cntains(\"x\");",
        "log(`${s}`);",
        "log(a.id, #{ b: b });",
        "set_priority(a.priority);",
        "inner!();",
        "inner();",
        "let a = if true { subject } else { org };",
        "let b = switch 1 { 1 => subject, _ => org };",
        "missing(1);",
        "keep(1, 2);",
        "swap(a, org);",
    ];
    let functions = "fn keep(x) { x }\nfn one(x) { x.id }\nfn inner() { a }\nfn swap(x, y) { x = y; x.name }";
    let mut next = random();
    let (mut clean, mut failed) = (0, 0);
    let mut judge = Judge::new(Limits::default());
    for round in 0..6_000 {
        let start = if round % 2 == 0 { "let a = subject; let b = org; let c = subject.device;\n" } else { "" };
        let body: String = (0..=next(5)).map(|_| format!("{}\n", statements[next(statements.len())])).collect();
        let body = format!("{start}{body}");
        let policy = script(&format!("{body}\n}}\n{functions}\nfn unused() {{"));
        let faults = check(&policy);
        match judge.react(&policy, incident().shared(), &organization()) {
            // What is never called may be faulty and run all the same.
            Ok(_) => {
                let is_of_body = |fault: &&linesman_rules::Diagnostic| (fault.line as usize) < 3 + body.lines().count();
                assert_eq!(faults.iter().filter(is_of_body).collect::<Vec<_>>(), Vec::<&_>::new(), "{body}");
                clean += 1;
            }
            Err(_) => failed += 1,
        }
    }
    assert!(clean > 600 && failed > 600, "{clean} {failed}");
}

/// Whatever a source says, it is judged without panic, and what is clean for the check does not fail in
/// a run for want of a function, variable or field.
#[test]
fn mutated_scripts_are_judged_without_panic() {
    let mut next = random();
    let words = [
        "subject",
        "org",
        ".device",
        ".priority",
        "|x|",
        "Fn(\"log\")",
        "log",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "#{",
        ";",
        ",",
        "let ",
        "fn f(a) { a.x }",
        "1",
        "\"t\"",
        "`${",
        "switch ",
        "=> ",
        "loop ",
        "for i in ",
        "..",
        "?.",
        "!",
        "call",
        "=",
        "+=",
        "\u{1F600}",
        "\0",
        "if ",
        "else ",
    ];
    let sources: Vec<&str> = linesman_rules::LIBRARY.iter().map(|(_, source)| *source).collect();
    let mut clean = 0;
    let mut judge = Judge::new(Limits::default());
    for _ in 0..4_000 {
        let mut chars: Vec<char> = sources[next(sources.len())].chars().collect();
        for _ in 0..=next(3) {
            let at = next(chars.len());
            match next(3) {
                0 => drop(chars.drain(at..(at + next(12)).min(chars.len()))),
                1 => drop(chars.splice(at..at, words[next(words.len())].chars())),
                _ => {
                    let from = next(chars.len());
                    let piece: Vec<char> = chars[from..(from + next(40)).min(chars.len())].to_vec();
                    drop(chars.splice(at..at, piece));
                }
            }
        }
        let source: String = chars.into_iter().collect();
        let Ok(policy) = load("p", &source) else { continue };
        clean += 1;
        let subject = subject_of(policy.triggers().kind());
        if let Err(failure) = judge.react(&policy, subject.shared(), &organization()) {
            let is_missed = ["variable not found", "has no property"].iter().any(|text| failure.message.contains(text));
            assert!(!is_missed, "{failure}\n{source}");
        }
    }
    assert!(clean > 200, "{clean}");
}

/// Some editors write a byte order mark; what stands behind it has the place that people see.
#[test]
fn a_byte_order_mark_is_no_fault() {
    let source = "\u{feff}policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { log(\"a\", #{}); }";
    let policy = load("p", source).unwrap();
    let mut judge = Judge::new(Limits::default());
    assert_eq!(judge.react(&policy, incident().shared(), &organization()).unwrap().len(), 1);
    let faults = load("p", "\u{feff}policy(#{ on: 5 });\nfn react(incident, org) {}").unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1], "{faults:?}");
}

//! What is said about faulty policies: message, help and place, whole.

#![cfg(test)]

mod support;

use support::load;

/// The faults of a policy in one text.
fn faults(name: &str, source: &str) -> String {
    let faults = load(name, source).expect_err("the policy should not load");
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The faults of a policy with this `where`; its first entry stands at 2:14.
fn of_filter(trigger: &str, filter: &str) -> String {
    faults(
        "p",
        &format!("policy(#{{ on: \"{trigger}\",\n   where: #{{ {filter} }} }});\nfn react(subject, org) {{}}\n"),
    )
}

#[test]
fn all_faults_of_a_file_are_told_in_order() {
    let source = r#"//! A policy in which little is right.

policy(#{
    on: "incident.detected",
    wheree: 1,
    organizations: ["acme", "a b", 3],
    where: #{
        priority: ["Hight", "High"],
        event_typ: "X",
        severity: "high",
    },
});

let x = 1;

policy(#{ on: "case.updated" });

fn react(incident) {
}
"#;
    assert_eq!(
        faults("p", source),
        "5:5: unknown key `wheree` of `policy`
  help: did you mean `where`?
6:29: `a b` is not an organization name (letters, digits, `_` and `-`, beginning with a letter or digit, at most 64)
6:36: an organization is named by a text, not by a number
8:20: `Hight` is not a priority
  help: did you mean `High`?
9:9: unknown field `event_typ` of `incident`
  help: did you mean `event_type`?
10:19: `severity` is compared with a number or a range, not with a text
14:1: only `policy(...)` and functions stand outside of functions
  help: move this into `react`
16:1: `policy` is called a second time
18:20: `react` takes two parameters, not 1
  help: the first is what the trigger is about, the second the organization"
    );
}

#[test]
fn headers() {
    let react = "fn react(a, b) {}";
    for (source, expected) in [
        (
            "",
            "1:1: `react` is missing\n  help: write `fn react(incident, org) { ... }`; the first parameter is what the trigger is about\n\
             1:1: `policy(...)` is missing\n  help: write `policy(#{ on: \"...\", where: #{ ... } });` above `react`",
        ),
        ("policy();", "1:1: `policy` takes one map and is given 0 values"),
        ("policy(1);", "1:1: `policy` takes a map\n  help: write `policy(#{ on: \"...\", where: #{ ... } });`"),
        (
            "policy(#{});",
            "1:1: `on` is missing\n  help: name the trigger: one of `incident.detected`, `incident.submitted`, `incident.changed`, `case.assigned`, `case.updated`, `case.withheld`, `incident.reported-by-end-customer`, `intelligence.received`, `intelligence.matched`, `end-of-life.matched`, `bug-notice.arrived`, `bug-notice.matched`, `exposure.new`, `licence.expiring`, `licence.expired`, `partner.certificate-expiring`, `partner.certificate-expired`, `approval.required`, `incident.without-address`, `device.silent`, `contract.expiring`, `device.state-changed`, `collection.switched`, `configuration.drifted`, `configuration.held`, `quota.nearing`, `quota.exhausted`, `audit.*` and `audit.<operation>`",
        ),
        ("policy(#{ on: 1 });", "1:15: `on` is the name of a trigger, not a number"),
        ("policy(#{ on: \"a\" + \"b\" });", "1:15: `on` is the name of a trigger, not an expression"),
        (
            "policy(#{ on: \"incident.detcted\" });",
            "1:15: unknown trigger `incident.detcted`\n  help: did you mean `incident.detected`?",
        ),
        ("policy(#{ on: [] });", "1:15: the list of `on` is empty and would match nothing"),
        ("policy(#{ on: [\"case.updated\", 1] });", "1:32: `on` is the name of a trigger, not a number"),
        (
            "policy(#{ on: [\"case.updated\", \"incident.detected\", \"audit.*\"] });",
            "1:32: `incident.detected` is about an incident, and `case.updated` about an update\n  help: write a policy for each\n\
             1:53: `audit.*` is about a record, and `case.updated` about an update\n  help: write a policy for each",
        ),
        (
            "policy(#{ on: \"audit.close-incidnt\" });",
            "1:15: unknown trigger `audit.close-incidnt`\n  help: did you mean `audit.close-incident`?",
        ),
        (
            "policy(#{ on: \"audit.login*\" });",
            "1:15: unknown trigger `audit.login*`\n  help: only all are named by `*`: take `audit.*`, and `operation` in `where`",
        ),
        ("policy(#{ on: \"case.updated\", where: [] });", "1:38: `where` is a map of filters, not a list"),
        (
            "policy(#{ on: \"case.updated\", organizations: \"acme\" });",
            "1:46: `organizations` is a list of names, not a text",
        ),
        (
            "policy(#{ on: \"case.updated\", organizations: [] });",
            "1:46: the list of `organizations` is empty and would match nothing",
        ),
        (
            "policy(#{ on: \"case.updated\" }); loop {}",
            "1:34: only `policy(...)` and functions stand outside of functions\n  help: move this into `react`",
        ),
        ("policy(#{ on: \"case.updated\" }", "2:1: expecting `,` to separate the arguments to function call `policy`"),
        ("policy(#{ on: \"case.updated\", on: 1 });", "1:31: duplicated property for object map literal: on"),
        (
            "policy(#{ on: \"case.updated\" }); fn text.x() { 1 }",
            "1:46: `x` is a method of a type\n  help: make it a function with a parameter",
        ),
    ] {
        let script = if source.is_empty() { String::new() } else { format!("{source}\n{react}") };
        assert_eq!(faults("p", &script), expected, "{source}");
    }
    assert_eq!(
        faults("acme/p", &format!("policy(#{{ on: \"case.updated\", organizations: [\"acme\"] }});\n{react}")),
        "1:31: `organizations` is for policies of all organizations, and this is one organization's own"
    );
}

#[test]
fn filters() {
    let long = format!("event_type: \"{}\"", "x".repeat(257));
    for (filter, expected) in [
        ("event_type: 5", "2:26: `event_type` is compared with a text, not with a number"),
        (
            "event_type: \"a\" + \"b\"",
            "2:26: `event_type` is compared with a text, not with an expression\n  help: filters are read, not run: write the value out",
        ),
        (
            "severity: 1.5",
            "2:24: `severity` is compared with a number or a range, not with a number with a fraction\n  help: filters are read, not run: write the value out",
        ),
        ("severity: 3..3", "2:24: the range of `severity` is empty and would match nothing"),
        (
            "severity: [1, \"x\", 3..1]",
            "2:28: `severity` is compared with a number or a range, not with a text\n2:33: the range of `severity` is empty and would match nothing",
        ),
        ("off_box: 1", "2:23: `off_box` is compared with `true` or `false`, not with a number"),
        ("event_type: []", "2:26: the list of `event_type` is empty and would match nothing"),
        ("event_type: [[\"a\"]]", "2:27: `event_type` is compared with a text, not with a list"),
        (
            "event_type: #{ not: \"\" }",
            "2:34: an empty text is any, so that `not` of it in `event_type` matches nothing",
        ),
        ("event_type: #{ not: #{ not: \"a\" } }", "2:34: `event_type` is compared with a text, not with a map"),
        (
            "device: #{ product: \"MX*\" }",
            "2:22: `device` takes no map other than `#{ not: ... }`\n  help: name a field inside by its path: `\"device.<field>\"`",
        ),
        (
            "has_words: #{ not: \"a\" }",
            "2:25: `has_words` takes a text or a list of texts, not a map\n  help: the opposite of `has_words` is `lacks_words`",
        ),
        ("has_words: \"--\"", "2:25: `--` has no word to look for\n  help: words are runs of letters, digits and `_`"),
        ("organization: \"a.b\"", "2:28: `a.b` cannot be the name of an organization"),
        ("devise: \"x\"", "2:14: unknown field `devise` of `incident`\n  help: did you mean `device`?"),
        (
            "\"device.hostname\": \"x\"",
            "2:14: unknown field `device.hostname` of `incident`\n  help: did you mean `device.host_name`?",
        ),
        ("case_link: \"x\"", "2:14: unknown field `case_link` of `incident`\n  help: it is a field of `update`"),
        ("title: \"x\"", "2:14: unknown field `title` of `incident`\n  help: it is a field of `message`"),
        (&long, "2:26: a text of `event_type` may have 256 characters and this has 257"),
    ] {
        assert_eq!(of_filter("incident.detected", filter), expected, "{filter}");
    }
    for (filter, expected) in [
        ("device: \"x\"", "2:14: `device` filters incidents and updates, and this trigger is about a record"),
        (
            "device_group: \"x\"",
            "2:14: `device_group` filters incidents and updates, and this trigger is about a record",
        ),
        (
            "serial_number: \"x\"",
            "2:14: `serial_number` filters incidents, updates and messages, and this trigger is about a record",
        ),
        (
            "after: #{ status: \"completed\" }",
            "2:14: `after` is a map, and filters do not look into maps\n  help: look at it in `react`; `has_words` finds the words in it",
        ),
        (
            "operation: \"close-incidnt\"",
            "2:25: `operation` of `record` is never `close-incidnt`\n  help: did you mean `close-incident`?",
        ),
        ("outcome: \"don\"", "2:23: `outcome` of `record` is never `don`\n  help: did you mean `done`?"),
        ("index: -1", "2:21: `index` is 0 or more, so that this matches nothing"),
        ("actr: \"x\"", "2:14: unknown field `actr` of `record`\n  help: did you mean `actor`?"),
    ] {
        assert_eq!(of_filter("audit.*", filter), expected, "{filter}");
    }
    assert_eq!(
        of_filter("intelligence.received", "device: \"x\""),
        "2:14: `device` filters incidents and updates, and this trigger is about a message"
    );
}

//! Policies hear what stands in the audit, once it is done, and change nothing of it.

use linesman_schemas::audit::Verdict;

use super::commands::of;
use super::*;

/// Publishes what it hears.
const TELLS: &str = "policy(#{ on: \"audit.*\" });
    fn react(record, org) {
        publish(\"heard\", #{
            org: org.name, operation: record.operation, outcome: record.outcome, actor: record.actor, node: record.node,
            place: record.place, about: record.about, command: record.command, time: record.time,
            index: record.index, chain: record.chain, before: record.before, after: record.after,
        });
    }";

impl Lane {
    /// A lane with an organization that has an incident, and policies.
    fn heard_by(level: u32, policies: &[(&str, &str)]) -> Self {
        let mut lane = Self::at(level);
        lane.organization("acme", "Send all information");
        lane.organization("bolt", "Send all information");
        lane.rules(1, policies, Settings::default());
        lane.bundle("acme", "a", 1, "High");
        lane.events.clear();
        lane
    }

    fn close(&mut self) {
        self.command("acme", &json!({"close_incident": of(json!({"note": "n"}))}));
    }

    /// What policies published under `heard` of an organization's.
    fn heard(&self, org: &str) -> Vec<Value> {
        self.on(&format!("{org}.reaction.heard")).iter().map(|event| event.data["action"].clone()).collect()
    }
}

#[test]
fn what_was_done_is_heard_behind_its_audit_with_all_it_tells() {
    let mut lane = Lane::heard_by(3, &[("tells", TELLS)]);
    lane.close();
    assert_eq!(lane.subjects(), ["acme.audit.close-incident", "acme.reaction.heard"]);
    let audit = lane.on("acme.audit.close-incident")[0];
    assert_eq!(lane.on("acme.reaction.heard")[0].data["trigger"], audit.id, "the audit's event is what it reacts to");
    let heard = &lane.heard("acme")[0];
    let expected = json!({
        "org": "acme", "operation": "close-incident", "outcome": "done", "actor": "admin", "node": "test", "place": "acme",
        "about": "acme-1", "command": audit.data["command"], "time": "2026-11-21T10:00:00Z",
        "index": 1, "chain": [], "before": audit.data["old"], "after": audit.data["new"],
    });
    assert_eq!(heard, &expected);
    assert_eq!((&heard["before"]["status"], &heard["after"]["status"]), (&json!("unassigned"), &json!("completed")));
}

#[test]
fn what_was_refused_is_heard_too_and_what_is_said_again_is_not() {
    let mut lane = Lane::heard_by(3, &[("tells", TELLS)]);
    let command =
        json!({"id": "same", "actor": "admin", "node": "t", "verb": {"reopen_incident": of(json!({}))}}).to_string();
    lane.take("acme", "cmd", command.as_bytes());
    lane.take("acme", "cmd", command.as_bytes());
    lane.command("acme", &json!({"close_incident": {"incident": "acme-99", "note": "n"}}));
    let heard: Vec<_> =
        lane.heard("acme").iter().map(|heard| (heard["operation"].clone(), heard["outcome"].clone())).collect();
    let expected = [("reopen-incident", "conflict"), ("close-incident", "not-found")];
    assert_eq!(heard, expected.map(|(operation, outcome)| (json!(operation), json!(outcome))));
    assert!(lane.heard("acme").iter().all(|heard| heard["before"].is_null() && heard["after"].is_null()));
}

#[test]
fn what_never_became_a_command_is_heard_one_by_one() {
    let refused = "policy(#{ on: \"audit.refused\" });
        fn react(record, org) { publish(\"one\", #{ actor: record.actor, index: record.index, after: record.after }); }";
    let mut lane = Lane::heard_by(3, &[("refused", refused), ("tells", TELLS)]);
    let by = |name: &str| json!({"kind": "manager", "organization": "acme", "name": name});
    let refusal = |name: &str, operation: &str, count: u64| json!({"principal": by(name), "operation": operation, "place": "acme", "verdict": "forbidden", "count": count});
    let refusals = json!([refusal("ann", "close-incident", 1), refusal("ben", "", 120)]);
    let verb = json!({"record_refusals": {"refusals": refusals}});
    let command = json!({"id": "r", "principal": {"kind": "machine"}, "node": "n", "verb": verb}).to_string();
    lane.take("acme", "cmd", command.as_bytes());
    let one: Vec<Value> = lane.on("acme.reaction.one").iter().map(|event| event.data["action"].clone()).collect();
    let expected = json!([
        {"actor": "acme/ann", "index": 1, "after": null},
        {"actor": "acme/ben", "index": 2, "after": {"count": 120}},
    ]);
    assert_eq!(Value::from(one), expected);
    let heard: Vec<_> = lane.heard("acme").iter().map(|heard| heard["operation"].clone()).collect();
    assert_eq!(heard, [json!("close-incident"), Value::Null], "the command that tells of them is the engine's own");
}

#[test]
fn a_mended_listener_judges_the_record_it_failed_on() {
    let throws = "policy(#{ on: \"audit.close-incident\" });\nfn react(record, org) { throw \"no\"; }";
    let mut lane = Lane::heard_by(3, &[("tells", throws)]);
    lane.close();
    let failed = lane.on("acme.dead.policy-failed")[0].data["policy"].clone();
    let run = |about: &Value| {
        json!({"run_policy": {
            "policy": "tells", "trigger": "audit.close-incident", "event": failed["trigger"], "about": about,
        }})
    };
    assert_eq!(lane.ask("acme", &run(&failed["about"])).1, "it failed again: 2:25: no");
    lane.rules(2, &[("tells", TELLS)], Settings::default());
    lane.events.clear();
    assert_eq!(lane.done(&run(&failed["about"])), "run");
    let heard: Vec<_> = lane.heard("acme").iter().map(|heard| heard["operation"].clone()).collect();
    assert_eq!(heard, ["close-incident", "run-policy"], "what it failed on, and that it was run");
    assert_eq!(lane.ask("acme", &run(&json!("77"))).0, Verdict::NotFound);
    assert_eq!(lane.ask("bolt", &run(&failed["about"])).0, Verdict::NotFound, "bolt has no such record");
}

#[test]
fn a_listener_hears_what_it_asks_for_and_nothing_of_others() {
    let one = "policy(#{ on: [\"audit.close-incident\", \"audit.reopen-incident\"], where: #{ outcome: \"done\" } });
        fn react(record, org) { publish(\"one\", #{ operation: record.operation }); }";
    let mut lane = Lane::heard_by(3, &[("acme/own", TELLS), ("one", one)]);
    lane.close();
    lane.command("acme", &json!({"annotate_incident": of(json!({"note": "n"}))}));
    lane.command("bolt", &json!("suspend_organization"));
    // There is no such organization: the provider's audit has it, which no policy hears.
    lane.command("nobody", &json!({"close_incident": of(json!({"note": "n"}))}));
    assert_eq!(lane.on("acme.reaction.one").len(), 1);
    assert_eq!(lane.heard("acme").len(), 2);
    assert!(lane.heard("bolt").is_empty() && lane.heard("_provider").is_empty() && lane.heard("nobody").is_empty());
    assert_eq!(lane.on("_provider.audit.close-incident").len(), 1);
}

#[test]
fn a_listener_that_fails_changes_nothing_of_what_was_done() {
    let throws = "policy(#{ on: \"audit.close-incident\" });
        fn react(record, org) { publish(\"lost\", #{}); throw \"no\"; }";
    let mut lane = Lane::heard_by(3, &[("a-throws", throws), ("tells", TELLS)]);
    lane.close();
    assert_eq!(lane.incident().0, "completed");
    let letter = &lane.on("acme.dead.policy-failed")[0].data;
    assert_eq!(
        (&letter["policy"]["name"], &letter["policy"]["on"]),
        (&json!("a-throws"), &json!("audit.close-incident"))
    );
    assert_eq!(letter["policy"]["trigger"], lane.on("acme.audit.close-incident")[0].id);
    assert!(lane.on("acme.reaction.lost").is_empty(), "a policy that fails has asked for nothing");
    assert_eq!(lane.heard("acme").len(), 1, "the others are not concerned");
}

#[test]
fn what_a_listener_sends_waits_while_the_organization_is_suspended() {
    let tells = "policy(#{ on: \"audit.*\" });\nfn react(record, org) { log(record.operation); }";
    let mut lane = Lane::heard_by(3, &[("tells", tells)]);
    lane.command("acme", &json!("suspend_organization"));
    let held = |lane: &Lane| lane.pending().iter().map(|(_, row)| row.is_held).collect::<Vec<_>>();
    assert_eq!(held(&lane), [true]);
    lane.organization("acme", "Send all information");
    assert_eq!(held(&lane), [false, false], "the suspension is lifted, which is heard as well");
}

#[test]
fn before_level_3_nobody_hears() {
    for level in [1, 2] {
        let mut lane = Lane::heard_by(level, &[("tells", TELLS)]);
        lane.close();
        assert_eq!(lane.subjects(), ["acme.audit.close-incident"], "at level {level}");
    }
}

#[test]
fn listeners_are_bounded_like_all_policies() {
    let many = "policy(#{ on: \"audit.*\" });\nfn react(record, org) { for i in 0..60 { publish(\"x\", #{ i: i }); } }";
    let names: Vec<String> = (0..7).map(|number| format!("p{number}")).collect();
    let policies: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), many)).collect();
    let mut lane = Lane::heard_by(3, &policies);
    lane.close();
    assert_eq!(lane.on("acme.reaction.x").len(), 400);
    assert_eq!(lane.on("acme.dead.policy-failed").len(), 20);
}

//! A service that needs approval is on no device before it.

use linesman_schemas::approval::{ApprovalRule, ApprovalRules, ApprovalSettings};
use linesman_schemas::{IncidentStep, Right, Rights};

use super::*;

const ASKS: &str = "policy(#{ on: \"incident.detected\" });\n\
    fn react(incident, org) { require_approval(\"two-person\"); \
    service(\"limit\").at(\"acme/berlin/line-1\").activate(#{ burst: 3000 }); }";

fn approve(number: u64) -> Value {
    json!({"approve_approval": {"approval": format!("acme-a{number}")}})
}

#[test]
fn an_activation_waits_for_approval_whichever_way_it_is_asked_for() {
    let mut network = Network::new();
    let rules = ApprovalRules { activate_service: ApprovalRule::TwoPerson, ..ApprovalRules::default() };
    let approvals = ApprovalSettings { rules, ..ApprovalSettings::default() };
    network.lane.rules(2, &[], Settings { approvals, ..Settings::default() });
    network.lane.person("bob", "acme", Rights::of([Right::Approvals], IncidentStep::None));
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
    let activate = json!({"activate_subscription": {"place": "acme/berlin/line-1", "name": "cap"}});
    network.lane.command("acme", &activate);
    network.lane.command("acme", &subscribe("acme/paris", "hello", "banner", &["text=\"hello\""], true));
    network.settle();
    assert!(network.devices.is_empty(), "nothing is told before it is approved");
    let asked: Vec<_> = network.lane.on("acme.trigger.approval.required");
    let about: Vec<_> = asked.iter().map(|event| event.data["about"].as_str().unwrap()).collect();
    assert_eq!(about, ["acme/berlin/line-1 cap", "acme/paris hello"]);

    let nothing = json!({"activate_subscription": {"place": "acme/berlin/line-1", "name": "none"}});
    network.lane.command("acme", &nothing);
    assert_eq!(network.lane.on("acme.trigger.approval.required").len(), 2, "what is refused anyway awaits nothing");

    let done = (Verdict::Done, "approved".to_owned());
    assert_eq!(network.lane.of_person("bob", &approve(1)), done);
    network.lane.work();
    network.settle();
    assert_eq!(network.texts("pe-berlin"), ["firewall { policer line-1 { rate 10000000; burst 1000; } }"]);
    assert_eq!(network.lane.of_person("bob", &approve(2)), done);
    network.lane.work();
    network.settle();
    assert_eq!(network.devices.len(), 2, "and of what was made by the same command");
}

#[test]
fn what_a_policy_says_needs_approval_is_not_activated_and_in_other_modes_never() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "limit", "limit", &[], false));
    network.lane.rules(2, &[("asks", ASKS)], Settings::default());
    network.lane.bundle("acme", "edge", 1, "High");
    network.lane.bundle("acme", "edge", 2, "High");
    network.settle();
    assert!(network.devices.is_empty());
    assert_eq!(network.lane.on("acme.trigger.approval.required").len(), 1, "the very same is asked for once");
    network.lane.command("acme", &approve(1));
    network.settle();
    assert_eq!(network.devices.len(), 1);

    let mut network = Network::new();
    network.does(&subscribe("acme", "limit", "limit", &[], false));
    network.lane.mode = Mode::Direct;
    network.lane.rules(2, &[("asks", ASKS)], Settings::default());
    network.lane.bundle("acme", "edge", 1, "High");
    network.settle();
    assert!(network.devices.is_empty() && network.lane.on("acme.trigger.approval.required").is_empty());
    let letter = &network.lane.on("acme.dead.policy-failed")[0].data;
    assert_eq!(letter["detail"], "refused: `require_approval` needs mode `partner`; the mode is `direct`");
}

#[test]
fn what_is_wrong_with_an_activation_is_told_when_it_is_asked_for() {
    let mut network = Network::new();
    network.does(&subscribe("acme", "cap", "limit", &["burst=1k"], false));
    let rules = ApprovalRules { activate_service: ApprovalRule::TwoPerson, ..ApprovalRules::default() };
    let approvals = ApprovalSettings { rules, ..ApprovalSettings::default() };
    network.lane.rules(2, &[], Settings { approvals, ..Settings::default() });
    for wrong in ["burst=\"much\"", "bust=1k"] {
        let (verdict, detail) = network.ask(&activate("acme/berlin/line-1", "cap", &[wrong]));
        assert_eq!(verdict, Verdict::Invalid, "{detail}");
    }
    let missing = subscribe("acme/paris", "hello", "banner", &[], true);
    assert_eq!(network.ask(&missing).0, Verdict::Conflict, "what is required and not given");
    assert!(network.lane.on("acme.trigger.approval.required").is_empty());
    assert_eq!(network.ask(&activate("acme/berlin/line-1", "cap", &["burst=2k"])).0, Verdict::AwaitingApproval);
}

#[test]
fn nobody_approves_what_a_policy_asks_for_by_their_doing() {
    const HEARS: &str = "policy(#{ on: \"audit.annotate-incident\" });\n\
        fn react(record, org) { require_approval(\"two-person\"); \
        service(\"limit\").at(\"acme/berlin/line-1\").activate(#{ burst: 3000 }); }";
    let run =
        json!({"run_policy": {"policy": "asks", "trigger": "incident.detected", "event": "e", "about": "acme-1"}});
    let note = json!({"annotate_incident": {"incident": "acme-1", "note": "look"}});
    for (policy, verb) in [(ASKS, &run), (HEARS, &note)] {
        let mut network = Network::new();
        network.does(&subscribe("acme", "limit", "limit", &[], false));
        network.lane.bundle("acme", "edge", 1, "High");
        network.lane.rules(2, &[("asks", policy)], Settings::default());
        for name in ["ann", "bob"] {
            network.lane.person(name, "acme", Rights::of([Right::Policies, Right::Approvals], IncidentStep::Any));
        }
        let (verdict, detail) = network.lane.of_person("ann", verb);
        assert_eq!(verdict, Verdict::Done, "{detail}");
        assert_eq!(network.lane.on("acme.trigger.approval.required").len(), 1);
        let expected = "`ann` had it asked for: `acme-a1` takes two persons, so somebody else decides it";
        assert_eq!(network.lane.of_person("ann", &approve(1)), (Verdict::Forbidden, expected.to_owned()));
        network.settle();
        assert!(network.devices.is_empty());
        assert_eq!(network.lane.of_person("bob", &approve(1)), (Verdict::Done, "approved".to_owned()));
        network.settle();
        assert_eq!(network.devices.len(), 1);
    }
}

#[test]
fn a_policy_does_not_ask_anew_because_what_it_asked_for_was_approved() {
    for (on, asked) in [("activate-subscription", 1), ("approve-approval", 0)] {
        let hears = format!(
            "policy(#{{ on: \"audit.{on}\" }});\nfn react(record, org) {{ require_approval(\"one-person\"); \
             service(\"limit\").at(\"acme/berlin/line-1\").activate(#{{ burst: 3000 + record.index }}); }}"
        );
        let mut network = Network::new();
        network.does(&subscribe("acme", "limit", "limit", &[], false));
        network.lane.rules(2, &[("asks", ASKS), ("hears", &hears)], Settings::default());
        match asked {
            1 => drop(network.does(&activate("acme/paris", "limit", &["burst=1k"]))),
            _ => network.lane.bundle("acme", "edge", 1, "High"),
        }
        assert_eq!(network.lane.on("acme.trigger.approval.required").len(), 1, "{on}");
        assert_eq!(network.lane.decided(&approve(1)).0, Verdict::Done);
        network.settle();
        assert_eq!(network.lane.on("acme.trigger.approval.required").len(), 1, "{on}");
        assert_eq!(network.lane.on("acme.dead.policy-failed").len(), 1 - asked, "{on}");
    }
}

//! Nobody is the second person for what is their own doing: not on a device either, however long the way there was.

use linesman_schemas::approval::{ApprovalRule, ApprovalRules, ApprovalSettings};
use linesman_schemas::{IncidentStep, Right, Rights};

use super::*;
use crate::activations::pushes::{self, PushRow};

const LINE: &str = "acme/berlin/line-1";

fn network(activate_service: ApprovalRule) -> Network {
    let mut network = Network::new();
    let rules = ApprovalRules { activate_service, ..ApprovalRules::default() };
    let approvals =
        ApprovalSettings { rules, configure_device: ApprovalRule::TwoPerson, ..ApprovalSettings::default() };
    network.lane.rules(2, &[], Settings { approvals, ..Settings::default() });
    for name in ["ann", "bob", "cid"] {
        network.lane.person(name, "acme", Rights::of([Right::Approvals], IncidentStep::None));
    }
    network
}

fn cap() -> Value {
    subscribe(LINE, "cap", "limit", &["burst=1k"], true)
}

fn redeploy() -> Value {
    json!({"redeploy_subscription": {"place": LINE, "name": "cap"}})
}

fn ask(network: &mut Network, who: &str, verb: &Value) {
    let (verdict, detail) = network.lane.of_person(who, verb);
    assert!(matches!(verdict, Verdict::Done | Verdict::AwaitingApproval), "{verb}: {detail}");
}

fn does(network: &mut Network, who: &str, verb: &Value) {
    ask(network, who, verb);
    network.lane.work();
}

/// The device that is told first says what that comes to, and does it if that is approved.
fn answers(network: &mut Network) {
    let (id, row) = network.lane.pending().into_iter().find(|(_, row)| !row.is_held).expect("nothing is told");
    let Action::Configure(configure) = serde_json::from_str(&row.action).unwrap() else { panic!("{row:?}") };
    let is_approved = configure.approved.is_none_or(|approved| approved.sha256.is_some());
    let outcome = if is_approved { json!({"done": "configured"}) } else { failed("unavailable", None) };
    let difference = json!({"text": "+  a;\n", "added": 1, "removed": 0, "sha256": "11"});
    let attempt = json!({"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome,
        "difference": difference, "is_unapproved": !is_approved});
    network.lane.take("acme", "result", json!({"attempt": attempt}).to_string().as_bytes());
    network.lane.work();
}

fn decides(network: &mut Network, who: &str, number: u64) -> (Verdict, String) {
    let decided = network.lane.of_person(who, &json!({"approve_approval": {"approval": format!("acme-a{number}")}}));
    network.lane.work();
    decided
}

/// Of `who` none may approve the change that a device is asked about now.
fn may_not(network: &mut Network, number: u64, who: &[&str]) {
    for who in who {
        let expected =
            format!("`{who}` had it asked for: `acme-a{number}` takes two persons, so somebody else decides it");
        assert_eq!(decides(network, who, number), (Verdict::Forbidden, expected));
    }
}

fn may(network: &mut Network, number: u64, who: &str) {
    assert_eq!(decides(network, who, number), (Verdict::Done, "approved".to_owned()));
}

fn kept(network: &Network) -> usize {
    let rows = pushes::PUSHES.rows(&network.lane.base, &["acme"]).map(|row| row.unwrap().1);
    rows.filter(|row| matches!(row, PushRow::By(_))).count()
}

#[test]
fn whoever_had_a_part_in_a_change_does_not_approve_it_and_once_it_is_made_all_may_again() {
    let mut network = network(ApprovalRule::None);
    does(&mut network, "ann", &cap());
    answers(&mut network);
    may_not(&mut network, 1, &["ann"]);
    // Until somebody has approved it, it is the doing of all that add to it.
    does(&mut network, "bob", &values("acme/berlin", &["rate=20m"]));
    answers(&mut network);
    may_not(&mut network, 2, &["ann", "bob"]);
    may(&mut network, 2, "cid");
    answers(&mut network);
    assert_eq!((network.states(LINE), kept(&network)), (vec!["active".to_owned()], 0));
    // Values that do not count at the line are not in it.
    does(&mut network, "cid", &values("acme", &["rate=30m"]));
    for (number, who, other) in [(3, "ann", "bob"), (4, "bob", "ann")] {
        does(&mut network, who, &redeploy());
        answers(&mut network);
        may_not(&mut network, number, &[who]);
        may(&mut network, number, other);
        answers(&mut network);
    }
    assert_eq!(kept(&network), 0);
}

#[test]
fn what_was_rejected_or_cannot_be_yet_stays_the_doing_of_whoever_did_it() {
    let mut network = network(ApprovalRule::None);
    does(&mut network, "ann", &cap());
    answers(&mut network);
    let reject = json!({"reject_approval": {"approval": "acme-a1"}});
    assert_eq!(network.lane.of_person("cid", &reject).0, Verdict::Done);
    does(&mut network, "bob", &redeploy());
    answers(&mut network);
    may_not(&mut network, 2, &["ann", "bob"]);
    does(&mut network, "cid", &json!({"remove_subscription": {"place": LINE, "name": "cap"}}));
    answers(&mut network);
    assert_eq!((network.parts().len(), kept(&network)), (0, 0), "nothing is left of what is gone");
}

#[test]
fn what_a_schedule_brings_is_the_doing_of_whoever_made_it_each_time() {
    let mut network = network(ApprovalRule::None);
    let schedule = json!({"start": "2026-11-21T12:00:00", "duration_s": 3600, "repeat": "daily"});
    does(&mut network, "ann", &subscribe(LINE, "cap", "limit", &["burst=1k"], false));
    does(&mut network, "ann", &json!({"activate_subscription": {"place": LINE, "name": "cap", "schedule": schedule}}));
    does(&mut network, "bob", &values("acme/berlin", &["rate=20m"]));
    let tick = |network: &mut Network, time: &str| {
        network.lane.now = time.parse().unwrap();
        network.lane.decide("", "ctl", b"", Content::Tick);
        network.lane.commit();
        network.lane.work();
        answers(network);
    };
    tick(&mut network, "2026-11-21T12:00:00Z");
    may_not(&mut network, 1, &["ann", "bob"]);
    may(&mut network, 1, "cid");
    answers(&mut network);
    tick(&mut network, "2026-11-21T13:00:00Z");
    assert_eq!(network.states(LINE), ["inactive"]);
    tick(&mut network, "2026-11-22T12:00:00Z");
    may_not(&mut network, 2, &["ann"]);
    may(&mut network, 2, "bob");
    answers(&mut network);
    assert_eq!(network.states(LINE), ["active"]);
}

#[test]
fn what_is_rendered_in_slices_is_the_doing_of_whoever_asked_also_where_somebody_else_is_faster() {
    let mut network = network(ApprovalRule::None);
    network.does(&json!({"set_place": {"place": "acme/rome"}}));
    for number in 1..=60 {
        network.does(&json!({"set_place": {"place": format!("acme/rome/line-{number:02}"), "device": "pe-rome"}}));
    }
    does(&mut network, "ann", &subscribe("acme/rome", "cap", "limit", &["burst=1k"], true));
    answers(&mut network);
    may_not(&mut network, 1, &["ann"]);
    may(&mut network, 1, "bob");
    answers(&mut network);
    let first = "acme/rome/line-01";
    assert_eq!(network.states(first), ["active"]);
    // Hers is still to be rendered when his is, and is in it.
    ask(&mut network, "ann", &values("acme/rome", &["rate=20m"]));
    assert!(network.lane.domain.has_work());
    ask(&mut network, "bob", &values(first, &["burst=2k"]));
    network.lane.work();
    let doers = crate::activations::doers::of(
        &crate::desk::Desk::on_memory(&network.lane.base),
        &first.parse().unwrap(),
        &network.parts().keys().find(|(line, _)| line == first).unwrap().1,
    );
    assert_eq!(doers.unwrap().into_iter().collect::<Vec<_>>(), ["ann", "bob"]);
    let jobs = pushes::PUSHES.rows(&network.lane.base, &["acme", "j"]).count();
    assert_eq!(jobs, 0, "nothing is left of jobs that have ended");
}

#[test]
fn who_approved_what_another_asked_for_approves_what_it_comes_to_as_well() {
    let mut network = network(ApprovalRule::TwoPerson);
    does(&mut network, "ann", &cap());
    may(&mut network, 1, "bob");
    answers(&mut network);
    may_not(&mut network, 2, &["ann"]);
    may(&mut network, 2, "bob");
    answers(&mut network);
    assert_eq!(network.states(LINE), ["active"]);
}

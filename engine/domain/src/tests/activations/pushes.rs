//! What a device says that a change comes to is what is approved, and what it then does.

use linesman_schemas::approval::{ApprovalRule, ApprovalSettings};
use linesman_schemas::reaction::Approved;
use linesman_schemas::{IncidentStep, Right, Rights};

use super::*;
use crate::activations::pushes::{self, PushRow};

const LINE: &str = "acme/berlin/line-1";
const FIRST: &str = "11";
const SECOND: &str = "22";

fn network(rule: ApprovalRule) -> Network {
    let mut network = Network::new();
    let approvals = ApprovalSettings { configure_device: rule, ..ApprovalSettings::default() };
    network.lane.rules(2, &[], Settings { approvals, ..Settings::default() });
    network.lane.person("bob", "acme", Rights::of([Right::Approvals], IncidentStep::None));
    network
}

fn cap() -> Value {
    subscribe(LINE, "cap", "limit", &["burst=1k"], true)
}

/// What stands to be handed to the device.
fn told(network: &Network) -> Option<(String, PendingRow, Option<Approved>)> {
    let (id, row) = network.lane.pending().into_iter().find(|(_, row)| !row.is_held)?;
    let Action::Configure(configure) = serde_json::from_str(&row.action).unwrap() else { panic!("{row:?}") };
    Some((id, row, configure.approved))
}

/// The device does what it is told if that is what was approved, as connectors do: it would change as `sha256` says.
fn answers(network: &mut Network, sha256: &str) {
    let (id, row, approved) = told(network).expect("nothing is told");
    let is_approved = approved.is_none_or(|approved| approved.sha256.as_deref() == Some(sha256));
    let outcome = if is_approved { json!({"done": "configured"}) } else { failed("unavailable", None) };
    let difference = json!({"text": format!("+  {sha256};\n"), "added": 1, "removed": 0, "sha256": sha256});
    let attempt = json!({"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome,
        "difference": difference, "is_unapproved": !is_approved});
    network.lane.take("acme", "result", json!({"attempt": attempt}).to_string().as_bytes());
    network.lane.work();
}

fn decides(network: &mut Network, verb: &str, number: u64) -> (Verdict, String) {
    let decided = network.lane.of_person("bob", &json!({verb: {"approval": format!("acme-a{number}")}}));
    network.lane.work();
    decided
}

fn approves(network: &mut Network, number: u64) {
    assert_eq!(decides(network, "approve_approval", number), (Verdict::Done, "approved".to_owned()));
}

fn asked(network: &Network) -> Vec<PushRow> {
    let rows = pushes::PUSHES.rows(&network.lane.base, &["acme"]).map(|row| row.unwrap().1);
    rows.filter(|row| matches!(row, PushRow::Asked(_))).collect()
}

#[test]
fn a_device_changes_as_it_was_approved_and_no_other_way() {
    let mut network = network(ApprovalRule::TwoPerson);
    network.ask(&cap());
    assert_eq!(told(&network).unwrap().2, Some(Approved::default()), "it was not looked at what it comes to");
    answers(&mut network, FIRST);
    assert!(told(&network).is_none(), "it is told before it is approved");
    let required = network.lane.on("acme.trigger.approval.required");
    assert_eq!((required.len(), required[0].data["kind"].as_str()), (1, Some("configure-device")));
    // Neither settings nor values that come to the same let it go.
    network.lane.organization("acme", "Do not send");
    network.ask(&values("acme", &["rate=10m"]));
    assert!(told(&network).is_none());
    approves(&mut network, 1);
    assert_eq!(told(&network).unwrap().2.unwrap().sha256.as_deref(), Some(FIRST));
    // Somebody has changed the device meanwhile: that is to be approved.
    answers(&mut network, SECOND);
    assert!(told(&network).is_none());
    assert_eq!(network.states(LINE), ["pending"]);
    approves(&mut network, 2);
    answers(&mut network, SECOND);
    assert_eq!((network.states(LINE), asked(&network)), (vec!["active".to_owned()], Vec::new()));
    assert_eq!(network.lane.on("acme.trigger.approval.required").len(), 2);
}

#[test]
fn what_is_rejected_is_not_told_and_fails_with_why_and_may_be_asked_for_anew() {
    let mut network = network(ApprovalRule::OnePerson);
    network.ask(&cap());
    answers(&mut network, FIRST);
    assert_eq!(decides(&mut network, "reject_approval", 1).0, Verdict::Done);
    assert_eq!(network.lane.pending().len(), 0);
    let why = "failedwhat it comes to on the device was not approved: `acme-a1` is rejected";
    assert_eq!((network.states(LINE), asked(&network)), (vec![why.to_owned()], Vec::new()));
    network.ask(&json!({"redeploy_subscription": {"place": LINE, "name": "cap"}}));
    answers(&mut network, FIRST);
    approves(&mut network, 2);
    answers(&mut network, FIRST);
    assert_eq!(network.states(LINE), ["active"]);
}

#[test]
fn what_was_overtaken_is_not_told_by_an_approval_of_it() {
    let mut network = network(ApprovalRule::OnePerson);
    network.ask(&cap());
    answers(&mut network, FIRST);
    network.ask(&values(LINE, &["rate=20m"]));
    answers(&mut network, SECOND);
    let (verdict, detail) = decides(&mut network, "approve_approval", 1);
    assert_eq!(verdict, Verdict::Done);
    assert!(detail.contains("not to be made any more"), "{detail}");
    assert!(told(&network).is_none());
    approves(&mut network, 2);
    answers(&mut network, SECOND);
    assert_eq!(network.states(LINE), ["active"]);
    // What takes away needs none.
    network.ask(&deactivate(LINE, "cap"));
    assert_eq!(told(&network).unwrap().2, None);
}

#[test]
fn nothing_awaits_approval_where_the_settings_do_not_say_so() {
    let mut network = network(ApprovalRule::None);
    network.ask(&cap());
    assert_eq!(told(&network).unwrap().2, None);
    let mut before = Network::at(12, vec![service("limit", &LIMIT)]);
    let approvals = ApprovalSettings { configure_device: ApprovalRule::OnePerson, ..ApprovalSettings::default() };
    before.lane.rules(2, &[], Settings { approvals, ..Settings::default() });
    before.ask(&cap());
    assert_eq!(told(&before).unwrap().2, None);
}

#[test]
fn why_the_device_was_not_reached_is_kept_until_it_has_answered() {
    let mut network = network(ApprovalRule::None);
    network.ask(&cap());
    let unreached = |network: &Network| {
        let rows = pushes::PUSHES.rows(&network.lane.base, &["acme"]).map(|row| row.unwrap().1);
        rows.filter_map(|row| if let PushRow::Said(said) = row { said.unreached } else { None }).collect::<Vec<_>>()
    };
    let fails = |network: &mut Network, class: &str, message: &str| {
        let (id, row, _) = told(network).expect("nothing is told");
        let outcome = json!({"failed": {"class": class, "message": message}});
        let attempt = json!({"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome});
        network.lane.take("acme", "result", json!({ "attempt": attempt }).to_string().as_bytes());
        network.lane.work();
    };
    fails(&mut network, "unavailable", "port 830: refused");
    let (id, ..) = told(&network).unwrap();
    assert_eq!(unreached(&network), [(id.parse().unwrap(), "port 830: refused".to_owned())]);
    fails(&mut network, "unauthorized", "not let in");
    assert_eq!(unreached(&network)[0].1, "not let in");
    // What a device says of what it was told may quote that.
    fails(&mut network, "refused", "syntax error: secret 7");
    assert!(!unreached(&network).iter().any(|(_, why)| why.contains("secret")));
    let letters = network.lane.on("acme.dead.reaction-failed");
    let detail = letters[0].data["detail"].as_str().unwrap();
    assert!(detail.contains("; the device `") && detail.contains("its group `linesman-"), "{detail}");
    network.ask(&json!({"redeploy_subscription": {"place": LINE, "name": "cap"}}));
    answers(&mut network, FIRST);
    assert_eq!((network.states(LINE), unreached(&network)), (vec!["active".to_owned()], Vec::new()));
}

#[test]
fn where_too_many_await_approval_another_is_asked_for_less_and_less_often_and_on_record_once() {
    let mut network = network(ApprovalRule::OnePerson);
    let org: linesman_schemas::OrgName = "acme".parse().unwrap();
    network.ask(&cap());
    answers(&mut network, FIRST);
    // As many as there may be.
    let id = linesman_schemas::ApprovalId::new(org.clone(), false, 1);
    let row = crate::approvals::find(&crate::desk::Desk::on_memory(&network.lane.base), &id).unwrap().unwrap();
    for number in 2..=crate::approvals::PENDING_MOST as u64 {
        let id = linesman_schemas::ApprovalId::new(org.clone(), false, number);
        network.lane.put(crate::approvals::key(&id).into_bytes(), crate::table::encode(&row).unwrap());
        let key = crate::approvals::key(&id);
        let timer = crate::timers::Timer::Approval(key.as_bytes());
        network.lane.put(timer.key(row.due).into_bytes(), crate::table::encode(&()).unwrap());
    }
    network.lane.reopens = true;
    let records = |network: &Network| network.lane.on("acme.audit.redeploy-subscription").len();
    network.ask(&subscribe("acme/berlin/line-2", "cap", "limit", &["burst=1k"], true));
    let before = records(&network);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let (_, row, _) = told(&network).expect("it is tried again");
        network.lane.now = network.lane.now.max(row.not_before);
        answers(&mut network, SECOND);
        waits.push(told(&network).unwrap().1.not_before.duration_since(network.lane.now).as_secs());
    }
    assert!(waits.is_sorted() && waits[5] >= 16 * waits[0].max(1), "{waits:?}");
    assert_eq!(records(&network), before + 1, "each try is on record");
    // Once one is decided there is room.
    assert_eq!(decides(&mut network, "reject_approval", 1).0, Verdict::Done);
    answers(&mut network, SECOND);
    assert!(told(&network).is_none());
    assert_eq!(asked(&network).len(), 1);
}

#[test]
fn nobody_sends_a_device_what_changes_it_past_an_approval() {
    for (rule, asks_only, expected) in [
        (ApprovalRule::TwoPerson, false, Verdict::Forbidden),
        (ApprovalRule::OnePerson, false, Verdict::Forbidden),
        (ApprovalRule::TwoPerson, true, Verdict::Done),
        (ApprovalRule::None, false, Verdict::Done),
    ] {
        let mut network = network(rule);
        let new =
            json!({"name": "pe-berlin", "is_new": true, "address": "192.0.2.1", "user": "u", "credentials": "key"});
        network.lane.asked_of("acme", &json!({"set_device": new}));
        let asked = json!({"use_device": {"name": "pe-berlin", "what": "rpc", "sha256": "00", "asks_only": asks_only}});
        let (verdict, detail) = network.lane.asked_of("acme", &asked);
        assert_eq!(verdict, expected, "{rule:?} {asks_only}: {detail}");
    }
}

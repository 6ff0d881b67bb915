//! What needs approval is done once, as it was asked for, by nobody who asked, and by its time-out as the settings had it.

use linesman_schemas::approval::{ApprovalRule, ApprovalRules, ApprovalSettings, OnTimeout};
use linesman_schemas::audit::Verdict;
use linesman_schemas::{ApprovalId, IncidentStep, Right, Rights};

mod askers;
mod sendings;

use super::cascade::{case, report};
use super::*;
use crate::approvals::{self, ApprovalRow, ApprovalState};
use crate::commands;

const HANDLED: &str =
    "policy(#{ on: \"incident.reported-by-end-customer\" });\nfn react(incident, org) { handle_case(); }";
const ASKS: &str = "policy(#{ on: \"incident.reported-by-end-customer\" });\n\
    fn react(incident, org) { require_approval(\"two-person\"); forward_case(); }";

fn settings(rule: ApprovalRule, on_timeout: OnTimeout) -> Settings {
    let rules = ApprovalRules { forward_case: rule, ..ApprovalRules::default() };
    Settings {
        approvals: ApprovalSettings { rules, timeout_h: 4, on_timeout, ..ApprovalSettings::default() },
        ..Settings::default()
    }
}

fn forward() -> Value {
    case("forward_case", &json!({}))
}

fn approve(number: u64) -> Value {
    json!({"approve_approval": {"approval": format!("acme-a{number}"), "comment": "agreed"}})
}

fn reject(number: u64) -> Value {
    json!({"reject_approval": {"approval": format!("acme-a{number}"), "comment": "solved here"}})
}

impl Lane {
    /// A partner with people, whose forwarding needs so much; a case is reported and kept here.
    fn approving(rule: ApprovalRule, on_timeout: OnTimeout) -> Self {
        let mut lane = Self::partner(&json!({"handling": "own"}), &[]);
        let rights = Rights::of([Right::Cases, Right::Approvals], IncidentStep::None);
        for name in ["ann", "bob"] {
            lane.person(name, "acme", rights);
        }
        lane.person("cid", "acme", Rights::of([Right::Cases], IncidentStep::None));
        lane.person("dan", "bolt", rights);
        lane.rules(2, &[], settings(rule, on_timeout));
        lane.below(&report("k-1", 3, &["own"]));
        lane.events.clear();
        lane
    }

    fn approval(&self, number: u64) -> Option<ApprovalRow> {
        self.row(&approvals::key(&ApprovalId::new("acme".parse().unwrap(), false, number)))
    }

    fn state_of(&self, number: u64) -> ApprovalState {
        self.approval(number).unwrap().state
    }

    /// So many hours later the clock moves.
    fn after(&mut self, hours: i64) {
        self.now = self.now.checked_add(hours.hours()).unwrap();
        self.decide("", "ctl", b"", Content::Tick);
        self.commit();
    }

    fn asked_for(&self) -> usize {
        self.on("acme.trigger.approval.required").len()
    }
}

#[test]
fn what_needs_approval_waits_for_somebody_else_and_is_done_once_as_whoever_asked() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    assert_eq!(lane.of_person("ann", &forward()), (Verdict::AwaitingApproval, "acme-a1".to_owned()));
    assert!(lane.pending().is_empty(), "nothing leaves before it is approved");
    let data = &lane.on("acme.trigger.approval.required")[0].data;
    assert_eq!((&data["id"], &data["about"], &data["actor"]), (&json!("acme-a1"), &json!("acme-1"), &json!("ann")));
    assert_eq!((&data["kind"], &data["reasons"]), (&json!("forward-case"), &json!(["settings"])));
    assert_eq!(data["due"], "2026-11-21T14:00:00Z");
    let said = &lane.on("acme.audit.forward-case")[0].data;
    assert_eq!((&said["verdict"], &said["new"]), (&json!("awaiting-approval"), &json!({"approval": "acme-a1"})));

    let (verdict, detail) = lane.of_person("ann", &approve(1));
    let expected = "`ann` asked for it: `acme-a1` takes two persons, so somebody else decides it";
    assert_eq!((verdict, detail.as_str()), (Verdict::Forbidden, expected));
    assert_eq!(lane.of_person("ann", &reject(1)).0, Verdict::Forbidden);
    assert!(lane.pending().is_empty());

    assert_eq!(lane.of_person("bob", &approve(1)), (Verdict::Done, "approved".to_owned()));
    assert_eq!(lane.pending().len(), 1);
    assert_eq!(lane.action()["submit_case"]["incident"], "acme-1");
    let row = lane.approval(1).unwrap();
    assert_eq!((row.state, row.outcome.unwrap().verdict), (ApprovalState::Approved, Verdict::Done));
    let decision = row.decision.unwrap();
    assert_eq!((decision.by.as_str(), decision.comment.as_str()), ("bob", "agreed"));
    let done = &lane.on("acme.audit.forward-case")[1].data;
    assert_eq!((&done["verdict"], &done["actor"]), (&json!("done"), &json!("ann")), "as whoever asked");
    assert_eq!(lane.on("acme.audit.approve-approval")[1].data["actor"], "bob");
    for verb in [approve(1), reject(1)] {
        assert_eq!(lane.of_person("bob", &verb), (Verdict::Conflict, "`acme-a1` is approved already".to_owned()));
    }
    assert_eq!(lane.pending().len(), 1, "done once");
    lane.after(5);
    assert_eq!((lane.state_of(1), lane.pending().len()), (ApprovalState::Approved, 1), "no time-out is left");
}

#[test]
fn where_one_person_is_enough_it_may_be_who_asked() {
    let mut lane = Lane::approving(ApprovalRule::OnePerson, OnTimeout::Reject);
    lane.of_person("ann", &forward());
    assert_eq!(lane.of_person("ann", &approve(1)).0, Verdict::Done);
    assert_eq!(lane.pending().len(), 1);
}

#[test]
fn what_is_rejected_is_not_done_and_can_be_asked_for_again() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Approve);
    lane.of_person("ann", &forward());
    assert_eq!(lane.of_person("bob", &reject(1)), (Verdict::Done, "rejected".to_owned()));
    lane.after(5);
    assert_eq!((lane.state_of(1), lane.pending().len()), (ApprovalState::Rejected, 0));
    assert_eq!(lane.of_person("ann", &forward()), (Verdict::AwaitingApproval, "acme-a2".to_owned()));
    assert_eq!(lane.of_person("ann", &forward()).1, "acme-a2", "what is pending is not asked for twice");
    assert_eq!(lane.asked_for(), 2);
}

#[test]
fn what_nobody_decides_in_time_ends_as_the_settings_had_it_when_it_was_asked_for() {
    for (on_timeout, sent) in [(OnTimeout::Reject, 0), (OnTimeout::Approve, 1)] {
        let mut lane = Lane::approving(ApprovalRule::TwoPerson, on_timeout);
        lane.reopens = true;
        lane.of_person("ann", &forward());
        let other = if on_timeout == OnTimeout::Reject { OnTimeout::Approve } else { OnTimeout::Reject };
        lane.rules(3, &[], settings(ApprovalRule::TwoPerson, other));
        lane.after(3);
        assert_eq!((lane.state_of(1), lane.pending().len()), (ApprovalState::Pending, 0));
        lane.after(1);
        assert_eq!((lane.state_of(1), lane.pending().len()), (ApprovalState::Expired, sent));
        let operation = if sent == 1 { "approve-approval" } else { "reject-approval" };
        let said = &lane.on(&format!("acme.audit.{operation}"))[0].data;
        assert_eq!((&said["actor"], &said["verdict"]), (&json!("machine"), &json!("done")));
        assert_eq!(lane.of_person("bob", &approve(1)).0, Verdict::Conflict);
        assert_eq!(lane.pending().len(), sent);
    }
}

#[test]
fn nobody_ends_the_time_of_an_approval_before_it_is_over() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Approve);
    lane.of_person("ann", &forward());
    let command = json!({"id": "m", "principal": {"kind": "machine"}, "node": "n", "verb": approve(1)});
    lane.whole("acme", &command);
    assert_eq!((lane.state_of(1), lane.pending().len()), (ApprovalState::Pending, 0));
}

#[test]
fn a_change_asks_anew_and_what_was_approved_before_it_is_not_done() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    lane.of_person("ann", &forward());
    let verb = json!({"display_name": "acme", "is_proxy": true, "filter_level": "Do not send", "handling": "own"});
    lane.command("acme", &json!({"set_organization": verb}));
    let (verdict, detail) = lane.of_person("bob", &approve(1));
    let expected = "what `acme-a1` would do has changed since it was asked for: `acme-a2` awaits approval now";
    assert_eq!((verdict, detail.as_str()), (Verdict::Conflict, expected));
    assert!(lane.pending().is_empty());
    assert_eq!((lane.state_of(1), lane.state_of(2)), (ApprovalState::Changed, ApprovalState::Pending));
    assert_eq!(lane.approval(1).unwrap().instead, Some(2));
    assert_ne!(lane.approval(1).unwrap().sha256, lane.approval(2).unwrap().sha256);
    assert_eq!((lane.asked_for(), lane.approval(2).unwrap().actor.as_str()), (2, "ann"));
    assert_eq!(lane.of_person("ann", &approve(2)).0, Verdict::Forbidden, "she has asked for it still");
    assert_eq!(lane.of_person("bob", &approve(2)).0, Verdict::Done);
    assert_eq!(lane.case("acme", 1).state, CaseState::Withheld, "at the level that was approved");
}

#[test]
fn whoever_asked_needs_the_right_still_when_it_is_approved() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    lane.of_person("cid", &forward());
    lane.person("cid", "acme", Rights::of([], IncidentStep::None));
    let (verdict, detail) = lane.of_person("bob", &approve(1));
    let expected = "approved, and then refused: `cid` has not the right `cases` on `acme`";
    assert_eq!((verdict, detail.as_str()), (Verdict::Done, expected));
    assert!(lane.pending().is_empty());
    let row = lane.approval(1).unwrap();
    assert_eq!((row.state, row.outcome.unwrap().verdict), (ApprovalState::Approved, Verdict::Forbidden));
}

#[test]
fn who_does_not_approve_is_told_so_and_who_does_not_see_it_is_told_nothing() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    lane.of_person("ann", &forward());
    let denied = (Verdict::Forbidden, "`cid` has not the right `approvals` on `acme`".to_owned());
    assert_eq!(lane.of_person("cid", &approve(1)), denied);
    for verb in [approve, reject] {
        let (there, not_there) = (lane.of_person("dan", &verb(1)), lane.of_person("dan", &verb(9)));
        assert_eq!(there, not_there);
        assert_eq!(there, (Verdict::NotFound, "there is no organization `acme`".to_owned()));
    }
    let nothing = (Verdict::NotFound, "there is no approval `acme-a9`".to_owned());
    assert_eq!(lane.of_person("bob", &approve(9)), nothing);
    let of_other = json!({"approve_approval": {"approval": "bolt-a1"}});
    assert_eq!(lane.of_person("bob", &of_other).0, Verdict::NotFound);
    let policy = json!({"kind": "policy", "name": "p", "organization": "acme"});
    lane.whole("acme", &json!({"id": "p", "principal": policy, "node": "n", "verb": approve(1)}));
    assert_eq!((lane.state_of(1), lane.pending().len()), (ApprovalState::Pending, 0));
}

#[test]
fn what_is_refused_anyway_awaits_nothing() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    let verb = json!({"forward_case": {"incident": "acme-7"}});
    assert_eq!(lane.of_person("ann", &verb).0, Verdict::NotFound);
    lane.bundle("acme", "b", 2, "High");
    let verb = json!({"forward_case": {"incident": "acme-2"}});
    assert_eq!(
        lane.of_person("ann", &verb),
        (Verdict::Conflict, "the case was not reported by an end customer".to_owned())
    );
    assert_eq!((lane.approval(1), lane.asked_for()), (None, 0));
}

#[test]
fn what_an_organization_forwards_by_itself_awaits_approval_too() {
    let mut lane = Lane::partner(&json!({"approvals": {"forward-case": "two-person"}}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    assert!(lane.pending().is_empty());
    let row = lane.approval(1).unwrap();
    assert_eq!((row.actor.as_str(), row.reasons.as_slice()), ("configuration", &["organization".to_owned()][..]));
    assert_eq!(lane.here(&approve(1)).0, Verdict::Done);
    assert_eq!(lane.pending().len(), 1);
}

#[test]
fn what_a_policy_says_needs_approval_waits_and_is_not_routed_otherwise_meanwhile() {
    for settings in [json!({}), json!({"handling": "own"})] {
        let mut lane = Lane::partner(&settings, &[("a", ASKS)]);
        lane.below(&report("k-1", 3, &["own"]));
        assert!(lane.pending().is_empty(), "its organization's way is not gone meanwhile");
        let row = lane.approval(1).unwrap();
        assert_eq!((row.actor.as_str(), row.reasons.as_slice()), ("a", &["policy a".to_owned()][..]));
        assert!(row.is_two_person);
        assert_eq!(lane.on("acme.audit.forward-case")[0].data["verdict"], "awaiting-approval");
        assert_eq!(lane.here(&approve(1)), (Verdict::Done, "approved".to_owned()));
        assert_eq!(lane.pending().len(), 1);
    }
    // Each policy that asks has an approval of its own.
    let mut lane = Lane::partner(&json!({}), &[("a", ASKS), ("b", ASKS), ("c", HANDLED)]);
    lane.below(&report("k-1", 3, &["own"]));
    assert_eq!((lane.approval(2).unwrap().actor.as_str(), lane.approval(3)), ("b", None));
    // But it was taken on here since: what was asked for is that no more.
    assert_eq!(lane.here(&approve(1)).0, Verdict::Conflict);
    assert!(lane.pending().is_empty(), "it is not sent");
}

#[test]
fn what_cannot_be_asked_for_is_not_sent_instead() {
    let mut lane = Lane::partner_at(10, &json!({}), &[("a", ASKS)]);
    for number in 1..=approvals::PENDING_MOST as u64 + 1 {
        lane.below(&report(&format!("k-{number}"), number, &["own"]));
    }
    assert!(lane.approval(approvals::PENDING_MOST as u64).is_some());
    assert_eq!(lane.approval(approvals::PENDING_MOST as u64 + 1), None);
    assert!(lane.pending().is_empty(), "the one too many is not sent unasked");
}

#[test]
fn policies_hear_of_approvals_and_ask_for_none_then() {
    let hears = "policy(#{ on: \"approval.required\", where: #{ kind: \"forward-case\", two_person: true } });\n\
        fn react(approval, org) {\n\
            publish(\"asked\", #{ id: approval.id, by: approval.actor, why: approval.reasons });\n\
            require_approval(\"two-person\");\n\
            service(\"limit\").at(\"acme\").activate();\n\
        }";
    let mut lane = Lane::partner(&json!({}), &[("a", ASKS), ("b", hears)]);
    lane.below(&report("k-1", 3, &["own"]));
    let data = &lane.on("acme.reaction.asked")[0].data;
    assert_eq!(data["action"], json!({"by": "a", "id": "acme-a1", "why": ["policy a"]}));
    assert_eq!(lane.asked_for(), 1);
}

#[test]
fn in_other_modes_nothing_awaits_approval_and_what_a_policy_says_needs_it_is_not_done() {
    let mut lane = Lane::partner(&json!({"handling": "own"}), &[("a", ASKS)]);
    lane.mode = Mode::Direct;
    lane.rules(2, &[("a", ASKS)], settings(ApprovalRule::TwoPerson, OnTimeout::Reject));
    let verb = json!({"display_name": "x", "is_proxy": false, "filter_level": "Send all information",
        "approvals": {"forward-case": "one-person"}});
    let id = format!("c{}", lane.sequence);
    lane.command("dory", &json!({"set_organization": verb}));
    let row = lane.row(&commands::key(Some(&"dory".parse().unwrap()), &id)).unwrap();
    assert_eq!(row.detail, "there are approvals in mode `partner` alone; the mode is `direct`");
}

#[test]
fn below_level_10_nothing_awaits_approval() {
    let mut lane = Lane::at(9);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[], settings(ApprovalRule::TwoPerson, OnTimeout::Reject));
    lane.below(&report("k-1", 3, &["own"]));
    assert_eq!((lane.pending().len(), lane.asked_for()), (1, 0));
    lane.command("acme", &approve(1));
    assert_eq!(lane.on("acme.dead.command-undecodable").len(), 1);
}

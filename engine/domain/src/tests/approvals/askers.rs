//! Who asks has an approval of their own, which binds nobody else; nobody approves what was asked for by their own doing; no
//! case is left behind because others wait.

use super::*;
use crate::approvals::{OWN_MOST, OutcomeRow};
use crate::table;

const REPORTS: u64 = approvals::PENDING_MOST as u64 + 1;

fn forward_of(number: u64) -> Value {
    json!({"forward_case": {"incident": format!("acme-{number}")}})
}

#[test]
fn each_case_awaits_its_approval_however_many_wait() {
    let by_itself = json!({"approvals": {"forward-case": "two-person"}});
    let mut lanes = [Lane::partner(&by_itself, &[]), Lane::partner(&json!({}), &[("a", ASKS)])];
    for lane in &mut lanes {
        for number in 1..=REPORTS {
            lane.below(&report(&format!("k-{number}"), number, &["own"]));
        }
        assert!(lane.pending().is_empty(), "none is sent unasked");
        assert_eq!(lane.here(&approve(REPORTS)).0, Verdict::Done, "the last is asked for as the first was");
        assert_eq!(lane.pending().len(), 1);
    }
}

#[test]
fn nobody_takes_the_room_of_others() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    let most = OWN_MOST as u64;
    for number in 2..=most + 1 {
        lane.below(&report(&format!("k-{number}"), number + 2, &["own"]));
    }
    for number in 1..=most {
        assert_eq!(lane.of_person("ann", &forward_of(number)).0, Verdict::AwaitingApproval);
    }
    let expected = format!("`ann` has {OWN_MOST} approvals of `acme` pending; they are to be decided first");
    assert_eq!(lane.of_person("ann", &forward_of(most + 1)), (Verdict::Conflict, expected));
    assert_eq!(lane.of_person("bob", &forward_of(most + 1)).0, Verdict::AwaitingApproval);
    assert_eq!(lane.of_person("bob", &reject(1)).0, Verdict::Done);
    assert_eq!(lane.of_person("ann", &forward_of(most + 1)).0, Verdict::AwaitingApproval, "there is room again");
}

#[test]
fn a_lane_that_starts_knows_what_is_pending_and_the_last_number() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    for number in 1..=5 {
        lane.of_person("ann", &forward());
        assert_eq!(lane.of_person("bob", &reject(number)).0, Verdict::Done);
    }
    lane.of_person("ann", &forward());
    lane.reopens = true;
    assert_eq!(lane.of_person("ann", &forward()), (Verdict::AwaitingApproval, "acme-a6".to_owned()), "it is known");
    assert_eq!(lane.of_person("cid", &forward()), (Verdict::AwaitingApproval, "acme-a7".to_owned()));
    assert_eq!(lane.of_person("bob", &approve(6)).0, Verdict::Done);
    assert_eq!(lane.pending().len(), 1);
}

#[test]
fn a_rule_that_is_tightened_counts_for_what_is_pending_and_one_that_is_loosened_does_not() {
    let mut lane = Lane::approving(ApprovalRule::OnePerson, OnTimeout::Reject);
    lane.of_person("ann", &forward());
    lane.rules(3, &[], settings(ApprovalRule::TwoPerson, OnTimeout::Reject));
    let expected = "`ann` asked for it: `acme-a1` takes two persons, so somebody else decides it";
    assert_eq!(lane.of_person("ann", &approve(1)), (Verdict::Forbidden, expected.to_owned()));
    assert!(lane.pending().is_empty());
    assert_eq!(lane.of_person("bob", &approve(1)).0, Verdict::Done);

    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    lane.of_person("ann", &forward());
    lane.rules(3, &[], settings(ApprovalRule::None, OnTimeout::Reject));
    assert_eq!(lane.of_person("ann", &approve(1)).0, Verdict::Forbidden, "it was asked for when it took two");
    assert_eq!(lane.of_person("bob", &approve(1)).0, Verdict::Done);
}

#[test]
fn who_asks_is_not_bound_to_the_rights_of_somebody_who_asked_before() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    assert_eq!(lane.of_person("cid", &forward()).1, "acme-a1");
    assert_eq!(lane.of_person("bob", &forward()).1, "acme-a2", "of his own");
    lane.person("cid", "acme", Rights::of([], IncidentStep::None));
    let expected = "`bob` had it asked for: `acme-a1` takes two persons, so somebody else decides it";
    assert_eq!(lane.of_person("bob", &approve(1)), (Verdict::Forbidden, expected.to_owned()), "it is the very same");
    let (_, detail) = lane.of_person("ann", &approve(1));
    assert!(detail.starts_with("approved, and then refused: "), "{detail}");
    assert!(lane.pending().is_empty());
    assert_eq!(lane.of_person("ann", &approve(2)), (Verdict::Done, "approved".to_owned()));
    assert_eq!(lane.pending().len(), 1);
}

#[test]
fn of_two_who_ask_for_the_same_neither_approves_what_the_other_has_asked() {
    let mut lane = Lane::partner(&json!({}), &[("a", ASKS)]);
    for name in ["ann", "bob"] {
        lane.person(name, "acme", Rights::of([Right::Cases, Right::Approvals], IncidentStep::None));
    }
    lane.below(&report("k-1", 3, &["own"]));
    lane.rules(2, &[("a", ASKS)], settings(ApprovalRule::OnePerson, OnTimeout::Reject));
    assert_eq!(lane.of_person("ann", &forward()).1, "acme-a2");
    assert_eq!(lane.of_person("ann", &approve(1)).0, Verdict::Forbidden, "the policy's is what she asked for");
    assert_eq!(lane.of_person("bob", &approve(1)).0, Verdict::Done);
    assert_eq!(lane.pending().len(), 1);
    assert_ne!(lane.of_person("ann", &approve(2)).1, "approved", "it is with the upstream already");
    assert_eq!(lane.pending().len(), 1, "once");
}

#[test]
fn what_a_policy_asked_for_that_is_gone_is_not_done() {
    for (on_timeout, is_timeout) in [(OnTimeout::Reject, false), (OnTimeout::Approve, true)] {
        let mut lane = Lane::partner(&json!({"handling": "own"}), &[]);
        lane.rules(2, &[("a", ASKS)], settings(ApprovalRule::None, on_timeout));
        lane.below(&report("k-1", 3, &["own"]));
        lane.rules(3, &[], settings(ApprovalRule::None, on_timeout));
        match is_timeout {
            true => lane.after(5),
            false => assert_eq!(lane.here(&approve(1)).0, Verdict::Done),
        }
        assert!(lane.pending().is_empty());
        let outcome = lane.approval(1).unwrap().outcome.unwrap();
        assert_eq!(outcome.verdict, Verdict::Conflict);
        assert_eq!(outcome.detail, "the policy `a`, which asked for it, is no more");
    }
}

#[test]
fn an_approval_of_before_is_read_and_stands_at_its_level_as_it_was_written() {
    let mut lane = Lane::approving(ApprovalRule::TwoPerson, OnTimeout::Reject);
    lane.of_person("ann", &forward());
    lane.of_person("bob", &forward());
    lane.of_person("cid", &approve(1));
    lane.here(&approve(2));
    for number in [1, 2] {
        let row = lane.approval(number).unwrap();
        assert_eq!(row.askers, ["ann", "bob"]);
        let before = row.form(10, &table::encode(&row).unwrap()).unwrap().into_owned();
        let read: ApprovalRow = table::decode(b"=", &before).unwrap();
        let outcome = row.outcome.clone().map(|outcome| OutcomeRow { detail: String::new(), ..outcome });
        assert_eq!(read, ApprovalRow { askers: Vec::new(), outcome, ..row });
        assert_eq!(read.form(10, &table::encode(&read).unwrap()).unwrap(), before);
    }
}

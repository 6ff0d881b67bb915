//! A case on its way: its states, what holds it, how often it is tried, and when its destination is left alone.

use super::*;

#[test]
fn a_case_goes_through_its_states() {
    let follow =
        "policy(#{ on: \"case.assigned\" });\nfn react(update, org) { publish(\"ticket\", #{ id: update.case_id }); }";
    let mut lane = Lane::with(&[("open", OPEN_CASE), ("follow", follow)]);
    lane.bundle("acme", "a", 1, "High");
    assert_eq!(lane.case("acme", 1).state, CaseState::Waiting);
    lane.report(&accepted());
    assert_eq!(lane.case("acme", 1).state, CaseState::Submitted);
    assert!(lane.pending().is_empty());
    lane.take("acme", "result", STANDING.as_bytes());
    lane.take("acme", "result", STANDING.as_bytes());
    let closed = STANDING.replace("\"created\"", "\"closed\"").replace("10:05", "10:06");
    lane.take("acme", "result", closed.as_bytes());
    lane.take("acme", "result", STANDING.as_bytes());
    assert_eq!(
        lane.subjects_besides_changes(),
        [
            "acme.trigger.incident.detected",
            "acme.reaction.jss",
            "acme.trigger.incident.submitted",
            "acme.trigger.case.assigned",
            "acme.reaction.ticket",
            // The bundle follows the case.
            "acme.reaction.jss",
            "acme.trigger.case.updated",
        ]
    );
    assert_eq!(lane.on("acme.reaction.ticket")[0].data["action"]["id"], "C-1");
    assert_eq!(lane.case("acme", 1).state, CaseState::Closed, "an older standing changes nothing");
}

#[test]
fn a_case_id_that_overtakes_the_answer_fires_each_trigger_once() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    lane.take("acme", "result", STANDING.as_bytes());
    lane.report(&accepted());
    let subjects = lane.subjects_besides_changes();
    let triggers: Vec<_> = subjects.into_iter().filter(|subject| subject.contains("trigger")).collect();
    assert_eq!(
        triggers,
        ["acme.trigger.incident.detected", "acme.trigger.incident.submitted", "acme.trigger.case.assigned"]
    );
    assert_eq!(lane.case("acme", 1).transaction_id, "T-1");
}

#[test]
fn a_receipt_is_kept_that_comes_with_an_older_standing() {
    for (level, kept) in [(1, ""), (2, "T-1")] {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        lane.rules(1, &[("open", OPEN_CASE)], Settings::default());
        lane.bundle("acme", "a", 1, "High");
        lane.take("acme", "result", STANDING.as_bytes());
        let mut standing: Value = serde_json::from_str(STANDING).unwrap();
        standing["case_changed"]["updated"] = json!("2026-11-21T10:04:00Z");
        let standing = &standing["case_changed"];
        lane.report(&json!({"done": {"case_accepted": {"transaction_id": "T-1", "case": standing}}}));
        assert_eq!(lane.case("acme", 1).transaction_id, kept, "at level {level}");
    }
}

#[test]
fn what_is_decided_for_a_suspended_organization_is_held() {
    let tells = "policy(#{ on: \"case.assigned\" });\nfn react(update, org) { log(update.id); }";
    let mut lane = Lane::with(&[("open", OPEN_CASE), ("tells", tells)]);
    lane.bundle("acme", "a", 1, "High");
    lane.report(&accepted());
    lane.command("acme", &json!("suspend_organization"));
    lane.take("acme", "result", STANDING.as_bytes());
    let held = |lane: &Lane| lane.pending().iter().map(|(_, row)| row.is_held).collect::<Vec<_>>();
    assert_eq!(held(&lane), [true, true], "results still count, but nothing goes out, nor does the bundle");
    lane.organization("acme", "Send all information");
    assert_eq!(held(&lane), [false, false]);
}

#[test]
fn only_what_the_filter_level_lets_out_is_ever_written_down() {
    let withheld = ["Only send list of features used"];
    let before_7 = [
        "Send all information except configuration",
        "Send all information with IP addresses overwritten",
        withheld[0],
    ];
    for (at, levels) in [(level::NEWEST, &withheld[..]), (6, &before_7)] {
        for filter_level in levels {
            let mut lane = Lane::at(at);
            lane.organization("acme", filter_level);
            lane.rules(1, &[("open", OPEN_CASE)], Settings::default());
            lane.events.clear();
            lane.bundle("acme", "a", 1, "High");
            let (_, row) = lane.pending().pop().unwrap();
            let expected = json!({"submit_case": {"incident": "acme-1", "priority": "High",
                "synopsis": "withheld by filter level", "details": null}});
            assert_eq!(serde_json::from_str::<Value>(&row.action).unwrap(), expected);
            assert_eq!(lane.on("acme.reaction.jss")[0].data["action"], expected);
        }
    }
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.organization("acme", "Do not send");
    lane.events.clear();
    lane.bundle("acme", "a", 1, "High");
    let said = ["acme.trigger.incident.detected", "acme.trigger.case.withheld"];
    assert_eq!(lane.subjects_besides_changes(), said, "no reaction, no dead letter");
    assert!(lane.pending().is_empty());
    assert_eq!(lane.case("acme", 1).state, CaseState::Withheld);
}

#[test]
fn a_lowered_filter_level_reaches_what_is_still_waiting() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    assert!(lane.pending()[0].1.action.contains("leak"));
    lane.organization("acme", "Only send list of features used");
    assert!(!lane.pending()[0].1.action.contains("leak"));
    lane.organization("acme", "Do not send");
    assert!(lane.pending().is_empty());
    assert_eq!(lane.case("acme", 1).state, CaseState::Withheld);
}

#[test]
fn a_suspended_organization_is_held_and_comes_back() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    lane.command("acme", &json!("suspend_organization"));
    let queued = |lane: &Lane| lane.base.rows().keys().filter(|key| key.starts_with(b"qjss\0acme\0")).count();
    assert_eq!((queued(&lane), lane.pending().len()), (0, 1), "held, not lost");
    lane.bundle("acme", "a", 2, "High");
    assert_eq!(lane.on("acme.dead.organization-suspended").len(), 1);
    lane.organization("acme", "Send all information");
    assert_eq!((queued(&lane), lane.pending().len()), (1, 1));
    lane.bundle("acme", "a", 3, "High");
    assert_eq!(lane.on("acme.trigger.incident.detected")[1].data["id"], "acme-2");
}

#[test]
fn failures_are_tried_again_later_and_given_up_in_the_end() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    let mut waits = Vec::new();
    while let Some((_, row)) = lane.pending().pop() {
        // It keeps its place while the destination is left alone, and is tried once that rest is over.
        let rests = lane.row(&reactions::circuit("jss")).and_then(|circuit| circuit.open_until);
        lane.now = lane.now.max(row.not_before).max(rests.unwrap_or(lane.now));
        lane.report(&failed("unavailable", None));
        if let Some((_, next)) = lane.pending().pop() {
            assert_eq!(next.attempt, row.attempt + 1);
            waits.push(next.not_before.duration_since(lane.now).as_secs());
        }
    }
    assert!(waits[..4].is_sorted() && waits[0] >= 1 && waits.iter().all(|wait| *wait <= 300), "{waits:?}");
    let letters = lane.on("acme.dead.reaction-failed");
    assert_eq!(letters.len(), 1);
    assert!(letters[0].data["detail"].as_str().unwrap().contains("unavailable: no"));
    assert_eq!(lane.case("acme", 1).state, CaseState::Failed);
}

#[test]
fn a_refusal_is_given_up_at_once_and_leaves_the_circuit_alone() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    lane.report(&failed("refused", None));
    assert_eq!(lane.on("acme.dead.reaction-failed").len(), 1);
    assert!(lane.row(&reactions::circuit("jss")).is_none());
}

#[test]
fn up_to_level_12_a_circuit_opens_by_any_tries_rests_longer_and_closes() {
    let mut lane = Lane::at(12);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[("open", OPEN_CASE)], Settings::default());
    lane.bundle("acme", "a", 1, "High");
    let circuit = |lane: &Lane| lane.row(&reactions::circuit("jss"));
    for _ in 0..4 {
        lane.report(&failed("unavailable", None));
    }
    assert_eq!(circuit(&lane).unwrap().open_until, None);
    lane.report(&failed("unavailable", None));
    let rest = |lane: &Lane| circuit(lane).unwrap().open_until.unwrap().duration_since(lane.now).as_secs();
    assert_eq!(rest(&lane), 30);
    lane.report(&failed("unavailable", None));
    assert_eq!(rest(&lane), 30, "what was under way while it opened says nothing new");
    lane.now = lane.now.checked_add(31.seconds()).unwrap();
    lane.report(&failed("unavailable", None));
    assert_eq!(rest(&lane), 60);
    lane.report(&failed("overloaded", Some(900)));
    assert_eq!(rest(&lane), 900);
    lane.report(&accepted());
    assert!(circuit(&lane).is_none());
}

#[test]
fn an_echo_of_an_attempt_changes_nothing() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    let (id, _) = lane.pending().pop().unwrap();
    let report = json!({"attempt": {"reaction": id, "attempt": 1, "requests": 1, "outcome": accepted()}});
    lane.take("bolt", "result", report.to_string().as_bytes());
    assert_eq!(lane.pending().len(), 1, "another organization's report");
    lane.take("acme", "result", report.to_string().as_bytes());
    lane.take("acme", "result", report.to_string().as_bytes());
    assert_eq!(lane.on("acme.trigger.incident.submitted").len(), 1);
}

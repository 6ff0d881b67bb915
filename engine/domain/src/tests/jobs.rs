//! Work over many rows goes in slices, and comes to what one big decision comes to.

use std::collections::BTreeMap;

use super::*;
use crate::jobs::{self, JobRow, SLICE_ROWS};
use crate::position::POSITION;
use crate::spans::SPANS;
use crate::state::Base as _;

/// Four reactions for an incident; one of them opens the case.
const MANY: &str = "policy(#{ on: \"incident.detected\" });\n\
    fn react(incident, org) {\n    submit_case(#{ comments: \"leak\" });\n    for n in 0..3 { log(`line ${n}`); }\n}";
const PER_INCIDENT: usize = 4;
const ALL: &str = "Send all information";
const FEATURES: &str = "Only send list of features used";

impl Lane {
    /// A lane of a level on which so many reactions of acme and of bolt are pending.
    fn with_pending(level: u32, acme: usize, bolt: usize) -> Self {
        let mut lane = Self::at(level);
        for org in ["acme", "bolt"] {
            lane.organization(org, ALL);
        }
        lane.rules(1, &[("many", MANY)], Settings::default());
        for (org, count) in [("acme", acme), ("bolt", bolt)] {
            for number in 0..count.div_ceil(PER_INCIDENT) {
                lane.bundle(org, &format!("{org}-rtr"), number as u64, "High");
            }
            assert_eq!(lane.pending_of(org), count);
        }
        lane.events.clear();
        lane
    }

    fn pending_of(&self, org: &str) -> usize {
        self.pending().iter().filter(|(_, row)| row.org.as_ref().unwrap().as_str() == org).count()
    }

    /// How many of an organization's waiting actions say what only the highest filter level lets out.
    fn unfiltered(&self, org: &str) -> usize {
        let is_theirs = |row: &PendingRow| row.org.as_ref().unwrap().as_str() == org;
        self.pending().iter().filter(|(_, row)| is_theirs(row) && row.action.contains("leak")).count()
    }

    /// An organization's filter level changes; the work it makes is not done yet.
    fn filter(&mut self, org: &str, level: &str) {
        let settings = json!({"display_name": org, "is_proxy": true, "filter_level": level});
        self.ask_for(org, &json!({"set_organization": settings}));
    }

    fn ask_for(&mut self, org: &str, verb: &Value) {
        let command = json!({"id": format!("c{}", self.sequence), "actor": "admin", "node": "test", "verb": verb});
        self.take(org, "cmd", command.to_string().as_bytes());
    }

    fn go_on(&mut self) -> Decision {
        self.decide("", "ctl", b"", Content::Continue { is_alone: false });
        self.commit()
    }

    /// Whose jobs there are, in the order in which they were asked for, and how far they are.
    fn jobs(&self) -> Vec<(String, u64)> {
        let jobs = jobs::all(&self.base).map(Result::unwrap);
        jobs.map(|(_, JobRow { work, done, .. })| (work.organization().unwrap().to_string(), done)).collect()
    }

    /// The rows without those that every input changes.
    fn rows_but_position(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut rows = self.base.rows();
        rows.retain(|key, _| ![POSITION.letter(), SPANS.letter()].contains(&key[0]));
        rows
    }
}

/// The filter level sinks and inputs of others come in between; at level 1, where nothing is in slices, too.
fn review(lane: &mut Lane, mut saw: impl FnMut(&Lane, &Decision)) {
    lane.filter("acme", FEATURES);
    for number in 0..8 {
        let decision = lane.go_on();
        saw(lane, &decision);
        lane.bundle("bolt", "bolt-rtr", 5_000 + number, "High");
        // Its own go on too; what is decided now follows the new level at once.
        lane.bundle("acme", "acme-rtr", 5_000 + number, "High");
        assert_eq!(lane.on("bolt.trigger.incident.detected").len(), number as usize + 1);
    }
    assert!(!lane.domain.has_work(), "{:?}", lane.jobs());
}

#[test]
fn a_review_of_a_thousand_goes_in_slices_and_comes_to_the_same() {
    let mut lane = Lane::with_pending(2, 1_000, 0);
    let (mut slices, mut last) = (0, 0);
    review(&mut lane, |lane, decision| {
        let pending = decision.writes.rows.iter().filter(|(key, _)| key.starts_with(b"r")).count();
        assert!(pending <= SLICE_ROWS, "{pending} rows in one slice");
        let Some((_, done)) = lane.jobs().pop() else { return };
        assert!(done > last && done - last <= SLICE_ROWS as u64, "{last}, then {done}");
        (slices, last) = (slices + 1, done);
    });
    assert!(slices >= 5, "{slices} slices that were not the last");
    assert_eq!((lane.unfiltered("acme"), lane.pending_of("acme")), (0, 1_000 + 8 * PER_INCIDENT));

    let mut reopened = Lane::with_pending(2, 1_000, 0);
    reopened.reopens = true;
    review(&mut reopened, |_, _| ());
    assert_eq!(reopened.domain.position(), lane.domain.position(), "a job goes on where it stood");
    assert!(reopened.base.rows() == lane.base.rows());

    let mut at_once = Lane::with_pending(1, 1_000, 0);
    let mut is_first = true;
    review(&mut at_once, |lane, _| {
        assert!(!std::mem::take(&mut is_first) || lane.unfiltered("acme") == 0, "level 1 has no slices");
    });
    let (found, expected) = (lane.rows_but_position(), at_once.rows_but_position());
    // What level 1 said of the provider it named after the input before.
    let is_provider = |key: &Vec<u8>| key.windows(9).any(|part| part == b"_provider");
    let is_other = |key: &&Vec<u8>| found.get(*key) != expected.get(*key) && !is_provider(key);
    let others: Vec<_> = found.keys().chain(expected.keys()).filter(is_other).map(|key| key.escape_ascii()).collect();
    assert!(others.is_empty(), "{} rows differ, such as {}", others.len(), others[0]);
}

#[test]
fn what_is_reviewed_is_held_back_until_the_last_slice() {
    let mut lane = Lane::with_pending(2, 400, 4);
    let is_under_review = |lane: &Lane, org| jobs::is_under_review(&lane.base, org).unwrap();
    assert!(!is_under_review(&lane, "acme"));
    lane.filter("acme", FEATURES);
    let mut queues = lane.go_on().queues;
    while lane.domain.has_work() {
        assert!(is_under_review(&lane, "acme") && !is_under_review(&lane, "bolt"));
        queues = lane.go_on().queues;
    }
    assert!(!is_under_review(&lane, "acme"));
    assert!(queues.contains(&(String::new(), "acme".to_owned())), "whoever hands out looks again: {queues:?}");
}

#[test]
fn what_ends_in_the_middle_of_a_review_does_not_come_back() {
    let mut lane = Lane::with_pending(2, 400, 0);
    lane.filter("acme", FEATURES);
    lane.go_on();
    let pending = lane.pending();
    // One that was reviewed, and one that was not.
    for (id, _) in [&pending[0], &pending[399]] {
        let report = json!({"attempt": {"reaction": id, "attempt": 1, "requests": 1, "outcome": {"done": "logged"}}});
        lane.take("acme", "result", report.to_string().as_bytes());
    }
    lane.work();
    assert_eq!((lane.pending_of("acme"), lane.unfiltered("acme")), (398, 0));
}

#[test]
fn a_suspension_lifted_before_its_review_ends_leaves_nothing_held() {
    let mut lane = Lane::with_pending(2, 400, 0);
    let held = |lane: &Lane| lane.pending().iter().filter(|(_, row)| row.is_held).count();
    lane.ask_for("acme", &json!("suspend_organization"));
    lane.go_on();
    assert_eq!(held(&lane), SLICE_ROWS);
    lane.filter("acme", ALL);
    lane.work();
    let queued = lane.base.rows().into_keys().filter(|key| key.starts_with(b"q"));
    let queued = queued.filter(|key| key.windows(6).any(|part| part == b"\0acme\0")).count();
    assert_eq!((held(&lane), queued), (0, 400));
    lane.ask_for("acme", &json!("suspend_organization"));
    lane.work();
    assert_eq!(held(&lane), 400);
}

#[test]
fn two_jobs_on_one_organization_queue() {
    let mut lane = Lane::with_pending(2, 400, 0);
    lane.filter("acme", FEATURES);
    lane.go_on();
    lane.filter("acme", "Do not send");
    lane.filter("acme", ALL);
    let job = |done: u64| ("acme".to_owned(), done);
    assert_eq!(lane.jobs(), [job(200), job(0)], "one that has not begun finds things as they are then");
    let mut seen = Vec::new();
    while lane.domain.has_work() {
        lane.go_on();
        seen.push(lane.jobs().iter().map(|(_, done)| *done).collect::<Vec<_>>());
    }
    assert!(
        seen.iter().filter(|jobs| jobs.len() == 2).all(|jobs| jobs[1] == 0),
        "the next one begins when the one before has ended: {seen:?}"
    );
    assert_eq!((lane.pending_of("acme"), lane.unfiltered("acme")), (400, 100), "the last word counts");
}

#[test]
fn jobs_of_two_organizations_take_turns() {
    let mut lane = Lane::with_pending(2, 600, 600);
    lane.filter("acme", FEATURES);
    lane.filter("bolt", FEATURES);
    let mut turns = Vec::new();
    let mut before = lane.jobs();
    while lane.domain.has_work() {
        lane.go_on();
        let now = lane.jobs();
        // Whose job is further, or gone.
        let moved = before.iter().find(|job| !now.contains(job)).unwrap();
        turns.push(moved.0.clone());
        before = now;
    }
    let alternating = ["acme", "bolt"].into_iter().cycle();
    let both = turns.iter().filter(|org| *org == "bolt").count() * 2;
    assert!(both >= 6 && turns[..both].iter().zip(alternating).all(|(org, turn)| org == turn), "{turns:?}");
    assert_eq!((lane.unfiltered("acme"), lane.unfiltered("bolt")), (0, 0));
}

#[test]
fn where_there_is_no_work_nothing_changes() {
    for level in 2..=level::NEWEST {
        let mut lane = Lane::with_pending(level, 4, 0);
        let before = lane.rows_but_position();
        let decision = lane.go_on();
        assert!(decision.messages.is_empty() && decision.queues.is_empty());
        assert!(lane.rows_but_position() == before);
        lane.filter("nobody", "Do not send");
        assert!(!lane.domain.has_work(), "an organization with nothing pending makes no work");
        assert!(lane.base.get(b"j").unwrap().is_none());
    }
}

//! That a dead letter was replayed is kept, and how many were not.

use linesman_schemas::audit::Verdict;
use linesman_schemas::dead_letter::Reason;

use super::*;
use crate::letters::{self, LEVEL, LetterRow, Replayed};

const THROWS: &str = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { throw \"oh\"; }";
const MENDED: &str = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { log(\"well\"); }";

impl Lane {
    /// What replays acme's dead letters of policies, in their order.
    fn replays(&self) -> Vec<Value> {
        let letters = self.on("acme.dead.policy-failed").into_iter();
        let replays = letters.map(|letter| {
            let policy = &letter.data["policy"];
            json!({"run_policy": {
                "policy": policy["name"], "trigger": policy["on"], "event": policy["trigger"], "about": policy["about"],
                "letter": {"event": letter.id, "time": self.now, "reason": "policy-failed"},
            }})
        });
        replays.collect()
    }

    fn replayed(&self, replay: &Value) -> Option<Replayed> {
        let event = replay["run_policy"]["letter"]["event"].as_str().unwrap();
        match self.row(&letters::key(&"acme".parse().unwrap(), event))? {
            LetterRow::Replayed(replayed) => Some(replayed),
            LetterRow::Day(_) => None,
        }
    }

    fn unreplayed(&self) -> Vec<(Reason, u64)> {
        letters::unreplayed(&self.base, self.now).unwrap().into_iter().collect()
    }
}

#[test]
fn a_letter_knows_that_it_was_replayed_by_whom_and_with_what_outcome() {
    let mut lane = Lane::with(&[("p", THROWS)]);
    lane.bundle("acme", "a", 1, "High");
    lane.take("acme", "jmb", b"<jm");
    assert_eq!(lane.unreplayed(), [(Reason::BundleUndecodable, 1), (Reason::PolicyFailed, 1)]);
    let first = lane.replays().remove(0);
    assert_eq!(lane.ask("acme", &first).0, Verdict::Conflict);
    let replayed = lane.replayed(&first).unwrap();
    assert_eq!((&*replayed.by, replayed.outcome, replayed.times), ("admin", Verdict::Conflict, 1));
    // For the first one stands the second.
    assert_eq!(lane.unreplayed(), [(Reason::BundleUndecodable, 1), (Reason::PolicyFailed, 1)]);
    let second = lane.replays().remove(1);
    lane.rules(2, &[("p", MENDED)], Settings::default());
    let audits = |lane: &Lane| lane.on("acme.audit.run-policy").pop().unwrap().data.clone();
    lane.done(&second);
    assert!(audits(&lane)["new"].get("letter").is_none(), "{}", audits(&lane));
    let replayed = lane.replayed(&second).unwrap();
    assert_eq!((replayed.outcome, replayed.times, replayed.at), (Verdict::Done, 1, lane.now));
    assert_eq!(lane.unreplayed(), [(Reason::BundleUndecodable, 1), (Reason::PolicyFailed, 0)]);
    // One that does not match any more is none that ran, and what was done stays done.
    lane.rules(3, &[], Settings::default());
    assert_eq!(lane.ask("acme", &second).0, Verdict::Conflict);
    let replayed = lane.replayed(&second).unwrap();
    assert_eq!((replayed.outcome, replayed.times), (Verdict::Done, 1));
    // What is older than OUT keeps it is told of no more.
    lane.now = lane.now.checked_add((24 * 31).hours()).unwrap();
    assert_eq!(lane.unreplayed(), []);
}

#[test]
fn before_its_level_nothing_is_kept_of_letters() {
    let mut lane = Lane::with_at(LEVEL - 1, &[("p", THROWS)]);
    lane.bundle("acme", "a", 1, "High");
    let replay = lane.replays().remove(0);
    lane.ask("acme", &replay);
    assert_eq!((lane.replayed(&replay), lane.unreplayed()), (None, Vec::new()));
}

#[test]
fn days_of_long_ago_are_forgotten() {
    let mut lane = Lane::with(&[]);
    for _ in 0..3 {
        lane.take("acme", "jmb", b"<jm");
        lane.now = lane.now.checked_add((24 * 250).hours()).unwrap();
    }
    let days = letters::LETTERS.rows(&lane.base, &[""]).count();
    assert_eq!(days, 2, "the first is more than 400 days before the third");
}

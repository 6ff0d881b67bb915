//! What is decided of inputs outside the order of the lane.

use std::time::Duration;

use linesman_schemas::Principal;
use linesman_schemas::lane_override::{Overridden, Override};

use super::*;
use crate::jobs::{self, Work};
use crate::timers::{self, Timer};
use crate::{Error, quotas};

const SLOW: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { let n = 0; for i in 0..4000 { n += 1; } log("slow"); }
"#;
const QUICK: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { log("quick"); }
"#;

/// An override of the lane's next input.
fn next(lane: &Lane, what: Overridden) -> Override {
    Override {
        lane: 0,
        position: lane.sequence + 1,
        message: hex::encode([7; 32]),
        what,
        by: Principal::admin(),
        node: "n".to_owned(),
        at: lane.now,
        why: "because".to_owned(),
    }
}

#[test]
fn a_skipped_input_is_a_dead_letter_on_record_and_nothing_else_at_every_level() {
    for level in [1, 2, 3, 12, level::NEWEST] {
        for (org, kind, subject) in [
            ("acme", "jmb", "acme.dead.input-skipped"),
            ("nobody", "jmb", "_unknown.dead.input-skipped"),
            ("", "ctl", "_provider.dead.input-skipped"),
        ] {
            let mut lane = Lane::with_at(level, &[("quick", QUICK)]);
            let one = next(&lane, Overridden::SkipInput);
            lane.domain.override_with(vec![one]);
            lane.take(org, kind, bundle("edge", 1, "Low").as_bytes());
            assert_eq!(lane.subjects(), [subject, "_provider.audit.skip-input"], "{level}");
            assert_eq!(lane.on(subject)[0].data["sequence"], lane.sequence);
            // Why is the provider's to know.
            let detail = if org == "acme" && level >= 14 { "it is set aside" } else { "because" };
            assert_eq!(lane.on(subject)[0].data["detail"], detail, "{level}");
            let audit = lane.on("_provider.audit.skip-input")[0].data.clone();
            assert_eq!((&audit["actor"], &audit["outcome"]), (&json!("admin"), &json!("because")));
            assert_eq!(audit.get("index").is_some(), level >= 3, "{level}");
            // The next one is decided as any.
            lane.events.clear();
            lane.bundle("acme", "edge", 2, "Low");
            assert_eq!(lane.on("acme.trigger.incident.detected").len(), 1, "{level}");
        }
    }
}

#[test]
fn an_override_is_of_those_bytes_alone() {
    let mut lane = Lane::with(&[("quick", QUICK)]);
    let one = Override { message: hex::encode([8; 32]), ..next(&lane, Overridden::SkipInput) };
    lane.domain.override_with(vec![one]);
    lane.bundle("acme", "edge", 1, "Low");
    assert_eq!(lane.on("acme.trigger.incident.detected").len(), 1);
    assert!(lane.on("_provider.audit.skip-input").is_empty());
}

#[test]
fn a_policy_that_is_set_aside_is_not_run_and_the_others_are() {
    let mut lane = Lane::with(&[("quick", QUICK), ("slow", SLOW)]);
    let one = next(&lane, Overridden::SetPolicyAside { policy: "slow".parse().unwrap() });
    lane.domain.override_with(vec![one]);
    lane.bundle("acme", "edge", 1, "Low");
    let letters = lane.on("acme.dead.policy-failed");
    assert_eq!((letters.len(), &letters[0].data["policy"]["name"]), (1, &json!("slow")));
    assert!(letters[0].data["detail"].as_str().unwrap().starts_with("time: "));
    assert_eq!(lane.on("acme.reaction.log").len(), 1);
    assert_eq!(lane.on("_provider.audit.set-policy-aside").len(), 1);
    lane.events.clear();
    lane.bundle("acme", "edge", 2, "Low");
    assert_eq!(lane.on("acme.reaction.log").len(), 2, "the next input is judged by all");
}

#[test]
fn a_suspended_policy_judges_nothing_until_its_text_is_another() {
    let hash = |text: &str| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(text));
    let suspended = |version| Overridden::SuspendPolicy { policy: "slow".parse().unwrap(), version };
    for (version, is_suspended) in [(hash(SLOW), true), (hash(QUICK), false)] {
        let mut lane = Lane::with(&[("quick", QUICK), ("slow", SLOW)]);
        lane.bundle("acme", "edge", 1, "Low");
        assert_eq!(lane.on("acme.reaction.log").len(), 2, "before it");
        lane.events.clear();
        let one = next(&lane, suspended(version));
        lane.domain.override_with(vec![one]);
        for number in 2..=3 {
            lane.bundle("acme", "edge", number, "Low");
        }
        let (judged, dead) = if is_suspended { (2, 2) } else { (4, 0) };
        assert_eq!(lane.on("acme.reaction.log").len(), judged);
        assert_eq!(lane.on("acme.dead.policy-failed").len(), dead);
        assert_eq!(lane.on("_provider.audit.suspend-policy").len(), 1, "on record once");
    }
}

/// Each look takes a second.
fn clock() -> Duration {
    thread_local! {
        static USED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }
    USED.set(USED.get() + 1);
    Duration::from_secs(USED.get())
}

#[test]
fn a_run_beyond_its_time_is_no_decision() {
    let mut lane = Lane::with(&[("slow", SLOW)]);
    lane.judge.replace(Judge::timed(Limits::default(), clock));
    lane.domain.bound_policies(Some(Duration::from_secs(1)));
    let bytes = bundle("edge", 1, "Low");
    let content = Content::decode("jmb", bytes.as_bytes());
    let (sequence, bytes) = (lane.sequence + 1, bytes.as_bytes());
    let input = Input { sequence, time: lane.now, sha256: [7; 32], org: "acme", kind: "jmb", bytes, content };
    let error = lane.domain.decide(&input).unwrap_err();
    assert!(matches!(&error, Error::Overtime { policy, .. } if policy.as_str() == "slow"), "{error}");
    // Without the bound, as what was committed is decided again, it is.
    lane.domain = open(&lane.base, &lane.judge, lane.book.clone(), 0);
    lane.bundle("acme", "edge", 1, "Low");
    assert_eq!(lane.on("acme.reaction.log").len(), 1);
}

#[test]
fn what_could_not_be_read_is_decided_only_once_it_is_set_aside() {
    let mut lane = Lane::with(&[("quick", QUICK)]);
    let (sequence, time) = (lane.sequence + 1, lane.now);
    let content = || Content::Broken;
    let input = || Input { sequence, time, sha256: [7; 32], org: "acme", kind: "jmb", bytes: b"<", content: content() };
    let error = lane.domain.decide(&input()).unwrap_err();
    assert!(matches!(error, Error::Unreadable), "{error}");
    lane.domain = open(&lane.base, &lane.judge, lane.book.clone(), 0);
    let one = next(&lane, Overridden::SkipInput);
    lane.domain.override_with(vec![one]);
    lane.domain.decide(&input()).unwrap();
    let said = lane.domain.take().unwrap().messages;
    let subjects: Vec<_> = said.iter().map(|message| &*message.subject).collect();
    assert_eq!(subjects, ["acme.dead.input-skipped", "_provider.audit.skip-input"]);
}

#[test]
fn what_falls_due_with_an_input_that_is_skipped_is_left_to_the_next() {
    for skips in [false, true] {
        let mut lane = Lane::with(&[("quick", QUICK)]);
        lane.bundle("acme", "edge", 1, "Low");
        lane.events.clear();
        lane.now = lane.now.checked_add(jiff::SignedDuration::from_hours(24 * 365)).unwrap();
        if skips {
            let one = next(&lane, Overridden::SkipInput);
            lane.domain.override_with(vec![one]);
            lane.take("acme", "jmb", bundle("edge", 2, "Low").as_bytes());
            assert_eq!(
                lane.subjects(),
                ["acme.dead.input-skipped", "_provider.audit.skip-input"],
                "nothing fell due with it"
            );
            lane.events.clear();
        }
        lane.bundle("acme", "edge", 3, "Low");
        let given_up = lane.on("acme.dead.reaction-failed").len() + lane.on("acme.reaction.log").len();
        assert!(given_up > 0, "{skips}: {:?}", lane.subjects());
    }
}

#[test]
fn what_fell_due_and_cannot_be_done_is_named_and_set_aside_alone() {
    let mut digests = Vec::new();
    for _ in 0..2 {
        let mut lane = Lane::with(&[("quick", QUICK)]);
        // What lies there is no row of its table.
        let foreign = Table::<()>::new(quotas::QUOTAS.letter()).key(&[], b"ghost");
        lane.domain.desk.write(foreign, &()).unwrap();
        for timer in [Timer::Quota("ghost"), Timer::AgeAudits] {
            timers::arm_at(&mut lane.domain.desk, lane.now, &timer).unwrap();
        }
        lane.commit();
        let (sequence, time, text) = (lane.sequence + 1, lane.now, bundle("edge", 1, "Low"));
        let bytes = text.as_bytes();
        let content = Content::decode("jmb", bytes);
        let input = Input { sequence, time, sha256: [7; 32], org: "acme", kind: "jmb", bytes, content };
        assert!(lane.domain.decide(&input).is_err());
        let timer = lane.domain.firing().unwrap();
        assert_eq!(timer, format!("quota ghost due {time}"));

        lane.domain = open(&lane.base, &lane.judge, lane.book.clone(), 0);
        let one = next(&lane, Overridden::SkipTimer { timer: timer.clone() });
        lane.domain.override_with(vec![one]);
        lane.bundle("acme", "edge", 1, "Low");
        assert_eq!(lane.domain.firing(), None);
        assert_eq!(lane.on("acme.trigger.incident.detected").len(), 1, "{:?}", lane.subjects());
        let audit = &lane.on("_provider.audit.skip-timer")[0].data;
        assert_eq!((&audit["new"]["timer"], &audit["outcome"]), (&json!(timer), &json!("because")));
        // All else that was due has fired, and the next input comes past it.
        assert!(lane.domain.next_timer().is_some_and(|due| due > lane.now));
        lane.bundle("acme", "edge", 2, "Low");
        assert_eq!(lane.on("acme.trigger.incident.detected").len(), 2);
        digests.push(lane.domain.position().digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_slice_that_is_skipped_takes_its_job_with_it_on_record() {
    for level in [14, level::NEWEST] {
        let mut digests = Vec::new();
        for _ in 0..2 {
            let mut lane = Lane::with_at(level, &[("quick", QUICK)]);
            let works = ["acme", "bolt"].map(|org| Work::ReviewPending(org.parse().unwrap()));
            for work in works {
                lane.domain.jobs.begin(&mut lane.domain.desk, work).unwrap();
            }
            lane.commit();
            let job = lane.domain.turn().unwrap();
            assert!(job.starts_with("review-pending of acme begun at "), "{job}");
            let one = next(&lane, Overridden::SkipInput);
            lane.domain.override_with(vec![one]);
            lane.events.clear();
            lane.decide("", "ctl", b"", Content::Continue { is_alone: false });
            lane.commit();
            let is_dropped = level >= 15;
            assert_eq!(lane.domain.turn().unwrap() != job, is_dropped, "{level}");
            assert_eq!(jobs::all(&lane.base).count(), if is_dropped { 1 } else { 2 }, "{level}");
            let new = lane.on("_provider.audit.skip-input")[0].data["new"].clone();
            let detail = lane.on("_provider.dead.input-skipped")[0].data["detail"].clone();
            if is_dropped {
                assert_eq!((&new["job"], &new["rows"]), (&json!(job), &json!(0)));
                assert_eq!(detail, json!(format!("because; dropped is the job {job}")));
            } else {
                assert_eq!((&new["job"], detail), (&Value::Null, json!("because")));
            }
            digests.push(lane.domain.position().digest);
        }
        assert_eq!(digests[0], digests[1], "{level}");
    }
}

#[test]
fn what_is_done_again_and_again_is_due_again_once_it_was_set_aside() {
    let timers = [Timer::PruneSightings, Timer::AgeAudits, Timer::Watch(7), Timer::Snapshots("acme")];
    for timer in timers {
        let mut lane = Lane::with(&[("quick", QUICK)]);
        lane.bundle("acme", "edge", 1, "Low");
        lane.now = lane.now.checked_add(jiff::SignedDuration::from_hours(12)).unwrap();
        timers::arm_at(&mut lane.domain.desk, lane.now, &timer).unwrap();
        lane.commit();
        let name = timers::name(&timer.key(lane.now).into_bytes());
        let one = next(&lane, Overridden::SkipTimer { timer: name });
        lane.domain.override_with(vec![one]);
        lane.bundle("acme", "edge", 2, "Low");
        let due = lane.now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap();
        let about = match timer {
            Timer::Watch(_) => 8,
            Timer::Snapshots(org) => org.len(),
            _ => 0,
        };
        let mut wanted = timer.key(due).into_bytes();
        wanted.truncate(wanted.len() - about);
        assert!(lane.base.rows().keys().any(|key| key.starts_with(&wanted)), "{about}");
    }
}

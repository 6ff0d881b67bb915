//! A lane decides at the level in its state; raising it is an input, and what this program does not know is refused.

use super::*;
use crate::commands::{self, CommandRow};
use crate::error::Error;
use crate::intelligence::{self, IntelligenceRow};
use crate::position::{self, Position};
use crate::spans::SPANS;
use crate::state::Writes;
use crate::table::encode;
use linesman_schemas::audit::Verdict;

const ABOVE: u32 = level::NEWEST + 1;

impl Lane {
    /// What is refused of an input, whose error is returned.
    fn refused(&mut self, org: &str, content: Content<'_>) -> Error {
        let sequence = self.sequence + 1;
        let input = Input { sequence, time: self.now, sha256: [7; 32], org, kind: "ctl", bytes: b"{}", content };
        self.domain.decide(&input).unwrap_err()
    }

    fn level(&mut self, level: u32) -> Decision {
        self.decide("", "ctl", b"", Content::Level(level));
        self.commit()
    }

    /// The digest after an input that cannot be read, in those words.
    fn digest_of_letter(level: u32, detail: &str) -> [u8; 32] {
        let mut lane = Self::at(level);
        lane.organization("acme", "Send all information");
        let content = Content::Undecodable {
            reason: linesman_schemas::dead_letter::Reason::BundleUndecodable,
            detail: detail.to_owned(),
            place: None,
        };
        lane.decide("acme", "jmb", b"<", content);
        lane.commit();
        assert_eq!(lane.on("acme.dead.bundle-undecodable")[0].data["detail"], detail);
        lane.domain.position().digest
    }

    /// The digest after a message that came again, where the row said that it has come so often before.
    fn digest_of_repetition(level: u32, repeats: u64) -> [u8; 32] {
        let mut lane = Self::at(level);
        lane.organization("acme", "Send all information");
        let message =
            json!({"id": "TSB1", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z"}).to_string();
        lane.take("acme", "intel", message.as_bytes());
        let key = intelligence::key(&"acme".parse().unwrap(), "TSB1");
        let row = IntelligenceRow { repeats, ..lane.row(&key).unwrap() };
        lane.base.apply(&Writes { rows: vec![(key.into_bytes(), Some(encode(&row).unwrap()))], ..Writes::default() });
        lane.events.clear();
        lane.take("acme", "intel", message.as_bytes());
        assert!(lane.events.is_empty());
        lane.domain.position().digest
    }
}

fn needs(error: &Error) -> String {
    assert!(matches!(error, Error::Level { found: ABOVE, .. }), "{error}");
    error.to_string()
}

#[test]
fn a_level_is_raised_once_and_never_sinks() {
    let mut lane = Lane::at(1);
    lane.organization("acme", "Send all information");
    let mut rows = lane.base.rows();
    for (said, expected) in [(0, 1), (1, 1), (2, 2), (2, 2), (1, 2), (0, 2)] {
        let decision = lane.level(said);
        assert_eq!(lane.domain.position().level, expected, "after {said}");
        assert_eq!(position::read(&lane.base).unwrap().unwrap().level, expected, "it is kept");
        assert!(decision.messages.is_empty());
        let is_own = |key: &[u8]| key == position::key().as_bytes() || key.first() == Some(&SPANS.letter());
        rows.retain(|key, _| !is_own(key));
        rows.extend(lane.base.rows().into_iter().filter(|(key, _)| is_own(key)));
        assert!(lane.base.rows() == rows, "nothing else changes");
    }
}

#[test]
fn the_level_holds_from_the_input_behind_the_raise() {
    let mut lane = Lane::at(1);
    lane.command("nobody", &json!("suspend_organization"));
    assert!(lane.events.is_empty(), "level 1 tells nobody");
    lane.level(2);
    lane.command("nobody", &json!("suspend_organization"));
    assert_eq!(lane.subjects(), ["_provider.audit.suspend-organization"]);
}

#[test]
fn a_level_above_what_is_known_is_refused_by_what_it_needs() {
    let words = format!(
        "the log is to be decided at engine level {ABOVE}; this program knows levels 1 to {}, so it takes a linesman \
         that knows level {ABOVE}",
        level::NEWEST
    );
    for level in level::LEVELS {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        let before: Position = lane.domain.position().clone();
        assert_eq!(needs(&lane.refused("", Content::Level(ABOVE))), words);
        assert_eq!(*lane.domain.position(), before, "it has not moved");
        let raise = json!({"id": "r", "principal": {"kind": "provider", "name": "admin"}, "node": "n",
            "verb": {"raise_level": {"level": ABOVE}}});
        let content = Content::Command(serde_json::from_value(raise).unwrap());
        assert_eq!(needs(&lane.refused("", content)), words);
        assert_eq!(*lane.domain.position(), before);
    }
}

#[test]
fn a_state_of_a_level_above_what_is_known_is_not_opened() {
    let lane = Lane::new();
    let position = Position { level: ABOVE, ..lane.domain.position().clone() };
    lane.base.apply(&Writes {
        rows: vec![(position::key().into_bytes(), Some(encode(&position).unwrap()))],
        ..Writes::default()
    });
    let judge = Rc::clone(&lane.judge);
    let parts = Parts { lane: 0, stream: "s".to_owned(), payload_most: 4096, judge, book: None, room: Arc::default() };
    let refused = Domain::open(Box::new(lane.base.handle()), parts).err().unwrap();
    assert!(needs(&refused).contains("it takes a linesman that knows level"));
}

#[test]
fn the_digest_covers_rows_from_level_2_on() {
    assert_eq!(Lane::digest_of_repetition(1, 0), Lane::digest_of_repetition(1, 5), "level 1 has events only");
    assert_ne!(Lane::digest_of_repetition(2, 0), Lane::digest_of_repetition(2, 5));
    assert_eq!(Lane::digest_of_repetition(2, 5), Lane::digest_of_repetition(2, 5));
}

#[test]
fn the_digest_covers_no_text_for_people_from_level_2_on() {
    assert_ne!(Lane::digest_of_letter(1, "it ends early"), Lane::digest_of_letter(1, "it stops too soon"));
    assert_eq!(Lane::digest_of_letter(2, "it ends early"), Lane::digest_of_letter(2, "it stops too soon"));
    let form = |level, detail: &str| {
        let (verdict, detail) = (Verdict::Conflict, detail.to_owned());
        let decided = Timestamp::UNIX_EPOCH;
        let row = CommandRow { verdict, is_new: false, detail, asked: [0; 32], decided };
        row.form(level, &encode(&row).unwrap()).unwrap().into_owned()
    };
    assert_ne!(form(1, "one"), form(1, "other"));
    assert_eq!(form(2, "one"), form(2, "other"), "nor that of an outcome, which is stored");
    let key = commands::key(None, "c");
    assert!(key.as_bytes().starts_with(b"k"));
}

#[test]
fn what_a_nodes_log_tells_is_on_record_from_level_5_on() {
    let change = |lane: &mut Lane| {
        let verb = json!({"set_log_level": {"old": "info", "new": "debug"}});
        let principal = json!({"kind": "provider", "name": "admin"});
        let command = json!({"id": "c", "principal": principal, "node": "here", "verb": verb});
        lane.decide("", "ctl", b"{}", Content::Command(serde_json::from_value(command).unwrap()));
        lane.commit();
    };
    let mut lane = Lane::at(4);
    change(&mut lane);
    let (_, letter) = lane.events.last().unwrap();
    assert_eq!(letter.data["detail"], "`set-log-level` is asked for from engine level 5 on");
    let mut lane = Lane::at(5);
    change(&mut lane);
    let told = lane.on("_provider.audit.set-log-level");
    let data = &told[0].data;
    assert_eq!((&data["old"], &data["new"]), (&json!({"level": "info"}), &json!({"level": "debug"})));
    assert_eq!((&data["actor"], &data["node"], &data["index"]), (&json!("admin"), &json!("here"), &json!(0)));
}

/// Up to level 12 it never ended, whoever decided it again: no log has such a decision, and each can have this one.
#[test]
fn a_policy_that_pads_with_nothing_fails_at_every_level_below_13_and_does_nothing_from_there_on() {
    let pads = "policy(#{ on: \"incident.detected\" });\n\
        fn react(incident, org) { let s = \"a\"; s.pad(100, \"\"); publish(\"padded\", #{ s: s }); }";
    for level in level::LEVELS {
        let mut lane = Lane::with_at(level, &[("pads", pads)]);
        lane.bundle("acme", "edge", 1, "Low");
        let failed = usize::from(level < 13);
        assert_eq!(lane.on("acme.dead.policy-failed").len(), failed, "{level}");
        assert_eq!(lane.on("acme.reaction.padded").len(), 1 - failed, "{level}");
    }
}

/// What Rhai calls a function is by chance, and was in what was decided.
#[test]
fn no_name_of_a_function_is_published() {
    let leaks = "policy(#{ on: \"incident.detected\" });\n\
        fn react(incident, org) { let m = #{ a: |x| x }; try { publish(\"leak\", #{ t: m.to_json() }); } catch (e) { publish(\"caught\", #{ e: e }); } }";
    let mut lane = Lane::with(&[("leaks", leaks)]);
    lane.bundle("acme", "edge", 1, "Low");
    assert!(lane.on("acme.reaction.leak").is_empty());
    let caught = lane.on("acme.reaction.caught");
    assert!(caught[0].data.to_string().contains("a function cannot be sent"), "{}", caught[0].data);
}

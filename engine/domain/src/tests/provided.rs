//! Messages of the provider's: taken in once on lane 0, kept by every lane.

use linesman_schemas::control::{Control, IntelligenceRef};

use super::*;
use crate::input::Provided;
use crate::intelligence::provided;

fn message(id: &str, title: &str) -> Vec<u8> {
    json!({"id": id, "kind": "alert", "title": title, "issued": "2026-11-21T10:00:00Z"}).to_string().into_bytes()
}

fn named(number: u64, id: &str, sha256: &str) -> IntelligenceRef {
    IntelligenceRef { number, id: id.to_owned(), sha256: sha256.to_owned(), bytes: 1 }
}

impl Lane {
    /// The provider is asked to take a message in: what became of it.
    pub(super) fn add_message(&mut self, principal: &Value, id: &str, sha256: &str) -> (String, String) {
        self.events.clear();
        let verb = json!({"add_intelligence": {"id": id, "sha256": sha256, "bytes": 1}});
        let command = json!({"command": {
            "id": format!("c{}", self.sequence), "principal": principal, "node": "test", "verb": verb,
        }});
        let bytes = command.to_string();
        let Control::Command(command) = serde_json::from_str(&bytes).unwrap() else { panic!("no command") };
        self.decide("", "ctl", bytes.as_bytes(), Content::Command(command));
        self.commit();
        let id = format!("c{}", self.sequence - 1);
        match self.row(&crate::commands::key(None, &id)) {
            Some(row) => (row.verdict.as_str().to_owned(), row.detail),
            None => {
                let (_, letter) = self.events.first().unwrap();
                (String::new(), letter.data["detail"].as_str().unwrap_or_default().to_owned())
            }
        }
    }

    /// The lane is handed a message.
    pub(super) fn provide(&mut self, named: IntelligenceRef, content: &[u8]) {
        self.events.clear();
        let bytes = serde_json::to_vec(&Control::Intelligence(named.clone())).unwrap();
        self.decide("", "ctl", &bytes, Content::Provided(Box::new(Provided::read(named, content))));
        self.commit();
        self.work();
    }

    fn title(&self, id: &str) -> Option<(u64, String)> {
        self.row(&provided::key(id)).map(|row| (row.number, row.message.title))
    }
}

fn admin() -> Value {
    json!({"kind": "provider", "name": "admin"})
}

#[test]
fn lane_0_numbers_what_it_takes_in_and_the_same_again_changes_nothing() {
    for reopens in [false, true] {
        let mut lane = Lane::new();
        lane.reopens = reopens;
        let (one, other) = ("1".repeat(64), "2".repeat(64));
        let done = |detail: &str| ("done".to_owned(), detail.to_owned());
        assert_eq!(lane.add_message(&admin(), "T1", &one), done("created"));
        assert_eq!(lane.add_message(&admin(), "T2", &one), done("created"));
        assert_eq!(lane.add_message(&admin(), "T1", &one), done("unchanged"));
        assert_eq!(lane.add_message(&admin(), "T1", &other), done("replaced"));
        assert_eq!(provided::last_given(&lane.base).unwrap(), 3);
        let behind = |number| {
            let found = provided::behind(&lane.base, number).unwrap();
            found.into_iter().map(|named| (named.number, named.id)).collect::<Vec<_>>()
        };
        // What was replaced is handed out as it is now, and no more as it was.
        assert_eq!(behind(0), [(2, "T2".to_owned()), (3, "T1".to_owned())]);
        assert_eq!(behind(2), [(3, "T1".to_owned())]);
        assert_eq!(lane.title("T1"), None, "lane 0 keeps what it is handed, not what it takes in");
        let (verdict, detail) = lane.add_message(&admin(), "T3", "no hash");
        assert_eq!((&*verdict, &*detail), ("invalid", "`sha256` is no SHA-256 in lower-case hexadecimal"));
        let stranger = json!({"kind": "provider", "name": "mara"});
        assert_eq!(
            lane.add_message(&stranger, "T4", &one).0,
            "not-found",
            "whoever sees nothing of the provider is told nothing"
        );
        assert_eq!(provided::last_given(&lane.base).unwrap(), 3);
    }
}

#[test]
fn a_lane_keeps_each_text_once_and_the_last_one() {
    for reopens in [false, true] {
        let mut lane = Lane::new();
        lane.reopens = reopens;
        lane.provide(named(2, "T1", "a"), &message("T1", "first"));
        assert_eq!(lane.title("T1").unwrap(), (2, "first".to_owned()));
        lane.provide(named(3, "T1", "b"), &message("T1", "second"));
        // Handed again after a crash, it is known.
        lane.provide(named(2, "T1", "a"), &message("T1", "first"));
        lane.provide(named(3, "T1", "b"), &message("T1", "second"));
        assert_eq!(lane.title("T1").unwrap(), (3, "second".to_owned()));
        assert_eq!(provided::last_taken(&lane.base).unwrap(), 3);
        assert!(lane.subjects().is_empty(), "{:?}", lane.subjects());
        // What is no message, or another, is set aside, and does not come again for ever.
        for (number, content) in [(4, b"{".to_vec()), (5, message("T9", "another"))] {
            lane.provide(named(number, "T2", "c"), &content);
            assert_eq!(lane.subjects(), ["_provider.dead.command-undecodable"]);
            assert_eq!(provided::last_taken(&lane.base).unwrap(), number);
        }
        assert_eq!(lane.title("T2"), None);
    }
}

#[test]
fn below_level_10_there_are_none() {
    for level in 1..provided::LEVEL {
        let mut lane = Lane::at(level);
        lane.provide(named(1, "T1", "a"), &message("T1", "first"));
        assert_eq!(lane.subjects(), ["_provider.dead.command-undecodable"], "level {level}");
        let (_, detail) = lane.add_message(&admin(), "T1", &"1".repeat(64));
        assert!(level == 1 || detail.contains("from engine level "), "level {level}: {detail}");
        assert_eq!(lane.title("T1"), None);
        assert_eq!(provided::last_given(&lane.base).unwrap(), 0);
    }
}

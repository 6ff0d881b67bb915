//! The rule book is composed on lane 0, section by section.

use linesman_schemas::audit::Verdict;
use linesman_schemas::control::{RuleBookRef, Section, SectionRef};

use super::*;
use crate::commands;
use crate::rule_book::{self, BookRow, SectionHash};
use crate::sections::{self, SectionRow, SectionsRow};
use crate::table::{self, Upgradable};

fn hash(letter: &str) -> String {
    letter.repeat(64)
}

impl Lane {
    /// Asks for a section to be loaded; what became of it.
    fn load(&mut self, section: &str, letter: &str, more: &Value) -> (Verdict, String) {
        let mut load = json!({"section": section, "hash": hash(letter)});
        load.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let id = format!("l{}", self.sequence);
        let principal = json!({"kind": "configuration"});
        let command = json!({"id": id, "principal": principal, "node": "n", "verb": {"load_section": load}});
        self.decide("", "ctl", b"", Content::Command(serde_json::from_value(command).unwrap()));
        self.commit();
        let row = self.row(&commands::key(None, &id)).unwrap();
        (row.verdict, row.detail)
    }

    /// A rule book of before sections.
    fn whole_book(&mut self, version: u64, hash: &str) {
        let (hash, book) = (hash.to_owned(), Arc::new(Book::build(Vec::new())));
        let (sections, settings, refused) = (Vec::new(), Settings::default(), Arc::default());
        let (directory, services, mode) = (Arc::default(), Arc::default(), Mode::default());
        let book = RuleBook { version, hash, sections, book, settings, refused, directory, services, mode };
        self.decide("", "ctl", b"", Content::RuleBook(book));
        self.commit();
    }

    fn composed(&self) -> (u64, Vec<(Section, String, Option<String>)>) {
        let row = sections::read(&self.base).unwrap();
        let rows = row.sections.into_iter().map(|SectionRow { section, hash, loaded }| (section, hash, loaded));
        (row.version, rows.collect())
    }
}

const DONE: fn(&str) -> (Verdict, String) = |detail| (Verdict::Done, detail.to_owned());

#[test]
fn a_book_begins_when_it_has_every_section_and_each_change_is_a_version() {
    let mut lane = Lane::new();
    assert_eq!(lane.load("settings", "a", &json!({"loaded": hash("a")})), DONE("loaded"));
    assert_eq!(lane.composed().0, 0, "there is nothing to judge by");
    assert_eq!(sections::read(&lane.base).unwrap().reference(), None);
    lane.load("policies", "b", &json!({"loaded": hash("b")}));
    let (a, b) = ((Section::Settings, hash("a"), Some(hash("a"))), (Section::Policies, hash("b"), Some(hash("b"))));
    assert_eq!(lane.composed(), (1, vec![b, a.clone()]));
    assert_eq!(lane.load("policies", "b", &json!({"loaded": hash("b")})), DONE("unchanged"));
    assert_eq!(lane.composed().0, 1);
    // Changed by other means: what was loaded from files stays.
    lane.load("policies", "c", &json!({"expected": hash("b")}));
    assert_eq!(lane.composed(), (2, vec![(Section::Policies, hash("c"), Some(hash("b"))), a.clone()]));
    // The files say the same now: that is no other rule book.
    lane.load("policies", "c", &json!({"loaded": hash("c")}));
    assert_eq!(lane.composed(), (2, vec![(Section::Policies, hash("c"), Some(hash("c"))), a]));
    let reference = sections::read(&lane.base).unwrap().reference().unwrap();
    assert_eq!(reference.version, 2);
    let section = |section, letter| SectionRef { section, hash: hash(letter) };
    assert_eq!(reference.sections, [section(Section::Policies, "c"), section(Section::Settings, "a")]);
    assert_eq!(reference.content(Section::Settings), Some(&*hash("a")));
}

#[test]
fn who_expects_another_content_changes_nothing() {
    let mut lane = Lane::new();
    let refused = lane.load("policies", "b", &json!({"expected": hash("a")}));
    assert_eq!(
        refused,
        (Verdict::Conflict, "the section `policies` is not what was expected: it has nothing".to_owned())
    );
    lane.load("policies", "b", &json!({}));
    let (verdict, detail) = lane.load("policies", "c", &json!({"expected": hash("a")}));
    assert_eq!(verdict, Verdict::Conflict);
    assert_eq!(detail, format!("the section `policies` is not what was expected: it has `{}`", hash("b")));
    assert_eq!(lane.composed().1[0].1, hash("b"));
    assert_eq!(lane.load("policies", "c", &json!({"expected": hash("b")})), DONE("loaded"));
    let (verdict, _) = lane.load("policies", "z", &json!({}));
    assert_eq!(verdict, Verdict::Invalid, "no hash");
}

#[test]
fn each_load_is_audited_with_what_was_and_what_is() {
    let mut lane = Lane::new();
    lane.load("settings", "a", &json!({}));
    lane.load("policies", "b", &json!({}));
    lane.events.clear();
    lane.load("policies", "c", &json!({"loaded": hash("c")}));
    assert_eq!(lane.on("_provider.audit.load-policies")[0].kind, "linesman.audit.load-policies");
    let told = lane.on("_provider.audit.load-policies");
    let data = &told[0].data;
    let old = json!({"section": "policies", "hash": hash("b"), "loaded": null, "version": 1});
    let new = json!({"section": "policies", "hash": hash("c"), "loaded": hash("c"), "version": 2});
    assert_eq!((&data["old"], &data["new"], &data["principal"]["kind"]), (&old, &new, &json!("configuration")));
}

#[test]
fn before_level_5_the_event_of_a_load_does_not_say_of_which_section() {
    for level in [2, 3, 4] {
        let mut lane = Lane::at(level);
        lane.load("policies", "a", &json!({}));
        assert_eq!(lane.subjects(), ["_provider.audit.load-section"], "at level {level}");
    }
}

/// A rule book of before sections goes on: what is not loaded anew is read from its one content.
#[test]
fn a_whole_book_is_the_first_content_of_every_section() {
    let mut lane = Lane::new();
    lane.whole_book(3, &hash("d"));
    let d = |section| (section, hash("d"), None);
    assert_eq!(lane.load("policies", "b", &json!({"expected": hash("d")})), DONE("loaded"));
    assert_eq!(lane.composed(), (4, vec![(Section::Policies, hash("b"), None), d(Section::Settings)]));
}

#[test]
fn a_version_that_a_lane_may_have_is_given_to_no_other_book() {
    let mut lane = Lane::new();
    lane.load("settings", "a", &json!({}));
    lane.load("policies", "b", &json!({}));
    assert_eq!(lane.load("policies", "b", &json!({"above": 7})), DONE("loaded"));
    assert_eq!(lane.composed().0, 8);
    lane.rules(9, &[], Settings::default());
    lane.load("policies", "c", &json!({}));
    assert_eq!(lane.composed().0, 10);
}

#[test]
fn a_lane_keeps_which_sections_it_judges_by_and_rows_of_before_are_read() {
    let sections = vec![
        SectionHash { section: Section::Policies, hash: hash("b") },
        SectionHash { section: Section::Settings, hash: hash("a") },
    ];
    let row = BookRow { version: 2, hash: hash("e"), sections };
    let stored = table::encode(&row).unwrap();
    let key = rule_book::key();
    assert_eq!(table::decode::<BookRow>(key.as_bytes(), &stored).unwrap(), row);
    assert_eq!(&stored[..3], [0x80, 0x00, 2]);
    // Version 1: a number, and a text.
    let whole = postcard::to_stdvec(&(7_u64, hash("d"))).unwrap();
    let read: BookRow = table::decode(key.as_bytes(), &whole).unwrap();
    assert_eq!(read, BookRow { version: 7, hash: hash("d"), sections: Vec::new() });
    let reference = RuleBookRef { version: 7, hash: hash("d"), sections: Vec::new() };
    assert_eq!(read.reference(), reference);
    assert_eq!(SectionsRow::of(&read).reference(), Some(reference));
    assert_eq!(rule_book::BOOKS.form(1, key.as_bytes(), &whole).unwrap(), whole, "level 1 has what it had");
}

/// At level 1 nobody knew of it.
#[test]
fn level_1_does_not_read_it() {
    let mut lane = Lane::at(1);
    lane.events.clear();
    let command = json!({"id": "c", "principal": {"kind": "machine"}, "node": "n",
        "verb": {"load_section": {"section": "policies", "hash": hash("a")}}});
    let text = json!({"command": command}).to_string();
    lane.decide("", "ctl", text.as_bytes(), Content::Command(serde_json::from_value(command).unwrap()));
    lane.commit();
    assert_eq!(lane.subjects(), ["_provider.dead.command-undecodable"]);
    assert_eq!(lane.composed(), (0, Vec::new()));
}

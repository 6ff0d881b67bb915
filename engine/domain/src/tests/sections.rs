//! The rule book is composed on lane 0, section by section.

use linesman_schemas::audit::{Record, Verdict};
use linesman_schemas::control::{RuleBookRef, Section, SectionRef};
use linesman_schemas::service::{ServiceSource, ServicesSection};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::audit::{Log, Owner};
use crate::commands;
use crate::rule_book::{self, BookRow, SectionHash};
use crate::sections::{self, SectionRow, SectionsRow};
use crate::services::Catalog;
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
        let (directory, services) = (Arc::default(), Arc::default());
        let installation = InstallationSection::default();
        let book = RuleBook { version, hash, sections, book, settings, refused, directory, services, installation };
        self.decide("", "ctl", b"", Content::RuleBook(book));
        self.commit();
    }

    /// Hands out a rule book of these contents: policies with their texts, and settings.
    fn hand_out(
        &mut self,
        (version, letters): (u64, [&str; 2]),
        policies: &[(String, &str)],
        settings: Settings,
        services: ServicesSection,
    ) {
        let load = |(name, source): &(String, &str)| {
            let source =
                PolicySource { name: name.parse().unwrap(), owner: None, source: (*source).to_owned(), origin: None };
            Arc::new(Policy::load(&source).unwrap())
        };
        let book = Arc::new(Book::build(policies.iter().map(load).collect()));
        let section = |section, letter| SectionRef { section, hash: hash(letter) };
        let mut sections = vec![section(Section::Policies, letters[0]), section(Section::Settings, letters[1])];
        if !services.services.is_empty() {
            sections.push(section(Section::Services, "5"));
        }
        let named = sections::reference(version, sections);
        let (refused, directory, services) = (Arc::default(), Arc::default(), Arc::new(Catalog::of(services)));
        let (RuleBookRef { hash, sections, .. }, installation) = (named, InstallationSection::default());
        let book = RuleBook { version, hash, sections, book, settings, refused, directory, services, installation };
        self.decide("", "ctl", b"", Content::RuleBook(book));
        self.commit();
    }

    /// The records of what was taken up.
    fn taken_up(&self) -> Vec<Record> {
        let log = Log::open(&self.base, &Owner::Provider(0)).unwrap();
        let records = (0..log.head().size()).map(|index| log.record(index).unwrap().unwrap().0);
        records.filter(|record| record.operation.starts_with("take-up-")).collect()
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

const POLICY: &str = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) {}";
const OTHER: &str = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { throw \"oh\"; }";

/// What is shown of a policy's text.
fn shown(source: &str) -> Value {
    json!({"sha256": hex(&Sha256::digest(source)), "bytes": source.len()})
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_a_load_changed_is_on_record_with_whoever_asked_once_it_counts() {
    let mut lane = Lane::new();
    lane.load("settings", "a", &json!({"loaded": hash("a")}));
    lane.load("policies", "b", &json!({"loaded": hash("b")}));
    let policies = |policies: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
        policies.iter().map(|(name, source)| ((*name).to_owned(), *source)).collect()
    };
    let none = ServicesSection::default;
    lane.hand_out((1, ["b", "a"]), &policies(&[("one", POLICY), ("two", POLICY)]), Settings::default(), none());
    let first = lane.taken_up();
    assert_eq!(
        first.iter().map(|record| &*record.operation).collect::<Vec<_>>(),
        ["take-up-policies", "take-up-settings"]
    );
    assert_eq!((&first[1].old, &first[1].new["settings"]["case_poll_s"]), (&Value::Null, &json!(120)));

    lane.load("settings", "c", &json!({"loaded": hash("c")}));
    lane.load("policies", "d", &json!({"loaded": hash("d")}));
    let settings = Settings { case_poll_s: 60, audit_retention_s: 86_400, ..Settings::default() };
    lane.events.clear();
    lane.hand_out((3, ["d", "c"]), &policies(&[("one", OTHER), ("three", POLICY)]), settings.clone(), none());
    let [of_policies, of_settings] = <[Record; 2]>::try_from(lane.taken_up().split_off(2)).unwrap();
    let state = |section: &str, version: u64, letter: &str, said: Value| json!({"section": section, "version": version, "hash": hash(letter), "more": 0, section: said});
    let (old, new) =
        (json!({"audit_retention_s": 0, "case_poll_s": 120}), json!({"audit_retention_s": 86_400, "case_poll_s": 60}));
    assert_eq!(of_settings.old, state("settings", 1, "a", old));
    assert_eq!(of_settings.new, state("settings", 3, "c", new));
    assert_eq!(of_policies.old, state("policies", 1, "b", json!({"one": shown(POLICY), "two": shown(POLICY)})));
    assert_eq!(of_policies.new, state("policies", 3, "d", json!({"one": shown(OTHER), "three": shown(POLICY)})));
    // As of whoever asked, under the command of the load.
    let log = Log::open(&lane.base, &Owner::Provider(0)).unwrap();
    let mut load = (0..log.head().size()).map(|index| log.record(index).unwrap().unwrap().0);
    let load = load.rfind(|record| record.operation == "load-settings").unwrap();
    assert_eq!((&of_settings.actor, &of_settings.command), (&load.actor, &load.command));
    assert_eq!((of_settings.place.as_str(), of_settings.about.as_deref()), ("/", Some("settings")));
    let said = &lane.on("_provider.audit.take-up-settings")[0].data;
    assert_eq!((&said["new"], &said["index"]), (&of_settings.new, &json!(of_settings.index)));

    // What nobody asked for under that hash was the engine's; what did not change is not told of.
    lane.hand_out((4, ["d", "e"]), &policies(&[("one", OTHER), ("three", POLICY)]), settings, none());
    let last = lane.taken_up().split_off(4);
    assert_eq!((last.len(), &*last[0].operation, &*last[0].actor), (1, "take-up-settings", "machine"));
    assert_eq!((&last[0].old["settings"], &last[0].new["settings"]), (&json!({}), &json!({})));
}

#[test]
fn what_a_load_of_services_changed_is_on_record() {
    let mut lane = Lane::new();
    let source = |text: &str| ServiceSource {
        name: "nat".parse().unwrap(),
        files: [("service.toml".to_owned(), text.to_owned())].into(),
    };
    let section = |text: &str, parameters: &str| ServicesSection {
        services: vec![source(text)],
        parameters: Some(parameters.to_owned()),
        refused: Vec::new(),
    };
    lane.hand_out((1, ["b", "a"]), &[], Settings::default(), ServicesSection::default());
    lane.hand_out((2, ["b", "a"]), &[], Settings::default(), section("[service]", "x"));
    let record = lane.taken_up().pop().unwrap();
    assert_eq!((&*record.operation, &record.old["services"]), ("take-up-services", &json!({})));
    let new = json!({
        "nat": {"version": crate::services::version(&source("[service]")), "bytes": 9},
        "parameters.toml": shown("x"),
    });
    assert_eq!(record.new["services"], new);
}

#[test]
fn a_record_of_what_changed_stays_small_and_says_how_much_more_there_is() {
    let mut lane = Lane::new();
    let many: Vec<(String, &str)> = (0..300).map(|number| (format!("policy-{number:03}"), POLICY)).collect();
    lane.hand_out((1, ["b", "a"]), &many, Settings::default(), ServicesSection::default());
    lane.hand_out((2, ["c", "a"]), &[], Settings::default(), ServicesSection::default());
    let record = lane.taken_up().pop().unwrap();
    assert_eq!(
        (&record.old["more"], &record.new["more"], &record.new["policies"]),
        (&json!(250), &json!(250), &json!({}))
    );
    let told = record.old["policies"].as_object().unwrap();
    assert_eq!((told.len(), told.contains_key("policy-049")), (50, true));
    assert!(record.old.to_string().len() < 8 * 1024, "{}", record.old.to_string().len());
}

#[test]
fn before_level_7_what_a_load_changed_is_on_no_record() {
    let mut lane = Lane::at(6);
    lane.load("settings", "a", &json!({}));
    lane.load("policies", "b", &json!({}));
    lane.hand_out((1, ["b", "a"]), &[], Settings::default(), ServicesSection::default());
    assert_eq!(lane.taken_up(), []);
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

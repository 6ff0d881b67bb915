//! Decisions on memory alone: no store, no server, no clock.

mod activations;
mod addresses;
mod approvals;
mod audit;
mod cascade;
mod changes;
mod circuits;
mod clocks;
mod collected;
mod commands;
mod course;
mod documentation;
mod encodings;
mod expiries;
mod forwarding;
mod further;
mod gathered;
mod handover;
mod jobs;
mod leaving;
mod letters;
mod level1;
mod levels;
mod listeners;
mod logins;
mod managers;
mod matches;
mod modes;
mod order;
mod overrides;
mod parts;
mod policies;
mod principals;
mod provided;
mod quotas;
mod reached;
mod removals;
mod scripts;
mod sections;
mod sent;
mod services;
mod sight;
mod sources;
mod spans;
mod standing;
mod strays;
mod uploads;
mod upward;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use linesman_rules::{Book, Judge, Limits, Policy};
use linesman_schemas::Mode;
use linesman_schemas::bundle::corpus::specimens;
use linesman_schemas::bundle::decode;
use linesman_schemas::control::{InstallationSection, PolicySource, Settings};
use linesman_schemas::event::{self, Received};
use serde_json::{Value, json};

use super::cases::{CaseRow, CaseState};
use super::directory::Directory;
use super::input::{Content, Input, RuleBook};
use super::reactions::PendingRow;
use super::services::Catalog;
use super::state::Memory;
use super::table::{Key, Row, Table};
use super::{Decision, Domain, Parts, cases, devices, level, reactions, snapshots};

/// A lane on memory.
struct Lane {
    base: Memory,
    domain: Domain,
    judge: Rc<RefCell<Judge>>,
    sequence: u64,
    now: Timestamp,
    events: Vec<(String, Received)>,
    book: Option<RuleBook>,
    /// The services of the rule books to come.
    services: Arc<Catalog>,
    /// The directory of those.
    directory: Arc<Directory>,
    /// The mode of those.
    mode: Mode,
    /// Which lane.
    number: u32,
    /// Whether state is closed and opened again after every input.
    reopens: bool,
}

fn open(base: &Memory, judge: &Rc<RefCell<Judge>>, book: Option<RuleBook>, lane: u32) -> Domain {
    let (judge, room) = (Rc::clone(judge), Arc::default());
    let parts = Parts { lane, stream: "s".to_owned(), payload_most: 4096, judge, book, room };
    Domain::open(Box::new(base.handle()), parts).unwrap()
}

impl Lane {
    fn new() -> Self {
        Self::at(level::NEWEST)
    }

    /// A lane that decides at a level.
    fn at(level: u32) -> Self {
        let base = Memory::default();
        let judge = Rc::new(RefCell::new(Judge::new(Limits::default())));
        let (directory, number) = (Arc::default(), 0);
        let domain = open(&base, &judge, None, number);
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let (events, book, services) = (Vec::new(), None, Arc::default());
        let (mode, reopens) = (Mode::default(), false);
        let mut lane =
            Self { base, domain, judge, sequence: 0, now, events, book, services, directory, mode, number, reopens };
        lane.decide("", "ctl", b"", Content::Level(level));
        lane.commit();
        lane
    }

    /// A lane with organizations and policies.
    fn with(policies: &[(&str, &str)]) -> Self {
        Self::with_at(level::NEWEST, policies)
    }

    fn with_at(level: u32, policies: &[(&str, &str)]) -> Self {
        let mut lane = Self::at(level);
        lane.organization("acme", "Send all information");
        lane.organization("bolt", "Send all information");
        lane.rules(1, policies, Settings::default());
        lane.events.clear();
        lane
    }

    fn organization(&mut self, name: &str, filter_level: &str) {
        let verb = json!({"set_organization": {"display_name": name, "is_proxy": true, "filter_level": filter_level}});
        self.command(name, &verb);
    }

    fn command(&mut self, org: &str, verb: &Value) {
        let id = format!("c{}", self.sequence);
        let command = json!({"id": id, "actor": "admin", "node": "test", "verb": verb});
        self.take(org, "cmd", command.to_string().as_bytes());
        self.work();
    }

    /// Work in slices is done.
    fn work(&mut self) {
        while self.domain.has_work() {
            self.decide("", "ctl", b"", Content::Continue { is_alone: false });
            self.commit();
        }
    }

    fn rules(&mut self, version: u64, policies: &[(&str, &str)], settings: Settings) {
        let load = |(name, source): &(&str, &str)| {
            let owner = name.split_once('/').map(|(owner, _)| owner.parse().unwrap());
            let source =
                PolicySource { name: name.parse().unwrap(), owner, source: (*source).to_owned(), origin: None };
            Arc::new(Policy::load(&source).unwrap())
        };
        let book = Arc::new(Book::build(policies.iter().map(load).collect()));
        let (hash, sections, refused) = (version.to_string(), Vec::new(), Arc::default());
        let (directory, services, mode) = (Arc::clone(&self.directory), Arc::clone(&self.services), self.mode);
        let installation = InstallationSection { mode, ..InstallationSection::default() };
        let book = RuleBook { version, hash, sections, book, settings, refused, directory, services, installation };
        self.book = Some(book.clone());
        self.decide("", "ctl", b"", Content::RuleBook(book));
        self.commit();
    }

    fn decide(&mut self, org: &str, kind: &str, bytes: &[u8], content: Content<'_>) {
        self.sequence += 1;
        let input = Input { sequence: self.sequence, time: self.now, sha256: [7; 32], org, kind, bytes, content };
        self.domain.decide(&input).unwrap();
    }

    /// One input, a batch of its own.
    fn take(&mut self, org: &str, kind: &str, bytes: &[u8]) -> Decision {
        self.decide(org, kind, bytes, Content::decode(kind, bytes));
        self.commit()
    }

    fn commit(&mut self) -> Decision {
        let decision = self.domain.take().unwrap();
        for message in &decision.messages {
            let events = event::read(&message.payload).unwrap();
            self.events.extend(events.into_iter().map(|event| (message.subject.clone(), event)));
        }
        self.base.apply(&decision.writes);
        self.domain.applied(&decision.writes);
        if self.reopens {
            self.domain = open(&self.base, &self.judge, self.book.clone(), self.number);
        }
        decision
    }

    fn bundle(&mut self, org: &str, host: &str, number: u64, priority: &str) {
        self.take(org, "jmb", bundle(host, number, priority).as_bytes());
    }

    fn on(&self, subject: &str) -> Vec<&Received> {
        self.events.iter().filter(|(on, _)| on == subject).map(|(_, event)| event).collect()
    }

    fn subjects(&self) -> Vec<&str> {
        self.events.iter().map(|(subject, _)| subject.as_str()).collect()
    }

    /// The subjects without what tells of each change.
    fn subjects_besides_changes(&self) -> Vec<&str> {
        self.subjects().into_iter().filter(|subject| !subject.ends_with(".trigger.incident.changed")).collect()
    }

    fn row<R: Row>(&self, key: &Key<R>) -> Option<R> {
        Table::read(&self.base, key).unwrap()
    }

    fn case(&self, org: &str, number: u64) -> CaseRow {
        self.row(&cases::key(&org.parse().unwrap(), number)).unwrap()
    }

    fn pending(&self) -> Vec<(String, PendingRow)> {
        reactions::all(&self.base).map(Result::unwrap).filter(|(_, row)| row.org.is_some()).collect()
    }

    /// A connector reports on the only pending reaction.
    fn report(&mut self, outcome: &Value) {
        let (id, row) = self.pending().pop().unwrap();
        let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": outcome}});
        self.take("acme", "result", report.to_string().as_bytes());
    }
}

fn bundle(host: &str, number: u64, priority: &str) -> String {
    format!(
        "<jmb version=\"1.0\" type=\"event\"><manifest>\
         <host-event-ID>{host}-SN{host}-20261121-101502-{number}</host-event-ID>\
         <time-occurred>2026-11-21T10:15:02Z</time-occurred><event-type>T</event-type>\
         <problem-synopsis>secret synopsis of {host}</problem-synopsis><priority>{priority}</priority>\
         <device><host-name>{host}</host-name><serial-number>SN{host}</serial-number><product>MX240</product>\
         <os-version>21.4R3</os-version></device></manifest></jmb>"
    )
}

const OPEN_CASE: &str = "policy(#{ on: \"incident.detected\" });\n\
    fn react(incident, org) { submit_case(#{ synopsis: `leak: ${incident.synopsis}`, comments: \"leak\" }); }";

const STANDING: &str = r#"{"case_changed":{"incident":"acme-1","case_id":"C-1","status":"created","link":null,"updated":"2026-11-21T10:05:00Z"}}"#;

fn accepted() -> Value {
    json!({"done": {"case_accepted": {"transaction_id": "T-1", "case": null}}})
}

fn failed(class: &str, retry_after_s: Option<u32>) -> Value {
    json!({"failed": {"class": class, "message": "no", "retry_after_s": retry_after_s}})
}

#[test]
fn a_repeated_bundle_is_counted_and_fires_nothing() {
    let mut lane = Lane::with(&[]);
    lane.bundle("acme", "a", 1, "High");
    lane.now = lane.now.checked_add((24 * 80).hours()).unwrap();
    lane.bundle("acme", "a", 1, "High");
    assert_eq!(lane.subjects(), ["acme.trigger.incident.detected"]);
    let incident = lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap();
    assert_eq!(incident.row.repeats, 1);
    lane.now = lane.now.checked_add((24 * 11).hours()).unwrap();
    lane.bundle("acme", "a", 1, "High");
    assert_eq!(lane.subjects().len(), 2, "past the retention it is another problem");
}

#[test]
fn the_same_host_event_id_of_another_organization_is_another_incident() {
    let mut lane = Lane::with(&[]);
    lane.bundle("acme", "a", 1, "High");
    lane.bundle("bolt", "a", 1, "High");
    assert_eq!(lane.subjects(), ["acme.trigger.incident.detected", "bolt.trigger.incident.detected"]);
    assert_eq!(lane.on("bolt.trigger.incident.detected")[0].data["id"], "bolt-1", "nobody counts another's");
}

#[test]
fn an_organizations_own_policy_judges_nobody_else() {
    let mut lane = Lane::with(&[("acme/own", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    lane.bundle("bolt", "b", 1, "High");
    assert_eq!(lane.on("acme.reaction.jss").len(), 1);
    assert!(lane.on("bolt.reaction.jss").is_empty());
}

#[test]
fn a_failing_policy_stops_neither_the_lane_nor_the_others() {
    let throws =
        "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) {\n    submit_case();\n    throw \"oh\";\n}";
    let assigns =
        "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { assign(\"ann\"); set_priority(\"Low\"); }";
    let mut lane = Lane::with(&[("a-throws", throws), ("b-assigns", assigns)]);
    lane.bundle("acme", "a", 1, "High");
    let letter = lane.on("acme.dead.policy-failed")[0];
    assert_eq!(letter.data["policy"]["name"], "a-throws");
    assert_eq!(letter.data["place"]["line"], 4);
    assert!(lane.pending().is_empty(), "the intents of a policy that fails are discarded");
    let incident = lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap();
    assert_eq!((incident.row.owner.as_str(), incident.row.priority.as_str()), ("ann", "Low"));
}

#[test]
fn intelligence_is_kept_and_fires_when_it_is_news() {
    let policy = "policy(#{ on: \"intelligence.received\", where: #{ serial_number: \"SN1\" } });\n\
        fn react(message, org) { publish(\"notice\", #{ id: message.id }); }";
    let mut lane = Lane::with(&[("notice", policy)]);
    let message = |title: &str| {
        json!({"id": "TSB1", "kind": "alert", "title": title, "issued": "2026-11-21T10:00:00Z",
            "relevance": {"serial_numbers": ["SN0", "SN1"]}})
        .to_string()
    };
    for text in [message("one"), message("one"), message("two")] {
        lane.take("acme", "intel", text.as_bytes());
    }
    assert_eq!(lane.on("acme.trigger.intelligence.received").len(), 2);
    assert_eq!(lane.on("acme.reaction.notice").len(), 2);
}

#[test]
fn the_latest_snapshots_are_kept_whatever_comes_again() {
    let mut lane = Lane::with(&[]);
    let information = |number: u64| {
        format!(
            "<jmb version=\"1.0\" type=\"information\"><manifest>\
             <host-event-ID>a-SN-20261101-000000-{number}</host-event-ID>\
             <time-occurred>2026-11-{:02}T00:00:00Z</time-occurred><device><host-name>a</host-name>\
             <serial-number>SN</serial-number><product>MX240</product><os-version>21.4R3</os-version></device>\
             </manifest></jmb>",
            number + 1
        )
    };
    for number in (0..10).chain([9, 0]) {
        lane.take("acme", "jmb", information(number).as_bytes());
    }
    let row: snapshots::SnapshotsRow = lane.row(&snapshots::key(&"acme".parse().unwrap(), "SN")).unwrap();
    let kept: Vec<_> = row.snapshots.iter().map(|kept| kept.host_event_id.rsplit('-').next().unwrap()).collect();
    assert_eq!(kept, ["9", "8", "7", "6", "5", "4", "3", "2"]);
    assert!(lane.subjects().is_empty(), "information fires nothing");
}

#[test]
fn what_cannot_be_read_or_placed_becomes_a_dead_letter() {
    let mut lane = Lane::with(&[]);
    lane.take("acme", "jmb", b"<jmb");
    lane.take("acme", "intel", b"{");
    lane.take("acme", "cmd", b"{}");
    lane.take("acme", "result", b"[]");
    lane.take("acme", "other", b"");
    lane.take("nobody", "jmb", b"<jmb");
    lane.take("_bad", "cmd", br#"{"id":"x","actor":"admin","node":"t","verb":"suspend_organization"}"#);
    lane.take("acme", "result", STANDING.as_bytes());
    assert_eq!(
        lane.subjects(),
        [
            "acme.dead.bundle-undecodable",
            "acme.dead.intelligence-undecodable",
            "acme.dead.command-undecodable",
            "acme.dead.result-undecodable",
            "acme.dead.unknown-kind",
            "_unknown.dead.unknown-organization",
            "_unknown.dead.unknown-organization",
            "acme.dead.unknown-case",
        ]
    );
}

/// Everything above in one run, to be cut into batches in different ways.
fn play(lane: &mut Lane, batch: usize) {
    let bundles: Vec<_> = specimens().into_iter().map(|specimen| specimen.bytes).collect();
    for (number, bytes) in bundles.iter().enumerate() {
        let org = ["acme", "bolt", "nobody"][number % 3];
        lane.now = lane.now.checked_add(7.hours()).unwrap();
        lane.decide(org, "jmb", bytes, Content::decode("jmb", bytes));
        if number % batch == batch - 1 {
            lane.commit();
        }
    }
    lane.commit();
    while let Some((id, row)) = lane.pending().pop() {
        let report = json!({"attempt": {"reaction": id, "attempt": row.attempt, "requests": 1, "outcome": accepted()}});
        let org = row.org.unwrap();
        lane.take(org.as_str(), "result", report.to_string().as_bytes());
    }
}

#[test]
fn batches_and_reopening_change_nothing() {
    let policies =
        [("open", OPEN_CASE), ("acme/log", "policy(#{ on: \"incident.submitted\" });\nfn react(i, o) { log(i.id); }")];
    let mut whole = Lane::with(&policies);
    play(&mut whole, usize::MAX - 1);
    for batch in [1, 3, 7] {
        for reopens in [false, true] {
            let mut lane = Lane::with(&policies);
            lane.reopens = reopens;
            play(&mut lane, batch);
            assert_eq!(lane.domain.position(), whole.domain.position());
            assert_eq!(lane.base.rows(), whole.base.rows(), "batches of {batch}, reopened: {reopens}");
        }
    }
}

#[test]
fn a_device_is_what_its_latest_bundle_says() {
    let mut lane = Lane::with(&[]);
    let org = "acme".parse().unwrap();
    lane.bundle("acme", "edge-01", 1, "Low");
    let text = bundle("edge-01", 2, "Low");
    let said = decode(text.as_bytes()).unwrap().manifest.device;
    let key = || devices::key(&org, &said.serial_number);
    let first = lane.row(&key()).unwrap();
    for (number, (old, new)) in
        (2..).zip([(&*said.host_name, "edge-02"), (&*said.product, "MX960"), (&*said.os_version, "22.2R1")])
    {
        let changed = bundle("edge-01", number * 10, "Low").replace(&format!(">{old}<"), &format!(">{new}<"));
        lane.take("acme", "jmb", changed.as_bytes());
        let row = lane.row(&key()).unwrap();
        assert!([&*row.host_name, &*row.product, &*row.os_version].contains(&new), "{new}: {row:?}");
        assert_eq!(row.first_seen, first.first_seen);
        lane.bundle("acme", "edge-01", number * 10 + 1, "Low");
        assert_eq!(lane.row(&key()).unwrap(), first);
    }
    lane.now += 2.hours();
    lane.bundle("acme", "edge-01", 9, "Low");
    let row = lane.row(&key()).unwrap();
    assert_eq!((row.os_version, row.last_seen), (first.os_version, lane.now));
}

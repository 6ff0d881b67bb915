//! Bundles that are larger than a message, and files that bundles name: what is decided of them, what goes along, and when it goes.

use linesman_schemas::collected::Missed;

use super::*;
use crate::uploads::fetched::{self, FileState};
use crate::uploads::{self, Held, UploadState};

const HASH: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const OTHER: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const DAY_H: i64 = 24;

fn kept(outline: &str, sha256: &str) -> Value {
    json!({"bundle_kept": {
        "device": "r1", "outline": outline, "stored": format!("d-{}", &sha256[..4]), "size": 5_000_000,
        "sha256": sha256, "parts": [[400, 4_000_000]],
    }})
}

/// An outline of the bundle of an event, with an attachment that only names a file.
fn event_outline(number: u64) -> String {
    let attached = "</manifest><attachments><attachment name=\"a_rsi.txt\"/></attachments></jmb>";
    bundle("a", number, "High").replace("</manifest></jmb>", attached)
}

fn information_outline(hour: u32) -> String {
    format!(
        "<jmb version=\"1.0\" type=\"information\"><manifest>\
         <host-event-ID>a-SNa-20261121-{hour:02}0000-1</host-event-ID>\
         <time-occurred>2026-11-21T{hour:02}:00:00Z</time-occurred>\
         <device><host-name>a</host-name><serial-number>SNa</serial-number><product>MX240</product>\
         <os-version>21.4R3</os-version></device></manifest></jmb>"
    )
}

fn named(count: usize) -> Value {
    named_by(HASH, count)
}

/// The same, of the bundle of an event that is no larger than a message.
fn named_by_small(count: usize) -> Value {
    // What the inputs of a lane have.
    named_by(&hex::encode([7; 32]), count)
}

fn named_by(sha256: &str, count: usize) -> Value {
    let file = |number: usize| json!({"name": format!("{number}.tgz"), "path": format!("/var/tmp/{number}.tgz")});
    let files: Vec<Value> = (0..count).map(file).collect();
    let host_event_id = "a-SNa-20261121-101502-1";
    json!({"files_named": {"device": "r1", "host_event_id": host_event_id, "sha256": sha256, "files": files}})
}

fn fetched(number: u32, sha256: &str) -> Value {
    let outcome = json!({"fetched": {"stored": format!("d-{number}"), "size": 7, "sha256": sha256}});
    json!({"file_tried": {"incident": "acme-1", "number": number, "outcome": outcome}})
}

fn missed(number: u32, reason: &str) -> Value {
    let outcome = json!({"missed": {"reason": reason, "detail": "it is not there"}});
    json!({"file_tried": {"incident": "acme-1", "number": number, "outcome": outcome}})
}

impl Lane {
    fn hears(&mut self, org: &str, report: &Value) {
        self.take(org, "result", report.to_string().as_bytes());
        self.work();
    }

    fn with_device(policies: &[(&str, &str)]) -> Self {
        let mut lane = Self::with(policies);
        for org in ["acme", "bolt"] {
            let new = json!({"name": "r1", "is_new": true, "address": "192.0.2.1", "user": "u", "credentials": "key"});
            lane.command(org, &json!({"set_device": new}));
        }
        lane
    }

    /// How many rows name an object.
    fn names(&self, sha256: &str) -> u32 {
        let key = uploads::object(&"acme".parse().unwrap(), &uploads::sha256(sha256).unwrap());
        self.row(&key).map_or(0, |row| row.names)
    }

    /// What goes with the case, and what of it is pending.
    fn files(&self) -> Vec<(u32, String, Held, UploadState)> {
        let rows = uploads::of_case(&self.base, &"acme-1".parse().unwrap());
        rows.map(|found| found.map(|(number, row)| (number, row.name, row.held, row.state)).unwrap()).collect()
    }

    fn leaving(&self) -> Vec<Value> {
        let actions = self.pending().into_iter().map(|(_, row)| serde_json::from_str::<Value>(&row.action).unwrap());
        actions.filter_map(|action| action.get("upload").cloned()).collect()
    }

    fn wanted(&self, org: &str) -> usize {
        fetched::wanted(&self.base, &org.parse().unwrap(), "r1").map(Result::unwrap).count()
    }

    fn file(&self, number: u32) -> FileState {
        self.row(&fetched::file_key(&"acme-1".parse().unwrap(), number)).unwrap().state
    }

    fn hours_pass(&mut self, hours: i64) {
        self.now = self.now.checked_add(hours.hours()).unwrap();
        self.decide("", "ctl", b"", Content::Tick);
        self.commit();
        self.work();
    }
}

fn object(sha256: &str) -> Held {
    Held::Object(uploads::sha256(sha256).unwrap())
}

#[test]
fn a_large_bundle_is_an_incident_like_any_other_and_its_bytes_go_with_the_case() {
    let mut lane = Lane::with_device(&[("open", OPEN_CASE)]);
    lane.hears("acme", &kept(&event_outline(1), HASH));
    let incident = lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap();
    assert_eq!((incident.row.bundle.length, hex::encode(incident.row.bundle.sha256)), (5_000_000, HASH.to_owned()));
    let part = &incident.row.bundle.parts[0];
    assert_eq!((part.name.as_str(), part.start, part.end), ("a_rsi.txt", 400, 4_000_000));
    assert_eq!(lane.files(), [(0, "acme-1.xml".to_owned(), object(HASH), UploadState::Kept)]);
    assert_eq!(lane.names(HASH), 1);
    lane.report(&accepted());
    lane.take("acme", "result", STANDING.as_bytes());
    let leaving = lane.leaving();
    assert_eq!(leaving.len(), 1, "{leaving:?}");
    assert_eq!(leaving[0]["source"], json!({"object": {"sha256": HASH, "size": 5_000_000}}));
    assert_eq!((&leaving[0]["kind"], &leaving[0]["name"]), (&json!("bundle"), &json!("acme-1.xml")));

    // The same once more is the same incident, and names nothing.
    lane.hears("acme", &kept(&event_outline(1), OTHER));
    assert_eq!((lane.names(HASH), lane.names(OTHER)), (1, 0));
    assert_eq!(lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap().row.repeats, 1);
    assert!(lane.subjects().iter().all(|subject| !subject.starts_with("bolt.trigger")));
}

#[test]
fn what_whoever_opens_a_case_keeps_back_stays_of_a_large_bundle_and_of_files() {
    let mut lane = Lane::with_device(&[]);
    lane.hears("acme", &kept(&event_outline(1), HASH));
    lane.hears("acme", &named(1));
    lane.command("acme", &json!({"submit_case": {"incident": "acme-1", "case": {"attachments": false}}}));
    lane.report(&accepted());
    lane.take("acme", "result", STANDING.as_bytes());
    lane.hears("acme", &fetched(0, OTHER));
    let leaving = lane.leaving();
    assert_eq!(leaving.len(), 1, "{leaving:?}");
    assert_eq!(leaving[0]["without"], json!(["attachments"]));
    assert_eq!(lane.files()[1], (1, "0.tgz".to_owned(), object(OTHER), UploadState::Kept));
}

#[test]
fn what_is_no_outline_is_a_dead_letter_and_so_is_one_before_its_level() {
    let mut lane = Lane::with_device(&[]);
    lane.hears("acme", &kept("<jmb/>", HASH));
    lane.hears("acme", &kept(&event_outline(1), "none"));
    assert_eq!(lane.on("acme.dead.bundle-undecodable").len(), 2, "{:?}", lane.subjects());
    assert_eq!(lane.names(HASH), 0);
    let mut lane = Lane::with_at(12, &[]);
    for report in [kept(&event_outline(1), HASH), named(1), missed(0, "absent")] {
        lane.hears("acme", &report);
    }
    assert_eq!(lane.on("acme.dead.result-undecodable").len(), 3, "{:?}", lane.subjects());
}

#[test]
fn what_is_kept_of_an_incident_goes_a_while_after_it_is_over() {
    let mut lane = Lane::with_device(&[]);
    lane.hears("acme", &kept(&event_outline(1), HASH));
    lane.hears("acme", &named(2));
    lane.hears("acme", &fetched(0, OTHER));
    lane.hours_pass(30 * DAY_H);
    assert_eq!((lane.names(HASH), lane.names(OTHER)), (1, 1), "it is not over");
    lane.command("acme", &json!({"close_incident": {"incident": "acme-1", "note": ""}}));
    lane.hours_pass(6 * DAY_H);
    lane.command("acme", &json!({"reopen_incident": {"incident": "acme-1", "note": ""}}));
    lane.hours_pass(30 * DAY_H);
    assert_eq!((lane.names(HASH), lane.names(OTHER)), (1, 1), "it is not over after all");
    lane.command("acme", &json!({"close_incident": {"incident": "acme-1", "note": ""}}));
    lane.hours_pass(8 * DAY_H);
    assert_eq!((lane.names(HASH), lane.names(OTHER)), (0, 0));
    let total = lane.row(&uploads::kept(&"acme".parse().unwrap())).unwrap();
    assert_eq!((total.objects, total.bytes, lane.wanted("acme")), (0, 0, 0));
    assert!(lane.files().iter().all(|(_, _, held, _)| matches!(held, Held::Released(_))), "what is known of it stays");
}

#[test]
fn of_a_devices_large_snapshots_the_newest_is_kept_and_goes_upward() {
    let mut lane = Lane::with_device(&[]);
    lane.hears("acme", &kept(&information_outline(2), HASH));
    assert_eq!(lane.names(HASH), 1);
    lane.hears("acme", &kept(&information_outline(1), OTHER));
    assert_eq!((lane.names(HASH), lane.names(OTHER)), (1, 0), "it is older");
    lane.hears("acme", &kept(&information_outline(3), OTHER));
    assert_eq!((lane.names(HASH), lane.names(OTHER)), (0, 1));
    let verb = json!({"display_name": "acme", "is_proxy": true, "filter_level": "Send all information",
        "snapshot_interval_s": 86_400});
    lane.command("acme", &json!({"set_organization": verb}));
    lane.hours_pass(DAY_H);
    let leaving = lane.leaving();
    assert_eq!(leaving.len(), 1, "{leaving:?}");
    assert_eq!(leaving[0]["source"], json!({"object": {"sha256": OTHER, "size": 5_000_000}}));
    lane.take("acme", "jmb", information_outline(4).as_bytes());
    lane.hours_pass(DAY_H);
    assert!(lane.leaving()[0]["source"]["input"].is_object(), "a newer one that is small goes in its place");
}

#[test]
fn a_file_that_is_named_is_wanted_until_it_is_there_and_goes_with_the_case_then() {
    let mut lane = Lane::with_device(&[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    lane.hears("bolt", &named_by_small(2));
    // Another bundle of the same host-event-ID, which became nothing.
    lane.hears("acme", &named(1));
    assert_eq!(lane.wanted("acme"), 0, "whoever knows its host-event-ID attaches files to an incident");
    lane.hears("acme", &named_by_small(2));
    lane.hears("acme", &named_by_small(3));
    assert_eq!((lane.wanted("acme"), lane.wanted("bolt")), (2, 0), "once, and of its own organization alone");
    lane.report(&accepted());
    lane.take("acme", "result", STANDING.as_bytes());
    assert_eq!(lane.leaving().len(), 1, "its bundle");
    lane.hears("acme", &missed(0, "absent"));
    lane.hears("bolt", &fetched(0, OTHER));
    assert!(matches!(lane.file(0), FileState::Missed(why) if why.reason == Missed::Absent), "{:?}", lane.file(0));
    for _ in 0..2 {
        lane.hears("acme", &fetched(0, OTHER));
    }
    assert_eq!((lane.wanted("acme"), lane.names(OTHER)), (1, 1));
    assert!(matches!(lane.file(0), FileState::Fetched { upload: 1, .. }));
    let leaving = lane.leaving();
    assert_eq!(leaving.len(), 2, "{leaving:?}");
    assert!(leaving.iter().any(|upload| upload["name"] == "0.tgz" && upload["kind"] == "attachment"), "{leaving:?}");
}

#[test]
fn a_file_is_given_up_after_a_week_at_once_where_it_lies_elsewhere_and_with_its_device() {
    let mut lane = Lane::with_device(&[]);
    lane.bundle("acme", "a", 1, "High");
    lane.hears("acme", &named_by_small(4));
    lane.hears("acme", &missed(1, "elsewhere"));
    assert!(matches!(lane.file(1), FileState::GivenUp(_)));
    lane.hours_pass(7 * DAY_H - 1);
    lane.hears("acme", &missed(0, "absent"));
    assert!(matches!(lane.file(0), FileState::Missed(_)) && lane.wanted("acme") == 3);
    lane.hours_pass(1);
    lane.hears("acme", &missed(0, "absent"));
    assert!(matches!(lane.file(0), FileState::GivenUp(_)) && lane.wanted("acme") == 2);
    // What was on its way meanwhile is there.
    lane.hears("acme", &fetched(2, HASH));
    assert_eq!((lane.names(HASH), lane.wanted("acme")), (1, 1));
    lane.command("acme", &json!({"remove_device": {"name": "r1"}}));
    assert_eq!(lane.wanted("acme"), 0);
    assert!(matches!(lane.file(3), FileState::GivenUp(_)));
}

#[test]
fn what_a_bundle_names_is_not_fetched_from_hardware_that_came_in_place_of_its_device() {
    let by_serial = json!({"set_device": {"name": "r1", "serial_number": "JN2"}});
    let elsewhere = json!({"set_device": {"name": "r1", "address": "192.0.2.9", "credentials": "key"}});
    for replaced in [by_serial, elsewhere] {
        let mut lane = Lane::with_device(&[]);
        lane.command("acme", &json!({"set_device": {"name": "r1", "serial_number": "JN1"}}));
        lane.bundle("acme", "a", 1, "High");
        lane.hears("acme", &named_by_small(2));
        assert_eq!(lane.wanted("acme"), 2);
        lane.command("acme", &replaced);
        assert_eq!(lane.wanted("acme"), 0, "{replaced}");
        assert!(lane.wanted("bolt") == 0 && matches!(lane.file(0), FileState::GivenUp(_)), "{replaced}");
    }
}

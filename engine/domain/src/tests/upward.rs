//! Newest snapshots of devices go to the upstream at an interval: which, when, how filtered, and what becomes of them.

use std::collections::BTreeSet;

use linesman_schemas::audit::Verdict;

use super::*;
use crate::commands;
use crate::uploads;

const DAY_S: i64 = 86_400;
const HASH: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const OTHER: &str = "1111111111111111111111111111111111111111111111111111111111111111";

fn information(host: &str, hour: u32) -> String {
    format!(
        "<jmb version=\"1.0\" type=\"information\"><manifest>\
         <host-event-ID>{host}-SN{host}-20261121-{hour:02}0000-1</host-event-ID>\
         <time-occurred>2026-11-21T{hour:02}:00:00Z</time-occurred>\
         <device><host-name>{host}</host-name><serial-number>SN{host}</serial-number><product>MX240</product>\
         <os-version>21.4R3</os-version></device></manifest></jmb>"
    )
}

impl Lane {
    fn snapshot(&mut self, host: &str, hour: u32) {
        self.sequence += 1;
        let text = information(host, hour);
        let (bytes, sha256) = (text.as_bytes(), [u8::try_from(hour).unwrap(); 32]);
        let (sequence, time, content) = (self.sequence, self.now, Content::decode("jmb", bytes));
        let input = Input { sequence, time, sha256, org: "acme", kind: "jmb", bytes, content };
        self.domain.decide(&input).unwrap();
        self.commit();
        self.work();
    }

    fn interval(&mut self, interval_s: i64, more: &Value) {
        let mut verb = json!({"display_name": "acme", "is_proxy": true, "filter_level": "Send all information",
            "snapshot_interval_s": interval_s});
        for (name, value) in more.as_object().unwrap() {
            verb[name] = value.clone();
        }
        self.command("acme", &json!({"set_organization": verb}));
        self.pass(0);
    }

    /// So much time passes, and what is due by then is done.
    fn pass(&mut self, seconds: i64) {
        self.now = self.now.checked_add(seconds.seconds()).unwrap();
        self.decide("", "ctl", b"", Content::Tick);
        self.commit();
        self.work();
    }

    /// The uploads that are pending: reaction, row, and what a connector is told.
    fn upward(&self) -> Vec<(String, PendingRow, Value)> {
        let told = |(id, row): (String, PendingRow)| {
            let action: Value = serde_json::from_str(&row.action).unwrap();
            Some((id, row, action.get("upload")?.clone()))
        };
        self.pending().into_iter().filter_map(told).collect()
    }

    /// Which messages of IN are on their way.
    fn sequences(&self) -> Vec<u64> {
        self.upward().iter().map(|(_, _, upload)| upload["source"]["input"]["sequence"].as_u64().unwrap()).collect()
    }

    fn uploaded(&mut self) {
        self.report(&json!({"done": {"uploaded": {"sha256": OTHER, "size": 5}}}));
    }

    fn brings(&mut self, sha256: &str) {
        let principal = json!({"kind": "end_customer", "organization": "acme"});
        let verb = json!({"keep_upload": {"stored": "s1", "upload": {
            "kind": "snapshot", "name": "ip-10-1-2-3.xml", "size": 7, "sha256": sha256,
            "device": {"serial_number": "SNa", "host_name": "ip-10-1-2-3"},
        }}});
        let id = format!("u{}", self.sequence);
        let command = json!({"id": id, "principal": principal, "node": "n", "verb": verb});
        self.take("acme", "cmd", command.to_string().as_bytes());
        let row = self.row(&commands::key(Some(&"acme".parse().unwrap()), &id)).unwrap();
        assert_eq!(row.verdict, Verdict::Done, "{}", row.detail);
    }
}

#[test]
fn the_newest_of_a_device_goes_once_in_an_interval_if_it_is_another() {
    let mut lane = Lane::with(&[]);
    lane.snapshot("a", 1);
    lane.snapshot("a", 2);
    let newest = lane.sequence;
    lane.pass(30 * DAY_S);
    assert!(lane.upward().is_empty(), "nobody has asked for any");
    lane.interval(DAY_S, &json!({}));
    assert_eq!(lane.sequences(), [newest]);
    let upload = &lane.upward()[0].2;
    assert_eq!(
        (&upload["kind"], &upload["name"], upload.get("case")),
        (&json!("snapshot"), &json!("snapshot.xml"), None)
    );
    assert_eq!(upload["device"], json!({"serial_number": "SNa", "host_name": "a"}));
    lane.uploaded();
    assert!(lane.upward().is_empty());
    lane.pass(DAY_S);
    assert!(lane.upward().is_empty(), "the upstream has it");
    lane.snapshot("a", 3);
    let newest = lane.sequence;
    lane.pass(DAY_S / 2);
    assert!(lane.upward().is_empty(), "its time has not come");
    lane.pass(DAY_S / 2);
    assert_eq!(lane.sequences(), [newest]);
}

#[test]
fn devices_leave_at_moments_of_their_own_within_the_interval() {
    let mut lane = Lane::with(&[]);
    let hosts: Vec<String> = (0..40).map(|number| format!("rtr-{number}")).collect();
    hosts.iter().for_each(|host| lane.snapshot(host, 1));
    lane.interval(DAY_S, &json!({}));
    let waits: Vec<i64> =
        lane.upward().iter().map(|(_, row, _)| row.not_before.duration_since(lane.now).as_secs()).collect();
    assert_eq!(waits.len(), 40);
    assert!(waits.iter().all(|wait| (0..DAY_S).contains(wait)), "{waits:?}");
    let hours: BTreeSet<i64> = waits.iter().map(|wait| wait / 3_600).collect();
    assert!(hours.len() >= 12, "{waits:?}");
    let mut again = Lane::with(&[]);
    hosts.iter().for_each(|host| again.snapshot(host, 1));
    again.interval(DAY_S, &json!({}));
    assert_eq!(again.upward().iter().map(|(_, row, _)| row.not_before).collect::<Vec<_>>().len(), 40);
    let moments = |lane: &Lane| lane.upward().into_iter().map(|(_, row, _)| row.not_before).collect::<Vec<_>>();
    assert_eq!(moments(&again), moments(&lane), "by their names alone");
}

#[test]
fn of_a_device_one_is_on_its_way_however_long_the_upstream_is_away() {
    let mut lane = Lane::with(&[]);
    lane.snapshot("a", 1);
    lane.interval(DAY_S, &json!({}));
    let first = lane.upward()[0].0.clone();
    lane.pass(DAY_S);
    assert_eq!(lane.upward()[0].0, first, "it is the newest still");
    lane.snapshot("a", 2);
    let newest = lane.sequence;
    lane.pass(DAY_S);
    assert_eq!(lane.sequences(), [newest]);
    lane.pass(10 * DAY_S);
    assert_eq!(lane.sequences(), [newest], "rounds that were missed are not made up for");
}

#[test]
fn what_was_given_up_goes_with_the_next_round() {
    let mut lane = Lane::with(&[]);
    lane.snapshot("a", 1);
    lane.interval(DAY_S, &json!({}));
    lane.report(&failed("refused", None));
    assert_eq!(lane.on("acme.dead.reaction-failed").len(), 1);
    assert!(lane.upward().is_empty());
    lane.pass(DAY_S);
    assert_eq!(lane.upward().len(), 1);
}

#[test]
fn nothing_leaves_where_nothing_may_and_what_waits_follows_the_level() {
    for more in [
        json!({"filter_level": "Do not send"}),
        json!({"filter_level": "Only send list of features used"}),
        json!({"upload": false}),
        json!({"submit_case_as": "Test Cases"}),
    ] {
        let mut lane = Lane::with(&[]);
        lane.snapshot("ip-10-1-2-3", 1);
        lane.interval(DAY_S, &more);
        assert!(lane.upward().is_empty(), "{more}");
        lane.interval(DAY_S, &json!({}));
        lane.pass(DAY_S);
        assert_eq!(lane.upward().len(), 1, "{more}");
        assert!(lane.upward()[0].1.action.contains("\"host_name\":\"ip-10-1-2-3\""));
        let overwritten = "Send all information with IP addresses overwritten";
        lane.interval(DAY_S, &json!({"filter_level": overwritten}));
        let (_, _, upload) = lane.upward().pop().unwrap();
        assert_eq!((&upload["filter_level"], &upload["name"]), (&json!(overwritten), &json!("snapshot.xml")));
        assert_eq!(upload["device"], json!({"serial_number": "SNip-10-1-2-3"}));
        lane.interval(DAY_S, &more);
        assert!(lane.upward().is_empty(), "{more}");
        lane.interval(DAY_S, &json!({}));
        lane.pass(DAY_S);
        assert_eq!(lane.upward().len(), 1, "it stays here, and goes when it may again");
        lane.interval(0, &json!({}));
        assert!(lane.upward().is_empty(), "nobody asks for any");
        lane.pass(2 * DAY_S);
        assert!(lane.upward().is_empty());
    }
}

#[test]
fn what_end_customers_have_uploaded_goes_on_and_stays_for_as_long() {
    let mut lane = Lane::with(&[]);
    lane.brings(HASH);
    lane.interval(DAY_S, &json!({"filter_level": "Send all information except configuration"}));
    let (_, _, upload) = lane.upward().pop().unwrap();
    assert_eq!(upload["source"], json!({"object": {"sha256": HASH, "size": 7}}));
    assert_eq!(
        (&upload["name"], upload.get("media_type")),
        (&json!("snapshot.xml"), None),
        "of no name that was given"
    );
    lane.brings(OTHER);
    let names = |lane: &Lane, sha256: &str| {
        let key = uploads::object(&"acme".parse().unwrap(), &uploads::sha256(sha256).unwrap());
        lane.row(&key).map_or(0, |row| row.names)
    };
    assert_eq!((names(&lane, HASH), names(&lane, OTHER)), (1, 1), "the one on its way is needed still");
    lane.pass(DAY_S);
    assert_eq!((names(&lane, HASH), names(&lane, OTHER)), (0, 2), "the newer has taken its place");
    lane.uploaded();
    assert_eq!((names(&lane, HASH), names(&lane, OTHER)), (0, 1));
    assert_eq!(lane.row(&uploads::kept(&"acme".parse().unwrap())).unwrap().objects, 1);
}

#[test]
fn the_interval_counts_from_level_8_on() {
    let mut lane = Lane::at(7);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[], Settings::default());
    lane.snapshot("a", 1);
    lane.interval(DAY_S, &json!({}));
    lane.pass(DAY_S);
    assert!(lane.upward().is_empty());
    lane.decide("", "ctl", b"", Content::Level(8));
    lane.commit();
    lane.pass(0);
    assert_eq!(lane.upward().len(), 1);
}

#[test]
fn a_round_of_many_devices_goes_in_slices_over_both_kinds() {
    let mut lane = Lane::with(&[]);
    (0..450).for_each(|number| lane.snapshot(&format!("rtr-{number}"), 1));
    lane.brings(HASH);
    lane.interval(DAY_S, &json!({}));
    assert_eq!(lane.upward().len(), 451);
    let devices: BTreeSet<String> =
        lane.upward().iter().map(|(_, _, upload)| upload["device"]["serial_number"].to_string()).collect();
    assert_eq!(devices.len(), 451);
}

#[test]
fn a_reopened_lane_goes_on_with_its_rounds() {
    let mut lane = Lane::with(&[]);
    lane.reopens = true;
    lane.snapshot("a", 1);
    lane.interval(DAY_S, &json!({}));
    lane.uploaded();
    lane.snapshot("a", 2);
    let newest = lane.sequence;
    lane.pass(DAY_S);
    assert_eq!(lane.sequences(), [newest]);
}

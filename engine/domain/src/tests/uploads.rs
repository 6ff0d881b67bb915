//! Bytes that go upward with cases: when they begin to, what of them may leave, and what becomes of them.

use linesman_schemas::audit::Verdict;

mod again;

use super::*;
use crate::commands;
use crate::uploads::{self, UploadState};

const OTHER: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const HASH: &str = "2222222222222222222222222222222222222222222222222222222222222222";

fn standing(case_id: &str, status: &str, minute: u32) -> String {
    json!({"case_changed": {
        "incident": "acme-1", "case_id": case_id, "status": status,
        "updated": format!("2026-11-21T10:{minute:02}:00Z"),
    }})
    .to_string()
}

fn report() -> Value {
    json!({"report_case": {"key": "k-1", "report": {
        "tracking_number": "own-3", "priority": "High", "synopsis": "FRU offline", "trace_route": ["own"],
    }}})
}

fn kept(name: &str, sha256: &str) -> Value {
    json!({"keep_upload": {"stored": "s1", "incident": "acme-1", "upload": {
        "kind": "attachment", "receipt": "T-acme-1", "name": name, "size": 7, "sha256": sha256,
        "device": {"serial_number": "SNa", "host_name": "ip-10-1-2-3"},
    }}})
}

impl Lane {
    fn ask_as(&mut self, principal: &Value, verb: &Value) -> (Verdict, String) {
        let id = format!("u{}", self.sequence);
        let command = json!({"id": id, "principal": principal, "node": "n", "verb": verb});
        self.take("acme", "cmd", command.to_string().as_bytes());
        self.work();
        let row = self.row(&commands::key(Some(&"acme".parse().unwrap()), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn below_says(&mut self, verb: &Value) -> (Verdict, String) {
        self.ask_as(&json!({"kind": "end_customer", "organization": "acme"}), verb)
    }

    fn uploads(&self) -> Vec<(String, UploadState)> {
        let found = uploads::of_case(&self.base, &"acme-1".parse().unwrap());
        found.map(|found| found.map(|(_, row)| (row.name, row.state)).unwrap()).collect()
    }

    /// What uploads are pending.
    fn going(&self) -> Vec<Value> {
        let actions = self.pending().into_iter().map(|(_, row)| serde_json::from_str::<Value>(&row.action).unwrap());
        actions.filter_map(|action| action.get("upload").cloned()).collect()
    }

    fn govern(&mut self, more: &Value) {
        let mut verb = json!({"display_name": "acme", "is_proxy": true, "filter_level": "Send all information"});
        for (name, value) in more.as_object().unwrap() {
            verb[name] = value.clone();
        }
        self.command("acme", &json!({"set_organization": verb}));
    }

    /// A partner whose end customer has reported a case, which the upstream has under `C-1`.
    fn with_case_from_below(more: &Value) -> Self {
        let mut lane = Self::with(&[]);
        lane.govern(more);
        assert_eq!(lane.below_says(&report()).0, Verdict::Done);
        lane
    }

    fn accept(&mut self) {
        self.report(&json!({"done": {"case_accepted": {"transaction_id": "J-1", "case": null}}}));
        self.take("acme", "result", standing("C-1", "Open", 30).as_bytes());
    }
}

#[test]
fn what_came_from_below_goes_on_once_the_upstream_has_the_case() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    assert_eq!(lane.below_says(&kept("rsi.txt", HASH)), (Verdict::Done, "kept".to_owned()));
    assert_eq!(lane.uploads(), [("rsi.txt".to_owned(), UploadState::Kept)]);
    assert!(lane.going().is_empty(), "the support system knows no such case yet");
    lane.report(&json!({"done": {"case_accepted": {"transaction_id": "J-1", "case": null}}}));
    assert!(lane.going().is_empty(), "a receipt is no case id");
    lane.take("acme", "result", standing("C-1", "Open", 30).as_bytes());
    let going = lane.going();
    assert_eq!(going.len(), 1);
    assert_eq!((&going[0]["case"], &going[0]["name"]), (&json!("C-1"), &json!("rsi.txt")));
    assert_eq!(going[0]["source"], json!({"object": {"sha256": HASH, "size": 7}}));
    assert_eq!(going[0]["device"], json!({"serial_number": "SNa", "host_name": "ip-10-1-2-3"}));
    lane.report(&json!({"done": {"uploaded": {"sha256": OTHER, "size": 5}}}));
    assert_eq!(lane.uploads(), [("rsi.txt".to_owned(), UploadState::Sent)]);
    assert_eq!(lane.below_says(&kept("core.tgz", OTHER)).0, Verdict::Done);
    assert_eq!(lane.going().len(), 1, "what comes later goes at once");
}

#[test]
fn an_object_is_kept_once_and_the_same_upload_is_one() {
    let mut lane = Lane::with_case_from_below(&json!({"handling": "own"}));
    for _ in 0..2 {
        assert_eq!(lane.below_says(&kept("rsi.txt", HASH)), (Verdict::Done, "kept".to_owned()));
    }
    assert_eq!(lane.below_says(&kept("again.txt", HASH)).0, Verdict::Done);
    let org = "acme".parse().unwrap();
    let object = lane.row(&uploads::object(&org, &uploads::sha256(HASH).unwrap())).unwrap();
    assert_eq!((object.names, object.stored.as_str()), (2, "s1"));
    let total = lane.row(&uploads::kept(&org)).unwrap();
    assert_eq!((total.objects, total.bytes), (1, 7));
    assert!(lane.going().is_empty(), "the case stays here");
}

#[test]
fn what_is_kept_is_asked_by_the_one_who_reported_the_case() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    let (verdict, detail) = lane.ask_as(&json!({"kind": "provider", "name": "admin"}), &kept("rsi.txt", HASH));
    assert_eq!((verdict, detail.as_str()), (Verdict::Forbidden, "`admin` has not to be the engine itself on `acme`"));
    let mut other = kept("rsi.txt", HASH);
    other["keep_upload"]["upload"]["receipt"] = json!("T-acme-2");
    let expected = (Verdict::Conflict, "the case is not that of the receipt".to_owned());
    assert_eq!(lane.below_says(&other), expected);
    other["keep_upload"]["incident"] = json!("acme-2");
    assert_eq!(lane.below_says(&other).0, Verdict::NotFound);
    for number in 0..100 {
        assert_eq!(lane.below_says(&kept(&format!("{number}.txt"), HASH)).0, Verdict::Done);
    }
    let expected = (Verdict::Conflict, "the case has 100 uploads, and takes no more".to_owned());
    assert_eq!(lane.below_says(&kept("more.txt", HASH)), expected);
}

#[test]
fn a_level_withholds_what_it_names_and_nothing_leaves_without_one() {
    for (level, name, device) in [
        (
            "Send all information except configuration",
            "acme-1-1.txt",
            json!({"serial_number": "SNa", "host_name": "ip-10-1-2-3"}),
        ),
        ("Send all information with IP addresses overwritten", "acme-1-1.txt", json!({"serial_number": "SNa"})),
        ("Only send list of features used", "acme-1-1.txt", Value::Null),
    ] {
        let mut lane = Lane::with_case_from_below(&json!({"filter_level": level}));
        lane.below_says(&kept("ip-10-1-2-3.txt", HASH));
        lane.accept();
        let going = lane.going();
        assert_eq!((&going[0]["name"], &going[0]["filter_level"]), (&json!(name), &json!(level)));
        assert_eq!(going[0]["device"], device, "{level}");
        assert!(!lane.pending()[0].1.action.contains("ip-10") || level.contains("configuration"), "{level}");
    }
    for more in [json!({"upload": false}), json!({"submit_case_as": "Test Cases"})] {
        let mut lane = Lane::with_case_from_below(&more);
        lane.below_says(&kept("rsi.txt", HASH));
        lane.accept();
        assert!(lane.going().is_empty(), "{more}");
        assert_eq!(lane.uploads(), [("rsi.txt".to_owned(), UploadState::Kept)]);
    }
}

#[test]
fn what_waits_follows_the_level_and_goes_on_when_it_may() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    lane.below_says(&kept("rsi.txt", HASH));
    lane.accept();
    let lower = "Send all information with IP addresses overwritten";
    lane.govern(&json!({"filter_level": lower}));
    lane.work();
    assert_eq!(lane.going()[0]["filter_level"], lower);
    assert_eq!(lane.going()[0]["name"], "acme-1-1.txt");
    for less in [json!({"filter_level": "Do not send"}), json!({"upload": false})] {
        lane.govern(&less);
        lane.work();
        assert!(lane.going().is_empty(), "{less}");
        assert_eq!(lane.uploads(), [("rsi.txt".to_owned(), UploadState::Kept)]);
        lane.govern(&json!({}));
        lane.work();
        assert_eq!(lane.going().len(), 1, "no news of the case are waited for");
        assert_eq!(lane.uploads(), [("rsi.txt".to_owned(), UploadState::Waiting)]);
    }
}

#[test]
fn what_is_missed_is_tried_every_two_hours_and_what_is_refused_is_not() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    lane.below_says(&kept("rsi.txt", HASH));
    lane.accept();
    let failed = |class: &str| json!({"failed": {"class": class, "message": "no", "retry_after_s": null}});
    for _ in 0..20 {
        lane.report(&failed("unavailable"));
        let Some((_, row)) = lane.pending().pop() else { panic!("it is given up") };
        let wait_s = row.not_before.as_second() - lane.now.as_second();
        assert!((1..=7_200).contains(&wait_s), "{wait_s}");
    }
    lane.report(&failed("refused"));
    assert_eq!(lane.uploads(), [("rsi.txt".to_owned(), UploadState::Failed)]);
    assert_eq!(lane.case("acme", 1).state.as_str(), "created", "the case is as it was");
}

#[test]
fn below_level_7_nothing_is_uploaded() {
    let mut lane = Lane::at(6);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[("open", OPEN_CASE)], Settings::default());
    lane.bundle("acme", "a", 1, "High");
    lane.accept();
    assert!(lane.going().is_empty() && lane.uploads().is_empty());
    lane.events.clear();
    let principal = json!({"kind": "end_customer", "organization": "acme"});
    let command = json!({"id": "old", "principal": principal, "node": "n", "verb": kept("rsi.txt", HASH)});
    lane.take("acme", "cmd", command.to_string().as_bytes());
    assert_eq!(lane.on("acme.dead.command-undecodable").len(), 1, "it is no command yet");
}

#[test]
fn the_bundle_of_an_accepted_case_goes_with_it() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.bundle("acme", "a", 1, "High");
    assert!(lane.uploads().is_empty(), "not before the case");
    lane.accept();
    let going = lane.going();
    let incident = lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap();
    let length = incident.row.bundle.length;
    assert_eq!((going.len(), &going[0]["name"], &going[0]["kind"]), (1, &json!("acme-1.xml"), &json!("bundle")));
    assert_eq!(going[0]["source"]["input"]["sequence"], incident.row.bundle.sequence);
    assert_eq!(
        (&going[0]["source"]["input"]["start"], &going[0]["source"]["input"]["end"]),
        (&json!(0), &json!(length))
    );
    lane.report(&json!({"done": {"uploaded": {"sha256": OTHER, "size": 5}}}));
    assert_eq!(lane.uploads(), [("acme-1.xml".to_owned(), UploadState::Sent)]);
    lane.take("acme", "result", standing("C-1", "Closed", 40).as_bytes());
    assert!(lane.going().is_empty(), "once");
}

#[test]
fn at_a_partner_the_receipt_is_enough() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.domain.desk.installed.has_partner = true;
    lane.bundle("acme", "a", 1, "High");
    lane.report(&json!({"done": {"case_accepted": {"transaction_id": "T-own-7", "case": null}}}));
    let (_, row) = lane.pending().pop().unwrap();
    assert_eq!((lane.going()[0]["case"].as_str(), row.destination.as_str()), (Some("T-own-7"), "partner/uploads"));
}

#[test]
fn the_newest_snapshot_of_a_device_takes_the_place_of_the_one_before() {
    let mut lane = Lane::with(&[]);
    let given = |sha256: &str, size: u64| {
        json!({"keep_upload": {"stored": "s1", "upload": {
            "kind": "snapshot", "name": "a.xml", "size": size, "sha256": sha256, "device": {"serial_number": "SNa"},
        }}})
    };
    let org = "acme".parse().unwrap();
    for (sha256, size) in [(HASH, 7), (HASH, 7), (OTHER, 9)] {
        assert_eq!(lane.below_says(&given(sha256, size)), (Verdict::Done, "kept".to_owned()));
    }
    let total = lane.row(&uploads::kept(&org)).unwrap();
    assert_eq!((total.objects, total.bytes), (1, 9), "nothing names the first any more");
    assert!(lane.row(&uploads::object(&org, &uploads::sha256(HASH).unwrap())).is_none());
    assert_eq!(lane.row(&uploads::snapshot(&org, "SNa")).unwrap().size, 9);
}

/// An attempt at the only upload ends before all bytes are there; the destination says how many are.
fn unfinished(lane: &mut Lane, there: u64, class: &str) {
    let (id, row) = lane.pending().pop().unwrap();
    lane.now = lane.now.max(row.not_before);
    let report = json!({"attempt": {
        "reaction": id, "attempt": row.attempt, "requests": 11, "outcome": failed(class, None), "there": there,
    }});
    lane.take("acme", "result", report.to_string().as_bytes());
}

fn circuit(lane: &Lane, destination: &str) -> Option<reactions::CircuitRow> {
    lane.row(&reactions::circuit(destination))
}

#[test]
fn uploads_go_beside_cases_and_not_among_them() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    lane.below_says(&kept("rsi.txt", HASH));
    assert_eq!(lane.pending()[0].1.destination, "jss");
    lane.accept();
    assert_eq!(lane.pending()[0].1.destination, "jss/uploads");
    lane.report(&failed("overloaded", Some(60)));
    assert!(circuit(&lane, "jss/uploads").unwrap().open_until.is_some(), "uploads rest");
    assert_eq!(circuit(&lane, "jss"), None, "and nobody's cases do");
}

#[test]
fn an_upload_goes_on_for_as_long_as_it_gets_on() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    lane.below_says(&kept("core.tgz", HASH));
    lane.accept();
    let began = lane.now;
    for part in 1..=400 {
        // Lost on the way or ended by its bound: it has got on.
        unfinished(&mut lane, part * (4 << 20), if part % 2 == 0 { "overloaded" } else { "unavailable" });
        lane.now = lane.now.checked_add(1.hour()).unwrap();
        assert_eq!(lane.uploads(), [("core.tgz".to_owned(), UploadState::Waiting)], "part {part}");
        assert_eq!(circuit(&lane, "jss/uploads"), None, "part {part}");
    }
    let passed_s = lane.now.as_second() - began.as_second();
    assert!(passed_s > 2 * i64::try_from(Settings::default().reaction_deadline_s).unwrap());
    assert_eq!(lane.pending()[0].1.misses, 0);
    lane.report(&json!({"done": {"uploaded": {"sha256": OTHER, "size": 5}}}));
    assert_eq!(lane.uploads(), [("core.tgz".to_owned(), UploadState::Sent)]);
}

#[test]
fn whoever_takes_an_upload_byte_by_byte_is_given_no_more_time() {
    for (part, of) in [(1, "a byte"), (4096, "a little")] {
        let mut lane = Lane::with_case_from_below(&json!({}));
        lane.below_says(&kept("core.tgz", HASH));
        lane.accept();
        let began = lane.now;
        for step in 1.. {
            unfinished(&mut lane, part * step, "unavailable");
            lane.now = lane.now.checked_add(1.hour()).unwrap();
            if lane.pending().is_empty() {
                break;
            }
            assert!(step < 1_000, "{of} each time: it is tried for ever");
        }
        let passed_s = lane.now.as_second() - began.as_second();
        let patience_s = i64::try_from(Settings::default().reaction_deadline_s).unwrap();
        assert!(passed_s < patience_s + patience_s / 100 + 3 * 3600, "{of}: {passed_s} s");
        assert_eq!(lane.uploads(), [("core.tgz".to_owned(), UploadState::Failed)]);
    }
}

#[test]
fn an_upload_that_gets_nowhere_is_given_up() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    lane.below_says(&kept("core.tgz", HASH));
    lane.accept();
    unfinished(&mut lane, 7000, "unavailable");
    for misses in 1.. {
        // So many were there before: the destination forgets and is told the same again.
        unfinished(&mut lane, 7000, "unavailable");
        let Some((_, row)) = lane.pending().pop() else { break };
        assert_eq!((row.misses, row.there), (misses, 7000));
        assert!(misses < 1_000);
    }
    assert_eq!(lane.uploads(), [("core.tgz".to_owned(), UploadState::Failed)]);
}

#[test]
fn pieces_stay_small_where_large_ones_do_not_arrive() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    lane.below_says(&kept("core.tgz", HASH));
    lane.accept();
    let misses = |lane: &Lane| lane.pending()[0].1.misses;
    for expected in 1..=20 {
        unfinished(&mut lane, 0, "unavailable");
        assert_eq!(misses(&lane), expected);
    }
    for (there, expected) in [(5_000, 7), (10_000, 6), (10_000, 7), (15_000, 6), (20_000, 5)] {
        unfinished(&mut lane, there, "unavailable");
        assert_eq!(misses(&lane), expected);
    }
}

#[test]
fn what_is_broken_off_here_says_nothing_of_the_destination() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    lane.below_says(&kept("core.tgz", HASH));
    lane.accept();
    unfinished(&mut lane, 5_000, "unavailable");
    let (id, before) = lane.pending().pop().unwrap();
    lane.govern(&json!({"filter_level": "Send all information except configuration"}));
    let withdrawn = json!({"attempt": {
        "reaction": id, "attempt": before.attempt, "requests": 3, "outcome": failed("unavailable", None), "there": 6_000,
        "is_withdrawn": true,
    }});
    lane.take("acme", "result", withdrawn.to_string().as_bytes());
    let (_, row) = lane.pending().pop().unwrap();
    assert_eq!((row.attempt, row.misses, row.there), (before.attempt + 1, 0, 0), "other bytes leave now");
    assert!(row.not_before.as_second() - lane.now.as_second() <= 1, "at once");
    assert_eq!(circuit(&lane, "jss/uploads"), None);
}

#[test]
fn at_level_7_an_upload_is_an_attempt_like_any_other() {
    let mut lane = Lane::at(7);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[], Settings::default());
    lane.govern(&json!({}));
    lane.below_says(&report());
    lane.below_says(&kept("rsi.txt", HASH));
    lane.accept();
    unfinished(&mut lane, 5, "overloaded");
    let (_, row) = lane.pending().pop().unwrap();
    assert_eq!((row.destination.as_str(), row.attempt, row.misses, row.there), ("jss", 2, 1, 0));
    assert_eq!(circuit(&lane, "jss").unwrap().failures, 1);
    lane.decide("", "ctl", b"", Content::Level(8));
    lane.commit();
    unfinished(&mut lane, 6, "overloaded");
    let (_, row) = lane.pending().pop().unwrap();
    assert_eq!((row.destination.as_str(), row.misses, row.there), ("jss/uploads", 0, 6), "beside cases from then on");
    assert_eq!(circuit(&lane, "jss"), None);
}

#[test]
fn what_is_kept_goes_on_in_slices_as_soon_as_it_may() {
    let mut lane = Lane::with_case_from_below(&json!({"upload": false}));
    lane.accept();
    for number in 0..100 {
        assert_eq!(lane.below_says(&kept(&format!("{number}.txt"), HASH)).0, Verdict::Done);
    }
    let suspends = |lane: &mut Lane| lane.command("acme", &json!("suspend_organization"));
    suspends(&mut lane);
    assert!(lane.going().is_empty());
    lane.govern(&json!({}));
    lane.work();
    assert_eq!(lane.going().len(), 100);
    assert!(lane.pending().iter().all(|(_, row)| !row.is_held));
    // What waits is held while the organization is suspended, and goes on when it takes part again.
    suspends(&mut lane);
    lane.work();
    assert!(lane.pending().iter().all(|(_, row)| row.is_held));
    lane.govern(&json!({}));
    lane.work();
    assert!(lane.pending().iter().all(|(_, row)| !row.is_held));
    assert_eq!(lane.going().len(), 100, "each once");
}

#[test]
fn at_level_7_what_is_kept_waits_for_news_of_its_case() {
    let mut lane = Lane::at(7);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[], Settings::default());
    lane.govern(&json!({"upload": false}));
    lane.below_says(&report());
    lane.below_says(&kept("rsi.txt", HASH));
    lane.accept();
    lane.govern(&json!({}));
    lane.work();
    assert!(lane.going().is_empty());
    lane.decide("", "ctl", b"", Content::Level(8));
    lane.commit();
    lane.work();
    assert_eq!(lane.going().len(), 1, "with the raise it is looked at");
}

/// How many objects and bytes are kept of `acme`.
fn total(lane: &Lane) -> (u64, u64) {
    let total = lane.row(&uploads::kept(&"acme".parse().unwrap())).unwrap_or_default();
    (total.objects, total.bytes)
}

fn ended(lane: &Lane) -> Option<uploads::EndedRow> {
    lane.row(&uploads::ended(&"acme-1".parse().unwrap()))
}

fn days_pass(lane: &mut Lane, days: i64) {
    lane.now = lane.now.checked_add((24 * days).hours()).unwrap();
    lane.take("", "ctl", b"");
    lane.work();
}

#[test]
fn what_is_kept_of_a_case_goes_a_week_after_its_end() {
    let mut lane = Lane::with_case_from_below(&json!({"handling": "own"}));
    lane.below_says(&kept("rsi.txt", HASH));
    lane.below_says(&kept("again.txt", HASH));
    lane.below_says(&kept("core.tgz", OTHER));
    days_pass(&mut lane, 400);
    assert_eq!(total(&lane), (2, 14), "for as long as the case is open");
    let close = json!({"close_case": {"incident": "acme-1", "text": "works"}});
    let reopen = json!({"reopen_case": {"incident": "acme-1", "text": "not quite"}});
    lane.command("acme", &close);
    assert!(ended(&lane).is_some());
    days_pass(&mut lane, 6);
    lane.command("acme", &reopen);
    assert_eq!(ended(&lane), None);
    days_pass(&mut lane, 30);
    assert_eq!(total(&lane), (2, 14), "it has been reopened");
    lane.command("acme", &close);
    days_pass(&mut lane, 6);
    assert_eq!(total(&lane), (2, 14));
    days_pass(&mut lane, 1);
    assert_eq!((total(&lane), ended(&lane)), ((0, 0), None), "there is room again");
    let org = "acme".parse().unwrap();
    for hash in [HASH, OTHER] {
        assert!(lane.row(&uploads::object(&org, &uploads::sha256(hash).unwrap())).is_none(), "nothing names its bytes");
    }
    assert!(lane.uploads().iter().all(|(_, state)| *state == UploadState::Released), "{:?}", lane.uploads());
    // What comes late is kept as long, and what was released does not go anywhere.
    lane.below_says(&kept("late.txt", HASH));
    assert_eq!(total(&lane), (1, 7));
    days_pass(&mut lane, 7);
    assert_eq!(total(&lane), (0, 0));
    assert!(lane.going().is_empty());
}

#[test]
fn what_is_still_on_its_way_holds_up_what_goes_with_the_end() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    lane.below_says(&kept("rsi.txt", HASH));
    lane.accept();
    lane.take("acme", "result", standing("C-1", "closed", 40).as_bytes());
    unfinished(&mut lane, 3, "unavailable");
    days_pass(&mut lane, 7);
    assert_eq!((total(&lane), lane.going().len()), ((1, 7), 1), "the upstream has not all of it");
    lane.report(&json!({"done": {"uploaded": {"sha256": OTHER, "size": 5}}}));
    days_pass(&mut lane, 1);
    assert_eq!(total(&lane), (0, 0));
    assert_eq!(lane.uploads(), [("rsi.txt".to_owned(), UploadState::Sent)], "what is known of it stays");
}

#[test]
fn how_long_it_is_kept_is_a_setting() {
    let mut lane = Lane::with_case_from_below(&json!({"handling": "own"}));
    lane.rules(2, &[], Settings { upload_retention_s: 3_600, ..Settings::default() });
    lane.below_says(&kept("rsi.txt", HASH));
    lane.command("acme", &json!({"close_case": {"incident": "acme-1", "text": "works"}}));
    days_pass(&mut lane, 1);
    assert_eq!(total(&lane), (0, 0));
}

#[test]
fn what_ended_at_level_7_goes_too() {
    let mut lane = Lane::at(7);
    lane.organization("acme", "Send all information");
    lane.rules(1, &[], Settings::default());
    lane.govern(&json!({"handling": "own"}));
    lane.below_says(&report());
    lane.below_says(&kept("rsi.txt", HASH));
    lane.command("acme", &json!({"close_case": {"incident": "acme-1", "text": "works"}}));
    days_pass(&mut lane, 30);
    assert_eq!(total(&lane), (1, 7));
    lane.decide("", "ctl", b"", Content::Level(8));
    lane.commit();
    lane.work();
    days_pass(&mut lane, 7);
    assert_eq!(total(&lane), (0, 0));
}

#[test]
fn what_was_opened_as_a_test_stays_one() {
    let mut lane = Lane::with(&[("open", OPEN_CASE)]);
    lane.govern(&json!({"submit_case_as": "Test Cases"}));
    lane.bundle("acme", "a", 1, "High");
    let synopsis = |lane: &Lane| {
        let action: Value = serde_json::from_str(&lane.pending()[0].1.action).unwrap();
        action["submit_case"]["synopsis"].as_str().unwrap().to_owned()
    };
    assert!(synopsis(&lane).starts_with("TEST CASE: "));
    lane.govern(&json!({}));
    lane.work();
    assert!(synopsis(&lane).starts_with("TEST CASE: "), "it may have left so");
    lane.accept();
    lane.take("acme", "result", standing("C-1", "Working", 35).as_bytes());
    assert!(lane.going().is_empty() && lane.uploads().is_empty(), "no bundle goes with a test");
    assert!(lane.case("acme", 1).is_test);
    // The next is a case, until its organization's are none any more before it has left.
    lane.bundle("acme", "b", 2, "High");
    assert!(!lane.case("acme", 2).is_test && !synopsis(&lane).starts_with("TEST CASE: "));
    lane.govern(&json!({"submit_case_as": "Test Cases"}));
    lane.work();
    assert!(lane.case("acme", 2).is_test && synopsis(&lane).starts_with("TEST CASE: "));
}

#[test]
fn what_an_end_customer_uploads_with_a_test_stays_here() {
    let mut lane = Lane::with_case_from_below(&json!({"submit_case_as": "Test Cases"}));
    lane.below_says(&kept("rsi.txt", HASH));
    lane.accept();
    lane.govern(&json!({}));
    lane.work();
    lane.take("acme", "result", standing("C-1", "Working", 35).as_bytes());
    assert!(lane.going().is_empty());
    assert_eq!(lane.uploads(), [("rsi.txt".to_owned(), UploadState::Kept)]);
}

fn wanted(verb: &str, words: &Value) -> Value {
    json!({verb: {"incident": "acme-1", "case": words}})
}

#[test]
fn what_is_to_stay_of_a_bundle_is_not_in_what_goes_with_its_case() {
    let somebody = json!({"kind": "provider", "name": "admin"});
    for (saved, submitted, without) in [
        (json!({}), json!({}), Value::Null),
        (json!({}), json!({"attachments": false}), json!(["attachments"])),
        (json!({"attachments": false, "core_files": false}), json!({}), json!(["attachments", "core-files"])),
        (json!({"attachments": false, "core_files": false}), json!({"attachments": true}), json!(["core-files"])),
    ] {
        let mut lane = Lane::with(&[]);
        lane.bundle("acme", "a", 1, "High");
        assert_eq!(lane.ask_as(&somebody, &wanted("save_case", &saved)).0, Verdict::Done);
        assert_eq!(lane.ask_as(&somebody, &wanted("submit_case", &submitted)).0, Verdict::Done);
        lane.accept();
        assert_eq!((lane.going().len(), &lane.going()[0]["without"]), (1, &without));
        lane.govern(&json!({"filter_level": "Send all information with IP addresses overwritten"}));
        lane.work();
        assert_eq!((lane.going().len(), &lane.going()[0]["without"]), (1, &without), "at another level");
    }
}

#[test]
fn below_level_9_nobody_chooses_what_of_a_bundle_stays_and_takes_it_for_done() {
    let mut lane = Lane::at(8);
    lane.organization("acme", "Send all information");
    lane.bundle("acme", "a", 1, "High");
    let somebody = json!({"kind": "provider", "name": "admin"});
    for verb in ["save_case", "submit_case"] {
        let expected = "`attachments` and `core_files` are chosen from engine level 9 on".to_owned();
        let refused = lane.ask_as(&somebody, &wanted(verb, &json!({"core_files": false})));
        assert_eq!(refused, (Verdict::Conflict, expected), "{verb}");
    }
}

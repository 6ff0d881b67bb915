//! Quotas: what is left undecided and how that is counted, what is told before, and that it is the same however it is decided.

use linesman_schemas::Quotas;

use super::*;
use crate::quotas::{self, QuotaRow};
use crate::remembered;

const HEARS: &str = r#"
    policy(#{ on: ["quota.nearing", "quota.exhausted"], where: #{ kind: ["messages", "bytes", "remembered-ids"] } });
    fn react(quota, org) { publish("told", #{ of: `${org.name} ${quota.kind} ${quota.used}/${quota.most} ${quota.day}` }); }
"#;

/// A lane whose `acme` has quotas; what is usual for all is in the settings.
fn lane(level: u32, own: &Value, usual: Quotas) -> Lane {
    let mut lane = Lane::with_at(level, &[]);
    let settings = Settings {
        quota_messages: usual.messages.unwrap_or_default(),
        quota_bytes: usual.bytes.unwrap_or_default(),
        quota_devices: usual.devices.unwrap_or_default(),
        quota_remembered_ids: usual.remembered_ids.unwrap_or_default(),
        ..Settings::default()
    };
    lane.rules(2, &[("hears", HEARS)], settings);
    set(&mut lane, own);
    lane.events.clear();
    lane
}

fn set(lane: &mut Lane, quotas: &Value) {
    let settings = json!({"display_name": "acme", "is_proxy": true, "filter_level": "Send all information",
        "quotas": quotas});
    lane.command("acme", &json!({"set_organization": settings}));
}

fn row(lane: &Lane) -> Option<QuotaRow> {
    lane.row(&quotas::key(&"acme".parse().unwrap()))
}

fn detected(lane: &Lane, org: &str) -> usize {
    lane.on(&format!("{org}.trigger.incident.detected")).len()
}

/// Time passes until another day.
fn sleep(lane: &mut Lane) {
    lane.now = lane.now.checked_add(24.hours()).unwrap();
    lane.decide("", "ctl", b"", Content::Tick);
    lane.commit();
}

#[test]
fn what_comes_beyond_a_quota_is_one_dead_letter_that_counts_and_the_next_day_is_another() {
    for reopens in [false, true] {
        let mut lane = lane(level::NEWEST, &json!({"messages": 5}), Quotas::default());
        lane.reopens = reopens;
        let first = lane.sequence + 6;
        for number in 1..=9 {
            lane.bundle("acme", "a", number, "High");
            lane.bundle("bolt", "b", number, "High");
        }
        assert_eq!((detected(&lane, "acme"), detected(&lane, "bolt")), (5, 9), "nobody else has less of it");
        let left = row(&lane).unwrap().left.unwrap();
        let bytes = 4 * bundle("a", 1, "High").len() as u64;
        assert_eq!((left.messages, left.bytes), (4, bytes));
        assert!(lane.on("acme.dead.over-quota").is_empty(), "the day is not over");
        sleep(&mut lane);
        let dead = lane.on("acme.dead.over-quota");
        let [letter] = dead[..] else { panic!("{dead:?}") };
        let counted = json!({"day": "2026-11-21", "messages": 4, "bytes": bytes, "last": left.last});
        assert_eq!((&letter.data["counted"], &letter.data["sequence"]), (&counted, &json!(left.first)));
        assert!(left.first > first && letter.data["subject"] == "in.acme" && letter.data.get("bytes").is_none());
        assert_eq!(row(&lane), None);
        lane.bundle("acme", "a", 6, "High");
        assert_eq!(detected(&lane, "acme"), 6, "it begins anew");
        sleep(&mut lane);
        sleep(&mut lane);
        assert_eq!(lane.on("acme.dead.over-quota").len(), 1);
    }
}

#[test]
fn a_quota_is_told_of_once_a_day_before_and_once_when_it_is_used_up() {
    let mut lane = lane(level::NEWEST, &json!({"messages": 10}), Quotas::default());
    for number in 1..=12 {
        lane.bundle("acme", "a", number, "High");
        let told = lane.subjects().iter().filter(|subject| subject.contains(".quota.")).count();
        assert_eq!(told, usize::from(number >= 8) + usize::from(number >= 10), "{number}");
    }
    let nearing = json!({"organization": "acme", "kind": "messages", "used": 8, "most": 10, "day": "2026-11-21"});
    assert_eq!(lane.on("acme.trigger.quota.nearing")[0].data, nearing);
    assert_eq!(lane.on("acme.trigger.quota.exhausted")[0].data["used"], 10);
    let heard: Vec<_> = lane.on("acme.reaction.told").iter().map(|told| told.data["action"]["of"].clone()).collect();
    assert_eq!(heard, ["acme messages 8/10 2026-11-21", "acme messages 10/10 2026-11-21"]);
    sleep(&mut lane);
    for number in 21..=30 {
        lane.bundle("acme", "a", number, "High");
    }
    assert_eq!(lane.on("acme.trigger.quota.exhausted").len(), 2, "another day");
    // A greater one is used less.
    set(&mut lane, &json!({"messages": 20}));
    lane.bundle("acme", "a", 31, "High");
    assert_eq!(detected(&lane, "acme"), 10 + 11);
}

#[test]
fn bytes_count_as_they_stand_in_the_log_and_settings_count_where_nothing_is_said() {
    let size = bundle("a", 1, "High").len() as u64;
    let usual = Quotas { bytes: Some(2 * size), ..Quotas::default() };
    for (own, most) in [(json!({}), 2), (json!({"bytes": 0}), 6), (json!({"bytes": size * 3 + 1}), 4)] {
        let mut lane = lane(level::NEWEST, &own, usual);
        for number in 1..=6 {
            lane.bundle("acme", "a", number, "High");
            lane.take("bolt", "intel", b"{");
        }
        assert_eq!(detected(&lane, "acme"), most, "{own}");
        let undecodable = lane.on("bolt.dead.intelligence-undecodable").len();
        assert_eq!(undecodable, 6, "six bytes are few");
    }
}

#[test]
fn commands_and_reports_count_nowhere_and_whatever_else_is_published_does() {
    let mut lane = lane(level::NEWEST, &json!({"messages": 2}), Quotas::default());
    for kind in ["cmd", "result", "cmd", "result"] {
        lane.take("acme", kind, b"{");
    }
    assert_eq!(row(&lane), None);
    for _ in 0..2 {
        lane.take("acme", "weather", b"{");
    }
    for kind in ["intel", "jmb", "weather"] {
        lane.take("acme", kind, b"{");
    }
    assert_eq!(row(&lane).unwrap().left.unwrap().messages, 3);
    assert_eq!(lane.on("acme.dead.unknown-kind").len(), 2);
    assert_eq!(lane.on("acme.dead.result-undecodable").len(), 2, "they go on");
}

#[test]
fn what_was_not_read_is_decided_as_if_it_had_been() {
    let digest = |is_read: bool| {
        let mut lane = lane(level::NEWEST, &json!({"messages": 3}), Quotas::default());
        for number in 1..=9 {
            let text = bundle("a", number, "High");
            let unread = lane.domain.overdrawn().is_some_and(|over| over.has("acme", "jmb", lane.now));
            assert_eq!(unread, (5..=6).contains(&number), "{number}");
            let content = match unread && !is_read {
                true => Content::Unread,
                false => Content::decode("jmb", text.as_bytes()),
            };
            lane.decide("acme", "jmb", text.as_bytes(), content);
            lane.commit();
            if number == 6 {
                // It is decided again, though it seems to be beyond its quota still.
                set(&mut lane, &json!({"messages": 100}));
                let text = bundle("a", 50, "High");
                let content = if is_read { Content::decode("jmb", text.as_bytes()) } else { Content::Unread };
                lane.decide("acme", "jmb", text.as_bytes(), content);
                lane.commit();
            }
        }
        assert_eq!(detected(&lane, "acme"), 3 + 1 + 3);
        lane.domain.position().digest
    };
    assert_eq!(digest(true), digest(false));
}

#[test]
fn of_devices_bundles_of_all_are_decided_and_no_further_one_is_reached() {
    let reach = |lane: &mut Lane, name: &str| {
        let device = json!({"name": name, "address": format!("{name}.example"), "user": "u",
            "credentials": "password"});
        lane.command("acme", &json!({"set_device": device}));
        let said = lane.on("acme.audit.set-device").pop().unwrap();
        (said.data["verdict"].as_str().unwrap().to_owned(), said.data["outcome"].as_str().unwrap().to_owned())
    };
    let mut lane = lane(level::NEWEST, &json!({"devices": 3}), Quotas::default());
    for device in ["a", "b", "c", "d"] {
        lane.bundle("acme", device, 1, "High");
        lane.bundle("acme", device, 2, "High");
    }
    assert_eq!(detected(&lane, "acme"), 8);
    let told = lane.on("acme.trigger.quota.exhausted");
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0].data["kind"], &told[0].data["used"]), (&json!("devices"), &json!(3)));
    let refused = "`acme` has a quota of 3 devices, and this is another";
    assert_eq!(reach(&mut lane, "e"), ("conflict".to_owned(), refused.to_owned()));
    for known in ["a", "b", "c"] {
        assert_eq!(reach(&mut lane, known).0, "done", "it sends already");
        assert_eq!(reach(&mut lane, known).0, "done", "it is reached already");
    }
    assert_eq!(reach(&mut lane, "d").0, "conflict");
}

#[test]
fn quotas_are_set_by_the_providers_people() {
    let mut lane = lane(level::NEWEST, &json!({"messages": 5}), Quotas::default());
    let settings = |quotas: &Value| {
        let settings = json!({"display_name": "Acme", "is_proxy": true, "filter_level": "Send all information",
            "quotas": quotas});
        json!({"set_organization": settings})
    };
    let grant = json!({"set_manager": {"manager": "ann", "sphere": ["acme"], "rights": {"organizations": true}}});
    lane.command("acme", &grant);
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let verdict = |lane: &mut Lane, quotas: &Value| {
        let id = format!("c{}", lane.sequence);
        let command = json!({"id": id, "actor": "ann", "principal": ann, "node": "test", "verb": settings(quotas)});
        lane.take("acme", "cmd", command.to_string().as_bytes());
        lane.on("acme.audit.set-organization").pop().unwrap().data["verdict"].as_str().unwrap().to_owned()
    };
    assert_ne!(verdict(&mut lane, &json!({"messages": 6})), "done");
    for number in 1..=7 {
        lane.bundle("acme", "a", number, "High");
    }
    assert_eq!(detected(&lane, "acme"), 5, "it stays as it was");
}

#[test]
fn earlier_levels_know_no_quotas() {
    let usual = Quotas { messages: Some(2), bytes: Some(10), devices: Some(1), remembered_ids: Some(1) };
    let mut lane = lane(12, &json!({"messages": 1}), usual);
    for number in 1..=4 {
        lane.bundle("acme", "a", number, "High");
    }
    assert_eq!(detected(&lane, "acme"), 4);
    assert_eq!(row(&lane), None);
    lane.decide("", "ctl", b"", Content::Level(13));
    lane.bundle("acme", "a", 5, "High");
    lane.bundle("acme", "a", 6, "High");
    assert_eq!(detected(&lane, "acme"), 5, "the settings count from the level on, and are ten bytes");
}

#[test]
fn a_problem_whose_id_would_be_one_too_many_is_left_undecided_and_what_is_known_counts_as_ever() {
    for reopens in [false, true] {
        let mut lane = lane(level::NEWEST, &json!({"remembered_ids": 5}), Quotas::default());
        lane.reopens = reopens;
        for number in 1..=8 {
            lane.bundle("acme", "a", number, "High");
            lane.bundle("bolt", "b", number, "High");
        }
        assert_eq!((detected(&lane, "acme"), detected(&lane, "bolt")), (5, 8), "nobody else has less of it");
        let left = row(&lane).unwrap().left.unwrap();
        assert_eq!((left.messages, left.bytes), (3, 3 * bundle("a", 6, "High").len() as u64));
        // A repetition, and what is no problem.
        lane.bundle("acme", "a", 2, "High");
        let incident = lane.domain.incident(&"acme-2".parse().unwrap()).unwrap().unwrap();
        assert_eq!(incident.row.repeats, 1);
        let told: Vec<_> = lane.on("acme.trigger.quota.exhausted").iter().map(|told| told.data.clone()).collect();
        let data = json!({"organization": "acme", "kind": "remembered-ids", "used": 5, "most": 5, "day": "2026-11-21"});
        assert_eq!(told, [data]);
        assert_eq!(lane.on("acme.trigger.quota.nearing").len(), 1, "at four of five");
        let heard: Vec<_> =
            lane.on("acme.reaction.told").iter().map(|told| told.data["action"]["of"].clone()).collect();
        assert_eq!(heard, ["acme remembered-ids 4/5 2026-11-21", "acme remembered-ids 5/5 2026-11-21"]);
        sleep(&mut lane);
        let dead = lane.on("acme.dead.over-quota");
        let [letter] = dead[..] else { panic!("{dead:?}") };
        assert_eq!(letter.data["counted"]["messages"], 3);
        // The next day changes nothing: they are remembered still. A greater quota does.
        lane.bundle("acme", "a", 6, "High");
        assert_eq!(detected(&lane, "acme"), 5);
        set(&mut lane, &json!({"remembered_ids": 6}));
        lane.bundle("acme", "a", 6, "High");
        lane.bundle("acme", "a", 7, "High");
        assert_eq!(detected(&lane, "acme"), 6);
    }
}

#[test]
fn there_is_room_for_ids_again_once_those_before_are_forgotten() {
    let mut lane = lane(level::NEWEST, &json!({}), Quotas { remembered_ids: Some(3), ..Quotas::default() });
    for number in 1..=4 {
        lane.bundle("acme", "a", number, "High");
    }
    assert_eq!(detected(&lane, "acme"), 3);
    for _ in 0..92 {
        sleep(&mut lane);
    }
    for number in 4..=8 {
        lane.bundle("acme", "a", number, "High");
    }
    assert_eq!(detected(&lane, "acme"), 6);
    // Its own counts instead, and 0 is none.
    set(&mut lane, &json!({"remembered_ids": 0}));
    lane.bundle("acme", "a", 9, "High");
    assert_eq!(detected(&lane, "acme"), 7);
    let record = &lane.on("acme.audit.set-organization").pop().unwrap().data;
    assert_eq!((&record["old"]["quotas"], &record["new"]["quotas"]), (&json!({}), &json!({"remembered_ids": 0})));
}

#[test]
fn what_counts_as_a_message_too_counts_once() {
    let mut lane = lane(level::NEWEST, &json!({"remembered_ids": 2, "messages": 9}), Quotas::default());
    for number in 1..=5 {
        lane.bundle("acme", "a", number, "High");
    }
    let row = row(&lane).unwrap();
    assert_eq!((row.messages, row.left.unwrap().messages), (2, 3));
}

#[test]
fn counting_ids_begins_with_the_level() {
    let mut lane = lane(15, &json!({"remembered_ids": 2}), Quotas { remembered_ids: Some(2), ..Quotas::default() });
    let key = remembered::key(&"acme".parse().unwrap());
    for number in 1..=4 {
        lane.bundle("acme", "a", number, "High");
    }
    assert_eq!((detected(&lane, "acme"), lane.row(&key)), (4, None));
    assert!(!lane.on("acme.audit.set-organization").iter().any(|told| told.data.to_string().contains("remembered")));
    lane.decide("", "ctl", b"", Content::Level(16));
    for number in 5..=8 {
        lane.bundle("acme", "a", number, "High");
    }
    assert_eq!(detected(&lane, "acme"), 6, "those of before are not counted, and the settings count");
    assert_eq!(lane.row(&key).unwrap().count(), 2);
}

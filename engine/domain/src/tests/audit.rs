//! What was asked goes on record in the decision that it led to, and stays provable when it ages.

use linesman_schemas::audit::{Record, Verdict};
use linesman_schemas::control::Settings;

use super::*;
use crate::audit::{self, Log, Owner, proof};
use crate::jobs;

impl Lane {
    fn log(&self, owner: &str) -> Vec<Record> {
        let log = Log::open(&self.base, &owner.parse().unwrap()).unwrap();
        (0..log.head().size()).map(|index| log.record(index).unwrap().unwrap().0).collect()
    }

    fn root(&self, owner: &str) -> String {
        Log::open(&self.base, &owner.parse().unwrap()).unwrap().head().root().to_string()
    }

    /// A command of the engine itself; what became of it.
    fn machine(&mut self, org: &str, verb: &Value) -> String {
        let id = format!("m{}", self.sequence);
        let command = json!({"id": id, "principal": {"kind": "machine"}, "node": "n", "verb": verb});
        let content = Content::Command(serde_json::from_value(command).unwrap());
        self.decide(org, if org.is_empty() { "ctl" } else { "cmd" }, b"", content);
        self.commit();
        let org = org.parse().ok();
        self.row(&crate::commands::key(org.as_ref(), &id)).unwrap().detail
    }

    fn as_manager(&mut self, org: &str, of: &str, verb: &Value) {
        let id = format!("c{}", self.sequence);
        let principal = json!({"kind": "manager", "organization": of, "name": "ann"});
        let command = json!({"id": id, "principal": principal, "node": "n", "verb": verb});
        self.take(org, "cmd", command.to_string().as_bytes());
    }
}

fn summary(record: &Record) -> (u64, &str, &str, &str, Verdict) {
    (record.index, &record.actor, &record.operation, &record.place, record.outcome)
}

#[test]
fn what_was_done_and_what_was_refused_is_on_record_with_the_change() {
    let mut lane = Lane::new();
    lane.organization("acme", "Send all information");
    let settings =
        json!({"set_organization": {"display_name": "Acme 2", "is_proxy": true, "filter_level": "Do not send"}});
    let id = format!("c{}", lane.sequence);
    let command = json!({"id": id, "principal": {"kind": "provider", "name": "admin"}, "node": "n", "verb": settings});
    let decision = lane.take("acme", "cmd", command.to_string().as_bytes());
    let letters: Vec<u8> = decision.writes.rows.iter().map(|(key, _)| key[0]).collect();
    assert!([b'o', b'e', b'E', b'H'].iter().all(|letter| letters.contains(letter)), "{letters:?}");
    lane.as_manager("acme", "acme", &json!("suspend_organization"));
    let log = lane.log("acme");
    assert_eq!(
        log.iter().map(summary).collect::<Vec<_>>(),
        [
            (0, "admin", "set-organization", "acme", Verdict::Done),
            (1, "admin", "set-organization", "acme", Verdict::Done),
            (2, "acme/ann", "suspend-organization", "acme", Verdict::NotFound),
        ]
    );
    assert_eq!((&log[1].old["display_name"], &log[1].new["display_name"]), (&json!("acme"), &json!("Acme 2")));
    assert_eq!((log[1].time, log[1].command.as_str(), log[1].node.as_str()), (lane.now, &*id, "n"));
    let said = &lane.on("acme.audit.suspend-organization")[0].data;
    assert_eq!((&said["index"], &said["place"], &said["verdict"]), (&json!(2), &json!("acme"), &json!("not-found")));
}

#[test]
fn what_was_refused_before_it_was_looked_up_was_about_something() {
    let mut lane = Lane::with(&[]);
    lane.command("acme", &json!({"close_incident": {"incident": "acme-7", "note": "x"}}));
    lane.as_manager("acme", "acme", &json!({"remove_manager": {"manager": "bea"}}));
    let about: Vec<_> = lane.log("acme").into_iter().map(|record| record.about).collect();
    assert_eq!(about, [None, Some("acme-7".to_owned()), Some("acme/bea".to_owned())]);
}

#[test]
fn who_granted_is_on_record() {
    let mut lane = Lane::new();
    lane.organization("acme", "Send all information");
    let manager = json!({"set_manager": {"manager": "ann", "sphere": ["acme"], "privileges": ["managers"]}});
    lane.command("acme", &manager);
    lane.as_manager("acme", "acme", &json!({"set_manager": {"manager": "bea", "sphere": ["acme"]}}));
    let log = lane.log("acme");
    assert_eq!(log[2].chain, ["admin"]);
    let said = lane.on("acme.audit.set-manager");
    assert_eq!((&said[0].data["chain"], &said[1].data["chain"]), (&Value::Null, &json!(["admin"])));
}

#[test]
fn an_organization_learns_nothing_of_managers_of_another() {
    let mut lane = Lane::with(&[]);
    lane.as_manager("acme", "bolt", &json!("suspend_organization"));
    let record = lane.log("acme").pop().unwrap();
    assert_eq!(summary(&record).1, "_unknown");
    assert_eq!((&record.principal, record.chain.len()), (&None, 0));
    let said = &lane.on("acme.audit.suspend-organization")[0].data;
    assert_eq!((&said["actor"], said.get("principal")), (&json!("_unknown"), None));
}

#[test]
fn what_is_asked_of_organizations_that_do_not_exist_is_on_record_of_the_provider() {
    let mut lane = Lane::with(&[]);
    lane.command("nobody", &json!("suspend_organization"));
    let record = lane.log("_provider").pop().unwrap();
    // Behind what the first rule book said of policies and of settings.
    assert_eq!(summary(&record), (2, "admin", "suspend-organization", "nobody", Verdict::NotFound));
    assert!(lane.log("nobody").is_empty());
}

#[test]
fn the_levels_before_have_no_log() {
    for level in [1, 2] {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        assert!(!lane.base.rows().keys().any(|key| b"eEHK".contains(&key[0])), "level {level}");
    }
}

#[test]
fn the_same_inputs_make_the_same_tree_however_often_the_lane_is_opened() {
    let run = |reopens: bool| {
        let mut lane = Lane::with(&[]);
        lane.reopens = reopens;
        for number in 0..20 {
            lane.organization(if number % 3 == 0 { "bolt" } else { "acme" }, "Do not send");
            lane.as_manager("acme", "acme", &json!("suspend_organization"));
        }
        (lane.root("acme"), lane.root("bolt"), lane.domain.position().digest, lane.base.rows())
    };
    assert!(run(false) == run(true));
}

#[test]
fn a_checkpoint_is_kept_once_and_only_of_what_was_so() {
    let mut lane = Lane::with(&[]);
    let keep = |size: u64, root: &str| json!({"keep_checkpoint": {"size": size, "root": root, "note": "signed"}});
    let root = lane.root("acme");
    let none = "the log `acme` has no such root at 2 records";
    assert_eq!(lane.machine("acme", &keep(2, &root)), none);
    assert_eq!(lane.machine("acme", &keep(1, &lane.root("bolt"))), none.replace('2', "1"));
    assert_eq!(lane.machine("acme", &keep(0, &audit::Hash::of_nothing().to_string())), none.replace('2', "0"));
    lane.events.clear();
    lane.organization("acme", "Do not send");
    assert_eq!(lane.machine("acme", &keep(1, &root)), "kept", "an earlier size is as good");
    assert_eq!(lane.machine("acme", &keep(1, &root)), "of 1 records a checkpoint is kept already");
    let log = Log::open(&lane.base, &"acme".parse().unwrap()).unwrap();
    let kept = log.kept(1).unwrap().unwrap();
    assert_eq!((kept.root.to_string(), &*kept.note, kept.kept), (root.clone(), "signed", lane.now));
    assert_eq!(log.head().size(), 2, "what keeps books is on no record");
    let said = lane.on("acme.audit.checkpoint");
    assert_eq!(said.len(), 1);
    assert_eq!((&said[0].data["size"], &said[0].data["note"]), (&json!(1), &json!("signed")));
    let path = log.consistency(1, 2).unwrap().unwrap();
    assert!(proof::extends(1, &kept.root, 2, &log.head().root(), &path));
    lane.command("nobody", &json!("suspend_organization"));
    let root = lane.root("_provider");
    assert_eq!(lane.machine("", &keep(3, &root)), "kept");
}

#[test]
fn what_was_refused_early_is_on_record_one_by_one_or_counted() {
    let mut lane = Lane::with(&[]);
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let refusal = |operation: &str, count: u64| json!({"principal": ann, "operation": operation, "place": "acme/munich", "verdict": "not-found", "count": count});
    let verb = json!({"record_refusals": {"refusals": [refusal("set-place", 1), refusal("", 250)]}});
    assert_eq!(lane.machine("acme", &verb), "recorded");
    let log = lane.log("acme");
    assert_eq!(summary(&log[1]), (1, "acme/ann", "set-place", "acme/munich", Verdict::NotFound));
    assert_eq!((&log[1].new, &log[2].new), (&Value::Null, &json!({"count": 250})));
    assert_eq!(lane.on("acme.audit.record-refusals").len(), 1);
}

#[test]
fn what_was_refused_early_was_about_something_from_level_7_on() {
    for (level, about) in [(6, None), (7, Some("acme-7".to_owned()))] {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Do not send");
        let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
        let refusal = json!({"principal": ann, "operation": "close-incident", "place": "acme", "about": "acme-7",
            "verdict": "conflict", "count": 1});
        lane.machine("acme", &json!({"record_refusals": {"refusals": [refusal]}}));
        let record = lane.log("acme").pop().unwrap();
        assert_eq!((record.about, record.outcome), (about, Verdict::Conflict), "at level {level}");
    }
}

#[test]
fn what_is_used_is_no_news() {
    let mut lane = Lane::with(&[]);
    let before = (lane.log("acme").len(), lane.events.len());
    lane.machine("acme", &json!({"touch_sessions": {"sessions": [], "tokens": []}}));
    assert_eq!((lane.log("acme").len(), lane.events.len()), before);
}

#[test]
fn bodies_go_with_age_the_oldest_first_and_the_tree_stays() {
    let mut lane = Lane::new();
    for name in ["acme", "bolt", "cask"] {
        lane.organization(name, "Do not send");
    }
    let retention = Settings { audit_retention_s: 10 * 86_400, ..Settings::default() };
    lane.rules(1, &[], retention);
    for number in 0..300 {
        lane.organization("acme", if number % 2 == 0 { "Do not send" } else { "Send all information" });
    }
    let (root, roots) = (lane.root("acme"), lane.root("bolt"));
    let later = |lane: &mut Lane, days: i64| {
        lane.now = lane.now.checked_add((24 * days).hours()).unwrap();
        lane.decide("", "ctl", b"", Content::Tick);
        lane.commit();
    };
    later(&mut lane, 5);
    lane.organization("acme", "Do not send");
    lane.work();
    assert_eq!(lane.log("acme").len(), 302, "nothing is old enough");
    later(&mut lane, 6);
    let is_at_work = |lane: &Lane| jobs::all(&lane.base).count();
    assert_eq!(is_at_work(&lane), 1);
    lane.decide("", "ctl", b"", Content::Continue { is_alone: false });
    lane.commit();
    assert_eq!(is_at_work(&lane), 1, "a slice is not all");
    lane.work();
    let oldest = |owner: &str| Log::open(&lane.base, &owner.parse().unwrap()).unwrap().oldest().unwrap();
    assert_eq!((oldest("acme"), oldest("bolt"), oldest("cask")), (301, 1, 1));
    let log = Log::open(&lane.base, &Owner::Organization("acme".parse().unwrap())).unwrap();
    assert_eq!(log.root_at(301).unwrap().unwrap().to_string(), root);
    assert_eq!(lane.root("bolt"), roots);
    assert!(log.row(0).unwrap().unwrap().detail.is_empty());
    assert_eq!((log.since(lane.now).unwrap(), log.since(jiff::Timestamp::UNIX_EPOCH).unwrap()), (302, 301));
    let leaf = log.row(5).unwrap().unwrap().leaf;
    let path = log.inclusion(5, 302).unwrap().unwrap();
    assert!(proof::includes(leaf, 5, 302, &path, &log.head().root()), "what has aged is proved");
}

#[test]
fn without_a_setting_nothing_ages() {
    let mut lane = Lane::with(&[]);
    lane.now = lane.now.checked_add((24 * 4000).hours()).unwrap();
    lane.decide("", "ctl", b"", Content::Tick);
    lane.commit();
    assert!(!lane.domain.has_work());
    assert_eq!(lane.log("acme").len(), 1);
}

#[test]
fn a_log_has_one_name() {
    for (text, owner) in [
        ("acme", Owner::Organization("acme".parse().unwrap())),
        ("_provider", Owner::Provider(0)),
        ("_provider-7", Owner::Provider(7)),
    ] {
        assert_eq!((text.parse(), owner.to_string().as_str()), (Ok(owner.clone()), text));
    }
    for text in ["", "_unknown", "_provider-0", "_provider-07", "_provider-", "_provider7", "a/b"] {
        text.parse::<Owner>().unwrap_err();
    }
}

//! What a case has come to stays so until somebody changes it: closed, said once, given up; from engine level 9 on.

use super::*;

/// A lane whose cases go to another partner, at a level.
fn between(level: u32) -> Lane {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.domain.desk.level = level;
    lane.domain.position.level = level;
    lane.domain.desk.installed.has_partner = true;
    lane.below(&report("k-1", 3, &["own"]));
    lane.report(&accepted());
    lane
}

fn stands(lane: &mut Lane, status: &str, minute: u32) {
    lane.take("acme", "result", standing(status, minute).as_bytes());
}

#[test]
fn a_case_closed_below_is_closed_whatever_the_partner_says_in_place_of_its_status() {
    for (level, expected) in [(8, "with engineering"), (9, "closed")] {
        let mut lane = between(level);
        lane.here(&case("override_case", &json!({"case_status": "with engineering"})));
        lane.below(&case("close_case", &json!({"text": "works"})));
        let before = lane.changes();
        assert_eq!(lane.chain(1).told.status, expected, "level {level}");
        lane.here(&case("note_case", &json!({"text": "thanks"})));
        assert_ne!(lane.changes(), before);
        lane.here(&case("reopen_case", &json!({})));
        assert_eq!(lane.chain(1).told.status, "with engineering");
    }
}

#[test]
fn clocks_and_words_that_a_partner_overrides_reopen_nothing() {
    for (level, expected) in [(8, "with engineering"), (9, "closed")] {
        let mut lane = between(level);
        stands(&mut lane, "with engineering", 5);
        lane.here(&case("close_case", &json!({"text": "works"})));
        lane.report(&json!({"done": "case_told"}));
        // The partner's clock is ahead of ours, or somebody there has said something.
        stands(&mut lane, "with engineering", 58);
        assert_eq!(lane.seen_below(1)[2], expected, "level {level}");
    }
}

#[test]
fn what_a_partner_has_closed_with_us_and_says_otherwise_of_is_reopened() {
    let mut lane = between(9);
    stands(&mut lane, "working", 5);
    lane.here(&case("close_case", &json!({})));
    // Its answer, before that is known to be one.
    stands(&mut lane, "closed", 6);
    lane.report(&json!({"done": "case_told"}));
    assert_eq!(lane.seen_below(1)[2], "closed");
    // Its clock is far behind ours.
    stands(&mut lane, "working", 7);
    assert_eq!(lane.seen_below(1)[2], "working");
    assert_eq!(lane.here(&case("close_case", &json!({}))).0, Verdict::Done, "and is closed again");
}

#[test]
fn what_is_said_comes_back_from_nowhere() {
    for (level, expected) in [(8, 3), (9, 2)] {
        let mut lane = between(level);
        let origin = json!({"id": "own:1", "author": "eve", "at": "2026-11-21T10:00:00Z"});
        lane.below(&case("note_case", &json!({"text": "works", "origin": origin})));
        let note = |id: &str, text: &str| json!({"id": id, "author": "a", "at": "2026-11-21T10:04:00Z", "text": text});
        let mut changed: Value = serde_json::from_str(&standing("created", 5)).unwrap();
        changed["case_changed"]["notes"] = json!([note("own:1", "works"), note("J1", "thanks")]);
        lane.take("acme", "result", changed.to_string().as_bytes());
        assert_eq!(lane.chain(1).notes.len(), expected, "level {level}");
        let below: Vec<_> = lane.chain(1).notes_below().map(|note| note.text).collect();
        assert_eq!(below.last().unwrap(), "thanks", "level {level}");
        assert_eq!(below.len(), expected - 1, "the one below knows what it has said");
    }
}

#[test]
fn a_case_that_goes_no_further_says_so_below() {
    let mut lane = Lane::partner(&json!({}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    assert_eq!(lane.chain(1).told.status, "");
    lane.report(&failed("refused", None));
    assert_eq!((lane.seen_below(1)[2].as_str(), lane.chain(1).told.status.as_str()), ("failed", "failed"));
    lane.here(&case("forward_case", &json!({})));
    assert_eq!(lane.chain(1).told.status, "", "it is on its way again");
    let mut lane = Lane::partner(&json!({"filter_level": "Do not send"}), &[]);
    lane.below(&report("k-1", 3, &["own"]));
    assert_eq!(lane.chain(1).told.status, "withheld");
    lane.here(&case("override_case", &json!({"case_status": "with us"})));
    assert_eq!(lane.chain(1).told.status, "with us", "what the partner says in its place counts");
}

#[test]
fn what_is_taken_can_go_on() {
    let mut lane = Lane::partner(&json!({}), &[]);
    let route: Vec<String> = (0..16).map(|number| format!("c{number}")).collect();
    let route: Vec<&str> = route.iter().map(String::as_str).collect();
    let (verdict, detail) = lane.below(&report("k-1", 3, &route));
    let expected = "the case has passed 16 controllers: one that has passed 16 with this one goes no further";
    assert_eq!((verdict, detail.as_str()), (Verdict::Invalid, expected));
    let mut verb = report("k-2", 3, &route[1..]);
    let names = ["b".repeat(64), "c".repeat(64), "d".repeat(64), "e".repeat(64), "SHOP".to_owned()];
    verb["report_case"]["report"]["alias"] = json!(names.join("/"));
    assert_eq!(lane.below(&verb).0, Verdict::Done);
    let sent = &lane.action()["submit_case"];
    assert_eq!(sent["trace_route"].as_array().unwrap().len(), 16);
    let alias = sent["alias"].as_str().unwrap();
    assert_eq!(alias, format!("ACME/.../{}/{}/{}/SHOP", "c".repeat(64), "d".repeat(64), "e".repeat(64)));
    assert!(alias.chars().count() <= 256);
}

#[test]
fn one_wrong_clock_above_is_not_for_ever() {
    for (level, expected) in [(8, "E1"), (9, "E2")] {
        let mut lane = between(level);
        let later = standing("E1", 5).replace("2026-11-21", "2099-11-21");
        lane.take("acme", "result", later.as_bytes());
        lane.now = lane.now.checked_add(1.hours()).unwrap();
        let now = lane.now;
        let honest = standing("E2", 5).replace("2026-11-21T10:05:00Z", &now.to_string());
        lane.take("acme", "result", honest.as_bytes());
        assert_eq!(lane.seen_below(1)[2], expected, "level {level}");
    }
}

#[test]
fn an_alias_leaves_as_other_texts_do_and_is_in_no_digest() {
    let alias = "ACME 10.9.8.7";
    let settings = json!({"alias": alias, "filter_level": "Send all information with IP addresses overwritten"});
    let covered = |level: u32| {
        let mut lane = Lane::partner(&settings, &[]);
        lane.domain.desk.level = level;
        lane.domain.position.level = level;
        lane.below(&report("k-1", 3, &["own"]));
        let action: linesman_schemas::reaction::Action = serde_json::from_value(lane.action()).unwrap();
        let covered = crate::cases::leaving::without_texts(level, &action).unwrap();
        (lane.action()["submit_case"]["alias"].clone(), serde_json::to_value(covered).unwrap())
    };
    let (sent, kept) = covered(9);
    assert_eq!((sent, &kept["submit_case"]["alias"]), (json!("ACME x.x.x.x"), &Value::Null));
    let (sent, kept) = covered(8);
    assert_eq!((sent, &kept["submit_case"]["alias"]), (json!(alias), &json!(alias)));
}

#[test]
fn what_was_said_below_of_whom_a_case_is_for_and_where_it_was_leaves_filtered() {
    let moment = "2026-11-20T08:00:10Z";
    let left = |level: u32, filter_level: &str| {
        let mut lane = Lane::partner(&json!({"alias": "ACME 10.9.8.7", "filter_level": filter_level}), &[]);
        lane.domain.desk.level = level;
        lane.domain.position.level = level;
        let mut verb = report("k-1", 3, &[moment, "10.9.8.6"]);
        verb["report_case"]["report"]["alias"] = json!("core-7.example");
        lane.below(&verb);
        let action: linesman_schemas::reaction::Action = serde_json::from_value(lane.action()).unwrap();
        let covered = serde_json::to_value(crate::cases::leaving::without_texts(level, &action).unwrap()).unwrap();
        let passed = |action: &Value| action["submit_case"]["trace_route"].as_array().unwrap().clone();
        let request = lane.action();
        (request["submit_case"]["alias"].clone(), passed(&request)[..2].to_vec(), passed(&covered)[0].clone())
    };
    let (alias, route, covered) = left(10, "Send all information with IP addresses overwritten");
    assert_eq!((alias, route), (json!("ACME x.x.x.x/core-7.example"), vec![json!(moment), json!("x.x.x.x")]));
    assert_eq!(covered, moment, "only what is filtered is in no digest");
    let (alias, route, _) = left(10, "Only send list of features used");
    assert_eq!((alias, route), (json!("ACME x.x.x.x"), vec![json!(moment), json!("withheld by filter level")]));
    let (alias, route, _) = left(9, "Only send list of features used");
    assert_eq!((alias, route), (json!("ACME 10.9.8.7/core-7.example"), vec![json!(moment), json!("10.9.8.6")]));
}

#[test]
fn what_is_not_given_of_an_override_stays_until_all_is_taken_back() {
    for (level, expected) in [(8, ["Y", "", "created"]), (9, ["Y", "", "x"])] {
        let mut lane = between(level);
        stands(&mut lane, "created", 5);
        lane.here(&case("override_case", &json!({"case_status": "x"})));
        lane.here(&case("override_case", &json!({"case_id": "Y"})));
        let [id, _, status] = lane.seen_below(1);
        assert_eq!([id.as_str(), "", status.as_str()], expected, "level {level}");
        lane.here(&case("override_case", &json!({})));
        let [id, _, status] = lane.seen_below(1);
        assert_eq!((id.as_str(), status.as_str()), ("C-1", "created"));
    }
}

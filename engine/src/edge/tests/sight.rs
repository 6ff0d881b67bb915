//! Whoever sees a part of an organization sees that, and counts that: by every kind of viewer.

mod heard;

use std::collections::BTreeMap;

use linesman_domain::cases;
use linesman_domain::intelligence::standing::{self, StandingRow};
use linesman_domain::intelligence::{self, IntelligenceRow};
use linesman_domain::places::{self, TiedRow};
use linesman_domain::table;
use linesman_schemas::intelligence::{Intelligence, Kind, Relevance, State};
use linesman_schemas::{OrgName, Privileges, Rights};
use reqwest::Response;
use serde_json::{Value, json};

use super::fixture::{TOKEN, problem};
use super::people::{BOB, EVE, GIL, NARROW, SID, ZOE};
use super::viewer::{self, World};

/// Who asks, and the incidents they see of `corp`, whose first and fourth are of `SN1`, the second of `SN2`, the third of
/// `SN3`.
const VIEWERS: [(&str, &[u64]); 7] = [
    (TOKEN, &[1, 2, 3, 4]),
    (BOB, &[1, 2, 3, 4]),
    (EVE, &[1, 2, 3, 4]),
    (ZOE, &[1, 2, 3, 4]),
    (GIL, &[2]),
    (SID, &[1, 4]),
    (NARROW, &[1, 4]),
];

/// The world of other tests, and an organization with three devices: one tied to a line of a site, one in a device
/// group, one alone.
pub(super) async fn world() -> World {
    let world = World::new().await;
    let edge = &world.edge;
    let fleet = [("SN1", "edge-1.example", ""), ("SN2", "edge-2.example", "core"), ("SN3", "edge-3.example", "")];
    edge.fleet("corp", &fleet, &["SN1", "SN2", "SN3", "SN1"]);
    world.fill_rest("corp");
    world.say("corp").await;
    edge.place("corp/berlin", &[]);
    edge.place("corp/berlin/line-7", &["edge-1.example"]);
    edge.place("corp/berlin-2", &["SN3"]);
    let org: OrgName = "corp".parse().unwrap();
    let lane = edge.store.lane(crate::log::streams::lane_of("corp", super::fixture::LANES)).unwrap();
    let case = table::Table::read(&lane, &cases::key(&org, 1)).unwrap().unwrap();
    for number in 2..=3 {
        let case = (cases::key(&org, number).into_bytes(), table::encode(&case).unwrap());
        edge.write("corp", vec![case, viewer::upload(&org, number)]);
    }
    for (id, named) in [("M-1", vec!["SN1", "SN3"]), ("M-2", vec!["SN3"]), ("M-3", vec!["SN2"])] {
        let serial_numbers = named.into_iter().map(str::to_owned).collect();
        let message = Intelligence {
            id: id.to_owned(),
            kind: Kind::Alert,
            title: id.to_owned(),
            text: String::new(),
            issued: Default::default(),
            relevance: Relevance { serial_numbers, ..Relevance::default() },
            links: Vec::new(),
            recalled: false,
        };
        let row = IntelligenceRow { message: message.into(), received: Default::default(), repeats: 0 };
        edge.write("corp", vec![(intelligence::key(&org, id).into_bytes(), table::encode(&row).unwrap())]);
    }
    edge.grant("bob", "corp", Privileges::all(), Rights::all());
    edge.grant("eve", "", Privileges::all(), Rights::all());
    edge.grant("gil", "", Privileges::all(), Rights::all());
    edge.group("corp", &["eve"], &["corp"], &[]);
    edge.group("cores", &["gil"], &[], &[("corp", "core")]);
    edge.grant("corp/sid", "corp/berlin", Privileges::all(), Rights::default());
    edge.grant("corp/zoe", "corp", Privileges::all(), Rights::default());
    edge.narrow("corp/zoe", "narrow", "corp/berlin");
    world
}

pub(super) async fn json_of(world: &World, token: &str, path: &str) -> Value {
    let answer = world.edge.get_as(token, path).await;
    assert_eq!(answer.status(), 200, "{token}: {path}");
    answer.json().await.unwrap()
}

/// What a field of a list's items says.
fn all(page: &Value, field: &str) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

/// Whoever sees an incident sees what was changed of it, and by whom; to others there is neither.
#[tokio::test]
async fn each_kind_of_viewer_sees_the_history_of_the_incidents_they_see() {
    let world = world().await;
    let org: OrgName = "corp".parse().unwrap();
    for number in 1..=4 {
        world.edge.write("corp", vec![viewer::changed(&org, number)]);
    }
    for (token, seen) in VIEWERS {
        for number in 1..=4_u64 {
            let path = format!("/api/v1/incidents/corp-{number}");
            if seen.contains(&number) {
                let history = json_of(&world, token, &path).await["history"].clone();
                let change = json!({"what": "owner", "old": null, "new": "corp/ann"});
                assert_eq!(history[0]["actor"], format!("policy corp/own-{number}"), "{token}: {path}");
                assert_eq!(history[0]["changes"], json!([change]), "{token}: {path}");
            } else {
                let hidden = problem(world.edge.get_as(token, &path).await).await;
                assert_eq!(hidden, (404, format!("there is no incident `corp-{number}`")), "{token}");
            }
        }
        // Lists have none of it.
        let of = if token == TOKEN { "?organization=corp" } else { "" };
        let listed = json_of(&world, token, &format!("/api/v1/incidents{of}")).await.to_string();
        assert!(!listed.contains("corp/own-"), "{token}: {listed}");
    }
    world.end().await;
}

#[tokio::test]
async fn each_kind_of_viewer_sees_and_counts_what_is_theirs() {
    let world = world().await;
    for (token, seen) in VIEWERS {
        let is_whole = seen.len() == 4;
        let of = if token == TOKEN { "?organization=corp" } else { "" };
        let incidents = json_of(&world, token, &format!("/api/v1/incidents{of}")).await;
        let mut ids = all(&incidents, "id");
        ids.sort();
        let expected: Vec<_> = seen.iter().map(|number| format!("corp-{number}")).collect();
        assert_eq!((ids, &incidents["total"]), (expected.clone(), &json!(seen.len())), "{token}");
        let mut cases = all(&json_of(&world, token, &format!("/api/v1/cases{of}")).await, "incident");
        cases.sort();
        let with_case = expected.into_iter().filter(|id| id != "corp-4").collect::<Vec<_>>();
        assert_eq!(cases, with_case, "{token}");
        let devices = all(&json_of(&world, token, &format!("/api/v1/devices{of}")).await, "serial_number");
        let (sn1, sn2) = (vec!["SN1"], vec!["SN2"]);
        let expected = if is_whole {
            // One that is reached and has sent nothing is seen with the whole.
            vec!["SN1", "SN2", "SN3", "S-corp"]
        } else if token == GIL {
            sn2
        } else {
            sn1
        };
        assert_eq!(devices, expected, "{token}");
        let messages = json_of(&world, token, &format!("/api/v1/intelligence{of}")).await;
        let named: BTreeMap<_, _> = messages["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| (message["id"].as_str().unwrap(), message["relevance"]["serial_numbers"].to_string()))
            .collect();
        let expected: &[(&str, &str)] = match token {
            _ if is_whole => {
                &[("M-1", r#"["SN1","SN3"]"#), ("M-2", r#"["SN3"]"#), ("M-3", r#"["SN2"]"#), ("TSB-1", "[]")]
            }
            GIL => &[("M-3", r#"["SN2"]"#)],
            _ => &[("M-1", r#"["SN1"]"#)],
        };
        let named: Vec<_> = named.iter().map(|(id, named)| (*id, named.as_str())).collect();
        assert_eq!(named, expected, "{token}");
        let report = json_of(&world, token, "/api/v1/intelligence-report?organization=corp&kind=alert").await;
        let concerned: Vec<_> = report["items"].as_array().unwrap().iter().map(concerning).collect();
        let expected: &[&str] = match token {
            _ if is_whole => &["SN1: M-1", "SN2: M-3", "SN3: M-1 M-2"],
            GIL => &["SN2: M-3"],
            _ => &["SN1: M-1"],
        };
        assert_eq!(concerned, expected, "{token}");
        // What is not seen is not to be found by filters either.
        let found = json_of(&world, token, "/api/v1/intelligence?serial_number=SN3&organization=corp").await;
        assert_eq!(found["items"].as_array().unwrap().len(), if is_whole { 2 } else { 0 }, "{token}");
        let corp = json_of(&world, token, "/api/v1/organizations/corp").await;
        let counts = (&corp["incidents"], corp.get("events").is_some(), corp.get("reactions").is_some());
        assert_eq!(counts, (&json!(seen.len()), is_whole, is_whole), "{token}");
        let groups = corp["device_groups"].as_array().unwrap().len();
        assert_eq!(groups, usize::from(is_whole || token == GIL), "{token}");
        // Of the log what was done at places that are seen.
        let records = if is_whole {
            3
        } else if token == GIL {
            0
        } else {
            2
        };
        let log = json_of(&world, token, "/api/v1/audit?organization=corp").await;
        assert_eq!(log["items"].as_array().unwrap().len(), records, "{token}");
        let export = world.edge.get_as(token, "/api/v1/audit/export?organization=corp&actor=*").await;
        assert_eq!(export.text().await.unwrap().lines().count(), records, "{token}");
        let checkpoint = world.edge.get_as(token, "/api/v1/audit/corp/checkpoint").await;
        assert_eq!(checkpoint.status(), if is_whole { 200 } else { 403 }, "{token}");
        if token != TOKEN {
            assert_eq!(all(&json_of(&world, token, "/api/v1/organizations").await, "name"), ["corp"], "{token}");
            let policies = all(&json_of(&world, token, "/api/v1/policies").await, "name");
            assert_eq!(policies, if is_whole { vec!["corp/own"] } else { vec![] }, "{token}");
            let letters = json_of(&world, token, "/api/v1/dead-letters").await;
            assert_eq!(letters["items"].as_array().unwrap().len(), usize::from(is_whole), "{token}");
        }
        let letters = world.edge.get_as(token, "/api/v1/dead-letters?organization=corp").await;
        assert_eq!(letters.status(), if is_whole { 200 } else { 403 }, "{token}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_message_shows_where_its_organization_stands_with_it_and_of_its_devices_those_that_are_seen() {
    let world = world().await;
    let org: OrgName = "corp".parse().unwrap();
    let row = StandingRow {
        state: State::InProgress,
        assignee: "corp/zoe".to_owned(),
        by: "bob".to_owned(),
        changed: Default::default(),
    };
    world.edge.write("corp", vec![(standing::key(&org, "M-1").into_bytes(), table::encode(&row).unwrap())]);
    for (token, seen) in VIEWERS {
        let path = "/api/v1/intelligence/corp/M-1";
        let of = if token == TOKEN { "organization=corp&" } else { "" };
        let found = |state| format!("/api/v1/intelligence?{of}state={state}");
        let begun = all(&json_of(&world, token, &found("in%20progress")).await, "id");
        let is_rest = all(&json_of(&world, token, &found("unassigned")).await, "id");
        assert!(!is_rest.contains(&"M-1".to_owned()), "{token}");
        if token == GIL {
            assert!(begun.is_empty() && is_rest == ["M-3"], "{begun:?} {is_rest:?}");
            for path in [path.to_owned(), format!("{path}/impact")] {
                assert_eq!(world.edge.get_as(token, &path).await.status(), 404, "{token}: {path}");
            }
            continue;
        }
        assert_eq!(begun, ["M-1"], "{token}");
        let message = json_of(&world, token, path).await;
        assert_eq!((&message["state"], &message["assignee"]), (&json!("in progress"), &json!("corp/zoe")), "{token}");
        let impact = json_of(&world, token, &format!("{path}/impact")).await;
        let expected = if seen.len() == 4 { vec!["SN1", "SN3"] } else { vec!["SN1"] };
        let devices =
            impact["devices"].as_array().unwrap().iter().map(|device| device["serial_number"].as_str().unwrap());
        assert_eq!(
            (devices.collect::<Vec<_>>(), &impact["count"]),
            (expected.clone(), &json!(expected.len())),
            "{token}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn what_was_uploaded_is_seen_with_its_case_and_nowhere_else() {
    let world = world().await;
    for (token, seen) in VIEWERS {
        for number in 1..=3 {
            let answer = world.edge.get_as(token, &format!("/api/v1/cases/corp-{number}")).await;
            if !seen.contains(&number) {
                let (status, body) = (answer.status(), answer.text().await.unwrap());
                assert!(status == 404 && !body.contains("rsi"), "{token}: {number}: {body}");
                continue;
            }
            let case: Value = answer.json().await.unwrap();
            let expected = json!([{
                "name": format!("rsi of corp-{number}.txt"), "kind": "attachment", "size": 300, "state": "kept",
            }]);
            assert_eq!(case["uploads"], expected, "{token}: {number}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_device_shows_the_place_it_is_tied_to_where_that_is_seen() {
    let world = world().await;
    let org: OrgName = "corp".parse().unwrap();
    for (serial_number, place) in [("SN1", "corp/berlin/line-7"), ("SN2", "corp/berlin-2")] {
        world.edge.place(place, &[serial_number]);
        let row = table::encode(&TiedRow { place: place.parse().unwrap() }).unwrap();
        world.edge.write("corp", vec![(places::tied_key(&org, serial_number).into_bytes(), row)]);
    }
    for (token, seen) in VIEWERS {
        let (serial_number, place) = match token {
            GIL => ("SN2", None),
            _ => ("SN1", Some("corp/berlin/line-7")),
        };
        let device = json_of(&world, token, &format!("/api/v1/devices/corp/{serial_number}")).await;
        assert_eq!(device.get("place").map(|place| place.as_str().unwrap()), place, "{token}");
        if seen.len() == 4 {
            let elsewhere = json_of(&world, token, "/api/v1/devices/corp/SN2").await;
            assert_eq!(elsewhere["place"], "corp/berlin-2", "{token}");
            let nowhere = json_of(&world, token, "/api/v1/devices/corp/SN3").await;
            assert_eq!(nowhere.get("place"), None, "{token}");
        }
    }
    world.end().await;
}

/// What is outside of somebody's reach, and what does not exist, by path; the same number of characters in both.
fn pairs(path: &str, letters: &[String; 2], is_in_part: bool) -> Vec<(String, String)> {
    let pair = |outside: &str, nothing: &str| (outside.to_owned(), nothing.to_owned());
    let mut pairs = Vec::new();
    let is_list = !path.contains('{');
    if path.starts_with("/api/v1/dead-letters/") {
        let [bolt, corp] = letters;
        let nothing = |letter: &str| letter.replace(|digit: char| digit.is_ascii_digit(), "9");
        pairs.push((bolt.clone(), nothing(bolt)));
        if is_in_part {
            pairs.push((corp.clone(), nothing(corp)));
        }
        return pairs.into_iter().map(|(a, b)| (path.replace("{id}", &a), path.replace("{id}", &b))).collect();
    }
    let with = |outside: &str, nothing: &str| {
        let fill = |whose: &str| {
            let (org, one) = whose.split_once(' ').unwrap_or((whose, ""));
            let mark = if path.contains("approvals") { "a" } else { "" };
            let id = if path.contains("{organization}") { one.to_owned() } else { format!("{org}-{mark}{one}") };
            let name = if path.contains("policies") { format!("{org}%2F{one}") } else { org.to_owned() };
            path.replace("{organization}", org)
                .replace("{id}", &id)
                .replace("{name}", &name)
                .replace("{device}", one)
                .replace("{group}", one)
                .replace("{site}", "berlin")
                .replace("{line}", "line-7")
                .replace("{bundle}", "health")
                .replace("{version}", "1")
                .replace("{profile}", "chassis")
                .replace("{device_group}", "core")
                .replace("{number}", "1")
                .replace("{activation}", one)
        };
        (fill(outside), fill(nothing))
    };
    match path {
        _ if is_list => {
            pairs.push(pair(&format!("{path}?organization=bolt"), &format!("{path}?organization=nope")));
        }
        _ if path.contains("/commands/") => {
            let path = path.replace("{id}", "asked-1");
            pairs.push(pair(&format!("{path}?organization=bolt"), &format!("{path}?organization=nope")));
            pairs.push(pair(
                &format!("{path}?organization=corp"),
                &format!("{}?organization=corp", path.replace("asked-1", "asked-9")),
            ));
        }
        // Of the provider's people, groups and services there are none to be told apart.
        "/api/v1/managers/{name}" | "/api/v1/groups/{name}" => {}
        "/api/v1/services/{name}" | "/api/v1/services/{name}/rollout" => {}
        _ if ["/managers/", "/places/", "/values/", "/subscriptions/", "/activations/"]
            .iter()
            .any(|part| path.contains(part)) =>
        {
            pairs.push(with("bolt ann", "nope ann"))
        }
        _ if path.contains("/explain/") => {
            let (outside, nothing) = with("bolt ann", "nope ann");
            let query = "?service=nat&parameter=line";
            pairs.push((format!("{outside}{query}"), format!("{nothing}{query}")));
        }
        _ if path.contains("/jmb-errors/") => pairs.push(with("bolt r1", "nope r1")),
        _ if path.contains("/directives-groups/") => pairs.push(with("bolt mx", "nope mx")),
        _ if path.contains("/devices/") => {
            pairs.push(with("bolt SN1", "nope SN1"));
            pairs.extend(is_in_part.then(|| with("corp SN3", "corp SN9")));
        }
        _ if path.contains("/intelligence/") => {
            pairs.push(with("bolt TSB-1", "nope TSB-1"));
            pairs.extend(is_in_part.then(|| with("corp M-2", "corp M-9")));
        }
        _ if path.contains("/approvals/") => {
            pairs.push(with("bolt 1", "nope 1"));
            pairs.extend(is_in_part.then(|| with("corp 1", "corp 9")));
        }
        _ if path.contains("/policies/") => {
            pairs.push(with("bolt own", "nope own"));
            pairs.extend(is_in_part.then(|| with("corp own", "corp non")));
        }
        _ if path.contains("/audit/") => {
            let path = path.replace("{index}", "0");
            let query = if path.ends_with("/proof") { "?index=0" } else { "" };
            let whose = |org: &str| format!("{}{query}", path.replace("{organization}", org));
            pairs.push((whose("bolt"), whose("nope")));
            if is_in_part && path.ends_with("/0") {
                pairs.push((whose("corp"), whose("corp").replace("/0", "/9")));
            }
        }
        _ if path.contains("/organizations/") => pairs.push(with("bolt", "nope")),
        _ if path.contains("/incidents/") || path.contains("/cases/") => {
            pairs.push(with("bolt 1", "nope 1"));
            pairs.extend(is_in_part.then(|| with("corp 3", "corp 9")));
        }
        "/api/v1/sessions/{id}" | "/api/v1/tokens/{name}" => {
            let path = path.replace("{id}", "one").replace("{name}", "one");
            pairs.push(pair(&format!("{path}?login=bolt/ann"), &format!("{path}?login=nope/ann")));
        }
        _ => panic!("{path}: how is it asked for, and what lies outside?"),
    }
    pairs
}

/// All of an answer that does not tell the time.
async fn whole(answer: Response, names: &[(&str, &str)]) -> (u16, BTreeMap<String, String>, String) {
    let status = answer.status().as_u16();
    let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let mut body = answer.text().await.unwrap();
    for (outside, nothing) in names {
        body = body.replace(outside, nothing);
    }
    (status, headers, body)
}

#[tokio::test]
async fn what_lies_outside_answers_like_what_does_not_exist_on_every_route() {
    let world = world().await;
    let letters = [world.letter("bolt").await, world.letter("corp").await];
    let document: Value = world.edge.get("/api/v1/openapi.json").await.json().await.unwrap();
    let names = [
        ("bolt", "nope"),
        ("corp-3", "corp-9"),
        ("SN3", "SN9"),
        ("M-2", "M-9"),
        ("corp/own", "corp/non"),
        ("record 0", "record 9"),
        ("asked-1", "asked-9"),
        ("corp-a1", "corp-a9"),
    ];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array();
            let takes = |name: &str| parameters.is_some_and(|all| all.iter().any(|one| one["name"] == name));
            // Whose events are listened to is no secret: nothing is heard of either. Lanes are the provider's as a whole.
            let is_told = path == "/api/v1/events" || path.starts_with("/api/v1/lanes/");
            if is_told || !(path.contains('{') || takes("organization")) {
                continue;
            }
            // Of these the rooms' own tests ask.
            if ["/places", "/place", "/managers", "/groups"].iter().any(|room| path.contains(room)) {
                continue;
            }
            for (token, seen) in VIEWERS.into_iter().skip(1) {
                for (outside, nothing) in pairs(path, &letters, seen.len() < 4) {
                    let hidden = whole(world.ask_for(token, method, &outside).await, &names).await;
                    let missing = whole(world.ask_for(token, method, &nothing).await, &names).await;
                    assert_eq!(hidden, missing, "{token}: {method} {outside}");
                    assert!([403, 404].contains(&hidden.0), "{token}: {method} {outside}: {hidden:?}");
                }
            }
        }
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_the_providers_is_nobody_elses() {
    let world = world().await;
    for (token, _) in VIEWERS.into_iter().skip(1) {
        for (method, path) in [
            ("get", "/metrics"),
            ("get", "/api/v1/status"),
            ("get", "/api/v1/level"),
            ("put", "/api/v1/level"),
            ("get", "/api/v1/lanes"),
            ("post", "/api/v1/lanes/0/skip"),
            ("post", "/api/v1/lanes/0/rejudge"),
            ("get", "/api/v1/clock"),
            ("post", "/api/v1/clock/confirm"),
            ("get", "/api/v1/verification"),
            ("post", "/api/v1/verification"),
            ("get", "/api/v1/mode"),
            ("put", "/api/v1/mode"),
            ("get", "/api/v1/log-level"),
            ("put", "/api/v1/log-level"),
            ("put", "/api/v1/upstream/pin"),
            ("post", "/api/v1/policies/load"),
        ] {
            let answer = world.ask_for(token, method, path).await;
            let nothing = (404, "there is nothing under this path".to_owned());
            assert_eq!(problem(answer).await, nothing, "{token}: {method} {path}");
        }
    }
    world.edge.grant("bob", "/", Privileges::default(), Rights::default());
    assert_eq!(world.edge.get_as(BOB, "/api/v1/status").await.status(), 200);
    let (status, why) = problem(world.edge.get_as(BOB, "/api/v1/audit?organization=corp").await).await;
    assert_eq!((status, &*why), (403, "`bob` has not the right `audit` on `corp`"));
    let (status, why) = problem(world.ask_for(BOB, "put", "/api/v1/log-level").await).await;
    assert_eq!((status, &*why), (403, "`bob` has not the right `settings` on `/`"));
    let (status, why) = problem(world.ask_for(BOB, "post", "/api/v1/organizations/bolt/suspend").await).await;
    assert_eq!((status, &*why), (403, "`bob` has not the right `organizations` on `bolt`"));
    world.end().await;
}

/// A device of a report, with the ids of the messages that name it.
fn concerning(device: &Value) -> String {
    let messages = device["messages"].as_array().unwrap().iter().filter(|message| message["id"] != "TSB-1");
    let ids: String = messages.map(|message| format!(" {}", message["id"].as_str().unwrap())).collect();
    format!("{}:{ids}", device["serial_number"].as_str().unwrap())
}

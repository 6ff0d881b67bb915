//! Whoever sees a part of an organization hears of that, and learns of others neither by ids nor by cursors; what they are refused
//! goes on record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linesman_schemas::{Privileges, Rights};
use reqwest::Response;
use serde_json::{Value, json};

use super::super::fixture::{TOKEN, problem};
use super::super::people::{GIL, NARROW, SID, ZOE};
use super::super::viewer::World;
use super::{all, json_of, world};
use crate::lane::status::LaneStatus;
use crate::log::events;
use crate::log::streams::IN;

/// An `incident.detected` of a device of `corp`.
async fn detected(world: &World, serial_number: &str, id: usize) {
    let data = json!({"id": format!("corp-{id}"), "device": {"serial_number": serial_number}});
    world.put("w.corp.trigger.incident.detected".to_owned(), data).await;
}

async fn heard(answer: &mut Response, until: &str) -> String {
    let mut heard = String::new();
    while !heard.contains(until) {
        let part = tokio::time::timeout(std::time::Duration::from_secs(30), answer.chunk()).await;
        match part.unwrap().unwrap() {
            Some(part) => heard.push_str(&String::from_utf8_lossy(&part)),
            None => break,
        }
    }
    heard
}

#[tokio::test]
async fn whoever_sees_a_part_hears_of_that_and_of_nothing_more_once_it_is_taken_away() {
    let world = world().await;
    world.edge.ready.send_replace(true);
    detected(&world, "SN3", 33).await;
    detected(&world, "SN2", 22).await;
    let message = |named: &[&str]| json!({"id": "M", "relevance": {"serial_numbers": named}});
    world.put("w.corp.trigger.intelligence.received".to_owned(), message(&["SN3"])).await;
    world.put("w.corp.trigger.intelligence.received".to_owned(), message(&["SN1", "SN2", "SN3"])).await;
    let exposed = json!({"id": "M", "device": {"serial_number": "SN1"}});
    world.put("w.corp.trigger.exposure.new".to_owned(), exposed).await;
    let matched = json!({"id": "M", "devices": ["SN1", "SN2"]});
    world.put("w.corp.trigger.intelligence.matched".to_owned(), matched).await;
    world.put("w.corp.trigger.policy.refused".to_owned(), json!({"path": "corp/x.rhai"})).await;
    detected(&world, "SN1", 11).await;
    detected(&world, "SN2", 44).await;
    for (token, last, own) in [(SID, "corp-11", "SN1"), (GIL, "corp-44", "SN2"), (NARROW, "corp-11", "SN1")] {
        let mut answer = world.edge.get_as(token, "/api/v1/events?last_event_id=0-0").await;
        let heard = heard(&mut answer, last).await;
        for serial_number in ["SN1", "SN2", "SN3"] {
            assert_eq!(heard.contains(serial_number), serial_number == own, "{token}: {heard}");
        }
        assert_eq!(heard.matches("event: intelligence.received").count(), 1, "{token}: {heard}");
        for untold in ["x.rhai", "bolt", "exposure.new", "intelligence.matched"] {
            assert!(!heard.contains(untold), "{token}: {heard}");
        }
    }
    let mut answer = world.edge.get_as(SID, "/api/v1/events").await;
    detected(&world, "SN1", 100).await;
    assert!(heard(&mut answer, "corp-100").await.contains("corp-100"));
    world.edge.grant("corp/sid", "corp/berlin-2", Privileges::all(), Rights::default());
    for id in 1000..1600 {
        detected(&world, "SN1", id).await;
    }
    detected(&world, "SN3", 2000).await;
    let rest = heard(&mut answer, "corp-2000").await;
    assert!(rest.contains("corp-2000") && rest.matches("\"SN1\"").count() < 300, "{}", rest.len());
    // Whoever is gone hears no more at all.
    world.edge.grant("corp/sid", "", Privileges::all(), Rights::default());
    for id in 3000..3300 {
        detected(&world, "SN3", id).await;
    }
    assert!(!heard(&mut answer, "corp-3299").await.contains("corp-3299"));
    world.end().await;
}

/// The ids of what was heard, and the kinds of events.
fn told<'a>(heard: &'a str, field: &str) -> Vec<&'a str> {
    heard.lines().filter_map(|line| line.strip_prefix(field)?.strip_prefix(": ")).collect()
}

#[tokio::test]
async fn ids_of_events_tell_nothing_of_others() {
    let world = world().await;
    world.edge.ready.send_replace(true);
    let first = async |token: &str| {
        let mut answer = world.edge.get_as(token, "/api/v1/events").await;
        told(&heard(&mut answer, "id: ").await, "id")[0].to_owned()
    };
    detected(&world, "SN1", 11).await;
    assert_ne!(first(SID).await, first(SID).await, "whether OUT has gone on meanwhile is not to be told");
    let before = first(SID).await;
    detected(&world, "SN2", 22).await;
    detected(&world, "SN1", 12).await;
    detected(&world, "SN1", 13).await;
    let behind = async |token: &str, id: &str, until: &str| {
        let mut answer = world.edge.get_as(token, &format!("/api/v1/events?last_event_id={id}")).await;
        assert_eq!(answer.status(), 200, "{id}");
        heard(&mut answer, until).await
    };
    let rest = behind(SID, &before, "corp-13").await;
    assert_eq!(told(&rest, "event"), ["incident.detected"; 2], "{rest}");
    let ids = told(&rest, "id");
    assert!(ids.iter().all(|id| id.len() == 56 && id.bytes().all(|c| c.is_ascii_hexdigit())), "{rest}");
    assert!(behind(SID, ids[0], "corp-13").await.contains(ids[1]), "they stay the same");
    // A place that is spelt out may be a guess: whatever it is, it is answered alike.
    let whole = behind(SID, "0-0", "corp-13").await;
    for guess in ["1-0", "3-0", "3-1", "999999-0"] {
        let heard = behind(SID, guess, "corp-13").await;
        assert_eq!(heard.replace(&format!("event: gap\ndata: {{\"last\":\"{guess}\"}}\n\n"), ""), whole, "{guess}");
        assert!(heard.contains("event: gap"), "{heard}");
    }
    let all = behind(TOKEN, "0-0", "corp-13").await;
    assert!(told(&all, "id").iter().all(|id| id.contains('-')), "{all}");
    assert_eq!(world.edge.get_as(TOKEN, "/api/v1/events?last_event_id=999999-0").await.status(), 400);
    // One that another engine sealed is no guess of anything.
    for foreign in ["0".repeat(48), "0".repeat(56)] {
        let heard = behind(SID, &foreign, "corp-13").await;
        assert_eq!(heard.replace(&format!("event: gap\ndata: {{\"last\":\"{foreign}\"}}\n\n"), ""), whole, "{foreign}");
        assert!(heard.contains("event: gap"), "{heard}");
    }
    for wrong in ["x".to_owned(), "0".repeat(47), "g".repeat(56), before.to_uppercase()] {
        let refused = problem(world.edge.get_as(SID, &format!("/api/v1/events?last_event_id={wrong}")).await).await;
        assert_eq!(refused, (400, "`last_event_id` is no event's id".to_owned()));
    }
    // Of the first of all nobody else's place is told.
    let page = json_of(&world, ZOE, "/api/v1/incidents").await;
    assert_eq!(page["items"][0]["bundle"].get("sequence"), None, "{page}");
    let page = json_of(&world, TOKEN, "/api/v1/incidents").await;
    assert!(page["items"][0]["bundle"]["sequence"].is_u64(), "{page}");
    world.end().await;
}

#[tokio::test]
async fn cursors_of_dead_letters_tell_nothing_of_others() {
    let world = world().await;
    for whose in ["acme", "corp", "bolt", "bolt", "corp", "acme", "corp"] {
        world.say(whose).await;
    }
    for (token, sort) in [(ZOE, "time"), (ZOE, "-time"), (TOKEN, "time"), (TOKEN, "-time")] {
        let path = format!("/api/v1/dead-letters?organization=corp&sort={sort}");
        let whole = all(&json_of(&world, token, &path).await, "id");
        let (mut ids, mut next) = (Vec::new(), String::new());
        loop {
            let page = json_of(&world, token, &format!("{path}&limit=1{next}")).await;
            ids.extend(all(&page, "id"));
            let Some(cursor) = page["next"].as_str() else { break };
            // Which list it is, and the last letter's id as it was told: where that stands in OUT is not in it.
            let told = URL_SAFE_NO_PAD.decode(cursor).unwrap();
            let id = ids.last().unwrap();
            assert!(told.len() == 11 + id.len() && told.ends_with(id.as_bytes()), "{told:?} {id}");
            if token == TOKEN {
                let refused = world.edge.get_as(ZOE, &format!("{path}&limit=1&cursor={cursor}")).await;
                assert_eq!(problem(refused).await, (400, "`cursor` is none that an answer gave as `next`".to_owned()));
            }
            next = format!("&cursor={cursor}");
        }
        assert_eq!((ids.len(), &ids), (4, &whole), "{token} {sort}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_refused_before_it_is_a_command_goes_on_record_with_whoever_tried() {
    told_of_refusals(3, false).await;
    told_of_refusals(7, true).await;
}

/// What lanes at a level are told of refusals; what they were about where that level knows it.
async fn told_of_refusals(level: u32, knows_about: bool) {
    let world = world().await;
    for lane in &world.edge.lanes {
        lane.send_replace(LaneStatus { level, ..LaneStatus::default() });
    }
    for path in ["organizations/corp/suspend", "organizations/bolt/suspend"] {
        let answer = world.ask_for(ZOE, "post", &format!("/api/v1/{path}")).await;
        assert_eq!(answer.status(), if path.contains("corp") { 403 } else { 404 });
    }
    let answer = world.edge.get_as(NARROW, "/api/v1/audit/corp/checkpoint").await;
    assert_eq!(answer.status(), 403, "what is read is seen, and not allowed");
    // What is read and is not there, and what is no operation, is not; nor is what would only have been told.
    world.edge.get_as(ZOE, "/api/v1/organizations/bolt").await;
    let dry = world.ask_for(ZOE, "post", "/api/v1/subscriptions/bolt/own/suspend?dry_run=true").await;
    assert_eq!(dry.status(), 404);
    world.ask_for(ZOE, "post", "/api/v1/nothing").await;
    // What leads through one path is told apart, and by the place that it is about.
    for path in ["/api/v1/values/corp?service=nat", "/api/v1/values/corp?service=nat&dry_run=true"] {
        assert_eq!(world.ask_for(ZOE, "put", path).await.status(), 403);
    }
    assert_eq!(world.ask_for(ZOE, "post", "/api/v1/policies/load?section=settings").await.status(), 404);
    assert_eq!(world.ask_for(ZOE, "post", "/api/v1/incidents/bolt-1/close").await.status(), 404);
    assert_eq!(world.ask_for(ZOE, "delete", "/api/v1/session").await.status(), 409, "nobody's session");
    // What is not understood is refused as well; what is only read is not.
    assert_eq!(world.ask_for(ZOE, "put", "/api/v1/values/corp?service=a%20b").await.status(), 400);
    assert_eq!(world.ask_for(ZOE, "get", "/api/v1/values/corp?service=a%20b").await.status(), 400);
    let (client, server) = world.end_of_edge().await;
    let (mut told, mut sequence) = (Vec::new(), 1);
    while let Some((subject, payload)) = events::message(&client, IN, sequence).await.unwrap() {
        let command: Value = serde_json::from_slice(&payload).unwrap();
        assert!(subject.contains("corp") && command["principal"]["kind"] == "machine", "{subject}: {command}");
        told.extend(command["verb"]["record_refusals"]["refusals"].as_array().unwrap().clone());
        sequence += 1;
    }
    let told: Vec<_> = told
        .iter()
        .map(|refusal| {
            let text = |name: &str| refusal[name].as_str().unwrap();
            assert_eq!(refusal["principal"]["name"], "zoe");
            (text("operation"), text("place"), text("verdict"), refusal["about"].as_str())
        })
        .collect();
    let expected = [
        ("suspend-organization", "corp", "forbidden", None),
        ("suspend-organization", "bolt", "not-found", None),
        ("audit-checkpoint", "corp", "forbidden", None),
        ("localize-service", "corp", "forbidden", None),
        ("localize-service", "corp", "forbidden", None),
        ("load-settings", "/", "not-found", None),
        ("close-incident", "bolt", "not-found", knows_about.then_some("bolt-1")),
        ("logout", "corp", "conflict", None),
        ("set-values", "corp", "invalid", None),
    ];
    assert_eq!(told, expected);
    server.stop().await;
}

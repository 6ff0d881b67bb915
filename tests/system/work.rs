//! What people ask for is done once, by whatever way and however often they ask.

use linesman_tests::{Api, Engine, Launch, Out, Upstream, World, event, run, until};
use reqwest::Method;
use serde_json::{Value, json};

async fn publish(engine: &Engine, org: &str, numbers: std::ops::RangeInclusive<u64>) {
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    for number in numbers.clone() {
        let bundle = event("edge-01", number, "WORK", "Low");
        log.publish(format!("in.{org}.jmb.test"), bundle.into()).await.unwrap().await.unwrap();
    }
    until("the incidents are there", async || (engine.incidents(org).await.unwrap() >= *numbers.end()).then_some(()))
        .await;
}

async fn incident(api: &Api) -> Value {
    api.ask(Method::GET, "/api/v1/incidents/acme-1", None, None).await.unwrap().body
}

#[tokio::test]
async fn incidents_are_worked_on_from_the_command_line() {
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\ncase_poll_s = 1\n");
    world.policy("acme/own", "policy(#{ on: \"case.assigned\" });\nfn react(update, org) { }\n").unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    publish(&engine, "acme", 1..=2).await;
    let message = json!({"id": "TSB1", "kind": "alert", "title": "Line cards", "issued": "2026-11-21T10:00:00Z"});
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    log.publish("in.acme.intel.test", message.to_string().into()).await.unwrap().await.unwrap();
    until("the message is kept", async || engine.get("/api/v1/intelligence/acme/TSB1").await.ok()).await;
    let data = world.data();
    let data = data.to_str().unwrap();
    let ok = async |args: &[&str]| {
        let ended = run(&[args, &["--data-dir", data]].concat()).await.unwrap();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{args:?}");
        ended.stdout
    };
    assert_eq!(ok(&["incident", "assign", "acme-1", "ann", "--in-progress"]).await, "assigned\n");
    assert_eq!(ok(&["incident", "prioritise", "acme-1", "Critical"]).await, "prioritised\n");
    assert_eq!(ok(&["incident", "annotate", "acme-1", "seen"]).await, "annotated\n");
    assert_eq!(ok(&["case", "save", "acme-1", "--comments", "since the upgrade"]).await, "saved\n");
    assert_eq!(ok(&["case", "submit", "acme-1"]).await, "submitted\n");
    assert_eq!(ok(&["incident", "close", "acme-2", "--note", "duplicate"]).await, "closed\n");
    assert_eq!(ok(&["incident", "reopen", "acme-2", "--note", "not yet"]).await, "reopened\n");
    assert_eq!(ok(&["incident", "close", "acme-2"]).await, "closed\n");
    assert_eq!(ok(&["org", "suspend", "bolt"]).await, "suspended\n");
    assert_eq!(ok(&["org", "set", "bolt", "--display-name", "Bolt"]).await, "changed\n");
    let bolt = engine.get("/api/v1/organizations/bolt").await.unwrap();
    let stays = (&bolt["filter_level"], &bolt["proxy"], &bolt["standing"], &bolt["display_name"]);
    assert_eq!(stays, (&json!("Send all information"), &json!(true), &json!("active"), &json!("Bolt")));
    assert_eq!(ok(&["org", "set", "newco", "--proxy", "--device-group", "core=edge-*,p-1"]).await, "created\n");
    until("the case has its id", async || {
        let state = &engine.get("/api/v1/cases/acme-1").await.unwrap()["state"];
        (state == "created").then_some(())
    })
    .await;
    assert_eq!(upstream.cases().await.unwrap(), 1);

    let shown: Value = serde_json::from_str(&ok(&["incident", "show", "acme-1", "--json"]).await).unwrap();
    assert_eq!(
        (&shown["owner"], &shown["priority"], &shown["status"]),
        (&json!("ann"), &json!("Critical"), &json!("in progress"))
    );
    assert_eq!(shown["notes"][0]["text"], "seen");
    assert_eq!(shown["notes"][0]["actor"], "api");
    let table = ok(&["incident", "list", "--status", "completed", "--organization", "acme"]).await;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        (lines.len(), lines[0][..4].join(" "), lines[1][0]),
        (2, "ID DETECTED PRIORITY STATUS".to_owned(), "acme-2")
    );
    for (one, what) in [
        (&["device", "show", "acme", "SNedge-01"][..], "edge-01"),
        (&["intel", "show", "acme", "TSB1"], "Line cards"),
        (&["policy", "show", "acme/own"], "fn react"),
        (&["case", "show", "acme-1"], "since the upgrade"),
        (&["org", "show", "acme"], "Send all information"),
    ] {
        let card = ok(one).await;
        assert!(card.contains(what), "{one:?}: {card}");
    }
    // From elsewhere: no data directory, but an address, a token and an authority.
    let ready = engine.ready().unwrap();
    let token = world.data().join("token");
    let far = ["--api", &ready.api, "--token-file", token.to_str().unwrap(), "--ca", ready.ca.to_str().unwrap()];
    let newest = ["incident", "list", "--sort=-detected", "--limit", "1", "--all", "--json"];
    let seen = run(&[&newest[..], &far].concat()).await.unwrap();
    let ids: Vec<Value> =
        seen.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!((seen.code, ids), (Some(0), vec![json!("acme-2"), json!("acme-1")]), "{}", seen.stderr);
    for list in ["case", "device", "intel", "org", "policy", "dead"] {
        ok(&[list, "list"]).await;
        ok(&[list, "list", "--json", "--limit", "1", "--all"]).await;
    }
    let group: Value = serde_json::from_str(&ok(&["org", "show", "newco", "--json"]).await).unwrap();
    assert_eq!(group["device_groups"], json!([{"name": "core", "devices": ["edge-*", "p-1"]}]));
    let status = ok(&["status"]).await;
    let rows: Vec<Vec<&str>> = status.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[2], ["LANE", "STATE", "POSITION", "END", "LAG", "SECONDS", "RULES"], "{status}");
    assert_eq!((&rows[3][..2], &rows[3][4..]), (&["0", "running"][..], &["0", "0.0", "1"][..]), "{status}");

    for (args, expected) in [
        (
            &["incident", "show", "acme-99"][..],
            "error: there is no incident `acme-99`; the command's `list` shows what there is\n",
        ),
        (&["incident", "close", "acme-2"], "error: the incident is completed; reopen it first\n"),
        (&["incident", "prioritise", "acme-1", "Urgent"], "error: "),
        (&["incident", "list", "--sort", "colour"], "error: "),
        (&["org", "set", "x y"], "error: "),
    ] {
        let ended = run(&[args, &["--data-dir", data]].concat()).await.unwrap();
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{args:?}");
        assert!(ended.stderr.starts_with(expected), "{args:?}: {}", ended.stderr);
    }
    let nowhere = run(&["incident", "list"]).await.unwrap();
    let expected = "error: where is the engine? give `--data-dir` of a running one, or `--api` and `--token-file`\n";
    assert_eq!((nowhere.code, &*nowhere.stderr), (Some(1), expected));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_command_is_done_once_under_its_key() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "acme", 1..=1).await;
    let api = engine.api().unwrap();
    let note = json!({"note": "once"});
    let annotate = "/api/v1/incidents/acme-1/annotate";
    let first = api.ask(Method::POST, annotate, Some("key 1"), Some(note.clone())).await.unwrap();
    assert_eq!((first.status, &first.body["verdict"], &first.body["command"]), (200, &json!("done"), &json!("key 1")));
    let again = futures_util::future::join_all(
        (0..8).map(|_| api.ask(Method::POST, annotate, Some("key 1"), Some(note.clone()))),
    )
    .await;
    for answer in again {
        assert_eq!(answer.unwrap().body, first.body);
    }
    let other = api.ask(Method::POST, annotate, Some("key 1"), Some(json!({"note": "twice"}))).await.unwrap();
    assert_eq!(other.status, 409, "{other:?}");
    // Whoever does not know whether it arrived asks again, of the next engine too.
    engine.kill().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let later = api.ask(Method::POST, annotate, Some("key 1"), Some(note)).await.unwrap();
    assert_eq!(later.body, first.body);
    let known = api.ask(Method::GET, "/api/v1/commands/key%201?organization=acme", None, None).await.unwrap();
    assert_eq!((known.status, &known.body), (200, &first.body));
    let strange = api.ask(Method::GET, "/api/v1/commands/key%201?organization=bolt", None, None).await.unwrap();
    assert_eq!(strange.status, 404, "a command is its organization's");
    assert_eq!(incident(&api).await["notes"].as_array().unwrap().len(), 1);
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    assert_eq!(out.on("out.acme.audit.annotate-incident").count(), 1);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_is_not_decided_in_time_is_told_later() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "acme", 1..=1).await;
    assert!(engine.stop().await.unwrap().success());
    // The first input decided is the command: it hangs a while.
    let launch = Launch { crash_points: "decide=1*sleep(8000)->off", ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let api = engine.api().unwrap();
    let slow = api.ask(Method::POST, "/api/v1/incidents/acme-1/close", Some("slow"), Some(json!({}))).await.unwrap();
    assert_eq!((slow.status, &slow.body["verdict"]), (202, &json!("pending")), "{slow:?}");
    let location = slow.location.unwrap();
    assert_eq!(location, "/api/v1/commands/slow?organization=acme");
    let pending = api.ask(Method::GET, &location, None, None).await.unwrap();
    assert_eq!((pending.status, &pending.body["verdict"]), (200, &json!("pending")));
    let done = until("the command is decided", async || {
        let answer = api.ask(Method::GET, &location, None, None).await.unwrap();
        (answer.body["verdict"] != "pending").then_some(answer)
    })
    .await;
    assert_eq!((done.status, &done.body["verdict"], &done.body["detail"]), (200, &json!("done"), &json!("closed")));
    assert_eq!(incident(&api).await["status"], "completed");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_people_change_survives_a_restart() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let body = json!({"display_name": "Acme by hand", "proxy": true, "filter_level": "Do not send"});
    let set = api.ask(Method::PUT, "/api/v1/organizations/acme", None, Some(body)).await.unwrap();
    assert_eq!((set.status, &set.body["detail"]), (200, &json!("changed")));
    assert_eq!(api.ask(Method::POST, "/api/v1/organizations/bolt/suspend", None, None).await.unwrap().status, 200);
    assert!(engine.stop().await.unwrap().success());
    let mut engine = world.start(None).await.unwrap();
    let acme = engine.get("/api/v1/organizations/acme").await.unwrap();
    assert_eq!((&acme["display_name"], &acme["filter_level"]), (&json!("Acme by hand"), &json!("Do not send")));
    assert_eq!(engine.get("/api/v1/organizations/bolt").await.unwrap()["standing"], "suspended");
    assert!(engine.stop().await.unwrap().success());
}

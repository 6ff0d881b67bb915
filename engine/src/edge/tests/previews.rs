//! What a write would do, asked for over the API: of rows alone, by whoever may write, and no more than they see.

use async_nats::jetstream;
use linesman_domain::state::Base as _;
use linesman_schemas::{Privilege, Privileges, Rights};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use super::activations::{ask, done, read, versions, world};
use super::fixture::{Fixture, LANES, TOKEN, place, problem};
use super::people::{BOB, SAM};
use super::viewer::{World, part};
use crate::log::streams::IN;

const LINE: &str = "acme/berlin/line-7";

/// How many messages the log has had.
async fn logged(world: &World) -> u64 {
    let streams = jetstream::new(world.client.clone());
    let mut stream = streams.get_stream(IN).await.unwrap();
    stream.info().await.unwrap().state.last_sequence
}

/// All rows of all lanes.
fn rows(world: &World) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lanes = (0..LANES).map(|lane| world.edge.store.lane(lane).unwrap());
    let rows = |lane: crate::store::Lane| {
        let mut from = std::ops::Bound::Unbounded;
        std::iter::from_fn(move || {
            let row = lane.first(from.as_ref().map(Vec::as_slice), b"").unwrap()?;
            from = std::ops::Bound::Excluded(row.0.clone());
            Some(row)
        })
    };
    lanes.flat_map(rows).collect()
}

async fn preview(world: &World, token: &str, method: Method, path: &str, body: Option<Value>) -> Value {
    let mark = if path.contains('?') { '&' } else { '?' };
    let before = (logged(world).await, rows(world));
    let answer = ask(world, token, method, &format!("{path}{mark}dry_run=true"), body).await;
    let status = answer.status();
    let said: Value = answer.json().await.unwrap();
    assert_eq!(status, 200, "{path}: {said}");
    assert_eq!((logged(world).await, rows(world)), before, "{path}: nothing is asked of a lane");
    said
}

#[tokio::test]
async fn what_would_be_done_is_told_and_is_what_is_done_then() {
    let asked = async {
        let world = world().await;
        // What the world has at the line is nobody's, and goes with the first look at it.
        done(&world, Method::POST, "/api/v1/subscriptions/acme/acme/redeploy", None).await;
        let subscription = "/api/v1/subscriptions/acme/out";
        let found = preview(&world, TOKEN, Method::PUT, subscription, Some(json!({"service": "nat"}))).await;
        assert_eq!(
            (&found["verdict"], &found["detail"], &found["lines"]),
            (&json!("done"), &json!("created"), &json!(0))
        );
        assert_eq!(ask(&world, TOKEN, Method::GET, subscription, None).await.status(), 404);
        done(&world, Method::PUT, subscription, Some(json!({"service": "nat"}))).await;

        let path = "/api/v1/subscriptions/acme/berlin/out/activate";
        let found = preview(&world, TOKEN, Method::POST, path, None).await;
        assert_eq!((&found["verdict"], &found["complete"], &found["lines"]), (&json!("done"), &json!(true), &json!(1)));
        let change = &found["changes"][0];
        assert_eq!(
            (&change["line"], &change["state"], &change["device"]),
            (&json!(LINE), &json!("pending"), &json!("SN1"))
        );
        assert_eq!(change["diff"], "[edit]\n+  firewall {\n+      term own;\n+  }\n");
        assert_eq!(change["reverse"], "[edit]\n-  firewall {\n-      term own;\n-  }\n");
        assert_eq!(read(&world, TOKEN, "/api/v1/activations?subscription=out").await["items"], json!([]));
        done(&world, Method::POST, path, None).await;
        let page = read(&world, TOKEN, "/api/v1/activations?subscription=out").await;
        assert_eq!(
            (&page["items"][0]["activation"], &page["items"][0]["group"]),
            (&change["activation"], &change["group"])
        );

        for (method, path, body, detail) in [
            (Method::POST, "/api/v1/subscriptions/acme/berlin/out/deactivate", None, "deactivated"),
            (Method::POST, "/api/v1/subscriptions/acme/out/suspend", None, "suspended"),
            (Method::POST, "/api/v1/subscriptions/acme/out/resume", None, "unchanged"),
            (Method::POST, "/api/v1/subscriptions/acme/out/redeploy", None, "redeployed"),
            (Method::DELETE, "/api/v1/subscriptions/acme/out", None, "removed"),
            (Method::PUT, "/api/v1/places/acme/berlin/line-7", Some(json!({"device": "SN9"})), "changed"),
            (Method::DELETE, "/api/v1/places/acme/berlin?cascade=true", None, "removed"),
        ] {
            let found = preview(&world, TOKEN, method, path, body).await;
            assert_eq!((&found["verdict"], &found["detail"]), (&json!("done"), &json!(detail)), "{path}: {found}");
            assert_eq!(found["lines"], json!(u8::from(detail != "unchanged")), "{path}: {found}");
        }
        let values = Some(json!({"substitutions": ["note=1"]}));
        for query in ["", "?service=nat", "?subscription=out"] {
            let path = format!("/api/v1/values/acme{query}");
            let found = preview(&world, TOKEN, Method::PUT, &path, values.clone()).await;
            assert_eq!(found["verdict"], "invalid", "{path}: {found}");
        }
        let declared = Some(json!({"substitutions": ["note:number=1"]}));
        let found = preview(&world, TOKEN, Method::PUT, "/api/v1/values/acme/berlin?subscription=out", declared).await;
        let note = found["values"].as_array().unwrap().iter().find(|value| value["parameter"] == "note").unwrap();
        assert_eq!((&note["place"], &note["before"]), (&json!("acme/berlin"), &Value::Null));
        assert_eq!(note["after"], json!({"status": "defaulted", "value": "1"}));
        world.end().await;
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn a_rollout_is_told_organization_by_organization() {
    let asked = async {
        let world = world().await;
        let path = "/api/v1/services/nat/rollout";
        let found = preview(&world, TOKEN, Method::POST, path, Some(json!({"canary": 5}))).await;
        assert_eq!((&found["version"], &found["complete"]), (&json!(versions()[0]), &json!(true)));
        let previews = found["previews"].as_array().unwrap().iter();
        let told: Vec<_> =
            previews.map(|one| json!([one["organization"], one["subscriptions"], one["preview"]["verdict"]])).collect();
        assert_eq!(told, [json!(["acme", 3, "done"]), json!(["bolt", 2, "done"])]);
        let answer = ask(&world, TOKEN, Method::POST, path, Some(json!({"canary": 5}))).await;
        assert_eq!(
            answer.json::<Value>().await.unwrap()["organizations"][1]["subscriptions"],
            2,
            "nothing has gone over"
        );
        world.end().await;
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn it_is_asked_for_by_whoever_may_write_and_shows_what_they_see() {
    let asked = async {
        let world = world().await;
        world.edge.grant("acme/sam", "acme/berlin", Privileges::all(), Rights::default());
        world.edge.grant("bob", "bolt", Privileges::all(), Rights::default());
        world
            .edge
            .write("acme", vec![place("acme/paris"), place("acme/paris/line-1"), part("acme/paris/line-1", "acme")]);
        let activate = |place: &str| format!("/api/v1/subscriptions/{place}/acme/activate");
        let found = preview(&world, SAM, Method::POST, &activate("acme/berlin"), None).await;
        assert!(!found.to_string().contains("paris"), "{found}");
        // Who is refused is named, though a place they do not see might be called so.
        world.edge.grant("acme/sam", "acme/berlin", [Privilege::Activation].into_iter().collect(), Rights::default());
        let values = Some(json!({"substitutions": ["note:number=1"]}));
        let found = preview(&world, SAM, Method::POST, &activate("acme/berlin"), values).await;
        let detail = "`acme/sam` has not the privilege `substitution` on `acme/berlin`";
        assert_eq!((&found["verdict"], &found["detail"]), (&json!("forbidden"), &json!(detail)));
        world.edge.grant("acme/sam", "acme/berlin", Privileges::all(), Rights::default());
        let before = (logged(&world).await, rows(&world));
        for (token, at, status) in [(SAM, "acme/paris", 404), (SAM, "bolt/berlin", 404), (BOB, "acme/berlin", 404)] {
            let dry = ask(&world, token, Method::POST, &format!("{}?dry_run=true", activate(at)), None).await;
            let (found, told) = problem(dry).await;
            assert_eq!(found, status, "{at}: {told}");
        }
        assert_eq!((logged(&world).await, rows(&world)), before);
        for (query, told) in [
            ("dry_run=maybe", "`dry_run`: `maybe` is not known: known are `true`, `false`"),
            ("dryrun=true", "unknown parameter `dryrun`: did you mean `dry_run`?"),
            ("dry_run=true&dry_run=true", "`dry_run` is given more than once"),
        ] {
            let answer = ask(&world, TOKEN, Method::POST, &format!("{}?{query}", activate("acme")), None).await;
            assert_eq!(problem(answer).await, (400, told.to_owned()));
        }
        for path in [activate("acme"), "/api/v1/services/nat/rollout".to_owned()] {
            let request = world.edge.request(Method::POST, &format!("{path}?dry_run=true")).bearer_auth(TOKEN);
            let answer = request.header("Idempotency-Key", "k".repeat(129)).send().await.unwrap();
            assert_eq!(problem(answer).await, (400, "`Idempotency-Key` has 1 to 128 printable characters".to_owned()));
        }
        let no = ask(&world, TOKEN, Method::POST, &format!("{}?dry_run=false", activate("acme")), None).await;
        assert_eq!(no.json::<Value>().await.unwrap()["verdict"], "done");
        assert!(logged(&world).await > before.0, "it is done");
        world.end().await;
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn two_are_found_out_at_a_time() {
    let asked = async {
        let world = world().await;
        let held = world.edge.previews.clone().acquire_many_owned(2).await.unwrap();
        let path = "/api/v1/subscriptions/acme/acme/redeploy?dry_run=true";
        let answer = ask(&world, TOKEN, Method::POST, path, None).await;
        assert_eq!(answer.headers().get("retry-after").unwrap(), "1");
        assert_eq!(problem(answer).await, (503, "other previews keep the engine busy; try again".to_owned()));
        drop(held);
        assert_eq!(ask(&world, TOKEN, Method::POST, path, None).await.status(), 200);
        world.end().await;
    };
    LocalSet::new().run_until(asked).await;
}

/// Whoever gave several values is told which of them are wrong, in the answer to a write as in its preview.
#[tokio::test]
async fn a_refusal_points_to_the_values_that_it_is_for() {
    let asked = async {
        let world = world().await;
        let (values, subscription) = ("/api/v1/values/acme", "/api/v1/subscriptions/acme/out");
        done(&world, Method::PUT, subscription, Some(json!({"service": "nat"}))).await;
        let (put, post) = (Method::PUT, Method::POST);
        let activate = format!("{subscription}/activate");
        for (method, path, given, at) in [
            (&put, values, json!(["a:number=1", "b in 1..", "a:number=2", "=3"]), &[1, 2, 3][..]),
            (&put, values, json!(["a:number=1", "nosuch=2", "other=3"]), &[1, 2]),
            (&put, values, json!(["a:number=\"x\"", "b:number=1", "c:rate=5", "c in 1..2"]), &[0, 2]),
            (&put, values, json!(["a:number=1", "interface_speed:number="]), &[1]),
            (&put, subscription, json!(["nosuch=1"]), &[0]),
            (&post, &activate, json!(["nosuch=1", "line=\"x\""]), &[0, 1]),
        ] {
            let mut body = json!({"substitutions": given});
            if path == subscription {
                body["service"] = json!("nat");
            }
            let expected: Vec<String> = at.iter().map(|at| format!("#/substitutions/{at}")).collect();
            let found = preview(&world, TOKEN, method.clone(), path, Some(body.clone())).await;
            let told = |list: &Value| -> Vec<(String, String)> {
                let text = |part: &Value| part.as_str().unwrap_or_default().to_owned();
                let all = list.as_array().into_iter().flatten();
                all.map(|one| (text(&one["pointer"]), text(&one["detail"]))).collect()
            };
            let illegal = told(&found["illegal"]);
            let pointers: Vec<&String> = illegal.iter().map(|(pointer, _)| pointer).collect();
            assert_eq!(pointers, expected.iter().collect::<Vec<_>>(), "{given}: {found}");
            let answer = ask(&world, TOKEN, method.clone(), path, Some(body)).await;
            assert_eq!(answer.status(), 422, "{given}");
            let said: Value = answer.json().await.unwrap();
            assert_eq!((told(&said["errors"]), &said["detail"]), (illegal, &found["detail"]), "{given}");
        }
        // What is wrong elsewhere is told with its place.
        done(&world, Method::PUT, values, Some(json!({"substitutions": ["a:number=1"]}))).await;
        done(&world, Method::PUT, "/api/v1/values/acme/berlin", Some(json!({"substitutions": ["a=7"]}))).await;
        let body = json!({"substitutions": ["a:number=1", "a in 1..2"]});
        let said: Value = ask(&world, TOKEN, Method::PUT, values, Some(body)).await.json().await.unwrap();
        assert_eq!((&said["status"], &said["errors"]), (&json!(409), &Value::Null), "{said}");
        // Without time to find out it is refused in words alone.
        let _held = world.edge.previews.clone().acquire_many_owned(2).await.unwrap();
        let body = json!({"substitutions": ["nosuch=2"]});
        let said: Value = ask(&world, TOKEN, Method::PUT, values, Some(body)).await.json().await.unwrap();
        assert_eq!((&said["status"], &said["errors"]), (&json!(422), &Value::Null), "{said}");
        world.end().await;
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn a_write_without_a_preview_is_not_done_for_one() {
    let edge = Fixture::new().await;
    for (method, path) in [
        (Method::PUT, "/api/v1/managers/acme/zoe?dry_run=true"),
        (Method::DELETE, "/api/v1/managers/acme/zoe?dry%5Frun=true"),
        (Method::POST, "/api/v1/incidents/acme-1/close?x=1&dry_run=true"),
        (Method::PUT, "/api/v1/log-level?dry_run"),
    ] {
        let answer = edge.request(method, path).bearer_auth(TOKEN).json(&json!({})).send().await.unwrap();
        let expected = (400, "this write has no preview: it would be done".to_owned());
        assert_eq!(problem(answer).await, expected, "{path}");
    }
}

//! What needs approval on a running engine: it waits, over API and command line, for somebody else, through a crash.

use std::path::Path;

use linesman_tests::{Api, Engine, Upstream, World, run, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::partner::{Controller, world};

const FIRST: &str = "correct horse battery";
const SECOND: &str = "staple correct horse";

/// Somebody of the provider's who cases and approves, logged in.
async fn person(admin: &Api, name: &str, sphere: &str) -> Api {
    person_with(admin, name, sphere, json!({"cases": true, "approvals": true})).await
}

/// Somebody of the provider's, logged in.
pub(crate) async fn person_with(admin: &Api, name: &str, sphere: &str, rights: Value) -> Api {
    let body = json!({"sphere": [sphere], "rights": rights, "password": FIRST});
    let made = admin.ask(Method::PUT, &format!("/api/v1/managers/{name}"), None, Some(body)).await.unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let log_in = async |password: &str| {
        let begun = admin.by("").post("/api/v1/session", json!({"login": name, "password": password})).await.unwrap();
        assert_eq!(begun.status, 201, "{begun:?}");
        admin.by(begun.body["token"].as_str().unwrap())
    };
    let body = Some(json!({"old": FIRST, "new": SECOND}));
    let changed = log_in(FIRST).await.ask(Method::PUT, "/api/v1/me/password", None, body).await.unwrap();
    assert_eq!(changed.status, 200, "{changed:?}");
    log_in(SECOND).await
}

async fn get(api: &Api, path: &str) -> (u16, Value) {
    let answer = api.ask(Method::GET, path, None, None).await.unwrap();
    (answer.status, answer.body)
}

async fn cases_above(upstream: &Upstream) -> usize {
    upstream.requests().await.unwrap().len()
}

async fn reported(engine: &Engine) {
    assert_eq!(Controller::of(engine, "acme").report("k-1").await, "T-acme-1");
}

#[tokio::test]
async fn a_case_goes_up_once_when_somebody_else_has_approved_it() {
    let mut world = world("");
    world.configure("\n[approvals]\nforward-case = \"two-person\"\n");
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let admin = engine.api().unwrap();
    let acme = json!({"proxy": true, "alias": "ACME", "handling": "own", "filter_level": "Send all information"});
    let changed = admin.ask(Method::PUT, "/api/v1/organizations/acme", None, Some(acme)).await.unwrap();
    assert_eq!(changed.status, 200, "{changed:?}");
    reported(&engine).await;
    let (ann, bob) = (person(&admin, "ann", "acme").await, person(&admin, "bob", "acme").await);
    let eve = person(&admin, "eve", "bolt").await;

    let asked = ann.post("/api/v1/incidents/acme-1/case/forward", json!({})).await.unwrap();
    assert_eq!((asked.status, asked.location.as_deref()), (202, Some("/api/v1/approvals/acme%2Da1")), "{asked:?}");
    assert_eq!((&asked.body["verdict"], &asked.body["approval"]), (&json!("awaiting-approval"), &json!("acme-a1")));
    let (status, shown) = get(&bob, asked.location.as_deref().unwrap()).await;
    assert_eq!((status, &shown["state"], &shown["actor"]), (200, &json!("pending"), &json!("ann")));
    assert_eq!(shown["asks"], json!({"forward_case": {"incident": "acme-1"}}));
    assert_eq!((&shown["two_person"], &shown["comes_to"]["synopsis"]), (&json!(true), &json!("FRU offline")));

    // Whoever sees nothing of it finds nothing, by what it is and by what is not.
    for what in ["", "/approve", "/reject"] {
        let ask = async |id: &str| {
            let path = format!("/api/v1/approvals/{id}{what}");
            match what {
                "" => eve.ask(Method::GET, &path, None, None).await.unwrap(),
                _ => eve.post(&path, json!({"comment": ""})).await.unwrap(),
            }
        };
        let (there, not_there) = (ask("acme-a1").await, ask("acme-a9").await);
        assert_eq!(there.status, 404, "{there:?}");
        assert_eq!(there.body.to_string(), not_there.body.to_string().replace("acme-a9", "acme-a1"), "{what}");
    }
    assert_eq!(get(&eve, "/api/v1/approvals").await.1["items"], json!([]));

    let own = ann.post("/api/v1/approvals/acme-a1/approve", json!({"comment": "mine"})).await.unwrap();
    assert_eq!(own.status, 403, "{own:?}");
    let token = json!({"name": "bot", "rights": {"approvals": true}});
    let token = ann.post("/api/v1/tokens", token).await.unwrap();
    assert_eq!(token.status, 201, "{token:?}");
    let bot = admin.by(token.body["token"].as_str().unwrap());
    let own = bot.post("/api/v1/approvals/acme-a1/approve", json!({"comment": ""})).await.unwrap();
    assert_eq!(own.status, 403, "by a token of theirs neither: {own:?}");
    assert_eq!(cases_above(&upstream).await, 0);

    // It waits through a crash, and a state that is gone.
    engine.kill().unwrap();
    world.delete_state().unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let bob = engine.api().unwrap().by(&bob.token);
    let key = Some("approve-1");
    for _ in 0..2 {
        let body = Some(json!({"comment": "agreed"}));
        let done = bob.ask(Method::POST, "/api/v1/approvals/acme-a1/approve", key, body).await.unwrap();
        assert_eq!((done.status, &done.body["detail"]), (200, &json!("approved")), "{done:?}");
    }
    until("the case is above", async || (cases_above(&upstream).await == 1).then_some(())).await;
    let data = world.data().to_str().unwrap().to_owned();
    let listed = run(&["approval", "list", "--state", "approved", "--json", "--data-dir", &data]).await.unwrap();
    let listed: Value = serde_json::from_str(listed.stdout.trim()).unwrap();
    assert_eq!((&listed["decision"]["by"], &listed["decision"]["comment"]), (&json!("bob"), &json!("agreed")));
    assert_eq!(listed["outcome"]["verdict"], "done");
    let (_, audit) = get(&engine.api().unwrap(), "/api/v1/audit?organization=acme&operation=forward-case").await;
    let outcomes: Vec<_> = audit["items"].as_array().unwrap().iter().map(|record| &record["outcome"]).collect();
    assert_eq!(outcomes, [&json!("awaiting-approval"), &json!("done")], "{audit}");
    let metrics = engine.get_text("/metrics").await.unwrap();
    assert!(metrics.contains("linesman_approvals_total{kind=\"forward-case\",state=\"approved\"} 1"), "{metrics}");
    assert!(engine.stop().await.unwrap().success());
    assert_eq!(cases_above(&upstream).await, 1);
}

#[tokio::test]
async fn approvals_are_asked_for_in_mode_partner_alone() {
    let mut world = World::new().unwrap();
    world.configure("\n[approvals]\nactivate-service = \"one-person\"\n");
    let config = world.write_config(None).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let direct = world.path("direct.toml");
    std::fs::write(&direct, format!("mode = \"direct\"\n{text}")).unwrap();
    let shown = async |config: &Path| run(&["config", "--config", config.to_str().unwrap()]).await.unwrap();
    assert_eq!(shown(&config).await.code, Some(0));
    let refused = shown(&direct).await;
    let expected = "`approvals.activate-service` asks for approvals, and mode `direct` has none";
    assert!(refused.code == Some(2) && refused.stderr.contains(expected), "{refused:?}");
}

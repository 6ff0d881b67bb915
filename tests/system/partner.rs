//! End customers at the partner listener of a running engine: cases are reported once, followed, changed; nobody learns
//! of another, and who floods or guesses harms nobody else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use linesman_tests::{Api, Engine, World, until};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// A world in which `acme`, `bolt` and `east` may come to the partner listener, which solves their cases itself.
pub(crate) fn world(partner: &str) -> World {
    let mut world = World::new().unwrap();
    world.configure(&format!("\n[partner]\nlisten = \"127.0.0.1:0\"\n{partner}"));
    for name in ["acme", "bolt", "east"] {
        world.without_organization(name);
        let password = world.path(&format!("{name}.password"));
        std::fs::write(&password, format!("{name} horse battery\n")).unwrap();
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
        world.configure(&format!(
            "\n[[organizations]]\nname = \"{name}\"\nproxy = true\nalias = \"{}\"\nuser = \"{name}\"\n\
             password_file = \"{name}.password\"\nhandling = \"own\"\n",
            name.to_uppercase()
        ));
    }
    world
}

/// An end customer's controller.
#[derive(Clone)]
pub(crate) struct Controller {
    http: Client,
    base: String,
    name: &'static str,
}

impl Controller {
    pub(crate) fn of(engine: &Engine, name: &'static str) -> Self {
        let ready = engine.ready().unwrap();
        let ca = Path::new(&ready.ca);
        let http = linesman_connectors::tls::http_client(Some(ca)).unwrap().build().unwrap();
        Self { http, base: format!("{}/partner/v1/", ready.partner.as_ref().unwrap()), name }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.basic_auth(self.name, Some(format!("{} horse battery", self.name)))
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let request = self.request(Method::POST, path).header("Idempotency-Key", key).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) async fn report(&self, key: &str) -> String {
        let (status, receipt) = self.post("cases", key, &report(&["their"])).await;
        assert_eq!(status, 202, "{receipt}");
        receipt["transaction_id"].as_str().unwrap().to_owned()
    }
}

fn report(trace_route: &[&str]) -> Value {
    json!({"tracking_number": "own-17", "priority": "2 - High", "synopsis": "FRU offline", "trace_route": trace_route})
}

fn step(kind: &str, id: &str, text: &str) -> Value {
    json!({kind: {"id": id, "author": "ann", "at": "2026-01-01T00:00:00Z", "text": text}})
}

async fn incidents(api: &Api, org: &str) -> usize {
    let answer = api.ask(Method::GET, &format!("/api/v1/incidents?organization={org}"), None, None).await.unwrap();
    answer.body["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_case_is_reported_once_and_followed_to_its_end() {
    let world = world("");
    let mut engine = world.start(None).await.unwrap();
    let acme = Controller::of(&engine, "acme");
    let (status, known) = acme.post("registration", "r", &json!({"controller": "acme-1"})).await;
    assert_eq!((status, &known["id"], &known["requests_per_second"]), (200, &json!("acme"), &json!(20)));
    assert_eq!(acme.report("k-1").await, "T-acme-1");
    assert_eq!(acme.report("k-1").await, "T-acme-1", "the same key is the same case");
    let (status, other) = acme.post("cases", "k-1", &report(&["their", "between"])).await;
    assert_eq!(status, 409, "{other}");
    assert_eq!(acme.report("k-2").await, "T-acme-2");

    // The key and what was said hold over a crash, and over a state that is gone.
    engine.kill().unwrap();
    world.delete_state().unwrap();
    let engine = world.start(None).await.unwrap();
    let acme = Controller::of(&engine, "acme");
    assert_eq!(acme.report("k-2").await, "T-acme-2");
    assert_eq!(incidents(&engine.api().unwrap(), "acme").await, 2);
    let page = acme.json("cases?limit=1").await;
    assert_eq!((&page["cases"][0]["transaction_id"], &page["more"]), (&json!("T-acme-1"), &json!(true)));
    assert_eq!(page["cases"][0]["tracking_number"], "own-17");
    let page = acme.json(&format!("cases?cursor={}", page["cursor"].as_str().unwrap())).await;
    assert_eq!((&page["cases"][0]["transaction_id"], &page["more"]), (&json!("T-acme-2"), &json!(false)));

    // What the one below does is done once, however often it is sent.
    let changes = "cases/T-acme-1/changes";
    for _ in 0..2 {
        assert_eq!(acme.post(changes, "s-1", &step("note", "n-1", "still down")).await.0, 200);
        let (status, closed) = acme.post(changes, "s-2", &step("close", "n-2", "")).await;
        assert_eq!((status, &closed["status"]), (200, &json!("closed")));
    }
    // What is closed is closed again under another key as well: nobody need remember whether they asked.
    let (status, closed) = acme.post(changes, "s-3", &step("close", "n-3", "")).await;
    assert_eq!((status, &closed["status"]), (200, &json!("closed")));
    let page = acme.json(&format!("cases?cursor={}", page["cursor"].as_str().unwrap())).await;
    assert_eq!(
        (&page["cases"][0]["transaction_id"], &page["cases"][0]["status"]),
        (&json!("T-acme-1"), &json!("closed"))
    );
    assert_eq!(acme.json("cases/T-acme-1").await["status"], "closed");
    let (status, reopened) = acme.post(changes, "s-4", &step("reopen", "n-4", "down again")).await;
    assert_eq!((status, &reopened["status"]), (200, &json!("reopened")));
}

#[tokio::test]
async fn an_end_customer_learns_of_no_other() {
    let world = world("");
    let engine = world.start(None).await.unwrap();
    let (acme, bolt) = (Controller::of(&engine, "acme"), Controller::of(&engine, "bolt"));
    assert_eq!(bolt.report("k").await, "T-bolt-1");
    assert_eq!(acme.report("k").await, "T-acme-1", "keys are each end customer's own");
    let whole = async |answer: Response| {
        let mut headers = answer.headers().clone();
        headers.remove("date");
        (answer.status().as_u16(), headers, answer.bytes().await.unwrap())
    };
    let missing = whole(acme.get("cases/T-acme-9").await).await;
    assert_eq!(missing.0, 404);
    for id in ["T-bolt-1", "T-bolt-9", "T-east-1"] {
        assert_eq!(whole(acme.get(&format!("cases/{id}")).await).await, missing, "{id}");
    }
    assert_eq!(acme.post("cases/T-bolt-1/changes", "c", &step("close", "n", "")).await.0, 404);
    assert_eq!(acme.json("cases").await["cases"].as_array().unwrap().len(), 1);
    let cursor = bolt.json("cases").await["cursor"].as_str().unwrap().to_owned();
    assert_eq!(acme.get(&format!("cases?cursor={cursor}")).await.status(), 400);
    assert!(bolt.json("cases/T-bolt-1").await["status"].is_null());
}

#[tokio::test]
async fn loops_are_refused_and_so_is_whoever_takes_no_part() {
    let world = world("");
    let engine = world.start(None).await.unwrap();
    let acme = Controller::of(&engine, "acme");
    let (_, known) = acme.post("registration", "r", &json!({"controller": "acme-1"})).await;
    let here = known["controller"].as_str().unwrap();
    let (status, refused) = acme.post("cases", "k", &report(&["their", here])).await;
    let detail =
        format!("the case has passed this controller already: their > {here} > {here}; an upstream leads back here");
    assert_eq!((status, refused["detail"].as_str()), (409, Some(detail.as_str())));

    let api = engine.api().unwrap();
    let suspended = api.post("/api/v1/organizations/acme/suspend", json!({})).await.unwrap();
    assert_eq!(suspended.status, 200, "{suspended:?}");
    let (status, refused) = acme.post("cases", "k", &report(&["their"])).await;
    assert_eq!((status, &refused["detail"]), (403, &json!("`acme` is suspended by the partner")));

    // Wrong passwords and users nobody has are answered alike, and those of somebody are on record.
    let mut seen = Vec::new();
    for user in ["bolt", "nobody"] {
        let request = acme.http.get(format!("{}cases", acme.base)).basic_auth(user, Some("wrong"));
        let answer = request.send().await.unwrap();
        seen.push((answer.status().as_u16(), answer.text().await.unwrap()));
    }
    assert_eq!((seen[0].0, &seen[0]), (401, &seen[1]));
    until("the wrong password is on record", async || {
        let told = api.ask(Method::GET, "/api/v1/audit?organization=bolt", None, None).await.unwrap();
        let records = told.body["items"].as_array().unwrap().iter();
        let found = records.filter(|record| record["operation"] == "log-in").count();
        (found == 1).then_some(())
    })
    .await;
    let status = api.ask(Method::GET, "/api/v1/status", None, None).await.unwrap().body;
    assert_eq!((&status["partner"]["end_customers"], &status["partner"]["heard"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn who_floods_keeps_nobody_waiting() {
    let world = world("");
    let engine = world.start(None).await.unwrap();
    let (acme, bolt) = (Controller::of(&engine, "acme"), Controller::of(&engine, "bolt"));
    let flood: Vec<_> = (0..16)
        .map(|_| {
            let acme = acme.clone();
            tokio::spawn(async move {
                let mut refused = 0_u64;
                loop {
                    let answer = acme.get("cases").await;
                    if answer.status() == 429 {
                        assert!(answer.headers().contains_key("retry-after"));
                        refused += 1;
                        if refused.is_multiple_of(100) {
                            tokio::task::yield_now().await;
                        }
                    }
                }
            })
        })
        .collect();
    let mut took = Vec::new();
    for number in 0..5 {
        let since = Instant::now();
        bolt.report(&format!("k-{number}")).await;
        took.push(since.elapsed());
    }
    flood.iter().for_each(tokio::task::JoinHandle::abort);
    took.sort_unstable();
    assert!(took[2] < Duration::from_secs(2), "{took:?}");
    let metrics = engine.get_text("/metrics").await.unwrap();
    let refused = metrics.lines().any(|line| {
        line.starts_with("linesman_partner_requests_total") && line.contains("status=\"429\"") && !line.ends_with(" 0")
    });
    assert!(refused, "nothing was refused: it was no flood");
}

#[tokio::test]
async fn without_its_section_nobody_listens() {
    let world = World::new().unwrap();
    let engine = world.start(None).await.unwrap();
    assert_eq!(engine.ready().unwrap().partner, None);
    let status = engine.api().unwrap().ask(Method::GET, "/api/v1/status", None, None).await.unwrap().body;
    assert_eq!(status["partner"], Value::Null);
}

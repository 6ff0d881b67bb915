//! What became of commands: of an organization and of the provider, done and refused.

use jiff::Timestamp;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Engine, Incident, LevelRaise, Note, Verb};
use linesman_schemas::{Privileges, Rights};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::commands::named;
use super::fixture::{Fixture, TOKEN, problem};
use super::people::{BOB, principal};
use linesman_domain::asked;
use linesman_domain::commands::{self, CommandRow};
use linesman_domain::state::Writes;
use linesman_domain::table;

fn outcome(verb: &Verb, verdict: Verdict, detail: &str) -> Vec<u8> {
    let row = CommandRow {
        verdict,
        is_new: false,
        detail: detail.to_owned(),
        asked: asked(verb).unwrap(),
        decided: Timestamp::from_second(60).unwrap(),
    };
    table::encode(&row).unwrap()
}

#[tokio::test]
async fn a_command_to_the_provider_is_asked_for_without_an_organization() {
    let edge = Fixture::new().await;
    let verb = Verb::Engine(Engine::RaiseLevel(LevelRaise { level: 2 }));
    let row = (commands::key(None, "up").into_bytes(), Some(outcome(&verb, Verdict::Done, "raised")));
    edge.store.lane(0).unwrap().apply(&Writes { batch: 1, rows: vec![row] }).unwrap();
    let answer: Value = edge.get("/api/v1/commands/up").await.json().await.unwrap();
    let decided = "1970-01-01T00:01:00Z";
    assert_eq!(answer, json!({"command": "up", "verdict": "done", "detail": "raised", "decided": decided}));
    let (status, detail) = problem(edge.get("/api/v1/commands/up?organization=acme").await).await;
    assert_eq!((status, &*detail), (404, "there is no command `up` of the last day"));
    assert_eq!(problem(edge.get("/api/v1/commands/down").await).await.0, 404);
}

#[tokio::test]
async fn what_became_of_a_command_is_told_as_long_as_something_is_seen_of_whom_it_was_asked() {
    let edge = Fixture::new().await;
    let corp = "corp".parse().unwrap();
    edge.grant("bob", "acme corp", Privileges::all(), Rights::all());
    let verb = Verb::Incident(Incident::Close(Note { incident: "corp-1".parse().unwrap(), note: "n".to_owned() }));
    let id = named(&principal("bob"), None, &"k1".parse().unwrap());
    let row = (commands::key(Some(&corp), id.as_str()).into_bytes(), outcome(&verb, Verdict::Done, "closed"));
    edge.write("corp", vec![row]);
    let ask = async |id: &str| edge.get_as(BOB, &format!("/api/v1/commands/{id}?organization=corp")).await;
    assert_eq!(ask("k1").await.status(), 200);
    let nothing = |id: &str| (404, format!("there is no command `{id}` of the last day"));
    assert_eq!(problem(ask("k2").await).await, nothing("k2"));
    edge.grant("bob", "acme", Privileges::all(), Rights::all());
    assert_eq!(problem(ask("k1").await).await, nothing("k1"));
    // Of level 8 on who is made again under a name is another one.
    edge.grant("bob", "acme corp", Privileges::all(), Rights::all());
    for lane in &edge.lanes {
        lane.send_modify(|status| status.level = 8);
    }
    assert_eq!(problem(ask("k1").await).await, nothing("k1"));
}

#[tokio::test]
async fn who_has_not_the_right_is_answered_403() {
    let edge = Fixture::new().await;
    let acme = "acme".parse().unwrap();
    let verb = Verb::Incident(Incident::Close(Note { incident: "acme-1".parse().unwrap(), note: "n".to_owned() }));
    let reason = "`acme/ann` has not the right `incidents` on `acme`: managers are given none yet";
    let row = (commands::key(Some(&acme), "k").into_bytes(), outcome(&verb, Verdict::Forbidden, reason));
    edge.write("acme", vec![row]);
    let close = edge.request(Method::POST, "/api/v1/incidents/acme-1/close").bearer_auth(TOKEN);
    let answer = close.header("Idempotency-Key", "k").json(&json!({"note": "n"})).send().await.unwrap();
    assert_eq!(problem(answer).await, (403, reason.to_owned()));
    let known: Value = edge.get("/api/v1/commands/k?organization=acme").await.json().await.unwrap();
    assert_eq!((&known["verdict"], &known["organization"]), (&json!("forbidden"), &json!("acme")));
}

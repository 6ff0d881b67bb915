//! What is kept sealed: undone and changed by whoever may, and on record before.

use linesman_connectors::tls::Fingerprint;
use linesman_redaction::{Overwriting, Redaction};
use linesman_schemas::{FilterLevel, Privileges, Right, Rights};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::LocalSet;

use super::activations::{ask, world};
use super::fixture::{TOKEN, problem};
use super::people::BOB;
use super::viewer::World;

const PATH: &str = "/api/v1/organizations/acme/unredact";

async fn undo(world: &World, token: &str, path: &str, document: &str) -> Response {
    world.edge.request(Method::POST, path).bearer_auth(token).body(document.to_owned()).send().await.unwrap()
}

/// What the audit of a log has of an operation, the first first.
async fn recorded(world: &World, log: &str, operation: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?organization={log}&operation={operation}");
    let page: Value = world.edge.get(&path).await.json().await.unwrap();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn pseudonyms_are_undone_for_whoever_may_and_it_is_on_record() {
    let asked = async {
        let world = world().await;
        let nothing = problem(undo(&world, TOKEN, PATH, "x").await).await;
        assert_eq!(nothing, (409, "`acme` has no pseudonyms here: there is no key".to_owned()));
        assert!(recorded(&world, "acme", "unredact").await.is_empty(), "nothing was to be undone");
        let key = world.edge.sealed().pseudonyms.of(&"acme".parse().unwrap()).unwrap();
        let redaction = Redaction::at(FilterLevel::AddressesOverwritten).overwriting(Overwriting::Pseudonyms(key));
        // More than other requests may have.
        let plain = "neighbour 192.0.2.17 is down\n".repeat(4_000);
        let document = redaction.text(&plain);
        assert!(!document.contains("192.0.2.17"));
        world.edge.grant("bob", "/", Privileges::all(), Rights::default());
        let (status, why) = problem(undo(&world, BOB, PATH, &document).await).await;
        assert_eq!((status, &*why), (403, "`bob` has not the right `settings` on `acme`"));
        world.edge.grant("bob", "/", Privileges::default(), Rights::of([Right::Settings], Default::default()));
        let answer = undo(&world, BOB, PATH, &document).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), plain);
        let records = recorded(&world, "acme", "unredact").await;
        let digest = hex::encode(Sha256::digest(&document));
        assert_eq!(records[0]["new"], json!({"sha256": digest, "size": document.len()}));
        assert_eq!(records[0]["actor"], "bob");
        let missing = problem(undo(&world, TOKEN, "/api/v1/organizations/nope/unredact", &document).await).await;
        assert_eq!(missing, (404, "there is no organization `nope`".to_owned()));
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn the_certificate_of_the_upstream_is_pinned_by_whoever_may_and_on_record() {
    const PIN: &str = "/api/v1/upstream/pin";
    let asked = async {
        let world = world().await;
        let fingerprint = Fingerprint::of(b"partner").to_string();
        let wrong = ask(&world, TOKEN, Method::PUT, PIN, Some(json!({"fingerprint": "sha256:12"}))).await;
        assert_eq!(problem(wrong).await.0, 422);
        let body = json!({ "fingerprint": fingerprint });
        let answer = ask(&world, TOKEN, Method::PUT, PIN, Some(body)).await;
        assert_eq!(answer.status(), 200);
        let expected = json!({"url": "https://partner.example", "fingerprint": fingerprint});
        assert_eq!(answer.json::<Value>().await.unwrap(), expected);
        assert_eq!(world.edge.pin().confirmed().unwrap(), Some(Fingerprint::of(b"partner")));
        let none = ask(&world, TOKEN, Method::PUT, PIN, Some(json!({"fingerprint": null}))).await;
        assert_eq!(none.status(), 200);
        assert_eq!(world.edge.pin().confirmed().unwrap(), None);
        let records = recorded(&world, "_provider", "pin-upstream").await;
        let of = |fingerprint: &str| json!({"url": "https://partner.example", "fingerprint": fingerprint});
        assert_eq!((&records[0]["old"], &records[0]["new"]), (&of(""), &of(&fingerprint)));
        assert_eq!((&records[1]["old"], &records[1]["new"]), (&of(&fingerprint), &of("")));
    };
    LocalSet::new().run_until(asked).await;
}

#[tokio::test]
async fn credentials_are_given_where_somebody_comes() {
    const CREDENTIALS: &str = "/api/v1/organizations/acme/credentials";
    let asked = async {
        let world = world().await;
        let given = |user: &str, password: &str| Some(json!({"user": user, "password": password}));
        let nobody = ask(&world, TOKEN, Method::PUT, CREDENTIALS, given("acme", "correct horse")).await;
        let expected = (409, "end customers cannot come here: write `[partner]` into the configuration".to_owned());
        assert_eq!(problem(nobody).await, expected);
        for (user, password, why) in [
            ("a:b", "correct horse", "`user` must be 1 to 128 printable characters without a colon"),
            ("", "correct horse", "`user` must be 1 to 128 printable characters without a colon"),
            ("acme", "short", "`password` must be 8 to 256 printable characters"),
        ] {
            let wrong = ask(&world, TOKEN, Method::PUT, CREDENTIALS, given(user, password)).await;
            assert_eq!(problem(wrong).await, (422, why.to_owned()));
        }
        assert!(recorded(&world, "acme", "set-credentials").await.is_empty());
    };
    LocalSet::new().run_until(asked).await;
}

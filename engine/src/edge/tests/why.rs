//! Why somebody may do something somewhere, or may not: who is told what of it. That it is so is compared in
//! [`matrix`](super::matrix).

use reqwest::Response;
use serde_json::{Value, json};

use super::fixture::{Fixture, TOKEN, TOKEN_OF_ACME, faulty, problem};
use super::managers::filled;

async fn why(edge: &Fixture, token: &str, login: &str, operation: &str, place: &str) -> Response {
    edge.get_as(token, &format!("/api/v1/rights/why?login={login}&operation={operation}&place={place}")).await
}

/// What the first of the provider's people is told.
async fn told(edge: &Fixture, login: &str, operation: &str, place: &str) -> Value {
    why(edge, TOKEN, login, operation, place).await.json().await.unwrap()
}

#[tokio::test]
async fn why_names_the_link_that_denies() {
    let edge = filled().await;
    let denied = told(&edge, "acme/cal", "set-place", "acme/berlin/line-7").await;
    assert_eq!((&denied["verdict"], &denied["denied_by"]), (&json!("forbidden"), &json!("acme/cal")));
    assert_eq!(denied["takes"], "the right `organizations`");
    let links = denied["links"].as_array().unwrap().iter().map(|link| json!([link["login"], link["has"]]));
    let expected = json!([["acme/cal", false], ["acme/ann", false], ["bob", false], ["admin", true]]);
    assert_eq!(links.collect::<Value>(), expected);
    // What the granter's granter has not.
    assert_eq!(told(&edge, "bolt/ann", "set-manager", "bolt/berlin").await["denied_by"], "bob");
    let allowed = why(&edge, TOKEN_OF_ACME, "acme/cal", "set-manager", "acme/berlin/line-7").await;
    let allowed: Value = allowed.json().await.unwrap();
    assert_eq!(allowed["verdict"], "allowed");
    assert_eq!(allowed["detail"], "all of the chain have the privilege `managers`, and `acme/berlin/line-7`");
    // Of those whom she does not see she is told what it turns on.
    let told_of = |login: &str, field: &str| {
        let mut links = allowed["links"].as_array().unwrap().iter();
        links.find(|link| link["login"] == login).unwrap()[field].clone()
    };
    for login in ["bob", "admin"] {
        assert_eq!((told_of(login, "privileges"), told_of(login, "has")), (json!([]), json!(true)), "{login}");
        assert!(
            told_of(login, "rights").as_object().unwrap().values().all(|right| *right == "none" || *right == false)
        );
    }
    assert_ne!(told_of("acme/cal", "privileges"), json!([]));
    let whole = told(&edge, "acme/cal", "set-manager", "acme/berlin/line-7").await;
    assert!(whole["links"].as_array().unwrap().iter().all(|link| link["privileges"] != json!([])), "{whole}");
    let none = faulty(why(&edge, TOKEN, "acme/cal", "set-manger", "acme").await).await;
    let detail = "`operation`: `set-manger` is not known: did you mean `set-manager`?";
    assert_eq!(none, (400, "operation".to_owned(), detail.to_owned()));
    let audit = told(&edge, "acme/cal", "audit", "acme").await;
    assert_eq!((&audit["takes"], &audit["links"][0]["has"]), (&json!("a login"), &json!(true)));
    assert_eq!(told(&edge, "bob", "simulate", "/").await["takes"], "the privilege `managers` and the right `audit`");
    for (operation, login, detail) in [
        ("audit-checkpoint", "acme/cal", "`acme/cal` does not see all of the log `acme`"),
        ("audit-proof", "acme/ann", "`acme/ann` does not see all of the log `acme`"),
        ("policy", "acme/cal", "for `acme/cal` there is none at `acme`: that takes sight of all of it"),
    ] {
        assert_eq!(told(&edge, login, operation, "acme").await["detail"], detail, "{operation}");
    }
}

#[tokio::test]
async fn why_says_where_an_operation_is_asked_for() {
    let edge = filled().await;
    for (login, operation, place, detail) in [
        ("bob", "status", "acme", "`status` is asked for at `/`, and `acme` is an organization"),
        (
            "bob",
            "set-place",
            "acme",
            "`set-place` is asked for at sites and access lines, and `acme` is an organization; organizations are made \
             and changed by `set-organization`",
        ),
        (
            "bob",
            "remove-place",
            "acme",
            "`remove-place` is asked for at sites and access lines, and `acme` is an organization; organizations are \
             suspended by `suspend-organization`",
        ),
        (
            "acme/cal",
            "set-values",
            "/",
            "`set-values` is asked for at organizations, sites and access lines, and `/` is the provider's",
        ),
        (
            "acme/cal",
            "set-organization",
            "acme/berlin",
            "`set-organization` is asked for at organizations, and `acme/berlin` is a site",
        ),
        ("bob", "me", "acme", "`me` is asked for where whoever asks belongs: here that is `/`"),
        ("bob", "clear-place", "/", "nobody asks for `clear-place`: the engine does by itself"),
    ] {
        let told = told(&edge, login, operation, place).await;
        assert_eq!((&told["verdict"], &told["detail"]), (&json!("no-operation"), &json!(detail)));
        assert_eq!((&told["links"], &told["besides"], &told["denied_by"]), (&json!([]), &json!([]), &Value::Null));
    }
}

#[tokio::test]
async fn what_is_not_there_yet_and_what_is_not_seen_is_told_alike() {
    let edge = filled().await;
    let told = async |place: &str| {
        let told = why(&edge, TOKEN_OF_ACME, "acme/cal", "set-place", place).await;
        (told.status().as_u16(), told.text().await.unwrap().replace(place, "{}"))
    };
    let (status, made) = told("acme/berlin/line-9").await;
    let detail = "for `acme/cal` there is no place `{}`";
    assert!(status == 200 && made.contains(detail) && made.contains(r#""place":"{}""#), "{made}");
    assert_eq!(told("acme/paris").await, told("acme/rome").await);
    assert_eq!(told("acme/rome/line-1").await.0, 404, "there is no site");
    assert_eq!(told("acme/rome/line-1").await, told("acme/paris/line-7").await);
    let made = self::told(&edge, "zoe", "set-organization", "newco").await;
    assert_eq!(made["detail"], "`zoe` has not the right `organizations` on `newco`");
    for (login, place, nothing) in [
        ("acme/dan", "acme/berlin", "manager `acme/dan`"),
        ("bob", "acme/berlin", "manager `bob`"),
        ("acme/cal", "acme/paris", "place `acme/paris`"),
        ("acme/cal", "acme/rome", "place `acme/rome`"),
        ("acme/cal", "/", "place `/`"),
    ] {
        let answer = why(&edge, TOKEN_OF_ACME, login, "set-manager", place).await;
        assert_eq!(problem(answer).await, (404, format!("there is no {nothing}")));
    }
}

#[tokio::test]
async fn why_tells_what_the_question_does_not_tell() {
    let edge = filled().await;
    let besides = async |operation: &str, place: &str| {
        let told = told(&edge, "acme/cal", operation, place).await;
        (told["verdict"].clone(), told["besides"].as_array().unwrap().clone())
    };
    let (verdict, of_line) = besides("set-manager", "acme/berlin/line-7").await;
    assert_eq!((&verdict, of_line.len()), (&json!("allowed"), 1));
    assert!(of_line[0].as_str().unwrap().starts_with("nobody changes themselves or who stands above them; "));
    let of_others = json!("of managers who have all of `acme/berlin` none: that takes all of it");
    assert_eq!(besides("set-manager", "acme/berlin").await, (json!("allowed"), vec![of_others, of_line[0].clone()]));
    assert_eq!(besides("set-place", "acme/berlin").await, (json!("forbidden"), Vec::new()));
    assert_eq!(besides("audit", "acme").await, (json!("allowed"), Vec::new()));
}

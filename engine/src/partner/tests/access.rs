//! Who is let in.

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, HERE, problem};

#[tokio::test]
async fn who_is_known_and_takes_part_is_let_in() {
    let partner = Fixture::new().await;
    let answer = partner.request("acme", Method::POST, "registration").json(&json!({"controller": "acme-1"}));
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let expected = json!({"id": "acme", "controller": HERE, "requests_per_second": 1000});
    assert_eq!(answer.json::<Value>().await.unwrap(), expected);
    assert_eq!((partner.listening.overview().end_customers(), partner.listening.overview().heard()), (4, 1));
    let suspended = problem(partner.get("corp", "cases").await).await;
    assert_eq!(suspended, (403, "`corp` is suspended by the partner".to_owned(), None));
    let other = problem(partner.get("dory", "cases").await).await;
    assert_eq!(other, (403, "`dory` stands for no end customer: the partner must set `proxy`".to_owned(), None));
}

#[tokio::test]
async fn a_controller_needs_a_name_of_its_own() {
    let partner = Fixture::new().await;
    let register = async |controller: &str| {
        let request = partner.request("acme", Method::POST, "registration").json(&json!({"controller": controller}));
        problem(request.send().await.unwrap()).await
    };
    let own =
        "`partner-1` is this controller itself, which is no end customer of its own: cases would go round in a circle";
    assert_eq!(register(HERE).await, (409, own.to_owned(), None));
    let wrong = "`controller` is not a text of 1 to 64 printable characters";
    for name in ["", "a\tb", &"x".repeat(65)] {
        assert_eq!(register(name).await, (422, wrong.to_owned(), Some("#/controller".to_owned())), "{name}");
    }
}

#[tokio::test]
async fn nothing_is_told_without_a_login_and_all_wrong_ones_look_the_same() {
    let partner = Fixture::new().await;
    for path in ["cases", "cases/T-acme-1", "openapi.json", "nothing", "registration"] {
        let answer = partner.bare(Method::GET, path).send().await.unwrap();
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge, "Basic realm=\"linesman partner\", charset=\"UTF-8\"");
        let needed = (401, "a user and a password are needed (HTTP Basic)".to_owned(), None);
        assert_eq!(problem(answer).await, needed, "{path}");
    }
    let mut seen = Vec::new();
    for (user, password) in [("acme", "wrong"), ("nobody", "wrong"), ("bolt", "acme's own"), ("", "")] {
        let answer = partner.bare(Method::GET, "cases").basic_auth(user, Some(password)).send().await.unwrap();
        let mut headers = answer.headers().clone();
        headers.remove("date");
        seen.push((answer.status(), headers, answer.bytes().await.unwrap()));
    }
    assert_eq!(seen[0].0, 401);
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:?}");
    // The API's token opens nothing here.
    let answer = partner.bare(Method::GET, "cases").bearer_auth("5f0c").send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn who_guesses_waits_and_others_do_not() {
    let partner = Fixture::new().await;
    for _ in 0..3 {
        let answer = partner.bare(Method::GET, "cases").basic_auth("acme", Some("guess")).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
    let answer = partner.get("acme", "cases").await;
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(problem(answer).await, (429, "too many wrong passwords: wait before the next try".to_owned(), None));
    assert_eq!(partner.get("bolt", "cases").await.status(), 200);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again_and_others_are_not() {
    // What is borne at once is used up before the second is over, however slow the machine.
    let partner = Fixture::bearing(1).await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = partner.get("acme", "cases").await;
        if answer.status() == 429 {
            assert_eq!(answer.headers()["retry-after"], "1");
            let often = "an end customer may ask 1 times a second";
            assert_eq!(problem(answer).await, (429, often.to_owned(), None));
            statuses.push(429);
        } else {
            statuses.push(answer.status().as_u16());
        }
    }
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(partner.get("bolt", "cases").await.status(), 200);
}

#[tokio::test]
async fn there_is_nothing_but_what_the_document_says() {
    let partner = Fixture::new().await;
    let nothing = problem(partner.get("acme", "nothing").await).await;
    assert_eq!(nothing, (404, "there is nothing under this path".to_owned(), None));
    let answer = partner.request("acme", Method::DELETE, "cases").send().await.unwrap();
    assert_eq!(problem(answer).await, (405, "this path does not take this method".to_owned(), None));
    let document: Value = partner.get("acme", "openapi.json").await.json().await.unwrap();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "cases",
        "cases/{transaction_id}",
        "cases/{transaction_id}/changes",
        "openapi.json",
        "registration",
        "uploads",
        "uploads/{upload}",
    ];
    assert_eq!(paths, expected.map(|path| format!("/partner/v1/{path}")));
    // Nor is there anything of the API's.
    let address = partner.listening.overview().address();
    let api = partner.http.get(format!("https://{address}/api/v1/status")).basic_auth("acme", Some("acme's own"));
    assert_eq!(api.send().await.unwrap().status(), 404);
}

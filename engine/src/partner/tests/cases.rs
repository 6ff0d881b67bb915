//! What an end customer is told of its cases.

use linesman_domain::cases::chain::Side;
use reqwest::Response;
use serde_json::{Value, json};

use super::super::cursor::{self, List};
use super::fixture::{Fixture, HERE, at, note, problem};

/// All that an answer is made of, the moment excepted.
async fn whole(answer: Response) -> (u16, Vec<(String, Vec<u8>)>, Vec<u8>) {
    let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    (answer.status().as_u16(), headers, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_case_is_shown_to_whom_reported_it() {
    let partner = Fixture::new().await;
    let notes =
        vec![note("n-1", Side::Below, "ours"), note("n-2", Side::Here, "yours"), note("n-3", Side::Above, "on")];
    partner.reported("acme", 1, 7, notes);
    let answer = partner.get("acme", "cases/T-acme-1").await;
    assert_eq!(answer.status(), 200);
    let said = |id: &str, text: &str| json!({"id": id, "author": "ann", "at": at(0).to_string(), "text": text});
    let expected = json!({
        "transaction_id": "T-acme-1",
        "tracking_number": "own-101",
        "case_id": "C-1",
        "link": "https://support.example/C-1",
        "status": "open",
        "updated": at(7).to_string(),
        "notes": [said("n-2", "yours"), said("n-3", "on")],
    });
    assert_eq!(answer.json::<Value>().await.unwrap(), expected);
}

#[tokio::test]
async fn what_is_anothers_is_like_what_is_not_there_byte_by_byte() {
    let partner = Fixture::new().await;
    partner.reported("bolt", 1, 1, Vec::new());
    partner.reported("acme", 1, 1, Vec::new());
    assert_eq!(partner.get("bolt", "cases/T-bolt-1").await.status(), 200);
    let missing = whole(partner.get("acme", "cases/T-acme-9").await).await;
    assert_eq!(missing.0, 404);
    for id in ["T-bolt-1", "T-bolt-9", "T-nobody-1", "acme-1", "T-", "T-acme-18446744073709551615", "%20"] {
        assert_eq!(whole(partner.get("acme", &format!("cases/{id}")).await).await, missing, "{id}");
    }
    let step = json!({"close": {"id": "n", "author": "ann", "at": at(0).to_string(), "text": ""}});
    let missing = whole(partner.post("acme", "cases/T-acme-9/changes", "k", &step).await).await;
    assert_eq!(missing.0, 404);
    for id in ["T-bolt-1", "T-bolt-9", "T-nobody-1"] {
        let answer = partner.post("acme", &format!("cases/{id}/changes"), "k", &step).await;
        assert_eq!(whole(answer).await, missing, "{id}");
    }
}

#[tokio::test]
async fn changed_cases_come_page_by_page_and_then_as_they_change() {
    let partner = Fixture::new().await;
    for number in 1..=5 {
        partner.reported("acme", number, number, Vec::new());
    }
    partner.reported("bolt", 1, 1, Vec::new());
    let page = async |query: String| {
        let answer = partner.get("acme", &format!("cases?{query}")).await;
        assert_eq!(answer.status(), 200);
        let page: Value = answer.json().await.unwrap();
        let ids = page["cases"].as_array().unwrap().iter();
        let ids: Vec<_> = ids.map(|case| case["transaction_id"].as_str().unwrap().to_owned()).collect();
        (ids.join(" "), page["more"].as_bool().unwrap(), page["cursor"].as_str().unwrap().to_owned())
    };
    let (first, more, cursor) = page("limit=2".to_owned()).await;
    assert_eq!((first.as_str(), more), ("T-acme-1 T-acme-2", true));
    let (second, more, cursor) = page(format!("limit=3&cursor={cursor}")).await;
    assert_eq!((second.as_str(), more), ("T-acme-3 T-acme-4 T-acme-5", false));
    let (none, more, same) = page(format!("cursor={cursor}")).await;
    assert_eq!((none.as_str(), more, &same), ("", false, &cursor));
    partner.reported("acme", 6, 6, Vec::new());
    let (next, _, _) = page(format!("cursor={cursor}")).await;
    assert_eq!(next, "T-acme-6");
    let (all, more, _) = page(String::new()).await;
    assert_eq!((all.split(' ').count(), more), (6, false));
}

#[tokio::test]
async fn a_page_ends_where_it_would_be_too_large() {
    let partner = Fixture::new().await;
    let notes = (0..100).map(|number| note(&format!("n-{number}"), Side::Above, &"x".repeat(4096)));
    let notes: Vec<_> = notes.collect();
    for number in 1..=5 {
        partner.reported("acme", number, number, notes.clone());
    }
    let page: Value = partner.get("acme", "cases").await.json().await.unwrap();
    assert_eq!((page["cases"].as_array().unwrap().len(), &page["more"]), (3, &json!(true)));
}

#[tokio::test]
async fn what_is_no_cursor_and_no_limit_is_refused_where_it_stands() {
    let partner = Fixture::new().await;
    partner.reported("acme", 1, 1, Vec::new());
    let begun: Value = partner.get("acme", "cases").await.json().await.unwrap();
    let of_acme = begun["cursor"].as_str().unwrap();
    let detail = "`cursor` is none that an answer gave; without one the list begins anew";
    // Of a state that is gone, one may lie ahead of all changes.
    let ahead = cursor::write(List::Cases, HERE, &"acme".parse().unwrap(), 2);
    for (who, cursor) in [("acme", "x"), ("acme", ""), ("bolt", of_acme), ("acme", ahead.as_str())] {
        let answer = partner.get(who, &format!("cases?cursor={cursor}")).await;
        assert_eq!(problem(answer).await, (400, detail.to_owned(), Some("cursor".to_owned())), "{who} {cursor}");
    }
    for limit in ["0", "201", "x", "-1"] {
        let (status, detail, at) = problem(partner.get("acme", &format!("cases?limit={limit}")).await).await;
        assert_eq!((status, at.as_deref()), (400, Some("limit")), "{limit}");
        assert_eq!(detail, "`limit`: is not a number from 1 to 200");
    }
    let unknown = problem(partner.get("acme", "cases?from=x").await).await;
    assert_eq!((unknown.0, unknown.2.as_deref()), (400, Some("from")));
}

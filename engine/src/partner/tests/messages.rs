//! What an end customer is told of intelligence messages.

use linesman_domain::intelligence::MessageRow;
use linesman_domain::intelligence::provided::NumberRow;
use linesman_domain::intelligence::sent::{self, ChangeRow, RecallRow, SendingRow, SentRow};
use linesman_domain::table;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::{Intelligence, Kind, Relevance};
use serde_json::{Value, json};

use super::fixture::{Fixture, at, problem};

/// What was sent to an organization, or recalled, and by which of its changes; as it is kept since changes are in order, or as
/// before.
fn sent_as(
    is_in_order: bool,
    partner: &Fixture,
    name: &str,
    id: &str,
    title: &str,
    (changed, is_recalled): (u64, bool),
) {
    let org: OrgName = name.parse().unwrap();
    let message = MessageRow::from(Intelligence {
        id: id.to_owned(),
        kind: Kind::BugNotice,
        title: title.to_owned(),
        text: format!("text of {title}"),
        issued: at(0),
        relevance: Relevance::default(),
        links: Vec::new(),
        recalled: false,
    });
    let recalled = is_recalled.then(|| RecallRow { at: at(changed), by: "ann".to_owned() });
    let sending = SendingRow { at: at(1), by: "ann".to_owned(), sha256: "00".to_owned(), message, recalled };
    let row = SentRow {
        title: None,
        text: None,
        sha256: "00".to_owned(),
        associated: at(0),
        associated_by: "ann".to_owned(),
        changed,
        sendings: if changed == 0 { Vec::new() } else { vec![sending] },
    };
    let mut rows = vec![(sent::key(&org, id).into_bytes(), table::encode(&row).unwrap())];
    if changed > 0 {
        rows.push((sent::count_key(&org).into_bytes(), table::encode(&NumberRow(changed)).unwrap()));
    }
    if is_in_order && changed > 0 {
        for (number, id) in [(0, ""), (changed, id)] {
            let row = ChangeRow { id: id.to_owned() };
            rows.push((sent::change(&org, number).into_bytes(), table::encode(&row).unwrap()));
        }
    }
    partner.write(name, rows);
}

fn sent(partner: &Fixture, name: &str, id: &str, title: &str, change: (u64, bool)) {
    sent_as(true, partner, name, id, title, change);
}

async fn page(partner: &Fixture, who: &str, query: &str) -> Value {
    let answer = partner.get(who, &format!("intelligence{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    answer.json().await.unwrap()
}

fn titles(page: &Value) -> Vec<&str> {
    page["messages"].as_array().unwrap().iter().map(|message| message["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn messages_come_in_the_order_in_which_they_were_sent_last_and_recalls_say_nothing_of_what_was_said() {
    for is_in_order in [false, true] {
        come_in_order(is_in_order).await;
    }
}

async fn come_in_order(is_in_order: bool) {
    let partner = Fixture::new().await;
    let sent = |id: &str, title: &str, change: (u64, bool)| sent_as(is_in_order, &partner, "acme", id, title, change);
    assert_eq!(page(&partner, "acme", "").await["messages"], json!([]));
    sent("M2", "first", (10, false));
    sent("M3", "second", (20, false));
    sent("M4", "not sent", (0, false));
    sent("M1", "third", (30, false));
    let first = page(&partner, "acme", "?limit=2").await;
    assert_eq!((titles(&first), &first["more"]), (vec!["first", "second"], &json!(true)));
    let after = |page: &Value| format!("?after={}", page["cursor"].as_str().unwrap());
    let last = page(&partner, "acme", &after(&first)).await;
    assert_eq!((titles(&last), &last["more"]), (vec!["third"], &json!(false)));
    let expected = json!({"id": "M1", "kind": "bug-notice", "title": "third", "text": "text of third",
        "issued": at(0).to_string(), "links": [],
        "relevance": {"serial_numbers": [], "products": [], "platforms": [], "os_versions": []}});
    assert_eq!(last["messages"][0], expected);

    sent("M2", "first", (40, true));
    let recalled = page(&partner, "acme", &after(&last)).await;
    assert_eq!(titles(&recalled), ["M2"]);
    assert_eq!((&recalled["messages"][0]["recalled"], &recalled["messages"][0]["text"]), (&json!(true), &json!("")));
    assert_eq!(page(&partner, "acme", &after(&recalled)).await["messages"], json!([]));
}

#[tokio::test]
async fn nothing_of_another_is_told_and_another_s_cursor_is_none() {
    let partner = Fixture::new().await;
    let alone = partner.get("bolt", "intelligence").await.bytes().await.unwrap();
    sent(&partner, "acme", "M1", "canary", (30, false));
    sent(&partner, "bolt", "M2", "not sent", (0, false));
    assert_eq!(partner.get("bolt", "intelligence").await.bytes().await.unwrap(), alone, "not even a count or a time");
    let of_acme = page(&partner, "acme", "").await;
    let of_cases = partner.get("acme", "cases").await.json::<Value>().await.unwrap();
    for (who, cursor) in [("bolt", &of_acme["cursor"]), ("acme", &of_cases["cursor"]), ("acme", &json!("AA"))] {
        let (status, _, at) =
            problem(partner.get(who, &format!("intelligence?after={}", cursor.as_str().unwrap())).await).await;
        assert_eq!((status, at.as_deref()), (400, Some("after")), "{who} {cursor}");
    }
    assert_eq!(problem(partner.get("corp", "intelligence").await).await.0, 403);
    assert_eq!(partner.bare(reqwest::Method::GET, "intelligence").send().await.unwrap().status(), 401);
}

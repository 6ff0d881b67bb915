//! A change of rights, held against what was tried.

use jiff::Timestamp;
use linesman_domain::audit::{self, AuditRow, Hash, Head};
use linesman_domain::table;
use linesman_schemas::audit::{Record, Verdict};
use linesman_schemas::{Principal, Privilege, Privileges, Rights};
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{TOKEN, TOKEN_OF_ACME, audit_record, problem};
use super::managers::filled;
use super::people::BOB;

/// Rows of a log in which so much was tried: who, what, where; the latest a minute ago.
fn tried(owner: &str, attempts: &[(&str, &str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let once: Vec<_> = attempts.iter().map(|attempt| (*attempt, 1)).collect();
    tried_often(owner, &once)
}

/// As [`tried`]; what was tried more than once is counted together, and was refused.
fn tried_often(owner: &str, attempts: &[((&str, &str, &str), u64)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut head, mut rows) = (Head::default(), Vec::new());
    for (index, ((actor, operation, place), count)) in (0..).zip(attempts) {
        let record = Record {
            time: Timestamp::now() - jiff::SignedDuration::from_mins(attempts.len() as i64 - index as i64),
            actor: (*actor).to_owned(),
            principal: Some(Principal::of_login(&actor.parse().unwrap(), None)),
            operation: (*operation).to_owned(),
            place: (*place).to_owned(),
            new: if *count > 1 { json!({"count": count}) } else { Value::Null },
            outcome: if *count > 1 { Verdict::Forbidden } else { Verdict::Done },
            ..audit_record(owner, index)
        };
        let body = audit::record::text(record).unwrap();
        let row = AuditRow { leaf: Hash::of_leaf(body.as_bytes()), body: Some(body), detail: String::new() };
        head.append(row.leaf);
        rows.push((audit::record_key(owner, index).into_bytes(), table::encode(&row).unwrap()));
    }
    rows.push((audit::head_key(owner).into_bytes(), table::encode(&head).unwrap()));
    rows
}

#[tokio::test]
async fn a_change_is_held_against_what_was_tried() {
    let edge = filled().await;
    let line = "acme/berlin/line-7";
    let attempts = [
        ("acme/ann", "set-manager", "acme/berlin"),
        ("acme/cal", "set-manager", line),
        ("acme/cal", "set-manager", line),
        ("acme/cal", "set-place", line),
        ("acme/eve", "set-manager", "acme"),
    ];
    edge.write("acme", tried("acme", &attempts));
    let simulated = async |token: &str, change: Value| {
        let answer =
            edge.request(Method::POST, "/api/v1/rights/simulate").bearer_auth(token).json(&change).send().await;
        answer.unwrap()
    };
    let told = async |token: &str, change: Value| {
        let found: Value = simulated(token, change).await.json().await.unwrap();
        let item = |item: &Value| {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            (text("actor"), text("place"), text("before"), text("after"), item["attempts"].as_u64().unwrap())
        };
        let items: Vec<_> = found["items"].as_array().unwrap().iter().map(item).collect();
        (found["attempts"].as_u64().unwrap(), found["changed"].as_u64().unwrap(), items)
    };
    let item = |actor: &str, place: &str, after: &str, attempts: u64| {
        (actor.to_owned(), place.to_owned(), "allowed".to_owned(), after.to_owned(), attempts)
    };
    let without = json!({"without": [{"login": "acme/ann", "what": "managers"}]});
    let expected = vec![item("acme/ann", "acme/berlin", "forbidden", 1), item("acme/cal", line, "forbidden", 2)];
    assert_eq!(told(TOKEN, without.clone()).await, (5, 3, expected));
    let removed = json!({"remove_managers": ["acme/ann"]});
    assert_eq!(told(TOKEN, removed.clone()).await.2, [item("acme/ann", "acme/berlin", "not-found", 1)]);
    let moved = json!({"set_managers": [{"login": "acme/cal", "sphere": ["acme/paris"]}], "under": line});
    let refused = |after: &str| ("acme/cal".to_owned(), line.to_owned(), "forbidden".to_owned(), after.to_owned(), 1);
    let gone = [item("acme/cal", line, "not-found", 2), refused("not-found")];
    assert_eq!(told(TOKEN, moved).await.2, gone);
    assert_eq!(told(TOKEN, json!({})).await, (5, 0, Vec::new()));
    // Only what is seen, of whom is seen.
    let cal = json!({"remove_managers": ["acme/cal"]});
    assert_eq!(told(TOKEN_OF_ACME, cal).await, (4, 3, gone.to_vec()));
    for (login, at) in [("acme/dan", 0), ("bob", 0), ("acme/nobody", 0)] {
        let body: Value = simulated(TOKEN_OF_ACME, json!({"remove_managers": [login]})).await.json().await.unwrap();
        let error = &body["errors"][0];
        let (pointer, detail) = (format!("#/remove_managers/{at}"), format!("there is no manager `{login}`"));
        assert_eq!(
            (&body["status"], &error["pointer"], &error["detail"]),
            (&json!(422), &json!(pointer), &json!(detail))
        );
    }
    let unknown: Value =
        simulated(TOKEN, json!({"without": [{"login": "bob", "what": "manager"}]})).await.json().await.unwrap();
    let detail = "`manager` is no privilege and no right: did you mean `managers`?";
    assert_eq!((&unknown["status"], &unknown["detail"]), (&json!(422), &json!(detail)));
    // Somebody new, who sees by a group alone.
    edge.write("acme", tried("acme", &[("mia", "close-incident", "acme")]));
    let seeing = |ties: Value| {
        json!({
            "set_managers": [{"login": "mia", "sphere": [], "rights": {"incidents": "any"}}],
            "set_groups": [{"name": "cores", "members": ["mia"], "device_groups": ties}],
        })
    };
    assert_eq!(told(TOKEN, seeing(json!([]))).await, (1, 0, Vec::new()));
    let core = told(TOKEN, seeing(json!([{"organization": "acme", "name": "core"}]))).await;
    let allowed = ("mia".to_owned(), "acme".to_owned(), "not-found".to_owned(), "allowed".to_owned(), 1);
    assert_eq!(core, (1, 1, vec![allowed]));
    // Those that were counted together are as many as they are.
    let often =
        [(("acme/cal", "set-place", line), 150), (("acme/cal", "", ""), 40), (("acme/cal", "set-values", line), 1)];
    edge.write("acme", tried_often("acme", &often));
    let cal = json!({"remove_managers": ["acme/cal"]});
    let refused_often = ("acme/cal".to_owned(), line.to_owned(), "forbidden".to_owned(), "not-found".to_owned(), 150);
    let expected = vec![refused_often, item("acme/cal", line, "not-found", 1)];
    assert_eq!(told(TOKEN, cal.clone()).await, (191, 151, expected.clone()));
    let found: Value = simulated(TOKEN, cal.clone()).await.json().await.unwrap();
    assert_eq!(found["unknown"], 40);
    // They may have been anywhere: who sees a part is told of none.
    assert_eq!(told(TOKEN_OF_ACME, cal).await, (151, 151, expected));
    // Nothing of it is written.
    let ann: Value = edge.get("/api/v1/managers/acme/ann").await.json().await.unwrap();
    assert_eq!(ann["privileges"], json!(["substitution", "managers"]));
    // Of the provider's logs each lane's, and what was refused there at an organization's place.
    edge.write_provider(tried("_provider", &[("bob", "set-manager", "acme/berlin")]));
    edge.write_to(2, tried("_provider-2", &[("bob", "set-manager", "acme/berlin"), ("bob", "set-manager", "none")]));
    let bob = |under: &str| json!({"without": [{"login": "bob", "what": "managers"}], "under": under});
    let refused = vec![item("bob", "acme/berlin", "forbidden", 2)];
    for under in ["/", "acme/berlin"] {
        let (_, _, items) = told(TOKEN, bob(under)).await;
        let of_bob: Vec<_> = items.into_iter().filter(|(actor, ..)| actor == "bob").collect();
        assert_eq!(of_bob, refused, "under {under}");
    }
    assert_eq!(told(TOKEN_OF_ACME, json!({})).await.0, 151, "the provider's are not for others");
    // Who may not is told what is missing, and where.
    for (privileges, missing) in [
        (Privileges::default(), "the privilege `managers`"),
        (Privileges::from_iter([Privilege::Managers]), "the right `audit`"),
    ] {
        edge.grant("bob", "acme", privileges, Rights::default());
        let refused = problem(simulated(BOB, json!({})).await).await;
        assert_eq!(refused, (403, format!("`bob` has not {missing} on `/`")));
    }
}

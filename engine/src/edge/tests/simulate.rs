//! A change of rights, held against what was tried.

use jiff::Timestamp;
use linesman_domain::audit::{self, AuditRow, Hash, Head};
use linesman_domain::groups::{self, UserGroupRow};
use linesman_domain::table;
use linesman_schemas::audit::{Record, Verdict};
use linesman_schemas::directory::Granter;
use linesman_schemas::{IncidentStep, Principal, Privilege, Privileges, Right, Rights};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::fixture::{Fixture, TOKEN, TOKEN_OF_ACME, audit_record, problem};
use super::managers::filled;
use super::people::BOB;

const LINE: &str = "acme/berlin/line-7";

/// A row of the audit to be: who, what, where.
type Attempt<'a> = (&'a str, &'a str, &'a str);

/// Rows of a log in which so much was tried; the latest a minute ago.
fn tried(owner: &str, attempts: &[Attempt<'_>]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let once: Vec<_> = attempts.iter().map(|attempt| (*attempt, 1)).collect();
    tried_often(owner, &once)
}

/// As [`tried`]; what was tried more than once is counted together, and was refused.
fn tried_often(owner: &str, attempts: &[(Attempt<'_>, u64)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let records = attempts.iter().map(|(attempt, count)| {
        let record = record(*attempt, None, Value::Null, Value::Null);
        let (new, outcome) = (json!({"count": count}), Verdict::Forbidden);
        if *count > 1 { Record { new, outcome, ..record } } else { record }
    });
    logged(owner, records.collect())
}

/// A record of what was done.
fn record((actor, operation, place): Attempt<'_>, about: Option<&str>, old: Value, new: Value) -> Record {
    Record {
        actor: actor.to_owned(),
        principal: Some(Principal::of_login(&actor.parse().unwrap(), None)),
        operation: operation.to_owned(),
        place: place.to_owned(),
        about: about.map(str::to_owned),
        old,
        new,
        outcome: Verdict::Done,
        ..audit_record("acme", 0)
    }
}

fn logged(owner: &str, records: Vec<Record>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut head, mut rows, count) = (Head::default(), Vec::new(), records.len() as i64);
    for (index, record) in (0..).zip(records) {
        let time = Timestamp::now() - jiff::SignedDuration::from_mins(count - index as i64);
        let body = audit::record::text(Record { index, time, ..record }).unwrap();
        let row = AuditRow { leaf: Hash::of_leaf(body.as_bytes()), body: Some(body), detail: String::new() };
        head.append(row.leaf);
        rows.push((audit::record_key(owner, index).into_bytes(), table::encode(&row).unwrap()));
    }
    rows.push((audit::head_key(owner).into_bytes(), table::encode(&head).unwrap()));
    rows
}

async fn simulated(edge: &Fixture, token: &str, change: Value) -> Response {
    edge.request(Method::POST, "/api/v1/rights/simulate").bearer_auth(token).json(&change).send().await.unwrap()
}

/// Who, where, how it ends, how it would, and how often.
type Item = (String, String, String, String, u64);

/// How many attempts there are, how many would end otherwise, and those.
async fn told(edge: &Fixture, token: &str, change: Value) -> (u64, u64, Vec<Item>) {
    let found: Value = simulated(edge, token, change).await.json().await.unwrap();
    let item = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        (text("actor"), text("place"), text("before"), text("after"), item["attempts"].as_u64().unwrap())
    };
    let items: Vec<_> = found["items"].as_array().unwrap().iter().map(item).collect();
    (found["attempts"].as_u64().unwrap(), found["changed"].as_u64().unwrap(), items)
}

fn item(actor: &str, place: &str, [before, after]: [&str; 2], attempts: u64) -> Item {
    (actor.to_owned(), place.to_owned(), before.to_owned(), after.to_owned(), attempts)
}

const FORBIDDEN: [&str; 2] = ["allowed", "forbidden"];
const GONE: [&str; 2] = ["allowed", "not-found"];
const NOT_TOLD: [&str; 2] = ["allowed", "not-told"];

#[tokio::test]
async fn a_change_is_held_against_what_was_tried() {
    let edge = filled().await;
    let attempts = [
        ("acme/ann", "set-manager", "acme/berlin"),
        ("acme/cal", "set-manager", LINE),
        ("acme/cal", "set-manager", LINE),
        ("acme/cal", "set-place", LINE),
        ("acme/eve", "set-manager", "acme"),
    ];
    edge.write("acme", tried("acme", &attempts));
    let without = json!({"without": [{"login": "acme/ann", "what": "managers"}]});
    let expected = vec![item("acme/ann", "acme/berlin", FORBIDDEN, 1), item("acme/cal", LINE, FORBIDDEN, 2)];
    assert_eq!(told(&edge, TOKEN, without).await, (5, 3, expected));
    let removed = json!({"remove_managers": ["acme/ann"]});
    assert_eq!(told(&edge, TOKEN, removed).await.2, [item("acme/ann", "acme/berlin", GONE, 1)]);
    let moved = json!({"set_managers": [{"login": "acme/cal", "sphere": ["acme/paris"]}], "under": LINE});
    let gone = vec![item("acme/cal", LINE, GONE, 2), item("acme/cal", LINE, ["forbidden", "not-found"], 1)];
    assert_eq!(told(&edge, TOKEN, moved).await.2, gone);
    assert_eq!(told(&edge, TOKEN, json!({})).await, (5, 0, Vec::new()));
    // Only what is seen, of whom is seen.
    let cal = json!({"remove_managers": ["acme/cal"]});
    assert_eq!(told(&edge, TOKEN_OF_ACME, cal).await, (4, 3, gone));
    // Somebody new, who sees by a group alone.
    edge.write("acme", tried("acme", &[("mia", "close-incident", "acme")]));
    let seeing = |ties: Value| {
        json!({
            "set_managers": [{"login": "mia", "sphere": [], "rights": {"incidents": "any"}}],
            "set_groups": [{"name": "cores", "members": ["mia"], "device_groups": ties}],
        })
    };
    assert_eq!(told(&edge, TOKEN, seeing(json!([]))).await, (1, 0, Vec::new()));
    let core = told(&edge, TOKEN, seeing(json!([{"organization": "acme", "name": "core"}]))).await;
    assert_eq!(core, (1, 0, vec![item("mia", "acme", ["not-found", "not-told"], 1)]), "if it was of a core");
    let all = json!({"set_managers": [{"login": "mia", "sphere": ["acme"], "rights": {"incidents": "any"}}]});
    assert_eq!(told(&edge, TOKEN, all).await.2, [item("mia", "acme", ["not-found", "allowed"], 1)]);
    // Nothing of it is written.
    let ann: Value = edge.get("/api/v1/managers/acme/ann").await.json().await.unwrap();
    assert_eq!(ann["privileges"], json!(["substitution", "managers"]));
}

#[tokio::test]
async fn an_attempt_is_judged_by_all_that_it_took() {
    let edge = filled().await;
    edge.grant("acme/eve", "acme", Privileges::all(), Rights::default());
    let values = json!({"activation": "cap-0123456789ab", "substitutions": ["rate=1"]});
    let subscribed = |active: bool, given: &[&str]| json!({"active": active, "substitutions": given});
    let eve = |operation: &'static str| ("acme/eve", operation, LINE);
    let of_acme = |operation: &'static str| ("acme/eve", operation, "acme");
    let none = || Value::Null;
    let cases = [
        (record(eve("activate-subscription"), None, none(), values), json!("substitution"), FORBIDDEN),
        (record(eve("activate-subscription"), None, none(), json!({"active": true})), json!("substitution"), ["", ""]),
        (record(eve("set-subscription"), None, none(), subscribed(false, &["a=1"])), json!("substitution"), FORBIDDEN),
        (record(eve("set-subscription"), None, none(), subscribed(true, &[])), json!("activation"), FORBIDDEN),
        (record(eve("set-subscription"), None, none(), subscribed(false, &[])), json!("activation"), NOT_TOLD),
        (record(eve("set-subscription"), None, none(), subscribed(false, &[])), json!("managers"), ["", ""]),
        (
            record(eve("set-subscription"), None, subscribed(true, &[]), subscribed(true, &[])),
            json!("activation"),
            NOT_TOLD,
        ),
        (
            record(
                of_acme("set-manager"),
                Some("acme/cal"),
                json!({"privileges": ["activation"]}),
                json!({"privileges": ["activation"]}),
            ),
            json!("activation"),
            NOT_TOLD,
        ),
        (
            record(
                of_acme("set-manager"),
                Some("acme/new"),
                none(),
                json!({"sphere": ["acme"], "privileges": ["activation"]}),
            ),
            json!("activation"),
            FORBIDDEN,
        ),
        (record(of_acme("set-password"), Some("acme/cal"), none(), none()), json!("managers"), FORBIDDEN),
        (record(of_acme("set-password"), Some("acme/eve"), none(), none()), json!("managers"), ["", ""]),
        (
            record(of_acme("issue-token"), Some("acme/eve"), none(), json!({"privileges": ["subscription"]})),
            json!("subscription"),
            FORBIDDEN,
        ),
    ];
    for (record, what, ends) in cases {
        let (operation, place) = (record.operation.clone(), record.place.clone());
        edge.write("acme", logged("acme", vec![record]));
        let (_, _, found) = told(&edge, TOKEN, json!({"without": [{"login": "acme/eve", "what": what}]})).await;
        let expected = if ends == ["", ""] { Vec::new() } else { vec![item("acme/eve", &place, ends, 1)] };
        assert_eq!(found, expected, "{operation} without {what}");
    }
    // By the places of a sphere, by whom it was about, and by whose an incident was.
    let moved = json!({"set_managers": [{"login": "acme/eve", "sphere": ["acme/paris"]}]});
    for (operation, about, new) in [
        ("set-manager", "acme/new", json!({"sphere": [LINE]})),
        ("remove-manager", "acme/cal", none()),
        ("revoke-token", "acme/cal", none()),
    ] {
        edge.write("acme", logged("acme", vec![record(of_acme(operation), Some(about), none(), new)]));
        assert_eq!(told(&edge, TOKEN, moved.clone()).await.2, [item("acme/eve", "acme", GONE, 1)], "{operation}");
    }
    edge.grant("mia", "acme", Privileges::default(), Rights::of([], IncidentStep::Any));
    let less = json!({"set_managers": [{"login": "mia", "rights": {"incidents": "own"}}]});
    for (owner, ends) in [("mia", None), ("bob", Some(FORBIDDEN))] {
        let incident = json!({"owner": owner});
        let closed = record(("mia", "close-incident", "acme"), Some("acme-1"), incident.clone(), incident);
        edge.write("acme", logged("acme", vec![closed]));
        let expected: Vec<_> = ends.into_iter().map(|ends| item("mia", "acme", ends, 1)).collect();
        assert_eq!(told(&edge, TOKEN, less.clone()).await.2, expected, "{owner}'s");
    }
}

/// What was refused for something else is not taken for what was refused for want of what its operation takes.
#[tokio::test]
async fn what_was_refused_is_refused_again_unless_what_it_took_may_change() {
    let edge = filled().await;
    let subscription = Privileges::from_iter([Privilege::Subscription]);
    let refused =
        |outcome| Record { outcome, ..record(("acme/eve", "set-subscription", LINE), None, json!(null), json!(null)) };
    let without = json!({"without": [{"login": "acme/eve", "what": "subscription"}]});
    let with = |privileges: Value| json!({"set_managers": [{"login": "acme/eve", "privileges": privileges}]});
    let all = json!(["subscription", "substitution", "activation"]);
    for (outcome, change, ends) in [
        (Verdict::Forbidden, without.clone(), None),
        (Verdict::Forbidden, with(json!(["subscription", "managers"])), None),
        (Verdict::Forbidden, with(json!(["subscription", "activation"])), Some(["forbidden", "not-told"])),
        (Verdict::Forbidden, with(all.clone()), Some(["forbidden", "allowed"])),
        (Verdict::Invalid, without, Some(["invalid", "forbidden"])),
        (Verdict::Invalid, with(all), None),
    ] {
        edge.grant("acme/eve", "acme", subscription, Rights::default());
        edge.write("acme", logged("acme", vec![refused(outcome)]));
        let expected: Vec<_> = ends.into_iter().map(|ends| item("acme/eve", LINE, ends, 1)).collect();
        assert_eq!(told(&edge, TOKEN, change.clone()).await.2, expected, "{outcome:?} {change}");
    }
}

#[tokio::test]
async fn what_was_counted_together_and_what_the_provider_has_is_told_to_whoever_sees_it() {
    let edge = filled().await;
    let often =
        [(("acme/cal", "set-place", LINE), 150), (("acme/cal", "", ""), 40), (("acme/cal", "set-values", LINE), 1)];
    edge.write("acme", tried_often("acme", &often));
    let cal = json!({"remove_managers": ["acme/cal"]});
    let expected = vec![item("acme/cal", LINE, ["forbidden", "not-found"], 150), item("acme/cal", LINE, GONE, 1)];
    assert_eq!(told(&edge, TOKEN, cal.clone()).await, (191, 151, expected.clone()));
    let found: Value = simulated(&edge, TOKEN, cal.clone()).await.json().await.unwrap();
    assert_eq!(found["unknown"], 40);
    // They may have been anywhere: who sees a part is told of none.
    assert_eq!(told(&edge, TOKEN_OF_ACME, cal).await, (151, 151, expected));
    // Of the provider's logs each lane's, and what was refused there at an organization's place.
    edge.write_provider(tried("_provider", &[("bob", "set-manager", "acme/berlin")]));
    edge.write_to(2, tried("_provider-2", &[("bob", "set-manager", "acme/berlin"), ("bob", "set-manager", "none")]));
    let bob = |under: &str| json!({"without": [{"login": "bob", "what": "managers"}], "under": under});
    for under in ["/", "acme/berlin"] {
        let (_, _, items) = told(&edge, TOKEN, bob(under)).await;
        let of_bob: Vec<_> = items.into_iter().filter(|(actor, ..)| actor == "bob").collect();
        assert_eq!(of_bob, [item("bob", "acme/berlin", FORBIDDEN, 2)], "under {under}");
    }
    assert_eq!(told(&edge, TOKEN_OF_ACME, json!({})).await.0, 151, "the provider's are not for others");
}

#[tokio::test]
async fn what_is_wrong_with_a_change_is_said_and_who_may_not_ask() {
    let edge = filled().await;
    for login in ["acme/dan", "bob", "acme/nobody"] {
        let answer = simulated(&edge, TOKEN_OF_ACME, json!({"remove_managers": [login]})).await;
        let body: Value = answer.json().await.unwrap();
        let error = &body["errors"][0];
        let detail = json!(format!("there is no manager `{login}`"));
        assert_eq!(
            (&body["status"], &error["pointer"], &error["detail"]),
            (&json!(422), &json!("#/remove_managers/0"), &detail)
        );
    }
    let unknown = json!({"without": [{"login": "bob", "what": "manager"}]});
    let unknown: Value = simulated(&edge, TOKEN, unknown).await.json().await.unwrap();
    let detail = "`manager` is no privilege and no right: did you mean `managers`?";
    assert_eq!((&unknown["status"], &unknown["detail"]), (&json!(422), &json!(detail)));
    let tied = json!({"set_groups": [{"name": "labs", "device_groups": [{"organization": "acme", "name": "\u{84}"}]}]});
    let tied = problem(simulated(&edge, TOKEN, tied).await).await;
    assert_eq!(tied.0, 422, "{tied:?}: no command may hold that");
    let null = problem(simulated(&edge, TOKEN, json!({"under": null})).await).await;
    assert_eq!(null.0, 422, "{null:?}: null is no place");
    // Who may not is told what is missing, and where.
    for (privileges, missing) in [
        (Privileges::default(), "the privilege `managers`"),
        (Privileges::from_iter([Privilege::Managers]), "the right `audit`"),
    ] {
        edge.grant("bob", "acme", privileges, Rights::default());
        let refused = problem(simulated(&edge, BOB, json!({})).await).await;
        assert_eq!(refused, (403, format!("`bob` has not {missing} on `/`")));
    }
}

#[tokio::test]
async fn whoever_is_there_and_not_seen_is_taken_like_nobody() {
    let edge = filled().await;
    let group = UserGroupRow {
        members: Vec::new(),
        organizations: vec!["bolt".parse().unwrap()],
        device_groups: Vec::new(),
        granter: Granter { login: "admin".parse().unwrap(), number: 0 },
    };
    edge.put(None, groups::key(&"bolts".parse().unwrap()).into_bytes(), table::encode(&group).unwrap());
    let rights = Rights::of([Right::Audit], IncidentStep::default());
    edge.grant("bob", "acme", Privileges::from_iter([Privilege::Managers]), rights);
    // What those did who are not seen is judged as it was, whatever is wished of them.
    let attempts = ["acme/dan", "zoe", "acme/ann"].map(|actor| (actor, "set-manager", LINE));
    edge.write("acme", tried("acme", &attempts));
    let manager = |login: &str| json!({"set_managers": [{"login": login, "sphere": [], "privileges": []}]});
    let group = |name: &str| json!({"set_groups": [{"name": name, "organizations": ["acme"]}]});
    for (token, there, free) in [
        (TOKEN_OF_ACME, manager("acme/dan"), manager("acme/fay")),
        (TOKEN_OF_ACME, manager("zoe"), manager("zed")),
        (TOKEN_OF_ACME, manager("bolt/ann"), manager("bolt/fay")),
        (TOKEN_OF_ACME, group("night-shift"), group("day-shift")),
        (TOKEN_OF_ACME, group("bolts"), group("nuts")),
        (BOB, manager("zoe"), manager("zed")),
        (BOB, manager("bolt/ann"), manager("bolt/fay")),
        (BOB, group("bolts"), group("nuts")),
    ] {
        let answered = async |change: &Value| {
            let answer = simulated(&edge, token, change.clone()).await;
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (free, free_name) = (answered(&free).await, named(&free));
        let (there, there_name) = (answered(&there).await, named(&there));
        assert_eq!((there.0, there.1.replace(&there_name, &free_name)), free, "{token} {there_name}");
    }
}

/// Whom or what a change is about.
fn named(change: &Value) -> String {
    let name = change.pointer("/set_managers/0/login").or_else(|| change.pointer("/set_groups/0/name"));
    name.and_then(Value::as_str).unwrap().to_owned()
}

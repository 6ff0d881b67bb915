//! The audit: each filter, each page, exports that verify, proofs that prove, and nothing of another's log.

use linesman_domain::audit::proof::{extends, includes};
use linesman_domain::audit::{self, AuditRow, Hash, KeptRow};
use linesman_domain::table;
use linesman_schemas::audit::Record;
use linesman_schemas::{IncidentStep, Privileges, Right, Rights};
use serde_json::{Value, json};

use super::fixture::{Fixture, TOKEN_OF_ACME, audit_record, audited, faulty, problem};
use super::lists::all;
use super::people::{BOB, SID, ZOE};
use crate::audit::verify::{Kept, verify};
use crate::audit::{Checkpoint, VerifierKey};

const COUNT: u64 = 600;

async fn filled() -> Fixture {
    let edge = Fixture::new().await;
    for name in ["acme", "bolt"] {
        edge.organization(name, 0);
        edge.write(name, audited(name, COUNT));
    }
    edge.write_to(0, audited("_provider", 5));
    edge.write_to(2, audited("_provider-2", 2));
    edge
}

async fn text(edge: &Fixture, token: &str, path: &str) -> String {
    let answer = edge.get_as(token, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

const TOKEN: &str = super::fixture::TOKEN;

#[tokio::test]
async fn pages_are_the_whole_in_the_order_of_time() {
    let edge = filled().await;
    let whole = all(&edge, "audit", "", 1_000).await;
    assert_eq!(whole.len() as u64, 2 * COUNT + 7);
    let rank = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        (text("time"), text("organization"), item["index"].as_u64().unwrap())
    };
    assert!(whole.is_sorted_by_key(rank));
    for limit in [7, 100] {
        assert_eq!(all(&edge, "audit", "", limit).await, whole, "{limit}");
        let back: Vec<_> = whole.iter().rev().cloned().collect();
        assert_eq!(all(&edge, "audit", "&sort=-time", limit).await, back, "{limit}");
    }
    let first = &whole[0];
    assert_eq!(
        (&first["organization"], &first["actor"], &first["outcome"]),
        (&"_provider".into(), &"bob".into(), &"done".into())
    );
    assert_eq!((&first["chain"][0], &first["detail"]), (&"admin".into(), &"of _provider".into()));
    let one: Value = edge.get("/api/v1/audit/acme/17").await.json().await.unwrap();
    assert_eq!(&one, whole.iter().find(|item| item["organization"] == "acme" && item["index"] == 17).unwrap());
}

#[tokio::test]
async fn each_filter_takes_what_it_says() {
    let edge = filled().await;
    let whole = all(&edge, "audit", "", 1_000).await;
    let starts = |item: &Value, name: &str, text: &str| item[name].as_str().unwrap().starts_with(text);
    type Takes<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(&str, Takes<'_>)> = vec![
        ("organization=acme", Box::new(|item| item["organization"] == "acme")),
        ("organization=_provider", Box::new(|item| starts(item, "organization", "_provider"))),
        ("organization=_provider-2", Box::new(|item| item["organization"] == "_provider-2")),
        ("actor=acme/*", Box::new(|item| item["actor"] == "acme/ann")),
        ("operation=set-*", Box::new(|item| item["operation"] == "set-place")),
        ("outcome=forbidden", Box::new(|item| item["outcome"] == "forbidden")),
        ("under=acme/berlin", Box::new(|item| starts(item, "place", "acme/berlin"))),
        ("under=acme", Box::new(|item| starts(item, "place", "acme"))),
        ("under=/", Box::new(|_| true)),
        ("since=2027-01-15T08:30:00Z", Box::new(|item| item["time"].as_str().unwrap() >= "2027-01-15T08:30:00Z")),
        ("until=2027-01-15T08:30:00Z", Box::new(|item| item["time"].as_str().unwrap() < "2027-01-15T08:30:00Z")),
        ("q=stra%C3%9Fe%2059", Box::new(|item| item["new"]["display_name"].as_str().unwrap().starts_with("Straße 59"))),
        ("q=OF%20BOLT", Box::new(|item| item["organization"] == "bolt")),
    ];
    for (query, takes) in cases {
        let expected: Vec<_> = whole.iter().filter(|item| takes(item)).cloned().collect();
        assert!(!expected.is_empty(), "{query}");
        assert_eq!(all(&edge, "audit", &format!("&{query}"), 1_000).await, expected, "{query}");
        // An export takes the same.
        let lines = text(&edge, TOKEN, &format!("/api/v1/audit/export?{query}")).await;
        let records = lines.lines().filter(|line| !line.starts_with("{\"format"));
        assert_eq!(records.count(), expected.len(), "{query}");
    }
    for (query, parameter) in
        [("under=a%20b", "under"), ("outcome=x", "outcome"), ("organization=_nobody", "organization")]
    {
        let (status, at, _) = faulty(edge.get(&format!("/api/v1/audit?{query}")).await).await;
        assert_eq!((status, at.as_str()), (400, parameter));
    }
}

#[tokio::test]
async fn a_whole_log_is_exported_and_verifies() {
    let edge = filled().await;
    let export = text(&edge, TOKEN_OF_ACME, "/api/v1/audit/export?organization=acme").await;
    let key: VerifierKey = text(&edge, TOKEN_OF_ACME, "/api/v1/audit/key?log=acme").await.parse().unwrap();
    let note = text(&edge, TOKEN_OF_ACME, "/api/v1/audit/acme/checkpoint").await;
    let kept = Kept { name: "kept".to_owned(), note };
    let report = verify(export.as_bytes(), &[kept], Some(&key)).unwrap().remove(0);
    assert_eq!((report.size, report.agreeing, report.faults), (COUNT, 2, Vec::new()));
    assert_eq!(report.origin, "linesman/in/acme");
    // What is narrowed is not whole.
    let chosen = text(&edge, TOKEN, "/api/v1/audit/export?organization=acme&actor=bob").await;
    verify(chosen.as_bytes(), &[], None).unwrap_err();
    let table = text(&edge, TOKEN, "/api/v1/audit/export?format=csv").await;
    assert_eq!(table.split("\r\n").count() as u64, 2 * COUNT + 7 + 2);
    assert!(table.starts_with("organization,index,time,"));
}

#[tokio::test]
async fn bodies_that_have_gone_are_not_shown_and_their_hashes_are_exported() {
    let edge = filled().await;
    let lane = |index: u64| {
        let key = audit::record_key("acme", index).into_bytes();
        let row = audited("acme", COUNT).into_iter().find(|(found, _)| *found == key).unwrap().1;
        let row = AuditRow { body: None, detail: String::new(), ..table::decode(&key, &row).unwrap() };
        (key, table::encode(&row).unwrap())
    };
    edge.write("acme", (0..400).map(lane).collect());
    let listed = all(&edge, "audit", "&organization=acme", 100).await;
    assert_eq!((listed.len(), &listed[0]["index"]), (200, &400.into()));
    let gone = problem(edge.get("/api/v1/audit/acme/399").await).await;
    assert_eq!(gone, (404, "the log `acme` shows no record 399".to_owned()));
    let export = text(&edge, TOKEN, "/api/v1/audit/export?organization=acme").await;
    let report = verify(export.as_bytes(), &[], None).unwrap().remove(0);
    assert_eq!((report.size, report.aged, report.bodies, report.faults), (COUNT, 400, Some(400), Vec::new()));
    let note = text(&edge, TOKEN, "/api/v1/audit/acme/checkpoint").await;
    assert_eq!(Checkpoint::read(&note, None).unwrap().bodies, Some(400));
}

/// More than waits between whoever exports and whoever reads.
const LONG: u64 = 40_000;

#[tokio::test]
async fn a_whole_log_that_ages_under_its_export_breaks_off() {
    let edge = Fixture::new().await;
    edge.organization("acme", 0);
    let rows = audited("acme", LONG);
    edge.write("acme", rows.clone());
    let mut export = edge.get("/api/v1/audit/export?organization=acme").await;
    let begun = String::from_utf8(export.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(begun.contains("\\nbodies-from 0\\n"), "{begun}");
    let aged = |(key, row): &(Vec<u8>, Vec<u8>)| {
        let row = AuditRow { body: None, detail: String::new(), ..table::decode(key, row).unwrap() };
        (key.clone(), table::encode(&row).unwrap())
    };
    let records: Vec<_> = (0..LONG).map(|index| audit::record_key("acme", index).into_bytes()).collect();
    edge.write("acme", rows.iter().filter(|(key, _)| records.binary_search(key).is_ok()).map(aged).collect());
    let end = loop {
        match export.chunk().await {
            Ok(Some(_)) => {}
            end => break end.map(drop),
        }
    };
    end.unwrap_err();
    // Asked again it says what there is.
    let export = text(&edge, TOKEN, "/api/v1/audit/export?organization=acme").await;
    let report = verify(export.as_bytes(), &[], None).unwrap().remove(0);
    assert_eq!((report.size, report.aged, report.bodies, report.faults), (LONG, LONG, Some(LONG), Vec::new()));
}

#[tokio::test]
async fn proofs_prove() {
    let edge = filled().await;
    let hash = |value: &Value| value.as_str().unwrap().parse::<Hash>().unwrap();
    let path = |proof: &Value| proof["path"].as_array().unwrap().iter().map(hash).collect::<Vec<_>>();
    let proof: Value = edge.get("/api/v1/audit/acme/proof?index=17&size=100").await.json().await.unwrap();
    assert!(includes(hash(&proof["leaf"]), 17, 100, &path(&proof), &hash(&proof["root"])));
    let proof: Value = edge.get("/api/v1/audit/acme/proof?from=100").await.json().await.unwrap();
    let (old, new) = (hash(&proof["from_root"]), hash(&proof["root"]));
    assert!(extends(100, &old, COUNT, &new, &path(&proof)));
    let note = text(&edge, TOKEN, "/api/v1/audit/acme/checkpoint").await;
    assert_eq!(Checkpoint::read(&note, None).unwrap().root, new);
    for query in ["index=600", "index=0&size=601", "from=0", "from=601", "from=20&size=10"] {
        let refused = problem(edge.get(&format!("/api/v1/audit/acme/proof?{query}")).await).await;
        assert_eq!(refused, (404, "the log `acme` has no such proof: it has 600 records".to_owned()), "{query}");
    }
    for query in ["", "?index=1&from=1"] {
        let refused = problem(edge.get(&format!("/api/v1/audit/acme/proof{query}")).await).await;
        assert_eq!(refused, (400, "what is to be proved? give `index`, or `from`".to_owned()));
    }
}

#[tokio::test]
async fn a_kept_checkpoint_is_given_as_it_was_kept() {
    let edge = filled().await;
    let row = KeptRow { root: Hash::of_nothing(), kept: jiff::Timestamp::UNIX_EPOCH, note: "as it was\n".to_owned() };
    edge.write("acme", vec![(audit::kept_key("acme", 7).into_bytes(), table::encode(&row).unwrap())]);
    assert_eq!(text(&edge, TOKEN, "/api/v1/audit/acme/checkpoint?size=7").await, "as it was\n");
    let nothing = problem(edge.get("/api/v1/audit/acme/checkpoint?size=8").await).await;
    assert_eq!(nothing, (404, "no checkpoint of the log `acme` was kept at 8 records".to_owned()));
}

#[tokio::test]
async fn another_log_is_as_one_that_is_not_there() {
    let edge = filled().await;
    for path in ["", "/checkpoint", "/proof?index=0", "/0"] {
        for (hidden, nobody) in [("bolt", "nobody"), ("_provider", "_provider-9")] {
            if path.is_empty() {
                continue;
            }
            let ask = async |whose: &str| {
                problem(edge.get_as(TOKEN_OF_ACME, &format!("/api/v1/audit/{whose}{path}")).await).await
            };
            let (status, detail) = ask(hidden).await;
            assert_eq!((status, detail.replace(hidden, nobody)), ask(nobody).await, "{path}");
            assert_eq!(status, 404);
        }
    }
    for format in ["jsonl", "csv"] {
        let seen = text(&edge, TOKEN_OF_ACME, &format!("/api/v1/audit/export?format={format}")).await;
        assert!(seen.contains("acme") && !seen.contains("bolt") && !seen.contains("_provider"), "{seen}");
    }
}

/// One of the provider's people who may read the audit, of so much.
fn reads(edge: &Fixture, places: &str) {
    edge.grant("bob", places, Privileges::default(), Rights::of([Right::Audit], IncidentStep::None));
}

#[tokio::test]
async fn of_the_providers_people_the_right_is_asked_and_of_managers_the_place() {
    let edge = filled().await;
    edge.grant("bob", "/", Privileges::all(), Rights::of([Right::Cases], IncidentStep::Delegate));
    for (path, place) in [
        ("", "/"),
        ("/export", "/"),
        ("/acme/0", "acme"),
        ("/bolt/checkpoint", "bolt"),
        ("/nobody/proof?index=0", "nobody"),
    ] {
        let refused = problem(edge.get_as(BOB, &format!("/api/v1/audit{path}")).await).await;
        assert_eq!(refused, (403, format!("`bob` has not the right `audit` on `{place}`")), "{path}");
    }
    reads(&edge, "bolt");
    let logs = async |token: &str| {
        let lines = text(&edge, token, "/api/v1/audit/export").await;
        let of = |line: &str| serde_json::from_str::<Value>(line).unwrap()["organization"].as_str().unwrap().to_owned();
        lines.lines().map(of).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(logs(BOB).await, ["bolt".to_owned()].into());
    reads(&edge, "/");
    assert_eq!(logs(BOB).await.len(), 4);
    // A manager of a site sees what was decided there, and nothing that is made of all.
    edge.organization("corp", 0);
    edge.write("corp", audited("corp", 10));
    edge.grant("corp/sid", "corp/berlin", Privileges::all(), Rights::default());
    let lines = text(&edge, SID, "/api/v1/audit/export?organization=corp").await;
    let places: std::collections::BTreeSet<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["record"]["place"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(places, ["corp/berlin".to_owned(), "corp/berlin/line-7".to_owned()].into());
    for path in ["/corp/checkpoint", "/corp/proof?index=1"] {
        let refused = problem(edge.get_as(SID, &format!("/api/v1/audit{path}")).await).await;
        assert_eq!(refused, (403, "`corp/sid` does not see all of the log `corp`".to_owned()), "{path}");
    }
    let above = problem(edge.get_as(SID, "/api/v1/audit/corp/0").await).await;
    assert_eq!(above, (404, "the log `corp` shows no record 0".to_owned()));
    assert_eq!(edge.get_as(SID, "/api/v1/audit/corp/1").await.status(), 200);
}

#[tokio::test]
async fn whoever_sees_a_place_alone_is_not_told_who_lost_it_and_has_more() {
    let edge = Fixture::new().await;
    edge.organization("corp", 0);
    edge.write("corp", audited("corp", 3));
    let old = json!({
        "display_name": "Berlin", "places": ["corp/berlin/line-1"], "subscriptions": ["corp/berlin nat"],
        "managers": ["corp/zoe"], "tokens": ["corp/zoe secret-job"], "of_provider": {"managers": 1, "tokens": 2},
    });
    let record = Record { operation: "remove-place".to_owned(), old: old.clone(), ..audit_record("corp", 1) };
    let body = audit::record::text(record).unwrap();
    let row = AuditRow { leaf: Hash::of_leaf(body.as_bytes()), body: Some(body), detail: "removed".to_owned() };
    edge.write("corp", vec![(audit::record_key("corp", 1).into_bytes(), table::encode(&row).unwrap())]);
    edge.grant("corp/sid", "corp/berlin", Privileges::all(), Rights::default());
    edge.grant("corp/zoe", "corp", Privileges::all(), Rights::default());
    let mut cut = old.clone();
    cut.as_object_mut().unwrap().retain(|name, _| ["display_name", "places", "subscriptions"].contains(&&**name));
    for (token, told) in [(SID, &cut), (ZOE, &old)] {
        let one: Value = edge.get_as(token, "/api/v1/audit/corp/1").await.json().await.unwrap();
        assert_eq!(one["old"], *told);
        let page: Value = edge.get_as(token, "/api/v1/audit?operation=remove-place").await.json().await.unwrap();
        assert_eq!(page["items"], json!([one]));
        for format in ["jsonl", "csv"] {
            let lines =
                text(&edge, token, &format!("/api/v1/audit/export?operation=remove-place&format={format}")).await;
            assert_eq!(lines.contains("secret-job"), token == ZOE, "{lines}");
        }
        // Nor is it told by what is found.
        let found: Value = edge.get_as(token, "/api/v1/audit?q=secret-job").await.json().await.unwrap();
        assert_eq!(found["items"].as_array().unwrap().len(), usize::from(token == ZOE));
    }
}

#[tokio::test]
async fn an_export_ends_with_what_is_seen_where_it_is_taken_away_meanwhile() {
    const MANY: u64 = 60_000;
    let edge = filled().await;
    edge.organization("cask", 0);
    edge.write("cask", audited("cask", MANY));
    reads(&edge, "bolt cask");
    let mut answer = edge.get_as(BOB, "/api/v1/audit/export").await;
    let mut read = answer.chunk().await.unwrap().unwrap().to_vec();
    reads(&edge, "bolt");
    while let Some(part) = answer.chunk().await.unwrap() {
        read.extend_from_slice(&part);
    }
    let read = String::from_utf8(read).unwrap();
    let of = |name: &str| read.lines().filter(|line| line.contains(&format!("\"organization\":\"{name}\""))).count();
    assert_eq!(of("bolt") as u64, COUNT);
    assert!((of("cask") as u64) < MANY, "what was on its way may have gone, no more");
    // Of a log that was to be whole, one that is not is none.
    reads(&edge, "cask");
    let mut answer = edge.get_as(BOB, "/api/v1/audit/export?organization=cask").await;
    answer.chunk().await.unwrap().unwrap();
    reads(&edge, "bolt");
    let broken = async {
        while answer.chunk().await?.is_some() {}
        Ok::<_, reqwest::Error>(())
    };
    broken.await.unwrap_err();
}

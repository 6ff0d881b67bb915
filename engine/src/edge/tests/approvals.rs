//! Approvals of the provider's beside those of organizations: who is told of them.

use linesman_domain::approvals::{self, ApprovalRow};
use linesman_domain::table;
use linesman_schemas::approval::ApprovalKind;
use linesman_schemas::{ApprovalId, IncidentStep, OrgName, Principal, Privileges, Right, Rights};
use serde_json::{Value, json};

use super::fixture::{Fixture, TOKEN, TOKEN_OF_ACME, problem};
use super::people::{BOB, EVE, GIL};
use super::viewer::approval;

/// What an approval of the provider's comes to.
const CANARY: &str = "canary-of-the-provider";

/// Of `acme` two of its own and two of the provider's, which `asker` has asked for; of `bolt` one of the provider's.
async fn filled(asker: &str) -> Fixture {
    let edge = Fixture::new().await;
    for (name, ids) in [("acme", &["acme-a1", "acme-a2", "acme-p1", "acme-p2"][..]), ("bolt", &["bolt-p1"])] {
        let org: OrgName = name.parse().unwrap();
        edge.organization(name, 1);
        let rows = ids.iter().map(|id| {
            let id: ApprovalId = id.parse().unwrap();
            let asker = Principal::of_login(&asker.parse().unwrap(), None);
            let row = match id.is_providers {
                false => approval(org.as_str()),
                true => ApprovalRow {
                    kind: ApprovalKind::SendIntelligence,
                    operation: "send-intelligence".to_owned(),
                    about: "TSB-1".to_owned(),
                    verb: json!({"send_intelligence": {"id": "TSB-1"}}).to_string(),
                    content: json!({"title": CANARY}).to_string(),
                    principal: serde_json::to_string(&asker).unwrap(),
                    actor: asker.to_string(),
                    ..approval(org.as_str())
                },
            };
            (approvals::key(&id).into_bytes(), table::encode(&row).unwrap())
        });
        edge.write(name, rows.collect());
    }
    let rights = Rights::of([Right::Approvals], IncidentStep::None);
    edge.grant("bob", "acme", Privileges::default(), rights);
    edge.grant("eve", "acme", Privileges::default(), Rights::default());
    edge.grant("gil", "bolt", Privileges::default(), rights);
    edge.grant("acme/ann", "acme", Privileges::default(), Rights::default());
    edge.compose();
    edge
}

/// The ids that somebody is told page by page, and all that is said with them.
async fn listed(edge: &Fixture, token: &str, query: &str) -> (Vec<String>, String) {
    let (mut ids, mut said, mut cursor) = (Vec::new(), String::new(), String::new());
    loop {
        let page: Value =
            edge.get_as(token, &format!("/api/v1/approvals?limit=1{query}{cursor}")).await.json().await.unwrap();
        said += &page.to_string();
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, said),
        }
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "no page is empty for what is not told: {page}");
    }
}

#[tokio::test]
async fn the_providers_approvals_are_told_to_those_of_its_people_who_decide_them() {
    let edge = filled("somebody").await;
    let (own, providers) = (["acme-a1", "acme-a2"], ["acme-a1", "acme-a2", "acme-p1", "acme-p2"]);
    let everything = [&providers[..], &["bolt-p1"]].concat();
    for (token, told) in
        [(TOKEN, &everything[..]), (BOB, &providers), (EVE, &own), (GIL, &["bolt-p1"]), (TOKEN_OF_ACME, &own)]
    {
        for sort in ["id", "asked", "due", "-id", "-asked"] {
            let (mut ids, said) = listed(&edge, token, &format!("&sort={sort}")).await;
            ids.sort();
            assert_eq!(ids, told, "{token} by {sort}");
            assert_eq!(said.contains(CANARY), ids.iter().any(|id| id.contains("-p")), "{said}");
        }
        for id in everything.iter().chain(&["acme-p9"]) {
            let answer = edge.get_as(token, &format!("/api/v1/approvals/{id}")).await;
            if told.contains(id) {
                assert_eq!(answer.json::<Value>().await.unwrap()["id"], *id);
            } else {
                assert_eq!(problem(answer).await, (404, format!("there is no approval `{id}`")), "{token}");
            }
        }
    }
    for query in ["&kind=send-intelligence", "&about=TSB*", "&organization=acme&about=TSB-1", "&actor=somebody"] {
        assert_eq!(listed(&edge, TOKEN_OF_ACME, query).await.0, Vec::<String>::new(), "{query}");
    }
    assert_eq!(listed(&edge, BOB, "&kind=send-intelligence").await.0, ["acme-p1", "acme-p2"]);
}

#[tokio::test]
async fn whoever_has_asked_is_told_of_it() {
    let edge = filled("eve").await;
    assert_eq!(listed(&edge, EVE, "").await.0, ["acme-a1", "acme-a2", "acme-p1", "acme-p2"]);
    assert_eq!(edge.get_as(EVE, "/api/v1/approvals/acme-p2").await.status(), 200);
    // A namesake at the organization is not one of the provider's.
    let edge = filled("acme/ann").await;
    assert_eq!(listed(&edge, TOKEN_OF_ACME, "").await.0, ["acme-a1", "acme-a2"]);
    assert_eq!(edge.get_as(TOKEN_OF_ACME, "/api/v1/approvals/acme-p1").await.status(), 404);
}

#[tokio::test]
async fn an_organizations_people_are_refused_alike_whatever_there_is() {
    let edge = filled("somebody").await;
    for (token, verb) in [(TOKEN_OF_ACME, "approve"), (TOKEN_OF_ACME, "reject"), (EVE, "approve"), (GIL, "reject")] {
        let ask = async |id: &str| {
            let path = format!("/api/v1/approvals/{id}/{verb}");
            let request = edge.request(reqwest::Method::POST, &path).bearer_auth(token).json(&json!({"comment": "x"}));
            problem(request.send().await.unwrap()).await
        };
        let there = ask("acme-p1").await;
        assert_eq!(there, ask("acme-p9").await, "{token}");
        assert_eq!(there.0, if token == GIL { 404 } else { 403 }, "{there:?}");
    }
}

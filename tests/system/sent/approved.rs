//! A message of the provider's that needs approval: it waits for somebody else through crashes, is sent once, and until then, and
//! where it is rejected, the organization learns nothing of it.

use super::*;
use crate::approvals::person_with;

const LEAKS: [&str; 7] = [CANARY, "restart", "Call us", MESSAGE, "-p1", "awaiting-approval", "canary-of-a-comment"];

async fn list_of(api: &Api, path: &str) -> Vec<Value> {
    let answer = api.ask(Method::GET, &format!("/api/v1/{path}"), None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

/// What an organization's audit tells of approving.
async fn attempts(api: &Api, org: &str) -> Vec<Value> {
    list_of(api, &format!("audit?organization={org}&operation=approve-approval")).await
}

async fn decide(api: &Api, id: &str, verb: &str, key: Option<&str>) -> Answer {
    let body = Some(json!({"comment": "canary-of-a-comment"}));
    api.ask(Method::POST, &format!("/api/v1/approvals/{id}/{verb}"), key, body).await.unwrap()
}

async fn learns_nothing(engine: &Engine, people: &[Api; 2], when: &str) {
    for (api, org) in people.iter().zip(["acme", "bolt"]) {
        // What was asked for by name is named in the refusal.
        let told = all_of(engine, api, org).await.replace(&format!("there is no approval `{org}-p1`"), "");
        for leak in LEAKS {
            assert!(!told.contains(leak), "{when}: {org} is told of `{leak}`: {told}");
        }
    }
}

/// How often an organization was told that it has been sent the message.
async fn times_received(engine: &Engine, org: &str) -> usize {
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    out.0.iter().filter(|event| event.subject == format!("out.{org}.trigger.intelligence.received")).count()
}

#[tokio::test]
async fn a_message_that_needs_approval_is_sent_once_when_somebody_else_has_approved_it() {
    let mut world = World::new().unwrap();
    world.configure("\n[approvals]\nsend-intelligence = \"two-person\"\n");
    let mut engine = world.start(None).await.unwrap();
    let (client, api) = (engine.nats().await.unwrap(), engine.api().unwrap());
    for org in ["acme", "bolt"] {
        client.publish(format!("in.{org}.jmb.test"), event("edge-01", 1, "CASE", "Low").into()).await.unwrap();
        until("the device is known", async || (engine.incidents(org).await.unwrap() == 1).then_some(())).await;
    }
    let message = json!({
        "id": MESSAGE, "kind": "alert", "title": "a line card may restart", "text": CANARY,
        "issued": "2026-11-21T10:00:00Z", "relevance": {"products": ["MX*"]},
    });
    assert_eq!(api.post("/api/v1/intelligence", message).await.unwrap().status, 201);
    until("both are found to be concerned", async || {
        let told = engine.get(&format!("/api/v1/intelligence/{MESSAGE}/impact")).await.ok()?;
        (told["organizations"].as_array()?.len() == 2).then_some(())
    })
    .await;
    let people = [manager(&api, "acme").await, manager(&api, "bolt").await];
    let rights = json!({"intelligence": true, "approvals": true});
    let (ann, bob) =
        (person_with(&api, "ann", "/", rights.clone()).await, person_with(&api, "bob", "/", rights.clone()).await);
    let eve = person_with(&api, "eve", "acme", json!({"approvals": true})).await;
    let path = format!("intelligence/{MESSAGE}/associations/acme");
    put(&ann, &path, json!({"title": "Yours may restart", "text": "Call us."})).await;

    // Each organization has its own, and the answer says which.
    let ask = json!({"organizations": ["acme", "bolt", "nobody"]});
    let sent = ann.post(&format!("/api/v1/intelligence/{MESSAGE}/send"), ask).await.unwrap();
    assert_eq!(sent.status, 207, "{:?}", sent.body);
    let became: Vec<_> =
        sent.body["organizations"].as_array().unwrap().iter().map(|it| (&it["verdict"], &it["approval"])).collect();
    let awaits = json!("awaiting-approval");
    let (of_acme, of_bolt) = (json!("acme-p1"), json!("bolt-p1"));
    assert_eq!(became[..2], [(&awaits, &of_acme), (&awaits, &of_bolt)], "{:?}", sent.body);
    let ask = json!({"organizations": ["acme", "bolt"]});
    let sent = ann.post(&format!("/api/v1/intelligence/{MESSAGE}/send"), ask).await.unwrap();
    assert_eq!((sent.status, &sent.body["organizations"][0]["approval"]), (202, &of_acme), "{:?}", sent.body);
    learns_nothing(&engine, &people, "pending").await;
    for (api, verb) in people.iter().flat_map(|api| [(api, "approve"), (api, "reject")]) {
        for org in ["acme", "bolt"] {
            let (there, not_there) = (
                decide(api, &format!("{org}-p1"), verb, None).await,
                decide(api, &format!("{org}-p9"), verb, None).await,
            );
            assert_eq!((there.status, there.body), (not_there.status, not_there.body));
        }
    }
    // What people tried is on the record of their own organization, and is of the engine before the crashes.
    until("what they tried is on record", async || {
        let (acme, bolt) = (attempts(&api, "acme").await, attempts(&api, "bolt").await);
        (acme.len() == 4 && bolt.len() == 4).then_some(())
    })
    .await;
    let data = world.data().to_str().unwrap().to_owned();
    let waits = run(&["intel", "send", MESSAGE, "bolt", "--data-dir", &data]).await.unwrap();
    assert!(waits.code == Some(0) && waits.stdout.contains("awaits approval: `bolt-p2`"), "{waits:?}");
    let listed = run(&["approval", "list", "--kind", "send-intelligence", "--data-dir", &data]).await.unwrap();
    assert!(["acme-p1", "bolt-p1", "bolt-p2"].iter().all(|id| listed.stdout.contains(id)), "{listed:?}");
    let shown = run(&["approval", "show", "acme-p1", "--json", "--data-dir", &data]).await.unwrap();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&shown["comes_to"]["title"], &shown["about"]), (&json!("Yours may restart"), &json!(MESSAGE)));
    let seen: Vec<_> = list_of(&eve, "approvals").await.iter().map(|item| item["id"].clone()).collect();
    assert_eq!(seen, [of_acme], "whose sphere has acme");

    assert_eq!(decide(&ann, "acme-p1", "approve", None).await.status, 403, "she has asked for it");
    assert_eq!(decide(&eve, "bolt-p1", "approve", None).await.status, 404);
    for id in ["bolt-p1", "bolt-p2"] {
        assert_eq!(decide(&bob, id, "reject", None).await.status, 200);
    }
    learns_nothing(&engine, &people, "rejected").await;
    let metrics = engine.get_text("/metrics").await.unwrap();
    assert!(metrics.contains("linesman_approvals_total{kind=\"send-intelligence\",state=\"rejected\"} 2"), "{metrics}");

    // It waits through a crash, and a state that is gone; and is done once through another.
    for round in 0..2 {
        engine.kill().unwrap();
        world.delete_state().unwrap();
        engine = world.start(None).await.unwrap();
        let bob = engine.api().unwrap().by(&bob.token);
        let done = decide(&bob, "acme-p1", "approve", Some("approve-1")).await;
        assert_eq!((done.status, &done.body["detail"]), (200, &json!("approved")), "{done:?}");
        let acme = engine.api().unwrap().by(&people[0].token);
        assert_eq!(list(&acme).await, [("Yours may restart".to_owned(), "Call us.".to_owned())]);
        until("it is said", async || (times_received(&engine, "acme").await > 0).then_some(())).await;
        assert_eq!(times_received(&engine, "acme").await, 1, "round {round}");
        let record = engine.get(&format!("/api/v1/intelligence/{MESSAGE}/associations")).await.unwrap();
        let organizations = record["organizations"].as_array().unwrap();
        let sendings: Vec<_> = organizations.iter().filter_map(|it| it["sendings"].as_array()).flatten().collect();
        assert_eq!((sendings.len(), &sendings[0]["by"]), (1, &json!("ann")), "{record}");
    }
    let api = engine.api().unwrap();
    let told = all_of(&engine, &api.by(&people[0].token), "acme").await;
    let told = told.replace("there is no approval `acme-p1`", "");
    for leak in [CANARY, "a line card", "-p1", "approved", "canary-of-a-comment", "approve-approval"] {
        assert!(!told.contains(leak), "acme is told of `{leak}`: {told}");
    }
    assert_eq!(times_received(&engine, "bolt").await, 0);
    let outcomes: Vec<_> = list_of(&api, "audit?operation=approve-approval").await;
    assert!(outcomes.iter().any(|record| record["actor"] == "bob" && record["place"] == "acme"), "{outcomes:?}");
    assert!(attempts(&api, "acme").await.iter().all(|record| is_own_attempt(record, "acme")));
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    let asked = out.0.iter().filter(|event| event.subject == "out._provider.trigger.approval.required").count();
    assert_eq!(asked, 3);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

//! A message of the provider's is reworded for one organization and sent to two of three: they have it in their words, the third
//! nothing anywhere.

mod approved;

use linesman_tests::{Answer, Api, Engine, Out, World, event, run, until};
use reqwest::Method;
use serde_json::{Value, json};

const GIVEN: &str = "given horse battery";
const CHOSEN: &str = "chosen horse battery";
/// What stands in the message, and in nothing else.
const CANARY: &str = "canary-of-the-provider";
const MESSAGE: &str = "TSBcanary1";

async fn put(api: &Api, path: &str, body: Value) -> Answer {
    api.ask(Method::PUT, &format!("/api/v1/{path}"), None, Some(body)).await.unwrap()
}

/// Somebody who manages a whole organization.
async fn manager(api: &Api, org: &str) -> Api {
    let login = format!("{org}/ann");
    let body = json!({"sphere": [org], "privileges": [], "password": GIVEN});
    let made = put(api, &format!("managers/{login}"), body).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let mut token = String::new();
    for password in [GIVEN, CHOSEN] {
        let login = json!({"login": login, "password": password});
        let begun = api.by("").post("/api/v1/session", login).await.unwrap();
        token = begun.body["token"].as_str().unwrap().to_owned();
        if password == GIVEN {
            put(&api.by(&token), "me/password", json!({"old": GIVEN, "new": CHOSEN})).await;
        }
    }
    api.by(&token)
}

/// All that somebody is told, and all that is said on their organization's subjects.
async fn all_of(engine: &Engine, api: &Api, org: &str) -> String {
    let mut text = String::new();
    for path in [
        "intelligence".to_owned(),
        format!("intelligence/{MESSAGE}"),
        format!("intelligence/{org}/{MESSAGE}"),
        format!("intelligence/{MESSAGE}/associations"),
        format!("intelligence/{MESSAGE}/associations/{org}/preview"),
        "intelligence-report".to_owned(),
        format!("audit?organization={org}"),
        format!("organizations/{org}"),
        "approvals".to_owned(),
        "approvals?kind=send-intelligence".to_owned(),
        format!("approvals/{org}-p1"),
        "incidents".to_owned(),
        "devices".to_owned(),
        "organizations".to_owned(),
        "dead-letters".to_owned(),
    ] {
        let mut answer = api.ask(Method::GET, &format!("/api/v1/{path}"), None, None).await.unwrap();
        if let Some(items) = answer.body.get_mut("items").and_then(Value::as_array_mut) {
            items.retain(|item| !is_own_attempt(item, org));
        }
        let body = answer.body.to_string();
        // What was asked for by name is named in the refusal.
        text += &if answer.status == 404 { body.replace(MESSAGE, "") } else { body };
    }
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    for event in out.0.iter().filter(|event| event.subject.starts_with(&format!("out.{org}."))) {
        let mut event = serde_json::to_value(&event.event).unwrap();
        if let Some(tried) = event["data"].get_mut("new").and_then(Value::as_array_mut) {
            tried.retain(|tried| !is_own_attempt(tried, org));
        }
        text += &event.to_string();
    }
    text
}

/// Whether it tells, on record or in an event, that an organization's own person tried to decide an approval, and nothing besides.
fn is_own_attempt(told: &Value, org: &str) -> bool {
    let who = json!({"kind": "manager", "organization": org, "name": "ann"});
    told["principal"] == who
        && ["approve-approval", "reject-approval"].iter().any(|operation| told["operation"] == *operation)
        && ["about", "new", "old"].iter().all(|more| told[more].is_null())
}

async fn list(api: &Api) -> Vec<(String, String)> {
    let answer = api.ask(Method::GET, "/api/v1/intelligence", None, None).await.unwrap();
    let items = answer.body["items"].as_array().unwrap().clone();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or_default().to_owned();
    items.iter().map(|item| (text(item, "title"), text(item, "text"))).collect()
}

#[tokio::test]
async fn two_of_three_have_it_each_in_its_words_and_the_third_nothing_anywhere() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let (client, api) = (engine.nats().await.unwrap(), engine.api().unwrap());
    for org in ["acme", "bolt", "cobalt"] {
        client.publish(format!("in.{org}.jmb.test"), event("edge-01", 1, "CASE", "Low").into()).await.unwrap();
        until("the device is known", async || (engine.incidents(org).await.unwrap() == 1).then_some(())).await;
    }
    let message = json!({
        "id": MESSAGE, "kind": "alert", "title": "a line card may restart", "text": CANARY,
        "issued": "2026-11-21T10:00:00Z", "relevance": {"products": ["MX*"]},
    });
    assert_eq!(api.post("/api/v1/intelligence", message).await.unwrap().status, 201);
    until("all are found to be concerned", async || {
        let told = engine.get(&format!("/api/v1/intelligence/{MESSAGE}/impact")).await.ok()?;
        (told["organizations"].as_array()?.len() == 3).then_some(())
    })
    .await;
    let people = [manager(&api, "acme").await, manager(&api, "bolt").await, manager(&api, "cobalt").await];
    let [acme, bolt, cobalt] = &people;

    // Associated, reworded, looked at beforehand: nobody learns of it.
    let data = world.data();
    let data = data.to_str().unwrap();
    let associated = run(&["intel", "associate", MESSAGE, "--affected", "--data-dir", data]).await.unwrap();
    assert_eq!(associated.code, Some(0), "{}", associated.stderr);
    let each = run(&["intel", "associate", MESSAGE, "acme", "nobody", "bolt", "--data-dir", data]).await.unwrap();
    assert_eq!(each.code, Some(1), "{}{}", each.stdout, each.stderr);
    let lines: Vec<_> =
        each.stdout.lines().skip(1).map(|line| line.split_whitespace().take(2).collect::<Vec<_>>()).collect();
    assert_eq!(lines, [["acme", "done"], ["nobody", "refused"], ["bolt", "done"]], "{}", each.stdout);
    let path = format!("intelligence/{MESSAGE}/associations/acme");
    let worded = put(&api, &path, json!({"title": "Yours may restart", "text": "Call us."})).await;
    assert_eq!((worded.status, &worded.body["detail"]), (200, &json!("changed")), "{:?}", worded.body);
    let preview = engine.get(&format!("/api/v1/{path}/preview")).await.unwrap();
    assert_eq!((&preview["title"], &preview["text"]), (&json!("Yours may restart"), &json!("Call us.")));
    for (api, org) in people.iter().zip(["acme", "bolt", "cobalt"]) {
        let told = all_of(&engine, api, org).await;
        for leak in [CANARY, "restart", "Call us", "associate-intelligence"] {
            assert!(!told.contains(leak), "{org} is told of `{leak}`: {told}");
        }
    }

    // Sent to two, and to one that is not there: each answer says what became of it.
    let ask = json!({"organizations": ["acme", "bolt", "nobody"]});
    let sent = api.post(&format!("/api/v1/intelligence/{MESSAGE}/send"), ask).await.unwrap();
    assert_eq!(sent.status, 207, "{:?}", sent.body);
    let verdicts: Vec<_> = sent.body["organizations"].as_array().unwrap().iter().map(|it| &it["verdict"]).collect();
    assert_eq!(verdicts, ["done", "done", "not-found"], "{:?}", sent.body);
    let had = |title: &str, text: &str| vec![(title.to_owned(), text.to_owned())];
    until("both have it", async || (!list(acme).await.is_empty() && !list(bolt).await.is_empty()).then_some(())).await;
    assert_eq!(list(acme).await, had("Yours may restart", "Call us."));
    assert_eq!(list(bolt).await, had("a line card may restart", CANARY));
    let told = all_of(&engine, acme, "acme").await;
    for leak in [CANARY, "a line card", "send-intelligence"] {
        assert!(!told.contains(leak), "acme is told of `{leak}`: {told}");
    }
    let told = all_of(&engine, cobalt, "cobalt").await;
    for leak in [CANARY, "restart", MESSAGE] {
        assert!(!told.contains(leak), "cobalt is told of `{leak}`: {told}");
    }
    let again = run(&["intel", "send", MESSAGE, "acme", "--json", "--data-dir", data]).await.unwrap();
    assert!(again.code == Some(0) && again.stdout.contains("unchanged"), "{}{}", again.stdout, again.stderr);
    // Of more than fit into a request all are asked, and the last is not hidden by those before it.
    let nobodies: Vec<String> = (0..40).map(|number| format!("nobody-{number}")).collect();
    let named = nobodies.iter().map(String::as_str).chain(["not a name", "acme"]);
    let asked: Vec<&str> =
        ["intel", "send", MESSAGE].into_iter().chain(named).chain(["--json", "--data-dir", data]).collect();
    let many = run(&asked).await.unwrap();
    assert_eq!(many.code, Some(1), "{}{}", many.stdout, many.stderr);
    let told: Value = serde_json::from_str(&many.stdout).unwrap();
    let verdicts: Vec<_> = told["organizations"].as_array().unwrap().iter().map(|it| it["verdict"].clone()).collect();
    let expected = [vec![json!("not-found"); 40], vec![json!("refused"), json!("done")]].concat();
    assert_eq!(verdicts, expected, "{}", many.stdout);
    assert!(many.stderr.contains("for 41 of 42 organizations it was refused"), "{}", many.stderr);
    let of_bolt = engine.get("/api/v1/intelligence?sent_to=bolt").await.unwrap();
    assert_eq!(of_bolt["items"].as_array().unwrap().len(), 1, "{of_bolt}");

    // Taken back, it is gone, and stands on record.
    let recalled = run(&["intel", "recall", MESSAGE, "acme", "--data-dir", data]).await.unwrap();
    assert_eq!(recalled.code, Some(0), "{}", recalled.stderr);
    until("it is gone", async || list(acme).await.is_empty().then_some(())).await;
    assert_eq!(list(bolt).await.len(), 1);
    let record = engine.get(&format!("/api/v1/intelligence/{MESSAGE}/associations")).await.unwrap();
    let of = |org: &str| {
        let found = record["organizations"].as_array().unwrap().iter().find(|it| it["organization"] == org);
        found.cloned().unwrap()
    };
    let sending = &of("acme")["sendings"][0];
    assert_eq!((&sending["by"], &sending["title"]), (&json!("admin"), &json!("Yours may restart")), "{record}");
    assert!(sending["recalled"].is_string() && of("bolt")["sendings"][0]["recalled"].is_null(), "{record}");
    assert_eq!((&of("cobalt")["sent"], &of("cobalt")["sendings"]), (&json!(false), &json!([])));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

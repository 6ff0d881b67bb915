//! Places and managers on a running engine: who is granted what, what is taken away again, and what becomes of it below.

use async_nats::Client;
use linesman_tests::{Answer, Engine, World, run, until};
use reqwest::Method;
use serde_json::{Value, json};

/// An engine, and a way into its log for those who ask by themselves.
struct Stage {
    world: World,
    engine: Engine,
    log: Client,
}

impl Stage {
    async fn set() -> Self {
        let world = World::new().unwrap();
        let engine = world.start(None).await.unwrap();
        let log = engine.nats_as_engine().await.unwrap();
        Self { world, engine, log }
    }

    /// Asks as the provider's first manager.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.engine.api().unwrap().ask(method, &format!("/api/v1/{path}"), None, body).await.unwrap()
    }

    async fn put(&self, path: &str, body: Value) -> (u16, String) {
        told(&self.ask(Method::PUT, path, Some(body)).await)
    }

    async fn delete(&self, path: &str) -> (u16, String) {
        told(&self.ask(Method::DELETE, path, None).await)
    }

    async fn get(&self, path: &str) -> Value {
        self.engine.get(&format!("/api/v1/{path}")).await.unwrap()
    }

    /// What becomes of what somebody asks of `acme`, as the API brings it into the log.
    async fn ask_as(&self, principal: Value, id: &str, verb: Value) -> (String, String) {
        let command = json!({"id": id, "principal": principal, "node": "n", "verb": verb}).to_string();
        let log = async_nats::jetstream::new(self.log.clone());
        log.publish("in.acme.cmd.test", command.into()).await.unwrap().await.unwrap();
        let path = format!("/api/v1/commands/{id}?organization=acme");
        let outcome = until("it is decided", async || self.engine.get(&path).await.ok()).await;
        (outcome["verdict"].as_str().unwrap().to_owned(), outcome["detail"].as_str().unwrap().to_owned())
    }

    async fn as_manager(&self, name: &str, id: &str, verb: Value) -> (String, String) {
        self.ask_as(json!({"kind": "manager", "organization": "acme", "name": name}), id, verb).await
    }

    /// What a command prints that is done without a remark.
    async fn ok(&self, args: &[&str]) -> String {
        let data = self.world.data();
        let ended = run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{args:?}");
        ended.stdout
    }
}

/// Status and words of an answer.
fn told(answer: &Answer) -> (u16, String) {
    (answer.status, answer.body["detail"].as_str().unwrap_or_default().to_owned())
}

fn said(status: u16, detail: &str) -> (u16, String) {
    (status, detail.to_owned())
}

#[tokio::test]
async fn what_is_granted_is_never_more_and_what_is_taken_away_is_gone_below() {
    let mut stage = Stage::set().await;
    assert_eq!(stage.put("places/acme/berlin", json!({"display_name": "Berlin"})).await, said(201, "created"));
    let line = json!({"interface": "xe-0/0/0", "addresses": ["192.0.2.1/24"], "speed": "100M"});
    assert_eq!(stage.put("places/acme/berlin/line-7", line).await, said(201, "created"));
    let line = stage.get("places/acme/berlin/line-7").await;
    assert_eq!((&line["speed"], &line["interface"]), (&json!(100_000_000), &json!("xe-0/0/0")));
    assert_eq!(stage.put("places/acme/berlin/line-7", json!({"speed": null})).await, said(200, "changed"));
    let line = stage.get("places/acme/berlin/line-7").await;
    assert_eq!((&line["speed"], &line["interface"]), (&Value::Null, &json!("xe-0/0/0")), "what is left out stays");
    let nowhere = "there is no place `acme/paris`";
    assert_eq!(stage.put("places/acme/paris/line-1", json!({})).await, said(404, nowhere));

    let ann = json!({"sphere": ["acme/berlin"], "privileges": ["managers", "substitution"]});
    assert_eq!(stage.put("managers/acme/ann", ann).await, said(201, "created"));
    // Only the provider defines places.
    let (verdict, detail) = stage.as_manager("ann", "a1", json!({"set_place": {"place": "acme/berlin/line-8"}})).await;
    assert_eq!(
        (&*verdict, &*detail),
        ("forbidden", "`acme/ann` has not the right `organizations` on `acme/berlin/line-8`")
    );
    let (verdict, detail) = stage.as_manager("ann", "a2", json!({"set_place": {"place": "acme/paris"}})).await;
    assert_eq!((&*verdict, &*detail), ("not-found", nowhere), "what lies beside is not there");
    let grant = |sphere: &[&str], privileges: &[&str]| json!({"set_manager": {"manager": "cal", "sphere": sphere, "privileges": privileges}});
    for (id, verb) in [
        ("a3", grant(&["acme/berlin"], &["activation"])),
        ("a4", grant(&["acme"], &["substitution"])),
        ("a5", json!({"set_manager": {"manager": "ann", "privileges": []}})),
    ] {
        let (verdict, detail) = stage.as_manager("ann", id, verb).await;
        assert_eq!(verdict, "forbidden", "{id}: {detail}");
    }
    let narrower = grant(&["acme/berlin/line-7"], &["substitution", "managers"]);
    assert_eq!(stage.as_manager("ann", "a6", narrower).await.0, "done");
    let cal = stage.get("managers/acme/cal").await;
    assert_eq!(
        (&cal["granted_by"], &cal["effective"]["privileges"]),
        (&json!("acme/ann"), &json!(["substitution", "managers"]))
    );

    // Taken away above, it is gone below; and given back, it is there.
    assert_eq!(stage.put("managers/acme/ann", json!({"privileges": ["managers"]})).await, said(200, "changed"));
    let cal = stage.get("managers/acme/cal").await;
    assert_eq!(
        (&cal["privileges"], &cal["effective"]["privileges"]),
        (&json!(["substitution", "managers"]), &json!(["managers"]))
    );
    let why = stage.get("rights/why?login=acme/cal&operation=set-manager&place=acme/berlin/line-7").await;
    assert_eq!((&why["verdict"], &why["links"][1]["login"]), (&json!("allowed"), &json!("acme/ann")));
    assert_eq!(stage.put("managers/acme/ann", json!({"privileges": []})).await, said(200, "changed"));
    let dan = json!({"set_manager": {"manager": "dan", "sphere": ["acme/berlin/line-7"]}});
    assert_eq!(stage.as_manager("cal", "c1", dan.clone()).await.0, "forbidden");
    let why = stage.get("rights/why?login=acme/cal&operation=set-manager&place=acme/berlin/line-7").await;
    assert_eq!((&why["verdict"], &why["denied_by"]), (&json!("forbidden"), &json!("acme/ann")));

    // Whoever goes hands over what it has granted, as far as it had it.
    assert_eq!(stage.delete("managers/acme/ann").await, said(200, "removed"));
    let cal = stage.get("managers/acme/cal").await;
    assert_eq!((&cal["granted_by"], &cal["privileges"]), (&json!("admin"), &json!([])));

    let hangs = "on `acme/berlin` hang 1 access line, 1 manager; they go too with `cascade`";
    assert_eq!(stage.delete("places/acme/berlin").await, said(409, hangs));
    assert_eq!(stage.delete("places/acme/berlin?cascade=true").await, said(200, "removed"));
    assert_eq!(
        told(&stage.ask(Method::GET, "managers/acme/cal", None).await),
        said(404, "there is no manager `acme/cal`")
    );
    let places = stage.get("places?under=acme").await;
    assert_eq!(places["items"].as_array().unwrap().len(), 1, "{places}");
    assert!(stage.engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn whom_the_provider_trusts_every_lane_knows_at_once() {
    let mut stage = Stage::set().await;
    let bob = json!({"sphere": ["acme"], "privileges": ["managers"], "rights": {"organizations": true}});
    assert_eq!(stage.put("managers/bob", bob).await, said(201, "created"));
    let as_bob = json!({"kind": "provider", "name": "bob"});
    let berlin = json!({"set_place": {"place": "acme/berlin"}});
    assert_eq!(stage.ask_as(as_bob.clone(), "b1", berlin).await.0, "done", "no lane lags behind the answer");
    assert_eq!(stage.put("managers/bob", json!({"rights": {}})).await, said(200, "changed"));
    let paris = json!({"set_place": {"place": "acme/paris"}});
    let (verdict, detail) = stage.ask_as(as_bob, "b2", paris).await;
    assert_eq!((&*verdict, &*detail), ("forbidden", "`bob` has not the right `organizations` on `acme/paris`"));
    let none = stage.ask(Method::PUT, "managers/eve", Some(json!({"sphere": ["acme/rome"]}))).await;
    assert_eq!((none.status, &none.body["errors"][0]["pointer"]), (422, &json!("#/sphere/0")));
    assert!(stage.engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_place_that_goes_is_taken_out_of_the_providers_spheres_before_there_is_one_of_its_name() {
    let mut stage = Stage::set().await;
    let berlin = "places/acme/berlin";
    assert_eq!(stage.put(berlin, json!({})).await, said(201, "created"));
    for name in ["mia", "sam"] {
        let sphere = json!({"sphere": ["acme/berlin", "bolt"]});
        assert_eq!(stage.put(&format!("managers/{name}"), sphere).await, said(201, "created"));
    }
    let hangs = "on `acme/berlin` hang 2 managers of the provider; they go too with `cascade`";
    assert_eq!(stage.delete(berlin).await, said(409, hangs));
    assert_eq!(stage.delete(&format!("{berlin}?cascade=true")).await, said(200, "removed"));
    let again = async || {
        let told = stage.put(berlin, json!({})).await;
        let still = "a `acme/berlin` that is gone is still being taken out of spheres: try again in a moment";
        assert!(told == said(201, "created") || told == said(409, still), "{told:?}");
        (told.0 == 201).then_some(())
    };
    until("there may be one again", again).await;
    for name in ["mia", "sam"] {
        assert_eq!(stage.get(&format!("managers/{name}")).await["sphere"], json!(["bolt"]));
    }
    let audit = stage.get("audit?operation=clear-place").await;
    let record = &audit["items"][0];
    assert_eq!((&record["about"], &record["outcome"]), (&json!("acme/berlin"), &json!("done")), "{audit}");
    let sphere = json!(["bolt", "acme/berlin"]);
    assert_eq!(record["old"], json!({"managers": {"mia": sphere, "sam": sphere}, "tokens": {}}));
    assert!(stage.engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn the_command_line_does_all_of_it() {
    let mut stage = Stage::set().await;
    let line = ["place", "set", "acme/berlin/line-7", "--address", "192.0.2.1/24", "--speed", "100M"];
    let ann = ["manager", "add", "acme/ann", "--sphere", "acme/berlin", "--privilege", "managers"];
    let bob = ["manager", "set", "bob", "--sphere", "acme", "--right", "policies", "--incidents", "own"];
    let shift = ["group", "add", "night-shift", "--member", "bob", "--organization", "acme"];
    for (args, said) in [
        (&["place", "add", "acme/berlin", "--display-name", "Berlin"][..], "created\n"),
        (&line, "created\n"),
        (&ann, "created\n"),
        (&bob, "created\n"),
        (&["manager", "set", "bob", "--right", "audit"], "changed\n"),
        (&shift, "created\n"),
        (&["group", "set", "night-shift", "--member", ""], "changed\n"),
    ] {
        assert_eq!(stage.ok(args).await, said, "{args:?}");
    }
    let bob: Value = serde_json::from_str(&stage.ok(&["manager", "show", "bob", "--json"]).await).unwrap();
    let rights = (&bob["rights"]["audit"], &bob["rights"]["policies"], &bob["rights"]["incidents"]);
    assert_eq!(rights, (&json!(true), &json!(false), &json!("own")));
    let group: Value = serde_json::from_str(&stage.ok(&["group", "show", "night-shift", "--json"]).await).unwrap();
    assert_eq!((&group["members"], &group["organizations"]), (&json!([]), &json!(["acme"])));
    let table = stage.ok(&["place", "list", "--under", "acme/berlin"]).await;
    assert!(table.lines().count() == 3 && table.contains("100000000") && table.contains("Berlin"), "{table}");
    let table = stage.ok(&["manager", "list", "--under", "acme"]).await;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1][..4], ["acme/ann", "acme/berlin", "managers", "admin"], "{table}");
    let why = stage.ok(&["manager", "why", "acme/ann", "set-place", "acme/berlin"]).await;
    let denied = "forbidden: `acme/ann` has not the right `organizations` on `acme/berlin`\n";
    assert!(why.starts_with(denied) && why.contains("LOGIN"), "{why}");
    for lines in [why, table] {
        assert!(lines.lines().all(|line| line.chars().count() <= 80), "{lines}");
    }
    let data = stage.world.data();
    let here = ["--data-dir", data.to_str().unwrap()];
    for (args, expected) in [
        (&ann[..], "error: there is a manager `acme/ann` already; `set` changes it\n"),
        (
            &["manager", "why", "acme/ann", "set-plaice", "acme"],
            "error: `operation`: `set-plaice` is not known: did you mean `set-place`?",
        ),
        (
            &["place", "remove", "acme/berlin"],
            "error: on `acme/berlin` hang 1 access line, 1 manager; they go too with `cascade`\n",
        ),
    ] {
        let ended = run(&[args, &here].concat()).await.unwrap();
        assert_eq!(ended.code, Some(1), "{args:?}");
        assert!(ended.stderr.starts_with(expected), "{args:?}: {}", ended.stderr);
    }
    for args in [
        &["place", "remove", "acme/berlin", "--cascade"][..],
        &["group", "remove", "night-shift"],
        &["manager", "remove", "bob"],
    ] {
        assert_eq!(stage.ok(args).await, "removed\n", "{args:?}");
    }
    assert!(stage.engine.stop().await.unwrap().success());
}

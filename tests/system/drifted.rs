//! What somebody else has changed in our configuration groups is found: reported, restored or accepted, as the templates say;
//! what is beside our groups stays as it is.

use std::fs;

use linesman_connectors::device::standin::server::{Account, Proof, Server, Setup};
use linesman_tests::{Api, Engine, Out, World, run, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::activations::put;

const PASSWORD: &str = "correct horse battery";
const BY_HAND: &str = "system {\n    host-name pe-1;\n}\n";
const SERVICE: [(&str, &str); 5] = [
    ("service.toml", "title = \"Guard\"\n[drift]\n\"20-message.j2\" = \"restore\"\n\"30-location.j2\" = \"accept\"\n"),
    ("10-policer.j2", "firewall {\n    policer {{ line }} {\n        rate 1;\n    }\n}\n"),
    (
        "15-filter.j2",
        "firewall {\n    filter {{ line }} {\n        term a {\n            then accept;\n        }\n        term b {\n            \
         then discard;\n        }\n    }\n}\n",
    ),
    ("20-message.j2", "system {\n    login {\n        message ours;\n    }\n}\n"),
    ("30-location.j2", "snmp {\n    location here;\n}\n"),
];
const TERMS: [&str; 2] = ["term a { then accept; }", "term b { then discard; }"];
const TOLD: &str = "firewall { policer line-1 { rate 1; } filter line-1 { term a { then accept; } term b { then discard; } } } \
                    system { login { message ours; } } snmp { location here; }";

struct Scene {
    world: World,
    engine: Engine,
    server: Server,
    group: String,
}

impl Scene {
    async fn new() -> Self {
        let mut world = World::new().unwrap();
        world.configure("\n[collector]\ndrift_every_s = 1\n");
        let folder = world.rules().join("services/guard");
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in SERVICE {
            fs::write(folder.join(name), text).unwrap();
        }
        let engine = world.start(None).await.unwrap();
        let api = engine.api().unwrap();
        let root = world.path("r1");
        fs::create_dir_all(root.join("var/tmp")).unwrap();
        let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
        let server = Server::start(Setup::new(&root, vec![account])).await.unwrap();
        server.change_by_hand(BY_HAND, true).unwrap();
        for org in ["acme", "bolt"] {
            reach(&api, org, &server).await;
        }
        put(&api, "places/acme/berlin", json!({})).await;
        put(&api, "places/acme/berlin/line-1", json!({"device": "pe-1"})).await;
        put(&api, "subscriptions/acme/guard", json!({"service": "guard", "active": true})).await;
        let group = until("the group is on the device", async || {
            let list: Value = engine.get("/api/v1/activations?under=acme/berlin").await.ok()?;
            let item = &list["items"][0];
            (item["state"] == "active").then(|| item["group"].as_str().unwrap().to_owned())
        })
        .await;
        let scene = Self { world, engine, server, group };
        assert!(scene.running().contains(TOLD), "{}", scene.running());
        scene
    }

    fn running(&self) -> String {
        self.server.running().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Somebody changes something in our group.
    fn change(&self, inner: &str) {
        self.server.change_by_hand(&format!("groups {{ {} {{ {inner} }} }}", self.group), false).unwrap();
    }

    async fn drifts(&self, org: &str) -> Vec<Value> {
        let list: Value = self.engine.get(&format!("/api/v1/drifts?organization={org}")).await.unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// Waits until the group is listed as such.
    async fn until_state(&self, state: &str) -> Value {
        until(&format!("the group is {state}"), async || {
            let found = self.drifts("acme").await.pop()?;
            (found["state"] == state).then_some(found)
        })
        .await
    }

    /// A command of `linesman device config`, and what it printed.
    async fn config(&self, what: &[&str]) -> (bool, String) {
        let data = self.world.data().display().to_string();
        let args = [&["device", "config"][..], what, &["acme", "pe-1", "--data-dir", &data]].concat();
        let ended = run(&args).await.unwrap();
        (ended.code == Some(0), ended.stdout)
    }
}

async fn reach(api: &Api, org: &str, server: &Server) {
    let port = server.address().port();
    let body = json!({
        "address": "127.0.0.1", "port": port, "netconf_port": port, "user": "linesman", "password": PASSWORD,
        "host_key": server.host_key().unwrap().to_string(),
    });
    let answer = api.ask(Method::PUT, &format!("/api/v1/devices/{org}/pe-1?new=true"), None, Some(body)).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
}

fn texts(item: &Value, field: &str) -> Vec<String> {
    let lines = item[field].as_array().unwrap().iter();
    lines.map(|line| format!("{} # {}", line["text"].as_str().unwrap(), line["template"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn drift_by_another_hand_is_accepted_reported_and_restored_and_what_is_beside_stays() {
    let mut scene = Scene::new().await;
    scene.change("snmp { location elsewhere; }");
    scene.until_state("accepted").await;
    assert!(scene.running().contains("location elsewhere;"));
    scene.server.change_by_hand("system { host-name other; } groups { theirs { chassis { alarm; } } }", false).unwrap();
    scene.change("firewall { policer line-1 { rate 5; } }");
    let found = scene.until_state("drifted").await;
    assert_eq!(
        texts(&found, "missing_lines"),
        ["firewall policer line-1 rate 1 # 10-policer.j2", "snmp location here # 30-location.j2"]
    );
    assert_eq!(
        texts(&found, "extra_lines"),
        ["firewall policer line-1 rate 5 # 10-policer.j2", "snmp location elsewhere # 30-location.j2"]
    );
    assert_eq!((&found["group"], &found["place"]), (&json!(scene.group), &json!("acme/berlin/line-1")));
    assert!(scene.running().contains("rate 5;"), "it was restored");
    let shown: Value = scene.engine.get("/api/v1/devices/acme/pe-1").await.unwrap();
    assert_eq!(shown["groups"][0]["drift"], "drifted", "{shown}");
    scene.change("system { login { message theirs; } }");
    let restored = scene.until_state("in-sync").await;
    assert_eq!(restored["restores"], 1);
    let running = scene.running();
    assert!(running.contains(TOLD) && running.contains("host-name other;") && running.contains("alarm;"), "{running}");
    // It is told again once an hour at most: until then it is reported.
    scene.change("system { login { message theirs; } }");
    scene.until_state("drifted").await;
    assert!(scene.running().contains("message theirs;"));
    let out = Out::read(&scene.engine.nats_as_engine().await.unwrap()).await.unwrap();
    let told: Vec<_> = out.on("out.acme.trigger.configuration.drifted").map(|event| event.data.clone()).collect();
    let actions: Vec<_> = told.iter().map(|data| data["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["report", "restore", "report"], "{told:?}");
    let recorded = async |operation: &str| {
        let path = format!("/api/v1/audit?organization=acme&operation={operation}");
        scene.engine.get(&path).await.unwrap()["items"].as_array().unwrap().clone()
    };
    let changes = recorded("configure-device").await;
    let causes: Vec<_> = changes.iter().map(|record| (&record["new"]["by"], &record["new"]["cause"])).collect();
    assert_eq!(causes, [(&json!(["admin"]), &Value::Null), (&json!([]), &json!("drift"))]);
    let (restored, accepted) = (changes.last().unwrap(), recorded("accept-drift").await);
    let lines = restored["new"]["difference"]["text"].as_str().unwrap();
    assert!(lines.contains("message ours;") && lines.contains("message theirs;"), "{restored}");
    assert_eq!((accepted.len(), &accepted[0]["new"]["templates"]), (1, &json!(["30-location.j2"])));
    for record in [restored, &accepted[0]] {
        assert!(record["about"] == "pe-1" && record["node"] == changes[0]["node"] && record["node"] != "", "{record}");
    }
    assert!(scene.drifts("bolt").await.is_empty(), "another's device has none of its groups");
    assert!(scene.engine.stop().await.unwrap().success(), "{}", scene.engine.log_tail());
}

#[tokio::test]
async fn terms_in_another_order_are_drift_and_what_else_is_in_another_order_is_not() {
    let mut scene = Scene::new().await;
    let (is_in_sync, told) = scene.config(&["check-sync"]).await;
    assert!(is_in_sync, "{told}");
    let [one, other] = TERMS;
    let moved = scene.running().replace(&TERMS.join(" "), &format!("{other} {one}"));
    scene.server.change_by_hand(&moved, true).unwrap();
    let (is_in_sync, told) = scene.config(&["check-sync"]).await;
    assert!(!is_in_sync && scene.drifts("acme").await.len() == 1, "what was just said is known: {told}");
    let found = scene.until_state("drifted").await;
    let line = "insert firewall filter line-1 term a before term b # 15-filter.j2";
    assert_eq!((texts(&found, "missing_lines"), texts(&found, "extra_lines")), (vec![line.to_owned()], Vec::new()));
    let (is_done, told) = scene.config(&["apply", "--wait=60s"]).await;
    assert!(is_done && scene.running().contains(TOLD), "{told} {}", scene.running());
    let location = "snmp { location here; }";
    let moved = scene.running().replace(location, "").replacen("firewall {", &format!("{location} firewall {{"), 1);
    scene.server.change_by_hand(&moved, true).unwrap();
    let (is_in_sync, told) = scene.config(&["check-sync"]).await;
    assert!(is_in_sync, "{told} {}", scene.running());
    assert!(scene.engine.stop().await.unwrap().success(), "{}", scene.engine.log_tail());
}

#[tokio::test]
async fn no_secret_is_told_of_what_a_device_has_otherwise() {
    let mut scene = Scene::new().await;
    scene.change("access { radius-server 192.0.2.9 { secret hunter2rad; } }");
    let found = scene.until_state("drifted").await;
    assert_eq!(texts(&found, "extra_lines"), ["access radius-server 192.0.2.9 secret SECRET-WITHHELD # "], "{found}");
    let (_, told) = scene.config(&["check-sync"]).await;
    assert!(told.contains("secret SECRET-WITHHELD") && !told.contains("hunter2"), "{told}");
    assert!(scene.engine.stop().await.unwrap().success(), "{}", scene.engine.log_tail());
}

#[tokio::test]
async fn people_see_what_would_change_and_have_the_device_told_again() {
    let mut scene = Scene::new().await;
    let (is_same, told) = scene.config(&["diff"]).await;
    assert!(is_same && told.contains("nothing to change"), "{told}");
    let (is_in_sync, told) = scene.config(&["check-sync"]).await;
    assert!(is_in_sync && told.contains("1 in sync"), "{told}");
    scene.change("firewall { policer line-1 { rate 5; } }");
    let before = scene.server.running();
    let (is_in_sync, told) = scene.config(&["check-sync"]).await;
    assert!(!is_in_sync && told.contains("- firewall policer line-1 rate 1  # 10-policer.j2"), "{told}");
    assert!(told.contains("guard (guard) for acme/berlin/line-1 [report]"), "{told}");
    let (_, told) = scene.config(&["diff"]).await;
    let has = |mark: &str, line: &str| told.lines().any(|told| told.starts_with(mark) && told.ends_with(line));
    assert!(has("+", "  rate 1;") && has("-", "  rate 5;") && has("[edit", "]"), "{told}");
    assert_eq!(scene.server.running(), before, "to look changes nothing");
    let (is_done, told) = scene.config(&["apply", "--wait=60s", "--key", "once"]).await;
    assert!(is_done && told.contains("active"), "{told}");
    assert!(scene.running().contains(TOLD));
    // Asked again after an answer that was lost, it is not told again, whatever it would come to by now.
    scene.change("firewall { policer line-1 { rate 6; } }");
    let before = scene.server.running();
    let (is_done, told) = scene.config(&["apply", "--wait=60s", "--key", "once"]).await;
    assert!(is_done && told.contains("told again under this key before"), "{told}");
    assert_eq!(scene.server.running(), before);
    let (is_done, _) = scene.config(&["apply", "--wait=60s", "--key", "twice"]).await;
    assert!(is_done && scene.running().contains(TOLD));
    let (is_in_sync, _) = scene.config(&["check-sync"]).await;
    assert!(is_in_sync);
    // What a device has that does not answer is not known, and not said to be in order.
    let api = scene.engine.api().unwrap();
    let host_key = scene.server.host_key().unwrap().to_string();
    let way = json!({"address": "127.0.0.1", "port": 1, "netconf_port": 1, "user": "linesman", "password": PASSWORD,
        "host_key": host_key});
    put(&api, "devices/acme/pe-2?new=true", way).await;
    put(&api, "places/acme/berlin/line-2", json!({"device": "pe-2"})).await;
    let data = scene.world.data().display().to_string();
    until("it is to have a group", async || {
        let ended = run(&["device", "config", "check-sync", "acme", "pe-2", "--data-dir", &data]).await.unwrap();
        assert!(ended.stdout.contains("1 not known") == (ended.code == Some(1)), "{}{}", ended.stdout, ended.stderr);
        ended.stdout.contains("1 groups: 0 in sync, 0 drifted, 1 not known").then_some(())
    })
    .await;
    let out = Out::read(&scene.engine.nats_as_engine().await.unwrap()).await.unwrap();
    let records: Vec<Value> = out.on("out.acme.audit.use-device").map(|event| event.data.clone()).collect();
    let applied: Vec<_> = records.iter().filter(|record| record.to_string().contains("\"apply\"")).collect();
    assert_eq!(applied.len(), 2, "{applied:?}");
    let applied = applied[0];
    let text = applied.to_string();
    assert!(text.contains("\"added\":1") && text.contains("\"removed\":1") && !text.contains("rate 5"), "{text}");
    assert!(scene.engine.stop().await.unwrap().success(), "{}", scene.engine.log_tail());
}

#[tokio::test]
async fn on_devices_of_an_organization_that_is_suspended_nothing_is_done() {
    let mut scene = Scene::new().await;
    let api = scene.engine.api().unwrap();
    // Drift of nobody else is looked for there.
    let asked = |scene: &Scene| {
        let is_of_it = |done: &&String| ["lock", "get-configuration", "list"].iter().any(|what| done.contains(what));
        scene.server.done().iter().filter(is_of_it).count()
    };
    let answer = api.ask(Method::DELETE, "/api/v1/devices/bolt/pe-1", None, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    put(
        &api,
        "organizations/acme/script-bundles/health/1",
        json!({
            "files": [{"kind": "op", "name": "look.slax", "content": "look"}],
        }),
    )
    .await;
    let core = json!({"name": "core", "devices": ["pe-*"]});
    put(&api, "organizations/acme", json!({"proxy": false, "device_groups": [core]})).await;
    let answer = api.post("/api/v1/organizations/acme/suspend", json!({})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let is_quiet = "linesman_devices_reached 0";
    until("it is not looked at any more", async || {
        scene.engine.get_text("/metrics").await.ok()?.contains(is_quiet).then_some(())
    })
    .await;
    let before = asked(&scene);
    for (path, body) in [
        ("devices/acme/pe-1/config/diff", json!({})),
        ("devices/acme/pe-1/config/apply", json!({})),
        ("devices/acme/pe-1/config/check-sync", json!({})),
        ("organizations/acme/scripts/core/plan", json!({"bundle": "health", "version": "1"})),
    ] {
        let answer = api.post(&format!("/api/v1/{path}"), body).await.unwrap();
        assert_eq!(answer.status, 409, "{path}: {}", answer.body);
        assert!(answer.body["detail"].as_str().unwrap().contains("suspended"), "{path}: {}", answer.body);
    }
    assert_eq!(asked(&scene), before, "{:?}", scene.server.done());
    assert!(scene.engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_group_that_the_device_was_never_told_is_not_in_sync() {
    let world = World::new().unwrap();
    let folder = world.rules().join("services/guard");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in SERVICE {
        fs::write(folder.join(name), text).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
    let server = Server::start(Setup::new(world.path("r1"), vec![account])).await.unwrap();
    // Nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let body = json!({
        "address": "127.0.0.1", "port": server.address().port(), "netconf_port": port, "user": "linesman",
        "password": PASSWORD, "host_key": server.host_key().unwrap().to_string(),
    });
    put(&api, "devices/acme/pe-1", body).await;
    put(&api, "places/acme/berlin", json!({})).await;
    put(&api, "places/acme/berlin/line-1", json!({"device": "pe-1"})).await;
    put(&api, "subscriptions/acme/guard", json!({"service": "guard", "active": true})).await;
    let reason = until("it is said why it waits", async || {
        let list: Value = engine.get("/api/v1/activations?under=acme/berlin").await.ok()?;
        let reason = list["items"][0]["reason"].as_str()?.to_owned();
        reason.contains("the last attempt did not come as far").then_some(reason)
    })
    .await;
    assert!(reason.contains("refused"), "{reason}");
    let data = world.data().display().to_string();
    let ended = run(&["device", "config", "check-sync", "acme", "pe-1", "--data-dir", &data]).await.unwrap();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("[pending]: the device `pe-1` has still to answer"), "{ended:?}");
    assert!(ended.stdout.contains("1 groups: 0 in sync, 0 drifted, 1 not known"), "{ended:?}");
    let told = api.post("/api/v1/devices/acme/pe-1/config/check-sync", json!({})).await.unwrap();
    assert_eq!((told.status, &told.body["in_sync"]), (200, &json!(false)), "{}", told.body);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

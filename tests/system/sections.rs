//! The rule book comes from the log, in sections: files are one source, and two nodes with other files do not fight.

use linesman::embedded;
use linesman::log::streams::{self, Layout};
use linesman_tests::{Engine, LANES, Launch, Load, Out, World, run, until};
use serde_json::{Value, json};

use crate::policies::{judged_by, metric, policies, policy, publish, wait_for_version};

const DIFFERS: &str = "linesman_rule_book_differs{section=\"policies\"}";

async fn linesman(world: &World, args: &[&str]) -> (Option<i32>, String, String) {
    let data = world.data();
    let ended = run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
    (ended.code, ended.stdout, ended.stderr)
}

/// The loads of a section that were done: who asked, and the version it came to.
fn loads(out: &Out, section: &str) -> Vec<(String, u64)> {
    // Before engine level 5 the subject did not say which.
    let subjects = [format!("out._provider.audit.load-{section}"), "out._provider.audit.load-section".to_owned()];
    let loads = subjects.iter().flat_map(|subject| out.on(subject)).map(|event| &event.data);
    let done = loads.filter(|data| data["new"]["section"] == section && data["verdict"] == "done");
    done.map(|data| (data["actor"].as_str().unwrap().to_owned(), data["new"]["version"].as_u64().unwrap())).collect()
}

async fn wait_for_difference(engine: &Engine, expected: &Value) {
    until("the difference is as expected", async || {
        let found = policies(engine).await.get("differing").cloned().unwrap_or(json!([]));
        (found == *expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_nodes_with_other_files_do_not_fight() {
    let host = World::new().unwrap();
    host.policy("seen", &policy(1)).unwrap();
    let url = host.server().await.unwrap();
    let client = linesman::log::connect(&url, "reader").await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let other = World::new().unwrap();
    other.policy("seen", &policy(2)).unwrap();
    other.policy("acme/own", &policy(3)).unwrap();

    let mut engine = other.start_with(None, launch).await.unwrap();
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    wait_for_difference(&engine, &json!(["policies"])).await;
    assert_eq!(metric(&engine, DIFFERS).await, "1");
    assert_eq!(policies(&engine).await["rule_book"], 1, "the log decides");
    // Other files again, and they are still not what the log has.
    other.policy("seen", &policy(4)).unwrap();
    until("the change is seen", async || (engine.log().matches("this node's files differ").count() == 2).then_some(()))
        .await;
    let (code, list, said) = linesman(&other, &["policy", "list"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(list.contains("file seen.rhai") && !list.contains("acme/own"), "{list}");
    let told =
        "the files of this engine have other policies than the log, which decides: `linesman policy load` loads them";
    assert!(said.contains(told), "{said}");
    assert_eq!(policies(&engine).await["rule_book"], 1);

    // Deliberately, and once under a key.
    for _ in 0..2 {
        let (code, said, _) = linesman(&other, &["policy", "load", "--key", "mine"]).await;
        assert_eq!((code, &*said), (Some(0), "loaded\n"));
    }
    wait_for_version(&engine, 2).await;
    wait_for_difference(&engine, &json!([])).await;
    let (_, list, said) = linesman(&other, &["policy", "list"]).await;
    assert!(list.contains("file acme/own.rhai") && said.is_empty(), "{list}{said}");
    publish(&mut load, &engine, "acme").await;
    assert_eq!(metric(&engine, DIFFERS).await, "0");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // The first node has been overtaken: it does not put its files back.
    let mut engine = host.start_with(None, launch).await.unwrap();
    wait_for_difference(&engine, &json!(["policies"])).await;
    publish(&mut load, &engine, "acme").await;
    let said = Out::read(&client).await.unwrap();
    let mut judged = judged_by(&said, "acme");
    judged[1..].sort_unstable();
    assert_eq!(judged, [1, 3, 3, 4, 4]);
    assert_eq!(loads(&said, "policies"), [("configuration".to_owned(), 1), ("admin".to_owned(), 2)]);
    load.check(&said).unwrap();
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // With what the log has, it says the same; and what it changes from there on is its own again.
    host.policy("seen", &policy(4)).unwrap();
    host.policy("acme/own", &policy(3)).unwrap();
    let mut engine = host.start_with(None, launch).await.unwrap();
    wait_for_difference(&engine, &json!([])).await;
    host.policy("seen", &policy(5)).unwrap();
    wait_for_version(&engine, 3).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Who has lost its data directory, but not its files, changes nothing; and a change while it was away is loaded by
/// whoever remembers.
#[tokio::test]
async fn files_that_say_the_same_load_nothing_and_changed_ones_are_loaded_at_the_start() {
    let host = World::new().unwrap();
    host.policy("seen", &policy(1)).unwrap();
    let url = host.server().await.unwrap();
    let client = linesman::log::connect(&url, "reader").await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut other = World::new().unwrap();
    other.policy("seen", &policy(1)).unwrap();
    let mut engine = other.start_with(None, launch).await.unwrap();
    assert_eq!(policies(&engine).await["rule_book"], 1);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    other.policy("seen", &policy(2)).unwrap();
    other.configure("\n[activations]\ncanary = 77\n");
    let mut engine = other.start_with(None, launch).await.unwrap();
    assert_eq!(policies(&engine).await["rule_book"], 3, "ready with both");
    let said = Out::read(&client).await.unwrap();
    assert_eq!(loads(&said, "policies").len(), 2);
    assert_eq!(loads(&said, "settings").len(), 2);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// A log of before sections takes whole rule books until its level is raised; then what changes comes in sections.
#[tokio::test]
async fn a_log_of_level_1_takes_whole_rule_books_until_it_is_raised() {
    let world = World::new().unwrap();
    world.policy("seen", &policy(1)).unwrap();
    let server = embedded::start(embedded::Settings::new(world.path("server"))).await.unwrap();
    let url = server.engine_url();
    let client = linesman::log::connect(&url, "before").await.unwrap();
    let layout = Layout { lanes: LANES, out_age_s: 30 * 86_400, replicas: 1, consumers: Default::default() };
    streams::ensure(&client, &layout).await.unwrap();
    streams::open(&client, &layout).await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    assert_eq!(engine.get("/api/v1/level").await.unwrap()["level"], 1);
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    world.policy("seen", &policy(2)).unwrap();
    wait_for_version(&engine, 2).await;
    publish(&mut load, &engine, "acme").await;
    let api = engine.api().unwrap();
    let refused = api.ask(reqwest::Method::POST, "/api/v1/policies/load", None, None).await.unwrap();
    assert_eq!(refused.status, 409, "{refused:?}");
    let raised = api.ask(reqwest::Method::PUT, "/api/v1/level", None, Some(json!({"level": 2}))).await.unwrap();
    assert_eq!(raised.status, 200, "{raised:?}");
    until("all lanes are raised", async || (engine.get("/api/v1/level").await.unwrap()["level"] == 2).then_some(()))
        .await;
    world.policy("seen", &policy(3)).unwrap();
    wait_for_version(&engine, 3).await;
    publish(&mut load, &engine, "acme").await;
    let said = Out::read(&client).await.unwrap();
    assert_eq!(judged_by(&said, "acme"), [1, 2, 3]);
    assert_eq!(loads(&said, "policies"), [("configuration".to_owned(), 3)], "what did not change was not loaded");
    assert!(loads(&said, "settings").is_empty());
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    // The state comes back from both kinds.
    world.delete_state().unwrap();
    let mut engine = world.start_with(None, launch).await.unwrap();
    assert_eq!(policies(&engine).await["rule_book"], 3);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    server.stop().await;
}

#[tokio::test]
async fn settings_that_were_changed_since_the_start_are_named_and_are_not_loaded() {
    let mut world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let (code, told, _) = linesman(&world, &["policy", "load", "--settings"]).await;
    assert!(code == Some(0) && !told.contains("restart"), "{told}");
    world.configure("\n[approvals]\nconfigure-device = \"two-person\"\n[activations]\ncanary = 7\n");
    world.write_config(None).unwrap();
    let (code, told, _) = linesman(&world, &["policy", "load", "--settings"]).await;
    assert!(code == Some(0) && told.contains("restart the engine"), "{told}");
    assert!(told.contains("`activations.canary`, `approvals.configure-device`"), "{told}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

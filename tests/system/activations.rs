//! Subscriptions become configuration of devices: on a running engine, behind restarts, and whatever happens meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use async_nats::Client;
use async_nats::jetstream;
use futures_util::StreamExt;
use futures_util::stream;
use linesman_tests::{Api, Engine, Launch, Out, World, until};
use reqwest::Method;
use serde_json::{Value, json};

/// A service that sets a policer of its own for each line.
const LIMIT: [(&str, &str); 2] = [
    (
        "service.toml",
        "title = \"Limit\"\n[parameters]\nrate = { type = \"rate\", default = \"10m\" }\n\
         burst = { type = \"burst\", required = true }\n",
    ),
    (
        "main.j2",
        "firewall {\n    policer {{ line }} {\n        rate {{ rate }};\n        burst {{ burst }};\n    }\n}\n",
    ),
];
/// What two lines are told.
pub(crate) const LINE_1: &str = "firewall { policer line-1 { rate 10000000; burst 1000; } }";
const LINE_2: &str = "firewall { policer line-2 { rate 10000000; burst 1000; } }";
/// How many sites the large network has, each with a device of its own, and how many lines each of them.
const SITES: usize = 25;
const LINES: usize = 200;
/// How many commands wait for their place in the log at a time.
const FLIGHT: usize = 64;

/// A world with stand-in devices and a service.
pub(crate) fn world() -> World {
    let mut world = World::new().unwrap();
    world.configure(&format!("\n[device]\nstandin_dir = \"{}\"\n", world.path("devices").display()));
    service(&world);
    world
}

/// Writes the service.
pub(crate) fn service(world: &World) {
    let folder = world.rules().join("services/limit");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in LIMIT {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// The files of the stand-in devices, by their paths below the devices' folder: groups, and what was done.
fn files(world: &World) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let root = world.path("devices");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        // What is not there yet, or is being replaced, is looked at the next time.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                files.insert(path.strip_prefix(&root).unwrap().to_owned(), text);
            }
        }
    }
    files
}

/// The groups that stand-in devices have: their texts without white space, by organization and device and name.
pub(crate) fn groups(world: &World) -> BTreeMap<(String, String), String> {
    let groups = files(world).into_iter().filter_map(|(path, text)| {
        let group = path.file_name()?.to_str()?.strip_suffix(".conf")?.to_owned();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(((path.parent()?.to_str()?.to_owned(), group), text))
    });
    groups.collect()
}

/// Waits until the devices have these texts, whatever the groups' names, and have answered all they were asked.
pub(crate) async fn settled(world: &World, engine: &Engine, texts: &[&str]) {
    until(&format!("the devices have {texts:?}"), async || {
        groups(world).into_values().eq(texts.iter().copied()).then_some(())
    })
    .await;
    let client = engine.nats_as_engine().await.unwrap();
    until("the devices have answered", async || {
        let out = Out::read(&client).await.unwrap();
        let asked = out.0.iter().filter(|event| event.subject.ends_with(".reaction.device")).count();
        (results(&client).await == asked).then_some(())
    })
    .await;
}

/// How many answers of connectors the log has.
async fn results(client: &Client) -> usize {
    let stream = jetstream::new(client.clone()).get_stream("IN").await.unwrap();
    let counts = stream.info_with_subjects("p.*.*.result").await.unwrap();
    counts.map(|count| count.unwrap().1).collect::<Vec<_>>().await.into_iter().sum()
}

/// Puts something by the API, which is done.
pub(crate) async fn put(api: &Api, path: &str, body: Value) {
    let answer = api.ask(Method::PUT, &format!("/api/v1/{path}"), None, Some(body)).await.unwrap();
    assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
}

/// Asks for something of an organization as the provider's administrator.
pub(crate) async fn ask(client: &Client, org: &str, verb: Value) {
    let admin = json!({"kind": "provider", "name": "admin"});
    let command = json!({"id": verb.to_string(), "principal": admin, "node": "test", "verb": verb});
    let log = jetstream::new(client.clone());
    log.publish(format!("in.{org}.cmd.test"), command.to_string().into()).await.unwrap().await.unwrap();
}

/// A subscription that is active.
pub(crate) fn subscription() -> Value {
    json!({"service": "limit", "substitutions": ["burst=1k"], "active": true})
}

#[tokio::test]
async fn an_activation_is_on_the_devices_and_the_same_after_restart_and_rebuild() {
    let world = world();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    for (place, device) in
        [("berlin", ""), ("berlin/line-1", "pe-1"), ("berlin/line-2", "pe-1"), ("paris", ""), ("paris/line-1", "pe-2")]
    {
        put(&api, &format!("places/acme/{place}"), json!({"device": device})).await;
    }
    put(&api, "subscriptions/acme/cap", subscription()).await;
    settled(&world, &engine, &[LINE_1, LINE_2, LINE_1]).await;
    put(&api, "values/acme/paris", json!({"substitutions": ["rate=20m"]})).await;
    let cut = json!({"deactivate_subscription": {"place": "acme/berlin/line-2", "name": "cap"}});
    ask(&engine.nats_as_engine().await.unwrap(), "acme", cut).await;
    let expected = [LINE_1, "firewall { policer line-1 { rate 20000000; burst 1000; } }"];
    settled(&world, &engine, &expected).await;
    let before = files(&world);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Neither tells the devices anything again.
    let mut kept = Vec::new();
    for is_lost in [false, true] {
        if is_lost {
            world.delete_state().unwrap();
        }
        let mut engine = world.start(None).await.unwrap();
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
        assert!(files(&world) == before, "state lost: {is_lost}");
        kept.push(world.lanes().unwrap());
    }
    assert!(kept[0] == kept[1], "what comes back from the log is another state");

    let mut engine = world.start(None).await.unwrap();
    let end = json!({"deactivate_subscription": {"place": "acme", "name": "cap"}});
    ask(&engine.nats_as_engine().await.unwrap(), "acme", end).await;
    settled(&world, &engine, &[]).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Lays out a network of 5,000 lines, and a subscription that is active for all of them.
async fn lay_out(engine: &Engine) {
    let log = jetstream::new(engine.nats_as_engine().await.unwrap());
    let places = (0..SITES).flat_map(|site| {
        let lines = (0..LINES).map(move |line| (format!("acme/site-{site}/line-{line}"), format!("pe-{site}")));
        std::iter::once((format!("acme/site-{site}"), String::new())).chain(lines)
    });
    // A site comes before its lines: what is published waits for its acknowledgement, and keeps its order.
    let published = stream::iter(places).map(|(place, device)| {
        let verb = json!({"set_place": {"place": place, "device": device}});
        let admin = json!({"kind": "provider", "name": "admin"});
        let command = json!({"id": place, "principal": admin, "node": "test", "verb": verb});
        log.publish("in.acme.cmd.test", command.to_string().into())
    });
    let acknowledged = published.buffered(1).map(|sent| sent.unwrap().into_future()).buffered(FLIGHT);
    acknowledged.for_each(|acknowledgement| async { drop(acknowledgement.unwrap()) }).await;
    put(&engine.api().unwrap(), "subscriptions/acme/cap", subscription()).await;
}

/// How many groups all devices have.
fn count(world: &World) -> usize {
    let sites = (0..SITES).map(|site| world.path(&format!("devices/acme/pe-{site}")));
    let entries = sites.flat_map(|site| fs::read_dir(site).into_iter().flatten().flatten());
    entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".conf")).count()
}

/// Waits until all devices together have so many groups, for each site's worth of them anew.
async fn until_there_are(world: &World, groups: usize) {
    for groups in (0..groups).step_by(LINES).chain([groups]) {
        until(&format!("the devices have {groups} groups"), async || (count(world) >= groups).then_some(())).await;
    }
}

#[tokio::test]
async fn an_engine_that_is_killed_amid_5000_lines_configures_each_of_them_once() {
    let undisturbed = world();
    let engine = undisturbed.start(None).await.unwrap();
    lay_out(&engine).await;
    until_there_are(&undisturbed, SITES * LINES).await;
    drop(engine);

    let world = world();
    let mut engine = world.start(None).await.unwrap();
    let mut told = engine.nats_as_engine().await.unwrap().subscribe("out.acme.reaction.device").await.unwrap();
    lay_out(&engine).await;
    // Amid rendering: the first slice has been told, of two hundred.
    told.next().await.unwrap();
    engine.kill().unwrap();
    assert!(count(&world) < SITES * LINES / 2, "the first kill came too late");
    for groups in [1_500, 3_500] {
        let mut engine = world.spawn(None, Launch::default()).unwrap();
        until_there_are(&world, groups).await;
        engine.kill().unwrap();
        assert!(count(&world) < SITES * LINES, "the kill at {groups} came too late");
    }
    let engine = world.start(None).await.unwrap();
    until_there_are(&world, SITES * LINES).await;
    drop(engine);
    assert!(groups(&world) == groups(&undisturbed), "other groups, or other texts");
    for (path, text) in files(&world).into_iter().filter(|(path, _)| path.ends_with("done.log")) {
        assert_eq!(text.lines().count(), LINES, "{}: a line was told twice", path.display());
    }
}

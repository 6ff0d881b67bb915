//! An engine's life: what it refuses to start with, what it leaves when it stops, and organizations
//! that come and go.

use std::os::unix::fs::PermissionsExt;

use linesman::embedded;
use linesman_tests::{Engine, Launch, Out, World, event, run, until};

async fn publish(engine: &Engine, number: u64) {
    let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
    let text = event("edge-01", number, "LIFE", "Low");
    jetstream.publish("in.acme.jmb.test", text.into()).await.unwrap().await.unwrap();
}

async fn incidents(engine: &Engine, count: u64) {
    until("the incidents", async || (engine.incidents("acme").await.unwrap() == count).then_some(())).await;
}

#[tokio::test]
async fn an_organization_that_leaves_is_suspended_and_may_come_back() {
    let mut world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, 1).await;
    incidents(&engine, 1).await;
    assert!(engine.stop().await.unwrap().success());

    world.without_organization("acme");
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, 2).await;
    let client = engine.nats_as_engine().await.unwrap();
    let out = until("its bundle is set aside", async || {
        let out = Out::read(&client).await.unwrap();
        let is_there = out.on("out.acme.dead.organization-suspended").count() == 1;
        is_there.then_some(out)
    })
    .await;
    assert_eq!(out.on("out.acme.audit.unload-organization").count(), 1);
    assert_eq!(engine.incidents("acme").await.unwrap(), 1, "what it has, it keeps");
    assert!(engine.stop().await.unwrap().success());

    world.organization("acme", "Send all information");
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, 3).await;
    incidents(&engine, 2).await;
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    let ids: Vec<_> = out.on("out.acme.trigger.incident.detected").map(|e| e.data["id"].clone()).collect();
    assert_eq!(ids, ["acme-1", "acme-2"]);
    out.events_are_contiguous("acme").unwrap();
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_tells_of_the_engine_is_private_and_goes_with_it() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let ready = world.data().join("ready.json");
    assert_eq!(std::fs::metadata(&ready).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(engine.ready().unwrap().pid, engine.pid());

    // Another engine is kept out, and the first does not mind.
    let config = world.path("linesman.toml");
    let [data, rules, config] = [world.data(), world.rules(), config].map(|path| path.to_str().unwrap().to_owned());
    let serve = ["serve", "--data-dir", &data, "--rules", &rules, "--config", &config];
    let second = run(&serve).await.unwrap();
    assert_eq!(second.code, Some(1));
    let words = format!("is in use by another engine (process {})", engine.pid());
    assert!(second.stderr.contains(&words), "{}", second.stderr);
    publish(&engine, 1).await;
    incidents(&engine, 1).await;

    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
    assert!(!ready.exists());
}

/// Who publishes as soon as anything takes it comes behind organizations and rule book, also on a
/// server that is there before the engine.
#[tokio::test]
async fn no_publisher_is_quicker_than_the_organizations() {
    let world = World::new().unwrap();
    let server = embedded::start(embedded::Settings::new(world.path("server"))).await.unwrap();
    let url = server.engine_url();
    let client = linesman::log::connect(&url, "publisher").await.unwrap();
    let jetstream = async_nats::jetstream::new(client.clone());
    let publisher = tokio::spawn(async move {
        for number in 1.. {
            let text = event("edge-01", number, "LIFE", "Low");
            if let Ok(ack) = jetstream.publish("in.acme.jmb.test", text.into()).await
                && ack.await.is_ok()
            {
                return;
            }
        }
    });
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    publisher.await.unwrap();
    incidents(&engine, 1).await;
    let out = Out::read(&client).await.unwrap();
    assert!(out.0.iter().all(|event| !event.subject.contains(".dead.")), "{out:?}");
    assert!(engine.stop().await.unwrap().success());
    server.stop().await;
}

#[tokio::test]
async fn lanes_are_for_life() {
    let mut world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    world.lanes = 8;
    let refused = world.start(None).await.err().unwrap().to_string();
    let words = "the stream IN was created with 4 lanes and cannot have 8; set `lanes = 4`";
    assert!(refused.contains(words), "{refused}");
    world.lanes = 4;
    assert!(world.start(None).await.unwrap().stop().await.unwrap().success());
}

#[tokio::test]
async fn every_mistake_of_the_configuration_is_told() {
    let world = World::new().unwrap();
    let config = world.path("wrong.toml");
    std::fs::write(
        &config,
        "lanes = 99\nlistne = \"127.0.0.1:0\"\n\n[settings]\ncase_poll_s = \"often\"\n\n\
         [[organizations]]\nname = \"no name\"\n\n[[organizations]]\nname = \"acme\"\nfilter_level = \"Send some\"\n",
    )
    .unwrap();
    let [data, rules, config] = [world.data(), world.rules(), config].map(|path| path.to_str().unwrap().to_owned());
    let refused = run(&["serve", "--data-dir", &data, "--rules", &rules, "--config", &config]).await.unwrap();
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for (line, word) in [(1, "lanes"), (2, "listne"), (5, "case_poll_s"), (8, "no name"), (12, "filter level")] {
        let place = format!("wrong.toml:{line}:");
        let told = refused.stderr.lines().any(|text| text.contains(&place) && text.contains(word));
        assert!(told, "line {line}: {}", refused.stderr);
    }
    assert!(!world.data().exists(), "nothing is begun with mistakes");
}

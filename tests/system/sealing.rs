//! A stream that lost its tail is noticed: the lane is sealed, says so, and goes on.

use std::path::{Path, PathBuf};

use linesman_tests::{Load, OPEN_CASE, Out, World, until};

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The folder of a stream.
fn stream(jetstream: &Path, name: &str) -> PathBuf {
    let accounts = std::fs::read_dir(jetstream).unwrap().map(|entry| entry.unwrap().path().join("streams").join(name));
    accounts.into_iter().find(|folder| folder.is_dir()).unwrap()
}

struct Sealed {
    /// All incidents of OUT are those of these bundles.
    said: Load,
    /// So many incidents the organization then has.
    incidents: u64,
    /// What the lane says.
    why: &'static str,
}

/// Loses the tails of `streams`; before, lost and after are six bundles each.
async fn lose(streams: &[&str], expected: impl FnOnce(Load, Load, Load) -> Sealed) {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let (jetstream, saved) = (world.data().join("nats/jetstream/jetstream"), world.path("saved"));
    let mut loads = Vec::new();
    for last in [0, 1_000] {
        let mut engine = world.start(None).await.unwrap();
        let mut load = Load::behind(last);
        load.add("acme", 6);
        load.publish_all(&engine.nats().await.unwrap()).await;
        loads.push(load);
        until("all are incidents", async || {
            (engine.incidents("acme").await.unwrap() == loads.len() as u64 * 6).then_some(())
        })
        .await;
        assert!(engine.stop().await.unwrap().success());
        if last == 0 {
            copy(&jetstream, &saved);
        }
    }
    for name in streams {
        let folder = stream(&jetstream, name);
        std::fs::remove_dir_all(&folder).unwrap();
        copy(&stream(&saved, name), &folder);
    }

    let mut engine = world.start(None).await.unwrap();
    let readiness = engine.get("/readyz").await.unwrap();
    let sealed: Vec<&str> =
        readiness["lanes"].as_array().unwrap().iter().filter_map(|lane| lane["sealed"].as_str()).collect();
    let mut load = Load::behind(2_000);
    load.add("acme", 6);
    let client = engine.nats().await.unwrap();
    load.publish_all(&client).await;
    loads.push(load);
    let [before, lost, after] = loads.try_into().unwrap();
    let expected = expected(before, lost, after);
    assert!(sealed.iter().any(|why| why.contains(expected.why)), "{sealed:?}");
    engine.tells("the lane is sealed").await;
    until("the new bundles are incidents", async || {
        (engine.incidents("acme").await.unwrap() >= expected.incidents).then_some(())
    })
    .await;
    let out = Out::read(&client).await.unwrap();
    expected.said.check_incidents(&out).unwrap();
    assert_eq!(engine.incidents("acme").await.unwrap(), expected.incidents);
    let audits: Vec<_> = out.on("out._provider.audit.lane-sealed").collect();
    assert_eq!(audits.len(), sealed.len());
    assert!(audits.iter().any(|audit| audit.data["why"].as_str().unwrap().contains(expected.why)), "{audits:?}");
    assert!(engine.stop().await.unwrap().success());

    // Sealed once: the next start finds everything in order.
    let mut engine = world.start(None).await.unwrap();
    let readiness = engine.get("/readyz").await.unwrap();
    assert!(readiness["lanes"].as_array().unwrap().iter().all(|lane| lane["sealed"].is_null()), "{readiness}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_log_that_lost_its_tail_is_noticed() {
    lose(&["IN", "OUT"], |mut before, _, after| {
        before.join(after);
        Sealed { said: before, incidents: 12, why: "it has lost its tail" }
    })
    .await;
}

/// What OUT lost is decided again and said again: nobody can know it any more.
#[tokio::test]
async fn an_out_that_lost_its_tail_is_noticed() {
    lose(&["OUT"], |mut before, lost, after| {
        before.join(lost);
        before.join(after);
        Sealed { said: before, incidents: 18, why: "OUT has lost its tail" }
    })
    .await;
}

/// What was said of lost bundles stands; the new ones are new, whatever their numbers.
#[tokio::test]
async fn an_in_that_lost_its_tail_is_noticed() {
    lose(&["IN"], |mut before, lost, after| {
        before.join(lost);
        before.join(after);
        Sealed { said: before, incidents: 12, why: "it has lost its tail" }
    })
    .await;
}

/// A server that comes back without its tail under a running engine would give the lost sequences to
/// new bundles, which nobody would ever read.
#[tokio::test]
async fn a_running_engine_notices_too() {
    let world = World::new().unwrap();
    let (jetstream, saved) = (world.data().join("nats/jetstream/jetstream"), world.path("saved"));
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    copy(&jetstream, &saved);
    let mut engine = world.start(None).await.unwrap();
    let mut lost = Load::default();
    lost.add("acme", 6);
    lost.publish_all(&engine.nats().await.unwrap()).await;
    lost.wait_for_incidents(&engine).await.unwrap();

    engine.hold(true).unwrap();
    engine.kill_nats().unwrap();
    std::fs::remove_dir_all(&jetstream).unwrap();
    copy(&saved, &jetstream);
    engine.hold(false).unwrap();
    assert_eq!(engine.ended().await.code(), Some(1));
    assert!(engine.log().contains("has lost its tail"), "{}", engine.log_tail());

    let mut engine = world.start(None).await.unwrap();
    engine.tells("the lane is sealed").await;
    let mut load = Load::behind(1_000);
    load.add("acme", 6);
    let client = engine.nats().await.unwrap();
    load.publish_all(&client).await;
    load.wait_for_incidents(&engine).await.unwrap();
    load.check(&Out::read(&client).await.unwrap()).unwrap();
    assert!(engine.stop().await.unwrap().success());
}

/// A log that was begun anew is not the state's: the state goes, and what publishers send comes behind
/// organizations and rule book there too.
#[tokio::test]
async fn another_log_is_noticed() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    load.add("acme", 6);
    load.publish_all(&engine.nats().await.unwrap()).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    std::fs::remove_dir_all(world.data().join("nats")).unwrap();

    let mut engine = world.start(None).await.unwrap();
    assert_eq!(engine.incidents("acme").await.unwrap(), 0);
    let mut load = Load::behind(1_000);
    load.add("acme", 6);
    load.publish_all(&engine.nats().await.unwrap()).await;
    load.wait_for_incidents(&engine).await.unwrap();
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    load.check(&out).unwrap();
    let why: Vec<_> = out.on("out._provider.audit.lane-sealed").map(|event| event.data["why"].to_string()).collect();
    assert!(!why.is_empty() && why.iter().all(|why| why.contains("is of an IN created")), "{why:?}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

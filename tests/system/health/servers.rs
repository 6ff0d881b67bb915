//! The same of servers of the operator's own: stopped and started again, most of a cluster away, at a limit of theirs.

use linesman_tests::{Launch, Load, Server, World, until};
use serde_json::json;

use super::{Site, config, ready, unready, works};

#[tokio::test]
async fn a_server_that_is_stopped_and_started_again_is_told_of_and_outlived() {
    let mut site = Site::new().await;
    let mut engine = site.start().await;
    let mut load = Load::default();
    works(&engine, &mut load, &site.client).await;
    site.server.stop().unwrap();
    unready(&engine, "the engine is not connected to the NATS server").await;
    site.server.go_on().await.unwrap();
    ready(&engine).await;
    works(&engine, &mut load, &site.client).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_limit_of_the_server_or_the_account_is_told_of_and_outlived() {
    const REASON: &str = "the NATS server has no room; make room on its disk, or raise its limit";
    let bounded = |server: &str, account: &str| {
        config(account).replace("sync_interval", &format!("max_file_store: {server}, sync_interval"))
    };
    let mut site = Site::on(&bounded("1GB", "enabled")).await;
    let mut engine = site.start().await;
    let mut load = Load::default();
    works(&engine, &mut load, &site.client).await;
    // Something else takes the room.
    site.api("STREAM.CREATE.OTHER", &json!({"name": "OTHER", "subjects": ["other"], "storage": "file"})).await;
    for _ in 0..8 {
        site.client.publish("other", vec![0; 1 << 20].into()).await.unwrap();
    }
    until("the other stream has it", async || {
        let found = site.api("STREAM.INFO.OTHER", &json!({})).await;
        (found["state"]["messages"] == 8).then_some(())
    })
    .await;
    site.server.reload(&bounded("1GB", "{ max_file: 8MB }")).unwrap();
    unready(&engine, REASON).await;
    site.server.reload(&bounded("1GB", "enabled")).unwrap();
    ready(&engine).await;
    works(&engine, &mut load, &site.client).await;
    // The server's own is looked at when it starts.
    for (limit, is_enough) in [("8MB", false), ("1GB", true)] {
        site.server.stop().unwrap();
        site.server.configure(&bounded(limit, "enabled")).unwrap();
        site.server.go_on().await.unwrap();
        if !is_enough {
            unready(&engine, REASON).await;
        }
    }
    ready(&engine).await;
    works(&engine, &mut load, &site.client).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_cluster_that_has_lost_most_of_its_servers_is_told_of_and_outlived() {
    let (user, password) = ("linesman", "engine-secret");
    let mut servers = Server::cluster(&config("enabled"), 3, (user, password)).await.unwrap();
    let url = servers.iter().map(|server| server.url(user, password)).collect::<Vec<_>>().join(",");
    let mut world = World::new().unwrap();
    world.configure("[nats]\nreplicas = 3\n");
    let mut engine = world.spawn(None, Launch { flags: &["--nats", &url], ..Launch::default() }).unwrap();
    engine.wait_ready().await.unwrap();
    let client = linesman::log::connect(&url, "test").await.unwrap();
    let mut load = Load::default();
    works(&engine, &mut load, &client).await;
    // One is no loss.
    servers[0].stop().unwrap();
    works(&engine, &mut load, &client).await;
    ready(&engine).await;
    // And none to an engine that is started meanwhile, though it is the first that is named.
    let (ended, _) = engine.terminate().await.unwrap();
    assert!(ended.success(), "{}", engine.log_tail());
    let mut engine = world.spawn(None, Launch { flags: &["--nats", &url], ..Launch::default() }).unwrap();
    engine.wait_ready().await.unwrap();
    works(&engine, &mut load, &client).await;
    servers[1].stop().unwrap();
    unready(&engine, "the stream IN has no ").await;
    unready(&engine, "the stream OUT has no ").await;
    servers[0].go_on().await.unwrap();
    ready(&engine).await;
    works(&engine, &mut load, &client).await;
    servers[1].go_on().await.unwrap();
    works(&engine, &mut load, &client).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

//! The commands of `docs/managers.md` do what it says, one after the other.

use linesman_tests::{World, event, run_script, scripts, until};

const DOCUMENT: &str = "docs/managers.md";

#[tokio::test]
async fn the_commands_of_the_document_are_done() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "WORK", "Low").replace("SNedge-01", "JN1234567890");
    log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    until("the device is known", async || engine.get("/api/v1/devices/acme/JN1234567890").await.ok()).await;
    std::os::unix::fs::symlink(world.data(), world.path("D")).unwrap();
    for script in scripts(DOCUMENT).unwrap() {
        let ended = run_script(world.root(), &script).await.unwrap();
        assert_eq!(ended.code, Some(0), "{script}\n{}{}", ended.stdout, ended.stderr);
    }
    assert!(engine.stop().await.unwrap().success());
}

//! A lane belongs to whoever took it last: the engine before is fenced off, and nothing is doubled.

use linesman_tests::{Launch, Load, OPEN_CASE, Out, World, until};

/// So many bundles come while the one takes over from the other, at most.
const ROUNDS: u64 = 500;

#[tokio::test]
async fn a_stale_engine_is_fenced_off() {
    let host = World::new().unwrap();
    let (old, new) = (World::new().unwrap(), World::new().unwrap());
    // The first one's files are in the log: who says the same loads nothing.
    for world in [&host, &old, &new] {
        world.policy("open-case", OPEN_CASE).unwrap();
    }
    let url = host.server().await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut stale = old.start_with(None, launch).await.unwrap();
    let client = stale.nats().await.unwrap();
    let mut load = Load::default();
    load.add("acme", 20);
    load.add("bolt", 20);
    load.publish_all(&client).await;
    load.wait_for_incidents(&stale).await.unwrap();

    // Both read and decide what comes now; only one may say it.
    let mut owner = new.spawn(None, launch).unwrap();
    let mut rounds = 0;
    while stale.is_running() {
        assert!(rounds < ROUNDS, "the stale engine goes on: {}", stale.log_tail());
        load.add("acme", 1);
        load.add("bolt", 1);
        load.publish_all(&client).await;
        rounds += 1;
        until("the bundles are incidents, or the stale engine has ended", async || {
            let is_behind = stale.incidents("acme").await.is_ok_and(|count| count < 20 + rounds);
            (!is_behind).then_some(())
        })
        .await;
    }
    owner.wait_ready().await.unwrap();
    assert_eq!(stale.ended().await.code(), Some(1));
    assert!(stale.log().contains("belongs to another engine now"), "{}", stale.log_tail());
    load.add("acme", 5);
    load.publish_all(&client).await;
    load.wait_for_incidents(&owner).await.unwrap();
    load.check(&Out::read(&client).await.unwrap()).unwrap();
    assert!(owner.stop().await.unwrap().success(), "{}", owner.log_tail());
}

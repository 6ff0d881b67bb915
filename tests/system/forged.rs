//! On a server whose clients share the engine's account, a reply reaches the lanes' marks: nothing stops, nothing is
//! lost or doubled.

use async_nats::Client;
use linesman_tests::{Engine, Launch, Load, OPEN_CASE, Out, World};

const LANES: u32 = 4;

/// Has the server write its answers where the marks stand.
async fn forge(client: &Client) {
    for lane in 0..LANES {
        client.publish_with_reply("$JS.API.STREAM.INFO.OUT", format!("w._mark.{lane}"), "".into()).await.unwrap();
    }
    // Answered after those before it.
    client.request("$JS.API.STREAM.INFO.OUT", "".into()).await.unwrap();
}

async fn carry(load: &mut Load, engine: &Engine, client: &Client) {
    for _ in 0..10 {
        load.add("acme", 3);
        load.add("bolt", 3);
        tokio::join!(load.publish_all(client), forge(client));
        load.wait_for_incidents(engine).await.unwrap();
        forge(client).await;
    }
}

/// How often a batch had to go behind a forged mark.
async fn count(engine: &Engine) -> u64 {
    let metrics = engine.get_text("/metrics").await.unwrap();
    let value = metrics.lines().find_map(|line| line.strip_prefix("linesman_foreign_marks_total ")).unwrap();
    value.parse().unwrap()
}

#[tokio::test]
async fn forged_marks_neither_stop_nor_double() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let url = world.server().await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut load = Load::default();
    for is_restarted in [false, true] {
        let mut engine = world.start_with(None, launch).await.unwrap();
        let client = engine.nats().await.unwrap();
        if is_restarted {
            assert!(count(&engine).await >= u64::from(LANES), "every lane was taken up behind a forged mark");
        }
        carry(&mut load, &engine, &client).await;
        assert_ne!(count(&engine).await, 0);
        load.check(&Out::read(&client).await.unwrap()).unwrap();
        engine.tells("somebody else writes where the lane's marks stand").await;
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    }
}

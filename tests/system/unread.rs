//! What IN acknowledges and no lane reads is set aside, once, whenever the engine is killed.

use linesman_tests::{Launch, Load, Strays, World, gauge, until, wait_accounted};

/// How often the engine is killed while it sets aside.
const KILLS: usize = 4;

#[tokio::test]
async fn what_leads_to_no_lane_is_a_dead_letter_once() {
    let world = World::new().unwrap();
    let mut strays = Strays::default();
    for kill in 0..KILLS {
        // It breaks off before and behind the mark, and is killed as it comes.
        let crash_points = match kill % 3 {
            0 => "emit::before-mark=6*off->panic",
            1 => "",
            _ => "emit::before-mark=8*off->panic",
        };
        let mut engine = world.spawn(None, Launch { crash_points, ..Launch::default() }).unwrap();
        if engine.wait_ready().await.is_ok() {
            let client = engine.nats().await.unwrap();
            strays.publish(&client).await;
            strays.publish_as_engine(&engine.nats_as_engine().await.unwrap()).await;
            strays.publish(&client).await;
        }
        engine.kill().unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    let as_engine = engine.nats_as_engine().await.unwrap();
    let before = strays.count();
    strays.publish_as_engine(&as_engine).await;
    strays.publish(&client).await;
    strays.publish_as_engine(&as_engine).await;
    assert_eq!(strays.count(), before + 9, "NATS takes them");
    let mut load = Load::default();
    load.add("acme", 3);
    load.publish_all(&client).await;
    load.wait_for_incidents(&engine).await.unwrap();
    strays.check(&as_engine).await.unwrap();
    wait_accounted(&engine).await.unwrap();
    let text = engine.get_text("/metrics").await.unwrap();
    let of = |name: &str| gauge(&text, name).unwrap();
    assert!(of("linesman_in_set_aside_messages") >= 9.0 && of("linesman_in_decided_messages") >= 3.0, "{text}");
    let listed = until("they are listed", async || {
        let page = engine.get("/api/v1/dead-letters?reason=unknown-subject").await.unwrap();
        page["items"].as_array().filter(|items| items.len() >= strays.count()).cloned()
    })
    .await;
    assert!(listed.iter().all(|letter| letter["organization"].is_null()), "{listed:?}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

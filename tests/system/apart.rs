//! An upstream that fails for one organization's cases holds up nobody else's.

use linesman_tests::{Load, OPEN_CASE, Upstream, World, until};
use serde_json::json;

#[tokio::test]
async fn one_organization_whose_cases_fail_holds_up_no_other() {
    let mut world = World::new().unwrap();
    world.lanes = 1;
    // Whoever is left alone is so for longer than any test has patience.
    world.configure("\n[settings]\nretry_base_s = 1\nretry_most_s = 1\ncircuit_rest_s = 600\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    upstream.control(&json!({"status": 500, "about": "acme-"})).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let client = engine.nats().await.unwrap();
    let mut load = Load::default();
    load.add("acme", 12);
    load.publish_all(&client).await;
    let circuits = until("the upstream is found to fail", async || {
        let circuits = engine.get("/api/v1/status").await.unwrap()["circuits"].as_array().unwrap().clone();
        (!circuits.is_empty()).then_some(circuits)
    })
    .await;
    assert_eq!(circuits.iter().map(|one| &one["organization"]).collect::<Vec<_>>(), ["acme"]);
    load.add("bolt", 2);
    load.publish_all(&client).await;
    until("another's case is taken", async || (upstream.cases().await.unwrap() == 1).then_some(())).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

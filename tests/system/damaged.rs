//! What is damaged on disk is found: the state comes back from the log, whatever was flipped in it.

use linesman_tests::{Load, OPEN_CASE, Out, Random, World, flip};

/// How often bits are flipped.
const ROUNDS: usize = 4;
/// How many at a time.
const FLIPS: usize = 24;

#[tokio::test]
async fn a_state_with_flipped_bits_is_rebuilt_and_nothing_is_said_again() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    for org in ["acme", "bolt", "cobalt", "dory"] {
        load.add(org, 50);
    }
    load.publish_all(&engine.nats().await.unwrap()).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    let mut random = Random::from_environment();
    let mut told = 0;
    for round in 0..ROUNDS {
        flip(&world.data().join("state/db"), FLIPS, &mut random).unwrap();
        let mut engine = world.start(None).await.unwrap();
        for (org, count) in load.incidents() {
            assert_eq!(engine.incidents(org).await.unwrap(), count, "{org} in round {round}");
        }
        load.check(&Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap()).unwrap();
        // sled takes what is damaged for the end of what was written, or the store is damaged.
        let log = engine.log();
        told = log.matches("the state stands behind the mark: what is between is decided again").count();
        told += log.matches("the store is set aside and rebuilt from the log").count();
        assert!(engine.stop().await.unwrap().success());
    }
    assert!(told > 0, "nothing that was flipped was of any account");
}

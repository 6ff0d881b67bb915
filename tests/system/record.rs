//! What `linesman record` writes down is decided again, without a server, to where the lanes stand.

use std::os::unix::fs::PermissionsExt;

use linesman::log::mark;
use linesman::record::reader::Reader;
use linesman::record::replay::{Replica, Shelf};
use linesman_domain::state::Memory;
use linesman_tests::{LANES, Load, OPEN_CASE, Upstream, World, run, until};
use serde_json::json;

/// Position and digest of each lane's last mark.
async fn marks(client: &async_nats::Client) -> Vec<(u64, String)> {
    let mut marks = Vec::new();
    for lane in 0..LANES {
        let mark = mark::last(client, lane).await.unwrap().stored.unwrap().mark;
        marks.push((mark.position, mark.digest));
    }
    marks
}

#[tokio::test]
async fn a_recorded_log_leads_to_the_marks() {
    let mut world = World::new().unwrap();
    let upstream = Upstream::start(world.root()).await.unwrap();
    upstream.control(&json!({"assign_after_ms": 0})).await.unwrap();
    world.configure("\n[settings]\ncase_poll_s = 86400\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let client = engine.nats().await.unwrap();
    let mut load = Load::default();
    for org in ["acme", "bolt", "cobalt", "dory"] {
        load.add(org, 12);
    }
    load.publish_all(&client).await;
    load.wait_for_incidents(&engine).await.unwrap();
    let log = async_nats::jetstream::new(client);
    log.publish("in.acme.jmb.test", vec![0xff, 0].into()).await.unwrap().await.unwrap();
    until("every case is reported", async || (upstream.cases().await.unwrap() >= 18).then_some(())).await;

    // While reports still come, what is recorded ends somewhere; afterwards it is all.
    let data = world.data();
    let (data, dir) = (data.to_str().unwrap(), world.path("recorded"));
    let ended = run(&["record", dir.to_str().unwrap(), "--data-dir", data]).await.unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let refused = run(&["record", dir.to_str().unwrap(), "--data-dir", data]).await.unwrap();
    let expected = format!(
        "error: give another folder, or `--force` to replace what was recorded there\n  because: `{}` is not empty\n",
        dir.display()
    );
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(1), expected.as_str()));
    let client = engine.nats_as_engine().await.unwrap();
    let url = world.engine_url().unwrap();
    until("lanes are at rest while the log is recorded", async || {
        let before = marks(&client).await;
        let ended = run(&["record", dir.to_str().unwrap(), "--force", "--nats", &url]).await.unwrap();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let reader = Reader::open(&dir).unwrap();
        let last = reader.last().unwrap().unwrap().message.sequence;
        let is_whole = before.iter().any(|(position, _)| *position == last);
        (is_whole && marks(&client).await == before).then_some(())
    })
    .await;
    for file in ["inputs", "books"] {
        let mode = dir.join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} is its owner's alone");
    }

    let reader = Reader::open(&dir).unwrap();
    let header = reader.header().clone();
    assert_eq!(header.lanes, LANES);
    let mut shelf = Shelf::of_log(&dir).unwrap();
    let open =
        |lane, shelf: &mut Shelf| Replica::open(Box::new(Memory::default()), lane, &header.stream, shelf).unwrap();
    let mut lanes: Vec<Replica> = (0..LANES).map(|lane| open(lane, &mut shelf)).collect();
    for entry in reader {
        let entry = entry.unwrap();
        lanes[entry.lane as usize].decide(&entry, &mut shelf).unwrap();
    }
    let digest = |digest: [u8; 32]| -> String { digest.iter().map(|byte| format!("{byte:02x}")).collect() };
    let replayed: Vec<_> =
        lanes.iter().map(|lane| (lane.position().sequence, digest(lane.position().digest))).collect();
    assert_eq!(replayed, marks(&client).await);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn the_public_login_records_nothing() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let dir = world.path("recorded");
    let public = engine.ready().unwrap().nats.clone();
    let refused = run(&["record", dir.to_str().unwrap(), "--nats", &public]).await.unwrap();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(!dir.exists(), "nothing was begun");
    assert!(engine.stop().await.unwrap().success());
}

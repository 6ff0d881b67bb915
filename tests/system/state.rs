//! The state may be deleted: it comes back from the log, digest for digest, and nothing is said again.

use linesman::log::mark;
use linesman::log::streams::last_of_lane;
use linesman::store::Store;
use linesman_domain::state::Writes;
use linesman_domain::table::Table;
use linesman_domain::timers;
use linesman_tests::{Engine, Launch, Load, OPEN_CASE, Out, Upstream, World, event, until};
use serde_json::json;

const ON_ANY: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { publish("seen", #{ id: incident.id, org: org.name }); }
"#;
const ON_ANY_LATER: &str = r#"
policy(#{ on: "incident.detected", where: #{ organization: "acme" } });
fn react(incident, org) { set_priority("Low"); publish("seen-later", #{ id: incident.id }); }
"#;

/// The subjects and ids of all that was said, in order.
async fn said(engine: &Engine) -> Vec<(String, String)> {
    let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    out.0.into_iter().map(|event| (event.subject, event.event.id)).collect()
}

async fn wait_for(engine: &Engine, subject: &str, count: usize) {
    let client = engine.nats_as_engine().await.unwrap();
    until(subject, async || (Out::read(&client).await.unwrap().on(subject).count() >= count).then_some(())).await;
}

/// A log in which policies, settings and organizations changed on the way, and in which a bundle came
/// again after its host-event-ID was forgotten.
async fn lead_a_life(world: &mut World, upstream: &Upstream) -> Vec<(String, String)> {
    // Cases have their ids at once, so that no poll moves the log on while we look.
    upstream.control(&json!({"assign_after_ms": 0})).await.unwrap();
    world.configure("\n[settings]\ncase_poll_s = 86400\nhost_event_retention_s = 1\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    world.policy("on-any", ON_ANY).unwrap();
    let mut engine = world.start(Some(upstream)).await.unwrap();
    let client = engine.nats().await.unwrap();
    let mut load = Load::default();
    for org in ["acme", "bolt", "cobalt", "dory"] {
        load.add(org, 12);
    }
    load.publish_all(&client).await;
    load.wait_for_incidents(&engine).await.unwrap();
    for org in ["acme", "bolt", "cobalt"] {
        wait_for(&engine, &format!("out.{org}.trigger.case.assigned"), 6).await;
    }
    let jetstream = async_nats::jetstream::new(client);
    until("a host-event-ID is forgotten", async || {
        let again = event("again-01", 1, "AGAIN", "Low");
        jetstream.publish("in.bolt.jmb.test", again.into()).await.unwrap().await.unwrap();
        (engine.incidents("bolt").await.unwrap() >= 14).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success());

    world.forget_configuration();
    world.configure("\n[settings]\ncase_poll_s = 86400\n");
    world.policy("on-any", ON_ANY_LATER).unwrap();
    world.organization("erle", "Send all information");
    world.organization("acme", "Do not send");
    world.without_organization("dory");
    let mut engine = world.start(Some(upstream)).await.unwrap();
    let mut load = Load::behind(1_000);
    for org in ["acme", "bolt", "erle"] {
        load.add(org, 6);
    }
    let client = engine.nats().await.unwrap();
    load.publish_all(&client).await;
    client.publish("in.dory.jmb.test", event("d-01", 1, "SUSPENDED", "Low").into()).await.unwrap();
    client.flush().await.unwrap();
    wait_for(&engine, "out.acme.reaction.seen-later", 6).await;
    wait_for(&engine, "out.erle.trigger.case.assigned", 3).await;
    wait_for(&engine, "out.bolt.trigger.case.assigned", 9).await;
    wait_for(&engine, "out.dory.dead.organization-suspended", 1).await;
    let said = said(&engine).await;
    assert!(engine.stop().await.unwrap().success());
    said
}

#[tokio::test]
async fn deleted_state_comes_back_and_nothing_is_said_again() {
    let mut world = World::new().unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let first = lead_a_life(&mut world, &upstream).await;
    let cases = upstream.cases().await.unwrap();

    let mut before = world.lanes().unwrap();
    // Timers that fall due meanwhile move a lane on; soon none is left.
    for round in 0.. {
        assert!(round < 10, "the lanes do not come to rest");
        world.delete_state().unwrap();
        let mut engine = world.start(Some(&upstream)).await.unwrap();
        assert_eq!(said(&engine).await, first);
        assert!(engine.stop().await.unwrap().success());
        let after = world.lanes().unwrap();
        let positions = |lanes: &[(u64, _)]| lanes.iter().map(|(position, _)| *position).collect::<Vec<_>>();
        if positions(&before) == positions(&after) {
            assert_eq!(before, after);
            break;
        }
        before = after;
    }
    assert_eq!(upstream.cases().await.unwrap(), cases);
}

#[tokio::test]
async fn two_engines_on_one_log_come_to_the_same() {
    let host = World::new().unwrap();
    let (one, other) = (World::new().unwrap(), World::new().unwrap());
    // The first one's files are in the log: who says the same loads nothing.
    for world in [&host, &one, &other] {
        world.policy("open-case", OPEN_CASE).unwrap();
        world.policy("on-any", ON_ANY).unwrap();
    }
    let url = host.server().await.unwrap();
    let launch = Launch { flags: &["--nats", &url], ..Launch::default() };
    let mut engine = one.start_with(None, launch).await.unwrap();
    let mut load = Load::default();
    for org in ["acme", "bolt", "cobalt", "dory"] {
        load.add(org, 25);
    }
    load.publish_all(&engine.nats().await.unwrap()).await;
    load.wait_for_incidents(&engine).await.unwrap();
    assert!(engine.stop().await.unwrap().success());

    let mut engine = other.start_with(None, launch).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    assert_eq!(one.lanes().unwrap(), other.lanes().unwrap());
}

/// The rule book is in a stream of its own, which may be lost alone.
#[tokio::test]
async fn a_rule_book_that_the_server_lost_is_brought_again() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats_as_engine().await.unwrap();
    async_nats::jetstream::new(client).delete_object_store("linesman-rule-books").await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// What a lane sends itself begins so.
const READING: &[u8] = b"{\"clock\":";

/// Time passes for a lane by its inputs; when none comes and something is due, it sends itself one.
#[tokio::test]
async fn an_idle_lane_ticks_when_something_is_due() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    let due = jiff::Timestamp::now();
    {
        let store = Store::open(&world.data().join("state")).unwrap();
        let timer = (timers::pruning(due).into_bytes(), Some(Vec::new()));
        store.lane(2).unwrap().apply(&Writes { batch: 1, rows: vec![timer] }).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats_as_engine().await.unwrap();
    until("a tick", async || {
        let last = last_of_lane(&client, 2).await.unwrap();
        let (_, bytes) = mark::input(&client, last).await.unwrap().unwrap();
        bytes.starts_with(READING).then_some(())
    })
    .await;
    for lane in [0, 1, 3] {
        let last = last_of_lane(&client, lane).await.unwrap();
        let (_, bytes) = mark::input(&client, last).await.unwrap().unwrap();
        assert!(!bytes.starts_with(READING), "nothing is due in lane {lane}");
    }
    assert!(engine.stop().await.unwrap().success());
    let store = Store::open(&world.data().join("state")).unwrap();
    assert!(Table::read(&store.lane(2).unwrap(), &timers::pruning(due)).unwrap().is_none(), "it has fired");
}

//! What an engine sets aside by itself is so again whenever it is decided again: a policy that takes too long, an input whose
//! reading panics.

use std::cell::Cell;

use linesman::log::overrides;
use linesman::log::streams::lane_of;
use linesman_tests::{LANES, Launch, OPEN_CASE, Out, World, event, until};
use serde_json::json;

use super::policies::metric;
use super::stopped::{is_ready, publish, readiness, said, wait_for_incidents};

const NOTED: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { publish("NAME", #{ id: incident.id }); }
"#;
/// Some 40,000 operations: more of the processor's time than a millisecond, on whatever machine.
const SLOW: &str = r#"
policy(#{ on: "incident.detected", where: #{ organization: "acme" } });
fn react(incident, org) { let n = 0; for i in 0..9000 { n += 1; } publish("slow", #{ n: n }); }
"#;

/// At its end a bundle says that reading it panics.
const UNREADABLE: &str = "<!-- unreadable -->\n";

#[tokio::test]
async fn a_policy_that_takes_too_long_is_set_aside_for_the_input_alone() {
    let world = World::new().unwrap();
    for name in ["a-noted", "z-noted"] {
        world.policy(name, &NOTED.replace("NAME", name)).unwrap();
    }
    world.policy("slow", SLOW).unwrap();
    let quick = ["--set", "policy_time_ms=1"];
    let mut engine = world.start_with(None, Launch { flags: &quick, ..Launch::default() }).await.unwrap();
    assert!(engine.stop().await.unwrap().success());

    // Killed before it is written that the policy is set aside, then behind that, then before the decision is committed: the
    // lanes take themselves over first.
    let mut sick = 0;
    for point in ["override::before=panic", "override::after=panic", "emit::before-mark=4*off->panic"] {
        let launch = Launch { flags: &quick, crash_points: point, ..Launch::default() };
        let mut engine = world.spawn(None, launch).unwrap();
        if sick == 0 {
            engine.wait_ready().await.unwrap();
            sick = publish(&engine.nats().await.unwrap(), "acme", event("edge", 1, "SLOW", "Low")).await;
        }
        assert!(!engine.ended().await.success(), "{point}: {}", engine.log_tail());
    }
    let mut engine = world.start_with(None, Launch { flags: &quick, ..Launch::default() }).await.unwrap();
    wait_for_incidents(&engine, "acme", 1).await;
    let client = engine.nats().await.unwrap();
    publish(&client, "bolt", event("edge", 1, "QUICK", "Low")).await;
    wait_for_incidents(&engine, "bolt", 1).await;

    let own = engine.nats_as_engine().await.unwrap();
    let out = Out::read(&own).await.unwrap();
    for name in ["a-noted", "z-noted"] {
        assert_eq!(out.on(&format!("out.acme.reaction.{name}")).count(), 1, "{name}");
    }
    assert_eq!(out.on("out.acme.reaction.slow").count(), 0);
    let letters: Vec<_> = out.on("out.acme.dead.policy-failed").collect();
    assert_eq!((letters.len(), &letters[0].data["sequence"]), (1, &json!(sick)));
    assert_eq!(letters[0].data["policy"]["name"], "slow");
    let audits: Vec<_> = out.on("out._provider.audit.set-policy-aside").collect();
    assert_eq!((audits.len(), &audits[0].data["new"]["policy"]), (1, &json!("slow")));
    assert_eq!(audits[0].data["principal"]["kind"], "machine");
    let before = said(&own).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Where a run may take longer, what was decided stays decided; the next input is judged by all.
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(readiness(&engine).await.0, 200, "{}", engine.log_tail());
    let own = engine.nats_as_engine().await.unwrap();
    assert_eq!(said(&own).await, before);
    publish(&engine.nats().await.unwrap(), "acme", event("edge", 2, "SLOW", "Low")).await;
    until("it is judged by all", async || {
        (Out::read(&own).await.unwrap().on("out.acme.reaction.slow").count() == 1).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_policy_that_takes_too_long_again_and_again_is_suspended_until_its_text_is_another() {
    let world = World::new().unwrap();
    world.policy("slow", SLOW).unwrap();
    let quick = ["--set", "policy_time_ms=1"];
    let mut engine = world.start_with(None, Launch { flags: &quick, ..Launch::default() }).await.unwrap();
    let (client, own) = (engine.nats().await.unwrap(), engine.nats_as_engine().await.unwrap());
    for count in 1..=7 {
        publish(&client, "acme", event("edge", count, "SLOW", "Low")).await;
    }
    wait_for_incidents(&engine, "acme", 7).await;
    let out = Out::read(&own).await.unwrap();
    let audited = |operation: &str| out.on(&format!("out._provider.audit.{operation}")).count();
    assert_eq!((audited("set-policy-aside"), audited("suspend-policy")), (4, 1));
    assert_eq!(out.on("out.acme.dead.policy-failed").count(), 7, "what it has not judged is not lost");
    assert_eq!(metric(&engine, "linesman_policies_set_aside_total").await, "5");

    world.policy("slow", &NOTED.replace("NAME", "mended")).unwrap();
    let count = Cell::new(7);
    until("the other text judges", async || {
        count.set(count.get() + 1);
        publish(&client, "acme", event("edge", count.get(), "SLOW", "Low")).await;
        (Out::read(&own).await.unwrap().on("out.acme.reaction.mended").count() > 0).then_some(())
    })
    .await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let mut engine = world.start_with(None, Launch { flags: &quick, ..Launch::default() }).await.unwrap();
    let before = said(&engine.nats_as_engine().await.unwrap()).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Where a run may take longer, what was decided stays decided.
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(readiness(&engine).await.0, 200, "{}", engine.log_tail());
    assert_eq!(said(&engine.nats_as_engine().await.unwrap()).await, before);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn an_input_whose_reading_panics_is_set_aside_and_all_else_goes_on() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    // Behind the engine's start a lane is not taken up at once: then it is tried again.
    let crash_points = format!("decode::input=panic;lane::start={LANES}*off->3*return->off");
    let launch = Launch { crash_points: &crash_points, unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let client = engine.nats().await.unwrap();
    publish(&client, "acme", event("edge", 1, "BEFORE", "Low")).await;
    let sick = publish(&client, "acme", event("edge", 2, "SICK", "Low") + UNREADABLE).await;
    publish(&client, "acme", event("edge", 3, "BEHIND", "Low")).await;
    publish(&client, "bolt", event("edge", 1, "OTHER", "Low")).await;
    wait_for_incidents(&engine, "acme", 2).await;
    wait_for_incidents(&engine, "bolt", 1).await;
    is_ready(&engine).await;
    engine.tells("the lane cannot be taken up; it is tried again").await;
    assert_ne!(metric(&engine, "linesman_panics_total").await, "0");

    let own = engine.nats_as_engine().await.unwrap();
    let out = Out::read(&own).await.unwrap();
    let letters: Vec<_> = out.on("out.acme.dead.input-skipped").collect();
    assert_eq!((letters.len(), &letters[0].data["sequence"]), (1, &json!(sick)));
    let audits: Vec<_> = out.on("out._provider.audit.skip-input").collect();
    assert_eq!((audits.len(), &audits[0].data["principal"]["kind"]), (1, &json!("machine")));
    let before = said(&own).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // Decided again it is set aside again: by a program that still panics over it, and by one that would read it.
    for crash_points in ["decode::input=panic", ""] {
        world.delete_state().unwrap();
        let launch = Launch { crash_points, unwinds: true, ..Launch::default() };
        let mut engine = world.start_with(None, launch).await.unwrap();
        assert_eq!(readiness(&engine).await.0, 200, "{}", engine.log_tail());
        assert_eq!(engine.incidents("acme").await.unwrap(), 2, "{crash_points}");
        assert_eq!(said(&engine.nats_as_engine().await.unwrap()).await, before, "{crash_points}");
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    }
}

#[tokio::test]
async fn what_was_set_aside_stays_so_though_out_has_lost_it() {
    let (host, world) = (World::new().unwrap(), World::new().unwrap());
    world.policy("open-case", OPEN_CASE).unwrap();
    let url = host.server().await.unwrap();
    let (client, flags) = (linesman::log::connect(&url, "test").await.unwrap(), ["--nats", url.as_str()]);
    let acme = lane_of("acme", LANES);
    let launch = Launch { flags: &flags, crash_points: "decode::input=panic", unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    publish(&client, "acme", event("edge", 1, "SICK", "Low") + UNREADABLE).await;
    publish(&client, "acme", event("edge", 2, "BEHIND", "Low")).await;
    wait_for_incidents(&engine, "acme", 1).await;

    let log = async_nats::jetstream::new(client.clone());
    for is_deleted in [false, true] {
        assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
        if is_deleted {
            log.delete_stream("OUT").await.unwrap();
        } else {
            log.get_stream("OUT").await.unwrap().purge().await.unwrap();
        }
        world.delete_state().unwrap();
        // This one would read it.
        engine = world.start_with(None, Launch { flags: &flags, ..Launch::default() }).await.unwrap();
        assert_eq!(engine.incidents("acme").await.unwrap(), 1, "{}", engine.log_tail());
        engine.tells("OUT has lost an override; it is written again").await;
        assert_eq!(overrides::behind(&client, acme, 0).await.unwrap().0.len(), 1);
        assert_eq!(Out::read(&client).await.unwrap().on("out.acme.dead.input-skipped").count(), 1);
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

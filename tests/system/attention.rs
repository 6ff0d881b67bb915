//! What works and waits for somebody is told by `status`, by its exit code, beside the list of policies, and in the log.

use linesman_tests::{Engine, Load, OPEN_CASE, World, event, run, until};

const THROWS: &str = r#"
policy(#{ on: "incident.detected", where: #{ organization: "acme" } });
fn react(incident, org) { throw "oh"; }
"#;

/// Exit code and output of a command.
async fn said(world: &World, args: &[&str]) -> (Option<i32>, String, String) {
    let data = world.data();
    let ended = run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
    (ended.code, ended.stdout, ended.stderr)
}

async fn publish(engine: &Engine, subject: &str, text: String) {
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    log.publish(subject.to_owned(), text.into()).await.unwrap().await.unwrap();
}

#[tokio::test]
async fn status_and_its_exit_code_tell_what_waits_for_somebody() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    world.policy("throws", THROWS).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let (code, stdout, _) = said(&world, &["status"]).await;
    assert_eq!(code, Some(0), "{stdout}");

    let mut load = Load::default();
    load.add("acme", 3);
    load.publish_all(&engine.nats().await.unwrap()).await;
    publish(&engine, "in.dory.jmb.t", event("edge-01", 1, "HELD", "High")).await;
    publish(&engine, "in.bolt.jmb.t", "<jmb".to_owned()).await;
    world.policy("broken", "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { nothing( }").unwrap();
    let (code, stdout, _) = until("all of it is told", async || {
        let told = said(&world, &["status"]).await;
        let words = ["policy throws has failed 3 times", "1 case is withheld", "policy file broken.rhai is refused"];
        let letters = "4 dead letters were not replayed: bundle-undecodable 1, policy-failed 3";
        (words.into_iter().chain([letters]).all(|words| told.1.contains(words))).then_some(told)
    })
    .await;
    assert_eq!(code, Some(3), "{stdout}");
    // JSON has the same exit code.
    assert_eq!(said(&world, &["status", "--json"]).await.0, Some(3));
    let (code, stdout, stderr) = said(&world, &["policy", "list"]).await;
    let row = stdout.lines().find(|line| line.starts_with("throws ")).unwrap();
    assert!(code == Some(0) && row.split_whitespace().any(|cell| cell == "3"), "{stdout}");
    assert!(stderr.contains("the policy file broken.rhai is refused, line 2: "), "{stderr}");
    let warned = engine.log().lines().filter(|line| line.contains("a policy fails\"")).count();
    assert_eq!(warned, 1, "{}", engine.log_tail());
    assert!(engine.stop().await.unwrap().success());

    let (code, ..) = said(&world, &["status"]).await;
    assert_eq!(code, Some(1), "nobody answers");
}

//! Texts of scripts, devices and people steer no terminal: not as a table, a card, JSON, an event, or a line of the log.

use linesman_tests::{World, event, run, until};
use serde_json::{Value, json};

/// What a terminal would obey: the order of writing turned, a screen cleared by either kind of control, a line overwritten.
const HOSTILE: &str = "turn \u{202e}ed \u{2066}over\u{9b}2J tag\u{e0041}";

/// What a script makes of escapes is as hostile, and may hold what no bundle can.
const POLICY: &str = r#"
//! Tells \u{202e} of it.
policy(#{ on: "incident.detected" });
fn react(incident, org) {
    let clear = "clear \x1b[2J\x07 " + incident.synopsis;
    log(clear, #{ what: clear });
    publish("told", #{ what: clear });
    throw clear;
}
"#;

fn is_harmless(text: &str) -> bool {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    !text.chars().any(|c| {
        steers(c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
    })
}

#[tokio::test]
async fn no_text_from_outside_steers_a_terminal() {
    let world = World::new().unwrap();
    world.policy("acme/tells", &POLICY.replace("\\u{202e}", "\u{202e}")).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "WORK", "Critical").replace("synopsis 1 of", HOSTILE);
    log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    let incident = until("the incident is there", async || engine.get("/api/v1/incidents/acme-1").await.ok()).await;
    assert!(incident["synopsis"].as_str().unwrap().contains(HOSTILE), "{incident}");
    let note = engine.api().unwrap().post("/api/v1/incidents/acme-1/annotate", json!({"note": "\u{202e}seen"})).await;
    assert_eq!(note.unwrap().status, 200);
    let data = world.data();
    let mut escaped = 0;
    for args in [
        &["incident", "list"][..],
        &["incident", "show", "acme-1"],
        &["incident", "list", "--json"],
        &["incident", "show", "acme-1", "--json"],
        &["incident", "show", "\u{202e}-1"],
        &["device", "list", "--organization", "acme"],
        &["policy", "list"],
        &["policy", "list", "--json"],
        &["dead", "list"],
        &["dead", "list", "--json"],
        &["audit", "list", "--json"],
    ] {
        let ended = run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
        assert!(is_harmless(&ended.stdout) && is_harmless(&ended.stderr), "{args:?}: {ended:?}");
        escaped += ended.stdout.matches("\\u202e").count() + ended.stderr.matches("\\u202e").count();
        if args.contains(&"show") && args.contains(&"--json") {
            let shown: Value = serde_json::from_str(&ended.stdout).unwrap();
            assert_eq!(shown["synopsis"], incident["synopsis"], "JSON stays what it was");
        }
    }
    assert!(escaped >= 6, "what is there is seen: {escaped}");
    assert!(is_harmless(&engine.log()), "{}", engine.log_tail());
    assert!(engine.stop().await.unwrap().success());
}

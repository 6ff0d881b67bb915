//! Addresses and contracts of a running engine: imported whole or not at all, seen by their organization, and heard of.

use std::path::Path;

use linesman_rules::LIBRARY;
use linesman_tests::{Ended, Out, World, event, run, until};
use serde_json::{Value, json};

/// Runs the command line on an engine's data directory.
async fn cli(data: &Path, args: &[&str]) -> Ended {
    run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap()
}

fn stock(name: &str) -> &'static str {
    LIBRARY.iter().find(|(file, _)| file.strip_suffix(".rhai") == Some(name)).unwrap().1
}

#[tokio::test]
async fn what_is_imported_is_all_right_and_is_heard_of() {
    let world = World::new().unwrap();
    for name in ["without-address", "contracts-ending"] {
        world.policy(name, stock(name)).unwrap();
    }
    let mut engine = world.start(None).await.unwrap();
    let data = world.data();
    let file = |name: &str, text: &str| {
        std::fs::write(world.path(name), text).unwrap();
        world.path(name).to_str().unwrap().to_owned()
    };

    let groups = "\u{feff}name,contact,address\r\nberlin,\"Ann, desk 3\",\"Gate 3\n10115 Berlin\"\r\nparis,,Rue 1\r\n";
    let path = file("groups.csv", groups);
    let dry = cli(&data, &["address", "import", "acme", &path, "--dry-run"]).await;
    assert_eq!(
        (dry.code, dry.stdout.trim()),
        (Some(0), "2 lines are right, and would be taken; nothing is imported"),
        "{}",
        dry.stderr
    );
    assert_eq!(engine.get("/api/v1/organizations/acme/addresses").await.unwrap(), json!({"groups": [], "devices": []}));
    let done = cli(&data, &["address", "import", "acme", &path]).await;
    assert_eq!((done.code, done.stdout.trim()), (Some(0), "2 lines are imported"), "{}", done.stderr);

    let wrong = "serial_number,ship_to\nSN1,berlin\nSN2,pairs\nSN1,paris\nSN3\n,paris\nSN4,berlin\n";
    let refused = cli(&data, &["address", "import", "acme", &file("wrong.csv", wrong)]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    for fault in [
        "line 3: there is no address group `pairs`",
        "line 4: `SN1` stands in line 2 already",
        "line 5: has 1 fields, and there are 2 columns",
        "line 6: `serial_number` is empty",
    ] {
        assert!(refused.stderr.contains(fault), "{fault}: {}", refused.stderr);
    }
    let kept = engine.get("/api/v1/organizations/acme/addresses").await.unwrap();
    assert_eq!((kept["groups"].as_array().unwrap().len(), &kept["devices"]), (2, &json!([])), "nothing is imported");

    // What is exported is imported again, into another organization, as it was.
    let exported = cli(&data, &["address", "export", "acme"]).await;
    let again = file("again.csv", &exported.stdout);
    assert_eq!(cli(&data, &["address", "import", "bolt", &again]).await.code, Some(0));
    let of_bolt = engine.get("/api/v1/organizations/bolt/addresses").await.unwrap();
    assert_eq!(of_bolt["groups"], kept["groups"]);
    assert_eq!(of_bolt["groups"][0]["address"], "Gate 3\n10115 Berlin");

    // More lines than one command takes.
    let many: String = (0..450).map(|number| format!("S{number},berlin,paris\n")).collect();
    let many = file("many.csv", &format!("serial_number,ship_to,location\n{many}"));
    assert_eq!(cli(&data, &["address", "import", "bolt", &many]).await.stdout.trim(), "450 lines are imported");
    let of_bolt = engine.get("/api/v1/organizations/bolt/addresses").await.unwrap();
    assert_eq!(of_bolt["devices"].as_array().unwrap().len(), 450);
    let removed = cli(&data, &["address", "remove", "bolt", "paris"]).await;
    assert_ne!(removed.code, Some(0), "devices name it");

    let soon =
        jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(jiff::Span::new().days(9));
    let contracts = format!(
        "agreement_number,sku,end,serial_number,status\nA-17,SVC,{soon},SN1,Active\nA-18,SVC,2090-01-01,SN1,\n"
    );
    let contracts = file("contracts.csv", &contracts);
    let dry = cli(&data, &["contract", "import", "acme", &contracts, "--dry-run"]).await;
    let would = "2 lines are right, and would be taken; nothing is imported";
    assert_eq!((dry.code, dry.stdout.trim()), (Some(0), would), "{}", dry.stderr);
    let dry = cli(&data, &["contract", "import", "nobody", &contracts, "--dry-run"]).await;
    assert_eq!(
        (dry.code, dry.stdout.trim()),
        (Some(1), ""),
        "the engine takes it of no organization that there is not"
    );
    let none = cli(&data, &["contract", "list", "acme", "--json"]).await;
    assert_eq!(none.stdout.trim(), "", "{}", none.stderr);
    let imported = cli(&data, &["contract", "import", "acme", &contracts]).await;
    assert_eq!(imported.stdout.trim(), "2 lines are imported", "{}", imported.stderr);
    let shown = cli(&data, &["contract", "list", "acme", "--json"]).await;
    assert_eq!(shown.stdout.lines().count(), 2, "{}", shown.stdout);

    let client = engine.nats().await.unwrap();
    client.publish("in.acme.jmb.test", event("edge-01", 1, "CASE", "Low").into()).await.unwrap();
    client.flush().await.unwrap();
    let reader = engine.nats_as_engine().await.unwrap();
    until("both triggers are told of, and logged", async || {
        let out = Out::read(&reader).await.ok()?;
        let ends: Vec<&Value> = out.on("out.acme.trigger.contract.expiring").map(|event| &event.data).collect();
        let lacks = out.on("out.acme.trigger.incident.without-address").count();
        let logged = out.on("out.acme.reaction.log").count();
        assert!(ends.len() <= 1 && lacks <= 1 && logged <= 2, "each once");
        let [end] = ends[..] else { return None };
        assert_eq!((&end["agreement_number"], &end["has_ended"]), (&json!("A-17"), &json!(false)));
        (lacks == 1 && logged == 2).then_some(())
    })
    .await;
    let out = Out::read(&reader).await.unwrap();
    assert_eq!(out.on("out.bolt.trigger.contract.expiring").count(), 0);

    // From the log alone it is the same again, and nothing is told twice.
    assert!(engine.stop().await.unwrap().success());
    world.delete_state().unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(engine.get("/api/v1/organizations/bolt/addresses").await.unwrap(), of_bolt);
    let reader = engine.nats_as_engine().await.unwrap();
    let out = Out::read(&reader).await.unwrap();
    assert_eq!(out.on("out.acme.trigger.contract.expiring").count(), 1);
    let gone = cli(&data, &["contract", "remove", "acme", "A-17"]).await;
    assert_eq!(gone.stdout.trim(), "changed", "{}", gone.stderr);
    let nothing = cli(&data, &["contract", "remove", "acme", "A-17"]).await;
    assert!(nothing.stderr.contains("there is no contract `A-17`"), "{}", nothing.stderr);
    assert!(engine.stop().await.unwrap().success());
}

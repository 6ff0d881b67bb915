//! What old devices send becomes an incident whatever the encoding it says, its damage is told, and what leaves of it everybody
//! can read.

use std::collections::BTreeMap;
use std::io::Read as _;

use linesman_schemas::bundle::{Edition, decode_in};
use linesman_tests::{OPEN_CASE, World, event, run, until};
use serde_json::{Value, json};

/// A bundle in an encoding, with a log, both as bytes.
fn labelled(number: u64, label: &str, platform: &[u8], log: &[u8]) -> Vec<u8> {
    let whole = event("edge-01", number, "OLD", "Critical").replace("UTF-8", label).replace(">junos<", ">PLATFORM<");
    let whole = whole.replace("</jmb>", "<logs><log name=\"messages\">LOG</log></logs></jmb>");
    let (front, rest) = whole.split_once("PLATFORM").unwrap();
    let (middle, end) = rest.split_once("LOG").unwrap();
    [front.as_bytes(), platform, middle.as_bytes(), log, end.as_bytes()].concat()
}

#[tokio::test]
async fn it_becomes_an_incident_and_leaves_as_everybody_reads_it() {
    let mut world = World::new().unwrap();
    world.mode = "offline";
    world.organization("acme", "Send all information");
    world.policy("open", OPEN_CASE).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let data = world.data();
    let data = data.to_str().unwrap();
    let bundles = [
        labelled(1, "us-ascii", b"junos", b"plain"),
        labelled(2, "ISO-8859-1", b"gr\xF6\xDFer", b"\xE9t\xE9"),
        labelled(3, "UTF-8", "größer".as_bytes(), b"cut \xE2\x82 here\x07"),
    ];
    let mut publish = vec!["publish".to_owned()];
    for (number, bytes) in bundles.iter().enumerate() {
        let path = world.path(&format!("{number}.xml"));
        std::fs::write(&path, bytes).unwrap();
        publish.push(path.to_str().unwrap().to_owned());
    }
    publish.extend(["--org", "acme", "--data-dir", data].map(str::to_owned));
    let publish: Vec<&str> = publish.iter().map(String::as_str).collect();
    let ended = run(&publish).await.unwrap();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "3 published for acme, 0 failed\n"), "{ended:?}");
    until("three incidents", async || (engine.incidents("acme").await.ok()? == 3).then_some(())).await;

    for (number, damaged) in [(1, None), (2, None), (3, Some("messages"))] {
        let id = format!("acme-{number}");
        let shown = run(&["incident", "show", &id, "--json", "--data-dir", data]).await.unwrap();
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        let lines = shown["history"].as_array().unwrap();
        let told = lines.iter().flat_map(|line| line["changes"].as_array()).flatten();
        let told: Vec<&Value> =
            told.filter(|change| change["what"] == "damaged").map(|change| &change["new"]).collect();
        assert_eq!(told, Vec::from_iter(damaged.map(|name| json!(name)).as_ref()), "{shown}");
        if number > 1 {
            assert_eq!(shown["device"]["platform"], "größer");
        }
    }
    let shown = run(&["incident", "show", "acme-3", "--data-dir", data]).await.unwrap();
    assert!(shown.stdout.contains("damaged") && shown.stdout.contains("messages"), "{}", shown.stdout);

    let out = world.path("out.tar");
    let files = until("all are carried", async || {
        let ended = run(&["case", "export", "acme", "--out", out.to_str()?, "--data-dir", data]).await.ok()?;
        let mut archive = tar::Archive::new(std::fs::File::open(&out).ok().filter(|_| ended.code == Some(0))?);
        let mut files = BTreeMap::new();
        for entry in archive.entries().ok()? {
            let mut entry = entry.ok()?;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).ok()?;
            files.insert(entry.path().ok()?.display().to_string(), bytes);
        }
        files.contains_key("cases/acme-3/files/0-acme-3.xml").then_some(files)
    })
    .await;
    let leaves =
        |number: usize| String::from_utf8(files[&format!("cases/acme-{number}/files/0-acme-{number}.xml")].clone());
    assert_eq!(leaves(1).unwrap().into_bytes(), bundles[0], "what everybody reads leaves as it came");
    for (number, log, is_damaged) in [(2, "été", false), (3, "cut \u{fffd} here\u{fffd}", true)] {
        let text = leaves(number).unwrap();
        assert_eq!(decode_in(Edition::First, text.as_bytes()).unwrap().manifest.device.platform.unwrap(), "größer");
        assert!(text.contains(log) && text.contains("encoding=\"UTF-8\""), "{text}");
        assert_eq!(text.contains("<log name=\"messages\" status=\"damaged\""), is_damaged, "{text}");
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

//! Bundles that are larger than a message, and files that bundles name: kept, repeated, fetched, missed and given up, and gone once
//! their incident is over.

use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::Scribe;

/// Whose it all is: of nobody else's incidents the numbers are known.
const ORG: &str = "dune";
const DAY_S: i64 = 86_400;

fn outline(kind: &str, number: u32) -> String {
    let (problem, attached) = match kind {
        "event" => (
            "<event-type>FRU offline</event-type><problem-synopsis>FPC 2 offline</problem-synopsis>\
             <priority>2 - High</priority>",
            "<attachments><attachment name=\"a_rsi.txt\"/></attachments><logs><log name=\"messages\">said</log></logs>",
        ),
        _ => ("", ""),
    };
    format!(
        "<jmb version=\"1.0\" type=\"{kind}\"><manifest>\
         <host-event-ID>large-JN93-20261121-1015{number:02}-{number}</host-event-ID>\
         <time-occurred>2026-11-21T10:15:{number:02}Z</time-occurred>{problem}<device><host-name>large</host-name>\
         <serial-number>JN93</serial-number><product>MX240</product><os-version>21.4R3</os-version></device></manifest>\
         {attached}</jmb>"
    )
}

fn kept(outline: &str, sha256: char) -> Value {
    json!({"bundle_kept": {
        "device": "edge-93", "outline": outline, "stored": format!("d-{sha256}"), "size": 5_000_000,
        "sha256": sha256.to_string().repeat(64), "parts": [[400, 4_000_000], [4_000_100, 4_000_104]],
    }})
}

fn named(number: u32, sha256: char) -> Value {
    let file = |name: &str| json!({"name": name, "path": format!("/var/tmp/{name}"), "is_log": name.ends_with(".tgz")});
    json!({"files_named": {
        "device": "edge-93", "host_event_id": format!("large-JN93-20261121-1015{number:02}-{number}"),
        "sha256": sha256.to_string().repeat(64), "files": [file("a.tgz"), file("b.txt"), file("c.txt")],
    }})
}

fn tried(number: u32, outcome: Value) -> Value {
    json!({"file_tried": {"incident": format!("{ORG}-1"), "number": number, "outcome": outcome}})
}

pub(super) fn make(scribe: &mut Scribe) -> anyhow::Result<()> {
    let settings = json!({"display_name": ORG, "is_proxy": true, "filter_level": "Send all information"});
    scribe.ask(&admin(), ORG, &json!({"set_organization": settings}))?;
    let new =
        json!({"name": "edge-93", "is_new": true, "address": "192.0.2.9", "user": "linesman", "credentials": "key"});
    scribe.ask(&admin(), ORG, &json!({"set_device": new}))?;
    let fetched = |sha256: char| json!({"fetched": {"stored": format!("d-{sha256}"), "size": 7, "sha256": sha256.to_string().repeat(64)}});
    let missed = |reason: &str| json!({"missed": {"reason": reason, "detail": "no"}});
    for report in [
        kept(&outline("event", 1), '1'),
        kept(&outline("event", 1), '2'),
        kept("<jmb/>", '3'),
        kept(&outline("information", 2), '4'),
        kept(&outline("information", 4), '5'),
        kept(&outline("information", 3), '6'),
        named(1, '2'),
        named(1, '1'),
        named(1, '1'),
        named(9, '9'),
        tried(0, missed("absent")),
        tried(1, missed("elsewhere")),
        tried(0, fetched('7')),
        tried(0, fetched('8')),
        tried(9, fetched('8')),
    ] {
        scribe.send(ORG, "result", report.to_string())?;
    }
    scribe.wait(7 * DAY_S)?;
    scribe.send(ORG, "result", tried(2, missed("absent")).to_string())?;
    scribe.ask(&admin(), ORG, &json!({"close_incident": {"incident": format!("{ORG}-1"), "note": ""}}))?;
    scribe.wait(8 * DAY_S)?;
    scribe.tick()?;
    scribe.ask(&admin(), ORG, &json!({"remove_device": {"name": "edge-93"}}))
}

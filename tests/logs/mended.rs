//! The log `mended`: raised level by level, and then what level 17 knows. A case and its file are given up and go again, by their letters
//! and without; an inventory ends in a comment; a policy has a text in it that makes its steps cost more.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cascade::{raised, settings};
use crate::listeners::admin;
use crate::scribe::{Scribe, text};
use crate::system::incident;

/// The level that all this is from.
const LEVEL: u32 = 17;
/// Whose devices these are.
const ORG: &str = "cobalt";

const OPENS: (&str, &str) = (
    "open",
    "policy(#{ on: \"incident.detected\", where: #{ event_type: \"OPENS\" } });\n\
    fn react(incident, org) { submit_case(#{ synopsis: \"mine\" }); }",
);

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let loops = |name: &str, length: usize| {
        format!(
            "policy(#{{ on: \"incident.detected\", where: #{{ event_type: \"{name}\" }} }});\n\
             fn react(incident, org) {{ for i in 0..6000 {{ let x = \"{}\"; }} log(\"{name}\"); }}",
            "x".repeat(length)
        )
    };
    let (long, short) = (loops("LONG", 2_048), loops("SHORT", 511));
    let (mut scribe, _) = raised(dir, LEVEL, &[OPENS, ("long", &long), ("short", &short)])?;
    scribe.ask(&admin(), ORG, &settings(ORG, &json!({"upload": true})))?;
    for (number, event_type) in ["LONG", "SHORT"].into_iter().enumerate() {
        bundle(&mut scribe, number, event_type, "")?;
    }
    for (number, behind) in ["", "<!-- end -->", " <?end?>"].into_iter().enumerate() {
        bundle(&mut scribe, 10 + number, "T", behind)?;
    }
    let id = incident(&mut scribe, ORG, "OPENS", "High")?;
    case(&mut scribe, &id)?;
    file(&mut scribe, &id)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// A case is given up, and opened as it was wanted by its letter; then it is given up once more, and submitted without.
fn case(scribe: &mut Scribe, id: &str) -> anyhow::Result<()> {
    let letter = given_up(scribe, id)?;
    scribe.ask(&admin(), ORG, &letter)?;
    scribe.ask(&admin(), ORG, &letter)?;
    given_up(scribe, id)?;
    scribe.ask(&admin(), ORG, &json!({"submit_case": {"incident": id, "case": {}}}))
}

/// Its file is given up and goes again likewise, and not where something is said of the case, where nothing may leave, and once it is
/// there.
fn file(scribe: &mut Scribe, id: &str) -> anyhow::Result<()> {
    let submit = |words: Value| json!({"submit_case": {"incident": id, "case": words}});
    let pending = scribe.pending_for(id, "jss")?;
    scribe.report(&pending, &json!({"done": {"case_accepted": {"transaction_id": "T-1", "case": null}}}))?;
    let standing = json!({"case_changed": {"incident": id, "case_id": "C-1", "status": "created",
        "link": null, "updated": scribe.now.to_string()}});
    scribe.send(ORG, "result", standing.to_string())?;
    let letter = given_up(scribe, id)?;
    scribe.ask(&admin(), ORG, &submit(json!({"comments": "please"})))?;
    scribe.ask(&admin(), ORG, &settings(ORG, &json!({"filter_level": "Do not send"})))?;
    scribe.work()?;
    scribe.ask(&admin(), ORG, &letter)?;
    scribe.ask(&admin(), ORG, &settings(ORG, &json!({"upload": true})))?;
    scribe.work()?;
    scribe.ask(&admin(), ORG, &letter)?;
    given_up(scribe, id)?;
    scribe.ask(&admin(), ORG, &submit(json!({})))?;
    let pending = scribe.pending_for(id, "jss")?;
    scribe.report(&pending, &json!({"done": {"uploaded": {"sha256": "ab".repeat(32), "size": 4_711}}}))?;
    scribe.ask(&admin(), ORG, &submit(json!({})))
}

/// What is pending for an incident is refused; what replays the letter of it.
fn given_up(scribe: &mut Scribe, incident: &str) -> anyhow::Result<Value> {
    let pending = scribe.pending_for(incident, "jss")?;
    scribe.report(&pending, &json!({"failed": {"class": "refused", "message": "no", "retry_after_s": null}}))?;
    let dead = scribe.said.iter().find(|(subject, _)| subject.ends_with(".dead.reaction-failed"));
    let (_, letter) = dead.context("it is not given up")?;
    let told = json!({"event": letter.id, "time": scribe.now, "reason": "reaction-failed"});
    let given_up = json!({"reaction": text(&letter.data, "/reaction"), "letter": told});
    Ok(json!({"submit_case": {"incident": incident, "given_up": given_up}}))
}

/// A problem, with an inventory that ends so.
fn bundle(scribe: &mut Scribe, number: usize, event_type: &str, behind: &str) -> anyhow::Result<()> {
    let bundle = format!(
        "<jmb version=\"1.0\" type=\"event\"><manifest><host-event-ID>m-{number}</host-event-ID>\
         <time-occurred>2026-11-21T10:15:02Z</time-occurred><event-type>{event_type}</event-type>\
         <problem-synopsis>s</problem-synopsis><priority>Low</priority><device><host-name>c</host-name>\
         <serial-number>SNC{number}</serial-number><product>MX240</product><os-version>21.4R3</os-version></device>\
         </manifest><attachments><attachment name=\"c_shd_xml.xml\"><chassis-inventory><chassis><chassis-module>\
         <name>FPC 0</name><serial-number>CA{number}</serial-number></chassis-module></chassis></chassis-inventory>{behind}\
         </attachment></attachments></jmb>"
    );
    scribe.send(ORG, "jmb", bundle)
}

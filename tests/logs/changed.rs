//! The log `changed`: raised level by level, and then what level 15 knows. Cases are withheld, before they leave and while they
//! wait; incidents are changed by policies, people and the upstream; several policies ask for one case.

use std::path::Path;

use serde_json::json;

use crate::cascade::{raised, settings};
use crate::listeners::admin;
use crate::scribe::Scribe;

/// The level that all this is from.
const LEVEL: u32 = 15;
/// Whose devices these are.
const ORG: &str = "cobalt";

const POLICIES: [(&str, &str); 6] = [
    (
        "a-general",
        "policy(#{ on: \"incident.detected\" });\n\
        fn react(incident, org) { submit_case(#{ comments: \"general\", cc: [\"noc@example.net\"], priority: \"Medium\" }); }",
    ),
    (
        "b-better",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"B\" } });\n\
        fn react(incident, org) { submit_case(#{ synopsis: \"better\", comments: \"more\", priority: \"High\" }); }",
    ),
    (
        "c-last",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"B\" } });\n\
        fn react(incident, org) { submit_case(#{ synopsis: \"last\" }); assign(\"ann\"); set_priority(\"Critical\"); }",
    ),
    ("d-vain", "policy(#{ on: \"case.assigned\" });\nfn react(update, org) { submit_case(#{ synopsis: \"vain\" }); }"),
    (
        "e-flip",
        "policy(#{ on: \"incident.changed\", where: #{ changed: \"owner\" } });\n\
        fn react(incident, org) { assign(if incident.owner == \"ben\" { \"eve\" } else { \"ben\" }); }",
    ),
    (
        "f-held",
        "policy(#{ on: \"case.withheld\" });\n\
        fn react(update, org) { publish(\"held\", #{ incident: update.id, status: update.case_status }); }",
    ),
];

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, _) = raised(dir, LEVEL, &POLICIES)?;
    scribe.ask(&admin(), ORG, &settings(ORG, &json!({})))?;
    bundle(&mut scribe, 1, "A")?;
    bundle(&mut scribe, 2, "B")?;
    let accepted = json!({"done": {"case_accepted": {"transaction_id": "T-1", "case": null}}});
    for pending in scribe.pending.clone().iter().filter(|pending| pending.connector == "jss").take(1) {
        scribe.report(pending, &accepted)?;
        let standing = json!({"case_changed": {"incident": pending.incident, "case_id": "C-1", "status": "created",
            "link": null, "updated": scribe.now.to_string()}});
        scribe.send(ORG, "result", standing.to_string())?;
    }
    for verb in [
        json!({"prioritise_incident": {"incident": format!("{ORG}-1"), "priority": "Low"}}),
        json!({"close_incident": {"incident": format!("{ORG}-1"), "note": "done"}}),
        json!({"reopen_incident": {"incident": format!("{ORG}-1"), "note": ""}}),
    ] {
        scribe.ask(&admin(), ORG, &verb)?;
    }
    // What waits is withheld, and so is what comes.
    scribe.ask(&admin(), ORG, &settings(ORG, &json!({"filter_level": "Do not send"})))?;
    scribe.work()?;
    bundle(&mut scribe, 3, "B")?;
    scribe.ask(&admin(), ORG, &json!({"submit_case": {"incident": format!("{ORG}-3")}}))?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// A problem of a type.
fn bundle(scribe: &mut Scribe, number: u64, event_type: &str) -> anyhow::Result<()> {
    let bundle = format!(
        "<jmb version=\"1.0\" type=\"event\"><manifest><host-event-ID>w-{number}</host-event-ID>\
         <time-occurred>2026-11-21T10:15:02Z</time-occurred><event-type>{event_type}</event-type>\
         <problem-synopsis>s</problem-synopsis><priority>Low</priority><device><host-name>c</host-name>\
         <serial-number>SNC</serial-number><product>MX240</product><os-version>21.4R3</os-version></device>\
         </manifest></jmb>"
    );
    scribe.send(ORG, "jmb", bundle)
}

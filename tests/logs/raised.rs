//! The log `raised`: it begins at level 1, is raised midway, and has what level 2 knows on both sides of that.

use std::path::Path;

use linesman::log::streams::lane_of;
use linesman_schemas::control::{Control, RuleBook, Settings};
use linesman_tests::event;
use serde_json::{Value, json};

use crate::scribe::{LANES, Scribe};
use crate::system::{self, LEVELS, incident, organization};
use crate::{commands, policies, reports};

/// On each incident of its type it decides four reactions, one of which opens the case.
const MANY: &str = "policy(#{ on: \"incident.detected\", where: #{ event_type: \"MANY\" } });\n\
    fn react(incident, org) {\n    submit_case(#{ comments: \"many\" });\n    \
    for n in 0..3 { log(`many ${n}`); }\n}";
/// How many of those are more than two slices' worth, and more than one's.
const SLICES: (usize, usize) = (105, 52);

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let mut scribe = Scribe::begin(dir)?;
    for (org, level) in LEVELS {
        organization(&mut scribe, org, level)?;
    }
    let mut all = policies::all()?;
    all.push(policies::source("many", MANY)?);
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let mut book = RuleBook { settings: Settings::default(), policies: all, refused: Vec::new() };
    scribe.rules(&book)?;
    at_both(&mut scribe)?;
    pending_at_the_raise(&mut scribe)?;
    raise(&mut scribe)?;
    at_both(&mut scribe)?;
    slices(&mut scribe)?;
    suspended(&mut scribe)?;
    turns(&mut scribe)?;
    sections(&mut scribe, &mut book)?;
    cursors(&mut scribe)?;
    commands::organizations(&mut scribe)?;
    scribe.work()?;
    commands::refused(&mut scribe)?;
    system::what_cannot_be_read(&mut scribe)?;
    system::failing_policies(&mut scribe)?;
    reports::outcomes(&mut scribe)?;
    reports::failures(&mut scribe)?;
    reports::standings(&mut scribe)?;
    reports::polls(&mut scribe)?;
    reports::all(&mut scribe)?;
    scribe.wait(91 * 86_400)?;
    scribe.tick()?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// Sections are loaded: as expected, against what was expected, again; then the rule book that they make.
fn sections(scribe: &mut Scribe, book: &mut RuleBook) -> anyhow::Result<()> {
    book.settings.retry_base_s += 1;
    let hash = scribe.rules_in_sections(book)?;
    let other = "ab".repeat(32);
    for (section, mut load) in [
        ("policies", json!({"hash": hash, "loaded": other})),
        ("settings", json!({"hash": hash, "expected": other})),
        ("settings", json!({"hash": hash})),
        ("settings", json!({"hash": other, "expected": hash, "above": 9})),
        ("policies", json!({"hash": "no hash"})),
    ] {
        if let Some(load) = load.as_object_mut() {
            load.insert("section".to_owned(), json!(section));
        }
        scribe.ask(&provider(), "", &json!({"load_section": load}))?;
    }
    let manager = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    scribe.ask(&manager, "", &json!({"load_section": {"section": "policies", "hash": hash}}))?;
    book.settings.retry_base_s -= 1;
    scribe.rules_in_sections(book).map(drop)
}

/// Sources report where they go on; late and repeated reports change nothing.
fn cursors(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (number, cursor) in [(1, Some("a")), (3, Some("c")), (2, Some("b")), (3, Some("c")), (4, None)] {
        let report = json!({"cursor": {"source": "bulletins", "cursor": cursor, "number": number}});
        scribe.control(0, report.to_string())?;
        scribe.control(1, report.to_string())?;
    }
    Ok(())
}

fn provider() -> Value {
    json!({"kind": "provider", "name": "mara"})
}

fn raise_level(level: u32) -> Value {
    json!({"raise_level": {"level": level}})
}

/// What level 1 cannot read, does at once, or does not tell, and level 2 does.
fn at_both(scribe: &mut Scribe) -> anyhow::Result<()> {
    let about = incident(scribe, "acme", "PRINCIPALS", "High")?;
    let manager = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let policy = json!({"kind": "policy", "name": "acme/own", "organization": "acme"});
    let asking = [provider(), json!({"kind": "configuration"}), json!({"kind": "machine"}), manager, policy];
    for principal in &asking {
        let annotate = json!({"annotate_incident": {"incident": about, "note": "by a principal"}});
        scribe.ask(principal, "acme", &annotate)?;
        scribe.ask(principal, "nobody", &json!("unload_organization"))?;
        scribe.ask(principal, "", &json!("unload_organization"))?;
    }
    // One that is forbidden is decided: said again it is not refused again.
    for principal in asking.iter().skip(3) {
        scribe.ask_as("forbidden", principal, "acme", &json!("suspend_organization"))?;
        scribe.ask(principal, "", &json!({"replay_input": {"event": "acme-e1", "sequence": 1}}))?;
    }
    scribe.ask(&provider(), "acme", &raise_level(2))?;
    scribe.command("nobody", &json!({"submit_case": {"incident": "nobody-1"}}))?;
    scribe.command("nobody", &json!({"close_incident": {"incident": "nobody-1", "note": "x".repeat(5_000)}}))?;
    for lane in 0..LANES {
        scribe.control(lane, serde_json::to_vec(&Control::Continue)?)?;
        scribe.control(lane, serde_json::to_vec(&Control::Level(1))?)?;
        scribe.control(lane, serde_json::to_vec(&Control::Level(0))?)?;
        scribe.control(lane, json!({"level": -1}).to_string())?;
        scribe.control(lane, json!({"command": {"id": "c"}}).to_string())?;
    }
    // Only lane 0 decides what the provider is asked.
    scribe.control(
        1,
        json!({"command": {"id": "lane-1", "principal": provider(), "node": "n1",
        "verb": raise_level(2)}})
        .to_string(),
    )
}

/// Reactions wait, held and not, be it for another try; cases are accepted and drafts saved: level 2 goes on with them.
fn pending_at_the_raise(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (org, level) in LEVELS {
        many(scribe, org, 3)?;
        let case = incident(scribe, org, "REPORTS", "High")?;
        if let Ok(case) = scribe.pending_for(&case, "jss") {
            let failed = json!({"failed": {"class": "unavailable", "message": "no", "retry_after_s": 7}});
            scribe.report(&case, &failed)?;
        }
        let draft = incident(scribe, org, "DRAFT", "Low")?;
        scribe.command(org, &json!({"save_case": {"incident": draft, "case": {"comments": "a draft"}}}))?;
        // At level 1 what is pending is reviewed at once.
        organization(scribe, org, "Only send list of features used")?;
        organization(scribe, org, level)?;
    }
    scribe.command("cobalt", &json!("suspend_organization"))
}

/// Lane 0 first, as people ask for it; the others follow, each after inputs at level 1.
fn raise(scribe: &mut Scribe) -> anyhow::Result<()> {
    scribe.ask_as("raise", &provider(), "", &raise_level(1))?;
    scribe.ask(&provider(), "", &raise_level(2))?;
    for lane in 0..LANES {
        for (org, _) in LEVELS {
            scribe.send(org, "jmb", event("edge-01", u64::from(lane), "RAISED", "High"))?;
        }
        scribe.ask(
            &json!({"kind": "machine"}),
            "acme",
            &json!({"annotate_incident": {"incident": "acme-1", "note": "n"}}),
        )?;
        scribe.control(lane, serde_json::to_vec(&Control::Level(2))?)?;
        scribe.control(lane, serde_json::to_vec(&Control::Level(2))?)?;
    }
    for (id, level) in [("raise", 2), ("once-more", 2), ("lower", 1), ("lowest", 0)] {
        scribe.ask_as(id, &provider(), "", &raise_level(level))?;
    }
    // What was held since before the raise comes back.
    organization(scribe, "cobalt", "Send all information with IP addresses overwritten")?;
    scribe.work()
}

fn many(scribe: &mut Scribe, org: &str, count: usize) -> anyhow::Result<()> {
    for _ in 0..count {
        incident(scribe, org, "MANY", "Medium")?;
    }
    Ok(())
}

/// An organization whose inputs are decided on the same lane.
fn neighbour(scribe: &mut Scribe, org: &str) -> anyhow::Result<String> {
    let names = (1..).map(|number| format!("{org}-{number}"));
    let mut found = names.filter(|name| lane_of(name, LANES) == lane_of(org, LANES));
    let name = found.next().unwrap_or_default();
    organization(scribe, &name, "Send all information")?;
    Ok(name)
}

/// Some hundred reactions of one organization are reviewed; inputs of others, and of its own, come in between.
fn slices(scribe: &mut Scribe) -> anyhow::Result<()> {
    let neighbour = neighbour(scribe, "acme")?;
    many(scribe, "acme", SLICES.0)?;
    for level in ["Only send list of features used", "Do not send", "Send all information"] {
        organization(scribe, "acme", level)?;
        while scribe.slice("acme")? {
            let theirs = incident(scribe, &neighbour, "MANY", "High")?;
            let own = incident(scribe, "acme", "MANY", "High")?;
            scribe.command("acme", &json!({"annotate_incident": {"incident": own, "note": "meanwhile"}}))?;
            let submit = json!({"submit_case": {"incident": own, "case": {"comments": "once more"}}});
            scribe.command("acme", &submit)?;
            let ended = scribe.pending_for(&theirs, "jss")?;
            let accepted = json!({"done": {"case_accepted": {"transaction_id": "T", "case": null}}});
            scribe.report(&ended, &accepted)?;
            // One that is reviewed, or gone by that.
            if let Some(first) = scribe.pending.iter().find(|pending| pending.org == "acme").cloned() {
                scribe.report(
                    &first,
                    &json!({"failed": {"class": "garbled", "message": "what", "retry_after_s": null}}),
                )?;
            }
        }
    }
    Ok(())
}

/// An organization rests, and is back before all of it rests.
fn suspended(scribe: &mut Scribe) -> anyhow::Result<()> {
    many(scribe, "cobalt", SLICES.1)?;
    scribe.command("cobalt", &json!("suspend_organization"))?;
    scribe.slice("cobalt")?;
    scribe.send("cobalt", "jmb", event("edge-01", 1, "SUSPENDED", "High"))?;
    if let Some(last) = scribe.pending.iter().rev().find(|pending| pending.org == "cobalt").cloned() {
        scribe.report(&last, &json!({"failed": {"class": "refused", "message": "never", "retry_after_s": null}}))?;
    }
    organization(scribe, "cobalt", "Send all information")?;
    scribe.work()?;
    scribe.command("cobalt", &json!("unload_organization"))?;
    scribe.work()?;
    organization(scribe, "cobalt", "Send all information with IP addresses overwritten")?;
    scribe.work()
}

/// Two jobs on one organization and one on another of the lane; then all of it over again while others wait.
fn turns(scribe: &mut Scribe) -> anyhow::Result<()> {
    let neighbour = neighbour(scribe, "bolt")?;
    for org in ["bolt", &neighbour] {
        many(scribe, org, SLICES.1)?;
    }
    organization(scribe, "bolt", "Only send list of features used")?;
    organization(scribe, "bolt", "Send all information except configuration")?;
    organization(scribe, &neighbour, "Do not send")?;
    scribe.slice("bolt")?;
    scribe.tick()?;
    organization(scribe, "bolt", "Send all information except configuration")?;
    scribe.command(&neighbour, &json!("suspend_organization"))?;
    scribe.work()
}

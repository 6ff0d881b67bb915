//! The log `cascade`: raised level by level, and then what level 6 knows. End customers report cases, which are sent on or
//! solved here, told above and below; the installation is connected otherwise.

use std::path::Path;

use linesman_schemas::Mode;
use linesman_schemas::control::{Control, InstallationSection, RuleBook, Settings};
use linesman_schemas::mode::Upstream;
use linesman_tests::event;
use serde_json::{Value, json};

use crate::listeners::admin;
use crate::policies::source;
use crate::scribe::{LANES, Scribe};
use crate::system::{LEVELS, incident, organization, set_organization};

/// The level that there is a cascade from.
const LEVEL: u32 = 6;

/// Who solves what was reported, where somebody says so; and what devices detect becomes a case.
const POLICIES: [(&str, &str); 2] = [
    (
        "open",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"OPENS\" } });\n\
         fn react(incident, org) { submit_case(#{ comments: \"as detected\" }); }",
    ),
    (
        "route",
        "policy(#{ on: \"incident.reported-by-end-customer\", where: #{ priority: [\"Critical\", \"Low\"] } });\n\
         fn react(incident, org) { if incident.priority == \"Low\" { handle_case(); } else { forward_case(); } }",
    ),
];

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &POLICIES)?;
    for org in ["acme", "cobalt"] {
        reported(&mut scribe, org)?;
        solved(&mut scribe, org)?;
    }
    connected(&mut scribe, &book)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// A log that begins at level 1 and is raised level by level, with organizations and policies.
pub(crate) fn raised(dir: &Path, level: u32, policies: &[(&str, &str)]) -> anyhow::Result<(Scribe, RuleBook)> {
    let mut scribe = Scribe::begin(dir)?;
    for (org, level) in LEVELS {
        organization(&mut scribe, org, level)?;
    }
    let mut book = RuleBook { settings: Settings::default(), policies: Vec::new(), refused: Vec::new() };
    scribe.rules(&book)?;
    for level in 2..=level {
        for lane in 0..LANES {
            scribe.control(lane, serde_json::to_vec(&Control::Level(level))?)?;
        }
    }
    // Lanes that begin at a level where commands have a principal have no organization yet.
    for (org, level) in LEVELS {
        scribe.ask(&admin(), org, &set_organization(org, level))?;
    }
    book.policies = policies.iter().map(|(name, text)| source(name, text)).collect::<Result<_, _>>()?;
    scribe.rules_in_sections(&book)?;
    Ok((scribe, book))
}

pub(crate) fn settings(org: &str, more: &Value) -> Value {
    let mut settings = json!({
        "display_name": org, "is_proxy": true, "filter_level": "Send all information", "alias": org.to_uppercase(),
        "address": "1 Main Street",
    });
    if let (Some(settings), Some(more)) = (settings.as_object_mut(), more.as_object()) {
        settings.extend(more.clone());
    }
    json!({"set_organization": settings})
}

/// What an end customer's controller asks for.
pub(crate) fn below(scribe: &mut Scribe, org: &str, verb: &Value) -> anyhow::Result<()> {
    scribe.ask(&json!({"kind": "end_customer", "organization": org}), org, verb)
}

/// Reports a case; the incident it became.
pub(crate) fn report(
    scribe: &mut Scribe,
    org: &str,
    key: &str,
    priority: &str,
    has_details: bool,
) -> anyhow::Result<String> {
    let mut report = json!({
        "tracking_number": format!("own-{}", key.len()), "priority": priority, "synopsis": format!("case {key}"),
        "trace_route": ["2026-11-20T08:00:00Z"],
    });
    if let Some(report) = report.as_object_mut().filter(|_| has_details) {
        report.insert("alias".to_owned(), json!("SHOP"));
        let details = json!({
            "host_event_id": format!("a-SNa-20261121-101502-{key}"), "host_name": "a", "serial_number": "SNa",
            "product": "MX240", "platform": "junos", "os_version": "21.4R3", "event_type": "T",
            "description": "at length", "comments": "since the upgrade", "cc": [], "follow_up": "Phone Call",
        });
        report.insert("details".to_owned(), details);
    }
    let verb = json!({"report_case": {"key": key, "report": report}});
    below(scribe, org, &verb)?;
    let told = scribe.said.iter().find(|(subject, _)| subject.ends_with(".trigger.incident.reported-by-end-customer"));
    let id = told.and_then(|(_, event)| event.data.pointer("/id")).and_then(Value::as_str).map(str::to_owned);
    // Said again it is the same.
    below(scribe, org, &verb)?;
    id.ok_or_else(|| anyhow::anyhow!("no case of {org} was reported"))
}

pub(crate) fn of(verb: &str, incident: &str, more: &Value) -> Value {
    let mut body = json!({"incident": incident});
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    json!({verb: body})
}

/// A case that goes up and comes back.
fn reported(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    scribe.ask(&admin(), org, &settings(org, &json!({})))?;
    let id = report(scribe, org, "k-1", "High", true)?;
    let origin = json!({"id": "own:1", "author": "eve", "at": "2026-11-21T09:00:00Z"});
    below(scribe, org, &of("note_case", &id, &json!({"text": "still down", "origin": origin})))?;
    let pending = scribe.pending_for(&id, "jss")?;
    scribe.report(&pending, &json!({"done": {"case_accepted": {"transaction_id": "T-1", "case": null}}}))?;
    let standing = |status: &str, minute: u32| {
        let note = json!({"id": "J1", "author": "support", "at": "2026-11-21T09:01:00Z", "text": "on its way"});
        json!({"case_changed": {
            "incident": id, "case_id": "C-1", "status": status, "link": "https://jss.example/C-1",
            "updated": format!("2026-11-21T10:{minute:02}:00Z"), "notes": [note],
        }})
        .to_string()
    };
    scribe.send(org, "result", standing("created", 1))?;
    let wanted = json!({"case_id": "P-7", "case_link": "https://cases.example/P-7", "case_status": "with engineering"});
    scribe.ask(&admin(), org, &of("override_case", &id, &wanted))?;
    scribe.ask(&admin(), org, &of("override_case", &id, &json!({})))?;
    below(scribe, org, &of("close_case", &id, &json!({"text": "works"})))?;
    for outcome in [json!({"done": "case_told"}), json!({"done": "case_told"})] {
        let pending = scribe.pending_for(&id, "jss")?;
        scribe.report(&pending, &outcome)?;
    }
    scribe.send(org, "result", standing("closed", 2))?;
    scribe.ask(&admin(), org, &of("reopen_case", &id, &json!({"text": "not yet"})))?;
    let pending = scribe.pending_for(&id, "jss")?;
    let refused = json!({"failed": {"class": "refused", "message": "no", "retry_after_s": null}});
    scribe.report(&pending, &refused)?;
    scribe.send(org, "result", standing("reopened", 3))?;
    // What may not be is said too.
    below(scribe, org, &of("close_incident", &id, &json!({"note": "mine"})))?;
    scribe.ask(&admin(), org, &of("handle_case", &id, &json!({})))?;
    below(scribe, org, &of("close_case", &format!("{org}-999999"), &json!({})))
}

/// Cases whose way a policy, the organization or somebody says.
fn solved(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    report(scribe, org, "k-22", "Critical", false)?;
    let own = report(scribe, org, "k-333", "Low", true)?;
    scribe.ask(&admin(), org, &of("override_case", &own, &json!({"case_status": "solved"})))?;
    scribe.ask(&admin(), org, &of("close_case", &own, &json!({})))?;
    scribe.ask(&admin(), org, &of("forward_case", &own, &json!({})))?;
    let more =
        json!({"handling": "own", "submit_case_as": "Test Cases", "filter_level": "Only send list of features used"});
    scribe.ask(&admin(), org, &settings(org, &more))?;
    scribe.work()?;
    let kept = report(scribe, org, "k-4444", "Medium", true)?;
    scribe.ask(&admin(), org, &of("handle_case", &kept, &json!({})))?;
    scribe.ask(&admin(), org, &of("forward_case", &kept, &json!({})))?;
    scribe.ask(&admin(), org, &of("note_case", &kept, &json!({"text": "sent on after all"})))?;
    let nowhere = json!({"report_case": {"key": "k-5", "report": {
        "tracking_number": "own-5", "priority": "High", "synopsis": "a loop",
        "trace_route": ["2026-11-20T08:00:00Z", "2026-11-21T09:00:00Z"],
    }}});
    below(scribe, org, &nowhere)
}

/// The installation is connected otherwise: to nobody but a stand-in, below a partner.
fn connected(scribe: &mut Scribe, book: &RuleBook) -> anyhow::Result<()> {
    let demo = InstallationSection { mode: Mode::Demo, upstream: Upstream::SupportSystem };
    scribe.rules_installed(book, demo)?;
    for number in 1..=7 {
        scribe.send("bolt", "jmb", event(&format!("few-{number}"), 70_000 + number, "FEW", "Low"))?;
    }
    scribe.ask(&admin(), "bolt", &settings("bolt", &json!({})))?;
    let below = InstallationSection { mode: Mode::EndCustomer, upstream: Upstream::Partner };
    scribe.rules_installed(book, below)?;
    let id = incident(scribe, "acme", "OPENS", "High")?;
    let pending = scribe.pending_for(&id, "partner")?;
    scribe.report(&pending, &json!({"done": {"case_accepted": {"transaction_id": "T-9", "case": null}}}))?;
    scribe.rules_installed(book, InstallationSection::default())
}

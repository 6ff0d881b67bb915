//! The log `settled`: raised level by level, and then what level 9 knows. Cases that are closed stay so whatever is said of
//! them, and go no further than they may; values are judged as wholes, and wait for services; tokens are bounded.

use std::path::Path;

use linesman_schemas::service::{ServiceSource, ServicesSection};
use serde_json::{Value, json};

use crate::cascade::{below, of, raised, report, settings};
use crate::listeners::admin;
use crate::scribe::Scribe;

/// The level that all this is from.
const LEVEL: u32 = 9;

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &[])?;
    for org in ["acme", "cobalt"] {
        closed(&mut scribe, org)?;
        no_further(&mut scribe, org)?;
    }
    let services = ServicesSection { services: vec![filter()?], parameters: None, refused: Vec::new() };
    scribe.rules_with_services(&book, &services)?;
    values(&mut scribe)?;
    on_devices(&mut scribe)?;
    people(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// A case with words of the partner's own is closed below, and said to be otherwise.
fn closed(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    scribe.ask(&admin(), org, &settings(org, &json!({})))?;
    let id = report(scribe, org, "k-1", "High", true)?;
    let pending = scribe.pending_for(&id, "jss")?;
    scribe.report(&pending, &json!({"done": {"case_accepted": {"transaction_id": "T-1", "case": null}}}))?;
    for words in [
        json!({"case_status": "with engineering"}),
        json!({"case_id": "P-7"}),
        json!({"case_link": "https://cases.example/P-7"}),
    ] {
        scribe.ask(&admin(), org, &of("override_case", &id, &words))?;
    }
    below(scribe, org, &of("close_case", &id, &json!({"text": "works"})))?;
    let pending = scribe.pending_for(&id, "jss")?;
    scribe.report(&pending, &json!({"done": "case_told"}))?;
    // What was said below comes back from above under the same id; and a clock is far ahead.
    let standing = |status: &str, updated: &str| {
        let note = json!({"id": "own:1", "author": "eve", "at": "2026-11-21T09:01:00Z", "text": "still down"});
        json!({"case_changed": {
            "incident": id, "case_id": "C-1", "status": status, "link": null, "updated": updated, "notes": [note],
        }})
        .to_string()
    };
    let origin = json!({"id": "own:1", "author": "eve", "at": "2026-11-21T09:00:00Z"});
    below(scribe, org, &of("note_case", &id, &json!({"text": "still down", "origin": origin})))?;
    for (status, updated) in [("closed", "2099-01-01T00:00:00Z"), ("reopened", "2026-11-21T12:00:00Z")] {
        scribe.send(org, "result", standing(status, updated))?;
    }
    scribe.ask(&admin(), org, &of("override_case", &id, &json!({})))
}

/// Cases that have passed too many, are called too much, fail or are held back here.
fn no_further(scribe: &mut Scribe, org: &str) -> anyhow::Result<()> {
    let route: Vec<String> = (10..26).map(|second| format!("2026-11-20T08:00:{second}Z")).collect();
    let one = [String::from("2026-11-20T08:00:10Z")];
    for (key, alias, route) in [("far", "SHOP".to_owned(), &*route), ("long", "a/".repeat(200), &one)] {
        let report = json!({
            "tracking_number": "own-9", "priority": "Low", "synopsis": "a case", "alias": alias, "trace_route": route,
        });
        below(scribe, org, &json!({"report_case": {"key": key, "report": report}}))?;
    }
    let fails = report(scribe, org, "k-333", "Low", true)?;
    let pending = scribe.pending_for(&fails, "jss")?;
    let refused = json!({"failed": {"class": "refused", "message": "no", "retry_after_s": null}});
    scribe.report(&pending, &refused)?;
    scribe.ask(&admin(), org, &settings(org, &json!({"filter_level": "Do not send"})))?;
    scribe.work()?;
    report(scribe, org, "k-4444", "Low", true)?;
    scribe.ask(&admin(), org, &settings(org, &json!({})))?;
    scribe.work()
}

fn filter() -> anyhow::Result<ServiceSource> {
    let definition = "title = \"Filter\"\nlevels = [\"enterprise\", \"site\", \"line\"]\n[parameters]\n\
                      from = { type = \"network\", list = \"append\", constraint = \"from in 10.0.0.0/8\" }\n\
                      less = { type = \"port\", list = \"remove\", default = \"[1, 2, 3]\", required = true }\n\
                      rate = { type = \"rate\", default = \"1m\" }\nname = { type = \"string\", default = '\"a\"' }\n";
    let template = "firewall {\n    family inet {\n        filter own {\n            rate {{ rate }};\n            \
                    name {{ name }};\n        }\n    }\n}\n";
    let files = [("service.toml", definition.to_owned()), ("filter.j2", template.to_owned())];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    Ok(ServiceSource { name: "filter".parse()?, files })
}

fn set(place: &str, substitutions: &[&str]) -> Value {
    json!({"set_values": {"place": place, "substitutions": substitutions}})
}

/// Values before anybody subscribes, and then; below a fix; lists that meet.
fn values(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (place, device) in [("acme/berlin", None), ("acme/berlin/line-7", Some("edge-1"))] {
        scribe.ask(
            &admin(),
            "acme",
            &json!({"set_place": {"place": place, "device": device, "interface": device.map(|_| "ge-0/0/1")}}),
        )?;
    }
    let given: [(&str, &[&str]); 4] = [
        ("acme", &["rate=2m", "nobody=1"]),
        ("acme", &["rate=2m"]),
        ("acme/berlin", &["rate=\"fast\""]),
        ("acme/berlin", &["from=[not 10.1.0.0/16]", "less=[1]"]),
    ];
    for (place, substitutions) in given {
        scribe.ask(&admin(), "acme", &set(place, substitutions))?;
    }
    let subscription = json!({"set_subscription": {"place": "acme", "name": "f", "service": "filter"}});
    scribe.ask(&admin(), "acme", &subscription)?;
    let given: [(&str, &[&str]); 5] = [
        ("acme", &["!rate=3m", "from=[10.0.0.0/8]"]),
        ("acme/berlin", &["rate=true ? 1m : \"x\""]),
        ("acme/berlin", &["from=[not 10.1.0.0/16]", "less=[1, 2, 3]"]),
        ("acme/berlin/line-7", &["from=[11.0.0.0/8]"]),
        ("acme/berlin/line-7", &["name=\"<*>\""]),
    ];
    for (place, substitutions) in given {
        scribe.ask(&admin(), "acme", &set(place, substitutions))?;
    }
    Ok(())
}

/// What devices have of it, and refuse.
fn on_devices(scribe: &mut Scribe) -> anyhow::Result<()> {
    let place = json!({"place": "acme", "name": "f"});
    scribe.ask(&admin(), "acme", &set("acme", &["rate=3m"]))?;
    scribe.ask(&admin(), "acme", &set("acme/berlin", &[]))?;
    scribe.ask(&admin(), "acme", &json!({"activate_subscription": place}))?;
    scribe.work()?;
    for outcome in [json!({"failed": {"class": "refused", "message": "locked"}}), json!({"done": "configured"})] {
        scribe.answer(&outcome, 1)?;
        scribe.ask(&admin(), "acme", &set("acme", &["rate=4m"]))?;
        scribe.work()?;
    }
    scribe.ask(&admin(), "acme", &json!({"deactivate_subscription": place}))?;
    scribe.work()
}

/// A manager's token, and names that nobody is given.
fn people(scribe: &mut Scribe) -> anyhow::Result<()> {
    let manager = |name: &str, sphere: &[&str]| json!({"set_manager": {"manager": name, "sphere": sphere, "privileges": ["managers"]}});
    scribe.ask(&admin(), "acme", &manager("ann", &["acme/berlin"]))?;
    let ann = json!({"kind": "manager", "organization": "acme", "name": "ann"});
    let token = json!({"issue_token": {"manager": "ann", "token": "keep", "hash": "cd".repeat(32)}});
    scribe.ask(&ann, "acme", &token)?;
    scribe.ask(&admin(), "acme", &manager("ann", &["acme"]))?;
    scribe.ask(&admin(), "", &manager("machine", &["acme"]))
}

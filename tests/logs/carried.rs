//! The log `carried`: raised level by level, and then what level 10 knows. A line's own subscription stands beside the one it
//! inherits, what policies activate is theirs, and what belongs to cases is carried away on record. Messages of the provider's
//! reach every lane.

use std::path::Path;

use linesman_schemas::service::{ServiceSource, ServicesSection};
use serde_json::{Value, json};

use crate::cascade::{raised, report, settings};
use crate::listeners::admin;
use crate::scribe::Scribe;

/// The level that all this is from.
const LEVEL: u32 = 10;

/// A policy that has a service activated where it is told of.
const POLICIES: [(&str, &str); 1] = [(
    "greet",
    "policy(#{ on: \"intelligence.received\" });\n\
     fn react(message, org) { service(\"banner\").at(\"acme/berlin/line-7\").activate(#{ text: message.title }); }",
)];

/// An organization that is called as a source of values is.
const AS_A_SOURCE: &str = "site";

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &POLICIES)?;
    let services = ServicesSection { services: vec![banner()?], parameters: None, refused: Vec::new() };
    scribe.rules_with_services(&book, &services)?;
    own_and_inherited(&mut scribe)?;
    by_a_policy(&mut scribe)?;
    as_a_source(&mut scribe)?;
    carried(&mut scribe)?;
    provided(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

fn banner() -> anyhow::Result<ServiceSource> {
    let definition = "title = \"Banner\"\nlevels = [\"enterprise\", \"site\", \"line\"]\n[parameters]\n\
                      text = { type = \"string\", default = '\"a\"' }\n";
    let files =
        [("service.toml", definition), ("banner.j2", "system {\n    login {\n        message {{ text }};\n    }\n}\n")];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    Ok(ServiceSource { name: "banner".parse()?, files })
}

fn does(scribe: &mut Scribe, verb: &str, of: &Value) -> anyhow::Result<()> {
    scribe.ask(&admin(), "acme", &json!({verb: of}))?;
    scribe.work()
}

/// What is activated of an inherited subscription, and of the line's own in its place, with the same values.
fn own_and_inherited(scribe: &mut Scribe) -> anyhow::Result<()> {
    for place in ["acme/berlin", "acme/berlin/line-7"] {
        let device = place.ends_with("line-7").then_some("edge-1");
        does(scribe, "set_place", &json!({"place": place, "device": device, "interface": device.map(|_| "ge-0/0/1")}))?;
    }
    let line = "acme/berlin/line-7";
    let at = |place: &str, substitutions: &[&str]| json!({"place": place, "name": "b", "substitutions": substitutions});
    let subscribed = |place: &str| json!({"place": place, "name": "b", "service": "banner"});
    let own = ["text=\"mine\""];
    does(scribe, "set_subscription", &subscribed("acme"))?;
    does(scribe, "activate_subscription", &at(line, &own))?;
    scribe.answer(&json!({"done": "configured"}), 1)?;
    does(scribe, "set_subscription", &subscribed(line))?;
    does(scribe, "activate_subscription", &at(line, &own))?;
    does(scribe, "activate_subscription", &at("acme", &["text=\"theirs\""]))?;
    does(scribe, "deactivate_subscription", &at(line, &own))?;
    does(scribe, "remove_subscription", &json!({"place": line, "name": "b"}))?;
    does(scribe, "deactivate_subscription", &at(line, &own))?;
    does(scribe, "remove_subscription", &json!({"place": "acme", "name": "b"}))
}

/// What a policy activates, and what is told of it when two set one statement differently.
fn by_a_policy(scribe: &mut Scribe) -> anyhow::Result<()> {
    let subscription = json!({"place": "acme", "name": "banner", "service": "banner"});
    does(scribe, "set_subscription", &subscription)?;
    let message = json!({"id": "TSB1", "kind": "alert", "title": "look out", "issued": "2026-11-21T10:00:00Z"});
    scribe.send("acme", "intel", message.to_string())?;
    scribe.work()?;
    let other = json!({"place": "acme/berlin/line-7", "name": "other", "service": "banner", "active": true});
    does(scribe, "set_subscription", &other)?;
    does(scribe, "activate_subscription", &json!({"place": "acme/berlin/line-7", "name": "other"}))
}

/// An enterprise that is called as a source is.
fn as_a_source(scribe: &mut Scribe) -> anyhow::Result<()> {
    scribe.ask(&admin(), AS_A_SOURCE, &settings(AS_A_SOURCE, &json!({})))?;
    for verb in [
        json!({"set_values": {"place": AS_A_SOURCE, "substitutions": ["text=5"]}}),
        json!({"set_subscription": {"place": AS_A_SOURCE, "name": "b", "service": "banner"}}),
        json!({"set_values": {"place": AS_A_SOURCE, "substitutions": ["text=\"five\""]}}),
        json!({"set_subscription": {"place": AS_A_SOURCE, "name": "b", "service": "banner"}}),
    ] {
        scribe.ask(&admin(), AS_A_SOURCE, &verb)?;
    }
    scribe.work()
}

/// Cases are carried away: all that may leave, a file of one; and what is refused.
fn carried(scribe: &mut Scribe) -> anyhow::Result<()> {
    for org in ["acme", "cobalt"] {
        scribe.ask(&admin(), org, &settings(org, &json!({})))?;
        let id = report(scribe, org, "k-1", "High", true)?;
        let file = json!({"incident": id, "sha256": "ab".repeat(32)});
        scribe.ask(&admin(), org, &json!({"export_cases": {}}))?;
        scribe.ask(&admin(), org, &json!({"export_cases": {"file": file}}))?;
        scribe.ask(&json!({"kind": "provider", "name": "nobody"}), org, &json!({"export_cases": {}}))?;
    }
    Ok(())
}

/// Messages of the provider's: one, that again, another text of it, who may not, and a content that is none.
fn provided(scribe: &mut Scribe) -> anyhow::Result<()> {
    let message = |title: &str| {
        json!({
            "id": "TSB2", "kind": "bug-notice", "title": title, "issued": "2026-11-21T10:00:00Z",
            "relevance": {"products": ["MX*"], "os_versions": ["< 21.4R3-S5"]},
        })
    };
    scribe.provided(&admin(), 1, "TSB2", &message("look out"))?;
    scribe.provided(&admin(), 1, "TSB2", &message("look out"))?;
    scribe.provided(&admin(), 2, "TSB2", &message("look out, all of you"))?;
    scribe.provided(&json!({"kind": "provider", "name": "nobody"}), 2, "TSB3", &message("refused"))?;
    scribe.provided(&admin(), 3, "TSB4", &json!("no message"))?;
    scribe.work()
}

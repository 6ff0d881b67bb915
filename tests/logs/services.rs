//! The log `services`: raised level by level, and then what level 4 knows. Services that lanes take up, anew and no
//! more; values and subscriptions, given, refused and taken back.

use std::path::Path;

use linesman_schemas::control::{Control, RuleBook, Settings};
use linesman_schemas::service::{ServiceSource, ServicesSection};
use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::{LANES, Scribe};
use crate::system::{LEVELS, incident, organization};

/// The level that there are services from.
const LEVEL: u32 = 4;

fn manager(name: &str) -> Value {
    json!({"kind": "manager", "organization": "acme", "name": name})
}

fn service(name: &str, title: &str) -> anyhow::Result<ServiceSource> {
    let parameters =
        "[parameters]\npool = { type = \"network\" }\nrate = { type = \"rate\", constraint = \"rate in 1..1g\" }\n";
    let definition = format!("title = \"{title}\"\nlevels = [\"enterprise\", \"site\", \"line\"]\n{parameters}");
    let files = [("service.toml", definition), ("filter.j2", "firewall {\n    term own;\n}\n".to_owned())];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    Ok(ServiceSource { name: name.parse()?, files })
}

fn section(services: Vec<ServiceSource>, parameters: Option<&str>) -> ServicesSection {
    ServicesSection { services, parameters: parameters.map(str::to_owned), refused: Vec::new() }
}

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let mut scribe = Scribe::begin(dir)?;
    for (org, level) in LEVELS {
        organization(&mut scribe, org, level)?;
    }
    let book = RuleBook { settings: Settings::default(), policies: Vec::new(), refused: Vec::new() };
    scribe.rules(&book)?;
    let load = json!({"load_section": {"section": "services", "hash": "ab".repeat(32)}});
    for level in 2..=LEVEL {
        // Verbs and sections that come later are none yet.
        scribe.ask(&admin(), "acme", &json!({"set_values": {"place": "acme", "substitutions": ["early=1"]}}))?;
        scribe.ask(&admin(), "", &load)?;
        scribe.ask(&admin(), "", &json!({"raise_level": {"level": level}}))?;
        if level == LEVEL {
            // A lane that is told of services before it is raised keeps them then.
            scribe.rules_with_services(&book, &section(vec![service("drain", "early")?], None))?;
        }
        for lane in 0..LANES {
            scribe.control(lane, serde_json::to_vec(&Control::Level(level))?)?;
        }
    }
    scribe.ask(&admin(), "", &load)?;
    let both = vec![service("drain", "Drain")?, service("nat", "NAT")?];
    scribe.rules_with_services(&book, &section(both, Some("[parameters]\nshared = { type = \"rate\" }\n")))?;
    places(&mut scribe)?;
    subscriptions(&mut scribe)?;
    values(&mut scribe)?;
    // Whoever is subscribed stays on the version that they have; a service that is gone is subscribed to no more.
    scribe.rules_with_services(&book, &section(vec![service("nat", "NAT 2")?], None))?;
    for (name, service) in [("late", "nat"), ("gone", "drain")] {
        scribe.ask(
            &admin(),
            "acme",
            &json!({"set_subscription": {"place": "acme", "name": name, "service": service}}),
        )?;
    }
    leave(&mut scribe)?;
    // A report on what nobody asked for.
    let configured =
        json!({"reaction": "acme-r9999-1", "attempt": 1, "requests": 1, "outcome": {"done": "configured"}});
    scribe.send("acme", "result", json!({"attempt": configured}).to_string())?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

fn places(scribe: &mut Scribe) -> anyhow::Result<()> {
    incident(scribe, "acme", "SERVICES", "High")?;
    for place in ["acme/berlin", "acme/berlin/line-7", "acme/munich"] {
        scribe.ask(&admin(), "acme", &json!({"set_place": {"place": place}}))?;
    }
    let all = json!(["subscription", "substitution", "activation", "managers"]);
    for (name, sphere, privileges) in [("eve", "acme", all), ("sam", "acme/berlin", json!(["subscription"]))] {
        let manager = json!({"manager": name, "sphere": [sphere], "privileges": privileges});
        scribe.ask(&admin(), "acme", &json!({"set_manager": manager}))?;
    }
    Ok(())
}

fn subscriptions(scribe: &mut Scribe) -> anyhow::Result<()> {
    let set = |more: Value| {
        let mut asked = json!({"place": "acme/berlin", "name": "out", "service": "nat"});
        if let (Some(asked), Some(more)) = (asked.as_object_mut(), more.as_object()) {
            asked.extend(more.clone());
        }
        json!({"set_subscription": asked})
    };
    for (who, more) in [
        ("sam", json!({})),
        ("sam", json!({"substitutions": ["rate=1"]})),
        ("sam", json!({"place": "acme"})),
        ("eve", json!({"substitutions": ["rate=10m"], "active": true})),
        ("eve", json!({"substitutions": ["=10m"]})),
        ("eve", json!({"service": "drain"})),
        ("eve", json!({"name": "in", "service": "none"})),
        ("eve", json!({"place": "acme", "service": "drain"})),
        ("eve", json!({"place": "acme/paris"})),
        ("eve", json!({"place": "bolt"})),
    ] {
        scribe.ask(&manager(who), "acme", &set(more))?;
    }
    let path = json!({"place": "acme/berlin", "name": "out"});
    for verb in ["suspend_subscription", "suspend_subscription", "resume_subscription"] {
        scribe.ask(&manager("sam"), "acme", &json!({verb: path}))?;
    }
    scribe.ask(&manager("eve"), "acme", &json!({"suspend_subscription": {"place": "acme/munich", "name": "out"}}))
}

fn values(scribe: &mut Scribe) -> anyhow::Result<()> {
    let line = "acme/berlin/line-7";
    for settings in [
        json!({"place": "acme", "substitutions": ["!pool=192.0.2.0/24", "rate in 1..1g"]}),
        json!({"place": "acme", "substitutions": ["rate=20m"], "keep": true}),
        json!({"place": "acme", "unset": ["rate"], "keep": true}),
        json!({"place": "acme", "unset": ["rate"], "keep": true}),
        json!({"place": "acme", "substitutions": ["rate=1", "rate=2"]}),
        json!({"place": line, "subscription": "out", "substitutions": ["dept:network=", "rate=1"]}),
        json!({"place": line, "subscription": "in", "substitutions": ["rate=1"]}),
        json!({"place": line, "substitutions": ["rate=2"]}),
        json!({"place": line, "substitutions": ["a".repeat(5_000)]}),
        json!({"place": line, "substitutions": ["pool=198.51.100.0/24"]}),
        json!({"place": line, "substitutions": ["rate in 1..2g"]}),
        json!({"place": line, "substitutions": ["rate=shared"]}),
        json!({"place": line, "substitutions": ["none=2"]}),
        json!({"place": "acme", "substitutions": ["rate in 100..200"], "keep": true}),
        json!({"place": "acme/paris", "substitutions": ["rate=2"]}),
        json!({"place": "acme/munich", "substitutions": ["rate=2"]}),
        json!({"place": "acme/munich"}),
    ] {
        scribe.ask(&manager("eve"), "acme", &json!({"set_values": settings}))?;
    }
    scribe.ask(&manager("sam"), "acme", &json!({"set_values": {"place": line, "substitutions": ["rate=3"]}}))?;
    let localize =
        |service: &str| json!({"localize_service": {"service": service, "substitutions": ["dept:network="]}});
    scribe.ask(&manager("eve"), "acme", &localize("nat"))?;
    scribe.ask(&admin(), "acme", &localize("nat"))?;
    scribe.ask(&admin(), "acme", &localize("none"))
}

/// Subscriptions go, and a place takes its own with it.
fn leave(scribe: &mut Scribe) -> anyhow::Result<()> {
    let out = json!({"place": "acme/berlin", "name": "out"});
    scribe.ask(&manager("eve"), "acme", &json!({"remove_subscription": out}))?;
    scribe.ask(&manager("eve"), "acme", &json!({"remove_subscription": out}))?;
    let own = json!({"place": "acme/berlin/line-7", "name": "own", "service": "nat", "substitutions": ["rate=1"]});
    scribe.ask(&manager("eve"), "acme", &json!({"set_subscription": own}))?;
    for cascade in [false, true] {
        let removal = json!({"place": "acme/berlin", "cascade": cascade});
        scribe.ask(&admin(), "acme", &json!({"remove_place": removal}))?;
    }
    Ok(())
}

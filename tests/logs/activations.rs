//! The log `activations`: raised level by level, and then what level 5 knows. Subscriptions become configuration of
//! devices: activated by people, schedules and policies, cut at a line, refused by devices, moved, rolled out.

use std::path::Path;

use linesman_schemas::control::{Control, RuleBook, Settings};
use linesman_schemas::service::{ServiceSource, ServicesSection};
use linesman_tests::event;
use serde_json::{Value, json};

use crate::listeners::admin;
use crate::policies::source;
use crate::scribe::{LANES, Scribe};
use crate::system::{LEVELS, organization, set_organization};

/// The level that there are activations from.
const LEVEL: u32 = 5;
/// How many lines the large site has: more than are rendered at once.
const LINES: usize = 60;

/// A service that sets something of its own for each line; its statement's name tells versions apart.
fn limit(statement: &str) -> anyhow::Result<ServiceSource> {
    let definition = "title = \"Limit\"\nschedulable = true\n[parameters]\nrate = { type = \"rate\", default = \"10m\" }\n\
        burst = { type = \"burst\", required = true }\n";
    let template = format!(
        "firewall {{\n    policer {{{{ line }}}} {{\n        {statement} {{{{ rate }}}};\n        burst {{{{ burst }}}};\n    }}\n}}\n"
    );
    service("limit", definition, template)
}

/// A service that sets what is one for the whole device.
fn banner() -> anyhow::Result<ServiceSource> {
    let definition = "title = \"Banner\"\n[parameters]\ntext = { type = \"string\", required = true }\n";
    service("banner", definition, "system {\n    login {\n        message {{ text }};\n    }\n}\n".to_owned())
}

fn service(name: &str, definition: &str, template: String) -> anyhow::Result<ServiceSource> {
    let files = [("service.toml", definition.to_owned()), ("main.j2", template)];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    Ok(ServiceSource { name: name.parse()?, files })
}

fn section(services: Vec<ServiceSource>) -> ServicesSection {
    ServicesSection { services, parameters: None, refused: Vec::new() }
}

/// Policies that have services activated: while a device is attacked, where they say, and where they may not.
const POLICIES: [(&str, &str); 3] = [
    (
        "acme/elsewhere",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"ATTACK\" } });\n\
         fn react(incident, org) { service(\"banner\").at(\"bolt/berlin\").activate(#{ text: \"mine\" }); }",
    ),
    (
        "defend",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: [\"ATTACK\", \"ATTACK_OVER\"] } });\n\
         fn react(incident, org) {\n    let limit = service(\"limit\");\n    let values = #{ rate: 5000, burst: 3000 };\n\
         \x20   if incident.event_type == \"ATTACK\" { limit.activate(values); } else { limit.deactivate(values); }\n}",
    ),
    (
        "greet",
        "policy(#{ on: \"intelligence.received\" });\n\
         fn react(message, org) { service(\"banner\").at(\"acme/paris/line-1\").activate(#{ text: message.title }); }",
    ),
];

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let mut scribe = Scribe::begin(dir)?;
    for (org, level) in LEVELS {
        organization(&mut scribe, org, level)?;
    }
    let mut book = RuleBook { settings: Settings::default(), policies: Vec::new(), refused: Vec::new() };
    scribe.rules(&book)?;
    for level in 2..=LEVEL {
        if level == LEVEL {
            before(&mut scribe, &book)?;
        }
        for lane in 0..LANES {
            scribe.control(lane, serde_json::to_vec(&Control::Level(level))?)?;
        }
    }
    book.policies = POLICIES.into_iter().map(|(name, text)| source(name, text)).collect::<Result<_, _>>()?;
    scribe.rules_with_services(&book, &section(vec![banner()?, limit("rate")?]))?;
    people(&mut scribe)?;
    devices(&mut scribe)?;
    schedules(&mut scribe)?;
    policies(&mut scribe)?;
    rollout(&mut scribe, &book)?;
    slices(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

fn ask(scribe: &mut Scribe, verb: &str, asked: Value) -> anyhow::Result<()> {
    scribe.ask(&admin(), "acme", &json!({verb: asked}))?;
    scribe.work()
}

/// Asks, and devices do what follows.
fn does(scribe: &mut Scribe, verb: &str, asked: Value) -> anyhow::Result<()> {
    ask(scribe, verb, asked)?;
    scribe.answer(&json!({"done": "configured"}), usize::MAX)
}

fn subscription(place: &str, name: &str, service: &str, substitutions: &[&str], active: bool) -> Value {
    json!({"place": place, "name": name, "service": service, "substitutions": substitutions, "active": active})
}

/// What there is of subscriptions and lines when the level comes: what was active waits for it no longer.
fn before(scribe: &mut Scribe, book: &RuleBook) -> anyhow::Result<()> {
    // Lanes that begin at a level where commands have a principal have no organization yet.
    for (org, level) in LEVELS {
        scribe.ask(&admin(), org, &set_organization(org, level))?;
    }
    scribe.rules_with_services(book, &section(vec![banner()?, limit("rate")?]))?;
    for site in ["berlin", "paris"] {
        ask(scribe, "set_place", json!({"place": format!("acme/{site}")}))?;
        for line in ["line-1", "line-2"] {
            let device = json!({"place": format!("acme/{site}/{line}"), "device": format!("pe-{site}")});
            ask(scribe, "set_place", device)?;
        }
    }
    ask(scribe, "set_subscription", subscription("acme", "early", "limit", &["burst=9k"], true))?;
    ask(scribe, "activate_subscription", json!({"place": "acme", "name": "early"}))
}

/// Activations by people, refused and done, cut at a line and taken up there.
fn people(scribe: &mut Scribe) -> anyhow::Result<()> {
    // What else the provider is asked from this level on.
    for verb in [
        json!({"set_log_level": {"old": "info", "new": "debug"}}),
        json!({"clear_place": {"place": "acme/munich", "rule_book": 17}}),
    ] {
        scribe.ask(&admin(), "", &verb)?;
    }
    does(scribe, "remove_subscription", json!({"place": "acme", "name": "early"}))?;
    does(scribe, "set_subscription", subscription("acme", "cap", "limit", &[], false))?;
    let at =
        |place: &str, substitutions: &[&str]| json!({"place": place, "name": "cap", "substitutions": substitutions});
    let named = |place: &str| json!({"place": place, "name": "cap"});
    for (verb, asked) in [
        ("activate_subscription", at("acme", &[])),
        ("activate_subscription", at("acme", &["brust=1k"])),
        ("set_subscription", subscription("acme", "cap", "limit", &["burst=1k"], false)),
        ("activate_subscription", at("acme", &[])),
        ("activate_subscription", at("acme", &[])),
        ("activate_subscription", json!({"place": "acme", "name": "none"})),
        ("activate_subscription", json!({"place": "bolt", "name": "cap"})),
        ("deactivate_subscription", named("acme/berlin/line-1")),
        ("activate_subscription", at("acme/berlin/line-1", &["rate=5m"])),
        ("deactivate_subscription", at("acme/berlin/line-1", &["rate=6m"])),
        ("deactivate_subscription", at("acme/berlin/line-1", &["rate=5m"])),
        ("activate_subscription", at("acme/berlin/line-1", &[])),
        ("set_values", json!({"place": "acme/paris/line-2", "substitutions": ["rate=20m"]})),
        ("suspend_subscription", named("acme")),
        ("resume_subscription", named("acme")),
        ("redeploy_subscription", named("acme")),
        ("redeploy_subscription", named("acme/paris")),
        ("redeploy_subscription", json!({"place": "acme", "name": "none"})),
    ] {
        does(scribe, verb, asked)?;
    }
    let may_nothing = json!({"manager": "sam", "sphere": ["acme/berlin"], "privileges": ["subscription"]});
    ask(scribe, "set_manager", may_nothing)?;
    let sam = json!({"kind": "manager", "organization": "acme", "name": "sam"});
    for verb in ["activate_subscription", "deactivate_subscription"] {
        scribe.ask(&sam, "acme", &json!({verb: named("acme/berlin")}))?;
    }
    Ok(())
}

/// Devices that refuse, that cannot be reached, and that are overtaken; a line whose device changes, and a conflict.
fn devices(scribe: &mut Scribe) -> anyhow::Result<()> {
    let failed = |class: &str| json!({"failed": {"class": class, "message": "no", "retry_after_s": null}});
    ask(scribe, "set_values", json!({"place": "acme/berlin", "substitutions": ["rate=30m"]}))?;
    scribe.answer(&failed("refused"), 1)?;
    scribe.answer(&failed("unavailable"), 1)?;
    ask(scribe, "set_values", json!({"place": "acme/berlin", "substitutions": ["rate=40m"]}))?;
    scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    does(scribe, "redeploy_subscription", json!({"place": "acme", "name": "cap"}))?;
    ask(scribe, "set_place", json!({"place": "acme/berlin/line-2", "device": "pe-new"}))?;
    scribe.answer(&failed("refused"), 1)?;
    scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    does(scribe, "set_place", json!({"place": "acme/berlin/line-2", "device": ""}))?;
    does(scribe, "set_place", json!({"place": "acme/berlin/line-2", "device": "pe-berlin"}))?;
    for (place, name, text) in [
        ("acme/berlin/line-1", "hello", "text=\"hello\""),
        ("acme/berlin/line-2", "bye", "text=\"bye\""),
        ("acme/paris", "bye", "text=\"bye\""),
    ] {
        does(scribe, "set_subscription", subscription(place, name, "banner", &[text], true))?;
    }
    does(scribe, "set_place", json!({"place": "acme/paris/line-1", "device": "pe-berlin"}))?;
    does(scribe, "remove_subscription", json!({"place": "acme/berlin/line-1", "name": "hello"}))?;
    does(scribe, "set_place", json!({"place": "acme/paris/line-1", "device": "pe-paris"}))
}

/// Activations that come and go by the clock.
fn schedules(scribe: &mut Scribe) -> anyhow::Result<()> {
    let daily = json!({"start": "2026-11-21T12:00:00", "duration_s": 3600, "repeat": "daily",
        "time_zone": "Europe/Berlin"});
    let scheduled = json!({"place": "acme/paris", "name": "cap", "substitutions": ["rate=7m"], "schedule": daily});
    does(scribe, "deactivate_subscription", json!({"place": "acme/paris", "name": "cap"}))?;
    does(scribe, "activate_subscription", scheduled)?;
    let over = json!({"start": "2026-11-20T12:00:00", "duration_s": 60});
    does(scribe, "activate_subscription", json!({"place": "acme/paris", "name": "cap", "schedule": over}))?;
    for hours in [3, 1, 22] {
        scribe.wait(hours * 3_600)?;
        scribe.tick()?;
        scribe.work()?;
        scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    }
    let nightly = json!({"place": "acme/berlin", "name": "own", "service": "limit", "substitutions": ["burst=2k"],
        "active": true, "schedule": daily});
    does(scribe, "set_subscription", nightly)?;
    does(scribe, "deactivate_subscription", json!({"place": "acme", "name": "cap"}))?;
    does(scribe, "remove_subscription", json!({"place": "acme/berlin", "name": "own"}))
}

/// What policies have activated: by the device that reports, where they say, and where they are refused.
fn policies(scribe: &mut Scribe) -> anyhow::Result<()> {
    does(scribe, "set_place", json!({"place": "acme/berlin/line-1", "device": "edge-09"}))?;
    let reports = [
        ("edge-09", 1, "ATTACK"),
        ("edge-09", 2, "ATTACK"),
        ("edge-09", 3, "ATTACK_OVER"),
        ("edge-09", 4, "ATTACK_OVER"),
        ("edge-10", 5, "ATTACK"),
    ];
    for (host, number, kind) in reports {
        scribe.send("acme", "jmb", event(host, number, kind, "High"))?;
        scribe.work()?;
        scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    }
    does(scribe, "remove_subscription", json!({"place": "acme/paris", "name": "bye"}))?;
    does(scribe, "set_subscription", subscription("acme/paris", "greeting", "banner", &[], false))?;
    let message = json!({"id": "I-1", "kind": "alert", "title": "good; day { }", "issued": "2026-11-20T08:00:00Z"});
    for org in ["acme", "bolt"] {
        scribe.send(org, "intel", message.to_string())?;
        scribe.work()?;
        scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    }
    Ok(())
}

/// A service changes, and subscriptions go over to what it is now: first one, then the others.
fn rollout(scribe: &mut Scribe, book: &RuleBook) -> anyhow::Result<()> {
    for site in ["berlin", "paris"] {
        does(scribe, "set_subscription", subscription(&format!("acme/{site}"), "roll", "limit", &["burst=4k"], true))?;
    }
    scribe.rules_with_services(book, &section(vec![banner()?, limit("bandwidth")?]))?;
    scribe.work()?;
    for asked in [
        json!({"service": "limit", "under": "acme", "version": "000000000000"}),
        json!({"service": "none", "under": "acme"}),
        json!({"service": "limit", "under": "acme", "canary": 1}),
        json!({"service": "limit", "under": "acme"}),
        json!({"service": "limit", "under": "acme"}),
    ] {
        does(scribe, "rollout_service", asked)?;
    }
    Ok(())
}

/// A site with so many lines that they are rendered in slices, and changed amid them; then it goes with all of them.
fn slices(scribe: &mut Scribe) -> anyhow::Result<()> {
    ask(scribe, "set_place", json!({"place": "acme/rome"}))?;
    for line in 0..LINES {
        let place = json!({"place": format!("acme/rome/line-{line}"), "device": format!("pe-rome-{}", line % 3)});
        ask(scribe, "set_place", place)?;
    }
    let set = json!({"set_subscription": subscription("acme/rome", "all", "limit", &["burst=5k"], true)});
    scribe.ask(&admin(), "acme", &set)?;
    scribe.slice("acme")?;
    let values = json!({"set_values": {"place": "acme/rome", "substitutions": ["rate=8m"]}});
    scribe.ask(&admin(), "acme", &values)?;
    scribe.slice("acme")?;
    scribe.answer(&json!({"done": "configured"}), 10)?;
    scribe.work()?;
    scribe.answer(&json!({"done": "configured"}), usize::MAX)?;
    does(scribe, "remove_place", json!({"place": "acme/rome", "cascade": true}))
}

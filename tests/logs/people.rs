//! The log `people`: raised level by level, and then what level 3 knows. Places, people, tokens and logins, done, refused
//! and taken back; policies that listen; the audit's books.

use std::path::Path;

use linesman_schemas::control::{Control, RuleBook, Settings};
use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::{LANES, Scribe};
use crate::system::{LEVELS, incident, organization};
use crate::{audit, listeners, policies};

fn manager(login: &str) -> Value {
    match login.split_once('/') {
        Some((organization, name)) => json!({"kind": "manager", "organization": organization, "name": name}),
        None => json!({"kind": "provider", "name": login}),
    }
}

/// As somebody, of an organization or without one of the provider.
fn ask(scribe: &mut Scribe, who: &str, org: &str, verb: &Value) -> anyhow::Result<()> {
    scribe.ask(&manager(who), org, verb)
}

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let mut scribe = Scribe::begin(dir)?;
    for (org, level) in LEVELS {
        organization(&mut scribe, org, level)?;
    }
    let mut all = policies::all()?;
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let mut book = RuleBook { settings: Settings::default(), policies: all, refused: Vec::new() };
    scribe.rules(&book)?;
    for level in 2..=3 {
        incident(&mut scribe, "acme", "PEOPLE", "High")?;
        scribe.ask(&admin(), "", &json!({"raise_level": {"level": level}}))?;
        for lane in 0..LANES {
            scribe.control(lane, serde_json::to_vec(&Control::Level(level))?)?;
        }
        // Verbs that come later are none yet.
        scribe.ask(&admin(), "acme", &json!({"set_place": {"place": "acme/early"}}))?;
        scribe.ask(&admin(), "", &json!({"remove_group": {"group": "none"}}))?;
    }
    listeners::hear(&mut scribe, &mut book)?;
    come_and_go(&mut scribe)?;
    audit::keep(&mut scribe, &mut book)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// Everything that is asked about people, once; nobody but the provider's first manager is there afterwards.
fn come_and_go(scribe: &mut Scribe) -> anyhow::Result<()> {
    places(scribe)?;
    grants(scribe)?;
    logins(scribe)?;
    tokens(scribe)?;
    incidents(scribe)?;
    leave(scribe)
}

fn places(scribe: &mut Scribe) -> anyhow::Result<()> {
    for verb in [
        json!({"set_place": {"place": "acme/berlin", "display_name": "Berlin"}}),
        json!({"set_place": {"place": "acme/berlin/line-7", "device": "edge-01", "addresses": ["192.0.2.0/28"], "speed": 100_000_000}}),
        json!({"set_place": {"place": "acme/munich/line-1"}}),
        json!({"set_place": {"place": "acme/munich", "addresses": ["nowhere"]}}),
        json!({"set_place": {"place": "bolt/berlin"}}),
        json!({"tie_device": {"serial_number": "SNedge-01", "place": "acme/berlin"}}),
        json!({"tie_device": {"serial_number": "none", "place": "acme/berlin"}}),
        json!({"remove_place": {"place": "acme/berlin"}}),
    ] {
        scribe.ask(&admin(), "acme", &verb)?;
    }
    Ok(())
}

fn grants(scribe: &mut Scribe) -> anyhow::Result<()> {
    let all = json!(["subscription", "substitution", "activation", "managers"]);
    let rights = json!({"cases": true, "incidents": "own"});
    ask(
        scribe,
        "admin",
        "",
        &json!({"set_manager": {"manager": "bob", "sphere": ["acme"], "privileges": all, "rights": rights}}),
    )?;
    ask(scribe, "admin", "", &json!({"set_manager": {"manager": "mia", "sphere": [], "rights": rights}}))?;
    let group = json!({"group": "night", "members": ["mia"], "organizations": ["bolt"]});
    ask(scribe, "bob", "", &json!({"set_group": group}))?;
    ask(scribe, "admin", "", &json!({"set_group": group}))?;
    ask(scribe, "bob", "acme", &json!({"set_manager": {"manager": "eve", "sphere": ["acme"], "privileges": all}}))?;
    for verb in [
        json!({"set_manager": {"manager": "sam", "sphere": ["acme/berlin"], "privileges": ["activation"]}}),
        json!({"set_manager": {"manager": "sam", "sphere": ["bolt"]}}),
        json!({"set_manager": {"manager": "sam", "rights": {"cases": true}}}),
        json!({"set_manager": {"manager": "eve", "privileges": []}}),
        json!({"set_place": {"place": "acme/paris"}}),
    ] {
        ask(scribe, "acme/eve", "acme", &verb)?;
    }
    ask(scribe, "acme/sam", "acme", &json!({"set_manager": {"manager": "tim", "sphere": ["acme/berlin"]}}))?;
    // What is taken away above takes effect below at once.
    ask(scribe, "admin", "", &json!({"set_manager": {"manager": "bob", "privileges": ["activation"]}}))?;
    ask(scribe, "acme/eve", "acme", &json!({"remove_manager": {"manager": "sam"}}))?;
    ask(scribe, "admin", "", &json!({"set_manager": {"manager": "bob", "privileges": all}}))
}

fn logins(scribe: &mut Scribe) -> anyhow::Result<()> {
    let machine = json!({"kind": "machine"});
    let hash = "$argon2id$v=19$m=32768,t=3,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo";
    let open = |manager: &str, session: &str| json!({"login": {"manager": manager, "session": session, "hash": "ab".repeat(32), "source": "192.0.2.17", "expires": "2027-11-21T10:00:00Z"}});
    for (who, org, name) in [("acme/eve", "acme", "eve"), ("bob", "", "bob")] {
        let change = json!({"set_password": {"manager": name, "password": hash}});
        scribe.ask(&machine, org, &change)?;
        ask(scribe, who, org, &open(name, "one"))?;
        ask(scribe, who, org, &open(name, "one"))?;
        ask(scribe, who, org, &open(name, "two"))?;
        let touch = json!({"touch_sessions": {"sessions": [{"manager": name, "session": "one"}], "tokens": []}});
        scribe.ask(&machine, org, &touch)?;
        ask(scribe, who, org, &json!({"logout": {"manager": name, "session": "one"}}))?;
        scribe.ask(&admin(), org, &json!({"revoke_session": {"manager": name, "session": "two"}}))?;
        ask(scribe, who, org, &open(name, "three"))?;
        ask(scribe, who, org, &change)?;
        for verb in [
            json!({"login_refused": {"manager": name, "count": 12, "sources": ["192.0.2.17"]}}),
            json!({"login_refused": {"count": 3, "sources": ["192.0.2.17"]}}),
            json!({"login_locked": {"manager": name, "failures": 10, "until": "2027-11-21T10:15:00Z"}}),
            json!({"login_locked": {"source": "192.0.2.17", "failures": 100, "until": "2027-11-21T10:15:00Z"}}),
        ] {
            scribe.ask(&machine, org, &verb)?;
        }
        ask(
            scribe,
            who,
            org,
            &json!({"login_locked": {"manager": name, "failures": 1, "until": "2027-11-21T10:15:00Z"}}),
        )?;
    }
    Ok(())
}

fn tokens(scribe: &mut Scribe) -> anyhow::Result<()> {
    for (who, org, name) in [("acme/eve", "acme", "eve"), ("bob", "", "bob")] {
        let issue = json!({"manager": name, "token": "ci", "hash": "cd".repeat(32), "sphere": ["acme/berlin"], "privileges": ["managers"]});
        ask(scribe, who, org, &json!({"issue_token": issue}))?;
        ask(scribe, who, org, &json!({"issue_token": issue}))?;
        let mut by_token = manager(who);
        if let Some(fields) = by_token.as_object_mut() {
            fields.insert("token".to_owned(), json!("ci"));
        }
        let set = |sphere: &str| json!({"set_manager": {"manager": "tom", "sphere": [sphere], "privileges": []}});
        scribe.ask(&by_token, "acme", &set("acme/berlin"))?;
        scribe.ask(&by_token, "acme", &set("acme"))?;
        ask(scribe, who, org, &json!({"revoke_token": {"manager": name, "token": "ci"}}))?;
        scribe.ask(&by_token, "acme", &set("acme/berlin"))?;
    }
    Ok(())
}

/// Whose step allows it, on their own and on others' incidents.
fn incidents(scribe: &mut Scribe) -> anyhow::Result<()> {
    let about = incident(scribe, "bolt", "PEOPLE", "Low")?;
    for verb in [
        json!({"assign_incident": {"incident": about, "owner": "mia", "in_progress": true}}),
        json!({"annotate_incident": {"incident": about, "note": "mine"}}),
        json!({"assign_incident": {"incident": about, "owner": "bob", "in_progress": false}}),
        json!("suspend_organization"),
    ] {
        ask(scribe, "mia", "bolt", &verb)?;
    }
    ask(scribe, "bob", "bolt", &json!({"annotate_incident": {"incident": about, "note": "unseen"}}))
}

fn leave(scribe: &mut Scribe) -> anyhow::Result<()> {
    ask(scribe, "admin", "", &json!({"remove_group": {"group": "night"}}))?;
    ask(scribe, "admin", "", &json!({"remove_manager": {"manager": "bob"}}))?;
    ask(scribe, "admin", "", &json!({"remove_manager": {"manager": "mia"}}))?;
    // She is handed to whoever granted him.
    ask(scribe, "acme/eve", "acme", &json!({"remove_manager": {"manager": "tom"}}))?;
    ask(scribe, "admin", "acme", &json!({"remove_place": {"place": "acme/berlin", "cascade": true}}))?;
    ask(scribe, "admin", "acme", &json!({"remove_manager": {"manager": "eve"}}))
}

use serde_json::{Value, json};

use super::*;
use crate::ManagerName;
use crate::control::Section;

fn org() -> OrgName {
    "acme".parse().unwrap()
}

fn load() -> Verb {
    let hash = "ab".repeat(32);
    let load = SectionLoad { section: Section::Policies, hash, loaded: None, expected: None, above: None };
    Verb::RuleBook(RuleBook::LoadSection(load))
}

/// The verbs there were before families, as logs have them: token, bytes.
const TODAY: [(&str, &str); 12] = [
    (
        "set-organization",
        r#"{"set_organization":{"display_name":"A","is_proxy":true,"filter_level":"Do not send","device_groups":[{"name":"g","devices":["a*"]}],"loaded":null}}"#,
    ),
    ("suspend-organization", r#""suspend_organization""#),
    ("unload-organization", r#""unload_organization""#),
    ("assign-incident", r#"{"assign_incident":{"incident":"acme-1","owner":"ann","in_progress":true}}"#),
    ("prioritise-incident", r#"{"prioritise_incident":{"incident":"acme-1","priority":"High"}}"#),
    ("close-incident", r#"{"close_incident":{"incident":"acme-1","note":"n"}}"#),
    ("reopen-incident", r#"{"reopen_incident":{"incident":"acme-1","note":""}}"#),
    ("annotate-incident", r#"{"annotate_incident":{"incident":"acme-1","note":"n"}}"#),
    (
        "submit-case",
        r#"{"submit_case":{"incident":"acme-1","case":{"synopsis":"s","comments":"c","priority":"Low","cc":["x"],"follow_up":"Phone Call"}}}"#,
    ),
    ("save-case", r#"{"save_case":{"incident":"acme-1","case":{}}}"#),
    ("run-policy", r#"{"run_policy":{"policy":"acme/p","trigger":"case.updated","event":"e","about":"acme-1"}}"#),
    ("replay-input", r#"{"replay_input":{"event":"e","sequence":17}}"#),
];

#[test]
fn every_verb_of_before_families_is_read_and_written_as_it_was() {
    for (token, wire) in TODAY {
        let verb: Verb = serde_json::from_str(wire).unwrap();
        assert_eq!(serde_json::to_string(&verb).unwrap(), wire);
        assert_eq!(verb.as_str(), token);
        assert_eq!(verb.place(Some(&org())), Some(Place::Organization(org())), "{token}");
        assert_eq!(verb.place(None), None, "{token} is not asked of the provider");
        assert_eq!(verb.subject(Some(&org())), format!("in.acme.cmd.{token}"));
    }
}

/// The tag in JSON is the token in subjects, for verbs to come too.
#[test]
fn a_verbs_tag_is_its_token() {
    let raise = Verb::Engine(Engine::RaiseLevel(LevelRaise { level: 2 }));
    let later = [raise, load()].map(|verb| (verb.as_str().to_owned(), serde_json::to_value(&verb).unwrap()));
    let today = TODAY.map(|(token, wire)| (token.to_owned(), serde_json::from_str(wire).unwrap()));
    for (token, wire) in today.into_iter().chain(later) {
        let wire: Value = wire;
        let tag = wire.as_str().or_else(|| wire.as_object()?.keys().next().map(String::as_str)).unwrap();
        assert_eq!(tag.replace('_', "-"), token);
    }
}

#[test]
fn the_providers_verbs_go_to_lane_0() {
    for verb in [Verb::Engine(Engine::RaiseLevel(LevelRaise { level: 2 })), load()] {
        assert_eq!(verb.place(None), Some(Place::Provider));
        assert_eq!(verb.place(Some(&org())), None, "it is asked of no organization");
        assert_eq!(verb.subject(None), "p.0.ctl");
    }
}

#[test]
fn a_section_is_loaded_by_hashes_and_is_looked_up_by_its_name() {
    let read = |section: &str| -> Verb {
        let load = json!({"load_section": {"section": section, "hash": "ab".repeat(32)}});
        serde_json::from_value(load).unwrap()
    };
    assert_eq!((read("policies").operation(), read("settings").operation()), ("load-policies", "load-settings"));
    assert_eq!(read("settings").check(), Ok(()));
    let wrong = |change: fn(&mut SectionLoad, String)| {
        let Verb::RuleBook(RuleBook::LoadSection(mut wrong)) = load() else { panic!() };
        change(&mut wrong, "AB".repeat(32));
        Verb::RuleBook(RuleBook::LoadSection(wrong)).check().unwrap_err().to_string()
    };
    assert_eq!(wrong(|load, hash| load.hash = hash), "`hash` is no SHA-256 in lower-case hexadecimal");
    assert_eq!(wrong(|load, hash| load.loaded = Some(hash)), "`loaded` is no SHA-256 in lower-case hexadecimal");
    assert_eq!(wrong(|load, hash| load.expected = Some(hash)), "`expected` is no SHA-256 in lower-case hexadecimal");
}

#[test]
fn commands_of_before_principals_tell_who_asked() {
    let read = |actor: &str| {
        let command = json!({"id": "c", "actor": actor, "node": "n", "verb": "suspend_organization"});
        serde_json::from_value::<Command>(command).unwrap().principal
    };
    for actor in ["api", "mara@partner.example", "", "a\nb", "machine"] {
        assert_eq!(read(actor), Principal::Provider { name: actor.to_owned(), token: None });
        assert_eq!(read(actor).to_string(), actor);
    }
    assert_eq!(read("configuration"), Principal::Configuration);
}

#[test]
fn a_command_names_its_principal_in_a_typed_form_and_for_people() {
    let name: ManagerName = "ann".parse().unwrap();
    let principals = [
        (Principal::admin(), json!({"kind": "provider", "name": "admin"}), "admin"),
        (
            Principal::Manager { organization: org(), name, token: Some("ci".parse().unwrap()) },
            json!({"kind": "manager", "organization": "acme", "name": "ann", "token": "ci"}),
            "acme/ann",
        ),
        (
            Principal::Policy { name: "p".parse().unwrap(), organization: Some(org()) },
            json!({"kind": "policy", "name": "p", "organization": "acme"}),
            "p",
        ),
        (Principal::Configuration, json!({"kind": "configuration"}), "configuration"),
        (Principal::Machine, json!({"kind": "machine"}), "machine"),
    ];
    for (principal, wire, text) in principals {
        let verb = Verb::Organization(Organization::Suspend);
        let command = Command { id: "c".parse().unwrap(), principal, node: "n".to_owned(), verb };
        let written = serde_json::to_value(&command).unwrap();
        let expected =
            json!({"id": "c", "actor": text, "principal": wire, "node": "n", "verb": "suspend_organization"});
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_value::<Command>(written).unwrap(), command);
    }
}

#[test]
fn what_cannot_be_read_is_told_in_words() {
    let command = |fields: Value| {
        let mut command = json!({"id": "c", "node": "n", "verb": "suspend_organization"});
        command.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value::<Command>(command).unwrap_err().to_string()
    };
    assert_eq!(command(json!({})), "missing field `principal`");
    let boss = command(json!({"principal": {"kind": "boss"}}));
    assert_eq!(
        boss,
        "unknown variant `boss`, expected one of `provider`, `manager`, `policy`, `end_customer`, `configuration`, `machine`"
    );
    let sing = command(json!({"actor": "a", "verb": "sing"}));
    assert!(sing.starts_with("unknown variant `sing`, expected one of `set_organization`, "), "{sing}");
}

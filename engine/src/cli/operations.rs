//! What the commands of the command line ask of a running engine.

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// It asks for these operations.
    Asks(&'static [&'static str]),
    /// It works on what lies here, or with the broker's own logins: nobody is asked for a right.
    Local,
}

/// Every command, by the words it is called with, and what it does.
pub(super) const COMMANDS: &[(&str, Does)] = &[
    ("serve", Does::Local),
    ("config", Does::Local),
    ("log-level", Does::Asks(&["log-level", "set-log-level"])),
    ("lane show", Does::Asks(&["lanes"])),
    ("lane skip", Does::Asks(&["skip-input"])),
    ("lane rejudge", Does::Asks(&["rejudge-lane"])),
    ("clock show", Does::Asks(&["clock"])),
    ("clock confirm", Does::Asks(&["clock", "confirm-clock"])),
    ("verify", Does::Asks(&["verify-streams", "verification"])),
    ("check", Does::Local),
    ("publish", Does::Local),
    ("tail", Does::Local),
    ("nats consumers list", Does::Local),
    ("nats consumers remove", Does::Local),
    ("record", Does::Local),
    ("upstream fingerprint", Does::Local),
    ("upstream pin", Does::Asks(&["pin-upstream"])),
    ("seal rotate", Does::Local),
    ("licence keygen", Does::Local),
    ("licence request", Does::Local),
    ("licence issue", Does::Local),
    ("licence show", Does::Local),
    ("licence install", Does::Local),
    ("redact", Does::Local),
    ("unredact", Does::Asks(&["unredact"])),
    ("incident list", Does::Asks(&["incidents"])),
    ("incident show", Does::Asks(&["incident"])),
    ("incident assign", Does::Asks(&["assign-incident"])),
    ("incident prioritise", Does::Asks(&["prioritise-incident"])),
    ("incident close", Does::Asks(&["close-incident"])),
    ("incident reopen", Does::Asks(&["reopen-incident"])),
    ("incident annotate", Does::Asks(&["annotate-incident"])),
    ("case list", Does::Asks(&["cases"])),
    ("case show", Does::Asks(&["case"])),
    ("case files", Does::Asks(&["case", "export-cases"])),
    ("case export", Does::Asks(&["export-cases"])),
    ("case save", Does::Asks(&["save-case"])),
    ("case submit", Does::Asks(&["submit-case"])),
    ("case forward", Does::Asks(&["forward-case"])),
    ("case handle", Does::Asks(&["handle-case"])),
    ("case override", Does::Asks(&["override-case"])),
    ("case note", Does::Asks(&["note-case"])),
    ("case close", Does::Asks(&["close-case"])),
    ("case reopen", Does::Asks(&["reopen-case"])),
    ("device list", Does::Asks(&["devices"])),
    ("device show", Does::Asks(&["device"])),
    ("device add", Does::Asks(&["set-device"])),
    ("device set", Does::Asks(&["set-device"])),
    ("device remove", Does::Asks(&["remove-device"])),
    ("device hostkey", Does::Asks(&["device", "pin-host-key"])),
    ("device test", Does::Asks(&["use-device"])),
    ("device collect", Does::Asks(&["use-device", "collect-device", "device"])),
    ("directives-group list", Does::Asks(&["directives-groups"])),
    ("directives-group show", Does::Asks(&["directives-groups"])),
    ("directives-group set", Does::Asks(&["set-directives-group"])),
    ("directives-group remove", Does::Asks(&["remove-directives-group"])),
    ("device facts", Does::Asks(&["use-device"])),
    ("device config diff", Does::Asks(&["use-device"])),
    ("device config apply", Does::Asks(&["use-device", "device"])),
    ("device config check-sync", Does::Asks(&["use-device"])),
    ("device drifts", Does::Asks(&["drifts"])),
    ("netconf get-config", Does::Asks(&["use-device"])),
    ("netconf rpc", Does::Asks(&["use-device"])),
    ("jmb-error download", Does::Asks(&["use-device"])),
    ("device import", Does::Asks(&["set-device"])),
    ("device export", Does::Asks(&["devices", "device"])),
    ("jmb-error list", Does::Asks(&["jmb-errors"])),
    ("jmb-error show", Does::Asks(&["jmb-error"])),
    ("jmb-error delete", Does::Asks(&["settle-jmb-error"])),
    ("jmb-error recheck", Does::Asks(&["settle-jmb-error"])),
    ("scripts plan", Does::Asks(&["plan-scripts"])),
    ("scripts install", Does::Asks(&["plan-scripts", "install-scripts"])),
    ("scripts remove", Does::Asks(&["remove-scripts"])),
    ("scripts status", Does::Asks(&["scripts"])),
    ("script-bundle list", Does::Asks(&["script-bundles"])),
    ("script-bundle show", Does::Asks(&["script-bundle"])),
    ("script-bundle set", Does::Asks(&["set-script-bundle"])),
    ("script-bundle remove", Does::Asks(&["remove-script-bundle"])),
    ("event-profile list", Does::Asks(&["event-profiles"])),
    ("event-profile show", Does::Asks(&["event-profiles"])),
    ("event-profile set", Does::Asks(&["set-event-profile"])),
    ("event-profile remove", Does::Asks(&["remove-event-profile"])),
    ("intel list", Does::Asks(&["intelligence"])),
    ("intel show", Does::Asks(&["intelligence-message", "provided-message"])),
    ("intel add", Does::Asks(&["add-intelligence"])),
    ("intel impact", Does::Asks(&["impact", "message-impact"])),
    ("intel report", Does::Asks(&["intelligence-report"])),
    ("intel associate", Does::Asks(&["associate-intelligence", "dissociate-intelligence", "impact"])),
    ("intel associations", Does::Asks(&["associations"])),
    ("intel preview", Does::Asks(&["association-preview"])),
    ("intel send", Does::Asks(&["send-intelligence"])),
    ("intel recall", Does::Asks(&["recall-intelligence"])),
    ("intel state", Does::Asks(&["set-intelligence-state"])),
    ("version-match", Does::Local),
    ("address list", Does::Asks(&["addresses"])),
    ("address show", Does::Asks(&["addresses"])),
    ("address set", Does::Asks(&["set-addresses"])),
    ("address device", Does::Asks(&["set-addresses"])),
    ("address remove", Does::Asks(&["set-addresses"])),
    ("address import", Does::Asks(&["addresses", "set-addresses"])),
    ("address export", Does::Asks(&["addresses"])),
    ("contract list", Does::Asks(&["contracts"])),
    ("contract show", Does::Asks(&["contracts"])),
    ("contract import", Does::Asks(&["set-contracts"])),
    ("contract export", Does::Asks(&["contracts"])),
    ("contract remove", Does::Asks(&["set-contracts"])),
    ("approval list", Does::Asks(&["approvals"])),
    ("approval show", Does::Asks(&["approval"])),
    ("approval approve", Does::Asks(&["approve-approval"])),
    ("approval reject", Does::Asks(&["reject-approval"])),
    ("org list", Does::Asks(&["organizations"])),
    ("org show", Does::Asks(&["organization"])),
    ("org set", Does::Asks(&["set-organization"])),
    ("org suspend", Does::Asks(&["suspend-organization"])),
    ("org credentials", Does::Asks(&["set-credentials"])),
    ("org test", Does::Asks(&["test-organization"])),
    ("org activate", Does::Asks(&["set-organization", "test-organization"])),
    ("place list", Does::Asks(&["places"])),
    ("place show", Does::Asks(&["place"])),
    ("place add", Does::Asks(&["place", "set-place"])),
    ("place set", Does::Asks(&["set-place"])),
    ("place remove", Does::Asks(&["remove-place"])),
    ("place tie", Does::Asks(&["tie-device"])),
    ("service list", Does::Asks(&["services"])),
    ("service show", Does::Asks(&["service"])),
    ("service rollout", Does::Asks(&["rollout-service"])),
    ("service load", Does::Asks(&["load-services"])),
    ("value list", Does::Asks(&["values"])),
    ("value set", Does::Asks(&["set-values", "localize-service"])),
    ("value unset", Does::Asks(&["set-values", "localize-service"])),
    ("subscription list", Does::Asks(&["subscriptions"])),
    ("subscription show", Does::Asks(&["subscription"])),
    ("subscription set", Does::Asks(&["subscription", "set-subscription"])),
    ("subscription suspend", Does::Asks(&["suspend-subscription"])),
    ("subscription resume", Does::Asks(&["resume-subscription"])),
    ("subscription activate", Does::Asks(&["activate-subscription"])),
    ("subscription deactivate", Does::Asks(&["deactivate-subscription"])),
    ("subscription redeploy", Does::Asks(&["redeploy-subscription"])),
    ("activation list", Does::Asks(&["activations"])),
    ("activation show", Does::Asks(&["activation"])),
    ("subscription remove", Does::Asks(&["remove-subscription"])),
    ("manager list", Does::Asks(&["managers"])),
    ("manager show", Does::Asks(&["manager"])),
    ("manager add", Does::Asks(&["manager", "set-manager"])),
    ("manager set", Does::Asks(&["manager", "set-manager"])),
    ("manager remove", Does::Asks(&["remove-manager"])),
    ("manager why", Does::Asks(&["why"])),
    ("manager simulate", Does::Asks(&["simulate"])),
    ("group list", Does::Asks(&["groups"])),
    ("group show", Does::Asks(&["group"])),
    ("group add", Does::Asks(&["group", "set-group"])),
    ("group set", Does::Asks(&["set-group"])),
    ("group remove", Does::Asks(&["remove-group"])),
    ("policy list", Does::Asks(&["policies"])),
    ("policy show", Does::Asks(&["policy"])),
    ("policy load", Does::Asks(&["load-policies", "load-settings"])),
    ("value explain", Does::Asks(&["explain"])),
    ("value resolve", Does::Local),
    ("service render", Does::Local),
    ("service test", Does::Local),
    ("dead list", Does::Asks(&["dead-letters"])),
    ("dead show", Does::Asks(&["dead-letter"])),
    ("dead replay", Does::Asks(&["replay-input", "run-policy"])),
    ("login", Does::Asks(&["login"])),
    ("logout", Does::Asks(&["logout"])),
    ("whoami", Does::Asks(&["me"])),
    ("password", Does::Asks(&["set-password"])),
    ("manager reset-password", Does::Asks(&["set-password"])),
    ("token list", Does::Asks(&["tokens"])),
    ("token show", Does::Asks(&["token"])),
    ("token add", Does::Asks(&["issue-token"])),
    ("token set", Does::Local),
    ("token remove", Does::Asks(&["revoke-token"])),
    ("session list", Does::Asks(&["sessions"])),
    ("session show", Does::Asks(&["session"])),
    ("session add", Does::Local),
    ("session set", Does::Local),
    ("session remove", Does::Asks(&["revoke-session"])),
    ("audit list", Does::Asks(&["audit"])),
    ("audit show", Does::Asks(&["audit-record"])),
    ("audit export", Does::Asks(&["export-audit"])),
    ("audit verify", Does::Local),
    ("audit checkpoint", Does::Asks(&["audit-checkpoint"])),
    ("audit key", Does::Asks(&["audit-key"])),
    ("audit add", Does::Local),
    ("audit set", Does::Local),
    ("audit remove", Does::Local),
    ("level show", Does::Asks(&["level"])),
    ("level raise", Does::Asks(&["raise-level"])),
    ("mode show", Does::Asks(&["mode"])),
    ("mode set", Does::Asks(&["set-mode"])),
    ("status", Does::Asks(&["status"])),
    (
        "known",
        Does::Asks(&[
            "organizations",
            "incidents",
            "cases",
            "dead-letters",
            "policies",
            "devices",
            "intelligence",
            "approvals",
            "groups",
            "managers",
            "services",
            "sessions",
            "tokens",
            "places",
        ]),
    ),
    ("completions", Does::Local),
    ("man", Does::Local),
    ("standin device", Does::Local),
    ("standin support-system", Does::Local),
    ("demo", Does::Local),
];

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use linesman_domain::rights::OPERATIONS;
use serde_json::Value;

use super::Cli;

/// The commands that do something: those without others below them.
fn commands(command: &clap::Command, words: &str, all: &mut BTreeSet<String>) {
    let below: Vec<_> = command.get_subcommands().filter(|below| below.get_name() != "help").collect();
    if below.is_empty() {
        all.insert(words.to_owned());
    }
    for below in below {
        commands(below, format!("{words} {}", below.get_name()).trim(), all);
    }
}

fn known() -> BTreeSet<&'static str> {
    OPERATIONS.iter().map(|(operation, _)| *operation).collect()
}

#[test]
fn every_command_has_its_operations() {
    let mut all = BTreeSet::new();
    commands(&Cli::command(), "", &mut all);
    let listed: BTreeSet<_> = COMMANDS.iter().map(|(words, _)| (*words).to_owned()).collect();
    let missing: Vec<_> = all.difference(&listed).collect();
    assert!(missing.is_empty(), "not in the table of commands: {missing:?}");
    let gone: Vec<_> = listed.difference(&all).filter(|words| !words.starts_with("standin")).collect();
    assert!(gone.is_empty() || cfg!(not(feature = "standin")), "in the table, and no commands: {gone:?}");
    for (words, does) in COMMANDS {
        if let Does::Asks(operations) = does {
            for operation in *operations {
                assert!(known().contains(operation), "`{words}` asks for `{operation}`, which takes nothing known");
            }
        }
    }
}

#[test]
fn every_documented_operation_takes_something_known() {
    let document: Value = serde_json::from_str(include_str!("../../../schemas/openapi-api.json")).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            // Routes that lead to the same are told apart behind a dot.
            let name = name.split('.').next().unwrap();
            assert!(known().contains(name), "{method} {path}: `{name}` is not in the table of operations");
        }
    }
}

#[test]
fn every_verb_takes_something_known() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../schemas/json/control.command.schema.json")).unwrap();
    let mut verbs = BTreeSet::new();
    for one in schema["$defs"]["Verb"]["oneOf"].as_array().unwrap() {
        let tags = one["properties"].as_object().into_iter().flat_map(|tags| tags.keys().cloned());
        let words = one["enum"].as_array().into_iter().flatten().chain(one.get("const"));
        verbs.extend(tags.chain(words.map(|word| word.as_str().unwrap().to_owned())));
    }
    assert!(verbs.len() > 30, "{verbs:?}");
    for verb in verbs {
        let verb = verb.replace('_', "-");
        // Of a section of the rule book it is `load-<section>`.
        let is_known = known().contains(&*verb) || verb == "load-section" && known().contains("load-settings");
        assert!(is_known, "`{verb}` is not in the table of operations");
    }
}

//! A valid request for every operation of the API's document, some for several uses of it, and where it asks.
//!
//! In paths and bodies stand for what is of whoever asks: `{login}`, `{session}`, the incident `{mine}`; and for what
//! is in the log `{letter}` and `{failed}`, a dead letter and one of a policy that failed.

use linesman_domain::rights::Need;
use linesman_schemas::{IncidentStep, Privilege, Right};
use serde_json::{Value, json};

use super::super::logins::PASSWORD;

/// An incident that is nobody's, and one that is somebody else's.
pub(super) const FREE: &str = "acme-1";
pub(super) const THEIRS: &str = "acme-2";
/// A place that every kind sees who sees some place of `acme`.
pub(super) const LINE: &str = "acme/berlin/line-7";
pub(super) const SITE: &str = "acme/berlin";

/// What is to be seen of a thing beside the place where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// All of a place; otherwise there is no such thing.
    All(&'static str),
    /// All of a place, be it not by a group; otherwise there is no such thing.
    Own(&'static str),
    /// The same of something that a body names: it is what is wrong with it.
    Named(&'static str),
    /// Everything; otherwise whoever has the right to it is asked for a place.
    Everything,
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Its operation, as the document has it.
    pub(super) operation: &'static str,
    /// Where it asks; none: for nothing of a place.
    pub(super) place: Option<&'static str>,
    pub(super) path: &'static str,
    pub(super) body: Option<Value>,
    /// What it takes, where this use takes other than the table says of the operation.
    pub(super) takes: Vec<Need>,
    /// What of it is looked at before what it takes.
    pub(super) first: Option<Seen>,
    /// What of it is looked at after that.
    pub(super) then: Option<Seen>,
}

impl Sample {
    fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    fn takes(self, need: Need) -> Self {
        Self { takes: vec![need], ..self }
    }

    fn first(self, seen: Seen) -> Self {
        Self { first: Some(seen), ..self }
    }

    fn then(self, seen: Seen) -> Self {
        Self { then: Some(seen), ..self }
    }
}

/// A request for what lies at a place.
fn at(place: &'static str, operation: &'static str, path: &'static str) -> Sample {
    Sample { place: Some(place), ..of(operation, path) }
}

/// A request for what lies at no place.
fn of(operation: &'static str, path: &'static str) -> Sample {
    Sample { operation, place: None, path, body: None, takes: Vec::new(), first: None, then: None }
}

/// All of them.
pub(super) fn samples() -> Vec<Sample> {
    [engine(), told(), audit(), incidents(), places(), managers(), groups(), logins(), services()].concat()
}

/// What is of the engine, and so the provider's.
fn engine() -> Vec<Sample> {
    vec![
        of("healthz", "/healthz"),
        of("readyz", "/readyz"),
        of("openapi", "/api/v1/openapi.json"),
        at("/", "metrics", "/metrics"),
        at("/", "status", "/api/v1/status"),
        at("/", "level", "/api/v1/level"),
        at("/", "raise-level", "/api/v1/level").body(json!({"level": 3})),
        at("/", "lanes", "/api/v1/lanes"),
        at("/", "skip-input", "/api/v1/lanes/0/skip").body(json!({"position": 1, "why": "x"})),
        at("/", "rejudge-lane", "/api/v1/lanes/0/rejudge").body(json!({"position": 1, "why": "x"})),
        at("/", "clock", "/api/v1/clock"),
        at("/", "confirm-clock", "/api/v1/clock/confirm").body(json!({"time": "2026-11-21T10:16:30Z"})),
        at("/", "verification", "/api/v1/verification"),
        at("/", "verify-streams", "/api/v1/verification").body(json!({"lane": null})),
        at("/", "mode", "/api/v1/mode"),
        at("/", "set-mode", "/api/v1/mode").body(json!({"mode": "partner"})),
        at("/", "log-level", "/api/v1/log-level"),
        at("/", "set-log-level", "/api/v1/log-level").body(json!({"level": "info"})),
        at("/", "pin-upstream", "/api/v1/upstream/pin").body(json!({"fingerprint": null})),
        at("/", "load-policies", "/api/v1/policies/load"),
        at("/", "load-policies", "/api/v1/policies/load?section=settings").takes(Need::Right(Right::Settings)),
        at("/", "load-policies", "/api/v1/policies/load?section=services").takes(Need::Right(Right::Services)),
        at("/", "load-policies", "/api/v1/policies/load?section=services&dry_run=true")
            .takes(Need::Right(Right::Services)),
    ]
}

/// What is told of organizations.
fn told() -> Vec<Sample> {
    let letter = Seen::All("acme");
    vec![
        of("organizations", "/api/v1/organizations"),
        at("acme", "organization", "/api/v1/organizations/acme"),
        at("acme", "set-organization", "/api/v1/organizations/acme").body(json!({"proxy": false})),
        at("acme", "suspend-organization", "/api/v1/organizations/acme/suspend"),
        at("acme", "set-organization.activate", "/api/v1/organizations/acme/activate"),
        at("acme", "test-organization", "/api/v1/organizations/acme/test"),
        at("acme", "set-credentials", "/api/v1/organizations/acme/credentials")
            .body(json!({"user": "acme", "password": "correct horse"})),
        at("acme", "set-credentials.remove", "/api/v1/organizations/acme/credentials"),
        at("acme", "unredact", "/api/v1/organizations/acme/unredact"),
        at("acme", "export-cases", "/api/v1/organizations/acme/export"),
        at("acme", "addresses", "/api/v1/organizations/acme/addresses"),
        at("acme", "set-addresses", "/api/v1/organizations/acme/addresses").body(json!({})),
        at("acme", "contracts", "/api/v1/organizations/acme/contracts"),
        at("acme", "set-contracts", "/api/v1/organizations/acme/contracts").body(json!({})),
        of("devices", "/api/v1/devices"),
        at("acme", "devices", "/api/v1/devices?organization=acme"),
        at("acme", "device", "/api/v1/devices/acme/SN1"),
        at("acme", "set-device", "/api/v1/devices/acme/r1")
            .body(json!({"address": "192.0.2.1", "user": "linesman", "password": "correct horse"})),
        at("acme", "remove-device", "/api/v1/devices/acme/r1"),
        at("acme", "pin-host-key", "/api/v1/devices/acme/r1/host-key").body(json!({"host_key": null})),
        at("acme", "use-device.test", "/api/v1/devices/acme/r9/test"),
        at("acme", "use-device.collect", "/api/v1/devices/acme/r9/collect"),
        at("acme", "use-device.facts", "/api/v1/devices/acme/r9/facts"),
        at("acme", "use-device.configuration", "/api/v1/devices/acme/r9/configuration"),
        at("acme", "use-device.diff", "/api/v1/devices/acme/r9/config/diff"),
        at("acme", "use-device.apply", "/api/v1/devices/acme/r9/config/apply"),
        at("acme", "use-device.check-sync", "/api/v1/devices/acme/r9/config/check-sync"),
        of("drifts", "/api/v1/drifts"),
        at("acme", "drifts", "/api/v1/drifts?organization=acme"),
        at("acme", "use-device.rpc", "/api/v1/devices/acme/r9/rpc").body(json!({"rpc": "<get/>"})),
        at("acme", "use-device.download", "/api/v1/jmb-errors/acme/r9/f1/download"),
        at("acme", "collect-device", "/api/v1/devices/acme/r1/gather").body(json!({"kind": "event"})),
        at("acme", "directives-groups", "/api/v1/directives-groups/acme"),
        at("acme", "directives-groups.one", "/api/v1/directives-groups/acme/mx"),
        at("acme", "set-directives-group", "/api/v1/directives-groups/acme/mx")
            .body(json!({"commands": ["show version"]})),
        at("acme", "remove-directives-group", "/api/v1/directives-groups/acme/mx"),
        of("jmb-errors", "/api/v1/jmb-errors"),
        at("acme", "jmb-errors", "/api/v1/jmb-errors?organization=acme"),
        at("acme", "jmb-error", "/api/v1/jmb-errors/acme/r1/f1").first(Seen::All("acme")),
        at("acme", "settle-jmb-error", "/api/v1/jmb-errors/acme/r1/f1/recheck"),
        at("acme", "settle-jmb-error.delete", "/api/v1/jmb-errors/acme/r1/f1"),
        at("acme", "script-bundles", "/api/v1/organizations/acme/script-bundles"),
        at("acme", "script-bundle", "/api/v1/organizations/acme/script-bundles/health/1"),
        at("acme", "set-script-bundle", "/api/v1/organizations/acme/script-bundles/health/2")
            .body(json!({"files": [{"kind": "op", "name": "a.slax", "content": "a"}]})),
        at("acme", "remove-script-bundle", "/api/v1/organizations/acme/script-bundles/health/1"),
        at("acme", "event-profiles", "/api/v1/organizations/acme/event-profiles"),
        at("acme", "set-event-profile", "/api/v1/organizations/acme/event-profiles/chassis")
            .body(json!({"events": [{"event": "FAN_FAILURE", "priority": 1}]})),
        at("acme", "remove-event-profile", "/api/v1/organizations/acme/event-profiles/chassis"),
        at("acme", "scripts", "/api/v1/organizations/acme/scripts"),
        at("acme", "plan-scripts", "/api/v1/organizations/acme/scripts/core/plan")
            .body(json!({"bundle": "health", "version": "1"})),
        at("acme", "install-scripts", "/api/v1/organizations/acme/scripts/core")
            .body(json!({"bundle": "health", "version": "1"})),
        at("acme", "remove-scripts", "/api/v1/organizations/acme/scripts/core"),
        of("cases", "/api/v1/cases"),
        at("acme", "cases", "/api/v1/cases?organization=acme"),
        at("acme", "case", "/api/v1/cases/acme-1"),
        at("acme", "case.files", "/api/v1/cases/acme-1/files"),
        at("acme", "export-cases.file", "/api/v1/cases/acme-1/files/1"),
        of("intelligence", "/api/v1/intelligence"),
        at("acme", "intelligence", "/api/v1/intelligence?organization=acme"),
        at("acme", "intelligence-message", "/api/v1/intelligence/acme/M-1"),
        of("intelligence-report", "/api/v1/intelligence-report"),
        at("acme", "intelligence-report", "/api/v1/intelligence-report?organization=acme"),
        at("acme", "message-impact", "/api/v1/intelligence/acme/M-1/impact"),
        at("acme", "set-intelligence-state", "/api/v1/intelligence/acme/M-1/state").body(json!({"state": "completed"})),
        at("/", "add-intelligence", "/api/v1/intelligence")
            .body(json!({"id": "T1", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z"})),
        at("/", "provided-message", "/api/v1/intelligence/T1"),
        at("/", "impact", "/api/v1/intelligence/T1/impact"),
        at("/", "associations", "/api/v1/intelligence/T1/associations"),
        at("/", "association-preview", "/api/v1/intelligence/T1/associations/acme/preview"),
        at("/", "associate-intelligence", "/api/v1/intelligence/T1/associations/acme").body(json!({"title": "t"})),
        at("/", "dissociate-intelligence", "/api/v1/intelligence/T1/associations/acme"),
        at("/", "send-intelligence", "/api/v1/intelligence/T1/send").body(json!({"organizations": ["acme"]})),
        at("/", "recall-intelligence", "/api/v1/intelligence/T1/recall").body(json!({"organizations": ["acme"]})),
        of("approvals", "/api/v1/approvals"),
        at("acme", "approvals", "/api/v1/approvals?organization=acme"),
        at("acme", "approval", "/api/v1/approvals/acme-a1").first(Seen::All("acme")),
        at("acme", "approve-approval", "/api/v1/approvals/acme-a1/approve").body(json!({})),
        at("acme", "reject-approval", "/api/v1/approvals/acme-a1/reject").body(json!({"comment": "no"})),
        of("policies", "/api/v1/policies"),
        at("acme", "policy", "/api/v1/policies/acme%2Fown").first(Seen::All("acme")),
        of("dead-letters", "/api/v1/dead-letters"),
        at("acme", "dead-letters", "/api/v1/dead-letters?organization=acme"),
        at("acme", "dead-letter", "/api/v1/dead-letters/{letter}").first(letter),
        at("acme", "replay-input", "/api/v1/dead-letters/{letter}/replay").first(letter),
        at("acme", "replay-input", "/api/v1/dead-letters/{failed}/replay")
            .first(letter)
            .takes(Need::Right(Right::Policies)),
        of("events", "/api/v1/events"),
    ]
}

fn audit() -> Vec<Sample> {
    vec![
        of("audit-key", "/api/v1/audit/key"),
        at("acme", "audit", "/api/v1/audit?organization=acme"),
        at("acme", "export-audit", "/api/v1/audit/export?organization=acme"),
        // What was done at a line.
        at("acme", "audit-record", "/api/v1/audit/acme/2").then(Seen::All(LINE)),
        at("acme", "audit-checkpoint", "/api/v1/audit/acme/checkpoint"),
        at("acme", "audit-proof", "/api/v1/audit/acme/proof?index=0"),
    ]
}

/// Incidents, with the steps that it takes to do something with others'.
fn incidents() -> Vec<Sample> {
    let step = |step| vec![Need::Incidents(IncidentStep::Own), Need::Incidents(step)];
    let takes = |sample: Sample, least| Sample { takes: step(least), ..sample };
    let (any, delegate) = (|sample| takes(sample, IncidentStep::Any), |sample| takes(sample, IncidentStep::Delegate));
    let to = |login: &str| json!({"owner": login});
    let note = || json!({"note": "seen to"});
    let write = |operation, path, body: Value| at("acme", operation, path).body(body);
    vec![
        of("incidents", "/api/v1/incidents"),
        at("acme", "incidents", "/api/v1/incidents?organization=acme"),
        at("acme", "incident", "/api/v1/incidents/acme-1"),
        write("assign-incident", "/api/v1/incidents/acme-1/assign", to("{login}")),
        write("assign-incident", "/api/v1/incidents/{mine}/assign", to("")),
        any(write("assign-incident", "/api/v1/incidents/acme-2/assign", to("{login}"))),
        delegate(write("assign-incident", "/api/v1/incidents/acme-1/assign", to("low"))),
        delegate(write("assign-incident", "/api/v1/incidents/acme-2/assign", to(""))),
        write("prioritise-incident", "/api/v1/incidents/{mine}/prioritise", json!({"priority": "Low"})),
        any(write("prioritise-incident", "/api/v1/incidents/acme-2/prioritise", json!({"priority": "Low"}))),
        write("close-incident", "/api/v1/incidents/{mine}/close", note()),
        any(write("close-incident", "/api/v1/incidents/acme-2/close", note())),
        // These are not closed.
        write("reopen-incident", "/api/v1/incidents/{mine}/reopen", note()),
        any(write("reopen-incident", "/api/v1/incidents/acme-2/reopen", note())),
        write("annotate-incident", "/api/v1/incidents/{mine}/annotate", note()),
        any(write("annotate-incident", "/api/v1/incidents/acme-2/annotate", note())),
        write("submit-case", "/api/v1/incidents/acme-2/case/submit", json!({})),
        write("save-case", "/api/v1/incidents/acme-2/case/save", json!({})),
        // Nobody has reported these.
        write("forward-case", "/api/v1/incidents/acme-2/case/forward", json!({})),
        write("handle-case", "/api/v1/incidents/acme-2/case/handle", json!({})),
        write("override-case", "/api/v1/incidents/acme-2/case/override", json!({"case_id": "C-7"})),
        write("note-case", "/api/v1/incidents/acme-2/case/note", note()),
        write("close-case", "/api/v1/incidents/acme-2/case/close", note()),
        write("reopen-case", "/api/v1/incidents/acme-2/case/reopen", note()),
    ]
}

fn places() -> Vec<Sample> {
    let place = json!({"display_name": "Berlin"});
    vec![
        of("places", "/api/v1/places"),
        at("acme", "places", "/api/v1/places?under=acme"),
        at("acme", "place", "/api/v1/places/acme"),
        at(SITE, "place.site", "/api/v1/places/acme/berlin"),
        at(LINE, "place.line", "/api/v1/places/acme/berlin/line-7"),
        at(SITE, "set-place.site", "/api/v1/places/acme/berlin").body(place.clone()),
        at(LINE, "set-place.line", "/api/v1/places/acme/berlin/line-7").body(place),
        at(SITE, "remove-place.site", "/api/v1/places/acme/berlin?cascade=true"),
        at(LINE, "remove-place.line", "/api/v1/places/acme/berlin/line-7?cascade=true"),
        at("acme", "tie-device", "/api/v1/devices/acme/SN1/place").body(json!({"place": LINE})),
    ]
}

/// Managers who were granted a line, so that whoever sees that sees them.
fn managers() -> Vec<Sample> {
    let new = json!({"sphere": [LINE], "privileges": []});
    let simulate = of("simulate", "/api/v1/rights/simulate").body(json!({"remove_managers": ["acme/low"]}));
    vec![
        of("managers", "/api/v1/managers"),
        at("acme", "managers", "/api/v1/managers?under=acme"),
        at("acme", "manager", "/api/v1/managers/acme/low").then(Seen::Own(LINE)),
        at("acme", "set-manager", "/api/v1/managers/acme/new").body(new.clone()).then(Seen::Named(LINE)),
        at("acme", "set-manager", "/api/v1/managers/acme/low").body(json!({})).then(Seen::Own(LINE)),
        at("acme", "remove-manager", "/api/v1/managers/acme/low").then(Seen::Own(LINE)),
        at("/", "manager.person", "/api/v1/managers/low").then(Seen::Own(LINE)),
        at("/", "set-manager.person", "/api/v1/managers/new").body(new).then(Seen::Named(LINE)),
        at("/", "set-manager.person", "/api/v1/managers/low").body(json!({})).then(Seen::Own(LINE)),
        at("/", "remove-manager.person", "/api/v1/managers/low").then(Seen::Own(LINE)),
        at(LINE, "why", "/api/v1/rights/why?login=acme/low&operation=set-place&place=acme/berlin/line-7")
            .then(Seen::Own(LINE)),
        simulate.then(Seen::Named(LINE)),
    ]
}

fn groups() -> Vec<Sample> {
    let group = json!({"members": ["low"], "organizations": ["acme"]});
    vec![
        of("groups", "/api/v1/groups"),
        at("/", "group", "/api/v1/groups/shift").then(Seen::Own("acme")),
        at("/", "set-group", "/api/v1/groups/new").body(group).then(Seen::Named("acme")),
        at("/", "set-group", "/api/v1/groups/shift").body(json!({})).then(Seen::Own("acme")),
        at("/", "remove-group", "/api/v1/groups/shift").then(Seen::Own("acme")),
    ]
}

/// Services, values and subscriptions, of which there is one of the name `own` at each place.
fn services() -> Vec<Sample> {
    let values = json!({"substitutions": ["dept:network="], "keep": true});
    let wish = json!({"service": "nat"});
    let paths = [
        ("acme", ["values", "set-values"], "/api/v1/values/acme"),
        (SITE, ["values.site", "set-values.site"], "/api/v1/values/acme/berlin"),
        (LINE, ["values.line", "set-values.line"], "/api/v1/values/acme/berlin/line-7"),
    ];
    let of_values = paths
        .into_iter()
        .flat_map(|(place, [shown, set], path)| [at(place, shown, path), at(place, set, path).body(values.clone())]);
    let localize = at("acme", "set-values", "/api/v1/values/acme?service=nat").body(values.clone());
    let subscriptions = [
        ("acme", "", "/api/v1/subscriptions/acme/own"),
        (SITE, ".site", "/api/v1/subscriptions/acme/berlin/own"),
        (LINE, ".line", "/api/v1/subscriptions/acme/berlin/line-7/own"),
    ];
    let of_subscriptions = subscriptions.into_iter().flat_map(|(place, level, path)| {
        let operation = |word: &str| -> &'static str { format!("{word}{level}").leak() };
        let below = |verb: &str| -> &'static str { format!("{path}{verb}").leak() };
        [
            at(place, operation("subscription"), path),
            at(place, operation("set-subscription"), path).body(wish.clone()),
            at(place, operation("remove-subscription"), path),
            at(place, operation("suspend-subscription"), below("/suspend")),
            at(place, operation("resume-subscription"), below("/resume")),
            at(place, operation("activate-subscription"), below("/activate")),
            at(place, operation("deactivate-subscription"), below("/deactivate")).body(json!({})),
            at(place, operation("redeploy-subscription"), below("/redeploy")),
        ]
    });
    let lists = vec![
        of("services", "/api/v1/services"),
        of("service", "/api/v1/services/nat"),
        of("subscriptions", "/api/v1/subscriptions"),
        at("acme", "subscriptions", "/api/v1/subscriptions?under=acme"),
        of("activations", "/api/v1/activations"),
        at("acme", "activations", "/api/v1/activations?under=acme"),
        at(LINE, "activation", "/api/v1/activations/acme/berlin/line-7/own-0123456789ab"),
        at("/", "rollout-service", "/api/v1/services/nat/rollout").first(Seen::Everything),
        at("acme", "rollout-service", "/api/v1/services/nat/rollout").body(json!({"under": "acme"})),
        localize.takes(Need::Right(Right::Services)),
        at("acme", "explain", "/api/v1/explain/acme?service=nat&parameter=line&subscription=own"),
        at(SITE, "explain.site", "/api/v1/explain/acme/berlin?service=nat&parameter=line&subscription=own"),
        at(LINE, "explain.line", "/api/v1/explain/acme/berlin/line-7?service=nat&parameter=line&subscription=own"),
    ];
    lists.into_iter().chain(of_values).chain(of_subscriptions).collect()
}

/// Whether an operation is about how somebody comes in, who is named where that is not whoever asks.
pub(super) fn is_of_somebody(operation: &str) -> bool {
    logins().iter().any(|sample| sample.operation == operation && operation != "command")
}

/// How somebody comes in themselves, and what whoever manages another does about how they do.
fn logins() -> Vec<Sample> {
    let managers = Need::Privilege(Privilege::Managers);
    let password = "a password that nobody has";
    let others = |operation, path| of(operation, path).takes(managers).first(Seen::Own(LINE));
    vec![
        of("login", "/api/v1/session").body(json!({"login": "acme/low", "password": PASSWORD})),
        of("me", "/api/v1/me"),
        of("set-password.own", "/api/v1/me/password").body(json!({"old": PASSWORD, "new": password})),
        others("set-password.reset", "/api/v1/password-resets")
            .body(json!({"login": "acme/low", "password": password})),
        of("tokens", "/api/v1/tokens"),
        others("tokens", "/api/v1/tokens?login=acme/low"),
        of("token", "/api/v1/tokens/own"),
        others("token", "/api/v1/tokens/own?login=acme/low"),
        of("issue-token", "/api/v1/tokens").body(json!({"name": "new", "privileges": []})),
        of("revoke-token", "/api/v1/tokens/own"),
        others("revoke-token", "/api/v1/tokens/own?login=acme/low"),
        of("sessions", "/api/v1/sessions"),
        others("sessions", "/api/v1/sessions?login=acme/low"),
        of("session", "/api/v1/sessions/own"),
        others("session", "/api/v1/sessions/own?login=acme/low"),
        of("revoke-session", "/api/v1/sessions/own"),
        others("revoke-session", "/api/v1/sessions/own?login=acme/low"),
        of("logout", "/api/v1/session"),
        // Of what was asked above under an id of its own.
        of("command", "/api/v1/commands/asked{of}"),
    ]
}

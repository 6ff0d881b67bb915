//! What lies outside, beside what does not exist: for every operation that names something, and whatever it names.

use std::collections::BTreeSet;

use linesman_domain::rights::need;
use reqwest::Response;
use serde_json::{Value, json};

use super::kinds::{Kind, Way};
use super::world::{Asked, Person};

/// For whom something is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    /// For whoever sees nothing of a place.
    Part(&'static str),
    /// For whoever does not see all of it.
    All(&'static str),
    /// For whoever was not granted all of it.
    Own(&'static str),
    /// A name that something new may have, where that one was not granted: for whoever makes nothing. Of two of one name
    /// there cannot be both, so others are told that it is taken.
    Taken(&'static str),
}

/// A request for what is hidden; `{one}` stands for it.
#[derive(Debug, Clone)]
struct Pair {
    operation: &'static str,
    hidden: Hidden,
    path: String,
    body: Option<Value>,
    /// What lies outside, and what does not exist: of the same length.
    names: [String; 2],
}

impl Hidden {
    fn is_for(self, kind: &Kind) -> bool {
        match self {
            Self::Part(place) => !kind.touches(place),
            Self::All(place) => !kind.covers(place),
            Self::Own(place) => !kind.owns(place),
            Self::Taken(place) => !kind.owns(place) && !kind.has(need("set-manager")),
        }
    }
}

/// All of them.
fn pairs(asked: &Asked) -> Vec<Pair> {
    let gone = |letter: &str| letter.replace(|digit: char| digit.is_ascii_digit(), "9");
    let mut pairs = Vec::new();
    for (hidden, [outside, nothing], requests) in groups() {
        for (operation, path, body) in requests {
            let names = [outside.to_owned(), nothing.to_owned()];
            pairs.push(Pair { operation, hidden, path, body, names });
        }
    }
    let incident = [asked.hidden.clone(), "acme-99".to_owned()];
    let incidents =
        of_incident("{one}").into_iter().map(|request| (Hidden::All("acme/paris"), incident.clone(), request));
    let letters = [(Hidden::Part("bolt"), &asked.letter_of_bolt), (Hidden::All("acme"), &asked.letters[0])];
    let letters = letters.into_iter().flat_map(|(hidden, letter)| {
        let one = request("dead-letter", "/api/v1/dead-letters/{one}", None);
        let again = request("replay-input", "/api/v1/dead-letters/{one}/replay", None);
        [one, again].map(|request| (hidden, [letter.clone(), gone(letter)], request))
    });
    for (hidden, names, (operation, path, body)) in incidents.chain(letters) {
        pairs.push(Pair { operation, hidden, path, body, names });
    }
    pairs
}

/// Operation, path and body.
type Request = (&'static str, String, Option<Value>);

fn request(operation: &'static str, path: &str, body: Option<Value>) -> Request {
    (operation, path.to_owned(), body)
}

/// Requests by what is hidden, with its name and one of nothing.
fn groups() -> Vec<(Hidden, [&'static str; 2], Vec<Request>)> {
    vec![
        (Hidden::Part("bolt"), ["bolt", "nope"], of_organization()),
        (Hidden::Part("bolt"), ["bolt", "nope"], of_incident("{one}-1")),
        (Hidden::Part("bolt"), ["bolt", "nope"], of_manager("{one}/low")),
        (Hidden::Part("bolt"), ["bolt", "nope"], of_place("{one}")),
        (Hidden::Part("bolt"), ["bolt", "nope"], of_services("{one}", "")),
        (Hidden::Part("bolt"), ["bolt", "nope"], of_services("{one}/berlin", ".site")),
        (Hidden::Part("bolt"), ["bolt", "nope"], of_services("{one}/berlin/line-7", ".line")),
        (Hidden::All("acme/paris"), ["paris", "milan"], of_services("acme/{one}", ".site")),
        (Hidden::All("acme/paris"), ["paris", "milan"], of_services("acme/{one}/line-7", ".line")),
        (
            Hidden::All("acme/paris"),
            ["SN3", "SN9"],
            vec![
                request("device", "/api/v1/devices/acme/{one}", None),
                request("tie-device", "/api/v1/devices/acme/{one}/place", Some(json!({"place": null}))),
            ],
        ),
        (
            Hidden::All("acme/paris"),
            ["M-3", "M-9"],
            vec![
                request("intelligence-message", "/api/v1/intelligence/acme/{one}", None),
                request("message-impact", "/api/v1/intelligence/acme/{one}/impact", None),
                request(
                    "set-intelligence-state",
                    "/api/v1/intelligence/acme/{one}/state",
                    Some(json!({"state": "completed"})),
                ),
            ],
        ),
        (
            Hidden::All("/"),
            ["T1", "T9"],
            vec![
                request("provided-message", "/api/v1/intelligence/{one}", None),
                request("impact", "/api/v1/intelligence/{one}/impact", None),
                request("associations", "/api/v1/intelligence/{one}/associations", None),
                request("association-preview", "/api/v1/intelligence/{one}/associations/acme/preview", None),
                request("associate-intelligence", "/api/v1/intelligence/{one}/associations/acme", Some(json!({}))),
                request("dissociate-intelligence", "/api/v1/intelligence/{one}/associations/acme", None),
                request(
                    "send-intelligence",
                    "/api/v1/intelligence/{one}/send",
                    Some(json!({"organizations": ["acme"]})),
                ),
                request(
                    "recall-intelligence",
                    "/api/v1/intelligence/{one}/recall",
                    Some(json!({"organizations": ["acme"]})),
                ),
            ],
        ),
        (Hidden::All("acme"), ["1", "9"], vec![request("approval", "/api/v1/approvals/acme-a{one}", None)]),
        (Hidden::All("acme"), ["own", "non"], vec![request("policy", "/api/v1/policies/acme%2F{one}", None)]),
        (Hidden::All("acme/paris"), ["acme/paris", "acme/milan"], of_place("{one}")),
        (
            Hidden::All("acme/paris"),
            ["paris", "milan"],
            vec![
                request("place.site", "/api/v1/places/acme/{one}", None),
                request("place.line", "/api/v1/places/acme/{one}/line-7", None),
                request("set-place.site", "/api/v1/places/acme/{one}", Some(json!({}))),
                request("set-place.line", "/api/v1/places/acme/{one}/line-7", Some(json!({}))),
                request("remove-place.site", "/api/v1/places/acme/{one}?cascade=true", None),
                request("remove-place.line", "/api/v1/places/acme/{one}/line-7?cascade=true", None),
                request("activation", "/api/v1/activations/acme/{one}/line-7/own-0123456789ab", None),
                request("tie-device", "/api/v1/devices/acme/SN1/place", Some(json!({"place": "acme/{one}"}))),
            ],
        ),
        (Hidden::Own("acme/paris"), ["acme/dan", "acme/non"], of_manager("{one}")),
        (Hidden::Own("acme/paris"), ["dan", "non"], of_manager("{one}")),
        (
            Hidden::Own("acme/paris"),
            ["dan", "non"],
            vec![
                request("manager.person", "/api/v1/managers/{one}", None),
                request("remove-manager.person", "/api/v1/managers/{one}", None),
                request(
                    "set-group",
                    "/api/v1/groups/new",
                    Some(json!({"members": ["{one}"], "organizations": ["acme"]})),
                ),
            ],
        ),
        (
            Hidden::Taken("acme/paris"),
            ["dan", "non"],
            vec![
                request("set-manager", "/api/v1/managers/acme/{one}", Some(json!({"sphere": ["acme/berlin/line-7"]}))),
                request(
                    "set-manager.person",
                    "/api/v1/managers/{one}",
                    Some(json!({"sphere": ["acme/berlin/line-7"]})),
                ),
            ],
        ),
        // What is wrong with a body is told alike, whoever has the name.
        (
            Hidden::Own("acme/paris"),
            ["dan", "non"],
            vec![
                request("set-manager", "/api/v1/managers/acme/{one}", Some(json!({"sphere": []}))),
                request("set-manager.person", "/api/v1/managers/{one}", Some(json!({"sphere": ["acme/nope"]}))),
            ],
        ),
        (
            Hidden::Own("bolt"),
            ["others", "absent"],
            vec![request("set-group", "/api/v1/groups/{one}", Some(json!({"organizations": ["nope"]})))],
        ),
        (
            Hidden::Taken("bolt"),
            ["others", "absent"],
            vec![request("set-group", "/api/v1/groups/{one}", Some(json!({"organizations": ["acme"]})))],
        ),
        (
            Hidden::Own("bolt"),
            ["others", "absent"],
            vec![
                request("group", "/api/v1/groups/{one}", None),
                request("remove-group", "/api/v1/groups/{one}", None),
                request("simulate", "/api/v1/rights/simulate", Some(json!({"remove_groups": ["{one}"]}))),
            ],
        ),
        (Hidden::All("acme/berlin"), ["1", "9"], vec![request("audit-record", "/api/v1/audit/acme/{one}", None)]),
    ]
}

fn of_organization() -> Vec<Request> {
    let person = json!({"sphere": ["{one}"]});
    vec![
        request("organization", "/api/v1/organizations/{one}", None),
        request("set-organization", "/api/v1/organizations/{one}", Some(json!({"proxy": false}))),
        request("suspend-organization", "/api/v1/organizations/{one}/suspend", None),
        request("set-organization.activate", "/api/v1/organizations/{one}/activate", None),
        request("test-organization", "/api/v1/organizations/{one}/test", None),
        request("set-credentials.remove", "/api/v1/organizations/{one}/credentials", None),
        request("unredact", "/api/v1/organizations/{one}/unredact", None),
        request("export-cases", "/api/v1/organizations/{one}/export", None),
        request("addresses", "/api/v1/organizations/{one}/addresses", None),
        request("set-addresses", "/api/v1/organizations/{one}/addresses", Some(json!({}))),
        request("contracts", "/api/v1/organizations/{one}/contracts", None),
        request("set-contracts", "/api/v1/organizations/{one}/contracts", Some(json!({}))),
        request(
            "set-credentials",
            "/api/v1/organizations/{one}/credentials",
            Some(json!({"user": "one", "password": "correct horse"})),
        ),
        request("incidents", "/api/v1/incidents?organization={one}", None),
        request("cases", "/api/v1/cases?organization={one}", None),
        request("devices", "/api/v1/devices?organization={one}", None),
        request("device", "/api/v1/devices/{one}/SN1", None),
        request("set-device", "/api/v1/devices/{one}/r1", Some(json!({"poll_s": 60}))),
        request("remove-device", "/api/v1/devices/{one}/r1", None),
        request("pin-host-key", "/api/v1/devices/{one}/r1/host-key", Some(json!({"host_key": null}))),
        request("use-device.test", "/api/v1/devices/{one}/r1/test", None),
        request("use-device.collect", "/api/v1/devices/{one}/r1/collect", None),
        request("use-device.facts", "/api/v1/devices/{one}/r1/facts", None),
        request("use-device.configuration", "/api/v1/devices/{one}/r1/configuration", None),
        request("use-device.diff", "/api/v1/devices/{one}/r1/config/diff", None),
        request("use-device.apply", "/api/v1/devices/{one}/r1/config/apply", None),
        request("use-device.check-sync", "/api/v1/devices/{one}/r1/config/check-sync", None),
        request("drifts", "/api/v1/drifts?organization={one}", None),
        request("use-device.rpc", "/api/v1/devices/{one}/r1/rpc", Some(json!({"rpc": "<get/>"}))),
        request("use-device.download", "/api/v1/jmb-errors/{one}/r1/f1/download", None),
        request("collect-device", "/api/v1/devices/{one}/r1/gather", Some(json!({"kind": "event"}))),
        request("directives-groups", "/api/v1/directives-groups/{one}", None),
        request("directives-groups.one", "/api/v1/directives-groups/{one}/mx", None),
        request(
            "set-directives-group",
            "/api/v1/directives-groups/{one}/mx",
            Some(json!({"commands": ["show version"]})),
        ),
        request("remove-directives-group", "/api/v1/directives-groups/{one}/mx", None),
        request("jmb-errors", "/api/v1/jmb-errors?organization={one}", None),
        request("jmb-error", "/api/v1/jmb-errors/{one}/r1/f1", None),
        request("settle-jmb-error", "/api/v1/jmb-errors/{one}/r1/f1/recheck", None),
        request("settle-jmb-error.delete", "/api/v1/jmb-errors/{one}/r1/f1", None),
        request("script-bundles", "/api/v1/organizations/{one}/script-bundles", None),
        request("script-bundle", "/api/v1/organizations/{one}/script-bundles/health/1", None),
        request(
            "set-script-bundle",
            "/api/v1/organizations/{one}/script-bundles/health/2",
            Some(json!({"files": [{"kind": "op", "name": "a.slax", "content": "a"}]})),
        ),
        request("remove-script-bundle", "/api/v1/organizations/{one}/script-bundles/health/1", None),
        request("event-profiles", "/api/v1/organizations/{one}/event-profiles", None),
        request(
            "set-event-profile",
            "/api/v1/organizations/{one}/event-profiles/chassis",
            Some(json!({"events": [{"event": "FAN_FAILURE", "priority": 1}]})),
        ),
        request("remove-event-profile", "/api/v1/organizations/{one}/event-profiles/chassis", None),
        request("scripts", "/api/v1/organizations/{one}/scripts", None),
        request(
            "plan-scripts",
            "/api/v1/organizations/{one}/scripts/core/plan",
            Some(json!({"bundle": "health", "version": "1"})),
        ),
        request(
            "install-scripts",
            "/api/v1/organizations/{one}/scripts/core",
            Some(json!({"bundle": "health", "version": "1"})),
        ),
        request("remove-scripts", "/api/v1/organizations/{one}/scripts/core", None),
        request("tie-device", "/api/v1/devices/{one}/SN1/place", Some(json!({"place": "{one}/berlin"}))),
        request("intelligence", "/api/v1/intelligence?organization={one}", None),
        request("intelligence-message", "/api/v1/intelligence/{one}/TSB-1", None),
        request("intelligence-report", "/api/v1/intelligence-report?organization={one}", None),
        request("message-impact", "/api/v1/intelligence/{one}/TSB-1/impact", None),
        request(
            "set-intelligence-state",
            "/api/v1/intelligence/{one}/TSB-1/state",
            Some(json!({"state": "completed"})),
        ),
        request("approvals", "/api/v1/approvals?organization={one}", None),
        request("approval", "/api/v1/approvals/{one}-a1", None),
        request("approve-approval", "/api/v1/approvals/{one}-a1/approve", Some(json!({}))),
        request("reject-approval", "/api/v1/approvals/{one}-a1/reject", Some(json!({}))),
        request("policy", "/api/v1/policies/{one}%2Fown", None),
        request("dead-letters", "/api/v1/dead-letters?organization={one}", None),
        request("command", "/api/v1/commands/asked-1?organization={one}", None),
        request("audit", "/api/v1/audit?organization={one}", None),
        request("audit", "/api/v1/audit?under={one}", None),
        request("export-audit", "/api/v1/audit/export?organization={one}", None),
        request("audit-record", "/api/v1/audit/{one}/0", None),
        request("audit-checkpoint", "/api/v1/audit/{one}/checkpoint", None),
        request("audit-proof", "/api/v1/audit/{one}/proof?index=0", None),
        request("place", "/api/v1/places/{one}", None),
        request("place.site", "/api/v1/places/{one}/berlin", None),
        request("place.line", "/api/v1/places/{one}/berlin/line-7", None),
        request("activation", "/api/v1/activations/{one}/berlin/line-7/own-0123456789ab", None),
        request("set-place.site", "/api/v1/places/{one}/berlin", Some(json!({}))),
        request("set-place.line", "/api/v1/places/{one}/berlin/line-7", Some(json!({}))),
        request("remove-place.site", "/api/v1/places/{one}/berlin", None),
        request("remove-place.line", "/api/v1/places/{one}/berlin/line-7", None),
        request("manager", "/api/v1/managers/{one}/low", None),
        request("set-manager", "/api/v1/managers/{one}/low", Some(person)),
        request("remove-manager", "/api/v1/managers/{one}/low", None),
        request("set-group", "/api/v1/groups/new", Some(json!({"organizations": ["{one}"]}))),
        request(
            "set-group",
            "/api/v1/groups/new",
            Some(json!({"device_groups": [{"organization": "{one}", "name": "core"}]})),
        ),
    ]
}

/// Where a place is named, be it an organization.
/// Of values and subscriptions of a place at a level.
fn of_services(place: &str, level: &str) -> Vec<Request> {
    let request = |word: &str, path: &str, body| {
        let operation: &'static str = format!("{word}{level}").leak();
        request(operation, &path.replace("{place}", place), body)
    };
    let values = json!({"substitutions": ["dept:network="]});
    vec![
        request("values", "/api/v1/values/{place}", None),
        request("set-values", "/api/v1/values/{place}", Some(values.clone())),
        request("explain", "/api/v1/explain/{place}?service=nat&parameter=line", None),
        request("subscription", "/api/v1/subscriptions/{place}/own", None),
        request("set-subscription", "/api/v1/subscriptions/{place}/own", Some(json!({"service": "nat"}))),
        request("remove-subscription", "/api/v1/subscriptions/{place}/own", None),
        request("activate-subscription", "/api/v1/subscriptions/{place}/own/activate", None),
        request("deactivate-subscription", "/api/v1/subscriptions/{place}/own/deactivate", None),
        request("redeploy-subscription", "/api/v1/subscriptions/{place}/own/redeploy", None),
        request("suspend-subscription", "/api/v1/subscriptions/{place}/own/suspend", None),
        request("resume-subscription", "/api/v1/subscriptions/{place}/own/resume", None),
        // What would be done is no way around.
        request("set-values", "/api/v1/values/{place}?dry_run=true", Some(values)),
        request("set-subscription", "/api/v1/subscriptions/{place}/own?dry_run=true", Some(json!({"service": "nat"}))),
        request("remove-subscription", "/api/v1/subscriptions/{place}/own?dry_run=true", None),
        request("activate-subscription", "/api/v1/subscriptions/{place}/own/activate?dry_run=true", None),
    ]
}

fn of_place(place: &str) -> Vec<Request> {
    let sphere = json!({"sphere": [place]});
    vec![
        request("places", "/api/v1/places?under={one}", None),
        request("subscriptions", "/api/v1/subscriptions?under={one}", None),
        request("activations", "/api/v1/activations?under={one}", None),
        request("rollout-service", "/api/v1/services/nat/rollout", Some(json!({"under": place}))),
        request("rollout-service", "/api/v1/services/nat/rollout?dry_run=true", Some(json!({"under": place}))),
        request("managers", "/api/v1/managers?under={one}", None),
        request("audit", "/api/v1/audit?under={one}", None),
        request("set-manager", "/api/v1/managers/acme/new", Some(sphere.clone())),
        request("set-manager.person", "/api/v1/managers/new", Some(sphere)),
        request("issue-token", "/api/v1/tokens", Some(json!({"name": "new", "sphere": [place]}))),
        request("why", "/api/v1/rights/why?login=acme/low&operation=set-values&place={one}", None),
    ]
}

/// Where a manager is named.
fn of_manager(login: &str) -> Vec<Request> {
    let of = |operation, path: &str| request(operation, &path.replace("{login}", login), None);
    let simulated = |change: Value| request("simulate", "/api/v1/rights/simulate", Some(change));
    let password = json!({"login": login, "password": "a password that nobody has"});
    vec![
        of("tokens", "/api/v1/tokens?login={login}"),
        of("sessions", "/api/v1/sessions?login={login}"),
        of("token", "/api/v1/tokens/own?login={login}"),
        of("session", "/api/v1/sessions/own?login={login}"),
        of("revoke-token", "/api/v1/tokens/own?login={login}"),
        of("revoke-session", "/api/v1/sessions/own?login={login}"),
        request("set-password.reset", "/api/v1/password-resets", Some(password)),
        of("why", "/api/v1/rights/why?login={login}&operation=me&place=acme/berlin/line-7"),
        simulated(json!({"remove_managers": [login]})),
        simulated(json!({"without": [{"login": login, "what": "managers"}]})),
    ]
}

/// Where an incident is named.
fn of_incident(id: &str) -> Vec<Request> {
    let of = |operation, path: &str, body| request(operation, &path.replace("{id}", id), body);
    let note = || Some(json!({"note": "seen to"}));
    vec![
        of("incident", "/api/v1/incidents/{id}", None),
        of("case", "/api/v1/cases/{id}", None),
        of("case.files", "/api/v1/cases/{id}/files", None),
        of("export-cases.file", "/api/v1/cases/{id}/files/1", None),
        of("assign-incident", "/api/v1/incidents/{id}/assign", Some(json!({"owner": "{login}"}))),
        of("prioritise-incident", "/api/v1/incidents/{id}/prioritise", Some(json!({"priority": "Low"}))),
        of("close-incident", "/api/v1/incidents/{id}/close", note()),
        of("reopen-incident", "/api/v1/incidents/{id}/reopen", note()),
        of("annotate-incident", "/api/v1/incidents/{id}/annotate", note()),
        of("submit-case", "/api/v1/incidents/{id}/case/submit", Some(json!({}))),
        of("save-case", "/api/v1/incidents/{id}/case/save", Some(json!({}))),
        of("forward-case", "/api/v1/incidents/{id}/case/forward", Some(json!({}))),
        of("handle-case", "/api/v1/incidents/{id}/case/handle", Some(json!({}))),
        of("override-case", "/api/v1/incidents/{id}/case/override", Some(json!({"case_id": "C-7"}))),
        of("note-case", "/api/v1/incidents/{id}/case/note", note()),
        of("close-case", "/api/v1/incidents/{id}/case/close", note()),
        of("reopen-case", "/api/v1/incidents/{id}/case/reopen", note()),
    ]
}

impl Asked {
    /// What is answered otherwise where something lies outside than where it does not exist, by everybody for whom it
    /// does; and by which operations it was asked for.
    pub(super) async fn told_apart(&self, people: &[Person<'_>]) -> (Vec<String>, BTreeSet<&'static str>) {
        let (mut apart, mut operations) = (Vec::new(), BTreeSet::new());
        let known = people.iter().filter(|person| !matches!(person.kind.way, Way::Nobody | Way::Expired));
        for Pair { operation, hidden, path, body, names } in &pairs(self) {
            operations.insert(*operation);
            for person in known.clone().filter(|person| hidden.is_for(person.kind)) {
                let mut answers = Vec::new();
                for name in names {
                    let body = body.as_ref().map(|body| body.to_string().replace("{one}", name).parse().unwrap());
                    let answer = self.ask(person, operation, &path.replace("{one}", name), body.as_ref()).await;
                    answers.push(whole(answer, names).await);
                }
                let name = &person.kind.name;
                let [hidden, nothing] = &answers[..] else { unreachable!("two names") };
                if hidden != nothing {
                    apart
                        .push(format!("{name}: {operation} {path} {body:?} of {names:?}: {hidden:?}\n    {nothing:?}"));
                }
                // A list under a place that is not there is empty.
                let is_empty = hidden.0 == 200 && matches!(*operation, "managers" | "audit");
                if !is_empty && !matches!(hidden.0, 403 | 404 | 422) {
                    apart.push(format!("{name}: {operation} {path} {body:?} of {names:?} is done: {hidden:?}"));
                }
            }
        }
        (apart, operations)
    }
}

/// All of an answer that does not tell the time, with one name in place of another.
async fn whole(answer: Response, [outside, nothing]: &[String; 2]) -> (u16, Vec<(String, String)>, String) {
    let status = answer.status().as_u16();
    let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    (status, headers, answer.text().await.unwrap().replace(outside, nothing))
}

//! What somebody does not see does not exist for them: on every route there is, and in every count.

use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use jiff::Timestamp;
use linesman_schemas::approval::{ApprovalKind, OnTimeout};
use linesman_schemas::audit::Verdict;
use linesman_schemas::control::{PolicySource, RefusedPolicy, RuleBook, Settings};
use linesman_schemas::intelligence::{Intelligence, Kind, Relevance};
use linesman_schemas::service::RefusedService;
use linesman_schemas::upload::UploadKind;
use linesman_schemas::{ApprovalId, IncidentId, OrgName, Place, PlacePath};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::super::BOUNDS;
use super::super::event_ids::EventIds;
use super::fixture::{Fixture, LANES, TOKEN, TOKEN_OF_ACME, audited, drifted, incident, place, problem, reached};
use crate::edge::PolicyStatus;
use crate::embedded::{self, Server};
use crate::log::books::{Books, pack};
use crate::log::streams::{Layout, ensure, open};
use crate::metrics::Metrics;
use linesman_domain::activations::parts::{self, PartRow};
use linesman_domain::approvals::{self, ApprovalRow, ApprovalState};
use linesman_domain::cases::{self, CaseRow, CaseState, CaseText, Stays};
use linesman_domain::commands::{self, CommandRow};
use linesman_domain::incidents::history::{self, ChangeRow, HistoryRow, LineRow};
use linesman_domain::intelligence::{self, IntelligenceRow};
use linesman_domain::rule_book::{self, BookRow};
use linesman_domain::subscriptions::{self, SubscriptionRow};
use linesman_domain::table;
use linesman_domain::uploads::{self, Held, UploadRow, UploadState};

/// How the engine is, and what it decides by: the provider's.
const ENGINE: [&str; 20] = [
    "/metrics",
    "/api/v1/status",
    "/api/v1/level",
    "/api/v1/lanes",
    "/api/v1/lanes/{lane}/skip",
    "/api/v1/lanes/{lane}/rejudge",
    "/api/v1/clock",
    "/api/v1/clock/confirm",
    "/api/v1/verification",
    "/api/v1/mode",
    "/api/v1/log-level",
    "/api/v1/policies/load",
    "/api/v1/upstream/pin",
    "/api/v1/intelligence/{message}",
    "/api/v1/intelligence/{message}/impact",
    "/api/v1/intelligence/{message}/associations",
    "/api/v1/intelligence/{message}/associations/{organization}",
    "/api/v1/intelligence/{message}/associations/{organization}/preview",
    "/api/v1/intelligence/{message}/send",
    "/api/v1/intelligence/{message}/recall",
];
/// What tells of nobody but whoever asks and whom they manage, or of what everybody may have, or is asked for below by
/// itself.
const OTHERS: [&str; 15] = [
    "/healthz",
    "/readyz",
    "/api/v1/openapi.json",
    "/api/v1/events",
    "/api/v1/audit/key",
    "/api/v1/session",
    "/api/v1/me",
    "/api/v1/me/password",
    "/api/v1/password-resets",
    "/api/v1/sessions",
    "/api/v1/sessions/{id}",
    "/api/v1/tokens",
    "/api/v1/tokens/{name}",
    "/api/v1/services",
    "/api/v1/services/{name}",
];

/// What goes on record before it is handed out.
const HANDED_OUT: [&str; 2] = ["/api/v1/organizations/{name}/export", "/api/v1/cases/{id}/files/{number}"];

/// A subscription's row.
fn subscription(place: &str, name: &str) -> (Vec<u8>, Vec<u8>) {
    let row = SubscriptionRow {
        number: 1,
        service: "nat".parse().unwrap(),
        version: "0123456789ab".to_owned(),
        is_suspended: false,
        is_active: false,
        by: "admin".to_owned(),
        created: Timestamp::UNIX_EPOCH,
        changed: Timestamp::UNIX_EPOCH,
    };
    let key = subscriptions::key(&place.parse().unwrap(), &name.parse().unwrap());
    (key.into_bytes(), table::encode(&row).unwrap())
}

/// What of a subscription at an organization is at a line.
pub(super) fn part(line: &str, name: &str) -> (Vec<u8>, Vec<u8>) {
    let line: PlacePath = line.parse().unwrap();
    let top = Place::Organization(line.organization.clone());
    let row = PartRow {
        name: name.parse().unwrap(),
        subscribed: top.clone(),
        activated: top,
        service: "nat".parse().unwrap(),
        version: "0123456789ab".to_owned(),
        device: "SN1".to_owned(),
        group: format!("linesman-{name}-0123456789ab-line-7"),
        text: "firewall {\n    term own;\n}\n".to_owned(),
        held: None,
        goal: parts::Goal::On,
        state: parts::State::Active,
        reason: String::new(),
        conflict: None,
        is_of_device: false,
        reaction: None,
        changed: Timestamp::UNIX_EPOCH,
        against: None,
    };
    (parts::key(&line, &format!("{name}-0123456789ab")).into_bytes(), table::encode(&row).unwrap())
}

/// What an end customer has uploaded with an incident's case, by a name that tells whose it is.
pub(super) fn upload(org: &OrgName, number: u64) -> (Vec<u8>, Vec<u8>) {
    let row = UploadRow {
        kind: UploadKind::Attachment,
        name: format!("rsi of {org}-{number}.txt"),
        media_type: None,
        serial_number: "SN1".to_owned(),
        host_name: String::new(),
        held: Held::Object([7; 32]),
        size: 300,
        state: UploadState::Kept,
        reaction: String::new(),
        came: Timestamp::UNIX_EPOCH,
        sent_size: 0,
        sent_sha256: String::new(),
    };
    let incident = IncidentId { org: org.clone(), number };
    (uploads::key(&incident, 1).into_bytes(), table::encode(&row).unwrap())
}

/// The history of an incident, by an actor that tells whose it is.
pub(super) fn changed(org: &OrgName, number: u64) -> (Vec<u8>, Vec<u8>) {
    let change = ChangeRow { what: "owner".to_owned(), old: String::new(), new: format!("{org}/ann") };
    let line = LineRow {
        at: incident(number).detected,
        actor: format!("policy {org}/own-{number}"),
        on: "incident.detected".to_owned(),
        event: format!("{org}-{number}"),
        changes: vec![change],
        used: Vec::new(),
        unused: Vec::new(),
    };
    let row = HistoryRow { left_out: 0, lines: vec![line] };
    (history::key(org, number).into_bytes(), table::encode(&row).unwrap())
}

/// An edge with the same of `acme` and of `bolt`, in its store and in OUT.
pub(super) struct World {
    pub(super) edge: Fixture,
    pub(super) client: Client,
    server: Server,
    _dir: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
        let login = server.engine_login();
        let login = ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone());
        let client = login.connect(server.address()).await.unwrap();
        let layout = Layout { lanes: LANES, out_age_s: 600, replicas: 1, consumers: Default::default() };
        ensure(&client, &layout).await.unwrap();
        open(&client, &layout).await.unwrap();
        let (_, metrics) = Metrics::recorder().unwrap();
        let edge = Fixture::with(BOUNDS, client.clone(), metrics).await;
        let source = |name: &str| PolicySource {
            name: name.parse().unwrap(),
            owner: name.split_once('/').and_then(|(owner, _)| owner.parse().ok()),
            source: r#"policy(#{ on: "incident.detected" }); fn react(incident, org) {}"#.to_owned(),
            origin: None,
        };
        let policies = ["acme/own", "bolt/own", "corp/own", "all"].map(source).into();
        let (hash, content) = pack(&RuleBook { settings: Settings::default(), policies, refused: Vec::new() }).unwrap();
        Books::new(client.clone(), 1).put(&hash, &content).await.unwrap();
        edge.write(
            "acme",
            vec![(
                rule_book::key().into_bytes(),
                table::encode(&BookRow { version: 1, hash, sections: Vec::new() }).unwrap(),
            )],
        );
        let world = Self { edge, client, server, _dir: dir };
        world.fill("bolt");
        world.fill("acme");
        for whose in ["bolt", "_unknown", "_provider", "acme"] {
            world.say(whose).await;
        }
        world
    }

    /// What the store has of an organization.
    fn fill(&self, name: &str) {
        self.edge.organization(name, 3);
        self.fill_rest(name);
    }

    /// What the store has of an organization besides itself, its devices and its incidents.
    pub(super) fn fill_rest(&self, name: &str) {
        let org: OrgName = name.parse().unwrap();
        let message = Intelligence {
            id: "TSB-1".to_owned(),
            kind: Kind::BugNotice,
            title: format!("for {name}"),
            text: String::new(),
            issued: Timestamp::UNIX_EPOCH,
            relevance: Relevance::default(),
            links: Vec::new(),
            recalled: false,
        };
        let message = IntelligenceRow { message: message.into(), received: Timestamp::UNIX_EPOCH, repeats: 0 };
        let detail = format!("done for {name}");
        let command = CommandRow {
            verdict: Verdict::Done,
            is_new: false,
            detail,
            asked: [0; 32],
            decided: Timestamp::UNIX_EPOCH,
        };
        let case = CaseRow {
            state: CaseState::Created,
            reaction: String::new(),
            policy: None,
            request: CaseText::default(),
            transaction_id: String::new(),
            case_id: format!("case of {name}"),
            status: String::new(),
            previous_status: String::new(),
            link: String::new(),
            updated: incident(1).detected,
            opened: incident(1).detected,
            is_test: false,
            stays: Stays::default(),
            further: linesman_domain::cases::Further::default(),
        };
        self.edge.write(
            name,
            vec![
                (intelligence::key(&org, "TSB-1").into_bytes(), table::encode(&message).unwrap()),
                (commands::key(Some(&org), "asked-1").into_bytes(), table::encode(&command).unwrap()),
                (cases::key(&org, 1).into_bytes(), table::encode(&case).unwrap()),
                (
                    approvals::key(&ApprovalId::new(org.clone(), false, 1)).into_bytes(),
                    table::encode(&approval(name)).unwrap(),
                ),
                upload(&org, 1),
                changed(&org, 1),
                place(&format!("{name}/berlin")),
                place(&format!("{name}/berlin/line-7")),
            ],
        );
        self.edge.write(name, reached(name));
        self.edge.write(name, audited(name, 3));
        let places = [name.to_owned(), format!("{name}/berlin"), format!("{name}/berlin/line-7")];
        self.edge.write(name, places.iter().map(|place| subscription(place, name)).collect());
        self.edge.write(name, vec![part(&format!("{name}/berlin/line-7"), name)]);
        self.edge.write(name, drifted(name));
    }

    /// A trigger and a dead letter in OUT.
    pub(super) async fn say(&self, whose: &str) {
        let out: Context = jetstream::new(self.client.clone());
        let letter = json!({
            "reason": "bundle-undecodable", "detail": format!("of {whose}"), "sequence": 1,
            "subject": format!("in.{whose}.jmb"), "length": 1, "bytes": "eA==",
        });
        for (subject, data) in [
            (format!("w.{whose}.trigger.incident.detected"), json!({ "organization": whose })),
            (format!("w.{whose}.dead.bundle-undecodable"), letter),
        ] {
            let id = format!("event of {whose}");
            let event = json!({"specversion": "1.0", "id": id, "time": "2026-11-21T10:00:00Z", "data": data});
            out.publish(subject, event.to_string().into()).await.unwrap().await.unwrap();
        }
    }

    /// An event of OUT.
    pub(super) async fn put(&self, subject: String, data: Value) {
        let out: Context = jetstream::new(self.client.clone());
        let event = json!({"specversion": "1.0", "id": "x", "time": "2026-11-21T10:00:00Z", "data": data});
        out.publish(subject, event.to_string().into()).await.unwrap().await.unwrap();
    }

    /// The id of an organization's dead letter, as it is told to whoever does not see everything; one that does not exist,
    /// of an organization that does not.
    pub(super) async fn letter(&self, whose: &str) -> String {
        let page: Value = self.edge.get("/api/v1/dead-letters").await.json().await.unwrap();
        let letters = page["items"].as_array().unwrap();
        let found = letters.iter().find(|letter| letter["organization"] == whose);
        let id = found.map_or("9999-0", |letter| letter["id"].as_str().unwrap());
        EventIds::new(TOKEN).sealed(id.parse().unwrap())
    }

    /// Asks for something of an organization by a documented path.
    async fn ask(&self, token: &str, method: &str, path: &str, whose: &str) -> Response {
        let id = match path {
            _ if path.contains("dead-letters") => self.letter(whose).await,
            _ if path.contains("commands") => "asked-1".to_owned(),
            _ if path.contains("intelligence") => "TSB-1".to_owned(),
            _ if path.contains("approvals") => format!("{whose}-a1"),
            _ if path.contains("jmb-errors") => "f1".to_owned(),
            _ => format!("{whose}-1"),
        };
        let name = if path.contains("policies") { format!("{whose}%2Fown") } else { whose.to_owned() };
        let mut path = path.replace("{id}", &id).replace("{name}", &name).replace("{organization}", whose);
        path = path
            .replace("{device}", if path.contains("jmb-errors") { "r1" } else { "SN1" })
            .replace("{group}", "mx")
            .replace("{site}", "berlin")
            .replace("{line}", "line-7");
        path = path
            .replace("{bundle}", "health")
            .replace("{version}", "1")
            .replace("{profile}", "chassis")
            .replace("{device_group}", "core")
            .replace("{number}", "1")
            .replace("{message}", "T1")
            .replace("{index}", "0")
            .replace("{activation}", &format!("{whose}-0123456789ab"));
        if path.ends_with("/proof") {
            path.push_str("?index=0");
        }
        if path.contains("/explain/") {
            path.push_str("?service=nat&parameter=line");
        }
        if path.contains("commands") {
            path = format!("{path}?organization={whose}");
        }
        self.ask_for(token, method, &path).await
    }

    /// Asks for something by a path.
    pub(super) async fn ask_for(&self, token: &str, method: &str, path: &str) -> Response {
        let body = match path.rsplit('/').next().unwrap() {
            "assign" => Some(json!({"owner": "ann"})),
            "prioritise" => Some(json!({"priority": "High"})),
            "close" | "reopen" | "annotate" | "note" => Some(json!({"note": "x"})),
            "addresses" | "contracts" | "submit" | "save" | "forward" | "handle" | "override" | "approve"
            | "reject" => Some(json!({})),
            "log-level" => Some(json!({"level": "info"})),
            "level" => Some(json!({"level": 2})),
            "verification" => Some(json!({"lane": null})),
            "confirm" => Some(json!({"time": "2026-11-21T10:16:30Z"})),
            "skip" | "rejudge" => Some(json!({"position": 1, "why": "x"})),
            "mode" => Some(json!({"mode": "partner"})),
            "pin" => Some(json!({"fingerprint": null})),
            "credentials" => Some(json!({"user": "one", "password": "correct horse"})),
            "place" => Some(json!({"place": null})),
            "rpc" => Some(json!({"rpc": "<get/>"})),
            "gather" => Some(json!({"kind": "event"})),
            "host-key" => Some(json!({"host_key": null})),
            "plan" => Some(json!({"bundle": "health", "version": "1"})),
            _ if method == "put" && path.contains("/script-bundles/") => {
                Some(json!({"files": [{"kind": "op", "name": "a.slax", "content": "a"}]}))
            }
            _ if method == "put" && path.contains("/event-profiles/") => {
                Some(json!({"events": [{"event": "FAN_FAILURE", "priority": 1}]}))
            }
            _ if method == "put" && path.contains("/scripts/") => Some(json!({"bundle": "health", "version": "1"})),
            "state" => Some(json!({"state": "completed"})),
            "intelligence" => {
                Some(json!({"id": "T1", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z"}))
            }
            "send" | "recall" => Some(json!({"organizations": ["acme"]})),
            _ if method == "put" && path.contains("directives-groups") => Some(json!({"commands": ["show version"]})),
            _ if method == "put" && path.contains("associations") => Some(json!({"title": "t"})),
            _ if method == "put" && path.contains("subscriptions") => Some(json!({"service": "nat"})),
            _ if method == "put"
                && ["places", "managers", "groups", "values"].iter().any(|part| path.contains(part)) =>
            {
                Some(json!({}))
            }
            _ if method == "put" && path.contains("devices") => Some(json!({"poll_s": 60})),
            _ if method == "put" => Some(json!({"proxy": false})),
            _ => None,
        };
        let request = self.edge.request(method.to_uppercase().parse::<Method>().unwrap(), path).bearer_auth(token);
        let request = match body.filter(|_| method != "get") {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap()
    }

    /// Ends the edge; the log goes on.
    pub(super) async fn end_of_edge(self) -> (Client, Server) {
        self.edge.listening.shutdown().await;
        (self.client, self.server)
    }

    pub(super) async fn end(self) {
        self.edge.listening.shutdown().await;
        self.server.stop().await;
    }
}

#[tokio::test]
async fn on_no_route_there_is_anything_of_an_organization_that_is_not_seen() {
    let world = World::new().await;
    let document: Value = world.edge.get("/api/v1/openapi.json").await.json().await.unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let is_one = path.contains('{');
            // Whom somebody sees is more than whose they are: see `people`.
            if ["/managers", "/groups", "/rights"].iter().any(|part| path.contains(part)) {
                continue;
            }
            let is_engine = ENGINE.contains(&path.as_str()) || operation["operationId"] == "add-intelligence";
            if is_engine {
                let answer = world.ask(TOKEN_OF_ACME, method, path, "bolt").await;
                let nothing = (404, "there is nothing under this path".to_owned());
                assert_eq!(problem(answer).await, nothing, "{method} {path}");
            } else if OTHERS.contains(&path.as_str()) {
                continue;
            } else if is_one {
                let (status, hidden) = problem(world.ask(TOKEN_OF_ACME, method, path, "bolt").await).await;
                let nobody = problem(world.ask(TOKEN_OF_ACME, method, path, "nobody").await).await;
                assert_eq!((status, hidden.replace("bolt", "nobody")), nobody, "{method} {path}");
                assert_eq!(status, 404, "{method} {path}: {hidden}");
                if method == "get" {
                    for (token, whose) in [(TOKEN, "bolt"), (TOKEN_OF_ACME, "acme")] {
                        // What another has asked for is nobody's business.
                        if path.contains("commands") && token != TOKEN {
                            continue;
                        }
                        // It goes on record first, and here is no lane.
                        if HANDED_OUT.contains(&path.as_str()) {
                            continue;
                        }
                        let answer = world.ask(token, method, path, whose).await;
                        assert_eq!(answer.status(), 200, "{path} of {whose}");
                    }
                }
            } else {
                assert_eq!(method, "get", "{path}: how is it asked for, and what may be seen of it?");
                let whole = world.edge.get(path).await.text().await.unwrap();
                assert!(whole.contains("bolt") && whole.contains("acme"), "{path}: {whole}");
                let seen = world.edge.get_as(TOKEN_OF_ACME, path).await.text().await.unwrap();
                assert!(seen.contains("acme") && !seen.contains("bolt"), "{path}: {seen}");
                let parameters = operation["parameters"].as_array().unwrap();
                if parameters.iter().any(|parameter| parameter["name"] == "organization") {
                    let answer = world.edge.get_as(TOKEN_OF_ACME, &format!("{path}?organization=bolt")).await;
                    assert_eq!(problem(answer).await, (404, "there is no organization `bolt`".to_owned()), "{path}");
                }
            }
        }
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_not_seen_is_not_counted_and_the_providers_own_is_the_providers() {
    let world = World::new().await;
    let json = async |path: &str| world.edge.get_as(TOKEN_OF_ACME, path).await.json::<Value>().await.unwrap();
    assert_eq!(json("/api/v1/incidents").await["total"], 3);
    let policies = json("/api/v1/policies").await;
    let names: Vec<_> = policies["items"].as_array().unwrap().iter().map(|policy| &policy["name"]).collect();
    assert_eq!(names, ["acme/own"]);
    let answer = world.edge.get_as(TOKEN_OF_ACME, "/api/v1/policies/all").await;
    assert_eq!(problem(answer).await, (404, "there is no policy `all`".to_owned()));
    for sort in ["time", "-time"] {
        for whose in ["_provider", "_unknown"] {
            let page = json(&format!("/api/v1/dead-letters?organization={whose}&sort={sort}")).await;
            assert_eq!(page, json!({"items": [], "next": null}), "{whose}");
        }
        let page = json(&format!("/api/v1/dead-letters?sort={sort}&limit=1")).await;
        assert_eq!((page["items"][0]["detail"].as_str(), &page["next"]), (Some("of acme"), &Value::Null));
    }
    let refused = |owner: Option<&str>| RefusedPolicy {
        path: format!("{}/own.rhai", owner.unwrap_or("all")),
        owner: owner.map(|owner| owner.parse().unwrap()),
        hash: "0a".to_owned(),
        line: 3,
        column: 7,
        message: "unknown trigger `incident`".to_owned(),
        help: None,
        stays: None,
    };
    let refused = [None, Some("acme"), Some("bolt")].map(refused);
    let service = RefusedService {
        path: "services/nat/main.j2".to_owned(),
        hash: "0b".to_owned(),
        line: 2,
        column: 5,
        message: "there is no parameter `raet`".to_owned(),
        help: None,
        stays: true,
    };
    let directory = Some("the rules in `R` cannot be read: gone".to_owned());
    world.edge.policies.send_replace(PolicyStatus {
        version: 4,
        directory,
        count: 3,
        refused: refused.into(),
        services: [service].into(),
        differing: Vec::new(),
    });
    assert_eq!(json("/readyz").await["services"], json!({"refused": 1}), "services are the provider's");
    let policies = json("/readyz").await["policies"].clone();
    let files: Vec<_> =
        policies["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!((files, policies.get("directory")), (vec!["acme/own.rhai"], None));
    world.end().await;
}

#[tokio::test]
async fn only_events_that_are_seen_are_heard() {
    let world = World::new().await;
    world.edge.ready.send_replace(true);
    // What is said of all others stands in front.
    for (token, expected) in [(TOKEN, vec!["bolt", "_unknown", "_provider", "acme"]), (TOKEN_OF_ACME, vec!["acme"])] {
        let mut answer = world.edge.get_as(token, "/api/v1/events?last_event_id=0-0").await;
        assert_eq!(answer.status(), 200);
        let mut heard = String::new();
        while !heard.contains(r#""organization":"acme""#) {
            let part = tokio::time::timeout(std::time::Duration::from_secs(30), answer.chunk()).await;
            heard.push_str(&String::from_utf8_lossy(&part.unwrap().unwrap().expect("the stream goes on")));
        }
        let names = ["bolt", "_unknown", "_provider", "acme"].into_iter().filter(|name| heard.contains(name));
        assert_eq!(names.collect::<Vec<_>>(), expected, "{heard}");
    }
    world.end().await;
}

/// Something of an organization that awaits approval.
pub(super) fn approval(whose: &str) -> ApprovalRow {
    ApprovalRow {
        kind: ApprovalKind::ForwardCase,
        is_two_person: false,
        reasons: vec!["settings".to_owned()],
        operation: "forward-case".to_owned(),
        about: format!("{whose}-1"),
        place: whose.to_owned(),
        verb: json!({"forward_case": {"incident": format!("{whose}-1")}}).to_string(),
        content: json!({"synopsis": format!("case of {whose}")}).to_string(),
        sha256: [0; 32],
        principal: json!({"kind": "configuration"}).to_string(),
        actor: "configuration".to_owned(),
        chain: Vec::new(),
        node: String::new(),
        command: "asked-1".to_owned(),
        asked: Timestamp::UNIX_EPOCH,
        due: "2100-01-01T00:00:00Z".parse().unwrap(),
        on_timeout: OnTimeout::Reject,
        state: ApprovalState::Pending,
        decision: None,
        outcome: None,
        instead: None,
        askers: Vec::new(),
    }
}

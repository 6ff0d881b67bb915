//! The world that all kinds ask of, which nothing that they ask changes.

use std::collections::{BTreeMap, BTreeSet};

use linesman_domain::cases;
use linesman_domain::incidents::{IncidentRow, Status, page};
use linesman_domain::intelligence::provided::{self, ProvidedRow};
use linesman_domain::intelligence::{self, IntelligenceRow};
use linesman_domain::services::{self, NewestRow, VersionRow};
use linesman_domain::subscriptions::{self, SubscriptionRow};
use linesman_domain::table;
use linesman_schemas::intelligence::{Intelligence, Kind as MessageKind, Relevance};
use linesman_schemas::{OrgName, Privileges, Rights};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::super::fixture::{Fixture, LANES, TOKEN, incident, reached};
use super::super::viewer::{World, part};
use super::deciding::{self, Keeps};
use super::kinds::{Kind, Way};
use super::samples::{FREE, LINE, THEIRS};
use crate::edge::event_ids::EventIds;
use crate::log::streams::lane_of;

/// Parameters that name something of somebody's.
const NAMES: [&str; 3] = ["organization", "under", "login"];

/// The world, and what of it requests name.
pub(super) struct Asked {
    pub(super) world: World,
    /// Method and path of each operation of the document.
    pub(super) operations: BTreeMap<String, (Method, String)>,
    /// Those that name something in their path or query.
    pub(super) naming: BTreeSet<String>,
    /// The dead letter of an input, and that of a policy that failed.
    pub(super) letters: [String; 2],
    /// One of `bolt`.
    pub(super) letter_of_bolt: String,
    /// An incident of the device of `acme/paris`.
    pub(super) hidden: String,
}

/// Somebody who asks.
pub(super) struct Person<'a> {
    pub(super) kind: &'a Kind,
    bearer: String,
    /// An incident of its own.
    mine: String,
}

impl Asked {
    /// A world with all kinds in it, and lanes that decide what they ask: to be made where tasks may be spawned locally.
    pub(super) async fn new(kinds: &[Kind]) -> (Self, Vec<Person<'_>>) {
        let world = World::new().await;
        let edge = &world.edge;
        let failed =
            json!({"name": "acme/own", "version": "0a", "on": "incident.detected", "trigger": "x", "about": "acme-1"});
        let letter = json!({
            "reason": "policy-failed", "detail": "of acme", "sequence": 1, "subject": "in.acme.jmb", "length": 1,
            "policy": failed,
        });
        world.put("w.acme.dead.policy-failed".to_owned(), letter).await;
        fill(edge, kinds);
        let people: Vec<_> = (3..)
            .zip(kinds)
            .map(|(number, kind)| Person { kind, bearer: kind.enter(edge), mine: format!("acme-{number}") })
            .collect();
        for person in &people {
            edge.token(&person.kind.login, "own", None);
            edge.session_of(&person.kind.login, "own");
        }
        // Tokens of the provider's people are in the directory.
        edge.compose();
        deciding::start(edge, &world.client, Keeps::Outcomes);
        let page: Value = edge.get("/api/v1/dead-letters?organization=acme").await.json().await.unwrap();
        let letters = ["bundle-undecodable", "policy-failed"].map(|reason| {
            let letter = page["items"].as_array().unwrap().iter().find(|letter| letter["reason"] == reason);
            EventIds::new(TOKEN).sealed(letter.unwrap()["id"].as_str().unwrap().parse().unwrap())
        });
        let document: Value = edge.get("/api/v1/openapi.json").await.json().await.unwrap();
        let (mut operations, mut naming) = (BTreeMap::new(), BTreeSet::new());
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let names = parameters.filter_map(|one| one["name"].as_str());
                // Whose events are listened to is no secret: nothing is heard of either. Services are seen by everybody,
                // and lanes are the provider's as a whole.
                let is_naming = path.contains('{') || names.clone().any(|name| NAMES.contains(&name));
                if is_naming && !matches!(&*id, "events" | "service" | "skip-input" | "rejudge-lane") {
                    naming.insert(id.clone());
                }
                let method = method.to_uppercase().parse().unwrap();
                assert!(operations.insert(id, (method, path.clone())).is_none(), "{path}: {operation}");
            }
        }
        let hidden = format!("acme-{}", kinds.len() + 3);
        let letter_of_bolt = world.letter("bolt").await;
        (Self { world, operations, naming, letters, letter_of_bolt, hidden }, people)
    }

    /// The answer to an operation by a path and a body, in which stands for what is of whoever asks what
    /// [`samples`](super::samples) say.
    pub(super) async fn ask(&self, person: &Person<'_>, operation: &str, path: &str, body: Option<&Value>) -> Response {
        let (method, template) = &self.operations[operation];
        assert!(is_of(path, template), "{path} is no {template}");
        let path = self.filled(person, path);
        let mut request = self.world.edge.request(method.clone(), &path);
        if person.kind.way != Way::Nobody {
            request = request.bearer_auth(&person.bearer);
        }
        if let Some(body) = body {
            let body: Value = serde_json::from_str(&self.filled(person, &body.to_string())).unwrap();
            request = request.json(&body);
        }
        // By it is asked what became of a command.
        if path == "/api/v1/tokens/own" {
            request = request.header("Idempotency-Key", "asked");
        }
        request.send().await.unwrap()
    }

    /// The id of a dead letter of the provider's own.
    pub(super) async fn letter_of_provider(&self) -> String {
        let page: Value =
            self.world.edge.get("/api/v1/dead-letters?organization=_provider").await.json().await.unwrap();
        page["items"][0]["id"].as_str().unwrap().to_owned()
    }

    fn filled(&self, person: &Person<'_>, text: &str) -> String {
        let home = person.kind.home();
        let of = if home == "/" { String::new() } else { format!("?organization={home}") };
        let [letter, failed] = &self.letters;
        text.replace("{login}", &person.kind.login)
            .replace("{mine}", &person.mine)
            .replace("{of}", &of)
            .replace("{letter}", letter)
            .replace("{failed}", failed)
    }
}

/// Whether a path is one of a template.
fn is_of(path: &str, template: &str) -> bool {
    let path = path.split_once('?').map_or(path, |(path, _)| path).replace("{of}", "");
    let (parts, wanted): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    parts.len() == wanted.len()
        && parts.iter().zip(&wanted).all(|(part, wanted)| part == wanted || wanted.starts_with('{'))
}

/// What there is of `acme`: a device that everybody sees who sees something of it, with an incident for each kind; what
/// is seen by that; managers and a group.
fn fill(edge: &Fixture, kinds: &[Kind]) {
    let org: OrgName = "acme".parse().unwrap();
    let fleet = [("SN1", "edge-1.core", "core"), ("SN3", "edge-3.example", "")];
    let count = kinds.len() + 3;
    edge.fleet("acme", &fleet, &vec!["SN1"; count]);
    edge.write("acme", reached("acme"));
    let whose = ["", "somebody"].into_iter().chain(kinds.iter().map(|kind| &*kind.login));
    let mut incidents: Vec<_> = (1..).zip(whose).map(|(number, owner)| owned(number, "SN1", owner)).collect();
    // One that is seen by those alone who see all of it, or where its device is.
    incidents.push(owned(incidents.len() as u64 + 1, "SN3", ""));
    for (number, rows) in (0..).zip(incidents.chunks(page::PER_PAGE as usize)) {
        let mut bytes = Vec::new();
        for row in rows {
            let row = table::encode(row).unwrap();
            bytes.extend_from_slice(&u32::try_from(row.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(&row);
        }
        edge.write("acme", vec![(page::key(&org, number).into_bytes(), bytes)]);
    }
    assert_eq!((FREE, THEIRS), ("acme-1", "acme-2"));
    edge.place(LINE, &["SN1"]);
    edge.place("acme/paris", &["SN3"]);
    let lane = edge.store.lane(lane_of("acme", LANES)).unwrap();
    let case = table::Table::read(&lane, &cases::key(&org, 1)).unwrap().unwrap();
    let hidden = count as u64;
    edge.write("acme", vec![(cases::key(&org, hidden).into_bytes(), table::encode(&case).unwrap())]);
    for (id, serial_number) in [("M-1", "SN1"), ("M-3", "SN3")] {
        let relevance = Relevance { serial_numbers: vec![serial_number.to_owned()], ..Relevance::default() };
        let message = Intelligence {
            id: id.to_owned(),
            kind: MessageKind::Alert,
            title: id.to_owned(),
            text: String::new(),
            issued: Default::default(),
            relevance,
            links: Vec::new(),
            recalled: false,
        };
        let row = IntelligenceRow { message: message.into(), received: Default::default(), repeats: 0 };
        edge.write("acme", vec![(intelligence::key(&org, id).into_bytes(), table::encode(&row).unwrap())]);
        if id == "M-1" {
            let (number, sha256) = (1, "ab".repeat(32));
            let row = ProvidedRow { number, sha256, message: row.message, received: Default::default() };
            let row = vec![(provided::key("T1").into_bytes(), table::encode(&row).unwrap())];
            edge.write_provider(row.clone());
            edge.write("acme", row);
        }
    }
    for (login, sphere) in
        [("acme/low", LINE), ("low", LINE), ("acme/dan", "acme/paris"), ("dan", "acme/paris"), ("bolt/low", "bolt")]
    {
        edge.grant(login, sphere, Privileges::default(), Rights::default());
        edge.password(login, false);
        edge.session_of(login, "own");
        edge.token(login, "own", None);
    }
    offer(edge);
    edge.group("shift", &[], &["acme"], &[]);
    edge.group("others", &[], &["bolt"], &[]);
}

/// The service `nat`, a subscription `own` to it at each place, and what of it is at lines.
fn offer(edge: &Fixture) {
    let source = deciding::nat();
    let version = services::version(&source);
    let newest = NewestRow { version: version.clone() };
    let files = VersionRow { files: source.files, taken_up: Default::default() };
    for lane in 0..LANES {
        edge.write_to(
            lane,
            vec![
                (services::newest_key(&source.name).into_bytes(), table::encode(&newest).unwrap()),
                (services::version_key(&source.name, &version).into_bytes(), table::encode(&files).unwrap()),
            ],
        );
    }
    for (org, place) in [
        ("acme", "acme"),
        ("acme", "acme/berlin"),
        ("acme", LINE),
        ("acme", "acme/paris"),
        ("acme", "acme/paris/line-7"),
        ("bolt", "bolt"),
        ("bolt", "bolt/berlin"),
    ] {
        let row = SubscriptionRow {
            number: 1,
            service: source.name.clone(),
            version: version.clone(),
            is_suspended: false,
            is_active: false,
            by: "admin".to_owned(),
            created: Default::default(),
            changed: Default::default(),
        };
        let key = subscriptions::key(&place.parse().unwrap(), &"own".parse().unwrap());
        edge.write(org, vec![(key.into_bytes(), table::encode(&row).unwrap())]);
    }
    for line in [LINE, "acme/paris/line-7"] {
        edge.write("acme", vec![part(line, "own")]);
    }
}

fn owned(number: u64, serial_number: &str, owner: &str) -> IncidentRow {
    let status = if owner.is_empty() { Status::Unassigned } else { Status::Assigned };
    IncidentRow { serial_number: serial_number.to_owned(), owner: owner.to_owned(), status, ..incident(number) }
}

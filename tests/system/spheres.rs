//! An enterprise's managers on a running engine: they log in by themselves, see their sphere and nothing beside it, and
//! lose at once what somebody above them loses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_nats::{Client, jetstream};
use linesman_tests::{Answer, Api, Engine, OPEN_CASE, World, event, until};
use reqwest::Method;
use serde_json::{Value, json};

const ALL: [&str; 4] = ["subscription", "substitution", "activation", "managers"];
/// What others have set.
const GIVEN: &str = "given horse battery";
/// What everybody has chosen instead.
const CHOSEN: &str = "chosen horse battery";

/// An engine with two enterprises. `acme` has the sites `berlin` with a line, and `paris`; a device is tied to each of
/// them, and one to no place.
struct Stage {
    world: World,
    engine: Engine,
    log: Client,
    admin: Api,
}

impl Stage {
    async fn set() -> Self {
        let world = World::new().unwrap();
        world.policy("open-case", OPEN_CASE).unwrap();
        let engine = world.start(None).await.unwrap();
        let (log, admin) = (engine.nats_as_engine().await.unwrap(), engine.api().unwrap());
        let stage = Self { world, engine, log, admin };
        for place in ["acme/berlin", "acme/berlin/line-7", "acme/paris"] {
            put(&stage.admin, &format!("places/{place}"), json!({}), 201).await;
        }
        for org in ["acme", "bolt"] {
            for host in hosts(org) {
                stage.report(org, host, 1).await;
            }
        }
        for (host, place) in [("berlin", "acme/berlin"), ("line", "acme/berlin/line-7"), ("paris", "acme/paris")] {
            put(&stage.admin, &format!("devices/acme/SN{host}/place"), json!({"place": place}), 200).await;
        }
        stage
    }

    /// A device reports a problem, which becomes an incident with a case.
    async fn report(&self, org: &str, host: &str, number: u64) {
        let before = self.engine.incidents(org).await.unwrap();
        let bundle = event(host, number, "SPHERE", "2 - High");
        let log = jetstream::new(self.log.clone());
        log.publish(format!("in.{org}.jmb.test"), bundle.into()).await.unwrap().await.unwrap();
        until("it is an incident", async || (self.engine.incidents(org).await.unwrap() > before).then_some(())).await;
    }

    /// Makes a manager as `by`, who gives it a password, and lets it log in: a session of it with its own password.
    async fn hire(&self, by: &Api, login: &str, sphere: &[&str], privileges: &[&str]) -> Api {
        let body = json!({"sphere": sphere, "privileges": privileges, "password": GIVEN});
        put(by, &format!("managers/{login}"), body, 201).await;
        let begun = self.log_in(login, GIVEN).await;
        assert_eq!(begun.body["must_change_password"], json!(true), "{login}");
        let first = self.admin.by(begun.body["token"].as_str().unwrap());
        assert_eq!(get(&first, "incidents").await.status, 403, "{login} has to change what another has set");
        let changed = put(&first, "me/password", json!({"old": GIVEN, "new": CHOSEN}), 200).await;
        assert_eq!(changed.body["detail"], "changed");
        assert_eq!(get(&first, "me").await.status, 401, "{login}: the session of before has ended");
        let begun = self.log_in(login, CHOSEN).await;
        assert_eq!(begun.body["must_change_password"], json!(false), "{login}");
        self.admin.by(begun.body["token"].as_str().unwrap())
    }

    async fn log_in(&self, login: &str, password: &str) -> Answer {
        let body = json!({"login": login, "password": password});
        let begun = self.admin.by("").post("/api/v1/session", body).await.unwrap();
        assert_eq!(begun.status, 201, "{login}: {begun:?}");
        begun
    }

    /// An API token of whoever asks, that may what is said here of what they may.
    async fn token(&self, by: &Api, body: Value) -> Api {
        let made = by.post("/api/v1/tokens", body).await.unwrap();
        assert_eq!(made.status, 201, "{made:?}");
        self.admin.by(made.body["token"].as_str().unwrap())
    }

    async fn end(mut self) {
        assert!(self.engine.stop().await.unwrap().success(), "{}", self.engine.log_tail());
        drop(self.world);
    }
}

/// The devices of an organization.
fn hosts(org: &str) -> &'static [&'static str] {
    if org == "acme" { &["berlin", "line", "paris", "spare"] } else { &["vault"] }
}

async fn ask(by: &Api, method: Method, path: &str, body: Option<Value>) -> Answer {
    by.ask(method, &format!("/api/v1/{path}"), None, body).await.unwrap()
}

async fn get(by: &Api, path: &str) -> Answer {
    ask(by, Method::GET, path, None).await
}

async fn put(by: &Api, path: &str, body: Value, status: u16) -> Answer {
    let answer = ask(by, Method::PUT, path, Some(body)).await;
    assert_eq!(answer.status, status, "{path}: {answer:?}");
    answer
}

/// A field of all that a list shows, in order and each once.
async fn shown(by: &Api, list: &str, field: &str) -> Vec<String> {
    let joint = if list.contains('?') { '&' } else { '?' };
    let page = get(by, &format!("{list}{joint}limit=1000")).await;
    assert_eq!(page.status, 200, "{list}: {page:?}");
    let items = page.body["items"].as_array().unwrap();
    let mut all: Vec<_> =
        items.iter().map(|item| item.pointer(field).and_then(Value::as_str).unwrap().to_owned()).collect();
    all.sort();
    all.dedup();
    all
}

/// What somebody sees: places, managers, devices, incidents and cases by their devices, places of audit records.
async fn seen(by: &Api) -> [Vec<String>; 6] {
    [
        shown(by, "places", "/place").await,
        shown(by, "managers", "/login").await,
        shown(by, "devices", "/host_name").await,
        shown(by, "incidents", "/device/host_name").await,
        shown(by, "cases", "/incident").await,
        shown(by, "audit", "/place").await,
    ]
}

fn privileges(me: &Answer) -> Vec<&str> {
    me.body["privileges"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_sees_and_grants_what_lies_in_their_sphere() {
    let stage = Stage::set().await;
    let ann = stage.hire(&stage.admin, "acme/ann", &["acme"], &ALL).await;
    let bert = stage.hire(&ann, "acme/bert", &["acme/berlin"], &["managers", "activation"]).await;
    let line = &["acme/berlin/line-7"][..];
    let cleo = stage.hire(&bert, "acme/cleo", line, &["activation"]).await;
    let zoe = stage.hire(&stage.admin, "bolt/zoe", &["bolt"], &ALL).await;

    let whole = &["acme", "acme/berlin", "acme/berlin/line-7", "acme/paris"][..];
    let views = [
        (&ann, whole, &["acme/ann", "acme/bert", "acme/cleo"][..], hosts("acme"), 4),
        (&bert, &whole[..3], &["acme/bert", "acme/cleo"], &hosts("acme")[..2], 2),
        (&cleo, &whole[..3], &["acme/cleo"], &hosts("acme")[1..2], 1),
        (&zoe, &["bolt"], &["bolt/zoe"], hosts("bolt"), 1),
    ];
    for (by, places, managers, hosts, count) in views {
        let me = get(by, "me").await.body["login"].as_str().unwrap().to_owned();
        let token = stage.token(by, json!({"name": "same"})).await;
        let [saw_places, saw_managers, devices, incidents, cases, audit] = seen(by).await;
        assert_eq!(saw_places, places, "{me}");
        assert_eq!(saw_managers, managers, "{me}");
        assert_eq!(devices, hosts, "{me}");
        assert_eq!(incidents, hosts, "{me}");
        assert_eq!(cases.len(), count, "{me}: {cases:?}");
        let deepest = if me == "acme/ann" { "acme" } else { places.last().unwrap() };
        let own = if me == "acme/bert" { "acme/berlin" } else { deepest };
        assert!(!audit.is_empty() && audit.iter().all(|place| is_under(own, place)), "{me}: {audit:?}");
        assert_eq!(seen(&token).await, seen(by).await, "{me}: a token of one's own sees what one sees");
    }

    // What bert grants beyond his own is refused.
    let (mut refused, mut expected) = (Vec::new(), Vec::new());
    let dan = "managers/acme/dan";
    for (path, body, status, words) in [
        (dan, json!({"sphere": ["acme"]}), 403, "`acme/bert` has not all of `acme`, and cannot grant it"),
        (dan, json!({"sphere": ["acme/paris"]}), 422, "there is no place `acme/paris`"),
        (
            dan,
            json!({"sphere": line, "privileges": ["substitution"]}),
            403,
            "`acme/bert` has not the privilege `substitution`, and cannot grant it",
        ),
        (dan, json!({"sphere": line, "rights": {"audit": true}}), 422, "the provider's people alone have rights"),
        ("managers/acme/bert", json!({"privileges": ALL}), 403, "nobody changes what they were granted themselves"),
        ("managers/acme/ann", json!({"privileges": []}), 422, "a manager of an organization needs a place"),
        ("managers/acme/ann", json!({"sphere": line}), 404, "there is no manager `acme/ann`"),
        ("managers/bolt/zoe", json!({"privileges": []}), 404, "there is no organization `bolt`"),
        (
            "places/acme/berlin/line-8",
            json!({}),
            403,
            "`acme/bert` has not the right `organizations` on `acme/berlin/line-8`",
        ),
        ("places/acme/paris", json!({}), 404, "there is no place `acme/paris`"),
    ] {
        let answer = ask(&bert, Method::PUT, path, Some(body)).await;
        refused.push((path, answer.status, answer.body["detail"].as_str().unwrap_or_default().to_owned()));
        expected.push((path, status, words.to_owned()));
    }
    assert_eq!(refused, expected);
    assert_eq!(shown(&stage.admin, "managers?under=acme", "/login").await, ["acme/ann", "acme/bert", "acme/cleo"]);
    stage.end().await;
}

/// Whether a place is `top` or lies below it.
fn is_under(top: &str, place: &str) -> bool {
    place.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[tokio::test]
async fn events_are_told_within_the_sphere_alone() {
    let stage = Stage::set().await;
    let ann = stage.hire(&stage.admin, "acme/ann", &["acme"], &ALL).await;
    let bert = stage.hire(&ann, "acme/bert", &["acme/berlin"], &["managers"]).await;
    let zoe = stage.hire(&stage.admin, "bolt/zoe", &["bolt"], &ALL).await;
    let narrow = stage.token(&ann, json!({"name": "narrow", "sphere": ["acme/berlin"], "privileges": []})).await;
    let query = "?trigger=incident.detected";
    let mut heard = Vec::new();
    for (by, own) in [
        (&ann, &["paris", "spare", "berlin", "line"][..]),
        (&bert, &["berlin", "line"]),
        (&narrow, &["berlin", "line"]),
        (&zoe, &["vault"]),
    ] {
        let mut events = by.events(query, None).await.unwrap();
        events.id().await.unwrap();
        heard.push((events, own));
    }
    // What must not be heard comes first.
    for (org, host) in [("acme", "paris"), ("bolt", "vault"), ("acme", "spare"), ("acme", "berlin"), ("acme", "line")] {
        stage.report(org, host, 2).await;
    }
    for (events, own) in &mut heard {
        for host in *own {
            let told = events.next().await.unwrap();
            assert_eq!(told.data["data"]["device"]["host_name"], *host, "{own:?}: {told:?}");
        }
    }
    drop(heard);
    stage.end().await;
}

#[tokio::test]
async fn what_is_taken_away_above_is_gone_below_in_open_sessions_and_tokens() {
    let stage = Stage::set().await;
    let ann = stage.hire(&stage.admin, "acme/ann", &["acme"], &ALL).await;
    let bert = stage.hire(&ann, "acme/bert", &["acme/berlin"], &["managers", "activation"]).await;
    let program = stage.token(&bert, json!({"name": "program"})).await;
    let grant = json!({"sphere": ["acme/berlin/line-7"], "privileges": []});
    put(&bert, "managers/acme/cleo", grant.clone(), 201).await;
    put(&program, "managers/acme/cleo", grant.clone(), 200).await;

    put(&stage.admin, "managers/acme/ann", json!({"privileges": ["activation", "subscription"]}), 200).await;
    for by in [&bert, &program] {
        assert_eq!(privileges(&get(by, "me").await), ["activation"]);
        let refused = put(by, "managers/acme/cleo", grant.clone(), 403).await;
        assert_eq!(
            refused.body["detail"],
            "`acme/bert` has not the privilege `managers` on `acme`: `acme/ann`, from whom it was granted, has not"
        );
    }
    put(&stage.admin, "managers/acme/ann", json!({"privileges": ALL}), 200).await;
    for by in [&bert, &program] {
        assert_eq!(privileges(&get(by, "me").await), ["activation", "managers"]);
        put(by, "managers/acme/cleo", grant.clone(), 200).await;
    }

    // Whoever goes hands over whom they made, with no more than both had.
    put(&stage.admin, "managers/acme/ann", json!({"privileges": ["managers"]}), 200).await;
    let gone = ask(&stage.admin, Method::DELETE, "managers/acme/ann", None).await;
    assert_eq!(gone.body["detail"], "removed");
    assert_eq!(get(&ann, "me").await.status, 401);
    let left = get(&stage.admin, "managers/acme/bert").await.body;
    assert_eq!((&left["granted_by"], &left["privileges"]), (&json!("admin"), &json!(["managers"])));
    for by in [&bert, &program] {
        let me = get(by, "me").await;
        assert_eq!((privileges(&me), &me.body["granted_by"]), (vec!["managers"], &json!("admin")));
        put(by, "managers/acme/cleo", grant.clone(), 200).await;
    }
    stage.end().await;
}

#[tokio::test]
async fn a_token_for_reading_a_site_does_exactly_that() {
    let stage = Stage::set().await;
    let ann = stage.hire(&stage.admin, "acme/ann", &["acme"], &ALL).await;
    let bert = stage.hire(&ann, "acme/bert", &["acme/berlin"], &["managers"]).await;
    let reader = stage.token(&ann, json!({"name": "reader", "sphere": ["acme/berlin"], "privileges": []})).await;
    let me = get(&reader, "me").await.body;
    assert_eq!(
        (&me["login"], &me["sphere"], &me["privileges"]),
        (&json!("acme/ann"), &json!(["acme/berlin"]), &json!([]))
    );
    // It sees what a manager of the site sees, to the byte.
    for list in ["places", "devices", "incidents", "cases", "intelligence", "audit", "organizations"] {
        assert_eq!(get(&reader, list).await.body, get(&bert, list).await.body, "{list}");
    }
    // And itself.
    assert_eq!(shown(&reader, "managers", "/login").await, ["acme/ann", "acme/bert"]);
    for (method, path, body) in [
        (Method::PUT, "managers/acme/bert", json!({"privileges": []})),
        (Method::DELETE, "managers/acme/bert", Value::Null),
        (Method::PUT, "managers/acme/dan", json!({"sphere": ["acme/berlin"]})),
        (Method::PUT, "places/acme/berlin/line-8", json!({})),
        (Method::PUT, "devices/acme/SNberlin/place", json!({"place": null})),
        (Method::POST, "incidents/acme-1/close", json!({})),
        (Method::POST, "tokens", json!({"name": "more"})),
        (Method::DELETE, "tokens/reader", Value::Null),
    ] {
        let refused = ask(&reader, method.clone(), path, Some(body)).await;
        assert_eq!(refused.status, 403, "{method} {path}: {refused:?}");
    }
    for path in ["places/acme/paris", "devices/acme/SNparis", "incidents/acme-3"] {
        assert_eq!(get(&reader, path).await.status, 404, "{path}");
    }
    stage.end().await;
}

#[tokio::test]
async fn another_enterprise_sees_nothing_of_it_all() {
    let stage = Stage::set().await;
    let ann = stage.hire(&stage.admin, "acme/ann", &["acme"], &ALL).await;
    stage.hire(&ann, "acme/bert", &["acme/berlin"], &["managers"]).await;
    let zoe = stage.hire(&stage.admin, "bolt/zoe", &["bolt"], &ALL).await;
    // What is there is answered like what is not.
    for (there, nothing) in [
        ("places/acme", "places/none"),
        ("places/acme/berlin", "places/none/berlin"),
        ("managers/acme/ann", "managers/none/ann"),
        ("devices/acme/SNberlin", "devices/none/SNberlin"),
        ("devices?organization=acme", "devices?organization=none"),
        ("incidents?organization=acme", "incidents?organization=none"),
        ("cases?organization=acme", "cases?organization=none"),
        ("managers?under=acme", "managers?under=none"),
        ("places?under=acme/berlin", "places?under=none/berlin"),
        ("audit?organization=acme", "audit?organization=none"),
        ("audit/export?organization=acme", "audit/export?organization=none"),
        ("audit/acme/checkpoint", "audit/none/checkpoint"),
        ("audit/_provider/checkpoint", "audit/_provider-99/checkpoint"),
        ("tokens?login=acme/ann", "tokens?login=none/ann"),
        (
            "rights/why?login=acme/ann&operation=set-place&place=acme",
            "rights/why?login=none/ann&operation=set-place&place=none",
        ),
    ] {
        let (there, nothing) = (get(&zoe, there).await, get(&zoe, nothing).await);
        let without =
            |answer: &Answer| answer.body.to_string().replace("none", "acme").replace("_provider-99", "_provider");
        assert_eq!((there.status, without(&there)), (nothing.status, without(&nothing)));
    }
    for list in ["places", "managers", "devices", "incidents", "cases", "audit", "organizations", "intelligence"] {
        let page = get(&zoe, list).await;
        let text = page.body.to_string();
        assert!(page.status == 200 && !text.contains("acme") && !text.contains("_provider"), "{list}: {text}");
    }
    stage.end().await;
}

/// What changes while somebody exports, each kind beside the others. None of it ever lies in a sphere of another `Reader`
/// than it says.
const KINDS: [Change; 3] = [people, places_of, groups];

/// The changes of a round: method, path, body.
type Change = fn(u64) -> Vec<(Method, String, Value)>;

fn set(path: &str, body: Value) -> (Method, String, Value) {
    (Method::PUT, path.to_owned(), body)
}

fn people(round: u64) -> Vec<(Method, String, Value)> {
    let (of_bert, of_nick) =
        if round.is_multiple_of(2) { ("acme/berlin/line-7", "bolt/north") } else { ("acme/berlin", "acme/berlin") };
    vec![
        set("managers/acme/bert", json!({"sphere": [of_bert]})),
        set("managers/nick", json!({"sphere": [of_nick]})),
        set("managers/acme/paul", json!({"sphere": ["acme/paris"], "privileges": ["managers"]})),
        (Method::DELETE, "managers/acme/paul".to_owned(), Value::Null),
    ]
}

fn places_of(round: u64) -> Vec<(Method, String, Value)> {
    let device = if round.is_multiple_of(2) { Some("acme/berlin") } else { None };
    let line = format!("places/acme/berlin/round-{round}");
    vec![
        set("places/acme/paris", json!({"display_name": format!("paris {round}")})),
        set("places/acme/berlin/line-7", json!({"display_name": format!("line {round}")})),
        set("devices/acme/SNspare/place", json!({"place": device})),
        set(&line, json!({})),
        (Method::DELETE, line, Value::Null),
    ]
}

fn groups(round: u64) -> Vec<(Method, String, Value)> {
    let org = if round.is_multiple_of(2) { "acme" } else { "bolt" };
    vec![set("groups/shift", json!({"members": ["mara"], "organizations": [org]}))]
}

/// Makes changes of a kind, one after the other until told to end.
async fn change(admin: Api, kind: Change, is_over: Arc<AtomicBool>, done: Arc<AtomicU64>) {
    for round in 0..u64::MAX {
        for (method, path, body) in kind(round) {
            if is_over.load(Ordering::Relaxed) {
                return;
            }
            let answer = ask(&admin, method, &path, Some(body)).await;
            // 202: not every lane judges by it yet.
            assert!([200, 201, 202].contains(&answer.status), "{path}: {answer:?}");
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Somebody who exports: what is theirs at some moment of the changes, and what is at all of them.
struct Reader {
    who: &'static str,
    by: Api,
    sometimes: &'static [&'static str],
    always: Option<&'static str>,
}

/// At which places there are records, as many of each.
const FILLED: [&str; 6] =
    ["acme/paris", "acme/berlin", "acme/berlin/line-7", "bolt/north", "bolt/south", "cask/harbour"];
/// How many.
const RECORDS: usize = 600;
/// How many exports somebody makes at most until enough was changed under one.
const EXPORTS: usize = 100;
/// So much is enough.
const CHANGES: u64 = 3;

/// Puts records of all spheres into the log, each beside another's.
async fn fill(stage: &Stage) {
    put(&stage.admin, "organizations/cask", json!({"proxy": true}), 201).await;
    for place in ["bolt/north", "bolt/south", "cask/harbour"] {
        put(&stage.admin, &format!("places/{place}"), json!({}), 201).await;
    }
    let log = jetstream::new(stage.log.clone());
    let mut sent = Vec::new();
    for number in 0..RECORDS {
        for place in FILLED {
            let org = place.split('/').next().unwrap();
            let verb = json!({"set_place": {"place": place, "display_name": format!("{place} {number}")}});
            let principal = json!({"kind": "provider", "name": "admin"});
            let id = format!("fill-{}-{number}", place.replace('/', "-"));
            let command = json!({"id": id, "principal": principal, "node": "n", "verb": verb});
            let subject = format!("in.{org}.cmd.set-place");
            sent.push(log.publish(subject, command.to_string().into()).await.unwrap());
        }
    }
    for acknowledged in sent {
        acknowledged.await.unwrap();
    }
    for (org, place) in [("acme", "acme-berlin-line-7"), ("bolt", "bolt-south"), ("cask", "cask-harbour")] {
        let last = format!("commands/fill-{place}-{}?organization={org}", RECORDS - 1);
        until("all are decided", async || (get(&stage.admin, &last).await.status == 200).then_some(())).await;
    }
}

/// The lines of an export that are of a place or below it.
fn count(places: &[String], top: &str) -> usize {
    places.iter().filter(|place| is_under(top, place)).count()
}

#[tokio::test]
async fn an_export_shows_no_line_of_another_sphere_while_everything_changes_under_it() {
    let stage = Stage::set().await;
    fill(&stage).await;
    let ann = stage.hire(&stage.admin, "acme/ann", &["acme"], &ALL).await;
    let bert = stage.hire(&ann, "acme/bert", &["acme/berlin"], &["managers"]).await;
    let zoe = stage.hire(&stage.admin, "bolt/zoe", &["bolt"], &ALL).await;
    // One of the provider's people who sees by groups alone, and one by its sphere.
    let mara = stage.hire(&stage.admin, "mara", &[], &[]).await;
    let nick = stage.hire(&stage.admin, "nick", &["acme/berlin"], &[]).await;
    for login in ["mara", "nick"] {
        put(&stage.admin, &format!("managers/{login}"), json!({"rights": {"audit": true}}), 200).await;
    }
    put(&stage.admin, "groups/shift", json!({"members": ["mara"], "organizations": ["acme"]}), 201).await;
    let readers = [
        Reader { who: "bert", by: bert, sometimes: &["acme/berlin"], always: Some("acme/berlin/line-7") },
        Reader { who: "mara", by: mara, sometimes: &["acme", "bolt"], always: None },
        Reader { who: "nick", by: nick, sometimes: &["acme/berlin", "bolt/north"], always: None },
        Reader { who: "zoe", by: zoe, sometimes: &["bolt"], always: Some("bolt") },
    ];

    let is_over = Arc::new(AtomicBool::new(false));
    let done: Vec<_> = KINDS.iter().map(|_| Arc::new(AtomicU64::new(0))).collect();
    let changing: Vec<_> = KINDS
        .into_iter()
        .zip(&done)
        .map(|(kind, done)| tokio::spawn(change(stage.admin.clone(), kind, Arc::clone(&is_over), Arc::clone(done))))
        .collect();
    let changes = || done.iter().map(|done| done.load(Ordering::Relaxed)).collect::<Vec<_>>();
    let mut under_some = vec![false; KINDS.len()];
    for Reader { who, by, sometimes, always } in &readers {
        for format in ["jsonl", "csv"] {
            let mut most = 0_u64;
            for _ in 0..EXPORTS {
                let before = changes();
                let text = by.text(&format!("/api/v1/audit/export?format={format}")).await.unwrap();
                let during: Vec<u64> = changes().iter().zip(&before).map(|(after, before)| after - before).collect();
                under_some.iter_mut().zip(&during).for_each(|(seen, count)| *seen |= *count > 0);
                most = most.max(during.iter().sum::<u64>());
                let places = places(format, &text);
                let foreign: Vec<_> =
                    places.iter().filter(|place| !sometimes.iter().any(|top| is_under(top, place))).collect();
                assert!(foreign.is_empty(), "{who}, {format}: {foreign:?}");
                // Nor is it named in what a line says.
                assert!(!text.contains("cask"), "{who}, {format}");
                if let Some(top) = always {
                    assert!(count(&places, top) >= RECORDS, "{who}, {format}: {} lines", places.len());
                }
                if most >= CHANGES {
                    break;
                }
            }
            assert!(most >= CHANGES, "{who}, {format}: too little has changed under an export");
        }
    }
    assert_eq!(under_some, [true; KINDS.len()], "people, places and groups have changed under exports");
    is_over.store(true, Ordering::Relaxed);
    for changing in changing {
        changing.await.unwrap();
    }
    rests(&stage, &readers).await;
    stage.end().await;
}

/// Once everything rests, everybody has what is theirs then, whole, and nothing of what was theirs before.
async fn rests(stage: &Stage, readers: &[Reader]) {
    for (path, body) in [
        ("managers/acme/bert", json!({"sphere": ["acme/berlin/line-7"]})),
        ("managers/nick", json!({"sphere": ["bolt/north"]})),
        ("groups/shift", json!({"members": ["mara"], "organizations": ["bolt"]})),
    ] {
        put(&stage.admin, path, body, 200).await;
    }
    for (Reader { who, by, .. }, (own, filled)) in
        readers.iter().zip([("acme/berlin/line-7", 1), ("bolt", 2), ("bolt/north", 1), ("bolt", 2)])
    {
        let text = by.text("/api/v1/audit/export").await.unwrap();
        let places = places("jsonl", &text);
        assert_eq!(count(&places, own), places.len(), "{who}");
        assert!(places.len() >= filled * RECORDS, "{who}: {} lines", places.len());
    }
}

/// At which places the lines of an export were decided.
fn places(format: &str, text: &str) -> Vec<String> {
    match format {
        "jsonl" => {
            let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            lines.map(|line| line["record"]["place"].as_str().unwrap().to_owned()).collect()
        }
        // Nothing before the eighth column has a comma.
        _ => text.lines().skip(1).map(|line| line.split(',').nth(7).unwrap().to_owned()).collect(),
    }
}

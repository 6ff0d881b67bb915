//! Uploads: in pieces, resumed where they were, refused by name, and told to nobody else.

use async_nats::ConnectOptions;
use linesman_domain::commands::{self, CommandRow};
use linesman_domain::table;
use linesman_domain::uploads::{self, KeptRow, SnapshotRow};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Case, Command, Verb};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::fixture::{COUNT_MOST, Fixture, LANES, at, problem, soon};
use crate::embedded::{self, Server};
use crate::log::mark;
use crate::log::objects::{Manifest, Objects, PIECE};
use crate::log::streams::{Layout, ensure, lane_of, last_of_lane, open};

/// A server with a log.
struct Log {
    client: async_nats::Client,
    _server: Server,
    _dir: tempfile::TempDir,
}

impl Log {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = embedded::start(embedded::Settings::new(dir.path())).await.unwrap();
        let login = server.engine_login();
        let login = ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone());
        let client = login.connect(server.address()).await.unwrap();
        let layout = Layout { lanes: LANES, out_age_s: 600, replicas: 1, consumers: Default::default() };
        ensure(&client, &layout).await.unwrap();
        open(&client, &layout).await.unwrap();
        Self { client, _server: server, _dir: dir }
    }

    /// A listener whose end customers `acme` and `bolt` have reported a case each.
    async fn listener(&self) -> Fixture {
        let partner = Fixture::on(self.client.clone()).await;
        partner.reported("acme", 1, 1, Vec::new());
        partner.reported("bolt", 1, 1, Vec::new());
        partner
    }

    /// The last command about a case that an organization's lane was given; what was refused early goes on record beside.
    async fn command(&self, org: &str) -> Command {
        let last = last_of_lane(&self.client, lane_of(org, LANES)).await.unwrap();
        for sequence in (1..=last).rev() {
            let Some((_, bytes)) = mark::input(&self.client, sequence).await.unwrap() else { continue };
            if let Ok(command @ Command { verb: Verb::Case(_), .. }) = serde_json::from_slice(&bytes) {
                return command;
            }
        }
        panic!("`{org}` was asked for nothing of a case");
    }
}

/// A lane has done what it was asked.
fn decide(partner: &Fixture, org: &str, command: &Command) {
    let row = CommandRow {
        verdict: Verdict::Done,
        is_new: false,
        detail: "kept".to_owned(),
        asked: linesman_domain::asked(&command.verb).unwrap(),
        decided: at(0),
    };
    let key = commands::key(Some(&org.parse().unwrap()), command.id.as_str()).into_bytes();
    partner.write(org, vec![(key, table::encode(&row).unwrap())]);
}

fn bytes(length: u64) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

fn announced(org: &str, bytes: &[u8]) -> Value {
    json!({
        "kind": "attachment", "receipt": format!("T-{org}-1"), "name": "rsi.txt", "size": bytes.len(),
        "sha256": hex::encode(Sha256::digest(bytes)),
    })
}

async fn patch(partner: &Fixture, who: &str, upload: &str, offset: u64, bytes: &[u8]) -> Response {
    let request = partner.request(who, Method::PATCH, &format!("uploads/{upload}"));
    let request = request.header("Upload-Offset", offset).header("Content-Type", "application/octet-stream");
    request.body(bytes.to_vec()).send().await.unwrap()
}

async fn view(answer: Response) -> (u16, Value) {
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_after_a_restart_in_the_middle() {
    let log = Log::new().await;
    let all = bytes(PIECE + 1000);
    let first = log.listener().await;
    let (status, begun) = view(first.post("acme", "uploads", "k-1", &announced("acme", &all)).await).await;
    let upload = begun["upload"].as_str().unwrap().to_owned();
    let expected = json!({"upload": upload, "offset": 0, "size": all.len(), "piece": PIECE, "complete": false});
    assert_eq!((status, &begun), (201, &expected));
    // Pieces of whatever length, across where the store's end.
    for (from, to) in [(0, 10), (10, 400_000)] {
        let (status, view) = view(patch(&first, "acme", &upload, from, &all[from as usize..to]).await).await;
        assert_eq!((status, &view["offset"]), (200, &json!(to)));
    }
    first.listening.shutdown().await;
    let second = log.listener().await;
    let (status, begun) = view(second.post("acme", "uploads", "k-1", &announced("acme", &all)).await).await;
    assert_eq!((status, &begun["offset"]), (200, &json!(400_000)));
    let answer = patch(&second, "acme", &upload, 10, &all[10..20]).await;
    assert_eq!(answer.status().as_u16(), 409);
    let told: Value = answer.json().await.unwrap();
    assert_eq!(
        (&told["offset"], &told["detail"]),
        (&json!(400_000), &json!("the upload goes on at 400000, and not at 10"))
    );
    let (_, view_of) = view(patch(&second, "acme", &upload, 400_000, &all[400_000..525_000]).await).await;
    assert_eq!(view_of["offset"], json!(525_000));
    // No lane decides here: what is whole waits for it, and is told so.
    let last = all.len() as u64;
    let answer = patch(&second, "acme", &upload, 525_000, &all[525_000..]).await;
    assert_eq!(answer.status().as_u16(), 503);
    let command = log.command("acme").await;
    let Verb::Case(Case::Keep(kept)) = &command.verb else { panic!("{command:?}") };
    assert_eq!((kept.stored.as_str(), kept.upload.size), (upload.as_str(), last));
    assert_eq!(kept.incident.as_ref().unwrap().to_string(), "acme-1");
    decide(&second, "acme", &command);
    let done = json!({"upload": upload, "offset": last, "size": last, "piece": PIECE, "complete": true});
    assert_eq!(view(second.get("acme", &format!("uploads/{upload}")).await).await, (200, done.clone()));
    assert_eq!(view(patch(&second, "acme", &upload, last, b"").await).await, (200, done.clone()), "as before");
    assert_eq!(view(second.post("acme", "uploads", "k-1", &announced("acme", &all)).await).await, (200, done));
    let answer = second.request("acme", Method::DELETE, &format!("uploads/{upload}")).send().await.unwrap();
    assert_eq!(problem(answer).await, (409, "the upload is complete".to_owned(), None));
    // What is kept is what was sent.
    let digest = hex::encode(Sha256::digest(&all));
    let objects = Objects::new(log.client.clone(), 1);
    let read = objects.read(&"acme".parse().unwrap(), &upload, (&digest, last));
    let read: Vec<_> = futures_util::TryStreamExt::try_collect(read).await.unwrap();
    assert!(read.concat() == all);
}

#[tokio::test]
async fn two_end_customers_with_the_same_bytes_learn_nothing_of_each_other() {
    let log = Log::new().await;
    let partner = log.listener().await;
    let all = bytes(1000);
    let begin = async |who: &str| view(partner.post(who, "uploads", "k-1", &announced(who, &all)).await).await;
    let (status, acme) = begin("acme").await;
    assert_eq!(status, 201);
    let upload = acme["upload"].as_str().unwrap().to_owned();
    patch(&partner, "acme", &upload, 0, &all).await;
    decide(&partner, "acme", &log.command("acme").await);
    let (status, bolt) = begin("bolt").await;
    assert_eq!(
        (status, &bolt["offset"], &bolt["complete"]),
        (201, &json!(0), &json!(false)),
        "by hash nothing is told"
    );
    assert_ne!(bolt["upload"], acme["upload"]);
    let nothing = (404, "there is no such upload".to_owned(), None);
    let zeros = "0".repeat(40);
    for named in [upload.as_str(), &zeros, "x.open"] {
        let path = format!("uploads/{named}");
        assert_eq!(problem(partner.get("bolt", &path).await).await, nothing, "{named}");
        assert_eq!(problem(patch(&partner, "bolt", named, 0, b"x").await).await, nothing, "{named}");
        let answer = partner.request("bolt", Method::DELETE, &path).send().await.unwrap();
        assert_eq!(problem(answer).await, nothing, "{named}");
    }
    let other = announced("acme", &all);
    let expected = (404, "there is no case of this transaction id".to_owned(), None);
    assert_eq!(problem(partner.post("bolt", "uploads", "k-2", &other).await).await, expected);
}

#[tokio::test]
async fn other_bytes_than_announced_are_dropped_and_may_come_anew() {
    let log = Log::new().await;
    let partner = log.listener().await;
    let all = bytes(1000);
    let (_, begun) = view(partner.post("acme", "uploads", "k-1", &announced("acme", &all)).await).await;
    let upload = begun["upload"].as_str().unwrap();
    let expected = "the bytes have another SHA-256 than was announced; they are dropped: begin anew";
    let answer = patch(&partner, "acme", upload, 0, &[7; 1000]).await;
    assert_eq!(problem(answer).await, (422, expected.to_owned(), Some("#/sha256".to_owned())));
    assert_eq!(partner.get("acme", &format!("uploads/{upload}")).await.status().as_u16(), 404);
    let (status, begun) = view(partner.post("acme", "uploads", "k-1", &announced("acme", &all)).await).await;
    assert_eq!((status, &begun["offset"]), (201, &json!(0)));
}

#[tokio::test]
async fn what_is_beyond_its_bounds_is_refused_by_name() {
    let log = Log::new().await;
    let partner = log.listener().await;
    let begin = async |key: &str, body: &Value| problem(partner.post("acme", "uploads", key, body).await).await;
    let mut large = announced("acme", &bytes(10));
    large["size"] = json!(2 * PIECE + 8);
    let detail = "`size` is 1048584, and an upload has at most 1048583 bytes".to_owned();
    assert_eq!(begin("k-1", &large).await, (413, detail, Some("#/size".to_owned())));
    let mut nameless = announced("acme", &bytes(10));
    nameless["name"] = json!("");
    assert_eq!(begin("k-1", &nameless).await, (422, "`name` is empty".to_owned(), Some("#/name".to_owned())));
    let small = announced("acme", &bytes(10));
    let (_, begun) = view(partner.post("acme", "uploads", "k-1", &small).await).await;
    let detail = "this `Idempotency-Key` was another upload's; a new one needs its own".to_owned();
    assert_eq!(begin("k-1", &announced("acme", &bytes(11))).await, (409, detail, None));
    let upload = begun["upload"].as_str().unwrap();
    let detail = "at most 10 bytes are taken here: a piece has 524288, and the upload 10 more".to_owned();
    assert_eq!(problem(patch(&partner, "acme", upload, 0, &bytes(11)).await).await, (413, detail, None));
    let detail = "there are no bytes to add".to_owned();
    assert_eq!(problem(patch(&partner, "acme", upload, 0, b"").await).await, (422, detail, None));
    let request = partner.request("acme", Method::PATCH, &format!("uploads/{upload}")).body("x");
    let detail = "`Upload-Offset` is missing, or given more than once".to_owned();
    assert_eq!(problem(request.send().await.unwrap()).await, (400, detail, Some("Upload-Offset".to_owned())));
    for number in 2..=8 {
        assert_eq!(partner.post("acme", "uploads", &format!("k-{number}"), &small).await.status().as_u16(), 201);
    }
    let detail = "8 uploads are incomplete: end one of them, or give it up".to_owned();
    assert_eq!(begin("k-9", &small).await, (429, detail, None));
    assert_eq!(partner.post("bolt", "uploads", "k-9", &announced("bolt", &bytes(10))).await.status().as_u16(), 201);
    let answer = partner.request("acme", Method::DELETE, &format!("uploads/{upload}")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 204);
    assert_eq!(partner.post("acme", "uploads", "k-9", &small).await.status().as_u16(), 201, "there is room again");
    let kept = table::encode(&KeptRow { objects: 1, bytes: 3 * PIECE - 5 }).unwrap();
    partner.write("acme", vec![(uploads::kept(&"acme".parse().unwrap()).into_bytes(), kept)]);
    let detail = "the partner keeps at most 1572864 bytes of an end customer, and has 1572859".to_owned();
    assert_eq!(begin("k-10", &small).await, (507, detail, None));
}

#[tokio::test]
async fn small_uploads_are_bounded_by_how_many_they_are_and_not_by_the_room_of_their_pieces() {
    let log = Log::new().await;
    let partner = log.listener().await;
    let org = "acme".parse().unwrap();
    let keep = |number: u64| {
        let row = SnapshotRow {
            name: "a.xml".to_owned(),
            media_type: None,
            host_name: String::new(),
            sha256: [0; 32],
            size: 5,
            came: at(0),
        };
        let key = uploads::snapshot(&org, &format!("SN{number}"));
        partner.write("acme", vec![(key.into_bytes(), table::encode(&row).unwrap())]);
    };
    (0..COUNT_MOST - 1).for_each(keep);
    let snapshot = |serial_number: &str, content: &[u8]| {
        let mut announced = announced("acme", content);
        announced["kind"] = json!("snapshot");
        announced["device"] = json!({ "serial_number": serial_number });
        announced.as_object_mut().unwrap().remove("receipt");
        announced
    };
    let begin = async |key: &str, announced: &Value| partner.post("acme", "uploads", key, announced).await;
    // A piece of each lies here, far more than would be kept if it were full.
    let objects = Objects::new(log.client.clone(), 1);
    for number in 0..10 {
        let request = serde_json::from_value(snapshot(&format!("SN{number}"), b"abcde")).unwrap();
        let name = format!("{number:040}");
        let manifest = Manifest { request, incident: None, offset: 0 };
        objects.begin(&org, &name, &manifest).await.unwrap();
        let found = objects.find(&org, &name).await.unwrap().unwrap();
        let added = objects.append(&org, &name, &found, b"abcde".to_vec().into()).await.unwrap();
        objects.finish(&org, &name, added).await.unwrap().unwrap();
    }
    let kept = table::encode(&KeptRow { objects: 10, bytes: 50 }).unwrap();
    partner.write("acme", vec![(uploads::kept(&org).into_bytes(), kept)]);
    assert_eq!(begin("k-1", &snapshot("SNa", b"abcdef")).await.status().as_u16(), 201);
    keep(COUNT_MOST);
    let detail =
        format!("the partner keeps at most {COUNT_MOST} uploads and snapshots of an end customer, and has them");
    assert_eq!(problem(begin("k-2", &snapshot("SNb", b"abcdef")).await).await, (507, detail, None));
    // A newer one of a device that is known grows nothing, and others have their own.
    assert_eq!(begin("k-3", &snapshot("SN1", b"abcdef")).await.status().as_u16(), 201);
    let other = partner.post("bolt", "uploads", "k-1", &snapshot("SN1", b"abcdef")).await;
    assert_eq!(other.status().as_u16(), 201);
}

/// An upload of `acme`'s that is whole, and that no lane has heard of.
async fn unheard(log: &Log, partner: &Fixture) -> (String, Objects) {
    let all = bytes(1000);
    let (_, begun) = view(partner.post("acme", "uploads", "k-1", &announced("acme", &all)).await).await;
    let upload = begun["upload"].as_str().unwrap().to_owned();
    assert_eq!(patch(partner, "acme", &upload, 0, &all).await.status().as_u16(), 503);
    (upload, Objects::new(log.client.clone(), 1))
}

#[tokio::test]
async fn what_a_lane_is_told_of_again_counts_as_changed_before() {
    let log = Log::new().await;
    let partner = log.listener().await;
    let (upload, objects) = unheard(&log, &partner).await;
    let org = "acme".parse().unwrap();
    let before = objects.find(&org, &upload).await.unwrap().unwrap();
    // Whoever looks after the store has found it old, and nothing named it; then it is told of again.
    assert_eq!(partner.get("acme", &format!("uploads/{upload}")).await.status().as_u16(), 503);
    assert!(!objects.remove_unchanged(&org, &upload, &before).await.unwrap(), "its bytes stay for who names them now");
    let now = objects.find(&org, &upload).await.unwrap().unwrap();
    assert!(now.is_done && now.revision > before.revision && now.changed >= before.changed);
    // What went first is not told of.
    assert!(objects.remove_unchanged(&org, &upload, &now).await.unwrap());
    assert!(!objects.touch(&org, &upload, &now).await.unwrap());
    let answer = partner.get("acme", &format!("uploads/{upload}")).await;
    assert_eq!(problem(answer).await, (404, "there is no such upload".to_owned(), None));
}

#[tokio::test]
async fn what_is_removed_by_is_read_at_the_leader() {
    let log = Log::new().await;
    let partner = log.listener().await;
    let api = "$JS.API.DIRECT.GET.KV_linesman-objects";
    let mut anywhere = log.client.subscribe(format!("{api}.>")).await.unwrap();
    log.client.flush().await.unwrap();
    let (upload, objects) = unheard(&log, &partner).await;
    let org = "acme".parse().unwrap();
    let found = objects.find(&org, &upload).await.unwrap().unwrap();
    let digest = found.manifest.request.sha256.clone();
    assert!(objects.remove_unchanged(&org, &upload, &found).await.unwrap());
    log.client.publish(format!("{api}.end"), "".into()).await.unwrap();
    let first = soon(futures_util::StreamExt::next(&mut anywhere)).await.unwrap();
    assert_eq!(first.subject.as_str(), format!("{api}.end"), "no replica is asked that may be behind");
    let read = objects.read(&org, &upload, (&digest, 1000));
    assert!(futures_util::TryStreamExt::try_collect::<Vec<_>>(read).await.is_err(), "it is gone");
}

//! The way out for what is not sent: an archive that a person carries, filtered as what is sent is, of whoever's it is alone.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;

use linesman_tests::{Api, Engine, OPEN_CASE, Upstream, World, event, information, run, until};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What whoever configured a device may not let out, in a text and in an attachment.
const ADDRESS: &str = "192.0.2.77";
const SECRET: &str = "$6$canaryofthe$secret0";
const CONFIGURED: &str = "canary-of-the-configuration";

/// A problem with an attachment that has all of it.
fn planted(host: &str) -> String {
    let attachment = format!(
        "<attachments><attachment name=\"{host}_rsi.txt\"><![CDATA[\nuser@edge> show log messages\n\
         Nov 21 10:15:02 edge rpd[1]: canary-of-the-log peer {ADDRESS} down\n\
         user@edge> show configuration | display set\nset protocols bgp group {CONFIGURED}\n\
         set system root-authentication encrypted-password \"{SECRET}\"\nuser@edge> show version\nModel: mx240\n]]>\
         </attachment></attachments>\n</jmb>"
    );
    event(host, 1, "WORK", "High").replace("</jmb>", &attachment)
}

/// The files of an archive, by path.
fn files(path: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(std::fs::File::open(path).unwrap());
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        assert!(files.insert(path, bytes).is_none(), "each once");
    }
    files
}

fn text(files: &BTreeMap<String, Vec<u8>>, path: &str) -> String {
    let bytes = files.get(path);
    assert!(bytes.is_some(), "no {path} in {:?}", files.keys());
    String::from_utf8(bytes.unwrap().clone()).unwrap()
}

async fn takes(engine: &Engine, organization: &str, bundle: String) {
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    log.publish(format!("in.{organization}.jmb.test"), bundle.into()).await.unwrap().await.unwrap();
    until("it is an incident", async || (engine.incidents(organization).await.ok()? == 1).then_some(())).await;
}

/// Somebody's export, in a file.
async fn exported(world: &World, organization: &str, more: &[&str]) -> Option<BTreeMap<String, Vec<u8>>> {
    let (data, out) = (world.data(), world.path("out.tar"));
    let mut args = vec!["case", "export", organization, "--out", out.to_str().unwrap()];
    let at = ["--data-dir", data.to_str().unwrap()];
    args.extend(if more.is_empty() { &at[..] } else { more });
    let ended = run(&args).await.unwrap();
    (ended.code == Some(0)).then(|| files(&out))
}

/// The paths of a manifest, each held against what lies there.
fn listed(files: &BTreeMap<String, Vec<u8>>) -> (Value, Vec<String>) {
    let manifest: Value = serde_json::from_str(&text(files, "manifest.json")).unwrap();
    let listed = manifest["files"].as_array().unwrap().iter().map(|file| {
        let path = file["path"].as_str().unwrap();
        let bytes = &files[path];
        assert_eq!(file["size"], bytes.len(), "{path}");
        assert_eq!(file["sha256"], hex::encode(Sha256::digest(bytes)), "{path}");
        path.to_owned()
    });
    let listed: Vec<_> = listed.collect();
    assert_eq!(listed.len() + 1, files.len(), "nothing is in it that is not listed: {:?}", files.keys());
    (manifest, listed)
}

async fn records(api: &Api, organization: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?organization={organization}&operation=export-cases");
    let page = api.ask(Method::GET, &path, None, None).await.unwrap();
    page.body["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn offline_cases_are_carried_out_filtered_and_nothing_is_sent() {
    let mut world = World::new().unwrap();
    world.mode = "offline";
    world.organization("acme", "Send all information with IP addresses overwritten");
    world.organization("bolt", "Send all information except configuration");
    world.policy("open", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    for organization in ["acme", "bolt", "dory"] {
        takes(&engine, organization, planted(&format!("{organization}-edge"))).await;
    }
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let snapshot = information("acme-edge", 2, &format!("canary-of-the-log peer {ADDRESS} up, {SECRET}"));
    log.publish("in.acme.jmb.test", snapshot.into()).await.unwrap().await.unwrap();
    let api = engine.api().unwrap();
    until("the snapshot is carried too", async || {
        let carried = exported(&world, "acme", &[]).await?;
        carried.keys().any(|path| path.starts_with("devices/")).then_some(())
    })
    .await;

    let acme = exported(&world, "acme", &[]).await.unwrap();
    let (manifest, paths) = listed(&acme);
    assert_eq!(paths, ["cases/acme-1/case.json", "cases/acme-1/files/0-acme-1.xml", "devices/1/snapshot.xml"]);
    assert_eq!(
        (&manifest["files"][1]["incident"], &manifest["files"][2]["kind"]),
        (&json!("acme-1"), &json!("snapshot"))
    );
    assert!(manifest["files"][2]["device"].is_string(), "{manifest}");
    assert!(text(&acme, &paths[2]).contains("canary-of-the-log"), "it is readable");
    assert_eq!(manifest["filter_level"], "Send all information with IP addresses overwritten");
    assert_eq!((&manifest["organization"], &manifest["withheld"]), (&json!("acme"), &json!([])));
    let case: Value = serde_json::from_str(&text(&acme, &paths[0])).unwrap();
    assert_eq!((&case["state"], &case["request"]["incident"]), (&json!("waiting"), &json!("acme-1")));
    assert_eq!(case["request"]["details"]["description"], "secret-of-acme-edge x.x.x.x");
    let bundle = text(&acme, &paths[1]);
    assert!(bundle.contains("canary-of-the-log") && bundle.contains(CONFIGURED), "{bundle}");

    let bolt = exported(&world, "bolt", &[]).await.unwrap();
    let bundle = text(&bolt, "cases/bolt-1/files/0-bolt-1.xml");
    assert!(bundle.contains(ADDRESS) && !bundle.contains(CONFIGURED), "{bundle}");
    for (held_back, archive) in [(ADDRESS, &acme), (SECRET, &acme), (SECRET, &bolt), (CONFIGURED, &bolt)] {
        for (path, bytes) in archive {
            assert!(!String::from_utf8_lossy(bytes).contains(held_back), "`{held_back}` is in {path}");
        }
    }

    // It takes the place of what is called so, and is written into nothing that this points to.
    let (out, elsewhere) = (world.path("out.tar"), world.path("elsewhere"));
    std::fs::write(&elsewhere, "theirs").unwrap();
    std::fs::remove_file(&out).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &out).unwrap();
    let dory = exported(&world, "dory", &[]).await.unwrap();
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "theirs");
    assert_eq!(std::fs::symlink_metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let (manifest, paths) = listed(&dory);
    assert!(paths.is_empty(), "nothing of it may leave: {paths:?}");
    let why = "the filter level is `Do not send`";
    let withheld = json!([{"incident": "dory-1", "why": why}, {"incident": "dory-1", "file": 0, "why": why}]);
    assert_eq!(manifest["withheld"], withheld);

    // On record is that it was asked for, each time.
    for organization in ["acme", "bolt", "dory"] {
        let records = records(&api, organization).await;
        assert!(records.len() == 1 || organization == "acme" && records.len() > 1, "{organization}: {records:?}");
        assert_eq!((&records[0]["actor"], &records[0]["outcome"]), (&json!("admin"), &json!("done")));
    }
    assert!(upstream.requests().await.unwrap().is_empty(), "nothing was sent");
    assert!(upstream.uploads().await.unwrap().is_empty(), "nothing was sent");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn whoever_exports_has_the_right_and_what_another_organization_has_does_not_exist() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    for organization in ["acme", "bolt"] {
        takes(&engine, organization, planted(&format!("{organization}-edge"))).await;
    }
    let api = engine.api().unwrap();
    let ask = async |method: Method, path: &str, body: Value| api.ask(method, path, None, Some(body)).await.unwrap();
    let body =
        json!({"sphere": ["acme"], "privileges": [], "rights": {"cases": true}, "password": "given horse battery"});
    assert_eq!(ask(Method::PUT, "/api/v1/managers/pat", body).await.status, 201);
    let begun = api.by("").post("/api/v1/session", json!({"login": "pat", "password": "given horse battery"})).await;
    let first = api.by(begun.unwrap().body["token"].as_str().unwrap());
    let changed = json!({"old": "given horse battery", "new": "chosen horse battery"});
    assert_eq!(first.ask(Method::PUT, "/api/v1/me/password", None, Some(changed)).await.unwrap().status, 200);
    let begun = api.by("").post("/api/v1/session", json!({"login": "pat", "password": "chosen horse battery"})).await;
    let token = begun.unwrap().body["token"].as_str().unwrap().to_owned();
    let pat = api.by(&token);

    // Of an incident without a case it is what would be said of one.
    let archive = pat.text("/api/v1/organizations/acme/export").await.unwrap();
    assert!(archive.contains("incidents/acme-1/incident.json") && archive.contains("manifest.json"), "{archive}");
    let hidden = pat.ask(Method::GET, "/api/v1/organizations/bolt/export", None, None).await.unwrap();
    let nothing = pat.ask(Method::GET, "/api/v1/organizations/nope/export", None, None).await.unwrap();
    assert_eq!((hidden.status, nothing.status), (404, 404));
    assert_eq!(hidden.body.to_string().replace("bolt", "nope"), nothing.body.to_string());

    let body = json!({"sphere": ["acme"], "privileges": [], "rights": {}});
    assert_eq!(ask(Method::PUT, "/api/v1/managers/pat", body).await.status, 200);
    let refused = pat.ask(Method::GET, "/api/v1/organizations/acme/export", None, None).await.unwrap();
    assert_eq!(
        (refused.status, refused.body["detail"].as_str()),
        (403, Some("`pat` has not the right `cases` on `acme`"))
    );
    assert_eq!(records(&api, "bolt").await.len(), 0);
    assert!(engine.stop().await.unwrap().success());
}

/// So many incidents of so many bytes are more than lies between whoever writes and whoever reads.
const MANY: u64 = 40;
const LARGE: usize = 700_000;

#[tokio::test]
async fn an_export_breaks_off_where_the_filter_level_changes_meanwhile() {
    let mut world = World::new().unwrap();
    world.organization("acme", "Send all information");
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    for number in 0..MANY {
        let attachment = format!(
            "<attachments><attachment name=\"a.txt\">{}</attachment></attachments>\n</jmb>",
            "canary of the log ".repeat(LARGE / 18)
        );
        let bundle = event("edge", number, "WORK", "High").replace("</jmb>", &attachment);
        log.publish("in.acme.jmb.test".to_owned(), bundle.into()).await.unwrap().await.unwrap();
    }
    until("they are incidents", async || (engine.incidents("acme").await.ok()? == MANY).then_some(())).await;
    let api = engine.api().unwrap();
    let head = api.ask(Method::HEAD, "/api/v1/organizations/acme/export", None, None).await.unwrap();
    assert_eq!((head.status, records(&api, "acme").await.len()), (200, 0), "nothing is handed out");

    let mut export = api.pieces("/api/v1/organizations/acme/export").await.unwrap();
    assert!(export.chunk().await.unwrap().is_some());
    let body = json!({"proxy": false, "filter_level": "Do not send"});
    let changed = api.ask(Method::PUT, "/api/v1/organizations/acme", None, Some(body)).await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.body);
    let (read, broke_off) = to_the_end(&mut export).await;
    assert!(broke_off, "it breaks off");
    assert!(read < MANY as usize * LARGE, "{read} bytes came");
    assert!(engine.stop().await.unwrap().success());
}

/// How many more bytes come, and whether they break off.
async fn to_the_end(export: &mut reqwest::Response) -> (usize, bool) {
    let mut read = 0;
    loop {
        match export.chunk().await {
            Ok(Some(piece)) => read += piece.len(),
            Ok(None) => return (read, false),
            Err(_) => return (read, true),
        }
    }
}

//! What was done is proved to whoever kept a checkpoint: with an engine, without one, and after its state was lost.

use std::path::Path;

use linesman::log::streams::lane_of;
use linesman_domain::audit::Hash;
use linesman_tests::{Api, Ended, Engine, Launch, Out, World, run, until};
use reqwest::Method;
use serde_json::{Value, json};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Checkpoint, check_record, check_tree, record_hash};

async fn ask(world: &World, args: &[&str]) -> Ended {
    let data = world.data();
    run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap()
}

/// What a command prints that is done without a remark.
async fn ok(world: &World, args: &[&str]) -> String {
    let ended = ask(world, args).await;
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{args:?}: {}", ended.stdout);
    ended.stdout
}

/// Keeps what a command prints in a file, whose name is returned.
async fn kept(world: &World, name: &str, args: &[&str]) -> String {
    let path = world.path(name);
    std::fs::write(&path, ok(world, args).await).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn change(engine: &Engine, rounds: usize) {
    let api = engine.api().unwrap();
    for round in 0..rounds {
        let path =
            if round % 2 == 0 { "/api/v1/organizations/acme/suspend" } else { "/api/v1/organizations/nobody/suspend" };
        api.post(path, json!({})).await.unwrap();
    }
}

/// `audit verify` of a file, without an engine: whether it is whole, and what was said.
async fn verify(export: &str, checkpoints: &[&str], key: Option<&str>) -> (bool, String) {
    let mut args = vec!["audit", "verify", export];
    checkpoints.iter().for_each(|checkpoint| args.extend(["--checkpoint", checkpoint]));
    args.extend(key.into_iter().flat_map(|key| ["--public-key", key]));
    let ended = run(&args).await.unwrap();
    (ended.code == Some(0), ended.stdout)
}

fn lines(path: &str) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_log_is_what_it_was_after_a_kill_and_a_lost_state() {
    let mut world = World::new().unwrap();
    world.configure("\n[audit]\ncheckpoint_s = 1\n");
    let mut engine = world.start(None).await.unwrap();
    let key = kept(&world, "key", &["audit", "key"]).await;
    change(&engine, 4).await;
    let first = kept(&world, "first", &["audit", "checkpoint", "acme"]).await;
    change(&engine, 4).await;
    let before = kept(&world, "before.jsonl", &["audit", "export", "--organization", "acme"]).await;
    let (is_whole, said) = verify(&before, &[&first], Some(&key)).await;
    assert!(is_whole && said.contains("agreed  2 checkpoints, signed with the key"), "{said}");
    // What the engine keeps by itself is what it gives later.
    let client = engine.nats_as_engine().await.unwrap();
    let checkpoint = until("a checkpoint is kept", async || {
        let out = Out::read(&client).await.unwrap();
        out.on("out.acme.audit.checkpoint").last().map(|event| event.data.clone())
    })
    .await;
    let size = checkpoint["size"].to_string();
    let hourly = kept(&world, "hourly", &["audit", "checkpoint", "acme", "--size", &size]).await;
    assert_eq!(std::fs::read_to_string(&hourly).unwrap(), checkpoint["note"].as_str().unwrap());
    let provider = kept(&world, "provider.jsonl", &["audit", "export", "--organization", "_provider"]).await;
    engine.kill().unwrap();
    engine.ended().await;
    world.delete_state().unwrap();

    let mut engine = world.start_with(None, Launch::default()).await.unwrap();
    let after = kept(&world, "after.jsonl", &["audit", "export", "--organization", "acme"]).await;
    assert_eq!(lines(&after), lines(&before), "the same tree, the same words, the same signature");
    let again = kept(&world, "provider-again.jsonl", &["audit", "export", "--organization", "_provider"]).await;
    assert_eq!(lines(&again)[1..], lines(&provider)[1..]);
    change(&engine, 2).await;
    let grown = kept(&world, "grown.jsonl", &["audit", "export", "--organization", "acme"]).await;
    let (is_whole, said) = verify(&grown, &[&first, &hourly], Some(&key)).await;
    assert!(is_whole && said.contains("agreed  3 checkpoints"), "{said}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn an_export_that_was_tampered_with_is_told_without_an_engine() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    change(&engine, 8).await;
    let key = kept(&world, "key", &["audit", "key"]).await;
    let checkpoint = kept(&world, "checkpoint", &["audit", "checkpoint", "acme"]).await;
    let path = world.path("acme.jsonl");
    let export = path.to_str().unwrap();
    ok(&world, &["audit", "export", "--organization", "acme", "--output", export]).await;
    assert!(engine.stop().await.unwrap().success());
    let whole = lines(export);
    let spoilt = async |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        std::fs::write(Path::new(export), lines.join("\n") + "\n").unwrap();
        let (is_whole, said) = verify(export, &[&checkpoint], Some(&key)).await;
        assert!(!is_whole, "{said}");
        said.lines().skip_while(|line| !line.starts_with("NOT")).nth(1).unwrap_or_default().trim().to_owned()
    };
    assert_eq!(
        spoilt(&|lines| lines[3] = lines[3].replacen("admin", "nobody", 1)).await,
        "record 2 was changed: it does not give its hash"
    );
    assert_eq!(spoilt(&|lines| drop(lines.remove(2))).await, "record 1 is missing");
    assert_eq!(spoilt(&|lines| lines.swap(2, 3)).await, "record 1 stands behind a later one");
    assert_eq!(spoilt(&|lines| lines.truncate(4)).await, format!("records 3 to {} are missing", whole.len() - 2));
    std::fs::write(Path::new(export), whole.join("\n") + "\n").unwrap();
    let (is_whole, said) = verify(export, &[&checkpoint], Some(&key)).await;
    assert!(is_whole, "{said}");
}

/// A checkpoint of a log, fetched from a running engine with the key and opened by `signed_note`.
async fn opened(api: &Api, log: &str) -> Checkpoint {
    let key = api.text(&format!("/api/v1/audit/key?log={log}")).await.unwrap();
    let note = api.text(&format!("/api/v1/audit/{log}/checkpoint")).await.unwrap();
    let verifier = StandardVerifier::new(key.trim_end()).unwrap();
    let note = Note::from_bytes(note.as_bytes()).unwrap();
    let (verified, unverified) =
        note.verify(&VerifierList::new(vec![Box::new(verifier) as Box<dyn Verifier>])).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0), "signed with the key, and by nobody else");
    Checkpoint::from_bytes(note.text()).unwrap()
}

/// The proof of an answer. That hashes are in hexadecimal is all that is read by us.
fn path(answer: &Value) -> Vec<tlog_tiles::Hash> {
    let hash = |text: &Value| tlog_tiles::Hash(text.as_str().unwrap().parse::<Hash>().unwrap().0);
    answer["path"].as_array().unwrap().iter().map(hash).collect()
}

/// Everything that a running engine proves is held against `signed_note` and `tlog_tiles`: nothing of ours is asked.
#[tokio::test]
async fn another_implementation_believes_what_a_running_engine_proves() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    for log in ["acme", "_provider"] {
        let mut checkpoints = vec![opened(&api, log).await];
        for round in 0..3 {
            change(&engine, 6).await;
            let group = format!("/api/v1/groups/of-{log}-{round}");
            let set = api.ask(Method::PUT, &group, None, Some(json!({"members": []}))).await.unwrap();
            assert!([201, 202].contains(&set.status), "{set:?}");
            checkpoints.push(opened(&api, log).await);
        }
        let newest = checkpoints.last().unwrap();
        let (size, root) = (newest.size(), *newest.hash());
        assert!(newest.origin().ends_with(&format!("/{log}")) && size > checkpoints[0].size(), "{}", newest.origin());
        for old in checkpoints.iter().filter(|old| old.size() > 0) {
            let query = format!("/api/v1/audit/{log}/proof?from={}&size={size}", old.size());
            let proof = path(&engine.get(&query).await.unwrap());
            check_tree(&proof, size, root, old.size(), *old.hash()).unwrap();
            check_tree(&proof, size, root, old.size(), tlog_tiles::Hash([7; 32])).unwrap_err();
        }
        let export = api.text(&format!("/api/v1/audit/export?organization={log}")).await.unwrap();
        // Of the provider's logs the first is that of the first lane.
        let lines = export.lines().skip(1).take(usize::try_from(size).unwrap());
        for (index, line) in (0..).zip(lines) {
            let record = line.split_once(",\"record\":").unwrap().1.rsplit_once(",\"detail\":").unwrap().0;
            let query = format!("/api/v1/audit/{log}/proof?index={index}&size={size}");
            let proof = path(&engine.get(&query).await.unwrap());
            check_record(&proof, size, root, index, record_hash(record.as_bytes())).unwrap();
            let other = record_hash(format!("{record} ").as_bytes());
            check_record(&proof, size, root, index, other).unwrap_err();
        }
    }
    assert!(engine.stop().await.unwrap().success());
}

/// The provider has a log on each lane; whoever looks, exports or proves has one view of them.
#[tokio::test]
async fn the_providers_logs_are_one_view() {
    let mut world = World::new().unwrap();
    world.lanes = 3;
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    // Of organizations that do not exist, on each lane.
    let nobody = |lane: u32| {
        let names = (0..).map(|number| format!("nobody-{number}"));
        names.into_iter().find(|name| lane_of(name, 3) == lane).unwrap()
    };
    for lane in [2, 0, 1] {
        let answer = api.post(&format!("/api/v1/organizations/{}/suspend", nobody(lane)), json!({})).await.unwrap();
        assert_eq!(answer.status, 404);
    }
    let listed = ok(&world, &["audit", "list", "--organization", "_provider", "--sort=time", "--json"]).await;
    let records: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = |record: &Value, field: &str| record[field].as_str().unwrap().to_owned();
    let of_lanes = ["_provider-2", "_provider", "_provider-1"];
    let suspended: Vec<_> = records.iter().filter(|record| record["operation"] == "suspend-organization").collect();
    assert_eq!(suspended.iter().map(|record| text(record, "organization")).collect::<Vec<_>>(), of_lanes);
    assert!(records.is_sorted_by_key(|record| text(record, "time")), "{listed}");
    let table = ok(&world, &["audit", "export", "--format", "csv", "--organization", "_provider"]).await;
    assert_eq!(table.lines().count(), records.len() + 1, "{table}");
    let found = engine.get("/api/v1/audit?organization=_provider&q=nobody").await.unwrap();
    assert_eq!(found["items"].as_array().unwrap().len(), 3, "{found}");

    let key = kept(&world, "key", &["audit", "key"]).await;
    let checkpoints = kept(&world, "checkpoints", &["audit", "checkpoint", "_provider"]).await;
    let export = kept(&world, "provider.jsonl", &["audit", "export", "--organization", "_provider"]).await;
    let (is_whole, said) = verify(&export, &[&checkpoints], Some(&key)).await;
    assert!(is_whole && said.matches("agreed  2 checkpoints, signed with the key\n").count() == 3, "{said}");
    for name in ["/_provider\n", "/_provider-1\n", "/_provider-2\n"] {
        assert!(said.contains(name), "{said}");
    }
    // In JSON each is a line, and holds the note itself.
    let told = ok(&world, &["audit", "checkpoint", "_provider", "--json"]).await;
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = told.iter().map(|one| one["organization"].as_str().unwrap()).collect();
    assert_eq!(names, ["_provider", "_provider-1", "_provider-2"]);
    let kept = std::fs::read_to_string(&checkpoints).unwrap();
    for one in &told {
        let (origin, size, note) = (one["origin"].as_str().unwrap(), &one["size"], one["note"].as_str().unwrap());
        assert!(note.starts_with(&format!("{origin}\n{size}\n")) && kept.contains(note), "{one}");
    }
    let shown: Value = serde_json::from_str(&ok(&world, &["audit", "key", "--json"]).await).unwrap();
    let text = std::fs::read_to_string(&key).unwrap();
    let expected = json!({"name": told[0]["origin"], "algorithm": "Ed25519", "public_key": text.trim_end()});
    assert_eq!(shown, expected);
    // Nor is one left out unseen.
    let whole = lines(&export);
    let last = whole.iter().rposition(|line| line.starts_with("{\"format\"")).unwrap();
    std::fs::write(&export, whole[..last].join("\n") + "\n").unwrap();
    let (is_whole, said) = verify(&export, &[&checkpoints], Some(&key)).await;
    assert!(!is_whole && said.contains("_provider-2` is missing\n"), "{said}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn who_did_what_is_looked_up_from_the_command_line() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    change(&engine, 2).await;
    let listed = ok(&world, &["audit", "list", "--organization", "acme", "--operation", "suspend-*"]).await;
    let row = listed.lines().nth(1).unwrap();
    for word in ["acme", "admin", "suspend-organization", "done"] {
        assert!(row.contains(word), "{listed}");
    }
    let json = ok(&world, &["audit", "list", "--q", "SUSPEND", "--json", "--sort=-time"]).await;
    let records: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records[0]["outcome"], "not-found");
    assert!(records[0]["organization"].as_str().unwrap().starts_with("_provider"), "{records:?}");
    let index = records[1]["index"].to_string();
    let shown = ok(&world, &["audit", "show", "acme", &index]).await;
    assert!(shown.contains("suspend-organization") && shown.contains("command"), "{shown}");
    let table = ok(&world, &["audit", "export", "--format", "csv", "--organization", "acme"]).await;
    assert!(table.starts_with("organization,index,time,actor,"), "{table}");
    let refused = ask(&world, &["audit", "show", "acme", "999"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("the log `acme` shows no record 999"), "{}", refused.stderr);
    assert!(engine.stop().await.unwrap().success());
}

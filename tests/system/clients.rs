//! The examples of `docs/subjects.md`, each in its language: a bundle published, its trigger heard.

use std::io::Write;
use std::path::{Path, PathBuf};

use linesman_schemas::event::Received;
use linesman_tests::{Engine, Out, Running, World, block, root, until};
use serde_json::Value;

const DOCUMENT: &str = "docs/subjects.md";

/// An example as a command: the program, and what comes before the example's own arguments.
struct Example {
    language: &'static str,
    program: PathBuf,
    script: Option<PathBuf>,
}

impl Example {
    fn start(&self, arguments: &[&str]) -> Running {
        let script = self.script.as_ref().map(|script| script.to_str().unwrap());
        let arguments: Vec<&str> = script.into_iter().chain(arguments.iter().copied()).collect();
        Running::start_program(&self.program, &arguments).unwrap()
    }

    /// Listens, publishes a bundle, and has its trigger printed by both subscribers.
    async fn carry(&self, engine: &Engine, folder: &Path) {
        let language = self.language;
        let host = format!("host-{language}");
        let file = folder.join(format!("{language}.xml"));
        let bundle = block(DOCUMENT, "xml", "<jmb").unwrap();
        std::fs::write(&file, bundle.replace("core-01", &host)).unwrap();
        let url = engine.ready().unwrap().nats.clone();
        let mut listener = self.start(&[&url, "listen", "acme"]);
        assert_eq!(listener.line().await.unwrap(), "listening");
        let mut publisher = self.start(&[&url, "publish", "acme", file.to_str().unwrap()]);
        let said = publisher.line().await.unwrap();
        assert!(said.strip_prefix("stored as ").is_some_and(|number| number.parse::<u64>().is_ok()), "{said}");
        assert_eq!(publisher.ended().await.unwrap(), Some(0));

        let mine = format!(" {host}-JN1234-20261120-101500-1");
        let is_mine =
            |line: &str| line.starts_with("linesman.trigger.incident.detected acme-") && line.ends_with(&mine);
        let heard = listener.line().await.unwrap();
        assert!(is_mine(&heard), "{language}: {heard}");
        // From the beginning: those of the other languages come first.
        let mut follower = self.start(&[&url, "follow", "acme", &format!("follow-{language}")]);
        while !is_mine(&follower.line().await.unwrap()) {}
        // What it has acknowledged does not come again.
        let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
        let out = jetstream.get_stream("OUT").await.unwrap();
        let consumer = format!("follow-{language}");
        until("all is acknowledged", async || {
            let info = out.consumer_info(&consumer).await.unwrap();
            (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
        })
        .await;
    }
}

/// Writes an example beside what it imports.
fn script(folder: &Path, language: &str, start: &str, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, block(DOCUMENT, language, start).unwrap()).unwrap();
    path
}

fn is_like(found: &Value, shown: &Value, path: &str) {
    match (found, shown) {
        (Value::Object(found), Value::Object(shown)) => {
            assert_eq!(found.keys().collect::<Vec<_>>(), shown.keys().collect::<Vec<_>>(), "{path}");
            for (key, shown) in shown {
                is_like(&found[key], shown, &format!("{path}/{key}"));
            }
        }
        _ if ["/id", "/time", "/data/detected"].contains(&path) => assert!(found.is_string(), "{path}: {found}"),
        _ => assert_eq!(found, shown, "{path}"),
    }
}

#[tokio::test]
async fn the_examples_publish_and_see_their_trigger() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let folder = tempfile::tempdir().unwrap();

    let shown = block(DOCUMENT, "rust", "//! A publisher").unwrap();
    let compiled = std::fs::read_to_string(root().join("tests/clients/client.rs")).unwrap();
    assert_eq!(shown, compiled, "the document shows another text than `tests/clients/client.rs`");
    let rust = Example { language: "rust", program: env!("CARGO_BIN_EXE_example-client").into(), script: None };
    rust.carry(&engine, folder.path()).await;

    let file = script(folder.path(), "python", "\"\"\"A publisher", "client.py");
    let program = root().join(".tools/venv/bin/python");
    Example { language: "python", program, script: Some(file) }.carry(&engine, folder.path()).await;

    // `make tools` leaves the packages out where nothing can run them.
    let packages = root().join(".tools/js");
    if packages.exists() {
        let beside = tempfile::tempdir_in(&packages).unwrap();
        let file = script(beside.path(), "javascript", "// A publisher", "client.mjs");
        Example { language: "javascript", program: "node".into(), script: Some(file) }
            .carry(&engine, folder.path())
            .await;
    } else {
        // Past the test runner, which keeps what a passing test prints.
        writeln!(std::io::stderr(), "SKIPPED: no Node.js: the JavaScript example of {DOCUMENT} was not run").unwrap();
    }
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_is_shown_goes_in_and_comes_out() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let client = engine.nats().await.unwrap();
    let jetstream = async_nats::jetstream::new(client.clone());
    let bundle = block(DOCUMENT, "xml", "<jmb").unwrap();
    let message = block(DOCUMENT, "json", "{\n  \"id\": \"PBN").unwrap();
    // Twice each: the second is recognised.
    for (subject, text) in [("in.acme.jmb.x", &bundle), ("in.acme.intel.x", &message)] {
        for _ in 0..2 {
            jetstream.publish(subject, text.clone().into()).await.unwrap().await.unwrap();
        }
    }
    jetstream.publish("in.acme.jmb.x", "no bundle".into()).await.unwrap().await.unwrap();
    let out = until("the last is decided", async || {
        let out = Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
        (out.on("out.acme.dead.bundle-undecodable").count() == 1).then_some(out)
    })
    .await;
    assert_eq!(out.on("out.acme.trigger.intelligence.received").count(), 1);
    let detected: Vec<&Received> = out.on("out.acme.trigger.incident.detected").collect();
    assert_eq!(detected.len(), 1);
    let shown: Value = serde_json::from_str(&block(DOCUMENT, "json", "{\n  \"specversion\"").unwrap()).unwrap();
    let mut found = serde_json::to_value(detected[0]).unwrap();
    found["datacontenttype"] = "application/json".into();
    is_like(&found, &shown, "");
    assert!(engine.stop().await.unwrap().success());
}

//! `linesman publish` says what happened: nothing is published that would be set aside, and with `--wait` it tells what became of
//! each message.

use linesman::log::streams::lane_of;
use linesman_tests::{Ended, LANES, Launch, Running, Server, World, event, information, run, until};
use serde_json::{Value, json};

struct Files<'a> {
    world: &'a World,
    data: String,
}

impl Files<'_> {
    /// A file with that in it, and its path.
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.world.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn publish(&self, org: &str, more: &[&str]) -> Ended {
        let at = ["--org", org, "--data-dir", &self.data];
        run(&[&["publish"], more, &at].concat()).await.unwrap()
    }
}

#[tokio::test]
async fn it_tells_what_becomes_of_each() {
    let mut world = World::new().unwrap();
    world.organization("acme", "Do not send");
    let mut engine = world.start(None).await.unwrap();
    let data = world.data().to_str().unwrap().to_owned();
    let files = Files { world: &world, data };
    let first = files.file("first.xml", event("edge-01", 1, "T", "Low").as_bytes());
    let latin = event("edge-01", 2, "T", "Low").replace("UTF-8", "latin1").replace(">junos<", ">X<");
    let (front, end) = latin.split_once(">X<").unwrap();
    let latin = files.file("latin.xml", &[front.as_bytes(), b">\xE9<", end.as_bytes()].concat());
    let snapshot = files.file("snapshot.xml", information("edge-01", 3, "text").as_bytes());
    let message = json!({"id": "T1", "kind": "alert", "title": "t", "issued": "2026-11-20T10:15:00Z"});
    let message = files.file("message.json", message.to_string().as_bytes());
    let junk = files.file("junk.xml", b"<jmb version=\"1.0\" type=\"event\">\n<manifest>");

    let ended = files.publish("acme", &[&first, &latin, &snapshot, &message, &first, "--wait"]).await;
    let told = [
        format!("{first}: incident acme-1"),
        format!("{latin}: incident acme-2"),
        format!("{snapshot}: a snapshot of the device SNedge-01"),
        format!("{message}: intelligence message T1"),
        format!("{first}: a repetition of incident acme-1"),
        "5 published for acme, 0 failed\n".to_owned(),
    ];
    assert_eq!((ended.code, ended.stdout, &*ended.stderr), (Some(0), told.join("\n"), ""));

    // What would be set aside is not published, and the rest is.
    let ended = files.publish("acme", &[&junk, &first]).await;
    assert_eq!((ended.code, &*ended.stdout), (Some(1), "1 published for acme, 1 failed\n"), "{ended:?}");
    let why = "is no bundle: the bundle ends inside `manifest` at line 2, column 11";
    assert_eq!(ended.stderr, format!("{junk}: {why}\n"));
    let ended = files.publish("acme", &[&junk, &first, "--unchecked", "--wait"]).await;
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(1), &*format!("{first}: a repetition of incident acme-1\n1 published for acme, 1 failed\n"),)
    );
    let letter = "a dead letter: bundle-undecodable: truncated: the bundle ends inside `manifest`";
    assert_eq!(ended.stderr, format!("{junk}: {letter}\n"));

    let ended = files.publish("acme", &[&junk, &first, "--unchecked", "--wait", "--json"]).await;
    assert_eq!((ended.code, &*ended.stderr), (Some(1), ""));
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["outcome"], &lines[0]["kind"]), (&json!("dead-letter"), &json!("jmb")), "{lines:?}");
    assert!(lines[0]["sequence"].as_u64() < lines[1]["sequence"].as_u64(), "{lines:?}");
    let second = (&lines[1]["file"], &lines[1]["outcome"], &lines[1]["incident"]);
    assert_eq!(second, (&json!(first), &json!("repetition"), &json!("acme-1")));
    assert_eq!(lines.len(), 2);
    let ended = files.publish("acme", &["no-such.xml", "--json"]).await;
    let line: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &line["outcome"], &line["sequence"]), (Some(1), &json!("failed"), &Value::Null));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn nothing_is_published_for_nobody() {
    let mut world = World::new().unwrap();
    world.organization("acme", "Do not send");
    let mut engine = world.start(None).await.unwrap();
    let data = world.data().to_str().unwrap().to_owned();
    let files = Files { world: &world, data };
    let first = files.file("first.xml", event("edge-01", 1, "T", "Low").as_bytes());
    let ended = files.publish("nobody", &[&first]).await;
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.contains("there is no organization `nobody`; nothing is published"), "{}", ended.stderr);
    let ended = files.publish("nobody", &[&first, "--unchecked", "--wait"]).await;
    assert_eq!((ended.code, &*ended.stdout), (Some(1), "0 published for nobody, 1 failed\n"));
    let letter = "a dead letter: unknown-organization: there is no organization `nobody`";
    assert_eq!(ended.stderr, format!("{first}: {letter}\n"));

    assert_eq!(run(&["org", "suspend", "acme", "--data-dir", &files.data]).await.unwrap().code, Some(0));
    let ended = files.publish("acme", &[&first]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("the organization `acme` is suspended"), "{}", ended.stderr);
    assert_eq!(run(&["org", "set", "acme", "--data-dir", &files.data]).await.unwrap().code, Some(0));

    // By the server alone it is not known who is there, which is said.
    let ready: Value = serde_json::from_slice(&std::fs::read(world.data().join("ready.json")).unwrap()).unwrap();
    let nats = ready["nats"].as_str().unwrap();
    let by_server = ["publish", &first, "--org", "acme", "--nats", nats];
    let ended = run(&by_server).await.unwrap();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "1 published for acme, 0 failed\n"));
    assert!(ended.stderr.starts_with("the engine was not asked whether it knows `acme`: "), "{}", ended.stderr);
    let ended = run(&[&by_server[..], &["--wait"]].concat()).await.unwrap();
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
    assert!(ended.stderr.contains("`--wait` asks the engine"), "{}", ended.stderr);
    let ended = run(&[&by_server[..], &["--within", "5s"]].concat()).await.unwrap();
    assert_eq!(ended.code, Some(2), "it is of no use without `--wait`");
    // By the API and a token both are known.
    let (api, token, ca) = (ready["api"].as_str().unwrap(), world.data().join("token"), ready["ca"].as_str().unwrap());
    let by_api = ["--api", api, "--token-file", token.to_str().unwrap(), "--ca", ca, "--wait"];
    let ended = run(&[&by_server[..], &by_api].concat()).await.unwrap();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    assert!(ended.stdout.ends_with("incident acme-1\n1 published for acme, 0 failed\n"), "{}", ended.stdout);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// What a crash point is met by.
fn sick(number: u64) -> String {
    event("edge-01", number, "SICK", "Low") + "<!-- undecidable -->\n"
}

/// Its lane hangs, the engine is killed and comes back at another port, its lane stands still.
#[tokio::test]
async fn what_is_not_decided_is_told_as_that_and_an_engine_that_is_away_is_waited_for() {
    let example = "listen: \"127.0.0.1:4222\"\nmax_payload: 8388608\n\
                   jetstream { store_dir: \"/var/lib/nats\", sync_interval: \"1s\" }\n";
    let server = Server::start(example, &[]).await.unwrap();
    let mut world = World::new().unwrap();
    world.configure(&format!("\n[nats]\nurl = \"{}\"\n", server.url("", "").replace(":@", "")));
    let data = world.data().to_str().unwrap().to_owned();
    let files = Files { world: &world, data: data.clone() };
    let hangs = Launch { crash_points: "decide::input=sleep(600000)", ..Launch::default() };
    let mut engine = world.start_with(None, hangs).await.unwrap();
    let (first, second) = (files.file("first.xml", sick(1).as_bytes()), files.file("second.xml", sick(2).as_bytes()));
    let ended = files.publish("acme", &[&first, "--wait", "--within", "1s"]).await;
    let told = "1 published for acme, 0 failed; 1 of them not decided yet\n";
    assert_eq!((ended.code, &*ended.stdout), (Some(1), told), "{ended:?}");
    assert_eq!(ended.stderr, format!("{first}: published, and not decided in that time\n"));

    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let args = ["publish", &second, "--org", "acme", "--wait", "--within", "5m", "--data-dir", &data];
    let mut publish = Running::start(&args).unwrap();
    until("the log has it", async || {
        let input = log.get_stream("IN").await.ok()?;
        let subject = format!("p.{}.acme.jmb", lane_of("acme", LANES));
        let last = input.get_last_raw_message_by_subject(&subject).await.ok()?;
        String::from_utf8_lossy(&last.payload).contains("<problem-synopsis>synopsis 2 of").then_some(())
    })
    .await;
    engine.kill().unwrap();
    drop(engine);
    assert_eq!(publish.remark().await.unwrap(), "the engine does not answer; waiting until it is back");
    let mut engine = world.start(None).await.unwrap();
    let back = publish.remark().await.unwrap();
    assert_eq!(back, format!("the engine is back, at {}", engine.ready().unwrap().api));
    assert_eq!(publish.line().await.unwrap(), format!("{second}: incident acme-2"));
    assert_eq!(publish.line().await.unwrap(), "1 published for acme, 0 failed");
    assert_eq!(publish.ended().await.unwrap(), Some(0));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    // The log is one of all starts: who looks for panics in it goes before there is one.
    drop(engine);

    let breaks = Launch { crash_points: "decide::input=1*panic", unwinds: true, ..Launch::default() };
    let mut engine = world.start_with(None, breaks).await.unwrap();
    let third = files.file("third.xml", sick(3).as_bytes());
    let ended = files.publish("acme", &[&third, "--wait", "--json"]).await;
    let line: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &line["outcome"]), (Some(1), &json!("undecided")), "{ended:?}");
    assert!(line["detail"].as_str().unwrap().starts_with("its lane stands still: "), "{line}");
    assert!(line["sequence"].is_u64(), "{line}");
    engine.terminate().await.unwrap();
}

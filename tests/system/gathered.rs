//! Data is gathered from devices without scripts: it comes home whole, as bundles that the schema takes, once; by the device's own
//! scripts where it has some.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use linesman_connectors::device::standin::server::{Account, Fault, Proof, Server, Setup};
use linesman_schemas::bundle::{self, Content};
use linesman_tests::{Api, Engine, Launch, World, event, root, run, until};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "correct horse battery";
const SUPPORT: &str = "request support information";
const INVENTORY: &str = "<chassis-inventory><chassis><name>Chassis</name><serial-number>JN0001</serial-number>\
    <chassis-module><name>FPC 0</name><part-number>750-1</part-number><serial-number>CAB1</serial-number></chassis-module>\
    </chassis></chassis-inventory>";

const ENGINES: &str = "<route-engine-information><route-engine><slot>0</slot><mastership-state>Master</mastership-state>\
    <model>RE-S-X6</model><serial-number>CAC1</serial-number></route-engine><route-engine><slot>1</slot>\
    <mastership-state>Backup</mastership-state></route-engine></route-engine-information>";

/// What the vendor's support wants of a device with a large configuration: 75,000 lines of it, and texts that are hard to carry.
fn support() -> String {
    let mut text = "show version\nHostname: standin ]]> <&> \u{1}\r\n".to_owned();
    for line in 0..75_000 {
        text += &format!("set interfaces ge-0/0/{} unit {line} description \"Größe {line}\"\n", line % 48);
    }
    text + "the end"
}

async fn device(world: &World, commands: &[(&str, &str)]) -> Server {
    device_at(world, "r1", commands).await
}

pub(crate) async fn device_at(world: &World, name: &str, commands: &[(&str, &str)]) -> Server {
    let folder = world.path(name);
    fs::create_dir_all(folder.join("var/tmp")).unwrap();
    let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
    let commands = commands.iter().map(|(command, told)| ((*command).to_owned(), (*told).to_owned())).collect();
    let rpcs = [("get-route-engine-information".to_owned(), ENGINES.to_owned())].into();
    Server::start(Setup { commands, rpcs, ..Setup::new(&folder, vec![account]) }).await.unwrap()
}

pub(crate) async fn put(api: &Api, path: &str, body: Value) {
    let answer = api.ask(Method::PUT, path, None, Some(body)).await.unwrap();
    assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
}

async fn add(api: &Api, server: &Server, more: Value) {
    add_as(api, "r1", server, more).await;
}

async fn add_as(api: &Api, name: &str, server: &Server, more: Value) {
    let port = server.address().port();
    let mut body = json!({
        "address": "127.0.0.1", "port": port, "netconf_port": port, "user": "linesman", "password": PASSWORD,
        "host_key": server.host_key().unwrap().to_string(), "directives": ["mx"],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    put(api, &format!("/api/v1/devices/acme/{name}?new=true"), body).await;
}

/// Waits until what was gathered of a kind is no more under way; what became of it.
async fn ended(engine: &Engine, kind: &str) -> Value {
    until(&format!("{kind} is gathered"), async || {
        let device = engine.get("/api/v1/devices/acme/r1").await.ok()?;
        let runs = device["reached"]["gathered"].as_array()?.clone();
        let run = runs.into_iter().find(|run| run["kind"] == kind)?;
        (run["state"] != "asked" && run["state"] != "running").then_some(run)
    })
    .await
}

/// The bundles in the log.
async fn bundles(engine: &Engine) -> Vec<String> {
    let client = engine.nats_as_engine().await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream("IN").await.unwrap();
    let (mut found, last) = (Vec::new(), stream.cached_info().state.last_sequence);
    for sequence in 1..=last {
        if let Ok(message) = stream.get_raw_message(sequence).await
            && message.subject.ends_with(".jmb")
        {
            found.push(String::from_utf8(message.payload.to_vec()).unwrap());
        }
    }
    found
}

/// The bundles in the object store, put together of their pieces.
async fn kept(engine: &Engine) -> Vec<String> {
    let client = engine.nats_as_engine().await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream("KV_linesman-objects").await.unwrap();
    let subjects = stream.info_with_subjects("$KV.linesman-objects.*.*.*").await.unwrap();
    let subjects: Vec<(String, usize)> = futures_util::TryStreamExt::try_collect(subjects).await.unwrap();
    let mut pieces = BTreeMap::new();
    for (subject, _) in subjects {
        let (upload, number) = subject.rsplit_once('.').unwrap();
        let Ok(number) = number.parse::<u64>() else { continue };
        let message = stream.get_last_raw_message_by_subject(&subject).await.unwrap();
        pieces.insert((upload.to_owned(), number), message.payload);
    }
    let mut whole = BTreeMap::<String, Vec<u8>>::new();
    for ((upload, _), piece) in pieces {
        whole.entry(upload).or_default().extend_from_slice(&piece);
    }
    whole.into_values().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

/// Holds bundles against the schema, by a tool that is not ours.
fn validate(world: &World, bundles: &[String]) {
    let folder: PathBuf = world.path("off-box");
    fs::create_dir_all(&folder).unwrap();
    for (at, bundle) in bundles.iter().enumerate() {
        fs::write(folder.join(format!("{at}.xml")), bundle).unwrap();
    }
    let python = root().join(".tools/venv/bin/python");
    let tool = Command::new(python)
        .args([root().join("tests/tools/validate_jmb.py"), root().join("schemas/jmb.xsd"), folder])
        .output()
        .unwrap();
    assert!(
        tool.status.success(),
        "{}{}",
        String::from_utf8_lossy(&tool.stdout),
        String::from_utf8_lossy(&tool.stderr)
    );
}

#[tokio::test]
async fn what_the_support_wants_of_a_large_configuration_comes_home_whole() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let support = support();
    let server = device(
        &world,
        &[
            ("show version", "Hostname: standin\n"),
            ("show chassis hardware detail | display xml", INVENTORY),
            (SUPPORT, &support),
        ],
    )
    .await;
    let commands = ["show version", "show chassis hardware detail | display xml", "show nothing", SUPPORT];
    put(&api, "/api/v1/directives-groups/acme/mx", json!({ "commands": commands })).await;
    add(&api, &server, json!({})).await;

    // It has sent nothing, and has no scripts as far as anybody knows: a snapshot is made of it.
    let run = ended(&engine, "information").await;
    assert_eq!((&run["state"], &run["failed"], &run["scheduled"]), (&json!("done"), &json!(1), &json!(true)), "{run}");
    let shown = until("the snapshot is known", async || {
        let device = engine.get("/api/v1/devices/acme/r1").await.ok()?;
        (device["snapshots"].as_array()?.len() == 1).then_some(device)
    })
    .await;
    assert_eq!(shown["snapshots"][0]["host_event_id"], run["host_event_id"]);
    assert_eq!((&shown["serial_number"], &shown["product"]), (&json!("JN0001"), &json!("mx240")), "{shown}");
    assert_eq!(shown["reached"]["off_box"], true);

    let data = world.data();
    let data = data.to_str().unwrap();
    let asked = ["device", "collect", "acme/r1", "--type", "event", "--synopsis", "packets are lost"];
    let printed = run_all(&[&asked[..], &["--priority", "high", "--data-dir", data]].concat()).await;
    let host_event_id = printed.trim();
    let incident = until("it is an incident", async || {
        engine.get("/api/v1/incidents?organization=acme").await.ok()?["items"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!(
        (&incident["host_event_id"], &incident["kind"]),
        (&json!(host_event_id), &json!("on-demand")),
        "{incident}"
    );
    assert_eq!((&incident["synopsis"], &incident["priority"]), (&json!("packets are lost"), &json!("High")));

    let bundles = bundles(&engine).await;
    assert_eq!(bundles.len(), 2);
    validate(&world, &bundles);
    for text in &bundles {
        let bundle = bundle::decode(text.as_bytes()).unwrap();
        assert!(bundle.is_off_box);
        has_engines(&bundle);
        let names: Vec<_> = bundle.attachments.iter().map(|part| part.name.clone().into_owned()).collect();
        assert!(names[0].ends_with("show_version.txt") && names[1].ends_with("_shd_xml.xml"), "{names:?}");
        assert!(names[3].ends_with("_rsi.txt"), "{names:?}");
        let states: Vec<_> = bundle.attachments.iter().map(|part| part.status.clone().unwrap()).collect();
        assert_eq!(states, ["ok", "ok", "failed", "ok"]);
        assert!(bundle.attachments[2].error.as_ref().unwrap().contains("unknown command"));
        let whole = bundle.with_contents(text.as_bytes()).unwrap();
        let Content::Text(told) = &whole.attachments[3].content else { panic!("no text") };
        assert!(
            told.trim_start() == support.replace('\u{1}', "\u{FFFD}"),
            "not whole: {} bytes of {}",
            told.len(),
            support.len()
        );
    }
    let audit = engine.get("/api/v1/audit?organization=acme").await.unwrap().to_string();
    assert!(audit.contains("collect-device") && audit.contains("set-directives-group"), "{audit}");
    assert!(fs::read_dir(world.data().join("gathering")).unwrap().next().is_none(), "files are left behind");
    assert!(engine.stop().await.unwrap().success());
}

/// The manifest names both routing engines, with what they said of themselves.
fn has_engines<P>(bundle: &bundle::Bundle<'_, P>) {
    let told = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
    let engines = bundle.manifest.device.routing_engines.iter();
    let engines = engines.map(|one| [&one.slot, &one.mastership, &one.model, &one.serial_number].map(told));
    let expected = [["0", "master", "RE-S-X6", "CAC1"], ["1", "backup", "", ""]];
    assert_eq!(engines.collect::<Vec<_>>(), expected);
}

async fn run_all(args: &[&str]) -> String {
    let ended = run(args).await.unwrap();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

#[tokio::test]
async fn a_device_without_netconf_is_asked_by_commands_and_one_that_breaks_off_is_asked_on() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let version = "Hostname: edge-01\nModel: mx480\nJunos: 22.2R1\n";
    let chassis = "Item             Version  Part number  Serial number     Description\nChassis   JN77AFC  MX480\n";
    let server =
        device(&world, &[("show version", version), ("show chassis hardware", chassis), ("show alarms", "none")]).await;
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show alarms"]})).await;
    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    add(&api, &server, json!({ "netconf_port": closed })).await;
    let run = ended(&engine, "information").await;
    assert_eq!((&run["state"], &run["failed"]), (&json!("done"), &json!(0)), "{run}");
    assert!(run["host_event_id"].as_str().unwrap().starts_with("edge-01-JN77AFC-"), "{run}");

    // Over NETCONF now: the session breaks off at a command, and the next one is asked on another.
    let port = server.address().port();
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show version", "show alarms"]})).await;
    put(&api, "/api/v1/devices/acme/r1", json!({"netconf_port": port, "password": PASSWORD})).await;
    server.script().add(Fault::CutBefore("command"));
    let answer =
        api.post("/api/v1/devices/acme/r1/gather", json!({"kind": "rma", "priority": "2 - High"})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let run = ended(&engine, "rma").await;
    assert_eq!((&run["state"], &run["failed"]), (&json!("done"), &json!(1)), "{run}");
    validate(&world, &bundles(&engine).await);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_cannot_be_gathered_says_why() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let server = device(&world, &[(SUPPORT, "little")]).await;
    add(&api, &server, json!({"directives": []})).await;
    let gather = async |body: Value| api.post("/api/v1/devices/acme/r1/gather", body).await.unwrap();
    let answer = gather(json!({"kind": "event"})).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body["detail"].as_str().unwrap().contains("names no directives group"), "{}", answer.body);
    assert_eq!(gather(json!({"kind": "information", "synopsis": "x"})).await.status, 422);
    for commands in [json!([]), json!(["show\nversion"]), json!([" "])] {
        let body = json!({ "commands": commands });
        let answer = api.ask(Method::PUT, "/api/v1/directives-groups/acme/mx", None, Some(body)).await.unwrap();
        assert_eq!(answer.status, 422, "{}", answer.body);
    }
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show nothing"]})).await;
    put(&api, "/api/v1/devices/acme/r1", json!({"directives": ["mx"]})).await;
    let run = ended(&engine, "information").await;
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["error"].as_str().unwrap().contains("`show nothing`"), "{run}");
    assert!(engine.log_tail().contains("data of a device was not gathered"), "{}", engine.log_tail());
    let answer = api.ask(Method::DELETE, "/api/v1/directives-groups/acme/mx", None, None).await.unwrap();
    assert_eq!(answer.status, 409, "{}", answer.body);

    // What is larger than a bundle may be is not cut off.
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": [SUPPORT]})).await;
    server.script().add(Fault::Huge("command", 65 * 1024 * 1024));
    assert_eq!(gather(json!({"kind": "event"})).await.status, 200);
    let run = ended(&engine, "event").await;
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["error"].as_str().unwrap().contains("which a bundle may have"), "{run}");
    assert!(bundles(&engine).await.is_empty());
    assert_eq!(engine.incidents("acme").await.unwrap(), 0);
    let unknown = api.post("/api/v1/devices/acme/r9/gather", json!({"kind": "event"})).await.unwrap();
    assert_eq!(unknown.status, 404);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_policy_has_data_gathered_of_the_device_of_an_incident() {
    let world = World::new().unwrap();
    let text = "policy(#{ on: \"incident.detected\", where: #{ event_type: \"WORK\" } });\n\
                fn react(incident, org) { collect(#{ kind: \"event\", synopsis: \"more of it\" }); }";
    world.policy("more", text).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    // What it does not say of itself its bundles have said.
    let one = crate::collecting::Device::start_so(&world, "r1", |setup| {
        (setup.facts.model, setup.facts.version) = (String::new(), String::new());
        setup.commands = BTreeMap::from([(SUPPORT.to_owned(), "little".to_owned())]);
    })
    .await;
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": [SUPPORT]})).await;
    one.leaves("a.xml", &linesman_tests::event("edge-01", 1, "WORK", "Low"));
    add(&api, &one.server, json!({"serial_number": "SNedge-01"})).await;
    let run = ended(&engine, "event").await;
    assert_eq!(run["state"], "done", "{run}");
    until("its bundle is an incident", async || {
        let list = engine.get("/api/v1/incidents?organization=acme").await.ok()?;
        list["items"].as_array()?.iter().find(|item| item["synopsis"] == "more of it").cloned()
    })
    .await;
    // What was gathered asks for no more.
    assert_eq!(engine.incidents("acme").await.unwrap(), 2);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn an_engine_that_is_killed_while_it_gathers_brings_each_bundle_once() {
    let world = World::new().unwrap();
    let server = device(&world, &[("show version", "Hostname: standin\n")]).await;
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show version"]})).await;
    add(&api, &server, json!({})).await;
    ended(&engine, "information").await;
    assert!(engine.stop().await.unwrap().success());
    // It is asked for once; what is under way is begun anew with each start, and killed again.
    let steps = ["reach::before-publish-gathered", "reach::before-gathered"];
    for (round, step) in steps.into_iter().enumerate() {
        let point = format!("{step}=panic");
        let mut engine = world.spawn(None, Launch { crash_points: &point, ..Launch::default() }).unwrap();
        // It may come to be ready before, or not.
        let is_ready = engine.wait_ready().await.is_ok();
        if round == 0 {
            assert!(is_ready);
            let _ = engine.api().unwrap().post("/api/v1/devices/acme/r1/gather", json!({"kind": "event"})).await;
        }
        engine.ended().await;
    }
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(ended(&engine, "event").await["state"], "done");
    let bundles = bundles(&engine).await;
    assert_eq!(bundles.len(), 2, "{bundles:?}");
    assert_eq!(engine.incidents("acme").await.unwrap(), 1);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_is_larger_than_a_message_of_the_log_comes_home_too() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let large = "a line of what is told\n".repeat(450_000);
    let server = device(&world, &[(SUPPORT, &large)]).await;
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": [SUPPORT]})).await;
    add(&api, &server, json!({})).await;
    let run = ended(&engine, "information").await;
    assert_eq!(run["state"], "done", "{run}");
    let answer = api.post("/api/v1/devices/acme/r1/gather", json!({"kind": "event"})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let run = ended(&engine, "event").await;
    assert_eq!((&run["state"], &run["failed"]), (&json!("done"), &json!(0)), "{run}");
    let incident = until("it is an incident", async || {
        engine.get("/api/v1/incidents?organization=acme").await.ok()?["items"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!(incident["host_event_id"], run["host_event_id"]);
    let shown = engine.get(&format!("/api/v1/incidents/{}", incident["id"].as_str().unwrap())).await.unwrap();
    assert!(shown["bundle"]["length"].as_u64().unwrap() > large.len() as u64, "{shown}");
    assert!(bundles(&engine).await.is_empty(), "the log has what is decided by");
    let kept = kept(&engine).await;
    assert_eq!(kept.len(), 2);
    validate(&world, &kept);
    let device = engine.get("/api/v1/devices/acme/r1").await.unwrap();
    assert_eq!((device["snapshots"].as_array().unwrap().len(), &device["reached"]["off_box"]), (1, &json!(true)));
    assert!(engine.stop().await.unwrap().success());
}

/// How often the device was asked for what its commands tell.
pub(crate) fn commands(server: &Server) -> usize {
    server.done().iter().filter(|done| done.starts_with("command")).count()
}

#[tokio::test]
async fn what_the_log_does_not_take_is_brought_again_and_the_device_is_not_asked_again() {
    let world = World::new().unwrap();
    let launch = Launch { crash_points: "reach::before-publish-gathered=1*return->off", ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let api = engine.api().unwrap();
    let server = device(&world, &[("show version", "Hostname: standin\n")]).await;
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show version"]})).await;
    add(&api, &server, json!({})).await;
    let run = ended(&engine, "information").await;
    assert_eq!(run["state"], "done", "{run}");
    engine.tells("waits for the log").await;
    assert_eq!((bundles(&engine).await.len(), commands(&server)), (1, 1), "{:?}", server.done());
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_gathering_that_breaks_off_here_ends_no_other() {
    let world = World::new().unwrap();
    let crash_points = "reach::before-publish-gathered=1*panic->off";
    let mut engine = world.start_with(None, Launch { crash_points, unwinds: true, ..Launch::default() }).await.unwrap();
    let api = engine.api().unwrap();
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show version"]})).await;
    // One device is slow to answer while what is gathered from another breaks off.
    let slow = device_at(&world, "r2", &[("show version", "Hostname: standin\n")]).await;
    slow.script().add(Fault::Silent("command"));
    add_as(&api, "r2", &slow, json!({})).await;
    until("it is asked", async || (commands(&slow) == 1).then_some(())).await;
    let server = device(&world, &[("show version", "Hostname: standin\n")]).await;
    add(&api, &server, json!({})).await;
    let words = "what gathers data from a device broke off";
    until("one breaks off", async || engine.log().contains(words).then_some(())).await;
    // The connection of before may be closed for want of use.
    let api = engine.api().unwrap();
    let answer = api.post("/api/v1/devices/acme/r1/gather", json!({"kind": "event"})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(ended(&engine, "event").await["state"], "done");
    let other = engine.get("/api/v1/devices/acme/r2").await.unwrap();
    assert_eq!((&other["reached"]["gathered"][0]["state"], commands(&slow)), (&json!("running"), 1), "{other}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn what_bundles_of_a_device_have_told_is_taken_where_it_does_not_say_it() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let root = world.path("r1");
    fs::create_dir_all(root.join("var/tmp")).unwrap();
    let account = Account { user: "linesman".to_owned(), proof: Proof::Password(PASSWORD.to_owned()) };
    let commands = BTreeMap::from([("show version".to_owned(), "Hostname: standin\n".to_owned())]);
    let mut setup = Setup { commands, ..Setup::new(&root, vec![account]) };
    (setup.facts.model, setup.facts.version) = (String::new(), String::new());
    let serial = setup.facts.serial_number.clone();
    let server = Server::start(setup).await.unwrap();
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show version", "show nothing"]})).await;
    add(&api, &server, json!({})).await;
    let run = ended(&engine, "information").await;
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["error"].as_str().unwrap().contains("does not say its model and version"), "{run}");

    let told = event("standin", 1, "WORK", "Low");
    let told = told.replace("<serial-number>SNstandin<", &format!("<serial-number>{serial}<"));
    fs::write(root.join("var/tmp/a.xml"), told).unwrap();
    until("its bundle is there", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    let answer = api.post("/api/v1/devices/acme/r1/gather", json!({"kind": "information"})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let run = until("it is gathered anew", async || {
        let run = ended(&engine, "information").await;
        (run["number"] != 1).then_some(run)
    })
    .await;
    assert_eq!((&run["state"], &run["failed"]), (&json!("done"), &json!(1)), "{run}");
    assert!(run["failures"][0].as_str().unwrap().starts_with("`show nothing`: "), "{run}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_device_that_says_nothing_of_itself_is_who_its_bundles_say() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    let one = crate::collecting::Device::start_so(&world, "r1", |setup| {
        (setup.facts.model, setup.facts.version) = (String::new(), String::new());
        (setup.facts.serial_number, setup.facts.host_name) = (String::new(), String::new());
        setup.commands = BTreeMap::from([(SUPPORT.to_owned(), "little".to_owned())]);
    })
    .await;
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": [SUPPORT]})).await;
    one.leaves("a.xml", &event("r1", 1, "WORK", "Low"));
    add(&api, &one.server, json!({"directives": []})).await;
    until("its bundle is there", async || (engine.incidents("acme").await.ok()? == 1).then_some(())).await;
    put(&api, "/api/v1/devices/acme/r1", json!({"directives": ["mx"]})).await;
    let run = ended(&engine, "information").await;
    assert_eq!(run["state"], "done", "{run}");
    assert!(run["host_event_id"].as_str().unwrap().contains("-SNr1-"), "{run}");
    assert!(engine.stop().await.unwrap().success());
}

/// What is asked of a device ends at once where it is reached otherwise, or no more, since; nothing of it is believed.
#[tokio::test]
async fn whoever_is_not_to_be_asked_any_more_is_asked_nothing_and_believed_nothing() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    put(&api, "/api/v1/directives-groups/acme/mx", json!({"commands": ["show version", "show alarms"]})).await;
    let begin = async |name: &str| {
        let server = device_at(&world, name, &[("show version", "Hostname: standin\n"), ("show alarms", "none")]).await;
        server.script().add(Fault::Silent("command"));
        add_as(&api, name, &server, json!({})).await;
        until("it is asked", async || (commands(&server) == 1).then_some(())).await;
        server
    };
    let failed = async |name: &str, why: &str| {
        let path = format!("/api/v1/devices/acme/{name}");
        until(&format!("{name} is asked no more, since {why}"), async || {
            let device = engine.get(&path).await.ok()?;
            let run = device["reached"]["gathered"].as_array()?.first()?.clone();
            (run["state"] == "failed" && run["error"].as_str()?.contains(why)).then_some(())
        })
        .await;
    };

    let turned = begin("r1").await;
    let other = device(&world, &[]).await;
    let key = other.host_key().unwrap().to_string();
    put(&api, "/api/v1/devices/acme/r1/host-key", json!({"host_key": key})).await;
    failed("r1", "it is reached otherwise").await;

    let moved = begin("r2").await;
    let gone = api.ask(Method::DELETE, "/api/v1/devices/acme/r2", None, None).await.unwrap();
    assert_eq!(gone.status, 200, "{}", gone.body);
    engine.tells("it is reached no more").await;

    let suspended = begin("r3").await;
    let answer = api.post("/api/v1/organizations/acme/suspend", json!({})).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    failed("r3", "its organization is suspended").await;

    for server in [turned, moved, suspended] {
        assert_eq!(commands(&server), 1, "{:?}", server.done());
    }
    assert!(bundles(&engine).await.is_empty());
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

//! Policies change while the engine runs: what is good takes effect, what is broken is refused loudly
//! and what was good last stays, and nothing is lost or judged twice.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use async_nats::Client;
use linesman::log::books::{Books, pack};
use linesman::log::streams::lane_of;
use linesman_tests::{Engine, Event, LANES, Launch, Load, Out, World, run, until};
use serde_json::{Value, json};

/// How often a policy is changed under load, and at which change the engine is killed.
const CHANGES: u64 = 6;
const KILLED_AT: u64 = 3;
/// Policies of a checkout.
const MANY: u64 = 300;
/// A pause that leaves a file in the making unsettled for sure.
const STILL: Duration = Duration::from_millis(200);
/// How often a file is written in pieces at most.
const ROUNDS: u64 = 10;

/// The longest that is published for a change.
const PATIENCE: Duration = Duration::from_secs(90);

const BROKEN: &str = "policy(#{ on: \"incident.detectd\" });\nfn react(incident, org) { }\n";

/// A policy that says which of its texts has judged.
pub(crate) fn policy(number: u64) -> String {
    format!(
        "policy(#{{ on: \"incident.detected\" }});\n\
         fn react(incident, org) {{ publish(\"seen\", #{{ id: incident.id, by: {number} }}); }}\n"
    )
}

pub(crate) async fn policies(engine: &Engine) -> Value {
    engine.get("/readyz").await.unwrap()["policies"].clone()
}

pub(crate) async fn wait_for_version(engine: &Engine, version: u64) -> Value {
    until("the rule book is in effect", async || {
        let policies = policies(engine).await;
        (policies["rule_book"].as_u64().unwrap() >= version).then_some(policies)
    })
    .await
}

async fn wait_for_refused(engine: &Engine, count: u64) -> Value {
    until("so many are refused", async || {
        let policies = policies(engine).await;
        (policies["refused"] == count).then_some(policies)
    })
    .await
}

pub(crate) async fn publish(load: &mut Load, engine: &Engine, org: &'static str) {
    load.add(org, 1);
    load.publish_all(&engine.nats().await.unwrap()).await;
    load.wait_for_incidents(engine).await.unwrap();
}

/// Publishes on and on until `look` finds something.
async fn publish_until<T>(load: &mut Load, client: &Client, look: impl AsyncFn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        for org in ["acme", "bolt"] {
            load.add(org, 5);
        }
        load.publish(client, usize::MAX).await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "published in vain");
    }
}

async fn out(engine: &Engine) -> Out {
    Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap()
}

/// By which texts an organization's incidents were judged, in the order of the log.
pub(crate) fn judged_by(out: &Out, org: &str) -> Vec<u64> {
    let subject = format!("out.{org}.reaction.seen");
    out.on(&subject).map(|event| event.data["action"]["by"].as_u64().unwrap()).collect()
}

/// What the engine's log says of the rule books it has sent.
fn rule_books(engine: &Engine) -> Vec<Value> {
    let log = engine.log();
    let lines = log.lines().filter(|line| line.contains("a rule book enters the log"));
    lines.map(|line| serde_json::from_str::<Value>(line).unwrap()["fields"].clone()).collect()
}

fn refusals(out: &Out) -> Vec<&Event> {
    out.0.iter().filter(|event| event.subject.ends_with(".trigger.policy.refused")).collect()
}

pub(crate) async fn metric(engine: &Engine, name: &str) -> String {
    let text = engine.get_text("/metrics").await.unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_added_changed_or_removed_takes_effect() {
    let world = World::new().unwrap();
    let launch = Launch { flags: &["--allow-empty"], ..Launch::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    world.policy("seen", &policy(1)).unwrap();
    wait_for_version(&engine, 2).await;
    publish(&mut load, &engine, "acme").await;
    // As editors write: another file takes its place, of the same length.
    fs::write(world.rules().join(".seen.swp"), policy(2)).unwrap();
    fs::rename(world.rules().join(".seen.swp"), world.rules().join("seen.rhai")).unwrap();
    wait_for_version(&engine, 3).await;
    publish(&mut load, &engine, "acme").await;
    fs::remove_file(world.rules().join("seen.rhai")).unwrap();
    wait_for_version(&engine, 4).await;
    publish(&mut load, &engine, "acme").await;
    world.policy("acme/seen", &policy(3)).unwrap();
    wait_for_version(&engine, 5).await;
    publish(&mut load, &engine, "acme").await;
    publish(&mut load, &engine, "bolt").await;
    let out = out(&engine).await;
    assert_eq!(judged_by(&out, "acme"), [1, 2, 3]);
    assert!(judged_by(&out, "bolt").is_empty());
    assert_eq!(metric(&engine, "linesman_rule_book_version").await, "5");
    load.check(&out).unwrap();
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn links_that_are_led_elsewhere_are_a_change() {
    let world = World::new().unwrap();
    for (folder, number) in [("..one", 1), ("..two", 2)] {
        fs::create_dir(world.rules().join(folder)).unwrap();
        fs::write(world.rules().join(folder).join("seen.rhai"), policy(number)).unwrap();
    }
    std::os::unix::fs::symlink("..one", world.rules().join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/seen.rhai", world.rules().join("seen.rhai")).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    std::os::unix::fs::symlink("..two", world.rules().join("..next")).unwrap();
    fs::rename(world.rules().join("..next"), world.rules().join("..data")).unwrap();
    wait_for_version(&engine, 2).await;
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&out(&engine).await, "acme"), [1, 2]);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn what_is_broken_is_refused_loudly_and_what_was_good_last_stays() {
    let world = World::new().unwrap();
    world.policy("acme/seen", &policy(1)).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    world.policy("acme/seen", BROKEN).unwrap();
    let status = wait_for_refused(&engine, 1).await;
    let mut refused = json!({
        "path": "acme/seen.rhai", "line": 1, "column": 15,
        "message": "unknown trigger `incident.detectd`", "help": "did you mean `incident.detected`?",
        "hash": status["files"][0]["hash"], "stays": "acme/seen",
    });
    assert_eq!(status["files"], json!([refused]));
    assert_eq!(engine.get("/readyz").await.unwrap()["ready"], true);
    wait_for_version(&engine, 2).await;
    publish(&mut load, &engine, "acme").await;
    assert_eq!(metric(&engine, "linesman_refused_policies").await, "1");
    assert_eq!(metric(&engine, "linesman_policies_refused_total").await, "1");
    let place = format!("{}:1:15", world.rules().join("acme/seen.rhai").display());
    let lines = |engine: &Engine| engine.log().lines().filter(|line| line.contains(&place)).count();
    engine.tells(&place).await;
    assert_eq!(lines(&engine), 1, "{}", engine.log_tail());
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());

    // The next engine has it from the log, and tells of the file as it finds it.
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(wait_for_refused(&engine, 1).await["files"], json!([refused]));
    publish(&mut load, &engine, "acme").await;
    let said = out(&engine).await;
    assert_eq!(judged_by(&said, "acme"), [1, 1]);
    let told = refusals(&said);
    refused["owner"] = json!("acme");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&*told[0].subject, &told[0].event.data), ("out.acme.trigger.policy.refused", &refused));
    assert_eq!(
        (&*told[0].event.kind, &*told[0].event.source),
        ("linesman.trigger.policy.refused", "/organizations/acme")
    );

    world.policy("acme/seen", &policy(2)).unwrap();
    wait_for_refused(&engine, 0).await;
    wait_for_version(&engine, 3).await;
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&out(&engine).await, "acme"), [1, 1, 2]);
    assert_eq!(metric(&engine, "linesman_refused_policies").await, "0");
    engine.tells("a policy is refused no longer").await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn whom_a_refused_policy_does_not_concern_hears_nothing_of_it() {
    let world = World::new().unwrap();
    // At the start it is the same as later.
    world.policy("acme/own", BROKEN).unwrap();
    let mut engine = world.start(None).await.unwrap();
    world.policy("shared", BROKEN).unwrap();
    wait_for_refused(&engine, 2).await;
    let out = until("both are told", async || {
        let out = out(&engine).await;
        (refusals(&out).len() == 2).then_some(out)
    })
    .await;
    for event in refusals(&out) {
        let data = &event.event.data;
        match &*event.subject {
            "out.acme.trigger.policy.refused" => assert_eq!(data["path"], "acme/own.rhai"),
            "out._provider.trigger.policy.refused" => {
                assert_eq!((&data["path"], data.get("owner")), (&json!("shared.rhai"), None))
            }
            other => panic!("{other}"),
        }
        assert_eq!(data.get("stays"), None);
    }
    let anybody = linesman_connectors::tls::http_client(Some(&engine.ready().unwrap().ca)).unwrap().build().unwrap();
    let answer = anybody.get(format!("{}/readyz", engine.ready().unwrap().api)).send().await.unwrap();
    assert!(!answer.text().await.unwrap().contains("acme"));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_holds_up_nobody_else() {
    use std::os::unix::fs::symlink;
    let world = World::new().unwrap();
    world.policy("acme/seen", &policy(1)).unwrap();
    world.policy("bolt/seen", &policy(1)).unwrap();
    let mut engine = world.start(None).await.unwrap();
    // acme's folder leads to itself; so does what nobody has put there for the engine, and an entry in bolt's.
    fs::rename(world.rules().join("acme"), world.path("acme")).unwrap();
    for name in ["acme", "lost+found", "bolt/round"] {
        symlink(std::path::Path::new(name).file_name().unwrap(), world.rules().join(name)).unwrap();
    }
    let status = wait_for_refused(&engine, 1).await;
    let (path, why) = (&status["files"][0]["path"], status["files"][0]["message"].as_str().unwrap());
    assert!(path == "acme" && why.starts_with("the folder cannot be read: "), "{status}");
    assert!(status.get("directory").is_none(), "{status}");
    world.policy("bolt/seen", &policy(2)).unwrap();
    let mut load = Load::default();
    wait_for_version(&engine, 3).await;
    publish(&mut load, &engine, "bolt").await;
    assert_eq!(judged_by(&out(&engine).await, "bolt"), [2], "bolt's change is live");
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&out(&engine).await, "acme"), [1], "what acme had goes on");
    engine.tells("the folder cannot be read").await;
    // As it is told before; and it takes no restart along.
    let rules = world.rules();
    let checked = run(&["check", rules.to_str().unwrap(), "--json"]).await.unwrap();
    let faults: Vec<Value> = checked.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let errors: Vec<_> = faults.iter().filter(|fault| fault["severity"] == "error").collect();
    assert_eq!((checked.code, errors.len()), (Some(1), 1), "{faults:?}");
    assert_eq!(errors[0]["file"], json!(rules.join("acme")));
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let mut engine = world.start(None).await.unwrap();
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&out(&engine).await, "acme"), [1, 1]);
    fs::remove_file(world.rules().join("acme")).unwrap();
    fs::rename(world.path("acme"), world.rules().join("acme")).unwrap();
    wait_for_refused(&engine, 0).await;
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_rule_directory_that_is_gone_takes_no_policy_with_it() {
    let world = World::new().unwrap();
    world.policy("seen", &policy(1)).unwrap();
    let mut engine = world.start(None).await.unwrap();
    fs::rename(world.rules(), world.path("elsewhere")).unwrap();
    let status = until("it is missed", async || {
        let status = policies(&engine).await;
        status.get("directory").is_some().then_some(status)
    })
    .await;
    let told =
        format!("the rules in `{}` cannot be read: No such file or directory (os error 2)", world.rules().display());
    assert_eq!(status["directory"], told);
    engine.tells("the rule directory is refused; the policies stay as they are").await;
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    fs::rename(world.path("elsewhere"), world.rules()).unwrap();
    until("it is back", async || policies(&engine).await.get("directory").is_none().then_some(())).await;
    assert_eq!(policies(&engine).await["rule_book"], 1, "nothing has changed");
    world.policy("seen", &policy(2)).unwrap();
    wait_for_version(&engine, 2).await;
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&out(&engine).await, "acme"), [1, 2]);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn a_checkout_of_many_files_is_few_rule_books_and_a_half_written_file_is_none() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    for number in 0..MANY {
        world.policy(&format!("many-{number}"), &policy(number)).unwrap();
    }
    // Written in pieces that follow each other: it is never still until it is whole.
    let mut rounds = 0;
    let refused = loop {
        rounds += 1;
        let refused = metric(&engine, "linesman_policies_refused_total").await;
        // On a busy machine even the writer may stand still: then it was not one change, and it writes again.
        if write_in_pieces(&world.rules().join("whole.rhai"), &policy(MANY)).await < STILL || rounds == ROUNDS {
            break refused;
        }
    };
    let all = until("all of them enter the log", async || {
        rule_books(&engine).into_iter().find(|book| book["policies"] == MANY + 1)
    })
    .await;
    let version = all["version"].as_u64().unwrap();
    wait_for_version(&engine, version).await;
    assert!(version <= 3 + rounds, "{version} rule books");
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    let mut judged = judged_by(&out(&engine).await, "acme");
    judged.sort_unstable();
    assert_eq!(judged, (0..=MANY).collect::<Vec<_>>());
    assert_eq!(metric(&engine, "linesman_policies_refused_total").await, refused);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Writes a file byte by byte; the longest pause between two.
async fn write_in_pieces(path: &Path, text: &str) -> Duration {
    let mut file = fs::File::create(path).unwrap();
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    for piece in text.as_bytes().chunks(1) {
        every.tick().await;
        longest = longest.max(last.elapsed());
        last = Instant::now();
        file.write_all(piece).unwrap();
    }
    longest
}

/// While the server is away nothing can enter the log; when it is back the change does.
#[tokio::test]
async fn a_change_that_the_log_does_not_take_is_tried_again() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    engine.kill_nats().unwrap();
    world.policy("seen", &policy(1)).unwrap();
    wait_for_version(&engine, 2).await;
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&out(&engine).await, "acme"), [1]);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// An engine of before sections that had the lanes may send a rule book before it notices that it has them no longer.
#[tokio::test]
async fn another_engines_rule_book_does_not_stay() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    world.policy("seen", &policy(1)).unwrap();
    wait_for_version(&engine, 2).await;
    world.policy("seen", &policy(2)).unwrap();
    wait_for_version(&engine, 3).await;
    let client = engine.nats_as_engine().await.unwrap();
    let source = json!({"name": "seen", "source": policy(1)});
    let settings = linesman_schemas::control::Settings::default();
    let (hash, content) = pack(&json!({"settings": settings, "policies": [source]})).unwrap();
    Books::new(client.clone(), 1).put(&hash, &content).await.unwrap();
    let control = json!({"rule_book": {"version": 4, "hash": hash}}).to_string();
    // It reached one lane only.
    let lane = lane_of("acme", LANES);
    async_nats::jetstream::new(client).publish(format!("p.{lane}.ctl"), control.into()).await.unwrap().await.unwrap();
    wait_for_version(&engine, 5).await;
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&out(&engine).await, "acme"), [2]);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// The server loses the rule books while a file is broken: the engine has a copy of the last.
#[tokio::test]
async fn a_lost_rule_book_is_put_back_though_a_file_is_broken() {
    let world = World::new().unwrap();
    world.policy("seen", &policy(1)).unwrap();
    let mut engine = world.start(None).await.unwrap();
    world.policy("seen", BROKEN).unwrap();
    wait_for_version(&engine, 2).await;
    let client = engine.nats_as_engine().await.unwrap();
    async_nats::jetstream::new(client).delete_object_store("linesman-rule-books").await.unwrap();
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    publish(&mut load, &engine, "acme").await;
    assert_eq!(judged_by(&out(&engine).await, "acme"), [1]);
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

/// Continuous load while a policy changes again and again, with a kill in between: each incident is
/// judged by one text, later ones never by an earlier text, and the deleted state comes back alike.
#[tokio::test]
async fn a_change_under_load_loses_and_doubles_nothing() {
    let world = World::new().unwrap();
    world.policy("seen", &policy(0)).unwrap();
    let mut engine = world.start(None).await.unwrap();
    let mut load = Load::default();
    let mut version = 1;
    for number in 1..=CHANGES {
        let client = engine.nats().await.unwrap();
        world.policy("seen", &policy(number)).unwrap();
        if number == KILLED_AT {
            // Killed as soon as the change is on its way.
            let line = format!("\"version\":{}", version + 1);
            publish_until(&mut load, &client, async || engine.log().contains(&line).then_some(())).await;
            engine.kill().unwrap();
            engine = world.start(None).await.unwrap();
        }
        let client = engine.nats().await.unwrap();
        version = publish_until(&mut load, &client, async || {
            policies(&engine).await["rule_book"].as_u64().filter(|found| *found > version)
        })
        .await;
    }
    load.add("acme", 5);
    load.add("bolt", 5);
    load.publish_all(&engine.nats().await.unwrap()).await;
    load.wait_for_incidents(&engine).await.unwrap();
    let before = out(&engine).await;
    load.check(&before).unwrap();
    for (org, count) in load.incidents() {
        let judged = judged_by(&before, org);
        assert_eq!(judged.len() as u64, count, "{org}: every incident is judged once");
        assert!(judged.is_sorted(), "{org}: {judged:?}");
        assert_eq!(judged.last(), Some(&CHANGES));
        let subject = format!("out.{org}.reaction.seen");
        let mut ids: Vec<_> = before.on(&subject).map(|event| event.data["action"]["id"].to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len() as u64, count, "{org}: none is judged twice");
    }
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    let lanes = world.lanes().unwrap();
    world.delete_state().unwrap();
    let mut engine = world.start_with(None, Launch::default()).await.unwrap();
    assert_eq!(out(&engine).await.0.len(), before.0.len(), "something is said again");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
    assert_eq!(world.lanes().unwrap(), lanes);
}

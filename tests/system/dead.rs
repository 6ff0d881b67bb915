//! What was set aside is listed, shown, and put to work again once its cause is mended.

use futures_util::future::join_all;
use linesman_tests::{Ended, Engine, OPEN_CASE, Upstream, World, event, run, until};
use reqwest::Method;
use serde_json::{Value, json};

const THROWS: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { throw "oh"; }
"#;
const MENDED: &str = r#"
policy(#{ on: "incident.detected" });
fn react(incident, org) { publish("mended", #{ incident: incident.id }); }
"#;

async fn dead(world: &World, args: &[&str]) -> Ended {
    let data = world.data();
    run(&[&["dead"], args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap()
}

/// The dead letters of a list, once there are so many.
async fn letters(world: &World, count: usize, filters: &[&str]) -> Vec<Value> {
    let oldest_first: &[&str] =
        if filters.iter().any(|filter| filter.contains("-time")) { &[] } else { &["--sort=time"] };
    until("the dead letters are there", async || {
        let ended = dead(world, &[&["list", "--json"], oldest_first, filters].concat()).await;
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{filters:?}");
        let letters: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (letters.len() >= count).then_some(letters)
    })
    .await
}

/// The same, so many at a time.
async fn paged(world: &World, limit: &str, sort: &str) -> Vec<Value> {
    let (mut letters, mut cursor) = (Vec::new(), None);
    loop {
        let more: Vec<&str> = cursor.iter().flat_map(|cursor: &String| ["--cursor", cursor.as_str()]).collect();
        let ended = dead(world, &[&["list", "--json", sort, "--limit", limit], &more[..]].concat()).await;
        letters.extend(ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        match ended.stderr.trim_end().rsplit_once("--cursor ") {
            Some((_, next)) => cursor = Some(next.to_owned()),
            None => return letters,
        }
    }
}

/// How many letters were not replayed, as the metrics have it.
async fn unreplayed(engine: &Engine, reason: &str) -> f64 {
    let metrics = engine.get_text("/metrics").await.unwrap();
    let start = format!("linesman_dead_letters_unreplayed{{reason=\"{reason}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse().unwrap()
}

async fn publish(engine: &Engine, subject: &str, bytes: String) {
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    log.publish(subject.to_owned(), bytes.into()).await.unwrap().await.unwrap();
}

#[tokio::test]
async fn they_are_found_by_organization_reason_and_time() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    for (subject, text) in [
        ("in.acme.jmb.t", "<jmb"),
        ("in.bolt.jmb.t", "<jmb"),
        ("in.acme.intel.t", "{"),
        ("in.nobody.jmb.t", "<jmb"),
        ("in.acme.jmb.t", "<jm"),
    ] {
        publish(&engine, subject, text.to_owned()).await;
    }
    let all = letters(&world, 5, &[]).await;
    assert_eq!(all.len(), 5);
    let ids =
        |letters: &[Value]| -> Vec<String> { letters.iter().map(|l| l["id"].as_str().unwrap().to_owned()).collect() };
    let newest_first = letters(&world, 5, &["--sort=-time"]).await;
    // Where nothing is said a program has the order that people have.
    let unsaid = dead(&world, &["list", "--json", "--limit", "5"]).await.stdout;
    let unsaid: Vec<Value> = unsaid.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ids(&unsaid), ids(&newest_first));
    assert_eq!(ids(&newest_first).into_iter().rev().collect::<Vec<_>>(), ids(&all));
    for sort in ["--sort=time", "--sort=-time"] {
        let paged = paged(&world, "2", sort).await;
        assert_eq!(ids(&paged), ids(if sort == "--sort=time" { &all } else { &newest_first }), "{sort}");
    }
    let acme = letters(&world, 3, &["--organization", "acme"]).await;
    assert!(acme.len() == 3 && acme.iter().all(|letter| letter["organization"] == "acme"), "{acme:?}");
    let undecodable = letters(&world, 2, &["--organization", "acme", "--reason", "bundle-undecodable"]).await;
    assert_eq!(undecodable.len(), 2);
    let unknown = letters(&world, 1, &["--reason", "unknown-organization"]).await;
    assert_eq!((unknown.len(), &unknown[0]["organization"]), (1, &Value::Null));
    let times: Vec<&str> = acme.iter().map(|letter| letter["time"].as_str().unwrap()).collect();
    let late = letters(&world, 1, &["--organization", "acme", "--after", times[2]]).await;
    assert_eq!(ids(&late), ids(&acme[2..]));
    let early = letters(&world, 1, &["--organization", "acme", "--before", times[2]]).await;
    assert_eq!(ids(&early), ids(&acme[..2]));

    let shown = dead(&world, &["show", all[0]["id"].as_str().unwrap()]).await;
    assert_eq!(shown.code, Some(0));
    assert!(shown.stdout.contains("PGptYg=="), "its bytes in base64: {}", shown.stdout);
    let gone = dead(&world, &["show", "999-0"]).await;
    let expected =
        "error: there is no dead letter of that id, or OUT has it no more; the command's `list` shows what there is\n";
    assert_eq!((gone.code, &*gone.stderr), (Some(1), expected));
    // What stands in OUT and is no dead letter is not shown as one.
    let mut others = 0;
    for sequence in 1..12 {
        let ended = dead(&world, &["show", &format!("{sequence}-0")]).await;
        if ended.code != Some(0) {
            assert_eq!(ended.stderr, expected, "{sequence}");
            others += 1;
        }
    }
    assert!(others >= 6, "{others}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_replay_under_one_key_is_one() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "in.acme.jmb.t", "<jmb".to_owned()).await;
    publish(&engine, "in.acme.jmb.t", "<jm".to_owned()).await;
    let broken = letters(&world, 2, &[]).await;
    let api = engine.api().unwrap();
    let replay = |letter: &Value| {
        let (api, path) = (api.clone(), format!("/api/v1/dead-letters/{}/replay", letter["id"].as_str().unwrap()));
        async move { api.ask(Method::POST, &path, Some("one"), None).await.unwrap() }
    };
    for answer in join_all((0..6).map(|_| replay(&broken[0]))).await {
        assert_eq!((answer.status, &answer.body["detail"]), (200, &json!("replayed")));
    }
    let other = replay(&broken[1]).await;
    assert_eq!(other.status, 409, "the key is another command's: {other:?}");
    publish(&engine, "in.acme.jmb.t", "<j".to_owned()).await;
    let all = letters(&world, 4, &[]).await;
    let lengths: Vec<&Value> = all.iter().map(|letter| &letter["length"]).collect();
    assert_eq!(lengths, [&json!(4), &json!(3), &json!(4), &json!(2)], "it entered once");
    assert_eq!(api.ask(Method::POST, "/api/v1/organizations/acme/suspend", None, None).await.unwrap().status, 200);
    let path = format!("/api/v1/dead-letters/{}/replay", broken[1]["id"].as_str().unwrap());
    let suspended = api.ask(Method::POST, &path, None, None).await.unwrap();
    let detail = json!("the organization `acme` is suspended: lift that first");
    assert_eq!((suspended.status, &suspended.body["detail"]), (409, &detail));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn an_input_enters_again_and_a_mended_policy_judges_again() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    world.policy("acme/own", THROWS).unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, "in.newco.jmb.t", event("edge-01", 1, "AGAIN", "Low")).await;
    publish(&engine, "in.acme.jmb.t", event("edge-01", 1, "AGAIN", "Low")).await;
    let early = letters(&world, 1, &["--reason", "unknown-organization"]).await;
    let failed = letters(&world, 1, &["--reason", "policy-failed"]).await;
    let id = |letter: &Value| letter["id"].as_str().unwrap().to_owned();
    let too_early = dead(&world, &["replay", &id(&early[0])]).await;
    let expected = "error: there is no organization `newco` yet: create it first\n";
    assert_eq!((too_early.code, &*too_early.stderr), (Some(1), expected));
    let data = world.data();
    let set = ["org", "set", "newco", "--filter-level", "Do not send", "--data-dir", data.to_str().unwrap()];
    assert_eq!(run(&set).await.unwrap().stdout, "created\n");
    assert_eq!(
        dead(&world, &["replay", &id(&early[0])]).await.stdout,
        "the input has entered the log again by in.newco.jmb\n"
    );
    until("the bundle became an incident", async || (engine.incidents("newco").await.unwrap() == 1).then_some(()))
        .await;
    assert_eq!(failed[0]["policy"]["name"], "acme/own");
    assert_eq!(
        (&failed[0]["policy"]["on"], &failed[0]["policy"]["about"]),
        (&json!("incident.detected"), &json!("acme-1"))
    );
    let still = dead(&world, &["replay", &id(&failed[0])]).await;
    assert!(still.code == Some(1) && still.stderr.starts_with("error: it failed again: "), "{still:?}");
    let tried = letters(&world, 1, &["--reason", "policy-failed", "--replayed", "true"]).await;
    let replayed = &tried[0]["replayed"];
    assert_eq!(
        (&tried[0]["id"], &replayed["outcome"], &replayed["times"]),
        (&failed[0]["id"], &json!("conflict"), &json!(1))
    );
    // That it failed again is a letter of its own.
    let failed = letters(&world, 1, &["--reason", "policy-failed", "--replayed", "false"]).await;
    assert!(failed.len() == 1 && failed[0]["id"] != tried[0]["id"], "{failed:?}");

    assert!(engine.stop().await.unwrap().success());
    world.policy("acme/own", MENDED).unwrap();
    let mut engine = world.start(None).await.unwrap();
    assert_eq!(unreplayed(&engine, "policy-failed").await, 1.0);
    let judged = "the policy acme/own has judged acme-1 again\n";
    assert_eq!(dead(&world, &["replay", &id(&failed[0])]).await.stdout, judged);
    // It is known by whom, and a second one repeats what comes of it only where that is wanted.
    let twice = dead(&world, &["replay", &id(&failed[0])]).await;
    let by = "error: `admin` has replayed it at ";
    assert!(
        twice.code == Some(1) && twice.stderr.starts_with(by) && twice.stderr.contains("only with `--again`"),
        "{twice:?}"
    );
    let known = letters(&world, 2, &["--replayed", "true", "--reason", "policy-failed"]).await;
    let replayed = &known[1]["replayed"];
    assert_eq!(
        (known.len(), &replayed["by"], &replayed["outcome"], &replayed["times"]),
        (2, &json!("admin"), &json!("done"), &json!(1))
    );
    until("they are counted", async || (unreplayed(&engine, "policy-failed").await == 0.0).then_some(())).await;
    let client = engine.nats_as_engine().await.unwrap();
    let out = linesman_tests::Out::read(&client).await.unwrap();
    let mended: Vec<_> =
        out.on("out.acme.reaction.mended").map(|event| event.data["action"]["incident"].clone()).collect();
    assert_eq!(mended, ["acme-1"]);
    assert_eq!(out.on("out.newco.audit.replay-input").count(), 1);
    assert_eq!(dead(&world, &["replay", "--again", &id(&failed[0])]).await.stdout, judged);
    let known = letters(&world, 2, &["--replayed", "true", "--reason", "policy-failed"]).await;
    assert_eq!(known[1]["replayed"]["times"], 2);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn a_case_that_was_given_up_goes_again_once_its_letter_is_replayed() {
    let mut world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    world.configure("\n[settings]\ncase_poll_s = 1\n");
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    upstream.control(&json!({"status": 400, "only": "createSR"})).await.unwrap();
    publish(&engine, "in.acme.jmb.t", event("edge-01", 1, "DOWN", "High")).await;
    let given_up = letters(&world, 1, &["--reason", "reaction-failed"]).await;
    let id = given_up[0]["id"].as_str().unwrap();
    assert_eq!(engine.get("/api/v1/cases/acme-1").await.unwrap()["state"], "failed");
    until("it is counted", async || (unreplayed(&engine, "reaction-failed").await == 1.0).then_some(())).await;

    upstream.control(&json!({})).await.unwrap();
    let again = dead(&world, &["replay", id]).await;
    assert_eq!((again.code, &*again.stderr), (Some(0), ""), "{again:?}");
    until("the case is there", async || {
        let case = engine.get("/api/v1/cases/acme-1").await.unwrap();
        (case["state"] != "waiting" && case["state"] != "failed").then_some(())
    })
    .await;
    let known = letters(&world, 1, &["--reason", "reaction-failed"]).await;
    let replayed = &known[0]["replayed"];
    assert_eq!((known.len(), &replayed["by"], &replayed["outcome"]), (1, &json!("admin"), &json!("done")));
    until("it is counted no more", async || (unreplayed(&engine, "reaction-failed").await == 0.0).then_some(())).await;
    let twice = dead(&world, &["replay", id]).await;
    assert!(twice.code == Some(1) && twice.stderr.contains("only with `--again`"), "{twice:?}");
    let out = linesman_tests::Out::read(&engine.nats_as_engine().await.unwrap()).await.unwrap();
    assert_eq!(out.on("out.acme.audit.submit-case").count(), 1);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn equal_ones_are_one_row_for_people_and_a_line_each_in_json() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    for text in ["<a", "<b", "<c"] {
        publish(&engine, "in.acme.jmb.t", text.to_owned()).await;
    }
    publish(&engine, "in.acme.intel.t", "{".to_owned()).await;
    let all = letters(&world, 4, &[]).await;
    let listed = dead(&world, &["list"]).await;
    let rows: Vec<&str> = listed.stdout.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{}", listed.stdout);
    // Newest first, by the newest of each.
    assert!(rows[0].starts_with(all[3]["id"].as_str().unwrap()), "{}", listed.stdout);
    assert!(rows[1].starts_with(all[2]["id"].as_str().unwrap()) && rows[1].contains("  3  "), "{}", listed.stdout);
    assert_eq!(listed.stderr, "4 dead letters in 2 rows: --all for each\n");
    let each = dead(&world, &["list", "--all"]).await;
    let ids: Vec<&str> = each.stdout.lines().skip(1).map(|row| row.split(' ').next().unwrap()).collect();
    let expected: Vec<&str> = all.iter().rev().map(|letter| letter["id"].as_str().unwrap()).collect();
    assert_eq!(ids, expected, "{}", each.stdout);
    assert!(engine.stop().await.unwrap().success());
}

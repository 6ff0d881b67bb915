//! What the engine has is shown and changed from the command line, as people and scripts do it.

use linesman_tests::{
    Engine, OPEN_CASE, Upstream, World, event, on_terminal, run, run_script, run_unread, run_within, until,
};
use serde_json::{Value, json};

/// A world with two incidents, a message and a policy of acme's, and its engine.
async fn prepared(upstream: Option<&Upstream>) -> (World, Engine) {
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\ncase_poll_s = 1\n");
    world.policy("acme/own", "policy(#{ on: \"case.assigned\" });\nfn react(update, org) { }\n").unwrap();
    let engine = world.start(upstream).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let message = json!({"id": "TSB1", "kind": "alert", "title": "Line cards", "issued": "2026-11-21T10:00:00Z"});
    for (subject, text) in [
        ("in.acme.jmb.test", event("edge-01", 1, "WORK", "Low")),
        ("in.acme.jmb.test", event("edge-01", 2, "WORK", "Low")),
        ("in.acme.intel.test", message.to_string()),
    ] {
        log.publish(subject, text.into()).await.unwrap().await.unwrap();
    }
    until("the message is kept", async || engine.get("/api/v1/intelligence/acme/TSB1").await.ok()).await;
    (world, engine)
}

/// What a command prints that is done without a remark.
async fn ok(world: &World, args: &[&str]) -> String {
    let data = world.data();
    let ended = run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{args:?}");
    ended.stdout
}

fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[tokio::test]
async fn incidents_and_cases_are_worked_on() {
    let directory = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(directory.path()).await.unwrap();
    let (world, mut engine) = prepared(Some(&upstream)).await;
    for (args, said) in [
        (&["incident", "assign", "acme-1", "ann", "--in-progress"][..], "assigned\n"),
        (&["incident", "prioritise", "acme-1", "Critical"], "prioritised\n"),
        (&["incident", "annotate", "acme-1", "seen"], "annotated\n"),
        (&["case", "save", "acme-1", "--comments", "since the upgrade"], "saved\n"),
        (&["case", "submit", "acme-1"], "submitted\n"),
        (&["incident", "close", "acme-2", "--note", "duplicate"], "closed\n"),
        (&["incident", "reopen", "acme-2", "--note", "not yet"], "reopened\n"),
        (&["incident", "close", "acme-2"], "closed\n"),
    ] {
        assert_eq!(ok(&world, args).await, said, "{args:?}");
    }
    until("the case has its id", async || {
        let state = &engine.get("/api/v1/cases/acme-1").await.unwrap()["state"];
        (state == "created").then_some(())
    })
    .await;
    assert_eq!(upstream.cases().await.unwrap(), 1);
    let shown: Value = serde_json::from_str(&ok(&world, &["incident", "show", "acme-1", "--json"]).await).unwrap();
    let seen = (&shown["owner"], &shown["priority"], &shown["status"]);
    assert_eq!(seen, (&json!("ann"), &json!("Critical"), &json!("in progress")));
    assert_eq!((&shown["notes"][0]["text"], &shown["notes"][0]["actor"]), (&json!("seen"), &json!("admin")));
    assert!(ok(&world, &["case", "show", "acme-1"]).await.contains("since the upgrade"));
    let table = ok(&world, &["incident", "list", "--status", "completed", "--organization", "acme"]).await;
    let rows = words(&table);
    assert_eq!((rows.len(), &rows[0][..4], rows[1][0]), (2, &["ID", "DETECTED", "PRIORITY", "STATUS"][..], "acme-2"));
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn organizations_are_changed_and_what_is_not_given_stays() {
    let (world, mut engine) = prepared(None).await;
    assert_eq!(ok(&world, &["org", "suspend", "bolt"]).await, "suspended\n");
    assert_eq!(ok(&world, &["org", "set", "bolt", "--display-name", "Bolt"]).await, "changed\n");
    let bolt = engine.get("/api/v1/organizations/bolt").await.unwrap();
    let stays = (&bolt["filter_level"], &bolt["proxy"], &bolt["standing"], &bolt["display_name"]);
    assert_eq!(stays, (&json!("Send all information"), &json!(true), &json!("active"), &json!("Bolt")));
    let set = ["org", "set", "newco", "--proxy", "--device-group", "core=edge-*,p-1"];
    assert_eq!(ok(&world, &set).await, "created\n");
    let upward = ["org", "set", "newco", "--upload", "false", "--snapshot-interval-s", "86400", "--alias", "NEW"];
    assert_eq!(ok(&world, &upward).await, "changed\n");
    let cases = ["org", "set", "newco", "--handling", "own", "--submit-case-as", "Test Cases", "--address", "Elm St"];
    assert_eq!(ok(&world, &cases).await, "changed\n");
    assert_eq!(ok(&world, &["org", "set", "newco", "--proxy", "false"]).await, "changed\n");
    let newco: Value = serde_json::from_str(&ok(&world, &["org", "show", "newco", "--json"]).await).unwrap();
    let groups = json!([{"name": "core", "devices": ["edge-*", "p-1"]}]);
    assert_eq!((&newco["device_groups"], &newco["proxy"]), (&groups, &json!(false)));
    assert_eq!((&newco["upload"], &newco["snapshot_interval_s"]), (&json!(false), &json!(86_400)));
    assert_eq!((&newco["alias"], &newco["handling"]), (&json!("NEW"), &json!("own")));
    assert_eq!((&newco["submit_case_as"], &newco["address"]), (&json!("Test Cases"), &json!("Elm St")));
    assert_eq!(newco["filter_level"], "Do not send", "nothing leaves unless somebody says so");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn everything_is_listed_and_shown_here_and_from_elsewhere() {
    let (world, mut engine) = prepared(None).await;
    for list in ["incident", "case", "device", "intel", "org", "policy", "dead"] {
        ok(&world, &[list, "list"]).await;
        ok(&world, &[list, "list", "--json", "--all"]).await;
    }
    for (one, what) in [
        (&["device", "show", "acme", "SNedge-01"][..], "edge-01"),
        (&["intel", "show", "acme", "TSB1"], "Line cards"),
        (&["policy", "show", "acme/own"], "fn react"),
        (&["org", "show", "acme"], "Send all information"),
    ] {
        let card = ok(&world, one).await;
        assert!(card.contains(what), "{one:?}: {card}");
    }
    // No data directory, but an address, a token and an authority.
    let ready = engine.ready().unwrap();
    let token = world.data().join("token");
    let far = ["--api", &ready.api, "--token-file", token.to_str().unwrap()];
    let newest = ["incident", "list", "--limit", "5", "--json"];
    let seen = run(&[&newest[..], &far, &["--ca", ready.ca.to_str().unwrap()]].concat()).await.unwrap();
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].clone();
    let ids: Vec<Value> = seen.stdout.lines().map(id).collect();
    assert_eq!((seen.code, ids), (Some(0), vec![json!("acme-2"), json!("acme-1")]), "{}", seen.stderr);
    // A program has the same order as people, and is not given more than it asked for.
    let shown = ok(&world, &["incident", "list", "--limit", "5"]).await;
    assert_eq!(words(&shown)[1..].iter().map(|row| row[0]).collect::<Vec<_>>(), ["acme-2", "acme-1"], "{shown}");
    let both = run(&["incident", "list", "--all", "--limit", "1"]).await.unwrap();
    assert!(both.code == Some(2) && both.stderr.contains("cannot be used with"), "{both:?}");
    let strange = run(&[&newest[..], &far].concat()).await.unwrap();
    let help =
        format!("error: the engine at {} does not answer; `--ca` names the authority of its certificate\n", ready.api);
    assert!(strange.code == Some(1) && strange.stderr.starts_with(&help), "{strange:?}");
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn the_status_tells_of_lanes_and_of_destinations_that_fail() {
    let mut world = World::new().unwrap();
    world.configure("\n[settings]\ncircuit_failures = 1\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    upstream.control(&json!({"status": 500})).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    log.publish("in.acme.jmb.test", event("edge-01", 1, "WORK", "High").into()).await.unwrap().await.unwrap();
    let status = until("the circuit is open", async || {
        let data = world.data();
        let ended = run(&["status", "--data-dir", data.to_str()?]).await.unwrap();
        // It works, and somebody is to look at it.
        (ended.code == Some(3) && ended.stdout.contains("open")).then_some(ended.stdout)
    })
    .await;
    let rows = words(&status);
    assert_eq!((&rows[0][..], &rows[1][..3]), (&["ready"][..], &["jss", "fails", "since"][..]), "{status}");
    let rows = &rows[1..];
    assert_eq!(rows[2], ["LANE", "STATE", "POSITION", "END", "LAG", "SECONDS", "RULES"], "{status}");
    assert_eq!((&rows[3][..2], rows[3][6]), (&["0", "running"][..], "1"), "{status}");
    assert_eq!(rows[8], ["DESTINATION", "PENDING", "CIRCUIT", "FAILURES", "UNTIL"], "{status}");
    assert_eq!((rows[9][0], rows[9][2]), ("jss", "open"), "{status}");
    assert!(rows[9][1].parse::<u64>().unwrap() >= 1 && rows[9][3].parse::<u64>().unwrap() >= 1, "{status}");
    let help = run(&["status", "--help"]).await.unwrap().stdout;
    assert!(help.contains("`jss` is the support system"), "{help}");
    assert!(engine.stop().await.unwrap().success());
}

/// The rows of a table on a terminal of so many columns, each in one line.
async fn rows_on_terminal(world: &World, columns: u16, args: &[&str]) -> Vec<String> {
    let data = world.data();
    let args = [args, &["--data-dir", data.to_str().unwrap()]].concat();
    let shown = on_terminal((columns, 24), &json!([]), &args).await.unwrap();
    assert_eq!(shown.code, 0, "{shown:?}");
    let rows: Vec<String> = shown.screen.lines().skip(1).map(|row| row.trim_end().to_owned()).collect();
    assert!(rows.iter().all(|row| row.chars().count() <= columns.into()), "{args:?}: {rows:#?}");
    rows
}

#[tokio::test]
async fn a_terminal_has_the_newest_first_in_its_width_and_times_from_now() {
    let (world, mut engine) = prepared(None).await;
    // As it is told where it is exact: `2026-11-21 10:15:02Z`.
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d ").to_string();
    let is_exact = |row: &str| row.contains(&today);
    for columns in [60, 80, 200] {
        let rows = rows_on_terminal(&world, columns, &["incident", "list"]).await;
        assert_eq!(rows.len(), 2, "{rows:#?}");
        let ids: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
        assert_eq!(ids, ["acme-2", "acme-1"], "{columns}");
        assert!(rows.iter().all(|row| row.contains(" ago")), "{rows:#?}");
        assert!(!rows.iter().any(|row| is_exact(row)), "{rows:#?}");
    }
    // In UTC where that is asked for; programs have them exact.
    let rows = rows_on_terminal(&world, 120, &["incident", "list", "--utc"]).await;
    assert!(rows.iter().all(|row| is_exact(row) && !row.contains(" ago")), "{rows:#?}");
    let piped = ok(&world, &["incident", "list"]).await;
    let piped: Vec<&str> = piped.lines().skip(1).collect();
    assert!(piped[0].starts_with("acme-2 ") && is_exact(piped[0]) && !piped[0].contains(" ago"), "{piped:#?}");
    let lines = ok(&world, &["incident", "list", "--json"]).await;
    let incidents: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(incidents.len(), 2);
    assert!(incidents.iter().all(|incident| incident["detected"].as_str().unwrap().ends_with('Z')), "{incidents:?}");
    assert!(engine.stop().await.unwrap().success(), "{}", engine.log_tail());
}

#[tokio::test]
async fn every_error_says_what_to_do() {
    let (world, mut engine) = prepared(None).await;
    let data = world.data();
    let here = ["--data-dir", data.to_str().unwrap()];
    assert_eq!(ok(&world, &["incident", "close", "acme-2"]).await, "closed\n");
    for (args, expected) in [
        (
            &["incident", "show", "acme-99"][..],
            "error: there is no incident `acme-99`; the command's `list` shows what there is\n",
        ),
        (&["incident", "close", "acme-2"], "error: the incident is completed; reopen it first\n"),
        (&["incident", "prioritise", "acme-1", "Urgent"], "error: "),
        (&["incident", "list", "--sort", "colour"], "error: "),
        (&["org", "set", "x y"], "error: "),
        (&["manager", "simulate"], "error: what would be changed? give `--without`, `--revoke` or a file\n"),
    ] {
        let ended = run(&[args, &here].concat()).await.unwrap();
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{args:?}");
        assert!(ended.stderr.starts_with(expected), "{args:?}: {}", ended.stderr);
    }
    let session = world.path("no-session");
    let session = [("LINESMAN_SESSION_FILE", session.to_str().unwrap())];
    let nowhere = run_within(&session, &["incident", "list"]).await.unwrap();
    let expected = "error: where is the engine? log in with `linesman login`, or give `--data-dir` of a running one (or set LINESMAN_DATA_DIR), or `--api` and `--token-file`\n";
    assert_eq!((nowhere.code, &*nowhere.stderr), (Some(1), expected));
    assert!(engine.stop().await.unwrap().success());
    let gone = run(&[&["incident", "list"][..], &here].concat()).await.unwrap();
    assert!(gone.code == Some(1) && gone.stderr.starts_with("error: no engine is ready there: "), "{gone:?}");
}

#[tokio::test]
async fn whoever_reads_may_have_read_enough() {
    let (world, mut engine) = prepared(None).await;
    let data = world.data();
    let data = data.to_str().unwrap();
    for args in [
        &["audit", "export"][..],
        &["audit", "list", "--json", "--all"],
        &["incident", "list", "--json", "--all"],
        &["incident", "list"],
        &["incident", "show", "acme-1"],
        &["dead", "list", "--json"],
        &["token", "list", "--json"],
        &["status"],
        &["policy", "show", "acme/own"],
    ] {
        let ended = run_unread(&[args, &["--data-dir", data]].concat()).await.unwrap();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{args:?}");
    }
    for args in [&["man"][..], &["completions", "bash"], &["config"]] {
        let ended = run_unread(args).await.unwrap();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{args:?}");
    }
    // What never ends by itself ends when the next event finds nobody.
    let tail = format!("linesman tail --data-dir '{data}' | head -n 1");
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut tail = std::pin::pin!(run_script(folder.path(), &tail));
    let mut number = 3;
    let ended = loop {
        let bundle = event("edge-01", number, "WORK", "Low");
        let publish = async { log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap() };
        tokio::select! {
            ended = &mut tail => break ended.unwrap(),
            _ = publish => number += 1,
        }
    };
    assert_eq!((ended.code, &*ended.stderr), (Some(0), "listening on out.>\n"));
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_command_whose_output_is_not_taken_says_so_and_fails() {
    let (world, mut engine) = prepared(None).await;
    let folder = tempfile::tempdir().unwrap();
    let data = world.data();
    let of = format!("--data-dir '{}'", data.display());
    for args in [
        &*format!("incident list {of}"),
        &format!("incident list --json --all {of}"),
        &format!("incident show acme-1 {of}"),
        &format!("audit export {of}"),
        &format!("status {of}"),
        &format!("policy show acme/own {of}"),
        "config",
        "man",
        "completions bash",
    ] {
        let ended = run_script(folder.path(), &format!("linesman {args} > /dev/full")).await.unwrap();
        let said = "error: standard output cannot be written\n  because: No space left on device (os error 28)\n";
        assert_eq!((ended.code, &*ended.stderr), (Some(1), said), "{args}");
    }
    // What it was to do is done.
    let ended = run_script(folder.path(), &format!("linesman incident close acme-1 {of} > /dev/full")).await.unwrap();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(engine.get("/api/v1/incidents/acme-1").await.unwrap()["status"], "completed");
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn what_has_no_end_is_no_secret_of_a_device() {
    let (world, mut engine) = prepared(None).await;
    let data = world.data();
    let data = data.to_str().unwrap();
    let list = world.path("devices.csv");
    std::fs::write(&list, "name,address,user,password_file\nr1,192.0.2.1,ann,/dev/zero\n").unwrap();
    let import = ["device", "import", "acme", list.to_str().unwrap(), "--data-dir", data];
    let add = ["device", "add", "r1", "--org", "acme", "--address", "192.0.2.1", "--user", "ann", "--data-dir", data];
    for args in [
        &import[..],
        &[&add[..], &["--password-file", "/dev/zero"]].concat(),
        &[&add[..], &["--key-file", "/dev/zero"]].concat(),
    ] {
        let ended = run(args).await.unwrap();
        assert_eq!(ended.code, Some(1), "{args:?}: {}{}", ended.stdout, ended.stderr);
        let words = format!("{}{}", ended.stdout, ended.stderr);
        assert!(words.contains("it has more than 65536 bytes, which is no password and no key"), "{args:?}: {words}");
    }
    let list = engine.get("/api/v1/devices?organization=acme&name=r1").await.unwrap();
    assert_eq!(list["items"], json!([]));
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
}

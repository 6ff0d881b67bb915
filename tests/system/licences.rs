//! What a licence permits is done, what it does not is refused by name, and bundles are processed in any case.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use linesman_tests::{Launch, OPEN_CASE, Out, Upstream, World, block, event, run, run_script, scripts, until};
use reqwest::Method;
use serde_json::{Value, json};

const DOCUMENT: &str = "docs/licences.md";
const ALL: &str = "Send all information";

#[tokio::test]
async fn the_commands_of_the_document_are_done() {
    let dir = tempfile::tempdir().unwrap();
    let configuration = block(DOCUMENT, "toml", "[licence]").unwrap();
    std::fs::write(dir.path().join("licence.toml"), configuration).unwrap();
    for script in scripts(DOCUMENT).unwrap() {
        let ended = run_script(dir.path(), &script).await.unwrap();
        assert_eq!(ended.code, Some(0), "{script}\n{}{}", ended.stdout, ended.stderr);
    }
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("installed.licence"), read("partner.licence"));
}

/// Runs a command with files of the directory, which begin with `@`.
async fn ran(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let file = |arg: &&str| match arg.strip_prefix('@') {
        Some(file) => dir.join(file).to_str().unwrap().to_owned(),
        None => (*arg).to_owned(),
    };
    let args: Vec<String> = args.iter().map(file).collect();
    let ended = run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    let shown = |text: String| text.replace(&format!("{}/", dir.display()), "");
    (ended.code, shown(ended.stdout), shown(ended.stderr))
}

#[tokio::test]
async fn a_licence_that_is_not_ours_is_not_installed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let settings = "[licence]\nfile = \"installed\"\nvendor_key = \"k.pub\"\n";
    std::fs::write(dir.join("linesman.toml"), settings).unwrap();
    std::fs::write(dir.join("bare.toml"), "lanes = 4\n").unwrap();
    for key in ["@k", "@other"] {
        assert_eq!(ran(dir, &["licence", "keygen", "--out", key]).await.0, Some(0));
    }
    let again = ran(dir, &["licence", "keygen", "--out", "@k"]).await;
    assert_eq!(again.2, "error: `k` is there already: name another, or remove it\n");
    assert_eq!(ran(dir, &["licence", "request", "--data-dir", "@elsewhere", "--out", "@theirs"]).await.0, Some(0));
    let issue = async |key: &str, mode: &str, more: &[&str]| {
        let limits = ["--organizations", "6", "--devices", "2", "--out", "@l"];
        let days = if more.contains(&"--days") { &[][..] } else { &["--days", "30"] };
        let args = [&["licence", "issue", "--key", key, "--mode", mode][..], &limits, days, more].concat();
        let ended = ran(dir, &args).await;
        assert_eq!(ended.0, Some(0), "{}", ended.2);
    };
    let install =
        async || ran(dir, &["licence", "install", "@l", "--config", "@linesman.toml", "--data-dir", "@D"]).await;
    let refused = "error: the licence `l` is refused, and nothing was changed\n  because: ";
    issue("@other", "partner", &[]).await;
    assert_eq!(install().await.2, format!("{refused}it is signed by another key than the vendor's\n"));
    issue("@k", "direct", &[]).await;
    assert_eq!(install().await.2, format!("{refused}it is for mode `direct`, and the mode is `partner`\n"));
    issue("@k", "partner", &["--request", "@theirs"]).await;
    let said = install().await.2;
    assert!(said.starts_with(&format!("{refused}it is for another installation, `")), "{said}");
    issue("@k", "partner", &["--upstream", "https://support.example"]).await;
    std::fs::write(dir.join("password"), "secret").unwrap();
    std::fs::set_permissions(dir.join("password"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let elsewhere = format!(
        "{settings}[upstream]\nurl = \"https://other.example\"\nsite_id = \"P-1000\"\nuser = \"noc\"\n\
         password_file = \"password\"\n"
    );
    std::fs::write(dir.join("linesman.toml"), elsewhere).unwrap();
    let expected =
        "the licence names the upstream `https://support.example`, and `upstream.url` is `https://other.example`\n";
    assert_eq!(install().await.2, format!("{refused}{expected}"));
    std::fs::write(dir.join("linesman.toml"), settings).unwrap();
    issue("@k", "partner", &["--days", "0"]).await;
    let said = install().await.2;
    assert!(said.starts_with(&format!("{refused}it expired on 20")), "{said}");
    issue("@k", "partner", &[]).await;
    let text = std::fs::read_to_string(dir.join("l")).unwrap();
    std::fs::write(dir.join("l"), text.replacen(":6,", ":7,", 1)).unwrap();
    assert_eq!(install().await.2, format!("{refused}it was tampered with: its signature is not one of its text\n"));
    assert!(!dir.join("installed").exists());
    std::fs::write(dir.join("l"), text).unwrap();
    let nowhere = ran(dir, &["licence", "install", "@l", "--config", "@bare.toml", "--data-dir", "@D"]).await;
    let expected = "error: the configuration names no file of a licence: write where it is to lie, `file = \
                    \"partner.licence\"` under `[licence]` in the configuration file\n";
    assert_eq!((nowhere.0, nowhere.2.as_str()), (Some(1), expected));
    let done = install().await;
    assert_eq!(done.1, "installed `installed`: the engine takes it up when it is started again\n", "{}", done.2);
    let shown = ran(dir, &["licence", "show", "@l", "--vendor-key", "@k.pub", "--json"]).await.1;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["standing"], &shown["organizations"]), (&json!("valid"), &json!(6)));
}

#[tokio::test]
async fn an_evaluation_has_five_organizations_and_says_so() {
    let mut world = World::new().unwrap();
    world.is_licensed = false;
    let mut engine = world.start(None).await.unwrap();
    let status = engine.get("/api/v1/status").await.unwrap();
    assert_eq!(status["notices"], json!(["an evaluation, without a licence, has at most 5 organizations"]));
    assert_eq!((&status["mode"], &status["licence"]["organizations"]), (&json!("partner"), &json!(4)));
    let api = engine.api().unwrap();
    let set = async |name: &str| {
        let body = json!({"proxy": true, "filter_level": ALL});
        let answer = api.ask(Method::PUT, &format!("/api/v1/organizations/{name}"), None, Some(body)).await.unwrap();
        (answer.status, answer.body)
    };
    // Of two that come at once one is too many.
    let (one, two) = tokio::join!(set("erle"), set("fala"));
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403], "{one:?} {two:?}");
    let (_, refused) = if one.0 == 403 { one } else { two };
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.ends_with(
        "cannot be added: an evaluation, without a licence, has at most 5 organizations, and 5 take part; those go on, \
         and one that is suspended makes room"
    ));
    // Those that take part may be changed, and one that is suspended makes room.
    assert_eq!(set("acme").await.0, 200);
    let suspend = api.ask(Method::POST, "/api/v1/organizations/dory/suspend", None, None).await.unwrap();
    assert_eq!(suspend.status, 200);
    assert_eq!(set("gila").await.0, 201);
    assert_eq!(set("dory").await.0, 403);
    let recorded = async || {
        let records = engine.get("/api/v1/audit?operation=set-organization&outcome=forbidden").await.ok()?;
        records["items"].as_array().filter(|items| items.len() >= 2).map(Vec::len)
    };
    until("what was refused is recorded", recorded).await;
    assert!(engine.stop().await.unwrap().success());
    // Taken out of the configuration one makes room for another at the start.
    world.without_organization("bolt");
    world.organization("hale", ALL);
    let mut engine = world.start(None).await.unwrap();
    assert!(engine.stop().await.unwrap().success());
    world.organization("iris", ALL);
    let mut refused = world.spawn(None, Launch::default()).unwrap();
    let said = refused.wait_ready().await.unwrap_err().to_string();
    assert!(said.contains("the organization `iris` cannot be added: an evaluation"), "{said}");
}

#[tokio::test]
async fn beyond_its_devices_nothing_is_added_and_all_is_processed() {
    let mut world = World::new().unwrap();
    world.is_licensed = false;
    let dir = world.root().to_owned();
    let issue = ["licence", "issue", "--key", "@k", "--mode", "partner", "--organizations", "9", "--devices", "2"];
    assert_eq!(ran(&dir, &["licence", "keygen", "--out", "@k"]).await.0, Some(0));
    assert_eq!(ran(&dir, &[&issue[..], &["--days", "20", "--out", "@l"]].concat()).await.0, Some(0));
    world.configure("\n[licence]\nfile = \"l\"\nvendor_key = \"k.pub\"\n");
    let mut engine = world.start(None).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    for device in 1..=4 {
        let bundle = event(&format!("edge-0{device}"), 1, "WORK", "Low");
        log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    }
    until("all are processed", async || (engine.incidents("acme").await.ok()? == 4).then_some(())).await;
    let told = until("the devices are counted", async || {
        let status = engine.get("/api/v1/status").await.ok()?;
        (status["licence"]["devices_over"] == 2).then_some(status)
    });
    let told = told.await;
    let notices = told["notices"].as_array().unwrap();
    assert!(notices[0].as_str().unwrap().starts_with("the licence expires on 20"), "{notices:?}");
    assert_eq!(
        notices[1],
        "there are 2 devices more than the licence permits: their bundles are processed, and no organization is added"
    );
    let body = Some(json!({"proxy": true}));
    let answer = engine.api().unwrap().ask(Method::PUT, "/api/v1/organizations/erle", None, body).await.unwrap();
    assert_eq!(answer.status, 403);
    let expected = "the organization `erle` cannot be added: the licence permits 2 devices, and there are 4; bundles of \
                    all of them are processed";
    assert_eq!(answer.body["detail"], expected);
    assert!(engine.stop().await.unwrap().success());
}

#[tokio::test]
async fn after_its_grace_nothing_leaves_and_bundles_are_processed() {
    let mut world = World::new().unwrap();
    world.is_licensed = false;
    world.policy("open", OPEN_CASE).unwrap();
    let dir = world.root().to_owned();
    let issue = ["licence", "issue", "--key", "@k", "--mode", "partner", "--organizations", "9", "--devices", "9"];
    let issue = async |days| ran(&dir, &[&issue[..], &["--days", days, "--out", "@l"]].concat()).await;
    assert_eq!(ran(&dir, &["licence", "keygen", "--out", "@k"]).await.0, Some(0));
    assert_eq!(issue("9").await.0, Some(0));
    world.configure("\n[licence]\nfile = \"l\"\nvendor_key = \"k.pub\"\ngrace_s = 0\n");
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    assert!(world.start(Some(&upstream)).await.unwrap().stop().await.unwrap().success());
    assert_eq!(issue("0").await.0, Some(0));
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let log = async_nats::jetstream::new(engine.nats().await.unwrap());
    let bundle = event("edge-01", 1, "WORK", "High");
    log.publish("in.acme.jmb.test", bundle.into()).await.unwrap().await.unwrap();
    until("the case waits", async || {
        let status = engine.get("/api/v1/status").await.ok()?;
        let waits =
            status["pending"].as_array()?.iter().any(|row| row["destination"] == "jss" && row["reactions"] == 1);
        (waits && status["licence"]["sends"] == false).then_some(())
    })
    .await;
    let metrics = engine.get_text("/metrics").await.unwrap();
    assert!(!metrics.contains("linesman_attempts_total{connector=\"jss\""), "something was sent");
    assert!(engine.stop().await.unwrap().success());
    // Renewed, what waited goes out.
    assert_eq!(issue("9").await.0, Some(0));
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    until("the case is opened", async || upstream.requests().await.ok()?.first().map(drop)).await;
    assert!(engine.stop().await.unwrap().success());
}

/// Reacts to what runs out.
const ALARM: &str = r#"policy(#{ on: ["licence.expiring", "licence.expired"] });
fn react(expiry, org) { publish("alarm", #{ id: expiry.id, over: expiry.has_ended, whose: org.name }); }
"#;

#[tokio::test]
async fn what_runs_out_is_told_once_of_each_licence_and_policies_hear_of_it() {
    let mut world = World::new().unwrap();
    world.is_licensed = false;
    world.policy("alarm", ALARM).unwrap();
    let dir = world.root().to_owned();
    let issue = ["licence", "issue", "--key", "@k", "--mode", "partner", "--organizations", "9", "--devices", "9"];
    let issue = async |days| ran(&dir, &[&issue[..], &["--days", days, "--out", "@l"]].concat()).await;
    assert_eq!(ran(&dir, &["licence", "keygen", "--out", "@k"]).await.0, Some(0));
    world.configure("\n[licence]\nfile = \"l\"\nvendor_key = \"k.pub\"\n");
    // Started twice under a licence that ends soon, and twice under another that has ended.
    for (days, expiring, expired) in [("9", 1, 0), ("", 1, 0), ("0", 1, 1), ("", 1, 1), ("8", 2, 1)] {
        if !days.is_empty() {
            assert_eq!(issue(days).await.0, Some(0));
        }
        let mut engine = world.start(None).await.unwrap();
        let out = until("it is told", async || {
            let out = Out::read(&engine.nats().await.ok()?).await.ok()?;
            (out.on("out._provider.reaction.alarm").count() >= expiring + expired).then_some(out)
        })
        .await;
        assert_eq!(out.on("out._provider.trigger.licence.expiring").count(), expiring);
        assert_eq!(out.on("out._provider.trigger.licence.expired").count(), expired);
        let alarms: Vec<_> = out.on("out._provider.reaction.alarm").collect();
        assert!(alarms.iter().all(|alarm| alarm.data["action"]["whose"] == "_provider"), "{alarms:?}");
        let over = alarms.iter().filter(|alarm| alarm.data["action"]["over"] == true).count();
        assert_eq!((alarms.len(), over), (expiring + expired, expired));
        assert!(engine.stop().await.unwrap().success());
    }
}

#[tokio::test]
async fn where_the_licence_names_an_upstream_there_is_no_other() {
    let mut world = World::new().unwrap();
    world.is_licensed = false;
    let dir = world.root().to_owned();
    let issue = ["licence", "issue", "--key", "@k", "--mode", "direct", "--organizations", "9", "--devices", "9"];
    let of = ["--days", "9", "--upstream", "https://support.example", "--out", "@l"];
    assert_eq!(ran(&dir, &["licence", "keygen", "--out", "@k"]).await.0, Some(0));
    assert_eq!(ran(&dir, &[&issue[..], &of].concat()).await.0, Some(0));
    world.configure("\n[licence]\nfile = \"l\"\nvendor_key = \"k.pub\"\n");
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    // It is one for mode `direct`, which is not ours: what it says does not count.
    let status = engine.get("/api/v1/status").await.unwrap();
    let notice = "the licence does not count, it is for mode `direct`, and the mode is `partner`; what works without one: \
                  an evaluation, without a licence, has at most 5 organizations";
    assert_eq!(status["notices"], json!([notice]));
    assert!(engine.stop().await.unwrap().success());
    let issue = ["licence", "issue", "--key", "@k", "--mode", "partner", "--organizations", "9", "--devices", "9"];
    assert_eq!(ran(&dir, &[&issue[..], &of].concat()).await.0, Some(0));
    // Bundles are processed, and nothing of them leaves.
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let status = engine.get("/api/v1/status").await.unwrap();
    let said = status["notices"][0].as_str().unwrap();
    assert!(
        said.starts_with("the licence names the upstream `https://support.example`, and `upstream.url` is `https://")
            && said.ends_with("`: bundles are processed, and nothing is sent upstream"),
        "{said}"
    );
    assert_eq!(status["licence"]["sends"], false);
    assert!(engine.stop().await.unwrap().success());
}

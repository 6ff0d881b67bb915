//! Logging in at a running engine: sessions, API tokens, passwords, and what the log has of them.

use std::path::Path;

use async_nats::jetstream;
use linesman_tests::{Api, Engine, World, run_within, until};
use reqwest::Method;
use serde_json::{Value, json};

const FIRST: &str = "first horse battery";
const SECOND: &str = "second horse battery";

/// A command with a session of its own; what it prints.
async fn linesman(world: &World, args: &[&str]) -> (Option<i32>, String, String) {
    let session = world.path("session.json");
    let ended = run_within(&[("LINESMAN_SESSION_FILE", session.to_str().unwrap())], args).await.unwrap();
    (ended.code, ended.stdout, ended.stderr)
}

async fn ok(world: &World, args: &[&str]) -> String {
    let (code, stdout, stderr) = linesman(world, args).await;
    assert_eq!(code, Some(0), "{args:?}: {stderr}");
    stdout
}

fn file(world: &World, name: &str, text: &str) -> String {
    std::fs::write(world.path(name), format!("{text}\n")).unwrap();
    world.path(name).to_str().unwrap().to_owned()
}

/// `admin` has a password, given with the data directory.
async fn reset(world: &World, password: &str) {
    let (file, data) = (file(world, "reset", password), world.data());
    let args = ["manager", "reset-password", "admin", "--password-file", &file, "--data-dir", data.to_str().unwrap()];
    assert_eq!(ok(world, &args).await, "changed\n");
}

async fn log_in(api: &Api, login: &str, password: &str) -> linesman_tests::Answer {
    api.by("").post("/api/v1/session", json!({"login": login, "password": password})).await.unwrap()
}

/// A session of `admin`, who has changed the password that was set.
async fn session(api: &Api) -> String {
    let begun = log_in(api, "admin", FIRST).await;
    assert_eq!((begun.status, &begun.body["must_change_password"]), (201, &json!(true)), "{begun:?}");
    let first = api.by(begun.body["token"].as_str().unwrap());
    assert_eq!(status(&first, "/api/v1/incidents").await, 403);
    assert_eq!(status(&first, "/api/v1/me").await, 200);
    let body = json!({"old": FIRST, "new": SECOND});
    let changed = first.ask(Method::PUT, "/api/v1/me/password", None, Some(body)).await.unwrap();
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(status(&first, "/api/v1/me").await, 401, "a changed password ends all sessions");
    let begun = log_in(api, "admin", SECOND).await;
    assert_eq!((begun.status, &begun.body["must_change_password"]), (201, &json!(false)), "{begun:?}");
    begun.body["token"].as_str().unwrap().to_owned()
}

async fn status(api: &Api, path: &str) -> u16 {
    api.ask(Method::GET, path, None, None).await.unwrap().status
}

/// Everything that a stream has.
async fn stream(engine: &Engine, name: &str) -> Vec<String> {
    let log = jetstream::new(engine.nats_as_engine().await.unwrap());
    let stream = log.get_stream(name).await.unwrap();
    let state = stream.cached_info().state.clone();
    let mut found = Vec::new();
    for sequence in state.first_sequence..=state.last_sequence {
        if let Ok(message) = stream.get_raw_message(sequence).await {
            found.push(String::from_utf8_lossy(&message.payload).into_owned());
        }
    }
    found
}

#[tokio::test]
async fn sessions_and_tokens_live_until_they_are_ended_and_nothing_of_them_is_told() {
    let world = World::new().unwrap();
    let launch = linesman_tests::Launch { flags: &["--set", "log.level=debug"], ..Default::default() };
    let mut engine = world.start_with(None, launch).await.unwrap();
    reset(&world, FIRST).await;
    let api = engine.api().unwrap();
    let kept = session(&api).await;
    let other = log_in(&api, "admin", SECOND).await.body["token"].as_str().unwrap().to_owned();
    let body = json!({"name": "ci", "privileges": [], "rights": {"incidents": "own"}});
    let made = api.by(&kept).post("/api/v1/tokens", body.clone()).await.unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert_eq!(api.by(&token).post("/api/v1/tokens", body).await.unwrap().status, 403);
    let me = api.by(&token).ask(Method::GET, "/api/v1/me", None, None).await.unwrap().body;
    assert_eq!(
        (&me["privileges"], &me["rights"]["incidents"], &me["rights"]["audit"]),
        (&json!([]), &json!("own"), &json!(false))
    );

    // No other change ends a session, nor does a restart.
    let proxy = json!({"proxy": true});
    let set = api.by(&kept).ask(Method::PUT, "/api/v1/organizations/bolt", None, Some(proxy)).await.unwrap();
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
    let log = engine.log();
    let mut engine = world.start(None).await.unwrap();
    let api = engine.api().unwrap();
    for bearer in [&kept, &other, &token] {
        assert_eq!(status(&api.by(bearer), "/api/v1/me").await, 200);
    }
    let ended = api.by(&other).ask(Method::DELETE, "/api/v1/session", None, None).await.unwrap();
    assert_eq!((ended.status, &ended.body["detail"]), (200, &json!("ended")));
    assert_eq!(status(&api.by(&other), "/api/v1/me").await, 401);
    let ended = api.by(&kept).ask(Method::DELETE, "/api/v1/tokens/ci", None, None).await.unwrap();
    assert_eq!(ended.status, 200);
    assert_eq!(status(&api.by(&token), "/api/v1/me").await, 401);
    assert_eq!(status(&api.by(&kept), "/api/v1/me").await, 200);

    let secrets = [FIRST, SECOND, &kept, &other, &token];
    let mut told = vec![log, engine.log()];
    for name in ["IN", "OUT"] {
        told.extend(stream(&engine, name).await);
    }
    for secret in secrets {
        let plain = secret.split_once('_').map_or(secret, |(_, coded)| coded);
        assert!(told.iter().all(|text| !text.contains(plain)), "{secret}");
    }
    let hashes = told.iter().filter(|text| text.contains("$argon2id$")).count();
    assert_eq!(hashes, 2, "hashes are in the two commands that set them, and in no event");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_flood_of_failures_is_a_few_words_in_the_log() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    reset(&world, FIRST).await;
    let api = engine.api().unwrap();
    for number in 0..60 {
        let answer = log_in(&api, &format!("acme/guess-{number}"), FIRST).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    for _ in 0..3 {
        assert_eq!(log_in(&api, "admin", "wrong horse battery").await.status, 401);
    }
    let refused = until("both are told", async || {
        let told = stream(&engine, "IN").await;
        let refused: Vec<_> = told.into_iter().filter(|text| text.contains("\"login_refused\"")).collect();
        (refused.len() >= 2).then_some(refused)
    })
    .await;
    assert_eq!(refused.len(), 2, "one of all that nobody has, one of `admin`: {refused:?}");
    assert!(refused.iter().all(|text| !text.contains("guess-")), "{refused:?}");
    let records = until("the audit has them", async || {
        let records = engine.get("/api/v1/audit?operation=login-refused").await.unwrap();
        (records["items"].as_array().unwrap().len() == 2).then_some(records)
    })
    .await;
    assert_eq!(records["items"][0]["actor"], "machine");
    // Whoever is on the machine is never locked out.
    let right = until("the wait is over", async || {
        let answer = log_in(&api, "admin", FIRST).await;
        (answer.status == 201).then_some(answer)
    })
    .await;
    assert!(right.body["token"].is_string());
    engine.stop().await.unwrap();
    // What is not on record is kept until it is forgotten, or a restart would tell which logins somebody has.
    let kept = std::fs::read_to_string(world.data().join("doors.json")).unwrap();
    assert_eq!(kept.matches("\"is_house\":true").count(), 60, "all but `admin`, who came in: {kept}");
    assert!(!kept.contains("guess-"), "{kept}");
}

/// How many refusals of somebody are on record one by one in a minute.
const SINGLE: u64 = 100;

#[tokio::test]
async fn taking_back_what_is_not_there_is_counted_and_no_command() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    reset(&world, FIRST).await;
    let api = engine.api().unwrap();
    let own = api.by(&session(&api).await);
    let made = own.post("/api/v1/tokens", json!({"name": "ci"})).await.unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let delete = async |path: &str, key: Option<&str>| {
        own.ask(Method::DELETE, &format!("/api/v1/{path}"), key, None).await.unwrap()
    };
    for _ in 0..2 {
        let taken = delete("tokens/ci", Some("once")).await;
        assert_eq!((taken.status, &taken.body["detail"]), (200, &json!("revoked")), "asked again, answered as before");
    }
    let refused = 3 * SINGLE / 2;
    for number in 0..refused {
        let (path, what) = if number % 2 == 0 { ("tokens/ci", "token `ci`") } else { ("sessions/x", "session `x`") };
        let answer = delete(path, None).await;
        let detail = format!("there is no {what} of `admin`");
        assert_eq!((answer.status, &answer.body["detail"]), (404, &json!(detail)), "{path}");
    }
    let told = stream(&engine, "IN").await;
    let commands = told.iter().filter(|text| text.contains("\"revoke_token\"") || text.contains("\"revoke_session\""));
    assert_eq!(commands.count(), 1, "what was there was taken back by one");
    // What is counted together is on record once a minute, or when the engine ends.
    assert!(engine.stop().await.unwrap().success());
    let mut engine = world.start(None).await.unwrap();
    let records = engine.get("/api/v1/audit?outcome=not-found&limit=1000").await.unwrap();
    let items = records["items"].as_array().unwrap();
    let counted: u64 = items.iter().map(|record| record["new"]["count"].as_u64().unwrap_or(1)).sum();
    assert_eq!(counted, refused, "{records}");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_stopped_at_the_door_is_on_record() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    reset(&world, FIRST).await;
    let api = engine.api().unwrap();
    // A machine in use may be too busy for a password.
    let begun = until("the first password is taken", async || {
        let begun = log_in(&api, "admin", FIRST).await;
        begun.body["token"].is_string().then_some(begun)
    })
    .await;
    let first = api.by(begun.body["token"].as_str().unwrap());
    let by_cookie = async |token: &str, origin: Option<&str>| {
        let origin = origin.map(|origin| ("origin", origin.to_owned()));
        let headers = [("cookie", format!("__Host-linesman={token}"))].into_iter().chain(origin);
        let body = json!({"members": []});
        api.bare(Method::PUT, "/api/v1/groups/night", headers, body).await.unwrap().status
    };
    // The password is to be changed first; `session` asks for what there is of incidents, too.
    let proxy = json!({"proxy": true});
    let put = first.ask(Method::PUT, "/api/v1/organizations/bolt", None, Some(proxy)).await.unwrap();
    assert_eq!(put.status, 403);
    let token = session(&api).await;
    // A page of others asks; then one of ours.
    assert_eq!(by_cookie(&token, None).await, 403);
    assert_eq!(by_cookie(&token, Some("https://evil.example")).await, 403);
    assert_eq!(by_cookie(&token, Some(&engine.ready().unwrap().api)).await, 201);
    let records = until("the audit has them", async || {
        let records = engine.get("/api/v1/audit?outcome=forbidden").await.unwrap();
        (records["items"].as_array().unwrap().len() >= 4).then_some(records)
    })
    .await;
    let told = |record: &Value| ["actor", "operation", "place"].map(|name| record[name].as_str().unwrap().to_owned());
    let told: Vec<_> = records["items"].as_array().unwrap().iter().map(told).collect();
    let expected = [
        ["admin", "set-organization", "bolt"],
        ["admin", "incidents", "/"],
        ["admin", "set-group", "/"],
        ["admin", "set-group", "/"],
    ];
    assert_eq!(told, expected);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn the_command_line_logs_in_and_out() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    reset(&world, FIRST).await;
    let ready = engine.ready().unwrap();
    let (api, ca) = (ready.api.clone(), ready.ca.to_str().unwrap().to_owned());
    let (first, second) = (file(&world, "first", FIRST), file(&world, "second", SECOND));
    let (code, _, said) = linesman(&world, &["whoami"]).await;
    assert!(code == Some(1) && said.contains("log in with `linesman login`"), "{said}");
    let args = ["login", "--login", "admin", "--api", &api, "--ca", &ca, "--password-file"];
    let (code, _, said) = linesman(&world, &[&args[..], &[second.as_str()]].concat()).await;
    assert_eq!((code, &*said), (Some(1), "error: login or password is wrong\n"));
    ok(&world, &[&args[..], &[first.as_str()]].concat()).await;
    let (code, _, said) = linesman(&world, &["place", "list"]).await;
    let change = "error: the password was set by somebody else: change it first, with `linesman password`\n";
    assert_eq!((code, &*said), (Some(1), change));
    let said = ok(&world, &[&args[..], &[first.as_str(), "--new-password-file", &second]].concat()).await;
    assert!(said.starts_with("logged in as admin, until "), "{said}");
    assert!(mode(&world.path("session.json")) == 0o600);
    let me: Value = serde_json::from_str(&ok(&world, &["whoami", "--json"]).await).unwrap();
    assert_eq!((&me["login"], &me["sphere"]), (&json!("admin"), &json!(["/"])));
    assert!(ok(&world, &["org", "list"]).await.contains("acme"));
    let token =
        ok(&world, &["token", "add", "ci", "--privileges", "subscription", "--rights", "incidents=own,audit"]).await;
    let token = file(&world, "token", token.trim());
    let me = ok(&world, &["whoami", "--json", "--api", &api, "--ca", &ca, "--token-file", &token]).await;
    let me: Value = serde_json::from_str(&me).unwrap();
    assert_eq!((&me["privileges"], &me["rights"]["audit"]), (&json!(["subscription"]), &json!(true)));
    let (code, _, said) = linesman(&world, &["token", "add", "late", "--expires", "tomorrow"]).await;
    assert!(
        code == Some(2) && said.contains("'--expires <TIME>'") && said.contains("`2027-01-01T00:00:00Z`"),
        "{said}"
    );
    let new = ["password", "--password-file", &first, "--new-password-file", &second];
    let (code, _, said) =
        linesman(&world, &[&new[..], &["--api", &api, "--ca", &ca, "--token-file", &token]].concat()).await;
    assert!(code == Some(1) && said.contains("`linesman login` begins a session"), "{said}");
    let data = world.data();
    let here = data.to_str().unwrap();
    let (code, _, said) = linesman(&world, &[&new[..], &["--data-dir", here]].concat()).await;
    assert!(code == Some(1) && said.contains("`linesman manager reset-password admin`"), "{said}");
    let listed = ok(&world, &["token", "list"]).await;
    assert!(listed.starts_with("NAME") && listed.contains("subscription"), "{listed}");
    assert_eq!(ok(&world, &["token", "remove", "ci"]).await, "revoked\n");
    assert!(ok(&world, &["session", "list", "--json"]).await.contains("\"is_current\":true"));
    let tabbed = file(&world, "tabbed", "third\thorse battery");
    for args in [
        &["password", "--password-file", &second, "--new-password-file", &tabbed][..],
        &["manager", "reset-password", "admin", "--password-file", &tabbed, "--data-dir", here],
    ] {
        let (code, _, said) = linesman(&world, args).await;
        let refused = "error: a password has no control characters, such as tabs and line breaks\n";
        assert_eq!((code, &*said), (Some(1), refused), "{args:?}");
    }
    let third = file(&world, "third", "third horse battery");
    assert_eq!(ok(&world, &["password", "--password-file", &second, "--new-password-file", &third]).await, "changed\n");
    assert!(ok(&world, &["whoami"]).await.contains("admin"), "a new session has begun");
    assert_eq!(ok(&world, &["logout"]).await, "logged out\n");
    assert!(!world.path("session.json").exists());
    assert_eq!(ok(&world, &["logout"]).await, "nobody is logged in\n");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_done_to_tokens_sessions_and_records_is_said_with_what_can() {
    for (args, said) in [
        (
            &["token", "set", "ci", "--expires", "2090-01-01T00:00:00Z"][..],
            "a token stays as it was made: make another with `linesman token add`, and take this one back with \
             `linesman token remove`",
        ),
        (&["session", "add"], "a session begins with a password: use `linesman login`"),
        (
            &["session", "set", "5f0c77a1d2e3b4c5"],
            "a session stays as it began: end it with `linesman session remove`, and begin another with `linesman login`",
        ),
        (
            &["audit", "add", "acme"],
            "records of the audit come of what is done, and of nothing else: see them with `linesman audit list`",
        ),
        (&["audit", "set", "acme", "17"], "a record of the audit never changes: see it with `linesman audit show`"),
        (
            &["audit", "remove", "acme", "17", "--data-dir", "D"],
            "a record of the audit is removed by nobody: its text goes by age, with the setting `audit_retention_s`",
        ),
    ] {
        let ended = run_within(&[], args).await.unwrap();
        assert_eq!((ended.code, ended.stderr), (Some(2), format!("error: {said}\n")), "{args:?}");
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

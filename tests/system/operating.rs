//! What an operator does with a running engine: sees its configuration, its log, its metrics.

use std::path::Path;
use std::process::Command;

use linesman::metrics::{Kind, METRICS, Metric, Values};
use linesman_tests::{Engine, Launch, OPEN_CASE, Upstream, World, event, run, until};
use serde_json::{Value, json};

const PASSWORD: &str = "p4ssw0rd-of-the-upstream";

async fn publish(engine: &Engine, number: u64) {
    let jetstream = async_nats::jetstream::new(engine.nats().await.unwrap());
    let text = event("core-01", number, "OPERATED", "Critical");
    jetstream.publish("in.acme.jmb.test", text.into()).await.unwrap().await.unwrap();
}

/// The lines of the log at a level; they are JSON where there is no terminal.
fn lines(engine: &Engine, level: &str) -> Vec<Value> {
    let log = engine.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["level"] == level).collect()
}

async fn log_level(world: &World, directives: &[&str]) -> (Option<i32>, String) {
    let data = world.data();
    let args = [&["log-level", "--data-dir", data.to_str().unwrap()], directives].concat();
    let ended = run(&args).await.unwrap();
    (ended.code, if ended.code == Some(0) { ended.stdout } else { ended.stderr })
}

#[tokio::test]
async fn the_level_of_the_log_changes_while_the_engine_runs() {
    let world = World::new().unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, 1).await;
    until("the incident", async || (engine.incidents("acme").await.unwrap() == 1).then_some(())).await;
    assert!(!lines(&engine, "INFO").is_empty());
    assert_eq!(lines(&engine, "DEBUG"), Vec::<Value>::new());
    assert_eq!(log_level(&world, &[]).await, (Some(0), "info\n".to_owned()));

    assert_eq!(log_level(&world, &["linesman=debug,info"]).await, (Some(0), "linesman=debug,info\n".to_owned()));
    publish(&engine, 2).await;
    let line = until("a line at debug", async || {
        lines(&engine, "DEBUG").into_iter().find(|line| line["fields"]["message"] == "a batch is committed and applied")
    })
    .await;
    assert!(line["fields"]["position"].is_u64(), "{line}");
    assert_eq!(engine.get("/api/v1/log-level").await.unwrap()["level"], "linesman=debug,info");

    let records = engine.get("/api/v1/audit?operation=set-log-level").await.unwrap();
    let record = &records["items"][0];
    assert_eq!((&record["old"], &record["new"]), (&json!({"level": "info"}), &json!({"level": "linesman=debug,info"})));
    let by = (&record["actor"], &record["place"], &record["organization"], &record["outcome"]);
    assert_eq!(by, (&json!("admin"), &json!("/"), &json!("_provider"), &json!("done")));
    assert!(!record["node"].as_str().unwrap().is_empty(), "{record}");

    let (code, said) = log_level(&world, &["inof"]).await;
    assert!(code == Some(1) && said.ends_with("not `inof`; did you mean `info`?\n"), "{said}");
    assert_eq!(log_level(&world, &[]).await.1, "linesman=debug,info\n");
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
    let (code, said) = log_level(&world, &[]).await;
    assert!(code == Some(1) && said.contains("no engine is ready there"), "{said}");
}

/// Every secret there is: the token, the logins of the NATS server, the support system's password, and
/// private keys.
fn secrets(world: &World) -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(world.data().join(name)).unwrap();
    let mut secrets = vec![PASSWORD.to_owned(), read("token").trim().to_owned()];
    let logins: Value = serde_json::from_str(&read("keys/nats.json")).unwrap();
    let passwords = ["/engine/password", "/public/password"].map(|path| logins.pointer(path).unwrap().clone());
    secrets.extend(passwords.map(|password| password.as_str().unwrap().to_owned()));
    secrets
}

#[tokio::test]
async fn no_secret_is_told_however_much_is_told() {
    let world = World::new().unwrap();
    world.policy("open-case", OPEN_CASE).unwrap();
    std::fs::write(world.path("other"), format!("{PASSWORD}\n")).unwrap();
    let file = format!("upstream.password_file={}", world.path("other").display());
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    // Libraries tell at `trace` only when named.
    let level =
        ["async_nats", "hyper", "hyper_util", "h2", "reqwest", "rustls", "tower"].map(|name| format!(",{name}=trace"));
    let level = format!("log.level=trace{}", level.concat());
    let launch = Launch { flags: &["--set", &file, "--set", &level], ..Launch::default() };
    let mut engine = world.start_with(Some(&upstream), launch).await.unwrap();
    publish(&engine, 1).await;
    let metrics = until("the case is opened", async || {
        let metrics = engine.get_text("/metrics").await.unwrap();
        metrics.contains("linesman_triggers_total{trigger=\"incident.submitted\"} 1").then_some(metrics)
    })
    .await;
    let refused = engine.get("/api/v1/incidents?organization=acme&limit=x").await;
    assert!(refused.is_err());

    let [config, data] = [world.path("linesman.toml"), world.data()].map(|path| path.to_str().unwrap().to_owned());
    let url = std::fs::read_to_string(world.data().join("ready.json")).unwrap();
    let url = serde_json::from_str::<Value>(&url).unwrap()["nats"].as_str().unwrap().to_owned();
    let mut told = vec![metrics, engine.get("/api/v1/log-level").await.unwrap().to_string()];
    for more in [&[][..], &["--json"], &["--explain", "nats.url"], &["--explain", "upstream.password_file", "--json"]] {
        let common = ["config", "--config", &config, "--data-dir", &data, "--nats", &url, "--set", &file];
        let ended = run(&[&common[..], more].concat()).await.unwrap();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        told.extend([ended.stdout, ended.stderr]);
    }
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
    let log = engine.log();
    assert!(log.contains("\"level\":\"TRACE\"") || log.contains("\"level\":\"DEBUG\""), "{log}");
    told.push(log);
    for secret in secrets(&world) {
        assert!(secret.len() > 10);
        for text in &told {
            let at = text.find(&secret);
            assert!(at.is_none(), "{}", text.get(at.unwrap().saturating_sub(300)..).unwrap_or_default());
        }
    }
}

#[tokio::test]
async fn a_setting_is_explained_and_one_that_is_not_there_is_refused() {
    let world = World::new().unwrap();
    let config = world.write_config(None).unwrap();
    let config = config.to_str().unwrap();
    let explained =
        run(&["config", "--config", config, "--set", "lanes=8", "--explain", "lanes", "--json"]).await.unwrap();
    let json: Value = serde_json::from_str(&explained.stdout).unwrap();
    assert_eq!((&json["value"], &json["from"]["name"]), (&Value::from(8), &Value::from("--set lanes")));
    assert_eq!(json["overrode"][0]["from"]["line"], 2);
    let wrong = run(&["config", "--config", config, "--set", "lanez=8", "--explain", "level"]).await.unwrap();
    let expected = "--explain: there is no key `level`\n  help: did you mean `log.level`?\n\
                    --set lanez: there is no key `lanez`\n  help: did you mean `lanes`?\n";
    assert_eq!((wrong.code, &*wrong.stdout, &*wrong.stderr), (Some(2), "", expected));
}

/// What the checker says of a scrape: whether it is content, and its complaints.
fn checked(world: &World, text: &str) -> (bool, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = world.path("metrics.txt");
    std::fs::write(&file, text).unwrap();
    let python = root.join(".tools/venv/bin/python");
    let output = Command::new(python).arg(root.join("tests/tools/check_metrics.py")).arg(file).output();
    // Without it: `make tools`.
    let output = output.unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// The metric of a line of a scrape, and its labels.
fn sample(line: &str) -> (&str, Vec<(String, String)>) {
    let (head, _) = line.rsplit_once(' ').unwrap();
    let (name, labels) = head.split_once('{').unwrap_or((head, ""));
    let labels = labels.trim_end_matches('}').split(',').filter_map(|label| label.split_once('='));
    (name, labels.map(|(label, value)| (label.to_owned(), value.trim_matches('"').to_owned())).collect())
}

/// Whether a label has names from outside, the busiest of them.
const fn is_of_names(values: Values) -> bool {
    matches!(values, Values::Busiest(_))
}

/// The metric of the table that a sample belongs to.
fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| match metric.kind {
        Kind::Seconds(_) => {
            let suffix = name.strip_prefix(metric.name);
            suffix.is_some_and(|suffix| ["_bucket", "_sum", "_count"].contains(&suffix))
        }
        Kind::Counter | Kind::Gauge => metric.name == name,
    })
}

#[tokio::test]
async fn the_metrics_are_those_of_the_document_and_the_checker_is_content() {
    let mut world = World::new().unwrap();
    world.configure("\n[partner]\nlisten = \"127.0.0.1:0\"\n");
    world.policy("open-case", OPEN_CASE).unwrap();
    let fails = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { throw \"no\"; }\n";
    world.policy("fails", fails).unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let first = engine.get_text("/metrics").await.unwrap();
    let exposed = |text: &str, metric: &Metric| text.contains(&format!("# TYPE {} ", metric.name));
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md")).unwrap();
    for metric in METRICS {
        let head = document.split_once(&format!("## `{}`\n", metric.name)).unwrap().1;
        let kind = head.lines().nth(1).unwrap();
        let is_later = kind.ends_with(", later*");
        assert!(is_later || exposed(&first, metric), "{} is not there at first", metric.name);
    }

    publish(&engine, 1).await;
    let ready = engine.ready().unwrap();
    let stranger = linesman_connectors::tls::http_client(Some(&ready.ca)).unwrap().build().unwrap();
    let address = format!("{}/partner/v1/cases", ready.partner.as_ref().unwrap());
    assert_eq!(stranger.get(address).send().await.unwrap().status(), 401);
    let text = until("the case is opened and everything exposed", async || {
        let text = engine.get_text("/metrics").await.unwrap();
        // No source, no device and no quota is set up here, nothing waits for approval, and nothing is told to many devices.
        let others =
            ["source_", "sources_", "device_", "approvals_", "gathering", "gathered_", "waves_", "over_quota_"];
        let is_of_others = |name: &str| {
            let own = name.strip_prefix("linesman_").unwrap_or_default();
            others.iter().any(|other| own.starts_with(other))
        };
        let mut expected = METRICS.iter().filter(|metric| !is_of_others(metric.name));
        expected.all(|metric| exposed(&text, metric)).then_some(text)
    })
    .await;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, labels) = sample(line);
        let metric = metric(name).unwrap_or_else(|| unreachable!("{name} is not in the table"));
        let allowed: Vec<&str> = metric.labels.iter().map(|label| label.name).chain(["le"]).collect();
        for (label, value) in labels {
            assert!(allowed.contains(&label.as_str()), "{line}");
            let is_bounded = metric.labels.iter().any(|known| known.name == label && is_of_names(known.values));
            assert!(is_bounded || !["acme", "bolt", "cobalt", "dory", "core-01"].contains(&value.as_str()), "{line}");
            if let Some(Values::Words(words)) = metric.labels.iter().find(|known| known.name == label).map(|l| l.values)
            {
                assert!(words().contains(&value.as_str()), "{line}");
            }
        }
    }
    assert!(text.contains("linesman_ready 1\n") && text.contains("linesman_nats_connected 1\n"), "{text}");

    let (is_content, said) = checked(&world, &text);
    assert!(is_content, "{said}");
    let wrong = "# TYPE linesman_wrong_ms counter\nlinesman_wrong_ms 1\nlinesman_wrong_ms 1\n";
    let (is_content, said) = checked(&world, wrong);
    for complaint in ["no help text", "ends in `_total`", "`ms` is an abbreviation", "is there twice"] {
        assert!(!is_content && said.contains(complaint), "{said}");
    }
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn nobody_is_named_in_the_metrics_where_that_is_not_wanted() {
    let mut world = World::new().unwrap();
    world.configure("\n[metrics]\nnames = false\n");
    world
        .policy("tells", "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { log(\"x\"); }\n")
        .unwrap();
    let mut engine = world.start(None).await.unwrap();
    publish(&engine, 1).await;
    let text = until("the incident is counted", async || {
        let text = engine.get_text("/metrics").await.unwrap();
        text.contains("linesman_organization_incidents_total{organization=\"other\"} 1\n").then_some(text)
    })
    .await;
    assert!(text.contains("linesman_policy_runs_total{policy=\"other\"} 1\n"), "{text}");
    assert!(!text.contains("\"acme\"") && !text.contains("\"tells\""), "{text}");
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
}

//! A real Prometheus scrapes an engine that works: every panel of the dashboards has something to show, and every rule can be
//! reckoned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, consumer};
use linesman_tests::{Api, Engine, OPEN_CASE, Upstream, World, event, root, until};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::activations::{put, service, subscription};
use crate::collecting::{Device, add};
use crate::dashboards::{files, program, queries};

/// How long it may take until every panel has something to show.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Prometheus that scrapes an engine, ended when dropped.
struct Prometheus {
    child: Child,
    dir: TempDir,
    url: String,
}

impl Prometheus {
    async fn start(program: PathBuf, engine: &Engine, world: &World) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ready = engine.ready().unwrap();
        let config = serde_json::json!({
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [root().canonicalize().unwrap().join("deploy/prometheus/*.rules.yml")],
            "scrape_configs": [{
                "job_name": "linesman",
                "scheme": "https",
                "static_configs": [{"targets": [ready.api.trim_start_matches("https://")]}],
                "authorization": {"credentials_file": world.data().join("token")},
                "tls_config": {"ca_file": ready.ca},
            }],
        });
        // What is JSON is YAML.
        let (file, log) = (dir.path().join("prometheus.yml"), dir.path().join("log"));
        std::fs::write(&file, config.to_string()).unwrap();
        let child = Command::new(program)
            .arg("--config.file")
            .arg(&file)
            .arg("--storage.tsdb.path")
            .arg(dir.path().join("data"))
            .args(["--web.listen-address", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut prometheus = Self { child, dir, url: String::new() };
        prometheus.url = until("Prometheus listens", async || {
            let log = prometheus.log();
            let (_, address) = log.split_once("msg=\"Listening on\" address=")?;
            let (address, _) = address.split_once('\n')?;
            log.contains("Server is ready").then(|| format!("http://{address}"))
        })
        .await;
        prometheus
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        let client = linesman_connectors::tls::http_client(None).unwrap().https_only(false).build().unwrap();
        let answer = client.get(format!("{}{path}", self.url)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        assert!(answer["status"] == "success", "{path}: {text}{}", self.log());
        answer["data"].clone()
    }

    /// How many series a query comes to.
    async fn series(&self, query: &str) -> usize {
        let asked: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let found = self.get(&format!("/api/v1/query?query={asked}")).await;
        found["result"].as_array().unwrap().len()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // What cannot be killed is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a panel asks for, as Grafana does.
fn asked(query: &str) -> String {
    query.replace("$job", "linesman").replace("$__rate_interval", "10s")
}

/// Has the engine do something of all that the dashboards tell of.
async fn work(engine: &Engine) -> async_nats::Client {
    let client = engine.nats().await.unwrap();
    let jetstream = jetstream::new(client.clone());
    for (org, number) in [("acme", 1), ("bolt", 2), ("dory", 3)] {
        let text = event("core-01", number, "SCRAPED", "Critical");
        jetstream.publish(format!("in.{org}.jmb.test"), text.into()).await.unwrap().await.unwrap();
    }
    jetstream.publish("in.acme.jmb.test", "no bundle".into()).await.unwrap().await.unwrap();
    let durable =
        consumer::pull::Config { durable_name: Some("billing".to_owned()), ..consumer::pull::Config::default() };
    jetstream.create_consumer_on_stream(durable, "OUT").await.unwrap();
    client
}

/// Has devices reached: one that leaves a bundle and what is none and is told a service, and one that nobody is at.
async fn reach(api: &Api, world: &World) -> Device {
    let device = Device::start(world, "r1").await;
    device.leaves("a.xml", &event("edge-01", 1, "SCRAPED", "Low"));
    device.leaves("junk.xml", "no xml at all");
    add(api, "r1", device.body()).await;
    let mut away = device.body();
    away["port"] = json!(9);
    away["netconf_port"] = json!(9);
    add(api, "r2", away).await;
    put(api, "places/acme/berlin", json!({})).await;
    put(api, "places/acme/berlin/line-1", json!({"device": "r1"})).await;
    put(api, "subscriptions/acme/cap", subscription()).await;
    device
}

#[tokio::test]
async fn every_panel_has_series_and_every_rule_can_be_reckoned() {
    let Some(program) = program("prometheus") else { return };
    let world = World::new().unwrap();
    service(&world);
    world.policy("open-case", OPEN_CASE).unwrap();
    world
        .policy("tells", "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { log(\"told\", #{}); }\n")
        .unwrap();
    world
        .policy("fails", "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { throw \"no\"; }\n")
        .unwrap();
    let mut upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    upstream.intelligence_poll_s = 1;
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let prometheus = Prometheus::start(program, &engine, &world).await;
    let _client = work(&engine).await;
    let _device = reach(&engine.api().unwrap(), &world).await;
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    let boards = files("grafana", ".json");
    assert_eq!(boards.len(), 4);
    for (_, text) in &boards {
        open.extend(queries(text).into_iter().map(|(title, query)| (asked(&query), title)));
    }
    for query in [
        "linesman_organization_incidents_total{organization=\"acme\"} == 2",
        "linesman_consumer_lag_messages{consumer=\"billing\"} > 0",
        "linesman_cases{state=\"withheld\"} == 1",
        "linesman_open_incidents{priority=\"Critical\"} == 3",
    ] {
        open.insert(query.to_owned(), "what was done".to_owned());
    }
    let began = Instant::now();
    while !open.is_empty() && began.elapsed() < PATIENCE {
        let mut left = BTreeMap::new();
        for (query, title) in &open {
            if prometheus.series(query).await == 0 {
                left.insert(query.clone(), title.clone());
            }
        }
        open = left;
    }
    assert!(open.is_empty(), "there is nothing of {open:#?}");
    let rules = until("every rule is reckoned", async || {
        let rules = prometheus.get("/api/v1/rules").await;
        let groups = rules["groups"].as_array().unwrap().clone();
        let rules: Vec<Value> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect();
        rules.iter().all(|rule| rule["health"] != "unknown").then_some(rules)
    })
    .await;
    assert!(rules.len() > 50, "{}", rules.len());
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    let firing = rules.iter().filter(|rule| rule["state"] == "firing").map(|rule| rule["name"].as_str().unwrap());
    let firing: BTreeSet<&str> = firing.collect();
    // Nothing else is wrong with an engine that has one policy which fails, and a device with a file that is no bundle.
    let known = ["LinesmanCasesWithheld", "LinesmanDeadLetters", "LinesmanErrorsLogged", "LinesmanFilesSetAside"];
    let known = known.into_iter().collect();
    assert!(firing.is_subset(&known), "{firing:?}");
    assert_eq!(engine.stop().await.unwrap().code(), Some(0));
}

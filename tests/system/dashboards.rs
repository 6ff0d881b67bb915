//! Dashboards and alerts ask for metrics that there are, by labels and words that these have; alerts come when they should.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use linesman::metrics::{Kind, METRICS, Metric, Values};
use serde_json::Value;

/// What Prometheus adds to every sample.
const OF_ALL: [&str; 3] = ["job", "instance", "le"];

fn deploy(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path)
}

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(deploy(folder)).unwrap().map(|entry| entry.unwrap().path());
    let wanted = entries.filter(|path| path.to_str().unwrap().ends_with(ending));
    wanted.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

fn metric(name: &str) -> Option<&'static Metric> {
    let of_seconds = |base: Option<&str>, metric: &Metric| base == Some(metric.name);
    METRICS.iter().find(|metric| match metric.kind {
        Kind::Seconds(_) => ["_bucket", "_sum", "_count"].iter().any(|end| of_seconds(name.strip_suffix(end), metric)),
        Kind::Counter | Kind::Gauge => metric.name == name,
    })
}

/// What is wrong with a query: metrics that are not there, labels that they do not have, words that these never are.
fn wrong(query: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut rest = query;
    while let Some(at) = rest.find("linesman_") {
        let end = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, behind) = rest[at..].split_at(end(&rest[at..]));
        rest = behind;
        let Some(metric) = metric(name) else {
            wrong.push(format!("there is no `{name}`"));
            continue;
        };
        let Some((matchers, _)) = behind.strip_prefix('{').and_then(|behind| behind.split_once('}')) else { continue };
        for matcher in matchers.split(',') {
            let (label, words) = matcher.split_once(['=', '!']).unwrap();
            let words = words.trim_matches(['=', '~', '"']).split('|');
            match metric.labels.iter().find(|known| known.name == label) {
                None if OF_ALL.contains(&label) => {}
                None => wrong.push(format!("`{name}` has no `{label}`")),
                Some(known) => {
                    let Values::Words(all) = known.values else { continue };
                    let all: BTreeSet<&str> = all().into_iter().collect();
                    wrong.extend(
                        words.filter(|word| !all.contains(word)).map(|word| format!("`{label}` is never `{word}`")),
                    );
                }
            }
        }
    }
    wrong
}

#[test]
fn panels_ask_for_what_there_is() {
    let dashboards = files("grafana", ".json");
    assert!(!dashboards.is_empty());
    for (path, text) in dashboards {
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
        assert_eq!(ids.len(), panels.len(), "{}", path.display());
        for panel in panels {
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty(), "{}", panel["title"]);
            for target in targets {
                let query = target["expr"].as_str().unwrap();
                assert!(query.contains("linesman_") && query.contains("$job"), "{}: {query}", panel["title"]);
                assert_eq!(wrong(query), Vec::<String>::new(), "{}: {query}", panel["title"]);
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            }
        }
    }
}

#[test]
fn alerts_ask_for_what_there_is() {
    let rules = files("prometheus", ".rules.yml");
    assert!(!rules.is_empty());
    for (path, text) in rules {
        assert_eq!(wrong(&text), Vec::<String>::new(), "{}", path.display());
        let alerts: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
        let tests = text_of_tests(&path);
        for alert in alerts {
            assert!(tests.contains(&format!("alertname: {alert}\n")), "`{alert}` is not tried");
        }
    }
}

fn text_of_tests(rules: &std::path::Path) -> String {
    let tests = rules.to_str().unwrap().replace(".rules.yml", ".test.yml");
    std::fs::read_to_string(tests).unwrap()
}

/// By Prometheus' own tool, where it is on the PATH.
#[test]
fn alerts_come_when_they_should() {
    for (path, _) in files("prometheus", ".test.yml") {
        match Command::new("promtool").args(["test", "rules"]).arg(&path).output() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return eprintln!("alerts are SKIPPED: there is no promtool");
            }
            ended => {
                let ended = ended.unwrap();
                let said = [ended.stdout, ended.stderr].concat();
                assert!(ended.status.success(), "{}", String::from_utf8_lossy(&said));
            }
        }
    }
}

#[test]
fn what_is_wrong_with_a_query_is_seen() {
    for (query, expected) in [
        ("sum(linesman_devices_reached)", vec![]),
        ("rate(linesman_device_visit_seconds_bucket{job=~\"$job\"}[5m])", vec![]),
        ("linesman_device_visits", vec!["there is no `linesman_device_visits`"]),
        ("linesman_device_visit_seconds", vec!["there is no `linesman_device_visit_seconds`"]),
        ("linesman_device_failures_total{state!~\"busy|bussy\"}", vec!["`state` is never `bussy`"]),
        ("linesman_device_failures_total{status=\"busy\"}", vec!["`linesman_device_failures_total` has no `status`"]),
    ] {
        assert_eq!(wrong(query), expected, "{query}");
    }
}

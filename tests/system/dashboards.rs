//! Dashboards and alerts ask for metrics that there are, by labels and words that these have; alerts come when they should, and
//! the operator's document says of each what is to be done.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use linesman::metrics::{Kind, METRICS, Metric, Values};
use serde_json::Value;

/// What the names of metrics begin with.
const FAMILIES: [&str; 2] = ["linesman_", "process_"];
/// What Prometheus adds to every sample.
const OF_ALL: [&str; 3] = ["job", "instance", "le"];

fn deploy(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path)
}

/// A program of Prometheus's, as `make tools` unpacks it, or of the machine; none, with a word past the test runner, where it
/// cannot be had. Where `LINESMAN_PEERS` is `required`, as in CI, that is a failure.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let unpacked = linesman_tests::root().join(".tools/prometheus/usr/bin").join(name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_machine = std::env::split_paths(&path).map(|folder| folder.join(name));
    let found = std::iter::once(unpacked).chain(of_machine).find(|program| program.is_file());
    if found.is_none() {
        assert_ne!(std::env::var("LINESMAN_PEERS").as_deref(), Ok("required"), "no {name} in .tools/prometheus");
        let line = format!("SKIPPED: no {name} in .tools/prometheus: alerts and dashboards are not tried\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    found
}

/// What the panels of a dashboard ask for, each with its panel's title.
pub(crate) fn queries(dashboard: &str) -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let of_panel = |panel: &Value| {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().unwrap().clone();
        targets.into_iter().map(move |target| (title.clone(), target["expr"].as_str().unwrap().to_owned()))
    };
    panels.flat_map(of_panel).collect()
}

pub(crate) fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
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
    while let Some(at) = FAMILIES.iter().filter_map(|family| rest.find(family)).min() {
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
    assert_eq!(dashboards.len(), 4);
    for (path, text) in dashboards {
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        let source = variables.iter().find(|variable| variable["name"] == "datasource").unwrap();
        assert_eq!(source["type"], "datasource", "{}", path.display());
        let job = variables.iter().find(|variable| variable["name"] == "job").unwrap();
        let asked =
            job["query"].as_str().unwrap().strip_prefix("label_values(").unwrap().strip_suffix(", job)").unwrap();
        assert_eq!(wrong(asked), Vec::<String>::new(), "{}", path.display());
        let panels = dashboard["panels"].as_array().unwrap();
        let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
        assert_eq!(ids.len(), panels.len(), "{}", path.display());
        for panel in panels {
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty(), "{}", panel["title"]);
            for target in targets {
                let query = target["expr"].as_str().unwrap();
                let is_ours = FAMILIES.iter().any(|family| query.contains(family));
                assert!(is_ours && query.contains("$job"), "{}: {query}", panel["title"]);
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
    let named = |text: &str, what: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.trim().strip_prefix(what)).map(str::to_owned).collect()
    };
    let document = std::fs::read_to_string(linesman_tests::root().join("docs/operations.md")).unwrap();
    let (_, runbook) = document.split_once("\n## When an alert comes\n").unwrap();
    let (runbook, _) = runbook.split_once("\n## ").unwrap();
    let mut told: Vec<&str> = runbook.split("\n| `").skip(1).filter_map(|row| row.split('`').next()).collect();
    let mut all: Vec<String> = rules.iter().flat_map(|(_, text)| named(text, "- alert: ")).collect();
    told.sort_unstable();
    all.sort_unstable();
    assert_eq!(told, all, "docs/operations.md has each alert once");
    for (path, text) in rules {
        assert_eq!(wrong(&text), Vec::<String>::new(), "{}", path.display());
        let recorded = named(&text, "- record: ");
        for asked in text.match_indices("linesman:").map(|(at, _)| &text[at..]) {
            let end = asked.find(|c: char| !c.is_ascii_alphanumeric() && !"_:".contains(c)).unwrap_or(asked.len());
            assert!(recorded.iter().any(|name| *name == asked[..end]), "{}: {}", path.display(), &asked[..end]);
        }
        let alerts = named(&text, "- alert: ");
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

/// By Prometheus' own tool.
#[test]
fn alerts_come_when_they_should() {
    let Some(promtool) = program("promtool") else { return };
    for (path, _) in files("prometheus", ".test.yml") {
        let ended = Command::new(&promtool).args(["test", "rules"]).arg(&path).output().unwrap();
        let said = [ended.stdout, ended.stderr].concat();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&said));
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

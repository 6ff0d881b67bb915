//! The table is what the sources use, follows Prometheus' conventions, and is `docs/metrics.md`
//! (`LINESMAN_BLESS=1` writes it).

use std::collections::BTreeSet;
use std::path::Path;

use linesman_schemas::outcome::FailureClass;

use super::*;

/// The names of metrics in the sources below a folder.
fn used(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            used(&path, names);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for call in ["counter!(\"", "gauge!(\"", "histogram!(\""] {
            names.extend(text.split(call).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
}

#[test]
fn the_sources_use_what_the_table_has_and_nothing_else() {
    let mut names = BTreeSet::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for sources in ["engine/src", "connectors/src", "rules/src"] {
        used(&crates.join(sources), &mut names);
    }
    names.extend(named::names().map(str::to_owned));
    names.retain(|name| name.starts_with("linesman_") || name.starts_with("process_"));
    let table: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(table.len(), METRICS.len(), "a name is there twice");
    assert_eq!(names, table);
}

#[test]
fn names_and_helps_follow_the_conventions() {
    for Metric { name, kind, labels, help } in METRICS {
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(is_plain(name), "{name}");
        assert_eq!(name.ends_with("_total"), matches!(kind, Kind::Counter), "{name}");
        assert!(!matches!(kind, Kind::Seconds(_)) || name.ends_with("_seconds"), "{name}");
        for unit in ["seconds", "bytes"] {
            let is_said = help.contains(unit) || !name.contains(&format!("_{unit}"));
            assert!(is_said, "the help of {name} does not say its unit");
        }
        assert!(help.ends_with('.') && !help.contains('\n'), "{name}");
        for label in *labels {
            assert!(is_plain(label.name) && label.name != "le", "{name}");
        }
    }
}

#[test]
fn classes_of_failures_are_those_of_the_type() {
    let class = METRICS.iter().find(|metric| metric.name == "linesman_attempt_failures_total").unwrap();
    let label = class.labels.iter().find(|label| label.name == "class").unwrap();
    let Values::Words(words) = label.values else { panic!("{class:?}") };
    let classes = [
        FailureClass::Unavailable,
        FailureClass::Overloaded,
        FailureClass::Unauthorized,
        FailureClass::Garbled,
        FailureClass::Refused,
    ];
    assert_eq!(words(), classes.map(FailureClass::as_str));
}

#[test]
fn what_has_not_happened_is_zero_and_verbs_have_buckets() {
    let (recorder, metrics) = Metrics::recorder().unwrap();
    metrics::with_local_recorder(&recorder, || {
        metrics::histogram!("linesman_verb_seconds", "verb" => "decide").record(0.002);
    });
    let text = metrics.render();
    for line in [
        "# HELP linesman_dead_letters_total Inputs and reactions set aside.",
        "linesman_dead_letters_total{reason=\"unknown-organization\"} 0",
        "linesman_emit_retries_total 0",
        "# TYPE linesman_verb_seconds histogram",
        "linesman_verb_seconds_bucket{verb=\"decide\",le=\"0.001\"} 0",
        "linesman_verb_seconds_bucket{verb=\"decide\",le=\"0.0025\"} 1",
        "linesman_verb_seconds_count{verb=\"emit\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

const HEAD: &str = "\
# Metrics

Written by a test from the table of metrics (`engine/src/metrics/table.rs`); after a change of that table
`LINESMAN_BLESS=1 cargo test -p linesman --lib metrics` writes it anew.

`GET /metrics` with the token answers in the Prometheus text format, version 0.0.4. So that it is found there after every start,
give the engine a port of its own: `listen = \"127.0.0.1:8443\"`, where nothing said takes a free one.

    scrape_configs:
      - job_name: linesman
        scheme: https
        static_configs: [{ targets: [\"127.0.0.1:8443\"] }]
        authorization: { credentials_file: /var/lib/linesman/token }
        tls_config: { ca_file: /var/lib/linesman/tls/ca.pem }

Counters begin at 0 with the process. What is marked *later* appears when something is first counted or
seen; all else is there from the first scrape. Label sets are bounded: a value is a word of the program, the
number of a lane, or the template of a path. Of names from outside, organizations, policies and durable consumers become one, the
busiest 200 each, which is looked at every minute: who has not been busy for long makes room, and `other` counts what has no series
of its own, so that all of them together count each thing once. One that is called `other` counts there. With `names = false` in
`[metrics]` nobody is named. Organizations that send more than their quota are named in its metrics whatever that says, the first
100. What belongs to the process is read from `/proc`.
";

fn document() -> String {
    let mut text = HEAD.to_owned();
    for metric in METRICS {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Seconds(_) => "histogram",
        };
        let later = if is_later(metric) { ", later" } else { "" };
        text.push_str(&format!("\n## `{}`\n\n{} *{kind}{later}*\n", metric.name, metric.help));
        if !metric.labels.is_empty() {
            text.push('\n');
        }
        for label in metric.labels {
            let values = match label.values {
                Values::Words(words) => format!("`{}`", words().join("`, `")),
                Values::Few(bound) => bound.to_owned(),
                Values::Busiest(of) => {
                    format!(
                        "the busiest {} by name of the {of}, and `{}` for the rest",
                        named::NAMED_MOST,
                        named::OTHER
                    )
                }
            };
            text.push_str(&format!("- `{}`: {values}\n", label.name));
        }
    }
    text
}

/// Whether it may be absent from a first scrape: gauges by lane are there, those by destination only
/// when something was pending there.
fn is_later(metric: &Metric) -> bool {
    let is_there =
        |label: &Label| ["lane", "version"].contains(&label.name) || matches!(label.values, Values::Busiest(_));
    metric.from_the_start().is_none() && !metric.labels.iter().all(is_there)
}

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let text = document();
    if std::env::var_os("LINESMAN_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "docs/metrics.md is out of date: LINESMAN_BLESS=1 writes it anew");
}

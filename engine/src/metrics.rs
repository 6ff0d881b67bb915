//! What is measured, in the words an operator reads, and the recorder that keeps it.
//!
//! Counting happens where things happen; the gauges that have to be looked up are the edge's
//! (`edge::gauges`). Nothing listens here: the edge serves what [`Metrics::render`] says.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use linesman_schemas::dead_letter::Reason;

/// How long a verb takes per batch.
const VERB_SECONDS: &str = "linesman_verb_seconds";
/// Upper bounds in seconds: a batch of one takes some 100 us, one of a thousand some 10 ms.
const VERB_BUCKETS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The verbs that are measured.
const VERBS: [&str; 5] = ["receive", "decode", "decide", "emit", "apply"];

/// Name and meaning of every counter.
const COUNTERS: [(&str, &str); 21] = [
    ("linesman_inputs_total", "Messages decided, by kind and outcome"),
    ("linesman_verb_items_total", "Messages decoded and decided, rows applied, by verb"),
    ("linesman_dead_letters_total", "Dead letters, by reason"),
    ("linesman_triggers_total", "Triggers fired, by name"),
    ("linesman_reactions_total", "Reactions decided, by connector"),
    ("linesman_policy_failures_total", "Policies that failed, by kind of failure"),
    (
        "linesman_policies_refused_total",
        "Policy files refused, each text once, and rule directories that cannot be read",
    ),
    ("linesman_attempts_total", "Attempts at reactions, by connector"),
    ("linesman_attempt_failures_total", "Attempts that failed, by class of failure"),
    ("linesman_emit_retries_total", "Batches sent to the log again"),
    ("linesman_foreign_cases_total", "Cases an upstream told of that are not ours"),
    ("linesman_foreign_marks_total", "Batches sent again because somebody else has written on a lane's mark"),
    ("linesman_consumer_rebuilds_total", "Consumers made anew after a missed heartbeat or a gap"),
    ("linesman_lane_rebuilds_total", "Lanes rebuilt from the log"),
    ("linesman_lanes_sealed_total", "Lanes sealed because the log is not the one they were decided on"),
    ("linesman_store_set_aside_total", "Stores that did not open and were set aside"),
    ("linesman_nats_restarts_total", "Restarts of the embedded NATS server"),
    ("linesman_nats_slow_consumer_total", "Times NATS messages were dropped on their way in, to be read again"),
    ("linesman_api_requests_total", "Requests answered, by status"),
    ("linesman_log_messages_total", "Errors and warnings in the program's log, by level"),
    ("linesman_api_displaced_total", "Connections closed to make room, or for not taking their answer"),
];

/// Name and meaning of every gauge.
const GAUGES: [(&str, &str); 6] = [
    ("linesman_lane_position", "Sequence in IN of the last message a lane has applied"),
    (
        "linesman_lane_lag_sequences",
        "How far a lane's last message in IN lies ahead of its position; sequences count the messages of all lanes, so \
         this is the most the lane may be behind, and 0 when it has caught up; NaN when the log does not answer",
    ),
    (
        "linesman_lane_age_seconds",
        "While a lane is behind: how long ago the last message it has applied entered the log; 0 when it has caught \
         up; NaN when that is unknown",
    ),
    ("linesman_policies_refused", "Policy files that are refused as they are; for each, what was good last stays"),
    ("linesman_rule_book_version", "Version of the rule book that every lane judges by"),
    ("linesman_pending_reactions", "Reactions that are still to be carried out, by destination"),
];

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The recorder cannot be made.
    #[error("the recorder of metrics cannot be made")]
    Build(#[from] BuildError),
    /// There is one already.
    #[error("this process has a recorder of metrics already")]
    Taken,
}

/// What is measured.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// From here on the process's metrics are kept.
    ///
    /// # Errors
    /// Another recorder is installed.
    pub fn install() -> Result<Self, Error> {
        let (recorder, metrics) = Self::recorder()?;
        metrics::set_global_recorder(recorder).map_err(|_| Error::Taken)?;
        Ok(metrics)
    }

    /// A recorder that is not installed yet, and what it will have kept.
    pub(crate) fn recorder() -> Result<(PrometheusRecorder, Self), Error> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(VERB_SECONDS.to_owned()), &VERB_BUCKETS)?
            .build_recorder();
        metrics::with_local_recorder(&recorder, describe);
        let metrics = Self(recorder.handle());
        Ok((recorder, metrics))
    }

    /// Everything in the Prometheus text format, version 0.0.4.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds what histograms have gathered; without it they grow until someone reads them.
    pub fn run_upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// Says what each metric means, and begins at zero where the labels are known beforehand: a rise
/// from nothing to one is no rise to Prometheus.
fn describe() {
    for (name, meaning) in COUNTERS {
        metrics::describe_counter!(name, meaning);
    }
    for (name, meaning) in GAUGES {
        metrics::describe_gauge!(name, meaning);
    }
    metrics::describe_histogram!(VERB_SECONDS, "How long a verb takes for a batch, in seconds");
    for verb in VERBS {
        let _ = metrics::histogram!(VERB_SECONDS, "verb" => verb);
    }
    for reason in Reason::ALL {
        metrics::counter!("linesman_dead_letters_total", "reason" => reason.as_str()).increment(0);
    }
    for name in [
        "linesman_policies_refused_total",
        "linesman_emit_retries_total",
        "linesman_foreign_marks_total",
        "linesman_consumer_rebuilds_total",
        "linesman_lane_rebuilds_total",
        "linesman_lanes_sealed_total",
        "linesman_store_set_aside_total",
        "linesman_nats_restarts_total",
        "linesman_nats_slow_consumer_total",
        "linesman_api_displaced_total",
    ] {
        metrics::counter!(name).increment(0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

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
    fn every_metric_of_the_engine_is_described() {
        let mut names = BTreeSet::new();
        used(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
        names.retain(|name| name.starts_with("linesman_"));
        assert!(names.len() > 15, "{names:?}");
        let described: BTreeSet<_> =
            COUNTERS.iter().chain(&GAUGES).map(|(name, _)| *name).chain([VERB_SECONDS]).collect();
        let missing: Vec<_> = names.iter().filter(|name| !described.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn what_has_not_happened_is_zero_and_verbs_have_buckets() {
        let (recorder, metrics) = Metrics::recorder().unwrap();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!(VERB_SECONDS, "verb" => "decide").record(0.002);
        });
        let text = metrics.render();
        for line in [
            "# HELP linesman_dead_letters_total Dead letters, by reason",
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
}

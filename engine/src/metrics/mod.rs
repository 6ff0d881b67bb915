//! What is measured, in the words an operator reads, and the recorder that keeps it.
//!
//! Counting happens where things happen; the gauges that have to be looked up are the edge's
//! (`edge::gauges`). Nothing listens here: the edge serves what [`Metrics::render`] says.

pub mod named;
pub mod process;
mod section;
mod table;
#[cfg(test)]
mod tests;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

pub use self::section::{SECTION, names};
pub use self::table::{Kind, Label, METRICS, Metric, Values};

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
        let mut builder = PrometheusBuilder::new();
        for metric in METRICS {
            if let Kind::Seconds(bounds) = metric.kind {
                builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)?;
            }
        }
        let recorder = builder.build_recorder();
        metrics::with_local_recorder(&recorder, || {
            METRICS.iter().for_each(describe);
            process::begin();
        });
        let metrics = Self(recorder.handle());
        Ok((recorder, metrics))
    }

    /// Everything in the Prometheus text format, version 0.0.4.
    pub fn render(&self) -> String {
        let mut text = self.0.render();
        named::render(&mut text);
        text
    }

    /// Folds what histograms have gathered; without it they grow until someone reads them.
    pub fn run_upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// Begins at zero what fails of a connector.
pub fn begin_connector(name: &'static str) {
    for class in table::classes() {
        metrics::counter!("linesman_attempt_failures_total", "connector" => name, "class" => class).increment(0);
    }
}

/// Says what a metric means, and begins at zero where the labels are known beforehand: a rise from
/// nothing to one is no rise to Prometheus.
fn describe(metric: &'static Metric) {
    let labels = metric.from_the_start();
    match metric.kind {
        Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
        Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
        Kind::Seconds(_) => metrics::describe_histogram!(metric.name, metric.help),
    }
    match labels.as_deref() {
        None => {}
        Some([]) => begin(metric, &[]),
        Some(labels) => labels.iter().for_each(|label| begin(metric, &[*label])),
    }
}

/// Begins a counter or a histogram with these labels. What a gauge is has to be looked up first.
fn begin(metric: &Metric, labels: &[(&'static str, &'static str)]) {
    match metric.kind {
        Kind::Counter => metrics::counter!(metric.name, labels).increment(0),
        Kind::Gauge => {}
        Kind::Seconds(_) => drop(metrics::histogram!(metric.name, labels)),
    }
}

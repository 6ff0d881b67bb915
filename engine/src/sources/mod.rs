//! Runs what brings inputs by itself, beside reactions: a task for each source.
//!
//! ```text
//!  cursor of the state --> source --poll--> inputs --> in.<org>.<kind>.<source>
//!         ^                                   |  all of them in the log
//!         +----------- next cursor <----------+
//! ```
//!
//! What is the provider's goes by `intake` in place of a subject of its own.
//!
//! IMPORTANT: the next cursor is reported behind the inputs. What breaks off in between finds them again: they carry
//! ids by which a lane knows a repetition. Nothing is skipped.

mod cursors;
mod intake;
mod pace;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use linesman_connectors::{Input, Next, Polled, Source, Whose};
use linesman_schemas::OrgName;
use linesman_schemas::outcome::{Failure, FailureClass};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::failing::{Failed, Failing};
use crate::log::inputs;
pub use cursors::LaneCursors;
use intake::Found;
pub use intake::Intake;
pub use pace::Pace;

/// How long a drain waits for polls under way; what they found is found again.
const DRAIN: Duration = Duration::from_secs(10);
/// How long to wait before the log is asked again to take an input, doubled up to the greatest.
const RETRY: Duration = Duration::from_millis(250);
const RETRY_MOST: Duration = Duration::from_secs(10);

/// Where the cursors of sources are kept: rows of the state, changed by what is reported into the log.
pub trait Cursors: Send + Sync {
    /// Where a source goes on.
    ///
    /// The error is a text for people.
    fn read(&self, source: &str) -> Result<Known, String>;

    /// Puts what follows on what was read into the log, and ends once [`Self::read`] gives it, or what another has put
    /// there since: then it is passed over.
    ///
    /// The error is a text for people; the cursor may have got there nonetheless.
    fn report<'a>(&'a self, source: &'a str, next: Known) -> BoxFuture<'a, Result<(), String>>;
}

/// Where a source goes on, as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What its next poll begins from; none: from the beginning.
    pub cursor: Option<String>,
    /// The number of the report that said so; 0 before the first.
    pub number: u64,
}

/// What the sources need.
pub struct Sources {
    /// All sources.
    pub sources: Vec<Arc<dyn Source>>,
    /// Where inputs are published.
    pub client: Client,
    /// Where their cursors are kept.
    pub cursors: Arc<dyn Cursors>,
    /// What takes in what is the provider's.
    pub intake: Arc<Intake>,
    /// How they are paced after failures.
    pub pace: Pace,
    /// Where is told how they are.
    pub overview: watch::Sender<Overview>,
}

/// The sources there are, and how they are.
pub type Overview = BTreeMap<&'static str, SourceOverview>;

/// How a source is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceOverview {
    /// Whether it is left alone after it failed often.
    pub is_resting: bool,
    /// How it has failed since it was well last.
    pub failed: Option<Failed>,
}

impl Sources {
    /// Runs until told to stop, then waits a bounded while for polls under way.
    ///
    /// # Errors
    /// A source's task broke off.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), JoinError> {
        let mut tasks = JoinSet::new();
        let failing = Arc::new(Failing::of_sources());
        let begun = self.sources.iter().map(|source| (source.name(), SourceOverview::default()));
        self.overview.send_replace(begun.collect());
        for source in self.sources {
            let begun = ["linesman_source_polls_total", "linesman_source_inputs_total"];
            begun.into_iter().for_each(|name| metrics::counter!(name, "source" => source.name()).increment(0));
            failing.begin(source.name());
            let (client, cursors) = (self.client.clone(), Arc::clone(&self.cursors));
            let (intake, overview) = (Arc::clone(&self.intake), self.overview.clone());
            let failing = Arc::clone(&failing);
            let runner = Runner { source, client, cursors, intake, failing, overview };
            tasks.spawn(runner.run(self.pace.clone(), stop.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            ended?;
        }
        Ok(())
    }
}

/// One source's work.
struct Runner {
    source: Arc<dyn Source>,
    client: Client,
    cursors: Arc<dyn Cursors>,
    intake: Arc<Intake>,
    failing: Arc<Failing>,
    overview: watch::Sender<Overview>,
}

impl Runner {
    async fn run(self, mut pace: Pace, mut stop: watch::Receiver<bool>) {
        let name = self.source.name();
        loop {
            // A poll is not broken off at once: what it has begun to publish it ends, within a bound.
            let poll = self.poll_once();
            tokio::pin!(poll);
            let ended = tokio::select! {
                ended = &mut poll => Some(ended),
                _ = stop.wait_for(|stop| *stop) => None,
            };
            let ended = match ended {
                Some(ended) => Some(ended),
                None => timeout(DRAIN, &mut poll).await.ok(),
            };
            let wait = match ended {
                Some(Ok(has_more)) => {
                    self.failing.well(name);
                    pace.well(if has_more { Duration::ZERO } else { self.source.pause() })
                }
                Some(Err(failure)) => {
                    let class = failure.class.as_str();
                    metrics::counter!("linesman_source_failures_total", "source" => name, "class" => class)
                        .increment(1);
                    // The log is told of each: they come seldom.
                    let _ = self.failing.failed(name, &failure, Timestamp::now());
                    let wait = pace.failed(&failure);
                    let wait_s = wait.as_secs();
                    tracing::warn!(source = name, class, wait_s, error = failure.message, "a source failed");
                    wait
                }
                None => {
                    tracing::warn!(source = name, "a poll under way is left; it will be made again");
                    return;
                }
            };
            let is_resting = pace.is_resting();
            metrics::gauge!("linesman_source_resting", "source" => name).set(f64::from(u8::from(is_resting)));
            let state = SourceOverview { is_resting, failed: self.failing.of(name) };
            self.overview.send_if_modified(|known| known.insert(name, state.clone()).as_ref() != Some(&state));
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = sleep(wait) => {}
            }
        }
    }

    /// Polls once, publishes what was found, and reports where to go on; whether there is more.
    async fn poll_once(&self) -> Result<bool, Failure> {
        let name = self.source.name();
        let Known { cursor, number } =
            self.cursors.read(name).map_err(|error| unavailable(format!("its cursor cannot be read: {error}")))?;
        let since = Instant::now();
        let polled = AssertUnwindSafe(self.source.poll(cursor.as_deref())).catch_unwind().await;
        let Polled { inputs, outcome } = polled.unwrap_or_else(|_| {
            let message = format!("the source `{name}` broke off");
            let failure = Failure { class: FailureClass::Garbled, message, retry_after_s: None, cause: None };
            Polled { inputs: Vec::new(), outcome: Err(failure) }
        });
        metrics::counter!("linesman_source_polls_total", "source" => name).increment(1);
        metrics::histogram!("linesman_source_poll_seconds", "source" => name).record(since.elapsed().as_secs_f64());
        let is_empty = inputs.is_empty();
        for (number, input) in inputs.into_iter().enumerate() {
            self.check(&input)?;
            let found = Found { source: name, cursor: cursor.as_deref(), number };
            match &input.whose {
                Whose::Organization(org) => self.publish(org, &input).await,
                Whose::Provider => self.intake.take(&found, &input.payload).await?,
                Whose::Ours => match self.intake.ours()? {
                    Some(organizations) => {
                        for org in &organizations {
                            self.publish(org, &input).await;
                        }
                    }
                    None => self.intake.take(&found, &input.payload).await?,
                },
            }
            metrics::counter!("linesman_source_inputs_total", "source" => name).increment(1);
        }
        fail::fail_point!("sources::before-cursor");
        let Next { cursor: next, has_more } = outcome?;
        let has_moved = next != cursor;
        if has_moved {
            // Numbered by what the poll began from: one that another has overtaken is passed over.
            let next = Known { cursor: next, number: number.saturating_add(1) };
            let reported = self.cursors.report(name, next).await;
            reported.map_err(|error| unavailable(format!("its cursor cannot be kept: {error}")))?;
        }
        // The same place once more is no progress, nor is another with nothing before it: asked again after the pause.
        Ok(has_more && has_moved && !is_empty)
    }

    /// Whether the log can take an input at all: one that it refuses for ever is the source's failure.
    fn check(&self, input: &Input) -> Result<(), Failure> {
        let most = self.client.max_payload();
        let kinds: &[&str] = match input.whose {
            Whose::Organization(_) => &["jmb", "intel"],
            Whose::Provider | Whose::Ours => &["intel"],
        };
        let fault = if input.payload.len() > most {
            format!("an input of {} bytes; the log takes {most}", input.payload.len())
        } else if !kinds.contains(&input.kind) {
            format!("an input of the kind `{}`", input.kind)
        } else {
            return Ok(());
        };
        let message = format!("the source `{}` brought {fault}", self.source.name());
        Err(Failure { class: FailureClass::Garbled, message, retry_after_s: None, cause: None })
    }

    /// Goes on until the log has it.
    async fn publish(&self, org: &OrgName, input: &Input) {
        let subject = format!("in.{org}.{}.{}", input.kind, self.source.name());
        let mut wait = RETRY;
        while let Err(error) = inputs::put(&self.client, subject.clone(), input.payload.to_vec()).await {
            tracing::warn!(subject, %error, "an input waits for the log");
            sleep(wait).await;
            wait = (wait * 2).min(RETRY_MOST);
        }
    }
}

fn unavailable(message: String) -> Failure {
    Failure { class: FailureClass::Unavailable, message, retry_after_s: None, cause: None }
}

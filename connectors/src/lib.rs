//! The outside: whoever carries out a reaction, one folder each, and the one list of them.
//!
//! A connector acts once per call and says how that ended. It neither retries nor waits for a
//! better time nor remembers anything an effect depends on: pending reactions, retries and circuits
//! are state of the engine.

pub mod jss;
pub mod log;
mod secret;
pub mod settings;
#[cfg(feature = "standin")]
pub mod standin;
mod text;
pub mod tls;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use linesman_schemas as schemas;
use schemas::outcome::{CaseStanding, Done, Failure, FailureClass, Outcome};
use schemas::reaction::Task;

pub use secret::Secret;
use settings::{Entries, Section};

/// Carries out the reactions of one kind.
pub trait Connector: Send + Sync {
    /// Its name, as [`schemas::reaction::Action::connector`] spells it.
    fn name(&self) -> &'static str;

    /// How many tasks may be under way at one destination at a time, at least 1.
    fn concurrency(&self) -> usize;

    /// How many requests an hour the destination bears; whoever dispatches keeps the bound, with
    /// [`Attempted::requests`]. `None` where there is none.
    fn requests_per_hour(&self) -> Option<u32>;

    /// The most requests that one try makes, at least 1: what has to be free of the bound before it.
    fn requests_most(&self) -> u32;

    /// Tries once. The outcome carries every failure with its class; an action that is another
    /// connector's is refused. Ends within a time the connector's settings bound.
    fn carry_out<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Attempted>;
}

/// How a try ended and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// Requests made of the destination, failed ones and those for a token included.
    pub requests: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Of a poll: the cases that changed, to be reported before the poll's own outcome. A poll that
    /// failed midway has them too; its next try brings them again.
    pub changes: Vec<CaseStanding>,
}

impl Attempted {
    /// Done, without changes.
    fn done(requests: u32, done: Done) -> Self {
        Self { requests, outcome: Outcome::Done(done), changes: Vec::new() }
    }

    /// Failed, without changes.
    fn failed(requests: u32, failure: Failure) -> Self {
        Self { requests, outcome: Outcome::Failed(failure), changes: Vec::new() }
    }

    /// The answer of `connector` to a task that is not its own.
    fn misdirected(connector: &str, task: &Task) -> Self {
        let message = format!("an action for connector `{}` reached `{connector}`", task.action.connector());
        Self::failed(0, Failure { class: FailureClass::Refused, message, retry_after_s: None })
    }
}

/// What the connectors need to know.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The support system; without it there is no connector `jss`.
    pub upstream: Option<jss::Settings>,
}

impl Settings {
    /// Reads what the configuration says in [`sections`]; none where a table lacks what it needs.
    pub fn read(entries: &Entries) -> Option<Self> {
        let upstream = match entries.one(jss::SECTION.name) {
            Some(entry) => Some(jss::read(entry)?),
            None => None,
        };
        Some(Self { upstream })
    }
}

/// The sections of the connectors in the configuration, in the order in which they are printed.
pub fn sections() -> Vec<&'static Section> {
    vec![&jss::SECTION]
}

/// Why the connectors cannot be made from their settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The support system's settings are wrong.
    #[error("the settings of the support system cannot be used")]
    Jss(#[from] jss::SettingsError),
}

/// All connectors: the one list. A new connector is a folder and a line here.
pub fn connectors(settings: &Settings) -> Result<Vec<Arc<dyn Connector>>, Error> {
    let mut connectors: Vec<Arc<dyn Connector>> = vec![Arc::new(log::Log)];
    if let Some(upstream) = &settings.upstream {
        connectors.push(Arc::new(jss::Jss::new(upstream.clone())?));
    }
    Ok(connectors)
}

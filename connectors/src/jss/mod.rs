//! The support system's case API.

mod settings;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::reaction::Task;

use crate::{Attempted, Connector};

pub use settings::{Settings, SettingsError};

/// The connector `jss`.
#[derive(Debug)]
pub struct Jss {
    settings: Settings,
}

impl Jss {
    /// A client of the support system that `settings` name.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { settings })
    }
}

impl Connector for Jss {
    fn name(&self) -> &'static str {
        "jss"
    }

    fn concurrency(&self) -> usize {
        self.settings.concurrency
    }

    fn requests_per_hour(&self) -> Option<u32> {
        Some(self.settings.requests_per_hour)
    }

    fn carry_out<'a>(&'a self, _task: &'a Task) -> BoxFuture<'a, Attempted> {
        let message = "the client of the support system is not in this build".to_owned();
        ready(Attempted::failed(0, Failure { class: FailureClass::Unavailable, message, retry_after_s: None })).boxed()
    }
}

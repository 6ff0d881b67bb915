//! The operator's log: writes what a policy says with `log(...)` through `tracing`.
//!
//! Target `linesman::policy`, level info, fields `organization`, `reaction` and `fields` (one JSON
//! object). Nothing in a policy's text can break a line or forge one.

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use linesman_schemas::outcome::Done;
use linesman_schemas::reaction::{Action, LogLine, Task};

use crate::text::escaped;
use crate::{Attempted, Connector};

/// The connector `log`.
#[derive(Debug, Clone, Copy)]
pub struct Log;

impl Connector for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn concurrency(&self) -> usize {
        // It never waits itself, but each report does, for the log.
        64
    }

    fn requests_per_hour(&self) -> Option<u32> {
        None
    }

    fn requests_most(&self) -> u32 {
        1
    }

    fn carry_out<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Attempted> {
        let attempted = match &task.action {
            Action::Log(line) => {
                write(task, line);
                Attempted::done(0, Done::Logged)
            }
            Action::SubmitCase(_) | Action::PollCases { .. } => Attempted::misdirected(self.name(), task),
        };
        ready(attempted).boxed()
    }
}

fn write(task: &Task, line: &LogLine) {
    // JSON leaves DEL, C1 and the separators as they are: its text is escaped once more.
    let fields = escaped(&serde_json::Value::Object(line.fields.clone()).to_string());
    tracing::info!(
        target: "linesman::policy",
        organization = %task.org.as_ref().map_or("_provider", |org| org.as_str()),
        reaction = %escaped(task.id.as_str()),
        fields = %fields,
        "{}",
        escaped(&line.message),
    );
}

#[cfg(test)]
mod tests;

//! The operator's log: writes what a policy says with `log(...)` through `tracing`.
//!
//! Target `linesman::policy`, level info, fields `organization`, `reaction` and `fields` (one JSON
//! object). Nothing in a policy's text can break a line or forge one.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use linesman_schemas::Peer;
use linesman_schemas::notification::{LOG, Notification};
use linesman_schemas::outcome::Done;
use linesman_schemas::reaction::{Action, Task};

use crate::text::escaped;
use crate::{Attempted, Connector, Folder};

/// What belongs to the connector.
pub static FOLDER: Folder = Folder {
    name: NAME,
    section: None,
    notification: Some(&LOG),
    shown: |action| action.pointer("/log/message").and_then(|text| text.as_str()).unwrap_or_default().to_owned(),
    make: |_| Ok(Some(Arc::new(Log))),
    sources: |_| Ok(Vec::new()),
};

const NAME: &str = "log";

/// The connector `log`.
#[derive(Debug, Clone, Copy)]
pub struct Log;

impl Connector for Log {
    fn name(&self) -> &'static str {
        NAME
    }

    fn concurrency(&self, _: Option<&Peer>) -> usize {
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
            Action::Notify(line) if line.kind().connector == NAME => {
                write(task, line);
                Attempted::done(0, Done::Delivered)
            }
            _ => Attempted::misdirected(NAME, task),
        };
        ready(attempted).boxed()
    }
}

fn write(task: &Task, line: &Notification) {
    let fields = line.map("fields").cloned().unwrap_or_default();
    // JSON leaves DEL, C1 and the separators as they are: its text is escaped once more.
    let fields = escaped(&serde_json::Value::Object(fields).to_string());
    tracing::info!(
        target: "linesman::policy",
        organization = %task.org.as_ref().map_or("_provider", |org| org.as_str()),
        reaction = %escaped(task.id.as_str()),
        fields = %fields,
        "{}",
        escaped(line.text("message")),
    );
}

#[cfg(test)]
mod tests;

//! Cursors as lane 0 has them: read from its applied state, and changed by a report that it decides.

use async_nats::Client;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use linesman_domain::sources;
use linesman_schemas::SourceName;
use linesman_schemas::control::{Control, SourceCursor};
use linesman_schemas::name::NameError;
use tokio::sync::watch;

use super::{Cursors, Known};
use crate::lane::status::LaneStatus;
use crate::log::inputs;
use crate::logging::full;
use crate::store;

/// The cursors in lane 0.
pub struct LaneCursors {
    client: Client,
    rows: store::Lane,
    lane: watch::Receiver<LaneStatus>,
}

impl LaneCursors {
    /// Reads lane 0's `rows`, and reports through `client`; `lane` says how far it is.
    pub fn new(client: Client, rows: store::Lane, lane: watch::Receiver<LaneStatus>) -> Self {
        Self { client, rows, lane }
    }

    /// Puts a cursor into the log, and waits until the lane has applied it or passed it over for a later one.
    async fn put(&self, source: &str, Known { cursor, number }: Known) -> Result<(), String> {
        if self.lane.borrow().level < 2 {
            return Err("the log is decided at level 1, which knows no sources: `linesman level raise`".to_owned());
        }
        let report = SourceCursor { source: name(source)?, cursor, number };
        let payload = serde_json::to_vec(&Control::Cursor(report)).map_err(|error| full(&error))?;
        let put = inputs::put(&self.client, "p.0.ctl".to_owned(), payload).await;
        let sequence = put.map_err(|error| full(&error))?;
        let mut lane = self.lane.clone();
        let applied = lane.wait_for(|status| status.position >= sequence).await;
        applied.map(drop).map_err(|_| "lane 0 is gone".to_owned())
    }
}

fn name(source: &str) -> Result<SourceName, String> {
    source.parse().map_err(|error: NameError| error.to_string())
}

impl Cursors for LaneCursors {
    fn read(&self, source: &str) -> Result<Known, String> {
        let row = sources::read(&self.rows, &name(source)?).map_err(|error| full(&error))?;
        Ok(row.map(|row| Known { cursor: row.cursor, number: row.number }).unwrap_or_default())
    }

    fn report<'a>(&'a self, source: &'a str, next: Known) -> BoxFuture<'a, Result<(), String>> {
        self.put(source, next).boxed()
    }
}

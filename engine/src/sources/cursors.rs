//! Cursors as lane 0 has them: read from its applied state, and changed by a report that it decides.

use async_nats::Client;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use linesman_domain::sources::{self, CursorRow};
use linesman_schemas::SourceName;
use linesman_schemas::control::{Control, SourceCursor};
use linesman_schemas::name::NameError;
use tokio::sync::watch;

use super::Cursors;
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

    fn row(&self, source: &SourceName) -> Result<Option<CursorRow>, String> {
        sources::read(&self.rows, source).map_err(|error| full(&error))
    }

    /// Puts a cursor into the log, and waits until the lane has applied it or passed it over for a later one.
    async fn put(&self, source: &str, cursor: Option<&str>) -> Result<(), String> {
        let source = name(source)?;
        let number = self.row(&source)?.map_or(0, |row| row.number).saturating_add(1);
        let report = SourceCursor { source, cursor: cursor.map(str::to_owned), number };
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
    fn read(&self, source: &str) -> Result<Option<String>, String> {
        Ok(self.row(&name(source)?)?.and_then(|row| row.cursor))
    }

    fn report<'a>(&'a self, source: &'a str, cursor: Option<&'a str>) -> BoxFuture<'a, Result<(), String>> {
        self.put(source, cursor).boxed()
    }
}

//! How the sources are: what brings inputs by itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use linesman_domain::sources::CursorRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::failing::FailingTold;
use crate::sources::Overview;

/// How a source is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceState {
    /// Its name.
    source: String,
    /// Whether there is such a source; one that was there before is told of too.
    served: bool,
    /// Whether it is left alone for a while because it failed often.
    resting: bool,
    /// How it fails; null while it does not.
    failing: Option<FailingTold>,
    /// Where it goes on; none: from the beginning.
    cursor: Option<String>,
    /// When it was last said where it goes on, by the log's clock; none if never.
    reported: Option<Timestamp>,
}

/// The sources there are and those that have a cursor, by name.
pub(super) fn states(overview: &Overview, mut cursors: BTreeMap<String, CursorRow>) -> Vec<SourceState> {
    let names: BTreeSet<String> =
        cursors.keys().cloned().chain(overview.keys().map(|name| (*name).to_owned())).collect();
    let states = names.into_iter().map(|source| {
        let known = overview.get(source.as_str());
        let (cursor, reported) = cursors.remove(&source).map(|row| (row.cursor, row.reported)).unzip();
        SourceState {
            served: known.is_some(),
            resting: known.is_some_and(|known| known.is_resting),
            failing: known.and_then(|known| known.failed.clone()).map(FailingTold::of),
            cursor: cursor.flatten(),
            reported,
            source,
        }
    });
    states.collect()
}

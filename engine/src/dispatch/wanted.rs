//! Whether what is under way may still leave: as long as its row stands as it was handed out, nobody reviews it, and the
//! licence permits it.
//!
//! INVARIANT (nothing leaves behind the decision to hold it back): the row is looked at whenever its lane has applied
//! something, and before every request; where it cannot be read nothing leaves either.

use std::sync::Arc;

use linesman_connectors::Wanted;
use linesman_domain::reactions;
use linesman_domain::table::Table;
use linesman_domain::{Error, jobs};

use super::attempt::Shared;
use super::queue::Row;

/// What a connector asks of a row that was handed out.
pub(super) fn of(shared: &Arc<Shared>, row: &Arc<Row>) -> Wanted {
    let (asked, handed_out) = (Arc::clone(shared), Arc::clone(row));
    Wanted::new(move || may_leave(&asked, &handed_out), withdrawn(Arc::clone(shared), Arc::clone(row)))
}

/// Ends once it may not leave any more.
pub(super) async fn withdrawn(shared: Arc<Shared>, row: Arc<Row>) {
    let Some(mut lane) = shared.lane(row.lane) else { return };
    let mut sends = shared.sends.clone();
    loop {
        lane.mark_unchanged();
        sends.mark_unchanged();
        if !may_leave(&shared, &row) {
            return;
        }
        let is_closed = tokio::select! {
            changed = lane.changed() => changed.is_err(),
            changed = sends.changed() => changed.is_err(),
        };
        if is_closed {
            // The engine stops: what is under way is given the time that the drain has.
            return std::future::pending().await;
        }
    }
}

fn may_leave(shared: &Shared, row: &Row) -> bool {
    *shared.sends.borrow()
        && stands(shared, row).unwrap_or_else(|error| {
            metrics::counter!("linesman_dispatch_store_failures_total").increment(1);
            tracing::error!(reaction = %row.id, %error, "whether it may leave cannot be read; it is broken off");
            false
        })
}

/// Whether a row stands as it was handed out, and is not to be looked at anew.
fn stands(shared: &Shared, row: &Row) -> Result<bool, Error> {
    let lane = shared.store.lane(row.lane)?;
    if let Some(org) = &row.org
        && jobs::is_under_review(&lane, org.as_str())?
    {
        return Ok(false);
    }
    let found = Table::read(&lane, &reactions::key(row.id.as_str()))?;
    Ok(found.is_some_and(|found| found.attempt == row.attempt && !found.is_held && found.action == row.text))
}

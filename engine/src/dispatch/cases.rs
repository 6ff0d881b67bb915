//! Which of the cases that an upstream tells of are ours.

use jiff::ToSpan;
use linesman_schemas::outcome::CaseStanding;

use crate::domain::rows::{self, key};
use crate::log::streams::lane_of;
use crate::store::Store;

/// How far an upstream's clock may be behind the log's, in hours.
const SKEW_HOURS: i64 = 24;

/// Whether a case is one that we opened. A site has others too, whose tracking numbers may look like
/// incidents; and one that changed last long before ours was decided is of an earlier log.
pub(super) fn is_ours(store: &Store, lanes: usize, standing: &CaseStanding) -> bool {
    let incident = &standing.incident;
    let lane = lane_of(incident.org.as_str(), u32::try_from(lanes).unwrap_or(u32::MAX));
    let key = key::case(&incident.org, incident.number);
    let row = store.lane(lane).ok().and_then(|lane| rows::read(&lane, &key).ok().flatten());
    let is_ours =
        row.is_some_and(|row| standing.updated.checked_add(SKEW_HOURS.hours()).is_ok_and(|at| at >= row.opened));
    if !is_ours {
        metrics::counter!("linesman_foreign_cases_total").increment(1);
    }
    is_ours
}

//! Which of the cases that an upstream tells of are news of ours.

use jiff::ToSpan;
use linesman_schemas::outcome::CaseStanding;

use crate::log::streams::lane_of;
use crate::store::Store;
use linesman_domain::Error;
use linesman_domain::cases::{self, CaseRow};
use linesman_domain::table::Table;

/// How far an upstream's clock may be behind the log's, in hours.
const SKEW_HOURS: i64 = 24;

/// Whether a case is one that we opened, and stands otherwise than we know.
///
/// A site has others too, whose tracking numbers may look like incidents; and one that changed last long
/// before ours was decided is of an earlier log. Without a cursor, or from one that it has forgotten, the
/// upstream tells of every open case again.
///
/// # Errors
/// What is known of it cannot be read.
pub(super) fn is_news(store: &Store, lanes: u32, standing: &CaseStanding) -> Result<bool, Error> {
    let incident = &standing.incident;
    let lane = store.lane(lane_of(incident.org.as_str(), lanes))?;
    let row = Table::read(&lane, &cases::key(&incident.org, incident.number))?;
    let is_ours = |row: &CaseRow| standing.updated.checked_add(SKEW_HOURS.hours()).is_ok_and(|at| at >= row.opened);
    let Some(row) = row.filter(is_ours) else {
        metrics::counter!("linesman_foreign_cases_total").increment(1);
        return Ok(false);
    };
    Ok(standing.updated > row.updated
        || standing.case_id != row.case_id
        || standing.status != row.status
        || standing.link.as_deref().unwrap_or_default() != row.link)
}

//! What somebody sees of the audit.
//!
//! | who | what |
//! |---|---|
//! | an organization's manager | of its log the records at places in their sphere |
//! | one of the provider's people, with the right `audit` | the same of each organization; with all there is in the sphere, the provider's logs |
//! | whoever sees all of an organization | its log as a whole: proofs, checkpoints, exports that can be verified |

use linesman_domain::audit::{AuditRow, Owner, record};
use linesman_schemas::Place;
use linesman_schemas::audit::Record;

use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// Lets on whoever may read a log, or all that they see.
///
/// # Errors
/// They may not; or there is no such organization for them.
pub(super) fn admit(viewer: &Viewer, operation: &'static str, owner: Option<&Owner>) -> Result<(), Problem> {
    match owner {
        Some(Owner::Organization(org)) => viewer.may(operation, &Place::Organization(org.clone())),
        // Whoever does not see the provider's logs finds none.
        Some(Owner::Provider(_)) if !viewer.sees(None) => Ok(()),
        Some(Owner::Provider(_)) | None => viewer.may(operation, &viewer.home()),
    }
}

/// Whether they see a record of a log that was decided at `place`.
///
/// INVARIANT (sight): each record that is shown, searched or exported is asked for here, each time anew.
pub(super) fn is_seen(viewer: &Viewer, owner: &Owner, place: &str) -> bool {
    let lies_within = |place: Place| {
        // What was asked for elsewhere is no more seen than that.
        owner.organization().is_some_and(|org| place.organization() == Some(org)) && viewer.reach().covers(&place)
    };
    is_whole(viewer, owner) || place.parse().is_ok_and(lies_within)
}

/// What a record of a place that went tells of those who had more than that place.
const BEYOND: [&str; 3] = ["managers", "tokens", "of_provider"];

/// What stands in the text of such a record.
const REMOVAL: &str = r#""operation":"remove-place""#;

/// A record as they read it, if they see it at all: of a place that went nobody is told, who does not see all of the
/// organization, which managers and tokens lost it. Those reach beyond it.
///
/// # Errors
/// The record cannot be read.
pub(super) fn cut(viewer: &Viewer, owner: &Owner, mut row: AuditRow) -> Result<AuditRow, serde_json::Error> {
    let is_of_removal = row.body.as_ref().is_some_and(|body| body.contains(REMOVAL));
    if !is_of_removal || is_whole(viewer, owner) {
        return Ok(row);
    }
    let Some(mut read) = row.body.as_deref().map(serde_json::from_str::<Record>).transpose()? else { return Ok(row) };
    if let Some(fields) = read.old.as_object_mut() {
        fields.retain(|name, _| !BEYOND.contains(&name.as_str()));
        row.body = Some(record::text(read)?);
    }
    Ok(row)
}

/// Whether they see all records of a log, and so what is made of all of them.
pub(super) fn is_whole(viewer: &Viewer, owner: &Owner) -> bool {
    viewer.sees_whole(owner.organization())
}

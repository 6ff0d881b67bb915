//! What somebody sees of the audit.
//!
//! | who | what |
//! |---|---|
//! | an organization's manager | of its log the records at places in their sphere |
//! | one of the provider's people, with the right `audit` | the same of each organization; with all there is in the sphere, the provider's logs |
//! | whoever sees all of an organization | its log as a whole: proofs, checkpoints, exports that can be verified |

use linesman_domain::audit::Owner;
use linesman_schemas::Place;

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

/// Whether they see all records of a log, and so what is made of all of them.
pub(super) fn is_whole(viewer: &Viewer, owner: &Owner) -> bool {
    viewer.sees_whole(owner.organization())
}

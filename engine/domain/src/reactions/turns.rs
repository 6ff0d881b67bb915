//! Reactions that wait for their turn: they stand as pending, and are handed to nobody.

use linesman_schemas::reaction::{Action, Approved, Configure};
use linesman_schemas::{OrgName, ReactionId};

use super::{DEVICE, PendingRow, after, find, patience_s, renew};
use crate::Error;
use crate::desk::Desk;

/// A reaction waits; whether there is such a one.
pub(crate) fn wait(desk: &mut Desk, org: &OrgName, id: &ReactionId) -> Result<bool, Error> {
    let Some(row) = find(desk, org, id)? else { return Ok(false) };
    let waiting = PendingRow { is_held: true, ..row.clone() };
    renew(desk, id, &row, Some(waiting)).map(|()| true)
}

/// What a change of a device comes to is approved.
pub(crate) fn approve(desk: &mut Desk, org: &OrgName, id: &ReactionId, sha256: String) -> Result<(), Error> {
    let Some(row) = find(desk, org, id)? else { return Ok(()) };
    let Action::Configure(configure) = serde_json::from_str(&row.action)? else { return Ok(()) };
    let approved = Some(Approved { sha256: Some(sha256) });
    let action = Action::Configure(Box::new(Configure { approved, ..*configure }));
    let approved = PendingRow { action: serde_json::to_string(&action)?, ..row.clone() };
    renew(desk, id, &row, Some(approved))
}

/// The turn of one that has waited has come: its time begins.
pub(crate) fn begin(desk: &mut Desk, org: &OrgName, id: &ReactionId, is_held: bool) -> Result<(), Error> {
    let Some(row) = find(desk, org, id)? else { return Ok(()) };
    let (not_before, deadline) = (desk.now, after(desk.now, patience_s(desk, DEVICE)));
    let told = PendingRow { not_before, deadline, is_held, misses: 0, ..row.clone() };
    renew(desk, id, &row, Some(told))
}

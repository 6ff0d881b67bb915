//! Who acts on subscriptions that were made above.

use jiff::Timestamp;
use linesman_schemas::{Place, Principal, Privilege};

use super::{Asked, Grants, Need, Ruling, may};
use crate::Error;

/// Whether somebody may activate or deactivate at `place` a subscription that was made at `subscribed`, which is there or
/// above. It takes `activation` on all of `place`, and neither `subscription` nor anything above: whoever manages an
/// access line acts on what its line inherits, for that line alone.
///
/// # Errors
/// What was granted cannot be read.
pub fn may_activate(
    grants: &(impl Grants + ?Sized),
    principal: &Principal,
    (subscribed, place): (&Place, &Place),
    now: Timestamp,
) -> Result<Ruling, Error> {
    if !subscribed.covers(place) {
        return Ok(Ruling::Unseen);
    }
    let need = Need::Privilege(Privilege::Activation);
    may(grants, &Asked { principal, need, place, is_within: false, now })
}

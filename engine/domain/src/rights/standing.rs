//! How somebody stands to a manager: what may be done with its password, its tokens, its sessions.

use jiff::Timestamp;
use linesman_schemas::{Place, Principal, Privilege};

use super::chain::{Grants, Member, effective, settled};
use super::{Denial, Need, outside};
use crate::Error;

/// How somebody stands to a manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is they themselves.
    Oneself,
    /// They manage it.
    Managing,
    /// It stands above them: what they have was granted by it, or by whom it granted something.
    Below,
    /// They see it, and may not manage.
    Lacking(Denial),
    /// For them there is no such manager.
    Unseen,
}

/// How whoever asks stands to a manager. Who manages has the privilege `managers` and all of the other's sphere, and
/// does not owe its own to it.
///
/// # Errors
/// What was granted cannot be read.
pub fn standing(
    grants: &(impl Grants + ?Sized),
    principal: &Principal,
    other: &Member,
    now: Timestamp,
) -> Result<Standing, Error> {
    if matches!(principal, Principal::Configuration | Principal::Machine) {
        return Ok(Standing::Managing);
    }
    let Some(own) = effective(grants, principal, now)? else { return Ok(Standing::Unseen) };
    if principal.login().is_some_and(|login| login == other.login) {
        return Ok(Standing::Oneself);
    }
    if own.chain.contains(&other.login) {
        return Ok(Standing::Below);
    }
    if !settled(grants, other)?.sphere.is_within(&own.sphere) {
        return Ok(Standing::Unseen);
    }
    if !own.privileges.has(Privilege::Managers) {
        let place = other.login.organization.clone().map_or(Place::Provider, Place::Organization);
        return Ok(Standing::Lacking(outside(principal, Need::Privilege(Privilege::Managers), &place)));
    }
    Ok(Standing::Managing)
}

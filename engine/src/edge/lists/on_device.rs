//! The configuration groups of a device, as activations have them there.

use jiff::Timestamp;
use linesman_domain::activations::drift::{self, DriftRow};
use linesman_domain::activations::parts::{self, PartRow};
use linesman_domain::activations::pushes;
use linesman_domain::shelf::Shelf;
use linesman_domain::table::Table;
use linesman_schemas::{ApprovalId, OrgName, Place, PlacePath, ServiceName, SubscriptionName};
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::Walk;
use super::{Error, activations};
use crate::edge::words::{self, ActivationState};

/// A configuration group of a device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupOnDevice)]
pub(super) struct Group {
    /// Its name.
    group: String,
    /// The access line that it is for.
    #[schema(schema_with = words::place)]
    place: PlacePath,
    /// The activation.
    activation: String,
    /// The subscription that it is of.
    #[schema(value_type = String)]
    subscription: SubscriptionName,
    /// The service.
    #[schema(value_type = String)]
    service: ServiceName,
    /// How the activation stands there.
    state: ActivationState,
    /// Why it does not stand as it is to; empty for nothing.
    reason: String,
    /// Whether what it is being told is to be approved first, and is not.
    needs_approval: bool,
    /// By which approval, once the device was asked what it comes to.
    #[schema(value_type = Option<String>)]
    approval: Option<ApprovalId>,
    /// How the device was found to have it otherwise than it was told: `drifted`, or `accepted`; null where it was not, or is
    /// not so any more.
    drift: Option<&'static str>,
    /// Since when, as far as it was looked at.
    drifted_since: Option<Timestamp>,
}

/// The groups of a device by the names that activations may have for it, of the access lines that are seen.
///
/// # Errors
/// The store cannot be read.
pub(super) fn groups(walk: &Walk, org: &OrgName, names: &[&str]) -> Result<Vec<Group>, Error> {
    let Some(lane) = walk.lane(org) else { return Ok(Vec::new()) };
    let (mut found, shelf) = (Vec::new(), Shelf::default());
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() || names.iter().take(at).any(|before| before == name) {
            continue;
        }
        for row in parts::groups_of(lane, org, name) {
            walk.step()?;
            let (group, owner) = row?;
            if !walk.viewer().sees_place(&Place::Below(owner.line.clone())) {
                continue;
            }
            let part: Option<PartRow> = Table::read(lane, &parts::key(&owner.line, &owner.activation))?;
            let Some(part) = part else { continue };
            let (mut needs_approval, mut approval) = (false, None);
            if let Some(reaction) = &part.reaction {
                needs_approval = pushes::needs_approval(lane, reaction)?;
                approval = pushes::asked(lane, org, reaction)?;
            }
            let known: Option<DriftRow> = Table::read(lane, &drift::key(org, name, &group))?;
            let known = known.filter(|known| known.state != drift::State::InSync);
            let of = (&owner.line, owner.activation.as_str());
            let (state, reason) = activations::stands(walk.viewer(), (lane, &shelf), of, &part)?;
            found.push(Group {
                group,
                place: owner.line,
                activation: owner.activation,
                subscription: part.name,
                service: part.service,
                state,
                reason,
                needs_approval,
                approval,
                drift: known.as_ref().map(|known| known.state.as_str()),
                drifted_since: known.map(|known| known.since),
            });
        }
    }
    Ok(found)
}

//! What of a subscription is activated, and where: also what reaches no access line yet.

use jiff::Timestamp;
use linesman_domain::activations::{self, ACTIVATIONS_MOST, ActivationRow};
use linesman_domain::hidden::About;
use linesman_domain::shelf::Shelf;
use linesman_domain::subscriptions::SubscriptionRow;
use linesman_domain::table::Table;
use linesman_schemas::schedule::Schedule;
use linesman_schemas::{Place, SubscriptionName};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use super::walk::Walk;
use crate::edge::words::{self, ScheduleBody};
use crate::store::Lane;

/// An activation of a subscription.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivationOfSubscription)]
pub(super) struct Activated {
    /// Its id.
    activation: String,
    /// Where: all access lines there and below are meant.
    #[schema(schema_with = words::place)]
    place: Place,
    /// The values given with it.
    substitutions: Vec<String>,
    /// When it counts; null for always.
    #[schema(value_type = Option<ScheduleBody>)]
    schedule: Option<Schedule>,
    /// Whether it counts now, by its schedule.
    enabled: bool,
    /// When that changes next.
    #[schema(value_type = Option<String>, format = DateTime)]
    changes: Option<Timestamp>,
    /// Who made it; null for a subscription that is active by itself.
    by: Option<String>,
    /// When; null for a subscription that is active by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

impl Activated {
    fn new(activation: String, place: Place, row: ActivationRow) -> Self {
        Self {
            activation,
            place,
            substitutions: row.substitutions.into_iter().map(|given| given.text).collect(),
            schedule: row.schedule,
            enabled: row.is_enabled,
            changes: row.changes,
            by: Some(row.by),
            at: Some(row.at),
        }
    }
}

/// When a subscription counts that is active by itself.
pub(super) fn schedule(
    lane: &Lane,
    (place, name): (&Place, &SubscriptionName),
    subscription: &SubscriptionRow,
) -> Result<Option<Schedule>, Error> {
    let id = activations::id(place, name, []);
    let row = Table::read(lane, &activations::key(place, name, &id))?;
    Ok(row.filter(|row| row.number == subscription.number).and_then(|row| row.schedule))
}

/// The activations of a subscription that whoever walks sees, a thousand at the most; and whether there are more.
pub(super) fn activations(
    (walk, shelf): (&Walk, &Shelf),
    lane: &Lane,
    (place, name): (&Place, &SubscriptionName),
    subscription: &SubscriptionRow,
) -> Result<(Vec<Activated>, bool), Error> {
    let own = activations::id(place, name, []);
    let mut found = Vec::new();
    let mut is_scheduled = false;
    let Some(org) = place.organization() else { return Ok((found, false)) };
    for row in activations::all(lane, org) {
        walk.step()?;
        let (at, of, id, mut row) = row?;
        if of != *name || row.number != subscription.number || !walk.viewer().sees_place(&at) {
            continue;
        }
        if at == *place && id == own {
            // A subscription that is not active has a schedule that it does not count by.
            if !subscription.is_active {
                continue;
            }
            is_scheduled = true;
        }
        if found.len() >= ACTIVATIONS_MOST {
            return Ok((found, true));
        }
        // What the activation itself fixes is fixed above whoever is below it.
        let given = row.substitutions.clone();
        let about = (&at, About::Activation(name, &given));
        walk.viewer().reader().cut(lane, shelf, about, &mut row.substitutions, |given| &given.text)?;
        found.push(Activated::new(id, at, row));
    }
    if subscription.is_active && !is_scheduled {
        let itself = Activated {
            activation: own,
            place: place.clone(),
            substitutions: Vec::new(),
            schedule: None,
            enabled: true,
            changes: None,
            by: None,
            at: None,
        };
        found.insert(0, itself);
    }
    Ok((found, false))
}

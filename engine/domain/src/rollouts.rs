//! Which subscriptions go over to a version of their service, and which cannot: it may not be subscribed at their level, or
//! not follow the schedule that they have.

use std::collections::BTreeSet;

use linesman_rules::services::Level;
use linesman_schemas::{OrgName, Place, ServiceName};

use super::Error;
use super::activations;
use super::shelf::Shelf;
use super::state::Base;
use super::subscriptions::SubscriptionRow;

/// A version that subscriptions of an organization are to go over to.
#[derive(Debug)]
pub struct Target<'a> {
    service: &'a ServiceName,
    version: &'a str,
    /// Where it may be subscribed; none where nobody can say, because it cannot be used.
    levels: Option<Vec<Level>>,
    /// The subscriptions that have schedules, where it may follow none.
    scheduled: BTreeSet<u64>,
}

/// The level of a place.
pub const fn level_of(place: &Place) -> Level {
    match place {
        Place::Below(path) if path.line.is_some() => Level::Line,
        Place::Below(_) => Level::Site,
        Place::Organization(_) | Place::Provider => Level::Enterprise,
    }
}

impl<'a> Target<'a> {
    /// A version, for the subscriptions of an organization as they stand.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub fn read(
        base: &(impl Base + ?Sized),
        shelf: &Shelf,
        org: &OrgName,
        (service, version): (&'a ServiceName, &'a str),
    ) -> Result<Self, Error> {
        let globals = shelf.globals(base)?;
        let known = shelf.service(base, service, version, &globals)?;
        let mut scheduled = BTreeSet::new();
        if known.as_ref().is_some_and(|known| !known.definition.is_schedulable) {
            for row in activations::all(base, org) {
                let (.., row) = row?;
                scheduled.extend(row.schedule.map(|_| row.number));
            }
        }
        Ok(Self { service, version, levels: known.map(|known| known.definition.levels.clone()), scheduled })
    }

    /// Whether a subscription is to the service, and on another version.
    pub fn is_meant(&self, row: &SubscriptionRow) -> bool {
        row.service == *self.service && row.version != self.version
    }

    /// Why a subscription that was made at a place stays on its version; none where it goes over.
    pub fn refusal(&self, place: &Place, row: &SubscriptionRow) -> Option<String> {
        let service = self.service;
        if let Some(levels) = self.levels.as_ref().filter(|levels| !levels.contains(&level_of(place))) {
            let words: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
            return Some(format!(
                "`{service}` is subscribed at the level {}, and `{place}` is none",
                words.join(" or ")
            ));
        }
        let is_scheduled = self.scheduled.contains(&row.number);
        is_scheduled.then(|| format!("it has a schedule, and `{service}` is not `schedulable`; take the schedule away"))
    }
}

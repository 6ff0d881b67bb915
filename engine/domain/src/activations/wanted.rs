//! Which activations count at an access line: read from what stands on its path, most specific first.

use std::collections::BTreeMap;
use std::rc::Rc;

use linesman_schemas::{Place, SubscriptionName};

use super::{ActivationRow, all_at, cuts_at, id};
use crate::Error;
use crate::acquired::Wanted;
use crate::commands::is_policy;
use crate::state::Base;
use crate::subscriptions::{self, SubscriptionRow};
use crate::values::Given;

/// What stands at one place, of all subscriptions.
#[derive(Debug)]
pub struct Floor {
    place: Place,
    /// By name; each with the id that it has as an activation itself.
    subscriptions: BTreeMap<SubscriptionName, (Rc<SubscriptionRow>, String)>,
    activations: Vec<(SubscriptionName, String, ActivationRow)>,
    /// For which subscriptions, by name and number, activations of above end here.
    cuts: Vec<(SubscriptionName, u64)>,
}

impl Floor {
    /// What stands at a place.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub fn read(base: &(impl Base + ?Sized), place: &Place) -> Result<Self, Error> {
        let subscriptions = subscriptions::at(base, place);
        Ok(Self {
            place: place.clone(),
            subscriptions: subscriptions
                .map(|row| {
                    row.map(|(name, row)| {
                        let id = id(place, &name, []);
                        (name, (Rc::new(row), id))
                    })
                })
                .collect::<Result<_, _>>()?,
            activations: all_at(base, place).collect::<Result<_, _>>()?,
            cuts: cuts_at(base, place)
                .map(|row| row.map(|(name, row)| (name, row.number)))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// An activation that reaches an access line.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its id.
    pub id: String,
    /// The subscription's name.
    pub name: SubscriptionName,
    /// Where the subscription was made.
    pub subscribed: Place,
    /// The subscription.
    pub subscription: Rc<SubscriptionRow>,
    /// Where it was activated: there or below.
    pub activated: Place,
    /// The values given with it.
    pub substitutions: Rc<[Given]>,
    /// Whether it counts at the line now: its subscription does not rest, its schedule enables it, and nothing below
    /// ends it.
    pub is_on: bool,
    /// Whether it has a schedule: what counts now may not count then.
    pub is_scheduled: bool,
    /// Where it has one who made it so, unless that was a policy.
    pub author: Option<Rc<str>>,
    /// Whether nothing but its schedule keeps it from counting now, and will let it count later.
    pub waits: bool,
}

impl Wish {
    /// What its values at a place are acquired for.
    pub(super) fn wanted<'a>(&'a self, place: &'a Place) -> Wanted<'a> {
        Wanted {
            place,
            service: Some((&self.subscription.service, &self.subscription.version)),
            subscription: Some(&self.name),
            activation: Some((&self.activated, &self.substitutions)),
            instead: None,
        }
    }

    /// Whether it is not known that this one and another ever count at once: each has its schedule, and one waits for it.
    pub fn may_miss(&self, other: &Self) -> bool {
        (self.waits || other.waits) && self.is_scheduled && other.is_scheduled
    }
}

/// Which activations at lines are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope<'a> {
    /// The subscription of which all is said once more, changed or not.
    pub(crate) again: Option<&'a SubscriptionName>,
    /// The id of the one activation that something has changed of; none: all. What has a part already stands as it is.
    pub(crate) only: Option<&'a str>,
    /// The id of an activation that is rehearsed also where it counts only later, by its schedule.
    pub(crate) later: Option<&'a str>,
    /// The job that it is a slice of, where that is one of many lines.
    pub(crate) job: Option<u64>,
}

impl Scope<'_> {
    pub(super) fn has(&self, id: &str) -> bool {
        self.only.is_none_or(|only| only == id)
    }
}

/// The floors from a place up to its organization.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn path(base: &(impl Base + ?Sized), place: &Place) -> Result<Vec<Floor>, Error> {
    let mut floors = Vec::new();
    let mut next = Some(place.clone()).filter(|place| *place != Place::Provider);
    while let Some(place) = next {
        floors.push(Floor::read(base, &place)?);
        next = place.parent().filter(|above| *above != Place::Provider);
    }
    Ok(floors)
}

/// The activations that reach a line, by id; `floors` are those of its path, its own first. Of several subscriptions of
/// one name the most specific one takes the place of the others.
pub fn wishes<'a>(floors: impl IntoIterator<Item = &'a Floor>) -> BTreeMap<String, Wish> {
    let floors: Vec<&Floor> = floors.into_iter().collect();
    let mut found = BTreeMap::new();
    for (made, floor) in floors.iter().enumerate() {
        for (name, (row, own)) in &floor.subscriptions {
            let below = floors.get(..made).unwrap_or_default();
            if below.iter().any(|below| below.subscriptions.contains_key(name)) {
                continue;
            }
            // What was activated above the lowest cut ends there.
            let ends = |below: &&Floor| below.cuts.iter().any(|(of, number)| (of, *number) == (name, row.number));
            let end = below.iter().position(ends).unwrap_or(made);
            for (height, at) in floors.iter().enumerate().take(made + 1) {
                let reaches = height <= end && !row.is_suspended;
                for wish in at.wishes(name, (row, own), floor) {
                    let (is_on, waits) = (wish.is_on && reaches, wish.waits && reaches);
                    found.insert(wish.id.clone(), Wish { is_on, waits, ..wish });
                }
            }
        }
    }
    found
}

impl Floor {
    /// What was activated here of a subscription that was made at `made`.
    fn wishes(&self, name: &SubscriptionName, (row, own): (&Rc<SubscriptionRow>, &String), made: &Self) -> Vec<Wish> {
        let wish = |id: String, substitutions: &[Given], row_of: Option<&ActivationRow>| Wish {
            id,
            name: name.clone(),
            subscribed: made.place.clone(),
            subscription: Rc::clone(row),
            activated: self.place.clone(),
            substitutions: substitutions.into(),
            is_on: row_of.is_none_or(|given| given.is_enabled),
            is_scheduled: row_of.is_some_and(|given| given.schedule.is_some()),
            author: row_of
                .filter(|given| given.schedule.is_some() && !is_policy(&given.by))
                .map(|given| given.by.as_str().into()),
            waits: row_of.is_some_and(|given| !given.is_enabled && !given.is_over()),
        };
        let own = (made.place == self.place).then_some(own);
        let rows = self.activations.iter().filter(|(of, _, given)| of == name && given.number == row.number);
        let mut wishes: Vec<Wish> = rows
            .clone()
            .filter(|(_, id, _)| own != Some(id))
            .map(|(_, id, given)| wish(id.clone(), &given.substitutions, Some(given)))
            .collect();
        if let Some(own) = own.filter(|_| row.is_active) {
            let scheduled = rows.clone().find(|(_, id, _)| id == own);
            wishes.push(wish(own.clone(), &[], scheduled.map(|(_, _, given)| given)));
        }
        wishes
    }
}

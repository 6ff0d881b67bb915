//! What of values is hidden from whoever reads them: what is fixed above what they have a say in, of services that say
//! `hide_fixed`, and what comes of it.
//!
//! The provider's people are shown all. What is fixed at a place of theirs, or below one, is theirs; how the provider has
//! localized a service is nobody's below.

use std::collections::BTreeSet;

use linesman_rules::services::ServiceDefinition;
use linesman_rules::values::{Acquired, Acquisition, Source, Veil, Where, parse_substitution};
use linesman_schemas::{Place, Principal, ServiceName, SubscriptionName};

use super::acquired::{self, Wanted};
use super::desk::Desk;
use super::managers::Managers;
use super::rights::{self, Reach};
use super::shelf::Shelf;
use super::state::Base;
use super::values::Given;
use super::{Error, services, subscriptions};

/// From which engine level on refusals hide it.
pub(crate) const LEVEL: u32 = 6;

/// Who reads.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// What they have a say in; none: they are shown all.
    reach: Option<&'a Reach>,
}

/// The values at a place that texts are about.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    /// Those for all services.
    All,
    /// Of one service.
    Service(&'a ServiceName),
    /// Of a subscription that is seen there.
    Subscription(&'a SubscriptionName),
    /// Of an activation there of a subscription, with these values.
    Activation(&'a SubscriptionName, &'a [Given]),
}

impl<'a> Reader<'a> {
    /// Whoever is shown all.
    pub const fn of_provider() -> Self {
        Self { reach: None }
    }

    /// Somebody of an organization, who has a say in so much.
    pub const fn of_organization(reach: &'a Reach) -> Self {
        Self { reach: Some(reach) }
    }

    /// Whoever has a say in `reach`, or where there is none is shown all.
    pub(crate) const fn of(reach: Option<&'a Reach>) -> Self {
        Self { reach }
    }

    /// Whether they are shown all.
    pub const fn sees_all(self) -> bool {
        self.reach.is_none()
    }

    /// What is kept from them of values for a service.
    pub fn veil(self, service: &ServiceDefinition, values: &Acquisition<'_>) -> Veil {
        let Some(reach) = self.reach.filter(|_| service.hides_fixed) else { return Veil::default() };
        let is_theirs =
            |at: Where<'_>| at.source != Source::Localized && at.place.is_some_and(|place| reach.covers(place));
        values.veil(|found: &Acquired<'_, '_>| found.fixed_at().is_some_and(|at| !is_theirs(at)))
    }

    /// The parameters of which texts at a place are kept from them: those that are hidden there, or where they have a say
    /// below it.
    fn names(
        self,
        base: &(impl Base + ?Sized),
        shelf: &Shelf,
        place: &Place,
        about: About<'_>,
    ) -> Result<BTreeSet<String>, Error> {
        let mut names = BTreeSet::new();
        let (Some(reach), Some(org)) = (self.reach, place.organization()) else { return Ok(names) };
        let below = reach.places(org).filter(|below| *below != place && place.covers(below));
        let activation = match about {
            About::Activation(_, given) => Some((place, given)),
            _ => None,
        };
        for at in [place].into_iter().chain(below) {
            for (service, version, subscription) in contexts(base, at, about)? {
                let globals = shelf.globals(base)?;
                let known = shelf.service(base, &service, &version, &globals)?;
                let Some(known) = known.filter(|known| known.definition.hides_fixed) else { continue };
                let wanted = Wanted {
                    place: at,
                    service: Some((&service, &version)),
                    subscription: subscription.as_ref(),
                    activation,
                    instead: None,
                };
                let gathered = acquired::gather(base, shelf, &wanted)?;
                let veil = gathered.acquire(|values| self.veil(&known.definition, values));
                names.extend(veil.hidden().map(str::to_owned));
            }
        }
        Ok(names)
    }

    /// Takes out of what was given at a place what is kept from them; `text_of` gives the text of each.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub fn cut<T>(
        self,
        base: &(impl Base + ?Sized),
        shelf: &Shelf,
        (place, about): (&Place, About<'_>),
        given: &mut Vec<T>,
        text_of: impl Fn(&T) -> &str,
    ) -> Result<(), Error> {
        let Some(reach) = self.reach else { return Ok(()) };
        let is_theirs = reach.covers(place) && !matches!(about, About::Service(_));
        if given.is_empty() || is_theirs {
            return Ok(());
        }
        let names = self.names(base, shelf, place, about)?;
        if !names.is_empty() {
            given.retain(|given| {
                parse_substitution(text_of(given)).map_or(true, |said| !names.contains(said.name.as_str()))
            });
        }
        Ok(())
    }
}

/// For which versions of services values at a place count, and through which subscriptions.
fn contexts(
    base: &(impl Base + ?Sized),
    place: &Place,
    about: About<'_>,
) -> Result<Vec<(ServiceName, String, Option<SubscriptionName>)>, Error> {
    let is_meant = |name: &SubscriptionName, service: &ServiceName| match about {
        About::All => true,
        About::Service(wanted) => wanted == service,
        About::Subscription(wanted) | About::Activation(wanted, _) => wanted == name,
    };
    let seen = subscriptions::all_seen(base, place)?.into_iter();
    let seen = seen.filter(|(name, row)| is_meant(name, &row.service));
    let mut contexts: Vec<_> = seen.map(|(name, row)| (row.service, row.version, Some(name))).collect();
    if matches!(about, About::Subscription(_) | About::Activation(..)) {
        return Ok(contexts);
    }
    for row in services::all(base) {
        let (name, newest) = row?;
        if matches!(about, About::All) || matches!(about, About::Service(wanted) if *wanted == name) {
            contexts.push((name, newest.version, None));
        }
    }
    Ok(contexts)
}

/// What somebody who asks has a say in; none: they are told all.
pub(crate) fn reach_of(desk: &Desk, managers: &Managers, principal: &Principal) -> Result<Option<Reach>, Error> {
    let is_told_all = matches!(principal, Principal::Provider { .. } | Principal::Configuration | Principal::Machine);
    if is_told_all || !desk.is_at(LEVEL) {
        return Ok(None);
    }
    rights::reach(&managers.known(desk), principal, desk.now).map(Some)
}

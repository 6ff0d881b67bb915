//! The values of a place, acquired from its rows: what was given there and above it, for one service.

use std::rc::Rc;
use std::sync::Arc;

use linesman_rules::services::Service;
use linesman_rules::values::{
    Acquisition, Clause, Constraint, Edition, Fuel, Ground, Layer, Network, Runtime, Said, Source, Told, Value,
    acquire_by, evaluate, parse_substitution,
};
use linesman_schemas::{Place, PlacePath, ServiceName, SubscriptionName};

use super::Error;
use super::places::{self, PlaceRow};
use super::shelf::{Globals, Shelf};
use super::state::Base;
use super::subscriptions;
use super::table::Table;
use super::values::{self, Given, ValuesRow, Whose};

/// For what values are acquired.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where.
    pub place: &'a Place,
    /// For which version of which service; none for the global parameters alone.
    pub service: Option<(&'a ServiceName, &'a str)>,
    /// Through which subscription, as it is seen there; none for what all would have.
    pub subscription: Option<&'a SubscriptionName>,
    /// Where it was activated, and what is given with that.
    pub activation: Option<(&'a Place, &'a [Given])>,
    /// Values that are to stand in the place of those that do.
    pub instead: Option<Instead<'a>>,
}

/// Values that do not stand yet.
#[derive(Debug, Clone, Copy)]
pub struct Instead<'a> {
    /// At which place.
    pub place: &'a Place,
    /// Whose.
    pub whose: Whose<'a>,
    /// Which.
    pub given: &'a [Given],
}

/// What values are acquired from, gathered.
#[derive(Debug)]
pub struct Gathered {
    /// The version of the service.
    pub service: Option<Arc<Service>>,
    edition: Edition,
    globals: Globals,
    layers: Vec<Arc<Layer>>,
    runtime: Runtime,
}

impl Gathered {
    /// Acquires them, and hands them over.
    pub fn acquire<T>(&self, then: impl FnOnce(&Acquisition<'_>) -> T) -> T {
        let layers: Vec<&Layer> = self.layers.iter().map(|layer| &**layer).collect();
        let none = linesman_rules::values::Definition::default();
        let locals = self.service.as_ref().map_or(&none, |service| &service.definition.parameters);
        let (globals, runtime) = (&*self.globals.definition, &self.runtime);
        let ground = Ground { locals, globals, layers: &layers, runtime, has_other_services: true };
        then(&acquire_by(self.edition, ground))
    }
}

/// What many places have in common, read once: of good use while nothing of it changes.
#[derive(Debug, Default)]
pub(crate) struct Common {
    globals: Option<Globals>,
    services: Vec<(ServiceName, String, Option<Arc<Service>>)>,
    /// Sites and organizations.
    places: Vec<(Place, Rc<Tier>)>,
}

/// A subscription that values are acquired through: its name, where it was made, and its number.
pub(crate) type Through<'a> = (&'a SubscriptionName, &'a Place, u64);

/// What one place says to the values of a service through a subscription.
#[derive(Debug)]
struct Tier {
    service: Option<ServiceName>,
    subscription: Option<(SubscriptionName, u64)>,
    layers: Vec<Arc<Layer>>,
    row: Option<PlaceRow>,
}

/// Gathers what the values of a place are acquired from. Texts that cannot be read are left out: nothing that stands
/// was taken in unread.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn gather(base: &(impl Base + ?Sized), shelf: &Shelf, wanted: &Wanted<'_>) -> Result<Gathered, Error> {
    let subscription = match wanted.subscription {
        Some(name) => subscriptions::seen(base, wanted.place, name)?.map(|(made, row)| (name, made, row.number)),
        None => None,
    };
    let subscription = subscription.as_ref().map(|(name, made, number)| (*name, made, *number));
    gather_with(base, shelf, wanted, subscription, &mut Common::default())
}

/// As [`gather`], for one of many places: through a subscription that is known, by its name, where it was made, and its
/// number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn gather_with(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    wanted: &Wanted<'_>,
    subscription: Option<Through<'_>>,
    common: &mut Common,
) -> Result<Gathered, Error> {
    let globals = common.globals(base, shelf)?;
    let service = match wanted.service {
        Some((name, version)) => common.service(base, shelf, (name, version), &globals)?,
        None => None,
    };
    let mut layers = Vec::new();
    let mut runtime = Runtime::of([wanted.place]);
    if !shelf.knows_networks() {
        runtime.leave_out("interface_networks");
    }
    let mut next = Some(wanted.place.clone()).filter(|place| *place != Place::Provider);
    while let Some(place) = next {
        next = place.parent().filter(|above| *above != Place::Provider);
        let tier = common.tier(base, wanted, subscription, place)?;
        layers.extend(tier.layers.iter().cloned());
        if let Some(row) = &tier.row {
            tell(&mut runtime, row);
        }
    }
    if let Some((activated, given)) = wanted.activation.filter(|(_, given)| !given.is_empty()) {
        layers.push(Arc::new(layer(Source::Activation, activated, given)));
    }
    Ok(Gathered { service, edition: shelf.edition(), globals, layers, runtime })
}

impl Common {
    fn globals(&mut self, base: &(impl Base + ?Sized), shelf: &Shelf) -> Result<Globals, Error> {
        if let Some(globals) = &self.globals {
            return Ok(globals.clone());
        }
        let globals = shelf.globals(base)?;
        self.globals = Some(globals.clone());
        Ok(globals)
    }

    fn service(
        &mut self,
        base: &(impl Base + ?Sized),
        shelf: &Shelf,
        (name, version): (&ServiceName, &str),
        globals: &Globals,
    ) -> Result<Option<Arc<Service>>, Error> {
        let known = self.services.iter().find(|(known, of, _)| (known, of.as_str()) == (name, version));
        if let Some((.., service)) = known {
            return Ok(service.clone());
        }
        let service = shelf.service(base, name, version, globals)?;
        self.services.push((name.clone(), version.to_owned(), service.clone()));
        Ok(service)
    }

    /// What a place says; access lines, of which each is asked for once, are not kept.
    fn tier(
        &mut self,
        base: &(impl Base + ?Sized),
        wanted: &Wanted<'_>,
        subscription: Option<Through<'_>>,
        place: Place,
    ) -> Result<Rc<Tier>, Error> {
        let service = wanted.service.map(|(name, _)| name);
        let numbered = subscription.map(|(name, _, number)| (name, number));
        let is_same = |(known, tier): &&(Place, Rc<Tier>)| {
            let through = tier.subscription.as_ref().map(|(name, number)| (name, *number));
            (known, tier.service.as_ref(), through) == (&place, service, numbered)
        };
        if let Some((_, tier)) = self.places.iter().find(is_same) {
            return Ok(Rc::clone(tier));
        }
        let tier = Rc::new(Tier {
            service: service.cloned(),
            subscription: numbered.map(|(name, number)| (name.clone(), number)),
            layers: layers_of(base, wanted, subscription, &place)?,
            row: match &place {
                Place::Below(path) => Table::read(base, &places::key(path))?,
                Place::Organization(_) | Place::Provider => None,
            },
        });
        if !matches!(&place, Place::Below(path) if path.line.is_some()) {
            self.places.push((place, Rc::clone(&tier)));
        }
        Ok(tier)
    }
}

/// What stands at a place for a service and a subscription.
fn layers_of(
    base: &(impl Base + ?Sized),
    wanted: &Wanted<'_>,
    subscription: Option<Through<'_>>,
    place: &Place,
) -> Result<Vec<Arc<Layer>>, Error> {
    let (own, of_subscription) = sources(place);
    let mut layers = vec![layer(
        own,
        place,
        &given(wanted, (place, Whose::Own), || Table::read(base, &values::key(place, Whose::Own)))?,
    )];
    if let Some((name, made, number)) = subscription {
        let given =
            given(wanted, (place, Whose::Subscription(name)), || values::given_for(base, place, name, (made, number)))?;
        layers.push(layer(of_subscription, place, &given));
    }
    if let (Place::Organization(_), Some((service, _))) = (place, wanted.service) {
        let whose = Whose::Localized(service);
        let given = given(wanted, (place, whose), || Table::read(base, &values::key(place, whose)))?;
        layers.push(layer(Source::Localized, place, &given));
    }
    layers.retain(|layer| !layer.substitutions.is_empty());
    Ok(layers.into_iter().map(Arc::new).collect())
}

/// The sources of what a place has of its own, and for a subscription.
pub fn sources(place: &Place) -> (Source, Source) {
    match place {
        Place::Below(path) if path.line.is_some() => (Source::Line, Source::SubscriptionLine),
        Place::Below(_) => (Source::Site, Source::SubscriptionSite),
        Place::Organization(_) | Place::Provider => (Source::Enterprise, Source::SubscriptionEnterprise),
    }
}

/// The source of values at a place.
pub fn source_of(place: &Place, whose: Whose<'_>) -> Source {
    let (own, of_subscription) = sources(place);
    match whose {
        Whose::Own => own,
        Whose::Subscription(_) => of_subscription,
        Whose::Localized(_) => Source::Localized,
    }
}

/// What stands, unless something else is to.
fn given(
    wanted: &Wanted<'_>,
    (place, whose): (&Place, Whose<'_>),
    standing: impl FnOnce() -> Result<Option<ValuesRow>, Error>,
) -> Result<Vec<Given>, Error> {
    if let Some(instead) = wanted.instead
        && (instead.place, instead.whose) == (place, whose)
    {
        return Ok(instead.given.to_vec());
    }
    Ok(standing()?.map(|row| row.substitutions).unwrap_or_default())
}

fn layer(source: Source, place: &Place, given: &[Given]) -> Layer {
    let said = given.iter().filter_map(|given| {
        let substitution = parse_substitution(&given.text).ok()?;
        let told = Told { by: given.by.as_str().into(), at: given.at.to_string().into() };
        Some(Said { substitution, told: Some(told) })
    });
    Layer { source, place: Some(place.clone()), substitutions: said.collect() }
}

/// What the row of a place tells; a line is looked at before its site, and tells first.
fn tell(runtime: &mut Runtime, row: &PlaceRow) {
    let texts = [("device", &row.device), ("interface_name", &row.interface)];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        runtime.tell_first(name, Value::text(text));
    }
    if row.speed > 0 {
        runtime.tell_first("interface_speed", Value::Integer(i128::from(row.speed)));
    }
    if let Some(first) = row.addresses.first() {
        let (address, _) = first.split_once('/').unwrap_or((first, ""));
        runtime.tell_first("interface_address", Value::text(address));
        runtime.tell_first("interface_addresses", Value::list(row.addresses.iter().map(|text| Value::text(text))));
        let networks = row.addresses.iter().filter_map(|text| network(text)).map(Value::Network);
        runtime.tell_first("interface_networks", Value::list(networks));
    }
}

/// Of several places those whose addresses - a line's own, or where it has none its site's - hold all addresses and networks
/// that substitutions give; none where they give none.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn holding(
    base: &(impl Base + ?Sized),
    places: &[PlacePath],
    substitutions: &[String],
) -> Result<Vec<PlacePath>, Error> {
    let given: Vec<Value> = substitutions.iter().filter_map(|text| given_value(text)).filter(is_of_addresses).collect();
    let mut found = Vec::new();
    if given.is_empty() {
        return Ok(found);
    }
    for place in places {
        let mut row = Table::read(base, &places::key(place))?;
        if row.as_ref().is_none_or(|row| row.addresses.is_empty()) && place.line.is_some() {
            row = Table::read(base, &places::key(&PlacePath { line: None, ..place.clone() }))?;
        }
        let addresses = row.map(|row| row.addresses).unwrap_or_default();
        let networks = addresses.iter().filter_map(|text| network(text)).map(Value::Network);
        let Ok(own) = Constraint::of(Value::list(networks)) else { continue };
        if given.iter().all(|value| own.admits(value)) {
            found.push(place.clone());
        }
    }
    Ok(found)
}

/// The value that a substitution gives, where it refers to nothing.
fn given_value(text: &str) -> Option<Value> {
    match parse_substitution(text).ok()?.clause {
        Clause::Value(expression) if expression.is_closed() => {
            evaluate(&expression, &mut |_| None, &mut Fuel::default()).ok()
        }
        Clause::Value(_) | Clause::Declare | Clause::Within(_) => None,
    }
}

/// Whether a value is an address or a network, or a list of such.
fn is_of_addresses(value: &Value) -> bool {
    match value {
        Value::Address(_) | Value::Network(_) => true,
        Value::List(elements) => !elements.is_empty() && elements.iter().all(is_of_addresses),
        _ => false,
    }
}

/// The network of an address of a place, with or without a prefix length.
fn network(text: &str) -> Option<Network> {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    Network::around(address.parse().ok()?, length.map(str::parse).transpose().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_tells_the_networks_of_its_addresses() {
        for (text, expected) in [
            ("192.0.2.17/28", Some("192.0.2.16/28")),
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("2001:db8::7/64", Some("2001:db8::/64")),
            ("2001:db8::7", Some("2001:db8::7/128")),
            ("192.0.2.7/33", None),
            ("line-7", None),
        ] {
            assert_eq!(network(text).map(|network| network.to_string()).as_deref(), expected, "{text}");
        }
    }
}

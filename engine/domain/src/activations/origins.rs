//! From which parameters come the values that stand in what an activation sets at an access line, and in which words its
//! owner is told.
//!
//! It is found out where somebody asks, from the values as they are then; nothing of it is kept.

use std::collections::BTreeMap;

use linesman_rules::configuration::Leaf;
use linesman_rules::services::ServiceDefinition;
use linesman_rules::values::{Acquired, Source, Status};
use linesman_schemas::{Place, PlacePath};

use super::wanted::Wish;
use crate::Error;
use crate::acquired;
use crate::shelf::Shelf;
use crate::state::Base;

/// A parameter whose value stands in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub parameter: String,
    /// The source of the value that counts.
    pub source: Source,
    /// Where that stands; none for what is the same everywhere.
    pub place: Option<Place>,
}

/// What an activation sets at a line, by its words, with the parameters whose values stand there and that `shows` lets
/// pass. Empty where it comes to nothing.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn of(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    (line, wish): (&PlacePath, &Wish),
    shows: impl Fn(&ServiceDefinition, &Acquired<'_, '_>) -> bool,
) -> Result<BTreeMap<String, Vec<Origin>>, Error> {
    let place = Place::Below(line.clone());
    let gathered = acquired::gather(base, shelf, &wish.wanted(&place))?;
    let Some(service) = &gathered.service else { return Ok(BTreeMap::new()) };
    Ok(gathered.acquire(|values| {
        if !values.faults().is_empty() {
            return BTreeMap::new();
        }
        let origin = |name: &String| {
            let found = values.get(name).filter(|found| shows(&service.definition, found))?;
            let at = found.at()?;
            Some(Origin { parameter: name.clone(), source: at.source, place: at.place.cloned() })
        };
        let leaves = service.origins(values).into_iter();
        leaves.map(|(leaf, names)| (leaf.to_string(), names.iter().filter_map(origin).collect())).collect()
    }))
}

/// Who owns a leaf that an activation sets at a line, in words: the activation, its subscription, where it was activated, and
/// the parameters whose values stand in it. What is fixed and hidden where it is fixed is not named.
pub(super) fn owner(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    (line, wish): (&PlacePath, &Wish),
    leaf: &Leaf,
) -> Result<String, Error> {
    let is_told =
        |service: &ServiceDefinition, found: &Acquired<'_, '_>| !service.hides_fixed || found.status() != Status::Fixed;
    let origins = of(base, shelf, (line, wish), is_told)?.remove(&leaf.to_string()).unwrap_or_default();
    let names: Vec<String> = origins.iter().map(|origin| format!("`{}`", origin.parameter)).collect();
    let with = if names.is_empty() { String::new() } else { format!(", with {}", names.join(", ")) };
    Ok(format!("{}{with}", name((line, wish))))
}

/// Who that is without the parameters.
pub(super) fn name((line, wish): (&PlacePath, &Wish)) -> String {
    format!("`{}` of `{}` at `{}`, for `{line}`", wish.id, wish.name, wish.activated)
}

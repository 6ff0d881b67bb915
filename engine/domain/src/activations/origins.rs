//! From which parameters come the values that stand in what an activation sets at an access line, in which words its
//! owner is told, and what of it is hidden.
//!
//! It is found out where somebody asks, from the values as they are then; nothing of it is kept.

use std::collections::BTreeMap;

use linesman_rules::Strictness;
use linesman_rules::configuration::{Configuration, Leaf};
use linesman_rules::values::Source;
use linesman_schemas::{Place, PlacePath};

use super::parts::PartRow;
use super::wanted::{Wish, path, wishes};
use crate::Error;
use crate::acquired;
use crate::hidden::Reader;
use crate::rights::Reach;
use crate::shelf::Shelf;
use crate::state::Base;

/// What is said instead of why a part failed, where that may tell what is hidden.
const UNTOLD: &str = "why is not shown: it may tell what is fixed above and hidden";

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

/// What an activation sets at a line, by its words; empty where it comes to nothing.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    leaves: BTreeMap<String, Told>,
    /// Whether something of the values there is hidden.
    is_veiled: bool,
}

/// What is told of a statement.
#[derive(Debug, Clone, Default)]
struct Told {
    origins: Vec<Origin>,
    /// Whether a value that is hidden stands in it, or comes of one.
    is_hidden: bool,
}

impl Origins {
    /// The parameters whose values stand in a statement, but for those of which nothing is shown.
    pub fn of(&self, statement: &str) -> &[Origin] {
        self.leaves.get(statement).map(|told| told.origins.as_slice()).unwrap_or_default()
    }

    /// Whether anything of the values there is hidden.
    pub const fn is_veiled(&self) -> bool {
        self.is_veiled
    }

    /// Whether a statement is hidden. One that would not be rendered any more may hold what was hidden then.
    pub fn hides(&self, statement: &str) -> bool {
        self.leaves.get(statement).map_or(self.is_veiled, |told| told.is_hidden)
    }
}

/// What an activation sets at a line, as somebody is told of it who reads.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn of(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    (line, wish): (&PlacePath, &Wish),
    reader: Reader<'_>,
) -> Result<Origins, Error> {
    let place = Place::Below(line.clone());
    let gathered = acquired::gather(base, shelf, &wish.wanted(&place))?;
    let Some(service) = &gathered.service else { return Ok(unknown(reader)) };
    Ok(gathered.acquire(|values| {
        let veil = reader.veil(&service.definition, values);
        let is_veiled = !veil.is_empty();
        if !values.faults().is_empty() {
            return Origins { is_veiled, ..Origins::default() };
        }
        let origin = |name: &String| {
            let at = values.get(name).filter(|_| !veil.hides(name))?.at()?;
            Some(Origin { parameter: name.clone(), source: at.source, place: at.place.cloned() })
        };
        let told = service.origins(values).into_iter().map(|(leaf, names)| {
            let is_hidden = names.iter().any(|name| veil.covers(name));
            (leaf.to_string(), Told { origins: names.iter().filter_map(origin).collect(), is_hidden })
        });
        Origins { leaves: told.collect(), is_veiled }
    }))
}

/// The same of what a line's device has of an activation, be that gone.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn of_part(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    (line, id): (&PlacePath, &str),
    part: &PartRow,
    reader: Reader<'_>,
) -> Result<Origins, Error> {
    match wishes(&path(base, &Place::Below(line.clone()))?).get(id) {
        Some(wish) => of(base, shelf, (line, wish), reader),
        None if is_of_hiding(base, shelf, part)? => Ok(unknown(reader)),
        None => Ok(Origins::default()),
    }
}

/// What each template of its service renders of an activation at a line, by the template's file; nothing where it is not
/// wanted there any more, or comes to nothing.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn templates(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    (line, id): (&PlacePath, &str),
) -> Result<Vec<(String, Configuration)>, Error> {
    let place = Place::Below(line.clone());
    let wishes = wishes(&path(base, &place)?);
    let Some(wish) = wishes.get(id) else { return Ok(Vec::new()) };
    let gathered = acquired::gather(base, shelf, &wish.wanted(&place))?;
    let Some(service) = &gathered.service else { return Ok(Vec::new()) };
    Ok(gathered.acquire(|values| match values.faults().is_empty() {
        true => service.render_each(values, Strictness::Utmost).unwrap_or_default(),
        false => Vec::new(),
    }))
}

/// Whether something of what a line's device was told of an activation is hidden.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn hides(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    at: (&PlacePath, &str),
    part: &PartRow,
    reader: Reader<'_>,
) -> Result<bool, Error> {
    if reader.sees_all() || !is_of_hiding(base, shelf, part)? {
        return Ok(false);
    }
    let origins = of_part(base, shelf, at, part, reader)?;
    // It was printed from a configuration. Of what does not read as one nobody knows what stands in it.
    Ok(match Configuration::parse(part.to_hold()) {
        Ok(known) => known.leaves(Strictness::Utmost).iter().any(|leaf| origins.hides(&leaf.to_string())),
        Err(_) => origins.is_veiled,
    })
}

/// Why a part failed, in words for whoever reads and sees what `sees` says.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn reason<'a>(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    (line, id): (&PlacePath, &str),
    part: &'a PartRow,
    (reader, sees): (Reader<'_>, &dyn Fn(&Place) -> bool),
) -> Result<&'a str, Error> {
    let told = part.told(sees);
    // What tells of two is said so that all may read it.
    if told.is_empty() || part.against.is_some() {
        return Ok(told);
    }
    Ok(if may_quote(base, shelf, (line, id), part, reader)? { UNTOLD } else { told })
}

/// Whether what is said of a part, by its device too, may quote what is hidden from whoever reads.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn may_quote(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    (line, id): (&PlacePath, &str),
    part: &PartRow,
    reader: Reader<'_>,
) -> Result<bool, Error> {
    if reader.sees_all() || !is_of_hiding(base, shelf, part)? {
        return Ok(false);
    }
    let place = Place::Below(line.clone());
    Ok(match wishes(&path(base, &place)?).get(id) {
        None => true,
        Some(wish) => {
            let gathered = acquired::gather(base, shelf, &wish.wanted(&place))?;
            let service = gathered.service.as_ref();
            service.is_none_or(|known| gathered.acquire(|values| !reader.veil(&known.definition, values).is_empty()))
        }
    })
}

/// Whether a part's service hides what is fixed; where nobody can say, it does.
pub(crate) fn is_of_hiding(base: &(impl Base + ?Sized), shelf: &Shelf, part: &PartRow) -> Result<bool, Error> {
    let globals = shelf.globals(base)?;
    let service = shelf.service(base, &part.service, &part.version, &globals)?;
    Ok(service.is_none_or(|service| service.definition.hides_fixed))
}

/// Nobody can say what of it is hidden.
fn unknown(reader: Reader<'_>) -> Origins {
    Origins { is_veiled: !reader.sees_all(), ..Origins::default() }
}

/// Who owns a leaf that an activation sets at a line, in words: the activation, its subscription, where it was activated, and
/// the parameters whose values stand in it; and whether one of them is hidden from somebody. What is fixed and hidden where
/// it is fixed is not named.
pub(super) fn owner(
    base: &(impl Base + ?Sized),
    shelf: &Shelf,
    (line, wish): (&PlacePath, &Wish),
    leaf: &Leaf,
) -> Result<(String, bool), Error> {
    // Whoever has a say nowhere: the words are the same for all.
    let nowhere = Reach::default();
    let (statement, origins) = (leaf.to_string(), of(base, shelf, (line, wish), Reader::of_organization(&nowhere))?);
    let names: Vec<String> = origins.of(&statement).iter().map(|origin| format!("`{}`", origin.parameter)).collect();
    let with = if names.is_empty() { String::new() } else { format!(", with {}", names.join(", ")) };
    Ok((format!("{}{with}", name((line, wish))), origins.hides(&statement)))
}

/// Whether what an activation sets may be hidden from somebody.
pub(super) fn may_hide(base: &(impl Base + ?Sized), shelf: &Shelf, wish: &Wish) -> Result<bool, Error> {
    let (name, version) = (&wish.subscription.service, &wish.subscription.version);
    let service = shelf.service(base, name, version, &shelf.globals(base)?)?;
    Ok(service.is_none_or(|service| service.definition.hides_fixed))
}

/// Who that is without the parameters.
pub(super) fn name((line, wish): (&PlacePath, &Wish)) -> String {
    format!("`{}` of `{}` at `{}`, for `{line}`", wish.id, wish.name, wish.activated)
}

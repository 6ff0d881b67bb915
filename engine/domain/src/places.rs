//! Sites and access lines of organizations, and the devices tied to them.
//!
//! A device is tied to a place by name: its serial number or its host name. A place ties the one device that serves it;
//! besides each device may be tied to one place by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use jiff::Timestamp;
use linesman_schemas::{OrgName, Place, PlaceName, PlacePath};
use serde::{Deserialize, Serialize};

use super::Error;
use super::state::Base;
use super::table::{Key, Row, Table};

/// How many sites an organization may have.
pub const SITES_MOST: usize = 10_000;
/// How many access lines a site may have.
pub const LINES_MOST: usize = 200;
/// How many devices may be tied to one place by themselves.
pub const TIED_MOST: usize = 200;

/// A site or an access line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceRow {
    /// The name people see; empty for none.
    pub display_name: String,
    /// The device that serves it, by serial number or host name; empty for none.
    pub device: String,
    /// The interface there; empty for none.
    pub interface: String,
    /// Addresses, with or without a prefix length.
    pub addresses: Vec<String>,
    /// In bits per second; 0 for none.
    pub speed: u64,
    /// When it was defined.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub created: Timestamp,
    /// When it was changed last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub changed: Timestamp,
}

/// By what a device is tied to a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TieRow {
    /// The place names it as the device that serves it.
    pub is_served: bool,
    /// It is tied by itself.
    pub is_tied: bool,
}

/// Where a device is tied to by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TiedRow {
    /// The place.
    pub place: PlacePath,
}

/// How many sites an organization has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitesRow {
    /// How many.
    pub count: u64,
}

impl Row for SitesRow {}
impl Row for PlaceRow {}
impl Row for TieRow {}
impl Row for TiedRow {}

/// The table of places.
pub const PLACES: Table<PlaceRow> = Table::new(b'p');
/// The table of the devices tied to places, by place.
pub const TIES: Table<TieRow> = Table::new(b'D');
/// The table of where devices are tied to by themselves, by device.
pub const TIED: Table<TiedRow> = Table::new(b'T');

/// The table of how many sites organizations have.
pub const SITES: Table<SitesRow> = Table::new(b'P');

/// The key of how many sites an organization has.
pub fn sites_key(org: &OrgName) -> Key<SitesRow> {
    SITES.key(&[], org.as_str().as_bytes())
}

/// A place's name within its organization: `berlin`, `berlin/line-7`.
pub(crate) fn within(place: &PlacePath) -> String {
    match &place.line {
        Some(line) => format!("{}/{line}", place.site),
        None => place.site.as_str().to_owned(),
    }
}

/// The organization that a place lies in, and its name within that, which is empty for the organization itself.
pub(crate) fn own(place: &Place) -> (&str, String) {
    match place {
        Place::Provider => ("", String::new()),
        Place::Organization(org) => (org.as_str(), String::new()),
        Place::Below(place) => (place.organization.as_str(), within(place)),
    }
}

/// A place's key.
pub fn key(place: &PlacePath) -> Key<PlaceRow> {
    PLACES.key(&[place.organization.as_str()], within(place).as_bytes())
}

/// The front of the keys of an organization's places, from their own keys' beginning on.
pub fn below(org: &OrgName, own: &[u8]) -> Vec<u8> {
    PLACES.prefix(&[org.as_str()], own)
}

/// The key of a device's tie to a place.
pub fn tie_key(place: &PlacePath, device: &str) -> Key<TieRow> {
    TIES.key(&[place.organization.as_str(), &within(place)], device.as_bytes())
}

/// The key of where a device is tied to by itself.
pub fn tied_key(org: &OrgName, serial_number: &str) -> Key<TiedRow> {
    TIED.key(&[org.as_str()], serial_number.as_bytes())
}

/// All places below an organization, in the order of their names; a site is followed by others whose names begin as its
/// own before its lines.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all<'a>(
    base: &'a (impl Base + ?Sized),
    org: &'a OrgName,
) -> impl Iterator<Item = Result<(PlacePath, PlaceRow), Error>> + 'a {
    PLACES.rows(base, &[org.as_str()]).filter_map(move |row| {
        row.map(|(own, row)| Some((path(org, std::str::from_utf8(&own).ok()?)?, row))).transpose()
    })
}

/// The access lines of a site, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn lines<'a>(
    base: &'a (impl Base + ?Sized),
    org: &'a OrgName,
    site: &'a PlaceName,
) -> impl Iterator<Item = Result<(PlacePath, PlaceRow), Error>> + 'a {
    let front = PLACES.prefix(&[org.as_str()], format!("{site}/").as_bytes());
    Table::<PlaceRow>::scan(base, front).filter_map(move |row| {
        row.and_then(|(key, bytes)| {
            let row = super::table::decode(&key, &bytes)?;
            let own = key.get(1 + org.as_str().len() + 1..).and_then(|own| std::str::from_utf8(own).ok());
            Ok(own.and_then(|own| path(org, own)).map(|path| (path, row)))
        })
        .transpose()
    })
}

/// How many access lines a site has; no more than `most` are counted.
///
/// # Errors
/// The base cannot be read.
pub(crate) fn count_lines(base: &(impl Base + ?Sized), site: &PlacePath, most: usize) -> Result<usize, Error> {
    let front = PLACES.prefix(&[site.organization.as_str()], format!("{}/", site.site).as_bytes());
    Ok(base.stretch(Bound::Included(&front), &front, most)?.rows.len())
}

/// The access lines at a place and below, the first so many, and whether these are all.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn lines_of(
    base: &(impl Base + ?Sized),
    place: &Place,
    most: usize,
) -> Result<(Vec<PlacePath>, bool), Error> {
    let (lines, last) = lines_behind(base, place, &[], most)?;
    Ok((lines, last.is_none()))
}

/// The access lines at a place and below behind a key (empty: from the first on), so many at the most; the last one's key
/// where there may be more.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn lines_behind(
    base: &(impl Base + ?Sized),
    place: &Place,
    after: &[u8],
    most: usize,
) -> Result<(Vec<PlacePath>, Option<Vec<u8>>), Error> {
    let front = match place {
        Place::Provider => return Ok((Vec::new(), None)),
        Place::Below(path) if path.line.is_some() => {
            let is_there = is_within(base, place)?;
            return Ok((is_there.then(|| path.clone()).into_iter().collect(), None));
        }
        Place::Below(site) => PLACES.prefix(&[site.organization.as_str()], format!("{}/", site.site).as_bytes()),
        Place::Organization(org) => PLACES.prefix(&[org.as_str()], &[]),
    };
    let org = place.organization();
    let mut from = if after.is_empty() { Bound::Included(front.clone()) } else { Bound::Excluded(after.to_vec()) };
    let mut lines = Vec::new();
    loop {
        // No more than are wanted, of which some are sites: the last one that is wanted is the last that is read.
        let found = base.stretch(from.as_ref().map(Vec::as_slice), &front, most - lines.len())?;
        let last = found.rows.last().map(|(key, _)| key.clone()).filter(|_| !found.is_all);
        lines.extend(found.rows.iter().filter_map(|(key, _)| {
            let org = org?;
            let own = key.get(1 + org.as_str().len() + 1..)?;
            path(org, std::str::from_utf8(own).ok()?).filter(|place| place.line.is_some())
        }));
        match last {
            Some(last) if lines.len() < most => from = Bound::Excluded(last),
            last => return Ok((lines, last)),
        }
    }
}

/// A place itself and the access lines below it.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn with_lines(base: &(impl Base + ?Sized), place: &PlacePath) -> Result<Vec<PlacePath>, Error> {
    let mut found = vec![place.clone()];
    if place.line.is_none() {
        for line in lines(base, &place.organization, &place.site) {
            found.push(line?.0);
        }
    }
    Ok(found)
}

/// The place of an organization of that name within it.
pub fn path(org: &OrgName, own: &str) -> Option<PlacePath> {
    let (site, line) = own.split_once('/').map_or((own, None), |(site, line)| (site, Some(line)));
    let line = match line {
        Some(line) => Some(line.parse().ok()?),
        None => None,
    };
    Some(PlacePath { organization: org.clone(), site: site.parse().ok()?, line })
}

/// The place of an organization by its name within it, which is empty for the organization itself.
pub(crate) fn at(org: &OrgName, own: &str) -> Option<Place> {
    match own {
        "" => Some(Place::Organization(org.clone())),
        own => path(org, own).map(Place::Below),
    }
}

/// The names by which devices are tied to a place itself.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn ties<'a, B: Base + ?Sized>(
    base: &'a B,
    place: &PlacePath,
) -> impl Iterator<Item = Result<(String, TieRow), Error>> + use<'a, B> {
    let rows = TIES.rows(base, &[place.organization.as_str(), &within(place)]);
    rows.map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

/// The places that devices are tied to, by the devices' names, of organizations where somebody asked. What is kept is what
/// the rows of ties say.
#[derive(Debug, Default)]
pub(crate) struct Ties(BTreeMap<OrgName, BTreeMap<String, Vec<(PlacePath, TieRow)>>>);

impl Ties {
    /// Reads those of an organization, unless they are known.
    fn read(&mut self, base: &(impl Base + ?Sized), org: &OrgName) -> Result<(), Error> {
        if !self.0.contains_key(org) {
            let mut known: BTreeMap<String, Vec<(PlacePath, TieRow)>> = BTreeMap::new();
            for tie in TIES.rows(base, &[org.as_str()]) {
                let (own, row) = tie?;
                let own = std::str::from_utf8(&own).ok().and_then(|own| own.split_once('\0'));
                if let Some((within, device)) = own
                    && let Some(place) = path(org, within)
                {
                    known.entry(device.to_owned()).or_default().push((place, row));
                }
            }
            self.0.insert(org.clone(), known);
        }
        Ok(())
    }

    /// Hands over two access lines of a place, or the one that is there, of each device that serves several lines, in the
    /// order of the devices' names; as long as more are wanted.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub(crate) fn shared(
        &mut self,
        base: &(impl Base + ?Sized),
        org: &OrgName,
        place: &Place,
        mut more: impl FnMut(&[PlacePath]) -> bool,
    ) -> Result<(), Error> {
        self.read(base, org)?;
        for ties in self.0.get(org).into_iter().flat_map(BTreeMap::values) {
            let mut served = ties.iter().filter(|(line, row)| row.is_served && line.line.is_some());
            if served.clone().nth(1).is_none() {
                continue;
            }
            let here =
                served.by_ref().map(|(line, _)| line).filter(|line| place.covers(&Place::Below((*line).clone())));
            let two: Vec<PlacePath> = here.take(2).cloned().collect();
            if !two.is_empty() && !more(&two) {
                break;
            }
        }
        Ok(())
    }

    /// The places that a device of these names is tied to: those that it serves, or where there are none those that it is
    /// tied to by itself.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub(crate) fn of(
        &mut self,
        base: &(impl Base + ?Sized),
        org: &OrgName,
        names: [&str; 2],
    ) -> Result<Vec<PlacePath>, Error> {
        self.read(base, org)?;
        let known = self.0.get(org);
        let ties = names.into_iter().filter(|name| !name.is_empty()).filter_map(|name| known?.get(name)).flatten();
        let ties: Vec<&(PlacePath, TieRow)> = ties.collect();
        let serves: BTreeSet<&PlacePath> =
            ties.iter().filter(|(_, row)| row.is_served).map(|(place, _)| place).collect();
        if !serves.is_empty() {
            return Ok(serves.into_iter().cloned().collect());
        }
        let tied: BTreeSet<&PlacePath> = ties.iter().map(|(place, _)| place).collect();
        Ok(tied.into_iter().cloned().collect())
    }

    /// Whether a device of these names serves another line that is called as this one is, at another site.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub(crate) fn has_namesake(
        &mut self,
        base: &(impl Base + ?Sized),
        line: &PlacePath,
        names: [&str; 2],
    ) -> Result<bool, Error> {
        self.read(base, &line.organization)?;
        let known = self.0.get(&line.organization);
        let mut ties = names.into_iter().filter(|name| !name.is_empty()).filter_map(|name| known?.get(name)).flatten();
        Ok(ties.any(|(other, row)| row.is_served && other.line == line.line && other.site != line.site))
    }

    /// The ties of a place have changed; `before` are the devices that were tied to it.
    ///
    /// # Errors
    /// The base cannot be read, or a row of it.
    pub(crate) fn change(
        &mut self,
        base: &(impl Base + ?Sized),
        place: &PlacePath,
        before: &[String],
    ) -> Result<(), Error> {
        let Some(known) = self.0.get_mut(&place.organization) else { return Ok(()) };
        for device in before {
            if let Some(ties) = known.get_mut(device) {
                ties.retain(|(at, _)| at != place);
            }
        }
        for tie in ties(base, place) {
            let (device, row) = tie?;
            known.entry(device).or_default().push((place.clone(), row));
        }
        Ok(())
    }

    /// Something about the places of an organization has changed.
    pub(crate) fn forget(&mut self, org: &OrgName) {
        self.0.remove(org);
    }
}

/// The names of the devices that are tied to places or to what lies below them, all of one organization.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn devices<'a>(
    base: &(impl Base + ?Sized),
    within: impl IntoIterator<Item = &'a Place>,
) -> Result<BTreeSet<String>, Error> {
    let mut names = BTreeSet::new();
    for place in within {
        let Place::Below(place) = place else { continue };
        let mut gather = |place: &PlacePath| -> Result<(), Error> {
            ties(base, place).try_for_each(|tie| {
                tie.map(|(device, _)| {
                    names.insert(device);
                })
            })
        };
        gather(place)?;
        if place.line.is_none() {
            for line in lines(base, &place.organization, &place.site) {
                gather(&line?.0)?;
            }
        }
    }
    Ok(names)
}

/// Whether a device is tied, by one of its names, to one of the places or to what lies below it; an empty name is none.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn is_tied<'a>(
    base: &(impl Base + ?Sized),
    within: impl IntoIterator<Item = &'a Place>,
    names: [&str; 2],
) -> Result<bool, Error> {
    let is_tied_to = |place: &PlacePath| -> Result<bool, Error> {
        for name in names {
            if Table::read(base, &tie_key(place, name))?.is_some() && !name.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    for place in within {
        let Place::Below(place) = place else { continue };
        if is_tied_to(place)? {
            return Ok(true);
        }
        if place.line.is_none() {
            for line in lines(base, &place.organization, &place.site) {
                if is_tied_to(&line?.0)? {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Whether a place is there within its organization, which is. IMPORTANT: an organization's own row is written when a
/// batch ends, so what is decided never looks for it.
///
/// # Errors
/// The base cannot be read, or the row.
pub(crate) fn is_within(base: &(impl Base + ?Sized), place: &Place) -> Result<bool, Error> {
    match place {
        Place::Provider | Place::Organization(_) => Ok(true),
        Place::Below(place) => Ok(Table::read(base, &key(place))?.is_some()),
    }
}

/// Whether a place is there: an organization counts as such, what lies below it has a row.
///
/// # Errors
/// The base cannot be read.
pub fn is_there(base: &(impl Base + ?Sized), place: &Place) -> Result<bool, Error> {
    match place {
        Place::Provider => Ok(true),
        Place::Organization(org) => Ok(Table::read(base, &super::organizations::key(org))?.is_some()),
        Place::Below(place) => Ok(Table::read(base, &key(place))?.is_some()),
    }
}

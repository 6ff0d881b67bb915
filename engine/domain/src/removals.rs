//! Places that are gone, and still named in spheres of the provider's people or of their API tokens, or in what those
//! who are gone left to groups.
//!
//! Those are rows of lane 0, which every lane knows as the directory. So the lane of the place keeps that it is gone, and
//! lets nobody make a place of that name: whoever's sphere names it would see it. Whoever hands out what lanes have
//! decided brings it to lane 0 (`clear-place`), and what that makes of the directory comes back to the lane.
//!
//! Somebody may be granted a place while it goes and is made again, before the lane of the place knows of the grant. Then
//! they see the one that was made again, as if it had been granted after that: a grant is answered when all lanes know of
//! it, so until then nobody can tell which was first. Whoever is answered before it is removed loses it.
//!
//! INVARIANT (what is kept is named): a row stands only as long as the directory that the lane knows names its place.

use std::collections::BTreeSet;

use linesman_schemas::{Place, PlacePath};

use super::Error;
use super::desk::Desk;
use super::directory::Directory;
use super::managers::{Managers, left_to_groups};
use super::organizations::Organizations;
use super::places::{path, within};
use super::state::Base;
use super::table::{Key, Table};

/// From which engine level on they are kept.
pub(crate) const LEVEL: u32 = 5;

/// The table of places that are gone and still named.
pub const REMOVALS: Table<()> = Table::new(b'R');

fn key(place: &PlacePath) -> Key<()> {
    REMOVALS.key(&[place.organization.as_str()], within(place).as_bytes())
}

/// All places that are gone and still named, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<PlacePath, Error>> {
    REMOVALS.rows(base, &[]).filter_map(|row| {
        row.map(|(key, ())| {
            let (org, own) = std::str::from_utf8(&key).ok()?.split_once('\0')?;
            path(&org.parse().ok()?, own)
        })
        .transpose()
    })
}

/// A place is gone and still named.
pub(crate) fn begin(desk: &mut Desk, place: &PlacePath) -> Result<(), Error> {
    desk.write(key(place), &())
}

/// Another directory is known: those are forgotten that it does not name.
pub(crate) fn settle(desk: &mut Desk, managers: &Managers) -> Result<(), Error> {
    let places = all(desk.state()).collect::<Result<Vec<_>, _>>()?;
    for place in places {
        if managers.named(desk, &place)?.is_nobody() {
            desk.remove(key(&place));
        }
    }
    Ok(())
}

/// A directory is known that may name places of the lane which are gone already: whoever granted them did so while they
/// went.
pub(crate) fn find(desk: &mut Desk, organizations: &Organizations, directory: &Directory) -> Result<(), Error> {
    if !desk.is_at(LEVEL) {
        return Ok(());
    }
    let spheres = directory.people().map(|person| &person.grant.sphere);
    let spheres = spheres.chain(directory.tokens().filter_map(|token| token.sphere.as_ref()));
    let left = left_to_groups(desk, directory)?;
    let spheres = spheres.chain(left.iter().map(|(_, sphere)| sphere));
    let named: BTreeSet<&PlacePath> = spheres
        .flat_map(|sphere| sphere.places())
        .filter_map(|place| if let Place::Below(place) = place { Some(place) } else { None })
        .filter(|place| organizations.row(&place.organization).is_some())
        .collect();
    for place in named {
        // With a site go its lines.
        let is_kept = desk.read(&key(&PlacePath { line: None, ..place.clone() }))?.is_some();
        if !is_kept && desk.read(&super::places::key(place))?.is_none() {
            begin(desk, place)?;
        }
    }
    Ok(())
}

//! Places that are gone, and still named in spheres of the provider's people or of their API tokens.
//!
//! Those are rows of lane 0, which every lane knows as the directory. So the lane of the place keeps that it is gone, and
//! lets nobody make a place of that name: whoever's sphere names it would see it. Whoever hands out what lanes have
//! decided brings it to lane 0 (`clear-place`), and what that makes of the directory comes back to the lane.
//!
//! INVARIANT (what is kept is named): a row stands only as long as the directory that the lane knows names its place.

use linesman_schemas::PlacePath;

use super::Error;
use super::desk::Desk;
use super::managers::Managers;
use super::places::{path, within};
use super::state::Base;
use super::table::{Key, Table};

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

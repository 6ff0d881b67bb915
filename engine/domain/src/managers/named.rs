//! Whose spheres name a place.

use linesman_schemas::{GroupName, Place, PlacePath, Sphere};

use super::{Known, Managers};
use crate::Error;
use crate::desk::Desk;
use crate::directory::Directory;
use crate::rights::{self, settled};

/// Whose of the provider's spheres name a place, or something below it.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// How many people.
    pub(crate) people: usize,
    /// How many of their API tokens.
    pub(crate) tokens: usize,
    /// How many groups see it by what somebody who is gone left to them. Nobody has it, so it hangs on nothing.
    groups: usize,
}

impl Named {
    /// Whether nobody's does.
    pub(crate) const fn is_nobody(&self) -> bool {
        self.people == 0 && self.tokens == 0 && self.groups == 0
    }
}

impl Managers {
    /// Whose spheres name a place, or something below it, of the provider's people that are known here.
    pub(crate) fn named(&self, desk: &Desk, place: &PlacePath) -> Result<Named, Error> {
        let (known, place) = (self.known(desk), Place::Below(place.clone()));
        let mut named = Named::default();
        for person in self.directory.people() {
            named.people += usize::from(without(&settled(&known, person)?.sphere, &place).is_some());
        }
        let spheres = self.directory.tokens().filter_map(|token| token.sphere.as_ref());
        named.tokens = spheres.filter(|sphere| without(sphere, &place).is_some()).count();
        let left = left_to_groups(desk, &self.directory)?;
        named.groups = left.iter().filter(|(_, sphere)| without(sphere, &place).is_some()).count();
        Ok(named)
    }
}

/// What each group of a directory may be tied to at the most, since its granter is gone: everything, as long as it is
/// there. None before level 7, which took places that went out of the spheres of those alone who are there.
pub(crate) fn left_to_groups<'a>(desk: &Desk, directory: &'a Directory) -> Result<Vec<(&'a GroupName, Sphere)>, Error> {
    if !desk.is_at(7) {
        return Ok(Vec::new());
    }
    let known = Known::new(directory, desk.state());
    directory.groups().map(|group| Ok((&group.name, rights::left(&known, &group.granter)?.sphere))).collect()
}

/// A sphere without a place and what lies below it; none where it names nothing of that.
pub(crate) fn without(sphere: &Sphere, gone: &Place) -> Option<Sphere> {
    let is_named = sphere.places().iter().any(|own| gone.covers(own));
    is_named.then(|| Sphere::of(sphere.places().iter().filter(|own| !gone.covers(own)).cloned()))
}

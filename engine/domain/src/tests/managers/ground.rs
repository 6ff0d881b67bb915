//! Places that come and go under managers, groups and tokens.

use super::*;
use crate::removals;

impl Had {
    /// A place goes out of what was granted, with what lies below it, where it was named: who has all above it keeps it,
    /// should it come again. Whether it was named.
    fn lose(&mut self, place: &str) -> bool {
        let is_named = names(&self.places, place);
        if is_named {
            lose(&mut self.places, place);
        }
        is_named
    }
}

/// Whether a sphere names a place or something below it.
pub(super) fn names(sphere: &Names, place: &str) -> bool {
    let is_there = |name: &str| sphere.contains(name);
    let mut below = PLACES.into_iter().filter(|below| *below == place || below.starts_with(&format!("{place}/")));
    let above: Vec<_> = std::iter::successors(place.rsplit_once('/'), |(above, _)| above.rsplit_once('/')).collect();
    !is_there("/") && !above.iter().any(|(above, _)| is_there(above)) && below.any(is_there)
}

/// A place goes out of a sphere, with what lies below it.
pub(super) fn lose(sphere: &mut Names, place: &str) {
    sphere.retain(|own| *own != place && !own.starts_with(&format!("{place}/")));
}

impl Model {
    /// Whether somebody of an organization, or without one of the provider's, has a sphere that names a place, be it by a
    /// token.
    fn is_named(&self, whose: Option<&str>, place: &str) -> bool {
        let managers = self.managers.iter().any(|(login, had)| org(login) == whose && names(&had.places, place));
        managers
            || self.tokens.iter().any(|((login, _), key)| {
                org(login) == whose && key.sphere.as_ref().is_some_and(|sphere| names(sphere, place))
            })
    }

    /// Whether somebody's own sphere names a place, or that of one above them.
    fn is_of_chain(&self, login: &str, place: &str) -> bool {
        let mut chain = self.managers.iter().filter(|(other, _)| **other == login || self.is_above(other, login));
        chain.any(|(_, had)| names(&had.places, place))
    }

    /// Whether what granters who are gone left to a group names a place.
    fn is_left(&self, place: &str) -> bool {
        self.groups.values().any(|group| names(&group.left(), place))
    }

    /// Spheres lose a place; who of an organization has no other goes.
    fn lose(&mut self, whose: Option<&str>, place: &str) {
        for ((login, _), key) in &mut self.tokens {
            let sphere = key.sphere.as_mut().filter(|sphere| org(login) == whose && names(sphere, place));
            if let Some(sphere) = sphere {
                lose(sphere, place);
            }
        }
        for cut in self.groups.values_mut().flat_map(|group| &mut group.cut).filter(|_| whose.is_none()) {
            cut.lose(place);
        }
        let mut gone = Vec::new();
        for (login, had) in self.managers.iter_mut().filter(|(login, _)| org(login) == whose) {
            if had.lose(place) && had.places.is_empty() && whose.is_some() {
                gone.push(*login);
            }
        }
        for login in gone {
            self.remove(login);
        }
    }

    fn defines(&self, asker: &str, place: &str) -> bool {
        org(asker).is_none()
            && self.sees_place(asker, place)
            && self.effective(asker).is_some_and(|held| held.rights.contains("organizations"))
    }
}

impl World {
    fn place(&mut self) -> (&'static str, &'static str) {
        let place = *self.dice.one(&["acme/a", "acme/a/1", "acme/b", "bolt/c"]);
        let asker = if self.dice.next(3) == 0 { *self.dice.one(&LOGINS) } else { "admin" };
        (asker, place)
    }

    pub(super) fn make_place(&mut self) {
        let (asker, place) = self.place();
        self.make_place_at(asker, place);
    }

    pub(super) fn make_place_at(&mut self, asker: &'static str, place: &'static str) {
        let whose = org(place).unwrap();
        let is_there = self.model.ground.contains(place);
        let (site, _) = place.rsplit_once('/').unwrap();
        let is_right = self.model.defines(asker, place)
            && self.model.ground.contains(site)
            && (is_there || !(self.model.is_named(None, place) || self.model.is_left(place)));
        let verdict = self.ask(asker, Some(whose), &json!({"set_place": {"place": place}}));
        self.check(verdict, is_right);
        if is_right {
            self.model.ground.insert(place);
        }
        self.clear_gone();
    }

    pub(super) fn remove_place(&mut self) {
        let (asker, place) = self.place();
        let cascade = self.dice.next(2) == 0;
        self.remove_place_at(asker, place, cascade);
    }

    pub(super) fn remove_place_at(&mut self, asker: &'static str, place: &'static str, cascade: bool) {
        let whose = org(place).unwrap();
        let below = both(&below(&[place].into()), &self.model.ground);
        let hangs = below.len() > 1 || self.model.is_named(None, place) || self.model.is_named(Some(whose), place);
        let is_right = self.model.defines(asker, place)
            && self.model.ground.contains(place)
            && !self.model.is_of_chain(asker, place)
            && (cascade || !hangs);
        let verdict = self.ask(asker, Some(whose), &json!({"remove_place": {"place": place, "cascade": cascade}}));
        self.check(verdict, is_right);
        if is_right {
            self.model.ground.retain(|own| !below.contains(own));
            self.model.lose(Some(whose), place);
        }
        self.clear_gone();
    }

    /// What is gone is taken out of the provider's spheres, as the engine does.
    fn clear_gone(&mut self) {
        let gone: Vec<_> = removals::all(&self.lane.base).map(|place| place.unwrap().to_string()).collect();
        for place in gone {
            let version = self.version();
            assert_eq!(self.clear(&place, version).0, Verdict::Done, "{place}\n{}", self.log.join("\n"));
            self.model.lose(None, &place);
            self.log.push(format!("cleared {place}"));
        }
    }
}

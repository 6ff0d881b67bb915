//! The naive model: places are sets of all there are, and no chain is followed but by recursion.

use std::collections::{BTreeMap, BTreeSet};

use super::doors::Key;

pub(crate) const PLACES: [&str; 7] = ["/", "acme", "acme/a", "acme/a/1", "acme/b", "bolt", "bolt/c"];
pub(crate) const PRIVILEGES: [&str; 4] = ["subscription", "substitution", "activation", "managers"];
pub(crate) const RIGHTS: [&str; 4] = ["policies", "cases", "organizations", "audit"];
pub(crate) const STEPS: [&str; 4] = ["none", "own", "any", "delegate"];

pub(crate) type Names = BTreeSet<&'static str>;

/// What somebody was granted, as the model has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Had {
    /// Every place in the sphere.
    pub(crate) places: Names,
    pub(crate) privileges: Names,
    pub(crate) rights: Names,
    pub(crate) step: usize,
    pub(crate) granter: Option<&'static str>,
}

/// All places at and below some.
pub(crate) fn below(places: &Names) -> Names {
    let is_below = |place: &str| {
        places.iter().any(|above| *above == "/" || *above == place || place.starts_with(&format!("{above}/")))
    };
    PLACES.into_iter().filter(|place| is_below(place)).collect()
}

pub(crate) fn both(a: &Names, b: &Names) -> Names {
    a.intersection(b).copied().collect()
}

impl Had {
    pub(crate) fn everything() -> Self {
        Self { places: PLACES.into(), privileges: PRIVILEGES.into(), rights: RIGHTS.into(), step: 3, granter: None }
    }

    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            places: both(&self.places, &other.places),
            privileges: both(&self.privileges, &other.privileges),
            rights: both(&self.rights, &other.rights),
            step: self.step.min(other.step),
            granter: other.granter,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Tied {
    pub(crate) members: Names,
    pub(crate) organizations: Names,
    /// The organizations of which it has a device group.
    pub(crate) device_groups: Names,
    pub(crate) granter: &'static str,
    /// What the granter had that is gone since.
    pub(crate) cut: Vec<Had>,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) managers: BTreeMap<&'static str, Had>,
    pub(crate) groups: BTreeMap<&'static str, Tied>,
    /// The places that are there.
    pub(crate) ground: Names,
    pub(crate) tokens: BTreeMap<(&'static str, &'static str), Key>,
}

pub(crate) fn org(login: &str) -> Option<&str> {
    login.split_once('/').map(|(org, _)| org)
}

impl Model {
    pub(crate) fn effective(&self, login: &str) -> Option<Had> {
        let own = self.managers.get(login)?;
        match own.granter {
            None => Some(own.clone()),
            Some(granter) => Some(own.and(&self.effective(granter)?)),
        }
    }

    pub(crate) fn is_above(&self, above: &str, login: &str) -> bool {
        let granter = self.managers.get(login).and_then(|had| had.granter);
        granter.is_some_and(|granter| granter == above || self.is_above(above, granter))
    }

    /// Whether somebody sees another as one to manage.
    pub(crate) fn sees(&self, asker: &str, other: &str) -> bool {
        let (held, had) = (self.effective(asker).unwrap(), &self.managers[other]);
        (org(other).is_some() || org(asker).is_none())
            && had.places.is_subset(&held.places)
            && (!had.places.is_empty() || held.places.contains(org(other).unwrap_or("/")))
            && self.tied(other).is_subset(&held.places)
    }

    /// What the groups are tied to that somebody is in.
    pub(crate) fn tied(&self, login: &str) -> Names {
        let groups = self.groups.values().filter(|group| group.members.contains(login));
        groups.flat_map(|group| group.organizations.union(&group.device_groups).copied()).collect()
    }

    pub(crate) fn manages(&self, asker: &str, other: &str) -> bool {
        asker != other && other != "admin" && self.sees(asker, other) && !self.is_above(other, asker)
    }

    pub(crate) fn may_set(&self, asker: &'static str, login: &'static str, wish: &Wish) -> bool {
        let Some(held) = self.effective(asker) else { return false };
        let is_new = !self.managers.contains_key(login);
        let is_at_home = org(asker) == org(login)
            || (org(asker).is_none() && org(login).is_some_and(|org| self.touches(asker, org)));
        let places = wish.places.as_ref();
        let is_within = places.is_none_or(|places| {
            below(places).is_subset(&held.places)
                && places
                    .iter()
                    .all(|place| org(login).is_none_or(|org| *place == org || place.starts_with(&format!("{org}/"))))
                && (org(login).is_none() || places.is_subset(&self.ground))
        });
        let has_some = (org(login).is_none() && held.places.contains("/"))
            || places.map_or(!is_new && !self.managers[login].places.is_empty(), |places| !places.is_empty());
        is_at_home
            && held.privileges.contains("managers")
            && (is_new || self.manages(asker, login))
            && is_within
            && has_some
            && wish.privileges.as_ref().is_none_or(|given| given.is_subset(&held.privileges))
            && wish.rights.as_ref().is_none_or(|(rights, step)| {
                rights.is_subset(&held.rights)
                    && *step <= held.step
                    && (org(login).is_none() || (rights.is_empty() && *step == 0))
            })
    }

    pub(crate) fn may_remove(&self, asker: &'static str, login: &'static str) -> bool {
        let Some(held) = self.effective(asker) else { return false };
        let is_at_home = org(asker) == org(login)
            || (org(asker).is_none() && org(login).is_some_and(|org| self.touches(asker, org)));
        is_at_home
            && held.privileges.contains("managers")
            && self.managers.contains_key(login)
            && self.manages(asker, login)
    }

    pub(crate) fn set(&mut self, asker: &'static str, login: &'static str, wish: &Wish) {
        let had = self.managers.entry(login).or_insert_with(|| Had { granter: Some(asker), ..Had::default() });
        if let Some(places) = &wish.places {
            had.places = below(places);
        }
        if let Some(privileges) = &wish.privileges {
            had.privileges.clone_from(privileges);
        }
        if let Some((rights, step)) = &wish.rights {
            had.rights.clone_from(rights);
            had.step = *step;
        }
    }

    /// Whoever was granted something by somebody who goes is their granter's, intersected.
    pub(crate) fn remove(&mut self, login: &'static str) {
        let gone = self.managers.remove(login).unwrap();
        self.tokens.retain(|(owner, _), _| *owner != login);
        for had in self.managers.values_mut().filter(|had| had.granter == Some(login)) {
            *had = had.and(&gone);
        }
        for group in self.groups.values_mut() {
            group.members.remove(login);
            if group.granter == login {
                group.granter = gone.granter.unwrap();
                group.cut.push(gone.clone());
            }
        }
    }

    /// What somebody sees by groups.
    pub(crate) fn by_groups(&self, login: &str) -> Names {
        let groups = self.groups.values().filter(|group| group.members.contains(login));
        let seen = groups.flat_map(|group| {
            let held = self.effective(group.granter).unwrap();
            let tied = both(&below(&group.organizations), &held.places);
            group.cut.iter().fold(tied, |seen, cut| both(&seen, &cut.places))
        });
        seen.collect()
    }

    pub(crate) fn sees_place(&self, login: &str, place: &str) -> bool {
        self.effective(login).is_some_and(|held| held.places.contains(place)) || self.by_groups(login).contains(place)
    }

    /// Whether somebody sees something at or below an organization.
    pub(crate) fn touches(&self, login: &str, org: &str) -> bool {
        PLACES.into_iter().any(|place| below(&[leak(org)].into()).contains(place) && self.sees_place(login, place))
            || self.device_groups(login).contains(org)
    }

    /// The organizations of which somebody sees a device group, and not all.
    pub(crate) fn device_groups(&self, login: &str) -> Names {
        let groups = self.groups.values().filter(|group| group.members.contains(login));
        let tied = groups.flat_map(|group| {
            let held = self.effective(group.granter).unwrap().places;
            let held = group.cut.iter().fold(held, |held, cut| both(&held, &cut.places));
            both(&group.device_groups, &held)
        });
        tied.filter(|org| !self.sees_place(login, org)).collect()
    }
}

/// One of the names there are.
pub(crate) fn leak(name: &str) -> &'static str {
    PLACES.into_iter().find(|place| *place == name).unwrap()
}

/// What is to be set; nothing stays.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) places: Option<Names>,
    pub(crate) privileges: Option<Names>,
    pub(crate) rights: Option<(Names, usize)>,
}

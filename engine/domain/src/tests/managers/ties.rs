//! What groups are tied to, as the model has it: each tie by whoever tied it, and what of it those left who are gone.

use super::model::Tied;
use super::*;

/// What a group is to have; what is none stays.
#[derive(Debug, Clone)]
pub(super) struct TiesWish {
    pub(super) members: Option<Names>,
    pub(super) organizations: Option<Names>,
    pub(super) device_groups: Option<Names>,
}

impl Tied {
    /// What those who are gone left to it.
    pub(super) fn left(&self) -> Names {
        self.cut.iter().fold(PLACES.into(), |left, gone| both(&left, &gone.places))
    }

    /// What it would be tied to; none where it keeps a part of an organization that somebody left to it who is gone, and
    /// more is tied beside.
    fn with(&self, wish: &TiesWish) -> Option<Self> {
        let mut tied = self.clone();
        tied.members = wish.members.clone().unwrap_or(tied.members);
        if wish.organizations.is_none() && wish.device_groups.is_none() {
            return Some(tied);
        }
        let left = self.left();
        let of = |org: &'static str| below(&[org].into());
        let is_part = |org: &&'static str| !of(org).is_subset(&left) && !of(org).is_disjoint(&left);
        let is_held = wish.organizations.is_none() && self.organizations.iter().any(is_part);
        if is_held && !wish.device_groups.iter().flatten().all(|org| of(org).is_subset(&left)) {
            return None;
        }
        if !is_held {
            tied.organizations.retain(|org| of(org).is_subset(&left));
            tied.device_groups.retain(|org| of(org).is_subset(&left));
            tied.cut.clear();
        }
        tied.organizations = wish.organizations.clone().unwrap_or(tied.organizations);
        tied.device_groups = wish.device_groups.clone().unwrap_or(tied.device_groups);
        Some(tied)
    }

    fn ties(&self) -> Names {
        self.organizations.union(&self.device_groups).copied().collect()
    }
}

impl Model {
    /// Whether somebody sees all that a group is tied to.
    fn sees_ties(&self, asker: &str, ties: &Names) -> bool {
        let held = self.effective(asker).unwrap_or_default();
        ties.is_subset(&held.places) && (!ties.is_empty() || held.places.contains("/"))
    }

    fn manages_all(&self, asker: &str, members: &Names) -> bool {
        members.iter().all(|member| self.managers.contains_key(member) && self.manages(asker, member))
    }

    /// Whether somebody may change a group as it is.
    fn may_change(&self, asker: &str, known: &Tied) -> bool {
        self.sees_ties(asker, &known.ties()) && self.manages_all(asker, &known.members)
    }

    pub(super) fn may_untie(&self, asker: &'static str, name: &str) -> bool {
        self.effective(asker).is_some_and(|held| held.privileges.contains("managers"))
            && self.groups.get(name).is_some_and(|known| self.may_change(asker, known))
    }

    pub(super) fn may_tie(&self, asker: &'static str, name: &str, wish: &TiesWish) -> bool {
        let Some(held) = self.effective(asker) else { return false };
        let known = self.groups.get(name);
        let next = known.cloned().unwrap_or_default().with(wish);
        let mut ties = [&wish.organizations, &wish.device_groups].into_iter().flatten();
        held.privileges.contains("managers")
            && known.is_none_or(|known| self.may_change(asker, known))
            && ties.all(|ties| ties.is_subset(&held.places))
            && wish.members.as_ref().is_none_or(|members| self.manages_all(asker, members))
            && next.is_some_and(|next| self.sees_ties(asker, &next.ties()))
    }

    pub(super) fn tie(&mut self, asker: &'static str, name: &'static str, wish: &TiesWish) {
        let known = self.groups.entry(name).or_insert_with(|| Tied { granter: asker, ..Tied::default() });
        *known = known.with(wish).unwrap();
    }
}

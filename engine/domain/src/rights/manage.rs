//! Who manages whom: nobody more than they have, nobody themselves, nobody who stands above them.

use std::sync::Arc;

use jiff::Timestamp;
use linesman_schemas::directory::{Grant, Granter, Group};
use linesman_schemas::{Login, Place, Principal};

use super::chain::{Effective, Grants, Member, effective, settled};
use crate::{Error, directory};

/// From which engine level on an organization's manager to whom nothing is left when a granter goes is there for whoever has
/// all of the organization. Before, it was for nobody there, who could neither mend nor remove it.
const LEFT_WITH_NOTHING: u32 = 9;

/// Somebody who is to grant something.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Who; none for the engine itself.
    member: Option<Arc<Member>>,
    /// What they may, and so may grant.
    pub effective: Effective,
}

/// Whether somebody manages a manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Managing {
    /// They do; what it was granted, handed over as far as its granters are gone.
    Yes(Grant),
    /// It is they themselves.
    Itself,
    /// It stands above them.
    Above,
    /// For them there is no such manager.
    Unseen,
}

impl Asker {
    /// Whoever asks; none for whoever is not known.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub fn of(grants: &(impl Grants + ?Sized), principal: &Principal, now: Timestamp) -> Result<Option<Self>, Error> {
        let Some(effective) = effective(grants, principal, now)? else { return Ok(None) };
        let member = match principal.login() {
            Some(login) => grants.manager(&login)?,
            None => None,
        };
        Ok(Some(Self { member, effective }))
    }

    /// Whether they manage `member`, as far as it goes by who stands where; whether they have the privilege is asked
    /// apart.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub fn manages(&self, grants: &(impl Grants + ?Sized), member: &Member) -> Result<Managing, Error> {
        let Some(own) = &self.member else { return settled(grants, member).map(Managing::Yes) };
        if own.login == member.login {
            return Ok(Managing::Itself);
        }
        let grant = settled(grants, member)?;
        if !self.sees(grants, &member.login, &grant) {
            return Ok(Managing::Unseen);
        }
        // Nobody stands above the first of all.
        let is_above = self.effective.chain.contains(&member.login) || grant.granter.is_none();
        Ok(if is_above { Managing::Above } else { Managing::Yes(grant) })
    }

    /// Whether they see a manager: all that it was granted lies in their sphere, and all that its groups are tied to. The
    /// provider's people are there for each other alone, and those who were granted no place for whoever has all of them;
    /// an organization's to whom nothing is left, for whoever has all of that.
    fn sees(&self, grants: &(impl Grants + ?Sized), login: &Login, grant: &Grant) -> bool {
        let sphere = &self.effective.sphere;
        if login.organization.is_none() {
            let has_ties = |group: &Group| {
                let tied = group.organizations.iter().chain(group.device_groups.iter().map(|tie| &tie.organization));
                tied.into_iter().all(|org| sphere.covers(&Place::Organization(org.clone())))
            };
            if !self.is_of_provider() || !grants.groups(&login.name).iter().all(|group| has_ties(group)) {
                return false;
            }
        }
        let home = login.organization.clone().filter(|_| grants.level() >= LEFT_WITH_NOTHING);
        let home = home.map_or(Place::Provider, Place::Organization);
        grant.sphere.is_within(sphere) && (!grant.sphere.is_empty() || sphere.covers(&home))
    }

    /// Whether they see a manager, themselves included.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub fn is_shown(&self, grants: &(impl Grants + ?Sized), member: &Member) -> Result<bool, Error> {
        let is_itself = self.member.as_ref().is_some_and(|own| own.login == member.login);
        Ok(is_itself || self.sees(grants, &member.login, &settled(grants, member)?))
    }

    /// Whether they are the provider's, or the engine itself.
    pub fn is_of_provider(&self) -> bool {
        self.member.as_ref().is_none_or(|own| own.login.organization.is_none())
    }

    /// As who grants something: the engine itself grants as the provider's first manager.
    pub fn granter(&self) -> Granter {
        self.member.as_ref().map_or_else(|| directory::admin().granter(), |own| own.granter())
    }

    /// As much as they have, granted by them.
    pub(crate) fn grant(&self) -> Grant {
        let Effective { sphere, privileges, rights, .. } = &self.effective;
        Grant { sphere: sphere.clone(), privileges: *privileges, rights: *rights, granter: Some(self.granter()) }
    }

    /// How many granters stand above whoever they grant something.
    pub fn depth(&self) -> usize {
        self.effective.chain.len() + 1
    }
}

impl std::fmt::Display for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.granter().login.fmt(f)
    }
}

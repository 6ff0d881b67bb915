//! What would be granted: a change laid over what is granted, of which nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linesman_schemas::directory::{Attenuation, Grant, Granter, Group};
use linesman_schemas::{GroupName, Login, ManagerName, Privilege, Privileges, Right, Rights, Sphere, TokenName};

use super::chain::{Grants, Member, settled};
use crate::Error;

/// A number that no manager has that is there: it would stand behind all of IN.
const NEW: u64 = u64::MAX;

/// What a manager would be granted; what is none stays, of a new one it is nothing.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Where.
    pub sphere: Option<Sphere>,
    /// Which privileges.
    pub privileges: Option<Privileges>,
    /// Which rights.
    pub rights: Option<Rights>,
}

/// A privilege or a right that is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A privilege.
    Privilege(Privilege),
    /// A right.
    Right(Right),
    /// All work on incidents.
    Incidents,
}

/// What is granted, and above it what would be.
pub struct Overlay<'a, G: ?Sized> {
    base: &'a G,
    managers: BTreeMap<Login, Option<Arc<Member>>>,
    gone: BTreeMap<Granter, Grant>,
    groups: BTreeMap<GroupName, Option<Arc<Group>>>,
}

impl<'a, G: Grants + ?Sized> Overlay<'a, G> {
    /// Nothing is changed yet.
    pub fn new(base: &'a G) -> Self {
        Self { base, managers: BTreeMap::new(), gone: BTreeMap::new(), groups: BTreeMap::new() }
    }

    /// A manager is granted something; a new one by `granter`.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub fn set(&mut self, login: &Login, wish: Wish, granter: &Granter) -> Result<(), Error> {
        let (number, was) = match self.manager(login)? {
            Some(member) => (member.number, settled(self, &member)?),
            None => (NEW, Grant { granter: Some(granter.clone()), ..Grant::default() }),
        };
        let grant = Grant {
            sphere: wish.sphere.unwrap_or(was.sphere),
            privileges: wish.privileges.unwrap_or(was.privileges),
            rights: wish.rights.unwrap_or(was.rights),
            granter: was.granter,
        };
        self.managers.insert(login.clone(), Some(Arc::new(Member { login: login.clone(), number, grant })));
        Ok(())
    }

    /// A manager has not any more what is taken.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub fn take(&mut self, login: &Login, taken: Taken) -> Result<(), Error> {
        let Some(member) = self.manager(login)? else { return Ok(()) };
        let mut grant = settled(self, &member)?;
        match taken {
            Taken::Privilege(taken) => {
                grant.privileges = grant.privileges.iter().filter(|one| *one != taken).collect();
            }
            Taken::Right(taken) => {
                let kept = Right::ALL.into_iter().filter(|right| *right != taken && grant.rights.has(*right));
                grant.rights = Rights::of(kept, grant.rights.incidents());
            }
            Taken::Incidents => {
                let kept = Right::ALL.into_iter().filter(|right| grant.rights.has(*right));
                grant.rights = Rights::of(kept, Default::default());
            }
        }
        self.managers.insert(login.clone(), Some(Arc::new(Member { grant, ..(*member).clone() })));
        Ok(())
    }

    /// A manager goes; whom it has granted anything is its granter's, as far as it had it.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub fn remove(&mut self, login: &Login) -> Result<(), Error> {
        let Some(member) = self.manager(login)? else { return Ok(()) };
        let grant = settled(self, &member)?;
        self.gone.insert(member.granter(), grant);
        self.managers.insert(login.clone(), None);
        Ok(())
    }

    /// A group is as `group`.
    pub fn set_group(&mut self, group: Group) {
        self.groups.insert(group.name.clone(), Some(Arc::new(group)));
    }

    /// A group goes.
    pub fn remove_group(&mut self, name: GroupName) {
        self.groups.insert(name, None);
    }
}

impl<G: Grants + ?Sized> Grants for Overlay<'_, G> {
    fn manager(&self, login: &Login) -> Result<Option<Arc<Member>>, Error> {
        match self.managers.get(login) {
            Some(changed) => Ok(changed.clone()),
            None => self.base.manager(login),
        }
    }

    fn gone(&self, was: &Granter) -> Result<Option<Grant>, Error> {
        match self.gone.get(was) {
            Some(grant) => Ok(Some(grant.clone())),
            None => self.base.gone(was),
        }
    }

    fn token(&self, owner: &Login, name: &TokenName) -> Result<Option<Attenuation>, Error> {
        self.base.token(owner, name)
    }

    fn groups(&self, name: &ManagerName) -> Vec<Arc<Group>> {
        let changed: BTreeSet<_> = self.groups.keys().collect();
        let kept = self.base.groups(name).into_iter().filter(|group| !changed.contains(&group.name));
        let new = self.groups.values().flatten().filter(|group| group.members.contains(name)).cloned();
        kept.chain(new).collect()
    }
}

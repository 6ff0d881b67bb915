//! What was granted, as the rows of all lanes have it: of an organization its own lane's, of the provider lane 0's.
//!
//! A lane knows the provider's people from its rule book and may be a moment behind; here the rows themselves are read,
//! and of them only those that are asked for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use linesman_domain as domain;
use linesman_domain::managers::{self, gone_key};
use linesman_domain::rights::{Grants, Member};
use linesman_domain::table::Table;
use linesman_domain::{directory, groups, tokens};
use linesman_schemas::directory::{Attenuation, Grant, Granter, Group};
use linesman_schemas::{Login, ManagerName, OrgName, TokenName};

use crate::log::streams::lane_of;
use crate::store::Lane;

/// The managers of all lanes, each read once.
pub(in crate::edge) struct Granted<'a> {
    lanes: &'a [Lane],
    groups: Vec<Arc<Group>>,
    known: RefCell<HashMap<Login, Option<Arc<Member>>>>,
}

impl<'a> Granted<'a> {
    /// Without the provider's groups: what is granted needs none, what is seen does.
    pub(in crate::edge) fn new(lanes: &'a [Lane]) -> Self {
        Self { lanes, groups: Vec::new(), known: RefCell::default() }
    }

    /// With the provider's groups.
    ///
    /// # Errors
    /// They cannot be read.
    pub(in crate::edge) fn with_groups(lanes: &'a [Lane]) -> Result<Self, domain::Error> {
        let groups = match lanes.first() {
            Some(lane) => groups::all(lane).map(|group| group.map(Arc::new)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self { groups, ..Self::new(lanes) })
    }

    fn read(&self, login: &Login) -> Result<Option<Arc<Member>>, domain::Error> {
        if *login == directory::admin().login {
            return Ok(Some(Arc::new(directory::admin())));
        }
        let Some(lane) = lane_of_owner(self.lanes, login.organization.as_ref()) else { return Ok(None) };
        let row = Table::read(lane, &managers::key(login))?;
        Ok(row.map(|row| Arc::new(row.member(login.clone()))))
    }
}

/// The lane that has the rows of an organization's managers, or of the provider's people.
pub(in crate::edge) fn lane_of_owner<'a>(lanes: &'a [Lane], org: Option<&OrgName>) -> Option<&'a Lane> {
    let count = u32::try_from(lanes.len()).unwrap_or(u32::MAX);
    lanes.get(org.map_or(0, |org| lane_of(org.as_str(), count) as usize))
}

impl Grants for Granted<'_> {
    fn manager(&self, login: &Login) -> Result<Option<Arc<Member>>, domain::Error> {
        if let Some(known) = self.known.borrow().get(login) {
            return Ok(known.clone());
        }
        let found = self.read(login)?;
        self.known.borrow_mut().insert(login.clone(), found.clone());
        Ok(found)
    }

    fn gone(&self, was: &Granter) -> Result<Option<Grant>, domain::Error> {
        let Some(lane) = lane_of_owner(self.lanes, was.login.organization.as_ref()) else { return Ok(None) };
        Ok(Table::read(lane, &gone_key(was))?.map(Into::into))
    }

    fn token(&self, owner: &Login, name: &TokenName) -> Result<Option<Attenuation>, domain::Error> {
        let Some(lane) = lane_of_owner(self.lanes, owner.organization.as_ref()) else { return Ok(None) };
        Ok(Table::read(lane, &tokens::key(owner, name))?.map(|row| row.attenuation()))
    }

    fn groups(&self, name: &ManagerName) -> Vec<Arc<Group>> {
        self.groups.iter().filter(|group| group.members.contains(name)).cloned().collect()
    }
}

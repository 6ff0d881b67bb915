//! The managers of all lanes, as they are listed and as rights ask for them: the provider's people of the directory, those
//! of organizations from the rows of their lanes, each read once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use linesman_domain as domain;
use linesman_domain::directory::Directory;
use linesman_domain::managers::Known;
use linesman_domain::rights::{Asker, Grants, Member};
use linesman_schemas::directory::{Attenuation, Grant, Granter, Group};
use linesman_schemas::{Login, ManagerName, OrgName, Place, TokenName};

use super::viewer::Viewer;
use crate::log::streams::lane_of;
use crate::store::Lane;

/// The managers of all lanes.
pub(in crate::edge) struct Members<'a> {
    directory: Arc<Directory>,
    lanes: &'a [Lane],
    read: RefCell<HashMap<Login, Option<Arc<Member>>>>,
}

impl<'a> Members<'a> {
    /// The provider's people of a directory, and those of organizations in `lanes`, which are all there are.
    pub(in crate::edge) fn new(directory: &Arc<Directory>, lanes: &'a [Lane]) -> Self {
        Self { directory: Arc::clone(directory), lanes, read: RefCell::default() }
    }

    /// Whoever asks, as who manages others; none for whoever is not known.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub(in crate::edge) fn asker(&self, viewer: &Viewer) -> Result<Option<Asker>, domain::Error> {
        Asker::of(self, &viewer.principal(), Timestamp::now())
    }

    /// A manager, if there is one of that login for whoever asks.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub(in crate::edge) fn shown(&self, viewer: &Viewer, login: &Login) -> Result<Option<Arc<Member>>, domain::Error> {
        let (Some(asker), Some(member)) = (self.asker(viewer)?, self.manager(login)?) else { return Ok(None) };
        Ok(if self.is_shown(viewer, &asker, &member)? { Some(member) } else { None })
    }

    /// Whether there is such a manager for whoever asks.
    ///
    /// # Errors
    /// What was granted cannot be read.
    pub(in crate::edge) fn is_shown(
        &self,
        viewer: &Viewer,
        asker: &Asker,
        member: &Member,
    ) -> Result<bool, domain::Error> {
        let org = member.login.organization.as_ref();
        Ok(org.is_none_or(|org| viewer.sees(Some(org))) && asker.is_shown(self, member)?)
    }

    /// What a lane would know of an organization, or of the provider; none where there are no lanes.
    fn known(&self, org: Option<&OrgName>) -> Option<Known<'_, Lane>> {
        lane_of_owner(self.lanes, org).map(|lane| Known::new(&self.directory, lane))
    }
}

/// The lane that has the rows of an organization's managers, or of the provider's people, of all lanes.
pub(in crate::edge) fn lane_of_owner<'a>(lanes: &'a [Lane], org: Option<&OrgName>) -> Option<&'a Lane> {
    let count = u32::try_from(lanes.len()).unwrap_or(u32::MAX);
    lanes.get(org.map_or(0, |org| lane_of(org.as_str(), count) as usize))
}

/// Whether there is such a group for whoever asks, as where it is to be changed: all that it is tied to lies in their
/// sphere.
pub(in crate::edge) fn is_group_shown(asker: &Asker, group: &Group) -> bool {
    let sphere = &asker.effective.sphere;
    let mut tied = group.organizations.iter().chain(group.device_groups.iter().map(|tie| &tie.organization)).peekable();
    let has_ties = tied.peek().is_some();
    tied.all(|org| sphere.covers(&Place::Organization(org.clone()))) && (has_ties || sphere.covers(&Place::Provider))
}

impl Grants for Members<'_> {
    fn manager(&self, login: &Login) -> Result<Option<Arc<Member>>, domain::Error> {
        if let Some(known) = self.read.borrow().get(login) {
            return Ok(known.clone());
        }
        let found = self.known(login.organization.as_ref()).map_or(Ok(None), |known| known.manager(login))?;
        self.read.borrow_mut().insert(login.clone(), found.clone());
        Ok(found)
    }

    fn gone(&self, was: &Granter) -> Result<Option<Grant>, domain::Error> {
        self.known(was.login.organization.as_ref()).map_or(Ok(None), |known| known.gone(was))
    }

    fn token(&self, owner: &Login, name: &TokenName) -> Result<Option<Attenuation>, domain::Error> {
        self.known(owner.organization.as_ref()).map_or(Ok(None), |known| known.token(owner, name))
    }

    fn groups(&self, name: &ManagerName) -> Vec<Arc<Group>> {
        self.directory.groups_of(name).cloned().collect()
    }
}

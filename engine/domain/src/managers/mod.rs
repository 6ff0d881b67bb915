//! Managers: who was granted what by whom. Those of an organization are rows of its lane, the provider's people of lane
//! 0, from where the others have them as the directory.

mod handover;
mod named;
mod row;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;
use linesman_schemas::directory::{Attenuation, Grant, Granter, Group};
use linesman_schemas::{Login, ManagerName, OrgName, TokenName};

use super::Error;
use super::desk::Desk;
use super::directory::Directory;
use super::level::NEWEST;
use super::rights::{Grants, Member};
use super::rule_book::Books;
use super::state::{Base, State};
use super::table::Table;
use super::{directory, removals, sections, tokens};
pub(crate) use handover::hand_over;
pub(crate) use named::{Named, left_to_groups, without};
pub use row::{GONE, GrantRow, MANAGERS, ManagerRow, PROVIDER, all, gone_key, gone_people, key, owner, within};
use sha2::{Digest, Sha256};

/// How many managers are kept in memory of those that were asked for lately.
const RECENT_MOST: usize = 8_192;

/// The managers that were asked for lately, as a lane keeps them beside its rows: whoever changes one takes it out.
#[derive(Default)]
pub struct Recent(RefCell<HashMap<Login, Option<Arc<Member>>>>);

impl Recent {
    /// A manager, read once by `read` as long as it is kept.
    fn get(
        &self,
        login: &Login,
        read: impl FnOnce() -> Result<Option<Arc<Member>>, Error>,
    ) -> Result<Option<Arc<Member>>, Error> {
        if let Some(known) = self.0.borrow().get(login) {
            return Ok(known.clone());
        }
        let found = read()?;
        let mut recent = self.0.borrow_mut();
        if recent.len() >= RECENT_MOST {
            recent.clear();
        }
        recent.insert(login.clone(), found.clone());
        Ok(found)
    }

    fn forget(&self, login: &Login) {
        self.0.borrow_mut().remove(login);
    }
}

/// The managers that a lane knows.
pub(crate) struct Managers {
    directory: Arc<Directory>,
    recent: Recent,
    /// Whether the lane decides the directory and has changed it since it was composed.
    is_changed: bool,
    /// Of which organizations, or none of whose the provider's, somebody has gone whose heirs are to be handed over.
    bereft: BTreeSet<Option<OrgName>>,
}

impl Managers {
    /// On lane 0 the provider's people are its rows; elsewhere those of the section that applies.
    pub(crate) fn open(state: &State, lane: u32, section: Option<Arc<Directory>>) -> Result<Self, Error> {
        let directory = match (lane, section) {
            (0, _) => Arc::new(Directory::of(directory::read(state)?)),
            (_, Some(section)) => section,
            (_, None) => Arc::default(),
        };
        Ok(Self { directory, recent: Recent::default(), is_changed: false, bereft: BTreeSet::new() })
    }

    /// Another directory applies; lane 0 has its own.
    pub(crate) fn take_up(&mut self, lane: u32, directory: &Arc<Directory>) {
        if lane != 0 {
            self.directory = Arc::clone(directory);
        }
    }

    /// Those known, with what `desk` has of them.
    pub(crate) fn known<'a>(&'a self, desk: &'a Desk) -> Known<'a, State> {
        Known::with_recent(&self.directory, desk.state(), &self.recent).at(desk.level)
    }

    /// The provider's people and groups.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// A manager's row was changed.
    pub(crate) fn changed(&mut self, login: &Login) {
        self.recent.forget(login);
        self.is_changed |= login.organization.is_none();
    }

    /// A manager has gone, from whom others may have been granted something.
    pub(crate) fn has_gone(&mut self, login: &Login) {
        self.bereft.insert(login.organization.clone());
    }

    /// Takes whose managers are to be handed over since the last call.
    pub(crate) fn take_bereft(&mut self) -> BTreeSet<Option<OrgName>> {
        std::mem::take(&mut self.bereft)
    }

    /// Something else of the directory was changed: a group, or a token of one of the provider's people.
    pub(crate) fn changed_directory(&mut self) {
        self.is_changed = true;
    }

    /// What changed of the directory is read anew, and goes to all lanes as the section that is composed of it.
    pub(crate) fn compose(&mut self, desk: &mut Desk, books: &Books) -> Result<(), Error> {
        if !std::mem::take(&mut self.is_changed) {
            return Ok(());
        }
        let section = directory::read(desk.state())?;
        let content = serde_json::to_vec(&section)?;
        self.directory = Arc::new(Directory::of(section));
        removals::settle(desk, self)?;
        let hash = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        sections::put_directory(desk, books, hash)
    }
}

/// The managers that are known, as rights ask for them.
pub struct Known<'a, B: Base + ?Sized> {
    directory: &'a Directory,
    base: &'a B,
    recent: Option<&'a Recent>,
    level: u32,
}

impl<'a, B: Base + ?Sized> Known<'a, B> {
    /// The provider's people of a directory, and the managers of the organizations in `base`.
    pub fn new(directory: &'a Directory, base: &'a B) -> Self {
        Self { directory, base, recent: None, level: NEWEST }
    }

    /// [`Known::new`], with what a lane keeps.
    pub fn with_recent(directory: &'a Directory, base: &'a B, recent: &'a Recent) -> Self {
        Self { directory, base, recent: Some(recent), level: NEWEST }
    }

    /// The same, as is decided at an engine level.
    pub(crate) fn at(self, level: u32) -> Self {
        Self { level, ..self }
    }

    fn read(&self, login: &Login) -> Result<Option<Arc<Member>>, Error> {
        let row = Table::read(self.base, &key(login))?;
        Ok(row.map(|row| Arc::new(row.member(login.clone()))))
    }
}

impl<B: Base + ?Sized> Grants for Known<'_, B> {
    fn manager(&self, login: &Login) -> Result<Option<Arc<Member>>, Error> {
        if login.organization.is_none() {
            return Ok(self.directory.person(&login.name).cloned());
        }
        match self.recent {
            Some(recent) => recent.get(login, || self.read(login)),
            None => self.read(login),
        }
    }

    fn level(&self) -> u32 {
        self.level
    }

    fn gone(&self, was: &Granter) -> Result<Option<Grant>, Error> {
        match was.login.organization {
            None => Ok(self.directory.gone(was).cloned()),
            Some(_) => Ok(Table::read(self.base, &gone_key(was))?.map(GrantRow::into)),
        }
    }

    fn token(&self, owner: &Login, name: &TokenName) -> Result<Option<Attenuation>, Error> {
        match owner.organization {
            None => Ok(self.directory.token(&owner.name, name).cloned()),
            Some(_) => Ok(Table::read(self.base, &tokens::key(owner, name))?.map(|row| row.attenuation())),
        }
    }

    fn groups(&self, name: &ManagerName) -> Vec<Arc<Group>> {
        self.directory.groups_of(name).cloned().collect()
    }
}

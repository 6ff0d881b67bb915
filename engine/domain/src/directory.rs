//! The provider's directory as a lane knows it: its people and groups.
//!
//! Lane 0 decides it, and knows it from its own rows; the others from the section of the rule book that is composed of
//! those ([`read`]). So lane 0 may be a moment ahead, and never behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use linesman_schemas::directory::{Attenuation, DirectorySection, Gone, Grant, Granter, Group, OwnedToken, Person};
use linesman_schemas::principal::ADMIN;
use linesman_schemas::{GroupName, Login, ManagerName, Privileges, Rights, Sphere, TokenName};

use super::rights::Member;
use super::state::Base;
use super::{Error, groups, managers, tokens};

/// The provider's people and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    people: BTreeMap<ManagerName, Arc<Member>>,
    gone: BTreeMap<Granter, Grant>,
    tokens: BTreeMap<(ManagerName, TokenName), Attenuation>,
    groups: BTreeMap<GroupName, Arc<Group>>,
}

/// The content of the section, as lane 0's rows have it.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn read(base: &(impl Base + ?Sized)) -> Result<DirectorySection, Error> {
    let person = |found: Result<(ManagerName, managers::ManagerRow), Error>| {
        found.map(|(name, row)| Person { name, number: row.number, grant: row.grant.into() })
    };
    let gone = |found: Result<(Granter, Grant), Error>| found.map(|(was, grant)| Gone { was, grant });
    let token = |found: Result<(ManagerName, TokenName, tokens::TokenRow), Error>| {
        found.map(|(owner, name, row)| OwnedToken { owner, name, attenuation: row.attenuation() })
    };
    Ok(DirectorySection {
        people: managers::all(base, None).map(person).collect::<Result<_, _>>()?,
        gone: managers::gone_people(base).map(gone).collect::<Result<_, _>>()?,
        tokens: tokens::all(base, None).map(token).collect::<Result<_, _>>()?,
        groups: groups::all(base).collect::<Result<_, _>>()?,
    })
}

/// The provider's first manager: there from the beginning, granted everything by nobody.
pub fn admin() -> Member {
    let grant = Grant { sphere: Sphere::all(), privileges: Privileges::all(), rights: Rights::all(), granter: None };
    #[expect(clippy::expect_used, reason = "the name is a constant, and one")]
    let name = ADMIN.parse().expect("`admin` is a name");
    Member { login: Login::new(None, name), number: 0, grant }
}

impl Default for Directory {
    fn default() -> Self {
        Self::of(DirectorySection::default())
    }
}

impl Directory {
    /// The directory that a section tells of.
    pub fn of(section: DirectorySection) -> Self {
        let person = |Person { name, number, grant }| {
            let login = Login::new(None, name);
            (login.name.clone(), Arc::new(Member { login, number, grant }))
        };
        let mut people: BTreeMap<_, _> = section.people.into_iter().map(person).collect();
        let admin = admin();
        people.insert(admin.login.name.clone(), Arc::new(admin));
        Self {
            people,
            gone: section.gone.into_iter().map(|gone| (gone.was, gone.grant)).collect(),
            tokens: section.tokens.into_iter().map(|token| ((token.owner, token.name), token.attenuation)).collect(),
            groups: section.groups.into_iter().map(|group| (group.name.clone(), Arc::new(group))).collect(),
        }
    }

    /// One of the provider's people.
    pub fn person(&self, name: &ManagerName) -> Option<&Arc<Member>> {
        self.people.get(name)
    }

    /// All of the provider's people, by name, the first among them.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.people.values()
    }

    /// What one had that is gone.
    pub fn gone(&self, was: &Granter) -> Option<&Grant> {
        self.gone.get(was)
    }

    /// What a token may do.
    pub fn token(&self, owner: &ManagerName, name: &TokenName) -> Option<&Attenuation> {
        self.tokens.get(&(owner.clone(), name.clone()))
    }

    /// What all tokens may do, by owner and name.
    pub fn tokens(&self) -> impl Iterator<Item = &Attenuation> {
        self.tokens.values()
    }

    /// A group.
    pub fn group(&self, name: &GroupName) -> Option<&Arc<Group>> {
        self.groups.get(name)
    }

    /// All groups, by name.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.values()
    }

    /// The groups that somebody is in.
    pub fn groups_of(&self, name: &ManagerName) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.values().filter(move |group| group.members.contains(name))
    }
}

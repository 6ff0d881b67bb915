//! Who granted whom what, up to the first; and what that comes to.

use std::sync::Arc;

use jiff::Timestamp;
use linesman_schemas::directory::{Attenuation, Grant, Granter, Group};
use linesman_schemas::{Login, ManagerName, Place, Principal, Privileges, Rights, Sphere, TokenName};

use crate::Error;
use crate::level::NEWEST;

/// How many granters a manager may have above it.
pub const CHAIN_MOST: usize = 16;

/// A manager as it was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub login: Login,
    /// See [`Granter::number`].
    pub number: u64,
    /// What was granted.
    pub grant: Grant,
}

impl Member {
    /// As who grants something.
    pub fn granter(&self) -> Granter {
        Granter { login: self.login.clone(), number: self.number }
    }
}

/// What was granted, as far as it is known.
pub trait Grants {
    /// A manager.
    ///
    /// # Errors
    /// It cannot be read.
    fn manager(&self, login: &Login) -> Result<Option<Arc<Member>>, Error>;

    /// What a manager that is gone was granted.
    ///
    /// # Errors
    /// It cannot be read.
    fn gone(&self, was: &Granter) -> Result<Option<Grant>, Error>;

    /// What a token may do.
    ///
    /// # Errors
    /// It cannot be read.
    fn token(&self, owner: &Login, name: &TokenName) -> Result<Option<Attenuation>, Error>;

    /// The groups that one of the provider's people is in.
    fn groups(&self, name: &ManagerName) -> Vec<Arc<Group>>;

    /// The engine level at which it is decided; the newest where it is only told.
    fn level(&self) -> u32 {
        NEWEST
    }
}

/// One of the chain.
#[derive(Clone, Copy)]
pub(super) struct Link<'a> {
    pub(super) login: &'a Login,
    pub(super) grant: &'a Grant,
    pub(super) is_gone: bool,
}

/// How far a climb came.
pub(super) enum Climb<T> {
    /// To the first of all granters.
    Top,
    /// To what was looked for.
    Found(T),
    /// To a granter that nobody knows, or round in a circle.
    Broken,
}

/// The way up from granter to granter, in which a circle is found: as long as what is written is what was granted there
/// is none, since nobody grants before they are there. So a way is as long as it is, however many are gone.
///
/// One link is marked (after R. P. Brent): the one at every second, fourth, eighth place, and so on. A way that goes
/// round comes by the mark again once it is so far ahead as the circle is long.
#[derive(Default)]
struct Way {
    links: usize,
    mark: Option<Granter>,
}

impl Way {
    /// Whether the way comes by a granter again.
    fn comes_again(&mut self, granter: &Granter) -> bool {
        self.links += 1;
        if self.mark.as_ref() == Some(granter) {
            return true;
        }
        // Among those that are there a way is shorter: it costs them no mark.
        if self.links > CHAIN_MOST && self.links.is_power_of_two() {
            self.mark = Some(granter.clone());
        }
        false
    }
}

/// Goes from a manager up to the first granter, until `look` has found something.
pub(super) fn climb<T>(
    grants: &(impl Grants + ?Sized),
    from: &Member,
    mut look: impl FnMut(Link<'_>) -> Option<T>,
) -> Result<Climb<T>, Error> {
    if let Some(found) = look(Link { login: &from.login, grant: &from.grant, is_gone: false }) {
        return Ok(Climb::Found(found));
    }
    let (mut next, mut way) = (from.grant.granter.clone(), Way::default());
    loop {
        let Some(granter) = next else { return Ok(Climb::Top) };
        if way.comes_again(&granter) {
            return Ok(Climb::Broken);
        }
        let there = grants.manager(&granter.login)?.filter(|member| member.number == granter.number);
        let found;
        (found, next) = match there {
            Some(member) => {
                let link = Link { login: &member.login, grant: &member.grant, is_gone: false };
                (look(link), member.grant.granter.clone())
            }
            None => match grants.gone(&granter)? {
                Some(grant) => {
                    (look(Link { login: &granter.login, grant: &grant, is_gone: true }), grant.granter.clone())
                }
                None => return Ok(Climb::Broken),
            },
        };
        if let Some(found) = found {
            return Ok(Climb::Found(found));
        }
    }
}

/// Whether all of a place lies in what a granter may grant.
pub(super) fn covers(grants: &(impl Grants + ?Sized), granter: &Granter, place: &Place) -> Result<bool, Error> {
    let hand = Member { login: granter.login.clone(), number: granter.number, grant: handed(granter) };
    let outside = climb(grants, &hand, |link| (!link.grant.sphere.covers(place)).then_some(()))?;
    Ok(matches!(outside, Climb::Top))
}

/// A grant of everything, by a granter: what it comes to is what the granter has.
fn handed(granter: &Granter) -> Grant {
    Grant {
        sphere: Sphere::all(),
        privileges: Privileges::all(),
        rights: Rights::all(),
        granter: Some(granter.clone()),
    }
}

/// What somebody may, all granters considered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effective {
    /// Where.
    pub sphere: Sphere,
    /// What may be done there.
    pub privileges: Privileges,
    /// What else.
    pub rights: Rights,
    /// The granters that are there, from the nearest to the first.
    pub chain: Vec<Login>,
}

impl Effective {
    /// Everything, by nobody.
    pub fn everything() -> Self {
        Self { sphere: Sphere::all(), privileges: Privileges::all(), rights: Rights::all(), chain: Vec::new() }
    }

    fn narrow(&mut self, grant: &Grant) {
        self.sphere = self.sphere.intersection(&grant.sphere);
        self.privileges = self.privileges.intersection(grant.privileges);
        self.rights = self.rights.intersection(grant.rights);
    }

    fn attenuate(&mut self, token: &Attenuation) {
        if let Some(sphere) = &token.sphere {
            self.sphere = self.sphere.intersection(sphere);
        }
        self.privileges = token.privileges.map_or(self.privileges, |own| self.privileges.intersection(own));
        self.rights = token.rights.map_or(self.rights, |own| self.rights.intersection(own));
    }
}

/// What somebody may, without what groups are tied to; nothing for whoever is not known.
///
/// # Errors
/// What was granted cannot be read.
pub fn effective(
    grants: &(impl Grants + ?Sized),
    principal: &Principal,
    now: Timestamp,
) -> Result<Option<Effective>, Error> {
    if matches!(principal, Principal::Configuration | Principal::Machine) {
        return Ok(Some(Effective::everything()));
    }
    let Some(login) = principal.login() else { return Ok(None) };
    let Some(member) = grants.manager(&login)? else { return Ok(None) };
    let token = match principal.token() {
        None => Attenuation::default(),
        Some(name) => match grants.token(&login, name)?.filter(|token| token.expires.is_none_or(|end| now < end)) {
            Some(token) => token,
            None => return Ok(None),
        },
    };
    of_member(grants, &member, &token).map(Some)
}

pub(super) fn of_member(
    grants: &(impl Grants + ?Sized),
    member: &Member,
    token: &Attenuation,
) -> Result<Effective, Error> {
    let mut effective = Effective::everything();
    effective.attenuate(token);
    let mut is_first = true;
    let end = climb(grants, member, |link| {
        effective.narrow(link.grant);
        if !std::mem::replace(&mut is_first, false) && !link.is_gone {
            effective.chain.push(link.login.clone());
        }
        None::<()>
    })?;
    Ok(match end {
        Climb::Top => effective,
        Climb::Broken | Climb::Found(()) => Effective::default(),
    })
}

/// What a granter may, all granters above considered.
pub(super) fn of_granter(grants: &(impl Grants + ?Sized), granter: &Granter) -> Result<Effective, Error> {
    let hand = Member { login: granter.login.clone(), number: granter.number, grant: handed(granter) };
    of_member(grants, &hand, &Attenuation::default())
}

/// Who stands for a granter: itself as long as it is there, then the next above it that is; nobody where the way breaks
/// off.
///
/// # Errors
/// What was granted cannot be read.
pub fn heir(grants: &(impl Grants + ?Sized), granter: &Granter) -> Result<Option<Granter>, Error> {
    Ok(left(grants, granter)?.granter)
}

/// What those who are gone leave of whatever a granter grants, by its heir: everything, by itself, as long as it is there.
pub(crate) fn left(grants: &(impl Grants + ?Sized), granter: &Granter) -> Result<Grant, Error> {
    let hand = Member { login: granter.login.clone(), number: granter.number, grant: handed(granter) };
    settled(grants, &hand)
}

/// What a manager was granted, handed over as far as granters are gone; nothing, by nobody, where the way breaks off.
///
/// # Errors
/// What was granted cannot be read.
pub fn settled(grants: &(impl Grants + ?Sized), member: &Member) -> Result<Grant, Error> {
    let (mut grant, mut way) = (member.grant.clone(), Way::default());
    while let Some(granter) = &grant.granter {
        if grants.manager(&granter.login)?.is_some_and(|there| there.number == granter.number) {
            break;
        }
        let above = if way.comes_again(granter) { None } else { grants.gone(granter)? };
        match above {
            Some(above) => grant = grant.handed_over(&above),
            None => return Ok(Grant::default()),
        }
    }
    Ok(grant)
}

//! Why somebody may do something somewhere, or may not: every link of the chain of granters with what it has.

use linesman_schemas::{GroupName, Login, Privileges, Rights, Sphere};

use super::chain::{self, Grants};
use super::{Asked, Ruling, climb, has, lacked, may, token_has};
use crate::Error;

/// One in the chain of granters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who.
    pub login: Login,
    /// Whether it is no more: what it was granted last still bounds whom it has granted anything.
    pub is_gone: bool,
    /// Whether it has what it takes.
    pub has_need: bool,
    /// Whether all of the place lies in its sphere.
    pub covers: bool,
    /// Where it was granted something.
    pub sphere: Sphere,
    /// Which privileges.
    pub privileges: Privileges,
    /// Which rights.
    pub rights: Rights,
}

/// A group that somebody is in and that is tied to the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tied {
    /// Which.
    pub name: GroupName,
    /// Who granted it, or stands for whoever did and is gone.
    pub granter: Login,
    /// Whether that one, and all granters above, have all of the place.
    pub covers: bool,
}

/// Why somebody may, or may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The answer, as [`may`] gives it.
    pub ruling: Ruling,
    /// Whether the token by which they ask has what it takes, and the place; none where they ask themselves.
    pub token: Option<bool>,
    /// From whoever asks up to the first granter; nothing for whoever is not known, and who needs no chain.
    pub links: Vec<Held>,
    /// The groups of one of the provider's people.
    pub groups: Vec<Tied>,
}

/// Why somebody may, or may not: nothing here decides, [`may`] does.
///
/// # Errors
/// What was granted cannot be read.
pub fn explain(grants: &(impl Grants + ?Sized), asked: &Asked<'_>) -> Result<Explanation, Error> {
    let mut explanation =
        Explanation { ruling: may(grants, asked)?, token: None, links: Vec::new(), groups: Vec::new() };
    let Asked { principal, need, place, now, .. } = asked;
    let Some(login) = principal.login() else { return Ok(explanation) };
    let Some(member) = grants.manager(&login)? else { return Ok(explanation) };
    let needs = need.of(&login);
    if let Some(name) = principal.token() {
        let token = grants.token(&login, name)?.filter(|token| token.expires.is_none_or(|end| *now < end));
        explanation.token = Some(token.is_some_and(|token| {
            lacked(needs, |need| token_has(need, &token)).is_none()
                && token.sphere.as_ref().is_none_or(|sphere| sphere.covers(place))
        }));
    }
    climb(grants, &member, |link| {
        explanation.links.push(Held {
            login: link.login.clone(),
            is_gone: link.is_gone,
            has_need: lacked(needs, |need| has(need, link)).is_none(),
            covers: link.grant.sphere.covers(place),
            sphere: link.grant.sphere.clone(),
            privileges: link.grant.privileges,
            rights: link.grant.rights,
        });
        None::<()>
    })?;
    let Some(org) = place.organization().filter(|_| login.organization.is_none()) else { return Ok(explanation) };
    for group in grants.groups(&login.name).iter().filter(|group| group.organizations.contains(org)) {
        let covers = chain::covers(grants, &group.granter, place)?;
        let granter = chain::heir(grants, &group.granter)?.unwrap_or_else(|| group.granter.clone()).login;
        explanation.groups.push(Tied { name: group.name.clone(), granter, covers });
    }
    Ok(explanation)
}

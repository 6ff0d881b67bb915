//! Who may do what where. Pure: what is asked of it is all it knows.
//!
//! | room | what |
//! |---|---|
//! | here | the one question, [`may`], and its answer |
//! | `table` | what it takes to ask for each operation |
//! | `asking` | where each is asked for, and what whoever asks there is answered |
//! | `chain` | who granted whom what, up to the first; what that comes to |
//! | `explain` | why somebody may, or may not, link by link |
//! | `manage` | who manages whom |
//! | `further` | what an attempt on record took besides |
//! | `again` | how it would end |
//! | `inherited` | who acts on subscriptions that were made above |
//! | `steps` | which step with incidents it takes |
//! | `overlay` | what would be granted |
//! | `reach` | what somebody sees |
//!
//! Asked once for each command, in `commands`; whoever shows or refuses early asks the same.

mod again;
mod asking;
mod chain;
mod explain;
mod further;
mod inherited;
mod manage;
mod overlay;
mod reach;
mod steps;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use linesman_schemas::directory::Attenuation;
use linesman_schemas::{IncidentStep, Login, Place, Principal, Privilege, Right};

use super::Error;
pub use again::{Again, NOT_TOLD, answer_again, ends};
pub use asking::{Asking, PlaceKind, Where, answer, asked_at};
pub(crate) use chain::left;
pub use chain::{CHAIN_MOST, Effective, Grants, Member, effective, heir, settled};
use chain::{Climb, Link, climb};
pub use explain::{Explanation, Held, Tied, explain};
pub use further::Further;
pub use inherited::may_activate;
pub use manage::{Asker, Managing};
pub use overlay::{Overlay, Taken, Wish};
pub use reach::{Extent, Reach, reach};
pub(crate) use steps::{step_to_assign, step_to_change};
pub use table::{OPERATIONS, besides, is_within, makes, need};

/// What it takes to ask for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// Nothing.
    Anybody,
    /// To be known; what is shown is what is seen.
    Known,
    /// To be whose it is.
    Own,
    /// To see all of the place.
    Sight,
    /// A privilege on all of the place.
    Privilege(Privilege),
    /// A right on all of the place.
    Right(Right),
    /// A step with incidents.
    Incidents(IncidentStep),
    /// Of the provider's people the right `audit`; of an organization's managers nothing: they read what is on record of
    /// what they see.
    Audit,
    /// To see all of a log, and what [`Self::Audit`] takes.
    Log,
    /// To see all of a log.
    WholeLog,
    /// The privilege `managers`, and what [`Self::Audit`] takes: it tells of attempts that are on record.
    Attempts,
    /// To be the engine itself.
    Engine,
}

impl Need {
    /// What that is of somebody: one thing or two, of the provider's people other things than of managers.
    pub fn of(self, login: &Login) -> [Self; 2] {
        let audit = if login.organization.is_some() { Self::Known } else { Self::Right(Right::Audit) };
        match self {
            Self::Audit => [audit, Self::Anybody],
            Self::Log => [Self::WholeLog, audit],
            Self::Attempts => [Self::Privilege(Privilege::Managers), audit],
            need => [need, Self::Anybody],
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => f.write_str("nothing"),
            Self::Known => f.write_str("a login"),
            Self::Own => f.write_str("to be one's own"),
            Self::Sight => f.write_str("sight"),
            Self::Privilege(privilege) => write!(f, "the privilege `{privilege}`"),
            Self::Right(right) => write!(f, "the right `{right}`"),
            Self::Incidents(step) => write!(f, "the right `incidents`, at least `{step}`"),
            Self::Audit => f.write_str("of the provider's people the right `audit`"),
            Self::Log => f.write_str("sight of all of the log, of the provider's people the right `audit` too"),
            Self::WholeLog => f.write_str("sight of all of the log"),
            Self::Attempts => f.write_str("the privilege `managers`, of the provider's people the right `audit` too"),
            Self::Engine => f.write_str("to be the engine itself"),
        }
    }
}

/// A question.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// What it takes.
    pub need: Need,
    /// Where.
    pub place: &'a Place,
    /// Whether it is about a single thing there, of which whoever asks is to see to it that the principal sees it:
    /// then to see something at or below the place is enough.
    pub is_within: bool,
    /// When.
    pub now: Timestamp,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// They may.
    Allowed,
    /// They see the place, and may not.
    Forbidden(Denial),
    /// For them there is no such place.
    Unseen,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Who asked.
    pub principal: String,
    /// What is missing.
    pub need: Need,
    /// Where.
    pub place: Place,
    /// Who in the chain of granters has it not, if that is not whoever asked.
    pub link: Option<Login>,
    /// Whether the token has it not by which they ask.
    pub is_of_token: bool,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { principal, need, place, link, is_of_token } = self;
        if *need == Need::WholeLog {
            return write!(f, "`{principal}` does not see all of the log `{place}`");
        }
        write!(f, "`{principal}` has not {need} on `{place}`")?;
        match link {
            Some(link) => write!(f, ": `{link}`, from whom it was granted, has not"),
            None if *is_of_token => f.write_str(": the token has not"),
            None => Ok(()),
        }
    }
}

/// Whether they may. A chain of granters is gone through link by link at every question: what was taken away above
/// takes effect at once.
///
/// # Errors
/// What was granted cannot be read.
pub fn may(grants: &(impl Grants + ?Sized), asked: &Asked<'_>) -> Result<Ruling, Error> {
    let Asked { principal, need, place, is_within, now } = asked;
    let login = match principal {
        Principal::Configuration | Principal::Machine => return Ok(Ruling::Allowed),
        Principal::Policy { name, organization } => {
            let owner = name.as_str().split_once('/').map(|(owner, _)| owner);
            let judged = organization.as_ref().filter(|org| owner.is_none_or(|owner| owner == org.as_str()));
            let is_there = judged.is_some() && judged == place.organization();
            return Ok(if is_there { Ruling::Allowed } else { Ruling::Unseen });
        }
        // What it does is its own: the verbs of its cases, in its own organization; which those are, the router looks.
        Principal::EndCustomer { organization } => {
            let is_there = place.organization() == Some(organization);
            return Ok(if is_there { Ruling::Allowed } else { Ruling::Unseen });
        }
        Principal::Provider { .. } | Principal::Manager { .. } => principal.login(),
    };
    let Some(login) = login else { return Ok(Ruling::Unseen) };
    let Some(member) = grants.manager(&login)? else { return Ok(Ruling::Unseen) };
    let needs = need.of(&login);
    let [need, _] = needs;
    let token = match principal.token() {
        None => Attenuation::default(),
        // A token that is no more is nobody's.
        Some(name) => match grants.token(&login, name)?.filter(|token| token.expires.is_none_or(|end| *now < end)) {
            Some(token) => token,
            None => return Ok(Ruling::Unseen),
        },
    };
    // Everybody is somebody at home.
    let is_home = *is_within
        && place.parent().is_none_or(|above| above == Place::Provider)
        && place.organization() == login.organization.as_ref();
    if !is_home && !is_covered(grants, &member, &token, place)? {
        match reach::of(grants, &member, &token)?.touches(place) {
            true if *is_within => {}
            true => return Ok(Ruling::Forbidden(outside(principal, need, place))),
            false => return Ok(Ruling::Unseen),
        }
    }
    let own = Link { login: &member.login, grant: &member.grant, is_gone: false };
    if let Some(need) = lacked(needs, |need| has(need, own)) {
        return Ok(Ruling::Forbidden(outside(principal, need, place)));
    }
    if let Some(need) = lacked(needs, |need| token_has(need, &token)) {
        return Ok(Ruling::Forbidden(Denial { is_of_token: true, ..outside(principal, need, place) }));
    }
    let lacking =
        climb(grants, &member, |link| lacked(needs, |need| has(need, link)).map(|need| (link.login.clone(), need)))?;
    Ok(match lacking {
        Climb::Top => Ruling::Allowed,
        Climb::Found((link, need)) => Ruling::Forbidden(Denial { link: Some(link), ..outside(principal, need, place) }),
        Climb::Broken => Ruling::Unseen,
    })
}

/// Whether all of a place lies in what somebody was granted, or in what groups are tied to.
fn is_covered(
    grants: &(impl Grants + ?Sized),
    member: &Member,
    token: &Attenuation,
    place: &Place,
) -> Result<bool, Error> {
    if token.sphere.as_ref().is_some_and(|sphere| !sphere.covers(place)) {
        return Ok(false);
    }
    let outside = climb(grants, member, |link| (!link.grant.sphere.covers(place)).then_some(()))?;
    if matches!(outside, Climb::Top) {
        return Ok(true);
    }
    let Some(org) = place.organization().filter(|_| member.login.organization.is_none()) else { return Ok(false) };
    for group in grants.groups(&member.login.name) {
        if group.organizations.contains(org) && chain::covers(grants, &group.granter, place)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first of some needs that somebody has not.
fn lacked(needs: [Need; 2], has: impl Fn(Need) -> bool) -> Option<Need> {
    needs.into_iter().find(|need| !has(*need))
}

fn has(need: Need, link: Link<'_>) -> bool {
    match need {
        Need::Anybody | Need::Known | Need::Own | Need::Sight | Need::WholeLog => true,
        Need::Privilege(privilege) => link.grant.privileges.has(privilege),
        Need::Right(right) => link.grant.rights.has(right),
        // Somebody's are those of `Need::of`.
        Need::Audit | Need::Log | Need::Attempts => false,
        Need::Incidents(step) => link.grant.rights.incidents() >= step,
        Need::Engine => false,
    }
}

fn token_has(need: Need, token: &Attenuation) -> bool {
    match need {
        Need::Anybody | Need::Known | Need::Own | Need::Sight | Need::WholeLog | Need::Engine => true,
        Need::Privilege(privilege) => token.privileges.is_none_or(|privileges| privileges.has(privilege)),
        Need::Right(right) => token.rights.is_none_or(|rights| rights.has(right)),
        Need::Audit | Need::Log | Need::Attempts => false,
        Need::Incidents(step) => token.rights.is_none_or(|rights| rights.incidents() >= step),
    }
}

fn outside(principal: &Principal, need: Need, place: &Place) -> Denial {
    Denial { principal: principal.to_string(), need, place: place.clone(), link: None, is_of_token: false }
}

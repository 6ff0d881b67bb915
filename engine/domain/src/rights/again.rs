//! How an attempt that is on record would end by what is granted, and by what would be.
//!
//! A record tells of what was done what it changed, and of what was refused the operation, the place and what it was
//! about. So there is what an attempt took for certain, and what it may have taken beside. Where both ways of granting
//! have the same of the latter, it ends as it did; where one has less or more of it, nobody can tell.

use linesman_schemas::audit::Verdict;
use linesman_schemas::{Login, Privilege, Right, Sphere};

use super::{
    Asked, Asker, Asking, Denial, Further, Grants, Managing, Need, Reach, Ruling, answer, effective, may, reach,
};
use crate::Error;

/// What is not told.
pub const NOT_TOLD: &str = "not-told";
/// What would be done, as far as it goes by rights.
const ALLOWED: &str = "allowed";

/// An attempt, asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// By what it took for certain: allowed, or why not.
    refused: Option<Refused>,
    /// Whether they have what it may have taken beside, each.
    open: Vec<bool>,
    /// What they see, where it may have taken to see some of it; and whether that is all of the place.
    seen: Option<(Sphere, Reach, bool)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Refused {
    Forbidden(String),
    Unseen,
}

impl Again {
    /// Why it is not allowed, in words; none where it is, and where there is no such place.
    pub fn detail(&self) -> Option<&str> {
        match &self.refused {
            Some(Refused::Forbidden(detail)) => Some(detail),
            Some(Refused::Unseen) | None => None,
        }
    }

    /// The word for it, by what it took for certain; none where it is allowed.
    fn refusal(&self) -> Option<&'static str> {
        self.refused.as_ref().map(|refused| match refused {
            Refused::Forbidden(_) => Verdict::Forbidden.as_str(),
            Refused::Unseen => Verdict::NotFound.as_str(),
        })
    }

    /// Whether they have all that it may have taken.
    fn is_whole(&self) -> bool {
        self.open.iter().all(|has| *has) && self.seen.as_ref().is_none_or(|(.., is_all)| *is_all)
    }

    /// Whether they have by `other` all that they have by this of what it may have taken.
    fn is_kept_by(&self, other: &Self) -> bool {
        let has = self.open.iter().zip(&other.open).all(|(has, then)| *then || !has);
        let sees = match (&self.seen, &other.seen) {
            (Some((sphere, reach, _)), Some((then, reaches, _))) => {
                sphere.is_within(then)
                    && reach.sphere.is_within(&reaches.sphere)
                    && reach.device_groups.iter().all(|group| {
                        reaches.covers(&group.organization.clone().into()) || reaches.device_groups.contains(group)
                    })
            }
            _ => true,
        };
        has && sees
    }
}

/// How an attempt ends that is on record with `recorded`: by what is granted now, and by what would be.
pub fn ends(recorded: Verdict, now: &Again, then: &Again) -> [&'static str; 2] {
    let is_explained = recorded == Verdict::Done || (recorded == Verdict::Forbidden && now.is_whole());
    let before = now.refusal().unwrap_or(if is_explained { ALLOWED } else { recorded.as_str() });
    if let Some(refusal) = then.refusal() {
        return [before, refusal];
    }
    let (is_now, is_kept, is_whole) = (now.refused.is_none(), now.is_kept_by(then), then.is_whole());
    let is_same = is_kept && then.is_kept_by(now);
    let after = match recorded {
        Verdict::Done if is_whole || (is_now && is_kept) => ALLOWED,
        Verdict::Forbidden if is_whole => ALLOWED,
        // With no more than they have it is refused again.
        Verdict::Forbidden if is_now && then.is_kept_by(now) => recorded.as_str(),
        Verdict::NotFound if is_now && is_same => recorded.as_str(),
        // There was no such place for them, and there would be.
        Verdict::NotFound if !is_now && is_whole => ALLOWED,
        // That was no matter of rights.
        Verdict::Conflict | Verdict::Invalid if is_kept || is_whole => recorded.as_str(),
        _ => NOT_TOLD,
    };
    [before, after]
}

/// [`answer`] to an attempt that is on record, of all that it took.
///
/// # Errors
/// What was granted cannot be read.
pub fn answer_again(grants: &(impl Grants + ?Sized), asking: &Asking<'_>, further: &Further) -> Result<Again, Error> {
    let Asked { principal, now, .. } = asking.asked();
    let mut again = Again { refused: refused(grants, asking, further)?, open: Vec::new(), seen: None };
    for (need, place, is_within) in &further.perhaps {
        let asked = Asked { need: *need, place, is_within: *is_within, ..asking.asked() };
        again.open.push(may(grants, &asked)? == Ruling::Allowed);
    }
    if further.is_anywhere {
        let sphere = effective(grants, principal, now)?.unwrap_or_default().sphere;
        let reach = reach(grants, principal, now)?;
        let is_all = sphere.covers(&asking.place) || (further.is_seen && reach.covers(&asking.place));
        again.seen = Some((sphere, reach, is_all));
    }
    Ok(again)
}

/// Why an attempt is not allowed by what it took for certain.
fn refused(grants: &(impl Grants + ?Sized), asking: &Asking<'_>, further: &Further) -> Result<Option<Refused>, Error> {
    let refused = |ruling: Ruling| match ruling {
        Ruling::Allowed => None,
        Ruling::Forbidden(denial) => Some(Refused::Forbidden(denial.to_string())),
        Ruling::Unseen => Some(Refused::Unseen),
    };
    if let Some(refused) = refused(answer(grants, asking)?) {
        return Ok(Some(refused));
    }
    for (need, place, is_within) in &further.needs {
        let asked = Asked { need: *need, place, is_within: *is_within, ..asking.asked() };
        if let Some(refused) = refused(may(grants, &asked)?) {
            return Ok(Some(refused));
        }
    }
    if further.spheres.is_empty() && further.whom.is_empty() {
        return Ok(None);
    }
    let Asked { principal, now, .. } = asking.asked();
    let Some(asker) = Asker::of(grants, principal, now)? else { return Ok(Some(Refused::Unseen)) };
    let denied =
        |need: Need, place| Denial { principal: principal.to_string(), need, place, link: None, is_of_token: false };
    let sphere = &asker.effective.sphere;
    if let Some(beyond) = further.spheres.iter().find(|place| !sphere.covers(place)) {
        let denial = denied(Need::Privilege(Privilege::Managers), beyond.clone());
        return Ok(Some(match sphere.touches(beyond) {
            true => Refused::Forbidden(denial.to_string()),
            false => Refused::Unseen,
        }));
    }
    for login in &further.whom {
        let managing = match grants.manager(login)? {
            Some(member) => asker.manages(grants, &member)?,
            None if further.makes => continue,
            None => Managing::Unseen,
        };
        match managing {
            Managing::Yes(_) => {}
            Managing::Unseen => return Ok(Some(Refused::Unseen)),
            Managing::Itself => return Ok(Some(Refused::Forbidden(format!("`{asker}` is in it themselves")))),
            Managing::Above => return Ok(Some(Refused::Forbidden(format!("`{login}` stands above `{asker}`")))),
        }
        if further.takes_all
            && let Some(need) = beyond(grants, &asker, login, asking)?
        {
            return Ok(Some(Refused::Forbidden(denied(need, asking.place.clone()).to_string())));
        }
    }
    Ok(None)
}

/// What somebody has, and whoever sets its password has not.
fn beyond(
    grants: &(impl Grants + ?Sized),
    asker: &Asker,
    login: &Login,
    asking: &Asking<'_>,
) -> Result<Option<Need>, Error> {
    let own = &asker.effective;
    let other = effective(grants, &linesman_schemas::Principal::of_login(login, None), asking.asked().now)?;
    let other = other.unwrap_or_default();
    let privilege = other.privileges.beyond(own.privileges).map(Need::Privilege);
    let right = Right::ALL.into_iter().find(|right| other.rights.has(*right) && !own.rights.has(*right));
    let step = (other.rights.incidents() > own.rights.incidents()).then(|| other.rights.incidents());
    Ok(privilege.or(right.map(Need::Right)).or(step.map(Need::Incidents)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(refused: Option<Refused>, open: &[bool]) -> Again {
        Again { refused, open: open.to_vec(), seen: None }
    }

    #[test]
    fn what_a_record_does_not_tell_is_told_as_that() {
        use Verdict::{Conflict, Done, Forbidden, Invalid, NotFound};
        let forbidden = || Some(Refused::Forbidden(String::new()));
        let (no, unseen) = (|| again(forbidden(), &[false]), || again(Some(Refused::Unseen), &[false]));
        let (has, lacks, plain) = (|| again(None, &[true]), || again(None, &[false]), || again(None, &[]));
        for (recorded, now, then, expected) in [
            (Done, plain(), no(), ["allowed", "forbidden"]),
            (Done, has(), lacks(), ["allowed", "not-told"]),
            (Done, lacks(), has(), ["allowed", "allowed"]),
            (Done, lacks(), lacks(), ["allowed", "allowed"]),
            (Done, no(), lacks(), ["forbidden", "not-told"]),
            (Done, no(), has(), ["forbidden", "allowed"]),
            // What was refused for what is not on record is refused again.
            (Forbidden, lacks(), no(), ["forbidden", "forbidden"]),
            (Forbidden, lacks(), lacks(), ["forbidden", "forbidden"]),
            (Forbidden, lacks(), unseen(), ["forbidden", "not-found"]),
            (Forbidden, again(None, &[false, false]), again(None, &[true, false]), ["forbidden", "not-told"]),
            (Forbidden, lacks(), has(), ["forbidden", "allowed"]),
            (Forbidden, plain(), no(), ["allowed", "forbidden"]),
            (Forbidden, no(), lacks(), ["forbidden", "not-told"]),
            (NotFound, plain(), plain(), ["not-found", "not-found"]),
            (NotFound, plain(), unseen(), ["not-found", "not-found"]),
            (NotFound, plain(), no(), ["not-found", "forbidden"]),
            (NotFound, unseen(), plain(), ["not-found", "allowed"]),
            (NotFound, unseen(), lacks(), ["not-found", "not-told"]),
            (Conflict, plain(), plain(), ["conflict", "conflict"]),
            (Conflict, plain(), no(), ["conflict", "forbidden"]),
            (Invalid, has(), lacks(), ["invalid", "not-told"]),
        ] {
            assert_eq!(ends(recorded, &now, &then), expected, "{recorded:?} {now:?} {then:?}");
        }
    }
}

//! Places that are gone go out of spheres: of the provider's people, and of API tokens. Those of an organization's
//! managers are in `managers`: who has no other place goes there.

use linesman_schemas::audit::Verdict;
use linesman_schemas::directory::Grant;
use linesman_schemas::{Login, OrgName, Place, PlacePath, Principal, Sphere, TokenName};
use serde_json::{Map, Value, json};

use super::Answer;
use crate::Error;
use crate::desk::Desk;
use crate::managers::{self, GrantRow, ManagerRow, Managers, left_to_groups, without};
use crate::rights::{Asker, Grants as _, settled};
use crate::tokens::{self, TokenRow};

/// From which engine level on nobody takes a place out of their own sphere, or out of one above them.
const LEVEL: u32 = 8;

/// Why a place is not removed by whoever may remove it otherwise: with it would change what they were granted themselves,
/// or somebody who stands above them.
pub(crate) fn above(
    desk: &Desk,
    managers: &Managers,
    principal: &Principal,
    gone: &PlacePath,
) -> Result<Option<Answer>, Error> {
    let known = managers.known(desk);
    let Some(asker) = Asker::of(&known, principal, desk.now)?.filter(|_| desk.is_at(LEVEL)) else { return Ok(None) };
    let (own, place) = (principal.login(), Place::Below(gone.clone()));
    for login in own.iter().chain(&asker.effective.chain) {
        let Some(member) = known.manager(login)? else { continue };
        if without(&settled(&known, &member)?.sphere, &place).is_some() {
            let whose = format!("`{gone}` is in the sphere of `{login}`");
            let detail = match own.as_ref() == Some(login) {
                true => format!("nobody changes what they were granted themselves: {whose}"),
                false => format!("{whose}, who stands above `{asker}`"),
            };
            return Ok(Some(Answer::refused(Verdict::Forbidden, detail)));
        }
    }
    Ok(None)
}

/// Whose sphere has lost a place.
pub(super) struct Cleared {
    /// Whose: a login, of a token followed by its name.
    pub(super) whose: String,
    /// What it was.
    pub(super) before: Sphere,
    /// What it is.
    pub(super) after: Sphere,
}

/// What the audit shows of those.
pub(super) fn shown(all: &[Cleared], of: fn(&Cleared) -> &Sphere) -> Map<String, Value> {
    all.iter().map(|cleared| (cleared.whose.clone(), json!(of(cleared)))).collect()
}

/// Takes a place, and what lies below it, out of the spheres of the provider's people.
pub(super) fn clear_people(desk: &mut Desk, managers: &mut Managers, gone: &Place) -> Result<Vec<Cleared>, Error> {
    let people = managers::all(desk.state(), None).collect::<Result<Vec<_>, _>>()?;
    let mut cleared = Vec::new();
    for (name, row) in people {
        let member = row.clone().member(Login::new(None, name));
        let grant = settled(&managers.known(desk), &member)?;
        let Some(after) = without(&grant.sphere, gone) else { continue };
        let before = grant.sphere.clone();
        let grant = Grant { sphere: after.clone(), ..grant };
        desk.write(managers::key(&member.login), &ManagerRow { grant: (&grant).into(), changed: desk.now, ..row })?;
        managers.changed(&member.login);
        cleared.push(Cleared { whose: member.login.to_string(), before, after });
    }
    Ok(cleared)
}

/// Takes a place, and what lies below it, out of what the provider's people had that are gone: as long as somebody is in
/// a group that one of them tied to the place's organization, it is seen by that. Which groups' it was.
pub(super) fn clear_left(desk: &mut Desk, managers: &mut Managers, gone: &Place) -> Result<Vec<Cleared>, Error> {
    let mut cleared = Vec::new();
    for (group, before) in left_to_groups(desk, managers.directory())? {
        if let Some(after) = without(&before, gone) {
            cleared.push(Cleared { whose: group.to_string(), before, after });
        }
    }
    if cleared.is_empty() {
        return Ok(cleared);
    }
    for (was, grant) in managers::gone_people(desk.state()).collect::<Result<Vec<_>, _>>()? {
        if let Some(sphere) = without(&grant.sphere, gone) {
            desk.write(managers::gone_key(&was), &GrantRow::from(&Grant { sphere, ..grant }))?;
        }
    }
    managers.changed_directory();
    Ok(cleared)
}

/// The tokens of an organization's managers, or without one of the provider's people, whose own spheres name a place or
/// something below it.
pub(super) fn tokens_at(
    desk: &Desk,
    org: Option<&OrgName>,
    place: &Place,
) -> Result<Vec<(Login, TokenName, TokenRow)>, Error> {
    let mut found = Vec::new();
    for token in tokens::all(desk.state(), org) {
        let (owner, name, row) = token?;
        if row.sphere.as_ref().is_some_and(|sphere| without(sphere, place).is_some()) {
            found.push((Login::new(org.cloned(), owner), name, row));
        }
    }
    Ok(found)
}

/// Takes a place, and what lies below it, out of the spheres of those tokens.
pub(super) fn clear_tokens(desk: &mut Desk, org: Option<&OrgName>, gone: &Place) -> Result<Vec<Cleared>, Error> {
    let mut cleared = Vec::new();
    for (login, token, row) in tokens_at(desk, org, gone)? {
        let before = row.sphere.clone().unwrap_or_default();
        let after = without(&before, gone).unwrap_or_default();
        // None would be all that its owner has.
        desk.write(tokens::key(&login, &token), &TokenRow { sphere: Some(after.clone()), ..row })?;
        cleared.push(Cleared { whose: format!("{login} {token}"), before, after });
    }
    Ok(cleared)
}

//! What is asked of managers: of an organization's on its lane, of the provider's people on lane 0.
//!
//! Whether what is asked for may be is judged by [`judge`], of rows alone: the API asks it too, to say early what is
//! wrong and where.

use jiff::Timestamp;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Manager, ManagerRemoval, ManagerSettings};
use linesman_schemas::directory::Grant;
use linesman_schemas::{Login, OrgName, Place, PlacePath, Principal, Privilege, Sphere};
use serde_json::{Value, json};

use super::{Answer, passwords};
use crate::desk::Desk;
use crate::managers::{self, GrantRow, Known, ManagerRow, Managers};
use crate::rights::{Asker, CHAIN_MOST, Grants, Managing, Member, settled};
use crate::state::Base;
use crate::{Error, credentials, directory, groups, places};

/// How many managers an organization may have, and how many people the provider.
pub const MANAGERS_MOST: usize = 1_000;

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// In short.
    pub verdict: Verdict,
    /// What of the request is wrong, as a JSON pointer (RFC 6901) into it; empty for none of it.
    pub pointer: String,
    /// In words.
    pub detail: String,
}

impl Refused {
    pub(super) fn new(verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { verdict, pointer: String::new(), detail: detail.into() }
    }

    pub(super) fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Invalid, pointer: pointer.into(), detail: detail.into() }
    }

    /// For whoever asks there is no such manager.
    pub fn nobody(login: &Login) -> Self {
        Self::new(Verdict::NotFound, format!("there is no manager `{login}`"))
    }

    /// A manager stands above whoever asks.
    pub(super) fn above(asker: &Asker, login: &Login) -> Self {
        Self::new(Verdict::Forbidden, format!("`{login}` stands above `{asker}`"))
    }

    /// Whoever asks has not the privilege to.
    pub(super) fn lacks(asker: &Asker, privilege: Privilege) -> Self {
        Self::new(Verdict::Forbidden, format!("`{asker}` has not the privilege `{privilege}`"))
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        Self::refused(refused.verdict, refused.detail)
    }
}

/// What is to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// To whom.
    pub login: Login,
    /// The manager as it is, and what it was granted; none for a new one.
    pub before: Option<(u64, Grant)>,
    /// What it is granted from here on.
    pub grant: Grant,
}

/// Does what is asked of a manager.
pub(crate) fn ask(
    desk: &mut Desk,
    managers: &mut Managers,
    org: Option<&OrgName>,
    command: &Command,
    verb: &Manager,
) -> Result<Answer, Error> {
    let login = Login::new(org.cloned(), verb.name().clone());
    let answer = match verb {
        Manager::Set(settings) => set(desk, managers, org, &command.principal, settings),
        Manager::Remove(removal) => remove(desk, managers, org, &command.principal, removal),
        Manager::SetPassword(change) => passwords::ask(desk, managers, org, command, change),
    };
    Ok(answer?.about(&login))
}

/// From which engine level on a name that somebody has who is not seen is judged as one that nobody has, until nothing else
/// is wrong.
pub(super) const ALIKE: u32 = 8;

/// From which engine level on none of the provider's people is called as records call who is nobody.
const NAMED_APART: u32 = 9;
/// As whom the engine itself, its configuration and the policies act.
const NOBODYS: [&str; 4] = ["configuration", "engine", "machine", "policy"];

/// Whether a manager may be made or changed so by whoever asks, and what it then is granted; now, at an engine level.
///
/// # Errors
/// What was granted cannot be read.
pub fn judge<B: Base + ?Sized>(
    (known, base): (&Known<'_, B>, &B),
    org: Option<&OrgName>,
    principal: &Principal,
    settings: &ManagerSettings,
    (now, level): (Timestamp, u32),
) -> Result<Result<Judged, Refused>, Error> {
    let login = Login::new(org.cloned(), settings.manager.clone());
    let Some(asker) = Asker::of(known, principal, now)? else { return Ok(Err(Refused::nobody(&login))) };
    let (before, hidden) = match managed(known, &asker, &login)? {
        Ok(before) => (before, None),
        Err(refused) if refused.verdict == Verdict::NotFound && level >= ALIKE => (None, Some(refused)),
        Err(refused) => return Ok(Err(refused)),
    };
    let held = &asker.effective;
    if !held.privileges.has(Privilege::Managers) {
        return Ok(Err(Refused::lacks(&asker, Privilege::Managers)));
    }
    let sphere = match (&settings.sphere, &before) {
        (Some(places), _) => {
            if let Some(refused) = wrong_place(base, &asker, org, places)? {
                return Ok(Err(refused));
            }
            Sphere::of(places.iter().cloned())
        }
        (None, Some((_, grant))) => grant.sphere.clone(),
        (None, None) => Sphere::default(),
    };
    if org.is_some() && sphere.is_empty() {
        return Ok(Err(Refused::at("/sphere", "a manager of an organization needs a place")));
    }
    // Who sees by groups alone is whoever's who sees everything.
    if sphere.is_empty() && !held.sphere.covers(&Place::Provider) {
        return Ok(Err(Refused::at("/sphere", format!("`{asker}` grants some place"))));
    }
    if let Some(beyond) = settings.privileges.and_then(|given| given.beyond(held.privileges)) {
        return Ok(Err(lacks(&asker, "privilege", beyond.as_str())));
    }
    if org.is_some() && settings.rights.is_some_and(|rights| !rights.is_empty()) {
        return Ok(Err(Refused::at("/rights", "the provider's people alone have rights")));
    }
    if let Some(beyond) = settings.rights.and_then(|given| given.beyond(held.rights)) {
        return Ok(Err(lacks(&asker, "right", beyond)));
    }
    if before.is_none() {
        if org.is_none() && level >= NAMED_APART && NOBODYS.contains(&settings.manager.as_str()) {
            let detail = format!("nobody is called `{login}`: the audit would not tell them from the engine");
            return Ok(Err(Refused::new(Verdict::Invalid, detail)));
        }
        if asker.depth() > CHAIN_MOST {
            let detail = format!("there would be more than {CHAIN_MOST} granters above `{login}`");
            return Ok(Err(Refused::new(Verdict::Conflict, detail)));
        }
        if managers::all(base, org).take(MANAGERS_MOST).count() >= MANAGERS_MOST {
            let detail = format!("there are {MANAGERS_MOST} managers already");
            return Ok(Err(Refused::new(Verdict::Conflict, detail)));
        }
    }
    if let Some(hidden) = hidden {
        return Ok(Err(hidden));
    }
    let was = before.as_ref().map(|(_, grant)| grant);
    let grant = Grant {
        sphere,
        privileges: settings.privileges.or(was.map(|was| was.privileges)).unwrap_or_default(),
        rights: settings.rights.or(was.map(|was| was.rights)).unwrap_or_default(),
        granter: was.map_or_else(|| Some(asker.granter()), |was| was.granter.clone()),
    };
    Ok(Ok(Judged { login, before, grant }))
}

/// Whether a manager may be changed or removed by whoever asks: its number and what it was granted; none where there is
/// none of that name.
fn managed(known: &impl Grants, asker: &Asker, login: &Login) -> Result<Result<Option<(u64, Grant)>, Refused>, Error> {
    let Some(member) = known.manager(login)? else { return Ok(Ok(None)) };
    Ok(match asker.manages(known, &member)? {
        Managing::Yes(grant) => Ok(Some((member.number, grant))),
        Managing::Itself => Err(Refused::new(Verdict::Forbidden, "nobody changes what they were granted themselves")),
        Managing::Above => Err(Refused::above(asker, login)),
        Managing::Unseen => Err(Refused::nobody(login)),
    })
}

fn lacks(asker: &Asker, kind: &str, what: &str) -> Refused {
    Refused::new(Verdict::Forbidden, format!("`{asker}` has not the {kind} `{what}`, and cannot grant it"))
}

/// The first place of a sphere that whoever asks cannot grant: there is none for them, or they have not all of it.
fn wrong_place(
    base: &(impl Base + ?Sized),
    asker: &Asker,
    org: Option<&OrgName>,
    places: &[Place],
) -> Result<Option<Refused>, Error> {
    for (at, place) in places.iter().enumerate() {
        let pointer = format!("/sphere/{at}");
        if let Some(org) = org.filter(|org| place.organization() != Some(org)) {
            return Ok(Some(Refused::at(pointer, format!("`{place}` does not lie in `{org}`"))));
        }
        // The provider's people are granted places of all lanes, of which lane 0 has not all.
        let is_there = org.is_none() || places::is_within(base, place)?;
        let sphere = &asker.effective.sphere;
        if !sphere.covers(place) && (*place == Place::Provider || sphere.touches(place)) {
            let detail = format!("`{asker}` has not all of `{place}`, and cannot grant it");
            return Ok(Some(Refused::new(Verdict::Forbidden, detail)));
        }
        if !is_there || !sphere.covers(place) {
            return Ok(Some(Refused::at(pointer, format!("there is no place `{place}`"))));
        }
    }
    Ok(None)
}

fn set(
    desk: &mut Desk,
    managers: &mut Managers,
    org: Option<&OrgName>,
    principal: &Principal,
    settings: &ManagerSettings,
) -> Result<Answer, Error> {
    let judged = judge((&managers.known(desk), desk.state()), org, principal, settings, (desk.now, desk.level))?;
    let Judged { login, before, grant } = match judged {
        Ok(judged) => judged,
        Err(refused) => return Ok(refused.into()),
    };
    if settings.password.is_some()
        && before.is_some()
        && let Some(refused) = passwords::beyond(desk, managers, principal, &login)?
    {
        return Ok(refused.into());
    }
    let row = desk.read(&managers::key(&login))?;
    let created = row.map_or(desk.now, |row| row.created);
    let number = before.as_ref().map_or(desk.sequence, |(number, _)| *number);
    write(desk, managers, &login, ManagerRow { number, grant: (&grant).into(), created, changed: desk.now })?;
    let mut new = shown(&grant);
    if let Some(password) = &settings.password {
        credentials::set(desk, &login, password, true)?;
        if let Some(fields) = new.as_object_mut() {
            fields.insert("password".to_owned(), json!("changed"));
        }
    }
    Ok(match before {
        Some((_, was)) => Answer::done("changed", shown(&was), new),
        None => Answer::created(new),
    })
}

fn write(desk: &mut Desk, managers: &mut Managers, login: &Login, row: ManagerRow) -> Result<(), Error> {
    desk.write(managers::key(login), &row)?;
    managers.changed(login);
    Ok(())
}

/// A manager goes; whom it has granted anything is its granter's, as what it had is kept.
fn remove(
    desk: &mut Desk,
    managers: &mut Managers,
    org: Option<&OrgName>,
    principal: &Principal,
    removal: &ManagerRemoval,
) -> Result<Answer, Error> {
    let login = Login::new(org.cloned(), removal.manager.clone());
    let known = managers.known(desk);
    let Some(asker) = Asker::of(&known, principal, desk.now)? else { return Ok(Refused::nobody(&login).into()) };
    let (number, grant) = match managed(&known, &asker, &login)? {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Refused::nobody(&login).into()),
        Err(refused) => return Ok(refused.into()),
    };
    let old = shown(&grant);
    take_out(desk, managers, Member { login, number, grant })?;
    Ok(Answer::done("removed", old, Value::Null))
}

fn take_out(desk: &mut Desk, managers: &mut Managers, member: Member) -> Result<(), Error> {
    desk.write(managers::gone_key(&member.granter()), &GrantRow::from(&member.grant))?;
    desk.remove(managers::key(&member.login));
    managers.changed(&member.login);
    if desk.is_at(5) {
        managers.has_gone(&member.login);
    }
    credentials::remove(desk, &member.login)?;
    if member.login.organization.is_some() {
        return Ok(());
    }
    // Who is made again under the same name is another one.
    let names: Vec<_> = managers.directory().groups_of(&member.login.name).map(|group| (**group).clone()).collect();
    for mut group in names {
        group.members.retain(|name| *name != member.login.name);
        desk.write(groups::key(&group.name), &(&group).into())?;
    }
    Ok(())
}

/// Takes a place, and what lies below it, out of all spheres of its organization; who has no other goes. Who was changed.
pub(super) fn leave(desk: &mut Desk, managers: &mut Managers, place: &PlacePath) -> Result<Vec<Login>, Error> {
    let mut left = Vec::new();
    for (member, row) in those_at(desk, managers, place)? {
        let gone = Place::Below(place.clone());
        let kept = member.grant.sphere.places().iter().filter(|own| !gone.covers(own)).cloned();
        let grant = Grant { sphere: Sphere::of(kept), ..member.grant.clone() };
        left.push(member.login.clone());
        if grant.sphere.is_empty() {
            // Whom it has granted anything is not to come by the place either, should one of that name be made again.
            take_out(desk, managers, if desk.is_at(5) { Member { grant, ..member } } else { member })?;
        } else {
            let row = ManagerRow { grant: (&grant).into(), changed: desk.now, ..row };
            write(desk, managers, &member.login, row)?;
        }
    }
    Ok(left)
}

/// The managers of an organization who were granted a place of it or something below that.
pub(super) fn those_at(
    desk: &Desk,
    managers: &Managers,
    place: &PlacePath,
) -> Result<Vec<(Member, ManagerRow)>, Error> {
    let org = &place.organization;
    let above = Place::Below(place.clone());
    let mut found = Vec::new();
    for row in managers::all(desk.state(), Some(org)) {
        let (name, row) = row?;
        let mut member = row.clone().member(Login::new(Some(org.clone()), name));
        member.grant = settled(&managers.known(desk), &member)?;
        if member.grant.sphere.places().iter().any(|own| above.covers(own)) {
            found.push((member, row));
        }
    }
    Ok(found)
}

/// What the audit shows of what was granted.
fn shown(grant: &Grant) -> Value {
    json!({
        "sphere": grant.sphere,
        "privileges": grant.privileges,
        "rights": grant.rights,
        "granted_by": grant.granter.as_ref().map_or_else(|| directory::admin().login, |granter| granter.login.clone()),
    })
}

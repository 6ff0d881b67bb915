//! What is asked of user groups; by the provider, on lane 0.

use jiff::Timestamp;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Group as Verb, GroupRemoval, GroupSettings};
use linesman_schemas::directory::Group;
use linesman_schemas::{GroupName, Login, ManagerName, OrgName, Place, Principal};
use serde_json::{Value, json};

use super::Answer;
use super::managers::{ALIKE, Refused};
use crate::desk::Desk;
use crate::directory::Directory;
use crate::groups::{Ties, sorted};
use crate::managers::Managers;
use crate::rights::{Asker, Grants, Managing};
use crate::{Error, groups};

/// How many groups there may be.
pub const GROUPS_MOST: usize = 1_000;
/// From which engine level on what a group is tied to anew is not held back by what somebody had who is gone.
pub const TIED_ANEW: u32 = 8;

/// Does what is asked of a group.
pub(crate) fn ask(desk: &mut Desk, managers: &mut Managers, command: &Command, verb: &Verb) -> Result<Answer, Error> {
    let known = managers.known(desk);
    let (name, judged) = match verb {
        Verb::Set(settings) => (
            &settings.group,
            judge((&known, managers.directory()), &command.principal, settings, (desk.now, desk.level))?.map(Some),
        ),
        Verb::Remove(GroupRemoval { group }) => {
            let asker = Asker::of(&known, &command.principal, desk.now)?;
            let found = match asker {
                Some(asker) => found(&known, managers.directory(), &asker, group)?,
                None => Err(nothing(group)),
            };
            (group, found.and_then(|found| found.map(|_| None).ok_or_else(|| nothing(group))))
        }
    };
    let next = match judged {
        Ok(next) => next,
        Err(refused) => return Ok(Answer::from(refused).about(name)),
    };
    let old = managers.directory().group(name).map(|group| shown(group));
    let answer = match (&next, old) {
        (Some(next), None) => Answer::created(shown(next)),
        (Some(next), Some(old)) => Answer::done("changed", old, shown(next)),
        (None, old) => Answer::done("removed", old.unwrap_or_default(), Value::Null),
    };
    match &next {
        Some(group) => desk.write(groups::key(name), &group.into())?,
        None => desk.remove(groups::key(name)),
    }
    managers.changed_directory();
    Ok(answer.about(name))
}

fn nothing(name: &GroupName) -> Refused {
    Refused::new(Verdict::NotFound, format!("there is no group `{name}`"))
}

/// Whether a group may be made or changed so by whoever asks, and what it then is; now, at an engine level.
///
/// # Errors
/// What was granted cannot be read.
pub fn judge(
    (known, directory): (&impl Grants, &Directory),
    principal: &Principal,
    settings: &GroupSettings,
    (now, level): (Timestamp, u32),
) -> Result<Result<Group, Refused>, Error> {
    let Some(asker) = Asker::of(known, principal, now)? else { return Ok(Err(nothing(&settings.group))) };
    let (before, hidden) = match found(known, directory, &asker, &settings.group)? {
        Ok(before) => (before, None),
        Err(refused) if refused.verdict == Verdict::NotFound && level >= ALIKE => (None, Some(refused)),
        Err(refused) => return Ok(Err(refused)),
    };
    if before.is_none() && directory.groups().count() >= GROUPS_MOST {
        return Ok(Err(Refused::new(Verdict::Conflict, format!("there are {GROUPS_MOST} groups already"))));
    }
    let mut group = before.unwrap_or_else(|| Group {
        name: settings.group.clone(),
        members: Vec::new(),
        organizations: Vec::new(),
        device_groups: Vec::new(),
        granter: asker.granter(),
    });
    if let Some(members) = &settings.members {
        for (at, member) in members.iter().enumerate() {
            if let Some(refused) = wrong_member(known, &asker, member, &format!("/members/{at}"))? {
                return Ok(Err(refused));
            }
        }
        group.members = sorted(members.clone());
    }
    let mut tied = (0_u32..).zip(settings.organizations.iter().flatten());
    if let Some((at, org)) = tied.find(|(_, org)| !is_seen(&asker, org)) {
        return Ok(Err(unseen(&format!("/organizations/{at}"), org)));
    }
    let mut tied = (0_u32..).zip(settings.device_groups.iter().flatten());
    if let Some((at, tie)) = tied.find(|(_, tie)| !is_seen(&asker, &tie.organization)) {
        return Ok(Err(unseen(&format!("/device_groups/{at}/organization"), &tie.organization)));
    }
    let ties = Ties { organizations: settings.organizations.clone(), device_groups: settings.device_groups.clone() };
    if level < TIED_ANEW {
        group.organizations = ties.organizations.map_or(group.organizations, sorted);
        group.device_groups = ties.device_groups.map_or(group.device_groups, sorted);
    } else if let Some(org) = groups::tie(known, &mut group, ties)? {
        let name = &settings.group;
        let detail = format!("`{name}` has a part of `{org}` by somebody who is gone: say its `organizations` too");
        return Ok(Err(Refused::at("/organizations", detail)));
    }
    let is_tied = !group.organizations.is_empty() || !group.device_groups.is_empty();
    if !is_tied && !asker.effective.sphere.covers(&Place::Provider) {
        return Ok(Err(Refused::at("/organizations", format!("`{asker}` ties a group to something"))));
    }
    Ok(hidden.map_or(Ok(group), Err))
}

fn unseen(pointer: &str, org: &OrgName) -> Refused {
    Refused::at(pointer, format!("there is no organization `{org}`"))
}

fn is_seen(asker: &Asker, org: &OrgName) -> bool {
    asker.effective.sphere.covers(&Place::Organization(org.clone()))
}

/// A group as whoever asks may change it: all that it is tied to lies in their sphere, and they manage all its members.
fn found(
    known: &impl Grants,
    directory: &Directory,
    asker: &Asker,
    name: &GroupName,
) -> Result<Result<Option<Group>, Refused>, Error> {
    let Some(group) = directory.group(name) else { return Ok(Ok(None)) };
    let mut tied = group.organizations.iter().chain(group.device_groups.iter().map(|tie| &tie.organization));
    let has_ties = !group.organizations.is_empty() || !group.device_groups.is_empty();
    let is_shown = tied.all(|org| is_seen(asker, org)) && (has_ties || asker.effective.sphere.covers(&Place::Provider));
    if !is_shown {
        return Ok(Err(nothing(name)));
    }
    for member in &group.members {
        if let Some(refused) = wrong_member(known, asker, member, "")? {
            let detail = format!("`{name}` is not {asker}'s to change: {}", refused.detail);
            return Ok(Err(Refused::new(Verdict::Forbidden, detail)));
        }
    }
    Ok(Ok(Some((**group).clone())))
}

/// Why somebody cannot be put into a group, or taken out, by whoever asks.
fn wrong_member(
    known: &impl Grants,
    asker: &Asker,
    name: &ManagerName,
    pointer: &str,
) -> Result<Option<Refused>, Error> {
    let nobody = || Refused::at(pointer, format!("there is no `{name}` among the provider's people"));
    let Some(member) = known.manager(&Login::new(None, name.clone()))? else { return Ok(Some(nobody())) };
    Ok(match asker.manages(known, &member)? {
        Managing::Yes(_) => None,
        Managing::Itself => Some(Refused::new(Verdict::Forbidden, "nobody changes what they see themselves")),
        Managing::Above => Some(Refused::new(Verdict::Forbidden, format!("`{name}` stands above `{asker}`"))),
        Managing::Unseen => Some(nobody()),
    })
}

/// What the audit shows of a group.
fn shown(group: &Group) -> Value {
    json!({
        "members": group.members,
        "organizations": group.organizations,
        "device_groups": group.device_groups,
        "granted_by": group.granter.login,
    })
}

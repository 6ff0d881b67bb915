//! What people ask for of scripts on devices.

use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{
    BundleVersion, EventProfile, ProfileName, ScriptBundle, ScriptVerb, ScriptsInstallation, ScriptsRemoval,
};
use linesman_schemas::scripts::InstalledScripts;
use serde_json::{Value, json};

use super::rows::{
    FileRow, GroupScriptsRow, InstalledRow, OverwrittenRow, ProfileRow, ScriptBundleRow, bundle_key, bundles, devices,
    group_key, groups, profile_key, profiles,
};
use super::text::{GROUP, group_text};
use super::{BUNDLES_MOST, GROUPS_MOST, PROFILES_MOST};
use crate::Error;
use crate::commands::{Answer, UNCHANGED};
use crate::desk::Desk;
use crate::organizations::Organizations;

/// Does what is asked.
pub(crate) fn ask(
    desk: &mut Desk,
    organizations: &Organizations,
    org: &OrgName,
    verb: &ScriptVerb,
) -> Result<Answer, Error> {
    let answer = match verb {
        ScriptVerb::SetBundle(bundle) => set_bundle(desk, org, bundle)?,
        ScriptVerb::RemoveBundle(bundle) => remove_bundle(desk, org, bundle)?,
        ScriptVerb::SetProfile(profile) => set_profile(desk, org, profile)?,
        ScriptVerb::RemoveProfile(profile) => remove_profile(desk, org, profile)?,
        // The node that was asked looks; here it goes on record.
        ScriptVerb::Plan(plan) => match missing((desk, organizations), org, &plan.device_group, &plan.scripts)? {
            Some(refused) => refused,
            None => Answer::done("done", Value::Null, json!(plan)),
        },
        ScriptVerb::Install(installation) => install(desk, organizations, org, installation)?,
        ScriptVerb::Remove(removal) => remove(desk, org, removal)?,
    };
    Ok(answer.about(&verb.about()))
}

fn set_bundle(desk: &mut Desk, org: &OrgName, bundle: &ScriptBundle) -> Result<Answer, Error> {
    let key = bundle_key(org, &bundle.name, &bundle.version);
    let mut files: Vec<FileRow> = bundle.files.iter().cloned().map(FileRow::from).collect();
    files.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    if let Some(known) = desk.read(&key)? {
        return Ok(match known.files == files {
            true => Answer::done(UNCHANGED, shown(&known), shown(&known)),
            false => {
                let detail = format!(
                    "version `{}` of `{}` is another already, and what a version is does not change",
                    bundle.version, bundle.name
                );
                Answer::refused(Verdict::Conflict, detail)
            }
        });
    }
    if bundles(desk.state(), org).take(BUNDLES_MOST).count() >= BUNDLES_MOST {
        let detail = format!("an organization keeps at most {BUNDLES_MOST} versions of bundles of scripts");
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    let row = ScriptBundleRow { files, kept: desk.now };
    desk.write(key, &row)?;
    Ok(Answer::created(shown(&row)))
}

fn remove_bundle(desk: &mut Desk, org: &OrgName, bundle: &BundleVersion) -> Result<Answer, Error> {
    let BundleVersion { name, version } = bundle;
    let key = bundle_key(org, name, version);
    let Some(row) = desk.read(&key)? else { return Ok(no_bundle(org, name, version)) };
    if let Some(user) = user(desk, org, |scripts| scripts.bundle == *name && scripts.version == *version)? {
        let detail = format!("version `{version}` of `{name}` is not removed while {user} it");
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    desk.remove(key);
    Ok(Answer::done("removed", shown(&row), Value::Null))
}

fn set_profile(desk: &mut Desk, org: &OrgName, profile: &EventProfile) -> Result<Answer, Error> {
    let key = profile_key(org, &profile.name);
    let events = profile.events.iter().map(|event| (event.event.clone(), event.priority)).collect();
    let row = ProfileRow { events };
    let known = desk.read(&key)?;
    if known.as_ref() == Some(&row) {
        return Ok(Answer::done(UNCHANGED, json!(row), json!(row)));
    }
    let name = &profile.name;
    match &known {
        Some(_) => {
            if let Some(user) = user(desk, org, |scripts| scripts.profile == *name)? {
                let detail =
                    format!("`{name}` is not changed while {user} it: keep another, and install the scripts with that");
                return Ok(Answer::refused(Verdict::Conflict, detail));
            }
        }
        None if profiles(desk.state(), org).take(PROFILES_MOST).count() >= PROFILES_MOST => {
            let detail = format!("an organization keeps at most {PROFILES_MOST} event profiles");
            return Ok(Answer::refused(Verdict::Conflict, detail));
        }
        None => {}
    }
    desk.write(key, &row)?;
    Ok(match known {
        Some(known) => Answer::done("changed", json!(known), json!(row)),
        None => Answer::created(json!(row)),
    })
}

fn remove_profile(desk: &mut Desk, org: &OrgName, profile: &ProfileName) -> Result<Answer, Error> {
    let key = profile_key(org, &profile.name);
    let name = &profile.name;
    let Some(row) = desk.read(&key)? else {
        let detail = format!("`{org}` has no event profile `{name}`");
        return Ok(Answer::refused(Verdict::NotFound, detail));
    };
    if let Some(user) = user(desk, org, |scripts| scripts.profile == *name)? {
        let detail = format!("`{name}` is not removed while {user} it");
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    desk.remove(key);
    Ok(Answer::done("removed", json!(row), Value::Null))
}

fn install(
    desk: &mut Desk,
    organizations: &Organizations,
    org: &OrgName,
    installation: &ScriptsInstallation,
) -> Result<Answer, Error> {
    let group = &installation.device_group;
    if let Some(refused) = missing((desk, organizations), org, group, &installation.scripts)? {
        return Ok(refused);
    }
    let key = group_key(org, group);
    let known = desk.read(&key)?;
    if known.is_none() && groups(desk.state(), org).take(GROUPS_MOST).count() >= GROUPS_MOST {
        let detail = format!("at most {GROUPS_MOST} device groups of an organization have scripts");
        return Ok(Answer::refused(Verdict::Conflict, detail));
    }
    let overwrites = installation.overwrites.iter().cloned().map(OverwrittenRow::from).collect();
    let scripts = Some(InstalledRow::from(installation.scripts.clone()));
    let by = desk.doers.iter().cloned().collect();
    let row = GroupScriptsRow { order: next_order(desk, org)?, scripts, overwrites, asked: desk.now, by };
    desk.write(key, &row)?;
    let old = known.as_ref().map_or(Value::Null, told);
    Ok(Answer::done("to be installed", old, told(&row)))
}

/// What an installation comes to beside its own words: the configuration group that devices get, and the scripts that it
/// names. None where devices are to have just that already, or where it is refused as things stand.
pub(crate) fn comes_to(
    desk: &Desk,
    organizations: &Organizations,
    org: &OrgName,
    installation: &ScriptsInstallation,
) -> Result<Option<Value>, Error> {
    let ScriptsInstallation { device_group, scripts, .. } = installation;
    if missing((desk, organizations), org, device_group, scripts)?.is_some() {
        return Ok(None);
    }
    let wanted = InstalledRow::from(scripts.clone());
    let known = desk.read(&group_key(org, device_group))?.and_then(|row: GroupScriptsRow| row.scripts);
    let Some(bundle) =
        desk.read(&bundle_key(org, &scripts.bundle, &scripts.version))?.filter(|_| known != Some(wanted))
    else {
        return Ok(None);
    };
    let profile = match scripts.event_profile.as_str() {
        "" => None,
        name => desk.read(&profile_key(org, name))?,
    };
    let text = group_text(&bundle, profile.as_ref());
    Ok(Some(json!({"group": GROUP, "text": text, "files": shown(&bundle).get("files")})))
}

fn remove(desk: &mut Desk, org: &OrgName, removal: &ScriptsRemoval) -> Result<Answer, Error> {
    let group = &removal.device_group;
    let key = group_key(org, group);
    let Some(known) = desk.read(&key)? else {
        let detail = format!("no scripts are installed on the device group `{}`", linesman_rules::excerpt(group));
        return Ok(Answer::refused(Verdict::NotFound, detail));
    };
    let (overwrites, by) = (Vec::new(), desk.doers.iter().cloned().collect());
    let row = GroupScriptsRow { order: next_order(desk, org)?, scripts: None, overwrites, asked: desk.now, by };
    desk.write(key, &row)?;
    Ok(Answer::done("to be removed", told(&known), Value::Null))
}

/// What is not there of what is to be installed where, in words.
fn missing(
    (desk, organizations): (&Desk, &Organizations),
    org: &OrgName,
    group: &str,
    scripts: &InstalledScripts,
) -> Result<Option<Answer>, Error> {
    let InstalledScripts { bundle, version, event_profile } = scripts;
    let row = organizations.row(org);
    if !row.is_some_and(|row| row.device_groups.iter().any(|known| known.name == group)) {
        let detail = format!("`{org}` has no device group `{}`", linesman_rules::excerpt(group));
        return Ok(Some(Answer::refused(Verdict::NotFound, detail)));
    }
    if desk.read(&bundle_key(org, bundle, version))?.is_none() {
        return Ok(Some(no_bundle(org, bundle, version)));
    }
    if !event_profile.is_empty() && desk.read(&profile_key(org, event_profile))?.is_none() {
        let detail = format!("`{org}` has no event profile `{event_profile}`");
        return Ok(Some(Answer::refused(Verdict::NotFound, detail)));
    }
    Ok(None)
}

/// Who has, or is to have, scripts of which `is_it` is true, with what it does; none where nobody has.
fn user(desk: &Desk, org: &OrgName, is_it: impl Fn(&InstalledRow) -> bool) -> Result<Option<String>, Error> {
    for found in groups(desk.state(), org) {
        let (group, row) = found?;
        if row.scripts.as_ref().is_some_and(&is_it) {
            return Ok(Some(format!("the device group `{group}` is to have")));
        }
    }
    for found in devices(desk.state(), org) {
        let (device, row) = found?;
        if row.has.as_ref().is_some_and(&is_it) {
            return Ok(Some(format!("the device `{device}` has")));
        }
    }
    Ok(None)
}

/// Installations and removals of an organization are counted, so that of a device in another group it is known too which it
/// has seen.
fn next_order(desk: &Desk, org: &OrgName) -> Result<u64, Error> {
    // What device groups are to have is never forgotten: the last of them is the last of all.
    let mut last = 0;
    for row in groups(desk.state(), org) {
        last = last.max(row?.1.order);
    }
    Ok(last + 1)
}

fn no_bundle(org: &OrgName, name: &str, version: &str) -> Answer {
    let detail = format!("`{org}` has no version `{version}` of a bundle of scripts `{name}`");
    Answer::refused(Verdict::NotFound, detail)
}

/// What the audit shows of a bundle: what its scripts are, and not all they say.
fn shown(row: &ScriptBundleRow) -> Value {
    let file = |file: &FileRow| json!({"kind": file.kind, "name": file.name, "sha256": file.sha256});
    json!({"files": row.files.iter().map(file).collect::<Vec<_>>()})
}

/// What the audit shows of what a device group is to have.
fn told(row: &GroupScriptsRow) -> Value {
    let overwritten = |file: &OverwrittenRow| json!({"device": file.device, "kind": file.kind, "name": file.name, "sha256": file.sha256});
    json!({
        "scripts": row.scripts.clone().map(InstalledScripts::from),
        "overwrites": row.overwrites.iter().map(overwritten).collect::<Vec<_>>(),
    })
}

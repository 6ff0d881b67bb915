//! An organization's bundles of scripts and event profiles, and how scripts stand on its device groups and devices, whole: there
//! are few enough.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::scripts::{self, DeviceScriptsRow, FileRow, GroupScriptsRow, InstalledRow, ScriptBundleRow};
use linesman_schemas::command::BundleVersion;
use linesman_schemas::{OrgName, Place};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Error;
use super::walk::{Walk, answer, unknown};
use crate::edge::paths::{BundlePath, OrganizationPath};
use crate::edge::scripted::{Kind, Overwrites, ProfileEvent};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::store::Lane;

/// An organization's bundles of scripts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScriptBundles {
    /// Their versions, by name and version.
    bundles: Vec<ScriptBundle>,
}

/// A version of a bundle of scripts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScriptBundle {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// Since when it is kept.
    kept: Timestamp,
    /// Its scripts.
    files: Vec<Script>,
}

/// A script.
#[derive(Debug, Serialize, ToSchema)]
struct Script {
    /// When it runs.
    kind: Kind,
    /// Its name on devices.
    name: String,
    /// How many bytes it has.
    bytes: usize,
    /// The SHA-256 of its text.
    sha256: String,
    /// Its text, where one bundle is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    content: Option<String>,
}

/// An organization's bundles of scripts, without what the scripts say.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}/script-bundles", operation_id = "script-bundles", tag = "devices",
    params(OrganizationPath), responses((status = 200, description = "All of them.", body = ScriptBundles))
)]
pub(in crate::edge) async fn bundles(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(OrganizationPath { name }): PathOf<OrganizationPath>,
) -> Result<Response, Problem> {
    viewer.may("script-bundles", &Place::Organization(name.clone()))?;
    answer(&sources, viewer, move |walk| {
        let mut bundles = Vec::new();
        for found in scripts::bundles(lane(walk, &name)?, &name) {
            walk.step()?;
            let (named, row) = found?;
            bundles.push(ScriptBundle::new(named, row, false));
        }
        Ok(ScriptBundles { bundles })
    })
    .await
}

/// A version of a bundle of scripts, with what they say.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}/script-bundles/{bundle}/{version}", operation_id = "script-bundle",
    tag = "devices", params(BundlePath), responses((status = 200, description = "It.", body = ScriptBundle))
)]
pub(in crate::edge) async fn bundle(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(BundlePath { name, bundle, version }): PathOf<BundlePath>,
) -> Result<Response, Problem> {
    viewer.may("script-bundle", &Place::Organization(name.clone()))?;
    answer(&sources, viewer, move |walk| {
        lane(walk, &name)?;
        let nothing = || {
            let (bundle, version) = (linesman_rules::excerpt(&bundle), linesman_rules::excerpt(&version));
            format!("`{name}` has no version `{version}` of a bundle of scripts `{bundle}`")
        };
        let row = walk.one(&name, &scripts::bundle_key(&name, &bundle, &version), nothing)?;
        Ok(ScriptBundle::new(BundleVersion { name: bundle.clone(), version: version.clone() }, row, true))
    })
    .await
}

impl ScriptBundle {
    fn new(BundleVersion { name, version }: BundleVersion, row: ScriptBundleRow, is_whole: bool) -> Self {
        let script = |file: FileRow| Script {
            kind: file.kind.into(),
            name: file.name,
            bytes: file.content.len(),
            sha256: file.sha256,
            content: Some(file.content).filter(|_| is_whole),
        };
        Self { name, version, kept: row.kept, files: row.files.into_iter().map(script).collect() }
    }
}

/// An organization's event profiles.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventProfiles {
    /// They, by name.
    profiles: Vec<EventProfile>,
}

/// For which events event scripts run.
#[derive(Debug, Serialize, ToSchema)]
struct EventProfile {
    /// Its name.
    name: String,
    /// The events.
    events: Vec<ProfileEvent>,
}

/// An organization's event profiles.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}/event-profiles", operation_id = "event-profiles", tag = "devices",
    params(OrganizationPath), responses((status = 200, description = "All of them.", body = EventProfiles))
)]
pub(in crate::edge) async fn profiles(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(OrganizationPath { name }): PathOf<OrganizationPath>,
) -> Result<Response, Problem> {
    viewer.may("event-profiles", &Place::Organization(name.clone()))?;
    answer(&sources, viewer, move |walk| {
        let mut profiles = Vec::new();
        for found in scripts::profiles(lane(walk, &name)?, &name) {
            let (name, row) = found?;
            let events = row.events.into_iter().map(|(event, priority)| ProfileEvent { event, priority }).collect();
            profiles.push(EventProfile { name, events });
        }
        Ok(EventProfiles { profiles })
    })
    .await
}

/// Which of an organization's devices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(in crate::edge) struct OfGroup {
    /// Those of this device group.
    #[param(value_type = Option<String>, required = false)]
    device_group: Option<String>,
}

/// How scripts stand.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScriptsStatus {
    /// What device groups are to have, by name.
    groups: Vec<GroupScripts>,
    /// How far devices are, by the names they were given.
    devices: Vec<DeviceScripts>,
}

/// What a device group is to have.
#[derive(Debug, Serialize, ToSchema)]
struct GroupScripts {
    /// The device group.
    device_group: String,
    /// Which of the organization's installations and removals it is.
    order: u64,
    /// What it is to have; none for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scripts: Option<Installed>,
    /// What is confirmed to be overwritten.
    overwrites: Vec<Overwrites>,
    /// When it was asked for.
    asked: Timestamp,
}

/// A version of a bundle with an event profile.
#[derive(Debug, Serialize, ToSchema)]
struct Installed {
    /// The bundle.
    bundle: String,
    /// Its version.
    version: String,
    /// The event profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event_profile: Option<String>,
}

/// How scripts stand on a device.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceScripts {
    /// The device.
    device: String,
    /// The device group for which it was done last.
    device_group: String,
    /// Which of the organization's installations and removals it was.
    order: u64,
    /// How far it is: `waiting`, `uploading`, `rolling-back`, `configured`, `done`, `rolled-back`, `failed`.
    state: &'static str,
    /// Since when.
    since: Timestamp,
    /// How many scripts are put there already.
    done: u32,
    /// Of how many.
    of: u32,
    /// What is wrong; empty for nothing.
    detail: String,
    /// What the device has of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    has: Option<Installed>,
}

/// Which scripts an organization's device groups are to have, and how far their devices are.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}/scripts", operation_id = "scripts", tag = "devices",
    params(OrganizationPath, OfGroup), responses((status = 200, description = "All of it.", body = ScriptsStatus))
)]
pub(in crate::edge) async fn status(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(OrganizationPath { name }): PathOf<OrganizationPath>,
    Params(OfGroup { device_group }): Params<OfGroup>,
) -> Result<Response, Problem> {
    viewer.may("scripts", &Place::Organization(name.clone()))?;
    answer(&sources, viewer, move |walk| {
        let lane = lane(walk, &name)?;
        let is_wanted = |group: &str| device_group.as_deref().is_none_or(|wanted| wanted == group);
        let (mut groups, mut devices) = (Vec::new(), Vec::new());
        for found in scripts::groups(lane, &name) {
            let (group, row) = found?;
            groups.extend(is_wanted(&group).then(|| GroupScripts::new(group, row)));
        }
        for found in scripts::devices(lane, &name) {
            walk.step()?;
            let (device, row) = found?;
            devices.extend(is_wanted(&row.group).then(|| DeviceScripts::new(device, row)));
        }
        Ok(ScriptsStatus { groups, devices })
    })
    .await
}

impl From<InstalledRow> for Installed {
    fn from(InstalledRow { bundle, version, profile }: InstalledRow) -> Self {
        Self { bundle, version, event_profile: Some(profile).filter(|name| !name.is_empty()) }
    }
}

impl GroupScripts {
    fn new(device_group: String, row: GroupScriptsRow) -> Self {
        let overwrites = row.overwrites.into_iter().map(Overwrites::from).collect();
        Self { device_group, order: row.order, scripts: row.scripts.map(Installed::from), overwrites, asked: row.asked }
    }
}

impl DeviceScripts {
    fn new(device: String, row: DeviceScriptsRow) -> Self {
        let DeviceScriptsRow { group, order, state, since, done, of, detail, has, is_begun: _, by: _ } = row;
        let (state, has) = (state.as_str(), has.map(Installed::from));
        Self { device, device_group: group, order, state, since, done, of, detail, has }
    }
}

/// The lane of an organization all of which is seen.
fn lane<'a>(walk: &'a Walk, name: &OrgName) -> Result<&'a Lane, Error> {
    walk.organizations(Some(name))?.remove(name).ok_or_else(|| unknown(name))?;
    walk.lane(name).filter(|_| walk.sees_whole(Some(name))).ok_or_else(|| unknown(name))
}

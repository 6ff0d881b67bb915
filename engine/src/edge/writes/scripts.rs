//! What people do with scripts on devices: bundles and event profiles are kept, device groups get them, and it is looked at
//! beforehand what that would change.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use linesman_domain::scripts::LEVEL;
use linesman_schemas::command::{
    BundleVersion, EventProfile, Overwritten, ProfileName, ProfiledEvent, ScriptBundle, ScriptFile, ScriptVerb,
    ScriptsInstallation, ScriptsPlan, ScriptsRemoval, Verb,
};
use linesman_schemas::scripts::InstalledScripts;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, command_id, on_record_from, send_at};
use crate::edge::paths::{BundlePath, GroupScriptsPath, ProfilePath};
use crate::edge::scripted::{Kind, Overwrites, ProfileEvent};
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::undone::undone;
use crate::edge::viewer::Viewer;
use crate::reach::{Change, Planned, PlannedFile};

/// The scripts of a bundle.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct ScriptBundleBody {
    /// They; at most 256 KiB in all.
    #[schema(min_items = 1, max_items = 64)]
    files: Vec<ScriptBody>,
}

/// A script.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScriptBody {
    /// When it runs.
    kind: Kind,
    /// Its name on devices, without a path, ending with `.slax`, `.xsl` or `.py`.
    #[schema(max_length = 64)]
    name: String,
    /// Its text.
    #[schema(min_length = 1, max_length = 262144)]
    content: String,
}

/// Keeps a version of a bundle of scripts. What a version is does not change.
#[utoipa::path(
    put, path = "/api/v1/organizations/{name}/script-bundles/{bundle}/{version}", operation_id = "set-script-bundle",
    tag = "devices", params(BundlePath, IdempotencyKey), request_body = ScriptBundleBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_bundle(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(BundlePath { name: org, bundle, version }): PathOf<BundlePath>,
    headers: HeaderMap,
    JsonBody(ScriptBundleBody { files }): JsonBody<ScriptBundleBody>,
) -> Result<Response, Problem> {
    let file = |ScriptBody { kind, name, content }| ScriptFile { kind: Kind::into(kind), name, content };
    let bundle = ScriptBundle { name: bundle, version, files: files.into_iter().map(file).collect() };
    send(&sources, &viewer, &headers, org, ScriptVerb::SetBundle(bundle)).await
}

/// Forgets a version of a bundle of scripts that nobody has.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{name}/script-bundles/{bundle}/{version}",
    operation_id = "remove-script-bundle",
    tag = "devices",
    params(BundlePath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_bundle(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(BundlePath { name: org, bundle, version }): PathOf<BundlePath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let verb = ScriptVerb::RemoveBundle(BundleVersion { name: bundle, version });
    send(&sources, &viewer, &headers, org, verb).await
}

/// For which events event scripts run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct EventProfileBody {
    /// The events.
    #[schema(min_items = 1, max_items = 200)]
    events: Vec<ProfileEvent>,
}

/// Keeps an event profile. One that some device has does not change.
#[utoipa::path(
    put, path = "/api/v1/organizations/{name}/event-profiles/{profile}", operation_id = "set-event-profile",
    tag = "devices", params(ProfilePath, IdempotencyKey), request_body = EventProfileBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_profile(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ProfilePath { name: org, profile }): PathOf<ProfilePath>,
    headers: HeaderMap,
    JsonBody(EventProfileBody { events }): JsonBody<EventProfileBody>,
) -> Result<Response, Problem> {
    let event = |ProfileEvent { event, priority }| ProfiledEvent { event, priority };
    let profile = EventProfile { name: profile, events: events.into_iter().map(event).collect() };
    send(&sources, &viewer, &headers, org, ScriptVerb::SetProfile(profile)).await
}

/// Forgets an event profile that nobody has.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{name}/event-profiles/{profile}",
    operation_id = "remove-event-profile",
    tag = "devices",
    params(ProfilePath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove_profile(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ProfilePath { name: org, profile }): PathOf<ProfilePath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    send(&sources, &viewer, &headers, org, ScriptVerb::RemoveProfile(ProfileName { name: profile })).await
}

/// What a device group is to have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct InstallationBody {
    /// The bundle.
    #[schema(max_length = 64)]
    bundle: String,
    /// Its version.
    #[schema(max_length = 64)]
    version: String,
    /// The event profile; without one its event scripts are there, and run for nothing.
    #[serde(default)]
    #[schema(max_length = 64)]
    event_profile: String,
    /// What on its devices is not ours and may be overwritten, as the plan lists it.
    #[serde(default)]
    #[schema(max_items = 1000)]
    overwrites: Vec<Overwrites>,
}

/// Installs a bundle on a device group in place of what it has of ours. Of a device on which anything else would be overwritten
/// than what is confirmed nothing is changed.
#[utoipa::path(
    put, path = "/api/v1/organizations/{name}/scripts/{device_group}", operation_id = "install-scripts", tag = "devices",
    params(GroupScriptsPath, IdempotencyKey), request_body = InstallationBody, responses(Answers)
)]
pub(in crate::edge) async fn install(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(GroupScriptsPath { name: org, device_group }): PathOf<GroupScriptsPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<InstallationBody>,
) -> Result<Response, Problem> {
    let InstallationBody { bundle, version, event_profile, overwrites } = body;
    let installation = ScriptsInstallation {
        device_group,
        scripts: InstalledScripts { bundle, version, event_profile },
        overwrites: overwrites.into_iter().map(Overwritten::from).collect(),
    };
    send(&sources, &viewer, &headers, org, ScriptVerb::Install(installation)).await
}

/// Removes our scripts from a device group.
#[utoipa::path(
    delete,
    path = "/api/v1/organizations/{name}/scripts/{device_group}",
    operation_id = "remove-scripts",
    tag = "devices",
    params(GroupScriptsPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn remove(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(GroupScriptsPath { name: org, device_group }): PathOf<GroupScriptsPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    send(&sources, &viewer, &headers, org, ScriptVerb::Remove(ScriptsRemoval { device_group })).await
}

/// What a device group would have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct PlanBody {
    /// The bundle.
    #[schema(max_length = 64)]
    bundle: String,
    /// Its version.
    #[schema(max_length = 64)]
    version: String,
    /// The event profile.
    #[serde(default)]
    #[schema(max_length = 64)]
    event_profile: String,
}

/// What installing a bundle on a device group would change.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::edge) struct Plan {
    /// Its devices, by the names they were given.
    devices: Vec<DevicePlan>,
    /// What is not ours and would be overwritten: to be confirmed by handing it to the installation.
    overwrites: Vec<Overwrites>,
    /// The SHA-256 of what is to be confirmed: of another installation, and of other files, it is another.
    hash: String,
}

/// What would change on a device.
#[derive(Debug, Serialize, ToSchema)]
struct DevicePlan {
    /// The device.
    device: String,
    /// Why it is not known what would change; empty where it is.
    error: String,
    /// The scripts it would have, and those of ours that would go.
    files: Vec<FilePlan>,
    /// What would change of its configuration, as it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    configuration: Option<String>,
    /// Why it does not say; empty where it does.
    configuration_error: String,
}

/// What would become of one file.
#[derive(Debug, Serialize, ToSchema)]
struct FilePlan {
    /// When the script runs.
    kind: Kind,
    /// Its name.
    name: String,
    /// `new`, `same`, `replaced` and `removed` (ours), `overwritten` (somebody else's), `left` (changed by somebody since).
    change: &'static str,
    /// The SHA-256 of what is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sha256: Option<String>,
}

/// Looks at what installing a bundle on a device group would change, on the devices themselves, which takes up to 40 s. It is on
/// record, and changes nothing.
#[utoipa::path(
    post, path = "/api/v1/organizations/{name}/scripts/{device_group}/plan", operation_id = "plan-scripts",
    tag = "devices", params(GroupScriptsPath), request_body = PlanBody,
    responses(
        (status = 200, description = "It.", body = Plan),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json", body = ProblemBody),
        (status = 404, description = "There is no such group, bundle or profile.", content_type = "application/problem+json", body = ProblemBody),
        (status = 409, description = "The log is of an earlier level, or the group has more than 256 devices.", content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "It is beyond its bounds.", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(in crate::edge) async fn plan(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(GroupScriptsPath { name: org, device_group }): PathOf<GroupScriptsPath>,
    JsonBody(PlanBody { bundle, version, event_profile }): JsonBody<PlanBody>,
) -> Result<Json<Plan>, Problem> {
    let scripts = InstalledScripts { bundle, version, event_profile };
    let plan = ScriptsPlan { device_group: device_group.clone(), scripts: scripts.clone() };
    on_record_from(&sources, &viewer, LEVEL, Some(org.clone()), Verb::Scripts(ScriptVerb::Plan(plan))).await?;
    let planned = sources.hands.plan(&org, &device_group, scripts.clone().into()).await.map_err(undone)?;
    Ok(Json(Plan::new(&device_group, &scripts, planned)))
}

impl Plan {
    fn new(group: &str, scripts: &InstalledScripts, planned: Vec<Planned>) -> Self {
        let is_overwritten = |file: &&PlannedFile| file.change == Change::Overwritten;
        let of = |device: &Planned| {
            let named = |file: &PlannedFile| Overwrites {
                device: device.device.clone(),
                kind: file.kind.into(),
                name: file.name.clone(),
                sha256: file.found.clone().unwrap_or_default(),
            };
            device.files.iter().filter(is_overwritten).map(named).collect::<Vec<_>>()
        };
        let overwrites: Vec<Overwrites> = planned.iter().flat_map(of).collect();
        let InstalledScripts { bundle, version, event_profile } = scripts;
        let mut digest = Sha256::new();
        digest.update(format!("{group}\n{bundle}\n{version}\n{event_profile}\n"));
        for Overwrites { device, kind, name, sha256 } in &overwrites {
            digest.update(format!("{device}\n{kind:?}\n{name}\n{sha256}\n"));
        }
        let devices = planned.into_iter().map(DevicePlan::from).collect();
        Self { devices, overwrites, hash: hex::encode(digest.finalize()) }
    }
}

impl From<Planned> for DevicePlan {
    fn from(Planned { device, error, files, configuration }: Planned) -> Self {
        let file = |file: PlannedFile| FilePlan {
            kind: file.kind.into(),
            name: file.name,
            change: file.change.as_str(),
            sha256: file.found,
        };
        let (configuration, configuration_error) = match configuration {
            Ok(text) => (Some(text), String::new()),
            Err(error) => (None, error),
        };
        let files = files.into_iter().map(file).collect();
        Self { device, error, files, configuration, configuration_error }
    }
}

async fn send(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    headers: &HeaderMap,
    org: linesman_schemas::OrgName,
    verb: ScriptVerb,
) -> Result<Response, Problem> {
    send_at(sources, viewer, LEVEL, Some(org), command_id(headers)?, Verb::Scripts(verb)).await
}

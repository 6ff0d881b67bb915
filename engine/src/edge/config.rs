//! `/api/v1/devices/{organization}/{device}/config/...`: what a device has of our configuration groups, what it would be changed
//! by them, and that it is told them again. What is beside our groups is neither looked at nor touched.
//!
//! It is on record before it is done. Of what is put there again the record has what that changes, as the device said it: how
//! many lines, and the SHA-256 of it, since there are secrets in it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use linesman_connectors::device::push::Difference;
use linesman_domain::activations::drift::{DriftRow, LEVEL};
use linesman_domain::activations::parts::State as Standing;
use linesman_rules::services::OnDrift;
use linesman_schemas::command::{DeviceUse, DeviceVerb, UseKind, Verb};
use linesman_schemas::device::DriftedLine;
use linesman_schemas::outcome::Failure;
use linesman_schemas::reaction::GroupChange;
use linesman_schemas::{OrgName, PlacePath, ServiceName, SubscriptionName};
use serde::Serialize;
use utoipa::ToSchema;

use super::owned::OwnedLine;
use super::paths::DevicePath;
use super::recordable;
use super::sources::Sources;
use super::transport::params::PathOf;
use super::transport::problem::Problem;
use super::undone::{Refusals, recorded, usable, using};
use super::viewer::Viewer;
use super::words::{self, ActivationState};
use super::writes::{IdempotencyKey, command_id, on_record_as, refused};
use crate::reach::Hands;
use crate::reach::groups::{Compared, Found, Group};

/// How long a device may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A configuration group of a device.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceGroup {
    /// Its name.
    group: String,
    /// The access line that it is for.
    #[schema(schema_with = words::place)]
    place: PlacePath,
    /// The activation.
    activation: String,
    /// The subscription that it is of.
    #[schema(value_type = String)]
    subscription: SubscriptionName,
    /// The service.
    #[schema(value_type = String)]
    service: ServiceName,
    /// How the activation stands there.
    state: ActivationState,
}

/// What applying the groups of a device would change there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceDiff {
    /// Whether nothing would be.
    in_sync: bool,
    /// The groups, by name.
    groups: Vec<GroupDiff>,
}

/// What applying a group would change.
#[derive(Debug, Serialize, ToSchema)]
struct GroupDiff {
    #[serde(flatten)]
    group: DeviceGroup,
    /// What the device says would change (`show | compare`), secrets and all; empty for nothing.
    diff: String,
    /// How many lines would come.
    added: u64,
    /// How many would go.
    removed: u64,
    /// Why the device does not take it; empty where it does.
    error: String,
}

/// Whether a device has its groups as it was told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceSync {
    /// Whether it has all of them: not where that is not known of one, or one has failed.
    in_sync: bool,
    /// The groups, by name.
    groups: Vec<GroupSync>,
}

/// Whether a device has a group as it was told.
#[derive(Debug, Serialize, ToSchema)]
struct GroupSync {
    #[serde(flatten)]
    group: DeviceGroup,
    /// Whether it has; null where it is being told of it, or is to lose it.
    in_sync: Option<bool>,
    /// What it lacks.
    missing: Vec<OwnedLine>,
    /// What it has besides.
    extra: Vec<OwnedLine>,
    /// What is done about that: `report`, `restore` or `accept`, as the templates of the service say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    action: Option<&'static str>,
    /// From when on the device is told again, where that is to be restored and was within the hour; until then it is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    restored_from: Option<Timestamp>,
}

/// What a device is told again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceApplied {
    /// How many lines came with that, as the device said before; null where it was told before under this
    /// `Idempotency-Key`, and is not told again.
    added: Option<u64>,
    /// How many went.
    removed: Option<u64>,
    /// The groups that it is told again, by name; `device show` tells what it answers.
    groups: Vec<DeviceGroup>,
}

/// What applying the groups that a device is to have would change there, as the device says it.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/config/diff", operation_id = "use-device.diff",
    tag = "devices", params(DevicePath),
    responses(
        (status = 200, description = "It.", body = DeviceDiff),
        Refusals,
    )
)]
pub(super) async fn diff(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
) -> Result<Json<DeviceDiff>, Problem> {
    let name = usable(&sources, &viewer, &organization, &device)?;
    let groups = groups(&sources, &organization, &name)?;
    let diff = using(&name, UseKind::Diff, meant(&groups));
    recorded(&sources, &viewer, LEVEL, (&organization, diff)).await?;
    let told = differences(&sources, &organization, &name, &groups).await?;
    let in_sync = told.iter().all(|(_, told)| told.as_ref().is_ok_and(|told| told.text.is_empty()));
    let groups = told.into_iter().map(|(group, told)| {
        let (told, error) = match told {
            Ok(told) => (told, String::new()),
            Err(failure) => (Difference::default(), failure.message),
        };
        let (added, removed) = (told.added as u64, told.removed as u64);
        GroupDiff { group: group.into(), diff: told.text, added, removed, error }
    });
    Ok(Json(DeviceDiff { in_sync, groups: groups.collect() }))
}

/// Tells a device all its groups again. What that changes is on record.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/config/apply", operation_id = "use-device.apply",
    tag = "devices", params(DevicePath, IdempotencyKey),
    responses(
        (status = 200, description = "What it is told.", body = DeviceApplied),
        Refusals,
    )
)]
pub(super) async fn apply(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
    headers: HeaderMap,
) -> Result<Json<DeviceApplied>, Problem> {
    let name = usable(&sources, &viewer, &organization, &device)?;
    let groups = groups(&sources, &organization, &name)?;
    let id = command_id(&headers)?;
    let alike = Verb::Device(DeviceVerb::Use(using(&name, UseKind::Apply, String::new())));
    let known = sources.commands.known(&viewer.principal(), Some(&organization), &id, &alike).map_err(refused)?;
    if known.is_some() {
        let groups = groups.into_iter().filter(|group| group.change().is_some()).map(DeviceGroup::from).collect();
        return Ok(Json(DeviceApplied { added: None, removed: None, groups }));
    }
    // That somebody looks there is on record too, whatever comes of it.
    let diff = using(&name, UseKind::Diff, meant(&groups));
    recorded(&sources, &viewer, LEVEL, (&organization, diff)).await?;
    let told = differences(&sources, &organization, &name, &groups).await?;
    let texts: Vec<&Difference> = told.iter().filter_map(|(_, told)| told.as_ref().ok()).collect();
    let all: String = texts.iter().map(|told| told.text.as_str()).collect();
    let sha256 = recordable::sha256(&all);
    let count = |of: fn(&Difference) -> usize| texts.iter().map(|told| of(told) as u64).sum::<u64>();
    let (added, removed) = (count(|told| told.added), count(|told| told.removed));
    let apply = DeviceUse { added: Some(added), removed: Some(removed), ..using(&name, UseKind::Apply, sha256) };
    let verb = Verb::Device(DeviceVerb::Use(apply));
    on_record_as(&sources, &viewer, LEVEL, Some(organization), id, verb).await?;
    let groups = told.into_iter().map(|(group, _)| group.into()).collect();
    Ok(Json(DeviceApplied { added: Some(added), removed: Some(removed), groups }))
}

/// Reads the groups of a device back and holds them against what it was told, line by line.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/config/check-sync", operation_id = "use-device.check-sync",
    tag = "devices", params(DevicePath),
    responses(
        (status = 200, description = "What it came to.", body = DeviceSync),
        Refusals,
    )
)]
pub(super) async fn check_sync(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
) -> Result<Json<DeviceSync>, Problem> {
    let name = usable(&sources, &viewer, &organization, &device)?;
    let check = using(&name, UseKind::CheckSync, String::new());
    recorded(&sources, &viewer, LEVEL, (&organization, check)).await?;
    let compared = sources.hands.compare(&organization, &name, PATIENCE).await.map_err(undone)?;
    // What is found is known as if it had been found on schedule.
    sources.hands.tell_of(&organization, &name, &compared).await;
    let in_sync = compared.iter().all(is_as_told);
    Ok(Json(DeviceSync { in_sync, groups: compared.into_iter().map(GroupSync::from).collect() }))
}

/// Whether a device has a group as it is to have it.
fn is_as_told(one: &Compared) -> bool {
    one.group.part.state == Standing::Active && one.found.as_ref().is_some_and(Found::is_in_sync)
}

fn groups(sources: &Sources, org: &OrgName, name: &str) -> Result<Vec<Group>, Problem> {
    sources.hands.groups(org, name).map_err(|error| Problem::internal(&error))
}

/// What would be told of groups, as records name it.
fn meant(groups: &[Group]) -> String {
    let text = |group: &Group| match group.change()? {
        GroupChange::Put { text } => Some(format!("{}\n{text}", group.name)),
        GroupChange::Remove => Some(format!("{}\n", group.name)),
    };
    recordable::sha256(&groups.iter().filter_map(text).collect::<String>())
}

/// What each group that was told would change, as the device says it.
async fn differences(
    sources: &Sources,
    org: &OrgName,
    name: &str,
    groups: &[Group],
) -> Result<Vec<(Group, Result<Difference, Failure>)>, Problem> {
    let told = groups.iter().filter_map(|group| Some((group.clone(), group.change()?)));
    let (groups, changes): (Vec<Group>, Vec<GroupChange>) = told.unzip();
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let names = groups.iter().map(|group| group.name.clone());
    let changes: Vec<(String, GroupChange)> = names.zip(changes).collect();
    let told = sources.hands.differences(&Hands::to_tell(org, name), &changes, PATIENCE).await.map_err(undone)?;
    Ok(groups.into_iter().zip(told).collect())
}

fn undone(failure: Failure) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, failure.message)
}

impl From<Group> for DeviceGroup {
    fn from(group: Group) -> Self {
        Self {
            group: group.name,
            place: group.line,
            activation: group.activation,
            subscription: group.part.name,
            service: group.part.service,
            state: group.part.state.into(),
        }
    }
}

impl From<Compared> for GroupSync {
    fn from(Compared { group, found }: Compared) -> Self {
        let lines = |lines: &[DriftedLine]| lines.iter().map(OwnedLine::from).collect::<Vec<_>>();
        let in_sync = found.as_ref().map(Found::is_in_sync);
        let is_restored = found.as_ref().is_some_and(|found| !found.is_in_sync() && found.action == OnDrift::Restore);
        let rests = group.known.as_ref().filter(|_| is_restored).and_then(DriftRow::rests_until);
        Self {
            group: group.into(),
            in_sync,
            restored_from: rests.filter(|from| *from > Timestamp::now()),
            action: found.as_ref().filter(|found| !found.is_in_sync()).map(|found| found.action.as_str()),
            missing: found.as_ref().map(|found| lines(&found.missing)).unwrap_or_default(),
            extra: found.as_ref().map(|found| lines(&found.extra)).unwrap_or_default(),
        }
    }
}

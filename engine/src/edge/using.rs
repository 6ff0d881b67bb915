//! `/api/v1/devices/{organization}/{device}/test` and others: what the engine does at once on a device for somebody. It is on
//! record before it is done.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use linesman_domain::reached::LEVEL;
use linesman_schemas::OrgName;
use linesman_schemas::command::{DeviceUse, UseKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::chassis::Member;
use super::paths::{DevicePath, JmbErrorPath};
use super::recordable;
use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::params::PathOf;
use super::transport::problem::{Problem, ProblemBody};
use super::undone::{Refusals, recorded, undone, usable, using};
use super::viewer::Viewer;
use crate::reach::{Step, Undone, Visited, asks_only};

/// How long a look at a directory is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest request of one's own, in bytes.
const RPC_MOST: usize = 1024 * 1024;

/// How the way to a device is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceTest {
    /// Whether all steps were done that are needed.
    ok: bool,
    /// The steps in their order: behind the first that failed none is done, but for `netconf`.
    steps: Vec<DeviceStep>,
}

/// A step of a try.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceStep {
    /// What is tried: `credentials`, `tcp`, `key-exchange`, `host-key`, `authentication`, `directory`, `read`, `remove`,
    /// `move` where files are moved, `netconf`.
    step: &'static str,
    /// Whether it was done.
    ok: bool,
    /// What was found, or why it failed.
    detail: String,
    /// Whether something that the device is to do takes it: `netconf` is only needed where it is configured.
    needed: bool,
}

/// What a look at a device came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Collected {
    /// How many bundles were collected.
    taken: u64,
    /// How many files were set aside.
    set_aside: u64,
    /// What is wrong; empty for nothing.
    error: String,
}

/// What a device says of itself; empty for what it did not say.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Facts {
    /// Its chassis serial number.
    serial_number: String,
    /// Its host name.
    host_name: String,
    /// Its model.
    product: String,
    /// The version of its operating system.
    os_version: String,
    /// Its routing engines, by name.
    routing_engines: Vec<String>,
    /// The members of its virtual chassis.
    members: Vec<Member>,
}

/// A request for a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RpcBody {
    /// What stands within `<rpc>`, as XML.
    #[schema(max_length = 1048576)]
    rpc: String,
}

/// What a device answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RpcReply {
    /// The whole reply, as XML.
    reply: String,
}

/// The configuration of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceConfiguration {
    /// It, as the device writes it: Junos as text, others as XML.
    configuration: String,
}

/// Tries the way to a device out, step by step.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/test", operation_id = "use-device.test", tag = "devices",
    params(DevicePath),
    responses(
        (status = 200, description = "How it went.", body = DeviceTest),
        Refusals,
    )
)]
pub(super) async fn test(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
) -> Result<Json<DeviceTest>, Problem> {
    let name = used(&sources, &viewer, &organization, device, UseKind::Test).await?;
    let steps = sources.hands.test(&organization, &name).await.map_err(|error| undone(Undone::Failed(error)))?;
    let listed = |Step { trial, found, is_needed: needed }| {
        let (ok, detail) = match found {
            Ok(found) => (true, found),
            Err(why) => (false, why),
        };
        DeviceStep { step: trial.as_str(), ok, detail, needed }
    };
    let steps: Vec<_> = steps.into_iter().map(listed).collect();
    Ok(Json(DeviceTest { ok: steps.iter().all(|step| step.ok || !step.needed), steps }))
}

/// Looks through a device's directory at once.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/collect", operation_id = "use-device.collect",
    tag = "devices", params(DevicePath),
    responses(
        (status = 200, description = "What it came to.", body = Collected),
        Refusals,
    )
)]
pub(super) async fn collect(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
) -> Result<Json<Collected>, Problem> {
    let name = used(&sources, &viewer, &organization, device, UseKind::Collect).await?;
    match sources.hands.collect(&organization, &name, PATIENCE).await {
        Some(Visited { taken, set_aside, error, .. }) => Ok(Json(Collected { taken, set_aside, error })),
        None => Err(Problem::busy("it takes longer than 15 s; `device show` tells what it comes to", 15)),
    }
}

/// Asks a device what it is.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/facts", operation_id = "use-device.facts", tag = "devices",
    params(DevicePath),
    responses(
        (status = 200, description = "What it says.", body = Facts),
        Refusals,
    )
)]
pub(super) async fn facts(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
) -> Result<Json<Facts>, Problem> {
    let name = used(&sources, &viewer, &organization, device, UseKind::Facts).await?;
    let facts = sources.hands.facts(&organization, &name).await.map_err(undone)?;
    Ok(Json(Facts {
        serial_number: facts.serial_number,
        host_name: facts.host_name,
        product: facts.product,
        os_version: facts.os_version,
        routing_engines: facts.routing_engines,
        members: facts.members.into_iter().map(Member::from).collect(),
    }))
}

/// Reads the configuration of a device.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/configuration", operation_id = "use-device.configuration",
    tag = "devices", params(DevicePath),
    responses(
        (status = 200, description = "It.", body = DeviceConfiguration),
        Refusals,
    )
)]
pub(super) async fn configuration(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
) -> Result<Json<DeviceConfiguration>, Problem> {
    let name = used(&sources, &viewer, &organization, device, UseKind::GetConfig).await?;
    let configuration = sources.hands.configuration(&organization, &name).await.map_err(undone)?;
    Ok(Json(DeviceConfiguration { configuration }))
}

/// Sends a NETCONF request to a device, as it is. Its SHA-256 without secrets is on record.
#[utoipa::path(
    post, path = "/api/v1/devices/{organization}/{device}/rpc", operation_id = "use-device.rpc", tag = "devices",
    params(DevicePath), request_body = RpcBody,
    responses(
        (status = 200, description = "What the device answered.", body = RpcReply),
        (status = 422, description = "It is too long.", content_type = "application/problem+json", body = ProblemBody),
        Refusals,
    )
)]
pub(super) async fn rpc(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(DevicePath { organization, device }): PathOf<DevicePath>,
    JsonBody(RpcBody { rpc }): JsonBody<RpcBody>,
) -> Result<Json<RpcReply>, Problem> {
    let name = usable(&sources, &viewer, &organization, &device)?;
    let asked = using(&name, UseKind::Rpc, recordable::sha256(&rpc));
    let asked = DeviceUse { asks_only: asks_only(&rpc), ..asked };
    recorded(&sources, &viewer, LEVEL, (&organization, asked)).await?;
    if rpc.trim().is_empty() || rpc.len() > RPC_MOST {
        let detail = format!("`rpc` must have 1 to {RPC_MOST} bytes");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/rpc".to_owned(), detail));
    }
    let reply = sources.hands.rpc(&organization, &name, &rpc).await.map_err(undone)?;
    Ok(Json(RpcReply { reply }))
}

/// Reads a file that was set aside from its device, as it lies there.
#[utoipa::path(
    post, path = "/api/v1/jmb-errors/{organization}/{device}/{id}/download", operation_id = "use-device.download",
    tag = "devices", params(JmbErrorPath),
    responses(
        (status = 200, description = "Its bytes.", content_type = "application/octet-stream", body = Vec<u8>),
        Refusals,
    )
)]
pub(super) async fn download(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(JmbErrorPath { organization, device, id }): PathOf<JmbErrorPath>,
) -> Result<Response, Problem> {
    let name = usable(&sources, &viewer, &organization, &device)?;
    let asked = DeviceUse { id: id.clone(), ..using(&name, UseKind::Download, String::new()) };
    recorded(&sources, &viewer, LEVEL, (&organization, asked)).await?;
    let bytes = sources.hands.file(&organization, &name, &id).await.map_err(undone)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// Lets on whoever may use a device, and puts on record that they do; the name by which it is reached.
async fn used(
    sources: &Sources,
    viewer: &Viewer,
    org: &OrgName,
    device: String,
    what: UseKind,
) -> Result<String, Problem> {
    let name = usable(sources, viewer, org, &device)?;
    recorded(sources, viewer, LEVEL, (org, using(&name, what, String::new()))).await?;
    Ok(name)
}

//! What people do with an organization.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use linesman_schemas::command::{DeviceGroup, Handling, Organization, OrganizationSettings, SubmitCaseAs, Verb};
use linesman_schemas::{ApprovalRules, CommandId, FilterLevel, OrgName, Place, Quotas};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, allow, command_id, refused, send};
use crate::edge::admission::Turn;
use crate::edge::paths::OrganizationPath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::licence::Excess;

/// An organization as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct OrganizationBody {
    /// The name people see; without one, the organization's name.
    #[schema(nullable = false, max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    display_name: Option<String>,
    /// Whether it stands for an end customer of the partner.
    proxy: bool,
    /// What may leave of its bundles, in its exact spelling; without one nothing.
    #[schema(schema_with = words::filter_level, required = false)]
    filter_level: Option<FilterLevel>,
    /// Its device groups; a device belongs to the first that names its host.
    #[serde(default)]
    #[schema(max_items = 1000)]
    device_groups: Vec<DeviceGroupBody>,
    /// By what those above know it; without one, its name.
    #[serde(default)]
    #[schema(max_length = 64, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    alias: String,
    /// Who solves what it reports, where nobody says otherwise.
    #[serde(default)]
    #[schema(schema_with = words::handling, required = false)]
    handling: Handling,
    /// Whether its cases are real: the others are marked, and no bundle goes with them.
    #[serde(default)]
    #[schema(schema_with = words::submit_case_as, required = false)]
    submit_case_as: SubmitCaseAs,
    /// Where spare parts go for it; without one, where the upstream knows.
    #[serde(default)]
    #[schema(max_length = 1000)]
    address: String,
    /// Whether the bundles of its cases, and what else belongs to them, go to the upstream too.
    #[serde(default = "is_uploading")]
    #[schema(default = true)]
    upload: bool,
    /// How often the newest information bundle of each of its devices goes there, in seconds, 3,600 at least; 0 for never.
    #[serde(default)]
    #[schema(default = 0)]
    snapshot_interval_s: u64,
    /// What needs approval here, beside what needs it everywhere.
    #[serde(default)]
    #[schema(schema_with = words::approval_rules, required = false)]
    approvals: ApprovalRules,
    /// Its quotas, which the provider's people set; of who else sets it they stay as they are.
    #[serde(default)]
    #[schema(schema_with = words::quotas, required = false)]
    quotas: Quotas,
}

const fn is_uploading() -> bool {
    true
}

/// A group of devices.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct DeviceGroupBody {
    /// Its name.
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    name: String,
    /// Host names, `*` standing for any text.
    #[schema(schema_with = words::lines)]
    devices: Vec<String>,
}

/// Creates an organization, or changes it and lifts its suspension.
///
/// What the configuration file says of it later still applies when the file changes.
#[utoipa::path(
    put,
    path = "/api/v1/organizations/{name}", operation_id = "set-organization",
    tag = "organizations",
    params(OrganizationPath, IdempotencyKey),
    request_body = OrganizationBody,
    responses(Answers, (status = 201, description = "it is created", body = super::CommandState))
)]
pub(in crate::edge) async fn set_organization(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<OrganizationBody>,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    let group = |DeviceGroupBody { name, devices }| DeviceGroup { name, devices };
    let settings = OrganizationSettings {
        display_name: body.display_name.unwrap_or_else(|| path.name.as_str().to_owned()),
        is_proxy: body.proxy,
        filter_level: body.filter_level.unwrap_or(FilterLevel::DoNotSend),
        device_groups: body.device_groups.into_iter().map(group).collect(),
        alias: body.alias,
        handling: body.handling,
        submit_case_as: body.submit_case_as,
        address: body.address,
        upload: body.upload,
        snapshot_interval_s: body.snapshot_interval_s,
        approvals: body.approvals,
        quotas: body.quotas,
        loaded: None,
    };
    let verb = Verb::Organization(Organization::Set(settings));
    set(&sources, &viewer, path.name, id, verb).await
}

/// Sends what an organization is to be, if there may be one more or it takes part already. Whoever adds another waits.
async fn set(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    org: OrgName,
    id: CommandId,
    verb: Verb,
) -> Result<Response, Problem> {
    allow(sources, viewer, Some(&org), &verb)?;
    // What was decided before under this id is answered as then.
    if sources.commands.known(&viewer.principal(), Some(&org), &id, &verb).map_err(refused)?.is_some() {
        return send(sources, viewer, Some(org), id, verb).await;
    }
    let devices = sources.gauges.look().await.devices.unwrap_or_default();
    let turn = sources.admission.turn().await;
    set_in_turn(sources, viewer, (turn, devices), org, id, verb).await
}

/// The same in one's turn, beside so many devices.
async fn set_in_turn(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    (mut turn, devices): (Turn<'_>, u64),
    org: OrgName,
    id: CommandId,
    verb: Verb,
) -> Result<Response, Problem> {
    let admitted = turn.admit(&sources.rows, &sources.standing, devices, &org);
    if let Err(excess) = admitted.map_err(|error| Problem::internal(&error))? {
        let status = match excess {
            Excess::OfMode { .. } => StatusCode::CONFLICT,
            Excess::Organizations { .. } | Excess::Devices { .. } => StatusCode::FORBIDDEN,
        };
        return Err(Problem::new(status, excess.to_string()));
    }
    let answer = send(sources, viewer, Some(org.clone()), id, verb).await;
    if answer.is_err() {
        turn.take_back(&org);
    }
    answer
}

/// Lifts the suspension of an organization, and changes nothing else of it.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{name}/activate",
    operation_id = "set-organization.activate",
    tag = "organizations",
    params(OrganizationPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn activate(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(OrganizationPath { name: org }): PathOf<OrganizationPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    viewer.may("set-organization", &Place::Organization(org.clone()))?;
    let devices = sources.gauges.look().await.devices.unwrap_or_default();
    // INVARIANT (what was forbidden stays so): as it is now, and not as whoever asks last saw it; nobody changes it meanwhile.
    let turn = sources.admission.turn().await;
    let row = sources.organization(&org).map_err(|error| Problem::internal(&error))?;
    let ids = sources.ids_quota(&org).map_err(|error| Problem::internal(&error))?;
    let nobody = || Problem::new(StatusCode::NOT_FOUND, format!("there is no organization `{org}`"));
    let row =
        row.ok_or_else(nobody).map_err(|problem| problem.of("set-organization", Place::Organization(org.clone())))?;
    let settings = OrganizationSettings {
        display_name: row.display_name,
        is_proxy: row.is_proxy,
        filter_level: row.filter_level,
        device_groups: row
            .device_groups
            .into_iter()
            .map(|group| DeviceGroup { name: group.name, devices: group.devices })
            .collect(),
        alias: row.alias,
        handling: row.handling,
        submit_case_as: row.submit_case_as,
        address: row.address,
        upload: row.upload,
        snapshot_interval_s: row.snapshot_interval_s,
        approvals: row.approvals.into(),
        quotas: Quotas { remembered_ids: ids, ..row.quotas.into() },
        loaded: None,
    };
    let verb = Verb::Organization(Organization::Set(settings));
    allow(&sources, &viewer, Some(&org), &verb)?;
    set_in_turn(&sources, &viewer, (turn, devices), org, id, verb).await
}

/// Suspends an organization: its inputs are set aside, its reactions are held, nothing of it is deleted.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{name}/suspend",
    operation_id = "suspend-organization",
    tag = "organizations",
    params(OrganizationPath, IdempotencyKey),
    responses(Answers)
)]
pub(in crate::edge) async fn suspend(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = command_id(&headers)?;
    send(&sources, &viewer, path.name.into(), id, Verb::Organization(Organization::Suspend)).await
}

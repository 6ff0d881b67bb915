//! What people do with an organization's addresses and contracts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use linesman_domain::addresses::LEVEL;
use linesman_schemas::command::{
    AddressChanges, AddressGroup, Contract, ContractChanges, DeviceAddresses, Organization, Verb,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::preview::{Answers, DryRun};
use super::{IdempotencyKey, send_or_preview};
use crate::edge::addressed::{AddressGroupBody, ContractBody, DeviceAddressesBody};
use crate::edge::paths::OrganizationPath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// What becomes of address groups, and of which of them devices name: all of it, or nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::edge) struct AddressesBody {
    /// Groups that are made, or changed.
    #[schema(max_items = 200)]
    groups: Vec<AddressGroupBody>,
    /// The names of groups that are removed; no device names one of them.
    #[schema(max_items = 200)]
    removed: Vec<String>,
    /// Which groups devices name.
    #[schema(max_items = 200)]
    devices: Vec<DeviceAddressesBody>,
}

/// Changes an organization's address groups, and which of them its devices name.
#[utoipa::path(
    post, path = "/api/v1/organizations/{name}/addresses", operation_id = "set-addresses", tag = "organizations",
    params(OrganizationPath, DryRun, IdempotencyKey), request_body = AddressesBody, responses(Answers)
)]
pub(in crate::edge) async fn addresses(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(AddressesBody { groups, removed, devices }): JsonBody<AddressesBody>,
) -> Result<Response, Problem> {
    let changes = AddressChanges {
        groups: groups.into_iter().map(AddressGroup::from).collect(),
        removed,
        devices: devices.into_iter().map(DeviceAddresses::from).collect(),
    };
    let verb = Verb::Organization(Organization::SetAddresses(changes));
    send_or_preview(&sources, &viewer, (dry_run, &headers), LEVEL, path.name, verb).await
}

/// What becomes of contracts: all of it, or nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::edge) struct ContractsBody {
    /// Lines of agreements that are added, or changed.
    #[schema(max_items = 200)]
    contracts: Vec<ContractBody>,
    /// The numbers of agreements that are removed, with all their lines.
    #[schema(max_items = 200)]
    removed: Vec<String>,
}

/// Changes an organization's contracts.
#[utoipa::path(
    post, path = "/api/v1/organizations/{name}/contracts", operation_id = "set-contracts", tag = "organizations",
    params(OrganizationPath, DryRun, IdempotencyKey), request_body = ContractsBody, responses(Answers)
)]
pub(in crate::edge) async fn contracts(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
    Params(dry_run): Params<DryRun>,
    headers: HeaderMap,
    JsonBody(ContractsBody { contracts, removed }): JsonBody<ContractsBody>,
) -> Result<Response, Problem> {
    let changes = ContractChanges { contracts: contracts.into_iter().map(Contract::from).collect(), removed };
    let verb = Verb::Organization(Organization::SetContracts(changes));
    send_or_preview(&sources, &viewer, (dry_run, &headers), LEVEL, path.name, verb).await
}

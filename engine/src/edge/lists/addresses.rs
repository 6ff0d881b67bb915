//! An organization's addresses and contracts, whole: there are few enough.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use linesman_domain::{addresses, contracts};
use linesman_schemas::Place;
use linesman_schemas::command::Contract;
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::{answer, whole_lane};
use crate::edge::addressed::{AddressGroupBody, ContractBody, DeviceAddressesBody};
use crate::edge::paths::OrganizationPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// An organization's address groups, and which of them its devices name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Addresses {
    /// The groups, by name.
    groups: Vec<AddressGroupBody>,
    /// The devices that name some, by serial number.
    devices: Vec<DeviceAddressesBody>,
}

/// An organization's address groups, and which of them its devices name.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}/addresses", operation_id = "addresses", tag = "organizations",
    params(OrganizationPath), responses((status = 200, description = "All of them.", body = Addresses))
)]
pub(in crate::edge) async fn addresses(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(OrganizationPath { name }): PathOf<OrganizationPath>,
) -> Result<Response, Problem> {
    viewer.may("addresses", &Place::Organization(name.clone()))?;
    answer(&sources, viewer, move |walk| {
        let lane = whole_lane(walk, &name)?;
        let groups = addresses::groups(lane, &name)?.into_iter().map(AddressGroupBody::from).collect();
        let devices = addresses::devices(lane, &name)?.into_iter().map(DeviceAddressesBody::from).collect();
        Ok(Addresses { groups, devices })
    })
    .await
}

/// An organization's contracts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Contracts {
    /// Their lines, by agreement, serial number and SKU.
    contracts: Vec<ContractBody>,
}

/// An organization's contracts.
#[utoipa::path(
    get, path = "/api/v1/organizations/{name}/contracts", operation_id = "contracts", tag = "organizations",
    params(OrganizationPath), responses((status = 200, description = "All of them.", body = Contracts))
)]
pub(in crate::edge) async fn contracts(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(OrganizationPath { name }): PathOf<OrganizationPath>,
) -> Result<Response, Problem> {
    viewer.may("contracts", &Place::Organization(name.clone()))?;
    answer(&sources, viewer, move |walk| {
        let rows = contracts::all(whole_lane(walk, &name)?, &name, None)?;
        Ok(Contracts { contracts: rows.into_iter().map(|row| Contract::from(row).into()).collect() })
    })
    .await
}

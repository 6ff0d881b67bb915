//! What people do with an organization's addresses and contracts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use linesman_domain::addresses::LEVEL;
use linesman_schemas::command::{
    AddressChanges, AddressGroup, Contract, ContractChanges, DeviceAddresses, Organization, Verb,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, command_id, send_at};
use crate::edge::paths::OrganizationPath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
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

/// An address group.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddressGroup)]
pub(in crate::edge) struct AddressGroupBody {
    /// Its name.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// The address, line by line.
    #[schema(min_length = 1, max_length = 500)]
    address: String,
    /// Who is asked for there.
    #[serde(default)]
    #[schema(max_length = 200)]
    contact: String,
}

impl From<AddressGroup> for AddressGroupBody {
    fn from(AddressGroup { name, address, contact }: AddressGroup) -> Self {
        Self { name, address, contact }
    }
}

/// Where a device is, and where its spare parts go: names of address groups, empty for none.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeviceAddresses)]
pub(in crate::edge) struct DeviceAddressesBody {
    /// The device's chassis serial number.
    #[schema(min_length = 1, max_length = 200)]
    serial_number: String,
    /// Where its spare parts go.
    #[serde(default)]
    #[schema(max_length = 64)]
    ship_to: String,
    /// Where it is.
    #[serde(default)]
    #[schema(max_length = 64)]
    location: String,
}

impl From<DeviceAddresses> for DeviceAddressesBody {
    fn from(DeviceAddresses { serial_number, ship_to, location }: DeviceAddresses) -> Self {
        Self { serial_number, ship_to, location }
    }
}

/// Changes an organization's address groups, and which of them its devices name.
#[utoipa::path(
    post, path = "/api/v1/organizations/{name}/addresses", operation_id = "set-addresses", tag = "organizations",
    params(OrganizationPath, IdempotencyKey), request_body = AddressesBody, responses(Answers)
)]
pub(in crate::edge) async fn addresses(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
    headers: HeaderMap,
    JsonBody(AddressesBody { groups, removed, devices }): JsonBody<AddressesBody>,
) -> Result<Response, Problem> {
    let group = |AddressGroupBody { name, address, contact }| AddressGroup { name, address, contact };
    let device =
        |DeviceAddressesBody { serial_number, ship_to, location }| DeviceAddresses { serial_number, ship_to, location };
    let changes = AddressChanges {
        groups: groups.into_iter().map(group).collect(),
        removed,
        devices: devices.into_iter().map(device).collect(),
    };
    let verb = Verb::Organization(Organization::SetAddresses(changes));
    send_at(&sources, &viewer, LEVEL, Some(path.name), command_id(&headers)?, verb).await
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

/// A line of a service agreement. Agreement, serial number and SKU together name it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Contract)]
pub(in crate::edge) struct ContractBody {
    /// The number of the agreement.
    #[schema(min_length = 1, max_length = 64)]
    agreement_number: String,
    /// How the agreement stands, as its issuer says it.
    #[serde(default)]
    #[schema(max_length = 64)]
    status: String,
    /// What was bought.
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    /// Of what type that is.
    #[serde(default)]
    #[schema(max_length = 64)]
    sku_type: String,
    /// Its first day, `YYYY-MM-DD`; empty where that is not known.
    #[serde(default)]
    #[schema(max_length = 10)]
    start: String,
    /// Its last day, `YYYY-MM-DD`.
    #[schema(max_length = 10)]
    end: String,
    /// The chassis serial number of the device it covers.
    #[schema(min_length = 1, max_length = 64)]
    serial_number: String,
    /// The part number of that.
    #[serde(default)]
    #[schema(max_length = 64)]
    part_number: String,
}

impl From<ContractBody> for Contract {
    fn from(body: ContractBody) -> Self {
        let ContractBody { agreement_number, status, sku, sku_type, start, end, serial_number, part_number } = body;
        Self { agreement_number, status, sku, sku_type, start, end, serial_number, part_number }
    }
}

impl From<Contract> for ContractBody {
    fn from(contract: Contract) -> Self {
        let Contract { agreement_number, status, sku, sku_type, start, end, serial_number, part_number } = contract;
        Self { agreement_number, status, sku, sku_type, start, end, serial_number, part_number }
    }
}

/// Changes an organization's contracts.
#[utoipa::path(
    post, path = "/api/v1/organizations/{name}/contracts", operation_id = "set-contracts", tag = "organizations",
    params(OrganizationPath, IdempotencyKey), request_body = ContractsBody, responses(Answers)
)]
pub(in crate::edge) async fn contracts(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
    headers: HeaderMap,
    JsonBody(ContractsBody { contracts, removed }): JsonBody<ContractsBody>,
) -> Result<Response, Problem> {
    let changes = ContractChanges { contracts: contracts.into_iter().map(Contract::from).collect(), removed };
    let verb = Verb::Organization(Organization::SetContracts(changes));
    send_at(&sources, &viewer, LEVEL, Some(path.name), command_id(&headers)?, verb).await
}

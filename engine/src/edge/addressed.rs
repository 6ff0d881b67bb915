//! Address groups, what devices name of them, and contracts: written as they are read.

use linesman_schemas::command::{AddressGroup, Contract, DeviceAddresses};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An address group.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddressGroup)]
pub(super) struct AddressGroupBody {
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

impl From<AddressGroupBody> for AddressGroup {
    fn from(AddressGroupBody { name, address, contact }: AddressGroupBody) -> Self {
        Self { name, address, contact }
    }
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
pub(super) struct DeviceAddressesBody {
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

impl From<DeviceAddressesBody> for DeviceAddresses {
    fn from(DeviceAddressesBody { serial_number, ship_to, location }: DeviceAddressesBody) -> Self {
        Self { serial_number, ship_to, location }
    }
}

impl From<DeviceAddresses> for DeviceAddressesBody {
    fn from(DeviceAddresses { serial_number, ship_to, location }: DeviceAddresses) -> Self {
        Self { serial_number, ship_to, location }
    }
}

/// A line of a service agreement. Agreement, serial number and SKU together name it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Contract)]
pub(super) struct ContractBody {
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

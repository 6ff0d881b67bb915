//! Commands about an organization's address groups and contracts.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, OWNER_MOST, label, text};

/// How many entries of a kind one command may change.
pub const CHANGES_MOST: usize = 200;
/// The longest name of an address group, in characters.
pub const ADDRESS_NAME_MOST: usize = 64;
/// The longest address of a group, in characters.
pub const ADDRESS_LINES_MOST: usize = 500;
/// The longest field of a contract, in characters.
pub const CONTRACT_WORD_MOST: usize = 64;

/// What becomes of an organization's address groups and of where its devices are: all of it, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddressChanges {
    /// Groups that are made, or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<AddressGroup>,
    /// The names of groups that are removed; no device names one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Which groups devices name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceAddresses>,
}

/// An address group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddressGroup {
    /// Its name.
    pub name: String,
    /// The address, line by line.
    pub address: String,
    /// Who is asked for there; empty for nobody.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub contact: String,
}

/// Where a device is, and where its spare parts go: names of address groups, empty for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceAddresses {
    /// The device's chassis serial number.
    pub serial_number: String,
    /// Where its spare parts go.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ship_to: String,
    /// Where it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
}

impl AddressChanges {
    pub(super) fn check(&self) -> Result<(), Fault> {
        few("/groups", &self.groups)?;
        few("/removed", &self.removed)?;
        few("/devices", &self.devices)?;
        for (at, group) in self.groups.iter().enumerate() {
            word(&format!("/groups/{at}/name"), &group.name, ADDRESS_NAME_MOST)?;
            let pointer = format!("/groups/{at}/address");
            text(&pointer, &group.address, ADDRESS_LINES_MOST)?;
            if group.address.trim().is_empty() {
                return Err(Fault::new(pointer, "is empty"));
            }
            label(&format!("/groups/{at}/contact"), &group.contact, OWNER_MOST)?;
        }
        for (at, name) in self.removed.iter().enumerate() {
            word(&format!("/removed/{at}"), name, ADDRESS_NAME_MOST)?;
        }
        for (at, device) in self.devices.iter().enumerate() {
            word(&format!("/devices/{at}/serial_number"), &device.serial_number, OWNER_MOST)?;
            label(&format!("/devices/{at}/ship_to"), &device.ship_to, ADDRESS_NAME_MOST)?;
            label(&format!("/devices/{at}/location"), &device.location, ADDRESS_NAME_MOST)?;
        }
        let names = self.groups.iter().map(|group| &group.name).chain(&self.removed);
        once("/groups", names)?;
        once("/devices", self.devices.iter().map(|device| &device.serial_number))
    }
}

/// What becomes of an organization's contracts: all of it, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContractChanges {
    /// Lines of agreements that are added, or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contracts: Vec<Contract>,
    /// The numbers of agreements that are removed, with all their lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
}

/// A line of a service agreement. Agreement, serial number and SKU together name it. Source: DOMAIN, "Reaction policies".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contract {
    /// The number of the agreement.
    pub agreement_number: String,
    /// How the agreement stands, as its issuer says it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// What was bought.
    pub sku: String,
    /// Of what type that is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sku_type: String,
    /// Its first day, `YYYY-MM-DD`; empty where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub start: String,
    /// Its last day, `YYYY-MM-DD`.
    pub end: String,
    /// The chassis serial number of the device it covers.
    pub serial_number: String,
    /// The part number of that.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part_number: String,
}

impl Contract {
    /// Whether every field is within its bounds, and days are days.
    ///
    /// # Errors
    /// The first that is not, by its name.
    pub fn check(&self) -> Result<(), Fault> {
        word("/agreement_number", &self.agreement_number, CONTRACT_WORD_MOST)?;
        label("/status", &self.status, CONTRACT_WORD_MOST)?;
        word("/sku", &self.sku, CONTRACT_WORD_MOST)?;
        label("/sku_type", &self.sku_type, CONTRACT_WORD_MOST)?;
        word("/serial_number", &self.serial_number, CONTRACT_WORD_MOST)?;
        label("/part_number", &self.part_number, CONTRACT_WORD_MOST)?;
        let start = if self.start.is_empty() { None } else { Some(day("/start", &self.start)?) };
        let end = day("/end", &self.end)?;
        match start.is_some_and(|start| start > end) {
            true => Err(Fault::new("/end", "is before `start`")),
            false => Ok(()),
        }
    }
}

impl ContractChanges {
    pub(super) fn check(&self) -> Result<(), Fault> {
        few("/contracts", &self.contracts)?;
        few("/removed", &self.removed)?;
        for (at, contract) in self.contracts.iter().enumerate() {
            contract
                .check()
                .map_err(|fault| Fault { pointer: format!("/contracts/{at}{}", fault.pointer), ..fault })?;
        }
        for (at, number) in self.removed.iter().enumerate() {
            word(&format!("/removed/{at}"), number, CONTRACT_WORD_MOST)?;
        }
        let line = |contract: &Contract| {
            [&contract.agreement_number, &contract.serial_number, &contract.sku].map(Clone::clone).join(" ")
        };
        once("/contracts", self.contracts.iter().map(line))?;
        once("/removed", self.removed.iter())
    }
}

/// A text of one line that is not empty.
fn word(pointer: &str, value: &str, most: usize) -> Result<(), Fault> {
    if value.trim().is_empty() {
        return Err(Fault::new(pointer, "is empty"));
    }
    label(pointer, value, most)
}

/// A day, `YYYY-MM-DD`, of the years that clocks have.
fn day(pointer: &str, value: &str) -> Result<Date, Fault> {
    let day = value.parse().ok().filter(|day: &Date| day.to_string() == value && (1970..=9990).contains(&day.year()));
    day.ok_or_else(|| Fault::new(pointer, "is no day such as `2026-11-21`"))
}

fn few<T>(pointer: &str, items: &[T]) -> Result<(), Fault> {
    match items.len() > CHANGES_MOST {
        true => Err(Fault::new(pointer, format!("has more than {CHANGES_MOST} entries"))),
        false => Ok(()),
    }
}

fn once<T: Ord + std::fmt::Display>(pointer: &str, names: impl Iterator<Item = T>) -> Result<(), Fault> {
    let mut known = std::collections::BTreeSet::new();
    for name in names {
        if known.contains(&name) {
            return Err(Fault::new(pointer, format!("has `{name}` more than once")));
        }
        known.insert(name);
    }
    Ok(())
}

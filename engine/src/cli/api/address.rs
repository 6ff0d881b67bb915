//! `linesman address`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use linesman_schemas::command::{AddressChanges, AddressGroup, DeviceAddresses, Organization, Verb};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::csv_file::{self, Line, Sheet};
use super::show::{self, Column, column};
use super::{Api, Args, ask, segment};
use crate::cli::Failure;

pub(in crate::cli) const COLUMNS: [Column; 3] =
    [column("NAME", "/name"), column("ADDRESS", "/address"), column("CONTACT", "/contact")];
const GROUPS: [&str; 3] = ["name", "address", "contact"];
const DEVICES: [&str; 3] = ["serial_number", "ship_to", "location"];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman address list acme --data-dir D
  linesman address set acme berlin --address 'Gate 3, 10115 Berlin' --contact 'Mara, +49 30 1234' --data-dir D
  linesman address device acme SN1234 --ship-to berlin --location berlin --data-dir D
  linesman address import acme addresses.csv --dry-run --data-dir D
  linesman address export acme --devices --data-dir D > devices.csv
  linesman address remove acme berlin --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List an organization's address groups
    List {
        /// Whose
        organization: String,
    },
    /// Show one, and the devices that name it
    Show {
        /// Whose
        organization: String,
        /// Its name
        name: String,
    },
    /// Make one, or change it
    Set {
        /// Whose
        organization: String,
        /// Its name
        name: String,
        /// The address
        #[arg(long, value_name = "TEXT")]
        address: String,
        /// Who is asked for there
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        contact: String,
    },
    /// Say where a device is, and where its spare parts go; without either nobody says so any more
    Device {
        /// Whose
        organization: String,
        /// Its chassis serial number
        serial_number: String,
        /// The address group where its spare parts go
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        ship_to: String,
        /// The address group where it is
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        location: String,
    },
    /// Remove one that no device names
    Remove {
        /// Whose
        organization: String,
        /// Its name
        name: String,
    },
    /// Make or change all of a CSV file, or nothing where a line of it is wrong
    ///
    /// The columns are `name,address,contact` of groups, or `serial_number,ship_to,location` of devices.
    Import {
        /// Whose
        organization: String,
        /// The file
        file: PathBuf,
        /// Look whether all lines are right, and ask the engine whether it would take them; nothing is imported
        #[arg(long)]
        dry_run: bool,
    },
    /// Print them as such a file
    Export {
        /// Whose
        organization: String,
        /// What devices name, instead of the groups
        #[arg(long)]
        devices: bool,
    },
}

#[derive(Deserialize)]
struct Kept {
    groups: Vec<AddressGroup>,
    devices: Vec<DeviceAddresses>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List { organization } => {
            let kept = kept(api, organization).await?;
            print(api, kept.groups.iter().map(|group| json!(group)).collect())
        }
        Action::Show { organization, name } => show_one(api, organization, name).await,
        Action::Set { organization, name, address, contact } => {
            let group = AddressGroup { name: name.clone(), address: address.clone(), contact: contact.clone() };
            change(api, organization, AddressChanges { groups: vec![group], ..AddressChanges::default() }).await
        }
        Action::Device { organization, serial_number, ship_to, location } => {
            let device = DeviceAddresses {
                serial_number: serial_number.clone(),
                ship_to: ship_to.clone(),
                location: location.clone(),
            };
            change(api, organization, AddressChanges { devices: vec![device], ..AddressChanges::default() }).await
        }
        Action::Remove { organization, name } => {
            change(api, organization, AddressChanges { removed: vec![name.clone()], ..AddressChanges::default() }).await
        }
        Action::Import { organization, file, dry_run } => import(api, organization, file, *dry_run).await,
        Action::Export { organization, devices } => {
            let kept = kept(api, organization).await?;
            if *devices {
                let line = |device: DeviceAddresses| vec![device.serial_number, device.ship_to, device.location];
                return csv_file::print(&DEVICES, kept.devices.into_iter().map(line));
            }
            let line = |group: AddressGroup| vec![group.name, group.address, group.contact];
            csv_file::print(&GROUPS, kept.groups.into_iter().map(line))
        }
    })
}

fn path(organization: &str) -> String {
    format!("/api/v1/organizations/{}/addresses", segment(organization))
}

async fn kept(api: &Api, organization: &str) -> anyhow::Result<Kept> {
    let found = api.get(&path(organization), &()).await?;
    serde_json::from_value(found).context("the answer tells of no addresses: is this an engine of another version?")
}

async fn change(api: &Api, organization: &str, changes: AddressChanges) -> anyhow::Result<()> {
    api.write(Method::POST, &path(organization), Some(json!(changes))).await
}

fn print(api: &Api, lines: Vec<Value>) -> anyhow::Result<()> {
    if api.is_json {
        lines.iter().for_each(|line| outln!("{line}"));
    } else {
        out!("{}", show::table(&lines, &COLUMNS, api.room()));
    }
    Ok(())
}

async fn show_one(api: &Api, organization: &str, name: &str) -> anyhow::Result<()> {
    let Kept { groups, devices } = kept(api, organization).await?;
    let Some(group) = groups.into_iter().find(|group| group.name == name) else {
        bail!("`{organization}` has no address group `{name}`; `list` shows what there is");
    };
    let named = |of: fn(&DeviceAddresses) -> &String| -> Vec<&str> {
        devices.iter().filter(|device| of(device) == name).map(|device| device.serial_number.as_str()).collect()
    };
    let (ship_to, location) = (named(|device| &device.ship_to), named(|device| &device.location));
    let shown = json!({
        "name": group.name, "address": group.address, "contact": group.contact, "ship_to": ship_to, "location": location,
    });
    if api.is_json {
        outln!("{shown}");
    } else {
        for (word, value) in shown.as_object().into_iter().flatten() {
            outln!("{word}: {}", show::plain(value));
        }
    }
    Ok(())
}

/// Looks at all lines, then sends them.
async fn import(api: &Api, organization: &str, file: &Path, is_dry: bool) -> anyhow::Result<()> {
    let kept = kept(api, organization).await?;
    let path = path(organization);
    if Sheet::has_column(file, "serial_number")? {
        let names: BTreeSet<&str> = kept.groups.iter().map(|group| group.name.as_str()).collect();
        let look = |line: &Line<'_>| device(line, &names);
        let sheet = Sheet::read(file, &DEVICES[..1], &DEVICES[1..])?;
        let devices = sheet.lines(look, |device: &DeviceAddresses| device.serial_number.clone())?;
        return api.import(&path, "devices", &devices, is_dry).await;
    }
    let sheet = Sheet::read(file, &GROUPS[..2], &GROUPS[2..])?;
    let groups = sheet.lines(group, |group: &AddressGroup| group.name.clone())?;
    api.import(&path, "groups", &groups, is_dry).await
}

fn group(line: &Line<'_>) -> Result<AddressGroup, String> {
    let group = AddressGroup { name: line.get("name"), address: line.get("address"), contact: line.get("contact") };
    check(AddressChanges { groups: vec![group.clone()], ..AddressChanges::default() })?;
    Ok(group)
}

fn device(line: &Line<'_>, names: &BTreeSet<&str>) -> Result<DeviceAddresses, String> {
    let device = DeviceAddresses {
        serial_number: line.get("serial_number"),
        ship_to: line.get("ship_to"),
        location: line.get("location"),
    };
    for name in [&device.ship_to, &device.location] {
        if !name.is_empty() && !names.contains(name.as_str()) {
            return Err(format!("there is no address group `{name}`"));
        }
    }
    check(AddressChanges { devices: vec![device.clone()], ..AddressChanges::default() })?;
    Ok(device)
}

fn check(changes: AddressChanges) -> Result<(), String> {
    let verb = Verb::Organization(Organization::SetAddresses(changes));
    verb.check().map_err(|fault| super::csv_fault(&fault))
}

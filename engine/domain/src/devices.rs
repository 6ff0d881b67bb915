//! Devices, known by their first bundle, and the groups they belong to.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::rc::Rc;

use foldhash::{HashMap, HashMapExt as _};
use jiff::{Timestamp, ToSpan};
use linesman_schemas::OrgName;
use linesman_schemas::bundle::Device;
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::device_groups;
use super::organizations::Organizations;
use super::reached;
use super::state::Base;
use super::table::{self, Key, Row, Table};

/// A device, known by its first bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    /// When its first bundle entered the log.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub first_seen: Timestamp,
    /// When its latest bundle did, to the hour.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub last_seen: Timestamp,
    /// Its host name, as the latest bundle gave it.
    pub host_name: String,
    /// Its model.
    pub product: String,
    /// Its system family.
    pub platform: String,
    /// The version of its operating system.
    pub os_version: String,
    /// Its address for management.
    pub management_address: String,
    /// The device group it belongs to; empty for none.
    pub group: String,
}

impl Row for DeviceRow {}

impl DeviceRow {
    /// Of a device of which nothing is known.
    pub fn unknown() -> Self {
        Self {
            first_seen: Timestamp::UNIX_EPOCH,
            last_seen: Timestamp::UNIX_EPOCH,
            host_name: String::new(),
            product: String::new(),
            platform: String::new(),
            os_version: String::new(),
            management_address: String::new(),
            group: String::new(),
        }
    }
}

/// The table of devices.
pub const DEVICES: Table<DeviceRow> = Table::new(b'd');

/// A device's key.
pub fn key(org: &OrgName, serial_number: &str) -> Key<DeviceRow> {
    DEVICES.key(&[org.as_str()], serial_number.as_bytes())
}

/// The front of the keys of an organization's devices, or of those from a row's own key on.
pub fn within(organization: &str, own: &[u8]) -> Vec<u8> {
    DEVICES.prefix(&[organization], own)
}

/// An organization's devices, by serial number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized), org: &OrgName) -> impl Iterator<Item = Result<(String, DeviceRow), Error>> {
    DEVICES
        .rows(base, &[org.as_str()])
        .map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

/// How many devices the lanes have.
///
/// # Errors
/// A base cannot be read.
pub fn count(bases: &[impl Base]) -> Result<u64, Error> {
    let mut count = 0;
    for base in bases {
        for row in Table::<DeviceRow>::scan(base, DEVICES.prefix(&[], &[])) {
            row?;
            count += 1;
        }
    }
    Ok(count)
}

/// How many rows are kept in memory: a network's devices send again and again.
const RECENT_MOST: usize = 2_048;
/// How many bytes of text such a row may have; most have some eighty.
const RECENT_BYTES: usize = 1_024;

/// How many of an organization's devices scripts may ask for.
const INVENTORY_MOST: usize = 10_000;
/// Of how many organizations they are held ready.
const INVENTORIES_MOST: usize = 16;

/// The rows of devices that were heard of lately, as the state has them; and by which host names devices are known, and what
/// scripts may ask for, of organizations where somebody asked.
pub(crate) struct Devices {
    recent: HashMap<Vec<u8>, Rc<DeviceRow>>,
    hosts: HashMap<OrgName, Hosts>,
    inventories: HashMap<OrgName, Rc<[linesman_rules::Device]>>,
}

/// Whom a name names.
pub(crate) enum Named {
    /// A device, by serial number.
    One(String, Rc<DeviceRow>),
    /// Nobody who has sent anything.
    Nobody,
    /// Several call themselves so.
    Several,
}

/// The serial numbers of devices by host name.
type Hosts = HashMap<String, BTreeSet<String>>;

impl Devices {
    pub(crate) fn new() -> Self {
        Self { recent: HashMap::new(), hosts: HashMap::new(), inventories: HashMap::new() }
    }

    fn remember(&mut self, key: Vec<u8>, row: &Rc<DeviceRow>) {
        let texts = [&row.host_name, &row.product, &row.platform, &row.os_version, &row.management_address, &row.group];
        if key.len() + texts.iter().map(|text| text.len()).sum::<usize>() > RECENT_BYTES {
            self.recent.remove(&key);
            return;
        }
        if self.recent.len() >= RECENT_MOST {
            self.recent.clear();
        }
        self.recent.insert(key, Rc::clone(row));
    }
}

impl Devices {
    /// Takes note of a device that sent a bundle; its row.
    ///
    /// The row is written when something changed or an hour has passed, not with every bundle.
    pub(crate) fn note(
        &mut self,
        desk: &mut Desk,
        organizations: &Organizations,
        org: &OrgName,
        device: &Device<'_>,
    ) -> Result<Rc<DeviceRow>, Error> {
        let now = desk.now;
        let group = device_groups::of_device(desk, organizations, org, &device.serial_number, &device.host_name)?;
        let key = key(org, &device.serial_number);
        let known = match self.recent.get(key.as_bytes()) {
            Some(row) if is_as_known(row, device, group, now) => return Ok(Rc::clone(row)),
            Some(row) => Some(Rc::clone(row)),
            None => desk.read(&key)?.map(Rc::new),
        };
        let row = match known {
            Some(row) if is_as_known(&row, device, group, now) => row,
            known => {
                self.rename(org, &device.serial_number, known.as_deref(), &device.host_name);
                self.inventories.remove(org);
                let before = known.as_ref().map(|row| row.host_name.as_str());
                reached::keep_host(desk, (org, &device.serial_number), (before, &device.host_name))?;
                let (first, last) = known.map_or((now, now), |row| (row.first_seen, row.last_seen));
                let row = DeviceRow {
                    first_seen: first,
                    last_seen: later(last, now),
                    host_name: device.host_name.to_string(),
                    product: device.product.to_string(),
                    platform: device.platform.as_deref().unwrap_or_default().to_owned(),
                    os_version: device.os_version.to_string(),
                    management_address: device.management_address.as_deref().unwrap_or_default().to_owned(),
                    group: group.to_owned(),
                };
                desk.write(self::key(org, &device.serial_number), &row)?;
                Rc::new(row)
            }
        };
        self.remember(key.into_bytes(), &row);
        Ok(row)
    }

    /// The devices of an organization that scripts may ask for: the first by serial number.
    pub(crate) fn inventory(&mut self, desk: &Desk, org: &OrgName) -> Result<Rc<[linesman_rules::Device]>, Error> {
        if let Some(known) = self.inventories.get(org) {
            return Ok(Rc::clone(known));
        }
        let prefix = within(org.as_str(), &[]);
        let stretch = desk.state().stretch(Bound::Included(&prefix), &prefix, INVENTORY_MOST)?;
        let device = |(key, bytes): (Vec<u8>, Vec<u8>)| {
            let row: DeviceRow = table::decode(&key, &bytes)?;
            let serial_number = String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned();
            let DeviceRow { host_name, product, platform, os_version, .. } = row;
            Ok(linesman_rules::Device { serial_number, host_name, product, platform, os_version })
        };
        let found: Rc<[_]> = stretch.rows.into_iter().map(device).collect::<Result<_, Error>>()?;
        if self.inventories.len() >= INVENTORIES_MOST {
            self.inventories.clear();
        }
        self.inventories.insert(org.clone(), Rc::clone(&found));
        Ok(found)
    }

    /// Whether a device is unknown, and there are as many as `most` in its organization.
    pub(crate) fn is_beyond(
        &self,
        desk: &Desk,
        org: &OrgName,
        serial_number: &str,
        most: usize,
    ) -> Result<bool, Error> {
        if self.find(desk, org, serial_number)?.is_some() {
            return Ok(false);
        }
        let known = DEVICES.rows(desk.state(), &[org.as_str()]).take(most);
        Ok(known.collect::<Result<Vec<_>, _>>()?.len() >= most)
    }

    /// Keeps up by which host name a device is known.
    fn rename(&mut self, org: &OrgName, serial_number: &str, known: Option<&DeviceRow>, host_name: &str) {
        let Some(hosts) = self.hosts.get_mut(org) else { return };
        if let Some(others) = known.and_then(|row| hosts.get_mut(&row.host_name)) {
            others.remove(serial_number);
        }
        hosts.entry(host_name.to_owned()).or_default().insert(serial_number.to_owned());
    }

    /// The device of a name, which is its serial number, or the host name of one alone.
    pub(crate) fn named(&mut self, desk: &Desk, org: &OrgName, name: &str) -> Result<Named, Error> {
        if let Some(row) = self.find(desk, org, name)? {
            return Ok(Named::One(name.to_owned(), row));
        }
        let serial_numbers = self.of_host(desk, org, name)?;
        let Some(serial_number) = serial_numbers.and_then(BTreeSet::first).cloned() else { return Ok(Named::Nobody) };
        if serial_numbers.is_some_and(|all| all.len() > 1) {
            return Ok(Named::Several);
        }
        let row = self.find(desk, org, &serial_number)?;
        Ok(row.map_or(Named::Nobody, |row| Named::One(serial_number, row)))
    }

    /// All devices that a name means: the one of that serial number, and those of that host name.
    pub(crate) fn all_named(
        &mut self,
        desk: &Desk,
        org: &OrgName,
        name: &str,
    ) -> Result<Vec<(String, Rc<DeviceRow>)>, Error> {
        let mut serial_numbers = self.of_host(desk, org, name)?.cloned().unwrap_or_default();
        serial_numbers.insert(name.to_owned());
        let mut found = Vec::new();
        for serial_number in serial_numbers {
            if let Some(row) = self.find(desk, org, &serial_number)? {
                found.push((serial_number, row));
            }
        }
        Ok(found)
    }

    /// The serial numbers of the devices of a host name.
    fn of_host(&mut self, desk: &Desk, org: &OrgName, name: &str) -> Result<Option<&BTreeSet<String>>, Error> {
        if !self.hosts.contains_key(org) {
            let mut hosts = Hosts::new();
            for row in DEVICES.rows(desk.state(), &[org.as_str()]) {
                let (own, row) = row?;
                let serial_number = String::from_utf8_lossy(&own).into_owned();
                hosts.entry(row.host_name).or_default().insert(serial_number);
            }
            self.hosts.insert(org.clone(), hosts);
        }
        Ok(self.hosts.get(org).and_then(|hosts| hosts.get(name)))
    }

    /// The device an incident is about.
    pub(crate) fn find(&self, desk: &Desk, org: &OrgName, serial_number: &str) -> Result<Option<Rc<DeviceRow>>, Error> {
        let key = key(org, serial_number);
        match self.recent.get(key.as_bytes()) {
            Some(row) => Ok(Some(Rc::clone(row))),
            None => Ok(desk.read(&key)?.map(Rc::new)),
        }
    }
}

/// Whether a bundle says of its device what its row says, and the row needs no later time.
fn is_as_known(row: &DeviceRow, device: &Device<'_>, group: &str, now: Timestamp) -> bool {
    row.host_name == device.host_name
        && row.product == device.product
        && row.platform == device.platform.as_deref().unwrap_or_default()
        && row.os_version == device.os_version
        && row.management_address == device.management_address.as_deref().unwrap_or_default()
        && row.group == group
        && row.last_seen == later(row.last_seen, now)
}

fn later(last: Timestamp, now: Timestamp) -> Timestamp {
    if last.checked_add(1.hour()).is_ok_and(|due| now >= due) { now } else { last }
}

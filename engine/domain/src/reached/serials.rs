//! Which device of an organization a serial number names, which is reached at an address, and which of those that send bundles
//! call themselves by a host name, without going through its devices.
//!
//! What people said goes before what devices say of themselves, and a number that two have is nobody's: else a device would
//! be asked in another's place by claiming its number.
//!
//! INVARIANT (an index): a row here says nothing that the device's own rows do not. So it is in no digest, and it is made of
//! those alone where a store has none yet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Bound;

use linesman_schemas::OrgName;

use super::{ReachedRow, StandingRow, all, name_of, serial_number, standing_key};
use crate::desk::Desk;
use crate::state::{Base, Writes};
use crate::table::{self, Key, Table};
use crate::{Error, devices, organizations};

/// The table of devices that are reached by serial number: its length and itself, who says so, and the device's name; of the same
/// by address: its length and itself with the port, and the device's name; and of devices that send bundles by host name: its
/// length and itself, and the device's serial number.
pub const SERIALS: Table<()> = Table::new(b'-');

/// Whose word it is which serial number a device has, in the order in which they count.
const WHOSE: [u8; 2] = [SAID, CLAIMED];
/// People's.
const SAID: u8 = 0;
/// Its own.
const CLAIMED: u8 = 1;
/// In place of that: what stands before is a host name.
const CALLED: u8 = 2;
/// What stands before is an address with its port.
const AT: u8 = 3;

/// The front of the keys of those that have a serial number by somebody's word, or a host name. The length keeps them apart
/// whatever characters they have.
fn front(named: &str, whose: u8) -> Vec<u8> {
    let length = u32::try_from(named.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length, named.as_bytes(), &[whose]].concat()
}

/// The key of a device that sends bundles by its host name; none where it has none.
fn host_key(org: &OrgName, serial_number: &str, host_name: &str) -> Option<Key<()>> {
    let own = || [&front(host_name, CALLED), serial_number.as_bytes()].concat();
    (!host_name.is_empty()).then(|| SERIALS.key(&[org.as_str()], &own()))
}

/// Keeps up by which host name a device is known that sends bundles, given that before, if there was one, and now.
pub(crate) fn keep_host(
    desk: &mut Desk,
    (org, serial_number): (&OrgName, &str),
    (before, after): (Option<&str>, &str),
) -> Result<(), Error> {
    if before == Some(after) {
        return Ok(());
    }
    if let Some(key) = before.and_then(|before| host_key(org, serial_number, before)) {
        desk.remove_covered(key);
    }
    host_key(org, serial_number, after).map_or(Ok(()), |key| desk.write_covered(key, &()))
}

/// The serial numbers of the devices that send bundles and call themselves by a host name.
///
/// # Errors
/// The base cannot be read.
pub fn of_host<'a, B: Base + ?Sized>(
    base: &'a B,
    org: &OrgName,
    host_name: &str,
) -> impl Iterator<Item = Result<String, Error>> + use<'a, B> {
    let prefix = SERIALS.prefix(&[org.as_str()], &front(host_name, CALLED));
    let length = prefix.len();
    Table::<()>::scan(base, prefix).map(move |row| row.map(|(key, _)| name_of(key.get(length..).unwrap_or_default())))
}

/// The key of a device by its serial number; none where it is not known.
fn key(org: &OrgName, name: &str, row: &ReachedRow, standing: Option<&StandingRow>) -> Option<Key<()>> {
    let whose = if row.serial_number.is_empty() { CLAIMED } else { SAID };
    let own = [&front(serial_number(row, standing)?, whose), name.as_bytes()].concat();
    Some(SERIALS.key(&[org.as_str()], &own))
}

/// The key of a device by where it is reached.
fn at_key(org: &OrgName, name: &str, row: &ReachedRow) -> Key<()> {
    SERIALS.key(&[org.as_str()], &[&front(&at(row), AT), name.as_bytes()].concat())
}

/// Where a device is reached, written in one way: the port of SSH with the address.
pub(super) fn at(row: &ReachedRow) -> String {
    let address = match row.address.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => row.address.trim_end_matches('.').to_ascii_lowercase(),
    };
    format!("{} {address}", row.port)
}

/// The name of another device of the organization that is reached where `row` says; the first of them.
///
/// # Errors
/// The base cannot be read.
pub(super) fn other_at(
    base: &(impl Base + ?Sized),
    (org, name): (&OrgName, &str),
    row: &ReachedRow,
) -> Result<Option<String>, Error> {
    let prefix = SERIALS.prefix(&[org.as_str()], &front(&at(row), AT));
    let found = base.stretch(Bound::Included(&prefix), &prefix, 2)?;
    let mut names = found.rows.iter().filter_map(|(key, _)| key.strip_prefix(&*prefix).map(name_of));
    Ok(names.find(|found| found != name))
}

/// Keeps up by which serial number and where a device is known, given its rows before and after; no row of it where it is not
/// reached.
pub(super) fn keep(
    desk: &mut Desk,
    (org, name): (&OrgName, &str),
    before: (Option<&ReachedRow>, Option<&StandingRow>),
    after: (Option<&ReachedRow>, Option<&StandingRow>),
) -> Result<(), Error> {
    let keys = |(row, standing): (Option<&ReachedRow>, _)| {
        let row = row?;
        Some([key(org, name, row, standing), Some(at_key(org, name, row))])
    };
    let [before, after] = [before, after].map(|rows| keys(rows).unwrap_or_default());
    for (before, after) in before.into_iter().zip(after) {
        if before == after {
            continue;
        }
        if let Some(key) = before {
            desk.remove_covered(key);
        }
        if let Some(key) = after {
            desk.write_covered(key, &())?;
        }
    }
    Ok(())
}

/// The name of the device that a serial number names.
///
/// # Errors
/// The base cannot be read.
pub fn of_serial(base: &(impl Base + ?Sized), org: &OrgName, serial_number: &str) -> Result<Option<String>, Error> {
    for whose in WHOSE {
        let prefix = SERIALS.prefix(&[org.as_str()], &front(serial_number, whose));
        let found = base.stretch(Bound::Included(&prefix), &prefix, 2)?;
        match found.rows.as_slice() {
            [] => {}
            [(key, _)] => return Ok(key.strip_prefix(&*prefix).map(name_of)),
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// All names of an organization's devices by the serial numbers that people gave them.
///
/// # Errors
/// The base cannot be read.
pub(crate) fn given(base: &(impl Base + ?Sized), org: &OrgName) -> Result<HashMap<String, String>, Error> {
    let mut found: HashMap<String, Option<String>> = HashMap::new();
    for row in SERIALS.rows(base, &[org.as_str()]) {
        let (own, ()) = row?;
        let Some((serial_number, _, name)) = parts(&own).filter(|(_, whose, _)| *whose == SAID) else { continue };
        // What two have is nobody's.
        found.entry(serial_number).and_modify(|known| *known = None).or_insert(Some(name));
    }
    Ok(found.into_iter().filter_map(|(serial_number, name)| Some((serial_number, name?))).collect())
}

/// The name of the device to which people gave a serial number; what devices claim counts for nothing.
///
/// # Errors
/// The base cannot be read.
pub(crate) fn given_to(
    base: &(impl Base + ?Sized),
    org: &OrgName,
    serial_number: &str,
) -> Result<Option<String>, Error> {
    let prefix = SERIALS.prefix(&[org.as_str()], &front(serial_number, SAID));
    let found = base.stretch(Bound::Included(&prefix), &prefix, 2)?;
    Ok(match found.rows.as_slice() {
        [(key, _)] => key.strip_prefix(&*prefix).map(name_of),
        _ => None,
    })
}

/// What a key's own part names, whose word it is, and of which device.
fn parts(own: &[u8]) -> Option<(String, u8, String)> {
    let (length, rest) = own.split_first_chunk()?;
    let (named, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let (whose, name) = rest.split_first()?;
    Some((name_of(named), *whose, name_of(name)))
}

/// Whether a serial number names no device since several have it by the same word.
///
/// # Errors
/// The base cannot be read.
pub fn is_of_several(base: &(impl Base + ?Sized), org: &OrgName, serial_number: &str) -> Result<bool, Error> {
    for whose in WHOSE {
        let prefix = SERIALS.prefix(&[org.as_str()], &front(serial_number, whose));
        match base.stretch(Bound::Included(&prefix), &prefix, 2)?.rows.len() {
            0 => {}
            count => return Ok(count > 1),
        }
    }
    Ok(false)
}

/// What is to be written for all devices to be found so.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn index(base: &(impl Base + ?Sized)) -> Result<Writes, Error> {
    let mut writes = Writes::default();
    for organization in organizations::all(base) {
        let (org, _) = organization?;
        for device in all(base, &org) {
            let (name, row) = device?;
            let standing = Table::read(base, &standing_key(&org, &name))?;
            for key in
                [key(&org, &name, &row, standing.as_ref()), Some(at_key(&org, &name, &row))].into_iter().flatten()
            {
                writes.rows.push((key.into_bytes(), Some(table::encode(&())?)));
            }
        }
        for device in devices::all(base, &org) {
            let (serial_number, row) = device?;
            if let Some(key) = host_key(&org, &serial_number, &row.host_name) {
                writes.rows.push((key.into_bytes(), Some(table::encode(&())?)));
            }
        }
    }
    Ok(writes)
}

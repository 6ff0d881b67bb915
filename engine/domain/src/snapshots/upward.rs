//! Newest snapshots of devices go to the upstream, once in each interval of their organization. From engine level 8 on.
//!
//! ```text
//! 5 <org>                    RoundRow: when the next round begins
//! 6 <org> 0 <serial number>  LeftRow: which snapshot of a device has left, and which is on its way
//! 7 <org> 0 <reaction>       LeavingRow: the device whose snapshot a reaction brings
//!
//! interval is set --> timer --> round: a job over the devices, in slices --> a reaction for each that has a newer one
//!                       ^                 |
//!                       +--- interval ----+
//! ```
//!
//! Within a round each device has a moment of its own, by its name, so that not all go at once. What is still on its way
//! when the next round comes gives way to a newer one: of a device there is one at a time, however long the upstream is
//! away. Whether anything may leave, and at which level, is asked when it is decided and whenever that changes.

use std::collections::BTreeSet;
use std::ops::Bound;

use jiff::Timestamp;
use linesman_schemas::command::SubmitCaseAs;
use linesman_schemas::reaction::{Action, BundleBytes};
use linesman_schemas::upload::{DEVICE_MOST, Upload, UploadDevice, UploadKind, UploadSource};
use linesman_schemas::{FilterLevel, Mode, OrgName, ReactionId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{SNAPSHOTS, Snapshot, key};
use crate::desk::Desk;
use crate::follow::Cause;
use crate::organizations::Organizations;
use crate::reactions::{self, Decided, after};
use crate::table::{Key, Row, Table};
use crate::timers::{self, Timer};
use crate::{Error, devices, uploads, upstream};

/// The engine level from which on snapshots go upward.
pub(crate) const LEVEL: u32 = 8;
/// How snapshots stand on their way, as they are counted.
pub const STATES: [&str; 4] = ["waiting", "sent", "failed", "withdrawn"];
/// What a snapshot is called where its own name would say who gave it.
const NAME: &str = "snapshot.xml";
/// What information bundles are.
const XML: &str = "application/xml";

/// The rounds of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundRow {
    /// When the next one begins.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub due: Timestamp,
}

/// What of a device's snapshots has gone to the upstream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeftRow {
    /// The SHA-256 of the one that the upstream has, as it is here; zeros before the first.
    pub has: [u8; 32],
    /// When it was there.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub at: Option<Timestamp>,
    /// The one that is on its way.
    pub going: Option<Going>,
}

/// A snapshot on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Going {
    /// The SHA-256 of its bytes, as they are here.
    pub sha256: [u8; 32],
    /// Whether they are an object, which stays as long.
    pub is_object: bool,
    /// The reaction that brings them.
    pub reaction: String,
}

/// The device whose snapshot a reaction brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeavingRow {
    /// Its serial number.
    pub serial_number: String,
}

impl Row for RoundRow {}
impl Row for LeftRow {}
impl Row for LeavingRow {}

/// The table of rounds.
pub const ROUNDS: Table<RoundRow> = Table::new(b'5');
/// The table of what has left.
pub const LEFT: Table<LeftRow> = Table::new(b'6');
/// The table of whose snapshots are on their way.
pub const LEAVING: Table<LeavingRow> = Table::new(b'7');

fn round(org: &OrgName) -> Key<RoundRow> {
    ROUNDS.key(&[], org.as_str().as_bytes())
}

/// The key of what of a device's snapshots has left.
pub fn left(org: &OrgName, serial_number: &str) -> Key<LeftRow> {
    LEFT.key(&[org.as_str()], serial_number.as_bytes())
}

fn leaving(org: &OrgName, reaction: &str) -> Key<LeavingRow> {
    LEAVING.key(&[org.as_str()], reaction.as_bytes())
}

/// The interval of an organization has changed: the next round begins now, or none does any more.
pub(crate) fn set_interval(desk: &mut Desk, organizations: &Organizations, org: &OrgName) -> Result<(), Error> {
    if let Some(RoundRow { due }) = desk.read(&round(org))? {
        timers::disarm(desk, due, &Timer::Snapshots(org.as_str()))?;
        desk.remove(round(org));
    }
    match organizations.row(org).map_or(0, |row| row.snapshot_interval_s) {
        0 => Ok(()),
        _ => arm(desk, org, desk.now),
    }
}

fn arm(desk: &mut Desk, org: &OrgName, due: Timestamp) -> Result<(), Error> {
    desk.write(round(org), &RoundRow { due })?;
    timers::arm_at(desk, due, &Timer::Snapshots(org.as_str()))
}

/// A round is due, and the next one an interval behind it; those that were missed are not made up for. The organization
/// whose devices are gone through.
pub(crate) fn wake(
    desk: &mut Desk,
    organizations: &Organizations,
    org: &[u8],
    due: Timestamp,
) -> Result<Option<OrgName>, Error> {
    let Some(org) = std::str::from_utf8(org).ok().and_then(|org| org.parse::<OrgName>().ok()) else { return Ok(None) };
    if desk.read(&round(&org))?.is_none_or(|row| row.due != due) {
        return Ok(None);
    }
    let interval_s = organizations.row(&org).map_or(0, |row| row.snapshot_interval_s);
    if interval_s == 0 {
        desk.remove(round(&org));
        return Ok(None);
    }
    let next = after(due, interval_s);
    let next = if next > desk.now { next } else { after(desk.now, interval_s) };
    arm(desk, &org, next)?;
    Ok(Some(org).filter(|org| may_leave(desk, organizations, org)))
}

/// A round of an organization is not made; the next one is due at a moment.
pub(crate) fn put_off(desk: &mut Desk, org: &[u8], due: Timestamp) -> Result<(), Error> {
    let org = std::str::from_utf8(org).ok().and_then(|org| org.parse::<OrgName>().ok());
    org.map_or(Ok(()), |org| arm(desk, &org, due))
}

/// Whether snapshots of an organization's devices leave at all. Of features alone nobody could say whose they are: a
/// serial number is none.
fn may_leave(desk: &Desk, organizations: &Organizations, org: &OrgName) -> bool {
    let Some(row) = organizations.row(org) else { return false };
    let is_let_out = !matches!(row.filter_level, FilterLevel::DoNotSend | FilterLevel::FeaturesOnly);
    let is_asked_for = row.snapshot_interval_s > 0 && row.upload && row.submit_case_as == SubmitCaseAs::Real;
    is_let_out && is_asked_for && desk.mode != Mode::Offline
}

/// The newest snapshot of a device.
struct Newest {
    name: String,
    media_type: Option<String>,
    host_name: String,
    sha256: [u8; 32],
    is_object: bool,
    source: UploadSource,
}

/// What of a device is the newest: what it sent here, or what its end customer has uploaded.
fn newest(desk: &Desk, org: &OrgName, serial_number: &str) -> Result<Option<Newest>, Error> {
    let own = desk.read(&key(org, serial_number))?.and_then(|row| row.snapshots.into_iter().next());
    let uploaded = desk.read(&uploads::snapshot(org, serial_number))?;
    match (own, uploaded) {
        (own, Some(row)) if own.as_ref().is_none_or(|own| own.received <= row.came) => Ok(Some(Newest {
            name: row.name,
            media_type: row.media_type,
            host_name: row.host_name,
            sha256: row.sha256,
            is_object: true,
            source: UploadSource::Object { sha256: hex::encode(row.sha256), size: row.size },
        })),
        (Some(Snapshot { bundle, .. }), _) => {
            let host_name = desk.read(&devices::key(org, serial_number))?.map(|row| row.host_name).unwrap_or_default();
            Ok(Some(Newest {
                name: NAME.to_owned(),
                media_type: Some(XML.to_owned()),
                host_name,
                sha256: bundle.sha256,
                is_object: false,
                source: UploadSource::Input(BundleBytes {
                    sequence: bundle.sequence,
                    length: bundle.length,
                    sha256: hex::encode(bundle.sha256),
                    start: 0,
                    end: bundle.length,
                }),
            }))
        }
        (None, _) => Ok(None),
    }
}

/// So many devices of a round, behind the key of the last one; the last one's where there may be more, and how many.
pub(crate) fn slice(
    desk: &mut Desk,
    organizations: &Organizations,
    org: &OrgName,
    cursor: &[u8],
    most: usize,
) -> Result<(Option<Vec<u8>>, u64), Error> {
    if !may_leave(desk, organizations, org) {
        return Ok((None, 0));
    }
    let (uploaded, own) = (uploads::SNAPSHOTS.prefix(&[org.as_str()], &[]), SNAPSHOTS.prefix(&[org.as_str()], &[]));
    let mut last = cursor.to_vec();
    let mut count = 0;
    // Those of end customers come first, since their letter does.
    for prefix in [uploaded, own] {
        if last > prefix && !last.starts_with(&prefix) {
            continue;
        }
        let is_within = last.starts_with(&prefix);
        let mut from = if is_within { Bound::Excluded(last.clone()) } else { Bound::Included(prefix.clone()) };
        while let Some((found, _)) = desk.first(from.as_ref().map(Vec::as_slice), &prefix)? {
            let serial_number = String::from_utf8_lossy(found.get(prefix.len()..).unwrap_or_default()).into_owned();
            depart(desk, organizations, org, &serial_number)?;
            count += 1;
            if count >= most {
                return Ok((Some(found), count as u64));
            }
            last.clone_from(&found);
            from = Bound::Excluded(found);
        }
    }
    Ok((None, count as u64))
}

/// The devices of an organization that have sent snapshots, or of which its end customer has uploaded one.
pub(crate) fn all(desk: &Desk, org: &OrgName) -> Result<BTreeSet<String>, Error> {
    let base = desk.state();
    let own = SNAPSHOTS.rows(base, &[org.as_str()]).map(|row| row.map(|(serial_number, _)| serial_number));
    let uploaded =
        uploads::SNAPSHOTS.rows(base, &[org.as_str()]).map(|row| row.map(|(serial_number, _)| serial_number));
    own.chain(uploaded).map(|found| found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())).collect()
}

/// What of a device's newest snapshot may leave now, whenever it is asked for; none where it has none.
pub(crate) fn as_it_leaves(
    desk: &Desk,
    organizations: &Organizations,
    org: &OrgName,
    serial_number: &str,
) -> Result<Option<uploads::Left>, Error> {
    let (Some(newest), Some(row)) = (newest(desk, org, serial_number)?, organizations.row(org)) else {
        return Ok(None);
    };
    let why = match row.filter_level {
        FilterLevel::DoNotSend => Some("the filter level is `Do not send`"),
        FilterLevel::FeaturesOnly => Some("of features alone nobody could say whose they are"),
        _ if !row.upload || row.submit_case_as != SubmitCaseAs::Real => {
            Some("snapshots of the organization's devices stay here, as it is set")
        }
        _ if !is_told(serial_number) => Some("no upstream takes its serial number"),
        _ => None,
    };
    Ok(Some(why.map_or_else(|| Ok(Box::new(upload(serial_number, newest, row.filter_level))), Err)))
}

/// Whether upstreams take a serial number.
fn is_told(serial_number: &str) -> bool {
    serial_number.chars().count() <= DEVICE_MOST && !serial_number.chars().any(char::is_control)
}

/// Sends a device's newest snapshot on its way, unless it is, or has left already.
fn depart(desk: &mut Desk, organizations: &Organizations, org: &OrgName, serial_number: &str) -> Result<(), Error> {
    if !is_told(serial_number) {
        return Ok(());
    }
    let Some(newest) = newest(desk, org, serial_number)? else { return Ok(()) };
    let mut row = desk.read(&left(org, serial_number))?.unwrap_or_default();
    let on_its_way = row.going.as_ref().map(|going| going.sha256);
    if on_its_way.unwrap_or(row.has) == newest.sha256 {
        return Ok(());
    }
    if let Some(before) = row.going.take() {
        withdraw(desk, org, &before)?;
    }
    let Some(level) = organizations.row(org).map(|row| row.filter_level) else { return Ok(()) };
    let interval_s = organizations.row(org).map_or(0, |row| row.snapshot_interval_s);
    let id = desk.next_reaction(org);
    if newest.is_object {
        uploads::hold(desk, org, &newest.sha256)?;
    }
    row.going = Some(Going { sha256: newest.sha256, is_object: newest.is_object, reaction: id.to_string() });
    desk.write(left(org, serial_number), &row)?;
    desk.write(leaving(org, id.as_str()), &LeavingRow { serial_number: serial_number.to_owned() })?;
    desk.tally.snapshot("waiting");
    let at = after(desk.now, wait_s(org, serial_number, interval_s));
    let destination = upstream::of_case(&desk.installed);
    let decided = Decided { id, destination, action: Action::Upload(Box::new(upload(serial_number, newest, level))) };
    let is_suspended = organizations.is_suspended(org);
    reactions::react_at(desk, at, (org, None), &Cause::Handling, &decided, is_suspended)
}

/// How long a device waits within an interval, in seconds: by its name, the same in every round.
fn wait_s(org: &OrgName, serial_number: &str, interval_s: u64) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(org.as_str().as_bytes());
    hasher.update([0]);
    hasher.update(serial_number.as_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    let share = digest.first_chunk().map_or(0, |bytes| u64::from(u32::from_be_bytes(*bytes)));
    (interval_s.saturating_mul(share)) >> 32
}

/// What of a snapshot a connector is told at a filter level.
///
/// INVARIANT (data leaves only filtered): below `Send all information` the name says nothing of whoever gave it; a host
/// name, which may hold an address, leaves where the manifest of a bundle would have it.
fn upload(serial_number: &str, newest: Newest, filter_level: FilterLevel) -> Upload {
    let is_bare = filter_level == FilterLevel::AddressesOverwritten || newest.host_name.chars().count() > DEVICE_MOST;
    let host_name = if is_bare { String::new() } else { newest.host_name };
    let (name, media_type) = match filter_level {
        FilterLevel::All => (newest.name, newest.media_type),
        _ => (NAME.to_owned(), Some(XML.to_owned()).filter(|_| !newest.is_object)),
    };
    Upload {
        kind: UploadKind::Snapshot,
        case: String::new(),
        name,
        media_type,
        device: Some(UploadDevice { serial_number: serial_number.to_owned(), host_name }),
        filter_level,
        without: Vec::new(),
        source: newest.source,
    }
}

/// What was on its way is not any more.
fn withdraw(desk: &mut Desk, org: &OrgName, going: &Going) -> Result<(), Error> {
    if let Ok(id) = going.reaction.parse::<ReactionId>() {
        reactions::withdraw(desk, org, &id)?;
    }
    desk.tally.snapshot("withdrawn");
    end(desk, org, going)
}

/// A way has ended, somehow.
fn end(desk: &mut Desk, org: &OrgName, going: &Going) -> Result<(), Error> {
    desk.remove(leaving(org, &going.reaction));
    if going.is_object { uploads::unname(desk, org, &going.sha256) } else { Ok(()) }
}

/// A device's snapshot that a reaction brings.
fn of_reaction(desk: &Desk, org: &OrgName, reaction: &str) -> Result<Option<(String, LeftRow, Going)>, Error> {
    let Some(LeavingRow { serial_number }) = desk.read(&leaving(org, reaction))? else { return Ok(None) };
    let Some(row) = desk.read(&left(org, &serial_number))? else { return Ok(None) };
    let going = row.going.clone().filter(|going| going.reaction == reaction);
    Ok(going.map(|going| (serial_number, row, going)))
}

/// The upstream has what a reaction brought, or it is given up until the next round.
pub(crate) fn ended(desk: &mut Desk, org: &OrgName, reaction: &str, is_there: bool) -> Result<(), Error> {
    let Some((serial_number, mut row, going)) = of_reaction(desk, org, reaction)? else { return Ok(()) };
    if is_there {
        (row.has, row.at) = (going.sha256, Some(desk.now));
    }
    desk.tally.snapshot(if is_there { "sent" } else { "failed" });
    row.going = None;
    desk.write(left(org, &serial_number), &row)?;
    end(desk, org, &going)
}

/// A snapshot that is waiting, as it may leave now, and where to; it stays here where nothing may. None if the reaction is
/// that of no snapshot.
pub(crate) fn refilter(
    desk: &mut Desk,
    organizations: &Organizations,
    org: &OrgName,
    reaction: &str,
    action: &str,
) -> Result<Option<Option<Action>>, Error> {
    let Some((serial_number, mut row, going)) = of_reaction(desk, org, reaction)? else { return Ok(None) };
    if let Ok(Action::Upload(was)) = serde_json::from_str(action)
        && let Some(level) = organizations.row(org).map(|row| row.filter_level)
        && may_leave(desk, organizations, org)
    {
        let known = newest(desk, org, &serial_number)?.filter(|newest| newest.sha256 == going.sha256);
        let plain = |newest: Option<Newest>| newest.map(|newest| (newest.name, newest.media_type, newest.host_name));
        // A newer one has come meanwhile: what the older was called is forgotten.
        let unknown = || (NAME.to_owned(), None, String::new());
        let (name, media_type, host_name) = plain(known).unwrap_or_else(unknown);
        let (sha256, is_object) = (going.sha256, going.is_object);
        let newest = Newest { name, media_type, host_name, sha256, is_object, source: was.source };
        return Ok(Some(Some(Action::Upload(Box::new(upload(&serial_number, newest, level))))));
    }
    desk.tally.snapshot("withdrawn");
    row.going = None;
    desk.write(left(org, &serial_number), &row)?;
    end(desk, org, &going)?;
    Ok(Some(None))
}

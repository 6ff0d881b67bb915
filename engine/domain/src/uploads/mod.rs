//! Bytes that go upward with cases: the bundle of one that is opened here, and whatever end customers have uploaded with
//! theirs. From engine level 7 on.
//!
//! An upload waits for its case: once the upstream has that, it becomes a pending reaction, which is tried again like any
//! other. Whether anything may leave, and at which level, is asked when it is written and whenever that changes; the bytes
//! are filtered on their way, by whoever sends them.
//!
//! An object is there once for an organization, however many of its rows name it.

mod collected;
mod ending;
pub mod fetched;
mod row;

use linesman_schemas::command::UploadKept;
use linesman_schemas::reaction::{Action, BundleBytes};
use linesman_schemas::upload::{BundlePart, Upload, UploadDevice, UploadKind, UploadSource};
use linesman_schemas::{FilterLevel, IncidentId, OrgName};

use super::cases::CaseState;
use super::desk::Desk;
use super::follow::{Cause, Follow};
use super::organizations::Organizations;
use super::reactions::Decided;
use super::state::Base;
use super::subject::Incident;
use super::{Error, cases, upstream};
pub use collected::LEVEL as COLLECTED;
pub(crate) use collected::{Whole, keep_newest, keep_own};
pub(crate) use ending::{look_after, look_at_all, release};
pub(crate) use row::within;
pub use row::{
    ENDED, EndedRow, Held, KEPT, KeptRow, OBJECTS, ObjectRow, SNAPSHOTS, SnapshotRow, UPLOADS, UploadRow, UploadState,
    count_kept, ended, kept, key, object, of_case, sha256, snapshot,
};

/// The engine level from which on bytes go upward.
pub const LEVEL: u32 = 7;
/// The engine level from which on uploads go beside cases and not among them, as often as they get on, and what is kept of
/// ended cases is released.
pub(crate) const ON_THEIR_OWN: u32 = 8;
/// The engine level from which on what an upload has brought is worth as much time as it has bytes.
pub(crate) const BY_BYTES: u32 = 9;
/// The engine level from which on what was given up of a case can go again.
pub const AGAIN: u32 = 17;
/// The most uploads of a case.
const CASE_MOST: usize = 100;
/// The number of an incident's own bundle.
const OWN: u32 = 0;
/// What bundles are.
const XML: &str = "application/xml";

/// The incident's own bundle goes with its case, if it has one and it goes anywhere.
pub(crate) fn with_bundle(desk: &mut Desk, organizations: &Organizations, incident: &Incident) -> Result<(), Error> {
    let bundle = &incident.row.bundle;
    if !desk.is_at(LEVEL) || !bundle.is_there() || !may_leave(desk, organizations, incident) {
        return Ok(());
    }
    if desk.read(&key(&incident.id, 0))?.is_some() {
        return Ok(());
    }
    let mut row = own(desk, incident);
    stand(desk, &incident.id, 0, &mut row, UploadState::Kept)
}

/// A file as a connector is told of it, or why it stays.
pub(crate) type Left = Result<Box<Upload>, &'static str>;

/// The incident's own bundle, kept from now on.
fn own(desk: &Desk, incident: &Incident) -> UploadRow {
    UploadRow {
        kind: UploadKind::Bundle,
        name: format!("{}.xml", incident.id),
        media_type: Some(XML.to_owned()),
        serial_number: incident.row.serial_number.clone(),
        host_name: incident.device.host_name.clone(),
        held: Held::Bundle,
        size: incident.row.bundle.length,
        state: UploadState::Kept,
        reaction: String::new(),
        came: desk.now,
        sent_size: 0,
        sent_sha256: String::new(),
    }
}

/// What goes upward with an incident's case, as it may leave now, by its number. Of an incident without a case, what would.
pub(crate) fn as_they_leave(
    desk: &Desk,
    organizations: &Organizations,
    incident: &Incident,
) -> Result<Vec<(u32, Left)>, Error> {
    let mut rows: Vec<_> = of_case(desk.state(), &incident.id).collect::<Result<_, _>>()?;
    let is_own_there = rows.first().is_some_and(|(number, _)| *number == 0);
    if !is_own_there && incident.row.bundle.is_there() {
        rows.insert(0, (0, own(desk, incident)));
    }
    let level = organizations.filter_level(&incident.id.org);
    let may_leave = may_leave(desk, organizations, incident);
    let left = rows.into_iter().map(|(number, row)| {
        let why = match row.held {
            _ if level == FilterLevel::DoNotSend => Some("the filter level is `Do not send`"),
            _ if !may_leave => {
                Some("files of the organization's cases stay here, as it is set, or as it is a test case")
            }
            Held::Released(_) => Some("it is not kept any more"),
            _ if stays_whole(incident, number) => {
                Some("attachments and logs stay here, as whoever opened its case chose")
            }
            Held::Bundle | Held::Object(_) => None,
        };
        let left = || Box::new(told(incident, (number, &row), String::new(), level));
        (number, why.map_or_else(|| Ok(left()), Err))
    });
    Ok(left.collect())
}

/// Keeps what an end customer has uploaded with a case, once; what follows, or why not.
pub(crate) fn keep(
    desk: &mut Desk,
    incident: &Incident,
    given: &UploadKept,
) -> Result<Result<Vec<Follow>, String>, Error> {
    let UploadKept { stored, upload, .. } = given;
    let reported = incident.chain.as_ref().and_then(|chain| chain.reported.as_ref());
    if reported.is_none_or(|reported| Some(&reported.transaction_id) != upload.receipt.as_ref()) {
        return Ok(Err("the case is not that of the receipt".to_owned()));
    }
    let Some(sha256) = sha256(&upload.sha256) else { return Ok(Err("`sha256` is none".to_owned())) };
    let known: Vec<_> = of_case(desk.state(), &incident.id).collect::<Result<_, _>>()?;
    let is_same = |row: &UploadRow| {
        (row.held, row.kind, row.name.as_str()) == (Held::Object(sha256), upload.kind, upload.name.as_str())
    };
    if known.iter().any(|(_, row)| is_same(row)) {
        return Ok(Ok(Vec::new()));
    }
    if known.len() >= CASE_MOST {
        return Ok(Err(format!("the case has {CASE_MOST} uploads, and takes no more")));
    }
    // The incident's own bundle is the first.
    let number = known.last().map_or(0, |(number, _)| *number) + 1;
    name(desk, &incident.id.org, &sha256, (stored, upload.size))?;
    let device = upload.device.clone();
    let (serial_number, host_name) =
        device.map_or_else(Default::default, |device| (device.serial_number, device.host_name));
    let mut row = UploadRow {
        kind: upload.kind,
        name: upload.name.clone(),
        media_type: upload.media_type.clone(),
        serial_number,
        host_name,
        held: Held::Object(sha256),
        size: upload.size,
        state: UploadState::Kept,
        reaction: String::new(),
        came: desk.now,
        sent_size: 0,
        sent_sha256: String::new(),
    };
    stand(desk, &incident.id, number, &mut row, UploadState::Kept)?;
    Ok(Ok(vec![Follow::Upload]))
}

/// One more row names an object. What is there already stays where it lies: other bytes of the same SHA-256 there are
/// none.
fn name(desk: &mut Desk, org: &OrgName, sha256: &[u8; 32], (stored, size): (&str, u64)) -> Result<(), Error> {
    let key = object(org, sha256);
    if let Some(mut row) = desk.read(&key)? {
        row.names = row.names.saturating_add(1);
        return desk.write(key, &row);
    }
    let mut total = desk.read(&kept(org))?.unwrap_or_default();
    (total.objects, total.bytes) = (total.objects + 1, total.bytes.saturating_add(size));
    desk.write(kept(org), &total)?;
    desk.write(key, &ObjectRow { stored: stored.to_owned(), size, names: 1, came: desk.now })
}

/// One more row names an object that is there.
pub(crate) fn hold(desk: &mut Desk, org: &OrgName, sha256: &[u8; 32]) -> Result<(), Error> {
    let key = object(org, sha256);
    let Some(mut row) = desk.read(&key)? else { return Ok(()) };
    row.names = row.names.saturating_add(1);
    desk.write(key, &row)
}

/// One row less names an object; it goes with the last one, and its bytes with whoever looks after them.
pub(crate) fn unname(desk: &mut Desk, org: &OrgName, sha256: &[u8; 32]) -> Result<(), Error> {
    let key = object(org, sha256);
    let Some(mut row) = desk.read(&key)? else { return Ok(()) };
    row.names = row.names.saturating_sub(1);
    if row.names > 0 {
        return desk.write(key, &row);
    }
    let mut total = desk.read(&kept(org))?.unwrap_or_default();
    (total.objects, total.bytes) = (total.objects.saturating_sub(1), total.bytes.saturating_sub(row.size));
    desk.write(kept(org), &total)?;
    desk.remove(key);
    Ok(())
}

/// Keeps the newest snapshot of a device that an end customer has uploaded, in place of the one before; or why not.
pub(crate) fn keep_snapshot(desk: &mut Desk, org: &OrgName, given: &UploadKept) -> Result<Result<(), String>, Error> {
    let UploadKept { stored, upload, .. } = given;
    let (Some(device), Some(sha256)) = (&upload.device, sha256(&upload.sha256)) else {
        return Ok(Err("a snapshot is one of a device".to_owned()));
    };
    let key = snapshot(org, &device.serial_number);
    let before = desk.read(&key)?.map(|row| row.sha256);
    if before == Some(sha256) {
        return Ok(Ok(()));
    }
    name(desk, org, &sha256, (stored, upload.size))?;
    if let Some(before) = before {
        unname(desk, org, &before)?;
    }
    let row = SnapshotRow {
        name: upload.name.clone(),
        media_type: upload.media_type.clone(),
        host_name: device.host_name.clone(),
        sha256,
        size: upload.size,
        came: desk.now,
    };
    desk.write(key, &row).map(Ok)
}

/// Whether bytes of an incident's case may leave at all.
fn may_leave(desk: &Desk, organizations: &Organizations, incident: &Incident) -> bool {
    let Some(row) = organizations.row(&incident.id.org) else { return false };
    let is_test = cases::is_test(desk, organizations, incident);
    row.upload && row.filter_level != FilterLevel::DoNotSend && !is_test
}

/// By what the upstream knows an incident's case; none before it does, and where another one has taken it.
fn known_as(desk: &Desk, incident: &Incident) -> Option<String> {
    let case = incident.case.as_ref().filter(|_| !incident.is_elsewhere)?;
    let is_sent = match case.state {
        CaseState::Submitted | CaseState::Created | CaseState::Updated | CaseState::Closed => true,
        CaseState::Draft | CaseState::Waiting | CaseState::Withheld | CaseState::Failed | CaseState::Reported => false,
    };
    let known = if desk.installed.has_partner { &case.transaction_id } else { &case.case_id };
    Some(known.clone()).filter(|known| is_sent && !known.is_empty())
}

/// Begins to bring to the upstream what is kept of an incident's case, if it has that.
pub(crate) fn begin(desk: &mut Desk, organizations: &Organizations, incident: &Incident) -> Result<Vec<Follow>, Error> {
    let Some(known) =
        known_as(desk, incident).filter(|_| desk.is_at(LEVEL) && may_leave(desk, organizations, incident))
    else {
        return Ok(Vec::new());
    };
    let level = organizations.filter_level(&incident.id.org);
    let rows: Vec<_> = of_case(desk.state(), &incident.id).collect::<Result<_, _>>()?;
    let mut follows = Vec::new();
    for (number, mut row) in rows.into_iter().filter(|(_, row)| row.state == UploadState::Kept) {
        if stays_whole(incident, number) {
            continue;
        }
        let id = desk.next_reaction(&incident.id.org);
        row.reaction = id.to_string();
        stand(desk, &incident.id, number, &mut row, UploadState::Waiting)?;
        let action = action(incident, (number, &row), known.clone(), level);
        let destination = upstream::of_case(&desk.installed);
        let destination = if desk.is_at(ON_THEIR_OWN) { upstream::of_uploads(destination) } else { destination };
        follows.push(Follow::React(Cause::Handling, Decided { id, destination, action }));
    }
    Ok(follows)
}

/// What of an upload a connector is told at a filter level.
///
/// INVARIANT (data leaves only filtered): below `Send all information` the name says nothing of whoever gave it; a host
/// name, which may hold an address, and a serial number leave where the manifest of a bundle would have them.
fn told(incident: &Incident, (number, row): (u32, &UploadRow), case: String, filter_level: FilterLevel) -> Upload {
    let device = |host_name: &str| {
        let device = UploadDevice { serial_number: row.serial_number.clone(), host_name: host_name.to_owned() };
        Some(device).filter(|device| !device.serial_number.is_empty())
    };
    let device = match filter_level {
        FilterLevel::All | FilterLevel::ExceptConfiguration => device(&row.host_name),
        FilterLevel::AddressesOverwritten => device(""),
        FilterLevel::FeaturesOnly | FilterLevel::DoNotSend => None,
    };
    let (name, media_type) = match row.held {
        Held::Object(_) | Held::Released(_) if filter_level != FilterLevel::All && number != OWN => {
            // What is a configuration by its name is held back as one by the connector.
            let kind = if is_configuration(&row.name) { "-config" } else { "" };
            (format!("{}-{number}{kind}{}", incident.id, ending(&row.name)), None)
        }
        Held::Object(_) | Held::Released(_) | Held::Bundle => (row.name.clone(), row.media_type.clone()),
    };
    let source = match &row.held {
        // Of what is released none waits.
        Held::Object(sha256) | Held::Released(sha256) => {
            UploadSource::Object { sha256: hex::encode(sha256), size: row.size }
        }
        Held::Bundle => UploadSource::Input(BundleBytes {
            sequence: incident.row.bundle.sequence,
            length: incident.row.bundle.length,
            sha256: hex::encode(incident.row.bundle.sha256),
            start: 0,
            end: incident.row.bundle.length,
        }),
    };
    let without = stays(incident, number);
    Upload { kind: row.kind, case, name, media_type, device, filter_level, without, source }
}

fn action(incident: &Incident, row: (u32, &UploadRow), case: String, filter_level: FilterLevel) -> Action {
    Action::Upload(Box::new(told(incident, row, case, filter_level)))
}

/// What of an upload does not go along, as whoever wanted the case has it: of the incident's own bundle only.
fn stays(incident: &Incident, number: u32) -> Vec<BundlePart> {
    let stays = incident.case.as_ref().filter(|_| number == OWN).map(|case| case.stays).unwrap_or_default();
    let parts = [(stays.attachments, BundlePart::Attachments), (stays.core_files, BundlePart::CoreFiles)];
    parts.into_iter().filter(|(stays, _)| *stays).map(|(_, part)| part).collect()
}

/// Whether an upload does not go along at all, as whoever wanted the case has it: an attachment or a log that was fetched from the
/// device. What end customers have uploaded is theirs to choose.
fn stays_whole(incident: &Incident, number: u32) -> bool {
    let is_reported = incident.chain.as_ref().is_some_and(|chain| chain.reported.is_some());
    number != OWN && !is_reported && incident.case.as_ref().is_some_and(|case| case.stays.attachments)
}

/// The endings that files have by what they are, and that say nothing else.
const ENDINGS: [&str; 8] = [".txt", ".xml", ".log", ".tgz", ".tar.gz", ".tar", ".gz", ".json"];

fn ending(name: &str) -> &'static str {
    ENDINGS.into_iter().find(|ending| name.ends_with(ending)).unwrap_or_default()
}

/// Whether a file's name is that of a configuration, such as `juniper.conf.3.gz` or `edge-01_cfg_xml.xml`.
fn is_configuration(name: &str) -> bool {
    let parts = name.split(['.', '_', '-']).map(str::to_ascii_lowercase);
    parts.into_iter().any(|part| matches!(&*part, "cfg" | "conf" | "config" | "configuration" | "rollback"))
}

/// Whether a pending reaction's action is an upload.
pub(crate) fn is_one(action: &str) -> bool {
    // As the action is written: its tag comes first.
    action.starts_with("{\"upload\":")
}

/// The upload of an incident's case that a reaction brings to the upstream.
fn of_reaction(
    base: &(impl Base + ?Sized),
    incident: &IncidentId,
    reaction: &str,
) -> Result<Option<(u32, UploadRow)>, Error> {
    of_case(base, incident).find(|found| found.as_ref().map_or(true, |(_, row)| row.reaction == reaction)).transpose()
}

/// An upload that is waiting, as it may leave now; nothing leaves any more where nothing may, and what is kept may leave
/// once more later. None if the reaction is that of no upload.
pub(crate) fn refilter(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &Incident,
    reaction: &str,
) -> Result<Option<Option<Action>>, Error> {
    let Some((number, mut row)) = of_reaction(desk.state(), &incident.id, reaction)? else { return Ok(None) };
    let known = known_as(desk, incident).filter(|_| may_leave(desk, organizations, incident));
    let Some(known) = known else {
        row.reaction.clear();
        stand(desk, &incident.id, number, &mut row, UploadState::Kept)?;
        return Ok(Some(None));
    };
    let level = organizations.filter_level(&incident.id.org);
    Ok(Some(Some(action(incident, (number, &row), known, level))))
}

/// The upstream has what a reaction brought.
pub(crate) fn sent(
    desk: &mut Desk,
    incident: &IncidentId,
    reaction: &str,
    (sha256, size): (String, u64),
) -> Result<(), Error> {
    let Some((number, mut row)) = of_reaction(desk.state(), incident, reaction)? else { return Ok(()) };
    desk.tally.upload_bytes += size;
    (row.sent_sha256, row.sent_size) = (sha256, size);
    stand(desk, incident, number, &mut row, UploadState::Sent)
}

/// What a reaction was to bring is given up; whether it was to bring anything.
pub(crate) fn failed(desk: &mut Desk, incident: &IncidentId, reaction: &str) -> Result<bool, Error> {
    let Some((number, mut row)) = of_reaction(desk.state(), incident, reaction)? else { return Ok(false) };
    stand(desk, incident, number, &mut row, UploadState::Failed)?;
    Ok(true)
}

/// What was given up of an incident's case is kept once more, so that it goes again: all of it, or what a reaction was to bring.
/// Whether there is any that may leave now.
pub(crate) fn again(
    desk: &mut Desk,
    organizations: &Organizations,
    incident: &Incident,
    reaction: Option<&str>,
) -> Result<bool, Error> {
    if known_as(desk, incident).is_none() || !may_leave(desk, organizations, incident) {
        return Ok(false);
    }
    let rows: Vec<_> = of_case(desk.state(), &incident.id).collect::<Result<_, _>>()?;
    let goes = |(number, row): &(u32, UploadRow)| {
        row.state == UploadState::Failed
            && !matches!(row.held, Held::Released(_))
            && !stays_whole(incident, *number)
            && reaction.is_none_or(|reaction| row.reaction == reaction)
    };
    let mut is_any = false;
    for (number, mut row) in rows.into_iter().filter(goes) {
        is_any = true;
        row.reaction.clear();
        stand(desk, &incident.id, number, &mut row, UploadState::Kept)?;
    }
    Ok(is_any)
}

/// An upload has come to stand so.
fn stand(
    desk: &mut Desk,
    incident: &IncidentId,
    number: u32,
    row: &mut UploadRow,
    state: UploadState,
) -> Result<(), Error> {
    row.state = state;
    desk.tally.upload(state.as_str());
    desk.write(key(incident, number), row)
}

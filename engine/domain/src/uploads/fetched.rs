//! Attachments and logs that lie on the device of their bundle: wanted, fetched by the collector, missed and tried again. What is
//! fetched goes upward with the case as what is uploaded does. From engine level 13 on.
//!
//! ```text
//! [ <org> 0 <incident> <number>              FileRow: a file that the incident's bundle names
//! ] <org> 0 <device> 0 <incident> <number>   WantedRow: it is to be fetched from the device
//!
//! named --> Missed(untried) --tried, and missed--> Missed --for a week--> GivenUp
//!                    \----------------------------/   \--fetched--> Fetched: an UploadRow names the object
//! ```

use jiff::{Timestamp, ToSpan as _};
use linesman_schemas::collected::{FILES_MOST, FileOutcome, FilesNamed, Missed, NamedFile, PATH_MOST};
use linesman_schemas::device::ERROR_MOST;
use linesman_schemas::upload::{NAME_MOST, UploadKind};
use linesman_schemas::{IncidentId, OrgName};
use serde::{Deserialize, Serialize};

use super::{CASE_MOST, Held, UploadRow, UploadState, name, of_case, sha256, stand};
use crate::coded::{self, Coded};
use crate::desk::Desk;
use crate::follow::Follow;
use crate::state::Base;
use crate::subject::Incident;
use crate::table::{Key, Row, Table};
use crate::{Error, reached};

/// For how long a file is tried, in hours: a week.
const TRIED_HOURS: i64 = 7 * 24;
/// How many files of a device are wanted at a time.
const WANTED_MOST: usize = 1_000;

/// A file that a bundle names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// The device where it lies, by the name it was given.
    pub device: String,
    /// Its name.
    pub name: String,
    /// Where it lies there, as the bundle says it.
    pub path: String,
    /// Whether it is a log.
    pub is_log: bool,
    /// When it was named.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub named: Timestamp,
    /// When it was tried last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub tried: Option<Timestamp>,
    /// Where it is.
    pub state: FileState,
}

/// Where a file is. Stored by its place: a new word is added at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileState {
    /// It is not here, and is tried again.
    Missed(Why),
    /// It is not here, and is tried no more.
    GivenUp(Why),
    /// It is here.
    Fetched {
        /// By what number it goes with the incident's case.
        upload: u32,
        /// Its SHA-256.
        sha256: [u8; 32],
        /// How many bytes it has.
        size: u64,
    },
}

/// Why a file is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// By name.
    #[serde(with = "coded")]
    pub reason: Missed,
    /// In words; empty before it was tried.
    pub detail: String,
}

/// A file is to be fetched from a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedRow {
    /// Where it lies there, as the bundle says it.
    pub path: String,
    /// When it was tried last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub tried: Option<Timestamp>,
}

impl Row for FileRow {}
impl Row for WantedRow {}

impl Coded for Missed {
    fn code(self) -> u8 {
        match self {
            Self::Untried => 0,
            Self::Elsewhere => 1,
            Self::Absent => 2,
            Self::Denied => 3,
            Self::Empty => 4,
            Self::TooLarge => 5,
            Self::Failed => 6,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// The table of files that bundles name.
pub const FILES: Table<FileRow> = Table::new(b'[');
/// The table of those that are to be fetched.
pub const WANTED: Table<WantedRow> = Table::new(b']');

fn tail(incident: &IncidentId, number: u32) -> Vec<u8> {
    [&incident.number.to_be_bytes()[..], &number.to_be_bytes()].concat()
}

/// The key of a file of an incident's bundle.
pub fn file_key(incident: &IncidentId, number: u32) -> Key<FileRow> {
    FILES.key(&[incident.org.as_str()], &tail(incident, number))
}

fn wanted_key(device: &str, incident: &IncidentId, number: u32) -> Key<WantedRow> {
    WANTED.key(&[incident.org.as_str(), device], &tail(incident, number))
}

/// The files that an incident's bundle names, by number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn files<'a>(
    base: &'a (impl Base + ?Sized),
    incident: &IncidentId,
) -> impl Iterator<Item = Result<(u32, FileRow), Error>> + 'a {
    let prefix = FILES.prefix(&[incident.org.as_str()], &incident.number.to_be_bytes());
    Table::<FileRow>::scan(base, prefix).map(|found| {
        let (key, bytes) = found?;
        let number = key.last_chunk().map_or(0, |number| u32::from_be_bytes(*number));
        Ok((number, crate::table::decode(&key, &bytes)?))
    })
}

/// The files that are to be fetched from a device: of which incident each is, by which number.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn wanted<'a>(
    base: &'a (impl Base + ?Sized),
    org: &'a OrgName,
    device: &str,
) -> impl Iterator<Item = Result<(IncidentId, u32, WantedRow), Error>> + 'a {
    WANTED.rows(base, &[org.as_str(), device]).filter_map(|found| {
        let (own, row) = match found {
            Ok(found) => found,
            Err(error) => return Some(Err(error)),
        };
        let (number, file) = own.split_first_chunk::<8>()?;
        let incident = IncidentId { org: org.clone(), number: u64::from_be_bytes(*number) };
        Some(Ok((incident, u32::from_be_bytes(*file.first_chunk()?), row)))
    })
}

/// The bundle of an incident names files on a device: they are wanted. Once for an incident.
pub(crate) fn want(desk: &mut Desk, incident: &IncidentId, named: &FilesNamed) -> Result<(), Error> {
    let org = &incident.org;
    if desk.read(&reached::key(org, &named.device))?.is_none() {
        desk.tally.input("result", "unknown device");
        return Ok(());
    }
    if files(desk.state(), incident).next().is_some() {
        desk.tally.input("result", "files known");
        return Ok(());
    }
    desk.tally.input("result", "files named");
    let wanted = WANTED.rows(desk.state(), &[org.as_str(), &named.device]).take(WANTED_MOST).count();
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    for (number, file) in (0_u32..).zip(named.files.iter().take(FILES_MOST)) {
        let NamedFile { name, path, is_log } = file;
        let is_wanted = wanted + (number as usize) < WANTED_MOST;
        let state = match is_wanted {
            true => FileState::Missed(Why { reason: Missed::Untried, detail: String::new() }),
            false => {
                let detail = format!("more than {WANTED_MOST} files of the device are missing");
                FileState::GivenUp(Why { reason: Missed::Untried, detail })
            }
        };
        let row = FileRow {
            device: named.device.clone(),
            name: cut(name, NAME_MOST),
            path: cut(path, PATH_MOST),
            is_log: *is_log,
            named: desk.now,
            tried: None,
            state,
        };
        if is_wanted {
            let wanted = WantedRow { path: row.path.clone(), tried: None };
            desk.write(wanted_key(&row.device, incident, number), &wanted)?;
        }
        desk.write(file_key(incident, number), &row)?;
    }
    Ok(())
}

/// A file was tried: it belongs to what goes with the incident's case from now on, or is missed. What follows.
pub(crate) fn tried(
    desk: &mut Desk,
    incident: &Incident,
    number: u32,
    outcome: &FileOutcome,
) -> Result<Vec<Follow>, Error> {
    let key = file_key(&incident.id, number);
    let Some(mut row) = desk.read(&key)?.filter(|row| !matches!(row.state, FileState::Fetched { .. })) else {
        desk.tally.input("result", "file known");
        return Ok(Vec::new());
    };
    row.tried = Some(desk.now);
    let kept = match outcome {
        FileOutcome::Fetched { stored, size, sha256 } => keep(desk, incident, &row, (stored, *size, sha256))?,
        FileOutcome::Missed { reason, detail } => {
            Err(Why { reason: *reason, detail: detail.chars().take(ERROR_MOST).collect() })
        }
    };
    let wanted = wanted_key(&row.device, &incident.id, number);
    let follows = match kept {
        Ok(state) => {
            desk.tally.input("result", "file fetched");
            row.state = state;
            desk.remove(wanted);
            vec![Follow::Upload]
        }
        Err(why) => {
            desk.tally.input("result", "file missed");
            let until = row.named.checked_add(TRIED_HOURS.hours()).unwrap_or(Timestamp::MAX);
            // What lies elsewhere, or is too large, is so tomorrow.
            let is_over = desk.now >= until || matches!(why.reason, Missed::Elsewhere | Missed::TooLarge);
            match is_over || matches!(row.state, FileState::GivenUp(_)) {
                true => {
                    row.state = FileState::GivenUp(why);
                    desk.remove(wanted);
                }
                false => {
                    row.state = FileState::Missed(why);
                    desk.write(wanted, &WantedRow { path: row.path.clone(), tried: row.tried })?;
                }
            }
            Vec::new()
        }
    };
    desk.write(key, &row)?;
    Ok(follows)
}

/// Keeps a file with what goes with the incident's case; or why not.
fn keep(
    desk: &mut Desk,
    incident: &Incident,
    row: &FileRow,
    (stored, size, hash): (&str, u64, &str),
) -> Result<Result<FileState, Why>, Error> {
    let failed = |detail: String| Why { reason: Missed::Failed, detail };
    let Some(sha256) = sha256(hash) else { return Ok(Err(failed("`sha256` is none".to_owned()))) };
    let known: Vec<_> = of_case(desk.state(), &incident.id).collect::<Result<_, _>>()?;
    if known.len() >= CASE_MOST {
        return Ok(Err(failed(format!("the case has {CASE_MOST} files, and takes no more"))));
    }
    // The incident's own bundle is the first.
    let upload = known.last().map_or(0, |(number, _)| *number) + 1;
    name(desk, &incident.id.org, &sha256, (stored, size))?;
    let mut kept = UploadRow {
        kind: UploadKind::Attachment,
        name: row.name.clone(),
        media_type: None,
        serial_number: incident.row.serial_number.clone(),
        host_name: incident.device.host_name.clone(),
        held: Held::Object(sha256),
        size,
        state: UploadState::Kept,
        reaction: String::new(),
        came: desk.now,
        sent_size: 0,
        sent_sha256: String::new(),
    };
    stand(desk, &incident.id, upload, &mut kept, UploadState::Kept)?;
    Ok(Ok(FileState::Fetched { upload, sha256, size }))
}

/// What is missed of an incident is tried no more: what was kept of it goes.
pub(crate) fn give_up(desk: &mut Desk, incident: &IncidentId) -> Result<(), Error> {
    let rows: Vec<_> = files(desk.state(), incident).collect::<Result<_, _>>()?;
    for (number, mut row) in rows {
        let FileState::Missed(why) = row.state else { continue };
        row.state = FileState::GivenUp(why);
        desk.remove(wanted_key(&row.device, incident, number));
        desk.write(file_key(incident, number), &row)?;
    }
    Ok(())
}

/// A device is reached no more: what is missed of it is tried no more.
pub(crate) fn forget(desk: &mut Desk, org: &OrgName, device: &str) -> Result<(), Error> {
    let rows: Vec<_> = wanted(desk.state(), org, device).collect::<Result<_, _>>()?;
    for (incident, number, _) in rows {
        desk.remove(wanted_key(device, &incident, number));
        let key = file_key(&incident, number);
        let Some(mut row) = desk.read(&key)? else { continue };
        let FileState::Missed(why) = row.state else { continue };
        row.state = FileState::GivenUp(why);
        desk.write(key, &row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn rows_lie_in_the_store_as_they_ever_did() {
        let why = |reason| Why { reason, detail: "no".to_owned() };
        let fetched = FileState::Fetched { upload: 1, sha256: [7; 32], size: 300 };
        for (state, stored) in [
            (FileState::Missed(why(Missed::Untried)), "0000026e6f".to_owned()),
            (FileState::GivenUp(why(Missed::Failed)), "0106026e6f".to_owned()),
            (fetched, format!("0201{}ac02", "07".repeat(32))),
        ] {
            let (device, name, path) = ("r1".to_owned(), "a".to_owned(), "/b".to_owned());
            let named = Timestamp::UNIX_EPOCH;
            let row = FileRow { device, name, path, is_log: true, named, tried: None, state };
            let bytes = table::encode(&row).unwrap();
            assert_eq!(hex::encode(&bytes), format!("0272310161022f62010000{stored}"));
            assert_eq!(table::decode::<FileRow>(b"[", &bytes).unwrap(), row);
        }
        let row = WantedRow { path: "/b".to_owned(), tried: None };
        assert_eq!(hex::encode(table::encode(&row).unwrap()), "022f6200");
    }

    #[test]
    fn every_reason_has_its_code() {
        for (code, reason) in (0..).zip(Missed::ALL) {
            assert_eq!((reason.code(), Missed::of(code)), (code, Some(reason)));
        }
    }
}

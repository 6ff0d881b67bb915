//! Attachments and logs that a bundle only names: told to the log, fetched from the device once they are wanted, tried again where
//! they are missed.
//!
//! INVARIANT (nothing from elsewhere): a file is fetched from the directory of the device that is looked at, by a name that stays
//! there, and only where it is a regular one.

use std::time::Duration;

use jiff::Timestamp;
use linesman_connectors::device::files::{self, File, Name};
use linesman_domain::reached::ReachedRow;
use linesman_domain::uploads::COLLECTED;
use linesman_domain::uploads::fetched::{self, WantedRow};
use linesman_schemas::IncidentId;
use linesman_schemas::bundle::Bundle;
use linesman_schemas::collected::{self, FileOutcome, FileTried, FilesNamed, Missed, NamedFile};
use linesman_schemas::device::DeviceState;
use linesman_schemas::outcome::Report;
use linesman_schemas::upload::UploadKind;

use tokio::time::Instant;

use super::spool::{Broken, GOT_ON_LEAST, Spooling, unkept};
use super::visit::Look;
use super::way::{Trouble, limits};
use super::worker::Worker;
use crate::logging::full;

/// The largest file that is fetched, in bytes.
const FILE_MOST: u64 = 256 * 1024 * 1024;
/// How many files are fetched in one look.
const FILES_OF_LOOK: usize = 16;
/// For how long one look goes on to the next of them.
const LOOK_MOST: Duration = Duration::from_secs(60);
/// How many bytes what is asked of one may bring.
const ASKED_BYTES: u64 = 64 * 1024;

/// What is said of a bundle that was brought.
#[derive(Debug, Clone)]
pub(super) struct Brought {
    host_event_id: String,
    /// Its serial number, where it becomes a snapshot.
    serial_number: String,
    /// The files that are wanted, where it becomes an incident.
    files: Vec<NamedFile>,
    /// The bundle's SHA-256; empty where nothing is said of it.
    sha256: String,
}

impl Brought {
    /// What is said of a bundle whose SHA-256 is asked for where something is.
    pub(super) fn of(bundle: &Bundle<'_>, sha256: impl FnOnce() -> String) -> Self {
        let (serial_number, files) = match bundle.incident_kind() {
            Some(_) => (String::new(), collected::named(bundle)),
            None => (bundle.manifest.device.serial_number.to_string(), Vec::new()),
        };
        let is_told = !files.is_empty() || !serial_number.is_empty();
        let sha256 = if is_told { sha256() } else { String::new() };
        Self { host_event_id: bundle.manifest.host_event_id.to_string(), serial_number, files, sha256 }
    }
}

/// A file that is due.
type Due = (IncidentId, u32, WantedRow);

/// What a try came to.
enum Tried {
    /// It is here.
    Fetched(FileOutcome),
    /// It is missed.
    Missed(Missed, String),
    /// It is left to the next look: it is long, or its device is reached otherwise or no more.
    GoesOn,
}

impl Worker {
    /// Says to the log which files a bundle names that it has, and of which device it is a snapshot. It knows them again.
    pub(super) async fn tell_named(&self, brought: Brought) -> Result<(), Trouble> {
        let Brought { host_event_id, serial_number, files, sha256 } = brought;
        if sha256.is_empty() || self.hands.moved().1 < COLLECTED {
            return Ok(());
        }
        let device = self.device.name.clone();
        self.tell(&Report::FilesNamed(FilesNamed { device, host_event_id, sha256, serial_number, files })).await
    }

    async fn tell(&self, report: &Report) -> Result<(), Trouble> {
        match self.hands.report(&self.device, report).await {
            true => Ok(()),
            false => Err(Trouble::new(DeviceState::LogUnavailable, "the log does not take what is said of files")),
        }
    }

    /// Fetches what is wanted of the device, and was not tried a short while ago.
    pub(super) async fn fetch(&mut self, row: &ReachedRow, look: &mut Look) -> Result<(), Trouble> {
        let begun = Instant::now();
        for (incident, number, wanted) in self.due()? {
            if begun.elapsed() > LOOK_MOST {
                // It is another device's turn.
                break;
            }
            if self.is_turned(row) {
                look.goes_on = true;
                break;
            }
            let key = (incident.clone(), number);
            let spooled = self.spooled;
            let tried = match name_in(&row.directory, &wanted.path) {
                Some(name) => self.fetch_one(row, &name).await,
                None => Ok(Tried::Missed(Missed::Elsewhere, format!("it does not lie in `{}`", row.directory))),
            };
            let (outcome, broken) = match tried {
                Ok(Tried::Fetched(fetched)) => (Ok(fetched), None),
                Ok(Tried::Missed(reason, detail)) => (Err((reason, detail)), None),
                Ok(Tried::GoesOn) => {
                    look.goes_on = true;
                    break;
                }
                // What gets on goes on; what breaks the connection again and again keeps no other from being fetched.
                Err(trouble) if !trouble.is_connected => {
                    let got_on = self.spooled - spooled >= GOT_ON_LEAST;
                    if got_on || !self.breaking.has_broken(&key) {
                        return Err(trouble);
                    }
                    (Err((Missed::Failed, trouble.words.clone())), Some(trouble))
                }
                Err(trouble) => return Err(trouble),
            };
            // What took a while is not to be said of another, nor believed of whom it is not to be.
            if self.is_turned(row) {
                look.goes_on = true;
                break;
            }
            let outcome = match outcome {
                Ok(fetched) => {
                    metrics::counter!("linesman_device_files_fetched_total").increment(1);
                    fetched
                }
                Err((reason, detail)) => {
                    metrics::counter!("linesman_device_files_missed_total", "reason" => reason.as_str()).increment(1);
                    FileOutcome::Missed { reason, detail }
                }
            };
            fail::fail_point!("reach::before-tried");
            self.breaking.forget(&key);
            self.tried.insert(key, Instant::now());
            self.tell(&Report::FileTried(FileTried { incident, number, outcome })).await?;
            if let Some(trouble) = broken {
                return Err(trouble);
            }
        }
        Ok(())
    }

    /// The files that are due. What this look has told the lane may not have heard yet.
    fn due(&mut self) -> Result<Vec<Due>, Trouble> {
        let again = self.hands.parts.settings.missed_after;
        self.tried.retain(|_, at| at.elapsed() < again);
        let Some(lane) = self.hands.lane(&self.device.org) else { return Ok(Vec::new()) };
        let now = Timestamp::now();
        let mut due = Vec::new();
        for found in fetched::wanted(lane, &self.device.org, &self.device.name) {
            let (incident, number, wanted) = found?;
            let is_due = is_due(wanted.tried, now, again) && !self.tried.contains_key(&(incident.clone(), number));
            if is_due {
                due.push((incident, number, wanted));
            }
            if due.len() >= FILES_OF_LOOK {
                break;
            }
        }
        Ok(due)
    }

    /// Fetches one; or why it is missed. What breaks off is neither, and goes on with the next look.
    async fn fetch_one(&mut self, row: &ReachedRow, name: &Name) -> Result<Tried, Trouble> {
        let file = match self.look_at(name).await {
            Ok(file) => file,
            Err(error) => return missed(error),
        };
        let Some(file) = file else {
            return Ok(Tried::Missed(Missed::Absent, format!("`{name}` is no regular file")));
        };
        match file.size {
            0 => return Ok(Tried::Missed(Missed::Empty, format!("`{name}` has no bytes"))),
            size if size > FILE_MOST => {
                let detail = format!("`{name}` has {size} bytes, and {FILE_MOST} are fetched at most");
                return Ok(Tried::Missed(Missed::TooLarge, detail));
            }
            _ => {}
        }
        let spooled = match self.spool(&file).await {
            Ok(Spooling::Whole(spooled)) => spooled,
            Ok(Spooling::GoesOn) => return Ok(Tried::GoesOn),
            Ok(Spooling::Changed) => {
                return Ok(Tried::Missed(Missed::Failed, format!("`{name}` changes while it is read")));
            }
            Err(Broken::Device(error)) => return missed(error),
            Err(broken) => return Err(broken.into()),
        };
        let hashed = tokio::task::spawn_blocking(move || spooled.sha256().map(|sha256| (spooled, sha256)));
        let broke_off = |_| Trouble::new(DeviceState::EngineFull, "the check of a file broke off");
        let (spooled, sha256) = hashed.await.map_err(broke_off)?.map_err(|error| unkept(&error))?;
        if self.is_turned(row) {
            return Ok(Tried::GoesOn);
        }
        let what = (UploadKind::Attachment, &*name.to_string(), &*sha256);
        let stored = self.hands.keep(&self.device.org, &spooled, what).await?;
        spooled.remove();
        Ok(Tried::Fetched(FileOutcome::Fetched { stored, size: file.size, sha256 }))
    }

    async fn look_at(&mut self, name: &Name) -> Result<Option<File>, files::Error> {
        match &mut self.open {
            Some(open) => open.files.look(name, &limits(ASKED_BYTES)).await,
            None => Err(files::Error::BrokenOff),
        }
    }
}

/// Why a file is missed, where that is the file's own.
fn missed(error: files::Error) -> Result<Tried, Trouble> {
    let reason = match &error {
        files::Error::Vanished(_) => Missed::Absent,
        files::Error::Denied(_) => Missed::Denied,
        files::Error::Refused { .. } => Missed::Failed,
        _ => return Err(error.into()),
    };
    Ok(Tried::Missed(reason, full(&error)))
}

/// Whether a file is to be tried.
fn is_due(tried: Option<Timestamp>, now: Timestamp, again: Duration) -> bool {
    let Some(tried) = tried else { return true };
    // A clock that went back holds nothing up.
    now.duration_since(tried).unsigned_abs() >= again
}

/// The name of a file in a directory that is named by its path, or by itself; none where it lies elsewhere.
fn name_in(directory: &str, path: &str) -> Option<Name> {
    let name = match path.strip_prefix(directory.trim_end_matches('/')) {
        Some(rest) if path.starts_with('/') => rest.strip_prefix('/')?,
        _ => path,
    };
    Name::new(name.as_bytes().to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_fetched_from_its_directory_and_from_nowhere_else() {
        let named = |directory: &str, path: &str| name_in(directory, path).map(|name| name.to_string());
        for (directory, path, expected) in [
            ("/var/tmp", "/var/tmp/a.tgz", Some("a.tgz")),
            ("/var/tmp/", "/var/tmp/a.tgz", Some("a.tgz")),
            ("/var/tmp", "a.tgz", Some("a.tgz")),
            ("/", "/a.tgz", Some("a.tgz")),
            ("/var/tmp", "/var/tmp/../../etc/passwd", None),
            ("/var/tmp", "/var/tmp/sub/a.tgz", None),
            ("/var/tmp", "/var/tmpa.tgz", None),
            ("/var/tmp", "/etc/passwd", None),
            ("/var/tmp", "../etc/passwd", None),
            ("/var/tmp", "..", None),
            ("/var/tmp", "/var/tmp/", None),
            ("/var/tmp", "/var/tmp", None),
            ("/var/tmp", "a\0b", None),
            ("/var/tmp", "", None),
        ] {
            assert_eq!(named(directory, path).as_deref(), expected, "{directory} {path}");
        }
    }

    #[test]
    fn what_was_missed_is_due_after_a_while_and_what_was_never_tried_at_once() {
        let (now, again) = (Timestamp::from_second(100_000).unwrap(), Duration::from_secs(7_200));
        let ago = |seconds: i64| Some(Timestamp::from_second(100_000 - seconds).unwrap());
        assert!(is_due(None, now, again) && is_due(ago(7_200), now, again) && is_due(ago(-7_200), now, again));
        assert!(!is_due(ago(7_199), now, again) && !is_due(ago(-60), now, again));
    }
}

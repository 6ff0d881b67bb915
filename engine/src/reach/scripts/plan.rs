//! What installing a bundle on a device group would change, asked of its devices at once. Nothing is changed there.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use linesman_connectors::device::files::{Error, Files};
use linesman_connectors::device::scripts::Scripts;
use linesman_connectors::device::ssh::Connection;
use linesman_domain::scripts::{self, GROUP, InstalledRow};
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use linesman_schemas::reaction::{self, GroupChange};
use linesman_schemas::scripts::ScriptKind;
use tokio::time::timeout;

use super::group::{OTHERS, may_be_others};
use super::look::{Change, Looked, look};
use super::{Bundle, DEVICES_AT_A_TIME};
use crate::logging::full;
use crate::reach::live::Undone;
use crate::reach::pushed::suspended;
use crate::reach::way::limits;
use crate::reach::{Device, Hands};

/// How long one device is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many devices are looked at for one plan.
pub(super) const DEVICES_MOST: usize = 256;
/// How many bytes of a file are read to know what it is.
const BYTES_MOST: u64 = 16 * 1024 * 1024;
/// How many bytes of a difference are told: of all devices of a plan they are held.
const DIFFERENCE_MOST: usize = 256 * 1024;

/// What would change on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The device, by the name it was given.
    pub device: String,
    /// Why it is not known what would change there; empty where it is.
    pub error: String,
    /// The scripts that it would have, and those of ours that would go.
    pub files: Vec<PlannedFile>,
    /// What would change of its configuration, as it says itself; or why it does not.
    pub configuration: Result<String, String>,
}

/// What would become of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// When the script runs.
    pub kind: ScriptKind,
    /// Its name.
    pub name: String,
    /// What would become of what is there.
    pub change: Change,
    /// The SHA-256 of that.
    pub found: Option<String>,
}

impl From<Looked> for PlannedFile {
    fn from(Looked { kind, name, change, found }: Looked) -> Self {
        Self { kind, name, change, found }
    }
}

impl Hands {
    /// What would change on the devices of a group, by name.
    ///
    /// # Errors
    /// What is to be installed is not there, the group has more than 256 devices, or the rows cannot be read.
    pub async fn plan(&self, org: &OrgName, group: &str, named: InstalledRow) -> Result<Vec<Planned>, Undone> {
        let read = |error: linesman_domain::Error| Undone::Failed(full(&error));
        let nothing = || Undone::Nothing(format!("there is no organization `{org}`"));
        let lane = self.lane(org).ok_or_else(nothing)?;
        if self.is_suspended(org).map_err(read)? {
            return Err(Undone::Unfit(suspended(org)));
        }
        let wanted = Bundle::read(lane, org, &named).map_err(read)?.ok_or_else(|| {
            let (bundle, version) = (&named.bundle, &named.version);
            Undone::Nothing(format!("`{org}` has no version `{version}` of a bundle of scripts `{bundle}`"))
        })?;
        let devices = self.of_group(org, group).map_err(read)?;
        if devices.len() > DEVICES_MOST {
            let words = format!("a plan looks at {DEVICES_MOST} devices at most, and the group has {}", devices.len());
            return Err(Undone::Unfit(words));
        }
        let _held = self.room_to_hold(org).await?;
        let each = devices.into_iter().map(|name| self.planned(Device { org: org.clone(), name }, &wanted));
        let mut planned: Vec<Planned> = stream::iter(each).buffer_unordered(DEVICES_AT_A_TIME.0).collect().await;
        planned.sort_by(|one, other| one.device.cmp(&other.device));
        Ok(planned)
    }

    async fn planned(&self, device: Device, wanted: &Bundle) -> Planned {
        let files = timeout(PATIENCE, self.files(&device, wanted)).await;
        let files = files.unwrap_or_else(|_| Err("it does not answer in time".to_owned()));
        let (files, error) = match files {
            Ok(files) => (files.into_iter().map(PlannedFile::from).collect(), String::new()),
            Err(error) => (Vec::new(), error),
        };
        let configuration = match error.is_empty() {
            true => timeout(PATIENCE, self.difference(&device, wanted)).await,
            false => Ok(Err(String::new())),
        };
        let configuration = configuration.unwrap_or_else(|_| Err("it does not answer in time".to_owned()));
        Planned { device: device.name, error, files, configuration }
    }

    async fn is_others(&self, device: &Device, wanted: &Bundle) -> Result<bool, String> {
        let Some(lane) = self.lane(&device.org) else { return Ok(false) };
        let row = Table::read(lane, &scripts::device_key(&device.org, &device.name)).map_err(|error| full(&error))?;
        if !may_be_others(row.as_ref()) {
            return Ok(false);
        }
        self.has_others_group(device, wanted, PATIENCE).await.map_err(|failure| failure.message)
    }

    async fn files(&self, device: &Device, wanted: &Bundle) -> Result<Vec<Looked>, String> {
        let words = |error: linesman_domain::Error| full(&error);
        let row = self.row(device).map_err(words)?.ok_or("it is reached no more")?;
        let lane = self.lane(&device.org).ok_or("it is reached no more")?;
        let standing = Table::read(lane, &scripts::device_key(&device.org, &device.name)).map_err(words)?;
        let had = match standing.and_then(|standing| standing.has) {
            Some(named) => Bundle::read(lane, &device.org, &named).map_err(words)?,
            None => None,
        };
        let connection = self.connect(device, &row, row.port).await.map_err(|trouble| trouble.words)?;
        let mut scripts = Scripts::new(&connection, limits(BYTES_MOST));
        let looked = look(&mut scripts, Some(wanted), had.as_ref()).await.map_err(|error| full(&error));
        let looked = match looked {
            Ok(looked) => check_directories(&connection, &looked).await.map(|()| looked),
            wrong => wrong,
        };
        connection.close().await;
        looked
    }

    /// What the device says its configuration would differ by; or that its group is somebody else's.
    async fn difference(&self, device: &Device, wanted: &Bundle) -> Result<String, String> {
        if self.is_others(device, wanted).await? {
            return Err(OTHERS.to_owned());
        }
        let organization = device.org.clone();
        // It is found by the name it was given.
        let of = reaction::Device { organization, serial_number: device.name.clone(), host_name: None };
        let change = (GROUP.to_owned(), GroupChange::Put { text: wanted.text() });
        let found = self.differences(&of, &[change], PATIENCE).await.map_err(|failure| failure.message)?;
        match found.into_iter().next() {
            Some(Ok(difference)) if difference.text.len() > DIFFERENCE_MOST => {
                Err(format!("it would differ by more than {DIFFERENCE_MOST} bytes"))
            }
            Some(difference) => difference.map(|difference| difference.text).map_err(|failure| failure.message),
            None => Ok(String::new()),
        }
    }
}

/// Whether the directories are there in which something is to be laid.
async fn check_directories(connection: &Connection, looked: &[Looked]) -> Result<(), String> {
    let directories: BTreeSet<&str> =
        looked.iter().filter(|file| file.change == Change::New).map(|file| file.kind.directory()).collect();
    for directory in directories {
        let mut files = Files::open(connection, directory, &limits(BYTES_MOST)).await.map_err(|error| full(&error))?;
        match files.list(1, &limits(BYTES_MOST)).await {
            Ok(_) => {}
            Err(Error::Vanished(_) | Error::Directory(_)) => return Err(format!("`{directory}` is not there")),
            Err(error) => return Err(full(&error)),
        }
    }
    Ok(())
}

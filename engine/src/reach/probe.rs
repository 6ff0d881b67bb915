//! A way to a device tried out, step by step: each is done only once the one before is.

use linesman_connectors::device::files::{File, Files, Name};
use linesman_connectors::device::netconf::Session;
use linesman_connectors::device::ssh::{self, Connection, Patience, Stage};
use linesman_domain::reached::{AfterRow, ReachedRow};
use linesman_domain::scripts;
use linesman_domain::table::Table;
use linesman_schemas::OrgName;

use super::way::{Trouble, limits};
use super::{Device, Hands};
use crate::logging::full;

/// How many entries of a directory are looked at.
const ENTRIES_MOST: usize = 1_000;
/// How many bytes one operation may bring.
const BYTES_MOST: u64 = 4 * 1024 * 1024;
/// What is written, read and removed to see whether that goes.
const TRIED: &[u8] = b"linesman was here, and removes this\n";

/// What is tried. Its words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trial {
    /// What the user shows is there.
    Credentials,
    /// It takes connections.
    Tcp,
    /// It speaks SSH, with algorithms in common.
    KeyExchange,
    /// It shows the host key that is known.
    HostKey,
    /// It lets us in.
    Authentication,
    /// Its directory can be read.
    Directory,
    /// A file of it can be read.
    Read,
    /// A file of it can be removed.
    Remove,
    /// A file of it can be moved to where those go that were collected; where they are moved alone.
    Move,
    /// It speaks NETCONF.
    Netconf,
}

impl Trial {
    /// All of them, in their order.
    pub const ALL: [Self; 10] = [
        Self::Credentials,
        Self::Tcp,
        Self::KeyExchange,
        Self::HostKey,
        Self::Authentication,
        Self::Directory,
        Self::Read,
        Self::Remove,
        Self::Move,
        Self::Netconf,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Tcp => "tcp",
            Self::KeyExchange => "key-exchange",
            Self::HostKey => "host-key",
            Self::Authentication => "authentication",
            Self::Directory => "directory",
            Self::Read => "read",
            Self::Remove => "remove",
            Self::Move => "move",
            Self::Netconf => "netconf",
        }
    }
}

/// How one step went: what was found, or why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was tried.
    pub trial: Trial,
    /// What was found, or why it failed.
    pub found: Result<String, String>,
    /// Whether something that the device is to do takes it.
    pub is_needed: bool,
}

impl Step {
    const fn new(trial: Trial, found: Result<String, String>) -> Self {
        Self { trial, found, is_needed: true }
    }
}

impl Hands {
    /// Tries the way to a device out. NETCONF is tried beside files: a device need not have both.
    ///
    /// # Errors
    /// Its row cannot be read, or it is not reached.
    pub async fn test(&self, org: &OrgName, name: &str) -> Result<Vec<Step>, String> {
        let device = Device { org: org.clone(), name: name.to_owned() };
        let row = self.row(&device).map_err(|error| full(&error))?;
        let row = row.ok_or_else(|| format!("`{org}` reaches no device `{name}`"))?;
        let mut steps = Vec::new();
        let connection = self.try_connection(&device, &row, &mut steps).await;
        if let Some(connection) = &connection {
            try_files(connection, &row, &mut steps).await;
        }
        let found = match (&connection, row.netconf_port == row.port) {
            (Some(connection), true) => hello(connection).await,
            (None, true) => return Ok(steps),
            (_, false) => match self.connect(&device, &row, row.netconf_port).await {
                Ok(connection) => hello(&connection).await,
                Err(Trouble { words, .. }) => Err(words),
            },
        };
        let is_needed = self.needs_netconf(&device).map_err(|error| full(&error))?;
        steps.push(Step { trial: Trial::Netconf, found, is_needed });
        Ok(steps)
    }

    /// Whether a device is configured: files, and the commands of directives groups, need no NETCONF.
    fn needs_netconf(&self, device: &Device) -> Result<bool, linesman_domain::Error> {
        let Device { org, name } = device;
        let Some(lane) = self.lane(org) else { return Ok(false) };
        Ok(!self.groups(org, name)?.is_empty() || Table::read(lane, &scripts::device_key(org, name))?.is_some())
    }

    async fn try_connection(&self, device: &Device, row: &ReachedRow, steps: &mut Vec<Step>) -> Option<Connection> {
        let mut done = |trial: Trial, found: Result<String, String>| steps.push(Step::new(trial, found));
        let login = match self.login(device, row, row.port) {
            Ok(login) => login,
            Err(trouble) => {
                let is_key = trouble.state == linesman_schemas::device::DeviceState::HostKeyUnknown;
                done(if is_key { Trial::HostKey } else { Trial::Credentials }, Err(trouble.words));
                return None;
            }
        };
        let place = match self.place(device).await {
            Ok(place) => place,
            Err(trouble) => {
                done(Trial::Tcp, Err(trouble.words));
                return None;
            }
        };
        let opened = Connection::open(&login, &Patience::default()).await.map(|opened| opened.holding(place));
        if let Ok(connection) = &opened
            && let Err(trouble) = self.pin_first(device, row, connection).await
        {
            done(Trial::HostKey, Err(trouble.words));
            return None;
        }
        let came_to = opened.as_ref().err().map(ssh::Error::stage);
        let stages = [
            (Stage::Credentials, Trial::Credentials, format!("a {} is there", row.credentials.as_str())),
            (Stage::Tcp, Trial::Tcp, format!("{} port {}", row.address, row.port)),
            (Stage::KeyExchange, Trial::KeyExchange, "algorithms in common".to_owned()),
            (
                Stage::HostKey,
                Trial::HostKey,
                match (&row.host_key, opened.as_ref().ok()) {
                    (Some(_), _) => "as it is pinned".to_owned(),
                    (None, Some(connection)) => {
                        format!("taken for its own: {}", connection.host_key().fingerprint())
                    }
                    (None, None) => "taken for its own".to_owned(),
                },
            ),
            (Stage::Authentication, Trial::Authentication, format!("as {}", row.user)),
        ];
        for (stage, trial, found) in stages {
            match (&opened, came_to) {
                (Err(error), Some(failed)) if failed <= stage => {
                    done(trial, Err(full(error)));
                    return None;
                }
                _ => done(trial, Ok(found)),
            }
        }
        opened.ok()
    }
}

async fn try_files(connection: &Connection, row: &ReachedRow, steps: &mut Vec<Step>) {
    let limits = limits(BYTES_MOST);
    let mut done = |trial: Trial, found: Result<String, String>| {
        let goes_on = found.is_ok();
        steps.push(Step::new(trial, found));
        goes_on
    };
    let mut files = match Files::open(connection, &row.directory, &limits).await {
        Ok(files) => files,
        Err(error) => {
            done(Trial::Directory, Err(full(&error)));
            return;
        }
    };
    let listed = files.list(ENTRIES_MOST, &limits).await;
    let newest = listed.as_ref().ok().and_then(|it| it.files.iter().max_by_key(|file| file.modified)).cloned();
    let count = |listing: linesman_connectors::device::files::Listing| {
        let more = if listing.is_cut { " and more" } else { "" };
        format!("{} has {} files{more}", row.directory, listing.files.len())
    };
    if !done(Trial::Directory, listed.map(count).map_err(|error| full(&error))) {
        return;
    }
    let random = crate::data_dir::private::random_hex::<8>().unwrap_or_default();
    // It matches no usual pattern of bundles.
    let Ok(name) = Name::new(format!(".linesman-{random}").into_bytes()) else { return };
    let written = files.write(&name, TRIED, &limits).await.map_err(|error| full(&error));
    if let Err(error) = written {
        let error = format!("nothing can be written there: {error}");
        let read = match &newest {
            Some(file) => begun(&mut files, file).await.map(|()| format!("the beginning of {}", file.name)),
            None => Ok("nothing is there to be read".to_owned()),
        };
        done(Trial::Read, read);
        let is_needed = row.after != AfterRow::Leave;
        steps.push(Step { trial: Trial::Remove, found: Err(error), is_needed });
        return;
    }
    let is_read = done(Trial::Read, read(&mut files, &name).await.map(|()| "what was written".to_owned()));
    let removed = files.remove(&name, &limits).await;
    if is_read || removed.is_ok() {
        let is_removed =
            done(Trial::Remove, removed.map(|()| "what was written".to_owned()).map_err(|error| full(&error)));
        if let (true, AfterRow::MoveTo(to)) = (is_removed, &row.after) {
            done(Trial::Move, moved(connection, &mut files, &name, to).await);
        }
    }
}

/// Reads the beginning of a file.
async fn begun(files: &mut Files, file: &File) -> Result<(), String> {
    let limits = limits(BYTES_MOST);
    let said = |error: linesman_connectors::device::files::Error| full(&error);
    let mut reader = files.read(&file.name, 0, file.size.min(TRIED.len() as u64), &limits).await.map_err(said)?;
    reader.next().await.map(drop).map_err(said)
}

/// Writes a file, moves it away, and removes it there.
async fn moved(connection: &Connection, files: &mut Files, name: &Name, to: &str) -> Result<String, String> {
    let limits = limits(BYTES_MOST);
    let mut there = Files::open(connection, to, &limits).await.map_err(|error| full(&error))?;
    there.list(1, &limits).await.map_err(|error| full(&error))?;
    files.write(name, TRIED, &limits).await.map_err(|error| full(&error))?;
    if let Err(error) = files.move_to(name, to, name, &limits).await {
        // What stays there matches no usual pattern of bundles.
        let _ = files.remove(name, &limits).await;
        return Err(format!("to `{to}`: {}", full(&error)));
    }
    let removed = there.remove(name, &limits).await;
    removed.map(|()| format!("to {to}")).map_err(|error| format!("it cannot be removed there: {}", full(&error)))
}

async fn read(files: &mut Files, name: &Name) -> Result<(), String> {
    let limits = limits(BYTES_MOST);
    let said = |error: linesman_connectors::device::files::Error| full(&error);
    let mut reader = files.read(name, 0, TRIED.len() as u64, &limits).await.map_err(said)?;
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await.map_err(said)? {
        bytes.extend_from_slice(&piece);
    }
    match bytes == TRIED {
        true => Ok(()),
        false => Err("what is read is not what was written".to_owned()),
    }
}

async fn hello(connection: &Connection) -> Result<String, String> {
    let limits = limits(BYTES_MOST);
    let session = Session::open(connection, &limits).await.map_err(|error| full(&error))?;
    let count = session.hello().capabilities.len();
    let found = format!("{:?}, {count} capabilities", session.framing());
    // Whether it says good-bye does not matter.
    let _ = session.close(&limits).await;
    Ok(found)
}

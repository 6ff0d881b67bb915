//! How a device is connected to, and what a failure says of how it stands.

use std::time::Duration;

use linesman_connectors::device::ssh::{self, Connection, Credential, Expected, HostKey, Login, Patience, Stage};
use linesman_connectors::device::{files, limits::Limits};
use linesman_domain::reached::ReachedRow;
use linesman_schemas::device::DeviceState;

use super::{Device, Hands};
use crate::logging::full;
use crate::seal::devices::{Shown, ShownError};

/// How long a connection may take until it is let in.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a device may say nothing before it is asked whether it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// What is wrong with a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// How it stands.
    pub(super) state: DeviceState,
    /// Why, in words.
    pub(super) words: String,
    /// The host key that it shows in place of the pinned one.
    pub(super) shown_host_key: Option<String>,
    /// Whether the connection may be of use still.
    pub(super) is_connected: bool,
}

impl Trouble {
    pub(super) fn new(state: DeviceState, words: impl Into<String>) -> Self {
        Self { state, words: words.into(), shown_host_key: None, is_connected: true }
    }
}

impl From<ssh::Error> for Trouble {
    fn from(error: ssh::Error) -> Self {
        let state = match error.stage() {
            Stage::Credentials => DeviceState::CredentialsMissing,
            Stage::Tcp => DeviceState::Unreachable,
            Stage::KeyExchange if matches!(error, ssh::Error::NothingInCommon { .. }) => DeviceState::NoCommonAlgorithm,
            Stage::KeyExchange => DeviceState::Unreachable,
            Stage::HostKey => DeviceState::HostKeyChanged,
            Stage::Authentication if matches!(error, ssh::Error::Authentication { .. }) => {
                DeviceState::AuthenticationFailed
            }
            Stage::Authentication => DeviceState::Unreachable,
            Stage::Channel => DeviceState::Busy,
            Stage::Session => DeviceState::Unreachable,
        };
        let shown_host_key = match &error {
            ssh::Error::HostKeyChanged { key, .. } => Some(key.clone()),
            _ => None,
        };
        Self { state, words: full(&error), shown_host_key, is_connected: false }
    }
}

impl From<files::Error> for Trouble {
    fn from(error: files::Error) -> Self {
        let state = match error {
            files::Error::Ssh(error) => return error.into(),
            files::Error::Directory(_) => DeviceState::DirectoryMissing,
            files::Error::Vanished(_) => DeviceState::Vanishing,
            files::Error::Denied(_) => DeviceState::PermissionDenied,
            files::Error::NoSpace(_) => DeviceState::DeviceFull,
            files::Error::Limit(_) => DeviceState::Unreachable,
            files::Error::Refused { .. }
            | files::Error::Garbled(_)
            | files::Error::BrokenOff
            | files::Error::TooMuch { .. } => DeviceState::Garbled,
        };
        // What one file cannot be is no fault of the way to it.
        let is_connected =
            matches!(error, files::Error::Vanished(_) | files::Error::Denied(_) | files::Error::NoSpace(_));
        Self { state, words: full(&error), shown_host_key: None, is_connected }
    }
}

impl From<ShownError> for Trouble {
    fn from(error: ShownError) -> Self {
        Self::new(DeviceState::CredentialsMissing, full(&error))
    }
}

impl From<linesman_domain::Error> for Trouble {
    fn from(error: linesman_domain::Error) -> Self {
        Self::new(DeviceState::EngineFull, full(&error))
    }
}

impl Hands {
    /// How a device is logged in to.
    pub(super) fn login(&self, device: &Device, row: &ReachedRow, port: u16) -> Result<Login, Trouble> {
        let host_key =
            match &row.host_key {
                Some(text) => Expected::Pinned(text.parse::<HostKey>().map_err(|error| {
                    Trouble::new(DeviceState::HostKeyUnknown, format!("the pinned host key: {error}"))
                })?),
                None if row.accepts_first_host_key => Expected::First,
                None => {
                    let words = "nobody has said which host key it has: `linesman device hostkey`";
                    return Err(Trouble::new(DeviceState::HostKeyUnknown, words));
                }
            };
        let credential = match self.parts.sealed.devices.of(&device.org, &device.name)? {
            Shown::Password(password) => Credential::Password(password),
            Shown::Key { key, passphrase } => Credential::Key { text: key, passphrase },
        };
        let (address, user) = (row.address.clone(), row.user.clone());
        Ok(Login { address, port, user, credential, host_key, is_legacy: row.is_legacy })
    }

    /// Connects to a device, by SSH's port or NETCONF's.
    pub(super) async fn connect(&self, device: &Device, row: &ReachedRow, port: u16) -> Result<Connection, Trouble> {
        let login = self.login(device, row, port)?;
        let patience = Patience { connect: CONNECT, keep_alive: KEEP_ALIVE };
        Ok(Connection::open(&login, &patience).await?)
    }
}

/// What one operation with files may take.
pub(super) fn limits(bytes: u64) -> Limits {
    Limits { idle: Duration::from_secs(30), total: Duration::from_secs(600), bytes }
}

//! How a device is connected to, and what a failure says of how it stands.

use std::time::Duration;

use linesman_connectors::device::ssh::{self, Connection, Credential, Expected, HostKey, Login, Patience, Stage};
use linesman_connectors::device::{files, limits::Limits};
use linesman_domain::reached::ReachedRow;
use linesman_schemas::device::DeviceState;
use tokio::sync::OwnedSemaphorePermit;

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

    /// The same, with the host key that the device shows, for people to compare; none where it shows none.
    fn showing(self, key: Option<HostKey>) -> Self {
        Self { is_connected: key.is_some(), shown_host_key: key.map(|key| key.to_string()), ..self }
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
        let mut words = full(&error);
        if shown_host_key.is_some() {
            words += ": where that is right, `linesman device hostkey --host-key KEY` pins it";
        }
        Self { state, words, shown_host_key, is_connected: false }
    }
}

impl From<files::Error> for Trouble {
    fn from(error: files::Error) -> Self {
        let state = match error {
            files::Error::Ssh(error) => return error.into(),
            files::Error::Directory(_) => DeviceState::DirectoryMissing,
            files::Error::Vanished(_) | files::Error::Changed(_) => DeviceState::Vanishing,
            files::Error::Denied(_) => DeviceState::PermissionDenied,
            files::Error::NoSpace(_) => DeviceState::DeviceFull,
            files::Error::Limit(_) => DeviceState::Unreachable,
            files::Error::Refused { .. }
            | files::Error::Garbled(_)
            | files::Error::BrokenOff
            | files::Error::TooMuch { .. } => DeviceState::Garbled,
        };
        // What one file cannot be is no fault of the way to it.
        let is_connected = matches!(
            error,
            files::Error::Vanished(_)
                | files::Error::Changed(_)
                | files::Error::Denied(_)
                | files::Error::NoSpace(_)
                | files::Error::Refused { .. }
        );
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
                    let words = "nobody has said which host key it has: `linesman device hostkey` with `--host-key` or \
                             `--accept-host-key` does";
                    return Err(Trouble::new(DeviceState::HostKeyUnknown, words));
                }
            };
        let credential = match self.parts.sealed.devices.of(&device.org, &device.name, row)? {
            Shown::Password(password) => Credential::Password(password),
            Shown::Key { key, passphrase } => Credential::Key { text: key, passphrase },
        };
        let (address, user) = (row.address.clone(), row.user.clone());
        Ok(Login { address, port, user, credential, host_key, is_legacy: row.is_legacy })
    }

    /// Connects to a device, by SSH's port or NETCONF's. The host key that it shows first is pinned, where that is allowed,
    /// whatever it was connected to for.
    pub(super) async fn connect(&self, device: &Device, row: &ReachedRow, port: u16) -> Result<Connection, Trouble> {
        let patience = Patience { connect: CONNECT, keep_alive: KEEP_ALIVE };
        let login = match self.login(device, row, port) {
            Err(trouble) if row.host_key.is_none() && trouble.state == DeviceState::HostKeyUnknown => {
                let _place = self.place(device).await?;
                let shown = Connection::shown((&row.address, port), row.is_legacy, &patience).await;
                return Err(trouble.showing(shown.ok()));
            }
            login => login?,
        };
        let place = self.place(device).await?;
        let connection = Connection::open(&login, &patience).await?.holding(place);
        self.pin_first(device, row, &connection).await?;
        Ok(connection)
    }

    /// Waits for a place among the connections to a device.
    pub(super) async fn place(&self, device: &Device) -> Result<OwnedSemaphorePermit, Trouble> {
        let words = "as many connections to it are open already as may be";
        let busy = || Trouble { is_connected: false, ..Trouble::new(DeviceState::Busy, words) };
        self.rooms.connection(device, CONNECT).await.ok_or_else(busy)
    }

    /// What is wrong with a device whose host key is not pinned yet: who it is, is settled by a look at it, which accepts its key
    /// and says so in the log. Where no look has come so far it is that.
    pub(super) fn unaccepted(&self, device: &Device) -> Trouble {
        let standing = self.standing(device).ok().flatten();
        match standing.filter(|standing| !matches!(standing.state, DeviceState::New | DeviceState::Reachable)) {
            Some(standing) => Trouble::new(standing.state, standing.error),
            None => {
                let words = "its host key has not been accepted yet: the next look at it does";
                Trouble::new(DeviceState::HostKeyUnknown, words)
            }
        }
    }

    /// Pins the host key of a connection where none is known.
    pub(super) async fn pin_first(
        &self,
        device: &Device,
        row: &ReachedRow,
        connection: &Connection,
    ) -> Result<(), Trouble> {
        if row.host_key.is_some() {
            return Ok(());
        }
        let accepted = self.accept(device, connection.host_key()).await;
        accepted.map_err(|error| Trouble::new(DeviceState::LogUnavailable, error))
    }
}

/// The least that a device reads of a file in a second, in bytes.
const PACE_LEAST: u64 = 8 * 1024;

/// What the reading of a file may take: who is slower holds a place that others wait for.
pub(super) fn reading(most: u64, size: u64) -> Limits {
    let limits = limits(most);
    Limits { total: limits.idle + Duration::from_secs(size / PACE_LEAST), ..limits }
}

/// What one operation with files may take.
pub(super) fn limits(bytes: u64) -> Limits {
    Limits { idle: Duration::from_secs(30), total: Duration::from_secs(600), bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_has_its_name_and_only_what_is_of_one_file_leaves_the_connection() {
        let name = || "a.xml".to_owned();
        for (error, state, is_connected) in [
            (files::Error::Vanished(name()), DeviceState::Vanishing, true),
            (files::Error::Changed(name()), DeviceState::Vanishing, true),
            (files::Error::Denied(name()), DeviceState::PermissionDenied, true),
            (files::Error::NoSpace(name()), DeviceState::DeviceFull, true),
            (files::Error::Directory(name()), DeviceState::DirectoryMissing, false),
            (files::Error::Garbled("no packet"), DeviceState::Garbled, false),
            (files::Error::BrokenOff, DeviceState::Garbled, false),
            (files::Error::TooMuch { name: name(), most: 1 }, DeviceState::Garbled, false),
            (ssh::Error::ChannelRefused("no".to_owned()).into(), DeviceState::Busy, false),
        ] {
            let told = full(&error);
            let trouble = Trouble::from(error);
            assert_eq!((trouble.state, trouble.is_connected), (state, is_connected), "{told}");
            assert_eq!(trouble.words, told);
        }
        let nothing = ssh::Error::NothingInCommon { what: "cipher", theirs: "3des-cbc".to_owned() };
        assert_eq!(Trouble::from(nothing).state, DeviceState::NoCommonAlgorithm);
        assert_eq!(Trouble::from(ssh::Error::KeyExchange("broken".to_owned())).state, DeviceState::Unreachable);
        let (known, shown, key) = ("a".to_owned(), "b".to_owned(), "ssh-ed25519 AAAA".to_owned());
        let changed = Trouble::from(ssh::Error::HostKeyChanged { known, shown, key: key.clone() });
        assert_eq!((changed.state, changed.shown_host_key), (DeviceState::HostKeyChanged, Some(key)));
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(crate::reach::take::unwritten(&full).state, DeviceState::EngineFull);
    }
}

//! The way to a device that is configured, and what is looked at there while nothing is changed.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::push::{Difference, Directory, Pace, Turn, differences, held};
use linesman_connectors::device::ssh::{Expected, Login};
use linesman_domain::reached;
use linesman_schemas::device::DeviceState;
use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::reaction::GroupChange;
use linesman_schemas::{OrgName, reaction};
use tokio::time::timeout;

use super::way::Trouble;
use super::{Device, Hands};

/// How long a change waits for another one of the same device.
const TURN_WITHIN: Duration = Duration::from_secs(120);

impl Directory for Hands {
    fn login(&self, device: &reaction::Device) -> Result<Login, Failure> {
        self.login_of(self.found(device)?).map_err(failure)
    }

    fn turn<'a>(&'a self, device: &'a reaction::Device) -> BoxFuture<'a, Result<Turn, Failure>> {
        async {
            let found = self.found(device)?;
            let turn = self.rooms.turn(&found, TURN_WITHIN).await.map(Turn::from);
            turn.ok_or_else(|| unavailable("somebody else is at its configuration: it is tried again".to_owned()))
        }
        .boxed()
    }
}

impl Hands {
    /// What changes of groups would make of a device, as it says itself, in their order; of one that it does not take, why
    /// not. Nothing is committed.
    ///
    /// # Errors
    /// It is not reached, does not tell it, or not within `patience`.
    pub async fn differences(
        &self,
        device: &reaction::Device,
        changes: &[(String, GroupChange)],
        patience: Duration,
    ) -> Result<Vec<Result<Difference, Failure>>, Failure> {
        self.check_active(device)?;
        let login = Directory::login(self, device)?;
        within(patience, async {
            let _turn = self.turn(device).await?;
            differences(&login, &pace(patience), changes).await
        })
        .await
    }

    /// What a device has of groups, as it writes them, and which groups it applies; at most `bytes` of that.
    ///
    /// # Errors
    /// It is not reached, does not tell it, or not within `patience`.
    pub async fn held(
        &self,
        device: &reaction::Device,
        groups: &[String],
        (patience, bytes): (Duration, u64),
    ) -> Result<Vec<String>, Failure> {
        self.check_active(device)?;
        let found = self.found(device)?;
        let pace = pace(patience);
        let pace = Pace { work: Limits { bytes, ..pace.work }, ..pace };
        within(patience, async {
            let _place = self.place(&found).await.map_err(failure)?;
            held(&self.login_of(found).map_err(failure)?, &pace, groups).await
        })
        .await
    }

    /// A device by the name by which it is reached.
    fn found(&self, device: &reaction::Device) -> Result<Device, Failure> {
        let org = &device.organization;
        let name = self.way(device).map_err(|error| failure(error.into()))?;
        let nothing = || unavailable(format!("`{org}` reaches no such device: `linesman device add`"));
        Ok(Device { org: org.clone(), name: name.ok_or_else(nothing)? })
    }

    fn check_active(&self, device: &reaction::Device) -> Result<(), Failure> {
        let org = &device.organization;
        match self.is_suspended(org).map_err(|error| failure(error.into()))? {
            true => Err(unavailable(suspended(org))),
            false => Ok(()),
        }
    }

    fn login_of(&self, device: Device) -> Result<Login, Trouble> {
        let row = self.row(&device)?;
        let row = row.ok_or_else(|| Trouble::new(DeviceState::Unreachable, "it is reached no more"))?;
        let login = self.login(&device, &row, row.netconf_port)?;
        match login.host_key {
            Expected::Pinned(_) => Ok(login),
            Expected::First | Expected::Unknown => Err(self.unaccepted(&device)),
        }
    }

    /// The name by which a device is reached: found by its serial number, or by its host name.
    pub(super) fn way(&self, device: &reaction::Device) -> Result<Option<String>, linesman_domain::Error> {
        let org: &OrgName = &device.organization;
        if let Some(name) = self.named(org, &device.serial_number)? {
            return Ok(Some(name));
        }
        let Some(host_name) = &device.host_name else { return Ok(None) };
        let named = Device { org: org.clone(), name: host_name.clone() };
        let Some(row) = self.row(&named)? else { return Ok(None) };
        let standing = self.standing(&named)?;
        // One of which another serial number is known has the host name, and is another device.
        Ok(reached::serial_number(&row, standing.as_ref()).is_none().then(|| host_name.clone()))
    }
}

/// Why nothing is done on the devices of an organization.
pub(crate) fn suspended(org: &OrgName) -> String {
    format!("`{org}` is suspended: nothing is done on its devices")
}

fn unavailable(message: String) -> Failure {
    Failure { class: FailureClass::Unavailable, message, retry_after_s: None, cause: None }
}

/// How long a device may take for what is looked at within some time.
fn pace(patience: Duration) -> Pace {
    let limits = Limits { idle: patience, total: patience, ..Limits::default() };
    Pace { answer: limits, work: limits, ..Pace::default() }
}

async fn within<T>(patience: Duration, asked: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = || unavailable(format!("the device has not answered within {} s", patience.as_secs()));
    timeout(patience, asked).await.unwrap_or_else(|_| Err(late()))
}

/// What a device says cannot be understood.
pub(super) fn garbled(why: &str) -> Failure {
    let message = format!("its configuration cannot be read: {why}");
    Failure { class: FailureClass::Garbled, message, retry_after_s: None, cause: None }
}

pub(super) fn failure(trouble: Trouble) -> Failure {
    let class = match trouble.state {
        DeviceState::CredentialsMissing => FailureClass::Unauthorized,
        _ => FailureClass::Unavailable,
    };
    Failure { class, message: trouble.words, retry_after_s: None, cause: None }
}

//! The way to a device that is configured.

use linesman_connectors::device::push::Directory;
use linesman_connectors::device::ssh::{Expected, Login};
use linesman_domain::reached;
use linesman_schemas::device::DeviceState;
use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::{OrgName, reaction};

use super::way::Trouble;
use super::{Device, Hands};

impl Directory for Hands {
    fn login(&self, device: &reaction::Device) -> Result<Login, Failure> {
        let org = &device.organization;
        let found = self.way(device).map_err(|error| failure(error.into()))?;
        let Some(name) = found else {
            let words = format!("`{org}` reaches no such device: `linesman device add`");
            return Err(Failure { class: FailureClass::Unavailable, message: words, retry_after_s: None });
        };
        self.login_of(Device { org: org.clone(), name }).map_err(failure)
    }
}

impl Hands {
    fn login_of(&self, device: Device) -> Result<Login, Trouble> {
        let row = self.row(&device)?;
        let row = row.ok_or_else(|| Trouble::new(DeviceState::Unreachable, "it is reached no more"))?;
        let login = self.login(&device, &row, row.netconf_port)?;
        match login.host_key {
            Expected::Pinned(_) => Ok(login),
            // Who it is, is settled by a look at it, which accepts its key and says so in the log.
            Expected::First => Err(Trouble::new(DeviceState::HostKeyUnknown, "its host key has not been accepted yet")),
        }
    }

    /// The name by which a device is reached: found by its serial number, or by its host name.
    fn way(&self, device: &reaction::Device) -> Result<Option<String>, linesman_domain::Error> {
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

fn failure(trouble: Trouble) -> Failure {
    let class = match trouble.state {
        DeviceState::CredentialsMissing => FailureClass::Unauthorized,
        _ => FailureClass::Unavailable,
    };
    Failure { class, message: trouble.words, retry_after_s: None }
}

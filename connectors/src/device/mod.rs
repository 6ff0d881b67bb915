//! Devices: puts and removes configuration groups; and how a device is reached.
//!
//! Whoever asks knows no more of a device than its organization and serial number, and of an answer no more than its
//! class. Groups go over NETCONF to the devices that are reached ([`push`]), or, with the feature `standin` and the section
//! `[device]`, to stand-ins in folders.

pub mod files;
pub mod limits;
pub mod netconf;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod property;
pub mod push;
pub mod scripts;
pub mod ssh;
#[cfg(feature = "standin")]
pub mod standin;
mod syntax;

use std::sync::Arc;

use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::reaction::{Configure, GroupChange, Task};

use crate::{Folder, Made, Settings};

/// What belongs to the connector.
pub static FOLDER: Folder = Folder {
    name: NAME,
    #[cfg(feature = "standin")]
    section: Some(&standin::SECTION),
    #[cfg(not(feature = "standin"))]
    section: None,
    notification: None,
    shown: |action| {
        let text = |pointer: &str| action.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default();
        let change = if text("/configure/change") == "remove" { "remove" } else { "put" };
        format!("{change} {} of {}", text("/configure/group"), text("/configure/device/serial_number"))
    },
    make: |settings| Ok(made(settings)),
    sources: |_| Ok(Vec::new()),
};

const NAME: &str = "device";
/// How many tasks are under way at one device at a time: it takes one change after another.
const CONCURRENCY: usize = 1;
/// How many are under way at all devices.
const CONCURRENCY_IN_ALL: usize = 16;

fn made(settings: &Settings) -> Made {
    #[cfg(feature = "standin")]
    if let Some(folders) = &settings.device {
        return Some(Arc::new(standin::Devices::new(folders.clone())));
    }
    Some(Arc::new(push::Devices::new(settings.reached.clone()?)))
}

const fn failure(class: FailureClass, message: String) -> Failure {
    Failure { class, message, retry_after_s: None, cause: None }
}

/// What no device takes, and what is not for this device.
fn check(task: &Task, configure: &Configure) -> Result<(), String> {
    let device = &configure.device;
    if task.org.as_ref() != Some(&device.organization) || task.peer != device.peer() || task.peer.is_none() {
        let device = crate::text::excerpt(&device.serial_number, 80);
        return Err(format!("the device `{device}` is not whom the reaction is for"));
    }
    syntax::check_name(&configure.group)?;
    match &configure.change {
        GroupChange::Put { text } => syntax::check_text(text),
        GroupChange::Remove => Ok(()),
    }
}

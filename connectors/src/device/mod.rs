//! Devices: puts and removes configuration groups; and how a device is reached.
//!
//! Whoever asks knows no more of a device than its organization and serial number, and of an answer no more than its
//! class. The only device there is yet is the stand-in (feature `standin`); without it, and without the section
//! `[device]`, nobody carries these reactions out, and they wait.

pub mod files;
pub mod limits;
pub mod netconf;
pub mod ssh;
#[cfg(feature = "standin")]
pub mod standin;

use crate::Folder;
#[cfg(feature = "standin")]
use crate::{Made, Settings};

/// What belongs to the connector.
#[cfg(feature = "standin")]
pub static FOLDER: Folder =
    Folder { section: Some(&standin::SECTION), make: |settings| Ok(standin(settings)), ..WITHOUT_DEVICES };
/// What belongs to the connector, which is not made.
#[cfg(not(feature = "standin"))]
pub static FOLDER: Folder = WITHOUT_DEVICES;

const NAME: &str = "device";

const WITHOUT_DEVICES: Folder = Folder {
    name: NAME,
    section: None,
    notification: None,
    shown: |action| {
        let text = |pointer: &str| action.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default();
        let change = if text("/configure/change") == "remove" { "remove" } else { "put" };
        format!("{change} {} of {}", text("/configure/group"), text("/configure/device/serial_number"))
    },
    make: |_| Ok(None),
    sources: |_| Ok(Vec::new()),
};

#[cfg(feature = "standin")]
fn standin(settings: &Settings) -> Made {
    let devices = settings.device.as_ref()?;
    Some(std::sync::Arc::new(standin::Devices::new(devices.clone())))
}

//! A configuration group of the name of ours that is somebody else's: it is neither overwritten nor taken away.

use std::time::Duration;

use linesman_connectors::device::push::room_for;
use linesman_domain::scripts::{DeviceScriptsRow, GROUP};
use linesman_rules::configuration::Lines;
use linesman_schemas::outcome::Failure;

use super::Bundle;
use crate::reach::pushed::garbled;
use crate::reach::{Device, Hands};

/// What is said where there is one.
pub(super) const OTHERS: &str = "nothing is changed: the device has a configuration group `linesman-scripts` that is not ours; \
                                 it is to be deleted there first";

/// Whether a group of that name may be somebody else's on a device that stands so: nothing of ours is known there, and
/// nothing was begun. What was begun was so on a device that had none of somebody else's.
pub(super) fn may_be_others(row: Option<&DeviceScriptsRow>) -> bool {
    row.is_none_or(|row| row.has.is_none() && !row.is_begun)
}

impl Hands {
    /// Whether a device has a group of that name that holds something else than what it is to hold.
    pub(super) async fn has_others_group(
        &self,
        device: &Device,
        wanted: &Bundle,
        patience: Duration,
    ) -> Result<bool, Failure> {
        let wanted = wanted.text();
        let room = room_for([wanted.as_str()]);
        let texts = self.held(&Self::to_tell(&device.org, &device.name), &[GROUP.to_owned()], (patience, room)).await?;
        let wanted = Lines::read(&wanted).map_err(|fault| garbled(&fault.to_string()))?;
        for text in &texts {
            let held = Lines::read(text).map_err(|fault| garbled(&fault.to_string()))?;
            if held.within(&["groups", GROUP]).is_some_and(|found| !wanted.drift(&found).is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

//! What is said to the log: how devices stand, what of theirs is no bundle, which host key was accepted.

use std::time::Duration;

use linesman_connectors::device::ssh::HostKey;
use linesman_schemas::command::{Command, DeviceVerb, HostKeyPin, Verb};
use linesman_schemas::outcome::Report;
use linesman_schemas::{CommandId, Principal};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::{Device, Hands};
use crate::log::inputs;
use crate::logging::full;

/// How long rows are waited for.
const APPLIED: Duration = Duration::from_secs(60);

impl Hands {
    /// Reports; whether the log has it.
    pub(super) async fn report(&self, device: &Device, report: &Report) -> bool {
        self.report_at(device, report).await.is_some()
    }

    /// Reports; where in the log it stands, none where it does not.
    pub(super) async fn report_at(&self, device: &Device, report: &Report) -> Option<u64> {
        let payload = serde_json::to_vec(report).ok()?;
        let put = inputs::put(&self.parts.client, format!("in.{}.result.device", device.org), payload).await;
        if let Err(error) = &put {
            tracing::warn!(organization = %device.org, device = device.name, error = full(error), "a report waits for the log");
        }
        put.ok()
    }

    /// Waits until the rows have what stands in the log at `sequence`; not for ever.
    pub(super) async fn applied(&self, device: &Device, sequence: u64) {
        let Some(lane) = self.parts.lanes.get(self.number(&device.org) as usize) else { return };
        let mut lane = lane.clone();
        // A lane that is behind for so long is behind for others too.
        let _ = timeout(APPLIED, lane.wait_for(|lane| lane.position >= sequence)).await;
    }

    /// Pins the host key that a device showed first, where that was allowed. It is asked for once however often it is seen, until
    /// another way to it, or another key, was meant.
    pub(super) async fn accept(&self, device: &Device, key: &HostKey) -> Result<(), String> {
        fail::fail_point!("reach::accept", |_| Ok(()));
        let host_key = Some(key.to_string());
        let pin = HostKeyPin { name: device.name.clone(), host_key, is_first: true };
        let standing = self.standing(device).map_err(|error| full(&error))?;
        let since = standing.map(|standing| standing.since).unwrap_or_default();
        let digest = Sha256::digest(format!("{}\n{}\n{since}\n{key}", device.org, device.name));
        let id: CommandId = format!("first-host-key-{}", hex::encode(digest))
            .parse()
            .map_err(|error: linesman_schemas::name::NameError| full(&error))?;
        let (principal, node) = (Principal::Machine, self.parts.node.to_string());
        let command = Command { id, principal, node, verb: Verb::Device(DeviceVerb::PinHostKey(pin)) };
        let (subject, payload) = inputs::of_command(Some(&device.org), command).map_err(|error| full(&error))?;
        inputs::put(&self.parts.client, subject, payload).await.map(drop).map_err(|error| full(&error))
    }
}

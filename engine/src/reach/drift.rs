//! Groups are read back from their devices on schedule, and what they have otherwise is reported where that is news.

use std::time::Duration;

use linesman_domain::activations::drift::LEVEL;
use linesman_schemas::OrgName;
use linesman_schemas::outcome::Report;
use tokio::time::Instant;

use super::groups::{Compared, is_news};
use super::worker::{Worker, fraction};
use super::{Device, Hands};

/// How long the groups of a device may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Within what time after the start each device is looked at first, and how soon one again that has drifted.
const SOON: Duration = Duration::from_secs(3_600);

/// When a device is first looked at: not all at once.
pub(super) fn first(hands: &Hands, device: &Device) -> Instant {
    Instant::now() + hands.parts.settings.drift_every.min(SOON).mul_f64(fraction(device))
}

impl Worker {
    /// How long it is until groups are to be read back.
    pub(super) fn until_compared(&self) -> Duration {
        self.compared.saturating_duration_since(Instant::now())
    }

    /// Reads groups back from the device where it is time, and reports what is news of them.
    pub(super) async fn compare_when_due(&mut self) {
        let every = self.hands.parts.settings.drift_every;
        if !self.until_compared().is_zero() {
            return;
        }
        let (org, name) = (self.device.org.clone(), self.device.name.clone());
        let next = match self.hands.reads_groups(&org) {
            false => every.min(SOON),
            true => {
                // A place of its own: the look before has given its own back.
                let Some(_room) = self.hands.rooms.looks.enter(&org).await else { return };
                match self.hands.compare(&org, &name, PATIENCE).await {
                    Ok(compared) if self.hands.tell(&self.device, &compared).await.0 => every,
                    Ok(_) => every.min(SOON),
                    Err(failure) => {
                        metrics::counter!("linesman_device_drift_failures_total").increment(1);
                        let (reason, device) = (failure.message, name);
                        tracing::info!(organization = %org, device, reason, "the groups of a device cannot be read back");
                        every.min(SOON)
                    }
                }
            }
        };
        self.compared = Instant::now() + self.jittered(next);
    }
}

impl Hands {
    /// Whether groups of an organization's devices are read back.
    fn reads_groups(&self, org: &OrgName) -> bool {
        let lane = self.parts.lanes.get(self.number(org) as usize);
        lane.is_some_and(|lane| lane.borrow().level >= LEVEL)
    }

    /// Reports what is news of the groups of a device, and waits until that is known; whether all are as they were told, as far
    /// as that is known.
    pub async fn tell_of(&self, org: &OrgName, name: &str, compared: &[Compared]) -> bool {
        let device = Device { org: org.clone(), name: name.to_owned() };
        if !self.reads_groups(org) {
            return false;
        }
        let (is_in_sync, told) = self.tell(&device, compared).await;
        if let Some(sequence) = told {
            self.applied(&device, sequence).await;
        }
        is_in_sync
    }

    /// The same, and where in the log the last of it stands.
    async fn tell(&self, device: &Device, compared: &[Compared]) -> (bool, Option<u64>) {
        let (mut is_in_sync, mut told) = (true, None);
        for one in compared {
            let (Some(found), Some(read)) = (&one.found, one.report(&device.name, &self.parts.node)) else { continue };
            let result = if found.is_in_sync() { "in-sync" } else { "drifted" };
            metrics::counter!("linesman_device_groups_read_total", "result" => result).increment(1);
            is_in_sync &= found.is_in_sync();
            if is_news(one.group.known.as_ref(), &read, found.action) {
                told = self.report_at(device, &Report::GroupRead(read)).await.or(told);
            }
        }
        (is_in_sync, told)
    }
}

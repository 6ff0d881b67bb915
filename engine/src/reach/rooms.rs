//! How much is done with devices at a time: of all organizations, of one, and of one device.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Device;
use super::section::Settings;
use super::shared::{Place, Shared};

/// For how many at a time it is held what they asked of a device and wait for: of all organizations, and of one.
const HELD_MOST: (usize, usize) = (8, 2);
/// How many connections to one device there are at a time, beside those by which it is configured.
const CONNECTIONS_MOST: usize = 6;

/// The rooms.
pub(super) struct Rooms {
    /// For looks at devices.
    pub(super) looks: Shared,
    /// For gathering data from them.
    gatherings: Shared,
    /// For what people ask of them and wait for.
    pub(super) held: Shared,
    /// For what is larger than a message, and lies in memory while it is checked.
    pub(super) large: Arc<Semaphore>,
    /// For groups that are held against what a device has.
    pub(super) compared: Arc<Semaphore>,
    devices: Mutex<HashMap<Device, OfDevice>>,
}

/// What is done with one device.
struct OfDevice {
    turn: Arc<Semaphore>,
    gathering: Arc<Semaphore>,
    connections: Arc<Semaphore>,
}

impl Rooms {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            looks: Shared::new((settings.visits, settings.visits_of_one)),
            gatherings: Shared::new((settings.gatherings, settings.gatherings_of_one)),
            held: Shared::new(HELD_MOST),
            large: Arc::new(Semaphore::new(1)),
            compared: Arc::new(Semaphore::new(1)),
            devices: Mutex::default(),
        }
    }

    fn of<T>(&self, device: &Device, part: impl Fn(&OfDevice) -> &Arc<T>) -> Arc<T> {
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |most: usize| Arc::new(Semaphore::new(most));
        let new = || OfDevice { turn: of(1), gathering: of(1), connections: of(CONNECTIONS_MOST) };
        Arc::clone(part(devices.entry(device.clone()).or_insert_with(new)))
    }

    /// Waits until nobody else changes a device; none where that takes longer than `patience`.
    pub(super) async fn turn(&self, device: &Device, patience: Duration) -> Option<OwnedSemaphorePermit> {
        timeout(patience, self.of(device, |of| &of.turn).acquire_owned()).await.ok()?.ok()
    }

    /// Waits until no other data is gathered from a device, and then for a place among all from which it is.
    pub(super) async fn gathering(&self, device: &Device) -> Option<(OwnedSemaphorePermit, Place)> {
        // Who waits for the others of their own keeps nobody else waiting. None is ever closed.
        let own = self.of(device, |of| &of.gathering).acquire_owned().await.ok()?;
        Some((own, self.gatherings.enter(&device.org).await?))
    }

    /// Waits for a connection to a device; none where that takes longer than `patience`.
    pub(super) async fn connection(&self, device: &Device, patience: Duration) -> Option<OwnedSemaphorePermit> {
        timeout(patience, self.of(device, |of| &of.connections).acquire_owned()).await.ok()?.ok()
    }

    /// A device is reached no more. What is under way there comes to its end.
    pub(super) fn forget(&self, device: &Device) {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner).remove(device);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    fn device(name: &str) -> Device {
        Device { org: "acme".parse().unwrap(), name: name.to_owned() }
    }

    fn rooms() -> Rooms {
        let second = Duration::from_secs(1);
        Rooms::new(&Settings {
            incomplete_after: second,
            missed_after: second,
            drift_every: second,
            visits: 3,
            visits_of_one: 2,
            gatherings: 1,
            gatherings_of_one: 1,
            gathering_within: second,
            snapshot_every: second,
        })
    }

    #[tokio::test]
    async fn one_organization_leaves_room_for_others() {
        let (rooms, acme, bolt) = (rooms(), "acme".parse().unwrap(), "bolt".parse().unwrap());
        let _one = rooms.looks.enter(&acme).await.unwrap();
        let _other = rooms.looks.enter(&acme).await.unwrap();
        assert!(timeout(SOON, rooms.looks.enter(&acme)).await.is_err(), "it has more than its part");
        assert!(timeout(SOON, rooms.looks.enter(&bolt)).await.is_ok());
        let mut held = Vec::new();
        for _ in 0..HELD_MOST.1 {
            held.push(timeout(SOON, rooms.held.enter(&acme)).await.unwrap().unwrap());
        }
        assert!(timeout(SOON, rooms.held.enter(&acme)).await.is_err());
        assert!(
            timeout(SOON, rooms.held.enter(&bolt)).await.is_ok(),
            "others wait for what one organization has asked"
        );
    }

    #[tokio::test]
    async fn a_device_tells_one_thing_at_a_time_and_keeps_no_other_waiting() {
        let rooms = Rooms { gatherings: Shared::new((2, 2)), ..rooms() };
        let one = rooms.gathering(&device("r1")).await.unwrap();
        assert!(timeout(SOON, rooms.gathering(&device("r1"))).await.is_err());
        assert!(timeout(SOON, rooms.gathering(&device("r2"))).await.is_ok());
        drop(one);
        assert!(timeout(SOON, rooms.gathering(&device("r1"))).await.is_ok());
    }

    #[tokio::test]
    async fn a_device_is_changed_by_one_at_a_time_and_has_so_many_connections() {
        let rooms = rooms();
        let turn = rooms.turn(&device("r1"), SOON).await.unwrap();
        assert!(rooms.turn(&device("r1"), SOON).await.is_none());
        assert!(rooms.turn(&device("r2"), SOON).await.is_some());
        drop(turn);
        assert!(rooms.turn(&device("r1"), SOON).await.is_some());
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS_MOST {
            open.push(rooms.connection(&device("r1"), SOON).await.unwrap());
        }
        assert!(rooms.connection(&device("r1"), SOON).await.is_none());
        open.pop();
        assert!(rooms.connection(&device("r1"), SOON).await.is_some());
    }
}

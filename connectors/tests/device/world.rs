//! Devices in a folder of their own, and the tasks they are tried with.

use std::path::PathBuf;

use linesman_connectors::device::standin::{Devices, Fault, Settings, configuration};
use linesman_connectors::{Attempted, Connector as _};
use linesman_schemas::outcome::{Done, Failure, Outcome};
use linesman_schemas::reaction::{Action, Configure, Device, GroupChange, Task};
use tempfile::TempDir;

/// Stand-in devices of its own for one test.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) devices: Devices,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let devices = Devices::new(Settings { dir: dir.path().to_owned() });
        Self { dir, devices }
    }

    /// The devices after a restart: nothing is known of them but their folders.
    pub(crate) fn restart(&mut self) {
        self.devices = Devices::new(Settings { dir: self.dir.path().to_owned() });
    }

    /// Puts a group, by the reaction of a number.
    pub(crate) async fn put(&self, number: u64, group: &str, text: &str) -> Attempted {
        self.devices.carry_out(&task(number, group, put(text))).await
    }

    /// Removes a group, by the reaction of a number.
    pub(crate) async fn remove(&self, number: u64, group: &str) -> Attempted {
        self.devices.carry_out(&task(number, group, GroupChange::Remove)).await
    }

    /// What the device of all tests holds.
    pub(crate) fn shown(&self) -> String {
        configuration(self.dir.path(), &device("JN1")).unwrap()
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("acme").join("JN1")
    }

    /// Lets something go wrong at it.
    pub(crate) fn fail(&self, fault: &Fault) {
        std::fs::create_dir_all(self.folder()).unwrap();
        std::fs::write(self.folder().join("fault.json"), serde_json::to_vec(fault).unwrap()).unwrap();
    }
}

pub(crate) fn device(serial_number: &str) -> Device {
    Device { organization: "acme".parse().unwrap(), serial_number: serial_number.to_owned(), host_name: None }
}

pub(crate) fn put(text: &str) -> GroupChange {
    GroupChange::Put { text: text.to_owned() }
}

pub(crate) fn task(number: u64, group: &str, change: GroupChange) -> Task {
    let device = device("JN1");
    Task {
        id: format!("acme-r{number}-18f0").parse().unwrap(),
        org: "acme".parse().ok(),
        peer: device.peer(),
        attempt: 1,
        action: Action::Configure(Box::new(Configure {
            device,
            group: group.to_owned(),
            change,
            approved: None,
            is_restore: false,
        })),
    }
}

/// That it is done, and nothing else came of it.
pub(crate) fn done(attempted: Attempted) {
    assert_eq!(attempted, Attempted::done(1, Done::Configured));
}

pub(crate) fn failure(attempted: Attempted) -> Failure {
    match attempted.outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Done(done) => panic!("done: {done:?}"),
    }
}

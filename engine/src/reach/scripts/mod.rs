//! Installs scripts on devices, upgrades and removes them, as their device groups are to have them.
//!
//! ```text
//!  rows --orders--> a task per device --> put back --> look --> lay, put --> configure --> take away --> settle
//!                                         (what broke off)  `--> nothing is changed  `--> put back, as before
//! ```
//!
//! | room | what |
//! |---|---|
//! | here | which devices are to be worked on, a task each |
//! | `course` | one device, from what it has to what it is to have |
//! | `group` | whether the configuration group of that name is somebody else's |
//! | `look` | what would change on a device |
//! | `plan` | the same of a device group, for whoever asks |
//! | `telling` | what is said to the log of how they stand |

mod course;
mod group;
mod look;
mod plan;
mod telling;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linesman_connectors::device::push::{Devices, Reached};
use linesman_domain::device_groups::DeviceGroups;
use linesman_domain::organizations;
use linesman_domain::reached;
use linesman_domain::scripts::{
    self, DeviceScriptsRow, GroupScriptsRow, InstalledRow, LEVEL, ProfileRow, ScriptBundleRow,
};
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use linesman_schemas::scripts::{InstalledScripts, ScriptKind, ScriptsChange};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::shared::Shared;
use super::{Device, Hands};
use crate::logging::full;
use crate::store::Lane;
use course::{Course, Ended};
pub use look::Change;
pub use plan::{Planned, PlannedFile};

/// How often it is looked what is to be done, where the log has moved.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many devices are worked on at a time: of all organizations, and of one.
const DEVICES_AT_A_TIME: (usize, usize) = (16, 8);
/// How long a device that does not answer is left alone at first, and at most.
const REST: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));
/// The directories in which scripts lie.
const DIRECTORIES: [&str; 3] =
    [ScriptKind::Op.directory(), ScriptKind::Event.directory(), ScriptKind::Commit.directory()];

/// What a device is to have, or has.
#[derive(Debug, Clone)]
struct Bundle {
    bundle: ScriptBundleRow,
    profile: Option<ProfileRow>,
}

impl Bundle {
    /// As it is kept; none where it is not.
    fn read(lane: &Lane, org: &OrgName, named: &InstalledRow) -> Result<Option<Self>, linesman_domain::Error> {
        let bundle = Table::read(lane, &scripts::bundle_key(org, &named.bundle, &named.version))?;
        let profile = match named.profile.as_str() {
            "" => None,
            name => Table::read(lane, &scripts::profile_key(org, name))?,
        };
        Ok(bundle.map(|bundle| Self { bundle, profile }))
    }

    /// The configuration group by which a device runs it.
    fn text(&self) -> String {
        scripts::group_text(&self.bundle, self.profile.as_ref())
    }
}

/// What is to be done on a device.
struct Order {
    device: Device,
    group: String,
    number: u64,
    wanted: Option<InstalledRow>,
    /// What of the device is confirmed to be overwritten: kind, name, SHA-256.
    confirmed: Vec<(ScriptKind, String, String)>,
    /// How scripts stand there.
    row: Option<DeviceScriptsRow>,
}

/// A device that is left alone for a while.
struct Rest {
    order: u64,
    failures: u32,
    until: Instant,
}

/// What works on devices.
struct Work {
    hands: Arc<Hands>,
    push: Devices,
    room: Arc<Shared>,
    tasks: JoinSet<(Device, u64, Ended)>,
    /// The task of each device, and of which order it is.
    running: HashMap<Device, (tokio::task::Id, u64)>,
    rests: HashMap<Device, Rest>,
}

impl Work {
    fn new(hands: Arc<Hands>) -> Self {
        let reached = Reached::default();
        reached.bind(hands.clone());
        let (push, room) = (Devices::new(reached), Arc::new(Shared::new(DEVICES_AT_A_TIME)));
        Self { hands, push, room, tasks: JoinSet::new(), running: HashMap::new(), rests: HashMap::new() }
    }

    fn is_due(&self) -> bool {
        self.rests.values().any(|rest| rest.until <= Instant::now())
    }

    /// Begins what is to be done, but on devices that are worked on or rest.
    fn begin(&mut self, orders: Vec<Order>) {
        // Of devices that are gone, or need nothing any more, nothing is remembered.
        let wanted: HashSet<&Device> = orders.iter().map(|order| &order.device).collect();
        self.rests.retain(|device, _| wanted.contains(device));
        let now = Instant::now();
        for order in orders {
            let rest = self.rests.get(&order.device);
            let rests = rest.is_some_and(|rest| rest.order == order.number && rest.until > now);
            if rests || self.running.contains_key(&order.device) {
                continue;
            }
            let (hands, push, room) = (Arc::clone(&self.hands), self.push.clone(), Arc::clone(&self.room));
            let (device, number) = (order.device.clone(), order.number);
            let task = self.tasks.spawn(async move {
                let Some(_room) = room.enter(&order.device.org).await else {
                    return (order.device, order.number, Ended::Again);
                };
                let was_begun = AtomicBool::new(order.row.as_ref().is_some_and(|row| row.is_begun));
                let wanted = order.wanted.clone().map(InstalledScripts::from);
                let change = ScriptsChange { node: hands.parts.node.to_string(), wanted, ..ScriptsChange::default() };
                let (told, change, last) = (AtomicU64::new(0), Mutex::new(change), Mutex::default());
                let course = Course { hands: &hands, push: &push, order: &order, told, was_begun, change, last };
                let ended = course.run().await;
                (order.device, order.number, ended)
            });
            self.running.insert(device, (task.id(), number));
        }
    }

    /// Takes note of how a task has ended.
    fn end(&mut self, over: Result<(Device, u64, Ended), JoinError>) {
        match over {
            Ok((device, _, Ended::Finally)) => {
                self.running.remove(&device);
                self.rests.remove(&device);
            }
            Ok((device, order, Ended::Again)) => self.rest(device, order),
            Err(error) => {
                tracing::error!(%error, "what installs scripts on a device broke off");
                let found = self.running.iter().find(|(_, (task, _))| *task == error.id());
                if let Some((device, order)) = found.map(|(device, (_, order))| (device.clone(), *order)) {
                    self.rest(device, order);
                }
            }
        }
    }

    /// Leaves a device alone, the longer the more often.
    fn rest(&mut self, device: Device, order: u64) {
        self.running.remove(&device);
        let failures = self.rests.get(&device).filter(|rest| rest.order == order).map_or(0, |rest| rest.failures);
        let wait = REST.0.saturating_mul(1 << failures.min(7)).min(REST.1);
        self.rests.insert(device, Rest { order, failures: failures + 1, until: Instant::now() + wait });
    }
}

impl Hands {
    /// Works on the devices that are not as their groups are to have them, until it is told to stop; what is under way then is
    /// broken off, and put right when it is begun anew.
    pub async fn install(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut work = Work::new(Arc::clone(&self));
        let mut seen = Vec::new();
        loop {
            let (positions, level) = self.moved();
            if level >= LEVEL && (positions != seen || work.is_due()) {
                seen = positions;
                match self.orders() {
                    Ok(orders) => work.begin(orders),
                    Err(error) => {
                        tracing::error!(error = full(&error), "which scripts devices are to have cannot be read");
                    }
                }
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
                Some(over) = work.tasks.join_next(), if !work.tasks.is_empty() => {
                    work.end(over);
                    // What was asked for meanwhile has been passed over.
                    seen.clear();
                }
            }
        }
    }

    /// What is to be done on all devices.
    fn orders(&self) -> Result<Vec<Order>, linesman_domain::Error> {
        let mut orders = Vec::new();
        for lane in self.lanes() {
            for organization in organizations::all(lane) {
                let (org, row) = organization?;
                if row.standing == organizations::Standing::Suspended {
                    continue;
                }
                let wanted: HashMap<String, GroupScriptsRow> = scripts::groups(lane, &org).collect::<Result<_, _>>()?;
                if wanted.is_empty() {
                    continue;
                }
                let groups = DeviceGroups::new(&row.device_groups);
                for device in reached::all(lane, &org) {
                    let device = Device { org: org.clone(), name: device?.0 };
                    orders.extend(order(lane, device, &groups, &wanted)?);
                }
            }
        }
        Ok(orders)
    }

    /// The devices of a group that are reached, by name.
    fn of_group(&self, org: &OrgName, group: &str) -> Result<Vec<String>, linesman_domain::Error> {
        let Some(lane) = self.lane(org) else { return Ok(Vec::new()) };
        let groups = DeviceGroups::of(lane, org)?;
        let mut found = Vec::new();
        for device in reached::all(lane, org) {
            let name = device?.0;
            if groups.group_of(&name) == group {
                found.push(name);
            }
        }
        Ok(found)
    }
}

/// What is to be done on a device; none where it is as it is to be.
fn order(
    lane: &Lane,
    device: Device,
    groups: &DeviceGroups,
    wanted: &HashMap<String, GroupScriptsRow>,
) -> Result<Option<Order>, linesman_domain::Error> {
    let row: Option<DeviceScriptsRow> = Table::read(lane, &scripts::device_key(&device.org, &device.name))?;
    let is_under_way = row.as_ref().is_some_and(|row| !row.state.is_final());
    // By the name that people gave it: what it calls itself gets it no other's scripts.
    let now = wanted.get_key_value(groups.group_of(&device.name));
    // One that has left its group amid it gets what that is to have all the same: it cannot stay as it is.
    let left = row.as_ref().filter(|_| is_under_way).and_then(|row| wanted.get_key_value(&row.group));
    let Some((group, to)) = now.or(left) else { return Ok(None) };
    let is_new = row.as_ref().map_or(to.scripts.is_some(), |row| row.order != to.order);
    let has_nothing = to.scripts.is_none() && row.as_ref().is_none_or(|row| row.has.is_none() && !row.is_begun);
    if !is_under_way && (!is_new || has_nothing) {
        return Ok(None);
    }
    let confirmed = to.overwrites.iter().filter(|file| file.device == device.name);
    let confirmed = confirmed.map(|file| (file.kind, file.name.clone(), file.sha256.clone())).collect();
    let (group, number, wanted) = (group.clone(), to.order, to.scripts.clone());
    Ok(Some(Order { device, group, number, wanted, confirmed, row }))
}

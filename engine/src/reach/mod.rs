//! Reaches devices: looks through their directories, each on its own schedule, and brings what they left into the log.
//!
//! ```text
//!  rows --roster--> a task per device --visit--> list --> read --> check --> journal --> in.<org>.jmb.device --> remove
//!                                        |                   `--> no bundle: set aside, reported
//!                                        `--> how it stands, reported when it changes
//! ```
//!
//! | room | what |
//! |---|---|
//! | here | what reaching needs; the roster of devices, a task each |
//! | `worker` | one device: it is looked at again and again, and how it stands |
//! | `pace` | when it is looked at next |
//! | `counted` | how many devices stand how |
//! | `visit` | one look: what is new, set aside, taken |
//! | `pattern` | which files are bundles, by their names |
//! | `aside` | files that are no bundles |
//! | `take` | one file: read, checked, brought into the log, gone from the device |
//! | `ahead` | several files at a time: read together, removed together |
//! | `breaking` | files that break the connection, and hold up no others |
//! | `sent` | those that are on their way into the log |
//! | `large` | one that is larger than a message of the log |
//! | `fetch` | files that bundles name and do not have |
//! | `spool` | files on their way into the object store |
//! | `journal` | what was brought and is not gone from its device yet |
//! | `way` | how a device is connected to, and what a failure says of it |
//! | `turned` | whether what was begun with a device is to go on |
//! | `report` | what is said to the log |
//! | `rooms` | how much is done at a time: of all organizations, of one, of one device |
//! | `shared` | a room of all organizations, in which one leaves places to others |
//! | `live` | what somebody asks of a device at once |
//! | `facts` | what a device says of itself |
//! | `probe` | a way tried out, step by step |
//! | `groups` | which configuration groups of ours a device has, and what it has of them otherwise |
//! | `drift` | that, on schedule |
//! | `pushed` | the way to a device that is configured, and what is looked at there |
//! | `gather` | data from devices without scripts |
//! | `scripts` | scripts are installed on devices, upgraded and removed |
//!
//! INVARIANT (each bundle once): the journal has what is about to be brought before it is, and what it may have brought is
//! looked for in the log before it is brought again. A file goes from its device only once the log has acknowledged it.

mod ahead;
mod aside;
mod asking;
mod breaking;
mod counted;
mod drift;
mod facts;
mod fetch;
mod gather;
pub mod groups;
mod journal;
mod large;
mod live;
mod pace;
mod pattern;
mod probe;
mod pushed;
mod report;
mod rooms;
mod scripts;
pub mod section;
mod sent;
mod shared;
mod spool;
mod take;
mod turned;
mod visit;
mod way;
mod worker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::context::Context;
use linesman_domain::organizations;
use linesman_domain::reached::{self, JmbErrorRow, LEVEL, ReachedRow, StandingRow};
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::lane::status::LaneStatus;
use crate::log::context;
use crate::log::objects::Objects;
use crate::log::streams::lane_of;
use crate::logging::full;
use crate::seal::Sealed;
use crate::store;
pub(crate) use asking::asks_only;
use journal::Journal;
pub use live::Undone;
pub use probe::{Step, Trial};
pub(crate) use pushed::suspended;
use rooms::Rooms;
pub use scripts::{Change, Planned, PlannedFile};
pub use section::Settings;
use spool::Spool;
use worker::Worker;

/// How often it is looked which devices there are, where the log has moved.
const ROSTER_EVERY: Duration = Duration::from_secs(1);

/// What reaching devices needs.
pub struct Parts {
    /// The log.
    pub client: Client,
    /// The rows of the lanes, by number.
    pub rows: Arc<[store::Lane]>,
    /// How far the lanes are, by number.
    pub lanes: Vec<watch::Receiver<LaneStatus>>,
    /// What devices are shown.
    pub sealed: Arc<Sealed>,
    /// This engine, as commands name it.
    pub node: Arc<str>,
    /// Where it is kept what was brought.
    pub journal: PathBuf,
    /// Where it is kept what was gathered and brought.
    pub gathered: PathBuf,
    /// The folder for what is gathered, until it is brought.
    pub gathering: PathBuf,
    /// Where the bytes go that are larger than a message.
    pub objects: Objects,
    /// The folder of files that are on their way there.
    pub collecting: PathBuf,
    /// How devices are looked at.
    pub settings: Settings,
}

/// What devices are reached by, for whoever asks something of one.
pub struct Hands {
    parts: Parts,
    /// The log, for what is published without being waited for one by one.
    log: Context,
    journal: Journal,
    gathered: Journal,
    spool: Spool,
    /// The last sequence of the log that is known: what is brought from now on stands behind it. 0 before one is.
    behind: AtomicU64,
    rooms: Rooms,
    wakes: Mutex<HashMap<Device, Arc<Wake>>>,
}

/// A device by the name it was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Device {
    pub(crate) org: OrgName,
    pub(crate) name: String,
}

/// Tells a device's task to look at once, and whoever asked when that was done.
#[derive(Default)]
struct Wake {
    asked: Notify,
    done: watch::Sender<Visited>,
}

/// What the last looks at a device came to.
#[derive(Debug, Clone, Default)]
pub struct Visited {
    /// How many looks were begun.
    pub begun: u64,
    /// Which of them came to its end last.
    pub count: u64,
    /// How many bundles all of them brought.
    pub taken: u64,
    /// How many files they set aside.
    pub set_aside: u64,
    /// Whether the last one found files that it had not seen before, so that there is another one soon.
    pub has_new: bool,
    /// What is wrong; empty for nothing.
    pub error: String,
}

impl Hands {
    /// Opens the journals and the folder, and forgets what was gathered and not brought. In a runtime.
    ///
    /// # Errors
    /// One of them cannot be read or written.
    pub fn open(parts: Parts) -> std::io::Result<Self> {
        let (journal, spool) = (Journal::open(&parts.journal)?, Spool::open(&parts.collecting)?);
        let gathered = Journal::open(&parts.gathered)?;
        match std::fs::remove_dir_all(&parts.gathering) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (behind, rooms, wakes) = (AtomicU64::new(0), Rooms::new(&parts.settings), Mutex::default());
        let log = context(&parts.client);
        Ok(Self { log, parts, journal, gathered, spool, behind, rooms, wakes })
    }

    /// After how long a file that lacks its end is no bundle.
    const fn incomplete_after(&self) -> Duration {
        self.parts.settings.incomplete_after
    }

    fn lane(&self, org: &OrgName) -> Option<&store::Lane> {
        let lane = self.number(org) as usize;
        self.parts.rows.get(lane).filter(|_| !self.is_past(lane))
    }

    /// The rows of lanes whose state is not that of an earlier time: what was to be done then is not done again.
    fn lanes(&self) -> impl Iterator<Item = &store::Lane> {
        self.parts.rows.iter().enumerate().filter(|(lane, _)| !self.is_past(*lane)).map(|(_, rows)| rows)
    }

    fn is_past(&self, lane: usize) -> bool {
        self.parts.lanes.get(lane).is_some_and(|status| status.borrow().is_past)
    }

    fn number(&self, org: &OrgName) -> u32 {
        lane_of(org.as_str(), u32::try_from(self.parts.rows.len()).unwrap_or(u32::MAX))
    }

    fn row(&self, device: &Device) -> Result<Option<ReachedRow>, linesman_domain::Error> {
        let Some(lane) = self.lane(&device.org) else { return Ok(None) };
        Table::read(lane, &reached::key(&device.org, &device.name))
    }

    /// Whether a device is reached no more.
    fn is_gone(&self, device: &Device) -> bool {
        matches!(self.row(device), Ok(None))
    }

    /// How a device is reached; none where it is not.
    ///
    /// # Errors
    /// The row cannot be read.
    pub fn reached(&self, org: &OrgName, name: &str) -> Result<Option<ReachedRow>, linesman_domain::Error> {
        self.row(&Device { org: org.clone(), name: name.to_owned() })
    }

    fn standing(&self, device: &Device) -> Result<Option<StandingRow>, linesman_domain::Error> {
        let Some(lane) = self.lane(&device.org) else { return Ok(None) };
        Table::read(lane, &reached::standing_key(&device.org, &device.name))
    }

    fn set_aside(&self, device: &Device) -> Result<HashMap<String, JmbErrorRow>, linesman_domain::Error> {
        let Some(lane) = self.lane(&device.org) else { return Ok(HashMap::new()) };
        reached::jmb_errors(lane, &device.org, &device.name).collect()
    }

    /// Whether nothing is done on the devices of an organization.
    pub(crate) fn is_suspended(&self, org: &OrgName) -> Result<bool, linesman_domain::Error> {
        let Some(lane) = self.lane(org) else { return Ok(false) };
        let row = Table::read(lane, &organizations::key(org))?;
        Ok(row.is_some_and(|row| row.standing == organizations::Standing::Suspended))
    }

    fn wake(&self, device: &Device) -> Arc<Wake> {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wakes.entry(device.clone()).or_default())
    }

    fn forget(&self, device: &Device) {
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner).remove(device);
        self.rooms.forget(device);
    }

    /// Looks at a device at once, and once more where files are new, whose growth only that shows; what all that comes to, and
    /// none where not even one look ends within `patience`.
    pub async fn collect(&self, org: &OrgName, name: &str, patience: Duration) -> Option<Visited> {
        self.collect_until(org, name, patience, |visited| !visited.has_new).await
    }

    /// Looks at a device at once, and waits for further looks until one is enough; what all that comes to, and none where not
    /// even one look ends within `patience`.
    pub async fn collect_until(
        &self,
        org: &OrgName,
        name: &str,
        patience: Duration,
        is_enough: impl Fn(&Visited) -> bool,
    ) -> Option<Visited> {
        let device = Device { org: org.clone(), name: name.to_owned() };
        let wake = self.wake(&device);
        let mut done = wake.done.subscribe();
        let until = tokio::time::Instant::now() + patience;
        let before = done.borrow_and_update().clone();
        wake.asked.notify_one();
        // One that was under way may have passed what is asked for: the one behind it counts.
        let (mut last, mut found) = (before.begun, None);
        loop {
            let visited = tokio::time::timeout_at(until, done.wait_for(|visited| visited.count > last)).await;
            let Ok(Ok(visited)) = visited.map(|visited| visited.map(|visited| visited.clone())) else { return found };
            let (count, is_enough) = (visited.count, is_enough(&visited));
            let (taken, set_aside) = (visited.taken - before.taken, visited.set_aside - before.set_aside);
            found = Some(Visited { taken, set_aside, ..visited });
            if is_enough {
                return found;
            }
            last = count;
        }
    }

    /// Looks at a device soon, where it is reached: how it is reached, or its host key, is another.
    pub fn look(&self, org: &OrgName, name: &str) {
        let device = Device { org: org.clone(), name: name.to_owned() };
        if let Some(wake) = self.wakes.lock().unwrap_or_else(PoisonError::into_inner).get(&device) {
            wake.asked.notify_one();
        }
    }

    /// All devices that are reached.
    fn roster(&self) -> Result<Vec<Device>, linesman_domain::Error> {
        let mut found = Vec::new();
        for lane in self.lanes() {
            for organization in organizations::all(lane) {
                let (org, row) = organization?;
                if row.standing == organizations::Standing::Suspended {
                    continue;
                }
                for device in reached::all(lane, &org) {
                    found.push(Device { org: org.clone(), name: device?.0 });
                }
            }
        }
        Ok(found)
    }

    /// Keeps a task for every device there is, until it is told to stop; then waits for what is under way.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let gathering = tokio::spawn(Arc::clone(&self).gather_all(stop.clone()));
        let mut tasks: JoinSet<Device> = JoinSet::new();
        let mut running: HashMap<Device, watch::Sender<bool>> = HashMap::new();
        let mut seen = Vec::new();
        self.bind();
        counted::begin();
        loop {
            let (positions, level) = self.moved();
            if level >= LEVEL && positions != seen {
                seen = positions;
                match self.roster() {
                    Ok(devices) => self.follow(devices, &mut running, &mut tasks),
                    Err(error) => tracing::error!(error = full(&error), "devices that are reached cannot be read"),
                }
                metrics::gauge!("linesman_devices_reached").set(running.len() as f64);
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(ROSTER_EVERY) => {}
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => match ended {
                    Ok(device) => {
                        running.remove(&device);
                        self.forget(&device);
                        // It may be reached anew since its task was told to end.
                        seen.clear();
                    }
                    Err(error) => {
                        // Which one it was is not known: all that have ended are begun anew.
                        running.retain(|_, end| !end.is_closed());
                        tracing::error!(%error, "what looks at a device broke off");
                        seen.clear();
                    }
                },
            }
        }
        for end in running.values() {
            end.send_replace(true);
        }
        while tasks.join_next().await.is_some() {}
        if let Err(error) = gathering.await {
            tracing::error!(%error, "what gathers data from devices broke off");
        }
    }

    /// What was kept to be shown before ways were named is for the way that the device is reached by.
    fn bind(&self) {
        let bound = || -> Result<(), Box<dyn std::error::Error>> {
            for device in self.roster()? {
                if let Some(row) = self.row(&device)? {
                    self.parts.sealed.devices.bind(&device.org, &device.name, &row)?;
                }
            }
            Ok(())
        };
        if let Err(error) = bound() {
            tracing::error!(error = full(&*error), "what devices are shown cannot be bound to them");
        }
    }

    /// How far the lanes are, and the least level they decide at.
    fn moved(&self) -> (Vec<u64>, u32) {
        let lanes = self.parts.lanes.iter().map(|lane| lane.borrow().clone());
        let lanes: Vec<LaneStatus> = lanes.collect();
        let level = lanes.iter().map(|lane| lane.level).min().unwrap_or_default();
        (lanes.into_iter().map(|lane| lane.position).collect(), level)
    }

    /// Begins what is new, and ends what is gone.
    fn follow(
        self: &Arc<Self>,
        devices: Vec<Device>,
        running: &mut HashMap<Device, watch::Sender<bool>>,
        tasks: &mut JoinSet<Device>,
    ) {
        let wanted: std::collections::HashSet<&Device> = devices.iter().collect();
        for (device, end) in &*running {
            if !wanted.contains(device) {
                end.send_replace(true);
            }
        }
        for device in &devices {
            if running.contains_key(device) {
                continue;
            }
            let (end, ended) = watch::channel(false);
            running.insert(device.clone(), end);
            let worker = Worker::new(Arc::clone(self), device.clone());
            tasks.spawn(worker.run(ended));
        }
    }
}

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
//! | `worker` | one device: when it is looked at, and how it stands |
//! | `visit` | one look: what is new, set aside, taken |
//! | `take` | one file: read, checked, brought into the log, gone from the device |
//! | `journal` | what was brought and is not gone from its device yet |
//! | `way` | how a device is connected to, and what a failure says of it |
//! | `report` | what is said to the log |
//! | `live` | what somebody asks of a device at once |
//! | `probe` | a way tried out, step by step |
//! | `pushed` | the way to a device that is configured |
//!
//! INVARIANT (each bundle once): the journal has what is about to be brought before it is, and what it may have brought is
//! looked for in the log before it is brought again. A file goes from its device only once the log has acknowledged it.

mod journal;
mod live;
mod probe;
mod pushed;
mod report;
pub mod section;
mod take;
mod visit;
mod way;
mod worker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use linesman_domain::organizations;
use linesman_domain::reached::{self, JmbErrorRow, LEVEL, ReachedRow, StandingRow};
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use crate::lane::status::LaneStatus;
use crate::log::streams::lane_of;
use crate::logging::full;
use crate::seal::Sealed;
use crate::store;
use journal::Journal;
pub use live::Undone;
pub use probe::{Step, Trial};
pub use section::Settings;
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
    /// How devices are looked at.
    pub settings: Settings,
}

/// What devices are reached by, for whoever asks something of one.
pub struct Hands {
    parts: Parts,
    journal: Journal,
    /// The last sequence of the log that is known: what is brought from now on stands behind it. 0 before one is.
    behind: AtomicU64,
    all: Semaphore,
    of_one: Mutex<HashMap<OrgName, Arc<Semaphore>>>,
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
    /// How many looks there were.
    pub count: u64,
    /// How many bundles the last one brought.
    pub taken: u64,
    /// How many files it set aside.
    pub set_aside: u64,
    /// What is wrong; empty for nothing.
    pub error: String,
}

impl Hands {
    /// Opens the journal.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn open(parts: Parts) -> std::io::Result<Self> {
        let journal = Journal::open(&parts.journal)?;
        let all = Semaphore::new(parts.settings.visits);
        let behind = AtomicU64::new(0);
        Ok(Self { parts, journal, behind, all, of_one: Mutex::default(), wakes: Mutex::default() })
    }

    /// After how long a file that lacks its end is no bundle.
    const fn incomplete_after(&self) -> Duration {
        self.parts.settings.incomplete_after
    }

    fn lane(&self, org: &OrgName) -> Option<&store::Lane> {
        let lanes = u32::try_from(self.parts.rows.len()).unwrap_or(u32::MAX);
        self.parts.rows.get(lane_of(org.as_str(), lanes) as usize)
    }

    fn number(&self, org: &OrgName) -> u32 {
        lane_of(org.as_str(), u32::try_from(self.parts.rows.len()).unwrap_or(u32::MAX))
    }

    fn row(&self, device: &Device) -> Result<Option<ReachedRow>, linesman_domain::Error> {
        let Some(lane) = self.lane(&device.org) else { return Ok(None) };
        Table::read(lane, &reached::key(&device.org, &device.name))
    }

    fn standing(&self, device: &Device) -> Result<Option<StandingRow>, linesman_domain::Error> {
        let Some(lane) = self.lane(&device.org) else { return Ok(None) };
        Table::read(lane, &reached::standing_key(&device.org, &device.name))
    }

    fn set_aside(&self, device: &Device) -> Result<HashMap<String, JmbErrorRow>, linesman_domain::Error> {
        let Some(lane) = self.lane(&device.org) else { return Ok(HashMap::new()) };
        reached::jmb_errors(lane, &device.org, &device.name).collect()
    }

    /// Room for looks at devices of an organization.
    fn room(&self, org: &OrgName) -> Arc<Semaphore> {
        let mut all = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            all.entry(org.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.parts.settings.visits_of_one))),
        )
    }

    fn wake(&self, device: &Device) -> Arc<Wake> {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wakes.entry(device.clone()).or_default())
    }

    fn forget(&self, device: &Device) {
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner).remove(device);
    }

    /// Looks at a device at once, and waits for what that comes to; none where it takes longer than `patience`.
    pub async fn collect(&self, org: &OrgName, name: &str, patience: Duration) -> Option<Visited> {
        let device = Device { org: org.clone(), name: name.to_owned() };
        let wake = self.wake(&device);
        let mut done = wake.done.subscribe();
        let before = done.borrow_and_update().count;
        wake.asked.notify_one();
        // One that was under way may have passed what is asked for: the one behind it counts.
        let visited = tokio::time::timeout(patience, done.wait_for(|visited| visited.count > before)).await;
        visited.ok().and_then(|visited| visited.ok().map(|visited| visited.clone()))
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
        for lane in &*self.parts.rows {
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
        let mut tasks: JoinSet<Device> = JoinSet::new();
        let mut running: HashMap<Device, watch::Sender<bool>> = HashMap::new();
        let mut seen = Vec::new();
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

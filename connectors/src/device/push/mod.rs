//! Configures devices that are reached: Junos, over NETCONF, with commits that take themselves back unless they are confirmed.
//!
//! | room | what |
//! |---|---|
//! | here | the connector, and what it asks for the way to a device |
//! | `course` | one change at one device, from the lock to the confirmation |
//! | `look` | what changes would make of a device, and what it has of groups |
//! | `load` | what is loaded for a change |
//! | `difference` | what is reported of what it comes to |

mod course;
pub(in crate::device) mod difference;
mod load;
mod look;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use linesman_schemas::Peer;
use linesman_schemas::outcome::{Done, Failure, FailureClass};
use linesman_schemas::reaction::{Action, Configure, Device, Task};
use tokio::sync::OwnedSemaphorePermit;

use super::limits::Limits;
use super::ssh::{Login, Patience};
use super::{CONCURRENCY, CONCURRENCY_IN_ALL, NAME, check, failure};
use crate::{Attempted, Connector};
pub(in crate::device) use course::UNAPPROVED;
use course::{Course, Found};
pub use look::{Difference, differences, held, room_for};

/// Knows which devices are reached, and how.
pub trait Directory: Send + Sync {
    /// How NETCONF of a device is logged in to.
    ///
    /// # Errors
    /// It is not reached, or what is needed for it is not there: what an attempt fails with.
    fn login(&self, device: &Device) -> Result<Login, Failure>;

    /// Waits until nobody else changes the device, by whichever of its names it is told something.
    ///
    /// # Errors
    /// It is not reached, or is changed for long: what an attempt fails with.
    fn turn<'a>(&'a self, device: &'a Device) -> BoxFuture<'a, Result<Turn, Failure>>;
}

/// A device's turn to be changed, until it is dropped.
#[derive(Debug, Default)]
pub struct Turn {
    _held: Option<OwnedSemaphorePermit>,
}

impl From<OwnedSemaphorePermit> for Turn {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _held: Some(permit) }
    }
}

/// The directory of devices, which is there once it is bound: the connector is made before.
#[derive(Clone, Default)]
pub struct Reached(Arc<OnceLock<Arc<dyn Directory>>>);

impl fmt::Debug for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reached").field("is_bound", &self.0.get().is_some()).finish()
    }
}

impl Reached {
    /// Binds the directory; the first one counts.
    pub fn bind(&self, directory: Arc<dyn Directory>) {
        let _ = self.0.set(directory);
    }

    fn directory(&self) -> Result<&dyn Directory, Failure> {
        let unknown = || failure(FailureClass::Unavailable, "it is not known yet which devices are reached".to_owned());
        self.0.get().map(AsRef::as_ref).ok_or_else(unknown)
    }

    /// How a device is logged in to, once it is its turn.
    async fn login(&self, device: &Device) -> Result<(Turn, Login), Failure> {
        let directory = self.directory()?;
        let turn = directory.turn(device).await?;
        Ok((turn, directory.login(device)?))
    }
}

/// How long a device may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// To let us in.
    pub connect: Patience,
    /// To answer what it has at hand.
    pub answer: Limits,
    /// To load, look at and commit a configuration, of which it says nothing until it is done.
    pub work: Limits,
    /// To be heard of on another connection once a change counts, all together: less than [`Self::confirm`].
    pub heard: Duration,
    /// After what time it takes back what was not confirmed, in whole minutes.
    pub confirm: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let work = Duration::from_secs(600);
        Self {
            connect: Patience::default(),
            answer: Limits::default(),
            work: Limits { idle: work, total: work, ..Limits::default() },
            heard: Duration::from_secs(90),
            confirm: Duration::from_secs(180),
        }
    }
}

/// The connector `device` with devices that are reached.
#[derive(Debug, Clone)]
pub struct Devices {
    reached: Reached,
    pace: Pace,
}

impl Devices {
    /// The devices of a directory.
    pub fn new(reached: Reached) -> Self {
        Self { reached, pace: Pace::default() }
    }

    /// The same, which may take so long.
    #[must_use]
    pub fn at(self, pace: Pace) -> Self {
        Self { reached: self.reached, pace }
    }

    async fn configure(&self, task: &Task, configure: &Configure) -> Attempted {
        let (_turn, login) = match self.reached.login(&configure.device).await {
            Ok(ready) => ready,
            Err(failure) => return Attempted::failed(0, failure),
        };
        let mut found = Found::default();
        let ended = (Course { login: &login, pace: &self.pace }).change(&task.id, configure, &mut found).await;
        let Found { difference, is_taken_back, is_unapproved } = found;
        let attempted = match ended {
            Ok(()) => {
                let (added, removed) = difference.as_ref().map(|told| (told.added, told.removed)).unwrap_or_default();
                // IMPORTANT: how much, and not what: what stands in the log is shown to whoever may see it.
                tracing::info!(
                    organization = %configure.device.organization,
                    device = configure.device.serial_number,
                    group = configure.group,
                    reaction = %task.id,
                    added,
                    removed,
                    "a device has the configuration group as it is to be"
                );
                Attempted::done(1, Done::Configured)
            }
            Err(failure) => Attempted::failed(1, failure),
        };
        Attempted { difference, is_taken_back, is_unapproved, ..attempted }
    }
}

impl Connector for Devices {
    fn name(&self) -> &'static str {
        NAME
    }

    fn concurrency(&self, _: Option<&Peer>) -> usize {
        CONCURRENCY
    }

    fn concurrency_in_all(&self) -> Option<usize> {
        Some(CONCURRENCY_IN_ALL)
    }

    fn requests_per_hour(&self) -> Option<u32> {
        None
    }

    fn requests_most(&self) -> u32 {
        1
    }

    fn carry_out<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Attempted> {
        let Action::Configure(configure) = &task.action else {
            return ready(Attempted::misdirected(NAME, task)).boxed();
        };
        match check(task, configure) {
            Ok(()) => self.configure(task, configure).boxed(),
            Err(message) => ready(Attempted::failed(0, failure(FailureClass::Refused, message))).boxed(),
        }
    }
}

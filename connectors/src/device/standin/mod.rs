//! Stand-in devices, for demo and tests: folders of files in place of routers; and one that is reached as a router is,
//! in [`server`].
//!
//! Every device that is named exists and has nothing but groups. Its folder is `<organization>/<serial number>`, spelled as
//! in its peer, below the folder of the settings:
//!
//! | file | what |
//! |---|---|
//! | `<group>.conf` | a group that is there, as text; it is applied |
//! | `done.log` | the reactions that were done, the last at the end |
//! | `fault.json` | what goes wrong: a [`Fault`], made by whoever tests |
//!
//! A reaction that was done is not done again, so that an answer that got lost and is asked for later undoes nothing.
//! What a device holds is shown by [`configuration`].

mod folder;
pub mod server;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use linesman_schemas::Peer;
use linesman_schemas::outcome::{Done, FailureClass};
use linesman_schemas::reaction::{Action, Approved, Task};

use super::push::{UNAPPROVED, difference};
use super::{CONCURRENCY, CONCURRENCY_IN_ALL, NAME, failure};
use crate::settings::{Entry, Key, Kind, Section, Shape};
use crate::{Attempted, Connector};
use folder::Folders;
pub use folder::{Fault, configuration};

/// What stand-in devices are told.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: NAME,
    shape: Shape::Optional("configurations go to the devices that are reached"),
    doc: "Stand-in devices, for demo and tests: they take configuration groups and keep them in files. Without this section configurations go to the devices that are reached.",
    keys: &[
        Key::new("standin_dir", Kind::Path, "The folder of the stand-in devices; made when it is needed. Required in `[device]`.").required().like("/var/lib/linesman/standin/devices"),
    ],
};

/// Where the stand-in devices are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder that holds them all.
    pub dir: PathBuf,
}

/// The settings of a table of [`SECTION`]; none where it lacks the folder.
pub(crate) fn read(entry: &Entry) -> Option<Settings> {
    Some(Settings { dir: entry.path("standin_dir")? })
}

/// The connector `device` with stand-ins.
#[derive(Debug, Clone)]
pub struct Devices {
    folders: Arc<Mutex<Folders>>,
}

impl Devices {
    /// The devices in a folder, which need not be there yet.
    pub fn new(settings: Settings) -> Self {
        Self { folders: Arc::new(Mutex::new(Folders::new(settings.dir))) }
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
        if let Err(message) = super::check(task, configure) {
            return ready(Attempted::failed(0, failure(FailureClass::Refused, message))).boxed();
        }
        let (folders, task, configure) = (Arc::clone(&self.folders), task.clone(), configure.clone());
        // Files are waited for beside the runtime.
        let work = tokio::task::spawn_blocking(move || {
            let mut folders = folders.lock().unwrap_or_else(PoisonError::into_inner);
            let difference = difference::of(&folders.compared(&configure));
            let is_approved = |approved: &Approved| approved.sha256.as_ref() == Some(&difference.sha256);
            if !difference.is_none() && !configure.approved.as_ref().is_none_or(is_approved) {
                let failed = Attempted::failed(1, failure(FailureClass::Unavailable, UNAPPROVED.to_owned()));
                return Attempted { difference: Some(difference), is_unapproved: true, ..failed };
            }
            match folders.change(&task.id, &configure) {
                Ok(()) => Attempted::done(1, Done::Configured),
                Err(failure) => Attempted::failed(1, failure),
            }
        });
        let ended = |ended: Result<Attempted, _>| {
            ended.unwrap_or_else(|_| {
                let message = "the stand-in device broke off".to_owned();
                Attempted::failed(1, failure(FailureClass::Garbled, message))
            })
        };
        work.map(ended).boxed()
    }
}

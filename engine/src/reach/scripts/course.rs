//! One device, from what it has to what it is to have.
//!
//! INVARIANT (what was there is there until it is done): what goes wrong puts back every file and the configuration group; and
//! what broke off is put back before anything else, once the device answers. Only when the log has that it is configured, what
//! was there before goes.
//!
//! INVARIANT (none but who was meant): where a device is reached otherwise, or no more, since it was begun, it is left as it is at
//! once, as where the engine ends. What is put back then is put back by the way that it is reached by, if it is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use linesman_connectors::device::files;
use linesman_connectors::device::push::Devices;
use linesman_connectors::device::scripts::Scripts;
use linesman_connectors::device::ssh::Connection;
use linesman_connectors::{Attempted, Connector as _};
use linesman_domain::reached::ReachedRow;
use linesman_domain::scripts::{self, GROUP, InstalledRow};
use linesman_domain::table::Table;
use linesman_schemas::ReactionId;
use linesman_schemas::outcome::{Failure, FailureClass, Outcome};
use linesman_schemas::reaction::{self, Action, Configure, GroupChange, Task};
use linesman_schemas::scripts::{ScriptsChange, ScriptsStanding, ScriptsState};

use super::group::{OTHERS, may_be_others};
use super::look::{Change, Looked, look};
use super::{Bundle, DIRECTORIES, Order};
use crate::logging::full;
use crate::reach::turned::Begun;
use crate::reach::way::{Trouble, limits};
use crate::reach::{Device, Hands};

/// How many bytes of a file are moved at most.
const BYTES_MOST: u64 = 16 * 1024 * 1024;

/// How long a device may take to tell its configuration group.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a device is to be worked on again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Not for this order.
    Finally,
    /// After a while.
    Again,
}

/// The way of one device.
pub(super) struct Course<'a> {
    pub(super) hands: &'a Hands,
    pub(super) push: &'a Devices,
    pub(super) order: &'a Order,
    /// Where in the log it stands what was said last.
    pub(super) told: AtomicU64,
    /// Whether a configuration group of ours may be there of which the log does not have that the device has it.
    pub(super) was_begun: AtomicBool,
    /// What is changed, as far as that is known.
    pub(super) change: Mutex<ScriptsChange>,
    /// What the log was told last.
    pub(super) last: Mutex<Option<ScriptsStanding>>,
}

/// Why a device is not as it is to be.
pub(super) struct Undone {
    state: ScriptsState,
    words: String,
    /// Whether the log has it already, or does not take it.
    is_told: bool,
    /// Whether the configuration group may be left as what was begun has it, though that has come to an end.
    is_left: bool,
}

impl Undone {
    pub(super) fn new(state: ScriptsState, words: impl Into<String>) -> Self {
        Self { state, words: words.into(), is_told: false, is_left: false }
    }

    pub(super) fn told(self) -> Self {
        Self { is_told: true, ..self }
    }
}

impl Course<'_> {
    /// Works on it once, and until the rows have what came of it: another order begins with that.
    pub(super) async fn run(&self) -> Ended {
        let ended = self.once().await;
        self.hands.applied(&self.order.device, self.told.load(Ordering::Relaxed)).await;
        ended
    }

    async fn once(&self) -> Ended {
        let row = self.order.row.as_ref();
        if row.is_none_or(|row| row.state.is_final()) {
            self.tell(ScriptsState::Waiting, (0, 0), "").await;
        }
        let ended = self.work().await;
        let Undone { state, words, is_told, is_left } = match ended {
            Ok(Ended::Finally) => return self.count(ScriptsState::Done),
            Ok(Ended::Again) => return Ended::Again,
            Err(undone) => undone,
        };
        let (org, name) = (&self.order.device.org, &self.order.device.name);
        tracing::warn!(organization = %org, device = name, state = state.as_str(), error = words, "scripts stand so on a device");
        if !is_told && self.tell_of((state, is_left), (0, 0), &words).await && state.is_final() {
            return self.count(state);
        }
        Ended::Again
    }

    fn count(&self, state: ScriptsState) -> Ended {
        metrics::counter!("linesman_device_scripts_total", "state" => state.as_str()).increment(1);
        Ended::Finally
    }

    /// Works on it for as long as it is reached as it is now.
    async fn work(&self) -> Result<Ended, Undone> {
        let device = &self.order.device;
        let row = self.hands.row(device).map_err(|error| self.undone(error.into()))?;
        let row = row.ok_or_else(|| Undone::new(self.broken(), "it is reached no more"))?;
        tokio::select! {
            ended = self.work_by(&row) => ended,
            why = self.hands.turned(device, Begun::by(&row)) => Err(self.turned(why)),
        }
    }

    async fn work_by(&self, way: &ReachedRow) -> Result<Ended, Undone> {
        let Order { device, row, wanted, number, .. } = self.order;
        let has = row.as_ref().and_then(|row| row.has.as_ref());
        let (wanted, had) = (self.bundle(wanted.as_ref())?, self.bundle(has)?);
        let connection = self.connect(way).await?;
        let mut scripts = Scripts::new(&connection, limits(BYTES_MOST));
        let ended = async {
            if let Some(row) = row.as_ref().filter(|row| row.state == ScriptsState::Configured) {
                scripts.settle(&DIRECTORIES).await.map_err(|error| again(ScriptsState::Configured, &error))?;
                let standing = self.standing(ScriptsState::Done, (row.done, row.of), "", row.has.as_ref());
                let standing = ScriptsStanding { device_group: row.group.clone(), order: row.order, ..standing };
                self.report(standing).await?;
                // Another order comes behind it.
                return Ok(if row.order == *number { Ended::Finally } else { Ended::Again });
            }
            scripts.put_back(&DIRECTORIES).await.map_err(|error| again(self.broken(), &error))?;
            self.change(&mut scripts, way, (wanted.as_ref(), had.as_ref())).await.map(|()| Ended::Finally)
        };
        let ended = ended.await;
        connection.close().await;
        if ended.is_ok() {
            tracing::info!(organization = %device.org, device = device.name, "a device has the scripts that it is to have");
        }
        ended
    }

    fn bundle(&self, named: Option<&InstalledRow>) -> Result<Option<Bundle>, Undone> {
        let Some((named, lane)) = named.zip(self.hands.lane(&self.order.device.org)) else { return Ok(None) };
        let read = Bundle::read(lane, &self.order.device.org, named);
        read.map_err(|error| Undone::new(self.broken(), full(&error)))
    }

    async fn connect(&self, way: &ReachedRow) -> Result<Connection, Undone> {
        let device = &self.order.device;
        if way.host_key.is_none() {
            return Err(self.undone(self.hands.unaccepted(device)));
        }
        self.hands.connect(device, way, way.port).await.map_err(|trouble| self.undone(trouble))
    }

    fn undone(&self, trouble: Trouble) -> Undone {
        Undone::new(self.broken(), trouble.words)
    }

    /// Whether it is reached still as when it was begun.
    fn check_way(&self, way: &ReachedRow) -> Result<(), Undone> {
        match self.hands.has_turned(&self.order.device, Begun::by(way)) {
            Some(why) => Err(self.turned(why)),
            None => Ok(()),
        }
    }

    /// That it is reached otherwise, or no more. Where another stands in its place nothing is known of that, and nothing is told.
    fn turned(&self, why: &str) -> Undone {
        let Device { org, name } = &self.order.device;
        let row = self.hands.lane(org).map(|lane| Table::read(lane, &scripts::device_key(org, name)));
        let undone = Undone::new(self.broken(), why);
        if matches!(row, None | Some(Ok(None))) { undone.told() } else { undone }
    }

    /// From what it has to what it is to have; or back.
    async fn change(
        &self,
        scripts: &mut Scripts<'_>,
        way: &ReachedRow,
        (wanted, had): (Option<&Bundle>, Option<&Bundle>),
    ) -> Result<(), Undone> {
        let looked = look(scripts, wanted, had).await.map_err(|error| match is_of_way(&error) {
            true => again(ScriptsState::Waiting, &error),
            false => Undone::new(ScriptsState::Failed, full(&error)),
        })?;
        self.note(|change| change.files = looked.iter().filter_map(Looked::changed).collect());
        self.judge(&looked)?;
        self.judge_group(wanted).await?;
        let put = self.put(scripts, &looked, wanted).await;
        // What configures it connects anew, and may not come to another.
        self.check_way(way)?;
        let is_configured = put.is_ok();
        let put = match put {
            Ok(of) => {
                let attempted = self.configure(wanted).await;
                self.note(|change| change.difference = attempted.difference.clone());
                taken(attempted).map(|()| of).map_err(Wrong::Configuration)
            }
            Err(wrong) => Err(wrong),
        };
        let put = match put {
            Ok(of) => take_away(scripts, &looked).await.map(|()| of).map_err(Wrong::File),
            wrong => wrong,
        };
        self.check_way(way)?;
        match put {
            Ok(of) => self.settle(scripts, of, &left(&looked)).await,
            Err(wrong) => Err(self.back(scripts, wrong, had, is_configured).await),
        }
    }

    /// Whether all that is overwritten was confirmed to be.
    fn judge(&self, looked: &[Looked]) -> Result<(), Undone> {
        let is_confirmed = |file: &&Looked| {
            let found = file.found.as_deref().unwrap_or_default();
            self.order
                .confirmed
                .iter()
                .any(|(kind, name, sha256)| *kind == file.kind && *name == file.name && sha256 == found)
        };
        let overwritten = looked.iter().filter(|file| file.change == Change::Overwritten);
        let others: Vec<String> = overwritten
            .filter(|file| !is_confirmed(file))
            .map(|file| format!("`{}/{}`", file.kind.directory(), file.name))
            .collect();
        match others.is_empty() {
            true => Ok(()),
            false => {
                let words = format!(
                    "nothing is changed: somebody else's {} would be overwritten, and nobody has confirmed that",
                    others.join(", ")
                );
                Err(Undone::new(ScriptsState::Failed, words))
            }
        }
    }

    /// Whether the configuration group is ours, or is not there.
    async fn judge_group(&self, wanted: Option<&Bundle>) -> Result<(), Undone> {
        let Some(wanted) = wanted.filter(|_| may_be_others(self.order.row.as_ref())) else { return Ok(()) };
        match self.hands.has_others_group(&self.order.device, wanted, PATIENCE).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(Undone::new(ScriptsState::Failed, OTHERS)),
            Err(failure) if failure.class == FailureClass::Refused => {
                Err(Undone::new(ScriptsState::Failed, failure.message))
            }
            Err(failure) => Err(Undone::new(ScriptsState::Waiting, failure.message)),
        }
    }

    /// Puts all scripts where they belong; how many they were.
    async fn put(&self, scripts: &mut Scripts<'_>, looked: &[Looked], wanted: Option<&Bundle>) -> Result<u32, Wrong> {
        let is_put = |file: &&Looked| matches!(file.change, Change::New | Change::Replaced | Change::Overwritten);
        let put: Vec<&Looked> = looked.iter().filter(is_put).collect();
        let of = u32::try_from(put.len()).unwrap_or(u32::MAX);
        // IMPORTANT: the log has that something is under way before anything is.
        self.tell(ScriptsState::Uploading, (0, of), "").await;
        for (file, done) in put.iter().zip(1..) {
            let files = wanted.map(|wanted| wanted.bundle.files.as_slice()).unwrap_or_default();
            let Some(row) = files.iter().find(|row| row.kind == file.kind && row.name == file.name) else { continue };
            scripts.lay(&file.place(), row.content.as_bytes()).await.map_err(Wrong::File)?;
            self.tell(ScriptsState::Uploading, (done, of), "").await;
        }
        for file in put {
            if !scripts.put(&file.place(), file.found.as_deref()).await.map_err(Wrong::File)? {
                return Err(Wrong::Others(format!("`{}/{}`", file.kind.directory(), file.name)));
            }
        }
        Ok(of)
    }

    /// The configuration group that goes with a bundle, or none.
    async fn configure(&self, bundle: Option<&Bundle>) -> Attempted {
        let Order { device, number, .. } = self.order;
        let change = match bundle {
            Some(bundle) => GroupChange::Put { text: bundle.text() },
            None => GroupChange::Remove,
        };
        // It is found by the name it was given.
        let of =
            reaction::Device { organization: device.org.clone(), serial_number: device.name.clone(), host_name: None };
        let (peer, group) = (of.peer(), GROUP.to_owned());
        let task = Task {
            id: ReactionId::of(&device.org, *number, jiff::Timestamp::now()),
            org: Some(device.org.clone()),
            peer,
            attempt: 1,
            action: Action::Configure(Box::new(Configure {
                device: of,
                group,
                change,
                approved: None,
                is_restore: false,
            })),
        };
        self.was_begun.store(true, Ordering::Relaxed);
        self.push.carry_out(&task).await
    }

    /// Takes note of what is changed.
    fn note(&self, what: impl FnOnce(&mut ScriptsChange)) {
        what(&mut self.change.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// It is configured: what was there before goes.
    async fn settle(&self, scripts: &mut Scripts<'_>, of: u32, left: &str) -> Result<(), Undone> {
        let wanted = self.order.wanted.as_ref();
        self.report(self.standing(ScriptsState::Configured, (of, of), left, wanted)).await?;
        if let Err(error) = scripts.settle(&DIRECTORIES).await {
            // What is left there stands in nobody's way, and goes when it is looked at again.
            let standing = self.standing(ScriptsState::Configured, (of, of), &full(&error), wanted);
            self.report(standing).await?;
            return Err(again(ScriptsState::Configured, &error).told());
        }
        self.report(self.standing(ScriptsState::Done, (of, of), left, wanted)).await
    }

    /// Puts back what was there; how it stands then.
    async fn back(&self, scripts: &mut Scripts<'_>, wrong: Wrong, had: Option<&Bundle>, is_configured: bool) -> Undone {
        let (words, is_passing) = match &wrong {
            Wrong::File(error) => (full(error), is_of_way(error)),
            Wrong::Configuration(failure) => (failure.message.clone(), failure.class != FailureClass::Refused),
            Wrong::Others(which) => {
                let words = format!("nothing is changed: somebody has changed {which} since it was looked at");
                (words, false)
            }
        };
        if let Err(error) = scripts.put_back(&DIRECTORIES).await {
            return Undone::new(ScriptsState::RollingBack, format!("{words}; not put back yet: {}", full(&error)));
        }
        let state = match &wrong {
            Wrong::Others(_) => ScriptsState::Failed,
            _ if is_passing => ScriptsState::Waiting,
            _ => ScriptsState::RolledBack,
        };
        // What was never configured needs no other group; nor does a device that is about to be tried again.
        let is_refused = matches!(&wrong, Wrong::Configuration(failure) if failure.class == FailureClass::Refused);
        let was_tried = self.order.row.as_ref().is_some_and(|row| row.is_begun || row.order == self.order.number);
        if !is_passing && (is_configured && !is_refused || was_tried) {
            match taken(self.configure(had).await) {
                Ok(()) => self.was_begun.store(false, Ordering::Relaxed),
                Err(failure) if failure.class == FailureClass::Refused => {
                    let undone = Undone::new(state, format!("{words}; its configuration group: {}", failure.message));
                    return Undone { is_left: true, ..undone };
                }
                Err(failure) => {
                    let words = format!("{words}; its configuration group is not put back yet: {}", failure.message);
                    return Undone::new(ScriptsState::RollingBack, words);
                }
            }
        }
        Undone::new(state, words)
    }
}

/// What went wrong.
enum Wrong {
    File(files::Error),
    Configuration(Failure),
    /// What is at a script's place is not what was looked at.
    Others(String),
}

/// Whether a device has taken a configuration group.
fn taken(attempted: Attempted) -> Result<(), Failure> {
    match attempted.outcome {
        Outcome::Failed(failure) => Err(failure),
        Outcome::Done(_) => Ok(()),
    }
}

async fn take_away(scripts: &mut Scripts<'_>, looked: &[Looked]) -> Result<(), files::Error> {
    for file in looked.iter().filter(|file| file.change == Change::Removed) {
        // What somebody has changed stays.
        scripts.take_away(&file.place(), file.found.as_deref()).await?;
    }
    Ok(())
}

/// Which files were ours, have been changed since, and stay; empty for none.
fn left(looked: &[Looked]) -> String {
    let left = looked.iter().filter(|file| file.change == Change::Left);
    let left: Vec<String> = left.map(|file| format!("`{}/{}`", file.kind.directory(), file.name)).collect();
    match left.is_empty() {
        true => String::new(),
        false => format!("{} stays: somebody has changed what was ours", left.join(", ")),
    }
}

/// Whether it was the way to the device that failed, which is tried again, and not what was asked of it.
const fn is_of_way(error: &files::Error) -> bool {
    matches!(error, files::Error::Ssh(_) | files::Error::Limit(_) | files::Error::BrokenOff | files::Error::Garbled(_))
}

fn again(state: ScriptsState, error: &files::Error) -> Undone {
    Undone::new(state, full(error))
}

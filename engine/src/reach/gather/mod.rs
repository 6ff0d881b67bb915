//! Data from devices without scripts: the commands of their directives groups are run, and what they tell becomes a bundle.
//!
//! ```text
//!  rows --> wanted --run--> connect --> facts --> command, command ... --> file --> bundle --> journal --> in.<org>.jmb.device
//!   |  `--> due: asked for by a command of the engine's                    |  how far it is, reported
//!   `------------------------------------------------------------------- <-'
//! ```
//!
//! | room | what |
//! |---|---|
//! | here | what is asked for is done, each in a task; how it ended |
//! | `due` | when a snapshot is to be made |
//! | `talk` | a device's commands, over NETCONF or SSH |
//! | `outputs` | what the commands tell, in files |
//! | `made` | the bundle of it |
//! | `brought` | that, into the log |
//!
//! INVARIANT (each bundle once): as of what devices leave. A bundle is called by when it was asked for, so that one that is
//! made again after a crash is known by its host-event-ID.

mod brought;
mod due;
mod known;
mod made;
mod outputs;
mod talk;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use linesman_domain::reached::{self, FactsRow, GATHERED_FROM, GatheredRow, ReachedRow, RunRow};
use linesman_domain::snapshots::{self, SnapshotsRow};
use linesman_domain::table::Table;
use linesman_schemas::bundle::bounds;
use linesman_schemas::device::{DeviceFacts, DeviceStanding, DeviceState};
use linesman_schemas::gathering::{GatheringKind, GatheringStands, GatheringState};
use linesman_schemas::outcome::Report;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::journal::{Found, Progress};
use super::turned::Begun;
use super::way::Trouble;
use super::{Device, Hands, ROSTER_EVERY};
use crate::logging::full;
use made::Making;
use outputs::Outputs;
use talk::Talk;

/// How often it is said how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(2);
/// How long the lane may take for a report, and how often it is looked whether it has it.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How soon what the log did not take is tried again at first, and at the latest.
const AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));
/// How long a device is left alone whose gathering broke off here.
const BROKEN_OFF: Duration = Duration::from_secs(60);

/// Something that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    device: Device,
    kind: GatheringKind,
}

/// Something that is done.
struct Job {
    wanted: Wanted,
    row: ReachedRow,
    run: RunRow,
    commands: Vec<String>,
}

/// Why there is no bundle.
enum Ended {
    /// There is none: in words.
    Failed(String),
    /// The log does not take it now.
    Later(String),
}

/// How often something was tried that waits for the log.
#[derive(Default)]
struct Again {
    tries: u32,
}

impl Again {
    /// Waits, the longer the more often.
    async fn rest(&mut self) {
        let wait = AGAIN.0.saturating_mul(1 << self.tries.min(7)).min(AGAIN.1);
        self.tries = self.tries.saturating_add(1);
        tokio::time::sleep(wait).await;
    }
}

impl From<Trouble> for Ended {
    fn from(trouble: Trouble) -> Self {
        match trouble.state {
            DeviceState::LogUnavailable | DeviceState::EngineFull => Self::Later(trouble.words),
            _ => Self::Failed(trouble.words),
        }
    }
}

impl From<linesman_domain::Error> for Ended {
    fn from(error: linesman_domain::Error) -> Self {
        Self::Later(full(&error))
    }
}

impl Hands {
    /// Does what is asked for, and asks for what is due, until it is told to stop. What is under way then is begun anew after
    /// the next start.
    pub(super) async fn gather_all(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut tasks: JoinSet<Wanted> = JoinSet::new();
        // The task of each.
        let mut under_way: HashMap<Wanted, tokio::task::Id> = HashMap::new();
        let (mut seen, mut looked) = (Vec::new(), None::<Instant>);
        loop {
            let (positions, level) = self.moved();
            if level >= GATHERED_FROM && positions != seen {
                seen = positions;
                match self.wanted() {
                    Ok(wanted) => {
                        for wanted in wanted {
                            if let Entry::Vacant(place) = under_way.entry(wanted) {
                                let task = tasks.spawn(Arc::clone(&self).gather(place.key().clone()));
                                place.insert(task.id());
                            }
                        }
                    }
                    Err(error) => tracing::error!(error = full(&error), "what is to be gathered cannot be read"),
                }
                metrics::gauge!("linesman_gatherings_under_way").set(under_way.len() as f64);
            }
            if level >= GATHERED_FROM && looked.is_none_or(|looked| looked.elapsed() >= due::LOOK_EVERY) {
                looked = Some(Instant::now());
                self.ask_for_due().await;
            }
            tokio::select! {
                () = told_to(&mut stop) => break,
                () = tokio::time::sleep(ROSTER_EVERY) => {}
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                    seen.clear();
                    match ended {
                        Ok(wanted) => drop(under_way.remove(&wanted)),
                        Err(error) => {
                            tracing::error!(%error, "what gathers data from a device broke off");
                            // It concerns no other, and is not begun anew at once: it may break off there each time.
                            if let Some((wanted, task)) = under_way.iter_mut().find(|(_, task)| **task == error.id()) {
                                let wanted = wanted.clone();
                                let rest = tasks.spawn(async move {
                                    tokio::time::sleep(BROKEN_OFF).await;
                                    wanted
                                });
                                *task = rest.id();
                            }
                        }
                    }
                }
            }
        }
        tasks.shutdown().await;
    }

    /// All that is asked for, or under way.
    fn wanted(&self) -> Result<Vec<Wanted>, linesman_domain::Error> {
        let mut found = Vec::new();
        for (lane, org) in self.organizations()? {
            for row in reached::gathered(lane, &org) {
                let (name, row) = row?;
                for run in row.runs.iter().filter(|run| run.state.is_open()) {
                    let device = Device { org: org.clone(), name: name.clone() };
                    found.push(Wanted { device, kind: run.kind });
                }
            }
        }
        Ok(found)
    }

    /// Does one thing that is asked for, and reports how it ended.
    async fn gather(self: Arc<Self>, wanted: Wanted) -> Wanted {
        let mut again = Again::default();
        loop {
            let Some(room) = self.rooms.gathering(&wanted.device).await else { return wanted };
            let why = match self.job(&wanted) {
                Ok(None) => return wanted,
                Ok(Some(job)) => match self.gather_once(&job).await {
                    Ok(()) => return wanted,
                    Err(why) => why,
                },
                Err(error) => full(&error),
            };
            drop(room);
            let (organization, device) = (&wanted.device.org, &wanted.device.name);
            tracing::warn!(%organization, device, error = why, "what is to be gathered from a device waits for the log");
            again.rest().await;
        }
    }

    /// Does it, and says how it ended; why that is to be tried again.
    async fn gather_once(&self, job: &Job) -> Result<(), String> {
        let begun = Instant::now();
        let how = match self.done(job).await {
            Ok(how) => how,
            Err(Ended::Failed(error)) => GatheringState::Failed { error },
            Err(Ended::Later(error)) => return Err(error),
        };
        let outcome = match &how {
            GatheringState::Running { .. } => "running",
            GatheringState::Done { .. } => "done",
            GatheringState::Failed { .. } => "failed",
            GatheringState::Skipped { .. } => "skipped",
        };
        let kind = job.wanted.kind.as_str();
        metrics::counter!("linesman_gatherings_total", "kind" => kind, "outcome" => outcome).increment(1);
        metrics::histogram!("linesman_gathering_seconds").record(begun.elapsed().as_secs_f64());
        note(&job.wanted, &how);
        let mut again = Again::default();
        while !self.say(job, how.clone()).await {
            again.rest().await;
            if !self.is_asked(job) {
                return Ok(());
            }
        }
        self.settled(job).await;
        Ok(())
    }

    /// Whether it is asked for still.
    fn is_asked(&self, job: &Job) -> bool {
        match self.job(&job.wanted) {
            Ok(now) => now.is_some_and(|now| now.run.number == job.run.number),
            Err(_) => true,
        }
    }

    /// Waits for the lane to have what was reported, so that it is not done again; where it takes long it is looked for again in
    /// the log.
    async fn settled(&self, job: &Job) {
        let reported = Instant::now();
        while reported.elapsed() < SETTLED_WITHIN {
            let now = self.job(&job.wanted);
            if now.is_ok_and(|now| now.is_none_or(|now| now.run.number != job.run.number)) {
                // A line that is kept too long is looked at again.
                let _ = self.gathered.put(&job.found(), Progress::Gone);
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What is to be done, as rows have it now; none where there is nothing any more.
    fn job(&self, wanted: &Wanted) -> Result<Option<Job>, linesman_domain::Error> {
        let Device { org, name } = &wanted.device;
        let Some(lane) = self.lane(org) else { return Ok(None) };
        let Some(row) = self.row(&wanted.device)? else { return Ok(None) };
        let gathered: GatheredRow = Table::read(lane, &reached::gathered_key(org, name))?.unwrap_or_default();
        let Some(run) = gathered.run(wanted.kind).filter(|run| run.state.is_open()).cloned() else { return Ok(None) };
        let commands = reached::commands(lane, org, &row)?;
        Ok(Some(Job { wanted: wanted.clone(), row, run, commands }))
    }

    /// Reports how far it is; whether the log has it.
    async fn say(&self, job: &Job, how: GatheringState) -> bool {
        let Wanted { device, kind } = &job.wanted;
        let stands = GatheringStands { device: device.name.clone(), kind: *kind, number: job.run.number, how };
        self.report(device, &Report::GatheringStands(stands)).await
    }

    async fn done(&self, job: &Job) -> Result<GatheringState, Ended> {
        let device = &job.wanted.device;
        if let Some(Progress::Meant { sha256: Some(sha256), behind }) = self.gathered.get(&job.found())
            && let Some(done) = self.brought(&device.org, behind, &sha256).await?
        {
            return Ok(done);
        }
        if job.run.is_scheduled && self.has_newer(job)? {
            return Ok(GatheringState::Skipped { why: "the device has made one itself".to_owned() });
        }
        if job.commands.is_empty() {
            return Err(Ended::Failed("it names no directives group that there is".to_owned()));
        }
        let (making, outputs) = tokio::select! {
            told = self.told(job) => told?,
            why = self.turned(device, Begun::by(&job.row)) => return Err(Ended::Failed(why.to_owned())),
        };
        let (path, size) = making.write(&outputs).await?;
        let failed = u32::try_from(outputs.failed()).unwrap_or(u32::MAX);
        if let Some(why) = self.has_turned(device, Begun::by(&job.row)) {
            return Err(Ended::Failed(why.to_owned()));
        }
        if let Some(done) = self.bring_on(job, (&path, size)).await? {
            return Ok(done);
        }
        metrics::counter!("linesman_gathered_bytes_total").increment(size);
        fail::fail_point!("reach::before-gathered");
        Ok(GatheringState::Done { host_event_id: making.host_event_id, failed, failures: outputs.failures() })
    }

    /// What the device tells: what it is, and what its commands say.
    async fn told(&self, job: &Job) -> Result<(Making, Outputs), Ended> {
        let device = &job.wanted.device;
        let known = self.standing(device)?.map(|standing| standing.facts).unwrap_or_default();
        let within = self.parts.settings.gathering_within;
        let mut talk = Talk::open(self, device, &job.row, within).await?;
        let facts = talk.facts(&job.row, &known).await;
        let facts = facts.and_then(|(facts, engines)| Ok((self.completed(device, facts)?, engines)));
        let making = match facts.and_then(|(facts, engines)| Making::new(job, facts, engines)) {
            Ok(making) => making,
            Err(ended) => {
                talk.end().await;
                return Err(ended);
            }
        };
        self.know(device, &making.facts).await;
        let outputs = self.outputs(job, &mut talk, &making.host_event_id).await;
        talk.end().await;
        Ok((making, outputs?))
    }

    /// Reports what a device says of itself, where that is news.
    async fn know(&self, device: &Device, said: &DeviceFacts) {
        let Ok(Some(known)) = self.standing(device) else { return };
        // It does not always say what it is made of.
        let is_whole = !said.routing_engines.is_empty() || known.facts.routing_engines.is_empty();
        let has_members = !said.members.is_empty() || known.facts.members.is_empty();
        if !(is_whole && has_members) || FactsRow::from(said.clone()) == known.facts {
            return;
        }
        let standing = DeviceStanding {
            device: device.name.clone(),
            state: known.state,
            error: known.error,
            collected: None,
            shown_host_key: known.shown_host_key,
            facts: Some(said.clone()),
        };
        self.report(device, &Report::DeviceStands(standing)).await;
    }

    /// Runs the commands, one after the other.
    async fn outputs(&self, job: &Job, talk: &mut Talk<'_>, host_event_id: &str) -> Result<Outputs, Ended> {
        let most = bounds::BUNDLE as u64;
        let of = u32::try_from(job.commands.len()).unwrap_or(u32::MAX);
        let running = |done| GatheringState::Running { done, of, host_event_id: host_event_id.to_owned() };
        // INVARIANT (its own): that it is none of the device's own is known before the log has it.
        if !self.say(job, running(0)).await {
            return Err(Ended::Later("the log does not take how far it is".to_owned()));
        }
        let mut outputs = Outputs::new(&self.parts.gathering, &job.name(), most).await?;
        let mut told = Instant::now();
        for (command, done) in job.commands.iter().zip(1..) {
            outputs.run(talk, command).await?;
            if done == of || told.elapsed() >= TOLD_EVERY {
                told = Instant::now();
                self.say(job, running(done)).await;
            }
        }
        match outputs.failed() == job.commands.len() {
            true => Err(Ended::Failed(format!("no command was carried out: {}", outputs.failures().join("; ")))),
            false => Ok(outputs),
        }
    }

    /// Whether a snapshot of the device's own has come since one was asked for.
    fn has_newer(&self, job: &Job) -> Result<bool, linesman_domain::Error> {
        let Device { org, name } = &job.wanted.device;
        let Some(lane) = self.lane(org) else { return Ok(false) };
        let standing = self.standing(&job.wanted.device)?;
        let Some(serial_number) = reached::serial_number(&job.row, standing.as_ref()) else { return Ok(false) };
        let kept: SnapshotsRow = Table::read(lane, &snapshots::key(org, serial_number))?.unwrap_or_default();
        let gathered: GatheredRow = Table::read(lane, &reached::gathered_key(org, name))?.unwrap_or_default();
        Ok(gathered.own(&kept.snapshots).is_some_and(|own| own.received >= job.run.asked))
    }
}

/// What the engine's log has of data that is not there, or not all of it.
fn note(Wanted { device: Device { org, name }, kind }: &Wanted, how: &GatheringState) {
    match how {
        GatheringState::Failed { error } => {
            tracing::warn!(organization = %org, device = name, %kind, error, "data of a device was not gathered");
        }
        GatheringState::Done { failed, failures, .. } if *failed > 0 => {
            let error = failures.join("; ");
            tracing::warn!(organization = %org, device = name, %kind, failed, error, "a device has not carried out all commands");
        }
        _ => {}
    }
}

async fn told_to(stop: &mut watch::Receiver<bool>) {
    // That nobody can tell it any more is as good.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Job {
    /// What it is in the journal.
    fn found(&self) -> Found {
        Found::gathered(&self.wanted.device, &self.name())
    }

    /// What it is called among those of its device.
    fn name(&self) -> String {
        format!("{}-{}", self.wanted.kind, self.run.number)
    }
}

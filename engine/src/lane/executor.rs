//! Executor threads: lanes spread over the cores, each thread with its own Rhai engine, its own
//! connections and a runtime that never leaves it.

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use linesman_domain as domain;
use linesman_domain::sightings::Room;
use linesman_rules::{Judge, Limits};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, LocalSet};

use super::Error;
use super::behind::Load;
use super::ends::Ends;
use super::failures::PolicyFailures;
use super::quiet::Quiet;
use super::start::Shared;
use super::status::{Changes, LaneStatus};
use super::stopped::{Stopped, way_out};
use crate::log::books::Books;
use crate::log::trouble::{Doing, Troubles};
use crate::log::{self, Servers};
use crate::logging::full;
use crate::store::Store;

/// How long it is waited before a lane that cannot be taken up is tried again, at first and at most.
const RETRY_LEAST: Duration = Duration::from_millis(250);
const RETRY_MOST: Duration = Duration::from_secs(10);
/// How long the threads may take to end once they are to: longer than whoever stops an engine waits, who then says what was left.
const JOIN_MOST: Duration = Duration::from_secs(9);
/// How often it is looked whether one has.
const JOIN_EVERY: Duration = Duration::from_millis(2);

/// What the lanes need.
#[derive(Clone)]
pub struct Context {
    /// The NATS server, with the engine's login.
    pub servers: Servers,
    /// The store.
    pub store: Arc<Store>,
    /// The rule books.
    pub books: Arc<Books>,
    /// Who we are in the marks: never used before.
    pub owner: Arc<str>,
    /// Where changed queues are told.
    pub changes: Changes,
    /// What is in the lanes' way.
    pub troubles: Troubles,
    /// Where lanes broke off before, and ended the engine.
    pub ends: Arc<Ends>,
    /// Where policies that fail are told.
    pub failures: PolicyFailures,
    /// The last sequence of IN when the engine started: what is behind it is counted.
    pub since: u64,
    /// How many lanes.
    pub lanes: u32,
    /// On how many of the server's nodes what is made anew lies.
    pub replicas: u32,
    /// How many threads.
    pub threads: u32,
    /// How much of the processor's time a run of a policy may take.
    pub policy_time: Duration,
    /// How many bytes of memory all lanes together may use to tell which host-event-IDs they have not seen.
    pub remembered_bytes: usize,
    /// The ordinary runtime, where connections are at home.
    pub runtime: tokio::runtime::Handle,
}

/// The lanes at work.
pub struct Executors {
    threads: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    failures: mpsc::UnboundedReceiver<Error>,
    /// How far each lane is, by number.
    pub lanes: Vec<watch::Receiver<LaneStatus>>,
}

impl Executors {
    /// Starts the threads; the lanes are taken up in the background.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(context: &Context) -> Result<Self, Error> {
        let (stop, stopped) = watch::channel(false);
        let (failed, failures) = mpsc::unbounded_channel();
        let (senders, lanes): (Vec<_>, Vec<_>) =
            (0..context.lanes).map(|_| watch::channel(LaneStatus::default())).unzip();
        let threads = context.threads.clamp(1, context.lanes.max(1));
        let load = Load::new(context.runtime.clone(), threads);
        let room = Arc::new(Room::new(context.remembered_bytes, context.lanes));
        let mut shares: Vec<Vec<(u32, watch::Sender<LaneStatus>)>> = (0..threads).map(|_| Vec::new()).collect();
        for ((lane, status), share) in (0..).zip(senders).zip((0..shares.len()).cycle()) {
            if let Some(share) = shares.get_mut(share) {
                share.push((lane, status));
            }
        }
        let spawn = |(number, share): (usize, Vec<_>)| {
            let (context, load, room) = (context.clone(), load.clone(), Arc::clone(&room));
            let (stopped, failed) = (stopped.clone(), failed.clone());
            std::thread::Builder::new().name(format!("lanes-{number}")).spawn(move || {
                let executed = catch_unwind(AssertUnwindSafe(|| execute(&context, (&load, &room), share, &stopped)));
                if let Err(error) =
                    executed.unwrap_or_else(|_| Err(Error::Broken(io::Error::other("its thread panicked"))))
                {
                    // Nobody left to tell means we are stopping anyway.
                    let _ = failed.send(error);
                }
            })
        };
        let threads = shares.into_iter().enumerate().map(spawn).collect::<Result<_, _>>().map_err(Error::Thread)?;
        Ok(Self { threads, stop, failures, lanes })
    }

    /// Waits for the first lane to fail.
    pub async fn failure(&mut self) -> Option<Error> {
        self.failures.recv().await
    }

    /// Lets every lane finish its batch and waits for the threads.
    pub async fn drain(self) {
        drop(tokio::task::spawn_blocking(move || drop(self)).await);
    }
}

impl Drop for Executors {
    /// However an engine ends, what its lanes have under way is emitted and applied, unless that takes too long: what is left
    /// then is as after a crash, and no engine that has failed stays for it.
    fn drop(&mut self) {
        // Lanes that have ended do not hear it.
        let _ = self.stop.send(true);
        let since = Instant::now();
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && since.elapsed() < JOIN_MOST {
                std::thread::park_timeout(JOIN_EVERY);
            }
            if thread.is_finished() {
                drop(thread.join());
            } else {
                let name = thread.thread().name().unwrap_or_default().to_owned();
                tracing::error!(
                    name,
                    "lanes do not come to their end; the next start carries what they have under way"
                );
            }
        }
    }
}

/// One thread's life.
fn execute(
    context: &Context,
    (load, room): (&Load, &Arc<Room>),
    share: Vec<(u32, watch::Sender<LaneStatus>)>,
    stopped: &watch::Receiver<bool>,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let first = share.first().map_or(0, |(lane, _)| *lane);
        // On the ordinary runtime: what comes and goes is framed there while lanes decide here.
        let connect = async |name| {
            let servers = context.servers.clone();
            let client = context.runtime.spawn(async move { log::connect(&servers, name).await }).await;
            let client = client.map_err(|error| Error::Broken(io::Error::other(error)))?;
            client.map_err(|source| Error::Start { lane: first, source })
        };
        let shared = Shared {
            client: connect("linesman-lanes").await?,
            emitter: connect("linesman-batches").await?,
            judge: Rc::new(RefCell::new(Judge::timed(Limits::default(), processor_time))),
            store: Arc::clone(&context.store),
            books: Arc::clone(&context.books),
            load: load.clone(),
            quiet: Quiet::default(),
            owner: Arc::clone(&context.owner),
            changes: context.changes.clone(),
            since: context.since,
            troubles: context.troubles.clone(),
            ends: Arc::clone(&context.ends),
            failures: context.failures.clone(),
            brakes: RefCell::default(),
            replicas: context.replicas,
            policy_time: context.policy_time,
            room: Arc::clone(room),
        };
        let shared = Rc::new(shared);
        let mut lanes = JoinSet::new();
        for (id, status) in share {
            lanes.spawn_local(live(Rc::clone(&shared), id, status, stopped.clone()));
        }
        while let Some(ended) = lanes.join_next().await {
            ended.map_err(|error| Error::Broken(io::Error::other(error)))??;
        }
        Ok(())
    })
}

/// What this thread has used of the processor's time: a machine that stands still sets nobody's policy aside.
fn processor_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(used.tv_sec).unwrap_or_default(), u32::try_from(used.tv_nsec).unwrap_or_default())
}

/// Takes a lane up and lets it work until it ends, or is told to stop; whether it was taken up.
async fn attempt(
    shared: &Shared,
    lane: (u32, Option<u64>),
    status: &watch::Sender<LaneStatus>,
    seen: &mut u64,
    (is_up, stop): (&mut bool, &mut watch::Receiver<bool>),
) -> Result<(), Error> {
    let started = tokio::select! {
        started = shared.start(lane, status, seen) => started?,
        _ = stop.wait_for(|stop| *stop) => return Ok(()),
    };
    shared.troubles.is_over(lane.0.into(), Doing::TakingUp);
    *is_up = true;
    started.run(stop.clone()).await
}

/// One lane's life. Where it cannot go on it stands still until there is a way out, and is taken up again.
async fn live(
    shared: Rc<Shared>,
    id: u32,
    status: watch::Sender<LaneStatus>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    if let Some((position, times)) = shared.ends.rests_behind(id) {
        // There is no other way out than another start.
        if stands_still(&shared, id, &status, &Error::Idle { lane: id, position, times }).await {
            let _ = stop.wait_for(|stop| *stop).await;
        }
        return Ok(());
    }
    let mut seen = 0;
    let broke_off = shared.ends.stands_at(id);
    let mut undecided = broke_off.map(|(position, times)| (position, Error::BrokeOff { lane: id, position, times }));
    let (mut was_up, mut wait) = (false, RETRY_LEAST);
    loop {
        let halt = undecided.as_ref().map(|(position, _)| *position);
        let (mut is_up, mut told) = (false, stop.clone());
        let attempt = AssertUnwindSafe(attempt(&shared, (id, halt), &status, &mut seen, (&mut is_up, &mut told)));
        let ended = attempt.catch_unwind().await;
        let ended = ended.unwrap_or_else(|_| Err(Error::Broken(io::Error::other("it panicked"))));
        if is_up {
            (was_up, wait) = (true, RETRY_LEAST);
        }
        let error = match ended {
            Ok(()) => return Ok(()),
            Err(error @ Error::Irremovable { .. }) => return Err(error),
            // Whatever it was about: it is decided again from a state that is whole, unless that is not to be had.
            Err(error) if !matches!(error, Error::Damaged { .. } | Error::Emit(_)) && shared.is_damaged(id) => {
                undecided = None;
                continue;
            }
            Err(error @ Error::Broken(_)) => {
                shared.ends.broke_off(id);
                return Err(error);
            }
            // What it is about is written.
            Err(Error::Aside { .. }) => continue,
            // At the engine's start what is refused is told to whoever started it.
            Err(Error::Start { source, .. }) if was_up || source.is_silence() => {
                shared.troubles.refused(id.into(), Doing::TakingUp, &source);
                tracing::warn!(
                    lane = id,
                    error = full(&source),
                    ?wait,
                    "the lane cannot be taken up; it is tried again"
                );
                status.send_modify(|status| status.is_running = false);
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    _ = stop.wait_for(|stop| *stop) => return Ok(()),
                }
                wait = RETRY_MOST.min(wait * 2);
                continue;
            }
            // What stood before it in its batch is decided again, and committed.
            Err(error @ Error::Decide { position, .. }) if position > 0 && undecided.is_none() => {
                undecided = Some((position, error));
                continue;
            }
            Err(error @ Error::Halted { .. }) => undecided.take().map_or(error, |(_, error)| error),
            Err(error) => error,
        };
        undecided = None;
        if !stands_still(&shared, id, &status, &error).await {
            return Err(error);
        }
        let is_back = async {
            match &error {
                Error::Decide { source: domain::Error::Absent(absent), .. } => {
                    shared.books.until_back(&absent.hash).await
                }
                _ => std::future::pending().await,
            }
        };
        let goes_on = tokio::select! {
            goes_on = way_out(&shared.client, id, seen, &mut stop) => goes_on,
            () = is_back => true,
        };
        if !goes_on {
            return Ok(());
        }
        shared.ends.forget(id);
        tracing::info!(lane = id, "there is a way out: the lane is taken up again");
    }
}

/// Tells where and why a lane stands still; whether it does, and does not end the engine.
async fn stands_still(shared: &Shared, id: u32, status: &watch::Sender<LaneStatus>, error: &Error) -> bool {
    let Some(stopped) = Stopped::of(&shared.client, error).await else { return false };
    tracing::error!(
        lane = id,
        position = stopped.position,
        error = full(error),
        "the lane stands still; `linesman lane show {id}` tells the ways out"
    );
    metrics::counter!("linesman_lanes_stopped_total").increment(1);
    status.send_modify(|status| {
        status.is_running = false;
        // One that was not taken up may be behind what was committed.
        status.is_behind |= matches!(error, Error::Idle { .. });
        status.stopped = Some(Arc::new(stopped));
    });
    true
}

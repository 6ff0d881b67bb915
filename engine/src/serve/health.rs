//! Looks whether the engine can work: the NATS server answers, the streams are there and as they must be, lanes read, commit
//! and come along. What is wrong makes `/readyz` say 503, and is told by `status` and the log, until it is over.
//!
//! INVARIANT (told in time): whatever is wrong is told within 15 s. Each look asks the server for at most
//! [`LOOK_MOST`] in all, and what bounds each way to find a fault stands beside each other in the test below.

mod answer;
mod tidy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::Client;
use linesman_schemas::control::Control;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::disk;
use crate::embedded::Restarts;
use crate::lane::status::{LaneStatus, Unread};
use crate::log::streams::{self, Found, IN, Identity, Layout, OUT};
use crate::log::trouble::Troubles;
use crate::logging::full;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a look may ask the server, in all.
const LOOK_MOST: Duration = Duration::from_secs(3);
/// How long something is in the way before it counts.
const LASTING: Duration = Duration::from_secs(2);
/// How long the server gives no answer before it counts.
const SILENT_LEAST: Duration = Duration::from_secs(2);
/// How long OUT is gone before it is made anew.
const GONE_LEAST: Duration = Duration::from_secs(2);
/// How long a lane may stay where it is while IN has more for it.
const STUCK_AFTER: Duration = Duration::from_secs(6);
/// How long the embedded server may give no answer, or have no room, before it is started again.
const SILENT_MOST: Duration = Duration::from_secs(30);
const ROOMLESS_MOST: Duration = Duration::from_secs(5);
/// How long it may refuse, or not take, what is to be written, whatever it says why: after it was out of room it may say anything.
const REFUSING_MOST: Duration = Duration::from_secs(15);
/// The least time between two such starts; it doubles with each that did not help.
const RESTART_EVERY: Duration = Duration::from_secs(20);
const RESTART_MOST: Duration = Duration::from_secs(600);

/// Something by which the engine cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, and what is to be done; tells nothing of organizations, and counts nothing.
    pub what: String,
    /// What exactly, for whoever sees everything.
    pub detail: Option<String>,
}

impl Fault {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), detail: None }
    }

    fn with(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { what: what.into(), detail: Some(detail.into()) }
    }
}

/// Where a lane stood when it was looked at last.
struct Stand {
    position: u64,
    since: Instant,
}

/// The look.
pub(super) struct Health {
    client: Client,
    layout: Layout,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    /// How far it is set aside what no lane reads.
    unread: watch::Receiver<Unread>,
    troubles: Troubles,
    /// The embedded server, which can be started again, and where its store is.
    server: Option<(Restarts, PathBuf)>,
    /// The folder of the state.
    state: PathBuf,
    /// What IN was when the engine started, and how far it was when it was looked at last.
    identity: Identity,
    stands: BTreeMap<u32, Stand>,
    /// Since when the server does not answer, has no room, or is in the way of anything.
    silent: Option<Instant>,
    roomless: Option<Instant>,
    refusing: Option<Instant>,
    /// When the server may be started again.
    restart_at: Instant,
    restart_every: Duration,
    /// Since when OUT is gone.
    out_gone: Option<Instant>,
    told: watch::Sender<Vec<Fault>>,
}

impl Health {
    /// A look that has found nothing yet.
    pub(super) fn new(
        (client, layout, identity): (Client, Layout, Identity),
        (lanes, unread): (Vec<watch::Receiver<LaneStatus>>, watch::Receiver<Unread>),
        troubles: Troubles,
        (server, state): (Option<(Restarts, PathBuf)>, PathBuf),
    ) -> (Self, watch::Receiver<Vec<Fault>>) {
        let (told, faults) = watch::channel(Vec::new());
        let health = Self {
            client,
            layout,
            lanes,
            unread,
            troubles,
            server,
            state,
            identity,
            stands: BTreeMap::new(),
            silent: None,
            roomless: None,
            refusing: None,
            restart_at: Instant::now(),
            restart_every: RESTART_EVERY,
            out_gone: None,
            told,
        };
        (health, faults)
    }

    /// Looks until it is stopped.
    pub(super) async fn run(mut self) {
        let (client, most) = (self.client.clone(), self.layout.consumers.most);
        let looking = async {
            loop {
                let faults = self.look().await;
                self.tell(faults);
                self.restart_if_it_cures();
                sleep(LOOK_EVERY).await;
            }
        };
        tokio::join!(looking, tidy::go_on(&client, most));
    }

    async fn look(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let until = Instant::now() + LOOK_MOST;
        // Before IN is asked for its end: what comes in between is none of it.
        let settled = self.settled();
        let asked = streams::examine(&self.client, &self.layout);
        match answer::read(&self.client, timeout_at(until, asked).await) {
            Ok((input, output)) => {
                self.silent = None;
                self.look_at_in(input, settled, &mut faults);
                // Cut off, it is taken up again by the next look.
                let _ = timeout_at(until, self.look_at_out(output, &mut faults)).await;
                let _ = timeout_at(until, self.look_at_lanes(&mut faults)).await;
            }
            // Once is no fault yet: the server may be starting, or busy, or elect a leader.
            Err(silence) => {
                if self.silent.get_or_insert_with(Instant::now).elapsed() >= SILENT_LEAST {
                    faults.extend(silence);
                }
            }
        }
        let is_full = self.look_at_disks(&mut faults);
        let lasting = self.troubles.lasting(LASTING);
        // What it says once its disk was full does not tell that, nor once there is room again.
        let by_the_disk = (is_full || self.roomless.is_some()) && !lasting.is_empty();
        let is_roomless = by_the_disk || lasting.iter().any(|trouble| trouble.is_room);
        for (since, is_so) in [(&mut self.roomless, is_roomless), (&mut self.refusing, !lasting.is_empty())] {
            *since = since.filter(|_| is_so).or_else(|| is_so.then(Instant::now));
        }
        faults.extend(lasting.into_iter().map(|trouble| {
            let why = trouble.why.clone();
            let is_room = trouble.is_room || is_full;
            Fault::with(format!("{}: {}", trouble.what(), if is_room { NO_ROOM } else { OTHER }), why)
        }));
        faults
    }

    /// Says which disks are full; whether the NATS server's is one of them, as far as it is ours.
    fn look_at_disks(&self, faults: &mut Vec<Fault>) -> bool {
        let store = self.server.as_ref().map(|(_, store)| store.as_path());
        let is_full = |folder: &Path| !disk::has_room(folder);
        let (log, state) = (store.is_some_and(is_full), is_full(&self.state));
        let what = match (log, state) {
            (false, false) => return false,
            (true, false) => "the disk of the embedded NATS server is full: nothing more can be taken in",
            (false, true) => "the disk of the state is full: nothing more is decided",
            (true, true) => "the disk of the data directory is full: nothing more can be taken in, or is decided",
        };
        let folder = if log { store.unwrap_or(&self.state) } else { &self.state };
        let (free, least) = (disk::free(folder).unwrap_or_default(), disk::ROOM_LEAST);
        faults.push(Fault::with(
            format!("{what}; make room, and the engine goes on by itself"),
            format!("{} has {free} bytes free, and {least} are needed", folder.display()),
        ));
        log
    }

    /// How many of the messages that IN was given since the engine started are decided, or set aside as nobody's; none while a
    /// lane stands still, or has not come to where the log ended when it was taken up.
    fn settled(&self) -> Option<u64> {
        let mut settled = self.unread.borrow().set_aside;
        for lane in &self.lanes {
            let status = lane.borrow();
            if !status.is_running || status.is_past || !status.is_up_to_date() {
                return None;
            }
            settled += status.decided;
        }
        Some(settled)
    }

    /// IN begins later than it did. Where all that it was ever given is decided nothing is lost that a lane still needs, and the
    /// engine goes on; otherwise it says what may be.
    fn look_at_beginning(&mut self, found: &Identity, settled: Option<u64>, faults: &mut Vec<Fault>) {
        let (first, before) = (found.first, self.identity.first);
        if first <= before.max(1) {
            return;
        }
        let given = found.last.saturating_sub(self.unread.borrow().since);
        let open = settled.map(|settled| given.saturating_sub(settled));
        if open == Some(0) {
            tracing::warn!(
                before,
                first,
                "the stream IN has lost its beginning while the engine ran, by a purge or a limit; all of it was decided, and the \
                 engine goes on with the state it has: no lane can be rebuilt any more, so restore IN from a backup, or keep \
                 backups of the folder `state`"
            );
            self.identity.first = first;
            return;
        }
        let open = match open {
            Some(open) => format!("{open} messages are not decided, of which some may have been there"),
            None => "a lane has not come to its end, and may not find all that it has to decide".to_owned(),
        };
        faults.push(Fault::with(
            "the stream IN has lost its beginning while the engine ran, by a purge or a limit: no lane can be rebuilt from \
             it, and what was not decided yet is lost; restore it from a backup, or start the engine again to go on with \
             the state it has",
            format!("it began at message {before} and begins at {first}; {open}"),
        ));
    }

    fn look_at_in(&mut self, found: Option<Found>, settled: Option<u64>, faults: &mut Vec<Fault>) {
        let Some(Found { identity, faults: wrong, lack, .. }) = found else {
            faults.push(Fault::new(
                "the stream IN is gone, it was deleted while the engine ran: restore it from a backup and start the engine again",
            ));
            return;
        };
        if identity.created != self.identity.created {
            faults.push(Fault::with(
                "the stream IN is another one than the engine was started on: restore it from a backup and start the engine \
                 again",
                format!("created {}, not {}", identity.created, self.identity.created),
            ));
            return;
        }
        faults.extend(lack.map(|lack| answer::lacking(IN, lack)));
        faults.extend(wrong.into_iter().map(|wrong| Fault::new(format!("the stream IN cannot be relied on: {wrong}"))));
        self.look_at_beginning(&identity, settled, faults);
        self.identity.last = self.identity.last.max(identity.last);
    }

    async fn look_at_out(&mut self, found: Option<Found>, faults: &mut Vec<Fault>) {
        let Some(Found { faults: wrong, marks, lack, .. }) = found else {
            faults.push(Fault::new(
                "the stream OUT is gone, it was deleted while the engine ran: what stood in it is lost; it is made anew",
            ));
            // Not at once: a server that has just come up may not know its streams yet.
            if self.out_gone.get_or_insert_with(Instant::now).elapsed() >= GONE_LEAST
                && let Err(error) = streams::make_out(&self.client, &self.layout).await
            {
                faults.push(Fault::with("the stream OUT cannot be made anew", full(&error)));
            }
            return;
        };
        self.out_gone = None;
        faults.extend(lack.map(|lack| answer::lacking(OUT, lack)));
        faults
            .extend(wrong.into_iter().map(|wrong| Fault::new(format!("the stream OUT cannot be relied on: {wrong}"))));
        let lost: Vec<u32> =
            (0_u32..).zip(&self.lanes).filter(|(_, status)| status.borrow().is_running).map(|(lane, _)| lane).collect();
        let lost: Vec<u32> = lost.into_iter().filter(|lane| !marks.contains(&lane.to_string())).collect();
        if lost.is_empty() {
            return;
        }
        let lanes: Vec<String> = lost.iter().map(u32::to_string).collect();
        faults.push(Fault::with(
            "the stream OUT has lost marks of lanes, by a purge or since it was made anew: what nobody had read is lost; the \
             marks are written again",
            format!("lanes {}", lanes.join(", ")),
        ));
        for lane in lost {
            // A lane that decides anything writes its mark.
            let tick = serde_json::to_vec(&Control::Tick).unwrap_or_default();
            if let Err(error) = self.client.publish(format!("p.{lane}.ctl"), tick.into()).await {
                tracing::debug!(lane, %error, "no message to the lane");
            }
        }
    }

    /// Whether lanes come along while IN has more for them.
    async fn look_at_lanes(&mut self, faults: &mut Vec<Fault>) {
        for (lane, status) in (0_u32..).zip(&self.lanes) {
            // Of one that stands still it is told why, by the lane.
            if status.borrow().stopped.is_some() {
                continue;
            }
            let position = status.borrow().position;
            let now = Instant::now();
            let stand = self.stands.entry(lane).or_insert(Stand { position, since: now });
            if stand.position != position || position >= self.identity.last {
                *stand = Stand { position, since: now };
                continue;
            }
            if stand.since.elapsed() < STUCK_AFTER {
                continue;
            }
            match streams::last_of_lane(&self.client, lane).await {
                Ok(end) if end > position => faults.push(Fault::with(
                    format!("lane {lane} makes no progress on input that waits for it"),
                    format!(
                        "it has stood at {position} for {} s, IN has messages for it up to {end}",
                        stand.since.elapsed().as_secs()
                    ),
                )),
                // What it has is all there is.
                Ok(_) => stand.since = now,
                Err(error) => tracing::debug!(lane, error = full(&error), "the end of the lane's input is not known"),
            }
        }
    }

    /// Tells what has changed.
    fn tell(&self, faults: Vec<Fault>) {
        let before = self.told.borrow().clone();
        let is_new = |fault: &&Fault| !before.iter().any(|known| known.what == fault.what);
        for fault in faults.iter().filter(is_new) {
            tracing::error!(detail = fault.detail, "not ready: {}", fault.what);
        }
        for gone in before.iter().filter(|known| !faults.iter().any(|fault| fault.what == known.what)) {
            tracing::info!("over: {}", gone.what);
        }
        self.told.send_if_modified(|told| {
            let is_other = *told != faults;
            *told = faults;
            is_other
        });
    }

    /// Starts the embedded server again where that helps: it gives no answer, or has none for want of room and there is some.
    fn restart_if_it_cures(&mut self) {
        let Some((restarts, store)) = &self.server else { return };
        let is_silent = self.silent.is_some_and(|since| since.elapsed() >= SILENT_MOST);
        let is_roomless = self.roomless.is_some_and(|since| since.elapsed() >= ROOMLESS_MOST);
        let is_refusing = self.refusing.is_some_and(|since| since.elapsed() >= REFUSING_MOST);
        if [self.silent, self.roomless, self.refusing].iter().all(Option::is_none) {
            self.restart_every = RESTART_EVERY;
        }
        let is_room = disk::has_room(store);
        if !(is_silent || is_roomless || is_refusing) || !is_room || Instant::now() < self.restart_at {
            return;
        }
        let why = match (is_silent, is_roomless) {
            (true, _) => "it does not answer",
            (false, true) => "it had no room, and there is some now",
            (false, false) => "it does not take what is to be written",
        };
        tracing::warn!(why, "the embedded NATS server is started again");
        restarts.ask();
        self.restart_at = Instant::now() + self.restart_every;
        self.restart_every = RESTART_MOST.min(self.restart_every * 2);
    }
}

const NO_ROOM: &str = "the NATS server has no room; make room on its disk, or raise its limit";
const OTHER: &str = "the NATS server refuses, or does not answer";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::REQUEST_TIMEOUT;
    use crate::log::quorum::AWAY_AFTER;
    use crate::serve::unread;

    /// Within which whatever is wrong is told.
    const TOLD_MOST: Duration = Duration::from_secs(15);

    #[test]
    fn whatever_is_wrong_is_told_in_time_by_what_bounds_each_way_to_find_it() {
        // From the end of a look to that of the next; what happens while one is under way is found by the next.
        let look = LOOK_EVERY + LOOK_MOST;
        let found = LOOK_MOST + look;
        let ways = [
            ("no answer, no connection, no leader", found + SILENT_LEAST + look),
            ("a stream that is gone or otherwise, a full disk", found),
            ("servers that are away", AWAY_AFTER + found),
            // Who sweeps writes a mark again and again, and finds that nothing is taken although no lane has anything to say.
            ("nothing is taken", unread::PROBE_EVERY + REQUEST_TIMEOUT + LASTING + look),
            // The look that finds it where it stands, and the first one that is late enough.
            ("a lane that stands", look + STUCK_AFTER + look),
        ];
        for (what, most) in ways {
            assert!(most < TOLD_MOST, "{what}: {most:?}");
        }
    }
}

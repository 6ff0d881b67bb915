//! Tells the log of what happened here: refused logins, doors that were locked, what was used. Beside requests, so that
//! none of them waits for it, and none tells by its time what it led to. What has no place in the log is kept beside it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::command::{Counting, Lockout, LoginRefusals, Session, Verb};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::Logins;
use super::doors::Doors;
use super::notices::{Locked, Notice};
use crate::edge::sources::Sources;

/// How many notes may wait.
const WAITING: usize = 256;
/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long it may take to tell what waits in the end.
const END_MOST: Duration = Duration::from_secs(5);
/// The engine level from which on lock-outs are counted together.
const UNNAMED_FROM: u32 = 7;

/// A note, and whose lane it goes to; none: the provider's.
#[derive(Debug)]
pub(super) struct Note {
    whose: Option<OrgName>,
    verb: Session,
}

/// Notes on their way.
pub(super) fn channel() -> (Sender<Note>, Receiver<Note>) {
    mpsc::channel(WAITING)
}

/// Tells the log until it ends, or is dropped.
#[derive(Debug)]
pub(in crate::edge) struct Keeper {
    stop: Option<oneshot::Sender<()>>,
    doors: Arc<Doors>,
    task: JoinHandle<()>,
}

impl Keeper {
    /// Of what happens at `sources`; none where there is one already.
    pub(in crate::edge) fn of(sources: &Arc<Sources>) -> Option<Self> {
        let notes = sources.logins.take_notes()?;
        let (stop, stopped) = oneshot::channel();
        let doors = Arc::clone(&sources.logins.doors);
        Some(Self { stop: Some(stop), doors, task: tokio::spawn(keep(Arc::clone(sources), notes, stopped)) })
    }

    /// Tells what waits, for 5 s at most, and keeps how doors are.
    pub(in crate::edge) async fn end(mut self) {
        // A task that is gone has said why.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if timeout(END_MOST, &mut self.task).await.is_err() {
            tracing::error!("notes on logins are lost: the log takes nothing");
        }
        keep_doors(&self.doors).await;
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(sources: Arc<Sources>, mut notes: Receiver<Note>, mut stopped: oneshot::Receiver<()>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            note = notes.recv() => match note {
                Some(note) => drop(tell(&sources, note).await),
                None => return,
            },
            _ = looks.tick() => {
                keep_doors(&sources.logins.doors).await;
                look(&sources, false).await;
            }
            _ = &mut stopped => {
                while let Ok(note) = notes.try_recv() {
                    tell(&sources, note).await;
                }
                look(&sources, true).await;
                return;
            }
        }
    }
}

/// Keeps how doors are: on a thread that may wait for the disk.
async fn keep_doors(doors: &Arc<Doors>) {
    let doors = Arc::clone(doors);
    if let Err(error) = spawn_blocking(move || doors.keep(Timestamp::now())).await {
        tracing::error!(%error, "what failed at logins is not kept");
    }
}

/// Tells what is due; in the end, all that waits.
async fn look(sources: &Sources, is_end: bool) {
    let now = Timestamp::now();
    let (failed, unnamed) = if is_end { sources.logins.notices().all(now) } else { sources.logins.notices().due(now) };
    for notice in failed {
        tell(sources, refused(notice)).await;
    }
    let locked = sources.logins.notices().locked_logins();
    for (login, (since, locked)) in locked {
        let Locked { failures, until } = locked;
        let manager = Some(login.name.clone());
        let lockout = Lockout { manager, source: None, failures, until, since: Some(since), unnamed: None };
        let note = Note { whose: login.organization.clone(), verb: Session::Lock(lockout) };
        // IMPORTANT: each is on record, if later; there are no more of them than managers.
        if !tell(sources, note).await {
            sources.logins.notices().put_back(login, since, locked);
        }
    }
    let sources_locked = sources.logins.notices().locked_sources();
    // Levels before take it for a lock-out of one.
    let unnamed = unnamed.filter(|_| sources.commands.level(None) >= UNNAMED_FROM);
    for lockout in sources_locked.into_iter().chain(unnamed) {
        tell(sources, Note { whose: None, verb: Session::Lock(lockout) }).await;
    }
    let used = if is_end { sources.logins.uses().all() } else { sources.logins.uses().take() };
    for (whose, touch) in used {
        tell(sources, Note { whose, verb: Session::Touch(touch) }).await;
    }
}

/// Whether a note reaches the log; if not, that is told once more in this program's.
async fn tell(sources: &Sources, Note { whose, verb }: Note) -> bool {
    let told = sources.commands.tell(whose.as_ref(), Verb::Session(verb)).await;
    if let Err(error) = &told {
        tracing::warn!(%error, "a note on logins does not reach the log");
    }
    told.is_ok()
}

fn refused(Notice { login, source, count, first, last }: Notice) -> Note {
    let counting = login.as_ref().map(|told| Counting { since: told.since, first, last });
    let (whose, manager) = login.map_or((None, None), |told| (told.login.organization, Some(told.login.name)));
    let refusals = LoginRefusals { manager, count, sources: vec![source.to_string()], counting };
    Note { whose, verb: Session::Refuse(refusals) }
}

impl Logins {
    /// Logins were refused.
    pub(super) fn tell_refused(&self, notice: Notice) {
        if self.notes.try_send(refused(notice)).is_err() {
            tracing::warn!("too many notes on logins wait for the log: one is left out");
        }
    }
}

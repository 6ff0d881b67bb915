//! Tells the log of what happened here: refused logins, doors that were locked, what was used. Beside requests, so that
//! none of them waits for it, and none tells by its time what it led to.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::command::{Lockout, LoginRefusals, Session, Verb};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;

use super::Logins;
use super::notices::{Locked, Notice};
use crate::edge::sources::Sources;

/// How many notes may wait.
const WAITING: usize = 256;
/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);

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

/// Tells the log until it is dropped.
#[derive(Debug)]
pub(in crate::edge) struct Keeper(JoinHandle<()>);

impl Keeper {
    /// Of what happens at `sources`; none where there is one already.
    pub(in crate::edge) fn of(sources: &Arc<Sources>) -> Option<Self> {
        let notes = sources.logins.take_notes()?;
        Some(Self(tokio::spawn(keep(Arc::clone(sources), notes))))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(sources: Arc<Sources>, mut notes: Receiver<Note>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            note = notes.recv() => match note {
                Some(Note { whose, verb }) => tell(&sources, whose, verb).await,
                None => return,
            },
            _ = looks.tick() => {
                let due = sources.logins.notices().due(Timestamp::now());
                for notice in due {
                    sources.logins.tell_refused(notice);
                }
                let used = sources.logins.uses().take();
                for (whose, touch) in used {
                    tell(&sources, whose, Session::Touch(touch)).await;
                }
            }
        }
    }
}

/// What does not reach the log is told once more in this program's, and forgotten.
async fn tell(sources: &Sources, whose: Option<OrgName>, verb: Session) {
    if let Err(error) = sources.commands.tell(whose.as_ref(), Verb::Session(verb)).await {
        tracing::warn!(%error, "a note on logins does not reach the log");
    }
}

impl Logins {
    /// Logins were refused.
    pub(super) fn tell_refused(&self, notice: Notice) {
        let Notice { login, source, count, locked, .. } = notice;
        let (whose, manager) = login.map_or((None, None), |login| (login.organization, Some(login.name)));
        let refusals = LoginRefusals { manager: manager.clone(), count, sources: vec![source.to_string()] };
        self.note(whose.clone(), Session::Refuse(refusals));
        if let Some(Locked { failures, until }) = locked {
            self.note(whose, Session::Lock(Lockout { manager, source: None, failures, until }));
        }
    }

    /// Nobody is let in from a place for a while.
    pub(super) fn tell_locked(&self, source: std::net::IpAddr, locked: Locked) {
        if self.notices().may_name_source() {
            let Locked { failures, until } = locked;
            let lockout = Lockout { manager: None, source: Some(source.to_string()), failures, until };
            self.note(None, Session::Lock(lockout));
        }
    }

    fn note(&self, whose: Option<OrgName>, verb: Session) {
        if self.notes.try_send(Note { whose, verb }).is_err() {
            tracing::warn!("too many notes on logins wait for the log: one is left out");
        }
    }
}

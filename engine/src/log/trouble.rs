//! What is in the way of those who read the log and commit to it, kept while it lasts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Error;
use super::mark::Committer;
use crate::logging::full;

/// How long something is in the way before the log tells of it.
const TOLD_AFTER: Duration = Duration::from_secs(5);
/// What JetStream says where it has no room: its account's limit, its own, the disk's, or what it does once the disk was full.
pub(super) const NO_ROOM: [u64; 6] = [10_002, 10_023, 10_028, 10_047, 10_076, 10_077];

/// What is done with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// IN is read.
    Reading,
    /// A batch goes to OUT.
    Committing,
    /// A lane is taken up.
    TakingUp,
}

/// Something that is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Whose way.
    pub who: Committer,
    /// What cannot be done.
    pub doing: Doing,
    /// Since when.
    pub since: Instant,
    /// The server's words, or why there are none.
    pub why: String,
    /// Whether the server has no room.
    pub is_room: bool,
    /// Whether the log has told of it.
    is_told: bool,
}

impl Trouble {
    /// What cannot be done, in words.
    pub fn what(&self) -> String {
        match self.doing {
            Doing::Reading => format!("{} cannot read the stream IN", self.who),
            Doing::Committing => format!("{} cannot commit to the stream OUT", self.who),
            Doing::TakingUp => format!("{} cannot be taken up", self.who),
        }
    }
}

/// What is in the way, of everyone who works with one log.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<(Committer, Doing), Trouble>>>);

impl Troubles {
    /// Notes what the server refuses, or that it gives no answer.
    pub fn refused(&self, who: Committer, doing: Doing, error: &Error) {
        let is_room = matches!(error, Error::Refused { code, .. } if NO_ROOM.contains(code));
        self.note(who, doing, full(error), is_room);
    }

    /// Notes what is in the way; the log tells of it once it lasts.
    pub(super) fn note(&self, who: Committer, doing: Doing, why: String, is_room: bool) {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Trouble { who, doing, since: Instant::now(), why: String::new(), is_room, is_told: false };
        let trouble = troubles.entry((who, doing)).or_insert_with(fresh);
        (trouble.why, trouble.is_room) = (why, is_room);
        if !trouble.is_told && trouble.since.elapsed() >= TOLD_AFTER {
            trouble.is_told = true;
            tracing::warn!(why = trouble.why, "{}; it is tried again and again", trouble.what());
        }
    }

    /// Nothing is in the way any more.
    pub fn is_over(&self, who: Committer, doing: Doing) {
        let gone = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(who, doing));
        if let Some(gone) = gone.filter(|gone| gone.is_told) {
            tracing::info!(after = ?gone.since.elapsed(), "it is over: {}", gone.what());
        }
    }

    /// What has been in the way for so long.
    pub fn lasting(&self, least: Duration) -> Vec<Trouble> {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.values().filter(|trouble| trouble.since.elapsed() >= least).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_lasts_until_it_is_over() {
        let troubles = Troubles::default();
        let (who, doing) = (Committer::Lane(3), Doing::Committing);
        let full = Error::Refused { subject: "w.x".to_owned(), description: "no room".to_owned(), code: 10_047 };
        troubles.refused(who, doing, &full);
        let since = troubles.lasting(Duration::ZERO)[0].since;
        troubles.note(who, doing, "no answer".to_owned(), false);
        let lasting = troubles.lasting(Duration::ZERO);
        assert_eq!((lasting.len(), lasting[0].since, &*lasting[0].why), (1, since, "no answer"));
        assert_eq!(lasting[0].what(), "lane 3 cannot commit to the stream OUT");
        assert!(troubles.lasting(Duration::from_secs(60)).is_empty());
        troubles.is_over(who, Doing::Reading);
        troubles.is_over(who, doing);
        assert!(troubles.lasting(Duration::ZERO).is_empty());
    }
}

//! Turns at what takes the store's time: nobody has more at once than their share ([`Holder`]), and who has waits behind
//! their own, so that others wait for none of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::shares::Holder;
use super::viewer::Viewer;

/// How many rows of those who wait are remembered that nobody stands in.
const ROWS: usize = 1_024;

/// So many turns at a time.
pub(super) struct Turns {
    most: usize,
    room: Arc<Semaphore>,
    /// Those that each has who has asked lately.
    own: Mutex<BTreeMap<Holder, Arc<Semaphore>>>,
}

/// A turn, until it is dropped.
pub(super) struct Turn {
    _room: OwnedSemaphorePermit,
    _own: Vec<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn new(most: usize) -> Self {
        Self { most, room: Arc::new(Semaphore::new(most)), own: Mutex::default() }
    }

    /// A turn of somebody's, once it is theirs.
    ///
    /// # Errors
    /// There are none any more: never.
    pub(super) async fn wait(&self, viewer: &Viewer) -> Result<Turn, AcquireError> {
        // INVARIANT (nobody waits for themselves): all take them in the same order, a login's, an organization's, the room.
        let mut own = Vec::new();
        for (holder, most) in Holder::of(viewer, self.most) {
            own.push(self.row(holder, most).acquire_owned().await?);
        }
        Ok(Turn { _room: Arc::clone(&self.room).acquire_owned().await?, _own: own })
    }

    fn row(&self, holder: Holder, most: usize) -> Arc<Semaphore> {
        // Nothing under the lock panics.
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() >= ROWS {
            own.retain(|_, row| Arc::strong_count(row) > 1);
        }
        Arc::clone(own.entry(holder).or_insert_with(|| Arc::new(Semaphore::new(most))))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use linesman_domain::rights::Reach;
    use linesman_schemas::{Principal, Sphere};

    use super::*;
    use crate::edge::grants::Held;

    fn viewer(login: &str) -> Viewer {
        let principal = Principal::of_login(&login.parse().unwrap(), None);
        let reach = Reach { sphere: Sphere::of(["acme".parse().unwrap()]), ..Reach::default() };
        Viewer::new(principal, reach, Held::default())
    }

    #[tokio::test]
    async fn whoever_asks_for_much_waits_behind_their_own_alone() {
        let turns = Turns::new(8);
        let (lou, ann, bob) = (viewer("acme/lou"), viewer("acme/ann"), viewer("bob"));
        let mut all: Vec<_> = Vec::new();
        for _ in 0..2 {
            all.push(turns.wait(&lou).await.unwrap());
        }
        assert!(turns.wait(&lou).now_or_never().is_none(), "a login has so many, and waits for more");
        for name in ["acme/ann", "acme/ann", "bob", "bob"] {
            all.push(turns.wait(&viewer(name)).now_or_never().unwrap().unwrap());
        }
        assert!(turns.wait(&viewer("acme/eve")).now_or_never().is_none(), "all of an organization have half");
        let mut admins: Vec<_> = Vec::new();
        while let Some(turn) = turns.wait(&Viewer::of_admin()).now_or_never() {
            admins.push(turn.unwrap());
        }
        assert_eq!(admins.len(), 2, "whoever sees everything has what is left");
        // Those who waited and went have taken nothing with them.
        drop((all, admins));
        let again: Vec<_> = [&lou, &lou, &ann, &ann, &bob, &bob].map(|who| turns.wait(who).now_or_never()).into();
        assert!(again.iter().all(Option::is_some));
    }

    #[tokio::test]
    async fn rows_in_which_nobody_stands_are_forgotten() {
        let turns = Turns::new(8);
        let kept = turns.wait(&viewer("acme/lou")).await.unwrap();
        for number in 0..2 * ROWS {
            drop(turns.wait(&viewer(&format!("acme/m{number}"))).await.unwrap());
        }
        assert!(turns.own.lock().unwrap().len() <= ROWS);
        let _second = turns.wait(&viewer("acme/lou")).await.unwrap();
        assert!(turns.wait(&viewer("acme/lou")).now_or_never().is_none(), "who stands there is not");
        drop(kept);
    }
}

//! Room for so many at a time, of which nobody takes the most: one login has an eighth of it, all managers of one
//! organization together half, and so have all of the provider's people who see a part of what there is. Whoever sees everything
//! is bounded by the room alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linesman_schemas::Place;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::transport::problem::Problem;
use super::viewer::Viewer;

/// How many seconds whoever finds no room is to wait.
const WAIT_S: u64 = 10;

/// What anybody may have, of however little room.
const LEAST: usize = 2;

/// Who shares. A login of the provider's may be called as an organization is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    Login(String),
    Organization(String),
    /// Those of the provider's who see a part.
    Provider,
}

impl Holder {
    /// As who somebody has room, and how much each has of `most`.
    pub(super) fn of(viewer: &Viewer, most: usize) -> Vec<(Self, usize)> {
        let mut shares = Vec::new();
        if !viewer.sees(None) {
            let login = viewer.principal().login();
            shares.extend(login.map(|login| (Self::Login(login.to_string()), (most / 8).max(LEAST))));
            let home = match viewer.home() {
                Place::Organization(org) => Self::Organization(org.to_string()),
                _ => Self::Provider,
            };
            shares.push((home, (most / 2).max(LEAST)));
        }
        shares
    }
}
/// How many seats each has who has one.
type Held = BTreeMap<Holder, usize>;

/// Room that is shared.
pub(super) struct Shares {
    most: usize,
    /// What those in it do, in words.
    what: &'static str,
    room: Arc<Semaphore>,
    held: Arc<Mutex<Held>>,
}

/// A place in it, until it is dropped.
pub(super) struct Seat {
    _permit: OwnedSemaphorePermit,
    _share: Share,
}

/// What somebody has of it, until it is dropped.
struct Share {
    holders: Vec<Holder>,
    held: Arc<Mutex<Held>>,
}

impl Shares {
    /// Room for `most` who do `what`.
    pub(super) fn new(most: usize, what: &'static str) -> Self {
        Self { most, what, room: Arc::new(Semaphore::new(most)), held: Arc::default() }
    }

    /// How many are in it.
    pub(super) fn taken(&self) -> usize {
        self.most.saturating_sub(self.room.available_permits())
    }

    /// A seat at once.
    ///
    /// # Errors
    /// All are taken, or those that are somebody's.
    pub(super) fn take(&self, viewer: &Viewer) -> Result<Seat, Problem> {
        let share = self.share(viewer)?;
        let full = |_| Problem::busy(format!("{} {}, and there is room for no more", self.most, self.what), WAIT_S);
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(full)?;
        Ok(Seat { _permit: permit, _share: share })
    }

    /// A seat when there is one.
    ///
    /// # Errors
    /// All that are somebody's are taken, or waited for.
    pub(super) async fn wait(&self, viewer: &Viewer) -> Result<Seat, Problem> {
        let share = self.share(viewer)?;
        let permit = Arc::clone(&self.room).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
        Ok(Seat { _permit: permit, _share: share })
    }

    fn share(&self, viewer: &Viewer) -> Result<Share, Problem> {
        let shares = Holder::of(viewer, self.most);
        let mut held = hold(&self.held);
        for (holder, most) in &shares {
            if held.get(holder).is_some_and(|count| count >= most) {
                let whose = match holder {
                    Holder::Login(name) | Holder::Organization(name) => format!("`{name}`"),
                    Holder::Provider => "the provider's people".to_owned(),
                };
                let detail = format!("{most} of {whose} {}, and there is room for no more of them", self.what);
                return Err(Problem::busy(detail, WAIT_S));
            }
        }
        for (holder, _) in &shares {
            *held.entry(holder.clone()).or_default() += 1;
        }
        let holders = shares.into_iter().map(|(holder, _)| holder).collect();
        Ok(Share { holders, held: Arc::clone(&self.held) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = hold(&self.held);
        for holder in &self.holders {
            let count = held.get(holder).copied().unwrap_or_default();
            match count {
                0 | 1 => held.remove(holder),
                count => held.insert(holder.clone(), count - 1),
            };
        }
    }
}

fn hold(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    // Nothing under the lock panics.
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use linesman_domain::rights::Reach;
    use linesman_schemas::{Principal, Sphere};

    use super::*;
    use crate::edge::grants::Held as Granted;

    fn viewer(login: &str, sphere: &str) -> Viewer {
        let principal = Principal::of_login(&login.parse().unwrap(), None);
        let reach = Reach { sphere: Sphere::of([sphere.parse().unwrap()]), ..Reach::default() };
        Viewer::new(principal, reach, Granted::default())
    }

    #[tokio::test]
    async fn nobody_takes_the_seats_of_others() {
        let shares = Shares::new(16, "listen already");
        let detail = |shares: &Shares, viewer: &Viewer| shares.take(viewer).map(drop).unwrap_err().detail().to_owned();
        let lou = viewer("acme/lou", "acme/berlin");
        let mut seats: Vec<_> = (0..2).map(|_| shares.take(&lou).unwrap()).collect();
        let full = "2 of `acme/lou` listen already, and there is room for no more of them";
        assert_eq!(detail(&shares, &lou), full);
        assert!(shares.wait(&lou).await.is_err(), "nor is it waited for");
        for name in ["ann", "ben", "cal"] {
            let manager = viewer(&format!("acme/{name}"), "acme");
            seats.extend((0..2).map(|_| shares.take(&manager).unwrap()));
        }
        let eve = viewer("acme/eve", "acme");
        assert_eq!(detail(&shares, &eve), "8 of `acme` listen already, and there is room for no more of them");
        let bea = viewer("bolt/bea", "bolt");
        let others: Vec<_> = (0..2).map(|_| shares.take(&bea).unwrap()).collect();
        seats.remove(0);
        drop(shares.wait(&eve).await.unwrap());
        seats.push(shares.take(&lou).unwrap());
        drop(others);
        // The provider's person of that name has seats of their own.
        seats.push(shares.take(&viewer("acme", "bolt")).unwrap());
        let admin = Viewer::of_admin();
        seats.extend((0..7).map(|_| shares.take(&admin).unwrap()));
        assert_eq!(detail(&shares, &bea), "16 listen already, and there is room for no more");
        assert_eq!(shares.taken(), 16);
        seats.clear();
        assert_eq!((shares.taken(), hold(&shares.held).len()), (0, 0));
    }
}

//! A room of all organizations: one has no more than its part of the places, and leaves some to those that have fewer.
//!
//! An organization takes another place while more are free than it holds. So two that hold theirs for long, as of devices that
//! do not answer, leave places to a third, and the three to a fourth; who has the fewest comes first. A part that is as large
//! as the whole keeps nothing free: whoever says so has one organization.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linesman_schemas::OrgName;
use tokio::sync::oneshot;

/// The room.
pub(super) struct Shared(Arc<Mutex<Places>>);

/// A place in it. Dropped, it is free.
#[must_use]
pub(super) struct Place {
    places: Arc<Mutex<Places>>,
    org: OrgName,
}

struct Places {
    all: usize,
    /// How many one organization has at most.
    each: usize,
    taken: usize,
    /// How many ever waited.
    waited: u64,
    /// Those that hold places, or wait for some.
    of: HashMap<OrgName, Own>,
}

/// What an organization has of it.
#[derive(Default)]
struct Own {
    taken: usize,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    number: u64,
    sender: oneshot::Sender<Place>,
}

impl Shared {
    /// So many places in all, and so many of one organization.
    pub(super) fn new((all, each): (usize, usize)) -> Self {
        Self(Arc::new(Mutex::new(Places { all, each, taken: 0, waited: 0, of: HashMap::new() })))
    }

    /// Waits for a place, behind those of the same organization.
    pub(super) async fn enter(&self, org: &OrgName) -> Option<Place> {
        let waiting = {
            let mut places = lock(&self.0);
            match places.take(org) {
                true => return Some(Place { places: Arc::clone(&self.0), org: org.clone() }),
                false => places.wait(org),
            }
        };
        waiting.await.ok()
    }
}

impl Places {
    /// Whether one that holds so many may have another.
    const fn may(&self, held: usize) -> bool {
        let free = self.all.saturating_sub(self.taken);
        let is_whole = self.each >= self.all;
        held < self.each && free > 0 && (is_whole || free > held)
    }

    /// Takes a place at once; whether there was one, and nobody of the same organization waits for it.
    fn take(&mut self, org: &OrgName) -> bool {
        let own = self.of.get(org);
        let is_next = own.is_none_or(|own| own.waiting.iter().all(|waiting| waiting.sender.is_closed()));
        let is_there = is_next && self.may(own.map_or(0, |own| own.taken));
        if is_there {
            self.of.entry(org.clone()).or_default().taken += 1;
            self.taken += 1;
        }
        is_there
    }

    fn wait(&mut self, org: &OrgName) -> oneshot::Receiver<Place> {
        let (sender, receiver) = oneshot::channel();
        self.waited += 1;
        let own = self.of.entry(org.clone()).or_default();
        own.forget_gone();
        own.waiting.push_back(Waiting { number: self.waited, sender });
        receiver
    }

    fn give_back(&mut self, org: &OrgName) {
        self.taken = self.taken.saturating_sub(1);
        if let Some(own) = self.of.get_mut(org) {
            own.taken = own.taken.saturating_sub(1);
        }
    }

    /// Who takes the next place: of those that may have one the organization with the fewest, and of those who waits longest.
    fn next(&mut self) -> Option<(OrgName, oneshot::Sender<Place>)> {
        self.of.retain(|_, own| {
            own.forget_gone();
            own.taken > 0 || !own.waiting.is_empty()
        });
        let first = |own: &Own| own.waiting.front().map(|waiting| (own.taken, waiting.number));
        let waiting = self.of.iter().filter(|(_, own)| self.may(own.taken));
        let (_, org) = waiting.filter_map(|(org, own)| Some((first(own)?, org))).min_by_key(|(first, _)| *first)?;
        let org = org.clone();
        let own = self.of.get_mut(&org)?;
        let waiting = own.waiting.pop_front()?;
        own.taken += 1;
        self.taken += 1;
        Some((org, waiting.sender))
    }
}

impl Own {
    /// Forgets those in front that wait no more.
    fn forget_gone(&mut self) {
        while self.waiting.front().is_some_and(|waiting| waiting.sender.is_closed()) {
            self.waiting.pop_front();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places).give_back(&self.org);
        loop {
            let next = lock(&self.places).next();
            let Some((org, sender)) = next else { return };
            // One that has ceased to wait just now gives it back: nothing may be locked.
            drop(sender.send(Self { places: Arc::clone(&self.places), org }));
        }
    }
}

fn lock(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn org(name: &str) -> OrgName {
        name.parse().unwrap()
    }

    /// What somebody gets without waiting.
    fn at_once(room: &Shared, name: &str) -> Option<Place> {
        room.enter(&org(name)).now_or_never().flatten()
    }

    /// All that somebody gets without waiting.
    fn all_of(room: &Shared, name: &str) -> Vec<Place> {
        std::iter::from_fn(|| at_once(room, name)).collect()
    }

    #[test]
    fn organizations_that_hold_all_they_get_leave_places_to_others() {
        let room = Shared::new((16, 8));
        let held: Vec<_> = ["acme", "bolt", "cern", "dyne"].map(|name| all_of(&room, name)).into_iter().collect();
        assert_eq!(held.iter().map(Vec::len).collect::<Vec<_>>(), [8, 4, 2, 1]);
        assert_eq!(all_of(&room, "evil").len(), 1);
        drop(held);
        assert_eq!(all_of(&room, "acme").len(), 8, "all is free again");
    }

    #[test]
    fn a_part_as_large_as_the_whole_is_the_whole() {
        let room = Shared::new((3, 3));
        let held = all_of(&room, "acme");
        assert_eq!((held.len(), at_once(&room, "bolt").is_some()), (3, false));
        let room = Shared::new((1, 1));
        let held = at_once(&room, "acme").unwrap();
        assert!(at_once(&room, "bolt").is_none());
        drop(held);
        assert!(at_once(&room, "bolt").is_some());
    }

    #[tokio::test]
    async fn who_has_the_fewest_comes_first_and_who_waits_no_more_is_passed_over() {
        let room = Shared::new((3, 2));
        let mut acme = all_of(&room, "acme");
        let bolt = all_of(&room, "bolt");
        assert_eq!((acme.len(), bolt.len()), (2, 1));
        let names = ["acme", "bolt", "cern", "dyne"].map(org);
        let mut waiting: Vec<_> = names.iter().map(|org| Box::pin(room.enter(org))).collect();
        for waiting in &mut waiting {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        // That of cern waits no more.
        drop(waiting.remove(2));
        acme.pop();
        let dyne = waiting.pop().unwrap().now_or_never().flatten();
        assert!(dyne.is_some(), "it has none");
        assert!(at_once(&room, "bolt").is_none(), "it stands behind its own");
        assert!(waiting.iter_mut().all(|waiting| waiting.as_mut().now_or_never().is_none()));
        drop(dyne);
        assert!(waiting[0].as_mut().now_or_never().is_none(), "as many are free as it holds");
        drop((acme, bolt));
        let got: Vec<_> = waiting.into_iter().map(|waiting| waiting.now_or_never().flatten()).collect();
        assert!(got.iter().all(Option::is_some));
        drop(got);
        let places = lock(&room.0);
        assert_eq!((places.taken, places.of.len()), (0, 0), "nothing is left of those that are gone");
    }

    #[test]
    fn one_that_was_given_a_place_and_waits_no_more_gives_it_back() {
        let room = Shared::new((1, 1));
        let (held, acme, bolt) = (at_once(&room, "acme").unwrap(), org("acme"), org("bolt"));
        let mut first = Box::pin(room.enter(&bolt));
        let mut second = Box::pin(room.enter(&acme));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        drop(held);
        drop(first);
        assert!(second.now_or_never().flatten().is_some());
    }
}

//! What every room of a lane works with: state, clock, settings, and a way to say, to count and to be reminded.
//!
//! A room gets the desk and what else it may touch, by name, in its signature. What another room is to do about
//! it, it returns; the router carries that there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Bound;

use foldhash::HashMap;
use jiff::{Timestamp, ToSpan};
use linesman_schemas::control::{InstallationSection, Settings};
use linesman_schemas::{Mode, OrgName, ReactionId};
use serde::Serialize;

use super::Error;
use super::digest::Productions;
use super::outgoing::{Outgoing, Topic};
use super::state::{Row as StoredRow, State, Writes};
use super::table::{self, Key, Row};
use super::tally::Tally;
use super::upstream::Installed;

/// How many incidents, events and reactions an organization has had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) incidents: u64,
    pub(crate) events: u64,
    pub(crate) reactions: u64,
}

struct Counter {
    org: OrgName,
    counts: Counts,
    /// Whether the input at hand has counted.
    is_touched: bool,
    /// Whether the batch in the making has.
    is_changed: bool,
}

/// The counts of all organizations; what has changed is found without going through them.
#[derive(Default)]
struct Counters {
    all: Vec<Counter>,
    places: HashMap<OrgName, usize>,
    touched: Vec<usize>,
    changed: Vec<usize>,
}

impl Counters {
    fn count(&mut self, org: &OrgName, of: fn(&mut Counts) -> &mut u64) -> Option<u64> {
        let place = *self.places.get(org)?;
        let counter = self.all.get_mut(place)?;
        if !std::mem::replace(&mut counter.is_touched, true) {
            self.touched.push(place);
        }
        if !std::mem::replace(&mut counter.is_changed, true) {
            self.changed.push(place);
        }
        let count = of(&mut counter.counts);
        *count += 1;
        Some(*count)
    }

    /// What the input at hand has counted, in the order of its first events.
    fn touched(&mut self) -> impl Iterator<Item = &Counter> {
        let all = &mut self.all;
        for place in &self.touched {
            if let Some(counter) = all.get_mut(*place) {
                counter.is_touched = false;
            }
        }
        self.touched.drain(..).filter_map(|place| all.get(place))
    }
}

/// See the module.
pub(crate) struct Desk {
    /// Which lane.
    pub(crate) lane: u32,
    /// The engine level that decides.
    pub(crate) level: u32,
    /// The log's clock.
    pub(crate) now: Timestamp,
    /// Where the input at hand stands in IN. At level 1, where the one before it stands.
    pub(crate) sequence: u64,
    /// The numbers decisions depend on.
    pub(crate) settings: Settings,
    /// What the installation is in the cascade.
    pub(crate) installed: Installed,
    /// How the installation is connected; it counts from level 6 on.
    pub(crate) mode: Mode,
    /// What is counted once the batch is applied.
    pub(crate) tally: Tally,
    /// How many reactions policies have decided on the input at hand.
    pub(crate) decided_reactions: usize,
    /// How many changes of incidents the input at hand has come to.
    pub(crate) changes: u64,
    /// The logins by whose doing the input at hand is decided: of whoever asked by it, and of those whose asking it carries
    /// out.
    pub(crate) doers: BTreeSet<String>,
    /// How many devices of an organization are reached, of those where somebody asked.
    pub(crate) reached: BTreeMap<OrgName, usize>,
    state: State,
    outgoing: Outgoing,
    productions: Productions,
    counters: Counters,
    queues: BTreeSet<(String, String)>,
    next_timer: Option<Timestamp>,
    /// The key of the timer that fires.
    pub(crate) firing: Option<Vec<u8>>,
    /// How many events of the provider's own the input at hand has had.
    ordinal: u64,
}

/// What a desk is made of.
pub(crate) struct Setting {
    pub(crate) lane: u32,
    pub(crate) state: State,
    pub(crate) settings: Settings,
    pub(crate) installation: InstallationSection,
    pub(crate) payload_most: usize,
    pub(crate) next_timer: Option<Timestamp>,
}

impl Desk {
    pub(crate) fn new(setting: Setting) -> Self {
        Self {
            lane: setting.lane,
            level: 0,
            now: Timestamp::UNIX_EPOCH,
            sequence: 0,
            settings: setting.settings,
            installed: Installed::new(setting.installation),
            mode: setting.installation.mode,
            tally: Tally::default(),
            decided_reactions: 0,
            changes: 0,
            doers: BTreeSet::new(),
            reached: BTreeMap::new(),
            state: setting.state,
            outgoing: Outgoing::new(setting.payload_most),
            productions: Productions::default(),
            counters: Counters::default(),
            queues: BTreeSet::new(),
            next_timer: setting.next_timer,
            firing: None,
            ordinal: 0,
        }
    }

    /// A desk of lane 0 on rows in memory.
    #[cfg(test)]
    pub(crate) fn on_memory(base: &super::state::Memory) -> Self {
        Self::on(Box::new(base.handle()))
    }

    /// A desk of lane 0.
    #[cfg(test)]
    pub(crate) fn on(base: Box<dyn super::state::Base>) -> Self {
        Self::new(Setting {
            lane: 0,
            state: State::new(base),
            settings: Settings::default(),
            installation: InstallationSection::default(),
            payload_most: 4096,
            next_timer: None,
        })
    }

    /// Begins an input that is chained to `digest`.
    pub(crate) fn begin(&mut self, level: u32, now: Timestamp, sequence: u64, digest: &[u8; 32]) {
        (self.level, self.now) = (level, now);
        (self.ordinal, self.decided_reactions, self.changes) = (0, 0, 0);
        self.doers.clear();
        self.firing = None;
        self.productions.begin(level, digest, sequence);
    }

    /// Ends the input; the digest with what it produced.
    pub(crate) fn end(&mut self) -> [u8; 32] {
        for counter in self.counters.touched() {
            // They are part of a row that is written once a batch.
            let Counts { incidents, events, reactions } = counter.counts;
            self.productions.counts(counter.org.as_str(), [incidents, events, reactions]);
        }
        self.productions.end()
    }

    /// Whether the lane decides at `level` or above it.
    pub(crate) fn is_at(&self, level: u32) -> bool {
        self.level >= level
    }

    // State.

    /// The row under `key`, as decided so far.
    pub(crate) fn read<R: Row>(&self, key: &Key<R>) -> Result<Option<R>, Error> {
        self.state.read(key)
    }

    /// The bytes under `key`, of a row that has a form of its own.
    pub(crate) fn bytes<R>(&self, key: &Key<R>) -> Result<Option<Vec<u8>>, Error> {
        self.state.bytes(key)
    }

    /// Puts `row` under `key`.
    pub(crate) fn write<R: Row>(&mut self, key: Key<R>, row: &R) -> Result<(), Error> {
        let stored = table::encode(row)?;
        if self.productions.has_rows() {
            let form = row.form(self.level, &stored)?;
            self.productions.row(key.as_bytes(), Some(&form));
        }
        self.state.set(key.into_bytes(), Some(stored));
        Ok(())
    }

    /// Adds a row to the digest that is written later.
    pub(crate) fn cover<R: Row>(&mut self, key: &Key<R>, row: &R) -> Result<(), Error> {
        if self.productions.has_rows() {
            let stored = table::encode(row)?;
            self.productions.row(key.as_bytes(), Some(&row.form(self.level, &stored)?));
        }
        Ok(())
    }

    /// Puts a row that the digest has already.
    pub(crate) fn write_covered<R: Row>(&mut self, key: Key<R>, row: &R) -> Result<(), Error> {
        let stored = table::encode(row)?;
        self.state.set(key.into_bytes(), Some(stored));
        Ok(())
    }

    /// Removes a row that the digest knows of by others.
    pub(crate) fn remove_covered<R>(&mut self, key: Key<R>) {
        self.state.set(key.into_bytes(), None);
    }

    /// Removes the row under `key`.
    pub(crate) fn remove<R>(&mut self, key: Key<R>) {
        self.remove_found(key.into_bytes());
    }

    /// Removes a row that a scan or a timer named.
    pub(crate) fn remove_found(&mut self, key: Vec<u8>) {
        if self.productions.has_rows() {
            self.productions.row(&key, None);
        }
        self.state.set(key, None);
    }

    /// Changes the bytes under `key` in place; absent ones begin empty. `own` and `form` are what the digest has of it.
    pub(crate) fn update<R>(
        &mut self,
        key: &Key<R>,
        own: u64,
        form: &[u8],
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Error> {
        if self.productions.has_rows() {
            let mut part = key.as_bytes().to_vec();
            part.extend_from_slice(&own.to_be_bytes());
            self.productions.row(&part, Some(form));
        }
        self.state.update(key, change)
    }

    /// The first row from `from` on whose key begins with `prefix`.
    pub(crate) fn first(&self, from: Bound<&[u8]>, prefix: &[u8]) -> Result<Option<StoredRow>, Error> {
        self.state.first(from, prefix)
    }

    /// Begins a change of rows and timers that may be taken back. Nothing is said meanwhile.
    pub(crate) fn begin_trial(&mut self) {
        self.state.begin_trial();
    }

    /// Ends it: with all that was changed, or as if nothing had been.
    pub(crate) fn end_trial(&mut self, stays: bool) -> Result<(), Error> {
        self.state.end_trial(stays);
        if !stays {
            self.next_timer = super::timers::next(&self.state)?;
        }
        Ok(())
    }

    /// Takes what changed since the last call, as the next batch.
    pub(crate) fn take_writes(&mut self) -> Writes {
        self.state.take_writes()
    }

    /// Forgets what the base now holds itself.
    pub(crate) fn applied(&mut self, writes: &Writes) {
        self.state.applied(writes);
    }

    /// The state, for rows that are made of others and in no digest.
    pub(crate) fn derived(&mut self) -> &mut State {
        &mut self.state
    }

    /// The state, to be gone through.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    // Counts.

    /// Takes an organization's counts up.
    pub(crate) fn open_counts(&mut self, org: &OrgName, counts: Counts) {
        let counters = &mut self.counters;
        if !counters.places.contains_key(org) {
            counters.places.insert(org.clone(), counters.all.len());
            counters.all.push(Counter { org: org.clone(), counts, is_touched: false, is_changed: false });
        }
    }

    /// An organization's counts.
    pub(crate) fn counts(&self, org: &OrgName) -> Counts {
        let counter = self.counters.places.get(org).and_then(|place| self.counters.all.get(*place));
        counter.map(|counter| counter.counts).unwrap_or_default()
    }

    /// Whose counts have changed since the last call.
    pub(crate) fn take_counted(&mut self) -> Vec<OrgName> {
        let counters = &mut self.counters;
        let changed = counters.changed.drain(..).filter_map(|place| {
            let counter = counters.all.get_mut(place)?;
            counter.is_changed = false;
            Some(counter.org.clone())
        });
        changed.collect()
    }

    /// The number of an organization's next incident, from 1.
    pub(crate) fn next_incident(&mut self, org: &OrgName) -> u64 {
        self.counters.count(org, |counts| &mut counts.incidents).unwrap_or_default()
    }

    /// The id of an organization's next reaction.
    pub(crate) fn next_reaction(&mut self, org: &OrgName) -> ReactionId {
        if org.is_provider() {
            // Whoever asks has counted it.
            return ReactionId::of_provider_policy(self.sequence, self.decided_reactions, self.now);
        }
        let number = self.counters.count(org, |counts| &mut counts.reactions).unwrap_or_default();
        ReactionId::of(org, number, self.now)
    }

    // Events.

    /// Says an event of an organization; its id: `<org>-<number>-<nanoseconds in hexadecimal>`.
    ///
    /// The number alone is unique in a log; the time keeps ids apart from those of an earlier log.
    pub(crate) fn say(
        &mut self,
        topic: &Topic,
        org: &OrgName,
        about: Option<&str>,
        data: impl Serialize,
    ) -> Result<String, Error> {
        self.say_covered(topic, org, about, data, None::<()>)
    }

    /// The same of data with text for people: from level 2 on the digest has `covered` instead of it.
    pub(crate) fn say_covered(
        &mut self,
        topic: &Topic,
        org: &OrgName,
        about: Option<&str>,
        data: impl Serialize,
        covered: Option<impl Serialize>,
    ) -> Result<String, Error> {
        if org.is_provider() {
            return self.say_of_provider(topic, self.sequence, about, data, covered);
        }
        let id = self.next_event(org);
        self.event(topic, &id, about, data, covered)?;
        Ok(id)
    }

    /// Says an event of the provider's own, about the input at `sequence`; its id.
    pub(crate) fn say_of_provider(
        &mut self,
        topic: &Topic,
        sequence: u64,
        about: Option<&str>,
        data: impl Serialize,
        covered: Option<impl Serialize>,
    ) -> Result<String, Error> {
        self.ordinal += 1;
        let id = format!("lane{}-{sequence}-{}", self.lane, self.ordinal);
        self.event(topic, &id, about, data, covered)?;
        Ok(id)
    }

    fn event(
        &mut self,
        topic: &Topic,
        id: &str,
        about: Option<&str>,
        data: impl Serialize,
        covered: Option<impl Serialize>,
    ) -> Result<(), Error> {
        let covered = covered.filter(|_| self.level >= 2);
        self.outgoing.event(&mut self.productions, topic, id, about, self.now, data, covered)
    }

    fn next_event(&mut self, org: &OrgName) -> String {
        let mut id = String::with_capacity(org.as_str().len() + 28);
        let Some(number) = self.counters.count(org, |counts| &mut counts.events) else { return id };
        // Writing to a string does not fail.
        let _ = write!(id, "{org}-{number}-{:x}", self.now.as_nanosecond());
        id
    }

    /// The batch's events so far.
    pub(crate) fn outgoing(&mut self) -> &mut Outgoing {
        &mut self.outgoing
    }

    /// How many messages the batch in the making has become, and how many bytes.
    pub(crate) fn said(&self) -> (usize, usize) {
        (self.outgoing.messages(), self.outgoing.bytes())
    }

    // Queues and timers.

    /// A destination's queue of an organization changed; an empty organization means all of them.
    pub(crate) fn queue_changed(&mut self, destination: &str, org: &str) {
        self.queues.insert((destination.to_owned(), org.to_owned()));
    }

    /// Takes the queues that changed.
    pub(crate) fn take_queues(&mut self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut self.queues)
    }

    /// When the next timer falls due.
    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        self.next_timer
    }

    pub(crate) fn set_next_timer(&mut self, due: Option<Timestamp>) {
        self.next_timer = due;
    }

    /// So many hours from now.
    pub(crate) fn in_hours(&self, hours: i64) -> Timestamp {
        self.now.checked_add(hours.hours()).unwrap_or(Timestamp::MAX)
    }
}

//! Work over many rows, cut into slices: a bounded number of rows for each `Control::Continue`, other inputs of the lane
//! in between.
//!
//! A job is a row with a cursor, so a crash in the middle goes on. Its slices do to each row what one big decision would
//! do at the moment the row's turn comes; what is pending meanwhile of an organization under review is not handed out
//! ([`is_under_review`]), so that nothing leaves as it was before the review was asked for.
//!
//! Jobs on different things take turns; two on one thing go in the order in which they were asked for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use linesman_schemas::{OrgName, Place, ServiceName, SubscriptionName};
use serde::{Deserialize, Serialize};

use super::Error;
use super::activations::doers;
use super::desk::Desk;
use super::state::{Base, State};
use super::table::{Key, Row, Table};

/// How many rows a slice looks at.
pub(crate) const SLICE_ROWS: usize = 200;
/// How many bytes of rows it may read before it ends.
pub(crate) const SLICE_BYTES: usize = 1 << 20;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRow {
    /// What is done.
    pub work: Work,
    /// The key of the last row that was looked at; empty before the first.
    pub cursor: Vec<u8>,
    /// How many rows were looked at.
    pub done: u64,
    /// When it was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub started: Timestamp,
    /// Where the input of its last slice stands in IN.
    pub advanced: u64,
}

/// What a job does. Stored by its place: a new kind is added at the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Work {
    /// What is pending for an organization follows its settings.
    ReviewPending(OrgName),
    /// What records of the lane's audits say goes, of those before a moment, in seconds of the epoch.
    AgeAudits {
        /// The moment.
        before_s: i64,
    },
    /// Whom somebody has granted anything who is gone is their granter's: of an organization, or of the provider.
    HandOver(Option<OrgName>),
    /// Devices of access lines have what activations come to, at a place of an organization and below.
    Render {
        /// Where.
        place: Place,
        /// The subscription of which all is said once more, changed or not.
        again: Option<SubscriptionName>,
    },
    /// Subscriptions that were made at a place and below go over to another version of their service.
    Rollout {
        /// Where.
        place: Place,
        /// The service.
        service: ServiceName,
        /// The version.
        version: String,
        /// How many of them may go over still; none: all.
        left: Option<u32>,
    },
    /// What is kept of an organization's cases goes to the upstream as far as it may now, and is to go of those that have
    /// ended.
    ReviewKept(OrgName),
    /// The newest snapshot of each device of an organization goes to the upstream.
    Snapshots(OrgName),
    /// An intelligence message is held against devices, and organizations are told.
    Match {
        /// Whose message it is; none for one of the provider's, which is held against the devices of all organizations.
        organization: Option<OrgName>,
        /// Its id.
        id: String,
    },
    /// Of devices that fell silent behind a moment and until another it is said.
    Silence {
        /// The moment, in seconds of the epoch.
        since: i64,
        /// The other.
        until: i64,
    },
    /// Of contracts that end it is said.
    Contracts,
}

impl Work {
    /// The kind of work as users read it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::ReviewPending(_) => "review-pending",
            Self::AgeAudits { .. } => "age-audits",
            Self::HandOver(_) => "hand-over",
            Self::Render { .. } => "render",
            Self::Rollout { .. } => "rollout",
            Self::ReviewKept(_) => "review-kept",
            Self::Snapshots(_) => "snapshots",
            Self::Match { .. } => "match-intelligence",
            Self::Silence { .. } => "silence",
            Self::Contracts => "contracts",
        }
    }

    /// Whose rows it goes through; none where it is those of all, or the provider's.
    pub const fn organization(&self) -> Option<&OrgName> {
        match self {
            Self::ReviewPending(org) | Self::ReviewKept(org) | Self::Snapshots(org) => Some(org),
            Self::Render { place, .. } | Self::Rollout { place, .. } => place.organization(),
            Self::AgeAudits { .. } | Self::Silence { .. } | Self::Contracts => None,
            Self::HandOver(org) | Self::Match { organization: org, .. } => org.as_ref(),
        }
    }
}

impl JobRow {
    /// What a job of a number is called where it cannot go on: of each its own.
    pub(crate) fn name(&self, number: u64) -> String {
        match self.work.organization() {
            Some(org) => format!("{} of {org} begun at {number}", self.work.as_str()),
            None => format!("{} begun at {number}", self.work.as_str()),
        }
    }
}

impl Row for JobRow {}

/// The table of jobs, by the place in IN of the input that asked for them.
pub const JOBS: Table<JobRow> = Table::new(b'j');

fn key(number: u64) -> Key<JobRow> {
    JOBS.key(&[], &number.to_be_bytes())
}

/// All jobs of a lane and their numbers, in the order in which they were asked for.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all(base: &(impl Base + ?Sized)) -> impl Iterator<Item = Result<(u64, JobRow), Error>> {
    JOBS.rows(base, &[]).map(|row| row.map(|(own, row)| (own.try_into().map_or(0, u64::from_be_bytes), row)))
}

/// Whether what is pending for an organization is still to be held against its settings.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn is_under_review(base: &(impl Base + ?Sized), org: &str) -> Result<bool, Error> {
    for job in all(base) {
        if matches!(&job?.1.work, Work::ReviewPending(of) if of.as_str() == org) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The jobs of a lane, by number, and in the order in which their turns come.
#[derive(Default)]
pub(crate) struct Jobs {
    all: BTreeMap<u64, JobRow>,
    /// The numbers of those on one thing.
    of: BTreeMap<Work, BTreeSet<u64>>,
    /// The first of those on each thing, by where its last slice stands in IN.
    turns: BTreeSet<(u64, u64)>,
}

impl Jobs {
    /// Reads them all.
    pub(crate) fn open(state: &State) -> Result<Self, Error> {
        let mut jobs = Self::default();
        for job in all(state) {
            let (number, row) = job?;
            jobs.add(number, row);
        }
        Ok(jobs)
    }

    fn add(&mut self, number: u64, row: JobRow) {
        let same = self.of.entry(row.work.clone()).or_default();
        same.insert(number);
        if same.first() == Some(&number) {
            let next = same.iter().nth(1).and_then(|next| self.all.get(next).map(|row| (row.advanced, *next)));
            if let Some(next) = next {
                self.turns.remove(&next);
            }
            self.turns.insert((row.advanced, number));
        }
        self.all.insert(number, row);
    }

    /// Whether there is work.
    pub(crate) fn has_work(&self) -> bool {
        !self.all.is_empty()
    }

    /// Whether there is work of a kind.
    pub(crate) fn has(&self, is_wanted: impl Fn(&Work) -> bool) -> bool {
        self.of.keys().any(is_wanted)
    }

    /// Begins a job, unless one on the same stands that has not begun yet: it will find things as they are then.
    pub(crate) fn begin(&mut self, desk: &mut Desk, work: Work) -> Result<(), Error> {
        let has_begun = |number: &u64| self.all.get(number).is_none_or(|row| !row.cursor.is_empty());
        let mut same = self.of.get(&work).into_iter().flatten();
        if let Some(number) = same.find(|number| !has_begun(number)).copied() {
            return doers::begin(desk, &work, number);
        }
        // One input may ask for several, and let timers ask for others.
        let mut number = desk.sequence;
        while self.all.contains_key(&number) {
            number += 1;
        }
        doers::begin(desk, &work, number)?;
        let row = JobRow { work, cursor: Vec::new(), done: 0, started: desk.now, advanced: desk.sequence };
        desk.write(key(number), &row)?;
        self.add(number, row);
        Ok(())
    }

    /// The job whose turn it is: the first on its thing that has waited longest.
    pub(crate) fn next(&self) -> Option<(u64, JobRow)> {
        let (_, number) = self.turns.first()?;
        Some((*number, self.all.get(number)?.clone()))
    }

    /// Drops the job whose turn it is, with what is left of it: what it is called, and how many rows it had looked at.
    ///
    /// INVARIANT (a way out is one): nothing is read, since that may be what cannot be done.
    pub(crate) fn drop_next(&mut self, desk: &mut Desk) -> Option<(String, u64)> {
        let (number, row) = self.next()?;
        self.turns.remove(&(row.advanced, number));
        if let Some(org) = row.work.organization() {
            desk.queue_changed("", org.as_str());
        }
        doers::drop_job(desk, &row.work, number);
        self.remove(number);
        desk.remove(key(number));
        Some((row.name(number), row.done))
    }

    /// Whether no other job on the same stands.
    pub(crate) fn is_last(&self, number: u64, work: &Work) -> bool {
        self.of.get(work).is_none_or(|same| same.iter().all(|other| *other == number))
    }

    /// A slice of a job has ended behind `cursor`, `done` rows further; none: the job has.
    pub(crate) fn advance(
        &mut self,
        desk: &mut Desk,
        number: u64,
        cursor: Option<Vec<u8>>,
        done: u64,
    ) -> Result<(), Error> {
        let Some(row) = self.all.get_mut(&number) else { return Ok(()) };
        self.turns.remove(&(row.advanced, number));
        match cursor {
            Some(cursor) => {
                (row.cursor, row.advanced) = (cursor, desk.sequence);
                row.done += done;
                self.turns.insert((row.advanced, number));
                desk.write(key(number), row)
            }
            None => {
                // Whoever hands its reactions out may go on.
                if let Some(org) = row.work.organization() {
                    desk.queue_changed("", org.as_str());
                }
                let ended = doers::end(desk, &row.work, number);
                self.remove(number);
                desk.remove(key(number));
                ended
            }
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(row) = self.all.remove(&number) else { return };
        let Some(same) = self.of.get_mut(&row.work) else { return };
        same.remove(&number);
        match same.first().and_then(|next| self.all.get(next).map(|row| (row.advanced, *next))) {
            Some(next) => {
                self.turns.insert(next);
            }
            None => {
                self.of.remove(&row.work);
            }
        }
    }
}

//! A walk through the store: who walks, in which lane what lies, how long it may take, and whether anybody waits
//! for it.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use linesman_schemas::{OrgName, Place};
use serde::Serialize;
use tokio::time::timeout;

use super::Error;
use crate::edge::members::lane_of_owner;
use crate::edge::sources::Sources;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::store::Lane;
use linesman_domain::audit::Owner;
use linesman_domain::device_groups::DeviceGroups;
use linesman_domain::devices::DeviceRow;
use linesman_domain::organizations::{self, OrgRow};
use linesman_domain::sight::{self, Sight};
use linesman_domain::table::{Key, Row, Table};

/// After how many rows a walk looks whether it is still wanted.
const LOOK_EVERY: u32 = 64;
/// What whoever is told of the provider's approvals may do.
pub(super) const DECIDES: &str = "approve-approval";

/// A walk.
pub(super) struct Walk {
    viewer: Viewer,
    lanes: Arc<[Lane]>,
    most: Duration,
    until: Instant,
    is_gone: Arc<AtomicBool>,
    steps: Cell<u32>,
}

/// An organization's rows: those of its lane, and its own.
pub(super) struct OrgRows<'a> {
    /// For whom.
    pub(super) viewer: &'a Viewer,
    pub(super) lane: &'a Lane,
    pub(super) row: OrgRow,
    /// What is seen of it; none: all.
    pub(super) sight: Option<Sight>,
    /// Its device groups.
    pub(super) groups: DeviceGroups,
    /// Whether whoever walks decides approvals here, once it was asked.
    decides: OnceCell<bool>,
}

impl<'a> OrgRows<'a> {
    fn new(viewer: &'a Viewer, lane: &'a Lane, row: OrgRow, sight: Option<Sight>) -> Self {
        let groups = DeviceGroups::new(&row.device_groups);
        Self { viewer, lane, row, sight, groups, decides: OnceCell::new() }
    }

    /// Whether whoever walks decides approvals of the organization.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn decides(&self, org: &OrgName) -> Result<bool, Error> {
        if let Some(decides) = self.decides.get() {
            return Ok(*decides);
        }
        let decides = self.viewer.has(DECIDES, &Place::Organization(org.clone()))?;
        Ok(*self.decides.get_or_init(|| decides))
    }
}

/// Tells a walk, or whatever takes its time, that nobody waits for it any more.
pub(in crate::edge) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// Says so in `is_gone` when it is dropped.
    pub(in crate::edge) fn of(is_gone: &Arc<AtomicBool>) -> Self {
        Self(Arc::clone(is_gone))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What `read` finds in the store of what `viewer` sees, in JSON. A few requests read at a time, of one login and of one
/// organization fewer, each for a bounded time, and
/// none longer than somebody waits.
///
/// # Errors
/// What `read` says; 503 when it takes too long, or when others do.
pub(super) async fn answer<T: Serialize>(
    sources: &Sources,
    viewer: Viewer,
    read: impl FnOnce(&Walk) -> Result<T, Error> + Send + 'static,
) -> Result<Response, Problem> {
    let text = found(sources, viewer, move |walk| Ok(serde_json::to_vec(&read(walk)?)?)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// What `read` finds in the store of what `viewer` sees, within the same bounds.
///
/// # Errors
/// As [`answer`].
pub(super) async fn found<T: Send + 'static>(
    sources: &Sources,
    viewer: Viewer,
    read: impl FnOnce(&Walk) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    let most = sources.walk_most;
    let permit = match timeout(most, sources.reads.wait(&viewer)).await {
        Ok(permit) => permit.map_err(|error| Problem::internal(&error))?,
        Err(_) => return Err(Problem::busy("other requests keep the store busy; try again", most.as_secs().max(1))),
    };
    let is_gone = Arc::new(AtomicBool::new(false));
    let _waiting = Waiting::of(&is_gone);
    let lanes = Arc::clone(&sources.rows);
    // The store waits for the disk.
    let read = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let walk = Walk::new(viewer, lanes, most, is_gone);
        read(&walk)
    });
    match read.await.map_err(|error| Problem::internal(&error))? {
        Ok(found) => Ok(found),
        Err(Error::Nothing(what)) => Err(Problem::new(StatusCode::NOT_FOUND, what)),
        Err(Error::Unfit(why)) => Err(Problem::new(StatusCode::CONFLICT, why)),
        Err(Error::Several(what)) => Err(Problem::new(StatusCode::BAD_REQUEST, what)),
        Err(error @ Error::TooLong(_)) => Err(Problem::busy(error.to_string(), most.as_secs().max(1))),
        Err(error @ (Error::Store(_) | Error::Json(_))) => Err(Problem::internal(&error)),
    }
}

impl Walk {
    fn new(viewer: Viewer, lanes: Arc<[Lane]>, most: Duration, is_gone: Arc<AtomicBool>) -> Self {
        Self { viewer, lanes, most, until: Instant::now() + most, is_gone, steps: Cell::new(0) }
    }

    /// Whether what is `whose` is there for whoever walks; none: the provider's own.
    pub(super) fn sees(&self, whose: Option<&OrgName>) -> bool {
        self.viewer.sees(whose)
    }

    /// Whether the whole of what is `whose` is there for whoever walks; none: the provider's own.
    pub(super) fn sees_whole(&self, whose: Option<&OrgName>) -> bool {
        self.viewer.sees_whole(whose)
    }

    /// Whether a device of an organization is there for whoever walks; its row, if it has one.
    pub(super) fn sees_device(
        &self,
        org: &OrgName,
        serial_number: &str,
        device: Option<&DeviceRow>,
    ) -> Result<bool, Error> {
        if self.viewer.sees_all(org) {
            return Ok(true);
        }
        match self.lane(org) {
            Some(lane) => Ok(sight::sees_device(lane, self.viewer.reach(), org, serial_number, device)?),
            None => Ok(false),
        }
    }

    /// Whether a device group of an organization is seen that is not seen as a whole.
    pub(super) fn sees_group(&self, org: &OrgName, name: &str) -> bool {
        self.viewer.reach().has_group(org, name)
    }

    /// What is seen of an organization by whoever walks; none: all.
    pub(super) fn sight(&self, org: &OrgName) -> Result<Option<Sight>, Error> {
        match self.lane(org).filter(|_| !self.viewer.sees_all(org)) {
            Some(lane) => Ok(Some(Sight::of(lane, self.viewer.reach(), org)?)),
            None => Ok(None),
        }
    }

    /// Who walks.
    pub(super) fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// All lanes, by number.
    pub(super) fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// A lane, for what is the provider's own there; none where that is not seen.
    pub(super) fn lane_of_provider(&self, lane: u32) -> Option<&Lane> {
        self.lanes.get(lane as usize).filter(|_| self.sees(None))
    }

    /// The provider's logs, one a lane: none where they are not seen.
    pub(super) fn logs_of_provider(&self) -> impl Iterator<Item = (Owner, &Lane)> {
        (0..).map_while(|lane| Some((Owner::Provider(lane), self.lane_of_provider(lane)?)))
    }

    /// One row further.
    ///
    /// # Errors
    /// It has taken too long, or nobody waits for it.
    pub(super) fn step(&self) -> Result<(), Error> {
        let steps = self.steps.get().wrapping_add(1);
        self.steps.set(steps);
        if steps.is_multiple_of(LOOK_EVERY) && (self.is_gone.load(Ordering::Relaxed) || Instant::now() >= self.until) {
            return Err(Error::TooLong(self.most.as_secs_f64()));
        }
        Ok(())
    }

    /// The lane that would have an organization's rows; none where nothing of it is seen.
    pub(super) fn lane(&self, org: &OrgName) -> Option<&Lane> {
        lane_of_owner(&self.lanes, Some(org)).filter(|_| self.sees(Some(org)))
    }

    /// The rows of one organization, or those of all that are seen, in the order of their names.
    pub(super) fn organizations(&self, asked: Option<&OrgName>) -> Result<BTreeMap<OrgName, OrgRows<'_>>, Error> {
        let Some(org) = asked else { return self.all_organizations() };
        let lane = self.lane(org).ok_or_else(|| unknown(org))?;
        let row = Table::read(lane, &organizations::key(org))?.ok_or_else(|| unknown(org))?;
        Ok(BTreeMap::from([(org.clone(), self.rows(lane, org, row)?)]))
    }

    fn rows<'a>(&'a self, lane: &'a Lane, org: &OrgName, row: OrgRow) -> Result<OrgRows<'a>, Error> {
        let is_seen_in_part = !self.viewer.sees_all(org);
        let sight = is_seen_in_part.then(|| Sight::of(lane, self.viewer.reach(), org)).transpose()?;
        Ok(OrgRows::new(&self.viewer, lane, row, sight))
    }

    fn all_organizations(&self) -> Result<BTreeMap<OrgName, OrgRows<'_>>, Error> {
        let mut all = BTreeMap::new();
        if !self.sees(None) {
            // Of the others nothing is read.
            for org in self.viewer.reach().organizations() {
                self.step()?;
                let Some(lane) = self.lane(org) else { continue };
                if let Some(row) = Table::read(lane, &organizations::key(org))? {
                    all.insert(org.clone(), self.rows(lane, org, row)?);
                }
            }
            return Ok(all);
        }
        for lane in &*self.lanes {
            for row in organizations::all(lane) {
                let (name, row) = row?;
                all.insert(name, OrgRows::new(&self.viewer, lane, row, None));
            }
        }
        Ok(all)
    }

    /// The rows of the provider's own on lane 0; none where they are not seen.
    pub(super) fn provider(&self) -> Option<OrgRows<'_>> {
        let lane = self.lane_of_provider(0)?;
        Some(OrgRows::new(&self.viewer, lane, OrgRow::of_provider(), None))
    }

    /// The row of an organization under `key`, if there is one.
    pub(super) fn some<V: Row>(&self, org: &OrgName, key: &Key<V>) -> Result<Option<V>, Error> {
        match self.lane(org) {
            Some(lane) => Ok(Table::read(lane, key)?),
            None => Ok(None),
        }
    }

    /// The row of an organization under `key`; `what` names it where there is none.
    pub(super) fn one<V: Row>(&self, org: &OrgName, key: &Key<V>, what: impl FnOnce() -> String) -> Result<V, Error> {
        self.some(org, key)?.ok_or_else(|| Error::Nothing(what()))
    }
}

#[cfg(test)]
impl Walk {
    /// One that takes all its time, and is counted.
    pub(super) fn of(viewer: Viewer, lanes: Arc<[Lane]>) -> Self {
        Self::new(viewer, lanes, Duration::from_secs(600), Arc::default())
    }

    /// How many rows it has gone.
    pub(super) fn steps(&self) -> u32 {
        self.steps.get()
    }
}

/// The lane of an organization all of which is seen.
pub(super) fn whole_lane<'a>(walk: &'a Walk, name: &OrgName) -> Result<&'a Lane, Error> {
    walk.organizations(Some(name))?.remove(name).ok_or_else(|| unknown(name))?;
    walk.lane(name).filter(|_| walk.sees_whole(Some(name))).ok_or_else(|| unknown(name))
}

pub(super) fn unknown(org: &OrgName) -> Error {
    Error::Nothing(format!("there is no organization `{org}`"))
}

/// There is no such place for whoever asks.
pub(super) fn unseen(place: &Place) -> Error {
    match place {
        Place::Organization(org) => unknown(org),
        Place::Provider | Place::Below(_) => Error::Nothing(format!("there is no place `{place}`")),
    }
}

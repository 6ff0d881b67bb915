//! What a rollout of a service comes to, organization by organization: counted before anything is asked of a lane, so
//! that so many subscriptions at the most go over as were asked for, however many organizations they are of.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use linesman_domain::commands::asked;
use linesman_domain::rollouts::Target;
use linesman_domain::shelf::Shelf;
use linesman_domain::table::Table;
use linesman_domain::{places, services, subscriptions};
use linesman_schemas::command::{Rollout, Service, Verb};
use linesman_schemas::{CommandId, OrgName, Place, ServiceName, SubscriptionName};

use super::Error;
use super::walk::{Walk, found, unseen};
use crate::edge::sources::Sources;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::store::Lane;

/// What is asked for of a service.
#[derive(Debug)]
pub(in crate::edge) struct Wanted {
    pub(in crate::edge) service: ServiceName,
    /// None: the newest.
    pub(in crate::edge) version: Option<String>,
    /// Where they were made; the provider: everywhere.
    pub(in crate::edge) under: Place,
    /// How many go over at the most.
    pub(in crate::edge) canary: Option<u32>,
    /// Whether they do whatever comes of it.
    pub(in crate::edge) force: bool,
}

/// What it comes to.
#[derive(Debug)]
pub(in crate::edge) struct Plan {
    pub(in crate::edge) version: String,
    pub(in crate::edge) shares: Vec<Share>,
    /// The subscriptions that cannot go over: the first 200.
    pub(in crate::edge) staying: Vec<Staying>,
    /// How many more there are.
    pub(in crate::edge) more_staying: u64,
}

/// A subscription that stays on its version.
#[derive(Debug)]
pub(in crate::edge) struct Staying {
    pub(in crate::edge) place: Place,
    pub(in crate::edge) subscription: SubscriptionName,
    pub(in crate::edge) reason: String,
}

/// How many subscriptions that stay are named.
const STAYING_MOST: usize = 200;

/// What it comes to for an organization.
#[derive(Debug)]
pub(in crate::edge) struct Share {
    pub(in crate::edge) organization: OrgName,
    /// The command's id.
    pub(in crate::edge) id: CommandId,
    pub(in crate::edge) rollout: Rollout,
    /// How many subscriptions of it go over; none where it was asked before for all of them.
    pub(in crate::edge) subscriptions: Option<u32>,
}

/// Finds what a rollout comes to. What was asked of an organization before, under the id that `id_of` has for it, stays
/// as it was asked.
///
/// # Errors
/// There is no such service, version or place; what was asked before under these ids was something else; or the store
/// cannot be read in time.
pub(in crate::edge) async fn plan(
    sources: &Arc<Sources>,
    viewer: &Viewer,
    wanted: Wanted,
    id_of: impl Fn(&OrgName) -> Result<CommandId, Problem> + Send + 'static,
) -> Result<Plan, Problem> {
    let known = Arc::clone(sources);
    found(sources, viewer.clone(), move |walk| {
        let shelf = Shelf::default();
        let planned = Planner { walk, sources: &known, wanted: &wanted, shelf, versions: Vec::new() };
        match planned.plan(id_of) {
            Ok(plan) => Ok(Ok(plan)),
            Err(Unplanned::Refused(problem)) => Ok(Err(problem)),
            Err(Unplanned::Unread(error)) => Err(error),
        }
    })
    .await?
}

/// Why there is no plan.
enum Unplanned {
    Refused(Problem),
    Unread(Error),
}

impl<E: Into<Error>> From<E> for Unplanned {
    fn from(error: E) -> Self {
        Self::Unread(error.into())
    }
}

struct Planner<'a> {
    walk: &'a Walk,
    sources: &'a Sources,
    wanted: &'a Wanted,
    shelf: Shelf,
    /// To which the subscriptions may be meant to go over: the newest, and behind it, until it is known which was asked
    /// for before, all others.
    versions: Vec<String>,
}

impl Planner<'_> {
    fn plan(mut self, id_of: impl Fn(&OrgName) -> Result<CommandId, Problem>) -> Result<Plan, Unplanned> {
        self.versions = self.versions()?;
        let under = &self.wanted.under;
        let organizations = self.walk.organizations(under.organization())?;
        if let Place::Below(path) = under
            && self.walk.some(&path.organization, &places::key(path))?.is_none()
        {
            return Err(unseen(under).into());
        }
        let mut left = self.wanted.canary.unwrap_or(u32::MAX);
        let mut shares = BTreeMap::new();
        for org in organizations.keys() {
            let id = id_of(org).map_err(Unplanned::Refused)?;
            if let Some(share) = self.asked_before(org, id, left)? {
                left = left.saturating_sub(share.subscriptions.unwrap_or_default());
                shares.insert(org.clone(), share);
            }
        }
        let version = self.versions.first().cloned().unwrap_or_default();
        for (org, rows) in &organizations {
            if left == 0 {
                break;
            }
            if shares.contains_key(org) {
                continue;
            }
            let count = self.count(rows.lane, org, &version, left)?;
            if count > 0 {
                left -= count;
                let id = id_of(org).map_err(Unplanned::Refused)?;
                let rollout = self.rollout(org, &version, self.wanted.canary.map(|_| count));
                shares
                    .insert(org.clone(), Share { organization: org.clone(), id, rollout, subscriptions: Some(count) });
            }
        }
        let mut plan = Plan { version, shares: shares.into_values().collect(), staying: Vec::new(), more_staying: 0 };
        for (org, rows) in &organizations {
            self.stay(rows.lane, org, &mut plan)?;
        }
        Ok(plan)
    }

    /// Tells of the subscriptions of an organization that cannot go over.
    fn stay(&self, lane: &Lane, org: &OrgName, plan: &mut Plan) -> Result<(), Unplanned> {
        let Wanted { service, under, .. } = self.wanted;
        let target = Target::read(lane, &self.shelf, org, (service, &plan.version))?;
        for row in subscriptions::all(lane, org) {
            self.walk.step()?;
            let (place, subscription, row) = row?;
            if !target.is_meant(&row) || !under.covers(&place) {
                continue;
            }
            let Some(reason) = target.refusal(&place, &row) else { continue };
            if plan.staying.len() < STAYING_MOST {
                plan.staying.push(Staying { place, subscription, reason });
            } else {
                plan.more_staying += 1;
            }
        }
        Ok(())
    }

    /// The versions that may be meant.
    fn versions(&self) -> Result<Vec<String>, Unplanned> {
        let service = &self.wanted.service;
        let nothing = || Error::Nothing(format!("there is no service `{service}`"));
        let lane = self.walk.lanes().first().ok_or_else(nothing)?;
        if let Some(version) = &self.wanted.version {
            if Table::read(lane, &services::version_key(service, version))?.is_none() {
                let detail = format!("there is no version `{version}` of the service `{service}`");
                return Err(Error::Nothing(detail).into());
            }
            return Ok(vec![version.clone()]);
        }
        let newest = Table::read(lane, &services::newest_key(service))?.ok_or_else(nothing)?.version;
        let mut versions = vec![newest];
        for row in services::versions(lane, service) {
            self.walk.step()?;
            let (version, _) = row?;
            if versions.first() != Some(&version) {
                versions.push(version);
            }
        }
        Ok(versions)
    }

    fn rollout(&self, org: &OrgName, version: &str, canary: Option<u32>) -> Rollout {
        let under = match &self.wanted.under {
            Place::Provider => Place::Organization(org.clone()),
            under => under.clone(),
        };
        let Wanted { service, force, .. } = self.wanted;
        Rollout { service: service.clone(), version: Some(version.to_owned()), under, canary, force: *force }
    }

    /// What was asked of an organization under that id. Only its hash is known: how many were asked for is found by it,
    /// which takes as many steps as subscriptions went over.
    fn asked_before(&mut self, org: &OrgName, id: CommandId, left: u32) -> Result<Option<Share>, Unplanned> {
        let commands = &self.sources.commands;
        let Some(hash) = commands.asked(&self.walk.viewer().principal(), org, &id)? else { return Ok(None) };
        let counts = if self.wanted.canary.is_some() { 1..=left } else { 0..=0 };
        for count in counts {
            self.walk.step()?;
            let canary = self.wanted.canary.map(|_| count);
            for version in &self.versions {
                let rollout = self.rollout(org, version, canary);
                if asked(&Verb::Service(Service::Rollout(rollout.clone())))? == hash {
                    self.versions = vec![version.clone()];
                    return Ok(Some(Share { organization: org.clone(), id, rollout, subscriptions: canary }));
                }
            }
        }
        let detail = format!(
            "the command `{id}` asked for something else within the last day; a new command needs an id of its own"
        );
        Err(Unplanned::Refused(Problem::new(StatusCode::CONFLICT, detail)))
    }

    /// How many subscriptions of an organization are on another version and can go over, `most` at the most.
    fn count(&self, lane: &Lane, org: &OrgName, version: &str, most: u32) -> Result<u32, Unplanned> {
        let Wanted { service, under, .. } = self.wanted;
        let target = Target::read(lane, &self.shelf, org, (service, version))?;
        let mut count = 0;
        for row in subscriptions::all(lane, org) {
            self.walk.step()?;
            let (place, _, row) = row?;
            let goes = target.is_meant(&row) && under.covers(&place) && target.refusal(&place, &row).is_none();
            count += u32::from(goes);
            if count >= most {
                break;
            }
        }
        Ok(count)
    }
}

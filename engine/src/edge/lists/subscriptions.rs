//! `/api/v1/subscriptions`: who has which services, where. What was made above what somebody manages is seen too: it is
//! inherited there.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::hidden::About;
use linesman_domain::shelf::Shelf;
use linesman_domain::subscriptions::{self, SubscriptionRow};
use linesman_domain::table::{self, Table};
use linesman_domain::values::{self, Whose};
use linesman_schemas::schedule::Schedule;
use linesman_schemas::{Place, PlacePath, ServiceName, SubscriptionName};
use serde::Serialize;
use utoipa::ToSchema;

use super::activated::Activated;
use super::walk::{Walk, answer, unseen};
use super::{Error, activated, rows_from};
use crate::edge::filters::passes;
use crate::edge::filters::tables::Subscriptions;
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::{LineSubscriptionPath, SiteSubscriptionPath, SubscriptionPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::{self, ScheduleBody};
use crate::store::Lane;

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Subscription)]
struct Item {
    /// Where it was made.
    #[schema(schema_with = words::place)]
    place: Place,
    /// Its name there.
    #[schema(value_type = String)]
    name: SubscriptionName,
    /// The service.
    #[schema(value_type = String)]
    service: ServiceName,
    /// The version that it is on.
    version: String,
    /// Whether it rests.
    suspended: bool,
    /// Whether it is to be active.
    active: bool,
    /// When it is active, as long as it is to be; null for always.
    #[schema(value_type = Option<ScheduleBody>)]
    schedule: Option<Schedule>,
    /// Its substitutions at its own place.
    substitutions: Vec<String>,
    /// Who made it.
    by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    changed: Timestamp,
}

/// A subscription, with what of it is activated.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionWithActivations {
    #[serde(flatten)]
    subscription: Item,
    /// Its activations, where it was made and below, a thousand at the most.
    activations: Vec<Activated>,
    /// Whether there are more.
    more_activations: bool,
}

impl Item {
    fn new(
        (viewer, shelf): (&Viewer, &Shelf),
        lane: &Lane,
        (place, name): (Place, SubscriptionName),
        row: SubscriptionRow,
    ) -> Result<Self, Error> {
        let mut given = values::read(lane, &place, Whose::Subscription(&name))?;
        viewer.reader().cut(lane, shelf, (&place, About::Subscription(&name)), &mut given, |given| &given.text)?;
        let schedule = activated::schedule(lane, (&place, &name), &row)?;
        Ok(Self {
            place,
            name,
            service: row.service,
            version: row.version,
            suspended: row.is_suspended,
            active: row.is_active,
            schedule,
            substitutions: given.into_iter().map(|given| given.text).collect(),
            by: row.by,
            created: row.created,
            changed: row.changed,
        })
    }
}

/// Subscriptions, page by page.
#[utoipa::path(
    get, path = "/api/v1/subscriptions", operation_id = "subscriptions", tag = "subscriptions", params(Subscriptions),
    responses((status = 200, description = "A page.", body = Page<Item>))
)]
pub(in crate::edge) async fn subscriptions(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Subscriptions>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

/// A subscription of an organization.
#[utoipa::path(
    get, path = "/api/v1/subscriptions/{organization}/{name}", operation_id = "subscription", tag = "subscriptions",
    params(SubscriptionPath), responses((status = 200, description = "The subscription.", body = SubscriptionWithActivations))
)]
pub(in crate::edge) async fn top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SubscriptionPath { organization, name }): PathOf<SubscriptionPath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| one(walk, Place::Organization(organization), name)).await
}

/// A subscription of a site.
#[utoipa::path(
    get, path = "/api/v1/subscriptions/{organization}/{site}/{name}", operation_id = "subscription.site",
    tag = "subscriptions", params(SiteSubscriptionPath),
    responses((status = 200, description = "The subscription.", body = SubscriptionWithActivations))
)]
pub(in crate::edge) async fn site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SiteSubscriptionPath { organization, site, name }): PathOf<SiteSubscriptionPath>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization, site, line: None });
    answer(&sources, viewer, move |walk| one(walk, place, name)).await
}

/// A subscription of an access line.
#[utoipa::path(
    get, path = "/api/v1/subscriptions/{organization}/{site}/{line}/{name}", operation_id = "subscription.line",
    tag = "subscriptions", params(LineSubscriptionPath),
    responses((status = 200, description = "The subscription.", body = SubscriptionWithActivations))
)]
pub(in crate::edge) async fn line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LineSubscriptionPath { organization, site, line, name }): PathOf<LineSubscriptionPath>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization, site, line: Some(line) });
    answer(&sources, viewer, move |walk| one(walk, place, name)).await
}

fn one(walk: &Walk, place: Place, name: SubscriptionName) -> Result<SubscriptionWithActivations, Error> {
    let lane = place.organization().and_then(|org| walk.lane(org)).filter(|_| walk.viewer().sees_place(&place));
    let lane = lane.ok_or_else(|| unseen(&place))?;
    let nothing = || Error::Nothing(format!("there is no subscription `{name}` at `{place}`"));
    let row = Table::read(lane, &subscriptions::key(&place, &name))?.ok_or_else(nothing)?;
    let shelf = Shelf::default();
    let (activations, more_activations) = activated::activations((walk, &shelf), lane, (&place, &name), &row)?;
    let subscription = Item::new((walk.viewer(), &shelf), lane, (place, name), row)?;
    Ok(SubscriptionWithActivations { subscription, activations, more_activations })
}

fn page(walk: &Walk, list: &Subscriptions, paging: &Paging) -> Result<Page<Item>, Error> {
    let shelf = Shelf::default();
    let is_back = paging.is_descending;
    let mut pager = Pager::new(paging, Offered::InOrder);
    let under = list.under.as_ref().filter(|under| **under != Place::Provider);
    if let Some(under) = under
        && !walk.viewer().sees_place(under)
    {
        return Err(unseen(under));
    }
    let mut organizations: Vec<_> = walk.organizations(under.and_then(Place::organization))?.into_iter().collect();
    if is_back {
        organizations.reverse();
    }
    for (org, rows) in &organizations {
        let after = match &paging.after {
            Some(last) if last.organization == org.as_str() => Some(subscriptions::below(org, &last.key)),
            // All of it was on earlier pages.
            Some(last) if (last.organization.as_str() > org.as_str()) != is_back => continue,
            _ => None,
        };
        let front = subscriptions::below(org, &[]);
        let length = front.len();
        for found in rows_from(rows.lane, front, after, is_back) {
            walk.step()?;
            let (key, bytes) = found?;
            let own = key.get(length..).unwrap_or_default();
            let Some((place, name)) = subscriptions::place_and_name(org, own) else { continue };
            let is_asked = under.is_none_or(|under| under.covers(&place)) && walk.viewer().sees_place(&place);
            if !is_asked {
                continue;
            }
            let row: SubscriptionRow = table::decode(&key, &bytes)?;
            let rank = Rank { value: Value::Key, organization: org.as_str().to_owned(), key: own.to_vec() };
            let offered = pager.offer(rank, |_| {
                let is_wanted =
                    passes(list.name.as_ref(), name.as_str()) && passes(list.service.as_ref(), row.service.as_str());
                if !is_wanted {
                    return Ok(None);
                }
                let item = Item::new((walk.viewer(), &shelf), rows.lane, (place, name), row)?;
                let bytes = item.substitutions.iter().map(String::len).sum::<usize>();
                Ok::<_, Error>(Some((item, bytes)))
            })?;
            if offered.is_break() {
                break;
            }
        }
    }
    Ok(pager.page())
}

//! `/api/v1/values`: what was given at a place. It is read by whoever sees the place, be it above what they manage: it
//! applies there too.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::acquired::{self, Wanted};
use linesman_domain::hidden::About;
use linesman_domain::shelf::Shelf;
use linesman_domain::table::Table;
use linesman_domain::values::{self, Given, Whose};
use linesman_domain::{places, services, subscriptions};
use linesman_rules::values::{Report, Reported};
use linesman_schemas::{OrgName, Place, PlacePath, SubscriptionName};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use super::walk::{Walk, answer, unseen};
use crate::edge::paths::{LinePath, SitePath, TopPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::values::WhoseQuery;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::store::Lane;

/// What was given at a place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Values)]
struct Item {
    /// Where.
    #[schema(schema_with = words::place)]
    place: Place,
    /// The substitutions, as they were written.
    substitutions: Vec<String>,
    /// Who gave each, and when, in the same order.
    given: Vec<GivenBy>,
    /// Of a subscription that is seen at the place: how each of its parameters stands there, and what may be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, serde_json::Value>>)]
    parameters: Option<BTreeMap<String, Reported>>,
}

/// Who gave a substitution.
#[derive(Debug, Serialize, ToSchema)]
struct GivenBy {
    /// Who.
    by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl Item {
    fn new(place: Place, given: Vec<Given>) -> Self {
        let (substitutions, given) = given.into_iter().map(|Given { text, by, at }| (text, GivenBy { by, at })).unzip();
        Self { place, substitutions, given, parameters: None }
    }
}

/// What was given at an organization.
#[utoipa::path(
    get, path = "/api/v1/values/{organization}", operation_id = "values", tag = "values", params(TopPath, WhoseQuery),
    responses((status = 200, description = "The values.", body = Item))
)]
pub(in crate::edge) async fn top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(TopPath { organization }): PathOf<TopPath>,
    Params(query): Params<WhoseQuery>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| read(walk, Place::Organization(organization), &query)).await
}

/// What was given at a site.
#[utoipa::path(
    get, path = "/api/v1/values/{organization}/{site}", operation_id = "values.site", tag = "values",
    params(SitePath, WhoseQuery), responses((status = 200, description = "The values.", body = Item))
)]
pub(in crate::edge) async fn site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(SitePath { organization, site }): PathOf<SitePath>,
    Params(query): Params<WhoseQuery>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization, site, line: None });
    answer(&sources, viewer, move |walk| read(walk, place, &query)).await
}

/// What was given at an access line.
#[utoipa::path(
    get, path = "/api/v1/values/{organization}/{site}/{line}", operation_id = "values.line", tag = "values",
    params(LinePath, WhoseQuery), responses((status = 200, description = "The values.", body = Item))
)]
pub(in crate::edge) async fn line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LinePath { organization, site, line }): PathOf<LinePath>,
    Params(query): Params<WhoseQuery>,
) -> Result<Response, Problem> {
    let place = Place::Below(PlacePath { organization, site, line: Some(line) });
    answer(&sources, viewer, move |walk| read(walk, place, &query)).await
}

fn read(walk: &Walk, place: Place, query: &WhoseQuery) -> Result<Item, Error> {
    let org: &OrgName = place.organization().ok_or_else(|| unseen(&place))?;
    let lane = walk.lane(org).filter(|_| walk.viewer().sees_place(&place)).ok_or_else(|| unseen(&place))?;
    if !places::is_there(lane, &place)? {
        return Err(unseen(&place));
    }
    let whose = match (&query.subscription, &query.service) {
        (Some(name), _) => {
            if subscriptions::seen(lane, &place, name)?.is_none() {
                let detail = format!("`{name}` is no subscription at `{place}`, nor above it");
                return Err(Error::Nothing(detail));
            }
            Whose::Subscription(name)
        }
        (None, Some(service)) => {
            if Table::read(lane, &services::newest_key(service))?.is_none() {
                return Err(Error::Nothing(format!("there is no service `{service}`")));
            }
            Whose::Localized(service)
        }
        (None, None) => Whose::Own,
    };
    let mut given = values::read(lane, &place, whose)?;
    let shelf = Shelf::default();
    let about = match whose {
        Whose::Own => About::All,
        Whose::Subscription(name) => About::Subscription(name),
        Whose::Localized(service) => About::Service(service),
    };
    walk.viewer().reader().cut(lane, &shelf, (&place, about), &mut given, |given| &given.text)?;
    let parameters = match &query.subscription {
        Some(name) => Some(standing(walk, lane, &shelf, &place, name)?),
        None => None,
    };
    Ok(Item { parameters, ..Item::new(place, given) })
}

/// How the parameters of a subscription stand at a place where it is seen.
fn standing(
    walk: &Walk,
    lane: &Lane,
    shelf: &Shelf,
    place: &Place,
    name: &SubscriptionName,
) -> Result<BTreeMap<String, Reported>, Error> {
    let Some((_, row)) = subscriptions::seen(lane, place, name)? else { return Ok(BTreeMap::new()) };
    let service = Some((&row.service, row.version.as_str()));
    let wanted = Wanted { place, service, subscription: Some(name), activation: None, instead: None };
    let gathered = acquired::gather(lane, shelf, &wanted)?;
    Ok(gathered.acquire(|values| {
        let mut parameters = Report::of(values).parameters;
        if let Some(service) = &gathered.service {
            walk.viewer().reader().veil(&service.definition, values).cut(&mut parameters);
        }
        parameters
    }))
}

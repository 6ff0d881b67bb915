//! `/api/v1/explain`: where a parameter's value at a place comes from: its type, status, value, source and place; every
//! source in order, found or not, with who set it and when; how it was narrowed and renamed; and what is wrong with it. It is read by whoever sees the place: what stands
//! above it applies there.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use linesman_domain::acquired::{self, Wanted};
use linesman_domain::activations::wanted::{path, wishes};
use linesman_domain::shelf::Shelf;
use linesman_domain::table::Table;
use linesman_domain::{places, services, subscriptions};
use linesman_rules::values::Explanation;
use linesman_schemas::{Place, ServiceName, SubscriptionName};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Error;
use super::walk::{Walk, answer, unseen};
use crate::edge::paths::{LinePath, SitePath, TopPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;

/// Which value.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct ExplainQuery {
    /// The service.
    #[param(value_type = String, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    service: ServiceName,
    /// The parameter.
    parameter: String,
    /// The subscription to it, where several are seen at the place.
    #[param(value_type = Option<String>, required = false, pattern = "^[a-z][a-z0-9-]{0,63}$")]
    subscription: Option<SubscriptionName>,
    /// The activation whose values count; where nothing is said that of the subscription which alone reaches the place.
    #[param(required = false)]
    activation: Option<String>,
}

/// Where a parameter's value at an organization comes from.
#[utoipa::path(
    get, path = "/api/v1/explain/{organization}", operation_id = "explain", tag = "values",
    params(TopPath, ExplainQuery), responses((status = 200, description = "The value and its sources.", body = serde_json::Value))
)]
pub(in crate::edge) async fn top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(TopPath { organization }): PathOf<TopPath>,
    Params(query): Params<ExplainQuery>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| read(walk, Place::Organization(organization), &query)).await
}

/// Where a parameter's value at a site comes from.
#[utoipa::path(
    get, path = "/api/v1/explain/{organization}/{site}", operation_id = "explain.site", tag = "values",
    params(SitePath, ExplainQuery), responses((status = 200, description = "The value and its sources.", body = serde_json::Value))
)]
pub(in crate::edge) async fn site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<SitePath>,
    Params(query): Params<ExplainQuery>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| read(walk, Place::Below(path.into()), &query)).await
}

/// Where a parameter's value at an access line comes from.
#[utoipa::path(
    get, path = "/api/v1/explain/{organization}/{site}/{line}", operation_id = "explain.line", tag = "values",
    params(LinePath, ExplainQuery), responses((status = 200, description = "The value and its sources.", body = serde_json::Value))
)]
pub(in crate::edge) async fn line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<LinePath>,
    Params(query): Params<ExplainQuery>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| read(walk, Place::Below(path.into()), &query)).await
}

fn read(walk: &Walk, place: Place, query: &ExplainQuery) -> Result<Explanation, Error> {
    let ExplainQuery { service, parameter, subscription, activation } = query;
    let org = place.organization().ok_or_else(|| unseen(&place))?;
    let lane = walk.lane(org).filter(|_| walk.viewer().sees_place(&place)).ok_or_else(|| unseen(&place))?;
    if !places::is_there(lane, &place)? {
        return Err(unseen(&place));
    }
    let floors = path(lane, &place)?;
    let mut reaching = wishes(&floors);
    reaching.retain(|_, wish| wish.subscription.service == *service);
    let named = match activation {
        None => None,
        Some(id) => {
            let nothing = || Error::Nothing(format!("no activation `{id}` of `{service}` reaches `{place}`"));
            let wish = reaching.remove(id).filter(|wish| subscription.as_ref().is_none_or(|name| *name == wish.name));
            Some(wish.ok_or_else(nothing)?)
        }
    };
    let subscription = named.as_ref().map(|wish| &wish.name).or(subscription.as_ref());
    let seen = subscriptions::all_seen(lane, &place)?;
    let mut to_it =
        seen.iter().filter(|(name, row)| row.service == *service && subscription.is_none_or(|wanted| wanted == *name));
    let (through, version) = match (to_it.next(), to_it.next()) {
        (Some((name, row)), None) => (Some(name), row.version.clone()),
        (Some(_), Some(_)) => {
            let detail = format!("`{place}` sees several subscriptions to `{service}`: name one with `subscription`");
            return Err(Error::Several(detail));
        }
        (None, _) => match (subscription, Table::read(lane, &services::newest_key(service))?) {
            (Some(name), _) => {
                let detail = format!("`{name}` is no subscription to `{service}` at `{place}`, nor above it");
                return Err(Error::Nothing(detail));
            }
            (None, Some(newest)) => (None, newest.version),
            (None, None) => return Err(Error::Nothing(format!("there is no service `{service}`"))),
        },
    };
    let mut counting = reaching.into_values().filter(|wish| wish.is_on && Some(&wish.name) == through);
    let alone = counting.next().filter(|_| counting.next().is_none());
    let given = named.or(alone).map(|wish| (wish.activated, wish.substitutions));
    let wanted = Wanted {
        place: &place,
        service: Some((service, &version)),
        subscription: through,
        activation: given.as_ref().map(|(activated, given)| (activated, &given[..])),
        instead: None,
    };
    let gathered = acquired::gather(lane, &Shelf::default(), &wanted)?;
    let explained = gathered.acquire(|values| {
        let explained = values.explain(parameter)?;
        match &gathered.service {
            Some(service) => walk.viewer().reader().veil(&service.definition, values).explanation(explained),
            None => Some(explained),
        }
    });
    let nothing = || Error::Nothing(format!("`{service}` has no parameter `{parameter}` at `{place}`"));
    explained.ok_or_else(nothing)
}

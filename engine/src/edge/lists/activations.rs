//! `/api/v1/activations`: what of subscriptions the devices of access lines have, line by line.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::activations::origins::{self, Origin, Origins};
use linesman_domain::activations::parts::{self, Goal, PartRow, State as Standing};
use linesman_domain::rollouts::level_of;
use linesman_domain::shelf::Shelf;
use linesman_domain::table::{self, Table};
use linesman_rules::Strictness;
use linesman_rules::configuration::Configuration;
use linesman_rules::services::Level;
use linesman_schemas::{OrgName, Place, PlacePath, ServiceName, SubscriptionName};
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::{OrgRows, Walk, answer, unseen};
use super::{Error, rows_from};
use crate::edge::filters::passes;
use crate::edge::filters::tables::Activations;
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::ActivationPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words::{self, ActivationState};
use crate::store::Lane;

/// An activation at an access line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Activation)]
struct Item {
    /// Its id.
    activation: String,
    /// The subscription's name.
    #[schema(value_type = String)]
    subscription: SubscriptionName,
    /// Where that was made.
    #[schema(schema_with = words::place)]
    subscribed: Place,
    /// Where it was activated: there or below.
    #[schema(schema_with = words::place)]
    place: Place,
    /// The access line.
    #[schema(schema_with = words::place)]
    line: PlacePath,
    /// The service.
    #[schema(value_type = String)]
    service: ServiceName,
    /// The service's version that it was rendered with last.
    version: String,
    /// How it stands there.
    state: ActivationState,
    /// Why it failed, or what it waits for while it is pending; empty otherwise.
    reason: String,
    /// The serial number of the device that has it; empty where none does.
    device: String,
    /// The configuration group that it is there; empty where there is none.
    group: String,
    /// When it came to stand so.
    #[schema(value_type = String, format = DateTime)]
    changed: Timestamp,
}

/// An activation at an access line, with what its device was told.
#[derive(Debug, Serialize, ToSchema)]
struct ActivationWithConfiguration {
    #[serde(flatten)]
    activation: Item,
    /// What the device was told last that its group holds; empty where that is nothing, or something of it is hidden.
    configuration: String,
    /// Whether it is not shown, because what is fixed above and hidden stands in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    hidden: bool,
    /// What that sets, one by one, and whose it is.
    statements: Vec<OwnedStatement>,
}

/// What a configuration sets, and whose it is.
#[derive(Debug, Serialize, ToSchema)]
struct OwnedStatement {
    /// The words of it, as one would `set` them; empty where it is hidden.
    statement: String,
    /// Whether it is not shown, because what is fixed above and hidden stands in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    hidden: bool,
    /// The subscription that it comes of.
    #[schema(value_type = String)]
    subscription: SubscriptionName,
    /// At which level that was activated.
    #[schema(schema_with = words::service_level)]
    level: Level,
    /// The parameters whose values stand in it, as they are given now: none where it would not be rendered any more. What
    /// is fixed above and hidden is not named.
    parameters: Vec<StandingParameter>,
}

/// A parameter whose value stands in a statement.
#[derive(Debug, Serialize, ToSchema)]
struct StandingParameter {
    /// Its name.
    parameter: String,
    /// The source of the value that counts.
    #[schema(value_type = String)]
    source: &'static str,
    /// Where that stands; null for what is the same everywhere.
    #[schema(schema_with = words::place_or_none)]
    place: Option<Place>,
}

impl Item {
    fn new(
        viewer: &Viewer,
        (lane, shelf): (&Lane, &Shelf),
        line: PlacePath,
        activation: String,
        part: PartRow,
    ) -> Result<Self, Error> {
        let sees = |place: &Place| viewer.sees_place(place);
        let told = origins::reason(lane, shelf, (&line, &activation), &part, (viewer.reader(), &sees))?;
        let reason = match (part.state, told) {
            (Standing::Pending, "") => waits_for(&part),
            (_, told) => told.to_owned(),
        };
        Ok(Self {
            activation,
            subscription: part.name,
            subscribed: part.subscribed,
            place: part.activated,
            line,
            service: part.service,
            version: part.version,
            state: part.state.into(),
            reason,
            device: part.device,
            group: part.group,
            changed: part.changed,
        })
    }
}

impl ActivationWithConfiguration {
    fn new(activation: Item, part: &PartRow, origins: &Origins) -> Self {
        let level = level_of(&part.activated);
        // It was printed from a configuration. Of what does not read as one nobody knows what stands in it.
        let known = Configuration::parse(part.to_hold());
        let is_unread = known.is_err() && origins.is_veiled();
        let leaves = known.map(|known| known.leaves(Strictness::Utmost)).unwrap_or_default();
        let owned = |statement: String| {
            let parameters = origins.of(&statement).iter().map(|Origin { parameter, source, place }| {
                StandingParameter { parameter: parameter.clone(), source: source.as_str(), place: place.clone() }
            });
            let (parameters, hidden) = (parameters.collect(), origins.hides(&statement));
            let statement = if hidden { String::new() } else { statement };
            OwnedStatement { parameters, statement, hidden, subscription: part.name.clone(), level }
        };
        let statements: Vec<OwnedStatement> = leaves.iter().map(|leaf| owned(leaf.to_string())).collect();
        let hidden = is_unread || statements.iter().any(|statement| statement.hidden);
        let configuration = if hidden { String::new() } else { part.to_hold().to_owned() };
        Self { activation, configuration, hidden, statements }
    }
}

/// What a part that is pending waits for.
fn waits_for(part: &PartRow) -> String {
    let what = if part.goal == Goal::On { "has" } else { "has no more" };
    format!("the device `{}` has still to answer that it {what} the group, since {}", part.device, part.changed)
}

/// Activations, access line by access line, page by page.
#[utoipa::path(
    get, path = "/api/v1/activations", operation_id = "activations", tag = "subscriptions", params(Activations),
    responses((status = 200, description = "A page.", body = Page<Item>))
)]
pub(in crate::edge) async fn activations(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Activations>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

/// One activation at an access line, with what its device was told.
#[utoipa::path(
    get, path = "/api/v1/activations/{organization}/{site}/{line}/{activation}", operation_id = "activation",
    tag = "subscriptions", params(ActivationPath),
    responses((status = 200, description = "The activation.", body = ActivationWithConfiguration))
)]
pub(in crate::edge) async fn activation(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<ActivationPath>,
) -> Result<Response, Problem> {
    let ActivationPath { organization, site, line, activation } = path;
    let line = PlacePath { organization, site, line: Some(line) };
    answer(&sources, viewer, move |walk| one(walk, line, activation)).await
}

fn one(walk: &Walk, line: PlacePath, id: String) -> Result<ActivationWithConfiguration, Error> {
    let place = Place::Below(line.clone());
    let lane = walk.lane(&line.organization).filter(|_| walk.viewer().sees_place(&place));
    let lane = lane.ok_or_else(|| unseen(&place))?;
    let nothing = || Error::Nothing(format!("there is no activation `{id}` at `{line}`"));
    let part = Table::read(lane, &parts::key(&line, &id))?.ok_or_else(nothing)?;
    let (shelf, viewer) = (Shelf::default(), walk.viewer());
    let origins = origins::of_part(lane, &shelf, (&line, &id), &part, viewer.reader())?;
    let item = Item::new(viewer, (lane, &shelf), line, id, part.clone())?;
    Ok(ActivationWithConfiguration::new(item, &part, &origins))
}

fn page(walk: &Walk, list: &Activations, paging: &Paging) -> Result<Page<Item>, Error> {
    let is_back = paging.is_descending;
    let mut pager = Pager::new(paging, Offered::InOrder);
    let shelf = Shelf::default();
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
            Some(last) if last.organization == org.as_str() => Some(parts::below(org, &last.key)),
            // All of it was on earlier pages.
            Some(last) if (last.organization.as_str() > org.as_str()) != is_back => continue,
            _ => None,
        };
        offer((walk, &shelf), list, &mut pager, (org, rows), after, is_back)?;
    }
    Ok(pager.page())
}

/// Offers the parts of an organization's lines, from behind the key `after` on.
fn offer(
    (walk, shelf): (&Walk, &Shelf),
    list: &Activations,
    pager: &mut Pager<'_, Item>,
    (org, rows): (&OrgName, &OrgRows<'_>),
    after: Option<Vec<u8>>,
    is_back: bool,
) -> Result<(), Error> {
    let length = parts::below(org, &[]).len();
    let front = match &list.under {
        Some(Place::Below(under)) => parts::under(under),
        Some(Place::Provider | Place::Organization(_)) | None => parts::below(org, &[]),
    };
    for found in rows_from(rows.lane, front, after, is_back) {
        walk.step()?;
        let (key, bytes) = found?;
        let own = key.get(length..).unwrap_or_default();
        let Some((line, id)) = parts::line_and_id(org, own) else { continue };
        if !walk.viewer().sees_place(&Place::Below(line.clone())) {
            continue;
        }
        let part: PartRow = table::decode(&key, &bytes)?;
        let rank = Rank { value: Value::Key, organization: org.as_str().to_owned(), key: own.to_vec() };
        let offered = pager.offer(rank, |_| {
            let is_wanted = list.state.is_none_or(|state| state == part.state.into())
                && passes(list.activation.as_ref(), &id)
                && passes(list.subscription.as_ref(), part.name.as_str())
                && passes(list.service.as_ref(), part.service.as_str());
            // What the device was told is shown of one alone.
            let bytes = 256 + part.reason.len();
            if !is_wanted {
                return Ok(None);
            }
            Ok::<_, Error>(Some((Item::new(walk.viewer(), (rows.lane, shelf), line, id, part)?, bytes)))
        })?;
        if offered.is_break() {
            break;
        }
    }
    Ok(())
}

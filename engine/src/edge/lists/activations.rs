//! `/api/v1/activations`: what of subscriptions the devices of access lines have, line by line.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::activations::origins::{self, Origin, Origins};
use linesman_domain::activations::parts::{self, Goal, PartRow, State as Standing};
use linesman_domain::activations::pushes::{self, DifferenceRow, SaidRow};
use linesman_domain::activations::waves::{self, Turn};
use linesman_domain::rollouts::level_of;
use linesman_domain::shelf::Shelf;
use linesman_domain::table::{self, Table};
use linesman_rules::Strictness;
use linesman_rules::configuration::Configuration;
use linesman_rules::services::Level;
use linesman_schemas::{OrgName, Place, PlacePath, ReactionId, ServiceName, SubscriptionName};
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
    /// Why it failed or is held, or what it waits for while it is pending; empty otherwise.
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
    /// What the device said last that a change of it comes to; null where it has said nothing, or where something of the
    /// values is hidden.
    difference: Option<SaidDifference>,
}

/// What a device said that a change comes to. Secrets are withheld.
#[derive(Debug, Serialize, ToSchema)]
struct SaidDifference {
    /// The device's own comparison, of a long one the lines that come first; empty where it had all of it.
    text: String,
    /// Whether there are more lines.
    cut: bool,
    /// How many lines came.
    added: u64,
    /// How many went.
    removed: u64,
    /// The SHA-256 of the whole comparison without its secrets.
    sha256: String,
    /// When it was reported.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl SaidDifference {
    fn of(said: SaidRow) -> Option<Self> {
        let DifferenceRow { text, added, removed, sha256, is_cut: cut } = said.difference?;
        Some(Self { text, cut, added, removed, sha256, at: said.at })
    }
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
        let (state, reason) = stands(viewer, (lane, shelf), (&line, &activation), &part)?;
        Ok(Self {
            activation,
            subscription: part.name,
            subscribed: part.subscribed,
            place: part.activated,
            line,
            service: part.service,
            version: part.version,
            state,
            reason,
            device: part.device,
            group: part.group,
            changed: part.changed,
        })
    }
}

impl ActivationWithConfiguration {
    fn new(activation: Item, part: &PartRow, origins: &Origins, said: Option<SaidRow>) -> Self {
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
        // What it says goes back to values that are given no more.
        let difference = said.filter(|_| !origins.is_veiled()).and_then(SaidDifference::of);
        Self { activation, configuration, hidden, statements, difference }
    }
}

/// What stands for why a device takes a change back where that may quote what is hidden.
const TAKEN_BACK: &str =
    "the device takes the change back; why is not shown: it may tell what is fixed above and hidden";

/// How a part stands for whoever asks, and why.
///
/// # Errors
/// The store cannot be read.
pub(super) fn stands(
    viewer: &Viewer,
    (lane, shelf): (&Lane, &Shelf),
    (line, activation): (&PlacePath, &str),
    part: &PartRow,
) -> Result<(ActivationState, String), Error> {
    let sees = |place: &Place| viewer.sees_place(place);
    let told = origins::reason(lane, shelf, (line, activation), part, (viewer.reader(), &sees))?;
    let turn = turn(lane, line, part)?;
    let reason = match (turn, part.state, told) {
        (Turn::Held(held), ..) => held.told(),
        (Turn::Waits, ..) => "other devices are told first".to_owned(),
        (Turn::Told, Standing::Pending, "") => {
            let asked = match &part.reaction {
                Some(reaction) => pushes::asked(lane, &line.organization, reaction)?,
                None => None,
            };
            match asked {
                Some(approval) => {
                    format!("what it comes to on the device `{}` awaits approval: `{approval}`", part.device)
                }
                None => {
                    let mut said = pushes::said(lane, line, activation)?;
                    if let Some(taken_back) = said.as_mut().and_then(|said| said.taken_back.as_mut())
                        && origins::may_quote(lane, shelf, (line, activation), part, viewer.reader())?
                    {
                        *taken_back = TAKEN_BACK.to_owned();
                    }
                    let sees_all = sees(&Place::Organization(line.organization.clone()));
                    waits_for(part, said.as_ref(), sees_all)
                }
            }
        }
        (Turn::Told, _, told) => told.to_owned(),
    };
    Ok((shown(turn, part), reason))
}

/// What a part that is pending waits for, by what was said of it; why the device was not reached for whoever sees how it is.
fn waits_for(part: &PartRow, said: Option<&SaidRow>, sees_all: bool) -> String {
    let what = if part.goal == Goal::On { "has" } else { "has no more" };
    let mut words =
        format!("the device `{}` has still to answer that it {what} the group, since {}", part.device, part.changed);
    let of_this = |reaction: &ReactionId| Some(reaction) == part.reaction.as_ref();
    if let Some(told) = said.filter(|said| of_this(&said.reaction)).and_then(|said| said.taken_back.as_ref()) {
        words += &format!("; last {told}");
    }
    match said.and_then(|said| said.unreached.as_ref()).filter(|(reaction, _)| of_this(reaction)) {
        Some((_, why)) if sees_all => words += &format!("; the last attempt did not come as far: {why}"),
        Some(_) => words += "; the last attempt did not come as far",
        None => {}
    }
    words
}

/// How it is with the turn of a part's change.
fn turn(lane: &Lane, line: &PlacePath, part: &PartRow) -> Result<Turn, Error> {
    let reaction = part.reaction.as_ref().filter(|_| part.state == Standing::Pending);
    Ok(reaction.map_or(Ok(Turn::Told), |reaction| waves::turn(lane, &line.organization, reaction))?)
}

/// How a part stands for whoever asks.
fn shown(turn: Turn, part: &PartRow) -> ActivationState {
    match turn {
        Turn::Held(_) => ActivationState::Held,
        Turn::Told | Turn::Waits => part.state.into(),
    }
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
    let said = pushes::said(lane, &line, &id)?;
    let item = Item::new(viewer, (lane, &shelf), line, id, part.clone())?;
    Ok(ActivationWithConfiguration::new(item, &part, &origins, said))
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
            let state = list.state.map(|state| Ok::<_, Error>(state == shown(turn(rows.lane, &line, &part)?, &part)));
            let is_wanted = state.transpose()?.unwrap_or(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_device_was_not_reached_is_told_to_whoever_sees_the_organization() {
        let reaction: ReactionId = ReactionId::of(&"acme".parse().unwrap(), 7, Timestamp::UNIX_EPOCH);
        let part = PartRow {
            name: "limit".parse().unwrap(),
            subscribed: "acme".parse().unwrap(),
            activated: "acme".parse().unwrap(),
            service: "cap".parse().unwrap(),
            version: String::new(),
            device: "pe-1".to_owned(),
            group: "linesman-a".to_owned(),
            text: String::new(),
            held: None,
            goal: Goal::On,
            state: Standing::Pending,
            reason: String::new(),
            conflict: None,
            is_of_device: false,
            reaction: Some(reaction.clone()),
            changed: Timestamp::UNIX_EPOCH,
            against: None,
        };
        let said = |of: ReactionId| SaidRow {
            reaction: reaction.clone(),
            at: Timestamp::UNIX_EPOCH,
            difference: None,
            taken_back: Some("it takes it back".to_owned()),
            times: 1,
            unreached: Some((of, "192.0.2.1: refused".to_owned())),
        };
        let plain = "the device `pe-1` has still to answer that it has the group, since 1970-01-01T00:00:00Z";
        assert_eq!(waits_for(&part, None, true), plain);
        let this = said(reaction.clone());
        let back = format!("{plain}; last it takes it back");
        let far = "; the last attempt did not come as far";
        assert_eq!(waits_for(&part, Some(&this), true), format!("{back}{far}: 192.0.2.1: refused"));
        assert_eq!(waits_for(&part, Some(&this), false), format!("{back}{far}"));
        let another = ReactionId::of(&"acme".parse().unwrap(), 8, Timestamp::UNIX_EPOCH);
        assert_eq!(waits_for(&part, Some(&said(another)), true), back);
    }
}

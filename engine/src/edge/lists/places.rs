//! `/api/v1/places`: organizations, their sites and access lines.
//!
//! Of an organization that is seen as a whole the rows are walked in their order; of another, or below a site, they are
//! gathered from the few places that are seen, with those above them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::places::{self, PlaceRow};
use linesman_domain::rights::Extent;
use linesman_domain::table::{self, Table};
use linesman_domain::{Error as DomainError, organizations};
use linesman_schemas::{OrgName, Place, PlacePath};
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::{OrgRows, Walk, answer, unknown};
use super::{Error, rows_from};
use crate::edge::filters::passes;
use crate::edge::filters::tables::Places;
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::{LinePath, SitePath, TopPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::store::Lane;

/// A place; what it has not is empty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Place)]
struct Item {
    /// Which place: an organization, a site of it or an access line of that.
    #[schema(schema_with = words::place)]
    place: Place,
    /// The name people see.
    display_name: String,
    /// The device that serves it, by serial number or host name.
    device: String,
    /// The interface there.
    interface: String,
    /// Addresses, with or without a prefix length.
    addresses: Vec<String>,
    /// In bits per second.
    speed: Option<u64>,
    /// When it was defined; none for an organization.
    created: Option<Timestamp>,
    /// When it was changed last; none for an organization.
    changed: Option<Timestamp>,
}

/// A place, with the devices that are tied to it.
#[derive(Debug, Serialize, ToSchema)]
struct PlaceWithDevices {
    #[serde(flatten)]
    place: Item,
    /// By what names devices are tied to the place itself, where all of it is seen.
    devices: Vec<String>,
}

/// Places, page by page.
#[utoipa::path(
    get, path = "/api/v1/places", operation_id = "places", tag = "places", params(Places),
    responses((status = 200, description = "A page.", body = Page<Item>))
)]
pub(in crate::edge) async fn places(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Places>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

/// An organization, as a place.
#[utoipa::path(
    get, path = "/api/v1/places/{organization}", operation_id = "place", tag = "places", params(TopPath),
    responses((status = 200, description = "The place.", body = PlaceWithDevices))
)]
pub(in crate::edge) async fn top(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(TopPath { organization }): PathOf<TopPath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let row = walk.one(&organization, &organizations::key(&organization), || unknown(&organization).to_string())?;
        Ok(PlaceWithDevices { place: Item::top(&organization, row.display_name), devices: Vec::new() })
    })
    .await
}

/// A site.
#[utoipa::path(
    get, path = "/api/v1/places/{organization}/{site}", operation_id = "place.site", tag = "places", params(SitePath),
    responses((status = 200, description = "The place.", body = PlaceWithDevices))
)]
pub(in crate::edge) async fn site(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<SitePath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| one(walk, path.into())).await
}

/// An access line.
#[utoipa::path(
    get, path = "/api/v1/places/{organization}/{site}/{line}", operation_id = "place.line", tag = "places", params(LinePath),
    responses((status = 200, description = "The place.", body = PlaceWithDevices))
)]
pub(in crate::edge) async fn line(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<LinePath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| one(walk, path.into())).await
}

fn one(walk: &Walk, place: PlacePath) -> Result<PlaceWithDevices, Error> {
    let nothing = || Error::Nothing(format!("there is no place `{place}`"));
    let whole = Place::Below(place.clone());
    if !walk.viewer().sees_place(&whole) {
        return Err(nothing());
    }
    let lane = walk.lane(&place.organization).ok_or_else(nothing)?;
    let row = Table::read(lane, &places::key(&place))?.ok_or_else(nothing)?;
    let devices = match walk.viewer().reach().covers(&whole) {
        true => places::ties(lane, &place).map(|tie| tie.map(|(device, _)| device)).collect::<Result<_, _>>()?,
        false => Vec::new(),
    };
    Ok(PlaceWithDevices { place: Item::new(place, row), devices })
}

/// A place's own key, and the place.
type Found = Result<(Vec<u8>, Item), Error>;

fn page(walk: &Walk, list: &Places, paging: &Paging) -> Result<Page<Item>, Error> {
    let is_back = paging.is_descending;
    let mut pager = Pager::new(paging, Offered::InOrder);
    let under = list.under.as_ref().filter(|under| **under != Place::Provider);
    let organizations = walk.organizations(under.and_then(Place::organization))?;
    look_below(walk, under)?;
    let mut organizations: Vec<_> = organizations.into_iter().collect();
    if is_back {
        organizations.reverse();
    }
    for (org, rows) in &organizations {
        let after = match &paging.after {
            Some(last) if last.organization == org.as_str() => Some(last.key.as_slice()),
            // All of it was on earlier pages.
            Some(last) if (last.organization.as_str() > org.as_str()) != is_back => continue,
            _ => None,
        };
        for found in found(walk, (org, rows), under, after, is_back)? {
            walk.step()?;
            let (key, item) = found?;
            let rank = Rank { value: Value::Key, organization: org.as_str().to_owned(), key };
            let offered = pager.offer(rank, |_| {
                let is_wanted = passes(list.display_name.as_ref(), &item.display_name)
                    && passes(list.device.as_ref(), &item.device);
                let bytes = item.display_name.len() + item.addresses.iter().map(String::len).sum::<usize>();
                Ok::<_, Error>(is_wanted.then_some((item, bytes)))
            })?;
            if offered.is_break() {
                break;
            }
        }
    }
    Ok(pager.page())
}

/// What lies under a place that is not there, or not for whoever asks, is nothing.
fn look_below(walk: &Walk, under: Option<&Place>) -> Result<(), Error> {
    let Some(Place::Below(place)) = under else { return Ok(()) };
    let nothing = || Error::Nothing(format!("there is no place `{place}`"));
    let lane = walk.lane(&place.organization).ok_or_else(nothing)?;
    let is_there = Table::read(lane, &places::key(place))?.is_some();
    if is_there && walk.viewer().sees_place(&Place::Below(place.clone())) { Ok(()) } else { Err(nothing()) }
}

/// The places of an organization that are seen, in order.
fn found<'a>(
    walk: &'a Walk,
    (org, rows): (&'a OrgName, &'a OrgRows<'_>),
    under: Option<&Place>,
    after: Option<&[u8]>,
    is_back: bool,
) -> Result<Box<dyn Iterator<Item = Found> + 'a>, Error> {
    let top = || Ok((Vec::new(), Item::top(org, rows.row.display_name.clone())));
    let is_whole = walk.viewer().reach().extent(org) == Extent::All;
    if is_whole && !matches!(under, Some(Place::Below(_))) {
        let stored = stored(rows.lane, org, after, is_back);
        return Ok(match is_back {
            true => Box::new(stored.chain(std::iter::once_with(top))),
            false => Box::new(std::iter::once_with(top).chain(stored)),
        });
    }
    let mut some = gathered(walk, (org, rows.lane), under)?;
    if under.is_none_or(|under| under.covers(&Place::Organization(org.clone()))) {
        some.insert(Vec::new(), Item::top(org, rows.row.display_name.clone()));
    }
    let some = some.into_iter().map(Ok);
    Ok(if is_back { Box::new(some.rev()) } else { Box::new(some) })
}

/// All places below an organization, from behind `after` on.
fn stored<'a>(
    lane: &'a Lane,
    org: &'a OrgName,
    after: Option<&[u8]>,
    is_back: bool,
) -> impl Iterator<Item = Found> + 'a {
    let prefix = places::below(org, &[]);
    let front = prefix.len();
    let from = after.map(|own| places::below(org, own));
    rows_from(lane, prefix, from, is_back).filter_map(move |found| {
        let read = || -> Result<Option<(Vec<u8>, Item)>, Error> {
            let (key, bytes) = found?;
            let own = key.get(front..).unwrap_or_default();
            let place = std::str::from_utf8(own).ok().and_then(|own| places::path(org, own));
            let row = table::decode(&key, &bytes)?;
            Ok(place.map(|place| (own.to_vec(), Item::new(place, row))))
        };
        read().transpose()
    })
}

/// The places of an organization below `under` that are seen where not all of it is, and those above them.
fn gathered(
    walk: &Walk,
    (org, lane): (&OrgName, &Lane),
    under: Option<&Place>,
) -> Result<BTreeMap<Vec<u8>, Item>, Error> {
    let mut some = BTreeMap::new();
    let mut put = |(place, row): (PlacePath, PlaceRow)| {
        let front = places::below(org, &[]).len();
        let own = places::key(&place).into_bytes().split_off(front);
        some.insert(own, Item::new(place, row));
    };
    let own = |place: &PlacePath| -> Result<Option<(PlacePath, PlaceRow)>, DomainError> {
        Ok(Table::read(lane, &places::key(place))?.map(|row| (place.clone(), row)))
    };
    for place in roots(walk, org, under) {
        let Place::Below(place) = place else { continue };
        own(&place)?.map(&mut put);
        match &place.line {
            Some(_) => {
                let site = PlacePath { line: None, ..place.clone() };
                if under.is_none_or(|under| under.covers(&Place::Below(site.clone()))) {
                    own(&site)?.map(&mut put);
                }
            }
            None => {
                for line in places::lines(lane, org, &place.site) {
                    walk.step()?;
                    put(line?);
                }
            }
        }
    }
    Ok(some)
}

/// The highest places of an organization that are seen and lie under `under`.
fn roots(walk: &Walk, org: &OrgName, under: Option<&Place>) -> Vec<Place> {
    let reach = walk.viewer().reach();
    let Some(under) = under else { return reach.places(org).cloned().collect() };
    if reach.covers(under) {
        return vec![under.clone()];
    }
    reach.places(org).filter(|place| under.covers(place)).cloned().collect()
}

impl Item {
    fn top(org: &OrgName, display_name: String) -> Self {
        Self {
            place: Place::Organization(org.clone()),
            display_name,
            device: String::new(),
            interface: String::new(),
            addresses: Vec::new(),
            speed: None,
            created: None,
            changed: None,
        }
    }

    fn new(place: PlacePath, row: PlaceRow) -> Self {
        Self {
            place: Place::Below(place),
            display_name: row.display_name,
            device: row.device,
            interface: row.interface,
            addresses: row.addresses,
            speed: Some(row.speed).filter(|speed| *speed > 0),
            created: Some(row.created),
            changed: Some(row.changed),
        }
    }
}

//! `/api/v1/intelligence`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use linesman_schemas::intelligence::{Relevance as Named, State as StateOf};
use linesman_schemas::{OrgName, Place};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::affected::{AffectedOrganization, DEVICES_MOST};
use super::told::{IntelligenceMessage, find};
use super::walk::{OrgRows, Walk, answer, unknown};
use super::{Error, Found, Stored, page};
use crate::edge::filters::tables::IntelligenceMessages;
use crate::edge::filters::{Filter, Glob, Limit, Listing, is, lies, passes};
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::paths::{MessagePath, ProvidedPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::store::Lane;
use linesman_domain::devices;
use linesman_domain::intelligence::impact::Impact as Engine;
use linesman_domain::intelligence::provided::{self, ProvidedRow};
use linesman_domain::intelligence::relevance::{Concern, Traits};
use linesman_domain::intelligence::standing::{self, StandingRow};
use linesman_domain::intelligence::{self, IntelligenceRow, sent};
use linesman_domain::sight::Sight;
use linesman_domain::snapshots::parts;
use linesman_domain::table::{self, Table};

/// How many devices the answer to one scan for impact has in all; beyond that they are counted.
const DEVICES_IN_ALL: usize = 10_000;

/// Intelligence messages, page by page.
#[utoipa::path(
    get, path = "/api/v1/intelligence", operation_id = "intelligence", tag = "intelligence", params(IntelligenceMessages),
    responses((status = 200, description = "A page.", body = Page<IntelligenceMessage>))
)]
pub(in crate::edge) async fn messages(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<IntelligenceMessages>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| {
        let concerning = list.concerns.as_ref().map(|org| concerning(walk, org)).transpose()?;
        let sent = list.sent_to.as_ref().map(|org| sent_to(walk, org)).transpose()?;
        let concerning = match (concerning, sent) {
            (Some(concerning), Some(sent)) => Some(concerning.intersection(&sent).cloned().collect()),
            (concerning, sent) => concerning.or(sent),
        };
        page(walk, &Narrowed { list, concerning }, &paging)
    })
    .await
}

/// One intelligence message of the provider's.
#[utoipa::path(
    get, path = "/api/v1/intelligence/{message}", operation_id = "provided-message", tag = "intelligence", params(ProvidedPath),
    responses((status = 200, description = "The message.", body = IntelligenceMessage))
)]
pub(in crate::edge) async fn provided(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ProvidedPath { message }): PathOf<ProvidedPath>,
) -> Result<Response, Problem> {
    viewer.may("provided-message", &Place::Provider)?;
    answer(&sources, viewer, move |walk| Ok(IntelligenceMessage::new(None, find(walk, &message)?.into()))).await
}

/// Whom a message of the provider's concerns.
#[derive(Debug, Serialize, ToSchema)]
struct Impact {
    /// The organizations of which some device is concerned, by name.
    organizations: Vec<AffectedOrganization>,
}

/// Whom a message of the provider's concerns: every organization with a device that it concerns, and why.
#[utoipa::path(
    get, path = "/api/v1/intelligence/{message}/impact", operation_id = "impact", tag = "intelligence", params(ProvidedPath),
    responses((status = 200, description = "Whom it concerns.", body = Impact))
)]
pub(in crate::edge) async fn impact(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ProvidedPath { message }): PathOf<ProvidedPath>,
) -> Result<Response, Problem> {
    viewer.may("impact", &Place::Provider)?;
    answer(&sources, viewer, move |walk| {
        let concern = Concern::of(&Named::from(find(walk, &message)?.message.relevance));
        let mut left = DEVICES_IN_ALL;
        let mut organizations = Vec::new();
        for (organization, rows) in walk.organizations(None)? {
            let affected = AffectedOrganization::of(walk, organization, &rows, &concern, &mut left)?;
            organizations.extend((affected.count > 0).then_some(affected));
        }
        Ok(Impact { organizations })
    })
    .await
}

/// The provider's messages that concern a device of an organization, by id.
fn concerning(walk: &Walk, org: &OrgName) -> Result<BTreeSet<String>, Error> {
    let organizations = walk.organizations(Some(org))?;
    let mut messages = Vec::new();
    if let Some(lane) = walk.lane_of_provider(0) {
        for row in provided::all(lane) {
            walk.step()?;
            let row = row?;
            messages.push((row.message.id, Named::from(row.message.relevance)));
        }
    }
    let mut engine = Engine::of(messages.iter().map(|(_, relevance)| relevance));
    let mut places = BTreeSet::new();
    for rows in organizations.values() {
        for row in devices::DEVICES.rows(rows.lane, &[org.as_str()]) {
            walk.step()?;
            let (own, device) = row?;
            let serial_number = String::from_utf8_lossy(&own);
            let parts = match engine.names_serial_numbers() {
                true => parts::parts(rows.lane, org, &serial_number)?,
                false => Vec::new(),
            };
            places.extend(engine.on(&Traits::of(&serial_number, &device, &parts)));
        }
    }
    let ids = messages.into_iter().enumerate().filter(|(place, _)| places.contains(place));
    Ok(ids.map(|(_, (id, _))| id).collect())
}

/// The provider's messages that an organization was sent and has, by id: nobody's beside the provider's to know.
fn sent_to(walk: &Walk, org: &OrgName) -> Result<BTreeSet<String>, Error> {
    let mut ids = BTreeSet::new();
    if walk.lane_of_provider(0).is_none() {
        return Ok(ids);
    }
    for rows in walk.organizations(Some(org))?.values() {
        for row in sent::all(rows.lane, org) {
            walk.step()?;
            let (id, row) = row?;
            if row.stands().is_some() {
                ids.insert(id);
            }
        }
    }
    Ok(ids)
}

/// A list, and of the provider's messages those it is narrowed to.
#[derive(Debug, Deserialize)]
struct Narrowed {
    #[serde(flatten)]
    list: IntelligenceMessages,
    #[serde(skip)]
    concerning: Option<BTreeSet<String>>,
}

impl Listing for Narrowed {
    const SORTS: &'static [&'static str] = IntelligenceMessages::SORTS;
    const FILTERS: &'static [Filter] = IntelligenceMessages::FILTERS;

    fn take(&mut self) -> (Option<Limit>, Option<String>, Option<String>) {
        self.list.take()
    }
}

/// One intelligence message.
#[utoipa::path(
    get, path = "/api/v1/intelligence/{organization}/{id}", operation_id = "intelligence-message", tag = "intelligence", params(MessagePath),
    responses((status = 200, description = "The message.", body = IntelligenceMessage))
)]
pub(in crate::edge) async fn message(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(MessagePath { organization, id }): PathOf<MessagePath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let row = seen(walk, &organization, &id)?;
        let standing = walk.some(&organization, &standing::key(&organization, &id))?;
        Ok(IntelligenceMessage::new(Some(organization.clone()), row).standing(standing))
    })
    .await
}

/// Which of an organization's devices a message of its own concerns, of those that are seen, and why.
#[utoipa::path(
    get, path = "/api/v1/intelligence/{organization}/{id}/impact", operation_id = "message-impact", tag = "intelligence",
    params(MessagePath), responses((status = 200, description = "Its devices.", body = AffectedOrganization))
)]
pub(in crate::edge) async fn affected(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(MessagePath { organization, id }): PathOf<MessagePath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let concern = Concern::of(&Named::from(seen(walk, &organization, &id)?.message.relevance));
        let rows = walk.organizations(Some(&organization))?.remove(&organization);
        let rows = rows.ok_or_else(|| unknown(&organization))?;
        AffectedOrganization::of(walk, organization.clone(), &rows, &concern, &mut DEVICES_MOST.clone())
    })
    .await
}

/// A message of an organization's as it is seen.
fn seen(walk: &Walk, organization: &OrgName, id: &str) -> Result<IntelligenceRow, Error> {
    let nothing = || format!("`{organization}` has no intelligence message `{}`", linesman_rules::excerpt(id));
    let mut row = walk.some(organization, &intelligence::key(organization, id))?;
    if let (Some(found), Some(sight), Some(lane)) = (&mut row, walk.sight(organization)?, walk.lane(organization))
        && !narrow(lane, &sight, organization, found)?
    {
        row = None;
    }
    row.ok_or_else(|| Error::Nothing(nothing()))
}

/// Takes out of a message the serial numbers that are not seen; whether there are any that are.
fn narrow(lane: &Lane, sight: &Sight, org: &OrgName, row: &mut IntelligenceRow) -> Result<bool, Error> {
    let mut seen = Vec::new();
    for serial_number in std::mem::take(&mut row.message.relevance.serial_numbers) {
        let device = Table::read(lane, &devices::key(org, &serial_number))?;
        if sight.has(&serial_number, device.as_ref()) {
            seen.push(serial_number);
        }
    }
    row.message.relevance.serial_numbers = seen;
    Ok(!row.message.relevance.serial_numbers.is_empty())
}

impl Stored for Narrowed {
    type Row = IntelligenceRow;
    type Item = IntelligenceMessage;
    const HAS_PROVIDERS: bool = true;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        match organization == OrgName::provider().as_str() {
            true => provided::within(own),
            false => intelligence::within(organization, own),
        }
    }

    fn read(key: &[u8], own: &[u8], bytes: &[u8]) -> Vec<Found<IntelligenceRow>> {
        let row = match key.starts_with(&provided::within(&[])) {
            true => table::decode(key, bytes).map(|row: ProvidedRow| row.into()),
            false => table::decode(key, bytes),
        };
        vec![row.map(|row| (own.to_vec(), row, bytes.len())).map_err(Error::from)]
    }

    fn organization(&self) -> Option<&OrgName> {
        self.list.organization.as_ref()
    }

    fn is_seen(
        rows: &OrgRows<'_>,
        sight: &Sight,
        org: &OrgName,
        _key: &[u8],
        row: &mut IntelligenceRow,
    ) -> Result<bool, Error> {
        narrow(rows.lane, sight, org, row)
    }

    fn value(by: &str, row: &IntelligenceRow) -> Value {
        Value::Time(if by == "issued" { row.message.issued } else { row.received })
    }

    fn item(
        &self,
        rows: &OrgRows<'_>,
        org: &OrgName,
        _: &[u8],
        row: IntelligenceRow,
    ) -> Result<Option<(IntelligenceMessage, usize)>, Error> {
        let names = |filter: &Option<Glob>, names: &[String]| {
            filter.is_none() || names.iter().any(|name| passes(filter.as_ref(), name))
        };
        let (relevance, list) = (&row.message.relevance, &self.list);
        let is_narrowed = |ids: &BTreeSet<String>| org.is_provider() && ids.contains(&row.message.id);
        let is_wanted = is(list.kind, row.message.kind)
            && self.concerning.as_ref().is_none_or(is_narrowed)
            && names(&list.product, &relevance.products)
            && names(&list.serial_number, &relevance.serial_numbers)
            && lies(row.message.issued, list.issued_after.as_ref(), list.issued_before.as_ref())
            && lies(row.received, list.received_after.as_ref(), list.received_before.as_ref());
        if !is_wanted || (org.is_provider() && list.state.is_some()) {
            return Ok(None);
        }
        if org.is_provider() {
            return Ok(Some((IntelligenceMessage::new(None, row), 0)));
        }
        let standing = Table::read(rows.lane, &standing::key(org, &row.message.id))?;
        let state = standing.as_ref().map_or_else(StateOf::default, |standing: &StandingRow| standing.state);
        let item = |row| IntelligenceMessage::new(Some(org.clone()), row).standing(standing);
        Ok(is(list.state, state).then(|| (item(row), 0)))
    }
}

//! `/api/v1/intelligence`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::Kind;
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::{OrgRows, answer};
use super::{Error, Stored, page};
use crate::edge::filters::tables::IntelligenceMessages;
use crate::edge::filters::{Glob, is, lies, passes};
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::paths::MessagePath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::store::Lane;
use linesman_domain::devices;
use linesman_domain::intelligence::{self, IntelligenceRow, MessageRow};
use linesman_domain::sight::Sight;
use linesman_domain::table::Table;

/// An intelligence message as it was kept. Field names are those of its input.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntelligenceMessage {
    /// Whose it is.
    #[schema(value_type = String)]
    organization: OrgName,
    /// Its id at its source.
    id: String,
    /// What kind of message.
    #[schema(schema_with = words::kind)]
    kind: Kind,
    /// One line.
    title: String,
    /// The message.
    text: String,
    /// When the source issued it.
    issued: Timestamp,
    /// Whom it concerns; empty lists concern all.
    relevance: Relevance,
    /// Where to read more.
    links: Vec<String>,
    /// When it entered the log.
    received: Timestamp,
    /// How often the very same message came again.
    repeats: u64,
}

/// Whom a message concerns.
#[derive(Debug, Serialize, ToSchema)]
struct Relevance {
    /// Chassis serial numbers.
    serial_numbers: Vec<String>,
    /// Models.
    products: Vec<String>,
    /// System families.
    platforms: Vec<String>,
    /// Operating system versions.
    os_versions: Vec<String>,
}

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
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
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
        let nothing = || format!("`{organization}` has no intelligence message `{}`", linesman_rules::excerpt(&id));
        let mut row = walk.some(&organization, &intelligence::key(&organization, &id))?;
        if let (Some(found), Some(sight), Some(lane)) = (&mut row, walk.sight(&organization)?, walk.lane(&organization))
            && !narrow(lane, &sight, &organization, found)?
        {
            row = None;
        }
        let row = row.ok_or_else(|| Error::Nothing(nothing()))?;
        Ok(IntelligenceMessage::new(organization.clone(), row))
    })
    .await
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

impl Stored for IntelligenceMessages {
    type Row = IntelligenceRow;
    type Item = IntelligenceMessage;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        intelligence::within(organization, own)
    }

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
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
        _: &OrgRows<'_>,
        org: &OrgName,
        _: &[u8],
        row: IntelligenceRow,
    ) -> Result<Option<(IntelligenceMessage, usize)>, Error> {
        let names = |filter: &Option<Glob>, names: &[String]| {
            filter.is_none() || names.iter().any(|name| passes(filter.as_ref(), name))
        };
        let relevance = &row.message.relevance;
        let is_wanted = is(self.kind, row.message.kind)
            && names(&self.product, &relevance.products)
            && names(&self.serial_number, &relevance.serial_numbers)
            && lies(row.message.issued, self.issued_after.as_ref(), self.issued_before.as_ref())
            && lies(row.received, self.received_after.as_ref(), self.received_before.as_ref());
        Ok(is_wanted.then(|| (IntelligenceMessage::new(org.clone(), row), 0)))
    }
}

impl IntelligenceMessage {
    fn new(organization: OrgName, row: IntelligenceRow) -> Self {
        let MessageRow { id, kind, title, text, issued, relevance, links } = row.message;
        let relevance = Relevance {
            serial_numbers: relevance.serial_numbers,
            products: relevance.products,
            platforms: relevance.platforms,
            os_versions: relevance.os_versions,
        };
        let (received, repeats) = (row.received, row.repeats);
        Self { organization, id, kind, title, text, issued, relevance, links, received, repeats }
    }
}

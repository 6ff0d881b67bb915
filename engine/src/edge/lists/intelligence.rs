//! `/api/v1/intelligence`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::{Intelligence, Kind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::best::Value;
use super::query::{Glob, Paging, When, is, lies, passes, query, when};
use super::walk::{Place, answer};
use super::{Error, Page, Stored, page, words};
use crate::edge::params::{Params, PathOf};
use crate::edge::problem::Problem;
use crate::edge::routes::Sources;
use linesman_domain::rows::{IntelligenceRow, key};

query! {
    /// Which messages.
    Messages sorted by ["id", "issued", "received"], {
        /// Of one organization.
        #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
        organization: OrgName,
        /// What kind.
        #[param(schema_with = words::kind, required = false)]
        kind: Kind,
        /// A model that the message names; messages that name none concern all and are not found by it.
        #[param(value_type = Option<String>)]
        product: Glob,
        /// A serial number that the message names; messages that name none concern all and are not
        /// found by it.
        #[param(value_type = Option<String>)]
        serial_number: Glob,
        /// Issued then or later.
        #[param(schema_with = when, required = false)]
        issued_after: When,
        /// Issued earlier.
        #[param(schema_with = when, required = false)]
        issued_before: When,
        /// Received then or later.
        #[param(schema_with = when, required = false)]
        received_after: When,
        /// Received earlier.
        #[param(schema_with = when, required = false)]
        received_before: When,
    }
}

/// A message in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct MessagePath {
    /// Whose it is.
    #[param(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", example = "acme")]
    organization: OrgName,
    /// Its id at its source.
    #[param(example = "TSB-0-0")]
    id: String,
}

/// An intelligence message as it was kept. Field names are those of its input.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IntelligenceMessage)]
pub(super) struct Message {
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
    get, path = "/api/v1/intelligence", tag = "intelligence", params(Messages),
    responses((status = 200, description = "A page.", body = Page<Message>))
)]
pub(in crate::edge) async fn messages(
    State(sources): State<Arc<Sources>>,
    Params(mut list): Params<Messages>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, move |walk| page(walk, &list, &paging)).await
}

/// One intelligence message.
#[utoipa::path(
    get, path = "/api/v1/intelligence/{organization}/{id}", tag = "intelligence", params(MessagePath),
    responses((status = 200, description = "The message.", body = Message))
)]
pub(in crate::edge) async fn message(
    State(sources): State<Arc<Sources>>,
    PathOf(MessagePath { organization, id }): PathOf<MessagePath>,
) -> Result<Response, Problem> {
    answer(&sources, move |walk| {
        let nothing = || format!("`{organization}` has no intelligence message `{}`", linesman_rules::excerpt(&id));
        let row = walk.one(&organization, &key::intelligence(&organization, &id), nothing)?;
        Ok(Message::new(organization.clone(), row))
    })
    .await
}

impl Stored for Messages {
    type Row = IntelligenceRow;
    type Item = Message;
    const TABLE: u8 = b'n';

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    fn value(by: &str, row: &IntelligenceRow) -> Value {
        Value::Time(if by == "issued" { row.message.issued } else { row.received })
    }

    fn item(
        &self,
        _: &Place<'_>,
        org: &OrgName,
        _: &[u8],
        row: IntelligenceRow,
    ) -> Result<Option<(Message, usize)>, Error> {
        let names = |filter: &Option<Glob>, names: &[String]| {
            filter.is_none() || names.iter().any(|name| passes(filter.as_ref(), name))
        };
        let relevance = &row.message.relevance;
        let is_wanted = is(self.kind, row.message.kind)
            && names(&self.product, &relevance.products)
            && names(&self.serial_number, &relevance.serial_numbers)
            && lies(row.message.issued, self.issued_after.as_ref(), self.issued_before.as_ref())
            && lies(row.received, self.received_after.as_ref(), self.received_before.as_ref());
        Ok(is_wanted.then(|| (Message::new(org.clone(), row), 0)))
    }
}

impl Message {
    fn new(organization: OrgName, row: IntelligenceRow) -> Self {
        let Intelligence { id, kind, title, text, issued, relevance, links } = row.message;
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

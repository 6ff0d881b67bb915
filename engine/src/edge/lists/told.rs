//! Intelligence messages, as they are told.

use jiff::Timestamp;
use linesman_domain::intelligence::provided::{self, ProvidedRow};
use linesman_domain::intelligence::standing::StandingRow;
use linesman_domain::intelligence::{IntelligenceRow, MessageRow};
use linesman_domain::table::Table;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::{Kind, State as StateOf};
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::Walk;
use super::{Error, given};
use crate::edge::words;

/// An intelligence message as it was kept. Field names are those of its input.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntelligenceMessage {
    /// Whose it is; null for one of the provider's.
    #[schema(value_type = Option<String>)]
    organization: Option<OrgName>,
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
    /// Where the organization stands with it; not of the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::intelligence_state, required = false)]
    state: Option<StateOf>,
    /// The login whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    assignee: Option<String>,
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

/// A message of the provider's.
pub(super) fn find(walk: &Walk, id: &str) -> Result<ProvidedRow, Error> {
    let row = walk.lane_of_provider(0).map(|lane| Table::read(lane, &provided::key(id))).transpose()?.flatten();
    row.ok_or_else(|| Error::Nothing(format!("there is no intelligence message `{}`", linesman_rules::excerpt(id))))
}

impl IntelligenceMessage {
    pub(super) fn new(organization: Option<OrgName>, row: IntelligenceRow) -> Self {
        let MessageRow { id, kind, title, text, issued, relevance, links } = row.message;
        let relevance = Relevance {
            serial_numbers: relevance.serial_numbers,
            products: relevance.products,
            platforms: relevance.platforms,
            os_versions: relevance.os_versions,
        };
        let (received, repeats) = (row.received, row.repeats);
        let (state, assignee) = (None, None);
        Self { organization, id, kind, title, text, issued, relevance, links, received, repeats, state, assignee }
    }

    /// The same, and where its organization stands with it.
    pub(super) fn standing(self, row: Option<StandingRow>) -> Self {
        let (state, assignee) = row.map_or_else(Default::default, |row| (row.state, row.assignee));
        Self { state: Some(state), assignee: given(assignee), ..self }
    }
}

//! What cases and incidents tell of the cascade.

use linesman_domain::cases::CaseRow;
use linesman_domain::cases::chain::{self, ChainRow, Side, Words};
use linesman_domain::table::Table;
use linesman_schemas::IncidentId;
use linesman_schemas::command::Handling;
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::OrgRows;
use super::{Error, given};
use crate::edge::words;

/// A case as all of its controllers see it.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Chained {
    /// The receipt: of a case that was reported here the one given for it, else the upstream's.
    transaction_id: Option<String>,
    /// Its id: what stands in place of the upstream's, else that.
    case_id: Option<String>,
    /// Where people see it, likewise.
    case_link: Option<String>,
    /// The word for its status, likewise.
    case_status: Option<String>,
    /// By what the end customer is known that it is for; none where nobody has said.
    alias: Option<String>,
    /// The controllers it has passed on its way here.
    trace_route: Vec<String>,
    /// Who solves what an end customer has reported; none as long as nobody has said.
    #[schema(schema_with = words::handling_or_none)]
    handling: Option<Handling>,
    /// What the upstream says of it, where something else stands in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    upstream: Option<Upstream>,
}

/// What the upstream says of a case.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Upstream {
    /// Its receipt.
    transaction_id: Option<String>,
    /// Its id.
    case_id: Option<String>,
    /// Where people see it.
    case_link: Option<String>,
    /// Its word for the status.
    case_status: Option<String>,
}

/// What somebody has said of a case.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseNote {
    /// When.
    at: jiff::Timestamp,
    /// Who.
    author: String,
    /// What.
    text: String,
    /// Where: `here`, `above` by the upstream, `below` by the end customer.
    #[schema(schema_with = words::side)]
    side: &'static str,
}

impl Chained {
    /// That of a case.
    pub(super) fn new(row: &CaseRow, chain: Option<&ChainRow>, alias: &str) -> Self {
        let Words { case_id, link, status } = chain::shown(row, chain);
        let reported = chain.and_then(|chain| chain.reported.as_ref());
        let upstream = reported.map(|_| Upstream {
            transaction_id: given(row.transaction_id.clone()),
            case_id: given(row.case_id.clone()),
            case_link: given(row.link.clone()),
            case_status: given(row.status.clone()),
        });
        Self {
            transaction_id: given(reported.map_or(&row.transaction_id, |reported| &reported.transaction_id).clone()),
            case_id: given(case_id),
            case_link: given(link),
            case_status: given(status),
            alias: given(reported.map_or(alias, |reported| &reported.alias).to_owned()),
            trace_route: reported.map(|reported| reported.trace_route.clone()).unwrap_or_default(),
            handling: chain.and_then(|chain| chain.handling),
            upstream,
        }
    }

    /// That of an incident: nothing where it has no case.
    pub(super) fn of_incident(rows: &OrgRows<'_>, id: &IncidentId, case: Option<&CaseRow>) -> Result<Self, Error> {
        let Some(case) = case else { return Ok(Self::default()) };
        let chain = Table::read(rows.lane, &chain::key(&id.org, id.number))?;
        Ok(Self::new(case, chain.as_ref(), &rows.row.alias))
    }
}

impl CaseNote {
    /// What was said of a case, oldest first.
    pub(super) fn all(chain: Option<ChainRow>) -> Vec<Self> {
        let notes = chain.map(|chain| chain.notes).unwrap_or_default();
        let side = |side| match side {
            Side::Here => "here",
            Side::Above => "above",
            Side::Below => "below",
        };
        notes
            .into_iter()
            .map(|note| Self { at: note.at, author: note.author, text: note.text, side: side(note.side) })
            .collect()
    }
}

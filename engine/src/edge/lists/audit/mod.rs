//! `/api/v1/audit`: who did what, page by page, and one by one.
//!
//! | room | what |
//! |---|---|
//! | here | which logs there are for whoever asks; records as they are shown |
//! | `choice` | which records are asked for |
//! | `sight` | which of them are seen, and who may ask at all |
//! | `export` | all of them, as a stream |
//! | `proofs` | checkpoints, proofs, the public key |
//!
//! Records of a log lie in the order of their times, so a page reads no more than it shows and what its filters turn
//! down. Those whose bodies have gone with age are not shown.

mod choice;
pub(in crate::edge) mod export;
pub(in crate::edge) mod proofs;
mod sight;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_domain::audit::{AuditRow, Hash, Log, Owner};
use linesman_schemas::Principal;
use linesman_schemas::audit::{Record, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::{IntoParams, ToSchema};

use super::Error;
use super::walk::{Walk, answer, unknown};
use crate::edge::filters::tables::Audit;
use crate::edge::paging::{Offered, Page, Pager, Paging, Rank, Value};
use crate::edge::paths::Count;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::store::Lane;
use choice::Choice;
use sight::{admit, cut, is_seen};

/// A record of a log.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::edge) struct AuditRecord {
    /// In which log: an organization's, or one of the provider's, `_provider` and `_provider-<lane>`.
    organization: String,
    /// Which of that log, from 0.
    index: u64,
    /// When it was decided, by the log's clock.
    time: Timestamp,
    /// Who asked.
    actor: String,
    /// Who granted the actor its rights, then who granted those, up to the provider's first manager.
    chain: Vec<String>,
    /// Who asked, in parts; null for somebody of elsewhere.
    #[schema(value_type = Option<Object>)]
    principal: Option<Principal>,
    /// The node that served the request.
    node: String,
    /// What was asked for.
    operation: String,
    /// Where.
    place: String,
    /// What it was about, where that is not the place.
    about: Option<String>,
    /// What it changed, as it was before; null for nothing, secrets as `changed`.
    #[schema(value_type = Option<Object>)]
    old: Json,
    /// As it was then; null for nothing, secrets as `changed`.
    #[schema(value_type = Option<Object>)]
    new: Json,
    /// What became of it.
    #[schema(schema_with = words::verdict)]
    outcome: Verdict,
    /// What was done, or why not, for people.
    detail: String,
    /// The command's id.
    command: String,
    /// The version of the rule book by which it was decided.
    rule_book: u64,
    /// The hash of the record in its log.
    #[schema(value_type = String)]
    leaf: Hash,
}

/// A record in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct RecordPath {
    /// Whose log: an organization's, or `_provider`.
    #[param(value_type = String, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}|_provider(-[1-9][0-9]?)?)$", example = "acme")]
    organization: Owner,
    /// Which of that log.
    #[param(value_type = u64, example = 17)]
    index: Count,
}

/// A log in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::edge) struct LogPath {
    /// Whose log: an organization's, or `_provider`.
    #[param(value_type = String, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}|_provider(-[1-9][0-9]?)?)$", example = "acme")]
    organization: Owner,
}

/// Records of the audit, page by page.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "audit", tag = "audit", params(Audit),
    responses((status = 200, description = "A page.", body = Page<AuditRecord>))
)]
pub(in crate::edge) async fn records(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Audit>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    let choice = Choice::from(list);
    admit(&viewer, "audit", choice.owner())?;
    answer(&sources, viewer, move |walk| page(walk, &choice, &paging)).await
}

/// One record.
#[utoipa::path(
    get, path = "/api/v1/audit/{organization}/{index}", operation_id = "audit-record", tag = "audit", params(RecordPath),
    responses((status = 200, description = "The record.", body = AuditRecord))
)]
pub(in crate::edge) async fn record(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(RecordPath { organization: owner, index: Count(index) }): PathOf<RecordPath>,
) -> Result<Response, Problem> {
    admit(&viewer, "audit-record", Some(&owner))?;
    answer(&sources, viewer, move |walk| {
        let log = one(walk, &owner)?;
        let read = |index| item(walk.viewer(), &log, &owner, index);
        let found = match read(index)? {
            Some((record, _)) => Some(record).filter(|record| is_seen(walk.viewer(), &owner, &record.place)),
            // As much is read as where there is one that is not seen.
            None => read(log.head().size().saturating_sub(1))?.and(None),
        };
        let nothing = || Error::Nothing(format!("the log `{owner}` shows no record {index}"));
        found.ok_or_else(nothing)
    })
    .await
}

/// The logs that are asked for and there for whoever asks, each in its lane. The provider has one a lane, and `_provider`
/// stands for all of them.
fn logs<'w>(walk: &'w Walk, asked: Option<&Owner>) -> Result<Vec<(Owner, &'w Lane)>, Error> {
    match asked {
        // As with other lists, of the provider's own there is nothing for others.
        Some(Owner::Provider(0)) => Ok(walk.logs_of_provider().collect()),
        Some(owner) => Ok(lane_of(walk, owner)?.map(|lane| (owner.clone(), lane)).into_iter().collect()),
        None => {
            let mut all: Vec<_> = walk.logs_of_provider().collect();
            all.extend(walk.organizations(None)?.into_iter().map(|(org, rows)| (Owner::Organization(org), rows.lane)));
            Ok(all)
        }
    }
}

/// The lane of one log, if it is there for whoever asks.
fn lane_of<'w>(walk: &'w Walk, owner: &Owner) -> Result<Option<&'w Lane>, Error> {
    match owner {
        Owner::Organization(org) => Ok(walk.organizations(Some(org))?.remove(org).map(|rows| rows.lane)),
        Owner::Provider(lane) => Ok(walk.lane_of_provider(*lane)),
    }
}

/// One log.
///
/// # Errors
/// There is none of that name for whoever asks.
fn one<'w>(walk: &'w Walk, owner: &Owner) -> Result<Log<'w, Lane>, Error> {
    let lane = lane_of(walk, owner)?.ok_or_else(|| missing(owner))?;
    Ok(Log::open(lane, owner)?)
}

/// There is no such log.
fn missing(owner: &Owner) -> Error {
    match owner {
        Owner::Organization(org) => unknown(org),
        Owner::Provider(_) => Error::Nothing(format!("there is no log `{owner}`")),
    }
}

/// A record as it is shown to whoever sees it, and how many bytes it has; none where its body has gone.
fn item(
    viewer: &Viewer,
    log: &Log<'_, Lane>,
    owner: &Owner,
    index: u64,
) -> Result<Option<(AuditRecord, usize)>, Error> {
    let Some(row) = log.row(index)? else { return Ok(None) };
    let row = cut(viewer, owner, row)?;
    let bytes = row.body.as_ref().map_or(0, String::len) + row.detail.len();
    Ok(AuditRecord::read(owner, &row)?.map(|record| (record, bytes)))
}

/// A page of records.
fn page(walk: &Walk, choice: &Choice, paging: &Paging) -> Result<Page<AuditRecord>, Error> {
    let mut pager = Pager::new(paging, Offered::InOrder);
    let is_back = paging.is_descending;
    for (owner, lane) in logs(walk, choice.owner())? {
        let log = Log::open(lane, &owner)?;
        let (mut from, mut to) = choice.span(&log)?;
        if let Some(Value::Time(last)) = paging.after.as_ref().map(|last| &last.value) {
            // Those of the same moment may stand on both pages; the pager knows them.
            if is_back {
                to = to.min(log.since(last.checked_add(jiff::Span::new().nanoseconds(1)).unwrap_or(Timestamp::MAX))?);
            } else {
                from = from.max(log.since(*last)?);
            }
        }
        let mut left = from..to;
        while let Some(index) = if is_back { left.next_back() } else { left.next() } {
            walk.step()?;
            let Some((record, bytes)) = item(walk.viewer(), &log, &owner, index)? else { continue };
            let key = index.to_be_bytes().to_vec();
            let rank = Rank { value: Value::Time(record.time), organization: owner.to_string(), key };
            let offered = pager.offer(rank, |_| {
                let is_wanted = choice.takes(&record) && is_seen(walk.viewer(), &owner, &record.place);
                Ok::<_, Error>(is_wanted.then_some((record, bytes)))
            })?;
            if offered.is_break() {
                break;
            }
        }
    }
    Ok(pager.page())
}

impl AuditRecord {
    /// A record as it is shown; none where its body has gone.
    fn read(owner: &Owner, row: &AuditRow) -> Result<Option<Self>, Error> {
        let record = row.body.as_deref().map(serde_json::from_str).transpose()?;
        Ok(record.map(|record| Self::new(owner, record, row.detail.clone(), row.leaf)))
    }

    fn new(owner: &Owner, record: Record, detail: String, leaf: Hash) -> Self {
        let Record { index, time, actor, chain, principal, node, operation, place, about, .. } = record;
        let (old, new, outcome) = (record.old, record.new, record.outcome);
        let (command, rule_book) = (record.command.to_string(), record.rule_book);
        let organization = owner.to_string();
        Self {
            organization,
            index,
            time,
            actor,
            chain,
            principal,
            node,
            operation,
            place,
            about,
            old,
            new,
            outcome,
            detail,
            command,
            rule_book,
            leaf,
        }
    }
}

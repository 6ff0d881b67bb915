//! `/api/v1/audit/export`: as many records as there are, in memory that does not depend on it.
//!
//! The stream is read in parts, each when the one before has gone out. Each part asks anew what whoever asks sees: what
//! is taken from them meanwhile is in no part behind it. A whole log whose records age under it breaks off: its first line
//! has signed from where on they say something.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use linesman_domain::audit::{Log, Owner};
use linesman_schemas::Place;
use linesman_schemas::audit::Verdict;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::choice::Choice;
use super::sight::{admit, cut, is_seen, is_whole};
use super::{AuditRecord, lane_of, logs, missing};
use crate::audit::export::{cells_of, chosen, columns, header, line};
use crate::edge::filters::{Glob, LogOf, Plain, When};
use crate::edge::lists::Error;
use crate::edge::lists::walk::{Walk, found};
use crate::edge::logins::Entered;
use crate::edge::shares::Seat;
use crate::edge::sources::Sources;
use crate::edge::transport::params::Params;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::store::Lane;

/// How many records a part has at most.
const PART_RECORDS: usize = 256;
/// With how many bytes a part ends.
const PART_BYTES: usize = 1024 * 1024;

/// How an export is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::edge) enum Format {
    /// Lines of JSON.
    #[default]
    Jsonl,
    /// A table.
    Csv,
}

/// What is exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct ExportQuery {
    /// Lines of JSON, or a table.
    #[serde(default)]
    #[param(inline, required = false)]
    format: Option<Format>,
    /// Of which log: an organization's, or `_provider` for all of the provider's own; none: all of them.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}|_provider(-[1-9][0-9]?)?)$")]
    organization: Option<LogOf>,
    /// Who asked.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    actor: Option<Glob>,
    /// What was asked for.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    operation: Option<Glob>,
    /// At a place or below it.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    under: Option<Place>,
    /// What became of it.
    #[serde(default)]
    #[param(schema_with = crate::edge::words::verdict, required = false)]
    outcome: Option<Verdict>,
    /// Decided then or later.
    #[serde(default)]
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<When>,
    /// Decided earlier.
    #[serde(default)]
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<When>,
    /// A text in it, in whatever case.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    q: Option<Plain>,
}

/// The path that an export is asked for by.
const PATH: &str = "/api/v1/audit/export";

/// Where an export is.
struct Progress {
    sources: Arc<Sources>,
    /// By what they came in: it may be ended meanwhile.
    headers: HeaderMap,
    plan: Arc<Plan>,
    /// Which log, and which record of it is next.
    at: (usize, u64),
    _seat: Seat,
}

/// What an export consists of.
struct Plan {
    choice: Choice,
    format: Format,
    logs: Vec<Span>,
    is_whole: bool,
    /// What stands before all of it.
    front: Vec<u8>,
}

/// What is exported of a log.
struct Span {
    owner: Owner,
    /// The first record, and the one behind the last.
    records: (u64, u64),
    /// From which record on there are bodies, as the checkpoint before them says; of a whole log.
    bodies: u64,
    /// What stands before them.
    front: Vec<u8>,
}

/// Records of the audit as a stream, log by log, the oldest first.
///
/// All of one log in lines of JSON begins with a line that tells its size, its root and a signed checkpoint:
/// `linesman audit verify` needs no engine to tell whether it is whole. Of the provider's logs one stands behind the other,
/// each with such a line. What is narrowed by filters cannot be verified.
/// A stream that breaks off was not all.
#[utoipa::path(
    get, path = "/api/v1/audit/export", operation_id = "export-audit", tag = "audit", params(ExportQuery),
    responses((status = 200, description = "The records.", body = String, content_type = "application/jsonl"))
)]
pub(in crate::edge) async fn export(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    headers: HeaderMap,
    Params(query): Params<ExportQuery>,
) -> Result<Response, Problem> {
    let seat = sources.exporters.take(&viewer)?;
    let (choice, format) = query.split();
    admit(&viewer, "export-audit", choice.owner())?;
    let (kind, ending) = match format {
        Format::Jsonl => ("application/jsonl", "jsonl"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let name = choice.owner().map_or_else(|| "all".to_owned(), Owner::to_string);
    let asked = Arc::clone(&sources);
    let plan = found(&sources, viewer, move |walk| plan(walk, &asked, choice, format)).await?;
    metrics::counter!("linesman_audit_exports_total").increment(1);
    let progress = Progress { sources, headers, plan: Arc::new(plan), at: (0, 0), _seat: seat };
    let front = progress.plan.front.clone();
    let parts = stream::try_unfold((progress, Some(front)), async |(progress, front)| match front {
        Some(front) => Ok(Some((front, (progress, None)))),
        None => Ok::<_, std::io::Error>(next(progress).await?.map(|(part, progress)| (part, (progress, None)))),
    });
    let disposition = format!("attachment; filename=\"audit-{name}.{ending}\"");
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(parts)).into_response())
}

impl ExportQuery {
    fn split(self) -> (Choice, Format) {
        let Self { format, organization, actor, operation, under, outcome, since, until, q } = self;
        let choice = Choice::new(organization, (actor, operation), under, outcome, (since, until), q);
        (choice, format.unwrap_or_default())
    }
}

fn plan(walk: &Walk, sources: &Sources, choice: Choice, format: Format) -> Result<Plan, Error> {
    let mut spans: Vec<Span> = Vec::new();
    let whole = choice.whole().filter(|owner| format == Format::Jsonl && is_whole(walk.viewer(), owner));
    let logs = logs(walk, choice.owner())?;
    let names: Vec<String> = logs.iter().map(|(owner, _)| sources.auditor.origin(owner)).collect();
    for (owner, lane) in logs {
        walk.step()?;
        let log = Log::open(lane, &owner)?;
        if whole.is_none() {
            spans.push(Span { owner, records: choice.span(&log)?, bodies: 0, front: Vec::new() });
            continue;
        }
        let checkpoint = sources.auditor.checkpoint(&owner, &log)?;
        let (size, bodies) = (checkpoint.size, checkpoint.bodies.unwrap_or_default());
        let is_first_of_several = spans.is_empty() && names.len() > 1;
        let named = if is_first_of_several { names.as_slice() } else { &[] };
        let mut front = Vec::new();
        header(&mut front, &checkpoint, &checkpoint.sign(&sources.auditor.signer), named)?;
        spans.push(Span { owner, records: (0, size), bodies, front });
    }
    if spans.is_empty()
        && let Some(owner) = choice.owner()
    {
        return Err(missing(owner));
    }
    let mut front = Vec::new();
    if format == Format::Csv {
        columns(&mut front);
    }
    let is_whole = whole.is_some();
    Ok(Plan { choice, format, logs: spans, is_whole, front })
}

/// The next part that has something; none behind the last.
async fn next(mut progress: Progress) -> std::io::Result<Option<(Vec<u8>, Progress)>> {
    while progress.at.0 < progress.plan.logs.len() {
        let (plan, at) = (Arc::clone(&progress.plan), progress.at);
        // The answer has begun: where it cannot go on, all that is left is to break it off.
        let broken = |_: Problem| std::io::Error::other("the export cannot go on");
        let viewer = again(&progress).map_err(broken)?;
        let part = found(&progress.sources, viewer, move |walk| part(walk, &plan, at)).await;
        let (bytes, at) = part.map_err(broken)?;
        progress.at = at;
        if !bytes.is_empty() {
            return Ok(Some((bytes, progress)));
        }
    }
    Ok(None)
}

/// Whoever asks, as far as they are still let in, and see it now.
fn again(progress: &Progress) -> Result<Viewer, Problem> {
    let Progress { sources, headers, plan, .. } = progress;
    let Entered::In(entry) = sources.enter(&Method::GET, PATH, headers)? else {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "the session or token was ended"));
    };
    let viewer = sources.grants.viewer(entry.principal)?;
    admit(&viewer, "export-audit", plan.choice.owner())?;
    Ok(viewer)
}

/// A part of an export from one record of one log on, and where the next begins.
fn part(walk: &Walk, plan: &Plan, (place, from): (usize, u64)) -> Result<(Vec<u8>, (usize, u64)), Error> {
    let mut bytes = Vec::new();
    let Some(span) = plan.logs.get(place) else { return Ok((bytes, (place, from))) };
    let Span { owner, records: (first, end), front, .. } = span;
    let behind = (place + 1, 0);
    let lane = match lane_of(walk, owner) {
        Err(Error::Nothing(_)) => None,
        found => found?,
    };
    let Some(lane) = lane else {
        // It is not there any more for whoever asks. A log that was to be whole ends as one that is not.
        return if plan.is_whole { Err(missing(owner)) } else { Ok((bytes, behind)) };
    };
    if plan.is_whole && !is_whole(walk.viewer(), owner) {
        return Err(missing(owner));
    }
    let log = Log::open(lane, owner)?;
    if from == 0 {
        bytes.extend_from_slice(front);
    }
    let mut next = from.max(*first);
    for _ in 0..PART_RECORDS {
        if next >= *end || bytes.len() >= PART_BYTES {
            break;
        }
        write(walk, plan, &log, (span, next), &mut bytes)?;
        next += 1;
    }
    Ok((bytes, if next >= *end { behind } else { (place, next) }))
}

fn write(
    walk: &Walk,
    plan: &Plan,
    log: &Log<'_, Lane>,
    (span, index): (&Span, u64),
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let Span { owner, bodies, .. } = span;
    walk.step()?;
    let Some(row) = log.row(index)? else { return Ok(()) };
    if plan.is_whole {
        // Signed was that it had its body: without it all that could be said of the export is that it was tampered with.
        if row.body.is_none() && index >= *bodies {
            return Err(Error::Nothing(format!("what record {index} of the log `{owner}` said has aged meanwhile")));
        }
        return Ok(line(bytes, index, &row)?);
    }
    let row = cut(walk.viewer(), owner, row)?;
    let is_wanted = |record: &AuditRecord| plan.choice.takes(record) && is_seen(walk.viewer(), owner, &record.place);
    if AuditRecord::read(owner, &row)?.is_some_and(|record| is_wanted(&record)) {
        match plan.format {
            Format::Jsonl => chosen(bytes, &owner.to_string(), index, &row)?,
            Format::Csv => cells_of(bytes, &owner.to_string(), index, &row)?,
        }
    }
    Ok(())
}

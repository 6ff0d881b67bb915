//! `/api/v1/dead-letters`: what was set aside, read from OUT, and put to work again.

mod replay;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::dead_letter::{DeadLetter, FailedPolicy, LineColumn, Reason};
use linesman_schemas::name::NameError;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::lists::query::{self, Limit, When};
use super::lists::words;
use super::params::{Params, PathOf};
use super::problem::Problem;
use super::routes::Sources;
use crate::log;
use crate::log::events::{self, Found, From, Place};

/// How long reading a page may take: OUT is read in one direction, from one place.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many may read at a time: each has a consumer at the server, and what it has fetched in memory.
pub(super) const READERS: usize = 4;

/// What was set aside.
pub(super) fn routes() -> OpenApiRouter<Arc<Sources>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one)).routes(routes!(replay::replay))
}

/// Which dead letters, and in what order.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeadLettersQuery {
    /// Whose; `_unknown` for those of nobody known, `_provider` for the provider's own; none: all of them.
    #[param(schema_with = organization, required = false)]
    organization: Option<String>,
    /// Why they were set aside.
    #[param(schema_with = words::reason, required = false)]
    reason: Option<Reason>,
    /// Those set aside at this time or later.
    #[param(schema_with = query::when, required = false)]
    after: Option<When>,
    /// Those set aside before this time.
    #[param(schema_with = query::when, required = false)]
    before: Option<When>,
    /// The order.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// How many at most.
    #[param(schema_with = query::limit, required = false)]
    limit: Option<Limit>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which dead letter.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LetterPath {
    /// Its id: its place in OUT.
    id: String,
}

/// The order of dead letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub(super) enum Sort {
    /// The oldest first.
    #[default]
    #[serde(rename = "time")]
    Time,
    /// The newest first.
    #[serde(rename = "-time")]
    TimeDown,
}

/// A dead letter.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Letter {
    /// Its place in OUT, by which it is asked for.
    id: String,
    /// Id of its event.
    event: String,
    /// Whose; null where nobody is known, or it is the provider's own.
    #[schema(value_type = Option<String>)]
    organization: Option<OrgName>,
    /// When it was set aside, by the log's clock.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Why.
    #[schema(schema_with = words::reason)]
    reason: Reason,
    /// What exactly, for people.
    detail: String,
    /// Where in the text, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    place: Option<LineColumn>,
    /// The input's sequence in IN.
    sequence: u64,
    /// The subject it came by, without the lane.
    subject: String,
    /// The failed policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    policy: Option<FailedPolicy>,
    /// The failed reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction: Option<String>,
    /// The input's length in bytes.
    length: usize,
    /// The input's bytes in base64, where one dead letter is asked for and holds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

/// A page of dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadLetters {
    items: Vec<Letter>,
    /// The cursor of the next page; null behind the last.
    next: Option<String>,
}

/// The part of a CloudEvent that a dead letter needs.
#[derive(Deserialize)]
struct Event {
    id: String,
    time: Timestamp,
    data: DeadLetter,
}

impl Letter {
    fn read(found: &Found) -> Result<Self, serde_json::Error> {
        let Event { id, time, data } = serde_json::from_str(found.event.get())?;
        Ok(Self {
            id: found.place.to_string(),
            event: id,
            organization: found.subject.split('.').nth(1).and_then(|token| token.parse().ok()),
            time,
            reason: data.reason,
            detail: data.detail,
            place: data.place,
            sequence: data.sequence,
            subject: data.subject,
            policy: data.policy,
            reaction: data.reaction,
            length: data.length,
            bytes: data.bytes,
        })
    }
}

/// Dead letters, page by page.
///
/// Newest first means that OUT is read as a whole: name an organization, a reason or a time where there are many.
#[utoipa::path(
    get,
    path = "/api/v1/dead-letters",
    tag = "dead letters",
    params(DeadLettersQuery),
    responses(
        (status = 200, description = "a page", body = DeadLetters),
    )
)]
pub(super) async fn list(
    State(sources): State<Arc<Sources>>,
    Params(query): Params<DeadLettersQuery>,
) -> Result<Json<DeadLetters>, Problem> {
    let cursor = query.cursor.as_deref().map(|text| read_cursor(text, query.sort)).transpose()?;
    let filter = filter(&sources, &query)?;
    let page = async {
        let _seat = sources.readers.acquire().await.map_err(|error| Problem::internal(&error))?;
        page(&sources.client, &query, filter, cursor).await
    };
    match timeout(PATIENCE, page).await {
        Ok(page) => page.map(Json),
        Err(_) => Err(Problem::busy(
            "the dead letters cannot be read within 10 s; name an organization, a reason or a time",
            10,
        )),
    }
}

/// One dead letter, with its input's bytes where it holds them.
#[utoipa::path(
    get,
    path = "/api/v1/dead-letters/{id}",
    tag = "dead letters",
    params(LetterPath),
    responses(
        (status = 200, description = "the dead letter", body = Letter),
        (status = 404, description = "There is none of that id.", body = super::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(sources): State<Arc<Sources>>,
    PathOf(path): PathOf<LetterPath>,
) -> Result<Json<Letter>, Problem> {
    find(&sources.client, &path.id).await.map(Json)
}

/// The dead letter of that id.
async fn find(client: &Client, id: &str) -> Result<Letter, Problem> {
    let none = || Problem::new(StatusCode::NOT_FOUND, "there is no dead letter of that id, or OUT has it no more");
    let place: Place = id.parse().map_err(|_| none())?;
    let found = events::get(client, place).await.map_err(|error| log_is_away(&error))?;
    let found = found.filter(|found| found.subject.split('.').nth(2) == Some("dead")).ok_or_else(none)?;
    Letter::read(&found).map_err(|error| Problem::internal(&error))
}

/// The subjects that are asked for.
fn filter(sources: &Sources, query: &DeadLettersQuery) -> Result<String, Problem> {
    let org = match query.organization.as_deref() {
        None => "*",
        Some(ours @ ("_unknown" | "_provider")) => ours,
        Some(name) => {
            let org: OrgName = name.parse().map_err(|error: NameError| {
                Problem::parameter("organization", format!("`organization`: {error}, `_unknown` or `_provider`"))
            })?;
            if sources.commands.standing(&org).map_err(|error| Problem::internal(&error))?.is_none() {
                return Err(Problem::new(StatusCode::NOT_FOUND, format!("there is no organization `{org}`")));
            }
            name
        }
    };
    let reason = query.reason.map_or("*", Reason::as_str);
    Ok(format!("out.{org}.dead.{reason}"))
}

async fn page(
    client: &Client,
    query: &DeadLettersQuery,
    filter: String,
    cursor: Option<Place>,
) -> Result<DeadLetters, Problem> {
    let limit = Limit::or_default(query.limit);
    let mut read = Reading { items: VecDeque::new(), is_more: false, fault: None };
    let from = match (cursor, &query.after) {
        (Some(place), _) if query.sort == Sort::Time => From::After(place),
        (_, Some(time)) => From::Time(time.0),
        _ => From::Beginning,
    };
    let take = |found: Found| match query.sort {
        Sort::Time => read.take_until(&found, query, limit),
        Sort::TimeDown => read.take_last(&found, query, limit, cursor),
    };
    events::read(client, filter, from, take).await.map_err(|error| log_is_away(&error))?;
    if let Some(error) = read.fault {
        return Err(Problem::internal(&error));
    }
    let items: Vec<Letter> = match query.sort {
        Sort::Time => read.items.into(),
        Sort::TimeDown => read.items.into_iter().rev().collect(),
    };
    let last = items.last().filter(|_| read.is_more).map(|letter| cursor_of(&letter.id, query.sort));
    Ok(DeadLetters { next: last, items })
}

/// A page in the making.
struct Reading {
    items: VecDeque<Letter>,
    is_more: bool,
    fault: Option<serde_json::Error>,
}

impl Reading {
    /// Takes the first ones.
    fn take_until(&mut self, found: &Found, query: &DeadLettersQuery, limit: usize) -> ControlFlow<()> {
        let Some(letter) = self.letter(found, query)? else { return ControlFlow::Continue(()) };
        if self.items.len() == limit {
            self.is_more = true;
            return ControlFlow::Break(());
        }
        self.items.push_back(letter);
        ControlFlow::Continue(())
    }

    /// Takes the last ones in front of the cursor.
    fn take_last(
        &mut self,
        found: &Found,
        query: &DeadLettersQuery,
        limit: usize,
        cursor: Option<Place>,
    ) -> ControlFlow<()> {
        if cursor.is_some_and(|cursor| found.place >= cursor) {
            return ControlFlow::Break(());
        }
        if let Some(letter) = self.letter(found, query)? {
            if self.items.len() == limit {
                self.items.pop_front();
                self.is_more = true;
            }
            self.items.push_back(letter);
        }
        ControlFlow::Continue(())
    }

    /// The letter, if it is asked for; a list shows no bytes.
    fn letter(&mut self, found: &Found, query: &DeadLettersQuery) -> ControlFlow<(), Option<Letter>> {
        match Letter::read(found) {
            Ok(letter) => {
                let is_asked_for = query::lies(letter.time, query.after.as_ref(), query.before.as_ref());
                ControlFlow::Continue(is_asked_for.then_some(Letter { bytes: None, ..letter }))
            }
            Err(error) => {
                self.fault = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// The schema of `organization`.
fn organization() -> Schema {
    let name = ObjectBuilder::new().schema_type(Type::String);
    name.pattern(Some("^([A-Za-z0-9][A-Za-z0-9_-]{0,63}|_unknown|_provider)$")).into()
}

fn cursor_of(id: &str, sort: Sort) -> String {
    match sort {
        Sort::Time => id.to_owned(),
        Sort::TimeDown => format!("-{id}"),
    }
}

fn read_cursor(text: &str, sort: Sort) -> Result<Place, Problem> {
    let place = match sort {
        Sort::Time => Some(text),
        Sort::TimeDown => text.strip_prefix('-'),
    };
    let place = place.and_then(|place| place.parse().ok());
    place.ok_or_else(|| {
        Problem::parameter("cursor", "`cursor` is none that an answer of this list and order gave as `next`")
    })
}

fn log_is_away(error: &log::Error) -> Problem {
    tracing::warn!(%error, "dead letters cannot be read");
    Problem::busy("the log does not answer", 2)
}

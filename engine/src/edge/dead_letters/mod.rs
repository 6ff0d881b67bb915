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
use linesman_schemas::dead_letter::{DeadLetter, FailedPolicy, Place as TextPlace, Reason};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::lists::query::{self, Limit};
use super::lists::words;
use super::params::{Params, PathOf};
use super::problem::Problem;
use super::routes::Sources;
use crate::log;
use crate::log::events::{self, Found, From, Place};

/// How long reading a page may take: OUT is read in one direction, from one place.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was set aside.
pub(super) fn routes() -> OpenApiRouter<Arc<Sources>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one)).routes(routes!(replay::replay))
}

/// Which dead letters, and in what order.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeadLettersQuery {
    /// Whose; none: everybody's, and those of nobody known.
    #[param(value_type = Option<String>)]
    organization: Option<OrgName>,
    /// Why they were set aside.
    #[param(schema_with = words::reason, required = false)]
    reason: Option<Reason>,
    /// Those set aside at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    after: Option<Timestamp>,
    /// Those set aside before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
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
    place: Option<TextPlace>,
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
    let page = timeout(PATIENCE, page(&sources.client, &query, cursor)).await;
    match page {
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

async fn page(client: &Client, query: &DeadLettersQuery, cursor: Option<Place>) -> Result<DeadLetters, Problem> {
    let org = query.organization.as_ref().map_or("*", OrgName::as_str);
    let reason = query.reason.map_or("*", Reason::as_str);
    let filter = format!("out.{org}.dead.{reason}");
    let limit = Limit::or_default(query.limit);
    let mut read = Reading { items: VecDeque::new(), is_more: false, fault: None };
    let from = match (cursor, query.after) {
        (Some(place), _) if query.sort == Sort::Time => From::After(place),
        (_, Some(time)) => From::Time(time),
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
                let is_asked_for = query.after.is_none_or(|after| letter.time >= after)
                    && query.before.is_none_or(|before| letter.time < before);
                ControlFlow::Continue(is_asked_for.then_some(Letter { bytes: None, ..letter }))
            }
            Err(error) => {
                self.fault = Some(error);
                ControlFlow::Break(())
            }
        }
    }
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
    place.ok_or_else(|| Problem::parameter("cursor", "is none that an answer of this list and order gave as `next`"))
}

fn log_is_away(error: &log::Error) -> Problem {
    tracing::warn!(%error, "dead letters cannot be read");
    Problem::busy("the log does not answer", 2)
}

//! `/api/v1/dead-letters`: what was set aside, read from OUT, and put to work again.

pub(super) mod replay;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use linesman_domain::letters;
use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::dead_letter::{Counted, DeadLetter, FailedPolicy, LineColumn, Reason};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::event_ids::{EventIds, Told};
use super::filters::tables::DeadLetters;
use super::filters::{Whose, is, lies};
use super::paging::{Offered, Page, Pager, Paging, Rank, Value, no_cursor};
use super::sources::Sources;
use super::transport::params::{Params, PathOf};
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::{Viewer, owner};
use super::words::{self, Flag};
use crate::log;
use crate::log::events::{self, EventPlace, Found, From};

/// How long reading a page may take: OUT is read in one direction, from one place.
const PATIENCE: Duration = Duration::from_secs(10);
/// Which dead letter.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct LetterPath {
    /// Its id: its place in OUT.
    id: String,
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
    /// The input's sequence in IN, for whoever sees everything: to others it would tell how much those have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sequence: Option<u64>,
    /// The same, for whoever puts it to work again.
    #[serde(skip)]
    input: u64,
    /// The subject it came by, without the lane.
    subject: String,
    /// The failed policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    policy: Option<FailedPolicy>,
    /// The failed reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction: Option<String>,
    /// What it was about, such as an incident.
    #[serde(skip)]
    about: Option<String>,
    /// The input's length in bytes.
    length: usize,
    /// The input's bytes in base64, where one dead letter is asked for and holds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    /// How it was replayed; null where it was not, as far as that is kept: from engine level 16 on.
    replayed: Option<Replayed>,
    /// How many inputs it stands for, where it counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    counted: Option<CountedInputs>,
}

/// How a dead letter was put to work again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replayed {
    /// When it was last, by the log's clock.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// By whom.
    by: String,
    /// What became of that: `done`, or why not: `conflict` where it failed again or does not fit how things stand, `not-found` where
    /// what it was about is not there any more.
    outcome: &'static str,
    /// How often it was put to work again. A policy that failed anew has a letter of its own for that.
    times: u32,
}

impl Replayed {
    /// Whether there is nothing left to be done.
    fn is_done(&self) -> bool {
        self.outcome == Verdict::Done.as_str()
    }

    /// As it is kept.
    fn of(row: letters::Replayed) -> Self {
        Self { at: row.at, by: row.by, outcome: row.outcome.as_str(), times: row.times }
    }

    /// How a letter was replayed for whom its input was, or its policy's organization.
    fn find(sources: &Sources, letter: &Letter) -> Result<Option<Self>, linesman_domain::Error> {
        let named = || letter.subject.strip_prefix("in.")?.split('.').next()?.parse().ok();
        let Some(org) = letter.organization.clone().or_else(named) else { return Ok(None) };
        let Some(lane) = sources.lane(&org) else { return Ok(None) };
        Ok(letters::replayed(lane, &org, &letter.event)?.map(Self::of))
    }
}

/// Inputs that a dead letter counts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountedInputs {
    /// The day by the log's clock and UTC: `YYYY-MM-DD`.
    day: String,
    /// How many they were.
    messages: u64,
    /// How many bytes.
    bytes: u64,
    /// The sequence in IN of the last of them, for whoever sees everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last: Option<u64>,
}

/// The part of a CloudEvent that a dead letter needs.
#[derive(Deserialize)]
struct Event {
    id: String,
    time: Timestamp,
    subject: Option<String>,
    data: DeadLetter,
}

impl Letter {
    /// One as it is told to `viewer`.
    fn read(ids: &EventIds, viewer: &Viewer, found: &Found) -> Result<Self, serde_json::Error> {
        let Event { id, time, subject: about, data } = serde_json::from_str(found.event.get())?;
        Ok(Self {
            id: ids.of(viewer, found.place),
            event: id,
            organization: owner(&found.subject),
            time,
            reason: data.reason,
            detail: data.detail,
            place: data.place,
            sequence: Some(data.sequence).filter(|_| viewer.sees(None)),
            input: data.sequence,
            subject: data.subject,
            policy: data.policy,
            reaction: data.reaction,
            about,
            length: data.length,
            bytes: data.bytes,
            replayed: None,
            counted: data.counted.map(|Counted { day, messages, bytes, last }| {
                let last = Some(last).filter(|_| viewer.sees(None));
                CountedInputs { day, messages, bytes, last }
            }),
        })
    }
}

/// Dead letters, page by page.
///
/// Newest first means that OUT is read as a whole: name an organization, a reason or a time where there are many.
#[utoipa::path(
    get,
    path = "/api/v1/dead-letters", operation_id = "dead-letters",
    tag = "dead letters",
    params(DeadLetters),
    responses(
        (status = 200, description = "a page", body = Page<Letter>),
    )
)]
pub(super) async fn list(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<DeadLetters>,
) -> Result<Json<Page<Letter>>, Problem> {
    let mut paging = Paging::take(&mut list)?;
    paging.after = paging.after.map(|told| read(&sources.ids, &viewer, &told)).transpose()?;
    if let Some(Whose::Organization(org)) = &list.organization {
        viewer.may("dead-letters", &org.clone().into())?;
    }
    if let Some(Whose::Organization(org)) = &list.organization
        && sources.commands.standing(&viewer, org).map_err(|error| Problem::internal(&error))?.is_none()
    {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("there is no organization `{org}`")));
    }
    let page = async {
        let _seat = sources.readers.wait(&viewer).await?;
        page(&sources, &viewer, &list, &paging).await
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
    path = "/api/v1/dead-letters/{id}", operation_id = "dead-letter",
    tag = "dead letters",
    params(LetterPath),
    responses(
        (status = 200, description = "the dead letter", body = Letter),
        (status = 404, description = "There is none of that id.", body = ProblemBody<'static>, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<LetterPath>,
) -> Result<Json<Letter>, Problem> {
    find(&sources, &viewer, &path.id).await.map(Json)
}

/// The dead letter of that id, if `viewer` sees it. OUT is asked for what they were told of, and for nothing else: how
/// long it takes says nothing of what others have.
async fn find(sources: &Sources, viewer: &Viewer, id: &str) -> Result<Letter, Problem> {
    let none = || Problem::new(StatusCode::NOT_FOUND, "there is no dead letter of that id, or OUT has it no more");
    let Some(Told::At(place)) = sources.ids.read(viewer, id) else { return Err(none()) };
    let found = events::get(&sources.client, place).await.map_err(|error| log_is_away(&error))?;
    let found = found.filter(|found| found.subject.split('.').nth(2) == Some("dead"));
    let found = found.filter(|found| viewer.sees_whole(owner(&found.subject).as_ref())).ok_or_else(none)?;
    let letter = Letter::read(&sources.ids, viewer, &found).map_err(|error| Problem::internal(&error))?;
    let replayed = Replayed::find(sources, &letter).map_err(|error| Problem::internal(&error))?;
    Ok(Letter { replayed, ..letter })
}

/// A page, of what `viewer` sees: OUT is read in its own order, whatever order is asked for.
async fn page(
    sources: &Sources,
    viewer: &Viewer,
    list: &DeadLetters,
    paging: &Paging,
) -> Result<Page<Letter>, Problem> {
    let filters = filters(viewer, list);
    if filters.is_empty() {
        return Ok(Pager::new(paging, Offered::InOrder).page());
    }
    let from = match (paging.after.as_ref().map(place), &list.after) {
        (Some(place), _) if !paging.is_descending => From::After(place),
        (_, Some(time)) => From::Time(time.0),
        _ => From::Beginning,
    };
    let offered = if paging.is_descending { Offered::Backwards } else { Offered::InOrder };
    let mut pager = Pager::new(paging, offered);
    let mut fault = None;
    let take = |found: Found| {
        if !viewer.sees_whole(owner(&found.subject).as_ref()) {
            return ControlFlow::Continue(());
        }
        let offered = pager.offer(rank(found.place), |_| {
            // A list shows no bytes.
            let letter = Letter { bytes: None, ..Letter::read(&sources.ids, viewer, &found)? };
            if !lies(letter.time, list.after.as_ref(), list.before.as_ref()) {
                return Ok(None);
            }
            let replayed = Replayed::find(sources, &letter)?;
            let is_done = replayed.as_ref().is_some_and(|replayed| replayed.times > 0);
            let letter = Letter { replayed, ..letter };
            let bytes = letter.detail.len() + letter.subject.len();
            Ok::<_, Unread>(is(list.replayed, Flag::of(is_done)).then_some((letter, bytes)))
        });
        offered.unwrap_or_else(|error| {
            fault = Some(error);
            ControlFlow::Break(())
        })
    };
    events::read(&sources.client, filters, from, take).await.map_err(|error| log_is_away(&error))?;
    match fault {
        Some(error) => Err(Problem::internal(&error)),
        None => Ok(pager.page_told(|last| rank_of(sources.ids.of(viewer, place(&last)).into_bytes()))),
    }
}

/// Why a letter cannot be told.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("a dead letter cannot be read")]
    Json(#[from] serde_json::Error),
    #[error("whether it was replayed cannot be read")]
    Rows(#[from] linesman_domain::Error),
}

/// The subjects that are read: of whoever does not see everything those of the organizations that they see as a whole, so
/// that what others have costs them nothing.
fn filters(viewer: &Viewer, list: &DeadLetters) -> Vec<String> {
    let of = |whose: &str| format!("out.{whose}.dead.{}", list.reason.map_or("*", Reason::as_str));
    match &list.organization {
        Some(whose) if viewer.sees(None) || matches!(whose, Whose::Organization(_)) => vec![of(whose.token())],
        // What is nobody's, or the provider's, is there for whoever sees everything.
        Some(_) => Vec::new(),
        None if viewer.sees(None) => vec![of("*")],
        None => {
            let whole = viewer.reach().organizations().into_iter().filter(|org| viewer.sees_all(org));
            whole.map(|org| of(org.as_str())).collect()
        }
    }
}

/// A dead letter's rank: its place in OUT is all there is to sort by.
fn rank(place: EventPlace) -> Rank {
    rank_of([&place.sequence.to_be_bytes()[..], &place.number.to_be_bytes()].concat())
}

fn rank_of(key: Vec<u8>) -> Rank {
    Rank { value: Value::Key, organization: String::new(), key }
}

/// The rank of the letter of which a cursor tells: it has the letter's id, as whoever was told it.
fn read(ids: &EventIds, viewer: &Viewer, told: &Rank) -> Result<Rank, Problem> {
    match str::from_utf8(&told.key).ok().and_then(|id| ids.read(viewer, id)) {
        Some(Told::At(place)) => Ok(rank(place)),
        _ => Err(no_cursor()),
    }
}

/// The place a rank was made of.
fn place(rank: &Rank) -> EventPlace {
    let (sequence, number) = rank.key.split_at_checked(8).unwrap_or_default();
    EventPlace {
        sequence: sequence.try_into().map_or(0, u64::from_be_bytes),
        number: number.try_into().map_or(0, u32::from_be_bytes),
    }
}

fn log_is_away(error: &log::Error) -> Problem {
    tracing::warn!(%error, "dead letters cannot be read");
    Problem::busy("the log does not answer", 2)
}

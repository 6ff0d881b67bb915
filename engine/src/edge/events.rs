//! `GET /api/v1/events`: committed triggers as they happen, as server-sent events.
//!
//! An event's id tells its place in OUT ([`super::event_ids`]). Whoever comes back with the last one they had
//! (`Last-Event-ID`) misses nothing that OUT still has; what it has no more is told by an event `gap`.
//!
//! INVARIANT (nothing of others by ids): to whoever does not see everything, what an answer says and what follows depends
//! on an id only as far as they were told it. A place that is spelt out may be anybody's guess: they are told, behind a
//! `gap`, all that OUT has for them, whatever the place.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, stream};
use linesman_rules::{excerpt, suggest};
use linesman_schemas::OrgName;
use linesman_schemas::trigger::Trigger;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::event_ids::Told;
use super::listener::{LOOK_EVERY, Listener};
use super::shares::Seat;
use super::sources::Sources;
use super::transport::params::Params;
use super::transport::problem::Problem;
use super::viewer::Viewer;
use crate::log;
use crate::log::events::{self, EventPlace, From};
use crate::log::streams::OUT;
use linesman_domain::outgoing::POLICY_REFUSED;

/// How often a listener is told that nothing happened.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The subjects of all triggers.
const ALL: &str = "out.*.trigger.>";
const LAST_EVENT_ID: &str = "last-event-id";

/// What is listened to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Of whom; none: of all organizations.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    organization: Option<OrgName>,
    /// Which trigger; none: all.
    #[param(schema_with = super::words::told_trigger, required = false)]
    trigger: Option<String>,
    /// As the header `Last-Event-ID`, for those who cannot set it.
    last_event_id: Option<String>,
}

/// Committed triggers, as they happen.
///
/// Each event has the trigger's name as its type and the CloudEvent as its data. An id comes first, a comment
/// every 15 s when nothing happens. With `Last-Event-ID` the stream goes on behind that event; an event `gap` says
/// that the log has it no more, so that some may be missing. An id tells nothing of others, and is not to be compared.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    params(EventsQuery, ("Last-Event-ID" = Option<String>, Header, description = "the id of the last event that was received")),
    responses(
        (status = 200, description = "the events", content_type = "text/event-stream", body = String),
    )
)]
pub(super) async fn events(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(query): Params<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = last_event(&sources, &viewer, &headers, query.last_event_id.as_deref())?;
    let seat = sources.listeners.take(&viewer)?;
    let org = query.organization.as_ref().map_or("*", OrgName::as_str);
    let trigger = query.trigger.as_deref().map_or(Ok(">"), known)?;
    let filter = format!("out.{org}.trigger.{trigger}");
    let (place, first) = match last {
        Some((Told::At(place), id)) => (place, gap(&sources, place, &id).await?),
        Some((Told::Bare(EventPlace::BEGINNING), _)) => (EventPlace::BEGINNING, None),
        Some((Told::Bare(_) | Told::Foreign, id)) => (EventPlace::BEGINNING, Some(missing(&id))),
        None => {
            let place = events::latest(&sources.client, ALL).await.map_err(|error| log_is_away(&error))?;
            let id = sources.ids.of_any(&viewer, place).map_err(|error| Problem::internal(&error))?;
            // Whoever hears nothing before the stream breaks off can come back too.
            (place, Some(Event::default().id(id)))
        }
    };
    let found = events::follow(&sources.client, filter, From::After(place)).await;
    let found = found.map_err(|error| log_is_away(&error))?;
    let listener = Listener::new(Arc::clone(&sources), viewer, headers);
    let looks = stream::unfold(tokio::time::interval(LOOK_EVERY), async |mut looks| {
        looks.tick().await;
        Some((None, looks))
    });
    let found = stream::select(found.map(Some), looks);
    let found = found.scan(listener, |listener, found| ready(listener.hear(found))).filter_map(ready);
    let shown = stream::iter(first).chain(found);
    let shown = until_stopped(shown, sources.ready.clone(), seat);
    Ok(Sse::new(shown.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// A trigger's name, if one of that name has events.
fn known(name: &str) -> Result<&str, Problem> {
    let names = || Trigger::TOLD.map(Trigger::as_str).into_iter().chain([POLICY_REFUSED]);
    if names().any(|known| known == name) {
        return Ok(name);
    }
    let detail = format!("`trigger`: `{}` is not known: {}", excerpt(name), suggest(name, names()));
    Err(Problem::parameter("trigger", detail))
}

/// The last event the client has: its place, and its id.
fn last_event(
    sources: &Sources,
    viewer: &Viewer,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Option<(Told, String)>, Problem> {
    let mut given = headers.get_all(LAST_EVENT_ID).iter();
    let (name, text) = match (given.next(), given.next()) {
        (None, _) => ("last_event_id", query),
        (Some(text), None) => ("Last-Event-ID", Some(text.to_str().unwrap_or("?"))),
        (Some(_), Some(_)) => {
            return Err(Problem::parameter("Last-Event-ID", "`Last-Event-ID` is given more than once"));
        }
    };
    // The empty id is what a client has before the first event.
    let text = text.filter(|text| !text.is_empty());
    let place = text.map(|text| {
        let place = sources.ids.read(viewer, text).map(|place| (place, text.to_owned()));
        place.ok_or_else(|| Problem::parameter(name, format!("`{name}` is no event's id")))
    });
    place.transpose()
}

/// An event that tells of what cannot be told any more behind an id, if there may be any.
async fn gap(sources: &Sources, last: EventPlace, id: &str) -> Result<Option<Event>, Problem> {
    if last == EventPlace::BEGINNING {
        return Ok(None);
    }
    // OUT loses the oldest first: while it has the last one heard, it has all behind it.
    if events::message(&sources.client, OUT, last.sequence).await.map_err(|error| log_is_away(&error))?.is_some() {
        return Ok(None);
    }
    if last.sequence > events::end(&sources.client).await.map_err(|error| log_is_away(&error))? {
        let detail = format!("the event `{id}` is of another log: this one has not come so far");
        return Err(Problem::parameter("Last-Event-ID", detail));
    }
    Ok(Some(missing(id)))
}

fn missing(id: &str) -> Event {
    Event::default().event("gap").data(json!({ "last": id }).to_string())
}

fn log_is_away(error: &log::Error) -> Problem {
    tracing::warn!(%error, "events cannot be read");
    Problem::busy("the log does not answer", 2)
}

/// Ends when the engine stops; keeps its seat until then.
fn until_stopped(
    events: impl Stream<Item = Event>,
    mut ready: watch::Receiver<bool>,
    seat: Seat,
) -> impl Stream<Item = Event> {
    let stopped = async move {
        // A sender that is gone has stopped too.
        let _ = ready.wait_for(|ready| !ready).await;
        drop(seat);
    };
    events.take_until(stopped)
}

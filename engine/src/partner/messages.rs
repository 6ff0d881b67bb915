//! The intelligence messages that were sent to an end customer, as they are worded for it, and those that were recalled, from a
//! cursor on.
//!
//! INVARIANT (an end customer learns of no other): what is told is made of the organization's own sendings alone. Where a list
//! goes on is sealed as that of cases is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use linesman_domain::Error;
use linesman_domain::intelligence::sent::{self, SentRow};
use linesman_schemas::OrgName;
use linesman_schemas::cascade::{MessagePage, PAGE_MOST};
use linesman_schemas::intelligence::{Intelligence, Relevance};
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::Asker;
use super::cases::{PAGE, TEXT_MOST, limit, nothing};
use super::cursor::{self, List};
use super::sources::Sources;
use crate::edge::transport::params::Params;
use crate::edge::transport::problem::Problem;
use crate::store::Lane;

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Sent {
    /// Where to go on from: the `cursor` of the page before. Without one the list begins at the first message.
    #[serde(default)]
    #[param(required = false, nullable = false)]
    after: Option<String>,
    /// How many messages at most.
    #[serde(default, deserialize_with = "limit")]
    #[param(value_type = u32, required = false, minimum = 1, maximum = 200, default = 100)]
    limit: Option<u32>,
}

/// The messages that were sent or recalled, in the order in which they last were.
#[utoipa::path(
    get, path = "/partner/v1/intelligence", tag = "intelligence", operation_id = "list-intelligence", params(Sent),
    responses((status = 200, description = "A page of them.", content_type = "application/json",
        body = ref("#/components/schemas/MessagePage")))
)]
pub(super) async fn messages(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    Params(Sent { after, limit }): Params<Sent>,
) -> Result<Json<MessagePage>, Problem> {
    let (org, controller) = (asker.org().clone(), Arc::clone(&sources.controller));
    let after = after.map(|text| cursor::read(List::Messages, &controller, &org, &text)).transpose()?;
    let most = usize::try_from(limit.unwrap_or(PAGE)).unwrap_or(PAGE_MOST);
    let lane = sources.lane(&org).ok_or_else(nothing)?.clone();
    let _room = sources.reads.acquire().await.map_err(|error| Problem::internal(&error))?;
    // The store waits for the disk.
    let after = after.unwrap_or_default();
    let read = tokio::task::spawn_blocking(move || page(&lane, &controller, &org, after, most)).await;
    let read = read.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    read.map(Json).ok_or_else(|| cursor::unknown(List::Messages))
}

/// What was sent to an organization or recalled behind `after`; none where nothing has gone that far: the state is not the one
/// the cursor was given by.
fn page(lane: &Lane, controller: &str, org: &OrgName, after: u64, most: usize) -> Result<Option<MessagePage>, Error> {
    if after > sent::last_change(lane, org)? {
        return Ok(None);
    }
    // One more than are told says whether there are more.
    let sent = sent::changed_after(lane, org, after, most + 1)?;
    let (mut messages, mut last, mut bytes, mut more) = (Vec::new(), after, 0, false);
    for (id, row) in sent {
        if messages.len() >= most || bytes >= TEXT_MOST {
            more = true;
            break;
        }
        if let Some(message) = told(&id, &row) {
            bytes += serde_json::to_vec(&message).map_or(0, |text| text.len());
            messages.push(message);
        }
        last = row.changed;
    }
    Ok(Some(MessagePage { messages, cursor: cursor::write(List::Messages, controller, org, last), more }))
}

/// A message as it was sent last; or that it was recalled, and nothing of what it said: it may have been sent by mistake.
fn told(id: &str, row: &SentRow) -> Option<Intelligence> {
    let sending = row.sendings.last()?;
    let Some(_) = &sending.recalled else { return Some(Intelligence::from(sending.message.clone())) };
    Some(Intelligence {
        id: id.to_owned(),
        kind: sending.message.kind,
        title: id.to_owned(),
        text: String::new(),
        issued: sending.message.issued,
        relevance: Relevance::default(),
        links: Vec::new(),
        recalled: true,
    })
}

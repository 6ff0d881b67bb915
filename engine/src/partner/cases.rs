//! What became of cases: one by its receipt, and those that changed, from a cursor on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linesman_domain::Error;
use linesman_domain::cases::chain;
use linesman_schemas::OrgName;
use linesman_schemas::cascade::{CasePage, CaseView, PAGE_MOST};
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::Asker;
use super::cursor::{self, List};
use super::sources::Sources;
use super::view::{self, Reported};
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::store::Lane;

/// How many cases a page has where nothing else is said.
pub(super) const PAGE: u32 = 100;
/// Where a page ends whatever its limit, in bytes of text: a case may have 200 notes of 4,096 characters.
pub(super) const TEXT_MOST: usize = 1024 * 1024;

/// A receipt.
#[derive(Deserialize)]
pub(super) struct Receipts {
    pub(super) transaction_id: String,
}

/// Which cases.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Changed {
    /// Where to go on from: the `cursor` of the page before. Without one the list begins at the first case.
    #[serde(default)]
    #[param(required = false, nullable = false)]
    cursor: Option<String>,
    /// How many cases at most.
    #[serde(default, deserialize_with = "limit")]
    #[param(value_type = u32, required = false, minimum = 1, maximum = 200, default = 100)]
    limit: Option<u32>,
}

/// A number that is written in a query.
pub(super) fn limit<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = text.parse().ok().filter(|number| (1..=PAGE_MOST as u32).contains(number));
    number.map(Some).ok_or_else(|| serde::de::Error::custom(format_args!("is not a number from 1 to {PAGE_MOST}")))
}

/// How a case stands.
#[utoipa::path(
    get, path = "/partner/v1/cases/{transaction_id}", tag = "cases", operation_id = "show-case",
    params(("transaction_id" = String, Path, description = "The receipt of the case.")),
    responses((status = 200, description = "How it stands.", content_type = "application/json",
        body = ref("#/components/schemas/CaseView")))
)]
pub(super) async fn case(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    PathOf(Receipts { transaction_id }): PathOf<Receipts>,
) -> Result<Json<CaseView>, Problem> {
    let (lane, reported) = find(&sources, asker.org(), &transaction_id)?;
    shown(lane, &reported)
}

/// The cases that changed, in the order in which they did, each as it stands now.
#[utoipa::path(
    get, path = "/partner/v1/cases", tag = "cases", operation_id = "list-cases", params(Changed),
    responses((status = 200, description = "A page of them.", content_type = "application/json",
        body = ref("#/components/schemas/CasePage")))
)]
pub(super) async fn cases(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    Params(Changed { cursor, limit }): Params<Changed>,
) -> Result<Json<CasePage>, Problem> {
    let org = asker.org().clone();
    let after =
        cursor.map(|text| cursor::read(List::Cases, &sources.controller, &org, &text)).transpose()?.unwrap_or_default();
    let most = usize::try_from(limit.unwrap_or(PAGE)).unwrap_or(PAGE_MOST);
    let lane = sources.lane(&org).ok_or_else(nothing)?.clone();
    let _room = sources.reads.acquire().await.map_err(|error| Problem::internal(&error))?;
    let controller = Arc::clone(&sources.controller);
    // The store waits for the disk.
    let read = tokio::task::spawn_blocking(move || page(&lane, &controller, &org, after, most)).await;
    let read = read.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
    read.map(Json).ok_or_else(|| cursor::unknown(List::Cases))
}

/// The cases of an organization that changed behind `after`; none where there is no such change yet: the state is not
/// the one the cursor was given by, and what changes next would never be told.
fn page(lane: &Lane, controller: &str, org: &OrgName, after: u64, most: usize) -> Result<Option<CasePage>, Error> {
    if after > chain::last_change(lane, org)? {
        return Ok(None);
    }
    let (mut cases, mut last, mut bytes, mut more) = (Vec::new(), after, 0, false);
    for found in chain::changes_after(lane, org, after) {
        let (change, number) = found?;
        if cases.len() >= most || bytes >= TEXT_MOST {
            more = true;
            break;
        }
        if let Some(case) = view::of_incident(lane, org, number)? {
            bytes += case.notes.iter().map(|note| note.text.len()).sum::<usize>();
            cases.push(case);
        }
        last = change;
    }
    Ok(Some(CasePage { cases, cursor: cursor::write(List::Cases, controller, org, last), more }))
}

/// The case of a receipt, and the lane it lies in.
///
/// # Errors
/// The end customer was given no such receipt.
pub(super) fn find<'a>(
    sources: &'a Sources,
    org: &OrgName,
    transaction_id: &str,
) -> Result<(&'a Lane, Reported), Problem> {
    let lane = sources.lane(org).ok_or_else(nothing)?;
    let found = view::find(lane, org, transaction_id).map_err(|error| Problem::internal(&error))?;
    found.map(|reported| (lane, reported)).ok_or_else(nothing)
}

/// The answer that says how a case stands.
pub(super) fn shown(lane: &Lane, reported: &Reported) -> Result<Json<CaseView>, Problem> {
    let view = reported.view(lane).map_err(|error| Problem::internal(&error))?;
    view.map(Json).ok_or_else(nothing)
}

/// The same whatever was asked for.
pub(super) fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no case of this transaction id")
}

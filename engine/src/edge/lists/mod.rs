//! `GET /api/v1/incidents` and `/api/v1/intelligence`: what an organization has, page by page.

mod incident;
mod incidents;
mod intelligence;
mod places;
mod query;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use linesman_schemas::OrgName;
use serde::Serialize;

use super::problem::Problem;
use super::routes::Sources;
use crate::domain;
use crate::store::{self, Lane};
use query::Query;

/// Where a page ends whatever its limit, in bytes of text: a single text may have 64 KiB.
const TEXT_MOST: usize = 8 * 1024 * 1024;

/// A page of a list.
#[derive(Debug, Serialize)]
struct Page<T> {
    items: Vec<T>,
    /// The cursor of the next page; none behind the last.
    next: Option<String>,
    /// How many there are in all, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// Nobody of that name.
    #[error("there is no organization `{0}`")]
    UnknownOrganization(OrgName),
    /// A cursor of another list.
    #[error("`cursor` is none that an answer of this list gave as `next`")]
    Cursor,
    /// The store cannot be read.
    #[error("the list cannot be read from the store")]
    Store(#[from] domain::Error),
    /// The page has no text.
    #[error("the list cannot be written")]
    Json(#[from] serde_json::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Incidents in order of arrival: `items`, the cursor of the `next` page or null, and the `total`.
///
/// # Errors
/// 400 for wrong parameters, 404 for an organization that does not exist.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "lists", responses((status = 200, description = "A page.")))]
pub(super) async fn incidents(State(sources): State<Arc<Sources>>, uri: Uri) -> Result<Response, Problem> {
    answer(&sources, &uri, incidents::page).await
}

/// Intelligence messages in order of their ids: `items` and the cursor of the `next` page or null.
///
/// # Errors
/// As [`incidents`].
#[utoipa::path(get, path = "/api/v1/intelligence", tag = "lists", responses((status = 200, description = "A page.")))]
pub(super) async fn intelligence(State(sources): State<Arc<Sources>>, uri: Uri) -> Result<Response, Problem> {
    answer(&sources, &uri, intelligence::page).await
}

async fn answer<T: Serialize + 'static>(
    sources: &Sources,
    uri: &Uri,
    page: fn(&[Lane], &Query) -> Result<Page<T>, Error>,
) -> Result<Response, Problem> {
    let query = Query::parse(uri)?;
    let permit = Arc::clone(&sources.reads).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
    let rows = Arc::clone(&sources.rows);
    // The store waits for the disk.
    let read = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let page = page(&rows, &query)?;
        Ok::<_, Error>(serde_json::to_vec(&page)?)
    });
    match read.await.map_err(|error| Problem::internal(&error))? {
        Ok(text) => Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response()),
        Err(error @ Error::UnknownOrganization(_)) => Err(Problem::new(StatusCode::NOT_FOUND, error.to_string())),
        Err(error @ Error::Cursor) => Err(Problem::bad_request(error.to_string())),
        Err(error @ (Error::Store(_) | Error::Json(_))) => Err(Problem::internal(&error)),
    }
}

//! `GET /api/v1/incidents`: incidents in order of arrival, page by page.

mod query;
mod read;
mod view;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::routes::Sources;
use query::Query;

/// Answers with a page: `items`, the cursor of the `next` page or null, and the `total`.
///
/// # Errors
/// 400 for wrong parameters, 404 for an organization that does not exist.
pub(super) async fn list(State(sources): State<Arc<Sources>>, uri: Uri) -> Result<Response, Problem> {
    let query = Query::parse(&uri)?;
    let permit = Arc::clone(&sources.reads).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
    let rows = Arc::clone(&sources.rows);
    // The store waits for the disk.
    let read = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let page = read::page(&rows, &query)?;
        Ok::<_, read::Error>(serde_json::to_vec(&page)?)
    });
    match read.await.map_err(|error| Problem::internal(&error))? {
        Ok(text) => Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response()),
        Err(error @ read::Error::UnknownOrganization(_)) => Err(Problem::new(StatusCode::NOT_FOUND, error.to_string())),
        Err(error @ (read::Error::Store(_) | read::Error::Json(_))) => Err(Problem::internal(&error)),
    }
}

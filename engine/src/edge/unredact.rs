//! `/api/v1/organizations/{name}/unredact`: a document gets its addresses back that were overwritten by the pseudonyms of an
//! organization's key. The key does not leave; what is undone is on record before anybody is told of it.

use std::io::{self, Write};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use linesman_redaction::{Key, Spool, unredact};
use linesman_schemas::command::{Organization, Undoing, Verb};
use linesman_schemas::{OrgName, Place};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tempfile::SpooledTempFile;
use utoipa::IntoParams;

use super::paths::OrganizationPath;
use super::sources::Sources;
use super::transport::params::{Params, PathOf};
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use super::writes::{is_there, on_record};
use crate::logging::full;

/// The most bytes that a document may come to.
const UNDONE_MOST: usize = 4 * super::access::DOCUMENT_MOST;
/// What of an archive's parts lies in memory before it goes into a file.
const IN_MEMORY: usize = 1 << 20;

/// What the document is called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DocumentQuery {
    /// Its file's name, by which archives are known; none: by what is in it.
    #[serde(default)]
    #[param(max_length = 200)]
    name: Option<String>,
}

/// Gives a document back its addresses, where they were overwritten by the pseudonyms of the organization. It is in the
/// audit before it is done, by the SHA-256 of the document. One document at a time.
#[utoipa::path(
    post, path = "/api/v1/organizations/{name}/unredact", operation_id = "unredact", tag = "organizations",
    params(OrganizationPath, DocumentQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "The document: a bundle, text, XML, tar, or any of them compressed by gzip; at most 16 MiB."),
    responses(
        (status = 200, description = "The document with its addresses.", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 404, description = "There is no such organization.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "The organization has no pseudonyms here.",
            content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "It is a broken archive, or one that unpacks to too much.",
            content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(super) async fn undo(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
    Params(query): Params<DocumentQuery>,
    document: Bytes,
) -> Result<Response, Problem> {
    let org = path.name;
    viewer.may("unredact", &Place::Organization(org.clone()))?;
    is_there(&sources, &org)?;
    let Ok(_turn) = sources.undoing.try_lock() else {
        return Err(Problem::busy("the pseudonyms of another document are being undone", 2));
    };
    let key = key(&sources, &org)?;
    let undoing = Undoing { sha256: hex::encode(Sha256::digest(&document)), size: document.len() as u64 };
    on_record(&sources, &viewer, Some(org.clone()), Verb::Organization(Organization::Unredact(undoing))).await?;
    tracing::info!(organization = %org, principal = %viewer.principal(), "pseudonyms of a document are undone");
    let name = query.name.unwrap_or_default();
    let undone = tokio::task::spawn_blocking(move || undone(&key, &name, &document)).await;
    let undone = undone.map_err(|error| Problem::internal(&error))??;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], undone).into_response())
}

/// The key of an organization that has one.
fn key(sources: &Sources, org: &OrgName) -> Result<Key, Problem> {
    let known = sources.sealed.pseudonyms.known(org);
    let known = known.map_err(|error| Problem::new(StatusCode::CONFLICT, full(&error)))?;
    known.ok_or_else(|| Problem::new(StatusCode::CONFLICT, format!("`{org}` has no pseudonyms here: there is no key")))
}

fn undone(key: &Key, name: &str, document: &[u8]) -> Result<Vec<u8>, Problem> {
    let spool = || Ok(Box::new(SpooledTempFile::new(IN_MEMORY)) as Box<dyn Spool>);
    let mut output = Bounded(Vec::new());
    match unredact(key, name, &mut &*document, &mut output, &spool) {
        Ok(_) => Ok(output.0),
        Err(error) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, full(&error))),
    }
}

/// Bytes in memory, of which there are not too many.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > UNDONE_MOST {
            return Err(io::Error::other(format!("it comes to more than {UNDONE_MOST} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! `/api/v1/cases/{id}/files`: what belongs to a case, as it came. Each that is handed out is on record before.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use linesman_domain::cases;
use linesman_domain::incidents::IncidentRow;
use linesman_domain::uploads::{self, Held, UploadRow};
use linesman_schemas::command::{CaseFile, CasesExport, Organization, Verb};
use linesman_schemas::outcome::FailureClass;
use linesman_schemas::reaction::BundleBytes;
use linesman_schemas::upload::{Upload, UploadKind, UploadSource};
use linesman_schemas::{FilterLevel, IncidentId, Place};
use serde::Serialize;
use utoipa::ToSchema;

use super::uploaded::plain;
use super::walk::{Walk, answer, found};
use super::{Error, seen};
use crate::edge::paths::{Count, FilePath, IncidentPath};
use crate::edge::sources::Sources;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::{Problem, ProblemBody};
use crate::edge::viewer::Viewer;
use crate::edge::words;
use crate::edge::writes::{HANDED_OUT_FROM, on_record_from};
use crate::store::Lane;

/// A file that belongs to a case.
#[derive(Debug, Serialize, ToSchema)]
struct CaseFileItem {
    /// By what it is fetched.
    number: u32,
    /// What whoever brought it calls it.
    name: String,
    /// What it is.
    #[schema(schema_with = words::upload_kind)]
    kind: UploadKind,
    /// How many bytes it has.
    size: u64,
    /// Their SHA-256.
    sha256: String,
    /// What kind of document it is, as whoever brought it says; null where they do not.
    media_type: Option<String>,
    /// When it came.
    came: Timestamp,
    /// Whether it is still kept.
    kept: bool,
}

/// The files that belong to a case.
#[derive(Debug, Serialize, ToSchema)]
struct CaseFiles {
    /// In the order they came.
    items: Vec<CaseFileItem>,
}

/// What belongs to a case: the bundle of its incident, and what an end customer has uploaded with it.
#[utoipa::path(
    get, path = "/api/v1/cases/{id}/files", operation_id = "case.files", tag = "cases", params(IncidentPath),
    responses((status = 200, description = "The files.", body = CaseFiles))
)]
pub(in crate::edge) async fn files(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(IncidentPath { id }): PathOf<IncidentPath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let (lane, incident) = case(walk, &id)?;
        let rows = uploads::of_case(lane, &id);
        let items = rows.map(|found| found.map(|(number, row)| CaseFileItem::new(number, row, &incident)));
        Ok(CaseFiles { items: items.collect::<Result<_, _>>()? })
    })
    .await
}

/// A file that belongs to a case, as it came: what an end customer has uploaded was filtered by its own controller, a bundle of
/// an incident of this engine was not. It is on record before it is handed out.
#[utoipa::path(
    get, path = "/api/v1/cases/{id}/files/{number}", operation_id = "export-cases.file", tag = "cases", params(FilePath),
    responses(
        (status = 200, description = "Its bytes.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 404, description = "There is no such case or file.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "It is not kept any more, or the engine level is too low.",
            content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(in crate::edge) async fn file(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(FilePath { id, number: Count(number) }): PathOf<FilePath>,
) -> Result<Response, Problem> {
    viewer.may("export-cases", &Place::Organization(id.org.clone()))?;
    let seat = sources.exporters.take(&viewer)?;
    let asked = id.clone();
    let (lane, row, incident) = found(&sources, viewer.clone(), move |walk| {
        let (lane, incident) = case(walk, &asked)?;
        let nothing = || format!("the case of `{asked}` has no file {number}");
        let number = u32::try_from(number).map_err(|_| Error::Nothing(nothing()))?;
        let row = walk.one(&asked.org, &uploads::key(&asked, number), nothing)?;
        Ok((lane.clone(), row, incident))
    })
    .await?;
    let gone = |detail: &str| Problem::new(StatusCode::CONFLICT, detail);
    if matches!(row.held, Held::Released(_)) {
        return Err(gone("the file is not kept any more: its case has ended"));
    }
    let sha256 = sha256(&row, &incident);
    let contents = sources.fetching.as_it_came(&lane, &id.org, &upload(&row, &incident)).await;
    let contents = contents.map_err(|failure| match failure.class {
        FailureClass::Refused => gone("the file is not there any more"),
        _ => Problem::busy("the file cannot be read at the moment", 2),
    })?;
    let file = CaseFile { incident: id.clone(), sha256 };
    let verb = Verb::Organization(Organization::ExportCases(CasesExport { file: Some(file) }));
    on_record_from(&sources, &viewer, HANDED_OUT_FROM, Some(id.org.clone()), verb).await?;
    tracing::info!(incident = %id, number, principal = %viewer.principal(), "a file of a case is handed out");
    let body = futures_util::StreamExt::map(contents.into_pieces(), move |piece| {
        let _ = &seat;
        piece
    });
    Ok((headers(&row), Body::from_stream(body)).into_response())
}

/// A browser is told to keep it, and to take it for nothing.
fn headers(row: &UploadRow) -> HeaderMap {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{}\"", plain(&row.name)));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(row.size));
    headers.insert(CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    headers
}

/// The incident of a case that is there for whoever walks, and where its rows are.
fn case<'a>(walk: &'a Walk, id: &IncidentId) -> Result<(&'a Lane, IncidentRow), Error> {
    let nothing = || Error::Nothing(format!("there is no case of an incident `{id}`"));
    let incident = seen::incident(walk, id)?;
    let case = walk.some(&id.org, &cases::key(&id.org, id.number))?;
    let (row, _) = incident.filter(|_| case.is_some()).ok_or_else(nothing)?;
    Ok((walk.lane(&id.org).ok_or_else(nothing)?, row))
}

fn sha256(row: &UploadRow, incident: &IncidentRow) -> String {
    match &row.held {
        Held::Bundle => hex::encode(incident.bundle.sha256),
        Held::Object(sha256) | Held::Released(sha256) => hex::encode(sha256),
    }
}

/// The file as whoever fetches bytes is told of it.
fn upload(row: &UploadRow, incident: &IncidentRow) -> Upload {
    let sha256 = sha256(row, incident);
    let source = match &row.held {
        Held::Bundle => UploadSource::Input(BundleBytes {
            sequence: incident.bundle.sequence,
            length: incident.bundle.length,
            sha256,
            start: 0,
            end: incident.bundle.length,
        }),
        Held::Object(_) | Held::Released(_) => UploadSource::Object { sha256, size: row.size },
    };
    Upload {
        kind: row.kind,
        case: String::new(),
        name: row.name.clone(),
        media_type: None,
        device: None,
        filter_level: FilterLevel::All,
        without: Vec::new(),
        source,
    }
}

impl CaseFileItem {
    fn new(number: u32, row: UploadRow, incident: &IncidentRow) -> Self {
        let kept = !matches!(row.held, Held::Released(_));
        let sha256 = sha256(&row, incident);
        let UploadRow { name, kind, size, media_type, came, .. } = row;
        Self { number, name, kind, size, sha256, media_type, came, kept }
    }
}

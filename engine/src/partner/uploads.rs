//! What end customers upload: bundles of their cases, what else belongs to them, snapshots of devices, in pieces. What is
//! whole becomes a command; how far the others are stands in the object store, so that nothing of it is lost with a
//! connection, or with this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::{Timestamp, ToSpan as _};
use linesman_domain::table::Table;
use linesman_domain::uploads;
use linesman_schemas::command::{Case, Fault, UploadKept, Verb};
use linesman_schemas::upload::{OFFSET_HEADER, UploadRequest, UploadView};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use super::access::Asker;
use super::keys::IdempotencyKey;
use super::sources::Sources;
use super::{cases, keys, reports};
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::log::objects::{self, Found, Manifest, PIECE};

/// How many uploads of an end customer are incomplete at a time.
const OPEN_MOST: usize = 8;
/// How many bytes those were announced with, as a multiple of the most of one.
const OPEN_TIMES: u64 = 4;
/// For how many hours an incomplete upload waits to go on.
const OPEN_HOURS: i64 = 24;
/// How long what is kept of an end customer is not counted again.
const COUNT_AGAIN: Duration = Duration::from_secs(60);
/// How long it is not, where there is no place any more.
const FULL_AGAIN: Duration = Duration::from_secs(5);
/// How many digits of a digest an upload is named by.
const NAME_DIGITS: usize = 40;
/// The header that says where the bytes of a request go on.
const OFFSET: &str = "Upload-Offset";

/// Which upload.
#[derive(Deserialize)]
pub(super) struct Named {
    upload: String,
}

/// Where the bytes of a request go on.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header")]
pub(super) struct UploadOffset {
    /// The offset that the upload has.
    #[param(rename = "Upload-Offset", minimum = 0)]
    upload_offset: u64,
}

/// Begins an upload. Under the same key it is the same one, and goes on where it is.
#[utoipa::path(
    post, path = "/partner/v1/uploads", tag = "uploads", operation_id = "begin-upload", params(IdempotencyKey),
    request_body(content = ref("#/components/schemas/UploadRequest"), content_type = "application/json"),
    responses(
        (status = 201, description = "It has begun.", content_type = "application/json",
            body = ref("#/components/schemas/UploadView")),
        (status = 200, description = "It had begun; how far it is.", content_type = "application/json",
            body = ref("#/components/schemas/UploadView")),
        (status = 409, description = "The key is another upload's.",
            content_type = "application/problem+json", body = ref("#/components/schemas/Problem")),
        (status = 507, description = "The partner keeps no more of the end customer.",
            content_type = "application/problem+json", body = ref("#/components/schemas/Problem")),
    )
)]
pub(super) async fn begin(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    headers: HeaderMap,
    JsonBody(request): JsonBody<UploadRequest>,
) -> Result<(StatusCode, Json<UploadView>), Problem> {
    let key = keys::key(&headers)?;
    request.check().map_err(|fault| out_of_bounds(&fault))?;
    let org = asker.org();
    let incident = match &request.receipt {
        Some(receipt) => Some(cases::find(&sources, org, receipt)?.1.incident),
        None => None,
    };
    reports::at_level(&sources, org, uploads::LEVEL, "bytes")?;
    let upload = named(org.as_str(), &key);
    let _alone = asker.uploading().await;
    if let Some(found) = find(&sources, &asker, &upload).await? {
        if found.manifest.request != request {
            let detail = "this `Idempotency-Key` was another upload's; a new one needs its own";
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
        return Ok((StatusCode::OK, settled(&sources, &asker, &upload, &found).await?));
    }
    has_place(&sources, &asker, &request).await?;
    has_room(&sources, &asker, request.size).await?;
    let manifest = Manifest { request, incident, offset: 0 };
    sources.objects.begin(org, &upload, &manifest).await.map_err(|error| unavailable(&error))?;
    Ok((StatusCode::CREATED, Json(view(&upload, &manifest, false))))
}

/// How an upload stands.
#[utoipa::path(
    get, path = "/partner/v1/uploads/{upload}", tag = "uploads", operation_id = "show-upload",
    params(("upload" = String, Path, description = "The upload.")),
    responses((status = 200, description = "How far it is.", content_type = "application/json",
        body = ref("#/components/schemas/UploadView")))
)]
pub(super) async fn show(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    PathOf(Named { upload }): PathOf<Named>,
) -> Result<Json<UploadView>, Problem> {
    let found = find(&sources, &asker, &upload).await?.ok_or_else(nothing)?;
    settled(&sources, &asker, &upload, &found).await
}

/// Adds bytes to an upload, at the offset it has. With the last of them it is held against what was announced.
#[utoipa::path(
    patch, path = "/partner/v1/uploads/{upload}", tag = "uploads", operation_id = "continue-upload",
    params(("upload" = String, Path, description = "The upload."), UploadOffset),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "They are there.", content_type = "application/json",
            body = ref("#/components/schemas/UploadView")),
        (status = 409, description = "The upload has another offset, which `offset` says.",
            content_type = "application/problem+json", body = ref("#/components/schemas/Problem")),
    )
)]
pub(super) async fn append(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    PathOf(Named { upload }): PathOf<Named>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<UploadView>, Problem> {
    let offset = offset(&headers)?;
    let org = asker.org();
    let _alone = asker.uploading().await;
    let found = find(&sources, &asker, &upload).await?.ok_or_else(nothing)?;
    let Manifest { request, offset: at, .. } = &found.manifest;
    if offset != *at {
        let detail = format!("the upload goes on at {at}, and not at {offset}");
        return Err(Problem::new(StatusCode::CONFLICT, detail).at_offset(*at));
    }
    if found.is_done {
        return settled(&sources, &asker, &upload, &found).await;
    }
    let (length, room) = (bytes.len() as u64, request.size.saturating_sub(*at));
    if length == 0 && room > 0 {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "there are no bytes to add"));
    }
    if length > PIECE.min(room) {
        let most = PIECE.min(room);
        let detail = format!("at most {most} bytes are taken here: a piece has {PIECE}, and the upload {room} more");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    let added = sources.objects.append(org, &upload, &found, bytes).await.map_err(|error| unavailable(&error))?;
    metrics::counter!("linesman_partner_upload_bytes_total").increment(length);
    if added.manifest.offset < added.manifest.request.size {
        return Ok(Json(view(&upload, &added.manifest, false)));
    }
    let Some(done) = sources.objects.finish(org, &upload, added).await.map_err(|error| unavailable(&error))? else {
        sources.objects.remove(org, &upload).await.map_err(|error| unavailable(&error))?;
        let detail = "the bytes have another SHA-256 than was announced; they are dropped: begin anew";
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/sha256".to_owned(), detail));
    };
    settled(&sources, &asker, &upload, &done).await
}

/// Gives an upload up that is incomplete.
#[utoipa::path(
    delete, path = "/partner/v1/uploads/{upload}", tag = "uploads", operation_id = "remove-upload",
    params(("upload" = String, Path, description = "The upload.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "It is complete.",
            content_type = "application/problem+json", body = ref("#/components/schemas/Problem")),
    )
)]
pub(super) async fn remove(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    PathOf(Named { upload }): PathOf<Named>,
) -> Result<StatusCode, Problem> {
    let _alone = asker.uploading().await;
    let found = find(&sources, &asker, &upload).await?.ok_or_else(nothing)?;
    if found.is_done {
        return Err(Problem::new(StatusCode::CONFLICT, "the upload is complete"));
    }
    sources.objects.remove(asker.org(), &upload).await.map_err(|error| unavailable(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an upload is called: nobody meets another's, whatever keys they choose.
fn named(org: &str, key: &str) -> String {
    let mut name = hex::encode(Sha256::digest(format!("{org}\n{key}")));
    name.truncate(NAME_DIGITS);
    name
}

/// An upload of the end customer who asks. One that has waited too long is gone.
async fn find(sources: &Sources, asker: &Asker, upload: &str) -> Result<Option<Found>, Problem> {
    let is_name = upload.len() == NAME_DIGITS && upload.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_name {
        return Ok(None);
    }
    let found = sources.objects.find(asker.org(), upload).await.map_err(|error| unavailable(&error))?;
    Ok(found.filter(|found| found.is_done || !is_over(found)))
}

fn is_over(found: &Found) -> bool {
    found.changed.checked_add(OPEN_HOURS.hours()).is_ok_and(|until| until < Timestamp::now())
}

/// How an upload stands; one that is whole is kept by its lane first, once.
///
/// INVARIANT (nothing is named that is gone): what was whole long ago and is named by nothing goes after a day, so it counts
/// as changed before its lane is told of it; what went meanwhile is said to have gone.
async fn settled(sources: &Sources, asker: &Asker, upload: &str, found: &Found) -> Result<Json<UploadView>, Problem> {
    if found.is_done {
        let Manifest { request, incident, .. } = found.manifest.clone();
        let id = keys::command("upload", upload)?;
        let verb =
            Verb::Case(Case::Keep(Box::new(UploadKept { stored: upload.to_owned(), incident, upload: request })));
        if !reports::known(sources, asker, &id, &verb)? {
            let is_there = sources.objects.touch(asker.org(), upload, found).await;
            if !is_there.map_err(|error| unavailable(&error))? {
                return Err(Problem::busy("the upload was looked after meanwhile; ask how it stands", 1));
            }
            reports::do_now(sources, asker, id, verb).await?;
        }
    }
    Ok(Json(view(upload, &found.manifest, found.is_done)))
}

/// Whether one more is kept of the end customer, however small: not above so many, unless it takes the place of another.
async fn has_place(sources: &Sources, asker: &Asker, request: &UploadRequest) -> Result<(), Problem> {
    let (org, most) = (asker.org(), sources.uploads.kept_most_count);
    let lane = sources.lane(org).ok_or_else(nothing)?;
    if let (None, Some(device)) = (&request.receipt, &request.device) {
        let known = Table::read(lane, &uploads::snapshot(org, &device.serial_number));
        if known.map_err(|error| Problem::internal(&error))?.is_some() {
            return Ok(());
        }
    }
    let counted = *asker.counted();
    let count = match counted {
        // All that has begun since counts as if it had come.
        Some((at, count)) if at.elapsed() < if count < most { COUNT_AGAIN } else { FULL_AGAIN } => count,
        _ => {
            let _room = sources.reads.acquire().await.map_err(|error| Problem::internal(&error))?;
            let (lane, org) = (lane.clone(), org.clone());
            // The store waits for the disk.
            let count = tokio::task::spawn_blocking(move || uploads::count_kept(&lane, &org)).await;
            let count = count.map_err(|error| Problem::internal(&error))?.map_err(|error| Problem::internal(&error))?;
            *asker.counted() = Some((Instant::now(), count));
            count
        }
    };
    if count >= most {
        let detail = format!("the partner keeps at most {most} uploads and snapshots of an end customer, and has them");
        return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail));
    }
    if let Some((_, count)) = asker.counted().as_mut() {
        *count += 1;
    }
    Ok(())
}

/// Whether there is room for one more upload of so many bytes; what has waited too long makes some.
async fn has_room(sources: &Sources, asker: &Asker, size: u64) -> Result<(), Problem> {
    let (org, bounds) = (asker.org(), &sources.uploads);
    if size > bounds.most_bytes {
        let detail = format!("`size` is {size}, and an upload has at most {} bytes", bounds.most_bytes);
        return Err(Problem::field(StatusCode::PAYLOAD_TOO_LARGE, "#/size".to_owned(), detail));
    }
    let lane = sources.lane(org).ok_or_else(nothing)?;
    let kept = Table::read(lane, &uploads::kept(org)).map_err(|error| Problem::internal(&error))?.unwrap_or_default();
    if kept.bytes.saturating_add(size) > bounds.kept_most_bytes {
        let most = bounds.kept_most_bytes;
        let detail = format!("the partner keeps at most {most} bytes of an end customer, and has {}", kept.bytes);
        return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail));
    }
    // What is whole and named by nothing lies there for a day, and counts. A piece that is not full counts as if it were:
    // of what is named one in each object.
    let held = sources.objects.held(org).await.map_err(|error| unavailable(&error))?;
    let unnamed = held.saturating_sub(kept.bytes.saturating_add(kept.objects.saturating_mul(PIECE)));
    let most = bounds.kept_most_bytes.saturating_add(bounds.most_bytes.saturating_mul(OPEN_TIMES));
    if unnamed.saturating_add(size) > most {
        let detail = format!("of the end customer {unnamed} bytes lie here that no case has: they go after a day");
        return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail));
    }
    let (mut count, mut bytes) = (0, size);
    for upload in sources.objects.open(org).await.map_err(|error| unavailable(&error))? {
        let found = sources.objects.find(org, &upload).await.map_err(|error| unavailable(&error))?;
        let Some(found) = found.filter(|found| !found.is_done) else { continue };
        if is_over(&found) {
            sources.objects.remove(org, &upload).await.map_err(|error| unavailable(&error))?;
            continue;
        }
        (count, bytes) = (count + 1, bytes.saturating_add(found.manifest.request.size));
    }
    let most = bounds.most_bytes.saturating_mul(OPEN_TIMES);
    let detail = match (count >= OPEN_MOST, bytes > most) {
        (true, _) => format!("{OPEN_MOST} uploads are incomplete: end one of them, or give it up"),
        (false, true) => format!("incomplete uploads have at most {most} bytes: end one of them, or give it up"),
        (false, false) => return Ok(()),
    };
    Err(Problem::too_soon(detail, 60))
}

/// The one offset that a request says.
fn offset(headers: &HeaderMap) -> Result<u64, Problem> {
    let mut given = headers.get_all(OFFSET_HEADER).iter();
    let (Some(text), None) = (given.next(), given.next()) else {
        return Err(Problem::parameter(OFFSET, format!("`{OFFSET}` is missing, or given more than once")));
    };
    let number = text.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.and_then(|text| text.parse().ok());
    number.ok_or_else(|| Problem::parameter(OFFSET, format!("`{OFFSET}` is no number of bytes")))
}

fn view(upload: &str, manifest: &Manifest, complete: bool) -> UploadView {
    let Manifest { request, offset, .. } = manifest;
    UploadView { upload: upload.to_owned(), offset: *offset, size: request.size, piece: PIECE, complete }
}

/// The same whatever was asked for.
fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such upload")
}

fn out_of_bounds(fault: &Fault) -> Problem {
    Problem::field(StatusCode::UNPROCESSABLE_ENTITY, format!("#{}", fault.pointer), fault.to_string())
}

fn unavailable(error: &objects::Error) -> Problem {
    tracing::warn!(%error, "an upload of an end customer does not reach the object store");
    Problem::busy("the object store does not answer at the moment; go on later", 2)
}

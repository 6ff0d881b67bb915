//! What a log proves to somebody else: checkpoints, proofs, and the key that they are signed with. Only for whoever sees
//! all of the log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use linesman_domain::audit::{Hash, Log, Owner};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::sight::{admit, is_whole};
use super::{LogPath, missing, one};
use crate::edge::filters::LogOf;
use crate::edge::lists::Error;
use crate::edge::lists::walk::{Walk, answer, found};
use crate::edge::paths::Count;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::store::Lane;

/// A text that is not JSON.
const TEXT: [(axum::http::HeaderName, &str); 1] = [(CONTENT_TYPE, "text/plain; charset=utf-8")];

/// Which checkpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct CheckpointQuery {
    /// The one that was kept when the log had so many records; none: how far it has grown now.
    #[serde(default)]
    #[param(value_type = Option<u64>)]
    size: Option<Count>,
}

/// What is to be proved.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct ProofQuery {
    /// That this record is in the log.
    #[serde(default)]
    #[param(value_type = Option<u64>)]
    index: Option<Count>,
    /// That the log begins with all that it was when it had so many records.
    #[serde(default)]
    #[param(value_type = Option<u64>)]
    from: Option<Count>,
    /// When it had so many records; none: as it is now.
    #[serde(default)]
    #[param(value_type = Option<u64>)]
    size: Option<Count>,
}

/// Which log's key.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::edge) struct KeyQuery {
    /// The name of the log under which it signs; the key is the same for all. None: the provider's.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^([A-Za-z0-9][A-Za-z0-9_-]{0,63}|_provider(-[1-9][0-9]?)?)$")]
    log: Option<LogOf>,
}

/// A proof of RFC 9162: that a record is in a log, or that a log has only grown. Hashes are in hexadecimal.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::edge) struct Proof {
    /// The log's name in checkpoints.
    origin: String,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    index: Option<u64>,
    /// The record's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    leaf: Option<Hash>,
    /// The size from which it has grown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    from: Option<u64>,
    /// The root of that size.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    from_root: Option<Hash>,
    /// The size of the log that it is about.
    size: u64,
    /// The root of that size.
    #[schema(value_type = String)]
    root: Hash,
    /// The proof.
    #[schema(value_type = Vec<String>)]
    path: Vec<Hash>,
}

/// How far a log has grown, signed: C2SP's tlog-checkpoint.
#[utoipa::path(
    get, path = "/api/v1/audit/{organization}/checkpoint", operation_id = "audit-checkpoint", tag = "audit", params(LogPath, CheckpointQuery),
    responses((status = 200, description = "The signed note.", body = String, content_type = "text/plain"))
)]
pub(in crate::edge) async fn checkpoint(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LogPath { organization: owner }): PathOf<LogPath>,
    Params(query): Params<CheckpointQuery>,
) -> Result<Response, Problem> {
    admit(&viewer, "audit-checkpoint", Some(&owner))?;
    let auditor = Arc::clone(&sources.auditor);
    let note = found(&sources, viewer, move |walk| {
        let log = whole(walk, &owner)?;
        match query.size {
            None => Ok(auditor.checkpoint(&owner, &log)?.sign(&auditor.signer)),
            Some(Count(size)) => {
                let nothing =
                    || Error::Nothing(format!("no checkpoint of the log `{owner}` was kept at {size} records"));
                log.kept(size)?.map(|kept| kept.note).ok_or_else(nothing)
            }
        }
    });
    Ok((TEXT, note.await?).into_response())
}

/// That a record is in a log (`index`), or that a log has only grown (`from`).
#[utoipa::path(
    get, path = "/api/v1/audit/{organization}/proof", operation_id = "audit-proof", tag = "audit", params(LogPath, ProofQuery),
    responses((status = 200, description = "The proof.", body = Proof))
)]
pub(in crate::edge) async fn proof(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(LogPath { organization: owner }): PathOf<LogPath>,
    Params(query): Params<ProofQuery>,
) -> Result<Response, Problem> {
    if query.index.is_some() == query.from.is_some() {
        return Err(Problem::bad_request("what is to be proved? give `index`, or `from`"));
    }
    admit(&viewer, "audit-proof", Some(&owner))?;
    let origin = sources.auditor.origin(&owner);
    answer(&sources, viewer, move |walk| {
        let log = whole(walk, &owner)?;
        let size = query.size.map_or(log.head().size(), |size| size.0);
        let nothing =
            || Error::Nothing(format!("the log `{owner}` has no such proof: it has {} records", log.head().size()));
        let root = log.root_at(size)?.ok_or_else(nothing)?;
        let (index, from) = (query.index.map(|index| index.0), query.from.map(|from| from.0));
        let (path, leaf, from_root) = match (index, from) {
            (Some(index), _) => (log.inclusion(index, size)?, log.row(index)?.map(|row| row.leaf), None),
            (None, from) => {
                let from = from.unwrap_or_default();
                (log.consistency(from, size)?, None, log.root_at(from)?)
            }
        };
        let path = path.ok_or_else(nothing)?;
        Ok(Proof { origin, index, leaf, from, from_root, size, root, path })
    })
    .await
}

/// The public key that checkpoints are signed with, as C2SP's signed-note writes it.
#[utoipa::path(
    get, path = "/api/v1/audit/key", operation_id = "audit-key", tag = "audit", params(KeyQuery),
    responses((status = 200, description = "The key.", body = String, content_type = "text/plain"))
)]
pub(in crate::edge) async fn key(
    State(sources): State<Arc<Sources>>,
    _viewer: Viewer,
    Params(query): Params<KeyQuery>,
) -> Response {
    // Of a log that is not there the answer is the same: it is made of the name alone.
    let owner = query.log.map_or(Owner::Provider(0), |log| log.0);
    let origin = sources.auditor.origin(&owner);
    (TEXT, format!("{}\n", sources.auditor.signer.public(&origin))).into_response()
}

/// A log that is seen as a whole.
fn whole<'w>(walk: &'w Walk, owner: &Owner) -> Result<Log<'w, Lane>, Error> {
    let log = one(walk, owner)?;
    if is_whole(walk.viewer(), owner) { Ok(log) } else { Err(missing(owner)) }
}

//! `/api/v1/upstream/pin`: which certificate of the upstream is believed, where the configuration does not say: the one that
//! somebody has compared with what the other side says, and confirmed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linesman_connectors::tls::Fingerprint;
use linesman_schemas::Place;
use linesman_schemas::command::{Engine, PinChange, Verb};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use super::writes::on_record;

/// Which certificate is to be believed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PinBody {
    /// Its SHA-256, as `sha256:` and 64 hexadecimal digits; null: nobody has confirmed one any more.
    #[schema(pattern = "^sha256:[0-9a-f]{64}$")]
    fingerprint: Option<String>,
}

/// Which certificate is believed from the next start on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UpstreamPin {
    /// The address of the upstream.
    url: String,
    /// The SHA-256 of its certificate; null where the system's certificates count.
    fingerprint: Option<String>,
}

/// Believe one certificate of the upstream and no other, from the next start on. It is in the audit before it is done.
#[utoipa::path(
    put, path = "/api/v1/upstream/pin", operation_id = "pin-upstream", tag = "engine", request_body = PinBody,
    responses(
        (status = 200, description = "It counts from the next start on.", body = UpstreamPin),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "There is no upstream, or the configuration says whom the engine believes.",
            content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "It is no SHA-256.", content_type = "application/problem+json", body = ProblemBody),
    )
)]
pub(super) async fn pin(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    JsonBody(body): JsonBody<PinBody>,
) -> Result<Json<UpstreamPin>, Problem> {
    viewer.may("pin-upstream", &Place::Provider)?;
    let wrong = |error: &dyn std::fmt::Display| {
        Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/fingerprint".to_owned(), error.to_string())
    };
    let new = body.fingerprint.map(|text| text.parse::<Fingerprint>().map_err(|error| wrong(&error))).transpose()?;
    let _alone = sources.sealing.lock().await;
    let conflict = |detail: &str| Problem::new(StatusCode::CONFLICT, detail);
    let pin = sources
        .pin
        .as_ref()
        .ok_or_else(|| conflict("there is no upstream: write `[upstream]` into the configuration"))?;
    if pin.is_configured {
        return Err(conflict(
            "the configuration says whom the engine believes: change `upstream.fingerprint` or `upstream.ca` there",
        ));
    }
    let old = pin.confirmed().map_err(|error| Problem::internal(&error))?;
    let text = |fingerprint: Option<Fingerprint>| fingerprint.map(|found| found.to_string());
    let (before, after) = (text(old).unwrap_or_default(), text(new).unwrap_or_default());
    let change = PinChange { url: pin.url.clone(), old: before, new: after };
    on_record(&sources, &viewer, None, Verb::Engine(Engine::PinUpstream(change))).await?;
    pin.confirm(new).map_err(|error| Problem::internal(&error))?;
    let what = if new.is_some() { "confirmed" } else { "removed" };
    metrics::counter!("linesman_upstream_pins_total", "what" => what).increment(1);
    tracing::info!(principal = %viewer.principal(), "another certificate of the upstream is confirmed");
    Ok(Json(UpstreamPin { url: pin.url.clone(), fingerprint: text(new) }))
}

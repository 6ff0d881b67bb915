//! `POST /partner/v1/registration`: an end customer's controller makes itself known.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linesman_schemas::cascade::{CONTROLLER_MOST, Registered, Registration};

use super::access::Asker;
use super::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::problem::Problem;

/// Makes a controller known. Whoever has logged in is the end customer that its user stands for: it is validated by
/// that, and its id is the name its organization has here. It may ask as often as it likes.
#[utoipa::path(
    post, path = "/partner/v1/registration", tag = "registration", operation_id = "register-controller",
    request_body(content = ref("#/components/schemas/Registration"), content_type = "application/json"),
    responses(
        (status = 200, description = "The end customer is known.", content_type = "application/json",
            body = ref("#/components/schemas/Registered")),
        (status = 409, description = "It has the partner's own name: cases would go round in a circle.",
            content_type = "application/problem+json", body = ref("#/components/schemas/Problem")),
    )
)]
pub(super) async fn register(
    State(sources): State<Arc<Sources>>,
    asker: Asker,
    JsonBody(Registration { controller }): JsonBody<Registration>,
) -> Result<Json<Registered>, Problem> {
    let length = controller.chars().count();
    if !(1..=CONTROLLER_MOST).contains(&length) || controller.chars().any(char::is_control) {
        let detail = format!("`controller` is not a text of 1 to {CONTROLLER_MOST} printable characters");
        return Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "#/controller".to_owned(), detail));
    }
    if *controller == *sources.controller {
        let detail = format!(
            "`{controller}` is this controller itself, which is no end customer of its own: cases would go round in a circle"
        );
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    tracing::info!(organization = %asker.org(), controller, "an end customer's controller has come");
    Ok(Json(Registered {
        id: asker.org().to_string(),
        controller: sources.controller.to_string(),
        requests_per_second: sources.requests_per_second,
    }))
}

//! `/api/v1/organizations/{name}/credentials`: by which user and password an end customer's controller comes to the partner
//! listener. They are kept sealed on this node, and nobody is shown the password again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linesman_connectors::Secret;
use linesman_schemas::command::{CredentialsChange, Organization, USER_MOST, Verb};
use linesman_schemas::{OrgName, Place};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::paths::OrganizationPath;
use super::sources::Sources;
use super::transport::json::JsonBody;
use super::transport::params::PathOf;
use super::transport::problem::{Problem, ProblemBody};
use super::viewer::Viewer;
use super::writes::{is_there, on_record};
use crate::seal::credentials::Credentials;

/// The shortest password of an end customer, in characters.
const PASSWORD_LEAST: usize = 8;
/// The longest, in characters.
const PASSWORD_MOST: usize = 256;

/// The credentials an end customer is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialsBody {
    /// The user; no other organization has it.
    #[schema(min_length = 1, max_length = 128, pattern = "^[^:\\u0000-\\u001f\\u007f-\\u009f]*$")]
    user: String,
    /// The password; nobody is shown it again.
    #[schema(min_length = 8, max_length = 256, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    password: String,
}

/// Whose credentials were changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CredentialsChanged {
    /// The organization.
    #[schema(value_type = String)]
    organization: OrgName,
    /// By which user its controller comes from now on; null for none.
    user: Option<String>,
}

/// Gives an end customer another user and password, by which its controller comes to the partner listener from now on. It
/// is in the audit before it is done; of the password nothing is, and it is kept sealed.
#[utoipa::path(
    put, path = "/api/v1/organizations/{name}/credentials", operation_id = "set-credentials", tag = "organizations",
    params(OrganizationPath), request_body = CredentialsBody,
    responses(
        (status = 200, description = "They count from now on.", body = CredentialsChanged),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 404, description = "There is no such organization.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "The configuration has its user, another organization has it, or nobody comes here.",
            content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "Beyond its bounds.", content_type = "application/problem+json",
            body = ProblemBody),
    )
)]
pub(super) async fn give(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
    JsonBody(body): JsonBody<CredentialsBody>,
) -> Result<Json<CredentialsChanged>, Problem> {
    let CredentialsBody { user, password } = body;
    change(&sources, &viewer, path.name, Some(Credentials { user, password: Secret::new(password) })).await
}

/// Takes the user and password back that an end customer was given through the API.
#[utoipa::path(
    delete, path = "/api/v1/organizations/{name}/credentials", operation_id = "set-credentials.remove",
    tag = "organizations", params(OrganizationPath),
    responses(
        (status = 200, description = "Nobody comes by them any more.", body = CredentialsChanged),
        (status = 403, description = "Whoever asked has not the right.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 404, description = "There is no such organization.", content_type = "application/problem+json",
            body = ProblemBody),
        (status = 409, description = "The configuration has its user, or nobody comes here.",
            content_type = "application/problem+json", body = ProblemBody),
        (status = 422, description = "Beyond its bounds.", content_type = "application/problem+json",
            body = ProblemBody),
    )
)]
pub(super) async fn take_back(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(path): PathOf<OrganizationPath>,
) -> Result<Json<CredentialsChanged>, Problem> {
    change(&sources, &viewer, path.name, None).await
}

async fn change(
    sources: &Sources,
    viewer: &Viewer,
    org: OrgName,
    given: Option<Credentials>,
) -> Result<Json<CredentialsChanged>, Problem> {
    // One at a time: what lies here and who is let in go together.
    let _alone = sources.sealing.lock().await;
    let user = given.as_ref().map(|given| given.user.clone());
    let verb =
        Verb::Organization(Organization::SetCredentials(CredentialsChange { user: user.clone().unwrap_or_default() }));
    viewer.may(verb.operation(), &Place::Organization(org.clone()))?;
    is_there(sources, &org)?;
    if let Some(given) = &given {
        check(given)?;
    }
    sources.is_of_mode(verb.operation())?;
    let conflict = |detail: String| Problem::new(StatusCode::CONFLICT, detail);
    let partner = sources.partner.as_ref().ok_or_else(|| {
        conflict("end customers cannot come here: write `[partner]` into the configuration".to_owned())
    })?;
    partner.takes(&org, user.as_deref()).map_err(|why| conflict(why.to_string()))?;
    on_record(sources, viewer, Some(org.clone()), verb).await?;
    let kept = match &given {
        Some(given) => sources.sealed.credentials.keep(&org, given),
        None => sources.sealed.credentials.forget(&org),
    };
    kept.map_err(|error| Problem::internal(&error))?;
    let login = given.as_ref().map(|given| (given.user.as_str(), given.password.expose()));
    partner.let_in(&org, login).map_err(|why| conflict(why.to_string()))?;
    let what = if given.is_some() { "given" } else { "removed" };
    metrics::counter!("linesman_partner_credentials_changed_total", "what" => what).increment(1);
    tracing::info!(organization = %org, principal = %viewer.principal(), "the credentials of an end customer changed");
    Ok(Json(CredentialsChanged { organization: org, user }))
}

/// Whether they keep their bounds.
fn check(given: &Credentials) -> Result<(), Problem> {
    let wrong = |field: &str, detail: String| {
        Err(Problem::field(StatusCode::UNPROCESSABLE_ENTITY, format!("#/{field}"), format!("`{field}` {detail}")))
    };
    let (user, password) = (&given.user, given.password.expose());
    // HTTP Basic has no way to carry a colon in a user (RFC 7617, 2).
    if user.is_empty() || user.chars().count() > USER_MOST || user.chars().any(|c| c.is_control() || c == ':') {
        return wrong("user", format!("must be 1 to {USER_MOST} printable characters without a colon"));
    }
    let length = password.chars().count();
    if !(PASSWORD_LEAST..=PASSWORD_MOST).contains(&length) || password.chars().any(char::is_control) {
        return wrong("password", format!("must be {PASSWORD_LEAST} to {PASSWORD_MOST} printable characters"));
    }
    Ok(())
}

//! `GET /api/v1/openapi.json`: the API described by what answers it.
//!
//! Every handler describes itself (`#[utoipa::path]`); what all have in common is added here: the
//! token, and the problems that any request may meet.

use axum::Extension;
use axum::http::{Method, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};

use super::access::OPEN;
use super::logins::cookie;
use super::transport::problem::{self, ProblemBody};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Linesman",
        description = "What the engine knows of organizations, devices, incidents, cases and intelligence, and how it is.\n\n\
            Lists come in pages: `next` of one is the `cursor` of the next, with the same filters and the same `sort`. \
            Text filters take `*` for any text. Times are RFC 3339; `..._after` includes the moment, `..._before` does not.",
        version = "1",
    ),
    components(schemas(ProblemBody<'static>)),
    security(("token" = []), ("session" = [])),
)]
struct Outline;

/// The document without its routes.
pub(super) fn outline() -> OpenApi {
    let mut outline = Outline::openapi();
    let token = "The content of `D/token`, an API token, or the token of a session.";
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(token)).build();
    let cookie = "A session in a browser; what changes something needs `Origin` besides.";
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(cookie::NAME, cookie));
    let components = outline.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    outline
}

/// The whole document, of what the routes say of themselves.
pub(super) fn completed(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let methods = [
            (Method::GET, &mut item.get),
            (Method::PUT, &mut item.put),
            (Method::POST, &mut item.post),
            (Method::DELETE, &mut item.delete),
            (Method::PATCH, &mut item.patch),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                add_problems(operation, OPEN.contains(&(method, path.as_str())));
            }
        }
    }
    document
}

/// Adds the problems that `operation` may meet, unless it describes them itself.
fn add_problems(operation: &mut Operation, is_open: bool) {
    let mut problems = vec![
        ("400", "The request cannot be read; `errors` says where it is wrong."),
        ("413", "The body is too large."),
        ("431", "The head of the request is too large."),
        ("500", "The engine is at fault; its log says why."),
        ("503", "There is too much to do at the moment."),
    ];
    if !is_open {
        problems.push(("401", "The token is missing or wrong."));
        problems.push(("403", "Whoever asks sees it and has not the right or privilege that `detail` names."));
    }
    let names_something = |parameter: &RefOr<Parameter>| match parameter {
        RefOr::T(parameter) => {
            matches!(parameter.parameter_in, ParameterIn::Path) || matches!(&*parameter.name, "organization" | "under")
        }
        RefOr::Ref(_) => false,
    };
    if operation.parameters.iter().flatten().any(names_something) {
        problems.push(("404", "There is nothing of that name."));
    }
    if operation.request_body.is_some() {
        problems.push(("408", "The body came too slowly."));
        problems.push(("415", "The body is not declared as `application/json`."));
        problems.push(("422", "The body is JSON but not what is asked for; `errors` says where it is wrong."));
    }
    for (status, description) in problems {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem::described(description)));
    }
}

/// The document's text, as every request has it in its extensions.
#[derive(Clone)]
pub(super) struct Text(Bytes);

impl Text {
    /// The text of what the routes say of themselves.
    pub(super) fn new(document: OpenApi) -> Self {
        Self(serde_json::to_vec(&completed(document)).unwrap_or_default().into())
    }
}

/// This document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "engine", security(()),
    responses((status = 200, description = "The API in OpenAPI 3.1.", body = serde_json::Value))
)]
pub(super) async fn openapi(Extension(Text(text)): Extension<Text>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text)
}

#[cfg(test)]
mod tests {
    use super::super::routes::documented;
    use super::*;

    fn document() -> OpenApi {
        completed(documented().into_openapi())
    }

    /// The copy for readers of the repository.
    const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/openapi-api.json");

    #[test]
    fn the_copy_is_current() {
        let mut text = serde_json::to_string_pretty(&document()).unwrap();
        text.push('\n');
        if std::env::var_os("LINESMAN_BLESS").is_some() {
            std::fs::write(COPY, &text).unwrap();
        }
        let copy = std::fs::read_to_string(COPY).unwrap();
        assert!(copy == text, "schemas/openapi-api.json is not current; LINESMAN_BLESS=1 writes it");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(document()).unwrap();
        let text = document.to_string();
        let references = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_operation_tells_of_its_problems_and_what_is_open_says_so() {
        let document = serde_json::to_value(document()).unwrap();
        let mut open = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                let is_open = operation["security"] == serde_json::json!([{}]);
                let tells_who_asks = !is_open || path == "/api/v1/session";
                assert_eq!(responses.contains_key("401"), tells_who_asks, "{method} {path}");
                assert!(responses.contains_key("500"), "{method} {path}");
                // A test of a connection is no command, and has no body; nor has what is done on a device at once.
                let id = operation["operationId"].as_str().unwrap();
                let is_done_here = id.starts_with("test-") || id.starts_with("use-device.");
                let is_write = method != "get" && (!is_done_here || operation["requestBody"].is_object());
                assert_eq!(responses.contains_key("422"), is_write, "{method} {path}");
                if is_open {
                    open.push((method.to_uppercase(), path.as_str()));
                }
            }
        }
        open.sort_unstable();
        let mut expected = OPEN.map(|(method, path)| (method.to_string(), path));
        expected.sort_unstable();
        assert_eq!(open, expected);
    }
}

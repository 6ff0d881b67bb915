//! `GET /partner/v1/openapi.json`: the partner listener described by what answers it, and by the types that travel.

use std::collections::BTreeMap;

use axum::Extension;
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use linesman_schemas::cascade::{
    CasePage, CaseReport, CaseStep, CaseView, MessagePage, Receipt, Registered, Registration,
};
use linesman_schemas::upload::{UploadRequest, UploadView};
use schemars::generate::SchemaSettings;
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};

use crate::edge::transport::problem::{self, ProblemBody};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Linesman partner listener",
        description = "What travels between an end customer's controller and its partner's. The end customer asks, the \
            partner answers.\n\nRequests that change something bear an `Idempotency-Key`; sent again under it they are \
            answered as before. What comes too often is answered 429, and `Retry-After` says when to try again. Times \
            are RFC 3339.",
        version = "1",
    ),
    components(schemas(ProblemBody<'static>)),
    security(("login" = [])),
)]
struct Outline;

/// The document without its routes.
pub(super) fn outline() -> OpenApi {
    let mut outline = Outline::openapi();
    let login = "The user and the password that the partner has given the end customer.";
    let login = HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(login)).build();
    outline.components.get_or_insert_default().add_security_scheme("login", SecurityScheme::Http(login));
    outline
}

/// The whole document, of what the routes say of themselves; null if it has no form.
pub(super) fn completed(mut document: OpenApi) -> Value {
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten() {
            add_problems(operation);
        }
    }
    let mut document = serde_json::to_value(document).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.extend(travelling());
    }
    document
}

/// The types that travel, by name.
fn travelling() -> BTreeMap<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    generator.subschema_for::<Registration>();
    generator.subschema_for::<Registered>();
    generator.subschema_for::<CaseReport>();
    generator.subschema_for::<Receipt>();
    generator.subschema_for::<CaseView>();
    generator.subschema_for::<CasePage>();
    generator.subschema_for::<MessagePage>();
    generator.subschema_for::<CaseStep>();
    generator.subschema_for::<UploadRequest>();
    generator.subschema_for::<UploadView>();
    generator.take_definitions(true).into_iter().collect()
}

/// Adds the problems that `operation` may meet, unless it describes them itself.
fn add_problems(operation: &mut Operation) {
    let mut problems = vec![
        ("400", "The request cannot be read; `errors` says where it is wrong."),
        ("401", "User or password are missing or wrong."),
        ("403", "The partner has suspended the end customer, or has it as none."),
        ("413", "The body is too large."),
        ("429", "The end customer asks too often; `Retry-After` says when to try again."),
        ("431", "The head of the request is too large."),
        ("500", "The partner is at fault; its log says why."),
        ("503", "There is too much to do at the moment; `Retry-After` says when to try again."),
    ];
    if operation.parameters.iter().flatten().any(is_given) {
        problems.push(("404", "The end customer was given no such receipt, or upload."));
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

/// Whether a parameter names what the end customer was given.
fn is_given(parameter: &RefOr<utoipa::openapi::path::Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if matches!(&*parameter.name, "transaction_id" | "upload"))
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
    get, path = "/partner/v1/openapi.json", tag = "registration", operation_id = "openapi",
    responses((status = 200, description = "The partner listener in OpenAPI 3.1.", body = Value))
)]
pub(super) async fn document(Extension(Text(text)): Extension<Text>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text)
}

#[cfg(test)]
mod tests {
    use super::super::routes::documented;
    use super::*;

    fn document() -> Value {
        completed(documented().into_openapi())
    }

    /// The copy for readers of the repository, and for whoever writes another end customer.
    const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/openapi-partner.json");

    #[test]
    fn the_copy_is_current() {
        let mut text = serde_json::to_string_pretty(&document()).unwrap();
        text.push('\n');
        if std::env::var_os("LINESMAN_BLESS").is_some() {
            std::fs::write(COPY, &text).unwrap();
        }
        let copy = std::fs::read_to_string(COPY).unwrap();
        assert!(copy == text, "schemas/openapi-partner.json is not current; LINESMAN_BLESS=1 writes it");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        let references = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
        let mut count = 0;
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn every_operation_tells_of_its_problems_and_none_is_open() {
        let document = document();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                for status in ["401", "403", "429", "503"] {
                    assert!(responses.contains_key(status), "{method} {path}: {status}");
                }
                assert_eq!(responses.contains_key("422"), !operation["requestBody"].is_null(), "{method} {path}");
                let names = ["{transaction_id}", "{upload}"].iter().any(|name| path.contains(name));
                assert_eq!(responses.contains_key("404"), names, "{method} {path}");
                assert!(operation["security"].is_null(), "{method} {path}");
            }
        }
    }
}

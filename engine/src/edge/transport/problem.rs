//! Errors as clients see them: RFC 9457, `application/problem+json`.
//!
//! | status | when |
//! |---|---|
//! | 400 | the request cannot be read: a wrong parameter, a body that is no JSON |
//! | 401 | no token, or another one |
//! | 404, 405 | nothing under this path; not with this method (`Allow` names those there are) |
//! | 409 | it does not fit how things stand |
//! | 408, 413, 415 | a body that comes too slowly, is too large, is not `application/json` |
//! | 422 | a body that is JSON, and not what is asked for |
//! | 429 | it was asked too often (`Retry-After`) |
//! | 500, 503 | we are wrong; there is too much to do (`Retry-After`) |

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use linesman_schemas::Place;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};

/// How a problem's body is declared.
pub(crate) const CONTENT_TYPE: &str = "application/problem+json";

/// An answer that says no. Its type is `about:blank`: the status says what kind of problem it is
/// (RFC 9457, section 4.2.1).
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<Fault>,
    retry_after_s: Option<u64>,
    is_decided: bool,
    offset: Option<u64>,
    reply: Option<String>,
    tried: Option<Box<Tried>>,
}

/// Goes with an answer that a lane has decided, so that it is known from one that was given before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decided;

/// Goes with a refusal of what was asked for, where that is known better than by the route.
#[derive(Debug, Clone)]
pub(in crate::edge) struct Tried {
    /// The operation, as the audit names it.
    pub(in crate::edge) operation: &'static str,
    /// Where.
    pub(in crate::edge) place: Place,
}

/// How documents of APIs describe an answer that says no.
pub(crate) fn described(description: &str) -> utoipa::openapi::Response {
    let schema = Ref::from_schema_name(ProblemBody::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(CONTENT_TYPE, content).build()
}

/// An answer that says no (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Always `about:blank`: the status says what kind of problem it is.
    r#type: &'a str,
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// What is wrong, for people.
    detail: &'a str,
    /// Where it is wrong, when it is a part of the request.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Fault],
    /// Where an upload goes on, when it was to go on elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    offset: Option<u64>,
    /// The whole reply of a device that refuses a request, as XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    reply: Option<&'a str>,
}

/// A faulty part of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// What is wrong with it.
    detail: String,
    /// Where in the body: a JSON pointer as a URI fragment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "#/owner")]
    pointer: Option<String>,
    /// Which parameter of path, query or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "limit")]
    parameter: Option<Cow<'static, str>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            is_decided: false,
            offset: None,
            reply: None,
            tried: None,
        }
    }

    /// The request cannot be read, and no one part of it is at fault.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A parameter of path, query or header is wrong.
    pub(crate) fn parameter(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, detail);
        let fault = Fault { detail: problem.detail.clone(), pointer: None, parameter: Some(name.into()) };
        problem.errors.push(fault);
        problem
    }

    /// The body is wrong where `pointer` says, a JSON pointer as a URI fragment.
    pub(crate) fn field(status: StatusCode, pointer: String, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(status, detail);
        let fault = Fault { detail: problem.detail.clone(), pointer: Some(pointer), parameter: None };
        problem.errors.push(fault);
        problem
    }

    /// There is too much to do; worth another try after so many seconds.
    pub(crate) fn busy(detail: impl Into<String>, retry_after_s: u64) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// An upload goes on at an offset, and not where it was to.
    pub(crate) fn at_offset(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    /// A device refuses, with this reply.
    pub(in crate::edge) fn replied(self, reply: String) -> Self {
        Self { reply: Some(reply), ..self }
    }

    /// The same, with what is told besides.
    pub(crate) fn adding(self, told: &str) -> Self {
        Self { detail: format!("{}; {told}", self.detail), ..self }
    }

    /// The same, and a part of the body that it is for, a JSON pointer as a URI fragment.
    pub(in crate::edge) fn pointing(mut self, pointer: String, detail: String) -> Self {
        self.errors.push(Fault { detail, pointer: Some(pointer), parameter: None });
        self
    }

    /// Whether a lane has refused what stands in the body.
    pub(in crate::edge) fn is_of_values(&self) -> bool {
        self.is_decided && self.status == StatusCode::UNPROCESSABLE_ENTITY
    }

    /// What is wrong, for people.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// What kind of problem it is.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What was asked for, and where.
    pub(in crate::edge) fn of(self, operation: &'static str, place: Place) -> Self {
        Self { tried: Some(Box::new(Tried { operation, place })), ..self }
    }

    /// A lane has decided so, or it is to be on no record.
    pub(crate) fn decided(self) -> Self {
        Self { is_decided: true, ..self }
    }

    /// It was asked too often; worth another try after so many seconds.
    pub(crate) fn too_soon(detail: impl Into<String>, retry_after_s: u64) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// We are wrong: logged here, told to nobody outside.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request cannot be answered");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the request cannot be answered; the engine's log says why")
    }
}

#[cfg(test)]
impl Problem {
    /// The faulty part: a pointer, or a parameter's name.
    pub(crate) fn at(&self) -> Option<&str> {
        let fault = self.errors.first()?;
        fault.pointer.as_deref().or(fault.parameter.as_deref())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let (status, detail, errors) = (self.status.as_u16(), self.detail.as_str(), self.errors.as_slice());
        let (offset, reply) = (self.offset, self.reply.as_deref());
        let body = ProblemBody { r#type: "about:blank", title, status, detail, errors, offset, reply };
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let kind = HeaderValue::from_static(CONTENT_TYPE);
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], text).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.is_decided {
            response.extensions_mut().insert(Decided);
        }
        if let Some(tried) = self.tried {
            response.extensions_mut().insert(*tried);
        }
        response
    }
}

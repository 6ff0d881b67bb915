//! What travels to the support system and back, as JSON. Only the shape: bounds are `answer`'s.

use jiff::Timestamp;
use linesman_schemas::IncidentId;
use linesman_schemas::cascade::CaseStep;
use linesman_schemas::outcome::CaseNote;
use linesman_schemas::reaction::{CaseDetails, CaseRequest, CaseTelling, FollowUp};
use linesman_schemas::upload::UploadRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Settings;

/// `createSR`: opens a case.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateSr<'a> {
    site_id: &'a str,
    user_id: &'a str,
    customer_tracking_number: &'a IncidentId,
    priority: &'static str,
    synopsis: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    alias: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    trace_route: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    address: &'a str,
}

/// What leaves where the filter level lets texts out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    host_event_id: &'a str,
    host_name: &'a str,
    serial_number: &'a str,
    product: &'a str,
    platform: &'a str,
    os_version: &'a str,
    event_type: &'a str,
    description: &'a str,
    customer_comments: &'a str,
    cc_list: &'a [String],
    follow_up_method: FollowUp,
    #[serde(skip_serializing_if = "str::is_empty")]
    customer_reference: &'a str,
}

impl<'a> CreateSr<'a> {
    pub(super) fn new(settings: &'a Settings, request: &'a CaseRequest) -> Self {
        Self {
            site_id: &settings.site_id,
            user_id: &settings.way.user,
            customer_tracking_number: &request.incident,
            priority: request.priority.numbered(),
            synopsis: &request.synopsis,
            details: request.details.as_ref().map(Details::new),
            alias: &request.alias,
            trace_route: &request.trace_route,
            address: &request.address,
        }
    }
}

impl<'a> Details<'a> {
    fn new(details: &'a CaseDetails) -> Self {
        // Every field by name: one added to `CaseDetails` must be decided on here.
        let CaseDetails {
            host_event_id,
            host_name,
            serial_number,
            product,
            platform,
            os_version,
            event_type,
            description,
            comments,
            cc,
            follow_up,
            reference,
        } = details;
        Self {
            host_event_id,
            host_name,
            serial_number,
            product,
            platform,
            os_version,
            event_type,
            description,
            customer_comments: comments,
            cc_list: cc,
            follow_up_method: *follow_up,
            customer_reference: reference,
        }
    }
}

/// `updateSR`: what was done with a case.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateSr<'a> {
    site_id: &'a str,
    user_id: &'a str,
    customer_tracking_number: &'a IncidentId,
    transaction_id: &'a str,
    step: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a CaseNote>,
}

impl<'a> UpdateSr<'a> {
    pub(super) fn new(settings: &'a Settings, telling: &'a CaseTelling) -> Self {
        let step = match &telling.step {
            CaseStep::Note(_) => "note",
            CaseStep::Close(_) => "close",
            CaseStep::Reopen(_) => "reopen",
        };
        let note = telling.step.note();
        Self {
            site_id: &settings.site_id,
            user_id: &settings.way.user,
            customer_tracking_number: &telling.incident,
            transaction_id: &telling.transaction_id,
            step,
            note: (!note.text.is_empty()).then_some(note),
        }
    }
}

/// `openUpload`: bytes of a case, or the newest snapshot of a device.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenUpload<'a> {
    site_id: &'a str,
    user_id: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<UploadDevice<'a>>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    size: u64,
    sha256: &'a str,
}

/// The device that bytes come from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UploadDevice<'a> {
    serial_number: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    host_name: &'a str,
}

impl<'a> OpenUpload<'a> {
    pub(super) fn new(settings: &'a Settings, request: &'a UploadRequest) -> Self {
        // Every field by name: one added to `UploadRequest` must be decided on here.
        let UploadRequest { kind, receipt, device, name, media_type, size, sha256 } = request;
        let device = device
            .as_ref()
            .map(|device| UploadDevice { serial_number: &device.serial_number, host_name: &device.host_name });
        Self {
            site_id: &settings.site_id,
            user_id: &settings.way.user,
            kind: kind.as_str(),
            case_id: receipt.as_deref(),
            device,
            name,
            media_type: media_type.as_deref(),
            size: *size,
            sha256,
        }
    }
}

/// What a refusal of a piece says of where the upload is.
#[derive(Deserialize)]
pub(super) struct Elsewhere {
    pub(super) offset: u64,
}

/// `querySR`: which cases of the site changed since `cursor`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QuerySr<'a> {
    pub(super) site_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<&'a str>,
}

/// What every answer of the case API says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    pub(super) response_details: ResponseDetails,
}

/// The payload's own status; 200 is success, the rest follows HTTP.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResponseDetails {
    pub(super) status_code: u16,
    #[serde(default)]
    pub(super) faults: Vec<Fault>,
}

/// One thing the support system finds wrong.
#[derive(Deserialize)]
pub(super) struct Fault {
    pub(super) code: String,
    pub(super) message: String,
}

/// The answer of `createSR`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub(super) transaction_id: String,
    pub(super) case: Option<Case>,
}

/// The answer of `querySR`.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) cases: Vec<Case>,
    pub(super) cursor: String,
    pub(super) more: bool,
}

/// A page of intelligence messages, whatever those say.
#[derive(Deserialize)]
pub(super) struct Messages {
    pub(super) messages: Vec<Value>,
    pub(super) cursor: String,
    pub(super) more: bool,
}

/// A case that has an id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Case {
    pub(super) case_id: String,
    pub(super) customer_tracking_number: String,
    pub(super) status: String,
    pub(super) link: Option<String>,
    pub(super) updated: Timestamp,
    #[serde(default)]
    pub(super) notes: Vec<CaseNote>,
}

/// The answer of the token request. Source: RFC 6749, 5.1. No `Debug`: it is a secret.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: String,
    pub(super) token_type: String,
    pub(super) expires_in: u64,
}

/// Why no token is granted. Source: RFC 6749, 5.2.
#[derive(Deserialize)]
pub(super) struct NotGranted {
    pub(super) error: String,
}

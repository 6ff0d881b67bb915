//! What is uploaded to a partner (`linesman_schemas::upload`).

use bytes::Bytes;
use linesman_schemas::outcome::Failure;
use linesman_schemas::upload::{OFFSET_HEADER, UploadView};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::fault;
use super::session::Session;
use crate::upload::{Handed, Parcel, Receiver};
use crate::upstream::checked::parsed;
use crate::upstream::exchange::IDEMPOTENCY_KEY;

/// One upload to the partner.
pub(super) struct Uploads<'a> {
    pub(super) session: &'a Session,
    /// By what it is known again.
    pub(super) key: HeaderValue,
}

/// The part of a problem document that says where the upload is.
#[derive(Deserialize)]
struct Elsewhere {
    offset: u64,
}

impl Receiver for Uploads<'_> {
    async fn announce(&self, parcel: &Parcel, requests: &mut u32) -> Result<UploadView, Failure> {
        let request = self.session.request(Method::POST, self.session.at(&["uploads"])?);
        let request = request.header(IDEMPOTENCY_KEY, self.key.clone()).json(&parcel.request);
        let answer = self.session.answered(request, requests).await?;
        fault::judge(&answer)?;
        parsed(&answer.body)
    }

    async fn look(&self, upload: &str, requests: &mut u32) -> Result<Option<UploadView>, Failure> {
        let request = self.session.request(Method::GET, self.session.at(&["uploads", upload])?);
        let answer = self.session.answered(request, requests).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        fault::judge(&answer)?;
        parsed(&answer.body).map(Some)
    }

    async fn hand_in(&self, upload: &str, offset: u64, piece: Bytes, requests: &mut u32) -> Result<Handed, Failure> {
        let request = self.session.request(Method::PATCH, self.session.at(&["uploads", upload])?);
        let request = request.header(OFFSET_HEADER, offset).header(CONTENT_TYPE, "application/octet-stream");
        let answer = self.session.answered(request.body(piece), requests).await?;
        match answer.status {
            StatusCode::CONFLICT => {
                if let Ok(Elsewhere { offset }) = serde_json::from_slice(&answer.body) {
                    return Ok(Handed::Elsewhere(offset));
                }
            }
            StatusCode::UNPROCESSABLE_ENTITY => return Ok(Handed::OtherBytes),
            StatusCode::NOT_FOUND => return Ok(Handed::Unknown),
            _ => {}
        }
        fault::judge(&answer)?;
        parsed(&answer.body).map(Handed::Taken)
    }

    async fn give_up(&self, upload: &str, requests: &mut u32) -> Result<(), Failure> {
        let request = self.session.request(Method::DELETE, self.session.at(&["uploads", upload])?);
        let answer = self.session.answered(request, requests).await?;
        if answer.status == StatusCode::NOT_FOUND { Ok(()) } else { fault::judge(&answer) }
    }
}

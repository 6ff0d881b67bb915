//! What is uploaded to the support system: the same course as to a partner, in the words of its API.

use bytes::Bytes;
use linesman_schemas::outcome::Failure;
use linesman_schemas::upload::{OFFSET_HEADER, UploadView};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};

use super::session::Session;
use super::{Settings, fault, wire};
use crate::upload::{Handed, Parcel, Receiver};
use crate::upstream::checked::parsed;
use crate::upstream::exchange::{Answer, IDEMPOTENCY_KEY};

const PATH: &str = "case/v1/uploads";

/// One upload to the support system.
pub(super) struct Uploads<'a> {
    pub(super) session: &'a Session,
    pub(super) settings: &'a Settings,
    /// By what it is known again.
    pub(super) key: HeaderValue,
}

impl Uploads<'_> {
    /// The address of an upload; whatever it is called, it is one part of it.
    fn at(&self, upload: &str) -> Result<Url, Failure> {
        let mut url = self.session.at(PATH)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(upload);
        }
        Ok(url)
    }
}

impl Receiver for Uploads<'_> {
    async fn announce(&self, parcel: &Parcel, requests: &mut u32) -> Result<UploadView, Failure> {
        let (url, body) = (self.session.at(PATH)?, wire::OpenUpload::new(self.settings, &parcel.request));
        let make = || {
            let request = self.session.request(Method::POST, url.clone()).json(&body);
            request.header(IDEMPOTENCY_KEY, self.key.clone())
        };
        let answer = self.session.answered(make, requests).await?;
        fault::judge(&answer)?;
        parsed(&answer.body)
    }

    async fn look(&self, upload: &str, requests: &mut u32) -> Result<Option<UploadView>, Failure> {
        let url = self.at(upload)?;
        let answer = self.session.answered(|| self.session.request(Method::GET, url.clone()), requests).await?;
        if said(&answer) == Some(404) {
            return Ok(None);
        }
        fault::judge(&answer)?;
        parsed(&answer.body).map(Some)
    }

    async fn hand_in(&self, upload: &str, offset: u64, piece: Bytes, requests: &mut u32) -> Result<Handed, Failure> {
        let url = self.at(upload)?;
        let make = || {
            let request = self.session.request(Method::PATCH, url.clone()).header(OFFSET_HEADER, offset);
            request.header(CONTENT_TYPE, "application/octet-stream").body(piece.clone())
        };
        let answer = self.session.answered(make, requests).await?;
        match said(&answer) {
            Some(404) => return Ok(Handed::Unknown),
            Some(422) => return Ok(Handed::OtherBytes),
            Some(409) => {
                if let Ok(wire::Elsewhere { offset }) = serde_json::from_slice(&answer.body) {
                    return Ok(Handed::Elsewhere(offset));
                }
            }
            _ => {}
        }
        fault::judge(&answer)?;
        parsed(&answer.body).map(Handed::Taken)
    }

    /// Its API has no way.
    async fn give_up(&self, _upload: &str, _requests: &mut u32) -> Result<(), Failure> {
        Ok(())
    }
}

/// What an answer of the API says of itself; none of another's.
fn said(answer: &Answer) -> Option<u16> {
    let is_of_api = matches!(answer.status.as_u16(), 200 | 400);
    let answered: Option<wire::Answered> = serde_json::from_slice(&answer.body).ok();
    answered.filter(|_| is_of_api).map(|answered| answered.response_details.status_code)
}

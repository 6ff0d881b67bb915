//! What of what the engine keeps sealed is used and changed: `linesman unredact --organization`, `linesman upstream pin`.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::json;

use super::{Access, Api, ask, segment};
use crate::cli::{Failure, runtime};

/// A document with its addresses, by the key of an organization that the engine keeps.
///
/// # Errors
/// The engine cannot be reached, or it refuses.
pub(in crate::cli) fn unredact(access: &Access, org: &str, name: &str, document: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let api = Api::new(access)?;
    runtime()?.block_on(async {
        let path = format!("/api/v1/organizations/{}/unredact", segment(org));
        let request = api.request(Method::POST, &path).query(&[("name", name)]);
        let request = request.header(reqwest::header::CONTENT_TYPE, "application/octet-stream").body(document);
        Ok(api.received(request).await?.bytes().await?.to_vec())
    })
}

/// One certificate of the upstream is believed from the next start on; none: no one any more.
pub(in crate::cli) fn pin(access: &Access, fingerprint: Option<String>) -> Result<ExitCode, Failure> {
    ask(access, async |api| {
        let request = api.request(Method::PUT, "/api/v1/upstream/pin").json(&json!({ "fingerprint": fingerprint }));
        let answer = api.answer(request).await?;
        if api.is_json {
            outln!("{answer}");
        } else {
            outln!("changed; it counts from the next start on");
        }
        Ok(())
    })
}

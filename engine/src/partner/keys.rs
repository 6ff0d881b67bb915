//! By what is known again what an end customer sends: its `Idempotency-Key`, and the ids of commands made of it.

use axum::http::HeaderMap;
use linesman_schemas::CommandId;
use linesman_schemas::cascade::KEY_MOST;
use linesman_schemas::name::NameError;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use crate::edge::transport::problem::Problem;

const HEADER: &str = "idempotency-key";
const NAME: &str = "Idempotency-Key";

/// The header by which a request is known again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header")]
pub(super) struct IdempotencyKey {
    /// Chosen by the end customer: 1 to 200 printable ASCII characters. Sent again under the same key, a request is
    /// answered as before, and nothing is done twice.
    #[param(rename = "Idempotency-Key", max_length = 200)]
    idempotency_key: String,
}

/// The key of a request.
///
/// # Errors
/// There is none, there are several, or it is not one.
pub(super) fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let wrong = |detail: &str| Problem::parameter(NAME, format!("`{NAME}` {detail}"));
    let mut given = headers.get_all(HEADER).iter();
    let text = match (given.next(), given.next()) {
        (None, _) => return Err(wrong("is missing")),
        (Some(text), None) => text.as_bytes(),
        (Some(_), Some(_)) => return Err(wrong("is given more than once")),
    };
    let is_key = (1..=KEY_MOST).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
    match str::from_utf8(text) {
        Ok(text) if is_key => Ok(text.to_owned()),
        _ => Err(wrong(&format!("is not 1 to {KEY_MOST} printable ASCII characters"))),
    }
}

/// The id of the command that a request becomes. Keys are longer than ids; and what is reported and what is changed do
/// not meet.
///
/// # Errors
/// It would be no id.
pub(super) fn command(of: &str, key: &str) -> Result<CommandId, Problem> {
    let id = hex::encode(Sha256::digest(format!("{of}\n{key}")));
    id.parse().map_err(|error: NameError| Problem::internal(&error))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<String, (u16, String)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
        }
        key(&headers).map_err(|problem| (problem.status().as_u16(), problem.detail().to_owned()))
    }

    #[test]
    fn a_key_is_one_and_printable() {
        let refused = |detail: &str| Err((400, format!("`Idempotency-Key` {detail}")));
        assert_eq!(read(&[b"acme-r-17"]), Ok("acme-r-17".to_owned()));
        assert_eq!(read(&[&[b'k'; 200]]), Ok("k".repeat(200)));
        assert_eq!(read(&[]), refused("is missing"));
        assert_eq!(read(&[b"a", b"a"]), refused("is given more than once"));
        for bad in [&b""[..], b"a b", &[b'k'; 201], "sch\u{f6}n".as_bytes()] {
            assert_eq!(read(&[bad]), refused("is not 1 to 200 printable ASCII characters"));
        }
    }

    #[test]
    fn no_two_keys_meet() {
        let ids = [("report", "k"), ("report", "K"), ("change", "k")].map(|(of, key)| command(of, key).unwrap());
        assert!(ids[0] != ids[1] && ids[0] != ids[2]);
        assert_eq!(ids[0], command("report", "k").unwrap());
    }
}

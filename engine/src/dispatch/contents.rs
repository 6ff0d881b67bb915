//! Bytes that go with a task: of a bundle, fetched from IN, or of an object, and held against what the task says of them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use linesman_connectors::Contents;
use linesman_domain::table::Table;
use linesman_domain::uploads;
use linesman_schemas::OrgName;
use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::reaction::{Action, BundleBytes, Task};
use linesman_schemas::upload::UploadSource;
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::attempt::{Shared, refused};
use crate::log::mark;
use crate::log::streams::lane_of;

/// How many messages of IN are held at a time for all connectors; each may have the log's payload limit.
pub(super) const HELD_MOST: usize = 8;
/// How many bytes a connector gets at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// How long to wait before the log is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// Whether an action names bytes.
pub(super) fn is_named(action: &Action) -> bool {
    action.bundle().is_some() || object(action).is_some()
}

/// The bytes that a task names.
///
/// # Errors
/// They are gone, or are not what the task says they are.
pub(super) async fn of(shared: &Shared, task: &Task) -> Result<Contents, Failure> {
    match (task.action.bundle(), object(&task.action), &task.org) {
        (Some(bundle), _, _) => fetch(shared, bundle).await,
        (None, Some(object), Some(org)) => open(shared, org, object).await,
        (None, Some(_), None) => Err(refused("an object is an organization's".to_owned())),
        (None, None, _) => Err(refused("no bytes are named".to_owned())),
    }
}

/// The bytes that are named. A log that does not answer is asked again until it does.
///
/// # Errors
/// The message is gone, or it is not the one that is named: never an empty or another content.
async fn fetch(shared: &Shared, named: &BundleBytes) -> Result<Contents, Failure> {
    // The room is closed by nobody.
    let permit = Arc::clone(&shared.room).acquire_owned().await.ok();
    let message = loop {
        match mark::input(&shared.client, named.sequence).await {
            Ok(message) => break message,
            Err(error) => {
                tracing::warn!(sequence = named.sequence, %error, "a bundle waits for the log");
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    let Some((_, bytes)) = message else {
        return Err(refused(format!("the message {} of IN is gone", named.sequence)));
    };
    cut(bytes.into(), named, permit)
}

/// The object that an action names, by its SHA-256, and its size.
fn object(action: &Action) -> Option<(&str, u64)> {
    match action {
        Action::Upload(upload) => match &upload.source {
            UploadSource::Object { sha256, size } => Some((sha256, *size)),
            UploadSource::Input(_) => None,
        },
        _ => None,
    }
}

/// An object of an organization, in pieces that hold on to their room.
///
/// # Errors
/// There is none of this SHA-256, or it has another size.
async fn open(shared: &Shared, org: &OrgName, (sha256, size): (&str, u64)) -> Result<Contents, Failure> {
    let gone = || refused(format!("the object `{sha256}` is gone"));
    let digest = uploads::sha256(sha256).ok_or_else(gone)?;
    let unread = |error: String| Failure { class: FailureClass::Unavailable, message: error, retry_after_s: None };
    let lane = shared.store.lane(lane_of(org.as_str(), shared.lanes_count()));
    let lane = lane.map_err(|error| unread(error.to_string()))?;
    let row = Table::read(&lane, &uploads::object(org, &digest)).map_err(|error| unread(error.to_string()))?;
    let row = row.filter(|row| row.size == size).ok_or_else(gone)?;
    // The room is closed by nobody.
    let permit = Arc::clone(&shared.room).acquire_owned().await.ok();
    let stored = shared.objects.read(org, &row.stored, (sha256, size));
    let pieces =
        stream::unfold((Box::pin(stored), Bytes::new(), permit), |(mut stored, mut rest, permit)| async move {
            if rest.is_empty() {
                match stored.next().await? {
                    Ok(piece) => rest = piece,
                    Err(error) => return Some((Err(error), (stored, rest, permit))),
                }
            }
            let piece = rest.split_to(rest.len().min(PIECE_BYTES));
            Some((Ok(piece), (stored, rest, permit)))
        });
    Ok(Contents::new(size, pieces))
}

/// The part that is named, in pieces that hold on to their room.
fn cut(bytes: Bytes, named: &BundleBytes, permit: Option<OwnedSemaphorePermit>) -> Result<Contents, Failure> {
    let other = |what: &str| refused(format!("the message {} of IN is not the bundle: {what}", named.sequence));
    if bytes.len() as u64 != named.length {
        return Err(other("its length differs"));
    }
    if hex::encode(Sha256::digest(&bytes)) != named.sha256 {
        return Err(other("its SHA-256 differs"));
    }
    let range = usize::try_from(named.start).ok().zip(usize::try_from(named.end).ok());
    let part = range.filter(|(start, end)| start <= end && *end <= bytes.len());
    let Some((start, end)) = part else {
        return Err(other("it does not reach as far as the part that is named"));
    };
    let part = bytes.slice(start..end);
    let pieces = stream::unfold((part, permit), |(mut rest, permit)| async move {
        let piece = rest.split_to(rest.len().min(PIECE_BYTES));
        (!piece.is_empty()).then(|| (Ok::<_, io::Error>(piece), (rest, permit)))
    });
    Ok(Contents::new((end - start) as u64, pieces))
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;
    use linesman_schemas::outcome::FailureClass;

    use super::*;

    fn named(bytes: &[u8], start: u64, end: u64) -> BundleBytes {
        let sha256 = hex::encode(Sha256::digest(bytes));
        BundleBytes { sequence: 7, length: bytes.len() as u64, sha256, start, end }
    }

    #[tokio::test]
    async fn a_part_comes_whole_and_in_bounded_pieces() {
        let bytes = Bytes::from((0..200_000_u32).map(|n| n as u8).collect::<Vec<_>>());
        let contents = cut(bytes.clone(), &named(&bytes, 10, 190_000), None).unwrap();
        assert_eq!(contents.length(), 189_990);
        let pieces: Vec<Bytes> = contents.into_pieces().try_collect().await.unwrap();
        assert!(pieces.len() == 3 && pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        assert_eq!(pieces.concat(), bytes.slice(10..190_000));
    }

    #[test]
    fn other_bytes_are_a_failure_that_says_so() {
        let bytes = Bytes::from_static(b"a bundle");
        let fault = |named: BundleBytes| cut(bytes.clone(), &named, None).unwrap_err();
        let good = named(&bytes, 0, 8);
        let failures = [
            (BundleBytes { length: 9, ..good.clone() }, "its length differs"),
            (named(b"a bungle", 0, 8), "its SHA-256 differs"),
            (BundleBytes { end: 9, ..good.clone() }, "it does not reach as far as the part that is named"),
            (BundleBytes { start: 5, end: 4, ..good }, "it does not reach as far as the part that is named"),
        ];
        for (named, what) in failures {
            let failure = fault(named);
            assert_eq!(failure.message, format!("the message 7 of IN is not the bundle: {what}"));
            assert_eq!(failure.class, FailureClass::Refused);
        }
    }
}

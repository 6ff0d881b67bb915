//! Bytes that go with a task: of a bundle, fetched from IN, or of an object, and held against what the task says of them.
//!
//! INVARIANT (everybody can read it): a bundle leaves as it came where whatever reads XML reads it so, else written anew: whoever
//! gets it has no use for another's old encodings, versions of XML and prefixes that nothing declares, and a filter finds in UTF-8
//! what it looks for.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use linesman_connectors::Contents;
use linesman_domain::table::Table;
use linesman_domain::uploads;
use linesman_schemas::OrgName;
use linesman_schemas::bundle::{self, bounds};
use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::reaction::{Action, BundleBytes, Task};
use linesman_schemas::upload::{BundlePart, Upload, UploadKind, UploadSource};
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::attempt::{Shared, refused};
use crate::log::mark;
use crate::log::objects::Objects;
use crate::log::streams::lane_of;
use crate::store::Lane;

/// How many messages of IN are held at a time for all connectors; each may have the log's payload limit.
const HELD_MOST: u32 = 8;
/// How many bytes a connector gets at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// How long to wait before the log is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// Where bytes are fetched from, and how many are held at a time.
pub(crate) struct Fetching {
    client: Client,
    objects: Objects,
    room: Arc<Semaphore>,
}

impl Fetching {
    /// From a log and its object store.
    pub(crate) fn new(client: Client) -> Self {
        // Only reads: whoever uploads has made the bucket.
        let objects = Objects::new(client.clone(), 1);
        Self { client, objects, room: Arc::new(Semaphore::new(HELD_MOST as usize)) }
    }

    /// What leaves as an upload of an organization of `lane`, without what of it stays.
    ///
    /// # Errors
    /// The bytes are gone, or are not what is said of them.
    pub(crate) async fn upload(&self, lane: &Lane, org: &OrgName, upload: &Upload) -> Result<Contents, Failure> {
        match &upload.source {
            UploadSource::Input(bundle) => self.bundle(bundle, Shape::of(upload)).await,
            UploadSource::Object { sha256, size } => self.object(lane, org, (sha256, *size), Shape::of(upload)).await,
        }
    }

    /// The bytes of an upload as they came, whole.
    ///
    /// # Errors
    /// As of [`Self::upload`].
    pub(crate) async fn as_it_came(&self, lane: &Lane, org: &OrgName, upload: &Upload) -> Result<Contents, Failure> {
        match &upload.source {
            UploadSource::Input(bundle) => self.bundle(bundle, Shape::AsItCame).await,
            UploadSource::Object { sha256, size } => self.object(lane, org, (sha256, *size), Shape::AsItCame).await,
        }
    }

    /// The bytes that are named. A log that does not answer is asked again until it does.
    ///
    /// # Errors
    /// The message is gone, or it is not the one that is named: never an empty or another content.
    async fn bundle(&self, named: &BundleBytes, shape: Shape<'_>) -> Result<Contents, Failure> {
        // The room is closed by nobody.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        let message = loop {
            match mark::input(&self.client, named.sequence).await {
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
        cut(bytes.into(), named, shape, permit)
    }

    /// An object of an organization, in pieces that hold on to their room.
    ///
    /// # Errors
    /// There is none of this SHA-256, or it has another size; it is no bundle, and is to leave in part.
    async fn object(
        &self,
        lane: &Lane,
        org: &OrgName,
        (sha256, size): (&str, u64),
        shape: Shape<'_>,
    ) -> Result<Contents, Failure> {
        let gone = || refused(format!("the object `{sha256}` is gone"));
        let digest = uploads::sha256(sha256).ok_or_else(gone)?;
        let row = Table::read(lane, &uploads::object(org, &digest)).map_err(|error| unread(error.to_string()))?;
        let row = row.filter(|row| row.size == size).ok_or_else(gone)?;
        let stored = || self.objects.read(org, &row.stored, (sha256, size));
        if shape.needs_all(size) {
            // It is held whole: nothing else is meanwhile.
            let permit = Arc::clone(&self.room).acquire_many_owned(HELD_MOST).await.ok();
            let whole: Vec<Bytes> = stored().try_collect().await.map_err(|error| unread(error.to_string()))?;
            if let Some(shaped) = shape.applied(&whole.concat())? {
                return Ok(handed(shaped.into(), permit));
            }
        }
        let stored = stored();
        // The room is closed by nobody.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
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
}

fn unread(message: String) -> Failure {
    Failure { class: FailureClass::Unavailable, message, retry_after_s: None, cause: None }
}

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
        (Some(bundle), _, _) => shared.fetching.bundle(bundle, shape(&task.action)).await,
        (None, Some(object), Some(org)) => {
            let lane = shared.store.lane(lane_of(org.as_str(), shared.lanes_count()));
            let lane = lane.map_err(|error| unread(error.to_string()))?;
            shared.fetching.object(&lane, org, object, shape(&task.action)).await
        }
        (None, Some(_), None) => Err(refused("an object is an organization's".to_owned())),
        (None, None, _) => Err(refused("no bytes are named".to_owned())),
    }
}

/// What is made of bytes before they leave.
#[derive(Debug, Clone, Copy)]
enum Shape<'a> {
    /// Nothing: they are no bundle, or are wanted as they are.
    AsItCame,
    /// A bundle that everybody can read, without some of it.
    Bundle {
        /// What of it stays.
        without: &'a [BundlePart],
    },
}

impl<'a> Shape<'a> {
    fn of(upload: &'a Upload) -> Self {
        match upload.kind {
            UploadKind::Attachment => Self::AsItCame,
            UploadKind::Bundle | UploadKind::Snapshot => Self::Bundle { without: &upload.without },
        }
    }

    /// Whether it is made of all bytes at once. What is larger than any bundle is none.
    fn needs_all(self, size: u64) -> bool {
        match self {
            Self::AsItCame => false,
            Self::Bundle { without } => !without.is_empty() || size <= bounds::BUNDLE as u64,
        }
    }

    /// What is made of the bytes; none where they leave as they are. What end customers call a bundle may be none.
    ///
    /// # Errors
    /// It is no bundle, and is to leave in part.
    fn applied(self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::AsItCame => Ok(None),
            Self::Bundle { without: [] } => match bundle::readable(bytes) {
                Ok(Cow::Owned(readable)) => Ok(Some(readable)),
                Ok(Cow::Borrowed(_)) => Ok(None),
                // It was read, and is longer than any bundle once it is written anew.
                Err(error) if bundle::decode(bytes).is_ok() => {
                    Err(refused(format!("what is to leave cannot be written so that everybody reads it: {error}")))
                }
                Err(_) => Ok(None),
            },
            Self::Bundle { without } => left(bytes, without).map(Some),
        }
    }
}

/// What is made of the bytes that an action names.
fn shape(action: &Action) -> Shape<'_> {
    match action {
        Action::Upload(upload) => Shape::of(upload),
        _ => Shape::Bundle { without: &[] },
    }
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

/// The part that is named, in pieces that hold on to their room.
fn cut(
    bytes: Bytes,
    named: &BundleBytes,
    shape: Shape<'_>,
    permit: Option<OwnedSemaphorePermit>,
) -> Result<Contents, Failure> {
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
    let shaped = shape.applied(&part)?;
    Ok(handed(shaped.map_or(part, Bytes::from), permit))
}

/// Bytes in pieces that hold on to their room.
fn handed(bytes: Bytes, permit: Option<OwnedSemaphorePermit>) -> Contents {
    let length = bytes.len() as u64;
    let pieces = stream::unfold((bytes, permit), |(mut rest, permit)| async move {
        let piece = rest.split_to(rest.len().min(PIECE_BYTES));
        (!piece.is_empty()).then(|| (Ok::<_, io::Error>(piece), (rest, permit)))
    });
    Contents::new(length, pieces)
}

/// What is left of a bundle without some of it: written anew of what is understood of it, so that nothing of what stays
/// hides in what is not.
///
/// # Errors
/// It is no bundle.
fn left(bytes: &[u8], without: &[BundlePart]) -> Result<Vec<u8>, Failure> {
    let no_bundle = |error: bundle::Error| refused(format!("what is to leave in part is no bundle: {error}"));
    let mut bundle = bundle::decode(bytes).map_err(no_bundle)?;
    for part in without {
        match part {
            BundlePart::Attachments => {
                bundle.attachments.clear();
                bundle.logs.clear();
            }
            BundlePart::CoreFiles => bundle.manifest.core_files.clear(),
        }
    }
    let bundle = bundle.with_contents_alone(bytes).map_err(no_bundle)?;
    bundle::encode(&bundle, &[]).map(String::into_bytes).map_err(no_bundle)
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
        let contents = cut(bytes.clone(), &named(&bytes, 10, 190_000), Shape::AsItCame, None).unwrap();
        assert_eq!(contents.length(), 189_990);
        let pieces: Vec<Bytes> = contents.into_pieces().try_collect().await.unwrap();
        assert!(pieces.len() == 3 && pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        assert_eq!(pieces.concat(), bytes.slice(10..190_000));
    }

    #[test]
    fn other_bytes_are_a_failure_that_says_so() {
        let bytes = Bytes::from_static(b"a bundle");
        let fault = |named: BundleBytes| cut(bytes.clone(), &named, Shape::AsItCame, None).unwrap_err();
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

    #[tokio::test]
    async fn what_of_a_bundle_is_to_stay_does_not_leave() {
        let whole = concat!(
            r#"<jmb type="event" version="1.0"><manifest><host-event-ID>edge-01-JN12-20261121-101500-1</host-event-ID>"#,
            "<time-occurred>2026-11-21T10:15:00Z</time-occurred><event-type>FRU offline</event-type>",
            "<problem-synopsis>FPC 2 offline</problem-synopsis><priority>2 - High</priority><device>",
            "<host-name>edge-01</host-name><serial-number>JN12</serial-number><product>MX480</product>",
            r#"<os-version>23.4R1</os-version></device><core-file path="/var/crash/core.rpd" size="7"/></manifest>"#,
            r#"<attachments><attachment name="a_rsi.txt">said in rsi</attachment></attachments>"#,
            r#"<logs><log name="messages">said in a log</log></logs><other>said elsewhere</other></jmb>"#,
        );
        let bytes = Bytes::from_static(whole.as_bytes());
        let all = named(&bytes, 0, bytes.len() as u64);
        let (attachments, core_files) = (BundlePart::Attachments, BundlePart::CoreFiles);
        for (without, stays, goes) in [
            (vec![attachments], vec!["said in", "said else"], vec!["core.rpd", "FPC 2 offline"]),
            (vec![core_files], vec!["core.rpd", "said else"], vec!["said in rsi", "said in a log"]),
            (vec![attachments, core_files], vec!["said", "core.rpd"], vec!["FPC 2 offline"]),
        ] {
            let contents = cut(bytes.clone(), &all, Shape::Bundle { without: &without }, None).unwrap();
            let length = contents.length();
            let pieces: Vec<Bytes> = contents.into_pieces().try_collect().await.unwrap();
            let left = String::from_utf8(pieces.concat()).unwrap();
            assert_eq!(left.len() as u64, length);
            assert!(stays.iter().all(|text| !left.contains(text)), "{left}");
            assert!(goes.iter().all(|text| left.contains(text)), "{left}");
        }
        let no_bundle = Bytes::from_static(b"a bundle");
        let shape = Shape::Bundle { without: &[attachments] };
        let failure = cut(no_bundle.clone(), &named(&no_bundle, 0, 8), shape, None).unwrap_err();
        assert!(failure.message.starts_with("what is to leave in part is no bundle: "), "{}", failure.message);
        assert_eq!(failure.class, FailureClass::Refused);
    }

    #[test]
    fn a_bundle_leaves_as_it_came_unless_not_everybody_could_read_it() {
        let with = |label: &str, held: &[u8]| {
            let before = format!(
                concat!(
                    r#"<?xml version="1.0" encoding="{}"?><jmb type="event" version="1.0"><manifest>"#,
                    "<host-event-ID>edge-01-JN12-20261121-101500-1</host-event-ID>",
                    "<time-occurred>2026-11-21T10:15:00Z</time-occurred><event-type>FRU offline</event-type>",
                    "<problem-synopsis>FPC 2 offline</problem-synopsis><priority>2 - High</priority><device>",
                    "<host-name>edge-01</host-name><serial-number>JN12</serial-number><product>MX480</product>",
                    r#"<os-version>23.4R1</os-version></device></manifest><logs><log name="messages">"#,
                ),
                label
            );
            [before.as_bytes(), held, b"</log></logs></jmb>"].concat()
        };
        let whole = Shape::Bundle { without: &[] };
        for (label, held) in [("UTF-8", "größer".as_bytes()), ("us-ascii", b"plain"), ("iso-8859-1", b"plain")] {
            assert_eq!(whole.applied(&with(label, held)).unwrap(), None, "{label}");
        }
        for (label, held, reads) in [
            ("iso-8859-1", &b"gr\xF6\xDFer"[..], "größer"),
            ("cp1252", b"\x80", "€"),
            ("utf8", b"plain", "plain"),
            ("UTF-8", b"a\xFFb", "a\u{fffd}b"),
        ] {
            let leaves = String::from_utf8(whole.applied(&with(label, held)).unwrap().unwrap()).unwrap();
            assert!(leaves.contains(&format!("<![CDATA[{reads}]]>")), "{leaves}");
            assert_eq!(leaves.contains("status=\"damaged\""), reads.contains('\u{fffd}'), "{leaves}");
            assert_eq!(Shape::AsItCame.applied(&with(label, held)).unwrap(), None);
        }
        // Neither a comment behind what a part holds nor a prefix from around it is in the way.
        for held in ["lines<!-- end -->", "<j:a/><?end?>"] {
            let other = with("UTF-8", held.as_bytes());
            let other =
                String::from_utf8(other).unwrap().replace("version=\"1.0\" encoding", "version=\"1.1\" encoding");
            for shape in [whole, Shape::Bundle { without: &[BundlePart::CoreFiles] }] {
                let leaves = String::from_utf8(shape.applied(other.as_bytes()).unwrap().unwrap()).unwrap();
                assert!(leaves.contains("?xml version=\"1.0\" ") && !leaves.contains("end"), "{leaves}");
                assert_eq!(leaves.contains("<j:a xmlns:j="), held.contains("j:a"), "{leaves}");
                assert_eq!(whole.applied(leaves.as_bytes()).unwrap(), None, "{leaves}");
            }
        }
        // What is no bundle is what whoever brought it says it is.
        assert_eq!(whole.applied(b"\xFF no bundle").unwrap(), None);
        assert!(whole.needs_all(1) && !whole.needs_all(1 << 30) && !Shape::AsItCame.needs_all(1));
    }
}

//! What was decided of inputs outside the order of their lane: it stands in OUT beside the marks, for ever.
//!
//! An override goes out with a mark of whoever writes it, in one atomic batch behind the mark that stands there. So it is
//! either written before the input is decided, and whoever was about to decide that is refused and reads the override first;
//! or something was committed meanwhile, and it is refused itself.
//!
//! What OUT has of them is copied to a bucket when its lane is taken up, and what OUT has lost since is written there again:
//! whoever purges or deletes OUT takes nothing from what is decided again.
//!
//! INVARIANT (read after the mark): a lane reads overrides once it knows the mark that it takes the lane over from. One that
//! is written between goes with another mark, which refuses the lane.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::{Client, HeaderMap, Request};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use linesman_schemas::lane_override::Override;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::context;
use super::mark::{Last, Mark};
use super::outbox::{Batch, EmitError, Outbox, TTL};
use super::streams::{IN, NO_MESSAGE, OUT, STREAM_NOT_FOUND};
use super::{Error, REQUEST_TIMEOUT, api, read_answer};
use crate::data_dir::private::random_hex;

/// How long the server keeps what has counted.
const COUNTED_WITHIN: Duration = Duration::from_secs(5);
/// Where copies lie, each as `<lane>.<SHA-256 of what it says>`.
const BUCKET: &str = "linesman-overrides";

/// The overrides of a lane, wherever they lie.
#[derive(Debug, Default)]
pub struct Found {
    /// All of them, in the order in which they were written.
    pub all: Vec<Override>,
    /// Those that OUT does not have any more.
    pub lost: Vec<Override>,
    /// Those of which there is no copy.
    uncopied: Vec<Override>,
    /// Whether anything was ever copied.
    has_bucket: bool,
    /// The place of the last in OUT.
    pub last: u64,
}

#[derive(Deserialize)]
struct Got {
    message: GotMessage,
}

#[derive(Deserialize)]
struct GotMessage {
    seq: u64,
    subject: String,
    #[serde(default)]
    data: String,
}

impl GotMessage {
    fn bytes(&self, asked: &str) -> Result<Vec<u8>, Error> {
        let unread = |error| Error::Answer { subject: asked.to_owned(), source: serde::de::Error::custom(error) };
        BASE64_STANDARD.decode(&self.data).map_err(unread)
    }
}

/// A message of IN: the subject it came by, without the lane and the source, and its bytes; none when IN does not have it.
///
/// # Errors
/// The server does not answer.
pub async fn input(client: &Client, sequence: u64) -> Result<Option<(String, Vec<u8>)>, Error> {
    let asked = format!("STREAM.MSG.GET.{IN}");
    match api::<Got>(client, &asked, &json!({"seq": sequence})).await {
        Ok(Got { message }) => {
            let bytes = message.bytes(&asked)?;
            // As it is stored: `p.<lane>.<organization>.<kind>`, of the lane's own `p.<lane>.ctl`.
            let behind = message.subject.splitn(3, '.').nth(2).unwrap_or_default();
            let subject = if behind == "ctl" { message.subject.clone() } else { format!("in.{behind}") };
            Ok(Some((subject, bytes)))
        }
        Err(Error::Refused { code: NO_MESSAGE, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many reports of what was carried out a lane's log has behind a place: of the organization whose subject that is, or of all
/// where it is the lane's own.
///
/// # Errors
/// The server does not answer.
pub async fn reports(client: &Client, lane: u32, subject: &str, after: u64) -> Result<u64, Error> {
    let org = subject.strip_prefix("in.").and_then(|rest| rest.split('.').next()).unwrap_or("*");
    let config = Config {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
        ack_policy: AckPolicy::None,
        filter_subject: format!("p.{lane}.{org}.result"),
        inactive_threshold: COUNTED_WITHIN,
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    };
    let stream = context(client).get_stream_no_info(IN).await;
    let stream = stream.map_err(|error| Error::In(Box::new(error)))?;
    let consumer = stream.create_consumer(config).await.map_err(|error| Error::In(Box::new(error)))?;
    Ok(consumer.cached_info().num_pending)
}

/// The overrides of a lane, of OUT and of what was copied of it.
///
/// # Errors
/// The server does not answer.
pub async fn read(client: &Client, lane: u32) -> Result<Found, Error> {
    let copies = in_order(client, &format!("KV_{BUCKET}"), &format!("$KV.{BUCKET}.{lane}.*"), 0).await;
    let (copies, has_bucket) = match copies {
        Ok((copies, _)) => (copies, true),
        Err(Error::Refused { code: STREAM_NOT_FOUND, .. }) => (Vec::new(), false),
        Err(error) => return Err(error),
    };
    let (there, last) = behind(client, lane, 0).await?;
    let ids = |of: &[Override]| of.iter().map(id).collect::<BTreeSet<_>>();
    let (in_out, copied) = (ids(&there), ids(&copies));
    let lost = copies.iter().filter(|one| !in_out.contains(&id(one))).cloned().collect();
    let uncopied: Vec<_> = there.iter().filter(|one| !copied.contains(&id(one))).cloned().collect();
    let (mut all, mut known) = (Vec::new(), BTreeSet::new());
    // What was written anew stands behind what came meanwhile: the copies have kept the order.
    all.extend(copies.into_iter().chain(there).filter(|one| known.insert(id(one))));
    Ok(Found { all, lost, uncopied, has_bucket, last })
}

/// The overrides of a lane that OUT has behind a place, in its order; and the place of the last.
///
/// # Errors
/// The server does not answer.
pub async fn behind(client: &Client, lane: u32, after: u64) -> Result<(Vec<Override>, u64), Error> {
    in_order(client, OUT, &format!("out._override.{lane}"), after).await
}

/// By what copies are told apart.
fn id(one: &Override) -> String {
    hex::encode(Sha256::digest(serde_json::to_vec(one).unwrap_or_default()))
}

async fn in_order(client: &Client, stream: &str, subject: &str, after: u64) -> Result<(Vec<Override>, u64), Error> {
    let (mut found, mut last) = (Vec::new(), after);
    let asked = format!("STREAM.MSG.GET.{stream}");
    loop {
        match api::<Got>(client, &asked, &json!({"seq": last + 1, "next_by_subj": subject})).await {
            Ok(Got { message }) => {
                last = message.seq;
                match serde_json::from_slice(&message.bytes(&asked)?) {
                    Ok(one) => found.push(one),
                    Err(error) => tracing::error!(subject, sequence = last, %error, "an override cannot be read"),
                }
            }
            Err(Error::Refused { code: NO_MESSAGE, .. }) => return Ok((found, last)),
            Err(error) => return Err(error),
        }
    }
}

impl Found {
    /// Copies what there is no copy of, and writes to OUT what it has lost.
    ///
    /// # Errors
    /// The server takes nothing.
    pub async fn make_whole(&self, client: &Client, replicas: u32) -> Result<(), Error> {
        if self.uncopied.is_empty() && self.lost.is_empty() {
            return Ok(());
        }
        if !self.has_bucket {
            make_bucket(client, replicas).await?;
        }
        for one in &self.uncopied {
            put(client, format!("$KV.{BUCKET}.{}.{}", one.lane, id(one)), HeaderMap::new(), one).await?;
        }
        for one in &self.lost {
            tracing::error!(lane = one.lane, position = one.position, "OUT has lost an override; it is written again");
            let mut headers = HeaderMap::new();
            headers.insert(TTL.0, TTL.1);
            put(client, format!("w._override.{}", one.lane), headers, one).await?;
        }
        Ok(())
    }
}

/// Makes the bucket, as other lanes may at the same time.
async fn make_bucket(client: &Client, replicas: u32) -> Result<(), Error> {
    let stream = format!("KV_{BUCKET}");
    let config = json!({
        "name": stream,
        "subjects": [format!("$KV.{BUCKET}.>")],
        "storage": "file",
        "discard": "new",
        "max_msgs_per_subject": 1,
        "num_replicas": replicas.max(1),
        "allow_rollup_hdrs": true,
        "allow_direct": true,
        "deny_delete": true,
    });
    api::<IgnoredAny>(client, &format!("STREAM.CREATE.{stream}"), &config).await.map(drop)
}

async fn put(client: &Client, subject: String, headers: HeaderMap, one: &Override) -> Result<(), Error> {
    let payload = serde_json::to_vec(one).map_err(|source| Error::Answer { subject: subject.clone(), source })?;
    let request = Request::new().headers(headers).payload(payload.into()).timeout(Some(REQUEST_TIMEOUT));
    let answer = client.send_request(subject.clone(), request).await;
    let answer = answer.map_err(|source| Error::Request { subject: subject.clone(), source })?;
    read_answer::<IgnoredAny>(&subject, &answer.payload).map(drop)
}

/// Writes overrides of a lane behind the mark that stands there, with one that says the same and is of nobody's.
///
/// # Errors
/// The lane has gone on meanwhile, or the server takes nothing.
pub async fn write(
    client: Client,
    lane: u32,
    overrides: &[Override],
    last: &Last,
    mark: Mark,
) -> Result<u64, EmitError> {
    let refused = |source| EmitError::Refused { who: lane.into(), source };
    let unwritten = |source| refused(Error::Answer { subject: format!("w._override.{lane}"), source });
    // Never used before, as batches are told apart by it.
    let owner = random_hex::<8>().map_err(|error| unwritten(serde::de::Error::custom(error)))?;
    let mark = Mark { owner: format!("override-{owner}"), ..mark };
    let batch = Batch::of_overrides(overrides, mark, last).map_err(unwritten)?;
    Outbox::new(client, lane).emit(batch).await
}

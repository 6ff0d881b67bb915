//! The two streams, as DESIGN's "Streams and subjects" has them.
//!
//! Old servers answer "ok" and drop the fields they do not know: what they echo is compared. What a stream must not
//! have stands in `limits`.
//!
//! IN is made closed: it takes commands and control messages only. Once organizations and rule book
//! stand in it, it is opened for publishers, so that nothing of theirs precedes these.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::Client;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Map, Value, json};

use super::quorum::{self, Cluster, Lack};
use super::reader::InMessage;
use super::{Error, api, consumers, limits};
use crate::logging::full;

/// The input stream's name.
pub const IN: &str = "IN";
/// The output stream's name.
pub const OUT: &str = "OUT";

/// No stream of that name.
pub(super) const STREAM_NOT_FOUND: u64 = 10_059;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Fields that are the operator's to change on a stream that is there.
const KEPT: [&str; 4] = ["max_age", "num_replicas", "max_consumers", "consumer_limits"];

/// No message found.
pub(super) const NO_MESSAGE: u64 = 10_037;

/// More consumers than the account allows.
const CONSUMERS_MOST: u64 = 10_026;

/// The least `max_payload`: the largest single event has room in it, a dead letter with its input or
/// a reaction with all that a script may say, escaped.
const PAYLOAD_LEAST: usize = 1024 * 1024;

/// Where marks stand in OUT.
const MARKS: &str = "out._mark.";

/// How the streams are made.
#[derive(Debug, Clone)]
pub struct Layout {
    /// How many lanes; fixed once the stream exists.
    pub lanes: u32,
    /// How long OUT keeps what it says, in seconds.
    pub out_age_s: u64,
    /// How many replicas.
    pub replicas: u32,
    /// What consumers of others OUT has.
    pub consumers: consumers::Bounds,
}

/// What IN takes before it is open, and then.
const CLOSED: [&str; 2] = ["in.*.cmd.*", "p.*.ctl"];
const OPEN: [&str; 2] = ["in.*.*.*", "p.*.ctl"];

/// What IN is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// When it was created.
    pub created: String,
    /// The first sequence it still has.
    pub first: u64,
    /// The last sequence it has given.
    pub last: u64,
    /// Whether it takes what publishers send.
    pub is_open: bool,
}

#[derive(Deserialize)]
struct Info {
    config: Map<String, Value>,
    created: String,
    state: StreamState,
    /// None where one server keeps it that is in no cluster.
    #[serde(default)]
    cluster: Option<Cluster>,
}

#[derive(Deserialize)]
struct StreamState {
    first_seq: u64,
    last_seq: u64,
    #[serde(default)]
    bytes: u64,
    /// Those that were asked for, each with how many messages it has.
    #[serde(default)]
    subjects: Option<BTreeMap<String, u64>>,
}

/// A stream, looked at while the engine runs.
#[derive(Debug)]
pub enum Stream {
    /// It is there.
    There(Found),
    /// There is none of the name.
    Gone,
    /// Nobody leads it: what it has is not known.
    Unled(Lack),
}

/// A stream that is there.
#[derive(Debug)]
pub struct Found {
    /// What it is known by.
    pub identity: Identity,
    /// What it has otherwise than it must: each field with what it is, what it must be and what is to be done.
    pub faults: Vec<String>,
    /// Whose marks it has: the last tokens of their subjects.
    pub marks: BTreeSet<String>,
    /// What it lacks to take anything, although somebody leads it.
    pub lack: Option<Lack>,
}

impl Info {
    fn identity(self) -> Identity {
        let subjects = self.config.get("subjects");
        Identity {
            created: self.created,
            first: self.state.first_seq,
            last: self.state.last_seq,
            is_open: subjects == Some(&json!(OPEN)),
        }
    }
}

fn in_config(layout: &Layout, subjects: [&str; 2]) -> Value {
    json!({
        "name": IN,
        "subjects": subjects,
        "storage": "file",
        "num_replicas": layout.replicas,
        "retention": "limits",
        "discard": "new",
        // The least the server takes: message ids are stream-wide, so one tenant's would swallow another's message.
        "duplicate_window": 100_000_000,
        "subject_transform": {"src": "in.*.*.*", "dest": transform(layout.lanes)},
    })
}

fn transform(lanes: u32) -> String {
    format!("p.{{{{partition({lanes},1)}}}}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}")
}

fn out_config(layout: &Layout) -> Value {
    json!({
        "name": OUT,
        "subjects": ["w.>"],
        "storage": "file",
        "num_replicas": layout.replicas,
        "retention": "limits",
        "max_age": layout.out_age_s * NANOS_PER_SECOND,
        "duplicate_window": 100_000_000,
        "max_consumers": layout.consumers.most.saturating_add(consumers::OURS),
        "consumer_limits": consumer_limits(layout),
        "allow_atomic": true,
        "allow_msg_ttl": true,
        "allow_rollup_hdrs": true,
        "subject_transform": {"src": "w.>", "dest": "out.>"},
        // Plain subscribers see a batch when it is committed, and never one that was refused.
        "republish": {"src": "out.>", "dest": "out.>"},
    })
}

/// How long a consumer of OUT may be that nobody asks.
fn consumer_limits(layout: &Layout) -> Value {
    json!({"inactive_threshold": layout.consumers.idle_s * NANOS_PER_SECOND})
}

/// Makes the streams or checks those that are there; what IN is known by.
///
/// # Errors
/// The server is too old or takes too small messages, or a stream is not ours.
pub async fn ensure(client: &Client, layout: &Layout) -> Result<Identity, Error> {
    let found = client.max_payload();
    if found < PAYLOAD_LEAST {
        return Err(Error::Payload { found, needed: PAYLOAD_LEAST });
    }
    let info =
        ensure_one(client, IN, &[in_config(layout, CLOSED), in_config(layout, OPEN)], Some(layout.lanes)).await?;
    let out = ensure_one(client, OUT, &[out_config(layout)], None).await?;
    bound_consumers(client, layout, out).await?;
    Ok(info.identity())
}

/// Sets how long consumers of OUT may be idle, where it was made without.
async fn bound_consumers(client: &Client, layout: &Layout, out: Info) -> Result<(), Error> {
    let mut config = out.config;
    let bounded = config.get("consumer_limits").and_then(|limits| limits.get("inactive_threshold"));
    if bounded.and_then(Value::as_u64).is_some_and(|bound| bound > 0) {
        return Ok(());
    }
    config.insert("consumer_limits".to_owned(), consumer_limits(layout));
    match api::<Info>(client, &format!("STREAM.UPDATE.{OUT}"), &Value::Object(config)).await {
        Ok(_) => Ok(()),
        // A consumer that is there may be idle for longer: it is the operator's to change.
        Err(error @ Error::Refused { .. }) => {
            tracing::warn!(
                error = full(&error),
                "consumers of the stream OUT stay unbounded in how long nobody may ask them"
            );
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Opens IN for publishers.
///
/// # Errors
/// The server refuses.
pub async fn open(client: &Client, layout: &Layout) -> Result<(), Error> {
    let info: Info = api(client, &format!("STREAM.UPDATE.{IN}"), &in_config(layout, OPEN)).await?;
    let differing = differences(&in_config(layout, OPEN), &info.config, &KEPT);
    if differing.is_empty() { Ok(()) } else { Err(Error::Foreign { stream: IN, difference: differing.join(", ") }) }
}

/// Looks at IN and OUT as they are by now.
///
/// # Errors
/// The server does not answer.
pub async fn examine(client: &Client, layout: &Layout) -> Result<(Stream, Stream), Error> {
    let input = examine_one(client, IN, &in_config(layout, OPEN)).await?;
    Ok((input, examine_one(client, OUT, &out_config(layout)).await?))
}

async fn examine_one(client: &Client, name: &'static str, wanted: &Value) -> Result<Stream, Error> {
    let marks = json!({"subjects_filter": format!("{MARKS}>")});
    let asked = if name == OUT { marks } else { json!({}) };
    let mut info: Info = match api(client, &format!("STREAM.INFO.{name}"), &asked).await {
        Ok(info) => info,
        Err(Error::Refused { code: STREAM_NOT_FOUND, .. }) => return Ok(Stream::Gone),
        Err(error) => return quorum::refused(&error).map(Stream::Unled).ok_or(error),
    };
    if let Some(lack) = info.cluster.as_ref().and_then(Cluster::unled) {
        return Ok(Stream::Unled(lack));
    }
    let lack = info.cluster.as_ref().and_then(Cluster::lack);
    let mut faults = limits::found(name, &info.config);
    let differing = differences(wanted, &info.config, &KEPT).into_iter();
    faults.extend(differing.map(|differing| format!("{differing}; change the stream")));
    let marks = info.state.subjects.take().unwrap_or_default().into_keys();
    let marks = marks.filter_map(|subject| subject.strip_prefix(MARKS).map(str::to_owned)).collect();
    Ok(Stream::There(Found { identity: info.identity(), faults, marks, lack }))
}

/// Makes OUT where it is gone.
///
/// # Errors
/// The server refuses.
pub async fn make_out(client: &Client, layout: &Layout) -> Result<(), Error> {
    ensure_one(client, OUT, &[out_config(layout)], None).await.map(drop)
}

/// What IN is known by now.
///
/// # Errors
/// The server does not answer.
pub async fn identity(client: &Client) -> Result<Identity, Error> {
    let info: Info = api(client, &format!("STREAM.INFO.{IN}"), &json!({})).await?;
    Ok(info.identity())
}

/// How far a stream goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The last sequence it has given.
    pub last: u64,
    /// How large it is, in bytes.
    pub bytes: u64,
}

/// How far a stream goes by now.
///
/// # Errors
/// The server does not answer, or there is none of the name.
pub async fn extent(client: &Client, stream: &str) -> Result<Extent, Error> {
    let info: Info = api(client, &format!("STREAM.INFO.{stream}"), &json!({})).await?;
    Ok(Extent { last: info.state.last_seq, bytes: info.state.bytes })
}

/// How many lanes IN was made for; none where it is not of ours.
///
/// # Errors
/// The server does not answer.
pub async fn lanes(client: &Client) -> Result<Option<u32>, Error> {
    let info: Info = api(client, &format!("STREAM.INFO.{IN}"), &json!({})).await?;
    Ok(lanes_of(&info.config))
}

/// The last sequence of a lane's messages in IN; 0 for none.
///
/// # Errors
/// The server does not answer.
pub async fn last_of_lane(client: &Client, lane: u32) -> Result<u64, Error> {
    #[derive(Deserialize)]
    struct Got {
        message: Found,
    }
    #[derive(Deserialize)]
    struct Found {
        seq: u64,
    }
    let wanted = json!({"last_by_subj": format!("p.{lane}.>")});
    match api::<Got>(client, &format!("STREAM.MSG.GET.{IN}"), &wanted).await {
        Ok(got) => Ok(got.message.seq),
        Err(Error::Refused { code: NO_MESSAGE, .. }) => Ok(0),
        Err(error) => Err(error),
    }
}

/// The first message on a subject of IN from a sequence on, as it is stored: its sequence and its bytes; none where there is
/// none yet.
///
/// # Errors
/// The server does not answer.
pub async fn next_on(client: &Client, subject: &str, from: u64) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let next = next_message(client, subject, from).await?;
    Ok(next.map(|message| (message.sequence, message.payload.into())))
}

/// The same message whole, with all of its subject.
///
/// # Errors
/// The server does not answer.
pub async fn next_message(client: &Client, subject: &str, from: u64) -> Result<Option<InMessage>, Error> {
    #[derive(Deserialize)]
    struct Got {
        message: Found,
    }
    #[derive(Deserialize)]
    struct Found {
        subject: String,
        seq: u64,
        time: Timestamp,
        #[serde(default)]
        data: String,
    }
    let wanted = json!({"seq": from.max(1), "next_by_subj": subject});
    let asked = format!("STREAM.MSG.GET.{IN}");
    match api::<Got>(client, &asked, &wanted).await {
        Ok(Got { message: Found { subject, seq, time, data } }) => {
            let unread = |error| Error::Answer { subject: asked, source: serde_json::Error::custom(error) };
            let payload = BASE64_STANDARD.decode(data).map_err(unread)?.into();
            Ok(Some(InMessage { sequence: seq, time, subject, payload }))
        }
        Err(Error::Refused { code: NO_MESSAGE, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Which lane an organization's subjects belong to: what the server's `partition` says, which is
/// FNV-1a over the token.
pub fn lane_of(org: &str, lanes: u32) -> u32 {
    let hash = org.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % lanes.max(1)
}

/// Makes a stream as the first of `wanted` says, or checks that the one that is there is as any of them.
async fn ensure_one(client: &Client, name: &'static str, wanted: &[Value], lanes: Option<u32>) -> Result<Info, Error> {
    match api::<Info>(client, &format!("STREAM.INFO.{name}"), &json!({})).await {
        Ok(info) => {
            if let (Some(wanted), Some(found)) = (lanes, lanes_of(&info.config))
                && wanted != found
            {
                return Err(Error::Lanes { found, wanted });
            }
            let faults = limits::found(name, &info.config);
            if !faults.is_empty() {
                return Err(Error::Unsafe { stream: name, faults });
            }
            let differing = wanted.iter().map(|wanted| differences(wanted, &info.config, &KEPT));
            // The last is what it is in the end, so its differences are those worth telling.
            match differing.reduce(|least, next| if least.is_empty() { least } else { next }) {
                Some(differing) if !differing.is_empty() => {
                    Err(Error::Foreign { stream: name, difference: differing.join(", ") })
                }
                _ => Ok(info),
            }
        }
        Err(Error::Refused { code: STREAM_NOT_FOUND, .. }) => {
            let wanted = wanted.first().unwrap_or(&Value::Null);
            let made = api(client, &format!("STREAM.CREATE.{name}"), wanted).await;
            let info: Info = match (made, wanted.get("max_consumers").and_then(Value::as_u64)) {
                (Err(Error::Refused { code: CONSUMERS_MOST, .. }), Some(wanted)) => {
                    return Err(Error::Consumers { stream: name, wanted });
                }
                (made, _) => made?,
            };
            let dropped = differences(wanted, &info.config, &[]);
            if dropped.is_empty() {
                return Ok(info);
            }
            let version = client.server_info().version;
            Err(Error::Dropped { version, stream: name, fields: dropped.join(", ") })
        }
        Err(error) => Err(error),
    }
}

fn lanes_of(config: &Map<String, Value>) -> Option<u32> {
    let dest = config.get("subject_transform")?.get("dest")?.as_str()?;
    dest.strip_prefix("p.{{partition(")?.split_once(',')?.0.parse().ok()
}

/// The fields in which a configuration is not as wanted.
fn differences(wanted: &Value, found: &Map<String, Value>, but: &[&str]) -> Vec<String> {
    let wanted = wanted.as_object().into_iter().flatten();
    wanted
        .filter(|(field, value)| !but.contains(&field.as_str()) && found.get(*field) != Some(value))
        .map(|(field, value)| {
            format!("`{field}` should be {value} and is {}", found.get(field).unwrap_or(&Value::Null))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_read_back_from_the_transform() {
        let layout = Layout { lanes: 16, out_age_s: 1, replicas: 1, consumers: Default::default() };
        let config = in_config(&layout, OPEN);
        assert_eq!(config["subject_transform"]["dest"], "p.{{partition(16,1)}}.{{wildcard(1)}}.{{wildcard(2)}}");
        assert_eq!(lanes_of(config.as_object().unwrap()), Some(16));
    }

    #[test]
    fn a_dropped_field_is_noticed() {
        let wanted = json!({"a": 1, "b": {"c": 2}});
        let found = json!({"a": 1}).as_object().unwrap().clone();
        assert_eq!(differences(&wanted, &found, &[]), ["`b` should be {\"c\":2} and is null"]);
        assert!(differences(&wanted, &found, &["b"]).is_empty());
    }
}

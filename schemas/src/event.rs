//! CloudEvents 1.0, the envelope of everything under `out.>` but the marks.
//!
//! One event travels as structured JSON, several of one subject as the standard batch: a JSON array.
//! Source: CloudEvents 1.0.2, "JSON Event Format", sections 3 and 4.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Content type of one event.
pub const SINGLE: &str = "application/cloudevents+json";
/// Content type of several events.
pub const BATCH: &str = "application/cloudevents-batch+json";

/// An event on its way out; `D` is its data.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Event<'a, D> {
    /// The version of CloudEvents.
    #[schemars(extend("const" = "1.0"))]
    specversion: &'static str,
    /// Unique within the source.
    pub id: &'a str,
    /// Whose events these are: `/organizations/<name>`, `/unknown` or `/provider`.
    pub source: &'a str,
    /// `linesman.` and the part of the subject behind the organization.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// What the event is about, an incident for instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// The log's time of the input that caused it.
    pub time: Timestamp,
    /// What `data` is.
    #[schemars(extend("const" = "application/json"))]
    datacontenttype: &'static str,
    /// What happened.
    pub data: D,
}

impl<'a, D> Event<'a, D> {
    /// An event with JSON data.
    pub fn new(
        id: &'a str,
        source: &'a str,
        kind: &'a str,
        subject: Option<&'a str>,
        time: Timestamp,
        data: D,
    ) -> Self {
        Self { specversion: "1.0", id, source, kind, subject, time, datacontenttype: "application/json", data }
    }
}

/// An event as a subscriber reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique within the source.
    pub id: String,
    /// Whose events these are.
    pub source: String,
    /// What kind of event.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    #[serde(default)]
    pub data: Value,
}

/// Reads the events of one message, single or batch.
///
/// # Errors
/// The text is neither, with serde's line and column.
pub fn read(payload: &[u8]) -> Result<Vec<Received>, serde_json::Error> {
    if payload.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(payload)
    } else {
        serde_json::from_slice(payload).map(|event| vec![event])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_and_batch_are_read_alike() {
        let event = Event::new("acme-1-f", "/organizations/acme", "linesman.trigger.x", None, Timestamp::UNIX_EPOCH, 7);
        let one = serde_json::to_string(&event).unwrap();
        let two = format!("[{one},{one}]");
        let single = read(one.as_bytes()).unwrap();
        assert_eq!((single.len(), &single[0].data), (1, &Value::from(7)));
        assert_eq!(read(two.as_bytes()).unwrap(), [single[0].clone(), single[0].clone()]);
        assert!(read(b"{}").is_err());
    }
}

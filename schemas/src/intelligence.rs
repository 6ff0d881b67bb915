//! Intelligence messages: what the support system tells customers. Source: DOMAIN, "Intelligence".

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// An intelligence message as it is published to `in.<org>.intel.<source>`, in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Intelligence {
    /// The message's id at its source; the same id again replaces the message.
    pub id: String,
    /// What kind of message.
    pub kind: Kind,
    /// One line.
    pub title: String,
    /// The message.
    #[serde(default)]
    pub text: String,
    /// When the source issued it.
    pub issued: Timestamp,
    /// Whom it concerns; empty lists concern all.
    #[serde(default)]
    pub relevance: Relevance,
    /// Where to read more.
    #[serde(default)]
    pub links: Vec<String>,
    /// Whether whoever sent it has taken it back: what is kept of this id goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recalled: bool,
}

/// What kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// By subscription.
    Alert,
    /// Written for one customer.
    Informational,
    /// A proactive bug notice.
    BugNotice,
    /// An end-of-life notice.
    EndOfLife,
}

impl Kind {
    /// The kind as messages spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Informational => "informational",
            Self::BugNotice => "bug-notice",
            Self::EndOfLife => "end-of-life",
        }
    }
}

/// Where an organization stands with a message. The words are those of incidents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "IntelligenceState")]
pub enum State {
    /// Nobody sees to it.
    #[default]
    Unassigned,
    /// Somebody is to.
    Assigned,
    /// Somebody does.
    #[serde(rename = "in progress")]
    InProgress,
    /// What it takes is done.
    Completed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unassigned, Self::Assigned, Self::InProgress, Self::Completed];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Assigned => "assigned",
            Self::InProgress => "in progress",
            Self::Completed => "completed",
        }
    }
}

/// Whom a message concerns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Relevance {
    /// Chassis serial numbers.
    pub serial_numbers: Vec<String>,
    /// Models.
    pub products: Vec<String>,
    /// System families.
    pub platforms: Vec<String>,
    /// Operating system versions.
    pub os_versions: Vec<String>,
}

/// Why a text is no intelligence message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the JSON asked for; serde's text has line and column.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A field is empty or longer than it may be.
    #[error("`{field}` must have 1 to {most} bytes and has {length}")]
    Length {
        /// Which field.
        field: &'static str,
        /// Its bound in bytes.
        most: usize,
        /// Its length in bytes.
        length: usize,
    },
    /// A list is longer than it may be.
    #[error("`{field}` must have at most {most} entries and has {length}")]
    Entries {
        /// Which field.
        field: &'static str,
        /// Its bound.
        most: usize,
        /// Its length.
        length: usize,
    },
}

/// How many bytes an id may have.
pub const ID_MOST: usize = 256;
/// How many bytes a title may have.
pub const TITLE_MOST: usize = 1024;
/// How many bytes whom it concerns may have in JSON: a trigger repeats it, and every event has to fit a
/// message of OUT.
const RELEVANCE_MOST: usize = 256 * 1024;

impl Error {
    /// Which field is wrong, such as `relevance.products`; empty where it is all of it.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Json(_) => "",
            Self::Length { field, .. } | Self::Entries { field, .. } => field,
        }
    }
}

/// Reads and checks an intelligence message.
///
/// # Errors
/// See [`Error`].
pub fn decode(bytes: &[u8]) -> Result<Intelligence, Error> {
    let message: Intelligence = serde_json::from_slice(bytes)?;
    check(&message)?;
    Ok(message)
}

/// A field that messages do not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// What it is called.
    pub field: String,
    /// What fields there are in its place.
    pub known: Vec<&'static str>,
    /// The line it stands in, from 1.
    pub line: usize,
    /// The column in it, from 1.
    pub column: usize,
}

/// The first field of a message that there is not, or of whom it concerns; none where there is no such field, or the
/// text is no message.
pub fn stray(bytes: &[u8]) -> Option<Stray> {
    let error = serde_json::from_slice::<Names>(bytes).err()?;
    let said = error.to_string();
    let (field, known) = said.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    let all = [MESSAGE_FIELDS, RELEVANCE_FIELDS];
    // Serde names those of the object it was in.
    let known = all.into_iter().find(|fields| fields.iter().all(|name| known.contains(&format!("`{name}`"))))?;
    Some(Stray { field: field.to_owned(), known: known.to_vec(), line: error.line(), column: error.column() })
}

/// The fields of a message.
const MESSAGE_FIELDS: &[&str] = &["id", "kind", "title", "text", "issued", "relevance", "links", "recalled"];
/// The fields of whom it concerns.
const RELEVANCE_FIELDS: &[&str] = &["serial_numbers", "products", "platforms", "os_versions"];

/// The names of a message's fields.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Names {
    id: IgnoredAny,
    kind: IgnoredAny,
    title: IgnoredAny,
    text: IgnoredAny,
    issued: IgnoredAny,
    relevance: RelevanceNames,
    links: IgnoredAny,
    recalled: IgnoredAny,
}

/// The names of the fields of whom it concerns.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RelevanceNames {
    serial_numbers: IgnoredAny,
    products: IgnoredAny,
    platforms: IgnoredAny,
    os_versions: IgnoredAny,
}

/// Whether every text and list of a message is within its bounds.
///
/// # Errors
/// The first that is not.
pub fn check(message: &Intelligence) -> Result<(), Error> {
    for (field, text, most) in [("id", &message.id, ID_MOST), ("title", &message.title, TITLE_MOST)] {
        if text.is_empty() || text.len() > most {
            return Err(Error::Length { field, most, length: text.len() });
        }
    }
    let relevance = &message.relevance;
    for (field, list) in [
        ("relevance.serial_numbers", &relevance.serial_numbers),
        ("relevance.products", &relevance.products),
        ("relevance.platforms", &relevance.platforms),
        ("relevance.os_versions", &relevance.os_versions),
        ("links", &message.links),
    ] {
        if list.len() > 10_000 {
            return Err(Error::Entries { field, most: 10_000, length: list.len() });
        }
    }
    let length = serde_json::to_vec(relevance)?.len();
    if length > RELEVANCE_MOST {
        return Err(Error::Length { field: "relevance", most: RELEVANCE_MOST, length });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_message_is_read() {
        let message =
            decode(br#"{"id":"TSB1","kind":"bug-notice","title":"t","issued":"2026-11-21T10:00:00Z"}"#).unwrap();
        assert_eq!((message.kind, message.relevance), (Kind::BugNotice, Relevance::default()));
    }

    #[test]
    fn a_field_that_there_is_not_is_found_wherever_it_stands() {
        let text = |more: &str| {
            format!("{{\"id\":\"T\",\"kind\":\"alert\",\n\"title\":\"t\",\"issued\":\"2026-11-21T10:00:00Z\"{more}}}")
        };
        let found = stray(text(",\n \"relevence\": {}").as_bytes()).unwrap();
        assert_eq!((found.field.as_str(), found.known, found.line), ("relevence", MESSAGE_FIELDS.to_vec(), 3));
        let found = stray(text(",\"relevance\": {\"product\": [\"MX*\"]}").as_bytes()).unwrap();
        assert_eq!((found.field.as_str(), found.known, found.line), ("product", RELEVANCE_FIELDS.to_vec(), 2));
        let whole = ",\"text\":\"\",\"relevance\":{\"serial_numbers\":[],\"products\":[],\"platforms\":[],\"os_versions\":[]},\"links\":[],\"recalled\":true";
        assert_eq!(stray(text(whole).as_bytes()), None);
        assert!(decode(text(whole).as_bytes()).unwrap().recalled);
        assert_eq!(stray(b"{"), None);
    }

    #[test]
    fn faults_are_named() {
        let long =
            format!(r#"{{"id":"{}","kind":"alert","title":"t","issued":"2026-11-21T10:00:00Z"}}"#, "x".repeat(300));
        assert_eq!(decode(long.as_bytes()).unwrap_err().to_string(), "`id` must have 1 to 256 bytes and has 300");
        let many = vec!["S".repeat(100); 3_000];
        let wide = serde_json::json!({
            "id": "a", "kind": "alert", "title": "t", "issued": "2026-11-21T10:00:00Z",
            "relevance": {"serial_numbers": many},
        });
        assert_eq!(
            decode(wide.to_string().as_bytes()).unwrap_err().to_string(),
            "`relevance` must have 1 to 262144 bytes and has 309066"
        );
        assert!(decode(b"{").unwrap_err().to_string().contains("line 1 column 1"));
    }
}

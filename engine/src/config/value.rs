//! A single value: what it may be, and the words for what it is not.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use linesman_schemas::OrgName;
use reqwest::Url;
use toml::de::DeValue;
use tracing_subscriber::EnvFilter;

use super::keys::{self, Kind};
use super::place::blank_controls;
use super::{mask, suggest};

/// How much of a wrong value a message quotes, in characters.
const QUOTED: usize = 80;
/// The longest directives of the log, in bytes.
const MOST_LOG_LEVEL: usize = 4096;
const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written {
    Text(String),
    /// None: too large for any key.
    Integer(Option<u64>, String),
    Flag(bool),
    /// Of a type no key has, named for people.
    Other(&'static str),
}

impl Written {
    pub(super) fn of_file(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
                Self::Integer(value, number.to_string())
            }
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Float(_) => Self::Other("a number with a fraction"),
            DeValue::Datetime(_) => Self::Other("a date or time"),
            DeValue::Array(_) => Self::Other("a list"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }

    /// What a variable, a flag or a default says: text that stands for what the kind asks for.
    pub(super) fn of_text(text: &str, kind: Kind) -> Self {
        match kind {
            Kind::Count { .. } | Kind::Seconds { .. } if is_number(text) => {
                Self::Integer(text.parse().ok(), text.to_owned())
            }
            Kind::Flag if text == "true" => Self::Flag(true),
            Kind::Flag if text == "false" => Self::Flag(false),
            _ => Self::Text(text.to_owned()),
        }
    }

    /// Quoted for a message, where `kind` was expected.
    fn shown(&self, kind: Kind) -> String {
        let is_text_expected = !matches!(kind, Kind::Count { .. } | Kind::Seconds { .. } | Kind::Flag);
        match self {
            Self::Text(text) if matches!(kind, Kind::NatsUrl | Kind::HttpsUrl) => quoted(&mask::url(text)),
            Self::Text(text) if is_text_expected => quoted(text),
            Self::Text(text) => format!("the text {}", quoted(text)),
            Self::Integer(_, text) if is_text_expected => format!("the number {}", quoted(text)),
            Self::Integer(_, text) => quoted(text),
            Self::Flag(flag) => format!("`{flag}`"),
            Self::Other(name) => (*name).to_owned(),
        }
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The beginning of a text in backticks, on one line.
pub(super) fn quoted(text: &str) -> String {
    let mut begin: String = text.chars().take(QUOTED).collect();
    if begin.len() < text.len() {
        begin.push_str("...");
    }
    format!("`{}`", blank_controls(&begin))
}

/// A value that its kind allows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Path(PathBuf),
    Number(u64),
    Flag(bool),
    Address(SocketAddr),
}

/// Why a value is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Reads the value of the key `name`; relative paths start at `folder`, where that is empty at the
/// working directory.
pub(super) fn read(name: &str, kind: Kind, written: &Written, folder: &Path) -> Result<Value, Refusal> {
    let refused = || refusal(name, kind, written);
    match (kind, written) {
        (Kind::Text { most }, Written::Text(text)) if is_label(text, most) => Ok(Value::Text(text.clone())),
        (Kind::Path, Written::Text(text)) if !text.is_empty() && !text.contains('\0') => {
            std::path::absolute(folder.join(text)).map(Value::Path).map_err(|_| refused())
        }
        (Kind::Count { least, most } | Kind::Seconds { least, most }, Written::Integer(Some(number), _))
            if (least..=most).contains(number) =>
        {
            Ok(Value::Number(*number))
        }
        (Kind::Flag, Written::Flag(flag)) => Ok(Value::Flag(*flag)),
        (Kind::Address, Written::Text(text)) => text.parse().map(Value::Address).map_err(|_| refused()),
        (kind, Written::Text(text)) if is_spelled(kind, text) => Ok(Value::Text(text.clone())),
        _ => Err(refused()),
    }
}

/// Whether a text is right for a kind whose value stays text.
fn is_spelled(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Words(words) => words.contains(&text),
        Kind::FilterLevel => keys::filter_level(text).is_some(),
        Kind::OrgName => text.parse::<OrgName>().is_ok(),
        Kind::Header { most } => text.is_ascii() && is_label(text, most),
        Kind::HttpsUrl => is_https(text),
        Kind::NatsUrl => is_nats(text),
        Kind::LogLevel => is_log_level(text),
        Kind::Text { .. }
        | Kind::Path
        | Kind::Count { .. }
        | Kind::Seconds { .. }
        | Kind::Flag
        | Kind::Address
        | Kind::DeviceGroups
        | Kind::Organizations => false,
    }
}

pub(super) fn is_label(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

fn is_https(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let has_login = !url.username().is_empty() || url.password().is_some();
        url.scheme() == "https" && url.has_host() && !has_login && url.query().is_none() && url.fragment().is_none()
    })
}

fn is_nats(text: &str) -> bool {
    let is_known = ["nats://", "tls://"].iter().any(|scheme| text.starts_with(scheme));
    is_known && Url::parse(text).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()))
}

/// A bare word that is no level would be a target, and a misspelt level silently log everything of it.
fn is_log_level(text: &str) -> bool {
    let is_good = |directive: &str| match directive.trim() {
        bare if !bare.contains(['=', '[']) => LOG_LEVELS.contains(&bare.to_ascii_lowercase().as_str()),
        _ => true,
    };
    text.len() <= MOST_LOG_LEVEL && text.split(',').all(is_good) && EnvFilter::builder().parse(text).is_ok()
}

fn refusal(name: &str, kind: Kind, written: &Written) -> Refusal {
    let is_empty = matches!(written, Written::Text(text) if text.is_empty());
    let found = if is_empty { "empty".to_owned() } else { written.shown(kind) };
    let message = match kind {
        Kind::FilterLevel if matches!(written, Written::Text(_)) && !is_empty => {
            format!("there is no filter level {found}")
        }
        _ => format!("`{name}` must be {}, not {found}", expected(kind)),
    };
    let help = match (kind, written) {
        (Kind::Words(words), Written::Text(text)) => suggest::help(text, words.iter().copied()),
        (Kind::LogLevel, Written::Text(text)) => suggest::help(text, LOG_LEVELS),
        (Kind::FilterLevel, _) => Some(format!("the filter levels are {}", list(&level_names(), "and"))),
        (Kind::Count { .. } | Kind::Seconds { .. }, Written::Text(text)) if is_number(text) => {
            Some("write the number without quotes".to_owned())
        }
        (Kind::Address, Written::Text(_)) => Some("for example `127.0.0.1:8443`".to_owned()),
        _ => None,
    };
    Refusal { message, help }
}

fn level_names() -> Vec<&'static str> {
    linesman_schemas::FilterLevel::ALL.iter().map(|(_, name)| *name).collect()
}

/// What a kind asks for, behind "must be".
pub(super) fn expected(kind: Kind) -> String {
    match kind {
        Kind::Text { most } => format!("a text of 1 to {most} printable characters"),
        Kind::Header { most } => format!("a text of 1 to {most} printable ASCII characters"),
        Kind::Path => "a path".to_owned(),
        Kind::HttpsUrl => "an address of the form `https://host[:port][/path]`".to_owned(),
        Kind::NatsUrl => "an address of the form `nats://host[:port]` or `tls://host[:port]`".to_owned(),
        Kind::Count { least, most } => format!("a whole number from {least} to {most}"),
        Kind::Seconds { least, most } => format!("a whole number of seconds from {least} to {most}"),
        Kind::Words(words) => list(words, "or"),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Address => "an address and a port".to_owned(),
        Kind::LogLevel => format!("{}, or such levels behind `target=`, separated by commas", list(&LOG_LEVELS, "or")),
        Kind::OrgName => "a name of 1 to 64 letters, digits, `_` and `-` that begins with a letter or digit".to_owned(),
        Kind::FilterLevel => "a filter level".to_owned(),
        Kind::DeviceGroups => "a list of `{ name = \"...\", devices = [\"...\"] }`".to_owned(),
        Kind::Organizations => "a list of tables".to_owned(),
    }
}

/// `a`, `b` and `c`.
pub(super) fn list(words: &[&str], last: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(kind: Kind, text: &str) -> bool {
        read("key", kind, &Written::of_text(text, kind), Path::new("")).is_ok()
    }

    #[test]
    fn kinds_take_what_they_say() {
        for (kind, good, bad) in [
            (Kind::Text { most: 3 }, &["a", "äöü"][..], &["", "abcd", "a\tb"][..]),
            (Kind::Header { most: 3 }, &["abc"], &["", "abcd", "ä"]),
            (Kind::Count { least: 1, most: 9 }, &["1", "9"], &["0", "10", "", "+1", "-1", "1.0", &"9".repeat(99)]),
            (Kind::Flag, &["true", "false"], &["", "yes", "True"]),
            (Kind::Address, &["127.0.0.1:0", "[::1]:8443"], &["", "8443", "localhost:8443", "127.0.0.1"]),
            (Kind::Path, &["a", "/a"], &["", "a\0b"]),
            (
                Kind::HttpsUrl,
                &["https://h", "https://h:1/a"],
                &["", "h", "http://h", "https://u@h", "https://u:p@h", "https://h?a", "https://h#a", "https://"],
            ),
            (Kind::NatsUrl, &["nats://h", "tls://u:p@h:1"], &["", "h", "http://h", "nats://", "nats://h:x"]),
            (
                Kind::LogLevel,
                &["info", "WARN", "linesman=debug,warn", "a[b]=info"],
                &["", "inof", "info,linesman", "a=b=c"],
            ),
        ] {
            for text in good {
                assert!(is_read(kind, text), "{kind:?} should take `{text}`");
            }
            for text in bad {
                assert!(!is_read(kind, text), "{kind:?} should not take `{text}`");
            }
        }
    }
}

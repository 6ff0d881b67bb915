//! A single value: what it may be. What is a list is read in `tables`.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use linesman_connectors::settings::{Kind, Value};
use linesman_connectors::tls::{CertificateName, Fingerprint};
use linesman_connectors::upstream::Proxy;
use linesman_schemas::{FilterLevel, OrgName};
use reqwest::Url;
use toml::de::DeValue;
use tracing_subscriber::EnvFilter;

use super::mask;
use super::origin::blank_controls;
use super::wording::refusal;
use crate::log::servers;

/// How much of a wrong value a message quotes, in characters.
const QUOTED: usize = 80;
/// The longest directives of the log, in bytes.
const MOST_LOG_LEVEL: usize = 4096;
/// The port of HTTPS.
const HTTPS: u16 = 443;
pub(super) const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

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
    pub(super) fn shown(&self, kind: Kind) -> String {
        let is_text_expected = !matches!(kind, Kind::Count { .. } | Kind::Seconds { .. } | Kind::Flag);
        match self {
            Self::Text(text) if matches!(kind, Kind::NatsUrl | Kind::HttpsUrl | Kind::ProxyUrl) => {
                quoted(&mask::url(text))
            }
            Self::Text(text) if is_text_expected => quoted(text),
            Self::Text(text) => format!("the text {}", quoted(text)),
            Self::Integer(_, text) if is_text_expected => format!("the number {}", quoted(text)),
            Self::Integer(_, text) => quoted(text),
            Self::Flag(flag) => format!("`{flag}`"),
            Self::Other(name) => (*name).to_owned(),
        }
    }
}

pub(super) fn is_number(text: &str) -> bool {
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

/// Why a value is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Reads the value of the key that people know as `name`; relative paths start at `folder`, where that is empty at the
/// working directory.
pub(super) fn read(name: &str, kind: Kind, written: &Written, folder: &Path) -> Result<Value, Refusal> {
    let refused = || refusal(name, kind, written);
    match (kind, written) {
        (Kind::Text { most }, Written::Text(text)) if is_label(text, most) => Ok(Value::Text(text.clone())),
        (Kind::Path | Kind::PasswordFile | Kind::Certificates, Written::Text(text))
            if !text.is_empty() && !text.contains('\0') =>
        {
            std::path::absolute(folder.join(text)).map(Value::Path).map_err(|_| refused())
        }
        (Kind::Count { least, most } | Kind::Seconds { least, most }, Written::Integer(Some(number), _))
            if (least..=most).contains(number) =>
        {
            Ok(Value::Number(*number))
        }
        (Kind::Flag, Written::Flag(flag)) => Ok(Value::Flag(*flag)),
        (Kind::Address, Written::Text(text)) => text.parse().map(Value::Address).map_err(|_| refused()),
        (Kind::HttpsAddress, Written::Text(text)) => {
            let alone = || text.parse().ok().map(|address: IpAddr| SocketAddr::new(address, HTTPS));
            text.parse().ok().or_else(alone).map(Value::Address).ok_or_else(refused)
        }
        (kind, Written::Text(text)) if is_spelled(kind, text) => Ok(Value::Text(text.clone())),
        _ => Err(refused()),
    }
}

/// The value of a key's default.
pub(super) fn of_default(kind: Kind, text: &str) -> Option<Value> {
    read("", kind, &Written::of_text(text, kind), Path::new("")).ok()
}

/// The level spelled so.
pub(super) fn filter_level(text: &str) -> Option<FilterLevel> {
    FilterLevel::ALL.into_iter().find(|(_, name)| *name == text).map(|(level, _)| level)
}

/// Whether a text is right for a kind whose value stays text.
fn is_spelled(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Words(words) => words.contains(&text),
        Kind::FilterLevel => filter_level(text).is_some(),
        Kind::OrgName => text.parse::<OrgName>().is_ok(),
        Kind::Header { most } => text.is_ascii() && is_label(text, most),
        Kind::HttpsUrl => is_https(text),
        Kind::ProxyUrl => Proxy::is_address(text),
        Kind::NatsUrl => is_nats(text),
        Kind::LogLevel => is_log_level(text),
        Kind::Ip => text.parse::<IpAddr>().is_ok(),
        Kind::Fingerprint => text.parse::<Fingerprint>().is_ok(),
        Kind::CertificateName => text.parse::<CertificateName>().is_ok(),
        Kind::Text { .. }
        | Kind::Path
        | Kind::Count { .. }
        | Kind::Seconds { .. }
        | Kind::Flag
        | Kind::Address
        | Kind::HttpsAddress
        | Kind::PasswordFile
        | Kind::Certificates
        | Kind::Texts(_)
        | Kind::Tables(_) => false,
    }
}

pub(super) fn is_label(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

pub(super) fn is_https(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let has_login = !url.username().is_empty() || url.password().is_some();
        url.scheme() == "https" && url.has_host() && !has_login && url.query().is_none() && url.fragment().is_none()
    })
}

fn is_nats(text: &str) -> bool {
    let is_one = |text: &str| {
        let is_known = servers::SCHEMES.iter().any(|scheme| text.starts_with(scheme));
        is_known
            && Url::parse(text)
                .is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty() && !host.contains(',')))
    };
    let all = servers::split(text);
    let websockets = all.iter().filter(|text| servers::is_websocket(text)).count();
    (websockets == 0 || websockets == all.len()) && all.into_iter().all(is_one)
}

/// A bare word that is no level would be a target, and a misspelt level silently log everything of it.
fn is_log_level(text: &str) -> bool {
    let is_good = |directive: &str| match directive.trim() {
        bare if !bare.contains(['=', '[']) => LOG_LEVELS.contains(&bare.to_ascii_lowercase().as_str()),
        _ => true,
    };
    text.len() <= MOST_LOG_LEVEL && text.split(',').all(is_good) && EnvFilter::builder().parse(text).is_ok()
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
            (Kind::HttpsAddress, &["127.0.0.1:0", "192.0.2.1", "::1"], &["", "8443", "localhost", "localhost:8443"]),
            (Kind::Address, &["127.0.0.1:0", "[::1]:8443"], &["", "8443", "localhost:8443", "127.0.0.1"]),
            (Kind::Ip, &["127.0.0.1", "::1"], &["", "127.0.0.1:1", "localhost"]),
            (Kind::Path, &["a", "/a"], &["", "a\0b"]),
            (
                Kind::HttpsUrl,
                &["https://h", "https://h:1/a"],
                &["", "h", "http://h", "https://u@h", "https://u:p@h", "https://h?a", "https://h#a", "https://"],
            ),
            (
                Kind::ProxyUrl,
                &["http://h", "http://h:3128/", "http://[::1]:3128"],
                &["", "h:3128", "https://h", "http://u:p@h", "http://h/a"],
            ),
            (
                Kind::NatsUrl,
                &["nats://h", "tls://u:p@h:1", "nats://token@h", "nats://a:1,nats://b:1, tls://c", "wss://a,ws://b"],
                &[
                    "",
                    "h",
                    "http://h",
                    "nats://",
                    "nats://h:x",
                    "nats://a,b",
                    "nats://a,nats://",
                    "nats://a,",
                    "nats://a,ws://b",
                ],
            ),
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

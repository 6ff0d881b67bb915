//! The words for what a value may be, and for what it is not.

use linesman_connectors::settings::{Key, Kind, Section};
use linesman_schemas::FilterLevel;

use super::suggest;
use super::value::{LOG_LEVELS, Refusal, Written, is_number};

/// Why `written` is no value of the key that people know as `name`.
pub(super) fn refusal(name: &str, kind: Kind, written: &Written) -> Refusal {
    let is_empty = matches!(written, Written::Text(text) if text.is_empty());
    let found = if is_empty { "empty".to_owned() } else { written.shown(kind) };
    let message = match kind {
        Kind::FilterLevel if matches!(written, Written::Text(_)) && !is_empty => {
            format!("there is no filter level {found}")
        }
        _ => format!("{name} must be {}, not {found}", expected(kind)),
    };
    let help = match (kind, written) {
        (Kind::Words(words), Written::Text(text)) => suggest::help(text, words.iter().copied()),
        (Kind::LogLevel, Written::Text(text)) => suggest::help(text, LOG_LEVELS),
        (Kind::FilterLevel, _) => Some(format!("the filter levels are {}", list(&level_names(), "and"))),
        (Kind::Count { .. } | Kind::Seconds { .. }, Written::Text(text)) if is_number(text) => {
            Some("write the number without quotes".to_owned())
        }
        (Kind::Address | Kind::HttpsAddress, Written::Text(_)) => Some("for example `127.0.0.1:8443`".to_owned()),
        _ => None,
    };
    Refusal { message, help }
}

fn level_names() -> Vec<&'static str> {
    FilterLevel::ALL.iter().map(|(_, name)| *name).collect()
}

/// What a kind asks for, behind "must be".
pub(super) fn expected(kind: Kind) -> String {
    match kind {
        Kind::Text { most } => format!("a text of 1 to {most} printable characters"),
        Kind::Header { most } => format!("a text of 1 to {most} printable ASCII characters"),
        Kind::Path | Kind::PasswordFile | Kind::Certificates => "a path".to_owned(),
        Kind::HttpsUrl => "an address of the form `https://host[:port][/path]`".to_owned(),
        Kind::ProxyUrl => "an address of the form `http://host[:port]`".to_owned(),
        Kind::NatsUrl => {
            "an address of the form `nats://host[:port]`, `tls://host[:port]`, `ws://host[:port]` or `wss://host[:port]`, or several behind commas".to_owned()
        }
        Kind::Count { least, most } => format!("a whole number from {least} to {most}"),
        Kind::Seconds { least, most } => format!("a whole number of seconds from {least} to {most}"),
        Kind::Words(words) => list(words, "or"),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Address => "an address and a port".to_owned(),
        Kind::HttpsAddress => "an address, and a port unless it is 443".to_owned(),
        Kind::Ip => "an address".to_owned(),
        Kind::Fingerprint => "`sha256:` and 64 hexadecimal digits".to_owned(),
        Kind::CertificateName => "a subject as `CN=acme,O=Acme Corp`, or a DNS name as `DNS:acme.example`".to_owned(),
        Kind::LogLevel => format!("{}, or such levels behind `target=`, separated by commas", list(&LOG_LEVELS, "or")),
        Kind::OrgName => "a name of 1 to 64 letters, digits, `_` and `-` that begins with a letter or digit".to_owned(),
        Kind::FilterLevel => "a filter level".to_owned(),
        Kind::Texts(texts) => format!("a list of {}, at least one", texts.many),
        Kind::Tables(tables) => format!("a list of {}", form(tables.keys)),
    }
}

/// How a table with these keys is written: `{ name = "...", devices = ["..."] }`.
pub(super) fn form(keys: &[Key]) -> String {
    let dots = |kind| match kind {
        Kind::Count { .. } | Kind::Seconds { .. } | Kind::Flag => "...",
        Kind::Texts(_) => "[\"...\"]",
        Kind::Tables(_) => "[{ ... }]",
        _ => "\"...\"",
    };
    let pairs: Vec<String> = keys.iter().map(|key| format!("{} = {}", key.name, dots(key.kind))).collect();
    format!("`{{ {} }}`", pairs.join(", "))
}

/// A list of one table, with what it has to have.
pub(super) fn example_of_list(keys: &[Key]) -> String {
    let pairs: Vec<String> = keys
        .iter()
        .filter(|key| key.is_required)
        .filter_map(|key| key.example.map(|text| format!("{} = {}", key.name, spelled(key.kind, text))))
        .collect();
    format!("[{{ {} }}]", pairs.join(", "))
}

/// An example or a default as TOML spells it; lists are spelled so anyway.
pub(super) fn spelled(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Count { .. } | Kind::Seconds { .. } | Kind::Flag | Kind::Texts(_) | Kind::Tables(_) => text.to_owned(),
        _ => toml::Value::from(text).to_string(),
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

/// What a list is for, and how it is written.
pub(super) fn about_list(list: &Section) -> String {
    format!(
        "{} In the file `[[{}]]` and the keys of each; in a variable or a flag a list of tables, which counts instead of \
         the file's.",
        list.doc, list.name
    )
}

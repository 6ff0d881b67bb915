//! The section `[upstream]`: its keys, and how settings are read from it.

use std::time::Duration;

use super::Settings;
use crate::settings::{Entry, Key, Kind, Section, Shape};

/// What the support system's client is told.
#[rustfmt::skip]
pub static SECTION: Section = Section {
    name: "upstream",
    shape: Shape::Optional("cases wait"),
    doc: "The support system. Without this section cases wait.",
    keys: &[
        Key::new("kind", Kind::Words(&["jss", "partner"]), "What it is: the support system, or a partner. Not set, `partner` in mode `end-customer`, else `jss`. Only `jss` works yet.").like("jss"),
        Key::new("url", Kind::HttpsUrl, "The address of the support system. Required in `[upstream]`.").required().like("https://support.example"),
        Key::new("ca", Kind::Certificates, "The file of certificates (PEM) to believe. Not set, the system's are believed.").like("support-system-ca.pem"),
        Key::new("site_id", Kind::Text { most: 64 }, "The site cases are opened for. Required in `[upstream]`.").required().like("P-1000"),
        Key::new("user", Kind::Text { most: 128 }, "The user requests are made as. Required in `[upstream]`.").required().like("noc@partner.example"),
        Key::new("password_file", Kind::PasswordFile, "The file with that user's password, readable by its owner only. Required in `[upstream]`.").required().like("support-system.password"),
        Key::new("application_id", Kind::Header { most: 128 }, "The program's id at the support system, sent with every request.").or("linesman"),
        Key::new("requests_per_hour", Kind::Count { least: 1, most: 1_000_000 }, "How many requests an hour the support system bears.").or("300"),
        Key::new("concurrency", Kind::Count { least: 1, most: 256 }, "How many requests are under way at a time.").or("4"),
        Key::new("timeout_s", Kind::Seconds { least: 1, most: 3600 }, "How long one request may take, in seconds.").or("30"),
    ],
};

/// The settings of a table of [`SECTION`]; none where a key that is needed has no value.
pub(crate) fn read(entry: &Entry) -> Option<Settings> {
    Some(Settings {
        url: entry.text("url")?,
        ca: entry.path("ca"),
        site_id: entry.text("site_id")?,
        user: entry.text("user")?,
        password: entry.secret("password_file")?,
        application_id: entry.text("application_id")?,
        requests_per_hour: entry.number("requests_per_hour")?,
        concurrency: entry.number("concurrency")?,
        timeout: Duration::from_secs(entry.number("timeout_s")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_type() {
        let default = |name: &str| SECTION.key(name).unwrap().default.unwrap();
        assert_eq!(default("requests_per_hour"), Settings::REQUESTS_PER_HOUR.to_string());
        assert_eq!(default("concurrency"), Settings::CONCURRENCY.to_string());
        assert_eq!(default("timeout_s"), Settings::TIMEOUT.as_secs().to_string());
    }
}

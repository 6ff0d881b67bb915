//! The one table of keys: file, environment, flags, defaults and printing all follow it.
//!
//! A key is read by its [`Kind`]; what several keys mean together is judged in `check`.

use linesman_schemas::FilterLevel;

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// Its dotted name, `section.key`; the file has it as `key` under `[section]`.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// The value when nothing is said, spelled as a flag would have it; none: it is then not set.
    pub default: Option<&'static str>,
    /// What it is for, in sentences for people.
    pub doc: &'static str,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Printable text of 1 to `most` characters.
    Text {
        /// The greatest length in characters.
        most: usize,
    },
    /// The same of ASCII characters: it travels in a header.
    Header {
        /// The greatest length in characters.
        most: usize,
    },
    /// A file or folder; made absolute: one in the configuration file starts at that file's folder.
    Path,
    /// `https://host[:port][/path]`, without a password.
    HttpsUrl,
    /// `nats://` or `tls://` and an address; may hold a password, which is masked wherever it is shown.
    NatsUrl,
    /// A whole number.
    Count {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// A whole number of seconds.
    Seconds {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// One of these words.
    Words(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// `address:port`.
    Address,
    /// Directives of the log, `level` or `target=level`, separated by commas.
    LogLevel,
    /// An organization's token in subjects.
    OrgName,
    /// One of [`FilterLevel::ALL`].
    FilterLevel,
    /// A list of `{ name, devices }`.
    DeviceGroups,
    /// A list of organizations.
    Organizations,
}

impl Key {
    /// The environment variable that sets it; none for a key of an organization, which is set in their list.
    pub fn variable(&self) -> Option<String> {
        let is_listed = ORGANIZATION_KEYS.iter().any(|key| key.name == self.name);
        (!is_listed).then(|| format!("{VARIABLE_PREFIX}{}", self.name.to_ascii_uppercase().replace('.', "_")))
    }

    /// What a number of it counts; none for what is no number of something.
    pub fn unit(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Seconds { .. } => Some("seconds"),
            Kind::Count { .. } if self.name.ends_with("_bytes") => Some("bytes"),
            _ => None,
        }
    }

    /// Its section, when it has one, and its name therein.
    pub fn parts(&self) -> (Option<&'static str>, &'static str) {
        match self.name.split_once('.') {
            Some((section, name)) => (Some(section), name),
            None => (None, self.name),
        }
    }
}

/// What the program's environment variables begin with.
pub const VARIABLE_PREFIX: &str = "LINESMAN_";

/// Variables with that prefix that are no keys: the configuration file itself, and how commands reach
/// a running engine.
pub(super) const OTHER_VARIABLES: [&str; 4] =
    ["LINESMAN_CONFIG", "LINESMAN_API", "LINESMAN_TOKEN_FILE", "LINESMAN_API_CA"];

/// The list of organizations in the file.
pub(super) const ORGANIZATIONS: &str = "organizations";

/// The list as a whole, which a variable or a flag holds as TOML.
pub(super) static ORGANIZATIONS_KEY: Key = key(
    ORGANIZATIONS,
    Kind::Organizations,
    None,
    "The organizations. In the file `[[organizations]]` and the keys of each; in a variable or a flag a list of tables, \
     which counts instead of the file's.",
);

/// The modes; only [`MODE_WORKING`] works.
const MODES: [&str; 5] = ["direct", "partner", "end-customer", "demo", "offline"];
pub(super) const MODE_WORKING: &str = "partner";

/// Words of `nats.sync`.
pub(super) const SYNC_ALWAYS: &str = "always";

const DAY_S: u64 = 86_400;
/// The longest of all durations: ten years.
const LONG_S: u64 = 3_650 * DAY_S;

const fn key(name: &'static str, kind: Kind, default: Option<&'static str>, doc: &'static str) -> Key {
    Key { name, kind, default, doc }
}

const fn text(most: usize) -> Kind {
    Kind::Text { most }
}

const fn count(least: u64, most: u64) -> Kind {
    Kind::Count { least, most }
}

const fn seconds(most: u64) -> Kind {
    Kind::Seconds { least: 1, most }
}

/// All keys but those of an organization, in the order in which they are printed.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    key("mode", Kind::Words(&MODES), Some(MODE_WORKING), "How the installation is connected. Only `partner` works yet."),
    key("data_dir", Kind::Path, None, "The data directory: the store, the embedded log, certificates, keys and the token. Required."),
    key("rules", Kind::Path, None, "The folder of reaction policies. Required by `linesman serve`."),
    key("listen", Kind::Address, Some("127.0.0.1:0"), "Where the HTTPS API listens. Port 0 takes a free one."),
    key("lanes", count(1, 48), Some("16"), "How many lanes share the input. Fixed once the log exists."),
    key("threads", count(0, 1024), Some("0"), "How many threads run the lanes; 0 takes one per core."),
    key("nats.url", Kind::NatsUrl, None, "A NATS server of your own. Not set, an embedded one is started."),
    key("nats.port", count(1, 65_535), None, "The port of the embedded server on 127.0.0.1. Not set, a free one is taken."),
    key("nats.binary", Kind::Path, None, "The program of the embedded server. Not set, `nats-server` is looked for on the `PATH`."),
    key("nats.sync", Kind::Words(&["every-second", SYNC_ALWAYS]), Some("every-second"), "When the embedded server has a stored message on disk: within a second, or (slow) before it is acknowledged."),
    key("nats.max_payload_bytes", count(1024 * 1024, 64 * 1024 * 1024), Some("8388608"), "The largest message of the embedded server, in bytes."),
    key("nats.out_age_s", seconds(LONG_S), Some("2592000"), "How long the output stream keeps what it says, in seconds."),
    key("nats.replicas", count(1, 5), Some("1"), "How many replicas the streams have. More than 1 needs a cluster of your own."),
    key("upstream.url", Kind::HttpsUrl, None, "The address of the support system. Required in `[upstream]`."),
    key("upstream.ca", Kind::Path, None, "The file of certificates (PEM) to believe. Not set, the system's are believed."),
    key("upstream.site_id", text(64), None, "The site cases are opened for. Required in `[upstream]`."),
    key("upstream.user", text(128), None, "The user requests are made as. Required in `[upstream]`."),
    key("upstream.password_file", Kind::Path, None, "The file with that user's password, readable by its owner only. Required in `[upstream]`."),
    key("upstream.application_id", Kind::Header { most: 128 }, Some("linesman"), "The program's id at the support system, sent with every request."),
    key("upstream.requests_per_hour", count(1, 1_000_000), Some("300"), "How many requests an hour the support system bears."),
    key("upstream.concurrency", count(1, 256), Some("4"), "How many requests are under way at a time."),
    key("upstream.timeout_s", seconds(3600), Some("30"), "How long one request may take, in seconds."),
    key("settings.host_event_retention_s", seconds(LONG_S), Some("7776000"), "How long a host-event-ID is remembered, in seconds from the incident's detection."),
    key("settings.case_poll_s", seconds(DAY_S), Some("120"), "How often the support system is asked for changed cases, in seconds."),
    key("settings.reaction_deadline_s", seconds(LONG_S), Some("604800"), "How long a reaction is tried, in seconds."),
    key("settings.retry_base_s", seconds(DAY_S), Some("2"), "The wait before the second attempt, in seconds; doubled for each further one."),
    key("settings.retry_most_s", seconds(DAY_S), Some("300"), "The longest wait between attempts, in seconds."),
    key("settings.circuit_failures", count(1, 1_000_000), Some("5"), "How many failures in a row open a destination's circuit."),
    key("settings.circuit_rest_s", seconds(DAY_S), Some("30"), "How long an open circuit rests before one attempt probes it, in seconds; doubled while probes fail."),
    key("settings.circuit_rest_most_s", seconds(DAY_S), Some("600"), "The longest rest of a circuit, in seconds."),
    key("log.format", Kind::Words(&["auto", "text", "json"]), Some("auto"), "How the program's log looks; `auto` is text on a terminal and JSON elsewhere."),
    key("log.level", Kind::LogLevel, Some("info"), "What the program's log tells: a level, or `target=level` after commas."),
];

/// The keys of one organization.
#[rustfmt::skip]
pub static ORGANIZATION_KEYS: &[Key] = &[
    key("organizations.name", Kind::OrgName, None, "The organization's token in subjects. Required."),
    key("organizations.display_name", text(256), None, "The name people see. Not set, `name`."),
    key("organizations.proxy", Kind::Flag, Some("false"), "Whether it stands for an end customer of the partner."),
    key("organizations.filter_level", Kind::FilterLevel, Some("Do not send"), "What may leave of its bundles for the support system."),
    key("organizations.device_groups", Kind::DeviceGroups, None, "Its device groups: a list of `{ name = \"core\", devices = [\"core-*\"] }`. A device belongs to the first that matches its host name."),
];

/// Every name that `--set` takes.
pub(super) fn settable() -> impl Iterator<Item = &'static str> + Clone {
    KEYS.iter().map(|key| key.name).chain(std::iter::once(ORGANIZATIONS))
}

/// The names of the sections, each once.
pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    let mut last = None;
    KEYS.iter().filter_map(|key| key.parts().0).filter(move |section| last.replace(*section) != Some(*section))
}

/// The level spelled so.
pub(super) fn filter_level(text: &str) -> Option<FilterLevel> {
    FilterLevel::ALL.into_iter().find(|(_, name)| *name == text).map(|(level, _)| level)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use linesman_connectors::jss;

    use super::*;

    fn default(name: &str) -> u64 {
        KEYS.iter().find(|key| key.name == name).unwrap().default.unwrap().parse().unwrap()
    }

    #[test]
    fn no_two_keys_share_a_variable() {
        let variables: BTreeSet<_> = KEYS.iter().filter_map(Key::variable).collect();
        assert_eq!(variables.len(), KEYS.len());
        assert!(OTHER_VARIABLES.iter().all(|other| !variables.contains(*other)));
        assert!(variables.contains("LINESMAN_NATS_MAX_PAYLOAD_BYTES"), "{variables:?}");
    }

    #[test]
    fn the_keys_of_a_section_stand_together() {
        assert_eq!(sections().collect::<Vec<_>>(), ["nats", "upstream", "settings", "log"]);
    }

    #[test]
    fn the_defaults_are_those_of_the_types() {
        let settings = serde_json::to_value(linesman_schemas::control::Settings::default()).unwrap();
        for (name, value) in settings.as_object().unwrap() {
            assert_eq!(default(&format!("settings.{name}")), value.as_u64().unwrap(), "{name}");
        }
        assert_eq!(default("upstream.requests_per_hour"), u64::from(jss::Settings::REQUESTS_PER_HOUR));
        assert_eq!(default("upstream.concurrency"), jss::Settings::CONCURRENCY as u64);
        assert_eq!(default("upstream.timeout_s"), jss::Settings::TIMEOUT.as_secs());
        let embedded = crate::embedded::Settings::new("");
        assert_eq!(default("nats.max_payload_bytes"), embedded.max_payload_bytes as u64);
    }
}

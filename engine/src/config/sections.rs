//! The sections of the configuration, one table each, from the folders that own them. File, environment, flags,
//! defaults, printing and documents all follow these tables.
//!
//! A key is read by its kind; what several keys mean together is judged in `check`.

use linesman_connectors::settings::{Entry, Key, Kind, Section, Shape};
use linesman_schemas as schemas;
use linesman_schemas::quota::QUOTA_MOST;

use super::{activations, approvals, organizations};
use crate::edge::certificate;
use crate::edge::logins::limits;
use crate::{audit, licence, log, logging, metrics, partner, reach, seal};

/// What the program's environment variables begin with.
pub const VARIABLE_PREFIX: &str = "LINESMAN_";

/// Variables with that prefix that are no keys: the configuration file itself, and how commands reach
/// a running engine.
pub(super) const OTHER_VARIABLES: [&str; 5] =
    ["LINESMAN_CONFIG", "LINESMAN_API", "LINESMAN_TOKEN_FILE", "LINESMAN_API_CA", "LINESMAN_SESSION_FILE"];

/// The modes, by word.
const MODES: [&str; 5] = ["direct", "partner", "end-customer", "demo", "offline"];

const DAY_S: u64 = 86_400;
/// The longest of all durations: ten years.
pub(crate) const LONG_S: u64 = 3_650 * DAY_S;

pub(crate) const fn count(least: u64, most: u64) -> Kind {
    Kind::Count { least, most }
}

pub(crate) const fn seconds(most: u64) -> Kind {
    Kind::Seconds { least: 1, most }
}

/// The keys above all sections.
#[rustfmt::skip]
pub(super) static TOP: Section = Section {
    name: "",
    shape: Shape::Always,
    doc: "What concerns the whole.",
    keys: &[
        Key::new("mode", Kind::Words(&MODES), "How the installation is connected (`docs/modes.md`). It is the log's too: `linesman mode set` changes that.").or("partner"),
        Key::new("data_dir", Kind::Path, "The data directory: the store, the embedded log, certificates, keys and the token. Required.").required().like("/var/lib/linesman"),
        Key::new("rules", Kind::Path, "The folder of reaction policies. Required by `linesman serve`.").required().like("/etc/linesman/rules"),
        Key::new("allow_empty", Kind::Flag, "Whether a rule directory without any policy and service takes away all that the log has of them. Without it they stay, and the engine says so: an empty directory is mostly a volume that is not mounted.").or("false"),
        Key::new("listen", Kind::Address, "Where the HTTPS API listens. Port 0 takes a free one.").or("127.0.0.1:0"),
        Key::new("lanes", count(1, 48), "How many lanes share the input. Fixed once the log exists.").or("16"),
        Key::new("threads", count(0, 1024), "How many threads run the lanes; 0 takes one per core.").or("0"),
        Key::new("policy_time_ms", count(1, 600_000), "How much of the processor's time one run of a policy may take, in milliseconds. Beyond that the policy is set aside for the input at hand (`docs/operations.md`). It is no limit of the script's, which are counted: it is for what those miss.").or("1000"),
        Key::new("remembered_mb", count(1, 1 << 20), "How much memory all lanes together use to tell which host-event-IDs they have not seen, in megabytes of 2^20 bytes. What is decided does not depend on it: what it does not tell is looked up in the state (`docs/operations.md`).").or("64"),
    ],
};

/// The numbers that decisions depend on.
#[rustfmt::skip]
pub(super) static DECISIONS: Section = Section {
    name: "settings",
    shape: Shape::Always,
    doc: "The numbers that decisions depend on. They travel in the log with the rule book, so all engines on one log have the same: what another engine has loaded stays, and `linesman policy load --settings` loads these, as they were when this engine was started: what the configuration says otherwise since is in effect after a restart, and the command names it.",
    keys: &[
        Key::new("host_event_retention_s", seconds(LONG_S), "How long a host-event-ID is remembered, in seconds from the incident's detection.").or("7776000"),
        Key::new("case_poll_s", seconds(DAY_S), "How often the support system is asked for changed cases, in seconds.").or("120"),
        Key::new("reaction_deadline_s", seconds(LONG_S), "How long a reaction is tried, in seconds.").or("604800"),
        Key::new("retry_base_s", seconds(DAY_S), "The wait before the second attempt, in seconds; doubled for each further one.").or("2"),
        Key::new("retry_most_s", seconds(DAY_S), "The longest wait between attempts, in seconds.").or("300"),
        Key::new("circuit_failures", count(1, 1_000_000), "How many failures in a row open a circuit: of an organization's reactions to a destination, or, of several organizations, the destination's.").or("5"),
        Key::new("circuit_rest_s", seconds(DAY_S), "How long an open circuit rests before one attempt probes it, in seconds; doubled while probes fail.").or("30"),
        Key::new("circuit_rest_most_s", seconds(DAY_S), "The longest rest of a circuit, in seconds.").or("600"),
        Key::new("audit_retention_s", Kind::Seconds { least: 0, most: LONG_S }, "How long the audit keeps what a record says, in seconds; its hash stays. 0 is for ever.").or("0"),
        Key::new("upload_retention_s", Kind::Seconds { least: 0, most: LONG_S }, "How long what end customers have uploaded with a case is kept once that is closed, in seconds.").or("604800"),
        Key::new("quota_messages", count(0, QUOTA_MOST), "How many messages of an organization's publishers are decided a day, by UTC, where the organization says nothing else (`docs/operations.md`). 0: all.").or("0"),
        Key::new("quota_bytes", count(0, QUOTA_MOST), "How many bytes of them. 0: all.").or("0"),
        Key::new("quota_devices", count(0, QUOTA_MOST), "How many devices an organization has before no further one is reached. 0: any number.").or("0"),
        Key::new("quota_remembered_ids", count(0, QUOTA_MOST), "How many host-event-IDs of an organization's problems are remembered before no further one is decided; from engine level 16 on. 0: any number.").or("0"),
        Key::new("clock_jump_s", seconds(DAY_S), "By how much the time of a message in the log may be ahead of its lane's clock and be believed at once, in seconds. Beyond that the engine's clock has to confirm it (`docs/operations.md`).").or("300"),
    ],
};

/// What a table of [`DECISIONS`] says, and those of [`approvals::SECTION`] and [`activations::SECTION`], which travel with it.
pub(super) fn decisions(entry: &Entry, approving: &Entry, activating: &Entry) -> Option<schemas::control::Settings> {
    Some(schemas::control::Settings {
        host_event_retention_s: entry.number("host_event_retention_s")?,
        case_poll_s: entry.number("case_poll_s")?,
        reaction_deadline_s: entry.number("reaction_deadline_s")?,
        retry_base_s: entry.number("retry_base_s")?,
        retry_most_s: entry.number("retry_most_s")?,
        circuit_failures: entry.number("circuit_failures")?,
        circuit_rest_s: entry.number("circuit_rest_s")?,
        circuit_rest_most_s: entry.number("circuit_rest_most_s")?,
        audit_retention_s: entry.number("audit_retention_s")?,
        upload_retention_s: entry.number("upload_retention_s")?,
        quota_messages: entry.number("quota_messages")?,
        quota_bytes: entry.number("quota_bytes")?,
        quota_devices: entry.number("quota_devices")?,
        quota_remembered_ids: entry.number("quota_remembered_ids")?,
        clock_jump_s: entry.number("clock_jump_s")?,
        approvals: approvals::read(approving)?,
        activations: activations::read(activating)?,
    })
}

/// All sections, in the order in which they are printed: the top first, as a file must have it, and lists last.
#[derive(Debug, Clone)]
pub struct Sections(Vec<&'static Section>);

impl Sections {
    /// Those of this program.
    pub fn of_program() -> Self {
        let mut sections: Vec<&'static Section> = vec![&TOP, &certificate::SECTION, &log::section::SECTION];
        sections.extend(linesman_connectors::sections());
        sections.extend([
            &DECISIONS,
            &approvals::SECTION,
            &activations::SECTION,
            &licence::section::SECTION,
            &audit::section::SECTION,
            &seal::section::SECTION,
            &reach::section::SECTION,
            &limits::SECTION,
            &logging::SECTION,
            &metrics::SECTION,
            &partner::section::SECTION,
            &organizations::SECTION,
        ]);
        Self::of(sections)
    }

    pub(super) fn of(mut sections: Vec<&'static Section>) -> Self {
        sections.sort_by_key(|section| (!section.name.is_empty(), section.is_list()));
        Self(sections)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'static Section> + Clone + use<> {
        self.0.clone().into_iter()
    }

    /// Those that are no lists.
    pub(super) fn tables(&self) -> impl Iterator<Item = &'static Section> + Clone + use<> {
        self.all().filter(|section| !section.is_list())
    }

    /// The lists.
    pub(super) fn lists(&self) -> impl Iterator<Item = &'static Section> + Clone + use<> {
        self.all().filter(|section| section.is_list())
    }

    /// The section that the file calls so.
    pub(super) fn named(&self, name: &str) -> Option<&'static Section> {
        self.0.iter().copied().find(|section| !section.name.is_empty() && section.name == name)
    }

    /// Every setting that is none of a list.
    pub(super) fn settings(&self) -> impl Iterator<Item = Setting> + Clone + use<> {
        self.tables().flat_map(Setting::all)
    }

    /// The setting of that dotted name.
    pub(super) fn setting(&self, name: &str) -> Option<Setting> {
        self.settings().find(|setting| setting.name() == name)
    }

    /// Every name that `--set` takes.
    pub(super) fn settable(&self) -> Vec<String> {
        let lists = self.lists().map(|list| list.name.to_owned());
        self.settings().map(|setting| setting.name()).chain(lists).collect()
    }
}

/// A key and the section it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) section: &'static Section,
    pub(super) key: &'static Key,
}

impl Setting {
    /// Every key of a section.
    pub(super) fn all(section: &'static Section) -> impl Iterator<Item = Self> + Clone {
        section.keys.iter().map(move |key| Self { section, key })
    }

    /// Its dotted name, `section.key`; the file has it as `key` under `[section]`.
    pub(super) fn name(self) -> String {
        match self.section.name {
            "" => self.key.name.to_owned(),
            section => format!("{section}.{}", self.key.name),
        }
    }

    /// The dotted name of another key of its section.
    pub(super) fn sibling(self, key: &str) -> String {
        format!("{}.{key}", self.section.name)
    }

    /// The environment variable that sets it; none for a key of a list, which is set as a whole.
    pub(super) fn variable(self) -> Option<String> {
        (!self.section.is_list()).then(|| variable(&self.name()))
    }

    /// What a number of it counts; none for what is no number of something.
    pub(super) fn unit(self) -> Option<&'static str> {
        match self.key.kind {
            Kind::Seconds { .. } => Some("seconds"),
            Kind::Count { .. } if self.key.name.ends_with("_bytes") => Some("bytes"),
            _ => None,
        }
    }
}

/// The environment variable of a setting or of a list.
pub(super) fn variable(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", name.to_ascii_uppercase().replace(['.', '-'], "_"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn default(name: &str) -> u64 {
        Sections::of_program().setting(name).unwrap().key.default.unwrap().parse().unwrap()
    }

    #[test]
    fn no_two_settings_share_a_variable() {
        let sections = Sections::of_program();
        let settings: Vec<_> = sections.settable().iter().map(|name| variable(name)).collect();
        let variables: BTreeSet<_> = settings.iter().cloned().collect();
        assert_eq!(variables.len(), settings.len());
        assert!(OTHER_VARIABLES.iter().all(|other| !variables.contains(*other)));
        assert!(variables.contains("LINESMAN_NATS_MAX_PAYLOAD_BYTES"), "{variables:?}");
    }

    #[test]
    fn what_is_missing_in_a_table_can_be_told() {
        for section in Sections::of_program().all() {
            for key in section.keys {
                let has_value = key.default.is_some() || key.same_as.is_some() || key.example.is_some();
                assert!(has_value, "`{}.{}` has neither a default nor an example", section.name, key.name);
                if let Some(other) = key.same_as {
                    let kinds = section.key(other).map(|other| std::mem::discriminant(&other.kind));
                    assert!(kinds.is_some() && section.is_list(), "{}", key.name);
                }
                if let Some((other, word)) = key.only_where {
                    let is_word = |kind| matches!(kind, Kind::Words(words) if words.contains(&word));
                    let is_asked =
                        section.key(other).is_some_and(|other| is_word(other.kind) && other.default.is_some());
                    assert!(is_asked && !section.is_list() && !section.name.is_empty(), "{}", key.name);
                }
                if let Kind::Tables(tables) = key.kind {
                    let is_file = |key: &Key| matches!(key.kind, Kind::PasswordFile | Kind::Certificates);
                    assert!(!tables.keys.iter().any(is_file), "files of a table in a table are not looked at");
                }
            }
            if section.is_list() {
                assert!(section.keys.first().is_some_and(|key| key.is_required), "{}", section.name);
            }
        }
    }

    #[test]
    fn every_mode_has_its_word_and_one_is_the_default() {
        assert_eq!(MODES, schemas::Mode::ALL.map(schemas::Mode::as_str));
        assert_eq!(TOP.key("mode").unwrap().default, Some(schemas::Mode::default().as_str()));
    }

    #[test]
    fn the_defaults_are_those_of_the_types() {
        let settings = serde_json::to_value(schemas::control::Settings::default()).unwrap();
        for (name, value) in settings.as_object().unwrap() {
            assert_eq!(default(&format!("settings.{name}")), value.as_u64().unwrap(), "{name}");
        }
        let embedded = crate::embedded::Settings::new("");
        assert_eq!(default("nats.max_payload_bytes"), embedded.max_payload_bytes as u64);
    }
}

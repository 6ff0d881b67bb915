//! What is otherwise in a rule book that lane 0 takes up than in the one before: on record in the provider's log, section
//! by section, with what stood there before.
//!
//! A load is decided by hashes alone: the content comes with the version that is handed out. So the load's record says
//! who asked and which hashes, and this one, of the decision from which on the content counts, what that changed, with
//! whoever asked for the load and its command. It is made of what the lane judged by and judges by from here on; nobody
//! hands it in. The directory is not told of: each change of it is a command with its own record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linesman_rules::Book;
use linesman_schemas::audit::{Audit, Record, Verdict};
use linesman_schemas::control::{Section, Settings};
use linesman_schemas::mode::Upstream;
use linesman_schemas::{CommandId, Mode, Principal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::Error;
use super::audit::{self, Log, Owner};
use super::desk::Desk;
use super::outgoing::Topic;
use super::policies::Policies;
use super::rule_book::BookRow;
use super::services::{Catalog, Services};
use super::table::{Key, Row, Table};
use super::{activations::pushes, clock, quotas, remembered, uploads};

/// The engine level from which on there are such records.
const LEVEL: u32 = 7;
/// How many differences of a section are told; the others are counted.
const TOLD_MOST: usize = 50;
/// The name of the parameters of all services, among services: that of their file, which is no service's.
const PARAMETERS: &str = "parameters.toml";

/// The sections that are told of, and by which operation.
const TOLD: [(Section, &str); 4] = [
    (Section::Installation, "take-up-installation"),
    (Section::Policies, "take-up-policies"),
    (Section::Services, "take-up-services"),
    (Section::Settings, "take-up-settings"),
];

/// Whether a record of that operation is such a one, and no attempt of anybody's.
pub fn is_told(operation: &str) -> bool {
    TOLD.iter().any(|(_, told)| *told == operation)
}

/// The load of a section that was asked for last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadRow {
    /// Which content.
    pub hash: String,
    /// Its record in the provider's log.
    pub index: u64,
}

impl Row for LoadRow {}

/// The table of loads, by the section's word; on lane 0 alone.
pub const LOADS: Table<LoadRow> = Table::new(b'1');

fn key(section: Section) -> Key<LoadRow> {
    LOADS.key(&[section.as_str()], &[])
}

/// Keeps which record tells of a section's load, until it is taken up.
pub(crate) fn keep(desk: &mut Desk, section: Section, hash: &str, index: u64) -> Result<(), Error> {
    if !desk.is_at(LEVEL) {
        return Ok(());
    }
    desk.write(key(section), &LoadRow { hash: hash.to_owned(), index })
}

/// What a lane judges by.
pub(crate) struct Judged {
    settings: Settings,
    policies: Arc<Book>,
    services: Arc<Catalog>,
    mode: Mode,
    upstream: Upstream,
    /// Whether it is settled how long uploads are kept.
    releases_uploads: bool,
    /// Whether it is settled in which order devices are told.
    orders_devices: bool,
    /// Whether there are quotas.
    has_quotas: bool,
    /// Whether there is one of remembered ids.
    counts_ids: bool,
    doubts_time: bool,
}

impl Judged {
    /// As it is now.
    pub(crate) fn by(desk: &Desk, policies: &Policies, services: &Services) -> Self {
        Self {
            settings: desk.settings.clone(),
            policies: policies.book(),
            services: services.catalog(),
            mode: desk.mode,
            releases_uploads: desk.is_at(uploads::ON_THEIR_OWN),
            orders_devices: desk.is_at(pushes::LEVEL),
            has_quotas: desk.is_at(quotas::LEVEL),
            counts_ids: desk.is_at(remembered::LEVEL),
            doubts_time: desk.is_at(clock::LEVEL),
            upstream: if desk.installed.has_partner { Upstream::Partner } else { Upstream::SupportSystem },
        }
    }

    /// What a section says, by name.
    fn section(&self, section: Section) -> Result<BTreeMap<String, Value>, Error> {
        Ok(match section {
            Section::Settings => {
                let mut settings: BTreeMap<String, Value> =
                    serde_json::from_value(serde_json::to_value(&self.settings)?)?;
                // What is said by saying nothing.
                settings.insert("audit_retention_s".to_owned(), json!(self.settings.audit_retention_s));
                match self.releases_uploads {
                    true => settings.insert("upload_retention_s".to_owned(), json!(self.settings.upload_retention_s)),
                    false => settings.remove("upload_retention_s"),
                };
                match self.orders_devices {
                    true => settings.insert("activations".to_owned(), json!(self.settings.activations)),
                    false => settings.remove("activations"),
                };
                let Settings { quota_messages, quota_bytes, quota_devices, .. } = self.settings;
                for (quota, most) in
                    [("quota_messages", quota_messages), ("quota_bytes", quota_bytes), ("quota_devices", quota_devices)]
                {
                    match self.has_quotas {
                        true => settings.insert(quota.to_owned(), json!(most)),
                        false => settings.remove(quota),
                    };
                }
                match self.counts_ids {
                    true => {
                        settings.insert("quota_remembered_ids".to_owned(), json!(self.settings.quota_remembered_ids))
                    }
                    false => settings.remove("quota_remembered_ids"),
                };
                match self.doubts_time {
                    true => settings.insert("clock_jump_s".to_owned(), json!(self.settings.clock_jump_s)),
                    false => settings.remove("clock_jump_s"),
                };
                if !self.orders_devices
                    && let Some(approvals) = settings.get_mut("approvals").and_then(Value::as_object_mut)
                {
                    approvals.remove("configure_device");
                }
                settings
            }
            Section::Policies => {
                let told = |policy: &str, hash: &str, bytes: usize| (policy.to_owned(), text(hash, bytes));
                let policies = self.policies.policies().iter();
                policies.map(|policy| told(policy.name().as_str(), policy.hash(), policy.source().len())).collect()
            }
            Section::Services => {
                let bytes = |files: &BTreeMap<String, String>| files.values().map(String::len).sum::<usize>();
                let services = self.services.services();
                let mut told: BTreeMap<_, _> = services
                    .map(|(name, offer)| {
                        (name.to_string(), json!({"version": offer.version, "bytes": bytes(&offer.files)}))
                    })
                    .collect();
                if let Some(parameters) = self.services.parameters() {
                    let hash = Sha256::digest(parameters).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                    told.insert(PARAMETERS.to_owned(), text(&hash, parameters.len()));
                }
                told
            }
            Section::Installation => {
                let (mode, upstream) = (serde_json::to_value(self.mode)?, serde_json::to_value(self.upstream)?);
                [("mode".to_owned(), mode), ("upstream".to_owned(), upstream)].into()
            }
            Section::Directory => BTreeMap::new(),
        })
    }
}

/// What is told of a text.
fn text(sha256: &str, bytes: usize) -> Value {
    json!({"sha256": sha256, "bytes": bytes})
}

/// Puts on record what is otherwise by the rule book of `row` than by the one of `was`; `before` is none where there was
/// none. On lane 0, whose the rule book is.
pub(crate) fn tell(
    desk: &mut Desk,
    (was, before): (&BookRow, Option<&Judged>),
    (row, now): (&BookRow, &Judged),
    sequence: u64,
) -> Result<(), Error> {
    if desk.lane != 0 || !desk.is_at(LEVEL) {
        return Ok(());
    }
    let (was, is) = (was.reference(), row.reference());
    for (section, operation) in TOLD {
        let hash = is.content(section);
        if hash == was.content(section).filter(|_| before.is_some()) {
            continue;
        }
        let said = before.map(|before| before.section(section)).transpose()?;
        let (old, new, more) = differences(said.unwrap_or_default(), now.section(section)?);
        let word = section.as_str();
        let state = |version: u64, hash: Option<&str>, said: Map<String, Value>| -> Value {
            json!({"section": word, "version": version, "hash": hash, "more": more, word: said})
        };
        let old = before.map_or(Value::Null, |_| state(was.version, was.content(section), old));
        let new = state(is.version, hash, new);
        record(desk, (section, operation), (old, new), (hash.unwrap_or_default(), is.version), sequence)?;
    }
    Ok(())
}

/// What differs, as it was and as it is, by name: what is on one side alone does not stand on the other. And how many
/// there are beside those.
fn differences(
    mut before: BTreeMap<String, Value>,
    mut now: BTreeMap<String, Value>,
) -> (Map<String, Value>, Map<String, Value>, usize) {
    before.retain(|name, value| {
        let is_same = now.get(name) == Some(&*value);
        if is_same {
            now.remove(name);
        }
        !is_same
    });
    let names: BTreeSet<String> = before.keys().chain(now.keys()).cloned().collect();
    let told = |mut said: BTreeMap<String, Value>| -> Map<String, Value> {
        names.iter().take(TOLD_MOST).filter_map(|name| said.remove_entry(name)).collect()
    };
    (told(before), told(now), names.len().saturating_sub(TOLD_MOST))
}

/// Appends the record, as of whoever asked for the load that is taken up, and says it.
fn record(
    desk: &mut Desk,
    (section, operation): (Section, &'static str),
    (old, new): (Value, Value),
    (hash, version): (&str, u64),
    sequence: u64,
) -> Result<(), Error> {
    let owner = Owner::Provider(0);
    let load = desk.read(&key(section))?.filter(|load| load.hash == hash);
    let load = match load {
        Some(load) => Log::open(desk.state(), &owner)?.record(load.index)?.map(|(record, _)| record),
        None => None,
    };
    let (actor, chain, principal, node, command) = match load {
        Some(Record { actor, chain, principal, node, command, .. }) => (actor, chain, principal, node, command),
        None => {
            let command: CommandId = serde_json::from_value(json!(format!("rule-book-{version}")))?;
            (Principal::Machine.to_string(), Vec::new(), Some(Principal::Machine), String::new(), command)
        }
    };
    let detail = format!("the section `{section}` counts from here on");
    let said = Audit {
        command,
        actor,
        principal,
        node,
        verdict: Verdict::Done,
        outcome: detail.clone(),
        old,
        new,
        index: None,
        place: Some("/".to_owned()),
        chain,
    };
    let time = desk.now;
    let record = |index| Record {
        index,
        time,
        actor: said.actor.clone(),
        chain: said.chain.clone(),
        principal: said.principal.clone(),
        node: said.node.clone(),
        operation: operation.to_owned(),
        place: "/".to_owned(),
        about: Some(section.to_string()),
        old: said.old.clone(),
        new: said.new.clone(),
        outcome: said.verdict,
        command: said.command.clone(),
        rule_book: version,
    };
    let index = audit::append(desk, &owner, record, detail)?;
    let said = Audit { index: Some(index), ..said };
    let covered = Some(Audit { outcome: String::new(), ..said.clone() });
    desk.say_of_provider(&Topic::ProviderAudit(operation), sequence, Some(section.as_str()), said, covered).map(|_| ())
}

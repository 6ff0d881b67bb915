//! The section `[[organizations]]`: what is said of each, and its hash.

use linesman_connectors::Secret;
use linesman_connectors::settings::{Entries, Entry, Key, Kind, Section, Shape, Tables, Texts};
use linesman_connectors::tls::{CertificateName, Fingerprint};
use linesman_schemas::command::{DeviceGroup, Handling, LIST_MOST, OWNER_MOST, OrganizationSettings, SubmitCaseAs};
use linesman_schemas::quota::QUOTA_MOST;
use linesman_schemas::{ApprovalRules, OrgName, Quotas};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{approvals, count, value};

/// Bounds are those of the command that brings an organization into the log.
const NAME: Kind = Kind::Text { most: OWNER_MOST };
static DEVICES: Texts = Texts {
    one: "a host name",
    many: "host names",
    longest: OWNER_MOST,
    most: LIST_MOST,
    help: Some("`*` stands for any text"),
};
static GROUPS: Tables = Tables {
    one: "a device group",
    keys: &[
        Key::new("name", NAME, "Its name.").required(),
        Key::new("devices", Kind::Texts(&DEVICES), "Host names, `*` standing for any text.").required(),
    ],
    most: LIST_MOST,
};

const PSEUDONYMS: &str = "pseudonyms";
const OVERWRITING: [&str; 2] = ["fixed", PSEUDONYMS];
const HANDLING: [&str; 2] = ["forward", "own"];
const SUBMIT_CASE_AS: [&str; 2] = ["Real Cases", "Test Cases"];

/// What is told of organizations.
#[rustfmt::skip]
pub(super) static SECTION: Section = Section {
    name: "organizations",
    shape: Shape::List("an organization"),
    doc: "The organizations.",
    keys: &[
        Key::new("name", Kind::OrgName, "The organization's token in subjects. Required.").required().like("acme"),
        Key::new("display_name", NAME, "The name people see. Not set, `name`.").or_as("name").like("Acme Corp"),
        Key::new("proxy", Kind::Flag, "Whether it stands for an end customer of the partner.").or("false").like("true"),
        Key::new("filter_level", Kind::FilterLevel, "What may leave of its bundles for the support system.").or("Do not send").like("Send all information"),
        Key::new("overwriting", Kind::Words(&OVERWRITING), "What stands for addresses in what is uploaded for it, at `Send all information with IP addresses overwritten`: `fixed` text, or `pseudonyms` under a key of its own that is kept here (`docs/redaction.md`). It stands here alone, and is no part of the log.").or("fixed").like("pseudonyms"),
        Key::new("alias", Kind::Text { most: 64 }, "By what the support system and partners above know it. Not set, by its name.").like("ACME"),
        Key::new("user", Kind::Text { most: 128 }, "The user as which its controller comes to the partner listener.").like("acme"),
        Key::new("password_file", Kind::PasswordFile, "The file with that user's password, readable by its owner only.").like("acme.password"),
        Key::new("client_certificate", Kind::Fingerprint, "The SHA-256 of the certificate by which its controller may come instead, until that ends.").like("sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"),
        Key::new("certificate_subject", Kind::CertificateName, "Or the name to which an authority of `partner.client_ca` has issued that certificate: its whole subject (RFC 4514), or `DNS:` and a DNS name of its subject alternative names.").like("CN=acme,O=Acme Corp"),
        Key::new("handling", Kind::Words(&HANDLING), "Who solves the cases it reports, where neither a policy nor anybody says otherwise: `forward` sends them on to the upstream, `own` keeps them here.").or("forward").like("own"),
        Key::new("submit_case_as", Kind::Words(&SUBMIT_CASE_AS), "Whether its cases are real. Test cases are marked in their synopsis, and no bundle goes with them.").or("Real Cases").like("Test Cases"),
        Key::new("address", Kind::Text { most: 1000 }, "Where spare parts go for it. Not set, where the upstream knows.").like("Acme Corp, 1 Main Street, Springfield"),
        Key::new("upload", Kind::Flag, "Whether the bundles of its cases, and what else belongs to them, go to the upstream too.").or("true").like("false"),
        Key::new("snapshot_interval_s", count(0, 31_622_400), "How often the newest information bundle of each of its devices goes to the upstream, in seconds, 3600 at least; 0 for never.").or("0").like("604800"),
        Key::new("approve_send_intelligence", Kind::Words(&approvals::RULES), "Whether an intelligence message goes to it only once somebody approves it. Of this and `[approvals]` the stricter counts.").or("none").like("two-person"),
        Key::new("approve_forward_case", Kind::Words(&approvals::RULES), "The same of a case that it reports and that goes on to the upstream.").or("none").like("two-person"),
        Key::new("approve_activate_service", Kind::Words(&approvals::RULES), "The same of a service that becomes configuration of its devices.").or("none").like("one-person"),
        Key::new("quota_messages", count(0, QUOTA_MOST), "How many messages of its publishers are decided a day, by UTC. Not set, as in `[settings]`; 0: all.").like("1000000"),
        Key::new("quota_bytes", count(0, QUOTA_MOST), "How many bytes of them. Not set, as in `[settings]`; 0: all.").like("2000000000"),
        Key::new("quota_devices", count(0, QUOTA_MOST), "How many devices it has before no further one is reached. Not set, as in `[settings]`; 0: any number.").like("500"),
        Key::new("quota_remembered_ids", count(0, QUOTA_MOST), "How many host-event-IDs of its problems are remembered before no further one is decided. Not set, as in `[settings]`; 0: any number.").like("2000000"),
        Key::new("device_groups", Kind::Tables(&GROUPS), "Its device groups: a list of `{ name = \"core\", devices = [\"core-*\"] }`. A device belongs to the first that matches its name: that by which it is reached where people gave it its serial number, else its host name.")
            .like("[\n    { name = \"core\", devices = [\"core-*\"] },\n    { name = \"edge\", devices = [\"edge-*\", \"access-*\"] },\n]"),
    ],
};

/// The keys that say what needs approval, in the order of `ApprovalKind::OF_ORGANIZATIONS`.
pub(super) const APPROVALS: [&str; 3] =
    ["approve_send_intelligence", "approve_forward_case", "approve_activate_service"];

/// An organization of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its token in subjects.
    pub name: OrgName,
    /// Its settings; `loaded` is the SHA-256, in hexadecimal, of their JSON without `loaded`.
    pub settings: OrganizationSettings,
    /// Whether addresses in what is uploaded for it become pseudonyms, where they are overwritten.
    pub has_pseudonyms: bool,
    /// How its controller comes to the partner listener; none: it does not.
    pub login: Option<Login>,
}

/// How an end customer's controller comes to the partner listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user and that user's password; none where it comes by its certificate alone.
    pub password: Option<(String, Secret)>,
    /// Its certificate; none where it comes otherwise.
    pub certificate: Option<Fingerprint>,
    /// To which name its certificate is issued; none where it comes otherwise.
    pub subject: Option<CertificateName>,
}

/// The organizations, in the order of their list; none where one of them cannot be read.
pub(super) fn all(entries: &Entries) -> Option<Vec<Organization>> {
    entries.all(SECTION.name).iter().map(read).collect()
}

/// What a table of [`SECTION`] says; none where a key that is needed has no value.
fn read(entry: &Entry) -> Option<Organization> {
    let group =
        |group: &Entry| Some(DeviceGroup { name: group.text("name")?, devices: group.texts("devices").to_vec() });
    let mut settings = OrganizationSettings {
        display_name: entry.text("display_name")?,
        is_proxy: entry.flag("proxy")?,
        filter_level: value::filter_level(&entry.text("filter_level")?)?,
        alias: entry.text("alias").unwrap_or_default(),
        handling: word(&entry.text("handling")?, &Handling::ALL)?,
        submit_case_as: word(&entry.text("submit_case_as")?, &SubmitCaseAs::ALL)?,
        address: entry.text("address").unwrap_or_default(),
        upload: entry.flag("upload")?,
        snapshot_interval_s: entry.number("snapshot_interval_s")?,
        approvals: ApprovalRules {
            send_intelligence: approvals::rule(entry, "approve_send_intelligence")?,
            forward_case: approvals::rule(entry, "approve_forward_case")?,
            activate_service: approvals::rule(entry, "approve_activate_service")?,
        },
        quotas: Quotas {
            messages: entry.number("quota_messages"),
            bytes: entry.number("quota_bytes"),
            devices: entry.number("quota_devices"),
            remembered_ids: entry.number("quota_remembered_ids"),
        },
        device_groups: entry.tables("device_groups").iter().map(group).collect::<Option<_>>()?,
        loaded: None,
    };
    settings.loaded = Some(hash(&settings)?);
    let has_pseudonyms = entry.text("overwriting")? == PSEUDONYMS;
    let password = entry.text("user").zip(entry.secret("password_file"));
    let certificate = entry.text("client_certificate").and_then(|text| text.parse().ok());
    let subject = entry.text("certificate_subject").and_then(|text| text.parse().ok());
    let has_login = password.is_some() || certificate.is_some() || subject.is_some();
    let login = has_login.then_some(Login { password, certificate, subject });
    Some(Organization { name: entry.text("name")?.parse().ok()?, settings, has_pseudonyms, login })
}

/// What a word stands for.
fn word<T: Copy>(text: &str, all: &[(T, &'static str)]) -> Option<T> {
    all.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
}

/// SHA-256, in hexadecimal, of the settings as JSON without `loaded`.
fn hash(settings: &OrganizationSettings) -> Option<String> {
    let mut json = serde_json::to_value(settings).ok()?;
    json.as_object_mut()?.remove("loaded");
    Some(hex::encode(Sha256::digest(canonical(&json).to_string())))
}

/// The same with the keys of every object sorted, however the JSON library keeps them.
fn canonical(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            Json::Object(entries.into_iter().map(|(name, value)| (name.clone(), canonical(value))).collect())
        }
        Json::Array(list) => Json::Array(list.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

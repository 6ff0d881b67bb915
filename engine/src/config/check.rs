//! What the keys mean together, and the files they point to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use linesman_connectors::settings::{Entries, Entry, Key, Kind, Section, Shape, Value};
use linesman_connectors::tls::{CertificateName, Fingerprint};
use linesman_connectors::{Secret, tls};

use super::file::{self, Content};
use super::layers::Layers;
use super::mistake::Mistakes;
use super::origin::Origin;
use super::sections::Setting;
use super::value::quoted;
use super::{mode, organizations};
use crate::partner::section as partner_section;

/// The largest password and its file, in characters and bytes; what the support system's client takes.
const MOST_PASSWORD: usize = 256;
const MOST_PASSWORD_BYTES: u64 = 4096;
const MOST_CA_BYTES: u64 = 1024 * 1024;

/// What the checks bring to light beside mistakes.
#[derive(Default)]
pub(super) struct Checked {
    /// What readers of sections are given.
    pub(super) entries: Entries,
    pub(super) warnings: Vec<String>,
    there: BTreeSet<&'static str>,
}

impl Checked {
    /// Whether a section counts.
    pub(super) fn is_there(&self, section: &Section) -> bool {
        self.there.contains(section.name)
    }
}

/// Checks all but whether keys are there that not every caller needs: see [`required`].
pub(super) fn all(layers: &Layers, content: &Content, mistakes: &mut Mistakes) -> Checked {
    let mut checked = Checked::default();
    mode::check(layers, content, mistakes, &mut checked.warnings);
    order(layers, "settings.retry_base_s", "settings.retry_most_s", mistakes);
    order(layers, "settings.circuit_rest_s", "settings.circuit_rest_most_s", mistakes);
    nats(layers, mistakes, &mut checked.warnings);
    trust(layers, &mut checked.warnings);
    polls(layers, &mut checked.warnings);
    names(layers, &mut checked.warnings);
    proxy(layers, &mut checked.warnings);
    partner(layers, content, mistakes);
    logins(layers, mistakes, &mut checked.warnings);
    for section in layers.sections.all() {
        match section.shape {
            Shape::Always => table(layers, section, mistakes, &mut checked),
            Shape::Optional(_) => {
                if layers.is_section_named(section) || content.sections.contains_key(section.name) {
                    if content.is_whole {
                        is_complete(layers, content, section, mistakes);
                    }
                    table(layers, section, mistakes, &mut checked);
                }
            }
            Shape::List(_) => list(layers, section, mistakes, &mut checked),
        }
    }
    checked
}

/// Takes the values of a section that counts.
fn table(layers: &Layers, section: &'static Section, mistakes: &mut Mistakes, checked: &mut Checked) {
    let mut entry = Vec::new();
    for setting in Setting::all(section) {
        let Some((value, origin)) = layers.get(&setting.name()) else { continue };
        if !layers.is_of_use(setting) {
            useless(layers, setting, &mut checked.warnings);
            continue;
        }
        if let Some(value) = opened(setting.key, value, origin, mistakes, &mut checked.warnings) {
            entry.push((setting.key.name, value));
        }
    }
    checked.there.insert(section.name);
    checked.entries.add(section.name, Entry::from_iter(entry));
}

/// Takes the tables of a list.
fn list(layers: &Layers, section: &'static Section, mistakes: &mut Mistakes, checked: &mut Checked) {
    for listed in layers.listed(section.name) {
        let mut entry = Vec::new();
        for key in section.keys {
            let Some(value) = listed.entry.get(key.name) else { continue };
            let origin = listed.files.get(key.name).unwrap_or(&listed.origin);
            if let Some(value) = opened(key, value, origin, mistakes, &mut checked.warnings) {
                entry.push((key.name, value));
            }
        }
        checked.entries.add(section.name, Entry::from_iter(entry));
    }
}

/// A value as readers of sections are given it: of a file of secrets what it holds; none, with its mistake noted, where
/// a file cannot be used.
fn opened(
    key: &Key,
    value: &Value,
    origin: &Origin,
    mistakes: &mut Mistakes,
    warnings: &mut Vec<String>,
) -> Option<Value> {
    let opened = match (key.kind, value) {
        (Kind::PasswordFile, Value::Path(path)) => password(path, warnings).map(Value::Secret),
        (Kind::Certificates, Value::Path(path)) => certificates(path).map(|()| value.clone()),
        _ => Ok(value.clone()),
    };
    opened.map_err(|message| mistakes.add(origin.clone(), message, None)).ok()
}

/// Notes what a section that always counts lacks.
pub(super) fn required(layers: &Layers, mistakes: &mut Mistakes) {
    let is_asked = |setting: &Setting| matches!(setting.section.shape, Shape::Always) && setting.key.is_required;
    for setting in layers.sections.settings().filter(is_asked) {
        let name = setting.name();
        if layers.is_named(&name) {
            continue;
        }
        let variable = setting.variable().unwrap_or_default();
        let help = match setting.section.name {
            "" => {
                let flag = name.replace('_', "-");
                format!("say `--{flag}`, `{variable}` or, in the configuration file, `{name} = \"...\"`")
            }
            section => {
                format!("say `{variable}` or, in the configuration file, `{}` under `[{section}]`", setting.key.name)
            }
        };
        mistakes.add(Origin::Default, format!("`{name}` is missing"), Some(help));
    }
}

/// The most may not be less than what it bounds.
fn order(layers: &Layers, base: &str, most: &str, mistakes: &mut Mistakes) {
    if let (Some(least), Some(greatest)) = (layers.number(base), layers.number(most))
        && greatest < least
    {
        let blamed = if layers.is_named(most) { most } else { base };
        let message = format!("`{most}` is {greatest}, less than `{base}`, which is {least}");
        mistakes.add(layers.origin(blamed), message, None);
    }
}

/// Several replicas need several servers; what concerns the embedded server means nothing to another.
fn nats(layers: &Layers, mistakes: &mut Mistakes, warnings: &mut Vec<String>) {
    if layers.is_named("nats.url") {
        for name in ["nats.port", "nats.binary", "nats.sync", "nats.max_payload_bytes", "nats.memory_bytes"] {
            if layers.is_named(name) {
                let origin = layers.origin(name);
                warnings.push(format!("{origin}: `{name}` has no effect: `nats.url` names a server of your own"));
            }
        }
        let entered = ["nats.credentials", "nats.nkey"].map(|name| layers.is_named(name));
        if entered == [true, true] {
            let origin = layers.origin("nats.nkey");
            warnings.push(format!("{origin}: `nats.nkey` has no effect: `nats.credentials` counts"));
        }
        return;
    }
    for name in ["nats.credentials", "nats.nkey", "nats.ca", "nats.certificate", "nats.key"] {
        if layers.is_named(name) {
            let origin = layers.origin(name);
            warnings
                .push(format!("{origin}: `{name}` has no effect: without `nats.url` the server is the engine's own"));
        }
    }
    if layers.number("nats.replicas").is_some_and(|replicas| replicas > 1) {
        let help = Some("name a cluster of your own with `nats.url`".to_owned());
        let message = "`nats.replicas` must be 1 with the embedded server";
        mistakes.add(layers.origin("nats.replicas"), message, help);
    }
}

/// Notes that a key means nothing that somebody has said.
fn useless(layers: &Layers, setting: Setting, warnings: &mut Vec<String>) {
    let (Some((other, _)), name) = (setting.key.only_where, setting.name()) else { return };
    if layers.is_named(&name) {
        let (origin, other) = (layers.origin(&name), setting.sibling(other));
        let found = quoted(layers.text(&other).unwrap_or_default());
        warnings.push(format!("{origin}: `{name}` has no effect: `{other}` is {found}"));
    }
}

/// Of two ways to say which certificate of the upstream is believed the narrower counts.
fn trust(layers: &Layers, warnings: &mut Vec<String>) {
    if layers.is_named("upstream.ca") && layers.is_named("upstream.fingerprint") {
        let origin = layers.origin("upstream.ca");
        warnings.push(format!(
            "{origin}: `upstream.ca` has no effect: no certificate is believed but that of `upstream.fingerprint`"
        ));
    }
}

/// What is asked for by itself leaves some of an hour's requests to cases.
fn polls(layers: &Layers, warnings: &mut Vec<String>) {
    let bound = "upstream.requests_per_hour";
    if !layers.is_named("upstream.url") || layers.text("upstream.kind") == Some("partner") {
        return;
    }
    if let (Some(pause), Some(most)) = (layers.number("settings.case_poll_s"), layers.number(bound))
        && let Some(polls) = 3600_u64.checked_div(pause)
        && polls.saturating_mul(2) > most
    {
        let blamed = if layers.is_named(bound) { bound } else { "settings.case_poll_s" };
        let origin = layers.origin(blamed);
        warnings.push(format!(
            "{origin}: `settings.case_poll_s` asks {polls} times an hour, of {most} requests that `{bound}` lets: cases wait"
        ));
    }
}

/// A proxy of the environment is not used, and whoever relies on it is told.
fn proxy(layers: &Layers, warnings: &mut Vec<String>) {
    if let Some(variable) = layers.proxy_variable()
        && layers.is_named("upstream.url")
        && !layers.is_named("upstream.proxy")
    {
        warnings.push(format!(
            "the environment variable `{variable}` has no effect: the upstream is reached directly, or through the proxy that \
             `upstream.proxy` names"
        ));
    }
}

/// A certificate for no address of those that are listened on lets nobody in from elsewhere.
fn names(layers: &Layers, warnings: &mut Vec<String>) {
    let is_everywhere =
        matches!(layers.get("listen"), Some((Value::Address(address), _)) if address.ip().is_unspecified());
    if is_everywhere && !layers.is_named("tls.names") && !layers.is_named("tls.certificate") {
        let origin = layers.origin("listen");
        warnings.push(format!(
            "{origin}: `listen` is at all addresses of the machine, and the API's certificate is for none of them but the \
             loopback's: `tls.names` says what else it is reached by, or `tls.certificate` names one of your own"
        ));
    }
}

/// A certificate needs its key, and end customers have a partner.
fn partner(layers: &Layers, content: &Content, mistakes: &mut Mistakes) {
    let pairs = [
        ("tls.certificate", "tls.key"),
        ("tls.key", "tls.certificate"),
        ("nats.certificate", "nats.key"),
        ("nats.key", "nats.certificate"),
        ("partner.certificate", "partner.key"),
        ("partner.key", "partner.certificate"),
        ("partner.client_crl", "partner.client_ca"),
        ("upstream.proxy_user", "upstream.proxy_password_file"),
        ("upstream.proxy_password_file", "upstream.proxy_user"),
        ("upstream.proxy_user", "upstream.proxy"),
        ("upstream.certificate", "upstream.key"),
        ("upstream.key", "upstream.certificate"),
    ];
    for (named, other) in pairs {
        if layers.is_named(named) && !layers.is_named(other) {
            mistakes.add(layers.origin(named), format!("`{named}` is of no use without `{other}`"), None);
        }
    }
    let is_partner = layers.text("mode").is_none_or(|mode| mode == "partner");
    let section = content.sections.get(partner_section::SECTION.name).cloned();
    let there = layers.origin_of_section(&partner_section::SECTION).or(section);
    if let Some(origin) = there.filter(|_| !is_partner) {
        let help = Some("leave the section out, or set `mode = \"partner\"`".to_owned());
        mistakes.add(origin, "`[partner]` is for mode `partner` only", help);
    }
}

/// Who comes to the partner listener has a user and a password or a certificate, and either to itself.
fn logins(layers: &Layers, mistakes: &mut Mistakes, warnings: &mut Vec<String>) {
    let (mut users, mut certificates) = (BTreeMap::<String, String>::new(), BTreeMap::<String, String>::new());
    let mut subjects = BTreeMap::<CertificateName, String>::new();
    for listed in layers.listed(organizations::SECTION.name) {
        let name = listed.name(&organizations::SECTION);
        let (user, has_password) = (listed.entry.text("user"), listed.entry.get("password_file").is_some());
        let certificate = listed.entry.text("client_certificate");
        if let Some(certificate) = &certificate {
            let shown = certificate.parse().map_or_else(|_| certificate.clone(), |own: Fingerprint| own.to_string());
            if let Some(first) = certificates.insert(shown, name.clone()) {
                let message = format!("the organization {} has the client certificate of another", quoted(&name));
                mistakes.add(listed.origin.clone(), message, Some(format!("that is {}", quoted(&first))));
            }
        }
        let subject = listed.entry.text("certificate_subject");
        if let Some(subject) = subject.as_ref().and_then(|text| text.parse::<CertificateName>().ok()) {
            if let Some(first) = subjects.insert(subject, name.clone()) {
                let message = format!("the organization {} has the `certificate_subject` of another", quoted(&name));
                mistakes.add(listed.origin.clone(), message, Some(format!("that is {}", quoted(&first))));
            }
            if !layers.is_named("partner.client_ca") {
                warnings.push(format!(
                    "{}: the `certificate_subject` of {} has no effect: nobody issues it without `partner.client_ca`",
                    listed.origin,
                    quoted(&name)
                ));
            }
        }
        let wrong = match (&user, has_password) {
            (Some(_), false) if certificate.is_none() && subject.is_none() => {
                Some(format!("the organization {} has a `user` without a `password_file`", quoted(&name)))
            }
            (None, true) => Some(format!("the organization {} has a `password_file` without a `user`", quoted(&name))),
            (Some(_), _) | (None, false) => None,
        };
        if let Some(message) = wrong {
            mistakes.add(listed.origin.clone(), message, None);
        }
        let Some(user) = user else { continue };
        if let Some(first) = users.get(&user) {
            let message = format!("the user {} is that of two organizations", quoted(&user));
            mistakes.add(listed.origin.clone(), message, Some(format!("the first is {}", quoted(first))));
        }
        users.entry(user).or_insert(name);
    }
}

/// Notes what a section lacks that need not be there.
fn is_complete(layers: &Layers, content: &Content, section: &'static Section, mistakes: &mut Mistakes) {
    let origin = match content.sections.get(section.name) {
        Some(origin) => origin.clone(),
        None => layers.origin_of_section(section).unwrap_or(Origin::Default),
    };
    // A certificate of our own stands for a password.
    let has_own = layers.is_named("upstream.certificate") && layers.text("upstream.kind") == Some("partner");
    let is_needed = |setting: &Setting| {
        let is_replaced = has_own && setting.name() == "upstream.password_file";
        setting.key.is_required && layers.is_of_use(*setting) && !is_replaced
    };
    for setting in Setting::all(section).filter(is_needed) {
        if !layers.is_named(&setting.name()) {
            mistakes.add(origin.clone(), format!("`{}` is missing", setting.name()), None);
        }
    }
}

fn certificates(path: &Path) -> Result<(), String> {
    let refused = |reason: String| format!("the certificates in {} cannot be used: {reason}", shown(path));
    let bytes = content(path, MOST_CA_BYTES).map_err(refused)?;
    if bytes.is_empty() {
        return Err(refused("the file is empty".to_owned()));
    }
    match tls::client_config(Some(path)) {
        Ok(_) => Ok(()),
        Err(tls::Error::Broken { reason, .. }) => Err(refused(reason)),
        Err(error) => Err(refused(error.to_string())),
    }
}

fn password(path: &Path, warnings: &mut Vec<String>) -> Result<Secret, String> {
    let refused = |reason: String| format!("the password in {} cannot be used: {reason}", shown(path));
    let bytes = content(path, MOST_PASSWORD_BYTES).map_err(refused)?;
    let text = String::from_utf8(bytes).map_err(|_| refused("the file is not UTF-8 text".to_owned()))?;
    // Some editors put a byte order mark before it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let password = text.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(refused("the file is empty".to_owned()));
    }
    if password.chars().count() > MOST_PASSWORD || password.chars().any(char::is_control) {
        return Err(refused(format!("it must be one line of at most {MOST_PASSWORD} printable characters")));
    }
    if fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
        warnings
            .push(format!("others than its owner may read {}: allow it to the owner only (mode 0600)", shown(path)));
    }
    Ok(Secret::new(password))
}

/// The bytes of an ordinary file; what is none may never end, or never begin.
fn content(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err("it is not a file".to_owned());
    }
    file::read_bounded(path, most).map_err(|error| error.reason())
}

fn shown(path: &Path) -> String {
    format!("`{}`", super::origin::blank_controls(&path.display().to_string()))
}

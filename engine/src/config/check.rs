//! What the keys mean together, and the files they point to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use linesman_connectors::{Secret, tls};

use super::file::{self, Content};
use super::keys::{KEYS, MODE_WORKING};
use super::layers::Layers;
use super::mistake::Mistakes;
use super::place::Place;
use super::value::quoted;

/// The largest password and its file, in characters and bytes; what the support system's client takes.
const MOST_PASSWORD: usize = 256;
const MOST_PASSWORD_BYTES: u64 = 4096;
const MOST_CA_BYTES: u64 = 1024 * 1024;

/// What must be there in `[upstream]`.
const REQUIRED_UPSTREAM: [&str; 4] = ["upstream.url", "upstream.site_id", "upstream.user", "upstream.password_file"];

/// What the checks bring to light beside mistakes.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) has_upstream: bool,
    pub(super) password: Option<Secret>,
    pub(super) warnings: Vec<String>,
}

/// Checks all but whether `data_dir` and `rules` are there: not every caller needs them.
pub(super) fn all(layers: &Layers, content: &Content, mistakes: &mut Mistakes) -> Checked {
    let mut checked = Checked::default();
    mode(layers, mistakes);
    order(layers, "settings.retry_base_s", "settings.retry_most_s", mistakes);
    order(layers, "settings.circuit_rest_s", "settings.circuit_rest_most_s", mistakes);
    nats(layers, mistakes, &mut checked.warnings);
    let is_named = KEYS.iter().any(|key| key.parts().0 == Some("upstream") && layers.is_named(key.name));
    checked.has_upstream = is_named || content.sections.contains_key("upstream");
    if checked.has_upstream {
        if content.is_whole {
            upstream_is_complete(layers, content, mistakes);
        }
        if let Some(path) = layers.path("upstream.ca")
            && let Err(message) = certificates(&path)
        {
            mistakes.add(layers.place("upstream.ca"), message, None);
        }
        if let Some(path) = layers.path("upstream.password_file") {
            match password(&path, &mut checked.warnings) {
                Ok(password) => checked.password = Some(password),
                Err(message) => mistakes.add(layers.place("upstream.password_file"), message, None),
            }
        }
    }
    checked
}

/// Notes when a key without a section is missing.
pub(super) fn required(layers: &Layers, name: &'static str, mistakes: &mut Mistakes) {
    if layers.is_named(name) {
        return;
    }
    let Some(key) = KEYS.iter().find(|key| key.name == name) else { return };
    let variable = key.variable().unwrap_or_default();
    let flag = name.replace('_', "-");
    let help = format!("say `--{flag}`, `{variable}` or, in the configuration file, `{name} = \"...\"`");
    mistakes.add(Place::Default, format!("`{name}` is missing"), Some(help));
}

fn mode(layers: &Layers, mistakes: &mut Mistakes) {
    if let Some(mode) = layers.text("mode").filter(|mode| mode != MODE_WORKING) {
        let message = format!("mode {} does not work yet: only `{MODE_WORKING}` does", quoted(&mode));
        mistakes.add(layers.place("mode"), message, None);
    }
}

/// The most may not be less than what it bounds.
fn order(layers: &Layers, base: &str, most: &str, mistakes: &mut Mistakes) {
    if let (Some(least), Some(greatest)) = (layers.number::<u64>(base), layers.number::<u64>(most))
        && greatest < least
    {
        let blamed = if layers.is_named(most) { most } else { base };
        let message = format!("`{most}` is {greatest}, less than `{base}`, which is {least}");
        mistakes.add(layers.place(blamed), message, None);
    }
}

/// Several replicas need several servers; what concerns the embedded server means nothing to another.
fn nats(layers: &Layers, mistakes: &mut Mistakes, warnings: &mut Vec<String>) {
    if layers.is_named("nats.url") {
        for name in ["nats.port", "nats.binary", "nats.sync", "nats.max_payload_bytes"] {
            if layers.is_named(name) {
                let place = layers.place(name);
                warnings.push(format!("{place}: `{name}` has no effect: `nats.url` names a server of your own"));
            }
        }
    } else if layers.number::<u64>("nats.replicas").is_some_and(|replicas| replicas > 1) {
        let help = Some("name a cluster of your own with `nats.url`".to_owned());
        let message = "`nats.replicas` must be 1 with the embedded server";
        mistakes.add(layers.place("nats.replicas"), message, help);
    }
}

fn upstream_is_complete(layers: &Layers, content: &Content, mistakes: &mut Mistakes) {
    let place = match content.sections.get("upstream") {
        Some(place) => place.clone(),
        None => layers.place_of_section("upstream").unwrap_or(Place::Default),
    };
    for name in REQUIRED_UPSTREAM {
        if !layers.is_named(name) {
            mistakes.add(place.clone(), format!("`{name}` is missing"), None);
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
    format!("`{}`", super::place::blank_controls(&path.display().to_string()))
}

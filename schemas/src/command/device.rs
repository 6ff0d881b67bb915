//! Commands about devices that are reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{Fault, LIST_MOST, label};
use super::gathering::Gathering;
use crate::PlacePath;
use crate::device::SETTING_MOST;

/// The longest host key, in characters: RSA of 16,384 bits has some 2,800.
const HOST_KEY_MOST: usize = 4_096;
/// How often a device is asked, in seconds.
const POLL_S: std::ops::RangeInclusive<u32> = 5..=86_400;

/// What is asked for of a device that is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceVerb {
    /// Reach a device, or reach it otherwise.
    Set(Box<DeviceSettings>),
    /// Reach it no more.
    Remove(DeviceName),
    /// Say which host key it has, or that the next one it shows is its own.
    PinHostKey(HostKeyPin),
    /// Do something on it at once, on the node that was asked; here it goes on record.
    Use(DeviceUse),
    /// Remove a file from it that was set aside, or check it once more.
    JmbError(JmbErrorWish),
    /// Gather data from it.
    Gather(Gathering),
}

impl DeviceVerb {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Set(_) => "set-device",
            Self::Remove(_) => "remove-device",
            Self::PinHostKey(_) => "pin-host-key",
            Self::Use(_) => "use-device",
            Self::JmbError(_) => "settle-jmb-error",
            Self::Gather(_) => "collect-device",
        }
    }

    /// The device's name.
    pub fn device(&self) -> &str {
        match self {
            Self::Set(settings) => &settings.name,
            Self::Remove(DeviceName { name }) => name,
            Self::PinHostKey(pin) => &pin.name,
            Self::Use(using) => &using.name,
            Self::JmbError(wish) => &wish.name,
            Self::Gather(gathering) => &gathering.name,
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        name("/name", self.device())?;
        match self {
            Self::Set(settings) => settings.check(),
            Self::Remove(_) => Ok(()),
            Self::PinHostKey(HostKeyPin { host_key, .. }) => host_key.as_deref().map_or(Ok(()), key),
            Self::Use(using) => label("/sha256", &using.sha256, 64).and_then(|()| label("/id", &using.id, 64)),
            Self::JmbError(wish) => label("/id", &wish.id, 64),
            Self::Gather(gathering) => gathering.check(),
        }
    }
}

/// How a device is reached. What is left out stays as it was; of a new one it is as its field says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceSettings {
    /// The name it is given, `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    pub name: String,
    /// Whether there must be none of this name yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_new: bool,
    /// Its host name or IP address; a new one must have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The port of SSH; 22.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The port of NETCONF; 830. Where it is that of SSH one connection serves both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netconf_port: Option<u16>,
    /// Who logs in; a new one must have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Which kind of credentials the node was given with this; they are kept there, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsKind>,
    /// The directory in which it leaves bundles; `/var/tmp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Which of its files are bundles, `*` standing for any characters and `?` for one; `*.xml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// How often it is looked there, in seconds; 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_s: Option<u32>,
    /// What becomes of a file that was collected; it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AfterCollection>,
    /// The site or access line where it is; none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlacePath>,
    /// Whether it is nowhere from then on: there is no `place` with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_nowhere: bool,
    /// Its chassis serial number, where it does not say so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// The groups of commands by which data is gathered from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directives: Option<Vec<String>>,
    /// Whether algorithms are allowed that are no longer safe; they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_legacy: Option<bool>,
    /// Whether the host key that it shows first is taken for its own; it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepts_first_host_key: Option<bool>,
    /// Its host key, as `authorized_keys` has such; none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
}

/// What whoever logs in shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialsKind {
    /// A password.
    Password,
    /// A private key.
    Key,
}

impl CredentialsKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Key => "key",
        }
    }
}

/// What becomes of a file that was collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AfterCollection {
    /// It is removed.
    Remove,
    /// It is moved to a directory of the device's.
    MoveTo(String),
    /// It stays.
    Leave,
}

/// Which device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceName {
    /// The name it was given.
    pub name: String,
}

/// Which host key a device has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostKeyPin {
    /// The name it was given.
    pub name: String,
    /// The key, as `authorized_keys` has such; none: the next one that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// Whether it was taken since the device showed it first, and this was allowed: then only where none is pinned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_first: bool,
}

/// What somebody does on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceUse {
    /// The name it was given.
    pub name: String,
    /// What is done.
    pub what: UseKind,
    /// Of what was sent there, its SHA-256 in lower-case hexadecimal; empty for nothing. Where what is meant for it is put
    /// there once more, that of what it changes, as the device says it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// Whether a request can change nothing of its configuration.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks_only: bool,
    /// Which file that was set aside, as it is called in the list; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// How many lines come with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<u64>,
    /// How many go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
}

/// What can be done on a device at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UseKind {
    /// The way to it is tried, step by step.
    Test,
    /// Its directory is looked through.
    Collect,
    /// It is asked what it is.
    Facts,
    /// Its configuration is read.
    GetConfig,
    /// A request is sent there, as it is.
    Rpc,
    /// What is meant for it is compared with what it has.
    Diff,
    /// What is meant for it is put there once more.
    Apply,
    /// It is asked whether it has what is meant for it.
    CheckSync,
    /// A file that was set aside is read.
    Download,
}

/// What becomes of a file that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JmbErrorWish {
    /// The name that the device was given.
    pub name: String,
    /// Which file, as it is called in the list.
    pub id: String,
    /// Whether it is removed from the device; else it is checked once more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_deleted: bool,
}

impl DeviceSettings {
    fn check(&self) -> Result<(), Fault> {
        let words = [
            ("/address", &self.address, false),
            ("/user", &self.user, false),
            ("/pattern", &self.pattern, false),
            ("/serial_number", &self.serial_number, true),
        ];
        for (pointer, text, may_be_empty) in words {
            let Some(text) = text else { continue };
            label(pointer, text, SETTING_MOST)?;
            if text.trim().is_empty() && !may_be_empty {
                return Err(Fault::new(pointer, "is empty"));
            }
        }
        if self.address.as_ref().is_some_and(|address| address.chars().any(char::is_whitespace)) {
            return Err(Fault::new("/address", "has white space"));
        }
        for (pointer, port) in [("/port", self.port), ("/netconf_port", self.netconf_port)] {
            if port == Some(0) {
                return Err(Fault::new(pointer, "is no port"));
            }
        }
        if let Some(poll_s) = self.poll_s.filter(|poll_s| !POLL_S.contains(poll_s)) {
            let (least, most) = (POLL_S.start(), POLL_S.end());
            return Err(Fault::new("/poll_s", format!("is {poll_s}, and must be {least} to {most}")));
        }
        self.directory.as_deref().map_or(Ok(()), |path| directory("/directory", path))?;
        if let Some(AfterCollection::MoveTo(path)) = &self.after {
            directory("/after/move-to", path)?;
        }
        if self.is_nowhere && self.place.is_some() {
            return Err(Fault::new("/place", "is said of a device that is to be nowhere"));
        }
        if self.pattern.as_ref().is_some_and(|pattern| pattern.contains('/')) {
            return Err(Fault::new("/pattern", "names files, and has a `/`"));
        }
        for (at, group) in self.directives.iter().flatten().enumerate() {
            name(&format!("/directives/{at}"), group)?;
        }
        if self.directives.as_ref().is_some_and(|groups| groups.len() > LIST_MOST) {
            return Err(Fault::new("/directives", format!("has more than {LIST_MOST} entries")));
        }
        self.host_key.as_deref().map_or(Ok(()), key)
    }
}

/// What a device, and a group of directives, is called.
pub(crate) fn name(pointer: &str, name: &str) -> Result<(), Fault> {
    let bytes = name.as_bytes();
    let is_name = bytes.len() <= 64
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    match is_name {
        true => Ok(()),
        false => Err(Fault::new(pointer, "is no name: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`")),
    }
}

/// An absolute path without anything that leads elsewhere.
fn directory(pointer: &str, path: &str) -> Result<(), Fault> {
    label(pointer, path, SETTING_MOST)?;
    let leads_away = path.split('/').any(|part| matches!(part, "." | ".."));
    match path.starts_with('/') && !leads_away {
        true => Ok(()),
        false => Err(Fault::new(pointer, "is no absolute path without `.` and `..`")),
    }
}

/// A host key of the form that `authorized_keys` has: a type, a space, base 64.
fn key(text: &str) -> Result<(), Fault> {
    let pointer = "/host_key";
    label(pointer, text, HOST_KEY_MOST)?;
    let mut parts = text.split_ascii_whitespace();
    let is_key =
        matches!((parts.next(), parts.next()), (Some(kind), Some(key)) if !kind.is_empty() && key.starts_with("AAAA"));
    match is_key {
        true => Ok(()),
        false => Err(Fault::new(pointer, "is no host key such as `ssh-ed25519 AAAA...`")),
    }
}

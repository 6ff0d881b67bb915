//! Quotas: how much of an organization's is taken in, and what is told of that.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::OrgName;
use crate::command::Fault;

/// What a quota is of. Its words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaKind {
    /// Messages in IN a day.
    Messages,
    /// Bytes in IN a day.
    Bytes,
    /// Devices.
    Devices,
    /// Host-event-IDs that are remembered; from engine level 16 on.
    RememberedIds,
}

impl QuotaKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Messages, Self::Bytes, Self::Devices, Self::RememberedIds];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Bytes => "bytes",
            Self::Devices => "devices",
            Self::RememberedIds => "remembered-ids",
        }
    }

    /// The name of its field in [`Quotas`].
    pub const fn field(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Bytes => "bytes",
            Self::Devices => "devices",
            Self::RememberedIds => "remembered_ids",
        }
    }
}

impl fmt::Display for QuotaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The largest of all quotas.
pub const QUOTA_MOST: u64 = 1_000_000_000_000_000;

/// The quotas of an organization. One that is not given is that of `[settings]`; 0 is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// How many messages of its publishers are decided a day, by UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// How many bytes of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How many devices it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<u64>,
    /// How many host-event-IDs of its problems are remembered; from engine level 16 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered_ids: Option<u64>,
}

impl Quotas {
    /// Whether all of them are within their bounds.
    ///
    /// # Errors
    /// The first that is not.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let Self { messages, bytes, devices, remembered_ids } = self;
        for (kind, most) in QuotaKind::ALL.into_iter().zip([messages, bytes, devices, remembered_ids]) {
            if most.is_some_and(|most| most > QUOTA_MOST) {
                return Err(Fault::new(format!("/quotas/{}", kind.field()), format!("is more than {QUOTA_MOST}")));
            }
        }
        Ok(())
    }

    /// What counts beside these defaults; no quota is none.
    #[must_use]
    pub fn or(self, defaults: Self) -> Self {
        let counts = |own: Option<u64>, usual: Option<u64>| own.or(usual).filter(|most| *most > 0);
        Self {
            messages: counts(self.messages, defaults.messages),
            bytes: counts(self.bytes, defaults.bytes),
            devices: counts(self.devices, defaults.devices),
            remembered_ids: counts(self.remembered_ids, defaults.remembered_ids),
        }
    }
}

/// Data of `quota.nearing` and `quota.exhausted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotaData<'a> {
    /// Whose quota.
    pub organization: &'a OrgName,
    /// What it is of.
    pub kind: QuotaKind,
    /// How much of it is used, on that day or, of devices and of remembered ids, in all.
    pub used: u64,
    /// The quota.
    pub most: u64,
    /// The day, by UTC: `YYYY-MM-DD`.
    pub day: &'a str,
}

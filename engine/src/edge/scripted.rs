//! What the API's bodies and answers have in common of scripts on devices.

use linesman_domain::scripts::OverwrittenRow;
use linesman_schemas::command::Overwritten;
use linesman_schemas::scripts::ScriptKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a script runs, and so where it lies on its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ScriptKind)]
pub(super) enum Kind {
    /// Once somebody calls it.
    Op,
    /// Once something has happened that the event profile names.
    Event,
    /// Once somebody commits.
    Commit,
}

impl From<ScriptKind> for Kind {
    fn from(kind: ScriptKind) -> Self {
        match kind {
            ScriptKind::Op => Self::Op,
            ScriptKind::Event => Self::Event,
            ScriptKind::Commit => Self::Commit,
        }
    }
}

impl From<Kind> for ScriptKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Op => Self::Op,
            Kind::Event => Self::Event,
            Kind::Commit => Self::Commit,
        }
    }
}

/// An event, and how urgent it is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileEvent {
    /// Its name as devices have it.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    pub(super) event: String,
    /// How urgent it is, 1 being the most urgent; scripts get it as `priority`.
    #[schema(minimum = 1, maximum = 4)]
    pub(super) priority: u8,
}

/// A file of a device that is overwritten, though it is not ours.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Overwrites {
    /// The device, by the name it was given.
    #[schema(max_length = 64)]
    pub(super) device: String,
    /// When scripts in its place run.
    pub(super) kind: Kind,
    /// Its name.
    #[schema(max_length = 64)]
    pub(super) name: String,
    /// The SHA-256 of what it has, in lower-case hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub(super) sha256: String,
}

impl From<OverwrittenRow> for Overwrites {
    fn from(OverwrittenRow { device, kind, name, sha256 }: OverwrittenRow) -> Self {
        Self { device, kind: kind.into(), name, sha256 }
    }
}

impl From<Overwrites> for Overwritten {
    fn from(Overwrites { device, kind, name, sha256 }: Overwrites) -> Self {
        Self { device, kind: kind.into(), name, sha256 }
    }
}

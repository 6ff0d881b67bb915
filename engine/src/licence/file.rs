//! The file of a licence: a signed note (C2SP's signed-note) of two lines.
//!
//! ```text
//! linesman licence 1
//! {"id":"5e0f..","key":"linesman-licence+..","mode":"partner","features":["base","multi-site","partner"],...}
//!
//! — linesman-licence <base64 of the key's hash and the signature>
//! ```
//!
//! The signature is one of the bytes before the blank line. The key that made it stands among them, so that a file that
//! was changed is told from one that somebody else has signed.

use jiff::Timestamp;
use linesman_schemas::Mode;
use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::audit::checkpoint::{read_signature, signed};
use crate::audit::{Signer, VerifierKey};

/// The largest file, in bytes.
pub const BYTES_MOST: u64 = 8 * 1024;
/// Under which name licences are signed.
pub const SIGNED_AS: &str = "linesman-licence";
const TITLE: &str = "linesman licence 1\n";

/// What an installation may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// By what it is told from others.
    pub id: String,
    /// The public part of the key that signs it.
    pub key: String,
    /// The mode it is for.
    pub mode: Mode,
    /// What there is by it, as [`Feature::of`] has it.
    pub features: Vec<Feature>,
    /// How many organizations may take part.
    pub organizations: u64,
    /// How many devices there may be.
    pub devices: u64,
    /// From when on it is good.
    pub not_before: Timestamp,
    /// Until when it is.
    pub not_after: Timestamp,
    /// For which installation; none: for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<String>,
    /// The vendor's upstream; none: whatever is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
}

/// What there is by a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// One organization.
    Base,
    /// Several.
    MultiSite,
    /// What partners have: proxy organizations, end customers.
    Partner,
}

impl Feature {
    /// What a licence of a mode and so many organizations has.
    pub fn of(mode: Mode, organizations: u64) -> Vec<Self> {
        let is_partner = mode == Mode::Partner;
        let has = [(Self::Base, true), (Self::MultiSite, is_partner || organizations > 1), (Self::Partner, is_partner)];
        has.into_iter().filter_map(|(feature, has)| has.then_some(feature)).collect()
    }

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::MultiSite => "multi-site",
            Self::Partner => "partner",
        }
    }
}

/// What a file says, whoever has signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The licence; it is as it was when it was signed.
    pub licence: Licence,
    key: VerifierKey,
}

impl Licence {
    /// The text that is signed; it has one spelling.
    fn text(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{TITLE}{}\n", serde_json::to_string(self)?))
    }

    /// The file, signed with the key that the licence names.
    ///
    /// # Errors
    /// It has no form in JSON.
    pub fn sign(&self, signer: &Signer) -> Result<String, serde_json::Error> {
        Ok(signed(&self.text()?, SIGNED_AS, signer))
    }

    /// Whether what it says of itself fits together.
    fn is_sound(&self) -> bool {
        self.features == Feature::of(self.mode, self.organizations) && self.not_before < self.not_after
    }
}

impl Signed {
    /// Reads a file.
    ///
    /// # Errors
    /// It is no licence, or was changed after it was signed.
    pub fn read(file: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(file).map_err(|_| Refusal::Malformed)?;
        let end = text.rfind("\n\n").ok_or(Refusal::Malformed)?;
        let (text, signature) = text.split_at_checked(end + 1).ok_or(Refusal::Malformed)?;
        let body = text.strip_prefix(TITLE).ok_or(Refusal::Malformed)?;
        let line = signature.strip_prefix('\n').and_then(|line| line.strip_suffix('\n')).ok_or(Refusal::Malformed)?;
        let (name, signature) = read_signature(line).ok_or(Refusal::Malformed)?;
        // What cannot be read any more was changed, if it was a licence: it begins and ends like one.
        let licence: Licence = serde_json::from_str(body).map_err(|_| Refusal::Tampered)?;
        let key: VerifierKey = licence.key.parse().map_err(|_| Refusal::Tampered)?;
        let signature = signature.strip_prefix(&key.id(name)).ok_or(Refusal::Tampered)?;
        let is_canonical = licence.text().is_ok_and(|canonical| canonical == text);
        if name != SIGNED_AS || key.name() != name || !key.has_signed(text, signature) || !is_canonical {
            return Err(Refusal::Tampered);
        }
        if !licence.is_sound() {
            return Err(Refusal::Malformed);
        }
        Ok(Self { licence, key })
    }

    /// The licence, if the vendor has signed it.
    ///
    /// # Errors
    /// Somebody else has.
    pub fn by(self, vendor: &VerifierKey) -> Result<Licence, Refusal> {
        if self.key == *vendor { Ok(self.licence) } else { Err(Refusal::OtherKey) }
    }
}

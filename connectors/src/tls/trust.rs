//! Whom a configured client believes, and how a certificate is named that is believed alone.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// What a fingerprint is written with.
const PREFIX: &str = "sha256:";

/// Whom a client believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The system's roots.
    System,
    /// The certificates of a file (PEM) and no other.
    Authority(PathBuf),
    /// One certificate of a server and no other, whatever its name and issuer, until it ends.
    Pinned(Fingerprint),
}

/// Whom it believes, behind "does not validate against".
impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("the system's roots (setting `ca` names another file)"),
            Self::Authority(path) => write!(f, "the file `{}` (setting `ca`)", path.display()),
            Self::Pinned(_) => f.write_str("the setting `fingerprint`"),
        }
    }
}

/// The SHA-256 of a certificate in its wire form (DER), written as `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of a certificate.
    pub fn of(certificate: &[u8]) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

/// Why a text is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is `sha256:` and 64 hexadecimal digits")]
pub struct NoFingerprint;

/// Colons between the digits' pairs, as OpenSSL writes them, and capitals are read too.
impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits = text.strip_prefix(PREFIX).ok_or(NoFingerprint)?;
        let digits = if digits.len() == 95 { digits.split(':').collect() } else { digits.to_owned() };
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NoFingerprint)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_written_and_as_openssl_writes_it() {
        // FIPS 180-2, appendix B.1.
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let fingerprint = Fingerprint::of(b"abc");
        assert_eq!((fingerprint.to_string().as_str(), abc.parse()), (abc, Ok(fingerprint)));
        let digits = abc.strip_prefix(PREFIX).unwrap().to_uppercase();
        let pairs: Vec<&str> = (0..32).map(|pair| &digits[2 * pair..2 * pair + 2]).collect();
        assert_eq!(format!("sha256:{}", pairs.join(":")).parse(), Ok(fingerprint));
        let short = abc.get(..abc.len() - 1).unwrap();
        for text in ["", "sha256:", &abc[7..], short, &format!("{abc}0"), &abc.replace("ba", "xy")] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NoFingerprint), "{text}");
        }
    }
}

//! Keys: of devices, by which they are known again, and private ones, by which we are let in.

use std::fmt;
use std::str::FromStr;

use russh::keys::{HashAlg, PrivateKey, PublicKey, decode_secret_key};

use super::Error;
use crate::Secret;
use crate::text::excerpt;

/// The public key of a device, as OpenSSH writes it: `ssh-ed25519 AAAA...`, without a comment.
#[derive(Clone, PartialEq, Eq)]
pub struct HostKey {
    line: String,
    key: PublicKey,
}

impl HostKey {
    /// Its fingerprint as OpenSSH shows it: `SHA256:...`.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// What kind of key it is: `ssh-ed25519`.
    pub fn algorithm(&self) -> String {
        self.key.algorithm().to_string()
    }

    pub(super) const fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(in crate::device) fn of(key: &PublicKey) -> Result<Self, KeyError> {
        // A comment is no part of a key.
        let key = PublicKey::new(key.key_data().clone(), "");
        let line = key.to_openssh().map_err(|_| KeyError)?.trim_end().to_owned();
        Ok(Self { line, key })
    }
}

/// A text is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no host key: it is written as `ssh-ed25519 AAAA...`")]
pub struct KeyError;

impl FromStr for HostKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::of(&PublicKey::from_openssh(text.trim()).map_err(|_| KeyError)?)
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// Opens a private key: OpenSSH, PKCS#1, PKCS#8 or SEC1, as PEM.
pub(super) fn open(text: &Secret, passphrase: Option<&Secret>) -> Result<PrivateKey, Error> {
    use russh::keys::Error as Fault;
    decode_secret_key(text.expose(), passphrase.map(Secret::expose)).map_err(|fault| match fault {
        Fault::KeyIsEncrypted => Error::PassphraseMissing,
        Fault::UnsupportedKeyType { key_type_string, .. } => {
            Error::Key(format!("keys of the kind `{}` are not supported", excerpt(&key_type_string, 40)))
        }
        // What the library says of the inside is nobody's concern, and may be about the secret.
        _ if passphrase.is_some() => Error::Key("its passphrase is another, or it is damaged".to_owned()),
        _ => Error::Key("it is no private key in PEM, or is damaged".to_owned()),
    })
}

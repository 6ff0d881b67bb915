//! The key that signs checkpoints: Ed25519, one of an engine for all its logs, in `D/keys/audit`. Licences are signed
//! likewise, by keys of their vendor's.
//!
//! A checkpoint is signed under the name of its log, so the public part has a text for each log:
//! `<log>+<key's hash>+<base64 of 01 and the key>`, as C2SP's signed notes have it. The key is the same in all of them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use crate::data_dir::private;

/// What stands before a public key and says that it is one of Ed25519.
const ED25519_KEY: u8 = 1;

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "`{}` holds no key: put the key back; without it a new one is made when the file is gone, and checkpoints are \
         signed with that from then on",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

/// Signs checkpoints.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// The key of an engine, from its folder of keys; made on the first call.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no key.
    pub fn open(keys: &Path) -> Result<Self, KeyFileError> {
        let path = keys.join("audit");
        let at = |source| KeyFileError::File { path: path.clone(), source };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = Self::generate().map_err(at)?;
                private::write(&path, &made).map_err(at)?;
                made
            }
            Err(error) => return Err(at(error)),
        };
        Self::of(&bytes).ok_or_else(|| KeyFileError::NoKey { path: path.clone() })
    }

    /// A new key, as PKCS #8 (RFC 5958).
    ///
    /// # Errors
    /// There are no random numbers.
    pub(crate) fn generate() -> io::Result<Vec<u8>> {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        let made = made.map_err(|_| io::Error::other("the system gives no random numbers"))?;
        Ok(made.as_ref().to_vec())
    }

    /// The key of such bytes; none where they are none.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_pkcs8(bytes).ok().map(Self)
    }

    /// The public part, under the name of a log.
    pub fn public(&self, name: &str) -> VerifierKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        VerifierKey { name: name.to_owned(), key }
    }

    /// Signs a text.
    pub(crate) fn sign(&self, text: &str) -> Vec<u8> {
        self.0.sign(text.as_bytes()).as_ref().to_vec()
    }
}

/// The public part of a key, under the name of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: [u8; 32],
}

/// What is no public key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key is `<log>+<8 hexadecimal digits>+<base64>`, as `/api/v1/audit/key` gives it")]
pub struct KeyError;

impl VerifierKey {
    /// Under which name it signs: that of a log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// By which 4 bytes a signature under `name` tells that it was made with this key.
    pub(crate) fn id(&self, name: &str) -> [u8; 4] {
        let hash =
            Sha256::new().chain_update(name).chain_update([b'\n', ED25519_KEY]).chain_update(self.key).finalize();
        let mut id = [0; 4];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        id
    }

    /// Whether the key has signed the text.
    pub(crate) fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.key).verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key: Vec<u8> = std::iter::once(ED25519_KEY).chain(self.key).collect();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id(&self.name)), STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.trim_end_matches('\n').splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError);
        };
        let bytes = STANDARD.decode(key).map_err(|_| KeyError)?;
        let key = match bytes.split_first() {
            Some((&ED25519_KEY, key)) => key.try_into().map_err(|_| KeyError)?,
            _ => return Err(KeyError),
        };
        let read = Self { name: name.to_owned(), key };
        if name.is_empty() || hex::encode(read.id(name)) != id { Err(KeyError) } else { Ok(read) }
    }
}

//! Licences: what an installation may, in a file that its vendor has signed.
//!
//! | room | what |
//! |---|---|
//! | `file` | the form of the file, signed and read |
//! | `vendor` | whose signature counts |
//! | `request` | which installation this is, and how it asks for a licence |
//! | `section` | what the configuration says of it |
//! | `terms` | what an installation may at a moment |
//!
//! A licence bounds what is added and what is sent upstream. Whatever becomes of it, bundles are processed: nothing here
//! is asked by lanes, and nothing of it is decided.

pub mod file;
pub mod request;
pub mod section;
#[cfg(feature = "standin")]
pub mod standin;
pub mod terms;
#[cfg(test)]
mod tests;
pub mod vendor;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use jiff::Timestamp;
use linesman_schemas::Mode;

pub use file::{Feature, Licence, SIGNED_AS, Signed};
pub use request::Request;
pub use terms::{Excess, Standing, Terms};

use crate::audit::VerifierKey;

/// Why a licence does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is none.
    #[error("it is no licence")]
    Malformed,
    /// It says otherwise than when it was signed.
    #[error("it was tampered with: its signature is not one of its text")]
    Tampered,
    /// Another vendor's.
    #[error("it is signed by another key than the vendor's")]
    OtherKey,
    /// Another installation's.
    #[error("it is for another installation, `{licensed}`; this is `{ours}`")]
    OtherInstallation {
        /// For which.
        licensed: String,
        /// Which this is.
        ours: String,
    },
    /// Another mode's.
    #[error("it is for mode `{licensed}`, and the mode is `{configured}`")]
    OtherMode {
        /// For which.
        licensed: Mode,
        /// Which is configured.
        configured: Mode,
    },
    /// It is not good yet.
    #[error("it is not valid before {0}")]
    NotYet(Timestamp),
    /// It is good no more.
    #[error("it expired on {0}")]
    Expired(Timestamp),
}

/// What a licence is held against.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// Whose signature counts.
    pub vendor: &'a VerifierKey,
    /// Which installation this is.
    pub installation: &'a str,
    /// The mode that is configured.
    pub mode: Mode,
}

/// Whether a licence of one mode is one for another: a partner may do what others may, and whoever is connected may be
/// offline.
pub fn serves(licensed: Mode, mode: Mode) -> bool {
    match mode {
        Mode::Direct | Mode::Offline => matches!(licensed, Mode::Partner | Mode::Direct),
        Mode::Partner | Mode::EndCustomer | Mode::Demo => licensed == mode,
    }
}

/// The licence of a file, whenever it is good.
///
/// # Errors
/// It cannot be read, was changed, or is another's: see [`Refusal`].
pub fn open(path: &Path, against: Against<'_>) -> Result<Licence, Refusal> {
    read(path)?.by(against.vendor).and_then(|licence| fit(licence, against))
}

/// What a file says, whoever has signed it.
///
/// # Errors
/// It cannot be read, or was changed.
pub fn read(path: &Path) -> Result<Signed, Refusal> {
    let bytes = contents(path, file::BYTES_MOST).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    Signed::read(&bytes)
}

fn fit(licence: Licence, against: Against<'_>) -> Result<Licence, Refusal> {
    if let Some(licensed) = licence.installation.as_ref().filter(|licensed| *licensed != against.installation) {
        return Err(Refusal::OtherInstallation { licensed: licensed.clone(), ours: against.installation.to_owned() });
    }
    match serves(licence.mode, against.mode) {
        true => Ok(licence),
        false => Err(Refusal::OtherMode { licensed: licence.mode, configured: against.mode }),
    }
}

impl Licence {
    /// Whether it is good at a moment.
    ///
    /// # Errors
    /// It is not yet, or no more.
    pub fn is_good(&self, now: Timestamp) -> Result<(), Refusal> {
        match () {
            () if now < self.not_before => Err(Refusal::NotYet(self.not_before)),
            () if now >= self.not_after => Err(Refusal::Expired(self.not_after)),
            () => Ok(()),
        }
    }
}

impl Licence {
    /// Why nothing is sent to the upstream at `url`, where the licence names another.
    pub fn elsewhere(&self, url: &str) -> Option<String> {
        let licensed = self.upstream.as_deref()?;
        let is_other = licensed.trim_end_matches('/') != url.trim_end_matches('/');
        is_other.then(|| format!("the licence names the upstream `{licensed}`, and `upstream.url` is `{url}`"))
    }
}

/// The bytes of an ordinary file of at most `most`; what is none may never end.
pub(crate) fn contents(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::other(format!("it is larger than {most} bytes"))),
        false => Ok(bytes),
    }
}

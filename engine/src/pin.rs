//! Which certificate of the upstream is believed, where the configuration says neither `ca` nor `fingerprint`: the one that
//! somebody has confirmed, in `D/keys/upstream-pin`. It counts for the address it was confirmed for, and from the next
//! start on; it changes when somebody confirms another, and never by itself.

use std::io;
use std::path::{Path, PathBuf};

use linesman_connectors::tls::{Fingerprint, Trust};
use linesman_connectors::upstream::Settings;
use serde::{Deserialize, Serialize};

use crate::data_dir::private;

/// The most bytes that are read of the file.
const FILE_MOST: u64 = 8 * 1024;

/// Why no pin can be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The file cannot be used.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("`{}` names no certificate: remove it, and confirm the certificate again", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
}

/// As it lies in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Confirmed {
    url: String,
    fingerprint: String,
}

/// The pin of an installation with an upstream.
#[derive(Debug, Clone)]
pub struct Pin {
    path: PathBuf,
    /// The address of the upstream.
    pub url: String,
    /// Whether the configuration says whom the engine believes, so that no pin counts.
    pub is_configured: bool,
}

impl Pin {
    /// That of the upstream, if there is one; what was confirmed for it counts where the configuration says nothing.
    ///
    /// # Errors
    /// The file cannot be read, or names no certificate.
    pub fn open(keys: &Path, upstream: Option<&mut Settings>) -> Result<Option<Self>, PinError> {
        let Some(settings) = upstream else { return Ok(None) };
        let way = settings.way_mut();
        let is_configured = !matches!(way.trust, Trust::System);
        let pin = Self::at(keys, &way.url, is_configured);
        if let Some(fingerprint) = pin.confirmed()?.filter(|_| !is_configured) {
            way.trust = Trust::Pinned(fingerprint);
        }
        Ok(Some(pin))
    }

    /// That of an upstream of this address.
    pub(crate) fn at(keys: &Path, url: &str, is_configured: bool) -> Self {
        Self { path: keys.join("upstream-pin"), url: url.to_owned(), is_configured }
    }

    /// The certificate that was confirmed for the upstream.
    ///
    /// # Errors
    /// The file cannot be read, or names none.
    pub fn confirmed(&self) -> Result<Option<Fingerprint>, PinError> {
        let at = |source| PinError::File { path: self.path.clone(), source };
        let broken = || PinError::Broken { path: self.path.clone() };
        let length = match std::fs::metadata(&self.path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(error)),
        };
        if length > FILE_MOST {
            return Err(broken());
        }
        let bytes = std::fs::read(&self.path).map_err(at)?;
        let confirmed: Confirmed = serde_json::from_slice(&bytes).map_err(|_| broken())?;
        if confirmed.url != self.url {
            return Ok(None);
        }
        confirmed.fingerprint.parse().map(Some).map_err(|_| broken())
    }

    /// Keeps what somebody has confirmed; none: nothing is any more.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn confirm(&self, fingerprint: Option<Fingerprint>) -> Result<(), PinError> {
        let at = |source| PinError::File { path: self.path.clone(), source };
        let Some(fingerprint) = fingerprint else { return private::remove(&self.path).map_err(at) };
        let confirmed = Confirmed { url: self.url.clone(), fingerprint: fingerprint.to_string() };
        let bytes = serde_json::to_vec(&confirmed).map_err(|error| at(io::Error::other(error)))?;
        private::write(&self.path, &bytes).map_err(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_confirmed_counts_for_its_address_until_another_is() {
        let folder = tempfile::tempdir().unwrap();
        let pin = Pin::at(folder.path(), "https://partner.example", false);
        assert_eq!(pin.confirmed().unwrap(), None);
        let (one, other) = (Fingerprint::of(b"one"), Fingerprint::of(b"other"));
        pin.confirm(Some(one)).unwrap();
        assert_eq!(pin.confirmed().unwrap(), Some(one));
        assert_eq!(Pin::at(folder.path(), "https://elsewhere.example", false).confirmed().unwrap(), None);
        pin.confirm(Some(other)).unwrap();
        assert_eq!(pin.confirmed().unwrap(), Some(other));
        pin.confirm(None).unwrap();
        assert_eq!(pin.confirmed().unwrap(), None);
    }

    #[test]
    fn a_file_that_names_no_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pin = Pin::at(folder.path(), "https://h", false);
        for text in ["", "{}", r#"{"url":"https://h","fingerprint":"sha256:12"}"#, &"x".repeat(10_000)] {
            std::fs::write(folder.path().join("upstream-pin"), text).unwrap();
            let expected = format!(
                "`{}` names no certificate: remove it, and confirm the certificate again",
                folder.path().join("upstream-pin").display()
            );
            assert_eq!(pin.confirmed().unwrap_err().to_string(), expected);
        }
    }
}

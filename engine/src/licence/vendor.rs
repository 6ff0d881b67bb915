//! Whose licences are believed.

use std::io;
use std::path::{Path, PathBuf};

use super::contents;
use crate::audit::VerifierKey;

/// The vendor's public key, compiled in. Its private part is not in the repository: whoever builds a release of their
/// own puts the public part of a key of theirs in the place of the file (`linesman licence keygen`).
const VENDOR: &str = include_str!("vendor.pub");
/// The largest file of a public key, in bytes.
const BYTES_MOST: u64 = 1024;

/// Why a public key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the key `{}` cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("`{}` is no public key of licences: `linesman licence keygen` makes one, with `.pub` behind its name", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

/// The key of this build; none where what was put into its place is none.
pub fn built_in() -> Option<VerifierKey> {
    VENDOR.parse().ok()
}

/// The key of a file.
///
/// # Errors
/// The file cannot be read, or holds none.
pub fn read(path: &Path) -> Result<VerifierKey, Error> {
    let bytes = contents(path, BYTES_MOST).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let text = std::str::from_utf8(&bytes).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Error::NoKey { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::SIGNED_AS;

    #[test]
    fn this_build_has_a_key() {
        assert_eq!(built_in().unwrap().name(), SIGNED_AS);
    }
}

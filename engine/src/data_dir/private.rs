//! Files and folders that only the engine's own user may read, and the random text of secrets.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes the folder and its missing parents, and closes the folder itself to other users (mode 0700). It is one of the
/// engine's own: see [`make_dir`].
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    make_dir(path)?;
    // A folder made by hand, or with the umask of somebody else, is closed too.
    if std::fs::metadata(path)?.permissions().mode() & 0o7777 == 0o700 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Makes the folder and its missing parents, for their owner alone (mode 0700); one that is there, and that somebody has
/// named, stays as it is.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens the file for reading and writing, made with mode 0600 where it is missing; nothing of it is lost.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Puts `contents` in the place of the file in one step, with mode 0600: a reader sees the old file or the new one.
///
/// The contents are on disk when this returns. The caller is the only writer of the file.
pub(crate) fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = Path::new(&fresh);
    remove(fresh)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(fresh)?;
    file.write_all(contents)?;
    file.sync_all()?;
    std::fs::rename(fresh, path)?;
    match path.parent() {
        // A name alone lies in the folder at hand.
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Removes the file; one that is not there is as good as removed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// `BYTES` random bytes as lower-case hexadecimal digits.
pub(crate) fn random_hex<const BYTES: usize>() -> io::Result<String> {
    Ok(hex::encode(random::<BYTES>()?))
}

/// `BYTES` random bytes of the TLS provider (the kernel's generator).
pub(crate) fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(bytes)
}

//! The folder of a data directory as others may share it: in the system's temporary folder, at hand by accident, or a volume
//! that belongs to a group. Its mode is its owner's to say, and is never changed.
//!
//! | who may do what in it | what becomes of it |
//! |---|---|
//! | nobody but its owner | it is taken |
//! | anybody may write, but none remove what is another's (sticky, as `/tmp`) | refused |
//! | anybody may write, and what the engine made there belongs to another user | refused |
//! | anybody may look at it, and something else lies there, and no engine was there yet | refused |
//! | anything else that others may | it is taken, and told |
//!
//! What the engine keeps in it is closed to others by itself; where a volume was handed to a group with all that lies in it
//! (Kubernetes' `fsGroup`), its keys are closed to the group again.

use std::fs::{self, DirEntry, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::private;
use super::{Error, at};

const STICKY: u32 = 0o1000;
const SET_GROUP: u32 = 0o2000;
const GROUP_WRITES: u32 = 0o020;
const ANYBODY_WRITES: u32 = 0o002;
const ANYBODY: u32 = 0o007;
const OTHERS: u32 = 0o077;

/// What makes a folder one that an engine had before, or that somebody has made for one.
const TAKEN: [&str; 2] = ["lock", "installation"];
/// What lies in a file system's own folder.
const LOST: &str = "lost+found";
/// What of the engine's is secret, files and folders.
const SECRET: [&str; 4] = ["keys", "tls", "token", "doors.json"];

/// Makes the folder, for its owner alone, where it is missing, and otherwise looks whether it may be taken; its absolute
/// path.
///
/// # Errors
/// [`Error::Shared`] when it may not; [`Error::File`] when it cannot be made or looked at.
pub(super) fn take(path: &Path) -> Result<PathBuf, Error> {
    private::make_dir(path).map_err(at(path))?;
    let root = path.canonicalize().map_err(at(path))?;
    let metadata = fs::metadata(&root).map_err(at(&root))?;
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS == 0 {
        return Ok(root);
    }
    let found = fs::read_dir(&root).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(at(&root))?;
    if let Some(reason) = refused(mode, &found).map_err(at(&root))? {
        return Err(Error::Shared { reason, own: root.join("linesman"), path: root });
    }
    let is_of_group = mode & ANYBODY == 0 && mode & (SET_GROUP | GROUP_WRITES) == SET_GROUP | GROUP_WRITES;
    if is_of_group {
        for path in SECRET.map(|name| root.join(name)) {
            close(&path).map_err(at(&path))?;
        }
        tracing::info!(path = %root.display(), mode = %shown(mode), "the data directory belongs to a group");
    } else {
        tracing::warn!(
            path = %root.display(), mode = %shown(mode),
            "others may look into the data directory; what the engine keeps there is closed to them, and mode 0700 closes it as a \
             whole"
        );
    }
    Ok(root)
}

/// Why a folder of that mode, with that in it, is refused; none where it is not.
fn refused(mode: u32, found: &[DirEntry]) -> io::Result<Option<String>> {
    let shown = shown(mode);
    if mode & ANYBODY_WRITES != 0 {
        if mode & STICKY != 0 {
            return Ok(Some(format!("it is everybody's (mode {shown})")));
        }
        for entry in found.iter().filter(|entry| SECRET.iter().any(|name| entry.file_name() == *name)) {
            let owner = entry.metadata()?.uid();
            if owner != rustix::process::geteuid().as_raw() {
                let name = entry.file_name().to_string_lossy().into_owned();
                return Ok(Some(format!(
                    "anybody may write there (mode {shown}), and `{name}` in it is another user's"
                )));
            }
        }
    }
    let is_taken = found.iter().any(|entry| TAKEN.iter().any(|name| entry.file_name() == *name));
    if is_taken || mode & ANYBODY == 0 {
        return Ok(None);
    }
    let mut others: Vec<String> = found
        .iter()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != LOST)
        .collect();
    others.sort();
    Ok(others.first().map(|name| format!("others may look into it (mode {shown}), and `{name}` lies there already")))
}

/// Closes a file, or a folder with all in it, to its group, where it is not closed.
fn close(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            close(&entry?.path())?;
        }
    }
    if is_open_to_group(&metadata) {
        fs::set_permissions(path, Permissions::from_mode(metadata.mode() & 0o700))?;
        tracing::warn!(path = %path.display(), "it was open to its group, and is closed");
    }
    Ok(())
}

/// Whether a group may what others may not; what is open to others too is no doing of a volume's.
fn is_open_to_group(metadata: &Metadata) -> bool {
    let is_of_ours = metadata.is_dir() || metadata.is_file();
    is_of_ours && metadata.mode() & OTHERS != 0 && metadata.mode() & ANYBODY == 0
}

fn shown(mode: u32) -> String {
    format!("{mode:04o}")
}

#[cfg(test)]
mod tests {
    use super::super::DataDir;
    use super::*;

    fn folder(mode: u32, files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "").unwrap();
        }
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        folder
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn a_folder_that_is_there_keeps_its_mode_whatever_becomes_of_it() {
        for (before, files, is_taken) in [
            (0o700, &["notes.txt"][..], true),
            (0o755, &[], true),
            (0o755, &["lost+found"], true),
            (0o755, &["notes.txt"], false),
            (0o755, &["lock", "notes.txt"], true),
            (0o750, &["notes.txt"], true),
            (0o2770, &["notes.txt"], true),
            (0o777, &[], true),
            (0o777, &["notes.txt"], false),
            (0o1777, &[], false),
            (0o1777, &["lock"], false),
        ] {
            let folder = folder(before, files);
            let taken = DataDir::open(folder.path());
            assert_eq!(taken.is_ok(), is_taken, "{before:o} {files:?}: {taken:?}");
            assert_eq!(mode(folder.path()), before, "{files:?}");
            assert_eq!(folder.path().join("state").exists(), is_taken, "nothing is left where it is refused");
        }
    }

    #[test]
    fn a_refusal_says_why_and_where_else() {
        let said = |folder: &tempfile::TempDir| {
            let path = folder.path().canonicalize().unwrap().display().to_string();
            DataDir::open(folder.path()).unwrap_err().to_string().replace(&path, "D")
        };
        assert_eq!(
            said(&folder(0o1777, &[])),
            "`D` is no place for a data directory: it is everybody's (mode 1777); name a folder of its own, such as `D/linesman`"
        );
        assert_eq!(
            said(&folder(0o755, &["b", "a"])),
            "`D` is no place for a data directory: others may look into it (mode 0755), and `a` lies there already; name a \
             folder of its own, such as `D/linesman`"
        );
    }

    #[test]
    fn a_volume_of_a_group_works_and_its_keys_are_closed_to_the_group_again() {
        let folder = folder(0o2770, &[]);
        let at = |name: &str| folder.path().join(name);
        let token = DataDir::open(folder.path()).unwrap().token().unwrap();
        fs::write(at("keys/seal"), "key").unwrap();
        // As a volume is handed to its group when a pod starts.
        for (name, open) in [("keys", 0o2770), ("keys/seal", 0o660), ("token", 0o660), ("tls", 0o2770)] {
            fs::set_permissions(at(name), Permissions::from_mode(open)).unwrap();
        }
        let again = DataDir::open(folder.path()).unwrap();
        assert_eq!(again.token().unwrap(), token);
        let modes = ["keys", "keys/seal", "token", "tls"].map(|name| mode(&at(name)));
        assert_eq!(modes, [0o700, 0o600, 0o600, 0o700]);
        assert_eq!(mode(folder.path()), 0o2770);
    }
}

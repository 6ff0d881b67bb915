//! The rule directory `R`: policies for all organizations, and one folder for each that has its own.
//!
//! ```text
//! R/open-case.rhai          policy `open-case`, for all organizations or those it names
//! R/acme/night-shift.rhai   policy `acme/night-shift`, for `acme` alone
//! ```
//!
//! Services lie in a folder of their own ([`services`]).
//!
//! Other files are left alone.

pub mod services;

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use linesman_rules::{Code, Diagnostic, Policy};
use linesman_schemas::control::PolicySource;
use linesman_schemas::{OrgName, PolicyName};
use services::ServiceFiles;
use sha2::{Digest, Sha256};

/// The largest policy in bytes, well above what a policy may be: the rules name their own bound.
const MOST_BYTES: u64 = 4 << 20;

/// Why the directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the rules in `{}` cannot be read", path.display())]
pub struct Error {
    /// Which file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// One policy file.
#[derive(Debug)]
pub struct PolicyFile {
    /// Where it lies.
    pub path: PathBuf,
    /// The same, from the rule directory on.
    pub within: String,
    /// The organization whose folder it lies in.
    pub owner: Option<OrgName>,
    /// Its text; empty when it cannot be read.
    pub text: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub hash: String,
    /// The policy's name and owner, where the file's name gives one.
    pub source: Option<PolicySource>,
    /// What is wrong with it; empty for a policy that can be used.
    pub faults: Vec<Diagnostic>,
}

/// What the rule directory says.
#[derive(Debug)]
pub struct Files {
    /// The policies, in order of name.
    pub policies: Vec<PolicyFile>,
    /// The services.
    pub services: ServiceFiles,
}

/// By what a file that has changed, or was replaced by another, is known without reading it.
/// Symbolic links count as what they lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    path: PathBuf,
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A policy file that was found, and the folder it lies in.
struct Found {
    path: PathBuf,
    folder: Option<String>,
    stamp: Stamp,
}

/// Looks at every file of policies and services without reading it, in order of name.
///
/// # Errors
/// The directory, or a folder or file in it, cannot be looked at.
pub fn look(dir: &Path) -> Result<Vec<Stamp>, Error> {
    let mut stamps: Vec<_> = find(dir)?.into_iter().map(|found| found.stamp).collect();
    stamps.extend(services::look(dir)?);
    Ok(stamps)
}

/// Reads every file of policies and services.
///
/// # Errors
/// The directory, or a folder in it, cannot be read; what is wrong with a policy or a service is told with it.
pub fn read_all(dir: &Path) -> Result<Files, Error> {
    Ok(Files { policies: read(dir)?, services: services::read(dir)? })
}

/// Reads every policy file, in order of name.
///
/// # Errors
/// The directory, or a folder in it, cannot be read; what is wrong with a policy is told with its file.
pub fn read(dir: &Path) -> Result<Vec<PolicyFile>, Error> {
    Ok(find(dir)?.into_iter().map(|found| read_policy(dir, found)).collect())
}

fn find(dir: &Path) -> Result<Vec<Found>, Error> {
    let mut policies = Vec::new();
    for (path, metadata) in entries(dir)? {
        if is_policy(&path, &metadata) {
            policies.push(Found { folder: None, stamp: stamp(&path, &metadata), path });
        } else if metadata.is_dir() {
            let folder = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for (path, metadata) in entries(&path)?.into_iter().filter(|(path, metadata)| is_policy(path, metadata)) {
                policies.push(Found { folder: Some(folder.clone()), stamp: stamp(&path, &metadata), path });
            }
        }
    }
    Ok(policies)
}

fn entries(dir: &Path) -> Result<Vec<(PathBuf, std::fs::Metadata)>, Error> {
    let fault = |source| Error { path: dir.to_owned(), source };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        match std::fs::metadata(&path) {
            Ok(metadata) => entries.push((path, metadata)),
            // Removed meanwhile, or a link that leads nowhere.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // Files that cannot be looked at have not been removed.
            Err(source) => return Err(Error { path, source }),
        }
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(entries)
}

fn is_policy(path: &Path, metadata: &std::fs::Metadata) -> bool {
    metadata.is_file() && path.extension().is_some_and(|extension| extension == "rhai")
}

fn stamp(path: &Path, metadata: &std::fs::Metadata) -> Stamp {
    Stamp {
        path: path.to_owned(),
        file: (metadata.dev(), metadata.ino()),
        length: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

fn read_policy(dir: &Path, found: Found) -> PolicyFile {
    let Found { path, folder, stamp } = found;
    let mut faults = Vec::new();
    let bytes = if stamp.length > MOST_BYTES {
        let message = format!("the file has {} bytes, a policy has at most {MOST_BYTES}", stamp.length);
        faults.push(Diagnostic::of_file(Code::File, message, None));
        Vec::new()
    } else {
        std::fs::read(&path).unwrap_or_else(|error| {
            faults.push(Diagnostic::of_file(Code::File, format!("the file cannot be read: {error}"), None));
            Vec::new()
        })
    };
    let hash = hex::encode(Sha256::digest(&bytes));
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        let message = format!("the file is not UTF-8: {}", error.utf8_error());
        faults.push(Diagnostic::of_file(Code::File, message, None));
        String::new()
    });
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = folder.as_ref().map_or_else(|| stem.to_string(), |folder| format!("{folder}/{stem}"));
    let help = Some("the file's name is the policy's name; its folder's name the organization's");
    let owner = folder.as_deref().map(str::parse::<OrgName>).transpose();
    let named = match (name.parse::<PolicyName>(), &owner) {
        (Ok(name), Ok(owner)) => Some((name, owner.clone())),
        (Err(error), _) => {
            faults.push(Diagnostic::of_file(Code::Name, error.to_string(), help));
            None
        }
        (_, Err(error)) => {
            faults.push(Diagnostic::of_file(Code::Name, error.to_string(), help));
            None
        }
    };
    let source = named.map(|(name, owner)| PolicySource { name, owner, source: text.clone(), origin: None });
    if faults.is_empty()
        && let Some(source) = &source
        && let Err(found) = Policy::load(source)
    {
        faults = found;
    }
    let within = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
    PolicyFile { within, owner: owner.ok().flatten(), path, text, hash, source, faults }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_give_names_and_folders_owners() {
        let dir = tempfile::tempdir().unwrap();
        let policy = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { }\n";
        std::fs::create_dir(dir.path().join("acme")).unwrap();
        for (path, text) in [
            ("b.rhai", policy),
            ("a.rhai", "policy("),
            ("acme/own.rhai", policy),
            ("bad name.rhai", policy),
            ("notes.txt", "no policy"),
        ] {
            std::fs::write(dir.path().join(path), text).unwrap();
        }
        let files = read(dir.path()).unwrap();
        let found: Vec<_> = files
            .iter()
            .map(|file| (file.source.as_ref().map(|source| source.name.to_string()), file.faults.is_empty()))
            .collect();
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(found, [(name("a"), false), (name("acme/own"), true), (name("b"), true), (None, false)]);
    }

    #[test]
    fn a_look_sees_what_has_changed_in_any_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("acme")).unwrap();
        std::fs::write(path("a.rhai"), "one").unwrap();
        let mut looks = vec![look(dir.path()).unwrap()];
        assert_eq!(look(dir.path()).unwrap(), looks[0], "nothing has changed");
        // Another file of the same length and time.
        let modified = std::fs::metadata(path("a.rhai")).unwrap().modified().unwrap();
        std::fs::write(path(".a"), "two").unwrap();
        std::fs::File::options().write(true).open(path(".a")).unwrap().set_modified(modified).unwrap();
        std::fs::rename(path(".a"), path("a.rhai")).unwrap();
        looks.push(look(dir.path()).unwrap());
        std::fs::write(path("acme/b.rhai"), "").unwrap();
        looks.push(look(dir.path()).unwrap());
        std::fs::remove_file(path("a.rhai")).unwrap();
        looks.push(look(dir.path()).unwrap());
        std::fs::write(path("notes.txt"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", path("c.rhai")).unwrap();
        assert_eq!(look(dir.path()).unwrap(), looks[3], "no policy is there");
        looks.push(Vec::new());
        looks.dedup();
        assert_eq!(looks.len(), 5);
        std::fs::remove_dir_all(dir.path()).unwrap();
        let gone = format!("the rules in `{}` cannot be read", dir.path().display());
        assert_eq!(look(dir.path()).unwrap_err().to_string(), gone);
    }
}

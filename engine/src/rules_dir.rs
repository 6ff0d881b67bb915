//! The rule directory `R`: policies for all organizations, and one folder for each that has its own.
//!
//! ```text
//! R/open-case.rhai          policy `open-case`, for all organizations or those it names
//! R/acme/night-shift.rhai   policy `acme/night-shift`, for `acme` alone
//! ```
//!
//! Services lie in a folder of their own ([`services`]).
//!
//! Other files are left alone. INVARIANT (a fault is its own): what cannot be looked at, a file or the folder of an
//! organization, is refused by itself and takes nothing else along; the directory itself must be readable.

mod known;
pub mod organizations;
pub(crate) mod room;
pub mod services;

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub use known::Known;
use linesman_rules::{Code, Diagnostic, Policy};
use linesman_schemas::control::PolicySource;
use linesman_schemas::{OrgName, PolicyName};
pub(crate) use room::Room;
use services::ServiceFiles;
use sha2::{Digest, Sha256};

/// The largest policy in bytes, well above what a policy may be: the rules name their own bound.
const MOST_BYTES: u64 = 4 << 20;
/// The longest name of a policy, in characters, without its organization's.
const NAME_MOST: usize = 64;

/// Why the directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the rules in `{}` cannot be read", path.display())]
pub struct Error {
    /// Which file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// One policy file; or a folder of policies that cannot be read.
#[derive(Debug, Clone)]
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
    /// Whether it stands for all policies of a folder.
    pub is_folder: bool,
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

impl Stamp {
    /// The file system it lies on.
    pub(crate) const fn device(&self) -> u64 {
        self.file.0
    }
}

/// A policy file that was found, and the folder it lies in; or a folder.
struct Found {
    path: PathBuf,
    folder: Option<String>,
    stamp: Stamp,
    /// Why it cannot be looked at.
    unseen: Option<String>,
    is_folder: bool,
}

impl Found {
    fn seen(path: PathBuf, folder: Option<String>, metadata: &Metadata) -> Self {
        Self { stamp: stamp(&path, metadata), path, folder, unseen: None, is_folder: false }
    }

    fn unseen(path: PathBuf, folder: Option<String>, error: &io::Error) -> Self {
        let is_folder = folder.is_none() && !is_rhai(&path);
        Self { stamp: unseen_stamp(&path, error), path, folder, unseen: Some(error.to_string()), is_folder }
    }
}

/// Looks at every file of policies and services without reading it, in order of name.
///
/// # Errors
/// The directory cannot be looked at.
pub fn look(dir: &Path) -> Result<Vec<Stamp>, Error> {
    let mut stamps: Vec<_> = find(dir)?.into_iter().map(|found| found.stamp).collect();
    stamps.extend(services::look(dir));
    Ok(stamps)
}

/// The folders in which something may change, the directory itself the first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// Those that can be read.
    pub paths: Vec<PathBuf>,
    /// Whether anything in them is a link: what lies behind it may change elsewhere.
    pub has_links: bool,
}

/// The folders of policies and services, without a look at the files.
pub fn folders(dir: &Path) -> Folders {
    let mut found = Folders::default();
    let of_services = dir.join(services::SERVICES);
    for path in found.enter(dir) {
        let within = found.enter(&path);
        if path == of_services {
            within.iter().for_each(|path| drop(found.enter(path)));
        }
    }
    found
}

impl Folders {
    /// The folders in one that can be read.
    fn enter(&mut self, dir: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
        self.paths.push(dir.to_owned());
        let kinds = entries.flatten().filter_map(|entry| Some((entry.path(), entry.file_type().ok()?)));
        let mut within = Vec::new();
        for (path, kind) in kinds {
            self.has_links |= kind.is_symlink();
            if kind.is_dir() {
                within.push(path);
            }
        }
        within.sort();
        within
    }
}

/// Reads every file of policies and services.
///
/// # Errors
/// The directory cannot be read; what is wrong with a folder, a policy or a service is told with it.
pub fn read_all(dir: &Path) -> Result<Files, Error> {
    Ok(Files { policies: read(dir)?, services: services::read(dir) })
}

/// Reads every policy file, in order of name.
///
/// # Errors
/// The directory cannot be read; what is wrong with a folder or a policy is told with it.
pub fn read(dir: &Path) -> Result<Vec<PolicyFile>, Error> {
    let mut files: Vec<_> = find(dir)?.into_iter().map(|found| read_found(dir, found)).collect();
    refuse_beyond(&mut files);
    Ok(files)
}

/// Refuses those for which there is no room.
fn refuse_beyond(files: &mut [PolicyFile]) {
    for (at, fault) in Room::default().refuse(files, |_| 0) {
        if let Some(file) = files.get_mut(at) {
            file.faults.push(fault);
        }
    }
}

fn find(dir: &Path) -> Result<Vec<Found>, Error> {
    let mut policies = Vec::new();
    for Entry { path, metadata } in entries(dir)? {
        match metadata {
            Ok(metadata) if is_policy(&path, &metadata) => policies.push(Found::seen(path, None, &metadata)),
            Ok(metadata) if metadata.is_dir() => policies.extend(find_in(path)),
            Ok(_) => {}
            Err(error) if is_rhai(&path) || is_owned(&path) => policies.push(Found::unseen(path, None, &error)),
            Err(_) => {}
        }
    }
    Ok(policies)
}

/// What lies in a folder; what no organization can have there, as in `lost+found`, is left alone where it cannot be read.
fn find_in(path: PathBuf) -> Vec<Found> {
    let folder = Some(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    let found = match entries(&path) {
        Ok(found) => found,
        Err(error) if is_owned(&path) => return vec![Found::unseen(path, None, &error.source)],
        Err(_) => return Vec::new(),
    };
    let found = found.into_iter().filter_map(|Entry { path, metadata }| match metadata {
        Ok(metadata) => is_policy(&path, &metadata).then(|| Found::seen(path, folder.clone(), &metadata)),
        Err(error) => is_rhai(&path).then(|| Found::unseen(path, folder.clone(), &error)),
    });
    found.collect()
}

/// Whether a folder's name is one of an organization.
fn is_owned(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().parse::<OrgName>().is_ok())
}

/// What lies in a folder.
struct Entry {
    path: PathBuf,
    /// Why it cannot be looked at.
    metadata: io::Result<Metadata>,
}

/// What lies in a folder, in order of name.
fn entries(dir: &Path) -> Result<Vec<Entry>, Error> {
    let fault = |source| Error { path: dir.to_owned(), source };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        match std::fs::metadata(&path) {
            // Removed meanwhile, or a link that leads nowhere.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // What cannot be looked at has not been removed.
            metadata => entries.push(Entry { path, metadata }),
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn is_policy(path: &Path, metadata: &Metadata) -> bool {
    metadata.is_file() && is_rhai(path)
}

fn is_rhai(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rhai")
}

/// By what is known that something is still as unseen as it was.
fn unseen_stamp(path: &Path, error: &io::Error) -> Stamp {
    let length = error.raw_os_error().and_then(|code| u64::try_from(code).ok()).unwrap_or_default();
    Stamp { path: path.to_owned(), file: (0, 0), length, modified: (0, 0), changed: (0, 0) }
}

fn stamp(path: &Path, metadata: &Metadata) -> Stamp {
    Stamp {
        path: path.to_owned(),
        file: (metadata.dev(), metadata.ino()),
        length: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

fn read_found(dir: &Path, found: Found) -> PolicyFile {
    let within = found.path.strip_prefix(dir).unwrap_or(&found.path).to_string_lossy().into_owned();
    match &found.unseen {
        Some(error) if found.is_folder => {
            let help = Some("its policies stay as they were loaded last");
            PolicyFile {
                owner: within.parse().ok(),
                text: String::new(),
                hash: hex::encode(Sha256::digest(error)),
                source: None,
                faults: vec![Diagnostic::of_file(Code::File, format!("the folder cannot be read: {error}"), help)],
                is_folder: true,
                path: found.path,
                within,
            }
        }
        _ => read_policy(within, found),
    }
}

/// The bytes of a policy; none where they cannot be had, which `faults` then tells.
fn read_bytes(found: &Found, faults: &mut Vec<Diagnostic>) -> Vec<u8> {
    let read = match &found.unseen {
        Some(error) => Err(format!("the file cannot be read: {error}")),
        None if found.stamp.length > MOST_BYTES => {
            Err(format!("the file has {} bytes, a policy has at most {MOST_BYTES}", found.stamp.length))
        }
        None => std::fs::read(&found.path).map_err(|error| format!("the file cannot be read: {error}")),
    };
    read.unwrap_or_else(|message| {
        faults.push(Diagnostic::of_file(Code::File, message, None));
        Vec::new()
    })
}

fn read_policy(within: String, found: Found) -> PolicyFile {
    let mut faults = Vec::new();
    let bytes = read_bytes(&found, &mut faults);
    let Found { path, folder, .. } = found;
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
            let length = stem.chars().count();
            let message = match length > NAME_MOST {
                true => {
                    let begin: String = stem.chars().take(NAME_MOST).collect();
                    format!("the policy name `{begin}…` has {length} characters, of which it may have {NAME_MOST}")
                }
                false => error.to_string(),
            };
            faults.push(Diagnostic::of_file(Code::Name, message, help));
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
    PolicyFile { within, owner: owner.ok().flatten(), path, text, hash, source, faults, is_folder: false }
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
        std::fs::write(dir.path().join(format!("acme/{}.rhai", "n".repeat(70))), policy).unwrap();
        let files = read(dir.path()).unwrap();
        let long = files.iter().find(|file| file.within.contains("nnn")).unwrap();
        let begin = "n".repeat(64);
        let told = format!("the policy name `{begin}…` has 70 characters, of which it may have 64");
        assert_eq!(long.faults[0].message, told);
    }

    #[test]
    fn what_cannot_be_looked_at_is_refused_by_itself() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let policy = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { }\n";
        for folder in ["acme", "bolt", "services/drain"] {
            std::fs::create_dir_all(path(folder)).unwrap();
        }
        std::fs::write(path("acme/own.rhai"), policy).unwrap();
        std::fs::write(path("services/drain/service.toml"), "title = \"drain\"").unwrap();
        // Each leads to itself: a policy, what may be a policy of the organization's, its folder, and what is nobody's.
        for name in
            ["round.rhai", "acme/round.rhai", "acme/notes", "cobalt", "lost+found", "services/nat", "parameters.toml"]
        {
            let own = Path::new(name).file_name().unwrap();
            symlink(own, path(name)).unwrap();
        }
        let Files { policies, services } = read_all(dir.path()).unwrap();
        let found: Vec<_> = policies.iter().map(|file| (&*file.within, file.faults.len(), file.is_folder)).collect();
        let expected =
            [("acme/own.rhai", 0, false), ("acme/round.rhai", 1, false), ("cobalt", 1, true), ("round.rhai", 1, false)];
        assert_eq!(found, expected);
        assert_eq!(policies[2].owner, Some("cobalt".parse().unwrap()));
        assert!(policies[2].faults[0].message.starts_with("the folder cannot be read: "), "{:?}", policies[2].faults);
        let found: Vec<_> = services.folders.iter().map(|folder| (&*folder.within, folder.faults.len())).collect();
        assert_eq!(found, [("services/drain", 0), ("services/nat", 1)]);
        assert_eq!(services.parameters.unwrap().faults.len(), 1);
        let seen = look(dir.path()).unwrap();
        assert_eq!(look(dir.path()).unwrap(), seen, "what is unseen is settled too");
        std::fs::remove_file(path("cobalt")).unwrap();
        assert_ne!(look(dir.path()).unwrap(), seen);
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

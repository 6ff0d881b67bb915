//! The rule directory `R`: policies for all organizations, and one folder for each that has its own.
//!
//! ```text
//! R/open-case.rhai          policy `open-case`, for all organizations or those it names
//! R/acme/night-shift.rhai   policy `acme/night-shift`, for `acme` alone
//! ```
//!
//! Other files are left alone.

use std::path::{Path, PathBuf};

use linesman_rules::{Diagnostic, Policy};
use linesman_schemas::control::PolicySource;
use linesman_schemas::{OrgName, PolicyName};

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
    /// Its text.
    pub text: String,
    /// The policy's name and owner, where the file's name gives one.
    pub source: Option<PolicySource>,
    /// What is wrong with it; empty for a policy that can be used.
    pub faults: Vec<Diagnostic>,
}

/// Reads every policy file, in order of name.
///
/// # Errors
/// A file or folder cannot be read; what is wrong with a policy is told with its file.
pub fn read(dir: &Path) -> Result<Vec<PolicyFile>, Error> {
    let mut files = Vec::new();
    for entry in entries(dir)? {
        if is_policy(&entry) {
            files.push(read_policy(&entry, None)?);
        } else if entry.is_dir() {
            let folder = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for file in entries(&entry)?.into_iter().filter(|file| is_policy(file)) {
                files.push(read_policy(&file, Some(&folder))?);
            }
        }
    }
    Ok(files)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let fault = |source| Error { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_policy(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension == "rhai")
}

fn read_policy(path: &Path, folder: Option<&str>) -> Result<PolicyFile, Error> {
    let fault = |source| Error { path: path.to_owned(), source };
    let at_start = |message: String, help: Option<String>| Diagnostic { line: 1, column: 1, message, help };
    let length = std::fs::metadata(path).map_err(fault)?.len();
    let bytes = if length > MOST_BYTES { Vec::new() } else { std::fs::read(path).map_err(fault)? };
    let mut faults = Vec::new();
    if length > MOST_BYTES {
        faults.push(at_start(format!("the file has {length} bytes, a policy has at most {MOST_BYTES}"), None));
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        faults.push(at_start(format!("the file is not UTF-8: {}", error.utf8_error()), None));
        String::new()
    });
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = folder.map_or_else(|| stem.to_string(), |folder| format!("{folder}/{stem}"));
    let help = Some("the file's name is the policy's name; its folder's name the organization's".to_owned());
    let named = match (name.parse::<PolicyName>(), folder.map(str::parse::<OrgName>).transpose()) {
        (Ok(name), Ok(owner)) => Some((name, owner)),
        (Err(error), _) | (_, Err(error)) => {
            faults.push(at_start(error.to_string(), help));
            None
        }
    };
    let source = named.map(|(name, owner)| PolicySource { name, owner, source: text.clone() });
    if faults.is_empty()
        && let Some(source) = &source
        && let Err(found) = Policy::load(source)
    {
        faults = found;
    }
    Ok(PolicyFile { path: path.to_owned(), text, source, faults })
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
}

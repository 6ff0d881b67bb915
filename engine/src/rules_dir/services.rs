//! The services in the rule directory: a folder for each, and the parameters of all of them.
//!
//! ```text
//! R/services/nat/service.toml   what the service `nat` is called and asks for
//! R/services/nat/pool.j2        a template of it
//! R/services/nat/tests/         is left alone here
//! R/parameters.toml             parameters of all services
//! ```
//!
//! Other files are left alone: `R/services/*.rhai` are policies of an organization that is called `services`.

mod judged;

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::Path;

use linesman_rules::{Code, Diagnostic};
use linesman_schemas::ServiceName;
use linesman_schemas::service::{
    ALL_BYTES_MOST, BYTES_MOST, DEFINITION, FILES_MOST, Fault, SERVICES_MOST, ServiceSource, TEMPLATE,
};
use sha2::{Digest, Sha256};

use super::{Entry, Error, Stamp, entries, stamp, unseen_stamp};

/// The folder of services.
pub(super) const SERVICES: &str = "services";
/// The file of the parameters of all services.
pub const PARAMETERS: &str = "parameters.toml";

pub use judged::judge;

/// What there is of services.
#[derive(Debug, Clone, Default)]
pub struct ServiceFiles {
    /// A folder for each, in order of name.
    pub folders: Vec<ServiceFolder>,
    /// The parameters of all services, where there is a file of them.
    pub parameters: Option<ParametersFile>,
}

/// A service's folder.
#[derive(Debug, Clone)]
pub struct ServiceFolder {
    /// Where it lies, from the rule directory on.
    pub within: String,
    /// SHA-256 over the names and bytes of its files, in hexadecimal.
    pub hash: String,
    /// The service's name, where the folder's is one.
    pub name: Option<ServiceName>,
    /// The service; none where its files cannot be read as one.
    pub source: Option<ServiceSource>,
    /// What is wrong with it; empty for a service that can be used.
    pub faults: Vec<FileFault>,
    /// What works and may still surprise; known once it was judged.
    pub warnings: Vec<FileFault>,
    /// Whether it stands for all services: their folder cannot be read.
    pub is_all: bool,
}

/// The file of the parameters of all services.
#[derive(Debug, Clone)]
pub struct ParametersFile {
    /// SHA-256 of its bytes, in hexadecimal.
    pub hash: String,
    /// Its text; none where it cannot be read.
    pub text: Option<String>,
    /// What is wrong with it; empty where it can be used.
    pub faults: Vec<FileFault>,
}

/// What is wrong with a file, or with a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    /// Where it lies, from the rule directory on.
    pub within: String,
    /// What is wrong.
    pub fault: Diagnostic,
}

impl ServiceFiles {
    /// Whether there is nothing of services at all.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.parameters.is_none()
    }

    /// What is wrong, file by file.
    pub fn faults(&self) -> impl Iterator<Item = &FileFault> {
        let of_parameters = self.parameters.iter().flat_map(|file| &file.faults);
        self.folders.iter().flat_map(|folder| &folder.faults).chain(of_parameters)
    }
}

/// Looks at every file of services without reading it.
pub(super) fn look(dir: &Path) -> Vec<Stamp> {
    let mut stamps = Vec::new();
    match folders(dir) {
        Err(error) => stamps.push(unseen_stamp(&error.path, &error.source)),
        Ok(folders) => folders.into_iter().for_each(|folder| look_at(folder, &mut stamps)),
    }
    stamps.extend(parameters(dir).map(|Entry { path, metadata }| stamp_of(&path, &metadata)));
    stamps
}

fn look_at(Entry { path, metadata }: Entry, stamps: &mut Vec<Stamp>) {
    // That it is there counts, empty or not.
    stamps.push(match &metadata {
        Ok(metadata) => Stamp { length: 0, modified: (0, 0), changed: (0, 0), ..stamp(&path, metadata) },
        Err(error) => return stamps.push(unseen_stamp(&path, error)),
    });
    match files(&path) {
        Ok(files) => stamps.extend(files.into_iter().map(|Entry { path, metadata }| stamp_of(&path, &metadata))),
        Err(error) => stamps.push(unseen_stamp(&path, &error.source)),
    }
}

fn stamp_of(path: &Path, metadata: &io::Result<Metadata>) -> Stamp {
    match metadata {
        Ok(metadata) => stamp(path, metadata),
        Err(error) => unseen_stamp(path, error),
    }
}

/// Reads every file of services, and looks at their form. What they say is for [`judge`]. What cannot be read is told with
/// its folder.
pub(super) fn read(dir: &Path) -> ServiceFiles {
    let mut read = ServiceFiles::default();
    let mut bytes_left = ALL_BYTES_MOST;
    let folders = folders(dir).unwrap_or_else(|error| {
        read.folders.push(ServiceFolder { is_all: true, ..unread(SERVICES.to_owned(), &error.source) });
        Vec::new()
    });
    for Entry { path, metadata } in folders {
        let mut folder = match metadata.map_err(|source| Error { path: path.clone(), source }) {
            Ok(_) => read_folder(dir, &path),
            Err(error) => Err(error),
        }
        .unwrap_or_else(|error| unread(within(dir, &path), &error.source));
        let bytes: usize = folder.source.iter().flat_map(|source| source.files.values()).map(String::len).sum();
        let refused = match bytes_left.checked_sub(bytes) {
            _ if read.folders.len() >= SERVICES_MOST => Some(format!("there are more than {SERVICES_MOST} services")),
            Some(left) => {
                bytes_left = left;
                None
            }
            None => Some(format!("all services together have more than {ALL_BYTES_MOST} bytes")),
        };
        if let Some(message) = refused {
            folder.source = None;
            folder.faults.push(of_file(&folder.within, Code::Limit, message));
        }
        read.folders.push(folder);
    }
    read.parameters = parameters(dir).map(|Entry { path, metadata }| read_parameters(&path, metadata));
    read
}

/// A folder that cannot be read.
fn unread(within: String, error: &io::Error) -> ServiceFolder {
    ServiceFolder {
        hash: hex::encode(Sha256::digest(error.to_string())),
        name: within.rsplit('/').next().and_then(|name| name.parse().ok()).filter(|_| within != SERVICES),
        source: None,
        faults: vec![of_file(&within, Code::File, format!("the folder cannot be read: {error}"))],
        warnings: Vec::new(),
        is_all: false,
        within,
    }
}

fn within(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).to_string_lossy().into_owned()
}

/// The folders of services, in order of name; and what may be one.
fn folders(dir: &Path) -> Result<Vec<Entry>, Error> {
    let dir = dir.join(SERVICES);
    match std::fs::metadata(&dir) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error { path: dir, source }),
    }
    let may_be_one = |entry: &Entry| match &entry.metadata {
        Ok(metadata) => metadata.is_dir(),
        Err(_) => name(&entry.path).parse::<ServiceName>().is_ok(),
    };
    Ok(entries(&dir)?.into_iter().filter(may_be_one).collect())
}

/// The files of a service, in order of name.
fn files(folder: &Path) -> Result<Vec<Entry>, Error> {
    let is_of_service = |entry: &Entry| {
        let name = name(&entry.path);
        (name == DEFINITION || name.ends_with(TEMPLATE)) && entry.metadata.as_ref().map_or(true, Metadata::is_file)
    };
    Ok(entries(folder)?.into_iter().filter(is_of_service).collect())
}

fn parameters(dir: &Path) -> Option<Entry> {
    let path = dir.join(PARAMETERS);
    match std::fs::metadata(&path) {
        Ok(metadata) if !metadata.is_file() => None,
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        metadata => Some(Entry { path, metadata }),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn of_file(within: &str, code: Code, message: impl Into<String>) -> FileFault {
    FileFault { within: within.to_owned(), fault: Diagnostic::of_file(code, message, None) }
}

fn read_folder(dir: &Path, path: &Path) -> Result<ServiceFolder, Error> {
    let within = within(dir, path);
    let mut faults = Vec::new();
    let parsed = name(path).parse::<ServiceName>();
    if let Err(error) = &parsed {
        let fault = Diagnostic::of_file(Code::Name, error.to_string(), Some("the folder's name is the service's name"));
        faults.push(FileFault { within: within.clone(), fault });
    }
    let found = files(path)?;
    let length_of = |entry: &Entry| entry.metadata.as_ref().map_or(0, Metadata::len);
    let length: u64 = found.iter().map(length_of).sum();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let beyond = match found.len() {
        count if count > FILES_MOST => Some(Fault::Files(count)),
        _ => (length > BYTES_MOST).then_some(Fault::Bytes(length)),
    };
    let mut hasher = Sha256::new();
    let mut texts = BTreeMap::new();
    for entry in found {
        let name = name(&entry.path);
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update(length_of(&entry).to_be_bytes());
        if beyond.is_none() {
            match read_text(&entry.path, &mut hasher) {
                Ok(text) => drop(texts.insert(name, text)),
                Err(message) => faults.push(of_file(&format!("{within}/{name}"), Code::File, message)),
            }
        }
    }
    faults.extend(beyond.as_ref().map(|fault| of_file(&within, Code::Limit, fault.to_string())));
    let source = parsed.as_ref().ok().map(|name| ServiceSource { name: name.clone(), files: texts });
    let source = source.filter(|source| match faults.is_empty() {
        true => {
            faults = check(&within, source);
            faults.is_empty()
        }
        false => false,
    });
    let hash = hex::encode(hasher.finalize());
    Ok(ServiceFolder { within, hash, name: parsed.ok(), source, faults, warnings: Vec::new(), is_all: false })
}

/// What is wrong with the files of a service that could be read.
fn check(within: &str, source: &ServiceSource) -> Vec<FileFault> {
    if let Err(fault) = source.check() {
        let code = match fault {
            Fault::Files(_) | Fault::Bytes(_) => Code::Limit,
            Fault::NoDefinition => Code::File,
            Fault::FileName(_) => Code::Name,
        };
        return vec![of_file(within, code, fault.to_string())];
    }
    let fault = syntax(source.definition());
    fault.map(|fault| FileFault { within: format!("{within}/{DEFINITION}"), fault }).into_iter().collect()
}

fn read_parameters(path: &Path, metadata: io::Result<Metadata>) -> ParametersFile {
    let mut hasher = Sha256::new();
    let length = metadata.map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(usize::MAX));
    let read = match length > BYTES_MOST {
        true => Err((Code::Limit, format!("the file has {length} bytes, more than {BYTES_MOST}"))),
        false => read_text(path, &mut hasher).map_err(|message| (Code::File, message)),
    };
    let (text, faults) = match read {
        Err((code, message)) => (None, vec![of_file(PARAMETERS, code, message)]),
        Ok(text) => match syntax(&text) {
            Some(fault) => (None, vec![FileFault { within: PARAMETERS.to_owned(), fault }]),
            None => (Some(text), Vec::new()),
        },
    };
    ParametersFile { hash: hex::encode(hasher.finalize()), text, faults }
}

/// A file's text, or why it has none.
fn read_text(path: &Path, hasher: &mut Sha256) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("the file cannot be read: {error}"))?;
    hasher.update(&bytes);
    String::from_utf8(bytes).map_err(|error| format!("the file is not UTF-8: {}", error.utf8_error()))
}

/// Where a text is no TOML.
fn syntax(text: &str) -> Option<Diagnostic> {
    let error = text.parse::<toml::Table>().err()?;
    let span = error.span().unwrap_or(text.len()..text.len());
    let (line, column) = place(text, span.start);
    let (end_line, end_column) = place(text, span.end);
    let end_column = if end_line == line { end_column.max(column) } else { column };
    Some(Diagnostic { line, column, end_column, code: Code::Syntax, message: error.message().to_owned(), help: None })
}

/// Line and column of a place in a text, both from 1, the column in characters.
fn place(text: &str, at: usize) -> (u32, u32) {
    let before: String = text.char_indices().take_while(|(index, _)| *index < at).map(|(_, c)| c).collect();
    let (lines, last) =
        before.rsplit_once('\n').map_or((0, before.as_str()), |(above, last)| (above.matches('\n').count() + 1, last));
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    (number(lines), number(last.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule directory with so many files.
    fn dir(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    /// What is wrong, a line for each.
    fn faults(files: &ServiceFiles) -> Vec<String> {
        let line = |FileFault { within, fault }: &FileFault| {
            format!("{within}:{}:{}: {}", fault.line, fault.column, fault.message)
        };
        files.faults().map(line).collect()
    }

    #[test]
    fn folders_give_services_of_definitions_and_templates() {
        let dir = dir(&[
            ("services/nat/service.toml", b"title = \"NAT\""),
            ("services/nat/pool.j2", b"pool"),
            ("services/nat/README.md", b"read me"),
            ("services/nat/tests/one.toml", b"no ["),
            ("services/own.rhai", b"a policy"),
            ("services/.hidden/service.toml", b"no ["),
            ("parameters.toml", b"[rate]"),
            ("acme/service.toml", b"no ["),
        ]);
        let files = read(dir.path());
        assert_eq!(faults(&files), Vec::<String>::new());
        let [folder] = &files.folders[..] else { panic!("{files:?}") };
        let source = folder.source.as_ref().unwrap();
        assert_eq!((folder.within.as_str(), source.name.as_str()), ("services/nat", "nat"));
        assert_eq!(source.files.keys().collect::<Vec<_>>(), ["pool.j2", "service.toml"]);
        assert_eq!(files.parameters.unwrap().text.as_deref(), Some("[rate]"));
        assert!(read(&dir.path().join("acme")).is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_where_it_is() {
        let large = vec![b'#'; BYTES_MOST + 1];
        let many: Vec<_> = (0..=FILES_MOST).map(|number| format!("services/many/{number}.j2")).collect();
        let mut all: Vec<(&str, &[u8])> = vec![
            ("services/Bad_Name/service.toml", b""),
            ("services/bytes/service.toml", b"title = \"\xff\""),
            ("services/empty/notes.txt", b""),
            ("services/large/a.j2", &large),
            ("services/name/a b.j2", b""),
            ("services/name/service.toml", b""),
            ("services/syntax/service.toml", "title = \"\u{e4}\"\nlevels = [\n".as_bytes()),
            ("parameters.toml", b"[rate"),
        ];
        all.extend(many.iter().map(|path| (path.as_str(), &b""[..])));
        let dir = dir(&all);
        let files = read(dir.path());
        let expected = [
            "services/Bad_Name:1:1: `Bad_Name` is not a service's name (lower-case letters, digits and `-`, beginning \
             with a letter, at most 64)",
            "services/bytes/service.toml:1:1: the file is not UTF-8: invalid utf-8 sequence of 1 bytes from index 9",
            "services/empty:1:1: the service has no `service.toml`",
            "services/large:1:1: the service's files have 262145 bytes, more than 262144",
            "services/many:1:1: the service has 65 files, more than 64",
            "services/name:1:1: `a b.j2` is neither `service.toml` nor a template `*.j2`",
            "services/syntax/service.toml:2:11: unclosed array, expected `]`",
            "parameters.toml:1:6: unclosed table, expected `]`",
        ];
        assert_eq!(faults(&files), expected);
        assert!(files.folders.iter().all(|folder| folder.source.is_none()));
    }

    #[test]
    fn a_look_sees_what_changes_of_services_and_nothing_else() {
        let dir = dir(&[("services/nat/service.toml", b""), ("services/nat/tests/one.toml", b"")]);
        let write = |path: &str, text: &str| std::fs::write(dir.path().join(path), text).unwrap();
        let mut looks = vec![look(dir.path())];
        write("services/nat/tests/one.toml", "changed");
        write("services/nat/notes.txt", "new");
        assert_eq!(look(dir.path()), looks[0]);
        write("services/nat/service.toml", "changed");
        looks.push(look(dir.path()));
        write("services/nat/pool.j2", "");
        looks.push(look(dir.path()));
        std::fs::create_dir(dir.path().join("services/drain")).unwrap();
        looks.push(look(dir.path()));
        write("parameters.toml", "");
        looks.push(look(dir.path()));
        std::fs::remove_dir_all(dir.path().join("services")).unwrap();
        looks.push(look(dir.path()));
        looks.dedup();
        assert_eq!(looks.len(), 6);
    }
}

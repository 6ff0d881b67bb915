//! Services as the rule book has them: the files of their folders, as they are. What they say is checked before.
//!
//! Source: the issue "Values and services"; DOMAIN, "Value substitution".

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ServiceName;

/// How many services there may be.
pub const SERVICES_MOST: usize = 1_000;
/// How many files a service may have.
pub const FILES_MOST: usize = 64;
/// How many bytes the files of a service may have, together; also those of the parameters of all services.
pub const BYTES_MOST: usize = 256 * 1024;
/// How many bytes all services may have, together: every lane stores each version of each.
pub const ALL_BYTES_MOST: usize = 32 * 1024 * 1024;
/// The longest name of a file, in bytes.
pub const FILE_NAME_MOST: usize = 100;
/// The file that every service has: its definition.
pub const DEFINITION: &str = "service.toml";
/// What the names of templates end with.
pub const TEMPLATE: &str = ".j2";

/// The content of the section of services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicesSection {
    /// All services, by name.
    pub services: Vec<ServiceSource>,
    /// The parameters of all services, as `parameters.toml` has them; none where there is no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    /// What could not be loaded when it was made. What was good last goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedService>,
}

/// A service's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSource {
    /// Its name, which is its folder's.
    pub name: ServiceName,
    /// Its files, by name: `service.toml` and templates.
    pub files: BTreeMap<String, String>,
}

/// A service's folder, or the parameters of all, that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedService {
    /// The file that is at fault, or the folder, in the rule directory: `services/nat/service.toml`.
    pub path: String,
    /// SHA-256 over what was refused, in hexadecimal.
    pub hash: String,
    /// Where the first fault is: its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Whether it goes on as it was good last.
    pub stays: bool,
}

/// What of a service is beyond its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It has no definition.
    NoDefinition,
    /// A file that is neither the definition nor a template.
    FileName(String),
    /// It has too many files: so many.
    Files(usize),
    /// Its files are too large, together: so many bytes.
    Bytes(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDefinition => write!(f, "the service has no `{DEFINITION}`"),
            Self::FileName(name) => write!(f, "`{name}` is neither `{DEFINITION}` nor a template `*{TEMPLATE}`"),
            Self::Files(count) => write!(f, "the service has {count} files, more than {FILES_MOST}"),
            Self::Bytes(bytes) => write!(f, "the service's files have {bytes} bytes, more than {BYTES_MOST}"),
        }
    }
}

/// Whether a file's name is that of a service's definition, or of a template: letters, digits, `_`, `-` and `.`, ending
/// with `.j2`.
pub fn is_file_name(name: &str) -> bool {
    let is_plain = |stem: &str| {
        stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            && stem.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
    };
    name == DEFINITION || name.len() <= FILE_NAME_MOST && name.strip_suffix(TEMPLATE).is_some_and(is_plain)
}

impl ServiceSource {
    /// Its definition; empty where it has none.
    pub fn definition(&self) -> &str {
        self.files.get(DEFINITION).map(String::as_str).unwrap_or_default()
    }

    /// Whether its files are within their bounds.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), Fault> {
        if self.files.len() > FILES_MOST {
            return Err(Fault::Files(self.files.len()));
        }
        if let Some(name) = self.files.keys().find(|name| !is_file_name(name)) {
            return Err(Fault::FileName(name.chars().take(FILE_NAME_MOST).collect()));
        }
        let bytes = self.files.values().map(String::len).sum();
        if bytes > BYTES_MOST {
            return Err(Fault::Bytes(bytes));
        }
        if self.files.contains_key(DEFINITION) { Ok(()) } else { Err(Fault::NoDefinition) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(files: &[(&str, usize)]) -> ServiceSource {
        let files = files.iter().map(|(name, length)| ((*name).to_owned(), "x".repeat(*length)));
        ServiceSource { name: "nat".parse().unwrap(), files: files.collect() }
    }

    #[test]
    fn a_service_is_a_definition_and_templates_within_bounds() {
        assert_eq!(service(&[(DEFINITION, BYTES_MOST)]).check(), Ok(()));
        assert_eq!(service(&[(DEFINITION, 1), ("pool.j2", 1), ("a.b_c-1.j2", 1)]).check(), Ok(()));
        let fault = |files: &[(&str, usize)]| service(files).check().unwrap_err().to_string();
        assert_eq!(fault(&[("pool.j2", 1)]), "the service has no `service.toml`");
        assert_eq!(
            fault(&[(DEFINITION, BYTES_MOST), ("pool.j2", 1)]),
            "the service's files have 262145 bytes, more than 262144"
        );
        let many: Vec<_> = (0..=FILES_MOST).map(|number| format!("{number}.j2")).collect();
        let many: Vec<_> = many.iter().map(|name| (name.as_str(), 1)).collect();
        assert_eq!(fault(&many), "the service has 65 files, more than 64");
        for name in ["a/b.j2", ".j2", "../x.j2", "x.J2", "read me.j2", "notes.txt", "parameters.toml"] {
            let expected = format!("`{name}` is neither `service.toml` nor a template `*.j2`");
            assert_eq!(fault(&[(DEFINITION, 1), (name, 1)]), expected);
        }
    }
}

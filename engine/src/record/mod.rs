//! Recorded logs: the inputs of IN in files, and deciding them again without a server.
//!
//! ```text
//! <log>/inputs               a header, a line for each input of all lanes in the order of IN, and the end
//! <log>/overrides.json       what was decided of inputs outside the order of their lanes, where anything was
//! <log>/books/<sha256>.json  the rule books that inputs name, as the object store has them
//! ```
//!
//! | room | what |
//! |---|---|
//! | `format` | the lines of `inputs`, printed and parsed |
//! | `reader`, `writer` | the files |
//! | `capture` | a running system's log into files |
//! | `replay` | recorded inputs on any state |

pub mod capture;
pub mod format;
pub mod reader;
pub mod replay;
#[cfg(test)]
mod tests;
pub mod writer;

use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a recorded log, or with recording one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of it.
    #[error("`{path}` cannot be read or written")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of `inputs`.
    #[error("`{path}`, line {line}: {what}")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// There is something where it would be recorded.
    #[error("`{path}` is not empty")]
    NotEmpty {
        /// Which folder.
        path: PathBuf,
    },
    /// IN does not have its beginning any more.
    #[error("IN begins at {first}: what was before is lost, and nothing can be decided without it")]
    NoBeginning {
        /// The first sequence it has.
        first: u64,
    },
    /// The server, or a rule book.
    #[error("the log cannot be recorded or decided")]
    Log(#[from] crate::log::Error),
    /// Deciding.
    #[error("input {sequence} cannot be decided")]
    Decide {
        /// Its sequence in IN.
        sequence: u64,
        /// Why.
        source: linesman_domain::Error,
    },
}

impl Error {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// The file of inputs in a recorded log's folder.
fn inputs(dir: &Path) -> PathBuf {
    dir.join("inputs")
}

/// Where what was decided outside the order of lanes lies.
fn overrides(dir: &Path) -> PathBuf {
    dir.join("overrides.json")
}

/// The file of a rule book in a recorded log's folder.
fn book(dir: &Path, hash: &str) -> PathBuf {
    dir.join("books").join(format!("{hash}.json"))
}

//! What goes wrong at a stand-in device, and when.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Something that goes wrong. What stands goes on until the script is cleared; what is for once is gone once it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Stands: all that it sends comes in so many bytes at a time, with a pause before each.
    Slow {
        /// How many.
        bytes: usize,
        /// How long.
        pause: Duration,
    },
    /// Stands: replies come in chunks of so many bytes, however that cuts characters and tags.
    Chunks(usize),
    /// Stands: lists of files have these names as well, as regular files of one byte.
    Names(Vec<Vec<u8>>),
    /// Once: the connection is cut when so many bytes of a file were read.
    CutFile(u64),
    /// Once: a file is written anew, in place, when so many bytes of one were read.
    Rewrite {
        /// How many.
        after: u64,
        /// The file.
        path: PathBuf,
        /// What it then has.
        bytes: Vec<u8>,
    },
    /// Once: something with a file fails.
    File(FileOperation, FileFault),
    /// Once: an operation is refused, with this in its reply: one or more `rpc-error`.
    Refuse(&'static str, String),
    /// Once: an operation is carried out, with this in its reply before the rest.
    Warn(&'static str, String),
    /// Once: the connection is cut in place of an operation.
    CutBefore(&'static str),
    /// Once: the connection is cut in place of the reply to an operation, which is carried out.
    CutAfter(&'static str),
    /// Once: an operation is not answered.
    Silent(&'static str),
    /// Once: in place of the reply these bytes travel as they are, without any framing of ours.
    Raw(&'static str, Vec<u8>),
    /// Once: the reply to an operation has so many bytes of data, and this number of a message if there is one.
    Huge(&'static str, u64),
    /// Once: the reply to an operation is one to another message.
    OtherId(&'static str),
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOperation {
    /// A directory is listed.
    List,
    /// A file is opened.
    Open,
    /// A file is read.
    Read,
    /// A file is written.
    Write,
    /// A file is removed.
    Remove,
    /// A file is moved.
    Move,
}

/// How that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFault {
    /// It is not there.
    Vanished,
    /// That is not permitted.
    Denied,
    /// There is no room.
    NoSpace,
    /// `Failure`, as OpenSSH says to everything else.
    Failure,
}

/// The faults that are to come.
#[derive(Debug, Default)]
pub struct Script(Mutex<Vec<Fault>>);

impl Script {
    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets something go wrong.
    pub fn add(&self, fault: Fault) {
        self.faults().push(fault);
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.faults().clear();
    }

    /// How many faults are still to come or stand.
    pub fn left(&self) -> usize {
        self.faults().len()
    }

    /// What one of the faults that stand says.
    pub(super) fn standing<T>(&self, says: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.faults().iter().find_map(says)
    }

    /// What one of the faults says that are for once; it is gone then.
    pub(super) fn once<T>(&self, says: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut faults = self.faults();
        let (at, said) = faults.iter().enumerate().find_map(|(at, fault)| says(fault).map(|said| (at, said)))?;
        faults.remove(at);
        Some(said)
    }
}

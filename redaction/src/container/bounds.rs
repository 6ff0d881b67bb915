//! How much a document may unpack to: what claims more is refused by name.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

/// How much a document may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Containers within each other; a compressed archive is two.
    pub depth: usize,
    /// Bytes that all containers of a document unpack to, together.
    pub unpacked: u64,
    /// How many times its own size a compressed file unpacks to, once that is more than [`Bounds::RATIO_FROM`] bytes.
    pub ratio: u64,
    /// Members of all archives of a document, together.
    pub members: usize,
}

impl Bounds {
    /// From how many bytes on the ratio is looked at.
    pub const RATIO_FROM: u64 = 16 << 20;
    /// The longest name of a member, in bytes.
    pub const NAME: u64 = 1024;
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 8, unpacked: 4 << 30, ratio: 300, members: 20_000 }
    }
}

/// Why a document is refused. It names the container, with those that it lies in before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Containers within each other.
    #[error("`{name}` lies in too many archives: they are opened {most} deep")]
    Depth {
        /// What would have been opened.
        name: String,
        /// The bound.
        most: usize,
    },
    /// All of it is too large.
    #[error("`{name}` unpacks to more than {most} bytes, which no bundle has")]
    Unpacked {
        /// What was being unpacked.
        name: String,
        /// The bound.
        most: u64,
    },
    /// One unpacks to far more than it is.
    #[error("`{name}` unpacks to more than {most} times its size, which no log does")]
    Ratio {
        /// What was being unpacked.
        name: String,
        /// The bound.
        most: u64,
    },
    /// Too many members.
    #[error("`{name}` has more than {most} members, which no bundle has")]
    Members {
        /// The archive.
        name: String,
        /// The bound.
        most: usize,
    },
    /// A member's name is too long.
    #[error("`{name}` has a member whose name is longer than {most} bytes")]
    Name {
        /// The archive.
        name: String,
        /// The bound.
        most: u64,
    },
}

/// What is left of the bounds of one document, and why it was refused.
#[derive(Clone)]
pub(super) struct Budget {
    pub(super) bounds: Bounds,
    unpacked: Rc<Cell<u64>>,
    refusal: Rc<RefCell<Option<Refusal>>>,
}

impl Budget {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, unpacked: Rc::default(), refusal: Rc::default() }
    }

    /// Refuses the document. The error carries it through readers that know nothing of it; the first one counts.
    pub(super) fn refuse(&self, refusal: Refusal) -> io::Error {
        self.refusal.borrow_mut().get_or_insert(refusal);
        io::Error::other("refused")
    }

    /// Why the document was refused, if it was.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refusal.borrow().clone()
    }
}

/// Counts what is read of it.
pub(super) struct Packed<R> {
    pub(super) input: R,
    pub(super) count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(room)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// What comes out of a decoder, within the bounds.
pub(super) struct Unpacked<R> {
    pub(super) input: R,
    pub(super) name: String,
    pub(super) packed: Rc<Cell<u64>>,
    pub(super) count: u64,
    pub(super) budget: Budget,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(room)?;
        self.count += count as u64;
        let unpacked = self.budget.unpacked.get() + count as u64;
        self.budget.unpacked.set(unpacked);
        let Bounds { unpacked: most, ratio, .. } = self.budget.bounds;
        if unpacked > most {
            return Err(self.budget.refuse(Refusal::Unpacked { name: self.name.clone(), most }));
        }
        if self.count > Bounds::RATIO_FROM && self.count / ratio > self.packed.get() {
            return Err(self.budget.refuse(Refusal::Ratio { name: self.name.clone(), most: ratio }));
        }
        Ok(count)
    }
}

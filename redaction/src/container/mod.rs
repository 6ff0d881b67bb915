//! What documents come in: gzip and tar, within each other to a depth, and the text they hold.
//!
//! Everything is streamed; a member of an archive goes to a spool of the caller's first, since its new length stands
//! before it. What cannot be looked into is asked about, and never carried over unasked.

mod archive;
mod bounds;
mod kind;
mod packed;
mod plain;

use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, Write};
use std::rc::Rc;

pub use bounds::{Bounds, Refusal};
use bounds::{Budget, Packed, Unpacked};
use flate2::Compression;
use flate2::write::GzEncoder;
use kind::{HEAD, Kind};
use packed::Members;
use plain::Plain;

/// Where a member lies until its length is known.
pub trait Spool: Read + Write + Seek {}

impl<T: Read + Write + Seek> Spool for T {}

/// Makes a spool.
pub type Spools<'a> = &'a dyn Fn() -> io::Result<Box<dyn Spool>>;

/// Why a document was not carried over. What was written of it until then is to be thrown away.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It asks for more than it may.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be read, or what leaves cannot be written, or it is broken.
    #[error("`{name}` cannot be carried over")]
    Broken {
        /// The document.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// What is done to the texts in a document.
pub(crate) trait Texts {
    /// Carries a text over.
    fn text(&mut self, name: &str, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()>;
    /// A name as it leaves.
    fn name(&mut self, name: &str) -> String;
    /// Whether bytes that are no text are carried over like text.
    fn takes_binary(&self) -> bool;
    /// Whether text that cannot be seen is as well.
    fn takes_closed(&self) -> bool;
    /// Whether what has no text is carried over like text; otherwise it is withheld. `is_closed`: it may have text that
    /// cannot be seen.
    fn takes(&mut self, name: &str, is_closed: bool) -> bool;
}

/// Carries a document over.
pub(crate) fn carry(
    name: &str,
    input: &mut dyn Read,
    output: &mut dyn Write,
    bounds: Bounds,
    spools: Spools<'_>,
    texts: &mut dyn Texts,
) -> Result<(), Error> {
    let budget = Budget::new(bounds);
    let mut carrier = Carrier { budget: budget.clone(), spools, texts, members: 0 };
    let name = shown(name.as_bytes());
    let carried = carrier.document(&name, 0, input, output).and_then(|()| output.flush());
    match (budget.refusal(), carried) {
        (Some(refusal), _) => Err(refusal.into()),
        (None, Err(source)) => Err(Error::Broken { name, source }),
        (None, Ok(())) => Ok(()),
    }
}

/// A name from outside, for people.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// Carries one document with all that lies in it.
struct Carrier<'a> {
    budget: Budget,
    spools: Spools<'a>,
    texts: &'a mut dyn Texts,
    members: usize,
}

impl Carrier<'_> {
    /// Carries over what lies `depth` containers deep.
    fn document(&mut self, name: &str, depth: usize, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        let mut head = Vec::new();
        Read::take(&mut *input, HEAD).read_to_end(&mut head)?;
        let kind = Kind::of(&head);
        let mut input = Cursor::new(head).chain(input);
        if matches!(kind, Kind::Gzip | Kind::Tar) && depth >= self.budget.bounds.depth {
            let most = self.budget.bounds.depth;
            return Err(self.budget.refuse(Refusal::Depth { name: name.to_owned(), most }));
        }
        match kind {
            Kind::Gzip => self.gzip(name, depth, &mut input, output),
            Kind::Tar => self.tar(name, depth, &mut input, output),
            Kind::Text => self.text(name, &mut input, output),
            Kind::Closed | Kind::Binary => {
                if self.texts.takes(name, kind == Kind::Closed) {
                    return self.texts.text(name, &mut input, output);
                }
                withheld(output)
            }
        }
    }

    /// Carries a text over, as far as it is one: what follows behind is withheld.
    fn text(&mut self, name: &str, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        let mut plain = Plain::new(input, self.texts.takes_binary(), self.texts.takes_closed());
        self.texts.text(name, &mut plain, output)?;
        if plain.is_over() && !self.texts.takes(name, true) {
            withheld(output)?;
        }
        Ok(())
    }

    fn gzip(&mut self, name: &str, depth: usize, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
        let count = Rc::new(Cell::new(0));
        let packed = Packed { input, count: Rc::clone(&count) };
        let mut unpacked = Unpacked {
            input: Members::new(packed),
            name: name.to_owned(),
            packed: count,
            count: 0,
            budget: self.budget.clone(),
        };
        let mut encoder = GzEncoder::new(output, Compression::default());
        self.document(name, depth + 1, &mut unpacked, &mut encoder)?;
        // What the text did not want is read nevertheless: it may be broken, or a bomb.
        io::copy(&mut unpacked, &mut io::sink())?;
        encoder.finish().map(|_| ())
    }
}

/// Says that something was withheld whole.
fn withheld(output: &mut dyn Write) -> io::Result<()> {
    output.write_all(b"[withheld: it cannot be looked into]\n")
}

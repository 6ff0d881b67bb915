//! Standard output, of what has no end of its own or is long: whoever reads it may have read enough before.
//!
//! Like other programs of Unix in a pipe, a command then ends at once and without a word. What is printed once, at the
//! end, needs none of this: `anstream`'s macros pass over a pipe that is closed.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;

/// Whoever reads what is printed has read enough: the command has nothing left to do.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads what is printed")]
pub(super) struct ReadEnough;

/// Prints a line, without its colours where there is no terminal.
///
/// # Errors
/// [`ReadEnough`]; or it cannot be written.
pub(super) fn line(text: &impl Display) -> anyhow::Result<()> {
    told(writeln!(anstream::stdout(), "{text}"))
}

/// Prints bytes as they are.
///
/// # Errors
/// As [`line`].
pub(super) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    told(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

fn told(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReadEnough.into()),
        written => written.context("standard output cannot be written"),
    }
}

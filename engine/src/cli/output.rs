//! Standard output, of what has no end of its own or is long: whoever reads it may have read enough before.
//!
//! Like other programs of Unix in a pipe, a command then ends at once and without a word. What is printed once, at the
//! end, needs none of this: `out!` passes over a pipe that is closed. Where standard output takes nothing, as on a
//! disk that is full, a command does what it was to do, and fails then.
//!
//! Whatever is printed here, on standard error too, steers no terminal: see [`crate::harmless`].

use std::fmt::{Arguments, Display};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;

use anyhow::Context as _;

use crate::harmless::printed;

/// Whoever reads what is printed has read enough: the command has nothing left to do.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads what is printed")]
pub(super) struct ReadEnough;

/// Prints a line, without its colours where there is no terminal.
///
/// # Errors
/// [`ReadEnough`]; or it cannot be written.
pub(super) fn line(text: &impl Display) -> anyhow::Result<()> {
    told(writeln!(anstream::stdout(), "{}", printed(&text.to_string())))
}

/// Prints bytes as they are; on a terminal, where nobody could take them up, as it may be shown.
///
/// # Errors
/// As [`line`].
pub(super) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    if io::stdout().is_terminal() {
        let text = String::from_utf8_lossy(bytes);
        return told(write!(anstream::stdout(), "{}", printed(&text)).and_then(|()| io::stdout().flush()));
    }
    let mut stdout = io::stdout().lock();
    told(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Prints, without colours where there is no terminal.
macro_rules! out {
    ($($what:tt)*) => { $crate::cli::output::print(format_args!($($what)*)) };
}
/// Prints a line, as `out!` does.
macro_rules! outln {
    ($($what:tt)*) => { $crate::cli::output::print_line(format_args!($($what)*)) };
}

/// Says a line on standard error, without colours where there is no terminal.
macro_rules! errln {
    ($($what:tt)*) => { $crate::cli::output::say(format_args!($($what)*)) };
}

/// Why standard output has not taken what was printed, the first time.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// For `out!`.
pub(super) fn print(text: Arguments<'_>) {
    keep(write!(anstream::stdout(), "{}", printed(&text.to_string())));
}

/// For `outln!`.
pub(super) fn print_line(text: Arguments<'_>) {
    keep(writeln!(anstream::stdout(), "{}", printed(&text.to_string())));
}

/// For `errln!`. Where standard error takes nothing there is nobody to tell.
pub(super) fn say(text: Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{}", printed(&text.to_string()));
}

fn keep(written: io::Result<()>) {
    if let Err(error) = written.and_then(|()| io::stdout().flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        // The first is the reason of all others.
        let _ = UNWRITTEN.set(error);
    }
}

/// Ready once nobody can read what is printed any more, though nothing is printed: the pipe is closed, or the terminal gone.
/// A file is never that.
///
/// # Errors
/// Nobody can be set to look.
pub(super) fn closed() -> io::Result<impl Future<Output = ()>> {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;

    let (gone, heard) = tokio::sync::oneshot::channel();
    // A thread of its own, which nobody waits for when the command ends.
    std::thread::Builder::new().name("closed".to_owned()).spawn(move || {
        let stdout = io::stdout();
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        let is_gone = loop {
            match poll(&mut watched, None) {
                Ok(_) => break watched.iter().any(|found| found.revents().intersects(PollFlags::ERR | PollFlags::HUP)),
                Err(Errno::INTR) => {}
                // What cannot be watched is never closed.
                Err(_) => break false,
            }
        };
        if is_gone {
            // Nobody waits any more where the command has ended.
            let _ = gone.send(());
        }
    })?;
    Ok(async move {
        if heard.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// How a command ends that would end with `code`: it has failed where not all that it printed was written.
pub(super) fn end(code: ExitCode) -> ExitCode {
    let Some(error) = UNWRITTEN.get() else { return code };
    let _ = writeln!(io::stderr(), "error: standard output cannot be written\n  because: {error}");
    if code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code }
}

fn told(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReadEnough.into()),
        written => written.context("standard output cannot be written"),
    }
}

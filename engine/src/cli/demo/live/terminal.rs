//! The terminal while the demo has it, and its being given back.
//!
//! It is read key by key, and shows the alternate screen, so that what stood there before stands there again. It is given
//! back however the demo ends: by dropping it, or in a panic before that is told. Only a signal that no program hears
//! leaves it as it is.

use std::io::{IsTerminal as _, Read as _, Write as _, stdin, stdout};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// The alternate screen, without a cursor; a line that is too long wraps nowhere.
const TAKE: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[2J";
const GIVE_BACK: &str = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l";
/// Where nothing tells how large the terminal is.
const SIZE: (usize, usize) = (80, 24);

/// What somebody wants by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Pause,
    Help,
    Next,
    Back,
}

impl Key {
    /// Also Ctrl-C, which is a key like others here.
    pub(super) const fn of(byte: u8) -> Option<Self> {
        match byte {
            b'q' | b'Q' | 3 | 4 => Some(Self::Quit),
            b'p' | b'P' | b' ' => Some(Self::Pause),
            b'?' | b'h' | b'H' => Some(Self::Help),
            b'n' | b'N' => Some(Self::Next),
            b'b' => Some(Self::Back),
            _ => None,
        }
    }
}

/// How it was, until it is so again.
type Before = Arc<Mutex<Option<Termios>>>;

/// The terminal, ours until this is dropped.
pub(super) struct Terminal {
    before: Before,
}

/// Whether there is one that a screen can be drawn on.
pub(in crate::cli::demo) fn is_there() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    !is_dumb && stdin().is_terminal() && stdout().is_terminal()
}

impl Terminal {
    /// Takes it.
    ///
    /// # Errors
    /// It cannot be set.
    pub(super) fn take() -> anyhow::Result<Self> {
        let termios = tcgetattr(stdin()).context("the terminal cannot be asked")?;
        let mut raw = termios.clone();
        raw.make_raw();
        let before: Before = Arc::new(Mutex::new(Some(termios)));
        let (of_hook, told) = (Arc::clone(&before), std::panic::take_hook());
        // Behind us lies the program's own hook, which would tell into the screen that goes away.
        std::panic::set_hook(Box::new(move |panic| {
            give_back(&of_hook);
            told(panic);
        }));
        let terminal = Self { before };
        tcsetattr(stdin(), OptionalActions::Flush, &raw).context("the terminal cannot be set")?;
        write(TAKE).context("the terminal takes nothing")?;
        Ok(terminal)
    }

    /// Columns and lines.
    pub(super) fn size(&self) -> (usize, usize) {
        let size = rustix::termios::tcgetwinsize(stdout()).ok();
        let size = size.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
        size.filter(|(columns, lines)| *columns > 0 && *lines > 0).unwrap_or(SIZE)
    }

    /// Shows lines from the top, each no wider than it is. Where it was given back nothing is shown.
    ///
    /// # Errors
    /// It takes nothing.
    pub(super) fn show(&self, lines: &[String]) -> anyhow::Result<()> {
        if self.is_given_back() {
            return Ok(());
        }
        let is_coloured = anstream::AutoStream::choice(&stdout()) != anstream::ColorChoice::Never;
        let mut frame = String::from("\u{1b}[H");
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                frame.push_str("\r\n");
            }
            match is_coloured {
                true => frame.push_str(line),
                false => frame.push_str(&anstream::adapter::strip_str(line).to_string()),
            }
            frame.push_str("\u{1b}[K");
        }
        frame.push_str("\u{1b}[J");
        write(&frame).context("the terminal takes nothing")
    }

    /// Whether a panic has given it back.
    pub(super) fn is_given_back(&self) -> bool {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The keys that say something, as they are pressed; none more once nobody can press any.
    ///
    /// # Errors
    /// Nobody can be set to listen.
    pub(super) fn keys(&self) -> std::io::Result<mpsc::UnboundedReceiver<Key>> {
        let (tell, keys) = mpsc::unbounded_channel();
        // A thread of its own, which nobody waits for when the demo ends.
        std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
            let mut byte = [0];
            while let Ok(1) = stdin().read(&mut byte) {
                if byte.into_iter().filter_map(Key::of).any(|key| tell.send(key).is_err()) {
                    return;
                }
            }
        })?;
        Ok(keys)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back(&self.before);
    }
}

/// Once; where it is gone there is nothing to be given back.
fn give_back(before: &Before) {
    let Some(termios) = before.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    let _ = write(GIVE_BACK);
    let _ = tcsetattr(stdin(), OptionalActions::Flush, &termios);
}

fn write(text: &str) -> std::io::Result<()> {
    let mut stdout = stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_says_nothing_does_nothing() {
        let keys: Vec<_> = b"qQ\x03\x04pP ?hHnNbxyz\x1b[A\x1b[B".iter().filter_map(|byte| Key::of(*byte)).collect();
        let (quit, pause, help, next, back) = (Key::Quit, Key::Pause, Key::Help, Key::Next, Key::Back);
        assert_eq!(keys, [quit, quit, quit, quit, pause, pause, pause, help, help, help, next, next, back]);
    }
}

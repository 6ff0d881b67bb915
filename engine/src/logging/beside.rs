//! Writes the log's lines on a thread beside: whoever tells something never waits for whoever reads it.
//!
//! What waits to be written is bounded. What comes while nobody reads is dropped and counted, and the count is told once
//! writing goes on.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing_subscriber::fmt::MakeWriter;

/// How many lines may wait, and how many bytes they may have.
const LINES_MOST: usize = 16_384;
const BYTES_MOST: usize = 8 * 1024 * 1024;

/// The way to the thread.
#[derive(Clone)]
pub(crate) struct Beside {
    lines: SyncSender<Vec<u8>>,
    state: Arc<State>,
}

/// What waits.
struct State {
    bytes: AtomicUsize,
    /// Lines that were dropped and not told of yet.
    dropped: AtomicU64,
    /// Lines that are not written yet.
    waiting: Mutex<usize>,
    written: Condvar,
    is_json: bool,
}

impl Beside {
    /// A thread that writes to `to`.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(to: impl Write + Send + 'static, is_json: bool) -> io::Result<Self> {
        let (lines, taken) = sync_channel(LINES_MOST);
        let state = State {
            bytes: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            waiting: Mutex::new(0),
            written: Condvar::new(),
            is_json,
        };
        let state = Arc::new(state);
        let told = Arc::clone(&state);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write(to, &taken, &told))?;
        Ok(Self { lines, state })
    }

    /// Waits until what has been told is written, at most so long.
    pub(crate) fn drain(&self, most: Duration) {
        let end = Instant::now() + most;
        let mut waiting = self.state.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while *waiting > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            waiting = self.state.written.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn send(&self, line: Vec<u8>) {
        let length = line.len();
        let is_room = self.state.bytes.fetch_add(length, Ordering::Relaxed) + length <= BYTES_MOST;
        *self.state.waiting.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if !is_room || self.lines.try_send(line).is_err() {
            self.state.bytes.fetch_sub(length, Ordering::Relaxed);
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
            self.state.one_less();
            metrics::counter!("linesman_log_lines_dropped_total").increment(1);
        }
    }
}

impl State {
    fn one_less(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.written.notify_all();
    }

    /// What is told of lines that were dropped.
    fn told(&self, dropped: u64) -> String {
        let said = "lines of the log were dropped, nobody read them";
        let now = Timestamp::now();
        if self.is_json {
            format!(
                "{{\"timestamp\":\"{now}\",\"level\":\"WARN\",\"fields\":{{\"message\":\"{said}\",\"dropped\":{dropped}}},\
                 \"target\":\"linesman::logging\"}}\n"
            )
        } else {
            format!("{now}  WARN linesman::logging: {said} dropped={dropped}\n")
        }
    }
}

fn write(mut to: impl Write, lines: &Receiver<Vec<u8>>, state: &State) {
    while let Ok(line) = lines.recv() {
        // What nobody can read is gone; there is nobody to be told.
        let _ = to.write_all(&line);
        state.bytes.fetch_sub(line.len(), Ordering::Relaxed);
        let dropped = state.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = to.write_all(state.told(dropped).as_bytes());
        }
        let _ = to.flush();
        state.one_less();
    }
}

/// A line in the making.
pub(crate) struct Line<'a> {
    beside: &'a Beside,
    bytes: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.beside.send(std::mem::take(&mut self.bytes));
        }
    }
}

impl<'a> MakeWriter<'a> for Beside {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { beside: self, bytes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Takes a line only once it is let.
    struct Slow {
        lets: Receiver<()>,
        took: Sender<String>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.lets.recv().map_err(io::Error::other)?;
            self.took.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_tells_does_not_wait_and_what_is_dropped_is_counted() {
        let ((lets, let_by), (took, taken)) = (channel(), channel());
        let beside = Beside::start(Slow { lets: let_by, took }, false).unwrap();
        let line = vec![b'x'; BYTES_MOST / 4];
        for _ in 0..7 {
            beside.make_writer().write_all(&line).unwrap();
        }
        // Nobody reads: this comes back nevertheless.
        beside.drain(Duration::from_millis(1));
        for _ in 0..5 {
            lets.send(()).unwrap();
        }
        assert_eq!(taken.recv().unwrap().len(), line.len());
        let told = taken.recv().unwrap();
        assert!(told.contains("lines of the log were dropped, nobody read them dropped=3"), "{told}");
        for _ in 0..3 {
            assert_eq!(taken.recv().unwrap().len(), line.len());
        }
        beside.drain(Duration::from_secs(60));
        assert_eq!(*beside.state.waiting.lock().unwrap(), 0);
    }
}

//! A panic anywhere in the process is told and counted, whoever catches it: none is in order, but of a library that panics where
//! it should fail.
//!
//! What follows of one is not decided here: a lane that panics ends the engine, a connector has failed in one try.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::thread;

use crate::harmless::in_line;
use crate::logging;

/// What the log says of a panic.
pub const TOLD: &str = "a part of the program panicked";

thread_local! {
    static IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Asks a library that panics where it should fail; none where it did. That is its answer, and counts for nothing.
pub fn caught<T>(ask: impl FnOnce() -> T) -> Option<T> {
    let before = IS_EXPECTED.replace(true);
    let answer = catch_unwind(AssertUnwindSafe(ask)).ok();
    IS_EXPECTED.set(before);
    answer
}

/// The process's hook: tells the log, or standard error where there is none, and counts it. With `RUST_BACKTRACE` it
/// tells the way there as well.
pub fn tell(panic: &PanicHookInfo<'_>) {
    if IS_EXPECTED.get() {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::debug!(place, why = why(panic.payload()), "a library panicked where it should fail");
        return;
    }
    metrics::counter!("linesman_panics_total").increment(1);
    let why = why(panic.payload());
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let way = Backtrace::capture();
    let way = (way.status() == BacktraceStatus::Captured).then(|| way.to_string());
    if tracing::dispatcher::has_been_set() {
        tracing::error!(thread, place, why, way, "{TOLD}");
        // What follows may be the end of the process.
        logging::drain(logging::LAST_LINES);
    } else {
        anstream::eprintln!("error: {TOLD}\n  because: {} ({place})", in_line(why));
    }
}

/// What was said with a panic.
fn why(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("nothing was said")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_told() {
        assert_eq!(why(&"short"), "short");
        assert_eq!(why(&"long".to_owned()), "long");
        assert_eq!(why(&7), "nothing was said");
    }
}

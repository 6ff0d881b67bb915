//! How long inputs take from the log to their commit.
//!
//! Each is measured once, when its batch is committed: some 20 bytes and 30 ns an input.

use jiff::Timestamp;
use linesman_domain::input::Input;
use metrics::Histogram;

/// The kinds that are told apart, as subjects have them; what is none of them comes last.
pub const KINDS: [&str; 6] = ["jmb", "intel", "cmd", "result", "ctl", "other"];

/// The measure of each kind.
pub(super) struct Waits([Histogram; KINDS.len()]);

/// When an input entered the log, and the place of its kind.
pub(super) type Entered = (Timestamp, u8);

/// When an input entered the log, and as what.
pub(super) fn entered(input: &Input<'_>) -> Entered {
    let kind = if input.org.is_empty() { "ctl" } else { input.kind };
    let place = KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len() - 1);
    (input.time, u8::try_from(place).unwrap_or(u8::MAX))
}

impl Default for Waits {
    fn default() -> Self {
        Self(KINDS.map(|kind| metrics::histogram!("linesman_input_to_commit_seconds", "kind" => kind)))
    }
}

impl Waits {
    /// These are committed by now. The log's clock may be ahead of ours.
    pub(super) fn committed(&self, inputs: &[Entered], now: Timestamp) {
        for (time, place) in inputs {
            if let Some(histogram) = self.0.get(usize::from(*place)) {
                histogram.record(now.duration_since(*time).as_secs_f64().max(0.0));
            }
        }
    }
}

//! The rows of a lane's state, each held against its check. That none is lost is known at the start alone, when nobody writes.

use super::pace::Pace;
use super::round::{Damage, Round};
use crate::store::{self, Lane, Looked};

/// As what it is told.
pub(super) const STATE: &str = "state";
/// How many bytes are read at a time.
const BYTES: u64 = 256 * 1024;

const MEANING: &str = "The lane drops its state and decides it anew from IN, and until it has, it is behind. Where IN has lost its \
                       beginning it stands still with the state it has: restore the folder `state` from a backup";

/// Reads a lane's rows. What is damaged is told by whoever reads it, the lane hears of it, and the rest is not read.
///
/// # Errors
/// The store cannot be read.
pub(super) async fn read(
    (lane, rows): (u32, Lane),
    round: &mut Round,
    pace: &mut Pace<'_>,
    show: impl Fn(&Round),
) -> Result<(), store::Error> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let (from, of) = (after.take(), rows.clone());
        let looked = tokio::task::spawn_blocking(move || of.look_through(from.as_deref(), BYTES));
        let Looked { rows, bytes, last } = match looked.await.unwrap_or(Err(store::Error::Stopped)) {
            Ok(looked) => looked,
            Err(error @ store::Error::Damaged { .. }) => {
                round.found(Damage {
                    stream: STATE,
                    lane: Some(lane),
                    organization: None,
                    first: 0,
                    last: 0,
                    what: crate::logging::full(&error),
                    meaning: MEANING,
                });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        round.state.rows += rows;
        round.state.bytes += bytes;
        metrics::counter!("linesman_scrub_bytes_total", "stream" => STATE).increment(bytes);
        show(round);
        pace.spent(bytes).await;
        if last.is_none() {
            return Ok(());
        }
        after = last;
    }
}

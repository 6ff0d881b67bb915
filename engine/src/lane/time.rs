//! What time it is, for a lane whose log's time jumps: the first reading behind the message counts, and where the log has none
//! it is written.

use std::time::Duration;

use async_nats::Client;
use jiff::Timestamp;
use linesman_domain::Domain;
use linesman_domain::input::Input;
use linesman_schemas::control::ClockReading;

use crate::log::readings::{self, Search};

/// How long to wait before the log is asked again that did not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// What the clocks say: `lane` is what time it is in the lane, by the steady clock.
pub(super) fn reading(lane: Timestamp) -> ClockReading {
    ClockReading { at: today(), lane }
}

/// What time it is by this engine's clock.
pub(crate) fn today() -> Timestamp {
    fail::fail_point!("clock::skew", |seconds| crate::log::readings::skewed(Timestamp::now(), seconds));
    Timestamp::now()
}

/// Has the lane know what it asks of an input's time, however long that takes. `steady` is what time it is in the lane.
pub(super) async fn tell(
    client: &Client,
    id: u32,
    domain: &mut Domain,
    input: &Input<'_>,
    steady: impl Fn() -> Timestamp,
) {
    if !domain.asks_time(input) {
        return;
    }
    let mut search = Search::behind(id, input.sequence);
    loop {
        let failed = match search.find(client).await {
            Ok(Some((sequence, found))) => {
                domain.read_ahead(sequence, found);
                return;
            }
            // Which one is the first is asked again: another may have come before it.
            Ok(None) => match readings::write(client, id, reading(steady())).await {
                Ok(_) => continue,
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            lane = id,
            position = input.sequence,
            error = failed,
            "the time of a message is far ahead, and what the clock says cannot be put on record: the lane waits"
        );
        tokio::time::sleep(AGAIN).await;
    }
}

//! Counts the consumers of OUT, removes those above a number, and tells how far those of others are behind.

use std::time::Duration;

use async_nats::Client;
use tokio::time::{sleep, timeout};

use crate::log::consumers::{self, Consumer};
use crate::logging::full;
use crate::metrics::named;

/// How often they are counted, and how long that may take.
const TIDY_EVERY: Duration = Duration::from_secs(10);
const TIDY_MOST: Duration = Duration::from_secs(5);

/// Removes what is above a number, again and again.
pub(super) async fn go_on(client: &Client, most: u32) {
    loop {
        match timeout(TIDY_MOST, consumers::tidy(client, most)).await {
            Ok(Ok((_, found))) => tell(found),
            Ok(Err(error)) => tracing::debug!(error = full(&error), "consumers of OUT cannot be counted"),
            Err(_) => tracing::debug!("consumers of OUT cannot be counted in time"),
        }
        sleep(TIDY_EVERY).await;
    }
}

/// Tells how far consumers of others are behind.
fn tell(found: Vec<Consumer>) {
    let (durable, passing): (Vec<_>, Vec<_>) = found.into_iter().partition(|consumer| consumer.is_durable);
    let furthest = passing.iter().map(|consumer| consumer.pending).max().unwrap_or_default();
    named::CONSUMERS.set(durable.into_iter().map(|consumer| (consumer.name, consumer.pending)).collect(), furthest);
}

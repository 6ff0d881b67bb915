//! What the partner's engine says, in order and without a gap, also over its restart.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use linesman_schemas::event;
use tokio::time::sleep;

use super::super::super::listening::{Followed, Told};
use super::super::super::nats::Server;
use super::{News, Telling};

/// How often it is looked whether it is back.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const SUBJECT: &str = "out.>";

/// Tells of every event from the first on; ready only with a failure. `data`: the engine's data directory.
///
/// # Errors
/// What is said are no events.
pub(super) async fn go_on(data: &Path, telling: Telling) -> anyhow::Result<()> {
    let server = Server::of(data);
    let mut next = 1;
    loop {
        if let Ok(mut followed) = Followed::begin(&server, SUBJECT, Some(next)).await {
            while let Some(Ok(Told { subject, payload, sequence })) = followed.told().await {
                if !subject.starts_with("out._mark.") && !subject.starts_with("out._override.") {
                    let events = event::read(&payload).with_context(|| format!("`{subject}` holds no events"))?;
                    for event in events {
                        telling.tell(News::Heard { subject: subject.clone(), event: Box::new(event) });
                    }
                }
                next = sequence.map_or(next, |sequence| sequence + 1);
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

//! Reports of attempts, published into the log until it has them.

use std::time::Duration;

use async_nats::Client;
use linesman_connectors::Attempted;
use linesman_schemas::control::Control;
use linesman_schemas::outcome::{Attempt, Report};
use linesman_schemas::reaction::Task;

use crate::log::inputs;

const RETRY: Duration = Duration::from_millis(250);
const RETRY_MOST: Duration = Duration::from_secs(10);

/// Publishes what an attempt brought: changed cases first, then its own end.
///
/// Goes on until the log has it: an attempt whose end is not known would be made again.
pub(super) async fn publish(client: &Client, connector: &str, task: &Task, attempted: &Attempted) {
    for standing in &attempted.changes {
        let org = &standing.incident.org;
        send(client, format!("in.{org}.result.{connector}"), &Report::CaseChanged(standing.clone())).await;
    }
    let attempt = Attempt {
        reaction: task.id.clone(),
        attempt: task.attempt,
        requests: attempted.requests,
        outcome: attempted.outcome.clone(),
    };
    match &task.org {
        Some(org) => send(client, format!("in.{org}.result.{connector}"), &Report::Attempt(attempt)).await,
        // The provider's own reactions are lane 0's.
        None => send(client, "p.0.ctl".to_owned(), &Control::Attempt(attempt)).await,
    }
}

async fn send(client: &Client, subject: String, message: &impl serde::Serialize) {
    let Ok(payload) = serde_json::to_vec(message) else { return };
    let mut wait = RETRY;
    loop {
        match inputs::put(client, subject.clone(), payload.clone()).await {
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(subject, %error, "a report waits for the log");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(RETRY_MOST);
            }
        }
    }
}

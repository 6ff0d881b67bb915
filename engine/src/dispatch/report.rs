//! Reports of attempts, published into the log until it has them.

use std::time::Duration;

use async_nats::Client;
use linesman_schemas::OrgName;
use linesman_schemas::control::Control;
use linesman_schemas::outcome::{Attempt, Report};

use crate::log::inputs;

const RETRY: Duration = Duration::from_millis(250);
const RETRY_MOST: Duration = Duration::from_secs(10);

/// Publishes what an attempt brought, `reports` first, then its own end; `org` is whose the reaction is, of the provider's
/// `lane` has it.
///
/// Goes on until the log has it: an attempt whose end is not known would be made again.
pub(super) async fn publish(
    client: &Client,
    connector: &str,
    (org, lane): (Option<&OrgName>, u32),
    reports: Vec<Report>,
    ended: Attempt,
) {
    for report in reports.into_iter().chain([Report::Attempt(ended)]) {
        match (report.org().or(org).cloned(), report) {
            (Some(org), report) => send(client, format!("in.{org}.result.{connector}"), &report).await,
            (None, Report::Attempt(attempt)) => {
                send(client, format!("p.{lane}.ctl"), &Control::Attempt(Box::new(attempt))).await;
            }
            // Cases and devices are somebody's.
            (None, _) => {}
        }
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

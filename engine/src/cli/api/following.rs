//! What is looked at again and again until it has come to something: the engine may be started again meanwhile, and come back at
//! another address.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::{Api, LOOK_EVERY, status};

/// How long an engine that is away is waited for, where that was not said.
const AWAY_MOST: Duration = Duration::from_secs(300);

impl Api {
    /// As [`get`](Self::get), for whoever looks again and again: an engine that is away is waited for, also where it comes back
    /// at another address; up to a moment, or else for [`AWAY_MOST`].
    pub(super) async fn followed(
        &self,
        path: &str,
        query: &impl Serialize,
        until: Option<Instant>,
    ) -> anyhow::Result<Value> {
        let mut away: Option<Instant> = None;
        loop {
            let error = match self.get(path, query).await {
                Ok(found) => {
                    if away.is_some() {
                        errln!("the engine is back, at {}", self.base());
                    }
                    return Ok(found);
                }
                Err(error) => error,
            };
            let is_away = match status(&error) {
                Some(status) => status == StatusCode::SERVICE_UNAVAILABLE,
                None => error.downcast_ref::<reqwest::Error>().is_some(),
            };
            let is_over = match (until, away) {
                (Some(until), _) => Instant::now() >= until,
                (None, away) => away.is_some_and(|since| since.elapsed() >= AWAY_MOST),
            };
            if !is_away || is_over {
                return Err(error);
            }
            if away.is_none() {
                errln!("the engine does not answer; waiting until it is back");
                away = Some(Instant::now());
            }
            tokio::time::sleep(LOOK_EVERY).await;
            self.look_again();
        }
    }
}

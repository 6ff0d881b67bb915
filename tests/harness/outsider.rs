//! A client of the NATS server that counts what the server refuses it.

use std::sync::{Arc, Mutex, PoisonError};

use async_nats::{Client, ConnectOptions, Event, ServerError};

use crate::until;

/// A subject that nobody but the engine may publish on: its refusal comes after those before it.
const LAST: &str = "w.last";

/// A connection with some login.
pub struct Outsider {
    /// The connection.
    pub client: Client,
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Outsider {
    /// Connects with the login that the URL names.
    ///
    /// # Errors
    /// The server does not let it in.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let refusals = Arc::new(Mutex::new(Vec::new()));
        let kept = refusals.clone();
        let options = ConnectOptions::new().event_callback(move |event| {
            if let Event::ServerError(ServerError::Other(text)) = event {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            }
            std::future::ready(())
        });
        Ok(Self { client: linesman::log::connect_with(options, url).await?, refusals })
    }

    /// What the server has refused since the last look, in order; nothing that was sent is still on its way.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn refusals(&self) -> anyhow::Result<Vec<String>> {
        self.client.publish(LAST, "".into()).await?;
        let last = refused_publish(LAST);
        Ok(until("the server has looked at everything", || {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            let found = refusals.last() == Some(&last);
            let all = found.then(|| refusals.drain(..).filter(|refusal| *refusal != last).collect());
            std::future::ready(all)
        })
        .await)
    }
}

/// What the server says to a publication that the login may not make.
pub fn refused_publish(subject: &str) -> String {
    format!("Permissions Violation for Publish to \"{subject}\"")
}

/// What the server says to a subscription that the login may not make.
pub fn refused_subscription(subject: &str) -> String {
    format!("Permissions Violation for Subscription to \"{subject}\"")
}

//! Where the JetStream is that holds the log: at the server that is connected to, or in a domain that is reached through it,
//! over leaf nodes. A process has one log, so this is the process's: the first connection says it.

use std::sync::OnceLock;

use async_nats::{Client, jetstream};

static DOMAIN: OnceLock<String> = OnceLock::new();

/// The log is in this domain, for as long as the process lives; what was said first counts.
pub(super) fn is_in(domain: &str) {
    let _ = DOMAIN.set(domain.to_owned());
}

/// The JetStream that holds the log.
pub fn context(client: &Client) -> jetstream::Context {
    match DOMAIN.get() {
        None => jetstream::new(client.clone()),
        Some(domain) => jetstream::with_domain(client.clone(), domain),
    }
}

/// What a question to its API is asked on.
pub(super) fn api_subject(what: &str) -> String {
    DOMAIN.get().map_or_else(|| format!("$JS.API.{what}"), |domain| format!("$JS.{domain}.API.{what}"))
}

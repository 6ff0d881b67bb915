//! What the demo's devices and the support system say.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream;
use linesman_schemas::bundle;
use linesman_schemas::bundle::corpus::{later, specimens};

use super::super::line;
use super::configuration::ORGANIZATIONS;

/// Publishes the corpus to the organizations in turn; how many bundles that were.
/// With a pace it tells each of them.
pub(super) async fn publish(client: Client, pace: Option<Duration>) -> anyhow::Result<u64> {
    let tell = |org: &str, what: &str, name: &str| {
        if pace.is_some() {
            outln!("{}", line::published(org, what, name));
        }
    };
    let rest = pace.unwrap_or_default();
    let context = jetstream::new(client);
    let mut bundles = 0;
    let mut owners = Owners::default();
    for (number, specimen) in specimens().into_iter().enumerate() {
        let org = owners.of(&specimen.bytes, number);
        tell(org, "bundle", &host_event_id(&specimen.bytes));
        context.publish(format!("in.{org}.jmb.demo"), specimen.bytes.into()).await?.await?;
        bundles += 1;
        tokio::time::sleep(rest).await;
    }
    for message in intelligence(0).chunks(ORGANIZATIONS.len()) {
        for (org, title, text) in message {
            tell(org, "message", title);
            context.publish(format!("in.{org}.intel.demo"), text.clone().into()).await?.await?;
        }
        tokio::time::sleep(rest).await;
    }
    // For nobody we know: its dead letter shows.
    tell("nobody", "bundle", "");
    context.publish("in.nobody.jmb.demo", "<jmb/>".into()).await?.await?;
    Ok(bundles + 1)
}

/// The messages of a round, each to each organization in turn: whose it is, its title, and all of it.
pub(super) fn intelligence(round: usize) -> Vec<(&'static str, &'static str, String)> {
    let mut messages = Vec::new();
    for (number, (kind, title)) in INTELLIGENCE.into_iter().enumerate() {
        let text = serde_json::json!({
            "id": format!("TSB{}", 71_000 + round * INTELLIGENCE.len() + number), "kind": kind, "title": title,
            "issued": "2026-11-20T08:00:00Z",
            "text": "See the notice for the affected releases and the way around.",
            "relevance": {"products": ["MX240", "MX960"], "os_versions": ["21.4R3-S5"]},
        })
        .to_string();
        messages.extend(ORGANIZATIONS.map(|(org, ..)| (org, title, text.clone())));
    }
    messages
}

/// The bundle of so many behind the corpus.
pub(super) fn later_of(number: usize) -> Vec<u8> {
    later(number).bytes
}

/// What a bundle is known by; nothing for one that cannot be read.
pub(super) fn host_event_id(bytes: &[u8]) -> String {
    bundle::decode(bytes).map_or_else(|_| "(broken)".to_owned(), |bundle| bundle.manifest.host_event_id.to_string())
}

/// Whose bundles are whose: each device is one organization's, in turn as they appear; a broken
/// bundle, which names no device, may be anyone's.
#[derive(Default)]
pub(super) struct Owners(BTreeMap<String, &'static str>);

impl Owners {
    /// Whose the bundle of this number is.
    pub(super) fn of(&mut self, bytes: &[u8], number: usize) -> &'static str {
        let turn = |number: usize| ORGANIZATIONS.get(number % ORGANIZATIONS.len()).map_or("acme", |(name, ..)| name);
        let Ok(bundle) = bundle::decode(bytes) else { return turn(number) };
        let known = self.0.len();
        self.0.entry(bundle.manifest.device.serial_number.into_owned()).or_insert_with(|| turn(known))
    }
}

const INTELLIGENCE: [(&str, &str); 3] = [
    ("bug-notice", "Routing process may restart when a BGP peer flaps"),
    ("end-of-life", "End of life: power supply of older branch gateways"),
    ("alert", "Field notice: fan tray firmware"),
];

//! Whom messages concern: the provider's and an organization's own, of each kind; and a device that comes, and changes.

use linesman_tests::event;
use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::Scribe;

/// A policy of everyone's that hears of it and asks for devices, and an organization's own.
pub(crate) const POLICIES: [(&str, &str); 2] = [
    (
        "concerned",
        "policy(#{ on: [\"intelligence.matched\", \"end-of-life.matched\", \"bug-notice.arrived\", \
         \"bug-notice.matched\", \"exposure.new\"] });\n\
         fn react(message, org) {\n    \
         let all = org.devices(#{ product: \"MX*\", os_version: \">= 1.1\" });\n    \
         publish(\"concerned\", #{ id: message.id, affected: message.affected, of: all.len() });\n}",
    ),
    (
        "acme/concerned",
        "policy(#{ on: [\"bug-notice.matched\", \"exposure.new\"] });\n\
         fn react(message, org) {\n    \
         if message.title == \"thrown\" { throw \"no\" }\n    \
         publish(\"own\", #{ id: message.id, count: message.affected_count });\n}",
    ),
];

fn message(id: &str, kind: &str, title: &str, products: &[&str]) -> Value {
    json!({
        "id": id, "kind": kind, "title": title, "issued": "2026-11-21T10:00:00Z", "relevance": {"products": products},
    })
}

/// Everything there is to hear of, in two organizations; the messages of the provider's have the numbers from `first` on.
pub(crate) fn matched(scribe: &mut Scribe, first: u64) -> anyhow::Result<()> {
    for org in ["acme", "bolt"] {
        scribe.send(org, "jmb", event("concerned-1", 1, "CONCERNED", "Low"))?;
    }
    let kinds = [("K1", "alert"), ("K2", "informational"), ("K3", "end-of-life"), ("K4", "bug-notice")];
    for (number, (id, kind)) in (first..).zip(kinds) {
        scribe.provided(&admin(), number, id, &message(id, kind, "look out", &["MX*"]))?;
        scribe.work()?;
        scribe.send("acme", "intel", message(&format!("own-{id}"), kind, "yours", &["MX*"]).to_string())?;
        scribe.work()?;
    }
    scribe.provided(&admin(), first + 4, "K4", &message("K4", "bug-notice", "look out again", &[]))?;
    scribe.send("acme", "intel", message("own-K4", "bug-notice", "thrown", &["MX*"]).to_string())?;
    scribe.work()?;
    for (number, product) in [(2, "MX240"), (3, "EX4300"), (4, "MX240")] {
        let bundle = event("concerned-2", number, "CONCERNED", "Low").replace("MX240", product);
        scribe.send("acme", "jmb", bundle)?;
    }
    scribe.work()
}

//! What organizations are sent of the provider's messages: worded, sent, recalled and sent again, by people and by a policy.

use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::Scribe;

/// A policy of everyone's that sends on what concerns an organization, and one that hears of what was received.
pub(crate) const POLICIES: [(&str, &str); 2] = [
    (
        "forwards",
        "policy(#{ on: \"end-of-life.matched\" });\n\
         fn react(message, org) {\n    \
         forward_intelligence(message, #{ only_affected: true, title: `${org.name}: ${message.title}` });\n}",
    ),
    (
        "received",
        "policy(#{ on: \"intelligence.received\" });\n\
         fn react(message, org) { publish(\"received\", #{ title: message.title }); }",
    ),
];

fn message(id: &str, kind: &str, title: &str) -> Value {
    json!({
        "id": id, "kind": kind, "title": title, "issued": "2026-11-21T10:00:00Z",
        "relevance": {"products": ["MX*"]},
    })
}

/// Everything that becomes of a message for organizations; the messages have the numbers from `first` on.
pub(crate) fn sent(scribe: &mut Scribe, first: u64) -> anyhow::Result<()> {
    let of = |verb: &str, id: &str| json!({verb: {"id": id}});
    let wording =
        |id: &str, title: &str| json!({"associate_intelligence": {"id": id, "title": title, "text": "Yours."}});
    scribe.provided(&admin(), first, "S1", &message("S1", "alert", "sent by hand"))?;
    scribe.work()?;
    scribe.ask(&admin(), "acme", &of("send_intelligence", "S0"))?;
    scribe.ask(&admin(), "bolt", &of("associate_intelligence", "S1"))?;
    scribe.ask(&admin(), "bolt", &of("dissociate_intelligence", "S1"))?;
    scribe.ask(&admin(), "acme", &wording("S1", "for acme"))?;
    for _ in 0..2 {
        scribe.ask(&admin(), "acme", &of("send_intelligence", "S1"))?;
        scribe.work()?;
    }
    scribe.ask(&admin(), "acme", &of("dissociate_intelligence", "S1"))?;
    scribe.provided(&admin(), first + 1, "S1", &message("S1", "alert", "another text"))?;
    scribe.work()?;
    scribe.ask(&admin(), "acme", &of("send_intelligence", "S1"))?;
    for _ in 0..2 {
        scribe.ask(&admin(), "acme", &of("recall_intelligence", "S1"))?;
    }
    scribe.ask(&admin(), "acme", &wording("S1", "for acme again"))?;
    scribe.ask(&admin(), "acme", &of("send_intelligence", "S1"))?;
    scribe.work()?;
    // By the policy, which the wording of somebody stops once the message has changed.
    scribe.provided(&admin(), first + 2, "S2", &message("S2", "end-of-life", "sent by a policy"))?;
    scribe.work()?;
    scribe.ask(&admin(), "acme", &of("recall_intelligence", "S2"))?;
    scribe.ask(&admin(), "acme", &wording("S2", "for acme"))?;
    scribe.provided(&admin(), first + 3, "S2", &message("S2", "end-of-life", "of another text"))?;
    scribe.work()
}

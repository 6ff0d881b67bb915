//! Cases with a reference of the customer's own, and an address group.

use serde_json::json;

use crate::listeners::admin;
use crate::scribe::Scribe;

/// The policy that gives both.
pub(super) const POLICIES: [(&str, &str); 1] = [(
    "refers",
    "policy(#{ on: \"incident.detected\", where: #{ event_type: \"CHASSISD_PSU_FAILURE\" } });\n\
     fn react(incident, org) { submit_case(#{ reference: `CHG ${incident.id}`, address: \"berlin\" }); }",
)];

/// Of an organization with the group, and of one without it; then people, whose draft says one and whose submission the other.
pub(crate) fn make(scribe: &mut Scribe) -> anyhow::Result<()> {
    let group = json!({"groups": [{"name": "berlin", "address": "Gate 3 at 192.0.2.7", "contact": ""}]});
    scribe.ask(&admin(), "acme", &json!({"set_addresses": group}))?;
    for (org, number) in [("acme", 8_801), ("cobalt", 8_802)] {
        scribe.send(org, "jmb", linesman_tests::event("edge-88", number, "CHASSISD_PSU_FAILURE", "High"))?;
    }
    scribe.send("acme", "jmb", linesman_tests::event("edge-88", 8_803, "CHASSISD_FAN_SPARE", "Low"))?;
    let case = |words| json!({"incident": "acme-1", "case": words});
    for words in [json!({"address": "rome"}), json!({"address": "berlin", "reference": "CHG-1"})] {
        scribe.ask(&admin(), "acme", &json!({"save_case": case(words)}))?;
    }
    scribe.ask(&admin(), "acme", &json!({"submit_case": case(json!({"reference": "CHG-2"}))}))?;
    scribe.work()
}

//! Addresses, contracts and devices that are silent.

use serde_json::json;

use crate::cascade::settings;
use crate::listeners::admin;
use crate::scribe::Scribe;

/// The policies that hear of it.
pub(super) const POLICIES: [(&str, &str); 4] = [
    (
        "silence",
        "policy(#{ on: \"device.silent\" });\n\
         fn react(device, org) { publish(\"silent\", #{ of: device.serial_number }); }",
    ),
    (
        "ends",
        "policy(#{ on: \"contract.expiring\" });\n\
         fn react(contract, org) { publish(\"ends\", #{ of: contract.agreement_number, over: contract.has_ended }); }",
    ),
    (
        "lacks",
        "policy(#{ on: \"incident.without-address\" });\n\
         fn react(incident, org) { publish(\"lacks\", #{ of: incident.id }); }",
    ),
    (
        "closes",
        "policy(#{ on: \"incident.detected\", where: #{ event_type: \"CHASSISD_FAN_FAILURE\" } });\n\
         fn react(incident, org) { close_incident(\"a fan\"); }",
    ),
];

/// How long it is until a look, in seconds.
const DAY_S: i64 = 86_400;

/// What is said of each organization: groups, what devices name, contracts near their end and far from it; then days pass.
pub(crate) fn make(scribe: &mut Scribe) -> anyhow::Result<()> {
    for org in ["acme", "cobalt"] {
        // Whoever has an address of its own lacks none.
        scribe.ask(&admin(), org, &settings(org, &json!({"address": ""})))?;
        let group = |name: &str, address: &str| json!({"name": name, "address": address, "contact": "Ann"});
        let given = json!({
            "groups": [group("berlin", "Gate 3\n10115 Berlin"), group("paris", "rack of 192.0.2.7")],
            "devices": [{"serial_number": "SN1234", "ship_to": "berlin", "location": "paris"}],
        });
        scribe.ask(&admin(), org, &json!({"set_addresses": given}))?;
        // Nobody is called so; it is named; nobody has it.
        let wrong = json!({"devices": [{"serial_number": "SN1", "ship_to": "rome"}]});
        for given in [wrong, json!({"removed": ["paris"]}), json!({"removed": ["rome"]})] {
            scribe.ask(&admin(), org, &json!({"set_addresses": given}))?;
        }
        scribe.send(org, "jmb", linesman_tests::event("edge-77", 7_701, "CHASSISD_FAN_FAILURE", "High"))?;
        let line = |number: &str, end: &str| json!({"agreement_number": number, "sku": "SVC", "serial_number": "SN1234", "start": "2026-01-01", "end": end});
        let lines = [line("A-1", "2026-12-01"), line("A-2", "2027-01-05"), line("A-3", "2026-01-05")];
        scribe.ask(&admin(), org, &json!({"set_contracts": {"contracts": lines}}))?;
        scribe.ask(&admin(), org, &json!({"set_contracts": {"removed": ["A-3"]}}))?;
        scribe.ask(&admin(), org, &json!({"set_contracts": {"removed": ["A-9"]}}))?;
    }
    scribe.work()?;
    for _ in 0..20 {
        scribe.wait(DAY_S)?;
        scribe.tick()?;
        scribe.work()?;
    }
    Ok(())
}

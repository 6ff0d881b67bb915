//! Parts of devices, that messages name them; what changed of what an organization was sent, and where it stood with it.

use serde_json::{Value, json};

use crate::listeners::admin;
use crate::scribe::Scribe;

fn snapshot(host: &str, number: u64, serial_number: &str) -> String {
    let attachment = format!(
        "<chassis-inventory><chassis><name>Chassis</name><serial-number>SN{host}</serial-number><chassis-module>\
         <name>FPC 0</name><part-number>750-1</part-number><serial-number>{serial_number}</serial-number>\
         </chassis-module></chassis></chassis-inventory>"
    );
    let bundle = linesman_tests::information(host, number, &attachment);
    bundle.replace(&format!("name=\"{host}_rsi.txt\""), &format!("name=\"{host}_shd_xml.xml\""))
}

fn message(id: &str) -> Value {
    json!({
        "id": id, "kind": "alert", "title": "of a part", "issued": "2026-11-21T10:00:00Z",
        "relevance": {"serial_numbers": ["CA1", "CA2", "CX"]},
    })
}

/// The messages have the numbers from `first` on.
pub(crate) fn make(scribe: &mut Scribe, first: u64) -> anyhow::Result<()> {
    for (org, host, serial_number) in [("acme", "edge-89", "CA1"), ("cobalt", "edge-90", "CA2")] {
        scribe.send(org, "jmb", snapshot(host, 1, serial_number))?;
    }
    for (number, id) in [(first, "R1"), (first + 1, "R2")] {
        scribe.provided(&admin(), number, id, &message(id))?;
        scribe.work()?;
    }
    // Another part of the same, and one that nobody names; an older inventory that comes late.
    for (number, serial_number) in [(3, "CX"), (4, "CY"), (2, "CA1")] {
        scribe.send("acme", "jmb", snapshot("edge-89", number, serial_number))?;
        scribe.work()?;
    }
    let of = |verb: &str, id: &str| json!({verb: {"id": id}});
    let seen = json!({"set_intelligence_state": {"id": "R1", "state": "completed"}});
    for (org, verb) in [
        ("acme", of("send_intelligence", "R1")),
        ("cobalt", of("send_intelligence", "R1")),
        ("cobalt", of("send_intelligence", "R2")),
        ("cobalt", seen),
        ("cobalt", of("recall_intelligence", "R1")),
        ("cobalt", of("send_intelligence", "R1")),
    ] {
        scribe.ask(&admin(), org, &verb)?;
        scribe.work()?;
    }
    let own = |is_recalled: bool| {
        let message = json!({
            "id": "R9", "kind": "alert", "title": "of one's own", "issued": "2026-11-21T10:00:00Z", "recalled": is_recalled,
        });
        message.to_string()
    };
    scribe.send("cobalt", "intel", own(false))?;
    scribe.ask(&admin(), "cobalt", &json!({"set_intelligence_state": {"id": "R9", "state": "completed"}}))?;
    scribe.send("cobalt", "intel", own(true))?;
    scribe.work()
}

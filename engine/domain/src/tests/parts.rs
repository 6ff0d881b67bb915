//! Messages that name parts reach whoever has them: by the chassis inventory of a device's latest bundle that has one.

use super::matches::{device, notice};
use super::*;
use crate::snapshots::parts;

/// A bundle of a device with a chassis inventory of these parts: a name and a serial number each.
pub(super) fn with_parts(host: &str, number: u64, hour: u64, found: &[(&str, &str)]) -> String {
    let module = |(name, serial_number): &(&str, &str)| {
        format!(
            "<chassis-module><name>{name}</name><part-number>750-1</part-number>\
             <serial-number>{serial_number}</serial-number></chassis-module>"
        )
    };
    let modules: String = found.iter().map(module).collect();
    let own = format!("SN{host}");
    format!(
        "<jmb version=\"1.0\" type=\"information\"><manifest>\
         <host-event-ID>{host}-{own}-20261121-101502-{number}</host-event-ID>\
         <time-occurred>2026-11-21T{hour:02}:00:00Z</time-occurred>\
         <device><host-name>{host}</host-name><serial-number>{own}</serial-number>\
         <product>MX240</product><platform>junos</platform><os-version>21.4R3</os-version></device></manifest>\
         <attachments><attachment name=\"{host}_shd_xml.xml\"><![CDATA[<rpc-reply><chassis-inventory><chassis>\
         <name>Chassis</name><serial-number>{own}</serial-number>{modules}</chassis></chassis-inventory></rpc-reply>]]>\
         </attachment></attachments></jmb>"
    )
}

fn parts_of(lane: &Lane, org: &str, serial_number: &str) -> Vec<String> {
    let found = parts::parts(&lane.base, &org.parse().unwrap(), serial_number).unwrap();
    found.iter().map(ToString::to_string).collect()
}

fn exposed(lane: &Lane) -> Vec<(String, Value, Value)> {
    let told = lane.events.iter().filter(|(on, _)| on.ends_with(".trigger.exposure.new"));
    told.map(|(_, event)| {
        let data = &event.data;
        (data["organization"].as_str().unwrap().to_owned(), data["id"].clone(), data["reasons"].clone())
    })
    .collect()
}

#[test]
fn whoever_gets_a_part_is_exposed_to_what_names_it_and_the_reason_says_which() {
    for reopens in [false, true] {
        let mut lane = Lane::with(&[]);
        lane.reopens = reopens;
        lane.provides(1, &notice("T1", "alert", &json!({"serial_numbers": ["CA1", "CA2"]})));
        lane.sees("acme", &device("a", "MX240", "21.4R3"));
        lane.sees("bolt", &device("b", "MX240", "21.4R3"));
        assert!(exposed(&lane).is_empty());
        lane.sees("acme", &with_parts("a", 1, 8, &[("FPC 0", "CA1"), ("FPC 1", "CX")]));
        assert_eq!(parts_of(&lane, "acme", "SNa"), ["CA1 (FPC 0, 750-1)", "CX (FPC 1, 750-1)"]);
        assert_eq!(exposed(&lane), [("acme".to_owned(), json!("T1"), json!(["part CA1 (FPC 0, 750-1)"]))]);
        // The same again, one from before that comes late, and a bundle without an inventory change nothing.
        for again in [
            with_parts("a", 2, 9, &[("FPC 0", "CA1"), ("FPC 1", "CX")]),
            with_parts("a", 3, 7, &[("FPC 0", "CA2")]),
            bundle("a", 9, "Low"),
        ] {
            lane.sees("acme", &again);
            assert_eq!((exposed(&lane).len(), parts_of(&lane, "acme", "SNa").len()), (0, 2));
        }
        // Without the part, and with another that is named.
        lane.sees("acme", &with_parts("a", 4, 10, &[]));
        assert_eq!((exposed(&lane).len(), parts_of(&lane, "acme", "SNa").len()), (0, 0));
        lane.sees("acme", &with_parts("a", 5, 11, &[("FPC 7", "CA2")]));
        assert_eq!(exposed(&lane)[0].2, json!(["part CA2 (FPC 7, 750-1)"]));
    }
}

#[test]
fn a_message_that_comes_is_held_against_the_parts_that_are_there() {
    let mut lane = Lane::with(&[]);
    lane.sees("acme", &with_parts("a", 1, 8, &[("FPC 0", "CA1")]));
    lane.sees("bolt", &with_parts("b", 1, 8, &[("FPC 0", "CB1")]));
    lane.provides(1, &notice("T1", "alert", &json!({"serial_numbers": ["CB1"], "products": ["MX*"]})));
    let told: Vec<_> = lane.events.iter().filter(|(on, _)| on.ends_with("trigger.intelligence.matched")).collect();
    assert_eq!(told.len(), 1);
    let data = &told[0].1.data;
    let reasons = json!(["part CB1 (FPC 0, 750-1)", "product MX*"]);
    assert_eq!(
        (&data["organization"], &data["devices"], &data["reasons"]),
        (&json!("bolt"), &json!(["SNb"]), &reasons)
    );
}

#[test]
fn below_level_12_nobody_knows_of_parts() {
    let mut lane = Lane::with_at(11, &[]);
    lane.provides(1, &notice("T1", "alert", &json!({"serial_numbers": ["CA1"]})));
    lane.sees("acme", &with_parts("a", 1, 8, &[("FPC 0", "CA1")]));
    assert!(exposed(&lane).is_empty() && parts_of(&lane, "acme", "SNa").is_empty());
    lane.decide("", "ctl", b"", Content::Level(12));
    lane.commit();
    lane.sees("acme", &with_parts("a", 2, 9, &[("FPC 0", "CA1")]));
    assert_eq!(exposed(&lane).len(), 1);
}

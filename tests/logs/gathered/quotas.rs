//! Quotas: used up by messages, by bytes and by devices; what came beyond them, on two days.

use serde_json::{Value, json};

use crate::cascade::settings;
use crate::listeners::admin;
use crate::scribe::Scribe;

/// Who sends too much.
const ORG: &str = "cobalt";

fn bundle(device: u64, number: u64) -> String {
    format!(
        "<jmb version=\"1.0\" type=\"event\"><manifest><host-event-ID>q-{device}-{number}</host-event-ID>\
         <time-occurred>2026-11-21T10:15:02Z</time-occurred><event-type>T</event-type>\
         <problem-synopsis>s</problem-synopsis><priority>Low</priority>\
         <device><host-name>q-{device}</host-name><serial-number>SNQ{device}</serial-number><product>MX240</product>\
         <os-version>21.4R3</os-version></device></manifest></jmb>"
    )
}

pub(super) fn make(scribe: &mut Scribe) -> anyhow::Result<()> {
    let quotas = [json!({"messages": 10, "devices": 3}), json!({"bytes": 2_000}), json!({"messages": 0})];
    for (day, quotas) in (1_u64..).zip(&quotas) {
        set(scribe, quotas)?;
        for number in 0..15 {
            scribe.send(ORG, "jmb", bundle(day * 10 + number % 4, number))?;
        }
        let device =
            json!({"name": format!("q-{day}"), "address": "192.0.2.1", "user": "u", "credentials": "password"});
        scribe.ask(&admin(), ORG, &json!({"set_device": device}))?;
        scribe.send(ORG, "weather", "{")?;
        scribe.wait(86_400)?;
    }
    scribe.send(ORG, "jmb", bundle(1, 99))
}

fn set(scribe: &mut Scribe, quotas: &Value) -> anyhow::Result<()> {
    scribe.ask(&admin(), ORG, &settings(ORG, &json!({"quotas": quotas})))
}

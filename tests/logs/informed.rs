//! The log `informed`: raised level by level, and then what level 11 knows.

mod addresses;
mod approved;

use std::path::Path;

use crate::cascade::raised;

/// The level that all this is from.
const LEVEL: u32 = 11;

/// The policies that hear of it.
const POLICIES: [(&str, &str); 4] = [
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

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &POLICIES)?;
    approved::make(&mut scribe, &book)?;
    addresses::make(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

//! The log `load`: 2,000 bundles of three organizations under twenty policies.

use std::path::Path;

use linesman_schemas::control::{RuleBook, Settings};
use linesman_tests::event;

use crate::scribe::Scribe;
use crate::{policies, reports, system};

const TYPES: [&str; 6] = [
    "CHASSISD_FAN_FAILURE",
    "RPD_BGP_NEIGHBOR_STATE_CHANGED",
    "KERNEL_CORE",
    "FPC_LINK_ERROR",
    "HEALTH_STORAGE_NEARLY_FULL",
    "SNMPD_AUTH_FAILURE",
];
const PRIORITIES: [&str; 5] = ["4 - Low", "2 - High", "3 - Medium", "1 - Critical", "4 - Low"];

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let mut scribe = Scribe::begin(dir)?;
    for (org, level) in system::LEVELS.into_iter().take(3) {
        system::organization(&mut scribe, org, level)?;
    }
    let policies = policies::twenty()?;
    scribe.rules(&RuleBook { settings: Settings::default(), policies, refused: Vec::new() })?;
    let kinds = TYPES.into_iter().cycle().zip(PRIORITIES.into_iter().cycle());
    let orgs = system::LEVELS.into_iter().take(3).cycle();
    for ((number, (kind, priority)), (org, _)) in (1..=2_000_u64).zip(kinds).zip(orgs) {
        // Every fortieth has been seen.
        let number = if number.is_multiple_of(40) { number - 30 } else { number };
        scribe.send(org, "jmb", event(&format!("{org}-rtr-{}", number % 23), number, kind, priority))?;
    }
    reports::all(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

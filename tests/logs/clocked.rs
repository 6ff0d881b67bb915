//! The log `clocked`: raised level by level, and then what level 14 knows. Clocks jump, are apart, and come back; repetitions of a
//! problem stay one incident, and what is tried again is.

use std::path::Path;

use jiff::{Timestamp, ToSpan as _};
use linesman_schemas::control::{ClockReading, Control};

use crate::cascade::raised;
use crate::scribe::{LANES, Scribe};

/// The level that all this is from.
const LEVEL: u32 = 14;
/// Whose devices these are.
const ORG: &str = "cobalt";
const HOUR_S: i64 = 3_600;
const YEAR_S: i64 = 365 * 24 * HOUR_S;

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, _) = raised(dir, LEVEL, &[])?;
    bundle(&mut scribe)?;
    // An hour of silence, and a night.
    for silence in [HOUR_S, 9 * HOUR_S] {
        let at = scribe.now.checked_add(silence.seconds())?;
        says(&mut scribe, at);
        scribe.wait(silence)?;
        bundle(&mut scribe)?;
    }
    ahead(&mut scribe)?;
    behind(&mut scribe)?;
    both(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

/// A server's clock that is a year ahead for a message, and then for a while.
fn ahead(scribe: &mut Scribe) -> anyhow::Result<()> {
    let right = scribe.now;
    says(scribe, right);
    scribe.wait(YEAR_S)?;
    bundle(scribe)?;
    scribe.now = right.checked_add(60.seconds())?;
    bundle(scribe)?;
    for minutes in 0..40_i64 {
        let passed = right.checked_add((60 + minutes * 4).minutes())?;
        says(scribe, passed);
        scribe.now = passed.checked_add(YEAR_S.seconds())?;
        bundle(scribe)?;
    }
    let passed = right.checked_add(4.hours())?;
    says(scribe, passed);
    scribe.now = passed;
    bundle(scribe)
}

/// A server's clock that is three hours behind for two.
fn behind(scribe: &mut Scribe) -> anyhow::Result<()> {
    let right = scribe.now;
    for minutes in 0..30_i64 {
        let passed = right.checked_add((minutes * 4).minutes())?;
        says(scribe, passed);
        scribe.now = passed.checked_sub((3 * HOUR_S).seconds())?;
        bundle(scribe)?;
        told(scribe)?;
    }
    scribe.now = right.checked_add(3.hours())?;
    let at = scribe.now;
    says(scribe, at);
    bundle(scribe)
}

/// Both clocks were three hours ahead for some seconds.
fn both(scribe: &mut Scribe) -> anyhow::Result<()> {
    let right = scribe.now;
    scribe.wait(3 * HOUR_S)?;
    let at = scribe.now;
    says(scribe, at);
    bundle(scribe)?;
    for minutes in 0..100_i64 {
        scribe.now = right.checked_add((minutes * 4).minutes())?;
        let at = scribe.now;
        says(scribe, at);
        bundle(scribe)?;
        if minutes % 10 == 0 {
            told(scribe)?;
        }
    }
    Ok(())
}

/// What the engine's clocks say from here on; its steady one has seen nothing pass.
fn says(scribe: &mut Scribe, at: Timestamp) {
    scribe.clocks = Some(ClockReading { at, lane: Timestamp::UNIX_EPOCH });
}

/// All lanes are told what the clocks say.
fn told(scribe: &mut Scribe) -> anyhow::Result<()> {
    let Some(reading) = scribe.clocks else { return Ok(()) };
    for lane in 0..LANES {
        scribe.control(lane, serde_json::to_vec(&Control::Clock(reading))?)?;
    }
    Ok(())
}

/// The same problem again.
fn bundle(scribe: &mut Scribe) -> anyhow::Result<()> {
    let bundle = "<jmb version=\"1.0\" type=\"event\"><manifest><host-event-ID>c-1</host-event-ID>\
                  <time-occurred>2026-11-21T10:15:02Z</time-occurred><event-type>T</event-type>\
                  <problem-synopsis>s</problem-synopsis><priority>Low</priority><device><host-name>c</host-name>\
                  <serial-number>SNC</serial-number><product>MX240</product><os-version>21.4R3</os-version></device>\
                  </manifest></jmb>";
    scribe.send(ORG, "jmb", bundle)
}

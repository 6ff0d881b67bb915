//! The log `gathered`: raised level by level, and then what level 13 knows.

mod collected;
mod drift;
mod gathering;
mod pushes;
mod quotas;
mod scripts;

use std::path::Path;

use crate::cascade::raised;

/// The level that all this is from.
const LEVEL: u32 = 13;

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &[&gathering::POLICIES[..], &drift::POLICIES].concat())?;
    gathering::make(&mut scribe)?;
    scripts::make(&mut scribe)?;
    pushes::make(&mut scribe, &book)?;
    collected::make(&mut scribe)?;
    drift::make(&mut scribe, &book)?;
    quotas::make(&mut scribe)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

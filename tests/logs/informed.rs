//! The log `informed`: raised level by level, and then what level 11 knows.

mod approved;
mod matched;
mod sent;

use std::path::Path;

use crate::cascade::raised;

/// The level that all this is from.
const LEVEL: u32 = 11;

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &[matched::POLICIES, sent::POLICIES].concat())?;
    matched::matched(&mut scribe, 1)?;
    sent::sent(&mut scribe, 6)?;
    approved::make(&mut scribe, &book)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

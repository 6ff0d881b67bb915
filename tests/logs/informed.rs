//! The log `informed`: raised level by level, and then what level 11 knows.

mod approved;

use std::path::Path;

use crate::cascade::raised;

/// The level that all this is from.
const LEVEL: u32 = 11;

/// The policies that hear of it.
const POLICIES: [(&str, &str); 0] = [];

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &POLICIES)?;
    approved::make(&mut scribe, &book)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

//! The log `reached`: raised level by level, and then what level 12 knows.

mod further;
mod parts;
mod sent;

use std::path::Path;

use crate::cascade::raised;

/// The level that all this is from.
const LEVEL: u32 = 12;

pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    let (mut scribe, book) = raised(dir, LEVEL, &further::POLICIES)?;
    further::make(&mut scribe)?;
    parts::make(&mut scribe, 1)?;
    sent::make(&mut scribe, &book, 3)?;
    let inputs = scribe.end()?;
    println!("{inputs} inputs in {}", dir.display());
    Ok(())
}

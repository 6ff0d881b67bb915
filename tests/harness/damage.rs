//! Files that the disk gives back otherwise than they were written.

use std::fs;
use std::path::Path;

use crate::Random;

/// Flips so many bits of a file where something stands in it.
///
/// # Errors
/// It cannot be read or written, or has nothing but zeros.
pub fn flip(path: &Path, flips: usize, random: &mut Random) -> anyhow::Result<()> {
    let mut bytes = fs::read(path)?;
    anyhow::ensure!(bytes.iter().any(|byte| *byte != 0), "nothing stands in {}", path.display());
    let mut flipped = 0;
    while flipped < flips {
        let at = usize::try_from(random.below(bytes.len() as u64))?;
        if let Some(byte) = bytes.get_mut(at).filter(|byte| **byte != 0) {
            *byte ^= 1 << random.below(8);
            flipped += 1;
        }
    }
    Ok(fs::write(path, bytes)?)
}

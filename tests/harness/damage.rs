//! Files that the disk gives back otherwise than they were written.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

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

/// How many bytes of a stream's file are flipped at a time.
const WIDTH: usize = 8;

/// Bytes of a stream's file that were flipped.
#[derive(Debug)]
pub struct Flipped {
    path: PathBuf,
    at: usize,
}

impl Flipped {
    /// Flips bytes so far behind a text, where that stands first in a stream of the embedded server; none where it stands nowhere.
    ///
    /// # Errors
    /// The stream's files cannot be read or written.
    pub fn in_stream(data: &Path, stream: &str, (text, behind): (&str, usize)) -> anyhow::Result<Option<Self>> {
        for path in blocks(data, stream)? {
            let bytes = fs::read(&path)?;
            let found = bytes.windows(text.len()).position(|found| found == text.as_bytes());
            if let Some(at) = found.map(|at| at + behind) {
                let flipped = Self { path, at };
                flipped.flip()?;
                return Ok(Some(flipped));
            }
        }
        Ok(None)
    }

    /// Puts them back. The server must not run, nor have been killed meanwhile.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn mend(self) -> anyhow::Result<()> {
        self.flip()
    }

    fn flip(&self) -> anyhow::Result<()> {
        let mut bytes = fs::read(&self.path)?;
        let flipped = bytes.get_mut(self.at..self.at + WIDTH);
        flipped.context("the file is too short")?.iter_mut().for_each(|byte| *byte ^= 0xff);
        Ok(fs::write(&self.path, bytes)?)
    }
}

/// The files in which a stream's messages lie, in their order.
fn blocks(data: &Path, stream: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for account in fs::read_dir(data.join("nats/jetstream/jetstream"))? {
        let folder = account?.path().join("streams").join(stream).join("msgs");
        if folder.is_dir() {
            let found = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
            files.extend(found.collect::<anyhow::Result<Vec<_>>>()?);
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "blk"));
    let number = |path: &PathBuf| path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
    files.sort_by_key(number);
    Ok(files)
}

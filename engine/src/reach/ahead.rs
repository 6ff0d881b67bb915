//! What waits for a device is waited for once for several files: those that are about to be taken are read together, and those
//! that the log has go together.

use std::collections::{HashMap, VecDeque};

use linesman_connectors::device::files::{self, File, Name};
use linesman_domain::reached::{AfterRow, JmbErrorRow, ReachedRow};

use super::journal::{Found, Progress};
use super::sent::Sent;
use super::take::unwritten;
use super::visit::id_of;
use super::way::{Trouble, limits, reading};
use super::worker::Worker;

/// How many files are read, or removed, together, and how many are on their way into the log.
pub(super) const FILES_MOST: usize = 16;
/// How many bytes of files that are read together lie in memory.
pub(super) const BYTES_MOST: u64 = 512 * 1024;

/// What a look has ahead of it.
#[derive(Default)]
pub(super) struct Ahead {
    /// Files that are likely to be taken, in the order in which they are.
    coming: VecDeque<File>,
    /// Those that were read, whole.
    read: HashMap<Name, Result<Vec<u8>, files::Error>>,
    /// Those that are on their way into the log.
    pub(super) sent: Vec<Sent>,
    /// Those that the log has, and that are to be removed.
    leaving: Vec<(File, Found)>,
}

impl Worker {
    /// Begins a look: whatever the last one had ahead of it was broken off.
    pub(super) fn look_ahead(&mut self, row: &ReachedRow, files: &[File], aside: &HashMap<String, JmbErrorRow>) {
        let most = self.hands.parts.client.max_payload() as u64;
        let is_coming = |file: &&File| {
            let modified = file.modified.map_or(0, jiff::Timestamp::as_second);
            let is_still = |seen: &super::worker::Seen| {
                seen.size == file.size && seen.modified == modified && !seen.is_incomplete && seen.refused.is_none()
            };
            file.size <= most
                && self.breaking.passed(&file.name).is_none()
                && self.seen.get(&file.name).is_some_and(is_still)
                && !aside.contains_key(&id_of(file))
                && self.hands.journal.get(&Found::new(&self.device, file)) != Some(Progress::Brought)
        };
        // While one of them breaks the connection it is to be known which.
        let files = if self.breaking.is_sought() { &[] } else { files };
        let coming = files.iter().filter(|file| super::pattern::matches(&row.pattern, file)).filter(is_coming);
        self.ahead = Ahead { coming: coming.cloned().collect(), ..Ahead::default() };
    }

    /// A file, where it was read with others, or is now; none where it is to be read by itself: it is long, or has changed.
    pub(super) async fn read_ahead(&mut self, file: &File) -> Result<Option<Vec<u8>>, Trouble> {
        if !self.ahead.read.contains_key(&file.name) {
            self.read_together(file).await?;
        }
        match self.ahead.read.remove(&file.name) {
            None | Some(Err(files::Error::Changed(_))) => Ok(None),
            Some(read) => Ok(Some(read?)),
        }
    }

    async fn read_together(&mut self, file: &File) -> Result<(), Trouble> {
        let Ahead { coming, read, .. } = &mut self.ahead;
        while coming.front().is_some_and(|first| first.name < file.name) {
            coming.pop_front();
        }
        if coming.front() != Some(file) || file.size > BYTES_MOST {
            return Ok(());
        }
        let mut bytes = 0;
        let fits = |file: &&File| {
            bytes += file.size;
            bytes <= BYTES_MOST
        };
        let now: Vec<File> = coming.iter().take(FILES_MOST).take_while(fits).cloned().collect();
        coming.drain(..now.len());
        let Some(open) = &mut self.open else { return Ok(()) };
        let now: Vec<&File> = now.iter().collect();
        let size = now.iter().map(|file| file.size).sum();
        let all = open.files.read_all(&now, &reading(BYTES_MOST, size)).await?;
        read.extend(now.iter().map(|file| file.name.clone()).zip(all));
        Ok(())
    }

    /// A file that the log has goes from its device, as its settings say: one that is removed, with others.
    pub(super) async fn leaves(&mut self, after: &AfterRow, file: &File, found: &Found) -> Result<(), Trouble> {
        if *after != AfterRow::Remove {
            return self.gone(after, file, found).await;
        }
        self.ahead.leaving.push((file.clone(), found.clone()));
        if self.ahead.leaving.len() < FILES_MOST {
            return Ok(());
        }
        self.leave().await
    }

    /// Removes what is to be removed. What cannot be is known as brought, and tried again with the next look.
    pub(super) async fn leave(&mut self) -> Result<(), Trouble> {
        let leaving = std::mem::take(&mut self.ahead.leaving);
        let (Some(open), false) = (&mut self.open, leaving.is_empty()) else { return Ok(()) };
        let files: Vec<&File> = leaving.iter().map(|(file, _)| file).collect();
        let removed = open.files.remove_all(&files, &limits(BYTES_MOST)).await?;
        let mut first = None;
        for ((file, found), removed) in leaving.iter().zip(removed) {
            match removed {
                // Somebody else may have removed it; what has come in its place is another, and left to the next look.
                Ok(()) | Err(files::Error::Vanished(_) | files::Error::Changed(_)) => {
                    self.seen.remove(&file.name);
                    let kept = self.hands.journal.put(found, Progress::Gone);
                    kept.map_err(|error| unwritten(&error))?;
                }
                Err(error) => first = first.or_else(|| Some(Trouble::from(error))),
            }
        }
        first.map_or(Ok(()), Err)
    }
}

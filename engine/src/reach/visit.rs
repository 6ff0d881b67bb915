//! One look at a device: what is new in its directory, what of it is set aside, what is taken.

use std::collections::HashSet;

use linesman_connectors::device::files::{self, File, Files, Listing};
use linesman_domain::reached::{AfterRow, JMB_ERRORS_MOST, JmbErrorRow, ReachedRow, WishRow};
use linesman_schemas::device::{DeviceFacts, DeviceState, JmbErrorEnd, JmbErrorEnded};
use linesman_schemas::outcome::Report;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::journal::{Found, Progress};
use super::take::Taken;
use super::way::{Trouble, limits};
use super::worker::{Open, Seen, Worker};

/// How many entries of a directory are looked at.
const ENTRIES_MOST: usize = 20_000;
/// How many bytes a list of them may have.
const LIST_BYTES: u64 = 16 * 1024 * 1024;

/// How far the clock of a device may be ahead.
const AHEAD_MOST: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// What a look came to.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// How many bundles were brought.
    pub(super) taken: u64,
    /// How many files were set aside.
    pub(super) set_aside: u64,
    /// Whether there are files that were not seen before: whether they grow is to be seen.
    pub(super) has_new: bool,
    /// What the device has said of itself.
    pub(super) facts: Option<DeviceFacts>,
}

impl Worker {
    /// Looks through the directory once. What can be done is done whatever is wrong with the rest; the first of that is told.
    pub(super) async fn look(&mut self, row: &ReachedRow, look: &mut Look) -> Result<(), Trouble> {
        let is_reused = self.connect(row).await?;
        let listing = match self.list().await {
            // One that was kept open may have been cut meanwhile.
            Err(trouble) if is_reused && !trouble.is_connected => {
                self.open = None;
                self.connect(row).await?;
                self.list().await
            }
            listed => listed,
        };
        let listing = listing.map_err(|trouble| match trouble.state {
            DeviceState::Vanishing => Trouble { state: DeviceState::DirectoryMissing, ..trouble },
            _ => trouble,
        })?;
        let aside = self.hands.set_aside(&self.device)?;
        self.forget_vanished(row, &listing, &aside).await;
        let mut first = ahead(&listing, jiff::Timestamp::now());
        for file in listing.files.into_iter().filter(|file| matches(&row.pattern, file)) {
            match self.take_one(row, &file, aside.get(&id_of(&file)), look).await {
                Ok(()) => {}
                Err(trouble) if !trouble.is_connected => return Err(trouble),
                Err(trouble) => first = first.or(Some(trouble)),
            }
        }
        if listing.is_cut {
            let words = format!("its directory has more than {ENTRIES_MOST} entries, and only these are looked at");
            first = first.or(Some(Trouble::new(DeviceState::Garbled, words)));
        }
        if let Some((name, fault)) = listing.faults.first() {
            let words = format!("a file that cannot be named lies there, `{name}`: {fault}");
            first = first.or(Some(Trouble::new(DeviceState::Garbled, words)));
        }
        first.map_or(Ok(()), Err)
    }

    /// Sees to it that there is a connection; whether it is one of before.
    async fn connect(&mut self, row: &ReachedRow) -> Result<bool, Trouble> {
        let is_of_use = |open: &Open| is_same_way(&open.way, row) && !open.connection.is_gone();
        if self.open.as_ref().is_some_and(is_of_use) {
            return Ok(true);
        }
        self.open = None;
        let connection = self.hands.connect(&self.device, row, row.port).await?;
        if row.host_key.is_none() {
            let accepted = self.hands.accept(&self.device, connection.host_key()).await;
            accepted.map_err(|error| Trouble::new(DeviceState::LogUnavailable, error))?;
        }
        let files = Files::open(&connection, &row.directory, &limits(LIST_BYTES)).await?;
        self.open = Some(Open { way: row.clone(), connection, files });
        Ok(false)
    }

    async fn list(&mut self) -> Result<Listing, Trouble> {
        match &mut self.open {
            Some(open) => Ok(open.files.list(ENTRIES_MOST, &limits(LIST_BYTES)).await?),
            None => Err(Trouble::new(DeviceState::Unreachable, "there is no connection")),
        }
    }

    /// Takes what is no more on the device out of what is known of its files.
    async fn forget_vanished(
        &mut self,
        row: &ReachedRow,
        listing: &Listing,
        aside: &std::collections::HashMap<String, JmbErrorRow>,
    ) {
        if listing.is_cut {
            return;
        }
        let there: HashSet<&files::Name> = listing.files.iter().map(|file| &file.name).collect();
        self.seen.retain(|name, _| there.contains(name));
        let ids: HashSet<String> = listing.files.iter().filter(|file| matches(&row.pattern, file)).map(id_of).collect();
        for id in aside.keys().filter(|id| !ids.contains(*id)) {
            self.settled(id, JmbErrorEnd::Vanished).await;
        }
        let found: HashSet<Found> = listing.files.iter().map(|file| Found::new(&self.device, file)).collect();
        for gone in self.hands.journal.of(&self.device).into_iter().filter(|known| !found.contains(known)) {
            // A line that is kept too long is looked at again.
            let _ = self.hands.journal.put(&gone, Progress::Gone);
        }
    }

    async fn settled(&self, id: &str, how: JmbErrorEnd) {
        let ended = JmbErrorEnded { device: self.device.name.clone(), id: id.to_owned(), how };
        self.hands.report(&self.device, &Report::JmbErrorEnded(ended)).await;
    }

    /// Does with a file what is to be done with it now.
    async fn take_one(
        &mut self,
        row: &ReachedRow,
        file: &File,
        aside: Option<&JmbErrorRow>,
        look: &mut Look,
    ) -> Result<(), Trouble> {
        let modified = file.modified.map_or(0, jiff::Timestamp::as_second);
        let id = id_of(file);
        if let Some(aside) = aside {
            let is_same = aside.size == file.size && i64::try_from(aside.modified).is_ok_and(|known| known == modified);
            match aside.wish {
                WishRow::Delete if is_same => {
                    self.remove(&AfterRow::Remove, file).await?;
                    self.settled(&id, JmbErrorEnd::Deleted).await;
                    return Ok(());
                }
                WishRow::None if is_same => return Ok(()),
                // What has come in its place is not what was to be removed.
                WishRow::None | WishRow::Recheck | WishRow::Delete => {}
            }
        }
        let found = Found::new(&self.device, file);
        let known = self.hands.journal.get(&found);
        if known == Some(Progress::Brought) {
            // What stays there is known; what was to go is tried again.
            return match row.after {
                AfterRow::Leave => Ok(()),
                ref after => self.gone(after, file, &found).await,
            };
        }
        let seen =
            self.seen.get(&file.name).copied().filter(|seen| seen.size == file.size && seen.modified == modified);
        let Some(seen) = seen else {
            let seen =
                Seen { size: file.size, modified, since: Instant::now(), is_incomplete: false, is_refused: false };
            self.seen.insert(file.name.clone(), seen);
            look.has_new = true;
            return Ok(());
        };
        if aside.is_none() && seen.is_refused {
            let words = format!("more than {JMB_ERRORS_MOST} files of it are no bundles: look after its directory");
            return Err(Trouble::new(DeviceState::Garbled, words));
        }
        if seen.is_incomplete && seen.since.elapsed() < self.hands.incomplete_after() && aside.is_none() {
            return Ok(());
        }
        match self.take(row, file, (&found, known), seen).await? {
            Taken::Brought => {
                look.taken += 1;
                if aside.is_some() {
                    self.settled(&id, JmbErrorEnd::Collected).await;
                }
            }
            Taken::SetAside => {
                look.set_aside += 1;
                if let Some(seen) = self.seen.get_mut(&file.name) {
                    seen.is_refused = true;
                }
            }
            Taken::Later => {
                if let Some(seen) = self.seen.get_mut(&file.name) {
                    seen.is_incomplete = true;
                }
            }
        }
        Ok(())
    }

    /// A file that the log has goes from its device, as its settings say.
    pub(super) async fn gone(&mut self, after: &AfterRow, file: &File, found: &Found) -> Result<(), Trouble> {
        self.remove(after, file).await?;
        self.seen.remove(&file.name);
        let kept = self.hands.journal.put(found, Progress::Gone);
        kept.map_err(|error| Trouble::new(DeviceState::EngineFull, format!("the journal cannot be written: {error}")))
    }

    async fn remove(&mut self, after: &AfterRow, file: &File) -> Result<(), Trouble> {
        let Some(open) = &mut self.open else {
            return Err(Trouble::new(DeviceState::Unreachable, "there is no connection"));
        };
        let limits = limits(LIST_BYTES);
        let done = match after {
            AfterRow::Remove => open.files.remove(&file.name, &limits).await,
            AfterRow::MoveTo(directory) => open.files.move_to(&file.name, directory, &file.name, &limits).await,
            AfterRow::Leave => return Ok(()),
        };
        match done {
            // Somebody else has removed it.
            Err(files::Error::Vanished(_)) if *after == AfterRow::Remove => Ok(()),
            done => Ok(done?),
        }
    }
}

/// That the device's clock is ahead of ours, where a file is from a time that has not come.
fn ahead(listing: &Listing, now: jiff::Timestamp) -> Option<Trouble> {
    let is_ahead = |time: &jiff::Timestamp| now.checked_add(AHEAD_MOST).is_ok_and(|most| *time > most);
    let latest = listing.files.iter().filter_map(|file| file.modified).max().filter(is_ahead)?;
    let words = format!("a file of it is from {latest}: its clock is ahead");
    Some(Trouble::new(DeviceState::ClockSkewed, words))
}

/// What a file is called in lists: of a name always the same.
pub(super) fn id_of(file: &File) -> String {
    hex::encode(Sha256::digest(file.name.as_bytes()).get(..8).unwrap_or_default())
}

/// Whether the way to a device is the same.
fn is_same_way(one: &ReachedRow, other: &ReachedRow) -> bool {
    let way = |row: &ReachedRow| {
        (row.address.clone(), row.port, row.user.clone(), row.given, row.directory.clone(), row.is_legacy)
    };
    // A key that was accepted is that of the connection there is.
    let is_same_key = one.host_key == other.host_key || one.host_key.is_none();
    way(one) == way(other) && is_same_key
}

/// Whether a file's name is one of those that a pattern names: `*` stands for any characters, `?` for one.
fn matches(pattern: &str, file: &File) -> bool {
    glob(pattern.as_bytes(), file.name.as_bytes())
}

fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut star) = ((0, 0), None);
    while let Some(byte) = name.get(at.1) {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some(at);
                at.0 += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => at = (at.0 + 1, at.1 + 1),
            _ => {
                let Some((pattern_at, name_at)) = star else { return false };
                star = Some((pattern_at, name_at + 1));
                at = (pattern_at + 1, name_at + 1);
            }
        }
    }
    pattern.get(at.0..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_whole_names() {
        for (pattern, name, expected) in [
            ("*.xml", "a.xml", true),
            ("*.xml", ".xml", true),
            ("*.xml", "a.xml.gz", false),
            ("*.xml", "a.xmlx", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("jmb_*_?.xml", "jmb_edge_1_2.xml", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}

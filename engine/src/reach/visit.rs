//! One look at a device: what is new in its directory, what of it is set aside, what is taken.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use linesman_connectors::device::files::{self, File, Files, Listing};
use linesman_domain::reached::{AfterRow, JMB_ERRORS_MOST, JmbErrorRow, ReachedRow};
use linesman_schemas::device::{DeviceFacts, DeviceState, JmbErrorEnd, JmbErrorEnded};
use linesman_schemas::outcome::Report;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::aside::{Due, Untold, due, too_many, untold};
use super::journal::{Found, Progress};
use super::pattern::glob;
use super::take::Taken;
use super::turned::Begun;
use super::way::{Trouble, limits};
use super::worker::{Open, Seen, Worker};

/// How many entries of a directory that match its pattern are looked at.
const ENTRIES_MOST: usize = 20_000;
/// How many bytes a list of them may have.
const LIST_BYTES: u64 = 64 * 1024 * 1024;

/// Of how many files that are left on a device it is known that the log has them while they are not there, the newest first.
const AWAY_MOST: usize = 1_000;
/// How long one look goes on to the next file.
const LOOK_MOST: Duration = Duration::from_secs(60);
/// How far the clock of a device may be ahead.
const AHEAD_MOST: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// What a look came to.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// How many bundles were brought.
    pub(super) taken: u64,
    /// How many files were set aside.
    pub(super) set_aside: u64,
    /// Whether there are files that were not seen before as they are: whether they grow is to be seen.
    pub(super) has_new: bool,
    /// Whether one of them was there before, and was another.
    pub(super) has_grown: bool,
    /// Whether there was more to be done than one look may do.
    pub(super) goes_on: bool,
    /// What the device has said of itself.
    pub(super) facts: Option<DeviceFacts>,
}

impl Worker {
    /// Looks through the directory once. What can be done is done whatever is wrong with the rest; the first of that is told.
    pub(super) async fn look(&mut self, row: &ReachedRow, look: &mut Look) -> Result<(), Trouble> {
        let is_reused = self.connect(row).await?;
        let listing = match self.list(row).await {
            // One that was kept open may have been cut meanwhile.
            Err(trouble) if is_reused && !trouble.is_connected => {
                self.open = None;
                self.connect(row).await?;
                self.list(row).await
            }
            listed => listed,
        };
        let listing = listing.map_err(|trouble| match trouble.state {
            DeviceState::Vanishing => Trouble { state: DeviceState::DirectoryMissing, ..trouble },
            _ => trouble,
        })?;
        self.breaking.renew();
        let aside = self.hands.set_aside(&self.device)?;
        self.forget_vanished(row, &listing, &aside).await;
        self.look_ahead(row, &listing.files, &aside);
        let mut first = going_on(None, self.take_all(row, &listing.files, &aside, look).await)?;
        if self.is_turned(row) {
            // Whom there is a connection to may be another than who is meant: nothing but what the log has of one that is reached no
            // more goes from it.
            if self.hands.is_gone(&self.device) {
                self.leave().await?;
            }
            return first.map_or(Ok(()), Err);
        }
        first = going_on(first, self.leave().await)?;
        first = going_on(first, self.fetch(row, look).await)?;
        if listing.is_cut {
            let words = format!(
                "its directory has more than {ENTRIES_MOST} files of its pattern, and only these are looked at"
            );
            first = first.or(Some(Trouble::new(DeviceState::Garbled, words)));
        }
        if let Some((name, fault)) = listing.faults.first() {
            let words = format!("a file that cannot be named lies there, `{name}`: {fault}");
            first = first.or(Some(Trouble::new(DeviceState::Garbled, words)));
        }
        first.or_else(|| ahead(&listing, jiff::Timestamp::now())).map_or(Ok(()), Err)
    }

    /// Goes through the files, and waits until the log has what is taken of them.
    async fn take_all(
        &mut self,
        row: &ReachedRow,
        files: &[File],
        aside: &HashMap<String, JmbErrorRow>,
        look: &mut Look,
    ) -> Result<(), Trouble> {
        let begun = Instant::now();
        let mut first = None;
        for file in files {
            if begun.elapsed() > LOOK_MOST {
                // It is another device's turn.
                look.goes_on = true;
                break;
            }
            if self.is_turned(row) {
                look.goes_on = true;
                break;
            }
            if let Some(times) = self.breaking.passed(&file.name) {
                let words =
                    format!("`{}` has broken the connection {times} times, and is passed over for a while", file.name);
                first = first.or(Some(Trouble::new(DeviceState::Garbled, words)));
                continue;
            }
            self.breaking.begin(&file.name);
            match self.take_one(row, file, aside, look).await {
                Ok(()) => self.breaking.end(false),
                Err(trouble) if !trouble.is_connected => {
                    // What the log has is known to be there, whether it can be removed now or not.
                    let _ = self.arrive(row, look).await;
                    return Err(trouble);
                }
                Err(trouble) => {
                    self.breaking.end(true);
                    first = first.or(Some(trouble));
                }
            }
        }
        going_on(first, self.arrive(row, look).await)?.map_or(Ok(()), Err)
    }

    /// Sees to it that there is a connection; whether it is one of before.
    async fn connect(&mut self, row: &ReachedRow) -> Result<bool, Trouble> {
        if let Some(open) = self.open.as_mut().filter(|open| open.begun().is_as(row) && !open.connection.is_gone()) {
            // What was accepted is pinned by now: where it is to be accepted anew that is another way.
            open.way.host_key.clone_from(&row.host_key);
            // Or it has come to nothing, as where the device was removed just then, and is reached again.
            self.hands.pin_first(&self.device, row, &open.connection).await?;
            return Ok(true);
        }
        self.open = None;
        let connection = self.hands.connect(&self.device, row, row.port).await?;
        let files = Files::open(&connection, &row.directory, &limits(LIST_BYTES)).await?;
        self.open = Some(Open { way: row.clone(), connection, files });
        Ok(false)
    }

    /// Whether the device is to be reached otherwise, or no more, since a look at it was begun.
    pub(super) fn is_turned(&self, row: &ReachedRow) -> bool {
        self.has_turned(row).is_some()
    }

    /// Why a look at it that was begun is not to go on, nor what it finds to be believed; none where it is.
    pub(super) fn has_turned(&self, row: &ReachedRow) -> Option<&'static str> {
        let begun = self.open.as_ref().map_or(Begun::by(row), Open::begun);
        self.hands.has_turned(&self.device, begun)
    }

    async fn list(&mut self, row: &ReachedRow) -> Result<Listing, Trouble> {
        match &mut self.open {
            Some(open) => {
                let is_wanted = |name: &[u8]| glob(row.pattern.as_bytes(), name);
                Ok(open.files.list_wanted(is_wanted, ENTRIES_MOST, &limits(LIST_BYTES)).await?)
            }
            None => Err(Trouble::new(DeviceState::Unreachable, "there is no connection")),
        }
    }

    /// Takes what is no more on the device out of what is known of its files.
    async fn forget_vanished(&mut self, row: &ReachedRow, listing: &Listing, aside: &HashMap<String, JmbErrorRow>) {
        // Of one that was cut too: what is not listed now is new when it is listed again.
        let there: HashSet<&files::Name> = listing.files.iter().map(|file| &file.name).collect();
        self.seen.retain(|name, _| there.contains(name));
        self.breaking.retain(&there);
        if listing.is_cut {
            return;
        }
        let ids: HashSet<String> = listing.files.iter().map(id_of).collect();
        for id in aside.keys().filter(|id| !ids.contains(*id)) {
            self.settled(id, JmbErrorEnd::Vanished).await;
        }
        let found: HashSet<Found> = listing.files.iter().map(|file| Found::new(&self.device, file)).collect();
        let mut away = self.hands.journal.of(&self.device);
        away.retain(|known| !found.contains(known));
        if row.after == AfterRow::Leave {
            // What is left there, and out of sight for a while, is known when it is back.
            away.sort_unstable_by_key(|known| Reverse(known.modified()));
            away.drain(..away.len().min(AWAY_MOST));
        }
        for gone in away {
            // A line that is kept too long is looked at again.
            let _ = self.hands.journal.put(&gone, Progress::Gone);
        }
    }

    pub(super) async fn settled(&self, id: &str, how: JmbErrorEnd) {
        let ended = JmbErrorEnded { device: self.device.name.clone(), id: id.to_owned(), how };
        self.hands.report(&self.device, &Report::JmbErrorEnded(ended)).await;
    }

    /// Does with a file what is to be done with it now.
    async fn take_one(
        &mut self,
        row: &ReachedRow,
        file: &File,
        all_aside: &HashMap<String, JmbErrorRow>,
        look: &mut Look,
    ) -> Result<(), Trouble> {
        let modified = file.modified.map_or(0, jiff::Timestamp::as_second);
        let id = id_of(file);
        let aside = all_aside.get(&id);
        let due = due(aside, file, modified);
        match due {
            Due::Nothing => return Ok(()),
            Due::Removal => {
                self.remove(&AfterRow::Remove, file).await?;
                self.settled(&id, JmbErrorEnd::Deleted).await;
                return Ok(());
            }
            Due::Judgement | Due::Reading => {}
        }
        let found = Found::new(&self.device, file);
        let known = self.hands.journal.get(&found);
        if known == Some(Progress::Brought) {
            // What stays there is known; what was to go is tried again.
            return match row.after {
                AfterRow::Leave => Ok(()),
                ref after => self.leaves(after, file, &found).await,
            };
        }
        let seen =
            self.seen.get(&file.name).copied().filter(|seen| seen.size == file.size && seen.modified == modified);
        let Some(seen) = seen else {
            let seen = Seen { size: file.size, modified, since: Instant::now(), is_incomplete: false, refused: None };
            look.has_grown |= self.seen.insert(file.name.clone(), seen).is_some();
            look.has_new = true;
            return Ok(());
        };
        let kept = all_aside.len().saturating_add(usize::try_from(look.set_aside).unwrap_or(usize::MAX));
        if let (None, Some(told)) = (aside, seen.refused) {
            match untold(told.elapsed(), kept) {
                Untold::Full => return Err(too_many()),
                Untold::Waits => return Ok(()),
                Untold::Again => {}
            }
        }
        let may_grow = due != Due::Judgement && seen.since.elapsed() < self.hands.incomplete_after();
        if seen.is_incomplete && may_grow {
            return Ok(());
        }
        match self.take(row, file, (&found, known), may_grow).await? {
            Taken::Brought => {
                self.is_brought(aside.map(|_| &*id), look).await;
                self.goes(row, file, &found).await?;
            }
            Taken::Sent(mut sent) => {
                sent.was_aside = aside.is_some();
                self.is_sent(row, *sent, look).await?;
            }
            Taken::NoBundle(_) if self.is_turned(row) => look.goes_on = true,
            Taken::NoBundle(report) => {
                let is_kept = aside.is_some() || kept < JMB_ERRORS_MOST;
                if is_kept {
                    self.set_aside(*report).await?;
                    look.set_aside += 1;
                }
                if let Some(seen) = self.seen.get_mut(&file.name) {
                    seen.refused = Some(Instant::now());
                }
                if !is_kept {
                    return Err(too_many());
                }
            }
            Taken::GoesOn => look.goes_on = true,
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
        if *after == AfterRow::Leave {
            return Ok(());
        }
        let Some(open) = &mut self.open else {
            return Err(Trouble::new(DeviceState::Unreachable, "there is no connection"));
        };
        let limits = limits(LIST_BYTES);
        // What has come in its place meanwhile is another, and is left to the next look.
        match open.files.look(&file.name, &limits).await {
            Ok(Some(now)) if now == *file => {}
            Ok(_) => return Ok(()),
            Err(files::Error::Vanished(_)) if *after == AfterRow::Remove => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let done = match after {
            AfterRow::Remove => open.files.remove(&file.name, &limits).await,
            AfterRow::MoveTo(directory) => moved(&mut open.files, file, directory).await,
            AfterRow::Leave => return Ok(()),
        };
        match done {
            // Somebody else has removed it.
            Err(files::Error::Vanished(_)) if *after == AfterRow::Remove => Ok(()),
            // The file was there just now.
            Err(files::Error::Vanished(_)) => Err(nowhere(after)),
            done => Ok(done?),
        }
    }
}

/// That the directory is not there that files are to be moved to.
fn nowhere(after: &AfterRow) -> Trouble {
    let directory = if let AfterRow::MoveTo(directory) = after { directory } else { "" };
    Trouble::new(DeviceState::DirectoryMissing, format!("`{directory}`, where files are to be moved, is not there"))
}

/// Moves a file away: under its name or, where that is taken there, with the second that it is of behind it.
async fn moved(files: &mut Files, file: &File, directory: &str) -> Result<(), files::Error> {
    let limits = limits(LIST_BYTES);
    let mut first = None;
    for name in names_of(file) {
        match files.move_to(&file.name, directory, &name, &limits).await {
            // Devices do not say that it is that.
            Err(error @ files::Error::Refused { .. }) => first = first.or(Some(error)),
            ended => return ended,
        }
    }
    first.map_or(Ok(()), Err)
}

/// As what a file is moved away, the first of these that is free. One that would be too long is none.
fn names_of(file: &File) -> Vec<files::Name> {
    let second = file.modified.map_or(0, jiff::Timestamp::as_second);
    let ends = ["".to_owned(), format!(".{second}"), format!(".{second}.2"), format!(".{second}.3")];
    let named = |end: String| files::Name::new([file.name.as_bytes(), end.as_bytes()].concat()).ok();
    ends.into_iter().filter_map(named).collect()
}

/// What is told of a look that goes on whatever one of its steps came to: the first trouble there was.
///
/// # Errors
/// It cannot go on: there is no connection any more.
fn going_on(first: Option<Trouble>, step: Result<(), Trouble>) -> Result<Option<Trouble>, Trouble> {
    match step {
        Ok(()) => Ok(first),
        Err(trouble) if !trouble.is_connected => Err(trouble),
        Err(trouble) => Ok(first.or(Some(trouble))),
    }
}

/// That the device's clock is ahead of ours, where a file is from a time that has not come.
fn ahead(listing: &Listing, now: jiff::Timestamp) -> Option<Trouble> {
    let is_ahead = |time: &jiff::Timestamp| now.checked_add(AHEAD_MOST).is_ok_and(|most| *time > most);
    listing.files.iter().filter_map(|file| file.modified).max().filter(is_ahead)?;
    // No time: the words are told anew where they are others.
    let minutes = AHEAD_MOST.as_mins();
    let words = format!("a file of it is from more than {minutes} minutes ahead: its clock is ahead");
    Some(Trouble::new(DeviceState::ClockSkewed, words))
}

/// What a file is called in lists: of a name always the same.
pub(super) fn id_of(file: &File) -> String {
    id_of_name(file.name.as_bytes())
}

/// What a file of a name is called in lists.
pub(super) fn id_of_name(name: &[u8]) -> String {
    hex::encode(Sha256::digest(name).get(..8).unwrap_or_default())
}

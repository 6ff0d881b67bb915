//! Watches the rule directory while the engine runs.
//!
//! It looks where the system tells of a change, and every second where that cannot be relied on ([`super::notice`]). A
//! look reads no file. What two looks in a row show alike is settled, and is read: a file that is being written, or a
//! thousand that are checked out, are one change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use linesman_schemas::control::Section;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Error;
use super::notice::Notice;
use super::policies::{Brought, Made, Policies};
use crate::edge::{FilesAsked, FilesSaid};
use crate::lane::status::LaneStatus;
use crate::logging::full;
use crate::rules_dir::{self, Files, Known, Stamp};

/// How often it is asked whether the directory is worth a look.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long what has changed must stay as it is.
const SETTLE: Duration = Duration::from_millis(300);
/// The longest wait before a rule book that the log did not take is sent again.
const RETRY_MOST: Duration = Duration::from_secs(30);

/// What a look shows; why nothing can be seen is kept as text, to be compared.
type Seen = Arc<Result<Vec<Stamp>, String>>;

/// A rule directory, and what was made of it.
pub(super) struct Watch {
    dir: PathBuf,
    policies: Policies,
    /// The policy files that were read last.
    known: Known,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    /// Who asks what this node would load.
    asked: mpsc::Receiver<FilesAsked>,
    /// Told when the files are to be read again, changed or not.
    again: Arc<Notify>,
    /// What the rule book in the log was made of; none when it has to be looked up anew.
    taken: Option<Seen>,
    /// What was brought last.
    brought: Brought,
}

/// A part of the engine that works beside the others, such as a watch.
pub(super) struct Watching {
    stop: watch::Sender<bool>,
    /// None once it has ended before its time.
    task: Option<JoinHandle<()>>,
}

impl Watching {
    /// Work beside the caller, until it is stopped.
    pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            tokio::select! {
                // An engine that is gone stops this too.
                _ = stopped.wait_for(|stopped| *stopped) => {}
                () = work => {}
            }
        });
        Self { stop, task: Some(task) }
    }

    /// Ready when the watch ends before its time.
    pub(super) async fn broke_off(&mut self) -> Error {
        if let Some(task) = &mut self.task {
            let ended = task.await;
            self.task = None;
            if let Err(error) = ended {
                return Error::Broken(std::io::Error::other(error));
            }
        }
        std::future::pending().await
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task
            && let Err(error) = task.await
        {
            tracing::warn!(%error, "a part of the engine ended badly");
        }
    }
}

impl Watch {
    /// A watch over `dir` that has not looked yet, behind the rule book that was brought at the start.
    pub(super) fn new(
        dir: PathBuf,
        policies: Policies,
        lanes: Vec<watch::Receiver<LaneStatus>>,
        (asked, again): (mpsc::Receiver<FilesAsked>, Arc<Notify>),
        brought: Brought,
    ) -> Self {
        Self { dir, policies, known: Known::default(), lanes, asked, again, taken: None, brought }
    }

    /// Watches beside the caller until it is stopped. What cannot be done is logged and done later: the engine
    /// serves on.
    pub(super) fn start(mut self) -> Watching {
        Watching::spawn(async move { self.watch().await })
    }

    async fn watch(&mut self) {
        let mut last: Option<Seen> = None;
        let (mut retry, mut notice) = (Retry::new(), Notice::new());
        loop {
            let is_settled = last.is_none() || last == self.taken;
            tokio::select! {
                () = sleep(if is_settled { LOOK_EVERY } else { SETTLE }) => {}
                Some(asked) = self.asked.recv() => {
                    self.answer(asked).await;
                    continue;
                }
                () = self.again.notified() => {
                    // A first look, which another has to confirm.
                    (last, self.taken) = (None, None);
                    (notice, self.known) = (Notice::new(), Known::default());
                    continue;
                }
            }
            let seen = match last.as_ref().filter(|_| is_settled && !notice.is_due(&self.dir)) {
                Some(known) => Arc::clone(known),
                None => {
                    notice.begin(&self.dir);
                    let seen = look(&self.dir).await;
                    notice.end(seen.as_ref().as_deref().unwrap_or_default());
                    seen
                }
            };
            let is_settled = last.as_ref() == Some(&seen);
            if last.as_ref().is_some_and(|last| *last != seen) {
                retry = Retry::new();
            }
            last = Some(seen);
            if !is_settled || !self.has_arrived() || self.is_past() {
                continue;
            }
            if let Err(error) = self.check_lanes() {
                tracing::error!(error = full(&error), "the lanes' rule books cannot be read");
            }
            if last != self.taken && retry.is_due() {
                match self.take(last.as_ref()).await {
                    Ok(()) => retry = Retry::new(),
                    Err(error) => {
                        let wait = retry.put_off();
                        tracing::error!(error = full(&error), ?wait, "changed policies are not in the log yet");
                    }
                }
            }
        }
    }

    /// Takes up what was seen, unless it is other by the time it has been read.
    async fn take(&mut self, seen: Option<&Seen>) -> Result<(), Error> {
        match seen.map(Arc::as_ref) {
            None => {}
            Some(Err(error)) => {
                self.policies.refuse_directory(error);
                self.taken = seen.cloned();
            }
            Some(Ok(_)) => {
                let files = self.read().await?;
                if Some(&look(&self.dir).await) == seen {
                    self.brought = self.policies.bring(&files).await?;
                    self.policies.warn_of_unknown(&files.policies)?;
                    self.taken = seen.cloned();
                }
            }
        }
        Ok(())
    }

    /// Whether every lane has applied what was brought last. Only then do their rows tell what is next.
    fn has_arrived(&self) -> bool {
        let mut lanes = self.lanes.iter().zip(&self.brought.sequences);
        lanes.all(|(lane, sequence)| lane.borrow().position >= *sequence)
    }

    /// Whether lane 0 is decided again: what was loaded last is not told by its rows then.
    fn is_past(&self) -> bool {
        self.lanes.first().is_some_and(|first| first.borrow().is_past)
    }

    /// Shows which rule book is in effect, and looks whether the log says what it did when the files were compared
    /// with it: otherwise they are taken up again. At level 1 also when a lane's rule book is not the one of the
    /// files: whoever had the lanes before has sent his.
    fn check_lanes(&mut self) -> Result<(), Error> {
        let rows = self.policies.observe()?;
        self.brought.sequences.clear();
        let is_other = match &self.brought.made {
            Made::Whole(_) if self.policies.is_in_sections()? => true,
            Made::Whole(hash) => rows.iter().flatten().any(|row| row.hash != *hash),
            Made::Sections(row, took_services) => {
                self.policies.composed()? != *row || self.policies.takes_services()? != *took_services
            }
        };
        if is_other && self.taken.as_ref().is_some_and(|taken| taken.is_ok()) {
            self.taken = None;
        }
        Ok(())
    }

    /// Tells what a deliberate load would ask for.
    async fn answer(&mut self, asked: FilesAsked) {
        let load = self.prepare(asked.section, asked.is_look).await;
        if let Err(error) = &load {
            tracing::warn!(section = %asked.section, error, "the files cannot be loaded");
        }
        // Whoever asked may have gone.
        let _ = asked.answer.send(load);
    }

    async fn prepare(&mut self, section: Section, is_look: bool) -> Result<FilesSaid, String> {
        if self.is_past() {
            return Err("lane 0 is decided again; try again once it has come to where it was".to_owned());
        }
        if !self.policies.is_in_sections().map_err(|error| full(&error))? {
            return Err(
                "the log takes whole rule books, and all of the files is loaded; sections come with engine level 2"
                    .to_owned(),
            );
        }
        if section == Section::Services && !self.policies.takes_services().map_err(|error| full(&error))? {
            return Err("services come with engine level 4".to_owned());
        }
        let files = self.read().await.map_err(|error| full(&error))?;
        self.policies.prepare(section, is_look, &files).await.map_err(|error| full(&error))
    }

    /// Reads the directory, on a thread that may block.
    async fn read(&mut self) -> Result<Files, Error> {
        let (dir, mut known) = (self.dir.clone(), std::mem::take(&mut self.known));
        let read = tokio::task::spawn_blocking(move || (known.read_all(&dir), known)).await;
        let (files, known) = read.map_err(|error| Error::Broken(std::io::Error::other(error)))?;
        self.known = known;
        Ok(files?)
    }
}

/// When a rule book that the log did not take is sent again.
struct Retry {
    due: Instant,
    wait: Duration,
}

impl Retry {
    fn new() -> Self {
        Self { due: Instant::now(), wait: LOOK_EVERY }
    }

    fn is_due(&self) -> bool {
        self.due <= Instant::now()
    }

    /// Puts the next try off; by how long.
    fn put_off(&mut self) -> Duration {
        let wait = self.wait;
        self.due = Instant::now() + wait;
        self.wait = (wait * 2).min(RETRY_MOST);
        wait
    }
}

/// Looks at the directory, on a thread that may block.
async fn look(dir: &Path) -> Seen {
    let dir = dir.to_owned();
    Arc::new(match tokio::task::spawn_blocking(move || rules_dir::look(&dir)).await {
        Ok(seen) => seen.map_err(|error| full(&error)),
        Err(error) => Err(full(&error)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::HOLD_MOST;

    /// Within which a change of the files is in force.
    const IN_FORCE_MOST: Duration = Duration::from_secs(3);
    /// What is left of that for what there is to do meanwhile: to look, read, store, commit and make ready.
    const WORK: Duration = Duration::from_millis(500);

    #[test]
    fn a_change_is_in_force_in_time_by_what_bounds_each_wait_for_it() {
        let waits = [
            ("until it is asked whether the directory is worth a look", LOOK_EVERY),
            ("until what was seen has stayed as it is", SETTLE),
            ("until lane 0 commits what it has decided, while more comes", HOLD_MOST),
            // Who hands it out hears that lane 0 has moved, and lanes judge by it where they come to it.
        ];
        let most: Duration = waits.iter().map(|(_, most)| *most).sum();
        assert!(most + WORK <= IN_FORCE_MOST, "{waits:?}");
    }
}

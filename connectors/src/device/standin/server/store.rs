//! The configurations of a stand-in device: what counts, what is worked on, who holds them, what waits to be confirmed.

use std::collections::BTreeMap;

use super::statements::{Statement, faults, merge, text};

/// How many commits are remembered.
const COMMITS_MOST: usize = 50;

/// The configurations.
#[derive(Debug, Default)]
pub(super) struct Store {
    running: Vec<Statement>,
    candidate: Vec<Statement>,
    /// Sessions by what they lock.
    locks: BTreeMap<Which, u32>,
    /// What counted before each commit, the last first.
    before: Vec<Vec<Statement>>,
    pending: Option<Pending>,
    last_pending: u64,
}

/// A configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    Running,
    Candidate,
}

/// A commit that waits to be confirmed.
#[derive(Debug)]
struct Pending {
    /// Tells one from another, for the clock of each.
    number: u64,
    before: Vec<Statement>,
    session: u32,
    persist: Option<String>,
    /// It is Junos' own: it outlives its session, and any commit confirms it.
    is_junos: bool,
}

/// Why something is refused: `error-tag`, message, who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) tag: &'static str,
    pub(super) message: String,
    pub(super) session: Option<u32>,
}

impl Refusal {
    pub(super) fn new(tag: &'static str, message: impl Into<String>) -> Self {
        Self { tag, message: message.into(), session: None }
    }
}

type Done<T = ()> = Result<T, Refusal>;

impl Store {
    pub(super) fn statements(&self, which: Which) -> &[Statement] {
        match which {
            Which::Running => &self.running,
            Which::Candidate => &self.candidate,
        }
    }

    pub(super) fn lock(&mut self, which: Which, session: u32) -> Done {
        if let Some(holder) = self.locks.get(&which) {
            let message = "the configuration database is locked";
            return Err(Refusal { session: Some(*holder), ..Refusal::new("lock-denied", message) });
        }
        if which == Which::Candidate && self.candidate != self.running {
            return Err(Refusal::new("lock-denied", "the configuration database is modified"));
        }
        self.locks.insert(which, session);
        Ok(())
    }

    pub(super) fn unlock(&mut self, which: Which, session: u32) -> Done {
        match self.locks.get(&which) {
            Some(holder) if *holder == session => drop(self.locks.remove(&which)),
            _ => {
                return Err(Refusal::new(
                    "operation-failed",
                    "the configuration database is not locked by this session",
                ));
            }
        }
        if which == Which::Candidate {
            self.candidate.clone_from(&self.running);
        }
        Ok(())
    }

    fn held(&self, which: Which, session: u32) -> Done {
        match self.locks.get(&which) {
            Some(holder) if *holder != session => {
                let message = "the configuration database is locked by another session";
                Err(Refusal { session: Some(*holder), ..Refusal::new("in-use", message) })
            }
            _ => Ok(()),
        }
    }

    /// Changes a configuration; what was to be deleted and was not there.
    pub(super) fn edit(
        &mut self,
        which: Which,
        source: Vec<Statement>,
        is_whole: bool,
        session: u32,
    ) -> Done<Vec<String>> {
        self.held(which, session)?;
        let target = match which {
            Which::Running => &mut self.running,
            Which::Candidate => &mut self.candidate,
        };
        if is_whole {
            target.clear();
        }
        Ok(merge(target, source))
    }

    pub(super) fn discard(&mut self, session: u32) -> Done {
        self.held(Which::Candidate, session)?;
        self.candidate.clone_from(&self.running);
        Ok(())
    }

    pub(super) fn validate(&self, which: Which) -> Done {
        match faults(self.statements(which)).first() {
            Some(group) => Err(Refusal::new("operation-failed", format!("apply-groups: group {group} is not defined"))),
            None => Ok(()),
        }
    }

    /// Makes the candidate count. A confirmed commit is told by its number; anything else confirms the one before.
    pub(super) fn commit(
        &mut self,
        session: u32,
        (confirmed, is_junos): (bool, bool),
        persist: Option<&str>,
        id: Option<&str>,
    ) -> Done<u64> {
        for which in [Which::Running, Which::Candidate] {
            self.held(which, session)?;
        }
        if let Some(pending) = &self.pending {
            let is_ours = match &pending.persist {
                Some(name) => id == Some(name),
                None => (pending.is_junos || pending.session == session) && id.is_none(),
            };
            if !is_ours {
                return Err(Refusal::new("in-use", "a confirmed commit of another is waiting"));
            }
        } else if id.is_some() {
            return Err(Refusal::new("invalid-value", "no commit of this name is waiting"));
        }
        self.validate(Which::Candidate)?;
        let before = std::mem::replace(&mut self.running, self.candidate.clone());
        let pending = self.pending.take();
        self.before.insert(0, before.clone());
        self.before.truncate(COMMITS_MOST);
        if confirmed {
            self.last_pending += 1;
            // It goes back to what counted before the first of them.
            let (before, kept) = pending.map_or((before, None), |known| (known.before, known.persist));
            let persist = persist.map(str::to_owned).or(kept);
            self.pending = Some(Pending { number: self.last_pending, before, session, persist, is_junos });
        }
        Ok(self.last_pending)
    }

    pub(super) fn cancel(&mut self, session: u32, id: Option<&str>) -> Done {
        match &self.pending {
            None => Err(Refusal::new("operation-failed", "no commit is waiting")),
            Some(pending) if pending.persist.as_deref() != id => {
                Err(Refusal::new("invalid-value", "the name is another"))
            }
            Some(pending) if id.is_none() && pending.session != session => {
                Err(Refusal::new("in-use", "the commit is of another session"))
            }
            Some(_) => {
                self.roll_back();
                Ok(())
            }
        }
    }

    /// The time of a commit is up, unless it was confirmed or another came.
    pub(super) fn expire(&mut self, number: u64) {
        if self.pending.as_ref().is_some_and(|pending| pending.number == number) {
            self.roll_back();
        }
    }

    /// What was not confirmed does not count any more.
    pub(super) fn roll_back(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.running = pending.before;
            self.candidate.clone_from(&self.running);
        }
    }

    /// A session is over: its locks, what it left in the candidate, what it did not confirm and nobody else may.
    pub(super) fn end(&mut self, session: u32) {
        let is_over = |pending: &Pending| pending.session == session && pending.persist.is_none() && !pending.is_junos;
        if self.pending.as_ref().is_some_and(is_over) {
            self.roll_back();
        }
        if self.locks.get(&Which::Candidate) == Some(&session) {
            self.candidate.clone_from(&self.running);
        }
        self.locks.retain(|_, holder| *holder != session);
    }

    /// Whether a commit waits to be confirmed.
    pub(super) const fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// What somebody changes by hand, past all sessions.
    pub(super) fn change(&mut self, source: Vec<Statement>, is_whole: bool) {
        if is_whole {
            self.running.clear();
        }
        merge(&mut self.running, source);
        self.candidate.clone_from(&self.running);
    }

    /// What the candidate changes of what counted so many commits ago.
    pub(super) fn compare(&self, rollback: usize) -> Option<String> {
        let before = match rollback.checked_sub(1) {
            None => &self.running,
            Some(at) => self.before.get(at)?,
        };
        Some(difference(&text(before), &text(&self.candidate)))
    }
}

/// Lines that went and came, as Junos marks them.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (old.get(same..).unwrap_or_default(), new.get(same..).unwrap_or_default());
    let last = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let old = old.get(..old.len() - last).unwrap_or_default();
    let new = new.get(..new.len() - last).unwrap_or_default();
    if old.is_empty() && new.is_empty() {
        return String::new();
    }
    let mut out = "[edit]\n".to_owned();
    for (mark, lines) in [('-', old), ('+', new)] {
        for line in lines {
            out += &format!("{mark}  {line}\n");
        }
    }
    out
}

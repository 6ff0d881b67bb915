//! Drafts on their way to be rendered: by whoever is free, in their order.
//!
//! While one thread drafts, and does what is to be done with what was rendered, another one renders beside it; where that
//! is behind, the first one renders too. What comes of a draft depends on nothing but the draft.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};

use super::make::{Draft, Failing, Made};

/// What came of a draft.
type Outcome = Result<Made, Failing>;

/// See the module.
#[derive(Default)]
pub(super) struct Drafts {
    queue: Mutex<Queue>,
    /// Told when something was drafted or rendered, and at the end, if somebody waits.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    slots: Vec<Slot>,
    /// The first one that nobody has taken up.
    next: usize,
    /// Whether no more are drafted.
    is_complete: bool,
    /// Whether nobody renders beside.
    is_alone: bool,
    /// Whether somebody waits: to wake nobody up takes as long as to draft.
    is_waited_for: bool,
}

enum Slot {
    Drafted(Box<Draft>),
    /// Somebody renders it.
    UnderWay,
    Rendered(Box<Outcome>),
    /// It was fetched.
    Gone,
}

impl Queue {
    /// The next draft to be rendered, and where it stands.
    fn take_up(&mut self) -> Option<(usize, Box<Draft>)> {
        loop {
            let at = self.next;
            let slot = self.slots.get_mut(at)?;
            self.next += 1;
            // Where there was nothing to draft, there is nothing to render.
            if matches!(slot, Slot::Drafted(_))
                && let Slot::Drafted(draft) = std::mem::replace(slot, Slot::UnderWay)
            {
                return Some((at, draft));
            }
        }
    }

    fn put(&mut self, at: usize, outcome: Box<Outcome>) {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot::Rendered(outcome);
        }
    }
}

/// The end at which drafts are put in. Once it is dropped, no more are.
pub(super) struct Drafting<'scope, 'env> {
    drafts: &'scope Drafts,
    /// Where another thread may be had that renders beside this one, until it is.
    threads: Option<&'scope Scope<'scope, 'env>>,
}

impl Drafting<'_, '_> {
    /// Puts one in, or why there is none.
    pub(super) fn push(&mut self, draft: Result<Draft, Failing>) {
        let slot = match draft {
            Ok(draft) => Slot::Drafted(Box::new(draft)),
            Err(failing) => Slot::Rendered(Box::new(Err(failing))),
        };
        self.drafts.change(|queue| queue.slots.push(slot));
        if let Some(threads) = self.threads.take() {
            let beside = Beside(self.drafts);
            // Where there is no thread to be had, this one renders all.
            let _ = Builder::new().name("render".to_owned()).spawn_scoped(threads, move || beside.render());
        }
    }
}

impl Drop for Drafting<'_, '_> {
    fn drop(&mut self) {
        self.drafts.change(|queue| queue.is_complete = true);
    }
}

/// Rendering beside; however that ends, nobody waits for it any longer.
struct Beside<'a>(&'a Drafts);

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        self.0.change(|queue| queue.is_alone = true);
    }
}

impl Beside<'_> {
    /// Renders what is drafted until no more is.
    fn render(self) {
        loop {
            let mut queue = self.0.queue();
            let (at, draft) = loop {
                match queue.take_up() {
                    Some(taken) => break taken,
                    None if queue.is_complete => return,
                    None => queue = self.0.wait(queue),
                }
            };
            drop(queue);
            let outcome = Box::new(draft.finish());
            self.0.change(|queue| queue.put(at, outcome));
        }
    }
}

impl Drafts {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Queue)) {
        let mut queue = self.queue();
        change(&mut queue);
        if std::mem::take(&mut queue.is_waited_for) {
            self.changed.notify_all();
        }
    }

    fn wait<'a>(&'a self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        queue.is_waited_for = true;
        self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to draft; `threads` are there where it is worth another one.
    pub(super) fn begin<'scope, 'env>(
        &'scope self,
        threads: Option<&'scope Scope<'scope, 'env>>,
    ) -> Drafting<'scope, 'env> {
        Drafting { drafts: self, threads }
    }

    /// What came of a draft, by its number from 0, once; none of one that is not there, or was fetched.
    pub(super) fn fetch(&self, number: usize) -> Option<Outcome> {
        let mut queue = self.queue();
        loop {
            let slot = queue.slots.get_mut(number)?;
            if matches!(slot, Slot::Rendered(_) | Slot::Gone) {
                let slot = std::mem::replace(slot, Slot::Gone);
                return if let Slot::Rendered(outcome) = slot { Some(*outcome) } else { None };
            }
            match queue.take_up() {
                Some((at, draft)) => {
                    drop(queue);
                    let outcome = Box::new(draft.finish());
                    queue = self.queue();
                    queue.put(at, outcome);
                }
                None if queue.is_alone => return None,
                None => queue = self.wait(queue),
            }
        }
    }
}

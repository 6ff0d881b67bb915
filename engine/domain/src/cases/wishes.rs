//! What policies want of an incident's case as one message is decided, joined into one. From engine level 15 on.
//!
//! A case is opened once all policies have had their say, on the trigger that fired and on those that followed from it, so that
//! what a later one sets counts. Of several wishes the case has:
//!
//! | of | what |
//! |---|---|
//! | `synopsis`, `follow_up`, `reference`, `address` | the first that is given |
//! | `comments`, `cc` | all, each once, as far as there is room |
//! | `priority` | the highest; where one gives none, the incident's is among them |
//!
//! The case is of the policy that wanted it first. What a case has of the others, and what not, is told.

use std::rc::Rc;
use std::sync::Arc;

use linesman_rules::Policy;
use linesman_schemas::Priority;
use linesman_schemas::command::{CASE_TEXT_MOST, CaseWords, LIST_MOST};
use linesman_schemas::trigger::JoinedData;

use crate::policies::Fired;

/// A policy wants a case.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) policy: Arc<Policy>,
    pub(crate) fired: Rc<Fired>,
    pub(crate) words: CaseWords,
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wish").field("policy", self.policy.name()).field("words", &self.words).finish_non_exhaustive()
    }
}

/// Wishes, joined.
pub(crate) struct Joined {
    pub(crate) policy: Arc<Policy>,
    pub(crate) fired: Rc<Fired>,
    pub(crate) words: CaseWords,
    /// What became of the others.
    pub(crate) others: Vec<JoinedData>,
}

/// Joins wishes in the order in which they were made; `priority` is the incident's as it is by now. None where there is none.
pub(crate) fn join(wishes: Vec<Wish>, priority: Priority) -> Option<Joined> {
    let mut wishes = wishes.into_iter();
    let Wish { policy, fired, mut words } = wishes.next()?;
    let mut others = Vec::new();
    for wish in wishes {
        let mut parts = Parts::default();
        let CaseWords {
            synopsis,
            comments,
            priority: wanted,
            cc,
            follow_up,
            attachments,
            core_files,
            reference,
            address,
        } = wish.words;
        parts.first("synopsis", &mut words.synopsis, synopsis);
        if let Some(more) = comments {
            let taken = add_text(&mut words.comments, &more);
            parts.note("comments", taken);
        }
        let of = |given: Option<Priority>| given.unwrap_or(priority);
        // The smallest is the most urgent.
        let highest = of(words.priority).min(of(wanted));
        if wanted.is_some() {
            parts.note("priority", of(wanted) == highest);
        }
        if wanted != words.priority {
            words.priority = Some(highest);
        }
        if let Some(more) = cc {
            let taken = add_names(words.cc.get_or_insert_default(), more);
            parts.note("cc", taken);
        }
        parts.first("follow_up", &mut words.follow_up, follow_up);
        parts.first("attachments", &mut words.attachments, attachments);
        parts.first("core_files", &mut words.core_files, core_files);
        parts.first("reference", &mut words.reference, reference);
        parts.first("address", &mut words.address, address);
        others.push(parts.of(&wish.policy, &wish.fired));
    }
    Some(Joined { policy, fired, words, others })
}

/// A wish for a case where there is one: nothing of it is used.
pub(crate) fn in_vain(policy: &Policy, fired: &Fired, words: &CaseWords) -> JoinedData {
    let CaseWords { synopsis, comments, priority, cc, follow_up, attachments, core_files, reference, address } = words;
    let given = [
        ("synopsis", synopsis.is_some()),
        ("comments", comments.is_some()),
        ("priority", priority.is_some()),
        ("cc", cc.is_some()),
        ("follow_up", follow_up.is_some()),
        ("attachments", attachments.is_some()),
        ("core_files", core_files.is_some()),
        ("reference", reference.is_some()),
        ("address", address.is_some()),
    ];
    let mut parts = Parts::default();
    for (name, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
        parts.note(name, false);
    }
    if parts.unused.is_empty() {
        parts.note("case", false);
    }
    parts.of(policy, fired)
}

/// What of a wish is used, and what not.
#[derive(Default)]
struct Parts {
    used: Vec<String>,
    unused: Vec<String>,
}

impl Parts {
    fn note(&mut self, name: &str, is_used: bool) {
        if is_used { &mut self.used } else { &mut self.unused }.push(name.to_owned());
    }

    /// The first that is given counts; another that says the same does too.
    fn first<T: PartialEq>(&mut self, name: &str, known: &mut Option<T>, given: Option<T>) {
        let Some(given) = given else { return };
        match known {
            Some(known) => self.note(name, *known == given),
            None => {
                *known = Some(given);
                self.note(name, true);
            }
        }
    }

    fn of(self, policy: &Policy, fired: &Fired) -> JoinedData {
        JoinedData { policy: policy.name().clone(), on: fired.trigger, used: self.used, unused: self.unused }
    }
}

/// Puts a text behind what is said, unless it is said already; whether all of it stands there then.
fn add_text(known: &mut Option<String>, more: &str) -> bool {
    const BETWEEN: &str = "\n\n";
    let Some(text) = known.as_mut().filter(|text| !text.is_empty()) else {
        *known = Some(more.to_owned());
        return true;
    };
    if more.is_empty() || text.split(BETWEEN).any(|said| said == more) || text == more {
        return true;
    }
    if text.chars().count() + BETWEEN.len() + more.chars().count() > CASE_TEXT_MOST {
        return false;
    }
    text.push_str(BETWEEN);
    text.push_str(more);
    true
}

/// Puts names behind those that are there, each once; whether all of them stand there then.
fn add_names(known: &mut Vec<String>, more: Vec<String>) -> bool {
    for name in more {
        if known.contains(&name) {
            continue;
        }
        if known.len() >= LIST_MOST {
            return false;
        }
        known.push(name);
    }
    true
}

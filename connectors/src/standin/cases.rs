//! The cases: opened under a key, given an id a little later, moved on when told to.
//!
//! Time is given by the caller. A case's place in the order of changes is a number; cursors are
//! made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use linesman_schemas::Priority;
use linesman_schemas::cascade::TRACE_MOST;
use linesman_schemas::outcome::CaseNote;
use linesman_schemas::reaction::FollowUp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What `createSR` takes. Nothing else may be in it: what leaves is decided by the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateSr {
    pub(super) site_id: String,
    pub(super) user_id: String,
    pub(super) customer_tracking_number: String,
    pub(super) priority: String,
    pub(super) synopsis: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) details: Option<Details>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) alias: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) trace_route: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) address: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Details {
    host_event_id: String,
    host_name: String,
    serial_number: String,
    product: String,
    platform: String,
    os_version: String,
    event_type: String,
    description: String,
    customer_comments: String,
    cc_list: Vec<String>,
    follow_up_method: FollowUp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    customer_reference: String,
}

/// What is wrong with a request: code and message.
pub(super) type Fault = (&'static str, String);

/// The texts, each with its name and greatest length, that are empty or too long.
pub(super) fn bounded<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str, usize)>) -> Vec<Fault> {
    texts
        .into_iter()
        .filter(|(_, text, most)| text.is_empty() || text.chars().count() > *most)
        .map(|(name, _, most)| ("invalid-field", format!("`{name}` must be 1 to {most} characters")))
        .collect()
}

impl CreateSr {
    /// What is wrong with it.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let texts = [
            ("siteId", &*self.site_id, 64),
            ("userId", &self.user_id, 128),
            ("customerTrackingNumber", &self.customer_tracking_number, 256),
            ("synopsis", &self.synopsis, 65_536),
        ];
        let said = [("alias", &*self.alias, 256), ("address", &self.address, 1000)];
        let said = said.into_iter().filter(|(_, text, _)| !text.is_empty());
        let route = self.trace_route.iter().map(|controller| ("traceRoute", &**controller, 64));
        let mut faults = bounded(texts.into_iter().chain(said).chain(route));
        if self.trace_route.len() > TRACE_MOST {
            faults.push(("invalid-field", format!("`traceRoute` must have at most {TRACE_MOST} entries")));
        }
        if Priority::ALL.iter().all(|priority| priority.numbered() != self.priority) {
            faults.push(("invalid-field", "`priority` must be of the form `1 - Critical`".to_owned()));
        }
        faults
    }
}

/// What `updateSR` takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UpdateSr {
    pub(super) site_id: String,
    pub(super) user_id: String,
    pub(super) customer_tracking_number: String,
    pub(super) transaction_id: String,
    pub(super) step: Step,
    #[serde(default)]
    pub(super) note: Option<CaseNote>,
}

/// What was done with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    Note,
    Close,
    Reopen,
}

impl UpdateSr {
    /// What is wrong with it.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let texts = [
            ("siteId", &*self.site_id, 64),
            ("userId", &self.user_id, 128),
            ("customerTrackingNumber", &self.customer_tracking_number, 256),
            ("transactionId", &self.transaction_id, 128),
        ];
        let note = self.note.iter().flat_map(|note| [("note.id", &*note.id, 200), ("note.text", &note.text, 4096)]);
        let mut faults = bounded(texts.into_iter().chain(note));
        if self.step == Step::Note && self.note.is_none() {
            faults.push(("invalid-field", "the step `note` has no `note`".to_owned()));
        }
        faults
    }
}

/// A case as `querySR` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    case_id: String,
    customer_tracking_number: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    updated: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<CaseNote>,
}

/// A case as `/_cases` lists it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Case {
    transaction_id: String,
    case_id: Option<String>,
    status: String,
    link: Option<String>,
    updated: Timestamp,
    request: CreateSr,
    notes: Vec<CaseNote>,
    /// Its place in the order of changes; 0 while it has no id.
    #[serde(skip)]
    changed: u64,
}

impl Case {
    fn shown(&self) -> Option<Shown> {
        Some(Shown {
            case_id: self.case_id.clone()?,
            customer_tracking_number: self.request.customer_tracking_number.clone(),
            status: self.status.clone(),
            link: self.link.clone(),
            updated: self.updated,
            notes: self.notes.clone(),
        })
    }

    /// Adds a note, unless one of its id is there.
    fn say(&mut self, note: CaseNote) {
        if self.notes.iter().all(|known| known.id != note.id) {
            self.notes.push(note);
        }
    }
}

/// What became of a `createSR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) transaction_id: String,
    pub(super) case: Option<Shown>,
}

/// What a key stands for.
#[derive(Debug)]
struct Taken {
    request: CreateSr,
    answer: Accepted,
    times: u64,
}

/// The key came before with another request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyReused;

/// Why a case is not moved on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTold {
    /// See [`KeyReused`].
    KeyReused,
    /// There is no such case.
    Unknown,
}

/// How a case moves on.
#[derive(Debug, Default)]
pub(super) struct Move {
    pub(super) status: Option<String>,
    pub(super) link: Option<String>,
    pub(super) note: Option<CaseNote>,
}

/// A page of changes.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) cases: Vec<Shown>,
    pub(super) cursor: u64,
    pub(super) more: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Cases {
    cases: Vec<Case>,
    by_key: BTreeMap<String, Taken>,
    /// What was told under which key.
    told: BTreeMap<String, UpdateSr>,
    /// Cases without an id, by when they get it.
    unassigned: BTreeSet<(Instant, usize)>,
    /// Cases with an id, by their place in the order of changes.
    changes: BTreeMap<u64, usize>,
    last_change: u64,
    /// Requests whose key had been there before.
    pub(super) duplicates_prevented: u64,
}

impl Cases {
    /// Opens a case, or answers as before when the key has been there.
    pub(super) fn open(
        &mut self,
        key: &str,
        request: CreateSr,
        assign_after: Duration,
        (now, time): (Instant, Timestamp),
    ) -> Result<Accepted, KeyReused> {
        if let Some(taken) = self.by_key.get_mut(key) {
            if taken.request != request {
                return Err(KeyReused);
            }
            taken.times += 1;
            self.duplicates_prevented += 1;
            return Ok(taken.answer.clone());
        }
        let index = self.cases.len();
        let transaction_id = format!("T-{:08}", index + 1);
        self.cases.push(Case {
            transaction_id: transaction_id.clone(),
            case_id: None,
            status: "submitted".to_owned(),
            link: None,
            updated: time,
            request: request.clone(),
            notes: Vec::new(),
            changed: 0,
        });
        self.unassigned.insert((now + assign_after, index));
        self.assign(now, time);
        let answer = Accepted { transaction_id, case: self.cases.get(index).and_then(Case::shown) };
        self.by_key.insert(key.to_owned(), Taken { request, answer: answer.clone(), times: 1 });
        Ok(answer)
    }

    /// Gives an id to every case whose time has come.
    pub(super) fn assign(&mut self, now: Instant, time: Timestamp) {
        while let Some(&(due, index)) = self.unassigned.first().filter(|(due, _)| *due <= now) {
            self.unassigned.remove(&(due, index));
            self.change(index, time, |_| {});
        }
    }

    /// Moves every case of a tracking number on and gives their count; one without an id gets it.
    pub(super) fn update(&mut self, tracking: &str, how: &Move, time: Timestamp) -> usize {
        let is_meant = |case: &Case| case.request.customer_tracking_number == tracking;
        let meant: Vec<usize> =
            self.cases.iter().enumerate().filter(|(_, case)| is_meant(case)).map(|(index, _)| index).collect();
        for &index in &meant {
            self.move_on(index, how, time);
        }
        meant.len()
    }

    /// Does what `updateSR` says, once for each key.
    pub(super) fn tell(&mut self, key: &str, update: UpdateSr, time: Timestamp) -> Result<(), NotTold> {
        if let Some(told) = self.told.get(key) {
            return if *told == update { Ok(()) } else { Err(NotTold::KeyReused) };
        }
        let is_meant = |case: &Case| {
            case.transaction_id == update.transaction_id
                && case.request.site_id == update.site_id
                && case.request.customer_tracking_number == update.customer_tracking_number
        };
        let index = self.cases.iter().position(is_meant).ok_or(NotTold::Unknown)?;
        let status = match update.step {
            Step::Note => None,
            Step::Close => Some("closed".to_owned()),
            Step::Reopen => Some("reopened".to_owned()),
        };
        self.move_on(index, &Move { status, link: None, note: update.note.clone() }, time);
        self.told.insert(key.to_owned(), update);
        Ok(())
    }

    fn move_on(&mut self, index: usize, how: &Move, time: Timestamp) {
        self.unassigned.retain(|(_, unassigned)| *unassigned != index);
        self.change(index, time, |case| {
            if let Some(status) = &how.status {
                case.status.clone_from(status);
            }
            if let Some(link) = &how.link {
                case.link = Some(link.clone());
            }
            if let Some(note) = &how.note {
                case.say(note.clone());
            }
        });
    }

    fn change(&mut self, index: usize, time: Timestamp, what: impl FnOnce(&mut Case)) {
        let Some(case) = self.cases.get_mut(index) else { return };
        if case.case_id.is_none() {
            let id = format!("2026-{:06}", index + 1);
            case.link = Some(format!("https://support.example/cases/{id}"));
            case.case_id = Some(id);
            case.status = "created".to_owned();
        }
        what(case);
        // Two changes of a case are never of one time: who reads them tells them apart by it.
        let next = case.updated.saturating_add(Duration::from_nanos(1)).unwrap_or(Timestamp::MAX);
        case.updated = time.max(next);
        self.changes.remove(&case.changed);
        self.last_change += 1;
        case.changed = self.last_change;
        self.changes.insert(case.changed, index);
    }

    /// The cases of a site that changed after `cursor`, at most `most`, in the order of change.
    pub(super) fn changed(&self, site_id: &str, cursor: u64, most: usize) -> Page {
        let after = (std::ops::Bound::Excluded(cursor), std::ops::Bound::Unbounded);
        let mut of_site = self
            .changes
            .range(after)
            .filter_map(|(_, index)| self.cases.get(*index))
            .filter(|case| case.request.site_id == site_id);
        let cases: Vec<&Case> = of_site.by_ref().take(most).collect();
        Page {
            cursor: cases.last().map_or(cursor, |case| case.changed),
            cases: cases.into_iter().filter_map(Case::shown).collect(),
            more: of_site.next().is_some(),
        }
    }

    /// Whether a site has a case of this id.
    pub(super) fn has(&self, site_id: &str, case_id: &str) -> bool {
        self.cases.iter().any(|case| case.request.site_id == site_id && case.case_id.as_deref() == Some(case_id))
    }

    /// Every case, in the order they were opened.
    pub(super) fn all(&self) -> &[Case] {
        &self.cases
    }

    /// How often each key came and was taken.
    pub(super) fn by_key(&self) -> BTreeMap<&str, u64> {
        self.by_key.iter().map(|(key, taken)| (key.as_str(), taken.times)).collect()
    }

    /// How many cases each tracking number has.
    pub(super) fn by_tracking(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for case in &self.cases {
            *counts.entry(case.request.customer_tracking_number.as_str()).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests;

//! The cases: opened under a key, given an id a little later, moved on when told to.
//!
//! Time is given by the caller. A case's place in the order of changes is a number; cursors are
//! made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use linesman_schemas::Priority;
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
}

impl CreateSr {
    /// What is wrong with it: code and message of each fault.
    pub(super) fn faults(&self) -> Vec<(&'static str, String)> {
        let texts = [
            ("siteId", &self.site_id, 64),
            ("userId", &self.user_id, 128),
            ("customerTrackingNumber", &self.customer_tracking_number, 256),
            ("synopsis", &self.synopsis, 65_536),
        ];
        let is_bad = |text: &str, most| text.is_empty() || text.chars().count() > most;
        let mut faults: Vec<_> = texts
            .into_iter()
            .filter(|(_, text, most)| is_bad(text, *most))
            .map(|(name, _, most)| ("invalid-field", format!("`{name}` must be 1 to {most} characters")))
            .collect();
        if Priority::ALL.iter().all(|priority| priority.numbered() != self.priority) {
            faults.push(("invalid-field", "`priority` must be of the form `1 - Critical`".to_owned()));
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
        })
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
    pub(super) fn update(
        &mut self,
        tracking: &str,
        status: Option<&str>,
        link: Option<&str>,
        time: Timestamp,
    ) -> usize {
        let is_meant = |case: &Case| case.request.customer_tracking_number == tracking;
        let meant: Vec<usize> =
            self.cases.iter().enumerate().filter(|(_, case)| is_meant(case)).map(|(index, _)| index).collect();
        for &index in &meant {
            self.unassigned.retain(|(_, unassigned)| *unassigned != index);
            self.change(index, time, |case| {
                if let Some(status) = status {
                    case.status = status.to_owned();
                }
                if let Some(link) = link {
                    case.link = Some(link.to_owned());
                }
            });
        }
        meant.len()
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

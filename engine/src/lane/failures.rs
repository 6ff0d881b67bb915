//! Policies that have failed lately, as this node has decided it since its start: by name how often within a day, and what was
//! said last. Beside the dead letters, which have each of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::OrgName;

/// For how many hours they are counted.
const HOURS: i64 = 24;
/// How often one policy is told of in the log at the most.
const TOLD_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How many are known; those that failed longest ago are forgotten then.
const MOST: usize = 1_000;

/// Who has failed lately. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct PolicyFailures(Arc<Mutex<BTreeMap<String, Known>>>);

#[derive(Debug)]
struct Known {
    /// Hours since the epoch, and how often it has failed in each, oldest first.
    hours: VecDeque<(i64, u64)>,
    last: Timestamp,
    org: OrgName,
    words: String,
    told: Option<Timestamp>,
    /// How often it has failed since it was told.
    untold: u64,
}

/// How a policy has failed lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFailed {
    /// How often within 24 hours.
    pub failures: u64,
    /// When last.
    pub last: Timestamp,
    /// For which organization last.
    pub org: OrgName,
    /// What was said then.
    pub words: String,
}

impl PolicyFailures {
    /// A policy has failed so often in a batch, last for `org` with `words`; the log is told now and then.
    pub fn add(&self, policy: &str, count: u64, (org, words): (&OrgName, &str), now: Timestamp) {
        if let Some(failures) = self.kept(policy, count, (org, words), now) {
            tracing::warn!(policy, %org, failures, error = words, "a policy fails");
        }
    }

    /// Keeps it; how often it has failed since it was told last, where it is to be told again.
    fn kept(&self, policy: &str, count: u64, (org, words): (&OrgName, &str), now: Timestamp) -> Option<u64> {
        let mut all = self.all();
        let known = all.entry(policy.to_owned()).or_insert_with(|| Known {
            hours: VecDeque::new(),
            last: now,
            org: org.clone(),
            words: String::new(),
            told: None,
            untold: 0,
        });
        (known.last, known.org, known.words) = (now, org.clone(), words.to_owned());
        let hour = hour_of(now);
        match known.hours.back_mut() {
            Some((last, so_far)) if *last == hour => *so_far = so_far.saturating_add(count),
            _ => known.hours.push_back((hour, count)),
        }
        known.forget(hour);
        known.untold = known.untold.saturating_add(count);
        let is_due = known.told.is_none_or(|told| now.duration_since(told).abs() >= TOLD_EVERY);
        let told = is_due.then(|| std::mem::take(&mut known.untold));
        if is_due {
            known.told = Some(now);
        }
        if all.len() > MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, known)| known.last).map(|(name, _)| name.clone())
        {
            all.remove(&oldest);
        }
        told
    }

    /// All that have failed within 24 hours, by name.
    pub fn lately(&self, now: Timestamp) -> BTreeMap<String, PolicyFailed> {
        let mut all = self.all();
        all.values_mut().for_each(|known| known.forget(hour_of(now)));
        let lately = all.iter().filter(|(_, known)| !known.hours.is_empty());
        lately.map(|(name, known)| (name.clone(), known.told())).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Forgets what is longer ago than is counted.
    fn forget(&mut self, hour: i64) {
        self.hours.retain(|(at, _)| *at > hour - HOURS);
    }

    fn told(&self) -> PolicyFailed {
        let failures = self.hours.iter().map(|(_, count)| count).sum();
        PolicyFailed { failures, last: self.last, org: self.org.clone(), words: self.words.clone() }
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn failures_of_a_day_are_counted_and_told_every_ten_minutes() {
        let failures = PolicyFailures::default();
        let org: OrgName = "acme".parse().unwrap();
        let add = |count, words, second| failures.kept("open-case", count, (&org, words), at(second));
        assert_eq!(add(2, "no", 0), Some(2));
        assert_eq!(add(3, "no", 599), None);
        assert_eq!(add(1, "oh", 600), Some(4), "with those before");
        let failed = PolicyFailed { failures: 6, last: at(600), org: org.clone(), words: "oh".to_owned() };
        assert_eq!(failures.lately(at(23 * 3_600)), BTreeMap::from([("open-case".to_owned(), failed)]));
        assert_eq!(failures.lately(at(24 * 3_600)), BTreeMap::new());
        for number in 0..=MOST as i64 {
            failures.kept(&format!("p{number}"), 1, (&org, "no"), at(100_000 + number));
        }
        let lately = failures.lately(at(101_000));
        assert!(lately.len() == MOST && !lately.contains_key("p0"), "{}", lately.len());
    }
}

//! When a policy that takes too long on one input after the other is suspended: each costs its lane the time that a run may take,
//! and that the lane is taken up again.
//!
//! What is counted here is this engine's own affair; that the policy is suspended is an override, which every replay reads.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use linesman_schemas::PolicyName;

/// So many runs that took too long, within so long, are one too many.
const MOST: usize = 5;
const WITHIN: Duration = Duration::from_secs(3_600);

/// When runs took too long, by policy and its text.
#[derive(Debug, Default)]
pub(super) struct Brake(BTreeMap<(PolicyName, String), VecDeque<Instant>>);

impl Brake {
    /// A run of a policy took too long; whether the policy is to be suspended.
    pub(super) fn note(&mut self, policy: &PolicyName, version: &str, now: Instant) -> bool {
        self.0.retain(|_, runs| runs.back().is_some_and(|last| now.duration_since(*last) < WITHIN));
        let runs = self.0.entry((policy.clone(), version.to_owned())).or_default();
        runs.push_back(now);
        while runs.front().is_some_and(|first| now.duration_since(*first) >= WITHIN) {
            runs.pop_front();
        }
        runs.len() >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_suspended_that_takes_too_long_again_and_again() {
        let (mut brake, start) = (Brake::default(), Instant::now());
        let (one, other): (PolicyName, PolicyName) = ("one".parse().unwrap(), "other".parse().unwrap());
        let at = |minutes: u64| start + Duration::from_secs(60 * minutes);
        for minute in 0..4 {
            assert!(!brake.note(&one, "a", at(minute)));
            assert!(!brake.note(&one, "b", at(minute)), "another text");
        }
        assert!(!brake.note(&other, "a", at(4)));
        assert!(brake.note(&one, "a", at(59)));
        assert!(!brake.note(&one, "b", at(60)), "the first was an hour ago");
        assert!(brake.note(&one, "b", at(60)));
    }
}

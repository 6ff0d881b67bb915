//! Which approvals of an organization are pending, in memory: of each by what it is found again, and who asked.

use std::collections::{BTreeMap, BTreeSet};

use linesman_schemas::approval::ApprovalKind;
use linesman_schemas::{Login, OrgName};
use sha2::{Digest, Sha256};

use super::{ApprovalRow, ApprovalState, PENDING_MOST};

/// How many approvals one login may have pending in an organization.
pub(crate) const OWN_MOST: usize = 200;

/// One that is pending.
#[derive(Debug, Clone)]
struct Pending {
    /// SHA-256 of what is asked for, and of that and what it comes to.
    verb: [u8; 32],
    sha256: [u8; 32],
    kind: ApprovalKind,
    /// The login that asked.
    asker: Option<Box<str>>,
}

/// How many approvals an organization has had, and which are pending.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    last: u64,
    pending: BTreeMap<u64, Pending>,
    by_verb: BTreeSet<([u8; 32], u64)>,
    /// How many a login has, and how many of a kind people have and others.
    of_login: BTreeMap<Box<str>, usize>,
    of_kind: BTreeMap<(ApprovalKind, bool), usize>,
}

impl Known {
    /// There have been so many.
    pub(super) fn behind(last: u64) -> Self {
        Self { last, ..Self::default() }
    }

    /// The number that was given last.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// How many are pending.
    pub(super) fn count(&self) -> usize {
        self.pending.len()
    }

    /// One stands as its row has it.
    pub(super) fn note(&mut self, number: u64, row: &ApprovalRow) {
        self.last = self.last.max(number);
        self.forget(number);
        if row.state != ApprovalState::Pending {
            return;
        }
        let asker = row.asker().map(|login| login.to_string().into_boxed_str());
        let pending = Pending { verb: of(&row.verb), sha256: row.sha256, kind: row.kind, asker };
        self.by_verb.insert((pending.verb, number));
        *self.of_kind.entry((pending.kind, pending.asker.is_some())).or_default() += 1;
        if let Some(login) = &pending.asker {
            *self.of_login.entry(login.clone()).or_default() += 1;
        }
        self.pending.insert(number, pending);
    }

    fn forget(&mut self, number: u64) {
        let Some(gone) = self.pending.remove(&number) else { return };
        self.by_verb.remove(&(gone.verb, number));
        if let Some(count) = self.of_kind.get_mut(&(gone.kind, gone.asker.is_some())) {
            *count = count.saturating_sub(1);
        }
        let Some(login) = gone.asker else { return };
        if let Some(count) = self.of_login.get_mut(&login) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.of_login.remove(&login);
            }
        }
    }

    /// Those by which something is asked for, in JSON, in order.
    fn asking(&self, verb: &str) -> impl Iterator<Item = u64> {
        let verb = of(verb);
        self.by_verb.range((verb, 0)..=(verb, u64::MAX)).map(|(_, number)| *number)
    }

    /// Whether something is asked for.
    pub(super) fn has(&self, verb: &str) -> bool {
        self.asking(verb).next().is_some()
    }

    /// Those by which it is asked for and comes to the same, in order.
    pub(super) fn same(&self, verb: &str, sha256: &[u8; 32]) -> Vec<u64> {
        let is_same = |number: &u64| self.pending.get(number).is_some_and(|pending| pending.sha256 == *sha256);
        self.asking(verb).filter(is_same).collect()
    }

    /// Why no more of a kind is asked for by a login, or by what has none. What forwards cases by itself, or by a policy, has
    /// one for each case: that is bound enough, and no case is left behind.
    pub(super) fn refusal(&self, org: &OrgName, kind: ApprovalKind, asker: Option<&Login>) -> Option<String> {
        let own = asker.and_then(|login| self.of_login.get(login.to_string().as_str())).copied().unwrap_or_default();
        if let Some(login) = asker.filter(|_| own >= OWN_MOST) {
            return Some(format!(
                "`{login}` has {OWN_MOST} approvals of `{org}` pending; they are to be decided first"
            ));
        }
        if asker.is_none() && kind == ApprovalKind::ForwardCase {
            return None;
        }
        let count = self.of_kind.get(&(kind, asker.is_some())).copied().unwrap_or_default();
        let kind = kind.as_str();
        (count >= PENDING_MOST)
            .then(|| format!("`{org}` has {PENDING_MOST} approvals of `{kind}` pending; decide some of them first"))
    }
}

fn of(verb: &str) -> [u8; 32] {
    Sha256::digest(verb).into()
}

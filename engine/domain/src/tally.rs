//! What decisions count, handed to the metrics once they are applied.

use std::borrow::Cow;
use std::collections::BTreeMap;

use linesman_schemas::dead_letter::Reason;
use linesman_schemas::{OrgName, PolicyName};

/// What is counted of an organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfOrg {
    /// Its incidents.
    pub incidents: u64,
    /// Reactions decided for it.
    pub reactions: u64,
    /// Its dead letters.
    pub dead: u64,
}

/// What is counted of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfPolicy {
    /// How often it was found to apply.
    pub matches: u64,
    /// How often its script was run.
    pub runs: u64,
    /// How often it failed.
    pub failures: u64,
    /// What its runs were charged.
    pub operations: u64,
    /// For whom it failed last, and what was said of that.
    pub last: Option<(OrgName, String)>,
}

/// Counts of one batch. Label sets are bounded: kinds, outcomes and reasons are words of the code.
#[derive(Debug, Default)]
pub struct Tally {
    /// Inputs by kind and outcome.
    pub inputs: BTreeMap<(&'static str, &'static str), u64>,
    /// Dead letters by reason.
    pub dead: BTreeMap<Reason, u64>,
    /// Triggers by name.
    pub triggers: BTreeMap<&'static str, u64>,
    /// Reactions by connector; those for foreign subscribers count as `publish`.
    pub reactions: BTreeMap<Cow<'static, str>, u64>,
    /// Failed policies by kind of failure.
    pub policy_failures: BTreeMap<&'static str, u64>,
    /// Records of the audit by what became of what was asked.
    pub audited: BTreeMap<&'static str, u64>,
    /// Failed attempts by connector and class.
    pub attempt_failures: BTreeMap<(String, &'static str), u64>,
    /// Cases of which the filter level lets nothing out.
    pub cases_withheld: u64,
    /// Uploads by where they came to stand.
    pub uploads: BTreeMap<&'static str, u64>,
    /// Newest snapshots of devices by where they came to stand on their way upward.
    pub snapshots: BTreeMap<&'static str, u64>,
    /// Approvals by kind and where they came to stand.
    pub approvals: BTreeMap<(&'static str, &'static str), u64>,
    /// Attempts at uploads by how they ended.
    pub upload_attempts: BTreeMap<&'static str, u64>,
    /// Waves of changes of devices by what came of them.
    pub waves: BTreeMap<&'static str, u64>,
    /// Bytes of uploads that the upstream has.
    pub upload_bytes: u64,
    /// What came beyond an organization's quota: messages and bytes.
    pub left_out: BTreeMap<OrgName, (u64, u64)>,
    /// By organization, the provider among them.
    pub orgs: BTreeMap<OrgName, OfOrg>,
    /// By policy.
    pub policies: BTreeMap<PolicyName, OfPolicy>,
    /// Dead letters that were put to work again.
    pub replayed: u64,
}

impl Tally {
    /// Counts an input; a kind from outside that is none of ours counts as `other`.
    pub fn input(&mut self, kind: &str, outcome: &'static str) {
        const KINDS: [&str; 5] = ["jmb", "intel", "cmd", "result", "ctl"];
        let kind = KINDS.into_iter().find(|known| *known == kind).unwrap_or("other");
        *self.inputs.entry((kind, outcome)).or_default() += 1;
    }

    /// Counts a message of so many bytes that comes beyond an organization's quota.
    pub fn left_out(&mut self, kind: &str, org: &OrgName, bytes: u64) {
        self.input(kind, "over quota");
        let known = match self.left_out.get_mut(org) {
            Some(known) => known,
            None => self.left_out.entry(org.clone()).or_default(),
        };
        *known = (known.0 + 1, known.1.saturating_add(bytes));
    }

    /// Counts a dead letter; of an organization where it is known whose it is.
    pub fn dead(&mut self, org: Option<&OrgName>, reason: Reason) {
        *self.dead.entry(reason).or_default() += 1;
        if let Some(org) = org {
            self.org(org).dead += 1;
        }
    }

    /// Counts an incident.
    pub fn incident(&mut self, org: &OrgName) {
        self.org(org).incidents += 1;
    }

    fn org(&mut self, org: &OrgName) -> &mut OfOrg {
        self.orgs.entry(org.clone()).or_default()
    }

    /// What is counted of a policy.
    pub fn policy(&mut self, policy: &PolicyName) -> &mut OfPolicy {
        self.policies.entry(policy.clone()).or_default()
    }

    /// Counts a trigger.
    pub fn trigger(&mut self, name: &'static str) {
        *self.triggers.entry(name).or_default() += 1;
    }

    /// Counts a reaction of an organization.
    pub fn reaction(&mut self, org: &OrgName, connector: Cow<'static, str>) {
        *self.reactions.entry(connector).or_default() += 1;
        self.org(org).reactions += 1;
    }

    /// Counts a failed policy.
    pub fn policy_failure(&mut self, policy: &PolicyName, kind: &'static str) {
        *self.policy_failures.entry(kind).or_default() += 1;
        self.policy(policy).failures += 1;
    }

    /// Counts a record of the audit.
    pub fn audited(&mut self, outcome: &'static str) {
        *self.audited.entry(outcome).or_default() += 1;
    }

    /// Counts an upload that has come to stand somewhere.
    pub fn upload(&mut self, state: &'static str) {
        *self.uploads.entry(state).or_default() += 1;
    }

    /// Counts a snapshot that has come to stand somewhere.
    pub fn snapshot(&mut self, state: &'static str) {
        *self.snapshots.entry(state).or_default() += 1;
    }

    /// Counts an approval that has come to stand somewhere.
    pub fn approval(&mut self, kind: &'static str, state: &'static str) {
        *self.approvals.entry((kind, state)).or_default() += 1;
    }

    /// Counts what came of a wave.
    pub fn wave(&mut self, end: &'static str) {
        *self.waves.entry(end).or_default() += 1;
    }

    /// Counts an attempt at an upload.
    pub fn upload_attempt(&mut self, end: &'static str) {
        *self.upload_attempts.entry(end).or_default() += 1;
    }

    /// Counts a failed attempt.
    pub fn attempt_failure(&mut self, connector: &str, class: &'static str) {
        *self.attempt_failures.entry((connector.to_owned(), class)).or_default() += 1;
    }
}

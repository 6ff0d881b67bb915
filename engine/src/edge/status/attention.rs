//! What works, and waits for somebody: files that are refused, policies that fail, cases that do not leave, dead letters.

use std::collections::BTreeMap;

use jiff::Timestamp;
use linesman_domain::cases::CaseState;
use linesman_domain::census::Census;
use linesman_schemas::OrgName;
use linesman_schemas::dead_letter::Reason;
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::gauges::Seen;
use crate::edge::sources::{PolicyStatus, Sources};
use crate::lane::failures::PolicyFailed;

/// How many policies that fail are told of.
const POLICIES_MOST: usize = 100;

/// What waits for somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Attention {
    /// Why the rule directory cannot be read; null where it can.
    rule_directory: Option<String>,
    /// The policy files that are refused, with what is wrong, the first by name.
    refused_policies: Vec<Refused>,
    /// How many there are in all.
    refused_policies_count: usize,
    /// The services that are refused.
    refused_services: Vec<Refused>,
    /// Policies that have failed within 24 hours, as this node has decided it since it was started; those that failed most often.
    failed_policies: Vec<FailedPolicy>,
    /// Cases that do not leave, since the filter level of their organization lets nothing out.
    withheld_cases: u64,
    /// Dead letters that OUT still has and that were not replayed, by why; from engine level 16 on.
    #[schema(value_type = BTreeMap<String, u64>)]
    unreplayed: BTreeMap<Reason, u64>,
}

/// A file that is refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefusedBriefly)]
struct Refused {
    /// Where it lies in the rule directory.
    path: String,
    /// The line of its first fault, from 1; with the first column that of all of it, such as its name.
    line: u32,
    /// The column there in characters, from 1.
    column: u32,
    /// What is wrong there.
    message: String,
}

/// A policy that fails.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyFailing)]
struct FailedPolicy {
    /// Its name.
    policy: String,
    /// How often it has failed within 24 hours.
    failures: u64,
    /// When last.
    last: Timestamp,
    /// For which organization then.
    #[schema(value_type = String)]
    organization: OrgName,
    /// What was said of it.
    error: String,
}

impl Attention {
    pub(super) fn of(sources: &Sources, seen: &Seen, now: Timestamp) -> Self {
        let PolicyStatus { directory, count, refused, services, .. } = sources.policies.borrow().clone();
        let policies = refused.iter().map(|file| (&file.path, (file.line, file.column), &file.message));
        let services = services.iter().map(|file| (&file.path, (file.line, file.column), &file.message));
        let census = sources.rows.iter().fold(Census::default(), |sum, lane| sum.and(&lane.census()));
        let withheld = census.cases().find(|(state, _)| *state == CaseState::Withheld);
        let unreplayed = seen.unreplayed.iter().filter(|(_, count)| **count > 0);
        Self {
            rule_directory: directory,
            refused_policies: policies.map(Refused::of).collect(),
            refused_policies_count: count,
            refused_services: services.map(Refused::of).collect(),
            failed_policies: failed(sources.failures.lately(now)),
            withheld_cases: withheld.map_or(0, |(_, count)| count),
            unreplayed: unreplayed.map(|(reason, count)| (*reason, *count)).collect(),
        }
    }
}

impl Refused {
    fn of((path, (line, column), message): (&String, (u32, u32), &String)) -> Self {
        Self { path: path.clone(), line, column, message: message.clone() }
    }
}

/// Those that have failed most often.
fn failed(lately: BTreeMap<String, PolicyFailed>) -> Vec<FailedPolicy> {
    let told = lately.into_iter().map(|(policy, failed)| {
        let PolicyFailed { failures, last, org, words } = failed;
        FailedPolicy { policy, failures, last, organization: org, error: words }
    });
    let mut told: Vec<_> = told.collect();
    told.sort_by(|a, b| b.failures.cmp(&a.failures).then_with(|| a.policy.cmp(&b.policy)));
    told.truncate(POLICIES_MOST);
    told
}

//! All policies of all organizations, found by message.
//!
//! Each trigger has one index of the policies that serve everyone and one per organization that has
//! some to itself; so has the audit as a whole. A message looks at two of them, a record of the audit at
//! four, and then judges the candidates in full; policies of other organizations cost it nothing. No result depends on the order of a hash map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use linesman_schemas::OrgName;
use linesman_schemas::trigger::Trigger;

use crate::filter::{Condition, Pattern, Target, Test, Where, for_each_text, for_each_word};
use crate::index::Index;
use crate::policy::{Audience, Policy};
use crate::scratch::{Occurring, Scratch};
use crate::subject::Subject;
use crate::triggers::Triggers;

/// Every word any policy asks for, folded, with its id.
pub(crate) type Vocabulary = HashMap<Box<str>, u32>;

/// The policies of one version of the rule book. Immutable; shared by all lanes.
#[derive(Debug)]
pub struct Book {
    /// In order of name; a policy's id is its place here.
    policies: Vec<Arc<Policy>>,
    vocabulary: Vocabulary,
    /// The policies that name a trigger.
    shelves: HashMap<Trigger, Shelf>,
    /// Those that react to whatever stands in the audit.
    audits: Shelf,
}

/// The policies of one trigger, or of all of the audit.
#[derive(Debug, Default)]
struct Shelf {
    is_empty: bool,
    everyone: Index,
    organizations: HashMap<OrgName, Index>,
}

impl Shelf {
    /// The indexes that propose policies for an organization's subjects.
    fn indexes(&self, org: &OrgName) -> impl Iterator<Item = &Index> {
        [Some(&self.everyone), self.organizations.get(org)].into_iter().flatten()
    }
}

impl Book {
    /// Builds the indexes. Of policies with equal names, which a rule book does not have, all are kept
    /// in the order given.
    pub fn build(mut policies: Vec<Arc<Policy>>) -> Self {
        policies.sort_by(|a, b| a.name().cmp(b.name()));
        let vocabulary = vocabulary(&policies);
        let of = |is_there: &dyn Fn(&Triggers) -> bool| shelf(&policies, is_there, &vocabulary);
        let triggers: BTreeSet<Trigger> =
            policies.iter().flat_map(|policy| named(policy.triggers())).copied().collect();
        let shelves = triggers.into_iter().map(|trigger| (trigger, of(&|triggers| named(triggers).contains(&trigger))));
        let shelves = shelves.collect();
        let audits = of(&|triggers| *triggers == Triggers::AllAudits);
        Self { policies, vocabulary, shelves, audits }
    }

    /// Puts the policies that judge `subject` of `org` into `out`, in order of name. `out` is cleared
    /// first. Allocates nothing once `scratch` and `out` have grown.
    pub fn matching(
        &self,
        org: &OrgName,
        trigger: Trigger,
        subject: &dyn Subject,
        scratch: &mut Scratch,
        out: &mut Vec<Arc<Policy>>,
    ) {
        out.clear();
        let audits = matches!(trigger, Trigger::Audit(_)).then_some(&self.audits);
        let shelves = [self.shelves.get(&trigger), audits];
        let indexes = || shelves.iter().flatten().flat_map(|shelf| shelf.indexes(org));
        scratch.begin(self.policies.len(), self.vocabulary.len());
        if indexes().any(Index::needs_words) {
            self.find_words(subject, scratch);
        }
        for index in indexes() {
            index.propose(subject, scratch);
        }
        scratch.candidates.sort_unstable();
        let words = Occurring { vocabulary: &self.vocabulary, words: &scratch.words };
        for id in &scratch.candidates {
            if let Some(policy) = self.policies.get(*id as usize)
                && policy.filter().matches(org, subject, &words)
            {
                out.push(Arc::clone(policy));
            }
        }
    }

    /// Whether there is a policy of anybody's that reacts to a trigger.
    pub fn reacts_to(&self, trigger: Trigger) -> bool {
        let is_audit = matches!(trigger, Trigger::Audit(_));
        self.shelves.contains_key(&trigger) || (is_audit && !self.audits.is_empty)
    }

    /// All policies, in order of name.
    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    fn find_words(&self, subject: &dyn Subject, scratch: &mut Scratch) {
        let Scratch { word, words, occurring, .. } = scratch;
        for_each_text(subject, |text| {
            for_each_word(text, word, |word| {
                if let Some(id) = self.vocabulary.get(word)
                    && words.set(*id)
                {
                    occurring.push(*id);
                }
            });
        });
    }
}

fn vocabulary(policies: &[Arc<Policy>]) -> Vocabulary {
    let mut words = Vocabulary::new();
    for condition in policies.iter().flat_map(|policy| &policy.filter().conditions) {
        for test in &condition.any {
            let Test::Words(asked) = test else { continue };
            for word in asked {
                let next = u32::try_from(words.len()).unwrap_or(u32::MAX);
                words.entry(word.clone()).or_insert(next);
            }
        }
    }
    words
}

/// The triggers that a policy names one by one.
fn named(triggers: &Triggers) -> &[Trigger] {
    match triggers {
        Triggers::These(triggers) => triggers,
        Triggers::AllAudits => &[],
    }
}

/// The policies whose triggers are those of the shelf.
fn shelf(policies: &[Arc<Policy>], is_there: &dyn Fn(&Triggers) -> bool, vocabulary: &Vocabulary) -> Shelf {
    let mut everyone: Vec<(u32, &Where)> = Vec::new();
    let mut organizations: BTreeMap<OrgName, Vec<(u32, &Where)>> = BTreeMap::new();
    for (id, policy) in (0..).zip(policies) {
        if !is_there(policy.triggers()) {
            continue;
        }
        match organizations_of(policy) {
            None => everyone.push((id, policy.filter())),
            Some(names) => {
                for name in names {
                    organizations.entry(name).or_default().push((id, policy.filter()));
                }
            }
        }
    }
    let is_empty = everyone.is_empty() && organizations.is_empty();
    let organizations =
        organizations.into_iter().map(|(name, entries)| (name, Index::build(&entries, vocabulary))).collect();
    Shelf { is_empty, everyone: Index::build(&everyone, vocabulary), organizations }
}

/// The only organizations whose subjects a policy can match: its audience, or those its filter names
/// in full. None when there is no such bound.
fn organizations_of(policy: &Policy) -> Option<Vec<OrgName>> {
    match policy.audience() {
        Audience::These(names) => Some(names.clone()),
        Audience::All => policy.filter().conditions.iter().find_map(organizations_named),
    }
}

fn organizations_named(condition: &Condition) -> Option<Vec<OrgName>> {
    if condition.on != Target::Organization || condition.is_negated {
        return None;
    }
    let name = |test: &Test| match test {
        Test::Text(Pattern::Exact(name)) => name.parse().ok(),
        _ => None,
    };
    condition.any.iter().map(name).collect()
}

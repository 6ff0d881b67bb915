//! The index over the policies of one trigger and one audience.
//!
//! Of each policy one positive condition serves as its *access path*; whoever fails it cannot match.
//! Equality, small ranges and flags are found by hash, `text*` by hash per length of prefix, other
//! wildcards by one automaton per field over their longest literal, words by hash of one word of each
//! text. Policies without such a condition are candidates of every message. What is proposed is judged
//! in full afterwards, so an index may propose too much but never too little.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use foldhash::HashMap;

use crate::book::Vocabulary;
use crate::filter::{Condition, Pattern, Target, Test, Where};
use crate::scratch::Scratch;
use crate::subject::{Field, Subject, Value};

/// Ranges of at most this many numbers are looked up number by number.
const MOST_NUMBERS: i64 = 16;

/// A prefix shorter than this is used only if the pattern has no longer piece.
const USEFUL_PREFIX_BYTES: usize = 3;

/// Lists of policy ids by what is looked up.
type Postings<K> = HashMap<K, Vec<u32>>;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Index {
    fields: Vec<FieldIndex>,
    words: Postings<u32>,
    always: Vec<u32>,
    needs_words: bool,
}

/// What is looked up in one field.
#[derive(Debug)]
struct FieldIndex {
    field: Field,
    exact: Postings<Box<str>>,
    /// Numbers, and flags as 0 and 1.
    numbers: Postings<i64>,
    prefixes: Postings<Box<str>>,
    /// The lengths of `prefixes` in bytes, ascending.
    prefix_lengths: Vec<usize>,
    inner: Option<Inner>,
}

/// The literals that may stand anywhere in a field's text.
#[derive(Debug)]
struct Inner {
    automaton: AhoCorasick,
    /// By pattern of the automaton.
    policies: Vec<Vec<u32>>,
}

impl Index {
    /// Indexes these policies by id.
    pub(crate) fn build(entries: &[(u32, &Where)], vocabulary: &Vocabulary) -> Self {
        let spread = Spread::of(entries);
        let mut builder = Builder::default();
        let mut index = Self { needs_words: entries.iter().any(|(_, filter)| filter.needs_words()), ..Self::default() };
        for (id, filter) in entries {
            let path = filter
                .conditions
                .iter()
                .filter_map(|condition| Some((spread.cost(condition)?, condition)))
                .min_by_key(|(cost, _)| *cost);
            match path {
                None => index.always.push(*id),
                Some((_, condition)) => builder.add(*id, condition, vocabulary),
            }
        }
        index.words = builder.words;
        for (field, keys) in builder.fields {
            index.fields.push(keys.into_index(field, &mut index.always));
        }
        index
    }

    /// Whether any of its policies looks at words.
    pub(crate) fn needs_words(&self) -> bool {
        self.needs_words
    }

    /// Proposes every policy that `subject` may match.
    pub(crate) fn propose(&self, subject: &dyn Subject, scratch: &mut Scratch) {
        scratch.propose(&self.always);
        for field in &self.fields {
            match subject.value(field.field) {
                Value::Absent | Value::Map(_) => {}
                Value::Text(text) => field.propose_by_text(text, scratch),
                Value::Texts(texts) => texts.iter().for_each(|text| field.propose_by_text(text, scratch)),
                Value::Number(number) => field.propose_by_number(number, scratch),
                Value::Flag(flag) => field.propose_by_number(i64::from(flag), scratch),
            }
        }
        if !self.words.is_empty() {
            let occurring = std::mem::take(&mut scratch.occurring);
            for word in &occurring {
                if let Some(ids) = self.words.get(word) {
                    scratch.propose(ids);
                }
            }
            scratch.occurring = occurring;
        }
    }
}

impl FieldIndex {
    fn propose_by_number(&self, number: i64, scratch: &mut Scratch) {
        if let Some(ids) = self.numbers.get(&number) {
            scratch.propose(ids);
        }
    }

    fn propose_by_text(&self, text: &str, scratch: &mut Scratch) {
        if let Some(ids) = self.exact.get(text) {
            scratch.propose(ids);
        }
        for length in &self.prefix_lengths {
            if *length > text.len() {
                break;
            }
            if let Some(ids) = text.get(..*length).and_then(|prefix| self.prefixes.get(prefix)) {
                scratch.propose(ids);
            }
        }
        if let Some(inner) = &self.inner {
            for found in inner.automaton.find_overlapping_iter(text) {
                if let Some(ids) = inner.policies.get(found.pattern().as_usize()) {
                    scratch.propose(ids);
                }
            }
        }
    }
}

/// How many different values the policies ask for, by field: the more there are, the fewer policies
/// one message finds there.
struct Spread<'a> {
    fields: BTreeMap<Field, BTreeSet<&'a str>>,
}

impl<'a> Spread<'a> {
    fn of(entries: &[(u32, &'a Where)]) -> Self {
        let mut fields: BTreeMap<Field, BTreeSet<&'a str>> = BTreeMap::new();
        for condition in entries.iter().flat_map(|(_, filter)| &filter.conditions) {
            let Target::Field(field) = condition.on else { continue };
            for test in &condition.any {
                if let Test::Text(pattern) = test {
                    fields.entry(field).or_default().insert(pattern.longest_literal());
                }
            }
        }
        Self { fields }
    }

    /// The share of messages, in millionths, that a policy found by this condition is judged for: an
    /// estimate. None when it cannot be an access path.
    fn cost(&self, condition: &Condition) -> Option<u64> {
        if condition.is_negated {
            return None;
        }
        // A field with a handful of values narrows little however many policies ask for it.
        let values = match condition.on {
            Target::Organization => return None,
            Target::Words => 500,
            Target::Field(field) if field.is_closed() => 4,
            Target::Field(field) => 50 + self.fields.get(&field).map_or(0, BTreeSet::len) as u64,
        };
        let mut cost: u64 = 0;
        for test in &condition.any {
            cost += 1_000_000 / values * keys(test)?;
        }
        Some(cost)
    }
}

/// How many keys of an index a test stands under, wildcards counting for more; none when it has no key.
fn keys(test: &Test) -> Option<u64> {
    match test {
        Test::Text(Pattern::Exact(_)) | Test::Words(_) => Some(1),
        Test::Flag(_) => Some(2),
        Test::Between(first, last) => match last.checked_sub(*first) {
            Some(span) if span < MOST_NUMBERS => u64::try_from(span + 1).ok(),
            _ => None,
        },
        Test::Text(pattern) if has_useful_prefix(pattern) => Some(4),
        Test::Text(pattern) if pattern.longest_literal().is_empty() => None,
        Test::Text(_) => Some(8),
    }
}

fn has_useful_prefix(pattern: &Pattern) -> bool {
    let prefix = pattern.prefix();
    prefix.len() >= USEFUL_PREFIX_BYTES || (!prefix.is_empty() && prefix.len() >= pattern.longest_literal().len())
}

/// The keys of an index while it is built.
#[derive(Default)]
struct Builder {
    fields: BTreeMap<Field, Keys>,
    words: Postings<u32>,
}

/// The keys of one field.
#[derive(Default)]
struct Keys {
    exact: Postings<Box<str>>,
    numbers: Postings<i64>,
    prefixes: Postings<Box<str>>,
    inner: BTreeMap<Box<str>, Vec<u32>>,
}

impl Builder {
    fn add(&mut self, id: u32, condition: &Condition, vocabulary: &Vocabulary) {
        for test in &condition.any {
            match (condition.on, test) {
                (Target::Words, Test::Words(words)) => {
                    // The longest word is likely the rarest.
                    let longest = words.iter().max_by_key(|word| (word.len(), *word));
                    if let Some(word) = longest.and_then(|word| vocabulary.get(word)) {
                        self.words.entry(*word).or_default().push(id);
                    }
                }
                (Target::Field(field), test) => self.fields.entry(field).or_default().add(id, test),
                _ => {}
            }
        }
    }
}

impl Keys {
    fn add(&mut self, id: u32, test: &Test) {
        match test {
            Test::Text(Pattern::Exact(text)) => self.exact.entry(text.clone()).or_default().push(id),
            Test::Text(pattern) if has_useful_prefix(pattern) => {
                self.prefixes.entry(pattern.prefix().into()).or_default().push(id);
            }
            Test::Text(pattern) => self.inner.entry(pattern.longest_literal().into()).or_default().push(id),
            Test::Flag(flag) => self.numbers.entry(i64::from(*flag)).or_default().push(id),
            Test::Between(first, last) => {
                for number in *first..=*last {
                    self.numbers.entry(number).or_default().push(id);
                }
            }
            Test::Words(_) => {}
        }
    }

    /// The finished index. Should no automaton come of the literals (there may be too many of them),
    /// their policies become candidates of every message.
    fn into_index(self, field: Field, always: &mut Vec<u32>) -> FieldIndex {
        let lengths: BTreeSet<usize> = self.prefixes.keys().map(|prefix| prefix.len()).collect();
        let inner = match AhoCorasick::new(self.inner.keys().map(|literal| literal.as_bytes())) {
            _ if self.inner.is_empty() => None,
            Ok(automaton) => Some(Inner { automaton, policies: self.inner.into_values().collect() }),
            Err(_) => {
                always.extend(self.inner.into_values().flatten());
                None
            }
        };
        FieldIndex {
            field,
            exact: self.exact,
            numbers: self.numbers,
            prefixes: self.prefixes,
            prefix_lengths: lengths.into_iter().collect(),
            inner,
        }
    }
}

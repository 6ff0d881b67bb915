//! What fails outside: of each destination and source what its last try said, and since when; of each reaction what its own
//! did.
//!
//! It is what this node has learned since it was started, and no decision depends on it: those follow what is reported of
//! attempts into the log. One that is well again is forgotten.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::cause::Cause;
use linesman_schemas::outcome::Failure;

/// How often one of them is told of in the log at the most.
const TOLD_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How often all of them are within that time.
const TOLD_MOST: usize = 30;
/// How many are remembered; those that failed longest ago are forgotten then.
const MOST: usize = 10_000;
/// The longest words that are kept, in characters.
const WORDS_MOST: usize = 1_000;

/// How something has failed since it was well last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What the last try came of.
    pub cause: Cause,
    /// What it said, for people.
    pub words: String,
    /// When it failed first.
    pub since: Timestamp,
    /// When it failed last.
    pub last: Timestamp,
    /// How many tries have failed since.
    pub tries: u64,
}

/// What the log is to be told of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It was well before.
    First,
    /// It failed otherwise before.
    Otherwise,
    /// Nothing: it was told, or is told of too often.
    None,
}

/// All that fails, by name.
#[derive(Debug)]
pub struct Failing {
    kind: Kind,
    known: Mutex<Known>,
}

/// What it is that fails.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Destinations,
    Sources,
}

#[derive(Debug, Default)]
struct Known {
    named: BTreeMap<String, Failed>,
    /// What was told last of each, and when; also of those that are well again.
    told: BTreeMap<String, (Timestamp, Option<(Cause, String)>)>,
    /// How many there are by the first part of their names, and what they came of.
    counts: BTreeMap<(String, Cause), u64>,
    reactions: BTreeMap<String, Failed>,
}

impl Failing {
    /// Of destinations, by name: a connector, and a peer of it.
    pub fn of_destinations() -> Self {
        Self { kind: Kind::Destinations, known: Mutex::default() }
    }

    /// Of sources, by name.
    pub fn of_sources() -> Self {
        Self { kind: Kind::Sources, known: Mutex::default() }
    }

    /// Begins the gauge of a connector or a source with what it is while all is well.
    pub fn begin(&self, name: &str) {
        Cause::ALL.into_iter().for_each(|cause| self.gauge(name, cause, 0));
    }

    fn gauge(&self, name: &str, cause: Cause, count: u64) {
        let (name, class) = (name.to_owned(), cause.as_str());
        let gauge = match self.kind {
            Kind::Destinations => {
                metrics::gauge!("linesman_destinations_failing", "connector" => name, "class" => class)
            }
            Kind::Sources => metrics::gauge!("linesman_sources_failing", "source" => name, "class" => class),
        };
        gauge.set(count as f64);
    }

    /// A try has failed at `now`; what is to be told of it.
    pub fn failed(&self, name: &str, failure: &Failure, now: Timestamp) -> News {
        let mut known = self.known();
        let before = known.named.remove(name);
        self.count(&mut known, name, before.as_ref().map(|failed| failed.cause), Some(failure.cause()));
        let failed = Failed::after(before, failure, now);
        let news = known.tell(name, &failed, now);
        known.named.insert(name.to_owned(), failed);
        if known.named.len() > MOST
            && let Some(name) = oldest(&known.named)
            && let Some(failed) = known.named.remove(&name)
        {
            self.count(&mut known, &name, Some(failed.cause), None);
        }
        news
    }

    /// It is well; how it had failed, if it had, and that was told.
    pub fn well(&self, name: &str) -> Option<Failed> {
        let mut known = self.known();
        let failed = known.named.remove(name)?;
        self.count(&mut known, name, Some(failed.cause), None);
        known.told.get_mut(name).and_then(|(_, told)| told.take()).map(|_| failed)
    }

    /// A try at a reaction has failed.
    pub fn reaction_failed(&self, id: &str, failure: &Failure, now: Timestamp) {
        let mut known = self.known();
        let reactions = &mut known.reactions;
        let failed = Failed::after(reactions.remove(id), failure, now);
        reactions.insert(id.to_owned(), failed);
        if reactions.len() > MOST
            && let Some(id) = oldest(reactions)
        {
            reactions.remove(&id);
        }
    }

    /// A reaction is tried no more, as far as is known here.
    pub fn reaction_ended(&self, id: &str) {
        self.known().reactions.remove(id);
    }

    /// How the tries at a pending reaction have failed.
    pub fn of_reaction(&self, id: &str) -> Option<Failed> {
        self.known().reactions.get(id).cloned()
    }

    /// How a destination or a source fails.
    pub fn of(&self, name: &str) -> Option<Failed> {
        self.known().named.get(name).cloned()
    }

    /// All that fail, by name.
    pub fn all(&self) -> BTreeMap<String, Failed> {
        self.known().named.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One fails for another cause than before, begins to, or does no more.
    fn count(&self, known: &mut Known, name: &str, before: Option<Cause>, now: Option<Cause>) {
        if before == now {
            return;
        }
        let whose = name.split_once('/').map_or(name, |(connector, _)| connector);
        for (cause, is_more) in before.map(|cause| (cause, false)).into_iter().chain(now.map(|cause| (cause, true))) {
            let count = known.counts.entry((whose.to_owned(), cause)).or_default();
            *count = if is_more { count.saturating_add(1) } else { count.saturating_sub(1) };
            self.gauge(whose, cause, *count);
        }
    }
}

impl Known {
    /// What is to be told of a failure; it is taken for told.
    fn tell(&mut self, name: &str, failed: &Failed, now: Timestamp) -> News {
        let is_recent = |at: &Timestamp| now.duration_since(*at).abs() < TOLD_EVERY;
        let told = self.told.get(name);
        let news = match told.and_then(|(_, told)| told.as_ref()) {
            Some((cause, words)) if *cause == failed.cause && *words == failed.words => return News::None,
            Some(_) => News::Otherwise,
            None => News::First,
        };
        if told.is_some_and(|(at, _)| is_recent(at)) {
            return News::None;
        }
        if self.told.len() >= TOLD_MOST {
            let named = &self.named;
            self.told.retain(|name, (at, _)| is_recent(at) || named.contains_key(name));
            if self.told.values().filter(|(at, _)| is_recent(at)).count() >= TOLD_MOST {
                return News::None;
            }
        }
        self.told.insert(name.to_owned(), (now, Some((failed.cause, failed.words.clone()))));
        news
    }
}

impl Failed {
    fn after(before: Option<Self>, failure: &Failure, now: Timestamp) -> Self {
        let (since, tries) = before.map_or((now, 0), |before| (before.since, before.tries));
        let mut words: String = failure.message.chars().take(WORDS_MOST).collect();
        if words.len() < failure.message.len() {
            words.push_str("...");
        }
        Self { cause: failure.cause(), words, since, last: now, tries: tries.saturating_add(1) }
    }
}

/// The one that failed longest ago.
fn oldest(all: &BTreeMap<String, Failed>) -> Option<String> {
    all.iter().min_by_key(|(_, failed)| failed.last).map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use linesman_schemas::outcome::FailureClass;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn failure(words: &str, cause: Option<Cause>) -> Failure {
        Failure { class: FailureClass::Unavailable, message: words.to_owned(), retry_after_s: None, cause }
    }

    #[test]
    fn what_fails_is_told_first_and_when_it_changes_and_not_more_often_than_once_a_minute() {
        let failing = Failing::of_destinations();
        let expired = failure("it was valid until yesterday only", Some(Cause::Tls));
        let away = failure("cannot be reached", Some(Cause::Refused));
        assert_eq!(failing.failed("jss", &expired, at(0)), News::First);
        assert_eq!(failing.failed("jss", &expired, at(500)), News::None);
        assert_eq!(failing.failed("jss", &away, at(501)), News::Otherwise);
        // Back and forth within a minute: it is told of what it comes to.
        assert_eq!(failing.failed("jss", &expired, at(520)), News::None);
        assert_eq!(failing.failed("jss", &expired, at(570)), News::Otherwise);
        let failed = failing.of("jss").unwrap();
        assert_eq!((failed.cause, failed.since, failed.last, failed.tries), (Cause::Tls, at(0), at(570), 5));
        assert_eq!(failing.well("jss").unwrap().tries, 5);
        assert_eq!((failing.well("jss"), failing.of("jss")), (None, None));
        // One that fails every other time is told of once a minute.
        assert_eq!(failing.failed("jss", &away, at(600)), News::None);
        assert_eq!(failing.well("jss"), None, "nobody was told");
        assert_eq!(failing.failed("jss", &away, at(631)), News::First);
    }

    #[test]
    fn a_hundred_devices_do_not_fill_the_log_and_ten_thousand_are_remembered() {
        let failing = Failing::of_destinations();
        let away = failure(&"ä".repeat(2_000), None);
        let told = (0..100).filter(|n| failing.failed(&format!("device/{n}"), &away, at(*n)) == News::First).count();
        assert!((30..=60).contains(&told), "{told}");
        assert_eq!(failing.of("device/0").unwrap().words.chars().count(), WORDS_MOST + 3);
        for n in 0..MOST as i64 {
            failing.failed(&format!("device/{n}"), &away, at(1_000 + n));
            failing.reaction_failed(&format!("acme-r{n}-1"), &away, at(n));
        }
        failing.failed("jss", &away, at(100_000));
        failing.reaction_failed("acme-r10000-1", &away, at(100_000));
        assert_eq!((failing.all().len(), failing.of("device/0")), (MOST, None));
        assert_eq!((failing.of_reaction("acme-r0-1"), failing.known().reactions.len()), (None, MOST));
        assert_eq!(failing.known().counts.values().sum::<u64>(), MOST as u64);
    }
}

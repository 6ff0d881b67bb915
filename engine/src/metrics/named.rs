//! Metrics by names from outside: of organizations, of policies, of consumers. The busiest have series of their own, all others
//! have one together.
//!
//! They are no recorder's, which never forgets a series: here a name that is not busy any more makes room. What is counted of a
//! name before it has a series of its own, and after, counts as [`OTHER`]'s; so each sum only rises, and counts all there is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::table::METRICS;

/// How many names have series of their own.
pub const NAMED_MOST: usize = 200;
/// What stands for all other names; one that is called so is among them.
pub const OTHER: &str = "other";
/// How many names are known by how busy they are.
const KNOWN_MOST: usize = 20_000;
/// How often it is looked who is busiest.
const RANK_EVERY: Duration = Duration::from_secs(60);
/// What is left of how busy somebody was until it is looked again: half of it after some 40 minutes.
const LEFT: f64 = 0.983;
/// How much busier somebody has to be than one who has series of its own, so that they do not take turns.
const BUSIER: f64 = 2.0;

/// By how many of the counts, from the first on, somebody is busy: operations are many whoever runs.
const BUSY_BY: usize = 3;

/// Whether anybody has series of its own.
static IS_NAMING: AtomicBool = AtomicBool::new(true);

/// What is counted of organizations.
pub static ORGANIZATIONS: Counts<3> = Counts::new(
    "organization",
    [
        "linesman_organization_incidents_total",
        "linesman_organization_reactions_total",
        "linesman_organization_dead_letters_total",
    ],
);
/// What is counted of policies.
pub static POLICIES: Counts<4> = Counts::new(
    "policy",
    [
        "linesman_policy_matches_total",
        "linesman_policy_runs_total",
        "linesman_policy_run_failures_total",
        "linesman_policy_operations_total",
    ],
);
/// How far consumers of OUT are behind.
pub static CONSUMERS: Levels = Levels::new("consumer", "linesman_consumer_lag_messages");

/// Has names appear from here on, or only [`OTHER`].
pub fn set_naming(is_naming: bool) {
    IS_NAMING.store(is_naming, Ordering::Relaxed);
}

fn is_naming() -> bool {
    IS_NAMING.load(Ordering::Relaxed)
}

/// Adds all of them to a text in the Prometheus format.
pub(super) fn render(text: &mut String) {
    ORGANIZATIONS.render(text);
    POLICIES.render(text);
    CONSUMERS.render(text);
}

/// The metrics that are rendered here.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ORGANIZATIONS.metrics.into_iter().chain(POLICIES.metrics).chain([CONSUMERS.metric])
}

/// Counters that share a label of names.
pub struct Counts<const N: usize> {
    label: &'static str,
    metrics: [&'static str; N],
    kept: Mutex<Kept<N>>,
}

struct Kept<const N: usize> {
    known: BTreeMap<String, Known<N>>,
    /// How many of them have series of their own.
    shown: usize,
    other: [u64; N],
    ranked: Option<Instant>,
}

struct Known<const N: usize> {
    busy: f64,
    /// What its series count; none: it has none.
    own: Option<[u64; N]>,
}

impl<const N: usize> Counts<N> {
    const fn new(label: &'static str, metrics: [&'static str; N]) -> Self {
        let kept = Kept { known: BTreeMap::new(), shown: 0, other: [0; N], ranked: None };
        Self { label, metrics, kept: Mutex::new(kept) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<N>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts so much of a name, in the order of the metrics.
    pub fn add(&self, name: &str, counts: [u64; N]) {
        self.kept().add(name, counts, is_naming());
    }

    fn render(&self, text: &mut String) {
        let mut kept = self.kept();
        kept.rank(Instant::now());
        for (at, metric) in self.metrics.iter().enumerate() {
            begin(text, metric, "counter");
            let of = |counts: &[u64; N]| counts.get(at).copied().unwrap_or_default();
            for (name, known) in &kept.known {
                if let Some(own) = &known.own {
                    sample(text, metric, (self.label, name), of(own));
                }
            }
            sample(text, metric, (self.label, OTHER), of(&kept.other));
        }
    }
}

impl<const N: usize> Kept<N> {
    fn add(&mut self, name: &str, counts: [u64; N], is_naming: bool) {
        let Self { known, shown, other, .. } = self;
        let own = if is_naming && name != OTHER { own(known, shown, name, &counts) } else { None };
        let into = own.unwrap_or(other);
        into.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(count));
    }

    /// Gives series to those that are busiest by now, where it was not looked for a while.
    fn rank(&mut self, now: Instant) {
        if self.known.len() <= NAMED_MOST || self.ranked.is_some_and(|at| now < at + RANK_EVERY) {
            return;
        }
        self.ranked = Some(now);
        let mut names: Vec<(f64, bool, String)> = Vec::with_capacity(self.known.len());
        for (name, known) in &self.known {
            let is_shown = known.own.is_some();
            names.push((if is_shown { known.busy * BUSIER } else { known.busy }, is_shown, name.clone()));
        }
        names.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        for (at, (_, was_shown, name)) in names.iter().enumerate() {
            let is_shown = at < NAMED_MOST;
            if let Some(known) = self.known.get_mut(name).filter(|_| is_shown != *was_shown) {
                known.own = is_shown.then_some([0; N]);
            }
        }
        self.shown = NAMED_MOST;
        self.known.values_mut().for_each(|known| known.busy *= LEFT);
        if self.known.len() >= KNOWN_MOST {
            // There is room again for those that become busy.
            self.known.retain(|_, known| known.own.is_some());
        }
    }
}

/// The counts of a name that has series of its own; it is busier by so much.
fn own<'a, const N: usize>(
    all: &'a mut BTreeMap<String, Known<N>>,
    shown: &mut usize,
    name: &str,
    counts: &[u64; N],
) -> Option<&'a mut [u64; N]> {
    if !all.contains_key(name) {
        if all.len() >= KNOWN_MOST {
            return None;
        }
        let is_shown = *shown < NAMED_MOST;
        *shown += usize::from(is_shown);
        all.insert(name.to_owned(), Known { busy: 0.0, own: is_shown.then_some([0; N]) });
    }
    let known = all.get_mut(name)?;
    known.busy += counts.iter().take(BUSY_BY).map(|count| *count as f64).sum::<f64>();
    known.own.as_mut()
}

/// A gauge by names, of which each look knows all.
pub struct Levels {
    label: &'static str,
    metric: &'static str,
    /// Those that have series of their own, and what stands for all others.
    kept: Mutex<(BTreeMap<String, u64>, u64)>,
}

impl Levels {
    const fn new(label: &'static str, metric: &'static str) -> Self {
        Self { label, metric, kept: Mutex::new((BTreeMap::new(), 0)) }
    }

    /// These are all there are: those by name, of which the highest have series, and the highest of the others.
    pub fn set(&self, mut named: Vec<(String, u64)>, other: u64) {
        named.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let most = if is_naming() { NAMED_MOST } else { 0 };
        let (mut kept, mut highest) = (BTreeMap::new(), other);
        for (name, level) in named {
            if kept.len() < most && name != OTHER {
                kept.insert(name, level);
            } else {
                highest = highest.max(level);
            }
        }
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = (kept, highest);
    }

    fn render(&self, text: &mut String) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        begin(text, self.metric, "gauge");
        for (name, level) in &kept.0 {
            sample(text, self.metric, (self.label, name), *level);
        }
        sample(text, self.metric, (self.label, OTHER), kept.1);
    }
}

/// Says what a metric is.
fn begin(text: &mut String, metric: &str, kind: &str) {
    let help = METRICS.iter().find(|known| known.name == metric).map_or("", |known| known.help);
    // Writing to a text does not fail.
    let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} {kind}");
}

fn sample(text: &mut String, metric: &str, (label, name): (&str, &str), value: u64) {
    let name = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let _ = writeln!(text, "{metric}{{{label}=\"{name}\"}} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept<3> {
        Kept { known: BTreeMap::new(), shown: 0, other: [0; 3], ranked: None }
    }

    fn own(kept: &Kept<3>, name: &str) -> Option<[u64; 3]> {
        kept.known.get(name).and_then(|known| known.own)
    }

    fn sum(kept: &Kept<3>) -> u64 {
        kept.other[0] + kept.known.values().filter_map(|known| known.own).map(|own| own[0]).sum::<u64>()
    }

    #[test]
    fn the_first_have_series_of_their_own_and_the_others_one_together() {
        let mut kept = kept();
        for number in 0..NAMED_MOST + 50 {
            kept.add(&format!("org{number}"), [1, 2, 0], true);
        }
        assert_eq!(own(&kept, "org0"), Some([1, 2, 0]));
        assert_eq!(own(&kept, &format!("org{NAMED_MOST}")), None);
        assert_eq!(kept.other, [50, 100, 0]);
        kept.add(OTHER, [1, 0, 0], true);
        kept.add("org0", [1, 0, 0], false);
        assert_eq!(
            (kept.other, own(&kept, "org0")),
            ([52, 100, 0], Some([1, 2, 0])),
            "one is called so, one is not named"
        );
    }

    #[test]
    fn who_becomes_busy_takes_the_place_of_who_is_idle_and_nothing_is_counted_twice() {
        let (mut kept, began) = (kept(), Instant::now());
        for number in 0..NAMED_MOST + 1 {
            kept.add(&format!("org{number:04}"), [10, 0, 0], true);
        }
        let late = format!("org{NAMED_MOST:04}");
        kept.rank(began);
        assert_eq!(own(&kept, &late), None, "who is as busy as the others waits");
        kept.add(&late, [9, 0, 0], true);
        kept.rank(began + RANK_EVERY);
        assert_eq!(own(&kept, &late), None, "they do not take turns");
        kept.add(&late, [100, 0, 0], true);
        kept.rank(began + RANK_EVERY);
        assert_eq!(own(&kept, &late), None, "it is not looked all the time");
        kept.rank(began + 2 * RANK_EVERY);
        assert_eq!(own(&kept, &late), Some([0; 3]));
        kept.add(&late, [1, 0, 0], true);
        assert_eq!((own(&kept, &late), kept.other[0]), (Some([1, 0, 0]), 119));
        let shown = kept.known.values().filter(|known| known.own.is_some()).count();
        assert_eq!((shown, kept.shown), (NAMED_MOST, NAMED_MOST));
        // What the one counted that gave way went with its series.
        assert_eq!(sum(&kept), 10 * (NAMED_MOST as u64 - 1) + 1 + 119);
    }

    #[test]
    fn names_are_bounded() {
        let mut kept = kept();
        for number in 0..KNOWN_MOST + 10 {
            kept.add(&format!("org{number}"), [1, 0, 0], true);
        }
        assert_eq!((kept.known.len(), sum(&kept)), (KNOWN_MOST, KNOWN_MOST as u64 + 10));
        kept.rank(Instant::now());
        assert_eq!(kept.known.len(), NAMED_MOST);
        kept.add("fresh", [1, 0, 0], true);
        assert!(kept.known.contains_key("fresh"));
    }

    #[test]
    fn the_text_is_that_of_prometheus() {
        static COUNTS: Counts<1> = Counts::new("organization", ["linesman_organization_incidents_total"]);
        COUNTS.add("acme", [3]);
        let levels = Levels::new("consumer", "linesman_consumer_lag_messages");
        levels.set(vec![("a\"b\\\n".to_owned(), 7), (OTHER.to_owned(), 9)], 2);
        let mut text = String::new();
        COUNTS.render(&mut text);
        levels.render(&mut text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("# HELP")).collect();
        let expected = [
            "# TYPE linesman_organization_incidents_total counter",
            "linesman_organization_incidents_total{organization=\"acme\"} 3",
            "linesman_organization_incidents_total{organization=\"other\"} 0",
            "# TYPE linesman_consumer_lag_messages gauge",
            "linesman_consumer_lag_messages{consumer=\"a\\\"b\\\\\\n\"} 7",
            "linesman_consumer_lag_messages{consumer=\"other\"} 9",
        ];
        assert_eq!(lines, expected);
        assert_eq!(text.lines().filter(|line| line.starts_with("# HELP")).count(), 2);
    }
}

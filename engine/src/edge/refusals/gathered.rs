//! Refusals that are not in the log yet: one by one, or counted together.
//!
//! INVARIANT (bounded): whatever comes, what is kept has its bounds, and every refusal is counted. INVARIANT (one's own):
//! what somebody floods takes no room of others: each has a counter of their own beside their kinds, and where there are
//! too many principals for that, each organization has, in its own log.

use std::collections::BTreeMap;
use std::mem;
use std::time::{Duration, Instant};

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Refusal;
use linesman_schemas::{OrgName, Principal};

pub(super) const MINUTE: Duration = Duration::from_secs(60);
/// How many refusals of a principal are told one by one in a minute.
const SINGLE_MOST: u32 = 100;
/// How many wait to be told one by one.
const WAITING_MOST: usize = 10_000;
/// How many principals are told one by one in a minute.
const MINUTES_MOST: usize = 1_000;
/// How many principals are counted apart; those beyond are counted by their organizations, as the engine's own.
const PRINCIPALS_MOST: usize = 10_000;
/// How many of them may be of one organization, or of the provider.
const PRINCIPALS_OF_ONE_MOST: usize = 1_000;
/// How many organizations are counted apart; those beyond are counted with the provider's.
const ORGANIZATIONS_MOST: usize = 10_000;
/// How many kinds, by verdict, operation and place, are counted apart of a principal; those beyond are counted together.
const KINDS_MOST: usize = 16;
/// How many kinds are counted apart of all principals.
const KINDS_OF_ALL_MOST: usize = 16_000;

/// By whose lane records it.
type Whose = Option<OrgName>;

/// What was refused.
#[derive(Default)]
pub(super) struct Gathered {
    /// One by one.
    single: BTreeMap<Whose, Vec<Refusal>>,
    waiting: usize,
    /// How many of a principal were told one by one, and since when.
    minutes: BTreeMap<String, (Instant, u32)>,
    /// Counted together.
    together: BTreeMap<Whose, Crowd>,
    /// How many principals, and kinds of theirs, there are in that.
    principals: usize,
    kinds: usize,
}

/// What is counted together of an organization, or of the provider.
#[derive(Default)]
struct Crowd {
    /// By principal, with the token by which it asks.
    principals: BTreeMap<String, Counted>,
    /// Of those beyond.
    rest: Counts,
}

/// What is counted together of a principal.
struct Counted {
    principal: Principal,
    /// By verdict, operation and place.
    kinds: BTreeMap<(&'static str, String, String), (Verdict, u64)>,
    /// Of the other kinds.
    others: Counts,
}

/// How often, by verdict.
type Counts = BTreeMap<&'static str, (Verdict, u64)>;

impl Gathered {
    /// One more.
    pub(super) fn add(&mut self, refusal: Refusal, now: Instant) {
        let who = known_as(&refusal.principal);
        let is_known = self.minutes.contains_key(&who);
        if self.waiting < WAITING_MOST && (is_known || self.minutes.len() < MINUTES_MOST) {
            let (since, count) = self.minutes.entry(who.clone()).or_insert((now, 0));
            if now.duration_since(*since) >= MINUTE {
                (*since, *count) = (now, 0);
            }
            if *count < SINGLE_MOST {
                *count += 1;
                self.waiting += 1;
                self.single.entry(lane_of(&refusal.principal)).or_default().push(refusal);
                return;
            }
        }
        self.count(who, refusal);
    }

    /// Counts one together with others: of its kind, of its principal, or of its organization.
    fn count(&mut self, who: String, refusal: Refusal) {
        // What each was about is told one by one alone.
        let Refusal { principal, operation, place, about: _, verdict, count } = refusal;
        let mut whose = lane_of(&principal);
        if self.together.len() >= ORGANIZATIONS_MOST && !self.together.contains_key(&whose) {
            whose = None;
        }
        let is_own = whose == lane_of(&principal);
        let crowd = self.together.entry(whose).or_default();
        let has_room = self.principals < PRINCIPALS_MOST && crowd.principals.len() < PRINCIPALS_OF_ONE_MOST;
        if !is_own || !(has_room || crowd.principals.contains_key(&who)) {
            return counted(&mut crowd.rest, verdict, count);
        }
        let known = crowd.principals.entry(who).or_insert_with(|| {
            self.principals += 1;
            Counted { principal, kinds: BTreeMap::new(), others: Counts::new() }
        });
        let kind = (verdict.as_str(), operation, place);
        if let Some((_, known)) = known.kinds.get_mut(&kind) {
            *known += count;
        } else if known.kinds.len() < KINDS_MOST && self.kinds < KINDS_OF_ALL_MOST {
            self.kinds += 1;
            known.kinds.insert(kind, (verdict, count));
        } else {
            counted(&mut known.others, verdict, count);
        }
    }

    /// What is to be told now, by whose lane records it; what is counted together once a minute, or at the end.
    pub(super) fn take(&mut self, now: Instant, is_minute: bool) -> BTreeMap<Whose, Vec<Refusal>> {
        self.minutes.retain(|_, (since, _)| now.duration_since(*since) < MINUTE);
        self.waiting = 0;
        let mut taken = mem::take(&mut self.single);
        if is_minute {
            (self.principals, self.kinds) = (0, 0);
            for (whose, crowd) in mem::take(&mut self.together) {
                taken.entry(whose).or_default().extend(crowd.told());
            }
        }
        taken
    }
}

impl Crowd {
    fn told(self) -> impl Iterator<Item = Refusal> {
        let rest = self.rest.into_values().map(|(verdict, count)| many(&Principal::Machine, verdict, count));
        self.principals.into_values().flat_map(Counted::told).chain(rest)
    }
}

impl Counted {
    fn told(self) -> impl Iterator<Item = Refusal> {
        let Self { principal, kinds, others } = self;
        let who = principal.clone();
        let kinds = kinds.into_iter().map(move |((_, operation, place), (verdict, count))| Refusal {
            principal: who.clone(),
            operation,
            place,
            about: None,
            verdict,
            count,
        });
        kinds.chain(others.into_values().map(move |(verdict, count)| many(&principal, verdict, count)))
    }
}

/// Of many kinds: without operation and place.
fn many(who: &Principal, verdict: Verdict, count: u64) -> Refusal {
    Refusal { principal: who.clone(), operation: String::new(), place: String::new(), about: None, verdict, count }
}

fn counted(counts: &mut Counts, verdict: Verdict, count: u64) {
    counts.entry(verdict.as_str()).or_insert((verdict, 0)).1 += count;
}

/// By what a principal is told from others: its login, and the token by which it asks.
fn known_as(principal: &Principal) -> String {
    let token = principal.token().map(|token| format!(" {token}")).unwrap_or_default();
    format!("{principal}{token}")
}

/// Whose lane records what somebody tries: that of their own organization, or the provider's.
pub(super) fn lane_of(principal: &Principal) -> Whose {
    match principal {
        Principal::EndCustomer { organization } => Some(organization.clone()),
        principal => principal.login().and_then(|login| login.organization),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(login: &str) -> Refusal {
        let principal = Principal::of_login(&login.parse().unwrap(), None);
        let (operation, place, about) = ("x".to_owned(), "/".to_owned(), Some("y".to_owned()));
        Refusal { principal, operation, place, about, verdict: Verdict::Forbidden, count: 1 }
    }

    fn org(name: &str) -> Whose {
        Some(name.parse().unwrap())
    }

    fn counted(taken: &BTreeMap<Whose, Vec<Refusal>>) -> u64 {
        taken.values().flatten().map(|refusal| refusal.count).sum()
    }

    /// What is told of somebody who is refused as often, of so many kinds, beyond those that are told one by one.
    fn together(gathered: &mut Gathered, login: &str, kinds: u64, often: u64, now: Instant) -> Vec<Refusal> {
        let principal = refusal(login).principal;
        for number in 0..u64::from(SINGLE_MOST) + often {
            gathered.add(Refusal { place: format!("acme/{}", number % kinds), ..refusal(login) }, now);
        }
        gathered.take(now, false);
        let taken = gathered.take(now, true).remove(&lane_of(&principal)).unwrap_or_default();
        taken.into_iter().filter(|refusal| refusal.principal == principal).collect()
    }

    #[test]
    fn above_a_hundred_a_minute_they_are_counted_together_and_none_is_lost() {
        let (mut gathered, now) = (Gathered::default(), Instant::now());
        for _ in 0..250 {
            gathered.add(refusal("acme/ann"), now);
        }
        gathered.add(refusal("bob"), now);
        let taken = gathered.take(now, false);
        assert_eq!((taken[&org("acme")].len(), taken[&None].len()), (100, 1));
        assert_eq!(taken[&org("acme")][99].about.as_deref(), Some("y"));
        let rest = gathered.take(now, true);
        let together = &rest[&org("acme")];
        assert_eq!((together.len(), together[0].count, &*together[0].operation), (1, 150, "x"));
        assert_eq!(together[0].about, None, "they may have been about anything");
        gathered.add(refusal("acme/ann"), now + MINUTE);
        assert_eq!(gathered.take(now + MINUTE, false).len(), 1, "another minute");
    }

    #[test]
    fn what_is_counted_together_is_told_by_its_kind_as_long_as_those_are_few() {
        let (mut gathered, now) = (Gathered::default(), Instant::now());
        let taken = together(&mut gathered, "acme/ann", 20, 40, now);
        let (rest, apart): (Vec<_>, Vec<_>) = taken.iter().partition(|refusal| refusal.operation.is_empty());
        assert!(apart.len() == KINDS_MOST && apart.iter().all(|refusal| refusal.count == 2), "{apart:?}");
        assert_eq!((rest.len(), rest[0].count, &*rest[0].place), (1, 8, ""));
    }

    #[test]
    fn what_others_flood_leaves_everybody_a_counter_of_their_own() {
        let (mut gathered, now) = (Gathered::default(), Instant::now());
        // As many kinds as are counted apart, and more principals than one organization has room for.
        for number in 0..KINDS_OF_ALL_MOST * 2 {
            let login = format!("bolt/m{}", number % (PRINCIPALS_OF_ONE_MOST + 10));
            gathered.count(login.clone(), Refusal { place: format!("bolt/{number}"), ..refusal(&login) });
        }
        assert_eq!((gathered.kinds, gathered.principals), (KINDS_OF_ALL_MOST, PRINCIPALS_OF_ONE_MOST));
        let of_ann: Vec<_> = (0..250).map(|_| refusal("acme/ann")).collect();
        for refused in of_ann {
            gathered.count("acme/ann".to_owned(), refused);
        }
        let taken = gathered.take(now, true);
        let own = &taken[&org("acme")];
        assert_eq!((own.len(), own[0].count, own[0].principal.to_string()), (1, 250, "acme/ann".to_owned()));
        // Those beyond are in the log of their organization, too.
        assert!(!taken.contains_key(&None), "the provider's log has none of it");
        let beyond: Vec<_> = taken[&org("bolt")].iter().filter(|one| one.principal == Principal::Machine).collect();
        assert!(beyond.len() == 1 && beyond[0].count >= 10, "{beyond:?}");
        assert_eq!(counted(&taken), KINDS_OF_ALL_MOST as u64 * 2 + 250);
    }

    #[test]
    fn a_flood_of_principals_is_bounded_and_counted() {
        let (mut gathered, now) = (Gathered::default(), Instant::now());
        for number in 0..30_000 {
            gathered.add(refusal(&format!("o{}/m{number}", number % 12_000)), now);
        }
        assert!(gathered.minutes.len() <= MINUTES_MOST && gathered.together.len() <= ORGANIZATIONS_MOST + 1);
        assert!(gathered.principals <= PRINCIPALS_MOST && gathered.kinds <= KINDS_OF_ALL_MOST);
        assert_eq!(counted(&gathered.take(now, true)), 30_000);
        assert_eq!((gathered.principals, gathered.kinds, gathered.together.len()), (0, 0, 0));
        gathered.take(now + MINUTE, false);
        let names = (0..200).map(|number| format!("acme/m{number}"));
        for name in names.flat_map(|name| vec![name; 100]) {
            gathered.add(refusal(&name), now + MINUTE);
        }
        assert_eq!(gathered.waiting, WAITING_MOST);
        assert_eq!(counted(&gathered.take(now + MINUTE, true)), 20_000);
    }
}

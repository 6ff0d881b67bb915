//! What was refused before it became a command: writes (403, 404, 422), and reads of what is seen and not allowed (403).
//! It is gathered here, and brought to the log as records, each to the lane of whoever tried.
//!
//! ```text
//!  answer --> note: one by one, above 100 a minute of a principal counted together --> every second: record-refusals
//!                   by operation and place, as far as those are few
//! ```
//!
//! No answer waits for it, and what is gathered is bounded: where more comes than there is room for it is counted
//! together too. While the log is away it stays here; what cannot be brought there until the engine ends is told to its
//! own log.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::Response;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Audit, LIST_MOST, Refusal, Refusals as Told, Verb};
use linesman_schemas::{CommandId, IncidentId, OrgName, Principal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use utoipa::openapi::{OpenApi, RefOr};

use super::commands::Commands;
use super::transport::problem::Decided;
use crate::data_dir::private::random_hex;

/// How many refusals of a principal are told one by one in a minute.
const SINGLE_MOST: u32 = 100;
const MINUTE: Duration = Duration::from_secs(60);
/// How many wait to be told one by one.
const WAITING_MOST: usize = 10_000;
/// How many principals are counted apart; those beyond are counted together, as the engine's own.
const PRINCIPALS_MOST: usize = 1_000;
/// How many kinds, by operation and place, are counted apart of a principal; those beyond are counted together.
const KINDS_MOST: usize = 16;
/// How often they are brought to the log.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How long bringing them there may take before it is tried again, or given up in the end.
const TELL_MOST: Duration = Duration::from_secs(5);
/// The engine level from which on there are records.
const RECORDED_FROM: u32 = 3;
/// How many characters of what was asked for are kept.
const PLACE_MOST: usize = 200;

/// The names of operations, by path and method.
pub(crate) struct Operations(BTreeMap<(String, &'static str), Operation>);

/// An operation.
#[derive(Clone)]
pub(crate) struct Operation {
    name: Arc<str>,
    /// Whether it changes something.
    is_write: bool,
    /// Whether what it would do is told without doing it.
    has_preview: bool,
}

/// The parameter that asks for no more than what would be done.
const DRY_RUN: &str = "dry_run";

impl Operation {
    /// Whether a query asks for a preview of a write that has none: it would be done.
    pub(super) fn is_taken_for_preview(&self, query: &str) -> bool {
        let asks = || query.split('&').any(|pair| pair.split('=').next() == Some(DRY_RUN));
        self.is_write && !self.has_preview && asks()
    }
}

impl Operations {
    /// Those of a document.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut names = BTreeMap::new();
        for (path, item) in &document.paths.paths {
            let methods = [
                ("GET", &item.get),
                ("PUT", &item.put),
                ("POST", &item.post),
                ("DELETE", &item.delete),
                ("PATCH", &item.patch),
            ];
            for (method, operation) in methods {
                let Some(operation) = operation else { continue };
                if let Some(name) = operation.operation_id.as_deref() {
                    // Routes that lead to the same are told apart behind a dot.
                    let name = name.split('.').next().unwrap_or(name).into();
                    let mut parameters = operation.parameters.iter().flatten();
                    let has_preview =
                        parameters.any(|parameter| matches!(parameter, RefOr::T(own) if own.name == DRY_RUN));
                    names.insert((path.clone(), method), Operation { name, is_write: method != "GET", has_preview });
                }
            }
        }
        Self(names)
    }

    /// What is asked for by that path and method.
    pub(crate) fn find(&self, path: &str, method: &'static str) -> Option<Operation> {
        // What is read is read by its head too.
        let method = if method == "HEAD" { "GET" } else { method };
        self.0.get(&(path.to_owned(), method)).cloned()
    }
}

/// What was refused and is not in the log yet.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Gathered>);

#[derive(Default)]
struct Gathered {
    /// One by one, by whose lane records it.
    single: BTreeMap<Option<OrgName>, Vec<Refusal>>,
    waiting: usize,
    /// How many of a principal were told one by one, and since when.
    minutes: BTreeMap<String, (Instant, u32)>,
    /// Counted together, by kind.
    together: BTreeMap<Kind, Refusal>,
}

/// By what refusals are counted: principal, verdict, operation and place; the last two empty where there are too many.
type Kind = (String, &'static str, String, String);

impl Refusals {
    /// Takes note of an answer, if it is a refusal that no lane has decided. That there is nothing, or that a value is
    /// wrong, is one of writes alone.
    pub(crate) fn note(&self, principal: Principal, operation: &Operation, path: &str, response: &Response) {
        let verdict = match (response.status(), operation.is_write) {
            (StatusCode::FORBIDDEN, _) => Verdict::Forbidden,
            (StatusCode::NOT_FOUND, true) => Verdict::NotFound,
            (StatusCode::UNPROCESSABLE_ENTITY, true) => Verdict::Invalid,
            _ => return,
        };
        if response.extensions().get::<Decided>().is_none() {
            let (operation, place) = (operation.name.to_string(), place_of(path, lane_of(&principal).as_ref()));
            self.gathered().add(Refusal { principal, operation, place, verdict, count: 1 }, Instant::now());
        }
    }

    /// Takes note of what was refused without a request that says what for.
    pub(crate) fn add(&self, refusal: Refusal) {
        self.gathered().add(refusal, Instant::now());
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        // Nothing under the lock panics; and it is whole after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn add(&mut self, refusal: Refusal, now: Instant) {
        let who = known_as(&refusal.principal);
        let is_known = self.minutes.contains_key(&who);
        if self.waiting < WAITING_MOST && (is_known || self.minutes.len() < PRINCIPALS_MOST) {
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
        let count = refusal.count;
        let (kind, first) = self.kind(who, refusal);
        self.together.entry(kind).or_insert(first).count += count;
    }

    /// As what a refusal is counted: by itself, with others of its principal, or with all others.
    fn kind(&self, who: String, refusal: Refusal) -> (Kind, Refusal) {
        let Refusal { principal, operation, place, verdict, .. } = refusal;
        let of_one = |(who, principal): (String, Principal), operation: String, place: String| {
            let kind = (who, word(verdict), operation.clone(), place.clone());
            (kind, Refusal { principal, operation, place, verdict, count: 0 })
        };
        let has_room = self.together.len() < PRINCIPALS_MOST;
        let front = (who.clone(), "", String::new(), String::new());
        let kinds = self.together.range(front..).take_while(|((of, ..), _)| *of == who).take(KINDS_MOST).count();
        let alone = of_one((who.clone(), principal.clone()), operation, place);
        if self.together.contains_key(&alone.0) || (has_room && kinds < KINDS_MOST) {
            return alone;
        }
        let together = of_one((who, principal), String::new(), String::new());
        if has_room || self.together.contains_key(&together.0) {
            return together;
        }
        of_one((known_as(&Principal::Machine), Principal::Machine), String::new(), String::new())
    }

    /// What is to be told now, by whose lane records it; what is counted together once a minute, or at the end.
    fn take(&mut self, now: Instant, is_minute: bool) -> BTreeMap<Option<OrgName>, Vec<Refusal>> {
        self.minutes.retain(|_, (since, _)| now.duration_since(*since) < MINUTE);
        self.waiting = 0;
        let mut taken = mem::take(&mut self.single);
        if is_minute {
            for refusal in mem::take(&mut self.together).into_values() {
                taken.entry(lane_of(&refusal.principal)).or_default().push(refusal);
            }
        }
        taken
    }
}

/// By what a principal is told from others: its login, and the token by which it asks.
fn known_as(principal: &Principal) -> String {
    let token = principal.token().map(|token| format!(" {token}")).unwrap_or_default();
    format!("{principal}{token}")
}

/// Whose lane records what somebody tries: that of their own organization, or the provider's.
fn lane_of(principal: &Principal) -> Option<OrgName> {
    match principal {
        Principal::EndCustomer { organization } => Some(organization.clone()),
        principal => principal.login().and_then(|login| login.organization),
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "done",
        Verdict::NotFound => "not-found",
        Verdict::Conflict => "conflict",
        Verdict::Invalid => "invalid",
        Verdict::Forbidden => "forbidden",
    }
}

/// What stands behind a subscription's name in a path.
const OPERATIONS: [&str; 5] = ["activate", "deactivate", "redeploy", "resume", "suspend"];

/// The place of a subscription that a path names behind `subscriptions/`.
fn subscribed(named: &str) -> String {
    let mut names: Vec<&str> = named.split('/').collect();
    if names.len() > 2 {
        names.pop_if(|last| OPERATIONS.contains(last));
    }
    if names.len() > 1 {
        names.pop();
    }
    names.join("/")
}

/// The place that a path names, as it was asked for; of what names none where they belong who ask (`home`).
fn place_of(path: &str, home: Option<&OrgName>) -> String {
    const PROVIDER: &str = "/";
    let home = || home.map_or_else(|| PROVIDER.to_owned(), OrgName::to_string);
    let rest = path.strip_prefix("/api/v1/").unwrap_or(path);
    let (kind, named) = rest.split_once('/').unwrap_or((rest, ""));
    let (first, has_more) = named.split_once('/').map_or((named, false), |(first, _)| (first, true));
    let place = match kind {
        "incidents" => first.parse().ok().map(|id: IncidentId| id.org.to_string()),
        "organizations" | "devices" => Some(first.to_owned()),
        "places" | "values" | "explain" if !named.is_empty() => Some(named.to_owned()),
        "subscriptions" if has_more => Some(subscribed(named)),
        "activations" if has_more => named.rsplit_once('/').map(|(line, _)| line.to_owned()),
        "managers" if has_more => Some(first.to_owned()),
        "audit" if has_more && first.parse::<OrgName>().is_ok() => Some(first.to_owned()),
        "audit" if has_more => Some(PROVIDER.to_owned()),
        "managers" | "groups" | "level" | "log-level" | "policies" => Some(PROVIDER.to_owned()),
        _ => None,
    };
    place.filter(|place| !place.is_empty()).unwrap_or_else(home).chars().take(PLACE_MOST).collect()
}

/// Brings refusals to the log until it ends.
#[derive(Debug)]
pub(crate) struct Recorder {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Begins.
    pub(crate) fn start(refusals: Arc<Refusals>, commands: Arc<Commands>) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: tokio::spawn(record(refusals, commands, stopped)) }
    }

    /// Brings what there is to the log, for 5 s at most.
    pub(crate) async fn end(self) {
        // A task that is gone has said why.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "refusals are recorded no more");
        }
    }
}

/// A batch that is on its way, under an id by which it is known again.
struct Batch {
    id: CommandId,
    whose: Option<OrgName>,
    told: Told,
}

async fn record(refusals: Arc<Refusals>, commands: Arc<Commands>, mut stopped: oneshot::Receiver<()>) {
    let mut batches: Vec<Batch> = Vec::new();
    let mut minute = Instant::now();
    loop {
        let is_end = timeout(TELL_EVERY, &mut stopped).await.is_ok();
        let now = Instant::now();
        // While the log is away what comes waits where it is bounded.
        if batches.is_empty() || is_end {
            let is_minute = is_end || now.duration_since(minute) >= MINUTE;
            if is_minute {
                minute = now;
            }
            batches.extend(refusals.gathered().take(now, is_minute).into_iter().flat_map(batched));
        }
        if timeout(TELL_MOST, tell(&commands, &mut batches)).await.is_err() {
            tracing::debug!("the log takes no records of refusals at the moment");
        }
        if is_end {
            let lost: u64 = batches.iter().flat_map(|batch| &batch.told.refusals).map(|refusal| refusal.count).sum();
            if lost > 0 {
                tracing::error!(lost, "refusals could not be recorded: the log takes nothing");
            }
            return;
        }
    }
}

fn batched((whose, refusals): (Option<OrgName>, Vec<Refusal>)) -> Vec<Batch> {
    let chunks = refusals.chunks(LIST_MOST);
    let batch = |refusals: &[Refusal]| {
        let id = random_hex::<16>().map_err(|error| tracing::error!(%error, "refusals have no id")).ok()?;
        let id = format!("refusals-{id}").parse().ok()?;
        Some(Batch { id, whose: whose.clone(), told: Told { refusals: refusals.to_vec() } })
    };
    chunks.filter_map(batch).collect()
}

/// Brings batches to the log, as far as it takes them.
async fn tell(commands: &Commands, batches: &mut Vec<Batch>) {
    while let Some(Batch { id, whose, told }) = batches.first() {
        if commands.level(whose.as_ref()) >= RECORDED_FROM {
            let verb = Verb::Audit(Audit::Record(told.clone()));
            if let Err(error) = commands.tell_as(whose.as_ref(), id.clone(), verb).await {
                tracing::warn!(%error, "refusals are not recorded yet");
                return;
            }
        }
        batches.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(login: &str) -> Refusal {
        let principal = Principal::of_login(&login.parse().unwrap(), None);
        Refusal { principal, operation: "x".to_owned(), place: "/".to_owned(), verdict: Verdict::Forbidden, count: 1 }
    }

    fn counted(taken: &BTreeMap<Option<OrgName>, Vec<Refusal>>) -> u64 {
        taken.values().flatten().map(|refusal| refusal.count).sum()
    }

    #[test]
    fn above_a_hundred_a_minute_they_are_counted_together_and_none_is_lost() {
        let (mut gathered, now) = (Gathered::default(), Instant::now());
        for _ in 0..250 {
            gathered.add(refusal("acme/ann"), now);
        }
        gathered.add(refusal("bob"), now);
        let taken = gathered.take(now, false);
        assert_eq!((taken[&Some("acme".parse().unwrap())].len(), taken[&None].len()), (100, 1));
        let rest = gathered.take(now, true);
        let together = &rest[&Some("acme".parse().unwrap())];
        assert_eq!((together.len(), together[0].count, &*together[0].operation), (1, 150, "x"));
        gathered.add(refusal("acme/ann"), now + MINUTE);
        assert_eq!(gathered.take(now + MINUTE, false).len(), 1, "another minute");
    }

    #[test]
    fn what_is_counted_together_is_told_by_its_kind_as_long_as_those_are_few() {
        let (mut gathered, now) = (Gathered::default(), Instant::now());
        for number in 0..u64::from(SINGLE_MOST) + 40 {
            gathered.add(Refusal { place: format!("acme/{}", number % 20), ..refusal("acme/ann") }, now);
        }
        gathered.take(now, false);
        let taken = gathered.take(now, true).remove(&Some("acme".parse().unwrap())).unwrap();
        let (rest, apart): (Vec<_>, Vec<_>) = taken.iter().partition(|refusal| refusal.operation.is_empty());
        assert!(apart.len() == KINDS_MOST && apart.iter().all(|refusal| refusal.count == 2), "{apart:?}");
        assert_eq!((rest.len(), rest[0].count, &*rest[0].place), (1, 8, ""));
    }

    #[test]
    fn a_flood_of_principals_is_bounded_and_counted() {
        let (mut gathered, now) = (Gathered::default(), Instant::now());
        for number in 0..5_000 {
            gathered.add(refusal(&format!("acme/m{number}")), now);
        }
        assert!(gathered.minutes.len() <= PRINCIPALS_MOST && gathered.together.len() <= PRINCIPALS_MOST + 5);
        assert_eq!(counted(&gathered.take(now, true)), 5_000);
        let names = (0..200).map(|number| format!("acme/m{number}"));
        for name in names.flat_map(|name| vec![name; 100]) {
            gathered.add(refusal(&name), now + MINUTE);
        }
        assert_eq!(gathered.waiting, WAITING_MOST);
        assert_eq!(counted(&gathered.take(now + MINUTE, true)), 20_000);
    }

    #[test]
    fn the_place_is_what_the_path_names() {
        for (path, place) in [
            ("/api/v1/incidents/acme-7/close", "acme"),
            ("/api/v1/organizations/acme/suspend", "acme"),
            ("/api/v1/places/acme/berlin/line-7", "acme/berlin/line-7"),
            ("/api/v1/managers/acme/ann", "acme"),
            ("/api/v1/managers/bob", "/"),
            ("/api/v1/level", "/"),
            ("/api/v1/dead-letters/1-0/replay", "bolt"),
            ("/api/v1/incidents/no%20id", "bolt"),
            ("/api/v1/places", "bolt"),
            ("/api/v1/values/acme/berlin", "acme/berlin"),
            ("/api/v1/explain/acme/berlin/line-7", "acme/berlin/line-7"),
            ("/api/v1/subscriptions/acme/cap", "acme"),
            ("/api/v1/subscriptions/acme/berlin/line-7/cap", "acme/berlin/line-7"),
            ("/api/v1/subscriptions/acme/cap/activate", "acme"),
            ("/api/v1/subscriptions/acme/berlin/cap/redeploy", "acme/berlin"),
            ("/api/v1/activations/acme/berlin/line-7/cap-0123456789ab", "acme/berlin/line-7"),
            ("/api/v1/activations", "bolt"),
            ("/api/v1/events", "bolt"),
            ("/api/v1/devices/acme/JN1/place", "acme"),
            ("/api/v1/audit/acme/checkpoint", "acme"),
            ("/api/v1/audit/_provider/checkpoint", "/"),
            // One's own, and all that is seen.
            ("/api/v1/me/password", "bolt"),
            ("/api/v1/tokens/nightly", "bolt"),
            ("/api/v1/audit", "bolt"),
            ("/api/v1/audit/export", "bolt"),
        ] {
            assert_eq!(place_of(path, Some(&"bolt".parse().unwrap())), place);
        }
        assert_eq!(place_of("/api/v1/me/password", None), "/", "of the provider's people");
    }
}

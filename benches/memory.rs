//! What it takes to remember host-event-IDs: memory, and how long deciding a bundle takes beside them.
//!
//! One lane on a store of its own, without a server, that remembers so many host-event-IDs of the last 90 days; and one
//! that remembers none. Both decide the same bundles, in turns, each bundle of a host-event-ID that was never seen. What
//! is decoded before and applied to the store behind is not timed. The store is filled by a process of its own, so that
//! memory is what the lane has.

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use jiff::{Timestamp, ToSpan as _};
use linesman::store::{Lane, Store};
use linesman_benches::load::Load;
use linesman_domain::input::{Content, Input, RuleBook};
use linesman_domain::sightings::{self, Room};
use linesman_domain::state::Writes;
use linesman_domain::{Domain, Parts, level};
use linesman_rules::{Book, Judge, Limits};
use linesman_schemas::control::{InstallationSection, Settings};

/// The bundles that are decided; none matches a policy.
const LOAD: Load = Load { organizations: 16, policies: 1, is_own: false, is_mixed: false, bundles: 0, quota: None };
const STREAM: &str = "memory";
/// How many bundles are decided in a turn, and in a batch of it.
const DECIDED: usize = 5_000;
const BATCH: usize = 500;
const TURNS: usize = 7;
/// How many host-event-IDs a page has, and how many pages are written at once.
const PER_PAGE: u64 = 256;
const PAGES: u64 = 512;
/// How much memory the filters have, in bytes, and of how many lanes.
const ROOM: usize = 64 << 20;
const LANES: u32 = 16;
/// How much longer deciding may take than where nothing is remembered.
const LONGER_MOST: f64 = 1.1;

fn now() -> anyhow::Result<Timestamp> {
    Ok("2026-11-21T10:00:00Z".parse()?)
}

/// Measures with so many host-event-IDs; prints as the last line `ids <millions> rss <MB> decide <us>`.
///
/// # Errors
/// It cannot be measured, or deciding takes a tenth longer than where nothing is remembered.
pub(crate) fn run(count: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let (full, empty) = (dir.path().join("full"), dir.path().join("empty"));
    let filled = Command::new(std::env::current_exe()?).arg("remembered").arg(count.to_string()).arg(&full).status()?;
    ensure!(filled.success(), "the store is not filled");
    let before = resident_mb()?;
    let (mut few, few_store) = Bench::open(&empty)?;
    let began = Instant::now();
    let (mut many, many_store) = Bench::open(&full)?;
    eprintln!("{count} ids taken up in {:.2} s", began.elapsed().as_secs_f64());
    let (mut best_few, mut best_many) = (Duration::MAX, Duration::MAX);
    for turn in 0..TURNS {
        let numbers = turn * DECIDED..(turn + 1) * DECIDED;
        let bundles: Vec<_> = numbers.map(|number| LOAD.bundle(number)).collect();
        // One and the other first, by turns.
        let (few_took, many_took) = if turn.is_multiple_of(2) {
            let few_took = few.decide(&bundles)?;
            (few_took, many.decide(&bundles)?)
        } else {
            let many_took = many.decide(&bundles)?;
            (few.decide(&bundles)?, many_took)
        };
        eprintln!("turn {}: {:.2} us beside none, {:.2} us beside all", turn + 1, us(few_took), us(many_took));
        (best_few, best_many) = (best_few.min(few_took), best_many.min(many_took));
    }
    let rss = resident_mb()?;
    eprintln!("{before} MB before any of it");
    drop((few, many));
    few_store.close()?;
    many_store.close()?;
    println!("ids {:.1} rss {rss} decide {:.2}", count as f64 / 1e6, us(best_many));
    let longer = best_many.as_secs_f64() / best_few.as_secs_f64();
    ensure!(longer <= LONGER_MOST, "deciding takes {longer:.2} times as long as beside none");
    Ok(())
}

fn us(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6 / DECIDED as f64
}

/// Fills a store with so many host-event-IDs, evenly over the last 90 days.
pub(crate) fn fill(count: usize, folder: &Path) -> anyhow::Result<()> {
    let store = Store::open(folder)?;
    let lane = store.lane(0)?;
    let (count, since) = (count as u64, now()?.checked_sub((89 * 24).hours())?.as_second());
    let span = now()?.as_second() - since;
    let mut rows = Vec::new();
    for page in 0..count.div_ceil(PER_PAGE) {
        let entry = |number: u64| {
            let at = i128::from(since) + i128::from(span) * i128::from(number) / i128::from(count.max(1));
            let at = i64::try_from(at).unwrap_or_default();
            [spread(number).to_be_bytes(), number.to_be_bytes(), at.to_be_bytes()].concat()
        };
        let bytes = (page * PER_PAGE..count.min((page + 1) * PER_PAGE)).flat_map(entry).collect();
        rows.push((sightings::key(page).into_bytes(), Some(bytes)));
        if rows.len() as u64 >= PAGES {
            lane.apply(&Writes { batch: 1, rows: std::mem::take(&mut rows) })?;
        }
    }
    lane.apply(&Writes { batch: 1, rows })?;
    lane.complete(STREAM)?;
    store.close()?;
    Ok(())
}

/// A number that looks like any other.
fn spread(number: u64) -> u64 {
    let mut word = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word ^ (word >> 31)
}

struct Bench {
    lane: Lane,
    domain: Domain,
    sequence: u64,
}

impl Bench {
    fn open(folder: &Path) -> anyhow::Result<(Self, Store)> {
        let store = Store::open(folder)?;
        let lane = store.lane(0)?;
        let book = RuleBook {
            version: 1,
            hash: STREAM.to_owned(),
            sections: Vec::new(),
            book: Arc::new(Book::build(Vec::new())),
            settings: Settings::default(),
            refused: Arc::default(),
            directory: Arc::default(),
            services: Arc::default(),
            installation: InstallationSection::default(),
        };
        let parts = Parts {
            lane: 0,
            stream: STREAM.to_owned(),
            payload_most: 512 * 1024,
            judge: Rc::new(RefCell::new(Judge::new(Limits::default()))),
            book: Some(book),
            room: Arc::new(Room::new(ROOM, LANES)),
        };
        let domain = Domain::open(Box::new(lane.clone()), parts)?;
        let mut bench = Self { lane, domain, sequence: 0 };
        bench.take("", "ctl", b"", Content::Level(level::NEWEST))?;
        for number in 0..LOAD.organizations {
            let command = format!(
                "{{\"id\":\"{number}\",\"actor\":\"configuration\",\"node\":\"bench\",\"verb\":{{\"set_organization\":\
                 {{\"display_name\":\"o\",\"is_proxy\":true,\"filter_level\":\"Send all information\"}}}}}}"
            );
            let content = Content::decode("cmd", command.as_bytes());
            bench.take(&LOAD.organization(number), "cmd", command.as_bytes(), content)?;
        }
        bench.apply()?;
        Ok((bench, store))
    }

    fn take(&mut self, org: &str, kind: &str, bytes: &[u8], content: Content<'_>) -> anyhow::Result<Duration> {
        self.sequence += 1;
        let input = Input { sequence: self.sequence, time: now()?, sha256: [0; 32], org, kind, bytes, content };
        let since = Instant::now();
        self.domain.decide(&input)?;
        Ok(since.elapsed())
    }

    fn apply(&mut self) -> anyhow::Result<usize> {
        let decision = self.domain.take()?;
        self.lane.apply(&decision.writes)?;
        self.domain.applied(&decision.writes);
        Ok(decision
            .tally
            .inputs
            .iter()
            .filter(|((_, outcome), _)| *outcome == "incident")
            .map(|(_, n)| *n as usize)
            .sum())
    }

    /// How long deciding bundles takes, each of which becomes an incident.
    fn decide(&mut self, bundles: &[(String, String)]) -> anyhow::Result<Duration> {
        let (mut took, mut incidents) = (Duration::ZERO, 0);
        for batch in bundles.chunks(BATCH) {
            for (org, bundle) in batch {
                took += self.take(org, "jmb", bundle.as_bytes(), Content::decode("jmb", bundle.as_bytes()))?;
            }
            incidents += self.apply()?;
        }
        ensure!(incidents == bundles.len(), "{incidents} incidents of {} bundles", bundles.len());
        Ok(took)
    }
}

/// What the process has in memory, in megabytes of 2^20 bytes.
fn resident_mb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024)
}

//! Values of one access line, and the rendering of many after a change at their enterprise's level.
//!
//! One lane on a store of its own, without a server: what is timed is deciding. What is emitted, and applied to the
//! store, is timed apart.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::Timestamp;
use linesman::store::{Lane, Store};
use linesman_domain::acquired::{Wanted, gather};
use linesman_domain::activations::parts;
use linesman_domain::input::{Content, Input, RuleBook};
use linesman_domain::services::Catalog;
use linesman_domain::shelf::Shelf;
use linesman_domain::values::Given;
use linesman_domain::{Domain, Parts, level, services};
use linesman_rules::{Book, Judge, Limits};
use linesman_schemas::control::InstallationSection;
use linesman_schemas::control::Settings;
use linesman_schemas::service::{ServiceSource, ServicesSection};
use linesman_schemas::{Place, ServiceName};

use crate::neighbour;

/// How many parameters the service has.
const PARAMETERS: usize = 20;
/// How many access lines a site has, all on one device.
const LINES: usize = 200;
const ROUNDS: usize = 20_000;
const NAME: &str = "bench";
/// The most that the values of a line may take.
const RESOLVE_MOST: Duration = Duration::from_micros(40);
/// The most that rendering may take.
const RENDER_MOST: Duration = Duration::from_secs(10);
/// What the process may have in memory at the most meanwhile, in megabytes of 2^20 bytes.
const RESIDENT_MOST_MB: u64 = 500;
/// How much longer a neighbour's bundles may wait meanwhile.
const RATIO_MOST: f64 = 2.0;

/// Measures; prints on standard error what emission takes beside rendering, and how long bundles of a neighbour in the lane
/// wait, quiet and meanwhile; as the last line `resolve <us> render <s>`. Fails then where one of them is more than it may be.
pub(crate) async fn run(count: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let store = Store::open(&dir.path().join("state"))?;
    let mut bench = Bench::open(store.lane(0)?)?;
    let sites = count.div_ceil(LINES);
    bench.fill(sites)?;
    let resolve = resolve(&bench)?;
    let since = resident_mb("VmRSS:")?;
    // The peak is measured anew from here on.
    std::fs::write("/proc/self/clear_refs", "5")?;
    bench.ask(r#"{"set_values":{"place":"acme","substitutions":["p0=2m","p4=4","p5=p4*2","p6=6"]}}"#)?;
    let render = bench.work()?;
    let resident = resident_mb("VmHWM:")?;
    eprintln!(
        "{} lines: decided {:.2} s, emitted and applied {:.2} s",
        sites * LINES,
        secs(render.decided),
        secs(render.applied)
    );
    eprintln!("resident at the most {resident} MB, before the change {since} MB");
    drop(bench);
    store.close()?;
    let waits = neighbour::run(&service()?, sites * LINES).await?;
    eprintln!("a neighbour's bundles to their triggers: {waits}");
    println!("resolve {:.2} render {:.2}", resolve.as_secs_f64() * 1e6, secs(render.decided));
    missed(resolve, render.decided, resident, waits.ratio())
}

/// Fails where a figure is more than it may be.
fn missed(resolve: Duration, render: Duration, resident: u64, ratio: f64) -> anyhow::Result<()> {
    let mut missed = Vec::new();
    if resolve > RESOLVE_MOST {
        missed.push(format!("resolve takes {resolve:?}, more than {RESOLVE_MOST:?}"));
    }
    if render > RENDER_MOST {
        missed.push(format!("render takes {render:?}, more than {RENDER_MOST:?}"));
    }
    if resident > RESIDENT_MOST_MB {
        missed.push(format!("{resident} MB are resident, more than {RESIDENT_MOST_MB}"));
    }
    if ratio > RATIO_MOST {
        missed.push(format!("a neighbour waits {ratio:.2} times as long, more than {RATIO_MOST}"));
    }
    anyhow::ensure!(missed.is_empty(), "{}", missed.join("; "));
    Ok(())
}

fn secs(took: Duration) -> f64 {
    took.as_secs_f64()
}

/// The service of the bench: a network for each parameter but the first, which is a rate.
fn service() -> anyhow::Result<ServiceSource> {
    let mut definition = String::from("title = \"Bench\"\n[parameters]\np0 = { type = \"rate\", default = \"1m\" }\n");
    let mut template = String::from(
        "firewall {\n    policer {{ line }} {\n        bandwidth-limit {{ p0 }};\n    }\n    filter {{ line }} {\n",
    );
    for number in 1..PARAMETERS {
        // Writing to a string does not fail.
        let _ = writeln!(
            definition,
            "p{number} = {{ type = \"number\", default = \"{number}\", constraint = \"p{number} in 1..1g\" }}"
        );
        let _ = writeln!(template, "        term t{number} {{ then count {{{{ p{number} }}}}; }}");
    }
    template.push_str("    }\n}\n");
    let files = [("service.toml".to_owned(), definition), ("main.j2".to_owned(), template)].into();
    Ok(ServiceSource { name: NAME.parse()?, files })
}

/// How long the values of a line take, from its rows on: the median.
fn resolve(bench: &Bench) -> anyhow::Result<Duration> {
    let shelf = Shelf::default();
    let service: ServiceName = NAME.parse()?;
    let version = services::version(&self::service()?);
    let place: Place = "acme/s0/l0".parse()?;
    let subscription = NAME.parse()?;
    let given = [Given { text: "p15=15".to_owned(), by: "admin".to_owned(), at: Timestamp::UNIX_EPOCH }];
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let since = Instant::now();
        let wanted = Wanted {
            place: &place,
            service: Some((&service, &version)),
            subscription: Some(&subscription),
            activation: Some((&place, &given)),
            instead: None,
        };
        let gathered = gather(&bench.lane, &shelf, &wanted)?;
        let count =
            gathered.acquire(|values| values.parameters().iter().filter(|found| found.value().is_some()).count());
        took.push(since.elapsed());
        anyhow::ensure!(count > PARAMETERS, "{count} parameters");
    }
    took.sort_unstable();
    took.get(ROUNDS / 2).copied().context("no rounds")
}

struct Bench {
    lane: Lane,
    domain: Domain,
    sequence: u64,
}

/// How long work took.
#[derive(Default)]
struct Took {
    decided: Duration,
    applied: Duration,
}

impl Bench {
    fn open(lane: Lane) -> anyhow::Result<Self> {
        let parts = Parts {
            lane: 0,
            stream: NAME.to_owned(),
            payload_most: 512 * 1024,
            judge: Rc::new(RefCell::new(Judge::new(Limits::default()))),
            book: None,
            room: Arc::default(),
        };
        let domain = Domain::open(Box::new(lane.clone()), parts)?;
        let mut bench = Self { lane, domain, sequence: 0 };
        bench.decide("", "ctl", b"", Content::Level(level::NEWEST))?;
        let section = ServicesSection { services: vec![service()?], parameters: None, refused: Vec::new() };
        let book = RuleBook {
            version: 1,
            hash: NAME.to_owned(),
            sections: Vec::new(),
            book: Arc::new(Book::build(Vec::new())),
            settings: Settings::default(),
            refused: Arc::default(),
            directory: Arc::default(),
            services: Arc::new(Catalog::of(section)),
            installation: InstallationSection::default(),
        };
        bench.decide("", "ctl", b"", Content::RuleBook(book))?;
        Ok(bench)
    }

    fn decide(&mut self, org: &str, kind: &str, bytes: &[u8], content: Content<'_>) -> anyhow::Result<()> {
        self.sequence += 1;
        let time = Timestamp::UNIX_EPOCH;
        let input = Input { sequence: self.sequence, time, sha256: [0; 32], org, kind, bytes, content };
        Ok(self.domain.decide(&input)?)
    }

    fn ask(&mut self, verb: &str) -> anyhow::Result<()> {
        self.ask_of("acme", verb)
    }

    fn ask_of(&mut self, org: &str, verb: &str) -> anyhow::Result<()> {
        let id = self.sequence;
        let command = format!(r#"{{"id":"c{id}","actor":"admin","node":"bench","verb":{verb}}}"#);
        self.decide(org, "cmd", command.as_bytes(), Content::decode("cmd", command.as_bytes()))
    }

    fn apply(&mut self) -> anyhow::Result<usize> {
        let decision = self.domain.take()?;
        self.lane.apply(&decision.writes)?;
        self.domain.applied(&decision.writes);
        Ok(decision.messages.len())
    }

    /// An organization with sites of [`LINES`] access lines each, values at six levels, and a subscription that is active.
    fn fill(&mut self, sites: usize) -> anyhow::Result<()> {
        for org in ["acme", "bolt"] {
            self.ask_of(
                org,
                r#"{"set_organization":{"display_name":"o","is_proxy":true,"filter_level":"Send all information"}}"#,
            )?;
        }
        for site in 0..sites {
            self.ask(&format!(r#"{{"set_place":{{"place":"acme/s{site}","device":"pe-{site}"}}}}"#))?;
            for line in 0..LINES {
                let verb = format!(
                    r#"{{"set_place":{{"place":"acme/s{site}/l{line}","device":"pe-{site}","interface":"ge-0/0/{line}","speed":100000000}}}}"#
                );
                self.ask(&verb)?;
            }
            self.apply()?;
        }
        self.ask(r#"{"localize_service":{"service":"bench","substitutions":["p1=1","p2=2","p3=3"]}}"#)?;
        self.ask(r#"{"set_values":{"place":"acme","substitutions":["p4=4","p5=p4*2","p6=6"]}}"#)?;
        self.ask(r#"{"set_subscription":{"place":"acme","name":"bench","service":"bench","substitutions":["p7=7","p8=p7+1"]}}"#)?;
        for (place, given) in [("acme/s0", r#""p9=9","p10=10""#), ("acme/s0/l0", r#""p11=11","p12=p10+p11""#)] {
            self.ask(&format!(r#"{{"set_values":{{"place":"{place}","substitutions":[{given}]}}}}"#))?;
        }
        for (place, given) in [("acme/s0", r#""p13=13""#), ("acme/s0/l0", r#""p14=min(p13,14)""#)] {
            self.ask(&format!(
                r#"{{"set_values":{{"place":"{place}","subscription":"bench","substitutions":[{given}]}}}}"#
            ))?;
        }
        self.ask(r#"{"activate_subscription":{"place":"acme","name":"bench"}}"#)?;
        let first = self.work()?;
        eprintln!(
            "{} lines for the first time: decided {:.2} s, emitted and applied {:.2} s",
            sites * LINES,
            secs(first.decided),
            secs(first.applied)
        );
        let org = "acme".parse()?;
        let front = parts::below(&org, &[]);
        let found = self.lane.rows(&front, None).count();
        anyhow::ensure!(found == sites * LINES, "{found} parts");
        Ok(())
    }

    /// All slices, each a batch of its own.
    fn work(&mut self) -> anyhow::Result<Took> {
        let mut took = Took::default();
        while self.domain.has_work() {
            let since = Instant::now();
            self.decide("", "ctl", b"", Content::Continue { is_alone: true })?;
            took.decided += since.elapsed();
            let since = Instant::now();
            self.apply()?;
            took.applied += since.elapsed();
        }
        Ok(took)
    }
}

/// What the process has in memory, in megabytes of 2^20 bytes: now (`VmRSS:`), or at the most (`VmHWM:`).
fn resident_mb(of: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(of)).with_context(|| format!("no {of}"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024)
}

//! Each verb alone, on the bundles of the end-to-end bench.
//!
//! - `decode`: one bundle of 2 KB, one of 64 KB (bytes per second)
//! - `decide`: a batch of 1,000 bundles of 16 organizations, 100 policies, one in twenty matching
//! - `apply`: what such a batch writes, into the store

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use linesman::store::Store;
use linesman_benches::load::Load;
use linesman_domain::input::{Content, Input, RuleBook};
use linesman_domain::state::Memory;
use linesman_domain::{Decision, Domain, Parts};
use linesman_rules::{Book, Judge, Limits, Policy};

use linesman_schemas::bundle::decode;
use linesman_schemas::control::{InstallationSection, PolicySource, Settings};

const LOAD: Load =
    Load { organizations: 16, policies: 100, is_own: false, is_mixed: false, bundles: 1_000, quota: None };

fn decoding(criterion: &mut Criterion) {
    let (_, small) = LOAD.bundle(0);
    let large = small.replace("]]></log>", &format!("{}]]></log>", "x".repeat(62 * 1024)));
    let mut group = criterion.benchmark_group("decode");
    for (name, text) in [("2 KB", &small), ("64 KB", &large)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(decode(black_box(text.as_bytes()))).is_ok()));
    }
    group.finish();
}

/// A domain with the load's organizations and policies.
fn domain() -> anyhow::Result<Domain> {
    let load = |policy| {
        let name = format!("policy-{policy}").parse()?;
        let source = PolicySource { name, owner: None, source: LOAD.policy(policy), origin: None };
        let policy = Policy::load(&source).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        anyhow::Ok(Arc::new(policy))
    };
    let policies = (0..LOAD.policies).map(load).collect::<Result<_, _>>()?;
    let book = Arc::new(Book::build(policies));
    let parts = Parts {
        lane: 0,
        stream: "bench".to_owned(),
        payload_most: 512 * 1024,
        judge: Rc::new(RefCell::new(Judge::new(Limits::default()))),
        book: Some(RuleBook {
            version: 1,
            hash: "bench".to_owned(),
            sections: Vec::new(),
            book,
            settings: Settings::default(),
            refused: Arc::default(),
            directory: Arc::default(),
            services: Arc::default(),
            installation: InstallationSection::default(),
        }),
        room: Arc::default(),
    };
    let mut domain = Domain::open(Box::new(Memory::default()), parts)?;
    for number in 0..LOAD.organizations {
        let command = format!(
            "{{\"id\":\"{number}\",\"actor\":\"configuration\",\"node\":\"bench\",\"verb\":{{\"set_organization\":\
             {{\"display_name\":\"o\",\"is_proxy\":true,\"filter_level\":\"Send all information\"}}}}}}"
        );
        domain.decide(&input(1, &LOAD.organization(number), "cmd", command.as_bytes()))?;
    }
    Ok(domain)
}

fn input<'a>(sequence: usize, org: &'a str, kind: &'a str, bytes: &'a [u8]) -> Input<'a> {
    let content = Content::decode(kind, bytes);
    Input { sequence: sequence as u64, time: Timestamp::UNIX_EPOCH, sha256: [0; 32], org, kind, bytes, content }
}

/// Decides a batch of bundles that were never seen.
fn decide(domain: &mut Domain, bundles: &[(String, String)]) -> anyhow::Result<Decision> {
    for (number, (org, bundle)) in bundles.iter().enumerate() {
        domain.decide(&input(number, org, "jmb", bundle.as_bytes()))?;
    }
    Ok(domain.take()?)
}

fn deciding(criterion: &mut Criterion) {
    let bundles: Vec<_> = (0..LOAD.bundles).map(|number| LOAD.bundle(number)).collect();
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(bundles.len() as u64));
    group.bench_function("decode and decide 1,000", |bencher| {
        bencher.iter_batched_ref(
            domain,
            |domain| domain.as_mut().map(|domain| decide(domain, &bundles).is_ok()).unwrap_or_default(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn applying(criterion: &mut Criterion) {
    let bundles: Vec<_> = (0..LOAD.bundles).map(|number| LOAD.bundle(number)).collect();
    let decision = domain().and_then(|mut domain| decide(&mut domain, &bundles));
    let (Ok(decision), Ok(dir)) = (decision, tempfile::tempdir()) else { return };
    let Ok(store) = Store::open(&dir.path().join("state")) else { return };
    let Ok(lane) = store.lane(0) else { return };
    let mut group = criterion.benchmark_group("apply");
    group.throughput(Throughput::Elements(bundles.len() as u64));
    group.bench_function("what 1,000 write", |bencher| bencher.iter(|| lane.apply(&decision.writes).is_ok()));
    group.finish();
}

criterion_group!(verbs, decoding, deciding, applying);
criterion_main!(verbs);

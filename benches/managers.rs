//! One authorisation at the end of a chain of granters, and a list of one sphere, among many managers.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use async_nats::ConnectOptions;
use jiff::Timestamp;
use linesman::audit::{Auditor, Signer};
use linesman::edge::{self, Edge, Limits};
use linesman::failing::Failing;
use linesman::lane::status::LaneStatus;
use linesman::licence;
use linesman::log::books::Books;
use linesman::log::objects::Objects;
use linesman::log::streams::lane_of;
use linesman::logging::{self, Log, LogFormat};
use linesman::metrics::Metrics;
use linesman::reach;
use linesman::scrub::Scrub;
use linesman::seal::Sealed;
use linesman::store::Store;
use linesman_benches::herd;
use linesman_benches::stage::LANES;
use linesman_connectors::tls::{self, Authority};
use linesman_domain::directory::Directory;
use linesman_domain::managers::{self, GrantRow, Known, ManagerRow, Recent};
use linesman_domain::organizations::{self, OrgRow, Standing};
use linesman_domain::rights::{Asked, Ruling, may, need};
use linesman_domain::state::{State, Write, Writes};
use linesman_domain::table;
use linesman_schemas::command::{Handling, SubmitCaseAs};
use linesman_schemas::directory::Granter;
use linesman_schemas::{FilterLevel, Login, Mode, OrgName, Place, Principal, Privileges, Rights, Sphere};
use tokio::sync::{mpsc, watch};

/// How many managers an enterprise has, each granted by the one before.
const EACH: usize = 10;
/// Which of them asks: with the provider's first manager it has eight granters.
const ASKING: usize = 7;
/// How many ask.
const ASKERS: usize = 1_000;
const ROUNDS: usize = 20;
/// How many lists are asked for.
const LISTS: usize = 200;
/// How many rows are written at once.
const BATCH: usize = 20_000;
const TOKEN: &str = "the-token-of-the-bench";

/// How many passwords are verified.
const PASSWORDS: usize = 20;
/// How long verifying one is to take: the parameters of Argon2id are chosen for that.
const PASSWORD_MS: RangeInclusive<f64> = 50.0..=150.0;

/// What one authorisation takes at the most, and one list.
const AUTHORISE_US: f64 = 5.0;
const LIST_MS: f64 = 50.0;

/// Measures; prints on standard error how long a first authorisation takes, then how long a password takes to verify,
/// memory for a million managers, and as the last line `authorise <us> list <ms>`.
///
/// # Errors
/// It cannot be measured; or something takes longer than it may, or a password no time.
pub(crate) async fn run(count: usize) -> anyhow::Result<()> {
    let enterprises = (count / EACH).max(1);
    let dir = tempfile::tempdir()?;
    let before = resident_mb()?;
    let store = Arc::new(Store::open(&dir.path().join("state"))?);
    fill(&store, enterprises)?;
    eprintln!("{enterprises} enterprises with {EACH} managers each are written");
    let (first, authorise) = authorise(&store, enterprises)?;
    eprintln!("first authorise {:.2}", first.as_secs_f64() * 1e6);
    let (list, password) = asked(dir.path(), &store, enterprises).await?;
    let millions = (enterprises * EACH) as f64 / 1e6;
    let resident = resident_mb()?.saturating_sub(before) as f64 / millions;
    let disk = disk_mb(&dir.path().join("state"))? / millions;
    let password = password.as_secs_f64() * 1e3;
    let is_tuned = if PASSWORD_MS.contains(&password) { "as it is to be" } else { "OTHERWISE than it is to be" };
    println!("password {password:.1} ms, {is_tuned}: {} to {} ms", PASSWORD_MS.start(), PASSWORD_MS.end());
    println!("memory per million managers: {resident:.0} MB resident, {disk:.0} MB on disk");
    let (authorise, list) = (authorise.as_secs_f64() * 1e6, list.as_secs_f64() * 1e3);
    println!("authorise {authorise:.2} list {list:.2}");
    store.close()?;
    let missed = missed(authorise, list, password);
    anyhow::ensure!(missed.is_empty(), "it is not as it must be: {}", missed.join(", "));
    Ok(())
}

/// What takes longer than it may, or otherwise than it is to: microseconds for an authorisation, milliseconds for a list
/// and for a password.
fn missed(authorise: f64, list: f64, password: f64) -> Vec<&'static str> {
    let musts = [
        (authorise < AUTHORISE_US, "an authorisation takes 5 us or more"),
        (list < LIST_MS, "a list takes 50 ms or more"),
        (PASSWORD_MS.contains(&password), "a password does not take 50 to 150 ms"),
    ];
    musts.into_iter().filter_map(|(is_met, told)| (!is_met).then_some(told)).collect()
}

fn organization(number: usize) -> anyhow::Result<OrgName> {
    Ok(format!("enterprise-{number}").parse()?)
}

fn login(org: &OrgName, number: usize) -> anyhow::Result<Login> {
    Ok(Login::new(Some(org.clone()), format!("manager-{number}").parse()?))
}

/// Writes enterprises and their managers.
fn fill(store: &Store, enterprises: usize) -> anyhow::Result<()> {
    let admin = linesman_domain::directory::admin().granter();
    let mut lanes: Vec<Vec<Write>> = (0..LANES).map(|_| Vec::new()).collect();
    for number in 0..enterprises {
        let org = organization(number)?;
        let lane = lane_of(org.as_str(), LANES);
        let rows = lanes.get_mut(lane as usize).context("a lane")?;
        rows.push((organizations::key(&org).into_bytes(), Some(table::encode(&enterprise(number)?)?)));
        let mut granter = admin.clone();
        for manager in 0..EACH {
            let login = login(&org, manager)?;
            let row = ManagerRow {
                number: manager as u64 + 1,
                grant: GrantRow {
                    sphere: Sphere::of([Place::Organization(org.clone())]),
                    privileges: Privileges::all().bits(),
                    rights: Rights::default().bits(),
                    granter: Some(granter),
                },
                created: Timestamp::UNIX_EPOCH,
                changed: Timestamp::UNIX_EPOCH,
            };
            rows.push((managers::key(&login).into_bytes(), Some(table::encode(&row)?)));
            granter = Granter { login, number: row.number };
        }
        if rows.len() >= BATCH {
            store.lane(lane)?.apply(&Writes { batch: 1, rows: std::mem::take(rows) })?;
        }
    }
    for (lane, rows) in (0..).zip(lanes) {
        store.lane(lane)?.apply(&Writes { batch: 1, rows })?;
    }
    Ok(())
}

fn enterprise(number: usize) -> anyhow::Result<OrgRow> {
    Ok(OrgRow {
        alias: String::new(),
        handling: Handling::Forward,
        submit_case_as: SubmitCaseAs::Real,
        upload: true,
        snapshot_interval_s: 0,
        approvals: Default::default(),
        quotas: Default::default(),
        address: String::new(),
        display_name: format!("Enterprise {number}"),
        is_proxy: true,
        filter_level: FilterLevel::All,
        standing: Standing::Active,
        device_groups: Vec::new(),
        loaded: None,
        incidents: 0,
        events: 0,
        reactions: 0,
    })
}

/// How long an authorisation takes in a lane: the median of the first of each asker, and of all others.
fn authorise(store: &Store, enterprises: usize) -> anyhow::Result<(Duration, Duration)> {
    let directory = Directory::default();
    let states =
        (0..LANES).map(|lane| Ok(State::new(Box::new(store.lane(lane)?)))).collect::<anyhow::Result<Vec<_>>>()?;
    let kept: Vec<Recent> = (0..LANES).map(|_| Recent::default()).collect();
    let step = (enterprises / ASKERS).max(1);
    let mut askers = Vec::new();
    for number in (0..enterprises).step_by(step).take(ASKERS) {
        let org = organization(number)?;
        let lane = lane_of(org.as_str(), LANES) as usize;
        askers.push((lane, Principal::of_login(&login(&org, ASKING)?, None), Place::Organization(org)));
    }
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (lane, principal, place) in &askers {
            let (state, recent) = (states.get(*lane).context("a lane")?, kept.get(*lane).context("a lane")?);
            let since = Instant::now();
            let known = Known::with_recent(&directory, state, recent);
            let asked =
                Asked { principal, need: need("set-manager"), place, is_within: true, now: Timestamp::UNIX_EPOCH };
            let ruling = may(&known, &asked)?;
            let took = since.elapsed();
            anyhow::ensure!(ruling == Ruling::Allowed, "{ruling:?}");
            if round == 0 { first.push(took) } else { others.push(took) }
        }
    }
    Ok((median(first), median(others)))
}

/// How long a list of an enterprise's managers takes, asked of the API, and a login that is refused: as long as it takes
/// to verify a password, and little beside.
async fn asked(dir: &Path, store: &Arc<Store>, enterprises: usize) -> anyhow::Result<(Duration, Duration)> {
    // Nothing of it needs the log.
    let client = ConnectOptions::new().retry_on_initial_connect().connect("127.0.0.1:9").await?;
    let authority = Authority::open(&dir.join("tls"))?;
    let http = tls::http_client(Some(authority.ca_path()))?.build()?;
    let (_kept, lanes): (Vec<_>, Vec<_>) = (0..LANES).map(|_| watch::channel(LaneStatus::default())).unzip();
    let sealed = Arc::new(Sealed::open(dir, None)?);
    let reached = reach::Parts {
        client: client.clone(),
        rows: Arc::default(),
        lanes: Vec::new(),
        sealed: Arc::clone(&sealed),
        node: "bench".into(),
        journal: dir.join("collected.log"),
        gathered: dir.join("gathered.log"),
        gathering: dir.join("gathering"),
        objects: Objects::new(client.clone(), 1),
        collecting: dir.join("collecting"),
        settings: herd::settings(1, 1),
    };
    let edge = Edge {
        upstream: None,
        hands: Arc::new(reach::Hands::open(reached)?),
        leaving: Default::default(),
        partner: None,
        store: Arc::clone(store),
        books: Arc::new(Books::new(client.clone(), 1)),
        verification: Scrub::new(client.clone(), Arc::clone(store), Vec::new(), 0).1,
        client,
        lanes,
        node: "bench".into(),
        auditor: Arc::new(Auditor { signer: Signer::open(dir)?, id: "bench".to_owned() }),
        sealed,
        pin: None,
        token: TOKEN.to_owned(),
        doors: dir.join("doors.json"),
        limits: Limits::default(),
        standing: Arc::new(licence::Standing::without(Mode::Partner)),
        ready: watch::channel(true).1,
        policies: watch::channel(Default::default()).1,
        files: mpsc::channel(1).0,
        dispatch: watch::channel(Default::default()).1,
        failing: Arc::new(Failing::of_destinations()),
        failures: Default::default(),
        out_age: Duration::from_secs(30 * 86_400),
        unread: watch::channel(Default::default()).1,
        faults: watch::channel(Vec::new()).1,
        sources: watch::channel(Default::default()).1,
        metrics: Metrics::install()?,
        logging: logging::init(&Log { format: LogFormat::Json, level: "off".to_owned() })?,
    };
    let listening =
        edge::listen(edge, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &edge::Tls::default(), &authority).await?;
    let mut took = Vec::new();
    for number in (0..enterprises).step_by((enterprises / LISTS).max(1)).take(LISTS) {
        let url = format!("https://{}/api/v1/managers?under={}", listening.addr(), organization(number)?);
        let since = Instant::now();
        let answer = http.get(url).bearer_auth(TOKEN).send().await?.error_for_status()?.bytes().await?;
        took.push(since.elapsed());
        let page: serde_json::Value = serde_json::from_slice(&answer)?;
        let items = page.get("items").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
        anyhow::ensure!(items == EACH, "{page}");
    }
    let mut verified = Vec::new();
    let url = format!("https://{}/api/v1/session", listening.addr());
    for number in 0..PASSWORDS {
        // Of each another login: none waits for having failed before, and unknown ones take the same work.
        let body = format!(r#"{{"login": "nobody-{number}", "password": "given horse battery"}}"#);
        let request = http.post(&url).header("content-type", "application/json").body(body);
        let since = Instant::now();
        let status = request.send().await?.status().as_u16();
        verified.push(since.elapsed());
        anyhow::ensure!(status == 401, "a login of nobody is answered {status}");
    }
    listening.shutdown().await;
    Ok((median(took), median(verified)))
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

/// What the process has in memory, in megabytes of 2^20 bytes.
fn resident_mb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024)
}

/// What a folder has on disk, in megabytes of 2^20 bytes.
fn disk_mb(folder: &Path) -> anyhow::Result<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let data = entry.metadata()?;
        bytes += if data.is_dir() { (disk_mb(&entry.path())? * 1_048_576.0) as u64 } else { data.len() };
    }
    Ok(bytes as f64 / 1_048_576.0)
}

//! The three things that are measured: reading alone, reading and committing, and the engine.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use async_nats::Client;
use futures_util::StreamExt;
use jiff::Timestamp;
use linesman::log;
use linesman::log::mark::Mark;
use linesman::log::outbox::{Batch, Outbox};
use linesman::log::reader::{Bounds, Reader};
use linesman::log::streams::OUT;
use linesman::store::Store;
use linesman_domain::incidents;
use linesman_domain::outgoing::OutMessage as Outgoing;
use linesman_schemas::event;
use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Handle;

use crate::stage::{LANES, Stage};

/// As the engine reads.
const BOUNDS: Bounds = Bounds { messages: 500, bytes: 4 << 20 };
/// On how many bundles the engine commits while there are more.
const CUT: usize = 4_000;
/// The size of the engine's messages in OUT.
const MESSAGE_BYTES: usize = 500_000;
/// As many threads as the engine has on two cores.
const THREADS: u32 = 2;
/// Bytes of OUT that the engine writes for one bundle.
const EVENT_BYTES: usize = 640;
const PATIENCE: Duration = Duration::from_secs(300);

/// What a turn of the engine came to.
pub struct Outcome {
    /// How long, from the first mark it wrote to the last.
    pub took: Duration,
    /// Its peak of resident memory, in megabytes of 2^20 bytes.
    pub peak_mb: u64,
    /// Where its data lies.
    pub data: PathBuf,
    /// How many batches it committed.
    pub batches: usize,
    /// Processor time of the engine.
    pub own: Duration,
    /// Processor time of the whole machine meanwhile: engine, server, kernel.
    pub whole: Duration,
}

impl Outcome {
    /// Removes the engine's data: what the disk has yet to write of it would slow the turns to come.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn forget(&self) -> std::io::Result<()> {
        std::fs::remove_dir_all(&self.data)
    }

    /// What a turn cost a bundle, in words.
    pub fn costs(&self, bundles: usize) -> String {
        let each_us = |time: Duration| time.as_secs_f64() * 1e6 / bundles as f64;
        format!("{:.1} us of the engine, {:.1} in all", each_us(self.own), each_us(self.whole))
    }
}

/// Reads every lane to its end, as the engine's threads do; with `commits` what is read becomes
/// atomic batches of OUT as the engine would write them, overlapped with reading.
///
/// # Errors
/// A thread breaks off.
pub async fn read(stage: &Stage, commits: bool) -> anyhow::Result<Duration> {
    let ends = stage.ends().await?;
    // As in the engine, connections are at home beside the threads that read.
    let wire = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS as usize).enable_all().build()?;
    let started = Instant::now();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let lanes: Vec<_> =
                (0..LANES).zip(ends.clone()).filter(|(lane, end)| lane % THREADS == thread && *end > 0).collect();
            let (url, wire) = (stage.url.clone(), wire.handle().clone());
            std::thread::spawn(move || read_lanes(url, &wire, lanes, commits))
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a reading thread broke off"))??;
    }
    let took = started.elapsed();
    wire.shutdown_background();
    Ok(took)
}

fn read_lanes(url: String, wire: &Handle, lanes: Vec<(u32, u64)>, commits: bool) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let connect = async |name| {
            let url = url.clone();
            wire.spawn(async move { log::connect(&url, name).await }).await
        };
        let client = connect("bench-lanes").await??;
        let emitter = connect("bench-batches").await??;
        let mut tasks = tokio::task::JoinSet::new();
        for (lane, end) in lanes {
            tasks.spawn_local(read_lane(client.clone(), emitter.clone(), lane, end, commits));
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    })
}

async fn read_lane(client: Client, emitter: Client, lane: u32, end: u64, commits: bool) -> anyhow::Result<()> {
    let mut reader = Reader::new(client, lane, 0);
    let outbox = Outbox::new(emitter, lane);
    let mut under_way: Option<tokio::task::JoinHandle<_>> = None;
    let mut mark = 0;
    let mut bundles = 0;
    loop {
        let batch = reader.receive(BOUNDS).await?;
        let Some(last) = batch.last().map(|message| message.sequence) else { continue };
        bundles += batch.len();
        if commits && (bundles >= CUT || !reader.is_behind()) {
            if let Some(emission) = under_way.take() {
                mark = emission.await??;
            }
            let (outbox, batch) = (outbox.clone(), Batch::new(events(lane, bundles), at(last), mark));
            bundles = 0;
            under_way = Some(tokio::task::spawn_local(async move { outbox.emit(batch).await }));
        }
        if last >= end {
            break;
        }
    }
    if let Some(emission) = under_way.take() {
        emission.await??;
    }
    Ok(())
}

/// Messages of the size that the events of so many bundles have.
fn events(lane: u32, bundles: usize) -> Vec<Outgoing> {
    let bytes = bundles * EVENT_BYTES;
    let sizes = (0..bytes).step_by(MESSAGE_BYTES).map(|start| MESSAGE_BYTES.min(bytes - start));
    let message = |size| Outgoing {
        subject: format!("lane-{lane}.trigger.incident.detected"),
        content_type: event::BATCH,
        payload: vec![b' '; size],
    };
    sizes.map(message).collect()
}

fn at(position: u64) -> Mark {
    Mark {
        position,
        message: "0".repeat(64),
        digest: "0".repeat(64),
        now: Timestamp::UNIX_EPOCH,
        stream: String::new(),
        level: 1,
        owner: "bench".to_owned(),
    }
}

/// Lets an engine carry the whole log.
///
/// # Errors
/// It does not come to the end.
pub async fn engine(stage: &Stage, name: &str) -> anyhow::Result<Outcome> {
    let ends = stage.ends().await?;
    let mut marks = stage.client.subscribe("out._mark.>").await?;
    stage.client.flush().await?;
    let mut engine = Engine::spawn(stage, name)?;
    let mut started: Option<(Instant, Duration)> = None;
    let mut left: Vec<u64> = ends;
    let mut batches = 0;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while left.iter().any(|end| *end > 0) {
        let message =
            tokio::time::timeout_at(deadline, marks.next()).await.context("the engine does not come to the end")?;
        let message = message.context("the subscription ended")?;
        if started.is_none() {
            started = Some((Instant::now(), machine_time()?));
        }
        let lane: usize = message.subject.rsplit('.').next().unwrap_or_default().parse()?;
        batches += 1;
        let mark: Mark = serde_json::from_slice(&message.payload)?;
        if let Some(end) = left.get_mut(lane)
            && mark.position >= *end
        {
            *end = 0;
        }
    }
    let (took, whole) = match started {
        Some((at, before)) => (at.elapsed(), machine_time()?.saturating_sub(before)),
        None => (Duration::ZERO, Duration::ZERO),
    };
    let own = engine.time()?;
    let peak_mb = engine.peak_mb()?;
    let data = engine.data.clone();
    engine.ready().await?;
    engine.stop().await?;
    Ok(Outcome { took, peak_mb, data, batches, own, whole })
}

/// How many incidents a stopped engine's store holds, and how many bytes OUT has for each.
///
/// # Errors
/// The store does not open.
pub fn incidents(data: &Path) -> anyhow::Result<usize> {
    let store = Store::open(&data.join("state"))?;
    let mut incidents = 0;
    for lane in 0..LANES {
        for row in store.lane(lane)?.rows(&incidents::page::all(), None) {
            incidents += incidents::page::count(&row?.1);
        }
    }
    Ok(incidents)
}

/// How many bytes OUT holds, for the size of what is committed beside reading.
///
/// # Errors
/// The server does not answer.
pub async fn out_bytes(stage: &Stage) -> anyhow::Result<u64> {
    let stream = async_nats::jetstream::new(stage.client.clone()).get_stream(OUT).await?;
    Ok(stream.cached_info().state.bytes)
}

/// Processor time of the machine since it started, but what it idled or waited.
fn machine_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("no line")?;
    // proc(5): user, nice, system; idle, iowait; irq, softirq.
    let fields: Vec<_> = line.split_whitespace().skip(1).take(7).collect();
    ticks(fields.iter().enumerate().filter(|(at, _)| *at != 3 && *at != 4).map(|(_, field)| *field))
}

/// Linux tells processor time in hundredths of a second.
fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> anyhow::Result<Duration> {
    let mut hundredths = 0;
    for field in fields {
        hundredths += field.parse::<u64>()?;
    }
    Ok(Duration::from_millis(hundredths * 10))
}

/// The best rate: whatever else a machine does makes a turn slower, never faster.
pub fn best(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}

/// An engine as a process of its own: this very program, as `serve`.
pub struct Engine {
    child: Child,
    data: PathBuf,
}

impl Engine {
    /// Starts one with a new data directory.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(stage: &Stage, name: &str) -> anyhow::Result<Self> {
        let data = stage.path().join(name);
        let child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args(["--data-dir".as_ref(), data.as_os_str()])
            .args(["--rules".as_ref(), stage.path().join("rules").as_os_str()])
            .args(["--config".as_ref(), stage.path().join("linesman.toml").as_os_str()])
            .args(["--nats", &stage.url])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self { child, data })
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// It is not, within five minutes.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut look = tokio::time::interval(Duration::from_millis(20));
        while !self.data.join("ready.json").exists() {
            look.tick().await;
            if let Some(status) = self.child.try_wait()? {
                bail!("the engine ended with {status}");
            }
            if Instant::now() > deadline {
                bail!("the engine is not ready");
            }
        }
        Ok(())
    }

    /// Its processor time so far.
    fn time(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // proc(5): behind the name, in brackets, utime and stime are the 12th and 13th.
        let fields = stat.rsplit_once(')').context("no name")?.1;
        ticks(fields.split_whitespace().skip(11).take(2))
    }

    fn peak_mb(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no peak")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? / 1024)
    }

    /// Stops it and waits until it has.
    ///
    /// # Errors
    /// It does not stop well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process has this number")?;
        kill_process(pid, Signal::TERM)?;
        let status = tokio::task::spawn_blocking(move || self.child.wait()).await??;
        anyhow::ensure!(status.success(), "the engine ended with {status}");
        Ok(())
    }
}

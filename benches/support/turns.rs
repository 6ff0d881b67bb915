//! The three things that are measured: reading alone, reading and committing, and the engine.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use async_nats::Client;
use futures_util::StreamExt;
use jiff::Timestamp;
use linesman::domain::outgoing::Message as Outgoing;
use linesman::log;
use linesman::log::mark::Mark;
use linesman::log::outbox::{Batch, Outbox};
use linesman::log::reader::{Bounds, Reader};
use linesman::log::streams::OUT;
use linesman::store::Store;
use linesman_schemas::event;

use crate::stage::{LANES, Stage};

/// As the engine reads.
const BOUNDS: Bounds = Bounds { messages: 1_000, bytes: 4 << 20 };
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
}

/// Reads every lane to its end, as the engine's threads do; with `commits` each batch becomes an
/// atomic batch of OUT of the size the engine would write, overlapped with reading.
///
/// # Errors
/// A thread breaks off.
pub async fn read(stage: &Stage, commits: bool) -> anyhow::Result<Duration> {
    let ends = stage.ends().await?;
    let started = Instant::now();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let lanes: Vec<_> =
                (0..LANES).zip(ends.clone()).filter(|(lane, end)| lane % THREADS == thread && *end > 0).collect();
            let url = stage.url.clone();
            std::thread::spawn(move || read_lanes(&url, lanes, commits))
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a reading thread broke off"))??;
    }
    Ok(started.elapsed())
}

fn read_lanes(url: &str, lanes: Vec<(u32, u64)>, commits: bool) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let client = log::connect(url, "bench-lanes").await?;
        let emitter = log::connect(url, "bench-batches").await?;
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
    loop {
        let batch = reader.receive(BOUNDS).await?;
        let Some(last) = batch.last().map(|message| message.sequence) else { continue };
        if commits {
            if let Some(emission) = under_way.take() {
                mark = emission.await??;
            }
            let message = Outgoing {
                subject: format!("lane-{lane}.trigger.incident.detected"),
                content_type: event::BATCH,
                payload: vec![b' '; (batch.len() * EVENT_BYTES).min(500_000)],
            };
            let (outbox, batch) = (outbox.clone(), Batch::new(vec![message], at(last), mark));
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
    let mut started = None;
    let mut left: Vec<u64> = ends;
    let mut batches = 0;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while left.iter().any(|end| *end > 0) {
        let message =
            tokio::time::timeout_at(deadline, marks.next()).await.context("the engine does not come to the end")?;
        let message = message.context("the subscription ended")?;
        started.get_or_insert_with(Instant::now);
        let lane: usize = message.subject.rsplit('.').next().unwrap_or_default().parse()?;
        batches += 1;
        let mark: Mark = serde_json::from_slice(&message.payload)?;
        if let Some(end) = left.get_mut(lane)
            && mark.position >= *end
        {
            *end = 0;
        }
    }
    let took = started.map(|started| started.elapsed()).unwrap_or_default();
    let peak_mb = engine.peak_mb()?;
    let data = engine.data.clone();
    engine.ready().await?;
    engine.stop().await?;
    Ok(Outcome { took, peak_mb, data, batches })
}

/// How many incidents a stopped engine's store holds, and how many bytes OUT has for each.
///
/// # Errors
/// The store does not open.
pub fn incidents(data: &Path) -> anyhow::Result<usize> {
    let store = Store::open(&data.join("state"))?;
    let mut incidents = 0;
    for lane in 0..LANES {
        for row in store.lane(lane)?.rows(b"i", None) {
            incidents += linesman::domain::incidents_of_page(&row?.1);
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
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let status = tokio::task::spawn_blocking(move || self.child.wait()).await??;
        anyhow::ensure!(status.success(), "the engine ended with {status}");
        Ok(())
    }
}

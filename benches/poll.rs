//! Many devices that are looked at again and again: what that costs the collector in processor time and memory.
//!
//! The devices are stand-ins in a process of their own. What is measured is this one: the collector with its connections, the
//! store, the client of the log.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use linesman::metrics::Metrics;
use linesman_benches::herd::{self, Collector, Herd};
use linesman_benches::load;

/// How often each device is looked at, in seconds.
const POLL_S: u32 = 30;
/// How long it is measured: three looks at each device.
const WINDOW: Duration = Duration::from_secs(90);
/// How many files of others lie where a device leaves what it has.
const OTHERS: usize = 20;
/// One device in so many leaves a bundle in the time that is measured.
const LEAVES: usize = 20;
const BUNDLE_BYTES: usize = 50_000;
/// What it takes of a core, in hundredths, and of memory, in megabytes, at the most.
const CORE_MOST: f64 = 25.0;
const RSS_MOST_MB: u64 = 300;
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures with so many devices; the last line is `poll devices <n> core <percent> rss_mb <MB>`: processor time by time,
/// and the largest resident memory, that of connecting included.
///
/// # Errors
/// It cannot be measured, or takes more than it may.
pub(crate) async fn run(count: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let herd = Herd::start(&dir.path().join("devices"), count)?;
    for device in &herd.devices {
        for number in 0..OTHERS {
            std::fs::write(device.folder.join(format!("trace-{number}.log")), "of others")?;
        }
    }
    let metrics = Metrics::install()?;
    // As the engine has them where nothing is said.
    let settings = herd::settings(64, 8);
    let begun = Instant::now();
    let collector = Collector::start(dir.path(), &herd.devices, POLL_S, settings).await?;
    while counted(&metrics, "linesman_device_visits_total") < count as u64 {
        ensure!(begun.elapsed() < PATIENCE, "not all devices are looked at");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    eprintln!(
        "all are connected to after {:.1} s, {:.1} s of processor time",
        begun.elapsed().as_secs_f64(),
        time()?.as_secs_f64()
    );
    let leaving: Vec<_> = herd.devices.iter().step_by(LEAVES).collect();
    for (number, device) in leaving.iter().enumerate() {
        // Whole at once, as devices do.
        let path = device.folder.join("bundle.tmp");
        std::fs::write(&path, load::bundle_of(number, BUNDLE_BYTES))?;
        std::fs::rename(&path, device.folder.join("bundle.xml"))?;
    }
    let (before, visits, begun) = (time()?, counted(&metrics, "linesman_device_visits_total"), Instant::now());
    let mut lanes = tokio::time::interval(Duration::from_secs(1));
    while begun.elapsed() < WINDOW {
        lanes.tick().await;
        // The log moves as it does of an engine that is used.
        for lane in &collector.lanes {
            lane.send_modify(|status| status.position += 1);
        }
    }
    let (took, spent) = (begun.elapsed(), time()?.saturating_sub(before));
    let visits = counted(&metrics, "linesman_device_visits_total") - visits;
    let expected = count as f64 * took.as_secs_f64() / f64::from(POLL_S);
    eprintln!("{visits} looks in {:.0} s, {:.1} s of processor time", took.as_secs_f64(), spent.as_secs_f64());
    // All begin at once, so that the last ones are still to come where the time is up.
    ensure!(visits as f64 >= expected * 0.8, "{visits} looks are fewer than are due");
    let taken = counted(&metrics, "linesman_device_bundles_total");
    ensure!(taken == leaving.len() as u64, "{taken} of {} bundles are taken", leaving.len());
    ensure!(counted(&metrics, "linesman_device_failures_total") == 0, "some looks failed");
    let (core, rss_mb) = (spent.as_secs_f64() / took.as_secs_f64() * 100.0, peak_mb()?);
    collector.stop().await?;
    println!("poll devices {count} core {core:.1} rss_mb {rss_mb}");
    ensure!(core < CORE_MOST && rss_mb < RSS_MOST_MB, "it is not as it must be: {CORE_MOST} and {RSS_MOST_MB}");
    Ok(())
}

/// What a counter has come to, of all its labels.
fn counted(metrics: &Metrics, name: &str) -> u64 {
    let text = metrics.render();
    let samples = text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Processor time of this process.
fn time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // proc(5): behind the name, in brackets, utime and stime are the 12th and 13th, in hundredths of a second.
    let fields = stat.rsplit_once(')').context("no name")?.1;
    let hundredths = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(hundredths * 10))
}

/// The largest resident memory of this process so far, in megabytes of 2^20 bytes.
fn peak_mb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no peak")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? / 1024)
}

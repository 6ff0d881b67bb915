//! A wave of bundles on many devices, brought into the log by the engine's collector, against reading the same files with
//! the same client from the same devices.
//!
//! The devices are stand-ins in a process of their own, the log is that of a real server that keeps files. What is timed of
//! the collector is the look that takes the files: that they have not grown since the look before is known, as it is of every
//! file that it takes, and the connections are there, as those of reading are.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use linesman::log::streams;
use linesman_benches::herd::{self, Collector, Device, Herd};
use linesman_benches::load;
use linesman_connectors::device::files::{File, Files};
use linesman_connectors::device::limits::Limits;
use linesman_connectors::device::ssh::Connection;

/// How many devices there are, with a connection each.
const DEVICES: usize = 64;
/// How large a bundle is, in bytes.
const BUNDLE_BYTES: usize = 50_000;
const TURNS: usize = 9;
/// What the collector must reach of the floor.
const RATIO: f64 = 0.7;
/// No device is looked at by itself while it is measured.
const POLL_S: u32 = 86_400;
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures with so many bundles; prints each turn on standard error, and as the last line
/// `collect <bundles/s> floor <bundles/s> ratio <r>`: the median of both, and of the ratios of the turns.
///
/// # Errors
/// It cannot be measured, or the ratio is below 0.7.
pub(crate) async fn run(bundles: usize) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let herd = Herd::start(&dir.path().join("devices"), DEVICES)?;
    let files = write(&dir.path().join("bundles"), bundles)?;
    let settings = herd::settings(DEVICES, DEVICES);
    let collector = Collector::start(dir.path(), &herd.devices, POLL_S, settings).await?;
    let mut readers = Vec::new();
    for device in &herd.devices {
        readers.push(Reader::open(device).await?);
    }
    // The first one connects, the second wakes the server up.
    look(&collector, &herd).await?;
    turn(&collector, &herd, &mut readers, &files, 0).await?;
    let (mut floors, mut collects, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=TURNS {
        let (floor, collect) = turn(&collector, &herd, &mut readers, &files, number).await?;
        eprintln!("turn {number}: collect {collect:.0} floor {floor:.0} ratio {:.2}", collect / floor);
        floors.push(floor);
        collects.push(collect);
        ratios.push(collect / floor);
    }
    drop(readers);
    collector.stop().await?;
    let ratio = median(ratios);
    println!("collect {:.0} floor {:.0} ratio {ratio:.2}", median(collects), median(floors));
    ensure!(ratio >= RATIO, "it is not as it must be: a ratio of {RATIO}");
    Ok(())
}

/// The wave lies on the devices, is read, and collected, in turns one or the other first; bundles a second of both.
async fn turn(
    collector: &Collector,
    herd: &Herd,
    readers: &mut Vec<Reader>,
    files: &[PathBuf],
    number: usize,
) -> anyhow::Result<(f64, f64)> {
    let per_second = |took: Duration| files.len() as f64 / took.as_secs_f64();
    lay(herd, files)?;
    let floor = match number.is_multiple_of(2) {
        true => Some(read(readers, files.len()).await?),
        false => None,
    };
    let collect = collect(collector, herd, files.len()).await?;
    let floor = match floor {
        Some(floor) => floor,
        None => {
            lay(herd, files)?;
            let floor = read(readers, files.len()).await?;
            for (device, name) in laid(herd, files) {
                std::fs::remove_file(device.folder.join(name))?;
            }
            floor
        }
    };
    Ok((per_second(floor), per_second(collect)))
}

/// Writes the bundles of a wave.
fn write(folder: &Path, bundles: usize) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let mut files = Vec::with_capacity(bundles);
    for number in 0..bundles {
        let path = folder.join(format!("bundle-{number:05}.xml"));
        std::fs::write(&path, load::bundle_of(number, BUNDLE_BYTES))?;
        files.push(path);
    }
    Ok(files)
}

/// Which file lies on which device, under which name.
fn laid<'a>(herd: &'a Herd, files: &'a [PathBuf]) -> impl Iterator<Item = (&'a Device, &'a std::ffi::OsStr)> {
    herd.devices.iter().cycle().zip(files.iter().filter_map(|path| path.file_name()))
}

/// Lays the wave on the devices. They are the same files again: what is removed there stays here.
fn lay(herd: &Herd, files: &[PathBuf]) -> anyhow::Result<()> {
    for ((device, name), path) in laid(herd, files).zip(files) {
        std::fs::hard_link(path, device.folder.join(name))?;
    }
    Ok(())
}

/// Lets the collector see the wave, and then take it; how long the latter takes.
async fn collect(collector: &Collector, herd: &Herd, bundles: usize) -> anyhow::Result<Duration> {
    let seen = look(collector, herd).await?;
    ensure!(seen == 0, "{seen} bundles are taken that may grow");
    let before = streams::identity(&collector.client).await?.last;
    let begun = Instant::now();
    let taken = look(collector, herd).await?;
    let took = begun.elapsed();
    ensure!(taken == bundles as u64, "{taken} of {bundles} bundles are taken");
    let brought = streams::identity(&collector.client).await?.last - before;
    ensure!(brought >= taken, "{brought} of {taken} bundles are in the log");
    Ok(took)
}

/// Looks once at all devices at the same time; how many bundles are taken.
async fn look(collector: &Collector, herd: &Herd) -> anyhow::Result<u64> {
    let looks = herd.devices.iter().map(async |Device { org, name, .. }| {
        let visited =
            collector.hands.collect_until(org, name, PATIENCE, |_| true).await.context("a look takes too long")?;
        ensure!(visited.error.is_empty(), "{name}: {}", visited.error);
        anyhow::Ok(visited.taken)
    });
    Ok(try_join_all(looks).await?.into_iter().sum())
}

/// A connection over which a device's files are read, and nothing else.
struct Reader {
    files: Files,
    _connection: Connection,
}

impl Reader {
    async fn open(device: &Device) -> anyhow::Result<Self> {
        let connection = device.connect().await?;
        let files = Files::open(&connection, "/var/tmp", &Limits::default()).await?;
        Ok(Self { files, _connection: connection })
    }

    /// Reads all there is; how many files that are. What they are called is asked before the time that is measured.
    async fn read(mut self, listed: Vec<File>) -> anyhow::Result<(Self, usize)> {
        let limits = Limits::default();
        let count = listed.len();
        for file in listed {
            let mut reader = self.files.read(&file.name, 0, file.size, &limits).await?;
            let mut bytes = 0;
            while let Some(piece) = reader.next().await? {
                bytes += std::hint::black_box(piece).len() as u64;
            }
            ensure!(bytes == file.size, "{bytes} of {} bytes of `{}` are read", file.size, file.name);
        }
        Ok((self, count))
    }
}

/// Reads the wave, over all connections at once; how long that takes.
async fn read(readers: &mut Vec<Reader>, bundles: usize) -> anyhow::Result<Duration> {
    let mut lists = Vec::with_capacity(readers.len());
    for reader in readers.iter_mut() {
        lists.push(reader.files.list(bundles, &Limits::default()).await?.files);
    }
    let begun = Instant::now();
    // A task each, as the collector has of its devices.
    let reads = readers.drain(..).zip(lists).map(|(reader, list)| tokio::spawn(reader.read(list)));
    let reads = try_join_all(reads.collect::<Vec<_>>()).await?;
    let took = begun.elapsed();
    let mut count = 0;
    for read in reads {
        let (reader, files) = read?;
        readers.push(reader);
        count += files;
    }
    ensure!(count == bundles, "{count} of {bundles} files are read");
    Ok(took)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

//! A million damaged bundles, the same each time: nothing panics, takes long, or is read one way and written another.
//!
//! `LINESMAN_SEED` takes another million, `LINESMAN_RUNS` another number.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a failing helper is a failing test")]

mod mutation;
mod property;

use std::time::{Duration, Instant};

use linesman_schemas::bundle::{Content, corpus, decode, encode};
use mutation::{Numbers, damaged};

const SEED: u64 = 20_261_121;
const RUNS: u64 = 1_000_000;
/// A thousand times what the slowest takes.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much of an attachment is kept: work is for the structure, not for long texts.
const PART_MOST: usize = 40;
/// What is a short bundle, in bytes.
const SHORT: usize = 2_600;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Bundles of every kind with short parts as we write them, and the shortest of the corpus as devices spell them.
fn bundles() -> Vec<Vec<u8>> {
    let specimens = corpus::specimens();
    let short = specimens.iter().filter(|specimen| specimen.fault.is_none() && specimen.bytes.len() < SHORT);
    let short = short.map(|specimen| specimen.bytes.clone());
    let bundles: Vec<Vec<u8>> =
        specimens.iter().filter_map(|specimen| shortened(&specimen.bytes)).chain(short).collect();
    let labelled = ["us-ascii", "ISO-8859-1", "cp1252"]
        .into_iter()
        .flat_map(|label| bundles.iter().step_by(7).map(move |bytes| labelled(bytes, label)));
    let labelled: Vec<_> = labelled.collect();
    bundles.into_iter().chain(labelled).collect()
}

/// The bundle with another encoding declared.
fn labelled(bytes: &[u8], label: &str) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let body = text.split_once("?>").map_or(text, |(_, body)| body);
    format!("<?xml version=\"1.0\" encoding=\"{label}\"?>{body}").into_bytes()
}

/// The bundle with the beginnings of its first parts.
fn shortened(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bundle = decode(bytes).ok()?.with_contents(bytes).ok()?;
    for parts in [&mut bundle.attachments, &mut bundle.logs] {
        parts.truncate(2);
        for part in parts {
            if let Content::Text(text) = &mut part.content {
                *text = text.chars().take(PART_MOST).collect::<String>().into();
            }
        }
    }
    bundle.trend.truncate(2);
    encode(&bundle, &[]).ok().map(String::into_bytes)
}

/// Tells what a failing run was.
struct Witness<'a> {
    seed: u64,
    run: u64,
    bytes: &'a [u8],
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}, run {}: {}", self.seed, self.run, self.bytes.escape_ascii());
        }
    }
}

#[test]
fn what_holds_of_bundles_holds_of_a_million_damaged_ones() {
    let (seed, runs) = (setting("LINESMAN_SEED", SEED), setting("LINESMAN_RUNS", RUNS));
    println!("LINESMAN_SEED={seed} LINESMAN_RUNS={runs}");
    let bundles = bundles();
    let threads = std::thread::available_parallelism().map_or(2, |threads| threads.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let bundles = &bundles;
            scope.spawn(move || {
                for run in (thread..runs).step_by(threads as usize) {
                    let bytes = damaged(bundles, &mut Numbers(seed.wrapping_mul(0x1_0000_0001) ^ run.rotate_left(32)));
                    let _witness = Witness { seed, run, bytes: &bytes };
                    let start = Instant::now();
                    property::hold(&bytes);
                    assert!(start.elapsed() < PATIENCE, "it takes {:?}", start.elapsed());
                }
            });
        }
    });
}

/// Damage has to leave some bundles readable, or only the way to the first fault would be tried.
#[test]
fn some_damage_is_survived() {
    let (bundles, mut numbers) = (bundles(), Numbers(SEED));
    let readable = (0..2_000).filter(|_| decode(&damaged(&bundles, &mut numbers)).is_ok()).count();
    assert!((200..1_800).contains(&readable), "{readable} of 2000");
    let sizes: Vec<usize> = bundles.iter().map(Vec::len).collect();
    assert!(sizes.iter().all(|size| *size < 8 * 1024), "{sizes:?}");
}

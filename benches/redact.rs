//! What taking addresses and secrets out of text costs, on one core.
//!
//! The text is what devices write: logs and outputs of commands, a third of whose lines has an address, one in fifty a
//! secret. Fixed text, and pseudonyms of 20,000 addresses that come again and again.

use std::fmt::Write as _;
use std::io::Cursor;
use std::time::Instant;

use anyhow::ensure;
use linesman_redaction::{Canaries, Key, Overwriting, Redaction, Spool};
use linesman_schemas::FilterLevel;

const TURNS: usize = 5;
const ADDRESSES: u32 = 20_000;
const CANARY: &str = "canary-of-the-bench";

/// Measures with so many megabytes; the last line is `redact <MB/s> pseudonyms <MB/s>`, each the best of its turns.
pub(crate) fn run(megabytes: usize) -> anyhow::Result<()> {
    let text = text(megabytes * 1_000_000);
    let fixed = Redaction::at(FilterLevel::AddressesOverwritten);
    let key = Key::of(&(0..32).collect::<Vec<u8>>())?;
    let pseudonyms = fixed.clone().overwriting(Overwriting::Pseudonyms(key));
    let fixed = best("fixed text", &fixed, &text)?;
    let pseudonyms = best("pseudonyms", &pseudonyms, &text)?;
    println!("redact {fixed:.0} pseudonyms {pseudonyms:.0}");
    Ok(())
}

fn best(name: &str, redaction: &Redaction, text: &[u8]) -> anyhow::Result<f64> {
    let spool = || Ok(Box::new(Cursor::new(Vec::new())) as Box<dyn Spool>);
    let mut best: f64 = 0.0;
    for turn in 1..=TURNS {
        let mut out = Vec::with_capacity(2 * text.len());
        let begun = Instant::now();
        let report = redaction.document("bench", &mut &*text, &mut out, &spool)?;
        let rate = text.len() as f64 / 1e6 / begun.elapsed().as_secs_f64();
        eprintln!("{name}, turn {turn}: {rate:.0} MB/s, {} addresses, {} secrets", report.addresses, report.secrets);
        best = best.max(rate);
        if turn == 1 {
            let leaked = Canaries::read(CANARY)?.leaked("bench", &mut &*out, &spool)?;
            ensure!(leaked.is_empty() && report.addresses > 0, "it leaks: {leaked:?}");
        }
    }
    Ok(best)
}

fn text(bytes: usize) -> Vec<u8> {
    let mut text = String::with_capacity(bytes + 1024);
    let mut line: u32 = 0;
    while text.len() < bytes {
        line += 1;
        // The addresses in an order that is none.
        let address = line.wrapping_mul(2_654_435_761) % ADDRESSES;
        let [_, _, high, low] = address.to_be_bytes();
        // Writing to a string does not fail.
        let _ = match line % 50 {
            0 => writeln!(text, "        secret \"{CANARY}\"; ## SECRET-DATA"),
            n if n % 6 == 1 => writeln!(
                text,
                "Nov 21 10:15:02 edge-01 rpd[1601]: bgp_recv: read from peer 10.31.{high}.{low} (External AS 65010) failed"
            ),
            n if n % 6 == 2 => writeln!(
                text,
                "ge-0/0/{low}.0              up    up   inet6    2001:db8:31:{high:x}::{low:x}/64       fe80::5e45:27ff:fe12:3400/64"
            ),
            _ => writeln!(
                text,
                "Nov 21 10:15:01 edge-01 chassisd[1544]: CHASSISD_FRU_OFFLINE_NOTICE: Taking FPC {low} offline: Voltage failure"
            ),
        };
    }
    text.into_bytes()
}

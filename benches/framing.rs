//! How fast the end of a NETCONF message is found in what a device sends, on one core.
//!
//! A message of base 1.1 in chunks of 4,096 bytes, as routers send them, in inputs of 32 KiB, as the SSH connection hands
//! them over; and the same as a message of base 1.0, which is looked through for its end. What a message means is not
//! read; its bytes are copied out of the input, once.

use std::hint::black_box;
use std::time::Instant;

use anyhow::ensure;
use linesman_connectors::device::netconf::{Decoder, Framing, Piece};

const TURNS: usize = 5;
/// Gigabytes of data a second, in chunks.
const LEAST: f64 = 1.0;
const CHUNK: usize = 4096;
const INPUT: usize = 32 * 1024;
const LINE: &[u8] = b"<interface><name>ge-0/0/0</name><description>to the core [a]]&gt; #1</description></interface>\n";

/// Measures with so many megabytes; the last line is `framing <GB/s>`, that of chunks, the best of its turns, which must be [`LEAST`].
pub(crate) fn run(megabytes: usize) -> anyhow::Result<()> {
    let data = LINE.repeat((megabytes * 1_000_000).div_ceil(LINE.len()));
    let mut chunked = Vec::with_capacity(data.len() + data.len() / 256);
    for chunk in data.chunks(CHUNK) {
        chunked.extend_from_slice(format!("\n#{}\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
    }
    chunked.extend_from_slice(b"\n##\n");
    let chunks = best("in chunks", Framing::Chunked, &chunked, data.len())?;
    drop(chunked);
    let delimited = [data.as_slice(), b"]]>]]>"].concat();
    best("delimited", Framing::Delimited, &delimited, data.len())?;
    println!("framing {chunks:.2}");
    ensure!(chunks >= LEAST, "{chunks:.2} GB/s are less than {LEAST}");
    Ok(())
}

/// Gigabytes of data a second.
fn best(name: &str, framing: Framing, framed: &[u8], data: usize) -> anyhow::Result<f64> {
    let mut best: f64 = 0.0;
    for turn in 1..=TURNS {
        let begun = Instant::now();
        let found = found(framing, framed)?;
        let rate = data as f64 / 1e9 / begun.elapsed().as_secs_f64();
        ensure!(found == (data, 1), "{found:?} was found, and not {data} bytes in one message");
        eprintln!("{name}, turn {turn}: {rate:.2} GB/s");
        best = best.max(rate);
    }
    Ok(best)
}

/// How many bytes of data there are, and how many messages.
fn found(framing: Framing, framed: &[u8]) -> anyhow::Result<(usize, usize)> {
    let mut decoder = Decoder::new(framing);
    let (mut bytes, mut messages) = (0, 0);
    let mut out = Vec::with_capacity(INPUT);
    for mut input in framed.chunks(INPUT) {
        out.clear();
        while let Some(piece) = decoder.next(&mut input)? {
            match piece {
                Piece::Data(data) => {
                    out.extend_from_slice(data);
                    bytes += data.len();
                }
                Piece::End => messages += 1,
            }
        }
        black_box(&out);
    }
    Ok((bytes, messages))
}

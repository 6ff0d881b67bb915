//! The engine against the raw stream: three turns each, interleaved, on one server.

use std::time::Duration;

use linesman_benches::load::Load;
use linesman_benches::stage::Stage;
use linesman_benches::turns;

const TURNS: usize = 3;

/// Measures; prints each turn on standard error, and as the last line
/// `end-to-end <msg/s> raw <msg/s> io <msg/s> ratio <engine/raw> rss <MB>`: each the best of its turns,
/// the memory the largest.
pub(crate) async fn run(bundles: usize) -> anyhow::Result<()> {
    let load = Load { organizations: 16, policies: 100, is_own: false, is_mixed: false, bundles, quota: None };
    eprintln!("publishing {bundles} bundles of 2 KB from {} organizations", load.organizations);
    let stage = Stage::set(&load).await?;
    let per_second = |took: Duration| load.bundles as f64 / took.as_secs_f64();
    let (mut raw, mut io, mut engine, mut peak_mb) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for turn in 1..=TURNS {
        let read = per_second(turns::read(&stage, false).await?);
        stage.forget_out().await?;
        let committed = per_second(turns::read(&stage, true).await?);
        let io_bytes = turns::out_bytes(&stage).await?;
        stage.forget_out().await?;
        let outcome = turns::engine(&stage, &format!("turn-{turn}")).await?;
        let carried = per_second(outcome.took);
        let out_bytes = turns::out_bytes(&stage).await?;
        let incidents = turns::incidents(&outcome.data)?;
        anyhow::ensure!(incidents == load.bundles, "{incidents} incidents in the store of {} bundles", load.bundles);
        eprintln!(
            "turn {turn}: raw {read:.0} io {committed:.0} ({} bytes of OUT a bundle) engine {carried:.0} ({} bytes, {}, {} batches) incidents {incidents} rss {}",
            io_bytes / load.bundles as u64,
            out_bytes / load.bundles as u64,
            outcome.costs(load.bundles),
            outcome.batches,
            outcome.peak_mb
        );
        outcome.forget()?;
        raw.push(read);
        io.push(committed);
        engine.push(carried);
        peak_mb = peak_mb.max(outcome.peak_mb);
    }
    stage.strike().await;
    let [engine, raw, io] = [&engine, &raw, &io].map(|rates| turns::best(rates));
    println!("end-to-end {engine:.0} raw {raw:.0} io {io:.0} ratio {:.2} rss {peak_mb}", engine / raw);
    Ok(())
}

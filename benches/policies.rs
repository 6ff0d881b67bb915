//! The engine with 100 policies, with 10,000 over 1,000 organizations, and with 10,000 of one.

use linesman_benches::load::Load;
use linesman_benches::stage::Stage;
use linesman_benches::turns;

const TURNS: usize = 3;

/// Measures; prints each turn on standard error, and as the last line
/// `policies 100: <msg/s> spread: <msg/s> one-org: <msg/s> ratio <min/100>`: each the best of its turns.
pub(crate) async fn run(bundles: usize) -> anyhow::Result<()> {
    let hundred = Load { organizations: 16, policies: 100, is_own: false, is_mixed: true, bundles, quota: None };
    let loads = [
        ("100", hundred.clone()),
        ("spread", Load { organizations: 1_000, policies: 10_000, is_own: true, ..hundred.clone() }),
        ("one-org", Load { organizations: 1, policies: 10_000, is_own: true, ..hundred }),
    ];
    let mut stages = Vec::new();
    for (name, load) in &loads {
        eprintln!("{name}: publishing {bundles} bundles");
        stages.push((name, Stage::set(load).await?, Vec::new()));
    }
    for turn in 1..=TURNS {
        for (name, stage, rates) in &mut stages {
            stage.forget_out().await?;
            let outcome = turns::engine(stage, &format!("turn-{turn}")).await?;
            let carried = bundles as f64 / outcome.took.as_secs_f64();
            eprintln!(
                "turn {turn} {name}: {carried:.0} ({}, {} batches) rss {}",
                outcome.costs(bundles),
                outcome.batches,
                outcome.peak_mb
            );
            outcome.forget()?;
            rates.push(carried);
        }
    }
    let mut rates = Vec::new();
    for (_, stage, turns) in stages {
        stage.strike().await;
        rates.push(turns);
    }
    let [hundred, spread, one_org] = &rates[..] else { anyhow::bail!("three loads") };
    let [hundred, spread, one_org] = [hundred, spread, one_org].map(|rates| turns::best(rates));
    let ratio = spread.min(one_org) / hundred;
    println!("policies 100: {hundred:.0} spread: {spread:.0} one-org: {one_org:.0} ratio {ratio:.2}");
    Ok(())
}

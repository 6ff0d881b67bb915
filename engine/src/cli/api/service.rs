//! `linesman service`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use linesman_rules::services::Trial;

use super::Args;
use crate::cli::Failure;
use crate::cli::scenario::{Tried, try_all};

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman service render ingress-firewall --scenario scenario.toml
  linesman service render uplink --scenario scenario.toml --rules R
  linesman service test --rules R                           all scenarios of all services
  linesman service test uplink --rules R --write            write what its new scenarios render";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Print the configuration that a service makes of a scenario; needs no engine
    Render(Render),
    /// Hold the scenarios of services against the renderings beside them; needs no engine
    ///
    /// A scenario is R/services/<service>/tests/<name>.toml, and what it is to render <name>.conf beside it. One that
    /// is to end in faults has them in `faults = ["parameter: message"]`, and renders nothing.
    Test(Test),
}

/// What is tried.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Test {
    /// The service; without one, all of them
    service: Option<String>,
    /// The rule directory
    #[arg(long, value_name = "R")]
    rules: PathBuf,
    /// Write what scenarios render, where it is not what lies beside them
    #[arg(long)]
    write: bool,
}

/// What is rendered.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Render {
    /// The service
    service: String,
    /// The scenario
    #[arg(long, value_name = "FILE")]
    scenario: PathBuf,
    /// The rule directory with the service
    #[arg(long, value_name = "R")]
    rules: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    match &args.action {
        Action::Render(render) => run_render(render),
        Action::Test(test) => run_test(test),
    }
}

fn run_render(args: &Render) -> Result<ExitCode, Failure> {
    let (path, rules) = (&args.scenario, args.rules.as_deref());
    let tried = Tried::read(path, rules)?.about(&args.service, path, rules)?;
    let Some(service) = &tried.service else { return Ok(ExitCode::FAILURE) };
    tried.evaluate(|acquisition| {
        let report = tried.report(acquisition);
        if !report.faults.is_empty() {
            for fault in &report.faults {
                anstream::eprintln!("fault: {fault}");
            }
            return Ok(ExitCode::FAILURE);
        }
        match service.render(acquisition) {
            Ok(configuration) => {
                anstream::print!("{configuration}");
                Ok(ExitCode::SUCCESS)
            }
            Err(fault) => Err(anyhow::anyhow!("{fault}").into()),
        }
    })
}

fn run_test(args: &Test) -> Result<ExitCode, Failure> {
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for trials in try_all(&args.rules, args.service.as_deref())? {
        if trials.tried.is_empty() {
            anstream::println!("{}: no scenarios", trials.service);
        }
        for (path, trial) in trials.tried {
            let golden = path.with_extension("conf");
            let name = path.display();
            let told = match trial {
                Ok(Trial::Passed) => None,
                Ok(Trial::New { rendered } | Trial::Differs { rendered, .. }) if args.write => {
                    std::fs::write(&golden, rendered).with_context(|| format!("`{}`", golden.display()))?;
                    anstream::println!("{name}: written");
                    None
                }
                Ok(Trial::New { .. }) => {
                    Some(format!("nothing says what it is to render: `{}` is missing", golden.display()))
                }
                Ok(Trial::Differs { diff, .. }) => Some(format!("it renders something else\n{diff}")),
                Ok(Trial::Faults { missing, unexpected }) => Some(faults(&missing, &unexpected)),
                Ok(Trial::NoGolden(fault)) => Some(format!("`{}`:{fault}", golden.display())),
                Err(error) => Some(format!("{error:#}")),
            };
            match told {
                None => passed += 1,
                Some(told) => {
                    failed += 1;
                    anstream::println!("{name}: {told}");
                }
            }
        }
    }
    anstream::println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn faults(missing: &[String], unexpected: &[String]) -> String {
    let missing = missing.iter().map(|fault| format!("\n  it does not end in the fault: {fault}"));
    let unexpected = unexpected.iter().map(|fault| format!("\n  it ends in the fault: {fault}"));
    let all: String = missing.chain(unexpected).collect();
    format!("its faults are others{all}")
}

//! `linesman service`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::Args;
use crate::cli::Failure;
use crate::cli::scenario::Tried;

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman service render ingress-firewall --scenario scenario.toml
  linesman service render uplink --scenario scenario.toml --rules R";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Print the configuration that a service makes of a scenario; needs no engine
    Render(Render),
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

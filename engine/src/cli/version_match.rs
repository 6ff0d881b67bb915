//! `linesman version-match`

use std::process::ExitCode;

use linesman_rules::versions::{Expression, Version};

use super::{Failure, output};

/// Print whether a version of the devices' operating system is one that an expression means: `yes` or `no`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman version-match '>= 21.2R1, < 21.4R3-S5' 21.4R3-S4.9       yes
  linesman version-match 21.4 21.4R3-S5.4                           yes
  linesman version-match '< 21.4R3-EVO' 21.4R2                      no")]
pub(super) struct Args {
    /// A version, a train, or comparisons with `<` `<=` `=` `>=` `>` and commas between
    expression: Expression,
    /// The version
    version: Version,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    output::line(&if args.expression.is_met_by(&args.version) { "yes" } else { "no" })?;
    Ok(ExitCode::SUCCESS)
}

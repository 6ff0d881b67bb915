//! `linesman level`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::show::{self, Column, column};
use super::{Args, ask};
use crate::cli::Failure;

const PATH: &str = "/api/v1/level";
pub(in crate::cli) const COLUMNS: [Column; 2] = [column("LANE", "/lane"), column("LEVEL", "/level")];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman level show --data-dir D
  linesman level raise --data-dir D
  linesman level raise 2 --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Show the level that each lane decides at, and those that the engine knows
    Show,
    /// Decide at a higher level from here on, for good
    ///
    /// An earlier release that does not know the level refuses the log from then on.
    Raise {
        /// The level; without one, the newest that the engine knows
        level: Option<u32>,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| {
        let levels = api.answer(api.request(Method::GET, PATH)).await?;
        match &args.action {
            Action::Show if api.is_json => outln!("{levels}"),
            Action::Show => {
                let level = |name: &str| levels.get(name).map(show::plain).unwrap_or_default();
                outln!("level {}; this engine knows {} to {}", level("level"), level("oldest"), level("newest"));
                let lanes = levels.get("lanes").and_then(Value::as_array).cloned().unwrap_or_default();
                out!("\n{}", show::table(&lanes, &COLUMNS, api.room()));
            }
            Action::Raise { level } => {
                let level = level.map(Value::from).or_else(|| levels.get("newest").cloned());
                api.write(Method::PUT, PATH, Some(json!({ "level": level }))).await?;
            }
        }
        Ok(())
    })
}

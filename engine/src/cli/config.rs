//! `linesman config`

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

use super::Failure;
use super::flags::Flags;
use crate::config;

/// Print the configuration that applies, secrets masked
///
/// Takes what `linesman serve` takes, from the file, the environment and flags, and tells every mistake
/// with its place.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman config --config linesman.toml
  linesman config --config linesman.toml --explain log.level
  LINESMAN_NATS_URL=nats://host:4222 linesman config --config linesman.toml --json")]
pub(super) struct Args {
    /// Explain one setting: what it is, its value, where that came from and what it overrode
    #[arg(long, value_name = "KEY", value_parser = Key, hide_possible_values = true)]
    explain: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// A key. Shells complete those there are; of another it is said later what was meant.
#[derive(Debug, Clone, Copy)]
struct Key;

impl TypedValueParser for Key {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(config::keys().map(PossibleValue::new)))
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let sources = args.flags.sources();
    let text = match (&args.explain, args.json) {
        (None, false) => config::effective(&sources),
        (None, true) => config::effective_json(&sources).map(|json| format!("{json}\n")),
        (Some(key), false) => config::explain(&sources, key).map(|explanation| explanation.to_string()),
        (Some(key), true) => config::explain(&sources, key).map(|explanation| format!("{}\n", explanation.json())),
    };
    out!("{}", text.map_err(Failure::Mistakes)?);
    Ok(ExitCode::SUCCESS)
}

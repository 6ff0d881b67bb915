//! `linesman seal`

use std::process::ExitCode;

use clap::Subcommand;

use super::Failure;
use super::flags::Flags;
use crate::config;
use crate::data_dir::DataDir;
use crate::seal::rotation;

/// How it is used.
pub(super) const EXAMPLES: &str = "\
Example:
  linesman seal rotate --config linesman.toml --data-dir D --rules R";

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Give the installation another key of the seal, and seal all that is sealed anew
    ///
    /// Takes what `linesman serve` takes, and runs while the engine does not. One that breaks off loses nothing: the old key
    /// stays beside the new one until all is sealed anew, the engine starts with both, and the next rotation goes on.
    /// Backups of before need the old key: keep it with them.
    Rotate {
        #[command(flatten)]
        flags: Flags,
    },
}

pub(super) fn run(action: &Action) -> Result<ExitCode, Failure> {
    let Action::Rotate { flags } = action;
    let config = config::load(&flags.sources()).map_err(Failure::Mistakes)?;
    let data_dir = DataDir::open(&config.data_dir)?;
    let count = rotation::rotate(&data_dir.keys(), config.seal_key_file.as_deref())?;
    outln!("sealed anew {count}");
    Ok(ExitCode::SUCCESS)
}

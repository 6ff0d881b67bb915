//! `linesman standin`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use linesman_connectors::standin::{self, Settings};

use super::{Failure, runtime};

/// Run a stand-in of a system that the engine talks to
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    system: System,
}

#[derive(Debug, Subcommand)]
enum System {
    /// The vendor's support system: takes cases, in memory, over TLS
    ///
    /// Its certificate authority is written to `D/ca.pem`. `POST /_control` makes it slow, failing,
    /// forgetful or garbled; `GET /_count` tells what it has.
    #[command(after_help = "Example:\n  linesman standin support-system --listen 127.0.0.1:9443 --data-dir D")]
    SupportSystem {
        /// Where it listens; port 0 takes any free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9443")]
        listen: SocketAddr,
        /// Where its certificate authority is kept
        #[arg(long, value_name = "D")]
        data_dir: PathBuf,
    },
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let System::SupportSystem { listen, data_dir } = &args.system;
    let settings = Settings::new(*listen, data_dir.clone());
    runtime()?.block_on(async {
        let standin = standin::start(settings).await?;
        outln!("support system at {}, certificate authority {}", standin.url(), standin.ca_path().display());
        tokio::signal::ctrl_c().await?;
        standin.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

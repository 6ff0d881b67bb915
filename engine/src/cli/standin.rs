//! `linesman standin`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use linesman_connectors::device::standin::server::{Account, Facts, Proof, Server, Setup};
use linesman_connectors::standin::{self, Settings};

use super::{Failure, runtime};
use crate::data_dir::private;

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
    /// A device: SSH with files and NETCONF, as a router has it
    ///
    /// Its files are those of `D`: what is left in `D/var/tmp` is collected from there. The user's password is made, and written to
    /// `D/password`. Its host key is another with each start.
    #[command(after_help = "Example:\n  linesman standin device --listen 127.0.0.1:2022 --data-dir D")]
    Device {
        /// Where it listens; port 0 takes any free one
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2022")]
        listen: SocketAddr,
        /// Its files
        #[arg(long, value_name = "D")]
        data_dir: PathBuf,
        /// Its host name
        #[arg(long, value_name = "NAME", default_value = "standin")]
        name: String,
        /// Its chassis serial number
        #[arg(long, value_name = "SN", default_value = "JN0001")]
        serial_number: String,
    },
}

/// Who logs in to a device.
const USER: &str = "linesman";

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        match &args.system {
            System::SupportSystem { listen, data_dir } => support_system(*listen, data_dir).await?,
            System::Device { listen, data_dir, name, serial_number } => {
                device(*listen, data_dir, (name, serial_number)).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn support_system(listen: SocketAddr, dir: &Path) -> anyhow::Result<()> {
    let standin = standin::start(Settings::new(listen, dir.to_owned())).await?;
    outln!("support system at {}, certificate authority {}", standin.url(), standin.ca_path().display());
    tokio::signal::ctrl_c().await?;
    standin.shutdown().await;
    Ok(())
}

async fn device(listen: SocketAddr, dir: &Path, (name, serial_number): (&str, &str)) -> anyhow::Result<()> {
    for folder in ["var/tmp", "var/db/scripts/op", "var/db/scripts/event", "var/db/scripts/commit"] {
        std::fs::create_dir_all(dir.join(folder)).with_context(|| format!("`{}` cannot be made", dir.display()))?;
    }
    let (file, password) = (dir.join("password"), private::random_hex::<16>()?);
    private::write(&file, password.as_bytes()).with_context(|| format!("`{}` cannot be written", file.display()))?;
    let account = Account { user: USER.to_owned(), proof: Proof::Password(password) };
    let facts = Facts { host_name: name.to_owned(), serial_number: serial_number.to_owned(), ..Facts::default() };
    let server = Server::start(Setup { facts, listen, ..Setup::new(dir, vec![account]) }).await?;
    let (address, host_key) = (server.address(), server.host_key()?);
    let (ip, port) = (address.ip(), address.port());
    outln!("device at {address}; it is reached by");
    outln!("  linesman device add {name} --org ORGANIZATION --address {ip} --port {port} --netconf-port {port} \\");
    outln!("    --user {USER} --password-file {} --host-key '{host_key}'", file.display());
    tokio::signal::ctrl_c().await?;
    Ok(())
}

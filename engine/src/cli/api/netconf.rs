//! `linesman netconf`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Access, Refusal, ask, segment};
use crate::cli::Failure;

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman netconf acme/edge-1 get-config --data-dir D
  linesman netconf edge-1 --org acme rpc request.xml --data-dir D";

/// Which device, and what is asked of it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The device: ORGANIZATION/DEVICE, or with `--org` its name alone
    #[arg(value_name = "DEVICE")]
    device: String,
    /// Whose it is, where that is not said before
    #[arg(long, value_name = "O")]
    org: Option<String>,
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Print its configuration: of Junos as text, of others as XML
    GetConfig,
    /// Send a request as it is, and print the whole reply, that of a device that refuses too: then the exit code is 1
    Rpc {
        /// The file with what stands within `<rpc>`, without `<rpc>` itself; `-` is the standard input
        file: PathBuf,
    },
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| {
        let (organization, device) = match (&args.org, args.device.split_once('/')) {
            (Some(organization), _) => (organization.as_str(), args.device.as_str()),
            (None, both) => both.context("whose is the device? give `--org`")?,
        };
        let path = format!("/api/v1/devices/{}/{}", segment(organization), segment(device));
        let (field, request) = match &args.action {
            Action::GetConfig => ("configuration", api.patient(Method::POST, &format!("{path}/configuration"))),
            Action::Rpc { file } => {
                let rpc = match file.as_os_str() == "-" {
                    true => std::io::read_to_string(std::io::stdin()).context("no request comes in")?,
                    false => {
                        std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?
                    }
                };
                ("reply", api.patient(Method::POST, &format!("{path}/rpc")).json(&json!({ "rpc": rpc })))
            }
        };
        let (answer, ended) = match api.answer(request).await {
            Ok(answer) => (answer, Ok(())),
            // What a device says that refuses is its reply all the same.
            Err(error) => match error.downcast_ref::<Refusal>().and_then(|refusal| refusal.reply.as_deref()) {
                Some(reply) => (json!({ "reply": reply }), Err(error)),
                None => return Err(error),
            },
        };
        match (api.is_json, answer.get(field).and_then(Value::as_str)) {
            (false, Some(text)) => outln!("{}", text.trim_end()),
            _ => outln!("{answer}"),
        }
        ended
    })
}

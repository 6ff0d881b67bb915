//! `linesman policy`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::show::{self, Column, column};
use super::{Api, Args, List, ask, attention, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Policies;

pub(in crate::cli) const COLUMNS: [Column; 6] = [
    column("NAME", "/name"),
    column("OWNER", "/owner").key(),
    column("TRIGGER", "/trigger"),
    column("FAILED", "/failures"),
    column("ORIGIN", "/origin"),
    column("HASH", "/hash").spare(),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman policy list --trigger incident.detected --data-dir D
  linesman policy show acme/own --data-dir D
  linesman policy load --data-dir D                the files of this engine, whatever another has loaded";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List policies, with how often each has failed within 24 hours, and the files that are refused
    List(List<Policies>),
    /// Show one, with its text
    Show {
        /// Its name: of an organization's own, <organization>/<file>
        name: String,
    },
    /// Load the files of this engine into the log, whatever another has loaded
    Load {
        /// Load `[settings]` of the configuration, as this engine has read it at its start, instead of the rule directory
        #[arg(long)]
        settings: bool,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => {
            api.list("/api/v1/policies", list, &COLUMNS).await?;
            tell_differences(api).await
        }
        Action::Load { settings } => {
            let section = if *settings { "settings" } else { "policies" };
            api.write(Method::POST, &format!("/api/v1/policies/load?section={section}"), None).await
        }
        Action::Show { name } => api.show(&format!("/api/v1/policies/{}", segment(name)), &()).await,
    })
}

/// Tells, beside the list, which files are refused, and that the engine's files say something else.
async fn tell_differences(api: &Api) -> anyhow::Result<()> {
    let readiness = api.get("/readyz", &()).await?;
    let said = |value: &Value, name: &str| value.get(name).map(show::plain).unwrap_or_default();
    for file in readiness.pointer("/policies/files").and_then(Value::as_array).into_iter().flatten() {
        let goes_on = match said(file, "stays").as_str() {
            "" => String::new(),
            stays => format!("; {stays} goes on with its last good text"),
        };
        let (path, message) = (said(file, "path"), said(file, "message"));
        errln!("the policy file {path} is refused{}: {message}{goes_on}", attention::line(file));
    }
    for section in readiness.pointer("/policies/differing").and_then(Value::as_array).into_iter().flatten() {
        let load = match section.as_str() {
            Some("settings") => "policy load --settings",
            Some("services") => "service load",
            _ => "policy load",
        };
        errln!(
            "the files of this engine have other {} than the log, which decides: `linesman {load}` loads them",
            show::plain(section)
        );
    }
    Ok(())
}

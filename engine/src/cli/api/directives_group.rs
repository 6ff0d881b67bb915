//! `linesman directives-group`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::show::{self, Column, column};
use super::{Api, Args, ask, segment};
use crate::cli::Failure;

pub(in crate::cli) const COLUMNS: [Column; 3] =
    [column("ORGANIZATION", "/organization"), column("NAME", "/name").key(), column("COMMANDS", "/commands")];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman directives-group set acme mx 'show version | display xml' 'request support information' --data-dir D
  linesman directives-group set acme srx --file commands.txt --data-dir D
  linesman directives-group list acme --data-dir D
  linesman device set edge-1 --org acme --directives mx --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List the groups of commands of an organization
    List {
        /// Whose
        organization: String,
    },
    /// Show one: its commands, a line each
    Show(Which),
    /// Make one, or let it have other commands
    Set {
        #[command(flatten)]
        which: Which,
        /// The commands, in their order
        #[arg(value_name = "COMMAND", required_unless_present = "file")]
        commands: Vec<String>,
        /// The file with the commands, a line each; empty lines and those that begin with `#` are none
        #[arg(long, value_name = "F", conflicts_with = "commands")]
        file: Option<PathBuf>,
    },
    /// Remove one that no device names
    Remove(Which),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Which {
    /// Whose
    organization: String,
    /// Its name
    group: String,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List { organization } => list(api, organization).await,
        Action::Show(which) => show(api, which).await,
        Action::Set { which, commands, file } => {
            let commands = file.as_deref().map(read).transpose()?.unwrap_or_else(|| commands.clone());
            api.write(Method::PUT, &which.path(), Some(json!({ "commands": commands }))).await
        }
        Action::Remove(which) => api.write(Method::DELETE, &which.path(), None).await,
    })
}

impl Which {
    fn path(&self) -> String {
        format!("/api/v1/directives-groups/{}/{}", segment(&self.organization), segment(&self.group))
    }
}

/// The commands of a file.
fn read(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

async fn list(api: &Api, organization: &str) -> anyhow::Result<()> {
    let found = api.get(&format!("/api/v1/directives-groups/{}", segment(organization)), &()).await?;
    let groups = found.get("groups").and_then(Value::as_array).cloned().unwrap_or_default();
    match api.is_json {
        true => groups.iter().for_each(|group| outln!("{group}")),
        false => {
            let counted = groups.into_iter().map(|mut group| {
                let count = group.get("commands").and_then(Value::as_array).map_or(0, Vec::len);
                if let Some(commands) = group.get_mut("commands") {
                    *commands = json!(count);
                }
                group
            });
            out!("{}", show::table(&counted.collect::<Vec<_>>(), &COLUMNS, api.room()));
        }
    }
    Ok(())
}

async fn show(api: &Api, which: &Which) -> anyhow::Result<()> {
    let group = api.get(&which.path(), &()).await?;
    if api.is_json {
        outln!("{group}");
        return Ok(());
    }
    for command in group.get("commands").and_then(Value::as_array).into_iter().flatten() {
        outln!("{}", show::plain(command));
    }
    Ok(())
}

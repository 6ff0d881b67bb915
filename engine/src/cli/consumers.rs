//! `linesman nats consumers`

use std::process::ExitCode;

use anyhow::bail;
use clap::{ArgGroup, Subcommand};
use serde_json::{Value, json};

use super::api::show::{self, Column, column};
use super::nats::Server;
use super::{Failure, output, runtime};
use crate::harmless::in_line;
use crate::log::consumers::{self, Consumer};

/// How it is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  linesman nats consumers list --data-dir D
  linesman nats consumers remove my-name --data-dir D
  linesman nats consumers remove --idle --keep 100 --data-dir D";

pub(in crate::cli) const COLUMNS: [Column; 6] = [
    column("NAME", "/name"),
    column("DURABLE", "/durable"),
    column("ASKED", "/asked"),
    column("ACTIVE", "/active"),
    column("CREATED", "/created"),
    column("PENDING", "/pending"),
];

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Who reads the stream OUT: list, remove
    #[command(subcommand)]
    Consumers(Consumers),
}

#[derive(Debug, Subcommand)]
pub(super) enum Consumers {
    /// List the consumers of the stream OUT, the one first that was idle longest
    List {
        /// Print JSON, one line each
        #[arg(long)]
        json: bool,
        /// Print times in UTC on a terminal too, where they are told from now
        #[arg(long)]
        utc: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Remove a consumer of the stream OUT, or those that nobody asks
    #[command(group(ArgGroup::new("which").required(true).args(["name", "idle"])))]
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// Remove those that nobody asks, oldest first
        #[arg(long)]
        idle: bool,
        /// How many consumers to leave, with `--idle`
        #[arg(long, value_name = "COUNT", default_value_t = 0, requires = "idle")]
        keep: u32,
        #[command(flatten)]
        server: Server,
    },
}

pub(super) fn run(action: &Action) -> Result<ExitCode, Failure> {
    let Action::Consumers(action) = action;
    runtime()?.block_on(async {
        match action {
            Consumers::List { json, utc, server } => list(server, *json, show::room(*utc)).await?,
            Consumers::Remove { name: Some(name), server, .. } => remove(server, name).await?,
            Consumers::Remove { name: None, keep, server, .. } => {
                let client = server.connect_as_engine("linesman-consumers").await?;
                let (removed, _) = consumers::tidy(&client, *keep).await.map_err(anyhow::Error::from)?;
                outln!("{removed} consumers removed");
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(server: &Server, is_json: bool, room: show::Room) -> anyhow::Result<()> {
    let client = server.connect_as_engine("linesman-consumers").await?;
    let found: Vec<Value> = consumers::list(&client).await?.iter().map(row).collect();
    if is_json {
        found.iter().try_for_each(output::line)?;
    } else {
        out!("{}", show::table(&found, &COLUMNS, room));
    }
    Ok(())
}

async fn remove(server: &Server, name: &str) -> anyhow::Result<()> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || ".*>/\\".contains(c)) {
        bail!("`{}` is no name of a consumer", in_line(name));
    }
    let client = server.connect_as_engine("linesman-consumers").await?;
    if !consumers::remove(&client, name).await? {
        bail!("the stream OUT has no consumer `{name}`");
    }
    outln!("{name} removed");
    Ok(())
}

fn row(consumer: &Consumer) -> Value {
    json!({
        "name": consumer.name,
        "durable": consumer.is_durable,
        "asked": consumer.is_asked,
        "active": consumer.active,
        "created": consumer.created,
        "pending": consumer.pending,
    })
}

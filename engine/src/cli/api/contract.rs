//! `linesman contract`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use linesman_schemas::command::{Contract, ContractChanges};
use reqwest::Method;
use serde_json::{Value, json};

use super::csv_file::{self, Line, Sheet};
use super::show::{self, Column, column};
use super::{Api, Args, ask, segment};
use crate::cli::Failure;

pub(in crate::cli) const COLUMNS: [Column; 7] = [
    column("AGREEMENT", "/agreement_number"),
    column("STATUS", "/status"),
    column("SKU", "/sku"),
    column("SKU TYPE", "/sku_type"),
    column("START", "/start"),
    column("END", "/end"),
    column("SERIAL NUMBER", "/serial_number").key(),
];
const REQUIRED: [&str; 4] = ["agreement_number", "sku", "end", "serial_number"];
const OPTIONAL: [&str; 4] = ["status", "sku_type", "start", "part_number"];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman contract list acme --data-dir D
  linesman contract show acme A-17 --data-dir D
  linesman contract import acme contracts.csv --dry-run --data-dir D
  linesman contract export acme --data-dir D > contracts.csv
  linesman contract remove acme A-17 --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List an organization's contracts
    List {
        /// Whose
        organization: String,
    },
    /// Show the lines of one
    Show {
        /// Whose
        organization: String,
        /// The number of the agreement
        agreement: String,
    },
    /// Add or change all of a CSV file, or nothing where a line of it is wrong
    ///
    /// The columns are `agreement_number,status,sku,sku_type,start,end,serial_number,part_number`, days `YYYY-MM-DD`.
    Import {
        /// Whose
        organization: String,
        /// The file
        file: PathBuf,
        /// Look whether all lines are right, and ask the engine whether it would take them; nothing is imported
        #[arg(long)]
        dry_run: bool,
    },
    /// Print them as such a file
    Export {
        /// Whose
        organization: String,
    },
    /// Remove one, with all its lines
    Remove {
        /// Whose
        organization: String,
        /// The number of the agreement
        agreement: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List { organization } => print(api, &kept(api, organization).await?),
        Action::Show { organization, agreement } => {
            let mut lines = kept(api, organization).await?;
            lines.retain(|line| line.agreement_number == *agreement);
            if lines.is_empty() {
                bail!("`{organization}` has no contract `{agreement}`; `list` shows what there is");
            }
            print(api, &lines)
        }
        Action::Import { organization, file, dry_run } => {
            let contracts = read(file)?;
            api.import(&path(organization), "contracts", &contracts, *dry_run).await
        }
        Action::Export { organization } => {
            let lines = kept(api, organization).await?;
            let line = |contract: Contract| {
                vec![
                    contract.agreement_number,
                    contract.status,
                    contract.sku,
                    contract.sku_type,
                    contract.start,
                    contract.end,
                    contract.serial_number,
                    contract.part_number,
                ]
            };
            let headers =
                ["agreement_number", "status", "sku", "sku_type", "start", "end", "serial_number", "part_number"];
            csv_file::print(&headers, lines.into_iter().map(line))
        }
        Action::Remove { organization, agreement } => {
            let changes = ContractChanges { removed: vec![agreement.clone()], ..ContractChanges::default() };
            api.write(Method::POST, &path(organization), Some(json!(changes))).await
        }
    })
}

fn path(organization: &str) -> String {
    format!("/api/v1/organizations/{}/contracts", segment(organization))
}

async fn kept(api: &Api, organization: &str) -> anyhow::Result<Vec<Contract>> {
    let mut found = api.get(&path(organization), &()).await?;
    let contracts = found.get_mut("contracts").map(Value::take).unwrap_or_default();
    serde_json::from_value(contracts).context("the answer tells of no contracts: is this an engine of another version?")
}

fn print(api: &Api, lines: &[Contract]) -> anyhow::Result<()> {
    let lines: Vec<Value> = lines.iter().map(|line| json!(line)).collect();
    if api.is_json {
        lines.iter().for_each(|line| outln!("{line}"));
    } else {
        out!("{}", show::table(&lines, &COLUMNS, api.room()));
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Vec<Contract>> {
    let name = |contract: &Contract| {
        [&contract.agreement_number, &contract.serial_number, &contract.sku].map(String::as_str).join(" ")
    };
    Sheet::read(file, &REQUIRED, &OPTIONAL)?.lines(contract, name)
}

fn contract(line: &Line<'_>) -> Result<Contract, String> {
    let contract = Contract {
        agreement_number: line.get("agreement_number"),
        status: line.get("status"),
        sku: line.get("sku"),
        sku_type: line.get("sku_type"),
        start: line.get("start"),
        end: line.get("end"),
        serial_number: line.get("serial_number"),
        part_number: line.get("part_number"),
    };
    contract.check().map_err(|fault| super::csv_fault(&fault))?;
    Ok(contract)
}

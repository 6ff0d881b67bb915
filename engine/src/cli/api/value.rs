//! `linesman value`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use linesman_rules::values::Report;
use serde_json::Value;

use super::Args;
use super::show::{Column, column, plain, table, width};
use crate::cli::Failure;
use crate::cli::scenario::Tried;

const PARAMETERS: [Column; 6] = [
    column("PARAMETER", "/name"),
    column("TYPE", "/type"),
    column("STATUS", "/status"),
    column("VALUE", "/value"),
    column("SOURCE", "/source"),
    column("PLACE", "/place"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman value resolve scenario.toml
  linesman value resolve R/services/ingress-firewall/tests/berlin.toml --json
  linesman value resolve scenario.toml --explain rate";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Evaluate a scenario: what values each parameter has, and what is wrong; needs no engine
    Resolve(Resolve),
}

/// What is evaluated.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Resolve {
    /// The scenario
    file: PathBuf,
    /// The rule directory with the service that it names
    #[arg(long, value_name = "R")]
    rules: Option<PathBuf>,
    /// Tell of one parameter where its value comes from
    #[arg(long, value_name = "PARAMETER")]
    explain: Option<String>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    match &args.action {
        Action::Resolve(resolve) => run_resolve(resolve, args.access.json),
    }
}

fn run_resolve(args: &Resolve, is_json: bool) -> Result<ExitCode, Failure> {
    let tried = Tried::read(&args.file, args.rules.as_deref())?;
    tried.evaluate(|acquisition| {
        let report = tried.report(acquisition);
        if let Some(name) = &args.explain {
            let Some(explanation) = acquisition.explain(name) else {
                return Err(anyhow::anyhow!("there is no parameter `{name}`").into());
            };
            match is_json {
                true => anstream::println!("{}", serde_json::to_string_pretty(&explanation)?),
                false => anstream::print!("{explanation}"),
            }
        } else if is_json {
            anstream::println!("{}", serde_json::to_string(&report)?);
        } else {
            anstream::print!("{}", shown(&report)?);
        }
        Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// What a scenario comes to, for people.
fn shown(report: &Report) -> serde_json::Result<String> {
    let mut rows = Vec::new();
    for (name, parameter) in &report.parameters {
        let mut row = serde_json::to_value(parameter)?;
        if let Some(fields) = row.as_object_mut() {
            fields.insert("name".to_owned(), name.as_str().into());
            if let Some(Value::Array(elements)) = fields.get("value") {
                let elements: Vec<String> = elements.iter().map(plain).collect();
                let list = format!("[{}]", elements.join(", "));
                fields.insert("value".to_owned(), list.into());
            }
        }
        rows.push(row);
    }
    let mut text = table(&rows, &PARAMETERS, width());
    for (kind, faults) in [("fault", &report.faults), ("warning", &report.warnings)] {
        for fault in faults {
            text.push_str(&format!("{kind}: {fault}\n"));
        }
    }
    Ok(text)
}

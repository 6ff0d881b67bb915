//! Commands that try scenarios: what values they come to, what services render of them. They need no engine.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use linesman_rules::Strictness;
use linesman_rules::services::Trial;
use linesman_rules::values::Report;
use serde_json::Value;

use super::Failure;
use super::api::show::{Column, column, plain, room, table};
use super::scenario::{Tried, try_all};

pub(in crate::cli) const PARAMETERS: [Column; 6] = [
    column("PARAMETER", "/name"),
    column("TYPE", "/type"),
    column("STATUS", "/status"),
    column("VALUE", "/value"),
    column("SOURCE", "/source"),
    column("PLACE", "/place"),
];

/// What is evaluated.
#[derive(Debug, clap::Args)]
pub(super) struct Resolve {
    /// The scenario
    file: PathBuf,
    /// The rule directory with the service that it names
    #[arg(long, value_name = "R")]
    rules: Option<PathBuf>,
    /// Tell of one parameter where its value comes from
    #[arg(long, value_name = "PARAMETER")]
    explain: Option<String>,
}

/// What is rendered.
#[derive(Debug, clap::Args)]
pub(super) struct Render {
    /// The service
    service: String,
    /// The scenario
    #[arg(long, value_name = "FILE")]
    scenario: PathBuf,
    /// The rule directory with the service
    #[arg(long, value_name = "R")]
    rules: Option<PathBuf>,
}

/// What is tried.
#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// The service; without one, all of them
    service: Option<String>,
    /// The rule directory
    #[arg(long, value_name = "R")]
    rules: PathBuf,
    /// Write what scenarios render, where it is not what lies beside them
    #[arg(long)]
    write: bool,
}

/// Evaluates a scenario, and tells what it comes to.
pub(super) fn resolve(args: &Resolve, is_json: bool) -> Result<ExitCode, Failure> {
    let tried = Tried::read(&args.file, args.rules.as_deref())?;
    tried.evaluate(|acquisition| {
        let report = tried.report(acquisition);
        if let Some(name) = &args.explain {
            let Some(explanation) = acquisition.explain(name) else {
                return Err(anyhow::anyhow!("there is no parameter `{name}`").into());
            };
            match is_json {
                true => outln!("{}", serde_json::to_string_pretty(&explanation)?),
                false => out!("{explanation}"),
            }
        } else if is_json {
            outln!("{}", serde_json::to_string(&report)?);
        } else {
            out!("{}", shown(&report)?);
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
    let mut text = table(&rows, &PARAMETERS, room(false));
    for (kind, faults) in [("fault", &report.faults), ("warning", &report.warnings)] {
        for fault in faults {
            text.push_str(&format!("{kind}: {fault}\n"));
        }
    }
    Ok(text)
}

/// Renders a scenario.
pub(super) fn render(args: &Render) -> Result<ExitCode, Failure> {
    let (path, rules) = (&args.scenario, args.rules.as_deref());
    let tried = Tried::read(path, rules)?.about(&args.service, path, rules)?;
    let Some(service) = &tried.service else { return Ok(ExitCode::FAILURE) };
    tried.evaluate(|acquisition| {
        let report = tried.report(acquisition);
        if !report.faults.is_empty() {
            for fault in &report.faults {
                errln!("fault: {fault}");
            }
            return Ok(ExitCode::FAILURE);
        }
        match service.render(acquisition, Strictness::Utmost) {
            Ok(configuration) => {
                out!("{configuration}");
                Ok(ExitCode::SUCCESS)
            }
            Err(fault) => Err(anyhow::anyhow!("{fault}").into()),
        }
    })
}

/// Tries scenarios of services.
pub(super) fn test(args: &Test) -> Result<ExitCode, Failure> {
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for trials in try_all(&args.rules, args.service.as_deref())? {
        if trials.tried.is_empty() {
            outln!("{}: no scenarios", trials.service);
        }
        for (path, trial) in trials.tried {
            let golden = path.with_extension("conf");
            let name = path.display();
            let told = match trial {
                Ok(Trial::Passed) => None,
                Ok(Trial::New { rendered } | Trial::Differs { rendered, .. }) if args.write => {
                    std::fs::write(&golden, rendered).with_context(|| format!("`{}`", golden.display()))?;
                    outln!("{name}: written");
                    None
                }
                Ok(Trial::New { .. }) => {
                    Some(format!("nothing says what it is to render: `{}` is missing", golden.display()))
                }
                Ok(Trial::Differs { diff, .. }) => Some(format!("it renders something else\n{diff}")),
                Ok(Trial::Faults { missing, unexpected }) => Some(faults(&missing, &unexpected)),
                Ok(Trial::NoGolden(fault)) => Some(format!("`{}`:{fault}", golden.display())),
                Err(error) => Some(format!("{error:#}")),
            };
            match told {
                None => passed += 1,
                Some(told) => {
                    failed += 1;
                    outln!("{name}: {told}");
                }
            }
        }
    }
    outln!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn faults(missing: &[String], unexpected: &[String]) -> String {
    let missing = missing.iter().map(|fault| format!("\n  it does not end in the fault: {fault}"));
    let unexpected = unexpected.iter().map(|fault| format!("\n  it ends in the fault: {fault}"));
    let all: String = missing.chain(unexpected).collect();
    format!("its faults are others{all}")
}

//! `linesman mode`

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use linesman_schemas::Mode;
use reqwest::Method;
use serde_json::{Value, json};

use super::preview::DryRun;
use super::show::{self, Column, column};
use super::{Args, ask};
use crate::cli::Failure;

const PATH: &str = "/api/v1/mode";
pub(in crate::cli) const COUNTS: [Column; 2] = [column("ORGANIZATION", "/organization"), column("COUNT", "/count")];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman mode show --data-dir D
  linesman mode set direct --dry-run --data-dir D
  linesman mode set direct --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Show the mode that the log has, and the one that the engine was started with
    Show,
    /// Change the mode that the log has; the engine is then to be started again with it in its configuration
    Set {
        /// The mode
        #[arg(value_name = "MODE", value_parser = PossibleValuesParser::new(Mode::ALL.map(Mode::as_str)))]
        mode: String,
        #[command(flatten)]
        dry_run: DryRun,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| {
        match &args.action {
            Action::Show => {
                let state = api.answer(api.request(Method::GET, PATH)).await?;
                if api.is_json {
                    outln!("{state}");
                    return Ok(());
                }
                let mode = |name: &str| state.get(name).map(show::plain).unwrap_or_default();
                outln!("{}", mode("mode"));
                if state.get("restart") == Some(&Value::Bool(true)) {
                    outln!(
                        "the engine runs with `{}`: start it again with `mode = \"{}\"` in its configuration",
                        mode("configured"),
                        mode("mode")
                    );
                }
            }
            Action::Set { mode, dry_run } => {
                let body = json!({ "mode": mode });
                let request = api.request(Method::PUT, PATH).query(&[("dry_run", "true")]).json(&body);
                let plan = api.answer(request).await?;
                match (dry_run.is_on(), api.is_json) {
                    (true, true) => outln!("{plan}"),
                    // What a program reads is what became of it.
                    (false, true) => {}
                    (_, false) => out!("{}", told(&plan)),
                }
                if !dry_run.is_on() {
                    return api.write(Method::PUT, PATH, Some(body)).await;
                }
                if let Some(refused) = plan.get("refused").and_then(Value::as_str) {
                    bail!("it would be refused: {refused}");
                }
            }
        }
        Ok(())
    })
}

/// What a change comes to, for people.
fn told(plan: &Value) -> String {
    let list = |name: &str| plan.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let lines = list("says").iter().map(|line| format!("{}\n", show::plain(line))).collect::<String>();
    let mut text = lines;
    for (name, title) in [("pending", "pending to the upstream"), ("cases_without_id", "cases without an id")] {
        let counts = list(name);
        if !counts.is_empty() {
            text.push_str(&format!("\n{title}\n{}", show::table(&counts, &COUNTS, show::room(false))));
        }
    }
    let proxies = list("proxies");
    if !proxies.is_empty() {
        let names: Vec<String> = proxies.iter().map(show::plain).collect();
        text.push_str(&format!("\nproxy organizations\n{}\n", names.join(" ")));
    }
    text
}

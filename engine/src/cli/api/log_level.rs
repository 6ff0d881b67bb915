//! `linesman log-level`

use std::process::ExitCode;

use reqwest::Method;
use serde_json::json;

use super::show;
use super::{Access, ask};
use crate::cli::Failure;
use crate::cli::choices::Choices;

const PATH: &str = "/api/v1/log-level";

/// Show or change what a running engine's log tells
///
/// The change holds until the engine ends; what it starts with is the setting `log.level`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman log-level --data-dir D
  linesman log-level debug --data-dir D
  linesman log-level linesman::lane=trace,info --data-dir D")]
pub(in crate::cli) struct Args {
    /// A level, or `target=level`, separated by commas
    #[arg(value_parser = Choices::log_level(), hide_possible_values = true)]
    directives: Option<String>,
    #[command(flatten)]
    access: Access,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| {
        let request = match &args.directives {
            None => api.request(Method::GET, PATH),
            Some(directives) => api.request(Method::PUT, PATH).json(&json!({"level": directives})),
        };
        let answer = api.answer(request).await?;
        if api.is_json {
            outln!("{answer}");
        } else {
            outln!("{}", answer.get("level").map(show::plain).unwrap_or_default());
        }
        Ok(())
    })
}

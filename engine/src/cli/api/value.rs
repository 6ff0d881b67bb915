//! `linesman value`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use linesman_rules::values::Explanation;
use reqwest::Method;
use serde_json::{Value, json};

use super::preview::DryRun;
use super::show::{self, Column, column};
use super::{Api, Args, ask, path_of, segment};
use crate::cli::{Failure, trials};

pub(in crate::cli) const COLUMNS: [Column; 3] =
    [column("SUBSTITUTION", "/substitution"), column("BY", "/by"), column("AT", "/at")];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman value list acme/berlin --data-dir D
  linesman value set acme/berlin 'dept=192.0.2.0/24' 'rate in 1..200m' --data-dir D
  linesman value set acme/berlin/line-7 'rate=20m' --subscription scrubbing --data-dir D
  linesman value set acme 'dept:network=' 'source=dept' --service ingress-firewall --data-dir D    as the provider
  linesman value set acme 'rate in 1..100m' --dry-run --data-dir D    what it would do, line by line
  linesman value unset acme/berlin dept --data-dir D
  linesman value explain acme/berlin/line-7 ingress-firewall source --data-dir D
  linesman value resolve scenario.toml                      what a scenario comes to: needs no engine
  linesman value resolve scenario.toml --explain rate";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List what was given at a place
    List {
        /// The place: <organization>[/<site>[/<line>]]
        place: String,
        #[command(flatten)]
        whose: Whose,
    },
    /// Give values at a place; what is given of other parameters stays
    Set {
        /// The place: <organization>[/<site>[/<line>]]
        place: String,
        /// Substitutions: [!]name[:type]*[=expression], or [!]name in expression
        #[arg(required = true)]
        substitutions: Vec<String>,
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Take back what was given of parameters at a place
    Unset {
        /// The place: <organization>[/<site>[/<line>]]
        place: String,
        /// The names of the parameters
        #[arg(required = true)]
        names: Vec<String>,
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Tell where a parameter's value at a place comes from: every source, who set it, what it was narrowed to
    Explain {
        /// The place: <organization>[/<site>[/<line>]]
        place: String,
        /// The service
        service: String,
        /// The parameter
        parameter: String,
        /// The subscription to it, where several are seen at the place
        #[arg(long, value_name = "NAME")]
        subscription: Option<String>,
        /// The activation whose values count, where several reach the place
        #[arg(long, value_name = "ID")]
        activation: Option<String>,
    },
    /// Evaluate a scenario: what value each parameter has, and what is wrong; needs no engine
    Resolve(trials::Resolve),
}

/// Whose values, of those at a place; without either the place's own.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Whose {
    /// Those of a subscription that is seen there
    #[arg(long, value_name = "NAME")]
    subscription: Option<String>,
    /// Those of a service, as the provider has localized it for the organization
    #[arg(long, value_name = "NAME", conflicts_with = "subscription")]
    service: Option<String>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    if let Action::Resolve(resolve) = &args.action {
        return trials::resolve(resolve, args.access.json);
    }
    ask(&args.access, async |api| match &args.action {
        Action::List { place, whose } => list(api, &path(place, whose)).await,
        Action::Set { place, substitutions, whose, dry_run } => {
            let body = json!({"substitutions": substitutions, "keep": true});
            api.write_or_preview(*dry_run, Method::PUT, &path(place, whose), Some(body)).await
        }
        Action::Unset { place, names, whose, dry_run } => {
            let body = json!({"unset": names, "keep": true});
            api.write_or_preview(*dry_run, Method::PUT, &path(place, whose), Some(body)).await
        }
        Action::Explain { place, service, parameter, subscription, activation } => {
            let mut query = vec![("service", service), ("parameter", parameter)];
            query.extend(subscription.iter().map(|name| ("subscription", name)));
            query.extend(activation.iter().map(|id| ("activation", id)));
            explain(api, &path_of("/api/v1/explain", place), query).await
        }
        // It was run above, without an engine.
        Action::Resolve(_) => Ok(()),
    })
}

fn path(place: &str, whose: &Whose) -> String {
    let query = match (&whose.subscription, &whose.service) {
        (Some(name), _) => format!("?subscription={}", segment(name)),
        (None, Some(name)) => format!("?service={}", segment(name)),
        (None, None) => String::new(),
    };
    format!("{}{query}", path_of("/api/v1/values", place))
}

/// Prints where a value comes from.
async fn explain(api: &Api, path: &str, query: Vec<(&str, &String)>) -> anyhow::Result<()> {
    let answer = api.get(path, &query).await?;
    if api.is_json {
        outln!("{answer}");
        return Ok(());
    }
    let explanation: Explanation = serde_json::from_value(answer).context("the answer is no explanation")?;
    out!("{explanation}");
    Ok(())
}

/// Prints what was given, a line each.
async fn list(api: &Api, path: &str) -> anyhow::Result<()> {
    let answer = api.get(path, &()).await?;
    let array = |name: &str| answer.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let lines = array("substitutions").into_iter().zip(array("given")).map(|(text, mut given)| {
        if let Some(fields) = given.as_object_mut() {
            fields.insert("substitution".to_owned(), text);
        }
        given
    });
    if api.is_json {
        lines.for_each(|line| outln!("{line}"));
        return Ok(());
    }
    out!("{}", show::table(&lines.collect::<Vec<_>>(), &COLUMNS, api.room()));
    Ok(())
}

//! `linesman service`

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::preview::{self, DryRun};
use super::show::{self, Column, column};
use super::{Api, Args, List, ask, segment};
use crate::cli::{Failure, trials};
use crate::edge::filters::tables::Services;

pub(in crate::cli) const COLUMNS: [Column; 3] =
    [column("NAME", "/name"), column("VERSION", "/version"), column("SINCE", "/since")];
pub(in crate::cli) const ROLLED_OUT: [Column; 4] = [
    column("ORGANIZATION", "/organization"),
    column("SUBSCRIPTIONS", "/subscriptions"),
    column("VERSION", "/version"),
    column("VERDICT", "/verdict"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman service list --data-dir D
  linesman service show nat --data-dir D
  linesman service load --data-dir D    the services of this engine's files, whatever another has loaded
  linesman service load --dry-run --data-dir D    what that would do
  linesman service rollout nat --canary 10 --data-dir D    ten subscriptions go over to its newest version
  linesman service rollout nat --canary 10 --dry-run --data-dir D    what it would do
  linesman service rollout nat --under acme --version 0123456789ab --data-dir D
  linesman service render nat --scenario scenario.toml --rules R    needs no engine
  linesman service test --rules R                                   nor does this
  linesman service test nat --rules R --write";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List services
    List(List<Services>),
    /// Show one, with its definition and its versions
    Show {
        /// Its name
        name: String,
    },
    /// Load the services of this engine's files into the log, whatever another has loaded
    Load {
        /// Load parameters of all also where values would be at fault by them, or two would set the same differently
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Let subscriptions go over to another version, which they do not by themselves
    Rollout {
        /// The service
        name: String,
        /// So many at the most, in the order of organizations, places and names
        #[arg(long, value_name = "N")]
        canary: Option<u32>,
        /// Those made at this place and below; without it everywhere
        #[arg(long, value_name = "PLACE")]
        under: Option<String>,
        /// The version; without it the newest
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
        /// Also where values would be at fault by it, or two would set the same differently
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Print the configuration that a service makes of a scenario; needs no engine
    Render(trials::Render),
    /// Hold the scenarios of services against the renderings beside them; needs no engine
    ///
    /// A scenario is R/services/<service>/tests/<name>.toml, and what it is to render <name>.conf beside it. One that
    /// is to end in faults has them in `faults = ["parameter: message"]`, and renders nothing.
    Test(trials::Test),
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    match &args.action {
        Action::Render(render) => return trials::render(render),
        Action::Test(test) => return trials::test(test),
        Action::List(_) | Action::Show { .. } | Action::Load { .. } | Action::Rollout { .. } => {}
    }
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => {
            api.list("/api/v1/services", list, &COLUMNS).await?;
            tell_refused(api).await
        }
        Action::Show { name } => api.show(&format!("/api/v1/services/{}", segment(name)), &()).await,
        Action::Load { force, dry_run } => {
            let force = if *force { "&force=true" } else { "" };
            let path = format!("/api/v1/policies/load?section=services{force}");
            if dry_run.is_on() { preview_load(api, &path).await } else { api.write(Method::POST, &path, None).await }
        }
        Action::Rollout { name, canary, under, version, force, dry_run } => {
            let force = force.then_some(Value::Bool(true));
            let said = [
                ("canary", canary.map(Value::from)),
                ("under", text(under)),
                ("version", text(version)),
                ("force", force),
            ];
            let said = said.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
            let (path, body) = (format!("/api/v1/services/{}/rollout", segment(name)), Value::Object(said.collect()));
            if dry_run.is_on() { preview_rollout(api, &path, &body).await } else { roll_out(api, &path, body).await }
        }
        // They were run above, without an engine.
        Action::Render(_) | Action::Test(_) => Ok(()),
    })
}

/// Tells, beside the list, which services of the engine's files are refused.
async fn tell_refused(api: &Api) -> anyhow::Result<()> {
    let readiness = api.get("/readyz", &()).await?;
    for refused in readiness.pointer("/services/files").and_then(Value::as_array).into_iter().flatten() {
        let field = |name: &str| refused.get(name).map(show::plain).unwrap_or_default();
        let stays = refused.get("stays").and_then(Value::as_bool).unwrap_or_default();
        let what = if stays { "is refused, and goes on as it was good last" } else { "is refused" };
        let place = format!("{}:{}:{}", field("path"), field("line"), field("column"));
        errln!("{place} {what}: {}", field("message"));
    }
    Ok(())
}

fn text(said: &Option<String>) -> Option<Value> {
    said.clone().map(Value::from)
}

/// Asks for it, and prints how many subscriptions of each organization go over.
async fn roll_out(api: &Api, path: &str, body: Value) -> anyhow::Result<()> {
    let key = api.command_key()?;
    let state = api.written(&Method::POST, path, &key, Some(&body)).await?;
    if api.is_json {
        outln!("{state}");
        return Ok(());
    }
    let organizations = state.get("organizations").and_then(Value::as_array).cloned().unwrap_or_default();
    let stays = tell_staying(&state);
    if organizations.is_empty() {
        let none = if stays { "no other subscription" } else { "no subscription" };
        outln!("unchanged: {none} is on another version");
        return Ok(());
    }
    let version = state.get("version").cloned().unwrap_or_default();
    let with_version = |mut one: Value| {
        if let Value::Object(fields) = &mut one {
            fields.insert("version".to_owned(), version.clone());
        }
        one
    };
    let rows: Vec<Value> = organizations.into_iter().map(with_version).collect();
    out!("{}", show::table(&rows, &ROLLED_OUT, api.room()));
    if rows.iter().any(|one| one.get("verdict").is_some_and(|verdict| verdict == "pending")) {
        errln!("not yet decided for all: the same words with `--key {key}` tell what became of it");
    }
    Ok(())
}

/// Tells of the subscriptions that cannot go over, a line each; whether there are any.
fn tell_staying(found: &Value) -> bool {
    let staying = found.get("staying").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for one in staying {
        let field = |name: &str| one.get(name).map(show::plain).unwrap_or_default();
        errln!("`{}` at `{}` stays: {}", field("subscription"), field("place"), field("reason"));
    }
    if let Some(more) = found.get("more_staying").and_then(Value::as_u64).filter(|more| *more > 0) {
        errln!("and {more} more stay");
    }
    !staying.is_empty()
}

/// Prints what it would do, organization by organization.
async fn preview_rollout(api: &Api, path: &str, body: &Value) -> anyhow::Result<()> {
    let found = api.previewed(Method::POST, path, Some(body)).await?;
    let previews = found.get("previews").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_done = |one: &Value| one.pointer("/preview/verdict").is_none_or(|verdict| verdict == "done");
    if api.is_json {
        outln!("{found}");
    } else {
        let stays = tell_staying(&found);
        if previews.is_empty() {
            let none = if stays { "no other subscription" } else { "no subscription" };
            outln!("would be unchanged: {none} is on another version");
        }
    }
    for one in previews.iter().filter(|_| !api.is_json) {
        let field = |name: &str| one.get(name).map(show::plain).unwrap_or_default();
        outln!("{}: {} subscriptions", field("organization"), field("subscriptions"));
        tell_preview(one);
    }
    if !previews.iter().all(is_done) {
        bail!("it would be refused");
    }
    Ok(())
}

fn tell_preview(one: &Value) {
    match one.get("preview").filter(|preview| preview.is_object()) {
        Some(preview) => outln!("{}", preview::told(preview)),
        None => outln!("what it would do there is not found out: it took too long\n"),
    }
}

/// Prints which services would be loaded, and what other parameters of all would do, organization by organization.
async fn preview_load(api: &Api, path: &str) -> anyhow::Result<()> {
    let found = api.previewed(Method::POST, path, None).await?;
    let items = |name: &str| found.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    if api.is_json {
        outln!("{found}");
    } else {
        for what in ["added", "changed", "removed", "refused"] {
            for name in items(what) {
                outln!("{what}: {}", show::plain(&name));
            }
        }
        let is_other = found.get("parameters") == Some(&Value::Bool(true));
        outln!("parameters of all: {}", if is_other { "changed" } else { "unchanged" });
        for one in items("previews") {
            outln!("\n{}:", one.get("organization").map(show::plain).unwrap_or_default());
            tell_preview(&one);
        }
    }
    let is_done = |one: &Value| one.pointer("/preview/verdict").is_none_or(|verdict| verdict == "done");
    if !items("previews").iter().all(is_done) {
        bail!("it would be refused");
    }
    Ok(())
}

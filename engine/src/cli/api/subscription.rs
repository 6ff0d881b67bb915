//! `linesman subscription`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::preview::DryRun;
use super::show::{Column, column};
use super::{Api, Args, List, ask, path_of, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Subscriptions;

pub(in crate::cli) const COLUMNS: [Column; 7] = [
    column("PLACE", "/place"),
    column("NAME", "/name").key(),
    column("SERVICE", "/service").name(),
    column("VERSION", "/version"),
    column("SUSPENDED", "/suspended"),
    column("ACTIVE", "/active"),
    column("SUBSTITUTIONS", "/substitutions"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman subscription list acme --data-dir D
  linesman subscription set acme/berlin scrubbing --service ingress-firewall --set 'rate=20m' --data-dir D
  linesman subscription activate acme/berlin scrubbing --dry-run --data-dir D    what devices would be told
  linesman subscription activate acme/berlin scrubbing --data-dir D
  linesman subscription activate acme/berlin/line-7 scrubbing --set 'rate=5m' --schedule night.json --data-dir D
  linesman subscription deactivate acme/berlin/line-7 scrubbing --data-dir D
  linesman subscription redeploy acme/berlin scrubbing --data-dir D    devices are told all of it once more
  linesman subscription suspend acme/berlin scrubbing --data-dir D
  linesman subscription remove acme/berlin scrubbing --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List subscriptions
    List(List<Subscriptions>),
    /// Show one
    Show(Which),
    /// Subscribe to a service, or change a subscription; what is not given stays as it is
    Set {
        #[command(flatten)]
        which: Which,
        /// The service; needed for a new one
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        /// A substitution at its own place; may be given more than once, all together take the place of those there are
        #[arg(long = "set", value_name = "SUBSTITUTION")]
        substitutions: Vec<String>,
        /// When it is active, as long as it is to be: JSON, or the file that has it; `null` for always
        #[arg(long, value_name = "JSON|FILE")]
        schedule: Option<String>,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Activate one, where it was made or below: devices of access lines there are told of it
    Activate {
        #[command(flatten)]
        which: Seen,
        /// A value for this activation alone; may be given more than once
        #[arg(long = "set", value_name = "SUBSTITUTION")]
        substitutions: Vec<String>,
        /// When it counts: JSON, or the file that has it
        #[arg(long, value_name = "JSON|FILE")]
        schedule: Option<String>,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Deactivate one, where it was made or below, with what reaches there from above
    Deactivate {
        #[command(flatten)]
        which: Seen,
        /// A value of the one activation that is meant; may be given more than once
        #[arg(long = "set", value_name = "SUBSTITUTION")]
        substitutions: Vec<String>,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Tell devices all of one once more
    Redeploy {
        #[command(flatten)]
        which: Seen,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Let one rest
    Suspend {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Let one rest no longer
    Resume {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Remove one
    Remove {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        dry_run: DryRun,
    },
}

/// Which subscription.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Which {
    /// Where it was made: <organization>[/<site>[/<line>]]
    place: String,
    /// Its name there
    name: String,
}

/// Which subscription, and where of what it is for.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Seen {
    /// Where: where it was made, or below; all access lines there are meant
    place: String,
    /// Its name, as it is seen there
    name: String,
}

impl Which {
    fn path(&self) -> String {
        path(&self.place, &self.name)
    }
}

impl Seen {
    fn path(&self, verb: &str) -> String {
        format!("{}/{verb}", path(&self.place, &self.name))
    }
}

fn path(place: &str, name: &str) -> String {
    format!("{}/{}", path_of("/api/v1/subscriptions", place), segment(name))
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/subscriptions", list, &COLUMNS).await,
        Action::Show(which) => api.show(&which.path(), &()).await,
        Action::Set { which, service, substitutions, schedule, dry_run } => {
            let body = body(substitutions, schedule.as_deref())?;
            set(api, *dry_run, which, service.as_deref(), body).await
        }
        Action::Activate { which, substitutions, schedule, dry_run } => {
            let body = body(substitutions, schedule.as_deref())?;
            api.write_or_preview(*dry_run, Method::POST, &which.path("activate"), Some(body.into())).await
        }
        Action::Deactivate { which, substitutions, dry_run } => {
            let body = body(substitutions, None)?;
            api.write_or_preview(*dry_run, Method::POST, &which.path("deactivate"), Some(body.into())).await
        }
        Action::Redeploy { which, dry_run } => {
            api.write_or_preview(*dry_run, Method::POST, &which.path("redeploy"), None).await
        }
        Action::Suspend { which, dry_run } => {
            api.write_or_preview(*dry_run, Method::POST, &format!("{}/suspend", which.path()), None).await
        }
        Action::Resume { which, dry_run } => {
            api.write_or_preview(*dry_run, Method::POST, &format!("{}/resume", which.path()), None).await
        }
        Action::Remove { which, dry_run } => api.write_or_preview(*dry_run, Method::DELETE, &which.path(), None).await,
    })
}

async fn set(
    api: &Api,
    dry_run: DryRun,
    which: &Which,
    service: Option<&str>,
    mut body: Map<String, Value>,
) -> anyhow::Result<()> {
    let service = match service {
        Some(service) => json!(service),
        None => {
            let known = api.find(&which.path()).await?;
            let service = known.as_ref().and_then(|known| known.get("service")).cloned();
            service.with_context(|| {
                let Which { place, name } = which;
                format!("there is no subscription `{name}` at `{place}`: `--service` names what a new one is to")
            })?
        }
    };
    body.insert("service".to_owned(), service);
    api.write_or_preview(dry_run, Method::PUT, &which.path(), Some(body.into())).await
}

/// What is said besides of which subscription.
fn body(substitutions: &[String], schedule: Option<&str>) -> anyhow::Result<Map<String, Value>> {
    let mut body = Map::new();
    if !substitutions.is_empty() {
        body.insert("substitutions".to_owned(), json!(substitutions));
    }
    if let Some(text) = schedule {
        body.insert("schedule".to_owned(), schedule_of(text)?);
    }
    Ok(body)
}

/// A schedule as it is said, or as a file says it.
fn schedule_of(text: &str) -> anyhow::Result<Value> {
    let said = text.trim_start();
    if said.starts_with('{') || said.trim_end() == "null" {
        return serde_json::from_str(text).context("`--schedule` is no JSON");
    }
    let content = std::fs::read_to_string(text)
        .with_context(|| format!("`--schedule` is no JSON object, and no file that can be read: `{text}`"))?;
    serde_json::from_str(&content).with_context(|| format!("the schedule in `{text}` is no JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_said_or_in_a_file() {
        let night = json!({"start": "2026-03-01T22:00:00", "duration_s": 7200});
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("night.json");
        std::fs::write(&file, night.to_string()).unwrap();
        assert_eq!(schedule_of(file.to_str().unwrap()).unwrap(), night);
        assert_eq!(schedule_of(&format!(" {night}")).unwrap(), night);
        assert_eq!(schedule_of("null").unwrap(), Value::Null);
        let told = |text: &str| schedule_of(text).unwrap_err().to_string();
        assert_eq!(told("{"), "`--schedule` is no JSON");
        assert_eq!(told("gone.json"), "`--schedule` is no JSON object, and no file that can be read: `gone.json`");
        std::fs::write(&file, "at night").unwrap();
        assert_eq!(told(file.to_str().unwrap()), format!("the schedule in `{}` is no JSON", file.display()));
    }
}

//! `linesman subscription`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::show::{Column, column};
use super::{Api, Args, List, ask, path_of, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Subscriptions;

const COLUMNS: [Column; 7] = [
    column("PLACE", "/place"),
    column("NAME", "/name"),
    column("SERVICE", "/service"),
    column("VERSION", "/version"),
    column("SUSPENDED", "/suspended"),
    column("ACTIVE", "/active"),
    column("SUBSTITUTIONS", "/substitutions"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman subscription list --under acme --data-dir D
  linesman subscription set acme/berlin scrubbing --service ingress-firewall --set 'rate=20m' --data-dir D
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
    },
    /// Let one rest
    Suspend(Which),
    /// Let one rest no longer
    Resume(Which),
    /// Remove one
    Remove(Which),
}

/// Which subscription.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Which {
    /// Where it was made: <organization>[/<site>[/<line>]]
    place: String,
    /// Its name there
    name: String,
}

impl Which {
    fn path(&self) -> String {
        format!("{}/{}", path_of("/api/v1/subscriptions", &self.place), segment(&self.name))
    }
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/subscriptions", list, &COLUMNS).await,
        Action::Show(which) => api.show(&which.path(), &()).await,
        Action::Set { which, service, substitutions } => set(api, which, service.as_deref(), substitutions).await,
        Action::Suspend(which) => api.write(Method::POST, &format!("{}/suspend", which.path()), None).await,
        Action::Resume(which) => api.write(Method::POST, &format!("{}/resume", which.path()), None).await,
        Action::Remove(which) => api.write(Method::DELETE, &which.path(), None).await,
    })
}

async fn set(api: &Api, which: &Which, service: Option<&str>, substitutions: &[String]) -> anyhow::Result<()> {
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
    let mut body = Map::from_iter([("service".to_owned(), service)]);
    if !substitutions.is_empty() {
        body.insert("substitutions".to_owned(), json!(substitutions));
    }
    api.write(Method::PUT, &which.path(), Some(Value::Object(body))).await
}

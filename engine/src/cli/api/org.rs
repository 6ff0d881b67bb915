//! `linesman org`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use linesman_schemas::OrgName;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::secrets::new_password;
use super::show::{self, Column, column};
use super::{Api, Args, List, ask, segment};
use crate::cli::choices::Choices;
use crate::cli::{Failure, runtime};
use crate::edge::filters::tables::Organizations;

pub(in crate::cli) const COLUMNS: [Column; 6] = [
    column("NAME", "/name"),
    column("DISPLAY NAME", "/display_name").name(),
    column("PROXY", "/proxy"),
    column("STANDING", "/standing"),
    column("FILTER LEVEL", "/filter_level"),
    column("INCIDENTS", "/incidents"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman org list --data-dir D
  linesman org set acme --display-name 'Acme Corp' --proxy --filter-level 'Send all information' --data-dir D
  linesman org set acme --upload --snapshot-interval-s 604800 --data-dir D
  linesman org set acme --quota messages=1000000 --quota devices=500 --data-dir D
  linesman org credentials acme --user acme --password-file acme.password --data-dir D
  linesman org suspend acme --data-dir D
  linesman org test acme --data-dir D
  linesman org activate acme --data-dir D";

/// The names of the organizations that a running engine knows, by its data directory.
///
/// # Errors
/// No engine is ready there, or it refuses to tell.
pub(in crate::cli) fn names(data_dir: &Path) -> anyhow::Result<BTreeSet<OrgName>> {
    let api = Api::of_data_dir(data_dir)?;
    let found = runtime()?.block_on(api.every("/api/v1/organizations", &()))?;
    let name = |item: &Value| item.get("name").and_then(Value::as_str).and_then(|name| name.parse().ok());
    Ok(found.iter().filter_map(name).collect())
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List organizations
    List(List<Organizations>),
    /// Show one
    Show {
        /// Its name
        name: String,
    },
    /// Create it, or change it and lift its suspension; what is not given stays as it is
    Set {
        /// Its name: the token in subjects
        name: String,
        /// The name people see; of a new one its name
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// Whether it stands for an end customer of the partner
        #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
        proxy: Option<bool>,
        /// What may leave of its bundles, in its exact spelling; of a new one nothing
        #[arg(long, value_name = "LEVEL", value_parser = Choices::filter_level(), hide_possible_values = true)]
        filter_level: Option<String>,
        /// A device group, `<name>=<host>,<host>...`, `*` for any text; may be given more than once
        #[arg(long, value_name = "GROUP")]
        device_group: Vec<String>,
        /// By what the support system and partners above know it; empty: its name
        #[arg(long, value_name = "TEXT")]
        alias: Option<String>,
        /// Who solves what it reports: `forward` or `own`
        #[arg(long, value_name = "WHO", value_parser = Choices::handling(), hide_possible_values = true)]
        handling: Option<String>,
        /// `Real Cases`, or `Test Cases`, which are marked and go without a bundle
        #[arg(long, value_name = "KIND", value_parser = Choices::submit_case_as(), hide_possible_values = true)]
        submit_case_as: Option<String>,
        /// Where spare parts go for it; empty: where the upstream knows
        #[arg(long, value_name = "TEXT")]
        address: Option<String>,
        /// Whether bytes of its cases, and snapshots of its devices, go to the upstream too
        #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
        upload: Option<bool>,
        /// How often the newest snapshot of each of its devices goes there, 3600 at least; 0 for never
        #[arg(long, value_name = "SECONDS")]
        snapshot_interval_s: Option<u64>,
        /// What needs approval here: `<kind>=<rule>`, such as `forward-case=two-person`; may be given more than once
        #[arg(long, value_name = "RULE")]
        approval: Vec<String>,
        /// A quota: `messages=`, `bytes=`, `devices=` or `remembered-ids=` and a number, 0 for none, or `usual`, as in the settings; may be given more
        /// than once
        #[arg(long, value_name = "QUOTA")]
        quota: Vec<String>,
    },
    /// Give its controller another user and password at the partner listener, or take them back
    ///
    /// The engine keeps them sealed and shows the password to nobody again. They count at once, for organizations that have
    /// no `user` in the configuration.
    Credentials {
        /// Its name
        name: String,
        /// The user
        #[arg(long, value_name = "USER", required_unless_present = "remove", conflicts_with = "remove")]
        user: Option<String>,
        /// The file with the password (`-`: standard input); without one it is asked for
        #[arg(long, value_name = "FILE", conflicts_with = "remove")]
        password_file: Option<PathBuf>,
        /// Nobody comes by them any more
        #[arg(long)]
        remove: bool,
    },
    /// Try the way to the upstream out, step by step
    ///
    /// The engine does it, as the user and with the certificates of its configuration. Nothing is changed; that it was
    /// tried goes on record.
    Test {
        /// Its name
        name: String,
    },
    /// Let it take part again, and try the way to the upstream out
    ///
    /// Its suspension is lifted and nothing else is changed, whatever becomes of the try.
    Activate {
        /// Its name
        name: String,
    },
    /// Set its inputs aside and hold its reactions; nothing of it is deleted
    Suspend {
        /// Its name
        name: String,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/organizations", list, &COLUMNS).await,
        Action::Show { name } => api.show(&path(name), &()).await,
        Action::Set {
            name,
            display_name,
            proxy,
            filter_level,
            device_group,
            alias,
            handling,
            submit_case_as,
            address,
            upload,
            snapshot_interval_s,
            approval,
            quota,
        } => {
            let groups = device_group.iter().map(|text| group(text)).collect::<anyhow::Result<Vec<_>>>()?;
            let known = api.find(&path(name)).await?.unwrap_or_default();
            let stays = |name: &str| known.get(name).cloned();
            let groups = Some(json!(groups)).filter(|_| !device_group.is_empty());
            let approvals = Some(rules(known.get("approvals"), approval)?).filter(|_| !approval.is_empty());
            let quotas = Some(quotas(known.get("quotas"), quota)?).filter(|_| !quota.is_empty());
            let given = [
                ("display_name", display_name.clone().map(Value::from)),
                ("proxy", proxy.map(Value::from)),
                ("filter_level", filter_level.clone().map(Value::from)),
                ("device_groups", groups),
                ("alias", alias.clone().map(Value::from)),
                ("handling", handling.clone().map(Value::from)),
                ("submit_case_as", submit_case_as.clone().map(Value::from)),
                ("address", address.clone().map(Value::from)),
                ("upload", upload.map(Value::from)),
                ("snapshot_interval_s", snapshot_interval_s.map(Value::from)),
                ("approvals", approvals),
                ("quotas", quotas),
            ];
            let body: Map<String, Value> = SETTINGS
                .into_iter()
                .map(|name| {
                    let given = given.iter().find(|(known, _)| *known == name);
                    (name, given.and_then(|(_, given)| given.clone()))
                })
                .filter_map(|(name, given)| Some((name.to_owned(), given.or_else(|| stays(name))?)))
                .chain(known.is_null().then(|| ("proxy".to_owned(), json!(proxy.unwrap_or(false)))))
                .collect();
            api.write(Method::PUT, &path(name), Some(body.into())).await
        }
        Action::Credentials { name, user, password_file, .. } => {
            credentials(api, name, user.as_deref(), password_file.as_deref()).await
        }
        Action::Test { name } => test(api, name).await.map(drop),
        Action::Activate { name } => {
            api.write(Method::POST, &format!("{}/activate", path(name)), None).await?;
            test(api, name)
                .await
                .with_context(|| format!("`{name}` takes part, and the way to the upstream is not free"))
        }
        Action::Suspend { name } => api.write(Method::POST, &format!("{}/suspend", path(name)), None).await,
    })
}

/// What a change says of all that an organization is.
const SETTINGS: [&str; 12] = [
    "display_name",
    "proxy",
    "filter_level",
    "device_groups",
    "alias",
    "handling",
    "submit_case_as",
    "address",
    "upload",
    "snapshot_interval_s",
    "approvals",
    "quotas",
];

/// What needs approval, where some of it is said anew.
fn rules(known: Option<&Value>, given: &[String]) -> anyhow::Result<Value> {
    let mut rules = known.and_then(Value::as_object).cloned().unwrap_or_default();
    for text in given {
        let (kind, rule) =
            text.split_once('=').with_context(|| format!("`{text}` is no rule of approvals: `<kind>=<rule>`"))?;
        rules.insert(kind.to_owned(), json!(rule));
    }
    Ok(rules.into())
}

/// The quotas, where some are said anew.
fn quotas(known: Option<&Value>, given: &[String]) -> anyhow::Result<Value> {
    let mut quotas = known.and_then(Value::as_object).cloned().unwrap_or_default();
    for text in given {
        let fault = || format!("`{text}` is no quota: `<kind>=<number>` or `<kind>=usual`");
        let (kind, most) = text.split_once('=').with_context(fault)?;
        let kind = kind.replace('-', "_");
        match most {
            "usual" => quotas.remove(&kind),
            most => quotas.insert(kind, json!(most.parse::<u64>().ok().with_context(fault)?)),
        };
    }
    Ok(quotas.into())
}

/// Gives an end customer's controller a user and a password, or takes them back.
async fn credentials(api: &Api, name: &str, user: Option<&str>, password: Option<&Path>) -> anyhow::Result<()> {
    let path = format!("{}/credentials", path(name));
    let request = match user {
        Some(user) => {
            let password = new_password(password, "password")?;
            api.request(Method::PUT, &path).json(&json!({ "user": user, "password": password }))
        }
        None => api.request(Method::DELETE, &path),
    };
    let answer = api.answer(request).await?;
    if api.is_json {
        outln!("{answer}");
    } else {
        outln!("changed");
    }
    Ok(())
}

pub(in crate::cli) const STEPS: [Column; 3] =
    [column("STEP", "/step"), column("OUTCOME", "/outcome"), column("DETAIL", "/detail")];

/// Tries the way to the upstream out and shows how that went.
///
/// # Errors
/// A step failed.
async fn test(api: &Api, name: &str) -> anyhow::Result<()> {
    let tried = api.answer(api.request(Method::POST, &format!("{}/test", path(name)))).await?;
    let steps = tried.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
    if api.is_json {
        outln!("{tried}");
    } else {
        out!("{}", show::table(&steps, &STEPS, api.room()));
    }
    let Some(failed) = steps.iter().find(|step| step.get("outcome").is_some_and(|outcome| outcome == "failed")) else {
        return Ok(());
    };
    let text = |name: &str| failed.get(name).map(show::plain).unwrap_or_default();
    bail!("the step `{}` failed: {}; {}", text("step"), text("detail"), text("help"))
}

fn path(name: &str) -> String {
    format!("/api/v1/organizations/{}", segment(name))
}

fn group(text: &str) -> anyhow::Result<Value> {
    let (name, devices) =
        text.split_once('=').with_context(|| format!("`{text}` is no device group: `<name>=<host>,...`"))?;
    let devices: Vec<&str> = devices.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
    Ok(json!({ "name": name, "devices": devices }))
}

//! `linesman group`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::show::{Column, column, plain, said_column};
use super::{Args, List, ask, path_of};
use crate::cli::Failure;
use crate::edge::filters::tables::Groups;

pub(in crate::cli) const COLUMNS: [Column; 5] = [
    column("NAME", "/name"),
    column("MEMBERS", "/members"),
    column("ORGANIZATIONS", "/organizations"),
    said_column("DEVICE GROUPS", "/device_groups", tied),
    column("GRANTED BY", "/granted_by"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman group list --data-dir D
  linesman group set night-shift --member bob --member eve --organization acme --data-dir D
  linesman group set night-shift --device-group acme=core --data-dir D
  linesman group set night-shift --member '' --data-dir D    nobody is in it any more";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List user groups
    List(List<Groups>),
    /// Show one
    Show {
        /// Its name
        name: String,
    },
    /// Make a new one
    Add {
        /// Its name
        name: String,
        #[command(flatten)]
        ties: Ties,
    },
    /// Make it, or change it; what is not given stays as it is
    Set {
        /// Its name
        name: String,
        #[command(flatten)]
        ties: Ties,
    },
    /// Remove it
    Remove {
        /// Its name
        name: String,
    },
}

/// Who is in a group, and what they see by it. Each may be given more than once, and empty for none.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Ties {
    /// Who of the provider's people is in it
    #[arg(long = "member", value_name = "NAME")]
    members: Option<Vec<String>>,
    /// An organization that they see
    #[arg(long = "organization", value_name = "ORG")]
    organizations: Option<Vec<String>>,
    /// A device group that they see
    #[arg(long = "device-group", value_name = "ORG=NAME")]
    device_groups: Option<Vec<String>>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/groups", list, &COLUMNS).await,
        Action::Show { name } => api.show(&path(name), &()).await,
        Action::Add { name, ties } => api.add(&path(name), "group", name, ties.body()?).await,
        Action::Set { name, ties } => api.write(Method::PUT, &path(name), Some(ties.body()?)).await,
        Action::Remove { name } => api.write(Method::DELETE, &path(name), None).await,
    })
}

fn path(name: &str) -> String {
    path_of("/api/v1/groups", name)
}

impl Ties {
    fn body(&self) -> anyhow::Result<Value> {
        let tied = |text: &String| {
            let (organization, name) = text
                .split_once('=')
                .with_context(|| format!("`{text}` is no device group: `<organization>=<name>`"))?;
            Ok(json!({ "organization": organization, "name": name }))
        };
        let device_groups = match &self.device_groups {
            Some(groups) => Some(said(groups).into_iter().map(tied).collect::<anyhow::Result<Vec<_>>>()?.into()),
            None => None,
        };
        let body: Map<String, Value> = [
            ("members", self.members.as_deref().map(|names| json!(said(names)))),
            ("organizations", self.organizations.as_deref().map(|names| json!(said(names)))),
            ("device_groups", device_groups),
        ]
        .into_iter()
        .filter_map(|(name, given)| Some((name.to_owned(), given?)))
        .collect();
        Ok(body.into())
    }
}

/// Device groups, as `--device-group` takes them.
fn tied(groups: &Value) -> String {
    let text = |group: &Value, name: &str| group.get(name).map(plain).unwrap_or_default();
    let one = |group: &Value| format!("{}={}", text(group, "organization"), text(group, "name"));
    groups.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

/// Texts that are given; an empty one alone is none.
fn said(texts: &[String]) -> Vec<&String> {
    texts.iter().filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::api::show::{Room, table};

    #[test]
    fn a_table_shows_all_that_a_group_is_tied_to() {
        let groups = json!([{"organization": "acme", "name": "core"}, {"organization": "bolt", "name": "lab"}]);
        let labs = json!({"name": "labs", "members": ["bob"], "organizations": ["acme"], "device_groups": groups, "granted_by": "eve"});
        let bare =
            json!({"name": "bare", "members": [], "organizations": [], "device_groups": [], "granted_by": "eve"});
        assert_eq!(
            anstream::adapter::strip_str(&table(&[labs, bare], &COLUMNS, Room::default())).to_string(),
            "NAME  MEMBERS  ORGANIZATIONS  DEVICE GROUPS        GRANTED BY\n\
             labs  bob      acme           acme=core, bolt=lab  eve\n\
             bare                                               eve\n"
        );
    }
}

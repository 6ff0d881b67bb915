//! `linesman session`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;

use super::show::{Column, column};
use super::token::{query, whose};
use super::{Args, Never, ask, segment};
use crate::cli::Failure;

pub(in crate::cli) const COLUMNS: [Column; 6] = [
    column("ID", "/id"),
    column("SOURCE", "/source"),
    column("CREATED", "/created"),
    column("USED", "/used"),
    column("EXPIRES", "/expires"),
    column("CURRENT", "/is_current"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman session list
  linesman session show 5f0c77a1d2e3b4c5
  linesman session remove 5f0c77a1d2e3b4c5
  linesman session list --login acme/ann";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List those that are good
    List {
        /// Those of a manager you manage, not your own
        #[arg(long, value_name = "L")]
        login: Option<String>,
    },
    /// Show one that is good
    Show {
        /// Its id, as the list shows it
        id: String,
        /// Whose, of a manager you manage
        #[arg(long, value_name = "L")]
        login: Option<String>,
    },
    /// There is none: a session begins with a password
    #[command(hide = true)]
    Add(Never),
    /// There is none: a session stays as it began
    #[command(hide = true)]
    Set(Never),
    /// End one
    Remove {
        /// Its id, as the list shows it
        id: String,
        /// Whose, of a manager you manage
        #[arg(long, value_name = "L")]
        login: Option<String>,
    },
}

/// What is said to who wants to make one.
const NEVER_ADDED: &str = "a session begins with a password: use `linesman login`";
/// What is said to who wants to change one.
const NEVER_SET: &str = "a session stays as it began: end it with `linesman session remove`, and begin another with \
                         `linesman login`";

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    match args.action {
        Action::Add(_) => return Err(Failure::Unused(NEVER_ADDED)),
        Action::Set(_) => return Err(Failure::Unused(NEVER_SET)),
        _ => {}
    }
    ask(&args.access, async |api| match &args.action {
        Action::List { login } => api.all("/api/v1/sessions", &whose(login), &COLUMNS).await,
        Action::Show { id, login } => api.show(&format!("/api/v1/sessions/{}", segment(id)), &whose(login)).await,
        // They were answered above, without an engine.
        Action::Add(_) | Action::Set(_) => Ok(()),
        Action::Remove { id, login } => {
            let path = format!("/api/v1/sessions/{}{}", segment(id), query(login));
            api.write(Method::DELETE, &path, None).await
        }
    })
}

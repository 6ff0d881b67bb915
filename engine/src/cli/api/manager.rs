//! `linesman manager`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde_json::json;

use super::{Args, ask, secrets};
use crate::cli::Failure;

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman manager reset-password acme/ann
  linesman manager reset-password admin --password-file F --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Give a manager another password, which its owner has to change; with the data directory that of everybody
    ResetPassword {
        /// Whose
        login: String,
        /// The file with the password, `-` for standard input; else asked for
        #[arg(long, value_name = "F")]
        password_file: Option<PathBuf>,
    },
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    match &args.action {
        Action::ResetPassword { login, password_file } => {
            let password = secrets::new_password(password_file.as_deref(), &format!("new password of {login}"))?;
            let body = json!({"login": login, "password": password});
            ask(&args.access, async |api| api.write(Method::POST, "/api/v1/password-resets", Some(body.clone())).await)
        }
    }
}

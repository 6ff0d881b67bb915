//! `linesman login`, `logout`, `whoami`, `password`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::kept::{self, Kept};
use super::manager::granted_in_words;
use super::{Access, Api, ask, secrets, show};
use crate::cli::{Failure, runtime};
use crate::data_dir::private::random_hex;

/// Log in at an engine's API, for the commands behind it
///
/// The session is kept in a file that only you can read. A password that somebody else set is changed at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman login --login acme/ann --api https://lines.example:8443 --ca ca.pem
  linesman login --data-dir D
  linesman incident list
  linesman logout")]
pub(in crate::cli) struct LogIn {
    /// Who: `<name>` of the provider's people, `<organization>/<name>` of an organization's managers; else asked for
    #[arg(long, value_name = "L")]
    login: Option<String>,
    /// The file with the password, `-` for standard input; else asked for
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
    /// The file with the password from here on, where it has to be changed; else asked for
    #[arg(long, value_name = "F")]
    new_password_file: Option<PathBuf>,
    #[command(flatten)]
    access: Access,
}

/// Change your own password; all your sessions end, and a new one begins
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linesman password
  linesman password --password-file old --new-password-file new")]
pub(in crate::cli) struct Password {
    /// The file with the password of now, `-` for standard input; else asked for
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
    /// The file with the password from here on; else asked for
    #[arg(long, value_name = "F")]
    new_password_file: Option<PathBuf>,
    #[command(flatten)]
    access: Access,
}

/// End the session that `linesman login` began
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct LogOut {
    #[command(flatten)]
    access: Access,
}

/// Who asks, and what they may
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct WhoAmI {
    #[command(flatten)]
    access: Access,
}

pub(in crate::cli) fn log_in(args: &LogIn) -> Result<ExitCode, Failure> {
    let access = &args.access;
    let api = Api::anonymous(access)?;
    let login = match &args.login {
        Some(login) => login.clone(),
        None => secrets::login()?,
    };
    let password = secrets::password(args.password_file.as_deref(), &format!("password of {login}"))?;
    runtime()?.block_on(async {
        let mut begun = begin(&api, access, &login, &password).await?;
        let must_change = begun.get("must_change_password") == Some(&Value::Bool(true));
        if must_change && (args.new_password_file.is_some() || secrets::has_somebody()) {
            let new = secrets::new_password(args.new_password_file.as_deref(), "new password")?;
            // As whoever has just logged in, whatever else the command names.
            let token = begun.get("token").map(show::plain).unwrap_or_default();
            let own = Api { token, is_session: true, ..Api::anonymous(access)? };
            change(&own, &password, &new).await?;
            begun = begin(&api, access, &login, &new).await?;
        } else if must_change {
            errln!("the password was set by somebody else: change it with `linesman password`");
        }
        tell(access, &login, &begun);
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli) fn password(args: &Password) -> Result<ExitCode, Failure> {
    let access = &args.access;
    let api = Api::new(access)?;
    let old = secrets::password(args.password_file.as_deref(), "password of now")?;
    let new = secrets::new_password(args.new_password_file.as_deref(), "new password")?;
    runtime()?.block_on(async {
        let me = api.get("/api/v1/me", &()).await?;
        let login = show::plain(me.get("login").unwrap_or(&Value::Null));
        // Who came by the engine's token has no session that has ended.
        if api.is_session {
            change(&api, &old, &new).await?;
            begin(&api, access, &login, &new).await?;
        } else {
            change(&api, &old, &new).await.map_err(|error| by_token(&error, &login))?;
        }
        outln!("changed");
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli) fn log_out(args: &LogOut) -> Result<ExitCode, Failure> {
    let path = kept::path(args.access.session_file.as_deref())?;
    let Some(kept) = Kept::read(&path)? else {
        outln!("nobody is logged in");
        return Ok(ExitCode::SUCCESS);
    };
    let api = Api::of_kept(&kept, &args.access)?;
    let ended = runtime()?.block_on(api.send(&Method::DELETE, "/api/v1/session", &key()?, None));
    // A session that has ended is as good as logged out; one that was not reached ends by itself.
    kept::forget(&path)?;
    match ended {
        Err(error) if super::status(&error).is_none() => {
            Err(error.context("the session is forgotten here only").into())
        }
        _ => {
            outln!("logged out");
            Ok(ExitCode::SUCCESS)
        }
    }
}

pub(in crate::cli) fn who_am_i(args: &WhoAmI) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| api.show_said("/api/v1/me", &(), granted_in_words).await)
}

/// A session begins, and is kept.
async fn begin(api: &Api, access: &Access, login: &str, password: &str) -> anyhow::Result<Value> {
    let body = json!({"login": login, "password": password});
    let begun = api.answer(api.anonymous_request(Method::POST, "/api/v1/session").json(&body)).await?;
    let token = begun.get("token").and_then(Value::as_str).context("the answer has no session")?.to_owned();
    let kept = Kept { api: api.base().clone(), ca: api.ca.clone(), login: login.to_owned(), token };
    kept.write(&kept::path(access.session_file.as_deref())?)?;
    Ok(begun)
}

async fn change(api: &Api, old: &str, new: &str) -> anyhow::Result<()> {
    let body = json!({"old": old, "new": new});
    api.send(&Method::PUT, "/api/v1/me/password", &key()?, Some(&body)).await.map(drop)
}

/// Why a password was not changed by a token, and what can be done.
fn by_token(error: &anyhow::Error, login: &str) -> anyhow::Error {
    let help = match super::status(error) {
        Some(StatusCode::FORBIDDEN) => "; `linesman login` begins a session, by which it is".to_owned(),
        Some(StatusCode::UNPROCESSABLE_ENTITY) if error.to_string().contains("password of now") => {
            format!("; `linesman manager reset-password {login}` asks for none, with the data directory")
        }
        _ => String::new(),
    };
    anyhow::anyhow!("{error:#}{help}")
}

fn key() -> anyhow::Result<String> {
    Ok(format!("cli-{}", random_hex::<16>()?))
}

fn tell(access: &Access, login: &str, begun: &Value) {
    let expires = begun.get("expires").unwrap_or(&Value::Null);
    if access.json {
        let must_change = begun.get("must_change_password");
        outln!("{}", json!({"login": login, "expires": expires, "must_change_password": must_change}));
    } else {
        outln!("logged in as {login}, until {}", show::plain(expires));
    }
}

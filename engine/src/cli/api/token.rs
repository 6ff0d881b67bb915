//! `linesman token`

use std::process::ExitCode;

use clap::Subcommand;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::show::{Column, column, plain, said_column};
use super::{Args, Never, ask, segment};
use crate::cli::Failure;

pub(in crate::cli) const COLUMNS: [Column; 7] = [
    column("NAME", "/name"),
    column("CREATED", "/created"),
    column("USED", "/used"),
    column("EXPIRES", "/expires"),
    said_column("SPHERE", "/sphere", places),
    said_column("PRIVILEGES", "/privileges", privileges),
    said_column("RIGHTS", "/rights", rights),
];
/// What is said of a token that was given no bounds of its own.
const AS_OWNER: &str = "as its owner";

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman token list
  linesman token add nightly --expires 2027-01-01T00:00:00Z --sphere acme/berlin --privileges=
  linesman token show nightly
  linesman token remove nightly
  linesman token list --login acme/ann";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List them
    List {
        /// Those of a manager you manage, not your own
        #[arg(long, value_name = "L")]
        login: Option<String>,
    },
    /// Show one; its secret is shown when it is made, and never again
    Show {
        /// Its name
        name: String,
        /// Whose, of a manager you manage
        #[arg(long, value_name = "L")]
        login: Option<String>,
    },
    /// Make one, which is shown once; what is not given is as much as you may yourself
    Add {
        /// Its name among yours
        name: String,
        /// Until when it is good, in RFC 3339; else until it is removed
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires: Option<Timestamp>,
        /// Where, with commas between
        #[arg(long, value_name = "PLACES", value_delimiter = ',', num_args = 0..)]
        sphere: Option<Vec<String>>,
        /// What, with commas between: subscription, substitution, activation, managers
        #[arg(long, value_name = "PRIVILEGES", value_delimiter = ',', num_args = 0..)]
        privileges: Option<Vec<String>>,
        /// What else, of the provider's people, with commas between: `audit`, `incidents=own` and so on
        #[arg(long, value_name = "RIGHTS", value_delimiter = ',', num_args = 0..)]
        rights: Option<Vec<String>>,
    },
    /// There is none: a token stays as it was made
    #[command(hide = true)]
    Set(Never),
    /// Take one back
    Remove {
        /// Its name
        name: String,
        /// Whose, of a manager you manage
        #[arg(long, value_name = "L")]
        login: Option<String>,
    },
}

/// What is said to who wants to change one.
const NEVER_SET: &str = "a token stays as it was made: make another with `linesman token add`, and take this one back \
                         with `linesman token remove`";

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    if let Action::Set(_) = args.action {
        return Err(Failure::Unused(NEVER_SET));
    }
    ask(&args.access, async |api| match &args.action {
        Action::List { login } => api.all("/api/v1/tokens", &whose(login), &COLUMNS).await,
        Action::Show { name, login } => {
            api.show_said(&format!("/api/v1/tokens/{}", segment(name)), &whose(login), in_words).await
        }
        Action::Add { name, expires, sphere, privileges, rights } => {
            let body: Map<String, Value> = [
                ("name", Some(json!(name))),
                ("expires", expires.map(|expires| json!(expires))),
                ("sphere", sphere.as_deref().map(words)),
                ("privileges", privileges.as_deref().map(words)),
                ("rights", rights.as_deref().map(by_word)),
            ]
            .into_iter()
            .filter_map(|(name, given)| Some((name.to_owned(), given?)))
            .collect();
            api.write_secret(Method::POST, "/api/v1/tokens", body.into(), "/token").await
        }
        // It was answered above, without an engine.
        Action::Set(_) => Ok(()),
        Action::Remove { name, login } => {
            let path = format!("/api/v1/tokens/{}{}", segment(name), query(login));
            api.write(Method::DELETE, &path, None).await
        }
    })
}

/// The parameter that says whose is asked for.
pub(super) fn whose(login: &Option<String>) -> Vec<(&'static str, String)> {
    login.iter().map(|login| ("login", login.clone())).collect()
}

/// The same, as a path has it.
pub(super) fn query(login: &Option<String>) -> String {
    login.as_ref().map(|login| format!("?login={}", segment(login))).unwrap_or_default()
}

/// A time as the API takes it.
fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| {
        "this is no time in RFC 3339, which is a date, a time and a zone: `2027-01-01T00:00:00Z`, or \
         `2027-01-01T08:00:00+01:00`"
    })
}

fn words(words: &[String]) -> Value {
    words.iter().filter(|word| !word.is_empty()).cloned().map(Value::from).collect::<Vec<_>>().into()
}

/// Rights as the API takes them: `audit` is yes, `incidents=own` a step.
fn by_word(rights: &[String]) -> Value {
    let rights = rights.iter().filter(|right| !right.is_empty());
    let one = |right: &String| match right.split_once('=') {
        Some((name, step)) => (name.to_owned(), json!(step)),
        None => (right.clone(), json!(true)),
    };
    Value::Object(rights.map(one).collect())
}

/// A token for people: a card leaves out what is empty, which here says much.
fn in_words(mut token: Value) -> Value {
    let mut put = |name: &str, said: fn(&Value) -> String| {
        if let Some(field) = token.get_mut(name) {
            *field = said(field).into();
        }
    };
    put("sphere", places);
    put("privileges", privileges);
    put("rights", rights);
    token
}

fn places(sphere: &Value) -> String {
    bounded(sphere, "nowhere")
}

fn privileges(privileges: &Value) -> String {
    bounded(privileges, "none")
}

/// Rights, as `--rights` takes them.
fn rights(rights: &Value) -> String {
    let Value::Object(rights) = rights else { return AS_OWNER.to_owned() };
    let one = |(name, value): (&String, &Value)| match value {
        Value::Bool(is_given) => is_given.then(|| name.clone()),
        Value::String(step) => (step != "none").then(|| format!("{name}={step}")),
        _ => None,
    };
    bounded(&rights.iter().filter_map(one).collect(), "none")
}

/// What a token was given: nothing at all is said as `empty`.
fn bounded(given: &Value, empty: &str) -> String {
    match given {
        Value::Null => AS_OWNER.to_owned(),
        Value::Array(items) if items.is_empty() => empty.to_owned(),
        given => plain(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::api::show::{Room, card, table};

    fn strip(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_token_that_may_do_nothing_is_told_from_one_without_bounds() {
        let free = json!({"name": "free", "sphere": null, "privileges": null, "rights": null});
        let bare = json!({
            "name": "bare", "sphere": [], "privileges": [], "rights": {"audit": false, "incidents": "none"},
        });
        let some = json!({
            "name": "some", "sphere": ["acme"], "privileges": ["managers"],
            "rights": {"audit": true, "cases": false, "incidents": "own"},
        });
        assert_eq!(
            strip(&table(&[free, bare.clone(), some], &COLUMNS, Room::default())),
            "NAME  CREATED  USED  EXPIRES  SPHERE        PRIVILEGES    RIGHTS\n\
             free                          as its owner  as its owner  as its owner\n\
             bare                          nowhere       none          none\n\
             some                          acme          managers      audit, incidents=own\n"
        );
        assert_eq!(
            strip(&card(&in_words(bare))),
            "name        bare\nprivileges  none\nrights      none\nsphere      nowhere\n"
        );
    }
}

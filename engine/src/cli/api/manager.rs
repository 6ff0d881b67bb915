//! `linesman manager`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::show::{self, Column, column};
use super::{Api, Args, List, ask, path_of, secrets};
use crate::cli::Failure;
use crate::edge::filters::tables::Managers;

pub(in crate::cli) const COLUMNS: [Column; 5] = [
    column("LOGIN", "/login"),
    column("SPHERE", "/sphere"),
    column("PRIVILEGES", "/privileges"),
    column("GRANTED BY", "/granted_by"),
    column("CHANGED", "/changed"),
];

/// Of the chain of granters.
pub(in crate::cli) const LINKS: [Column; 5] = [
    column("LOGIN", "/login"),
    column("HAS IT", "/has"),
    column("HAS PLACE", "/covers"),
    column("GONE", "/gone"),
    column("SPHERE", "/sphere"),
];
/// Of groups.
pub(in crate::cli) const GROUPS: [Column; 3] =
    [column("GROUP", "/name"), column("HAS PLACE", "/covers"), column("GRANTED BY", "/granted_by")];

/// Of attempts that would end otherwise.
pub(in crate::cli) const CHANGED: [Column; 6] = [
    column("PERSON", "/actor"),
    column("PLACE", "/place"),
    column("OPERATION", "/operation"),
    column("BEFORE", "/before"),
    column("AFTER", "/after"),
    column("ATTEMPTS", "/attempts"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman manager list --under acme --data-dir D
  linesman manager add acme/ann --sphere acme/berlin --privilege managers --privilege substitution --data-dir D
  linesman manager set bob --sphere acme --right policies --incidents own --data-dir D
  linesman manager set bob --privilege '' --data-dir D      none any more
  linesman manager why acme/ann set-manager acme/berlin --data-dir D
  linesman manager simulate --without acme/ann:managers --data-dir D
  linesman manager remove acme/ann --data-dir D
  linesman manager reset-password admin --password-file F --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List managers
    List(List<Managers>),
    /// Show one, with what its grant comes to
    Show {
        /// The login: <organization>/<name>, or a name of the provider's
        login: String,
    },
    /// Make a new one
    Add {
        /// The login: <organization>/<name>, or a name of the provider's
        login: String,
        #[command(flatten)]
        grant: Grant,
    },
    /// Make it, or change it; what is not given stays as it is
    Set {
        /// The login: <organization>/<name>, or a name of the provider's
        login: String,
        #[command(flatten)]
        grant: Grant,
    },
    /// Tell why it may do something at a place, or may not: what each link of the chain of granters has
    Why {
        /// The login: <organization>/<name>, or a name of the provider's
        login: String,
        /// The operation, as the audit names it, such as set-manager
        operation: String,
        /// The place: <organization>[/<site>[/<line>]], or /
        place: String,
    },
    /// Hold a change of rights against the attempts of the last 90 days: who would be refused, who let in
    Simulate(Change),
    /// Remove it; whom it has granted anything is handed to its granter
    Remove {
        /// The login: <organization>/<name>, or a name of the provider's
        login: String,
    },
    /// Give a manager another password, which its owner has to change; with the data directory that of everybody
    ResetPassword {
        /// Whose
        login: String,
        /// The file with the password, `-` for standard input; else asked for
        #[arg(long, value_name = "F")]
        password_file: Option<PathBuf>,
    },
}

/// What somebody is granted, for people: a card leaves out what is empty, which here says much.
pub(super) fn granted_in_words(mut manager: Value) -> Value {
    for part in ["", "/effective"] {
        for name in ["sphere", "privileges"] {
            let field = manager.pointer_mut(&format!("{part}/{name}"));
            if let Some(field) = field.filter(|field| field.as_array().is_some_and(Vec::is_empty)) {
                *field = "none".into();
            }
        }
    }
    manager
}

/// A change of rights. Nothing of it is done.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Change {
    /// The change in JSON, as `POST /api/v1/rights/simulate` takes it
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A manager that is removed; may be given more than once
    #[arg(long, value_name = "LOGIN")]
    revoke: Vec<String>,
    /// A privilege or a right that is taken away; may be given more than once
    #[arg(long, value_name = "LOGIN:PRIVILEGE")]
    without: Vec<String>,
    /// Look only at attempts at this place and below it
    #[arg(long, value_name = "PLACE")]
    under: Option<String>,
}

/// What somebody is granted. Each may be given more than once, and empty for none.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Grant {
    /// A place of its sphere, with all that lies below it
    #[arg(long, value_name = "PLACE")]
    sphere: Option<Vec<String>>,
    /// `subscription`, `substitution`, `activation`, `managers`; without one it may read
    #[arg(long = "privilege", value_name = "PRIVILEGE")]
    privileges: Option<Vec<String>>,
    /// A right of one of the provider's people, such as `policies`; those not given are taken away
    #[arg(long = "right", value_name = "RIGHT")]
    rights: Option<Vec<String>>,
    /// How far one of the provider's people may work on incidents: `none`, `own`, `any`, `delegate`
    #[arg(long, value_name = "STEP")]
    incidents: Option<String>,
    /// The file with its password, which its owner has to change; `-` for standard input
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/managers", list, &COLUMNS).await,
        Action::Show { login } => api.show_said(&path(login), &(), granted_in_words).await,
        Action::Add { login, grant } => api.add(&path(login), "manager", login, grant.whole(&Value::Null)?).await,
        Action::Set { login, grant } => {
            // Rights are one whole for the engine: of two ways to give some, the other's stay.
            let known =
                if grant.needs_known() { api.find(&path(login)).await?.unwrap_or_default() } else { Value::Null };
            api.write(Method::PUT, &path(login), Some(grant.whole(&known)?)).await
        }
        Action::Why { login, operation, place } => why(api, login, operation, place).await,
        Action::Simulate(change) => simulate(api, change).await,
        Action::Remove { login } => api.write(Method::DELETE, &path(login), None).await,
        Action::ResetPassword { login, password_file } => {
            let password = secrets::new_password(password_file.as_deref(), &format!("new password of {login}"))?;
            let body = json!({"login": login, "password": password});
            api.write(Method::POST, "/api/v1/password-resets", Some(body)).await
        }
    })
}

/// Prints whether somebody may, and the chain.
async fn why(api: &Api, login: &str, operation: &str, place: &str) -> anyhow::Result<()> {
    let query = [("login", login), ("operation", operation), ("place", place)];
    let why = api.get("/api/v1/rights/why", &query).await?;
    if api.is_json {
        outln!("{why}");
        return Ok(());
    }
    let text = |name: &str| why.get(name).map(show::plain).unwrap_or_default();
    outln!("{}: {}", text("verdict"), text("detail"));
    for besides in why.get("besides").and_then(Value::as_array).into_iter().flatten() {
        outln!("when it is done: {}", show::plain(besides));
    }
    for (title, columns) in [("links", &LINKS[..]), ("groups", &GROUPS[..])] {
        let items = why.get(title).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if !items.is_empty() {
            out!("\n{}", show::table(items, columns, api.room()));
        }
    }
    Ok(())
}

/// Prints whose attempts would end otherwise.
async fn simulate(api: &Api, change: &Change) -> anyhow::Result<()> {
    let found = api.answer(api.request(Method::POST, "/api/v1/rights/simulate").json(&change.body()?)).await?;
    if api.is_json {
        outln!("{found}");
        return Ok(());
    }
    let items = found.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !items.is_empty() {
        out!("{}\n", show::table(items, &CHANGED, api.room()));
    }
    let count = |name: &str| found.get(name).map(show::plain).unwrap_or_default();
    outln!("{} of {} attempts of the last 90 days would end otherwise", count("changed"), count("attempts"));
    if found.get("unknown").is_some_and(|unknown| *unknown != 0) {
        outln!(
            "of {} it is not told: that depends on what is not on record, or they were counted together",
            count("unknown")
        );
    }
    Ok(())
}

fn path(login: &str) -> String {
    path_of("/api/v1/managers", login)
}

impl Change {
    /// What is asked for: the file's change, with what the flags add to it.
    fn body(&self) -> anyhow::Result<Value> {
        if self.file.is_none() && self.revoke.is_empty() && self.without.is_empty() {
            bail!("what would be changed? give `--without`, `--revoke` or a file");
        }
        let mut body: Map<String, Value> = match &self.file {
            Some(file) => {
                let text =
                    std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
                serde_json::from_str(&text).with_context(|| format!("`{}` is no change in JSON", file.display()))?
            }
            None => Map::new(),
        };
        let mut add = |list: &str, more: Vec<Value>| {
            let known = body.entry(list).or_insert_with(|| json!([]));
            if let Value::Array(items) = known {
                items.extend(more);
            }
        };
        add("remove_managers", self.revoke.iter().map(|login| json!(login)).collect());
        let without = |text: &String| {
            let (login, what) = text
                .split_once(':')
                .with_context(|| format!("`{text}` does not say who has what no more: `<login>:<privilege>`"))?;
            Ok(json!({ "login": login, "what": what }))
        };
        add("without", self.without.iter().map(without).collect::<anyhow::Result<_>>()?);
        if let Some(under) = &self.under {
            body.insert("under".to_owned(), json!(under));
        }
        Ok(body.into())
    }
}

impl Grant {
    /// Whether what is not given of the rights is to be looked up.
    fn needs_known(&self) -> bool {
        self.rights.is_some() != self.incidents.is_some()
    }

    /// The body of a write, its password with it.
    fn whole(&self, known: &Value) -> anyhow::Result<Value> {
        let mut body = self.body(known);
        if let (Some(file), Value::Object(fields)) = (&self.password_file, &mut body) {
            fields.insert("password".to_owned(), json!(secrets::password(Some(file), "password")?));
        }
        Ok(body)
    }

    /// The body of a write without a password, to a manager as it is `known`.
    fn body(&self, known: &Value) -> Value {
        let said = |texts: &Option<Vec<String>>| {
            texts.as_ref().map(|texts| json!(texts.iter().filter(|text| !text.is_empty()).collect::<Vec<_>>()))
        };
        let fields = [
            ("sphere", said(&self.sphere)),
            ("privileges", said(&self.privileges)),
            ("rights", self.rights(known.get("rights"))),
        ];
        let body: Map<String, Value> =
            fields.into_iter().filter_map(|(name, given)| Some((name.to_owned(), given?))).collect();
        body.into()
    }

    fn rights(&self, known: Option<&Value>) -> Option<Value> {
        if self.rights.is_none() && self.incidents.is_none() {
            return None;
        }
        let stays = |(name, value): (&String, &Value)| {
            let is_given = if name == "incidents" { self.incidents.is_some() } else { self.rights.is_some() };
            (!is_given).then(|| (name.clone(), value.clone()))
        };
        let known = known.and_then(Value::as_object).into_iter().flatten().filter_map(stays);
        let rights = self.rights.iter().flatten().filter(|right| !right.is_empty());
        let rights = rights.map(|right| (right.clone(), json!(true)));
        let incidents = self.incidents.iter().map(|step| ("incidents".to_owned(), json!(step)));
        Some(known.chain(rights).chain(incidents).collect::<Map<_, _>>().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(rights: Option<&[&str]>, incidents: Option<&str>) -> Grant {
        Grant {
            sphere: Some(vec![String::new()]),
            privileges: None,
            rights: rights.map(|rights| rights.iter().map(|right| (*right).to_owned()).collect()),
            incidents: incidents.map(str::to_owned),
            password_file: None,
        }
    }

    #[test]
    fn that_nothing_is_granted_is_said() {
        let bare = json!({"sphere": [], "privileges": [], "effective": {"sphere": ["acme"], "privileges": []}});
        let said =
            json!({"sphere": "none", "privileges": "none", "effective": {"sphere": ["acme"], "privileges": "none"}});
        assert_eq!(granted_in_words(bare), said);
    }

    #[test]
    fn of_the_rights_what_is_not_given_stays() {
        let known = json!({"rights": {"audit": true, "cases": false, "incidents": "any"}});
        for (given, expected) in [
            (grant(None, None), json!({"sphere": []})),
            (grant(Some(&["cases"]), None), json!({"sphere": [], "rights": {"cases": true, "incidents": "any"}})),
            (grant(Some(&[""]), Some("own")), json!({"sphere": [], "rights": {"incidents": "own"}})),
            (
                grant(None, Some("own")),
                json!({"sphere": [], "rights": {"audit": true, "cases": false, "incidents": "own"}}),
            ),
        ] {
            assert_eq!(given.body(&known), expected, "{given:?}");
        }
    }
}

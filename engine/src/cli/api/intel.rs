//! `linesman intel`

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};

use super::each;
use super::filters::Filters;
use super::show::{Column, column, said_column};
use super::{Api, Args, List, Paging, ask, segment};
use crate::audit::export::cells;
use crate::cli::{Failure, output};
use crate::edge::filters::tables::{IntelligenceMessages, IntelligenceReport};

pub(in crate::cli) const COLUMNS: [Column; 7] = [
    column("ORGANIZATION", "/organization"),
    column("ID", "/id"),
    column("KIND", "/kind"),
    column("STATE", "/state").spare(),
    column("ISSUED", "/issued").spare(),
    column("RECEIVED", "/received").whole(),
    column("TITLE", "/title"),
];

/// Of whom a message is for.
pub(in crate::cli) const ASSOCIATIONS: [Column; 5] = [
    column("ORGANIZATION", "/organization"),
    column("SENT", "/sent"),
    column("CHANGED", "/changed"),
    column("BY", "/associated_by"),
    column("TITLE", "/title"),
];

/// Of whom a message concerns.
pub(in crate::cli) const AFFECTED: [Column; 4] = [
    column("ORGANIZATION", "/organization"),
    column("SERIAL NUMBER", "/serial_number").key(),
    column("HOST NAME", "/host_name").name(),
    said_column("WHY", "/reasons", reasons),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman intel list --received-after 2026-11-18T00:00:00Z --sort=-received --data-dir D
  linesman intel list --concerns acme --data-dir D
  linesman intel show acme TSB17 --data-dir D    a message of acme's
  linesman intel show TSB17 --data-dir D         one of the provider's
  linesman intel add message.json --data-dir D
  linesman intel impact TSB17 --data-dir D
  linesman intel impact acme TSB17 --data-dir D  which of acme's devices
  linesman intel state acme TSB17 assigned --to acme/ann --data-dir D
  linesman intel state acme TSB17 'in progress' --data-dir D
  linesman intel list --organization acme --state unassigned --data-dir D
  linesman intel report --organization acme --format csv --data-dir D > acme.csv
  linesman intel associate TSB17 acme --title 'Two of your routers' --text @acme.txt --data-dir D
  linesman intel associate TSB17 --affected --data-dir D
  linesman intel preview TSB17 acme --data-dir D
  linesman intel send TSB17 acme bolt --data-dir D
  linesman intel associations TSB17 --json --data-dir D
  linesman intel recall TSB17 bolt --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List intelligence messages
    List(List<IntelligenceMessages>),
    /// Show one
    Show {
        /// Its id, behind the organization whose it is; one of the provider's is named by its id alone
        #[arg(required = true, num_args = 1..=2, value_names = ["ORGANIZATION", "ID"])]
        message: Vec<String>,
    },
    /// Take in one of the provider's, or another text of it
    Add {
        /// A file with the message in JSON
        file: PathBuf,
    },
    /// Tell which devices bug notices and end-of-life notices concern
    Report(Report),
    /// Associate organizations with one of the provider's, in a wording; they learn nothing of it
    Associate {
        /// Its id
        id: String,
        /// The organizations
        #[arg(required_unless_present = "affected")]
        organizations: Vec<String>,
        /// All those that it concerns, by the scan for impact
        #[arg(long, conflicts_with = "organizations")]
        affected: bool,
        /// The title for them, in place of the message's own
        #[arg(long)]
        title: Option<String>,
        /// The text for them, in place of the message's own; `@FILE` reads it from a file
        #[arg(long)]
        text: Option<String>,
        /// Take the association back instead
        #[arg(long, conflicts_with_all = ["title", "text", "affected"])]
        remove: bool,
    },
    /// Tell which organizations one of the provider's is for, and what of it each was sent
    Associations {
        /// Its id
        id: String,
    },
    /// Show one of the provider's as an organization would have it
    Preview {
        /// Its id
        id: String,
        /// The organization
        organization: String,
    },
    /// Send one of the provider's to organizations, to each as it is worded for it
    Send {
        /// Its id
        id: String,
        /// The organizations
        #[arg(required = true)]
        organizations: Vec<String>,
    },
    /// Take back what organizations were sent
    Recall {
        /// The message's id
        id: String,
        /// The organizations
        #[arg(required = true)]
        organizations: Vec<String>,
    },
    /// Tell whom one concerns
    Impact {
        /// Its id, behind the organization whose it is; one of the provider's is named by its id alone
        #[arg(required = true, num_args = 1..=2, value_names = ["ORGANIZATION", "ID"])]
        message: Vec<String>,
    },
    /// Say where an organization stands with one
    State {
        /// Whose it is
        organization: String,
        /// Its id
        id: String,
        /// `unassigned`, `assigned`, `in progress` or `completed`
        state: String,
        /// The login whose it is from here on; `assigned` takes one
        #[arg(long, value_name = "LOGIN")]
        to: Option<String>,
    },
}

/// What is reported, and how.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Report {
    #[command(flatten)]
    filters: Filters<IntelligenceReport>,
    /// A table, or lines of JSON: one for each device and message
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Json,
}

/// Where reports are asked for, and how many devices at a time.
const REPORT: &str = "/api/v1/intelligence-report";
const PAGE: u32 = 1_000;

/// The columns of a report.
const FIELDS: [&str; 12] = [
    "organization",
    "serial_number",
    "host_name",
    "product",
    "platform",
    "os_version",
    "message_of",
    "message",
    "kind",
    "title",
    "issued",
    "reasons",
];

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/intelligence", list, &COLUMNS).await,
        Action::Show { message } => api.show(&path(message), &()).await,
        Action::Add { file } => api.write(Method::POST, "/api/v1/intelligence", Some(read(file)?)).await,
        Action::Impact { message } => impact(api, message).await,
        Action::State { organization, id, state, to } => {
            let path = format!("{}/state", path(&[organization.clone(), id.clone()]));
            let mut body = serde_json::Map::new();
            body.insert("state".to_owned(), json!(state.replace('-', " ")));
            body.extend(to.as_ref().map(|login| ("assignee".to_owned(), json!(login))));
            api.write(Method::PUT, &path, Some(body.into())).await
        }
        Action::Report(asked) => report(api, asked).await,
        Action::Associate { id, organizations, affected, title, text, remove } => {
            let organizations = if *affected { concerned(api, id).await? } else { organizations.clone() };
            let body = json!({"title": title, "text": text.as_deref().map(words).transpose()?});
            let at = |organization: &str| {
                format!("/api/v1/intelligence/{}/associations/{}", segment(id), segment(organization))
            };
            match remove {
                true => each::by_itself(api, &organizations, Method::DELETE, at, None).await,
                false => each::by_itself(api, &organizations, Method::PUT, at, Some(&body)).await,
            }
        }
        Action::Associations { id } => {
            let found = api.get(&format!("/api/v1/intelligence/{}/associations", segment(id)), &()).await?;
            told(api, &found, &ASSOCIATIONS);
            Ok(())
        }
        Action::Preview { id, organization } => {
            let (id, organization) = (segment(id), segment(organization));
            api.show(&format!("/api/v1/intelligence/{id}/associations/{organization}/preview"), &()).await
        }
        Action::Send { id, organizations } => each::together(api, organizations, &step(id, "send")).await,
        Action::Recall { id, organizations } => each::together(api, organizations, &step(id, "recall")).await,
    })
}

/// The organizations that a message concerns.
async fn concerned(api: &Api, id: &str) -> anyhow::Result<Vec<String>> {
    let found = api.get(&format!("/api/v1/intelligence/{}/impact", segment(id)), &()).await?;
    let organizations = found.pointer("/organizations").and_then(Value::as_array).map(Vec::as_slice);
    let names = organizations.unwrap_or_default().iter().filter_map(|affected| affected.get("organization")?.as_str());
    let names: Vec<String> = names.map(str::to_owned).collect();
    anyhow::ensure!(!names.is_empty(), "it concerns no device of any organization");
    Ok(names)
}

/// A text as it is given, or that of a file.
fn words(given: &str) -> anyhow::Result<String> {
    match given.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("`{file}` cannot be read")),
        None => Ok(given.to_owned()),
    }
}

/// Prints what there is of organizations, a line each.
fn told(api: &Api, found: &Value, columns: &[Column]) {
    if api.is_json {
        outln!("{found}");
        return;
    }
    let organizations = found.pointer("/organizations").and_then(Value::as_array).map(Vec::as_slice);
    out!("{}", super::show::table(organizations.unwrap_or_default(), columns, api.room()));
}

/// Where one of the provider's messages is sent, or recalled.
fn step(id: &str, step: &str) -> String {
    format!("/api/v1/intelligence/{}/{step}", segment(id))
}

/// Where a message is, by its id and the organization whose it is.
fn path(message: &[String]) -> String {
    let parts: String = message.iter().map(|part| format!("/{}", segment(part))).collect();
    format!("/api/v1/intelligence{parts}")
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("`{}` is no JSON", file.display()))
}

/// Prints a line for each device and message, as the pages come.
async fn report(api: &Api, asked: &Report) -> anyhow::Result<()> {
    let is_csv = matches!(asked.format, Format::Csv) && !api.is_json;
    if is_csv {
        let mut head = Vec::new();
        cells(&mut head, FIELDS.map(Cow::Borrowed));
        output::bytes(&head)?;
    }
    let mut cursor: Option<String> = None;
    loop {
        let page = Paging { limit: Some(PAGE), cursor: cursor.take(), all: true };
        let request = api.request(Method::GET, REPORT).query(&asked.filters).query(&page);
        let found = api.answer(request).await?;
        let devices = found.pointer("/items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut written = Vec::new();
        for line in devices.iter().flat_map(lines) {
            match is_csv {
                true => cells(&mut written, FIELDS.map(|name| cell(line.get(name)))),
                false => written.extend(format!("{line}\n").into_bytes()),
            }
        }
        output::bytes(&written)?;
        match found.pointer("/next").and_then(Value::as_str) {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}

/// What a report has of a device, once for each message that concerns it.
fn lines(device: &Value) -> Vec<Value> {
    let messages = device.pointer("/messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of = |value: &Value, name: &str| value.get(name).cloned().unwrap_or_default();
    let line = |message: &Value| {
        json!({
            "organization": of(device, "organization"),
            "serial_number": of(device, "serial_number"),
            "host_name": of(device, "host_name"),
            "product": of(device, "product"),
            "platform": of(device, "platform"),
            "os_version": of(device, "os_version"),
            "message_of": of(message, "organization"),
            "message": of(message, "id"),
            "kind": of(message, "kind"),
            "title": of(message, "title"),
            "issued": of(message, "issued"),
            "reasons": of(message, "reasons"),
        })
    };
    messages.iter().map(line).collect()
}

/// A value as a cell.
fn cell(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        Some(Value::String(text)) => text.into(),
        Some(Value::Array(items)) => items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join("; ").into(),
        Some(Value::Null) | None => "".into(),
        Some(other) => other.to_string().into(),
    }
}

/// Prints a line for each device, and how many there are where not all are told.
async fn impact(api: &Api, message: &[String]) -> anyhow::Result<()> {
    let found = api.get(&format!("{}/impact", path(message)), &()).await?;
    if api.is_json {
        outln!("{found}");
        return Ok(());
    }
    // Of an organization's own it tells of that alone.
    let one = std::slice::from_ref(&found);
    let organizations = found.pointer("/organizations").and_then(Value::as_array).map_or(one, Vec::as_slice);
    let mut lines = Vec::new();
    let mut cut = Vec::new();
    for affected in organizations {
        let devices = affected.pointer("/devices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let count = affected.pointer("/count").and_then(Value::as_u64).unwrap_or_default();
        let organization = affected.pointer("/organization").cloned().unwrap_or_default();
        if devices.len() as u64 != count {
            cut.push(format!(
                "of `{}` {} of {count} devices are shown",
                super::show::plain(&organization),
                devices.len()
            ));
        }
        lines.extend(devices.iter().cloned().map(|mut device| {
            if let Some(device) = device.as_object_mut() {
                device.insert("organization".to_owned(), organization.clone());
            }
            device
        }));
    }
    out!("{}", super::show::table(&lines, &AFFECTED, api.room()));
    for line in cut {
        errln!("{line}");
    }
    Ok(())
}

/// Reasons, as people read them.
fn reasons(value: &Value) -> String {
    let text = |reason: &Value, name: &str| reason.get(name).map(super::show::plain).unwrap_or_default();
    let reasons = value.as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let reasons =
        reasons.map(|reason| format!("{} {}", text(reason, "by"), text(reason, "entry")).trim_end().to_owned());
    reasons.collect::<Vec<_>>().join("; ")
}

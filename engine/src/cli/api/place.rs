//! `linesman place`

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json, to_value};

use super::preview::DryRun;
use super::show::{Column, column};
use super::{Args, List, ask, path_of, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Places;

pub(in crate::cli) const COLUMNS: [Column; 6] = [
    column("PLACE", "/place"),
    column("DISPLAY NAME", "/display_name").name(),
    column("DEVICE", "/device").name(),
    column("INTERFACE", "/interface").name(),
    column("SPEED", "/speed"),
    column("ADDRESSES", "/addresses"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman place list --under acme --data-dir D
  linesman place add acme/berlin --display-name Berlin --data-dir D
  linesman place set acme/berlin/line-7 --device edge-1 --interface xe-0/0/0 --address 192.0.2.1/24 --speed 100M --data-dir D
  linesman place tie JN1234567 acme/berlin --data-dir D
  linesman place set acme/berlin/line-7 --device edge-2 --dry-run --data-dir D    what it would change on devices
  linesman place remove acme/berlin --cascade --data-dir D    with all that hangs on it";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List places
    List(List<Places>),
    /// Show one, with the devices tied to it
    Show {
        /// The place: <organization>[/<site>[/<line>]]
        place: String,
    },
    /// Define a new one
    Add {
        /// The place: <organization>/<site>[/<line>]
        place: String,
        #[command(flatten)]
        words: Words,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Define it, or change it; what is not given stays as it is, what is empty is cleared
    Set {
        /// The place: <organization>/<site>[/<line>]
        place: String,
        #[command(flatten)]
        words: Words,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Remove it, once nothing hangs on it
    Remove {
        /// The place: <organization>/<site>[/<line>]
        place: String,
        /// Remove what hangs on it too: access lines, ties of devices, managers of nothing else
        #[arg(long)]
        cascade: bool,
        #[command(flatten)]
        dry_run: DryRun,
    },
    /// Tie a device to a place of its organization, or to none
    Tie {
        /// The device's serial number
        serial_number: String,
        /// The place: <organization>/<site>[/<line>]; an organization for none of its places
        place: String,
        #[command(flatten)]
        dry_run: DryRun,
    },
}

/// What is said of a place.
#[derive(Debug, clap::Args, Serialize)]
pub(in crate::cli) struct Words {
    /// The name people see
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// The device that serves it, by serial number or host name
    #[arg(long, value_name = "DEVICE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// The interface there
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    /// An IP address, with or without a prefix length; may be given more than once, and empty for none
    #[arg(long = "address", value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "given")]
    addresses: Vec<String>,
    /// In bits per second, or as 100M
    #[arg(long, value_name = "SPEED")]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "speed")]
    speed: Option<String>,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/places", list, &COLUMNS).await,
        Action::Show { place } => api.show(&path(place), &()).await,
        Action::Add { place, words, dry_run } => {
            let path = path(place);
            api.is_new(&path, "place", place).await?;
            api.write_or_preview(*dry_run, Method::PUT, &path, Some(to_value(words)?)).await
        }
        Action::Set { place, words, dry_run } => {
            api.write_or_preview(*dry_run, Method::PUT, &path(place), Some(to_value(words)?)).await
        }
        Action::Remove { place, cascade, dry_run } => {
            let query = if *cascade { "?cascade=true" } else { "" };
            api.write_or_preview(*dry_run, Method::DELETE, &format!("{}{query}", path(place)), None).await
        }
        Action::Tie { serial_number, place, dry_run } => {
            let (org, is_below) = place.split_once('/').map_or((place.as_str(), false), |(org, _)| (org, true));
            let device = format!("/api/v1/devices/{}/{}/place", segment(org), segment(serial_number));
            let place = if is_below { json!(place) } else { Value::Null };
            api.write_or_preview(*dry_run, Method::PUT, &device, Some(json!({ "place": place }))).await
        }
    })
}

fn path(place: &str) -> String {
    path_of("/api/v1/places", place)
}

/// Texts that are given; an empty one alone is none.
fn given<S: serde::Serializer>(texts: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(texts.iter().filter(|text| !text.is_empty()))
}

/// A number where it is one.
fn speed<S: serde::Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = text.as_deref().unwrap_or_default();
    match text.parse::<u64>() {
        Ok(number) => serializer.serialize_u64(number),
        Err(_) => serializer.serialize_str(text),
    }
}

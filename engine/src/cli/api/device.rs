//! `linesman device`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::csv_file::{self, Line, Sheet};
use super::show::{self, Column, column, said_column};
use super::{Api, Args, List, ask, secrets, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::{Devices, Drifts};
use crate::harmless::in_line;

pub(in crate::cli) const COLUMNS: [Column; 11] = [
    column("ORGANIZATION", "/organization"),
    column("NAME", "/name").key(),
    column("SERIAL", "/serial_number").name(),
    column("PRODUCT", "/product").spare(),
    column("OS", "/os_version").spare(),
    column("GROUP", "/group").spare(),
    column("LAST SEEN", "/last_seen").spare(),
    column("STATE", "/state").whole(),
    said_column("LEGACY", "/legacy", yes),
    column("COLLECTED", "/last_collected"),
    column("ERROR", "/error"),
];

/// The columns of a file of devices. Passwords and keys are named by their files, and are in no export.
const REQUIRED: [&str; 1] = ["name"];
const OPTIONAL: [&str; 19] = [
    "address",
    "port",
    "netconf_port",
    "user",
    "password_file",
    "key_file",
    "passphrase_file",
    "directory",
    "pattern",
    "poll_s",
    "after",
    "move_to",
    "place",
    "serial_number",
    "directives",
    "legacy",
    "accept_host_key",
    "host_key",
    DEVICE_GROUP,
];
/// The column of the device group, which is the organization's to say: a file only tells where it is another.
const DEVICE_GROUP: &str = "device_group";

/// How often it is asked how far it is with data that is gathered.
const GATHERED_EVERY: std::time::Duration = std::time::Duration::from_millis(500);
pub(in crate::cli) const DRIFT_COLUMNS: [Column; 8] = [
    column("ORGANIZATION", "/organization"),
    column("DEVICE", "/device").key(),
    column("GROUP", "/group").key(),
    column("PLACE", "/place"),
    column("STATE", "/state"),
    column("SINCE", "/since"),
    column("MISSING", "/missing"),
    column("EXTRA", "/extra"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman device list --last-seen-before 2026-11-07T00:00:00Z --data-dir D   silent ones
  linesman device show acme JN1234567 --data-dir D
  linesman device add edge-1 --org acme --address 192.0.2.1 --user linesman --key-file id_ed25519 \\
    --host-key 'ssh-ed25519 AAAA...' --data-dir D
  linesman device set edge-1 --org acme --poll 1m --data-dir D
  linesman device hostkey edge-1 --org acme --host-key 'ssh-ed25519 AAAA...' --data-dir D
  linesman device collect edge-1 --org acme --type event --synopsis 'packets are lost' --data-dir D
  linesman device config diff acme edge-1 --data-dir D         what applying our groups would change there
  linesman device config check-sync acme edge-1 --data-dir D
  linesman device import acme devices.csv --data-dir D
  linesman device remove edge-1 --org acme --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// List devices
    List(List<Devices>),
    /// Show one: how it is reached and stands, and its latest information bundles
    Show(Which),
    /// Reach a device: what it leaves is collected from then on
    Add {
        /// The name it is given
        name: String,
        /// Whose it is
        #[arg(long, value_name = "O")]
        org: String,
        #[command(flatten)]
        way: Box<Way>,
    },
    /// Reach a device otherwise: what is left out stays
    Set {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        way: Box<Way>,
    },
    /// Reach a device no more; what was collected stays
    Remove(Which),
    /// Try the way to it out, step by step; exit 1 where one fails that it needs
    Test(Which),
    /// Look through its directory at once; or, with a type, gather data by the commands of its directives groups
    Collect {
        #[command(flatten)]
        which: Which,
        /// What becomes of the data: a bundle of this type
        #[arg(long = "type", value_name = "TYPE", value_parser = ["event", "information", "rma"])]
        kind: Option<String>,
        /// The problem in one line; not of information
        #[arg(long, value_name = "TEXT", requires = "kind")]
        synopsis: Option<String>,
        /// How urgent: critical, high, medium or low; not of information [default: medium]
        #[arg(long, value_name = "PRIORITY", requires = "kind")]
        priority: Option<String>,
        /// Do not wait for the bundle
        #[arg(long, requires = "kind")]
        no_wait: bool,
    },
    /// Ask it what it is
    Facts(Which),
    /// Look at the configuration groups that it is to have, or tell it them again
    #[command(subcommand)]
    Config(super::device_config::Action),
    /// List configuration groups that devices were found to have otherwise than they were told
    Drifts(List<Drifts>),
    /// Show its host key, or say which one it has
    Hostkey {
        #[command(flatten)]
        which: Which,
        /// The key, as `authorized_keys` has such
        #[arg(long, value_name = "KEY", conflicts_with = "accept_host_key")]
        host_key: Option<String>,
        /// The next one that it shows is its own
        #[arg(long)]
        accept_host_key: bool,
    },
    /// Reach all devices of a CSV file, or reach them otherwise
    ///
    /// The columns are `name,address,port,netconf_port,user,password_file,key_file,passphrase_file,directory,pattern,poll_s,
    /// after,move_to,place,serial_number,directives,legacy,accept_host_key,host_key,device_group`; the names in `directives` are
    /// parted by blanks. What is empty stays as it was. Which devices are in a device group, `linesman org set` says: where a device
    /// is not in that of its line it is told, and the exit code is 1.
    Import {
        /// Whose
        organization: String,
        /// The file
        file: PathBuf,
        /// Devices may have the same address and port
        #[arg(long)]
        shared_address: bool,
        /// Only look whether all lines can be read
        #[arg(long)]
        dry_run: bool,
    },
    /// Print them as such a file, without passwords and keys
    Export {
        /// Whose
        organization: String,
    },
}

/// Which device: `ORGANIZATION DEVICE`, `ORGANIZATION/DEVICE`, or `DEVICE --org ORGANIZATION`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Which {
    /// Whose it is, and the name by which it is reached, or its serial number
    #[arg(num_args = 1..=2, required = true, value_names = ["ORGANIZATION", "DEVICE"])]
    device: Vec<String>,
    /// Whose it is, where that is not said before
    #[arg(long, value_name = "O")]
    org: Option<String>,
}

/// How a device is reached.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Way {
    /// Its host name or IP address
    #[arg(long, value_name = "A")]
    address: Option<String>,
    /// Another device of the organization may have the same address and port
    #[arg(long)]
    shared_address: bool,
    /// The port of SSH [of a new one: 22]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// The port of NETCONF [of a new one: 830]; where it is that of SSH one connection serves both
    #[arg(long, value_name = "N")]
    netconf_port: Option<u16>,
    /// Who logs in
    #[arg(long, value_name = "U")]
    user: Option<String>,
    /// The file with the user's private key, in the form of OpenSSH or PEM
    #[arg(long, value_name = "F", conflicts_with = "password_file")]
    key_file: Option<PathBuf>,
    /// The file with what that is encrypted with
    #[arg(long, value_name = "F", requires = "key_file")]
    passphrase_file: Option<PathBuf>,
    /// The file with the user's password; `-` is the standard input
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
    /// The site or access line where it is; '' is nowhere
    #[arg(long, value_name = "P")]
    place: Option<String>,
    /// The directory in which it leaves bundles [of a new one: /var/tmp]
    #[arg(long, value_name = "DIR")]
    directory: Option<String>,
    /// Which of its files are bundles [of a new one: *.xml]
    #[arg(long, value_name = "GLOB")]
    pattern: Option<String>,
    /// How often it is looked there, such as `30s` or `5m` [of a new one: 30s]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    poll: Option<u32>,
    /// Its chassis serial number, where it does not say so itself; '' is as it says
    #[arg(long, value_name = "SN")]
    serial_number: Option<String>,
    /// The groups of commands by which data is gathered from it, parted by commas; '' is none
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    directives: Option<Vec<String>>,
    /// Its host key, as `authorized_keys` has such
    #[arg(long, value_name = "KEY", conflicts_with = "accept_host_key")]
    host_key: Option<String>,
    /// The host key that it shows first is its own; `--accept-host-key=false` takes that back
    #[arg(long, value_name = "YES", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    accept_host_key: Option<bool>,
    /// Allow algorithms that are no longer safe, for devices that know no others
    #[arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true")]
    legacy: Option<bool>,
    /// Files that were collected are removed, as those of a new device are
    #[arg(long, group = "after")]
    remove: bool,
    /// Files that were collected are moved there
    #[arg(long, value_name = "DIR", group = "after")]
    move_to: Option<String>,
    /// Files that were collected stay
    #[arg(long, group = "after")]
    leave: bool,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::List(list) => api.list("/api/v1/devices", list, &COLUMNS).await,
        Action::Show(which) => api.show(&which.path()?, &()).await,
        Action::Add { name, org, way } => {
            let body = way.body()?;
            if !body.contains_key("key") && !body.contains_key("password") {
                bail!("what does `{name}` let in? give `--key-file` or `--password-file`");
            }
            api.write(Method::PUT, &format!("{}?new=true", path(org, name)), Some(body.into())).await
        }
        Action::Set { which, way } => api.write(Method::PUT, &which.path()?, Some(way.body()?.into())).await,
        Action::Remove(which) => api.write(Method::DELETE, &which.path()?, None).await,
        Action::Test(which) => test(api, which).await,
        Action::Collect { which, kind: None, .. } => collect(api, which).await,
        Action::Collect { which, kind: Some(kind), synopsis, priority, no_wait } => {
            let priority = priority.as_deref().map(capital);
            let body = json!({"kind": kind, "synopsis": synopsis, "priority": priority});
            gather(api, which, kind, &without_nulls(body), !no_wait).await
        }
        Action::Facts(which) => {
            let facts = api.answer(api.request(Method::POST, &format!("{}/facts", which.path()?))).await?;
            match api.is_json {
                true => outln!("{facts}"),
                false => out!("{}", show::card(&facts)),
            }
            Ok(())
        }
        Action::Config(action) => super::device_config::run(api, action).await,
        Action::Drifts(list) => api.list("/api/v1/drifts", list, &DRIFT_COLUMNS).await,
        Action::Hostkey { which, host_key: None, accept_host_key: false } => host_key(api, which).await,
        Action::Hostkey { which, host_key, .. } => {
            let path = format!("{}/host-key", which.path()?);
            api.write(Method::PUT, &path, Some(json!({ "host_key": host_key }))).await
        }
        Action::Import { organization, file, shared_address, dry_run } => {
            import(api, organization, file, (*shared_address, *dry_run)).await
        }
        Action::Export { organization } => export(api, organization).await,
    })
}

fn path(organization: &str, device: &str) -> String {
    format!("/api/v1/devices/{}/{}", segment(organization), segment(device))
}

impl Which {
    /// Its path in the API.
    pub(super) fn path(&self) -> anyhow::Result<String> {
        let (organization, device) = self.named()?;
        Ok(path(organization, device))
    }

    /// Whose it is, and how it is called.
    pub(super) fn named(&self) -> anyhow::Result<(&str, &str)> {
        match (&self.device[..], &self.org) {
            ([organization, device], None) => Ok((organization, device)),
            ([_, _], Some(_)) => bail!("whose the device is is said twice"),
            ([device], Some(organization)) => Ok((organization, device)),
            ([both], None) => {
                both.split_once('/').context("whose is the device? say `ORGANIZATION DEVICE`, or give `--org`")
            }
            _ => bail!("which device?"),
        }
    }
}

impl Way {
    /// It as the API takes it.
    fn body(&self) -> anyhow::Result<Map<String, Value>> {
        let secret = |file: &Option<PathBuf>| file.as_deref().map(|file| secrets::password(Some(file), "")).transpose();
        let after = match (self.remove, &self.move_to, self.leave) {
            (true, ..) => Some("remove"),
            (_, Some(_), _) => Some("move"),
            (.., true) => Some("leave"),
            _ => None,
        };
        let said = json!({
            "address": self.address,
            "shared_address": self.shared_address.then_some(true),
            "port": self.port,
            "netconf_port": self.netconf_port,
            "user": self.user,
            "password": secret(&self.password_file)?,
            "key": self.key_file.as_deref().map(secrets::file).transpose()?,
            "passphrase": secret(&self.passphrase_file)?,
            "directory": self.directory,
            "pattern": self.pattern,
            "poll_s": self.poll,
            "after": after,
            "move_to": self.move_to,
            "place": self.place,
            "serial_number": self.serial_number,
            "directives": self.directives.as_ref().map(|names| names.iter().filter(|name| !name.is_empty()).collect::<Vec<_>>()),
            "legacy": self.legacy,
            "accept_host_key": self.accept_host_key,
            "host_key": self.host_key,
        });
        let Value::Object(mut said) = without_nulls(said) else { return Ok(Map::new()) };
        if let Some(place) = said.get_mut("place").filter(|place| *place == "") {
            *place = Value::Null;
        }
        Ok(said)
    }
}

/// A word as the API has it: with a capital.
fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// A mark for what is so.
fn yes(value: &Value) -> String {
    if *value == true { "yes".to_owned() } else { String::new() }
}

/// Seconds, of a number of them or of a time such as `5m`.
pub(in crate::cli) fn seconds(text: &str) -> Result<u32, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err("is no time such as `30s`, `5m` or `1h`".to_owned()),
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    seconds.ok_or_else(|| "is no time such as `30s`, `5m` or `1h`".to_owned())
}

/// Tries the way to a device out, and says of each step how it went.
async fn test(api: &Api, which: &Which) -> anyhow::Result<()> {
    let tried = api.answer(api.patient(Method::POST, &format!("{}/test", which.path()?))).await?;
    let steps = tried.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
    match api.is_json {
        true => outln!("{tried}"),
        false => {
            for step in &steps {
                let text = |field: &str| step.get(field).map(show::plain).unwrap_or_default();
                let went = if text("ok") == "true" { "ok" } else { "failed" };
                let unneeded = if is_needed(step) || went == "ok" { "" } else { "; it does nothing that takes this" };
                outln!("{:<14} {went:<6} {}{unneeded}", text("step"), text("detail"));
            }
        }
    }
    let failed = steps.iter().find(|step| is_needed(step) && step.get("ok").is_some_and(|ok| ok == false));
    match failed.and_then(|step| step.get("step")) {
        Some(step) => bail!("`{}` failed", show::plain(step)),
        None => Ok(()),
    }
}

/// Whether something that a device is to do takes a step.
fn is_needed(step: &Value) -> bool {
    step.get("needed").is_none_or(|needed| needed == true)
}

/// Looks through a device's directory at once, and says what that came to.
async fn collect(api: &Api, which: &Which) -> anyhow::Result<()> {
    let came = api.answer(api.patient(Method::POST, &format!("{}/collect", which.path()?))).await?;
    let text = |field: &str| came.get(field).map(show::plain).unwrap_or_default();
    match api.is_json {
        true => outln!("{came}"),
        false => outln!("{} collected, {} set aside", text("taken"), text("set_aside")),
    }
    match text("error") {
        error if error.is_empty() => Ok(()),
        error => bail!("{error}"),
    }
}

/// An object but for what it says nothing of.
fn without_nulls(said: Value) -> Value {
    match said {
        Value::Object(said) => said.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        said => said,
    }
}

/// Asks for data of a device, and tells how far it is until there is a bundle, or none.
async fn gather(api: &Api, which: &Which, kind: &str, body: &Value, waits: bool) -> anyhow::Result<()> {
    let (path, key) = (which.path()?, api.command_key()?);
    let state = api.written(&Method::POST, &format!("{path}/gather"), &key, Some(body)).await?;
    let state = api.decided(&key, state).await?;
    let is_decided = state.get("verdict").is_some_and(|verdict| verdict == "done");
    if !waits || !is_decided {
        match api.is_json {
            true => outln!("{state}"),
            false => outln!("asked for: `linesman device show` tells how far it is"),
        }
        return Ok(());
    }
    let mut told = String::new();
    loop {
        let device = api.followed(&path, &(), None).await?;
        let mut runs = device.pointer("/reached/gathered").and_then(Value::as_array).into_iter().flatten();
        let run = runs.rfind(|run| run.get("kind").is_some_and(|known| known == kind)).cloned();
        let Some(run) = run else { bail!("`{kind}` is gathered from this device no more") };
        let text = |field: &str| run.get(field).map(show::plain).unwrap_or_default();
        let state = text("state");
        if !matches!(state.as_str(), "asked" | "running") {
            if api.is_json {
                outln!("{run}");
            }
            if state != "done" {
                bail!("{state}: {}", text("error"));
            }
            match text("failed").as_str() {
                "0" => {}
                failed => {
                    errln!("{failed} commands failed, as the bundle tells too:");
                    let failures = run.get("failures").and_then(Value::as_array).into_iter().flatten();
                    failures.for_each(|failure| errln!("  {}", show::plain(failure)));
                }
            }
            told_of(api, &text("host_event_id"));
            return Ok(());
        }
        let now = match state.as_str() {
            "running" => format!("running: {} of {}", text("done"), text("of")),
            state => state.to_owned(),
        };
        if now != told {
            errln!("{now}");
            told = now;
        }
        tokio::time::sleep(GATHERED_EVERY).await;
    }
}

fn told_of(api: &Api, host_event_id: &str) {
    if !api.is_json {
        outln!("{host_event_id}");
    }
}

/// Shows which host key is pinned, and which is shown where that is another or none is pinned.
async fn host_key(api: &Api, which: &Which) -> anyhow::Result<()> {
    let device = api.get(&which.path()?, &()).await?;
    let Some(way) = device.get("reached") else { bail!("this device is not reached: `device add`") };
    let fields = ["host_key", "accept_host_key", "shown_host_key"];
    let shown: Map<String, Value> =
        fields.iter().filter_map(|field| Some(((*field).to_owned(), way.get(field)?.clone()))).collect();
    if api.is_json {
        outln!("{}", Value::Object(shown));
        return Ok(());
    }
    for (word, value) in &shown {
        outln!("{word}: {}", show::plain(value));
    }
    Ok(())
}

/// Reads all lines, then sends one after the other; what became of each is told.
async fn import(
    api: &Api,
    organization: &str,
    file: &Path,
    (shares_address, is_dry): (bool, bool),
) -> anyhow::Result<()> {
    let sheet = Sheet::read(file, &REQUIRED, &OPTIONAL)?;
    let devices = sheet.lines(line, |(name, _)| name.clone())?;
    if is_dry {
        outln!("{} lines can be read; nothing is imported, and the engine was not asked", devices.len());
        return Ok(());
    }
    let key = api.command_key()?;
    let (all, mut refused, mut elsewhere) = (devices.len(), 0, 0);
    for (at, (name, mut body)) in devices.into_iter().enumerate() {
        let group = body.remove(DEVICE_GROUP);
        if shares_address {
            body.insert("shared_address".to_owned(), json!(true));
        }
        let key = format!("{key}-{at}");
        let path = path(organization, &name);
        let mut said = match api.written(&Method::PUT, &path, &key, Some(&body.into())).await {
            Ok(state) => api.decided(&key, state).await?,
            Err(error) => {
                refused += 1;
                // A file has columns, and no options.
                let detail = crate::logging::full(&*error).replace("`--poll`", "`poll_s`");
                json!({"verdict": "refused", "detail": detail})
            }
        };
        if let Some(group) = group.filter(|_| said.get("verdict").is_some_and(|verdict| verdict == "done"))
            && let Some(other) = other_group(api, &path, &show::plain(&group)).await?
        {
            elsewhere += 1;
            let detail = said.get("detail").map(show::plain).unwrap_or_default();
            if let Some(said) = said.as_object_mut() {
                said.insert("detail".to_owned(), json!(format!("{detail}; {other}")));
            }
        }
        let text = |field: &str| said.get(field).map(show::plain).unwrap_or_default();
        match api.is_json {
            true => {
                outln!("{}", json!({"name": name, "verdict": said.get("verdict"), "detail": said.get("detail")}))
            }
            false => outln!("{}: {}", in_line(&name), text("detail")),
        }
    }
    match (refused, elsewhere) {
        (0, 0) => Ok(()),
        (0, _) => bail!("{elsewhere} of {all} devices are not in the device group that the file names"),
        _ => bail!("{refused} of {all} devices are not imported"),
    }
}

/// What is said of a device that is not in a device group; none where it is.
async fn other_group(api: &Api, path: &str, group: &str) -> anyhow::Result<Option<String>> {
    let found = api.get(path, &()).await?;
    let said = match found.get("group").map(show::plain).unwrap_or_default() {
        known if known == group => return Ok(None),
        known if known.is_empty() => format!("it is in no device group, not in `{group}`"),
        known => format!("it is in the device group `{known}`, not in `{group}`"),
    };
    Ok(Some(format!("{said}: `linesman org set` says who is")))
}

/// A line as the API takes it.
fn line(line: &Line<'_>) -> Result<(String, Map<String, Value>), String> {
    let name = line.get("name");
    if name.is_empty() {
        return Err("`name` is empty".to_owned());
    }
    let mut body = Map::new();
    for column in OPTIONAL {
        let text = line.get(column);
        if text.is_empty() {
            continue;
        }
        let number = || text.parse::<u32>().map_err(|_| format!("`{column}` is no number"));
        let file = || secrets::file(Path::new(&text)).map_err(|error| format!("{error:#}"));
        let (field, value) = match column {
            "port" | "netconf_port" | "poll_s" => (column, json!(number()?)),
            "password_file" => ("password", json!(file()?.trim_end_matches(['\n', '\r']))),
            "passphrase_file" => ("passphrase", json!(file()?.trim_end_matches(['\n', '\r']))),
            "key_file" => ("key", json!(file()?)),
            "directives" => (column, json!(text.split_whitespace().collect::<Vec<_>>())),
            "legacy" | "accept_host_key" => {
                let is_so = text.parse::<bool>().map_err(|_| format!("`{column}` is `true` or `false`"))?;
                (column, json!(is_so))
            }
            _ => (column, json!(text)),
        };
        body.insert(field.to_owned(), value);
    }
    Ok((name, body))
}

/// Prints how all devices of an organization are reached.
async fn export(api: &Api, organization: &str) -> anyhow::Result<()> {
    let columns: Vec<&str> =
        REQUIRED.iter().chain(&OPTIONAL).copied().filter(|column| !column.ends_with("_file")).collect();
    let mut lines = Vec::new();
    for device in api.every("/api/v1/devices", &[("organization", organization)]).await? {
        let name = device.get("name").map(show::plain).unwrap_or_default();
        if device.get("state").is_none_or(Value::is_null) {
            continue;
        }
        let found = api.get(&path(organization, &name), &()).await?;
        let text = |column: &str| match column {
            "name" => name.clone(),
            "legacy" => found.get(column).map(show::plain).unwrap_or_default(),
            DEVICE_GROUP => found.get("group").map(show::plain).unwrap_or_default(),
            "directives" => {
                let groups = found.pointer("/reached/directives").and_then(Value::as_array);
                groups.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            }
            _ => found.pointer(&format!("/reached/{column}")).map(show::plain).unwrap_or_default(),
        };
        lines.push(columns.iter().map(|column| text(column)).collect::<Vec<_>>());
    }
    csv_file::print(&columns, lines.into_iter())
}

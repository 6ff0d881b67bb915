//! `linesman device`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::csv_file::{self, Line, Sheet};
use super::show::{self, Column, column};
use super::{Api, Args, List, ask, secrets, segment};
use crate::cli::Failure;
use crate::edge::filters::tables::Devices;

const COLUMNS: [Column; 10] = [
    column("ORGANIZATION", "/organization"),
    column("NAME", "/name"),
    column("SERIAL", "/serial_number"),
    column("PRODUCT", "/product"),
    column("OS", "/os_version"),
    column("GROUP", "/group"),
    column("LAST SEEN", "/last_seen"),
    column("STATE", "/state"),
    column("COLLECTED", "/last_collected"),
    column("ERROR", "/error"),
];

/// The columns of a file of devices. Passwords and keys are named by their files, and are in no export.
const REQUIRED: [&str; 1] = ["name"];
const OPTIONAL: [&str; 16] = [
    "address",
    "port",
    "netconf_port",
    "user",
    "password_file",
    "key_file",
    "directory",
    "pattern",
    "poll_s",
    "after",
    "move_to",
    "place",
    "serial_number",
    "directives",
    "legacy",
    "host_key",
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
    /// Try the way to it out, step by step; exit 1 where a step fails
    Test(Which),
    /// Look through its directory at once
    Collect(Which),
    /// Ask it what it is
    Facts(Which),
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
    /// The columns are `name,address,port,netconf_port,user,password_file,key_file,directory,pattern,poll_s,after,move_to,place,
    /// serial_number,directives,legacy,host_key`. What is empty stays as it was.
    Import {
        /// Whose
        organization: String,
        /// The file
        file: PathBuf,
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
    /// Whose it is, and the name by which it is reached, its serial number or its host name
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
    /// The port of SSH [default: 22]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// The port of NETCONF [default: 830]; where it is that of SSH one connection serves both
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
    /// The site or access line where it is
    #[arg(long, value_name = "P")]
    place: Option<String>,
    /// The directory in which it leaves bundles [default: /var/tmp]
    #[arg(long, value_name = "DIR")]
    directory: Option<String>,
    /// Which of its files are bundles [default: *.xml]
    #[arg(long, value_name = "GLOB")]
    pattern: Option<String>,
    /// How often it is looked there, such as `30s` or `5m` [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    poll: Option<u32>,
    /// Its chassis serial number, where it does not say so itself
    #[arg(long, value_name = "SN")]
    serial_number: Option<String>,
    /// The groups of commands by which data is gathered from it
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    directives: Option<Vec<String>>,
    /// Its host key, as `authorized_keys` has such
    #[arg(long, value_name = "KEY", conflicts_with = "accept_host_key")]
    host_key: Option<String>,
    /// The host key that it shows first is its own
    #[arg(long)]
    accept_host_key: bool,
    /// Allow algorithms that are no longer safe, for devices that know no others
    #[arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true")]
    legacy: Option<bool>,
    /// Files that were collected are removed, which is so unless it is said otherwise
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
        Action::Collect(which) => collect(api, which).await,
        Action::Facts(which) => {
            let facts = api.answer(api.request(Method::POST, &format!("{}/facts", which.path()?))).await?;
            match api.is_json {
                true => anstream::println!("{facts}"),
                false => anstream::print!("{}", show::card(&facts)),
            }
            Ok(())
        }
        Action::Hostkey { which, host_key: None, accept_host_key: false } => host_key(api, which).await,
        Action::Hostkey { which, host_key, .. } => {
            let path = format!("{}/host-key", which.path()?);
            api.write(Method::PUT, &path, Some(json!({ "host_key": host_key }))).await
        }
        Action::Import { organization, file, dry_run } => import(api, organization, file, *dry_run).await,
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
            ([both], None) => both.split_once('/').context("whose is the device? give `--org`"),
            _ => bail!("which device?"),
        }
    }
}

impl Way {
    /// It as the API takes it.
    fn body(&self) -> anyhow::Result<Map<String, Value>> {
        let text =
            |file: &Path| std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()));
        let secret = |file: &Option<PathBuf>| file.as_deref().map(|file| secrets::password(Some(file), "")).transpose();
        let after = match (self.remove, &self.move_to, self.leave) {
            (true, ..) => Some("remove"),
            (_, Some(_), _) => Some("move"),
            (.., true) => Some("leave"),
            _ => None,
        };
        let said = json!({
            "address": self.address,
            "port": self.port,
            "netconf_port": self.netconf_port,
            "user": self.user,
            "password": secret(&self.password_file)?,
            "key": self.key_file.as_deref().map(text).transpose()?,
            "passphrase": secret(&self.passphrase_file)?,
            "directory": self.directory,
            "pattern": self.pattern,
            "poll_s": self.poll,
            "after": after,
            "move_to": self.move_to,
            "place": self.place,
            "serial_number": self.serial_number,
            "directives": self.directives,
            "legacy": self.legacy,
            "accept_host_key": self.accept_host_key.then_some(true),
            "host_key": self.host_key,
        });
        let Value::Object(said) = said else { return Ok(Map::new()) };
        Ok(said.into_iter().filter(|(_, value)| !value.is_null()).collect())
    }
}

/// Seconds, of a number of them or of a time such as `5m`.
fn seconds(text: &str) -> Result<u32, String> {
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
        true => anstream::println!("{tried}"),
        false => {
            for step in &steps {
                let text = |field: &str| step.get(field).map(show::plain).unwrap_or_default();
                let went = if text("ok") == "true" { "ok" } else { "failed" };
                anstream::println!("{:<14} {went:<6} {}", text("step"), text("detail"));
            }
        }
    }
    let failed = steps.iter().find(|step| step.get("ok").is_some_and(|ok| ok == false));
    match failed.and_then(|step| step.get("step")) {
        Some(step) => bail!("`{}` failed", show::plain(step)),
        None => Ok(()),
    }
}

/// Looks through a device's directory at once, and says what that came to.
async fn collect(api: &Api, which: &Which) -> anyhow::Result<()> {
    let came = api.answer(api.patient(Method::POST, &format!("{}/collect", which.path()?))).await?;
    let text = |field: &str| came.get(field).map(show::plain).unwrap_or_default();
    match api.is_json {
        true => anstream::println!("{came}"),
        false => anstream::println!("{} collected, {} set aside", text("taken"), text("set_aside")),
    }
    match text("error") {
        error if error.is_empty() => Ok(()),
        error => bail!("{error}"),
    }
}

/// Shows which host key is pinned, and which is shown in place of it.
async fn host_key(api: &Api, which: &Which) -> anyhow::Result<()> {
    let device = api.get(&which.path()?, &()).await?;
    let Some(way) = device.get("reached") else { bail!("this device is not reached: `device add`") };
    let fields = ["host_key", "accept_host_key", "shown_host_key"];
    let shown: Map<String, Value> =
        fields.iter().filter_map(|field| Some(((*field).to_owned(), way.get(field)?.clone()))).collect();
    if api.is_json {
        anstream::println!("{}", Value::Object(shown));
        return Ok(());
    }
    for (word, value) in &shown {
        anstream::println!("{word}: {}", show::plain(value));
    }
    Ok(())
}

/// Reads all lines, then sends one after the other; what became of each is told.
async fn import(api: &Api, organization: &str, file: &Path, is_dry: bool) -> anyhow::Result<()> {
    let sheet = Sheet::read(file, &REQUIRED, &OPTIONAL)?;
    let devices = sheet.lines(line, |(name, _)| name.clone())?;
    if is_dry {
        anstream::println!("{} lines can be read; nothing is imported, and the engine was not asked", devices.len());
        return Ok(());
    }
    let key = api.command_key()?;
    let (all, mut refused) = (devices.len(), 0);
    for (at, (name, body)) in devices.into_iter().enumerate() {
        let key = format!("{key}-{at}");
        let said = match api.written(&Method::PUT, &path(organization, &name), &key, Some(&body.into())).await {
            Ok(state) => api.decided(&key, state).await?,
            Err(error) => {
                refused += 1;
                json!({"verdict": "refused", "detail": crate::logging::full(&*error)})
            }
        };
        let text = |field: &str| said.get(field).map(show::plain).unwrap_or_default();
        match api.is_json {
            true => {
                anstream::println!(
                    "{}",
                    json!({"name": name, "verdict": said.get("verdict"), "detail": said.get("detail")})
                )
            }
            false => anstream::println!("{name}: {}", text("detail")),
        }
    }
    match refused {
        0 => Ok(()),
        _ => bail!("{refused} of {all} devices are not imported"),
    }
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
        let file = || std::fs::read_to_string(&text).map_err(|error| format!("`{text}` cannot be read: {error}"));
        let (field, value) = match column {
            "port" | "netconf_port" | "poll_s" => (column, json!(number()?)),
            "password_file" => ("password", json!(file()?.trim_end_matches(['\n', '\r']))),
            "key_file" => ("key", json!(file()?)),
            "directives" => (column, json!(text.split_whitespace().collect::<Vec<_>>())),
            "legacy" => (column, json!(text.parse::<bool>().map_err(|_| "`legacy` is `true` or `false`".to_owned())?)),
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
            "serial_number" | "legacy" => found.get(column).map(show::plain).unwrap_or_default(),
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

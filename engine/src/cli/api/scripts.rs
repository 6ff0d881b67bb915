//! `linesman scripts`, `linesman script-bundle`, `linesman event-profile`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::show::{self, Column, column};
use super::{Api, Args, ask, segment};
use crate::cli::Failure;
use crate::harmless::in_line;

/// How often it is looked how far devices are.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(in crate::cli) const BUNDLES: [Column; 4] = [
    column("NAME", "/name"),
    column("VERSION", "/version").key(),
    column("KEPT", "/kept"),
    column("SCRIPTS", "/scripts"),
];

pub(in crate::cli) const DEVICES: [Column; 8] = [
    column("DEVICE", "/device"),
    column("GROUP", "/device_group").name(),
    column("STATE", "/state"),
    column("SINCE", "/since"),
    column("SCRIPTS", "/progress"),
    column("HAS", "/has/bundle"),
    column("VERSION", "/has/version"),
    column("DETAIL", "/detail"),
];

pub(in crate::cli) const FILES: [Column; 5] = [
    column("DEVICE", "/device"),
    column("KIND", "/kind"),
    column("SCRIPT", "/name").key(),
    column("CHANGE", "/change"),
    column("SHA-256", "/sha256"),
];

/// How it is used.
pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  linesman scripts plan acme core health 1.2 --event-profile chassis --data-dir D
  linesman scripts install acme core health 1.2 --event-profile chassis --data-dir D
  linesman scripts upgrade acme core health 1.3 --event-profile chassis --data-dir D
  linesman scripts status acme --device-group core --data-dir D
  linesman scripts remove acme core --data-dir D";

/// How it is used.
pub(in crate::cli) const BUNDLE_EXAMPLES: &str = "\
Examples:
  linesman script-bundle set acme health 1.2 --op look.slax --event collect.slax --data-dir D
  linesman script-bundle list acme --data-dir D
  linesman script-bundle remove acme health 1.1 --data-dir D";

/// How it is used.
pub(in crate::cli) const PROFILE_EXAMPLES: &str = "\
Examples:
  linesman event-profile set acme chassis CHASSISD_FRU_OFFLINE_NOTICE=1 CHASSISD_FAN_FAILURE=2 --data-dir D
  linesman event-profile list acme --data-dir D
  linesman event-profile remove acme chassis --data-dir D";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Show what installing a bundle on a device group would change; nothing is changed
    Plan(Wanted),
    /// Install a bundle on a device group in place of what it has of ours, which upgrades it
    #[command(visible_alias = "upgrade")]
    Install {
        #[command(flatten)]
        wanted: Wanted,
        /// The hash of the plan: what it says would be overwritten may be
        #[arg(long, value_name = "HASH")]
        confirm: Option<String>,
        /// Show what it would change; nothing is changed
        #[arg(long)]
        dry_run: bool,
        /// Wait for the devices; exit 1 where one has not got it, or did not come to its end in that time
        #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "10m", conflicts_with = "dry_run",
            value_parser = super::device::seconds)]
        wait: Option<u32>,
    },
    /// Remove our scripts from a device group
    Remove {
        /// Whose
        organization: String,
        /// The device group
        device_group: String,
        /// Wait for the devices; exit 1 where one has them still, or did not come to its end in that time
        #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "10m",
            value_parser = super::device::seconds)]
        wait: Option<u32>,
    },
    /// Show how far devices are
    Status {
        /// Whose
        organization: String,
        /// Those of one device group
        #[arg(long, value_name = "GROUP")]
        device_group: Option<String>,
    },
}

/// What a device group is to have.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Wanted {
    /// Whose
    organization: String,
    /// The device group
    device_group: String,
    /// The bundle
    bundle: String,
    /// Its version
    #[arg(id = "bundle_version", value_name = "VERSION")]
    version: String,
    /// For which events its event scripts run
    #[arg(long, value_name = "NAME", default_value = "")]
    event_profile: String,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BundleAction {
    /// List bundles of scripts
    List {
        /// Whose
        organization: String,
    },
    /// Show one, with what its scripts say
    Show(Version),
    /// Keep a version of a bundle
    Set {
        #[command(flatten)]
        version: Version,
        /// A script that somebody calls
        #[arg(long, value_name = "FILE")]
        op: Vec<PathBuf>,
        /// A script that runs for events
        #[arg(long, value_name = "FILE")]
        event: Vec<PathBuf>,
        /// A script that runs with commits
        #[arg(long, value_name = "FILE")]
        commit: Vec<PathBuf>,
    },
    /// Forget a version that nobody has
    Remove(Version),
}

/// A version of a bundle.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Version {
    /// Whose
    organization: String,
    /// The bundle
    bundle: String,
    /// Its version
    #[arg(id = "bundle_version", value_name = "VERSION")]
    version: String,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ProfileAction {
    /// List event profiles
    List {
        /// Whose
        organization: String,
    },
    /// Show one
    Show(Profile),
    /// Keep one
    Set {
        #[command(flatten)]
        profile: Profile,
        /// The events, each with its priority from 1 to 4
        #[arg(required = true, value_name = "EVENT=PRIORITY")]
        events: Vec<String>,
    },
    /// Forget one that nobody has
    Remove(Profile),
}

/// An event profile.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Profile {
    /// Whose
    organization: String,
    /// Its name
    profile: String,
}

pub(in crate::cli) fn run(args: &Args<Action>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        Action::Plan(wanted) => print_plan(api, &wanted.plan(api).await?),
        Action::Install { wanted, dry_run: true, .. } => print_plan(api, &wanted.plan(api).await?),
        Action::Install { wanted, confirm, dry_run: false, wait } => {
            let asked = install(api, wanted, confirm.as_deref()).await?;
            match wait {
                Some(wait) => {
                    wait_for(api, (&wanted.organization, &wanted.device_group), &asked, *wait, "have not got it").await
                }
                None => Ok(()),
            }
        }
        Action::Remove { organization, device_group, wait } => {
            let told = api.write_told(Method::DELETE, &group_path(organization, device_group), None).await?;
            // Nothing is to be done on devices of which nothing is known.
            let asked = Asked { planned: 0, verdict: text(&told, "verdict"), approval: text(&told, "approval") };
            match wait {
                Some(wait) => wait_for(api, (organization, device_group), &asked, *wait, "have them still").await,
                None => Ok(()),
            }
        }
        Action::Status { organization, device_group } => status(api, organization, device_group.as_deref()).await,
    })
}

pub(in crate::cli) fn run_bundle(args: &Args<BundleAction>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        BundleAction::List { organization } => {
            let found = api.get(&of(organization, "script-bundles"), &()).await?;
            let bundles = items(&found, "bundles").into_iter().map(|mut bundle| {
                let names: Vec<String> = items(&bundle, "files").iter().map(|file| text(file, "name")).collect();
                if !api.is_json {
                    set(&mut bundle, "scripts", names.join(" "));
                }
                bundle
            });
            print(api, &bundles.collect::<Vec<_>>(), &BUNDLES);
            Ok(())
        }
        BundleAction::Show(version) => api.show(&version.path(), &()).await,
        BundleAction::Set { version, op, event, commit } => {
            let mut files = Vec::new();
            for (kind, paths) in [("op", op), ("event", event), ("commit", commit)] {
                for path in paths {
                    files.push(script(kind, path)?);
                }
            }
            if files.is_empty() {
                bail!("which scripts? give `--op`, `--event` or `--commit` with a file");
            }
            api.write(Method::PUT, &version.path(), Some(json!({ "files": files }))).await
        }
        BundleAction::Remove(version) => api.write(Method::DELETE, &version.path(), None).await,
    })
}

pub(in crate::cli) fn run_profile(args: &Args<ProfileAction>) -> Result<ExitCode, Failure> {
    ask(&args.access, async |api| match &args.action {
        ProfileAction::List { organization } => {
            let found = api.get(&of(organization, "event-profiles"), &()).await?;
            let profiles = items(&found, "profiles").into_iter().map(|mut profile| {
                let events = items(&profile, "events").len();
                if !api.is_json {
                    set(&mut profile, "count", events.to_string());
                }
                profile
            });
            let columns = [column("NAME", "/name"), column("EVENTS", "/count")];
            print(api, &profiles.collect::<Vec<_>>(), &columns);
            Ok(())
        }
        ProfileAction::Show(Profile { organization, profile }) => {
            let found = api.get(&of(organization, "event-profiles"), &()).await?;
            let shown = items(&found, "profiles").into_iter().find(|known| text(known, "name") == *profile);
            let shown = shown.with_context(|| format!("`{organization}` has no event profile `{profile}`"))?;
            match api.is_json {
                true => outln!("{shown}"),
                false => {
                    let columns = [column("EVENT", "/event"), column("PRIORITY", "/priority")];
                    print(api, &items(&shown, "events"), &columns);
                }
            }
            Ok(())
        }
        ProfileAction::Set { profile, events } => {
            let events: Vec<Value> = events.iter().map(|text| event(text)).collect::<Result<_, _>>()?;
            api.write(Method::PUT, &profile.path(), Some(json!({ "events": events }))).await
        }
        ProfileAction::Remove(profile) => api.write(Method::DELETE, &profile.path(), None).await,
    })
}

/// An installation, or a removal, that was asked for.
struct Asked {
    /// On how many devices.
    planned: usize,
    /// What became of the asking.
    verdict: String,
    /// The approval that it awaits; empty where it awaits none.
    approval: String,
}

/// Asks for what is wanted once all that it overwrites is confirmed.
async fn install(api: &Api, wanted: &Wanted, confirmed: Option<&str>) -> anyhow::Result<Asked> {
    let plan = wanted.plan(api).await?;
    let hash = text(&plan, "hash");
    match confirmed {
        None if items(&plan, "overwrites").is_empty() => {}
        Some(confirmed) if confirmed == hash => {}
        None => {
            print_plan(api, &plan)?;
            bail!("somebody else's files would be overwritten: confirm that by `--confirm {hash}`");
        }
        Some(_) => {
            print_plan(api, &plan)?;
            bail!("what would be overwritten is not what was confirmed: confirm this by `--confirm {hash}`");
        }
    }
    let mut body = wanted.body();
    set(&mut body, "overwrites", plan.get("overwrites").cloned().unwrap_or_default());
    let told = api.write_told(Method::PUT, &wanted.path(), Some(body)).await?;
    let planned = items(&plan, "devices").len();
    Ok(Asked { planned, verdict: text(&told, "verdict"), approval: text(&told, "approval") })
}

/// Waits until an approval is given that an installation awaits: before, devices stand as they did.
async fn approved(api: &Api, approval: &str, until: Instant) -> anyhow::Result<()> {
    let mut id = approval.to_owned();
    loop {
        let found = api.followed(&format!("/api/v1/approvals/{}", segment(&id)), &(), Some(until)).await?;
        match &*text(&found, "state") {
            "approved" => {
                let outcome = found.get("outcome").cloned().unwrap_or_default();
                return match &*text(&outcome, "verdict") {
                    "done" => Ok(()),
                    _ => bail!("nothing is installed, though `{id}` is approved: {}", text(&outcome, "detail")),
                };
            }
            "changed" => id = text(&found, "instead"),
            "pending" if Instant::now() < until => tokio::time::sleep(LOOK_EVERY).await,
            "pending" => bail!("nothing is installed before `{id}` is approved"),
            state => bail!("nothing is installed: `{id}` is {state}"),
        }
    }
}

/// Waits, for so many seconds, until no device of a group goes on, and tells how each stands; `failing` is what is said of those that
/// failed.
async fn wait_for(
    api: &Api,
    (organization, device_group): (&str, &str),
    asked: &Asked,
    wait: u32,
    failing: &str,
) -> anyhow::Result<()> {
    let until = Instant::now().checked_add(Duration::from_secs(wait.into())).context("that is too long")?;
    match &*asked.verdict {
        "awaiting-approval" => approved(api, &asked.approval, until).await?,
        "pending" => bail!("the engine is behind, and has not decided yet whether that is done"),
        _ => {}
    }
    let (path, query) = (of(organization, "scripts"), [("device_group", device_group)]);
    loop {
        let found = api.followed(&path, &query, Some(until)).await?;
        let order = items(&found, "groups").first().map(|group| text(group, "order")).unwrap_or_default();
        let devices = items(&found, "devices");
        let state = |device: &Value| match text(device, "order") == order {
            true => text(device, "state"),
            false => "waiting".to_owned(),
        };
        let count = |states: &[&str]| devices.iter().filter(|device| states.contains(&state(device).as_str())).count();
        let (done, failed) = (count(&["done"]), count(&["failed", "rolled-back"]));
        // A device of which nothing was heard yet is not listed.
        let all = devices.len().max(asked.planned);
        if done + failed < all && Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        print_devices(api, &found);
        return match (all - done - failed, failed) {
            (0, 0) => Ok(()),
            (going, 0) => bail!("{going} of {all} devices are still on their way"),
            (_, failed) => bail!("{failed} of {all} devices {failing}"),
        };
    }
}

/// Shows what would change, device by device.
fn print_plan(api: &Api, plan: &Value) -> anyhow::Result<()> {
    if api.is_json {
        outln!("{plan}");
        return Ok(());
    }
    let (mut files, mut rest) = (Vec::new(), String::new());
    for device in items(plan, "devices") {
        let name = in_line(&text(&device, "device"));
        for mut file in items(&device, "files") {
            set(&mut file, "device", name.clone());
            files.push(file);
        }
        let (error, unsaid) = (text(&device, "error"), text(&device, "configuration_error"));
        if !error.is_empty() {
            rest += &format!("{name}: not known: {}\n", in_line(&error));
        } else if !unsaid.is_empty() {
            rest += &format!("{name}: its configuration is not known: {}\n", in_line(&unsaid));
        }
        for line in show::lines(device.get("configuration")).iter().filter(|line| !line.trim().is_empty()) {
            rest += &format!("{name}: {line}\n");
        }
    }
    print(api, &files, &FILES);
    out!("{rest}");
    outln!("hash: {}", text(plan, "hash"));
    Ok(())
}

async fn status(api: &Api, organization: &str, device_group: Option<&str>) -> anyhow::Result<()> {
    let query: Vec<(&str, &str)> = device_group.into_iter().map(|group| ("device_group", group)).collect();
    let found = api.get(&of(organization, "scripts"), &query).await?;
    if let Some(group) = device_group
        && ["groups", "devices"].iter().all(|field| items(&found, field).is_empty())
    {
        bail!("no scripts are installed on the device group `{group}`; `linesman org show` tells which there are");
    }
    print_devices(api, &found);
    Ok(())
}

/// Prints how far devices are.
fn print_devices(api: &Api, found: &Value) {
    if api.is_json {
        outln!("{found}");
        return;
    }
    for group in items(found, "groups") {
        let of = |field: &str| group.pointer(&format!("/scripts/{field}")).map(show::plain).unwrap_or_default();
        let what = match group.get("scripts") {
            Some(_) => format!("{} {} {}", of("bundle"), of("version"), of("event_profile")),
            None => "nothing".to_owned(),
        };
        outln!("{} is to have {}", in_line(&text(&group, "device_group")), what.trim_end());
    }
    let devices = items(found, "devices").into_iter().map(|mut device| {
        let progress = format!("{} of {}", text(&device, "done"), text(&device, "of"));
        set(&mut device, "progress", progress);
        device
    });
    print(api, &devices.collect::<Vec<_>>(), &DEVICES);
}

impl Wanted {
    fn path(&self) -> String {
        group_path(&self.organization, &self.device_group)
    }

    fn body(&self) -> Value {
        let Self { bundle, version, event_profile, .. } = self;
        json!({ "bundle": bundle, "version": version, "event_profile": event_profile })
    }

    async fn plan(&self, api: &Api) -> anyhow::Result<Value> {
        let request = api.patient(Method::POST, &format!("{}/plan", self.path())).json(&self.body());
        api.answer(request).await
    }
}

impl Version {
    fn path(&self) -> String {
        let Self { organization, bundle, version } = self;
        format!("{}/{}/{}", of(organization, "script-bundles"), segment(bundle), segment(version))
    }
}

impl Profile {
    fn path(&self) -> String {
        format!("{}/{}", of(&self.organization, "event-profiles"), segment(&self.profile))
    }
}

fn of(organization: &str, what: &str) -> String {
    format!("/api/v1/organizations/{}/{what}", segment(organization))
}

fn group_path(organization: &str, device_group: &str) -> String {
    format!("{}/{}", of(organization, "scripts"), segment(device_group))
}

fn script(kind: &str, path: &Path) -> anyhow::Result<Value> {
    let content = std::fs::read_to_string(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("`{}` has no name that devices take", path.display()))?;
    Ok(json!({ "kind": kind, "name": name, "content": content }))
}

fn event(text: &str) -> anyhow::Result<Value> {
    let said = text.split_once('=').and_then(|(event, priority)| Some((event, priority.parse::<u8>().ok()?)));
    let (event, priority) = said.with_context(|| format!("`{text}` is no event with its priority, as `EVENT=1`"))?;
    Ok(json!({ "event": event, "priority": priority }))
}

fn items(value: &Value, field: &str) -> Vec<Value> {
    value.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).map(show::plain).unwrap_or_default()
}

fn set(value: &mut Value, field: &str, to: impl Into<Value>) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(field.to_owned(), to.into());
    }
}

fn print(api: &Api, items: &[Value], columns: &[Column]) {
    match api.is_json {
        true => items.iter().for_each(|item| outln!("{item}")),
        false => out!("{}", show::table(items, columns, api.room())),
    }
}

//! `linesman device config`

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::Api;
use super::device::Which;
use super::show;

/// How long it is waited, where nothing else is said, for what a device answers: as long as a change may take.
const WAIT: &str = "10m";
/// How often it is looked then.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Action {
    /// Show what applying them would change there, as the device says it; exit 1 where it does not take one
    Diff(Which),
    /// Tell the device all of them again
    Apply {
        #[command(flatten)]
        which: Which,
        /// Wait for what the device answers; exit 1 where one failed or did not come to its end in that time
        #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = WAIT, value_parser = super::device::seconds)]
        wait: Option<u32>,
    },
    /// Read them back and hold them against what the device was told, line by line; exit 1 where it has something otherwise
    ///
    /// Also 1 where that is not known of a group, or one has failed: why is printed. What a service says is to be restored is told again.
    CheckSync(Which),
}

pub(super) async fn run(api: &Api, action: &Action) -> anyhow::Result<()> {
    match action {
        Action::Diff(which) => diff(api, which).await,
        Action::Apply { which, wait } => apply(api, which, wait.map(|wait| Duration::from_secs(wait.into()))).await,
        Action::CheckSync(which) => check_sync(api, which).await,
    }
}

async fn ask(api: &Api, which: &Which, what: &str) -> anyhow::Result<Value> {
    api.answer(api.patient(Method::POST, &format!("{}/config/{what}", which.path()?))).await
}

fn groups(answer: &Value) -> Vec<Value> {
    answer.get("groups").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn text(group: &Value, field: &str) -> String {
    group.get(field).map(show::plain).unwrap_or_default()
}

/// Whether it is not known what the device has of a group: it is being told of it, or was and did not take it.
fn is_unknown(group: &&Value) -> bool {
    group.get("in_sync").is_none_or(Value::is_null)
}

/// Whose a group is, in one line.
fn heading(group: &Value) -> String {
    let [name, place, subscription, service] =
        ["group", "place", "subscription", "service"].map(|field| text(group, field));
    format!("{name}: {subscription} ({service}) for {place}")
}

async fn diff(api: &Api, which: &Which) -> anyhow::Result<()> {
    let told = ask(api, which, "diff").await?;
    let groups = groups(&told);
    let refused = groups.iter().filter(|group| !text(group, "error").is_empty()).count();
    if api.is_json {
        outln!("{told}");
    } else {
        for group in &groups {
            let (diff, error) = (show::lines(group.get("diff")), text(group, "error"));
            if diff.is_empty() && error.is_empty() {
                continue;
            }
            outln!("{}", heading(group));
            match error.is_empty() {
                true => diff.iter().for_each(|line| outln!("{line}")),
                false => outln!("  {error}"),
            }
        }
        if told.get("in_sync").is_some_and(|is_so| is_so == true) {
            outln!("nothing to change: {} groups", groups.len());
        }
    }
    if refused > 0 {
        bail!("the device does not take {refused} of {} groups", groups.len());
    }
    Ok(())
}

async fn check_sync(api: &Api, which: &Which) -> anyhow::Result<()> {
    let told = ask(api, which, "check-sync").await?;
    let groups = groups(&told);
    let is_drifted = |group: &&Value| group.get("in_sync").is_some_and(|is_so| is_so == false);
    let drifted = groups.iter().filter(is_drifted).count();
    let unknown = groups.iter().filter(is_unknown).count();
    let is_other = |group: &&Value| !is_drifted(group) && !is_as_told(group);
    let failed = groups.iter().filter(is_other).count() - unknown;
    if api.is_json {
        outln!("{told}");
    } else {
        for group in groups.iter().filter(is_drifted) {
            let from = text(group, "restored_from");
            let from = if from.is_empty() { from } else { format!(", not before {from}") };
            outln!("{} [{}{from}]", heading(group), text(group, "action"));
            for (mark, field) in [("-", "missing"), ("+", "extra")] {
                for line in group.get(field).and_then(Value::as_array).into_iter().flatten() {
                    let template = text(line, "template");
                    let of = if template.is_empty() { String::new() } else { format!("  # {template}") };
                    outln!("  {mark} {}{of}", text(line, "text"));
                }
            }
        }
        if unknown + failed > 0 {
            let known = self::groups(&api.get(&which.path()?, &()).await?);
            groups.iter().filter(is_other).for_each(|group| tell_of(group, &known));
        }
        let told = if unknown > 0 { format!(", {unknown} not known") } else { String::new() };
        let refused = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        let in_sync = groups.len() - drifted - unknown - failed;
        outln!("{} groups: {in_sync} in sync, {drifted} drifted{told}{refused}", groups.len());
    }
    match (drifted, unknown, failed) {
        (0, 0, 0) => Ok(()),
        (0, unknown, 0) => bail!("of {unknown} of {} groups it is not known what the device has", groups.len()),
        (0, _, failed) => bail!("the device has not taken {failed} of {} groups as they are to be", groups.len()),
        (drifted, ..) => bail!("the device has {drifted} of {} groups otherwise than it was told", groups.len()),
    }
}

/// Whether the device has a group, and has it as it was told.
fn is_as_told(group: &Value) -> bool {
    text(group, "state") == "active" && group.get("in_sync").is_some_and(|is_so| is_so == true)
}

/// How a group stands and why, as what is known of the device tells.
fn tell_of(group: &Value, known: &[Value]) {
    let found = known.iter().find(|found| text(found, "group") == text(group, "group")).unwrap_or(group);
    let (state, reason) = (text(found, "state"), text(found, "reason"));
    let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
    outln!("{} [{state}]{reason}", heading(group));
}

async fn apply(api: &Api, which: &Which, wait: Option<Duration>) -> anyhow::Result<()> {
    let asked = api.patient(Method::POST, &format!("{}/config/apply", which.path()?));
    let told = api.answer(asked.header("Idempotency-Key", api.command_key()?)).await?;
    let names: Vec<String> = groups(&told).iter().map(|group| text(group, "group")).collect();
    let (added, removed) = (text(&told, "added"), text(&told, "removed"));
    match (api.is_json, wait) {
        (true, None) => outln!("{told}"),
        (true, Some(_)) => {}
        (false, _) if added.is_empty() => {
            outln!("{} groups were told again under this key before, and are not now", names.len());
        }
        (false, _) => outln!("{} groups are told again: {added} lines come, {removed} go", names.len()),
    }
    let Some(wait) = wait else { return tell_needed(api, which, &names).await };
    let until = Instant::now().checked_add(wait).context("that is too long")?;
    loop {
        let now = of_device(api, which, &names, until).await?;
        let count = |state: &str| now.iter().filter(|group| text(group, "state") == state).count();
        let (pending, failed) = (count("pending"), count("failed") + count("held"));
        let awaiting = now.iter().filter(|group| !text(group, "approval").is_empty()).count();
        if pending > awaiting && Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        match api.is_json {
            true => outln!("{}", Value::from(now.clone())),
            false => now.iter().for_each(|group| outln!("{}", standing(group))),
        }
        match (failed, pending) {
            (0, 0) => return Ok(()),
            (0, pending) if pending == awaiting => {
                bail!("{awaiting} of {} groups await approval: nothing is changed before", names.len())
            }
            (0, pending) => bail!(
                "{pending} of {} groups are still on their way: `linesman activation list` tells what they wait for",
                names.len()
            ),
            (failed, _) => bail!("{failed} of {} groups failed: `linesman activation list` tells why", names.len()),
        }
    }
}

/// The groups of a device that are told again, as it has them now.
async fn of_device(api: &Api, which: &Which, names: &[String], until: Instant) -> anyhow::Result<Vec<Value>> {
    let device = api.followed(&which.path()?, &(), Some(until)).await?;
    Ok(groups(&device).into_iter().filter(|group| names.contains(&text(group, "group"))).collect())
}

/// How a group stands on its device.
fn standing(group: &Value) -> String {
    let approval = text(group, "approval");
    let why = match (approval.is_empty(), text(group, "reason")) {
        (false, _) => format!(", awaits approval `{approval}`"),
        (true, reason) if reason.is_empty() => reason,
        (true, reason) => format!(": {reason}"),
    };
    format!("{}: {}{why}", text(group, "group"), text(group, "state"))
}

/// Says how many of the groups are changed on the device once that is approved, if any.
async fn tell_needed(api: &Api, which: &Which, names: &[String]) -> anyhow::Result<()> {
    let now = of_device(api, which, names, Instant::now()).await?;
    let needing = now.iter().filter(|group| group.get("needs_approval").is_some_and(|needs| needs == true)).count();
    if needing > 0 && !api.is_json {
        outln!(
            "{needing} of them need approval: the device is asked what that comes to, and changed once it is approved"
        );
    }
    Ok(())
}

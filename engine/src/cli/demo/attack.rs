//! The demo's attacks: a blackhole comes up on the device of the line that is attacked, and goes with the attack.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;

use super::super::line;
use super::devices::Device;
use super::people::{self, Engine};

/// How long devices have for what they are told.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a blackhole.
#[derive(Debug, Serialize)]
pub(super) struct Blackhole {
    /// The access line that it was for.
    line: String,
    /// The whole configuration of the line's device while the attack lasted.
    configuration: String,
    /// That the device has no more of it.
    removed: bool,
}

/// What became of a device.
#[derive(Debug, Serialize)]
pub(super) struct Reached {
    organization: &'static str,
    name: String,
    /// How many bundles it left that were collected.
    collected: u64,
    /// What it was told.
    blackhole: Blackhole,
}

impl Reached {
    /// How many bundles it left that were collected.
    pub(super) const fn collected(&self) -> u64 {
        self.collected
    }

    /// What it was told.
    pub(super) const fn blackhole(&self) -> &Blackhole {
        &self.blackhole
    }
}

/// An attack on each device from its first bundle to its last, which it leaves itself. `tells`: in words, too.
///
/// # Errors
/// The engine does not answer, or otherwise than it should; a device is not collected from, does not get the configuration,
/// or keeps it.
pub(super) async fn play(engine: &Engine, devices: &[Device], tells: bool) -> anyhow::Result<Vec<Reached>> {
    try_join_all(devices.iter().map(|device| attacked(engine, device, tells))).await
}

async fn attacked(engine: &Engine, device: &Device, tells: bool) -> anyhow::Result<Reached> {
    let (line, name) = (people::line_of(device.org), &device.name);
    let [seen, over] = device.attack()?;
    prepare(engine, device).await?;
    device.introduce(engine).await?;
    let tell = |text: &str| {
        if tells {
            outln!("{text}");
        }
    };
    let leaves = async |bytes: &[u8]| {
        let id = device.leaves(bytes)?;
        tell(&line::left(device.org, "bundle", &id));
        device.collected(engine).await
    };
    leaves(&seen).await?;
    let text = holds(device, true).await?;
    tell(&format!("\nThe blackhole is up for {line}. Its device {name} (a stand-in) has:\n\n{text}"));
    leaves(&over).await?;
    holds(device, false).await?;
    tell(&format!("\nThe attack is over: the blackhole for {line} has gone, and {name} has nothing of it.\n"));
    let blackhole = Blackhole { line, configuration: text, removed: true };
    Ok(Reached { organization: device.org, name: name.clone(), collected: 2, blackhole })
}

/// Waits until a device has configuration, or none any more; it as it is then.
async fn holds(device: &Device, is_wanted: bool) -> anyhow::Result<String> {
    let look = async {
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            if let Some(text) = device.configuration().filter(|text| text.is_empty() != is_wanted) {
                return text;
            }
        }
    };
    let in_vain = || format!("the configuration of `{}` has not changed", device.name);
    tokio::time::timeout(PATIENCE, look).await.with_context(in_vain)
}

/// The line has its device and the addresses of which one is attacked, and the enterprise a community of its own and a
/// subscription, which a policy activates.
async fn prepare(engine: &Engine, device: &Device) -> anyhow::Result<()> {
    let org = device.org;
    let line = format!("/places/{}", people::line_of(org));
    for (path, body) in [
        (format!("/places/{org}/berlin"), json!({})),
        (line, json!({"device": device.serial_number, "addresses": ["192.0.2.1/28"]})),
        (format!("/values/{org}"), json!({"substitutions": ["community=\"64496:666\""]})),
        (format!("/subscriptions/{org}/blackhole"), json!({"service": "ddos-blackhole"})),
    ] {
        let (status, answer) = engine.ask(engine.admin(), Method::PUT, &path, &body).await?;
        ensure!(status.is_success(), "`{path}` is not made: {answer}");
    }
    Ok(())
}

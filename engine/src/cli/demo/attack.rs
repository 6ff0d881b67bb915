//! The demo's attack: a blackhole comes up on the device of the line that is attacked, and goes with the attack.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use async_nats::{Client, jetstream};
use linesman_connectors::device::standin::configuration;
use linesman_schemas::bundle;
use linesman_schemas::bundle::corpus::attack;
use linesman_schemas::reaction::Device;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;

use super::super::line;
use super::corpus::host_event_id;
use super::people::{self, Engine};

/// Whose network is attacked.
const ORGANIZATION: &str = "acme";
/// How long devices have for what they are told.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a blackhole.
#[derive(Debug, Serialize)]
pub(super) struct Blackhole {
    /// The access line that it was for.
    line: &'static str,
    /// The whole configuration of the line's device while the attack lasted.
    configuration: String,
    /// That the device has no more of it.
    removed: bool,
}

/// An attack from its first bundle to its last, as the stand-in devices in a folder show it. `tells`: in words, too.
///
/// # Errors
/// The engine does not answer, or otherwise than it should; the device does not get the configuration, or keeps it.
pub(super) async fn play(engine: &Engine, client: &Client, devices: &Path, tells: bool) -> anyhow::Result<Blackhole> {
    let [seen, over] = attack();
    let manifest = bundle::decode(&seen.bytes).context("the attack's bundle is broken")?.manifest;
    let serial_number = manifest.device.serial_number.into_owned();
    prepare(engine, &serial_number).await?;
    let device = Device { organization: ORGANIZATION.parse()?, serial_number, host_name: None };
    let holds = async |is_wanted: bool| {
        let look = async {
            let mut every = tokio::time::interval(LOOK_EVERY);
            loop {
                every.tick().await;
                let text = configuration(devices, &device)?;
                if text.is_empty() != is_wanted {
                    return anyhow::Ok(text);
                }
            }
        };
        let in_vain = || format!("the configuration of `{}` has not changed", device.serial_number);
        tokio::time::timeout(PATIENCE, look).await.with_context(in_vain)?
    };
    let tell = |text: &str| {
        if tells {
            anstream::println!("{text}");
        }
    };
    let context = jetstream::new(client.clone());
    let publish = async |bytes: Vec<u8>| {
        tell(&line::published(ORGANIZATION, "bundle", &host_event_id(&bytes)));
        context.publish(format!("in.{ORGANIZATION}.jmb.demo"), bytes.into()).await?.await?;
        anyhow::Ok(())
    };
    publish(seen.bytes).await?;
    let text = holds(true).await?;
    let (line, serial_number) = (people::LINE, &device.serial_number);
    tell(&format!("\nThe blackhole is up for {line}. Its device {serial_number} (a stand-in) has:\n\n{text}"));
    publish(over.bytes).await?;
    holds(false).await?;
    tell(&format!("\nThe attack is over: the blackhole for {line} has gone, and {serial_number} has nothing of it.\n"));
    Ok(Blackhole { line, configuration: text, removed: true })
}

/// The line has its device and the addresses of which one is attacked, and the enterprise a community of its own and a subscription, which a policy activates.
async fn prepare(engine: &Engine, serial_number: &str) -> anyhow::Result<()> {
    let line = format!("/places/{}", people::LINE);
    for (path, body) in [
        (line.as_str(), json!({"device": serial_number, "addresses": ["192.0.2.1/28"]})),
        ("/values/acme", json!({"substitutions": ["community=\"64496:666\""]})),
        ("/subscriptions/acme/blackhole", json!({"service": "ddos-blackhole"})),
    ] {
        let (status, answer) = engine.ask(engine.admin(), Method::PUT, path, &body).await?;
        ensure!(status.is_success(), "`{path}` is not made: {answer}");
    }
    Ok(())
}

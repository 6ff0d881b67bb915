//! The demo's devices: stand-ins that are reached over SSH as routers are. They leave bundles, and take configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use linesman_connectors::device::standin::server::{Account, Facts, Proof, Server, Setup};
use linesman_schemas::bundle;
use linesman_schemas::bundle::corpus::attack;
use reqwest::Method;
use serde_json::{Value, json};

use super::configuration::ORGANIZATIONS;
use super::corpus::host_event_id;
use super::people::Engine;
use crate::data_dir::private;

/// Who logs in to them.
const USER: &str = "linesman";
/// Where they leave bundles.
const DIRECTORY: &str = "var/tmp";
/// How often they are looked at, in seconds: as often as can be said.
const POLL_S: u32 = 5;
/// How long one has to be connected to and collected from.
const PATIENCE: Duration = Duration::from_secs(60);

/// A device of an organization's.
pub(super) struct Device {
    /// Whose it is.
    pub(super) org: &'static str,
    /// What it is called.
    pub(super) name: String,
    /// The serial number of its chassis.
    pub(super) serial_number: String,
    password: String,
    folder: PathBuf,
    server: Server,
}

/// Starts one of each organization that has no controller, with file systems below a folder.
///
/// # Errors
/// One cannot be started.
pub(super) async fn start(dir: &Path) -> anyhow::Result<Vec<Device>> {
    let mut devices = Vec::new();
    for (number, (org, ..)) in ORGANIZATIONS.into_iter().enumerate() {
        devices.push(Device::start(dir, org, number).await.with_context(|| format!("a device of `{org}`"))?);
    }
    Ok(devices)
}

impl Device {
    async fn start(dir: &Path, org: &'static str, number: usize) -> anyhow::Result<Self> {
        let (host_name, serial_number, model) = of_attack()?;
        let (name, serial_number) = match number {
            0 => (host_name, serial_number),
            number => (format!("{org}-{host_name}"), format!("{serial_number}{number}")),
        };
        let root = dir.join(org).join(&name);
        let folder = root.join(DIRECTORY);
        std::fs::create_dir_all(&folder)?;
        let password = private::random_hex::<16>()?;
        let account = Account { user: USER.to_owned(), proof: Proof::Password(password.clone()) };
        let facts = Facts { host_name: name.clone(), model, serial_number: serial_number.clone(), ..Facts::default() };
        let server = Server::start(Setup { facts, ..Setup::new(root, vec![account]) }).await?;
        Ok(Self { org, name, serial_number, password, folder, server })
    }

    /// Where it is in the API.
    fn path(&self) -> String {
        format!("/devices/{}/{}", self.org, self.name)
    }

    /// What people see of it.
    pub(super) fn told(&self) -> String {
        format!("device (a stand-in)          ssh://{USER}@{}  {}/{}", self.server.address(), self.org, self.name)
    }

    /// Lets the engine reach it.
    ///
    /// # Errors
    /// The engine does not answer, or otherwise than it should.
    pub(super) async fn introduce(&self, engine: &Engine) -> anyhow::Result<()> {
        let (address, host_key) = (self.server.address(), self.server.host_key()?.to_string());
        let body = json!({
            "address": address.ip(), "port": address.port(), "netconf_port": address.port(), "user": USER,
            "password": self.password, "host_key": host_key, "poll_s": POLL_S, "serial_number": self.serial_number,
        });
        let (status, answer) = engine.ask(engine.admin(), Method::PUT, &self.path(), &body).await?;
        ensure!(status.is_success(), "`{}` is not reached: {answer}", self.name);
        Ok(())
    }

    /// Leaves a bundle, whole at once.
    ///
    /// # Errors
    /// Its folder cannot be written to.
    pub(super) fn leaves(&self, bytes: &[u8]) -> anyhow::Result<String> {
        let id = host_event_id(bytes);
        let part = self.folder.join(".part");
        std::fs::write(&part, bytes)?;
        std::fs::rename(&part, self.folder.join(format!("{id}.xml")))?;
        Ok(id)
    }

    /// Has the engine look until nothing is left of what it left.
    ///
    /// # Errors
    /// The engine does not answer, or does not collect it in time.
    pub(super) async fn collected(&self, engine: &Engine) -> anyhow::Result<()> {
        let look = async {
            let path = format!("{}/collect", self.path());
            let mut said = Value::Null;
            while self.has_bundles()? {
                // Twice: a file is taken that has not grown between two looks.
                (_, said) = engine.ask(engine.admin(), Method::POST, &path, &json!({})).await?;
            }
            anyhow::Ok(said)
        };
        let in_vain = || format!("`{}` is not collected from", self.name);
        tokio::time::timeout(PATIENCE, look).await.with_context(in_vain)??;
        Ok(())
    }

    fn has_bundles(&self) -> anyhow::Result<bool> {
        for entry in std::fs::read_dir(&self.folder)? {
            if entry?.path().extension().is_some_and(|ending| ending == "xml") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Its configuration, but what waits to be confirmed.
    pub(super) fn configuration(&self) -> Option<String> {
        (!self.server.is_pending()).then(|| self.server.running())
    }

    /// The bundles of an attack on what lies behind it: that it is seen, and that it is over.
    pub(super) fn attack(&self) -> anyhow::Result<[Vec<u8>; 2]> {
        let (host_name, serial_number, _) = of_attack()?;
        Ok(attack().map(|specimen| {
            let text = String::from_utf8_lossy(&specimen.bytes).into_owned();
            text.replace(&host_name, &self.name).replace(&serial_number, &self.serial_number).into_bytes()
        }))
    }
}

/// The device that the attack's bundles are of: host name, serial number, product.
fn of_attack() -> anyhow::Result<(String, String, String)> {
    let [seen, _] = attack();
    let device = bundle::decode(&seen.bytes).context("the attack's bundle is broken")?.manifest.device;
    Ok((device.host_name.into_owned(), device.serial_number.into_owned(), device.product.into_owned()))
}

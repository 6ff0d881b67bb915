//! A directory with configuration, rules and data, and the engine that runs on it.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use linesman::store::Store;
use linesman_domain as domain;
use linesman_schemas::Mode;
use tempfile::TempDir;

use crate::disk::Disk;
use crate::engine::{self, Engine, Launch};
use crate::upstream::Upstream;

/// A policy that opens a case for every detected incident of high or critical priority.
pub const OPEN_CASE: &str = r#"
policy(#{ on: "incident.detected", where: #{ priority: ["Critical", "High"] } });
fn react(incident, org) { submit_case(#{ synopsis: incident.synopsis }); }
"#;

/// How many lanes every engine has, unless a test says otherwise.
pub const LANES: u32 = 4;

/// Where an engine lives. Organizations: `acme` and `bolt` send everything, `cobalt` withholds,
/// `dory` sends nothing.
pub struct World {
    /// The disk of the data directory, where it has one of its own; goes before the folder around it.
    disk: Option<Disk>,
    dir: TempDir,
    extra: String,
    organizations: BTreeMap<&'static str, &'static str>,
    /// Whether it has a licence; without one it is an evaluation.
    pub is_licensed: bool,
    /// Its mode; in `partner` its organizations stand for end customers.
    pub mode: &'static str,
    /// How many lanes the configuration asks for.
    pub lanes: u32,
}

impl World {
    /// A world without policies.
    ///
    /// # Errors
    /// Its directory cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let organizations = BTreeMap::from([
            ("acme", "Send all information"),
            ("bolt", "Send all information"),
            ("cobalt", "Send all information with IP addresses overwritten"),
            ("dory", "Do not send"),
        ]);
        let world = Self {
            disk: None,
            dir: tempfile::tempdir()?,
            extra: String::new(),
            organizations,
            is_licensed: true,
            mode: "partner",
            lanes: LANES,
        };
        std::fs::create_dir(world.rules())?;
        Ok(world)
    }

    /// Gives the data directory a disk of its own, of so many MiB; says so where nothing can be mounted.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn mount(&mut self, size: u32) -> anyhow::Result<()> {
        self.disk = Disk::mount(&self.data(), size)?;
        if self.disk.is_none() {
            println!("nothing can be mounted here: no disk is full");
        }
        Ok(())
    }

    /// The disk of the data directory, where it has one of its own.
    pub const fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// Adds to the configuration's top level and tables before the organizations.
    pub fn configure(&mut self, text: &str) {
        self.extra.push_str(text);
    }

    /// Adds an organization, or changes its filter level.
    pub fn organization(&mut self, name: &'static str, filter_level: &'static str) {
        self.organizations.insert(name, filter_level);
    }

    /// Leaves an organization out.
    pub fn without_organization(&mut self, name: &str) {
        self.organizations.remove(name);
    }

    /// Forgets what [`Self::configure`] has added.
    pub fn forget_configuration(&mut self) {
        self.extra.clear();
    }

    /// The rule directory.
    pub fn rules(&self) -> PathBuf {
        self.dir.path().join("rules")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A file of the world's own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a policy.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn policy(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.rules().join(format!("{name}.rhai"));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, text)?)
    }

    /// Writes the configuration: the organizations, and an upstream if there is one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_config(&self, upstream: Option<&Upstream>) -> anyhow::Result<PathBuf> {
        let mut text = format!("mode = \"{}\"\nlanes = {}\nthreads = 2\n", self.mode, self.lanes);
        text.push_str(&self.extra);
        if self.is_licensed {
            text.push_str(&linesman::licence::standin::write(self.root(), Mode::Partner, 1_000)?);
        }
        if let Some(upstream) = upstream {
            let password = self.path("password");
            std::fs::write(&password, "secret\n")?;
            std::fs::set_permissions(&password, Permissions::from_mode(0o600))?;
            text.push_str(&upstream.config());
        }
        for (name, filter_level) in &self.organizations {
            text.push_str(&format!(
                "\n[[organizations]]\nname = \"{name}\"\nproxy = {}\nfilter_level = \"{filter_level}\"\n",
                self.mode == "partner"
            ));
        }
        let path = self.path("linesman.toml");
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Starts the engine and waits until it is ready.
    ///
    /// # Errors
    /// It cannot be started, or ends instead.
    pub async fn start(&self, upstream: Option<&Upstream>) -> anyhow::Result<Engine> {
        self.start_with(upstream, Launch::default()).await
    }

    /// Starts the engine with more flags or crash points, and waits until it is ready.
    ///
    /// # Errors
    /// It cannot be started, or ends instead.
    pub async fn start_with(&self, upstream: Option<&Upstream>, launch: Launch<'_>) -> anyhow::Result<Engine> {
        let mut engine = self.spawn(upstream, launch)?;
        engine.wait_ready().await?;
        Ok(engine)
    }

    /// Starts the engine with a configuration of one's own, and waits until it is ready.
    ///
    /// # Errors
    /// It cannot be started, or ends instead.
    pub async fn start_configured(&self, text: &str, launch: Launch<'_>) -> anyhow::Result<Engine> {
        let path = self.path("linesman.toml");
        std::fs::write(&path, text)?;
        let mut engine = Engine::spawn(&self.data(), &self.rules(), &path, launch)?;
        engine.wait_ready().await?;
        Ok(engine)
    }

    /// Starts the engine without waiting.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(&self, upstream: Option<&Upstream>, launch: Launch<'_>) -> anyhow::Result<Engine> {
        let config = self.write_config(upstream)?;
        Engine::spawn(&self.data(), &self.rules(), &config, launch)
    }

    /// The URL of the world's NATS server with the engine's login.
    ///
    /// # Errors
    /// It has none.
    pub fn engine_url(&self) -> anyhow::Result<String> {
        engine::engine_url(&self.data())
    }

    /// Removes the state; the log stays.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn delete_state(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_dir_all(self.data().join("state"))?)
    }

    /// Where each lane of an engine that has stopped stands, and the digest of all its rows.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn lanes(&self) -> anyhow::Result<Vec<(u64, [u8; 32])>> {
        let store = Store::open(&self.data().join("state"))?;
        let mut lanes = Vec::new();
        for lane in 0..LANES {
            let lane = store.lane(lane)?;
            lanes.push((domain::position::read(&lane)?.context("an empty lane")?.sequence, lane.digest()?));
        }
        store.close()?;
        Ok(lanes)
    }

    /// A NATS server without an engine, set up for `lanes` lanes: its URL with the engine's login.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn server(&self) -> anyhow::Result<String> {
        self.start(None).await?.kill()?;
        self.engine_url()
    }

    /// The world's directory.
    pub fn root(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        engine::end_orphan(&self.data());
    }
}

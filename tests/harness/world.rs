//! A directory with configuration, rules and data, and the engine that runs on it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use linesman::store::Store;
use tempfile::TempDir;

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
    dir: TempDir,
    extra: String,
}

impl World {
    /// A world without policies.
    ///
    /// # Errors
    /// Its directory cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let world = Self { dir: tempfile::tempdir()?, extra: String::new() };
        std::fs::create_dir(world.rules())?;
        Ok(world)
    }

    /// Adds to the configuration's top level and tables before the organizations.
    pub fn configure(&mut self, text: &str) {
        self.extra.push_str(text);
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

    /// Writes the configuration: four organizations, and an upstream if there is one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_config(&self, upstream: Option<&Upstream>) -> anyhow::Result<PathBuf> {
        let organizations = [
            ("acme", "Send all information"),
            ("bolt", "Send all information"),
            ("cobalt", "Send all information with IP addresses overwritten"),
            ("dory", "Do not send"),
        ];
        let mut text = format!("mode = \"partner\"\nlanes = {LANES}\nthreads = 2\n");
        text.push_str(&self.extra);
        if let Some(upstream) = upstream {
            let password = self.path("password");
            std::fs::write(&password, "secret\n")?;
            std::fs::set_permissions(&password, Permissions::from_mode(0o600))?;
            text.push_str(&upstream.config());
        }
        for (name, filter_level) in organizations {
            text.push_str(&format!("\n[[organizations]]\nname = \"{name}\"\nproxy = true\nfilter_level = \"{filter_level}\"\n"));
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

    /// The digest of each lane's rows, of an engine that has stopped.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn digests(&self) -> anyhow::Result<Vec<[u8; 32]>> {
        let store = Store::open(&self.data().join("state"))?;
        let digests = (0..LANES).map(|lane| store.lane(lane)?.digest()).collect::<Result<_, _>>()?;
        store.close()?;
        Ok(digests)
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

//! Controllers of a cascade: a partner, and those below it.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::api::Answer;
use crate::engine::{Engine, Launch};
use crate::network::Network;
use crate::upstream::Upstream;
use crate::{World, until};

/// The user and the password by which one comes to the controller above it, in all tests.
const PASSWORD: &str = "correct horse battery staple";

/// What stands above a controller.
#[derive(Debug, Clone)]
enum Above {
    /// The support system, as its configuration has it.
    Support(String),
    /// A partner: its URL and its certificate authority.
    Partner(String, PathBuf),
}

/// A controller: its directory, its configuration, its engine.
pub struct Controller {
    world: World,
    mode: &'static str,
    above: Above,
    /// The organizations, as the configuration has them.
    organizations: String,
    /// Its engine.
    pub engine: Engine,
}

impl Controller {
    /// A partner below the support system, with a proxy organization of each name.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn partner(upstream: &Upstream, organizations: &[&str], more: &str) -> anyhow::Result<Self> {
        let proxies: String = organizations.iter().map(|name| proxy(name, more)).collect();
        Self::start("partner", Above::Support(upstream.config()), proxies, |_| Ok(())).await
    }

    /// A partner below another, as its organization `user`.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn partner_below(above: &Self, user: &str, organizations: &[&str]) -> anyhow::Result<Self> {
        let proxies: String = organizations.iter().map(|name| proxy(name, "")).collect();
        Self::start("partner", above.as_above(user)?, proxies, |_| Ok(())).await
    }

    /// An end customer below a partner, as its organization `user`; every problem becomes a case.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn end_customer(above: &Self, user: &str) -> anyhow::Result<Self> {
        Self::customer_of(above.as_above(user)?).await
    }

    /// One that comes to the partner through a network.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn end_customer_through(network: &Network, above: &Self, user: &str) -> anyhow::Result<Self> {
        let Above::Partner(_, ca) = above.as_above(user)? else { anyhow::bail!("a partner stands above") };
        Self::customer_of(Above::Partner(format!("https://{} {user}", network.address()), ca)).await
    }

    async fn customer_of(above: Above) -> anyhow::Result<Self> {
        let own = "\n[[organizations]]\nname = \"own\"\nfilter_level = \"Send all information\"\n".to_owned();
        Self::start("end-customer", above, own, |world| world.policy("open-case", crate::OPEN_CASE)).await
    }

    /// Where those below it come to it.
    ///
    /// # Errors
    /// It has no listener for those below.
    pub fn listens(&self) -> anyhow::Result<SocketAddr> {
        let url = self.engine.ready()?.partner.clone().context("it has no listener for those below")?;
        Ok(url.trim_start_matches("https://").parse()?)
    }

    async fn start(
        mode: &'static str,
        above: Above,
        organizations: String,
        prepare: impl FnOnce(&World) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let world = World::new()?;
        prepare(&world)?;
        for name in ["password", "customer.password"] {
            let path = world.path(name);
            std::fs::write(&path, format!("{PASSWORD}\n"))?;
            std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        }
        let text = configuration(mode, &above, &organizations);
        let engine = world.start_configured(&text, Launch::default()).await?;
        Ok(Self { world, mode, above, organizations, engine })
    }

    /// How one comes to it from below.
    fn as_above(&self, user: &str) -> anyhow::Result<Above> {
        let ready = self.engine.ready()?;
        let url = ready.partner.clone().context("it has no listener for those below")?;
        Ok(Above::Partner(format!("{url} {user}"), ready.ca.clone()))
    }

    /// Kills it, and starts it again where it was.
    ///
    /// # Errors
    /// It cannot be killed, or started.
    pub async fn kill_and_start(&mut self) -> anyhow::Result<()> {
        self.start_again(|_| Ok(())).await
    }

    /// Kills it, takes its state away, and starts it again where it was.
    ///
    /// # Errors
    /// It cannot be killed, or started.
    pub async fn rebuild(&mut self) -> anyhow::Result<()> {
        self.start_again(|world| Ok(std::fs::remove_dir_all(world.data().join("state"))?)).await
    }

    async fn start_again(&mut self, meanwhile: impl FnOnce(&World) -> anyhow::Result<()>) -> anyhow::Result<()> {
        // Those below know it by its port.
        let listen = self.engine.ready()?.partner.clone().unwrap_or_default();
        let listen = listen.trim_start_matches("https://");
        self.engine.kill()?;
        meanwhile(&self.world)?;
        let text = configuration(self.mode, &self.above, &self.organizations);
        let text = text.replace("listen = \"127.0.0.1:0\" # partner", &format!("listen = \"{listen}\" # partner"));
        self.engine = self.world.start_configured(&text, Launch::default()).await?;
        Ok(())
    }

    /// Asks the API for something, and waits until it tells what is looked for.
    pub async fn until<T>(&self, what: &str, path: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        until(what, async || self.engine.get(path).await.ok().and_then(|value| look(&value))).await
    }

    /// Has something done.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn does(&self, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.engine.api()?.post(path, body).await
    }

    /// Something a device of the organization says.
    ///
    /// # Errors
    /// The log does not take it.
    pub async fn hears(&self, organization: &str, host: &str, number: u64) -> anyhow::Result<()> {
        self.takes(organization, crate::event(host, number, "FRU", "High")).await
    }

    /// A bundle of a device of the organization.
    ///
    /// # Errors
    /// The log does not take it.
    pub async fn takes(&self, organization: &str, text: String) -> anyhow::Result<()> {
        let client = self.engine.nats().await?;
        let jetstream = async_nats::jetstream::new(client);
        jetstream.publish(format!("in.{organization}.jmb.test"), text.into()).await?.await?;
        Ok(())
    }

    /// Has the command line do something by the API.
    ///
    /// # Errors
    /// It fails.
    pub async fn runs(&self, args: &[&str]) -> anyhow::Result<()> {
        let data = self.world.data();
        let data = data.to_str().context("a path of text")?;
        let ended = crate::run(&[args, &["--data-dir", data]].concat()).await?;
        anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
        Ok(())
    }

    /// A note on a case.
    ///
    /// # Errors
    /// There is no answer, or it is refused.
    pub async fn notes(&self, incident: &str, text: &str) -> anyhow::Result<()> {
        let answer = self.does(&format!("/api/v1/incidents/{incident}/case/note"), json!({"note": text})).await?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }
}

fn proxy(name: &str, more: &str) -> String {
    format!(
        "\n[[organizations]]\nname = \"{name}\"\nproxy = true\nalias = \"{}\"\nuser = \"{name}\"\n\
         password_file = \"customer.password\"\nfilter_level = \"Send all information\"\n{more}",
        name.to_uppercase()
    )
}

fn configuration(mode: &str, above: &Above, organizations: &str) -> String {
    let mut text = format!("mode = \"{mode}\"\nlanes = 4\nthreads = 2\n");
    if mode == "partner" {
        text.push_str("\n[partner]\nlisten = \"127.0.0.1:0\" # partner\n");
    }
    match above {
        Above::Support(section) => text.push_str(section),
        Above::Partner(whom, ca) => {
            let (url, user) = whom.split_once(' ').unwrap_or((whom, ""));
            text.push_str(&format!(
                "\n[upstream]\nkind = \"partner\"\nurl = \"{url}\"\nca = \"{}\"\nuser = \"{user}\"\n\
                 password_file = \"password\"\nintelligence_poll_s = 1\n",
                ca.display()
            ));
        }
    }
    text.push_str(
        "\n[settings]\ncase_poll_s = 1\nretry_base_s = 1\nretry_most_s = 1\ncircuit_rest_s = 1\ncircuit_rest_most_s = 1\n",
    );
    text.push_str(organizations);
    text
}

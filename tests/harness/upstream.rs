//! The stand-in support system, in the test's own process.

use std::path::Path;

use linesman_connectors::standin::{self, Settings, Standin};
use serde_json::Value;

/// A stand-in support system.
pub struct Upstream {
    standin: Standin,
    /// How many requests an hour the engine is told it bears.
    pub requests_per_hour: u32,
    /// The proxy that the engine is told to reach it through.
    pub proxy: Option<String>,
    /// How often the engine is told to ask it for intelligence messages, in seconds; 0: never.
    pub intelligence_poll_s: u32,
}

impl Upstream {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        let mut settings = Settings::new(([127, 0, 0, 1], 0).into(), dir);
        settings.assign_after = std::time::Duration::from_millis(200);
        Ok(Self {
            standin: standin::start(settings).await?,
            requests_per_hour: 1_000_000,
            proxy: None,
            intelligence_poll_s: 0,
        })
    }

    /// The file of the authority that the engine is told to believe.
    pub fn ca(&self) -> &Path {
        self.standin.ca_path()
    }

    /// What the engine's configuration says of it.
    pub(crate) fn config(&self) -> String {
        let proxy = self.proxy.as_ref().map_or_else(String::new, |url| {
            format!("proxy = \"{url}\"\nproxy_user = \"linesman\"\nproxy_password_file = \"password\"\n")
        });
        format!(
            "\n[upstream]\nurl = \"{}\"\nca = \"{}\"\nsite_id = \"P-1000\"\nuser = \"noc@partner.example\"\n\
             password_file = \"password\"\nrequests_per_hour = {}\nconcurrency = 16\ntimeout_s = 1\n\
             intelligence_poll_s = {}\n{proxy}",
            self.standin.url(),
            self.standin.ca_path().display(),
            self.requests_per_hour,
            self.intelligence_poll_s
        )
    }

    /// Its address, `https://host:port`.
    pub fn url(&self) -> String {
        self.standin.url()
    }

    /// Makes it misbehave, or well again.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn control(&self, what: &Value) -> anyhow::Result<()> {
        let client = linesman_connectors::tls::http_client(Some(self.standin.ca_path()))?.build()?;
        client.post(format!("{}/_control", self.standin.url())).json(what).send().await?.error_for_status()?;
        Ok(())
    }

    /// What it has.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn count(&self) -> anyhow::Result<Value> {
        self.get("_count").await
    }

    /// Every case with the request that opened it.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn requests(&self) -> anyhow::Result<Vec<Value>> {
        let cases = self.get("_cases").await?;
        Ok(cases.as_array().into_iter().flatten().filter_map(|case| case.get("request").cloned()).collect())
    }

    /// Every upload, as it was announced and as far as it is.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn uploads(&self) -> anyhow::Result<Vec<Value>> {
        Ok(self.get("_uploads").await?.as_array().cloned().unwrap_or_default())
    }

    /// The bytes of an upload that were kept.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn uploaded(&self, upload: &str) -> anyhow::Result<String> {
        let client = linesman_connectors::tls::http_client(Some(self.standin.ca_path()))?.build()?;
        let answer = client.get(format!("{}/_uploads/{upload}", self.standin.url())).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let client = linesman_connectors::tls::http_client(Some(self.standin.ca_path()))?.build()?;
        Ok(client.get(format!("{}/{path}", self.standin.url())).send().await?.error_for_status()?.json().await?)
    }

    /// How many cases it has.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn cases(&self) -> anyhow::Result<u64> {
        Ok(self.count().await?.get("cases").and_then(Value::as_u64).unwrap_or_default())
    }
}

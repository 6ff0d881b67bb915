//! A stand-in, a client for it, and the tasks they are tried with.

use std::path::Path;
use std::time::Duration;

use linesman_connectors::jss::{Jss, Settings};
use linesman_connectors::tls::Trust;
use linesman_connectors::upstream::Way;
use linesman_connectors::{Connector as _, Secret, standin, tls};
use linesman_schemas::outcome::Done;
use linesman_schemas::reaction::Task;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use crate::upstream::tasks::*;

/// A stand-in of its own for one test.
pub(crate) struct World {
    pub(crate) standin: standin::Standin,
    pub(crate) dir: TempDir,
    http: reqwest::Client,
}

impl World {
    /// Ids are given at once.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = standin::Settings::new("127.0.0.1:0".parse().unwrap(), dir.path());
        settings.password = Some(Secret::new(PASSWORD));
        settings.assign_after = Duration::ZERO;
        let standin = standin::start(settings).await.unwrap();
        let http = tls::http_client(Some(standin.ca_path())).unwrap().build().unwrap();
        Self { standin, dir, http }
    }

    pub(crate) fn settings(&self) -> Settings {
        settings(&self.standin.url(), self.standin.ca_path())
    }

    /// The settings with another way.
    pub(crate) fn settings_with(&self, change: impl FnOnce(&mut Way)) -> Settings {
        let mut settings = self.settings();
        change(&mut settings.way);
        settings
    }

    pub(crate) fn jss(&self) -> Jss {
        Jss::new(self.settings()).unwrap()
    }

    /// Tells the stand-in something.
    pub(crate) async fn control(&self, control: Value) {
        let url = format!("{}/_control", self.standin.url());
        let answer = self.http.post(url).json(&control).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{control}: {}", answer.text().await.unwrap());
    }

    /// What the stand-in has counted.
    pub(crate) async fn count(&self) -> Value {
        self.http.get(format!("{}/_count", self.standin.url())).send().await.unwrap().json().await.unwrap()
    }

    /// What was uploaded.
    pub(crate) async fn uploads(&self) -> Value {
        self.http.get(format!("{}/_uploads", self.standin.url())).send().await.unwrap().json().await.unwrap()
    }

    /// The bytes of an upload.
    pub(crate) async fn uploaded(&self, upload: &str) -> Vec<u8> {
        let url = format!("{}/_uploads/{upload}", self.standin.url());
        self.http.get(url).send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    /// Requests of the contract so far: for tokens, `createSR`, `querySR`.
    pub(crate) async fn requests(&self) -> [u64; 3] {
        let count = self.count().await;
        ["token", "createSR", "querySR"].map(|endpoint| count["requests"][endpoint].as_u64().unwrap())
    }
}

pub(crate) fn settings(url: &str, ca: &Path) -> Settings {
    Settings {
        way: Way {
            url: url.to_owned(),
            trust: Trust::Authority(ca.to_owned()),
            user: "noc@acme.example".to_owned(),
            password: Secret::new(PASSWORD),
            concurrency: 8,
            timeout: Duration::from_secs(20),
            identity: None,
            source_address: None,
            proxy: None,
            intelligence_poll: Duration::ZERO,
        },
        site_id: "SITE-1".to_owned(),
        application_id: "linesman-test".to_owned(),
        requests_per_hour: Settings::REQUESTS_PER_HOUR,
    }
}

/// The transaction id of a case taken.
pub(crate) async fn transaction(jss: &Jss, task: &Task) -> String {
    match done(jss.carry_out(task).await) {
        Done::CaseAccepted { transaction_id, .. } => transaction_id,
        other => panic!("{other:?}"),
    }
}

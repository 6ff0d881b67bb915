//! What is read again while the engine runs, of files that it was told by: certificates when they have changed, and, asked for
//! (SIGHUP), those, the rule directory and the log's level. All else that the configuration says counts from the next start.

use std::sync::Arc;
use std::time::Duration;

use linesman_connectors::tls::Served;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::config::{self, Sources};
use crate::logging::{Logging, full};

/// How often it is looked whether certificates have changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The one setting of the configuration that is taken up.
const LOG_LEVEL: &str = "log.level";

/// The certificates of the listeners, each with what it is of.
#[derive(Clone)]
pub(super) struct Certificates(Vec<(&'static str, Arc<Served>)>);

impl Certificates {
    pub(super) fn new(served: impl IntoIterator<Item = (&'static str, Arc<Served>)>) -> Self {
        Self(served.into_iter().collect())
    }

    /// Looks, for ever.
    pub(super) async fn run(self) {
        loop {
            sleep(LOOK_EVERY).await;
            self.look();
        }
    }

    /// Takes up those that have changed.
    fn look(&self) {
        for (listener, served) in &self.0 {
            match served.reload() {
                Ok(false) => {}
                Ok(true) => {
                    let fingerprint = served.shown().map(|shown| shown.fingerprint.to_string());
                    tracing::info!(listener, fingerprint, "the certificate has changed, and is shown from now on");
                }
                Err(error) => {
                    tracing::error!(
                        listener,
                        error = full(&error),
                        "the certificate has changed and cannot be used; the one of before is shown"
                    );
                }
            }
        }
    }
}

/// What is read again.
pub(super) struct Reload {
    sources: Sources,
    /// What the configuration says at the start, secrets masked; null where that is not known.
    configured: Value,
    logging: Logging,
    certificates: Certificates,
    /// Heard by the watch over the rule directory.
    rules: Arc<Notify>,
}

impl Reload {
    pub(super) fn new(sources: Sources, logging: Logging, certificates: Certificates, rules: Arc<Notify>) -> Self {
        let configured = config::effective_json(&sources).unwrap_or_default();
        Self { sources, configured, logging, certificates, rules }
    }

    /// Reads all of it.
    pub(super) fn run(&self) {
        tracing::info!("asked to read its files again");
        self.rules.notify_one();
        self.certificates.look();
        match config::load(&self.sources) {
            Err(mistakes) => {
                let mistakes = mistakes.to_string().trim().replace('\n', "; ");
                tracing::error!(mistakes, "the configuration cannot be used as it is now; nothing of it is taken up");
            }
            Ok(config) => {
                if config.log.level != self.logging.current() {
                    match self.logging.set(&config.log.level) {
                        Ok(()) => tracing::info!(level = config.log.level, "the log's level is as configured"),
                        Err(error) => tracing::error!(error = full(&error), "the log's level stays as it was"),
                    }
                }
                let now = config::effective_json(&self.sources).unwrap_or_default();
                let changed = changed(&self.configured, &now);
                if !changed.is_empty() {
                    let settings = changed.join(", ");
                    tracing::warn!(
                        settings,
                        "the configuration says otherwise by now; that counts from the next start"
                    );
                }
            }
        }
    }
}

/// The settings and lists that are otherwise now, but for the one that is taken up.
fn changed(before: &Value, now: &Value) -> Vec<String> {
    let value = |of: &Value, key: &str| of.get("settings").and_then(|all| all.get(key)?.get("value").cloned());
    let settings = now.get("settings").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key);
    let mut changed: Vec<String> =
        settings.filter(|key| *key != LOG_LEVEL && value(before, key) != value(now, key)).cloned().collect();
    let lists = now.as_object().into_iter().flatten().filter(|(name, _)| *name != "settings");
    let is_other = |name: &str, list: &Value| before.get(name).map(said) != Some(said(list));
    changed.extend(lists.filter(|(name, list)| is_other(name, list)).map(|(name, _)| name.clone()));
    changed
}

/// The tables of a list, wherever they were said.
fn said(list: &Value) -> Vec<Value> {
    let mut tables = list.as_array().cloned().unwrap_or_default();
    for table in tables.iter_mut().filter_map(Value::as_object_mut) {
        table.remove("from");
    }
    tables
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_otherwise_is_named() {
        let said = |lanes: u64, level: &str, org: &str| {
            json!({
                "settings": {
                    "lanes": {"value": lanes, "from": {}},
                    "log.level": {"value": level, "from": {}},
                },
                "organizations": [{"name": org, "from": {"line": lanes}}],
            })
        };
        let before = said(4, "info", "acme");
        assert_eq!(changed(&before, &said(4, "debug", "acme")), Vec::<String>::new());
        assert_eq!(changed(&before, &said(8, "info", "acme")), ["lanes"], "it stands elsewhere in the file");
        assert_eq!(changed(&before, &said(8, "info", "bolt")), ["lanes", "organizations"]);
    }
}

//! Organizations and rule book: what the files say is compared with what was last loaded from them,
//! and the differences enter the log.
//!
//! Organizations keep a hash of what was loaded, so that a change by other means survives a restart.
//! The rule book has no other source than the files yet: the one that applies is the one last loaded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use linesman_schemas::command::{Command, Verb};
use linesman_schemas::control::{Control, PolicySource, RuleBook, RuleBookRef, Settings};
use linesman_schemas::{CommandId, OrgName};
use serde::Serialize;

use super::Error;
use crate::config::Organization;
use crate::data_dir::private::random_hex;
use crate::domain;
use crate::domain::rows::{self, BookRow, OrgRow, key};
use crate::log::books::{self, Books};
use crate::log::inputs;
use crate::rules_dir::PolicyFile;
use crate::store::Store;

const TRIES: u32 = 20;
const RETRY: Duration = Duration::from_millis(250);

/// Brings what the files say into the log.
pub(super) struct Setup {
    pub(super) client: Client,
    pub(super) store: Arc<Store>,
    pub(super) books: Arc<Books>,
    pub(super) lanes: u32,
    pub(super) node: Arc<str>,
}

impl Setup {
    /// Sends everything: the log is new, whatever the state is of.
    pub(super) async fn begin(
        &self,
        organizations: &[Organization],
        files: &[PolicyFile],
        settings: &Settings,
    ) -> Result<(), Error> {
        for organization in organizations {
            self.command(&organization.name, Verb::SetOrganization(organization.settings.clone())).await?;
        }
        self.put_rule_book(files, settings, &[]).await
    }

    /// Sees to it that the bucket has the files' rule book, should it have lost what the state names: lanes wait
    /// for theirs.
    pub(super) async fn restore(&self, files: &[PolicyFile], settings: &Settings) -> Result<(), Error> {
        if files.iter().any(|file| !file.faults.is_empty()) {
            return Ok(());
        }
        let policies = files.iter().filter_map(|file| file.source.clone()).collect();
        let (hash, content) = books::pack(&RuleBook { settings: settings.clone(), policies })?;
        Ok(self.books.put(&hash, &content).await?)
    }

    /// Sends what differs.
    pub(super) async fn send(
        &self,
        organizations: &[Organization],
        files: &[PolicyFile],
        settings: &Settings,
    ) -> Result<(), Error> {
        self.send_organizations(organizations).await?;
        self.send_rule_book(files, settings).await
    }

    async fn send_organizations(&self, wanted: &[Organization]) -> Result<(), Error> {
        let mut known = self.organizations()?;
        for organization in wanted {
            let row = known.remove(&organization.name);
            if row.and_then(|row| row.loaded) != organization.settings.loaded {
                self.command(&organization.name, Verb::SetOrganization(organization.settings.clone())).await?;
            }
        }
        for (name, _) in known.into_iter().filter(|(_, row)| row.loaded.is_some()) {
            self.command(&name, Verb::UnloadOrganization).await?;
        }
        Ok(())
    }

    fn organizations(&self) -> Result<BTreeMap<OrgName, OrgRow>, Error> {
        let mut known = BTreeMap::new();
        for lane in 0..self.lanes {
            for row in self.store.lane(lane)?.rows(b"o", None) {
                let (key, bytes) = row?;
                if let Some(name) = key::read_org(&key) {
                    known.insert(name, rows::decode(&key, &bytes)?);
                }
            }
        }
        Ok(known)
    }

    async fn command(&self, org: &OrgName, verb: Verb) -> Result<(), Error> {
        let subject = format!("in.{org}.cmd.{}", verb.as_str());
        tracing::info!(organization = %org, verb = verb.as_str(), "the configuration changes an organization");
        // Another id each time: what is changed there and back again within a day is not one command.
        let id = format!("config-{}", random_hex::<16>().map_err(Error::Random)?);
        let id: CommandId = id.parse().map_err(|error| Error::Random(std::io::Error::other(error)))?;
        let command = Command { id, actor: "configuration".to_owned(), node: self.node.to_string(), verb };
        self.publish(subject, &command).await
    }

    async fn send_rule_book(&self, files: &[PolicyFile], settings: &Settings) -> Result<(), Error> {
        let mut rows = Vec::new();
        for lane in 0..self.lanes {
            rows.push(domain::rule_book(&self.store.lane(lane)?)?);
        }
        self.put_rule_book(files, settings, &rows).await
    }

    /// Sends the rule book unless it is what all lanes have.
    async fn put_rule_book(
        &self,
        files: &[PolicyFile],
        settings: &Settings,
        rows: &[Option<BookRow>],
    ) -> Result<(), Error> {
        let newest: Option<&BookRow> = rows.iter().flatten().max_by_key(|row| row.version);
        let policies = self.policies(files, newest).await?;
        let (hash, content) = books::pack(&RuleBook { settings: settings.clone(), policies })?;
        if !rows.is_empty() && rows.iter().all(|row| row.as_ref().is_some_and(|row| row.hash == hash)) {
            return Ok(());
        }
        let version = newest.map_or(0, |row| row.version) + 1;
        tracing::info!(version, hash, policies = files.len(), "a rule book enters the log");
        self.books.put(&hash, &content).await?;
        let control = Control::RuleBook(RuleBookRef { version, hash });
        for lane in 0..self.lanes {
            self.publish(format!("p.{lane}.ctl"), &control).await?;
        }
        Ok(())
    }

    /// The policies of the files; for a broken one its last good text, if there is one.
    async fn policies(&self, files: &[PolicyFile], newest: Option<&BookRow>) -> Result<Vec<PolicySource>, Error> {
        let mut good = Vec::new();
        let mut last: Option<BTreeMap<_, PolicySource>> = None;
        for file in files {
            for fault in &file.faults {
                tracing::error!(file = %file.path.display(), line = fault.line, column = fault.column, fault = fault.message, "a policy is refused");
            }
            let Some(source) = &file.source else { continue };
            if file.faults.is_empty() {
                good.push(source.clone());
                continue;
            }
            metrics::counter!("linesman_policies_refused_total").increment(1);
            if last.is_none()
                && let Some(row) = newest
            {
                let content = self.books.fetch(&row.hash).await?;
                last = Some(content.policies.into_iter().map(|source| (source.name.clone(), source)).collect());
            }
            if let Some(known) = last.as_ref().and_then(|last| last.get(&source.name)) {
                tracing::warn!(policy = %source.name, "its last good text stays");
                good.push(known.clone());
            }
        }
        Ok(good)
    }

    async fn publish(&self, subject: String, message: &impl Serialize) -> Result<(), Error> {
        let payload = serde_json::to_vec(message)?;
        let mut tries = 0;
        loop {
            tries += 1;
            match inputs::put(&self.client, subject.clone(), payload.clone()).await {
                Ok(_) => return Ok(()),
                Err(source) if tries == TRIES => return Err(Error::Publish { subject, source }),
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }
}

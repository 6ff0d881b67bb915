//! What `linesman publish` asks the engine: whether it knows the organization, how it reads bundles, and what became of what was
//! published.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use linesman_domain::input::edition;
use linesman_schemas::OrgName;
use linesman_schemas::bundle::Edition;
use serde_json::{Value, json};

use super::{Access, Api, LOOK_EVERY, said, segment, show};
use crate::cli::nats::WHERE;
use crate::log::streams::lane_of;

/// How many dead letters are asked for at a time.
const PAGE: u32 = 200;
/// Whose those are of an organization that nobody knows.
const NOBODY: &str = "_unknown";

/// Where the engine is, as it is given to a command that talks to its server too.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Where {
    /// The API of an engine elsewhere, which is asked whether it knows the organization
    #[arg(long, value_name = "URL", env = "LINESMAN_API", help_heading = WHERE)]
    api: Option<String>,
    /// The file with an API token; without one the session counts that `linesman login` began
    #[arg(long, value_name = "FILE", env = "LINESMAN_TOKEN_FILE", help_heading = WHERE)]
    token_file: Option<PathBuf>,
    /// The certificate authority of the API, in PEM; without one the system's count
    #[arg(long, value_name = "FILE", env = "LINESMAN_API_CA", help_heading = WHERE)]
    ca: Option<PathBuf>,
}

/// A running engine that is asked.
pub(in crate::cli) struct Engine {
    api: Api,
}

/// What was published, as far as it says what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum What {
    /// A problem of a device.
    Problem { host_event_id: String, serial_number: String },
    /// A snapshot of a device.
    Snapshot { serial_number: String },
    /// An intelligence message, by its id.
    Intelligence(String),
    /// It was not read.
    Unread,
}

/// What became of something that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Became {
    /// An incident.
    Incident(String),
    /// A repetition of an incident's bundle.
    Repetition(String),
    /// A snapshot of the device of this serial number.
    Snapshot(String),
    /// An intelligence message that is kept, or was before.
    Intelligence(String),
    /// A dead letter.
    DeadLetter { reason: String, detail: String },
    /// It is decided, and nothing of it is there.
    Nothing,
    /// It is not decided: why it is not known.
    Undecided(String),
}

impl Engine {
    /// That of `at`, or else of a data directory; none where neither is given.
    ///
    /// # Errors
    /// It cannot be asked: it is not ready there, or nobody is logged in.
    pub(in crate::cli) fn of(at: &Where, data_dir: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let Where { api, token_file, ca } = at.clone();
        let data_dir = data_dir.filter(|_| api.is_none()).map(Path::to_owned);
        if api.is_none() && data_dir.is_none() {
            return Ok(None);
        }
        let said = said::Said::default();
        let access =
            Access { said, data_dir, api, token_file, ca, session_file: None, json: false, utc: false, key: None };
        Ok(Some(Self { api: Api::new(&access)? }))
    }

    /// Why nothing is decided of what an organization publishes; none where it is.
    ///
    /// # Errors
    /// The engine does not answer, or tells nothing.
    pub(in crate::cli) async fn refusal(&self, org: &OrgName) -> anyhow::Result<Option<String>> {
        let found = self.api.find(&organization(org)).await?;
        Ok(match found {
            None => Some(format!("there is no organization `{org}`")),
            Some(found) if text(&found, "standing") == "suspended" => {
                Some(format!("the organization `{org}` is suspended: nothing is decided of what it publishes"))
            }
            Some(_) => None,
        })
    }

    /// How bundles of an organization are read.
    ///
    /// # Errors
    /// The engine does not answer, or tells nothing of its lanes.
    pub(in crate::cli) async fn edition(&self, org: &OrgName) -> anyhow::Result<Edition> {
        let lane = self.lane(org, Instant::now()).await?;
        let level = lane.get("level").and_then(Value::as_u64).context("the answer names no level")?;
        Ok(edition(u32::try_from(level).unwrap_or(u32::MAX)))
    }

    /// How its lane is; an engine that is away is waited for until then.
    async fn lane(&self, org: &OrgName, until: Instant) -> anyhow::Result<Value> {
        let lanes = self.api.followed("/api/v1/lanes", &(), Some(until)).await?;
        let lanes = lanes.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let number = lane_of(org.as_str(), u32::try_from(lanes.len()).unwrap_or(u32::MAX));
        let is_it = |lane: &Value| lane.get("lane").and_then(Value::as_u64) == Some(u64::from(number));
        lanes.into_iter().find(is_it).context("the answer has not the lane of the organization")
    }

    /// What became of what an organization has published, each with its sequence in IN; waits for that `within` a time.
    ///
    /// # Errors
    /// The engine does not answer, or tells nothing.
    pub(in crate::cli) async fn became(
        &self,
        org: &OrgName,
        published: &[(u64, &What)],
        within: Duration,
    ) -> anyhow::Result<Vec<Became>> {
        let Some(last) = published.iter().map(|(sequence, _)| *sequence).max() else { return Ok(Vec::new()) };
        let (position, why) = self.passed(org, last, Instant::now() + within).await?;
        let first = published.iter().map(|(sequence, _)| *sequence).min().unwrap_or_default();
        let is_known = self.api.find(&organization(org)).await?.is_some();
        let letters = self.letters(if is_known { org.as_str() } else { NOBODY }, first).await?;
        let mut incidents = HashMap::new();
        let mut all = Vec::with_capacity(published.len());
        for (sequence, what) in published {
            all.push(match letters.get(sequence) {
                _ if *sequence > position => Became::Undecided(why.clone()),
                Some((reason, detail)) => Became::DeadLetter { reason: reason.clone(), detail: detail.clone() },
                None => self.kept(org, *sequence, what, &mut incidents).await?,
            });
        }
        Ok(all)
    }

    /// Waits until a lane has passed a sequence; how far it is then, and why it is no further.
    async fn passed(&self, org: &OrgName, sequence: u64, until: Instant) -> anyhow::Result<(u64, String)> {
        loop {
            let lane = self.lane(org, until).await?;
            let position = lane.get("position").and_then(Value::as_u64).unwrap_or_default();
            let stands = lane.get("stopped").filter(|stopped| !stopped.is_null());
            if let Some(stopped) = stands.filter(|_| position < sequence) {
                let why = stopped.get("why").map(show::plain).unwrap_or_default();
                return Ok((position, format!("its lane stands still: {why}")));
            }
            if position >= sequence {
                return Ok((position, String::new()));
            }
            if Instant::now() >= until {
                return Ok((position, "not decided in that time".to_owned()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Why inputs from a sequence on were set aside, by their sequences.
    async fn letters(&self, whose: &str, first: u64) -> anyhow::Result<HashMap<u64, (String, String)>> {
        let mut letters = HashMap::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = json!({"organization": whose, "sort": "-time", "limit": PAGE});
            if let (Some(cursor), Some(query)) = (cursor, query.as_object_mut()) {
                query.insert("cursor".to_owned(), cursor.into());
            }
            let page = self.api.get("/api/v1/dead-letters", &query).await?;
            let mut is_before = false;
            for letter in page.get("items").and_then(Value::as_array).into_iter().flatten() {
                let Some(sequence) = letter.get("sequence").and_then(Value::as_u64) else { continue };
                is_before |= sequence < first;
                // What fails because of an input names it too.
                if letter.get("policy").is_none() && letter.get("reaction").is_none() {
                    let reason = text(letter, "reason");
                    letters.insert(sequence, (reason, text(letter, "detail")));
                }
            }
            cursor = page.get("next").and_then(Value::as_str).map(str::to_owned).filter(|_| !is_before);
            if cursor.is_none() {
                return Ok(letters);
            }
        }
    }

    /// What is there of something that was decided.
    async fn kept(
        &self,
        org: &OrgName,
        sequence: u64,
        what: &What,
        incidents: &mut HashMap<String, Vec<Value>>,
    ) -> anyhow::Result<Became> {
        match what {
            What::Problem { host_event_id, serial_number } => {
                if !incidents.contains_key(serial_number) {
                    let query = json!({"organization": org, "serial_number": serial_number});
                    let found = self.api.every("/api/v1/incidents", &query).await?;
                    incidents.insert(serial_number.clone(), found);
                }
                let known = incidents.get(serial_number).map(Vec::as_slice).unwrap_or_default();
                let is_it = |incident: &&Value| text(incident, "host_event_id") == *host_event_id;
                // Past the retention the same becomes another.
                let Some(incident) = known.iter().filter(is_it).max_by_key(|incident| place(incident)) else {
                    return Ok(Became::Nothing);
                };
                let id = text(incident, "id");
                Ok(if place(incident) == Some(sequence) { Became::Incident(id) } else { Became::Repetition(id) })
            }
            What::Snapshot { serial_number } => {
                let path = format!("/api/v1/devices/{}/{}", segment(org.as_str()), segment(serial_number));
                let found = self.api.find(&path).await?;
                Ok(found.map_or(Became::Nothing, |_| Became::Snapshot(serial_number.clone())))
            }
            What::Intelligence(id) => {
                let path = format!("/api/v1/intelligence/{}/{}", segment(org.as_str()), segment(id));
                let found = self.api.find(&path).await?;
                Ok(found.map_or(Became::Nothing, |_| Became::Intelligence(id.clone())))
            }
            What::Unread => Ok(Became::Nothing),
        }
    }
}

fn organization(org: &OrgName) -> String {
    format!("/api/v1/organizations/{}", segment(org.as_str()))
}

/// Where the bundle of an incident stands in IN.
fn place(incident: &Value) -> Option<u64> {
    incident.pointer("/bundle/sequence").and_then(Value::as_u64)
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).map(show::plain).unwrap_or_default()
}

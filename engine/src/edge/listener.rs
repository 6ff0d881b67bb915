//! Somebody who listens to events: what they see is derived anew as the stream goes on, so that nothing of another
//! sphere slips out when rights change under way.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Method};
use axum::response::sse::Event;
use linesman_domain::sight;
use linesman_domain::table::Table;
use linesman_domain::{self as domain, devices};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{OrgName, Principal};
use serde::Deserialize;
use serde_json::Value;

use super::logins::{Entered, Way};
use super::sources::Sources;
use super::transport::problem::Problem;
use super::viewer::{Viewer, owner};
use crate::log;
use crate::log::events::Found;
use crate::log::streams::lane_of;

/// Where they listen.
pub(super) const PATH: &str = "/api/v1/events";
/// How often it is looked whether they are still let in while nothing comes.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Somebody who listens.
pub(super) struct Listener {
    sources: Arc<Sources>,
    viewer: Viewer,
    headers: HeaderMap,
}

/// What of an event tells whom it concerns.
#[derive(Deserialize)]
struct Concern {
    data: ConcernData,
}

#[derive(Deserialize)]
struct ConcernData {
    device: ConcernDevice,
}

#[derive(Deserialize)]
struct ConcernDevice {
    serial_number: String,
}

impl Listener {
    /// Somebody who came in by what stands in `headers`.
    pub(super) fn new(sources: Arc<Sources>, viewer: Viewer, headers: HeaderMap) -> Self {
        Self { sources, viewer, headers }
    }

    /// What they hear of what was found, which may be nothing; none where they hear nothing from here on: they are not
    /// let in any more, or see nothing. They may come back behind what they have heard.
    ///
    /// INVARIANT (sight): session or token, and what they see, are looked at for each message anew, and each second
    /// where none comes (`found` is none).
    pub(super) fn hear(&mut self, found: Option<Result<Found, log::Error>>) -> Option<Option<Event>> {
        self.look()?;
        let found = match found {
            None => return Some(None),
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                // The consumer makes itself anew behind what it has delivered.
                tracing::debug!(%error, "a listener waits for the log");
                return Some(None);
            }
        };
        let whose = owner(&found.subject);
        if self.viewer.sees_whole(whose.as_ref()) {
            return Some(Some(self.told(&found, found.event.get())));
        }
        match whose.filter(|org| self.viewer.sees(Some(org))) {
            Some(org) => self.hear_of(&org, &found).ok(),
            None => Some(None),
        }
    }

    /// Looks whether they are still let in, and what they see now.
    fn look(&mut self) -> Option<()> {
        let Ok(Entered::In(entry)) = self.sources.enter(&Method::GET, PATH, &self.headers) else { return None };
        if self.sources.is_past(&entry) {
            return None;
        }
        if entry.way != Way::Machine || entry.principal != Principal::admin() {
            self.viewer = self.sources.grants.viewer(entry.principal).map_err(Problem::from).ok()?;
        }
        (!self.viewer.is_blind()).then_some(())
    }

    /// What they hear of an event of an organization of which they see a part.
    fn hear_of(&self, org: &OrgName, found: &Found) -> Result<Option<Event>, Problem> {
        let text = found.event.get();
        let trigger: Option<Trigger> = name(found).parse().ok();
        match trigger {
            Some(Trigger::IntelligenceReceived) => {
                let mut event: Value = serde_json::from_str(text).map_err(|error| Problem::internal(&error))?;
                let named = event.pointer_mut("/data/relevance/serial_numbers").and_then(Value::as_array_mut);
                let Some(named) = named else { return Ok(None) };
                let mut seen = Vec::new();
                for serial_number in std::mem::take(named) {
                    if self.sees(org, serial_number.as_str().unwrap_or_default())? {
                        seen.push(serial_number);
                    }
                }
                let is_any_seen = !seen.is_empty();
                *named = seen;
                Ok(is_any_seen.then(|| self.told(found, &event.to_string())))
            }
            // They count devices, and tell of messages that whoever sees a part is not shown.
            Some(trigger) if trigger.is_of_messages() => Ok(None),
            Some(_) => {
                let Ok(Concern { data }) = serde_json::from_str(text) else { return Ok(None) };
                Ok(self.sees(org, &data.device.serial_number)?.then(|| self.told(found, text)))
            }
            // What is not about a device is whoever's who sees all.
            None => Ok(None),
        }
    }

    fn told(&self, found: &Found, text: &str) -> Event {
        Event::default().id(self.sources.ids.of(&self.viewer, found.place)).event(name(found)).data(text)
    }

    fn sees(&self, org: &OrgName, serial_number: &str) -> Result<bool, Problem> {
        let look = || -> Result<bool, domain::Error> {
            let lanes = u32::try_from(self.sources.rows.len()).unwrap_or(u32::MAX);
            let Some(lane) = self.sources.rows.get(lane_of(org.as_str(), lanes) as usize) else { return Ok(false) };
            let device = Table::read(lane, &devices::key(org, serial_number))?;
            sight::sees_device(lane, self.viewer.reach(), org, serial_number, device.as_ref())
        };
        look().map_err(|error| Problem::internal(&error))
    }
}

/// A trigger's name, which is what its subject ends with.
fn name(found: &Found) -> &str {
    found.subject.splitn(4, '.').nth(3).unwrap_or_default()
}

//! What the kinds of upstream have in common, the support system and a partner's controller: how they are reached over
//! HTTPS, what becomes of a request, and what of an answer goes on. What is said to whom is theirs (`jss`, `partner`).
//!
//! ```text
//!  section, way    the settings, and their check
//!  exchange        one request and its whole answer, bounded in time and size
//!   |-- expiry         when to speak of the end of the other side's certificate
//!   |-- fault          the class of a failure without an answer, and what it came of
//!   |-- names          the addresses of its name
//!   `-- retry_after
//!  feed            how often it is asked for intelligence messages
//!  probe           the way tried out, step by step
//!  proxy           the way through an HTTP proxy
//!  shared          what all tasks use and one fetches: a token, a registration
//!  checked         what every text of an answer is held against
//! ```

pub(crate) mod checked;
pub(crate) mod exchange;
mod expiry;
pub(crate) mod fault;
pub(crate) mod feed;
mod names;
pub mod probe;
mod proxy;
mod retry_after;
mod section;
pub(crate) mod shared;
pub(crate) mod way;

use std::collections::BTreeSet;

use linesman_schemas::outcome::Report;
use linesman_schemas::reaction::WITHHELD;
use serde_json::Value;

use crate::settings::Entry;
use crate::{jss, partner};

pub use proxy::Proxy;
pub use section::SECTION;
pub use way::{SettingsError, Way};

/// How many pages one poll reads at most; where there are more, the next poll goes on.
pub(crate) const PAGES_PER_POLL: usize = 10;

/// Which upstream there is, and how it is reached.
#[derive(Debug, Clone)]
pub enum Settings {
    /// The vendor's support system.
    Jss(jss::Settings),
    /// A partner's controller.
    Partner(partner::Settings),
}

/// What a poll brought, each case as it was told of last: one that is there twice, in a page or in several, is one change.
pub(crate) fn last_of_each(mut reports: Vec<Report>) -> Vec<Report> {
    let mut known = BTreeSet::new();
    reports.reverse();
    reports.retain(|report| match report {
        Report::CaseChanged(standing) => known.insert((standing.incident.org.clone(), standing.incident.number)),
        _ => true,
    });
    reports.reverse();
    reports
}

/// How `tail` shows an action of an upstream's: a case by its synopsis, and whether it is sent with no more than that; what else
/// there is by what is done, and with what.
pub(crate) fn shown(action: &Value) -> String {
    let text = |pointer: &str| action.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if action.get("upload").is_some() {
        let [case, device] = [text("/upload/case"), text("/upload/device/serial_number")];
        let case = if case.is_empty() { String::new() } else { format!(" for the case {case}") };
        let device = if device.is_empty() { String::new() } else { format!(" of {device}") };
        return format!("upload the {} {}{device}{case}", text("/upload/kind"), text("/upload/name"));
    }
    if action.get("tell_case").is_some() {
        let step = action.pointer("/tell_case/step").and_then(Value::as_object);
        let (step, note) =
            step.and_then(|step| step.iter().next()).map_or(("tell", &Value::Null), |(step, note)| (step, note));
        let said = note.get("text").and_then(Value::as_str).filter(|said| !said.is_empty());
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        return format!("{step} the case of {}{said}", text("/tell_case/incident"));
    }
    if action.get("poll_cases").is_some() {
        return "ask which cases have changed".to_owned();
    }
    let synopsis = action.pointer("/submit_case/synopsis");
    let synopsis = synopsis.and_then(Value::as_str).unwrap_or_default();
    let is_without_details = action.pointer("/submit_case/details").is_some_and(Value::is_null);
    match (is_without_details, synopsis.strip_suffix(WITHHELD)) {
        (true, Some(mark)) => format!("{mark}sent without details"),
        (true, None) => format!("{synopsis} (sent without details)"),
        (false, _) => synopsis.to_owned(),
    }
}

impl Settings {
    /// How it is reached.
    pub const fn way(&self) -> &Way {
        match self {
            Self::Jss(settings) => &settings.way,
            Self::Partner(settings) => &settings.way,
        }
    }

    /// The same, to be changed before it is used.
    pub const fn way_mut(&mut self) -> &mut Way {
        match self {
            Self::Jss(settings) => &mut settings.way,
            Self::Partner(settings) => &mut settings.way,
        }
    }

    /// The name of this controller in trace routes, where the upstream asks for it: a partner finds so that it leads to itself.
    pub fn be_known_as(&mut self, controller: &str) {
        if let Self::Partner(settings) = self {
            controller.clone_into(&mut settings.controller);
        }
    }

    /// Which it is.
    pub const fn kind(&self) -> linesman_schemas::mode::Upstream {
        match self {
            Self::Jss(_) => linesman_schemas::mode::Upstream::SupportSystem,
            Self::Partner(_) => linesman_schemas::mode::Upstream::Partner,
        }
    }

    /// The settings of a table of [`SECTION`]; none where a key that is needed has no value.
    pub(crate) fn read(entry: &Entry) -> Option<Self> {
        match entry.text("kind")?.as_str() {
            section::PARTNER => Some(Self::Partner(partner::Settings::read(entry)?)),
            _ => Some(Self::Jss(jss::Settings::read(entry)?)),
        }
    }
}

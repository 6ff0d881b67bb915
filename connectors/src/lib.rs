//! The outside: whoever carries out a reaction, one folder each, and the one list of them.
//!
//! A connector acts once per call and says how that ended. It neither retries nor waits for a
//! better time nor remembers anything an effect depends on: pending reactions, retries and circuits
//! are state of the engine.

mod contents;
pub mod device;
pub mod jss;
pub mod log;
pub mod partner;
mod secret;
pub mod settings;
mod source;
#[cfg(feature = "standin")]
pub mod standin;
mod text;
pub mod tls;
pub mod upload;
pub mod upstream;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use linesman_schemas as schemas;
use schemas::Peer;
use schemas::notification::Kind;
use schemas::outcome::{Difference, Done, Failure, FailureClass, Outcome, Report};
use schemas::reaction::Task;
use serde_json::Value;

pub use contents::{Contents, Turn, Wanted};
pub use secret::Secret;
use settings::{Entries, Section};
use upstream::probe::Step;

pub use source::{Input, Next, Polled, Source, Whose};

/// What a connector's folder exports: all that belongs to it.
pub struct Folder {
    /// Its name: of its reactions' subjects and queues.
    pub name: &'static str,
    /// Its section of the configuration, if it is told anything; a list where it knows several peers.
    pub section: Option<&'static Section>,
    /// What policies may call, if it only notifies.
    pub notification: Option<&'static Kind>,
    /// How `tail` shows an action of its.
    pub shown: fn(&Value) -> String,
    /// The connector by the settings; none where they say nothing of it.
    pub make: fn(&Settings) -> Result<Made, Error>,
    /// What brings inputs by itself, by the settings.
    pub sources: fn(&Settings) -> Result<AllSources, Error>,
}

/// A connector, if the settings speak of it.
pub type Made = Option<Arc<dyn Connector>>;

/// Sources, as many as the settings speak of.
pub type AllSources = Vec<Arc<dyn Source>>;

/// All connectors: the one list. A new connector is a folder and a line here.
pub static FOLDERS: [&Folder; 4] = [&log::FOLDER, &jss::FOLDER, &partner::FOLDER, &device::FOLDER];

/// Carries out the reactions of one kind.
///
/// The bounds are kept by whoever dispatches, for each peer apart.
pub trait Connector: Send + Sync {
    /// Its name, as its folder has it.
    fn name(&self) -> &'static str;

    /// Whether it leads to the upstream: what a licence that has expired, or a mode, may forbid.
    fn is_upstream(&self) -> bool {
        false
    }

    /// How many tasks may be under way at a destination at a time, at least 1: at a peer, where there are several.
    fn concurrency(&self, peer: Option<&Peer>) -> usize;

    /// How many tasks may be under way at all its destinations together, at least 1; none for no such bound.
    fn concurrency_in_all(&self) -> Option<usize> {
        None
    }

    /// How many requests an hour its destinations bear together, counted by [`Attempted::requests`]. `None` where there
    /// is no such bound.
    fn requests_per_hour(&self) -> Option<u32>;

    /// The most requests that one try makes, at least 1: what has to be free of the bound before it.
    fn requests_most(&self) -> u32;

    /// Waits until bytes can be taken in hand, so that none are held meanwhile: what comes of it goes with them. None
    /// where nothing is to be waited for.
    fn turn(&self) -> BoxFuture<'_, Option<Turn>> {
        ready(None).boxed()
    }

    /// The certificate that a destination showed last, believed or not; none where there is none.
    fn certificate(&self) -> Option<tls::Shown> {
        None
    }

    /// How often a destination has shown another certificate than the one that is pinned, since the start.
    fn pin_mismatches(&self) -> u64 {
        0
    }

    /// Tries the way to the upstream out, step by step; the last one failed, or all were done. It changes nothing there
    /// but that we are known. None where there is nothing to be tried.
    fn probe(&self) -> BoxFuture<'_, Vec<Step>> {
        ready(Vec::new()).boxed()
    }

    /// Tries once. The outcome carries every failure with its class; an action that is another
    /// connector's is refused. Ends within a time the connector's settings bound.
    fn carry_out<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Attempted>;

    /// Tries a task once that names bytes of a bundle. They are what the task names, fetched and checked; a connector
    /// that has no use for any refuses the task.
    fn carry_out_with<'a>(&'a self, task: &'a Task, _contents: Contents) -> BoxFuture<'a, Attempted> {
        let message = format!("the connector `{}` takes no bytes with `{}`", self.name(), task.action.tag());
        ready(Attempted::failed(0, Failure { class: FailureClass::Refused, message, retry_after_s: None, cause: None }))
            .boxed()
    }
}

/// How a try ended and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// Requests made of the destination, failed ones and those for a token included.
    pub requests: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What else it brought, to be reported before its own outcome: of a poll, the cases that changed. A try that
    /// failed midway has them too; the next one brings them again.
    pub reports: Vec<Report>,
    /// Of an upload, how many bytes the destination has of it; none where it did not say so.
    pub there: Option<u64>,
    /// Whether it was broken off since what may leave has changed.
    pub is_withdrawn: bool,
    /// Of a change of a device: what the device says that it comes to.
    pub difference: Option<Difference>,
    /// Whether a device takes back what it had committed.
    pub is_taken_back: bool,
    /// Whether it was left as it was, since what it comes to is not approved.
    pub is_unapproved: bool,
}

impl Attempted {
    /// Done, with nothing else to report.
    pub const fn done(requests: u32, done: Done) -> Self {
        Self::of(requests, Outcome::Done(done))
    }

    /// Failed, with nothing else to report.
    pub const fn failed(requests: u32, failure: Failure) -> Self {
        Self::of(requests, Outcome::Failed(failure))
    }

    /// Ended so, with nothing else to report.
    pub const fn of(requests: u32, outcome: Outcome) -> Self {
        Self {
            requests,
            outcome,
            reports: Vec::new(),
            there: None,
            is_withdrawn: false,
            difference: None,
            is_taken_back: false,
            is_unapproved: false,
        }
    }

    /// Broken off before its end, since what may leave has changed: the next try goes by that.
    pub fn withdrawn(requests: u32) -> Self {
        let message = "what may leave has changed meanwhile; the next attempt goes by that".to_owned();
        let failure = Failure { class: FailureClass::Unavailable, message, retry_after_s: None, cause: None };
        Self { is_withdrawn: true, ..Self::failed(requests, failure) }
    }

    /// The answer of `connector` to a task that is not its own.
    pub fn misdirected(connector: &str, task: &Task) -> Self {
        let message = format!("the connector `{connector}` has no use for `{}`", task.action.tag());
        Self::failed(0, Failure { class: FailureClass::Refused, message, retry_after_s: None, cause: None })
    }
}

/// What the connectors need to know.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The upstream; without it there is neither a connector `jss` nor a connector `partner`.
    pub upstream: Option<upstream::Settings>,
    /// How what is uploaded there leaves.
    pub leaving: upload::Leaving,
    /// The devices that are reached; without them and without stand-ins there is no connector `device`.
    pub reached: Option<device::push::Reached>,
    /// The stand-in devices, in place of those that are reached.
    #[cfg(feature = "standin")]
    pub device: Option<device::standin::Settings>,
}

impl Settings {
    /// Reads what the configuration says in [`sections`]; none where a table lacks what it needs.
    pub fn read(entries: &Entries) -> Option<Self> {
        let upstream = match entries.one(upstream::SECTION.name) {
            Some(entry) => Some(upstream::Settings::read(entry)?),
            None => None,
        };
        #[cfg(feature = "standin")]
        let device = match entries.one(device::standin::SECTION.name) {
            Some(entry) => Some(device::standin::read(entry)?),
            None => None,
        };
        Some(Self {
            upstream,
            leaving: upload::Leaving::default(),
            reached: None,
            #[cfg(feature = "standin")]
            device,
        })
    }
}

/// The sections of the connectors in the configuration, in the order in which they are printed.
pub fn sections() -> Vec<&'static Section> {
    let mut sections: Vec<&'static Section> = Vec::new();
    for section in FOLDERS.iter().filter_map(|folder| folder.section) {
        // Folders of which only one is made may share theirs.
        if !sections.iter().any(|known| std::ptr::eq(*known, section)) {
            sections.push(section);
        }
    }
    sections
}

/// How `tail` shows a reaction's action; none where no connector of that name is known.
pub fn shown(connector: &str, action: &Value) -> Option<String> {
    let folder = FOLDERS.iter().find(|folder| folder.name == connector);
    folder.map(|folder| (folder.shown)(action))
}

/// Why the connectors cannot be made from their settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The upstream's settings are wrong.
    #[error("the settings of the upstream cannot be used")]
    Upstream(#[from] upstream::SettingsError),
}

/// The connectors that the settings speak of, and those that need none.
///
/// # Errors
/// A connector cannot be made from its settings.
pub fn connectors(settings: &Settings) -> Result<Vec<Arc<dyn Connector>>, Error> {
    FOLDERS.iter().filter_map(|folder| (folder.make)(settings).transpose()).collect()
}

/// The sources that the settings speak of, and those that need none.
///
/// # Errors
/// A source cannot be made from its settings.
pub fn sources(settings: &Settings) -> Result<AllSources, Error> {
    let sources: Vec<AllSources> = FOLDERS.iter().map(|folder| (folder.sources)(settings)).collect::<Result<_, _>>()?;
    Ok(sources.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_notification_has_its_folder() {
        let told: Vec<_> = FOLDERS.iter().filter_map(|folder| Some((folder.name, folder.notification?))).collect();
        assert!(told.iter().all(|(name, kind)| *name == kind.connector));
        for kind in schemas::notification::KINDS {
            assert!(told.iter().any(|(_, known)| std::ptr::eq(*known, kind)), "{}", kind.connector);
        }
    }

    #[test]
    fn an_action_is_shown_by_its_folder_alone() {
        let log = serde_json::json!({"log": {"message": "down", "fields": {}}});
        assert_eq!(shown("log", &log).as_deref(), Some("down"));
        let case = serde_json::json!({"submit_case": {"synopsis": "FPC 2 offline"}});
        assert_eq!(shown("jss", &case).as_deref(), Some("FPC 2 offline"));
        assert_eq!(shown("partner", &case).as_deref(), Some("FPC 2 offline"));
        let without = |synopsis: &str| serde_json::json!({"submit_case": {"synopsis": synopsis, "details": null}});
        let told = |synopsis: &str| shown("jss", &without(synopsis)).unwrap();
        assert_eq!(told("withheld by filter level"), "sent without details");
        assert_eq!(told("TEST CASE: withheld by filter level"), "TEST CASE: sent without details");
        assert_eq!(told("FPC 2 offline"), "FPC 2 offline (sent without details)");
        let told = |action| shown("partner", &action).unwrap();
        let upload = |kind: &str, case: &str| serde_json::json!({"upload": {"kind": kind, "case": case, "name": "acme-1.xml", "device": {"serial_number": "JN1"}}});
        assert_eq!(told(upload("bundle", "T-1")), "upload the bundle acme-1.xml of JN1 for the case T-1");
        assert_eq!(told(upload("snapshot", "")), "upload the snapshot acme-1.xml of JN1");
        let telling = |step: &str, text: &str| serde_json::json!({"tell_case": {"incident": "acme-1", "step": {step: {"text": text}}}});
        assert_eq!(told(telling("note", "the fan is loud")), "note the case of acme-1: the fan is loud");
        assert_eq!(told(telling("close", "")), "close the case of acme-1");
        assert_eq!(told(serde_json::json!({"poll_cases": {"cursor": null}})), "ask which cases have changed");
        let group = serde_json::json!({"configure": {
            "device": {"organization": "acme", "serial_number": "JN1"}, "group": "g", "change": "remove",
        }});
        assert_eq!(shown("device", &group).as_deref(), Some("remove g of JN1"));
        assert_eq!(shown("ticket", &log), None);
    }
}

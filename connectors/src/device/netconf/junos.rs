//! What Junos has of its own: its rpcs. DMI is the same.

use std::time::Duration;

use super::request::{Body, Request, element};
use super::scan::escaped;

/// How a configuration is loaded into the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Text in braces, as `load merge`, `replace`, `override` or `update` takes it.
    Text(Action),
    /// Lines of `set`, `delete` and the like.
    Set,
    /// The element `configuration` as XML.
    Xml(Action),
}

/// What is done with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// What is loaded is added.
    Merge,
    /// What is marked `replace:` replaces what is there.
    Replace,
    /// It replaces everything.
    Override,
    /// It replaces everything, and only what differs counts as changed.
    Update,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Replace => "replace",
            Self::Override => "override",
            Self::Update => "update",
        }
    }
}

/// Loads a configuration into the candidate. What Junos thinks of it comes as errors and warnings of the reply.
pub fn load_configuration(load: Load, body: Body<'_>) -> Request<'_> {
    let (head, tail) = match load {
        Load::Text(action) => (
            format!("<load-configuration action=\"{}\" format=\"text\"><configuration-text>", action.as_str()),
            "</configuration-text></load-configuration>",
        ),
        Load::Set => (
            "<load-configuration action=\"set\" format=\"text\"><configuration-set>".to_owned(),
            "</configuration-set></load-configuration>",
        ),
        Load::Xml(action) => {
            (format!("<load-configuration action=\"{}\" format=\"xml\">", action.as_str()), "</load-configuration>")
        }
    };
    Request { head, body: Some(body), tail, needs: Vec::new() }
}

/// A command of the command line; its text comes within `output`.
pub fn command(command: &str) -> Request<'static> {
    Request::new(format!("<command format=\"text\">{}</command>", escaped(command)), Vec::new())
}

/// A command of the command line, as `| display xml` shows it: the XML stands within the reply.
pub fn xml_command(command: &str) -> Request<'static> {
    Request::new(format!("<command format=\"xml\">{}</command>", escaped(command)), Vec::new())
}

/// What the candidate changes of what was committed so many commits ago (0 is the last); the text comes within
/// `configuration-output`.
pub fn compare(rollback: u8) -> Request<'static> {
    let head = format!("<get-configuration compare=\"rollback\" rollback=\"{rollback}\" format=\"text\"/>");
    Request::new(head, Vec::new())
}

/// A configuration as text, within `configuration-text`: what is committed, or the candidate; of it what a filter has,
/// the XML within `configuration`.
pub fn configuration(is_candidate: bool, filter: Option<&str>) -> Request<'static> {
    let database = if is_candidate { "candidate" } else { "committed" };
    let filter = filter.map(|xml| format!("<configuration>{xml}</configuration>")).unwrap_or_default();
    let head = format!("<get-configuration database=\"{database}\" format=\"text\">{filter}</get-configuration>");
    Request::new(head, Vec::new())
}

/// The last commits; of one that waits to be confirmed, and of no other, something stands within `commit-confirmed`.
pub fn commits() -> Request<'static> {
    Request::new("<get-commit-information/>".to_owned(), Vec::new())
}

/// What it is: model, version, host name, serial number.
pub fn system_information() -> Request<'static> {
    Request::new("<get-system-information/>".to_owned(), Vec::new())
}

/// A commit as Junos has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Commit<'a> {
    /// It is only looked at whether it would be taken.
    pub is_check: bool,
    /// After what time without confirmation it is rolled back, in whole minutes, at least 1.
    pub confirmed: Option<Duration>,
    /// On all routing engines.
    pub is_synchronized: bool,
    /// What is written beside it.
    pub log: Option<&'a str>,
}

/// Commits as Junos has it.
pub fn commit(commit: Commit<'_>) -> Request<'static> {
    let mut head = "<commit-configuration>".to_owned();
    if commit.is_check {
        head += "<check/>";
    }
    if let Some(time) = commit.confirmed {
        let minutes = time.as_secs().div_ceil(60).max(1);
        head += &format!("<confirmed/><confirm-timeout>{minutes}</confirm-timeout>");
    }
    if commit.is_synchronized {
        head += "<synchronize/>";
    }
    head += &element("log", commit.log);
    head += "</commit-configuration>";
    Request::new(head, Vec::new())
}

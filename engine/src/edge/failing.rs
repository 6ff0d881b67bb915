//! How what is outside fails, as it is told.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::failing::Failed;

/// How something outside has failed since it was well last, as far as this node has tried since it was started.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailingTold {
    /// What the last try came of: `tls`, `dns`, `refused`, `unreachable`, `timeout`, `lost`, `http-4xx`, `http-5xx`, `credentials`,
    /// `overloaded`, `garbled` or `other`.
    class: &'static str,
    /// What it said, for people.
    error: String,
    /// When it failed first.
    since: Timestamp,
    /// When it failed last; null where those were others' tries.
    last: Option<Timestamp>,
    /// How many tries have failed since; null where those were others'.
    tries: Option<u64>,
}

impl FailingTold {
    pub(super) fn of(failed: Failed) -> Self {
        let Failed { cause, words, since, last, tries } = failed;
        Self { class: cause.as_str(), error: words, since, last: Some(last), tries: Some(tries) }
    }

    /// The same, where the tries may have been other organizations': what was answered to those is theirs, and how often they
    /// tried.
    pub(super) fn of_others(failed: Failed) -> Self {
        let Failed { cause, words, since, .. } = failed;
        let error = if cause.is_without_answer() { words } else { "it fails what others ask of it".to_owned() };
        Self { class: cause.as_str(), error, since, last: None, tries: None }
    }
}

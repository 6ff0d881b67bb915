//! What became of the scripts of a device, on record: that it has got them, has had them all, or has what it had before.
//!
//! By whose doing, on which device, by which node; which files were changed, and what the device said that its configuration
//! differs by. What is tried again has none: nothing was changed by it that was not put back.

use linesman_schemas::audit::Verdict;
use linesman_schemas::outcome::Difference;
use linesman_schemas::scripts::{ChangedScript, InstalledScripts, ScriptsChange, ScriptsStanding, ScriptsState};
use linesman_schemas::{OrgName, Place};
use serde_json::{Value, json};

use super::rows::DeviceScriptsRow;
use crate::Error;
use crate::audit::machine::{self, Deed};
use crate::desk::Desk;
use crate::reached::ReachedRow;

/// As what it is on record.
pub const CHANGE: &str = "change-scripts";

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The device has what it is to have.
    Applied,
    /// It had all of it.
    Unchanged,
    /// It has what it had before.
    RolledBack,
    /// Nothing was begun.
    Failed,
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::RolledBack => "rolled-back",
            Self::Failed => "failed",
        }
    }

    const fn verdict(self) -> Verdict {
        match self {
            Self::Applied | Self::Unchanged => Verdict::Done,
            Self::RolledBack | Self::Failed => Verdict::Conflict,
        }
    }
}

/// Puts on record what became of a device's scripts, given how they stood before, and stand now.
pub(super) fn record(
    desk: &mut Desk,
    (org, name, device): (&OrgName, &str, &ReachedRow),
    (before, row): (Option<&DeviceScriptsRow>, &DeviceScriptsRow),
    report: &ScriptsStanding,
    rule_book: u64,
) -> Result<(), Error> {
    let none = ScriptsChange::default();
    let change = report.change.as_ref().unwrap_or(&none);
    let Some(end) = end(before, row, report.change.as_ref()) else { return Ok(()) };
    let Ok(id) = format!("{org}-scripts-{}", desk.sequence).parse() else { return Ok(()) };
    let had = before.and_then(|before| before.has.clone()).map(InstalledScripts::from);
    let new = json!({
        "outcome": end.as_str(),
        "device_group": row.group,
        "order": row.order,
        "by": row.by,
        "scripts": change.wanted,
        "had": had,
        "files": change.files.iter().map(file).collect::<Vec<_>>(),
        "difference": change.difference.as_ref().map(difference),
    });
    let words = match row.detail.as_str() {
        "" => end.as_str().to_owned(),
        detail => format!("{}: {detail}", end.as_str()),
    };
    let place = device.place.clone().map_or_else(|| Place::Organization(org.clone()), Place::Below);
    let (device, node, verdict) = (name.to_owned(), change.node.clone(), end.verdict());
    let deed = Deed { operation: CHANGE, place, device, node, verdict, new, words, id };
    machine::record(desk, org, deed, rule_book)
}

/// What became of it; none where it has not come to an end, or that is on record.
fn end(before: Option<&DeviceScriptsRow>, row: &DeviceScriptsRow, change: Option<&ScriptsChange>) -> Option<End> {
    let has_it = |state| matches!(state, ScriptsState::Configured | ScriptsState::Done);
    let known = before.filter(|before| before.order == row.order).map(|before| before.state);
    match row.state {
        // What is there then is not put back any more: the rest is that what was there before goes.
        ScriptsState::Configured | ScriptsState::Done if known.is_some_and(has_it) => None,
        ScriptsState::Configured | ScriptsState::Done => Some(match change {
            Some(change) if is_none(change) => End::Unchanged,
            _ => End::Applied,
        }),
        state if known == Some(state) => None,
        ScriptsState::RolledBack => Some(End::RolledBack),
        ScriptsState::Failed => Some(End::Failed),
        ScriptsState::Waiting | ScriptsState::Uploading | ScriptsState::RollingBack => None,
    }
}

fn is_none(change: &ScriptsChange) -> bool {
    change.files.is_empty() && change.difference.as_ref().is_none_or(Difference::is_none)
}

fn file(ChangedScript { kind, name, change, found }: &ChangedScript) -> Value {
    json!({"kind": kind, "name": name, "change": change, "found": found})
}

fn difference(Difference { text, added, removed, sha256, is_cut }: &Difference) -> Value {
    json!({"text": text, "cut": is_cut, "added": added, "removed": removed, "sha256": sha256})
}

//! Where an organization stands with an intelligence message it has: who sees to it, and how far that is.
//!
//! ```text
//! ~ <organization> <id>   StandingRow
//! ```
//!
//! It is the organization's own: nobody above or below is told.

use jiff::Timestamp;
use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, IntelligenceStanding, Received};
use linesman_schemas::intelligence::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::commands::{Answer, UNCHANGED};
use crate::desk::Desk;
use crate::table::{Key, Row, Table};
use crate::{Error, coded};

/// From which engine level on an organization says so.
pub const LEVEL: u32 = 11;

/// From which engine level on that goes when the message does.
const GOES: u32 = 12;

/// Where an organization stands with a message; without a row it is unassigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingRow {
    /// Where it stands.
    #[serde(with = "coded")]
    pub state: State,
    /// The login whose it is; empty for nobody's.
    pub assignee: String,
    /// Who said so last, as people read it.
    pub by: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub changed: Timestamp,
}

impl Row for StandingRow {}

/// The table of standings.
pub const STANDINGS: Table<StandingRow> = Table::new(b'~');

/// The key of where an organization stands with a message.
pub fn key(org: &OrgName, id: &str) -> Key<StandingRow> {
    STANDINGS.key(&[org.as_str()], id.as_bytes())
}

/// A message is recalled: where the organization stood with it goes with it.
pub(crate) fn forget(desk: &mut Desk, org: &OrgName, id: &str) {
    if desk.is_at(GOES) {
        desk.remove(key(org, id));
    }
}

/// Does what is asked of a message that an organization has.
pub(crate) fn ask(desk: &mut Desk, org: &OrgName, command: &Command, verb: &Received) -> Result<Answer, Error> {
    let Received::SetState(IntelligenceStanding { id, state, assignee }) = verb;
    if desk.read(&super::key(org, id))?.is_none() {
        let detail = format!("`{org}` has no intelligence message `{}`", linesman_rules::excerpt(id));
        return Ok(Answer::refused(Verdict::NotFound, detail).about(id));
    }
    if let Some(login) = assignee
        && login.organization.as_ref().is_some_and(|other| other != org)
    {
        let detail = format!("`assignee` is nobody of `{org}`, nor of the provider: `{login}`");
        return Ok(Answer::refused(Verdict::Invalid, detail).about(id));
    }
    let before = desk.read(&key(org, id))?;
    let owner = match (state, assignee) {
        (State::Unassigned, _) => String::new(),
        (_, Some(login)) => login.to_string(),
        (_, None) => before.as_ref().map(|before| before.assignee.clone()).unwrap_or_default(),
    };
    let row = StandingRow { state: *state, assignee: owner, by: command.principal.to_string(), changed: desk.now };
    let (old, new) = (shown(before.as_ref()), shown(Some(&row)));
    if old == new {
        return Ok(Answer::done(UNCHANGED, old, new).about(id));
    }
    desk.write(key(org, id), &row)?;
    Ok(Answer::done("set", old, new).about(id))
}

/// What the audit shows of it.
fn shown(row: Option<&StandingRow>) -> Value {
    let (state, assignee) = row.map_or((State::default(), ""), |row| (row.state, row.assignee.as_str()));
    json!({"state": state.as_str(), "assignee": (!assignee.is_empty()).then_some(assignee)})
}

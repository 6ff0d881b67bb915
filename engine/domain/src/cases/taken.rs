//! Which kind of upstream has taken a case: its receipt means nothing to another. Kept from engine level 7 on; of a case that
//! was taken before nobody knows, and it is told as it was then.
//!
//! ```text
//! B <org> 0 <incident>        TakenRow
//! ```

use linesman_schemas::IncidentId;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::desk::Desk;
use crate::table::{Key, Row, Table};

/// The engine level from which on it is kept.
const LEVEL: u32 = 7;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenRow {
    /// Whether it was a partner, and not the support system.
    pub by_partner: bool,
}

impl Row for TakenRow {}

/// The table of it, by organization and incident.
pub const TAKEN: Table<TakenRow> = Table::new(b'2');

fn key(incident: &IncidentId) -> Key<TakenRow> {
    TAKEN.key(&[incident.org.as_str()], &incident.number.to_be_bytes())
}

/// Keeps that a case was taken.
pub(crate) fn note(desk: &mut Desk, incident: &IncidentId, by_partner: bool) -> Result<(), Error> {
    if !desk.is_at(LEVEL) {
        return Ok(());
    }
    desk.write(key(incident), &TakenRow { by_partner })
}

/// Whether another kind of upstream than the present one has taken a case.
pub(crate) fn is_elsewhere(desk: &Desk, incident: &IncidentId) -> Result<bool, Error> {
    let taken = if desk.is_at(LEVEL) { desk.read(&key(incident))? } else { None };
    Ok(taken.is_some_and(|taken| taken.by_partner != desk.installed.has_partner))
}

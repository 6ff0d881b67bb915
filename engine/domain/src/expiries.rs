//! What of the installation runs out: its licence, and the certificates between partner and end customer. The engine looks
//! at them and reports; here, on lane 0, each stage is said once of each licence and certificate.

use std::rc::Rc;

use jiff::Timestamp;
use linesman_rules::{Field, Organization, Subject, SubjectKind, Value};
use linesman_schemas::trigger::{Expiring, Expiry};
use linesman_schemas::{FilterLevel, OrgName};
use serde::{Deserialize, Serialize};

use super::Error;
use super::desk::Desk;
use super::outgoing::Topic;
use super::policies::Fired;
use super::state::Base;
use super::subject::TimeText;
use super::table::{Key, Row, Table};

/// The engine level from which on it is said.
pub const LEVEL: u32 = 7;

/// What was said last of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryRow {
    /// Which licence or certificate.
    pub id: String,
    /// When it ends.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub ends: Timestamp,
    /// Whether it was said that it has ended.
    pub has_ended: bool,
}

impl Row for ExpiryRow {}

/// The table of what was said, by kind.
pub const EXPIRIES: Table<ExpiryRow> = Table::new(b'3');

/// The key of what was said of a kind.
pub fn key(kind: Expiring) -> Key<ExpiryRow> {
    EXPIRIES.key(&[], kind.as_str().as_bytes())
}

/// Whether it was said already on lane 0's state. Of what has ended it is not said any more that it will.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn is_said(base: &(impl Base + ?Sized), expiry: &Expiry) -> Result<bool, Error> {
    Ok(Table::read(base, &key(expiry.kind))?.is_some_and(|row| covers(&row, expiry)))
}

/// When the last licence ended of which that was said on lane 0's state; none where none has.
///
/// # Errors
/// The base cannot be read, or the row.
pub fn licence_ended(base: &(impl Base + ?Sized)) -> Result<Option<Timestamp>, Error> {
    Ok(Table::read(base, &key(Expiring::Licence))?.filter(|row| row.has_ended).map(|row| row.ends))
}

fn covers(row: &ExpiryRow, expiry: &Expiry) -> bool {
    row.id == expiry.id && row.has_ended >= expiry.has_ended
}

/// Says a trigger of the provider's, unless it was said; what policies are then to judge.
pub(crate) fn take(desk: &mut Desk, expiry: &Expiry) -> Result<Option<(Fired, ExpirySubject)>, Error> {
    let key = key(expiry.kind);
    if desk.read(&key)?.is_some_and(|row| covers(&row, expiry)) {
        desk.tally.input("ctl", "known");
        return Ok(None);
    }
    desk.tally.input("ctl", "expiry");
    let Expiry { id, ends, has_ended, .. } = expiry.clone();
    desk.write(key, &ExpiryRow { id: id.clone(), ends, has_ended })?;
    let (trigger, provider) = (expiry.trigger(), OrgName::provider());
    desk.tally.trigger(trigger.as_str());
    let event = desk.say(&Topic::Trigger(provider.clone(), trigger), &provider, Some(&id), expiry)?;
    Ok(Some((Fired { trigger, event, about: id, is_providers: false }, ExpirySubject::new(expiry.clone()))))
}

/// The provider as policies see it where its own triggers are judged.
pub(crate) fn provider() -> Rc<Organization> {
    Rc::new(Organization {
        name: OrgName::provider(),
        display_name: String::new(),
        is_proxy: false,
        filter_level: FilterLevel::DoNotSend,
    })
}

/// What runs out, as policies see it.
#[derive(Debug, Clone)]
pub(crate) struct ExpirySubject {
    expiry: Expiry,
    ends: TimeText,
}

impl ExpirySubject {
    pub(crate) fn new(expiry: Expiry) -> Self {
        Self { ends: TimeText::new(expiry.ends), expiry }
    }
}

impl Subject for ExpirySubject {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Expiry
    }

    fn value(&self, field: Field) -> Value<'_> {
        match field {
            Field::Kind => Value::Text(self.expiry.kind.as_str()),
            Field::Id => Value::Text(&self.expiry.id),
            Field::Ends => Value::Text(self.ends.as_str()),
            Field::HasEnded => Value::Flag(self.expiry.has_ended),
            _ => Value::Absent,
        }
    }
}

//! What is known of an incident's case.

use std::borrow::Cow;

use jiff::Timestamp;
use linesman_schemas::reaction::FollowUp;
use linesman_schemas::{IncidentId, OrgName, PolicyName, Priority};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::coded;
use crate::desk::Desk;
use crate::table::{self, Key, Row, Table};

/// The engine level from which on a case keeps whether it was opened as a test.
pub(super) const TESTS_STAY: u32 = 8;
/// The engine level from which on whoever wants a case chooses what of its incident's bundle goes along.
pub(crate) const BY_CHOICE: u32 = 9;

/// The engine level from which on a case has a reference of the customer's own, and an address group.
pub(crate) const FURTHER: u32 = 12;

/// Where a case stands. Stored by its place: a new word is added at the end. The project's own state machine:
///
/// ```text
/// Draft --submitted--> Waiting
/// Waiting --accepted--> Submitted --case id--> Created --change--> Updated --closed--> Closed
///    |                                             \------------------------------------^
///    +-- refused, or deadline passed --> Failed
///    +-- filter level lowered to `Do not send` --> Withheld
///
/// Reported --forwarded--> Waiting
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaseState {
    /// Somebody wrote down what is to be said of it; it is not submitted.
    Draft,
    /// Its reaction is pending.
    Waiting,
    /// The filter level lets nothing out.
    Withheld,
    /// The upstream has accepted it.
    Submitted,
    /// It has a case id.
    Created,
    /// It changed since.
    Updated,
    /// The upstream closed it.
    Closed,
    /// It was refused or given up.
    Failed,
    /// An end customer has reported it, and it is not with the upstream.
    Reported,
}

impl CaseState {
    /// All of them, in the order in which they are stored.
    pub const ALL: [Self; 9] = [
        Self::Draft,
        Self::Waiting,
        Self::Withheld,
        Self::Submitted,
        Self::Created,
        Self::Updated,
        Self::Closed,
        Self::Failed,
        Self::Reported,
    ];

    /// The state as users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Waiting => "waiting",
            Self::Withheld => "withheld",
            Self::Submitted => "submitted",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Closed => "closed",
            Self::Failed => "failed",
            Self::Reported => "reported",
        }
    }
}

/// An incident's case at the upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRow {
    /// Where it stands.
    pub state: CaseState,
    /// The reaction that opens it; empty for a draft.
    pub reaction: String,
    /// The policy that wanted it; none where somebody did.
    pub policy: Option<PolicyName>,
    /// What was said of it.
    pub request: CaseText,
    /// The upstream's receipt; empty before.
    pub transaction_id: String,
    /// Its id; empty before.
    pub case_id: String,
    /// The upstream's word for its status; empty before.
    pub status: String,
    /// The upstream's word before that.
    pub previous_status: String,
    /// Where people see it; empty for none.
    pub link: String,
    /// When the upstream changed it last.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub updated: Timestamp,
    /// When it was decided.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub opened: Timestamp,
    /// Whether it left, or was to leave, as a try and no case.
    pub is_test: bool,
    /// What of its incident's bundle stays here.
    pub stays: Stays,
    /// What else was said of it.
    pub further: Further,
}

/// What is said of a case from `FURTHER` on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Further {
    /// What the customer's own system calls it; empty where it has not said.
    pub reference: String,
    /// The organization's address group whose address it carries; empty for where the device's spare parts go.
    pub address: String,
}

/// What of a bundle does not go along with its case, by choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stays {
    /// Its attachments and logs.
    pub attachments: bool,
    /// What its manifest says of core files.
    pub core_files: bool,
}

/// What is said of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaseText {
    /// One line on the problem.
    pub synopsis: String,
    /// What the customer adds.
    pub comments: String,
    /// How urgent.
    #[serde(with = "coded::optional_priority")]
    pub priority: Option<Priority>,
    /// Who else hears of it.
    pub cc: Vec<String>,
    /// How to keep in touch.
    #[serde(with = "coded")]
    pub follow_up: FollowUp,
}

impl Row for CaseRow {
    const VERSION: u8 = 4;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            // Nobody kept it: it goes by what its organization's cases are now, as it did.
            1 => table::with_added(bytes, &(false, Stays::default(), Further::default())),
            // All went along.
            2 => table::with_added(bytes, &(Stays::default(), Further::default())),
            // Nothing else was said of it.
            3 => table::with_added(bytes, &Further::default()),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    fn form<'a>(&self, level: u32, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        match level {
            ..TESTS_STAY => table::without_added(self, 1, &(self.is_test, self.stays, &self.further)).map(Cow::Owned),
            TESTS_STAY..BY_CHOICE => table::without_added(self, 2, &(self.stays, &self.further)).map(Cow::Owned),
            BY_CHOICE..FURTHER => table::without_added(self, 3, &self.further).map(Cow::Owned),
            FURTHER.. => Ok(Cow::Borrowed(stored)),
        }
    }
}

/// Where the case of a stored row stands, without reading the rest of it: it stands in front in every version.
pub(crate) fn state_of(bytes: &[u8]) -> Option<CaseState> {
    postcard::take_from_bytes(table::bare(bytes)).ok().map(|(state, _)| state)
}

/// The table of cases.
pub const CASES: Table<CaseRow> = Table::new(b'c');

/// The key of an incident's case.
pub fn key(org: &OrgName, number: u64) -> Key<CaseRow> {
    CASES.key(&[org.as_str()], &number.to_be_bytes())
}

/// The front of the keys of an organization's cases, or of those from a row's own key on.
pub fn within(organization: &str, own: &[u8]) -> Vec<u8> {
    CASES.prefix(&[organization], own)
}

/// An incident's case.
pub(crate) fn find(desk: &Desk, incident: &IncidentId) -> Result<Option<CaseRow>, Error> {
    desk.read(&key(&incident.org, incident.number))
}

/// Writes an incident's case.
pub(crate) fn keep(desk: &mut Desk, incident: &IncidentId, case: &CaseRow) -> Result<(), Error> {
    desk.write(key(&incident.org, incident.number), case)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAYS: Stays = Stays { attachments: true, core_files: false };

    fn further() -> Further {
        Further { reference: "CHG-1".to_owned(), address: "berlin".to_owned() }
    }

    fn row(is_test: bool, stays: Stays, further: Further) -> CaseRow {
        CaseRow {
            state: CaseState::Created,
            reaction: "acme-r3-1".to_owned(),
            policy: None,
            request: CaseText { synopsis: "FPC 2 offline".to_owned(), ..CaseText::default() },
            transaction_id: "T-1".to_owned(),
            case_id: "C-1".to_owned(),
            status: "open".to_owned(),
            previous_status: String::new(),
            link: String::new(),
            updated: Timestamp::UNIX_EPOCH,
            opened: Timestamp::UNIX_EPOCH,
            is_test,
            stays,
            further,
        }
    }

    /// What was said of it, as its version stored it, without what later ones have behind that.
    fn stored(version: u8, later: usize) -> Vec<u8> {
        let stored = table::encode(&row(true, STAYS, further())).unwrap();
        assert_eq!(stored[..3], [128, 0, 4][..]);
        let front = if version > 1 { vec![128, 0, version] } else { Vec::new() };
        [&front, &stored[3..stored.len() - later]].concat()
    }

    /// A text is its length and its letters; a flag is a byte.
    const FURTHER_BYTES: usize = 6 + 7;

    #[test]
    fn of_a_row_of_a_version_before_all_goes_along_and_a_test_is_known_from_the_second_on() {
        let read = |bytes: &[u8]| table::decode::<CaseRow>(b"c", bytes).unwrap();
        let none = Further::default;
        assert_eq!(read(&stored(1, FURTHER_BYTES + 3)), row(false, Stays::default(), none()));
        assert_eq!(read(&stored(2, FURTHER_BYTES + 2)), row(true, Stays::default(), none()));
        assert_eq!(read(&stored(3, FURTHER_BYTES)), row(true, STAYS, none()));
        assert_eq!(read(&stored(4, 0)), row(true, STAYS, further()));
    }

    #[test]
    fn the_digest_of_the_levels_before_has_a_row_as_they_stored_it() {
        let now = stored(4, 0);
        let before = [stored(1, FURTHER_BYTES + 3), stored(2, FURTHER_BYTES + 2), stored(3, FURTHER_BYTES)];
        let levels = [(1, &before[0]), (7, &before[0]), (8, &before[1]), (9, &before[2]), (11, &before[2]), (12, &now)];
        for (level, expected) in levels {
            let form = row(true, STAYS, further()).form(level, &now).unwrap().into_owned();
            assert_eq!(&form, expected, "at level {level}");
        }
    }
}

//! What is kept of an approval, for ever.
//!
//! ```text
//! = <organization> <number>   ApprovalRow
//! ```
//!
//! The numbers of the provider's approvals lie above those of the organization's own, each counted from 1.

use std::borrow::Cow;

use jiff::Timestamp;
use linesman_schemas::approval::{ApprovalKind, OnTimeout};
use linesman_schemas::audit::Verdict;
use linesman_schemas::{ApprovalId, Login, OrgName, Principal};
use serde::{Deserialize, Serialize};

use super::ASKERS;
use crate::state::Base;
use crate::table::{self, Key, Row, Table};
use crate::{Error, coded};

/// Where an approval stands. Stored by its place: a new word is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApprovalState {
    /// Nobody has decided it.
    Pending,
    /// Somebody has approved it, and it was carried out, or refused then.
    Approved,
    /// Somebody has rejected it.
    Rejected,
    /// Nobody has decided it in time.
    Expired,
    /// What would be done had changed when it was to be approved: it was asked for anew.
    Changed,
}

impl ApprovalState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Rejected, Self::Expired, Self::Changed];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Changed => "changed",
        }
    }
}

/// How an approval was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRow {
    /// Who, as people read it.
    pub by: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
    /// What was said of it; empty for nothing.
    pub comment: String,
}

/// What became of what was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRow {
    /// What became of it.
    #[serde(with = "coded")]
    pub verdict: Verdict,
    /// What was done, or why not.
    pub detail: String,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRow {
    /// What is to be approved.
    #[serde(with = "coded")]
    pub kind: ApprovalKind,
    /// Whether somebody else than who asked has to decide it.
    pub is_two_person: bool,
    /// Why it needs approval.
    pub reasons: Vec<String>,
    /// The operation, as the audit names it.
    pub operation: String,
    /// What it is about.
    pub about: String,
    /// Where it was asked for.
    pub place: String,
    /// What is asked for, in JSON, exactly as it will be carried out.
    pub verb: String,
    /// What that comes to beside its own words, in JSON.
    pub content: String,
    /// SHA-256 of both.
    pub sha256: [u8; 32],
    /// Who asked, in JSON.
    pub principal: String,
    /// Who asked, as people read it.
    pub actor: String,
    /// Who granted whoever asked their rights, when they asked.
    pub chain: Vec<String>,
    /// The node that served the request.
    pub node: String,
    /// The command by which it was asked for.
    pub command: String,
    /// When it was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub asked: Timestamp,
    /// Until when it may be decided.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub due: Timestamp,
    /// What becomes of it then.
    #[serde(with = "coded")]
    pub on_timeout: OnTimeout,
    /// Where it stands.
    pub state: ApprovalState,
    /// How it was decided; none as long as nobody has, and of what was asked for anew.
    pub decision: Option<DecisionRow>,
    /// What became of what was approved.
    pub outcome: Option<OutcomeRow>,
    /// The number of the approval that was asked for instead, which is whose this one is.
    pub instead: Option<u64>,
    /// The logins that have asked for the very same while it was pending, or by whose doing somebody asked.
    pub askers: Vec<String>,
}

impl ApprovalRow {
    /// The login that asked; none where nobody who has one did.
    pub fn asker(&self) -> Option<Login> {
        serde_json::from_str::<Principal>(&self.principal).ok().and_then(|asker| asker.login())
    }
}

impl Row for ApprovalRow {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            1 => table::with_added(bytes, &Vec::<String>::new()),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    // What was done is told by the verdict; the words are for people.
    fn form<'a>(&self, level: u32, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        let bare = |outcome: &OutcomeRow| OutcomeRow { detail: String::new(), ..outcome.clone() };
        match &self.outcome {
            None if level >= ASKERS => Ok(Cow::Borrowed(stored)),
            outcome => {
                let row = Self { outcome: outcome.as_ref().map(bare), ..self.clone() };
                if level >= ASKERS {
                    return table::encode_bare(&row).map(Cow::Owned);
                }
                table::without_added(&row, 1, &row.askers).map(Cow::Owned)
            }
        }
    }
}

/// The table of approvals.
pub const APPROVALS: Table<ApprovalRow> = Table::new(b'=');

/// The bit that the numbers of the provider's approvals have in keys.
const PROVIDERS: u64 = 1 << 63;

/// An approval's key.
pub fn key(id: &ApprovalId) -> Key<ApprovalRow> {
    APPROVALS.key(&[id.org.as_str()], &kept(id.is_providers, id.number).to_be_bytes())
}

/// The approval of an organization whose key ends with a number.
pub fn id_of(org: OrgName, kept: u64) -> ApprovalId {
    ApprovalId::new(org, kept & PROVIDERS != 0, kept & !PROVIDERS)
}

/// The number that stands in keys; 0, which no approval has, where there is none so large.
const fn kept(is_providers: bool, number: u64) -> u64 {
    match (number & PROVIDERS == 0, is_providers) {
        (true, true) => number | PROVIDERS,
        (true, false) => number,
        // INVARIANT (tenants): or an organization's people could name the provider's.
        (false, _) => 0,
    }
}

/// The front of the keys of an organization's approvals, or of those from a row's own key on.
pub fn within(organization: &str, own: &[u8]) -> Vec<u8> {
    APPROVALS.prefix(&[organization], own)
}

/// Which approval a row's own key is of; none where it is no such key.
pub(super) fn read_own(own: &[u8]) -> Option<ApprovalId> {
    let (org, number) = own.split_last_chunk::<8>()?;
    let org = std::str::from_utf8(org.strip_suffix(&[0])?).ok()?.parse().ok()?;
    Some(id_of(org, u64::from_be_bytes(*number)))
}

/// The number that was given last in an organization, of its own or of the provider's: numbers have no gaps, and no approval
/// is removed.
pub(super) fn last(base: &(impl Base + ?Sized), org: &OrgName, is_providers: bool) -> Result<u64, Error> {
    let key = |number| APPROVALS.key(&[org.as_str()], &kept(is_providers, number).to_be_bytes());
    let is_there = |number: u64| base.get(key(number).as_bytes()).map(|row| row.is_some());
    let (mut there, mut above) = (0_u64, 1_u64);
    while is_there(above)? {
        (there, above) = (above, above.saturating_mul(2));
    }
    while above - there > 1 {
        let between = there + (above - there) / 2;
        if is_there(between)? { there = between } else { above = between }
    }
    Ok(there)
}

/// The same of the whole key, as timers have it.
pub(crate) fn read_key(key: &[u8]) -> Option<ApprovalId> {
    read_own(APPROVALS.own(key))
}

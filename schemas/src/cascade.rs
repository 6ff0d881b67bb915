//! What travels between two controllers of a cascade, over HTTPS below `/partner/v1/`: the one below reports cases,
//! asks what became of them and says what changed; the one above answers and never calls. Source: DOMAIN, "Incidents
//! and cases", the cascade of a case.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST registration` | [`Registration`] | [`Registered`] |
//! | `POST cases`, `Idempotency-Key` | [`CaseReport`] | 202 [`Receipt`] |
//! | `GET cases/{transaction id}` | | [`CaseView`] |
//! | `GET cases?cursor=` | | [`CasePage`] |
//! | `GET intelligence?after=` | | [`MessagePage`] |
//! | `POST cases/{transaction id}/changes`, `Idempotency-Key` | [`CaseStep`] | [`CaseView`] |
//!
//! Failures are problem documents (RFC 9457).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::intelligence::Intelligence;
use crate::outcome::CaseNote;
use crate::reaction::CaseDetails;
use crate::{IncidentId, Priority};

/// What the paths of a partner's listener begin with.
pub const PATH: &str = "/partner/v1/";
/// The most controllers a case may have passed.
pub const TRACE_MOST: usize = 16;
/// The longest synopsis of a case that is reported, in characters. With engine level 9 longer ones are cut before they leave;
/// what is in a log already may be longer.
pub const SYNOPSIS_MOST: usize = 1_000;
/// The longest name of a controller, and of an end customer, in characters.
pub const CONTROLLER_MOST: usize = 64;
/// The longest alias, in characters: a name and a stroke for each controller.
pub const ALIAS_MOST: usize = TRACE_MOST * (CONTROLLER_MOST + 1);
/// The longest key of a case, in bytes: a reaction's id.
pub const KEY_MOST: usize = 200;
/// The most cases of a page.
pub const PAGE_MOST: usize = 200;

/// An end customer's controller makes itself known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registration {
    /// Which controller it is: its name in trace routes.
    pub controller: String,
}

/// The partner knows the end customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// The end customer's id, by which the partner speaks of it.
    pub id: String,
    /// Which controller the partner is: its name in trace routes.
    pub controller: String,
    /// How many requests a second the partner bears of this end customer.
    pub requests_per_second: u32,
}

/// An end customer reports a case. What its filter level holds back is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseReport {
    /// The incident below, which is the customer tracking number.
    pub tracking_number: IncidentId,
    /// How urgent.
    pub priority: Priority,
    /// One line on the problem, of at most 1,000 characters.
    #[schemars(length(max = 1_000))]
    pub synopsis: String,
    /// What else `Send all information` lets out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<CaseDetails>,
    /// By what the end customer at the bottom is known to the one who reports; empty where that is itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// The controllers it has passed, first the one it began at, last the one that reports it.
    pub trace_route: Vec<String>,
}

/// The partner has taken a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// By what the case is asked for.
    pub transaction_id: String,
}

/// How a case stands, as the partner lets the one below see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseView {
    /// By what the case is asked for.
    pub transaction_id: String,
    /// The incident below.
    pub tracking_number: IncidentId,
    /// Its id; none before it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// Where people see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Its status; empty before there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// When it changed last, by the partner's clock.
    pub updated: Timestamp,
    /// What is said of it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<CaseNote>,
}

/// Cases that changed, in the order in which they did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseView>,
    /// Where to go on from.
    pub cursor: String,
    /// Whether there are more already.
    pub more: bool,
}

/// Intelligence messages that were sent to the one below, or recalled, in the order in which they last were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessagePage {
    /// The messages, as they are worded for it. Of one that was recalled there is but its id, in place of its title too, and that
    /// it was.
    pub messages: Vec<Intelligence>,
    /// Where to go on from.
    pub cursor: String,
    /// Whether there are more already.
    pub more: bool,
}

/// What the one below has done with a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseStep {
    /// It has something to say.
    Note(CaseNote),
    /// For it the case is done.
    Close(CaseNote),
    /// For it the case is not done after all.
    Reopen(CaseNote),
}

impl CaseStep {
    /// What is said with it; empty for nothing.
    pub const fn note(&self) -> &CaseNote {
        match self {
            Self::Note(note) | Self::Close(note) | Self::Reopen(note) => note,
        }
    }
}

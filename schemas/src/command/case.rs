//! Commands about an incident's case at the upstream.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::ADDRESS_NAME_MOST;
use super::bounds::{
    CASE_LINK_MOST, CASE_REFERENCE_MOST, CASE_TEXT_MOST, CASE_WORD_MOST, DETAIL_MOST, Fault, NOTE_MOST, OWNER_MOST,
    label, list, text,
};
use super::replay::LetterRef;
use crate::cascade::{ALIAS_MOST, CONTROLLER_MOST, CaseReport, KEY_MOST, TRACE_MOST};
use crate::name::is_token;
use crate::reaction::{CaseDetails, FollowUp};
use crate::upload::UploadRequest;
use crate::{IncidentId, Priority, ReactionId};

/// What is asked for of an incident's case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Case {
    /// Open it at the upstream.
    Submit(CaseWish),
    /// Keep what is to be said of it, without opening it.
    Save(CaseWish),
    /// An end customer reports one: it becomes an incident, and its case.
    Report(Box<Reported>),
    /// Send one that an end customer has reported on to the upstream.
    Forward(CaseName),
    /// Solve one that an end customer has reported here.
    Handle(CaseName),
    /// Show below another id, link or status than the upstream's; what is not given is the upstream's again.
    Override(CaseOverride),
    /// Say something of it, upward and downward.
    Note(CaseRemark),
    /// It is done.
    Close(CaseRemark),
    /// It is not done after all.
    Reopen(CaseRemark),
    /// Keep what an end customer has uploaded, all of which is there.
    Keep(Box<UploadKept>),
}

impl Case {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Submit(_) => "submit-case",
            Self::Save(_) => "save-case",
            Self::Report(_) => "report-case",
            Self::Forward(_) => "forward-case",
            Self::Handle(_) => "handle-case",
            Self::Override(_) => "override-case",
            Self::Note(_) => "note-case",
            Self::Close(_) => "close-case",
            Self::Reopen(_) => "reopen-case",
            Self::Keep(_) => "keep-upload",
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Submit(wish) | Self::Save(wish) => wish.case.check(),
            Self::Report(reported) => reported.check(),
            Self::Forward(_) | Self::Handle(_) => Ok(()),
            Self::Override(wanted) => wanted.check(),
            Self::Note(remark) if remark.text.trim().is_empty() => Err(Fault::new("/text", "is empty")),
            Self::Note(remark) | Self::Close(remark) | Self::Reopen(remark) => remark.check(),
            Self::Keep(kept) => kept.check(),
        }
    }

    /// The incident it is for; none where it is to become one, and of what belongs to no case.
    pub const fn incident(&self) -> Option<&IncidentId> {
        match self {
            Self::Submit(wish) | Self::Save(wish) => Some(&wish.incident),
            Self::Report(_) => None,
            Self::Forward(name) | Self::Handle(name) => Some(&name.incident),
            Self::Override(wanted) => Some(&wanted.incident),
            Self::Note(remark) | Self::Close(remark) | Self::Reopen(remark) => Some(&remark.incident),
            Self::Keep(kept) => kept.incident.as_ref(),
        }
    }
}

/// A case that an end customer reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reported {
    /// What it is known by again as long as its row stands: said again, it is the same case.
    pub key: String,
    /// The case.
    pub report: CaseReport,
}

impl Reported {
    fn check(&self) -> Result<(), Fault> {
        if self.key.is_empty() || self.key.len() > KEY_MOST || !self.key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Fault::new("/key", format!("is not 1 to {KEY_MOST} printable ASCII characters")));
        }
        let report = &self.report;
        text("/report/synopsis", &report.synopsis, DETAIL_MOST + SYNOPSIS_MORE)?;
        label("/report/alias", &report.alias, ALIAS_MOST)?;
        let route = &report.trace_route;
        if route.is_empty() || route.len() > TRACE_MOST {
            return Err(Fault::new("/report/trace_route", format!("has not 1 to {TRACE_MOST} entries")));
        }
        for (at, controller) in route.iter().enumerate() {
            let pointer = format!("/report/trace_route/{at}");
            label(&pointer, controller, CONTROLLER_MOST)?;
            if controller.is_empty() {
                return Err(Fault::new(pointer, "is empty"));
            }
        }
        report.details.as_ref().map_or(Ok(()), check_details)
    }
}

/// What an end customer has uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UploadKept {
    /// Under what its bytes lie in the object store.
    pub stored: String,
    /// The incident of the case it belongs to; none of a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// What was announced, and is there.
    pub upload: UploadRequest,
}

impl UploadKept {
    fn check(&self) -> Result<(), Fault> {
        if !is_token(&self.stored) {
            return Err(Fault::new("/stored", "is no name of an object"));
        }
        self.upload.check().map_err(|fault| Fault { pointer: format!("/upload{}", fault.pointer), ..fault })?;
        match self.upload.receipt.is_some() == self.incident.is_some() {
            true => Ok(()),
            false => Err(Fault::new("/incident", "is not that of the receipt")),
        }
    }
}

/// What may stand before a synopsis: that the case is a try.
const SYNOPSIS_MORE: usize = 16;

fn check_details(details: &CaseDetails) -> Result<(), Fault> {
    let lines = [
        ("host_event_id", &details.host_event_id),
        ("host_name", &details.host_name),
        ("serial_number", &details.serial_number),
        ("product", &details.product),
        ("platform", &details.platform),
        ("os_version", &details.os_version),
        ("event_type", &details.event_type),
    ];
    for (name, line) in lines {
        text(&format!("/report/details/{name}"), line, DETAIL_MOST)?;
    }
    label("/report/details/reference", &details.reference, CASE_REFERENCE_MOST)?;
    text("/report/details/description", &details.description, DETAIL_MOST)?;
    text("/report/details/comments", &details.comments, CASE_TEXT_MOST)?;
    list("/report/details/cc", &details.cc)?;
    let mut cc = details.cc.iter().enumerate();
    cc.try_for_each(|(at, name)| label(&format!("/report/details/cc/{at}"), name, OWNER_MOST))
}

/// A case, by its incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseName {
    /// The incident it is for.
    pub incident: IncidentId,
}

/// What stands in place of the upstream's for whoever reported the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseOverride {
    /// The incident it is for.
    pub incident: IncidentId,
    /// The case id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// Where people see the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_link: Option<String>,
    /// Its status, in whatever words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_status: Option<String>,
}

impl CaseOverride {
    fn check(&self) -> Result<(), Fault> {
        let given = |pointer: &str, value: Option<&str>, most: usize| match value {
            Some("") => Err(Fault::new(pointer, "is empty; give none of the three to have the upstream's again")),
            Some(value) => label(pointer, value, most),
            None => Ok(()),
        };
        given("/case_id", self.case_id.as_deref(), CASE_WORD_MOST)?;
        given("/case_status", self.case_status.as_deref(), CASE_WORD_MOST)?;
        given("/case_link", self.case_link.as_deref(), CASE_LINK_MOST)?;
        let is_web = |link: &str| link.starts_with("https://") || link.starts_with("http://");
        match self.case_link.as_deref().is_none_or(is_web) {
            true => Ok(()),
            false => Err(Fault::new("/case_link", "is no web address: it begins with `https://` or `http://`")),
        }
    }
}

/// What somebody says of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRemark {
    /// The incident it is for.
    pub incident: IncidentId,
    /// What; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What it is known by again, and who said it, where that was elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<RemarkOrigin>,
}

impl CaseRemark {
    fn check(&self) -> Result<(), Fault> {
        text("/text", &self.text, NOTE_MOST)?;
        let Some(origin) = &self.origin else { return Ok(()) };
        label("/origin/id", &origin.id, KEY_MOST)?;
        label("/origin/author", &origin.author, OWNER_MOST)
    }
}

/// Where something that is said of a case was said first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemarkOrigin {
    /// What it is known by again.
    pub id: String,
    /// Who said it.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

/// A case somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseWish {
    /// The incident it is for.
    pub incident: IncidentId,
    /// What is said of it.
    #[serde(default)]
    pub case: CaseWords,
    /// What of it goes again, where a dead letter of it is replayed; nothing else is said then. From engine level 17 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<GivenUp>,
}

/// Something of a case that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenUp {
    /// The reaction that was to bring it upward.
    pub reaction: ReactionId,
    /// The dead letter that told of it; it is kept that it was replayed.
    pub letter: LetterRef,
}

/// What is said of a case; what is not given is taken from its draft, then from the incident.
/// Source: DOMAIN, "Incidents and cases".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CaseWords {
    /// One line on the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synopsis: Option<String>,
    /// What the customer adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Who else hears of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cc: Option<Vec<String>>,
    /// How to keep in touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUp>,
    /// Whether the attachments and logs of the incident's bundle go along. From engine level 9 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<bool>,
    /// Whether what its manifest says of core files does. From engine level 9 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core_files: Option<bool>,
    /// What the customer's own system calls it. From engine level 12 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The organization's address group whose address it carries; empty for where the device's spare parts go. From engine
    /// level 12 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl CaseWords {
    /// Whether it says what of the incident's bundle goes along.
    pub const fn chooses(&self) -> bool {
        self.attachments.is_some() || self.core_files.is_some()
    }

    /// Whether it says more than cases had before engine level 12.
    pub const fn says_more(&self) -> bool {
        self.reference.is_some() || self.address.is_some()
    }

    fn check(&self) -> Result<(), Fault> {
        label("/case/reference", self.reference.as_deref().unwrap_or_default(), CASE_REFERENCE_MOST)?;
        label("/case/address", self.address.as_deref().unwrap_or_default(), ADDRESS_NAME_MOST)?;
        label("/case/synopsis", self.synopsis.as_deref().unwrap_or_default(), CASE_TEXT_MOST)?;
        text("/case/comments", self.comments.as_deref().unwrap_or_default(), CASE_TEXT_MOST)?;
        let cc = self.cc.as_deref().unwrap_or_default();
        list("/case/cc", cc)?;
        cc.iter().enumerate().try_for_each(|(at, name)| label(&format!("/case/cc/{at}"), name, OWNER_MOST))
    }
}

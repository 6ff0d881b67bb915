//! What leaves of the texts of a case at a filter level.
//!
//! INVARIANT (data leaves only filtered): what is held back never stands in a reaction. Overwriting is by fixed text:
//! a key of pseudonyms is no decision.
//!
//! From level 7 on texts leave as far as the filter level lets them. What becomes of a text is text for people: it is in
//! no digest, so that a release that finds one address more decides no log otherwise.

use linesman_redaction::Redaction;
use linesman_schemas::FilterLevel;
use linesman_schemas::cascade::CaseStep;
use linesman_schemas::reaction::{Action, CaseDetails, WITHHELD};

use super::{ROUTES_FILTERED, SETTLED, is_moment};
use crate::desk::Desk;

/// The engine level from which on texts leave at all levels that let any out.
pub(crate) const LEVEL: u32 = 7;

/// How texts leave.
pub(super) enum Texts {
    /// As they are: until level 7 at `Send all information`.
    Whole,
    /// With what the filter level holds back taken out.
    Redacted(Box<Redaction>),
    /// Not at all.
    Withheld,
}

impl Texts {
    /// How they leave at a filter level that lets anything out.
    pub(super) fn at(desk: &Desk, level: FilterLevel) -> Self {
        match level {
            FilterLevel::DoNotSend | FilterLevel::FeaturesOnly => Self::Withheld,
            _ if desk.is_at(LEVEL) => Self::Redacted(Box::new(Redaction::at(level))),
            FilterLevel::All => Self::Whole,
            FilterLevel::ExceptConfiguration | FilterLevel::AddressesOverwritten => Self::Withheld,
        }
    }

    pub(super) fn are_withheld(&self) -> bool {
        matches!(self, Self::Withheld)
    }

    /// A text of several lines, at most `most` characters of it where it became another. An empty one stays so.
    pub(super) fn text(&self, text: &str, most: usize) -> String {
        match self {
            Self::Whole => text.to_owned(),
            Self::Withheld if text.is_empty() => String::new(),
            Self::Withheld => WITHHELD.to_owned(),
            Self::Redacted(redaction) => {
                let left = redaction.text(text);
                if left == text { left } else { left.chars().take(most).collect() }
            }
        }
    }

    /// A text of one line.
    pub(super) fn line(&self, line: &str, most: usize) -> String {
        let left = self.text(line, most);
        if left == line {
            return left;
        }
        // What stands in place of configuration ends its line.
        left.trim_end().chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
    }
}

/// An action without what its texts came to at an engine level, for the digest; none of one that has none.
pub(crate) fn without_texts(level: u32, action: &Action) -> Option<Action> {
    match action {
        Action::SubmitCase(request) => {
            let mut request = request.clone();
            request.synopsis.clear();
            request.address.clear();
            if level >= SETTLED {
                request.alias.clear();
            }
            if level >= ROUTES_FILTERED {
                request.trace_route.retain(|passed| is_moment(passed));
            }
            if let Some(details) = &mut request.details {
                let CaseDetails { follow_up, .. } = details;
                *details = CaseDetails { follow_up: *follow_up, ..none() };
            }
            Some(Action::SubmitCase(request))
        }
        Action::TellCase(telling) => {
            let mut telling = telling.clone();
            let (CaseStep::Note(note) | CaseStep::Close(note) | CaseStep::Reopen(note)) = &mut telling.step;
            note.author.clear();
            note.text.clear();
            Some(Action::TellCase(telling))
        }
        _ => None,
    }
}

/// Whether an action in JSON may have texts.
pub(crate) fn may_have_texts(action: &str) -> bool {
    action.starts_with("{\"submit_case\"") || action.starts_with("{\"tell_case\"")
}

fn none() -> CaseDetails {
    CaseDetails {
        host_event_id: String::new(),
        host_name: String::new(),
        serial_number: String::new(),
        product: String::new(),
        platform: String::new(),
        os_version: String::new(),
        event_type: String::new(),
        description: String::new(),
        comments: String::new(),
        cc: Vec::new(),
        follow_up: linesman_schemas::reaction::FollowUp::default(),
        reference: String::new(),
    }
}

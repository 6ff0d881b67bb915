//! What fields can hold when a trigger fires, where that is less than anything of their shape. It is for warnings: what a
//! policy asks of a field that is never so is likely meant otherwise, and runs all the same.
//!
//! A policy that is run anew, from a dead letter, sees its subject as it is by then.

use linesman_schemas::Priority;
use linesman_schemas::trigger::Trigger;

use crate::diagnostic::quoted;
use crate::subject::{Field, SubjectKind};
use crate::triggers::Triggers;

/// What a field can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Possible {
    /// Anything of its shape.
    Anything,
    /// Nothing: it is absent.
    Nothing,
    /// One of these texts.
    Texts(Vec<&'static str>),
    /// A number between these, both included.
    Numbers(i64, i64),
    /// This flag alone.
    Flag(bool),
}

/// What an incident's status can be.
const STATUS: [&str; 4] = ["unassigned", "assigned", "in progress", "completed"];

impl Possible {
    /// What a field of the subject can hold when any of these triggers fires.
    pub(crate) fn of(field: Field, kind: SubjectKind, triggers: Option<&Triggers>) -> Self {
        let whenever = Self::whenever(field, kind);
        let Some(Triggers::These(triggers)) = triggers else { return whenever };
        let mut each = triggers.iter().map(|trigger| Self::when(field, *trigger));
        let Some(first) = each.next() else { return whenever };
        // Where one of them leaves it open, what holds of the kind of subject is known all the same.
        let joined = each.try_fold(first, Self::or);
        joined.filter(|possible| *possible != Self::Anything).unwrap_or(whenever)
    }

    /// Of a kind of subject, whatever fires.
    fn whenever(field: Field, kind: SubjectKind) -> Self {
        if let Some(texts) = field.texts(kind) {
            return Self::Texts(texts.to_vec());
        }
        match field {
            Field::Priority => Self::Texts(Priority::ALL.iter().map(|priority| priority.as_str()).collect()),
            Field::Status if kind.has_incident() => Self::Texts(STATUS.to_vec()),
            _ => field.numbers().map_or(Self::Anything, |(least, most)| Self::Numbers(least, most)),
        }
    }

    /// When one trigger fires.
    fn when(field: Field, trigger: Trigger) -> Self {
        match (trigger, field) {
            // It is new: nobody has it yet, and what policies do about it is decided after they have seen it.
            (Trigger::IncidentDetected, Field::CaseStatus | Field::CaseId | Field::Owner)
            | (Trigger::IncidentReported, Field::CaseId | Field::Owner) => Self::Nothing,
            (Trigger::IncidentDetected | Trigger::IncidentReported, Field::Status) => Self::Texts(vec!["unassigned"]),
            (Trigger::IncidentDetected | Trigger::IncidentReported, Field::Repeats) => Self::Numbers(0, 0),
            (Trigger::IntelligenceMatched, Field::Kind) => Self::Texts(vec!["alert", "informational"]),
            (Trigger::EndOfLifeMatched, Field::Kind) => Self::Texts(vec!["end-of-life"]),
            (Trigger::BugNoticeArrived | Trigger::BugNoticeMatched, Field::Kind) => Self::Texts(vec!["bug-notice"]),
            (Trigger::BugNoticeArrived, Field::Affected | Field::AffectedCount) => Self::Nothing,
            (Trigger::LicenceExpiring | Trigger::LicenceExpired, Field::Kind) => Self::Texts(vec!["licence"]),
            (Trigger::CertificateExpiring | Trigger::CertificateExpired, Field::Kind) => {
                Self::Texts(vec!["upstream", "listener"])
            }
            (Trigger::LicenceExpiring | Trigger::CertificateExpiring, Field::HasEnded) => Self::Flag(false),
            (Trigger::LicenceExpired | Trigger::CertificateExpired, Field::HasEnded) => Self::Flag(true),
            (trigger, field) if Self::is_of_another(trigger, field) => Self::Nothing,
            // The operation of attempts that are counted together is none.
            (Trigger::Audit(operation), Field::Operation) if operation.as_str() != "refused" => {
                Self::Texts(vec![operation.as_str()])
            }
            _ => Self::Anything,
        }
    }

    /// Whether a field of devices is of other triggers than this one.
    const fn is_of_another(trigger: Trigger, field: Field) -> bool {
        match trigger {
            Trigger::DeviceSilent => {
                matches!(field, Field::Name | Field::State | Field::PreviousState | Field::Error | Field::LastSnapshot)
            }
            Trigger::DeviceStateChanged => matches!(field, Field::LastSeen | Field::LastSnapshot),
            Trigger::CollectionSwitched => {
                matches!(field, Field::State | Field::PreviousState | Field::Error | Field::LastSeen)
            }
            Trigger::ConfigurationDrifted | Trigger::ConfigurationHeld => {
                matches!(field, Field::State | Field::PreviousState | Field::LastSnapshot)
            }
            _ => false,
        }
    }

    /// What is held where either may be; none where that is not told in one.
    fn or(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Texts(mut texts), Self::Texts(more)) => {
                texts.extend(more);
                texts.sort_unstable();
                texts.dedup();
                Some(Self::Texts(texts))
            }
            (Self::Numbers(least, most), Self::Numbers(other, more)) => {
                Some(Self::Numbers(least.min(other), most.max(more)))
            }
            (one, two) if one == two => Some(one),
            _ => None,
        }
    }

    /// What it can be, behind the field's name, such as "is 0 or more"; none where it can be anything.
    pub(crate) fn told(&self) -> Option<String> {
        match self {
            Self::Anything => None,
            Self::Nothing => Some("is absent".to_owned()),
            Self::Texts(texts) if texts.len() > 12 => None,
            Self::Texts(texts) => match texts.split_last() {
                Some((last, [])) => Some(format!("is `{last}`")),
                Some((last, before)) => Some(format!("is {} or `{last}`", quoted(before.iter().copied()))),
                None => None,
            },
            Self::Numbers(least, most) if least == most => Some(format!("is {least}")),
            Self::Numbers(least, i64::MAX) => Some(format!("is {least} or more")),
            Self::Numbers(least, most) => Some(format!("is {least} to {most}")),
            Self::Flag(flag) => Some(format!("is `{flag}`")),
        }
    }
}

/// ` when ... fires`, where what a field can hold hangs on that and not on its subject alone.
pub(crate) fn when(field: Field, kind: SubjectKind, triggers: Option<&Triggers>) -> String {
    match triggers {
        Some(triggers) if Possible::of(field, kind, Some(triggers)) != Possible::whenever(field, kind) => {
            let names = triggers.names();
            let verb = if names.len() == 1 { "fires" } else { "fire" };
            format!(" when {} {verb}", quoted(names.into_iter()))
        }
        _ => String::new(),
    }
}

/// Where a field is to be found that is absent when these triggers fire.
pub(crate) fn elsewhere(field: Field, triggers: Option<&Triggers>) -> Option<&'static str> {
    let is_new = triggers.is_some_and(|triggers| triggers.contain(Trigger::IncidentDetected));
    match field {
        Field::CaseStatus | Field::CaseId if is_new => {
            Some("there is no case yet: `incident.submitted`, `case.assigned` and `case.updated` have one")
        }
        Field::Repeats if is_new => {
            Some("it fires only the first time: what has repeated by then is seen on `case.updated`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use linesman_schemas::Operation;

    use super::*;

    fn of(field: Field, kind: SubjectKind, triggers: &[Trigger]) -> Possible {
        Possible::of(field, kind, Some(&Triggers::These(triggers.to_vec())))
    }

    #[test]
    fn what_is_possible_is_possible_at_one_of_the_triggers() {
        let incident = SubjectKind::Incident;
        assert_eq!(of(Field::CaseStatus, incident, &[Trigger::IncidentDetected]), Possible::Nothing);
        let both = [Trigger::IncidentDetected, Trigger::IncidentSubmitted];
        assert_eq!(of(Field::CaseStatus, incident, &both), Possible::Anything);
        assert_eq!(of(Field::Status, incident, &both), Possible::Texts(STATUS.to_vec()));
        assert_eq!(of(Field::Repeats, incident, &both), Possible::Numbers(0, i64::MAX));
        let notices = [Trigger::EndOfLifeMatched, Trigger::BugNoticeMatched];
        assert_eq!(of(Field::Kind, SubjectKind::Message, &notices), Possible::Texts(vec!["bug-notice", "end-of-life"]));
        let operation: Operation = "close-incident".parse().unwrap();
        let audit = [Trigger::Audit(operation)];
        assert_eq!(of(Field::Operation, SubjectKind::Record, &audit), Possible::Texts(vec!["close-incident"]));
        let refused = [Trigger::Audit("refused".parse().unwrap())];
        assert_ne!(of(Field::Operation, SubjectKind::Record, &refused), Possible::Texts(vec!["refused"]));
    }

    #[test]
    fn it_is_told_when_it_hangs_on_the_trigger() {
        let detected = Triggers::These(vec![Trigger::IncidentDetected]);
        let of = |field| when(field, SubjectKind::Incident, Some(&detected));
        assert_eq!(of(Field::Repeats), " when `incident.detected` fires");
        assert_eq!(of(Field::Priority), "");
        assert_eq!(Possible::Numbers(0, 7).told().unwrap(), "is 0 to 7");
        assert_eq!(Possible::Texts(vec!["a", "b", "c"]).told().unwrap(), "is `a`, `b` or `c`");
    }
}

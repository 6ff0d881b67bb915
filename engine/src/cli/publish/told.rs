//! What became of each file, told.

use std::path::Path;

use serde_json::{Value, json};

use super::{Args, looked};
use crate::cli::api::published::{Became, What};

/// How it ended with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is not published, and why.
    Failed(String),
    /// The log has it, under this sequence.
    Published { sequence: u64, what: What },
    /// The engine has decided on it, or was waited for in vain.
    Decided { sequence: u64, became: Became },
}

impl Ended {
    /// What is waited for.
    pub(super) fn published(&self) -> Option<(u64, &What)> {
        match self {
            Self::Published { sequence, what } => Some((*sequence, what)),
            Self::Failed(_) | Self::Decided { .. } => None,
        }
    }

    /// The engine says what became of it.
    pub(super) fn became(&mut self, became: Became) {
        if let Self::Published { sequence, .. } = *self {
            *self = Self::Decided { sequence, became };
        }
    }

    /// Whether all is well, as far as is known.
    fn is_well(&self) -> bool {
        match self {
            Self::Failed(_) => false,
            Self::Published { .. } => true,
            Self::Decided { became, .. } => match became {
                Became::Incident(_) | Became::Repetition(_) | Became::Snapshot(_) | Became::Intelligence(_) => true,
                Became::DeadLetter { .. } | Became::Nothing | Became::Undecided(_) => false,
            },
        }
    }

    /// Whether it is published, and nobody knows yet what becomes of it.
    fn is_undecided(&self) -> bool {
        matches!(self, Self::Decided { became: Became::Undecided(_), .. })
    }

    /// In one word, and what belongs to it: the name of a field, and the text.
    fn words(&self) -> (&'static str, Option<(&'static str, String)>) {
        let became = match self {
            Self::Failed(why) => return ("failed", Some(("detail", why.clone()))),
            Self::Published { .. } => return ("published", None),
            Self::Decided { became, .. } => became.clone(),
        };
        match became {
            Became::Incident(id) => ("incident", Some(("incident", id))),
            Became::Repetition(id) => ("repetition", Some(("incident", id))),
            Became::Snapshot(serial_number) => ("snapshot", Some(("serial_number", serial_number))),
            Became::Intelligence(id) => ("intelligence", Some(("message", id))),
            Became::DeadLetter { reason, detail } => ("dead-letter", Some(("detail", format!("{reason}: {detail}")))),
            Became::Nothing => ("nothing", Some(("detail", "it is decided, and nothing of it is there".to_owned()))),
            Became::Undecided(why) => ("undecided", Some(("detail", why))),
        }
    }

    /// A line for people.
    fn line(&self) -> String {
        let (word, more) = self.words();
        match (word, more) {
            ("failed", Some((_, why))) => why,
            ("incident", Some((_, id))) => format!("incident {id}"),
            ("repetition", Some((_, id))) => format!("a repetition of incident {id}"),
            ("snapshot", Some((_, serial_number))) => format!("a snapshot of the device {serial_number}"),
            ("intelligence", Some((_, id))) => format!("intelligence message {id}"),
            ("dead-letter", Some((_, why))) => format!("a dead letter: {why}"),
            ("undecided", Some((_, why))) => format!("published, and {why}"),
            ("nothing", Some((_, why))) => format!("published: {why}; it may be beyond the organization's quota"),
            (word, _) => word.to_owned(),
        }
    }

    fn json(&self, file: &Path, org: &str) -> Value {
        let (word, more) = self.words();
        let sequence = match self {
            Self::Failed(_) => None,
            Self::Published { sequence, .. } | Self::Decided { sequence, .. } => Some(*sequence),
        };
        let kind = looked::kind(file);
        let mut line = json!({"file": file.to_string_lossy(), "organization": org, "kind": kind, "outcome": word, "sequence": sequence});
        if let (Some((name, text)), Some(line)) = (more, line.as_object_mut()) {
            line.insert(name.to_owned(), text.into());
        }
        line
    }
}

/// Prints how it ended with each file; whether it ended well with all of them.
pub(super) fn tell(args: &Args, ended: &[Ended]) -> bool {
    let ill = ended.iter().filter(|ended| !ended.is_well()).count();
    for (file, ended) in args.files.iter().zip(ended) {
        if args.json {
            outln!("{}", ended.json(file, args.org.as_str()));
        } else if !ended.is_well() {
            errln!("{}: {}", file.display(), ended.line());
        } else if args.wait {
            outln!("{}: {}", file.display(), ended.line());
        }
    }
    if !args.json {
        outln!("{}", sum(args.org.as_str(), ended));
    }
    ill == 0
}

/// How it ended with all of them, in a line.
fn sum(org: &str, ended: &[Ended]) -> String {
    let undecided = ended.iter().filter(|ended| ended.is_undecided()).count();
    let failed = ended.iter().filter(|ended| !ended.is_well()).count() - undecided;
    let more = match undecided {
        0 => String::new(),
        undecided => format!("; {undecided} of them not decided yet"),
    };
    format!("{} published for {org}, {failed} failed{more}", ended.len() - failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(became: Became) -> Ended {
        Ended::Decided { sequence: 7, became }
    }

    #[test]
    fn what_is_not_decided_yet_is_published_all_the_same() {
        let slow = decided(Became::Undecided("not decided in that time".to_owned()));
        assert_eq!(slow.line(), "published, and not decided in that time");
        let told = slow.json(Path::new("event.xml"), "acme");
        assert_eq!((&told["outcome"], &told["sequence"]), (&json!("undecided"), &json!(7)));
        assert_eq!(told["detail"], "not decided in that time");
        let letter = Became::DeadLetter { reason: "device-limit".to_owned(), detail: "too many".to_owned() };
        let all = [decided(Became::Incident("acme-1".to_owned())), decided(letter), slow];
        assert_eq!(sum("acme", &all), "2 published for acme, 1 failed; 1 of them not decided yet");
        assert_eq!(sum("acme", &all[..1]), "1 published for acme, 0 failed");
    }
}

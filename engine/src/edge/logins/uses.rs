//! When sessions and API tokens were used. It is known here to the moment and noted in the log once in a while: a
//! request of theirs is no reason to write.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::command::{LIST_MOST, SessionName, TokenUse, Touch};
use linesman_schemas::{Login, OrgName, SessionId, TokenName};

use super::recent::Recent;

/// How many are known to the moment; of others it is known what was noted.
const KNOWN: usize = 16_384;

/// What somebody comes in by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Pass {
    /// A session.
    Session(SessionId),
    /// An API token.
    Token(TokenName),
}

/// When what was used.
#[derive(Debug)]
pub(super) struct Uses {
    known: Recent<(Login, Pass), Use>,
    to_note: BTreeSet<(Login, Pass)>,
}

#[derive(Debug, Clone, Copy)]
struct Use {
    last: Timestamp,
    /// When it was last given to be noted.
    noted: Timestamp,
}

impl Uses {
    /// Nothing was.
    pub(super) fn new() -> Self {
        Self { known: Recent::new(KNOWN), to_note: BTreeSet::new() }
    }

    /// When it was used last, as far as it is known here.
    pub(super) fn last(&self, login: &Login, pass: &Pass) -> Option<Timestamp> {
        self.known.get(&(login.clone(), pass.clone())).map(|known| known.last)
    }

    /// It is used now, and was so last noted at `noted`.
    pub(super) fn add(
        &mut self,
        now: Timestamp,
        (login, pass): (Login, Pass),
        noted: Timestamp,
        noted_every: SignedDuration,
    ) {
        let key = (login, pass);
        let noted = self.known.get(&key).map_or(noted, |known| known.noted.max(noted));
        let is_due = now.duration_since(noted) >= noted_every && self.to_note.len() < KNOWN;
        if is_due {
            self.to_note.insert(key.clone());
        }
        let noted = if is_due { now } else { noted };
        match self.known.get_mut(&key) {
            Some(known) => *known = Use { last: now, noted },
            None => self.known.put(key, Use { last: now, noted }),
        }
    }

    /// What is to be noted, by whose lane; no more in one than a command may tell.
    pub(super) fn take(&mut self) -> Vec<(Option<OrgName>, Touch)> {
        let mut by_owner: BTreeMap<Option<OrgName>, Vec<(Login, Pass)>> = BTreeMap::new();
        for used in std::mem::take(&mut self.to_note) {
            by_owner.entry(used.0.organization.clone()).or_default().push(used);
        }
        let touches = by_owner.into_iter().flat_map(|(whose, used)| {
            let touches: Vec<_> = used.chunks(LIST_MOST).map(|part| (whose.clone(), touch(part))).collect();
            touches
        });
        touches.collect()
    }
}

fn touch(used: &[(Login, Pass)]) -> Touch {
    let mut touch = Touch { sessions: Vec::new(), tokens: Vec::new() };
    for (Login { name: manager, .. }, pass) in used {
        let manager = manager.clone();
        match pass.clone() {
            Pass::Session(session) => touch.sessions.push(SessionName { manager, session }),
            Pass::Token(token) => touch.tokens.push(TokenUse { manager, token }),
        }
    }
    touch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key(login: &str, session: &str) -> (Login, Pass) {
        (login.parse().unwrap(), Pass::Session(session.parse().unwrap()))
    }

    #[test]
    fn what_is_used_all_the_time_is_noted_once_in_a_while() {
        let every = SignedDuration::from_secs(100);
        let mut uses = Uses::new();
        let mut notes = Vec::new();
        for second in 0..1000 {
            // The row follows what was noted.
            let noted = notes.last().copied().unwrap_or(0);
            uses.add(at(second), key("acme/ann", "s"), at(noted), every);
            if !uses.take().is_empty() {
                notes.push(second);
            }
        }
        assert_eq!(notes, [100, 200, 300, 400, 500, 600, 700, 800, 900]);
        let (login, pass) = key("acme/ann", "s");
        assert_eq!(uses.last(&login, &pass), Some(at(999)));
    }

    #[test]
    fn notes_go_to_whose_they_are() {
        let mut uses = Uses::new();
        for (login, session) in [("acme/ann", "a"), ("bob", "b"), ("acme/eve", "c")] {
            uses.add(at(9000), key(login, session), at(0), SignedDuration::from_secs(60));
        }
        let taken = uses.take();
        let owners = taken.iter().map(|(whose, touch)| (whose.as_ref().map(OrgName::as_str), touch.sessions.len()));
        assert_eq!(owners.collect::<Vec<_>>(), [(None, 1), (Some("acme"), 2)]);
        assert!(uses.take().is_empty());
    }
}

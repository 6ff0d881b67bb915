//! When sessions and API tokens were used. It is known here to the moment and noted in the log once in a while: a
//! request of theirs is no reason to write.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use linesman_schemas::command::{LIST_MOST, SessionName, TokenUse, Touch};
use linesman_schemas::{Login, OrgName, SessionId, TokenName};

use super::limits::Limits;
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

    /// When a session was used last that was so noted at `noted`, at the latest.
    pub(super) fn last_of_session(
        &self,
        limits: &Limits,
        (login, session): (&Login, &SessionId),
        noted: Timestamp,
        now: Timestamp,
    ) -> Timestamp {
        let known = self.last(login, &Pass::Session(session.clone()));
        known.map_or_else(|| limits.used_at_most(noted, now), |last| last.max(noted))
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
        // What is used is the last to be no longer known.
        self.known.put(key, Use { last: now, noted });
    }

    /// What is to be noted, by whose lane; no more in one than a command may tell.
    pub(super) fn take(&mut self) -> Vec<(Option<OrgName>, Touch)> {
        by_lane(std::mem::take(&mut self.to_note))
    }

    /// The same, and all else that was used and is not noted: nobody will know of it any more.
    pub(super) fn all(&mut self) -> Vec<(Option<OrgName>, Touch)> {
        let unnoted = self.known.iter().filter(|(_, used)| used.last > used.noted).map(|(key, _)| key.clone());
        self.to_note.extend(unnoted.collect::<Vec<_>>());
        self.take()
    }
}

fn by_lane(used: BTreeSet<(Login, Pass)>) -> Vec<(Option<OrgName>, Touch)> {
    let mut by_owner: BTreeMap<Option<OrgName>, Vec<(Login, Pass)>> = BTreeMap::new();
    for used in used {
        by_owner.entry(used.0.organization.clone()).or_default().push(used);
    }
    let touches = by_owner.into_iter().flat_map(|(whose, used)| {
        let touches: Vec<_> = used.chunks(LIST_MOST).map(|part| (whose.clone(), touch(part))).collect();
        touches
    });
    touches.collect()
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

    /// A session that is used with gaps of less than its idle limit, for half a day at least. What waits is noted every 5 s;
    /// every so many uses the program ends, be it that it notes nothing more, and another begins, which knows the row
    /// alone.
    #[test]
    fn a_session_in_use_never_idles_out_however_short_the_limit() {
        [true, false].into_iter().for_each(never_idles_out);
    }

    fn never_idles_out(notes_in_the_end: bool) {
        for idle_s in [1, 7, 60, 600, 3000, 3599, 3600, 43_200] {
            let limits = Limits::of(idle_s, i64::MAX / 4);
            for gap_ms in [idle_s * 100, idle_s * 490, idle_s * 990] {
                let moment = |number: i64| Timestamp::from_millisecond(number * gap_ms).unwrap();
                let uses_in_all = (43_200_000 / gap_ms).clamp(20, 500);
                let (mut uses, mut row, mut notes) = (Uses::new(), at(0), 0);
                for number in 1..=uses_in_all {
                    let now = moment(number);
                    let (login, pass) = key("acme/ann", "s");
                    let Pass::Session(session) = &pass else { unreachable!() };
                    let used = uses.last_of_session(&limits, (&login, session), row, now);
                    assert!(limits.is_good(Timestamp::MAX, used, now), "{idle_s} s, used every {gap_ms} ms: {number}");
                    uses.add(now, (login, pass), row, limits.noted_every());
                    let is_end = number % 7 == 0;
                    let noted = if is_end && notes_in_the_end { uses.all() } else { uses.take() };
                    if !noted.is_empty() {
                        (row, notes) = (now, notes + 1);
                    }
                    if is_end {
                        uses = Uses::new();
                    }
                }
                let most = uses_in_all * gap_ms / (idle_s * 500).min(3_600_000) + uses_in_all / 7 + 1;
                assert!(notes <= most, "{notes} notes, of a limit of {idle_s} s, used every {gap_ms} ms");
            }
        }
    }

    #[test]
    fn what_is_in_use_is_known_when_others_are_no_longer() {
        let mut uses = Uses::new();
        let own = key("acme/ann", "s");
        for number in 0..2 * KNOWN {
            uses.add(at(number as i64), own.clone(), at(0), SignedDuration::from_hours(9));
            let once = key("acme/ann", &format!("s{number}"));
            uses.add(at(number as i64), once, at(0), SignedDuration::from_hours(9));
        }
        assert_eq!(uses.last(&own.0, &own.1), Some(at(2 * KNOWN as i64 - 1)));
        assert_eq!(uses.last(&own.0, &key("acme/ann", "s0").1), None);
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

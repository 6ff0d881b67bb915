//! What is to be done: rows that stand until a connector has reported that it is.
//!
//! Retry and circuit breaker are plain state, driven by reports and their times. The queue of a
//! destination is kept by organization, so that whoever carries reactions out can take turns.

use jiff::{Timestamp, ToSpan};
use linesman_schemas::dead_letter::{DeadLetter, Reason};
use linesman_schemas::notification::Notification;
use linesman_schemas::outcome::{Attempt, Done, Failure, FailureClass, Outcome};
use linesman_schemas::reaction::{Action, Reaction};
use linesman_schemas::{Destination, OrgName, ReactionId};
use sha2::{Digest, Sha256};

use super::cases::incident_of;
use super::outgoing::Topic;
use super::policies::Cause;
use super::rows::{CircuitRow, PendingRow, RequestsRow, key};
use super::subject::Incident;
use super::{Domain, Error, upstream};

/// Whose queue the provider's own reactions stand in.
pub const PROVIDER: &str = "_provider";

/// For how many minutes requests are counted.
const WINDOW_MINUTES: i64 = 60;

impl Domain {
    /// The id of an organization's next reaction.
    pub(super) fn next_reaction(&mut self, org: &OrgName) -> ReactionId {
        ReactionId::of(org, self.organizations.next_reaction(org), self.position.now)
    }

    /// Decides a reaction: says it and lets it stand as pending.
    pub(super) fn react(
        &mut self,
        org: &OrgName,
        incident: Option<&Incident>,
        cause: Cause<'_>,
        id: &ReactionId,
        destination: &Destination,
        action: &Action,
    ) -> Result<(), Error> {
        let connector = &destination.connector;
        self.tally.reaction(connector.clone());
        let value = serde_json::to_value(action)?;
        let reaction = Reaction {
            id,
            policy: cause.policy(),
            trigger: cause.trigger(),
            command: cause.command(),
            incident: incident.map(|incident| &incident.id),
            action: &value,
        };
        let about = incident.map(|incident| incident.name.as_str());
        self.say(&Topic::Reaction(org.clone(), (&**connector).into()), org, about, reaction)?;
        let row = PendingRow {
            org: Some(org.clone()),
            destination: destination.to_string(),
            attempt: 1,
            not_before: self.position.now,
            deadline: after(self.position.now, self.settings.reaction_deadline_s),
            is_held: false,
            incident: incident.map(|incident| incident.id.number),
            action: serde_json::to_string(action)?,
        };
        self.pend(id, &row)
    }

    /// A policy wants somebody notified.
    pub(super) fn notify(
        &mut self,
        org: &OrgName,
        incident: Option<&Incident>,
        cause: Cause<'_>,
        notification: Notification,
    ) -> Result<(), Error> {
        let (id, destination) = (self.next_reaction(org), notification.destination());
        self.react(org, incident, cause, &id, &destination, &Action::Notify(notification))
    }

    /// Asks the upstream for changed cases, at `due` and from `cursor` on.
    pub(super) fn arm_poll(&mut self, cursor: Option<String>, due: Timestamp) -> Result<(), Error> {
        let action = Action::PollCases { cursor };
        let id = ReactionId::of_provider(self.position.sequence, self.position.now);
        let row = PendingRow {
            org: None,
            destination: upstream::asked().to_string(),
            attempt: 1,
            not_before: due,
            deadline: Timestamp::MAX,
            is_held: false,
            incident: None,
            action: serde_json::to_string(&action)?,
        };
        self.pend(&id, &row)
    }

    fn pend(&mut self, id: &ReactionId, row: &PendingRow) -> Result<(), Error> {
        let org = queue_of(row);
        self.state.write(key::pending(id.as_str()), row)?;
        if !row.is_held {
            self.state.write(key::place(&row.destination, org, row.not_before, id.as_str()), &())?;
        }
        self.queues.insert((row.destination.clone(), org.to_owned()));
        Ok(())
    }

    fn unpend(&mut self, id: &ReactionId, row: &PendingRow) {
        let org = queue_of(row);
        self.state.remove(key::pending(id.as_str()));
        self.state.remove(key::place(&row.destination, org, row.not_before, id.as_str()));
        self.queues.insert((row.destination.clone(), org.to_owned()));
    }

    fn pending(&self, id: &ReactionId) -> Result<Option<PendingRow>, Error> {
        self.state.read(&key::pending(id.as_str()))
    }

    /// An attempt has ended: the reaction is done, tried again, or given up.
    ///
    /// A report on what does not stand any more, or on another try, changes nothing: it is the echo
    /// of an attempt made twice around a crash.
    pub(super) fn settle_attempt(&mut self, org: Option<&OrgName>, report: &Attempt) -> Result<(), Error> {
        let row = self.pending(&report.reaction)?;
        let Some(row) = row.filter(|row| row.org.as_ref() == org && row.attempt == report.attempt) else {
            self.tally.input("result", "stale");
            return Ok(());
        };
        self.count_requests(&row.destination, report.requests)?;
        match &report.outcome {
            Outcome::Done(done) => {
                self.tally.input("result", "done");
                self.close_circuit(&row.destination)?;
                self.unpend(&report.reaction, &row);
                self.done(&row, done)
            }
            Outcome::Failed(failure) => {
                self.tally.input("result", "failed");
                self.tally.attempt_failure(failure.class.as_str());
                self.failed(&report.reaction, row, failure)
            }
        }
    }

    fn done(&mut self, row: &PendingRow, done: &Done) -> Result<(), Error> {
        match done {
            Done::Delivered => Ok(()),
            Done::CaseAccepted { transaction_id, case } => match incident_of(row.org.as_ref(), row.incident) {
                Some(id) => self.case_accepted(&id, transaction_id, case.as_ref()),
                None => Ok(()),
            },
            Done::Polled { cursor } => {
                let due = after(self.position.now, self.settings.case_poll_s);
                self.arm_poll(cursor.clone(), due)
            }
        }
    }

    fn failed(&mut self, id: &ReactionId, row: PendingRow, failure: &Failure) -> Result<(), Error> {
        let now = self.position.now;
        if failure.class == FailureClass::Refused {
            // It was reached and it answered: the destination is well.
            self.close_circuit(&row.destination)?;
        } else {
            self.strain_circuit(&row.destination, failure)?;
        }
        let again = after(now, self.delay_s(id, row.attempt, failure));
        self.unpend(id, &row);
        let is_own = row.org.is_none();
        if !is_own && (failure.class == FailureClass::Refused || again > row.deadline) {
            return self.give_up(id, &row, failure);
        }
        self.pend(id, &PendingRow { attempt: row.attempt + 1, not_before: again, ..row })
    }

    fn give_up(&mut self, id: &ReactionId, row: &PendingRow, failure: &Failure) -> Result<(), Error> {
        let Some(org) = &row.org else { return Ok(()) };
        let incident = incident_of(row.org.as_ref(), row.incident);
        if let Some(incident) = &incident {
            self.case_failed(incident, id)?;
        }
        let reason = Reason::ReactionFailed;
        self.tally.dead(reason);
        let letter = DeadLetter {
            reason,
            detail: format!("attempt {}: {}: {}", row.attempt, failure.class.as_str(), failure.message),
            place: None,
            sequence: self.position.sequence,
            subject: format!("out.{org}.reaction.{}", connector_of(&row.destination)),
            policy: None,
            reaction: Some(id.to_string()),
            length: 0,
            bytes: None,
        };
        let about = incident.map(|incident| incident.to_string());
        self.say(&Topic::Dead(Some(org.clone()), reason), org, about.as_deref(), letter).map(drop)
    }

    /// How long to wait before the next attempt, in seconds: doubled each time, between half and the
    /// whole of it by the reaction's id so that many do not come back at once.
    fn delay_s(&self, id: &ReactionId, attempt: u32, failure: &Failure) -> u64 {
        let doubled = self.settings.retry_base_s.saturating_mul(1_u64.checked_shl(attempt - 1).unwrap_or(u64::MAX));
        let whole = doubled.min(self.settings.retry_most_s).max(1);
        let mut hasher = Sha256::new();
        hasher.update(id.as_str().as_bytes());
        hasher.update(attempt.to_be_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let share = digest.first_chunk().map_or(0, |bytes| u64::from(u16::from_be_bytes(*bytes)));
        let jittered = whole / 2 + (whole - whole / 2) * share / u64::from(u16::MAX);
        jittered.max(u64::from(failure.retry_after_s.unwrap_or(0))).max(1)
    }

    fn circuit(&self, destination: &str) -> Result<CircuitRow, Error> {
        Ok(self.state.read(&key::circuit(destination))?.unwrap_or_default())
    }

    fn close_circuit(&mut self, destination: &str) -> Result<(), Error> {
        if self.circuit(destination)? != CircuitRow::default() {
            self.state.remove(key::circuit(destination));
            self.queues.insert((destination.to_owned(), String::new()));
        }
        Ok(())
    }

    fn strain_circuit(&mut self, destination: &str, failure: &Failure) -> Result<(), Error> {
        let now = self.position.now;
        let mut circuit = self.circuit(destination)?;
        circuit.failures = circuit.failures.saturating_add(1);
        let is_resting = circuit.open_until.is_some_and(|until| now < until);
        if !is_resting && circuit.failures >= self.settings.circuit_failures {
            circuit.rest_s = match circuit.rest_s {
                0 => self.settings.circuit_rest_s,
                last => last.saturating_mul(2).min(self.settings.circuit_rest_most_s),
            };
            circuit.open_until = Some(after(now, circuit.rest_s));
        }
        if let Some(asked_s) = failure.retry_after_s {
            let until = after(now, asked_s.into());
            circuit.open_until = Some(circuit.open_until.map_or(until, |open| open.max(until)));
        }
        self.state.write(key::circuit(destination), &circuit)?;
        self.queues.insert((destination.to_owned(), String::new()));
        Ok(())
    }

    fn count_requests(&mut self, destination: &str, requests: u32) -> Result<(), Error> {
        if requests == 0 {
            return Ok(());
        }
        let key = key::requests(destination);
        let mut row: RequestsRow = self.state.read(&key)?.unwrap_or_default();
        let minute = self.position.now.as_second() / 60;
        match row.minutes.last_mut() {
            Some((last, count)) if *last == minute => *count = count.saturating_add(requests),
            _ => row.minutes.push((minute, requests)),
        }
        row.minutes.retain(|(at, _)| *at > minute - WINDOW_MINUTES);
        self.state.write(key, &row)
    }

    /// An organization's settings changed: what is pending for it follows them.
    pub(super) fn review_pending(&mut self, org: &OrgName, is_suspended: bool) -> Result<(), Error> {
        for id in self.pending_of(org)? {
            let Some(row) = self.pending(&id)?.filter(|row| row.org.as_ref() == Some(org)) else { continue };
            let mut next = PendingRow { is_held: is_suspended, ..row.clone() };
            // A notification of an incident stands beside its case, and stays what it is.
            if let Some(incident) = incident_of(row.org.as_ref(), row.incident)
                && self.opens_case(&incident, &id)?
            {
                match self.refilter(&incident)? {
                    Some(action) => next.action = serde_json::to_string(&action)?,
                    None => {
                        self.unpend(&id, &row);
                        continue;
                    }
                }
            }
            self.unpend(&id, &row);
            self.pend(&id, &next)?;
        }
        Ok(())
    }

    /// All pending reactions of an organization, held ones too, and maybe some of others whose name
    /// begins alike.
    fn pending_of(&self, org: &OrgName) -> Result<Vec<ReactionId>, Error> {
        let prefix = format!("r{org}-r");
        let ids = self.state.scan(prefix.as_bytes()).map(|row| {
            let (key, _) = row?;
            Ok(key.get(1..).and_then(|id| std::str::from_utf8(id).ok()).and_then(|id| id.parse().ok()))
        });
        ids.filter_map(Result::transpose).collect()
    }
}

/// The connector of a destination in its text form.
fn connector_of(destination: &str) -> &str {
    destination.split_once('/').map_or(destination, |(connector, _)| connector)
}

fn queue_of(row: &PendingRow) -> &str {
    row.org.as_ref().map_or(PROVIDER, OrgName::as_str)
}

/// `at` and so many seconds; the end of time where that lies beyond it.
fn after(at: Timestamp, seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).min(100 * 366 * 86_400);
    at.checked_add(seconds.seconds()).unwrap_or(Timestamp::MAX)
}

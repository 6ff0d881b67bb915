//! The rule book that applies: another one is taken up where it stands in the log, and what it says of
//! policy files that could not be loaded is told.

use std::sync::Arc;

use linesman_schemas::control::RefusedPolicy;

use super::input::RuleBook;
use super::outgoing::{POLICY_REFUSED, Topic};
use super::rows::{BookRow, key};
use super::{Domain, Error};

impl Domain {
    /// Judges by another rule book from here on, unless the lane knows it, and tells of the files that
    /// were refused since the last one.
    pub(super) fn apply_rule_book(&mut self, book: &RuleBook, sequence: u64) -> Result<(), Error> {
        if book.version <= self.book.version {
            self.tally.input("ctl", "known");
            return Ok(());
        }
        self.tally.input("ctl", "rule-book");
        let is_first = self.book.version == 0;
        self.book = BookRow { version: book.version, hash: book.hash.clone() };
        self.policies = Arc::clone(&book.book);
        self.settings = book.settings.clone();
        self.state.write(key::book(), &self.book)?;
        if is_first {
            self.arm_pruning()?;
            if self.lane == 0 {
                self.arm_poll(None, self.position.now)?;
            }
        }
        let before = std::mem::replace(&mut self.refused, Arc::clone(&book.refused));
        for refused in &*book.refused {
            if !before.iter().any(|known| known.is_same_text(refused)) {
                self.tell_refused(refused, sequence)?;
            }
        }
        Ok(())
    }

    /// Tells of a refused policy file whom it concerns: its organization where that is known, or on
    /// the first lane the provider.
    fn tell_refused(&mut self, refused: &RefusedPolicy, sequence: u64) -> Result<(), Error> {
        let Some(owner) = &refused.owner else {
            if self.lane == 0 {
                self.tally.trigger(POLICY_REFUSED);
                let id = self.provider_event_id(sequence);
                let topic = Topic::PolicyRefused(None);
                self.outgoing.event(&topic, &id, Some(&refused.path), self.position.now, refused)?;
            }
            return Ok(());
        };
        if let Some((org, _)) = self.organizations.find(owner.as_str()) {
            self.tally.trigger(POLICY_REFUSED);
            self.say(&Topic::PolicyRefused(Some(org.clone())), &org, Some(&refused.path), refused)?;
        }
        Ok(())
    }
}

//! Intelligence messages: kept per organization, and judged by its policies.

use std::rc::Rc;

use linesman_rules::Subject;
use linesman_schemas::OrgName;
use linesman_schemas::intelligence::Intelligence;
use linesman_schemas::trigger::{IntelligenceData, Trigger};

use super::outgoing::Topic;
use super::policies::Fired;
use super::rows::{IntelligenceRow, key};
use super::subject::IntelligenceMessage;
use super::{Domain, Error};

impl Domain {
    /// Keeps a message and fires its trigger; the same message again is only counted, a changed one
    /// replaces it and fires anew.
    pub(super) fn take_intelligence(&mut self, org: OrgName, message: &Intelligence) -> Result<(), Error> {
        let key = key::intelligence(&org, &message.id);
        let known = self.state.read(&key)?;
        if let Some(mut known) = known.filter(|known: &IntelligenceRow| known.message == *message) {
            known.repeats += 1;
            self.tally.input("intel", "repeated");
            return self.state.write(key, &known);
        }
        let received = self.position.now;
        let row = IntelligenceRow { message: message.clone(), received, repeats: 0 };
        self.state.write(key, &row)?;
        self.tally.input("intel", "kept");
        let trigger = Trigger::IntelligenceReceived;
        self.tally.trigger(trigger.as_str());
        let data = IntelligenceData {
            id: &message.id,
            kind: message.kind,
            title: &message.title,
            issued: message.issued,
            relevance: &message.relevance,
            received,
        };
        let event = self.say(&Topic::Trigger(org.clone(), trigger), &org, Some(&message.id), data)?;
        let subject: Rc<dyn Subject> = Rc::new(IntelligenceMessage::new(message.clone(), received));
        self.judge_message(&org, &Fired { trigger, event, about: message.id.clone() }, &subject)
    }
}

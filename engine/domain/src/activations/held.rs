//! That the rest of a wave is held: said, judged by policies, and on record.

use linesman_rules::{Field, Subject, SubjectKind, Value};
use linesman_schemas::audit::Verdict;
use linesman_schemas::trigger::{HeldData, Trigger};
use linesman_schemas::{CommandId, OrgName, Principal};
use serde_json::json;

use super::pushes;
use super::waves::Held;
use crate::audit::machine::{self, Deed};
use crate::desk::Desk;
use crate::devices::Devices;
use crate::outgoing::Topic;
use crate::policies::Fired;
use crate::silence::DeviceSubject;
use crate::subject::text;
use crate::{Error, reached};

/// As what it is on record.
const OPERATION: &str = "hold-configuration";

/// What a wave has come to whose rest is held from here on.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// The device by whose answer.
    pub(super) device: String,
    pub(super) why: Held,
    pub(super) failed: u64,
    pub(super) of: u64,
    pub(super) held: u64,
}

impl Stopped {
    /// Says so, and what policies are to judge: by the answer of which device, and of which change.
    pub(crate) fn tell(
        &self,
        desk: &mut Desk,
        devices: &Devices,
        org: &OrgName,
        (place, activation): &pushes::Subject,
    ) -> Result<(Fired, HeldSubject), Error> {
        let device = &self.device;
        let trigger = Trigger::ConfigurationHeld;
        desk.tally.trigger(trigger.as_str());
        let (why, failed, of, held) = (self.why(), self.failed, self.of, self.held);
        let data = HeldData { device, place, activation, why, failed, of, held };
        let event = desk.say(&Topic::Trigger(org.clone(), trigger), org, Some(device), data)?;
        let error = format!("{}; {held} changes are held", self.why.reason());
        let subject = HeldSubject::new(desk, devices, org, (device, error))?;
        Ok((Fired { trigger, event, about: device.clone(), is_providers: false }, subject))
    }

    /// Puts it on record, by the report that led to it.
    pub(crate) fn record(
        &self,
        desk: &mut Desk,
        org: &OrgName,
        command: CommandId,
        rule_book: u64,
    ) -> Result<(), Error> {
        let deed = Deed {
            operation: OPERATION,
            by: Principal::Machine,
            place: org.clone().into(),
            about: self.device.clone(),
            node: String::new(),
            verdict: Verdict::Done,
            old: serde_json::Value::Null,
            new: json!({"why": self.why(), "failed": self.failed, "of": self.of, "held": self.held}),
            words: format!("held: {}", self.why.reason()),
            id: command,
        };
        machine::record(desk, org, deed, rule_book)
    }

    const fn why(&self) -> &'static str {
        match self.why {
            Held::Failed { .. } => "failed",
            Held::TakenBack => "taken-back",
        }
    }
}

/// The device by whose answer the rest of a change is held, as policies see it.
#[derive(Debug, Clone)]
pub(crate) struct HeldSubject {
    name: String,
    error: String,
    /// What its bundles told of it.
    learned: Option<DeviceSubject>,
}

impl HeldSubject {
    fn new(desk: &Desk, devices: &Devices, org: &OrgName, (name, error): (&str, String)) -> Result<Self, Error> {
        let learned = devices.find(desk, org, name)?.map(|row| DeviceSubject::new(name, row));
        Ok(Self { name: name.to_owned(), error, learned })
    }

    /// One that a policy failed on, as it is now; none where nothing is known of it.
    pub(crate) fn find(desk: &Desk, devices: &Devices, org: &OrgName, name: &str) -> Result<Option<Self>, Error> {
        let found = Self::new(desk, devices, org, (name, String::new()))?;
        let is_known = found.learned.is_some() || desk.read(&reached::key(org, name))?.is_some();
        Ok(is_known.then_some(found))
    }
}

impl Subject for HeldSubject {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Device
    }

    fn value(&self, field: Field) -> Value<'_> {
        match (field, &self.learned) {
            (Field::Name, _) => Value::Text(&self.name),
            (Field::Error, _) => text(&self.error),
            (field, Some(learned)) => learned.value(field),
            (_, None) => Value::Absent,
        }
    }
}

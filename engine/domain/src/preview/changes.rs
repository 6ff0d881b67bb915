//! What devices of access lines would be told, and what could not be told to them.

use std::collections::BTreeSet;

use linesman_rules::configuration::{Configuration, diff};
use linesman_schemas::{OrgName, Place, PlacePath, ServiceName, SubscriptionName};

use super::Sight;
use crate::Error;
use crate::activations::origins;
use crate::activations::parts::{self, PartRow, State as PartState};
use crate::commands::{Wrong, wrong};
use crate::shelf::Shelf;
use crate::state::{Base, State};
use crate::table;

/// How many changes are told.
const CHANGES_MOST: usize = 200;
/// How many bytes they may have.
const BYTES_MOST: usize = 1 << 20;
/// How much of what would be wrong is told.
const WRONG_MOST: usize = 200;

/// What a device would be told of an activation at an access line.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// The line.
    pub line: PlacePath,
    /// The activation.
    pub activation: String,
    /// The subscription's name.
    pub subscription: SubscriptionName,
    /// The service.
    pub service: ServiceName,
    /// The device's serial number; empty for none.
    pub device: String,
    /// The configuration group there; empty for none.
    pub group: String,
    /// What that would hold; empty where it would go.
    pub text: String,
    /// What would change of it; empty for nothing.
    pub diff: String,
    /// The other way round.
    pub reverse: String,
    /// Whether both are kept from whoever asks, because what is fixed above and hidden stands in them.
    pub is_hidden: bool,
    /// How the activation would then stand there; none: it would be there no more.
    pub state: Option<PartState>,
    /// Why it would fail; empty where it would not.
    pub reason: String,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) lines: BTreeSet<PlacePath>,
    pub(super) changes: Vec<Change>,
    pub(super) more: u64,
    pub(super) wrong: Vec<Wrong>,
    pub(super) more_wrong: u64,
    bytes: usize,
}

/// What has changed of an organization's parts: of as many as were decided, which is bounded.
pub(super) fn found(state: &State, org: &OrgName, sight: &Sight<'_>) -> Result<Found, Error> {
    let (mut found, shelf) = (Found::default(), Shelf::default());
    let front = parts::below(org, &[]);
    for (key, bytes) in state.decided(&front) {
        let own = key.get(front.len()..).unwrap_or_default();
        let Some((line, id)) = parts::line_and_id(org, own) else { continue };
        if !(sight.sees)(&Place::Below(line.clone())) {
            continue;
        }
        let before: Option<PartRow> = state.base().get(key)?.map(|bytes| table::decode(key, &bytes)).transpose()?;
        let after: Option<PartRow> = bytes.map(|bytes| table::decode(key, bytes)).transpose()?;
        // What the device before is to lose is told with the part that leaves it.
        let is_left = before.is_none() && parts::is_rest(&id);
        if is_left || is_same(before.as_ref(), after.as_ref()) {
            continue;
        }
        let reason = match &after {
            Some(after) => origins::reason(state, &shelf, (&line, &id), after, (sight.reader, sight.sees))?.to_owned(),
            None => String::new(),
        };
        found.fail((&line, &id), (before.as_ref(), after.as_ref()), &reason);
        let mut is_hidden = false;
        for (base, part) in [(state.base(), &before), (state as &dyn Base, &after)] {
            let Some(part) = part.as_ref().filter(|_| !found.is_full()) else { continue };
            is_hidden |= origins::hides(base, &shelf, (&line, &id), part, sight.reader)?;
        }
        for change in told((&line, &id), before.as_ref(), after.as_ref(), &reason) {
            found.add(if is_hidden { change.hidden() } else { change });
        }
        found.lines.insert(line);
    }
    Ok(found)
}

/// Whether nothing differs but when it came to stand so.
fn is_same(before: Option<&PartRow>, after: Option<&PartRow>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => *before == PartRow { changed: before.changed, ..after.clone() },
        (before, after) => before.is_none() && after.is_none(),
    }
}

/// What the devices of a part would be told: the one that it is on now, and the one that it would be on.
fn told(
    (line, id): (&PlacePath, &str),
    before: Option<&PartRow>,
    after: Option<&PartRow>,
    reason: &str,
) -> Vec<Change> {
    let Some(part) = after.or(before) else { return Vec::new() };
    let change = |on: Option<&PartRow>, [old, new]: [&str; 2]| {
        let text = new.to_owned();
        // A device holds what was printed from a configuration, and reads as one.
        let [old, new] = [old, new].map(|text| Configuration::parse(text).unwrap_or_default());
        Change {
            line: line.clone(),
            activation: id.to_owned(),
            subscription: part.name.clone(),
            service: part.service.clone(),
            device: on.map(|on| on.device.clone()).unwrap_or_default(),
            group: on.map(|on| on.group.clone()).unwrap_or_default(),
            text,
            diff: diff(&old, &new),
            reverse: diff(&new, &old),
            is_hidden: false,
            state: after.map(|after| after.state),
            reason: reason.to_owned(),
        }
    };
    let text = |part: Option<&PartRow>| part.map(|part| part.to_hold().to_owned()).unwrap_or_default();
    let (was, is) = (text(before), text(after));
    let device = |part: Option<&PartRow>| part.map(|part| part.device.clone()).filter(|device| !device.is_empty());
    match (device(before), device(after)) {
        (Some(left), Some(taken)) if left != taken => vec![change(before, [&was, ""]), change(after, ["", &is])],
        (Some(_), None) => vec![change(before, [&was, &is])],
        _ => vec![change(after.or(before), [&was, &is])],
    }
}

impl Change {
    fn hidden(self) -> Self {
        Self { diff: String::new(), reverse: String::new(), is_hidden: true, ..self }
    }
}

impl Found {
    /// Whether a device would be told anything.
    pub(super) fn tells(&self) -> bool {
        self.more > 0 || self.changes.iter().any(|change| change.is_hidden || !change.diff.is_empty())
    }

    /// Whether no more changes are told.
    fn is_full(&self) -> bool {
        self.more > 0 || self.changes.len() >= CHANGES_MOST
    }

    fn add(&mut self, change: Change) {
        let bytes = change.diff.len() + change.reverse.len() + change.reason.len();
        if self.is_full() || self.bytes + bytes > BYTES_MOST {
            self.more += 1;
            return;
        }
        self.bytes += bytes;
        self.changes.push(change);
    }

    /// What would stand as failed and does not yet, or for another reason.
    fn fail(
        &mut self,
        (line, id): (&PlacePath, &str),
        (before, after): (Option<&PartRow>, Option<&PartRow>),
        reason: &str,
    ) {
        let Some(part) = after.filter(|part| part.state == PartState::Failed) else { return };
        let is_known = before.is_some_and(|before| before.state == part.state && before.reason == part.reason);
        if is_known {
            return;
        }
        if self.wrong.len() >= WRONG_MOST {
            self.more_wrong += 1;
            return;
        }
        let between = wrong::pair(line, id, part.against.as_ref());
        self.wrong.push(Wrong {
            activation: Some(id.to_owned()),
            is_conflict: between.is_some(),
            between,
            ..Wrong::value(Some(&Place::Below(line.clone())), reason.to_owned())
        });
    }
}

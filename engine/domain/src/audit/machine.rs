//! Records of what the engine does by itself.

use linesman_schemas::audit::{Audit, Record, Verdict};
use linesman_schemas::{CommandId, OrgName, Place, Principal};
use serde_json::Value;

use super::{Owner, append};
use crate::Error;
use crate::desk::Desk;
use crate::outgoing::Topic;

/// What is put on record of it.
pub(crate) struct Deed {
    /// As what: the operation.
    pub operation: &'static str,
    /// Where.
    pub place: Place,
    /// About which device.
    pub device: String,
    /// Which node did it; empty where none did more than another.
    pub node: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What it changed; no words that a release may choose anew.
    pub new: Value,
    /// The same in words.
    pub words: String,
    /// By which it is found elsewhere.
    pub id: CommandId,
}

/// Puts something on record of an organization, and says so.
pub(crate) fn record(desk: &mut Desk, org: &OrgName, deed: Deed, rule_book: u64) -> Result<(), Error> {
    let Deed { operation, place, device, node, verdict, new, words, id } = deed;
    let principal = Some(Principal::Machine);
    let said = Audit {
        command: id,
        actor: Principal::Machine.to_string(),
        principal,
        node,
        verdict,
        outcome: words,
        old: Value::Null,
        new,
        index: None,
        place: Some(place.to_string()),
        chain: Vec::new(),
    };
    let time = desk.now;
    let record = |index| Record {
        index,
        time,
        actor: said.actor.clone(),
        chain: Vec::new(),
        principal: said.principal.clone(),
        node: said.node.clone(),
        operation: operation.to_owned(),
        place: place.to_string(),
        about: Some(device.clone()),
        old: Value::Null,
        new: said.new.clone(),
        outcome: said.verdict,
        command: said.command.clone(),
        rule_book,
    };
    let index = append(desk, &Owner::Organization(org.clone()), record, said.outcome.clone())?;
    let said = Audit { index: Some(index), ..said };
    let covered = Some(Audit { outcome: String::new(), ..said.clone() });
    desk.say_covered(&Topic::Audit(org.clone(), operation), org, Some(&device), said, covered).map(drop)
}

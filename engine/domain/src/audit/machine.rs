//! Records of what was asked for by no command: what the engine does by itself, and what was decided outside a lane's order.

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
    /// By whom.
    pub by: Principal,
    /// Where.
    pub place: Place,
    /// About what: a device, or where in which lane.
    pub about: String,
    /// Which node did it; empty where none did more than another.
    pub node: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What there was before.
    pub old: Value,
    /// What it changed; no words that a release may choose anew.
    pub new: Value,
    /// The same in words.
    pub words: String,
    /// By which it is found elsewhere.
    pub id: CommandId,
}

/// Puts something on record of an organization, and says so.
pub(crate) fn record(desk: &mut Desk, org: &OrgName, deed: Deed, rule_book: u64) -> Result<(), Error> {
    let (operation, about) = (deed.operation, deed.about.clone());
    let said = keep(desk, Some(&Owner::Organization(org.clone())), deed, rule_book)?;
    let covered = Some(covered(&said));
    desk.say_covered(&Topic::Audit(org.clone(), operation), org, Some(&about), said, covered).map(drop)
}

/// Puts something on record of its owner, where there is one; what is said of it.
pub(crate) fn keep(desk: &mut Desk, owner: Option<&Owner>, deed: Deed, rule_book: u64) -> Result<Audit, Error> {
    let Deed { operation, by, place, about, node, verdict, old, new, words, id } = deed;
    let mut said = Audit {
        command: id,
        actor: by.to_string(),
        principal: Some(by),
        node,
        verdict,
        outcome: words,
        old,
        new,
        index: None,
        place: Some(place.to_string()),
        chain: Vec::new(),
    };
    let Some(owner) = owner else { return Ok(said) };
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
        about: Some(about),
        old: said.old.clone(),
        new: said.new.clone(),
        outcome: said.verdict,
        command: said.command.clone(),
        rule_book,
    };
    said.index = Some(append(desk, owner, record, said.outcome.clone())?);
    Ok(said)
}

/// What the digest has of what is said: no words.
pub(crate) fn covered(said: &Audit) -> Audit {
    Audit { outcome: String::new(), ..said.clone() }
}

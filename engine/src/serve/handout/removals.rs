//! Places that are gone and still named in the provider's directory: lane 0 is asked to take them out of it.
//!
//! It follows from what is applied alone: a lane keeps such a place until it knows a directory that does not name it.

use std::collections::BTreeMap;
use std::sync::Arc;

use linesman_domain::{asked, position, removals, rule_book, sections};
use linesman_schemas::command::{Command, PlaceClearing, RuleBook, Verb};
use linesman_schemas::control::Control;
use linesman_schemas::{CommandId, PlacePath, Principal};

use super::super::Error;
use super::super::setup::Setup;
use crate::logging::full;

/// Asks for places to be taken out.
pub(super) struct Removals {
    setup: Arc<Setup>,
    /// By place: where that stands in IN which was sent last. Until lane 0 is there, nothing is sent again.
    sent: BTreeMap<PlacePath, u64>,
}

impl Removals {
    pub(super) fn new(setup: Arc<Setup>) -> Self {
        Self { setup, sent: BTreeMap::new() }
    }

    /// Asks for what the lanes keep. What cannot be asked for is logged and asked for later.
    pub(super) async fn hand_out(&mut self) {
        if let Err(error) = self.ask_for_all().await {
            tracing::warn!(error = full(&error), "places that are gone are not taken out of spheres yet");
        }
    }

    async fn ask_for_all(&mut self) -> Result<(), Error> {
        let (named, first) = {
            let lane = self.setup.store.lane(0)?;
            (sections::read(&lane)?.version, position::read(&lane)?.map_or(0, |position| position.sequence))
        };
        self.sent.retain(|_, sequence| first < *sequence);
        for lane in 0..self.setup.lanes {
            let lane = self.setup.store.lane(lane)?;
            let version = rule_book::read(&lane)?.map_or(0, |book| book.version);
            // One that does not know the newest directory may be told by it that nobody names the place any more.
            if version != named {
                continue;
            }
            for place in removals::all(&lane) {
                let place = place?;
                if !self.sent.contains_key(&place) {
                    let sequence = self.ask_for(place.clone(), version).await?;
                    self.sent.insert(place, sequence);
                }
            }
        }
        Ok(())
    }

    /// Asks for one, by an id that follows from it: said again after a crash it is not done again.
    async fn ask_for(&self, place: PlacePath, rule_book: u64) -> Result<u64, Error> {
        tracing::info!(%place, rule_book, "a place that is gone is taken out of spheres");
        let verb = Verb::RuleBook(RuleBook::ClearPlace(PlaceClearing { place, rule_book }));
        let digest: String = asked(&verb)?.iter().map(|byte| format!("{byte:02x}")).collect();
        let id: CommandId = format!("clear-{digest}").parse().map_err(Error::CommandId)?;
        let subject = verb.subject(None);
        let command = Command { id, principal: Principal::Machine, node: self.setup.node.to_string(), verb };
        self.setup.publish(subject, &Control::Command(Box::new(command))).await
    }
}

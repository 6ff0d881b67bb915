//! Intelligence messages that lane 0 has taken in, handed to all lanes, lane 0 too.
//!
//! It follows from what is applied alone: a lane is told what lies behind the number it has, in order, once the content is
//! there. So a crash in between repeats what may not have arrived, and a lane passes over what it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use linesman_domain::intelligence::provided;
use linesman_domain::position;
use linesman_schemas::control::{Control, IntelligenceRef};

use super::super::Error;
use super::super::setup::Setup;
use crate::log::books::Books;
use crate::logging::full;

/// How many messages a lane is told of at once.
const AT_ONCE: usize = 200;

/// Hands out the provider's messages.
pub(super) struct Messages {
    setup: Arc<Setup>,
    books: Arc<Books>,
    /// By lane: where that stands in IN which was sent last. Until the lane is there, nothing is sent again.
    sent: BTreeMap<u32, u64>,
}

impl Messages {
    pub(super) fn new(setup: Arc<Setup>, books: Arc<Books>) -> Self {
        Self { setup, books, sent: BTreeMap::new() }
    }

    /// Hands out what lanes do not have. What cannot be is logged and handed out later.
    pub(super) async fn hand_out(&mut self) {
        if let Err(error) = self.hand_out_all().await {
            tracing::warn!(error = full(&error), "intelligence messages are not handed out yet");
        }
    }

    async fn hand_out_all(&mut self) -> Result<(), Error> {
        let given = provided::last_given(&self.setup.store.lane(0)?)?;
        for lane in 0..self.setup.lanes {
            let (level, at, taken) = {
                let lane = self.setup.store.lane(lane)?;
                let (level, at) = position::read(&lane)?.map_or((0, 0), |it| (it.level, it.sequence));
                (level, at, provided::last_taken(&lane)?)
            };
            let is_on_its_way = self.sent.get(&lane).is_some_and(|sequence| at < *sequence);
            if taken >= given || level < provided::LEVEL || is_on_its_way {
                continue;
            }
            let behind = provided::behind(&self.setup.store.lane(0)?, taken)?;
            for named in behind.into_iter().take(AT_ONCE) {
                self.tell(lane, named).await?;
            }
        }
        Ok(())
    }

    async fn tell(&mut self, lane: u32, named: IntelligenceRef) -> Result<(), Error> {
        // A lane that is told of one that is not there waits for it, for ever.
        self.books.content(&named.sha256).await?;
        let sequence = self.setup.publish(format!("p.{lane}.ctl"), &Control::Intelligence(named)).await?;
        self.sent.insert(lane, sequence);
        Ok(())
    }
}

//! What lane 0 has decided for all lanes, handed to the others; and what others leave to lane 0.
//!
//! A lane cannot write into another one's part of the log. So what the lanes have applied is compared, and what one
//! lacks is sent to it. Nothing else is remembered: a crash repeats what may not have arrived, and lanes pass over what
//! they know.

mod intelligence;
mod removals;
mod rule_book;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use linesman_schemas::control::Control;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Error;
use super::setup::Setup;
use crate::lane::status::LaneStatus;
use crate::log::books::Books;
use crate::logging::full;
use intelligence::Messages;
use removals::Removals;
use rule_book::RuleBooks;

/// How often the lanes are compared even if lane 0 does not move.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After what time something that was sent and has not been applied is sent again.
const AGAIN: Duration = Duration::from_secs(10);

/// Hands out what lane 0 decides for all, and asks lane 0 for what others leave to it.
pub(super) struct Handout {
    setup: Arc<Setup>,
    lanes: Vec<watch::Receiver<LaneStatus>>,
    /// The level that was sent to a lane, and when.
    levels: BTreeMap<u32, (u32, Instant)>,
    books: RuleBooks,
    removals: Removals,
    messages: Messages,
}

impl Handout {
    /// Hands out to `lanes`, by number.
    pub(super) fn new(setup: Arc<Setup>, lanes: Vec<watch::Receiver<LaneStatus>>, books: Arc<Books>) -> Self {
        let messages = Messages::new(Arc::clone(&setup), Arc::clone(&books));
        let books = RuleBooks::new(Arc::clone(&setup), books);
        let removals = Removals::new(Arc::clone(&setup));
        Self { setup, lanes, levels: BTreeMap::new(), books, removals, messages }
    }

    /// Hands out the rule book that lane 0 has composed; whether some lane did not have it.
    ///
    /// # Errors
    /// The rule book is not there, or the log does not take it.
    pub(super) async fn hand_out_rule_book(&mut self) -> Result<bool, Error> {
        self.books.hand_out().await
    }

    /// Compares and hands out, for ever.
    pub(super) async fn run(mut self) {
        loop {
            self.hand_out_level().await;
            self.books.hand_out_if_due().await;
            self.removals.hand_out().await;
            self.messages.hand_out().await;
            let moved = async {
                let has_moved = match self.lanes.first_mut() {
                    Some(first) => first.changed().await.is_ok(),
                    None => false,
                };
                // A lane that is gone has failed, which ends the engine.
                if !has_moved {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = moved => {}
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// The level of lane 0 is the level of all.
    async fn hand_out_level(&mut self) {
        let Some(level) = self.lanes.first().map(|first| first.borrow().level) else { return };
        for (lane, status) in (0..).zip(&self.lanes) {
            let (is_running, known) = (status.borrow().is_running, status.borrow().level);
            let sent = self.levels.get(&lane).is_some_and(|(sent, at)| *sent == level && at.elapsed() < AGAIN);
            if !is_running || known >= level || sent {
                continue;
            }
            match self.setup.publish(format!("p.{lane}.ctl"), &Control::Level(level)).await {
                Ok(_) => {
                    tracing::info!(lane, level, "the lane is told to decide at the level of lane 0");
                    self.levels.insert(lane, (level, Instant::now()));
                }
                Err(error) => tracing::warn!(lane, error = full(&error), "the lane is not told of its level yet"),
            }
        }
    }
}

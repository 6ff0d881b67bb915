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
        if self.is_past() { Ok(false) } else { self.books.hand_out().await }
    }

    /// Whether lane 0 is decided again: what it has composed is of an earlier time, and was handed out then.
    fn is_past(&self) -> bool {
        self.lanes.first().is_some_and(|first| first.borrow().is_past)
    }

    /// Compares and hands out, for ever.
    pub(super) async fn run(mut self) {
        loop {
            if !self.is_past() {
                self.hand_out_level().await;
                self.books.hand_out_if_due().await;
                self.removals.hand_out().await;
                self.messages.hand_out().await;
            }
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
            let (is_running, known) = (status.borrow().is_running && !status.borrow().is_past, status.borrow().level);
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

#[cfg(test)]
mod tests {
    use async_nats::ConnectOptions;
    use jiff::Timestamp;
    use linesman_domain::position::{self, Position};
    use linesman_domain::sections::{self, SectionRow, SectionsRow};
    use linesman_domain::state::Writes;
    use linesman_domain::{level, table};
    use linesman_schemas::Mode;
    use linesman_schemas::control::Section;
    use tokio::time::timeout;

    use super::*;
    use crate::licence::Standing;
    use crate::store::Store;

    #[tokio::test]
    async fn what_lane_0_had_composed_once_is_not_handed_out() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        let position = Position {
            sequence: 9,
            message: [0; 32],
            digest: [0; 32],
            now: Timestamp::UNIX_EPOCH,
            stream: "of this test".to_owned(),
            level: level::NEWEST,
        };
        let sections = [Section::Policies, Section::Settings].map(|section| SectionRow {
            section,
            hash: format!("of {section}"),
            loaded: None,
        });
        let composed = SectionsRow { version: 1, sections: sections.into() };
        let rows = vec![
            (position::key().into_bytes(), Some(table::encode(&position).unwrap())),
            (sections::key().into_bytes(), Some(table::encode(&composed).unwrap())),
        ];
        store.lane(0).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
        // Nobody is there: what is to be handed out is waited for.
        let client = ConnectOptions::new().retry_on_initial_connect().connect("127.0.0.1:9").await.unwrap();
        let books = Arc::new(Books::new(client.clone(), 1));
        let standing = Arc::new(Standing::without(Mode::Partner));
        let setup = Setup { client, store, lanes: 1, node: "here".into(), standing, sent: Default::default() };
        let (status, lane) = watch::channel(LaneStatus::default());
        let mut handout = Handout::new(Arc::new(setup), vec![lane], books);
        let at_once = Duration::from_millis(1);
        assert!(timeout(at_once, handout.hand_out_rule_book()).await.is_err());
        status.send_modify(|status| status.is_past = true);
        assert!(!timeout(at_once, handout.hand_out_rule_book()).await.unwrap().unwrap());
    }
}

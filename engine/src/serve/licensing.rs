//! What a licence permits while the engine runs: whether anything may leave for the upstream.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::edge::admission;
use crate::licence::Standing;
use crate::store::Lane;

/// The longest wait between looks; clocks may jump.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Looks at the licence as time goes on.
pub(super) struct Licensing {
    standing: Arc<Standing>,
    /// All lanes' rows.
    rows: Vec<Lane>,
    sends: watch::Sender<bool>,
    /// What was told last.
    told: Option<String>,
}

impl Licensing {
    /// Looks for the first time; whether anything may leave for the upstream is heard by the receiver.
    pub(super) fn new(standing: Arc<Standing>, rows: Vec<Lane>) -> (Self, watch::Receiver<bool>) {
        let (sends, hears) = watch::channel(true);
        let mut licensing = Self { standing, rows, sends, told: None };
        licensing.look(Timestamp::now());
        (licensing, hears)
    }

    /// Looks, for ever.
    pub(super) async fn run(mut self) {
        loop {
            sleep(LOOK_EVERY).await;
            self.look(Timestamp::now());
        }
    }

    fn look(&mut self, now: Timestamp) {
        match admission::active(&self.rows) {
            Ok(active) => self.standing.counted(active.len() as u64),
            Err(error) => tracing::error!(%error, "how many organizations take part cannot be read"),
        }
        let terms = self.standing.terms(now);
        self.sends.send_if_modified(|sends| std::mem::replace(sends, terms.sends) != terms.sends);
        if terms.notice != self.told {
            if let Some(notice) = &terms.notice {
                tracing::warn!(notice, "licence");
            }
            self.told = terms.notice;
        }
    }
}

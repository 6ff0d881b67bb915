//! Brings what was refused to the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use linesman_schemas::command::{Audit, LIST_MOST, Refusal, Refusals as Told, Verb};
use linesman_schemas::{CommandId, OrgName};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Refusals;
use super::gathered::MINUTE;
use crate::data_dir::private::random_hex;
use crate::edge::commands::Commands;

/// How often they are brought to the log.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How long bringing them there may take before it is tried again, or given up in the end.
const TELL_MOST: Duration = Duration::from_secs(5);
/// The engine level from which on there are records.
const RECORDED_FROM: u32 = 3;
/// The one from which on they say what it was about: engines of before read nothing of it.
const ABOUT_FROM: u32 = 7;

/// Brings refusals to the log until it ends.
#[derive(Debug)]
pub(crate) struct Recorder {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Begins.
    pub(crate) fn start(refusals: Arc<Refusals>, commands: Arc<Commands>) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: tokio::spawn(record(refusals, commands, stopped)) }
    }

    /// Brings what there is to the log, for 5 s at most.
    pub(crate) async fn end(self) {
        // A task that is gone has said why.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "refusals are recorded no more");
        }
    }
}

/// A batch that is on its way, under an id by which it is known again.
struct Batch {
    id: CommandId,
    whose: Option<OrgName>,
    told: Told,
}

async fn record(refusals: Arc<Refusals>, commands: Arc<Commands>, mut stopped: oneshot::Receiver<()>) {
    let mut batches: Vec<Batch> = Vec::new();
    let mut minute = Instant::now();
    loop {
        let is_end = timeout(TELL_EVERY, &mut stopped).await.is_ok();
        let now = Instant::now();
        // While the log is away what comes waits where it is bounded.
        if batches.is_empty() || is_end {
            let is_minute = is_end || now.duration_since(minute) >= MINUTE;
            if is_minute {
                minute = now;
            }
            batches.extend(refusals.gathered().take(now, is_minute).into_iter().flat_map(batched));
        }
        if timeout(TELL_MOST, tell(&commands, &mut batches)).await.is_err() {
            tracing::debug!("the log takes no records of refusals at the moment");
        }
        if is_end {
            let lost: u64 = batches.iter().flat_map(|batch| &batch.told.refusals).map(|refusal| refusal.count).sum();
            if lost > 0 {
                tracing::error!(lost, "refusals could not be recorded: the log takes nothing");
            }
            return;
        }
    }
}

fn batched((whose, refusals): (Option<OrgName>, Vec<Refusal>)) -> Vec<Batch> {
    let chunks = refusals.chunks(LIST_MOST);
    let batch = |refusals: &[Refusal]| {
        let id = random_hex::<16>().map_err(|error| tracing::error!(%error, "refusals have no id")).ok()?;
        let id = format!("refusals-{id}").parse().ok()?;
        Some(Batch { id, whose: whose.clone(), told: Told { refusals: refusals.to_vec() } })
    };
    chunks.filter_map(batch).collect()
}

/// Brings batches to the log, as far as it takes them.
async fn tell(commands: &Commands, batches: &mut Vec<Batch>) {
    while let Some(Batch { id, whose, told }) = batches.first() {
        let level = commands.level(whose.as_ref());
        if level >= RECORDED_FROM {
            let mut told = told.clone();
            if level < ABOUT_FROM {
                told.refusals.iter_mut().for_each(|refusal| refusal.about = None);
            }
            let verb = Verb::Audit(Audit::Record(told));
            if let Err(error) = commands.tell_as(whose.as_ref(), id.clone(), verb).await {
                tracing::warn!(%error, "refusals are not recorded yet");
                return;
            }
        }
        batches.remove(0);
    }
}

//! What was gathered is brought into the log: once, and from here, however long the log does not take it.

use std::path::Path;
use std::sync::atomic::Ordering;

use linesman_schemas::OrgName;
use linesman_schemas::bundle;
use linesman_schemas::gathering::{FAILURES_MOST, GatheringState};
use sha2::{Digest as _, Sha256};

use super::{Again, Ended, Job, outputs};
use crate::log::inputs;
use crate::logging::full;
use crate::reach::Hands;
use crate::reach::journal::Progress;
use crate::reach::spool::Spooled;

/// How often what was gathered is brought until it is given up: some two hours.
const TRIES_MOST: u32 = 20;

impl Hands {
    /// Brings a bundle that lies in a file until the log has it; what became of it where that is known of an earlier try.
    pub(super) async fn bring_on(&self, job: &Job, bundle: (&Path, u64)) -> Result<Option<GatheringState>, Ended> {
        let device = &job.wanted.device;
        // INVARIANT (asked once): what the device has told is brought until the log has it. It is not asked again meanwhile.
        let mut again = Again::default();
        loop {
            let why = match self.bring_once(job, bundle).await {
                Ok(done) => return Ok(done),
                Err(Ended::Failed(error)) => return Err(Ended::Failed(error)),
                Err(Ended::Later(why)) => why,
            };
            if again.tries >= TRIES_MOST {
                return Err(Ended::Failed(format!("what was gathered is not taken: {why}")));
            }
            tracing::warn!(organization = %device.org, device = device.name, error = why, "what was gathered from a device waits for the log");
            again.rest().await;
            if !self.is_asked(job) {
                return Err(Ended::Failed("it is not asked for any more".to_owned()));
            }
        }
    }

    /// Brings a bundle that lies in a file, unless the log has it, though that was not heard: what became of it then.
    async fn bring_once(&self, job: &Job, (path, size): (&Path, u64)) -> Result<Option<GatheringState>, Ended> {
        if let Some(Progress::Meant { sha256: Some(sha256), behind }) = self.gathered.get(&job.found())
            && let Some(done) = self.brought(&job.wanted.device.org, behind, &sha256).await?
        {
            return Ok(Some(done));
        }
        if size > self.parts.client.max_payload() as u64 {
            let (name, found) = (job.name(), job.found());
            let spooled = Spooled::at(path.to_owned(), size);
            self.bring_made(&job.wanted.device, (&self.gathered, &found), &name, spooled).await?;
            return Ok(None);
        }
        let bytes = tokio::fs::read(path).await.map_err(|error| outputs::unkept(&error))?;
        if let Err(error) = bundle::decode(&bytes) {
            return Err(Ended::Failed(format!("what it says is no bundle: {}", full(&error))));
        }
        self.bring_gathered(job, bytes).await.map(|()| None)
    }

    /// What became of what may be in the log behind a sequence; none where it is not.
    pub(super) async fn brought(
        &self,
        org: &OrgName,
        behind: u64,
        sha256: &str,
    ) -> Result<Option<GatheringState>, Ended> {
        let bytes = match self.found_behind(org, behind, sha256).await? {
            Some(bytes) => bytes,
            None => match self.kept_behind(org, behind, sha256).await? {
                Some(kept) => kept.outline.into_bytes(),
                None => return Ok(None),
            },
        };
        Ok(bundle::decode(&bytes).ok().map(|bundle| GatheringState::Done {
            failed: u32::try_from(failed(&bundle.attachments).count()).unwrap_or(u32::MAX),
            failures: failed(&bundle.attachments).take(FAILURES_MOST).map(why).collect(),
            host_event_id: bundle.manifest.host_event_id.into_owned(),
        }))
    }

    /// Publishes a bundle, once.
    async fn bring_gathered(&self, job: &Job, bytes: Vec<u8>) -> Result<(), Ended> {
        let later = |error: String| Ended::Later(error);
        let org = &job.wanted.device.org;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let behind = self.behind().await.map_err(|error| later(full(&error)))?;
        let meant = self.gathered.put(&job.found(), Progress::Meant { sha256: Some(sha256), behind });
        meant.map_err(|error| later(format!("the journal cannot be written: {error}")))?;
        fail::fail_point!("reach::before-publish-gathered", |_| Err(later("the log is away".to_owned())));
        let put = inputs::put(&self.parts.client, format!("in.{org}.jmb.device"), bytes).await;
        let sequence = put.map_err(|error| later(full(&error)))?;
        self.behind.fetch_max(sequence, Ordering::Relaxed);
        Ok(())
    }
}

/// The attachments of a bundle that tell that their command failed.
fn failed<'a, 'b>(attachments: &'a [bundle::Part<'b>]) -> impl Iterator<Item = &'a bundle::Part<'b>> {
    attachments.iter().filter(|part| part.status.as_deref() == Some(outputs::FAILED))
}

/// Which of them it is, and why its command failed.
fn why(part: &bundle::Part<'_>) -> String {
    format!("`{}`: {}", part.name, part.error.as_deref().unwrap_or_default())
}

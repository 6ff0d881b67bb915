//! A bundle that is larger than a message of the log: its bytes go into the object store, and the log has what is decided by.
//!
//! ```text
//!  device --> D/collecting --> check, outline --> object store --> journal --> in.<org>.result.device --> remove
//! ```
//!
//! INVARIANT (nothing of what fails): it is checked before anything of it goes into the object store, one at a time.

use std::sync::atomic::Ordering;

use linesman_connectors::device::files::File;
use linesman_domain::input::edition;
use linesman_domain::reached::ReachedRow;
use linesman_schemas::OrgName;
use linesman_schemas::bundle::{self, Bound, Edition, Fault, bounds};
use linesman_schemas::collected::BundleKept;
use linesman_schemas::device::{DeviceState, HEAD_MOST};
use linesman_schemas::outcome::Report;
use linesman_schemas::upload::UploadKind;
use sha2::{Digest as _, Sha256};

use super::fetch::Brought;
use super::journal::{Found, Journal, Progress};
use super::spool::{Spooled, Spooling, unkept};
use super::take::{Taken, unwritten};
use super::way::{Trouble, limits};
use super::worker::Worker;
use super::{Device, Hands};
use crate::log::{inputs, streams};
use crate::logging::full;

/// How many bytes an outline has at most: the log is kept for ever.
const OUTLINE_MOST: usize = 960 * 1024;
/// How much of a message is not the outline: names, and where the parts lie.
const AROUND: usize = 64 * 1024;

/// A bundle that was checked.
struct Checked {
    sha256: String,
    outline: String,
    parts: Vec<(u64, u64)>,
    brought: Brought,
}

impl Worker {
    /// Takes a file that is larger than a message.
    pub(super) async fn take_large(
        &mut self,
        row: &ReachedRow,
        file: &File,
        (found, known): (&Found, Option<Progress>),
        may_grow: bool,
    ) -> Result<Taken, Trouble> {
        if file.size > bounds::BUNDLE as u64 {
            let head = self.head(file).await?;
            let error = bundle::Error { fault: Fault::BoundExceeded(Bound::Bundle), line: 1, column: 1 };
            return Ok(Taken::NoBundle(self.no_bundle(file, &head, &error)));
        }
        let spooled = match self.spool(file).await? {
            Spooling::Whole(spooled) => spooled,
            Spooling::GoesOn => return Ok(Taken::GoesOn),
            Spooling::Changed => {
                self.seen.remove(&file.name);
                return Ok(Taken::Later);
            }
        };
        fail::fail_point!("reach::spooled");
        let hands = std::sync::Arc::clone(&self.hands);
        let (spooled, checked) = hands.checked(spooled).await?;
        let checked = match checked {
            Ok(checked) => checked,
            Err((error, head)) => {
                spooled.remove();
                let lacks_end = matches!(error.fault, Fault::Truncated(_));
                if lacks_end && may_grow {
                    return Ok(Taken::Later);
                }
                return Ok(Taken::NoBundle(self.no_bundle(file, &head, &error)));
            }
        };
        let is_there = match known {
            Some(Progress::Meant { sha256: Some(sha256), behind }) if sha256 == checked.sha256 => {
                hands.is_kept_behind(&self.device.org, behind, &sha256).await?
            }
            _ => false,
        };
        let brought = checked.brought.clone();
        if !is_there {
            if self.is_turned(row) {
                return Ok(Taken::GoesOn);
            }
            let what = (UploadKind::Bundle, &*file.name.to_string(), &*checked.sha256);
            let stored = hands.keep(&self.device.org, &spooled, what).await?;
            // That takes a while.
            if self.is_turned(row) {
                return Ok(Taken::GoesOn);
            }
            self.bring_kept(found, file.size, checked, stored).await?;
        }
        self.tell_named(brought).await?;
        hands.journal.put(found, Progress::Brought).map_err(|error| unwritten(&error))?;
        spooled.remove();
        Ok(Taken::Brought)
    }

    /// The beginning of a file.
    async fn head(&mut self, file: &File) -> Result<Vec<u8>, Trouble> {
        let Some(open) = &mut self.open else {
            return Err(Trouble::new(DeviceState::Unreachable, "there is no connection"));
        };
        let limits = limits(bounds::BUNDLE as u64);
        let mut reader = open.files.read(&file.name, 0, HEAD_MOST as u64, &limits).await?;
        let head = reader.next().await?.unwrap_or_default();
        Ok(head.get(..HEAD_MOST).unwrap_or(&head).to_vec())
    }

    /// Says to the log that a bundle is kept. It may have it where this fails.
    async fn bring_kept(&mut self, found: &Found, size: u64, checked: Checked, stored: String) -> Result<(), Trouble> {
        let sha256 = checked.sha256.clone();
        let payload = self.hands.kept(&self.device, size, checked, stored)?;
        self.hands.say_kept(&self.device, (&self.hands.journal, found), sha256, payload).await?;
        metrics::counter!("linesman_device_bundles_total").increment(1);
        metrics::counter!("linesman_device_bundle_bytes_total").increment(size);
        fail::fail_point!("reach::before-brought");
        Ok(())
    }
}

fn check(edition: Edition, bytes: &[u8], most: usize) -> Result<Checked, bundle::Error> {
    let read = bundle::decode_in(edition, bytes)?;
    let sha256 = hex::encode(Sha256::digest(bytes));
    let brought = Brought::of(&read, || sha256.clone());
    let outline = bundle::outline(bytes, most)?;
    let parts = outline.parts.into_iter().map(|part| (part.start as u64, part.end as u64)).collect();
    Ok(Checked { sha256, outline: outline.text, parts, brought })
}

impl Hands {
    /// Reads a bundle by the rules that lanes read bundles by; what is left of it for the log. It lies whole in memory meanwhile, and
    /// no other does. Nothing of a device is waited for as long as others wait for that.
    async fn checked(&self, spooled: Spooled) -> Result<(Spooled, Result<Checked, (bundle::Error, Vec<u8>)>), Trouble> {
        let (edition, most) = (edition(self.moved().1), self.outline_most());
        // The room is closed by nobody.
        let room = std::sync::Arc::clone(&self.rooms.large).acquire_owned().await.ok();
        let work = tokio::task::spawn_blocking(move || {
            let bytes = spooled.bytes()?;
            let checked = check(edition, &bytes, most);
            let head = || bytes.get(..HEAD_MOST).unwrap_or(&bytes).to_vec();
            let checked = checked.map_err(|error| (error, head()));
            drop((bytes, room));
            Ok((spooled, checked))
        });
        let broke_off = |_| Trouble::new(DeviceState::EngineFull, "the check of a file broke off");
        work.await.map_err(broke_off)?.map_err(|error: std::io::Error| unkept(&error))
    }

    /// Brings a bundle that was made here, and is larger than a message. It may be in the log where this fails.
    pub(super) async fn bring_made(
        &self,
        device: &Device,
        kept_in: (&Journal, &Found),
        name: &str,
        spooled: Spooled,
    ) -> Result<(), Trouble> {
        let (spooled, checked) = self.checked(spooled).await?;
        let checked = checked.map_err(|(error, _)| {
            Trouble::new(DeviceState::Garbled, format!("what it says is no bundle: {}", full(&error)))
        })?;
        let sha256 = checked.sha256.clone();
        let stored = self.keep(&device.org, &spooled, (UploadKind::Bundle, name, &sha256)).await?;
        let payload = self.kept(device, spooled.size, checked, stored)?;
        self.say_kept(device, kept_in, sha256, payload).await
    }

    /// What is said of a bundle that is kept.
    fn kept(&self, device: &Device, size: u64, checked: Checked, stored: String) -> Result<Vec<u8>, Trouble> {
        let unavailable = |error: String| Trouble::new(DeviceState::LogUnavailable, error);
        let most = self.parts.client.max_payload();
        let Checked { sha256, outline, parts, .. } = checked;
        let kept = BundleKept { device: device.name.clone(), outline, stored, size, sha256, parts };
        let payload =
            serde_json::to_vec(&Report::BundleKept(Box::new(kept))).map_err(|error| unavailable(full(&error)))?;
        match payload.len() > most {
            true => {
                let words =
                    format!("what is to be said of a bundle has {} bytes, and the log takes {most}", payload.len());
                Err(unavailable(words))
            }
            false => Ok(payload),
        }
    }

    async fn say_kept(
        &self,
        device: &Device,
        (journal, found): (&Journal, &Found),
        sha256: String,
        payload: Vec<u8>,
    ) -> Result<(), Trouble> {
        let unavailable = |error: String| Trouble::new(DeviceState::LogUnavailable, error);
        let behind = self.behind().await.map_err(|error| unavailable(full(&error)))?;
        let meant = journal.put(found, Progress::Meant { sha256: Some(sha256), behind });
        meant.map_err(|error| unwritten(&error))?;
        fail::fail_point!("reach::before-publish");
        let subject = format!("in.{}.result.device", device.org);
        let put = inputs::put(&self.parts.client, subject, payload).await;
        let sequence = put.map_err(|error| unavailable(full(&error)))?;
        self.behind.fetch_max(sequence, Ordering::Relaxed);
        Ok(())
    }

    /// How many bytes an outline has at most. In JSON they may be twice as many.
    fn outline_most(&self) -> usize {
        (self.parts.client.max_payload() / 2).saturating_sub(AROUND).min(OUTLINE_MOST)
    }

    /// Whether it stands in the log behind a sequence that a bundle of an organization is kept.
    async fn is_kept_behind(&self, org: &OrgName, behind: u64, sha256: &str) -> Result<bool, Trouble> {
        Ok(self.kept_behind(org, behind, sha256).await?.is_some())
    }

    /// What stands in the log behind a sequence of a bundle of an organization that is kept; none where nothing does.
    pub(super) async fn kept_behind(
        &self,
        org: &OrgName,
        behind: u64,
        sha256: &str,
    ) -> Result<Option<Box<BundleKept>>, Trouble> {
        let subject = format!("p.{}.{org}.result", self.number(org));
        let mut from = behind + 1;
        loop {
            let next = streams::next_on(&self.parts.client, &subject, from).await;
            let next = next.map_err(|error| Trouble::new(DeviceState::LogUnavailable, full(&error)))?;
            let Some((sequence, bytes)) = next else { return Ok(None) };
            match serde_json::from_slice(&bytes) {
                Ok(Report::BundleKept(kept)) if kept.sha256 == sha256 => return Ok(Some(kept)),
                _ => from = sequence + 1,
            }
        }
    }
}

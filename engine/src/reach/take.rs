//! One file: read, checked by the rules that lanes read bundles by, brought into the log, gone from its device.

use linesman_connectors::device::files::{self, File};
use linesman_domain::reached::{AfterRow, ReachedRow};
use linesman_schemas::bundle::{self, Fault};
use linesman_schemas::device::{DeviceState, HEAD_MOST, JmbError};
use linesman_schemas::outcome::Report;
use sha2::{Digest as _, Sha256};
use std::sync::atomic::Ordering;

use super::Hands;
use super::journal::{Found, Progress};
use super::visit::id_of;
use super::way::{Trouble, limits};
use super::worker::{Seen, Worker};
use crate::log::{inputs, streams};
use crate::logging::full;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// The log has it.
    Brought,
    /// It is no bundle, as the log has it.
    SetAside,
    /// It lacks its end: it may be written still.
    Later,
}

impl Worker {
    /// Takes a file that has not grown since it was seen.
    pub(super) async fn take(
        &mut self,
        row: &ReachedRow,
        file: &File,
        (found, known): (&Found, Option<Progress>),
        seen: Seen,
    ) -> Result<Taken, Trouble> {
        let most = self.hands.parts.client.max_payload() as u64;
        if file.size > most {
            let words = format!("`{}` has {} bytes, and the log takes {most}", file.name, file.size);
            return Err(Trouble::new(DeviceState::LogUnavailable, words));
        }
        let bytes = self.read(file, most).await?;
        if bytes.len() as u64 != file.size {
            // It grows.
            self.seen.remove(&file.name);
            return Ok(Taken::Later);
        }
        if let Err(error) = bundle::decode(&bytes) {
            let lacks_end = matches!(error.fault, Fault::Truncated(_));
            if lacks_end && seen.since.elapsed() < self.hands.incomplete_after() {
                return Ok(Taken::Later);
            }
            return self.set_aside(file, &bytes, &error).await;
        }
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let is_there = match known {
            Some(Progress::Meant { sha256: meant, behind }) if meant == sha256 => {
                self.hands.stands_behind(&self.device.org, behind, &sha256).await?
            }
            _ => false,
        };
        if !is_there {
            self.bring(found, bytes, sha256).await?;
        }
        let brought = self.hands.journal.put(found, Progress::Brought);
        brought.map_err(|error| unwritten(&error))?;
        fail::fail_point!("reach::before-remove");
        match row.after {
            AfterRow::Leave => {}
            ref after => self.gone(after, file, found).await?,
        }
        Ok(Taken::Brought)
    }

    /// Reads a file whole: what the log takes.
    async fn read(&mut self, file: &File, most: u64) -> Result<Vec<u8>, Trouble> {
        let Some(open) = &mut self.open else {
            return Err(Trouble::new(DeviceState::Unreachable, "there is no connection"));
        };
        let limits = limits(most);
        let mut reader = open.files.read(&file.name, 0, file.size, &limits).await?;
        let mut bytes = Vec::with_capacity(usize::try_from(file.size).unwrap_or_default());
        loop {
            match reader.next().await {
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Ok(None) => return Ok(bytes),
                Err(files::Error::TooMuch { .. }) => {
                    let words = format!("`{}` grows beyond {most} bytes, which the log takes", file.name);
                    return Err(Trouble { is_connected: false, ..Trouble::new(DeviceState::LogUnavailable, words) });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Publishes a bundle. It may be in the log where this fails.
    async fn bring(&mut self, found: &Found, bytes: Vec<u8>, sha256: String) -> Result<(), Trouble> {
        let client = &self.hands.parts.client;
        let unavailable = |error: String| Trouble::new(DeviceState::LogUnavailable, error);
        let behind = self.hands.behind().await.map_err(|error| unavailable(full(&error)))?;
        let meant = self.hands.journal.put(found, Progress::Meant { sha256, behind });
        meant.map_err(|error| unwritten(&error))?;
        fail::fail_point!("reach::before-publish");
        let subject = format!("in.{}.jmb.device", self.device.org);
        let count = bytes.len() as u64;
        let sequence = inputs::put(client, subject, bytes).await.map_err(|error| unavailable(full(&error)))?;
        self.hands.behind.fetch_max(sequence, Ordering::Relaxed);
        metrics::counter!("linesman_device_bundles_total").increment(1);
        metrics::counter!("linesman_device_bundle_bytes_total").increment(count);
        fail::fail_point!("reach::before-brought");
        Ok(())
    }

    /// A file is no bundle: its beginning and its fault are reported, and nothing else of it is kept.
    async fn set_aside(&mut self, file: &File, bytes: &[u8], error: &bundle::Error) -> Result<Taken, Trouble> {
        let head = String::from_utf8_lossy(bytes.get(..HEAD_MOST).unwrap_or(bytes)).into_owned();
        let report = JmbError {
            device: self.device.name.clone(),
            id: id_of(file),
            file: file.name.to_string(),
            size: file.size,
            modified: file.modified.and_then(|time| u64::try_from(time.as_second()).ok()).unwrap_or_default(),
            fault: error.fault.name().to_owned(),
            detail: error.fault.to_string(),
            line: error.line.into(),
            column: error.column.into(),
            head,
        };
        metrics::counter!("linesman_device_jmb_errors_total", "fault" => error.fault.name()).increment(1);
        tracing::warn!(
            organization = %self.device.org, device = self.device.name, file = report.file, fault = report.fault,
            "a file of a device is no bundle, and is set aside"
        );
        match self.hands.report(&self.device, &Report::JmbSetAside(report)).await {
            true => Ok(Taken::SetAside),
            false => Err(Trouble::new(DeviceState::LogUnavailable, "the log does not take what is wrong with a file")),
        }
    }
}

fn unwritten(error: &std::io::Error) -> Trouble {
    Trouble::new(DeviceState::EngineFull, format!("the journal cannot be written: {error}"))
}

impl Hands {
    /// A sequence of the log behind which everything stands that is brought from now on.
    async fn behind(&self) -> Result<u64, crate::log::Error> {
        let known = self.behind.load(Ordering::Relaxed);
        if known > 0 {
            return Ok(known);
        }
        let last = streams::identity(&self.parts.client).await?.last;
        Ok(self.behind.fetch_max(last, Ordering::Relaxed).max(last))
    }

    /// Whether a bundle of an organization stands in the log behind a sequence.
    async fn stands_behind(&self, org: &linesman_schemas::OrgName, behind: u64, sha256: &str) -> Result<bool, Trouble> {
        let subject = format!("p.{}.{org}.jmb", self.number(org));
        let mut from = behind + 1;
        loop {
            let next = streams::next_on(&self.parts.client, &subject, from).await;
            match next.map_err(|error| Trouble::new(DeviceState::LogUnavailable, full(&error)))? {
                None => return Ok(false),
                Some((_, bytes)) if hex::encode(Sha256::digest(&bytes)) == sha256 => return Ok(true),
                Some((sequence, _)) => from = sequence + 1,
            }
        }
    }
}

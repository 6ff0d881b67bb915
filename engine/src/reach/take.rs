//! One file: read, checked by the rules that lanes read bundles by, brought into the log, gone from its device.

use linesman_connectors::device::files::{self, File};
use linesman_domain::input::edition;
use linesman_domain::reached::{AfterRow, ReachedRow};
use linesman_domain::uploads::COLLECTED;
use linesman_schemas::OrgName;
use linesman_schemas::bundle::{self, Fault};
use linesman_schemas::device::{DeviceState, JmbError};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::Ordering;

use super::Hands;
use super::fetch::Brought;
use super::journal::{Found, Progress};
use super::sent::{Named, Sent};
use super::way::{Trouble, reading};
use super::worker::Worker;
use crate::log::streams;
use crate::logging::full;

/// What became of a file.
pub(super) enum Taken {
    /// The log has it.
    Brought,
    /// It is on its way into the log.
    Sent(Box<Sent>),
    /// It is no bundle: what is to be reported of it.
    NoBundle(Box<JmbError>),
    /// It lacks its end: it may be written still.
    Later,
    /// It is left to the next look: it is long, or its device is reached otherwise or no more.
    GoesOn,
}

impl Worker {
    /// Takes a file that has not grown since it was seen. One that lacks its end is waited for where `may_grow`.
    pub(super) async fn take(
        &mut self,
        row: &ReachedRow,
        file: &File,
        (found, known): (&Found, Option<Progress>),
        may_grow: bool,
    ) -> Result<Taken, Trouble> {
        let most = self.hands.parts.client.max_payload() as u64;
        if file.size > most && self.hands.moved().1 >= COLLECTED {
            return self.take_large(row, file, (found, known), may_grow).await;
        }
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
        let read = bundle::decode_in(edition(self.hands.moved().1), &bytes);
        let sha256 = || hex::encode(Sha256::digest(&bytes));
        let brought = match read.map(|bundle| Brought::of(&bundle, sha256)) {
            Ok(brought) => brought,
            Err(error) => {
                // One with nothing in it has been made, and is to be written.
                let lacks_end = matches!(error.fault, Fault::Truncated(_) | Fault::Empty);
                if lacks_end && may_grow {
                    return Ok(Taken::Later);
                }
                return Ok(Taken::NoBundle(self.no_bundle(file, &bytes, &error)));
            }
        };
        let is_there = match known {
            Some(Progress::Meant { behind, .. }) => self.hands.stands_behind(&self.device.org, behind, &bytes).await?,
            _ => false,
        };
        if !is_there && self.is_turned(row) {
            return Ok(Taken::GoesOn);
        }
        let named = Named { file: file.clone(), found: found.clone(), brought };
        match is_there {
            true => {
                self.known_as_brought(&named).await?;
                Ok(Taken::Brought)
            }
            false => self.send(named, bytes).await.map(|sent| Taken::Sent(Box::new(sent))),
        }
    }

    /// What is kept of a file once the log has it.
    pub(super) async fn known_as_brought(&mut self, named: &Named) -> Result<(), Trouble> {
        self.tell_named(named.brought.clone()).await?;
        let put = self.hands.journal.put(&named.found, Progress::Brought);
        put.map_err(|error| unwritten(&error))
    }

    /// What is to be done with a file that is known as brought.
    pub(super) async fn goes(&mut self, row: &ReachedRow, file: &File, found: &Found) -> Result<(), Trouble> {
        fail::fail_point!("reach::before-remove");
        match row.after {
            AfterRow::Leave => Ok(()),
            ref after => self.leaves(after, file, found).await,
        }
    }

    /// Reads a file whole: what the log takes.
    async fn read(&mut self, file: &File, most: u64) -> Result<Vec<u8>, Trouble> {
        if let Some(bytes) = self.read_ahead(file).await? {
            return Ok(bytes);
        }
        let Some(open) = &mut self.open else {
            return Err(Trouble::new(DeviceState::Unreachable, "there is no connection"));
        };
        let limits = reading(most, file.size);
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
}

pub(super) fn unwritten(error: &std::io::Error) -> Trouble {
    Trouble::new(DeviceState::EngineFull, format!("the journal cannot be written: {error}"))
}

impl Hands {
    /// A sequence of the log behind which everything stands that is brought from now on.
    pub(super) async fn behind(&self) -> Result<u64, crate::log::Error> {
        let known = self.behind.load(Ordering::Relaxed);
        if known > 0 {
            return Ok(known);
        }
        let last = streams::identity(&self.parts.client).await?.last;
        Ok(self.behind.fetch_max(last, Ordering::Relaxed).max(last))
    }

    /// Whether a bundle of an organization stands in the log behind a sequence.
    async fn stands_behind(&self, org: &OrgName, behind: u64, bundle: &[u8]) -> Result<bool, Trouble> {
        Ok(self.that_stands_behind(org, behind, |bytes| bytes == bundle).await?.is_some())
    }

    /// A bundle of an organization that stands in the log behind a sequence; none where it does not.
    pub(super) async fn found_behind(
        &self,
        org: &OrgName,
        behind: u64,
        sha256: &str,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        self.that_stands_behind(org, behind, |bytes| hex::encode(Sha256::digest(bytes)) == sha256).await
    }

    async fn that_stands_behind(
        &self,
        org: &OrgName,
        behind: u64,
        is_it: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let subject = format!("p.{}.{org}.jmb", self.number(org));
        let mut from = behind + 1;
        loop {
            let next = streams::next_on(&self.parts.client, &subject, from).await;
            match next.map_err(|error| Trouble::new(DeviceState::LogUnavailable, full(&error)))? {
                None => return Ok(None),
                Some((_, bytes)) if is_it(&bytes) => return Ok(Some(bytes)),
                Some((sequence, _)) => from = sequence + 1,
            }
        }
    }
}

//! A channel of a connection: bytes both ways, as they come.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::Error;
use super::watch::Progress;
use crate::device::limits::{Clock, Limits};

/// How much of what a command complains about is kept, in bytes.
const COMPLAINT_MOST: usize = 16 * 1024;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its code; none where a signal ended it, or the device did not say so.
    pub code: Option<u32>,
    /// The head of what it complained about, as the device wrote it.
    pub complaint: String,
    /// How many bytes went into the sink.
    pub bytes: u64,
}

/// A channel. Dropped, it is closed.
pub(in crate::device) struct Channel {
    read: ChannelReadHalf,
    write: Arc<ChannelWriteHalf<Msg>>,
    progress: Arc<Progress>,
    /// What came before it was asked for.
    early: VecDeque<Bytes>,
    code: Option<u32>,
    complaint: Vec<u8>,
    is_closed: bool,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Channel {
    pub(super) fn new(channel: russh::Channel<Msg>, progress: Arc<Progress>) -> Self {
        let (read, write) = channel.split();
        let early = VecDeque::new();
        let (code, complaint, is_closed) = (None, Vec::new(), false);
        Self { read, write: Arc::new(write), progress, early, code, complaint, is_closed }
    }

    fn id(&self) -> ChannelId {
        self.write.id()
    }

    pub(super) async fn start_subsystem(&mut self, name: &str) -> Result<bool, Error> {
        self.write.request_subsystem(true, name).await.map_err(|_| self.progress.lost())?;
        self.agreed().await
    }

    pub(super) async fn start_command(&mut self, command: &str) -> Result<bool, Error> {
        self.write.exec(true, command).await.map_err(|_| self.progress.lost())?;
        self.agreed().await
    }

    /// Whether the device does what was asked of it.
    async fn agreed(&mut self) -> Result<bool, Error> {
        let opens = super::CHANNEL_OPENS;
        tokio::time::timeout(opens, async {
            loop {
                match self.read.wait().await {
                    Some(ChannelMsg::Success) => return Ok(true),
                    Some(ChannelMsg::Failure | ChannelMsg::Close) => return Ok(false),
                    Some(ChannelMsg::Data { data }) if self.early.len() < super::PACKETS_UNREAD => {
                        self.early.push_back(data);
                    }
                    Some(_) => {}
                    None => return Err(self.progress.lost()),
                }
            }
        })
        .await
        .unwrap_or(Err(Error::TimedOut { stage: super::Stage::Channel, after: opens }))
    }

    /// What comes next, never empty; none at the end of the channel.
    ///
    /// # Errors
    /// The connection is gone.
    pub(in crate::device) async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(early) = self.early.pop_front() {
            return Ok(Some(early));
        }
        while !self.is_closed {
            match self.read.wait().await {
                Some(ChannelMsg::Data { data }) if !data.is_empty() => return Ok(Some(data)),
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = COMPLAINT_MOST.saturating_sub(self.complaint.len());
                    self.complaint.extend(data.iter().take(room));
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => self.code = Some(exit_status),
                Some(ChannelMsg::Close) => self.is_closed = true,
                Some(_) => {}
                None => return Err(self.progress.lost()),
            }
        }
        Ok(None)
    }

    /// Sends bytes; returns when they are taken on their way, which waits for the device to take those before.
    ///
    /// # Errors
    /// The connection or the channel is gone.
    pub(in crate::device) async fn write(&self, bytes: Bytes) -> Result<(), Error> {
        self.write.data_bytes(bytes).await.map_err(|_| self.progress.lost())
    }

    /// What the other side complained about so far, for people.
    pub(in crate::device) fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.complaint).trim().to_owned()
    }

    pub(super) async fn run(
        &mut self,
        sink: &mut (dyn AsyncWrite + Unpin + Send),
        limits: &Limits,
        clock: &Clock,
    ) -> Result<Exit, Error> {
        let mut bytes = 0_u64;
        while let Some(data) = clock.wait(self.read()).await?? {
            bytes = bytes.saturating_add(data.len() as u64);
            if bytes > limits.bytes {
                return Err(Error::TooMuch(limits.bytes));
            }
            clock.wait(sink.write_all(&data)).await?.map_err(Error::Sink)?;
        }
        clock.wait(sink.flush()).await?.map_err(Error::Sink)?;
        Ok(Exit { code: self.code, complaint: self.complaint(), bytes })
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.is_closed {
            return;
        }
        let write = Arc::clone(&self.write);
        // Outside a runtime there is no connection either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { write.close().await });
        }
    }
}

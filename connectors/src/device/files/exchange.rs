//! Requests and their answers: each is matched by its number, and those nobody waits for any more are passed over.

use bytes::{Bytes, BytesMut};

use super::packet::{Attributes, Reading, Writing, kind, split, status};
use super::{Error, Files};
use crate::device::limits::Clock;

/// How many answers are passed over for one that is waited for: more than were ever asked for at a time.
pub(super) const PASSED_MOST: usize = 256;
/// What a device does that answers more.
pub(super) const UNASKED: &str = "answers to what was not asked";

/// An entry of a list, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Bytes,
    pub(super) attributes: Attributes,
}

/// The entries of a packet.
pub(super) fn entries(mut packet: Reading) -> Result<Vec<Entry>, Error> {
    const CUT: Error = Error::Garbled("a list that is cut off");
    let count = packet.number().ok_or(CUT)?;
    // Not as many as it says: each has to be there.
    let mut entries = Vec::new();
    for _ in 0..count {
        let name = packet.bytes().ok_or(CUT)?;
        packet.bytes().ok_or(CUT)?;
        let attributes = packet.attributes().ok_or(CUT)?;
        entries.push(Entry { name, attributes });
    }
    match entries.is_empty() {
        true => Err(Error::Garbled("a list without entries")),
        false => Ok(entries),
    }
}

impl Files {
    pub(super) const fn id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    pub(super) async fn send(&mut self, packet: Writing, clock: &Clock) -> Result<(), Error> {
        self.send_bytes(packet.done(), clock).await
    }

    /// Sends packets as they are written.
    pub(super) async fn send_bytes(&mut self, packets: Bytes, clock: &Clock) -> Result<(), Error> {
        if self.is_broken_off {
            return Err(Error::BrokenOff);
        }
        // INVARIANT (whole packets): dropped while it waits, half of it may have left, and nothing can follow it.
        self.is_broken_off = true;
        clock.wait(self.channel.write(packets)).await??;
        self.is_broken_off = false;
        Ok(())
    }

    /// The next packet: its number, its kind, and the rest.
    pub(super) async fn receive(&mut self, clock: &Clock) -> Result<(u32, u8, Reading), Error> {
        loop {
            if let Some(mut packet) =
                split(&mut self.inbox).map_err(|_| Error::Garbled("a packet of impossible length"))?
            {
                let kind = packet.byte().ok_or(Error::Garbled("an empty packet"))?;
                let id = packet.number().ok_or(Error::Garbled("a packet without its number"))?;
                return Ok((id, kind, packet));
            }
            match clock.wait(self.channel.read()).await?? {
                Some(bytes) => self.inbox.extend_from_slice(&bytes),
                None => return Err(Error::Garbled("it ended in the middle")),
            }
        }
    }

    /// The answer to a request. Those to others are of operations that were broken off.
    pub(super) async fn answer(&mut self, id: u32, clock: &Clock) -> Result<(u8, Reading), Error> {
        for _ in 0..PASSED_MOST {
            match self.receive(clock).await? {
                (answered, kind, packet) if answered == id => return Ok((kind, packet)),
                _ => {}
            }
        }
        Err(Error::Garbled(UNASKED))
    }

    /// Asks for a handle.
    pub(super) async fn handle(&mut self, ask: Writing, shown: &str, clock: &Clock) -> Result<Bytes, Error> {
        self.close_abandoned(clock).await?;
        let id = self.last_id;
        self.send(ask, clock).await?;
        let (kind, mut packet) = self.answer(id, clock).await?;
        if kind == kind::HANDLE {
            return packet.bytes().ok_or(Error::Garbled("a handle that is cut off"));
        }
        Self::judge(kind, &mut packet, shown)?;
        Err(Error::Garbled("a success without a handle"))
    }

    /// Asks for something of which nothing comes but that it is done. The request is the one whose number was given
    /// last.
    pub(super) async fn done(&mut self, ask: Writing, shown: &str, clock: &Clock) -> Result<(), Error> {
        let id = self.last_id;
        self.send(ask, clock).await?;
        let (kind, mut packet) = self.answer(id, clock).await?;
        match Self::judge(kind, &mut packet, shown)? {
            status::OK => Ok(()),
            _ => Err(Error::Garbled("an end of nothing")),
        }
    }

    pub(super) async fn close(&mut self, handle: Bytes, clock: &Clock) -> Result<(), Error> {
        let ask = Writing::new(kind::CLOSE, self.id()).bytes(&handle);
        self.done(ask, "the open file", clock).await
    }

    /// Closes what nobody reads any more; the answers are passed over.
    pub(super) async fn close_abandoned(&mut self, clock: &Clock) -> Result<(), Error> {
        if self.abandoned.is_empty() {
            return Ok(());
        }
        let mut asks = BytesMut::new();
        for handle in self.abandoned.drain(..) {
            // Its number is not one that is waited for.
            asks.extend_from_slice(&Writing::new(kind::CLOSE, u32::MAX).bytes(&handle).done());
        }
        self.send_bytes(asks.freeze(), clock).await
    }
}

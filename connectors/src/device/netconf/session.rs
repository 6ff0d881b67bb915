//! A session: requests go out, replies come back in their order.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::fault::Error;
use super::frame::{Decoder, Encoder, Framing, Piece};
use super::reply::{Greeting, HELLO_MOST, Hello, Part, Passing, Reply};
use super::request::{Need, Request};
use crate::device::limits::{Clock, Limits};
use crate::device::ssh::{Channel, Connection};

const BASE: &str = "urn:ietf:params:netconf:base:";
const HELLO: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <hello xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><capabilities>\
    <capability>urn:ietf:params:netconf:base:1.0</capability>\
    <capability>urn:ietf:params:netconf:base:1.1</capability>\
    </capabilities></hello>";
/// What Junos says of itself.
const JUNOS: &str = "http://xml.juniper.net/netconf/junos/1.0";
/// How much goes out at a time, in bytes.
const PIECE: usize = 32 * 1024;
/// How many requests wait for their replies at most.
const WAITING_MOST: usize = 64;

/// A NETCONF session. Dropped, it is ended, and its locks with it.
#[derive(Debug)]
pub struct Session {
    channel: Channel,
    hello: Hello,
    framing: Framing,
    decoder: Decoder,
    /// What came and is not looked at yet.
    rest: Bytes,
    last_id: u64,
    waiting: VecDeque<u64>,
    is_broken_off: bool,
}

impl Session {
    /// Opens a channel and greets. Base 1.1 is spoken where the device has it, otherwise 1.0.
    ///
    /// # Errors
    /// The device opens no channel or has no NETCONF, a limit ran out, the greeting is none.
    pub async fn open(connection: &Connection, limits: &Limits) -> Result<Self, Error> {
        let clock = Clock::start(*limits);
        let channel = clock.wait(connection.subsystem("netconf")).await??;
        let framing = Framing::Delimited;
        let mut session = Self {
            channel,
            hello: Hello::default(),
            framing,
            decoder: Decoder::new(framing),
            rest: Bytes::new(),
            last_id: 0,
            waiting: VecDeque::new(),
            is_broken_off: false,
        };
        session.write(HELLO.as_bytes(), &clock).await?;
        session.write_end(&clock).await?;
        session.greet(&clock).await?;
        Ok(session)
    }

    async fn greet(&mut self, clock: &Clock) -> Result<(), Error> {
        let mut greeting = Greeting::default();
        let mut bytes = 0_u64;
        while let Some(data) = self.next(clock).await? {
            bytes = bytes.saturating_add(data.len() as u64);
            if bytes > HELLO_MOST {
                return Err(Error::TooMuch(HELLO_MOST));
            }
            greeting.take(&data)?;
        }
        self.hello = greeting.end()?;
        let base = |version: &str| {
            let is = |said: &String| said.strip_prefix(BASE).is_some_and(|said| said == version);
            self.hello.capabilities.iter().any(is)
        };
        match (base("1.1"), base("1.0")) {
            (true, _) => self.framing = Framing::Chunked,
            (_, true) => {}
            _ => return Err(Error::Garbled("it speaks neither base 1.0 nor 1.1")),
        }
        self.decoder = Decoder::new(self.framing);
        Ok(())
    }

    /// What the device said of itself.
    pub const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// How messages are delimited: base 1.0 or 1.1.
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether it is Junos, whose own rpcs it has.
    pub fn is_junos(&self) -> bool {
        self.hello.capabilities.iter().any(|capability| capability == JUNOS)
    }

    /// Whether the device has a capability of RFC 6241 section 8 in this version or a later one: `candidate`, `1.0`.
    pub fn has(&self, name: &str, version: &str) -> bool {
        self.hello.capabilities.iter().any(|capability| {
            let capability = capability.split('?').next().unwrap_or_default();
            let said = capability
                .strip_prefix("urn:ietf:params:netconf:capability:")
                // Junos says these as well, and older versions of it alone.
                .or_else(|| capability.strip_prefix("urn:ietf:params:xml:ns:netconf:capability:"));
            let said = said.and_then(|said| said.strip_prefix(name)).and_then(|said| said.strip_prefix(':'));
            said.is_some_and(|said| said >= version)
        })
    }

    /// Sends a request without waiting for its reply: [`Self::receive`] brings the replies, in the order of the requests.
    /// While a long request goes out no replies are read: where many are waited for, a device may stop reading.
    ///
    /// # Errors
    /// The device does not have what the request needs, or it cannot be said to it: nothing was sent, or the session is
    /// of no use any more. A limit ran out, the connection failed.
    pub async fn send(&mut self, request: Request<'_>, limits: &Limits) -> Result<(), Error> {
        let clock = Clock::start(*limits);
        self.send_within(request, &clock).await
    }

    async fn send_within(&mut self, mut request: Request<'_>, clock: &Clock) -> Result<(), Error> {
        if self.is_broken_off {
            return Err(Error::BrokenOff);
        }
        if self.waiting.len() == WAITING_MOST {
            return Err(Error::Garbled("it owes too many replies"));
        }
        let lacks = |(name, version): &&Need| !self.has(name, version);
        if let Some((name, _)) = request.needs.iter().find(lacks) {
            return Err(Error::Missing(name));
        }
        let mut outgoing = Outgoing::new(self.framing);
        let id = self.last_id + 1;
        let head =
            format!("<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"{id}\">{}", request.head);
        // What can be known before anything is sent.
        outgoing.check(head.as_bytes())?;
        // INVARIANT (whole messages): dropped or failed while it goes out, nothing can follow it.
        self.is_broken_off = true;
        self.write(head.as_bytes(), clock).await?;
        if let Some(body) = &mut request.body {
            let mut buffer = vec![0; PIECE];
            let mut escaped = Vec::new();
            loop {
                let len = clock.wait(body.source.read(&mut buffer)).await?.map_err(Error::Source)?;
                let read = buffer.get(..len).unwrap_or_default();
                if read.is_empty() {
                    break;
                }
                let piece = if body.is_text { escape(read, &mut escaped)? } else { read };
                outgoing.check(piece)?;
                self.write(piece, clock).await?;
            }
        }
        let tail = format!("{}</rpc>", request.tail);
        outgoing.check(tail.as_bytes())?;
        self.write(tail.as_bytes(), clock).await?;
        self.write_end(clock).await?;
        self.is_broken_off = false;
        self.last_id = id;
        self.waiting.push_back(id);
        Ok(())
    }

    /// Waits for the next reply. What of it is wanted goes into `sink` as it comes; of a reply that is refused in the end
    /// some may be there.
    ///
    /// # Errors
    /// [`Error::Refused`] leaves the session as it was. After any other the session is of no use any more.
    pub async fn receive(
        &mut self,
        part: Part,
        sink: &mut (dyn AsyncWrite + Unpin + Send),
        limits: &Limits,
    ) -> Result<Reply, Error> {
        let clock = Clock::start(*limits);
        self.receive_within(part, sink, limits, &clock).await
    }

    async fn receive_within(
        &mut self,
        part: Part,
        sink: &mut (dyn AsyncWrite + Unpin + Send),
        limits: &Limits,
        clock: &Clock,
    ) -> Result<Reply, Error> {
        if self.is_broken_off {
            return Err(Error::BrokenOff);
        }
        let expected = self.waiting.front().copied().ok_or(Error::NothingAsked)?;
        // INVARIANT (whole messages): dropped or failed in the middle, what follows is no reply to what follows.
        self.is_broken_off = true;
        let mut passing = Passing::new(part);
        let mut wanted = Vec::new();
        let mut bytes = 0_u64;
        while let Some(data) = self.next(clock).await? {
            bytes = bytes.saturating_add(data.len() as u64);
            if bytes > limits.bytes {
                return Err(Error::TooMuch(limits.bytes));
            }
            wanted.clear();
            passing.take(&data, &mut wanted)?;
            if !wanted.is_empty() {
                clock.wait(sink.write_all(&wanted)).await?.map_err(Error::Sink)?;
            }
        }
        clock.wait(sink.flush()).await?.map_err(Error::Sink)?;
        let ended = passing.end(expected, bytes);
        if matches!(ended, Ok(_) | Err(Error::Refused { .. })) {
            self.waiting.pop_front();
            self.is_broken_off = false;
        }
        ended
    }

    /// Sends a request and streams its reply.
    ///
    /// # Errors
    /// As of [`Self::send`] and [`Self::receive`]; replies that are waited for come before.
    pub async fn fetch(
        &mut self,
        request: Request<'_>,
        part: Part,
        sink: &mut (dyn AsyncWrite + Unpin + Send),
        limits: &Limits,
    ) -> Result<Reply, Error> {
        let clock = Clock::start(*limits);
        self.send_within(request, &clock).await?;
        while self.waiting.len() > 1 {
            match self.receive_within(Part::Document, &mut tokio::io::sink(), limits, &clock).await {
                Ok(_) | Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.receive_within(part, sink, limits, &clock).await
    }

    /// Sends a request of whose reply only matters whether it is done.
    ///
    /// # Errors
    /// As of [`Self::fetch`].
    pub async fn call(&mut self, request: Request<'_>, limits: &Limits) -> Result<Reply, Error> {
        self.fetch(request, Part::Document, &mut tokio::io::sink(), limits).await
    }

    /// Sends a request and keeps what is wanted of its reply as text; what is no UTF-8 in it is replaced.
    ///
    /// # Errors
    /// As of [`Self::fetch`].
    pub async fn ask(&mut self, request: Request<'_>, part: Part, limits: &Limits) -> Result<(Reply, String), Error> {
        let mut kept = Vec::new();
        let reply = self.fetch(request, part, &mut kept, limits).await?;
        let text =
            String::from_utf8(kept).unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned());
        Ok((reply, text))
    }

    /// Says good-bye and waits for the answer.
    ///
    /// # Errors
    /// As of [`Self::fetch`]. The session is ended all the same.
    pub async fn close(mut self, limits: &Limits) -> Result<(), Error> {
        match self.call(Request::close_session(), limits).await {
            // Many hang up instead.
            Ok(_) | Err(Error::Ended(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The next bytes of the message; none at its end.
    async fn next(&mut self, clock: &Clock) -> Result<Option<Bytes>, Error> {
        loop {
            let mut left = self.rest.as_ref();
            match self.decoder.next(&mut left)? {
                Some(Piece::End) => {
                    self.rest = self.rest.slice(self.rest.len() - left.len()..);
                    return Ok(None);
                }
                Some(Piece::Data(data)) => {
                    let taken = self.rest.len() - left.len();
                    // What was held back of the input before is no part of this one.
                    let is_here = self.rest.as_ptr_range().contains(&data.as_ptr());
                    let data = if is_here { self.rest.slice_ref(data) } else { Bytes::copy_from_slice(data) };
                    self.rest = self.rest.slice(taken..);
                    return Ok(Some(data));
                }
                None => match clock.wait(self.channel.read()).await?? {
                    Some(bytes) => self.rest = bytes,
                    None => return Err(Error::Ended(self.channel.complaint())),
                },
            }
        }
    }

    /// Sends bytes of a message.
    async fn write(&self, bytes: &[u8], clock: &Clock) -> Result<(), Error> {
        for piece in bytes.chunks(PIECE) {
            let mut framed = Vec::with_capacity(piece.len() + 16);
            Encoder(self.framing).piece(piece, &mut framed);
            clock.wait(self.channel.write(framed.into())).await??;
        }
        Ok(())
    }

    async fn write_end(&self, clock: &Clock) -> Result<(), Error> {
        let end = Bytes::from_static(Encoder(self.framing).end());
        Ok(clock.wait(self.channel.write(end)).await??)
    }
}

/// Looks whether what goes out ends the message before its time.
struct Outgoing(Option<Decoder>);

impl Outgoing {
    fn new(framing: Framing) -> Self {
        Self((framing == Framing::Delimited).then(|| Decoder::new(framing)))
    }

    fn check(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        let Some(decoder) = &mut self.0 else { return Ok(()) };
        while let Some(piece) = decoder.next(&mut bytes)? {
            if piece == Piece::End {
                return Err(Error::Delimiter);
            }
        }
        Ok(())
    }
}

/// Text as it may stand in XML, byte by byte: all that matters is ASCII.
fn escape<'a>(text: &[u8], escaped: &'a mut Vec<u8>) -> Result<&'a [u8], Error> {
    escaped.clear();
    for byte in text {
        match byte {
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'\r' => escaped.extend_from_slice(b"&#13;"),
            b'\t' | b'\n' | b' '.. => escaped.push(*byte),
            _ => {
                let fault = std::io::Error::new(std::io::ErrorKind::InvalidData, "a control character");
                return Err(Error::Source(fault));
            }
        }
    }
    Ok(escaped)
}

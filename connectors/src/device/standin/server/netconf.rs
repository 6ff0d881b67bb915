//! NETCONF of a stand-in device: messages in and out, and what goes wrong with them.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, ReadHalf};

use super::host::{Line, Stream};
use super::operations::{Answer, Operations};
use super::script::Fault;
use super::tree::Element;
use super::{Shared, locked};
use crate::device::netconf::frame::{Decoder, Encoder, Framing, Piece};
use crate::device::netconf::scan::escaped;

/// The longest request, in bytes.
const MESSAGE_MOST: usize = 256 * 1024 * 1024;
/// How long a chunk is, unless the script says otherwise.
const CHUNK: usize = 4096;
const BASE: &str = "urn:ietf:params:xml:ns:netconf:base:1.0";
const CAPABILITIES: [&str; 7] = [
    "urn:ietf:params:netconf:base:1.0",
    "urn:ietf:params:netconf:capability:candidate:1.0",
    "urn:ietf:params:netconf:capability:confirmed-commit:1.0",
    "urn:ietf:params:netconf:capability:confirmed-commit:1.1",
    "urn:ietf:params:netconf:capability:validate:1.0",
    "urn:ietf:params:netconf:capability:rollback-on-error:1.0",
    "http://xml.juniper.net/netconf/junos/1.0",
];

struct Served {
    read: ReadHalf<Stream>,
    line: Line,
    shared: Arc<Shared>,
    connection: u64,
    framing: Framing,
    decoder: Decoder,
    rest: Vec<u8>,
}

pub(super) async fn serve(stream: Stream, shared: Arc<Shared>, connection: u64) {
    let (read, write) = tokio::io::split(stream);
    let line = Line { write, script: Arc::clone(&shared.script) };
    let framing = Framing::Delimited;
    let decoder = Decoder::new(framing);
    let session = shared.next_session();
    let mut served = Served { read, line, shared: Arc::clone(&shared), connection, framing, decoder, rest: Vec::new() };
    // However it ends, the session is over.
    let _ = served.run(session).await;
    locked(&shared.store).end(session);
}

impl Served {
    async fn run(&mut self, session: u32) -> Option<()> {
        self.greet(session).await?;
        let mut operations = Operations { shared: Arc::clone(&self.shared), session };
        loop {
            let message = self.receive().await?;
            let rpc = match Element::parse(&message) {
                Ok(rpc) if rpc.name == "rpc" => rpc,
                Ok(_) | Err(_) => {
                    let error = "<rpc-error><error-type>rpc</error-type><error-tag>malformed-message</error-tag>\
                                 <error-severity>error</error-severity></rpc-error>";
                    self.reply(None, error).await?;
                    continue;
                }
            };
            let id = rpc.attribute("message-id");
            let Some(operation) = rpc.children.first() else {
                self.reply(id.as_deref(), &missing("rpc")).await?;
                continue;
            };
            if id.is_none() {
                self.reply(None, &missing("message-id")).await?;
                continue;
            }
            let is_last = operation.name == "close-session";
            self.carry_out(&mut operations, operation, id.as_deref()).await?;
            if is_last {
                return Some(());
            }
        }
    }

    async fn greet(&mut self, session: u32) -> Option<()> {
        let chunks = self.shared.setup.has_chunks.then_some("urn:ietf:params:netconf:base:1.1");
        let said: String = CAPABILITIES
            .into_iter()
            .chain(chunks)
            .map(|capability| format!("<capability>{capability}</capability>"))
            .collect();
        let hello = format!(
            "<!-- No zombies were killed during the creation of this user interface -->\n\
             <hello xmlns=\"{BASE}\"><capabilities>{said}</capabilities><session-id>{session}</session-id></hello>"
        );
        if let Some(bytes) = self.raw("hello") {
            self.line.send(&bytes).await.ok()?;
        } else {
            self.send(hello.as_bytes()).await?;
        }
        let theirs = Element::parse(&self.receive().await?).ok().filter(|hello| hello.name == "hello")?;
        let theirs = theirs.child("capabilities")?;
        let has_chunks = theirs.children.iter().any(|said| said.text == "urn:ietf:params:netconf:base:1.1");
        if has_chunks && chunks.is_some() {
            self.framing = Framing::Chunked;
            self.decoder = Decoder::new(self.framing);
        }
        Some(())
    }

    async fn carry_out(&mut self, operations: &mut Operations, operation: &Element, id: Option<&str>) -> Option<()> {
        let name = operation.name.as_str();
        let script = Arc::clone(&self.shared.script);
        let happens =
            |of: fn(&Fault) -> Option<&'static str>| script.once(|fault| of(fault).filter(|of| *of == name)).is_some();
        if happens(|fault| if let Fault::CutBefore(of) = fault { Some(of) } else { None }) {
            return self.cut();
        }
        let refused = script.once(|fault| match fault {
            Fault::Refuse(of, errors) if *of == name => Some(errors.clone()),
            _ => None,
        });
        if let Some(errors) = refused {
            return self.reply(id, &errors).await;
        }
        let answer = operations.carry_out(operation);
        self.shared.did(name);
        if happens(|fault| if let Fault::CutAfter(of) = fault { Some(of) } else { None }) {
            return self.cut();
        }
        if happens(|fault| if let Fault::Silent(of) = fault { Some(of) } else { None }) {
            return Some(());
        }
        if let Some(bytes) = self.raw(name) {
            return self.line.send(&bytes).await.ok();
        }
        let huge = script.once(|fault| match fault {
            Fault::Huge(of, bytes) if *of == name => Some(*bytes),
            _ => None,
        });
        if let Some(bytes) = huge {
            return self.huge(id, bytes).await;
        }
        let id = if happens(|fault| if let Fault::OtherId(of) = fault { Some(of) } else { None }) {
            Some("987654")
        } else {
            id
        };
        let warned = script.once(|fault| match fault {
            Fault::Warn(of, warnings) if *of == name => Some(warnings.clone()),
            _ => None,
        });
        let Answer(answer) = answer;
        self.reply(id, &format!("{}{answer}", warned.unwrap_or_default())).await
    }

    fn raw(&self, name: &str) -> Option<Vec<u8>> {
        self.shared.script.once(|fault| match fault {
            Fault::Raw(of, bytes) if *of == name => Some(bytes.clone()),
            _ => None,
        })
    }

    fn cut<T>(&self) -> Option<T> {
        locked(&self.shared.connections).remove(&self.connection);
        None
    }

    async fn reply(&mut self, id: Option<&str>, content: &str) -> Option<()> {
        let reply = format!("{}{content}</rpc-reply>\n", head(id));
        self.send(reply.as_bytes()).await
    }

    /// A reply with so many bytes of data, made while it is sent.
    async fn huge(&mut self, id: Option<&str>, bytes: u64) -> Option<()> {
        const LINE: &[u8] = "set system login message \"gr\u{fc}\u{df}e &amp; mehr 0123456789\"\n".as_bytes();
        let block = LINE.repeat(1024);
        self.begin(format!("{}<output>", head(id)).as_bytes()).await?;
        let mut left = bytes;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            // Whole lines, but for the end, which is filled up.
            let piece = if most == block.len() { block.clone() } else { vec![b'x'; most] };
            self.begin(&piece).await?;
            left -= most as u64;
        }
        self.send(b"</output></rpc-reply>").await
    }

    /// Sends a part of a message.
    async fn begin(&mut self, bytes: &[u8]) -> Option<()> {
        let chunk = self.shared.script.standing(|fault| match fault {
            Fault::Chunks(bytes) => Some((*bytes).max(1)),
            _ => None,
        });
        let mut framed = Vec::with_capacity(bytes.len() + 64);
        for piece in bytes.chunks(chunk.unwrap_or(CHUNK)) {
            Encoder(self.framing).piece(piece, &mut framed);
        }
        self.line.send(&framed).await.ok()
    }

    async fn send(&mut self, message: &[u8]) -> Option<()> {
        self.begin(message).await?;
        self.line.send(Encoder(self.framing).end()).await.ok()
    }

    /// The next message; none where the session is over.
    async fn receive(&mut self) -> Option<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            let mut left = self.rest.as_slice();
            let mut is_whole = false;
            while let Some(piece) = self.decoder.next(&mut left).ok()? {
                match piece {
                    Piece::Data(data) if message.len() + data.len() <= MESSAGE_MOST => message.extend_from_slice(data),
                    Piece::Data(_) => return None,
                    Piece::End => {
                        is_whole = true;
                        break;
                    }
                }
            }
            self.rest = left.to_vec();
            if is_whole {
                return Some(message);
            }
            let mut buffer = vec![0; 32 * 1024];
            let read = self.read.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
            buffer.truncate(read);
            self.rest = buffer;
        }
    }
}

fn head(id: Option<&str>) -> String {
    let id = id.map(|id| format!(" message-id=\"{}\"", escaped(id))).unwrap_or_default();
    format!("<rpc-reply xmlns=\"{BASE}\" xmlns:junos=\"http://xml.juniper.net/junos/23.4R1/junos\"{id}>\n")
}

fn missing(what: &str) -> String {
    format!(
        "<rpc-error><error-type>rpc</error-type><error-tag>missing-attribute</error-tag>\
         <error-severity>error</error-severity><error-info><bad-attribute>{what}</bad-attribute>\
         <bad-element>rpc</bad-element></error-info></rpc-error>"
    )
}

//! The bucket in the object store where contents lie under their hash: small ones whole, as all did before engine level
//! 14, large ones in pieces ([`pieces`]).
//!
//! ```text
//! $O.linesman-rule-books.M.<...>    an object: a content, or of which pieces it is; by the hash of the content
//! $O.linesman-rule-books.C.<hash>   a piece, once for all contents that have it
//! ```
//!
//! INVARIANT (what is named is there): pieces are stored before what names them. Nothing is ever removed: a log that is
//! decided again names all that it ever named.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::object_store::{Config, ObjectStore};
use async_nats::jetstream::stream::{DirectGetErrorKind, LastRawMessageErrorKind, Stream};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::super::context;
use super::pieces::{self, Top, WHOLE_MOST};
use super::{Error, REQUEST_TIMEOUT};

const BUCKET: &str = "linesman-rule-books";
/// The stream that the bucket is.
const STREAM: &str = "OBJ_linesman-rule-books";
/// The largest content in bytes.
const MOST: usize = 256 * 1024 * 1024;
/// From which engine level on contents are cut: who may have a log of it reads them.
const IN_PIECES: u32 = 14;
/// How many pieces are under way at once.
const AT_ONCE: usize = 32;
/// What is to be done where a content is not there.
const WAY_OUT: &str =
    "start the engine again that has loaded it, which puts it back, or bring back the stream `OBJ_linesman-rule-books`";

/// The bucket of a server.
pub(super) struct Bucket {
    context: jetstream::Context,
    replicas: usize,
    is_cut: AtomicBool,
}

/// Why nothing can be made of what lies under a hash.
type Fault = String;

impl Bucket {
    pub(super) fn new(client: async_nats::Client, replicas: usize) -> Self {
        Self { context: context(&client), replicas, is_cut: AtomicBool::new(false) }
    }

    /// The log has come to a level.
    pub(super) fn has_come_to(&self, level: u32) {
        if level >= IN_PIECES {
            self.is_cut.store(true, Ordering::Relaxed);
        }
    }

    async fn store(&self) -> Result<ObjectStore, Fault> {
        match self.context.get_object_store(BUCKET).await {
            Ok(store) => Ok(store),
            Err(_) => {
                let config = Config { bucket: BUCKET.to_owned(), num_replicas: self.replicas, ..Config::default() };
                self.context.create_object_store(config).await.map_err(|error| error.to_string())
            }
        }
    }

    /// Whether the server answers for the bucket: what it does not have then, it has not.
    pub(super) async fn answers(&self) -> bool {
        matches!(timeout(REQUEST_TIMEOUT, self.context.get_stream(STREAM)).await, Ok(Ok(_)))
    }

    async fn stream(&self) -> Result<Stream<()>, Fault> {
        self.context.get_stream_no_info(STREAM).await.map_err(|error| error.to_string())
    }

    /// Stores a content under its hash, unless it is there.
    ///
    /// # Errors
    /// The server does not take it.
    pub(super) async fn put(&self, hash: &str, content: &[u8]) -> Result<(), Error> {
        let fault = |detail| Error::RuleBook { hash: hash.to_owned(), detail };
        let store = self.store().await.map_err(fault)?;
        if self.content(hash).await.is_ok() {
            return Ok(());
        }
        let object = match content.len() > WHOLE_MOST && self.is_cut.load(Ordering::Relaxed) {
            true => Some(self.put_in_pieces(content).await.map_err(fault)?),
            false => None,
        };
        let mut object = object.as_deref().unwrap_or(content);
        store.put(hash, &mut object).await.map_err(|error| fault(error.to_string()))?;
        Ok(())
    }

    /// Stores the pieces of a content that are not there; what is to be stored in its place.
    async fn put_in_pieces(&self, content: &[u8]) -> Result<Vec<u8>, Fault> {
        let stream = self.stream().await?;
        let mut depth = 1;
        let mut list = self.put_pieces(&stream, content, pieces::cut(content)).await?;
        while list.len() > WHOLE_MOST {
            list = self.put_pieces(&stream, &list, pieces::cut_list(&list)).await?;
            depth += 1;
        }
        fail::fail_point!("books::before-list");
        Ok(Top { depth, list: &list }.write())
    }

    /// Stores those pieces that are not there as they should be; the list of all.
    async fn put_pieces(
        &self,
        stream: &Stream<()>,
        content: &[u8],
        pieces: Vec<Range<usize>>,
    ) -> Result<Vec<u8>, Fault> {
        let content = Bytes::copy_from_slice(content);
        let put = pieces.into_iter().map(|piece| self.put_piece(stream, content.slice(piece)));
        let hashes: Vec<String> = stream::iter(put).buffered(AT_ONCE).try_collect().await?;
        Ok(hashes.into_iter().flat_map(|hash| (hash + "\n").into_bytes()).collect())
    }

    async fn put_piece(&self, stream: &Stream<()>, piece: Bytes) -> Result<String, Fault> {
        let hash = super::hash(&piece);
        if self.piece(stream, hash.clone()).await.is_err() {
            let stored = self.context.publish(subject(&hash), piece).await.map_err(|error| error.to_string())?;
            stored.await.map_err(|error| error.to_string())?;
        }
        Ok(hash)
    }

    /// Fetches a content as it was put.
    ///
    /// # Errors
    /// It is not there, or not what its hash says, or nothing more of it comes.
    pub(super) async fn content(&self, hash: &str) -> Result<Vec<u8>, Error> {
        let fault = |detail| Error::RuleBook { hash: hash.to_owned(), detail };
        let store = self.store().await.map_err(fault)?;
        let object = store.get(hash).await.map_err(|error| fault(error.to_string()))?;
        let object = read(object, REQUEST_TIMEOUT).await.map_err(|error| fault(error.to_string()))?;
        if super::hash(&object) == hash {
            return Ok(object);
        }
        let other = || fault(format!("the content has another hash; {WAY_OUT}"));
        let content = self.together(Top::read(&object).ok_or_else(other)?).await.map_err(fault)?;
        if super::hash(&content) == hash { Ok(content) } else { Err(other()) }
    }

    /// Puts together what lies in pieces.
    async fn together(&self, top: Top<'_>) -> Result<Vec<u8>, Fault> {
        let stream = self.stream().await?;
        let mut content = top.list.to_vec();
        for _ in 0..top.depth {
            let hashes = pieces::hashes(&content).ok_or_else(|| format!("its list of pieces is none; {WAY_OUT}"))?;
            let pieces = hashes.into_iter().map(|hash| self.piece(&stream, hash));
            let mut pieces = stream::iter(pieces).buffered(AT_ONCE);
            content.clear();
            while let Some(piece) = pieces.try_next().await? {
                if content.len() + piece.len() > MOST {
                    return Err(format!("its pieces have more than {MOST} bytes together"));
                }
                content.extend_from_slice(&piece);
            }
        }
        Ok(content)
    }

    /// A piece, of whoever has it; as the leader has it where others do not.
    async fn piece(&self, stream: &Stream<()>, hash: String) -> Result<Bytes, Fault> {
        let subject = subject(&hash);
        match stream.direct_get_last_for_subject(&*subject).await {
            Ok(found) if super::hash(&found.payload) == hash => return Ok(found.payload),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), DirectGetErrorKind::TimedOut) => return Err(error.to_string()),
            Err(_) => {}
        }
        match stream.get_last_raw_message_by_subject(&subject).await {
            Ok(found) if super::hash(&found.payload) == hash => Ok(found.payload),
            Ok(_) => Err(format!("its piece {hash} is damaged; {WAY_OUT}")),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                Err(format!("its piece {hash} is not there; {WAY_OUT}"))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

fn subject(hash: &str) -> String {
    format!("$O.{BUCKET}.C.{hash}")
}

/// Reads to the end, or for as long as something comes within `patience`.
async fn read(object: impl AsyncRead + Unpin, patience: Duration) -> io::Result<Vec<u8>> {
    let (mut object, mut content) = (object.take(MOST as u64), Vec::new());
    // The client library makes its consumer anew for ever.
    while timeout(patience, object.read_buf(&mut content)).await?? > 0 {}
    Ok(content)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn what_stands_still_is_an_error_and_what_goes_on_is_read_to_its_end() {
        let (mut there, here) = tokio::io::duplex(2);
        let writing = tokio::spawn(async move {
            there.write_all(b"a rule book").await.unwrap();
            there
        });
        let still = read(here, Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(still.kind(), io::ErrorKind::TimedOut);
        writing.abort();
        assert_eq!(read(&b"a rule book"[..], REQUEST_TIMEOUT).await.unwrap(), b"a rule book");
    }
}

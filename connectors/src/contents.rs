//! Bytes that go with a task: fetched and checked by whoever dispatches, handed on in pieces.

use std::fmt;
use std::io;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;

/// The bytes that a task names. They are complete and are what the log says they are, or the stream ends in an error.
pub struct Contents {
    length: u64,
    pieces: BoxStream<'static, io::Result<Bytes>>,
}

impl Contents {
    /// `length` bytes, in pieces of a bounded size.
    pub fn new(length: u64, pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self { length, pieces: Box::pin(pieces) }
    }

    /// How many bytes they are.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The bytes, in their order.
    pub fn into_pieces(self) -> BoxStream<'static, io::Result<Bytes>> {
        self.pieces
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents").field("length", &self.length).finish_non_exhaustive()
    }
}

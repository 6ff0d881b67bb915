//! Bytes that go with a task: fetched and checked by whoever dispatches, handed on in pieces, for as long as they may leave.

use std::fmt;
use std::future;
use std::io;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::BoxStream;
use tokio::sync::OwnedSemaphorePermit;

/// The bytes that a task names. They are complete and are what the log says they are, or the stream ends in an error.
pub struct Contents {
    length: u64,
    pieces: BoxStream<'static, io::Result<Bytes>>,
    wanted: Wanted,
    turn: Option<Turn>,
}

impl Contents {
    /// `length` bytes, in pieces of a bounded size, that are wanted whatever happens.
    pub fn new(length: u64, pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self { length, pieces: Box::pin(pieces), wanted: Wanted::always(), turn: None }
    }

    /// The same bytes, to leave as long as they are wanted.
    #[must_use]
    pub fn as_long_as(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// The same bytes, whose turn it is.
    #[must_use]
    pub fn in_turn(self, turn: Option<Turn>) -> Self {
        Self { turn, ..self }
    }

    /// How many bytes they are.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The bytes, in their order.
    pub fn into_pieces(self) -> BoxStream<'static, io::Result<Bytes>> {
        self.pieces
    }

    /// Whether they are wanted still, to be asked for once: from then on they are wanted always.
    pub fn take_wanted(&mut self) -> Wanted {
        std::mem::replace(&mut self.wanted, Wanted::always())
    }

    /// The turn that they came with.
    pub(crate) fn take_turn(&mut self) -> Option<Turn> {
        self.turn.take()
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A turn at what a connector does few of at a time; the next has its own when this is dropped.
#[derive(Debug)]
pub struct Turn(
    #[expect(dead_code, reason = "held, and given back when it is dropped")] pub(crate) OwnedSemaphorePermit,
);

/// Whether what a task names may still leave. Whoever dispatches knows; whoever carries the task out asks before every
/// request, and breaks off what is under way once it may not.
pub struct Wanted {
    is_so: Box<dyn Fn() -> bool + Send + Sync>,
    withdrawn: BoxFuture<'static, ()>,
}

impl Wanted {
    /// `is_so` says how it is at the moment; `withdrawn` ends when it is so no more.
    pub fn new(
        is_so: impl Fn() -> bool + Send + Sync + 'static,
        withdrawn: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { is_so: Box::new(is_so), withdrawn: withdrawn.boxed() }
    }

    fn always() -> Self {
        Self::new(|| true, future::pending())
    }

    /// What says whether it is so at the moment, and what ends when it is so no more.
    pub fn parts(&mut self) -> (&(dyn Fn() -> bool + Send + Sync), &mut BoxFuture<'static, ()>) {
        (&*self.is_so, &mut self.withdrawn)
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted").finish_non_exhaustive()
    }
}

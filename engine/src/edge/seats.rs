//! How many are connected at once, and who has to go when one more comes.
//!
//! When every seat is taken, whoever has gone longest without being told anything gives up theirs:
//! a client that holds a connection without getting anywhere cannot keep others out. So does one
//! that does not take what it is told.

use std::collections::BTreeMap;
use std::future::{Future, Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready as try_ready};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// How long a client may take none of its answer.
const STALL_MOST: Duration = Duration::from_secs(30);

/// The seats of all connections.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    most: usize,
    taken: Arc<Mutex<Taken>>,
}

/// The seats taken, whoever was told something last at the end. A dropped sender ends its connection.
#[derive(Debug, Default)]
struct Taken {
    next: u64,
    holders: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Taken {
    fn put_last(&mut self, holder: oneshot::Sender<()>) -> u64 {
        let place = self.next;
        self.next += 1;
        self.holders.insert(place, holder);
        place
    }
}

impl Seats {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), taken: Arc::default() }
    }

    /// Ends every connection.
    pub(super) fn clear(&self) {
        self.taken().holders.clear();
    }

    /// Gives the connection a seat, if need be another's.
    fn seat<S>(&self, stream: S) -> Seated<S> {
        let (holder, gone) = oneshot::channel();
        let mut taken = self.taken();
        while taken.holders.len() >= self.most {
            taken.holders.pop_first();
            displaced();
        }
        let place = taken.put_last(holder);
        Seated { stream, gone, seats: self.clone(), place, stall: None }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing under the lock panics; and a table of seats is whole after every step.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn displaced() {
    metrics::counter!("linesman_api_displaced_total").increment(1);
}

/// Seats what was accepted, before TLS.
#[derive(Debug, Clone)]
pub(super) struct SeatAcceptor(pub(super) Seats);

impl<V> Accept<TcpStream, V> for SeatAcceptor {
    type Stream = Seated<TcpStream>;
    type Service = V;
    type Future = Ready<io::Result<(Self::Stream, V)>>;

    fn accept(&self, stream: TcpStream, service: V) -> Self::Future {
        ready(stream.set_nodelay(true).map(|()| (self.0.seat(stream), service)))
    }
}

/// A connection on its seat.
#[derive(Debug)]
pub(super) struct Seated<S> {
    stream: S,
    /// Ready once the seat is another's. Reading and writing are one task's: it has one waker.
    gone: oneshot::Receiver<()>,
    seats: Seats,
    place: u64,
    /// Runs while the client takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
}

impl<S> Seated<S> {
    /// An error once the seat is another's.
    fn hold(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match Pin::new(&mut self.gone).poll(context) {
            Poll::Pending => Ok(()),
            Poll::Ready(_) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection's seat is gone")),
        }
    }

    /// The client was told something: it goes to the end of the row.
    fn told(&mut self) {
        self.stall = None;
        let mut taken = self.seats.taken();
        if let Some(holder) = taken.holders.remove(&self.place) {
            self.place = taken.put_last(holder);
        }
    }

    /// Ready once the client has taken nothing for too long.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(STALL_MOST)));
        try_ready!(stall.as_mut().poll(context));
        displaced();
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer"))
    }
}

impl<S> Drop for Seated<S> {
    fn drop(&mut self) {
        self.seats.taken().holders.remove(&self.place);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Seated<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.hold(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Seated<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.hold(context)?;
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(written) => {
                self.told();
                Poll::Ready(written)
            }
            Poll::Pending => self.poll_stall(context).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

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

/// The seats of all connections.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    most: usize,
    /// How long a client may take none of its answer.
    stall: Duration,
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
        let turn = self.next;
        self.next += 1;
        self.holders.insert(turn, holder);
        turn
    }
}

impl Seats {
    pub(super) fn new(most: usize, stall: Duration) -> Self {
        Self { most: most.max(1), stall, taken: Arc::default() }
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
        let turn = taken.put_last(holder);
        metrics::gauge!("linesman_api_connections").increment(1.0);
        Seated { stream, gone, seats: self.clone(), turn, stall: None }
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
    turn: u64,
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
        if let Some(holder) = taken.holders.remove(&self.turn) {
            self.turn = taken.put_last(holder);
        }
    }

    /// Ready once the client has taken nothing for too long.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let most = self.seats.stall;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(most)));
        try_ready!(stall.as_mut().poll(context));
        displaced();
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer"))
    }
}

impl<S> Drop for Seated<S> {
    fn drop(&mut self) {
        self.seats.taken().holders.remove(&self.turn);
        metrics::gauge!("linesman_api_connections").decrement(1.0);
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    /// What comes within a time that is ample.
    async fn soon<T>(what: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(10), what).await.expect("it comes to an end")
    }

    #[tokio::test]
    async fn the_one_told_nothing_for_longest_gives_up_its_seat() {
        let seats = Seats::new(2, LONG);
        let pairs = [0; 3].map(|_| duplex(64));
        let [(ours1, mut first), (ours2, _second), (ours3, _third)] = pairs;
        let (mut one, mut two) = (seats.seat(ours1), seats.seat(ours2));
        // Talking gets nobody a seat; being answered does.
        one.write_all(b"answer").await.unwrap();
        let mut three = seats.seat(ours3);
        let mut buffer = [0; 8];
        let refused = soon(two.read(&mut buffer)).await.unwrap_err();
        assert_eq!(refused.to_string(), "the connection's seat is gone");
        three.write_all(b"answer").await.unwrap();
        first.write_all(b"question").await.unwrap();
        assert_eq!(soon(one.read(&mut buffer)).await.unwrap(), 8);
        // A seat that is left is free.
        drop((two, three));
        let _four = seats.seat(duplex(64).0);
        first.write_all(b"question").await.unwrap();
        assert_eq!(soon(one.read(&mut buffer)).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_when_its_seat_goes() {
        let seats = Seats::new(1, LONG);
        let (ours, _theirs) = duplex(64);
        let mut waiting = seats.seat(ours);
        let read = tokio::spawn(async move { waiting.read(&mut [0; 8]).await });
        tokio::task::yield_now().await;
        seats.clear();
        let read = soon(read).await.unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn an_answer_nobody_takes_is_given_up() {
        let seats = Seats::new(1, Duration::from_millis(20));
        let (ours, mut theirs) = duplex(4);
        let mut stalled = seats.seat(ours);
        let given_up = soon(stalled.write_all(b"answer")).await.unwrap_err();
        assert_eq!(given_up.to_string(), "the client does not take its answer");
        assert_eq!(theirs.read(&mut [0; 8]).await.unwrap(), 4);
    }
}
